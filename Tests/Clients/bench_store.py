# Figures of what is kept and asked: how soon a wait returns, how quickly a list is made, how soon a large store is open,
# how much memory a store in a file takes. Called by bench.py.

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import bench
from sink import BINARY, Sink

WAITERS = 100


def configuration(folder, **retention):
    """A configuration that keeps more than it does by default."""
    path = os.path.join(folder, "bench.yaml")
    with open(path, "w") as file:
        file.write("retention:\n" + "".join(f"  {key.replace('_', '-')}: {value}\n" for key, value in retention.items()))
    return path


# --- waits ------------------------------------------------------------------------------------------------------------

async def wait_for(host, port, number):
    """The moment at which a wait for the message to uNUMBER was answered."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(f"GET /api/fakemx/wait?for=message&to=u{number}@any.test&timeout=60 HTTP/1.1\r\n"
                 f"Host: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
    head = await reader.readline()
    answered = time.monotonic()
    await reader.read()
    writer.close()
    if b" 200 " not in head:
        sys.exit(f"bench: a wait was answered with {head!r}")
    return answered


async def send_all(host, port, count, pace_s):
    """The moment at which each message's 250 came."""
    reader, writer = await asyncio.open_connection(host, port)

    async def say(line):
        if line:
            writer.write(line.encode() + b"\r\n")
        while True:
            reply = await reader.readline()
            if reply[3:4] != b"-":
                return reply
    await say(None)
    await say("EHLO bench.test")
    stored = []
    for number in range(count):
        await say("MAIL FROM:<a@any.test>")
        await say(f"RCPT TO:<u{number}@any.test>")
        await say("DATA")
        reply = await say("Subject: bench\r\n\r\nHello\r\n.")
        stored.append(time.monotonic())
        if not reply.startswith(b"250"):
            sys.exit(f"bench: {reply!r}")
        await asyncio.sleep(pace_s)
    writer.close()
    return stored


async def lateness(smtp, http):
    waits = [asyncio.create_task(wait_for("127.0.0.1", http, number)) for number in range(WAITERS)]
    while json.load(urllib.request.urlopen(f"http://127.0.0.1:{http}/api/fakemx/info"))["waiting"] < WAITERS:
        await asyncio.sleep(0.01)
    stored = await send_all("127.0.0.1", smtp, WAITERS, 0.003)
    answered = [await wait for wait in waits]
    # What was answered before the client of the message had its 250 in hand was not late at all.
    return [max(0, (a - s) * 1000) for a, s in zip(answered, stored)]


def waits(rounds):
    late = []
    with Sink("--transcript", "off", http="127.0.0.1:0") as sink:
        http = int(sink.url.rsplit(":", 1)[1])
        for _ in range(rounds):
            late += asyncio.run(lateness(sink.port, http))
            urllib.request.urlopen(urllib.request.Request(f"{sink.url}/api/fakemx/reset", method="POST")).read()
    late.sort()
    return [bench.Row(f"a wait returns behind the reply that fulfils it, {WAITERS} waiters, p99", late[int(len(late) * 0.99)], 5,
                      " ms", f"median {statistics.median(late):.2f} ms, worst {late[-1]:.2f} ms", "–")]


# --- lists ------------------------------------------------------------------------------------------------------------

def lists(count):
    rows = []
    for store in ("memory", "file"):
        folder = tempfile.mkdtemp(prefix="fakemx-bench-")
        kept = configuration(folder, sessions=2 * count, session_octets="4GiB", messages=100)
        path = "memory" if store == "memory" else os.path.join(folder, "store.db")
        try:
            with Sink("--transcript", "off", "--store", path, "--config", kept, http="127.0.0.1:0") as sink:
                bench.source(sink.port, count // 2, 100, False)
                for number in range(100):
                    one(sink.port, f"rare{number % 2}@any.test")
                bench.source(sink.port, count // 2, 100, False)
                if store == "file":
                    settle(sink)
                for to, what in (("b@any.test", "every session has"), ("rare1@any.test", "50 sessions have")):
                    took = [timed(f"{sink.url}/api/fakemx/sessions?limit=50&to={to}") for _ in range(41)]
                    rows.append(bench.Row(f"50 of {count:,} sessions in a store in {store}, filtered by a recipient that {what}, "
                                          f"median", statistics.median(took), 10, " ms", f"slowest {max(took):.1f} ms", "–"))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return rows


def one(port, to):
    subprocess.run([bench.tool("smtp-source"), "-m", "1", "-l", "100", "-f", "a@sender.test", "-t", to,
                    f"inet:127.0.0.1:{port}"], check=True, stdout=subprocess.DEVNULL)


def settle(sink):
    """Waits until a store in a file has filled its indexes: its process is quiet."""
    time.sleep(3)  # filling begins when nothing has come for a second
    last = bench.cpu_s(sink.pid)
    for _ in range(120):
        time.sleep(1.5)
        now = bench.cpu_s(sink.pid)
        if now - last < 0.02:
            return
        last = now
    sys.exit("bench: the indexes are not filled after three minutes")


def timed(url):
    began = time.perf_counter()
    urllib.request.urlopen(url).read()
    return (time.perf_counter() - began) * 1000


# --- files ------------------------------------------------------------------------------------------------------------

def files():
    folder = tempfile.mkdtemp(prefix="fakemx-bench-")
    path = os.path.join(folder, "large.db")
    kept = configuration(folder, messages=1_000_000, message_octets="4GiB")
    arguments = ("--transcript", "off", "--store", path, "--config", kept)
    try:
        with Sink(*arguments) as sink:
            bench.source(sink.port, 5250, 200 * 1024, True)
        size = os.path.getsize(path) + os.path.getsize(path + "-bodies")
        took = []
        for _ in range(7):
            sink = Sink(*arguments, http="127.0.0.1:0")
            took.append(sink.start_ms)
            sink.stop()
        rows = [bench.Row(f"start to ready with a store of {size / 1e9:.2f} GB", statistics.median(took), 200, " ms",
                          f"slowest {max(took):.0f} ms", "–")]
        for name in (path, path + "-bodies"):
            os.remove(name)
        with Sink(*arguments, http="127.0.0.1:0") as sink:
            bench.source(sink.port, 100_000, 1024, True)
            at_once = sink.resident_kib() / 1024
            settle(sink)
            rows.append(bench.Row("resident memory after 100,000 messages of 1 kB into a file", sink.resident_kib() / 1024, 100,
                                  " MiB", f"when it is quiet; {at_once:.0f} MiB as the last sessions ended", "–"))
        return rows
    finally:
        shutil.rmtree(folder, ignore_errors=True)
