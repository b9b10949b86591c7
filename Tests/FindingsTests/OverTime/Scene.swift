// Several sessions one after the other, as a sender would come again and again, and what is found in all of them
// together.

import Findings
import Journal
import SMTP

/// A message as it is written here: with what tells it from others.
struct SceneLetter {
    var id: String? = "<1@sender.example>"
    var from = "a@sender.example"
    var subject = "Hello"
    var date = "Fri, 27 Nov 2026 10:00:00 +0000"
    var extra = ""
    var body = "This is a text that is long enough to be known again wherever it comes from.\r\n"

    var octets: [UInt8] {
        var text =
            "Received: from x by y; \(extra.count)\r\nFrom: <\(from)>\r\nTo: b@any.test\r\nSubject: \(subject)\r\n"
        text += date.isEmpty ? "" : "Date: \(date)\r\n"
        text += id.map { "Message-ID: \($0)\r\n" } ?? ""
        return Array((text + extra + "\r\n" + body).utf8)
    }

    func facts(_ transaction: Int = 1) -> MessageIdentity {
        var input = MessageInput(
            content: octets, reversePath: ReversePath(address: []), recipients: [], received_us: 1_790_000_000_000_000)
        input.transaction = transaction
        return MessageIdentity(input)
    }
}

/// One session with one transaction.
struct Call {
    var client = "192.0.2.9"
    var hello = "mta1.sender.example"
    var listener = "mx1"
    var from = "a@sender.example"
    var parameters = ""
    var mailReply = "250 2.1.0 Ok"
    /// Recipients with their replies.
    var to: [(String, String)] = [("b@any.test", "250 2.1.5 Ok")]
    /// The reply to the end of the message; empty: it is lost; nil: QUIT without a message.
    var end: String? = "250 2.0.0 Ok"
    var letter = SceneLetter()
    /// The client goes without QUIT behind the last reply.
    var isHasty = false
    /// How long the session stays open at its end.
    var lasts_s = 0.0
    /// A fault of the sink in front of MAIL.
    var fault: (Phase, String)?
    /// The recipients are magic addresses.
    var isSteering = false
}

struct Scene {
    static let start_us: Int64 = 1_790_000_000_000_000
    private(set) var book = AttemptBook()
    private var count = 0
    private var last_s = 0.0

    static func at(_ seconds: Double) -> Int64 { start_us + Int64(seconds * 1_000_000) }

    mutating func note(_ talk: Talk, _ messages: [MessageIdentity] = [], dropped: Int = 0) {
        book.note(SessionTrace(talk.log, eventsDropped: dropped), messages)
    }

    mutating func open(_ seconds: Double, _ call: Call = Call()) -> Talk {
        count += 1
        last_s = max(last_s, seconds)
        return Talk(
            client: "\(call.client):4025", session: "s\(count)", started_us: Scene.at(seconds), listener: call.listener,
            local: call.listener == "mx2" ? "192.0.2.2:25" : "192.0.2.1:25")
    }

    /// A session at this second.
    mutating func call(_ seconds: Double, dropped: Int = 0, _ change: (inout Call) -> Void = { _ in }) {
        var call = Call()
        change(&call)
        var talk = open(seconds, call)
        talk.greeting()
        talk.ehlo(call.hello)
        if let (phase, script) = call.fault { talk.fault(phase, script) }
        let isContent = Scene.transact(&talk, call)
        if call.end != "" {
            if call.isHasty {
                talk.append(.ended(.clientClose))
            } else {
                talk.wait(UInt64(call.lasts_s * 1_000_000))
                talk.quit()
            }
        }
        note(talk, isContent ? [call.letter.facts()] : [], dropped: dropped)
    }

    /// - Returns: whether message octets came.
    static func transact(_ talk: inout Talk, _ call: Call) -> Bool {
        let parameters = call.parameters.isEmpty ? "" : " " + call.parameters
        talk.client("MAIL FROM:<\(call.from)>\(parameters)")
        talk.append(.transactionBegan(reversePath: Array(call.from.utf8)))
        talk.sink(.mail, call.mailReply)
        guard call.mailReply.hasPrefix("2") else {
            talk.append(
                .transactionEnded(
                    verdict: verdict(call.mailReply), at: .mail, reply: wire(call.mailReply), message: nil))
            return false
        }
        for (address, reply) in call.to {
            if call.isSteering { talk.fault(.rcpt, reply, rule: "magic rcpt-550-5.1.1") }
            talk.rcpt(address, reply: reply)
        }
        let accepted = call.to.filter { $0.1.hasPrefix("2") }
        guard let end = call.end, !accepted.isEmpty else {
            let refusal = call.to.last { $0.1.hasPrefix("4") } ?? call.to.last { $0.1.hasPrefix("5") }
            let isAbandoned = !accepted.isEmpty
            talk.append(
                .transactionEnded(
                    verdict: isAbandoned ? .abandoned : verdict(refusal?.1 ?? ""), at: isAbandoned ? nil : .rcpt,
                    reply: isAbandoned ? nil : wire(refusal?.1 ?? ""), message: nil))
            return false
        }
        guard end.isEmpty else {
            talk.data(500, reply: end)
            return true
        }
        talk.client("DATA")
        talk.sink(.data, "354 Go ahead")
        talk.content(500)
        talk.fault(.endOfData, "keep", "close")
        talk.append(.transactionEnded(verdict: .lost, at: .endOfData, reply: nil, message: "m"))
        talk.append(.ended(.sinkClose))
        return true
    }

    /// A session that is turned away at the greeting.
    mutating func refused(_ seconds: Double, _ reply: String = "421 4.3.2 Too busy", listener: String = "mx1") {
        var talk = open(seconds, Call(listener: listener))
        talk.sink(.greeting, reply)
        talk.client("QUIT")
        talk.append(.ended(.sinkClose))
        note(talk)
    }

    func settings(_ change: (inout OverTimeSettings) -> Void = { _ in }) -> OverTimeSettings {
        var settings = OverTimeSettings(
            judging: JudgingSettings(profile: .strict), observedSince_us: Scene.start_us - 1)
        change(&settings)
        return settings
    }

    /// What is found when so many seconds have passed.
    func judged(_ seconds: Double, _ change: (inout OverTimeSettings) -> Void = { _ in }) -> OverTimeJudgement {
        book.judgement(now_us: Scene.at(seconds), settings(change))
    }

    func broken(_ seconds: Double, _ change: (inout OverTimeSettings) -> Void = { _ in }) -> [RuleID] {
        judged(seconds, change).states.ids(.broken)
    }

    private static func verdict(_ reply: String) -> Verdict {
        reply.hasPrefix("2") ? .accepted : reply.hasPrefix("4") ? .deferred : .rejected
    }

    private static func wire(_ reply: String) -> [UInt8] { Array((reply + "\r\n").utf8) }
}

extension OverTimeJudgement {
    func finding(_ rule: RuleID) -> Finding? { findings.first { $0.rule == rule } }
}
