// The conversation without a socket: storing, waiting, time limits, secrets, shutdown.

import Faults
import Journal
import SMTP
import Testing

@testable import Sink

@Suite("Conversation")
struct ConversationTests {
    static let envelope = "EHLO c.test\r\nMAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n"

    @Test("a store that has no room is answered 452 4.3.1, and nothing counts as accepted")
    func storeFails() throws {
        var rehearsal = try Rehearsal()
        rehearsal.storeFailure = "disk full"
        rehearsal.send(Self.envelope + "x\r\n.\r\n")
        #expect(rehearsal.replies().hasSuffix("452 4.3.1 Insufficient system storage\r\n"))
        #expect(rehearsal.record.verdict == .deferred)
        #expect(rehearsal.record.rejected_at == "end-of-data")
        #expect(rehearsal.record.transactions.first?.message == nil)
        rehearsal.storeFailure = nil
        rehearsal.send("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\ny\r\n.\r\nQUIT\r\n")
        #expect(rehearsal.stored.map(\.id) == ["s1.2"])
        #expect(rehearsal.record.ended_by == .quit)
    }

    @Test("the message is handed over before its 250, octet for octet, with its envelope")
    func stored() throws {
        var rehearsal = try Rehearsal()
        rehearsal.send(Self.envelope + "a\r\n..b\r\n\u{0}\r\n.\r\n")
        let message = try #require(rehearsal.stored.first)
        #expect(message.content == Array("a\r\n.b\r\n\u{0}\r\n".utf8))
        #expect(message.reversePath.address == Array("a@a.test".utf8))
        #expect(message.recipients.map(\.address) == [Array("b@b.test".utf8)])
        #expect(message.withProtocol == "ESMTP")
        #expect(rehearsal.replies().hasSuffix("250 2.0.0 Ok: queued as s1.1\r\n"))
    }

    @Test("what a client sends while an answer waits is told, kept, and answered in order")
    func earlyTalk() throws {
        var rehearsal = try Rehearsal(rules: ["greeting: delay 2s"])
        #expect(rehearsal.replies() == "")
        rehearsal.send("EHLO c.test\r\nNOOP\r\n")
        #expect(rehearsal.replies() == "")
        rehearsal.wait(ms: 1999)
        #expect(rehearsal.replies() == "")
        rehearsal.wait(ms: 1)
        #expect(rehearsal.replies().hasPrefix("220 mx.test"))
        #expect(rehearsal.record.notices.contains("19 octets came before the answer was given"))
    }

    @Test("octets behind a closed gate are bounded: reading pauses")
    func boundedPending() throws {
        var rehearsal = try Rehearsal(rules: ["greeting: delay 2s"])
        #expect(rehearsal.effects.reading)
        rehearsal.send(String(repeating: "x", count: Conversation.pendingLimit))
        #expect(!rehearsal.effects.reading)
    }

    @Test("a client that is silent for too long hears 421 and is closed")
    func timeout() throws {
        var profile = Profile(hostname: "mx.test")
        profile.limits.clientTimeout_ms = 1000
        var rehearsal = try Rehearsal(profile: profile)
        rehearsal.send("EHLO c.test\r\n")
        rehearsal.wait(ms: 900)
        rehearsal.send("NO")  // one octet now and then is no progress
        rehearsal.wait(ms: 99)
        #expect(!rehearsal.conversation.hasEnded)
        rehearsal.wait(ms: 1)
        #expect(rehearsal.replies().contains("\r\n421 4.4.2 mx.test"))
        #expect(rehearsal.record.ended_by == .timeout)
        #expect(rehearsal.closing == .finish)
    }

    @Test("one octet of a message now and then does not hold a session for ever")
    func trickle() throws {
        var profile = Profile(hostname: "mx.test")
        profile.limits.clientTimeout_ms = 1000
        var rehearsal = try Rehearsal(profile: profile)
        rehearsal.send(Self.envelope)
        for _ in 0..<100 where !rehearsal.conversation.hasEnded {
            rehearsal.send("x")
            rehearsal.wait(ms: 500)
        }
        #expect(rehearsal.record.ended_by == .timeout)
        #expect(rehearsal.record.verdict == .abandoned)
    }

    @Test(
        "secrets of AUTH reach no event, in whatever form they come",
        arguments: [
            "AUTH PLAIN AHVzZXIAc2VjcmV0\r\n",
            "AUTH PLAIN\r\nAHVzZXIAc2VjcmV0\r\n",
            "AUTH LOGIN\r\ndXNlcg==\r\nc2VjcmV0\r\n",
            "AUTH CRAM-MD5\r\nc2VjcmV0\r\n",
            "AUTH LOGIN c2VjcmV0\r\nc2VjcmV0\r\n", " AUTH PLAIN c2VjcmV0\r\n", "XAUTH PLAIN c2VjcmV0\r\n",
            "AUTH DIGEST-MD5\r\nNOOP\r\nc2VjcmV0\r\n",
            "AUTH LOGIN\r\n\(String(repeating: "A", count: 13_000))\r\nc2VjcmV0\r\n",
        ])
    func secrets(exchange: String) throws {
        var profile = Profile(hostname: "mx.test")
        profile.authInClear = true
        var rehearsal = try Rehearsal(profile: profile)
        rehearsal.send("EHLO c.test\r\n" + exchange + "QUIT\r\n")
        let shown = rehearsal.record.lines.filter { $0.who == .client }.map(\.text).joined(separator: "\n")
        #expect(!shown.contains("c2VjcmV0") && !shown.contains("AHVzZXIAc2VjcmV0"))
        #expect(!String(decoding: rehearsal.log.octets, as: UTF8.self).contains("c2VjcmV0"))
    }

    @Test("a shutdown tells the idle at once and lets a transaction finish")
    func shutdown() throws {
        var idle = try Rehearsal()
        idle.conversation.shutDown(atOnce: false, now_ns: idle.now_ns, &idle.effects)
        #expect(String(decoding: idle.effects.output, as: UTF8.self).hasPrefix("421 4.3.2 mx.test"))
        #expect(idle.conversation.hasEnded)

        var busy = try Rehearsal()
        busy.send(Self.envelope)
        busy.conversation.shutDown(atOnce: false, now_ns: busy.now_ns, &busy.effects)
        #expect(!busy.conversation.hasEnded)
        busy.send("x\r\n.\r\n")
        #expect(busy.replies().contains("250 2.0.0 Ok: queued as s1.1\r\n421 4.3.2"))
        #expect(busy.record.ended_by == .shutdown)
        #expect(busy.record.verdict == .accepted)
    }

    @Test("a client that closes while its answer waits is still answered, then the session ends")
    func halfClosed() throws {
        var rehearsal = try Rehearsal(rules: ["mail: delay 1s"])
        rehearsal.send("EHLO c.test\r\nMAIL FROM:<a@a.test>\r\nNOOP\r\n")
        rehearsal.clientCloses()
        #expect(!rehearsal.conversation.hasEnded)
        rehearsal.wait(ms: 1000)
        #expect(rehearsal.replies().hasSuffix("250 2.1.0 Ok\r\n250 2.0.0 Ok\r\n"))
        #expect(rehearsal.record.ended_by == .clientClose)
    }

    @Test("a rule at idle is called off by the client's next command")
    func idle() throws {
        var rehearsal = try Rehearsal(rules: ["idle: delay 1s, 421 4.4.2 Gone"])
        for _ in 0..<3 {
            rehearsal.wait(ms: 900)
            rehearsal.send("NOOP\r\n")
        }
        #expect(!rehearsal.replies().contains("421"))
        rehearsal.wait(ms: 1000)
        #expect(rehearsal.replies() == "421 4.4.2 Gone\r\n")
        #expect(rehearsal.record.rejected_at == "idle")
    }

    @Test("an early reply takes the next one's place, bent or not, but never a farewell's")
    func earlyReply() throws {
        var rehearsal = try Rehearsal(rules: [
            "mail: raw early-reply", "rcpt: raw two-replies", "noop: raw early-reply",
        ])
        rehearsal.send("EHLO c.test\r\nMAIL FROM:<a@a.test>\r\n")
        #expect(rehearsal.replies().hasSuffix("250 2.1.0 Ok\r\n250 2.0.0 Ok, said too early\r\n"))
        rehearsal.send("RCPT TO:<b@b.test>\r\n")
        #expect(rehearsal.replies() == "")
        rehearsal.send("RCPT TO:<c@b.test>\r\n")
        #expect(rehearsal.replies() == "250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n")
        rehearsal.send("RSET\r\nNOOP\r\n")
        _ = rehearsal.replies()
        rehearsal.wait(ms: 400_000)
        #expect(rehearsal.replies().hasPrefix("421 4.4.2 mx.test"))
    }

    @Test("a refused STARTTLS is one command's, and a rate beyond reckoning is as fast as it goes")
    func oneCommand() throws {
        var rehearsal = try Rehearsal(rules: ["starttls first=1: tls refused", "data: slow-read 1000000TB/s"])
        rehearsal.send("EHLO c.test\r\nSTARTTLS\r\n")
        #expect(rehearsal.replies().hasSuffix("454 4.7.0 TLS not available due to temporary reason\r\n"))
        rehearsal.send("MAIL FROM:<a@a.test>\r\nRCPT TO:<b@b.test>\r\nDATA\r\n")
        rehearsal.send("x\r\n.\r\n")
        rehearsal.wait(ms: 100)
        #expect(rehearsal.replies().contains("queued as"))
        rehearsal.send("STARTTLS\r\n")
        #expect(rehearsal.replies().hasPrefix("220 "))
    }

    @Test("whoever has left gives the place in a limit back, whatever is still to be said")
    func leftWhileWaiting() throws {
        let rules = ["connect at-once=1: 421 4.3.2 Full", "noop: delay 1h"].map { try? RuleLine.parse($0) }.compactMap(
            \.self)
        let book = RuleBook(rules: rules, seed: 1, timeScale: 1, magic: [], catalogue: .empty)
        var first = Rehearsal(sharing: book, number: 1)
        first.send("NOOP\r\n")
        var second = Rehearsal(sharing: book, number: 2)
        #expect(second.replies().hasPrefix("421"))
        first.clientCloses()
        var third = Rehearsal(sharing: book, number: 3)
        #expect(third.replies().hasPrefix("220"))
    }
}
