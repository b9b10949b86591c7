# The dialect of Mailpit: every call of it, asked as its documentation has it, and the clients pytest-mailpit and
# mailpit-api-client from PyPI, unmodified. The clients live in an environment of their own (Debian: python3-venv):
#
#     /usr/bin/python3 -m venv .build/python/mailpit
#     .build/python/mailpit/bin/pip install --no-deps -r Tests/Clients/requirements-mailpit.txt
#
# which pins pytest-mailpit==0.4.1 and mailpit-api-client==1.0.0 with all that they need. Where they are missing, the
# tests of the clients fail with these lines; nothing is skipped.

import base64
import datetime
import email.policy
import hashlib
import http.client
import json
import os
import smtplib
import subprocess
import tempfile
import unittest
import urllib.parse
from email.message import EmailMessage

from sink import ROOT, Sink
from wire import TRUSTING, Wire, deliver, hello

PYTHON = os.path.join(ROOT, ".build", "python", "mailpit", "bin", "python")
HERE = os.path.dirname(os.path.realpath(__file__))
INSTALL = """the clients are not installed; run:
    /usr/bin/python3 -m venv .build/python/mailpit
    .build/python/mailpit/bin/pip install --no-deps -r Tests/Clients/requirements-mailpit.txt"""
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
EMPTY_PAGE = {
    "total": 0, "unread": 0, "count": 0, "messages_count": 0, "messages_unread": 0, "start": 0, "tags": [],
    "messages": []}
CHAOS_OFF = {
    "Sender": {"ErrorCode": 451, "Probability": 0}, "Recipient": {"ErrorCode": 451, "Probability": 0},
    "Authentication": {"ErrorCode": 535, "Probability": 0}}


class Case(unittest.TestCase):
    """A sink for each test, and words to ask it."""

    arguments = ()
    maxDiff = None

    def setUp(self):
        self.sink = Sink(*self.arguments, http="127.0.0.1:0", transcript="off")
        self.addCleanup(lambda: self.assertEqual(self.sink.stop(), 0))
        self.host = self.sink.url.removeprefix("http://")

    def ask(self, method, path, body=None, headers=None):
        """(status, headers, octets)."""
        connection = http.client.HTTPConnection(self.host, timeout=20)
        try:
            if body is not None and not isinstance(body, (bytes, str)):
                body, headers = json.dumps(body), {"Content-Type": "application/json", **(headers or {})}
            connection.request(method, path, body=body, headers=headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def get(self, path):
        status, headers, body = self.ask("GET", "/api/v1" + path)
        self.assertEqual(status, 200, body)
        self.assertEqual(headers["Content-Type"], "application/json")
        return json.loads(body)

    def search(self, query, **parameters):
        return self.get("/search?" + urllib.parse.urlencode({"query": query, **parameters}))

    def change(self, method, path, body=None):
        status, headers, octets = self.ask(method, "/api/v1" + path, body)
        self.assertEqual((status, octets, headers["Content-Type"]), (200, b"ok", "text/plain"))

    def refused(self, method, path, status, text, body=None, headers=None):
        got, fields, octets = self.ask(method, path, body, headers)
        self.assertEqual(got, status, octets)
        self.assertTrue(fields["Content-Type"].startswith("text/plain"), fields["Content-Type"])
        self.assertIn(text, octets.decode())

    def send(self, message, sender="envelope@sender.test", to=None, port=None):
        with smtplib.SMTP("127.0.0.1", port or self.sink.port) as client:
            client.sendmail(sender, to or ["b@any.test"], message.as_bytes(policy=email.policy.SMTP))

    def raw(self, octets, to=("b@any.test",)):
        with Wire(self.sink.port) as client:
            hello(client)
            self.assertEqual(deliver(client, to=to, message=octets)[-1].code, 250)
            client.ask("QUIT")

    def subjects(self, page):
        return [message["Subject"] for message in page["messages"]]

    def ids(self):
        return {m["Subject"]: m["ID"] for m in self.get("/messages?limit=0")["messages"]}


def mail(subject="Hello", text="some text\n", **fields):
    message = EmailMessage()
    message["From"] = fields.pop("sender", "Ann Example <ann@sender.test>")
    message["To"] = fields.pop("to", "b@any.test")
    message["Subject"] = subject
    message["Message-ID"] = fields.pop("message_id", f"<{abs(hash(subject))}@sender.test>")
    message["Date"] = "Mon, 23 Nov 2026 10:00:00 +0100"
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def rich():
    message = mail("Ünïcode", "plain text\n", Cc="Carl <c@any.test>", Reply_To="r@sender.test",
                   List_Unsubscribe="<https://sender.test/u>, <mailto:u@sender.test>",
                   List_Unsubscribe_Post="List-Unsubscribe=One-Click")
    message.add_alternative('<p>rich text</p><img src="cid:logo@sender.test"><script>alert(1)</script>', subtype="html")
    message.get_payload()[1].add_related(PNG, "image", "png", cid="<logo@sender.test>", filename="logo.png",
                                         disposition="inline")
    message.add_attachment(b"%PDF-1.4 octets", maintype="application", subtype="pdf", filename="an invoice.pdf")
    return message


class Reading(Case):
    def test_an_empty_mailbox(self):
        self.assertEqual(self.get("/messages"), EMPTY_PAGE)
        self.assertEqual(self.search("anything"), EMPTY_PAGE)
        self.assertEqual(self.get("/tags"), [])
        for path in ("", "/headers", "/raw", "/part/1"):
            self.refused("GET", f"/api/v1/message/latest{path}", 404, "Message not found")
            self.refused("GET", f"/api/v1/message/s9.9{path}", 404, "404 page not found")
        info = self.get("/info")
        self.assertEqual((info["Messages"], info["Unread"], info["Tags"]), (0, 0, {}))
        status, headers, _ = self.ask("GET", "/view/latest")
        self.assertEqual((status, headers["Location"]), (302, "/"))
        self.change("DELETE", "/messages")
        self.change("PUT", "/messages", {"Read": True})

    def test_a_summary_has_every_field(self):
        before = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        message = rich()
        self.send(message, to=["b@any.test", "c@any.test", "hidden@any.test"])
        page = self.get("/messages")
        [summary] = page.pop("messages")
        self.assertEqual(page, {
            "total": 1, "unread": 1, "count": 1, "messages_count": 1, "messages_unread": 1, "start": 0, "tags": []})
        created = summary.pop("Created")
        self.assertRegex(created, r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,2}[1-9])?Z$")
        self.assertGreaterEqual(datetime.datetime.fromisoformat(created), before)
        self.assertTrue(summary.pop("ID"))
        self.assertEqual(summary.pop("Size"), len(self.ask("GET", "/api/v1/message/latest/raw")[2]))
        self.assertEqual(summary, {
            "MessageID": message["Message-ID"].strip("<>"), "Read": False,
            "From": {"Name": "Ann Example", "Address": "ann@sender.test"},
            "To": [{"Name": "", "Address": "b@any.test"}], "Cc": [{"Name": "Carl", "Address": "c@any.test"}],
            "Bcc": [{"Name": "", "Address": "hidden@any.test"}], "ReplyTo": [{"Name": "", "Address": "r@sender.test"}],
            "Subject": "Ünïcode", "Username": "", "Tags": [], "Attachments": 1, "Snippet": "rich text"})

    def test_a_message_has_every_field_and_is_read_then(self):
        self.send(rich(), to=["b@any.test", "hidden@any.test"])
        whole = self.get("/message/latest")
        self.assertEqual(whole["ID"], self.get("/messages")["messages"][0]["ID"])
        self.assertEqual(whole, {**whole, **{
            "From": {"Name": "Ann Example", "Address": "ann@sender.test"}, "ReturnPath": "envelope@sender.test",
            "Bcc": [{"Name": "", "Address": "hidden@any.test"}], "Date": "2026-11-23T10:00:00+01:00", "Tags": [],
            "Username": "", "Text": "plain text\r\n", "ListUnsubscribe": {
                "Header": "<https://sender.test/u>, <mailto:u@sender.test>", "Errors": "",
                "Links": ["https://sender.test/u", "mailto:u@sender.test"],
                "HeaderPost": "List-Unsubscribe=One-Click"}}})
        self.assertIn("<p>rich text</p>", whole["HTML"])
        [attachment], [inline] = whole["Attachments"], whole["Inline"]
        octets = b"%PDF-1.4 octets"
        self.assertEqual(attachment, {
            "PartID": "2", "FileName": "an invoice.pdf", "ContentType": "application/pdf", "ContentID": "",
            "Size": len(octets), "Checksums": {
                "MD5": hashlib.md5(octets).hexdigest(), "SHA1": hashlib.sha1(octets).hexdigest(),
                "SHA256": hashlib.sha256(octets).hexdigest()}})
        self.assertEqual((inline["ContentID"], inline["FileName"], inline["Checksums"]["MD5"]),
                         ("logo@sender.test", "logo.png", hashlib.md5(PNG).hexdigest()))
        page = self.get("/messages")
        self.assertEqual((page["unread"], page["messages_unread"], page["messages"][0]["Read"]), (0, 0, True))

    def test_what_is_missing_in_a_message_is_empty_and_never_null(self):
        self.raw(b"X-Nothing: here\r\n\r\nbody\r\n")
        [summary] = self.get("/messages")["messages"]
        whole = self.get("/message/latest")
        for shown in (summary, whole):
            self.assertEqual(shown["From"], {"Name": "", "Address": ""})
            self.assertEqual((shown["To"], shown["Cc"], shown["ReplyTo"], shown["Tags"]), ([], [], [], []))
            self.assertEqual((shown["Subject"], shown["MessageID"]), ("", ""))
        self.assertEqual((whole["Attachments"], whole["Inline"], whole["HTML"]), ([], [], ""))
        self.assertEqual(whole["ListUnsubscribe"], {"Header": "", "Links": [], "Errors": "", "HeaderPost": ""})
        self.assertEqual(whole["Date"], summary["Created"], "without a date it is the time of arrival")
        self.assertNotIn("null", self.ask("GET", "/api/v1/message/latest")[2].decode())

    def test_the_header_is_by_name_and_not_decoded(self):
        self.raw(b"received: one\r\nReceived: two\r\nSubject: =?utf-8?q?H=C3=A4?=\r\n folded\r\n\r\nx\r\n")
        self.assertEqual(self.get("/message/latest/headers"), {
            "Received": ["one", "two"], "Subject": ["=?utf-8?q?H=C3=A4?= folded"]})

    def test_the_source_is_what_came(self):
        octets = b"Subject: raw\r\n\r\n..dots and \xff octets\r\n"
        self.raw(octets)
        status, headers, body = self.ask("GET", "/api/v1/message/latest/raw")
        self.assertEqual((status, headers["Content-Type"]), (200, "text/plain; charset=utf-8"))
        self.assertIsNone(headers["Content-Disposition"])
        self.assertIn(b"dots and \xff octets", body)
        _, headers, again = self.ask("GET", "/api/v1/message/latest/raw?dl=1")
        self.assertRegex(headers["Content-Disposition"], r'^attachment; filename="s\d+\.\d+\.eml"$')
        self.assertEqual(again, body)

    def test_parts_are_handed_out_so_that_a_browser_runs_none(self):
        message = mail("parts", "one\n")
        for kind, name in (("html", "page.html"), ("plain", 'evil"; x.txt'), ("javascript", "a.js")):
            message.add_attachment("<script>1</script>", subtype=kind, filename=name)
        message.add_attachment(b"<svg/>", maintype="image", subtype="svg+xml", filename="a.svg")
        message.add_attachment(PNG, maintype="image", subtype="png", filename="ü.png")
        self.send(message)
        seen = {}
        for part in self.get("/message/latest")["Attachments"]:
            status, headers, body = self.ask("GET", f"/api/v1/message/latest/part/{part['PartID']}")
            self.assertEqual((status, len(body)), (200, part["Size"]))
            self.assertEqual(hashlib.sha256(body).hexdigest(), part["Checksums"]["SHA256"])
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertIn("sandbox", headers["Content-Security-Policy"])
            seen[part["ContentType"]] = (headers["Content-Type"], headers["Content-Disposition"])
        octets = "application/octet-stream"
        self.assertEqual(seen, {
            "text/html": (octets, 'attachment; filename="page.html"'),
            "text/plain": ("text/plain; charset=utf-8", 'inline; filename="evil%22%3B%20x.txt"'),
            "text/javascript": (octets, 'attachment; filename="a.js"'),
            "image/svg+xml": (octets, 'attachment; filename="a.svg"'),
            "image/png": ("image/png", 'inline; filename="%C3%BC.png"')})
        for part in ("9", "0", "..%2f", "x"):
            self.refused("GET", f"/api/v1/message/latest/part/{part}", 404, "404 page not found")

    def test_pages_of_a_message_run_and_fetch_nothing(self):
        self.send(rich())
        identity = self.get("/messages")["messages"][0]["ID"]
        for name in ("latest", identity):
            status, headers, body = self.ask("GET", f"/view/{name}.html?embed=1")
            self.assertEqual((status, headers["Content-Type"]), (200, "text/html; charset=utf-8"))
            self.assertTrue(headers["Content-Security-Policy"].startswith(
                "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:;"))
            self.assertIn(b'<img src="data:image/png;base64,' + base64.b64encode(PNG) + b'">', body)
            status, headers, body = self.ask("GET", f"/view/{name}.txt")
            self.assertEqual((status, headers["Content-Type"], body), (200, "text/plain; charset=utf-8", b"plain text\r\n"))
            status, headers, _ = self.ask("GET", f"/view/{name}")
            self.assertEqual((status, headers["Location"]), (302, f"/view/{identity}.html"))
        self.send(mail("text alone"))
        self.assertTrue(self.ask("GET", "/view/latest")[1]["Location"].endswith(".txt"))
        self.refused("GET", "/view/latest.html", 404, "This message does not contain a HTML part")
        self.assertEqual(self.ask("GET", "/view/latest.html?query=rich")[0], 200)
        self.assertEqual(self.get("/messages")["unread"], 1)
        for path in ("/view/s9.9.html", "/view/s9.9.txt", "/view/s9.9", "/view/latest.txt?query=nobody"):
            self.refused("GET", path, 404, "Message not found")

    def test_latest_of_a_search(self):
        for subject in ("one apple", "two pears", "three apples", "four plums"):
            self.send(mail(subject))
        self.assertEqual(self.get("/message/latest")["Subject"], "four plums")
        self.assertEqual(self.get("/message/latest?query=apple")["Subject"], "three apples")
        self.assertEqual(self.get("/message/latest/headers?query=subject:pears")["Subject"], ["two pears"])
        self.refused("GET", "/api/v1/message/latest?query=cherry", 404, "Message not found")

    def test_what_was_acknowledged_is_seen_at_once(self):
        with Wire(self.sink.port) as client:
            hello(client)
            for number in range(1, 101):
                self.assertEqual(deliver(client)[-1].code, 250)
                self.assertEqual(self.get("/messages?limit=1")["total"], number)

    def test_pages(self):
        for number in range(7):
            self.send(mail(f"number {number}"))
        names = [f"number {number}" for number in reversed(range(7))]
        for query, wanted in (
                ("", names), ("?limit=3", names[:3]), ("?start=2&limit=3", names[2:5]), ("?start=5", names[5:]),
                ("?start=7", []), ("?start=99999999999999999999", names), ("?limit=0", names), ("?limit=-1", names),
                ("?limit=x&start=y", names), ("?start=1&limit=0&unknown=1", names[1:]), ("?start=9223372036854775807", [])):
            page = self.get("/messages" + query)
            self.assertEqual((self.subjects(page), page["count"]), (wanted, len(wanted)), query)
            self.assertEqual((page["total"], page["messages_count"]), (7, 7), query)
        self.assertEqual(self.get("/messages?start=2")["start"], 2)
        page = self.search("number", start=4, limit=2)
        self.assertEqual((self.subjects(page), page["messages_count"], page["count"]), (names[4:6], 7, 2))
        page = self.search("subject:\"number 3\"")
        self.assertEqual((page["total"], page["messages_count"], page["count"]), (7, 1, 1))
        created = self.get("/messages")["messages"][3]["Created"]
        earlier = self.subjects(self.get("/messages?before=" + urllib.parse.quote(created)))
        self.assertEqual(earlier, [n for n in names[4:] if n in earlier])
        self.assertEqual(self.subjects(self.get("/messages?before=2026-01-01")), [])
        self.assertEqual(self.subjects(self.search("number", before="2099-01-01")), names)
        self.refused("GET", "/api/v1/messages?before=tomorrow", 400, "before:")


class Searching(Case):
    def fill(self):
        """Four messages; returns their subjects, the newest first."""
        self.send(mail("Invoice 4711", "the Needle in it\n", sender="Bill <bill@shop.test>", to="Ann <ann@any.test>",
                       message_id="<abc-123@shop.test>"), to=["ann@any.test"])
        self.send(mail("Welcome aboard", "hay, hay; and (stack)\n", Cc="carl@any.test", Reply_To="help@desk.test"),
                  to=["b@any.test", "carl@any.test", "secret@blind.test"])
        self.send(rich(), sender="bounces@envelope.test")
        self.send(mail("Big one", "x" * 70 + "\n" + "filler line\n" * 400))
        ids = self.ids()
        self.change("PUT", "/messages", {"IDs": [ids["Big one"], ids["Invoice 4711"]], "Read": True})
        self.change("PUT", "/tags", {"IDs": [ids["Invoice 4711"]], "Tags": ["Blue", "two words"]})
        return ["Big one", "Ünïcode", "Welcome aboard", "Invoice 4711"]

    def test_every_word(self):
        everything = self.fill()
        big, rich_one, welcome, invoice = everything
        today = datetime.date.today()
        tomorrow, yesterday = today + datetime.timedelta(2), today - datetime.timedelta(2)
        table = {
            "to:ann@any.test": [invoice], 'to:"Ann <ann@any.test>"': [invoice], "to:ANN": [invoice],
            "from:bill": [invoice], "from:shop.test": [invoice], "from:ann": [big, rich_one, welcome],
            "cc:carl": [rich_one, welcome], "cc:carl@any": [welcome], "cc:c@any.test": [rich_one],
            "bcc:secret@blind.test": [welcome], "bcc:blind": [welcome], "reply-to:help@desk.test": [welcome],
            "addressed:secret@blind.test": [welcome], "addressed:bill@shop.test": [invoice],
            "addressed:desk.test": [welcome], "subject:invoice": [invoice], 'subject:"welcome aboard"': [welcome],
            "subject:ünïcode": [rich_one], "message-id:abc-123": [invoice], "message-id:<abc-123@shop.test>": [invoice],
            "tag:blue": [invoice], 'tag:"two words"': [invoice], "tag:two": [], "is:tagged": [invoice],
            "is:read": [big, invoice], "is:unread": [rich_one, welcome], "-is:read": [rich_one, welcome],
            "!is:tagged": [big, rich_one, welcome], "has:attachment": [rich_one], "has:attachments": [rich_one],
            "has:inline": [rich_one], "has:inlines": [rich_one], "-has:attachment": [big, welcome, invoice],
            "larger:4k": [big], "smaller:4kb": [rich_one, welcome, invoice], "-larger:4000": [rich_one, welcome, invoice],
            "larger:0.003M": [big], f"after:{yesterday}": everything, f"after:{tomorrow}": [],
            f"before:{tomorrow}": everything, f"before:{yesterday}": [], f"-before:{yesterday}": everything,
            f"after:{yesterday}T10:00:00+02:00": everything, f'before:"{yesterday} 10:00"': [], "after:1700000000": everything,
            "needle": [invoice], "NEEDLE": [invoice], "eedl": [invoice], '"the needle in it"': [invoice],
            '"hay hay and stack"': [welcome], "hay, stack": [welcome], "needle invoice": [invoice], "needle welcome": [],
            "-needle": [big, rich_one, welcome], "!needle -welcome": [big, rich_one], "secret@blind.test": [welcome],
            "bounces@envelope.test": [rich_one], "an invoice.pdf": [rich_one], "4711": [invoice], "any": everything,
            "from:bill needle": [invoice], "-from:bill has:attachment": [rich_one], "nowhere": [],
            "---": everything, "€": [], "+++": [], '"" needle': [invoice], '"http://nowhere.test/"': [], "http://nowhere.test/": [], '"12:30"': [], "12:30": [],
            '"word:like this"': [], "ann@sender.test": [big, rich_one, welcome], "filler": [big], "%": [],
        }
        for query, wanted in table.items():
            page = self.search(query)
            self.assertEqual(self.subjects(page), wanted, query)
            self.assertEqual((page["messages_count"], page["total"]), (len(wanted), 4), query)
        page = self.search("any", limit=1)
        self.assertEqual((page["unread"], page["messages_unread"], page["messages_count"]), (2, 2, 4))
        page = self.search("needle")
        self.assertEqual((page["unread"], page["messages_unread"], page["tags"]), (2, 0, ["Blue", "two words"]))

    def test_what_cannot_be_understood_is_refused(self):
        self.fill()
        for query, words in (
                ("foo:bar", 'unknown search word "foo:"'), ("form:ann", 'did you mean "from"'), ("-foo:bar", '"foo:"'),
                ("is:flagged", 'unknown search word "is:flagged"'), ("has:cake", "has:attachment"),
                ("larger:huge", "larger: is a size"), ("smaller:1zb", "smaller: is a size"), ("larger:0", "larger:"),
                ("after:noon", "after: is a date"), ("before:2026-02-30", "before: is a date"),
                ("before:2026-13-01", "before:"), ("after:2026-01-01T25:00", "after:"),
                ("to:", '"to:" asks for nothing'), ("is:", '"is:"'), ("has:", '"has:"'), ("-larger:", '"larger:"'), ('tag:""', '"tag:"'),
                ('""', "asks for nothing"), ("needle subject:", '"subject:"'), ("x " * 101, "more than 100 terms"), ("x" * 4097, "4096 is the limit")):
            path = "/api/v1/search?" + urllib.parse.urlencode({"query": query})
            self.refused("GET", path, 400, words)
            self.refused("DELETE", path, 400, words)
            self.refused("PUT", "/api/v1/messages", 400, words, body={"Search": query, "Read": True})
        self.assertEqual((self.get("/messages")["total"], self.get("/messages")["unread"]), (4, 2), "nothing went, nothing was marked")

        for method in ("GET", "DELETE"):
            self.refused(method, "/api/v1/search", 400, "Error: no search query")
            self.refused(method, "/api/v1/search?query=%20", 400, "Error: no search query")
        self.refused("GET", "/api/v1/search?query=after:2026-01-01&tz=Pacific/Auckland", 400, "Pacific/Auckland")
        self.assertEqual(len(self.search("after:2026-01-01", tz="UTC")["messages"]), 4)
        self.assertEqual(len(self.search("any", tz="Pacific/Auckland")["messages"]), 4, "nothing asks for it here")
        self.assertEqual(self.get("/messages")["total"], 4)

    def test_what_is_refused_before_a_call_is_text_too(self):
        for method, path, wanted, words in (
                ("GET", "/api/v1/search?query=%zz", 400, "percent-encoded"), ("POST", "/api/v1/messages", 405, "DELETE, GET, HEAD"),
                ("POST", "/view/latest.html", 405, "GET, HEAD"), ("GET", "/api/v1/nothing", 404, "404 page not found")):
            self.refused(method, path, wanted, words)

    def test_a_search_can_be_deleted_and_marked(self):
        self.fill()
        self.change("PUT", "/messages", {"Search": "is:unread", "Read": True})
        self.assertEqual(self.get("/messages")["unread"], 0)
        self.change("PUT", "/messages", {"Search": "has:attachment", "Read": False})
        self.assertEqual(self.subjects(self.search("is:unread")), ["Ünïcode"])
        self.change("DELETE", "/search?query=from:ann+-has:attachment")
        self.assertEqual(sorted(self.ids()), ["Invoice 4711", "Ünïcode"])


class SearchingAFile(Searching):
    """The same in a store that has an index of words."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.arguments = ("--store", os.path.join(folder.name, "mail.sqlite"))
        super().setUp()


class Changing(Case):
    def setUp(self):
        super().setUp()
        for subject in ("a", "b", "c"):
            self.send(mail(subject))
        self.identities = self.ids()

    def unread(self):
        return sorted(self.subjects(self.search("is:unread")))

    def test_read_state(self):
        a, b = self.identities["a"], self.identities["b"]
        self.change("PUT", "/messages", {"IDs": [a, "s99.1", b, a], "Read": True})
        self.assertEqual(self.unread(), ["c"])
        self.change("PUT", "/messages", {"ids": [b]})
        self.assertEqual(self.unread(), ["b", "c"], "keys are read in any case, and Read is false without a word")
        self.change("PUT", "/messages", {"Read": True})
        self.assertEqual(self.unread(), [])
        self.change("PUT", "/messages", {"Read": False, "IDs": [], "Search": ""})
        self.assertEqual((self.unread(), self.get("/messages")["unread"]), (["a", "b", "c"], 3))
        self.refused("PUT", "/api/v1/messages", 400, "You may specify either IDs or a search query, not both",
                     body={"IDs": [a], "Search": "x"})
        for body in ("", "{", "[]", '{"IDs": 1}', '{"IDs": [1]}', '{"Read": "yes"}', "null", '{"Search": []}'):
            self.refused("PUT", "/api/v1/messages", 400, "", body=body)

    def test_deleting(self):
        self.change("DELETE", "/messages", {"IDs": [self.identities["a"], "s99.1"]})
        self.assertEqual(sorted(self.ids()), ["b", "c"])
        self.refused("DELETE", "/api/v1/messages", 400, "the body", body="{broken")
        self.refused("DELETE", "/api/v1/messages", 400, "IDs", body={"IDs": ["s1.1"] * 10_001})
        for body in ({"Id": ["s1.1"]}, {"messages": ["s1.1"]}):
            self.refused("DELETE", "/api/v1/messages", 400, "names no IDs", body=body)
        for body in ('["nope"]', "xx", "[]", "id=s1.1", "ids", "=", "&"):  # as curl -d sends it
            status, _, octets = self.ask("DELETE", "/api/v1/messages", body, {"Content-Type": "application/x-www-form-urlencoded"})
            self.assertEqual((status, b"form" in octets), (400, True), (body, octets))
        self.assertEqual(sorted(self.ids()), ["b", "c"], "a body that cannot be read deletes nothing")
        self.refused("GET", f"/api/v1/message/{self.identities['a']}", 404, "404 page not found")
        status, _, _ = self.ask("DELETE", "/api/v1/messages", f"ids={self.identities['b']}",
                                {"Content-Type": "application/x-www-form-urlencoded"})
        self.assertEqual((status, sorted(self.ids())), (200, ["c"]))
        self.assertEqual(self.get("/info")["RuntimeStats"]["MessagesDeleted"], 2)
        self.change("DELETE", "/messages", {"IDs": []})
        self.assertEqual(self.ids(), {})
        self.send(mail("d"))
        self.change("DELETE", "/messages")
        self.assertEqual(self.get("/messages"), EMPTY_PAGE)

    def test_tags(self):
        a, b, c = (self.identities[name] for name in "abc")
        self.change("PUT", "/tags", {"IDs": [a, b], "Tags": ["red", "Blue sky", " odd<>chars! ", "RED", "", "!!"]})
        self.assertEqual(self.get("/tags"), ["Blue sky", "odd chars", "red"])
        page = self.get("/messages")
        self.assertEqual(page["tags"], ["Blue sky", "odd chars", "red"])
        tags = {m["Subject"]: m["Tags"] for m in page["messages"]}
        self.assertEqual(tags, {"a": ["Blue sky", "odd chars", "red"], "b": ["Blue sky", "odd chars", "red"], "c": []})
        self.change("PUT", "/tags", {"ids": [b, c], "tags": ["Red"]})
        self.assertEqual(self.get(f"/message/{c}")["Tags"], ["red"], "a tag keeps the spelling it has")
        self.assertEqual(self.get("/info")["Tags"], {"Blue sky": 1, "odd chars": 1, "red": 3})
        self.change("PUT", "/tags/odd%20chars", {"Name": "even"})
        self.assertEqual(self.get("/tags"), ["Blue sky", "even", "red"])
        self.change("PUT", "/tags/red", {"Name": "RED"})
        self.assertEqual(self.get("/tags"), ["Blue sky", "even", "RED"])
        self.refused("PUT", "/api/v1/tags/even", 400, "tag already exists: Blue sky", body={"Name": "Blue sky"})
        self.refused("PUT", "/api/v1/tags/none", 400, "tag not found: none", body={"Name": "x"})
        self.refused("PUT", "/api/v1/tags/even", 400, "invalid tag name: !", body={"Name": "!"})
        self.refused("DELETE", "/api/v1/tags/none", 400, "tag not found: none")
        self.change("PUT", "/tags/even", {"Name": "even"})
        self.change("DELETE", "/tags/Blue%20sky")
        self.assertEqual(self.get("/tags"), ["even", "RED"])
        self.change("PUT", "/tags", {"IDs": [a], "Tags": []})
        self.change("PUT", "/tags", {"IDs": [], "Tags": ["nobody"]})
        self.assertEqual(self.get("/tags"), ["RED"], "a tag that no message has is gone")
        self.refused("PUT", "/api/v1/tags", 400, "Tags", body={"IDs": [a], "Tags": ["t"] * 101})
        self.change("PUT", "/tags", {"IDs": [a], "Tags": ["x" * 300]})
        self.assertIn("x" * 100, self.get("/tags"))


class Chaos(Case):
    def put(self, body):
        status, headers, octets = self.ask("PUT", "/api/v1/chaos", body)
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"), octets)
        self.assertEqual(json.loads(octets), self.get("/chaos"))
        return json.loads(octets)

    def rules(self):
        status, _, body = self.ask("GET", "/api/fakemx/rules")
        self.assertEqual(status, 200)
        return {rule["name"]: rule for rule in json.loads(body)["rules"]}

    def test_three_rules(self):
        self.assertEqual(self.get("/chaos"), CHAOS_OFF)
        wanted = {"Sender": {"ErrorCode": 452, "Probability": 100}, "Recipient": {"ErrorCode": 550, "Probability": 30},
                  "Authentication": {"ErrorCode": 454, "Probability": 1}}
        self.assertEqual(self.put(wanted), wanted)
        rules = self.rules()
        self.assertEqual({name: (rule["at"], rule["origin"], rule["enabled"]) for name, rule in rules.items()}, {
            "chaos-sender": ("mail", "run", True), "chaos-recipient": ("rcpt", "run", True),
            "chaos-authentication": ("auth", "run", True)})
        self.assertIn("chance=30%: 550", rules["chaos-recipient"]["line"])
        self.assertEqual(self.put({"Sender": {"ErrorCode": 452, "Probability": 0}}),
                         {**CHAOS_OFF, "Sender": {"ErrorCode": 452, "Probability": 0}}, "the code stays with none")
        self.assertEqual({n: r["enabled"] for n, r in self.rules().items()}, {"chaos-sender": False})
        self.assertEqual(self.put({"recipient": {"probability": 5}}),
                         {**CHAOS_OFF, "Recipient": {"ErrorCode": 451, "Probability": 5}})
        self.assertEqual(self.put({}), CHAOS_OFF)
        self.assertEqual(self.rules(), {})

    def test_what_is_refused_changes_nothing(self):
        wanted = {**CHAOS_OFF, "Sender": {"ErrorCode": 451, "Probability": 7}}
        self.put(wanted)
        for body, words in (
                ({"Sender": {"ErrorCode": 399, "Probability": 1}}, "error code must be between 400 and 599"),
                ({"Recipient": {"ErrorCode": 600, "Probability": 1}}, "error code must be between 400 and 599"),
                ({"Authentication": {"ErrorCode": 535, "Probability": 101}}, "probability must be between 0 and 100"),
                ({"Sender": {"Probability": -1}}, "probability must be between 0 and 100"),
                ({"Sender": {"Probability": 1.5}}, "whole number"), ({"Sender": 5}, "object"), ("", "empty"), ("{", "body")):
            self.refused("PUT", "/api/v1/chaos", 400, words, body=body)
        self.refused("PUT", "/api/v1/chaos", 400, "names no trigger", body={"Recipent": {"ErrorCode": 550, "Probability": 100}})
        self.assertEqual(self.get("/chaos"), wanted)

    def test_every_code_is_taken(self):
        for code in (400, 421, 450, 499, 500, 535, 554, 599):
            trigger = {"ErrorCode": code, "Probability": 100}
            wanted = {"Sender": trigger, "Recipient": trigger, "Authentication": trigger}
            self.assertEqual(self.put(wanted), wanted)

    def test_senders_recipients_and_logins_fail(self):
        def attempt():
            with smtplib.SMTP("127.0.0.1", self.sink.port) as client:
                client.starttls(context=TRUSTING)
                client.ehlo()
                login = client.docmd("AUTH", "PLAIN " + base64.b64encode(b"\0user\0pass").decode())[0]
                sender = client.mail("a@sender.test")
                return login, sender, client.rcpt("b@any.test")[0] if sender[0] == 250 else None

        self.assertEqual(attempt()[0::2], (235, 250))
        full = {"Probability": 100}
        self.put({"Authentication": full})
        self.assertEqual(attempt()[0::2], (535, 250))
        self.put({"Recipient": {**full, "ErrorCode": 550}})
        self.assertEqual(attempt()[0::2], (235, 550))
        self.put({"Sender": full})
        self.assertEqual(attempt(), (235, (451, b"Chaos sender error"), None))
        self.put({})
        self.assertEqual(attempt()[0::2], (235, 250))

    def test_it_is_read_out_of_the_rules_in_force(self):
        status, _, body = self.ask("POST", "/api/fakemx/rules", "rcpt name=chaos-recipient chance=12.6%: 450 4.2.0 Mine",
                                   {"Content-Type": "text/plain"})
        self.assertEqual(status, 201, body)
        self.assertEqual(self.get("/chaos")["Recipient"], {"ErrorCode": 450, "Probability": 13})
        self.ask("DELETE", "/api/fakemx/rules/chaos-recipient")
        self.assertEqual(self.get("/chaos"), CHAOS_OFF)
        self.put({"Sender": {"Probability": 50}})
        self.ask("POST", "/api/fakemx/reset")
        self.assertEqual(self.get("/chaos"), CHAOS_OFF)


class ChaosOfTheConfiguration(Case):
    arguments = ("--rule", "mail name=chaos-sender from=nobody@x.test: 455 5.0.0 Always")

    def test_it_is_shown_and_stays(self):
        fixed = {"ErrorCode": 455, "Probability": 100}
        self.assertEqual(self.get("/chaos")["Sender"], fixed)
        self.refused("PUT", "/api/v1/chaos", 400, "stands in the configuration", body={})
        status, _, body = self.ask("PUT", "/api/v1/chaos", {"Sender": fixed, "Recipient": {"Probability": 3}})
        self.assertEqual((status, json.loads(body)["Recipient"]["Probability"]), (200, 3))


class Rest(Case):
    def test_what_the_sink_says_of_itself(self):
        self.send(mail())
        info = self.get("/info")
        self.assertEqual(sorted(info), ["Database", "DatabaseSize", "LatestVersion", "Messages", "RuntimeStats", "Tags",
                                        "Unread", "Version"])
        self.assertEqual((info["LatestVersion"], info["Messages"], info["Unread"]), ("disabled", 1, 1))
        statistics = info["RuntimeStats"]
        self.assertEqual(sorted(statistics), ["Memory", "MessagesDeleted", "SMTPAccepted", "SMTPAcceptedSize", "SMTPIgnored",
                                              "SMTPRejected", "Uptime"])
        self.assertEqual((statistics["SMTPAccepted"], statistics["SMTPAcceptedSize"]), (1, info["DatabaseSize"]))
        self.assertGreater(statistics["Memory"], 1 << 20)
        webui = self.get("/webui")
        self.assertEqual((webui["ChaosEnabled"], webui["SpamAssassin"], webui["MessageRelay"]["Enabled"]), (True, False, False))
        for path in ("/livez", "/readyz", "/"):
            self.assertEqual(self.ask("GET", path)[0], 200)

    def test_what_is_not_spoken_says_why(self):
        self.send(rich())
        for path, words in (("html-check", "ask a Mailpit"), ("link-check?follow=true", "fetches nothing"),
                            ("sa-check", "SpamAssassin"), ("part/2/thumb", "thumbnails")):
            self.refused("GET", f"/api/v1/message/latest/{path}", 501, words)
            self.refused("GET", f"/api/v1/message/s9.9/{path}", 404, "404 page not found")
        self.refused("POST", "/api/v1/message/latest/release", 501, "sends nothing", body={"To": ["a@b.test"]})
        self.refused("GET", "/api/events", 501, "/api/fakemx/events")
        self.refused("GET", "/api/v1/swagger.json", 501, "/api/fakemx/openapi.json")
        status, _, body = self.ask("POST", "/api/v1/send", {"From": {"Email": "a@b.test"}})
        self.assertEqual((status, list(json.loads(body))), (501, ["Error"]))

    def test_methods(self):
        for path in ("/", "/messages", "/search", "/message/latest", "/tags/x", "/chaos", "/send"):
            status, headers, body = self.ask("OPTIONS", "/api/v1" + path)
            self.assertEqual((status, body), (200, b""), path)
            self.assertTrue(headers["Content-Type"].startswith("text/plain"))
        self.assertEqual(self.ask("HEAD", "/api/v1/messages")[0::2], (200, b""))
        self.assertEqual(self.ask("POST", "/api/v1/messages", "{}")[0], 405)
        self.refused("GET", "/api/v1/nothing", 404, "404 page not found")

    def test_bodies_are_bounded(self):
        self.send(mail())
        for method, path in (("DELETE", "messages"), ("PUT", "messages"), ("PUT", "tags"), ("PUT", "chaos")):
            try:
                status = self.ask(method, f"/api/v1/{path}", b'{"x": "' + b"y" * (2 << 20) + b'"}')[0]
            except (BrokenPipeError, ConnectionResetError):
                status = 413  # it was refused before it was sent
            self.assertEqual(status, 413)
            for body in ("[" * 5000, '{"a":' * 500 + "1" + "}" * 500, '{"IDs": [1e999]}', '{"IDs": "\\ud800"}', "\0", "{\xff}"):
                self.assertEqual(self.ask(method, f"/api/v1/{path}", body.encode("latin-1"))[0] // 100 in (2, 4), True)
        self.assertEqual(self.ask("GET", "/readyz")[0], 200)

    def test_strange_messages_are_shown(self):
        nested = b""
        for depth in range(100):
            nested += b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (depth, depth)
        part = b"--b\r\nContent-Disposition: attachment\r\n\r\nx\r\n"
        parts = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + part * 2000
        images = b"".join(b"<img src='cid:a'>" for _ in range(20_000))
        for octets in (
                b"", b"\r\n", b"no header at all\r\n", b"Subject: \xff\xfe\xfd\r\n\r\n\xff\r\n", b"\0\0\0\r\n\r\n\0\r\n", nested,
                parts, b"Subject: " + b"=?utf-8?q?" + b"a" * 900 + b"?=\r\n\r\nx\r\n", b"To: " + b"<a@b>," * 100 + b"\r\n\r\n",
                b"Content-Type: text/html\r\n\r\n" + b"<div>" * 20_000 + b"x\r\n",
                b"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n" + images
                + b"\r\n--b\r\nContent-Type: image/png\r\nContent-ID: <a>\r\n\r\n" + b"y" * 50_000 + b"\r\n--b--\r\n",
                b"From: @@@ <<>> ,,; \"\r\nDate: never\r\nMessage-ID: <<<\r\nContent-Type: ;;;\r\n\r\nx\r\n",
                b"Content-Type: image/\xc3\xa9; name=\"a\x01b\"\r\nContent-Disposition: attachment; filename=\"\x02\"\r\n"
                b"\r\nx\r\n"):
            lines = octets.split(b"\r\n")
            wrapped = b"\r\n".join(line[i:i + 900] for line in lines for i in range(0, max(1, len(line)), 900))
            self.raw(wrapped)
            whole = self.get("/message/latest")
            [summary] = self.get("/messages?limit=1")["messages"]
            self.assertEqual(whole["ID"], summary["ID"])
            self.get("/message/latest/headers")
            self.search("x a")
            for path in ("/view/latest.html", "/view/latest.txt", "/api/v1/message/latest/part/0"):
                self.assertIn(self.ask("GET", path)[0], (200, 404))
            for part in (whole["Attachments"] + whole["Inline"])[:20]:
                self.assertEqual(self.ask("GET", f"/api/v1/message/latest/part/{part['PartID']}")[0], 200)
        self.assertEqual(len(self.get("/messages?limit=0")["messages"]), 13)

    def test_messages_with_very_many_recipients_are_listed_page_by_page(self):
        body = (b"Subject: crowd\r\n\r\n" + b"To: " + b"x" * 60 + b"\r\n")
        recipients = [f"{number:04}-{'r' * 50}@{'d' * 60}.any.test" for number in range(999)]
        with Wire(self.sink.port) as client:
            hello(client)
            for _ in range(200):
                client.send(b"MAIL FROM:<a@sender.test>\r\n" + b"".join(b"RCPT TO:<%s>\r\n" % r.encode() for r in recipients))
                for _ in range(1000):
                    self.assertEqual(client.reply().code, 250)
                self.assertEqual(client.ask("DATA").code, 354)
                client.send(body + b".\r\n")
                self.assertEqual(client.reply().code, 250)
        seen, start = set(), 0
        while start < 200:
            page = self.get(f"/messages?limit=0&start={start}")
            self.assertEqual((page["count"], page["messages_count"]), (len(page["messages"]), 200))
            self.assertIn(page["count"], range(1, 200))
            seen |= {message["ID"] for message in page["messages"]}
            start += page["count"]
        self.assertEqual(len(seen), 200)

    def test_many_messages(self):
        with Wire(self.sink.port) as client:
            hello(client)
            for _ in range(1200):
                self.assertEqual(deliver(client)[-1].code, 250)
        page = self.get("/messages?limit=0")
        self.assertEqual((page["count"], page["total"], len({m["ID"] for m in page["messages"]})), (1200, 1200, 1200))
        self.assertEqual(self.search("hello", start=1195)["count"], 5)
        ids = [m["ID"] for m in page["messages"]]
        self.change("PUT", "/messages", {"IDs": ids[:600], "Read": True})
        self.assertEqual(self.get("/messages?limit=1")["unread"], 600)
        self.change("DELETE", "/messages", {"IDs": ids[600:]})
        self.assertEqual(self.get("/messages?start=599&limit=5")["count"], 1)


class Nothing(Case):
    arguments = ("--store", "none")

    def test_a_sink_that_keeps_nothing_shows_nothing(self):
        self.send(mail())
        self.assertEqual(self.get("/messages"), EMPTY_PAGE)
        self.assertEqual(self.get("/info")["RuntimeStats"]["SMTPAccepted"], 1)


class Clients(Case):
    def run_python(self, *arguments, environment=None):
        self.assertTrue(os.path.exists(PYTHON), INSTALL)
        clean = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        done = subprocess.run(
            [PYTHON, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=180, cwd=self.sink.folder,
            env={**clean, "PYTHONDONTWRITEBYTECODE": "1", "MAILPIT_SMTP": f"127.0.0.1:{self.sink.port}",
                 "MAILPIT_URL": self.sink.url, **(environment or {})})
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def test_the_versions_are_those_that_are_meant(self):
        code, output = self.run_python("-m", "pip", "freeze")
        self.assertEqual(code, 0, output)
        for line in ("pytest-mailpit==0.4.1", "mailpit-api-client==1.0.0"):
            self.assertIn(line, output, INSTALL)

    def test_pytest_mailpit(self):
        suite = os.path.join(HERE, "mailpit", "pytest_mailpit_suite.py")
        code, output = self.run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", self.sink.folder, suite)
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"\n\d+ passed in ")

    def test_pytest_mailpit_keeps_and_tags_what_a_failed_test_got(self):
        suite = os.path.join(HERE, "mailpit", "pytest_mailpit_failing.py")
        code, output = self.run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", self.sink.folder, suite)
        self.assertEqual(code, 1, output)
        self.assertIn("2 failed", output)
        self.assertIn("Mailpit messages to", output)
        self.assertIn("Newest messages in Mailpit", output)
        self.assertIn("Chaos is rejecting recipients (450, 100%)", output)
        self.assertEqual(self.get("/tags"), ["failed test_that_fails"])
        self.assertEqual(self.subjects(self.search('tag:"failed test_that_fails"')), ["kept"])

    def test_mailpit_api_client(self):
        suite = os.path.join(HERE, "mailpit", "api_client_suite.py")
        code, output = self.run_python("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", self.sink.folder, suite)
        self.assertEqual(code, 0, output)
        self.assertRegex(output, r"\n\d+ passed in ")


class ClientsWithAToken(Clients):
    """Mailpit's own way to ask for a password is Basic; so a token can be said."""

    arguments = ("--http-token", "open-sesame")

    def ask(self, method, path, body=None, headers=None):
        return super().ask(method, path, body, {"Authorization": "Bearer open-sesame", **(headers or {})})

    def run_python(self, *arguments, environment=None):
        return super().run_python(
            *arguments, environment={"MAILPIT_USERNAME": "any", "MAILPIT_PASSWORD": "open-sesame", **(environment or {})})

    test_mailpit_api_client = None  # it knows no passwords

    def test_without_it_pytest_mailpit_says_what_to_set(self):
        suite = os.path.join(HERE, "mailpit", "pytest_mailpit_suite.py")
        code, output = self.run_python(
            "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--rootdir", self.sink.folder, suite,
            environment={"MAILPIT_USERNAME": "", "MAILPIT_PASSWORD": ""})
        self.assertEqual(code, 1, output)
        self.assertIn("requires a username and password", output)


if __name__ == "__main__":
    unittest.main()
