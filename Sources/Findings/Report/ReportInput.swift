// What a report is made of. Somebody else reads it from the store; nothing is fetched here.

import Journal

package struct ReportInput: Sendable {
    package var judgements: [SessionJudgement] = []
    /// The records of those sessions, with their `lines`; what is missing costs the lines around the evidence, no more.
    package var records: [SessionRecord] = []
    /// What took several sessions to be seen.
    package var overTime = OverTimeJudgement(findings: [], states: RuleStates(), excused: [:])
    package var timelines: [Timeline] = []
    package var settings: JudgingSettings
    /// Microseconds since 1970-01-01 UTC.
    package var generated_us: Int64
    package var version: String
    package var lag: JudgingLag?
    /// Sessions that are open.
    package var openCount = 0

    package init(settings: JudgingSettings, generated_us: Int64, version: String) {
        self.settings = settings
        self.generated_us = generated_us
        self.version = version
    }
}

extension JudgingSettings {
    /// Why a rule is not judged under these settings; nil where it is.
    ///
    /// - Parameter isLocal: every peer was this machine or of a private network.
    func unjudged(_ rule: SenderRule, isLocal: Bool) -> UnjudgedRule? {
        if let override = overrides[rule.id] {
            return override.severity == nil ? UnjudgedRule(rule: rule.id, kind: .off, because: override.reason) : nil
        }
        switch rule.judging {
        case .never(let because): return UnjudgedRule(rule: rule.id, kind: .never, because: because)
        case .with(let witness):
            guard witnesses.contains(witness) else {
                return UnjudgedRule(rule: rule.id, kind: .option, because: "it takes \(witness.rawValue)")
            }
            if isLocal {
                return UnjudgedRule(
                    rule: rule.id, kind: .local, because: "nobody is asked about this machine and private networks")
            }
        case .always: break
        }
        guard profile != .strict, !rule.profiles.contains(profile) else { return nil }
        let names = rule.profiles.filter { $0 != .strict }.map(\.rawValue).joined(separator: ", ")
        return UnjudgedRule(
            rule: rule.id, kind: .profile,
            because: names.isEmpty ? "only the profile strict asks for it" : "it is asked of the profile \(names)")
    }
}
