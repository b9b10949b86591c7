# Faults inside the content, by DATA and by BDAT in chunks, in clear and in TLS: what the client sees at the octet that
# was asked for, that the dialogue stays in step behind it, and that slow or no reading costs bounded memory.

import ssl
import tempfile
import time
import unittest

import wire
from sink import Sink, verdicts
from wire import Wire

LINE = b"x" * 78 + b"\r\n"
ENVELOPE = b"MAIL FROM:<a@s.test>\r\nRCPT TO:<b@any.test>\r\n"
OFFSET = 2500
CHUNKS = (2000, 2000, 480)
WAYS = ("DATA", "BDAT")
# While the window is full, not one octet may go for so long.
STILL_S = 1
BLOCKED = (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError)
KIB_PER_MB = 1000


def octets(count):
    """Content of `count` octets, a multiple of a line's."""
    assert count % len(LINE) == 0, count
    return LINE * (count // len(LINE))


def pipelined(way):
    """A transaction of more than OFFSET octets, with NOOP and VRFY behind it, in one piece."""
    if way == "DATA":
        body = b"DATA\r\n" + octets(sum(CHUNKS)) + b".\r\n"
    else:
        body = b"".join(b"BDAT %d%s\r\n%s" % (count, b" LAST" if count == CHUNKS[-1] else b"", octets(count)) for count in CHUNKS)
    return ENVELOPE + body + b"NOOP\r\nVRFY someone\r\n"


def codes(client, count):
    return [seen.code or seen.kind for seen in (client.reply() for _ in range(count))]


def fill_window(client, limit_s=15):
    """Sends until nothing has gone for STILL_S; returns the octets sent, or None when the peer took everything."""
    client.socket.setblocking(False)
    began = moved = time.monotonic()
    sent = 0
    while time.monotonic() - began < limit_s:
        try:
            sent += client.socket.send(LINE * 200)
            moved = time.monotonic()
        except BLOCKED:
            if time.monotonic() - moved >= STILL_S:
                return sent
            time.sleep(0.01)
    return None


class InsideTheBody(unittest.TestCase):
    def each(self, action):
        """Sends the transaction each way; yields the client behind the greeting and how the content went."""
        with Sink("--rule", f"body size=>={OFFSET}: {action}", smtps=1) as self.sink:
            for tls in (False, True):
                for way in WAYS:
                    with self.subTest(action=action, tls=tls, way=way):
                        with Wire(self.sink.tls_port if tls else self.sink.port, tls) as client:
                            wire.hello(client)
                            client.send(pipelined(way))
                            yield client, way

    # What is answered before the fault: MAIL, RCPT, and DATA or the first chunk.
    BEFORE = {"DATA": [250, 250, 354], "BDAT": [250, 250, 250]}

    def test_a_reply_inside_the_body_is_said_once_and_the_dialogue_stays_in_step(self):
        for action, code in (("552 5.3.4 Too big", 552), ("451 4.3.0 Not now", 451)):
            for client, way in self.each(action):
                # RFC 3030 §2: each BDAT is answered and its octets are read, also behind one that failed.
                after = {"DATA": [code], "BDAT": [code, 503]}[way] + [250, 252]
                self.assertEqual(codes(client, len(self.BEFORE[way] + after)), self.BEFORE[way] + after)
                seen = wire.deliver(client, sender="again@s.test", message=b"Subject: small\r\n\r\nsmall\r\n")
                self.assertEqual([s.code for s in seen], [250, 250, 354, 250])
                self.assertEqual(client.ask("QUIT").code, 221)
            for session in self.sink.sessions(4):
                self.assertEqual(verdicts(session), ["rejected" if code > 500 else "deferred", "accepted"], session)

    def test_the_reply_comes_at_the_octet_and_not_before(self):
        for tls in (False, True):
            with self.subTest(tls=tls), Sink("--rule", "body size=>=2400: 552 5.3.4 Too big", smtps=1) as sink:
                with Wire(sink.tls_port if tls else sink.port, tls) as client:
                    wire.hello(client)
                    client.send(ENVELOPE + b"DATA\r\n" + octets(2400)[:-1])
                    self.assertEqual(codes(client, 3), [250, 250, 354])
                    self.assertEqual(client.reply(0.3).kind, "silence")
                    client.send(b"\n")
                    self.assertEqual(client.reply().code, 552)
                    client.send(octets(80_000) + b".\r\nNOOP\r\n")
                    self.assertEqual(client.reply().code, 250)

    def test_a_reply_and_a_close_inside_the_body_reach_the_client(self):
        for action, code, verdict in (("552 5.3.4 Too big, close", 552, "rejected"), ("421 4.3.2 Stopping", 421, "deferred")):
            for client, way in self.each(action):
                self.assertEqual(codes(client, 4), self.BEFORE[way] + [code])
                self.assertEqual(client.end(), "closed")
            for session in self.sink.sessions(4):
                self.assertEqual((session["ended_by"], verdicts(session)), ("sink-close", [verdict]))
                self.assertEqual([(f["phase"], f["octets"]) for f in session["faults"]], [("body", OFFSET)])

    def test_a_client_that_goes_on_sending_still_gets_the_reply_in_front_of_the_close(self):
        with Sink("--rule", "body size=>=2400: 552 5.3.4 Too big, close") as sink, Wire(sink.port) as client:
            wire.hello(client)
            client.send(ENVELOPE + b"DATA\r\n" + octets(160_000))
            self.assertEqual(codes(client, 4), [250, 250, 354, 552])
            self.assertEqual(client.end(), "closed")

    def test_close_and_reset_inside_the_body(self):
        for action, end in (("close", "closed"), ("reset", "reset")):
            for client, way in self.each(action):
                self.assertEqual(codes(client, 3), self.BEFORE[way])
                self.assertEqual(client.end(), end)
            for session in self.sink.sessions(4):
                self.assertEqual(session["ended_by"], f"sink-{action}")
                self.assertEqual(verdicts(session), ["abandoned"])
                self.assertEqual([(f["phase"], f["octets"]) for f in session["faults"]], [("body", OFFSET)])

    def test_a_body_that_is_shorter_meets_no_fault(self):
        for action in ("552 5.3.4 Too big", "close", "reset", "stop-reading", "slow-read 1/s"):
            with self.subTest(action=action), Sink("--rule", f"body size=>={OFFSET}: {action}") as sink, Wire(sink.port) as client:
                wire.hello(client)
                client.send(ENVELOPE + b"DATA\r\n" + octets(2400) + b".\r\n" + ENVELOPE + b"BDAT 2400 LAST\r\n" + octets(2400))
                self.assertEqual(codes(client, 7), [250, 250, 354, 250, 250, 250, 250])

    def test_the_octet_may_be_the_first_one_or_the_last_of_a_chunk_or_of_the_message(self):
        # The number of chunks that are taken before the refusal.
        for size, taken in (("=>=0", 0), ("=>=1", 0), ("=1999", 0), ("=>=2000", 0), ("=>2000", 1), ("=4000", 1), ("=4480", 2),
                            ("=>4479", 2)):
            with Sink("--rule", f"body size{size}: 451 4.3.0 Not now", smtps=1) as sink:
                for tls in (False, True):
                    for way in WAYS:
                        with self.subTest(size=size, tls=tls, way=way), Wire(sink.tls_port if tls else sink.port, tls) as client:
                            wire.hello(client)
                            client.send(pipelined(way))
                            middle = [354, 451] if way == "DATA" else [250] * taken + [451] + [503] * (2 - taken)
                            wanted = [250, 250] + middle + [250, 252]
                            self.assertEqual(codes(client, len(wanted)), wanted)

    def test_rules_at_several_octets_are_met_in_turn(self):
        lines = ("body size=>=1000: delay 200ms", f"body size=>={OFFSET}: delay 200ms", "body size=>=3000: drip 100/s, 552 5.3.4 Too big")
        with Sink(*(part for line in lines for part in ("--rule", line)), smtps=1) as sink:
            for tls in (False, True):
                for way in WAYS:
                    with self.subTest(tls=tls, way=way), Wire(sink.tls_port if tls else sink.port, tls) as client:
                        wire.hello(client)
                        client.send(pipelined(way))
                        after = {"DATA": [552], "BDAT": [552, 503]}[way] + [250, 252]
                        began = time.monotonic()
                        self.assertEqual(codes(client, 3 + len(after)), self.BEFORE[way] + after)
                        self.assertGreaterEqual(time.monotonic() - began, 0.4 + len("552 5.3.4 Too big") / 100 - 0.05)
            for session in sink.sessions(4):
                self.assertEqual([f["octets"] for f in session["faults"]], [1000, OFFSET, 3000])

    def test_a_chunk_refused_at_data_is_read_and_discarded(self):
        """Its octets look like commands; one that was taken for a command would be answered."""
        body = b"RSET\r\nQUIT\r\n" * 100
        for tls in (False, True):
            for reply, verdict in (("452 4.3.1 No room", "deferred"), ("554 5.6.1 No chunks", "rejected")):
                with self.subTest(tls=tls, reply=reply), Sink("--rule", f"data first=1: {reply}", smtps=1) as sink:
                    with Wire(sink.tls_port if tls else sink.port, tls) as client:
                        wire.hello(client)
                        chunk = b"BDAT %d\r\n%s" % (len(body), body)
                        client.send(ENVELOPE + chunk + chunk + b"BDAT 0 LAST\r\nNOOP\r\n"
                                    + ENVELOPE + b"BDAT 12 LAST\r\nSubject: a\r\nVRFY x\r\n")
                        got = codes(client, 10)
                        self.assertEqual(got, [250, 250, int(reply[:3]), 503, 503, 250, 250, 250, 250, 252])
                        self.assertEqual(client.ask("QUIT").code, 221)
                    self.assertEqual(verdicts(sink.session()), [verdict, "accepted"])


class StopReading(unittest.TestCase):
    def at_the_fault(self, sink, tls, way):
        client = Wire(sink.tls_port if tls else sink.port, tls)
        wire.hello(client)
        client.send(ENVELOPE + {"DATA": b"DATA\r\n", "BDAT": b"BDAT 500000000 LAST\r\n"}[way])
        wanted = [250, 250] + [354] * (way == "DATA")
        self.assertEqual(codes(client, len(wanted)), wanted)
        return client

    def test_the_window_closes_and_costs_no_memory(self):
        for tls in (False, True):
            for way in WAYS:
                with self.subTest(tls=tls, way=way), Sink("--rule", f"body size=>={OFFSET}: stop-reading", smtps=1) as sink:
                    with self.at_the_fault(sink, tls, way) as client:
                        before = sink.resident_kib()
                        sent = fill_window(client)
                        self.assertIsNotNone(sent, "the client could send on")
                        self.assertLess(sent, 50_000_000)
                        self.assertLess(sink.resident_kib() - before, 10 * KIB_PER_MB)
                        self.assertEqual(sink.records, [], "the session is still open")
                        client.abort()
                    session = sink.session()
                    self.assertEqual((session["ended_by"], verdicts(session)), ("client-reset", ["abandoned"]))

    def test_a_client_that_closes_before_the_window_is_full_is_noticed(self):
        for tls in (False, True):
            for way in WAYS:
                with self.subTest(tls=tls, way=way), Sink("--rule", f"body size=>={OFFSET}: stop-reading", smtps=1) as sink:
                    with self.at_the_fault(sink, tls, way) as client:
                        client.send(octets(16_000))
                        self.assertEqual(client.reply(0.3).kind, "silence")
                    session = sink.session()
                    self.assertIn(session["ended_by"], ("client-close", "client-reset"))
                    self.assertEqual(verdicts(session), ["abandoned"])
                    self.assertEqual([(f["phase"], f["action"]) for f in session["faults"]], [("body", "stop-reading")])

    def test_others_are_served_meanwhile(self):
        with Sink("--rule", "body from=deaf@s.test: stop-reading", "--loops", "1") as sink:
            deaf = [Wire(sink.port) for _ in range(10)]
            for client in deaf:
                wire.hello(client)
                client.send(b"MAIL FROM:<deaf@s.test>\r\nRCPT TO:<b@any.test>\r\nDATA\r\n" + octets(160_000))
                self.assertEqual(codes(client, 3), [250, 250, 354])
            with Wire(sink.port) as client:
                wire.hello(client)
                self.assertEqual([s.code for s in wire.deliver(client)], [250, 250, 354, 250])
            for client in deaf:
                client.abort()
            self.assertEqual(len(sink.sessions(11)), 11)


class SlowReading(unittest.TestCase):
    def test_the_rate_holds(self):
        """40 kB at 20 kB/s need two seconds, however fast they are sent."""
        count = 40_000
        with Sink("--rule", "body: slow-read 20KB/s", smtps=1) as sink:
            for tls in (False, True):
                for way in WAYS:
                    with self.subTest(tls=tls, way=way), Wire(sink.tls_port if tls else sink.port, tls) as client:
                        wire.hello(client)
                        client.send(ENVELOPE)
                        self.assertEqual(codes(client, 2), [250, 250])
                        begin, end = (b"DATA\r\n", b".\r\n") if way == "DATA" else (b"BDAT %d LAST\r\n" % count, b"")
                        client.send(begin + octets(count) + end)
                        if way == "DATA":
                            self.assertEqual(client.reply().code, 354)
                        seen = client.reply()
                        self.assertEqual(seen.code, 250)
                        self.assertGreaterEqual(seen.after_s, 1.8, seen)
                        self.assertLess(seen.after_s, 3.5, seen)

    def test_the_time_scale_multiplies_the_rate(self):
        with Sink("--rule", "body: slow-read 1KB/s", "--time-scale", "20") as sink, Wire(sink.port) as client:
            wire.hello(client)
            client.send(ENVELOPE + b"DATA\r\n" + octets(20_000) + b".\r\n")
            self.assertEqual(codes(client, 3), [250, 250, 354])
            seen = client.reply()
            self.assertEqual(seen.code, 250)
            self.assertTrue(0.8 <= seen.after_s < 2.5, seen)

    def test_it_begins_at_the_octet(self):
        """The first 400 kB go at full speed, the last 8 kB at 10 kB/s."""
        with Sink("--rule", "body size=>=400000: slow-read 10KB/s") as sink, Wire(sink.port) as client:
            wire.hello(client)
            client.send(ENVELOPE + b"DATA\r\n" + octets(408_000) + b".\r\n")
            self.assertEqual(codes(client, 3), [250, 250, 354])
            seen = client.reply()
            self.assertEqual(seen.code, 250)
            self.assertTrue(0.7 <= seen.after_s < 2.5, seen)

    def test_an_endless_body_that_is_read_slowly_costs_bounded_memory(self):
        """20 clients send as much as goes for 8 s, as if each had 10 GB: by DATA and BDAT, in clear and in TLS."""
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("limits: { message-size: 0 }\nrules:\n  - \"body: slow-read 20KB/s\"\n")
            file.flush()
            with Sink("--config", file.name, smtps=1) as sink:
                clients = []
                for number in range(20):
                    tls = number % 2 == 1
                    client = Wire(sink.tls_port if tls else sink.port, tls)
                    wire.hello(client)
                    client.send(ENVELOPE + (b"DATA\r\n" if number % 4 < 2 else b"BDAT 1000000000 LAST\r\n"))
                    self.assertEqual(codes(client, 3 if number % 4 < 2 else 2), [250, 250, 354][:3 if number % 4 < 2 else 2])
                    client.socket.setblocking(False)
                    clients.append(client)
                before, sent, most = sink.resident_kib(), [0] * len(clients), 0
                deadline = time.monotonic() + 8
                while time.monotonic() < deadline:
                    for number, client in enumerate(clients):
                        try:
                            sent[number] += client.socket.send(LINE * 200)
                        except BLOCKED:
                            pass
                    most = max(most, sink.resident_kib())
                    time.sleep(0.005)
                self.assertLess(most - before, 20 * KIB_PER_MB)
                # Each sent more than could be read by then: it is the sink that holds them back.
                for count in sent:
                    self.assertGreater(count, 8 * 20_000)
                for client in clients:
                    client.abort()
                for session in sink.sessions(len(clients)):
                    self.assertEqual((session["ended_by"], verdicts(session)), ("client-reset", ["abandoned"]))


if __name__ == "__main__":
    unittest.main()
