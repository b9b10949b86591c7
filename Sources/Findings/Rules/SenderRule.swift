// What a rule of sending is: its id, how grave breaking it is, what can show it, why receivers care, how it is mended,
// and where it is written down. The tables beside this file hold one for every id.

/// A rule that a sender of mail is held to.
package struct SenderRule: Sendable {
    /// The rules every sender is held to, and those that are of use beside them.
    package enum Tier: String, Sendable, Hashable, Codable {
        case core, extra
    }

    /// What it takes to see that the rule is kept or broken.
    package enum Need: String, Sendable, Hashable, Codable, CaseIterable {
        /// The octets of one session.
        case wire
        /// Their times as well.
        case timing
        /// The ClientHello.
        case tlsHello = "tls-hello"
        /// A fault that makes it visible.
        case probe
        /// Several sessions.
        case crossSession = "cross-session"
        /// The name system, or a service that asks it.
        case dns
        /// A request to the outside.
        case http
    }

    /// Whether and how this rule is judged here.
    package enum Judging: Sendable, Hashable {
        case always
        /// Where the user says who is to be asked.
        case with(Witness)
        /// Not, and why.
        case never(because: String)
    }

    package let id: RuleID
    package let tier: Tier
    package let severity: Severity
    package let needs: Need
    /// What the sender did when it is broken: a sentence in the past tense's place, "Sends …".
    package let what: String
    /// Why receivers care, in one sentence that the developer of a sender understands.
    package let why: String
    /// What to change, one sentence.
    package let fix: String
    /// RFC and section, or the published requirement of a provider.
    package let citation: String
    /// While one of these was in force in the session, up to the place in question, the rule is not judged.
    package let excuses: Disturbances
    /// The profiles in which it is judged; all of them where nothing is said.
    package let profiles: [SenderProfile]
    package let judging: Judging

    package init(
        _ id: RuleID, _ tier: Tier, _ severity: Severity, needs: Need, what: String, why: String, fix: String,
        citation: String, excuses: Disturbances = [], profiles: [SenderProfile] = SenderProfile.allCases,
        judging: Judging = .always
    ) {
        self.id = id
        self.tier = tier
        self.severity = severity
        self.needs = needs
        self.what = what
        self.why = why
        self.fix = fix
        self.citation = citation
        self.excuses = excuses
        self.profiles = profiles
        self.judging = judging
    }
}

/// Somebody outside who is asked about a sender, by the option that says so; nobody without it.
package enum Witness: String, Sendable, Hashable, Codable, CaseIterable {
    /// The name system, of peers and of the names that they give.
    case names = "--dns"
    /// SPF, DKIM, DMARC and ARC.
    case rspamd = "--rspamd"
}

/// How grave it is to break a rule, the gravest first.
package enum Severity: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// The standards say MUST.
    case must
    /// They say SHOULD.
    case should
    /// No standard is broken, but large receivers hold it against a sender.
    case reputation
    /// Worth knowing.
    case info

    /// The graver, the greater.
    package var rank: Int {
        switch self {
        case .must: 3
        case .should: 2
        case .reputation: 1
        case .info: 0
        }
    }

    package static func < (one: Severity, other: Severity) -> Bool { one.rank < other.rank }
}

/// What part of sending a rule is about.
package enum Layer: String, Sendable, Hashable, Codable, CaseIterable {
    case connection, greeting, helo, tls, envelope, data
    case header = "message-header"
    case mime, body
    case overTime = "behaviour-over-time"
}

/// Whom a sender is judged as.
package enum SenderProfile: String, Sendable, Hashable, Codable, CaseIterable {
    /// A server that sends to other servers' MX.
    case mx
    /// A client that hands in its user's mail (RFC 6409): the author of what it sends.
    case submission
    /// A sender of many copies, as Gmail, Yahoo and Microsoft define it since 2024.
    case bulk
    /// Every rule, and nothing softened.
    case strict
}

/// All rules.
package enum SenderRules {
    private static let tables: [(Layer, [SenderRule])] = [
        (.connection, connection), (.greeting, greeting), (.helo, helo), (.tls, tls), (.envelope, envelope),
        (.data, data), (.header, header), (.mime, mime), (.body, body), (.overTime, overTime),
    ]

    /// In the order of their ids' declaration.
    package static let all: [SenderRule] = {
        var byID: [RuleID: SenderRule] = [:]
        for (_, rules) in tables { for rule in rules { byID[rule.id] = rule } }
        return RuleID.allCases.map { id in
            guard let rule = byID[id] else { preconditionFailure("no rule for \(id.rawValue)") }
            return rule
        }
    }()

    private static let layers: [Layer] = {
        var layers = [Layer](repeating: .connection, count: RuleID.allCases.count)
        for (layer, rules) in tables { for rule in rules { layers[rule.id.ordinal] = layer } }
        return layers
    }()

    package static func rule(_ id: RuleID) -> SenderRule { all[id.ordinal] }
    package static func layer(of id: RuleID) -> Layer { layers[id.ordinal] }
}
