# Rules are built by choosing, seen as a line and as YAML while one builds, set, switched off and on, and removed; what they
# did is counted while one looks. Scenarios are loaded. The catalogue of replies is searched, and what it has is used.

import json
import re
import urllib.request

from browser import PageTest, expect
import traffic
from test_sessions import post


class Rules(PageTest):
    arguments = ("--rule", "rcpt name=full to=*@full.test: 452 4.2.2 Mailbox full")

    def setUp(self):
        post(self.sink.url, "reset")

    def rules(self):
        return json.load(urllib.request.urlopen(f"{self.sink.url}/api/fakemx/rules"))["rules"]

    def rule(self, visitor, words):
        return visitor.page.get_by_role("article").filter(has_text=words)

    def test_one_is_built_by_choosing_set_and_obeyed(self):
        visitor = self.visit("#/rules")
        page = visitor.page
        text = page.get_by_role("region", name="The rule as text")
        page.get_by_label("end-of-data", exact=True).check(force=True)
        expect(text).to_contain_text("end-of-data")
        value = page.get_by_label(re.compile("^Value of")).first
        value.fill("*@chosen.test")
        expect(text).to_contain_text("to=*@chosen.test")
        page.get_by_label(re.compile("reply", re.IGNORECASE)).filter(visible=True).last.fill("554 5.7.1 Not today")
        expect(text).to_contain_text("554 5.7.1 Not today")
        self.assertEqual(len(self.rules()), 1)  # nothing is in force while one builds
        page.get_by_role("button", name="Set this rule").click()
        expect(self.rule(visitor, "554 5.7.1 Not today")).to_be_visible()
        # Beside the button one reads that it is in force, and is led to it.
        expect(text).to_contain_text("In force: end-of-data")
        text.get_by_role("button", name="show it").click()
        expect(self.rule(visitor, "554 5.7.1 Not today")).to_be_in_viewport()
        said = traffic.swaks(self.sink, "bob@chosen.test")
        self.assertIn("554 5.7.1 Not today", said)
        expect(self.rule(visitor, "554 5.7.1 Not today")).to_contain_text("1 fired")

    def test_one_is_built_by_keyboard_alone(self):
        visitor = self.visit("#/rules")
        page = visitor.page
        page.locator("#main").focus()

        def tab_to(matches, limit=80):
            for _ in range(limit):
                page.keyboard.press("Tab")
                at = page.evaluate("() => [document.activeElement.getAttribute('aria-label') ?? '', document.activeElement.value ?? '',"
                                   " document.activeElement.textContent]")
                if matches(*at):
                    return
            self.fail("Tab does not come there")

        tab_to(lambda label, value, text: value == "rcpt")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowLeft")
        tab_to(lambda label, value, text: label.startswith("Value of"))
        page.keyboard.press("Control+a")
        page.keyboard.type("*@keys.test")
        tab_to(lambda label, value, text: text == "Set this rule")
        page.keyboard.press("Enter")
        expect(self.rule(visitor, "to=*@keys.test")).to_be_visible()

    def test_what_is_wrong_is_said_and_cannot_be_set(self):
        visitor = self.visit("#/rules")
        page = visitor.page
        visitor.expected.append("status of 4")
        page.get_by_role("button", name="Write", exact=True).click()
        page.get_by_label(re.compile("^One line")).fill("rcpt tu=*@x.test: 550 5.1.1 No")
        text = page.get_by_role("region", name="The rule as text")
        expect(text).to_contain_text("tu")
        expect(text).to_contain_text("to")
        expect(page.get_by_role("button", name="Set this rule")).to_be_disabled()
        page.get_by_label(re.compile("^One line")).fill("rcpt to=*@x.test first=2: 550 5.1.1 No")
        expect(page.get_by_role("button", name="Set this rule")).to_be_enabled()
        expect(text).to_contain_text("first=2")

    def test_the_answer_to_an_older_text_lets_nothing_be_set(self):
        page = self.visit("#/rules").page
        # The answers come when the test wants them to.
        held = []
        page.route("**/api/fakemx/rules?check=true", lambda route: held.append(route))
        page.get_by_role("button", name="Write", exact=True).click()
        field, button = page.get_by_label(re.compile("^One line")), page.get_by_role("button", name="Set this rule")
        field.fill("rcpt to=*@old.test: 550 5.1.1 No")
        page.wait_for_timeout(400)
        field.press("End")
        field.press_sequentially(" more")
        older, held[:] = list(held), []
        for route in older:
            route.continue_()
        page.wait_for_timeout(100)
        expect(button).to_be_disabled()
        page.wait_for_timeout(400)
        expect(button).to_be_disabled()
        for route in held:
            route.continue_()
        expect(button).to_be_enabled()

    def test_a_configured_one_is_switched_off_and_on(self):
        visitor = self.visit("#/rules")
        rule = self.rule(visitor, "Mailbox full")
        switch = rule.get_by_role("switch")
        expect(switch).to_be_checked()
        switch.press("Enter")
        expect(switch).not_to_be_checked()
        expect(switch).to_be_focused()
        self.assertNotIn("452 4.2.2", traffic.swaks(self.sink, "bob@full.test"))
        switch.press(" ")
        expect(switch).to_be_checked()
        self.assertIn("452 4.2.2", traffic.swaks(self.sink, "bob@full.test"))
        expect(rule).to_contain_text("1 fired")

    def test_hits_and_what_remains_are_followed(self):
        request = urllib.request.Request(f"{self.sink.url}/api/fakemx/rules", b"rcpt name=twice to=*@twice.test first=2: 450 4.2.1 Busy",
                                         {"Content-Type": "text/plain"})
        visitor = self.visit("#/rules")
        urllib.request.urlopen(request)  # by somebody else, while one looks
        rule = self.rule(visitor, "450 4.2.1 Busy")
        expect(rule).to_contain_text("0 fired")
        for count in (1, 2):
            traffic.swaks(self.sink, "bob@twice.test")
            expect(rule).to_contain_text(f"{count} fired")
        traffic.swaks(self.sink, "bob@twice.test")
        expect(rule).to_contain_text("2 fired")
        expect(rule).to_contain_text("0 of 2 left")
        rule.get_by_role("link", name="sessions").press("Enter")
        expect(visitor.page).to_have_url(re.compile(r"#/sessions\?rule=twice$"))

    def test_a_link_leads_to_the_rule_or_says_that_it_is_gone(self):
        visitor = self.visit("#/rules?name=full")
        expect(self.rule(visitor, "452 4.2.2 Mailbox full")).to_be_in_viewport()
        visitor = self.visit("#/rules?name=no-more")
        expect(visitor.page.get_by_text("There is no rule no-more any more.")).to_be_visible()

    def test_one_set_at_run_time_is_removed(self):
        visitor = self.visit("#/rules?at=mail")
        visitor.page.get_by_role("button", name="Set this rule").click()
        rule = self.rule(visitor, "set at run time")
        expect(rule).to_be_visible()
        rule.get_by_role("button", name="Remove", exact=True).press("Enter")
        expect(rule).to_have_count(0)
        self.assertEqual([rule["name"] for rule in self.rules()], ["full"])

    def test_a_scenario_is_loaded_obeyed_and_taken_away(self):
        visitor = self.visit("#/rules")
        scenario = visitor.page.locator("details.scenario").filter(has_text="reject-at-mail")
        scenario.locator("summary").press("Enter")
        scenario.get_by_role("button", name=re.compile("^Load")).press("Enter")
        expect(visitor.page.get_by_role("article").filter(has_text="reject-at-mail").first).to_be_visible()
        self.assertRegex(traffic.swaks(self.sink, "bob@any.test"), r"<\*\* +5\d\d")
        scenario.get_by_role("button", name=re.compile("^Take away")).press("Enter")
        expect(visitor.page.get_by_role("article").filter(has_text="reject-at-mail")).to_have_count(0)
        self.assertNotRegex(traffic.swaks(self.sink, "bob@any.test"), r"<\*\* +5\d\d")


class Replies(PageTest):
    def test_the_catalogue_is_searched_by_words_and_by_choice(self):
        visitor = self.visit("#/replies")
        page = visitor.page
        cards = page.get_by_role("article")
        page.get_by_label("Words in it").fill("gmail over-quota")
        expect(cards.first).to_contain_text("gmail/over-quota")
        page.get_by_label("Words in it").fill("")
        page.get_by_label("Phase").select_option("greeting")
        expect(cards.filter(has_not_text="at greeting")).to_have_count(0)
        expect(cards.first).to_be_visible()
        page.reload()
        visitor.settled()
        expect(page.get_by_label("Phase")).to_have_value("greeting")
        page.get_by_label("Words in it").fill("nothing has these words")
        expect(page.get_by_role("main")).to_contain_text("No reply is like that")

    def test_one_is_used_in_a_rule(self):
        visitor = self.visit("#/replies?q=gmail/over-quota")
        page = visitor.page
        page.get_by_role("article").first.get_by_role("link", name="Use in a rule").press("Enter")
        expect(page.get_by_role("region", name="The rule as text")).to_contain_text("use gmail/over-quota")
        page.get_by_role("button", name="Set this rule").click()
        expect(page.get_by_role("article").filter(has_text="gmail/over-quota")).to_be_visible()

    def test_its_address_asks_for_it(self):
        visitor = self.visit("#/replies?q=gmail/over-quota")
        address = visitor.page.get_by_role("article").first.locator("code").filter(has_text="@any.test").inner_text()
        self.assertRegex(traffic.swaks(self.sink, address), r"<\*\* +(4|5)\d\d[ -]")

    def test_more_are_shown_when_asked_for_and_the_focus_goes_there(self):
        visitor = self.visit("#/replies")
        page = visitor.page
        cards = page.get_by_role("article")
        expect(cards.nth(30)).to_be_attached()
        before = cards.count()
        page.get_by_role("button", name=re.compile("^Show more")).press("Enter")
        expect(cards.nth(before)).to_be_attached()
        self.assertEqual(page.evaluate("(n) => document.activeElement.closest('article') === document.querySelectorAll('article')[n]", before), True)
