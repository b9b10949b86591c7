# One session as a diagram: what came when, where it was refused and by which rule, with what was found beside its octets;
# the same as a list for those who do not see it; what can be saved and copied. And sessions side by side.

import io
import json
import re
import urllib.request
from xml.etree import ElementTree

from PIL import Image

from browser import PageTest, expect
import traffic
from test_views import Story

BOXES = """(words) => [...document.querySelectorAll('svg.diagram text')].filter((e) => e.textContent.includes(words))
    .map((e) => { const box = e.getBoundingClientRect(); return { x: box.x, y: box.y, width: box.width, height: box.height } })"""
# Texts of a diagram that cover one another, or leave it.
CLASHES = """() => {
    const svg = document.querySelector('svg.diagram').getBoundingClientRect();
    const boxes = [...document.querySelectorAll('svg.diagram text')].map((e) => [e.textContent, e.getBoundingClientRect()]);
    const found = [];
    for (const [text, box] of boxes) {
        if (box.width && (box.left < svg.left - 1 || box.right > svg.right + 1 || box.bottom > svg.bottom + 1)) found.push('out: ' + text);
    }
    for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
        const [a, b] = [boxes[i][1], boxes[j][1]];
        const x = Math.min(a.right, b.right) - Math.max(a.left, b.left), y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (x > 2 && y > Math.min(a.height, b.height) / 3) found.push(boxes[i][0] + ' on ' + boxes[j][0]);
    }
    return found;
}"""


class Diagram(Story):
    def session(self, name, **options):
        return self.visit(f"#/sessions/{name}", **options)

    def place(self, visitor, words):
        found = visitor.page.evaluate(BOXES, words)
        self.assertTrue(found, f"no {words!r} in the diagram")
        return found[0]

    def test_a_reject_after_the_dot_is_seen_where_and_why(self):
        visitor = self.session("s2")
        main = visitor.page.get_by_role("main")
        for words in ("Rejected at end-of-data (the final dot)", "Asked for by the address eod-554@any.test", "magic eod-554", "554 5.7.1 Injected by fakemx", "ann@shop.example", "eod-554@any.test"):
            expect(main).to_contain_text(words)
        # In the order of time, the client's to the left of the sink's.
        places = [self.place(visitor, words) for words in (
            "220 mx.fakemx.test", "EHLO mail.shop.example", "MAIL FROM:<ann@shop.example>", "RCPT TO:<eod-554@any.test>", "DATA",
            "354 ", "message", "554 5.7.1", "QUIT", "221 ")]
        self.assertEqual([place["y"] for place in places], sorted(place["y"] for place in places))
        self.assertLess(self.place(visitor, "MAIL FROM")["x"], self.place(visitor, "250 2.1.0 Ok")["x"])
        self.place(visitor, "REJECTED at end-of-data")

    def test_the_reject_is_the_first_stop_of_the_eye(self):
        # Nothing else in the diagram is set as large, and it stands on a ground of its own.
        visitor = self.session("s2")
        sizes = visitor.page.evaluate("""() => [...document.querySelectorAll('svg.diagram text')]
            .map((e) => [parseFloat(getComputedStyle(e).fontSize), e.textContent]).sort((a, b) => b[0] - a[0])""")
        self.assertIn("REJECTED", sizes[0][1])
        self.assertGreater(sizes[0][0], sizes[1][0])

    def test_each_place_of_a_refusal_is_marked_at_its_reply(self):
        for name, headline, reply in (
            ("s3", "REJECTED at rcpt", "550 5.1.1"), ("s4", "REJECTED at greeting", "554 5.7.1 Access denied"),
            ("s5", "REJECTED at ehlo", "550 5.7.1 Dynamic"), ("s6", "DEFERRED at mail", "451 4.7.1"),
            ("s7", "DEFERRED at data", "451 4.3.0"), ("s10", "REPLY LOST at end-of-data", "Sink closes the connection"),
        ):
            with self.subTest(session=name), self.visiting(f"#/sessions/{name}") as visitor:
                top, said = self.place(visitor, headline), self.place(visitor, reply)
                self.assertLess(abs(said["y"] - top["y"]), 60)

    def test_findings_stand_beside_the_octets_they_are_about(self):
        visitor = self.session("s17")  # of the sender without manners
        line = self.place(visitor, "MAIL FROM: <news@shop.example>")
        notes = visitor.page.evaluate(BOXES, "must:")
        self.assertTrue(any(abs(note["y"] - line["y"]) < 80 for note in notes), (line, notes))
        items = visitor.page.locator("section[aria-label=Findings] details")
        self.assertGreater(items.count(), 5)
        items.first.locator("summary").focus()
        visitor.page.keyboard.press("Enter")
        for words in ("Why", "Fix", "RFC"):
            expect(items.first).to_contain_text(words)

    def test_tls_is_shaded_and_what_was_said_before_is_not(self):
        visitor = self.session("s8")
        self.place(visitor, "TLS handshake")
        shade = visitor.page.evaluate("""() => [...document.querySelectorAll('svg.diagram rect')].map((e) => e.getBoundingClientRect())
            .filter((box) => box.height > 150).map((box) => [box.top, box.bottom])""")
        clear, covered = self.place(visitor, "STARTTLS"), self.place(visitor, "MAIL FROM")
        self.assertTrue(any(top < covered["y"] < bottom and not top < clear["y"] < bottom for top, bottom in shade), shade)

    def test_a_long_wait_is_folded_and_said(self):
        visitor = self.session("s9")
        self.place(visitor, "1.50 s")
        self.place(visitor, "delay 1500")
        height = visitor.page.locator("svg.diagram").bounding_box()["height"]
        self.assertLess(height, 1500)

    def test_pipelining_is_bracketed(self):
        piped, plain = self.session("s16"), self.session("s1")
        one_read = [visitor.page.locator("svg.diagram .bracket, svg.diagram [class*=segment]").count() for visitor in (piped, plain)]
        self.assertGreater(one_read[0], one_read[1])

    def test_no_text_covers_another_at_any_width(self):
        for name in ("s1", "s2", "s4", "s8", "s9", "s10", "s11", "s16", "s17", "s24"):
            for width in ("phone", "tablet", "projector"):
                with self.subTest(session=name, width=width), self.visiting(f"#/sessions/{name}", width=width) as visitor:
                    self.assertEqual(visitor.page.evaluate(CLASHES), [])

    def test_the_same_is_there_as_a_list_for_those_who_do_not_see_it(self):
        visitor = self.session("s2")
        items = visitor.page.get_by_role("list", name=re.compile("diagram")).get_by_role("listitem").all_inner_texts()
        said = "\n".join(items)
        for words in ("Client: EHLO mail.shop.example", "Sink refuses: 554 5.7.1", "Fault of rule magic eod-554", "Finding, reputation"):
            self.assertIn(words, said)

    def test_tabs_go_by_arrows_and_stay_in_the_address(self):
        visitor = self.session("s2")
        page = visitor.page
        page.get_by_role("tab", name="Diagram").focus()
        for name, words in (("Transcript", "rejected at"), ("JSON", '"rejected_at": "end-of-data"'), ("Replay as scenario", "rule")):
            page.keyboard.press("ArrowRight")
            expect(page.get_by_role("tab", name=name)).to_be_focused()
            expect(page.get_by_role("tabpanel")).to_contain_text(words, ignore_case=True)
        self.assertIn("tab=scenario", page.url)
        page.reload()
        expect(page.get_by_role("tab", name="Replay as scenario")).to_have_attribute("aria-selected", "true")

    def test_saved_as_svg_and_png_and_copied_as_markdown(self):
        visitor = self.session("s2", permissions=["clipboard-read", "clipboard-write"])
        page = visitor.page
        with page.expect_download() as saving:
            page.get_by_role("button", name="Save SVG").click()
        self.assertEqual(saving.value.suggested_filename, "s2.svg")
        with open(saving.value.path()) as file:
            picture = ElementTree.fromstring(file.read())
        self.assertIn("554 5.7.1", "".join(picture.itertext()))
        with page.expect_download() as saving:
            page.get_by_role("button", name="Save PNG").click()
        self.assertEqual(saving.value.suggested_filename, "s2.png")
        with open(saving.value.path(), "rb") as file, Image.open(io.BytesIO(file.read())) as image:
            self.assertGreater(image.width, 800)
            self.assertGreater(len(image.convert("RGB").getcolors(1 << 20)), 20, "an empty picture")
        page.get_by_role("button", name="Copy as Markdown").click()
        expect(page.get_by_role("button", name="Copied")).to_be_visible()
        copied = page.evaluate("() => navigator.clipboard.readText()")
        for words in ("s2", "EHLO mail.shop.example", "554 5.7.1", "end-of-data"):
            self.assertIn(words, copied)


class Running(PageTest):
    def test_a_session_that_runs_grows_while_one_looks(self):
        client = traffic.raw(self.sink, b"EHLO slow.example\r\n", close=False)
        visitor = self.visit("#/sessions/s1")
        main = visitor.page.get_by_role("main")
        expect(main).to_contain_text("Runs")
        client.ask("MAIL FROM:<a@slow.example>")
        expect(main).to_contain_text("MAIL FROM:<a@slow.example>")
        client.ask("RCPT TO:<rcpt-550@any.test>")
        expect(main).to_contain_text("550 5.1.1 Injected by fakemx")
        client.ask("QUIT")
        expect(main).to_contain_text("ended by quit")
        expect(main).to_contain_text("REJECTED at rcpt")
        expect(main.get_by_role("heading", name=re.compile("Findings"))).to_be_visible()
        client.close()

    def test_thousands_of_lines_stay_of_use(self):
        client = traffic.raw(self.sink, b"EHLO many.example\r\n", close=False)
        for _ in range(40):
            client.send(b"NOOP\r\n" * 100)
            for _ in range(100):
                client.reply()
        client.ask("MAIL FROM:<mail-550@any.test>")
        client.ask("QUIT")
        client.close()
        session = self.sink.sessions(1, where=lambda one: one.get("helo") == "many.example")[-1]
        visitor = self.visit(f"#/sessions/{session['id']}")
        expect(visitor.page.get_by_role("main")).to_contain_text("REJECTED at mail")
        more = visitor.page.get_by_role("button", name=re.compile("rows are left out"))
        before = visitor.page.locator("svg.diagram text").count()
        more.click()
        visitor.page.wait_for_function("(before) => document.querySelectorAll('svg.diagram text').length > before", arg=before)


class Compare(Story):
    def test_phases_stand_side_by_side_and_what_differs_is_said(self):
        visitor = self.visit("#/compare?ids=s4,s3,s2")
        table = visitor.page.get_by_role("table")
        for words in ("s4", "s3", "s2", "Access denied", "550 5.1.1", "554 5.7.1"):
            expect(table).to_contain_text(words)
        row = table.get_by_role("row").filter(has=visitor.page.get_by_role("rowheader", name=re.compile("^rcpt")))
        expect(row).to_contain_text("differs")
        cells = row.get_by_role("cell").all_inner_texts()
        self.assertEqual(len(cells), 3)
        self.assertNotIn("RCPT", cells[0])  # which never came so far
        self.assertIn("550 5.1.1", cells[1])
        self.assertIn("250 2.1.5", cells[2])

    def test_only_what_differs_hides_what_is_the_same(self):
        visitor = self.visit("#/compare?ids=s2,s3")
        rows = visitor.page.get_by_role("table").get_by_role("row")
        before = rows.count()
        visitor.page.get_by_label("only what differs").check()
        expect(rows.filter(has_text="= same")).to_have_count(0)
        self.assertLess(rows.count(), before)

    def test_sessions_are_added_and_taken_out_and_the_address_says_so(self):
        visitor = self.visit("#/compare?ids=s2,s3")
        page = visitor.page
        page.get_by_label("Add session").fill("s8")
        page.keyboard.press("Enter")
        expect(page.get_by_role("columnheader").filter(has_text="s8")).to_be_visible()
        self.assertTrue(page.url.endswith("#/compare?ids=s2,s3,s8"), page.url)
        page.get_by_role("button", name="Take s2 out").click()
        expect(page.get_by_role("columnheader").filter(has_text=re.compile("^s2"))).to_have_count(0)
        self.assertTrue(page.url.endswith("#/compare?ids=s3,s8"), page.url)
        page.reload()
        expect(page.get_by_role("columnheader").filter(has_text="s8")).to_be_visible()


class Unjudged(PageTest):
    """Where nobody judges, the page asks a few times and then lets it be."""

    arguments = ("--judge", "off")
    MOST_ASKED = 6

    @classmethod
    def traffic(cls):
        traffic.swaks(cls.sink, "eod-554@any.test")

    def requests_for(self, route, pattern):
        """What was asked in the two hours after this view was opened, as the page sees the time, and who looks at it."""
        visitor = self.visit("#/rules")
        asked = []
        visitor.page.on("request", lambda one: asked.append(one.url) if re.search(pattern, one.url) else None)
        visitor.page.clock.install()
        visitor.open(route)
        for _ in range(40):
            visitor.page.clock.fast_forward(180_000)
            visitor.page.wait_for_timeout(50)
        return len(asked), visitor.page.get_by_role("main")

    def test_a_session_is_asked_for_a_few_times(self):
        count, main = self.requests_for("#/sessions/s1", r"/sessions/s1$")
        self.assertEqual(count, 1 + self.MOST_ASKED)
        expect(main).to_contain_text("Not judged.")

    def test_the_list_asks_a_few_times(self):
        count, main = self.requests_for("#/sessions", r"[?&]session=s1")
        self.assertEqual(count, self.MOST_ASKED)
        expect(main.get_by_title("not judged", exact=True)).to_have_text("—")


class Followed(PageTest):
    def test_one_that_runs_is_followed_through_failures(self):
        client = traffic.raw(self.sink, b"EHLO open.example\r\n", close=False)
        name = json.load(urllib.request.urlopen(f"{self.sink.url}/api/fakemx/sessions?open=true"))["sessions"][0]["id"]
        visitor = self.visit(f"#/sessions/{name}")
        visitor.expected.append("ERR_")
        main = visitor.page.get_by_role("main")
        visitor.page.route(f"**/sessions/{name}", lambda route: route.abort())
        expect(main.get_by_role("alert")).to_contain_text("does not answer")
        visitor.page.unroute_all()
        client.close()
        expect(main).to_contain_text("ended by")
        expect(main.get_by_role("alert")).to_have_count(0)
