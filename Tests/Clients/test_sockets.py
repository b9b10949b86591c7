# What only a real socket shows: half-close, reset, linger, segments, slow peers, several listeners, many sessions at
# once. The dialogues under Tests/Dialogues judge the protocol itself.

import os
import socket
import threading
import time
import unittest

import wire
from sink import Sink, said_by, verdicts
from wire import Wire


class Sockets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sink = Sink(smtps=1)

    @classmethod
    def tearDownClass(cls):
        status = cls.sink.stop()
        assert status == 0, status

    def each_transport(self):
        for transport, port, tls in (("clear", self.sink.port, False), ("tls", self.sink.tls_port, True)):
            with self.subTest(transport=transport):
                yield port, tls

    def recorded(self, name):
        return self.sink.session(where=lambda s: s.get("helo") == name)

    def test_a_whole_session_in_one_segment_is_answered_in_order(self):
        """R50: nothing of a pipelined group is lost, content and QUIT included."""
        for number, (port, tls) in enumerate(self.each_transport()):
            name = f"pipeline{number}.test"
            with Wire(port, tls) as client:
                client.send(f"EHLO {name}\r\nMAIL FROM:<a@s.test>\r\nRCPT TO:<b@any.test>\r\nDATA\r\n".encode()
                            + wire.MESSAGE + b".\r\nMAIL FROM:<a@s.test>\r\nRSET\r\nQUIT\r\n")
                codes = [client.reply().code for _ in range(9)]
                self.assertEqual(codes, [220, 250, 250, 250, 354, 250, 250, 250, 221])
                self.assertEqual(client.end(), "closed")
            session = self.recorded(name)
            self.assertEqual(session["ended_by"], "quit")
            segments = {line["segment"] for line in session["lines"] if line["who"] == "client"}
            self.assertEqual(len(segments), 1, session["lines"])

    def test_octets_one_at_a_time_make_the_same_session(self):
        with Wire(self.sink.port) as client:
            self.assertEqual(client.reply().code, 220)
            for octet in b"EHLO drip.test\r\nMAIL FROM:<a@s.test>\r\nRCPT TO:<b@any.test>\r\nDATA\r\n":
                client.send(bytes([octet]))
            self.assertEqual([client.reply().code for _ in range(4)], [250, 250, 250, 354])
            for octet in wire.MESSAGE + b".\r\nQUIT\r\n":
                client.send(bytes([octet]))
            self.assertEqual([client.reply().code for _ in range(2)], [250, 221])
            self.assertEqual(client.end(), "closed")
        self.assertEqual(verdicts(self.recorded("drip.test")), ["accepted"])

    def test_a_half_closed_client_still_gets_its_replies(self):
        for number, (port, tls) in enumerate(self.each_transport()):
            if tls:
                continue  # Python's ssl cannot half-close
            name = f"half{number}.test"
            with Wire(port) as client:
                client.send(f"EHLO {name}\r\nMAIL FROM:<a@s.test>\r\nRCPT TO:<b@any.test>\r\nDATA\r\n".encode()
                            + wire.MESSAGE + b".\r\nQUIT\r\n")
                client.half_close()
                codes = [client.reply().code for _ in range(7)]
                self.assertEqual(codes, [220, 250, 250, 250, 354, 250, 221])
                self.assertEqual(client.end(), "closed")
            self.assertEqual(verdicts(self.recorded(name)), ["accepted"])

    def test_a_half_close_inside_data_stores_nothing(self):
        """R23."""
        with Wire(self.sink.port) as client:
            wire.hello(client, "cut.test")
            for line in ("MAIL FROM:<a@s.test>", "RCPT TO:<b@any.test>", "DATA"):
                client.ask(line)
            client.send(b"Subject: cut\r\n\r\nhalf a mess")
            client.half_close()
            self.assertEqual(client.end(), "closed")
        session = self.recorded("cut.test")
        self.assertEqual(verdicts(session), ["abandoned"])
        self.assertFalse(session["transactions"][0].get("message"))
        self.assertEqual(session["ended_by"], "client-close")

    def test_a_reset_by_the_client_is_recorded_as_one(self):
        client = Wire(self.sink.port)
        wire.hello(client, "abort.test")
        client.ask("MAIL FROM:<a@s.test>")
        client.abort()
        session = self.recorded("abort.test")
        self.assertEqual(session["ended_by"], "client-reset")
        self.assertEqual(verdicts(session), ["abandoned"])

    def test_a_close_by_the_client_is_recorded_as_one(self):
        client = Wire(self.sink.port)
        wire.hello(client, "leave.test")
        client.close()
        self.assertEqual(self.recorded("leave.test")["ended_by"], "client-close")

    def test_the_last_reply_survives_octets_that_came_behind_quit(self):
        """A close with unread input would be an RST that takes the 221 with it."""
        for port, tls in self.each_transport():
            with Wire(port, tls) as client:
                wire.hello(client, "linger.test")
                client.send(b"QUIT\r\n" + b"X" * 100_000)
                time.sleep(0.1)
                client.send(b"Y" * 1000)
                self.assertEqual(client.reply().code, 221)
                self.assertIn(client.end(), ("closed", "reset") if tls else ("closed",))

    def test_a_refusal_by_421_reaches_a_client_that_is_still_sending(self):
        with Sink("--rule", "mail: 421 4.7.0 Go away") as sink:
            with Wire(sink.port) as client:
                client.send(b"EHLO talks.test\r\nMAIL FROM:<a@s.test>\r\nRCPT TO:<b@any.test>\r\nDATA\r\n" + b"Z" * 50_000)
                self.assertEqual([client.reply().code for _ in range(3)], [220, 250, 421])
                self.assertEqual(client.end(), "closed")
            self.assertEqual(sink.session()["ended_by"], "sink-close")

    def test_a_client_that_does_not_read_is_not_answered_without_bound(self):
        """500 kB of NOOPs without reading one reply: memory stays, and reading later finds all of them."""
        with Sink("--transcript", "off") as sink:
            before = sink.resident_kib()
            with Wire(sink.port) as client:
                wire.hello(client)
                client.socket.setblocking(False)
                line, sent = b"NOOP\r\n" * 100, 0
                deadline = time.monotonic() + 2
                while time.monotonic() < deadline and sent < 20_000_000:
                    try:
                        sent += client.socket.send(line)
                    except BlockingIOError:
                        time.sleep(0.01)
                self.assertLess(sink.resident_kib() - before, 20_000)
                # The rest of an interrupted line, then a last command that must be answered once all is read.
                client.socket.setblocking(True)
                tail = line[sent % len(line):] if sent % len(line) else b""
                sender = threading.Thread(target=lambda: client.socket.sendall(tail + b"QUIT\r\n"))
                sender.start()
                client.socket.settimeout(20)
                total = b""
                while True:
                    octets = client.socket.recv(1 << 16)
                    if not octets:
                        break
                    total = (total + octets)[-200:]
                sender.join()
                self.assertIn(b"221", total)

    def test_a_slow_message_of_one_mebibyte_in_small_segments_is_kept_whole(self):
        with Wire(self.sink.port) as client:
            wire.hello(client, "small.test")
            for line in ("MAIL FROM:<a@s.test>", "RCPT TO:<b@any.test>", "DATA"):
                client.ask(line)
            body = b"Subject: small\r\n\r\n" + (b"." + b"x" * 76 + b"\r\n") * 13_000
            stuffed = body.replace(b"\r\n.", b"\r\n..")
            for start in range(0, len(stuffed), 1400):
                client.send(stuffed[start:start + 1400])
            self.assertEqual(client.send(b".\r\n").reply().code, 250)
            client.ask("QUIT")
        session = self.recorded("small.test")
        self.assertEqual(sum(line.get("octets") or 0 for line in session["lines"]), len(stuffed) + 3, session["id"])

    def test_200_sessions_at_once_are_each_answered(self):
        """R25."""
        with Sink() as sink:
            crowd = [Wire(sink.port) for _ in range(200)]
            for client in crowd:
                self.assertEqual(client.reply().code, 220)
            for step, code in (("EHLO crowd.test", 250), ("MAIL FROM:<a@s.test>", 250), ("RCPT TO:<b@any.test>", 250), ("DATA", 354)):
                for client in crowd:
                    client.say(step)
                for client in crowd:
                    self.assertEqual(client.reply().code, code)
            for client in crowd:
                client.send(wire.MESSAGE + b".\r\nQUIT\r\n")
            for client in crowd:
                self.assertEqual([client.reply().code, client.reply().code], [250, 221])
                client.close()
            sessions = sink.sessions(200)
            self.assertTrue(all(verdicts(s) == ["accepted"] for s in sessions))
            self.assertEqual(len({s["id"] for s in sessions}), 200)

    def test_octets_in_clear_behind_starttls_are_thrown_away_and_told(self):
        """R55."""
        with Wire(self.sink.port) as client:
            self.assertEqual(client.reply().code, 220)
            client.ask("EHLO inject.test")
            client.send(b"STARTTLS\r\nMAIL FROM:<injected@s.test>\r\n")
            self.assertEqual(client.reply().code, 220)
            client.start_tls()
            self.assertEqual(client.ask("RSET").code, 250)
            seen = client.ask("EHLO inject.test")
            self.assertNotIn("STARTTLS", seen.text)
            self.assertEqual(client.ask("RCPT TO:<b@any.test>").code, 503)
            client.ask("QUIT")
        session = self.recorded("inject.test")
        self.assertTrue(any("thrown away" in n for n in session["notices"]), session["notices"])

    def test_a_failed_handshake_is_recorded_with_a_reason_in_words(self):
        with Wire(self.sink.port) as client:
            self.assertEqual(client.reply().code, 220)
            client.ask("EHLO badtls.test")
            self.assertEqual(client.ask("STARTTLS").code, 220)
            client.send(b"this is not a ClientHello\r\n")
            self.assertIn(client.end(), ("closed", "reset"))
        session = self.recorded("badtls.test")
        self.assertGreater(len(session.get("tls_failure") or ""), 5, session)

    def test_tls_12_and_13_are_both_spoken_and_recorded(self):
        import ssl
        for version, word in ((ssl.TLSVersion.TLSv1_2, "TLSv1.2"), (ssl.TLSVersion.TLSv1_3, "TLSv1.3")):
            context = wire.trusting_context()
            context.minimum_version = context.maximum_version = version
            with Wire(self.sink.tls_port, tls=True, context=context) as client:
                wire.hello(client, f"{word}.test")
                client.ask("QUIT")
            self.assertEqual(self.recorded(f"{word}.test")["tls"]["version"], word)

    def test_a_close_fault_is_a_fin_and_a_reset_fault_an_rst_even_with_input_waiting(self):
        for action, ending in (("close", "closed"), ("reset", "reset")):
            with Sink("--rule", f"rcpt: {action}") as sink:
                with Wire(sink.port) as client:
                    wire.hello(client)
                    client.send(b"MAIL FROM:<a@s.test>\r\nRCPT TO:<b@any.test>\r\nDATA\r\n" + b"x" * 10_000)
                    if action == "close":
                        self.assertEqual(client.reply().code, 250)
                    self.assertEqual(client.end(), ending)

    def test_drip_sends_a_reply_slowly_and_whole(self):
        with Sink("--rule", "noop: drip 50/s") as sink:
            with Wire(sink.port) as client:
                wire.hello(client)
                seen = client.ask("NOOP")
                self.assertEqual(seen.code, 250)
                self.assertGreater(seen.after_s, (len(seen.lines[0]) - 2) / 50 * 0.8)

    def test_slow_read_holds_a_sender_back(self):
        with Sink("--rule", "body: slow-read 1MB/s") as sink:
            with Wire(sink.port) as client:
                wire.hello(client)
                for line in ("MAIL FROM:<a@s.test>", "RCPT TO:<b@any.test>", "DATA"):
                    client.ask(line)
                started = time.monotonic()
                client.send((b"x" * 98 + b"\r\n") * 10_000 + b".\r\n")
                self.assertEqual(client.reply().code, 250)
                self.assertTrue(0.7 < time.monotonic() - started < 1.5, time.monotonic() - started)


class Listeners(unittest.TestCase):
    def test_ipv6_answers(self):
        if not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("no IPv6 here")
        with Sink("--smtp", "[::1]:0", listeners=False) as sink:
            with Wire(sink.port, host="::1") as client:
                wire.hello(client)
                client.ask("QUIT")
            self.assertIn("::1", sink.session()["client"])

    def test_a_unix_socket_answers_and_is_taken_away_at_the_end(self):
        path = f"/tmp/fakemx-test-{os.getpid()}.sock"
        with Sink("--smtp", f"unix:{path}", listeners=False) as sink:
            client = socket.socket(socket.AF_UNIX)
            client.settimeout(5)
            client.connect(path)
            self.assertTrue(client.recv(1000).startswith(b"220 "))
            client.sendall(b"QUIT\r\n")
            self.assertTrue(client.recv(1000).startswith(b"221 "))
            client.close()
            sink.session()
        self.assertFalse(os.path.exists(path))

    def test_several_listeners_answer_side_by_side(self):
        with Sink(smtp=3, smtps=2) as sink:
            self.assertEqual((len(sink.ports), len(sink.tls_ports)), (3, 2), sink.ready)
            for port in sink.ports:
                with Wire(port) as client:
                    wire.hello(client)
            for port in sink.tls_ports:
                with Wire(port, tls=True) as client:
                    wire.hello(client)

    def test_over_the_connection_limit_a_421_is_said_and_places_become_free_again(self):
        import tempfile
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("limits:\n  connections: 10\n")
            file.flush()
            with Sink("--config", file.name, "--loops", "1") as sink:
                crowd = [Wire(sink.port) for _ in range(10)]
                for client in crowd:
                    self.assertEqual(client.reply().code, 220)
                with Wire(sink.port) as extra:
                    seen = extra.reply()
                    self.assertIn((seen.kind, seen.code), (("reply", 421), ("closed", None)), seen)
                    if seen.code:
                        self.assertEqual(extra.end(), "closed")
                for client in crowd:
                    client.close()
                deadline = time.monotonic() + 5
                while True:
                    with Wire(sink.port) as again:
                        if again.reply().code == 220:
                            break
                    self.assertLess(time.monotonic(), deadline, "no place became free")
                    time.sleep(0.05)

    def test_out_of_descriptors_the_sink_goes_on_when_some_are_free_again(self):
        import resource
        import signal
        with Sink("--loops", "1") as sink:
            limit = sink.descriptors() + 20
            resource.prlimit(sink.pid, resource.RLIMIT_NOFILE, (limit, limit))
            crowd = [Wire(sink.port) for _ in range(60)]
            greeted = [c for c in crowd if c.reply(0.3).code == 220]
            self.assertGreaterEqual(len(greeted), 10)
            self.assertLess(len(greeted), 60)
            self.assertEqual(greeted[0].ask("NOOP").code, 250)
            spent = sum(map(float, open(f"/proc/{sink.pid}/stat").read().rsplit(")", 1)[1].split()[11:13]))
            time.sleep(0.5)
            later = sum(map(float, open(f"/proc/{sink.pid}/stat").read().rsplit(")", 1)[1].split()[11:13]))
            self.assertLess(later - spent, 25, "it spins while out of descriptors")
            for client in crowd:
                client.close()
            deadline = time.monotonic() + 5
            while True:
                with Wire(sink.port) as again:
                    if again.reply(1).code == 220:
                        break
                self.assertLess(time.monotonic(), deadline, "it never accepted again")
            self.assertEqual(sink.process.poll(), None)
            sink.signal(signal.SIGTERM)
            self.assertEqual(sink.process.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
