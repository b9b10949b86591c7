# A reply never waits for the judge: while it has all the hostile mail to judge that it will take, and more, a small session
# is answered as fast as by a sink that judges nobody and is sent the same. How far it lags is told, and it comes to its end.

import multiprocessing
import re
import statistics
import time
import unittest

import wire
from api import API
from sink import Sink
from wire import Wire

OCTETS = 10_000_000
ROUNDS = 3
SESSIONS = 40      # in a round, at each sink
RATIO = 20          # one that waited for a message to be judged would be hundreds of times slower
SETTLE_S = 300      # he gets the processor when nobody else wants it
FORK = multiprocessing.get_context("fork")


def filled(head, part, tail=b"\r\n\r\nhi\r\n"):
    return head + part * (OCTETS // len(part)) + tail


# Whoever reads these has work: comments in comments, encoded words, fields, parts, links.
HOSTILE = [
    filled(b"To: ", b'(a(b(c))) "x y" <a@b.test>,\r\n ', b"z@b.test\r\n\r\nhi\r\n"),
    filled(b"Subject: ", b"=?utf-8?q?a=C3=A9?=\r\n "),
    filled(b"", b"X-A: b\r\n", b"\r\nhi\r\n"),
    filled(b"Content-Type: multipart/mixed; boundary=x\r\n\r\n",
           b"--x\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<a href=http://192.0.2.7/>x</a>\r\n"),
]


def feed(port, sent):
    """Hostile mail, one after the other, until somebody ends it."""
    with Wire(port) as client:
        wire.hello(client, "hostile.example")
        while True:
            for message in HOSTILE:
                assert wire.deliver(client, message=message)[-1].code == 250
                sent.value += 1


def small_session(port):
    """Times of each reply, in seconds."""
    with Wire(port) as client:
        seen = [client.reply(), client.ask("EHLO small.example"), *wire.deliver(client), client.ask("QUIT")]
    assert [reply.code for reply in seen] == [220, 250, 250, 250, 354, 250, 221], seen
    return [reply.after_s for reply in seen]


class Lag(unittest.TestCase):
    def lag_shown(self, api):
        """As the metrics say it, in seconds."""
        return float(re.search(r"(?m)^fakemx_judging_lag_seconds (\S+)$", api.get("/metrics").text).group(1))

    def round(self, sink, between, last):
        """Small sessions at a sink that is sent hostile mail meanwhile; `between` is called after each, `last` at the end of
        the load."""
        sent = FORK.Value("i", 0)
        feeder = FORK.Process(target=feed, args=(sink.port, sent), daemon=True)
        feeder.start()
        try:
            deadline = time.monotonic() + SETTLE_S
            while sent.value < len(HOSTILE):
                self.assertTrue(feeder.is_alive() and time.monotonic() < deadline, "no hostile mail is sent")
                time.sleep(0.01)
            times = []
            for _ in range(SESSIONS):
                times += small_session(sink.port)
                between()
            last()
            self.assertGreater(sent.value, len(HOSTILE), "the load was none")
            return times
        finally:
            feeder.terminate()
            feeder.join()

    def test_a_reply_never_waits_for_the_judge_who_says_how_far_he_lags(self):
        options = {"transcript": "off", "http": "127.0.0.1:0"}
        with Sink("--loops", "1", **options) as judging, Sink("--loops", "1", "--judge", "off", **options) as other:
            api, lags, waiting, shown = API(judging.url), [0], [0], []

            def look():
                status = api.info()["judging"]
                lags.append(status["oldest_us"] / 1_000_000)
                waiting.append(status["waiting"])

            with_judge, without = [], []
            for _ in range(ROUNDS):
                with_judge += self.round(judging, look, lambda: shown.append(self.lag_shown(api)))
                without += self.round(other, API(other.url).info, lambda: None)
            status = api.until(lambda info: info["judging"]["waiting"] == 0, SETTLE_S, "an end of what waits")["judging"]
            print(f"\n{len(with_judge)} replies beside the judge at work: median {statistics.median(with_judge) * 1e6:.0f} µs, "
                  f"mean {statistics.mean(with_judge) * 1e3:.2f} ms; without a judge: median {statistics.median(without) * 1e6:.0f} µs, "
                  f"mean {statistics.mean(without) * 1e3:.2f} ms; he lagged by up to {max(lags):.1f} s, {max(waiting)} waited; "
                  f"{status['messages_judged']} messages judged, {status['messages_left_out']} left out", flush=True)
            self.assertGreater(status["messages_judged"], 0)
            self.assertLess(statistics.median(with_judge), RATIO * statistics.median(without))
            self.assertLess(statistics.mean(with_judge), RATIO * statistics.mean(without))
            self.assertGreater(max(waiting), 1)
            self.assertGreater(max(shown), 0)
            self.assertEqual(status["oldest_us"], 0)
            self.assertEqual(self.lag_shown(api), 0)
            self.assertIsNone(api.found("report").get("lag"))


if __name__ == "__main__":
    unittest.main()
