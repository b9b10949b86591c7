// Rules that belong to a space.

import SMTP

extension Rule {
    /// The spaces that it asks for by name.
    package var spaces: Set<String> {
        var names: Set<String> = []
        for condition in when where condition.key == .space {
            for case .text(let pattern) in condition.tests { names.insert(pattern.source.asciiLowercased) }
        }
        return names
    }

    /// The same rule for one space alone.
    ///
    /// - Throws: a complaint where the phase cannot know spaces, or the name is none.
    package func bound(toSpace space: String) throws(RuleText) -> Rule {
        if let reason = ConditionKey.space.unknownReason(at: at) { throw RuleText(reason) }
        var rule = self
        switch Condition.parse(.space, [space]) {
        case .success(let condition): rule.when.append(condition)
        case .failure(let complaint): throw complaint.text
        }
        return rule
    }
}
