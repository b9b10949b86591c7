# What holds for every view: it opens without trouble, axe-core has nothing against it in either colour scheme, nothing is
# cut off from phone to projector, everything in it is reached and seen by keyboard, and it says where it is.

import re

from browser import SCHEMES, WIDTHS, PageTest, expect
import traffic

# Sessions and messages are those of traffic.story.
VIEWS = {
    "sessions": "#/sessions",
    "session": "#/sessions/s2",
    "session with TLS": "#/sessions/s8",
    "session with a wait": "#/sessions/s9",
    "session that never greeted": "#/sessions/s4",
    "attempts": "#/attempts",
    "messages": "#/messages",
    "message": "#/messages/s1.1",
    "message in HTML": "#/messages/s15.1",
    "rules": "#/rules",
    "replies": "#/replies",
    "report": "#/report",
    "compare": "#/compare?ids=s2,s3,s8",
    "lessons": "#/lessons",
    "lesson": "#/lessons/when-did-the-reject-happen",
}
# A list may be longer than anybody tabs through: so many stops are followed, then Shift+Tab comes back from the end.
STOPS = 120


class Story(PageTest):
    arguments = tuple(word for rule in traffic.RULES for word in ("--rule", rule))

    @classmethod
    def traffic(cls):
        traffic.story(cls.sink)


class EveryView(Story):
    def in_each(self, look):
        """Calls `look` with a visitor of each view; one that fails does not keep the others from being looked at."""
        for name, route in VIEWS.items():
            with self.subTest(view=name), self.visiting(route) as visitor:
                look(visitor)

    def test_opens_without_trouble_and_says_where_it_is(self):
        titles = {}

        def look(visitor):
            route = "#" + visitor.page.url.split("#")[1]
            self.assertIn(route, VIEWS.values())
            expect(visitor.page.get_by_role("main")).to_have_count(1)
            expect(visitor.page.get_by_role("heading", level=1)).to_have_count(1)
            expect(visitor.page.get_by_role("alert")).to_have_count(0)
            expect(visitor.page.locator("nav a[aria-current=page]")).to_have_count(1)
            self.assertRegex(visitor.page.title(), r"\S+ · fakemx$")
            titles.setdefault(visitor.page.title(), []).append(route)
        self.in_each(look)
        self.assertEqual(len(titles), len(VIEWS), titles)

    def test_axe_has_nothing_against_it(self):
        def look(visitor):
            for scheme in SCHEMES:
                visitor.page.emulate_media(color_scheme=scheme)
                self.assertEqual(visitor.axe(), [], scheme)
        self.in_each(look)

    def test_nothing_is_cut_off(self):
        def look(visitor):
            found = {}
            for width, (x, y) in WIDTHS.items():
                visitor.page.set_viewport_size({"width": x, "height": y})
                visitor.settled()
                found[width] = visitor.overflow()
            self.assertEqual(found, {width: [] for width in WIDTHS})
        self.in_each(look)

    def test_the_keyboard_reaches_everything_and_shows_where_it_is(self):
        self.in_each(self.walk)

    def walk(self, visitor):
        self.assertEqual(visitor.out_of_reach(), [])
        page, wanted = visitor.page, min(visitor.focusable(), STOPS)
        page.evaluate("() => { document.querySelector('[data-stop=\"1\"]').focus(); scrollTo(0, 0) }")
        seen, unseen = {1}, []
        while len(seen) < wanted:
            page.keyboard.press("Tab")
            at = visitor.focused()
            if at is None or at["stop"] in seen:
                break
            seen.add(at["stop"])
            if at["tag"] != "iframe" and not (at["ring"] and at["seen"]):
                unseen.append(at)
        self.assertEqual(unseen, [], "focus that cannot be seen")
        missed = sorted(set(range(1, wanted + 1)) - seen)
        self.assertEqual(missed, [], page.evaluate(
            "(all) => all.map((one) => document.querySelector(`[data-stop='${one}']`)?.outerHTML.slice(0, 120))", missed[:5]))

    def test_the_skip_link_leads_to_what_the_view_is_about(self):
        visitor = self.visit("#/sessions")
        visitor.page.keyboard.press("Tab")
        expect(visitor.page.get_by_role("link", name="Skip to content")).to_be_focused()
        visitor.page.keyboard.press("Enter")
        self.assertEqual(visitor.page.evaluate("() => document.activeElement.closest('main')?.id"), "main")
        self.assertIn("#/sessions", visitor.page.url)

    def test_navigation_by_keyboard_reaches_each_view(self):
        visitor = self.visit("#/sessions")
        for link in visitor.page.locator("nav a").all():
            link.focus()
            visitor.page.keyboard.press("Enter")
            expect(link).to_have_attribute("aria-current", "page")
            visitor.settled()

    def test_a_list_that_arrives_late_takes_no_focus_from_where_one_went(self):
        visitor = self.visit("#/sessions")
        page, held = visitor.page, []
        page.route("**/api/fakemx/messages?*", lambda route: held.append(route))
        page.get_by_role("link", name="Messages").press("Enter")
        expect(page).to_have_title(re.compile("^Messages"))
        elsewhere = page.get_by_role("link", name="Attempts")
        elsewhere.focus()
        while not held:
            page.wait_for_timeout(10)
        held.pop().continue_()
        expect(page.locator(".list-row").first).to_be_visible()
        expect(elsewhere).to_be_focused()
        # Who waits for it has it.
        page.get_by_role("link", name="Rules").press("Enter")
        expect(page).to_have_title(re.compile("^Rules"))
        page.unroute("**/api/fakemx/messages?*")
        page.get_by_role("link", name="Messages").press("Enter")
        expect(page.get_by_role("grid")).to_be_focused()

    def test_back_and_forward_lead_where_one_was(self):
        visitor = self.visit("#/sessions")
        for route in ("#/messages", "#/rules", "#/report"):
            visitor.page.evaluate("(route) => { location.hash = route }", route)
            visitor.settled()
        visitor.page.go_back()
        expect(visitor.page).to_have_url(re.compile("#/rules$"))
        visitor.page.go_back()
        expect(visitor.page).to_have_title(re.compile("^Messages"))
        visitor.page.go_forward()
        expect(visitor.page).to_have_title(re.compile("^Rules"))

    def test_a_view_that_is_none_says_so(self):
        visitor = self.visit("#/sessions")
        visitor.page.evaluate("() => { location.hash = '#/no/such/view' }")
        expect(visitor.page.get_by_role("alert")).to_contain_text("no such view")

    def test_a_session_that_is_not_there_says_so(self):
        visitor = self.visit("#/sessions")
        visitor.expected.append("404")
        for route in ("#/sessions/s999", "#/messages/s999.1", "#/compare?ids=s998,s999"):
            with self.subTest(route=route):
                visitor.page.evaluate("(route) => { location.hash = route }", route)
                expect(visitor.page.get_by_role("alert").first).to_be_visible()
                visitor.faults.clear()

    def test_the_colour_scheme_can_be_chosen_and_is_kept(self):
        visitor = self.visit("#/sessions", scheme="light")
        paper = "() => getComputedStyle(document.body).backgroundColor"
        light = visitor.page.evaluate(paper)
        button = visitor.page.get_by_role("button", name=re.compile("Colours"))
        for _ in range(3):
            button.press("Enter")
            if visitor.page.evaluate(paper) != light:
                break
        dark = visitor.page.evaluate(paper)
        self.assertNotEqual(dark, light)
        visitor.page.reload()
        visitor.settled()
        self.assertEqual(visitor.page.evaluate(paper), dark)
