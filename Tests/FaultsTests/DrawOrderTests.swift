// The same seed and the same mail meet the same faults, whatever the order in which they come.

import Faults
import SMTP
import Testing

@Suite struct DrawOrderTests {
    private static let rules = [
        "rcpt 30%: 451 4.7.1 Try later", "mail chance=20%: delay 1s..5s, 450 4.7.1 Busy",
        "end-of-data: delay 0s..10s, accept",
        "data limit=1/1h per=from-domain: delay 1ms..900ms, accept", "greeting recover=1ns..1h: 421 4.3.2 Not yet",
    ]

    /// What each message meets, by its name.
    private func fates(_ order: [Int], seed: UInt64) throws -> [Int: String] {
        var engine = Engine(
            rules: try Self.rules.map { try RuleLine.parse($0) }, seed: seed, timeScale: 1, magic: [], catalogue: .empty
        )
        _ = engine.decide(.greeting, Facts(client: "first"), now_ns: 0)
        var fates: [Int: String] = [:]
        for number in order {
            let from = "sender\(number % 7)@a.test"
            let to = "user\(number)@b.test"
            let facts = [
                (Phase.greeting, Facts(client: "192.0.2.\(number)", session: UInt64(number))),
                (.mail, Facts(from: "\(number)\(from)")), (.rcpt, Facts(from: from, to: [to])),
                (.data, Facts(from: "x@own\(number).test", to: [to])),
                (.data, Facts(from: "x@own\(number).test", to: [to])),
                (.endOfData, Facts(from: from, to: [to])),
            ]
            fates[number] = facts.map { phase, facts in
                let decision = engine.decide(phase, facts, now_ns: 1800 * second_ns)
                return "\(phase.rawValue) \(decision.map { "\($0.actions) \($0.why)" } ?? "-")"
            }.joined(separator: "; ")
        }
        return fates
    }

    @Test func `The order of sessions changes nothing, the seed does`() throws {
        let order = Array(0..<200)
        let plain = try fates(order, seed: 7)
        var dice = Dice(3)
        for _ in 0..<5 { #expect(try fates(order.shuffled(using: &dice), seed: 7) == plain) }
        #expect(try fates(order, seed: 8) != plain)
        #expect(Set(plain.values).count > 100)
    }

    @Test func `A draw shows the seed it came from`() throws {
        var engine = try engine("rcpt chance=99.9999%: 451 4.7.1 x", seed: 42)
        let decision = engine.decide(.rcpt, Facts(from: "a@b", to: ["c@d"]), now_ns: 0)
        #expect(decision?.why.contains("seed 42") == true, "\(String(describing: decision))")
    }
}
