// The list of a message's links, as the page and the API show it.

import Findings
import Testing

@Suite struct MessageLinkTests {
    private func links(_ mail: MIMEMail, limit: Int = 1000) -> [MessageLink] {
        mail.octets.withUnsafeBufferPointer { MessageLinks.list($0, MessageScan($0), limit: limit) }
    }

    @Test func allLinksOfTextAndHTMLAreListed() {
        let list = links(MIMEMail())
        #expect(
            list.map(\.url) == [
                "https://www.sender.example/offer?a=1", "https://sender.example/u/1",
                "https://www.sender.example/offer?a=1&b=2", "https://sender.example/u/1", "mailto:leave@sender.example",
                "https://img.sender.example/x.png",
            ])
        #expect(list.map(\.origin) == [.text, .text, .anchor, .anchor, .anchor, .resource])
        #expect(list.map(\.host).prefix(2) == ["www.sender.example", "sender.example"])
        #expect(list[4].host == "")
        #expect(list.map(\.part) == [3, 3, 4, 4, 4, 4])
        #expect(list.allSatisfy { $0.rules.isEmpty })
    }

    @Test func whatWasFoundStandsBesideTheLink() throws {
        let mail = MIMEMail.single("Subject: bad", "See http://u@192.0.2.1:99/a%, please")
        let link = try #require(links(mail).first)
        #expect(
            link.rules == [.bodyLinkHttp, .bodyLinkIpHost, .bodyLinkOddPort, .bodyLinkUserinfo, .bodyLinkMalformed])
        #expect(String(decoding: mail.octets[link.range], as: UTF8.self) == "http://u@192.0.2.1:99/a%")
    }

    @Test func theListAndItsURLsAreLimited() {
        let one = "https://sender.example/" + String(repeating: "a", count: 5000)
        let mail = MIMEMail.single("Subject: many", Array(repeating: one, count: 20).joined(separator: "\n"))
        #expect(links(mail).count == 20)
        #expect(links(mail, limit: 7).count == 7)
        #expect(links(mail).allSatisfy { $0.url.utf8.count == MessageLink.urlLimit })
    }

    /// HTML Living Standard §4.8.4.2.1: an address may hold commas, but not end with one.
    @Test(arguments: [
        ("https://a.test/1", ["https://a.test/1"]),
        ("  https://a.test/1 1x , https://a.test/2,3 2x", ["https://a.test/1", "https://a.test/2,3"]),
        ("https://a.test/1, https://a.test/2", ["https://a.test/1", "https://a.test/2"]),
        (",,https://a.test/1,,", ["https://a.test/1"]), ("https://a.test/1 100w 2x (a, b", ["https://a.test/1", "b"]),
        ("", []), (" ", []), (",", []), (" , , ", []),
    ])
    func imagesOfSeveralSizesAreEachALink(_ value: String, _ urls: [String]) {
        let mail = MIMEMail(source: "Content-Type: text/html\n\n<img srcset=\"\(value)\">")
        #expect(links(mail).map(\.url) == urls)
    }

    @Test func thePictureInFrontOfAVideoIsALink() {
        let mail = MIMEMail(source: "Content-Type: text/html\n\n<video poster=https://a.test/p.png>")
        #expect(links(mail).map(\.origin) == [.resource])
    }

    /// Nobody closed anything.
    @Test(arguments: [
        "<a href=\"https://a.example/", "<a href='https://a.example/'", "<a href=https://a.example/", "<!-- <a href=x>",
        "<style><a href=x>", "<", "</", "<a", "<a ", "<a =", "<a href", "<a href=", "<!--", "<!", "<?", "</a", "<a/",
        "&", "&#",
    ])
    func openHTMLIsReadToItsEnd(_ html: String) {
        let mail = MIMEMail(source: "Content-Type: text/html\n\n" + html)
        #expect(links(mail).map(\.host) == (html.contains("a.example") ? ["a.example"] : []))
    }
}
