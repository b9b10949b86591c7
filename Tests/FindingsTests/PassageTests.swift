// The lines around a place: which ones, where the mark is, and how much of a long line stays.

import Journal
import Testing

@testable import Findings

@Suite struct PassageTests {
    let record = SampleReport.record(SampleReport.talk("s1"))

    func marked(_ passage: Passage?) -> String? {
        guard let line = passage?.lines.first(where: \.is_marked), let mark = line.mark else { return nil }
        return String(decoding: Array(line.text.utf8)[mark], as: UTF8.self)
    }

    @Test func theLineOfTheTranscriptIsMarkedAmongItsNeighbours() throws {
        let passage = try #require(Passage.transcript(record, Evidence(line: 2, range: 5..<9)))
        #expect(passage.lines.map(\.number) == [1, 2, 3])
        #expect(passage.lines.map(\.is_marked) == [false, true, false])
        #expect(passage.lines.map(\.who) == [.sink, .client, .sink])
        #expect(marked(passage) == "mta1")
    }

    @Test func linesOfATraceAreTheLinesOfItsRecord() {
        var talk = Talk.clean()
        talk.client("NOOP")
        talk.client("RSET", together: true)
        talk.append(.clientEarly(octetCount: 5, segment: 9))
        talk.sink(nil, "250-one", "250 two")
        let record = SampleReport.record(talk)
        let trace = SessionTrace(talk.log)
        var seen = 0
        for step in trace.steps where step.line > 0 {
            let line = record.lines[step.line - 1]
            switch step.kind {
            case .command(let command): #expect(line.who == .client && Array(line.text.utf8) == command.octets)
            case .reply(let reply): #expect(line.who == .sink && reply.wire.starts(with: line.text.utf8))
            case .content(let count, _): #expect(line.octets == count)
            default: Issue.record("a line of no kind")
            }
            #expect(line.at_us == step.at_us)
            seen += 1
        }
        #expect(seen > 15)
    }

    @Test func linesOutsideOfTheTranscriptAreNotGuessed() {
        for line in [nil, 0, -1, record.lines.count + 1] {
            #expect(Passage.transcript(record, Evidence(line: line)) == nil)
        }
        let last = Passage.transcript(record, Evidence(line: record.lines.count))
        #expect(last?.lines.count == 3)
        #expect(last?.lines.last?.is_marked == true)
    }

    @Test func whereTheClientLeftIsALineOfItsOwn() throws {
        var left = record
        left.ended_by = .clientClose
        left.duration_us = left.lines.reduce(0) { max($0, $1.at_us) } + 1
        let last = left.lines.count
        let gone = try #require(Passage.transcript(left, Evidence(line: last, at_us: left.duration_us)))
        #expect(gone.lines.map(\.is_marked) == [false, false, false, true])
        #expect(gone.lines.last?.text == "(the client closed)")
        #expect(gone.lines.last?.who == nil)
        // An unfinished line is told when the connection ends, and is what is meant.
        var unfinished = left
        unfinished.lines[last - 1].at_us = left.duration_us
        let line = try #require(Passage.transcript(unfinished, Evidence(line: last, at_us: left.duration_us)))
        #expect(line.lines.map(\.is_marked) == [false, false, true])
        left.ended_by = .sinkClose
        let closed = try #require(Passage.transcript(left, Evidence(line: last, at_us: left.duration_us)))
        #expect(closed.lines.map(\.is_marked) == [false, false, true])
    }

    @Test func whereLinesWereDroppedOnlyTheTimeCanSayThatItIsTheLine() {
        var cut = record
        cut.events_dropped = 1
        #expect(Passage.transcript(cut, Evidence(line: 2)) == nil)
        #expect(Passage.transcript(cut, Evidence(line: 2, at_us: 7)) == nil)
        #expect(Passage.transcript(cut, Evidence(line: 2, at_us: cut.lines[1].at_us)) != nil)
    }

    @Test func contentInATranscriptIsSaidByItsCount() throws {
        let index = try #require(record.lines.firstIndex { $0.octets != nil })
        let passage = try #require(Passage.transcript(record, Evidence(line: index + 1, range: 3..<4)))
        let line = try #require(passage.lines.first { $0.is_marked })
        #expect(line.octets == 500 && line.mark == nil)
    }

    @Test(arguments: [
        (0..<4, [1, 2], 1, "From" as String?), (9..<11, [1, 2, 3], 2, "To"), (8..<9, [1, 2], 1, "\n"),
        (16..<18, [1, 2, 3, 4], 3, "\r\n"), (18..<20, [2, 3, 4, 5], 4, "ab"), (21..<22, [3, 4, 5], 5, "z"),
        (0..<0, [1, 2], 1, nil), (9..<20, [1, 2, 3], 2, "To: c"), (22..<22, [3, 4, 5], 5, nil),
    ]) func linesOfAMessage(_ range: Range<Int>, _ numbers: [Int], _ markedLine: Int, _ text: String?) throws {
        // Line 1 ends with a bare LF; the last line has no end.
        let content = Array("From: a\r\nTo: c\r\n\r\nab\nz".utf8)
        let bare = Array("From: ab\nTo: c\r\n\r\nab\nz".utf8)
        #expect(content.count == bare.count)
        let passage = try #require(Passage.message(bare, session: "s1", Evidence(message: "s1.1", range: range)))
        #expect(passage.lines.map(\.number) == numbers)
        #expect(passage.lines.filter(\.is_marked).map(\.number) == [markedLine])
        #expect(marked(passage) == text)
        #expect(passage.message == "s1.1")
    }

    @Test func rangesOutsideOfAMessageGiveNothing() {
        let content = Array("a\r\n".utf8)
        #expect(Passage.message(content, session: "s", Evidence(message: "m", range: 4..<9)) == nil)
        #expect(Passage.message(content, session: "s", Evidence(message: "m")) == nil)
        let atEnd = Passage.message(content, session: "s", Evidence(message: "m", range: 3..<9))
        #expect(atEnd?.lines.map(\.number) == [1])
        #expect(Passage.message([], session: "s", Evidence(message: "m", range: 0..<1))?.lines.count == 1)
    }

    @Test func aLongLineIsCutAroundItsMark() throws {
        let line = [UInt8](repeating: 0x61, count: 5000) + Array("MARK".utf8) + [UInt8](repeating: 0x62, count: 5000)
        let passage = try #require(Passage.message(line, session: "s", Evidence(message: "m", range: 5000..<5004)))
        let text = try #require(passage.lines.first?.text)
        #expect(text.utf8.count <= Passage.octetLimit + 6)
        #expect(text.hasPrefix("…a") && text.hasSuffix("b…"))
        #expect(marked(passage) == "MARK")
    }

    @Test func charactersStayWholeAndInvalidOctetsAreReplaced() throws {
        let umlauts = Array(String(repeating: "ü", count: 300).utf8)
        let passage = try #require(Passage.message(umlauts, session: "s", Evidence(message: "m", range: 301..<302)))
        // The mark is one octet of a character: that alone cannot be shown whole.
        let text = try #require(passage.lines.first?.text)
        #expect(text.hasPrefix("…ü") && text.hasSuffix("ü…"))
        let invalid = Passage.message([0x61, 0xff, 0x62], session: "s", Evidence(message: "m", range: 2..<3))
        #expect(invalid?.lines.first?.text == "a\u{fffd}b")
        #expect(marked(invalid) == "b")
    }
}

@Suite struct CitationTests {
    @Test(arguments: [
        ("RFC 5321 §4.5.2", "https://www.rfc-editor.org/rfc/rfc5321#section-4.5.2" as String?),
        ("RFC 5321 §4.5.2.", "https://www.rfc-editor.org/rfc/rfc5321#section-4.5.2"),
        ("RFC 5321 Appendix C", "https://www.rfc-editor.org/rfc/rfc5321#appendix-C"),
        ("RFC 7504; other", "https://www.rfc-editor.org/rfc/rfc7504"),
        (
            "Gmail https://support.google.com/a/answer/81126; RFC 8058 §3.1",
            "https://www.rfc-editor.org/rfc/rfc8058#section-3.1"
        ),
        ("(see https://example.test/a?b=c), more", "https://example.test/a?b=c"),
        ("no standard; quality check", nil), ("RFC x", nil), ("RFC 123456", nil), ("", nil),
    ]) func leadsTo(_ citation: String, _ link: String?) {
        #expect(Citation.link(citation) == link)
        #expect(Citation.pieces(citation).map(\.text).joined() == citation)
    }

    @Test(arguments: [
        (
            "RFC 8601 §3; Gmail sender guidelines https://support.google.com/a/answer/81126; Apple iCloud",
            ["Gmail", "Apple iCloud"]
        ),
        ("WEB.DE/GMX (operator's answer)", ["WEB.DE and GMX"]), ("Postfix a, Postfix b", ["Postfix"]),
        ("see https://www.postfix.org/Postfix", []), ("Exims", []), ("haraka-plugin", ["Haraka"]), ("RFC 5321", []),
    ]) func names(_ citation: String, _ receivers: [String]) { #expect(Citation.receivers(citation) == receivers) }

    @Test func everyRuleHasALinkOrNoStandard() {
        for rule in SenderRules.all where rule.citation.contains("RFC") {
            #expect(Citation.link(rule.citation)?.hasPrefix("https://www.rfc-editor.org/rfc/rfc") == true)
        }
    }
}
