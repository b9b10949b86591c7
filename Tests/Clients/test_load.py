# Many ask while much arrives: 200 waits in 50 spaces and 20 streams, of which half are never read, beside 2,000 messages a
# second. Nothing is lost, everybody is answered, and memory stays within its bounds. Prints what was reached.
# Senders and readers are processes of their own: one interpreter would be what is measured.

import json
import multiprocessing
import re
import selectors
import socket
import time
import unittest

from api import API
from sink import Sink

RATE = 2_000         # messages a second, all senders together
SECONDS = 12
SENDERS = 2
PER_SESSION = 500
SPACES = 50
WAITS = 150          # for one message each
SPACE_COUNT = 20     # and one wait in each space for so many
READERS = 10
SLEEPERS = 10
MEMORY_MIB = 300
SLOWEST_SHARE = 0.8  # of the rate, below which the load was none
TOTAL = RATE * SECONDS
FORK = multiprocessing.get_context("fork")


def address(number):
    return f"u{number}@s{number % SPACES}.test"


def connect(port, receives=None):
    client = socket.socket()
    if receives:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
    client.settimeout(30)
    client.connect(("127.0.0.1", port))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client


def send_mail(port, first, begin, told):
    """Every SENDERS-th message from `first` on, in step with the rate; tells when each got its 250."""
    numbers, answered, late_s = range(first, TOTAL, SENDERS), {}, 0.0
    client = replies = None
    for count, number in enumerate(numbers):
        if count % PER_SESSION == 0:
            if client:
                client.sendall(b"QUIT\r\n")
                replies.readline()
                client.close()
            client = connect(port)
            replies = client.makefile("rb")
            replies.readline()
            client.sendall(b"EHLO load.example\r\n")
            while replies.readline()[3:4] == b"-":
                pass
        due = begin + number / RATE
        now = time.monotonic()
        if now < due:
            time.sleep(due - now)
        else:
            late_s = max(late_s, now - due)
        client.sendall(b"MAIL FROM:<a@load.example>\r\nRCPT TO:<%s>\r\nDATA\r\n" % address(number).encode())
        codes = [replies.readline()[:3] for _ in range(3)]
        client.sendall(b"From: a@load.example\r\nSubject: %d\r\n\r\nhello\r\n.\r\n" % number)
        codes.append(replies.readline()[:3])
        if codes != [b"250", b"250", b"354", b"250"]:
            told.put(("trouble", number, codes))
            return
        answered[number] = time.monotonic()
    client.sendall(b"QUIT\r\n")
    replies.readline()
    told.put(("sent", answered, late_s))


def read_streams(port, ready, told):
    """READERS streams, to the last message of the load each; tells what came, by reader."""
    selector = selectors.DefaultSelector()
    streams = {}
    for index in range(READERS):
        client = connect(port)
        client.sendall(b"GET /api/fakemx/events?kind=message HTTP/1.1\r\nHost: localhost\r\n\r\n")
        streams[client] = []
        selector.register(client, selectors.EVENT_READ)
    ready.set()
    came, deadline = {client: 0 for client in streams}, time.monotonic() + SECONDS + 40
    while time.monotonic() < deadline and any(count < TOTAL for count in came.values()):
        for key, _ in selector.select(1):
            octets = key.fileobj.recv(1 << 18)
            if not octets:
                selector.unregister(key.fileobj)
                continue
            streams[key.fileobj].append(octets)
            came[key.fileobj] += octets.count(b"event: message\n")
    told.put([[m.decode() for m in re.findall(rb'"message":"(s\d+\.\d+)"', unchunked(b"".join(parts)))] for parts in streams.values()])


def unchunked(octets):
    """The body of an answer in chunks (RFC 9112 §7.1)."""
    _, rest = octets.split(b"\r\n\r\n", 1)
    body, at = [], 0
    while (end := rest.find(b"\r\n", at)) >= 0:
        length = int(rest[at:end], 16)
        body.append(rest[end + 2:end + 2 + length])
        at = end + 2 + length + 2
    return b"".join(body)


class Load(unittest.TestCase):
    def ask(self, port, query):
        client = connect(port)
        client.sendall(f"GET /api/fakemx/wait?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        return client

    def test_many_ask_while_much_arrives(self):
        with Sink(transcript="off", http="127.0.0.1:0") as sink:
            api = API(sink.url, patience_s=30)
            at_rest = sink.resident_kib() >> 10
            told, streams, ready = FORK.Queue(), FORK.Queue(), FORK.Event()
            reader = FORK.Process(target=read_streams, args=(api.port, ready, streams), daemon=True)
            reader.start()
            sleepers = [connect(api.port, 4096) for _ in range(SLEEPERS)]
            for sleeper in sleepers:
                sleeper.sendall(b"GET /api/fakemx/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            waits = {}
            for index in range(WAITS):
                number = TOTAL // WAITS * index + index % SPACES
                waits[self.ask(api.port, f"for=message&to={address(number)}&timeout=60")] = ("one", number)
            for space in range(SPACES):
                waits[self.ask(api.port, f"for=message&space=s{space}&count={SPACE_COUNT}&timeout=60")] = ("space", space)
            self.assertTrue(ready.wait(20))
            api.until(lambda info: info["waiting"] == READERS + SLEEPERS + len(waits), 20)

            begin = time.monotonic() + 0.5
            senders = [FORK.Process(target=send_mail, args=(sink.port, n, begin, told), daemon=True) for n in range(SENDERS)]
            [sender.start() for sender in senders]
            answers, most, slowest = self.collect(waits, sink, api, begin + SECONDS + 30)
            sent, late_s = {}, 0
            for _ in senders:
                kind, what, more = told.get(timeout=60)
                self.assertEqual(kind, "sent", (what, more))
                sent.update(what)
                late_s = max(late_s, more)
            took = max(sent.values()) - begin
            rate = len(sent) / took
            read = streams.get(timeout=60)
            most = max(most, sink.resident_kib() >> 10)
            info = api.info()
            lags = sorted(answers[socket_][0] - sent[what[1]] for socket_, what in waits.items() if what[0] == "one" and socket_ in answers)
            print(f"\n      {len(sent)} messages in {took:.1f} s: {rate:.0f} a second, at most {late_s * 1000:.0f} ms late; memory {at_rest} MiB at rest, "
                  f"{most} MiB at most; a wait was answered {lags[len(lags) // 2] * 1000:.1f} ms behind the 250 (median), "
                  f"{lags[int(len(lags) * 0.99)] * 1000:.1f} ms (p99); info took {slowest * 1000:.0f} ms at most")
            for sleeper in sleepers:
                sleeper.close()
            reader.join(10)
            [sender.join(10) for sender in senders]

            self.assertEqual(len(sent), TOTAL)
            self.assertGreater(rate, RATE * SLOWEST_SHARE, "the load was not reached; nothing was tested")
            self.assertEqual(info["messages"]["ever"], TOTAL)
            self.assertEqual(info["chronicle"]["events_left_out"], 0)
            self.assertEqual(len(answers), len(waits), "waits without an answer")
            for client, (kind, what) in waits.items():
                status, found = answers[client][1:]
                self.assertEqual((status, found["fulfilled"]), (200, True), (kind, what, found.get("count")))
                if kind == "one":
                    self.assertEqual([m["to"] for m in found["messages"]], [[address(what)]])
                else:
                    self.assertEqual({m["to"][0].split("@")[1] for m in found["messages"]}, {f"s{what}.test"})
                    self.assertEqual(len({m["id"] for m in found["messages"]}), SPACE_COUNT)
            for index, messages in enumerate(read):
                self.assertEqual((len(messages), len(set(messages))), (TOTAL, TOTAL), f"reader {index}")
                last = {}
                for message in messages:
                    session, _, number = message.partition(".")
                    self.assertEqual(int(number), last.get(session, 0) + 1, f"reader {index}: {message} is out of its order")
                    last[session] = int(number)
            self.assertLess(most, MEMORY_MIB)
            api.until(lambda info: info["waiting"] == 0, 10)

    def collect(self, waits, sink, api, deadline):
        """Reads the answers as they come. Returns them with their times, the most memory and the slowest question beside it."""
        selector, parts = selectors.DefaultSelector(), {client: [] for client in waits}
        for client in waits:
            selector.register(client, selectors.EVENT_READ)
        answers, first, most, slowest, look = {}, {}, 0, 0, 0
        while len(answers) < len(waits) and time.monotonic() < deadline:
            for key, _ in selector.select(0.1):
                client = key.fileobj
                first.setdefault(client, time.monotonic())
                octets = client.recv(1 << 18)
                if octets:
                    parts[client].append(octets)
                    continue
                selector.unregister(client)
                client.close()
                top, body = b"".join(parts[client]).split(b"\r\n\r\n", 1)
                answers[client] = (first[client], int(top.split()[1]), json.loads(body))
            if time.monotonic() > look:
                look = time.monotonic() + 0.5
                most = max(most, sink.resident_kib() >> 10)
                began = time.monotonic()
                api.info()
                slowest = max(slowest, time.monotonic() - began)
        return answers, most, slowest


if __name__ == "__main__":
    unittest.main()
