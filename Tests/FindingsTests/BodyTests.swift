// The rules of the body: one clean page, one change, and what is found; the same for plain text.

import Findings
import SMTP
import Testing

@Suite struct BodyTests {
    private static let long = String(repeating: "winning words ", count: 40)

    static let pages: [MIMEChange] = [
        MIMEChange(.bodyLinkHttp, change: "https://img.", to: "http://img."),
        MIMEChange(change: "https://img.", to: "HTTPS://IMG."),

        MIMEChange(.bodyLinkIpHost, change: "img.sender.example", to: "192.0.2.7"),
        MIMEChange(.bodyLinkIpHost, change: "img.sender.example", to: "3221225985"),
        MIMEChange(.bodyLinkIpHost, change: "img.sender.example", to: "0xC0.0.2.0x7"),
        MIMEChange(.bodyLinkIpHost, change: "img.sender.example", to: "[2001:db8::7]"),
        MIMEChange(change: "img.sender.example", to: "192.0.2.7.sender.example"),
        MIMEChange(change: "img.sender.example", to: "1.0xample"),

        MIMEChange(.bodyLinkShortener, change: "img.sender.example", to: "bit.ly"),
        MIMEChange(.bodyLinkShortener, change: "img.sender.example", to: "WWW.TinyURL.com"),
        MIMEChange(change: "img.sender.example", to: "rabbit.ly"),

        MIMEChange(.bodyLinkTextMismatch, change: ">www.sender.example<", to: ">www.bank.example<"),
        MIMEChange(.bodyLinkTextMismatch, change: ">www.sender.example<", to: "><b>https://bank.</b>example/login <"),
        MIMEChange(.bodyLinkTextMismatch, change: ">www.sender.example<", to: ">bank.com<"),
        MIMEChange(change: ">www.sender.example<", to: ">https://mail.sender.example:443/u?1<"),
        MIMEChange(change: ">www.sender.example<", to: ">ASP.NET<"),
        MIMEChange(change: ">www.sender.example<", to: ">Node.js<"),
        MIMEChange(change: ">www.sender.example<", to: ">Write to bob@bank.com<"),
        MIMEChange(change: ">www.sender.example<", to: ">bob@bank.com<"),
        MIMEChange(change: ">www.sender.example<", to: "><img src=\"cid:logo@sender.example\"><"),

        MIMEChange(.bodyLinkOddPort, change: "img.sender.example", to: "img.sender.example:8443"),
        MIMEChange(change: "img.sender.example", to: "img.sender.example:443"),

        MIMEChange(.bodyLinkUserinfo, change: "img.sender.example", to: "www.bank.example@img.sender.example"),
        MIMEChange(change: "https://img.sender.example/x.png", to: "https://img.sender.example/@x.png"),

        MIMEChange(
            .bodyLinkMalformed, change: "https://img.sender.example/x.png", to: "https://img.sender.example/x y.png"),
        MIMEChange(
            .bodyLinkMalformed, change: "img.sender.example/x.png", to: "img.sender.example/\\xc3\\xa4"),
        MIMEChange(.bodyLinkMalformed, change: "https://img.sender.example/x.png", to: "www.sender.example/x.png"),
        MIMEChange(.bodyLinkMalformed, change: "https://img.sender.example/x.png", to: "//img.sender.example/x.png"),
        MIMEChange(.bodyLinkMalformed, change: "https://img.sender.example/x.png", to: "https:///x.png"),
        MIMEChange(
            .bodyLinkMalformed, change: "https://img.sender.example/x.png", to: "https://img.sender.example/{id}"),
        MIMEChange(
            .bodyLinkMalformed, change: "https://img.sender.example/x.png", to: "https://img.sender.example/100%"),
        MIMEChange(change: "https://img.sender.example/x.png", to: " https://img.sender.example/%7Bid%7D?a[]=1 "),
        MIMEChange(change: "https://img.sender.example/x.png", to: "data:image/png;base64,iVBO Rw0K"),
        MIMEChange(change: "<body>", to: "<body><base href=\"https://sender.example/\"><a href=\"offer\">O</a>"),

        MIMEChange(.bodyActiveContent, change: "<body>", to: "<body><script>go()</script>"),
        MIMEChange(.bodyActiveContent, change: "<body>", to: "<body><FORM action=\"https://sender.example/f\">"),
        MIMEChange(.bodyActiveContent, change: "<body>", to: "<body><iframe src='https://sender.example/i'></iframe>"),
        MIMEChange(.bodyActiveContent, change: "<body>", to: "<body><object></object>"),
        MIMEChange(.bodyActiveContent, change: "<body>", to: "<body><embed>"),
        MIMEChange(.bodyActiveContent, change: "href=\"#top\"", to: "href=\"JavaScript:go()\""),
        MIMEChange(change: "<body>", to: "<body><script type=\"application/ld+json\">{}</script>"),
        MIMEChange(change: "<body>", to: "<body><!-- <form> --><formula>"),

        MIMEChange(.bodyHiddenText, change: "<body>", to: "<body><div style=\"display: none\">\(long)</div>"),
        MIMEChange(
            .bodyHiddenText, change: "<body>", to: "<body><p STYLE='color:red;font-size:0px !important'>\(long)<p>"),
        MIMEChange(
            .bodyHiddenText, change: "<body>",
            to: "<body><span style=\"color:#FFF;background-color:#fff\">\(long)</span>"),
        MIMEChange(.bodyHiddenText, change: "<body>", to: "<body><div style=display:none><div>a</div>\(long)</div>"),
        MIMEChange(change: "<body>", to: "<body><div style=\"display:block\">\(long)</div>"),
        MIMEChange(change: "<body>", to: "<body><div style=\"display:none\">Preview</div>\(long)"),
        MIMEChange(
            change: "<body>",
            to: "<body><div style=\"display:none\">\(String(repeating: "&#847;&zwnj; ", count: 400))</div>"),
        // Shown by the media rules of the style sheet, on a telephone.
        MIMEChange(change: "<body>", to: "<body><div class=\"phone\" style=\"display:none\">\(long)</div>"),
        // No room between the columns, and letters that are seen in them.
        MIMEChange(
            change: "<body>", to: "<body><div style=\"font-size:0\"><b style=\"font-size:14px\">\(long)</b></div>"),
        // Nothing says where it ends.
        MIMEChange(change: "<body>", to: "<body><div style=\"display:none\">A<br>"),
        MIMEChange(change: "<body>", to: "<body><table><tr><td style=\"display:none\">A</table>\(long)"),
        MIMEChange(
            change: "<body>", to: "<body><p style=\"font-size:10px;color:inherit;background:inherit\">\(long)</p>"),

        MIMEChange(.bodyTemplateResidue, change: "Our offer", to: "Our offer, {{first_name}}"),
        MIMEChange(.bodyTemplateResidue, change: "<body>", to: "<body>Dear null,"),
        MIMEChange(change: "<body>", to: "<body>{ {a} }"),
    ]

    @Test(arguments: pages) func oneChangeOfThePageBreaksItsRules(_ change: MIMEChange) throws {
        let page = try #require(MIMEMail(source: MIMEMail.html).with(change.old, change.new))
        #expect(MIMEMail(html: page.source).judged().broken == change.rules)
    }

    static let texts: [MIMEChange] = [
        MIMEChange(.bodyLinkHttp, change: "<https://sender.", to: "<http://sender."),
        MIMEChange(.bodyLinkHttp, .bodyLinkIpHost, change: "<https://sender.example", to: "<http://192.0.2.1"),
        MIMEChange(.bodyLinkShortener, change: "<https://sender.example/u/1>", to: "(https://t.co/x)."),
        MIMEChange(.bodyLinkMalformed, change: "<https://sender.example/u/1>", to: "https://sender.example/100%,"),
        MIMEChange(change: "<https://sender.example/u/1>", to: "xhttp://192.0.2.1/ http:// http:192.0.2.1"),
        MIMEChange(
            change: "<https://sender.example/u/1>",
            to: "https://sender.example/100\\xe4".replacing("\\xe4", with: "=C3=A4")),
        MIMEChange(.bodyTemplateResidue, change: "(if you", to: "Dear {{ user.name }},"),
        MIMEChange(.bodyTemplateResidue, change: "(if you", to: "Dear ${name},"),
        MIMEChange(.bodyTemplateResidue, change: "(if you", to: "Dear %%first_name%%,"),
        MIMEChange(.bodyTemplateResidue, change: "(if you", to: "Dear *|FNAME|*,"),
        MIMEChange(.bodyTemplateResidue, change: "(if you", to: "Dear [object Object],"),
        MIMEChange(.bodyTemplateResidue, change: "(if you", to: "Hello undefined,"),
        MIMEChange(change: "(if you", to: "=\nDear Nullmeier, Dear Null, Hello undefinedly,"),
        MIMEChange(change: "(if you", to: "=\nThis is undefined behaviour, 100%% sure *|"),
        MIMEChange(change: "(if you", to: "=\n$5 {x} {{}} ${} %% * | * [object] a[i]"),
    ]

    @Test(arguments: texts) func oneChangeOfTheTextBreaksItsRules(_ change: MIMEChange) throws {
        let text = try #require(MIMEMail(source: MIMEMail.plain).with(change.old, change.new))
        #expect(MIMEMail(plain: text.source).judged().broken == change.rules)
    }

    @Test func anAttachedPageIsNotRead() {
        let mail = MIMEMail.single(
            "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\nContent-Disposition: attachment",
            "<script>x</script><a href=\"http://192.0.2.1/\">{{a}}</a>")
        #expect(mail.judged().broken == [])
    }

    /// Escapes of ISO-2022-JP make kanji of octets that look like ASCII.
    @Test func textWhoseASCIIIsNoASCIIIsNotRead() {
        let mail = MIMEMail.single(
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-2022-jp", "\\x1b$B{{AA}}http://192.0.2.1/\\x1b(B")
        #expect(mail.judged().broken == [])
        #expect(
            mail.with("iso-2022-jp", "us-ascii")?.judged().broken == [
                .bodyLinkHttp, .bodyLinkIpHost, .bodyTemplateResidue,
            ])
    }

    @Test func whatLeadsToThisMachineIsSoftenedForAPeerOnIt() {
        let mail = MIMEMail.single("Subject: staging", "http://127.0.0.1:3000/ and http://203.0.113.1/")
        func severities(_ client: String, _ rule: RuleID, _ profile: SenderProfile = .mx) -> [Severity] {
            mail.judged(profile, client: client).findings.filter { $0.rule == rule }.map(\.severity)
        }
        #expect(severities("192.0.2.9:1", .bodyLinkIpHost) == [.reputation])
        #expect(severities("127.0.0.1:1", .bodyLinkIpHost) == [.reputation, .info])
        #expect(severities("127.0.0.1:1", .bodyLinkOddPort) == [.info])
        #expect(severities("127.0.0.1:1", .bodyLinkIpHost, .strict) == [.reputation])
    }

    // MARK: Unsubscribing

    private static func bulk(_ body: String, _ field: String = "List-ID: <news.sender.example>") -> MIMEMail {
        MIMEMail.single(
            "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\(field)",
            body)
    }

    @Test(arguments: [
        ("News! https://sender.example/news", true),
        ("News! Unsubscribe by writing to us.", true),
        ("News! https://sender.example/unsubscribe?u=1", false),
        ("Neues! Abbestellen: https://sender.example/x", false),
        ("Nouvelles! Se d\\xc3\\xa9sabonner: https://sender.example/x", false),
        ("\\xe3\\x83\\x8b\\xe3\\x83\\xa5\\xe3\\x83\\xbc\\xe3\\x82\\xb9 https://sender.example/x", false),
    ])
    func bulkMailSaysHowToUnsubscribe(_ body: String, _ isBroken: Bool) {
        let rules: [RuleID] = isBroken ? [.bodyUnsubscribeLinkMissing] : []
        #expect(Self.bulk(body).judged().broken == rules)
        #expect(Self.bulk(body).judged(.mx).broken == rules)
    }

    @Test func onlyBulkMailHasTo() {
        let body = "News! https://sender.example/news"
        for field in ["Precedence: bulk", "Precedence: List", "Feedback-ID: 1:2:3:4"] {
            #expect(Self.bulk(body, field).judged().broken == [.bodyUnsubscribeLinkMissing], "\(field)")
        }
        #expect(Self.bulk(body, "Precedence: junk").judged().broken == [])
        #expect(Self.bulk(body, "Subject: yours").judged(.mx).broken == [])
        #expect(Self.bulk(body, "Subject: yours").judged(.bulk).broken == [.bodyUnsubscribeLinkMissing])
        // A reply of a machine says so to be left in peace.
        let reply = Self.bulk(body, "Precedence: bulk\nAuto-Submitted: auto-replied")
        #expect(reply.judged().broken == [])
        #expect(Self.bulk(body).judged { $0.reversePath = ReversePath(address: []) }.broken == [])
        #expect(MIMEMail().judged(.bulk).kept.contains(.bodyUnsubscribeLinkMissing))
    }

    @Test func whatNeedsARequestIsNeverJudged() {
        for id in [RuleID.bodyLinkDead, .bodyUnsubscribeActsOnGet, .bodyOneClickEndpoint, .bodySingleUseLink] {
            guard case .never(let reason) = SenderRules.rule(id).judging else {
                Issue.record("\(id.rawValue) is judged")
                continue
            }
            #expect(reason.contains("sink opens no"))
        }
    }

    // MARK: Evidence

    @Test(arguments: [
        (RuleID.bodyLinkHttp, "<https://sender.", "<http://sender.", "http://sender.example/u/1"),
        (.bodyLinkHttp, "<https://sender.", "<htt=\np://s=65nder.", "htt=\r\np://s=65nder.example/u/1"),
        (.bodyTemplateResidue, "(if you", "a =7B=7Bname}=7D", "=7B=7Bname}=7D"),
    ])
    func theEvidenceIsWhereTheTextCameFrom(_ rule: RuleID, _ old: String, _ new: String, _ seen: String) throws {
        let text = try #require(MIMEMail(source: MIMEMail.plain).with(old, new))
        #expect(MIMEMail(plain: text.source).evidence(rule) == seen)
    }

    @Test func theEvidenceInsideBase64IsItsCharacters() throws {
        let mail = MIMEMail.single(
            "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: base64",
            MIMEMail.base64(Array((String(repeating: "abc", count: 200) + " http://a.example/").utf8)))
        // 600 octets and a space, then the address: its 17 octets begin inside a group and end with one.
        let range = try #require(mail.finding(.bodyLinkHttp)?.evidence.first?.range)
        let body = try #require(mail.octets.firstRange(of: [13, 10, 13, 10])).upperBound
        #expect(range.lowerBound == body + 801 + 2 * (801 / 76))
        #expect(
            String(decoding: mail.octets[range], as: UTF8.self).replacing("\r\n", with: "")
                == "Gh0dHA6Ly9hLmV4YW1wbGUv")
    }
}
