// What each command means once it is a line: the protocol's own refusal, thrown, or the phase that is to be decided.
// Order is State.refusal's matter, syntax that of the parsers.

extension Session {
    /// - Throws: the reply to a command that breaks the protocol.
    mutating func obey(_ command: Command, _ notice: inout Notice?) throws(StandardReply) -> Demand {
        if command.verb == .bdat { return try beginChunk(command.argument, &notice) }
        if state == .shut, command.verb != .quit { throw .shut }
        try requireOffer(for: command.verb)
        if let refusal = state.refusal(of: command.verb) { throw refusal }
        switch command.verb {
        case .mail: return try beginMail(command.argument)
        case .rcpt: return try beginRecipient(command.argument)
        case .data: return try beginData(command.argument)
        case .ehlo:
            if profile.style?.speaksEHLO == false { throw .unknownCommand }
            return try beginGreeting(command.argument, extended: true)
        case .helo: return try beginGreeting(command.argument, extended: false)
        case .rset:
            try forbidArgument(command)
            return decide(.rset, .rset)
        case .quit:
            try forbidArgument(command)
            return decide(.quit, .quit)
        case .noop:
            guard command.argument.isPrintable else { throw .badArgument }
            return decide(.noop, .noop)
        case .vrfy:
            try checkVerifyArgument(command.argument)
            return decide(.vrfy, .vrfy)
        case .expn: throw .notOffered  // RFC 5321 §3.5.3: not listed, so not there
        case .help:
            guard command.argument.isPrintable else { throw .badArgument }
            return .reply(helpReply(), closes: false)
        case .starttls:
            try forbidArgument(command)
            if !profile.tlsAvailable { throw .tlsNotAvailable }  // offered by a rule
            return decide(.starttls, .starttls)
        case .auth: return try beginAuth(command.argument)
        case .bdat, .unknown: throw .unknownCommand  // both were dealt with before
        }
    }

    mutating func decide(_ pending: Pending, _ phase: Phase) -> Demand {
        self.pending = pending
        return .decision(phase)
    }

    /// What is hidden behaves as not offered (RFC 5321 §4.2.4: 502); what needs EHLO is not there after HELO
    /// (RFC 5321 §3.2).
    private func requireOffer(for verb: Verb) throws(StandardReply) {
        let needed: Capability
        switch verb {
        case .starttls:
            if isTLS { throw .alreadyTLS }  // RFC 3207 §4.2
            needed = .startTLS
        case .auth: needed = .auth
        case .bdat: needed = .chunking
        case .help:
            if !capabilities.contains(.help) { throw .notOffered }
            return
        case .ehlo, .helo, .mail, .rcpt, .data, .rset, .noop, .quit, .vrfy, .expn, .unknown: return
        }
        guard capabilities.contains(needed) else { throw .notOffered }
        guard saidEHLO else { throw .sayEHLOFirst }
    }

    private func forbidArgument(_ command: Command) throws(StandardReply) {
        guard command.argument.isEmpty else { throw .argumentNotAllowed }
    }

    /// RFC 5321 §4.1.1.1. The name is taken as it came: whether it is a good one is a finding, never a refusal
    /// (RFC 5321 §4.1.4). RFC 6531 §3.7.1 keeps it ASCII.
    private mutating func beginGreeting(
        _ name: UnsafeRawBufferPointer, extended: Bool
    ) throws(StandardReply) -> Demand {
        guard !name.isEmpty else { throw .argumentMissing }
        guard name.count <= Path.domainLimit, name.isPrintable else { throw .badArgument }
        pendingName = name.array
        return decide(.ehlo(extended: extended), .ehlo)
    }

    private mutating func beginMail(_ argument: UnsafeRawBufferPointer) throws(StandardReply) -> Demand {
        let path = try ReversePath(
            argument, ArgumentContext(capabilities: extensionsInForce, smtpUTF8: false))
        // RFC 1870 §6.1.
        if let size = path.size, size > profile.limits.messageBound { throw .messageTooBig }
        if transactionsBegun >= profile.limits.transactionBound { throw .tooManyTransactions }
        pendingReversePath = path
        return decide(.mail, .mail)
    }

    private mutating func beginRecipient(_ argument: UnsafeRawBufferPointer) throws(StandardReply) -> Demand {
        let path = try ForwardPath(
            argument,
            ArgumentContext(
                capabilities: extensionsInForce, smtpUTF8: transaction?.reversePath.smtpUTF8 ?? false))
        // RFC 5321 §4.5.3.1.10: 452, and those before stay.
        if (transaction?.recipients.count ?? 0) >= profile.limits.recipientBound { throw .tooManyRecipients }
        pendingForwardPath = path
        return decide(.rcpt, .rcpt)
    }

    private mutating func beginData(_ argument: UnsafeRawBufferPointer) throws(StandardReply) -> Demand {
        guard argument.isEmpty else { throw .argumentNotAllowed }
        // RFC 3030 §3.
        if transaction?.reversePath.body == .binaryMIME { throw .dataForBinary }
        return decide(.data, .data)
    }

    /// RFC 6531 §3.7.4.2: UTF-8 in the argument needs the parameter SMTPUTF8.
    private func checkVerifyArgument(_ argument: UnsafeRawBufferPointer) throws(StandardReply) {
        guard !argument.isEmpty else { throw .argumentMissing }
        guard argument.hasNonASCII else {
            guard argument.isPrintable else { throw .badArgument }
            return
        }
        guard extensionsInForce.contains(.smtpUTF8), argument.isUTF8 else { throw .badArgument }
        let tail = argument.count >= 9 ? argument.slice(argument.count - 9, argument.count) : argument
        guard tail.equals(" smtputf8") else { throw .nonASCIIPath }
    }

    /// BDAT (RFC 3030 §2). The octets behind it are read whatever is wrong, as long as their number can be known.
    private mutating func beginChunk(
        _ argument: UnsafeRawBufferPointer, _ notice: inout Notice?
    ) throws(StandardReply) -> Demand {
        let size = ChunkSize(argument)
        guard let octets = size.octets else {
            if !argument.isEmpty { notice = .malformedChunkSize }
            throw state == .shut ? .shut : argument.isEmpty ? .argumentMissing : .badArgument
        }
        guard octets < Int.max else {
            // More than can be counted: what follows can be told neither as chunk nor as commands.
            notice = .malformedChunkSize
            mode = .closed
            return .reply(farewell(EnhancedStatus(4, 5, 4), "Chunk size is beyond reckoning"), closes: true)
        }
        var fate = ChunkReceiver.Fate.content
        do throws(StandardReply) {
            if state == .shut { throw .shut }
            try requireOffer(for: .bdat)
            if let refusal = state.refusal(of: .bdat) { throw refusal }
            if size.isMalformed { throw .badArgument }
        } catch {
            fate = .refused(error)
        }
        if fate == .content, state == .rcpt { beginContent() }
        let chunk = ChunkReceiver(remaining: octets, isLast: size.isLast, fate: fate)
        if octets == 0 { return endChunk(chunk, &notice) }
        mode = .chunk(chunk)
        return .input
    }

    /// Empty in a session that was greeted by HELO (RFC 5321 §3.2).
    var extensionsInForce: CapabilitySet { saidEHLO ? capabilities : [] }
}
