// The rules of the layer helo: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let helo: [SenderRule] = [
        SenderRule(
            .heloMissing, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.1.1, §4.1.4"),
        SenderRule(
            .heloNoArgument, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.1.1 (ehlo / helo grammar); Gmail SMTP errors (501 5.5.4 empty HELO/EHLO argument)"),
        SenderRule(
            .heloInvalidCharacters, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.2 (last paragraph: underscore not permitted), §2.3.5"),
        SenderRule(
            .heloNotFqdn, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §2.3.5, §4.1.1.1"),
        SenderRule(
            .heloLocalhost, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §2.3.5, §4.1.4; RFC 6761 §6.3; rspamd RECEIVED_HELO_LOCALHOST"),
        SenderRule(
            .heloBareIp, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.3, §2.3.5; WttW"),
        SenderRule(
            .heloLiteralSyntax, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.3"),
        SenderRule(
            .heloUnresolvable, .core, .must, needs: .dns,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §2.3.5 (only resolvable FQDNs; EHLO name resolves to an address RR)"),
        SenderRule(
            .heloNameNotPeer, .core, .reputation, needs: .dns,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.4; WttW"),
        SenderRule(
            .heloOldHelo, .core, .should, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.1.1, §2.2.1, §3.2"),
        SenderRule(
            .heloLiteralMismatch, .extra, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.3, §4.1.4; haraka-plugin-helo.checks 'literal_mismatch'"),
        SenderRule(
            .heloLiteralUsed, .extra, .info, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §2.3.4, §4.1.4"),
        SenderRule(
            .heloTrailingText, .extra, .should, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.1.1"),
        SenderRule(
            .heloNotMatchingPtr, .extra, .reputation, needs: .dns,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "WttW"),
        SenderRule(
            .heloReceiverName, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.1.1 (argument is the name of the SMTP client)"),
        SenderRule(
            .heloNonAscii, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 6531 §3.7.1; RFC 5321 §2.4"),
        SenderRule(
            .heloNoFallback, .extra, .should, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §3.2, §2.2.1"),
        SenderRule(
            .heloChangesInSession, .extra, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "WttW haraka-plugin-helo.checks 'host_mismatch'"),
        SenderRule(
            .heloChangesOverTime, .extra, .reputation, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "WttW"),
        SenderRule(
            .heloRepeated, .extra, .info, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.4 (permitted, acts as RSET); Exim smtp_accept_max_nonmail=10"),
    ]
}
