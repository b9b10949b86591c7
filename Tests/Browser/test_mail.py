# Messages that were taken: the list, and one with envelope beside header, text, HTML, source in visible octets, parts and
# links; and the attempts of a message on a time line, over all the sessions in which it came.

import re
import unittest
import urllib.request

from browser import PageTest, expect
import traffic
from test_sessions import List, post
from test_views import Story


class Messages(Story):
    def test_the_list_says_from_to_subject_and_size(self):
        visitor = self.visit("#/messages")
        grid = visitor.page.get_by_role("grid")
        row = grid.get_by_role("row").filter(has_text="Autumn sale")
        for words in ("bounce+17@shop", "bob@customer.example", "kB"):
            expect(row).to_contain_text(words)

    def test_it_is_filtered_and_the_address_keeps_that(self):
        visitor = self.visit("#/messages")
        visitor.page.get_by_label("Filter", exact=True).fill("subject=*invoice*")
        grid = visitor.page.get_by_role("grid")
        expect(grid.locator("[role=row][data-key]").filter(has_text="invoice").first).to_be_visible()
        expect(grid.locator("[role=row][data-key]").filter(has_not_text="invoice")).to_have_count(0)
        visitor.page.reload()
        expect(visitor.page.get_by_label("Filter", exact=True)).to_have_value("subject=*invoice*")
        expect(grid.locator("[role=row][data-key]").filter(has_not_text="invoice")).to_have_count(0)

    def test_keys_open_one(self):
        visitor = self.visit("#/messages")
        visitor.page.get_by_role("grid").focus()
        visitor.page.keyboard.press("End")
        visitor.page.keyboard.press("Enter")
        expect(visitor.page).to_have_url(re.compile(r"#/messages/s1\.1$"))

    def tab(self, message, name):
        visitor = self.visit(f"#/messages/{message}")
        visitor.page.get_by_role("tab", name=re.compile(f"^{name}")).click()
        return visitor, visitor.page.get_by_role("tabpanel")

    def test_the_envelope_stands_beside_the_header(self):
        visitor, panel = self.tab("s15.1", "Envelope")
        row = panel.get_by_role("row").filter(has_text="bounce+17@shop.example")
        expect(row).to_contain_text("news@shop.example")
        expect(row).to_contain_text("same domain")
        expect(panel).to_contain_text("<sale@shop.example>")

    def test_text_html_parts_and_links(self):
        _, panel = self.tab("s15.1", "Text")
        expect(panel).to_contain_text("Everything must go.")
        visitor, panel = self.tab("s15.1", "HTML")
        expect(panel.locator("iframe").content_frame.get_by_role("heading", name="Autumn sale")).to_be_visible()
        expect(panel).to_contain_text(re.compile("2 remote references blocked"))
        _, panel = self.tab("s15.1", "Parts")
        for words in ("multipart/alternative", "text/plain", "text/html"):
            expect(panel).to_contain_text(words)
        _, panel = self.tab("s15.1", "Links")
        expect(panel).to_contain_text("https://shop.example/unsubscribe")

    def test_the_source_shows_octets_that_are_else_not_seen(self):
        visitor, panel = self.tab("s17.1", "Source")  # of the sender without manners: 8-bit, LF alone, a long line
        expect(panel).to_contain_text("Subject: Gro")
        expect(panel).to_contain_text("DF")  # ß in Latin-1
        expect(panel).to_contain_text("CRLF")
        _, panel = self.tab("s18.1", "Source")
        expect(panel.locator(".octets .octet-odd").filter(has_text="LF").first).to_be_visible()

    def test_a_finding_leads_to_the_octets_it_is_about(self):
        visitor = self.visit("#/messages/s17.1")
        finding = visitor.page.get_by_role("complementary", name="Findings").locator("details[data-rule=hdr-raw-8bit]")
        finding.locator("summary").click()
        finding.get_by_role("button", name=re.compile("^octet")).first.click()
        expect(visitor.page.get_by_role("tab", name="Source")).to_have_attribute("aria-selected", "true")
        expect(visitor.page.locator(".octets .revealed")).to_be_in_viewport()

    def test_what_is_downloaded_is_the_message_octet_for_octet(self):
        visitor, panel = self.tab("s17.1", "Source")
        with visitor.page.expect_download() as saving:
            panel.get_by_role("button", name="Download").click()
        with open(saving.value.path(), "rb") as file:
            self.assertEqual(file.read(), urllib.request.urlopen(f"{self.sink.url}/api/fakemx/messages/s17.1/raw").read())
        self.assertEqual(saving.value.suggested_filename, "s17.1.eml")


class Arriving(PageTest):
    def test_messages_come_and_are_removed(self):
        visitor = self.visit("#/messages")
        traffic.send(self.sink, traffic.mail("First"))
        rows = visitor.page.get_by_role("grid").locator("[role=row][data-key]")
        expect(rows.filter(has_text="First")).to_be_visible()
        traffic.send(self.sink, traffic.mail("Second"))
        expect(rows.filter(has_text="Second")).to_be_visible()
        visitor.page.get_by_role("button", name=re.compile("^Remove")).press("Enter")
        dialog = visitor.page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        self.assertEqual(visitor.axe(), [])
        visitor.page.keyboard.press("Escape")  # Esc leaves everything as it is
        expect(dialog).to_have_count(0)
        expect(rows).to_have_count(2)
        visitor.page.get_by_role("button", name=re.compile("^Remove")).press("Enter")
        dialog.get_by_role("button", name=re.compile("Remove")).click()
        expect(rows).to_have_count(0)
        self.assertIn(b'"messages":[]', urllib.request.urlopen(f"{self.sink.url}/api/fakemx/messages").read().replace(b" ", b""))


class Reading(PageTest):
    @classmethod
    def traffic(cls):
        for number in range(60):
            traffic.send(cls.sink, traffic.mail(f"Number {number}"))

    def test_what_is_new_is_held_back_while_one_reads_further_down(self):
        visitor = self.visit("#/messages")
        rows = visitor.page.get_by_role("grid").locator("[role=row][data-key]")
        expect(rows.filter(has_text="Number 59")).to_be_visible()
        visitor.page.get_by_role("grid").evaluate("(list) => { list.scrollTop = 600 }")
        expect(rows.filter(has_text="Number 59")).to_have_count(0)
        traffic.send(self.sink, traffic.mail("News"))
        newer = visitor.page.get_by_role("button", name=re.compile("1 new"))
        expect(newer).to_be_visible()
        self.assertEqual(visitor.page.get_by_role("grid").evaluate("(list) => list.scrollTop"), 600)
        newer.click()
        expect(rows.filter(has_text="News")).to_be_visible()


class Attempts(Story):
    def card(self, visitor, words):
        return visitor.page.get_by_role("article").filter(has_text=words)

    def test_a_message_that_came_three_times_is_one_line_with_its_gaps(self):
        visitor = self.visit("#/attempts")
        card = self.card(visitor, "<parcel@shop.example>")
        expect(card).to_contain_text("3 attempts")
        expect(card).to_contain_text("delivered")
        rows = card.get_by_role("table").get_by_role("row")
        expect(rows).to_have_count(4)
        expect(rows.nth(1)).to_contain_text("deferred")
        expect(rows.nth(3)).to_contain_text("accepted")
        expect(rows.nth(3)).to_contain_text(re.compile(r"×[2-4]\.\d"))  # 0.2 s, then 0.6 s
        self.assertEqual(card.locator("svg a").count(), 3)

    def test_an_attempt_leads_to_its_session(self):
        visitor = self.visit("#/attempts")
        self.card(visitor, "<parcel@shop.example>").locator("svg a").nth(1).press("Enter")
        expect(visitor.page).to_have_url(re.compile("#/sessions/s13$"))

    def test_only_what_came_again(self):
        visitor = self.visit("#/attempts")
        cards = visitor.page.get_by_role("article")
        expect(cards.first).to_be_visible()
        before = cards.count()
        visitor.page.get_by_label(re.compile("more than once")).check()
        self.assertLess(cards.count(), before)
        expect(self.card(visitor, "<parcel@shop.example>")).to_be_visible()

    def test_a_filter_stays_in_the_address(self):
        visitor = self.visit("#/attempts?from=ann@shop.example&to=rcpt-451-x2@any.test")
        expect(visitor.page.get_by_role("article")).to_have_count(1)
        expect(visitor.page.get_by_label("Filter", exact=True)).to_have_value("from=ann@shop.example to=rcpt-451-x2@any.test")


@unittest.skipUnless(traffic.has_postfix(), "Postfix is missing")
class ByPostfix(PageTest):
    """A real mail server as the sender: Postfix's own client, many connections at once."""

    def test_its_sessions_and_messages_are_seen(self):
        shown = List(self.visit("#/sessions"))
        traffic.crowd(self.sink, 40, "bob@any.test", sessions=4, kept=True)
        expect(shown.rows().filter(has_text="bob@any.test").first).to_contain_text("accepted")
        traffic.crowd(self.sink, 40, "rcpt-550@any.test", sessions=4)
        expect(shown.rows().filter(has_text="rcpt-550@any.test").first).to_contain_text("rejected")
        shown.page.get_by_role("link", name=re.compile("^Messages")).click()
        expect(shown.page.get_by_role("grid").locator("[role=row][data-key]").first).to_be_visible()
        post(self.sink.url, "reset")
        expect(shown.page.get_by_role("grid").locator("[role=row][data-key]")).to_have_count(0)
