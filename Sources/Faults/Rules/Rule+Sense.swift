// Does a rule make sense? What its phase cannot know, what its phase cannot do, and what its actions contradict is an
// error when the rule is loaded, with the reason. Nothing here is found out at run time.

import SMTP

/// A part of a rule, so that a complaint finds its place in a line or a file.
package enum RulePart: Sendable, Hashable {
    case name, at, schedule, per
    case condition(Int)
    case group(Int)
    case action(step: Int, index: Int)
}

package struct RuleIssue: Sendable, Hashable {
    package let part: RulePart
    package let text: RuleText
    package let isWarning: Bool
}

extension Rule {
    package static let mostSteps = 100
    package static let mostActions = 16
    /// A reply line with its CRLF (RFC 5321 §4.5.3.1.5); a longer one is a warning.
    private static let replyLine = 512

    /// Everything there is to complain about.
    package func issues() -> [RuleIssue] {
        var issues: [RuleIssue] = []
        func add(_ part: RulePart, _ text: RuleText, isWarning: Bool = false) {
            issues.append(RuleIssue(part: part, text: text, isWarning: isWarning))
        }
        if !name.isEmpty, let complaint = Self.complaint(aboutName: name) { add(.name, complaint) }
        var seen: Set<ConditionKey> = []
        for (index, condition) in when.enumerated() {
            if !seen.insert(condition.key).inserted {
                add(.condition(index), "a second condition on \(condition.key.rawValue)")
            } else if let reason = condition.key.unknownReason(at: at) {
                add(.condition(index), "\(condition.key.rawValue) at \(at.rawValue): \(reason)")
            } else if let complaint = bodyComplaint(condition) {
                add(.condition(index), complaint)
            }
        }
        for (index, group) in groups.enumerated() {
            if group.depth > ConditionGroup.deepest {
                add(.group(index), "groups inside groups, \(ConditionGroup.deepest) at most")
            }
            for condition in group.allConditions {
                if let reason = condition.key.unknownReason(at: at) {
                    add(.group(index), "\(condition.key.rawValue) at \(at.rawValue): \(reason)")
                } else if at == .body, condition.key == .size {
                    add(.group(index), "size at body says when the rule is asked, so it stands outside of groups")
                }
            }
        }
        for (index, key) in per.enumerated() {
            if let reason = key.unknownReason(at: at) {
                add(.per, "per \(key.rawValue) at \(at.rawValue): \(reason)")
            } else if per[..<index].contains(key) {
                add(.per, "per names \(key.rawValue) twice")
            }
        }
        switch schedule {
        case .times(.always, _) where !per.isEmpty:
            add(.per, "per counts nothing without times or steps; add first N, every N, a percentage …")
        case .times(.allowance(let allowance), _): judge(allowance) { add($0, $1, isWarning: $2) }
        case .times(.greylist, _) where per.isEmpty:
            add(.schedule, "greylist knows no tuple; add what makes one, as per client-network, from, to")
        case .times: break
        case .steps(let steps):
            if steps.isEmpty { add(.schedule, "steps is empty") }
            if steps.count > Self.mostSteps { add(.schedule, "more than \(Self.mostSteps) steps") }
        }
        for (step, actions) in schedule.steps.enumerated() {
            var judge = ActionJudge(at: at)
            judge.judge(actions)
            for (index, text) in judge.complaints { add(.action(step: step, index: index), text) }
            for (index, action) in actions.enumerated() {
                guard case .reply(let reply) = action else { continue }
                for text in Self.warnings(reply) { add(.action(step: step, index: index), text, isWarning: true) }
            }
        }
        return issues
    }

    private func judge(_ allowance: Allowance, _ add: (RulePart, RuleText, Bool) -> Void) {
        func wrong(_ text: RuleText) { add(.schedule, text, false) }
        let endsWithKey = per.contains(.session) || per.contains(.transaction)
        if allowance.window == nil, allowance.kind != .atOnce, !endsWithKey {
            wrong(
                """
                \(allowance.kind.rawValue) has a window that never ends; add one, as in 1h, or count per session or \
                per transaction
                """)
        }
        if allowance.kind == .errors {
            for condition in allConditions where !Self.ofClient.contains(condition.key) {
                wrong(
                    """
                    errors with a condition on \(condition.key.rawValue): replies of all kinds are counted, so a rule \
                    can ask for the client alone (client, listener, helo, hello, tls, user, time)
                    """)
            }
        }
        switch allowance.kind {
        case .limit: break
        case .atOnce where endsWithKey:
            wrong("at-once counts open sessions, so it cannot be per session or transaction")
        case .atOnce: break
        case .octets where at != .endOfData:
            wrong("octets at \(at.rawValue): what a message has is known when it has come; use at: end-of-data")
        case .octets: break
        case .unknownShare where at != .rcpt:
            wrong("unknown-share at \(at.rawValue): recipients are answered at rcpt; use at: rcpt")
        case .errors, .unknownShare:
            let known: Set<CountKey> = [.client, .clientNetwork, .listener, .helo, .user, .session]
            for key in per
            where !known.contains(key) && !(allowance.kind == .unknownShare && Self.senders.contains(key)) {
                wrong(
                    """
                    \(allowance.kind.rawValue) per \(key.rawValue): replies are counted by who gets them, not by \
                    what they are about
                    """
                )
            }
        }
    }

    private static let ofClient: Set<ConditionKey> = [.client, .listener, .helo, .hello, .tls, .user, .time]

    private static let senders: Set<CountKey> = [.from, .fromDomain]

    /// At body the message only grows, so a rule asks for the octet at which it begins.
    private func bodyComplaint(_ condition: Condition) -> RuleText? {
        guard at == .body, condition.key == .size else { return nil }
        for case .number(let test) in condition.tests where [.less, .atMost, .range].contains(test.comparison) {
            return
                "size at body is what has arrived so far and only grows; use >, >= or = with the octet at which to act"
        }
        return nil
    }

    private static func warnings(_ reply: ReplyText) -> [RuleText] {
        var warnings: [RuleText] = []
        // Providers mix classes, so a rule may (RFC 2034 §4 does not allow it).
        if let enhanced = reply.enhanced, UInt16(enhanced.statusClass) != reply.code.value / 100 {
            warnings.append(
                "the enhanced code \(enhanced) has another class than \(reply.code) (RFC 2034 §4); said as it stands")
        }
        let longest = reply.reply.wire.split(separator: 10).map { $0.count + 1 }.max() ?? 0
        if longest > replyLine {
            warnings.append("a reply line of \(longest) octets; RFC 5321 §4.5.3.1.5 asks for at most \(replyLine)")
        }
        return warnings
    }
}
