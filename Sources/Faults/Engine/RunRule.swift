// What is changed about the rules while the sink runs.

/// A rule set at run time. It comes before those of the configuration.
package struct RunRule: Sendable, Hashable {
    /// With a name.
    package var rule: Rule
    /// On the clock that the engine is asked with; nil: it stays until it is taken away.
    package var expires_ns: UInt64?
    /// The scenario that it was set with; nil: it came alone.
    package var scenario: String?

    package init(rule: Rule, expires_ns: UInt64? = nil, scenario: String? = nil) {
        self.rule = rule
        self.expires_ns = expires_ns
        self.scenario = scenario
    }
}

package struct RuleChanges: Sendable {
    /// In the order in which they are asked, each with a name of its own.
    package var rules: [RunRule] = []
    /// Rules of the configuration that were switched on or off, by name.
    package var switched: [String: Bool] = [:]
    /// Grows with each change.
    package var number = 0

    package init(rules: [RunRule] = [], switched: [String: Bool] = [:]) {
        self.rules = rules
        self.switched = switched
    }
}
