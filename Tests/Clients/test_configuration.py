# Bad configuration and bad arguments: exit status 2, the place, what is wrong, and a suggestion where one is near.
# Good ones: precedence, ready file, exit-after, check.

import os
import signal
import subprocess
import tempfile
import time
import unittest

import clients
import wire
from sink import BINARY, ROOT, NotReady, Sink, run
from wire import Wire



def rule(at, more="", do="421 4.7.0 x"):
    """A rule in YAML; the line behind `at` is the fourth of the file."""
    more = f"    {more}\n" if more else ""
    return f"rules:\n  - name: a\n    at: {at}\n{more}    do: [ \"{do}\" ]\n"


# name: (YAML, the place LINE:COLUMN or LINE, words that must stand in the complaint)
FILES = {
    "unknown key": ("hostnam: mx.test\n", "1:1", ["hostnam", '"hostname"']),
    "unknown key in a rule": ("rules:\n  - name: a\n    at: rcpt\n    tims: always\n    do: [ close ]\n", "4:5", ["tims", '"times"']),
    "wrong type": ("limits:\n  connections: many\n", "2:16", ["many"]),
    "a list where a mapping belongs": ("limits: [ 1, 2 ]\n", "1:9", []),
    "unknown phase": ("rules:\n  - name: a\n    at: rctp\n    do: [ close ]\n", "3:9", ["rctp", '"rcpt"']),
    "impossible condition": ("rules:\n  - name: a\n    at: mail\n    when: { to: \"*@x.test\" }\n    do: [ close ]\n", "4", ["to", "mail"]),
    "bad reply code": ("rules:\n  - name: a\n    at: rcpt\n    do: [ \"650 nonsense\" ]\n", "4", ["650"]),
    "unknown action": ("rules:\n  - name: a\n    at: rcpt\n    do: [ clsoe ]\n", "4", ["clsoe", '"close"']),
    "bad CIDR": ("rules:\n  - name: a\n    at: rcpt\n    when: { client: 10.0.0.0/99 }\n    do: [ close ]\n", "4", ["10.0.0.0/99"]),
    "bad duration": ("rules:\n  - name: a\n    at: rcpt\n    do: [ delay 5 parsecs ]\n", "4", ["parsecs"]),
    "an unknown rule for senders": (
        "judging:\n  rules:\n    quit-misssing: { severity: off, reason: x }\n", "3:5", ["quit-misssing", '"quit-missing"']),
    "a rule for senders without a reason": ("judging:\n  rules:\n    quit-missing: { severity: off }\n", "3:5", ["reason"]),
    "an unknown profile of senders": ("judging:\n  profile: bluk\n", "2:12", ["bluk", '"bulk"']),
    "an unknown threshold": ("judging:\n  thresholds:\n    held-idel: 5s\n", "3:5", ["held-idel", '"held-idle"']),
    "bad YAML": ("rules: [ oh\n", "", []),
    "a limit of zero": (rule("mail", "times: limit 0 in 1h per client"), "4:12", ["limit 0", "leave the limit out"]),
    "a limit without its window": (rule("mail", "times: limit 5 per client"), "4:12", ["never ends", "in 1h", "per session"]),
    "a window of zero": (rule("mail", "times: limit 5 in 0s per client"), "4:12", ["window of 0"]),
    "a misspelt limit": (rule("mail", "times: limt 5 in 1h per client"), "4:12", ["limt", '"limit"']),
    "a limit counted by what is not known yet": (rule("mail", "times: limit 5 in 1h per to"), "4:12", ["per to", "rcpt"]),
    "a limit of no key": (rule("mail", "times: limit 5 in 1h per clients"), "4:12", ["clients", '"client"']),
    "errors without a window": (rule("mail", "times: errors 5 per client"), "4:12", ["never ends", "in 1h"]),
    "octets too early": (rule("mail", "times: octets 5KB in 1m per client"), "4:12", ["end-of-data"]),
    "a share too early": (rule("mail", "times: unknown-share 30% of 20 in 10m per client"), "4:12", ["at: rcpt"]),
    "a share of everything": (rule("rcpt", "times: unknown-share 100% of 20 in 10m per client"), "4:12", ["100%"]),
    "a share that is a number": (rule("rcpt", "times: unknown-share 30 of 20 in 10m per client"), "4:12", ['"30"', "a percentage"]),
    "a greylist of no tuple": (rule("rcpt", "times: greylist 5m..4h"), "4:12", ["per client-network, from, to"]),
    "a greylist whose window is over before its wait": (rule("rcpt", "times: greylist 5m..4m per to"), "4:12", ["4m", "5m"]),
    "a recovery without a ramp": (rule("connect", "times: recover 10m"), "4:12", ["10m..1h"]),
    "a reply that the catalogue does not have": (
        rule("rcpt", do="use gmial/over-quota"), "4:11", ['"gmial/over-quota"', '"gmail/over-quota"']),
    "a reply without its provider": (rule("rcpt", do="use over-quota"), "4:11", ['"over-quota"', '/over-quota"']),
    "bad TLS where TLS is off": ("tls: off\n" + rule("starttls", do="tls expired"), "5:11", ["tls expired", "TLS is off", "switch it on"]),
    "unknown bad TLS": (rule("starttls", do="tls expird"), "4:11", ["expird", '"expired"']),
    "an empty group": (rule("rcpt", "when: { any: [] }"), "4:18", ["empty group"]),
    "an unknown condition in a group": (rule("rcpt", "when: { not: { form: x } }"), "4:18", ["form", '"from"']),
    "a time without its end": (rule("mail", 'when: { time: "22:00" }'), "4:19", ["22:00..06:00"]),
    "a tarpit that does not grow": (rule("rcpt", do="tarpit 5s"), "4:11", ["500ms..30s"]),
    "a size at body that only shrinks": (rule("body", 'when: { size: "<1000" }'), "4:13", ["only grows", ">="]),
}

# The same on a rule line in a file: (the line, the column in it, words).
LINES = {
    "a limit of zero": ("mail limit=0/1h per=client: 421 4.7.0 x", 6, ["limit 0", "leave the limit out"]),
    "at-once of zero": ("connect at-once=0 per=client: 421 4.7.0 x", 9, ["at-once 0"]),
    "a limit without its window": ("mail limit=5 per=client: 421 4.7.0 x", 6, ["never ends", "in 1h"]),
    "at-once with a window": ("connect at-once=5/1m per=client: 421 4.7.0 x", 9, ["5/1m", "at-once 10"]),
    "at-once of one session": ("mail at-once=5 per=session: 421 4.7.0 x", 6, ["per session"]),
    "a limit of no key": ("mail limit=5/1h per=clients: 421 4.7.0 x", 21, ["clients", '"client"']),
    "a greylist of no tuple": ("rcpt greylist=5m..4h: 451 4.7.1 x", 6, ["per client-network, from, to"]),
    "a reply that the catalogue does not have": ("rcpt: delay 1s, use gmial/over-quota", 17, ['"gmail/over-quota"']),
    "a group that stays open": ("rcpt any(to=x: close", 6, ["not closed"]),
    "a group of no kind": ("rcpt ani(to=x): close", 6, ['"any"']),
    "a header field without its name": ("end-of-data header=x: close", 13, ["header.NAME"]),
    "a fault that is misspelt": ("body: stop-reding", 7, ['"stop-reading"']),
}

# Files of the catalogue: (what stands instead in a sound one, the place, words).
REPLIES = {
    "a name that stands twice": ({"name: second": "name: first"}, "9:11", ['"first"', "line 3"]),
    "a code that is none": ({"452 4.2.2 First": "652 4.2.2 First"}, "8:13", ['"652"', "200 to 599"]),
    "a code that is no number": ({"452 4.2.2 First": "45x 4.2.2 First"}, "8:13", ["three digits"]),
    "an unknown placeholder": ({"4.2.2 First {to}": "4.2.2 First {rcpt}"}, "8:29", ["{rcpt}", "{to}", "{ip}"]),
    "a brace that is not closed": ({"4.2.2 First {to}": "4.2.2 First {to"}, "8:29", ["{"]),
    "an unknown meaning": ({"means: mailbox-full": "means: mailbx-full"}, "5:12", ["mailbx-full", '"mailbox-full"']),
    "an unknown phase": ({"phase: any": "phase: rctp"}, "4:12", ["rctp", '"rcpt"']),
    "unknown advice": ({"advice: retry": "advice: rety"}, "6:13", ["rety", '"retry"']),
    "a key that is misspelt": ({"seen: a test": "sene: a test"}, "7:5", ["sene", '"seen"']),
    "the same reply twice": ({"Second": "First"}, "14:13", ["mine/first"]),
    "no provider": ({"provider: Mine": "# Mine"}, "2:1", ["provider: Gmail"]),
}
SOUND_REPLIES = "provider: Mine\nreplies:\n" + "".join(
    f"  - name: {name.lower()}\n    phase: any\n    means: mailbox-full\n    advice: retry\n    seen: a test\n"
    f"    reply: \"452 4.2.2 {name} {{to}}\"\n"
    for name in ("First", "Second"))

# name: (arguments, words)
ARGUMENTS = {
    "unknown flag": (["--smpt", "127.0.0.1:0"], ["smpt"]),
    "unknown scenario": (["--scenario", "greylistin"], ["greylistin", "greylisting"]),
    "missing file": (["--config", "/nonexistent/fakemx.yaml"], ["/nonexistent/fakemx.yaml"]),
    "unknown phase in a rule line": (["--rule", "rctp: close"], ["rctp", '"rcpt"']),
    "bad reply in a rule line": (["--rule", "rcpt: 999 no"], ["999"]),
    "rule line without actions": (["--rule", "rcpt to=*@x.test"], ["rcpt"]),
    "bad address": (["--smtp", "127.0.0.1:port"], ["127.0.0.1:port"]),
    "port out of range": (["--smtp", "127.0.0.1:99999"], ["99999"]),
    "bad store": (["--transcript", "josn"], ["josn"]),
    "an answerer of names that is none": (["--dns", "resolver"], ["--dns", '"resolver"', "system", "zone file"]),
    "an rspamd without an address": (["--rspamd", "yes"], ["--rspamd", '"yes"', "http://127.0.0.1:11333"]),
    "an unknown profile of senders": (["--judge", "bluk"], ["--judge", "bluk", '"bulk"']),
    "a port alone for http": (["--http", "8025"], ["127.0.0.1:8025"]),
    "a store of no kind": (["--store", "memry"], ["memory"]),
    "a store in a folder that is not there": (["--store", "/nonexistent/f.db"], ["/nonexistent"]),
    "a short token": (["--http-token", "x"], ["8 to 512"]),
    "certificate without key": (["--tls-cert", "/nonexistent.pem"], ["tls-key"]),
    "unreadable certificate": (["--tls-cert", "/nonexistent.pem", "--tls-key", "/nonexistent.key"], ["/nonexistent.pem"]),
    "bad exit-after": (["--exit-after", "sessions=soon"], ["soon"]),
    "a limit of zero": (["--rule", "mail limit=0/1h per=client: 421 x"], ["column 6", "limit 0"]),
    "a limit without its window": (["--rule", "mail limit=5 per=client: 421 4.7.0 x"], ["column 6", "never ends", "in 1h"]),
    "a reply that the catalogue does not have": (["--rule", "rcpt: use gmial/over-quota"], ["gmial/over-quota", '"gmail/over-quota"']),
    "bad TLS where TLS is off": (["--tls", "off", "--rule", "starttls: tls expired"], ["tls expired", "TLS is off"]),
    "bad TLS for all where TLS is off": (["--tls", "off", "--tls-fault", "expired"], ["expired", "TLS"]),
    "a folder of replies that is not there": (["--replies", "/nonexistent/replies"], ["/nonexistent/replies"]),
}


class BadConfiguration(unittest.TestCase):
    def test_each_bad_file_is_refused_with_its_place_and_a_suggestion(self):
        for name, (text, place, words) in FILES.items():
            for command in ("check", "serve"):
                with self.subTest(name=name, command=command), tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                    file.write(text)
                    file.flush()
                    arguments = ["check", file.name] if command == "check" else ["serve", "--smtp", "127.0.0.1:0", "--config", file.name]
                    status, out, err = run(*arguments)
                    self.assertEqual(status, 2, (out, err))
                    said = out + err
                    self.assertIn(f"{file.name}:{place}", said)
                    for word in words:
                        self.assertIn(word, said)
                    self.assertNotIn("Fatal error", said)

    def test_each_bad_rule_line_of_a_file_is_refused_with_its_column_and_a_suggestion(self):
        for name, (line, column, words) in LINES.items():
            with self.subTest(name=name), tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                # The line stands in quotes, eight columns in.
                file.write(f"rules:\n  -    '{line}'\n")
                file.flush()
                status, out, err = run("check", file.name)
                self.assertEqual(status, 2, (out, err))
                self.assertIn(f"{file.name}:2:{column + 8}: ", err)
                for word in words:
                    self.assertIn(word, err)

    def test_each_bad_file_of_the_catalogue_is_refused_by_check_and_by_replies(self):
        for name, (changes, place, words) in REPLIES.items():
            text = SOUND_REPLIES
            for old, new in changes.items():
                self.assertIn(old, text)
                text = text.replace(old, new, 1)
            with self.subTest(name=name), tempfile.TemporaryDirectory() as folder:
                path = f"{folder}/mine.yaml"
                with open(path, "w") as file:
                    file.write(text)
                for arguments in (["check", path], ["serve", "--smtp", "127.0.0.1:0", "--replies", folder],
                                  ["serve", "--smtp", "127.0.0.1:0", "--replies", folder, "--rule", "rcpt: use mine/second"]):
                    status, out, err = run(*arguments)
                    self.assertEqual(status, 2, (arguments, out, err))
                    self.assertIn(f"{path}:{place}: ", err)
                    for word in words:
                        self.assertIn(word, err)

    def test_a_sound_file_of_the_catalogue_is_used(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/mine.yaml", "w") as file:
                file.write(SOUND_REPLIES)
            self.assertEqual(run("check", f"{folder}/mine.yaml")[0], 0)
            with Sink("--replies", folder, "--rule", "rcpt: use mine/second") as sink, Wire(sink.port) as client:
                wire.hello(client)
                client.ask("MAIL FROM:<a@s.test>")
                self.assertEqual(client.ask("RCPT TO:<b@any.test>").text, "452 4.2.2 Second b@any.test")

    def test_bad_tls_must_be_possible_on_a_listener_of_its_rule(self):
        off, on = "  - smtp: 127.0.0.1:0\n    tls: off\n", "  - smtp: 127.0.0.1:0\n"
        own = '    rules: [ "starttls: tls refused" ]\n'
        for listeners, place in ((off + own, "4:25"), (on + off + own, "5:25"), (off + off, "9:11"), (off + on, None),
                                 (off + on + own, None)):
            with self.subTest(listeners=listeners), tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write("listeners:\n" + listeners + ("" if own in listeners else rule("starttls", do="tls refused")))
                file.flush()
                status, out, err = run("check", file.name)
                self.assertEqual(status, 2 if place else 0, err)
                if place:
                    self.assertIn(f"{file.name}:{place}: tls refused", err)

    def test_each_bad_argument_is_refused(self):
        for name, (arguments, words) in ARGUMENTS.items():
            with self.subTest(name=name):
                base = [] if "--smtp" in arguments else ["--smtp", "127.0.0.1:0"]
                status, out, err = run("serve", *base, *arguments)
                self.assertEqual(status, 2, (out, err))
                for word in words:
                    self.assertIn(word, err)

    def test_a_class_that_differs_from_the_enhanced_code_is_a_warning_only(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("rules:\n  - name: a\n    at: rcpt\n    do: [ \"421 5.7.32 odd, and seen in the field\" ]\n")
            file.flush()
            status, out, err = run("check", file.name)
            self.assertEqual(status, 0, err)
            self.assertIn("warning", out + err)

    def test_a_port_in_use_is_named(self):
        with Sink() as sink:
            status, out, err = run("serve", "--smtp", f"127.0.0.1:{sink.port}")
            self.assertEqual(status, 2, err)
            self.assertIn(f"127.0.0.1:{sink.port}", err)
            self.assertIn("in use", err)

    def test_a_key_that_does_not_belong_to_the_certificate_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a", "b"):
                make_certificate(folder, name)
            status, out, err = run("serve", "--smtp", "127.0.0.1:0", "--tls-cert", f"{folder}/a.pem", "--tls-key", f"{folder}/b.key")
            self.assertEqual(status, 2, err)
            self.assertIn("a.pem", err)
            with open(f"{folder}/garbage.pem", "w") as file:
                file.write("no certificate\n")
            status, out, err = run("serve", "--smtp", "127.0.0.1:0", "--tls-cert", f"{folder}/garbage.pem", "--tls-key", f"{folder}/b.key")
            self.assertEqual(status, 2, err)
            self.assertIn("garbage.pem", err)

    def test_own_certificate_is_shown_to_clients(self):
        import ssl
        with tempfile.TemporaryDirectory() as folder:
            make_certificate(folder, "own")
            with Sink("--tls-cert", f"{folder}/own.pem", "--tls-key", f"{folder}/own.key", smtps=1) as sink:
                with open(f"{folder}/own.pem") as file:
                    wanted = ssl.PEM_cert_to_DER_cert(file.read())
                with Wire(sink.tls_port, tls=True) as client:
                    self.assertEqual(client.socket.getpeercert(True), wanted)


def make_certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}.test", "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


class CommandLine(unittest.TestCase):
    def test_help_names_every_flag(self):
        status, out, err = run("serve", "--help")
        self.assertEqual(status, 0)
        for flag in ("--config", "--scenario", "--rule", "--smtp", "--smtps", "--http", "--hostname", "--tls-cert", "--tls-key",
                     "--tls", "--store", "--transcript", "--seed", "--time-scale", "--loops", "--magic", "--no-magic", "--judge",
                     "--dns", "--rspamd",
                     "--exit-after", "--ready-file"):
            self.assertIn(flag, out)

    def test_the_ready_file_holds_the_ready_line(self):
        with Sink(smtp=2, smtps=1) as sink:
            with open(sink.ready_file) as file:
                self.assertEqual(file.read().rstrip("\n"), sink.ready)

    def test_flag_beats_environment_beats_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            file.write("hostname: file.test\n")
            file.flush()
            cases = ((["--config", file.name], {}, "file.test"),
                     (["--config", file.name], {"FAKEMX_HOSTNAME": "environment.test"}, "environment.test"),
                     (["--config", file.name, "--hostname", "flag.test"], {"FAKEMX_HOSTNAME": "environment.test"}, "flag.test"))
            for arguments, environment, name in cases:
                with self.subTest(name=name), Sink(*arguments, environment=environment) as sink:
                    with Wire(sink.port) as client:
                        self.assertIn(name, client.reply().text)

    def test_exit_after_sessions_messages_and_idle(self):
        for what in ("sessions=2", "messages=2", "idle=300ms"):
            with self.subTest(what=what), Sink("--exit-after", what) as sink:
                if not what.startswith("idle"):
                    for _ in range(2):
                        self.assertIsNone(sink.process.poll())
                        clients.python_smtplib(sink.port, "b@any.test")
                self.assertEqual(sink.process.wait(5), 0)

    def test_tls_off_offers_no_starttls(self):
        with Sink("--tls", "off") as sink, Wire(sink.port) as client:
            self.assertNotIn("STARTTLS", wire.hello(client).text)
            self.assertIn(client.ask("STARTTLS").code, (454, 502))

    def test_the_same_seed_draws_the_same_faults(self):
        def drawn(seed):
            with Sink("--rule", "noop 50%: 450 4.0.0 drawn", "--seed", str(seed)) as sink, Wire(sink.port) as client:
                wire.hello(client)
                return [client.ask("NOOP").code for _ in range(64)]
        first = drawn(5)
        self.assertEqual(first, drawn(5))
        self.assertNotEqual(first, drawn(6))
        self.assertIn(450, first)
        self.assertIn(250, first)

    def test_time_scale_divides_delays(self):
        with Sink("--rule", "noop: delay 10s", "--time-scale", "50") as sink, Wire(sink.port) as client:
            wire.hello(client)
            seen = client.ask("NOOP")
            self.assertTrue(0.2 <= seen.after_s < 0.4, seen)

    def test_no_magic_makes_magic_addresses_ordinary(self):
        with Sink("--no-magic") as sink:
            self.assertTrue(clients.python_smtplib(sink.port, "rcpt-550@any.test").sent)

    def test_the_text_transcript_answers_when_the_reject_happened(self):
        with Sink("--rule", "rcpt to=*@full.test: 452 4.2.2 Mailbox full", transcript="text") as sink:
            clients.python_smtplib(sink.port, "b@full.test")
            sink.stop()
            text = "\n".join(sink.lines)
            self.assertIn("452 4.2.2 Mailbox full", text)
            self.assertIn("at RCPT", text)
            self.assertNotIn("\x1b[", text, "colours off a terminal")

    def test_transcript_off_is_silent(self):
        with Sink(transcript="off") as sink:
            clients.python_smtplib(sink.port, "b@any.test")
            sink.stop()
            self.assertEqual(len([l for l in sink.lines if l]), 1, sink.lines)

    def test_a_terminal_shows_colours_unless_no_color(self):
        for environment, colours in (({}, True), ({"NO_COLOR": "1"}, False)):
            with self.subTest(environment=environment):
                text = on_a_terminal(environment)
                self.assertIn("EHLO", text.upper())
                self.assertEqual("\x1b[" in text, colours, text)

    def test_a_closed_pipe_behind_the_transcript_ends_nothing(self):
        process = subprocess.Popen([BINARY, "serve", "--smtp", "127.0.0.1:0", "--transcript", "json"],
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT)
        try:
            port = int(process.stdout.readline().decode().split("smtp=127.0.0.1:")[1].split()[0])
            process.stdout.close()
            for _ in range(3):
                self.assertTrue(clients.python_smtplib(port, "b@any.test").sent)
            time.sleep(0.2)
            self.assertIsNone(process.poll())
        finally:
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(10), 0)


def on_a_terminal(environment):
    """Runs fakemx with a pseudo-terminal as standard output, one session; returns what it printed."""
    import pty
    import select
    mine, its = pty.openpty()
    kept = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    process = subprocess.Popen([BINARY, "serve", "--smtp", "127.0.0.1:0"], stdout=its, stderr=subprocess.DEVNULL,
                               stdin=subprocess.DEVNULL, env={**kept, "TERM": "xterm", **environment}, cwd=ROOT)
    os.close(its)
    text, sent, deadline = b"", False, time.monotonic() + 10
    try:
        while time.monotonic() < deadline:
            if select.select([mine], [], [], 0.2)[0]:
                try:
                    text += os.read(mine, 65536)
                except OSError:
                    break
            elif sent:
                break
            if not sent and b"ready " in text and b"\n" in text.split(b"ready ")[1]:
                port = int(text.decode().split("smtp=127.0.0.1:")[1].split()[0])
                clients.python_smtplib(port, "b@any.test")
                sent = True
    finally:
        process.send_signal(signal.SIGTERM)
        while True:
            try:
                if not os.read(mine, 65536):
                    break
            except OSError:
                break
        process.wait(10)
        os.close(mine)
    return text.decode("utf-8", "replace")


if __name__ == "__main__":
    unittest.main()
