// The rules of the layer behaviour-over-time: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let overTime: [SenderRule] = [
        SenderRule(
            .retryAfterPermanent, .core, .should, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.2.1 (SHOULD NOT repeat), §4.2.5; Proximus e-mail rules"),
        SenderRule(
            .retryMissing, .core, .must, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.5.4.1 (MUST be queued and periodically retried), §4.2.1"),
        SenderRule(
            .retryImmediate, .core, .must, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.5.4.1 (MUST delay retrying)"),
        SenderRule(
            .retryTooSoon, .core, .should, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.5.4.1 (SHOULD be at least 30 minutes)"),
        SenderRule(
            .retryGivesUpEarly, .core, .should, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.5.4.1 (give-up time generally at least 4-5 days)"),
        SenderRule(
            .greylistChangedTuple, .core, .reputation, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 6647 §2.4, §4.2, §5; Postfix POSTSCREEN_README (clients that retry from different addresses)"),
        SenderRule(
            .duplicateAfterAccept, .core, .must, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.2.5, §6.1 (receiver has taken responsibility); RFC 1047"),
        SenderRule(
            .duplicateAfterLostReply, .core, .info, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.5.3.2.6, §6.1; RFC 1047; RFC 5322 §3.6.4"),
        SenderRule(
            .partialAcceptResendAll, .core, .must, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.2.5, §4.5.3.1.10 (only the refused addresses stay in the queue)"),
        SenderRule(
            .mxNoFallback, .core, .must, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §5.1 (MUST be able to try each address in order; SHOULD try at least two)"),
        SenderRule(
            .unknownUserRatio, .core, .reputation, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "Proximus e-mail rules (10 %); RFC 5321 §7.8"),
        SenderRule(
            .retryNoBackoff, .extra, .info, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.5.4.1 (two attempts in the first hour, then every two or three hours)"),
        SenderRule(
            .partialAcceptAbandoned, .extra, .info, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §3.3"),
        SenderRule(
            .mxWrongOrder, .extra, .must, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §5.1 (MX preference MUST be used in sorting)"),
        SenderRule(
            .deadAddressKept, .extra, .reputation, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "Apple iCloud postmaster (policy for bouncing addresses); M3AAWG Sender BCP v3 (Feb 2015) Yahoo letter of 2001"),
        SenderRule(
            .sameContentManyIps, .extra, .reputation, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "WttW"),
        SenderRule(
            .returnPathInconsistent, .extra, .reputation, needs: .crossSession,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "WttW"),
        SenderRule(
            .mail5yzCached, .extra, .must, needs: .probe,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 5321 §4.5.4.1 (5yz responses to MAIL MUST NOT be cached)"),
    ]
}
