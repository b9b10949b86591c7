// The rules of the layer data: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let data: [SenderRule] = [
        SenderRule(
            .dataBareLf, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §2.3.8, §4.1.1.4; RFC 5322 §2.3; RFC 3030 §3"),
        SenderRule(
            .dataBareCr, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §2.3.8; RFC 5322 §2.3"),
        SenderRule(
            .dataEndVariant, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.1.4 (LF.LF MUST NOT be treated as end), §2.3.8; ;"),
        SenderRule(
            .dataNotDotStuffed, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.5.2"),
        SenderRule(
            .dataLineTooLong, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5322 §2.1.1; RFC 5321 §4.5.3.1.6; RFC 2045 §2.7, §2.8"),
        SenderRule(
            .dataNul, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5322 §3.5 (text = %d1-9 ...); RFC 2045 §2.7, §2.8; RFC 7103 §7.6"),
        SenderRule(
            .data8bitNotOffered, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 6152 §3; RFC 5321 §2.4"),
        SenderRule(
            .data8bitNotDeclared, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 6152 §3; RFC 5321 §2.4"),
        SenderRule(
            .dataBinaryOverData, .core, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3030 §3; RFC 2045 §6.2"),
        SenderRule(
            .dataHangupBeforeReply, .core, .must, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.3.1, §4.1.1.10, §4.5.3.2.6"),
        SenderRule(
            .dataFinalTimeoutShort, .core, .should, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.5.3.2.6"),
        SenderRule(
            .dataEndGlued, .extra, .must, needs: .timing,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.1.4 (originator MUST reject or add CRLF)"),
        SenderRule(
            .dataLineOver78, .extra, .info, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5322 §2.1.1 (SHOULD)"),
        SenderRule(
            .dataControlCharacters, .extra, .should, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.1.4 (SHOULD be avoided); RFC 5322 §3.5"),
        SenderRule(
            .dataBdatStuffed, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3030 §2 (exact octets, no end-of-data scan)"),
        SenderRule(
            .dataEmpty, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.1.1.4 ('no mail data' case does not conform)"),
        SenderRule(
            .dataTrickle, .extra, .reputation, needs: .timing,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "Postfix smtpd_min_data_rate RFC 5321 §4.5.3.2.5"),
        SenderRule(
            .dataStartsWithBom, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5322 §2.2 (field names are printable ASCII)"),
        SenderRule(
            .dataMboxFromLine, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5322 §2.2, §3.6.8"),
    ]
}
