# What each preset of `raw` puts on the wire, to the octet, in how many segments, and inside TLS in how many records; and
# that sink and client understand one another afterwards, where the preset allows it.

import socket
import unittest

import wire
from sink import Sink
from tape import LIMIT_S, Tape

ORDINARY_SEGMENTS = 3  # up to RCPT: greeting, EHLO list, MAIL
RCPT = b"250 2.1.5 Ok\r\n"
MAIL = b"250 2.1.0 Ok\r\n"
DATA = b"354 End data with <CR><LF>.<CR><LF>\r\n"
GREETING = b"220 mx.octets.test ESMTP fakemx\r\n"
EARLY = b"250 2.0.0 Ok, said too early\r\n"
CLOSES = b"421 4.3.2 Service closes, unasked\r\n"
DIFFERS = b"550 The last line differs\r\n"


def padded(reply, length):
    text = b" and more of it"
    room = length - len(reply)
    return reply[:-2] + (text * (room // len(text) + 1))[:room] + b"\r\n"


# What stands in place of RCPT's reply.
AT_RCPT = {
    "bare-lf-reply": b"250 2.1.5 Ok\n",
    "no-text": b"250\r\n",
    "no-code": b"2.1.5 Ok\r\n",
    "mixed-codes": b"250-2.1.5 Ok\r\n" + DIFFERS,
    "long-line": padded(RCPT, 600),
    "long-line-4k": padded(RCPT, 4096),
    "eight-bit-text": b"250 2.1.5 Ok gr\xfc\xdfe \xc3(\r\n",
    "nul-in-reply": b"250 2.1.5 Ok\x00behind a NUL\r\n",
    "two-replies": RCPT + RCPT,
    "split-reply": RCPT,
}
# And of the greeting.
AT_GREETING = {
    "multiline-greeting": b"220-mx.octets.test ESMTP fakemx\r\n220-This greeting has three lines\r\n"
                          b"220 and this is the last of them\r\n",
    "greeting-without-esmtp": b"220 mx.octets.test\r\n",
    "pix": b"220 " + b"*" * (len(GREETING) - 6) + b"\r\n",
    "bare-lf-reply": GREETING[:-2] + b"\n",
    "no-text": b"220\r\n",
    "no-code": GREETING[4:],
    "mixed-codes": b"220-" + GREETING[4:] + DIFFERS,
    "split-reply": GREETING,
    "two-replies": GREETING + GREETING,
    "long-line-4k": padded(GREETING, 4096),
}


class Octets(unittest.TestCase):
    def sink(self, *rules, **more):
        words = [word for rule in rules for word in ("--rule", rule)]
        sink = Sink(*words, "--hostname", "mx.octets.test", "--loops", "1", **more)
        self.addCleanup(sink.stop)
        return sink

    def to_rcpt(self, tape, tls):
        """Everything up to the reply to RCPT, which is left on the wire."""
        self.assertEqual(tape.reply(), GREETING)
        tape.send(b"EHLO client.test\r\n")
        tape.reply()
        if tls:
            tape.start_tls()
        self.start(tape)

    def start(self, tape):
        tape.send(b"MAIL FROM:<a@sender.test>\r\n")
        self.assertEqual(tape.take(len(MAIL)), MAIL)
        tape.pieces.clear()
        tape.send(b"RCPT TO:<b@any.test>\r\n")

    def finish(self, tape):
        tape.send(b"DATA\r\n")
        self.assertEqual(tape.take(len(DATA)), DATA)
        self.dot(tape)

    def dot(self, tape):
        tape.send(wire.MESSAGE + b".\r\n")
        self.assertEqual(tape.line()[:4], b"250 ")

    def another(self, tape, sink, count=2):
        """A second message on the same connection, and the end."""
        self.start(tape)
        self.assertEqual(tape.take(len(RCPT)), RCPT)
        self.finish(tape)
        self.quit(tape, sink, count)

    def quit(self, tape, sink, count):
        tape.send(b"QUIT\r\n")
        self.assertEqual(tape.line()[:4], b"221 ")
        self.assertTrue(tape.is_ended(), tape.buffer)
        session = sink.session()
        self.assertEqual([t["verdict"] for t in session["transactions"]], ["accepted"] * count, session)
        self.assertEqual(session["ended_by"], "quit")

    def test_each_preset_at_rcpt_is_these_octets_and_the_session_stays_in_step(self):
        for name, octets in AT_RCPT.items():
            for tls in (False, True):
                with self.subTest(preset=name, tls=tls):
                    sink = self.sink(f"rcpt first=1: raw {name}")
                    with Tape(sink.port) as tape:
                        self.to_rcpt(tape, tls)
                        self.assertEqual(tape.take(len(octets)), octets)
                        self.finish(tape)
                        self.another(tape, sink)

    def test_each_preset_at_the_greeting_is_these_octets_and_mail_is_taken(self):
        for name, octets in AT_GREETING.items():
            with self.subTest(preset=name):
                sink = self.sink(f"greeting: raw {name}")
                with Tape(sink.port) as tape:
                    self.assertEqual(tape.take(len(octets)), octets)
                    tape.send(b"EHLO client.test\r\n")
                    tape.reply()
                    self.another(tape, sink, 1)

    def test_a_greeting_bent_behind_implicit_tls_has_the_same_octets(self):
        sink = self.sink("greeting: raw multiline-greeting", smtps=1)
        with socket.create_connection(("127.0.0.1", sink.tls_port), LIMIT_S) as clear:
            with wire.TRUSTING.wrap_socket(clear, server_hostname="mx.octets.test") as client:
                expected, seen = AT_GREETING["multiline-greeting"], b""
                while len(seen) < len(expected):
                    octets = client.recv(4096)
                    self.assertTrue(octets, seen)
                    seen += octets
                self.assertEqual(seen, expected)

    def test_an_ehlo_list_in_lower_case_differs_in_nothing_else(self):
        sink = self.sink("ehlo nth=2: raw lowercase-ehlo")
        with Tape(sink.port) as tape:
            tape.reply()
            tape.send(b"EHLO client.test\r\n")
            ordinary = tape.reply()
            self.assertNotEqual(ordinary, ordinary.lower())
            tape.send(b"EHLO client.test\r\n")
            self.assertEqual(tape.take(len(ordinary)), ordinary.lower())
            self.another(tape, sink, 1)

    def test_the_long_lines_have_600_and_4096_octets(self):
        self.assertEqual(len(AT_RCPT["long-line"]), 600)
        self.assertEqual(len(AT_RCPT["long-line-4k"]), 4096)

    def test_a_split_reply_is_an_octet_a_segment_and_a_record(self):
        for tls in (False, True):
            with self.subTest(tls=tls):
                sink = self.sink("rcpt first=1: raw split-reply")
                with Tape(sink.port) as tape:
                    self.to_rcpt(tape, tls)
                    self.assertEqual(tape.take(len(RCPT)), RCPT)
                    if tls:
                        self.assertEqual(tape.pieces, [RCPT[i:i + 1] for i in range(len(RCPT))])
                    else:
                        self.assertEqual(tape.segments(), ORDINARY_SEGMENTS + len(RCPT))
                    self.finish(tape)
                    self.another(tape, sink)

    def test_a_split_greeting_is_an_octet_a_segment(self):
        sink = self.sink("greeting: raw split-reply")
        with Tape(sink.port) as tape:
            self.assertEqual(tape.take(len(GREETING)), GREETING)
            self.assertEqual(tape.segments(), len(GREETING))

    def test_an_ordinary_reply_and_two_replies_are_one_segment_and_one_record(self):
        for rule, octets in ((None, RCPT), ("rcpt: raw two-replies", RCPT + RCPT)):
            for tls in (False, True):
                with self.subTest(rule=rule, tls=tls):
                    sink = self.sink(*[rule] if rule else [])
                    with Tape(sink.port) as tape:
                        self.to_rcpt(tape, tls)
                        self.assertEqual(tape.take(len(octets)), octets)
                        if tls:
                            self.assertEqual(tape.pieces, [octets])
                        else:
                            self.assertEqual(tape.segments(), ORDINARY_SEGMENTS + 1)

    def test_raw_octets_are_split_where_they_say_so(self):
        rule = r'rcpt first=1: raw "250-a\n\|250 \0\xff\"\\\t\|b\r\|\n"'
        pieces = [b"250-a\n", b'250 \x00\xff"\\\t', b"b\r", b"\n"]
        for tls in (False, True):
            with self.subTest(tls=tls):
                sink = self.sink(rule)
                with Tape(sink.port) as tape:
                    self.to_rcpt(tape, tls)
                    self.assertEqual(tape.take(sum(map(len, pieces))), b"".join(pieces))
                    if tls:
                        self.assertEqual(tape.pieces, pieces)
                    else:
                        self.assertEqual(tape.segments(), ORDINARY_SEGMENTS + len(pieces))
                    self.finish(tape)
                    self.another(tape, sink)

    def test_a_missing_last_line_is_silence_and_the_session_goes_on_for_who_does_not_wait(self):
        for tls in (False, True):
            with self.subTest(tls=tls):
                sink = self.sink("rcpt first=1: raw missing-last-line")
                with Tape(sink.port) as tape:
                    self.to_rcpt(tape, tls)
                    self.assertEqual(tape.take(len(RCPT)), b"250-2.1.5 Ok\r\n")
                    self.assertTrue(tape.is_silent(), tape.buffer)
                    self.finish(tape)
                    self.another(tape, sink)

    def test_an_unsolicited_421_is_the_last_of_the_session(self):
        for tls in (False, True):
            with self.subTest(tls=tls):
                sink = self.sink("rcpt: raw unsolicited-421")
                with Tape(sink.port) as tape:
                    self.to_rcpt(tape, tls)
                    self.assertEqual(tape.take(len(RCPT + CLOSES)), RCPT + CLOSES)
                    self.assertTrue(tape.is_ended(), tape.buffer)
                    if tls:
                        self.assertEqual(tape.pieces[-1], b"", "no close_notify")
                self.assertEqual(sink.session()["ended_by"], "sink-close")

    def test_an_unsolicited_421_behind_the_dot_leaves_the_message_stored(self):
        sink = self.sink("end-of-data: raw unsolicited-421")
        with Tape(sink.port) as tape:
            self.to_rcpt(tape, False)
            self.assertEqual(tape.take(len(RCPT)), RCPT)
            self.finish(tape)
            self.assertEqual(tape.take(len(CLOSES)), CLOSES)
            self.assertTrue(tape.is_ended(), tape.buffer)
        session = sink.session()
        self.assertEqual([t["verdict"] for t in session["transactions"]], ["accepted"], session)
        self.assertTrue(session["transactions"][0]["message"])

    def test_an_early_reply_comes_before_its_command_and_the_command_gets_no_other(self):
        for tls in (False, True):
            with self.subTest(tls=tls):
                sink = self.sink("rcpt first=1: raw early-reply")
                with Tape(sink.port) as tape:
                    self.to_rcpt(tape, tls)
                    self.assertEqual(tape.take(len(RCPT + EARLY)), RCPT + EARLY)
                    if tls:
                        self.assertEqual(tape.pieces, [RCPT + EARLY])
                    tape.send(b"DATA\r\n")
                    self.assertTrue(tape.is_silent(), tape.buffer)
                    self.dot(tape)
                    self.another(tape, sink)

    def test_an_early_reply_to_the_message_comes_with_the_354(self):
        sink = self.sink("data first=1: raw early-reply")
        with Tape(sink.port) as tape:
            self.to_rcpt(tape, False)
            self.assertEqual(tape.take(len(RCPT)), RCPT)
            tape.send(b"DATA\r\n")
            self.assertEqual(tape.take(len(DATA + EARLY)), DATA + EARLY)
            tape.send(wire.MESSAGE + b".\r\n")
            self.assertTrue(tape.is_silent(), tape.buffer)
            self.another(tape, sink)

    def test_a_bent_reply_to_starttls_is_followed_by_a_handshake(self):
        for name in ("split-reply", "bare-lf-reply", "no-code", "long-line-4k"):
            with self.subTest(preset=name):
                sink = self.sink(f"starttls: raw {name}")
                with Tape(sink.port) as tape:
                    tape.reply()
                    tape.send(b"EHLO client.test\r\n")
                    tape.reply()
                    tape.send(b"STARTTLS\r\n")
                    line = tape.line()
                    self.assertIn(b"2.0.0 Ready to start TLS", line)
                    tape.shake_hands()
                    self.another(tape, sink, 1)

    def test_starttls_answered_too_early_gets_a_handshake_and_no_220(self):
        sink = self.sink("ehlo first=1: raw early-reply")
        with Tape(sink.port) as tape:
            tape.reply()
            tape.send(b"EHLO client.test\r\n")
            tape.reply()
            self.assertEqual(tape.take(len(EARLY)), EARLY)
            tape.send(b"STARTTLS\r\n")
            # A ClientHello in the same segment would be dropped, as octets behind STARTTLS must be (RFC 3207 §4.2).
            self.assertTrue(tape.is_silent(), tape.buffer)
            tape.shake_hands()
            self.another(tape, sink, 1)

    def test_commands_behind_an_unsolicited_421_are_not_answered(self):
        sink = self.sink("rcpt: raw unsolicited-421")
        with Tape(sink.port) as tape:
            tape.reply()
            tape.send(b"EHLO client.test\r\n")
            tape.reply()
            tape.send(b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<b@any.test>\r\nRCPT TO:<c@any.test>\r\nDATA\r\n")
            self.assertEqual(tape.take(len(MAIL + RCPT + CLOSES)), MAIL + RCPT + CLOSES)
            self.assertTrue(tape.is_ended(), tape.buffer)

    def test_pipelined_commands_are_answered_in_order_around_a_bent_reply(self):
        commands = b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<b@any.test>\r\nRCPT TO:<c@any.test>\r\nDATA\r\n"
        for name, octets in (("split-reply", RCPT + RCPT + DATA), ("two-replies", RCPT * 3 + DATA),
                             ("early-reply", RCPT + EARLY + DATA)):
            for tls in (False, True):
                with self.subTest(preset=name, tls=tls):
                    sink = self.sink(f"rcpt first=1: raw {name}")
                    with Tape(sink.port) as tape:
                        tape.reply()
                        tape.send(b"EHLO client.test\r\n")
                        tape.reply()
                        if tls:
                            tape.start_tls()
                        tape.send(commands)
                        self.assertEqual(tape.take(len(MAIL + octets)), MAIL + octets)
                        self.dot(tape)
                        self.another(tape, sink)


if __name__ == "__main__":
    unittest.main()
