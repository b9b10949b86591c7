// A rule: where (`at`), when (`when`, `times` or `steps`), what (`do`). This file holds the parts; what they mean
// together is judged in Rule+Sense.swift, and how a line says them in RuleLine.swift.

import SMTP

/// One rule.
package struct Rule: Sendable, Hashable {
    /// Letters, digits, `.`, `_` and `-`. Empty: the engine names it after its position, `rule-3`.
    package var name: String
    package var at: Phase
    /// All must hold; at most one of each key.
    package var when: [Condition]
    /// These must hold, too.
    package var groups: [ConditionGroup]
    package var schedule: Schedule
    package var per: [CountKey]
    /// False: it stands in the list and is not asked. A line cannot say it.
    package var isOn: Bool

    package init(
        name: String = "", at: Phase, when: [Condition] = [], groups: [ConditionGroup] = [], schedule: Schedule,
        per: [CountKey] = [], isOn: Bool = true
    ) {
        self.name = name
        self.at = at
        self.when = when
        self.groups = groups
        self.schedule = schedule
        self.per = per
        self.isOn = isOn
    }

    package static let longestName = 64

    /// Those of the rule and of all its groups.
    package var allConditions: [Condition] { when + groups.flatMap(\.allConditions) }

    /// nil when the name may be used.
    package static func complaint(aboutName name: String) -> RuleText? {
        guard !name.isEmpty else { return "a rule's name must not be empty" }
        guard name.utf8.count <= longestName else { return "a rule's name has at most \(longestName) letters" }
        let isFine = name.utf8.allSatisfy {
            (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || [45, 46, 95].contains($0)
        }
        return isFine
            ? nil : "a rule's name is made of letters, digits, \".\", \"_\" and \"-\"; \"\(name.shown)\" is not"
    }
}

/// How often a rule fires, and what it does then.
package enum Schedule: Sendable, Hashable {
    case times(Frequency, do: [RuleAction])
    /// The first matching use does the first step, and so on; the last step stays.
    case steps([[RuleAction]])

    /// Every list of actions that the rule can carry out.
    package var steps: [[RuleAction]] {
        switch self {
        case .times(_, let actions): [actions]
        case .steps(let steps): steps
        }
    }

    /// Whether dice decide if, or for how long.
    var draws: Bool {
        switch self {
        case .times(.chance, _), .times(.recover, _): return true
        case .times, .steps: break
        }
        return steps.joined().contains(where: \.draws)
    }
}

extension RuleAction {
    /// Whether dice decide for how long.
    var draws: Bool { if case .delay(let shortest, let longest) = self { shortest < longest } else { false } }
}

/// Which of the uses that match fire. Uses are counted for each key of `per`, or all together without one.
package enum Frequency: Sendable, Hashable {
    case always
    case first(Int)
    case nth(Int)
    case every(Int)
    /// Of a hundred, with at most four decimals; kept in millionths.
    case chance(millionths: Int)
    /// From the first matching use of the key on, that use included.
    case until(Span)
    /// Not before this much time has passed since the first matching use of the key.
    case after(Span)
    /// What exceeds it.
    case allowance(Allowance)
    case greylist(Greylist)
    case recover(Recovery)
}

/// What uses of a rule are counted by.
package enum CountKey: String, Sendable, Hashable, CaseIterable {
    case client, from, to, helo, user, listener, session, transaction
    case fromDomain = "from-domain"
    case toDomain = "to-domain"
    /// The /24 of an IPv4 client, the /64 of an IPv6 one.
    case clientNetwork = "client-network"
}

/// One thing that a rule does. The draws and the time scale make an `Action` of it.
package enum RuleAction: Sendable, Hashable {
    case reply(ReplyText)
    /// Drawn evenly between the two ends.
    case delay(Span, Span)
    case drip(Rate)
    case slowRead(Rate)
    case stall, close, reset, keep, lose, accept
    /// Nothing is read any more, so that the client's window closes; nothing is said either.
    case stopReading
    case hide(CapabilitySet)
    case offer(CapabilitySet)
    /// A reply of the catalogue, by its name.
    case use(String)
    /// Grows with the session's errors: the first span for each, at most the second.
    case tarpit(Span, Span)
    case raw(RawText)
    case tls(TLSFault)
}

/// A reply as a rule states it.
package struct ReplyText: Sendable, Hashable {
    package let code: ReplyCode
    package let enhanced: EnhancedStatus?
    /// At least one, without line ends.
    package let lines: [String]
    /// As it goes out.
    package let reply: Reply

    package init(_ code: ReplyCode, _ enhanced: EnhancedStatus?, lines: [String]) {
        self.code = code
        self.enhanced = enhanced
        self.lines = lines
        reply = Reply(code, enhanced, lines: lines)
    }
}
