// The rules of the layer connection: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let connection: [SenderRule] = [
        SenderRule(
            .connNoPtr, .core, .reputation, needs: .dns,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 8601 §3 (iprev); Gmail sender guidelines Apple iCloud postmaster"),
        SenderRule(
            .connFcrdnsMismatch, .core, .reputation, needs: .dns,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 8601 §3 (iprev); Validity notes on Yahoo"),
        SenderRule(
            .connTooManyConcurrent, .core, .reputation, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.5.4.1 (last paragraph), §4.5.4.2; Orange 3 per MX Validity notes on Yahoo"),
        SenderRule(
            .connTlsToClearPort, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.1 (commands are character strings ended by CRLF); RFC 8314 §3.3 (implicit TLS belongs to port 465)"),
        SenderRule(
            .connNotSmtp, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.1; Postfix smtpd_forbidden_commands, Postfix POSTSCREEN_README (Non-SMTP command test)"),
        SenderRule(
            .connMsgsPerConnection, .core, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "Validity notes on Yahoo (20 per connection); Apple 50 per connection (Validity)"),
        SenderRule(
            .connGenericPtr, .extra, .reputation, needs: .dns,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "WttW haraka-plugin-helo.checks 'dynamic'"),
        SenderRule(
            .connRateBurst, .extra, .reputation, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "Orange 1000 connects per hour"),
        SenderRule(
            .connHeldIdle, .extra, .reputation, needs: .timing,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "WttW"),
        SenderRule(
            .connReconnectPerMessage, .extra, .info, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.4 ('zero or more transactions in a session')"),
        SenderRule(
            .connOverMailmax, .extra, .should, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 9422 §4.1, §3.6"),
    ]
}
