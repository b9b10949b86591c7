// The rules of MIME: one clean message, one change, and what is found.

import Findings
import SMTP
import Testing

@Suite struct MIMETests {
    @Test func aCleanMessageBreaksNothingAndKeepsWhatItShows() {
        let judged = MIMEMail().judged()
        #expect(judged.broken == [])
        let unseen: Set<RuleID> = [
            // Nothing of the kind is in it.
            .mimeCteFalse, .mimeReportMalformed, .bodyLinkDead, .bodyUnsubscribeActsOnGet, .bodyOneClickEndpoint,
            .bodySingleUseLink,
            .bodyUnsubscribeLinkMissing,
        ]
        for id in RuleID.allCases where [.mime, .body].contains(SenderRules.layer(of: id)) && !unseen.contains(id) {
            #expect(judged.kept.contains(id), "\(id.rawValue)")
        }
    }

    static let changes: [MIMEChange] = [
        MIMEChange(.mimeVersionMissing, change: "MIME-Version: 1.0 (made by hand)\n", to: ""),
        MIMEChange(.mimeVersionMissing, change: "1.0 (made by hand)", to: "1.1"),
        MIMEChange(.mimeVersionMissing, change: "1.0 (made by hand)", to: "(1.0)"),
        MIMEChange(change: "1.0 (made by hand)", to: "1 (one) . (dot) 0"),

        MIMEChange(.mimeContentTypeSyntax, change: "name=terms.pdf", to: "name=terms of use.pdf"),
        MIMEChange(.mimeContentTypeSyntax, change: "name=terms.pdf", to: "name=terms.pdf;"),
        MIMEChange(.mimeContentTypeSyntax, change: "name=terms.pdf", to: "name"),
        MIMEChange(.mimeContentTypeSyntax, change: "name=terms.pdf", to: "name=\"terms.pdf"),
        MIMEChange(.mimeContentTypeSyntax, change: "application/pdf;", to: "application;"),
        MIMEChange(
            .mimeContentTypeSyntax, change: "application/pdf; name=terms.pdf", to: "application/pdf name=terms.pdf"),
        MIMEChange(change: "name=terms.pdf", to: "name=\"terms; of use.pdf\""),
        MIMEChange(change: "name=terms.pdf", to: "(a; comment)\n\tname = terms.pdf (another)"),

        MIMEChange(.mimeBoundaryParameter, change: "mixed; boundary=\"outer=_7\"", to: "mixed"),
        MIMEChange(.mimeBoundaryParameter, change: "mixed; boundary=\"outer=_7\"", to: "mixed; boundary=\"\""),
        MIMEChange(.mimeBoundaryParameter, change: "mixed; boundary=\"outer=_7\"", to: "mixed; boundary=outer=_7"),
        MIMEChange(.mimeBoundaryParameter, change: "mixed; boundary=\"outer=_7\"", to: "mixed; boundary=\"outer=_7 \""),
        MIMEChange(change: "mixed; boundary=\"outer=_7\"", to: "mixed; (why) boundary=\"outer=\\_7\""),

        MIMEChange(
            .mimeBoundaryAbsentInBody, change: "mixed; boundary=\"outer=_7\"", to: "mixed; boundary=\"other=_7\""),
        MIMEChange(
            .mimeBoundaryAbsentInBody, change: "JVBERi0xLjQ=\n--outer=_7--\nNothing.",
            to: "JVBERi0xLjQ=\n--outer=_7\nContent-Type: multipart/mixed; boundary=none\n\n--none--\n\n--outer=_7--"),

        MIMEChange(.mimeClosingBoundaryMissing, change: "\n--outer=_7--\nNothing.\n", to: "\n"),
        MIMEChange(.mimeClosingBoundaryMissing, change: "\n--inner=_7--\n", to: "\n"),
        MIMEChange(change: "\n--outer=_7--\nNothing.\n", to: "\n--outer=_7-- \t"),

        MIMEChange(
            .mimeCteOnComposite, change: "multipart/mixed; boundary=\"outer=_7\"",
            to: "multipart/mixed; boundary=\"outer=_7\"\nContent-Transfer-Encoding: base64"),
        MIMEChange(
            .mimeCteOnComposite, change: "application/pdf; name=terms.pdf", to: "message/rfc822; name=terms.pdf"),
        MIMEChange(
            change: "multipart/mixed; boundary=\"outer=_7\"",
            to: "multipart/mixed; boundary=\"outer=_7\"\nContent-Transfer-Encoding: 8Bit (why not)"),
        MIMEChange(change: "application/pdf; name=terms.pdf", to: "message/global; name=terms.pdf"),

        MIMEChange(
            .mimeCteFalse, change: "base64\n\nJVBERi0xLjQ=", to: "7bit\n\nna\\xc3\\xafve"),
        MIMEChange(
            .mimeCteFalse, change: "Content-Transfer-Encoding: base64\n\nJVBERi0xLjQ=", to: "\nna\\xc3\\xafve"),
        // A part that is 8bit, in a multipart that is 7bit.
        MIMEChange(.mimeCteFalse, change: "base64\n\nJVBERi0xLjQ=", to: "8bit\n\nna\\xc3\\xafve"),
        MIMEChange(change: "base64\n\nJVBERi0xLjQ=", to: "8bit\n\nnaive"),

        MIMEChange(
            .mimeBase64LineTooLong, change: "JVBERi0xLjQ=", to: String(repeating: "AAAA", count: 20)),
        MIMEChange(change: "JVBERi0xLjQ=", to: String(repeating: "AAAA", count: 19) + "\nAA==\n"),

        MIMEChange(.mimeBase64Invalid, change: "JVBERi0xLjQ=", to: "JVBERi0x*LjQ="),
        MIMEChange(.mimeBase64Invalid, change: "JVBERi0xLjQ=", to: "JVBERi0xLjQ"),
        MIMEChange(.mimeBase64Invalid, change: "JVBERi0xLjQ=", to: "JVBERi0xLjQ=\nJVBERi0xLjQ="),
        MIMEChange(.mimeBase64Invalid, change: "JVBERi0xLjQ=", to: "JVBERi0x LjQ="),
        MIMEChange(.mimeBase64Invalid, change: "JVBERi0xLjQ=", to: "JVBERi0xLj==="),
        MIMEChange(.mimeBase64Invalid, change: "JVBERi0xLjQ=", to: "JVBERi0xLjQ=\n-- \nSent by a list"),
        MIMEChange(change: "JVBERi0xLjQ=", to: "JVBE\nRi0x\nLjQ="),
        MIMEChange(change: "JVBERi0xLjQ=", to: "JVBERi0xLg== \n\n"),

        MIMEChange(
            .mimeQpLineTooLong, change: "Gr=C3=BC=C3=9Fe! See", to: String(repeating: "a", count: 76) + "="),
        MIMEChange(change: "Gr=C3=BC=C3=9Fe! See", to: String(repeating: "a", count: 75) + "=\nGr=C3=BC=C3=9Fe See"),

        MIMEChange(.mimeQpInvalid, change: "a=3D1", to: "a=3d1"),
        MIMEChange(.mimeQpInvalid, change: "a=3D1", to: "a=x"),
        MIMEChange(.mimeQpInvalid, change: "a=3D1", to: "a \\xc3\\xa4 b"),
        MIMEChange(.mimeQpInvalid, change: "a=3D1", to: "a \\x07 b"),
        MIMEChange(.mimeQpInvalid, change: "to unsubscribe.", to: "to unsubscribe.="),
        MIMEChange(change: "a=3D1", to: "a=\n=3D1\tb"),
        MIMEChange(change: "to unsubscribe.", to: "to unsubscribe.=\n"),

        MIMEChange(.mimeQpTrailingSpace, change: "to unsubscribe.", to: "to unsubscribe.\n-- \nAnna"),
        MIMEChange(.mimeQpTrailingSpace, change: "(if you =\n", to: "(if you = \t\n"),
        MIMEChange(change: "to unsubscribe.", to: "to unsubscribe.\n--=20\nAnna"),

        MIMEChange(.mimeCharsetMissing, change: "text/plain; charset=utf-8", to: "text/plain"),
        MIMEChange(change: "text/plain; charset=utf-8", to: "text/plain; CHARSET=\"UTF-8\""),

        MIMEChange(.mimeCharsetFalse, change: "text/plain; charset=utf-8", to: "text/plain; charset=us-ascii"),
        MIMEChange(.mimeCharsetFalse, change: "text/plain; charset=utf-8", to: "text/plain; charset=utf-16le"),
        MIMEChange(.mimeCharsetFalse, change: "text/plain; charset=utf-8", to: "text/plain; charset=iso-2022-jp"),
        MIMEChange(.mimeCharsetFalse, change: "Gr=C3=BC=C3=9Fe! See", to: "Gr=FC=DFe! See"),
        MIMEChange(.mimeCharsetFalse, change: "Gr=C3=BC=C3=9Fe! See", to: "Gr=C0=AFe! See"),
        MIMEChange(.mimeCharsetFalse, change: "Gr=C3=BC=C3=9Fe! See", to: "Gr=ED=A0=80e! See"),
        MIMEChange(.mimeCharsetFalse, change: "to unsubscribe.", to: "to unsubscribe.=C3"),
        MIMEChange(change: "text/plain; charset=utf-8", to: "text/plain; charset=iso-8859-15"),
        MIMEChange(change: "Gr=C3=BC=C3=9Fe! See", to: "Gr=F0=9F=98=80e=EF=BF=BD! See"),

        MIMEChange(.mimeCharsetUnknown, change: "text/plain; charset=utf-8", to: "text/plain; charset=utf8"),
        MIMEChange(.mimeCharsetUnknown, change: "text/plain; charset=utf-8", to: "text/plain; charset=cp1252"),
        MIMEChange(change: "text/plain; charset=utf-8", to: "text/plain; charset=csISOLatin1"),
        MIMEChange(change: "text/plain; charset=utf-8", to: "text/plain; charset=Windows-1252"),
        MIMEChange(change: "text/plain; charset=utf-8", to: "text/plain; charset=x-our-own"),
        MIMEChange(change: "text/plain; charset=utf-8", to: "text/plain; charset=unknown-8bit"),

        MIMEChange(
            .mimeParameterRaw8bit, change: "inline; filename=\"logo.png\"", to: "inline; filename=\"l\\xc3\\xb6.png\""),
        MIMEChange(.mimeParameterRaw8bit, change: "name=terms.pdf", to: "name=l\\xf6.pdf"),
        MIMEChange(
            .mimeParameterRaw8bit, change: "inline; filename=\"logo.png\"",
            to: "inline; filename=\"=?utf-8?B?bMO2?=.png\""),
        MIMEChange(change: "inline; filename=\"logo.png\"", to: "inline; filename=\"what=?why?=.png\""),

        MIMEChange(
            .mimeBoundaryCollision, change: "JVBERi0xLjQ=\n--outer=_7--\nNothing.",
            to: "JVBERi0xLjQ=\n--outer=_7\nContent-Type: multipart/mixed; boundary=\"outer=_77\"\n\n--outer=_77\n\nA\n"
                + "--outer=_77--\n\n--outer=_7--"),
        MIMEChange(
            .mimeBoundaryCollision, change: "JVBERi0xLjQ=\n--outer=_7--\nNothing.",
            to: "JVBERi0xLjQ=\n--outer=_7\nContent-Type: multipart/mixed; boundary=\"outer\"\n\n--outer\n\nA\n"
                + "--outer--\n\n--outer=_7--"),
        MIMEChange(
            .mimeBoundaryCollision, change: "base64\n\nJVBERi0xLjQ=", to: "7bit\n\nA\n--outer=_7and more\nB"),
        MIMEChange(change: "base64\n\nJVBERi0xLjQ=", to: "7bit\n\nA\n --outer=_7\n-outer=_7\n--outer=_8\nB"),
        MIMEChange(
            change: "JVBERi0xLjQ=\n--outer=_7--\nNothing.",
            to: "JVBERi0xLjQ=\n--outer=_7\nContent-Type: multipart/mixed; boundary=\"inner=_7\"\n\n--inner=_7\n\nA\n"
                + "--inner=_7--\n\n--outer=_7--"),

        MIMEChange(
            .mimePartBlankLineMissing, change: "base64\n\nJVBERi0xLjQ=", to: "7bit\nHello there\n\nBob"),
        MIMEChange(change: "JVBERi0xLjQ=\n--outer=_7--", to: "JVBERi0xLjQ=\n--outer=_7\n\nA part\n--outer=_7--"),
        MIMEChange(
            change: "JVBERi0xLjQ=\n--outer=_7--", to: "JVBERi0xLjQ=\n--outer=_7\nContent-Type: text/plain\n--outer=_7--"
        ),

        MIMEChange(.mimeCteUnknown, change: "base64\n\nJVBERi0xLjQ=", to: "8-bit\n\nA"),
        MIMEChange(change: "base64\n\nJVBERi0xLjQ=", to: "X-UUEncode\n\nA"),
        MIMEChange(change: "base64\n\nJVBERi0xLjQ=", to: "(a) BASE64 (b)\n\nJVBERi0xLjQ="),

        MIMEChange(.mimeParameter2231Syntax, change: "filename*=utf-8''B%C3%BCro.pdf", to: "filename*=B%C3%BCro.pdf"),
        MIMEChange(
            .mimeParameter2231Syntax, change: "filename*=utf-8''B%C3%BCro.pdf", to: "filename*=utf-8''B%C3%Gro.pdf"),
        MIMEChange(
            .mimeParameter2231Syntax, change: "filename*=utf-8''B%C3%BCro.pdf", to: "filename*=\"utf-8''B%C3%BCro.pdf\""
        ),
        MIMEChange(
            .mimeParameter2231Syntax, change: "filename*=utf-8''B%C3%BCro.pdf", to: "filename*0=a; filename*2=b"),
        MIMEChange(
            .mimeParameter2231Syntax, change: "filename*=utf-8''B%C3%BCro.pdf", to: "filename*00=a; filename*01=b"),
        MIMEChange(
            .mimeParameter2231Syntax, change: "filename*=utf-8''B%C3%BCro.pdf", to: "filename*1=b; filename*1=c"),
        MIMEChange(
            .mimeParameter2231Syntax, change: "filename*=utf-8''B%C3%BCro.pdf",
            to: "filename=\"a.pdf\"; filename*=utf-8''b.exe"),
        MIMEChange(
            change: "filename*=utf-8''B%C3%BCro.pdf",
            to: "filename*1=\"b.\"; filename*0*=utf-8'de'B%C3%BC;\n filename*2*=%70df"),
        MIMEChange(
            change: "filename*=utf-8''B%C3%BCro.pdf", to: "filename=\"B?ro.pdf\"; filename*=utf-8''B%C3%BCro.pdf"),
        MIMEChange(change: "filename*=utf-8''B%C3%BCro.pdf", to: "filename=\"a b\"; filename*=''a%20b"),

        MIMEChange(
            .mimeRelatedIncomplete, change: "multipart/related; type=\"multipart/alternative\";",
            to: "multipart/related;"),
        MIMEChange(.mimeRelatedIncomplete, change: "<logo@sender.example>", to: "<log0@sender.example>"),
        MIMEChange(
            change: "multipart/related; type=\"multipart/alternative\";", to: "multipart/related; Type=\"text/html\";"),
    ]

    @Test(arguments: changes) func oneChangeBreaksItsRules(_ change: MIMEChange) throws {
        let mail = try #require(MIMEMail().with(change.old, change.new))
        #expect(mail.judged().broken == change.rules)
    }

    // MARK: What needs a message of its own

    @Test(arguments: [
        ("Content-Type: text/html; charset=utf-8\nMIME-Version: 1.0", "<p>Hi", [RuleID.mimeHtmlWithoutText]),
        ("Content-Type: text/plain; charset=utf-8\nMIME-Version: 1.0", "Hi", []),
        ("Subject: Hi", "Hi", []),
        ("Content-Transfer-Encoding: 8bit", "Hi", [.mimeVersionMissing]),
        (
            "MIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\nContent-Type: text/plain", "\\xc3\\xa4",
            [.mimeCharsetMissing]
        ),
        ("Subject: raw", "\\xc3\\xa4", [.mimeCteFalse, .mimeCharsetMissing]),
        ("MIME-Version: 1.0\nContent-Type: text/x-log\nContent-Transfer-Encoding: 8bit", "\\xc3\\xa4", []),
        (
            "MIME-Version: 1.0\nContent-Type: text/plain\nContent-Transfer-Encoding: utf-8", "A",
            [.mimeCteUnknown]
        ),
        (
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\(String(repeating: "b", count: 71))",
            "--\(String(repeating: "b", count: 71))\n\nA\n--\(String(repeating: "b", count: 71))--",
            [.mimeBoundaryParameter]
        ),
        (
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=\(String(repeating: "b", count: 70))",
            "--\(String(repeating: "b", count: 70))\n\nA\n--\(String(repeating: "b", count: 70))--", []
        ),
    ])
    func aMessageOfOnePart(_ fields: String, _ body: String, _ rules: [RuleID]) {
        #expect(MIMEMail.single(fields, body).judged().broken == rules)
    }

    private static func alternative(_ first: String, _ second: String) -> MIMEMail {
        MIMEMail.single(
            "MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=b",
            "--b\nContent-Type: \(first)\n\nA\n--b\nContent-Type: \(second)\n\nB\n--b--")
    }

    @Test func theLastAlternativeIsTheRichest() {
        #expect(Self.alternative("text/plain", "text/html").judged().broken == [])
        #expect(Self.alternative("text/html", "text/plain").judged().broken == [.mimeAlternativeOrder])
        #expect(Self.alternative("text/html", "text/calendar").judged().broken == [.mimeHtmlWithoutText])
        // Beside each other is no alternative.
        let mixed = Self.alternative("text/plain", "text/html").with("multipart/alternative", "multipart/mixed")
        #expect(mixed?.judged().broken == [.mimeHtmlWithoutText])
        // An attached page needs no text.
        let attached = Self.alternative("text/plain", "text/html\nContent-Disposition: attachment")
            .with("multipart/alternative", "multipart/mixed")
        #expect(attached?.judged().broken == [])
    }

    @Test func textInsideBase64HasCRLF() {
        func mail(_ text: String, _ type: String = "text/plain; charset=utf-8") -> MIMEMail {
            MIMEMail.single(
                "MIME-Version: 1.0\nContent-Type: \(type)\nContent-Transfer-Encoding: base64",
                MIMEMail.base64(Array(text.utf8)))
        }
        #expect(mail("a\r\nb\r\n").judged().broken == [])
        #expect(mail("a\nb\n").judged().broken == [.mimeBase64TextBareLf])
        #expect(mail("a\r\nb\rc").judged().broken == [.mimeBase64TextBareLf])
        #expect(mail("a\nb\n", "application/x-sh").judged().broken == [])
        #expect(mail("a\r\nb\r\n").judged().kept.contains(.mimeBase64TextBareLf))
        #expect(!mail("a").judged().kept.contains(.mimeBase64TextBareLf))
    }

    private static func report(_ parameter: String, _ second: String) -> MIMEMail {
        MIMEMail.single(
            "MIME-Version: 1.0\nContent-Type: multipart/report; \(parameter)boundary=b",
            "--b\n\nSorry.\n--b\nContent-Type: \(second)\n\nAction: failed\n--b--")
    }

    @Test func aReportIsWhatItSays() {
        func broken(_ mail: MIMEMail, from: String) -> [RuleID] {
            mail.judged { $0.reversePath = ReversePath(address: Array(from.utf8)) }.broken
        }
        let good = Self.report("report-type=delivery-status; ", "message/delivery-status")
        #expect(broken(good, from: "") == [])
        #expect(broken(good, from: "mailer@sender.example") == [.mimeReportMalformed])
        #expect(broken(Self.report("", "message/delivery-status"), from: "") == [.mimeReportMalformed])
        #expect(broken(Self.report("report-type=delivery-status; ", "text/plain"), from: "") == [.mimeReportMalformed])
        #expect(
            broken(Self.report("report-type=Feedback-Report; ", "message/feedback-report"), from: "a@b.example") == [])
        #expect(broken(Self.report("report-type=tlsrpt; ", "application/tlsrpt+gzip"), from: "a@b.example") == [])
        #expect(
            broken(Self.report("report-type=delivery-status; ", "message/global-delivery-status"), from: "") == [])
    }

    /// A bounce returns somebody else's message: what is wrong in it is not the sender's.
    @Test func whatIsInsideAnEnclosedMessageIsNotJudged() {
        let inside = """
            Content-Type: multipart/alternative; boundary=i;

            --i
            Content-Type: text/html
            Content-Transfer-Encoding: quoted-printable

            <a href="http://192.0.2.1:99/">=x
            """
        let mail = MIMEMail.single(
            "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b",
            "--b\n\nSee below.\n--b\nContent-Type: message/rfc822\n\n\(inside)\n--b--")
        #expect(mail.judged().broken == [])
        // The label of the enclosing part is the sender's.
        #expect(mail.with("=x", "\\xe4")?.judged().broken == [.mimeCteFalse])
    }

    @Test func utf8InParametersIsFineWhereTheSessionAgreedOnIt() {
        let mail = MIMEMail().with("name=terms.pdf", "name=\"l\\xc3\\xb6.pdf\"")
        let agreed: (inout MessageInput) -> Void = {
            $0.reversePath = ReversePath(address: Array("anna@sender.example".utf8), smtpUTF8: true)
        }
        #expect(mail?.judged().broken == [.mimeParameterRaw8bit])
        #expect(mail?.judged(.strict, agreed).broken == [])
        #expect(
            MIMEMail().with("name=terms.pdf", "name=\"l\\xf6.pdf\"")?.judged(.strict, agreed).broken == [
                .mimeParameterRaw8bit
            ])
    }

    @Test func theSinkOutOfStepExcusesWhatIsMissing() {
        let mail = MIMEMail().with("\n--outer=_7--\nNothing.\n", "\n")
        #expect(mail?.judged { $0.disturbances = .garbled }.broken == [])
        #expect(mail?.judged { $0.disturbances = .delayed }.broken == [.mimeClosingBoundaryMissing])
    }

    @Test(arguments: [
        (RuleID.mimeBase64Invalid, "JVBERi0xLjQ=", "JVBERi0x*LjQ=", "*"),
        (.mimeCteFalse, "base64\n\nJVBERi0xLjQ=", "7bit\n\nab\\x7f\\x80", "\u{fffd}"),
        (.mimeQpInvalid, "a=3D1", "a=3d1", "=3d"),
        (.mimeCharsetFalse, "a=3D1", "a=3D=\n=FF1", "=FF"),
        (.mimeCharsetUnknown, "text/plain; charset=utf-8", "text/plain; charset=utf8", "charset=utf8"),
        (.mimeBoundaryCollision, "base64\n\nJVBERi0xLjQ=", "7bit\n\nA\n--outer=_7x\nB", "--outer=_7x"),
        (.mimePartBlankLineMissing, "base64\n\nJVBERi0xLjQ=", "7bit\nHello there\n\nBob", "Hello there\r\n"),
    ])
    func theEvidenceIsTheOctetsThatAreWrong(_ rule: RuleID, _ old: String, _ new: String, _ seen: String) throws {
        let mail = try #require(MIMEMail().with(old, new))
        #expect(mail.evidence(rule) == seen)
    }

    @Test func aMissingTypeAndAMissingPartAreTwoFindings() {
        let mail = MIMEMail().with("multipart/related; type=\"multipart/alternative\";", "multipart/related;")?
            .with("<logo@sender.example>", "<other@sender.example>")
        let findings = mail?.judged().findings.filter { $0.rule == .mimeRelatedIncomplete } ?? []
        #expect(Set(findings.map(\.severity)) == [.must, .should])
    }
}
