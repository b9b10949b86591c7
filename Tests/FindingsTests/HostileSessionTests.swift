// Sessions that no client of good will would have: judged without a crash, and in bounded words.

import Findings
import Journal
import Testing

@Suite struct HostileSessionTests {
    private static let words = [
        "EHLO", "EHLO ", "HELO x", "EHLO [", "EHLO []", "EHLO [IPv6:", "EHLO ::", "EHLO 1:2:3:4:5:6:7::", "MAIL",
        "MAIL FROM:<",
        "MAIL FROM:<\"\\", "MAIL FROM:<a@b> =x", "RCPT TO:<a@b> NOTIFY", "STARTTLS", "STARTTLS x", "AUTH PLAIN", "QUIT",
        "BDAT 0 LAST", "DATA", "", " ", "\t", "\u{16}\u{3}", "\u{5}", "GET / HTTP/1.1", "EHLO ü",
    ]

    /// The same seed makes the same session.
    private static func session(_ seed: UInt64) -> Talk {
        var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        func draw(_ count: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(count))
        }
        var talk = Talk(client: ["192.0.2.9:1", "nonsense", "[::1]:2", "", "10.0.0.1:3"][draw(5)])
        for _ in 0..<draw(40) {
            switch draw(16) {
            case 0: talk.greeting()
            case 1:
                talk.fault(
                    .greeting, ["delay 2s", "drip 1/s", "raw \"", "raw \"\\", "raw \"220-\\|\\x", "drip x/y"][draw(6)])
            case 2: talk.append(.clientEarly(octetCount: draw(100), segment: 1))
            case 3:
                talk.sink(
                    [.greeting, .connect, .ehlo, nil][draw(4)],
                    ["220-", "554 x", "2", "", "250 LIMITS MAILMAX="][draw(5)])
            case 4: talk.startTLS()
            case 5: talk.append(.tlsFailed(reason: "what the client sent is not TLS"))
            case 6: talk.append(.plaintextDiscarded(octetCount: 1))
            case 7: talk.append(.clientFinished)
            case 8: talk.append(.ended(Ending.allCases[draw(Ending.allCases.count)]))
            case 9: talk.wait(UInt64(draw(400_000_000)))
            case 10: talk.mail("a@b.example")
            case 11: talk.data()
            default: talk.client(words[draw(words.count)], together: draw(3) == 0)
            }
        }
        return talk
    }

    @Test func anyOrderOfEvents() {
        var broken: Set<RuleID> = []
        for seed in 1...1000 {
            let judgement = Self.session(UInt64(seed)).judged()
            broken.formUnion(judgement.brokenOnTheWire)
            for finding in judgement.findings {
                #expect(finding.saw.count <= Excerpt.limit)
                #expect(finding.evidence.count <= Finding.evidenceLimit)
            }
        }
        // It reaches most of what can be found.
        #expect(broken.count >= 20)
    }
}
