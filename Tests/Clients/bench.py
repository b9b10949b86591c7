# The figures of fakemx beside those of Postfix smtp-sink: same machine, same minutes, rounds interleaved, smtp-source as
# the client of both. Prints every figure with its target, and says "missed" where it is missed. Judges no test.

import argparse
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from sink import BINARY, ROOT, Sink

SESSIONS = 20
PATH = os.environ.get("PATH", "") + ":/usr/sbin"
QUIET = ("--transcript", "off", "--store", "none", "--no-magic")
RECORDED = ("--transcript", "off", "--store", "memory")
# The folder stands for a file of its own; what retention drops is part of the work.
FILED = ("--transcript", "off", "--store", "FOLDER/store.db")
UNJUDGED = ("--judge", "off")


class Peer:
    """smtp-sink, the measure."""

    def __init__(self, connections=256, dumps=False):
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="fakemx-bench-")
        # -D writes every transaction to a file (named by a time, so that all of them go into one).
        dump = ["-R", self.folder, "-D", "all."] if dumps else []
        if dumps:
            os.chmod(self.folder, 0o777)
        self.process = subprocess.Popen(
            [tool("smtp-sink"), "-u", "nobody", *dump, "-m", str(connections), f"127.0.0.1:{self.port}", "1024"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.pid = self.process.pid
        wait_port(self.port)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stderr.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def tool(name):
    found = shutil.which(name, path=PATH)
    if not found:
        sys.exit(f"bench: {name} is missing; run Scripts/setup --tests")
    return found


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_port(port):
    import socket
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.02)
    sys.exit("bench: smtp-sink does not listen")


def cpu_s(pid):
    """CPU time of the whole process, threads that ended too, in seconds (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


def quiet(pid, within_s=120):
    """Waits until the process does nothing: what it does behind the work (judging, say) is not charged to who comes next."""
    last, still = cpu_s(pid), 0
    for _ in range(int(within_s / 0.1)):
        time.sleep(0.1)
        now = cpu_s(pid)
        still = still + 1 if now - last < 0.002 else 0
        if still == 2:
            return
        last = now
    sys.exit(f"bench: the process is not quiet after {within_s} s")


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    raise RuntimeError("no VmRSS")


def source(port, messages, length, kept):
    """Wall time of one smtp-source run; `source.busy` is the share of a core that it needed itself."""
    command = [tool("smtp-source"), "-s", str(SESSIONS), "-m", str(messages), "-l", str(length)]
    command += ["-d"] if kept else []
    command += ["-f", "a@sender.test", "-t", "b@any.test", f"inet:127.0.0.1:{port}"]
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    took = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    source.busy = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / took
    if done.returncode != 0:
        sys.exit(f"bench: smtp-source failed: {done.stdout.decode('utf-8', 'replace')[-500:]}")
    return took


class Work:
    """One row: what is sent, to a fakemx with these arguments and to smtp-sink in turn."""

    def __init__(self, name, arguments, messages, length, kept, target):
        self.name, self.arguments, self.messages, self.length, self.kept = name, arguments, messages, length, kept
        self.target = target
        self.wall = {"fakemx": [], "smtp-sink": []}
        self.cpu = {"fakemx": [], "smtp-sink": []}
        # How much of a core the client itself needed: near 1, it is the client that sets the pace.
        self.busy = {"fakemx": [], "smtp-sink": []}

    def round(self, servers, number):
        for name in sorted(servers, reverse=number % 2 == 1):
            server = servers[name]
            before = cpu_s(server.pid)
            self.wall[name].append(source(server.port, self.messages, self.length, self.kept))
            self.cpu[name].append(cpu_s(server.pid) - before)
            self.busy[name].append(source.busy)
            if name == "fakemx":
                quiet(server.pid)

    def ratio(self, figures):
        """Of each round by itself: the two ran within seconds, while between rounds the machine itself drifts."""
        return statistics.median(ours / theirs for ours, theirs in zip(figures["fakemx"], figures["smtp-sink"]))

    def median(self, figures, name):
        return statistics.median(figures[name]) / self.messages * 1e6

    def pace(self, name):
        return f"{self.median(self.wall, name):.1f} µs a message, client {statistics.median(self.busy[name]):.0%} busy"


def throughput(rounds, scale):
    works = [
        Work("1 kB messages, kept connections, store none, transcript off", QUIET, 20000, 1024, True, 0.80),
        Work("the same, every session recorded in memory", RECORDED, 20000, 1024, True, 1.00),
        Work("1 kB, one connection a message", QUIET, 8000, 1024, False, 1.00),
        Work("200 kB messages, kept connections", QUIET, 1000, 200 * 1024, True, 0.20),
        Work("1 kB, kept connections, store in a file of SQLite", FILED, 20000, 1024, True, 1.50),
        Work("200 kB, kept connections, store in a file of SQLite", FILED, 1000, 200 * 1024, True, 0.50),
    ]
    for work in works:
        work.messages = max(SESSIONS, int(work.messages * scale))
    peer = Peer()
    dumping = Peer(dumps=True)
    folder = tempfile.mkdtemp(prefix="fakemx-bench-")
    sinks = {arguments: Sink(*[a.replace("FOLDER", folder) for a in arguments]) for arguments in {w.arguments for w in works}}
    dumped = {work.name: [] for work in works if work.arguments == FILED}
    try:
        for work in works:  # one unmeasured round: pages, caches, the branch predictor
            for server in (sinks[work.arguments], peer):
                source(server.port, max(SESSIONS, work.messages // 10), work.length, work.kept)
        for number in range(rounds):
            for work in works:
                work.round({"fakemx": sinks[work.arguments], "smtp-sink": peer}, number)
                if work.name in dumped:
                    dumped[work.name].append(source(dumping.port, work.messages, work.length, work.kept))
                print(f"round {number + 1}: {work.name}: fakemx {work.wall['fakemx'][-1]:.2f} s, "
                      f"smtp-sink {work.wall['smtp-sink'][-1]:.2f} s", file=sys.stderr)
    finally:
        peer.stop()
        dumping.stop()
        for server in sinks.values():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    rows = []
    for work in works:
        theirs = work.pace("smtp-sink")
        if work.name in dumped:
            theirs += f"; {statistics.median(dumped[work.name]) / work.messages * 1e6:.1f} µs with -D to a file"
        rows.append(Row(f"{work.name}: wall time, ratio", work.ratio(work.wall), work.target, "", work.pace("fakemx"), theirs))
    first = works[0]
    rows.append(Row("server CPU a message, 1 kB kept connections, ratio", first.ratio(first.cpu), 0.90, "",
                    f"{first.median(first.cpu, 'fakemx'):.1f} µs", f"{first.median(first.cpu, 'smtp-sink'):.1f} µs"))
    return rows


# Rules that match nobody: each phase of a message, and each way to be found or asked.
IDLE_RULES = [
    "rcpt to=*@d{0}.test: 550 5.1.1 No", "mail from=*@d{0}.test: 550 5.7.1 No", "rcpt to=user{0}@x.test: 452 4.2.2 Full",
    "end-of-data to=*@d{0}.test: 554 5.7.1 No", "connect client=198.51.{1}.{2}: 554 5.7.1 No",
    "ehlo helo=host{0}.test: 550 5.7.1 No", "data from=*@d{0}.test: 451 4.3.0 No",
    "rcpt to=*@g{0}.test greylist=5m..4h/36d per=client,from,to: 451 4.7.1 Greylisted",
    "mail from=*@l{0}.test limit=100/1h per=from-domain: 451 4.7.1 Later",
    "rcpt to=*@u{0}.test any(from=<> not(client=10.0.0.0/8)) 30%: use gmail/over-quota",
]


def idle_rules(count):
    lines = [IDLE_RULES[n % len(IDLE_RULES)].format(n, n // 250, n % 250) for n in range(count)]
    return [argument for line in lines for argument in ("--rule", line)]


def rules(rounds, scale):
    """Rules that never match, beside none: the same work, in turn. The catalogue is loaded in each."""
    counts = (0, 10, 1000)
    sinks = {count: Sink(*RECORDED, *idle_rules(count)) for count in counts}
    shapes = [("kept connections", True, max(SESSIONS, int(20000 * scale))),
              ("one connection a message", False, max(SESSIONS, int(8000 * scale)))]
    cpu = {(shape[0], count): [] for shape in shapes for count in counts}
    wall = {(shape[0], count): [] for shape in shapes for count in counts}
    try:
        for sink in sinks.values():
            source(sink.port, 2000, 1024, True)
        for number in range(rounds):
            for name, kept, messages in shapes:
                for count in sorted(counts, reverse=number % 2 == 1):
                    before = cpu_s(sinks[count].pid)
                    wall[name, count].append(source(sinks[count].port, messages, 1024, kept) / messages * 1e6)
                    cpu[name, count].append((cpu_s(sinks[count].pid) - before) / messages * 1e6)
                    quiet(sinks[count].pid)
    finally:
        for sink in sinks.values():
            sink.stop()
    rows = []
    for name, _, _ in shapes:
        for count in counts[1:]:
            for what, figures in (("wall time", wall), ("server CPU", cpu)):
                ours, none = statistics.median(figures[name, count]), statistics.median(figures[name, 0])
                rows.append(Row(f"{count:,} rules that match nobody, 1 kB, {name}: {what} against no rules", ours / none, 1.10, "",
                                f"{ours:.1f} µs a message", f"{none:.1f} µs without rules"))
    return rows


def judging(rounds, scale):
    """The same work with and without the judge, in turn; and what judging takes beside a hash of the same octets."""
    folder = tempfile.mkdtemp(prefix="fakemx-bench-")
    messages = max(SESSIONS, int(20000 * scale))
    rows = []
    try:
        for name, arguments in (("recorded in memory", RECORDED), ("store in a file of SQLite", FILED)):
            filled = {on: [a.replace("FOLDER/", f"{folder}/{on}-") for a in arguments] for on in (True, False)}
            sinks = {on: Sink(*filled[on], *(() if on else UNJUDGED)) for on in (True, False)}
            wall = {True: [], False: []}
            try:
                for on, sink in sinks.items():
                    source(sink.port, 2000, 1024, True)
                    quiet(sink.pid)
                for number in range(rounds):
                    for on in sorted(sinks, reverse=number % 2 == 1):
                        wall[on].append(source(sinks[on].port, messages, 1024, True) / messages * 1e6)
                        quiet(sinks[on].pid)
            finally:
                for sink in sinks.values():
                    sink.stop()
            ours, none = statistics.median(wall[True]), statistics.median(wall[False])
            rows.append(Row(f"1 kB, kept connections, {name}: wall time with the judge against --judge off", ours / none, 1.10, "",
                            f"{ours:.1f} µs a message", f"{none:.1f} µs with --judge off"))
        rows += judged_octets(max(100, int(2000 * scale)), 1024, "one session with a clean message of 1 kB", 100)
        rows += judged_octets(5, 10 << 20, "one session with a message of 10 MB", 50_000)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return rows


def clean_message(length):
    head = (b"From: Ann <ann@sender.example>\r\nTo: Bob <b@any.test>\r\nSubject: bench\r\nDate: Thu, 01 Jan 2026 10:00:00 +0000\r\n"
            b"Message-ID: <%d@sender.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n" % length)
    line = b"The quick brown fox jumps over the lazy dog, and so do all the others.\r\n"
    return head + line * max(1, (length - len(head)) // len(line))


def judged_octets(count, length, name, target_us):
    """Processor time of the judge for a session, by its own count, and as a ratio to SHA-256 of the message."""
    import hashlib
    import json
    import urllib.request
    import wire
    message = clean_message(length)
    with Sink(*RECORDED, http="127.0.0.1:0") as sink:
        def judging():
            quiet(sink.pid)
            return json.load(urllib.request.urlopen(f"{sink.url}/api/fakemx/info"))["judging"]

        def send(times):
            for _ in range(times):
                with wire.Wire(sink.port) as client:
                    wire.hello(client, "mail.sender.example")
                    if wire.deliver(client, message=message, sender="ann@sender.example")[-1].code != 250:
                        sys.exit("bench: a message to be judged was not taken")
                    client.ask("QUIT")
        send(max(1, count // 10))
        before = judging()
        send(count)
        after = judging()
    judged = after["sessions_judged"] - before["sessions_judged"]
    if judged != count or after["messages_left_out"]:
        sys.exit(f"bench: {judged} of {count} sessions were judged")
    each = (after["judging_us"] - before["judging_us"]) / count
    octets = message * count if length < 1 << 20 else message
    hashes = []
    for _ in range(7):
        began = time.process_time()
        hashlib.sha256(octets).digest()
        hashes.append((time.process_time() - began) * 1e6 / (len(octets) / len(message)))
    hashed = statistics.median(hashes)
    return [Row(f"judging {name}, processor time", each, target_us, " µs", f"{each / hashed:.1f} times SHA-256 of its octets ({hashed:.1f} µs)",
                "–")]


class Row:
    def __init__(self, name, figure, target, unit, ours, theirs):
        self.name, self.figure, self.target, self.unit, self.ours, self.theirs = name, figure, target, unit, ours, theirs

    def cells(self):
        figure = f"{self.figure:.2f}{self.unit}"
        if self.target is None:
            return (self.name, figure, "", "", self.ours, self.theirs)
        reached = "yes" if self.figure <= self.target else "missed"
        return (self.name, figure, f"≤ {self.target:g}{self.unit}", reached, self.ours, self.theirs)


def build_driver():
    binary = os.path.join(tempfile.mkdtemp(prefix="fakemx-load-"), "load")
    subprocess.run(["cc", "-O2", "-o", binary, os.path.join(ROOT, "Tests", "Clients", "load.c")], check=True)
    return binary


def idle_kib(driver, server, count):
    """Resident KiB a connection with `count` idle ones, and the rate at which others are served meanwhile."""
    source(server.port, 2000, 1024, True)
    alone = source(server.port, 4000, 1024, True)
    before = resident_kib(server.pid)
    load = subprocess.Popen([driver, "idle", str(server.port), str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    line = load.stdout.readline().decode()
    if not line.startswith("open"):
        sys.exit(f"bench: the idle driver ended with {load.wait()}")
    time.sleep(1)
    each = (resident_kib(server.pid) - before) / count
    meanwhile = source(server.port, 4000, 1024, True)
    load.stdin.close()
    alive = load.stdout.read().decode().strip()
    load.stdout.close()
    load.wait()
    if alive != f"alive {count}":
        sys.exit(f"bench: of {count} idle connections: {alive}")
    return each, 4000 / alone, 4000 / meanwhile


def idle(driver, count):
    peer = Peer(count + 1000)
    server = Sink(*RECORDED)
    try:
        ours, ours_alone, ours_meanwhile = idle_kib(driver, server, count)
        theirs, theirs_alone, theirs_meanwhile = idle_kib(driver, peer, count)
    finally:
        peer.stop()
        server.stop()
    return [Row(f"{count:,} idle connections, resident memory each", ours, 8, " KiB",
                f"{ours_meanwhile:,.0f} messages/s meanwhile, {ours_alone:,.0f} before",
                f"{theirs:.2f} KiB; {theirs_meanwhile:,.0f} messages/s meanwhile, {theirs_alone:,.0f} before")]


def lateness(driver, count, rounds):
    server = Sink(*RECORDED, "--rule", "rcpt: delay 1s")
    rows = []
    try:
        for spread_ms in (800, 0):
            runs = []
            for _ in range(rounds):
                line = subprocess.run([driver, "late", str(server.port), str(count), str(spread_ms), "1000"],
                                      check=True, stdout=subprocess.PIPE).stdout.decode().split()
                runs.append({line[i]: int(line[i + 1]) for i in range(0, len(line), 2)})
            middle = {key: statistics.median(run[key] for run in runs) for key in runs[0]}
            how = f"sent over {spread_ms} ms" if spread_ms else "all sent in one burst"
            rows.append(Row(f"{count:,} sessions in a delay of 1 s at once, {how}: lateness at p99", middle["p99_us"] / 1000,
                            5 if spread_ms else None, " ms",
                            f"p50 {middle['p50_us'] / 1000:.2f} ms, worst {middle['worst_us'] / 1000:.2f} ms, "
                            f"earliest {middle['first_us'] / 1000:.2f} ms, {middle['waited_at_once']:.0f} waited at once", "–"))
    finally:
        server.stop()
    return rows


def start(rounds):
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        process = subprocess.Popen([BINARY, "serve", "--smtp", "127.0.0.1:0", "--transcript", "off"],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        line = process.stdout.readline()
        times.append((time.perf_counter() - began) * 1000)
        process.kill()
        process.stdout.close()
        process.wait()
        if not line.startswith(b"ready"):
            sys.exit("bench: fakemx did not get ready")
    return [Row("start to ready, self-signed certificate", statistics.median(times), 50, " ms",
                f"slowest of {rounds}: {max(times):.1f} ms", "–")]


def main():
    import bench_page  # which need this module in turn
    import bench_store
    parser = argparse.ArgumentParser(prog="Scripts/bench", description="fakemx beside Postfix smtp-sink; see README.")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, interleaved (default 5)")
    parser.add_argument("--scale", type=float, default=1.0, help="times the number of messages (default 1)")
    parser.add_argument("--markdown", metavar="FILE", help="also write the table there")
    parser.add_argument("parts", nargs="*", help="some of: throughput rules judging idle lateness start waits lists files page (default all)")
    options = parser.parse_args()
    parts = options.parts or ["throughput", "rules", "judging", "idle", "lateness", "start", "waits", "lists", "files", "page"]
    driver = build_driver()
    busy = os.getloadavg()[0]
    rows = []
    try:
        if "throughput" in parts:
            rows += throughput(options.rounds, options.scale)
        if "rules" in parts:
            rows += rules(options.rounds, options.scale)
        if "judging" in parts:
            rows += judging(options.rounds, options.scale)
        if "idle" in parts:
            rows += idle(driver, 10000)
        if "lateness" in parts:
            rows += lateness(driver, 5000, min(options.rounds, 5))
        if "start" in parts:
            rows += start(max(20, options.rounds))
        if "waits" in parts:
            rows += bench_store.waits(options.rounds)
        if "lists" in parts:
            rows += bench_store.lists(max(1000, int(100_000 * options.scale)))
        if "files" in parts:
            rows += bench_store.files()
        if "page" in parts:
            rows += bench_page.page(options.rounds, options.scale)
    finally:
        shutil.rmtree(os.path.dirname(driver))
    head = ("work", "figure", "target", "reached", "fakemx", "smtp-sink")
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(row.cells()) + " |" for row in rows]
    where = f"Medians of {options.rounds} interleaved rounds, smtp-source with {SESSIONS} sessions, " \
            f"{os.cpu_count()} cores, Linux {platform.release()}. A ratio is fakemx divided by smtp-sink in the same round."
    if busy > 0.5:
        where += f" The machine was busy with other things (load {busy:.1f} at the start): run it again on a quiet one."
    table = "\n".join(lines)
    print(f"{table}\n\n{where}")
    if options.markdown:
        with open(options.markdown, "w") as file:
            file.write(f"{table}\n\n{where}\n")


if __name__ == "__main__":
    main()
