// The rules of the layer helo: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let helo: [SenderRule] = [
        SenderRule(
            .heloMissing, .core, .must, needs: .wire,
            what: "Starts a mail transaction without EHLO or HELO.",
            why: "The server has to know who speaks and which extensions are in use; most answer 503.",
            fix: "Send EHLO with the client's name after the greeting and wait for its 250.",
            citation: "RFC 5321 §4.1.1.1, §4.1.4",
            excuses: [.refused, .garbled, .stalled]),
        SenderRule(
            .heloNoArgument, .core, .must, needs: .wire,
            what: "Sends EHLO or HELO without a name.",
            why: "The grammar asks for one, and servers answer 501, so that the session cannot begin.",
            fix: "Send the client's domain name, or its address as a literal, behind EHLO.",
            citation: "RFC 5321 §4.1.1.1 (ehlo and helo); Gmail SMTP errors (501 5.5.4, empty argument)"),
        SenderRule(
            .heloInvalidCharacters, .core, .must, needs: .wire,
            what: "Gives an EHLO name with characters or a form that a host name may not have.",
            why: """
                Only letters, digits and hyphens, with dots between labels, make a domain; receivers refuse names \
                with underscores and the like.
                """,
            fix: "Use a host name that is a valid domain, or set another name for EHLO.",
            citation: "RFC 5321 §4.1.2 (last paragraph: underscore not permitted), §2.3.5"),
        SenderRule(
            .heloNotFqdn, .core, .must, needs: .wire,
            what: "Gives an EHLO name that is not fully qualified.",
            why: "A single label means nothing outside of the sender's own network, and many receivers refuse it.",
            fix: "Configure the full name of the host, with its domain, as the EHLO name.",
            citation: "RFC 5321 §2.3.5, §4.1.1.1"),
        SenderRule(
            .heloLocalhost, .core, .must, needs: .wire,
            what: "Introduces itself as localhost, or with a name of a local network.",
            why: """
                Such names belong to every machine and to none; spam programs use them, and filters score them \
                heavily.
                """,
            fix: "Configure the public name of the host as the EHLO name.",
            citation: "RFC 5321 §2.3.5, §4.1.4; RFC 6761 §6.3; rspamd RECEIVED_HELO_LOCALHOST"),
        SenderRule(
            .heloBareIp, .core, .must, needs: .wire,
            what: "Gives an IP address without brackets in place of a name.",
            why: """
                An address without brackets is neither a domain nor a literal, and is typical of programs written in \
                haste.
                """,
            fix: "Send a host name, or write the address as [192.0.2.1] or [IPv6:2001:db8::1].",
            citation: "RFC 5321 §4.1.3, §2.3.5; Word to the Wise, Following the SMTP rules"),
        SenderRule(
            .heloLiteralSyntax, .core, .must, needs: .wire,
            what: "Gives an address literal that is not well formed.",
            why: """
                Servers read the literal by a strict grammar, in which IPv6 has a tag in front, and refuse what does \
                not fit.
                """,
            fix: "Write [192.0.2.1] for IPv4 and [IPv6:2001:db8::1] for IPv6.",
            citation: "RFC 5321 §4.1.3"),
        SenderRule(
            .heloUnresolvable, .core, .must, needs: .dns,
            what: "Gives an EHLO name that does not exist in the DNS.",
            why: """
                The name is to be that of the host, with an address; a name that nobody can look up says that it is \
                made up.
                """,
            fix: "Use a name that has an A or AAAA record.",
            citation: "RFC 5321 §2.3.5, §4.1.4",
            profiles: [.mx, .bulk],
            judging: .with(.names)),
        SenderRule(
            .heloNameNotPeer, .core, .reputation, needs: .dns,
            what: "Gives an EHLO name that belongs to another address than the one it connects from.",
            why: "Receivers may not refuse for this alone, but filters count it, since the name may be borrowed.",
            fix: "Give the EHLO name an A or AAAA record with the address that the mail leaves from.",
            citation: "RFC 5321 §4.1.4; Word to the Wise, Following the SMTP rules",
            profiles: [.mx, .bulk],
            judging: .with(.names)),
        SenderRule(
            .heloOldHelo, .core, .should, needs: .wire,
            what: "Starts with HELO although EHLO was not refused.",
            why: """
                HELO gives up every extension, TLS among them, and among senders of today it marks scripts and \
                malware.
                """,
            fix: "Send EHLO first, and HELO only when EHLO is answered with 500 or 502.",
            citation: "RFC 5321 §4.1.1.1, §2.2.1, §3.2",
            excuses: [.ehloRefused, .garbled]),
        SenderRule(
            .heloLiteralMismatch, .extra, .reputation, needs: .wire,
            what: "Gives an address literal of another address than the one it connects from.",
            why: "A literal is all that such a client says of itself, and here the receiver sees that it is wrong.",
            fix: "Send the client's host name, or the address that the connection really has.",
            citation: "RFC 5321 §4.1.3, §4.1.4; haraka-plugin-helo.checks 'literal_mismatch'"),
        SenderRule(
            .heloLiteralUsed, .extra, .info, needs: .wire,
            what: "Gives an address literal although hosts are to be known by their names.",
            why: """
                It is allowed where a host has no name, but servers that send mail have one, so filters hold it \
                against them.
                """,
            fix: "Give the host a name in the DNS and send it with EHLO.",
            citation: "RFC 5321 §2.3.4, §4.1.4",
            profiles: [.mx, .bulk]),
        SenderRule(
            .heloTrailingText, .extra, .should, needs: .wire,
            what: "Puts further words behind the name in EHLO.",
            why: "The grammar ends behind the name; a strict server answers 501.",
            fix: "Send nothing behind the name or the literal.",
            citation: "RFC 5321 §4.1.1.1"),
        SenderRule(
            .heloNotMatchingPtr, .extra, .reputation, needs: .dns,
            what: "Gives an EHLO name that differs from the reverse name of its address.",
            why: "No standard asks for it, but the same name in both places is the easiest sign of a well kept server.",
            fix: "Use one name for EHLO, the PTR record and the address record.",
            citation: "Word to the Wise, Following the SMTP rules",
            profiles: [.mx, .bulk],
            judging: .with(.names)),
        SenderRule(
            .heloReceiverName, .extra, .must, needs: .wire,
            what: "Introduces itself with the name or the address of the receiver.",
            why: "The server knows that it is not talking to itself, so the name is a lie; many refuse it at once.",
            fix: "Send the client's own name, not that of the server it connects to.",
            citation: "RFC 5321 §4.1.1.1 (argument is the name of the SMTP client)"),
        SenderRule(
            .heloNonAscii, .extra, .must, needs: .wire,
            what: "Puts non-ASCII octets into EHLO.",
            why: "SMTPUTF8 does not reach EHLO, since it is not agreed upon yet; servers answer 501.",
            fix: "Send internationalized names as A-labels (xn--…).",
            citation: "RFC 6531 §3.7.1; RFC 5321 §2.4"),
        SenderRule(
            .heloNoFallback, .extra, .should, needs: .probe,
            what: "Leaves instead of trying HELO when EHLO is not known.",
            why: "Some servers, and firewalls in front of them, know HELO alone, and mail to them would never arrive.",
            fix: "Answer a 500 or 502 to EHLO with HELO.",
            citation: "RFC 5321 §3.2, §2.2.1",
            excuses: [.cut, .stalled, .garbled, .limit]),
        SenderRule(
            .heloChangesInSession, .extra, .reputation, needs: .wire,
            what: "Uses different names in the EHLO commands of one session.",
            why: "One client has one name; several in a session point to a proxy or to malware.",
            fix: "Use the same configured name in every EHLO.",
            citation: "Word to the Wise, Following the SMTP rules; haraka-plugin-helo.checks 'host_mismatch'",
            excuses: .garbled),
        SenderRule(
            .heloChangesOverTime, .extra, .reputation, needs: .crossSession,
            what: "Shows many different EHLO names from one address.",
            why: "A mail server has one name; changing ones are what spam programs make up for each connection.",
            fix: "Configure one EHLO name for each address that mail leaves from.",
            citation: "Word to the Wise, Following the SMTP rules",
            profiles: [.mx, .bulk]),
        SenderRule(
            .heloRepeated, .extra, .info, needs: .wire,
            what: "Sends EHLO again without a reason.",
            why: """
                It is allowed and acts as RSET, but it costs a round trip, and receivers bound the commands that \
                bring no mail.
                """,
            fix: "Send EHLO once, and again only after STARTTLS, after AUTH or after an error.",
            citation: "RFC 5321 §4.1.4 (permitted, acts as RSET); Exim smtp_accept_max_nonmail",
            excuses: .outOfStep),
    ]
}
