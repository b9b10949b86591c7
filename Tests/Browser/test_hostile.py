# Everything a peer sent is hostile. What hostile.py sends is looked at in every view, and must be text: no dialog, no request
# to another host, nothing on the console, no element that was not made by the page, no link that runs.

import json
import re
import urllib.request
from xml.etree import ElementTree

from browser import PageTest, expect
from hostile import MARKUP, RULE, Canary, attack

# What the page itself never makes, wherever it stands. A frame for HTML mail has a policy of its own and is looked at below.
PURE = """() => {
    const bad = [];
    for (const e of document.querySelectorAll('*')) {
        const tag = e.tagName.toLowerCase();
        if (tag === 'script' && !(e.src && new URL(e.src).pathname.startsWith('/page/') && new URL(e.src).origin === location.origin))
            bad.push('script');
        if (['base', 'object', 'embed', 'style', 'video', 'audio', 'foreignobject', 'portal'].includes(tag)) bad.push(tag);
        if (tag === 'meta' && e.httpEquiv) bad.push('meta ' + e.httpEquiv);
        if (tag === 'form' && e.hasAttribute('action')) bad.push('form action');
        if (tag === 'iframe' && (!e.hasAttribute('sandbox') || /allow-(scripts|same-origin|top|popups|forms)/.test(e.getAttribute('sandbox'))))
            bad.push('iframe ' + e.outerHTML.slice(0, 200));
        for (const { name, value } of e.attributes) {
            if (name.startsWith('on') || name === 'srcdoc' || name === 'ping') bad.push(tag + ' ' + name);
            if (['href', 'src', 'xlink:href', 'action', 'formaction', 'data', 'poster', 'background'].includes(name)
                && !/^(#|\\/|https?:|mailto:|blob:|data:image\\/|[\\w.]+$)/.test(value)) bad.push(`${tag} ${name}=${value.slice(0, 80)}`);
            if (name === 'src' && new URL(value, location).host !== location.host && !/^(data|blob):/.test(value)) bad.push(value);
        }
    }
    return [...new Set(bad)];
}"""
# Characters that would turn, hide or forge what stands beside them: none may be in a text that is shown.
UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
TABS_LIMIT = 12
# What a saved diagram is made of.
SVG = {"svg", "style", "defs", "marker", "pattern", "title", "desc", "g", "path", "line", "rect", "circle", "polygon", "polyline",
       "text", "tspan", "clipPath"}


class Hostile(PageTest):
    arguments = ("--rule", RULE)

    @classmethod
    def traffic(cls):
        cls.canary = Canary()
        cls.addClassCleanup(cls.canary.stop)
        cls.count = attack(cls.sink, cls.canary)

    def ask(self, path):
        return json.load(urllib.request.urlopen(f"{self.sink.url}/api/fakemx/{path}"))

    def tearDown(self):
        self.assertEqual(self.canary.hits, [], "somebody called home")

    def pure(self, visitor):
        self.assertEqual(visitor.page.evaluate(PURE), [])
        shown = visitor.page.evaluate("() => document.body.innerText")
        self.assertIsNone(UNSEEN.search(shown), UNSEEN.search(shown) and shown[max(0, UNSEEN.search(shown).start() - 60):][:120].encode())
        titles = visitor.page.evaluate("() => [document.title, ...[...document.querySelectorAll('[title], [aria-label]')].map((e) => e.title || e.ariaLabel)]")
        self.assertEqual([title for title in titles if UNSEEN.search(title)], [])
        visitor.check()

    def go(self, visitor, kind, name):
        """To another view within the page; what went wrong in the one before is told there."""
        visitor.faults.clear()
        visitor.page.evaluate("(route) => { location.hash = route }", f"#/{kind}/{name}")
        expect(visitor.page).to_have_title(f"{name} · fakemx")
        visitor.settled()

    def through_tabs(self, visitor, look):
        """Looks at what each tab of the view shows, and at what each closed part of it opens to."""
        # A session without faults has nothing to play again: its scenario is a 409, which the console tells.
        visitor.expected.append(r"status of 409 .*Conflict")
        tabs = visitor.page.get_by_role("tab")
        for number in range(min(max(tabs.count(), 1), TABS_LIMIT)):
            if tabs.count():
                tabs.nth(number).click()
                expect(tabs.nth(number)).to_have_attribute("aria-selected", "true")
            visitor.page.evaluate("() => { for (const e of [...document.querySelectorAll('main details:not([open])')].slice(0, 60)) e.open = true }")
            visitor.page.wait_for_timeout(150)
            look(visitor)

    def test_lists_show_it_as_text(self):
        for route in ("#/sessions", "#/messages", "#/attempts", "#/rules", "#/report", "#/replies"):
            with self.subTest(route=route), self.visiting(route) as visitor:
                self.through_tabs(visitor, self.pure)
        with self.visiting("#/sessions") as visitor:
            expect(visitor.page.get_by_role("main")).to_contain_text("<script>alert(document.domain)</script>")
            expect(visitor.page.get_by_role("main")).to_contain_text("RLO")
        with self.visiting("#/rules") as visitor:
            expect(visitor.page.get_by_role("main")).to_contain_text("550 5.7.1 <script>alert(document.domain)</script>")

    def test_each_session_shows_it_as_text(self):
        visitor = self.visit("#/sessions")
        for number in range(1, self.count + 1):
            with self.subTest(session=f"s{number}"):
                self.go(visitor, "sessions", f"s{number}")
                self.through_tabs(visitor, self.pure)

    def test_the_words_of_a_session_are_there_octet_for_octet(self):
        wanted = {f"NOOP {text}" for text in MARKUP if "CANARY" not in text}
        texts = {line["text"] for session in self.ask("sessions?limit=100")["sessions"]
                 for line in self.ask(f"sessions/{session['id']}")["lines"]}
        self.assertEqual(wanted - texts, set())
        visitor = self.visit("#/sessions")
        for session in self.ask("sessions?limit=100")["sessions"]:
            said = [line["text"] for line in self.ask(f"sessions/{session['id']}")["lines"] if line["text"].startswith("NOOP ")]
            if said and said[0] in wanted:
                with self.subTest(said=said[0]):
                    self.go(visitor, "sessions", session["id"])
                    visitor.page.get_by_role("tab", name="Transcript").click()
                    expect(visitor.page.get_by_role("tabpanel")).to_contain_text(said[0])

    def test_each_message_shows_it_as_text(self):
        visitor = self.visit("#/messages")
        for message in self.ask("messages?limit=100")["messages"]:
            with self.subTest(message=message["id"]):
                self.go(visitor, "messages", message["id"])
                self.through_tabs(visitor, self.pure)

    def test_html_is_shown_in_a_frame_that_does_nothing_and_what_was_blocked_is_counted(self):
        message = self.ask("messages?from=html@*&limit=1")["messages"][0]["id"]
        with self.visiting(f"#/messages/{message}") as visitor:
            page = visitor.page
            page.get_by_role("tab", name=re.compile("HTML")).click()
            frame = page.locator("main iframe")
            expect(frame).to_be_visible()
            self.assertEqual(frame.get_attribute("sandbox"), "")
            inside = frame.content_frame
            expect(inside.locator("#shown")).to_be_visible()
            expect(page.get_by_role("main")).to_contain_text(re.compile(r"\d+ .*(remote|blocked)|(remote|blocked).* \d+", re.IGNORECASE))
            for link in ("#script-link", "#top-link", "#blank-link", "#f button"):
                inside.locator(link).click(force=True, timeout=2000, no_wait_after=True)
                page.wait_for_timeout(200)
            self.assertIn(f"#/messages/{message}", page.url)
            self.assertEqual(len(visitor.context.pages), 1)
            self.pure(visitor)
            self.assertEqual(self.canary.hits, [])

    def test_links_are_shown_and_lead_nowhere(self):
        message = self.ask("messages?from=html@*&limit=1")["messages"][0]["id"]
        with self.visiting(f"#/messages/{message}") as visitor:
            visitor.page.get_by_role("tab", name=re.compile("Links")).click()
            expect(visitor.page.get_by_role("main")).to_contain_text(f"{self.canary.url}/blank")
            # They are shown, with what was found in them; the way to follow one is to copy it.
            self.assertEqual(visitor.page.locator("main a[href]:not([href^='#/'])").count(), 0)

    def test_lines_of_ten_megabytes_leave_the_page_of_use(self):
        for session in self.ask("sessions?from=long@*&limit=10")["sessions"]:
            with self.subTest(session=session["id"]), self.visiting(f"#/sessions/{session['id']}") as visitor:
                self.through_tabs(visitor, self.pure)
                self.assertEqual(visitor.overflow(), [])
        for message in self.ask("messages?from=long@*&limit=10")["messages"]:
            with self.subTest(message=message["id"]), self.visiting(f"#/messages/{message['id']}") as visitor:
                self.through_tabs(visitor, self.pure)
                self.assertLess(visitor.page.evaluate("() => document.body.innerText.length"), 2_000_000)

    def test_what_is_saved_and_copied_of_a_hostile_session_is_text_too(self):
        with self.visiting("#/sessions/s1") as visitor:
            page = visitor.page
            with page.expect_download() as saving:
                page.get_by_role("button", name="Save SVG").click()
            with open(saving.value.path()) as file:
                picture = file.read()
            self.assertIn("&lt;script&gt;", picture)
            for element in ElementTree.fromstring(picture).iter():
                self.assertIn(element.tag.rpartition("}")[2], SVG)
                self.assertEqual([name for name in element.attrib if name.startswith("on") or "href" in name], [])
            # As a document of its own, without any policy, it still does nothing.
            page.route("**/saved.svg", lambda route: route.fulfill(body=picture, content_type="image/svg+xml"))
            page.goto(f"{self.sink.url}/saved.svg")
            page.wait_for_timeout(200)

    def test_an_address_bar_with_markup_in_it_is_text(self):
        visitor = self.visit("#/sessions")
        visitor.expected += ["404", "400", "422", "Problem: "]
        for route in ("#/<img src=x onerror=alert(1)>", "#/sessions/<script>alert(1)<%2Fscript>", "#/sessions?from=<svg onload=alert(1)>",
                      "#/sessions?__proto__=x&constructor=y", "#/messages/%00%1b%e2%80%ae", "#/compare?ids=<b>,javascript:alert(1)",
                      "#/rules?at=<b>&use=<script>alert(1)</script>", "#/replies?q=<img src=x>", "#/report?from=<img src=x onerror=alert(1)>"):
            with self.subTest(route=route):
                visitor.page.evaluate("(route) => { location.hash = route }", route)
                visitor.page.wait_for_timeout(250)
                self.assertEqual(visitor.page.evaluate(PURE), [])

    def test_compared_it_is_text(self):
        with self.visiting("#/compare?ids=s1,s2,s12,s14") as visitor:
            self.pure(visitor)
            expect(visitor.page.get_by_role("main")).to_contain_text("<script>alert(document.domain)</script>")
