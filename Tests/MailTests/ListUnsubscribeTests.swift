// The List-Unsubscribe field, sound and unsound, in the words of Mailpit.

import Mail
import Testing

@Suite struct ListUnsubscribeTests {
    @Test func bothLinksAreTaken() {
        let list = MailView(everything).listUnsubscribe
        #expect(list.header == "<mailto:leave@example.org>, <https://example.org/leave>")
        #expect(list.links == ["mailto:leave@example.org", "https://example.org/leave"])
        #expect(list.errors == "")
        #expect(list.headerPost == "List-Unsubscribe=One-Click")
    }

    @Test(arguments: [
        ("<https://example.org> (a comment)", ["https://example.org"], ""),
        ("https://example.org", [], "\"https://example.org\" no valid unsubscribe links found"),
        ("x <https://example.org>", [], "\"x <https://example.org>\" should be enclosed in <>"),
        (
            "<https://a.org> <mailto:b@c>", [],
            "\"<https://a.org> <mailto:b@c>\" <> should be split with a comma and optional spaces"
        ),
        ("<ftp://a.org>", [], "\"ftp://a.org\" should start with either http(s):// or mailto:"),
        ("<https://a.org/ b>", [], "\"https://a.org/ b\" should not contain spaces"),
        ("<mailto:a@b>, <mailto:c@d>", ["mailto:a@b"], "\"mailto:c@d\" should only contain one mailto:"),
        ("<http://a.org>, <https://b.org>", ["http://a.org"], "\"https://b.org\" should only contain one HTTP link"),
        (
            "<mailto:a@b>,<http://c>,<http://d>", [],
            "\"<mailto:a@b>,<http://c>,<http://d>\" should include a maximum of one email and one HTTP link"
        ),
    ])
    func whatIsWrongIsSaid(header: String, links: [String], errors: String) {
        let list = ListUnsubscribe(header: header, headerPost: "")
        #expect(list.links == links)
        #expect(list.errors == errors)
    }
}
