// What records and transcripts make of events.

import SMTP
import Testing

@testable import Journal

@Suite("Session records and transcripts")
struct SessionRecordTests {
    func log(_ events: [Event]) -> EventLog {
        var log = EventLog()
        let opened = Event.opened(
            session: "s7", listener: "smtp", client: "127.0.0.1:5000", local: "127.0.0.1:1025", wall_us: 0)
        for (index, event) in ([opened] + events).enumerated() { log.append(event, at_us: UInt64(index) * 1500) }
        return log
    }

    func wire(_ text: String) -> [UInt8] { Array((text + "\r\n").utf8) }

    func transcript(_ log: EventLog) -> String {
        var transcript = Transcript(colours: false)
        return log.map { transcript.render($0) }.joined()
    }

    var rejectedAtRcpt: EventLog {
        log([
            .reply(phase: .greeting, wire: wire("220 mx.test ESMTP fakemx")),
            .clientLine(octets: Array("EHLO client.test".utf8), segment: 1),
            .reply(phase: .ehlo, wire: wire("250-mx.test") + wire("250 PIPELINING")),
            .clientLine(octets: Array("MAIL FROM:<a@b.test>".utf8), segment: 2),
            .transactionBegan(reversePath: Array("a@b.test".utf8)),
            .reply(phase: .mail, wire: wire("250 2.1.0 Ok")),
            .clientLine(octets: Array("RCPT TO:<x@full.test>".utf8), segment: 2),
            .fault(
                rule: "full-mailbox", why: "always", phase: .rcpt, action: "550 5.2.2 Full", use: 1, octets: 0,
                script: []),
            .recipientAnswered(address: Array("x@full.test".utf8), wire: wire("550 5.2.2 Full")),
            .reply(phase: .rcpt, wire: wire("550 5.2.2 Full")),
            .transactionEnded(verdict: .rejected, at: .rcpt, reply: wire("550 5.2.2 Full"), message: nil),
            .ended(.quit),
        ])
    }

    @Test("a record says at which phase, with which reply and by which rule a transaction was rejected")
    func rejected() throws {
        let record = SessionBuilder.record(of: rejectedAtRcpt)
        #expect(record.verdict == .rejected)
        #expect(record.rejected_at == "rcpt")
        #expect(record.reply == "550 5.2.2 Full")
        #expect(record.rule == "full-mailbox")
        #expect(record.helo == "client.test")
        #expect(record.ended_by == .quit)
        #expect(record.started == "1970-01-01T00:00:00.000000Z")
        let transaction = try #require(record.transactions.first)
        #expect(
            transaction.recipients == [
                RecipientRecord(address: "x@full.test", reply: "550 5.2.2 Full", rule: "full-mailbox")
            ])
        #expect(record.lines.count == 8)
        #expect(record.faults.map(\.phase) == ["rcpt"])
    }

    @Test("the transcript answers in one line when the reject happened, and marks pipelining")
    func sentence() {
        let text = transcript(rejectedAtRcpt)
        #expect(text.contains("=> rejected at RCPT: 550 5.2.2 Full (rule full-mailbox)\n"))
        #expect(text.contains("<x@full.test>  550 5.2.2 Full  (rule full-mailbox)\n"))
        #expect(text.contains("C+ RCPT TO:<x@full.test>"))
        #expect(text.contains("C  MAIL FROM:<a@b.test>"))
        #expect(text.contains("ended by quit"))
    }

    @Test("a refusal before any transaction speaks for the session")
    func greeting() {
        let record = SessionBuilder.record(
            of: log([
                .fault(
                    rule: "closed", why: "always", phase: .greeting, action: "554 No", use: 1, octets: 0, script: []),
                .reply(phase: .greeting, wire: wire("554 No")),
                .clientLine(octets: Array("QUIT".utf8), segment: 1),
                .reply(phase: .quit, wire: wire("221 2.0.0 Bye")),
                .ended(.quit),
            ]))
        #expect(record.verdict == .rejected)
        #expect(record.rejected_at == "greeting")
        #expect(record.rule == "closed")
        #expect(Transcript.sentence(record) == "rejected at the greeting: 554 No (rule closed)")
    }

    @Test("a connection dropped without a reply names the phase and the rule")
    func dropped() {
        let record = SessionBuilder.record(
            of: log([
                .fault(rule: "gone", why: "always", phase: .connect, action: "reset", use: 1, octets: 0, script: []),
                .ended(.sinkReset),
            ]))
        #expect(record.verdict == nil)
        #expect(Transcript.sentence(record) == "no mail: dropped at connect (rule gone)")
    }

    @Test("a handshake that came to its end was not dropped, however bad it was")
    func badHandshake() {
        let tls = TLSSummary(version: "TLSv1.2", cipher: "x", sni: "expired.mx.test", clientNames: [])
        func sentence(_ script: String) -> String {
            let fault = Event.fault(
                rule: "server name", why: "asked", phase: .tls, action: script, use: 1, octets: 0, script: [script])
            return Transcript.sentence(SessionBuilder.record(of: log([fault, .tlsStarted(tls), .ended(.clientClose)])))
        }
        #expect(sentence("tls expired") == "no mail was offered")
        #expect(sentence("tls close-after-handshake") == "no mail: dropped at the TLS handshake (rule server name)")
    }

    @Test("a reply of several lines is told in its first")
    func brief() {
        #expect(Text.brief("452-4.2.2 Full, see\n452 4.2.2 elsewhere") == "452 4.2.2 Full, see …")
        #expect(Text.brief("550 5.1.1 No") == "550 5.1.1 No")
        #expect(Text.brief("") == "")
    }

    @Test("a record of a giant session is bounded, and says what it left out")
    func giant() {
        var builder = SessionBuilder(keepsLines: true)
        builder.apply(TimedEvent(at_us: 0, event: .transactionBegan(reversePath: [])))
        for number in 0..<SessionBuilder.listLimit + 5 {
            builder.apply(
                TimedEvent(at_us: 1, event: .recipientAnswered(address: [], wire: wire("452 4.5.3 No \(number)"))))
            builder.apply(TimedEvent(at_us: 1, event: .reply(phase: nil, wire: wire("452 4.5.3 No"))))
        }
        #expect(builder.record.lines.count == SessionBuilder.listLimit)
        #expect(builder.record.transactions.first?.recipients.count == SessionBuilder.listLimit)
        #expect(builder.record.events_dropped == 10)
    }

    @Test("what a peer sends cannot move the cursor or turn the text")
    func hostile() {
        #expect(Text.shown("a\u{1b}[2Jb\u{202e}c\u{7}\t") == "a\\x1b[2Jb\\u{202e}c\\x07\\x09")
        #expect(Text.shown("käse 試験") == "käse 試験")
    }

    @Test("a reply without a last line end and with bare line ends is still shown")
    func lines() {
        #expect(Text.lines(Array("250-a\n250 b".utf8)) == ["250-a", "250 b"])
        #expect(Text.lines([]) == [])
    }

    @Test(
        "times of day are RFC 3339, leap days included",
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_709_209_845_000_007, "2024-02-29T12:30:45.000007Z"),
            (4_107_542_399_999_999, "2100-02-28T23:59:59.999999Z"),
        ])
    func timestamps(wall_us: Int64, text: String) {
        #expect(Timestamp(wall_us: wall_us).rfc3339 == text)
    }
}
