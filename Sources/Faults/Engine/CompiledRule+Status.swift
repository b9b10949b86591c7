// How far a rule has come, in numbers and in words.

extension RuleStatus {
    /// That of a rule which is set at this moment.
    package init(new rule: RunRule) { self = CompiledRule(rule, id: 0).status(Tally(), present: []) }
}

extension CompiledRule {
    /// - Parameter present: what an allowance has counted for its fullest keys, the fullest first.
    func status(_ tally: Tally, present: [RuleStatus.Present]) -> RuleStatus {
        let (remaining, remains) = whatRemains(tally, present)
        var shown = rule
        shown.isOn = !isOff
        return RuleStatus(
            rule: shown, line: line, matches: tally.matches, hits: tally.hits, remaining: remaining,
            remains: remains, present: present, isRunRule: isRunRule,
            expires_ns: expires_ns == .max ? nil : expires_ns, scenario: scenario)
    }

    private func whatRemains(_ tally: Tally, _ present: [RuleStatus.Present]) -> (Int?, String) {
        let matches = tally.matches
        let isPerKey = !rule.per.isEmpty
        let keys = rule.per.map(\.rawValue).joined(separator: ",")
        let seen = isPerKey ? " for each new \(keys), \(tally.keysSeen) seen" : ""
        switch rule.schedule {
        case .steps(let steps):
            if isPerKey { return (nil, "\(steps.count) steps\(seen); the last stays") }
            return (nil, "step \(min(matches + 1, steps.count)) of \(steps.count) comes next")
        case .times(let frequency, _):
            switch frequency {
            case .first(let limit):
                if isPerKey { return (nil, "\(limit)\(seen)") }
                let left = max(0, limit - matches)
                return (left, "\(left) of \(limit) left")
            case .nth(let number):
                if isPerKey { return (nil, "use \(number)\(seen)") }
                return (matches < number ? 1 : 0, matches < number ? "use \(number) of \(matches) so far" : "none left")
            case .every(let number): return (nil, "each \(number)\(isPerKey ? seen : ", \(matches) so far")")
            case .until(let span): return (nil, "until \(span) after the first use\(seen)")
            case .after(let span): return (nil, "from \(span) after the first use on\(seen)")
            case .allowance(let allowance):
                let fullest = present.map { key in
                    let part = key.refused.map { "\($0) of " } ?? ""
                    return "\(part)\(key.count) now" + (key.key.isEmpty ? "" : " for \(key.key.shown)")
                }
                return (
                    nil, fullest.isEmpty ? "\(allowance), none now" : "\(allowance): " + fullest.joined(separator: "; ")
                )
            case .greylist(let greylist): return (nil, "\(greylist)\(seen)")
            case .recover(let recovery): return (nil, "\(recovery) after the first use\(seen)")
            case .always, .chance: return (nil, "no end")
            }
        }
    }
}
