# The verdict on the sender through the API: what is found of senders that break a rule, what is not found of one that
# keeps them, and where it shows: in the list, in sessions and messages, in filters, waits, the stream, reports, metrics.

import concurrent.futures
import os
import re
import shutil
import ssl
import subprocess
import tempfile
import unittest

import wire
from api import API, Events, is_problem, letter, mail
from sink import Sink
from wire import Wire

CLEAN = (b"From: Ann <ann@sender.example>\r\nTo: Bob <b@any.test>\r\nSubject: minutes\r\n"
         b"Date: Thu, 01 Jan 2026 10:00:00 +0000\r\nMessage-ID: <1@sender.example>\r\n"
         b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nHello Bob\r\n")


def start(*arguments, **options):
    sink = Sink("--loops", "1", *arguments, transcript="off", http="127.0.0.1:0", **options)
    return sink, API(sink.url)


def deliver(port, content, sender="ann@sender.example", to="b@any.test"):
    """A session of one message, with QUIT; the codes of its replies."""
    with Wire(port) as client:
        wire.hello(client, "mail.sender.example")
        codes = [seen.code for seen in wire.deliver(client, [to], sender, content)]
        client.ask("QUIT")
        client.end()
    return codes


class Judged(unittest.TestCase):
    def setUp(self):
        self.sink, self.api = start()
        self.addCleanup(self.sink.stop)

    def rules(self, **query):
        return {finding["rule"] for finding in self.api.found("findings", **query)["findings"]}

    def test_a_clean_session_of_swaks_breaks_no_must(self):
        program = shutil.which("swaks")
        self.assertTrue(program, "swaks is missing; run Scripts/setup --tests")
        done = subprocess.run(
            [program, "--server", f"127.0.0.1:{self.sink.port}", "--from", "a@sender.example", "--to", "b@any.test",
             "--helo", "mail.sender.example"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        self.assertEqual(done.returncode, 0, done.stdout.decode())
        answer = self.api.found("findings")
        self.assertEqual([f for f in answer["findings"] if f["severity"] == "must"], [])
        self.assertEqual((answer["judging"]["sessions_judged"], answer["judging"]["messages_judged"]), (1, 1))
        self.assertTrue(self.api.found("sessions/s1")["is_judged"])

    def test_an_undoubled_dot_and_a_bare_lf_are_found_where_they_stand(self):
        self.assertEqual(deliver(self.sink.port, CLEAN + b".hidden\r\nbare\nline\r\n")[-1], 250)
        rules = self.rules()
        self.assertLessEqual({"data-not-dot-stuffed", "data-bare-lf"}, rules)
        session = self.api.found("sessions/s1")
        found = {f["rule"]: f for f in session["findings"]}
        self.assertTrue(session["is_judged"])
        first = found["data-bare-lf"]["evidence"][0]
        content = self.api.call("GET", "messages/s1.1/raw").body
        self.assertEqual(first["message"], "s1.1")
        self.assertIn(b"\n", content[first["range"][0]:first["range"][1]])
        for key in ("saw", "what", "why", "fix", "citation"):
            self.assertTrue(found["data-bare-lf"][key], key)
        listed = self.api.found("sessions")["sessions"][0]
        self.assertEqual({f["rule"] for f in listed["findings"]}, set(found))
        self.assertEqual(set(listed["findings"][0]), {"rule", "severity"})
        message = self.api.found("messages/s1.1")
        self.assertIn("data-bare-lf", {f["rule"] for f in message["findings"]})

    def test_a_near_miss_is_not_found(self):
        self.assertEqual(deliver(self.sink.port, CLEAN + b"..doubled\r\n")[-1], 250)
        self.assertFalse({"data-not-dot-stuffed", "data-bare-lf", "cmd-bare-lf", "pipe-not-offered"} & self.rules())
        self.assertTrue(self.api.found("sessions/s1")["is_judged"])

    def test_a_client_that_ends_every_line_with_a_bare_lf_is_seen(self):
        with Wire(self.sink.port) as client:
            client.reply()
            client.send(b"EHLO mail.sender.example\nAUTH PLAIN AGEAc2VjcmV0\nMAIL FROM:<a@sender.example>\n")
            client.half_close()
            client.end()
        self.assertIn("cmd-bare-lf", self.rules())
        answer = self.api.get("/api/fakemx/sessions/s1").text
        self.assertNotIn("AGEAc2VjcmV0", answer)
        self.assertIn("EHLO mail.sender.example", answer)

    def test_octets_behind_starttls_are_found(self):
        with Wire(self.sink.port) as client:
            wire.hello(client, "mail.sender.example")
            client.send(b"STARTTLS\r\nMAIL FROM:<a@sender.example>\r\n")
            self.assertEqual(client.reply().code, 220)
            client.abort()
        self.assertIn("tls-data-after-starttls", self.rules())

    def test_an_offer_of_old_tls_is_found(self):
        context = wire.trusting_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with Wire(self.sink.port, context=context) as client:
            wire.hello(client, "mail.sender.example")
            self.assertEqual(client.upgrade().code, 220)
            client.ask("EHLO mail.sender.example")
            client.ask("QUIT")
        self.assertIn("tls-no-tls13", self.rules())

    def test_a_refused_message_is_judged_although_it_is_not_stored(self):
        self.assertEqual(deliver(self.sink.port, CLEAN + b"bare\nline\r\n", to="eod-554@any.test")[-1], 554)
        found = [f for f in self.api.found("findings")["findings"] if f["rule"] == "data-bare-lf"]
        self.assertEqual(len(found), 1)
        self.assertNotIn("message", found[0]["evidence"][0])

    def test_sessions_are_asked_for_by_what_was_found(self):
        deliver(self.sink.port, CLEAN)
        deliver(self.sink.port, CLEAN + b"bare\nline\r\n")
        deliver(self.sink.port, CLEAN)

        def ids(**query):
            return [session["id"] for session in self.api.found("sessions", **query)["sessions"]]
        self.assertEqual(ids(finding="data-bare-lf"), ["s2"])
        self.assertEqual(ids(finding="data-bare-*", limit=1), ["s2"])
        severity = next(f["severity"] for f in self.api.found("sessions/s2")["findings"] if f["rule"] == "data-bare-lf")
        self.assertEqual(ids(finding="data-bare-lf", severity=severity), ["s2"])
        # Both words are met by one finding, or by none.
        other = next(word for word in ("must", "should", "reputation", "info") if word != severity)
        self.assertEqual(ids(finding="data-bare-lf", severity=other), [])
        self.assertEqual(ids(finding="data-nul"), [])
        is_problem(self, self.api.get("/api/fakemx/sessions", severity="mus"), 400, parameter="severity", says=("must",))

    def test_a_wait_and_the_stream_tell_of_findings(self):
        since = self.api.found("cursor")["cursor"]
        deliver(self.sink.port, CLEAN + b"bare\nline\r\n")
        answer = self.api.found("wait", **{"for": "finding", "finding": "data-bare-lf", "since": since, "timeout": "5"})
        self.assertEqual([(f["finding"], f["session"]) for f in answer["findings"]], [("data-bare-lf", "s1")])
        found = self.api.found("wait", **{"for": "session", "finding": "data-bare-lf", "since": since, "timeout": "5"})
        self.assertEqual([session["id"] for session in found["sessions"]], ["s1"])
        later = self.api.call("GET", "wait", {"for": "finding", "finding": "data-bare-lf", "since": answer["cursor"], "timeout": "200ms"})
        self.assertEqual(later.status, 408)
        with Events(self.api, kind="finding", since=since, follow="false") as events:
            seen = [(kind, data["finding"], data["severity"]) for _, kind, data in events.all()]
        self.assertIn("data-bare-lf", {rule for _, rule, _ in seen})
        self.assertEqual({kind for kind, _, _ in seen}, {"finding"})

    def test_a_wait_for_a_session_asks_for_all_of_it(self):
        # Rules, verdicts and other envelopes of the session, and what was found in one of its messages.
        self.api.rule("rcpt name=full to=*@full.test: 452 4.2.2 Full")
        for words in ({"rule": "full"}, {"space": "two"}, {"code": "452"}, {}):
            since = self.api.found("cursor")["cursor"]
            query = {"for": "session", "finding": "data-bare-lf", "since": since, "timeout": "5", **words}
            with concurrent.futures.ThreadPoolExecutor() as beside:
                later = beside.submit(self.api.call, "GET", "wait", query)
                self.api.until(lambda info: info["waiting"] == 1)
                with Wire(self.sink.port) as client:
                    wire.hello(client)
                    wire.deliver(client, ["b@one.test"], sender="a@sender.example", message=CLEAN + b"bare\nline\r\n")
                    wire.deliver(client, ["b@two.test"], sender="a@sender.example", message=CLEAN + b"a line\r\n")
                    client.ask("MAIL FROM:<a@sender.example>"), client.ask("RCPT TO:<b@two.test>"), client.ask("RCPT TO:<x@full.test>")
                    client.ask("DATA"), client.send(CLEAN + b"a line\r\n.\r\n").reply()
                    client.ask("QUIT")
                    client.end()
                answer = later.result(20)
            self.assertEqual((answer.status, answer.json["count"]), (200, 1), (words, answer))
        # One that ended in time is judged before it is said to be absent.
        since = self.api.found("cursor")["cursor"]
        deliver(self.sink.port, CLEAN + b"bare\nline\r\n")
        answer = self.api.call("GET", "wait", {"for": "session", "finding": "data-bare-lf", "since": since, "absent": "true", "timeout": "0"})
        self.assertEqual(answer.status, 409, answer)

    def test_what_was_not_judged_yet_is_not_said_to_be_absent(self):
        for number in range(5):
            since = self.api.found("cursor")["cursor"]
            deliver(self.sink.port, CLEAN + b"bare\nline\r\n")
            answer = self.api.call("GET", "wait", {"for": "finding", "finding": "data-bare-lf", "since": since, "absent": "true", "timeout": "0"})
            self.assertEqual((answer.status, answer.json["fulfilled"]), (409, False), number)

    def test_a_finding_in_one_message_is_about_its_envelope_alone(self):
        # A sender that keeps its connection: two tests, one session.
        since = self.api.found("cursor")["cursor"]
        with Wire(self.sink.port) as client:
            wire.hello(client)
            for space, content in (("one", CLEAN + b"bare\nline\r\n"), ("two", CLEAN + b"a line\r\n")):
                wire.deliver(client, [f"b@{space}.test"], sender="a@sender.example", message=content)
            client.ask("QUIT")
            client.end()
        query = {"for": "finding", "finding": "data-bare-lf", "since": since}
        found = self.api.found("wait", **query, space="one", timeout="5")["findings"]
        self.assertEqual([(f["message"], f["to"]) for f in found], [("s1.1", ["b@one.test"])])
        self.assertEqual(self.api.call("GET", "wait", {**query, "space": "two", "absent": "true", "timeout": "200ms"}).status, 200)
        self.assertEqual(self.api.found("findings", finding="data-bare-lf", space="two")["findings"], [])
        self.assertEqual(len(self.api.found("findings", finding="data-bare-lf", space="one")["findings"]), 1)
        # However often: places are named up to 10 times, and its envelope is known all the same.
        deliver_two = (("three", CLEAN + b"bare\nline\r\n" * 30), ("four", CLEAN + b"a line\r\n"))
        with Wire(self.sink.port) as client:
            wire.hello(client)
            for space, content in deliver_two:
                wire.deliver(client, [f"b@{space}.test"], sender="a@sender.example", message=content)
            client.ask("QUIT")
            client.end()
        self.assertEqual([f["to"] for f in self.api.found("wait", **query, space="three", timeout="5")["findings"]], [["b@three.test"]])
        self.assertEqual(self.api.call("GET", "wait", {**query, "space": "four", "absent": "true", "timeout": "200ms"}).status, 200)
        # The session is of both.
        for space in ("one", "two"):
            self.assertEqual(len(self.api.found("sessions", finding="data-bare-lf", space=space)["sessions"]), 1)

    def test_links_stand_in_the_message(self):
        deliver(self.sink.port, CLEAN + b"see http://192.0.2.7/x and https://shop.example/\r\n")
        links = self.api.found("messages/s1.1")["links"]
        self.assertEqual([(link["host"], link["origin"]) for link in links], [("192.0.2.7", "text"), ("shop.example", "text")])
        self.assertIn("body-link-ip-host", links[0]["rules"])
        self.assertEqual(links[1]["rules"], [])

    def test_each_form_of_the_report_is_given(self):
        deliver(self.sink.port, CLEAN + b"bare\nline\r\n")
        kinds = {"json": "application/json", "text": "text/plain", "markdown": "text/markdown", "html": "text/html",
                 "junit": "application/xml", "sarif": "application/sarif+json"}
        for form, kind in kinds.items():
            with self.subTest(form=form):
                answer = self.api.get("/api/fakemx/report", format=form)
                self.assertEqual((answer.status, answer.headers["Content-Type"].split(";")[0]), (200, kind))
                self.assertIn("data-bare-lf", answer.text)
        is_problem(self, self.api.get("/api/fakemx/report", format="htm"), 400, parameter="format", says=("html",))

    def test_counts_are_in_the_metrics_and_in_info(self):
        deliver(self.sink.port, CLEAN + b"bare\nline\r\n")
        self.rules()  # judged from here on
        judging = self.api.info()["judging"]
        self.assertEqual((judging["sessions_judged"], judging["waiting"], judging["sessions_left_out"]), (1, 0, 0))
        self.assertGreater(judging["judging_us"], 0)
        text = self.api.get("/metrics").text
        self.assertRegex(text, r"(?m)^fakemx_sessions_judged_total 1$")
        total = sum(int(count) for count in re.findall(r'(?m)^fakemx_findings_total\{severity="\w+"\} (\d+)$', text))
        self.assertEqual(total, sum(judging["findings"].values()))
        self.assertGreater(total, 0)

    def test_a_reset_of_a_space_forgets_its_findings_alone(self):
        for space in ("one", "two"):
            deliver(self.sink.port, CLEAN + b"bare\nline\r\n", to=f"b@{space}.test")
        self.assertEqual({f["session"] for f in self.api.found("findings", finding="data-bare-lf")["findings"]}, {"s1", "s2"})
        self.api.call("POST", "reset", {"space": "one"})
        self.assertEqual({f["session"] for f in self.api.found("findings")["findings"]}, {"s2"})
        self.assertEqual(self.api.call("GET", "wait", {"for": "finding", "session": "s1", "timeout": "100ms"}).status, 408)
        self.api.call("POST", "reset")
        self.assertEqual(self.api.found("findings")["findings"], [])


class Elsewhere(unittest.TestCase):
    def test_pipelining_without_an_offer_is_found(self):
        sink, api = start("--rule", "ehlo: hide PIPELINING")
        with sink:
            with Wire(sink.port) as client:
                listed = wire.hello(client, "mail.sender.example")
                self.assertNotIn("PIPELINING", listed.text)
                client.send(b"MAIL FROM:<a@sender.example>\r\nRCPT TO:<b@any.test>\r\nRSET\r\n")
                for _ in range(3):
                    client.reply()
                client.ask("QUIT")
            self.assertIn("pipe-not-offered", {f["rule"] for f in api.found("findings")["findings"]})

    def test_sessions_of_an_earlier_run_are_judged_again(self):
        folder = tempfile.mkdtemp(prefix="fakemx-findings-")
        self.addCleanup(shutil.rmtree, folder, True)
        store = ("--store", os.path.join(folder, "store.db"))
        sink, api = start(*store)
        with sink:
            deliver(sink.port, CLEAN + b"bare\nline\r\n")
            first = {f["rule"] for f in api.found("sessions/s1")["findings"]}
        self.assertIn("data-bare-lf", first)
        sink, api = start(*store)
        with sink:
            self.assertFalse(api.found("sessions")["sessions"][0]["is_judged"])
            session = api.found("sessions/s1")
            self.assertTrue(session["is_judged"])
            self.assertIn("data-bare-lf", {f["rule"] for f in session["findings"]})
            self.assertEqual([s["id"] for s in api.found("sessions", finding="data-bare-lf")["sessions"]], ["s1"])
            self.assertIn("data-bare-lf", api.get("/api/fakemx/report", format="text").text)


if __name__ == "__main__":
    unittest.main()
