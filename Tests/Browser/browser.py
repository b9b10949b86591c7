# Chromium as a visitor of the page. It watches what must never happen while a test looks at something else: a dialog, a
# request to another host, an error on the console, a breach of the page's own policy, a window that opens.
# Knows nothing of SMTP; the tests send what is to be seen.

import atexit
import os
import re
import shutil
import sys
import unittest
from contextlib import contextmanager
from urllib.parse import urlsplit

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "Clients"))

import axe_playwright_python
from playwright.sync_api import expect, sync_playwright

from sink import Sink

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
AXE = os.path.join(os.path.dirname(axe_playwright_python.__file__), "axe.min.js")
LIMIT_MS = 15_000
WIDTHS = {"phone": (360, 740), "tablet": (820, 1100), "projector": (1600, 1000)}
SCHEMES = ("light", "dark")
# The HTML of a message is shown in a frame of its own, whose policy refuses what that HTML asks for. Chromium says so on
# the console; that is the policy at work, and no breach of the page's.
# A frame within that mail is about:srcdoc, or is refused in the name of the mail's default-src; the page has frame-src.
MAIL_FRAME = re.compile(r"/api/fakemx/messages/[^/]+/html\b|^about:srcdoc|Framing .* directive: \"default-src 'none'\"")
AT_WORK = re.compile(r"Content Security Policy|Blocked script execution|Blocked form submission|sandboxed|Unsafe attempt to load")

expect.set_options(timeout=LIMIT_MS)


class Chromium:
    """The browser of this process: started by the first who asks, ended with the process."""

    running = None

    @classmethod
    def get(cls):
        if cls.running is None:
            driver = sync_playwright().start()
            cls.running = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            atexit.register(cls.stop, driver)
        return cls.running

    @classmethod
    def stop(cls, driver):
        cls.running.close()
        driver.stop()


class Visitor:
    """A fresh profile with one page. `faults` is what went wrong so far; `expected` are patterns of console errors that the
    test causes itself."""

    def __init__(self, url, width="projector", scheme="light", **options):
        size = WIDTHS[width]
        self.url, self.origin = url, url.rstrip("/")
        self.faults, self.blocked, self.expected = [], [], []
        self.context = Chromium.get().new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, reduced_motion="reduce",
            accept_downloads=True, **options)
        self.context.set_default_timeout(LIMIT_MS)
        self.context.on("request", self._request)
        self.context.on("requestfailed", self._request_failed)
        self.context.on("dialog", self._dialog)
        self.context.on("console", self._console)
        self.context.on("weberror", lambda e: self.faults.append(f"uncaught: {e.error}"))
        self.page = self.context.new_page()
        self.context.on("page", lambda page: self.faults.append(f"a window opened: {page.url}"))

    def _foreign(self, url):
        parts = urlsplit(url)
        return parts.scheme not in ("data", "blob", "about") and f"{parts.scheme}://{parts.netloc}" != self.origin

    def _request(self, request):
        # What a policy blocks is announced as a request too; that it never left is said by `requestfailed`.
        if self._foreign(request.url):
            self.blocked.append(request)

    def _request_failed(self, request):
        if request.failure in ("csp", "origin") and request in self.blocked:
            self.blocked.remove(request)

    def _dialog(self, dialog):
        self.faults.append(f"a dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message):
        if message.type not in ("error", "warning"):
            return
        where = message.location.get("url", "")
        if (MAIL_FRAME.search(where) or MAIL_FRAME.search(message.text)) and AT_WORK.search(message.text):
            return
        if not any(re.search(pattern, message.text) for pattern in self.expected):
            self.faults.append(f"console: {message.text} ({where}:{message.location.get('lineNumber')})")

    def check(self):
        """Raises when anything happened that never may."""
        self.page.wait_for_timeout(0)  # lets events that are on their way arrive
        foreign = [f"a request to another host: {request.url}" for request in self.blocked]
        if self.faults or foreign:
            raise AssertionError("\n".join(dict.fromkeys(self.faults + foreign)))

    def open(self, route="", **waiting):
        """Goes to a view as by a link from elsewhere, and waits until it has drawn what it is about."""
        self.page.goto(f"{self.origin}/{route}", wait_until="load", **waiting)
        self.settled()

    def settled(self):
        """Waits until the view is there and nothing in it says that it is still being filled."""
        expect(self.page.locator("main h1, main h2").first).to_be_visible()
        expect(self.page.locator("main[aria-busy=true], main [aria-busy=true]")).to_have_count(0)

    def axe(self):
        """What axe-core has to say against what is shown now, a line an element."""
        if not self.page.evaluate("() => 'axe' in window"):
            with open(AXE) as file:
                self.page.evaluate(file.read())
        result = self.page.evaluate("""() => axe.run(document, {
            iframes: false, resultTypes: ['violations'],
            runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
        })""")
        return [f"{violation['id']}: {' '.join(node['target'][0] if isinstance(node['target'][0], str) else node['target'][0])}: "
                f"{node['failureSummary'].splitlines()[-1].strip()}"
                for violation in result["violations"] for node in violation["nodes"]]

    def overflow(self):
        """What is cut off or sticks out: the page itself when it scrolls sideways, and text that its box hides."""
        return self.page.evaluate(OVERFLOW)

    def out_of_reach(self):
        """Controls that Tab leaves out, and that no list or row of tabs around them leads to by arrows."""
        return self.page.evaluate(OUT_OF_REACH)

    def focusable(self):
        """How many elements Tab should stop at, each marked with a number that `focused` reads."""
        return self.page.evaluate(FOCUSABLE)

    def focused(self):
        """Number, name and visibility of the focus."""
        return self.page.evaluate(FOCUSED)

    def close(self):
        self.context.close()


# A box that clips its text is a fault unless it scrolls, or says by an ellipsis (with a title or in a place that shows the
# whole) that there is more.
OVERFLOW = """() => {
    const name = (e) => e.tagName.toLowerCase() + (e.id ? '#' + e.id : '') +
        (typeof e.className === 'string' && e.className ? '.' + e.className.trim().split(/\\s+/).join('.') : '');
    const found = [];
    const root = document.scrollingElement;
    if (root.scrollWidth > root.clientWidth + 1) found.push(`the page is ${root.scrollWidth} wide in ${root.clientWidth}`);
    const scrolls = (e) => { for (; e && e !== document.body; e = e.parentElement) {
        const x = getComputedStyle(e).overflowX;
        if (x === 'auto' || x === 'scroll') return true;
    } return false; };
    for (const e of document.querySelectorAll('body *')) {
        const style = getComputedStyle(e), box = e.getBoundingClientRect();
        if (!box.width || !box.height || style.visibility === 'hidden') continue;
        if (e.closest("svg, .offscreen, .skip") || e.matches("option") || parseFloat(style.textIndent)) continue;
        const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
        if (!own) continue;
        if (box.right > root.clientWidth + 1 && !scrolls(e) && style.position !== 'fixed')
            found.push(`${name(e)} ends at ${Math.round(box.right)}: ${e.textContent.trim().slice(0, 40)}`);
        const clips = style.overflowX === 'hidden' || style.overflowX === 'clip';
        if (clips && style.textOverflow !== 'ellipsis' && e.scrollWidth > e.clientWidth + 1)
            found.push(`${name(e)} hides text: ${e.textContent.trim().slice(0, 40)}`);
    }
    return found;
}"""

FOCUSABLE = """() => {
    let count = 0;
    for (const e of document.querySelectorAll('[data-stop]')) delete e.dataset.stop;
    for (const e of document.querySelectorAll('a[href], button, input, select, textarea, summary, iframe, [tabindex]')) {
        const box = e.getBoundingClientRect(), style = getComputedStyle(e);
        if (e.disabled || e.tabIndex < 0 || style.visibility === 'hidden' || (!box.width && !box.height)) continue;
        if (e.type === 'radio' && !e.checked && document.querySelector(`[name="${e.name}"]:checked`)) continue;
        if (e.closest('[inert], [hidden]') || !e.checkVisibility()) continue;
        e.dataset.stop = ++count;
    }
    return count;
}"""

OUT_OF_REACH = """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [onclick]')]
    .filter((e) => e.tabIndex < 0 && !e.disabled && e.checkVisibility() && !e.closest('[role=grid], [role=tablist], [inert]'))
    .map((e) => e.outerHTML.slice(0, 120))"""

FOCUSED = """() => {
    const e = document.activeElement;
    if (!e || e === document.body) return null;
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    const ring = (s) => (s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0) || s.boxShadow !== 'none';
    return {
        stop: Number(e.dataset.stop || 0),
        name: (e.getAttribute('aria-label') || e.innerText || e.textContent || e.name || e.id || e.tagName).trim().slice(0, 60),
        tag: e.tagName.toLowerCase(),
        ring: ring(style) || (e.parentElement && ring(getComputedStyle(e.parentElement))) ||
            ring(getComputedStyle(e, '::after')),
        seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    };
}"""


class PageTest(unittest.TestCase):
    """A test of the page: one sink for the class (`arguments`), filled by `traffic`, and a visitor for each test, who must
    have had no trouble at its end."""

    arguments = ()
    environment = None

    @classmethod
    def traffic(cls):
        """Sends what the tests of this class look at."""

    @classmethod
    def setUpClass(cls):
        cls.sink = Sink(*cls.arguments, http="127.0.0.1:0", environment=cls.environment)
        cls.addClassCleanup(cls.sink.stop)
        cls.traffic()

    @contextmanager
    def visiting(self, route="", **options):
        """A visitor who looks at this view, and leaves it without having had trouble."""
        visitor = Visitor(self.sink.url, **options)
        try:
            visitor.open(route)
            yield visitor
            visitor.check()
        except Exception as failed:
            if visitor.faults:
                failed.add_note("The page had trouble: " + "; ".join(visitor.faults))
            raise
        finally:
            visitor.close()

    def visit(self, route="", **options):
        """The same for the rest of the test."""
        return self.enterContext(self.visiting(route, **options))
