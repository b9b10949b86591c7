# Profiles: real clients deliver to fakemx whatever server it looks like, and what it looks like is seen on the wire.

import tempfile
import unittest

import clients
from sink import Sink, run, verdicts
from wire import MESSAGE, Wire

# name: (words of the greeting behind the host name, keywords in clear in their order; None: EHLO is unknown)
PROFILES = {
    "modern": ("ESMTP fakemx", "PIPELINING SIZE 8BITMIME SMTPUTF8 CHUNKING BINARYMIME DSN ENHANCEDSTATUSCODES STARTTLS LIMITS HELP"),
    "rfc821": ("Simple Mail Transfer Service Ready", None),
    "minimal": ("", "SIZE 8BITMIME"),
    "no-esmtp-extensions": ("ESMTP fakemx", ""),
    "no-pipelining": ("ESMTP fakemx", "SIZE 8BITMIME SMTPUTF8 CHUNKING BINARYMIME DSN ENHANCEDSTATUSCODES STARTTLS LIMITS HELP"),
    "no-tls": ("ESMTP fakemx", "PIPELINING SIZE 8BITMIME SMTPUTF8 CHUNKING BINARYMIME DSN ENHANCEDSTATUSCODES LIMITS HELP"),
    "no-8bitmime": ("ESMTP fakemx", "PIPELINING SIZE CHUNKING DSN ENHANCEDSTATUSCODES STARTTLS LIMITS HELP"),
    "postfix": ("ESMTP Postfix", "PIPELINING SIZE VRFY STARTTLS ENHANCEDSTATUSCODES 8BITMIME DSN SMTPUTF8 CHUNKING"),
    "exim": ("ESMTP Exim", "SIZE 8BITMIME PIPELINING CHUNKING STARTTLS SMTPUTF8 HELP"),
    "sendmail": ("ESMTP Sendmail", "ENHANCEDSTATUSCODES PIPELINING 8BITMIME SIZE DSN STARTTLS HELP"),
    "exchange": ("Microsoft ESMTP", "SIZE PIPELINING DSN ENHANCEDSTATUSCODES STARTTLS 8BITMIME BINARYMIME CHUNKING SMTPUTF8"),
    "gmail": ("ESMTP", "SIZE 8BITMIME STARTTLS ENHANCEDSTATUSCODES PIPELINING CHUNKING SMTPUTF8"),
    "exchange-online": ("Microsoft ESMTP", "SIZE PIPELINING DSN ENHANCEDSTATUSCODES STARTTLS 8BITMIME BINARYMIME CHUNKING SMTPUTF8"),
    "outlook": ("Microsoft ESMTP", "SIZE PIPELINING DSN ENHANCEDSTATUSCODES STARTTLS 8BITMIME BINARYMIME CHUNKING SMTPUTF8"),
    "yahoo": ("ESMTP ready", "PIPELINING SIZE 8BITMIME STARTTLS"),
}
SENDERS = {"swaks": clients.swaks, "curl": clients.curl, "msmtp": clients.msmtp, "smtplib": clients.python_smtplib}


def keywords(name):
    return (PROFILES[name][1] or "").split()


class Profiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("hostname: mx.profile.test\nlisteners:\n")
            for name in PROFILES:
                file.write(f"  - {{ smtp: 127.0.0.1:0, name: {name}, profile: {name} }}\n")
            file.flush()
            cls.sink = Sink("--config", file.name, listeners=False)
        cls.ports = dict(zip(PROFILES, cls.sink.ports))

    @classmethod
    def tearDownClass(cls):
        cls.sink.stop()

    def deliver(self, client, name, tls=None):
        mine = lambda session: session["listener"] == name
        known = len([r for r in self.sink.records if mine(r)])
        said = SENDERS[client](self.ports[name], "b@any.test", tls)
        self.assertTrue(said.sent, said)
        session = self.sink.sessions(known + 1, where=mine)[known]
        self.assertEqual(verdicts(session), ["accepted"], session)
        self.assertEqual(session["ended_by"], "quit", session)
        self.assertEqual(bool(session.get("tls")), tls is not None, session)

    def test_every_client_delivers_to_every_profile(self):
        absent = clients.missing()
        for name in PROFILES:
            for client in SENDERS:
                if client in absent:
                    continue
                for tls in (None, "starttls") if "STARTTLS" in keywords(name) else (None,):
                    with self.subTest(profile=name, client=client, tls=tls):
                        self.deliver(client, name, tls)

    def test_greeting_and_list_are_those_of_the_profile(self):
        for name, (greeting, words) in PROFILES.items():
            with self.subTest(profile=name), Wire(self.ports[name]) as wire:
                seen = wire.reply()
                self.assertTrue(seen.text.startswith(f"220 mx.profile.test {greeting}".strip()), seen)
                seen = wire.ask("EHLO client.test")
                if words is None:
                    self.assertEqual(seen.code, 500, seen)
                    self.assertEqual(wire.ask("HELO client.test").code, 250)
                    continue
                self.assertEqual(seen.code, 250, seen)
                self.assertTrue(seen.lines[0][4:].startswith("mx.profile.test"), seen)
                self.assertEqual([line[4:].split()[0] for line in seen.lines[1:]], words.split(), seen)

    def test_servers_that_say_the_address_of_the_client_say_it(self):
        for name in ("gmail", "exim", "sendmail", "exchange", "outlook"):
            with self.subTest(profile=name), Wire(self.ports[name]) as wire:
                wire.reply()
                self.assertIn("[127.0.0.1]", wire.ask("EHLO client.test").lines[0])

    def test_a_session_in_one_piece_is_answered_in_order(self):
        for name in PROFILES:
            hello = "HELO" if PROFILES[name][1] is None else "EHLO"
            with self.subTest(profile=name), Wire(self.ports[name]) as wire:
                wire.reply()
                wire.send(f"{hello} c\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@any.test>\r\nDATA\r\n".encode()
                          + MESSAGE + b".\r\nRSET\r\nQUIT\r\n")
                self.assertEqual([wire.reply().code for _ in range(7)], [250, 250, 250, 354, 250, 250, 221])

    def test_the_queued_reply_names_the_message(self):
        for name in ("postfix", "exim", "sendmail", "exchange", "gmail"):
            with self.subTest(profile=name), Wire(self.ports[name]) as wire:
                wire.reply()
                for line in ("EHLO c", "MAIL FROM:<a@x.test>", "RCPT TO:<b@any.test>", "DATA"):
                    wire.ask(line)
                said = wire.send(MESSAGE + b".\r\n").reply().text
                self.assertEqual(wire.ask("QUIT").code, 221)
                names = lambda session: any(t.get("message") and t["message"] in said for t in session["transactions"])
                self.sink.session(where=names)


class ProfileOption(unittest.TestCase):
    def test_flag_and_variable(self):
        with Sink("--profile", "exim") as sink, Wire(sink.port) as wire:
            self.assertIn("ESMTP Exim", wire.reply().text)
        with Sink(environment={"FAKEMX_PROFILE": "sendmail"}) as sink, Wire(sink.port) as wire:
            self.assertIn("ESMTP Sendmail", wire.reply().text)

    def test_rules_hide_and_offer_on_top(self):
        with Sink("--profile", "gmail", "--rule", "ehlo: hide CHUNKING, offer DSN") as sink, Wire(sink.port) as wire:
            wire.reply()
            lines = wire.ask("EHLO c").lines
            self.assertNotIn("250-CHUNKING", lines)
            self.assertEqual(lines[-1], "250 DSN")

    def test_an_unknown_profile_is_refused_with_the_nearest_name(self):
        status, out, err = run("serve", "--smtp", "127.0.0.1:0", "--profile", "exchnage")
        self.assertEqual(status, 2, (out, err))
        self.assertIn('did you mean "exchange"?', err)

    def test_help_lists_the_names(self):
        status, out, err = run("serve", "--help")
        self.assertEqual(status, 0, err)
        words = out.replace("\n", " ").split()
        for name in PROFILES:
            self.assertTrue(any(word.rstrip(",.") == name for word in words), name)


if __name__ == "__main__":
    unittest.main()
