// The rules of the layer mime: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let mime: [SenderRule] = [
        SenderRule(
            .mimeVersionMissing, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2045 §4; RFC 7103 §8.1"),
        SenderRule(
            .mimeContentTypeSyntax, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2045 §5.1"),
        SenderRule(
            .mimeBoundaryParameter, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2046 §5.1.1; RFC 2045 §5.1"),
        SenderRule(
            .mimeBoundaryAbsentInBody, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2046 §5.1 (one or more body parts), §5.1.1"),
        SenderRule(
            .mimeClosingBoundaryMissing, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2046 §5.1, §5.1.1, §5.1.2"),
        SenderRule(
            .mimeCteOnComposite, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2045 §6.4; RFC 2046 §5.1, §5.2.1; RFC 6532 §3.5; Postfix strict_mime_encoding_domain"),
        SenderRule(
            .mimeCteFalse, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2045 §6.2, §6.4, §2.7; Postfix strict_8bitmime_body"),
        SenderRule(
            .mimeBase64LineTooLong, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2045 §6.8"),
        SenderRule(
            .mimeBase64Invalid, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2045 §6.8"),
        SenderRule(
            .mimeQpLineTooLong, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2045 §6.7(5); SpamAssassin MIME_QP_LONG_LINE"),
        SenderRule(
            .mimeQpInvalid, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2045 §6.7 (1), (2), notes (1)-(4)"),
        SenderRule(
            .mimeCharsetMissing, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2046 §4.1.2 (default US-ASCII); RFC 7103 §7.6"),
        SenderRule(
            .mimeCharsetFalse, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2046 §4.1.2, §4.1.1; RFC 7103 §7.6; RFC 3030 §3 (note on UTF-16)"),
        SenderRule(
            .mimeParameterRaw8bit, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2047 §5; RFC 2231 §4; RFC 2183 §2.3"),
        SenderRule(
            .mimeHtmlWithoutText, .core, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "SpamAssassin MIME_HTML_ONLY; rspamd MIME_MA_MISSING_TEXT"),
        SenderRule(
            .mimeBoundaryCollision, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2046 §5.1, §5.1.1"),
        SenderRule(
            .mimePartBlankLineMissing, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2046 §5.1; SpamAssassin MISSING_MIME_HB_SEP"),
        SenderRule(
            .mimeCteUnknown, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2045 §6.1, §6.3, §6.4"),
        SenderRule(
            .mimeBase64TextBareLf, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2045 §6.8; RFC 2046 §4.1.1"),
        SenderRule(
            .mimeQpTrailingSpace, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2045 §6.7(3)"),
        SenderRule(
            .mimeCharsetUnknown, .extra, .should, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2046 §4.1.2; RFC 2047 §3; SpamAssassin NONEXISTENT_CHARSET"),
        SenderRule(
            .mimeParameter2231Syntax, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2231 §3, §4, §4.1, §7"),
        SenderRule(
            .mimeAlternativeOrder, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2046 §5.1.4"),
        SenderRule(
            .mimeRelatedIncomplete, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 2387 §3.1; RFC 2392 §2; RFC 2045 §7"),
        SenderRule(
            .mimeReportMalformed, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 6522 §3; RFC 5321 §4.4, §6.1 (null return path)"),
    ]
}
