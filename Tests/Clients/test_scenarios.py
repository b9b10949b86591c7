# Every file of Config/scenarios passes `fakemx check`, starts by its name, and behaves as its description says. A scenario
# without a probe here is a failure.

import os
import re
import ssl
import tempfile
import time
import unittest

import wire
from sink import ROOT, Sink, run, verdicts
from wire import Wire

FOLDER = os.path.join(ROOT, "Config", "scenarios")


def attempt(port, to="b@any.test", sender="a@sender.test", patience_s=wire.LIMIT_S, host="127.0.0.1"):
    """One message. Returns (phase, code or kind) of the first answer that was not positive, or ("accepted", 250)."""
    with Wire(port, host=host) as client:
        steps = [("greeting", None), ("ehlo", "EHLO client.test"), ("mail", f"MAIL FROM:<{sender}>"), ("rcpt", f"RCPT TO:<{to}>"),
                 ("data", "DATA"), ("end-of-data", wire.MESSAGE.decode() + ".")]
        for phase, line in steps:
            seen = client.reply(patience_s) if line is None else client.ask(line, patience_s)
            if seen.kind != "reply":
                return phase, seen.kind
            if seen.code >= 400:
                client.ask("QUIT", patience_s)
                return phase, seen.code
        client.ask("QUIT", patience_s)
        return "accepted", seen.code


def scenario_names():
    if not os.path.isdir(FOLDER):
        return []
    return sorted(name.rsplit(".", 1)[0] for name in os.listdir(FOLDER) if name.endswith((".yaml", ".yml")))


class Scenarios(unittest.TestCase):
    def start(self, name, *arguments):
        return Sink("--scenario", name, *arguments)

    def test_there_are_scenarios_and_each_has_its_probe(self):
        self.assertTrue(scenario_names(), "Config/scenarios is empty")
        for name in scenario_names():
            with self.subTest(scenario=name):
                self.assertTrue(hasattr(self, "test_" + name.replace("-", "_")), f"no probe for the scenario {name}")

    def test_each_passes_check(self):
        for name in scenario_names():
            with self.subTest(scenario=name):
                path = os.path.join(FOLDER, name + ".yaml")
                status, out, err = run("check", path)
                self.assertEqual(status, 0, out + err)
                self.assertNotIn("warning", out + err)

    def test_the_annotated_configuration_passes_check_and_starts(self):
        path = os.path.join(ROOT, "Config", "fakemx.yaml")
        status, out, err = run("check", path)
        self.assertEqual(status, 0, out + err)
        with Sink("--config", path) as sink:
            self.assertEqual(attempt(sink.port), ("accepted", 250))

    def rejects_at(self, phase):
        with self.start(f"reject-at-{phase}") as sink:
            where, code = attempt(sink.port)
            self.assertEqual((where, code // 100), (phase, 5), (where, code))
            session = sink.session()
            self.assertEqual((session["rejected_at"], session["verdict"]), (phase, "rejected"), session)
            self.assertTrue(session["rule"], session)

    def test_reject_at_greeting(self):
        self.rejects_at("greeting")

    def test_reject_at_ehlo(self):
        self.rejects_at("ehlo")

    def test_reject_at_mail(self):
        self.rejects_at("mail")

    def test_reject_at_rcpt(self):
        self.rejects_at("rcpt")

    def test_reject_at_data(self):
        self.rejects_at("data")

    def test_reject_at_end_of_data(self):
        self.rejects_at("end-of-data")

    def test_defer_then_accept(self):
        with self.start("defer-then-accept") as sink:
            answers = [attempt(sink.port) for _ in range(6)]
            self.assertEqual(answers[0][1] // 100, 4, answers)
            self.assertEqual(answers[-1], ("accepted", 250), answers)
            turned = answers.index(("accepted", 250))
            self.assertTrue(all(a[1] // 100 == 4 for a in answers[:turned]), answers)
            self.assertTrue(all(a == ("accepted", 250) for a in answers[turned:]), answers)

    def test_greylisting(self):
        with self.start("greylisting", "--time-scale", "600") as sink:
            self.assertEqual(attempt(sink.port)[1] // 100, 4)
            deadline = time.monotonic() + 10
            while attempt(sink.port) != ("accepted", 250):
                self.assertLess(time.monotonic(), deadline, "never accepted")
                time.sleep(0.1)
            self.assertEqual(attempt(sink.port), ("accepted", 250))
            # Another triplet begins anew.
            self.assertEqual(attempt(sink.port, to="other@any.test")[1] // 100, 4)

    def test_lost_reply(self):
        with self.start("lost-reply") as sink:
            phase, kind = attempt(sink.port)
            self.assertEqual(phase, "end-of-data")
            self.assertIn(kind, ("closed", "reset"))
            session = sink.session()
            self.assertEqual(verdicts(session), ["lost"])
            self.assertTrue(session["transactions"][0]["message"])

    def test_probe(self):
        with self.start("probe", "--time-scale", "100") as sink:
            # One client, one message a session: the end of each, one after the other.
            seen = [attempt(sink.port) for _ in range(10)]
            usual = ("accepted", 250)
            self.assertIn(seen[4], [("end-of-data", "closed"), ("end-of-data", "reset")])
            self.assertEqual(seen[6], ("end-of-data", 451))
            self.assertEqual(seen[8], ("end-of-data", 554))
            self.assertEqual([seen[n] for n in (0, 1, 2, 3, 5, 7, 9)], [usual] * 7)
            asked = {fault["rule"] for session in sink.sessions(10) for fault in session["faults"]}
            self.assertTrue({"probe-greeting", "probe-ehlo", "probe-data", "probe-end"} <= asked, asked)
            # Of two recipients the second is deferred, once.
            replies = []
            for _ in range(2):
                with Wire(sink.port) as client:
                    client.reply()
                    for line in ("EHLO client.test", "MAIL FROM:<a@sender.test>", "RCPT TO:<b@any.test>"):
                        client.ask(line)
                    replies.append(client.ask("RCPT TO:<c@any.test>").code)
            self.assertEqual(replies, [451, 250])

    def test_slow_server(self):
        with self.start("slow-server", "--time-scale", "20") as sink:
            started = time.monotonic()
            self.assertEqual(attempt(sink.port), ("accepted", 250))
            self.assertGreater(time.monotonic() - started, 0.1)
            session = sink.session()
            self.assertTrue(any("delay" in f["action"] or "drip" in f["action"] for f in session["faults"]), session["faults"])

    def test_flaky(self):
        def drawn():
            with self.start("flaky", "--time-scale", "1000") as sink:
                return [attempt(sink.port, to=f"b{n}@any.test", patience_s=0.5) for n in range(100)]
        first = drawn()
        self.assertEqual(first, drawn(), "the same seed draws the same faults")
        self.assertIn(("accepted", 250), first)
        self.assertGreater(len(set(first)), 1, set(first))

    def test_training(self):
        """Its five listeners have fixed ports; here they take free ones."""
        with open(os.path.join(FOLDER, "training.yaml")) as file:
            text = file.read()
        free = re.sub(r"(127\.0\.0\.1|0\.0\.0\.0|localhost|\[::1?\]):\d+", r"127.0.0.1:0", text)
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(free)
            file.flush()
            with Sink("--scenario", file.name, listeners=False) as sink:
                self.assertEqual(len(sink.ports), 5, sink.ready)
                seen = [attempt(port) for port in sink.ports]
                phases = [phase for phase, _ in seen]
                self.assertEqual(phases, ["accepted", "greeting", "rcpt", "end-of-data", "end-of-data"], seen)
                self.assertEqual([code // 100 for _, code in seen[1:4]], [5, 5, 5], seen)
                self.assertIn(seen[4][1], ("closed", "reset"))
                self.assertEqual(len({s["listener"] for s in sink.sessions(5)}), 5)

    def test_several_mx(self):
        """On three loopback addresses, with port 0 in place of the fixed one."""
        with open(os.path.join(FOLDER, "several-mx.yaml")) as file:
            text = file.read()
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(text.replace(":1025", ":0"))
            file.flush()
            with Sink("--scenario", file.name, listeners=False) as sink:
                hosts = ("127.0.0.11", "127.0.0.12", "127.0.0.13")
                self.assertEqual([re.search(rf"smtp={host}:", sink.ready) is None for host in hosts], [False] * 3, sink.ready)
                for to, expected in (("b@any.test", [("greeting", 421), ("accepted", 250), ("accepted", 250)]),
                                     ("full@any.test", [("greeting", 421), ("rcpt", 452), ("accepted", 250)])):
                    seen = [attempt(port, to, host=host) for host, port in zip(hosts, sink.ports)]
                    self.assertEqual(seen, expected)
                self.assertEqual({s["listener"] for s in sink.sessions(6)}, {"mx1", "mx2", "mx3"})

    def test_rate_limits(self):
        with self.start("rate-limits") as sink:
            held, codes = [], []
            for _ in range(6):
                held.append(Wire(sink.port))
                codes.append(held[-1].reply().code)
            self.assertEqual(codes, [220] * 5 + [421])
            for one in held:
                one.ask("QUIT")
                one.close()
            sink.sessions(6)
            with Wire(sink.port) as client:
                client.reply()
                for line in ("EHLO client.test", "MAIL FROM:<a@sender.test>"):
                    client.ask(line)
                codes = [client.ask(f"RCPT TO:<b{n}@any.test>").code for n in range(51)]
                self.assertEqual(codes, [250] * 50 + [452])
            seen = [attempt(sink.port)[1] for _ in range(55)]
            # The connection that was refused has not been counted, so six of sixty were there before.
            self.assertEqual(seen, [250] * 54 + [421], seen)

    def test_warming_up(self):
        with self.start("warming-up", "--time-scale", "100000") as sink:
            # The hour lasts 36 ms, the week six seconds.
            self.assertEqual(attempt(sink.port), ("mail", 451))
            deadline = time.monotonic() + 30
            seen = []
            while seen[-5:] != [("accepted", 250)] * 5:
                self.assertLess(time.monotonic(), deadline, seen[-20:])
                seen.append(attempt(sink.port, sender=f"a{len(seen)}@sender.test"))
                time.sleep(0.1)
            self.assertIn(("mail", 451), seen)
        with self.start("warming-up") as sink:
            # Nothing is taken in the first hour, and what is not taken is not counted.
            self.assertEqual([attempt(sink.port) for _ in range(3)], [("mail", 451)] * 3)

    def test_bad_tls(self):
        """Its listeners have fixed ports; here they take free ones. A client without trust sees what is left of TLS."""
        with open(os.path.join(FOLDER, "bad-tls.yaml")) as file:
            text = file.read()
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:0", text))
            file.flush()
            authority = file.name + ".pem"
            try:
                with Sink("--scenario", file.name, "--ca-file", authority, listeners=False) as sink:
                    names = re.findall(r"name: ([\w.-]+)\n    (?:tls|rules)", text)
                    self.assertEqual(len(sink.ports), len(names), sink.ready)
                    seen = {name: self.handshake(port, authority) for name, port in zip(names, sink.ports)}
                    again = self.handshake(sink.ports[-1], authority)
            finally:
                os.remove(authority)
        expected = {
            "expired": "certificate has expired", "wrong-host": "Hostname mismatch", "self-signed": "self.signed",
            "incomplete-chain": "unable to get local issuer", "only-tls1.0": "SSL", "hidden": "not offered",
            "refused": "454", "handshake-failure": "alert handshake failure", "stall": "timed out", "first-breaks": "EOF|eof|reset",
        }
        self.assertEqual(set(seen), set(expected))
        for name, words in expected.items():
            self.assertRegex(seen[name], words, name)
        self.assertEqual(again, "fine")

    def handshake(self, port, authority):
        """What a client says that trusts the authority and looks for the host name."""
        with Wire(port) as client:
            client.reply()
            if "STARTTLS" not in client.ask("EHLO client.test").text:
                return "not offered"
            said = client.ask("STARTTLS")
            if said.code != 220:
                return said.text
            context = ssl.create_default_context(cafile=authority)
            client.socket.settimeout(2)
            try:
                client.socket = context.wrap_socket(client.socket, server_hostname="mx.fakemx.test")
            except OSError as error:
                return f"{type(error).__name__}: {error}"
            return "fine"

    def test_odd_replies(self):
        odd = {
            "bare-lf": b"250 2.1.5 Ok\n", "no-text": b"250\r\n", "no-code": b"2.1.5 Ok\r\n",
            "mixed-codes": b"250-2.1.5 Ok\r\n550 The last line differs\r\n", "missing-last-line": b"250-2.1.5 Ok\r\n",
            "long-line": b"250 2.1.5 Ok and more of it", "eight-bit": b"\xfc\xdf", "nul": b"\0",
            "two-replies": b"250 2.1.5 Ok\r\n250 2.1.5 Ok\r\n", "unsolicited-421": b"250 2.1.5 Ok\r\n421 ",
            "early-reply": b"250 2.1.5 Ok\r\n250 2.0.0 Ok, said too early\r\n", "split": b"250 2.1.5 Ok\r\n",
            "ordinary": b"250 2.1.5 Ok\r\n",
        }
        with self.start("odd-replies") as sink:
            for name, octets in odd.items():
                with self.subTest(name=name), Wire(sink.port) as client:
                    self.assertEqual(len(client.reply().lines), 3)
                    self.assertIn("pipelining", client.ask("EHLO client.test").text)
                    self.assertEqual(client.ask("MAIL FROM:<a@sender.test>").code, 250)
                    client.say(f"RCPT TO:<{name}@any.test>")
                    deadline = time.monotonic() + 5
                    while octets not in client.buffer and time.monotonic() < deadline and not client.ended:
                        client._more(deadline)
                    self.assertIn(octets, client.buffer)
            rules = {fault["rule"] for session in sink.sessions(len(odd)) for fault in session["faults"]}
            self.assertEqual(rules, set(odd) - {"ordinary"} | {"greeting-of-three-lines", "keywords-in-lower-case"})

    def test_gmail_says_no(self):
        expected = {
            "full": ("rcpt", 452), "unknown": ("rcpt", 550), "disabled": ("rcpt", 550), "fast": ("rcpt", 450),
            "spam": ("end-of-data", 550), "reputation": ("end-of-data", 421), "unsigned": ("end-of-data", 550),
            "anybody": ("accepted", 250),
        }
        with self.start("gmail-says-no") as sink:
            self.assertEqual({name: attempt(sink.port, f"{name}@any.test") for name in expected}, expected)
            for session in sink.sessions(len(expected)):
                self.assertIn("gsmtp", session["lines"][0]["text"])


if __name__ == "__main__":
    unittest.main()
