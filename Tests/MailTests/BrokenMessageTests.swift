// Messages that no mailer should have made, and what can still be had of them.

import Mail
import Testing

@Suite struct BrokenMessageTests {
    @Test func anEmptyMessageIsEmpty() {
        let view = MailView([UInt8]())
        #expect(view.headers.isEmpty && view.from == nil && view.date == nil && view.subject == "")
        #expect(view.text == "" && view.html == "" && view.snippet == "")
        #expect(view.parts.map(\.size) == [0])
        #expect(view.searchText(maxOctets: 100) == "")
    }

    @Test func aMessageWithoutHeaderIsAllText() {
        #expect(MailView(message("", "only text")).text == "only text\r\n")
        #expect(MailView(message("only text here", "and more: yes")).text == "only text here\r\nand more: yes\r\n")
    }

    @Test func aHeaderWithoutBodyIsRead() {
        let view = MailView(Array("Subject: a\r\nTo: b@c".utf8))
        #expect(view.subject == "a" && view.text == "")
        #expect(view.to.map(\.address) == ["b@c"])
    }

    @Test func aMissingBlankLineEndsTheHeaderWhereTheTextBegins() {
        let view = MailView(message("Subject: a", "This is text", "and more"))
        #expect(view.subject == "a")
        #expect(view.text == "This is text\r\nand more\r\n")
        #expect(view.warnings == ["header ends without a blank line"])
    }

    @Test func bareLineFeedsAreLinesToo() {
        let view = MailView(
            Array("Subject: a\n b\nContent-Type: multipart/mixed; boundary=x\n\n--x\n\none\n--x--\n".utf8))
        #expect(view.subject == "a b")
        #expect(view.text == "one")
    }

    @Test func nothingThatIsMissingIsInvented() {
        let view = MailView(message("X: y", "", "z"))
        #expect(
            view.from == nil && view.to.isEmpty && view.messageID == "" && view.date == nil && view.returnPath == "")
        for date in ["", "yesterday", "99 Foo 2024", "\u{1F600}"] {
            #expect(MailView(message("Date: \(date)", "", "")).date == nil)
        }
    }

    @Test func anAuthorWithoutAddressIsAName() {
        #expect(MailView(message("From: ", "", "")).from == nil)
        #expect(MailView(message("From: ;;", "", "")).from == MailAddress(name: ";;", address: ""))
    }

    @Test func eightBitHeadersAreReadAsUTF8OrWindows1252() {
        #expect(MailView(message("Subject: Grüße", "", "")).subject == "Grüße")
        let western = Array("Subject: Gr".utf8) + [0xFC, 0xDF] + Array("e\r\n\r\n".utf8)
        #expect(MailView(western).subject == "Grüße")
        #expect(MailView(western).warnings == ["Subject holds 8-bit characters that are no UTF-8"])
    }

    @Test func ofDoubledFieldsTheFirstCountsButAllAddressesDo() {
        let view = MailView(message("To: a@b", "Subject: one", "Subject: two", "To: c@d", "", ""))
        #expect(view.subject == "one")
        #expect(view.to.map(\.address) == ["a@b", "c@d"])
        #expect(view.warnings == ["Subject is there more than once", "To is there more than once"])
    }

    @Test func nulOctetsDoNotHideWhatFollows() {
        let view = MailView(Array("Subject: a\0b\r\nTo: c\0d@e\r\n\r\nte\0xt".utf8))
        #expect(view.subject == "a b")
        #expect(view.text == "te\0xt")
        #expect(view.snippet == "te xt")
        #expect(HTMLText.text(of: "<p>a\0b</p>") == "a b")
    }

    @Test func truncatedBase64GivesItsBeginning() {
        let view = MailView(message("Content-Transfer-Encoding: base64", "", "SGVsbG8gd29ybG"))
        #expect(view.text.hasPrefix("Hello wor"))
        #expect(MailView(message("Content-Transfer-Encoding: base64", "", "SGVs!!\u{E9}bG8=")).text.hasPrefix("Hello"))
    }

    @Test func anUnclosedMultipartKeepsItsLastPart() {
        let view = MailView(
            message("Content-Type: multipart/mixed; boundary=b", "", "--b", "", "one", "--b", "", "two"))
        #expect(view.text == "one\n--\ntwo\r\n")
        #expect(view.warnings == ["multipart 0 is not closed"])
    }

    @Test func aMultipartWithoutBoundaryIsText() {
        #expect(MailView(message("Content-Type: multipart/mixed", "", "all of it")).text == "all of it\r\n")
        let view = MailView(message("Content-Type: multipart/mixed; boundary=b", "", "all"))
        #expect(view.text == "all\r\n")
        #expect(view.attachmentCount == 0)
        #expect(MailView(message("Content-Type: multipart/mixed", "", "all")).attachmentCount == 0)
    }

    @Test func anOuterBoundaryEndsWhatIsOpenInside() {
        let view = MailView(
            message(
                "Content-Type: multipart/mixed; boundary=o", "", "--o", "Content-Type: multipart/mixed; boundary=i", "",
                "--i", "", "inner", "--o", "", "outer", "--o--"))
        #expect(view.parts.map(\.partID) == ["0", "1.0", "1.1", "2"])
        #expect(view.text == "inner\n--\nouter")
    }

    @Test func unknownTypesAndEncodingsLeaveTheOctets() {
        let view = MailView(
            message("Content-Type: text/plain; charset=", "Content-Transfer-Encoding: rot13", "", "Uryyb"))
        #expect(view.text == "Uryyb\r\n")
        #expect(MailView(message("Content-Type: nonsense", "", "x")).parts.count == 1)
    }

    @Test func mboxLinesAreNoFields() {
        #expect(MailView(message("From a@b Mon Jan  1 00:00:00 2024", "Subject: x", "", "y")).subject == "x")
    }
}

@Suite struct HTMLTextTests {
    @Test(arguments: [
        ("", ""), ("plain", "plain"), ("<p>a</p><p>b</p>", "a\n\nb"), ("a<br>b<br/>c", "a\nb\nc"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<script>x()</script>a<style>b</style><!-- c -->", "a"), ("&lt;b&gt; &amp; &uuml;&nbsp;&#8364;", "<b> & ü €"),
        ("<div>unclosed <b>bold", "unclosed bold"), ("<a href='#'>x</a>", "x ( # )"), ("a\u{FEFF}b  \n c", "a b c"),
    ])
    func textIsWhatABrowserWouldShow(html: String, text: String) {
        #expect(HTMLText.text(of: html) == text)
    }

    @Test func whatTheHTMLSaysOfItsCharsetIsNotBelieved() {
        #expect(HTMLText.text(of: "<meta charset=\"koi8-r\"><p>ок ä</p>") == "ок ä")
        let old = "<meta http-equiv=\"Content-Type\" content=\"text/html; charset=iso-8859-1\">"
        #expect(HTMLText.text(of: "<html><head>\(old)</head><body>ок ä 😀</body></html>") == "ок ä 😀")
    }

    @Test func charactersOverTheEdgeOfAPieceStayWhole() {
        let text = String(repeating: "äöü😀日本", count: 2_000)
        #expect(HTMLText.text(of: "<p>x\(text)</p>") == "x" + text)
        #expect(HTMLText.text(of: "<p>\(text)</p>") == text)
    }

    @Test func depthAndSizeOfHTMLAreBounded() {
        for unit in ["<div>", "<b></i>", "<table><tr><td>", "<", "&#", "<a ", "<!--", "<p x='", "é<"] {
            let html = "<p>first</p>" + String(repeating: unit, count: 3_000_000 / unit.utf8.count)
            #expect(HTMLText.text(of: html).utf8.count <= MailLimit.htmlOctets * 2)
        }
        #expect(HTMLText.text(of: "<p>first</p>" + String(repeating: "<div>", count: 100_000)).hasPrefix("first"))
    }

    @Test(.timeLimit(.minutes(1))) func aTagWithoutEndIsGivenUp() {
        var tag = "<p>first</p><b "
        for number in 0..<150_000 { tag += "\(String(number, radix: 36)) " }
        #expect(HTMLText.text(of: tag + "'>x") == "first")
    }

    @Test func picturesWithinTagsHideNoText() {
        let picture = String(repeating: "QUJD", count: 50_000)
        #expect(HTMLText.text(of: "<p>a<img src=\"data:image/png;base64,\(picture)\" alt=x>b</p>") == "ab")
    }
}
