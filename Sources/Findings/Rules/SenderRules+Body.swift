// The rules of the layer body: what they are called, how grave they are, where they are written down.
//
// Those that need a request to the outside are never judged: a sink opens no connection by itself. Of bulk mail
// speaks one rule alone, and its check asks whether the message is bulk, so that it holds for every profile.

extension SenderRules {
    static let body: [SenderRule] = [
        SenderRule(
            .bodyLinkHttp, .core, .info, needs: .wire,
            what: "Links to pages without TLS.",
            why:
                "Browsers warn about such pages, and what is asked for and sent there can be read and changed "
                + "on the way.",
            fix: "Link with https: wherever the host offers it.",
            citation: "RFC 8058 §3.1 requires https only for one-click; otherwise advice"),
        SenderRule(
            .bodyLinkIpHost, .core, .reputation, needs: .wire,
            what: "Links to an IP address instead of a host name.",
            why:
                "Phishing does that with machines that have no name, so filters score it and providers advise "
                + "against it.",
            fix: "Link to a host name in a domain of your own.",
            citation: "Yahoo advice of 2008 (copy); SpamAssassin NUMERIC_HTTP_ADDR"),
        SenderRule(
            .bodyLinkShortener, .core, .reputation, needs: .wire,
            what: "Links through a public URL shortener.",
            why:
                "It hides where the link leads and shares its reputation with every spammer who uses the same "
                + "service.",
            fix: "Link to the target itself, or to a redirector in your own domain.",
            citation: "SpamAssassin rules/25_url_shortener.cf"),
        SenderRule(
            .bodyLinkTextMismatch, .core, .reputation, needs: .wire,
            what: "Shows one address as the text of a link and leads to another domain.",
            why:
                "This is what phishing looks like: readers are warned, and filters score it even where only "
                + "click tracking causes it.",
            fix: "Let text and target be in one domain, or use words instead of an address as the text.",
            citation:
                "RFC 3986 §7.6 (semantic attacks); Gmail sender guidelines (links visible and easy to "
                + "understand); SpamAssassin HTTPS_IP_MISMATCH"),
        SenderRule(
            .bodyLinkDead, .core, .info, needs: .http,
            what: "Links to something that answers with an error.",
            why:
                "Readers give up, and scanners that follow links count a dead one as a sign of throw-away "
                + "infrastructure.",
            fix: "Check the links of each template before it goes out.",
            citation: "mailpit Link Check does the same",
            judging: .never(
                because:
                    "it would open connections to hosts that a message names, and a sink opens none by itself")),
        SenderRule(
            .bodyUnsubscribeActsOnGet, .core, .reputation, needs: .http,
            what: "Unsubscribes on a plain GET of the link.",
            why:
                "Scanners fetch the links of a message before its reader does, and would end the subscription "
                + "for them.",
            fix: "Answer GET with a page that has a button, and act on POST alone.",
            citation: "RFC 9110 §9.2.1 (GET is safe); RFC 8058 §1, §3.1, §3.2; M3AAWG Nonhuman Interactions",
            judging: .never(
                because:
                    "asking for such a link may unsubscribe a real person, and a sink opens no connection by itself")),
        SenderRule(
            .bodyOneClickEndpoint, .core, .must, needs: .http,
            what: "Redirects, asks for a login, or fails when the one-click address is posted to.",
            why:
                "Mailbox providers send the POST without cookies and follow nothing; if it fails, their "
                + "button reports spam instead.",
            fix: "Answer the POST of List-Unsubscribe=One-Click with 200 or 202 at that very address.",
            citation: "RFC 8058 §3.1 (MUST NOT return an HTTPS redirect), §3.2",
            judging: .never(
                because:
                    "a request to such an address unsubscribes a real person, and a sink opens no connection by itself")
        ),
        SenderRule(
            .bodySingleUseLink, .core, .reputation, needs: .http,
            what: "Sends a link that a single GET uses up.",
            why: "A scanner fetches it first, so the person finds a login or confirmation link that has expired.",
            fix: "Show a page with a button on GET, and redeem the token on POST.",
            citation: "M3AAWG Nonhuman Interactions",
            judging: .never(
                because: "following such a link may use it up, and a sink opens no connection by itself")),
        SenderRule(
            .bodyUnsubscribeLinkMissing, .core, .reputation, needs: .wire,
            what: "Sends bulk mail with no visible way to unsubscribe.",
            why: "Large providers require one in the body, and a reader who finds none presses the spam button.",
            fix: "Put a link that is easy to see and says that it unsubscribes into the text of each bulk message.",
            citation:
                "Gmail sender guidelines; Apple iCloud postmaster; Outlook.com 2025 high-volume rules (550 "
                + "5.7.515), digest",
            excuses: .outOfStep),
        SenderRule(
            .bodyLinkOddPort, .extra, .reputation, needs: .wire,
            what: "Links to a port other than 80 and 443.",
            why: "Ordinary sites need no port; hijacked machines do, so filters score it and firewalls block it.",
            fix: "Serve the page on the port of its scheme and leave the port out.",
            citation: "Yahoo advice of 2008 (copy); SpamAssassin WEIRD_PORT"),
        SenderRule(
            .bodyLinkUserinfo, .extra, .should, needs: .wire,
            what: "Sends a link with user information in front of its host.",
            why: "What stands before the @ can look like the host and mislead the reader; browsers drop it or warn.",
            fix: "Leave user and password out of links.",
            citation: "RFC 3986 §3.2.1 (deprecated), §7.6"),
        SenderRule(
            .bodyLinkMalformed, .extra, .must, needs: .wire,
            what: "Sends a link that is no valid absolute URI.",
            why:
                "Readers mend it differently or not at all, so it leads nowhere for some, and relative links "
                + "have no base in mail.",
            fix: "Write scheme and host in full and escape spaces, braces and octets beyond ASCII as %XX.",
            citation: "RFC 3986 §2, §3"),
        SenderRule(
            .bodyActiveContent, .extra, .reputation, needs: .wire,
            what: "Sends HTML with scripts, forms, frames or embedded objects.",
            why: "Mail readers remove or block them, and filters count them as an attack.",
            fix: "Link to a page that holds the form or the script.",
            citation: "Yahoo advice of 2008 (copy); SpamAssassin HTML_IFRAME_SRC, HTML_EMBEDS"),
        SenderRule(
            .bodyHiddenText, .extra, .reputation, needs: .wire,
            what: "Hides more text in HTML than a preview line needs.",
            why:
                "Text for the filter that the reader cannot see is an old trick of spammers, and Gmail's "
                + "guidelines forbid it.",
            fix: "Remove hidden text; keep a hidden preview line short.",
            citation:
                "Gmail sender guidelines (do not use HTML and CSS to hide content); SpamAssassin "
                + "HTML_FONT_LOW_CONTRAST"),
        SenderRule(
            .bodyTemplateResidue, .extra, .info, needs: .wire,
            what: "Sends marks of a template that nobody filled in, or null in place of a name.",
            why: "Readers see at once that the mail is a machine's and faulty, and complain more often.",
            fix: "Fill in every variable, with a fallback, and let the rendering fail when one is missing.",
            citation: "no standard; quality check"),
    ]
}
