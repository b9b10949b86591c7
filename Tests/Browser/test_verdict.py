# The report on the page: what to mend first, beside the octets; the bot check of each sender; the same to be taken along in
# other forms and to be printed.

import json
import re
import xml.etree.ElementTree as ElementTree

from browser import PageTest, expect
import traffic
from test_views import Story


class Report(Story):
    def test_it_says_what_to_mend_first_and_why(self):
        visitor = self.visit("#/report")
        main = visitor.page.get_by_role("main")
        expect(main).to_contain_text(re.compile(r"\d+ rules broken\. Mend quit-missing first"))
        item = main.locator("details[data-rule=mail-space-after-colon]")
        for words in ("MAIL FROM: <news@shop.example>", "RFC 5321", "Fix", "s17"):
            expect(item).to_contain_text(words)
        item.get_by_role("link", name="s17", exact=True).click()
        expect(visitor.page).to_have_url(re.compile("#/sessions/s17$"))

    def test_each_sender_is_checked_for_being_a_bot(self):
        visitor = self.visit("#/report")
        section = visitor.page.get_by_role("main")
        expect(section.get_by_role("heading", name=re.compile("bot", re.IGNORECASE)).first).to_be_visible()
        expect(section).to_contain_text("127.0.0.1")

    def test_a_filter_narrows_it_and_stays_in_the_address(self):
        visitor = self.visit("#/report")
        visitor.page.get_by_label("Filter", exact=True).fill("session=s1")
        expect(visitor.page.get_by_role("main")).to_contain_text(re.compile("1 session of .*, 1 message accepted"))
        visitor.page.reload()
        expect(visitor.page.get_by_role("main")).to_contain_text(re.compile("1 session of .*, 1 message accepted"))

    def test_it_is_taken_along_in_each_form(self):
        visitor = self.visit("#/report")
        for label, proof in (
            ("HTML", lambda text: self.assertIn("<html", text)), ("Markdown", lambda text: self.assertRegex(text, r"\A# ")),
            ("Text", lambda text: self.assertIn("quit-missing", text)), ("JSON", lambda text: self.assertIn("broken", json.loads(text))),
            ("JUnit", lambda text: ElementTree.fromstring(text)), ("SARIF", lambda text: self.assertIn("runs", json.loads(text))),
        ):
            with self.subTest(form=label):
                with visitor.page.expect_download() as saving:
                    visitor.page.get_by_role("button", name=f"Download as {label}", exact=True).click()
                with open(saving.value.path()) as file:
                    proof(file.read())

    def test_on_paper_everything_is_open_and_nothing_is_dark(self):
        visitor = self.visit("#/report", scheme="dark")
        visitor.page.evaluate("() => { window.print = () => {} }")
        visitor.page.get_by_role("button", name="Print").click()
        visitor.page.emulate_media(media="print", color_scheme="light")
        expect(visitor.page.get_by_role("navigation")).to_be_hidden()
        expect(visitor.page.get_by_role("button", name="Print")).to_be_hidden()
        self.assertEqual(visitor.page.locator(".report details:not([open])").count(), 0)
        self.assertGreater(len(visitor.page.pdf()), 20_000)


class Fresh(PageTest):
    def test_nothing_to_judge_is_said_and_what_comes_is_offered(self):
        visitor = self.visit("#/report")
        expect(visitor.page.get_by_role("main")).to_contain_text("Nothing to judge")
        traffic.swaks(self.sink, "bob@any.test")
        visitor.page.get_by_role("button", name=re.compile("judge again")).click()
        expect(visitor.page.get_by_role("main")).to_contain_text("tls-not-used")
