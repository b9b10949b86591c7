# The list of sessions: what a row says, filtering by the words of the API with the state in the address bar, going through
# it by keyboard, what comes while one looks, and ten thousand of them.

import json
import re
import unittest
import urllib.request

from browser import PageTest, expect
import traffic
from sink import Sink
from test_views import Story


def post(url, path):
    return urllib.request.urlopen(urllib.request.Request(f"{url}/api/fakemx/{path}", method="POST")).read()


class List:
    """The list on a visitor's page."""

    def __init__(self, visitor):
        self.visitor, self.page = visitor, visitor.page
        self.grid = self.page.get_by_role("grid", name=re.compile("Sessions"))
        self.filter = self.page.get_by_label("Filter", exact=True)

    def row(self, session):
        return self.grid.locator(f"[role=row][data-key={session}]")

    def rows(self):
        return self.grid.locator("[role=row][data-key]")

    def ids(self):
        """Those in the document, from top to bottom."""
        return self.page.evaluate("""() => [...document.querySelectorAll('[role=row][data-key]')]
            .sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((row) => row.dataset.key)""")

    def count(self):
        return int(self.grid.get_attribute("aria-rowcount")) - 1

    def expect_count(self, count):
        expect(self.grid).to_have_attribute("aria-rowcount", str(count + 1))

    def expect_only(self, *sessions):
        for session in sessions:
            expect(self.row(session)).to_be_attached()
        self.expect_count(len(sessions))


class Rows(Story):
    def list(self, route="#/sessions", **options):
        return List(self.visit(route, **options))

    def test_each_row_says_who_from_to_where_it_ended_and_what_was_found(self):
        shown = self.list()
        shown.expect_count(24)
        self.assertEqual(shown.ids()[0], "s24")
        row = shown.row("s2")
        for words in ("127.0.0.1:", "mail.shop.example", "ann@shop.example", "eod-554@any.test", "rejected", "ms", "reputation"):
            expect(row).to_contain_text(words)
        expect(row.locator("time")).to_have_attribute("datetime", re.compile(r"^20\d\d-\d\d-\d\dT"))

    def test_the_strip_says_how_far_a_session_came_and_where_it_was_refused(self):
        shown = self.list()
        for session, words in {
            "s1": "accepted", "s2": "rejected at end-of-data", "s3": "rejected at rcpt", "s4": "rejected at greeting",
            "s5": "rejected at ehlo", "s6": "deferred at mail", "s7": "deferred at data", "s10": "lost at end-of-data",
            "s16": "abandoned",
        }.items():
            with self.subTest(session=session):
                row = shown.row(session)
                # In words for those who do not see it, in words beside the colours for all others.
                expect(row.get_by_role("img")).to_have_accessible_name(re.compile(words))
                expect(row).to_contain_text(words.split(" ")[0])

    def test_verdicts_differ_in_shape_and_not_in_colour_alone(self):
        shown = self.list()
        shapes = {}
        for session in ("s1", "s2", "s6", "s10", "s16"):
            word = shown.row(session).locator(".verdict")
            shapes[word.inner_text().strip()] = word.locator("svg path").first.get_attribute("d")
        self.assertEqual(len(shapes), 5, shapes)
        self.assertEqual(len(set(shapes.values())), 5, shapes)

    def test_filters_by_the_words_of_the_api_and_keeps_them_in_the_address(self):
        shown = self.list()
        for words, wanted in {
            "verdict=rejected": {"s2", "s3", "s4", "s5", "s22", "s23"},
            "phase=mail": {"s6"},
            "verdict=rejected from=ann@*": {"s2", "s3"},
            "to=slow@any.test": {"s9"},
            "tls=none verdict=lost": {"s10"},
            'reply="*Dynamic address*"': {"s5"},
            "client=127.0.0.9": {"s4"},
        }.items():
            with self.subTest(words=words):
                shown.filter.fill(words)
                shown.expect_only(*wanted)
                shown.page.reload()
                shown.visitor.settled()
                shown.expect_only(*wanted)
                expect(shown.filter).to_have_value(words)

    def test_an_address_with_a_filter_can_be_sent_to_somebody(self):
        shown = self.list("#/sessions?verdict=deferred&phase=data")
        shown.expect_only("s7")
        expect(shown.filter).to_have_value("verdict=deferred phase=data")

    def test_a_filter_that_is_none_is_explained_and_what_was_there_stays(self):
        for words, said in (("verdct=rejected", "verdict"), ("verdict=refused", "rejected"), ("hello", "word=value")):
            with self.subTest(words=words):
                shown = self.list()
                shown.visitor.expected.append("400")
                shown.filter.fill(words)
                expect(shown.page.get_by_role("alert").filter(has_text=said)).to_be_visible()
                shown.expect_count(24)
                shown.filter.fill("")
                expect(shown.page.get_by_role("alert").filter(has_text=re.compile("."))).to_have_count(0)

    def test_a_filter_that_nothing_meets_says_so(self):
        shown = self.list("#/sessions?from=nobody@nowhere.test")
        expect(shown.page.get_by_role("main")).to_contain_text("No session meets this filter")

    def test_arrows_go_through_the_rows_enter_opens_and_back_returns_to_the_same_row(self):
        shown = self.list()
        shown.expect_count(24)
        shown.grid.focus()
        keyboard = shown.page.keyboard
        for key, session in (("ArrowDown", "s24"), ("ArrowDown", "s23"), ("ArrowUp", "s24"), ("End", "s1"), ("Home", "s24"),
                             ("ArrowDown", "s23")):
            keyboard.press(key)
            active = shown.grid.get_attribute("aria-activedescendant")
            self.assertTrue(active.endswith(f"-{session}"), f"{key}: {active}")
            expect(shown.page.locator(f"#{active}")).to_be_in_viewport()
        keyboard.press("Enter")
        expect(shown.page).to_have_url(re.compile("#/sessions/s23$"))
        shown.visitor.settled()
        shown.page.go_back()
        expect(shown.grid).to_have_attribute("aria-activedescendant", re.compile("-s23$"))

    def test_a_press_on_a_row_opens_it(self):
        shown = self.list()
        shown.row("s20").get_by_text("eod-451@").first.click()
        expect(shown.page).to_have_url(re.compile("#/sessions/s20$"))

    def test_two_are_chosen_by_keyboard_and_compared(self):
        shown = self.list()
        shown.expect_count(24)
        compare = shown.page.get_by_role("button", name=re.compile("^Compare"))
        expect(compare).to_be_disabled()
        shown.grid.focus()
        for key in ("ArrowDown", " ", "ArrowDown", " "):
            shown.page.keyboard.press(key)
        expect(compare).to_be_enabled()
        expect(shown.row("s23").get_by_role("checkbox")).to_be_checked()
        compare.press("Enter")
        expect(shown.page).to_have_url(re.compile(r"#/compare\?ids=s24,s23$"))


class Live(PageTest):
    def setUp(self):
        post(self.sink.url, "reset")

    def test_what_comes_is_shown_without_being_asked_for(self):
        shown = List(self.visit())
        expect(shown.page.get_by_role("main")).to_contain_text("eod-554@any.test")  # what to do when nothing is there
        traffic.swaks(self.sink, "eod-554@any.test")
        shown.expect_count(1)
        expect(shown.rows().first).to_contain_text("rejected")
        expect(shown.rows().first).to_contain_text("reputation")  # and what was found, a moment later
        expect(shown.page.get_by_role("status").filter(has_text=re.compile("1 new"))).to_be_attached()

        # One that still runs is there, and says so, until it ends.
        client = traffic.raw(self.sink, b"EHLO open.example\r\n", close=False)
        row = shown.rows().filter(has_text="open.example")
        expect(row).to_contain_text("runs")
        client.close()
        expect(row).not_to_contain_text("runs")
        shown.expect_count(2)

        # While one goes through the rows by keyboard nothing moves; what came is offered.
        shown.grid.focus()
        for _ in range(2):
            shown.page.keyboard.press("ArrowDown")
        traffic.swaks(self.sink, "rcpt-550@any.test")
        newer = shown.page.get_by_role("button", name=re.compile("1 new"))
        expect(newer).to_be_visible()
        self.assertEqual(shown.count(), 2)
        newer.press("Enter")
        shown.expect_count(3)
        expect(shown.rows().first).to_be_attached()

        # What was filtered stays filtered.
        shown.filter.fill("verdict=rejected")
        shown.expect_count(2)
        traffic.send(self.sink, traffic.mail("x"))
        traffic.swaks(self.sink, "mail@any.test", sender="mail-550@any.test")
        shown.expect_count(3)
        self.assertEqual(len(shown.ids()), 3)

        # A reset by somebody else empties it.
        post(self.sink.url, "reset")
        expect(shown.page.get_by_role("main")).to_contain_text("No session")
        self.assertEqual(shown.ids(), [])

    def test_five_hundred_messages_a_second_are_followed(self):
        shown = List(self.visit())
        with traffic.Stream(self.sink, 500) as stream:
            expect(shown.rows().filter(has_text="stream-").first).to_be_visible()
            for number in range(4):  # it stays of use meanwhile: newer ones come, a filter is obeyed, a view opens and closes
                first = shown.ids()[0]
                expect(shown.rows().filter(has_text="stream-").first).to_be_visible()
                shown.page.wait_for_function(
                    "(first) => document.querySelector('[role=row][aria-rowindex=\"2\"]')?.dataset.key !== first", arg=first)
            shown.filter.fill("from=stream-7@stream.test")
            shown.expect_count(1)
            shown.filter.fill("")
            expect(shown.rows().nth(5)).to_be_visible()
            self.assertLess(shown.rows().count(), 300)
            shown.page.get_by_role("link", name=re.compile("^Messages")).click()
            expect(shown.page).to_have_title(re.compile("^Messages"))
            shown.visitor.settled()
            shown.page.go_back()
            expect(shown.rows().nth(5)).to_be_visible()
            count, took_s = stream.stop()
        self.assertGreater(count / took_s, 300, "the sender did not come to its rate: this machine is too busy")
        # In the end nothing is missing and nothing twice.
        info = json.load(urllib.request.urlopen(f"{self.sink.url}/api/fakemx/info"))
        newest = shown.page.get_by_role("button", name=re.compile("new$"))
        if newest.is_visible():
            newest.click()
        shown.expect_count(info["sessions"]["kept"])
        ids = shown.ids()
        self.assertEqual(len(ids), len(set(ids)))

    def test_a_sink_that_was_started_anew_is_found_again(self):
        with Sink(http="127.0.0.1:0") as sink:
            traffic.swaks(sink, "rcpt-550@any.test")
            address, sink_was = sink.url, sink
            self.sink, kept = sink, self.sink
            try:
                shown = List(self.visit())
                shown.expect_count(1)
                shown.visitor.expected += ["ERR_", "Failed to load resource"]
                sink_was.process.terminate()
                sink_was.process.wait(10)
                expect(shown.page.get_by_role("status").filter(has_text="not connected")).to_be_visible()
                with Sink(http=address.removeprefix("http://")) as another:
                    traffic.send(another, traffic.mail("after the restart", sender="again@shop.example"), sender="again@shop.example")
                    expect(shown.rows().filter(has_text="again@shop.example")).to_be_visible()
                    expect(shown.page.get_by_role("status").filter(has_text="live")).to_be_visible()
                    shown.expect_count(1)
            finally:
                self.sink = kept


@unittest.skipUnless(traffic.has_postfix(), "smtp-source of Postfix is missing")
class TenThousand(PageTest):
    @classmethod
    def traffic(cls):
        for to, count in (("b@any.test", 4000), ("rcpt-550@any.test", 2000), ("eod-451@any.test", 2000), ("c@any.test", 2000)):
            traffic.crowd(cls.sink, count, to)

    def test_all_are_there_and_few_are_in_the_document(self):
        shown = List(self.visit())
        shown.expect_count(10_000)
        self.assertLess(shown.rows().count(), 200)
        shown.grid.focus()
        shown.page.keyboard.press("End")
        expect(shown.row("s1")).to_be_in_viewport()
        shown.page.keyboard.press("Home")
        expect(shown.grid.locator("[role=row][aria-rowindex='2']")).to_be_in_viewport()
        for _ in range(20):
            shown.page.keyboard.press("PageDown")
        active = shown.grid.get_attribute("aria-activedescendant")
        expect(shown.page.locator(f"#{active}")).to_be_in_viewport()

    def test_a_filter_finds_one_place_among_them(self):
        shown = List(self.visit("#/sessions?verdict=deferred"))
        shown.expect_count(2000)
        expect(shown.rows().first).to_contain_text("deferred")
