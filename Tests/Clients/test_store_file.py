# --store FILE: what was answered 250 is there after whatever end, once and octet for octet; a file that is none of ours, or
# in use, is refused in words; a full disk is told to the client, and over when there is room again.

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest

import wire
from api import API, Events, is_problem, mail
from sink import BINARY, ROOT, NotReady, Sink, run
from wire import Wire

# Taken out of the environment: fakemx refuses variables of its own that it does not know.
ROUNDS = int(os.environ.pop("FAKEMX_KILL_ROUNDS", "8"))
SENDERS = 6
QUIET = dict(transcript="off", http="127.0.0.1:0")


class Stored(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="fakemx-store-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.file = os.path.join(self.folder, "mail.db")

    def start(self, *arguments, file=None):
        return Sink("--store", file or self.file, *arguments, **QUIET)

    def refused(self, file, *words):
        status, out, err = run("serve", "--smtp", "127.0.0.1:0", "--http", "off", "--store", file)
        self.assertEqual((status, out), (2, ""), err)
        for word in words:
            self.assertIn(word, err)
        self.assertNotIn("Error Domain", err)


class Restarts(Stored):
    def test_messages_sessions_and_ids_go_on(self):
        content = b"Subject: kept\r\n\r\n" + bytes(range(256)) + b"\r\n.\r\n"
        with self.start("--judge", "off") as sink:
            api = API(sink.url)
            self.assertEqual(api.info()["store"], self.file)
            with Wire(sink.port) as client:
                wire.hello(client)
                client.ask("MAIL FROM:<a@s.test> BODY=BINARYMIME"), client.ask("RCPT TO:<b@any.test>"), client.ask("RCPT TO:<c@any.test>")
                self.assertEqual(client.send(b"BDAT %d LAST\r\n" % len(content) + content).reply().code, 250)
                client.ask("QUIT")
                client.end()
            self.assertEqual(mail(sink.port, "rcpt-550@any.test"), 550)
            api.until(lambda info: info["sessions"]["ever"] == 2)
            before = (api.found("messages")["messages"], api.found("sessions")["sessions"], api.found("sessions/s1"))
            transcript = api.get("sessions/s1/transcript").text
            cursor = api.found("cursor")["cursor"]
            self.assertEqual(sink.stop(), 0)
        with self.start("--judge", "off") as sink:
            api = API(sink.url)
            after = (api.found("messages")["messages"], api.found("sessions")["sessions"], api.found("sessions/s1"))
            self.assertEqual(after, before)
            self.assertEqual(api.get("sessions/s1/transcript").text, transcript)
            self.assertEqual(api.get("messages/s1.1/raw").body, content)
            self.assertEqual((api.info()["messages"]["kept"], api.info()["messages"]["ever"]), (1, 0))
            # A cursor of the run before divides here, too.
            self.assertEqual(api.found("messages", since=cursor)["messages"], [])
            self.assertEqual(api.get("wait", for_="message", since=cursor, timeout="0").status, 408)
            self.assertEqual(mail(sink.port, "later@any.test"), 250)
            self.assertEqual([m["id"] for m in api.found("messages", since=cursor)["messages"]], ["s3.1"])
            self.assertEqual(api.found("wait", for_="message", since=cursor, timeout="1")["count"], 1)
            api.call("DELETE", "messages/s1.1")
            self.assertEqual(len(Events(api, since="all", follow="false").all()), 4, "the chronicle is of one run")
        with self.start("--judge", "off") as sink:
            api = API(sink.url)
            self.assertEqual([m["id"] for m in api.found("messages")["messages"]], ["s3.1"])
            api.call("POST", "reset")
            self.assertEqual(mail(sink.port), 250)
            self.assertEqual([m["id"] for m in api.found("messages")["messages"]], ["s4.1"], "ids are not given twice")
        with self.start("--judge", "off") as sink:
            self.assertEqual([m["id"] for m in API(sink.url).found("messages")["messages"]], ["s4.1"])

    def test_filters_find_what_an_earlier_run_stored(self):
        with self.start() as sink:
            for number in range(30):
                mail(sink.port, f"u{number % 3}@d{number % 5}.test", subject=f"number {number}")
        with self.start() as sink:
            api = API(sink.url)
            self.assertEqual(len(api.found("messages", to="u1@*")["messages"]), 10)
            self.assertEqual(len(api.found("messages", to="*@d4.test")["messages"]), 6)
            self.assertEqual(len(api.found("messages", space="d4")["messages"]), 6)
            self.assertEqual(len(api.found("messages", subject="number 7")["messages"]), 1)
            self.assertEqual(len(api.found("sessions", to="u1@d1.test", verdict="accepted")["sessions"]), 2)
            removed = api.call("DELETE", "messages", {"to": "u0@*"}).json["removed"]
            self.assertEqual((removed, api.info()["messages"]["kept"]), (10, 20))

    def test_full_sync_works_the_same(self):
        with self.start("--store-sync", "full") as sink:
            for number in range(20):
                self.assertEqual(mail(sink.port, f"u{number}@any.test"), 250)
            os.kill(sink.pid, signal.SIGKILL)
            sink.process.wait()
        with self.start("--store-sync", "full") as sink:
            self.assertEqual(len(API(sink.url).found("messages")["messages"]), 20)


class Refusals(Stored):
    def test_a_second_fakemx(self):
        with self.start() as sink:
            self.refused(self.file, "another fakemx has this store open", self.file)
            self.assertEqual(mail(sink.port), 250, "the first one does not mind")
        with self.start() as sink:
            self.assertEqual(len(API(sink.url).found("messages")["messages"]), 1)

    def test_a_second_fakemx_by_another_name_of_the_file(self):
        link = os.path.join(self.folder, "link.db")
        with self.start():
            os.symlink(self.file, link)
            try:
                other = self.start(file=link)
            except NotReady as error:
                self.assertIn("another fakemx", str(error))
            else:
                other.stop()
                self.fail("two have one store open")

    def test_files_that_are_no_store(self):
        for name, content in (("text.db", b"hello"), ("random.db", os.urandom(9000)), ("half.db", b"SQLite format 3\0" + b"\0" * 50)):
            with self.subTest(name=name):
                path = os.path.join(self.folder, name)
                with open(path, "wb") as file:
                    file.write(content)
                self.refused(path, path)
                with open(path, "rb") as file:
                    self.assertEqual(file.read(), content, "it was written to")
        other = os.path.join(self.folder, "other.db")
        with sqlite3.connect(other) as database:
            database.execute("CREATE TABLE mine (x)")
        database.close()
        self.refused(other, other)
        with sqlite3.connect(other) as database:
            self.assertEqual([name for name, in database.execute("SELECT name FROM sqlite_master")], ["mine"])
        database.close()

    def test_a_newer_version(self):
        with self.start():
            pass
        database = sqlite3.connect(self.file)
        database.execute("PRAGMA user_version = 999")
        database.commit()
        database.close()
        self.refused(self.file, "newer fakemx", "999")

    def test_a_folder_and_places_that_are_not_there(self):
        os.mkdir(os.path.join(self.folder, "folder.db"))
        self.refused(os.path.join(self.folder, "folder.db"), "folder")
        self.refused(os.path.join(self.folder, "nowhere", "x.db"), "does not exist")
        self.refused("/dev/null/x.db", "/dev/null")
        self.refused("sqlite", "memory, none")

    def test_no_permission(self):
        # Root may everything, so somebody else tries; who is not root tries himself.
        closed = os.path.join(self.folder, "closed")
        os.mkdir(closed, 0o500)
        mine = os.path.join(self.folder, "theirs.db")
        with self.start(file=mine):
            pass
        os.chmod(self.folder, 0o755)
        os.chmod(mine, 0o400)
        more = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
        if more:
            os.chmod(closed, 0o700)
        with tempfile.TemporaryDirectory() as place:
            binary = os.path.join(place, "fakemx")
            os.chmod(place, 0o755)
            shutil.copy(BINARY, binary)  # where the other one may read it
            for path in (mine, os.path.join(closed, "new.db")):
                with self.subTest(path=path):
                    done = subprocess.run([binary, "serve", "--smtp", "127.0.0.1:0", "--http", "off", "--store", path], cwd=place,
                                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20, **more)
                    self.assertEqual(done.returncode, 2, done.stderr)
                    self.assertIn(path, done.stderr.decode())
                    self.assertRegex(done.stderr.decode().lower(), "permission|denied|may not|read-only|not allowed")


class FullDisk(Stored):
    def test_a_full_disk_is_told_and_is_over_when_there_is_room(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a small tmpfs needs root")
        small = os.path.join(self.folder, "small")
        os.mkdir(small)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", small], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", small])
        content = b"Subject: much\r\n\r\n" + (b"x" * 76 + b"\r\n") * 3000
        ballast = os.path.join(small, "ballast")
        with open(ballast, "wb") as file:
            file.write(b"\0" * (2 << 20))
        with self.start(file=os.path.join(small, "mail.db")) as sink:
            api = API(sink.url)
            accepted, refused = 0, None
            with Wire(sink.port) as client:
                wire.hello(client)
                for _ in range(60):
                    seen = wire.deliver(client, message=content)[-1]
                    if seen.code != 250:
                        refused = seen
                        break
                    accepted += 1
                self.assertIsNotNone(refused, "the disk never got full")
                self.assertEqual((refused.code, refused.lines[0][:9]), (452, "452 4.3.1"))
                self.assertGreater(accepted, 3)
                self.assertEqual(wire.deliver(client, message=content)[-1].code, 452, "the session goes on")
                trouble = is_problem(self, api.get("/readyz"), 503, "store-trouble")
                self.assertRegex(trouble["detail"].lower(), "full|space|room")
                self.assertTrue(api.info()["trouble"])
                self.assertEqual(api.get("/livez").status, 200)
                # What was stored can be read while the disk is full.
                listed = api.found("messages", limit=1000)["messages"]
                self.assertEqual(len(listed), accepted)
                self.assertEqual(api.get(f"messages/{listed[-1]['id']}/raw").body, content)
                os.unlink(ballast)
                deadline = time.monotonic() + 10
                while (code := wire.deliver(client, message=content)[-1].code) != 250:
                    self.assertEqual(code, 452)
                    self.assertLess(time.monotonic(), deadline, "there is room, and it still refuses")
                    time.sleep(0.1)
            self.assertEqual(api.get("/readyz").status, 200, api.get("/readyz"))
            self.assertNotIn("trouble", api.info())
            self.assertEqual(api.info()["messages"]["kept"], accepted + 1)
            self.assertIn("fakemx_store_refusals_total", api.get("/metrics").text)
        with self.start(file=os.path.join(small, "mail.db")) as sink:
            self.assertEqual(API(sink.url).info()["messages"]["kept"], accepted + 1)

    def test_deleting_makes_room_on_a_full_disk(self):
        if os.geteuid() != 0:
            self.skipTest("mounting a small tmpfs needs root")
        small = os.path.join(self.folder, "small")
        os.mkdir(small)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", small], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", small])
        content = b"Subject: much\r\n\r\n" + (b"x" * 76 + b"\r\n") * 3000
        with self.start(file=os.path.join(small, "mail.db")) as sink:
            api = API(sink.url)
            with Wire(sink.port) as client:
                wire.hello(client)
                while wire.deliver(client, message=content)[-1].code == 250:
                    pass
                listed = api.found("messages", limit=1000)["messages"]
                removed = api.call("DELETE", "messages")
                self.assertEqual((removed.status, removed.json["removed"]), (200, len(listed)))
                deadline = time.monotonic() + 4
                while (code := wire.deliver(client, message=content)[-1].code) != 250:
                    self.assertLess(time.monotonic(), deadline, f"everything was deleted, and it says {code}")
                    time.sleep(0.1)


class Ledger:
    """What senders know: which messages they sent whole, and for which they got a 250."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent, self.answered = {}, set()

    def sending(self, token, content):
        with self.lock:
            self.sent[token] = content

    def accepted(self, token):
        with self.lock:
            self.answered.add(token)


class Kills(Stored):
    def send(self, port, ledger, prefix, dice, stop):
        number = 0
        while not stop.is_set():
            try:
                with Wire(port) as client:
                    if client.reply().code != 220 or client.ask(f"EHLO {prefix}.test").code != 250:
                        return
                    for _ in range(dice.randrange(1, 20)):
                        number += 1
                        token = f"{prefix}-{number}"
                        size = dice.choice((10, 200, 3_000, 60_000, 200_000)) if dice.random() < 0.5 else 100
                        content = f"Subject: {token}\r\n\r\n".encode() + dice.randbytes(size // 2).hex().encode() + b"\r\n"
                        client.ask(f"MAIL FROM:<{token}@s.test>")
                        client.ask("RCPT TO:<b@any.test>")
                        if client.ask("DATA").code != 354:
                            return
                        ledger.sending(token, content)
                        seen = client.send(content + b".\r\n").reply(20)
                        if seen.code != 250:
                            return
                        ledger.accepted(token)
                    if dice.random() < 0.7:
                        client.ask("QUIT")
            except OSError:
                return

    def test_every_250_survives_kill_9_at_any_moment(self):
        dice = random.Random(9)
        ledger = Ledger()
        known, kept, started = {}, 0, []
        # What retention drops would look like what was lost.
        config = os.path.join(self.folder, "keep.yaml")
        with open(config, "w") as file:
            file.write("retention: { messages: 10000000, message-octets: 64GiB, sessions: 10000000, session-octets: 8GiB }\n")
        for turn in range(ROUNDS + 1):
            sync = ["--store-sync", "full"] if turn == ROUNDS - 1 else []
            began = time.monotonic()
            with self.start("--config", config, *sync) as sink:
                started.append(time.monotonic() - began)
                api = API(sink.url, patience_s=60)
                kept = self.check(api, ledger, known, turn)
                if turn == ROUNDS:
                    self.assertEqual(mail(sink.port), 250)
                    break
                stop = threading.Event()
                senders = [threading.Thread(target=self.send, args=(sink.port, ledger, f"r{turn}t{n}", random.Random(turn * 100 + n), stop))
                           for n in range(SENDERS)]
                [sender.start() for sender in senders]
                if turn % 3 == 2:  # among other things that write
                    victim = next(iter(known), None)
                    if victim:
                        answer = api.call("DELETE", f"messages/{victim}")
                        self.assertEqual(answer.status, 200)
                        token = known.pop(victim)
                        ledger.sent.pop(token)
                        ledger.answered.discard(token)
                time.sleep(dice.uniform(0.03, 0.7))
                os.kill(sink.pid, signal.SIGKILL)
                sink.process.wait()
                stop.set()
                [sender.join() for sender in senders]
        size = os.path.getsize(self.file) >> 20
        print(f"\n      {ROUNDS} kills: {len(ledger.answered)} of {len(ledger.sent)} messages were answered, {kept} are there; "
              f"the file has {size} MiB; starts took {max(started) * 1000:.0f} ms at most")
        self.assertGreater(len(ledger.answered), ROUNDS)

    def check(self, api, ledger, known, turn):
        """Everything answered is there once and whole, everything there was sent. Looks into what is new."""
        stored, before = {}, None
        while True:
            page = api.found("messages", limit=1000, **({"before": before} if before else {}))
            for message in page["messages"]:
                self.assertNotIn(message["id"], stored, f"round {turn}: an id stands twice")
                stored[message["id"]] = message["subject"]
            before = page.get("next")
            if not before:
                break
        tokens = list(stored.values())
        self.assertEqual(len(tokens), len(set(tokens)), f"round {turn}: a message is there twice")
        self.assertEqual(ledger.answered - set(tokens), set(), f"round {turn}: answered 250 and lost")
        self.assertEqual(set(tokens) - set(ledger.sent), set(), f"round {turn}: nobody sent these whole")
        self.assertEqual((api.info()["messages"]["kept"], api.info()["messages"]["dropped"]), (len(stored), 0))
        for number, token in stored.items():
            if number not in known:
                self.assertEqual(api.get(f"messages/{number}/raw").body, ledger.sent[token], f"round {turn}: {number} is not what was sent")
                known[number] = token
        sessions = api.found("sessions", limit=1000)["sessions"]
        for session in sessions[:5] + sessions[-5:]:
            self.assertTrue(api.found(f"sessions/{session['id']}")["lines"])
        self.assertEqual(len({session["id"] for session in sessions}), len(sessions))
        self.assertEqual(api.get("/readyz").status, 200)
        return len(stored)


if __name__ == "__main__":
    unittest.main()
