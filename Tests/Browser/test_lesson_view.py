# Lessons on the page: each is taken from its first step to its handout with the built-in sender, by keyboard where it
# counts; what the learner sends by hand with swaks is seen by itself. The handout is one file that loads nothing.

import json
import re
import subprocess
import time
import urllib.error
import urllib.request

import wire
from browser import SCHEMES, PageTest, Visitor, expect

KNOWN = ("life-of-an-email", "when-did-the-reject-happen", "reject-deferral-bounce", "starttls", "field-manual", "bot-or-not")
MOST_STEPS = 40


class Lessons(PageTest):
    def lesson(self, name):
        return json.load(urllib.request.urlopen(f"{self.sink.url}/api/fakemx/lessons/{name}"))

    def begin(self, name, **options):
        visitor = self.visit(f"#/lessons/{name}", **options)
        visitor.page.get_by_role("button", name="Begin").press("Enter")
        expect(visitor.page.get_by_role("heading", level=2).first).to_be_focused()
        return visitor

    def step(self, visitor):
        """Sends, waits until the sink has seen it, answers what is asked, and goes on."""
        page = visitor.page
        sends = page.get_by_role("button", name="Let the built-in sender send")
        if sends.count():
            sends.press("Enter")
            expect(sends).to_be_enabled()
            expect(page.locator(".lesson-session svg.diagram").first).to_be_visible()
        expect(page.locator(".lesson-checks li").filter(has_text="not seen yet")).to_have_count(0)
        for question in page.locator("fieldset").all():
            if question.is_visible():
                question.get_by_role("radio").first.check()
                expect(question.get_by_role("status")).to_contain_text(re.compile("Right|It is"))

    def test_all_are_listed_and_opened(self):
        visitor = self.visit("#/lessons")
        expect(visitor.page.get_by_role("article")).to_have_count(len(KNOWN))
        visitor.page.get_by_role("article").get_by_role("link").first.press("Enter")
        expect(visitor.page.get_by_role("button", name="Begin")).to_be_visible()

    def test_each_runs_from_start_to_end_and_its_handout_opens(self):
        for name in KNOWN:
            with self.subTest(lesson=name):
                visitor = self.begin(name)
                page = visitor.page
                for number in range(MOST_STEPS):
                    self.step(visitor)
                    button = page.get_by_role("button", name=re.compile("^(Next step|Finish)$"))
                    was = page.get_by_role("heading", level=2).first.inner_text()
                    button.press("Enter")
                    expect(page.get_by_role("heading", level=2).first).not_to_have_text(was)
                    if page.get_by_role("button", name="Save the handout").count():
                        break
                self.assertEqual(number + 1, len(self.lesson(name)["steps"]))
                with page.expect_download() as saving:
                    page.get_by_role("button", name="Save the handout").press("Enter")
                self.handout(saving.value.path())
                visitor.check()

    def handout(self, path):
        with open(path) as file:
            text = file.read()
        reader = Visitor(self.sink.url)
        try:
            reader.page.set_content(text)
            expect(reader.page.locator("h1").first).to_be_visible()
            self.assertEqual(reader.page.evaluate("() => [...document.querySelectorAll('script, link, img[src^=http], iframe')].length"), 0)
            reader.check()
        finally:
            reader.close()

    def test_what_is_sent_by_hand_is_seen_by_itself(self):
        visitor = self.begin("when-did-the-reject-happen")
        page = visitor.page
        page.locator("summary", has_text="Or by hand").press("Enter")
        place = page.locator("details[open] code").first.inner_text()
        waiting = page.locator(".lesson-checks li").filter(has_text="not seen yet")
        for _ in range(MOST_STEPS):
            if not waiting.count():
                break
            commands = page.locator(".lesson-command pre").all_inner_texts()
            command = next(text for text in commands if "swaks" in text).splitlines()[0].removeprefix("$ ")
            self.assertIn(place.rpartition(":")[2], command)
            subprocess.run(command, shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
            expect(page.locator(".lesson-session svg.diagram").first).to_be_visible()
            expect(waiting).to_have_count(0)
        expect(page.get_by_role("heading", name="What it probably means")).to_be_visible()

    def test_lines_typed_slowly_are_explained_as_they_arrive(self):
        visitor = self.begin("life-of-an-email")
        page = visitor.page
        page.get_by_role("button", name="Skip this step").press("Enter")
        expect(page.get_by_role("heading", level=2).first).to_contain_text("2.")
        page.locator("summary", has_text="Or by hand").press("Enter")
        port = int(page.locator("details[open] code").first.inner_text().rpartition(":")[2])
        talk = page.get_by_role("log")
        told = {one["line"]: one["why"] for one in self.lesson("life-of-an-email")["steps"][1]["sends"][0]["lines"]}
        with wire.Wire(port) as client:
            client.reply()
            for line in ("EHLO mail.sender.test", "MAIL FROM:<ben@sender.test>", "RCPT TO:<anna@lesson.test>", "DATA"):
                client.ask(line.encode())
                row = talk.locator("dl > div").filter(has=page.get_by_text(f"C: {line}", exact=True))
                expect(row.get_by_role("definition")).to_have_text(told[line])
                self.assertEqual(page.locator(".lesson-session").count(), 0)
            client.send(b"From: Ben <ben@sender.test>\r\nTo: Anna <anna@lesson.test>\r\nSubject: Lunch?\r\n"
                        b"Date: Sat, 28 Nov 2026 12:00:00 +0000\r\nMessage-ID: <1@sender.test>\r\n\r\nAt one?\r\n.\r\n").reply()
            expect(talk).to_contain_text("(the message, ")
            expect(talk).to_contain_text(told["Subject: Lunch?"])
            client.ask(b"QUIT")
        expect(page.locator(".lesson-session svg.diagram").first).to_be_visible()
        expect(talk).to_contain_text("C: QUIT")
        expect(talk.get_by_role("heading")).to_have_count(1)
        self.assertEqual(visitor.axe(), [])

    def test_who_leaves_ends_the_run(self):
        for leave in ("() => { location.hash = '#/lessons' }", "() => { location.href = 'about:blank' }"):
            with self.subTest(leave=leave), self.visiting("#/lessons/starttls") as visitor:
                with visitor.page.expect_response(lambda one: one.url.endswith("/runs")) as begun:
                    visitor.page.get_by_role("button", name="Begin").press("Enter")
                run = f"{begun.value.url}/{begun.value.json()['id']}"
                self.assertEqual(urllib.request.urlopen(run).status, 200)
                visitor.page.evaluate(leave)
                deadline = time.monotonic() + 10
                while self.is_there(run) and time.monotonic() < deadline:
                    time.sleep(0.1)
                self.assertFalse(self.is_there(run))

    def is_there(self, url):
        try:
            return urllib.request.urlopen(url).status == 200
        except urllib.error.HTTPError as error:
            self.assertEqual(error.code, 404)
            return False

    def test_a_step_holds_to_axe_and_to_every_width(self):
        visitor = self.begin("when-did-the-reject-happen")
        self.step(visitor)
        for scheme in SCHEMES:
            visitor.page.emulate_media(color_scheme=scheme)
            self.assertEqual(visitor.axe(), [], scheme)
        for width in (360, 820, 1600):
            visitor.page.set_viewport_size({"width": width, "height": 900})
            self.assertEqual(visitor.overflow(), [], width)
