# What went wrong in a recorded session goes wrong again: fakemx replay makes a scenario of the record, and the same client
# against a sink with it sees the same replies, the same end, and leaves the same verdicts in the record.

import json
import os
import re
import ssl
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

import wire
from sink import Sink, fault_rules, run
from wire import Wire

# Longer than any delay here; a sink that said nothing by then says nothing.
PATIENCE_S = 1.2
# Cases that are played beside each other.
AT_ONCE = 4
MESSAGE = b"From: a@sender.test\r\nTo: b@any.test\r\nSubject: invoice 7\r\n\r\n" + b"0123456789\r\n" * 40 + b".\r\n"
# The id of a session, in the reply that names the stored message.
QUEUED = re.compile(r"queued as \S+")


class Client:
    """Says the same things in the same order, goes on after a refusal, and writes down what it saw."""

    def __init__(self, port, implicit=False, starttls=False, sni="fakemx.test", to=("b@any.test", "c@any.test"),
                 sender="a@sender.test", bdat=False, transactions=2, ehlo="client.test", ends="QUIT"):
        self.seen, self.end = [], None
        with Wire(port) as self.wire:
            self.sni = sni
            try:
                if implicit:
                    self.handshake()
                self.hear()
                self.ask(f"EHLO {ehlo}")
                if starttls and self.ask("STARTTLS") == 220:
                    self.handshake()
                    self.ask(f"EHLO {ehlo}")
                for _ in range(transactions):
                    self.transaction(sender, to, bdat)
                for line in ("NOOP", "VRFY x", "RSET", ends):
                    self.ask(line)
            except StopIteration:
                pass
            self.end = self.end or self.wire.end(PATIENCE_S)

    def transaction(self, sender, to, bdat):
        self.ask(f"MAIL FROM:<{sender}>")
        for address in to:
            self.ask(f"RCPT TO:<{address}>")
        if bdat:
            self.ask(b"BDAT 100\r\n" + b"x" * 100)
            self.ask(b"BDAT 300\r\n" + b"y" * 300)
            self.ask(b"BDAT 80 LAST\r\n" + b"z" * 80)
        elif self.ask("DATA") == 354:
            self.wire.send(MESSAGE)
            self.hear()

    def handshake(self):
        self.wire.socket.settimeout(PATIENCE_S)
        try:
            self.wire.socket = wire.TRUSTING.wrap_socket(self.wire.socket, server_hostname=self.sni)
            self.wire.buffer = b""
        except (ssl.SSLError, OSError) as error:
            # Its socket is gone with it, so what the sink does next is the record's to say.
            self.end = ("handshake", type(error).__name__, getattr(error, "reason", None))
            raise StopIteration from error

    def ask(self, line):
        self.wire.send(line if isinstance(line, bytes) else line.encode() + b"\r\n")
        return self.hear()

    def hear(self):
        seen = self.wire.reply(PATIENCE_S)
        self.seen.append((seen.kind, seen.code, [QUEUED.sub("queued", text) for text in seen.lines], seen.partial))
        if seen.kind != "reply":
            raise StopIteration
        return seen.code


def outcome(session):
    """What a record says of a session that must be the same again."""
    return {
        "said": [QUEUED.sub("queued", line["text"]) for line in session["lines"] if line["who"] == "sink"],
        "transactions": [
            (t["verdict"], t.get("rejected_at"), QUEUED.sub("queued", t.get("reply", "")), "message" in t,
             [(r["address"], r["reply"]) for r in t["recipients"]]) for t in session["transactions"]],
        **{key: QUEUED.sub("queued", session.get(key) or "") for key in ("verdict", "rejected_at", "reply", "ended_by")},
        "faults": [(f["phase"], f["use"], f.get("octets"), f["script"]) for f in session["faults"]
                   if not f["script"][0].startswith("tls ")],
    }


def rule(*lines):
    return tuple(part for line in lines for part in ("--rule", line))


GREYLIST = "rcpt greylist=1h..4h/36d per=from,to: 451 4.7.1 Come again"
# (what the sink is told, what the client is told)
CASES = [
    # Replies at each phase.
    (rule("connect: 554 5.7.1 No \"you\": #1"), {}), (rule("greeting: 421 4.3.2 Too busy"), {}),
    (rule("ehlo: 502 5.5.1 No EHLO\\nnot here"), {}), (rule("starttls: 454 4.7.0 Not now"), {"starttls": True}),
    (rule("mail nth=2: 451 4.3.0 'Later'"), {}), (rule("rcpt to=c@*: 550 5.1.1 No c here"), {}),
    (rule("data nth=2: 554 5.5.1 No"), {}), (rule("end-of-data header.subject=*invoice*: 550 5.7.1 Spam: \\\\ é"), {}),
    (rule("rset: 421 4.3.0 Bye"), {}), (rule("noop: 500 5.5.2 What"), {}), (rule("vrfy: 550 5.1.1 No"), {}),
    (rule("quit: 554 5.0.0 Stay"), {}), (rule("accepted nth=2: 421 4.3.2 Done"), {}),
    (rule("idle nth=6: 421 4.4.2 Gone"), {}), (rule("tls: 554 5.7.0 Not with that cipher"), {"starttls": True}),
    # Draws, delays, counts.
    (rule("rcpt: delay 10ms..150ms"), {}), (rule("mail: delay 20ms..90ms, 451 4.3.0 Slow no"), {}),
    (rule("rcpt 50%: 450 4.2.0 Perhaps") + ("--seed", "7"), {"to": [f"u{n}@any.test" for n in range(12)]}),
    (rule("data: delay 1h..2h") + ("--time-scale", "72000"), {}), (rule("rcpt every=3: 452 4.2.2 Full"), {}),
    (rule(GREYLIST), {}), (rule("rcpt limit=3/1h per=client: 452 4.5.3 Too many"), {}),
    (rule("rcpt errors=1 per=session: 421 4.7.0 Too many errors", "rcpt nth=2: 550 5.1.1 No"), {}),
    (rule("rcpt: tarpit 20ms..60ms", "mail: 550 5.1.0 No"), {}),
    # Ends.
    (rule("connect: reset"), {}), (rule("greeting: close"), {}), (rule("mail nth=2: close"), {}),
    (rule("rcpt nth=3: reset"), {}), (rule("data: stall"), {}), (rule("end-of-data nth=2: close"), {}),
    (rule("end-of-data: keep, reset"), {}), (rule("end-of-data: keep, 451 4.3.0 Kept"), {}),
    (rule("end-of-data: lose"), {}), (rule("end-of-data nth=2: accept, close"), {}), (rule("quit: stop-reading"), {}),
    # Odd replies, slow replies.
    (rule("greeting: raw multiline-greeting"), {}), (rule("greeting: raw pix"), {}), (rule("ehlo: raw lowercase-ehlo"), {}),
    (rule("mail: raw no-code"), {}), (rule("rcpt nth=2: raw missing-last-line"), {}), (rule("data: raw early-reply"), {}),
    (rule("end-of-data: raw unsolicited-421, 250 2.0.0 Fine"), {}), (rule("noop: raw nul-in-reply"), {}),
    (rule("mail: raw \"250 one\\|\\r\\n\""), {}), (rule("rcpt: raw \"550 5.1.1 \\xe9\\x00\\\"\\\\ no\\r\\n\""), {}),
    (rule("greeting: drip 200/s"), {}), (rule("mail: drip 200/s, 550 5.1.0 Slowly no"), {}),
    # The EHLO list and TLS.
    (rule("ehlo: hide PIPELINING CHUNKING"), {}), (rule("connect: hide STARTTLS SIZE"), {}),
    (rule("starttls: tls close"), {"starttls": True}), (rule("starttls: tls garbage"), {"starttls": True}),
    (rule("tls: tls alert-handshake-failure"), {"starttls": True}), (rule("tls: tls ehlo-changed"), {"starttls": True}),
    (rule("ehlo: tls refused"), {"starttls": True}), (rule("connect: tls injected-reply"), {"starttls": True}),
    (rule("tls: tls stall"), {"starttls": True}), (rule("tls: tls close-in-handshake"), {"implicit": True}),
    (rule("connect: 554 5.7.1 Not you"), {"implicit": True}), ((), {"starttls": True, "sni": "close-after-handshake.x.test"}),
    ((), {"implicit": True, "sni": "expired.fakemx.test"}),
    # The catalogue, and addresses that ask.
    (rule("rcpt nth=2: use gmail/over-quota"), {}),
    ((), {"to": ["rcpt-451-x1@any.test", "rcpt-550-5.1.1@any.test"]}), ((), {"sender": "mail-552@any.test"}),
    ((), {"to": ["eod-close@any.test"]}), ((), {"to": ["eod-use-gmail.over-quota@any.test"]}),
    ((), {"to": ["data-421@any.test"]}), ((), {"to": ["eod-delay-100ms@any.test", "eod-drop@any.test"]}),
    (("--magic", "badsmtp"), {"ehlo": "no8bit-nopipelining.x.test", "sender": "noop421@x.test"}),
    (("--magic", "kumo,mailtrap"), {"to": ["bounce+550+%4Eo+user@x.test", "450-user@x.test"]}),
    # Inside the message.
    (rule("body size=>=100 nth=2: 552 5.3.4 Half-way"), {}), (rule("body size=>=300: close"), {}),
    (rule("body size=>=50: delay 30ms", "body size=>=200 nth=2: reset"), {}), (rule("body: 451 4.3.0 At once"), {}),
    (rule("body size=>=100: 552 5.3.4 On the edge"), {"bdat": True}), (rule("body size=>=250 nth=2: close"), {"bdat": True}),
    (rule("body size=>=480: 451 4.3.0 At the very end"), {"bdat": True}), (rule("data nth=2: 451 4.3.0 No"), {"bdat": True}),
    # Several faults in one session.
    (rule("rcpt nth=2: 450 4.2.0 Two", "rcpt nth=3: delay 30ms", "rcpt: 452 4.2.2 The rest", "mail nth=2: delay 20ms"),
     {"to": [f"u{n}@any.test" for n in range(4)]}),
    (rule("ehlo: hide SIZE", "mail nth=2: 451 4.3.0 Not yet", "mail nth=3: delay 20ms", "end-of-data nth=2: keep, close"),
     {"transactions": 4}),
]


class Replay(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="fakemx-replay-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def record(self, sessions, name="sessions.json"):
        with open(self.path(name), "w") as file:
            file.write("ready smtp=127.0.0.1:1025\n" + "".join(json.dumps(s) + "\n" for s in sessions))
        return self.path(name)

    def play(self, arguments, told, count=1):
        """Lets the client in, `count` times; returns what it saw each time, and the records."""
        implicit = told.get("implicit", False)
        with Sink(*arguments, smtps=1 if implicit else 0, smtp=0 if implicit else 1) as sink:
            clients, sessions = [], []
            for number in range(count):
                clients.append(Client(sink.tls_port if implicit else sink.port, **told))
                sessions = sink.sessions(number + 1)
            return clients, sessions

    def make(self, session, sessions=None, name="again"):
        """The scenario of a session; it passes check."""
        scenario = self.path(f"{name}.yaml")
        source = self.record(sessions or [session], f"{name}.json")
        status, out, errors = run("replay", source, "--session", session["id"], "--output", scenario)
        self.assertEqual((status, errors), (0, ""), out)
        status, out, errors = run("check", scenario)
        self.assertEqual(status, 0, errors)
        return scenario

    def test_the_same_goes_wrong_again(self):
        def both(number, arguments, told):
            (client,), (session,) = self.play(arguments, told)
            self.assertTrue(session["faults"], session)
            scenario = self.make(session, name=f"case-{number}")
            # Each session that comes meets the same.
            clients, sessions = self.play(("--scenario", scenario), told, count=2)
            with open(scenario) as file:
                return client, session, zip(clients, sessions), file.read()

        # Most of the time is spent waiting.
        with ThreadPoolExecutor(AT_ONCE) as pool:
            done = [pool.submit(both, number, *case) for number, case in enumerate(CASES)]
        for (arguments, told), case in zip(CASES, done):
            with self.subTest(arguments=arguments, told=told):
                client, session, replayed, text = case.result()
                for again, repeated in replayed:
                    self.assertEqual((again.seen, again.end), (client.seen, client.end), text)
                    self.assertEqual(outcome(repeated), outcome(session), text)

    def test_of_several_sessions_the_one_that_failed_is_replayed(self):
        clients, sessions = self.play(rule("end-of-data 30%: 451 4.3.0 Bad luck") + ("--seed", "3"), {}, count=6)
        failed = [n for n, session in enumerate(sessions) if session["faults"]]
        self.assertTrue(0 < len(failed) < 6, [session["verdict"] for session in sessions])
        scenario = self.make(sessions[failed[0]], sessions)
        (again,), (repeated,) = self.play(("--scenario", scenario), {})
        self.assertEqual(again.seen, clients[failed[0]].seen)
        self.assertEqual(outcome(repeated), outcome(sessions[failed[0]]))

    def test_steps_and_settings_of_a_listener_are_replayed(self):
        config = self.path("config.yaml")
        with open(config, "w") as file:
            file.write("listeners:\n  - smtp: 127.0.0.1:0\n    name: bad\n    tls: { fault: FAULT }\nrules:\n"
                       "  - name: walk\n    at: rcpt\n    steps: [\"451 4.7.1 One\", delay 20ms, \"450 4.2.0 Three\", accept]\n")
        for fault in ("hidden", "refused", "garbage", "expired", "alert-internal-error", "offered-again"):
            with self.subTest(fault=fault):
                with open(config) as file:
                    text = re.sub(r"fault: \S+", f"fault: {fault}", file.read())
                with open(config, "w") as file:
                    file.write(text)
                told = {"starttls": True, "to": [f"u{n}@any.test" for n in range(3)]}
                with Sink("--config", config, listeners=False) as sink:
                    client = Client(sink.port, **told)
                    session = sink.session()
                self.assertIn("listener bad", [f["rule"] for f in session["faults"]])
                (again,), (repeated,) = self.play(("--scenario", self.make(session)), told)
                self.assertEqual((again.seen, again.end), (client.seen, client.end))
                self.assertEqual(outcome(repeated), outcome(session))
                self.assertEqual(repeated.get("tls_failure"), session.get("tls_failure"))

    def test_a_handshake_that_a_server_name_stalls_until_the_time_is_over_is_in_the_record(self):
        config = self.path("config.yaml")
        with open(config, "w") as file:
            file.write("limits: { client-timeout: 300ms }\n")
        told = {"starttls": True, "sni": "stall.any.test"}
        (client,), (session,) = self.play(("--config", config), told)
        self.assertEqual((fault_rules(session), session["ended_by"]), (["server name"], "timeout"))
        (again,), (repeated,) = self.play(("--config", config, "--scenario", self.make(session)), told)
        self.assertEqual(again.end, client.end)
        self.assertEqual(outcome(repeated), outcome(session))

    def test_a_replay_is_replayed(self):
        _, (session,) = self.play(rule("rcpt nth=3: 452 4.2.2 Full", "body size=>=9 nth=2: delay 10ms"), {})
        first = self.make(session)
        _, (second,) = self.play(("--scenario", first), {})
        _, (third,) = self.play(("--scenario", self.make(second)), {})
        self.assertEqual(outcome(third), outcome(session))

    def test_standard_input_and_output(self):
        _, (session,) = self.play(rule("mail: 451 4.3.0 No"), {})
        for text in (json.dumps(session), json.dumps(session, indent=2), json.dumps([session]), json.dumps(session) + "\n\n"):
            status, out, errors = run("replay", "-", stdin=text.encode())
            self.assertEqual((status, errors), (0, ""))
            self.assertIn('- "451 4.3.0 No"', out)

    def test_what_cannot_be_replayed_is_said(self):
        _, (fine,) = self.play((), {})
        _, sessions = self.play(rule("mail: 451 4.3.0 No"), {}, count=2)
        bad = dict(sessions[0], id="s9", faults=[dict(sessions[0]["faults"][0], script=["cloze"])])
        old = dict(sessions[0], faults=[{k: v for k, v in sessions[0]["faults"][0].items() if k != "script"}])
        lines = {
            "two": (sessions, (), 2, ["2 sessions have faults", "--session", "s1  deferred at mail (rule-1)", "s2  deferred"]),
            "none": ([fine], (), 2, ["no session has a fault", "s1  accepted"]),
            "unknown": (sessions, ("--session", "s3"), 2, ['no session "s3"', "did you mean"]),
            "faultless": ([fine], ("--session", "s1"), 2, ["session s1 has no fault"]),
            "twice": ([fine, sessions[0]], ("--session", "s1"), 2, ['2 sessions are named "s1"']),
            "script": ([bad], (), 2, ['unknown action "cloze"; did you mean "close"?', "no fault of session s9 can be"]),
            "old": ([old], (), 2, ["faults[0]: has no \"script\"", "older fakemx"]),
        }
        for name, (records, arguments, status, words) in lines.items():
            with self.subTest(name):
                done = run("replay", self.record(records), *arguments)
                self.assertEqual((done[0], done[1]), (status, ""))
                for word in words:
                    self.assertIn(word, done[2])
        texts = {b"": "holds no session", b"\n \n": "holds no session", b"hello\n": ":1: is not JSON", b"\xff": "not text in UTF-8",
                 b"[1]": ":1: is no session", b"7": ":1: is no session", b"{}": 'has no "id"', b'{"id":"s1"}': 'has no "faults"',
                 b'{"id":"s1","faults":{}}': "faults: has a value of the wrong kind", b'{"id":"s1","faults":[': ":1: is not JSON",
                 b'{"id":"s1","faults":[],"verdict":"odd"}': "verdict: has a value that is not known"}
        for text, word in texts.items():
            with self.subTest(text=text):
                status, out, errors = run("replay", "-", stdin=text)
                self.assertEqual((status, out), (2, ""))
                self.assertIn(word, errors)
        for path, word in ((self.path("none"), "No such file"), (self.folder, "Is a directory")):
            status, _, errors = run("replay", path)
            self.assertEqual(status, 2)
            self.assertIn(word, errors)
        status, _, errors = run("replay", self.record(sessions[:1]), "--output", self.path("no/where.yaml"))
        self.assertEqual(status, 1)
        self.assertIn("No such file", errors)

    def test_a_huge_file_is_refused(self):
        path = self.path("huge")
        with open(path, "w") as file:
            file.truncate((64 << 20) + 1)
        status, _, errors = run("replay", path)
        self.assertEqual(status, 2)
        self.assertIn("larger than", errors)


if __name__ == "__main__":
    unittest.main()
