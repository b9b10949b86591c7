// The rule engine as all loops share it: counters are global, so that "first 2" means two in all.

import Faults
import SMTP
import Synchronization

/// The rules in force, behind a lock that is only taken where a rule could decide, counts, or holds a place.
package final class RuleBook: Sendable {
    /// Phases at which a rule (other than a magic address) could decide.
    package let phases: PhaseSet
    /// The grammars of magic addresses that are recognised, and the phases at which one of them could speak.
    package let magic: MagicPacks
    package let magicPhases: PhaseSet
    /// Octets of a message at which rules at `body` must be asked.
    package let bodyCheckpoints: [Int]
    /// By the ordinal of the phase.
    package let filters: [RuleFilter]
    private let engine: Mutex<Engine>

    /// Phases at which a rule looks into the message.
    package let messagePhases: PhaseSet
    package let needsTime: Bool
    /// Replies are to be told with `note`.
    package let countsReplies: Bool
    /// The ends of sessions are to be told with `sessionEnded`.
    package let countsSessions: Bool

    package init(rules: [Rule], seed: UInt64, timeScale: Double, magic: MagicPacks, catalogue: Catalogue) {
        let engine = Engine(rules: rules, seed: seed, timeScale: timeScale, magic: magic, catalogue: catalogue)
        messagePhases = engine.messagePhases
        needsTime = engine.needsTime
        countsReplies = engine.countsReplies
        countsSessions = engine.countsSessions
        self.phases = engine.rulePhases
        filters = engine.filters
        self.magic = magic
        self.magicPhases = engine.magicPhases
        self.bodyCheckpoints = engine.bodyCheckpoints
        self.engine = Mutex(engine)
    }

    /// - Returns: nil when no rule has anything to say.
    package func decide(_ phase: Phase, _ facts: Facts, now_ns: UInt64) -> Decision? {
        engine.withLock { $0.decide(phase, facts, now_ns: now_ns) }
    }

    package func note(_ code: ReplyCode, _ facts: Facts, now_ns: UInt64) {
        engine.withLock { $0.note(code, facts, now_ns: now_ns) }
    }

    package func sessionEnded(_ session: UInt64) { engine.withLock { $0.sessionEnded(session) } }

    package func status(now_ns: UInt64) -> [RuleStatus] { engine.withLock { $0.status(now_ns: now_ns) } }
}
