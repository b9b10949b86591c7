# Lessons: each runs from start to end with the built-in sender, and by hand, where this test plays the hands with swaks and
# with typed lines; handouts are valid HTML without anything from elsewhere; broken files are refused with their lines; over
# HTTP a run has a sink of its own and disturbs nobody. html5lib comes from .build/python/report.

import glob
import json
import os
import pty
import re
import shlex
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import unittest

from api import API
from sink import BINARY, ROOT, Sink, run

FOLDER = os.path.join(ROOT, "Config", "lessons")
PYTHON = os.path.join(ROOT, ".build", "python", "report", "bin", "python3")
LIMIT_S = 120
# As a class takes them, and not by the alphabet.
NAMES = ["life-of-an-email", "when-did-the-reject-happen", "reject-deferral-bounce", "starttls", "field-manual", "bot-or-not"]
WHEN = "when-did-the-reject-happen"

# Parses HTML strictly and looks for what could load or run something.
STRICT = """
import sys, html5lib
parser = html5lib.HTMLParser(strict=True)
for path in sys.argv[1:]:
    tree = parser.parse(open(path, encoding="utf-8").read())
    for element in tree.iter():
        name = element.tag if isinstance(element.tag, str) else ""
        name = name.split("}")[-1]
        assert name not in ("script", "img", "link", "iframe", "object", "form", "base", "image", "use"), name
        for key in element.attrib:
            key = key if isinstance(key, str) else key[-1]
            assert not key.startswith("on") and key not in ("src", "style", "srcset"), (name, key)
"""


def lesson(*arguments, status=0, stdin=subprocess.DEVNULL):
    done = subprocess.run([BINARY, "lesson", *arguments], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=LIMIT_S, text=True, cwd=ROOT)
    if done.returncode != status:
        raise AssertionError(f"lesson {arguments}: status {done.returncode}\n{done.stdout[-3000:]}{done.stderr}")
    return done.stdout, done.stderr


class WithFolder(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="fakemx-lessons-")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, text):
        with open(self.path(name), "w") as file:
            file.write(text)
        return self.path(name)

    def is_strict_html(self, *paths):
        self.assertTrue(os.path.exists(PYTHON), "missing: Scripts/setup --tests makes it")
        done = subprocess.run([PYTHON, "-c", STRICT, *paths], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S,
                              text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:])


class Files(WithFolder):
    def test_the_six_are_there_and_are_listed(self):
        files = glob.glob(os.path.join(FOLDER, "*.yaml"))
        self.assertEqual(sorted(NAMES), sorted(os.path.basename(path)[:-5] for path in files))
        out, _ = lesson("--list")
        self.assertEqual([line.split()[0] for line in out.splitlines()], ["NAME", *NAMES])
        listed = json.loads(lesson("--output", "json")[0])["lessons"]
        self.assertEqual([one["name"] for one in listed], NAMES)

    def test_each_passes_check_by_its_file_and_by_its_name(self):
        for name in NAMES:
            for word in (name, os.path.join(FOLDER, name + ".yaml")):
                status, out, err = run("check", word)
                self.assertEqual((status, err), (0, ""), out + err)

    def test_a_broken_file_is_refused_with_its_lines(self):
        path = self.file("mine.yaml", "\n".join([
            "lesson: other",
            "title: Mine",
            "about: Something.",
            "steps:",
            "  - title: One",
            "    say: Look.",
            "    rules: [\"rcpt: 550 5.1.1 No\", \"rctp: 550 No\"]",
            "    send: { to: anna }",
            "    sees: session verdict=rejectd",
            "  - title: Two",
            "    say: Look.",
            "    sned: {}",
            "    guess:",
            "      - { ask: Which?, choices: [a, b], answer: c, why: So. }",
            "      - { ask: What?, reply: gmail/over-qota, choices: [a, b], answer: a, why: So. }",
        ]) + "\n")
        status, out, err = run("check", path)
        self.assertEqual(status, 2, out)
        said = [line.removeprefix(path) for line in err.splitlines()]
        places = [re.match(r":(\d+):(\d+):", line).groups() for line in said]
        self.assertEqual([int(line) for line, _ in places], [1, 7, 8, 9, 12, 14, 15], err)
        self.assertEqual(places[1], ("7", "36"), err)
        self.assertIn('":9:19: ', '"' + said[3], err)
        self.assertIn('did you mean "rejected"?', said[3])
        self.assertIn('did you mean "send"?', said[4])
        self.assertIn('did you mean "gmail/over-quota"', said[6])
        _, err = lesson(path, status=2)
        self.assertIn(f"{path}:9:", err)

    def test_a_name_that_is_none_has_its_nearest(self):
        _, err = lesson("startls", status=2)
        self.assertIn('unknown lesson "startls"; did you mean "starttls"', err)

    def test_what_a_step_needs(self):
        for text, said in [
            ("lesson: m\ntitle: M\nabout: A.\nsteps: []\n", "m.yaml:4:8: steps is empty"),
            ("lesson: m\ntitle: M\nabout: A.\nsteps:\n  - { title: T, say: S., send: { to: a@b.test, message: m } }\n",
             "m.yaml:5:26: send needs sees"),
            ("lesson: m\ntitle: M\nabout: A.\nsteps:\n  - { title: T, say: S., sees: session }\n", "m.yaml:5:26: sees needs send"),
            ("lesson: m\nabout: A.\nsteps:\n  - { title: T, say: S. }\n", "a lesson needs title"),
            ("lesson: m\ntitle: M\nabout: A.\nsteps:\n  - title: T\n    say: S.\n    send: { to: a@b.test, message: m }\n    sees: no message\n",
             "m.yaml:8:11: sees has only what must not happen"),
        ]:
            status, _, err = run("check", self.file("m.yaml", text))
            self.assertEqual(status, 2)
            self.assertIn(said, err.replace(self.folder + "/", ""))


class BuiltIn(WithFolder):
    def test_each_runs_to_its_end_and_its_handout_is_strict_html(self):
        handouts = []
        for name in NAMES:
            with self.subTest(lesson=name):
                handouts.append(self.path(name + ".html"))
                out, err = lesson(name, "--handout", handouts[-1])
                self.assertEqual(err, "")
                self.assertIn("The lesson is over.", out)
                self.assertNotIn("NOT SEEN", out)
        self.is_strict_html(*handouts)
        for path in handouts:
            with open(path) as file:
                text = file.read()
            self.assertIn("default-src 'none'; style-src 'sha256-", text)
            self.assertNotIn('class="no"', text)
            self.assertGreater(text.count("<svg "), 0)
            self.assertNotRegex(text, r"url\(|@import")

    def test_the_reject_is_marked_where_it_happened(self):
        out, _ = lesson(WHEN)
        self.assertEqual(
            re.findall(r"\^\^\^ REJECTED at (\S+)", out),
            ["greeting", "ehlo", "mail", "rcpt", "data", "end-of-data", "mail", "end-of-data"])
        self.assertIn("(host mx.lesson.test[127.0.0.1] said: 550 5.1.1 No such user here (in reply to RCPT TO", " ".join(out.split()))
        self.assertIn("refused to talk to me: 554 5.7.1", " ".join(out.split()))
        self.assertEqual(out.count("Where that fails"), 6)

    def test_one_object_for_programs(self):
        view = json.loads(lesson("reject-deferral-bounce", "--output", "json")[0])
        self.assertEqual((view["state"], view["step"], len(view["steps"])), ("ended", 6, 6))
        lost = view["steps"][3]
        self.assertEqual([one["session"]["verdict"] for one in lost["sessions"]], ["lost", "accepted"])
        self.assertIn("message may be sent more than once", lost["sessions"][0]["log"][0])
        self.assertTrue(all(check["met"] for step in view["steps"] for check in step["checks"]))

    def test_a_lesson_of_ones_own_is_text_whatever_it_holds(self):
        path = self.file("mine.yaml", """lesson: mine
title: "<script>alert(1)</script>"
about: "\\u202e<b>bold</b> & \\"quoted\\""
sender:
  to: "'><img@lesson.test"
  message: |
    Subject: <svg onload=alert(1)>

    .
rules:
  - 'rcpt: 550 5.1.1 <script>alert(2)</script>'
steps:
  - title: "</title><script>"
    say: "</p><iframe>"
    guess:
      - { ask: "<script>", choices: ["<i>", "</ol>"], answer: "</ol>", why: "</li>" }
    send: { by: "<u>", helo: "<script>.test" }
    sees: session phase=rcpt
""".replace("'><img@", "x'img@"))
        handout = self.path("mine.html")
        lesson(path, "--handout", handout)
        self.is_strict_html(handout)
        with open(handout) as file:
            text = file.read()
        self.assertNotIn("<script", text)
        self.assertNotIn("\u202e", text)
        self.assertIn("&lt;script&gt;alert(2)&lt;/script&gt;", text)

    def test_a_step_that_is_not_seen_ends_the_lesson_with_status_1(self):
        path = self.file("mine.yaml", """lesson: mine
title: Mine
about: It cannot be seen.
sender: { to: a@b.test, message: "Subject: x\\n\\ny" }
steps:
  - { title: T, say: S., send: {}, sees: [session, message from=nobody@lesson.test] }
""")
        out, err = lesson(path, "--handout", self.path("mine.html"), status=1)
        self.assertIn("step 1: the sink did not see: message from=nobody@lesson.test", err)
        self.assertIn("NOT SEEN: message from=nobody@lesson.test", out)
        self.assertTrue(os.path.exists(self.path("mine.html")))

    def test_somebody_at_a_terminal_is_asked(self):
        master, slave = pty.openpty()
        process = subprocess.Popen([BINARY, "lesson", "life-of-an-email"], stdin=slave, stdout=slave, stderr=slave, cwd=ROOT)
        os.close(slave)
        said = b""

        def feed():
            nonlocal said
            while True:
                try:
                    chunk = os.read(master, 4096)
                except OSError:
                    return
                if not chunk:
                    return
                said += chunk
                if said.endswith(b"] "):
                    os.write(master, b"\n")
                elif said.endswith(b"Your answer: "):
                    os.write(master, b"b\n")

        reader = threading.Thread(target=feed)
        reader.start()
        try:
            self.assertEqual(process.wait(LIMIT_S), 0)
        finally:
            process.kill()
            reader.join(10)
            os.close(master)
        text = said.decode(errors="replace")
        self.assertIn("Right: b) The server takes messages up to that size", text)
        self.assertIn("[Enter: the next step]", text)


def type_lines(port, lines):
    """Types lines as somebody at nc would, and reads what comes, until the sink closes or nothing is left to type."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        stream = connection.makefile("rb")

        def reply():
            while True:
                line = stream.readline()
                if not line or line[3:4] != b"-":
                    return line

        reply()
        content = False
        for line in lines:
            connection.sendall(line.encode() + b"\r\n")
            if content and line != ".":
                continue
            content = False
            answer = reply()
            if not answer:
                return
            content = line.upper() == "DATA" and answer.startswith(b"354")


def type_at_once(port, lines):
    """The bot: everything at once, and away."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        before = lines.index("DATA")
        connection.sendall("".join(line + "\r\n" for line in lines[:before]).encode())
        stream = connection.makefile("rb")
        for _ in range(before + 1):
            stream.readline()
        connection.sendall(b"DATA\r\n")
        stream.readline()
        connection.sendall("".join(line + "\r\n" for line in lines[before + 1:]).encode())


class ByHand(WithFolder):
    def play(self, name, prefers):
        """Takes a lesson by hand. `prefers`: the tools to use, in order; each connection is made with the first that is shown."""
        process = subprocess.Popen([BINARY, "lesson", name, "--by-hand", "--patience", "40s"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
        killer = threading.Timer(LIMIT_S, process.kill)
        killer.start()
        said, used, connections = [], set(), []
        try:
            for line in process.stdout:
                line = line.rstrip("\n")
                said.append(line)
                if line.startswith("By hand"):
                    connections.append({})
                elif line.startswith("  $ "):
                    command = shlex.split(line[4:])
                    connections[-1][command[0]] = (command, [])
                    current = connections[-1][command[0]][1]
                elif line.startswith("      ") and connections and not line.startswith("Waiting"):
                    current.append(line[6:])
                elif line.startswith("Waiting for the sink"):
                    for tools in connections:
                        used.add(self.act(tools, prefers))
                    connections = []
            status = process.wait(LIMIT_S)
        finally:
            killer.cancel()
            process.kill()
            process.stdout.close()
        text = "\n".join(said)
        self.assertEqual(status, 0, text[-3000:])
        self.assertIn("The lesson is over.", text)
        return text, used

    def act(self, tools, prefers):
        tool = next(one for one in prefers if one in tools)
        command, lines = tools[tool]
        if tool == "nc":
            port = int(command[-1])
            (type_at_once if lines[-1] == "." else type_lines)(port, lines)
        else:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                                  text=True)
            # TLS that breaks leaves no connection to go on with: the opportunistic sender comes again without it.
            if "--tls-optional" in command and done.returncode != 0:
                subprocess.run([word for word in command if word != "--tls-optional"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, timeout=60)
        return tool

    def test_each_with_swaks(self):
        self.assertTrue(shutil.which("swaks"), "missing: Scripts/setup --tests installs swaks")
        for name in NAMES:
            with self.subTest(lesson=name):
                _, used = self.play(name, ["swaks", "nc"])
                self.assertIn("swaks", used)

    def test_typed_line_by_line_each_line_is_explained(self):
        text, used = self.play("life-of-an-email", ["nc"])
        self.assertEqual(used, {"nc"})
        self.assertIn("This is the reverse-path", text)

    def test_rejects_typed_by_hand(self):
        text, _ = self.play(WHEN, ["nc"])
        # Whoever types on behind a refusal is refused again, so the first of each session counts.
        first = [re.search(r"\^\^\^ REJECTED at (\S+)", part).group(1) for part in text.split("What the sink saw")[2:]]
        self.assertEqual(first, ["greeting", "ehlo", "mail", "rcpt", "data", "end-of-data", "mail", "end-of-data"])

    def test_nobody_comes(self):
        _, err = lesson("starttls", "--by-hand", "--patience", "1s", status=3)
        self.assertIn("step 1: nobody sent what it asks for in time", err)


class OverHTTP(WithFolder):
    @classmethod
    def setUpClass(cls):
        cls.sink = Sink("--loops", "1", transcript="off", http="127.0.0.1:0")
        cls.api = API(cls.sink.url, patience_s=30)

    @classmethod
    def tearDownClass(cls):
        cls.sink.stop()

    def ask(self, method, path, status=200):
        answer = self.api.call(method, "/api/fakemx/" + path)
        self.assertEqual(answer.status, status, answer.body[:500])
        return json.loads(answer.body) if "json" in answer.headers["content-type"] else answer.body.decode()

    def test_a_lesson_from_start_to_end(self):
        self.assertEqual([one["name"] for one in self.ask("GET", "lessons")["lessons"]], NAMES)
        steps = self.ask("GET", f"lessons/{WHEN}")["steps"]
        run = self.ask("POST", f"lessons/{WHEN}/runs", 201)
        path = f"lessons/{WHEN}/runs/{run['id']}"
        for index, step in enumerate(steps):
            self.assertEqual((run["step"], run["state"]), (index, "open"))
            self.assertEqual(len(run["hands"]), len(step["sends"]))
            run = self.ask("POST", path + "/send")
            self.assertEqual(run["state"], "seen", run["steps"][index])
            run = self.ask("POST", path + "/next")
        self.assertEqual(run["state"], "ended")
        marks = [line["phase"] for step in run["steps"] for one in step["sessions"] for line in one["talk"] if line.get("mark")]
        self.assertEqual(marks, ["greeting", "ehlo", "mail", "rcpt", "data", "end-of-data", "mail", "end-of-data"])
        answer = self.api.call("GET", f"/api/fakemx/{path}/handout")
        self.assertIn("sandbox", answer.headers["content-security-policy"])
        handout = self.path("handout.html")
        with open(handout, "wb") as file:
            file.write(answer.body)
        self.is_strict_html(handout)
        # The rules of the run were those of its own sink.
        self.assertEqual(self.ask("GET", "rules")["rules"], [])
        self.assertEqual(self.ask("GET", "sessions")["sessions"], [])
        self.ask("DELETE", path)
        self.ask("GET", path, 404)
        with self.assertRaises(OSError):
            socket.create_connection((run["host"], run["port"]), timeout=5)

    def test_what_is_sent_by_hand_is_seen(self):
        run = self.ask("POST", "lessons/life-of-an-email/runs", 201)
        path = f"lessons/life-of-an-email/runs/{run['id']}"
        type_lines(run["port"], run["hands"][0][0]["type"])
        end = time.monotonic() + 20
        while self.ask("GET", path)["state"] != "seen":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        self.ask("DELETE", path)

    def test_the_command_line_takes_a_lesson_of_a_running_fakemx(self):
        out, _ = lesson("field-manual", "--url", self.sink.url, "--handout", self.path("field.html"))
        self.assertIn("The lesson is over.", out)
        self.is_strict_html(self.path("field.html"))
        self.assertIn(WHEN, lesson("--list", "--url", self.sink.url)[0])

    def test_there_is_an_end_to_runs(self):
        runs = []
        while len(runs) < 20:
            answer = self.api.call("POST", "/api/fakemx/lessons/starttls/runs")
            if answer.status != 201:
                break
            runs.append(json.loads(answer.body)["id"])
        self.assertEqual(answer.status, 409)
        self.assertIn("too-many-runs", answer.body.decode())
        self.assertLessEqual(len(runs), 8)
        for one in runs:
            self.ask("DELETE", f"lessons/starttls/runs/{one}")

    def test_what_is_not_there(self):
        for method, path in [
            ("GET", "lessons/none"), ("POST", "lessons/none/runs"), ("GET", "lessons/starttls/runs/r999"),
            ("GET", "lessons/..%2Fscenarios%2Fflaky"), ("GET", "lessons/%2Fetc%2Fpasswd"), ("GET", "lessons/flaky.yaml"),
        ]:
            self.ask(method, path, 404)


if __name__ == "__main__":
    unittest.main()
