// What crosses the boundary of a session: what one call of `receive` or `resolve` found and what is to be done now.
// Values only; who performs them is not known here.

/// What one call of `Session.receive` did.
package struct Step: Sendable {
    /// Octets taken from the front of the input. The rest is to be given again, in front of what comes later.
    package var consumed: Int
    /// What the consumed octets were.
    package var unit: Unit
    package var demand: Demand
    /// Something worth an event, beside the unit.
    package var notice: Notice?
    /// Where in the consumed octets a secret begins (AUTH data, RFC 4954); equal to `consumed` where there is none.
    /// What stands behind it must never reach an event, a transcript or a log.
    package var secretFrom: Int

    init(
        consumed: Int, unit: Unit, demand: Demand, notice: Notice? = nil, secretFrom: Int? = nil
    ) {
        self.consumed = consumed
        self.unit = unit
        self.demand = demand
        self.notice = notice
        self.secretFrom = secretFrom ?? consumed
    }
}

/// What the octets of a step were.
package enum Unit: Sendable, Hashable {
    /// Nothing was consumed.
    case none
    /// A command line, or a line of an AUTH exchange without a secret, with its CRLF.
    case line
    /// A line with a secret in it: AUTH data. `Step.secretFrom` says from where on it must be masked.
    case secretLine
    /// A stretch of message content (after DATA: with dots and the final dot as they came; or of a chunk).
    case content
    /// Octets that are read and thrown away: of an over-long line, or of a chunk that was refused.
    case swallowed
}

/// What the session needs now.
package enum Demand: Sendable {
    /// More octets. When the step consumed something and octets are left, `receive` is to be called again with them;
    /// when it consumed nothing, the octets at hand are not enough.
    case input
    /// A ruling at this phase, by `resolve`.
    case decision(Phase)
    /// The protocol itself answers, nobody is asked.
    case reply(Reply, closes: Bool)
}

/// Something that a peer did and that is worth an event. Never an error of ours.
package enum Notice: Sendable, Hashable {
    /// A TLS ClientHello where a greeting in clear was spoken.
    case clientHelloInClear
    /// An HTTP request instead of a first command.
    case httpRequest
    /// A line longer than the limit (RFC 5321 §4.5.3.1.4, RFC 4954 §4); reported once, where the limit was passed.
    case lineTooLong
    /// `Limits.errors` was passed; the session ends with 421 (RFC 5321 §7.8).
    case tooManyErrors
    /// The message passed `Limits.messageSize`; what was stored of it is gone (RFC 1870 §6).
    case messageTooBig
    /// A BDAT whose size is not a number, or a number beyond reckoning (RFC 3030 §2).
    case malformedChunkSize
}

/// The answer to `Demand.decision`, and to a phase set by `Session.begin`.
package enum Ruling: Sendable {
    /// The ordinary reply.
    case proceed
    /// At `endOfData`: the message is stored under this name. The same as `proceed` elsewhere.
    case stored(id: String)
    /// This reply. A 2yz or 3yz accepts with this text, a 4yz or 5yz refuses, a 421 closes.
    case reply(Reply)
    /// Nothing is said; the state is as after a refusal.
    case silence
}

/// What a ruling leads to.
package struct Outcome: Sendable {
    package var reply: Reply?
    package var next: Next

    init(_ reply: Reply?, _ next: Next = .read) {
        self.reply = reply
        self.next = next
    }
}

/// What is to be done once the reply is on its way.
package enum Next: Sendable, Hashable {
    case read
    /// Behind the 220: throw away the octets that were read already (RFC 3207 §4.2), do the handshake, then call
    /// `Session.handshakeDone`.
    case startTLS
    case close
}
