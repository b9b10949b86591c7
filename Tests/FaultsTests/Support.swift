// What the tests of this room share: seeded dice, and short ways to make rules and engines.

import Faults
import SMTP
import Testing

/// SplitMix64, so that a failing property test fails again.
struct Dice: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }
    mutating func one<Value>(of values: [Value]) -> Value { values[below(values.count)] }
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

func engine(_ lines: String..., seed: UInt64 = 1, timeScale: Double = 1, magic: MagicPacks = []) throws -> Engine {
    Engine(
        rules: try lines.map { try RuleLine.parse($0) }, seed: seed, timeScale: timeScale, magic: magic,
        catalogue: .empty)
}

let second_ns: UInt64 = 1_000_000_000

extension Decision {
    /// The text of its reply.
    var replyText: String? {
        for case .reply(let reply) in actions { return reply.text }
        return nil
    }
}

extension Engine {
    /// What rcpt says to one recipient: the reply's text, `accept` for a decision without one, nil for no decision.
    mutating func rcpt(
        _ to: String, from: String = "s@a.test", client: String = "192.0.2.1", at seconds: UInt64 = 0
    ) -> String? {
        let facts = Facts(client: client, from: from, to: [to], session: 1)
        return decide(.rcpt, facts, now_ns: seconds * second_ns).map { $0.replyText ?? "accept" }
    }
}
