// What is read out of sound messages: fields, addresses, dates, text, parts, as Mailpit's clients expect them.

import Mail
import Testing

@Suite struct MailViewTests {
    @Test func aPlainMessageIsReadAsItIs() {
        let view = MailView(
            message(
                "From: Jane Doe <jane@example.org>", "To: bob@example.org", "Subject: Hello", "Message-ID: <a.b@c>",
                "Date: Mon, 01 Jan 2024 10:00:00 +0000", "", "Hi Bob,", "", "  all is  well."))
        #expect(view.from == MailAddress(name: "Jane Doe", address: "jane@example.org"))
        #expect(view.to == [MailAddress(name: "", address: "bob@example.org")])
        #expect(view.subject == "Hello")
        #expect(view.messageID == "a.b@c")
        #expect(view.date?.secondsSince1970 == 1_704_103_200)
        #expect(view.date?.rfc3339 == "2024-01-01T10:00:00Z")
        #expect(view.text == "Hi Bob,\r\n\r\n  all is  well.\r\n")
        #expect(view.html == "")
        #expect(view.snippet == "Hi Bob, all is well.")
        #expect(view.returnPath == "jane@example.org")
        #expect(view.parts.map(\.partID) == ["0"])
        #expect(view.attachments.isEmpty && view.inlines.isEmpty)
        #expect(view.listUnsubscribe == ListUnsubscribe())
        #expect(view.warnings.isEmpty)
    }

    @Test func theHeaderIsDecodedInOrderAndGroupedByCanonicalName() {
        let view = MailView(everything)
        #expect(view.headers.prefix(4).map(\.name) == ["Return-Path", "Received", "From", "To"])
        #expect(view.headers[1].value == "from a (b [192.0.2.1]) by c; Thu, 29 Feb 2024 23:59:58 +0100")
        #expect(view.headersByName["Message-Id"] == ["<1@example.org>"])
        #expect(view.headersByName["Mime-Version"] == ["1.0"])
        #expect(view.headersByName["From"] == ["=?utf-8?q?J=C3=B6rg_M=C3=BCller?= <joerg@example.org>"])
        #expect(view.subject == "Grüße aus Köln")
        #expect(view.returnPath == "bounce@example.org")
        #expect(view.date?.rfc3339 == "2024-02-29T23:59:58+01:00")
    }

    @Test func membersOfGroupsStandInTheListOfAddresses() {
        let view = MailView(everything)
        #expect(view.from == MailAddress(name: "Jörg Müller", address: "joerg@example.org"))
        #expect(
            view.to == [
                MailAddress(name: "Doe, Jane", address: "jane@example.org"),
                MailAddress(name: "", address: "a@example.org"), MailAddress(name: "Bo", address: "b@example.org"),
                MailAddress(name: "", address: "plain@example.org"),
            ])
        #expect(view.cc.map(\.address) == ["c@example.org"])
        #expect(view.replyTo.map(\.address) == ["reply@example.org"])
        #expect(view.bcc.isEmpty)
    }

    @Test func partsAreNumberedAsMailpitNumbersThem() {
        let view = MailView(everything)
        #expect(view.parts.map(\.partID) == ["0", "1.0", "1.1.0", "1.1.1", "1.1.2", "1.2", "2", "3", "4"])
        #expect(view.parts.map(\.depth) == [0, 1, 2, 3, 3, 2, 1, 1, 1])
        #expect(view.attachments.map(\.partID) == ["2", "3", "4"])
        #expect(view.inlines.map(\.partID) == ["1.2"])
        #expect(view.attachmentCount == 3)
        #expect(view.warnings == [])
    }

    @Test func namesOfFilesAreReadInBothEncodings() {
        let view = MailView(everything)
        #expect(view.attachments.map(\.fileName) == ["Résumé.pdf", "Äpfel.bin", "forwarded.eml"])
        #expect(view.attachments.map(\.size) == [4, 2, 96])
        #expect(view.inlines.map(\.contentID) == ["pic@x"])
        #expect(view.inlines.map(\.fileName) == ["pic.png"])
        #expect(view.inlines.map(\.contentType) == ["image/png"])
    }

    @Test func partsAreReadAgainByTheirNumber() throws {
        let picture = try #require(MailView.part("1.2", of: everything))
        #expect(picture.contentType == "image/png" && picture.fileName == "pic.png")
        #expect(picture.octets == [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        #expect(MailView.part("2", of: everything)?.octets == Array("%PDF".utf8))
        #expect(MailView.part("4", of: everything)?.octets.starts(with: "Subject: inside\r\n".utf8) == true)
        #expect(MailView.part("1.0", of: everything) == nil)
        #expect(MailView.part("9", of: everything) == nil)
        #expect(MailView.part("", of: []) == nil)
    }

    @Test func textAndHTMLOfAlternativesAreBothThere() {
        let view = MailView(everything)
        #expect(view.text == "Grüße an alle")
        #expect(view.html == "<p>Grüße <a href=\"https://example.org/x\">an alle</a></p><img src=\"cid:pic@x\">")
        #expect(view.snippet == "Grüße an alle")
    }

    @Test func severalTextsAreJoinedByALineOfDashes() {
        let view = MailView(
            message(
                "Content-Type: multipart/mixed; boundary=b", "", "--b", "", "one", "--b",
                "Content-Type: text/plain", "", "two", "--b", "Content-Type: text/plain",
                "Content-Disposition: attachment; filename=a.txt", "", "three", "--b--"))
        #expect(view.text == "one\n--\ntwo")
        #expect(view.attachments.map(\.fileName) == ["a.txt"])
    }

    @Test func withoutTextItIsMadeFromHTML() {
        let view = MailView(
            message(
                "Content-Type: text/html", "", "<html><head><title>T</title><style>p{}</style></head><body>",
                "<h1>Hello</h1><p>Click <a href='https://example.org/?a=1&amp;b=2'>here</a><br>now</p>",
                "<ul><li>one<li>two</ul></body></html>"))
        #expect(view.text == "Hello\n\nClick here ( https://example.org/?a=1&b=2 )\nnow\n\n* one\n* two")
        #expect(view.snippet == "Hello Click here now one two")
        #expect(view.html.hasPrefix("<html>"))
    }

    @Test func aMessageThatIsAFileIsAnAttachment() {
        let view = MailView(
            message("Content-Type: application/pdf; name=a.pdf", "Content-Transfer-Encoding: base64", "", "JVBERg=="))
        #expect(view.attachments.map(\.partID) == ["0"])
        #expect(view.attachments.map(\.size) == [4])
        #expect(view.text == "")
        #expect(MailView.part("0", of: message("Content-Type: image/gif", "", "GIF"))?.octets == Array("GIF\r\n".utf8))
    }

    @Test(arguments: [
        ("iso-8859-1", "quoted-printable", "caf=E9", "café"),
        ("utf-8", "base64", "Y2Fmw6k=", "café"),
        ("UTF-8", "8bit", "café", "café"),
        ("shift_jis", "base64", "k/qWe4zq", "日本語"),
        ("iso-2022-jp", "7bit", "\u{1B}$BF|K\\8l\u{1B}(B", "日本語"),
        ("windows-1252", "quoted-printable", "=80 5", "€ 5"),
        ("gb2312", "base64", "1tDOxA==", "中文"),
        ("koi8-r", "base64", "z8s=", "ок"),
        ("no-such-charset", "quoted-printable", "caf=E9", "café"),
        ("", "quoted-printable", "caf=C3=A9", "café"),
        ("us-ascii", "quoted-printable", "caf=E9", "café"),
        ("utf-8", "quoted-printable", "caf=E9!", "caf\u{FFFD}!"),
    ])
    func bodiesAreDecodedToUTF8(charset: String, encoding: String, body: String, text: String) {
        let view = MailView(
            message(
                "Content-Type: text/plain" + (charset.isEmpty ? "" : "; charset=\(charset)"),
                "Content-Transfer-Encoding: \(encoding)", "", body))
        #expect(view.text.trimmingSuffix("\r\n") == text)
    }

    @Test func htmlSaysItsCharsetItself() {
        let view = MailView(
            message(
                head: ["Content-Type: text/html"],
                body: Array("<meta charset=\"koi8-r\"><p>".utf8) + [0xCF, 0xCB] + Array("</p>".utf8)))
        #expect(view.html.contains("ок"))
    }

    @Test(arguments: [
        ("=?utf-8?q?a=C3=A4?= =?utf-8?q?b?=", "aäb"),
        ("=?shift_jis?b?k/qWe4zq?=", "日本語"),
        ("a =?iso-8859-15?Q?=A4?= b", "a € b"),
        ("plain =?broken", "plain =?broken"),
        ("=?utf-8?b?R3LDvMOf?=\r\n =?utf-8?b?ZQ==?=", "Grüße"),
    ])
    func subjectsAreDecoded(field: String, subject: String) {
        #expect(MailView(message("Subject: \(field)", "", "")).subject == subject)
    }

    @Test func theSearchTextHoldsWhatOneWouldLookFor() {
        let text = MailView(everything).searchText(maxOctets: 10_000)
        for word in [
            "Grüße aus Köln", "Jörg Müller", "jane@example.org", "b@example.org", "Résumé.pdf", "Äpfel.bin",
            "https://example.org/x", "an alle",
        ] {
            #expect(text.contains(word))
        }
        #expect(!text.contains("\n"))
        for limit in [0, 1, 3, 7, 50, 51, 52, 53] {
            #expect(MailView(everything).searchText(maxOctets: limit).utf8.count <= limit)
        }
    }

    @Test func snippetsEndInDotsWithinACharacterNever() {
        let long = MailView(message("Subject: x", "", String(repeating: "aé ", count: 200)))
        #expect(long.snippet.hasSuffix("..."))
        #expect(long.snippet.utf8.count <= 203)
        #expect(!long.snippet.contains("\u{FFFD}"))
    }
}

extension String {
    func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(unicodeScalars.dropLast(suffix.unicodeScalars.count)) : self
    }
}

@Suite struct EncodedWordTests {
    @Test(arguments: [
        // The first word ends in padding: GMime 3.2 loses what follows it.
        ("=?utf-8?b?YQ==?= =?utf-8?b?YmM=?= =?utf-8?b?ZA==?=", "abcd"),
        // A character spread over two words.
        ("=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),
        ("=?utf-8?b?w4Q=?= =?iso-8859-1?q?=E4?= x =?utf-8?q?y?=", "Ää x y"),
        ("a =?utf-8?q??= b", "a  b"), ("=?utf-8?q?a_b c=3D?=", "a b c="), ("=?UTF-8*de?Q?=C3=A4?=", "ä"),
        ("=?utf-8?x?a?= =?utf-8?q?b", "=?utf-8?x?a?= =?utf-8?q?b"), ("=?", "=?"), ("=?=", "=?="), ("=?a?b?", "=?a?b?"),
        ("=?none?q?=E4?=", "ä"), ("=?utf-8?q?a=0?=", "a=0"),
    ])
    func wordsAreJoinedAndDecoded(field: String, text: String) {
        #expect(MailView(message("Subject: \(field)", "", "")).subject == text)
    }

    @Test func wordsInNamesHideNoComma() {
        let view = MailView(
            message("To: =?utf-8?b?RG9lLA==?= =?utf-8?b?IErDtg==?= <a@b>, \"=?utf-8?q?x=2C?=\" <c@d>", "", ""))
        #expect(view.to == [MailAddress(name: "Doe, Jö", address: "a@b"), MailAddress(name: "x,", address: "c@d")])
    }

    @Test func brokenWordsAreWarnedOf() {
        #expect(MailView(message("Subject: =?utf-8?q?b", "", "")).warnings == ["invalid encoded word: =?utf-8?q?b"])
    }
}
