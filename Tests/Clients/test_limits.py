# Limits under 50 clients at once, with exact counts: what exceeds one gets the chosen reply, everything else passes, and
# what leaves is admitted again. Then greylists, tarpits and a server that recovers, over real time; and draws that do not
# depend on the order in which messages come.

import collections
import random
import re
import signal
import threading
import time
import unittest

import wire
from sink import Sink
from wire import Wire

CROWD = 50


def rules(*lines):
    return [part for line in lines for part in ("--rule", line)]


def at_once(items, work):
    """Does the work for every item in a thread of its own, all let go together; returns what they returned."""
    barrier = threading.Barrier(len(items))
    results = [None] * len(items)

    def run(index):
        barrier.wait(wire.LIMIT_S)
        try:
            results[index] = work(items[index])
        except Exception as error:
            results[index] = error

    threads = [threading.Thread(target=run, args=(index,)) for index in range(len(items))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        if isinstance(result, Exception):
            raise result
    return results


def texts(seen):
    return collections.Counter(s.text for s in seen)


def open_clients(sink, count, sources=("127.0.0.1",), port=None):
    clients = [Wire(port or sink.port, source=sources[number % len(sources)]) for number in range(count)]
    for number, client in enumerate(clients):
        wire.hello(client, f"client{number}.test")
    return clients


def close_all(clients):
    for client in clients:
        client.close()


def present(sink, count):
    """The lines about the `count` rules that the sink says on SIGUSR1."""
    before = len(sink.error_text())
    sink.signal(signal.SIGUSR1)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        lines = [line for line in sink.error_text()[before:].split("\n")[:-1] if line.startswith("rule ")]
        if len(lines) >= count:
            return lines
        time.sleep(0.01)
    raise AssertionError(f"no report: {sink.error_text()[before:]}")


def counts(line):
    """What a rule's line says of each key: {key: count}; the key is empty where nothing is told apart."""
    found = re.findall(r"(\d+) now(?: for ([^,;]+))?", line)
    return {key: int(count) for count, key in found}


def wait_counts(test, sink, rule, wanted, rule_count):
    """Waits until the rule counts as wanted: the end of a session comes a moment after the client's close."""
    deadline = time.monotonic() + 10
    while (found := counts(present(sink, rule_count)[rule])) != wanted:
        test.assertLess(time.monotonic(), deadline, (found, wanted))


def mail(sender):
    return lambda client: client.ask(f"MAIL FROM:<{sender}>")


class Limits(unittest.TestCase):
    maxDiff = None

    def test_parallel_connections(self):
        refusal = "421 4.7.0 Too many connections from you"
        with Sink(*rules(f"connect at-once=10 per=client: {refusal}")) as sink:
            def come(count, source):
                clients = at_once([source] * count, lambda s: Wire(sink.port, source=s))
                seen = at_once(clients, lambda c: c.reply())
                for client, reply in zip(clients, seen):
                    if reply.code != 220:
                        self.assertEqual(reply.text, refusal)
                        self.assertEqual(client.end(), "closed")
                return [c for c, reply in zip(clients, seen) if reply.code == 220]

            inside = come(CROWD, "127.0.0.1")
            self.assertEqual(len(inside), 10)
            others = come(CROWD, "127.0.0.2")
            self.assertEqual(len(others), 10)
            self.assertEqual(counts(present(sink, 1)[0]), {"127.0.0.1": 10, "127.0.0.2": 10})
            # Every refused one is recorded, and gone; none of them took a place.
            refused = [s for s in sink.sessions(2 * CROWD - 20) if s.get("reply") == refusal]
            self.assertEqual(len(refused), 2 * CROWD - 20)
            for client in inside[:4]:
                client.close()
            wait_counts(self, sink, 0, {"127.0.0.1": 6, "127.0.0.2": 10}, 1)
            again = come(CROWD, "127.0.0.1")
            self.assertEqual(len(again), 4)
            for client in inside[4:7]:
                client.abort()
            wait_counts(self, sink, 0, {"127.0.0.1": 7, "127.0.0.2": 10}, 1)
            again += come(CROWD, "127.0.0.1")
            self.assertEqual(len(again), 7)
            for client in inside[7:] + others + again:
                self.assertEqual(client.ask("QUIT").code, 221)
                client.close()
            wait_counts(self, sink, 0, {}, 1)
            self.assertIn("none now", present(sink, 1)[0])

    def test_each_way_in_which_a_session_ends_gives_its_place_back(self):
        """Before the greeting, in the handshake, in a delay, a stall or a drip, by the sink or by the client."""
        lines = ("connect at-once=1000 per=client: 421 4.7.0 Too many", "connect client=127.0.0.2: delay 200ms, accept",
                 "connect client=127.0.0.3: reset", "connect client=127.0.0.4: 421 4.3.2 Go away", "mail from=stall*: stall",
                 "mail from=close*: close", "mail from=reset*: reset", "mail from=drip*: drip 1/s, accept", "mail from=late*: delay 500ms",
                 "mail from=421*: 421 4.3.2 Go away", "body from=deaf*: stop-reading", "end-of-data from=kept*: keep, stall")
        with Sink(*rules(*lines), smtps=1) as sink:
            count = 0

            def come(octets, tls, leave, **more):
                nonlocal count
                client = Wire(sink.tls_port if tls else sink.port, source=more.get("source"), tls=more.get("handshake", tls))
                client.send(octets)
                client.reply(0.03)
                getattr(client, leave)()
                count += 1
            for leave in ("close", "abort"):
                for tls in (False, True):
                    for host in range(1, 5):
                        for octets in (b"", b"\x16\x03\x01\x00\x10garbage\r\n"):
                            come(octets, tls, leave, source=f"127.0.0.{host}", handshake=False)
                    for word in ("stall", "close", "reset", "drip", "late", "421", "deaf", "kept", "fine"):
                        whole = b"EHLO x.test\r\nMAIL FROM:<%s@s.test>\r\nRCPT TO:<b@any.test>\r\nDATA\r\n%s.\r\n"
                        come(whole % (word.encode(), wire.MESSAGE), tls, leave)
            sink.sessions(count)
            wait_counts(self, sink, 0, {}, len(lines))

    def test_a_place_that_is_held_is_not_forgotten_for_newer_keys(self):
        """66 000 senders under another rule fill the table of keys; who holds all places still gets no other."""
        lines = ("connect at-once=2 per=client: 421 4.7.0 Too many", "mail limit=1/1h per=from: 450 4.7.1 Once")
        with Sink(*rules(*lines), transcript="off") as sink:
            clients = open_clients(sink, 2)
            self.assertEqual(counts(present(sink, 2)[0]), {"127.0.0.1": 2})
            for base in range(0, 66_000, 500):
                clients[0].send(b"".join(b"MAIL FROM:<a%d@s.test>\r\nRSET\r\n" % number for number in range(base, base + 500)))
                self.assertEqual({clients[0].reply().code for _ in range(1000)}, {250})
            with Wire(sink.port) as third:
                self.assertEqual(third.reply().code, 421)
            close_all(clients)

    def test_parallel_sessions_in_mail_count_once_each(self):
        """A session that holds a place keeps it, however often it comes by."""
        with Sink(*rules("mail at-once=5 per=from-domain: 450 4.7.1 Busy")) as sink:
            clients = open_clients(sink, CROWD)
            first = at_once(clients, mail("a@one.test"))
            self.assertEqual(texts(first), {"250 2.1.0 Ok": 5, "450 4.7.1 Busy": 45})
            for _ in range(3):
                at_once(clients, lambda c: c.ask("RSET"))
                self.assertEqual([s.code for s in at_once(clients, mail("b@one.test"))], [s.code for s in first])
            at_once(clients, lambda c: c.ask("RSET"))
            self.assertEqual(texts(at_once(clients[:7], mail("a@two.test"))), {"250 2.1.0 Ok": 5, "450 4.7.1 Busy": 2})
            close_all(clients)
            wait_counts(self, sink, 0, {}, 1)

    def test_messages_of_a_connection(self):
        with Sink(*rules("mail limit=3 per=session: 421 4.7.0 Three are enough")) as sink:
            def talk(client):
                seen = []
                for _ in range(4):
                    replies = wire.deliver(client)
                    seen.append(replies[-1].text if len(replies) == 1 else replies[-1].code)
                return seen + [client.end()]
            clients = open_clients(sink, CROWD)
            for seen in at_once(clients, talk):
                self.assertEqual(seen, [250, 250, 250, "421 4.7.0 Three are enough", "closed"])
            close_all(clients)

    def test_recipients_of_a_transaction(self):
        """452 (RFC 5321 §4.5.3.1.10), and the 552 that old servers say: the next transaction has its own count."""
        for reply in ("452 4.5.3 Too many recipients", "552 5.5.3 Too many recipients"):
            with self.subTest(reply=reply), Sink(*rules(f"rcpt limit=5 per=transaction: {reply}")) as sink:
                def talk(client):
                    said = []
                    for _ in range(2):
                        client.ask("MAIL FROM:<a@s.test>")
                        said.append([client.ask(f"RCPT TO:<b{n}@any.test>").text for n in range(8)])
                        client.ask("DATA")
                        said.append(client.send(wire.MESSAGE + b".\r\n").reply().code)
                    return said
                clients = open_clients(sink, CROWD)
                ok = ["250 2.1.5 Ok"] * 5 + [reply] * 3
                for said in at_once(clients, talk):
                    self.assertEqual(said, [ok, 250, ok, 250])
                close_all(clients)
                for session in sink.sessions(CROWD):
                    accepted = [[r["reply"][:3] for r in t["recipients"]].count("250") for t in session["transactions"]]
                    self.assertEqual(accepted, [5, 5])

    def test_windows_admit_again_what_has_left_them_and_no_more(self):
        """Connections, messages, recipients and octets: 12 uses, a while later the 8 that are left, then those 12 again."""
        window_s = 4
        # The kinds do not see each other's clients.
        lines = (f"connect client=127.0.0.7 limit=20/{window_s}m per=client: 421 4.7.1 Slower",
                 f"mail from=*@mail.test limit=20/{window_s}m per=from-domain: 450 4.7.1 Slower",
                 f"rcpt from=*@rcpt.test limit=20/{window_s}m per=client: 451 4.7.1 Slower",
                 f"end-of-data from=*@size.test octets=20KB/{window_s}m per=from-domain: 452 4.7.1 Slower")
        message = b"Subject: kilobyte\r\n\r\n" + b"y" * 977 + b"\r\n"
        self.assertEqual(len(message), 1000)
        with Sink(*rules(*lines), "--time-scale", "60") as sink:
            opened = []

            def connect(_):
                client = Wire(sink.port, source="127.0.0.7")
                opened.append(client)
                return client.reply()

            def send(client, sender):
                client.ask("RSET")
                return wire.deliver(client, sender=sender, message=message)[-1]

            clients = open_clients(sink, CROWD)
            kinds = {
                421: connect,
                450: lambda c: send(c, "a@mail.test"),
                451: lambda c: send(c, "a@rcpt.test"),
                452: lambda c: send(c, "a@size.test"),
            }

            def stage(count, passing):
                """Returns when it began and when it was over."""
                began = time.monotonic()
                for code, use in kinds.items():
                    seen = [s.code for s in at_once(clients[:count], use)]
                    said = {220: 250}
                    found = collections.Counter(said.get(c, c) for c in seen)
                    wanted = collections.Counter({250: passing, code: count - passing})
                    self.assertEqual(found, +wanted, code)
                return began, time.monotonic()

            def sleep_until(moment):
                time.sleep(max(0, moment - time.monotonic()))

            began, over = stage(12, 12)
            self.assertEqual([sum(counts(line).values()) for line in present(sink, 4)], [12, 12, 12, 12_000])
            sleep_until(over + 1.5)
            second, second_over = stage(CROWD, 8)
            self.assertEqual([sum(counts(line).values()) for line in present(sink, 4)], [20, 20, 20, 20_000])
            # Other keys are not touched by a full one.
            self.assertEqual(wire.deliver(clients[0], sender="a@free.test")[-1].code, 250)
            sleep_until(over + window_s + 0.05)
            third, third_over = stage(CROWD, 12)
            self.assertLess(third_over, second + window_s, "this machine was too slow for the test")
            sleep_until(max(second_over, second) + window_s + 0.05)
            stage(CROWD, 8)
            sleep_until(time.monotonic() + window_s + 0.1)
            for line in present(sink, 4):
                self.assertIn("none now", line)
            close_all(clients + opened)

    def test_octets_refuse_what_does_not_fit_and_let_through_what_does(self):
        """Of 20 500 octets, 20 messages of 1000; one of 500 fits behind them, and then not one of 100."""
        def content(count):
            return b"Subject: x\r\n\r\n" + b"y" * (count - 16) + b"\r\n"
        reply = "452 4.3.1 Too much at once"
        with Sink(*rules(f"end-of-data octets=20500/1h per=from-domain: {reply}")) as sink:
            clients = open_clients(sink, CROWD)

            def send(count, sender="a@s.test"):
                return lambda c: wire.deliver(c, sender=sender, message=content(count))[-1]
            seen = at_once(clients, send(1000))
            self.assertEqual(collections.Counter(s.code for s in seen), {250: 20, 452: 30})
            self.assertEqual({s.text for s in seen if s.code == 452}, {reply})
            self.assertEqual(collections.Counter(s.code for s in at_once(clients, send(500))), {250: 1, 452: 49})
            self.assertEqual(collections.Counter(s.code for s in at_once(clients, send(100))), {452: 50})
            self.assertEqual(collections.Counter(s.code for s in at_once(clients, send(1000, "a@t.test"))), {250: 20, 452: 30})
            self.assertEqual(counts(present(sink, 1)[0]), {"s.test": 20_500, "t.test": 20_000})
            close_all(clients)

    def test_recipients_per_sender_domain_and_per_network(self):
        """Three recipients a client: 150 come, 60 pass, in two networks."""
        with Sink(*rules("rcpt limit=60/1h per=client-network,from-domain: 450 4.7.1 Too many recipients")) as sink:
            sources = [f"127.0.{net}.{host}" for host in range(1, 6) for net in (8, 9)]
            clients = open_clients(sink, 2 * CROWD, sources)
            at_once(clients, mail("a@s.test"))
            seen = at_once(clients, lambda c: [c.ask(f"RCPT TO:<b{n}@any.test>").text for n in range(3)])
            for network in (0, 1):
                found = collections.Counter(text for said in seen[network::2] for text in said)
                self.assertEqual(found, {"250 2.1.5 Ok": 60, "450 4.7.1 Too many recipients": 90})
            self.assertEqual(sorted(counts(present(sink, 1)[0]).values()), [60, 60])
            at_once(clients, lambda c: c.ask("RSET"))
            at_once(clients, mail("a@other.test"))
            self.assertEqual(clients[0].ask("RCPT TO:<b@any.test>").code, 250)
            close_all(clients)

    def test_unknown_recipients_by_client(self):
        """Up to 30 % of 20 or more pass; the recipient behind the one that exceeds them does not."""
        lines = ("rcpt unknown-share=30%/20/10m per=client: 450 4.7.1 Too many unknown", "rcpt to=no*: 550 5.1.1 No such user")
        with Sink(*rules(*lines)) as sink:
            clients = open_clients(sink, CROWD, [f"127.0.7.{number + 1}" for number in range(CROWD)])
            at_once(clients, mail("a@s.test"))
            # 9 of 19 would be too many, but 19 say nothing yet; then 9 of 20 do.
            few = ["no"] * 9 + ["yes"] * 10
            # 6 of 20 are 30 % and 6 of 21 less; 7 of 22 are more.
            many = ["no"] * 6 + ["yes"] * 14 + ["yes", "no", "yes", "no", "yes"]

            def talk(pair):
                number, client = pair
                return [client.ask(f"RCPT TO:<{word}@any.test>").code for word in (few + ["yes"] * 3 if number % 2 else many)]
            ends = [[250, 550, 450, 450, 450], [250, 450, 450]]
            for number, said in enumerate(at_once(list(enumerate(clients)), talk)):
                wanted = [550] * 9 + [250] * 10 + ends[1] if number % 2 else [550] * 6 + [250] * 14 + ends[0]
                self.assertEqual(said, wanted)
            close_all(clients)

    def test_errors_by_client(self):
        """Ten 5yz of one client, and its next MAIL is refused, in whichever session; 4yz count nothing."""
        lines = ("mail errors=10/5m per=client: 421 4.7.0 Too many errors", "rcpt to=no*: 550 5.1.1 No such user",
                 "rcpt to=later*: 450 4.2.0 Later")
        with Sink(*rules(*lines)) as sink:
            bad = open_clients(sink, CROWD, ["127.0.0.3"])
            good = open_clients(sink, 5, ["127.0.0.4"])
            at_once(bad + good, mail("a@s.test"))
            at_once(bad + good, lambda c: c.ask("RCPT TO:<later@any.test>"))
            at_once(bad[:9] + good, lambda c: c.ask("RCPT TO:<no@any.test>"))
            self.assertEqual(counts(present(sink, 3)[0]), {"127.0.0.3": 9, "127.0.0.4": 5})
            at_once(bad, lambda c: c.ask("RSET"))
            self.assertEqual({s.code for s in at_once(bad, mail("a@s.test"))}, {250})
            self.assertEqual(bad[0].ask("NOSUCHCOMMAND").code, 500)  # the protocol's own count as well
            at_once(bad + good, lambda c: c.ask("RSET"))
            self.assertEqual(texts(at_once(bad, mail("a@s.test"))), {"421 4.7.0 Too many errors": CROWD})
            self.assertEqual({s.code for s in at_once(good, mail("a@s.test"))}, {250})
            close_all(bad + good)

    def test_errors_of_a_session_need_no_window(self):
        with Sink(*rules("noop errors=3 per=session: 421 4.7.0 Too many errors")) as sink:
            clients = open_clients(sink, CROWD)
            for number in range(4):
                wanted = 250 if number < 3 else 421
                self.assertEqual({s.code for s in at_once(clients, lambda c: c.ask("NOOP"))}, {wanted})
                if number < 3:
                    self.assertEqual({s.code for s in at_once(clients, lambda c: c.ask("WHAT"))}, {500})
            close_all(clients)

    def test_the_last_place_of_errors_is_given_once(self):
        """20 clients pipeline 1800 unknown recipients onto two loops: 1000 are answered, not one more."""
        lines = ("rcpt errors=1000/5m per=listener: 450 4.7.0 Too many errors", "rcpt to=no*: 550 5.1.1 No such user")
        for attempt in range(6):
            with self.subTest(attempt=attempt), Sink(*rules(*lines), "--loops", "2", transcript="off") as sink:
                clients = open_clients(sink, 20)
                for client in clients:
                    client.ask("MAIL FROM:<a@s.test>")
                for client in clients:
                    client.send(b"RCPT TO:<no@any.test>\r\n" * 90)
                found = collections.Counter(client.reply().code for client in clients for _ in range(90))
                close_all(clients)
                self.assertEqual(found, {550: 1000, 450: 800})

    def test_the_last_place_of_unknown_recipients_is_given_once(self):
        """The same for a share: half of the first thousand are unknown, so a thousand are answered."""
        lines = ("rcpt unknown-share=30%/1000/10m per=listener: 450 4.7.1 Too many unknown", "rcpt every=2: 550 5.1.1 No such user")
        for attempt in range(6):
            with self.subTest(attempt=attempt), Sink(*rules(*lines), "--loops", "2", transcript="off") as sink:
                clients = open_clients(sink, 20)
                for client in clients:
                    client.ask("MAIL FROM:<a@s.test>")
                for client in clients:
                    client.send(b"RCPT TO:<b@any.test>\r\n" * 90)
                found = collections.Counter(client.reply().code for client in clients for _ in range(90))
                close_all(clients)
                self.assertEqual(found, {250: 500, 550: 500, 450: 800})

    def test_what_the_protocol_refuses_takes_no_place(self):
        lines = ("mail limit=1/1h per=client: 450 4.7.1 Once", "rcpt limit=1/1h per=client: 451 4.7.1 Once")
        with Sink(*rules(*lines)) as sink, Wire(sink.port) as client:
            wire.hello(client)
            for line, code in (("MAIL FROM:<a@s.test> SIZE=99999999999", 552), ("MAIL FROM:<a@s.test> FOO=1", 555), ("MAIL FROM:a@", 501),
                               ("MAIL FROM:<é@s.test>", 553), ("RCPT TO:<b@any.test>", 503), ("MAIL FROM:<>", 250), ("MAIL FROM:<a@s.test>", 503),
                               ("RCPT TO:<b>", 501), ("RCPT TO:<b@any.test> FOO=1", 555), ("RCPT TO:<b@any.test>", 250),
                               ("RCPT TO:<c@any.test>", 451), ("RSET", 250), ("MAIL FROM:<a@s.test>", 450)):
                self.assertEqual(client.ask(line).code, code, line)

    def test_what_something_else_refuses_takes_no_place(self):
        """Another rule before or behind the limit, a silence, and a magic address."""
        limit = "mail limit=10/1h per=listener: 450 4.7.1 Slower"
        for name, lines, bad, codes in (
                ("a rule behind it", (limit, "mail from=bad*: 550 5.7.1 Not you"), "bad@s.test", {550}),
                ("a rule before it", ("mail from=bad*: 550 5.7.1 Not you", limit), "bad@s.test", {550}),
                ("a close behind it", (limit, "mail from=bad*: close"), "bad@s.test", {None}),
                ("a raw reply behind it", (limit, 'mail from=bad*: raw "550 no\\r\\n"'), "bad@s.test", {550}),
                ("the catalogue", (limit, "mail from=bad*: use yahoo/tss04"), "bad@s.test", {421}),
                ("a magic address", (limit,), "mail-550@s.test", {550}),
                ("another limit", (limit, "mail from=bad* at-once=1: 452 4.3.1 One", "mail from=bad*: 550 5.7.1 No"),
                 "bad@s.test", {550})):
            with self.subTest(name=name), Sink(*rules(*lines)) as sink:
                clients = open_clients(sink, CROWD)
                seen = at_once(clients[25:], mail(bad))
                self.assertEqual({s.code for s in seen}, codes)
                place = lines.index(limit)
                self.assertEqual(counts(present(sink, len(lines))[place]), {})
                self.assertEqual(texts(at_once(clients[:25], mail("good@s.test"))), {"250 2.1.0 Ok": 10, "450 4.7.1 Slower": 15})
                self.assertEqual(sum(counts(present(sink, len(lines))[place]).values()), 10)
                close_all(clients)

    def test_good_and_bad_at_once_count_the_good_alone(self):
        lines = ("mail limit=10/1h per=listener: 450 4.7.1 Slower", "mail from=bad*: 550 5.7.1 Not you")
        with Sink(*rules(*lines)) as sink:
            clients = open_clients(sink, 2 * CROWD)
            seen = at_once(list(enumerate(clients)), lambda p: p[1].ask(f"MAIL FROM:<{'bad' if p[0] % 2 else 'good'}@s.test>"))
            self.assertEqual(texts(seen[::2]), {"250 2.1.0 Ok": 10, "450 4.7.1 Slower": 40})
            # The bad ones get the one or the other refusal, depending on when they came.
            self.assertLessEqual(set(texts(seen[1::2])), {"450 4.7.1 Slower", "550 5.7.1 Not you"})
            close_all(clients)

    def test_each_listener_has_its_own_count(self):
        with Sink(*rules("mail limit=10/1h per=listener: 450 4.7.1 Slower"), smtp=2) as sink:
            for port in sink.ports:
                clients = open_clients(sink, CROWD, port=port)
                self.assertEqual(texts(at_once(clients, mail("a@s.test"))), {"250 2.1.0 Ok": 10, "450 4.7.1 Slower": 40})
                close_all(clients)
            self.assertEqual(sorted(counts(present(sink, 1)[0]).values()), [10, 10])

    def test_two_limits_at_one_phase_both_hold(self):
        """Five of each client, twelve of all; what the second refuses takes no place in the first."""
        lines = ("mail limit=5/1h per=client: 450 4.7.1 You", "mail limit=12/1h per=listener: 451 4.7.1 All of you")
        with Sink(*rules(*lines)) as sink:
            sources = ["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"]
            clients = open_clients(sink, CROWD, sources)
            seen = at_once(clients, mail("a@s.test"))
            self.assertEqual(collections.Counter(s.code for s in seen)[250], 12)
            each, listener = present(sink, 2)
            self.assertEqual(sum(counts(each).values()), 12)
            self.assertLessEqual(max(counts(each).values()), 5)
            self.assertEqual(list(counts(listener).values()), [12])
            close_all(clients)


def rcpt(sink, sender="a@s.test", to="b@any.test", source="127.0.0.1", helo="client.test"):
    """Asks for one recipient in a session of its own."""
    with Wire(sink.port, source=source) as client:
        wire.hello(client, helo)
        client.ask(f"MAIL FROM:<{sender}>")
        return client.ask(f"RCPT TO:<{to}>").code


class Greylists(unittest.TestCase):
    def test_wait_window_and_memory(self):
        """A wait of 1.5 s, a window of 5 s, a memory of 6 s, said as ninety minutes, five hours and six."""
        rule = "rcpt greylist=90m..5h/6h per=client-network,from,to: 451 4.7.1 Greylisted"
        with Sink(*rules(rule), "--time-scale", "3600") as sink:
            began = time.monotonic()

            def at(moment_s):
                time.sleep(max(0, began + moment_s - time.monotonic()))

            def ask(word, **more):
                return rcpt(sink, sender=f"{word}@s.test", **more)
            for word in ("kept", "left", "late", "never"):
                self.assertEqual(ask(word), 451, word)
            self.assertEqual(ask("kept"), 451, "too early")
            self.assertLess(time.monotonic() - began, 1.4, "this machine was too slow for the test")
            at(1.8)
            self.assertEqual(ask("kept", source="127.0.0.9"), 250, "another client of the same network")
            self.assertEqual(ask("left"), 250)
            left = time.monotonic()
            self.assertEqual(ask("kept", source="127.0.9.1"), 451, "another network")
            self.assertEqual(ask("kept", to="c@any.test"), 451, "another recipient")
            self.assertEqual(ask("other"), 451, "another sender")
            self.assertEqual(ask("kept"), 250)
            self.assertLess(time.monotonic() - began, 3.4, "this machine was too slow for the test")
            at(5.3)
            self.assertEqual(ask("kept"), 250)
            self.assertEqual(ask("late"), 451, "the window is over")
            self.assertEqual(ask("late"), 451, "and it waits again")
            at(7.2)
            self.assertEqual(ask("late"), 250, "the second time in the window")
            at(left - began + 6.2)
            self.assertEqual(ask("left"), 451, "forgotten")
            self.assertEqual(ask("kept"), 250, "seen again meanwhile")
            self.assertIn("keep 6h", present(sink, 1)[0])

    def test_fifty_clients_at_once(self):
        """Half of them bring the same tuple, half their own."""
        with Sink(*rules("rcpt greylist=1m per=from,to: 451 4.7.1 Greylisted"), "--time-scale", "30") as sink:
            senders = [f"a{number}@s.test" if number % 2 else "same@s.test" for number in range(CROWD)]
            began = time.monotonic()
            self.assertEqual(set(at_once(senders, lambda s: rcpt(sink, s))), {451})
            self.assertLess(time.monotonic() - began, 1.9, "this machine was too slow for the test")
            self.assertIn("26 seen", present(sink, 1)[0])
            time.sleep(2.1)
            self.assertEqual(set(at_once(senders, lambda s: rcpt(sink, s))), {250})

    def test_any_tuple(self):
        for per, known, new in (
                ("helo", {"sender": "z@z.test", "to": "z@any.test"}, {"helo": "new.test"}),
                ("from-domain,to-domain", {"sender": "z@s.test", "to": "z@any.test", "helo": "z.test"}, {"sender": "a@new.test"}),
                ("client", {"sender": "z@z.test"}, {"source": "127.0.0.2"}),
                ("to", {"sender": "z@z.test", "source": "127.0.0.2"}, {"to": "new@any.test"})):
            with self.subTest(per=per):
                with Sink(*rules(f"rcpt greylist=30m..4h per={per}: 451 4.7.1 Greylisted"), "--time-scale", "3600") as sink:
                    self.assertEqual(rcpt(sink), 451)
                    time.sleep(0.7)
                    self.assertEqual(rcpt(sink, **known), 250)
                    self.assertEqual(rcpt(sink, **new), 451)


class TarpitAndRecovery(unittest.TestCase):
    def test_a_tarpit_grows_with_the_errors_of_its_session(self):
        lines = ("rcpt to=no*: 550 5.1.1 No such user", "rcpt: tarpit 20s..50s, accept")
        with Sink(*rules(*lines), "--time-scale", "100") as sink, Wire(sink.port) as client, Wire(sink.port) as other:
            for each in (client, other):
                wire.hello(each)
                each.ask("MAIL FROM:<a@s.test>")
            for least_s in (0, 0.2, 0.4, 0.5, 0.5, 0.5, 0.5):
                seen = client.ask("RCPT TO:<yes@any.test>")
                self.assertEqual(seen.code, 250)
                self.assertGreaterEqual(seen.after_s, least_s, seen)
                self.assertLess(seen.after_s, least_s + 0.5, seen)  # without its bound the last would take 1.2 s
                self.assertEqual(client.ask("RCPT TO:<no@any.test>").code, 550)
            self.assertLess(other.ask("RCPT TO:<yes@any.test>").after_s, 0.5, "another session has no errors")

    def test_a_server_that_recovers(self):
        """Down for 1 s, then 4 s of a growing share, then all: 40 connections in each half second."""
        with Sink(*rules("connect recover=1m..4m: 421 4.3.2 Recovering"), "--time-scale", "60") as sink:
            began = time.monotonic()
            came = []
            while (moment := time.monotonic() - began) < 6:
                with Wire(sink.port) as client:
                    seen = client.reply()
                if seen.code == 421:
                    self.assertEqual(seen.text, "421 4.3.2 Recovering")
                came.append((moment, time.monotonic() - began, seen.code))
                time.sleep(0.01)
            first = came[0][1]  # its clock starts with the first that comes

            def share(since, until):
                inside = [code for start, end, code in came if start >= since and end <= until]
                self.assertGreaterEqual(len(inside), 20, "this machine was too slow for the test")
                return inside.count(220) / len(inside)
            self.assertEqual(share(0, 0.99), 0)
            quarters = [share(first + 1 + number, 2 + number) for number in range(4)]
            # 12.5, 37.5, 62.5 and 87.5 % are due.
            for quarter, (least, most) in zip(quarters, ((0, 0.4), (0.1, 0.65), (0.35, 0.9), (0.6, 1))):
                self.assertTrue(least <= quarter <= most, quarters)
            self.assertLess(quarters[0], quarters[3])
            self.assertEqual(share(first + 5, 6.1), 1)


class Draws(unittest.TestCase):
    MESSAGES = [(f"sender{number}@s.test", (f"to{number}@any.test", "all@any.test")) for number in range(100)]

    def fates(self, order, loops, seed, sessions):
        """Each message's fate: the replies to MAIL, to each recipient, and at the end."""
        lines = ("mail chance=20%: 451 4.3.0 Drawn", "rcpt 30%: 550 5.7.1 Drawn", "end-of-data 10%: 452 4.3.1 Drawn")
        with Sink(*rules(*lines), "--loops", str(loops), "--seed", str(seed), transcript="off") as sink:
            def talk(messages):
                fates = {}
                with Wire(sink.port) as client:
                    wire.hello(client)
                    for sender, recipients in messages:
                        said = [client.ask(f"MAIL FROM:<{sender}>").code]
                        if said[0] == 250:
                            said += [client.ask(f"RCPT TO:<{to}>").code for to in recipients]
                        if 250 in said[1:]:
                            client.ask("DATA")
                            said.append(client.send(wire.MESSAGE + b".\r\n").reply().code)
                        client.ask("RSET")
                        fates[sender] = said
                return fates
            together = {}
            for fates in at_once([order[start::sessions] for start in range(sessions)], talk):
                together.update(fates)
            return together

    def test_the_order_of_messages_does_not_matter_and_the_seed_does(self):
        shuffled = self.MESSAGES[:]
        random.Random(7).shuffle(shuffled)
        first = self.fates(self.MESSAGES, loops=1, seed=11, sessions=1)
        self.assertEqual(len(first), 100)
        for name, order, loops, sessions in (
                ("again", self.MESSAGES, 1, 1), ("backwards", self.MESSAGES[::-1], 1, 1), ("shuffled", shuffled, 2, 1),
                ("in ten sessions on two loops", shuffled, 2, 10), ("in fifty", self.MESSAGES[::-1], 2, 50)):
            with self.subTest(name=name):
                found = self.fates(order, loops, 11, sessions)
                self.assertEqual({s: (first[s], f) for s, f in found.items() if first[s] != f}, {})
        other = self.fates(self.MESSAGES, loops=1, seed=12, sessions=1)
        self.assertGreater(sum(first[s] != f for s, f in other.items()), 20)
        # The shares are those that were asked for, within five standard deviations.
        self.assertTrue(0 < sum(f[0] == 451 for f in first.values()) <= 40)
        recipients = [code for f in first.values() if f[0] == 250 for code in f[1:3]]
        self.assertTrue(0.1 <= recipients.count(550) / len(recipients) <= 0.5)

    def test_ten_times_the_same_envelope_has_ten_fates_in_the_order_of_their_coming(self):
        """A message that comes again is drawn again, and what runs beside it takes nothing of its draws."""
        def fates(beside):
            with Sink(*rules("rcpt 50%: 450 4.2.0 Drawn"), "--seed", "3") as sink, Wire(sink.port) as client:
                wire.hello(client)
                said = []
                for number in range(32):
                    client.ask("MAIL FROM:<a@s.test>")
                    for other in range(beside):
                        client.ask(f"RCPT TO:<other{number}.{other}@any.test>")
                    said.append(client.ask("RCPT TO:<b@any.test>").code)
                    client.ask("RSET")
                return said
        alone = fates(0)
        self.assertEqual({250, 450}, set(alone))
        self.assertEqual(alone, fates(3))


if __name__ == "__main__":
    unittest.main()
