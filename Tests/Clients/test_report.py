# `fakemx report`: the deliberately bad sender of Config/ is told what to mend first; --fail-on is a gate with exit status 0
# and 1; every form holds what it must, JUnit, SARIF and HTML by the schemas and parsers of others; settings of judging reach
# the verdict. Schemas and parsers come from .build/python/report, which `Scripts/setup --tests` makes.

import fcntl
import json
import os
import pty
import re
import shutil
import smtplib
import struct
import subprocess
import tempfile
import termios
import unittest
from email.message import EmailMessage
from email.utils import format_datetime
from datetime import datetime, timezone

from sink import BINARY, ROOT, Sink, run

BAD_SENDER = os.path.join(ROOT, "Config", "bad-sender.py")
PYTHON = os.path.join(ROOT, ".build", "python", "report")
RULES_ARTICLE = os.path.join(ROOT, "Sources", "fakemx", "fakemx.docc", "SenderRules.md")
LIMIT_S = 60

# What the bad sender does, as rules; on this machine, with the profile mx.
BROKEN = {
    "quit-missing", "mail-space-after-colon", "mail-missing-brackets", "pipe-across-sync-point", "helo-bare-ip",
    "hdr-duplicate-field", "hdr-missing-date", "hdr-field-name-invalid", "hdr-raw-8bit", "hdr-date-syntax", "data-bare-lf",
    "data-line-too-long", "mime-closing-boundary-missing", "helo-old-helo", "hdr-message-id-missing", "helo-localhost",
    "conn-reconnect-per-message",
}


def misbehave(sink):
    done = subprocess.run(
        ["/usr/bin/python3", BAD_SENDER, f"127.0.0.1:{sink.port}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        timeout=LIMIT_S, text=True)
    if done.returncode != 0:
        raise AssertionError(done.stdout)


def behave(sink):
    """A message with everything that it must have, sent as it should be."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "shop@shop.example", "ann@customer.test", "Your invoice"
    mail["Date"], mail["Message-ID"] = format_datetime(datetime.now(timezone.utc)), "<1.2@shop.example>"
    mail.set_content("Please pay.\n")
    with smtplib.SMTP("127.0.0.1", sink.port, local_hostname="mail.shop.example") as smtp:
        smtp.send_message(mail)


class WithSink(unittest.TestCase):
    def report(self, *arguments, status=0, sink=None):
        ended, out, err = run("report", *arguments, environment={"FAKEMX_URL": (sink or self.sink).url}, timeout_s=LIMIT_S)
        self.assertEqual(ended, status, out[-2000:] + err)
        return out, err

    def in_python(self, script, *arguments):
        """Runs a script with the libraries of requirements-report.txt."""
        python = os.path.join(PYTHON, "bin", "python3")
        self.assertTrue(os.path.exists(python), "missing: Scripts/setup --tests makes it")
        done = subprocess.run([python, "-c", script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=LIMIT_S, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])


class BadSender(WithSink):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="fakemx-report-")
        cls.sink = Sink(http="127.0.0.1:0")
        misbehave(cls.sink)

    @classmethod
    def tearDownClass(cls):
        cls.sink.stop()
        shutil.rmtree(cls.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def test_the_first_screen_says_what_to_mend_first(self):
        out, err = self.report()
        self.assertEqual(err, "")
        screen = out.splitlines()[:24]
        self.assertRegex(screen[0], r"^\d+ rules broken: \d+ must, .*\. Mend quit-missing first\.$")
        self.assertRegex("\n".join(screen), r"1\. MUST  quit-missing  \d+ times in \d+ sessions")
        self.assertIn("   Fix: Send QUIT and wait for 221 before closing.", screen)
        self.assertNotRegex(out, "not judged yet")

    def test_the_octets_that_are_meant_are_marked_in_the_line_they_stand_in(self):
        out, _ = self.report()
        found = re.search(r"mail-space-after-colon  .*?\n((?:   .*\n)+)", out).group(1).splitlines()
        at = next(number for number, line in enumerate(found) if line.startswith("   > "))
        self.assertIn("MAIL FROM: <news@shop.example>", found[at])
        self.assertEqual(found[at].index("FROM: ") + len("FROM"), found[at + 1].index("^"))

    def test_a_dozen_mistakes_are_found(self):
        broken = {rule["rule"] for rule in json.loads(self.report("--format", "json")[0])["broken"]}
        self.assertEqual(BROKEN - broken, set())

    def test_what_comes_again_at_once_is_found(self):
        broken = {rule["rule"]: rule for rule in json.loads(self.report("--format", "json")[0])["broken"]}
        self.assertIn("retry-after-permanent", broken)
        self.assertIn("retry-immediate", broken)

    def test_the_gate_closes_with_one_line_and_status_1(self):
        for gate in ("must", "should", "reputation", "info"):
            with self.subTest(gate=gate):
                out, err = self.report("--fail-on", gate, status=1)
                self.assertRegex(err, rf"\A--fail-on {gate}: quit-missing and \d+ more \(must\): .+\n\Z")
                self.assertTrue(out.startswith("2") or "rules broken" in out)

    def test_one_session_and_one_sender(self):
        one = json.loads(self.report("--session", "s1", "--output", "json")[0])
        self.assertEqual(one["session_count"], 1)
        self.assertIn("hdr-missing-date", {rule["rule"] for rule in one["broken"]})
        self.assertNotIn("hdr-duplicate-field", {rule["rule"] for rule in one["broken"]})
        every = json.loads(self.report("--sender", "127.0.0.1", "--format", "json")[0])
        self.assertEqual(every["session_count"], 8)
        self.assertEqual(json.loads(self.report("client=127.0.0.1", "--format", "json", "--limit", "3")[0])["session_count"], 3)
        nobody = json.loads(self.report("--sender", "192.0.2.0/24", "--format", "json", "--fail-on", "info")[0])
        self.assertEqual((nobody["session_count"], nobody["broken"]), (0, []))

    def test_since(self):
        _, cursor, _ = run("cursor", environment={"FAKEMX_URL": self.sink.url})
        late = json.loads(self.report("--since", cursor.strip(), "--format", "json")[0])
        self.assertEqual(late["session_count"], 0)

    def test_junit_is_valid_and_fails_what_the_gate_fails(self):
        path = self.path("report.xml")
        out, _ = self.report("--fail-on", "must", "--format", "junit", "--out", path, status=1)
        self.assertEqual(out, "")
        self.in_python(
            "import sys; from lxml import etree\n"
            "tree = etree.parse(sys.argv[1])\n"
            "etree.XMLSchema(etree.parse(sys.argv[2])).assertValid(tree)\n"
            "failed = {case.get('name') for case in tree.iter('testcase') if case.find('failure') is not None}\n"
            "assert any('quit-missing' in name for name in failed), failed\n"
            "assert not any('helo-old-helo' in name for name in failed), failed\n",
            path, os.path.join(PYTHON, "files", "junit-10.xsd"))

    def test_sarif_is_valid(self):
        path = self.path("report.sarif")
        self.report("--format", "sarif", "--out", path)
        self.in_python(
            "import json, sys, jsonschema\n"
            "log, schema = (json.load(open(name)) for name in sys.argv[1:])\n"
            "jsonschema.validators.validator_for(schema)(schema).validate(log)\n"
            "assert 'quit-missing' in {result['ruleId'] for result in log['runs'][0]['results']}\n",
            path, os.path.join(PYTHON, "files", "sarif-2.1.0-rtm.4.json"))

    def test_html_is_one_valid_file_that_loads_nothing(self):
        path = self.path("report.html")
        self.report("--format", "html", "--out", path)
        self.in_python(
            "import sys, html5lib\n"
            "tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(open(sys.argv[1], 'rb').read())\n"
            "assert not [e for e in tree.iter() if e.get('src') or e.tag in ('script', 'iframe', 'object')]\n"
            "assert 'quit-missing' in ''.join(tree.itertext())\n", path)

    def test_markdown(self):
        out, _ = self.report("--format", "markdown")
        self.assertRegex(out, r"\A# ")
        self.assertIn("quit-missing", out)

    def test_the_width_is_the_one_that_is_asked_for(self):
        wide, narrow = (self.report("--columns", columns)[0] for columns in ("200", "60"))
        self.assertGreater(len(narrow.splitlines()), len(wide.splitlines()))
        prose = [line for line in narrow.splitlines() if line.startswith(("   Fix: ", "   Why: "))]
        self.assertLessEqual(max(map(len, prose)), 60)

    def on_a_terminal(self, **environment):
        """What `fakemx report` writes to a terminal of 70 columns."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 70, 0, 0))
        known = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        process = subprocess.Popen([BINARY, "report"], stdout=theirs, stdin=subprocess.DEVNULL,
                                   env={**known, "FAKEMX_URL": self.sink.url, **environment})
        os.close(theirs)
        text = b""
        try:
            while chunk := os.read(ours, 65536):
                text += chunk
        except OSError:  # the other side was closed
            pass
        finally:
            os.close(ours)
        self.assertEqual(process.wait(LIMIT_S), 0)
        return text.decode()

    def test_colours_stand_on_a_terminal_alone(self):
        self.assertNotIn("\x1b", self.report()[0])
        coloured = self.on_a_terminal()
        self.assertIn("\x1b[", coloured)
        self.assertNotIn("\x1b", self.on_a_terminal(NO_COLOR="1"))
        plain = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
        self.assertLessEqual(max(len(line) for line in plain.splitlines() if line.startswith("   Fix: ")), 70)

    def test_tail_and_wait_know_findings(self):
        environment = {"FAKEMX_URL": self.sink.url}
        status, out, err = run("tail", "--kind", "finding", environment=environment)
        self.assertEqual(status, 0, err)
        self.assertRegex(out, r"  s1  finding  .*must quit-missing")
        status, out, err = run("wait", "finding", "finding=quit-missing", "--timeout", "5s", environment=environment)
        self.assertEqual(status, 0, err)
        self.assertIn("must quit-missing", out)
        status, out, err = run("wait", "finding", "finding=conn-over-mailmax", "--timeout", "200ms", environment=environment)
        self.assertEqual(status, 3, out + err)

    def test_bad_arguments_are_2_and_say_what_was_meant(self):
        for arguments, words in (
            (["--format", "jsn"], ["--format", '"json"']), (["--fail-on", "msut"], ["--fail-on", '"must"']),
            (["form=x"], ['"from"']), (["x"], ["WORD=VALUE"]), (["--columns", "5"], ["--columns", "60"]),
            (["--limit", "5000"], ["1000"]), (["--rules", "--format", "html"], ["--rules", "markdown"]),
            (["--output", "json", "--format", "html"], ["contradict"]),
        ):
            with self.subTest(arguments=arguments):
                _, err = self.report(*arguments, status=2)
                for word in words:
                    self.assertIn(word, err)

    def test_a_file_that_cannot_be_written_is_said(self):
        _, err = self.report("--out", "/nonexistent/report.txt", status=1)
        self.assertIn("/nonexistent/report.txt: No such file", err)


class GoodSender(WithSink):
    def test_the_gate_opens(self):
        with Sink(http="127.0.0.1:0") as sink:
            behave(sink)
            out, err = self.report("--fail-on", "must", sink=sink)
            self.assertEqual(err, "")
            self.assertEqual(json.loads(self.report("--format", "json", sink=sink)[0])["message_count"], 1)

    def test_nobody_was_there(self):
        with Sink(http="127.0.0.1:0") as sink:
            self.report("--fail-on", "info", sink=sink)


class Settings(WithSink):
    def broken(self, *arguments, environment=None):
        """The rules that the bad sender breaks in a sink with these arguments, and the report."""
        with Sink(*arguments, http="127.0.0.1:0", environment=environment) as sink:
            misbehave(sink)
            report = json.loads(self.report("--format", "json", sink=sink)[0])
            return {rule["rule"]: rule for rule in report["broken"]}, report

    def configured(self, text):
        file = tempfile.NamedTemporaryFile("w", suffix=".yaml")
        self.addCleanup(file.close)
        file.write(text)
        file.flush()
        return file.name

    def test_a_rule_is_switched_off_and_another_made_graver_with_the_reason(self):
        name = self.configured(
            "judging:\n  rules:\n    quit-missing: { severity: off, reason: our pool drops connections }\n"
            "    helo-old-helo: { severity: must, reason: we need EHLO }\n")
        broken, report = self.broken("--config", name)
        self.assertNotIn("quit-missing", broken)
        self.assertEqual(broken["helo-old-helo"]["severity"], "must")
        self.assertIn("we need EHLO", broken["helo-old-helo"]["reason"])
        off = next(rule for rule in report["not_judged"] if rule["rule"] == "quit-missing")
        self.assertIn("our pool drops connections", off["because"])

    def test_a_threshold_reaches_its_rule(self):
        name = self.configured("judging: { thresholds: { single-transaction-sessions: 1000 } }")
        self.assertNotIn("conn-reconnect-per-message", self.broken("--config", name)[0])

    def test_flag_beats_environment_beats_file(self):
        name = self.configured("judging: bulk\n")
        for arguments, environment, profile in (
            (["--config", name], {}, "bulk"), (["--config", name], {"FAKEMX_JUDGE": "submission"}, "submission"),
            (["--config", name, "--judge", "strict"], {"FAKEMX_JUDGE": "submission"}, "strict"), ([], {}, "mx"),
        ):
            with self.subTest(profile=profile), Sink(*arguments, http="127.0.0.1:0", environment=environment) as sink:
                self.assertEqual(json.loads(self.report("--format", "json", sink=sink)[0])["profile"], profile)

    def test_who_is_judged_by_nobody_is_told_so(self):
        for arguments in (["--judge", "off"], ["--store", "none"]):
            with self.subTest(arguments=arguments), Sink(*arguments, http="127.0.0.1:0") as sink:
                _, err = self.report("--fail-on", "must", status=2, sink=sink)
                self.assertRegex(err, "judge")

    def test_a_reload_says_that_judging_stays_as_it_is(self):
        name = self.configured("judging: mx\n")
        with Sink("--config", name) as sink:
            with open(name, "w") as file:
                file.write("judging: off\n")
            sink.signal(1)
            sink.wait_line("how senders are judged changed; start fakemx anew for that")
            sink.wait_line("reload refused, the old configuration goes on")


class Gate(unittest.TestCase):
    """In CI, behind the tests."""

    def status(self, command):
        done = subprocess.run(
            [BINARY, "serve", "--", "sh", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT,
            timeout=LIMIT_S, text=True, env={**os.environ, "PATH": os.path.dirname(BINARY) + ":" + os.environ["PATH"]})
        return done.returncode, done.stdout

    def test_behind_tests_that_pass_it_fails_for_a_bad_sender(self):
        status, said = self.status("/usr/bin/python3 Config/bad-sender.py $FAKEMX_SMTP && fakemx report --fail-on must")
        self.assertEqual(status, 1, said)
        self.assertIn("--fail-on must: quit-missing", said)

    def test_behind_tests_that_sent_nothing_wrong_it_passes(self):
        status, said = self.status("true && fakemx report --fail-on must")
        self.assertEqual(status, 0, said)


class Rules(unittest.TestCase):
    def test_the_article_is_what_the_rules_say(self):
        status, out, err = run("report", "--rules", "--format", "markdown")
        self.assertEqual(status, 0, err)
        with open(RULES_ARTICLE) as file:
            self.assertEqual(file.read(), out, "run: fakemx report --rules --format markdown --out " + RULES_ARTICLE)
        count = len(re.findall(r"^\| `[\w-]+` \|", out, re.MULTILINE))
        self.assertGreaterEqual(count, 249)
        with open(os.path.join(ROOT, "README.md")) as file:
            self.assertIn(f"all {count} rules", file.read())

    def test_as_text_too(self):
        status, out, err = run("report", "--rules")
        self.assertEqual(status, 0, err)
        self.assertRegex(out, r"\nquit-missing +must +\S+ +Drops the connection without QUIT\.")


if __name__ == "__main__":
    unittest.main()
