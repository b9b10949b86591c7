# Pictures of each view, light and dark, on a phone, a tablet and a projector, of the story that traffic.py tells: those of
# README and the documentation into its folder, all others into .build/screenshots to be looked at.

import argparse
import json
import os
import sys
import time
import urllib.request

import browser
import traffic
from PIL import Image
from sink import ROOT, Sink
from test_views import VIEWS

PICTURES = os.path.join(ROOT, "Sources", "fakemx", "fakemx.docc", "Resources")
OTHERS = os.path.join(ROOT, ".build", "screenshots")
# What README shows. DocC takes the one that ends in ~dark where the reader's scheme is dark.
SHOWN = {"sessions": ("#/sessions", 760), "session": ("#/sessions/s2", 1180), "compare": ("#/compare?ids=s4,s3,s2", 900)}
SHOWN_WIDTH = 1360
COLOURS = 256
LIMIT_S = 30
# For what is drawn a moment after the view: counts, a frame's height, a page of a list.
SETTLES_MS = 400


def judged(sink):
    """Waits until the judge is done, so that each picture has all findings."""
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        info = json.load(urllib.request.urlopen(f"{sink.url}/api/fakemx/info"))
        if info["judging"]["sessions_judged"] == info["sessions"]["kept"]:
            return
        time.sleep(0.05)
    sys.exit("screenshots: the sessions are not judged")


def ready(visitor, route):
    visitor.open(route)
    browser.expect(visitor.page.get_by_role("status").filter(has_text="live")).to_be_visible()
    visitor.page.wait_for_timeout(SETTLES_MS)


def save(page, path, **options):
    """A picture of few colours: the page has few, and files stay small."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    page.screenshot(path=path, animations="disabled", caret="hide", **options)
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{os.path.relpath(path, ROOT)}  {os.path.getsize(path) / 1000:.0f} kB")


def shown(sink):
    for name, (route, height) in SHOWN.items():
        for scheme in browser.SCHEMES:
            visitor = browser.Visitor(sink.url, "projector", scheme)
            visitor.page.set_viewport_size({"width": SHOWN_WIDTH, "height": height})
            ready(visitor, route)
            save(visitor.page, os.path.join(PICTURES, f"{name}{'~dark' if scheme == 'dark' else ''}.png"))
            visitor.close()


def every_view(sink, wanted):
    for name, route in VIEWS.items():
        if wanted and name not in wanted:
            continue
        for scheme in browser.SCHEMES:
            for width, size in browser.WIDTHS.items():
                visitor = browser.Visitor(sink.url, width, scheme)
                ready(visitor, route)
                save(visitor.page, os.path.join(OTHERS, f"{name.replace(' ', '-')}-{scheme}-{size[0]}.png"), full_page=True)
                visitor.close()


def main():
    parser = argparse.ArgumentParser(prog="Scripts/screenshots", description="Takes pictures of the page.")
    parser.add_argument("--documentation", action="store_true", help="only those of README and the documentation")
    parser.add_argument("views", nargs="*", help=f"only these, of: {', '.join(VIEWS)}")
    options = parser.parse_args()
    rules = [word for rule in traffic.RULES for word in ("--rule", rule)]
    with Sink(*rules, http="127.0.0.1:0") as sink:
        traffic.story(sink)
        judged(sink)
        if not options.views:
            shown(sink)
        if not options.documentation:
            every_view(sink, options.views)


if __name__ == "__main__":
    main()
