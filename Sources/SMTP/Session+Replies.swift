// The replies that depend on the session: greeting, EHLO list, HELP, 421, and the 250 that names a message.

extension Session {
    func standard(_ reply: StandardReply) -> Reply {
        if let style = profile.style { return styled(reply, style) }
        return reply.reply(status: capabilities.contains(.enhancedStatusCodes))
    }

    /// RFC 5321 §4.2: our domain first. No enhanced code (RFC 2034 §4).
    func greetingReply() -> Reply {
        if let style = profile.style { return filled(ReplyCode(known: 220), nil, style.greeting) }
        return Reply(220, nil, "\(profile.hostname) ESMTP fakemx")
    }

    /// One line, no list (RFC 5321 §3.2).
    func heloReply() -> Reply {
        if let style = profile.style { return filled(ReplyCode(known: 250), nil, style.helo) }
        return Reply(250, nil, profile.hostname)
    }

    /// RFC 5321 §4.1.1.1: the domain, then one extension a line, in a fixed order.
    func ehloReply() -> Reply {
        if let style = profile.style { return styledEHLOReply(style) }
        var wire: [UInt8] = []
        wire.reserveCapacity(320)
        var lastLine = 0
        wire.append("250-")
        wire.append(contentsOf: profile.hostname.utf8)
        wire.append("\r\n")
        func line(_ capability: Capability, _ text: StaticString, _ more: String = "") {
            guard capabilities.contains(capability) else { return }
            lastLine = wire.count
            wire.append("250-")
            wire.append(text)
            wire.append(contentsOf: more.utf8)
            wire.append("\r\n")
        }
        line(.pipelining, "PIPELINING")
        // 0: no fixed limit (RFC 1870 §4).
        line(.size, "SIZE ", String(profile.limits.messageSize > 0 ? profile.limits.messageBound : 0))
        line(.eightBitMIME, "8BITMIME")
        line(.smtpUTF8, "SMTPUTF8")
        line(.chunking, "CHUNKING")
        line(.binaryMIME, "BINARYMIME")
        line(.dsn, "DSN")
        line(.enhancedStatusCodes, "ENHANCEDSTATUSCODES")
        line(.startTLS, "STARTTLS")
        line(.auth, "AUTH PLAIN LOGIN")
        line(.limits, "LIMITS ", profile.limits.announcement)
        line(.help, "HELP")
        wire[lastLine + 3] = .space
        return Reply(code: ReplyCode(known: 250), enhanced: nil, wire: wire)
    }

    /// RFC 5321 §4.1.1.8; says nothing about users (RFC 5321 §7.3), and lists what would be obeyed.
    func helpReply() -> Reply {
        var verbs = "EHLO HELO MAIL RCPT DATA RSET NOOP VRFY QUIT HELP"
        if capabilities.contains(.chunking) { verbs += " BDAT" }
        if capabilities.contains(.startTLS) { verbs += " STARTTLS" }
        if capabilities.contains(.auth) { verbs += " AUTH" }
        let status = capabilities.contains(.enhancedStatusCodes) ? EnhancedStatus(2, 0, 0) : nil
        let title = profile.style?.helpTitle ?? "fakemx, a fake MX, understands:"
        return Reply(ReplyCode(known: 214), status, lines: [title, verbs])
    }

    /// The 250 behind the final dot that names what was stored.
    func queuedReply(_ id: String) -> Reply {
        if let style = profile.style { return styledQueuedReply(id, style) }
        var wire: [UInt8] = []
        wire.reserveCapacity(64)
        let hasStatus = capabilities.contains(.enhancedStatusCodes)
        wire.append(hasStatus ? "250 2.0.0 Ok: queued as " : "250 Ok: queued as ")
        for octet in id.utf8 { wire.append(octet.isVisible ? octet : UInt8(ascii: "?")) }
        wire.append("\r\n")
        return Reply(
            code: ReplyCode(known: 250), enhanced: hasStatus ? EnhancedStatus(2, 0, 0) : nil, wire: wire)
    }

    /// A reply that ends the session at any moment: 421 with our host name (RFC 5321 §3.8).
    package func farewell(_ enhanced: EnhancedStatus?, _ text: String) -> Reply {
        let status = capabilities.contains(.enhancedStatusCodes) ? enhanced : nil
        return Reply(ReplyCode(known: 421), status, "\(profile.hostname) \(text)")
    }
}

extension Limits {
    /// Below this no session could be spoken; a smaller `commandLine` is raised to it.
    static let shortestCommandLine = 16
    /// Where no limit is announced, a message still ends somewhere, in octets.
    static let hardMessageSize = 1 << 30
    /// RFC 9422 §4: a limit in the EHLO list has six digits at most, and is never 0.
    static let largestAnnounced = 999_999

    var messageBound: Int { messageSize > 0 ? min(messageSize, Self.hardMessageSize) : Self.hardMessageSize }
    /// What is enforced is what is announced (RFC 9422 §3).
    var recipientBound: Int { min(max(recipients, 1), Self.largestAnnounced) }
    var transactionBound: Int { min(max(transactions, 1), Self.largestAnnounced) }
    var announcement: String { "RCPTMAX=\(recipientBound) MAILMAX=\(transactionBound)" }
}
