// The server side of one SMTP session as a value: octets in, demands and replies out. It does no I/O, reads no clock,
// throws no dice, keeps no log. `receive` and `resolve` are two calls, so that a decision may come late.

/// One SMTP session, from the greeting to the close.
package struct Session: ~Copyable {
    package let profile: Profile
    let keepsContent: Bool
    let bodyCheckpoints: [Int]

    /// The argument of EHLO or HELO as it came; nil before it and after STARTTLS. While the phase `ehlo` is undecided:
    /// the name that is being said.
    package var helo: [UInt8]? { nil }
    /// The session was greeted by EHLO, so extensions are in force (RFC 5321 §3.2).
    package internal(set) var saidEHLO = false
    /// Who is authenticated; while the phase `auth` is undecided: who tries.
    package internal(set) var user: [UInt8]?
    package internal(set) var isTLS: Bool
    /// Set while the phase `mail` is undecided.
    package internal(set) var pendingReversePath: ReversePath?
    /// Set while the phase `rcpt` is undecided.
    package internal(set) var pendingForwardPath: ForwardPath?
    /// Open after a 2yz to MAIL. At `endOfData` it is still there, until `resolve`.
    package internal(set) var transaction: Transaction?

    /// - Parameters:
    ///   - insideTLS: the handshake came before the greeting (RFC 8314 §3.3).
    ///   - keepsContent: false counts the octets of messages without storing them.
    ///   - bodyCheckpoints: ascending counts of content octets at which `receive` stops and demands the phase `body`;
    ///     0 is the moment when the first octet has arrived and is not taken yet.
    package init(profile: Profile, insideTLS: Bool, keepsContent: Bool, bodyCheckpoints: [Int]) {
        self.profile = profile
        self.isTLS = insideTLS
        self.keepsContent = keepsContent
        self.bodyCheckpoints = bodyCheckpoints
    }

    /// The extensions that an EHLO would list now.
    package var capabilities: CapabilitySet { profile.capabilities }
    /// Octets of the message so far, without stuffed dots.
    package var contentCount: Int { 0 }
    /// At the start of a command line, and nothing is undecided.
    package var awaitsCommand: Bool { true }
    /// The `with` value of a Received field for this session (RFC 3848, RFC 6531 §4.3).
    package var withProtocol: String { "SMTP" }

    /// Takes at most one unit from the front of `input`: a command line, an AUTH line, a stretch of message content, a
    /// stretch of a chunk, or octets to be swallowed. Octets not consumed are given again in front of new ones; the
    /// session remembers how far it searched. Never to be called while a decision is pending.
    package mutating func receive(_ input: UnsafeRawBufferPointer) -> Step {
        Step(consumed: 0, unit: .none, demand: .input)
    }
    /// Sets the phase to be decided, for phases that begin outside `receive`: `greeting`, `tls`, and `connect`, `idle`,
    /// `accepted`.
    package mutating func begin(_ phase: Phase) {}
    /// Ends a decision.
    package mutating func resolve(_ ruling: Ruling) -> Outcome { Outcome(nil) }
    /// Takes extensions out of the list; what is hidden behaves as not offered.
    package mutating func hide(_ hidden: CapabilitySet) {}
    /// Puts extensions into the list, AUTH also without TLS; undoes `hide`.
    package mutating func offer(_ offered: CapabilitySet) {}
    /// After the handshake that STARTTLS asked for (RFC 3207 §4.2).
    package mutating func handshakeDone() {}
    /// Moves the message out: octets after unstuffing, without the final dot. To be called before `resolve` at
    /// `endOfData`, which forgets them.
    package mutating func takeContent() -> [UInt8] { [] }
    /// A reply that ends the session at any moment: 421 with our host name (RFC 5321 §3.8).
    package func farewell(_ enhanced: EnhancedStatus, _ text: String) -> Reply {
        Reply(421, nil, text)
    }
}
