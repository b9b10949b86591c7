// The pack `badsmtp`: the addresses of BadSMTP, as its README ("Requesting Specific Error Responses", "Capability
// Configuration", "Authentication Testing") and its document on error codes describe them.
//
//     VERB CODE [_X.Y.Z] @anything      mail452@example.net, rcpt550_5.1.1@example.net
//
// VERB is one of mail, data, rset, quit, starttls, noop in the sender's address, or rcpt in a recipient's; a reply
// carries an enhanced code only where one is written. A sender that is a code alone is refused at MAIL, as the README's
// Python example has it. `data` is the reply to the DATA command: one document shows it behind the final dot, the tool
// says it here. At EHLO the host name speaks: helo500.example.com is answered with 500, and the first label takes
// extensions away (no8bit-nosize.example.com). A user with `badauth` in the name fails.
//
// Left to rules: the ports with delays (greeting: delay, close), `size10000` and `authplain` in the host name, VRFY.

import SMTP

enum BadSMTPGrammar: MagicGrammar {
    private static let verbs: [(word: StaticString, phase: Phase)] = [
        ("mail", .mail), ("rcpt", .rcpt), ("data", .data), ("rset", .rset), ("quit", .quit), ("starttls", .starttls),
        ("noop", .noop),
    ]

    static let phases: PhaseSet = PhaseSet(verbs.map { PhaseSet($0.phase) }).union([PhaseSet(.ehlo), PhaseSet(.auth)])

    /// Everything behind MAIL is asked for in the sender's address, but for RCPT.
    static func subject(at phase: Phase) -> MagicSubject {
        switch phase {
        case .ehlo: .helo
        case .auth: .user
        case .rcpt: .recipients
        default: .sender
        }
    }

    static func mightBeMagic(_ address: [UInt8]) -> Bool {
        func isDigit(_ index: Int) -> Bool { index < address.count && (48...57).contains(address[index]) }
        func isCode(_ start: Int) -> Bool { isDigit(start) && isDigit(start + 1) && isDigit(start + 2) }
        return isCode(0)
            || verbs.contains { isCode($0.word.utf8CodeUnitCount) && Magic.begins(address[...], $0.word) }
    }

    static func read(_ text: String, at phase: Phase) -> Magic? {
        switch phase {
        case .ehlo: return readHost(text)
        case .auth:
            return text.asciiLowercased.contains("badauth") ? Magic(.badsmtp, "badauth", code: 535, nil) : nil
        default: break
        }
        guard let verb = verbs.first(where: { $0.phase == phase })?.word.description, text.contains("@") else {
            return nil
        }
        let local = String(Magic.localPart(text)).asciiLowercased
        if phase == .mail, let code = Magic.digits(local) { return Magic(.badsmtp, text, code: code, nil) }
        guard local.hasPrefix(verb) else { return nil }
        let parts = local.dropFirst(verb.count).split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        guard let code = Magic.digits(parts[0]) else { return nil }
        guard parts.count == 2 else { return Magic(.badsmtp, text, code: code, nil) }
        guard let enhanced = EnhancedStatus(parts[1]) else { return nil }
        return Magic(.badsmtp, text, code: code, enhanced)
    }

    // MARK: Host names

    private static let extensions: [String: Capability] = [
        "no8bit": .eightBitMIME, "nosize": .size, "nopipelining": .pipelining, "nostarttls": .startTLS,
        "nochunking": .chunking, "nosmtputf8": .smtpUTF8, "noenhancedstatuscodes": .enhancedStatusCodes,
        "noauth": .auth,
    ]

    private static func readHost(_ name: String) -> Magic? {
        let label = name.prefix { $0 != "." }
        let lower = String(label).asciiLowercased
        if lower.hasPrefix("helo") || lower.hasPrefix("ehlo"), label.endIndex < name.endIndex,
            let code = Magic.digits(lower.dropFirst(4))
        {
            return Magic(.badsmtp, name, code: code, nil)
        }
        let parts = lower.split(separator: "-")
        if parts.contains("reject") || parts.contains("noehl") { return Magic(.badsmtp, name, code: 502, nil) }
        let hidden = CapabilitySet(parts.compactMap { extensions[String($0)] })
        return hidden.isEmpty ? nil : Magic(.badsmtp, name, [.hide(hidden)])
    }
}
