# Who may see the page and what it shows: the token is asked for once, a name that somebody pointed at this machine is
# refused, pages of others can neither read nor frame nor steer it, and the policy that it is served with is the strict one.

import json
import re
import urllib.request

from assets import ask, files
from browser import PageTest, Visitor, expect
from hostile import Canary
import traffic

POLICY = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'", "img-src": "'self' data: blob:",
    "connect-src": "'self'", "frame-src": "'self'", "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
}
# Addresses that may stand in a file: a name space, examples, and documents that are cited.
OWN = r"^http://www\.w3\.org/|^https?://[^/]*(\.example|\.test)\b|^https://(www\.rfc-editor|datatracker\.ietf)\.org/"


class Policy(PageTest):
    def test_every_file_comes_with_the_strict_policy_and_its_type(self):
        count = 0
        for name, status, headers, body in files(self.sink.url):
            count += 1
            with self.subTest(file=name):
                self.assertEqual(status, 200)
                said = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";") if part.strip())
                self.assertEqual(said, POLICY)
                self.assertEqual(headers["x-content-type-options"], "nosniff")
                kind = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}.get(name.rpartition(".")[2], "text/html")
                self.assertTrue(headers["content-type"].startswith(kind), headers["content-type"])
                text = body.decode()
                # Nothing of anybody else, nothing that the policy would have to stop.
                for address in re.findall(r"https?://[^\s\"'`<>)]+", text):
                    self.assertRegex(address, OWN)
                self.assertNotRegex(text, r"\binnerHTML\b|\bouterHTML\b|insertAdjacentHTML|document\.write|\beval\(|new Function\b")
        self.assertGreater(count, 40)

    def test_what_is_no_file_of_the_page_is_not_found(self):
        for name in ("/page/", "/page/nothing.js", "/page/../index.html", "/page/%2e%2e/Page.swift", "/page/main.js/x", "/page/.git"):
            with self.subTest(name=name):
                self.assertIn(ask(self.sink.url, name)[0], (400, 404))

    def test_a_name_that_somebody_pointed_here_is_refused(self):
        for host in ("rebound.attacker.com", "rebound.attacker.com:8025"):
            for path in ("/", "/page/main.js", "/api/fakemx/sessions"):
                with self.subTest(host=host, path=path):
                    status, _, body = ask(self.sink.url, path, Host=host)
                    self.assertIn(status, (400, 403, 421), body[:200])
                    self.assertNotIn(b"<script", body)

    def test_an_event_handler_or_inline_script_would_not_run(self):
        # The policy itself, proved in the browser: what is put into the page by force stays dead.
        visitor = Visitor(self.sink.url)
        self.addCleanup(visitor.close)
        visitor.open()
        visitor.page.evaluate("""() => {
            const script = document.createElement('script');
            script.append('window.ran = true');
            try { document.body.append(script) } catch (refused) { }
            const button = document.createElement('button');
            try { button.setAttribute('onclick', 'window.ran = true') } catch (refused) { }
            document.body.append(button);
            button.click();
        }""")
        try:
            visitor.page.evaluate("() => { document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = true\">') }")
            self.fail("markup was taken from a string")
        except Exception as refused:
            self.assertIn("TrustedHTML", str(refused))
        self.assertIsNone(visitor.page.evaluate("() => window.ran ?? null"))
        self.assertTrue(any("TrustedScript" in fault for fault in visitor.faults), visitor.faults)


class OtherPages(PageTest):
    @classmethod
    def traffic(cls):
        traffic.send(cls.sink, traffic.mail("Secret plans"))

    def at_another(self, page):
        """A visitor of somebody else's page, which may load what it likes."""
        attacker = Canary({"/": page.replace("SINK", self.sink.url)})
        self.addCleanup(attacker.stop)
        visitor = Visitor(attacker.url)
        self.addCleanup(visitor.close)
        visitor.page.goto(attacker.url + "/")
        return visitor.page

    def test_cannot_read_the_api(self):
        page = self.at_another("<!doctype html><title>x</title>")
        read = page.evaluate("""(url) => fetch(url + '/api/fakemx/messages').then((answer) => answer.text(), (e) => 'refused')""",
                             self.sink.url)
        self.assertNotIn("Secret", read)

    def test_cannot_change_anything(self):
        page = self.at_another("<!doctype html><title>x</title>")
        for method, path, kind in (("POST", "reset", "text/plain"), ("DELETE", "messages", "text/plain"),
                                   ("POST", "rules", "text/plain"), ("POST", "rules", "application/json")):
            page.evaluate("""([url, method, kind]) => fetch(url, { method, headers: { 'content-type': kind },
                body: method === 'POST' ? 'rcpt: 550 5.1.1 No' : undefined }).catch(() => null)""",
                          [f"{self.sink.url}/api/fakemx/{path}", method, kind])
        page.evaluate("""([url]) => new Promise((done) => { const form = document.createElement('form'); form.method = 'post';
            form.action = url; form.target = 'f'; const frame = document.createElement('iframe'); frame.name = 'f';
            frame.onload = done; document.body.append(frame, form); form.submit(); setTimeout(done, 3000) })""",
                      [f"{self.sink.url}/api/fakemx/reset"])
        kept = json.load(urllib.request.urlopen(f"{self.sink.url}/api/fakemx/info"))
        self.assertEqual(kept["messages"]["kept"], 1)
        self.assertEqual(json.load(urllib.request.urlopen(f"{self.sink.url}/api/fakemx/rules"))["rules"], [])

    def test_cannot_frame_it(self):
        page = self.at_another("<!doctype html><title>x</title><iframe src='SINK/' width=800 height=600></iframe>")
        frame = page.frames[-1]
        self.assertNotIn("fakemx", frame.evaluate("() => document.body?.textContent ?? ''"))


class Token(PageTest):
    arguments = ("--http-token", "s3cret-word")

    @classmethod
    def traffic(cls):
        traffic.swaks(cls.sink, "eod-554@any.test")

    def arriving(self):
        visitor = Visitor(self.sink.url)
        self.addCleanup(visitor.close)
        visitor.expected.append("401")
        visitor.page.goto(self.sink.url + "/#/sessions/s1")
        expect(visitor.page.get_by_role("dialog")).to_be_visible()
        return visitor

    def test_without_it_nothing_is_told(self):
        visitor = self.arriving()
        expect(visitor.page.get_by_role("dialog")).to_have_count(1)
        self.assertNotIn("eod-554", visitor.page.content())
        self.assertEqual(ask(self.sink.url, "/api/fakemx/sessions")[0], 401)

    def test_it_is_asked_for_once_by_keyboard_and_kept_for_the_tab(self):
        visitor = self.arriving()
        page = visitor.page
        field = page.get_by_label(re.compile("Token"))
        expect(field).to_be_focused()
        self.assertEqual(field.get_attribute("type"), "password")
        page.keyboard.type("wrong")
        page.keyboard.press("Enter")
        expect(page.get_by_label(re.compile("Token"))).to_have_value("")
        page.get_by_label(re.compile("Token")).fill("s3cret-word")
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("main")).to_contain_text("eod-554@any.test")
        expect(page.get_by_role("status").filter(has_text="live")).to_be_visible()
        page.reload()
        expect(page.get_by_role("main")).to_contain_text("eod-554@any.test")
        expect(page.get_by_role("dialog")).to_have_count(0)
        self.assertNotIn("s3cret-word", page.url + page.content())
        visitor.check()

    def test_who_closes_the_dialog_is_not_asked_at_once_but_can_say_it_later(self):
        visitor = self.arriving()
        page = visitor.page
        page.keyboard.press("Escape")
        expect(page.get_by_role("main").get_by_role("alert")).to_contain_text("A token is needed")
        page.wait_for_timeout(1500)
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.get_by_role("button", name="Say the token").press("Enter")
        page.get_by_label(re.compile("Token")).fill("s3cret-word")
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_contain_text("eod-554@any.test")

    def test_the_dialog_holds_to_axe_and_to_the_narrowest_screen(self):
        visitor = self.arriving()
        self.assertEqual(visitor.axe(), [])
        visitor.page.set_viewport_size({"width": 360, "height": 640})
        self.assertEqual(visitor.overflow(), [])

    def test_messages_and_streams_go_with_it_too(self):
        visitor = self.arriving()
        page = visitor.page
        page.get_by_label(re.compile("Token")).fill("s3cret-word")
        page.keyboard.press("Enter")
        expect(page.get_by_role("main")).to_contain_text("eod-554@any.test")
        traffic.send(self.sink, traffic.mail("In HTML", html="<p>Shown in a frame.</p>"))
        page.evaluate("() => { location.hash = '#/messages/s2.1' }")
        expect(page.get_by_role("heading", name="In HTML")).to_be_visible()
        page.get_by_role("tab", name="HTML").click()
        expect(page.locator("main iframe").content_frame.get_by_text("Shown in a frame.")).to_be_visible()
        visitor.check()
