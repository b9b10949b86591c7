# The commands that ask a running fakemx: what they print, for people and for programs, and the status they end with.

import json
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import wire
from api import API, letter, mail
from sink import BINARY, ROOT, Sink, run
from wire import Wire

FULL = "rcpt name=full to=*@full.test: 452 4.2.2 Mailbox full"
TOKEN = "a-token-of-16-ch"
# Whoever waits takes 1 for "it happened": 4 says that nobody could be asked.
def failed(command):
    return 4 if command[0] == "wait" else 1


COMMANDS = (["sessions"], ["messages"], ["show", "s1"], ["tail"], ["wait", "session"], ["report"], ["rules"], ["rules", "list"], ["reset"], ["cursor"])


class Asking(unittest.TestCase):
    def setUp(self):
        # One loop, so that what is told comes in one order; findings come when they do (test_report.py).
        self.sink = Sink("--rule", FULL, "--loops", "1", "--judge", "off", transcript="off", http="127.0.0.1:0")
        self.addCleanup(self.sink.stop)
        self.api = API(self.sink.url)

    def fakemx(self, *arguments, **more):
        return run(*arguments, environment={"FAKEMX_URL": self.sink.url, **more.pop("environment", {})}, **more)

    def good(self, *arguments):
        status, out, err = self.fakemx(*arguments)
        self.assertEqual((status, err), (0, ""), out)
        return out

    def bad(self, status, *arguments, says=(), environment=None):
        ended, out, err = self.fakemx(*arguments, environment=environment or {})
        self.assertEqual(ended, status, (arguments, out, err))
        for word in [says] if isinstance(says, str) else says:
            self.assertIn(word, err)
        return out, err

    def two(self):
        self.assertEqual(mail(self.sink.port, "b@any.test", "a@one.test", subject="Hello there"), 250)
        self.assertEqual(mail(self.sink.port, "c@full.test", "a@two.test"), 452)
        self.api.until(lambda info: info["sessions"]["ever"] == 2)

    def test_sessions(self):
        self.two()
        table = self.good("sessions").splitlines()
        self.assertEqual(table[0].split(), ["SESSION", "STARTED", "CLIENT", "FROM", "TO", "VERDICT", "AT", "REPLY"])
        self.assertEqual(len(table), 3)
        self.assertTrue(table[1].startswith("s2 "))
        self.assertIn("deferred  rcpt  452 4.2.2 Mailbox full  (rule full)", table[1])
        self.assertIn("accepted", table[2])
        narrowed = json.loads(self.good("sessions", "verdict=deferred", "to=*@full.test", "--output", "json"))
        self.assertEqual([session["id"] for session in narrowed["sessions"]], ["s2"])
        self.assertEqual(len(self.good("sessions", "--limit", "1").splitlines()), 2)
        status, out, err = self.fakemx("sessions", "from=nobody@x.test")
        self.assertEqual((status, out), (0, ""))
        self.assertIn("no such session", err)
        cursor = self.good("cursor").strip()
        self.assertEqual(json.loads(self.good("sessions", "--since", cursor, "--output", "json"))["sessions"], [])
        with Wire(self.sink.port) as client:
            wire.hello(client)
            client.ask("MAIL FROM:<open@sender.test>")
            opened = self.good("sessions", "--open")
            self.assertIn("open@sender.test", opened)
            self.assertIn(" open ", opened)

    def test_messages(self):
        self.two()
        table = self.good("messages").splitlines()
        self.assertEqual(table[0].split(), ["MESSAGE", "RECEIVED", "FROM", "TO", "SIZE", "SUBJECT"])
        self.assertTrue(re.fullmatch(r"s1\.1 +\d\d:\d\d:\d\d\.\d+ +a@one\.test +b@any\.test +\d+ +Hello there", table[1]), table)
        listed = json.loads(self.good("messages", "subject=hello*", "--output=json"))
        self.assertEqual([message["id"] for message in listed["messages"]], ["s1.1"])
        self.assertEqual(self.fakemx("messages", "size=>10KB")[:2], (0, ""))

    def test_what_a_terminal_would_obey_is_not_printed(self):
        mail(self.sink.port, content=letter("\x1b[31mred\x07"), helo="client.test")
        self.assertNotIn("\x1b", self.good("messages"))
        self.assertNotIn("\x07", self.good("messages"))

    def test_show(self):
        content = b"Subject: all\r\n\r\n" + bytes(range(256)) + b"\r\n.\r\nend"
        with Wire(self.sink.port) as client:
            wire.hello(client)
            client.ask("MAIL FROM:<a@sender.test> BODY=BINARYMIME"), client.ask("RCPT TO:<b@any.test>")
            self.assertEqual(client.send(b"BDAT %d LAST\r\n" % len(content) + content).reply().code, 250)
            client.ask("QUIT")
            client.end()
        self.api.until(lambda info: info["sessions"]["ever"] == 1)
        # To a pipe the octets as they came.
        raw = subprocess.run([BINARY, "show", "s1.1", "--url", self.sink.url], stdout=subprocess.PIPE, cwd=ROOT, timeout=20)
        self.assertEqual((raw.returncode, raw.stdout), (0, content))
        self.assertEqual(json.loads(self.good("show", "s1.1", "--output", "json"))["subject"], "all")
        transcript = self.good("show", "s1")
        self.assertIn("RCPT TO:<b@any.test>", transcript)
        session = json.loads(self.good("show", "s1", "--output", "json"))
        self.assertEqual((session["id"], session["ended_by"]), ("s1", "quit"))
        self.bad(1, "show", "s99", says="s99")
        self.bad(1, "show", "s99.1", says="s99.1")
        self.bad(1, "show", "../info")

    def test_tail_of_what_happened(self):
        self.two()
        lines = self.good("tail").splitlines()
        self.assertEqual([line.split()[2] for line in lines], ["opened", "message", "session", "opened", "rule", "reject", "session"])
        self.assertIn("at rcpt  452 4.2.2 Mailbox full  <c@full.test>  (rule full)", lines[5])
        objects = [json.loads(line) for line in self.good("tail", "--output", "json", "--kind", "reject,message").splitlines()]
        self.assertEqual([entry["kind"] for entry in objects], ["message", "reject"])
        self.assertEqual(len(self.good("tail", "to=*@full.test", "--kind", "reject").splitlines()), 1)
        self.assertEqual(self.good("tail", "--since", self.good("cursor").strip()), "")

    def test_tail_that_follows_until_it_is_stopped(self):
        process = subprocess.Popen([BINARY, "tail", "-f", "--output", "json", "--kind", "message", "--url", self.sink.url],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
        try:
            self.api.until(lambda info: info["waiting"] == 1)
            for number in range(3):
                mail(self.sink.port, f"u{number}@any.test")
                entry = json.loads(process.stdout.readline())
                self.assertEqual(entry["to"], [f"u{number}@any.test"], "each line comes at once, not when a buffer is full")
            process.send_signal(signal.SIGINT)
            process.wait(5)
            self.api.until(lambda info: info["waiting"] == 0)
        finally:
            process.kill()
            process.communicate()

    def test_tail_ends_when_the_sink_does(self):
        process = subprocess.Popen([BINARY, "tail", "--follow", "--url", self.sink.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT)
        self.api.until(lambda info: info["waiting"] == 1)
        self.sink.stop()
        _, err = process.communicate(timeout=10)
        self.assertEqual(process.returncode, 1)
        self.assertIn(self.sink.url, err.decode())

    def test_wait_for_what_came(self):
        self.two()
        self.assertIn("s1.1", self.good("wait", "message", "to=b@any.test"))
        self.assertIn("s2", self.good("wait", "session", "verdict=deferred"))
        self.assertIn("452 4.2.2 Mailbox full", self.good("wait", "reject", "phase=rcpt"))
        self.assertIn("(rule full)", self.good("wait", "rule", "rule=full", "to=*@full.test"))
        answer = json.loads(self.good("wait", "session", "--count", "2", "--output", "json"))
        self.assertEqual((answer["fulfilled"], answer["count"]), (True, 2))

    def test_wait_for_what_comes(self):
        cursor = self.good("cursor").strip()
        box = []
        waiter = threading.Thread(target=lambda: box.append(self.fakemx("wait", "message", "--count", "2", "--since", cursor)))
        waiter.start()
        self.api.until(lambda info: info["waiting"] == 1)
        mail(self.sink.port, "one@any.test")
        mail(self.sink.port, "two@any.test")
        waiter.join(10)
        status, out, err = box[0]
        self.assertEqual((status, err, len(out.splitlines())), (0, "", 3))

    def test_wait_whose_time_is_over_is_3(self):
        self.two()
        began = time.monotonic()
        out, err = self.bad(3, "wait", "message", "to=nobody@x.test", "--timeout", "300ms", says=("0 of 1 came in 300ms", "in its place came", "b@any.test"))
        self.assertTrue(0.25 < time.monotonic() - began < 5)
        self.assertEqual(out, "")
        self.bad(3, "wait", "message", "--count", "2", "--timeout", "0s", says="1 of 2 came")
        out, _ = self.bad(3, "wait", "reject", "code=5xx", "--timeout", "0", "--output", "json")
        self.assertFalse(json.loads(out)["fulfilled"])
        cursor = self.good("cursor").strip()
        self.bad(3, "wait", "message", "--since", cursor, "--timeout", "0", says="no other message came")

    def test_wait_for_what_must_be_absent(self):
        self.good("wait", "message", "to=nobody@x.test", "--absent", "--timeout", "100ms")
        self.two()
        self.bad(1, "wait", "message", "to=b@any.test", "--absent", "--timeout", "5s", says="it happened: 1 came")

    def test_wait_takes(self):
        self.two()
        self.assertIn("s1.1", self.good("wait", "message", "--take"))
        self.bad(3, "wait", "message", "--take", "--timeout", "0")
        self.assertEqual(self.api.found("messages")["messages"], [])

    def test_bad_arguments_are_2(self):
        cases = {
            ("wait", "mesage"): "did you mean \"message\"",
            ("wait", "message", "too=x"): "did you mean \"to\"",
            ("wait", "message", "to"): "to=*@full.test",
            ("wait", "message", "--timeout", "soon"): "timeout",
            ("wait", "message", "--count", "0"): "count",
            ("wait", "message", "--since", "yesterday"): "since",
            ("wait", "session", "--take"): "take",
            ("wait",): "",
            ("sessions", "verdikt=deferred"): "did you mean \"verdict\"",
            ("sessions", "verdict=refused"): "none of",
            ("sessions", "--limit", "0"): "limit",
            ("sessions", "--limit", "x"): "--limit",
            ("sessions", "--output", "xml"): "xml",
            ("messages", "subjcet=x"): "did you mean \"subject\"",
            ("tail", "--kind", "mesage"): "did you mean",
            ("rules", "add", "rcpt frist=2: 550 5.1.1 x"): "did you mean",
            ("rules", "add", "rcpt: use no-such-reply"): "no-such-reply",
            ("rules", "add"): "",
            ("rules", "remove"): "--all",
            ("rules", "put", "a b", "rcpt: accept"): "name",
            ("reset", "--space", "a b"): "space",
            ("sesions",): "sesions",
            ("cursor", "--url", "ftp://x"): "http://HOST:PORT",
            ("cursor", "--url", "http://"): "http://HOST:PORT",
            ("cursor", "--url", "http://x:99999"): "http://HOST:PORT",
        }
        for arguments, word in cases.items():
            with self.subTest(arguments=arguments):
                out, _ = self.bad(2, *arguments, says=word)
                self.assertEqual(out, "")

    def test_rules(self):
        table = self.good("rules").splitlines()
        self.assertEqual(table[0].split(), ["RULE", "FROM", "FIRED", "OF", "REMAINS", "LINE"])
        self.assertEqual(self.good("rules", "list"), self.good("rules"))
        self.assertEqual(self.good("rules", "add", "rcpt to=x@y.test once: 451 4.7.1 Later"), "run-1\n")
        self.assertEqual(mail(self.sink.port, "x@y.test"), 451)
        added = json.loads(self.good("rules", "add", "rcpt name=mine: 550 5.1.1 No", "--space", "mine", "--output", "json"))
        self.assertEqual((added["name"], added["spaces"]), ("mine", ["mine"]))
        self.bad(2, "rules", "add", "rcpt name=mine: 550 5.1.1 No", says="\"mine\"")
        self.assertEqual(self.good("rules", "put", "mine", "rcpt: 551 5.1.1 No", "--space", "mine"), "")
        self.assertEqual(mail(self.sink.port, "x@mine.test", "a@s.example", helo="h.example"), 551)
        listed = json.loads(self.good("rules", "--output", "json"))["rules"]
        self.assertEqual([rule["name"] for rule in listed], ["mine", "run-1", "full"])
        self.bad(1, "rules", "remove", "nobody", says="nobody")
        self.bad(2, "rules", "remove", "full", says="configuration")
        self.good("rules", "remove", "run-1")
        self.good("rules", "add", "rcpt: 451 4.7.1 a")
        self.good("rules", "remove", "--space", "mine")
        self.assertEqual([rule["name"] for rule in self.api.found("rules")["rules"]][-1], "full")
        self.good("rules", "remove", "--all")
        self.assertEqual([rule["name"] for rule in self.api.found("rules")["rules"]], ["full"])

    def test_a_rule_that_goes_by_itself(self):
        added = json.loads(self.good("rules", "add", "--expires", "30s", "rcpt name=short: 451 4.7.1 a", "--space", "t1", "--output", "json"))
        self.assertTrue(29 < added["expires_in_s"] <= 30, added)
        self.assertEqual(added["spaces"], ["t1"])
        self.good("rules", "put", "short", "rcpt: 451 4.7.1 b", "--expires", "100ms")
        deadline = time.monotonic() + 5
        while "short" in self.good("rules"):
            self.assertLess(time.monotonic(), deadline)
        _, err = self.bad(2, "rules", "add", "--expires", "soon", "rcpt: 451 4.7.1 a", says="expires")
        self.assertNotIn("column", err)  # of a line that has none
        self.bad(2, "rules", "add", "--expires", "0s", "rcpt: 451 4.7.1 a", says="1ms at least")
        self.good("rules", "add", "--expires", "90s", "rcpt name=later: 451 4.7.1 a")
        self.assertRegex(self.good("rules"), r"no end; goes in (89|90) s  rcpt name=later")

    def test_what_is_removed_is_said_in_one_way(self):
        for space in ("one", "two"):
            self.good("rules", "add", f"rcpt name={space}: 451 4.7.1 a", "--space", space)
        before = self.good("rules")
        for words in (("one", "--space", "two"), ("--space", "one", "--all"), ("one", "--all")):
            self.bad(2, "rules", "remove", *words, says="do not go together")
        self.assertEqual(self.good("rules"), before)
        self.good("rules", "remove", "--space", "one")
        self.assertNotIn("one", self.good("rules"))

    def test_flags_of_a_wait_are_no_words(self):
        for word in ("absent=true", "count=3", "timeout=1s", "since=x", "take=true"):
            self.bad(2, "wait", "message", word, says=f"--{word.split('=')[0]}")

    def test_a_sink_that_dies_in_a_wait_is_told(self):
        wait = subprocess.Popen([BINARY, "wait", "message", "--timeout", "60s", "--url", self.sink.url], stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        self.api.until(lambda info: info["waiting"] == 1)
        self.sink.process.kill()
        out, err = wait.communicate(timeout=10)
        self.assertEqual((wait.returncode, out), (4, ""), err)
        self.assertRegex(err.split(self.sink.url + ": ")[1], r"the connection (was closed|broke)")

    def test_a_wait_that_is_cut_off_says_so(self):
        waits = [subprocess.Popen([BINARY, "wait", kind, "--timeout", "60s", "--url", self.sink.url, *more], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True) for kind, *more in (("message",), ("reject", "--absent"))]
        self.api.until(lambda info: info["waiting"] == 2)
        self.assertEqual(self.sink.stop(), 0)
        for wait in waits:
            out, err = wait.communicate(timeout=10)
            self.assertEqual((wait.returncode, out), (4, ""), err)
            self.assertIn("fakemx is being stopped", err)

    def test_names_that_need_escapes(self):
        self.bad(1, "rules", "remove", "a/../b")
        self.bad(1, "show", "s1?x=1&y")

    def test_reset_and_cursor(self):
        self.two()
        cursor = self.good("cursor")
        self.assertTrue(re.fullmatch(r"[0-9a-z]+-\d+-\d+-\d+\n", cursor), cursor)
        self.assertEqual(json.loads(self.good("cursor", "--output", "json"))["cursor"], cursor.strip())
        self.assertEqual(self.good("reset", "--space", "full"), "forgot 0 messages, 1 sessions, 0 rules\n")
        self.good("rules", "add", "rcpt: 451 4.7.1 a")
        self.assertEqual(self.good("reset"), "forgot 1 messages, 1 sessions, 1 rules\n")
        self.assertEqual(json.loads(self.good("reset", "--output", "json"))["messages"], 0)

    def test_an_answer_that_is_quick_is_no_broken_connection(self):
        # One in a hundred failed when the request was written in pieces: it was answered before its last one.
        for _ in range(150):
            self.good("cursor")

    def test_the_flag_wins_over_the_environment(self):
        self.assertEqual(run("cursor", "--url", self.sink.url, environment={"FAKEMX_URL": "http://127.0.0.1:1"})[0], 0)
        self.assertEqual(run("cursor", "--url", self.sink.url + "/", environment={"FAKEMX_URL": ""})[0], 0)
        self.assertEqual(run("cursor", environment={"FAKEMX_URL": self.sink.url.replace("127.0.0.1", "localhost")})[0], 0)

    def test_nobody_is_there(self):
        for command in COMMANDS:
            with self.subTest(command=command):
                status, out, err = run(*command, "--url", "http://127.0.0.1:1")
                self.assertEqual((status, out), (failed(command), ""))
                self.assertIn("http://127.0.0.1:1", err)
                self.assertIn("is fakemx running there?", err)
                self.assertEqual(len(err.strip().splitlines()), 1, err)
        status, _, err = run("cursor", "--url", "http://no-such-name.invalid:80")
        self.assertEqual(status, 1, err)
        status, _, err = run("cursor", "--url", "unix:/nowhere/at/all")
        self.assertEqual(status, 1, err)

    def test_something_else_is_there(self):
        # An SMTP port, for instance.
        status, out, err = run("cursor", "--url", f"http://127.0.0.1:{self.sink.port}")
        self.assertEqual((status, out), (1, ""), err)
        self.assertTrue(err.strip())


class Tokens(unittest.TestCase):
    def test_every_command_says_its_token(self):
        with Sink("--http-token", TOKEN, transcript="off", http="127.0.0.1:0") as sink:
            mail(sink.port)
            API(sink.url, TOKEN).until(lambda info: info["sessions"]["ever"] == 1)
            for command in COMMANDS:
                with self.subTest(command=command):
                    status, out, err = run(*command, "--url", sink.url)
                    self.assertEqual((status, out), (failed(command), ""))
                    self.assertIn("token", err.lower())
                    status, _, err = run(*command, "--url", sink.url, "--token", "wrong-and-long")
                    self.assertEqual(status, failed(command))
                    self.assertNotIn("wrong-and-long", err)
                    self.assertNotIn(TOKEN, err)
                    if command == ["reset"]:
                        continue
                    status, _, err = run(*command, "--url", sink.url, "--token", TOKEN)
                    self.assertEqual(status, 0, err)
                    status, _, err = run(*command, environment={"FAKEMX_URL": sink.url, "FAKEMX_TOKEN": TOKEN})
                    self.assertEqual(status, 0, err)

    def test_a_command_behind_serve_is_told_url_and_token(self):
        status, out, err = run("serve", "--http-token", TOKEN, "--", BINARY, "cursor")
        self.assertEqual(status, 0, err)
        self.assertTrue(re.search(r"^[0-9a-z]+-\d+-\d+-\d+$", out, re.MULTILINE), out)


class UnixSocket(unittest.TestCase):
    def test_a_unix_socket_is_asked(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "api")
            with Sink(transcript="off", http=f"unix:{path}"):
                status, out, err = run("cursor", "--url", f"unix:{path}")
                self.assertEqual(status, 0, err)


if __name__ == "__main__":
    unittest.main()
