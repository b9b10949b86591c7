// The rules of the layer envelope: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let envelope: [SenderRule] = [
        SenderRule(
            .cmdBareLf, .core, .must, needs: .wire,
            what: "Ends a command line with LF alone.",
            why: """
                Where one server takes a bare LF for a line end and the next does not, commands can be smuggled \
                past the first, so receivers refuse or disconnect.
                """,
            fix: "End every command line with CR LF.",
            citation: "RFC 5321 §2.3.8, §4.1.1.4; Postfix POSTSCREEN_README (Bare newline test)"),
        SenderRule(
            .cmdBareCr, .core, .must, needs: .wire,
            what: "Sends a CR that no LF follows in a command line.",
            why: "Receivers disagree on whether a lone CR ends a line, so strict ones refuse the command.",
            fix: "Send CR only as the first half of the CR LF that ends the line.",
            citation: "RFC 5321 §2.3.8"),
        SenderRule(
            .cmdLineTooLong, .core, .should, needs: .wire,
            what: "Sends a command line longer than receivers have to take.",
            why: """
                A receiver may refuse, with 500, whatever is longer than 512 octets plus what its offered \
                extensions add.
                """,
            fix: "Keep the whole line, CR LF included, within 512 octets plus the allowance of the extensions in use.",
            citation: """
                RFC 5321 §4.5.3.1.4; RFC 1870 §3; RFC 6531 §3.1; RFC 4954 §3, §4; RFC 3030 §3; RFC 3461 §5.4; RFC \
                8689 §2
                """,
            excuses: .garbled),
        SenderRule(
            .cmd8bit, .core, .must, needs: .wire,
            what: "Sends octets outside ASCII in a command of a transaction without SMTPUTF8.",
            why: """
                Without SMTPUTF8 commands are ASCII, and receivers refuse other octets or read them in some \
                encoding of their own.
                """,
            fix: "Ask for SMTPUTF8 in MAIL where it is offered, or use an ASCII address (a domain as A-labels).",
            citation: "RFC 5321 §2.4, §4.1.2; RFC 6531 §3.2, §3.4",
            excuses: .garbled),
        SenderRule(
            .cmdUnknownVerb, .core, .must, needs: .wire,
            what: "Sends a command that is neither part of SMTP nor offered.",
            why: """
                Unknown commands are what exploits and broken clients send, so receivers count them and hang up \
                after a few.
                """,
            fix: "Send only the commands of RFC 5321 and those of extensions that the EHLO reply lists.",
            citation: "RFC 5321 §2.2.2, §4.1.5",
            excuses: .outOfStep),
        SenderRule(
            .cmdUnofferedExtension, .core, .must, needs: .wire,
            what: "Uses a command of an extension that the last EHLO reply did not offer.",
            why: "The receiver answers 502, and what follows, such as the octets of a chunk, may be read as commands.",
            fix: "Use an extension only when its keyword stands in the latest EHLO reply of this session.",
            citation: "RFC 3030 §2 (Note); RFC 4954 §4; RFC 5321 §2.2.2",
            excuses: .outOfStep),
        SenderRule(
            .cmdHeaderAsCommand, .core, .must, needs: .wire,
            what: "Sends lines of the message where commands are expected.",
            why: """
                A client that sends the message after a refusal does not read replies, and its header lines look \
                like injected commands; Postfix hangs up on them.
                """,
            fix: "Send message octets only behind a 354 (or in an announced chunk); after a refusal send RSET or QUIT.",
            citation: """
                RFC 5321 §3.3 (message data MUST NOT be sent unless 354); Postfix POSTSCREEN_README (Non-SMTP \
                command test)
                """,
            excuses: .outOfStep),
        SenderRule(
            .cmdTooManyErrors, .core, .reputation, needs: .wire,
            what: "Makes more protocol errors in one session than real servers put up with.",
            why: "Exim hangs up after three syntax errors, and other servers slow down or drop clients that make many.",
            fix: "Look at the first error of the session: the ones behind it are mostly its echo.",
            citation: """
                RFC 5321 §7.8; Exim smtp_max_synprot_errors / smtp_max_unknown_commands; Postfix \
                smtpd_hard_error_limit
                """,
            excuses: .outOfStep),
        SenderRule(
            .pipeNotOffered, .core, .must, needs: .timing,
            what: "Sends the next command before the reply to the one in front, though PIPELINING was not offered.",
            why: """
                Spam software talks without listening, so receivers that did not offer PIPELINING hang up on \
                clients that do the same.
                """,
            fix: "Wait for each reply, or send commands in groups only where the EHLO reply lists PIPELINING.",
            citation: "RFC 5321 §4.3.1 (MUST wait); RFC 2920 §3; Postfix POSTSCREEN_README (Command pipelining test)",
            excuses: .outOfStep),
        SenderRule(
            .pipeAcrossSyncPoint, .core, .must, needs: .timing,
            what: "Sends on behind a command that has to be the last of its group.",
            why: """
                The reply to EHLO, DATA, VRFY, EXPN, NOOP, QUIT or STARTTLS decides what may follow; Exim drops \
                clients that do not wait for it.
                """,
            fix: "Wait for the reply to each of these commands before sending anything else.",
            citation: "RFC 2920 §3.1; RFC 3207 §4; Exim smtp_enforce_sync; Postfix smtpd_forbid_unauth_pipelining",
            excuses: [.outOfStep, .tls]),
        SenderRule(
            .pipeContentBefore354, .core, .must, needs: .timing,
            what: "Sends octets of the message before the 354 was said.",
            why: """
                If DATA is refused the message is read as commands, so receivers that see content early drop the \
                connection.
                """,
            fix: "Send DATA as the last command of its group and wait for 354.",
            citation: "RFC 5321 §3.3 (MUST NOT be sent unless a 354 reply is received); RFC 2920 §3.1",
            excuses: .outOfStep),
        SenderRule(
            .replyMultilineMisread, .core, .must, needs: .probe,
            what: "Goes on after the first line of a reply that has more lines.",
            why: """
                The keywords that decide how to go on stand in the later lines, and the client is out of step from \
                there on.
                """,
            fix: "Read reply lines until one has a space, or nothing, behind its code.",
            citation: "RFC 2920 §3.1; RFC 5321 §4.2",
            excuses: [.stalled, .cut]),
        SenderRule(
            .mailSpaceAfterColon, .core, .must, needs: .wire,
            what: "Puts white space beside the colon of MAIL FROM: or RCPT TO:.",
            why: "The grammar has no space there; strict receivers answer 501.",
            fix: "Write MAIL FROM:< and RCPT TO:< without any space.",
            citation: "RFC 5321 §3.3 (spaces are not permitted on either side of the colon), §4.1.1.2, §4.1.1.3"),
        SenderRule(
            .mailMissingBrackets, .core, .must, needs: .wire,
            what: "Sends an envelope address without its angle brackets.",
            why: "A path is a mailbox in angle brackets, and receivers that check the grammar refuse anything else.",
            fix: "Put the address between < and >.",
            citation: "RFC 5321 §3.3, §4.1.2 (Path)"),
        SenderRule(
            .mailAddressSyntax, .core, .must, needs: .wire,
            what: "Sends an envelope address, or the argument around it, that breaks the grammar.",
            why: "Such an address can be neither delivered to nor bounced to, so receivers refuse it at once.",
            fix: """
                Check addresses against the grammar of Mailbox before they are queued; quote local parts that need \
                it.
                """,
            citation: "RFC 5321 §4.1.2"),
        SenderRule(
            .mailDomainNotFqdn, .core, .must, needs: .wire,
            what: "Sends an envelope address whose domain is missing or is a single label.",
            why: """
                A name such as web01 means nothing outside its own network; replies and bounces to it are lost, so \
                receivers refuse it.
                """,
            fix: "Complete addresses with the fully qualified domain before they leave the system.",
            citation: "RFC 5321 §2.3.5"),
        SenderRule(
            .mailLocalPartTooLong, .core, .should, needs: .wire,
            what: "Sends a local part of more than 64 octets.",
            why: "Receivers need not store more than 64 octets and may refuse the address.",
            fix: "Keep local parts within 64 octets; shorten what VERP or BATV adds.",
            citation: "RFC 5321 §4.5.3.1.1"),
        SenderRule(
            .mailDomainTooLong, .core, .should, needs: .wire,
            what: "Sends a domain of more than 255 octets, or a label of more than 63.",
            why: "The name system cannot hold such a name, so it can never be resolved.",
            fix: "Keep labels within 63 octets and names within 255.",
            citation: "RFC 5321 §4.5.3.1.2; RFC 1035 §2.3.4"),
        SenderRule(
            .mailPathTooLong, .core, .should, needs: .wire,
            what: "Sends a path of more than 256 octets, brackets included.",
            why: "Receivers need not take a longer path and may answer 501.",
            fix: "Keep the address, brackets included, within 256 octets.",
            citation: "RFC 5321 §4.5.3.1.3"),
        SenderRule(
            .mailRcptOutOfOrder, .core, .must, needs: .wire,
            what: "Sends RCPT before MAIL, or DATA or BDAT before any RCPT.",
            why: "The receiver has no transaction to put it into, answers 503, and counts an error.",
            fix: "Send MAIL, then RCPT, then the message; begin anew after RSET, EHLO or the end of a message.",
            citation: "RFC 5321 §3.3, §4.1.4",
            excuses: .outOfStep),
        SenderRule(
            .replyIgnored, .core, .must, needs: .timing,
            what: "Goes on to the next step although the one before was refused.",
            why: """
                A client that does not act on reply codes loses mail without noticing it, and receivers take it \
                for a robot.
                """,
            fix: "Act on the first digit of each reply; after a refused MAIL or DATA send RSET, QUIT or another MAIL.",
            citation: "RFC 5321 §4.2 (MUST determine its actions by the reply code), §3.3",
            excuses: .outOfStep),
        SenderRule(
            .dataAfterAllRcptRefused, .core, .should, needs: .timing,
            what: "Sends DATA although every recipient was refused and it knew.",
            why: "There is nobody to deliver to; the receiver can only answer 503 or 554.",
            fix: "When no recipient was accepted, send RSET or QUIT instead of DATA.",
            citation: "RFC 5321 §3.3; RFC 2920 §3.1",
            excuses: .outOfStep),
        SenderRule(
            .paramNotOffered, .core, .must, needs: .wire,
            what: "Sends a parameter of an extension that the last EHLO reply did not offer.",
            why: "Receivers answer 555 or 501 to parameters that they do not know, and the mail fails.",
            fix: "Add a parameter only when its keyword stands in the latest EHLO reply, and none after HELO.",
            citation: """
                RFC 5321 §4.1.1.3 (MUST NOT transmit parameters other than ...), §4.1.1.2, §4.1.1.11; RFC 3461 \
                §5.2.2(a)
                """,
            excuses: .outOfStep),
        SenderRule(
            .paramSyntax, .core, .must, needs: .wire,
            what: "Sends a parameter that breaks the grammar of keyword=value.",
            why: "The receiver cannot tell what was meant and answers 501.",
            fix: "Write keyword=value without spaces, SIZE as plain digits, SMTPUTF8 and REQUIRETLS without a value.",
            citation: "RFC 5321 §4.1.2 (esmtp-param); RFC 1870 §3; RFC 6531 §3.4; RFC 8689 §2"),
        SenderRule(
            .sizeOverLimit, .core, .should, needs: .wire,
            what: "Declares or sends a message larger than the announced maximum.",
            why: "The receiver said what it takes; the transfer is wasted and ends in 552.",
            fix: """
                Compare the size with the SIZE of the EHLO reply and return the message to its author when it is \
                larger.
                """,
            citation: "RFC 1870 §4, §6.1(2), §7",
            excuses: .garbled),
        SenderRule(
            .sizeUnderstated, .core, .should, needs: .wire,
            what: "Sends a message that is larger than the SIZE it declared.",
            why: """
                Receivers plan space and check quotas by the declared size, and may refuse a message that outgrows \
                it.
                """,
            fix: """
                Count the octets as sent, with CR LF line ends and without dot-stuffing, or declare a safe upper \
                estimate.
                """,
            citation: "RFC 1870 §5, §6, §6.3"),
        SenderRule(
            .bodyValueInvalid, .core, .must, needs: .wire,
            what: "Gives BODY a value that is none, or BINARYMIME where it was not offered.",
            why: "The receiver answers 501, or has no way to take binary content.",
            fix: "Use BODY=7BIT or BODY=8BITMIME, and BODY=BINARYMIME only where BINARYMIME and CHUNKING are offered.",
            citation: "RFC 6152 §2(4); RFC 3030 §3(3), §3(5)",
            excuses: .garbled),
        SenderRule(
            .body8bitmimeWithoutMime, .core, .must, needs: .wire,
            what: "Asks for BODY=8BITMIME for 8-bit content that is not MIME.",
            why: """
                Without MIME nobody knows the character set of the 8-bit octets, nor how to convert them for a \
                7-bit host.
                """,
            fix: "Add MIME-Version, a Content-Type with charset and Content-Transfer-Encoding: 8bit.",
            citation: "RFC 5321 §2.4 (MUST NOT be requested for material not in MIME format)"),
        SenderRule(
            .dsnNotifySyntax, .core, .must, needs: .wire,
            what: "Gives NOTIFY a value that is neither NEVER alone nor a list of SUCCESS, FAILURE and DELAY.",
            why: "The receiver answers 501, or reports on deliveries nobody asked about.",
            fix: "Send NOTIFY=NEVER, or SUCCESS, FAILURE and DELAY separated by commas.",
            citation: "RFC 3461 §4.1"),
        SenderRule(
            .dsnOrcptSyntax, .core, .must, needs: .wire,
            what: "Sends an ORCPT that is not an address type, a semicolon and xtext.",
            why: "Reports carry ORCPT back, and a value that cannot be decoded cannot be matched to a recipient.",
            fix: """
                Send ORCPT=rfc822;address with "+", "=" and all but visible ASCII as "+" and two capital \
                hexadecimal digits.
                """,
            citation: "RFC 3461 §4, §4.2"),
        SenderRule(
            .dsnRetEnvidSyntax, .core, .must, needs: .wire,
            what: "Gives RET or ENVID a bad value.",
            why: "The receiver answers 501, or the report comes back without the id it should be matched by.",
            fix: "Use RET=FULL or RET=HDRS, and ENVID as xtext of at most 100 characters.",
            citation: "RFC 3461 §4.3, §4.4"),
        SenderRule(
            .rcptOverLimit, .core, .should, needs: .wire,
            what: """
                Sends more recipients in a transaction than were announced, or goes on after "too many \
                recipients".
                """,
            why: """
                Every recipient above the limit is answered 452 and costs a round trip; many in a row look like a \
                dictionary attack.
                """,
            fix: """
                Stop at RCPTMAX or at the first 452 4.5.3, send the message, and use another transaction for the \
                rest.
                """,
            citation: "RFC 9422 §4.2; RFC 5321 §4.5.3.1.8, §4.5.3.1.10",
            excuses: .outOfStep),
        SenderRule(
            .spfFail, .core, .reputation, needs: .dns,
            what: "Uses an envelope sender whose SPF record does not let the peer send.",
            why: """
                Large receivers refuse or file as spam what passes neither SPF nor DKIM, and bulk mail that fails \
                SPF.
                """,
            fix: """
                Publish SPF for the domain of MAIL FROM and of the EHLO name with every address that sends; stay \
                within ten lookups.
                """,
            citation: """
                RFC 7208 §2.4, §4.6.4, §8.4; Gmail sender guidelines (550 5.7.27 / 5.7.26); Outlook.com 2025 high- \
                volume rules (550 5.7.515), digest
                """,
            judging: .with(.rspamd)),
        SenderRule(
            .verpMissing, .core, .info, needs: .crossSession,
            what: "Sends bulk mail whose copies all have the same return path.",
            why: """
                A bounce that does not say which recipient failed cannot clean the list, and dead addresses cost \
                reputation.
                """,
            fix: "Give each recipient a return path of its own (VERP).",
            citation: "Yahoo letter of 2001; M3AAWG Sender BCP v3 (Feb 2015)",
            profiles: [.bulk]),
        SenderRule(
            .bdatSizeWrong, .core, .must, needs: .wire,
            what: "Announces a BDAT size that is not the number of octets it sends.",
            why: """
                Nothing else ends a chunk: a wrong count turns message octets into commands or commands into \
                message.
                """,
            fix: "Count the octets after CR LF conversion, without dot-stuffing and without a final dot.",
            citation: "RFC 3030 §2 (Note on byte counting)",
            excuses: .outOfStep),
        SenderRule(
            .bdatDataMixed, .core, .must, needs: .wire,
            what: "Mixes DATA and BDAT in a transaction, sends BDAT after LAST, or DATA for BODY=BINARYMIME.",
            why: "The receiver answers 503 and the state of the transaction is undefined until RSET.",
            fix: "Send a message by DATA or by BDAT with one LAST, and binary content by BDAT alone.",
            citation: "RFC 3030 §2, §3",
            excuses: .outOfStep),
        SenderRule(
            .authInClear, .core, .should, needs: .wire,
            what: "Sends a password, or a token that is as good as one, over a connection without TLS.",
            why: "Whoever sees the traffic owns the account.",
            fix: "Begin TLS first (port 465 or STARTTLS), and refuse to log in when it fails.",
            citation: "RFC 4954 §4; RFC 4616 §4; RFC 8314 §4.1, §5.2"),
        SenderRule(
            .quitMissing, .core, .must, needs: .wire,
            what: "Drops the connection without QUIT.",
            why: """
                The receiver cannot tell a finished client from a broken network and may count the session as \
                failed.
                """,
            fix: "Send QUIT and wait for 221 before closing.",
            citation: "RFC 5321 §4.1.1.10, §4.1.4 (last command MUST be QUIT)",
            excuses: .leaving),
        SenderRule(
            .cmdControlCharacters, .extra, .must, needs: .wire,
            what: "Sends control characters inside a command.",
            why: "They have no place in the grammar, upset logs and filters, and are refused by strict receivers.",
            fix: "Strip or refuse control characters in addresses and names before they reach SMTP.",
            citation: "RFC 5321 §4.1.2"),
        SenderRule(
            .cmdArgumentNotAllowed, .extra, .must, needs: .wire,
            what: "Sends an argument with DATA, RSET or QUIT.",
            why: "These commands take none, and receivers answer 501.",
            fix: "Send the verb alone.",
            citation: "RFC 5321 §4.1.1, §4.3.2 (501)"),
        SenderRule(
            .cmdTrailingSpace, .extra, .info, needs: .wire,
            what: "Sends white space before the CR LF of a command.",
            why: "Receivers should tolerate it, but some compare arguments octet by octet.",
            fix: "Send CR LF directly behind the last character.",
            citation: "RFC 5321 §4.1.1"),
        SenderRule(
            .cmdNoise, .extra, .reputation, needs: .wire,
            what: "Sends many commands that carry no mail.",
            why: """
                Exim drops clients after ten commands without mail, and Postfix counts them as errors after a \
                hundred.
                """,
            fix: "Leave out NOOP, VRFY and needless RSET between messages.",
            citation: "Exim smtp_accept_max_nonmail; Postfix smtpd_junk_command_limit",
            excuses: .outOfStep),
        SenderRule(
            .cmdVrfyHarvest, .extra, .info, needs: .wire,
            what: "Asks VRFY or EXPN for addresses.",
            why: "It is how address lists are harvested; most servers answer 252 or 502 and note who asked.",
            fix: "Send RCPT for real mail instead.",
            citation: "RFC 5321 §7.3, §3.5",
            excuses: .outOfStep),
        SenderRule(
            .pipeAuthNotLast, .extra, .must, needs: .timing,
            what: "Sends on behind AUTH before the exchange is over.",
            why: "The receiver may take what follows for an answer to its challenge, or a password for a command.",
            fix: "Make AUTH the last command of its group and answer each challenge when it has come.",
            citation: "RFC 4954 §4",
            excuses: .outOfStep),
        SenderRule(
            .replyUnknownCode, .extra, .must, needs: .probe,
            what: "Does not cope with a reply code or a bare code that it does not know.",
            why: "Servers use codes that no list has; the first digit is all a client needs.",
            fix: "Decide by the first digit of the code, and accept replies without text.",
            citation: "RFC 5321 §4.2, §4.3.2 (MUST be prepared, interpret the first digit)",
            excuses: [.stalled, .cut]),
        SenderRule(
            .replyTextDependent, .extra, .must, needs: .probe,
            what: "Decides by the text of a reply instead of its code.",
            why: "Texts differ between servers and versions, so the same refusal is handled in different ways.",
            fix: "Decide by the code, and by the enhanced status code where there is one.",
            citation: "RFC 5321 §4.2",
            judging: .never(
                because: "it takes runs that differ in the text of a reply alone, and somebody to compare them")),
        SenderRule(
            .reply421Ignored, .extra, .should, needs: .probe,
            what: "Goes on after 421.",
            why: "The service is closing; whatever is sent now is lost or counted as abuse.",
            fix: "After 421 close, or send QUIT, and try again later.",
            citation: "RFC 5321 §3.8, §4.2.1"),
        SenderRule(
            .mailDisplayName, .extra, .must, needs: .wire,
            what: "Puts a display name or a comment into an envelope path.",
            why: """
                Names belong into header fields; strict receivers answer 501, others take the name for a part of \
                the address.
                """,
            fix: "Send the mailbox alone between the brackets.",
            citation: "RFC 5321 §4.1.2; Postfix strict_rfc821_envelopes"),
        SenderRule(
            .mailAddressLiteralSyntax, .extra, .must, needs: .wire,
            what: "Writes an IP address as domain without brackets, or with a malformed literal.",
            why: "Without brackets the digits are a domain name that cannot exist.",
            fix: "Write user@[192.0.2.1] or user@[IPv6:2001:db8::1], or better a domain name.",
            citation: "RFC 5321 §4.1.3"),
        SenderRule(
            .mailSourceRoute, .extra, .should, needs: .wire,
            what: "Sends a source route.",
            why: "Source routes were abused for relaying; receivers ignore or refuse them.",
            fix: "Send the mailbox alone.",
            citation: "RFC 5321 §3.3, §4.1.1.3, Appendix C"),
        SenderRule(
            .mailNeedlessQuoting, .extra, .should, needs: .wire,
            what: "Quotes a local part, or a character in it, that needs no quoting.",
            why: "Receivers compare local parts in their shortest form, and many filters do not understand quotes.",
            fix: "Send the form with the fewest quotes.",
            citation: "RFC 5321 §4.1.2 (SHOULD transmit the form with minimum quoting)"),
        SenderRule(
            .mailNested, .extra, .must, needs: .wire,
            what: "Sends MAIL while a transaction is open.",
            why: "The receiver answers 503 and keeps the old sender, so the message may go out in the wrong name.",
            fix: "End the open transaction with RSET, or finish it, before the next MAIL.",
            citation: "RFC 5321 §4.1.4",
            excuses: .outOfStep),
        SenderRule(
            .paramRepeated, .extra, .must, needs: .wire,
            what: "Gives the same parameter twice in one command.",
            why: "Nobody knows which of the two counts; receivers answer 501.",
            fix: "Send each parameter once.",
            citation: "RFC 1870 §6; RFC 6152 §3; RFC 3461 §4.5"),
        SenderRule(
            .sizeNotDeclared, .extra, .should, needs: .wire,
            what: "Sends a large message without SIZE though it was offered.",
            why: "The receiver can refuse what is too large before it is transferred only if it knows the size.",
            fix: "Add SIZE to MAIL where it is offered.",
            citation: "RFC 5321 §4.5.3.1.7"),
        SenderRule(
            .sizeRefusalIgnored, .extra, .should, needs: .probe,
            what: "Goes on after 552 to a MAIL that declared its size.",
            why: "The message will never fit; trying again is a waste for both.",
            fix: "Return the message to its author after 552.",
            citation: "RFC 1870 §6.2(2), §6.4(2)",
            excuses: .outOfStep),
        SenderRule(
            .smtputf8Needless, .extra, .should, needs: .wire,
            what: "Asks for SMTPUTF8 although the envelope and the header are all ASCII.",
            why: "A server on the way that lacks the extension has to bounce what it could have delivered.",
            fix: "Ask for SMTPUTF8 only where an address or a header field needs it.",
            citation: "RFC 6531 §3.4 (SHOULD NOT supply)"),
        SenderRule(
            .dsnOrcptDiffers, .extra, .must, needs: .wire,
            what: "Sends an ORCPT that is not the address of its RCPT.",
            why: "At first submission both are the same by definition; a difference confuses the reports.",
            fix: "Derive ORCPT from the recipient as its author gave it.",
            citation: "RFC 3461 §4.2"),
        SenderRule(
            .rcpt452Lost, .extra, .should, needs: .probe,
            what: "Gives up recipients that were answered \"too many recipients\".",
            why: "They were only too many for this transaction; dropping or bouncing them loses mail.",
            fix: "Treat 452 (and 552 of old servers) to a RCPT as temporary and send the rest in the next transaction.",
            citation: "RFC 5321 §4.5.3.1.10 (552 SHOULD be treated as temporary)",
            judging: .never(because: "that a recipient never comes back cannot be told while it may still come")),
        SenderRule(
            .rcptSplitCopies, .extra, .info, needs: .crossSession,
            what: "Sends one identical copy for each recipient to the same server.",
            why: "One copy with several recipients saves the receiver the work, and rate limits count messages.",
            fix: "Put the recipients of one server into one transaction, unless the mail is personalised.",
            citation: "RFC 5321 §4.5.4.1 (only one copy SHOULD be transmitted)",
            profiles: [.mx]),
        SenderRule(
            .rcptDuplicate, .extra, .info, needs: .wire,
            what: "Names the same recipient twice in one transaction.",
            why: "Some receivers deliver two copies, others count it against a recipient limit.",
            fix: "Remove duplicates from the recipients before sending.",
            citation: "RFC 5321 §3.3"),
        SenderRule(
            .nullSenderManyRcpt, .extra, .reputation, needs: .wire,
            what: "Sends from the null reverse-path to more than one recipient.",
            why: "A notification goes to the one sender of a message, so several recipients are a sign of spam.",
            fix: "Send one notification for each recipient, and ordinary mail with a real reverse-path.",
            citation: """
                RFC 5321 §6.1 (notification goes to the one return-path address); Postfix \
                reject_multi_recipient_bounce
                """),
        SenderRule(
            .nullSenderOrdinaryMail, .extra, .should, needs: .wire,
            what: "Uses the null reverse-path for ordinary mail.",
            why: """
                It is meant for notifications that must not be answered; other mail loses its bounces and is \
                scored as spam.
                """,
            fix: "Use a reverse-path that can receive bounces.",
            citation: "RFC 5321 §4.5.5"),
        SenderRule(
            .senderDomainDead, .extra, .must, needs: .dns,
            what: "Uses an envelope sender whose domain cannot receive mail.",
            why: "Bounces cannot be delivered, so receivers refuse the sender at MAIL or RCPT.",
            fix: "Use a domain with an MX record that takes mail, and no null MX.",
            citation: "RFC 5321 §2.3.5; RFC 7505 §4.2",
            judging: .with(.names)),
        SenderRule(
            .bdatAfterError, .extra, .must, needs: .probe,
            what: "Sends more chunks, or a new MAIL without RSET, after a BDAT was refused.",
            why: "The transaction has failed and its state is undefined until RSET.",
            fix: "After a refused chunk finish its octets, then send RSET.",
            citation: "RFC 3030 §2",
            excuses: .outOfStep),
        SenderRule(
            .authMechanismNotOffered, .extra, .must, needs: .wire,
            what: "Uses a SASL mechanism that the EHLO reply did not list.",
            why: "The receiver answers 504, and a guess may reveal a password to a server that did not ask for it.",
            fix: "Choose a mechanism from the AUTH line of the latest EHLO reply.",
            citation: "RFC 4954 §4 (504)",
            excuses: .outOfStep),
        SenderRule(
            .authOutOfPlace, .extra, .must, needs: .wire,
            what: "Sends AUTH inside a transaction, or again after it succeeded.",
            why: "The receiver has to answer 503.",
            fix: "Log in once, before the first MAIL.",
            citation: "RFC 4954 §4 (503)",
            excuses: .outOfStep),
        SenderRule(
            .authBadBase64, .extra, .must, needs: .wire,
            what: "Sends a SASL response that is not clean base64.",
            why: "The receiver answers 501 and the login fails, sometimes only for certain passwords.",
            fix: "Encode responses as one base64 string with its padding, an empty initial response as \"=\".",
            citation: "RFC 4954 §4 (501)",
            excuses: .outOfStep),
        SenderRule(
            .quitNotAwaited, .extra, .should, needs: .probe,
            what: "Closes before the reply to QUIT.",
            why: "The close may overtake what is still on its way, and the receiver sees an error instead of an end.",
            fix: "Wait for 221, then close.",
            citation: "RFC 5321 §4.1.1.10 (SHOULD wait)",
            excuses: [.stalled, .cut, .garbled, .slowRead, .limit]),
        SenderRule(
            .commandTimeoutShort, .extra, .should, needs: .probe,
            what: "Gives up before the time that a reply may take.",
            why: """
                Slow name lookups and filters take minutes; who leaves early comes again and again, or delivers \
                twice.
                """,
            fix: "Wait at least 5 minutes for replies to MAIL and RCPT and 2 minutes for the reply to DATA.",
            citation: "RFC 5321 §4.5.3.2.2, §4.5.3.2.3, §4.5.3.2.4",
            excuses: [.garbled, .slowRead]),
    ]
}
