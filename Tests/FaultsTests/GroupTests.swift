// Groups of conditions, conditions on the message and on what the client said.

import SMTP
import Testing

@testable import Faults

@Suite struct GroupTests {
    private func fires(_ line: String, _ facts: Facts) throws -> Bool {
        var engine = try engine(line)
        return engine.decide(try RuleLine.parse(line).at, facts, now_ns: 0) != nil
    }

    @Test func `Any, all and not combine, and look at one recipient at a time`() throws {
        let line = "end-of-data any(to=a@x all(from=s@y to=b@x)) not(client=10.0.0.0/8): 550 x"
        func facts(_ from: String, _ to: [String], _ client: String = "192.0.2.1") -> Facts {
            Facts(client: client, clientAddress: IPAddress(client), from: from, to: to)
        }
        #expect(try fires(line, facts("z@z", ["a@x"])))
        #expect(try !fires(line, facts("z@z", ["b@x"])))
        #expect(try fires(line, facts("s@y", ["c@x", "b@x"])))
        #expect(try !fires(line, facts("s@y", ["a@x"], "10.1.2.3")))
        let both = "end-of-data to=*@x not(to=a@x): 550 x"
        #expect(try fires(both, facts("z@z", ["a@x", "b@x"])))
        #expect(try !fires(both, facts("z@z", ["a@x", "b@y"])))
    }

    @Test func `The hello, parameters and the time of day are conditions`() throws {
        var facts = Facts(helo: "a.test", from: "a@b")
        facts.hello = "helo"
        #expect(try fires("mail hello=helo: 550 x", facts))
        #expect(try !fires("mail hello=ehlo: 550 x", facts))
        facts.parameters = ["SIZE=1000", "BODY=8BITMIME"]
        #expect(try fires("mail parameter=BODY=8*: 550 x", facts))
        #expect(try !fires("mail parameter=SMTPUTF8: 550 x", facts))
        facts.secondOfDay = 23 * 3600 + 59 * 60 + 59
        #expect(try fires("mail time=22:00..06:00: 550 x", facts))
        facts.secondOfDay = 6 * 3600
        #expect(try !fires("mail time=22:00..06:00: 550 x", facts))
        #expect(try fires("mail time=06:00..07:00: 550 x", facts))
    }

    private static let message = """
        Received: from x\r
        Subject: =?utf-8?q?Your_invoice?= =?utf-8?b?IOKCrA==?=\r
        Message-ID: <abc@sender.test>\r
        X-Tag: one\r
        X-Tag: folded\r
        \ttwo\r
        MIME-Version: 1.0\r
        Content-Type: multipart/alternative; boundary="b 1"\r
        \r
        preamble http://not.shown.test/\r
        --b 1\r
        Content-Type: text/plain\r
        Content-Transfer-Encoding: quoted-printable\r
        \r
        Pay at https://pay.example/in=\r
        voice?id=3D7. Thanks\r
        --b 1\r
        Content-Type: text/html\r
        Content-Transfer-Encoding: base64\r
        \r
        PGEgaHJlZj0iaHR0cDovL2xpbmsuZXhhbXBsZS94Ij5o\r
        ZXJlPC9hPg==\r
        --b 1\r
        Content-Type: application/octet-stream\r
        \r
        http://attached.test/\r
        --b 1--\r
        epilogue http://neither.test/\r
        """

    @Test func `A message is asked for its header, text and links`() throws {
        var facts = Facts(from: "a@b", to: ["c@d"])
        facts.message = MessageFacts(Array(Self.message.utf8))
        func holds(_ condition: String) throws -> Bool { try fires("end-of-data \(condition): 554 x", facts) }
        #expect(try holds("header.subject=*invoice*€*"))
        #expect(try holds("header.X-TAG=one"))
        #expect(try holds("header.x-tag=\"folded two\""))
        #expect(try !holds("header.x-missing=*"))
        #expect(try holds("message-id=abc@sender.test"))
        #expect(try holds("body=*https://pay.example/invoice?id=7*"))
        #expect(try holds("body=/<a href/"))
        #expect(try !holds("body=*attached*"))
        #expect(try holds("links=*pay.example*"))
        #expect(try holds("links=http://link.example/x"))
        #expect(try holds("links=2"))
        #expect(try !holds("links=>2"))
        #expect(try !holds("links=*not.shown*"))
    }

    @Test func `Attempts of a message are told by its Message-ID, else by its envelope`() throws {
        var engine = try engine("end-of-data message-attempt=<3: 451 4.7.1 Again")
        func end(_ id: String?, from: String = "a@b", to: [String] = ["c@d"]) -> Bool {
            var facts = Facts(from: from, to: to)
            facts.message = MessageFacts(Array((id.map { "Message-ID: <\($0)>\r\n\r\n" } ?? "X: y\r\n\r\n").utf8))
            return engine.decide(.endOfData, facts, now_ns: 0) == nil
        }
        #expect([end("1@x"), end("1@x", from: "other@b"), end("1@x"), end("2@x")] == [false, false, true, false])
        #expect([end(nil), end(nil, to: ["e@f"]), end(nil), end(nil)] == [false, false, false, true])
    }

    @Test(arguments: [
        ("rcpt header.subject=x: 550 x", "the message has not come yet"),
        ("mail body=x: 550 x", "the message has not come yet"),
        ("rcpt any(body=x): 550 x", "the message has not come yet"),
        ("connect hello=ehlo: 421 x", "the client has not said"),
        ("rcpt any(: 550 x", "a group holds KEY=VALUE and groups"), ("rcpt any(to=x ", "this group is not closed"),
        ("rcpt any(): 550 x", "an empty group"),
        ("rcpt none(to=x): 550 x", "opens no group"), ("rcpt time=9..10: 550 x", "is no time of day"),
        ("rcpt hello=lhlo: 550 x", "hello is ehlo or helo"), ("rcpt any(to=x)y: 550 x", "must follow the parenthesis"),
        ("rcpt any(first=2): 550 x", "unknown condition \"first\""),
    ])
    func `What cannot be asked is refused with a reason`(_ line: String, _ reason: String) {
        let notes = RuleLine.examine(line)
        #expect(notes.rule == nil)
        #expect(notes.errors.first?.message.contains(reason) == true, "\(notes.errors)")
    }

    @Test func `A header full of half encoded words costs no more than its length`() {
        let clock = ContinuousClock()
        let header = Array(("Subject: " + String(repeating: "=?a?b?c", count: 100_000) + "\r\n\r\n").utf8)
        let folded = Array(("Subject: x\r\n" + String(repeating: " =?a?b?c\r\n", count: 100_000) + "\r\n").utf8)
        let took = clock.measure {
            for octets in [header, folded] { #expect(MessageFacts(octets).values(of: "subject").count == 1) }
        }
        // Quadratic work would take minutes; this is no figure.
        #expect(took < .seconds(30))
    }

    @Test func `Broken messages never crash, and cost a bounded look`() {
        var dice = Dice(5)
        let octets = Array(Self.message.utf8)
        for _ in 0..<3000 {
            var broken = octets
            for _ in 0...dice.below(8) { broken[dice.below(broken.count)] = UInt8(dice.below(256)) }
            _ = MessageFacts(broken.prefix(dice.below(broken.count)))
        }
        let nested = Array(
            String(repeating: "Content-Type: multipart/x; boundary=b\r\n\r\n--b\r\n", count: 20_000).utf8)
        _ = MessageFacts(nested)
        _ = MessageFacts(Array(repeating: UInt8(ascii: "h"), count: 3 << 20))
    }
}
