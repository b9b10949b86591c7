// Sessions made of random words under random faults: each must end recorded whole.

import Faults
import Journal
import SMTP
import Testing

@testable import Sink

@Suite("Random sessions with random faults")
struct RandomSessionTests {
    static let words = [
        "EHLO c.test\r\n", "HELO c\r\n", "MAIL FROM:<a@a.test>\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<b@b.test>\r\n",
        "RCPT TO:<rcpt-451-x2@b.test>\r\n", "RCPT TO:<eod-close@b.test>\r\n", "DATA\r\n", "x\r\n", ".\r\n", "RSET\r\n",
        "BDAT 3\r\nabc", "BDAT 2 LAST\r\nde", "NOOP\r\n", "VRFY x\r\n", "AUTH PLAIN AAA=\r\n", "FROB\r\n", "\r\n",
        "\u{0}\u{16}\u{3}", "QUIT\r\n", "HELP\r\n", "MAIL FROM:<a@a.test> SIZE=99999999999\r\n",
    ]

    /// Every session ends in a state that explains itself: one end, verdicts for all transactions, replies well formed.
    @Test("whatever comes, with whatever faults, is recorded whole", arguments: 0..<400)
    func anything(seed: Int) throws {
        var dice = SplitMix(state: UInt64(seed) &* 0x9e37_79b9)
        let phases = Phase.allCases.filter { ![.tls, .starttls].contains($0) }
        let rules = (0..<Int(dice.next() % 4)).compactMap { _ -> String? in
            let phase = phases[Int(dice.next() % UInt64(phases.count))]
            let action = ["451 4.3.0 No", "550 5.3.0 No", "delay 10ms", "close", "reset", "stall", "drip 5000/s"][
                Int(dice.next() % 7)]
            let line = "\(phase.rawValue) \(30 + dice.next() % 70)%: \(action)"
            return (try? RuleLine.parse(line)) == nil ? nil : line
        }
        var rehearsal = try Rehearsal(rules: rules)
        for _ in 0..<40 where !rehearsal.conversation.hasEnded {
            rehearsal.send(Self.words[Int(dice.next() % UInt64(Self.words.count))])
            if dice.next() % 3 == 0 { rehearsal.wait(ms: 20) }
        }
        rehearsal.wait(ms: 2000)
        rehearsal.clientCloses()
        rehearsal.wait(ms: 2000)
        #expect(rehearsal.conversation.hasEnded, "\(rules)")
        let record = rehearsal.record
        #expect(record.ended_by != nil)
        #expect(record.transactions.allSatisfy { $0.verdict != nil }, "\(record.transactions)")
        let ends = rehearsal.log.filter { if case .ended = $0.event { true } else { false } }
        #expect(ends.count == 1)
        // What was said 250 to is stored, and nothing else is but what `keep` asked for.
        let told = record.transactions.filter { $0.verdict == .accepted }.compactMap(\.message)
        let kept = record.transactions.compactMap(\.message)
        #expect(Set(told).isSubset(of: Set(rehearsal.stored.map(\.id))))
        #expect(kept == rehearsal.stored.map(\.id))
    }
}

/// SplitMix64: the same seed gives the same session.
struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
