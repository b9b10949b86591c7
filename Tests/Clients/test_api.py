# Every call of /api/fakemx: what it answers when it is asked well, and when it is not. Bad octets and foreign callers are
# test_api_gate's, whatever a fuzzer finds is test_api_schema's.

import json
import os
import tempfile
import threading
import time
import unittest
import urllib.parse

import wire
from api import API, PREFIX, Events, Raw, is_problem, letter, mail
from sink import ROOT, Sink
from wire import Wire

ALL_OCTETS = bytes(range(256))
FULL = "rcpt name=full to=*@full.test: 452 4.2.2 Mailbox full"


def begin(sink):
    return API(sink.url)


def ids(items):
    return [item["id"] for item in items]


def open_transaction(port, sender="a@sender.test"):
    client = Wire(port)
    wire.hello(client)
    assert client.ask(f"MAIL FROM:<{sender}>").code == 250
    return client


class Sessions(unittest.TestCase):
    """One sink for all of them, with sessions that differ in every word one may ask for."""

    @classmethod
    def setUpClass(cls):
        # One loop: two tell of their sessions each in its own time, and here the order counts.
        cls.sink = Sink("--rule", FULL, "--loops", "1", smtps=1, transcript="off", http="127.0.0.1:0")
        cls.api = begin(cls.sink)
        port = cls.sink.port
        # s1 … s6, in this order.
        assert mail(port, "b@alpha.test", "a@one.test", helo="h1.test") == 250
        assert mail(port, ["c@full.test"], "a@two.test", helo="h2.test") == 452
        assert mail(port, "eod-554-5.7.1@any.example", "a@three.test", helo="h3.test") == 554
        with Wire(cls.sink.tls_port, tls=True) as client:
            wire.hello(client, "h4.test")
            wire.deliver(client, ["d@alpha.test"], "a@four.test")
            client.ask("QUIT")
            client.end()
        with Wire(port) as client:
            wire.hello(client, "h5.test")
        cls.api.until(lambda info: info["sessions"]["ever"] == 5)
        assert mail(port, "e+tagged@any.example", "a@six.test", helo="h6.example") == 250
        cls.api.until(lambda info: info["sessions"]["ever"] == 6 and info["sessions"]["open"] == 0)

    @classmethod
    def tearDownClass(cls):
        cls.sink.stop()

    def test_lists_the_newest_first_with_its_summary(self):
        answer = self.api.found("sessions")
        self.assertEqual(ids(answer["sessions"]), ["s6", "s5", "s4", "s3", "s2", "s1"])
        self.assertNotIn("next", answer)
        self.assertTrue(answer["cursor"])
        refused = answer["sessions"][4]
        self.assertEqual((refused["helo"], refused["verdict"], refused["rejected_at"]), ("h2.test", "deferred", "rcpt"))
        self.assertEqual((refused["reply"], refused["rule"]), ("452 4.2.2 Mailbox full", "full"))
        self.assertEqual(refused["ended_by"], "quit")
        self.assertNotIn("lines", refused)
        self.assertIn("full", refused["spaces"])
        self.assertEqual(answer["sessions"][2]["tls"]["version"], "TLSv1.3")
        self.assertEqual(answer["sessions"][1]["ended_by"], "client-close")

    def test_each_word_narrows_the_list(self):
        listener = self.api.found("sessions", session="s4")["sessions"][0]["listener"]
        words = {
            ("from", "a@two.test"): ["s2"],
            ("from", "A@TWO.TEST"): ["s2"],
            ("from", "*@t*.test"): ["s3", "s2"],
            ("from", "/^a@(one|six)/"): ["s6", "s1"],
            ("from", "a@one.test,a@six.test"): ["s6", "s1"],
            ("to", "*@alpha.test"): ["s4", "s1"],
            ("client", "127.0.0.1"): ["s6", "s5", "s4", "s3", "s2", "s1"],
            ("client", "10.0.0.0/8"): [],
            ("helo", "h5.test"): ["s5"],
            ("space", "alpha"): ["s4", "s1"],
            ("space", "tagged"): ["s6"],
            ("session", "s3"): ["s3"],
            ("listener", listener): ["s4"],
            ("tls", "TLSv1.3"): ["s4"],
            ("tls", "none"): ["s6", "s5", "s3", "s2", "s1"],
            ("phase", "rcpt"): ["s2"],
            ("phase", "end-of-data"): ["s3"],
            ("rule", "full"): ["s2"],
            ("verdict", "deferred"): ["s2"],
            ("verdict", "rejected"): ["s3"],
            ("verdict", "deferred,rejected"): ["s3", "s2"],
            ("reply", "452 4.2.2 *"): ["s2"],
            ("code", "554"): ["s3"],
            ("code", "4xx"): ["s2"],
        }
        for (word, value), expected in words.items():
            with self.subTest(word=word, value=value):
                self.assertEqual(ids(self.api.found("sessions", **{word + "_": value})["sessions"]), expected)

    def test_all_words_must_hold_and_a_word_that_comes_twice_holds_by_either(self):
        self.assertEqual(ids(self.api.found("sessions", to="*@alpha.test", tls="none")["sessions"]), ["s1"])
        answer = self.api.call("GET", "sessions", [("helo", "h1.test"), ("helo", "h5.test")])
        self.assertEqual(ids(answer.json["sessions"]), ["s5", "s1"])

    def test_pages_follow_next_to_the_end_without_gap_or_double(self):
        for limit in (1, 2, 3, 6):
            with self.subTest(limit=limit):
                seen, before = [], None
                for _ in range(10):
                    page = self.api.found("sessions", limit=limit, **({"before": before} if before else {}))
                    self.assertLessEqual(len(page["sessions"]), limit)
                    seen += ids(page["sessions"])
                    before = page.get("next")
                    if not before:
                        break
                self.assertEqual(seen, ["s6", "s5", "s4", "s3", "s2", "s1"])

    def test_pages_of_a_narrowed_list(self):
        first = self.api.found("sessions", to="*@alpha.test", limit=1)
        second = self.api.found("sessions", to="*@alpha.test", limit=1, before=first["next"])
        self.assertEqual(ids(first["sessions"]) + ids(second["sessions"]), ["s4", "s1"])

    def test_open_sessions_are_listed_and_told_as_far_as_they_have_come(self):
        with Sink("--loops", "2", transcript="off", http="127.0.0.1:0") as sink:
            api = begin(sink)
            with open_transaction(sink.port, "open@sender.test") as client:
                listed = api.found("sessions", open="true")["sessions"]
                self.assertEqual([item["transactions"][-1]["from"] for item in listed], ["open@sender.test"])
                self.assertEqual(listed[0]["id"], "s1")
                self.assertNotIn("ended_by", listed[0])
                self.assertEqual(api.found("sessions", open="true", from_="other@*")["sessions"], [])
                one = api.found("sessions/s1")
                said = [line["text"] for line in one["lines"] if line["who"] == "client"]
                self.assertEqual(said[-1], "MAIL FROM:<open@sender.test>")
                self.assertIn("MAIL FROM:<open@sender.test>", api.get("sessions/s1/transcript").text)
                self.assertEqual(api.found("sessions")["sessions"], [])
                client.abort()
            api.until(lambda info: info["sessions"]["open"] == 0)
            self.assertEqual(api.found("sessions/s1")["ended_by"], "client-reset")

    def test_what_stands_in_a_session_of_a_list_can_be_bounded(self):
        with Sink("--rule", FULL, transcript="off", http="127.0.0.1:0") as sink:
            api = begin(sink)
            with Wire(sink.port) as client:
                wire.hello(client, "many.test")
                for number in range(3):
                    client.ask(f"MAIL FROM:<from-{number}@many.test>")
                    for address in ("a@many.test", "b@many.test", "c@full.test", "d@many.test", "e@many.test"):
                        client.ask(f"RCPT TO:<{address}>")
                    client.ask("RSET")
                client.ask("QUIT")
            api.until(lambda info: info["sessions"]["ever"] == 1 and info["sessions"]["open"] == 0)
            whole, = api.found("sessions")["sessions"]
            few, = api.found("sessions?nested=2")["sessions"]
            none, = api.found("sessions?nested=0")["sessions"]
        for one in (whole, few, none):
            self.assertEqual((one["transaction_count"], one["recipient_count"], one["fault_count"]), (3, 15, 3))
        self.assertEqual([len(one["recipients"]) for one in whole["transactions"]], [5, 5, 5])
        self.assertEqual(len(whole["faults"]), 3)
        self.assertEqual(few["transactions"], [one | {"recipients": one["recipients"][:2]} for one in whole["transactions"][:2]])
        self.assertEqual(few["faults"], whole["faults"][:2])
        self.assertEqual((none["transactions"], none["faults"]), ([], []))

    def test_one_session_with_its_lines(self):
        one = self.api.found("sessions/s2")
        self.assertEqual(one["id"], "s2")
        texts = [(line["who"], line["text"]) for line in one["lines"]]
        self.assertIn(("client", "RCPT TO:<c@full.test>"), texts)
        self.assertIn(("sink", "452 4.2.2 Mailbox full"), texts)
        times = [line["at_us"] for line in one["lines"]]
        self.assertEqual(times, sorted(times))
        self.assertEqual(one["faults"][0]["rule"], "full")

    def test_the_transcript_is_text(self):
        answer = self.api.get("sessions/s2/transcript")
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.headers["Content-Type"], "text/plain; charset=utf-8")
        self.assertIn("RCPT TO:<c@full.test>", answer.text)
        self.assertNotIn("\x1b", answer.text)

    def test_sessions_since_a_cursor(self):
        self.assertEqual(self.api.found("sessions", since=self.api.found("cursor")["cursor"])["sessions"], [])

    def test_what_is_not_there(self):
        for path in ("sessions/s999999", "sessions/s0", "sessions/1", "sessions/s1.1", "sessions/x", "sessions/s-1",
                     "sessions/s99999999999999999999999", "sessions/s999999/transcript"):
            with self.subTest(path=path):
                is_problem(self, self.api.get(path), 404, "not-found")

    def test_wrong_words(self):
        is_problem(self, self.api.get("sessions", form="x"), 400, "unknown-parameter", "form", "did you mean \"from\"")
        is_problem(self, self.api.get("sessions", subject="x"), 400, "unknown-parameter", "subject")
        is_problem(self, self.api.get("sessions", verdict="refused"), 400, "bad-parameter", "verdict", "none of")
        is_problem(self, self.api.get("sessions", phase="eod"), 400, "bad-parameter", "phase")
        is_problem(self, self.api.get("sessions", code="999"), 400, "bad-parameter", "code")
        is_problem(self, self.api.get("sessions", client="300.1.1.1/99"), 400, "bad-parameter", "client")
        is_problem(self, self.api.get("sessions", from_="/(/"), 400, "bad-parameter", "from")
        is_problem(self, self.api.get("sessions", open="perhaps"), 400, "bad-parameter", "open")
        is_problem(self, self.api.get("sessions/s1", x="1"), 400, "unknown-parameter", "x")
        for limit in ("0", "1001", "-1", "x", "", "1.5", "9" * 40):
            with self.subTest(limit=limit):
                is_problem(self, self.api.get("sessions", limit=limit), 400, "bad-parameter", "limit")
        for before in ("", "p", "p0", "p-1", "12", "p9223372036854775808"):
            with self.subTest(before=before):
                is_problem(self, self.api.get("sessions", before=before), 400, "bad-parameter", "before")
        for since in ("", "x", "1-2-3", "1-2-3-4-5", "1-2-3-x", "1-2-3-9223372036854775808", "-1-2-3", "1--2-3-4"):
            with self.subTest(since=since):
                is_problem(self, self.api.get("sessions", since=since), 400, "bad-parameter", "since")
        is_problem(self, self.api.call("GET", "sessions", [("limit", "1"), ("limit", "2")]), 400, "bad-parameter", "limit", "more than once")


class Messages(unittest.TestCase):
    def setUp(self):
        self.sink = Sink(transcript="off", http="127.0.0.1:0")
        self.addCleanup(self.sink.stop)
        self.api = begin(self.sink)

    def deliver(self, *args, **more):
        self.assertEqual(mail(self.sink.port, *args, **more), 250)

    def several(self):
        self.deliver("b@alpha.test", "a@one.test", subject="first", helo="h1.test")
        self.deliver(["b@alpha.test", "c@beta.test"], "a@two.test", content=letter(
            "=?UTF-8?B?SW52b2ljZSDinJM=?=", "see https://shop.test/pay?x=1 now", more="Message-ID: <id-2@two.test>\r\nX-Kind: bill\r\n"))
        self.deliver("d+tagged@any.example", "a@three.example", content=letter("large", "x" * 70 + "\r\n" + ("y" * 70 + "\r\n") * 300))

    def test_lists_and_narrows_by_each_word(self):
        self.several()
        listed = self.api.found("messages")["messages"]
        self.assertEqual(ids(listed), ["s3.1", "s2.1", "s1.1"])
        second = listed[1]
        self.assertEqual((second["from"], second["to"]), ("a@two.test", ["b@alpha.test", "c@beta.test"]))
        self.assertEqual((second["subject"], second["message_id"], second["session"]), ("Invoice ✓", "id-2@two.test", "s2"))
        self.assertEqual((second["helo"], second["is_read"], second["tags"]), ("client.test", False, []))
        self.assertEqual(second["size"], len(self.api.get("messages/s2.1/raw").body))
        # A sender's domain under .test makes a space, too, as do the recipients' (and the name behind EHLO).
        for space in ("two", "alpha", "beta"):
            self.assertIn(space, second["spaces"])
        words = {
            ("from", "a@two.test"): ["s2.1"],
            ("to", "c@beta.test"): ["s2.1"],
            ("to", "*@alpha.test"): ["s2.1", "s1.1"],
            ("client", "127.0.0.0/8"): ["s3.1", "s2.1", "s1.1"],
            ("helo", "h1.test"): ["s1.1"],
            ("space", "tagged"): ["s3.1"],
            ("session", "s2"): ["s2.1"],
            ("message", "s1.1"): ["s1.1"],
            ("size", ">10KB"): ["s3.1"],
            ("size", "<1KB"): ["s2.1", "s1.1"],
            ("subject", "invoice*"): ["s2.1"],
            ("subject", "first,large"): ["s3.1", "s1.1"],
            ("header.x-kind", "bill"): ["s2.1"],
            ("header.X-Kind", "/^b/"): ["s2.1"],
            ("message-id", "id-2@two.test"): ["s2.1"],
            ("body", "hello"): ["s1.1"],
            ("links", "https://shop.test/*"): ["s2.1"],
            ("links", ">0"): ["s2.1"],
        }
        for (word, value), expected in words.items():
            with self.subTest(word=word, value=value):
                answer = self.api.call("GET", "messages", {word: value})
                self.assertEqual(answer.status, 200, answer)
                self.assertEqual(ids(answer.json["messages"]), expected)
        is_problem(self, self.api.get("messages", subjet="x"), 400, "unknown-parameter", "subjet", "did you mean \"subject\"")
        is_problem(self, self.api.get("messages", verdict="accepted"), 400, "unknown-parameter", "verdict")
        is_problem(self, self.api.get("messages", size="big"), 400, "bad-parameter", "size")

    def test_pages_hold_while_more_comes(self):
        with Wire(self.sink.port) as client:
            wire.hello(client)
            for number in range(25):
                self.assertEqual(wire.deliver(client, [f"u{number}@any.test"])[-1].code, 250)
            seen, before = [], None
            while True:
                page = self.api.found("messages", limit=7, **({"before": before} if before else {}))
                seen += ids(page["messages"])
                before = page.get("next")
                if not before:
                    break
                wire.deliver(client, ["later@any.test"])
        self.assertEqual(seen, [f"s1.{number}" for number in range(25, 0, -1)])

    def test_messages_since_a_cursor(self):
        self.deliver(subject="before")
        cursor = self.api.found("cursor")["cursor"]
        self.assertEqual(self.api.found("messages", since=cursor)["messages"], [])
        self.deliver(subject="behind")
        self.assertEqual([m["subject"] for m in self.api.found("messages", since=cursor)["messages"]], ["behind"])

    def test_one_message_with_headers_text_html_and_parts(self):
        content = (
            b"From: a@sender.test\r\nTo: b@any.test\r\nSubject: =?ISO-8859-1?Q?Gr=FC=DFe?=\r\nMIME-Version: 1.0\r\n"
            b"X-Long: one\r\n two\r\nContent-Type: multipart/mixed; boundary=out\r\n\r\n"
            b"--out\r\nContent-Type: multipart/alternative; boundary=in\r\n\r\n"
            b"--in\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe\r\n"
            b"--in\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Gr\xc3\xbc\xc3\x9fe</p>\r\n--in--\r\n"
            b"--out\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\nSGVsbG8=\r\n--out--\r\n")
        self.deliver(content=content)
        one = self.api.found("messages/s1.1")
        self.assertEqual(one["subject"], "Grüße")
        headers = [(header["name"], header["value"]) for header in one["headers"]]
        self.assertEqual([name for name, _ in headers],
                         ["From", "To", "Subject", "MIME-Version", "X-Long", "Content-Type"])
        self.assertIn("Grüße", one["text"])
        self.assertIn("<p>Grüße</p>", one["html"])
        attachments = [part for part in one["parts"] if part["is_attachment"]]
        self.assertEqual([(p["file_name"], p["content_type"], p["size"]) for p in attachments], [("a.pdf", "application/pdf", 5)])
        self.assertEqual(self.api.get("messages/s1.1/raw").body, content)

    def test_a_message_that_is_no_mime_is_shown_all_the_same(self):
        for content in (b"", b"\r\n", b"no header at all\r\n", b"Subject: only\r\n", b": :\r\n\r\nx\r\n", b"Subject: \xff\xfe\r\n\r\n\x80\r\n"):
            with self.subTest(content=content), Wire(self.sink.port) as client:
                wire.hello(client)
                self.assertEqual(wire.deliver(client, message=content)[-1].code, 250)
                newest = self.api.found("messages", limit=1)["messages"][0]["id"]
                self.api.found(f"messages/{newest}")
                self.assertEqual(self.api.get(f"messages/{newest}/raw").body, content)

    def test_raw_is_octet_for_octet(self):
        dotted = b"Subject: dots\r\n\r\n.\r\n..\r\n.x\r\n...\r\nend.\r\n"
        with Wire(self.sink.port) as client:
            wire.hello(client)
            client.ask("MAIL FROM:<a@sender.test>"), client.ask("RCPT TO:<b@any.test>"), client.ask("DATA")
            stuffed = b"".join((b"." if line.startswith(b".") else b"") + line for line in dotted.splitlines(True))
            self.assertEqual(client.send(stuffed + b".\r\n").reply().code, 250)
            self.assertEqual(self.api.get("messages/s1.1/raw").body, dotted)
            chunked = b"Subject: all\r\n\r\n" + ALL_OCTETS + b"\r\n.\r\n\r\rbare\nlf\r\n\0" + ALL_OCTETS[::-1]
            client.ask("MAIL FROM:<a@sender.test> BODY=BINARYMIME"), client.ask("RCPT TO:<b@any.test>")
            self.assertEqual(client.send(b"BDAT %d\r\n" % 40 + chunked[:40]).reply().code, 250)
            rest = chunked[40:]
            self.assertEqual(client.send(b"BDAT %d LAST\r\n" % len(rest) + rest).reply().code, 250)
        answer = self.api.get("messages/s1.2/raw")
        self.assertEqual(answer.body, chunked)
        self.assertEqual(answer.headers["Content-Type"], "message/rfc822")
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(int(answer.headers["Content-Length"]), len(chunked))

    def test_delete_by_filter_returns_what_it_removed(self):
        self.several()
        answer = self.api.call("DELETE", "messages", {"to": "*@alpha.test"})
        self.assertEqual(answer.status, 200)
        self.assertEqual((answer.json["removed"], ids(answer.json["messages"])), (2, ["s2.1", "s1.1"]))
        self.assertEqual(ids(self.api.found("messages")["messages"]), ["s3.1"])
        self.assertEqual(self.api.call("DELETE", "messages", {"to": "*@alpha.test"}).json["removed"], 0)
        is_problem(self, self.api.call("DELETE", "messages", {"too": "*"}), 400, "unknown-parameter", "too")
        # A misspelt word must not mean everything; nor may what a list takes.
        is_problem(self, self.api.call("DELETE", "messages", {"limit": "1"}), 400, "unknown-parameter", "limit")
        self.assertEqual(ids(self.api.found("messages")["messages"]), ["s3.1"])
        self.assertEqual(self.api.call("DELETE", "messages").json["removed"], 1)
        self.assertEqual(self.api.found("messages")["messages"], [])
        self.assertEqual(self.api.info()["messages"]["kept"], 0)
        self.assertEqual(len(self.api.found("sessions")["sessions"]), 3)

    def test_delete_one(self):
        self.several()
        answer = self.api.call("DELETE", "messages/s2.1")
        self.assertEqual((answer.status, answer.json["removed"], ids(answer.json["messages"])), (200, 1, ["s2.1"]))
        is_problem(self, self.api.call("DELETE", "messages/s2.1"), 404, "not-found")
        is_problem(self, self.api.get("messages/s2.1"), 404, "not-found")
        is_problem(self, self.api.get("messages/s2.1/raw"), 404, "not-found")
        is_problem(self, self.api.get("messages/s2"), 404, "not-found")
        is_problem(self, self.api.get("messages/s1.1/raw", x="1"), 400, "unknown-parameter", "x")
        self.assertEqual(ids(self.api.found("messages")["messages"]), ["s3.1", "s1.1"])

    def test_store_none_counts_and_keeps_nothing(self):
        with Sink("--store", "none", transcript="off", http="127.0.0.1:0") as sink:
            api = begin(sink)
            self.assertEqual(mail(sink.port), 250)
            # An empty list would say that nothing came.
            for what in ("messages", "sessions"):
                is_problem(self, api.get(what), 503, "store-trouble", says=f"keeps no {what}")
            self.assertEqual(api.info()["messages"]["ever"], 1)
            self.assertEqual(api.info()["store"], "none")


class Ruled(unittest.TestCase):
    """A sink with one rule of its configuration, and two loops to bring changes to."""

    def setUp(self):
        self.sink = Sink("--rule", FULL, "--loops", "2", transcript="off", http="127.0.0.1:0")
        self.addCleanup(self.sink.stop)
        self.api = begin(self.sink)

    def names(self):
        return [rule["name"] for rule in self.api.found("rules")["rules"]]


class Scenarios(Ruled):
    def scenario(self, name):
        return next(one for one in self.api.found("scenarios")["scenarios"] if one["name"] == name)

    def set(self, name):
        answer = self.api.call("POST", f"scenarios/{name}")
        self.assertEqual(answer.status, 201, answer)
        return answer.json

    def test_every_ready_scenario_is_told(self):
        scenarios = self.api.found("scenarios")["scenarios"]
        ready = sorted(name.removesuffix(".yaml") for name in os.listdir(os.path.join(ROOT, "Config", "scenarios")))
        self.assertEqual([one["name"] for one in scenarios], ready)
        for one in scenarios:
            with self.subTest(name=one["name"]):
                self.assertTrue(one["about"])
                self.assertNotIn("trouble", one)
                self.assertFalse(one["is_set"])
                self.assertTrue(one["rules"] or "listeners" in one["left_out"])
        self.assertEqual(self.scenario("reject-at-rcpt")["left_out"], [])
        self.assertEqual(self.scenario("flaky")["left_out"], ["seed"])

    def test_each_that_has_rules_is_set_and_taken_away(self):
        for one in self.api.found("scenarios")["scenarios"]:
            name, count = one["name"], len(one["rules"])
            with self.subTest(name=name):
                if not count:
                    answer = self.api.call("POST", f"scenarios/{name}")
                    is_problem(self, answer, 409, "no-rules", says=f"serve --scenario {name}")
                    continue
                done = self.set(name)
                numbered = [f"{name}-{number + 1}" for number in range(count)]
                self.assertEqual([rule["name"] for rule in done["rules"]], numbered)
                self.assertEqual(done["left_out"], one["left_out"])
                self.assertEqual({rule["scenario"] for rule in done["rules"]}, {name})
                self.assertEqual(self.names(), numbered + ["full"])
                self.assertTrue(self.scenario(name)["is_set"])
                gone = self.api.call("DELETE", f"scenarios/{name}")
                self.assertEqual((gone.status, gone.json), (200, {"removed": count}))
                self.assertEqual(self.names(), ["full"])
                self.assertFalse(self.scenario(name)["is_set"])

    def test_it_is_in_force_when_it_is_answered_and_begins_anew_when_it_is_set_again(self):
        self.api.rule("rcpt name=mine: 551 5.1.1 Mine")
        self.set("reject-at-rcpt")
        self.assertEqual(mail(self.sink.port), 550)
        self.assertEqual(self.api.found("rules/reject-at-rcpt-1")["hits"], 1)
        self.api.call("PATCH", "rules/reject-at-rcpt-1", body='{"enabled": false}', kind="application/json")
        self.assertEqual(mail(self.sink.port), 551)
        self.set("reject-at-rcpt")
        self.assertEqual(self.names(), ["reject-at-rcpt-1", "mine", "full"])
        self.assertEqual(mail(self.sink.port), 550)
        self.set("reject-at-data")
        self.assertEqual(self.names(), ["reject-at-data-1", "reject-at-rcpt-1", "mine", "full"])
        self.api.call("DELETE", "scenarios/reject-at-rcpt")
        self.assertEqual(self.names(), ["reject-at-data-1", "mine", "full"])
        self.assertEqual(self.api.call("DELETE", "scenarios/reject-at-rcpt").json, {"removed": 0})
        self.api.call("POST", "reset")
        self.assertEqual(self.names(), ["full"])

    def test_what_is_not_there_or_does_not_fit(self):
        for method in ("POST", "DELETE"):
            is_problem(self, self.api.call(method, "scenarios/greylistin"), 404, "not-found", says="greylisting")
            # No file but those that lie ready.
            for name in ("..%2fscenarios%2fflaky", "%2fetc%2fpasswd", "flaky.yaml", ".%2fflaky", "Config%2fscenarios%2fflaky.yaml", "%2e%2e"):
                self.assertIn(self.api.call(method, f"scenarios/{name}").status, (400, 404), name)
        self.api.rule("rcpt name=greylisting-1: 551 5.1.1 Mine")
        is_problem(self, self.api.call("POST", "scenarios/greylisting"), 409, "name-taken")
        is_problem(self, self.api.call("POST", "scenarios/flaky", {"x": "1"}), 400, "unknown-parameter", "x")
        self.assertEqual(self.names(), ["greylisting-1", "full"])


class Replayed(unittest.TestCase):
    def test_a_session_is_a_scenario_that_does_the_same(self):
        with Sink("--rule", FULL, "--loops", "1", transcript="off", http="127.0.0.1:0") as sink:
            api = begin(sink)
            self.assertEqual([mail(sink.port, "x@full.test"), mail(sink.port, "y@any.test")], [452, 250])
            api.until(lambda info: info["sessions"]["ever"] == 2)
            answer = api.get("sessions/s1/scenario")
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/yaml; charset=utf-8"), answer)
            is_problem(self, api.get("sessions/s2/scenario"), 409, "no-replay", says="nothing went wrong")
            is_problem(self, api.get("sessions/s9/scenario"), 404, "not-found")
        with tempfile.NamedTemporaryFile("wb", suffix=".yaml") as file:
            file.write(answer.body)
            file.flush()
            with Sink("--scenario", file.name, transcript="off") as again:
                self.assertEqual(mail(again.port, "anybody@any.test"), 452)


class Attempts(unittest.TestCase):
    def test_each_message_has_its_attempts_on_one_line(self):
        with Sink("--rule", "rcpt to=*@later.test first=2 per=to: 451 4.7.1 Later", "--loops", "1", transcript="off",
                  http="127.0.0.1:0") as sink:
            api = begin(sink)
            twice = letter("twice", to="a@later.test", more="Message-ID: <twice@sender.test>\r\n")
            codes = [mail(sink.port, "a@later.test", content=twice) for _ in range(3)]
            self.assertEqual(codes, [451, 451, 250])
            self.assertEqual(mail(sink.port, "b@t7.test", "c@sender.test", "once"), 250)
            api.until(lambda info: info["sessions"]["ever"] == 4)
            found = api.found("attempts")
            self.assertEqual((len(found["timelines"]), found["omitted"]), (2, 0), found)
            once, twice = found["timelines"]
            self.assertEqual([a["session"] for a in twice["attempts"]], ["s1", "s2", "s3"])
            self.assertEqual([a["code"] for a in twice["attempts"]], [451, 451, 250])
            self.assertEqual((twice["state"], once["state"]), ("delivered", "delivered"))
            self.assertEqual(found["timelines"], sorted(api.found("report")["timelines"], key=lambda t: -t["attempts"][-1]["started_us"]))
            for query, lines in (({"to": "*@later.test"}, [twice]), ({"from": "c@*"}, [once]), ({"space": "t7"}, [once]),
                                 ({"message": "s3.1"}, [twice]), ({"session": "s2"}, [twice]), ({"to": "nobody@x.test"}, []),
                                 ({"from": "c@*", "to": "*@later.test"}, []), ({"limit": "1"}, [once])):
                with self.subTest(query=query):
                    answer = api.get("attempts", **query)
                    self.assertEqual(answer.json["timelines"], lines, answer)
            self.assertEqual(api.found("attempts", limit="1")["omitted"], 1)
            is_problem(self, api.get("attempts", verdict="accepted"), 400, "unknown-parameter", "verdict")
            is_problem(self, api.get("attempts", limit="0"), 400, "bad-parameter", "limit")
            is_problem(self, api.get("attempts", to="/(/"), 400, "bad-parameter", "to")


class Frames(unittest.TestCase):
    HTML = ('<html><head><LINK rel=preconnect href=https://evil.test><base href="https://evil.test/"></head><body>'
            '<script>alert(1)</script><img src="https://evil.test/a.png"><img src=cid:1@x><form action=//evil.test><p>ü link</p>')

    def send(self, sink, html=HTML, kind="text/html; charset=utf-8"):
        content = f"From: a@b.test\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{html}\r\n"
        self.assertEqual(mail(sink.port, content=content.encode()), 250)

    def test_html_of_strangers_runs_and_loads_nothing(self):
        with Sink("--loops", "1", transcript="off", http="127.0.0.1:0") as sink:
            api = begin(sink)
            self.send(sink)
            self.send(sink, "no HTML", "text/plain")
            message = api.found("messages/s1.1")
            self.assertEqual((message["remote_count"], message["html_path"]), (2, "/api/fakemx/messages/s1.1/html"), message["links"])
            answer = api.get(message["html_path"])
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
            policy = answer.headers["Content-Security-Policy"].split("; ")
            for word in ("sandbox", "default-src 'none'", "img-src data:", "form-action 'none'", "base-uri 'none'", "frame-ancestors 'self'"):
                self.assertIn(word, policy)
            self.assertFalse([word for word in policy if "script" in word])
            self.assertEqual(answer.headers["X-DNS-Prefetch-Control"], "off")
            self.assertNotIn("<link", answer.text.lower())
            self.assertIn("<p>ü link</p>", answer.text)
            self.send(sink, '<img srcset="https://evil.test/1x.png, https://evil.test/2x.png 2x"><video poster=//evil.test/p.png>')
            self.assertEqual(api.found("messages/s3.1")["remote_count"], 3)
            is_problem(self, api.get("messages/s2.1/html"), 404, "not-found", says="no part of HTML")
            self.assertEqual(api.found("messages/s2.1")["remote_count"], 0)
            is_problem(self, api.get("messages/s9.1/html"), 404, "not-found")

    def test_a_frame_has_a_key_in_place_of_the_token(self):
        with Sink("--loops", "1", "--http-token", "t0ken-of-a-test", transcript="off", http="127.0.0.1:0") as sink:
            api, stranger = API(sink.url, "t0ken-of-a-test"), API(sink.url)
            self.send(sink)
            self.send(sink)
            paths = [api.found(f"messages/s{number}.1")["html_path"] for number in (1, 2)]
            for path in paths:
                self.assertEqual(stranger.get(path).status, 200)
            key = paths[0].split("key=")[1]
            for path in ("messages/s1.1/html", "messages/s1.1/html?key=", f"messages/s2.1/html?key={key}", f"messages/s1.1?key={key}",
                         f"messages/s1.1/raw?key={key}", f"messages/s1.1/html?key={key}0", f"messages/s1.1/html?key={key[:-1]}",
                         f"messages//s1.1/html?key={key}", f"messages/s1.1%2fhtml?key={key}", f"info?key={key}"):
                self.assertEqual(stranger.get("/api/fakemx/" + path).status, 401, path)
            self.assertNotIn("t0ken", paths[0])


class Rules(Ruled):
    def rcpt(self, to="b@any.test"):
        return mail(self.sink.port, to)

    def post(self, body, kind, **query):
        return self.api.call("POST", "rules", query, body if isinstance(body, (str, bytes)) else json.dumps(body), kind)

    def test_every_form_of_a_rule(self):
        forms = [
            ("rcpt to=a@form.test: 451 4.7.1 Later", "text/plain"),
            ("rcpt to=a@form.test: 451 4.7.1 Later", "text/plain; charset=utf-8"),
            ("  rcpt to=a@form.test: 451 4.7.1 Later\n", "application/x-www-form-urlencoded"),
            ({"at": "rcpt", "when": {"to": "a@form.test"}, "do": ["451 4.7.1 Later"]}, "application/json"),
            ({"at": "rcpt", "when": {"to": ["a@form.test", "b@form.test"]}, "do": "451 4.7.1 Later"}, "application/json"),
            ({"line": "rcpt to=a@form.test: 451 4.7.1 Later"}, "application/json; charset=utf-8"),
            ("at: rcpt\nwhen: { to: a@form.test }\ndo: [ 451 4.7.1 Later ]\n", "application/yaml"),
            ("line: 'rcpt to=a@form.test: 451 4.7.1 Later'\n", "text/yaml"),
        ]
        for body, kind in forms:
            with self.subTest(body=body, kind=kind):
                answer = self.post(body, kind)
                self.assertEqual(answer.status, 201, answer)
                rule = answer.json
                self.assertEqual((rule["at"], rule["origin"], rule["enabled"], rule["hits"]), ("rcpt", "run", True, 0))
                self.assertEqual(answer.headers["Location"], f"{PREFIX}/rules/{rule['name']}")
                self.assertEqual(self.api.found(f"rules/{rule['name']}")["line"], rule["line"])
                self.assertEqual(self.rcpt("a@form.test"), 451)
                self.assertEqual(self.api.found(f"rules/{rule['name']}")["hits"], 1)
                gone = self.api.call("DELETE", f"rules/{rule['name']}")
                self.assertEqual((gone.status, gone.json["name"]), (200, rule["name"]))
                self.assertEqual(self.rcpt("a@form.test"), 250)
                self.assertEqual(self.names(), ["full"])

    def test_without_a_content_type_it_is_a_line(self):
        with Raw(self.api.port) as raw:
            line = b"rcpt: 451 4.7.1 Later"
            raw.send(b"POST /api/fakemx/rules HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(line) + line)
            self.assertEqual(raw.answer().status, 201)

    def test_names_are_given_kept_and_not_given_twice(self):
        first, second = self.api.rule("rcpt: 451 4.7.1 a"), self.api.rule("rcpt: 451 4.7.1 b")
        self.assertEqual((first["name"], second["name"]), ("run-1", "run-2"))
        named = self.api.rule("rcpt name=mine: 451 4.7.1 c")
        self.assertEqual(named["name"], "mine")
        self.assertEqual(self.names(), ["mine", "run-2", "run-1", "full"])
        self.assertEqual(self.api.rule_of({"name": "of-json", "line": "rcpt: 451 4.7.1 d"})["name"], "of-json")
        is_problem(self, self.post("rcpt name=mine: 550 5.1.1 x", "text/plain"), 409, "name-taken", "name", "\"mine\"")
        is_problem(self, self.post("rcpt name=full: 550 5.1.1 x", "text/plain"), 409, "name-taken", "name")
        self.api.call("DELETE", "rules/run-2")
        self.assertNotIn(self.api.rule("rcpt: 451 4.7.1 e")["name"], ("run-1", "mine", "full"))
        for name in ("a b", "a/b", "ä", "x" * 65, "a\nb"):
            with self.subTest(name=name):
                is_problem(self, self.post({"name": name, "at": "rcpt", "do": "550 5.1.1 x"}, "application/json"), 422, "bad-rule")

    def test_the_newest_rule_is_asked_first_and_before_the_configuration(self):
        self.assertEqual(self.rcpt("x@full.test"), 452)
        self.api.rule("rcpt to=*@full.test: 550 5.1.1 a")
        self.assertEqual(self.rcpt("x@full.test"), 550)
        self.api.rule("rcpt to=*@full.test: 551 5.1.1 b")
        self.assertEqual(self.rcpt("x@full.test"), 551)
        self.api.rule("rcpt to=*@full.test: accept")
        self.assertEqual(self.rcpt("x@full.test"), 250)

    def test_put_makes_a_rule_and_then_changes_it_in_its_place(self):
        made = self.api.call("PUT", "rules/mine", body="rcpt: 451 4.7.1 a", kind="text/plain")
        self.assertEqual((made.status, made.json["name"]), (201, "mine"))
        self.api.rule("rcpt to=other@x.test name=front: 451 4.7.1 f")
        changed = self.api.call("PUT", "rules/mine", body=json.dumps({"at": "rcpt", "do": "550 5.1.1 b"}), kind="application/json")
        self.assertEqual(changed.status, 200, changed)
        self.assertEqual(self.names(), ["front", "mine", "full"])
        self.assertEqual(self.rcpt(), 550)
        same = self.api.call("PUT", "rules/mine", body="rcpt name=mine: 552 5.1.1 c", kind="text/plain")
        self.assertEqual(same.status, 200, same)
        self.assertEqual(self.api.found("rules/mine")["hits"], 0)
        other = self.api.call("PUT", "rules/mine", body="rcpt name=yours: 552 5.1.1 c", kind="text/plain")
        is_problem(self, other, 422, "bad-rule", "name")
        is_problem(self, self.api.call("PUT", "rules/full", body="rcpt: 550 5.1.1 x", kind="text/plain"), 409, "configured-rule")
        is_problem(self, self.api.call("PUT", "rules/a%20b", body="rcpt: 550 5.1.1 x", kind="text/plain"), 422, "bad-rule", "name")
        self.assertEqual(self.rcpt(), 552)

    def test_delete(self):
        self.api.rule("rcpt name=a: 451 4.7.1 a")
        self.api.rule("rcpt name=b: 451 4.7.1 b", space="one")
        self.api.rule("rcpt name=c: 451 4.7.1 c", space="two")
        is_problem(self, self.api.call("DELETE", "rules/nobody"), 404, "not-found")
        is_problem(self, self.api.get("rules/ful"), 404, "not-found", says="did you mean \"full\"")
        is_problem(self, self.api.call("DELETE", "rules/full"), 409, "configured-rule")
        self.assertEqual(self.api.call("DELETE", "rules", {"space": "one"}).json, {"removed": 1})
        self.assertEqual(self.names(), ["c", "a", "full"])
        self.assertEqual(self.api.call("DELETE", "rules").json, {"removed": 2})
        self.assertEqual(self.names(), ["full"])
        is_problem(self, self.api.call("DELETE", "rules", {"space": "a b"}), 400, "bad-parameter", "space")
        is_problem(self, self.api.call("DELETE", "rules", {"name": "full"}), 400, "unknown-parameter", "name")

    def test_a_rule_expires(self):
        rule = self.api.rule_of({"line": "rcpt name=short: 451 4.7.1 a", "expires": "200ms"})
        self.assertLessEqual(rule["expires_in_s"], 0.2)
        with open_transaction(self.sink.port) as client:
            self.assertEqual(client.ask("RCPT TO:<b@any.test>").code, 451)
            time.sleep(0.25)
            # Gone for an open session, from the list, and its name is free.
            self.assertEqual(client.ask("RCPT TO:<b@any.test>").code, 250)
        self.assertEqual(self.names(), ["full"])
        self.assertEqual(self.api.rule("rcpt name=short: 451 4.7.1 b")["name"], "short")
        self.assertNotIn("expires_in_s", self.api.found("rules/short"))
        for expires in ("0s", "-1s", "soon", "", 5, "1"):
            with self.subTest(expires=expires):
                answer = self.post({"line": "rcpt: 451 4.7.1 a", "expires": expires}, "application/json")
                if expires in (5, "1"):
                    self.assertIn(answer.status, (201, 422), answer)
                else:
                    is_problem(self, answer, 422, "bad-rule")

    def test_once_and_what_remains(self):
        rule = self.api.rule("rcpt once: 452 4.2.2 Full")
        self.assertEqual(rule["remaining"], 1)
        self.assertEqual((self.rcpt(), self.rcpt()), (452, 250))
        after = self.api.found(f"rules/{rule['name']}")
        self.assertEqual((after["remaining"], after["hits"], after["matches"]), (0, 1, 2))

    def test_a_rule_that_is_switched_off(self):
        rule = self.api.rule_of({"name": "off", "line": "rcpt: 550 5.1.1 a", "enabled": False})
        self.assertFalse(rule["enabled"])
        self.assertEqual(self.rcpt(), 250)
        on = self.api.call("PUT", "rules/off", body=json.dumps({"line": "rcpt: 550 5.1.1 a", "enabled": True}), kind="application/json")
        self.assertEqual((on.status, on.json["enabled"]), (200, True))
        self.assertEqual(self.rcpt(), 550)

    def test_a_rule_of_a_space_holds_there_alone(self):
        by_query = self.api.rule("rcpt: 451 4.7.1 a", space="one")
        self.assertEqual(by_query["spaces"], ["one"])
        self.assertEqual(self.api.rule_of({"line": "rcpt: 452 4.2.2 b", "space": "two"})["spaces"], ["two"])
        wanted = {"x@one.test": 451, "x+one@any.example": 451, "x@mx.one.test": 451, "x@two.test": 452, "x@three.test": 250}
        for address, code in wanted.items():
            with self.subTest(address=address):
                self.assertEqual(mail(self.sink.port, address, "a@sender.example", helo="client.example"), code)
        is_problem(self, self.post("rcpt: 451 4.7.1 a", "text/plain", space="a b"), 400, "bad-parameter", "space")
        is_problem(self, self.post("greeting: 421 4.3.2 a", "text/plain", space="one"), 422, "bad-rule", "space")

    def test_what_is_wrong_is_said_with_its_place(self):
        line = "rcpt to=*@x.test frist=2: 550 5.1.1 x"
        problem = is_problem(self, self.post(line, "text/plain"), 422, "bad-rule", says="did you mean")
        self.assertEqual(problem["complaints"][0]["column"], line.index("frist") + 1, problem)
        self.assertFalse(problem["complaints"][0]["is_warning"])
        body = "at: rcpt\nwhen:\n  too: x@y.test\ndo: 550 5.1.1 x\n"
        problem = is_problem(self, self.post(body, "application/yaml"), 422, "bad-rule", says="line 3")
        self.assertEqual((problem["complaints"][0]["line"], problem["complaints"][0]["column"]), (3, 3), problem)
        # Everything that is wrong at once.
        problem = is_problem(self, self.post({"at": "rcptt", "do": ["550 nope", "use nothing"], "wen": {}}, "application/json"), 422)
        self.assertGreaterEqual(len(problem["complaints"]), 2, problem)
        is_problem(self, self.post("rcpt: use no-such-reply-anywhere", "text/plain"), 422, "bad-rule", says="no-such-reply-anywhere")
        is_problem(self, self.post("rcpt body=x: 550 5.1.1 x", "text/plain"), 422, "bad-rule")
        for body in ("", " ", "rcpt", ":", "rcpt:", "rcpt: ", "rcpt: 999", "nowhere: 550 5.1.1 x"):
            with self.subTest(body=body):
                is_problem(self, self.post(body, "text/plain"), 422, "bad-rule")
        for body in ("", "[]", "5", "null", "\"rcpt: 451 x\"", "{", "{\"at\":}", "[{\"at\":\"rcpt\",\"do\":\"accept\"}]", "{}",
                     {"line": 5}, {"line": ["rcpt: accept"]}, {"line": "rcpt: accept", "do": "accept"},
                     {"line": "rcpt: accept", "enabled": "perhaps"}, {"line": "rcpt: accept", "space": "a b"}):
            with self.subTest(body=body):
                is_problem(self, self.post(body, "application/json"), 422, "bad-rule")
        is_problem(self, self.post("x", "application/xml"), 415, "bad-content-type", "Content-Type")
        is_problem(self, self.post(b"rcpt: 550 5.1.1 \xff", "text/plain"), 400, "bad-body")
        self.assertEqual(self.names(), ["full"])

    def test_a_check_tells_the_rule_and_sets_nothing(self):
        before = self.api.state()
        forms = [("rcpt to=a@form.test first=2 per=to: 451 4.7.1 Later", "text/plain"),
                 ({"at": "rcpt", "when": {"to": "a@form.test"}, "times": "first 2 per to", "do": ["451 4.7.1 Later"]}, "application/json")]
        for body, kind in forms:
            with self.subTest(kind=kind):
                answer = self.post(body, kind, check="true")
                self.assertEqual(answer.status, 200, answer)
                rule = answer.json
                self.assertNotIn("Location", answer.headers)
                self.assertEqual((rule["name"], rule["at"], rule["origin"], rule["enabled"], rule["hits"]), ("run-1", "rcpt", "run", True, 0))
                self.assertEqual(rule["line"], "rcpt name=run-1 to=a@form.test first=2 per=to: 451 4.7.1 Later")
                self.assertEqual(rule["yaml"], 'name: "run-1"\nat: rcpt\nwhen: { to: "a@form.test" }\ntimes: first 2 per to\n'
                                               'do:\n  - "451 4.7.1 Later"\n')
                self.assertEqual(rule["remains"], "2 for each new to, 0 seen")
        off = self.post({"line": "rcpt name=x: 451 4.7.1 Later", "enabled": False, "expires": "30s", "space": "t1"}, "application/json",
                        check="true").json
        self.assertEqual((off["name"], off["enabled"], off["spaces"]), ("x", False, ["t1"]))
        self.assertIn("enabled: false\n", off["yaml"])
        self.assertTrue(29 < off["expires_in_s"] <= 30)
        is_problem(self, self.post("rcpt to=: 999 x", "text/plain", check="true"), 422, "bad-rule")
        is_problem(self, self.post("rcpt name=full: 550 5.1.1 x", "text/plain", check="true"), 409, "name-taken")
        is_problem(self, self.post("rcpt: close", "text/plain", check="maybe"), 400, "bad-parameter", "check")
        put = self.api.call("PUT", "rules/x", {"check": "true"}, "rcpt: 451 4.7.1 Later", "text/plain")
        self.assertEqual((put.status, put.json["name"]), (200, "x"), put)
        is_problem(self, self.api.call("PUT", "rules/full", {"check": "true"}, "rcpt: close", "text/plain"), 409, "configured-rule")
        self.assertEqual(self.api.state(), before)

    def test_the_yaml_of_a_rule_sets_the_same_rule(self):
        lines = ["rcpt name=a to=*@x.test,b@y.test any(from=a@b.test not(client=10.0.0.0/8)) chance=30%: delay 1s..2s, 451 4.7.1 a \"b\" #c: d",
                 "rcpt name=a per=to steps: 451 4.7.1 Later; 451 4.7.1 Still; accept"]
        for line in lines:
            first = self.api.rule(line)
            self.api.call("DELETE", "rules/a")
            second = self.post(first["yaml"], "application/yaml").json
            self.assertEqual((second["line"], second["yaml"]), (first["line"], first["yaml"]))
            self.api.call("DELETE", "rules/a")

    def test_what_is_no_error_is_said_as_a_warning(self):
        line = "rcpt: 550 5.1.1 " + "x" * 600
        for query, status in (({"check": "true"}, 200), ({}, 201)):
            answer = self.post(line, "text/plain", **query)
            self.assertEqual((answer.status, len(answer.json["warnings"])), (status, 1), answer)
        self.assertNotIn("warnings", self.api.rule("rcpt: close"))

    def switch(self, name, enabled):
        answer = self.api.call("PATCH", f"rules/{name}", body=json.dumps({"enabled": enabled}), kind="application/json")
        self.assertEqual((answer.status, answer.json["name"], answer.json["enabled"]), (200, name, enabled), answer)
        return answer.json

    def test_any_rule_is_switched_and_keeps_its_counts(self):
        self.api.rule("rcpt name=mine to=*@mine.test first=2: 551 5.1.1 Mine")
        for name, to, code in (("full", "x@full.test", 452), ("mine", "x@mine.test", 551)):
            with self.subTest(name=name):
                self.assertEqual(self.rcpt(to), code)
                off = self.switch(name, False)
                self.assertEqual(off["hits"], 1)
                self.assertIn("enabled: false", off["yaml"])
                self.assertEqual(self.rcpt(to), 250)
                self.assertEqual(self.api.found(f"rules/{name}")["hits"], 1)
                self.assertEqual(self.switch(name, False), self.switch(name, False))
                self.assertEqual(self.switch(name, True)["hits"], 1)
                self.assertEqual(self.rcpt(to), code)
                self.assertEqual(self.api.found(f"rules/{name}")["hits"], 2)
        self.assertEqual(self.rcpt("x@mine.test"), 250, "it has fired twice")
        self.switch("full", False)
        self.api.call("DELETE", "rules")
        self.assertFalse(self.api.found("rules/full")["enabled"], "it was not set at run time")
        self.api.call("POST", "reset")
        self.assertTrue(self.api.found("rules/full")["enabled"])

    def test_what_cannot_be_switched(self):
        before = self.api.state()
        for body in ("", "{}", "[]", "true", "{", '{"enabled":"no"}', '{"enabled":0}', '{"enabled":null}', '{"enabled":false,"at":"rcpt"}'):
            is_problem(self, self.api.call("PATCH", "rules/full", body=body, kind="application/json"), 400, "bad-body")
        is_problem(self, self.api.call("PATCH", "rules/full", body="{}", kind="text/plain"), 415, "bad-content-type", "Content-Type")
        body = '{"enabled":false}'
        is_problem(self, self.api.call("PATCH", "rules/fulll", body=body, kind="application/json"), 404, "not-found", says="full")
        is_problem(self, self.api.call("PATCH", "rules/full", {"x": "1"}, body, "application/json"), 400, "unknown-parameter", "x")
        self.assertEqual(self.api.state(), before)

    def test_a_switch_is_in_force_at_the_next_command_of_open_sessions_on_every_loop(self):
        crowd = [open_transaction(self.sink.port) for _ in range(16)]
        try:
            for turn in range(10):
                for enabled, code in ((False, 250), (True, 452)):
                    self.switch("full", enabled)
                    codes = [client.ask("RCPT TO:<b@full.test>").code for client in crowd]
                    self.assertEqual(codes, [code] * len(crowd), f"turn {turn}")
        finally:
            for client in crowd:
                client.abort()

    def test_a_known_reply_of_the_catalogue(self):
        entry = self.api.found("replies", code="550")["replies"][0]
        self.api.rule(f"rcpt: use {entry['name']}")
        self.assertEqual(self.rcpt(), 550)

    def test_surrogate_pairs_in_json(self):
        # json.dumps writes 😀 as 😀, which YAML by itself does not read.
        body = json.dumps({"at": "end-of-data", "when": {"header.subject": "*\U0001f600*"}, "do": "554 5.7.1 No smiles"})
        self.assertIn("\\ud83d", body)
        self.assertEqual(self.post(body, "application/json").status, 201)
        self.assertEqual(mail(self.sink.port, subject="=?UTF-8?B?8J+YgA==?="), 554)
        self.assertEqual(mail(self.sink.port, subject="none"), 250)
        # A half of a pair is no character; an escaped backslash is none of a pair.
        is_problem(self, self.post('{"line":"rcpt to=\\ud83d: accept"}', "application/json"), 422, "bad-rule")
        plain = self.post('{"at":"end-of-data","when":{"header.subject":"\\\\ud83d\\\\ude00"},"do":"accept"}', "application/json")
        self.assertEqual(plain.status, 201, plain)
        self.assertIn("\\ud83d", plain.json["line"])

    def test_a_change_is_in_force_at_the_next_command_of_open_sessions_on_every_loop(self):
        crowd = [open_transaction(self.sink.port) for _ in range(16)]
        try:
            for turn in range(10):
                name = self.api.rule("rcpt: 550 5.1.1 No")["name"]
                codes = [client.ask("RCPT TO:<b@any.test>").code for client in crowd]
                self.assertEqual(codes, [550] * len(crowd), f"turn {turn}, set")
                changed = self.api.call("PUT", f"rules/{name}", body="rcpt: 451 4.7.1 Later", kind="text/plain")
                self.assertEqual(changed.status, 200)
                codes = [client.ask("RCPT TO:<b@any.test>").code for client in crowd]
                self.assertEqual(codes, [451] * len(crowd), f"turn {turn}, changed")
                self.assertEqual(self.api.call("DELETE", f"rules/{name}").status, 200)
                codes = [client.ask("RCPT TO:<b@any.test>").code for client in crowd]
                self.assertEqual(codes, [250] * len(crowd), f"turn {turn}, removed")
        finally:
            for client in crowd:
                client.close()

    def test_once_is_once_on_all_loops_together(self):
        crowd = [open_transaction(self.sink.port) for _ in range(16)]
        try:
            for _ in range(5):
                self.api.rule("rcpt once name=one: 452 4.2.2 Full")
                for client in crowd:
                    client.say("RCPT TO:<b@any.test>")
                codes = sorted(client.reply().code for client in crowd)
                self.assertEqual(codes, [250] * 15 + [452])
                self.api.call("DELETE", "rules/one")
        finally:
            for client in crowd:
                client.close()

    def test_counts_survive_the_change_of_another_rule(self):
        counted = self.api.rule("rcpt first=2: 451 4.7.1 a")["name"]
        self.assertEqual(self.rcpt(), 451)
        self.api.rule("mail from=nobody@x.test: 550 5.1.1 x")
        self.assertEqual((self.rcpt(), self.rcpt()), (451, 250))
        self.assertEqual(self.api.found(f"rules/{counted}")["hits"], 2)

    def test_many_rules_are_set_at_once_by_many(self):
        def add(number):
            for turn in range(20):
                self.api.rule(f"rcpt to=u{number}-{turn}@many.test name=m{number}-{turn}: 451 4.7.1 a")
        threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        self.assertEqual(len(self.names()), 161)
        self.assertEqual(self.rcpt("u3-19@many.test"), 451)
        self.assertEqual(self.api.call("DELETE", "rules").json["removed"], 160)
        self.assertEqual(self.rcpt("u3-19@many.test"), 250)


class Replies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sink = Sink(transcript="off", http="127.0.0.1:0")
        cls.api = begin(cls.sink)

    @classmethod
    def tearDownClass(cls):
        cls.sink.stop()

    def test_the_catalogue_is_searched_by_each_word(self):
        everything = self.api.found("replies")["replies"]
        self.assertGreater(len(everything), 50)
        for key in ("name", "provider", "code", "text"):
            self.assertIn(key, everything[0])
        for word, value in {"q": "mailbox full", "code": "4xx", "enhanced": "4.2.2", "phase": "rcpt", "provider": everything[0]["provider"],
                            "meaning": everything[0]["meaning"]}.items():
            with self.subTest(word=word):
                found = self.api.found("replies", **{word: value})["replies"]
                self.assertTrue(0 < len(found) < len(everything), f"{word}={value}: {len(found)}")
        self.assertTrue(all(str(reply["code"]).startswith("4") for reply in self.api.found("replies", code="4xx")["replies"]))
        self.assertEqual(self.api.found("replies", q="nothing says this")["replies"], [])

    def test_wrong_words(self):
        for word, value in {"code": "abc", "enhanced": "x", "meaning": "nonsense", "phase": "eod"}.items():
            with self.subTest(word=word):
                is_problem(self, self.api.get("replies", **{word: value}), 400, "bad-parameter", word)
        is_problem(self, self.api.get("replies", cod="550"), 400, "unknown-parameter", "cod", "did you mean \"code\"")


class Beginnings(unittest.TestCase):
    def setUp(self):
        self.sink = Sink("--rule", "rcpt name=counted to=*@counted.test first=1: 451 4.7.1 a", transcript="off", http="127.0.0.1:0")
        self.addCleanup(self.sink.stop)
        self.api = begin(self.sink)

    def test_reset_of_everything(self):
        mail(self.sink.port)
        self.assertEqual(mail(self.sink.port, "x@counted.test"), 451)
        self.api.rule("rcpt: 550 5.1.1 a")
        with open_transaction(self.sink.port) as client:
            answer = self.api.call("POST", "reset")
            self.assertEqual(answer.status, 200)
            self.assertEqual([answer.json[name] for name in ("messages", "sessions", "rules")], [1, 2, 1])
            # Counts of the configuration's rules began anew, and the open session sees it.
            self.assertEqual(client.ask("RCPT TO:<b@any.test>").code, 250)
        self.assertEqual(mail(self.sink.port, "x@counted.test"), 451)
        self.assertEqual(self.api.found("messages")["messages"], [])
        self.assertEqual([rule["name"] for rule in self.api.found("rules")["rules"]], ["counted"])
        events = Events(self.api, follow="false", since="all")
        self.assertNotIn("message", [kind for kind in events.kinds()])
        events.close()
        self.assertEqual(self.api.get("wait", for_="message", timeout="0").status, 408)
        is_problem(self, self.api.call("POST", "reset", {"spaec": "x"}), 400, "unknown-parameter", "spaec", "did you mean \"space\"")
        is_problem(self, self.api.call("POST", "reset", {"space": ""}), 400, "bad-parameter", "space")

    def test_reset_of_one_space(self):
        for space in ("one", "two"):
            self.assertEqual(mail(self.sink.port, f"x@{space}.test", "a@sender.example", helo="h.example"), 250)
            self.api.rule(f"rcpt name=of-{space}: 550 5.1.1 a", space=space)
        self.assertEqual(mail(self.sink.port, "x@counted.test", "a@sender.example", helo="h.example"), 451)
        answer = self.api.call("POST", "reset", {"space": "ONE"})
        self.assertEqual([answer.json[name] for name in ("messages", "sessions", "rules")], [1, 1, 1], answer)
        self.assertEqual([m["to"] for m in self.api.found("messages")["messages"]], [["x@two.test"]])
        self.assertEqual([rule["name"] for rule in self.api.found("rules")["rules"]], ["of-two", "counted"])
        self.assertEqual(mail(self.sink.port, "x@counted.test", "a@sender.example", helo="h.example"), 250, "counts are everybody's")
        self.assertEqual(self.api.get("wait", for_="message", space="one", timeout="0").status, 408)
        self.assertEqual(self.api.get("wait", for_="message", space="two", timeout="0").status, 200)

    def test_ids_go_on_behind_a_reset(self):
        mail(self.sink.port)
        self.api.call("POST", "reset")
        mail(self.sink.port)
        self.assertEqual(ids(self.api.found("messages")["messages"]), ["s2.1"])

    def test_cursors_divide_before_from_behind(self):
        first = self.api.found("cursor")["cursor"]
        self.assertEqual(first, self.api.found("cursor")["cursor"])
        mail(self.sink.port)
        second = self.api.found("cursor")["cursor"]
        self.assertNotEqual(first, second)
        self.assertEqual(len(self.api.found("messages", since=first)["messages"]), 1)
        self.assertEqual(len(self.api.found("sessions", since=second)["sessions"]), 0)
        is_problem(self, self.api.get("cursor", x="1"), 400, "unknown-parameter", "x")
        # Of another run: a memory store has begun anew, and knows nothing of it. A wait that passes by mistake is worse.
        other = "1-" + second.split("-", 1)[1]
        is_problem(self, self.api.get("messages", since=other), 400, "stale-cursor", "since")
        is_problem(self, self.api.get("wait", **{"for": "message", "since": other}), 400, "stale-cursor", "since")
        # Of the future, so that nobody was given it: a wait for what must be absent would always pass.
        run, entry, message, session = second.split("-")
        for made in (f"{run}-{int(entry) + 1000}-{message}-{session}", f"{run}-{entry}-{int(message) + 1}-{session}",
                     f"{run}-{entry}-{message}-{int(session) + 1}", f"{run}-{2 ** 63 - 1}-{2 ** 63 - 1}-{2 ** 63 - 1}"):
            for path in ("messages", "sessions", "wait?for=reject&absent&timeout=0", "wait?for=message&timeout=0", "events?follow=0"):
                with self.subTest(cursor=made, path=path):
                    answer = self.api.get(path + ("&" if "?" in path else "?") + "since=" + made)
                    is_problem(self, answer, 400, "bad-parameter", "since")

    def test_a_body_that_says_what_to_forget_is_refused(self):
        # Passed over, it would mean everything.
        self.api.rule("rcpt name=one: 451 4.7.1 a", space="one")
        mail(self.sink.port)
        self.api.until(lambda info: info["sessions"]["ever"] == 1)
        for method, path in (("POST", "reset"), ("DELETE", "rules"), ("DELETE", "messages"), ("DELETE", "rules/one"), ("DELETE", "messages/s1.1")):
            for body in ('{"space": "two"}', "space=two", "x"):
                with self.subTest(method=method, path=path, body=body):
                    is_problem(self, self.api.call(method, path, body=body), 400, "bad-body", says="?space=NAME")
        self.assertEqual((len(self.api.found("messages")["messages"]), len(self.api.found("sessions")["sessions"])), (1, 1))
        self.assertEqual(self.api.get("rules/one").status, 200)
        for body in ("", "{}", "null"):
            self.assertEqual(self.api.call("POST", "reset", body=body).status, 200)
        self.assertEqual(self.api.get("rules/one").status, 404)

    def test_what_cannot_come_is_refused(self):
        # "absent" would hold whatever came.
        is_problem(self, self.api.get("wait?for=finding&finding=data-bare-fl&absent&timeout=0"), 400, "bad-parameter", "finding", says='did you mean "data-bare-lf"')
        is_problem(self, self.api.get("wait?for=message&to=&absent&timeout=0"), 400, "bad-parameter", "to")
        for finding in ("data-bare-lf", "data-*", "/^data-/"):
            self.assertEqual(self.api.get("wait", for_="finding", finding=finding, absent="true", timeout="0").status, 200)
        # An address may stand there as a transcript has it.
        mail(self.sink.port, "bob@b.test", "a@s.test")
        for word in ("to=<bob@b.test>", "from=<a@s.test>", "to=<*@b.test>"):
            self.assertEqual(self.api.get(f"wait?for=message&{word}&timeout=0").status, 200, word)
        self.assertEqual(self.api.get("wait?for=message&from=<>&timeout=0").status, 408)
        mail(self.sink.port, "bob@b.test", "")
        self.assertEqual(self.api.get("wait?for=message&from=<>&timeout=0").status, 200)
        self.api.rule("rcpt to=<q@b.test>: 550 5.1.1 No")
        self.assertEqual(mail(self.sink.port, "q@b.test"), 550)

    def test_an_id_has_one_spelling(self):
        mail(self.sink.port)
        self.api.until(lambda info: info["sessions"]["ever"] == 1)
        self.assertEqual(self.api.get("sessions/s1").status, 200)
        for spelling in ("s01", "s001", "S1", "s1.", "s+1", "s%201", "1"):
            is_problem(self, self.api.get(f"sessions/{spelling}"), 404, "not-found")

    def test_info_and_health(self):
        mail(self.sink.port)
        info = self.api.until(lambda info: info["sessions"]["kept"] == 1)
        self.assertEqual((info["messages"]["kept"], info["messages"]["ever"], info["store"]), (1, 1, "memory"))
        self.assertEqual(info["waiting"], 0)
        self.assertNotIn("trouble", info)
        self.assertEqual(len(info["listeners"]), 1)
        for path, kind in {"/livez": "text/plain", "/readyz": "text/plain"}.items():
            answer = self.api.get(path)
            self.assertEqual(answer.status, 200)
            self.assertTrue(answer.headers["Content-Type"].startswith(kind))
        self.assertEqual(self.api.get("/livez").text, "ok\n")

    def test_the_page_is_served_whole_and_hardened(self):
        self.assertIn(f"page {self.sink.url}/\n", self.sink.error_text())
        folder = os.path.join(ROOT, "Sources", "Web", "Page", "Assets")
        kinds = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
        self.assertEqual(self.api.get("/").body, self.api.get("/page/index.html").body)
        for name in sorted(os.listdir(folder)):
            with self.subTest(name=name):
                answer = self.api.get(f"/page/{name}")
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertEqual((answer.status, answer.body), (200, file.read()))
                self.assertEqual(answer.headers["Content-Type"].split(";")[0], kinds[name.rsplit(".")[-1]])
                self.assertEqual((answer.headers["X-Content-Type-Options"], answer.headers["Referrer-Policy"]), ("nosniff", "no-referrer"))
                policy = answer.headers["Content-Security-Policy"]
                for word in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"):
                    self.assertIn(word, policy)
                self.assertNotIn("unsafe", policy)
                tag = answer.headers["ETag"]
                again = self.api.call("GET", f"/page/{name}", headers={"If-None-Match": f'"other", {tag}'})
                self.assertEqual((again.status, again.body, again.headers["ETag"]), (304, b"", tag))
                self.assertEqual(again.headers["Content-Security-Policy"], policy)
                self.assertEqual(self.api.call("GET", f"/page/{name}", headers={"If-None-Match": '"other"'}).status, 200)
                head = self.api.call("HEAD", f"/page/{name}")
                self.assertEqual((head.status, head.body, int(head.headers["Content-Length"])), (200, b"", len(answer.body)))
        for path in ("/page/nothing.js", "/page/", "/page/%2e%2e", "/page/..%2fx"):
            self.assertIn(self.api.get(path).status, (400, 404), path)
        is_problem(self, self.api.call("POST", "/"), 405, "method-not-allowed")

    def test_metrics_count(self):
        def values():
            text = self.api.get("/metrics").text
            return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if not line.startswith("#")}
        before = values()
        mail(self.sink.port)
        mail(self.sink.port, "x@counted.test")
        self.api.until(lambda info: info["sessions"]["ever"] == 2)
        after = values()
        grown = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
        for name, more in {
            "fakemx_sessions_total": 2, "fakemx_messages_accepted_total": 1,
            'fakemx_replies_refused_total{phase="rcpt",class="4yz"}': 1, 'fakemx_transactions_total{verdict="accepted"}': 1,
            'fakemx_transactions_total{verdict="deferred"}': 1, 'fakemx_sessions_ended_total{by="quit"}': 2,
            "fakemx_rule_hits_total": 1, 'fakemx_store_items{kind="message"}': 1,
        }.items():
            self.assertEqual(grown.get(name), more, f"{name}: {grown}")


class Waits(unittest.TestCase):
    def setUp(self):
        self.sink = Sink("--rule", FULL, "--loops", "2", transcript="off", http="127.0.0.1:0")
        self.addCleanup(self.sink.stop)
        self.api = begin(self.sink)

    def waiting(self, count=1):
        return self.api.until(lambda info: info["waiting"] == count, what=f"{count} waiting")

    def beside(self, **query):
        """A wait in a thread of its own; returns a function that gives its answer."""
        box = []
        thread = threading.Thread(target=lambda: box.append(self.api.get("wait", **query)), daemon=True)
        thread.start()

        def answer(within_s=15):
            thread.join(within_s)
            self.assertTrue(box, f"the wait {query} was not answered within {within_s} s")
            return box[0]
        return answer

    def test_each_kind_before_and_behind_the_question(self):
        def happen():
            mail(self.sink.port, "b@any.test")
            mail(self.sink.port, "c@full.test")
        kinds = {"session": ("sessions", 2), "message": ("messages", 1), "reject": ("rejects", 1), "rule": ("rules", 1)}
        later = {kind: self.beside(for_=kind, count=count, timeout="10") for kind, (_, count) in kinds.items()}
        self.waiting(len(kinds))
        happen()
        for kind, (name, count) in kinds.items():
            for when, answer in (("behind", later[kind]()), ("before", self.api.get("wait", for_=kind, count=count, timeout="10"))):
                with self.subTest(kind=kind, when=when):
                    self.assertEqual(answer.status, 200, answer)
                    found = answer.json
                    self.assertEqual((found["fulfilled"], found["count"], len(found[name])), (True, count, count))
                    self.assertNotIn("seen", found)
                    self.assertEqual([other for other in ("sessions", "messages", "rejects", "rules") if other in found], [name])
        reject = self.api.found("wait", for_="reject")["rejects"][0]
        self.assertEqual((reject["phase"], reject["reply"], reject["rule"], reject["to"]), ("rcpt", "452 4.2.2 Mailbox full", "full", ["c@full.test"]))
        self.assertEqual((reject["verdict"], reject["kind"]), ("deferred", "reject"))
        self.assertTrue(self.api.found("wait", for_="session")["sessions"][0]["lines"])
        self.waiting(0)

    def test_a_message_that_is_waited_for_can_be_read_at_once(self):
        for number in range(30):
            later = self.beside(for_="message", to=f"u{number}@any.test", timeout="10")
            mail(self.sink.port, f"u{number}@any.test", quits=False)
            found = later().json["messages"][0]
            self.assertEqual(self.api.get(f"messages/{found['id']}").status, 200)

    def test_count_and_time(self):
        mail(self.sink.port)
        began = time.monotonic()
        answer = self.api.get("wait", for_="message", count=2, timeout="300ms")
        took = time.monotonic() - began
        self.assertEqual(answer.status, 408, answer)
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        self.assertEqual((answer.json["fulfilled"], answer.json["count"], len(answer.json["messages"])), (False, 1, 1))
        self.assertTrue(0.28 <= took < 1.5, took)
        for text in ("0", "0.2", "200ms", "1s"):
            with self.subTest(timeout=text):
                self.assertEqual(self.api.get("wait", for_="message", to="nobody@x.test", timeout=text).status, 408)

    def test_what_came_in_its_place_is_told(self):
        for number in range(12):
            mail(self.sink.port, f"u{number}@any.test")
            self.api.found("cursor")  # two loops tell in their own time; asking settles both
        answer = self.api.get("wait", for_="message", to="nobody@x.test", timeout="0")
        seen = answer.json["seen"]
        self.assertEqual([entry["to"] for entry in seen], [[f"u{number}@any.test"] for number in range(2, 12)])

    def test_since_counts_only_what_comes_behind(self):
        mail(self.sink.port, "b@any.test")
        mail(self.sink.port, "c@full.test")
        self.api.until(lambda info: info["sessions"]["ever"] == 2)
        cursor = self.api.found("cursor")["cursor"]
        for kind in ("session", "message", "reject", "rule"):
            with self.subTest(kind=kind):
                answer = self.api.get("wait", for_=kind, since=cursor, timeout="0")
                self.assertEqual((answer.status, answer.json["seen"]), (408, []))
        mail(self.sink.port, "d@any.test")
        found = self.api.found("wait", for_="message", since=cursor)
        self.assertEqual([m["to"] for m in found["messages"]], [["d@any.test"]])
        self.assertEqual(self.api.get("wait", for_="message", since=found["cursor"], timeout="0").status, 408)

    def test_absent(self):
        answer = self.api.get("wait", for_="message", to="nobody@x.test", absent="true", timeout="200ms")
        self.assertEqual((answer.status, answer.json["fulfilled"], answer.json["count"]), (200, True, 0))
        later = self.beside(for_="message", to="somebody@x.test", absent="true", timeout="10")
        self.waiting(1)
        began = time.monotonic()
        mail(self.sink.port, "somebody@x.test")
        answer = later()
        self.assertLess(time.monotonic() - began, 5, "it is answered when it happens, not when the time is over")
        self.assertEqual((answer.status, answer.json["fulfilled"], answer.json["count"]), (409, False, 1))

    def test_take_gives_each_message_to_one_alone(self):
        takers = [self.beside(for_="message", to="*@queue.test", take="true", timeout="10") for _ in range(20)]
        self.waiting(20)
        for number in range(20):
            self.assertEqual(mail(self.sink.port, f"u{number}@queue.test"), 250)
        mail(self.sink.port, "other@any.test")
        taken = [taker().json["messages"][0]["to"][0] for taker in takers]
        self.assertEqual(sorted(taken), sorted(f"u{number}@queue.test" for number in range(20)))
        self.assertEqual([m["to"] for m in self.api.found("messages")["messages"]], [["other@any.test"]])
        is_problem(self, self.api.get("wait", for_="session", take="true"), 400, "bad-parameter", "take")
        is_problem(self, self.api.get("wait", for_="message", take="true", absent="true"), 400, "bad-parameter", "take")
        # HEAD changes nothing (RFC 9110 §9.2.1).
        self.assertEqual(self.api.call("HEAD", "wait?for=message&take=true&timeout=0").status, 400)
        self.assertEqual(len(self.api.found("messages")["messages"]), 1)

    def test_take_begins_with_the_oldest(self):
        for number in range(3):
            mail(self.sink.port, f"u{number}@queue.test")
        taken = [self.api.found("wait", for_="message", take="true")["messages"][0]["to"][0] for _ in range(3)]
        self.assertEqual(taken, ["u0@queue.test", "u1@queue.test", "u2@queue.test"])

    def test_a_client_that_has_gone_is_not_waited_for(self):
        crowd = []
        for _ in range(20):
            raw = Raw(self.api.port)
            raw.send(b"GET /api/fakemx/wait?for=message&to=never@x.test&timeout=60 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            crowd.append(raw)
        self.waiting(20)
        for raw in crowd[:15]:
            raw.close()
        self.waiting(5)
        for raw in crowd[15:]:
            raw.close()
        self.waiting(0)

    def test_many_wait_at_once(self):
        later = [self.beside(for_="message", to=f"u{number}@many.test", timeout="20") for number in range(100)]
        self.waiting(100)
        with Wire(self.sink.port) as client:
            wire.hello(client)
            for number in reversed(range(100)):
                self.assertEqual(wire.deliver(client, [f"u{number}@many.test"])[-1].code, 250)
        for number, answer in enumerate(later):
            self.assertEqual(answer().json["messages"][0]["to"], [f"u{number}@many.test"])
        self.waiting(0)

    def test_those_who_wait_are_sent_home_when_the_sink_stops(self):
        later = self.beside(for_="message", timeout="60")
        self.waiting(1)
        began = time.monotonic()
        self.assertEqual(self.sink.stop(), 0)
        self.assertLess(time.monotonic() - began, 4)
        is_problem(self, later(5), 503, "stopping")

    def test_nothing_is_proven_absent_when_the_sink_stops(self):
        waits = [self.beside(for_=kind, absent="true", timeout="60") for kind in ("message", "session", "reject", "finding")]
        self.waiting(4)
        self.assertEqual(self.sink.stop(), 0)
        for later in waits:
            is_problem(self, later(5), 503, "stopping")

    def test_wrong_words(self):
        cases = {
            "for": [{}, {"for_": "mesage"}, {"for_": ""}],
            "count": [{"for_": "message", "count": value} for value in ("0", "-1", "10001", "x", "")],
            "timeout": [{"for_": "message", "timeout": value} for value in ("", "-1", "601", "x", "1y", "1e3", "nan", "inf", ".", "1..5", "11m")],
            "since": [{"for_": "message", "since": "yesterday"}],
            "absent": [{"for_": "message", "absent": "x"}],
        }
        for parameter, queries in cases.items():
            for query in queries:
                with self.subTest(query=query):
                    is_problem(self, self.api.get("wait", **query), 400, "bad-parameter", parameter)
        is_problem(self, self.api.get("wait", for_="mesage"), 400, says="did you mean \"message\"")
        is_problem(self, self.api.get("wait", for_="message", absent="true", count="2"), 400, "bad-parameter", "count")
        is_problem(self, self.api.get("wait", for_="message", verdict="accepted"), 400, "unknown-parameter", "verdict")
        is_problem(self, self.api.get("wait", for_="message", timout="1"), 400, "unknown-parameter", "timout", "did you mean \"timeout\"")
        self.assertEqual(self.api.info()["waiting"], 0)


class Streams(unittest.TestCase):
    def setUp(self):
        # Findings come when the judge has time; test_findings has them.
        self.sink = Sink("--rule", FULL, "--loops", "1", "--judge", "off", transcript="off", http="127.0.0.1:0")
        self.addCleanup(self.sink.stop)
        self.api = begin(self.sink)

    def happen(self):
        mail(self.sink.port, "b@any.test")
        mail(self.sink.port, "c@full.test")
        self.api.until(lambda info: info["sessions"]["ever"] == 2)

    EXPECTED = ["opened", "message", "session", "opened", "rule", "reject", "session"]

    def test_everything_in_its_order(self):
        with Events(self.api) as live:
            self.assertEqual(live.answer.status, 200)
            self.assertEqual(live.answer.headers["Content-Type"], "text/event-stream; charset=utf-8")
            self.api.until(lambda info: info["waiting"] == 1)
            self.happen()
            events = live.wait(len(self.EXPECTED))
            numbers = [data["number"] for _, _, data in events]
            self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(events))))
            self.assertEqual(live.kinds(), self.EXPECTED)
            message = events[1][2]
            self.assertEqual((message["session"], message["message"], message["to"]), ("s1", "s1.1", ["b@any.test"]))
            self.assertEqual(events[2][2]["verdict"], "accepted")
            self.assertEqual((events[5][2]["phase"], events[5][2]["rule"]), ("rcpt", "full"))
            for event, kind, data in events:
                self.assertEqual(kind, data["kind"])
                self.assertTrue(event)
        self.api.until(lambda info: info["waiting"] == 0, what="the reader that has gone is forgotten")

    def test_changes_of_rules_and_resets_are_told(self):
        with Events(self.api, kind="rules,reset") as live:
            self.api.until(lambda info: info["waiting"] == 1)
            self.api.rule("rcpt name=x: 451 4.7.1 a")
            self.api.call("DELETE", "rules/x")
            mail(self.sink.port)
            self.api.call("DELETE", "messages")
            self.api.call("POST", "reset", {"space": "mine"})
            events = live.wait(4)
            self.assertEqual(live.kinds(), ["rules", "rules", "reset", "reset"])
            self.assertEqual(events[3][2]["space"], "mine")

    def test_last_event_id_resumes_without_gap_or_double(self):
        self.happen()
        everything = Events(self.api, since="all", follow="false").all()
        self.assertEqual([kind for _, kind, _ in everything], self.EXPECTED)
        for index in range(len(everything)):
            with self.subTest(index=index):
                rest = Events(self.api, last_id=everything[index][0], follow="false").all()
                self.assertEqual(rest, everything[index + 1:])
        # The header wins over what the address says: a browser comes again with the address it began with.
        for since in (everything[0][0], "all", "1-5-0-0"):
            rest = Events(self.api, last_id=everything[3][0], since=since, follow="false").all()
            self.assertEqual(rest, everything[4:], since)
        self.assertEqual(Events(self.api, since=everything[3][0], follow="false").all(), everything[4:])

    def test_a_cursor_of_another_run_begins_with_all(self):
        self.happen()
        self.assertEqual(len(Events(self.api, last_id="1-5-0-0", follow="false").all()), len(self.EXPECTED))

    def test_kind_and_filter(self):
        self.happen()
        def kinds(**query):
            return [kind for _, kind, _ in Events(self.api, since="all", follow="false", **query).all()]
        self.assertEqual(kinds(kind="message"), ["message"])
        self.assertEqual(kinds(kind="reject,session"), ["session", "reject", "session"])
        self.assertEqual(kinds(to="*@full.test"), ["rule", "reject", "session"])
        self.assertEqual(kinds(session="s1"), ["opened", "message", "session"])
        self.assertEqual(kinds(verdict="deferred", kind="session"), ["session"])
        self.assertEqual(kinds(rule="full"), ["rule", "reject", "session"])
        self.assertEqual(kinds(to="nobody@x.test"), [])

    def test_a_rule_is_told_with_the_path_that_it_acted_on(self):
        self.api.rule("mail name=slow from=*@slow.example: delay 1ms")
        self.api.rule("rcpt name=later to=*@later.example: delay 1ms, 451 4.7.1 Later")
        with Wire(self.sink.port) as client:
            wire.hello(client)
            wire.deliver(client, ["one@any.test"], "a@plain.example")
            client.ask("MAIL FROM:<@relay.example:a@slow.example> SIZE=1")
            client.ask("RCPT TO:<ok@any.test>")
            client.ask("RCPT TO:<\"x> y\"@later.example> NOTIFY=NEVER")
        told = [data for _, _, data in Events(self.api, since="all", follow="false", kind="rule").all()]
        self.assertEqual([(data["rule"], data.get("from"), data.get("to")) for data in told],
                         [("slow", "a@slow.example", None), ("later", "a@slow.example", ["\"x> y\"@later.example"])])
        self.assertNotIn("verdict", told[0])
        self.assertNotIn("message", told[0])
        for word, value in (("from", "*@slow.example"), ("to", "*@later.example")):
            self.assertEqual(self.api.get("wait", **{"for_": "rule", word: value, "timeout": "0"}).status, 200)

    def test_without_since_and_without_following_all_that_is_remembered(self):
        self.happen()
        self.assertEqual(len(Events(self.api, follow="false").all()), len(self.EXPECTED))

    def test_wrong_words(self):
        for query, parameter in (({"kind": "mesage"}, "kind"), ({"kind": "message,x"}, "kind"), ({"since": "x"}, "since"),
                                 ({"follow": "x"}, "follow"), ({"verdict": "x"}, "verdict")):
            with self.subTest(query=query):
                is_problem(self, self.api.get("events", **query), 400, "bad-parameter", parameter)
        is_problem(self, self.api.get("events", kinds="message"), 400, "unknown-parameter", "kinds", "did you mean \"kind\"")
        is_problem(self, self.api.call("GET", "events", headers={"Last-Event-ID": "x"}), 400, "bad-parameter", "Last-Event-ID")

    def flood(self, octets):
        """Rejects with long replies, until so many octets of them must have been told. Returns how many."""
        lines = [("550-" if line < 9 else "550 ") + "5.7.1 " + "x" * 480 for line in range(10)]
        self.api.rule_of({"name": "flood", "at": "rcpt", "do": ["\n".join(lines)]})
        count = 0
        while count * 5000 < octets:
            with open_transaction(self.sink.port) as client:
                for _ in range(40):
                    client.send(b"RCPT TO:<b@any.test>\r\n" * 10)
                    for _ in range(10):
                        seen = client.reply()
                        if seen.kind != "reply":
                            break
                        count += 1
                    if seen.kind != "reply" or client.ended:
                        break
        self.api.call("DELETE", "rules/flood")
        return count

    def test_a_reader_that_fell_behind_is_told_how_much_it_missed(self):
        # The chronicle is bounded by its octets, too (24 MiB), so a flood of long replies overflows it quickly.
        mail(self.sink.port, "first@any.test")
        first = Events(self.api, since="all", follow="false").all()[0]
        sleeper = Raw(self.api.port, receives=64 << 10)
        sleeper.send(b"GET /api/fakemx/events?since=all HTTP/1.1\r\nHost: localhost\r\n\r\n")
        began = time.monotonic()
        count = self.flood(40 << 20)
        took = time.monotonic() - began
        info = self.api.until(lambda info: info["chronicle"]["forgotten"] > 0, what="an overflow")
        print(f"\n      {count} long rejects in {took:.1f} s; forgotten {info['chronicle']['forgotten']}, {self.sink.resident_kib() >> 10} MiB")
        # Whoever resumes from before is told a number, and goes on behind it without a gap.
        resumed = Events(self.api, last_id=first[0], follow="false").all(60)
        self.assertEqual(resumed[0][1], "missed")
        missed = resumed[0][2]["missed"]
        numbers = [data["number"] for _, kind, data in resumed if kind != "missed"]
        self.assertEqual(numbers[0], first[2]["number"] + missed + 1)
        self.assertEqual(numbers, list(range(numbers[0], numbers[0] + len(numbers))))
        # That it did not happen cannot be said any more: it may be among what is forgotten.
        absent = dict(for_="reject", to="nobody@any.test", absent="true", timeout="0")
        is_problem(self, self.api.get("wait", since=first[0], **absent), 410, "forgotten", "since", says=f"{missed} happenings")
        self.assertEqual(self.api.get("wait", since=resumed[-1][0], **absent).json["fulfilled"], True)
        # What is remembered is known all the same.
        last = [data for _, kind, data in resumed if kind == "reject"][-1]["session"]
        answer = self.api.get("wait", since=first[0], for_="reject", session=last, absent="true", timeout="20")
        self.assertEqual((answer.status, answer.json["count"]), (409, 1))
        answer = self.api.get("wait", since=first[0], for_="reject", to="nobody@any.test", timeout="0")
        self.assertEqual((answer.status, answer.json["missed"]), (408, missed))
        # Who asks for all that there is has missed nothing.
        self.assertNotIn("missed", [kind for _, kind, _ in Events(self.api, since="all", follow="false").all(60)])
        # The one that did not read: the same, at its own pace.
        mail(self.sink.port, "last@any.test")
        deadline = time.monotonic() + 60
        seen, rest, at, total = [], b"", None, 0
        sleeper.socket.settimeout(10)
        while time.monotonic() < deadline:
            octets = sleeper.socket.recv(1 << 20)
            self.assertTrue(octets, "the stream ended")
            rest += octets
            *whole, rest = rest.split(b"\n")
            for line in whole:
                if line.startswith(b"data: "):
                    data = json.loads(line[6:])
                    seen.append(data)
            if any("last@any.test" in data.get("to", []) and data["kind"] == "session" for data in seen[-5:]):
                break
        sleeper.close()
        gaps = [data["missed"] for data in seen if "missed" in data]
        self.assertTrue(gaps, "it was told that it missed something")
        expected = 1
        for data in seen:
            if "missed" in data:
                expected += data["missed"]
                continue
            self.assertEqual(data["number"], expected)
            expected += 1


if __name__ == "__main__":
    unittest.main()
