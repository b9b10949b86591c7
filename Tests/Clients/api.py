# Asks the HTTP side of a running fakemx, and hands it mail to be asked about. One connection a call, so that no test leans on
# what another left open. Judges nothing but the form of a problem, which is the same everywhere.

import http.client
import json
import socket
import threading
import time
import urllib.parse

import wire
from wire import Wire

PREFIX = "/api/fakemx"
PATIENCE_S = 15


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8")

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:600]!r}>"


class API:
    def __init__(self, url, token=None, patience_s=PATIENCE_S):
        self.url, self.token, self.patience_s = url, token, patience_s
        parts = urllib.parse.urlsplit(url)
        self.host, self.port = parts.hostname, parts.port

    def call(self, method, path, query=None, body=None, kind=None, headers=None):
        """`path` behind /api/fakemx/, or from the root when it begins with a slash."""
        target = path if path.startswith("/") else f"{PREFIX}/{path}"
        if query:
            pairs = list(query.items()) if isinstance(query, dict) else query
            target += "?" + urllib.parse.urlencode(pairs)
        fields = dict(headers or {})
        if self.token and "Authorization" not in fields:
            fields["Authorization"] = f"Bearer {self.token}"
        if kind:
            fields["Content-Type"] = kind
        if isinstance(body, str):
            body = body.encode()
        connection = http.client.HTTPConnection(self.host, self.port, timeout=self.patience_s)
        try:
            connection.request(method, target, body, fields)
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **query):
        return self.call("GET", path, {name.rstrip("_"): value for name, value in query.items()})

    def found(self, path, **query):
        """The JSON of what must be found."""
        answer = self.get(path, **query)
        assert answer.status == 200, answer
        assert answer.headers["Content-Type"] == "application/json", answer
        return answer.json

    def rule(self, line, **query):
        answer = self.call("POST", "rules", query, line, "text/plain")
        assert answer.status == 201, answer
        return answer.json

    def rule_of(self, mapping, **query):
        answer = self.call("POST", "rules", query, json.dumps(mapping), "application/json")
        assert answer.status == 201, answer
        return answer.json

    def info(self):
        return self.found("info")

    def until(self, holds, within_s=5, what="it"):
        """Asks `info` until something holds of it."""
        deadline = time.monotonic() + within_s
        while True:
            info = self.info()
            if holds(info):
                return info
            assert time.monotonic() < deadline, f"{what} did not come true within {within_s} s: {info}"
            time.sleep(0.02)

    def state(self):
        """What bad input must not change."""
        info = self.info()
        rules = self.found("rules")["rules"]
        return {
            "sessions": info["sessions"]["kept"], "messages": info["messages"]["kept"], "dropped": info["messages"]["dropped"],
            "cursor": info["cursor"], "waiting": info["waiting"],
            "rules": [(rule["name"], rule["line"], rule["hits"], rule["enabled"]) for rule in rules],
        }


def is_problem(test, answer, status, kind=None, parameter=None, says=()):
    """An error as RFC 9457 writes it, with every member of ours."""
    test.assertEqual(answer.status, status, answer)
    test.assertEqual(answer.headers["Content-Type"], "application/problem+json", answer)
    problem = answer.json
    for name in ("type", "status", "title", "detail"):
        test.assertIn(name, problem)
    test.assertEqual(problem["status"], status)
    test.assertTrue(problem["type"].startswith("https://fakemx.test/problems/"), problem)
    test.assertTrue(problem["title"] and problem["detail"], problem)
    if kind:
        test.assertEqual(problem["type"].rsplit("/", 1)[1], kind, problem)
    if parameter:
        test.assertEqual(problem.get("parameter"), parameter, problem)
    for word in [says] if isinstance(says, str) else says:
        test.assertIn(word, problem["detail"])
    return problem


class Events:
    """A reader of server-sent events: what came, in its order, in `events` as (id, event, data)."""

    def __init__(self, api, last_id=None, **query):
        self.connection = http.client.HTTPConnection(api.host, api.port, timeout=PATIENCE_S)
        pairs = urllib.parse.urlencode({name.rstrip("_"): value for name, value in query.items()})
        headers = {"Accept": "text/event-stream", **({"Last-Event-ID": last_id} if last_id else {})}
        self.connection.request("GET", f"{PREFIX}/events" + ("?" + pairs if pairs else ""), headers=headers)
        self.answer = self.connection.getresponse()
        self.events, self.ended = [], False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        self.connection.sock and self.connection.sock.settimeout(None)
        fields = {}
        try:
            for line in self.answer:
                line = line.decode("utf-8").rstrip("\n")
                if not line:
                    if "data" in fields:
                        with self.changed:
                            self.events.append((fields.get("id"), fields.get("event"), json.loads(fields["data"])))
                            self.changed.notify_all()
                    fields = {}
                elif not line.startswith(":"):
                    name, _, value = line.partition(": ")
                    fields[name] = value
        except (OSError, ValueError, AttributeError, http.client.HTTPException):
            pass  # closed, by us or by the sink
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def kinds(self):
        return [event for _, event, _ in self.events]

    def wait(self, count, within_s=PATIENCE_S):
        """The first `count` events."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.events) >= count or self.ended, within_s)
            assert len(self.events) >= count, f"{len(self.events)} of {count} events came: {self.events[-5:]}"
            return self.events[:count]

    def all(self, within_s=PATIENCE_S):
        """Every event of a stream that ends."""
        with self.changed:
            assert self.changed.wait_for(lambda: self.ended, within_s), f"the stream did not end: {self.events[-3:]}"
            return self.events

    def close(self):
        # A read in the other thread holds the file; what wakes it is the end of the socket.
        sock = self.connection.sock or getattr(getattr(self.answer.fp, "raw", None), "_sock", None)
        if sock:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.thread.join(5)
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Raw:
    """A socket that speaks whatever octets it is given to the HTTP port, and reads answers one by one."""

    def __init__(self, port, host="127.0.0.1", receives=None):
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receives:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)  # what the kernel takes unread
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer, self.ended = b"", False

    def send(self, octets):
        try:
            self.socket.sendall(octets)
        except OSError:
            pass  # what the server did shows when reading
        return self

    def _more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or self.ended:
            return False
        self.socket.settimeout(left)
        try:
            octets = self.socket.recv(1 << 16)
        except TimeoutError:
            return False
        except OSError:
            octets = b""
        self.ended = not octets
        self.buffer += octets
        return bool(octets)

    def answer(self, within_s=PATIENCE_S, head=False):
        """The next answer; None when the connection ended or nothing whole came in time."""
        deadline = time.monotonic() + within_s
        while b"\r\n\r\n" not in self.buffer:
            if not self._more(deadline):
                return None
        top, rest = self.buffer.split(b"\r\n\r\n", 1)
        lines = top.decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = http.client.HTTPMessage()
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name] = value.strip()
        length = 0 if head or status == 204 else headers["Content-Length"]
        if length is None:
            # In chunks, or to the end.
            while not rest.endswith(b"0\r\n\r\n") and self._more(deadline):
                rest = self.buffer.split(b"\r\n\r\n", 1)[1]
            self.buffer = b""
            return Answer(status, headers, rest)
        while len(rest) < int(length):
            if not self._more(deadline):
                return None
            rest = self.buffer.split(b"\r\n\r\n", 1)[1]
        self.buffer = rest[int(length):]
        return Answer(status, headers, rest[:int(length)])

    def is_closed(self, within_s=PATIENCE_S):
        deadline = time.monotonic() + within_s
        while self._more(deadline):
            pass
        return self.ended

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


# --- mail to ask about ------------------------------------------------------------------------------------------------

def letter(subject="hello", text="hello", to="b@any.test", sender="a@sender.test", more=""):
    return f"From: {sender}\r\nTo: {to}\r\nSubject: {subject}\r\n{more}\r\n{text}\r\n".encode()


def mail(port, to="b@any.test", sender="a@sender.test", subject="hello", content=None, helo="client.test", quits=True):
    """One message in a session of its own; returns the code of its last reply."""
    recipients = [to] if isinstance(to, str) else to
    with Wire(port) as client:
        wire.hello(client, helo)
        code = wire.deliver(client, recipients, sender, content or letter(subject, to=recipients[0], sender=sender))[-1].code
        if quits:
            client.ask("QUIT")
            client.end()
        return code
