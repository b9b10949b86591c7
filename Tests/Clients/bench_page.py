# Figures of the page, taken in Chromium by Tests/Browser/figures.py with a Python of its own. Called by bench.py.

import json
import os
import subprocess
import sys

from bench import Row
from sink import ROOT

PYTHON = os.path.join(ROOT, ".build", "python", "browser", "bin", "python")


def page(rounds, scale):
    if not os.path.exists(PYTHON):
        sys.exit("bench: the page's browser is missing; run Scripts/setup --tests")
    done = subprocess.run([PYTHON, os.path.join(ROOT, "Tests", "Browser", "figures.py"), "--rounds", str(rounds), "--scale", str(scale)],
                          stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit("bench: the page's figures could not be taken: see above")
    said = json.loads(done.stdout)
    first, everything, arrival, size = said["first_view"]["first"], said["first_view"]["all"], said["arrival"], said["size"]
    rows = [
        Row("the page: first view of 10,000 sessions drawn, cold cache", first["median"], 500, " ms",
            f"slowest of {first['count']}: {first['worst']:.0f} ms; all 10,000 in the list after {everything['median']:.0f} ms", "–"),
        Row("the page: from a client's connection to its session on the screen, with its verdict, at p95", arrival["p95"], 200, " ms",
            f"median {arrival['median']:.0f} ms, worst of {arrival['count']}: {arrival['worst']:.0f} ms", "–"),
        Row("the page: size of all its files", size["octets"] / 1000, 300, " kB",
            f"{size['files']} files; largest {size['largest']}, {size['largest_octets'] / 1000:.0f} kB", "–"),
    ]
    for name, kinds in said["cost"].items():
        for kind, words in (("wall", "wall time"), ("cpu", "server CPU")):
            figures = kinds[kind]
            rows.append(Row(f"1 kB, {name}: {words} with the page open against closed", figures["ratio"], 1.05 if kind == "wall" else None, "",
                            f"{figures['open_us']:.1f} µs a message", f"{figures['closed_us']:.1f} µs with the page closed"))
    return rows
