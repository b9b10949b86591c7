# A pytest fixture for fakemx, in one file to be copied beside the tests: standard library and pytest, Python 3.9 or newer.
#
#     def test_a_refusal_is_reported(fakemx):
#         fakemx.rule("end-of-data: 554 5.7.1 No, for its content")
#         send_report(to=fakemx.address("boss"), host=fakemx.smtp_host, port=fakemx.smtp_port)
#         assert fakemx.wait_session()["rejected_at"] == "end-of-data"
#
# Each test has a space of its own: its rules, waits and lists concern the addresses of `fakemx.address(…)` alone, so tests
# run in parallel (pytest-xdist) and need not clean up. Under `fakemx serve -- pytest tests/` all of them share that sink;
# otherwise each pytest process starts one (FAKEMX_BIN, or `fakemx` on PATH) that ends when the process does.
# When a test fails, what its sender said stands in the report.

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

import pytest

START_LIMIT_S = 20
TIMEOUT_S = float(os.environ.get("FAKEMX_TIMEOUT_S") or 10)  # of a wait for which the test names none


class FakeMXError(Exception):
    """The sink could not be started or asked, or a rule or a filter is wrong: nothing that the sender did."""


class FakeMX:
    """One space of a running fakemx, as one test sees it.

    Filters are the words of the API (`fakemx sessions --help`, `fakemx messages --help`) as keyword arguments:
    `to="*@full.test"`, `verdict="deferred"`, `from_="me@here.example"`, `message_id="<1@here>"`; words with a dot stand in
    a dictionary: `{"header.X-Campaign": "spring"}`. Sessions, messages and rejects are the dictionaries of the API."""

    def __init__(self, smtp, url, token=None, name="test"):
        host, _, port = smtp.rpartition(":")
        self.smtp_host, self.smtp_port = host.strip("[]"), int(port)
        self.smtp, self.url, self._token = smtp, url.rstrip("/"), token
        stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "test"
        self.space = f"{stem}-{uuid.uuid4().hex[:8]}"
        self._rules = []
        self.mark()

    # --- where the sender sends to -----------------------------------------------------------------------------------

    def address(self, user="user"):
        """An address of this test alone: `user@SPACE.test`."""
        return f"{user}@{self.space}.test"

    def tagged(self, address):
        """The same for a domain that is not to be changed: `bob@shop.example` as `bob+SPACE@shop.example`."""
        user, _, domain = address.rpartition("@")
        return f"{user}+{self.space}@{domain}"

    # --- rules ---------------------------------------------------------------------------------------------------------

    def rule(self, rule, expires=None):
        """Sets a rule for this space, in front of all others; in force when this returns.

        `rule` is a line ("rcpt first=2: 452 4.2.2 Mailbox full") or a dictionary with the keys of a file; `expires` a
        duration as "30s": then it is gone, and what it did with it. Returns the rule's name. Leave name= away: names are
        those of the whole sink."""
        if isinstance(rule, str):
            rule = {"line": rule}
        if expires is not None:
            rule = {**rule, "expires": expires}
        name = self._ask("POST", "rules", {"space": self.space}, rule)["name"]
        self._rules.append(name)
        return name

    def hits(self, name):
        """How often the rule of this name has fired."""
        return self._ask("GET", "rules/" + urllib.parse.quote(name, ""))["hits"]

    # --- waiting: no test sleeps ---------------------------------------------------------------------------------------

    def mark(self):
        """From here on: waits and lists forget what came before. Without it they begin where the test began."""
        self._since = self._ask("GET", "cursor")["cursor"]

    def wait_message(self, filters=None, timeout=TIMEOUT_S, **words):
        """The first message that is meant and was stored since the mark, as soon as it is."""
        return self.wait_messages(1, filters, timeout, **words)[0]

    def wait_session(self, filters=None, timeout=TIMEOUT_S, **words):
        """The first session that is meant and ended since the mark, as soon as it did, with its lines."""
        return self.wait_sessions(1, filters, timeout, **words)[0]

    def wait_reject(self, filters=None, timeout=TIMEOUT_S, **words):
        """The first 4yz or 5yz that is meant and was said since the mark: `phase`, `reply`, `rule`, `to` …"""
        return self.wait_rejects(1, filters, timeout, **words)[0]

    def wait_messages(self, count, filters=None, timeout=TIMEOUT_S, **words):
        """The first `count` of them, the oldest first."""
        return self._wait("message", count, filters, timeout, words)

    def wait_sessions(self, count, filters=None, timeout=TIMEOUT_S, **words):
        return self._wait("session", count, filters, timeout, words)

    def wait_rejects(self, count, filters=None, timeout=TIMEOUT_S, **words):
        return self._wait("reject", count, filters, timeout, words)

    def take_message(self, filters=None, timeout=TIMEOUT_S, **words):
        """Like wait_message, and the message is removed: the next call gives the next one. It has no `raw` any more."""
        return self._wait("message", 1, filters, timeout, words, {"take": "true"})[0]

    def expect_none(self, kind="message", filters=None, within=1.0, **words):
        """Returns when no "message", "session" or "reject" that is meant came since the mark and for `within` seconds."""
        status, answer = self._wait_once(kind, filters, within, words, {"absent": "true"})
        if status != 200:
            came = answer.get("messages") or answer.get("sessions") or answer.get("rejects") or []
            raise AssertionError(
                f"a {kind}{self._meant(filters, words)} came that must not: {self._row(came[0]) if came else '?'}" + self._instead())

    # --- looking -------------------------------------------------------------------------------------------------------

    def sessions(self, filters=None, **words):
        """Sessions that ended since the mark, in the order in which they began, without their lines."""
        return self._list("sessions", filters, words)

    def messages(self, filters=None, **words):
        """Messages that were stored since the mark, the oldest first."""
        return self._list("messages", filters, words)

    def session(self, id):
        """One session with all its lines."""
        return self._ask("GET", "sessions/" + id)

    def message(self, id):
        """One message with what can be read in it: header fields, parts, texts, links."""
        return self._ask("GET", "messages/" + id)

    def raw(self, id):
        """The octets of a message as they came; `email.message_from_bytes` reads them."""
        return self._request("GET", f"messages/{id}/raw")[1]

    def transcript(self, id):
        """A session as text."""
        return self._request("GET", f"sessions/{id}/transcript")[1].decode("utf-8", "replace")

    def reset(self):
        """Forgets the messages, sessions and rules of this space."""
        self._ask("POST", "reset", {"space": self.space})
        self._rules = []
        self.mark()

    def remove_rules(self):
        """Removes the rules of this space; done by itself when the test ends. Sessions stay, for `fakemx report`."""
        self._request("DELETE", "rules", {"space": self.space})
        self._rules = []

    # --- below -------------------------------------------------------------------------------------------------------

    _opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # a sink is no matter for a proxy

    def _request(self, method, path, query=None, body=None, timeout=30.0, expected=()):
        url = f"{self.url}/api/fakemx/{path}" + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self._token:
            headers["Authorization"] = "Bearer " + self._token
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=timeout) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            text = error.read()
            if error.code in expected and b'"fulfilled"' in text:
                return error.code, text
            try:
                detail = json.loads(text)["detail"]
            except (ValueError, KeyError, TypeError):
                detail = text.decode("utf-8", "replace")
            raise FakeMXError(f"{method} {path}: {detail}") from None
        except OSError as error:
            raise FakeMXError(f"fakemx does not answer at {self.url}: {error}") from None

    def _ask(self, method, path, query=None, body=None):
        return json.loads(self._request(method, path, query, body)[1])

    @staticmethod
    def _words(filters, words):
        found = dict(filters or {})
        found.update({name.rstrip("_").replace("_", "-"): value for name, value in words.items()})
        for name in ("space", "since", "for", "count", "timeout", "absent", "take", "limit"):
            if name in found:
                raise FakeMXError(f"{name}= is the fixture's own: it asks for what is of this test and came since the mark")
        return found

    def _meant(self, filters, words):
        return "".join(f" {name}={value}" for name, value in self._words(filters, words).items())

    def _list(self, noun, filters, words):
        query = {**self._words(filters, words), "space": self.space, "since": self._since, "limit": 1000}
        found = self._ask("GET", noun, query)[noun][::-1]
        return sorted(found, key=lambda thing: thing.get("started") or "")

    def _wait_once(self, kind, filters, timeout, words, more):
        if not isinstance(timeout, (int, float)):
            raise FakeMXError(f"a time to wait is a number of seconds here, not {timeout!r}")
        query = {**self._words(filters, words), "for": kind, "space": self.space, "since": self._since, "timeout": timeout, **more}
        status, text = self._request("GET", "wait", query, timeout=timeout + 20, expected=(408, 409))
        return status, json.loads(text)

    def _wait(self, kind, count, filters, timeout, words, more=None):
        status, answer = self._wait_once(kind, filters, timeout, words, {"count": count, **(more or {})})
        if status == 200:
            # Two sessions that end in the same millisecond may be told in either order; by their beginnings they have one.
            return sorted(answer[kind + "s"], key=lambda thing: thing.get("started") or thing.get("at") or "")
        number = f"no {kind}" if count == 1 else f"{answer['count']} of {count} {kind}s"
        raise AssertionError(f"{number}{self._meant(filters, words)} in {timeout:g} s" + self._instead())

    @staticmethod
    def _row(thing):
        """A session, a message or a reject in one line."""
        if "transactions" in thing:
            mails = [f"<{t['from']}> to {', '.join('<' + r['address'] + '>' for r in t['recipients']) or 'nobody'}" for t in thing["transactions"]]
            verdict = thing.get("verdict") or "no mail"
            if thing.get("rejected_at"):
                verdict += f" at {thing['rejected_at']}"
            text = f"session {thing['id']}: {'; '.join(mails) or 'no transaction'}: {verdict}"
        elif "phase" in thing:
            text = f"reject in {thing.get('session')}: to {', '.join(thing.get('to') or ['nobody'])}: at {thing['phase']}"
        else:
            text = f"message {thing['id']}: <{thing['from']}> to {', '.join(thing['to'])}, subject {thing.get('subject', '')!r}"
        if thing.get("reply"):
            text += ": " + thing["reply"].replace("\n", " / ")
        return text + (f"  (rule {thing['rule']})" if thing.get("rule") else "")

    def _instead(self):
        """What came, for the text of a failure."""
        try:
            sessions, rules = self.sessions(), [r for r in self._ask("GET", "rules")["rules"] if r["name"] in self._rules]
            strangers = [s for s in self._ask("GET", "sessions", {"since": self._since})["sessions"] if self.space not in s["spaces"]]
            still_open = self._ask("GET", "sessions", {"open": "true"})["sessions"]
        except FakeMXError as error:
            return f"; {error}"
        lines = [self._row(session) for session in sessions[-10:]] or [f"no session for an address at {self.space}.test ended"]
        lines += [f"session {s['id']} is still open" for s in still_open if self.space in s["spaces"]]
        if not sessions and strangers:
            lines.append(f"{len(strangers)} of others, the last: {self._row(strangers[0])}")
        lines += [f"rule {r['line']}: fired {r['hits']} of {r['matches']} times" for r in rules]
        return "; in its place:\n  " + "\n  ".join(lines)

    def story(self):
        """The transcripts of all sessions since the mark."""
        return "\n".join(self.transcript(session["id"]) for session in self.sessions()[-20:])


class _Sink:
    """A fakemx of this process. It ends when the process does, however that ends: the command that it is for, `cat`, reads
    from us."""

    def __init__(self):
        binary = os.environ.get("FAKEMX_BIN") or shutil.which("fakemx")
        if not binary or not os.path.exists(binary):
            raise FakeMXError(
                f"there is no fakemx{f' at {binary!r}' if binary else ''}: "
                "put it on PATH, name it in FAKEMX_BIN, or run `fakemx serve -- pytest …`")
        self.folder = tempfile.mkdtemp(prefix="fakemx-")
        ready, self.log = os.path.join(self.folder, "ready"), os.path.join(self.folder, "log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [binary, "serve", "--loops", "1", "--ready-file", ready, "--", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                stderr=log, start_new_session=True)  # an interrupt is for pytest
        deadline = time.monotonic() + START_LIMIT_S
        while not os.path.exists(ready):
            if self.process.poll() is not None or time.monotonic() > deadline:
                with open(self.log, errors="replace") as log:
                    text = log.read()
                self.stop()
                raise FakeMXError(f"{binary} serve did not get ready: {text}")
            time.sleep(0.02)
        with open(ready) as file:
            words = dict(word.split("=", 1) for word in file.read().split() if "=" in word)
        self.smtp, self.url, self.token = words["smtp"], "http://" + words["http"], os.environ.get("FAKEMX_HTTP_TOKEN")

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


@pytest.fixture(scope="session")
def fakemx_sink():
    """(HOST:PORT of SMTP, URL, token) of the sink that all tests of this process share."""
    url, smtp = os.environ.get("FAKEMX_URL"), os.environ.get("FAKEMX_SMTP")
    if url and smtp:
        yield smtp, url, os.environ.get("FAKEMX_TOKEN")
        return
    if url or smtp:
        raise FakeMXError("of FAKEMX_URL and FAKEMX_SMTP only one is set; set both, or none to have a fakemx started")
    sink = _Sink()
    yield sink.smtp, sink.url, sink.token
    sink.stop()


@pytest.fixture
def fakemx(fakemx_sink, request):
    smtp, url, token = fakemx_sink
    mx = FakeMX(smtp, url, token, request.node.name.removeprefix("test_"))
    yield mx
    mx.remove_rules()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its sender said."""
    outcome = yield
    report = outcome.get_result()
    mx = getattr(item, "funcargs", {}).get("fakemx")
    if report.when == "call" and report.failed and isinstance(mx, FakeMX):
        try:
            report.sections.append((f"fakemx: sessions of {mx.space}", mx.story() or "none"))
        except FakeMXError as error:
            report.sections.append(("fakemx", str(error)))
