// The rule engine as all loops share it: counters are global, so that "first 2" means two in all.

import Faults
import SMTP
import Synchronization

/// What a conversation must know of the rules to see, without a lock, whether one of them could have anything to say.
/// Never changed: when the rules change there is another one.
package final class RuleEdition: Sendable {
    /// Counts the changes at run time.
    package let number: Int
    /// Phases at which a rule (other than a magic address) could decide.
    package let phases: PhaseSet
    /// The grammars of magic addresses that are recognised, and the phases at which one of them could speak.
    package let magic: MagicPacks
    package let magicPhases: PhaseSet
    /// Octets of a message at which rules at `body` must be asked.
    package let bodyCheckpoints: [Int]
    /// By the ordinal of the phase.
    package let filters: [RuleFilter]
    /// Phases at which a rule looks into the message.
    package let messagePhases: PhaseSet
    package let needsTime: Bool
    /// Replies are to be told with `note`.
    package let countsReplies: Bool
    /// The ends of sessions are to be told with `sessionEnded`.
    package let countsSessions: Bool

    init(_ engine: Engine, number: Int, magic: MagicPacks) {
        self.number = number
        self.magic = magic
        phases = engine.rulePhases
        magicPhases = engine.magicPhases
        bodyCheckpoints = engine.bodyCheckpoints
        filters = engine.filters
        messagePhases = engine.messagePhases
        needsTime = engine.needsTime
        countsReplies = engine.countsReplies
        countsSessions = engine.countsSessions
    }
}

/// The rules in force, behind a lock that is only taken where a rule could decide, counts, or holds a place.
package final class RuleBook: Sendable {
    private struct State {
        var engine: Engine
        var edition: RuleEdition
    }

    private let state: Mutex<State>
    private let magic: MagicPacks

    package init(rules: [Rule], seed: UInt64, timeScale: Double, magic: MagicPacks, catalogue: Catalogue) {
        let engine = Engine(rules: rules, seed: seed, timeScale: timeScale, magic: magic, catalogue: catalogue)
        self.magic = magic
        state = Mutex(State(engine: engine, edition: RuleEdition(engine, number: 0, magic: magic)))
    }

    package var edition: RuleEdition { state.withLock { $0.edition } }

    /// - Returns: nil when no rule has anything to say.
    package func decide(_ phase: Phase, _ facts: Facts, now_ns: UInt64) -> Decision? {
        state.withLock { $0.engine.decide(phase, facts, now_ns: now_ns) }
    }

    package func note(_ code: ReplyCode, _ facts: Facts, now_ns: UInt64) {
        state.withLock { $0.engine.note(code, facts, now_ns: now_ns) }
    }

    package func sessionEnded(_ session: UInt64) { state.withLock { $0.engine.sessionEnded(session) } }

    package func status(now_ns: UInt64) -> [RuleStatus] { state.withLock { $0.engine.status(now_ns: now_ns) } }

    /// Those that were not set at run time.
    package var configuredRules: [Rule] { state.withLock { $0.engine.configuredRules } }

    package func resetCounts() { state.withLock { $0.engine.resetCounts() } }

    /// Puts what was changed at run time into force, once for each number.
    ///
    /// - Returns: what conversations go by from now on.
    package func adopt(_ changes: RuleChanges, now_ns: UInt64) -> RuleEdition {
        state.withLock { state in
            guard state.edition.number < changes.number else { return state.edition }
            state.engine.change(changes, now_ns: now_ns)
            state.edition = RuleEdition(state.engine, number: changes.number, magic: magic)
            return state.edition
        }
    }
}
