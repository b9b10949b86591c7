// The rules of the layer data: what they are called, how grave they are, where they are written down. What a message
// holds is the sender's doing whatever the sink did; excused is only what a client does that was thrown out of step.

extension SenderRules {
    static let data: [SenderRule] = [
        SenderRule(
            .dataBareLf, .core, .must, needs: .wire,
            what: "Ends a line of the message with LF alone.",
            why: "Servers disagree on what a lone LF is: some refuse the message, some turn it into a line end, "
                + "and where they disagree a second message can be smuggled in.",
            fix: "End every line with CRLF, also those that come from templates, files and databases.",
            citation: "RFC 5321 §2.3.8, §4.1.1.4; RFC 5322 §2.3; RFC 3030 §3"),
        SenderRule(
            .dataBareCr, .core, .must, needs: .wire,
            what: "Puts a CR without LF into the message.",
            why: "A lone CR is no line end and no text either; servers refuse it, drop it or take it for a line "
                + "end, so signatures break and messages can be split.",
            fix: "Turn every CR and every LF of the text into CRLF before it is handed over.",
            citation: "RFC 5321 §2.3.8; RFC 5322 §2.3"),
        SenderRule(
            .dataEndVariant, .core, .must, needs: .wire,
            what: "Sends octets that some servers take for the end of the message.",
            why: "A server that takes a dot between other line ends for the end reads what follows as commands: "
                + "that is how messages are smuggled under a foreign name (SMTP smuggling).",
            fix: "Make every line end CRLF before dots are doubled, and refuse or remove lone CR, lone LF and NUL.",
            citation: "RFC 5321 §2.3.8, §4.1.1.4, §4.5.2; smtpsmuggling.com", excuses: .garbled),
        SenderRule(
            .dataNotDotStuffed, .core, .must, needs: .wire,
            what: "Sends a line that begins with a dot without doubling that dot.",
            why: "The receiver removes the first dot of every such line: the text changes, signatures fail, and a "
                + "lone dot ends the message too early.",
            fix: "Put one more dot in front of each line that begins with a dot, when the message is sent with DATA.",
            citation: "RFC 5321 §4.5.2", excuses: .garbled),
        SenderRule(
            .dataLineTooLong, .core, .must, needs: .wire,
            what: "Sends a line of more than 998 octets.",
            why: "Servers need not take longer lines: they refuse the message or break the line, which changes the "
                + "text and its signature.",
            fix: "Encode the body as quoted-printable or base64, which keep lines at 76.",
            citation: "RFC 5322 §2.1.1; RFC 5321 §4.5.3.1.6; RFC 2045 §2.7, §2.8"),
        SenderRule(
            .dataNul, .core, .must, needs: .wire,
            what: "Puts NUL octets into the message.",
            why: "NUL is no text; programs in C end the text there, so filters and readers see different messages, "
                + "and many servers refuse it.",
            fix: "Remove NUL from text, and encode binary content as base64.",
            citation: "RFC 5322 §3.5; RFC 2045 §2.7, §2.8; RFC 7103 §7.6"),
        SenderRule(
            .data8bitNotOffered, .core, .must, needs: .wire,
            what: "Sends octets above 127 to a server that did not offer 8BITMIME.",
            why: "A server without 8BITMIME may clear the high bit or refuse the message; nothing promises that "
                + "the text arrives.",
            fix: "Where 8BITMIME is not offered, encode the body as quoted-printable or base64.",
            citation: "RFC 6152 §3; RFC 5321 §2.4"),
        SenderRule(
            .data8bitNotDeclared, .core, .must, needs: .wire,
            what: "Sends octets above 127 without BODY=8BITMIME, though 8BITMIME is offered.",
            why: "The receiver learns from that parameter that it must keep eight bits, and whether it has to "
                + "convert the message for the next server.",
            fix: "Say BODY=8BITMIME in MAIL, or encode the body.",
            citation: "RFC 6152 §3; RFC 5321 §2.4"),
        SenderRule(
            .dataBinaryOverData, .core, .must, needs: .wire,
            what: "Sends content that is declared binary without BDAT and BODY=BINARYMIME.",
            why: "DATA carries lines; binary content has none, so that line ends, dots and long runs in it are "
                + "changed or refused.",
            fix: "Encode such parts as base64, or use BDAT with BODY=BINARYMIME where both are offered.",
            citation: "RFC 3030 §3; RFC 2045 §6.2"),
        SenderRule(
            .dataHangupBeforeReply, .core, .must, needs: .probe,
            what: "Closes the connection after the end of the message without waiting for the reply.",
            why: "Who does not hear the reply cannot know whether the message was taken, and so either loses it or "
                + "sends it twice.",
            fix: "Wait for the reply to the final dot, then send QUIT, then close.",
            citation: "RFC 5321 §4.3.1, §4.1.1.10, §4.5.3.2.6",
            excuses: [.cut, .stalled, .garbled, .tls, .slowRead, .limit, .delayed]),
        SenderRule(
            .dataFinalTimeoutShort, .core, .should, needs: .probe,
            what: "Waits less than ten minutes for the reply to the end of the message.",
            why: "A receiver that still filters or delivers has taken the message when the client is gone already; "
                + "the retry becomes a duplicate.",
            fix: "Wait at least 600 seconds for the reply to the final dot.",
            citation: "RFC 5321 §4.5.3.2.6", excuses: [.cut, .stalled, .garbled, .tls, .slowRead, .limit, .delayed]),
        SenderRule(
            .dataEndGlued, .extra, .must, needs: .timing,
            what: "Sends the final dot behind text instead of on a line of its own.",
            why: "The receiver goes on reading the message: the next commands become its text, or both sides wait "
                + "until one gives up.",
            fix: "When the text does not end in CRLF, add CRLF in front of the final dot.",
            citation: "RFC 5321 §4.1.1.4 (originator MUST reject or add CRLF)", excuses: [.garbled, .stalled]),
        SenderRule(
            .dataLineOver78, .extra, .info, needs: .wire,
            what: "Sends lines of more than 78 characters.",
            why: "Lines beyond 78 characters are hard to read in some programs and are broken at a place that "
                + "nobody chose.",
            fix: "Wrap text at 78 characters, fold header fields, or encode the body.",
            citation: "RFC 5322 §2.1.1 (SHOULD)"),
        SenderRule(
            .dataControlCharacters, .extra, .should, needs: .wire,
            what: "Puts control characters other than TAB, CR and LF into the message.",
            why: "Control characters steer terminals and hide text; filters count them against a message, and some "
                + "servers remove them.",
            fix: "Remove them from text, and encode content that needs them.",
            citation: "RFC 5321 §4.1.1.4 (SHOULD be avoided); RFC 5322 §3.5"),
        SenderRule(
            .dataBdatStuffed, .extra, .must, needs: .wire,
            what: "Sends a final dot inside the chunks of BDAT.",
            why: "BDAT counts octets and takes no dot away, so the dot becomes part of the message and breaks its "
                + "signature.",
            fix: "With BDAT neither double dots nor add a final one.",
            citation: "RFC 3030 §2 (exact octets, no end-of-data scan)"),
        SenderRule(
            .dataEmpty, .extra, .must, needs: .wire,
            what: "Sends a message with nothing in it.",
            why: "A message without a header and a body can neither be shown nor answered; most servers refuse it.",
            fix: "Do not begin a transaction when there is nothing to send.",
            citation: "RFC 5321 §4.1.1.4", excuses: [.garbled, .stalled]),
        SenderRule(
            .dataTrickle, .extra, .reputation, needs: .timing,
            what: "Sends the message very slowly.",
            why: "Slow clients hold connections that others need; servers with a floor for the data rate hang up.",
            fix: "Write the message as fast as the connection takes it, and have it ready before DATA is sent.",
            citation: "Postfix smtpd_min_data_rate; RFC 5321 §4.5.3.2.5", excuses: [.slowRead, .stalled, .delayed]),
        SenderRule(
            .dataStartsWithBom, .extra, .must, needs: .wire,
            what: "Begins the message with a byte-order mark.",
            why: "The mark becomes part of the first field name, so that field is unknown or the whole header is "
                + "refused.",
            fix: "Write messages without a byte-order mark, also when a file with one is read.",
            citation: "RFC 5322 §2.2 (field names are printable ASCII)"),
        SenderRule(
            .dataMboxFromLine, .extra, .must, needs: .wire,
            what: "Sends the separator line of an mbox file in front of the header.",
            why: "The line is no header field; for a strict reader the header ends there and all fields become text.",
            fix: "Leave the line that begins with \"From \" in the file and send what follows it.",
            citation: "RFC 5322 §2.2, §3.6.8"),
    ]
}
