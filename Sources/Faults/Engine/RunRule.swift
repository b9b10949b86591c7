// A rule that is set while the sink runs.

/// A rule set at run time. It comes before those of the configuration.
package struct RunRule: Sendable, Hashable {
    /// With a name.
    package var rule: Rule
    /// On the clock that the engine is asked with; nil: it stays until it is taken away.
    package var expires_ns: UInt64?
    /// False: it stands in the list and is not asked.
    package var isOn: Bool

    package init(rule: Rule, expires_ns: UInt64? = nil, isOn: Bool = true) {
        self.rule = rule
        self.expires_ns = expires_ns
        self.isOn = isOn
    }
}
