# Real clients send plain mail and mail over TLS, and meet a 4yz, a 5yz and a close at each phase. What the client itself
# says of it is compared with what fakemx recorded; and what is found against it is its own doing, never that of a fault.

import collections
import subprocess
import unittest

import clients
import fair
from fair import May
from sink import Sink, said_by, verdicts

PHASES = ("greeting", "ehlo", "mail", "rcpt", "data", "end-of-data")
ANSWERS = {"4yz": "451 4.3.0 Not now", "5yz": "554 5.3.0 Not ever", "close": "close"}
CODES = {"4yz": 451, "5yz": 554, "close": None}
REFUSALS = ("4yz", "5yz")
# smtp-source speaks HELO, in clear, alone.
WITHOUT_TLS = ("smtp-source",)

# --- what may be found --------------------------------------------------------------------------------------------------

CLEAR, STARTTLS, IMPLICIT = "clear", "starttls", "implicit"
AS_IT_IS = ("curl", "nullmailer", "smtplib")
OWN_DOING = [
    May("hdr-missing-date", "the message has no Date, and they carry it as it is", AS_IT_IS),
    May("hdr-message-id-missing", "the message has none, and they carry it as it is", AS_IT_IS),
    May("hdr-message-id-no-domain", "swaks puts the name of the machine there", ["swaks"], severities=["info"]),
    May("hdr-subject-missing", "smtp-source writes a header of its own, without one", ["smtp-source"]),
    May("hdr-dkim-missing", "nobody signs"),
    May("helo-old-helo", "they say EHLO to get at STARTTLS, or never", ["nullmailer", "smtp-source"], lambda row: row.tls != STARTTLS),
    May("tls-not-used", "they were told to send in clear", where=lambda row: row.tls == CLEAR),
    May("tls-no-sni", "the sink is reached by an address, which has no name", severities=["info"]),
    May("conn-reconnect-per-message", "all come from one address, each with one message", severities=["info"]),
    May("retry-immediate", "they have one sender, and of a mail that is refused at MAIL no more is known",
        where=lambda row: (row.phase, row.answer) == ("mail", "4yz"), severities=["info"]),
]
# RFC 5321 §4.1.1.10 asks for QUIT behind a refusal too: the session is as good as it was.
WITHOUT_QUIT = [
    May("quit-missing", "they end at the first refusal, and leave the socket to the kernel", ["msmtp", "smtp-source"],
        lambda row: row.answer in REFUSALS),
    May("quit-missing", "smtplib leaves QUIT to the program that calls it, and this one closes", ["smtplib"],
        lambda row: row.answer in REFUSALS),
    May("quit-missing", "it says QUIT behind any refusal but that of EHLO", ["curl"],
        lambda row: row.answer in REFUSALS and row.phase == "ehlo"),
]
Row = collections.namedtuple("Row", ("tls", "phase", "answer"), defaults=(CLEAR, None, None))


class Meeting(Sink):
    """A sink that clients come to one after the other, each for a domain of its own: what one of them sends again is not
    the message of another."""

    def __init__(self, *arguments, **options):
        self.whose = {}
        super().__init__(*arguments, http="127.0.0.1:0", **options)

    def meet(self, name, to="b", tls=CLEAR, phase=None, answer=None):
        """What the client says, and the session that it had."""
        known = len(self.records)
        port = self.tls_port if tls == IMPLICIT else self.port
        said = clients.CLIENTS[name](port, f"{to}@{name}.test", None if tls == CLEAR else tls)
        session = self.sessions(known + 1)[known]
        self.whose[session["id"]] = name, Row(tls, phase, answer)
        return said, session

    def unfair(self):
        """What was found and is not the client's doing."""
        return fair.unfair(self, OWN_DOING + WITHOUT_QUIT, lambda record: self.whose.get(record["id"], (None, None)))


def present():
    absent = clients.missing()
    return {name: client for name, client in clients.CLIENTS.items() if name not in absent}


class PlainMail(unittest.TestCase):
    def test_every_client_is_installed(self):
        self.assertEqual(clients.missing(), set(), "run Scripts/setup --tests")

    def test_mail_in_clear_over_starttls_and_over_implicit_tls_arrives(self):
        with Meeting(smtps=1) as sink:
            for name in present():
                for tls in (CLEAR,) if name in WITHOUT_TLS else (CLEAR, STARTTLS, IMPLICIT):
                    with self.subTest(client=name, tls=tls):
                        said, session = sink.meet(name, tls=tls)
                        self.assertTrue(said.sent, said)
                        self.assertEqual(verdicts(session), ["accepted"], session)
                        self.assertEqual(session["helo"], "client.test" if name != "smtplib" else session["helo"])
                        self.assertEqual(session["transactions"][0]["from"], clients.SENDER)
                        self.assertEqual(session["transactions"][0]["recipients"][0]["address"], f"b@{name}.test")
                        self.assertEqual(session["ended_by"], "quit", session)
                        self.assertEqual(bool(session.get("tls")), tls != CLEAR, session)
                        if tls != CLEAR:
                            self.assertIn(session["tls"]["version"], ("TLSv1.2", "TLSv1.3"))
                            self.assertTrue(session["tls"]["cipher"])
            self.assertEqual(sink.unfair(), [])

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
        with Meeting("--rule", f"{phase}: {ANSWERS[answer]}") as sink:
            for name in present():
                with self.subTest(client=name):
                    said, session = sink.meet(name, phase=phase, answer=answer)
                    self.assertFalse(said.sent, said)
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
            self.assertEqual(sink.unfair(), [])

    def test_a_lost_reply_leaves_the_message_stored_and_the_client_failing(self):
        with Meeting("--rule", "end-of-data: keep, close") as sink:
            for name in present():
                with self.subTest(client=name):
                    said, session = sink.meet(name)
                    self.assertFalse(said.sent, said)
                    self.assertEqual(verdicts(session), ["lost"], session)
                    self.assertTrue(session["transactions"][0]["message"], session)
            self.assertEqual(sink.unfair(), [])

    def test_a_lost_message_leaves_the_client_content(self):
        with Meeting("--rule", "end-of-data: lose") as sink:
            for name in present():
                with self.subTest(client=name):
                    said, session = sink.meet(name)
                    self.assertTrue(said.sent, said)
                    self.assertEqual(verdicts(session), ["lost"], session)
                    self.assertFalse(session["transactions"][0].get("message"), session)
            self.assertEqual(sink.unfair(), [])

    def test_starttls_refused_or_cut_is_what_the_client_says(self):
        for answer, action in ANSWERS.items():
            with Meeting("--rule", f"starttls: {action}") as sink:
                for name in present():
                    if name in WITHOUT_TLS:
                        continue
                    with self.subTest(client=name, answer=answer):
                        said, session = sink.meet(name, tls=STARTTLS, phase="starttls", answer=answer)
                        self.assertFalse(said.sent, said)
                        self.assertEqual(session["faults"][0]["phase"], "starttls", session)
                        if said.phase and answer != "close":
                            self.assertEqual(said.phase, "starttls", said)
                self.assertEqual(sink.unfair(), [])

    def test_magic_addresses_steer_real_clients(self):
        cases = {"rcpt-550": ("rcpt", 550), "rcpt-550-5.1.1": ("rcpt", 550), "data-451": ("data", 451),
                 "eod-554-5.7.1": ("end-of-data", 554), "eod-close": ("end-of-data", None)}
        for part, (phase, code) in cases.items():
            with Meeting() as sink:
                for name in present():
                    with self.subTest(client=name, part=part):
                        answer = f"{code // 100}yz" if code else "close"
                        said, session = sink.meet(name, part, phase=phase, answer=answer)
                        self.assertFalse(said.sent, said)
                        self.assertEqual(session["faults"][0]["phase"], phase, session)
                        if code and said.code:
                            self.assertEqual(said.code, code, said)
                self.assertEqual(sink.unfair(), [])

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
