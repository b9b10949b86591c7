// The points of an SMTP session at which a fault can be placed. One vocabulary for rules, decisions, events and
// reports. Says nothing about what happens there.

/// A point at which a fault can be placed. The raw value is the word of rules, transcripts and the API.
///
/// The four places around DATA are four phases and never merge: the reply to the DATA command (`data`), inside the
/// message (`body`), the reply to the final dot or to BDAT LAST (`endOfData`), and after the 250 (`accepted`).
package enum Phase: String, Sendable, Hashable, CaseIterable {
    /// The connection was accepted, nothing was sent.
    case connect
    /// The 220 (RFC 5321 §3.1).
    case greeting
    /// The reply to EHLO or HELO (RFC 5321 §4.1.1.1).
    case ehlo
    /// The reply to STARTTLS (RFC 3207 §4).
    case starttls
    /// The handshake.
    case tls
    /// The final reply to an AUTH exchange (RFC 4954 §4).
    case auth
    /// The reply to MAIL (RFC 5321 §4.1.1.2).
    case mail
    /// The reply to RCPT (RFC 5321 §4.1.1.3).
    case rcpt
    /// The reply to DATA, the 354 (RFC 5321 §4.1.1.4).
    case data
    /// While the message arrives, after a number of octets.
    case body
    /// The reply to the final dot, or to BDAT LAST (RFC 5321 §4.1.1.4, RFC 3030 §2).
    case endOfData = "end-of-data"
    /// The reply to RSET (RFC 5321 §4.1.1.5).
    case rset
    /// The reply to NOOP (RFC 5321 §4.1.1.9).
    case noop
    /// The reply to VRFY (RFC 5321 §4.1.1.6).
    case vrfy
    /// The reply to QUIT (RFC 5321 §4.1.1.10).
    case quit
    /// Between commands: the sink waits for the client to speak.
    case idle
    /// After the 250 to the final dot was written.
    case accepted
}

/// A set of phases as one word, so that "has any rule for this phase" costs one instruction.
package struct PhaseSet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package init(_ phase: Phase) { self.init(rawValue: 1 << phase.ordinal) }

    package static let all = PhaseSet(rawValue: (1 << UInt32(Phase.allCases.count)) - 1)
}

extension Phase {
    /// The position in the order of a session, from 0.
    package var ordinal: UInt32 {
        switch self {
        case .connect: 0
        case .greeting: 1
        case .ehlo: 2
        case .starttls: 3
        case .tls: 4
        case .auth: 5
        case .mail: 6
        case .rcpt: 7
        case .data: 8
        case .body: 9
        case .endOfData: 10
        case .rset: 11
        case .noop: 12
        case .vrfy: 13
        case .quit: 14
        case .idle: 15
        case .accepted: 16
        }
    }

    /// How people say it in a verdict: `rejected at RCPT`, `rejected at end of data`.
    package var spoken: String {
        switch self {
        case .connect: "connect"
        case .greeting: "the greeting"
        case .ehlo: "EHLO"
        case .starttls: "STARTTLS"
        case .tls: "the TLS handshake"
        case .auth: "AUTH"
        case .mail: "MAIL"
        case .rcpt: "RCPT"
        case .data: "DATA"
        case .body: "body"
        case .endOfData: "end of data"
        case .rset: "RSET"
        case .noop: "NOOP"
        case .vrfy: "VRFY"
        case .quit: "QUIT"
        case .idle: "idle"
        case .accepted: "accepted"
        }
    }
}
