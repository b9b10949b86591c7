# Good senders send good mail, and what is found against them is read through the API. The table is kept in
# GoodSenders.md of the documentation: a run that finds other rules fails, and writes what it found with
# FAKEMX_WRITE_TABLE=1. Whoever finds a `must` has to prove it from the octets, here and in the article.

import concurrent.futures
import email
import email.policy
import json
import os
import re
import shutil
import smtplib
import ssl
import tempfile
import unittest
import urllib.request

import senders
import sendertable
from mta import Missing
from sendertable import OVER_TIME
from sink import Sink, said_by

# Rules whose finding depends on the name of the machine: the right-hand side of a Message-ID.
BY_HOST_NAME = ("hdr-message-id-no-domain",)
# And on its pace: where one of five mails in a row is late, none is.
BY_PACE = ("conn-reconnect-per-message",)
# What a client of this machine calls itself when nobody gave it a name.
NAMES_HERE = ("localhost", "localhost.localdomain", "workstation", "[127.0.0.1]", "build-7.local", "0a1b2c3d4e5f")
# Layers that judge by address and name.
BY_LOOPBACK = ("connection", "greeting", "helo", "tls", "behaviour-over-time")
# Two at once is enough for two cores.
AT_ONCE = 2
SHOWN_OCTETS = 100


class Run:
    """One sender through all mails, at a sink of its own."""

    def __init__(self, name):
        self.name = name
        self.failed = {}
        self.mail_of = {}
        with Sink(http="127.0.0.1:0") as sink:
            self.send(sink)
            sink.settle()
            self.sessions = {record["id"]: record for record in sink.records}
            self.findings = json.loads(octets(sink, "findings?limit=1000"))["findings"]
            self.raw = {id: octets(sink, f"messages/{id}/raw") for id in self.message_ids()}

    def send(self, sink):
        sender = senders.SENDERS[self.name]
        server = sender = sender(sink.port) if isinstance(sender, type) else sender
        try:
            for mail in senders.MAILS:
                known = {record["id"] for record in sink.records}
                folder = tempfile.mkdtemp(prefix="fakemx-sender-")
                try:
                    sender(sink.port, mail, folder)
                    arrived(sink, mail, known)
                except (senders.Failed, AssertionError, OSError) as error:
                    self.failed[mail.name] = error
                finally:
                    shutil.rmtree(folder, ignore_errors=True)
                for record in sink.records:
                    if record["id"] not in known:
                        self.mail_of[record["id"]] = mail
        finally:
            if hasattr(server, "stop"):
                server.stop()

    def message_ids(self):
        return [t["message"] for record in self.sessions.values() for t in record["transactions"] if t.get("message")]

    def place(self, finding):
        """The mail a finding is about."""
        if any("session" in evidence for evidence in finding["evidence"]):
            return OVER_TIME
        return self.mail_of[finding["session"]].name

    def rules(self):
        found = {}
        for finding in self.findings:
            found.setdefault((self.name, self.place(finding)), set()).add((finding["severity"], finding["rule"]))
        return found

    def shown(self, finding):
        """The octets or the lines that prove a must; fails where they do not."""
        session = self.sessions[finding["session"]]
        evidence = finding["evidence"][0]
        if finding["rule"] == "quit-missing":
            said = said_by(session, "client")
            assert "QUIT" not in [word.upper() for word in said], said
            assert session["ended_by"] in ("client-close", "client-reset"), session["ended_by"]
            lines = [f"{'C' if line['who'] == 'client' else 'S'}: {line['text'] or '[message]'}"
                     for line in session["lines"][-4:]]
            return "\n".join([*lines, f"({session['ended_by']})"])
        limit = {"data-line-too-long": 998, "mime-qp-line-too-long": 76}[finding["rule"]]
        line = self.raw[evidence["message"]][slice(*evidence["range"])].removesuffix(b"\r\n")
        assert len(line) > limit and b"\n" not in line, (len(line), line[:SHOWN_OCTETS])
        cut = "…" if len(line) > SHOWN_OCTETS else ""
        return f"{line[:SHOWN_OCTETS].decode('ascii')}{cut}\n({len(line)} octets without CRLF)"

    def proofs(self):
        by_rule = {}
        for finding in sorted(self.findings, key=lambda finding: int(finding["session"][1:])):
            if finding["severity"] == "must":
                by_rule.setdefault(finding["rule"], []).append((self.place(finding), self.shown(finding)))
        return [sendertable.proof(self.name, rule, evidence) for rule, evidence in sorted(by_rule.items())]


def arrived(sink, mail, known):
    """Waits until every recipient of the mail is in a session that has ended."""
    def is_there(record):
        return record["id"] not in known and any(t["verdict"] == "accepted" for t in record["transactions"])

    for count in range(1, len(mail.recipients) + 1):
        sessions = sink.sessions(count, where=is_there)
        accepted = sorted(r["address"] for s in sessions for t in s["transactions"] for r in t["recipients"])
        if accepted == sorted(mail.recipients):
            return
    raise AssertionError(f"accepted {accepted}, not {mail.recipients}")


def octets(sink, path):
    with urllib.request.urlopen(f"{sink.url}/api/fakemx/{path}", timeout=20) as answer:
        return answer.read()


class Senders(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.absent = senders.missing()
        cls.runs, cls.without = {}, {}
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            begun = {name: pool.submit(Run, name) for name in senders.SENDERS if name not in cls.absent}
        for name, run in begun.items():
            try:
                cls.runs[name] = run.result()
            except Missing as reason:
                cls.without[name] = str(reason)
        cls.found = {}
        for run in cls.runs.values():
            cls.found.update(run.rules())

    def test_every_sender_is_installed(self):
        self.assertEqual(self.absent, {}, "run Scripts/setup --tests")
        if self.without:
            self.skipTest("; ".join(self.without.values()))

    def test_every_mail_arrives_for_all_its_recipients(self):
        self.assertEqual({(name, mail): str(error) for name, run in self.runs.items()
                          for mail, error in run.failed.items()}, {})
        self.assertEqual({name: len(set(run.mail_of.values())) for name, run in self.runs.items()},
                         {name: len(senders.MAILS) for name in self.runs})

    def test_what_was_written_is_what_arrived(self):
        """A line with a dot at its beginning, and one of a dot alone, come through; a long line is whole."""
        for name, run in self.runs.items():
            texts = [text_of(octets) for octets in run.raw.values()]
            with self.subTest(sender=name):
                self.assertTrue(any("\n.profile is a file\n.\n..\n" in text for text in texts), name)
                self.assertTrue(any(senders.LONG_LINE in text for text in texts), name)

    def test_every_must_is_proved_by_octets_and_by_a_sentence(self):
        for name, run in self.runs.items():
            for finding in run.findings:
                if finding["severity"] == "must":
                    with self.subTest(sender=name, rule=finding["rule"]):
                        self.assertIn(finding["rule"], sendertable.SENTENCES, finding)
                        self.assertTrue(run.shown(finding))

    def test_loopback_is_held_against_nobody(self):
        """What an address of this machine causes is worth knowing at most."""
        with Sink(http="127.0.0.1:0") as sink:
            for name in NAMES_HERE:
                for _ in range(2):
                    self.send_as(name, sink.port)
            sink.sessions(2 * len(NAMES_HERE))
            found = json.loads(octets(sink, "findings?limit=1000"))["findings"]
        self.assertEqual([(f["rule"], f["severity"], f["saw"]) for f in found
                          if f["layer"] in BY_LOOPBACK and f["severity"] != "info"], [])
        # They are said all the same, with the reason.
        named = {f["rule"] for f in found if f.get("reason")}
        self.assertLessEqual({"helo-localhost", "helo-not-fqdn", "tls-no-sni"}, named, found)

    def send_as(self, name, port):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with smtplib.SMTP("127.0.0.1", port, local_hostname=name, timeout=10) as client:
            client.starttls(context=context)
            client.sendmail(senders.FROM, ["ben@any.test"], senders.MAILS[0].composed(True))

    def test_the_table_of_senders_and_findings(self):
        names = list(self.runs)
        if os.environ.get("FAKEMX_WRITE_TABLE"):
            self.assertEqual({**self.absent, **self.without}, {}, "the table needs every sender")
            proofs = [proof for run in self.runs.values() for proof in run.proofs()]
            with open(sendertable.ARTICLE, "w") as file:
                file.write(sendertable.article(self.found, names, proofs))
            return
        with open(sendertable.ARTICLE) as file:
            known = rows(sendertable.tables(file.read()), names)
        found = rows(sendertable.tables(sendertable.article(self.found, names, [])), names)
        self.assertEqual(found, known)


def rows(lines, names):
    """The rows of these senders, without rules that depend on the machine."""
    kept = [line for line in lines if line.split(" | ")[0].removeprefix("| ") in names]
    for rule in BY_HOST_NAME + BY_PACE:
        kept = [re.sub(rf"{rule}, |, {rule}|{rule}", "", line) for line in kept]
    return kept


def text_of(octets):
    """The plain text, or else the HTML, of a message, its lines ending in LF."""
    message = email.message_from_bytes(octets, policy=email.policy.default)
    part = message.get_body(("plain", "html"))
    return part.get_content().replace("\r\n", "\n")


if __name__ == "__main__":
    unittest.main()
