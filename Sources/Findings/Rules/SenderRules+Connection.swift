// The rules of the layer connection: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let connection: [SenderRule] = [
        SenderRule(
            .connNoPtr, .core, .reputation, needs: .dns,
            what: "Connects from an address that has no reverse name.",
            why: """
                Large receivers refuse or defer mail from addresses without a PTR record, since hosts that are meant \
                to send mail have one.
                """,
            fix: "Have whoever runs the network set a PTR record for each address from which mail is sent.",
            citation: "RFC 8601 §3 (iprev); Gmail sender guidelines; Apple iCloud postmaster",
            profiles: [.mx, .bulk],
            judging: .with(.names)),
        SenderRule(
            .connFcrdnsMismatch, .core, .reputation, needs: .dns,
            what: "Connects from an address whose reverse names do not lead back to it.",
            why: "A PTR record alone can claim any name; receivers believe it only when that name has the address too.",
            fix: "Give the name in the PTR record an A or AAAA record with the address of the sender.",
            citation: "RFC 8601 §3 (iprev); Validity notes on Yahoo",
            profiles: [.mx, .bulk],
            judging: .with(.names)),
        SenderRule(
            .connTooManyConcurrent, .core, .reputation, needs: .crossSession,
            what: "Holds more connections open at once than the receiver allows to one address.",
            why: "Receivers cap connections for each address, and answer those above the cap with 421 or not at all.",
            fix: "Limit the connections to one destination and queue what does not fit.",
            citation: "RFC 5321 §4.5.4.1 (last paragraph), §4.5.4.2; Orange, 3 per MX; Validity notes on Yahoo",
            excuses: [.stalled, .slowRead, .delayed]),
        SenderRule(
            .connTlsToClearPort, .core, .must, needs: .wire,
            what: "Starts a TLS handshake on a port that speaks in clear first.",
            why: """
                The server reads commands until STARTTLS was agreed upon, so a ClientHello is noise to it and the \
                connection ends.
                """,
            fix: "Use STARTTLS on ports 25 and 587, and TLS from the first octet on port 465 alone.",
            citation: """
                RFC 5321 §4.1.1 (commands are character strings ended by CRLF); RFC 8314 §3.3 (implicit TLS belongs \
                to port 465)
                """,
            excuses: .garbled),
        SenderRule(
            .connNotSmtp, .core, .must, needs: .wire,
            what: "Speaks another protocol than SMTP.",
            why: """
                Requests of HTTP or SOCKS to a mail port come from abused proxies and attacks on servers, so \
                receivers hang up and block the address.
                """,
            fix: """
                Point the client at the service that it was written for, and let nobody choose the port that it \
                connects to.
                """,
            citation: """
                RFC 5321 §4.1.1; Postfix smtpd_forbidden_commands, Postfix POSTSCREEN_README (Non-SMTP command test)
                """),
        SenderRule(
            .connMsgsPerConnection, .core, .reputation, needs: .wire,
            what: "Sends more messages over one connection than large receivers take.",
            why: """
                Receivers bound the messages of a connection so that no sender keeps it for itself; what comes \
                beyond is deferred.
                """,
            fix: """
                Say QUIT after some twenty messages and connect again, or obey the MAILMAX that the server \
                announces.
                """,
            citation: "Validity notes on Yahoo (20 per connection) and on Apple (50 per connection)",
            excuses: .garbled, profiles: [.mx, .bulk]),
        SenderRule(
            .connGenericPtr, .extra, .reputation, needs: .dns,
            what: "Connects from an address whose reverse name looks like one of an access line.",
            why: """
                Names made from the address, or with words such as dhcp and dsl, stand for machines that nobody \
                meant to send mail.
                """,
            fix: """
                Give the sending address a reverse name of your own domain that says what it is, such as \
                mta1.example.com.
                """,
            citation: "Word to the Wise, Following the SMTP rules; haraka-plugin-helo.checks 'dynamic'",
            profiles: [.mx, .bulk],
            judging: .with(.names)),
        SenderRule(
            .connRateBurst, .extra, .reputation, needs: .crossSession,
            what: "Opens connections faster than receivers tolerate.",
            why: """
                A flood of new connections looks like an attack, and costs a receiver more than the mail that comes \
                over them.
                """,
            fix: "Use a connection for several messages and limit how many are opened in a minute.",
            citation: "Orange, 1000 connections an hour",
            excuses: .leaving),
        SenderRule(
            .connHeldIdle, .extra, .reputation, needs: .timing,
            what: "Keeps the connection open and silent long after its last transaction.",
            why: """
                Each open connection takes a place that another sender waits for, so receivers cut those that do \
                nothing.
                """,
            fix: "Say QUIT a few seconds after the last message when no other is there.",
            citation: "Word to the Wise, Following the SMTP rules",
            excuses: [.stalled, .slowRead, .garbled, .replyLost, .delayed]),
        SenderRule(
            .connReconnectPerMessage, .extra, .info, needs: .crossSession,
            what: "Opens a new connection for every message although several go to the same server.",
            why: """
                Each connection costs both sides several round trips and a TLS handshake, and uses up the rate that \
                a receiver allows.
                """,
            fix: "Send the messages that wait for a server one after the other over one connection.",
            citation: "RFC 5321 §4.1.4 ('zero or more transactions in a session')",
            excuses: .leaving.union(.refused)),
        SenderRule(
            .connOverMailmax, .extra, .should, needs: .wire,
            what: "Begins more transactions in a session than the server announced that it takes.",
            why: "The server has said with LIMITS how many it takes, and answers each one more with an error.",
            fix: "Read MAILMAX in the EHLO reply and open a new connection when it is reached.",
            citation: "RFC 9422 §4.1, §3.6",
            excuses: .garbled),
    ]
}
