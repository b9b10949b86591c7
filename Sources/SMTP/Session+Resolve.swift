// From a ruling to an outcome: what each phase says when it is accepted, and what a refusal leaves behind.

extension Session {
    /// Sets the phase to be decided, for phases that begin outside `receive`: `greeting`, `tls` (after the handshake),
    /// and `connect`, `idle`, `accepted`. Any other phase is treated as `idle`: a reply goes out, nothing changes.
    package mutating func begin(_ phase: Phase) { pending = .outside(phase) }

    /// The phase that waits for `resolve`.
    package var pendingPhase: Phase? {
        switch pending {
        case .nothing: nil
        case .ehlo: .ehlo
        case .starttls: .starttls
        case .auth: .auth
        case .mail: .mail
        case .rcpt: .rcpt
        case .data, .chunk: .data
        case .body: .body
        case .endOfData: .endOfData
        case .rset: .rset
        case .noop: .noop
        case .vrfy: .vrfy
        case .quit: .quit
        case .outside(let phase): phase
        }
    }

    /// Ends a decision.
    package mutating func resolve(_ ruling: Ruling) -> Outcome {
        let decided = pending
        pending = .nothing
        var outcome =
            switch decided {
            case .nothing: Outcome(nil)
            case .outside(let phase): resolveOutside(phase, ruling)
            case .ehlo(let extended): resolveGreeting(ruling, extended: extended)
            case .starttls: resolveStartTLS(ruling)
            case .auth: resolveAuth(ruling)
            case .mail: resolveMail(ruling)
            case .rcpt: resolveRecipient(ruling)
            case .data: resolveData(ruling)
            case .chunk: resolveChunk(ruling)
            case .body: resolveBody(ruling)
            case .endOfData: resolveEndOfData(ruling)
            case .rset: resolveReset(ruling)
            case .noop: Outcome(reply(ruling, .ok))
            case .vrfy: Outcome(reply(ruling, .notVerified))
            case .quit: Outcome(reply(ruling, .bye), ruling.accepts ? .close : .read)
            }
        // RFC 5321 §3.8: a 421 closes, wherever it is said.
        if case .reply(let reply) = ruling, reply.code.value == 421 { outcome = Outcome(reply, .close) }
        if outcome.next == .close { mode = .closed }
        return outcome
    }

    /// What is said: the ruling's own reply, or the ordinary one.
    private func reply(_ ruling: Ruling, _ ordinary: StandardReply) -> Reply? {
        switch ruling {
        case .proceed, .stored: standard(ordinary)
        case .reply(let reply): reply
        case .silence: nil
        }
    }

    private mutating func resolveOutside(_ phase: Phase, _ ruling: Ruling) -> Outcome {
        switch (phase, ruling) {
        case (.greeting, .proceed), (.greeting, .stored): return Outcome(greetingReply())
        case (.greeting, .reply(let reply)), (.connect, .reply(let reply)):
            // RFC 7504 §3: after 521 again 521; RFC 5321 §3.1: after 554, 503. To all but QUIT.
            if !ruling.accepts { shut(reply.code.value == 521 ? reply : standard(.shut)) }
            return Outcome(reply)
        case (.tls, .reply(let reply)):
            // RFC 3207 §4.1: the client speaks next, and hears it then.
            if !ruling.accepts { shut(reply) }
            return Outcome(nil)
        case (.greeting, .silence), (.connect, .silence), (.tls, .silence):
            shut(standard(.shut))
            return Outcome(nil)
        case (_, .reply(let reply)): return Outcome(reply)
        case (_, .proceed), (_, .stored), (_, .silence): return Outcome(nil)
        }
    }

    private mutating func shut(_ reply: Reply) {
        shutReply = reply
        move(.refusedService)
    }

    /// RFC 5321 §4.1.4: an accepted EHLO is a RSET too; a refused one leaves everything as it was.
    private mutating func resolveGreeting(_ ruling: Ruling, extended: Bool) -> Outcome {
        let name = pendingName
        pendingName = nil
        if ruling.accepts {
            establishedName = name
            saidEHLO = extended
            move(.greeted)
        }
        switch ruling {
        case .proceed, .stored: return Outcome(extended ? ehloReply() : heloReply())
        case .reply(let reply): return Outcome(reply)
        case .silence: return Outcome(nil)
        }
    }

    private mutating func resolveStartTLS(_ ruling: Ruling) -> Outcome {
        Outcome(reply(ruling, .readyForTLS), ruling.accepts ? .startTLS : .read)
    }

    private mutating func resolveAuth(_ ruling: Ruling) -> Outcome {
        isAuthenticated = ruling.accepts
        if !isAuthenticated {
            user = nil
            mayHearCredentials = true
        }
        return Outcome(reply(ruling, .authenticated))
    }

    private mutating func resolveMail(_ ruling: Ruling) -> Outcome {
        if ruling.accepts, let path = pendingReversePath {
            transaction = Transaction(reversePath: path)
            transactionsBegun += 1
            move(.mailAccepted)
        }
        pendingReversePath = nil
        return Outcome(reply(ruling, .senderOk))
    }

    private mutating func resolveRecipient(_ ruling: Ruling) -> Outcome {
        if ruling.accepts, let path = pendingForwardPath {
            transaction?.recipients.append(path)
            move(.recipientAccepted)
        }
        pendingForwardPath = nil
        return Outcome(reply(ruling, .recipientOk))
    }

    private mutating func resolveData(_ ruling: Ruling) -> Outcome {
        if ruling.accepts {
            beginContent()
            mode = .body(BodyReceiver(), answered: false)
        }
        return Outcome(reply(ruling, .startData))
    }

    /// RFC 3030 §2: a refused chunk fails the transaction.
    private mutating func resolveChunk(_ ruling: Ruling) -> Outcome {
        move(ruling.accepts ? .chunkAccepted : .transactionOver)
        return Outcome(reply(ruling, .chunkOk))
    }

    /// The reply goes out now, so nothing is answered behind the dot or behind the chunk; what is left of either is
    /// read and thrown away.
    private mutating func resolveBody(_ ruling: Ruling) -> Outcome {
        let said: Reply?
        switch ruling {
        case .proceed, .stored: return Outcome(nil)
        case .reply(let reply): said = reply
        case .silence: said = nil
        }
        move(.transactionOver)
        switch mode {
        case .body(let receiver, _): mode = .body(receiver, answered: true)
        case .chunk(var chunk):
            chunk.fate = .answered
            mode = .chunk(chunk)
        case .command, .auth, .swallow, .closed: break
        }
        return Outcome(said)
    }

    private mutating func resolveEndOfData(_ ruling: Ruling) -> Outcome {
        move(.transactionOver)
        if case .stored(let id) = ruling { return Outcome(queuedReply(id)) }
        return Outcome(reply(ruling, .ok))
    }

    private mutating func resolveReset(_ ruling: Ruling) -> Outcome {
        if ruling.accepts { move(.transactionOver) }
        return Outcome(reply(ruling, .resetOk))
    }
}

extension Ruling {
    /// A 2yz or 3yz accepts; silence is a refusal that nobody hears.
    var accepts: Bool {
        switch self {
        case .proceed, .stored: true
        case .reply(let reply): reply.code.isPositive
        case .silence: false
        }
    }
}
