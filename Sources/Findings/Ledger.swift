// Collects what the checks see. A check says "broken, there" or "seen, and kept"; whether that counts (the profile, the
// configuration, our own faults) is decided here and nowhere else.

/// What is judged, and how gravely.
package struct JudgingSettings: Sendable, Hashable {
    package struct Override: Sendable, Hashable {
        /// nil: the rule is switched off.
        package var severity: Severity?
        /// Repeated by the report.
        package var reason: String
        package init(severity: Severity?, reason: String) {
            self.severity = severity
            self.reason = reason
        }
    }

    package var profile: SenderProfile
    package var overrides: [RuleID: Override]
    package var thresholds: Thresholds
    /// Those outside who are asked.
    package var witnesses: Set<Witness>

    package init(
        profile: SenderProfile = .mx, overrides: [RuleID: Override] = [:], thresholds: Thresholds = Thresholds(),
        witnesses: Set<Witness> = []
    ) {
        self.profile = profile
        self.overrides = overrides
        self.thresholds = thresholds
        self.witnesses = witnesses
    }
}

/// Numbers that rules compare with. Times are in microseconds of the sender's own time, that is, multiplied by the
/// time scale of the sink before they are compared.
package struct Thresholds: Sendable, Hashable {
    /// How much faster than real time the sink lets durations pass.
    package var timeScale = 1.0
    package var connectionsAtOnce = 20
    package var connectionsPerMinute = 60
    package var messagesPerConnection = 100
    package var heldIdle_us: UInt64 = 60_000_000
    package var singleTransactionSessions = 5
    package var errorsPerSession = 3
    package var nonMailCommands = 10
    package var vrfyNames = 3
    package var helloNames = 3
    package var recipientCopies = 10
    package var unknownShare = 0.10
    package var unknownLeast = 10
    package var retryImmediate_us: UInt64 = 60_000_000
    package var retrySoon_us: UInt64 = 1800_000_000
    package var retryWindow_us: UInt64 = 4 * 3600_000_000
    package var giveUp_us: UInt64 = 4 * 86400_000_000
    package var dataFloor_octetsPerSecond = 500
    package init() {}
}

package struct Ledger: Sendable {
    package let settings: JudgingSettings
    package let session: String
    /// The peer is this machine or a private network: what that causes is softened (helo-localhost, helo-not-fqdn).
    package let isLocalPeer: Bool
    private(set) package var states = RuleStates()
    private var indexes = [Int16](repeating: -1, count: RuleID.allCases.count)
    private(set) package var findings: [Finding] = []
    /// Why rules were not judged: by our own fault.
    private(set) package var excused: [RuleID: Disturbances] = [:]

    package init(settings: JudgingSettings, session: String, isLocalPeer: Bool) {
        self.settings = settings
        self.session = session
        self.isLocalPeer = isLocalPeer
    }

    /// Whether looking for it is worth the while.
    package func isJudged(_ id: RuleID) -> Bool {
        let rule = SenderRules.rule(id)
        if let override = settings.overrides[id] { return override.severity != nil }
        return settings.profile == .strict || rule.profiles.contains(settings.profile)
    }

    /// It could be seen, and was not broken there.
    package mutating func kept(_ rule: RuleID) {
        if states[rule] == .notObserved { states[rule] = .kept }
    }

    /// - Parameters:
    ///   - saw: what was seen; asked for only where it counts.
    ///   - disturbances: in force in the session up to this place.
    ///   - severity: graver or lighter than the rule's own, with a reason.
    ///   - times: how many places this one stands for.
    package mutating func broken(
        _ id: RuleID, _ evidence: Evidence, under disturbances: Disturbances = [],
        as severity: (Severity, reason: String)? = nil, times: Int = 1, saw: @autoclosure () -> String
    ) {
        guard isJudged(id) else { return }
        let rule = SenderRules.rule(id)
        let excuse = rule.excuses.intersection(disturbances)
        guard excuse.isEmpty else {
            excused[id, default: []].formUnion(excuse)
            return
        }
        states[id] = .broken
        let override = settings.overrides[id]
        let level = override?.severity ?? severity?.0 ?? rule.severity
        var index = Int(indexes[id.ordinal])
        // A rule may be broken in graver and in lighter ways; each has its finding.
        if index >= 0, findings[index].severity != level {
            index = findings.firstIndex { $0.rule == id && $0.severity == level } ?? -1
        }
        if index >= 0 {
            findings[index].count += times
            if findings[index].evidence.count < Finding.evidenceLimit {
                findings[index].evidence.append(evidence)
            } else if !findings[index].evidence.contains(where: { $0.transaction == evidence.transaction }) {
                findings[index].isElsewhere = true
            }
            return
        }
        indexes[id.ordinal] = Int16(findings.count)
        findings.append(
            Finding(
                rule: id, layer: SenderRules.layer(of: id), severity: level,
                session: session, evidence: [evidence], count: times, saw: Excerpt.text(saw()), what: rule.what,
                why: rule.why,
                fix: rule.fix, citation: rule.citation, reason: override?.reason ?? severity?.reason))
    }
}

/// What a peer sent, made fit to be read.
package enum Excerpt {
    package static let limit = 200

    /// Printable, at most `limit` characters; what is cut is said.
    package static func text(_ text: String) -> String {
        guard text.count > limit else { return text }
        return text.prefix(limit - 1) + "…"
    }

    /// Octets as text: what is not printable ASCII or valid UTF-8 in sight as \xHH, CR, LF and TAB as \r, \n, \t.
    package static func octets(_ octets: some Collection<UInt8>) -> String {
        var result = ""
        for octet in octets.prefix(limit) {
            switch octet {
            case 13: result += "\\r"
            case 10: result += "\\n"
            case 9: result += "\\t"
            case 0x5c: result += "\\\\"
            case 0x20..<0x7f: result.unicodeScalars.append(Unicode.Scalar(octet))
            default:
                let hex = String(octet, radix: 16)
                result += octet < 16 ? "\\x0" + hex : "\\x" + hex
            }
        }
        return result
    }
}
