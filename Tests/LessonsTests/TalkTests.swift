// What a learner reads of a session: refusals at their phases, early talk before the greeting, folded lists; and the
// lines of a sender's log.

import FoundationEssentials
import Journal
import Lessons
import Testing

/// A session from a few lines: `S: 220 …`, `C: EHLO …`, `M: 120` for a message of so many octets; `+5` sets the clock.
///
/// - Parameter more: fields of its JSON.
func session(_ lines: [String], _ more: String = "") throws -> SessionRecord {
    var now = 0
    var objects: [String] = []
    for text in lines {
        if text.hasPrefix("+") {
            now = Int(text.dropFirst()) ?? now
            continue
        }
        let words = String(text.dropFirst(3))
        let isContent = text.hasPrefix("M")
        objects.append(
            "{\"at_us\": \(now), \"segment\": 0, \"tls\": false, "
                + "\"who\": \"\(text.hasPrefix("S") ? "sink" : "client")\", "
                + (isContent ? "\"text\": \"\", \"octets\": \(words)}" : "\"text\": \(try quoted(words))}"))
    }
    let fields = "\"id\": \"s1\", \"ended_by\": \"quit\", \"duration_us\": \(now)" + (more.isEmpty ? "" : ", \(more)")
    let faults = more.contains("\"faults\"") ? "" : "\"faults\": [], "
    let text = "{\(faults)\(fields), \"lines\": [\(objects.joined(separator: ", "))]}"
    return try JSONDecoder().decode(SessionRecord.self, from: Data(text.utf8))
}

func quoted(_ text: String) throws -> String { String(decoding: try JSONEncoder().encode(text), as: UTF8.self) }

@Suite struct TalkTests {
    private func refusals(_ lines: [String]) throws -> [String] {
        Talk(try session(lines)).lines.filter { $0.mark != nil }
            .map { "\($0.mark?.word ?? "") \($0.phase ?? "") \($0.text)" }
    }

    @Test func aRefusalStandsAtThePhaseThatItAnswers() throws {
        #expect(try refusals(["S: 554 No"]) == ["REJECTED greeting 554 No"])
        #expect(try refusals(["S: 220 mx", "C: EHLO a", "S: 451 Later"]) == ["DEFERRED ehlo 451 Later"])
        #expect(
            try refusals([
                "S: 220 mx", "C: EHLO a", "S: 250 mx", "C: MAIL FROM:<a@b>", "S: 250 Ok", "C: RCPT TO:<c@d>",
                "S: 250 Ok", "C: DATA", "S: 354 Go", "M: 120", "S: 554-No", "S: 554 Never",
            ]) == ["REJECTED end-of-data 554-No"])
    }

    @Test func pipelinedRepliesBelongToTheirCommands() throws {
        #expect(
            try refusals([
                "S: 220 mx", "C: EHLO a", "S: 250 mx", "C: MAIL FROM:<a@b>", "C: RCPT TO:<c@d>", "C: DATA", "S: 250 Ok",
                "S: 550 No such user", "S: 503 No valid recipients",
            ]) == ["REJECTED rcpt 550 No such user", "REJECTED data 503 No valid recipients"])
    }

    @Test func earlyTalkStandsInFrontOfTheGreeting() throws {
        let talk = Talk(try session(["+500", "S: 220 mx", "+3", "C: HELO a", "+500", "S: 250 mx"]))
        #expect(talk.lines.prefix(3).map(\.text) == ["HELO a", "220 mx", "250 mx"])
    }

    @Test func aLongListIsFolded() throws {
        let list = (1...6).map { "S: 250-WORD\($0)" } + ["S: 250 HELP"]
        let lines = Talk(try session(["S: 220 mx", "C: EHLO a", "S: 250-mx"] + list)).lines
        #expect(lines.map(\.text).contains("250 (7 lines) WORD1, WORD2, WORD3, WORD4, WORD5, WORD6, HELP"))
        #expect(lines.count == 5)
    }

    @Test func whatARuleDidWithoutAWordIsANote() throws {
        let fault =
            "\"faults\": [{\"at_us\": 0, \"rule\": \"r\", \"phase\": \"end-of-data\", \"action\": \"keep, close\", "
            + "\"why\": \"\", \"use\": 1, \"script\": [\"keep\", \"close\"]}]"
        let talk = Talk(try session(["S: 220 mx"], fault))
        #expect(talk.lines.contains { $0.who == .note && $0.text == "at end-of-data the sink does: keep, close" })
    }
}

@Suite struct SenderLogTests {
    private let relay = SenderLog.Relay(host: "127.0.0.1", port: 2525)
    private let send = Send(helo: "a.test", from: "a@a.test", to: ["b@b.test"], message: "x")

    private func log(_ lines: [String], _ more: String = "") throws -> [String] {
        SenderLog.lines(try session(lines, more), send, relay)
    }

    private func transaction(_ verdict: Verdict, _ phase: String?, _ reply: String?, rcpt: String = "250 Ok") throws
        -> String
    {
        var fields = "\"from\": \"a@a.test\", \"verdict\": \"\(verdict.rawValue)\", \"recipients\": "
        fields += "[{\"address\": \"b@b.test\", \"reply\": \(try quoted(rcpt))}]"
        if let phase { fields += ", \"rejected_at\": \"\(phase)\"" }
        if let reply { fields += ", \"reply\": \(try quoted(reply))" }
        return "\"transactions\": [{\(fields)}]"
    }

    @Test func eachRecipientHasItsLine() throws {
        #expect(
            try log(["S: 220 mx.test ESMTP"], try transaction(.accepted, nil, "250 2.0.0 Ok"))
                == ["to=<b@b.test>, relay=mx.test[127.0.0.1]:2525, dsn=2.0.0, status=sent (250 2.0.0 Ok)"])
        let refused = try log(
            ["S: 220 mx.test"], try transaction(.rejected, "rcpt", nil, rcpt: "550-5.1.1 No\n550 5.1.1 such user"))
        #expect(
            refused == [
                "to=<b@b.test>, relay=mx.test[127.0.0.1]:2525, dsn=5.1.1, status=bounced (host mx.test[127.0.0.1] "
                    + "said: 550-5.1.1 No 550 5.1.1 such user (in reply to RCPT TO command))"
            ])
    }

    @Test func aLostReplyIsADeferral() throws {
        let lines = try log(["S: 220 mx.test"], try transaction(.lost, "end-of-data", nil))
        #expect(lines.first?.contains("status=deferred (lost connection with mx.test[127.0.0.1] while") == true)
        #expect(lines.first?.contains("message may be sent more than once") == true)
    }

    @Test func aRefusedGreetingIsOneHostsOpinion() throws {
        #expect(
            try log(["S: 554 5.7.1 No"]).first?.contains("dsn=4.7.1, status=deferred") == true)
    }

    @Test func whatTheSinkSaysMovesNoCursor() throws {
        let lines = try log(["S: 220 mx.test"], try transaction(.rejected, "mail", "550 \u{1b}[2Jgone\u{202e}"))
        #expect(lines.allSatisfy { !$0.contains("\u{1b}") && !$0.contains("\u{202e}") })
    }
}

@Suite struct SequenceChartTests {
    private func texts(_ svg: String) -> [String] {
        svg.split(separator: "<text ").dropFirst().compactMap { part in
            part.split(separator: ">", maxSplits: 1).last?.components(separatedBy: "</text>").first
        }
    }

    @Test func theLinesOfAReplyStandAboveOneArrow() throws {
        let lines = ["S: 220 mx", "C: MAIL FROM:<a@b>", "S: 550-5.7.1 No", "S: 550-5.7.1 Never", "S: 550 5.7.1 Ever"]
        let svg = SequenceChart.svg(try session(lines), title: "a lesson")
        #expect(svg.components(separatedBy: "<path").count - 1 == 3)
        #expect(texts(svg).filter { $0.hasPrefix("550") } == ["550-5.7.1 No", "550-5.7.1 Never", "550 5.7.1 Ever"])
        #expect(svg.components(separatedBy: "REJECTED").count - 1 == 1)
    }

    @Test func aLongLineIsToldWhole() throws {
        let words = (1...60).map { "word\($0)" }.joined(separator: " ")
        let svg = SequenceChart.svg(try session(["S: 220 \(words)"]), title: "a lesson")
        let told = texts(svg).filter { $0.contains("word") }
        #expect(told.joined() == "220 \(words)")
        #expect(told.allSatisfy { $0.count <= 100 })
        #expect(svg.contains("…") == false)
    }

    @Test func aLineWithoutEndHasALimitAndSaysHowMuchIsLeftOut() throws {
        let svg = SequenceChart.svg(
            try session(["S: 220 mx", "C: " + String(repeating: "x", count: 70_000)]), title: "")
        #expect(texts(svg).contains("… (+69300 characters)"))
        #expect(svg.utf8.count < 10_000)
    }
}
