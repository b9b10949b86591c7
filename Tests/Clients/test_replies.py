# `fakemx replies`: the table, JSON and its keys, each filter, words, and bad input with its place and a suggestion.

import fcntl
import json
import os
import pty
import struct
import subprocess
import tempfile
import termios
import unittest

from sink import BINARY, ROOT, run

KEYS = {"name", "provider", "phase", "code", "enhanced", "meaning", "advice", "text", "source"}
PHASES = {"connect", "greeting", "ehlo", "starttls", "tls", "auth", "mail", "rcpt", "data", "body", "end-of-data", "rset", "noop",
          "vrfy", "quit", "idle", "accepted", "any"}
FILE = """provider: Mine
replies:
  - name: full
    phase: any
    means: mailbox-full
    advice: retry
    seen: a test
    reply: "452 4.2.2 <{to}> is full"
"""


def found(*arguments):
    status, out, err = run("replies", "--output", "json", *arguments)
    return json.loads(out)


def names(*arguments):
    return [entry["name"] for entry in found(*arguments)]


class Table(unittest.TestCase):
    def test_the_table_has_a_header_and_a_whole_line_for_each_reply(self):
        status, out, err = run("replies", "yahoo/tss04")
        self.assertEqual((status, err), (0, ""))
        lines = out.splitlines()
        self.assertEqual(lines[0].split(), ["NAME", "PHASE", "REPLY", "MEANS", "ADVICE", "TEXT"])
        self.assertEqual(len(lines), 2)
        self.assertEqual(lines[1].split()[:6], ["yahoo/tss04", "mail", "421", "4.7.0", "rate-limit", "slow-down"])
        self.assertIn("[TSS04] Messages from {ip} temporarily deferred", lines[1])
        self.assertNotIn("…", out)

    def test_without_words_everything_is_shown(self):
        status, out, err = run("replies")
        self.assertEqual((status, err), (0, ""))
        self.assertEqual(len(out.splitlines()) - 1, len(found()))

    def test_a_terminal_gets_lines_that_fit(self):
        for columns, lines_each in ((160, 1), (80, 2), (30, 2)):
            with self.subTest(columns=columns):
                text = on_terminal(columns, "replies", "outlook")
                lines = text.splitlines()
                self.assertEqual(len(lines), (len(names("outlook")) + 1) * lines_each)
                self.assertLessEqual(max(map(len, lines)), columns)
                self.assertIn("…", text)


def on_terminal(columns, *arguments):
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen([BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=theirs, cwd=ROOT)
    os.close(theirs)
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:
        pass  # the other end is closed
    os.close(ours)
    assert process.wait(20) == 0
    return seen.decode()


class Json(unittest.TestCase):
    def test_every_entry_has_every_key_and_known_words(self):
        entries = found()
        self.assertGreaterEqual(len(entries), 250)
        self.assertGreaterEqual(len({e["provider"] for e in entries}), 30)
        self.assertEqual(len({e["name"] for e in entries}), len(entries))
        for entry in entries:
            with self.subTest(name=entry["name"]):
                self.assertEqual(set(entry), KEYS)
                self.assertIn(entry["phase"], PHASES)
                self.assertIn(entry["advice"], {"retry", "slow-down", "suppress", "fix"})
                self.assertIsInstance(entry["code"], int)
                lines = entry["text"].split("\n")
                for line in lines[:-1]:
                    self.assertTrue(line.startswith(f"{entry['code']}-"), line)
                self.assertTrue(lines[-1].startswith(f"{entry['code']} "), lines[-1])
                self.assertLessEqual(max(map(len, lines)), 510)
                self.assertTrue(entry["text"].isascii())
                if entry["enhanced"] is not None:
                    self.assertTrue(lines[0][4:].startswith(entry["enhanced"]), lines[0])
                self.assertTrue(entry["source"])

    def test_nothing_found_is_an_empty_array_and_status_1(self):
        status, out, err = run("replies", "--output", "json", "xyzzy")
        self.assertEqual(status, 1)
        self.assertEqual(json.loads(out), [])
        self.assertIn("xyzzy", err)


class Filters(unittest.TestCase):
    def each(self, arguments, holds):
        entries = found(*arguments)
        self.assertTrue(entries, arguments)
        self.assertLess(len(entries), len(found()), arguments)
        for entry in entries:
            self.assertTrue(holds(entry), (arguments, entry))

    def test_each_filter(self):
        self.each(["--provider", "gmail"], lambda e: e["provider"] == "Gmail")
        self.each(["--provider", "Cisco"], lambda e: e["provider"] == "Cisco IronPort")
        self.each(["--code", "550"], lambda e: e["code"] == 550)
        self.each(["--code", "4xx"], lambda e: e["code"] // 100 == 4)
        self.each(["--enhanced", "4.2.2"], lambda e: e["enhanced"] == "4.2.2")
        self.each(["--enhanced", "5.7"], lambda e: e["enhanced"].startswith("5.7."))
        self.each(["--meaning", "greylist"], lambda e: e["meaning"] == "greylist")
        self.each(["--phase", "greeting"], lambda e: e["phase"] == "greeting")
        self.each(["--phase", "any"], lambda e: e["phase"] == "any")
        self.each(["--provider", "gmail", "--code", "4xx", "--meaning", "mailbox-full"],
                  lambda e: e["provider"] == "Gmail" and e["code"] // 100 == 4 and e["meaning"] == "mailbox-full")

    def test_each_kind_of_word(self):
        self.each(["gmail"], lambda e: e["provider"] == "Gmail")
        self.each(["452"], lambda e: e["code"] == 452)
        self.each(["5xx"], lambda e: e["code"] // 100 == 5)
        self.each(["4.2.2"], lambda e: e["enhanced"] == "4.2.2")
        self.each(["mailbox-full"], lambda e: e["meaning"] == "mailbox-full")
        self.each(["suppress"], lambda e: e["advice"] == "suppress")
        self.each(["end-of-data"], lambda e: e["phase"] == "end-of-data")
        self.each(["gmail", "mailbox-full"], lambda e: e["provider"] == "Gmail" and e["meaning"] == "mailbox-full")
        self.each(["gmail mailbox-full"], lambda e: e["provider"] == "Gmail" and e["meaning"] == "mailbox-full")
        self.each(["Spamhaus", "greeting"], lambda e: e["phase"] == "greeting")

    def test_names_that_others_rely_on(self):
        for name in ("gmail/over-quota", "gmail/unauthenticated", "gmail/unknown-user", "gmail/rate-limited", "outlook/s3140",
                     "yahoo/tss04"):
            self.assertIn(name, names(name))


class BadInput(unittest.TestCase):
    def refused(self, arguments, status, *words):
        with self.subTest(arguments=arguments):
            found_status, out, err = run("replies", *arguments)
            self.assertEqual(found_status, status, (out, err))
            for word in words:
                self.assertIn(word, err)

    def test_bad_arguments(self):
        self.refused(["--meaning", "mailbox-ful"], 2, "mailbox-ful", '"mailbox-full"')
        self.refused(["--phase", "rctp"], 2, "rctp", '"rcpt"')
        self.refused(["--code", "650"], 2, "650")
        self.refused(["--code", "x50"], 2, "x50")
        self.refused(["--enhanced", "3.1.1"], 2, "3.1.1")
        self.refused(["--output", "jsno"], 2, "jsno", '"json"')
        self.refused(["--replies", "/nonexistent"], 2, "/nonexistent", "no such folder")
        self.refused(["--colour"], 2, "colour")

    def test_nothing_found_suggests(self):
        self.refused(["gmial"], 1, "gmial", '"gmail"')
        self.refused(["gmail/over-qouta"], 1, '"gmail/over-quota"')
        self.refused(["--provider", "gmial"], 1, "gmial", '"gmail"')
        self.refused(["gmail", "tss04"], 1, "none has all of them")

    def test_a_bad_file_has_its_place_and_the_others_are_shown(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("mine.yaml", FILE), ("bad.yaml", FILE.replace("{to}", "{rcpt}"))):
                with open(os.path.join(folder, name), "w") as file:
                    file.write(text)
            status, out, err = run("replies", "--replies", folder)
            self.assertEqual(status, 2, err)
            self.assertIn(f"{folder}/bad.yaml:8:24: unknown placeholder {{rcpt}}", err)
            self.assertIn("mine/full", out)
            self.assertEqual(run("check", os.path.join(folder, "mine.yaml"))[0], 0)
            status, out, err = run("check", os.path.join(folder, "bad.yaml"))
            self.assertEqual(status, 2)
            self.assertIn("bad.yaml:8:24", err)

    def test_own_folders_take_the_place_of_the_shipped_one(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "mine.yaml"), "w") as file:
                file.write(FILE)
            self.assertEqual(names("--replies", folder), ["mine/full"])
        with tempfile.TemporaryDirectory() as folder:
            self.refused(["--replies", folder], 1, "no replies at all")

    def test_every_shipped_file_passes_check(self):
        folder = os.path.join(ROOT, "Config", "replies")
        files = [os.path.join(folder, name) for name in os.listdir(folder)]
        status, out, err = run("check", *files)
        self.assertEqual((status, err), (0, ""))


if __name__ == "__main__":
    unittest.main()
