# The page's figures: how soon ten thousand sessions are in sight, how soon one that arrives is, how large the page is, and
# what it costs the sink that somebody looks. Prints them as JSON for Tests/Clients/bench.py, which has the targets.

import argparse
import json
import random
import statistics
import time

import browser
import traffic
from assets import files
from sink import Sink

import bench
import wire

SESSIONS = 10_000
# Rows that fill the list of a projector's screen.
SCREENFUL = 25
ARRIVALS = 40
# Notes in the page itself when what was waited for is on the screen: behind the frame that drew it.
WATCH = """
    window.noted = {};
    const onScreen = (name) => { noted[name] = -1; requestAnimationFrame(() => setTimeout(() => {
        noted[name] = performance.now(); noted[name + ' at'] = Date.now() }, 0)) };
    new MutationObserver(() => {
        const rows = document.querySelectorAll('[role=row][data-key]');
        if (!noted.first && rows.length >= %d) onScreen('first');
        if (!noted.all && document.querySelector('[role=grid]')?.getAttribute('aria-rowcount') > %d) onScreen('all');
        for (const row of rows) {
            const found = row.textContent.match(/arrive-\\d+/);
            if (found && !noted[found[0]] && row.textContent.includes('accepted')) onScreen(found[0]);
        }
    }).observe(document, { childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: ['aria-rowcount'] });
""" % (SCREENFUL, SESSIONS)


def watching(sink):
    visitor = browser.Visitor(sink.url)
    visitor.page.add_init_script(WATCH)
    visitor.page.goto(sink.url + "/")
    return visitor


def noted(visitor, name):
    visitor.page.wait_for_function("(name) => noted[name] > 0", arg=name)
    return visitor.page.evaluate("(name) => [noted[name], noted[name + ' at']]", name)


def spread(values):
    return {"median": statistics.median(values), "worst": max(values), "count": len(values)}


def first_view(rounds):
    """Milliseconds from the start of the navigation, each time with an empty cache."""
    first, everything = [], []
    with Sink(*bench.RECORDED, http="127.0.0.1:0") as sink:
        traffic.crowd(sink, SESSIONS)
        bench.quiet(sink.pid)
        for _ in range(rounds + 1):
            visitor = watching(sink)
            first.append(noted(visitor, "first")[0])
            everything.append(noted(visitor, "all")[0])
            visitor.close()
    return {"first": spread(first[1:]), "all": spread(everything[1:])}  # the first round warms the browser itself


def arrival(rounds):
    """Milliseconds from before the client connects until its session is on the screen with its verdict."""
    took = []
    dice = random.Random(1)
    with Sink(*bench.RECORDED, http="127.0.0.1:0") as sink:
        traffic.crowd(sink, SESSIONS)
        bench.quiet(sink.pid)
        visitor = watching(sink)
        noted(visitor, "all")
        for number in range(rounds):
            visitor.page.wait_for_timeout(dice.uniform(300, 700))  # at any moment of the page's own rhythm
            began = time.time() * 1000
            with wire.Wire(sink.port) as client:
                wire.hello(client)
                wire.deliver(client, sender=f"arrive-{number}@bench.test")
                client.ask("QUIT")
            took.append(noted(visitor, f"arrive-{number}")[1] - began)
        visitor.close()
    took.sort()
    return spread(took) | {"p95": took[int(len(took) * 0.95) - 1]}


def size():
    with Sink(*bench.RECORDED, http="127.0.0.1:0") as sink:
        each = {name: len(body) for name, _, _, body in files(sink.url)}
    return {"octets": sum(each.values()), "files": len(each), "largest": max(each, key=each.get), "largest_octets": max(each.values())}


def cost(rounds, scale):
    """The same work with the page open and closed. A round is closed, open, open, closed, so that a machine that becomes
    slower or faster meanwhile does it to both; a ratio is of one round."""
    figures = {}
    for name, kept, count in (("kept connections", True, 20_000), ("one connection a message", False, 8_000)):
        messages = max(bench.SESSIONS, int(count * scale))
        rows = {kind: {True: [], False: []} for kind in ("wall", "cpu")}
        with Sink(*bench.RECORDED, http="127.0.0.1:0") as sink:
            bench.source(sink.port, 2000, 1024, kept)
            bench.quiet(sink.pid)
            for number in range(rounds):
                took = {kind: {True: 0, False: 0} for kind in rows}
                for is_open in (False, True, True, False) if number % 2 == 0 else (True, False, False, True):
                    visitor = None
                    if is_open:
                        visitor = browser.Visitor(sink.url)
                        visitor.open()
                        visitor.page.wait_for_timeout(1500)  # it has drawn what is there
                    before = bench.cpu_s(sink.pid)
                    took["wall"][is_open] += bench.source(sink.port, messages, 1024, kept)
                    took["cpu"][is_open] += bench.cpu_s(sink.pid) - before
                    if visitor:
                        visitor.close()
                    bench.quiet(sink.pid)
                for kind, both in took.items():
                    for is_open, seconds in both.items():
                        rows[kind][is_open].append(seconds / 2 / messages * 1e6)
        figures[name] = {
            kind: {"ratio": statistics.median(a / b for a, b in zip(values[True], values[False])),
                   "open_us": statistics.median(values[True]), "closed_us": statistics.median(values[False])}
            for kind, values in rows.items()
        }
    return figures


def main():
    parser = argparse.ArgumentParser(description="Figures of the page as JSON, for bench.py.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    # What a browser says goes to standard error; standard output is for the figures.
    print(json.dumps({
        "first_view": first_view(options.rounds), "arrival": arrival(ARRIVALS), "size": size(), "cost": cost(options.rounds, options.scale),
    }))


if __name__ == "__main__":
    main()
