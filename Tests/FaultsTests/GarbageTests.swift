// Whatever an operator types or a peer sends, this room answers with a complaint or a decision, never with a crash.

import Faults
import SMTP
import Testing

@Suite struct GarbageTests {
    private static let lines = [
        "rcpt to=*@full.test first=2 per=to: delay 200ms, 452 4.2.2 Mailbox full",
        "rcpt per=client,from,to steps: 451 4.7.1 Greylisted; 451 4.7.1 Still; accept",
        "connect client=2001:db8::/32,10.0.0.0/8: drip 1/s, 554 go\\naway",
        "end-of-data size=>10KB from=/^a\\/b/i: keep, close",
        "ehlo chance=0.5% helo=\"a b\": hide STARTTLS SIZE, offer AUTH", "body size=>=1MiB: slow-read 10KB/s",
        "idle after=1h30m: 421 4.4.2 x",
        "end-of-data header.subject=*a* any(links=>2 not(body=/x/)) time=22:00..06:00: raw \"250 x\\|\\n\", close",
        "rcpt unknown-share=30%/5/10m per=client: 450 4.7.1 x", "connect at-once=2 per=client-network: 421 x",
        "rcpt greylist=5m..4h/36d per=client,from,to: 451 4.7.1 x", "rcpt errors=3/1m per=client: tarpit 1s..5s",
        "mail recover=1m..2m: use gmail/over-quota, reset", "starttls chance=50%: tls only-tls1.0",
    ]

    private func mutate(_ text: String, _ dice: inout Dice) -> String {
        var scalars = Array(text.unicodeScalars)
        let alphabet = Array(" :,;=/\\\"%.-<>*?+0159asx@\n\t\u{0}\u{7f}é\u{301}\u{1F600}{}[]()|^$".unicodeScalars)
        for _ in 0...dice.below(6) {
            let at = dice.below(scalars.count + 1)
            switch dice.below(4) {
            case 0 where at < scalars.count: scalars.remove(at: at)
            case 1 where at < scalars.count: scalars[at] = dice.one(of: alphabet)
            case 2: scalars.insert(contentsOf: scalars[..<at].suffix(dice.below(12)), at: at)
            default: scalars.insert(dice.one(of: alphabet), at: at)
            }
        }
        return String(String.UnicodeScalarView(scalars))
    }

    @Test func `Mutated rule lines never crash, and what is taken prints and reads back`() throws {
        var dice = Dice(77)
        var taken = 0
        for _ in 0..<20_000 {
            let line = mutate(dice.one(of: Self.lines), &dice)
            let notes = RuleLine.examine(line)
            guard let rule = notes.rule else {
                #expect(!notes.errors.isEmpty)
                #expect(
                    notes.errors.allSatisfy { (1...max(1, line.count + 1)).contains($0.column) && !$0.message.isEmpty },
                    "\(line)")
                continue
            }
            taken += 1
            #expect(try RuleLine.parse(RuleLine.line(of: rule)) == rule, "\(line)")
        }
        #expect(taken > 500)
    }

    @Test func `Mutated facts never crash the engine`() throws {
        var dice = Dice(78)
        var engine = Engine(
            rules: try Self.lines.map { try RuleLine.parse($0) }, seed: 5, timeScale: 3, magic: .all, catalogue: .empty)
        let seeds = [
            "a@full.test", "rcpt-451-x2@x", "eod-delay-1s-554-5.7.1+t@x", "mail-550-5.1.1", "<>", "192.0.2.1",
            "TLSv1.3",
        ]
        for round in 0..<20_000 {
            func text() -> String { mutate(dice.one(of: seeds), &dice) }
            var facts = Facts(
                listener: text(), client: text(), helo: text(), tls: text(), user: text(), from: text(),
                to: [text(), text()], recipients: dice.one(of: [0, -1, Int.max - 1, 3]),
                size: dice.one(of: [nil, 0, -5, .max]), session: UInt64(dice.below(9)))
            facts.message = MessageFacts(Array(text().utf8))
            facts.errors = dice.one(of: [0, -1, .max])
            facts.secondOfDay = dice.one(of: [0, 86_399, -7, .max])
            engine.note(try #require(ReplyCode(dice.one(of: [250, 451, 550]))), facts, now_ns: 7)
            engine.sessionEnded(UInt64(dice.below(9)))
            _ = engine.decide(dice.one(of: Phase.allCases), facts, now_ns: UInt64(round) &* 0x9e37_79b9_7f4a_7c15)
            _ = Engine.mightBeMagic(Array(text().utf8), .all)
        }
        #expect(engine.status(now_ns: 0).count == Self.lines.count)
    }

    @Test func `A rule line of megabytes is refused at once`() {
        let line = "rcpt: 550 " + String(repeating: "x", count: 5_000_000)
        #expect(throws: RuleError.self) { try RuleLine.parse(line) }
    }
}
