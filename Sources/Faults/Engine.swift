// Rules at work: (phase, facts, now) -> decision.

import SMTP

/// A value; whoever shares it puts it behind a lock.
package struct Engine: Sendable {
    /// Phases at which a rule stands, or at which attempts must be counted.
    package let rulePhases: PhaseSet
    /// Phases at which a magic address could speak; ask `mightBeMagic` first there.
    package let magicPhases: PhaseSet
    /// Both.
    package var phases: PhaseSet { rulePhases.union(magicPhases) }
    /// Octet counts at which phase body must be asked, ascending.
    package let bodyCheckpoints: [Int]

    package init(rules: [Rule], seed: UInt64, timeScale: Double, magic: Bool) {
        rulePhases = []
        magicPhases = []
        bodyCheckpoints = []
    }

    /// - Returns: nil when nobody has anything to say: proceed.
    package mutating func decide(_ phase: Phase, _ facts: Facts, now_ns: UInt64) -> Decision? { nil }

    package func status() -> [RuleStatus] { [] }

    /// A cheap look at the first octets, so that ordinary addresses cost nothing.
    package static func mightBeMagic(_ address: [UInt8]) -> Bool { false }
}
