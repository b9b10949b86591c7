# What stands in Config/ci works as it stands: the pytest fixture under `fakemx serve --` and by itself, one worker and
# four; the shell test; what a failed wait says; the exit statuses of `serve -- COMMAND`; the YAML of other programs.
# pytest and the schemas come from .build/python/ci, which `Scripts/setup --tests` makes of requirements-ci.txt.

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from sink import BINARY, ROOT

CI = os.path.join(ROOT, "Config", "ci")
TOOLS = os.path.join(ROOT, ".build", "python", "ci", "bin")
LIMIT_S = 120


def call(*command, environment=None, cwd=ROOT, stdin=subprocess.DEVNULL):
    """(exit status, standard output, standard error)"""
    known = {name: value for name, value in os.environ.items() if not name.startswith("FAKEMX_")}
    known["PATH"] = TOOLS + ":" + known["PATH"]
    done = subprocess.run(
        command, cwd=cwd, env={**known, **(environment or {})}, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=LIMIT_S)
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


class WithTools(unittest.TestCase):
    def setUp(self):
        for tool in ("pytest", "check-jsonschema"):
            self.assertTrue(os.path.exists(os.path.join(TOOLS, tool)), f"{tool} is missing: Scripts/setup --tests")


class Pytest(WithTools):
    ARGUMENTS = ["-q", "-p", "no:cacheprovider", os.path.join(CI, "tests")]

    def passes(self, *command, environment=None):
        status, out, err = call(*command, *self.ARGUMENTS, environment=environment)
        self.assertEqual(status, 0, out + err)
        self.assertRegex(out, r"\b1[0-9] passed")
        return out, err

    def test_one_worker_in_the_sink_that_serve_starts(self):
        _, err = self.passes(BINARY, "serve", "--", "pytest")
        self.assertRegex(err, r"^ready smtp=127\.0\.0\.1:\d+ http=127\.0\.0\.1:\d+\n")

    def test_four_workers_share_the_sink_that_serve_starts(self):
        self.passes(BINARY, "serve", "--transcript", "json", "--", "pytest", "-n", "4")

    def test_one_worker_starts_a_sink_by_itself(self):
        self.passes("pytest", environment={"FAKEMX_BIN": BINARY})

    def test_four_workers_start_a_sink_each(self):
        self.passes("pytest", "-n", "4", environment={"FAKEMX_BIN": BINARY})

    def test_the_store_may_be_a_file(self):
        folder = tempfile.mkdtemp(prefix="fakemx-ci-")
        self.addCleanup(shutil.rmtree, folder)
        self.passes(BINARY, "serve", "--store", os.path.join(folder, "mail.db"), "--", "pytest")

    def failing(self, body, *command, environment=None):
        """What pytest says of a test that is to fail."""
        folder = tempfile.mkdtemp(prefix="fakemx-ci-")
        self.addCleanup(shutil.rmtree, folder)
        shutil.copy(os.path.join(CI, "conftest.py"), folder)
        with open(os.path.join(folder, "test_it.py"), "w") as file:
            file.write(
                "import smtplib\n\ndef send(mx, to):\n    with smtplib.SMTP(mx.smtp_host, mx.smtp_port) as smtp:\n        try:\n"
                "            smtp.sendmail('me@here.example', [to], 'Subject: hi\\r\\n\\r\\nx\\r\\n')\n"
                "        except smtplib.SMTPException:\n            pass\n\ndef test_it(fakemx):\n    " + body.replace("\n", "\n    ") + "\n")
        status, out, err = call(*command, "pytest", "-q", "-p", "no:cacheprovider", folder, environment=environment, cwd=folder)
        self.assertEqual(status, 1, out + err)
        return out

    def test_a_failed_wait_says_what_came_in_its_place(self):
        out = self.failing(
            "fakemx.rule('rcpt: 550 5.1.1 No such user')\nsend(fakemx, fakemx.address('bob'))\n"
            "fakemx.wait_message(to=fakemx.address('bob'), timeout=0.2)", BINARY, "serve", "--")
        self.assertRegex(out, r"AssertionError: no message to=bob@it-\w+\.test in 0\.2 s; in its place:")
        self.assertRegex(out, r"session s1: <me@here\.example> to <bob@it-\w+\.test>: rejected at rcpt: 550 5\.1\.1 No such user")
        self.assertIn("fired 1 of 1 times", out)
        self.assertRegex(out, r"C  rcpt TO:<bob@it-\w+\.test>")  # the transcript

    def test_mail_for_an_address_outside_of_the_space_is_told(self):
        out = self.failing(
            "send(fakemx, 'bob@elsewhere.example')\nfakemx.wait_session(timeout=0.2)", BINARY, "serve", "--")
        self.assertIn("1 of others, the last: session s1: <me@here.example> to <bob@elsewhere.example>: accepted", out)

    def test_what_must_not_come_fails_as_soon_as_it_does(self):
        began = time.monotonic()
        out = self.failing(
            "send(fakemx, fakemx.address('bob'))\nfakemx.expect_none('message', within=60)", BINARY, "serve", "--")
        self.assertRegex(out, "a message came that must not: message s1.1: <me@here.example> to bob@it-")
        self.assertLess(time.monotonic() - began, 30)

    def test_a_wrong_rule_and_a_wrong_filter_are_no_failed_assertions(self):
        self.assertRegex(self.failing("fakemx.rule('rctp: 550 x')", BINARY, "serve", "--"), 'FakeMXError: .*did you mean "rcpt"')
        self.assertRegex(self.failing("fakemx.wait_session(tom='x')", BINARY, "serve", "--"), 'FakeMXError: .*did you mean "to"')
        # What the fixture says itself: passed over, "none came" would hold.
        self.assertRegex(self.failing("fakemx.expect_none(space='other', within=.2)", BINARY, "serve", "--"), "FakeMXError: space= is the fixture's own")
        self.assertRegex(self.failing("fakemx.wait_message(timeout='2s')", BINARY, "serve", "--"), "FakeMXError: .*number of seconds here, not '2s'")

    def test_without_a_fakemx_it_says_what_to_do(self):
        out = self.failing("pass", environment={"FAKEMX_BIN": "/nowhere/fakemx"})
        self.assertIn("there is no fakemx at '/nowhere/fakemx': put it on PATH", out)


class Shell(unittest.TestCase):
    def test_in_the_sink_that_serve_starts_and_by_itself(self):
        script = os.path.join(CI, "shell-test.sh")
        for command in ([BINARY, "serve", "--", script], [script]):
            with self.subTest(command=command[0]):
                status, out, err = call(*command, environment={"FAKEMX_BIN": BINARY})
                self.assertEqual(status, 0, out + err)
                self.assertEqual(len(re.findall("^ok ", out, re.MULTILINE)), 12)


class ExitStatus(unittest.TestCase):
    """`fakemx serve -- COMMAND` ends as the command did, and leaves nothing behind."""

    def status(self, *command):
        return call(BINARY, "serve", "--", *command)

    def test_0_and_3(self):
        self.assertEqual(self.status("true")[0], 0)
        self.assertEqual(self.status("sh", "-c", "exit 3")[0], 3)

    def test_a_signal_is_128_and_its_number(self):
        self.assertEqual(self.status("sh", "-c", "kill -KILL $$")[0], 128 + signal.SIGKILL)
        self.assertEqual(self.status("sh", "-c", "kill -SEGV $$")[0], 128 + signal.SIGSEGV)

    def test_a_command_that_is_not_there_is_127_and_one_that_may_not_run_126(self):
        status, _, err = self.status("no-such-command-here")
        self.assertEqual(status, 127, err)
        self.assertIn("no-such-command-here", err)
        self.assertEqual(self.status("/etc/passwd")[0], 126)

    def test_what_is_wrong_with_the_flags_is_2_and_the_command_never_runs(self):
        status, out, err = call(BINARY, "serve", "--rule", "rctp: 550", "--", "echo", "ran")
        self.assertEqual((status, out), (2, ""), err)

    def test_no_command_at_all_is_2(self):
        # As a shell says it where the variable with the command is empty.
        status, out, err = self.status()
        self.assertEqual((status, out), (2, ""))
        self.assertIn("no command stands behind --", err)
        self.assertEqual(self.status("")[0], 2)
        status, _, err = self.status("pytest -n 4 suite")
        self.assertEqual(status, 127)
        self.assertIn('cannot run "pytest -n 4 suite": No such file or directory; each word stands by itself', err)

    def test_a_command_is_told_of_this_sink_alone(self):
        environment = {**os.environ, "FAKEMX_URL": "http://127.0.0.1:1", "FAKEMX_TIMEOUT_S": "5"}
        done = subprocess.run([BINARY, "serve", "--http", "off", "--", "sh", "-c", "echo ${FAKEMX_URL-none}"], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual((done.returncode, done.stdout), (0, "none\n"), done.stderr)

    def test_standard_output_is_the_command_s(self):
        status, out, _ = call(BINARY, "serve", "--transcript", "json", "--", "echo", "mine")
        self.assertEqual((status, out), (0, "mine\n"))

    def test_arguments_pass_as_they_are(self):
        self.assertEqual(self.status("printf", "<%s>", "a b", "--rule", "", "é")[1], "<a b><--rule><><é>")

    def test_the_command_knows_where_the_sink_is(self):
        _, out, _ = self.status("sh", "-c", "echo $FAKEMX_SMTP $FAKEMX_URL")
        self.assertRegex(out, r"^127\.0\.0\.1:\d+ http://127\.0\.0\.1:\d+\n$")

    def test_a_signal_goes_to_the_command_and_its_end_is_waited_for(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number.name):
                process = subprocess.Popen(
                    [BINARY, "serve", "--", "bash", "-c",
                     "trap 'echo told; exit 5' TERM INT; echo $$; while :; do read -t 0.1 < <(:) || :; sleep 0.05; done"],
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True)
                child = int(process.stdout.readline())
                process.send_signal(number)
                out = process.communicate(timeout=20)[0]
                self.assertEqual((out, process.returncode), ("told\n", 5))
                self.assertFalse(os.path.exists(f"/proc/{child}"))

    def test_a_command_that_does_not_mind_the_signal_ends_by_it(self):
        process = subprocess.Popen(
            [BINARY, "serve", "--", "sh", "-c", "echo up; exec sleep 60"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, start_new_session=True)
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        self.assertEqual((process.communicate(timeout=20)[0], process.returncode), ("", 128 + signal.SIGTERM))


class OtherPrograms(WithTools):
    """No engine and no runner here: their files are checked against the schemas of their makers."""

    def test_the_compose_file(self):
        status, out, err = call("check-jsonschema", "--builtin-schema", "vendor.compose-spec", os.path.join(CI, "compose.yaml"))
        self.assertEqual(status, 0, out + err)

    def test_the_workflow(self):
        status, out, err = call(
            "check-jsonschema", "--builtin-schema", "vendor.github-workflows", os.path.join(CI, "github-actions.yaml"))
        self.assertEqual(status, 0, out + err)

    def test_what_the_files_name_is_there(self):
        for name in ("compose.yaml", "Containerfile", "github-actions.yaml"):
            with open(os.path.join(CI, name)) as file:
                text = file.read()
            for path in re.findall(r"\b(?:Config|Tests)/[\w./-]*\w", text):
                self.assertTrue(os.path.exists(os.path.join(ROOT, path)), f"{name} names {path}")

    def test_the_flags_of_the_containers_are_known(self):
        for name in ("compose.yaml", "Containerfile"):
            with open(os.path.join(CI, name)) as file:
                command = re.search(r'\[("serve"[^\]]*)\]', file.read()).group(1)
            words = [word.replace("0.0.0.0:1025", "127.0.0.1:0").replace("0.0.0.0:8025", "127.0.0.1:0")
                     for word in re.findall(r'"([^"]*)"', command)]
            with self.subTest(file=name):
                self.assertEqual(call(BINARY, *words, "--", "true")[0], 0)

    def test_the_container_installs_what_the_binary_loads(self):
        """By package names, as far as this Debian knows them; Tests/Clients/chroot-check shows it in earnest."""
        with open(os.path.join(CI, "Containerfile")) as file:
            stage = file.read().split("# runtime packages")[1]
        named = set(re.search(r"--no-install-recommends ([^\\]*)", stage).group(1).split())
        loaded = subprocess.run(["readelf", "-d", BINARY], stdout=subprocess.PIPE, text=True, check=True).stdout
        for library in re.findall(r"NEEDED.*\[(lib(?:ssl|crypto|sqlite3|gmime|xml2|stdc\+\+)[^\]]*)\]", loaded):
            owner = subprocess.run(["dpkg", "-S", f"*/{library}"], stdout=subprocess.PIPE, text=True).stdout.split(":")[0]
            self.assertIn(owner, named, library)


if __name__ == "__main__":
    unittest.main()
