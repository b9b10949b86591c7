// The rules of the layer mime: what they are called, how grave they are, where they are written down.
//
// What the sink does cannot change how an author built a message, so few of them are ever excused: those that conclude
// something from what is missing, since a client that lost step may leave half a message behind.

extension SenderRules {
    static let mime: [SenderRule] = [
        SenderRule(
            .mimeVersionMissing, .core, .must, needs: .wire,
            what: "Sends MIME fields without a MIME-Version field, or with another version than 1.0.",
            why:
                "Without it a receiver may read the message as plain text of 1982, and filters count mail "
                + "with half a MIME header as made by a bad program.",
            fix:
                "Write exactly one field `MIME-Version: 1.0` into the header of each message that has "
                + "Content-… fields.",
            citation: "RFC 2045 §4; RFC 7103 §8.1",
            excuses: .outOfStep),
        SenderRule(
            .mimeContentTypeSyntax, .core, .must, needs: .wire,
            what: "Sends a Content-Type field that does not follow its grammar.",
            why:
                "Readers guess at a type that they cannot parse, each in its own way, and gateways that look "
                + "for malware take the mail for an attempt to hide something.",
            fix:
                "Write type/subtype, then `; name=value` for each parameter, quote values that hold anything "
                + "but token characters, and end without a semicolon.",
            citation: "RFC 2045 §5.1"),
        SenderRule(
            .mimeBoundaryParameter, .core, .must, needs: .wire,
            what: "Declares a multipart without a boundary that can be used.",
            why:
                "Receivers cannot find the parts, so they show the raw source, refuse the message, or "
                + "disagree with their virus scanner about what is in it.",
            fix:
                "Give each multipart a boundary of 1 to 70 permitted characters that does not end in a space, "
                + "and put it in quotes.",
            citation: "RFC 2046 §5.1.1; RFC 2045 §5.1"),
        SenderRule(
            .mimeBoundaryAbsentInBody, .core, .must, needs: .wire,
            what: "Declares a multipart in which no body part begins.",
            why: "With no delimiter line there is nothing to show: the reader sees an empty message or its source.",
            fix:
                "Write the delimiter `--` and the boundary, exactly as declared, in front of each part, and "
                + "at least one part.",
            citation: "RFC 2046 §5.1 (one or more body parts), §5.1.1",
            excuses: .outOfStep),
        SenderRule(
            .mimeClosingBoundaryMissing, .core, .must, needs: .wire,
            what: "Ends a multipart without its close-delimiter.",
            why: "The receiver cannot tell a complete message from one that was cut off on its way.",
            fix: "End each multipart with a line of `--`, the boundary and `--`.",
            citation: "RFC 2046 §5.1, §5.1.1, §5.1.2",
            excuses: .outOfStep),
        SenderRule(
            .mimeCteOnComposite, .core, .must, needs: .wire,
            what: "Puts base64 or quoted-printable on a multipart or on an enclosed message.",
            why:
                "Encodings must not be nested: most receivers do not decode such a body, and then find no "
                + "parts in it.",
            fix: "Encode the leaf parts alone and label what encloses them 7bit, 8bit or binary.",
            citation: "RFC 2045 §6.4; RFC 2046 §5.1, §5.2.1; RFC 6532 §3.5; Postfix strict_mime_encoding_domain"),
        SenderRule(
            .mimeCteFalse, .core, .must, needs: .wire,
            what: "Labels 8-bit content as 7bit, or with no label, which means the same.",
            why:
                "A relay that trusts the label hands the octets to a path that clears the eighth bit, and "
                + "strict servers refuse the mail.",
            fix: "Label the part, and everything around it, 8bit, or encode it with quoted-printable or base64.",
            citation: "RFC 2045 §6.2, §6.4, §2.7; Postfix strict_8bitmime_body"),
        SenderRule(
            .mimeBase64LineTooLong, .core, .must, needs: .wire,
            what: "Sends base64 in lines of more than 76 characters.",
            why:
                "Gateways and strict decoders cut or refuse longer lines, and a line of more than 998 octets "
                + "breaks SMTP as well.",
            fix: "Break base64 with CRLF after at most 76 characters.",
            citation: "RFC 2045 §6.8"),
        SenderRule(
            .mimeBase64Invalid, .core, .must, needs: .wire,
            what: "Sends base64 with foreign characters, wrong padding, or text behind the padding.",
            why:
                "Decoders differ in what they make of it: the attachment is damaged for some, and content "
                + "that reads in two ways is treated as an evasion.",
            fix: "Encode the whole part in one go, with `=` only at its end, and append nothing to it afterwards.",
            citation: "RFC 2045 §6.8",
            excuses: .outOfStep),
        SenderRule(
            .mimeQpLineTooLong, .core, .must, needs: .wire,
            what: "Sends quoted-printable in lines of more than 76 characters.",
            why:
                "It shows that the encoder does no soft line breaks; filters score it, and gateways may wrap "
                + "the lines in the middle of an escape.",
            fix:
                "Break encoded lines with `=` at the end so that none is longer than 76 characters, the `=` "
                + "among them.",
            citation: "RFC 2045 §6.7(5); SpamAssassin MIME_QP_LONG_LINE"),
        SenderRule(
            .mimeQpInvalid, .core, .must, needs: .wire,
            what: "Sends quoted-printable with escapes or octets that the encoding does not have.",
            why:
                "What a decoder makes of a bare `=` or a raw octet is not defined, so the text arrives "
                + "differently at each receiver.",
            fix:
                "Write `=` and two upper-case hexadecimal digits for `=`, control characters and all octets "
                + "beyond ASCII.",
            citation: "RFC 2045 §6.7 (1), (2), notes (1)-(4)",
            excuses: .outOfStep),
        SenderRule(
            .mimeCharsetMissing, .core, .must, needs: .wire,
            what: "Sends text beyond ASCII without saying in which charset it is.",
            why: "The default is US-ASCII, so each receiver guesses, and names and umlauts come out garbled.",
            fix:
                "Add `charset=utf-8` to the Content-Type of the part; a meta element inside HTML does not "
                + "stand in for it.",
            citation: "RFC 2046 §4.1.2 (default US-ASCII); RFC 7103 §7.6"),
        SenderRule(
            .mimeCharsetFalse, .core, .must, needs: .wire,
            what: "Sends text that is not in the charset it declares.",
            why:
                "Receivers show replacement characters, and filters take octets that cannot be decoded for an "
                + "attempt to slip past them.",
            fix: "Encode the text in the charset that you declare, best UTF-8 for both.",
            citation: "RFC 2046 §4.1.2, §4.1.1; RFC 7103 §7.6; RFC 3030 §3 (note on UTF-16)"),
        SenderRule(
            .mimeParameterRaw8bit, .core, .must, needs: .wire,
            what: "Puts raw 8-bit text or an encoded-word into a parameter such as a file name.",
            why:
                "Encoded-words are not defined inside parameters and raw octets have no charset there, so the "
                + "attachment gets a garbled name or none.",
            fix: "Write such values in the extended form, `filename*=utf-8''…`, with percent escapes.",
            citation: "RFC 2047 §5; RFC 2231 §4; RFC 2183 §2.3"),
        SenderRule(
            .mimeHtmlWithoutText, .core, .reputation, needs: .wire,
            what: "Sends HTML without a plain text alternative.",
            why: "It is typical of spam tools, so filters add to the score, and readers without HTML see nothing.",
            fix: "Send multipart/alternative with a text/plain part in front of the text/html part.",
            citation: "SpamAssassin MIME_HTML_ONLY; rspamd MIME_MA_MISSING_TEXT",
            excuses: .outOfStep),
        SenderRule(
            .mimeBoundaryCollision, .extra, .must, needs: .wire,
            what: "Uses boundaries that cannot be told apart, or content that holds a delimiter line.",
            why:
                "A delimiter is compared with the beginning of a line, so parts end too early or in the wrong "
                + "multipart.",
            fix:
                "Make each boundary unique, of equal length with much chance in it, and check that no line of "
                + "the content begins with it.",
            citation: "RFC 2046 §5.1, §5.1.1"),
        SenderRule(
            .mimePartBlankLineMissing, .extra, .must, needs: .wire,
            what: "Leaves out the blank line between the header of a part and its content.",
            why: "The first lines of the content are read as header fields and are lost.",
            fix: "Write an empty line behind the last field of each part, and also where a part has no fields.",
            citation: "RFC 2046 §5.1; SpamAssassin MISSING_MIME_HB_SEP"),
        SenderRule(
            .mimeCteUnknown, .extra, .must, needs: .wire,
            what: "Sends a Content-Transfer-Encoding that does not exist.",
            why: "A receiver must treat such a part as application/octet-stream, so the text becomes an attachment.",
            fix: "Use one of 7bit, 8bit, binary, quoted-printable and base64, and put the charset into Content-Type.",
            citation: "RFC 2045 §6.1, §6.3, §6.4"),
        SenderRule(
            .mimeBase64TextBareLf, .extra, .must, needs: .wire,
            what: "Encodes text in base64 with line ends other than CRLF.",
            why:
                "The canonical form of text has CRLF inside the encoding too; signatures and hashes over it "
                + "fail where a receiver mends it.",
            fix: "Turn line ends into CRLF before you encode a text part.",
            citation: "RFC 2045 §6.8; RFC 2046 §4.1.1"),
        SenderRule(
            .mimeQpTrailingSpace, .extra, .must, needs: .wire,
            what: "Ends encoded lines of quoted-printable in a space or tab.",
            why:
                "Relays may take white space off the end of a line, and decoders must, so the text changes "
                + "and its signature breaks.",
            fix: "Write a space or tab at the end of a line as =20 or =09, or put a soft line break behind it.",
            citation: "RFC 2045 §6.7(3)"),
        SenderRule(
            .mimeCharsetUnknown, .extra, .should, needs: .wire,
            what: "Declares a charset by a name that is not registered.",
            why:
                "A receiver that does not know the name cannot decode the text, and filters count it as the "
                + "work of a bad program.",
            fix: "Use the registered name: utf-8 for utf8, windows-1252 for cp1252.",
            citation: "RFC 2046 §4.1.2; RFC 2047 §3; SpamAssassin NONEXISTENT_CHARSET"),
        SenderRule(
            .mimeParameter2231Syntax, .extra, .must, needs: .wire,
            what: "Sends an extended or continued parameter that is malformed.",
            why:
                "Readers drop what they cannot put together, so attachments lose their names, and scanners "
                + "distrust names that read in two ways.",
            fix:
                "Write `name*=charset'language'value` with %XX escapes; count sections from 0 without gaps or "
                + "leading zeros.",
            citation: "RFC 2231 §3, §4, §4.1, §7"),
        SenderRule(
            .mimeAlternativeOrder, .extra, .must, needs: .wire,
            what: "Puts the rich part of multipart/alternative in front of the plain one.",
            why: "Readers show the last alternative they understand, so everybody gets the plain text.",
            fix: "Order the alternatives from plain to rich: text/plain first, text/html last.",
            citation: "RFC 2046 §5.1.4"),
        SenderRule(
            .mimeRelatedIncomplete, .extra, .must, needs: .wire,
            what:
                "Sends multipart/related without its type parameter, or HTML that refers to a part that is "
                + "not there.",
            why:
                "Without the type a reader must guess which part is the document, and a cid: link to nothing "
                + "shows a broken image.",
            fix:
                "Add `type=\"text/html\"` to multipart/related and give each embedded part the Content-ID that "
                + "the HTML names.",
            citation: "RFC 2387 §3.1; RFC 2392 §2; RFC 2045 §7",
            excuses: .outOfStep),
        SenderRule(
            .mimeReportMalformed, .extra, .must, needs: .wire,
            what: "Sends a report that is no proper multipart/report, or with a sender that is not null.",
            why:
                "Programs that read bounces and complaints need the type and the second part, and a report "
                + "with a return path can loop.",
            fix: "Set report-type to the subtype of the second part, and send bounces and receipts with MAIL FROM:<>.",
            citation: "RFC 6522 §3; RFC 3464 §2; RFC 8098 §3; RFC 5321 §4.5.5, §6.1 (null return path)",
            excuses: .outOfStep),
    ]
}
