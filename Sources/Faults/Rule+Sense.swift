// Does a rule make sense? What its phase cannot know, what its phase cannot do, and what its actions contradict is an
// error when the rule is loaded, with the reason. Nothing here is found out at run time.

import SMTP

/// A part of a rule, so that a complaint finds its place in a line or a file.
package enum RulePart: Sendable, Hashable {
    case name, at, schedule, per
    case condition(Int)
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

// MARK: What a phase can know

extension Phase {
    /// A transaction is open here, or may be.
    private static let inTransaction: PhaseSet = [
        PhaseSet(.mail), PhaseSet(.rcpt), PhaseSet(.data), PhaseSet(.body), PhaseSet(.endOfData), PhaseSet(.accepted),
        PhaseSet(.rset), PhaseSet(.noop), PhaseSet(.vrfy), PhaseSet(.quit), PhaseSet(.idle),
    ]
    private static let betweenCommands: PhaseSet = [
        PhaseSet(.rset), PhaseSet(.noop), PhaseSet(.vrfy), PhaseSet(.quit), PhaseSet(.idle),
    ]

    fileprivate var mayHaveTransaction: Bool { Self.inTransaction.contains(PhaseSet(self)) }
    fileprivate var isBetweenCommands: Bool { Self.betweenCommands.contains(PhaseSet(self)) }
}

extension ConditionKey {
    /// Why this cannot be known at a phase; nil when it can.
    package func unknownReason(at phase: Phase) -> String? {
        switch self {
        case .client, .listener: return nil
        case .helo:
            switch phase {
            case .connect, .greeting: return "the client has not said its name before EHLO; use at: ehlo"
            case .tls: return "the EHLO name is forgotten with a handshake (RFC 3207 §4.2); use at: starttls or ehlo"
            default: return nil
            }
        case .tls:
            switch phase {
            case .connect: return "no handshake has happened yet; use at: greeting or later"
            case .starttls: return "STARTTLS is said in clear, so tls is always none here"
            default: return nil
            }
        case .user:
            switch phase {
            case .connect, .greeting, .ehlo, .starttls, .tls:
                return "nobody is known before AUTH; use at: auth or later"
            default: return nil
            }
        case .from:
            return phase.mayHaveTransaction ? nil : "the sender is not known before MAIL; use at: mail or later"
        case .to:
            return phase.mayHaveTransaction && phase != .mail
                ? nil : "the recipient is not known before RCPT; use at: rcpt"
        case .recipients:
            return phase.mayHaveTransaction && phase != .mail
                ? nil : "there are no recipients before RCPT; use at: rcpt or later"
        case .attempt:
            if phase.isBetweenCommands { return "attempts belong to the recipients of a message; use at: rcpt" }
            return phase.mayHaveTransaction && phase != .mail
                ? nil : "attempts are counted when a recipient comes; use at: rcpt or later"
        case .size:
            if phase.isBetweenCommands {
                return "no message is being sent here; use at: mail, rcpt, data or end-of-data"
            }
            return phase.mayHaveTransaction
                ? nil : "a size is first declared at MAIL; use at: mail, or end-of-data for the size that came"
        }
    }
}

extension CountKey {
    package func unknownReason(at phase: Phase) -> String? {
        switch self {
        case .client, .listener, .session: nil
        case .from, .fromDomain: ConditionKey.from.unknownReason(at: phase)
        case .to, .toDomain: ConditionKey.to.unknownReason(at: phase)
        case .helo: ConditionKey.helo.unknownReason(at: phase)
        case .user: ConditionKey.user.unknownReason(at: phase)
        case .transaction: phase.mayHaveTransaction ? nil : "no transaction is open before MAIL; use at: mail or later"
        }
    }
}
