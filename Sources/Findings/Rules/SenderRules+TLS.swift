// The rules of the layer tls: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let tls: [SenderRule] = [
        SenderRule(
            .tlsNotUsed, .core, .reputation, needs: .wire,
            what: "Hands over mail in clear although STARTTLS was offered.",
            why: """
                In clear everyone on the way can read the mail; large receivers ask for TLS and mark what came \
                without it.
                """,
            fix: "Use STARTTLS whenever the EHLO reply lists it.",
            citation: "RFC 3207 §6; Gmail sender guidelines (TLS required since December 2023)",
            excuses: [.tls, .garbled, .tlsBefore]),
        SenderRule(
            .tlsStarttlsNotOffered, .core, .must, needs: .wire,
            what: "Sends STARTTLS although the server did not offer it.",
            why: "Commands of an extension are for servers that list it; this one can only answer with an error.",
            fix: "Send STARTTLS only when the last EHLO reply listed it.",
            citation: "RFC 3207 §4; RFC 5321 §2.2.2",
            excuses: .garbled),
        SenderRule(
            .tlsDataAfterStarttls, .core, .must, needs: .wire,
            what: "Sends octets in clear behind STARTTLS before the handshake.",
            why: """
                Whatever stands there could have been put in by somebody on the way, so servers throw it away or end \
                the session.
                """,
            fix: "Make STARTTLS the last command of a group, and wait for the 220 before the ClientHello.",
            citation: "RFC 3207 §4, §4.2; Gmail SMTP errors (454 4.5.0)",
            excuses: .garbled),
        SenderRule(
            .tlsNoEhloAfter, .core, .must, needs: .wire,
            what: "Goes on inside TLS without a new EHLO.",
            why: """
                With the handshake the server forgets who speaks and what was offered, so commands of mail are \
                answered 503.
                """,
            fix: "Send EHLO as the first command behind the handshake.",
            citation: "RFC 3207 §4.2; RFC 5321 §4.1.1.1",
            excuses: [.garbled, .tls]),
        SenderRule(
            .tlsEhloNameDiffers, .core, .reputation, needs: .wire,
            what: "Uses another EHLO name behind the handshake than before it.",
            why: "One client has one name; two in a session point to a proxy or a library with two settings.",
            fix: "Use the same configured name in every EHLO.",
            citation: "Word to the Wise, Following the SMTP rules; haraka-plugin-helo.checks 'host_mismatch'",
            excuses: .garbled),
        SenderRule(
            .tlsStarttlsTwice, .core, .must, needs: .wire,
            what: "Sends STARTTLS inside TLS.",
            why: "A second layer cannot be started, so the server can only refuse it.",
            fix: "Never send STARTTLS when TLS is active, not even when the server offers it again.",
            citation: "RFC 3207 §4.2",
            excuses: .garbled),
        SenderRule(
            .tlsVersionTooOld, .core, .must, needs: .tlsHello,
            what: "Offers no version of TLS newer than 1.1, or still offers SSL 3.0.",
            why: """
                These versions are broken and retired; servers of today refuse the handshake, and the mail does not \
                arrive or goes in clear.
                """,
            fix: "Use a TLS library that speaks TLS 1.2 and 1.3, and switch older versions off.",
            citation: "RFC 8996 §4, §5; RFC 9325 §3.1.1"),
        SenderRule(
            .tlsWeakCiphers, .core, .must, needs: .tlsHello,
            what: "Offers cipher suites that must not be used.",
            why: """
                Suites without encryption, of export grade, with RC4 or with keys below 112 bits protect nothing \
                against those who read along.
                """,
            fix: "Take them out of the configuration of the TLS library; its default list has none of them today.",
            citation: "RFC 9325 §4.1"),
        SenderRule(
            .tlsNoSni, .core, .should, needs: .tlsHello,
            what: "Names no server in the ClientHello.",
            why: """
                A host that serves several names picks its certificate by it; without it MTA-STS and DANE clients \
                may be shown a wrong one.
                """,
            fix: "Pass the name of the MX host to the TLS library as server name (SNI).",
            citation: "RFC 9325 §3.7; RFC 8461 §7.1; RFC 7672 §8.1"),
        SenderRule(
            .tlsBadCertAcceptedSubmission, .core, .must, needs: .probe,
            what: "A submission client goes on although the certificate of the server is not to be trusted.",
            why: "Anyone on the way could show such a certificate, and gets the user's password and mail.",
            fix: """
                Check the chain, the dates and the host name of the certificate, and end the session when they do \
                not hold.
                """,
            citation: "RFC 8314 §4.4, §5.3"),
        SenderRule(
            .tlsBadCertAcceptedRelay, .core, .info, needs: .probe,
            what: "Hands over mail although the certificate of the server is not to be trusted.",
            why: """
                Opportunistic TLS does so on purpose; under MTA-STS in enforce mode, or with DANE, the mail must not \
                be sent.
                """,
            fix: """
                Nothing, where TLS is opportunistic; otherwise check the certificate as the policy of the \
                recipient's domain asks.
                """,
            citation: "RFC 3207 §4.1; RFC 8461 §4.2, §5; RFC 7672 §3"),
        SenderRule(
            .tlsClearAfterFailure, .core, .reputation, needs: .probe,
            what: "Hands over mail in clear after STARTTLS was refused.",
            why: """
                Whoever can make STARTTLS fail can then read the mail; a temporary failure of TLS is a reason to \
                come again.
                """,
            fix: "After a refused STARTTLS say QUIT and try again later, at least where a policy asks for TLS.",
            citation: "RFC 3207 §4, §6; RFC 8461 §5",
            excuses: .garbled),
        SenderRule(
            .tlsStarttlsArgument, .extra, .must, needs: .wire,
            what: "Sends STARTTLS with an argument.",
            why: "The command has none, and servers answer 501 instead of starting TLS.",
            fix: "Send STARTTLS and nothing behind it.",
            citation: "RFC 3207 §4 (501: no parameters allowed)"),
        SenderRule(
            .tlsNoHandshakeAfter220, .extra, .must, needs: .wire,
            what: "Answers the 220 to STARTTLS with something else than a TLS handshake.",
            why: """
                The server expects a ClientHello; anything else ends the session, and commands in clear are what an \
                attacker would send.
                """,
            fix: "Start the handshake at once when the 220 has come.",
            citation: "RFC 3207 §4",
            excuses: [.tls, .garbled]),
        SenderRule(
            .tlsStaleCapability, .extra, .must, needs: .probe,
            what: "Uses an extension that was offered before the handshake but not inside TLS.",
            why: """
                What was offered in clear may have been forged, so only the list inside TLS counts; the server \
                answers with an error.
                """,
            fix: "Forget the EHLO reply at the handshake and use the one that comes behind it.",
            citation: "RFC 3207 §4.2; RFC 9422 §3.6 (limits of the last EHLO only)",
            excuses: .garbled),
        SenderRule(
            .tlsNoTls13, .extra, .info, needs: .tlsHello,
            what: "Offers no TLS 1.3.",
            why: """
                TLS 1.2 is still good, but TLS 1.3 is quicker to set up and leaves out what made earlier versions \
                weak.
                """,
            fix: "Use a TLS library that speaks TLS 1.3.",
            citation: "RFC 9325 §3.1.1"),
        SenderRule(
            .tlsNoForwardSecrecy, .extra, .should, needs: .tlsHello,
            what: "Offers only cipher suites without forward secrecy.",
            why: """
                Whoever records the session and gets the server's key later can read it; servers of today refuse \
                such suites.
                """,
            fix: "Offer suites with ECDHE, or TLS 1.3.",
            citation: "RFC 9325 §4.1, §7.3"),
        SenderRule(
            .tlsRequiretlsMisuse, .extra, .must, needs: .wire,
            what: "Uses the MAIL parameter REQUIRETLS in clear, where it was not offered, or with a value.",
            why: """
                It promises the author that every hop is protected, which a server that did not offer it, or a \
                session in clear, cannot keep.
                """,
            fix: "Send REQUIRETLS without a value, inside TLS, to servers that list it there.",
            citation: "RFC 8689 §2",
            excuses: .garbled),
        SenderRule(
            .tlsNoCloseNotify, .extra, .info, needs: .wire,
            what: "Ends TLS without close_notify.",
            why: "Without it the other side cannot tell the end of the session from a connection that somebody cut.",
            fix: "Shut the TLS layer down before the connection is closed.",
            citation: "RFC 8446 §6.1",
            judging: .never(because: "the record of a session does not tell a close_notify from a FIN")),
    ]
}
