# Every file of Config/scenarios passes `fakemx check`, starts by its name, and behaves as its description says. A scenario
# without a probe here is a failure.

import os
import re
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


if __name__ == "__main__":
    unittest.main()
