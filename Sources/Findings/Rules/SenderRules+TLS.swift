// The rules of the layer tls: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let tls: [SenderRule] = [
        SenderRule(
            .tlsNotUsed, .core, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3207 §6 (option of using TLS when possible SHOULD be provided); Gmail sender guidelines (TLS required since Dec. 2023)"),
        SenderRule(
            .tlsStarttlsNotOffered, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3207 §4; RFC 5321 §2.2.2 (additional verbs belong to announced extensions)"),
        SenderRule(
            .tlsDataAfterStarttls, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3207 §4 (STARTTLS last in a pipelined group; TLS MUST start before other commands); Gmail SMTP errors (454 4.5.0);"),
        SenderRule(
            .tlsNoEhloAfter, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3207 §4.2 (state reset; client SHOULD send EHLO first, MUST discard earlier knowledge); RFC 5321 §4.1.1.1"),
        SenderRule(
            .tlsEhloNameDiffers, .core, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "WttW haraka-plugin-helo.checks 'host_mismatch'"),
        SenderRule(
            .tlsStarttlsTwice, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3207 §4.2"),
        SenderRule(
            .tlsVersionTooOld, .core, .must, needs: .tlsHello,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 8996 §4, §5; RFC 9325 §3.1.1"),
        SenderRule(
            .tlsWeakCiphers, .core, .must, needs: .tlsHello,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 9325 §4.1"),
        SenderRule(
            .tlsNoSni, .core, .should, needs: .tlsHello,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 9325 §3.7; RFC 8461 §7.1; RFC 7672 §8.1 (DANE clients)"),
        SenderRule(
            .tlsBadCertAcceptedSubmission, .core, .must, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 8314 §5.3 (certificate validation by MUAs)"),
        SenderRule(
            .tlsBadCertAcceptedRelay, .core, .info, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3207 §4.1; RFC 8461 §4.2, §5; RFC 7672 §3"),
        SenderRule(
            .tlsClearAfterFailure, .core, .reputation, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3207 §4 (SHOULD abort the connection), §6 (three choices); RFC 8461 §5"),
        SenderRule(
            .tlsStarttlsArgument, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3207 §4 (501: no parameters allowed)"),
        SenderRule(
            .tlsNoHandshakeAfter220, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3207 §4"),
        SenderRule(
            .tlsStaleCapability, .extra, .must, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3207 §4.2; RFC 9422 §3.6 (limits of the last EHLO only)"),
        SenderRule(
            .tlsNoTls13, .extra, .info, needs: .tlsHello,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 9325 §3.1.1"),
        SenderRule(
            .tlsNoForwardSecrecy, .extra, .should, needs: .tlsHello,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 9325 §4.1, §7.3"),
        SenderRule(
            .tlsRequiretlsMisuse, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 8689 §2"),
        SenderRule(
            .tlsNoCloseNotify, .extra, .info, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 8446 §6.1"),
    ]
}
