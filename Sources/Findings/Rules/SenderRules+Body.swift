// The rules of the layer body: what they are called, how grave they are, where they are written down.

extension SenderRules {
    static let body: [SenderRule] = [
        SenderRule(
            .bodyLinkHttp, .core, .info, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 8058 §3.1 requires https only for one-click; otherwise advice"),
        SenderRule(
            .bodyLinkIpHost, .core, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "Yahoo advice of 2008 (copy) SpamAssassin NUMERIC_HTTP_ADDR"),
        SenderRule(
            .bodyLinkShortener, .core, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "SpamAssassin rules/25_url_shortener.cf"),
        SenderRule(
            .bodyLinkTextMismatch, .core, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3986 §7.6 (semantic attacks); Gmail sender guidelines (links visible and easy to understand); SpamAssassin HTTPS_IP_MISMATCH"),
        SenderRule(
            .bodyLinkDead, .core, .info, needs: .http,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "mailpit Link Check does the same"),
        SenderRule(
            .bodyUnsubscribeActsOnGet, .core, .reputation, needs: .http,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 9110 §9.2.1 (GET is safe); RFC 8058 §1, §3.1, §3.2; M3AAWG Nonhuman Interactions"),
        SenderRule(
            .bodyOneClickEndpoint, .core, .must, needs: .http,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 8058 §3.1 (MUST NOT return an HTTPS redirect), §3.2"),
        SenderRule(
            .bodySingleUseLink, .core, .reputation, needs: .http,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "M3AAWG Nonhuman Interactions"),
        SenderRule(
            .bodyUnsubscribeLinkMissing, .core, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "Gmail sender guidelines Apple iCloud postmaster Outlook.com 2025 high-volume rules (550 5.7.515), digest"),
        SenderRule(
            .bodyLinkOddPort, .extra, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "Yahoo advice of 2008 (copy) SpamAssassin WEIRD_PORT"),
        SenderRule(
            .bodyLinkUserinfo, .extra, .should, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3986 §3.2.1 (deprecated), §7.6"),
        SenderRule(
            .bodyLinkMalformed, .extra, .must, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "RFC 3986 §2, §3"),
        SenderRule(
            .bodyActiveContent, .extra, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "Yahoo advice of 2008 (copy) SpamAssassin HTML_IFRAME_SRC, HTML_EMBEDS"),
        SenderRule(
            .bodyHiddenText, .extra, .reputation, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "Gmail sender guidelines (do not use HTML and CSS to hide content); SpamAssassin HTML_FONT_LOW_CONTRAST"),
        SenderRule(
            .bodyTemplateResidue, .extra, .info, needs: .wire,
            what: "TODO",
            why: "TODO",
            fix: "TODO",
            citation: "no standard; quality check"),
    ]
}
