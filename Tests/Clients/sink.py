# Starts fakemx for a test and reads what it recorded: one JSON session object a line on its standard output.
# Knows no SMTP and judges nothing; the tests do.

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
BINARY = os.environ.get("FAKEMX_BIN") or os.path.join(ROOT, ".build", "release", "fakemx")
START_LIMIT_S = 20


class NotReady(Exception):
    """The sink ended, or stayed silent, before its ready line."""


class Sink:
    """A running fakemx. `sink.port` is its first clear port, `sink.tls_port` its first implicit-TLS port, `sink.url` where
    its API is, if `http` says that there is one ("127.0.0.1:0")."""

    def __init__(self, *arguments, smtp=1, smtps=0, transcript="json", listeners=True, environment=None, http="off"):
        self.folder = tempfile.mkdtemp(prefix="fakemx-")
        command = [BINARY, "serve"]
        if listeners:
            command += ["--smtp", "127.0.0.1:0"] * smtp + ["--smtps", "127.0.0.1:0"] * smtps
        if http:
            command += ["--http", http]
        self.ready_file = os.path.join(self.folder, "ready")
        command += ["--transcript", transcript, "--ready-file", self.ready_file, *arguments]
        self.command = command
        self.errors = open(os.path.join(self.folder, "stderr"), "w+b")
        self.lines = []
        self.records = []
        self.changed = threading.Condition()
        started = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.errors, cwd=ROOT,
            env={**os.environ, **(environment or {})})
        self.pid = self.process.pid
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.ready = self._wait_ready()
        except NotReady:
            self.stop()
            raise
        self.start_ms = (time.monotonic() - started) * 1000
        self.ports = [int(p) for p in re.findall(r"\bsmtp=\S*?:(\d+)(?= |$)", self.ready)]
        found = re.search(r"\bhttp=(\S+)", self.ready)
        self.url = f"http://{found.group(1)}" if found else None
        self.tls_ports = [int(p) for p in re.findall(r"\bsmtps=\S*?:(\d+)(?= |$)", self.ready)]

    @property
    def port(self):
        return self.ports[0]

    @property
    def tls_port(self):
        return self.tls_ports[0]

    def _read(self):
        for line in self.process.stdout:
            record = None
            if line.startswith(b"{"):
                record = json.loads(line)
            with self.changed:
                self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                if record is not None:
                    self.records.append(record)
                self.changed.notify_all()
        with self.changed:
            self.changed.notify_all()

    def _wait_ready(self):
        deadline = time.monotonic() + START_LIMIT_S
        with self.changed:
            while True:
                for line in self.lines:
                    # The ready file is written beside the line; a test that reads it must find it.
                    if line.startswith("ready ") and os.path.exists(self.ready_file):
                        return line
                if self.process.poll() is not None:
                    self.reader.join(1)
                    raise NotReady(f"{' '.join(self.command)}: exit {self.process.returncode}: {self.error_text()}")
                if time.monotonic() > deadline:
                    raise NotReady(f"no ready line within {START_LIMIT_S} s: {self.error_text()}")
                self.changed.wait(0.05)

    def error_text(self):
        self.errors.flush()
        with open(self.errors.name, "rb") as file:
            return file.read().decode("utf-8", "replace")

    def sessions(self, count=1, timeout_s=10, where=None):
        """Waits until `count` sessions (that `where` holds for) are recorded; returns all of them."""
        deadline = time.monotonic() + timeout_s
        with self.changed:
            while True:
                found = [r for r in self.records if where is None or where(r)]
                left = deadline - time.monotonic()
                if len(found) >= count:
                    return found
                if left <= 0:
                    raise AssertionError(
                        f"{len(found)} of {count} sessions recorded after {timeout_s} s; stderr: {self.error_text()[-2000:]}")
                self.changed.wait(min(left, 0.5))

    def session(self, timeout_s=10, where=None):
        return self.sessions(1, timeout_s, where)[-1]

    def settle(self, timeout_s=30):
        """Waits until no session is open and all are recorded; needs the API."""
        deadline = time.monotonic() + timeout_s
        while True:
            with urllib.request.urlopen(f"{self.url}/api/fakemx/info", timeout=20) as answer:
                count = json.load(answer)["sessions"]
            if count["open"] == 0 and count["ever"] <= len(self.records):
                return
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"after {timeout_s} s: {count}, {len(self.records)} recorded; stderr: {self.error_text()[-2000:]}")
            time.sleep(0.02)

    def wait_line(self, word, timeout_s=10):
        """Waits for `word` on standard error."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if word in self.error_text():
                return
            time.sleep(0.02)
        raise AssertionError(f"{word!r} not on standard error within {timeout_s} s: {self.error_text()[-2000:]}")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_kib(self):
        with open(f"/proc/{self.pid}/status") as file:
            return int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1))

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, timeout_s=10):
        """Ends the sink with SIGTERM; returns its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(5)
        self.process.stdout.close()
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def run(*arguments, timeout_s=20, stdin=b"", environment=None):
    """Runs fakemx to its end; returns (exit status, stdout, stderr)."""
    done = subprocess.run(
        [BINARY, *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout_s,
        cwd=ROOT, env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


# --- what a session object says ---------------------------------------------------------------------------------------

def verdicts(session):
    return [t["verdict"] for t in session["transactions"]]


def fault_rules(session):
    return [f["rule"] for f in session["faults"]]


def said_by(session, who):
    return [line["text"] for line in session["lines"] if line["who"] == who]
