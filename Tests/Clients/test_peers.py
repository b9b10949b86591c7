# Bad peers: what strangers, broken programs and the malicious send. Each ends in a reply or a close and an event, with
# bounded memory, and the next client is served as ever.

import os
import select
import time
import unittest

import wire
from sink import Sink, said_by
from wire import Wire

MEMORY_KIB = 24_000


class Peers(unittest.TestCase):
    def setUp(self):
        self.allowed_kib = MEMORY_KIB
        self.sink = Sink(smtps=1)
        with Wire(self.sink.port) as client:  # first use allocates what every later session shares
            wire.hello(client, "warm.test")
            client.ask("QUIT")
        self.sink.sessions(1)
        self.before_kib = self.sink.resident_kib()

    def tearDown(self):
        try:
            with Wire(self.sink.port) as client:
                wire.hello(client, "after.test")
                self.assertEqual(wire.deliver(client)[-1].code, 250)
                client.ask("QUIT")
            self.assertLess(self.sink.resident_kib() - self.before_kib, self.allowed_kib, "memory is not bounded")
            self.assertIsNone(self.sink.process.poll(), "the sink died")
        finally:
            self.assertEqual(self.sink.stop(), 0)

    def stranger(self, number=1):
        """The session of the test's own client, behind the one of setUp."""
        return self.sink.sessions(1 + number)[number]

    def flood(self, client, piece, total, stop_at_reply=False):
        """Sends `total` octets made of `piece`, reading what comes; returns (sent, octets read)."""
        client.socket.setblocking(False)
        sent, got, ended = 0, b"", None
        view = memoryview(piece * max(1, 65536 // len(piece)))
        deadline = time.monotonic() + 60
        offset = 0
        while sent < total and not ended and time.monotonic() < deadline:
            readable, writable, _ = select.select([client.socket], [client.socket], [], 5)
            try:
                if readable:
                    octets = client.socket.recv(65536)
                    got = (got + octets)[-100_000:]
                    if not octets:
                        ended = "closed"
                if writable and not ended:
                    count = client.socket.send(view[offset:])
                    offset = (offset + count) % len(view)
                    sent += count
            except BlockingIOError:
                pass
            except (ConnectionResetError, BrokenPipeError):
                ended = "reset"
        client.socket.setblocking(True)
        client.ended = ended
        return sent, got

    def test_a_client_hello_on_the_clear_port_is_told_and_ended(self):
        hello = bytes.fromhex("16030100c8010000c40303") + os.urandom(186)
        with Wire(self.sink.port) as client:
            self.assertEqual(client.reply().code, 220)
            client.send(hello)
            self.assertIn(client.end(5), ("closed", "reset"))
        self.assertTrue(any("TLS" in n or "ClientHello" in n for n in self.stranger()["notices"]), self.stranger())

    def test_an_http_request_is_told_and_ended(self):
        with Wire(self.sink.port) as client:
            self.assertEqual(client.reply().code, 220)
            client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n")
            self.assertIn(client.end(5), ("closed", "reset"))
        self.assertTrue(any("HTTP" in n for n in self.stranger()["notices"]), self.stranger())

    def test_64_mebibytes_without_a_line_end_are_answered_with_500_or_a_close(self):
        with Wire(self.sink.port) as client:
            self.assertEqual(client.reply().code, 220)
            sent, got = self.flood(client, b"A" * 4096, 64 << 20)
            self.assertLess(self.sink.resident_kib() - self.before_kib, MEMORY_KIB)
            if not client.ended:
                client.buffer = got
                client.send(b"\r\n")
                self.assertIn(client.reply().code, (500, 421))
        self.assertTrue(self.stranger()["notices"], "no event")

    def test_64_mebibytes_of_one_body_line_stay_within_the_message_limit(self):
        with Wire(self.sink.port) as client:
            wire.hello(client)
            for line in ("MAIL FROM:<a@s.test>", "RCPT TO:<b@any.test>", "DATA"):
                client.ask(line)
            sent, got = self.flood(client, b"B" * 4096, 64 << 20)
            self.assertLess(self.sink.resident_kib() - self.before_kib, 100_000)
            client.buffer = got
            if not client.ended:
                client.send(b"\r\n.\r\n")
                self.assertIn(client.reply().code, (552, 250))

    def test_nuls_are_refused_and_the_session_goes_on(self):
        with Wire(self.sink.port) as client:
            wire.hello(client)
            self.assertIn(client.say(b"NOOP \0\0\0").reply().code, (500, 501))
            self.assertIn(client.say(b"\0\0\0\0").reply().code, (500, 501))
            self.assertIn(client.say(b"MAIL FROM:<a\0b@s.test>").reply().code, (500, 501, 553))
            self.assertEqual(client.ask("NOOP").code, 250)

    def test_one_octet_a_second_holds_nobody_up(self):
        with Wire(self.sink.port) as slow:
            self.assertEqual(slow.reply().code, 220)
            for octet in b"EHL":
                slow.send(bytes([octet]))
                with Wire(self.sink.port) as other:
                    wire.hello(other, "quick.test")
                    seen = other.ask("NOOP")
                    self.assertLess(seen.after_s, 0.5)
                time.sleep(1)
            self.assertEqual(slow.send(b"O slow.test\r\n").reply().code, 250)

    def test_100_000_recipients_are_accepted_up_to_the_limit_and_452_behind_it(self):
        self.allowed_kib = 200_000  # one session object of 200,000 lines is made and written, bounded by its own limit
        with Wire(self.sink.port) as client:
            wire.hello(client)
            client.ask("MAIL FROM:<a@s.test>")
            counts = {}
            for start in range(0, 100_000, 500):
                client.send(b"".join(b"RCPT TO:<b%d@any.test>\r\n" % n for n in range(start, start + 500)))
                for _ in range(500):
                    seen = client.reply()
                    counts[seen.code] = counts.get(seen.code, 0) + 1
                    if seen.kind != "reply":
                        break
                if seen.kind != "reply" or seen.code == 421:
                    break
            self.assertGreaterEqual(counts.get(250, 0), 100, counts)
            self.assertGreater(counts.get(452, 0), 0, counts)
            self.assertTrue(set(counts) <= {250, 452, 421, None}, counts)

    def test_bdat_with_impossible_sizes_is_refused(self):
        for size in ("99999999999999999999999999", "18446744073709551615", "9223372036854775808", "-1", "+5", "0x10", "1e3", "",
                     "4294967296"):
            with self.subTest(size=size):
                with Wire(self.sink.port) as client:
                    wire.hello(client)
                    client.ask("MAIL FROM:<a@s.test>")
                    client.ask("RCPT TO:<b@any.test>")
                    seen = client.ask(f"BDAT {size} LAST", 1)
                    self.assertIn((seen.kind, (seen.code or 0) // 100),
                                  (("reply", 5), ("reply", 4), ("closed", 0), ("silence", 0)), seen)
                    if size in ("-1", "+5", "0x10", "1e3", ""):
                        self.assertEqual(seen.code, 501, seen)
                        self.assertEqual(client.ask("NOOP").code, 250)

    def test_starttls_twice_is_503_and_the_session_goes_on(self):
        with Wire(self.sink.port) as client:
            wire.hello(client)
            self.assertEqual(client.upgrade().code, 220)
            client.ask("EHLO again.test")
            self.assertEqual(client.ask("STARTTLS").code, 503)
            self.assertEqual(wire.deliver(client)[-1].code, 250)

    def test_2000_unknown_commands_are_each_answered_or_ended_by_421(self):
        with Wire(self.sink.port) as client:
            wire.hello(client)
            seen = None
            for _ in range(2000):
                seen = client.ask("FROB")
                if seen.code != 500:
                    break
            self.assertTrue(seen.code in (500, 421, 502) or seen.kind == "closed", seen)

    def test_random_octets_on_both_ports_crash_nothing(self):
        import random
        dice = random.Random(2)
        for number in range(200):
            with Wire(self.sink.tls_port if number % 4 == 0 else self.sink.port) as client:
                client.send(dice.randbytes(dice.randrange(1, 3000)) + (b"\r\n" if number % 2 else b""))
                client.end(0.02)

    def test_a_peer_that_never_speaks_costs_nothing_and_is_ended_at_the_limit(self):
        import tempfile
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("limits:\n  client-timeout: 300ms\n")
            file.flush()
            with Sink("--config", file.name) as sink:
                with Wire(sink.port) as client:
                    self.assertEqual(client.reply().code, 220)
                    seen = client.reply(5)
                    self.assertEqual(seen.code, 421, seen)
                    self.assertEqual(client.end(), "closed")
                self.assertEqual(sink.session()["ended_by"], "timeout")


if __name__ == "__main__":
    unittest.main()
