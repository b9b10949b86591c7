// Replies in the words of another server (ServerStyle). Nothing here runs in a session without a style.

extension Session {
    /// RFC 5321 §4.5.3.1.5: a reply line has 512 octets with its CRLF.
    private static let longestLine = 510

    func styled(_ reply: StandardReply, _ style: ServerStyle) -> Reply {
        let hasStatus = capabilities.contains(.enhancedStatusCodes)
        switch style.words(reply) {
        case .usual: return reply.reply(status: hasStatus)
        case .fixed(let with, let without): return hasStatus ? with : without
        case .phrase(let code, let enhanced, let phrase):
            return filled(code, hasStatus ? enhanced : nil, phrase)
        }
    }

    /// - Parameter id: of the message, in the reply to the final dot.
    func filled(_ code: ReplyCode, _ enhanced: EnhancedStatus?, _ phrase: Phrase, id: String = "") -> Reply {
        var wire = Array("\(code.value) ".utf8)
        if let enhanced { wire += Array("\(enhanced) ".utf8) }
        append(phrase, id, to: &wire)
        wire.append("\r\n")
        return Reply(code: code, enhanced: enhanced, wire: wire)
    }

    /// RFC 3463 §3.7: Exchange says 2.6.0 here, everybody else 2.0.0.
    func styledQueuedReply(_ id: String, _ style: ServerStyle) -> Reply {
        let hasStatus = capabilities.contains(.enhancedStatusCodes)
        return filled(ReplyCode(known: 250), hasStatus ? style.queuedStatus : nil, style.queued, id: id)
    }

    /// The server's order, then what is in force beyond it (RFC 5321 §4.1.1.1).
    func styledEHLOReply(_ style: ServerStyle) -> Reply {
        var lines: [[UInt8]] = []
        var first = Array("250-".utf8)
        append(style.ehlo, "", to: &first)
        lines.append(first)
        var named: CapabilitySet = []
        func line(_ capability: Capability) {
            named.insert(CapabilitySet(capability))
            guard capabilities.contains(capability) else { return }
            lines.append(Array("250-\(listText(capability))".utf8))
        }
        for entry in style.list {
            switch entry {
            case .capability(let capability): line(capability)
            case .word(let word): lines.append(Array("250-\(word)".utf8))
            }
        }
        for capability in Capability.allCases where !named.contains(capability) { line(capability) }
        lines[lines.count - 1][3] = .space
        return Reply(code: ReplyCode(known: 250), enhanced: nil, wire: lines.flatMap { $0 + [.cr, .lf] })
    }

    private func listText(_ capability: Capability) -> String {
        switch capability {
        // 0: no fixed limit (RFC 1870 §4).
        case .size: "SIZE \(profile.limits.messageSize > 0 ? profile.limits.messageBound : 0)"
        case .auth: "AUTH PLAIN LOGIN"
        case .limits: "LIMITS \(profile.limits.announcement)"
        default: capability.keyword
        }
    }

    private func append(_ phrase: Phrase, _ id: String, to line: inout [UInt8]) {
        for piece in phrase.pieces {
            switch piece {
            case .text(let text): line += text
            case .gap(let gap):
                // What came from the client, or may hold UTF-8, must not break the line.
                for octet in value(of: gap, id) { line.append((32...126).contains(octet) ? octet : UInt8(ascii: "?")) }
            }
        }
        if line.count > Self.longestLine { line.removeSubrange(Self.longestLine...) }
    }

    private func value(of gap: Phrase.Gap, _ id: String) -> [UInt8] {
        switch gap {
        case .host: Array(profile.hostname.utf8)
        case .helo: helo ?? []
        case .client: client.map { Array("[\($0)]".utf8) } ?? helo ?? []
        case .peer: client.map { Array(" [\($0)]".utf8) } ?? []
        case .from: transaction?.reversePath.address ?? []
        case .to: transaction?.recipients.last?.address ?? []
        case .id: Array(id.utf8)
        case .number: Array(String(digest(id.utf8) % 10_000_000_000).utf8)
        case .token: token(digest(profile.hostname.utf8))
        }
    }

    private func token(_ digest: UInt64) -> [UInt8] {
        Array("\(String(digest >> 40, radix: 16))si\(digest % 1_000_000_000)".utf8)
    }
}

/// FNV-1a. Same octets, same number: a transcript stays the same when the same is said again.
private func digest(_ octets: some Sequence<UInt8>) -> UInt64 {
    octets.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}
