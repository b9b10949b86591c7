# Kill tests: SIGTERM with sessions open in all phases, SIGHUP under load, thousands of connections dropped at random
# points. Nothing may leak, hang, or lose a session.

import os
import random
import select
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import wire
from sink import BINARY, ROOT, Sink, verdicts
from wire import Wire

STOP_LIMIT_S = 5
DROPPED = 20_000
AT_ONCE = 200
MEMORY_SLACK = 1.10


class Terminating(unittest.TestCase):
    def open_everywhere(self, sink, count):
        """`count` sessions, spread over every place where one can stand."""
        places = ["greeted", "ehlo", "half-line", "mail", "rcpt", "data", "in-body", "tls", "tls-mail", "handshake", "stalled", "delayed"]
        crowd = []
        for number in range(count):
            place = places[number % len(places)]
            client = Wire(sink.port)
            assert client.reply().code == 220
            if place not in ("greeted",):
                client.ask(f"EHLO {place}.test")
            if place in ("tls", "tls-mail"):
                client.upgrade()
                client.ask(f"EHLO {place}.test")
            if place == "handshake":
                client.ask("STARTTLS")
            if place == "half-line":
                client.send(b"MAIL FR")
            if place in ("mail", "rcpt", "data", "in-body", "tls-mail", "stalled", "delayed"):
                client.ask("MAIL FROM:<a@s.test>")
            if place in ("rcpt", "data", "in-body"):
                client.ask("RCPT TO:<b@any.test>")
            if place in ("data", "in-body"):
                client.ask("DATA")
            if place == "in-body":
                client.send(b"Subject: half\r\n\r\nhalf")
            if place in ("stalled", "delayed"):
                client.say(f"RCPT TO:<{place}@any.test>")
            crowd.append((place, client))
        return crowd

    def test_sigterm_with_200_sessions_in_all_phases(self):
        rules = ("--rule", "rcpt to=stalled@any.test: stall", "--rule", "rcpt to=delayed@any.test: delay 60s")
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number), Sink(*rules) as sink:
                crowd = self.open_everywhere(sink, 200)
                time.sleep(0.2)
                started = time.monotonic()
                sink.signal(number)
                seen = {}
                for place, client in crowd:
                    if place == "handshake":
                        end = client.end(STOP_LIMIT_S + 1)
                        seen.setdefault(place, set()).add(end)
                        continue
                    answer = client.reply(STOP_LIMIT_S + 1)
                    seen.setdefault(place, set()).add(answer.code or answer.kind)
                status = sink.process.wait(STOP_LIMIT_S + 5)
                took = time.monotonic() - started
                for _, client in crowd:
                    client.close()
                self.assertEqual(status, 0)
                self.assertLess(took, STOP_LIMIT_S + 0.7)
                for place in ("greeted", "ehlo", "mail", "rcpt", "tls", "tls-mail"):
                    self.assertEqual(seen[place], {421}, f"{place}: {seen}")
                sink.reader.join(5)
                self.assertEqual(len(sink.records), 200, "sessions lost from the transcript")
                self.assertTrue(all(s["ended_by"] == "shutdown" for s in sink.records),
                                {s["ended_by"] for s in sink.records})

    def test_sigterm_lets_a_message_that_is_arriving_finish(self):
        with Sink() as sink:
            with Wire(sink.port) as client:
                wire.hello(client)
                for line in ("MAIL FROM:<a@s.test>", "RCPT TO:<b@any.test>", "DATA"):
                    client.ask(line)
                client.send(b"Subject: late\r\n\r\nfirst half ")
                sink.signal(signal.SIGTERM)
                time.sleep(0.3)
                self.assertEqual(client.send(b"second half\r\n.\r\n").reply().code, 250)
                self.assertIn(client.reply().code, (421, None))
            self.assertEqual(sink.process.wait(STOP_LIMIT_S + 1), 0)
            sink.reader.join(5)
            self.assertEqual(verdicts(sink.records[0]), ["accepted"])

    def test_sigterm_refuses_new_connections_at_once(self):
        with Sink() as sink:
            holder = Wire(sink.port)
            holder.reply()
            holder.ask("EHLO a.test")
            for line in ("MAIL FROM:<a@s.test>", "RCPT TO:<b@any.test>", "DATA"):
                holder.ask(line)
            sink.signal(signal.SIGTERM)
            time.sleep(0.3)
            with self.assertRaises(OSError):
                socket.create_connection(("127.0.0.1", sink.port), 1)
            holder.close()
            self.assertEqual(sink.process.wait(STOP_LIMIT_S + 1), 0)


    def test_a_signal_right_behind_the_ready_line_is_not_lost(self):
        """Whoever waits for the ready line may stop the sink at once."""
        for number in range(60):
            process = subprocess.Popen([BINARY, "serve", "--smtp", "127.0.0.1:0", "--transcript", "off"], cwd=ROOT,
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            try:
                self.assertTrue(process.stdout.readline().startswith(b"ready "))
                process.send_signal(signal.SIGTERM)
                try:
                    self.assertEqual(process.wait(3), 0)
                except subprocess.TimeoutExpired:
                    self.fail(f"SIGTERM was lost in start {number + 1}")
            finally:
                process.kill()
                process.wait()
                process.stdout.close()


class Reloading(unittest.TestCase):
    def test_sighup_under_load(self):
        """New rules act for new sessions, a broken file is refused with its place, no session is lost or broken."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            def write(text):
                file.seek(0)
                file.truncate()
                file.write(text)
                file.flush()

            rule = "rules:\n  - name: %s\n    at: vrfy\n    do: [ \"%s\" ]\n"
            write(rule % ("first", "252 2.0.0 first rules"))
            with Sink("--config", file.name) as sink:
                ending, failures, done = threading.Event(), [], [0]

                def work():
                    while not ending.is_set():
                        try:
                            with Wire(sink.port) as client:
                                wire.hello(client, "load.test")
                                codes = [seen.code for seen in wire.deliver(client)]
                                if codes != [250, 250, 354, 250] or client.ask("QUIT").code != 221:
                                    failures.append(codes)
                                done[0] += 1
                        except (OSError, AssertionError) as error:
                            failures.append(repr(error))

                workers = [threading.Thread(target=work) for _ in range(8)]
                for worker in workers:
                    worker.start()

                def vrfy(client=None):
                    if client:
                        return client.ask("VRFY x").lines[0]
                    with Wire(sink.port) as fresh:
                        wire.hello(fresh, "vrfy.test")
                        return fresh.ask("VRFY x").lines[0]

                def becomes(text):
                    deadline = time.monotonic() + 5
                    while text not in vrfy():
                        self.assertLess(time.monotonic(), deadline, f"{text!r} never took effect: {vrfy()}")
                        time.sleep(0.05)

                try:
                    self.assertIn("first rules", vrfy())
                    old = Wire(sink.port)
                    wire.hello(old, "old.test")
                    write(rule % ("second", "252 2.0.0 second rules"))
                    sink.signal(signal.SIGHUP)
                    becomes("second rules")
                    self.assertIn("first rules", vrfy(old), "an open session keeps what it started with")
                    write("rules:\n  - name: broken\n    at: vrfi\n    do: [ close ]\n")
                    sink.signal(signal.SIGHUP)
                    sink.wait_line(f"{file.name}:3:")
                    self.assertIn("vrfy", sink.error_text().split(f"{file.name}:3:")[1], "no suggestion")
                    self.assertIn("second rules", vrfy())
                    write("rules: [ this is not yaml\n")
                    sink.signal(signal.SIGHUP)
                    time.sleep(0.3)
                    self.assertIn("second rules", vrfy())
                    for turn in range(20):
                        write(rule % ("turn", f"252 2.0.0 turn {turn}"))
                        sink.signal(signal.SIGHUP)
                        time.sleep(0.02)
                    becomes("turn 19")
                    self.assertIn("first rules", vrfy(old))
                    old.close()
                finally:
                    ending.set()
                    for worker in workers:
                        worker.join(20)
                self.assertEqual(failures, [])
                self.assertGreater(done[0], 50)
                sessions = sink.sessions(done[0], where=lambda s: s.get("helo") == "load.test")
                self.assertEqual(len(sessions), done[0])
                self.assertTrue(all(verdicts(s) == ["accepted"] and s["ended_by"] == "quit" for s in sessions))
                self.assertEqual(sink.stop(), 0)


class Dropping(unittest.TestCase):
    """20,000 connections, each cut at a random octet of a session, with FIN or RST."""

    TALK = (b"EHLO drop.test\r\nMAIL FROM:<a@s.test>\r\nRCPT TO:<b@any.test>\r\nRCPT TO:<eod-delay-1s@any.test>\r\nDATA\r\n"
            + wire.MESSAGE * 20 + b".\r\nMAIL FROM:<a@s.test>\r\nBDAT 50\r\n" + b"x" * 30)

    def drop(self, port, count, dice):
        epoll = select.epoll()
        open_now, started, deadline = {}, 0, time.monotonic() + 300
        while (started < count or open_now) and time.monotonic() < deadline:
            while started < count and len(open_now) < AT_ONCE:
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
                started += 1
                open_now[client.fileno()] = (client, dice.randrange(0, len(self.TALK) + 1), dice.random())
                epoll.register(client.fileno(), select.EPOLLOUT)
            for number, _ in epoll.poll(1):
                client, cut, how = open_now.pop(number)
                epoll.unregister(number)
                try:
                    if how < 0.5 and cut > 40:
                        client.send(self.TALK[:cut // 2])
                        client.send(self.TALK[cut // 2:cut])
                    elif cut:
                        client.send(self.TALK[:cut])
                    if how < 0.2:
                        client.recv(4096)
                except OSError:
                    pass
                if how > 0.6:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
        epoll.close()
        self.assertEqual((started, len(open_now)), (count, 0), "the sink stopped accepting")

    def idle(self, sink):
        """How many descriptors a sink holds that has served one client."""
        with Wire(sink.port) as client:
            wire.hello(client)
            client.ask("QUIT")
            client.end()
        time.sleep(0.3)
        return sink.descriptors()

    def settle(self, sink, descriptors):
        deadline = time.monotonic() + 20
        while sink.descriptors() > descriptors and time.monotonic() < deadline:
            time.sleep(0.1)

    def test_20_000_dropped_connections_leak_nothing(self):
        # Sessions are kept in a bounded ring: it is filled first, so that what grows later is a leak.
        with Sink("--transcript", "off", "--store", "none", smtps=1) as sink:
            idle = self.idle(sink)
            dice = random.Random(20_000)
            self.drop(sink.port, 3000, dice)
            self.settle(sink, idle)
            before = sink.resident_kib()
            self.drop(sink.port, DROPPED, dice)
            self.settle(sink, idle)
            self.assertEqual(sink.descriptors(), idle, os.listdir(f"/proc/{sink.pid}/fd"))
            deadline = time.monotonic() + 10
            while sink.resident_kib() > before * MEMORY_SLACK and time.monotonic() < deadline:
                time.sleep(0.2)
            self.assertLessEqual(sink.resident_kib(), before * MEMORY_SLACK, f"before: {before} KiB")
            with Wire(sink.port) as client:
                wire.hello(client)
                self.assertEqual(wire.deliver(client)[-1].code, 250)
                client.ask("QUIT")
            self.assertEqual(sink.stop(), 0)

    def test_the_ring_of_recorded_sessions_is_bounded(self):
        with Sink("--transcript", "off", "--store", "memory") as sink:
            idle = self.idle(sink)
            dice = random.Random(7)
            self.drop(sink.port, 10_500, dice)  # 10,000 sessions are kept: from here on each takes the place of another
            self.settle(sink, idle)
            before = sink.resident_kib()
            self.drop(sink.port, 6000, dice)
            self.settle(sink, idle)
            self.assertEqual(sink.descriptors(), idle)
            self.assertLessEqual(sink.resident_kib(), before * 1.25, f"before: {before} KiB")

    def test_3000_connections_dropped_inside_tls_leak_nothing(self):
        with Sink("--transcript", "off", "--store", "none", smtps=1) as sink:
            def run(count, dice):
                for _ in range(count):
                    client = Wire(sink.tls_port)
                    how = dice.random()
                    if how < 0.3:
                        client.send(bytes.fromhex("1603010200") + os.urandom(dice.randrange(1, 400)))
                    elif how < 0.9:
                        client.start_tls()
                        client.send(self.TALK[:dice.randrange(1, len(self.TALK))])
                    client.abort() if dice.random() < 0.5 else client.close()

            idle = self.idle(sink)
            run(500, random.Random(1))
            self.settle(sink, idle)
            before = sink.resident_kib()
            run(2500, random.Random(2))
            self.settle(sink, idle)
            self.assertEqual(sink.descriptors(), idle)
            self.assertLessEqual(sink.resident_kib(), before * MEMORY_SLACK, f"before: {before} KiB")


if __name__ == "__main__":
    unittest.main()
