// Which phase can know what: a condition on something that is not known yet is an error when the rule is loaded, with
// the reason and the phase to use instead.

import SMTP

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
        case .client, .listener, .time: return nil
        case .hello:
            switch phase {
            case .connect, .greeting, .tls: return ConditionKey.helo.unknownReason(at: phase)
            default: return nil
            }
        case .parameter:
            return phase == .mail || phase == .rcpt
                ? nil : "parameters stand behind MAIL and RCPT; use at: mail or rcpt"
        case .messageID, .body, .links, .header:
            return phase == .body || phase == .endOfData
                ? nil : "the message has not come yet, or is gone; use at: end-of-data, or body for what came so far"
        case .messageAttempt:
            return phase == .endOfData ? nil : "attempts of a message are counted at its end; use at: end-of-data"
        case .space:
            switch phase {
            case .connect, .greeting, .tls:
                return "a space is known by addresses, or by the EHLO name; use at: ehlo or later"
            default: return nil
            }
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
        case .client, .clientNetwork, .listener, .session: nil
        case .from, .fromDomain: ConditionKey.from.unknownReason(at: phase)
        case .to, .toDomain: ConditionKey.to.unknownReason(at: phase)
        case .helo: ConditionKey.helo.unknownReason(at: phase)
        case .user: ConditionKey.user.unknownReason(at: phase)
        case .transaction: phase.mayHaveTransaction ? nil : "no transaction is open before MAIL; use at: mail or later"
        }
    }
}
