# Bad input to the HTTP side: foreign callers, wrong words, octets that are no HTTP, clients that are slow or never end. Each
# gets a clean refusal or a clean end; nothing is changed by it, and the next caller is served.

import base64
import json
import os
import resource
import socket
import ssl
import tempfile
import threading
import time
import unittest

import wire
from api import API, PREFIX, Events, Raw, is_problem, mail
from sink import NotReady, Sink
from wire import Wire

RULE = "rcpt name=full to=*@full.test: 452 4.2.2 Mailbox full"
TOKEN = "s3cret-tökén:with colon"


class Gate(unittest.TestCase):
    """A sink with something in it, which must be the same behind every test."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.sink = Sink("--rule", RULE, *cls.options, "--judge", "off", transcript="off", http="127.0.0.1:0")
        cls.api = API(cls.sink.url, getattr(cls, "token", None))
        assert mail(cls.sink.port) == 250
        assert mail(cls.sink.port, "x@full.test") == 452
        cls.api.rule("rcpt name=mine to=*@mine.test: 550 5.1.1 No")
        cls.api.until(lambda info: info["sessions"]["ever"] == 2)
        cls.before = cls.api.state()

    @classmethod
    def tearDownClass(cls):
        cls.sink.stop()

    def changes(self):
        """A test that does change something says so, behind it."""
        self.api.until(lambda info: info["sessions"]["open"] == 0)
        type(self).before = self.api.state()

    def tearDown(self):
        deadline = time.monotonic() + 5
        while (now := self.api.state()) != self.before:
            self.assertLess(time.monotonic(), deadline, f"{now} is not {self.before}")
            time.sleep(0.05)
        self.assertIsNone(self.sink.process.poll())

    def raw(self, octets, head=False, within_s=15):
        with Raw(self.api.port) as raw:
            return raw.send(octets).answer(within_s, head)

    def get(self, path, *fields, host="localhost", method="GET", version="1.1"):
        lines = [f"{method} {path} HTTP/{version}"] + ([f"Host: {host}"] if host is not None else []) + list(fields)
        return self.raw("\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n", method == "HEAD")


class Hosts(Gate):
    options = ("--http-host", "mail.company.example.com", "--http-host", "Other.Company.Com")

    def test_names_that_may_be(self):
        port = self.api.port
        for host in ("localhost", "LOCALHOST", f"localhost:{port}", "127.0.0.1", f"127.0.0.1:{port}", "[::1]", f"[::1]:{port}",
                     "192.0.2.7:80", "fakemx", "fakemx:8025", "a.test", "x.localhost", "box.local", "svc.internal",
                     "mail.company.example.com", "MAIL.company.EXAMPLE.com:8025", "other.company.com"):
            with self.subTest(host=host):
                self.assertEqual(self.get("/api/fakemx/info", host=host).status, 200)

    def test_foreign_names(self):
        for host in ("evil.com", "evil.com:8025", "localhost.evil.com", "127.0.0.1.evil.com", "1.2.3.4.nip.io", "company.example.com",
                     "a.mail.company.example.com", "test.com", "localhost.", "evil.com.", "[::1].evil.com", "127.0.0.1@evil.com", "x.test@evil.com"):
            for path in ("/api/fakemx/info", "/livez", "/", "/nowhere"):
                with self.subTest(host=host, path=path):
                    answer = self.get(path, host=host)
                    if host in ("localhost.",):
                        self.assertIn(answer.status, (200, 404, 421))
                    else:
                        is_problem(self, answer, 421, "foreign-host", "Host")

    def test_an_absolute_request_target_is_no_way_around_the_host(self):
        # RFC 9112 §3.2.2 gives the target's host the last word; the HTTP library throws it away, so the Host stays the judge.
        # A page cannot make a browser send such a target but to a proxy.
        answer = self.raw(b"GET http://localhost/api/fakemx/info HTTP/1.1\r\nHost: evil.com\r\n\r\n")
        is_problem(self, answer, 421, "foreign-host", "Host")

    def test_missing_empty_and_double(self):
        for octets in (b"GET /api/fakemx/info HTTP/1.1\r\n\r\n", b"GET /api/fakemx/info HTTP/1.1\r\nHost:\r\n\r\n",
                       b"GET /api/fakemx/info HTTP/1.1\r\nHost: \r\n\r\n"):
            with self.subTest(octets=octets):
                is_problem(self, self.raw(octets), 400, "bad-host", "Host")
        for octets in (b"GET /api/fakemx/info HTTP/1.1\r\nHost: localhost\r\nHost: evil.com\r\n\r\n",
                       b"GET /api/fakemx/info HTTP/1.1\r\nHost: evil.com\r\nHost: localhost\r\n\r\n"):
            with self.subTest(octets=octets):
                answer = self.raw(octets)
                self.assertIn(answer.status, (400, 421), answer)

    def test_http_1_0_needs_its_host_too(self):
        # A browser always says it, so what does not is no page; but it is no way around the gate either.
        answer = self.raw(b"GET /livez HTTP/1.0\r\n\r\n")
        self.assertEqual(answer.status, 400)
        answer = self.raw(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n")
        self.assertEqual(answer.status, 200)

    def test_hostile_hosts_do_not_show_up_raw(self):
        answer = self.get("/api/fakemx/info", host="a\tb.evil.com")
        self.assertTrue(answer is None or 400 <= answer.status < 500)
        answer = self.get("/api/fakemx/info", host="x" * 5000 + ".com")
        self.assertEqual(answer.status, 421)
        self.assertLess(len(answer.body), 2000, "what was said is shown cut")


class UnixSocket(unittest.TestCase):
    def test_a_unix_socket_serves(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "http")
            with Sink("--rule", RULE, transcript="off", http=f"unix:{path}") as sink:
                for host, status in ((b"localhost", 200), (b"fakemx", 200), (b"evil.com", 421)):
                    client = socket.socket(socket.AF_UNIX)
                    client.settimeout(10)
                    client.connect(path)
                    client.sendall(b"GET /livez HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
                    answer = b""
                    while octets := client.recv(4096):
                        answer += octets
                    client.close()
                    self.assertTrue(answer.startswith(b"HTTP/1.1 %d " % status), answer)
                self.assertIsNone(sink.process.poll())
            # A socket that is left behind is taken over.
            if not os.path.exists(path):
                leftover = socket.socket(socket.AF_UNIX)
                leftover.bind(path)
                leftover.close()
            with Sink(transcript="off", http=f"unix:{path}") as sink:
                self.assertIn("http=unix:" + path, sink.ready)


class Origins(Gate):
    def test_foreign_origins_are_refused_for_every_method(self):
        for origin in ("http://evil.com", "https://evil.com", "null", "http://localhost", f"http://localhost:{self.api.port + 1}",
                       "http://127.0.0.1", "file://", f"http://localhost:{self.api.port}.evil.com"):
            for method, path in (("GET", "/api/fakemx/messages"), ("DELETE", "/api/fakemx/messages"), ("POST", "/api/fakemx/reset"),
                                 ("POST", "/api/fakemx/rules"), ("OPTIONS", "/api/fakemx/rules"), ("GET", "/api/fakemx/events"), ("GET", "/livez")):
                with self.subTest(origin=origin, method=method, path=path):
                    answer = self.get(path, f"Origin: {origin}", "Access-Control-Request-Method: DELETE", method=method,
                                      host=f"localhost:{self.api.port}")
                    is_problem(self, answer, 403, "foreign-origin", "Origin")
                    self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])

    def test_the_own_origin_may(self):
        for scheme in ("http", "https"):
            host = f"localhost:{self.api.port}"
            answer = self.get("/api/fakemx/info", f"Origin: {scheme}://{host}", host=host)
            self.assertEqual(answer.status, 200)
            self.assertIsNone(answer.headers["Access-Control-Allow-Origin"])


class NamedOrigins(Gate):
    options = ("--http-origin", "https://app.company.com", "--http-origin", "HTTP://Localhost:3000")

    def test_a_named_origin_reads_answers_and_asks_before(self):
        for origin in ("https://app.company.com", "http://localhost:3000"):
            answer = self.get("/api/fakemx/info", f"Origin: {origin}")
            self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"], answer.headers["Vary"]), (200, origin, "Origin"))
            asked = self.get("/api/fakemx/rules/x", f"Origin: {origin}", "Access-Control-Request-Method: PUT",
                             "Access-Control-Request-Headers: content-type", method="OPTIONS")
            self.assertEqual(asked.status, 204, asked)
            self.assertEqual(asked.headers["Access-Control-Allow-Origin"], origin)
            self.assertIn("DELETE", asked.headers["Access-Control-Allow-Methods"])
            self.assertIn("content-type", asked.headers["Access-Control-Allow-Headers"])
            # Problems must be readable, too.
            wrong = self.get("/api/fakemx/sessions?form=x", f"Origin: {origin}")
            self.assertEqual((wrong.status, wrong.headers["Access-Control-Allow-Origin"]), (400, origin))

    def test_others_are_foreign_still(self):
        for origin in ("https://app.company.com.evil.com", "http://app.company.com", "https://app.company.com:8443", "https://evil.com"):
            is_problem(self, self.get("/api/fakemx/info", f"Origin: {origin}"), 403, "foreign-origin", "Origin")

    def test_all_origins(self):
        with Sink("--http-origin", "*", transcript="off", http="127.0.0.1:0") as sink:
            answer = API(sink.url).call("GET", "info", headers={"Origin": "https://anybody.example"})
            self.assertEqual((answer.status, answer.headers["Access-Control-Allow-Origin"]), (200, "https://anybody.example"))


class Tokens(Gate):
    token = "s3cret:with-colon"
    options = ("--http-token", token)

    def basic(self, user, password):
        return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

    def test_without_or_with_a_wrong_token(self):
        wrong = [None, "", "Bearer", "Bearer ", "Bearer x", f"Bearer {self.token}x", f"Bearer {self.token[:-1]}", f"Bearer  {self.token}",
                 f"Token {self.token}", self.token, f"Bearer {self.token.upper()}", self.basic("u", "x"), self.basic(self.token, ""),
                 "Basic !!!", "Basic " + base64.b64encode(b"nocolon").decode(), "Basic", "Digest username=x"]
        for path in ("/api/fakemx/info", "/api/fakemx/messages", "/api/fakemx/openapi.json", "/metrics", "/nowhere", "/page", "/api/fakemx/events"):
            for value in wrong:
                with self.subTest(path=path, value=value):
                    answer = self.get(path, *([f"Authorization: {value}"] if value is not None else []))
                    is_problem(self, answer, 401, "unauthorized", "Authorization")
                    self.assertTrue(answer.headers["WWW-Authenticate"])
                    self.assertNotIn(self.token, answer.text)
        for method in ("POST", "DELETE", "PUT"):
            is_problem(self, self.get("/api/fakemx/rules", method=method), 401, "unauthorized")

    def test_with_it(self):
        for value in (f"Bearer {self.token}", f"bearer {self.token}", self.basic("anybody", self.token), self.basic("", self.token)):
            with self.subTest(value=value):
                self.assertEqual(self.get("/api/fakemx/info", f"Authorization: {value}").status, 200)

    def test_monitors_need_none(self):
        self.assertEqual(self.get("/livez").status, 200)
        self.assertEqual(self.get("/readyz").status, 200)
        # But they are no way around it.
        for path in ("/livez/../api/fakemx/info", "/livez/", "//livez", "/livez%2f..%2fapi/fakemx/info", "/readyz?x=/../../api"):
            self.assertIn(self.get(path).status, (200, 400, 401, 404), path)
            self.assertNotIn(b"cursor", self.get(path).body)

    def test_the_page_needs_none_for_it_asks_for_the_token_itself(self):
        for path in ("/", "/page/index.html"):
            answer = self.get(path)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/html; charset=utf-8"), path)
            self.assertNotIn(self.token, answer.text)
            is_problem(self, self.get(path, host="evil.com"), 421, "foreign-host", "Host")
        # But it is no way around it.
        for path in ("/page/../api/fakemx/info", "/page/%2e%2e/api/fakemx/info", "//api/fakemx/info", "/page//api/fakemx/info",
                     "/page/..%2fapi%2ffakemx%2finfo", "/page/x", "/page/"):
            answer = self.get(path)
            self.assertIn(answer.status, (400, 401, 404), path)
            self.assertNotIn(b"cursor", answer.body)

    def test_the_document_says_so(self):
        document = self.api.found("openapi.json")
        self.assertTrue(document["security"])

    def test_a_preflight_needs_no_token(self):
        # A browser sends no credentials with it (Fetch standard, CORS-preflight request).
        with Sink("--http-token", "long-enough", "--http-origin", "https://app.company.com", transcript="off", http="127.0.0.1:0") as sink:
            api = API(sink.url)
            asked = api.call("OPTIONS", "info", headers={"Origin": "https://app.company.com", "Access-Control-Request-Method": "GET",
                                                         "Access-Control-Request-Headers": "authorization"})
            self.assertEqual(asked.status, 204, asked)
            refused = api.call("GET", "info", headers={"Origin": "https://app.company.com"})
            self.assertEqual((refused.status, refused.headers["Access-Control-Allow-Origin"]), (401, "https://app.company.com"))
            other = api.call("OPTIONS", "info", headers={"Origin": "https://evil.com", "Access-Control-Request-Method": "GET"})
            self.assertEqual(other.status, 403)


class Requests(Gate):
    def test_queries_that_are_wrong(self):
        is_problem(self, self.get("/api/fakemx/messages?subjcet=x"), 400, "unknown-parameter", "subjcet", "did you mean \"subject\"")
        for query in ("%", "a=%", "a=%4", "a=%zz", "%ff=1", "a=%ff", "a=%c3", "a=%ed%a0%80", "from=%00%", "%%%"):
            with self.subTest(query=query):
                is_problem(self, self.get(f"/api/fakemx/messages?{query}"), 400, "bad-query")
        is_problem(self, self.get("/api/fakemx/messages?" + "&".join(["from=a"] * 201)), 400, "bad-query")
        for query in ("&&&&", "", "from=a+b", "from=%2B", "from=a=b", "from="):
            with self.subTest(query=query):
                self.assertEqual(self.get(f"/api/fakemx/messages?{query}").status, 200)
        is_problem(self, self.get("/api/fakemx/messages?x=%3Cscript%3E"), 400)
        # Words of a parameter come back without what a terminal would obey.
        answer = self.get("/api/fakemx/messages?%1b%5b31m=x")
        is_problem(self, answer, 400, "unknown-parameter")
        self.assertNotIn(b"\\u001b", answer.body)

    def test_a_query_of_a_mebibyte(self):
        for size in (20 << 10, 31 << 10, 64 << 10, 1 << 20):
            with self.subTest(size=size), Raw(self.api.port) as raw:
                raw.send(b"GET /api/fakemx/messages?from=" + b"a" * size + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answer = raw.answer()
                if size < 32 << 10:
                    is_problem(self, answer, 414, "query-too-long")
                else:
                    is_problem(self, answer, 431, "head-too-large")
                self.assertEqual(self.get("/livez").status, 200)

    def test_headers_that_are_too_large(self):
        for field in (b"X-Big: " + b"a" * (1 << 20), b"\r\n".join(b"X-%d: a" % number for number in range(20_000)), b"Host: " + b"a" * (1 << 20)):
            with Raw(self.api.port) as raw:
                raw.send(b"GET /api/fakemx/info HTTP/1.1\r\nHost: localhost\r\n" + field + b"\r\n\r\n")
                answer = raw.answer()
                is_problem(self, answer, 431, "head-too-large")
            self.assertEqual(self.get("/livez").status, 200)

    def test_paths_that_are_wrong(self):
        for path in ("/api/fakemx/../fakemx/info", "/api/fakemx/%2e%2e/info", "/%2E%2e/%2e%2E/etc/passwd", "/api/fakemx/messages/%2e",
                     "/api/fakemx/messages/s1%00", "/%00", "/api/fakemx/messages/%ff", "/api/fakemx/messages/%c3%28", "/%", "/%4",
                     "/api/fakemx/rules/.."):
            with self.subTest(path=path):
                is_problem(self, self.get(path), 400, "bad-path")
        for path in ("/nowhere", "//", "//api/fakemx/info", "/api/fakemx", "/api/fakemx/", "/api/fakemx/info/", "/API/fakemx/info",
                     "/api/fakemx/messages/..%2f..%2fetc%2fpasswd", "/api/fakemx/messages/%2e%2e%2fx", "/api/fakemx/messages//raw",
                     "/api/fakemx/messages/s1.1%2fraw", "/api/fakemx/rules/", "/api/fakemx/sessions/%F0%9F%98%80", "/api/v1%2finfo"):
            with self.subTest(path=path):
                is_problem(self, self.get(path), 404, "not-found")
        for path in ("/" + "a" * 3000, "/api/fakemx/messages/" + "%41" * 1500):
            with self.subTest(path=path[:40]):
                answer = is_problem(self, self.get(path), 400, "bad-path")
                self.assertLess(len(answer["detail"]), 1000)
        for octets in (b"GET api/fakemx/info HTTP/1.1", b"GET * HTTP/1.1", b"GET  HTTP/1.1", b"OPTIONS * HTTP/1.1",
                       b"CONNECT localhost:25 HTTP/1.1", b"GET /api/fakemx/\xff HTTP/1.1", b"GET /a\0b HTTP/1.1", b"GET /a b HTTP/1.1"):
            with self.subTest(octets=octets):
                answer = self.raw(octets + b"\r\nHost: localhost\r\n\r\n")
                self.assertTrue(answer is None or 400 <= answer.status < 500, answer)

    def test_methods(self):
        allowed = {
            "/api/fakemx/sessions": "GET, HEAD", "/api/fakemx/messages": "DELETE, GET, HEAD", "/api/fakemx/reset": "POST",
            "/api/fakemx/rules": "DELETE, GET, HEAD, POST", "/api/fakemx/rules/full": "DELETE, GET, HEAD, PATCH, PUT",
            "/api/fakemx/messages/s1.1": "DELETE, GET, HEAD", "/livez": "GET, HEAD", "/metrics": "GET, HEAD",
        }
        for path, methods in allowed.items():
            for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "OPTIONS", "get", "X-Y"):
                if method in methods.split(", ") or method == "HEAD" and "GET" in methods:
                    continue
                with self.subTest(path=path, method=method):
                    answer = self.get(path, method=method)
                    if method in ("get", "X-Y") and (answer is None or answer.status == 400):
                        continue  # no method at all, to the HTTP parser
                    if method == "HEAD":
                        self.assertEqual((answer.status, answer.body), (405, b""))
                    else:
                        is_problem(self, answer, 405, "method-not-allowed")
                    self.assertEqual(answer.headers["Allow"], methods)

    def test_head_is_get_without_its_body(self):
        for path in ("/api/fakemx/info", "/api/fakemx/messages", "/api/fakemx/messages/s1.1/raw", "/livez", "/metrics", "/nowhere"):
            with self.subTest(path=path), Raw(self.api.port) as raw:
                raw.send(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                answer = raw.answer(head=True)
                whole = self.get(path)
                self.assertEqual((answer.status, answer.headers["Content-Type"]), (whole.status, whole.headers["Content-Type"]))
                # RFC 9110 §8.6: what GET would say, or nothing.
                if answer.headers["Content-Length"] and path != "/api/fakemx/info":
                    self.assertAlmostEqual(int(answer.headers["Content-Length"]), len(whole.body), delta=4)
                behind = raw.answer()
                self.assertEqual((behind.status, behind.body), (200, b"ok\n"), "a body came behind HEAD")

    def test_bodies_that_are_wrong(self):
        post = lambda body, kind="application/json": self.api.call("POST", "rules", None, body, kind)  # noqa: E731
        is_problem(self, post("x" * (1 << 20) + "y", "text/plain"), 413, "body-too-large")
        is_problem(self, self.api.call("PUT", "rules/big", None, b"x" * (3 << 20), "application/json"), 413, "body-too-large")
        for kind in ("application/xml", "image/png", "multipart/form-data; boundary=x", "json", "application/json-patch+json"):
            with self.subTest(kind=kind):
                is_problem(self, post("{}", kind), 415, "bad-content-type", "Content-Type")
        for body in (b"{", b"{\"at\": \"rcpt\", \"do\": [\"550 5.1.1 x\"}", b"\xff\xfe\x00", b"\0", b"{\"at\":\"rcpt\"", b"nul", b"{}{}", b"\xef\xbb\xbf{",
                     b"{\"a\":" * 5000, b"[" * 100_000, b"&a [*a, *a]", b"a: &a {b: *a}", b"{\"at\":\"rcpt\",\"at\":\"mail\",\"do\":\"accept\"}",
                     b"--- {}\n--- {}\n", b"!!python/object {}", b"? x", b"\t"):
            with self.subTest(body=body[:40]):
                answer = post(body)
                is_problem(self, answer, 422 if answer.status == 422 else 400)
        bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [" + ",".join(["*" + chr(97 + n)] * 9) + "]\n" for n in range(9))
        began = time.monotonic()
        is_problem(self, post(bomb, "application/yaml"), 422)
        self.assertLess(time.monotonic() - began, 5)
        # A body where none is asked for is read past.
        with Raw(self.api.port) as raw:
            raw.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhelloGET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual([raw.answer().status, raw.answer().status], [200, 200])

    def test_a_large_body_that_nobody_reads(self):
        # To a call that takes none, or that was refused before its body was looked at.
        for head in (b"GET /livez", b"POST /nowhere", b"DELETE /api/fakemx/rules/full"):
            with self.subTest(head=head), Raw(self.api.port) as raw:
                raw.send(head + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % (8 << 20))
                sender = threading.Thread(target=lambda: [raw.send(b"x" * (1 << 20)) for _ in range(8)], daemon=True)
                sender.start()
                answer = raw.answer()
                self.assertTrue(answer is None or answer.status < 500, answer)
            sender.join(10)
            self.assertFalse(sender.is_alive())

    def test_expect_continue(self):
        with Raw(self.api.port) as raw:
            raw.send(b"PUT /api/fakemx/rules/mine HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 45\r\nExpect: 100-continue\r\n\r\n")
            body = b"rcpt name=mine to=*@mine.test: 550 5.1.1 No"
            body += b" " * (45 - len(body))
            first = raw.answer(2, head=True)
            if first is not None and first.status == 100:
                first = None
            raw.send(body)
            answer = first or raw.answer()
            self.assertEqual(answer.status, 200, answer)
        self.changes()

    def test_chunked_bodies(self):
        line = b"rcpt name=mine to=*@mine.test: 550 5.1.1 No"
        head = b"PUT /api/fakemx/rules/mine HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        chunks = b"".join(b"1\r\n" + line[i:i + 1] + b"\r\n" for i in range(len(line)))
        self.assertEqual(self.raw(head + chunks + b"0\r\n\r\n").status, 200)
        self.changes()
        for broken in (b"zz\r\n", b"-1\r\n", b"ffffffffffffffffff\r\n", b"5\r\nabcdefgh\r\n", b"5\r\nab"):
            with self.subTest(broken=broken), Raw(self.api.port) as raw:
                raw.send(head + broken)
                raw.socket.shutdown(socket.SHUT_WR)
                answer = raw.answer()
                self.assertTrue(answer is None or 400 <= answer.status < 500, answer)
        self.assertEqual(self.api.state(), self.before)
        both = self.raw(head.replace(b"Transfer", b"Content-Length: 3\r\nTransfer") + chunks + b"0\r\n\r\n")
        self.assertTrue(both is None or both.status == 200 or 400 <= both.status < 500, both)
        self.changes()

    def test_http_1_0_and_connection_close(self):
        with Raw(self.api.port) as raw:
            # The HTTP library forgets the version, so the connection stays (RFC 9112 §9.3 would end it); the length ends the answer.
            answer = raw.send(b"GET /livez HTTP/1.0\r\nHost: localhost\r\n\r\n").answer()
            self.assertEqual((answer.status, answer.headers["Content-Length"]), (200, "3"))
        with Raw(self.api.port) as raw:
            self.assertEqual(raw.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").answer().status, 200)
            self.assertTrue(raw.is_closed(5))
        for version in ("0.9", "1.2", "2.0", "9.9", "x"):
            answer = self.get("/livez", version=version)
            self.assertTrue(answer is None or answer.status in (200, 400, 505), (version, answer))

    def test_pipelined_requests_are_answered_in_their_order(self):
        with Raw(self.api.port) as raw:
            paths = ["/livez", "/nowhere", "/api/fakemx/messages/s1.1/raw", "/api/fakemx/info", "/api/fakemx/sessions?x=1", "/livez"] * 20
            raw.send(b"".join(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() for path in paths))
            self.assertEqual([raw.answer().status for _ in paths], [200, 404, 200, 200, 400, 200] * 20)


class Octets(Gate):
    def test_garbage(self):
        for octets in (b"\0" * 100, b"\xff" * 1000, b"EHLO x\r\n", b"\r\n" * 100, b"GET\r\n\r\n", b"GET /\r\n\r\n", b"GET / HTTP/1.1\r\nbroken\r\n\r\n",
                       b"GET / HTTP/1.1\r\n: x\r\n\r\n", b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n", b"GET / HTTP/1.1\r\nHost: localhost\r\n folded\r\n\r\n",
                       b"GET / HTTP/1.1\nHost: localhost\n\n", b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
                       b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                       b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", os.urandom(4096), b"A" * (1 << 20)):
            with self.subTest(octets=octets[:40]), Raw(self.api.port) as raw:
                raw.send(octets)
                try:
                    raw.socket.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                answer = raw.answer(10)
                self.assertTrue(answer is None and raw.is_closed(10) or answer is not None and answer.status < 500, answer)
                if answer is not None and answer.status >= 400:
                    is_problem(self, answer, answer.status)
                self.assertEqual(self.get("/livez").status, 200)

    def test_what_comes_behind_a_request_does_not_take_its_answer(self):
        # One octet too many: the rule is set, and that is said before the rest is refused.
        line = b"rcpt name=counted: 550 5.1.1 No"
        with Raw(self.api.port) as raw:
            raw.send(b"POST /api/fakemx/rules HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s!" % (len(line), line))
            self.assertEqual(raw.answer().status, 201)
            self.assertEqual(raw.answer().status, 400)
        self.assertEqual(self.api.call("DELETE", "rules/counted").status, 200)
        # Nor does a line of nothing end a stream.
        with Raw(self.api.port) as raw:
            raw.send(b"GET /api/fakemx/wait?for=message&to=never@x.test&timeout=22 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.api.until(lambda info: info["waiting"] == 1)
            raw.send(b"\r\n")
            answer = raw.answer(30)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (408, "application/json"))
        self.changes()

    def test_a_tls_client_hello(self):
        client = socket.create_connection(("127.0.0.1", self.api.port), timeout=10)
        with self.assertRaises((ssl.SSLError, OSError)):
            wire.TRUSTING.wrap_socket(client, server_hostname="localhost")
        client.close()
        self.assertEqual(self.get("/livez").status, 200)

    def test_clients_that_vanish_in_the_middle(self):
        whole = b"POST /api/fakemx/rules HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 30\r\n\r\nrcpt: 550 5.1.1 half of the"
        before = self.sink.descriptors()
        for cut in range(1, len(whole), 7):
            raw = Raw(self.api.port)
            raw.send(whole[:cut])
            raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0" if cut % 2 else b"\0" * 8)
            raw.close()
        deadline = time.monotonic() + 15
        # The process may have opened one or two for itself meanwhile; these were many more.
        while self.sink.descriptors() > before + 2:
            self.assertLess(time.monotonic(), deadline, "descriptors stay open")
            time.sleep(0.05)

    def test_300_idle_connections(self):
        crowd = [Raw(self.api.port) for _ in range(300)]
        for raw in crowd[::2]:
            self.assertEqual(raw.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").answer().status, 200)
        began = time.monotonic()
        self.assertEqual(self.get("/api/fakemx/info").status, 200)
        self.assertLess(time.monotonic() - began, 2)
        self.assertEqual(wire_accepts(self.sink.port), 220)
        for raw in crowd:
            self.assertEqual(raw.send(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n").answer().status, 200)
            raw.close()
        self.changes()


def wire_accepts(port):
    """The greeting's code. No Wire: that one cannot wait for descriptors above 1023."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        return int(client.recv(200)[:3])


class Slowness(unittest.TestCase):
    """Sinks of their own: these tests take their time."""

    def setUp(self):
        self.sink = Sink("--rule", RULE, "--judge", "off", transcript="off", http="127.0.0.1:0")
        self.addCleanup(self.sink.stop)
        self.api = API(self.sink.url)

    def test_a_body_that_comes_slowly(self):
        before = self.api.state()
        with Raw(self.api.port) as raw:
            raw.send(b"POST /api/fakemx/rules HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n")
            began = time.monotonic()
            stop = threading.Event()

            def drip():
                while not stop.wait(0.5):
                    raw.send(b"r")
            dripper = threading.Thread(target=drip, daemon=True)
            dripper.start()
            answer = raw.answer(20)
            took = time.monotonic() - began
            stop.set()
            dripper.join()
        is_problem(self, answer, 408, "body-too-slow")
        self.assertTrue(9 < took < 13, took)
        self.assertEqual(self.api.state(), before)

    def test_slow_headers_hold_nobody_up(self):
        crowd = [Raw(self.api.port) for _ in range(200)]
        for raw in crowd:
            raw.send(b"GET /api/fakemx/info HTTP/1.1\r\nHost: local")
        slowest = 0
        for turn in range(10):
            for raw in crowd:
                raw.send(b"h")
            began = time.monotonic()
            self.assertEqual(self.api.get("info").status, 200)
            slowest = max(slowest, time.monotonic() - began)
            time.sleep(0.1)
        self.assertLess(slowest, 1)
        for raw in crowd:
            raw.close()

    def test_a_head_that_never_ends_is_answered_and_closed(self):
        begun = [b"GET /", b"GET /livez HTTP/1.1\r\nHost: localhost\r\nX-A", b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\nGET /"]
        crowd = [Raw(self.api.port).send(octets) for octets in begun]
        self.assertEqual(crowd[2].answer().status, 200)  # a second request on the same connection
        began = time.monotonic()
        while time.monotonic() - began < 19:
            time.sleep(1)
            for raw in crowd:
                raw.send(b"a")
        for raw in crowd:
            is_problem(self, raw.answer(10), 408, "head-too-slow")
            self.assertTrue(raw.is_closed(10))
            raw.close()

    def test_more_connections_than_are_served_do_not_stop_smtp(self):
        # They say nothing at all: the sink stays there for SMTP, and for HTTP when there is room again.
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        crowd = []
        try:
            for _ in range(2_700):
                crowd.append(Raw(self.api.port))
            self.assertEqual(wire_accepts(self.sink.port), 220)
            for raw in crowd[:300]:
                raw.close()
            self.assertEqual(self.api.get("/livez").status, 200)
        finally:
            for raw in crowd:
                raw.close()
        self.assertEqual(self.api.get("/livez").status, 200)

    def test_answers_that_nobody_reads_cost_little(self):
        for number in range(20):
            self.assertEqual(mail(self.sink.port, content=b"Subject: big\r\n\r\n" + (b"x" * 70 + b"\r\n") * 15_000), 250)
        newest = self.api.found("messages", limit=1)["messages"][0]["id"]
        before = self.sink.resident_kib()
        crowd = [Raw(self.api.port, receives=4096) for _ in range(20)]
        for raw in crowd:
            raw.send(f"GET /api/fakemx/messages/{newest}/raw HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 50)
        time.sleep(1.5)
        grown = (self.sink.resident_kib() - before) >> 10
        print(f"\n      20 readers that asked for 50 MB each and read nothing: {grown} MiB more")
        self.assertLess(grown, 300)  # a GB was asked for
        self.assertEqual(self.api.get("/livez").status, 200)
        for raw in crowd:
            raw.close()


class Configuration(unittest.TestCase):
    def test_bad_words_of_the_command_line(self):
        for arguments, word in (
            (("--http-token", ""), "http-token"), (("--http-origin", "company.com"), "http-origin"),
            (("--http-origin", "https://company.com/path"), "http-origin"), (("--http-host", "a b"), "http-host"),
            (("--http-host", ""), "http-host"), (("--http-host", "a/b"), "http-host"),
        ):
            with self.subTest(arguments=arguments):
                try:
                    sink = Sink(*arguments, transcript="off", http="127.0.0.1:0")
                except NotReady as error:
                    self.assertIn("exit 2", str(error))
                    self.assertIn(word, str(error))
                else:
                    sink.stop()
                    self.fail(f"{arguments} was taken")


if __name__ == "__main__":
    unittest.main()
