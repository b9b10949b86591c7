// The server side of one SMTP session as a value: octets in, demands and replies out. It does no I/O, reads no clock,
// throws no dice, keeps no log. `receive` and `resolve` are two calls, so that a decision may come late.
// State.swift has the transition table; Session+Receive, +Commands, +Auth, +Body, +Resolve, +Replies the rest.

/// One SMTP session, from the greeting to the close.
package struct Session: ~Copyable {
    package let profile: Profile
    /// For the messages that begin from now on.
    package var keepsContent: Bool
    /// For the messages that begin from now on.
    package var bodyCheckpoints: [Int]
    /// Of the message at hand.
    var checkpoints: [Int] = []

    /// The session was greeted by EHLO, so extensions are in force (RFC 5321 §3.2).
    package internal(set) var saidEHLO = false
    /// The client's address as text, for greetings in the style of servers that say it; nil where it has none.
    package var client: String?
    /// Who is authenticated; while the phase `auth` is undecided: who tries.
    package internal(set) var user: [UInt8]?
    package internal(set) var isTLS: Bool
    /// Set while the phase `mail` is undecided.
    package internal(set) var pendingReversePath: ReversePath?
    /// Set while the phase `rcpt` is undecided.
    package internal(set) var pendingForwardPath: ForwardPath?
    /// Open after a 2yz to MAIL. At `endOfData` it is still there, until `resolve`.
    package internal(set) var transaction: Transaction?
    /// The same question without a copy of the paths.
    package var hasTransaction: Bool { transaction != nil }
    /// The extensions that an EHLO would list now.
    package internal(set) var capabilities: CapabilitySet = []

    /// Whom the next octets are for. The mode of the stream is a type, each with a receiver of its own.
    enum Mode: Sendable, Hashable {
        case command(LineReceiver)
        case auth(AuthReceiver)
        /// - answered: a ruling at the phase `body` has answered already; read on to the dot and say nothing.
        case body(BodyReceiver, answered: Bool)
        case chunk(ChunkReceiver)
        case swallow(SwallowReceiver, answer: StandardReply)
        /// The session is over; nothing that comes is looked at.
        case closed
    }

    /// What a ruling is awaited for.
    enum Pending: Sendable, Hashable {
        case nothing
        case ehlo(extended: Bool)
        case starttls, auth, mail, rcpt, data, chunk, body, endOfData, rset, noop, vrfy, quit
        /// Set by `begin`.
        case outside(Phase)
    }

    var mode = Mode.command(LineReceiver())
    var pending = Pending.nothing
    /// Changes only by `move`.
    private(set) var state = State.start
    /// What every command but QUIT hears in the state `shut`.
    var shutReply: Reply?
    var establishedName: [UInt8]?
    var pendingName: [UInt8]?
    var isAuthenticated = false
    /// AUTH was refused, so what looks like no command may be credentials that came too early.
    var mayHearCredentials = false
    var content: Content
    var nextCheckpoint = 0
    var transactionsBegun = 0
    var errorsSeen = 0
    var heardLine = false
    private var hidden: CapabilitySet = []
    private var offered: CapabilitySet = []
    /// STARTTLS is listed inside TLS, too, where RFC 3207 §4.2 forbids it. It is answered as ever.
    private var listsTLSInside = false

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
        content = Content(keeps: keepsContent, limit: profile.limits.messageBound)
        refreshCapabilities()
    }

    /// The argument of EHLO or HELO as it came; nil before it and after STARTTLS. While the phase `ehlo` is undecided:
    /// the name that is being said.
    package var helo: [UInt8]? { pendingName ?? establishedName }
    /// Octets of the message so far, without stuffed dots.
    package var contentCount: Int { content.count }
    /// The message so far, without stuffed dots; empty where content is not kept, or was too big.
    package var contentSoFar: [UInt8] { content.octets }
    /// The message came, or comes, by BDAT (RFC 3030).
    package var isChunked: Bool { content.isChunked }
    package var unstuffedDots: UnstuffedDots { content.unstuffedDots }
    /// Whether EHLO was said rather than HELO; nil before either. While the phase `ehlo` is undecided: which is being
    /// said.
    package var greetsExtended: Bool? {
        if case .ehlo(let extended) = pending { return extended }
        return establishedName == nil ? nil : saidEHLO
    }
    /// Inside of a command line, or in front of one.
    package var isReadingCommand: Bool { if case .command = mode { true } else { false } }
    /// At the start of a command line, and nothing is undecided.
    package var awaitsCommand: Bool {
        guard pending == .nothing, case .command(let line) = mode else { return false }
        return line.searched == 0
    }
    /// The `with` value of a Received field for this session (RFC 3848, RFC 6531 §4.3).
    package var withProtocol: String {
        guard saidEHLO else { return "SMTP" }
        let base = transaction?.reversePath.smtpUTF8 == true ? "UTF8SMTP" : "ESMTP"
        return base + (isTLS ? "S" : "") + (isAuthenticated ? "A" : "")
    }

    /// Takes extensions out of the list; what is hidden behaves as not offered.
    package mutating func hide(_ more: CapabilitySet) {
        hidden.formUnion(more)
        offered.subtract(more)
        refreshCapabilities()
    }

    /// Puts extensions into the list, AUTH also without TLS; undoes `hide`. STARTTLS without a certificate is listed,
    /// and answered 454.
    package mutating func offer(_ more: CapabilitySet) {
        offered.formUnion(more)
        hidden.subtract(more)
        refreshCapabilities()
    }

    /// From now on STARTTLS is listed inside TLS, against RFC 3207 §4.2.
    package mutating func offerTLSInside() {
        listsTLSInside = true
        refreshCapabilities()
    }

    /// After the handshake that STARTTLS asked for: everything that was said in clear is forgotten (RFC 3207 §4.2).
    package mutating func handshakeDone() {
        isTLS = true
        establishedName = nil
        saidEHLO = false
        user = nil
        isAuthenticated = false
        mayHearCredentials = false
        mode = .command(LineReceiver())
        move(.handshake)
        refreshCapabilities()
    }

    /// Moves the message out: octets after unstuffing, without the final dot. To be called before `resolve` at
    /// `endOfData`, which forgets them.
    package mutating func takeContent() -> [UInt8] { content.take() }

    private mutating func refreshCapabilities() {
        var list = profile.capabilities.union(offered).subtracting(hidden)
        // RFC 3207 §4.2: not listed inside TLS.
        if isTLS && !listsTLSInside || !profile.tlsAvailable && !offered.contains(.startTLS) {
            list.remove(CapabilitySet(.startTLS))
        }
        // RFC 4954 §4: no plaintext mechanism without TLS.
        if !isTLS && !profile.authInClear && !offered.contains(.auth) { list.remove(CapabilitySet(.auth)) }
        // RFC 3030 §3, RFC 6531 §3.1: these two stand on another extension.
        if !list.contains(.chunking) { list.remove(CapabilitySet(.binaryMIME)) }
        if !list.contains(.eightBitMIME) { list.remove(CapabilitySet(.smtpUTF8)) }
        capabilities = list
    }

    /// The one place where the state changes, and with it what must never outlive a state.
    mutating func move(_ transition: Transition) {
        state = state.after(transition)
        switch transition {
        case .greeted, .transactionOver, .handshake, .refusedService:
            transaction = nil
            content.forget()
        case .mailAccepted, .recipientAccepted, .chunkAccepted:
            break
        }
    }
}
