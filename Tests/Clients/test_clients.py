# Real clients send plain mail and mail over TLS, and meet a 4yz, a 5yz and a close at each phase. What the client itself
# says of it is compared with what fakemx recorded.

import subprocess
import unittest

import clients
from sink import Sink, said_by, verdicts

PHASES = ("greeting", "ehlo", "mail", "rcpt", "data", "end-of-data")
ANSWERS = {"4yz": "451 4.3.0 Not now", "5yz": "554 5.3.0 Not ever", "close": "close"}
CODES = {"4yz": 451, "5yz": 554, "close": None}
# smtp-source speaks HELO, in clear, alone.
WITHOUT_TLS = ("smtp-source",)


def present():
    absent = clients.missing()
    return {name: client for name, client in clients.CLIENTS.items() if name not in absent}


class PlainMail(unittest.TestCase):
    def test_every_client_is_installed(self):
        self.assertEqual(clients.missing(), set(), "run Scripts/setup --tests")

    def test_mail_in_clear_over_starttls_and_over_implicit_tls_arrives(self):
        with Sink(smtps=1) as sink:
            count = 0
            for name, client in present().items():
                for tls in (None,) if name in WITHOUT_TLS else (None, "starttls", "implicit"):
                    with self.subTest(client=name, tls=tls):
                        said = client(sink.tls_port if tls == "implicit" else sink.port, "b@any.test", tls)
                        self.assertTrue(said.sent, said)
                        count += 1
                        session = sink.sessions(count)[count - 1]
                        self.assertEqual(verdicts(session), ["accepted"], session)
                        self.assertEqual(session["helo"], "client.test" if name != "smtplib" else session["helo"])
                        self.assertEqual(session["transactions"][0]["from"], clients.SENDER)
                        self.assertEqual(session["transactions"][0]["recipients"][0]["address"], "b@any.test")
                        self.assertEqual(session["ended_by"], "quit", session)
                        self.assertEqual(bool(session.get("tls")), tls is not None, session)
                        if tls:
                            self.assertIn(session["tls"]["version"], ("TLSv1.2", "TLSv1.3"))
                            self.assertTrue(session["tls"]["cipher"])

    def test_openssl_s_client_speaks_smtp_behind_starttls(self):
        with Sink(smtps=1) as sink:
            script = (f"EHLO client.test\nMAIL FROM:<{clients.SENDER}>\nRCPT TO:<b@any.test>\nDATA\n"
                      "Subject: s_client\n\nhello\n.\nQUIT\n").encode()
            for number, (port, flags) in enumerate(((sink.port, ["-starttls", "smtp"]), (sink.tls_port, [])), 1):
                with self.subTest(flags=flags):
                    # -ign_eof: it waits for the sink's close, not for the end of its input.
                    done = subprocess.run(
                        ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", "-crlf", "-ign_eof",
                         "-servername", "mx.any.test", *flags],
                        input=script, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
                    self.assertIn(b"221 2.0.0", done.stdout, done.stdout)
                    session = sink.sessions(number)[number - 1]
                    self.assertEqual(verdicts(session), ["accepted"], session)
                    self.assertEqual(session["tls"]["sni"], "mx.any.test", session)

    def test_openssl_s_client_sees_the_certificate_of_the_hostname(self):
        with Sink("--hostname", "mx.fake.test", smtps=1) as sink:
            done = subprocess.run(
                ["openssl", "s_client", "-connect", f"127.0.0.1:{sink.tls_port}", "-verify_hostname", "mx.fake.test"],
                input=b"QUIT\r\n", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
            self.assertNotIn(b"hostname mismatch", done.stdout.lower(), done.stdout)
            text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=done.stdout, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, timeout=20).stdout
            self.assertIn(b"DNS:mx.fake.test", text)
            self.assertIn(b"prime256v1", text)


class Refusals(unittest.TestCase):
    """One test a phase and answer; every client meets it."""

    def check(self, phase, answer):
        with Sink("--rule", f"{phase}: {ANSWERS[answer]}") as sink:
            for name, client in present().items():
                with self.subTest(client=name):
                    known = len(sink.records)
                    said = client(sink.port, "b@any.test")
                    self.assertFalse(said.sent, said)
                    session = sink.sessions(known + 1)[known]
                    self.assertEqual([f["phase"] for f in session["faults"]][0], phase, session)
                    if answer == "close":
                        self.assertEqual(session["ended_by"], "sink-close", session)
                        continue
                    self.assertEqual(session["rejected_at"], phase, session)
                    self.assertTrue(session["reply"].startswith(ANSWERS[answer]), session)
                    self.assertEqual(session["verdict"], "deferred" if answer == "4yz" else "rejected")
                    # What the client names must be what was recorded; not every client names everything.
                    if said.phase:
                        self.assertEqual(said.phase, session["rejected_at"], said)
                    if said.code:
                        self.assertEqual(said.code, CODES[answer], said)
                    self.assertTrue(said.phase or said.code, said)

    def test_a_lost_reply_leaves_the_message_stored_and_the_client_failing(self):
        with Sink("--rule", "end-of-data: keep, close") as sink:
            for number, (name, client) in enumerate(present().items(), 1):
                with self.subTest(client=name):
                    said = client(sink.port, "b@any.test")
                    self.assertFalse(said.sent, said)
                    session = sink.sessions(number)[number - 1]
                    self.assertEqual(verdicts(session), ["lost"], session)
                    self.assertTrue(session["transactions"][0]["message"], session)

    def test_a_lost_message_leaves_the_client_content(self):
        with Sink("--rule", "end-of-data: lose") as sink:
            for number, (name, client) in enumerate(present().items(), 1):
                with self.subTest(client=name):
                    self.assertTrue(client(sink.port, "b@any.test").sent)
                    session = sink.sessions(number)[number - 1]
                    self.assertEqual(verdicts(session), ["lost"], session)
                    self.assertFalse(session["transactions"][0].get("message"), session)

    def test_starttls_refused_or_cut_is_what_the_client_says(self):
        for answer, action in ANSWERS.items():
            with Sink("--rule", f"starttls: {action}") as sink:
                for name, client in present().items():
                    if name in WITHOUT_TLS:
                        continue
                    with self.subTest(client=name, answer=answer):
                        known = len(sink.records)
                        said = client(sink.port, "b@any.test", "starttls")
                        self.assertFalse(said.sent, said)
                        session = sink.sessions(known + 1)[known]
                        self.assertEqual(session["faults"][0]["phase"], "starttls", session)
                        if said.phase and answer != "close":
                            self.assertEqual(said.phase, "starttls", said)

    def test_magic_addresses_steer_real_clients(self):
        cases = {"rcpt-550@any.test": ("rcpt", 550), "rcpt-550-5.1.1@any.test": ("rcpt", 550), "data-451@any.test": ("data", 451),
                 "eod-554-5.7.1@any.test": ("end-of-data", 554), "eod-close@any.test": ("end-of-data", None)}
        with Sink() as sink:
            for address, (phase, code) in cases.items():
                for name, client in present().items():
                    with self.subTest(client=name, address=address):
                        known = len(sink.records)
                        said = client(sink.port, address)
                        self.assertFalse(said.sent, said)
                        session = sink.sessions(known + 1)[known]
                        self.assertEqual(session["faults"][0]["phase"], phase, session)
                        if code and said.code:
                            self.assertEqual(said.code, code, said)

    def test_the_second_attempt_of_an_x1_address_passes(self):
        with Sink() as sink:
            self.assertFalse(clients.python_smtplib(sink.port, "rcpt-451-x1@any.test").sent)
            self.assertTrue(clients.python_smtplib(sink.port, "rcpt-451-x1@any.test").sent)

    def test_auth_by_swaks_and_curl_is_recorded_without_its_secret(self):
        with Sink(smtps=1) as sink:
            import subprocess as s
            for number, command in enumerate((
                ["swaks", "--server", f"127.0.0.1:{sink.port}", "-tls", "--auth", "PLAIN", "--auth-user", "amy",
                 "--auth-password", "tops3cret", "--to", "b@any.test", "--from", clients.SENDER],
                ["swaks", "--server", f"127.0.0.1:{sink.port}", "-tls", "--auth", "LOGIN", "--auth-user", "amy",
                 "--auth-password", "tops3cret", "--to", "b@any.test", "--from", clients.SENDER],
                ["curl", "-sS", "--insecure", "--ssl-reqd", "--user", "amy:tops3cret", "--url",
                 f"smtp://127.0.0.1:{sink.port}", "--mail-from", clients.SENDER, "--mail-rcpt", "b@any.test", "-T", "LICENSE"],
            ), 1):
                with self.subTest(command=command[0], number=number):
                    done = s.run(command, stdout=s.PIPE, stderr=s.STDOUT, stdin=s.DEVNULL, timeout=20, cwd=clients.ROOT)
                    self.assertEqual(done.returncode, 0, done.stdout)
                    session = sink.sessions(number)[number - 1]
                    self.assertTrue(any(t.startswith("235") for t in said_by(session, "sink")), session)
                    text = repr(session)
                    for secret in ("tops3cret", "dG9wczNjcmV0", "AGFteQB0b3BzM2NyZXQ"):
                        self.assertNotIn(secret, text)


def add_cells():
    for phase in PHASES:
        for answer in ANSWERS:
            def cell(self, phase=phase, answer=answer):
                self.check(phase, answer)
            setattr(Refusals, f"test_{phase.replace('-', '_')}_{answer}_is_what_each_client_says", cell)


add_cells()

if __name__ == "__main__":
    unittest.main()
