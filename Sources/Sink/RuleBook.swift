// The rule engine as all loops share it: counters are global, so that "first 2" means two in all.

import Faults
import SMTP
import Synchronization

/// The rules in force, behind a lock that is only taken at phases where a rule could decide.
package final class RuleBook: Sendable {
    /// Phases at which a rule (other than a magic address) could decide.
    package let phases: PhaseSet
    /// The grammars of magic addresses that are recognised, and the phases at which one of them could speak.
    package let magic: MagicPacks
    package let magicPhases: PhaseSet
    /// Octets of a message at which rules at `body` must be asked.
    package let bodyCheckpoints: [Int]
    private let engine: Mutex<Engine>

    package init(rules: [Rule], seed: UInt64, timeScale: Double, magic: MagicPacks) {
        let engine = Engine(rules: rules, seed: seed, timeScale: timeScale, magic: magic)
        self.phases = engine.rulePhases
        self.magic = magic
        self.magicPhases = engine.magicPhases
        self.bodyCheckpoints = engine.bodyCheckpoints
        self.engine = Mutex(engine)
    }

    /// - Returns: nil when no rule has anything to say.
    package func decide(_ phase: Phase, _ facts: Facts, now_ns: UInt64) -> Decision? {
        engine.withLock { $0.decide(phase, facts, now_ns: now_ns) }
    }

    package var status: [RuleStatus] { engine.withLock { $0.status() } }
}
