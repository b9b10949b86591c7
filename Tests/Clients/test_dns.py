# What `fakemx dns` prints: dnsmasq and unbound answer with it alike, and a real Postfix and a real Exim that ask dnsmasq
# go from one MX to the next. Which MX they came to, and in which order, is read from the listeners in fakemx's records.

import os
import re
import shutil
import tempfile
import time
import unittest

import mta
import nameserver
from nameserver import Dnsmasq, Unbound, UnboundZone, dig, free_port
from sink import ROOT, Sink, run, said_by, verdicts

SCENARIO = os.path.join(ROOT, "Config", "scenarios", "several-mx.yaml")
ADDRESSES = ("127.0.0.11", "127.0.0.12", "127.0.0.13")
MESSAGE = b"From: sender@origin.test\nTo: b@any.test\nSubject: mx\n\nhello\n"
LIMIT_S = 40
SERVERS = ((Dnsmasq, "dnsmasq"), (Unbound, "unbound"), (UnboundZone, "zone"))

# dig's short form, sorted. A name server turns the records of one name as it likes.
ANSWERS = {
    ("any.test", "MX"): ["10 mx1.fakemx.test.", "20 mx2.fakemx.test.", "30 mx3.fakemx.test."],
    ("equal.test", "MX"): ["10 mx1.fakemx.test.", "10 mx2.fakemx.test.", "10 mx3.fakemx.test."],
    ("null.test", "MX"): ["0 ."],
    ("null.test", "A"): [],
    ("dead.test", "MX"): ["10 mx.dead.test."],
    ("mx.dead.test", "A"): ["127.255.255.254"],
    ("dead-first.test", "MX"): ["10 mx.dead.test.", "20 mx1.fakemx.test.", "30 mx2.fakemx.test.", "40 mx3.fakemx.test."],
    ("implicit.test", "MX"): [],
    ("implicit.test", "A"): ["127.0.0.13"],
    ("missing.test", "MX"): ["10 nowhere.missing.test."],
    ("nowhere.missing.test", "A"): [],
    ("nowhere.missing.test", "AAAA"): [],
    ("mx1.test", "MX"): ["10 mx1.fakemx.test."],
    ("mx3.test", "MX"): ["10 mx3.fakemx.test."],
    ("mx1.fakemx.test", "A"): ["127.0.0.11"],
    ("mx1.fakemx.test", "AAAA"): [],
    ("mx3.fakemx.test", "A"): ["127.0.0.13"],
    ("unknown.test", "MX"): [],
}


def zone(*arguments):
    status, out, err = run("dns", *arguments)
    if status != 0 or err:
        raise AssertionError(f"exit {status}: {err}")
    return out


class NameServers(unittest.TestCase):
    def ask(self, arguments, answers):
        for kind, form in SERVERS:
            with self.subTest(form=form):
                try:
                    with kind(zone(*arguments, "--format", form)) as server:
                        found = {question: dig(server, *question) for question in answers}
                except nameserver.Missing as reason:
                    self.skipTest(str(reason))
                self.assertEqual(found, answers)

    def test_dnsmasq_and_unbound_answer_alike(self):
        self.ask(["--scenario", "several-mx"], ANSWERS)

    def test_another_base_and_ipv6_and_a_shared_host_name(self):
        # Both greet as mx.fakemx.test, which is neither one host nor under lab.test.
        self.ask(["--smtp", "[::1]:2525", "--smtp", "127.0.0.9:2525", "--domain", "Lab.test.", "--dead", "192.0.2.1"], {
            ("any.lab.test", "MX"): ["10 mx.smtp.lab.test.", "20 mx.smtp-2.lab.test."],
            ("mx.smtp.lab.test", "AAAA"): ["::1"],
            ("mx.smtp.lab.test", "A"): [],
            ("mx.smtp-2.lab.test", "A"): ["127.0.0.9"],
            ("null.lab.test", "MX"): ["0 ."],
            ("mx.dead.lab.test", "A"): ["192.0.2.1"],
            ("mx.fakemx.test", "A"): [],
        })


class CommandLine(unittest.TestCase):
    def test_what_is_wrong_is_said_with_its_place(self):
        cases = (
            (["--format", "dnsmaq"], '--format: unknown format "dnsmaq"; did you mean "dnsmasq"?'),
            (["--domain", "a..b"], '--domain: "a..b" is not a domain; write one as test or lab.test'),
            (["--dead", "127.0.0.1"], "--dead: the listener smtp is at 127.0.0.1; name another address"),
            (["--smtp", "0.0.0.0:25"], "listener smtp: warning: left out of the zone: 0.0.0.0 is every address"),
            (["--smtp", "unix:/tmp/x"], "no listener is left that an MX can lead to"),
            (["--scenario", "several-nx"], 'did you mean "several-mx"?'),
        )
        for arguments, words in cases:
            with self.subTest(arguments=arguments):
                status, out, err = run("dns", *arguments)
                self.assertEqual((status, out), (2, ""))
                self.assertIn(words, err)

    def test_the_environment_counts_as_for_serve(self):
        status, out, err = run("dns", environment={"FAKEMX_SCENARIO": "several-mx"})
        self.assertEqual((status, out, err), (0, zone("--scenario", "several-mx"), ""))


class Sender:
    """fakemx with the scenario at a free port, dnsmasq at port 53 of an address of its own, and an MTA that asks it."""

    def __init__(self, kind):
        mta.need_root()
        port = free_port(*ADDRESSES)
        self.folder = tempfile.mkdtemp(prefix="fakemx-dns-")
        self.running = []
        try:
            configuration = os.path.join(self.folder, "several-mx.yaml")
            with open(SCENARIO) as source, open(configuration, "w") as file:
                file.write(source.read().replace(":1025", f":{port}"))
            resolver = Dnsmasq(zone("--config", configuration), 53)
            self.running.append(resolver)
            self.sink = Sink("--config", configuration, "--loops", "1", listeners=False)
            self.running.append(self.sink)
            domains = {name for name, question in ANSWERS if question == "MX"} | {"implicit.test"}
            self.mta = kind(mta.ByMX(sorted(domains), port, resolver.address, kept=["mx3.test"]))
            self.running.append(self.mta)
        except BaseException:
            self.stop()
            raise

    def send(self, *recipients):
        """One message to each recipient. Waits for the MTA's first word on each; returns those, and the sessions that the
        sink recorded meanwhile, in the order in which they began."""
        self.mta.forget()
        before = len(self.sink.records)
        for recipient in recipients:
            self.mta.submit(recipient, MESSAGE)
        deadline = time.monotonic() + LIMIT_S
        while True:
            attempts = self.mta.attempts()
            if all(recipient in attempts for recipient in recipients):
                break
            if time.monotonic() > deadline:
                raise AssertionError(f"not tried within {LIMIT_S} s: {recipients}\n{self.mta.log()[-3000:]}")
            time.sleep(0.05)
        # A kept connection is recorded when it ends.
        sent = [recipient for recipient in recipients if attempts[recipient][0][0] == "sent"]
        deadline = time.monotonic() + LIMIT_S
        while True:
            sessions = sorted(self.sink.records[before:], key=lambda s: s["started"])
            delivered = [r["address"] for s in sessions for t in s["transactions"] if t["verdict"] == "accepted"
                         for r in t["recipients"]]
            if sorted(delivered) == sorted(sent):
                return [attempts[recipient][0] for recipient in recipients], sessions
            if time.monotonic() > deadline:
                raise AssertionError(f"the MTA says sent: {sent}; recorded: {delivered}")
            time.sleep(0.05)

    def stop(self):
        for running in reversed(self.running):
            running.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def listeners(sessions):
    return [s["listener"] for s in sessions]


class ByMX:
    """The same for each MTA."""

    @classmethod
    def setUpClass(cls):
        cls.sender, cls.why = None, None
        try:
            cls.sender = Sender(cls.kind)
        except (mta.Missing, nameserver.Missing) as reason:
            # Each test is skipped by itself: a skipped class would count no test.
            cls.why = str(reason)

    @classmethod
    def tearDownClass(cls):
        if cls.sender:
            cls.sender.stop()

    def setUp(self):
        if self.why:
            self.skipTest(self.why)

    def test_after_a_421_it_goes_to_the_next_mx(self):
        [(status, said)], sessions = self.sender.send("b@any.test")
        self.assertEqual((status, listeners(sessions)), ("sent", ["mx1", "mx2"]), said)
        refused, taken = sessions
        self.assertEqual((refused["verdict"], refused["rejected_at"], refused["transactions"]), ("deferred", "greeting", []))
        self.assertTrue(said_by(refused, "sink")[0].startswith("421 4.3.2"), refused["lines"])
        self.assertEqual(verdicts(taken), ["accepted"])

    def test_a_recipient_that_the_second_mx_defers_comes_to_the_third(self):
        [(status, said)], sessions = self.sender.send("full@any.test")
        self.assertEqual((status, listeners(sessions)), ("sent", ["mx1", "mx2", "mx3"]), said)
        self.assertEqual([s["verdict"] for s in sessions], ["deferred", "deferred", "accepted"])
        self.assertEqual(sessions[1]["rejected_at"], "rcpt")

    def test_a_dead_mx_is_passed_over(self):
        before = len(self.sender.mta.log())
        [(status, said)], sessions = self.sender.send("b@dead-first.test")
        self.assertEqual((status, listeners(sessions)), ("sent", ["mx1", "mx2"]), said)
        self.assertRegex(self.sender.mta.log()[before:], r"127\.255\.255\.254.*Connection refused")

    def test_a_dead_mx_alone_defers(self):
        [(status, said)], sessions = self.sender.send("b@dead.test")
        self.assertEqual((status, sessions), ("deferred", []), said)
        self.assertIn("Connection refused", said)

    def test_a_null_mx_bounces_at_once(self):
        [(status, said)], sessions = self.sender.send("b@null.test")
        self.assertEqual((status, sessions), ("bounced", []), said)
        self.assertRegex(said, r"nullMX|no SMTP service")

    def test_an_mx_without_an_address_bounces(self):
        [(status, said)], sessions = self.sender.send("b@missing.test")
        self.assertEqual((status, sessions), ("bounced", []), said)

    def test_without_an_mx_the_address_counts(self):
        [(status, said)], sessions = self.sender.send("b@implicit.test")
        self.assertEqual((status, listeners(sessions)), ("sent", ["mx3"]), said)

    def test_equals_share_the_mail(self):
        # mx1 refuses; that the other two are drawn alike 32 times happens once in two thousand million runs.
        results, sessions = self.sender.send(*[f"b{number}@equal.test" for number in range(32)])
        self.assertEqual({status for status, _ in results}, {"sent"})
        self.assertEqual({s["listener"] for s in sessions if "accepted" in verdicts(s)}, {"mx2", "mx3"}, listeners(sessions))


class PostfixByMX(ByMX, unittest.TestCase):
    kind = mta.Postfix

    def test_one_connection_carries_several_messages(self):
        results, sessions = self.sender.send(*[f"b{number}@mx3.test" for number in range(5)])
        self.assertEqual({status for status, _ in results}, {"sent"})
        self.assertEqual(set(listeners(sessions)), {"mx3"})
        self.assertEqual(sum(len(s["transactions"]) for s in sessions), 5)
        # One session, unless the machine sleeps longer than Postfix keeps a connection.
        self.assertLess(len(sessions), 5)
        self.assertTrue(any(re.search("conn_use=", line) for line in self.sender.mta.log().splitlines()))


class EximByMX(ByMX, unittest.TestCase):
    kind = mta.Exim


if __name__ == "__main__":
    unittest.main()
