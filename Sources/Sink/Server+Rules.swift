// Rules while the sink runs: set, changed and taken away. A change is in force for every decision of every loop when
// the call returns, for open sessions, too.

import EventLoop
import Faults
import Journal

package enum RuleChangeRefusal: Error, CustomStringConvertible {
    /// A rule of the configuration, or another one set at run time, has the name.
    case nameTaken(String)
    case unknown(String)
    /// It stands in the configuration, where a run cannot change it.
    case fixed(String)
    case tooMany

    package var description: String {
        switch self {
        case .nameTaken(let name): "a rule is named \"\(name)\" already; change it with PUT, or choose another name"
        case .unknown(let name): "no rule is named \"\(name)\""
        case .fixed(let name):
            "the rule \"\(name)\" stands in the configuration; change it there, or set another one: rules set at run "
                + "time are asked first"
        case .tooMany: "\(Engine.Bounds.rules) rules are set already; delete some, or reset"
        }
    }
}

extension Server {
    /// Sets a rule in front of all others.
    ///
    /// - Parameter lifetime_ns: after so long it is gone; nil: it stays. Real time, whatever the time scale.
    /// - Returns: its name; a rule without one gets the next that is free.
    package func addRule(
        _ rule: Rule, lifetime_ns: UInt64? = nil, isOn: Bool = true
    ) async throws(RuleChangeRefusal) -> String {
        var rule = rule
        let taken = Set(configuredRules.map(\.name))
        let refusal = runRules.withLock { state -> RuleChangeRefusal? in
            Self.dropExpired(&state.rules)
            guard state.rules.count < Engine.Bounds.rules else { return .tooMany }
            let all = taken.union(state.rules.map(\.rule.name))
            if rule.name.isEmpty { rule.name = Self.freeName(state.number, all) }
            guard !all.contains(rule.name) else { return .nameTaken(rule.name) }
            state.rules.insert(RunRule(rule: rule, expires_ns: Self.end(lifetime_ns), isOn: isOn), at: 0)
            state.number += 1
            return nil
        }
        if let refusal { throw refusal }
        await putInForce()
        return rule.name
    }

    /// Puts a rule in the place of the one of its name, or in front of all others where there is none.
    ///
    /// - Returns: whether it is new.
    package func putRule(
        _ rule: Rule, lifetime_ns: UInt64? = nil, isOn: Bool = true
    ) async throws(RuleChangeRefusal) -> Bool {
        if configuredRules.contains(where: { $0.name == rule.name }) { throw .fixed(rule.name) }
        let isNew = runRules.withLock { state -> Bool? in
            Self.dropExpired(&state.rules)
            let runRule = RunRule(rule: rule, expires_ns: Self.end(lifetime_ns), isOn: isOn)
            defer { state.number += 1 }
            if let index = state.rules.firstIndex(where: { $0.rule.name == rule.name }) {
                state.rules[index] = runRule
                return false
            }
            guard state.rules.count < Engine.Bounds.rules else { return nil }
            state.rules.insert(runRule, at: 0)
            return true
        }
        guard let isNew else { throw .tooMany }
        await putInForce()
        return isNew
    }

    package func removeRule(_ name: String) async throws(RuleChangeRefusal) {
        let isFixed = configuredRules.contains { $0.name == name }
        let isGone = runRules.withLock { state in
            Self.dropExpired(&state.rules)
            guard let index = state.rules.firstIndex(where: { $0.rule.name == name }) else { return false }
            state.rules.remove(at: index)
            state.number += 1
            return true
        }
        guard isGone else { throw isFixed ? .fixed(name) : .unknown(name) }
        await putInForce()
    }

    /// Takes away the rules set at run time that are meant; nil: all of them.
    ///
    /// - Returns: how many.
    @discardableResult
    package func removeRules(where isMeant: (@Sendable (Rule) -> Bool)?) async -> Int {
        let count = runRules.withLock { state in
            let before = state.rules.count
            state.rules.removeAll { isMeant?($0.rule) ?? true }
            if before != state.rules.count { state.number += 1 }
            return before - state.rules.count
        }
        if count > 0 { await putInForce() }
        return count
    }

    /// Every count of every rule begins anew.
    package func resetRuleCounts() async {
        generation.withLock { $0.rules }.resetCounts()
    }

    private var configuredRules: [Rule] { generation.withLock { $0.rules }.configuredRules }

    private static func freeName(_ number: Int, _ taken: Set<String>) -> String {
        var number = number + 1
        while taken.contains("run-\(number)") { number += 1 }
        return "run-\(number)"
    }

    private static func dropExpired(_ rules: inout [RunRule]) {
        let now_ns = Instant.now().nanoseconds
        rules.removeAll { $0.expires_ns.map { $0 <= now_ns } ?? false }
    }

    private static func end(_ lifetime_ns: UInt64?) -> UInt64? {
        guard let lifetime_ns else { return nil }
        let end = Instant.now().nanoseconds.addingReportingOverflow(lifetime_ns)
        return end.overflow ? .max : end.partialValue
    }

    /// Brings the rules to the book of this generation, and to every open session, whatever generation it is of.
    private func putInForce() async {
        let (number, rules) = runRules.withLock { $0 }
        let now_ns = self.now_ns
        _ = generation.withLock { $0.rules }.adopt(rules, number: number, now_ns: now_ns)
        await withTaskGroup(of: Void.self) { loops in
            for loop in self.loops {
                loops.addTask {
                    await loop.forEachConnection { connection in
                        guard let handler = connection.handler as? SMTPHandler else { return }
                        let conversation = handler.conversation
                        conversation.adopt(conversation.context.rules.adopt(rules, number: number, now_ns: now_ns))
                    }
                }
            }
        }
        chronicle.tell(Entry(.rules, wall_us: WallClock.now_us(), Subject()))
    }
}
