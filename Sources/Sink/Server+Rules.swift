// Rules while the sink runs: set, changed, switched and taken away. A change is in force for every decision of every
// loop when the call returns, for open sessions, too.

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
            "the rule \"\(name)\" stands in the configuration; change it there, switch it off, or set another one: "
                + "rules set at run time are asked first"
        case .tooMany: "\(Engine.Bounds.rules) rules are set already; delete some, or reset"
        }
    }
}

extension Server {
    /// Sets a rule in front of all others.
    ///
    /// - Parameter lifetime_ns: after so long it is gone; nil: it stays. Real time, whatever the time scale.
    /// - Returns: its name; a rule without one gets the next that is free.
    package func addRule(_ rule: Rule, lifetime_ns: UInt64? = nil) async throws(RuleChangeRefusal) -> String {
        let configured = configuredRules.map(\.name)
        let name = try ruleChanges.withLock { (changes) throws(RuleChangeRefusal) in
            var rule = rule
            rule.name = try Self.name(of: rule, &changes, configured)
            changes.rules.insert(RunRule(rule: rule, expires_ns: Self.end(lifetime_ns)), at: 0)
            changes.number += 1
            return rule.name
        }
        await putInForce()
        return name
    }

    /// The rule as `addRule` would set it, or `putRule`; nothing is set.
    package func rehearse(
        _ rule: Rule, lifetime_ns: UInt64? = nil, isPut: Bool
    ) throws(RuleChangeRefusal) -> RuleStatus {
        let configured = configuredRules.map(\.name)
        if isPut, configured.contains(rule.name) { throw .fixed(rule.name) }
        var rule = rule
        if !isPut {
            rule.name = try ruleChanges.withLock { (changes) throws(RuleChangeRefusal) in
                try Self.name(of: rule, &changes, configured)
            }
        }
        return RuleStatus(new: RunRule(rule: rule, expires_ns: Self.end(lifetime_ns)))
    }

    /// The name under which a new rule can be set.
    private static func name(
        of rule: Rule, _ changes: inout RuleChanges, _ configured: [String]
    ) throws(RuleChangeRefusal) -> String {
        dropExpired(&changes.rules)
        guard changes.rules.count < Engine.Bounds.rules else { throw .tooMany }
        let all = Set(configured).union(changes.rules.map(\.rule.name))
        guard !rule.name.isEmpty else { return freeName(changes.number, all) }
        guard !all.contains(rule.name) else { throw .nameTaken(rule.name) }
        return rule.name
    }

    /// Puts a rule in the place of the one of its name, or in front of all others where there is none.
    ///
    /// - Returns: whether it is new.
    package func putRule(_ rule: Rule, lifetime_ns: UInt64? = nil) async throws(RuleChangeRefusal) -> Bool {
        if configuredRules.contains(where: { $0.name == rule.name }) { throw .fixed(rule.name) }
        let isNew = ruleChanges.withLock { state -> Bool? in
            Self.dropExpired(&state.rules)
            let runRule = RunRule(rule: rule, expires_ns: Self.end(lifetime_ns))
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
        let isGone = ruleChanges.withLock { state in
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
    package func removeRules(where isMeant: (@Sendable (RunRule) -> Bool)?) async -> Int {
        let count = ruleChanges.withLock { changes in
            let before = changes.rules.count
            changes.rules.removeAll { isMeant?($0) ?? true }
            if before != changes.rules.count { changes.number += 1 }
            return before - changes.rules.count
        }
        if count > 0 { await putInForce() }
        return count
    }

    /// Sets the rules of a scenario in front of all others, in their order, all or none of them; those that were set
    /// with it before go. Their names are the scenario's with a number.
    package func addRules(_ rules: [Rule], of scenario: String) async throws(RuleChangeRefusal) {
        let configured = configuredRules.map(\.name)
        try ruleChanges.withLock { (changes) throws(RuleChangeRefusal) in
            Self.dropExpired(&changes.rules)
            let others = changes.rules.filter { $0.scenario != scenario }
            guard others.count + rules.count <= Engine.Bounds.rules else { throw .tooMany }
            let taken = Set(configured).union(others.map(\.rule.name))
            var named: [RunRule] = []
            for (index, rule) in rules.enumerated() {
                var rule = rule
                rule.name = "\(scenario)-\(index + 1)"
                guard !taken.contains(rule.name) else { throw .nameTaken(rule.name) }
                named.append(RunRule(rule: rule, scenario: scenario))
            }
            changes.rules = named + others
            changes.number += 1
        }
        await putInForce()
    }

    /// Switches a rule on or off, one of the configuration, too. It keeps its counts; in force everywhere when this
    /// returns.
    package func switchRule(_ name: String, isOn: Bool) async throws(RuleChangeRefusal) {
        let configured = configuredRules.first { $0.name == name }
        let isKnown = ruleChanges.withLock { changes in
            Self.dropExpired(&changes.rules)
            if let index = changes.rules.firstIndex(where: { $0.rule.name == name }) {
                changes.rules[index].rule.isOn = isOn
            } else if let configured {
                changes.switched[name] = configured.isOn == isOn ? nil : isOn
            } else {
                return false
            }
            changes.number += 1
            return true
        }
        guard isKnown else { throw .unknown(name) }
        await putInForce()
    }

    /// Takes away all rules set at run time; those of the configuration are on or off as they say themselves.
    ///
    /// - Returns: how many are gone.
    func removeRuleChanges() async -> Int {
        let (count, hasChanged) = ruleChanges.withLock { changes in
            let count = changes.rules.count
            guard count > 0 || !changes.switched.isEmpty else { return (0, false) }
            changes.rules = []
            changes.switched = [:]
            changes.number += 1
            return (count, true)
        }
        if hasChanged { await putInForce() }
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
        let changes = ruleChanges.withLock { $0 }
        let now_ns = self.now_ns
        _ = generation.withLock { $0.rules }.adopt(changes, now_ns: now_ns)
        await withTaskGroup(of: Void.self) { loops in
            for loop in self.loops {
                loops.addTask {
                    await loop.forEachConnection { connection in
                        guard let handler = connection.handler as? SMTPHandler else { return }
                        let conversation = handler.conversation
                        conversation.adopt(conversation.context.rules.adopt(changes, now_ns: now_ns))
                    }
                }
            }
        }
        chronicle.tell(Entry(.rules, wall_us: WallClock.now_us(), Subject()))
    }
}
