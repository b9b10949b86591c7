# A real Postfix and a real Exim send through fakemx, which goes wrong at each phase in each way, once or always. What
# the MTA's own log says is compared with what fakemx recorded. The table is kept in mta-table.md: a run that comes to
# other results fails, and writes what it found with FAKEMX_WRITE_TABLE=1. Both are judged as well: no fault of ours may be
# held against them.

import concurrent.futures
import os
import re
import time
import unittest

import fair
import mta
from fair import May
from sink import Sink

TABLE = os.path.join(os.path.dirname(os.path.realpath(__file__)), "mta-table.md")
LIMIT_S = 60
PHASES = ("greeting", "ehlo", "starttls", "mail", "rcpt", "data", "end-of-data")
ANSWERS = {"4yz": "451 4.3.0 Not now", "5yz": "554 5.3.0 Not ever", "dropped": "close"}
LOST_REPLY = "reply lost"
MODES = {"once": " first=1", "always": ""}
MESSAGE = b"From: sender@origin.test\nTo: %s\nSubject: cell\nMessage-ID: <%s@origin.test>\n\nhello\n"

# What may be found: (phase, answer) is the row.
ALLOWED = [
    May("hdr-dkim-missing", "neither signs: that is the work of a filter behind it", severities=["reputation"]),
    May("tls-no-sni", "a sink that is reached by its address has no name", severities=["info"]),
    May("tls-weak-ciphers", "anonymous suites are in order where nobody is authenticated", ["Postfix"],
        severities=["info"]),
    May("retry-immediate", "RETRY_S tells both to come back after two seconds, which RFC 5321 §4.5.4.1 allows nobody",
        where=lambda row: row[1] == "4yz"),
    # Behind a close, both come again in clear in a later session, and that is not held against them.
    May("tls-clear-after-failure", "their policy is `may`: STARTTLS is refused, and they go on in clear in the same session",
        where=lambda row: row in (("starttls", "4yz"), ("starttls", "5yz")), severities=["reputation"]),
]

# How the logs name the phase. The first that matches counts. Postfix's "refused to talk to me" may be the greeting or HELO.
CLAIMS = (
    (None, r"refused to talk to me"),
    ("greeting", r"while receiving the initial server greeting|(after|in response to) initial connection"),
    ("ehlo", r"in reply to (EHLO|HELO) command|while performing the (EHLO|HELO) handshake|(after|in response to) (EHLO|HELO)"),
    ("starttls", r"in reply to STARTTLS command|while receiving the STARTTLS response|(after|in response to) STARTTLS"),
    ("mail", r"in reply to MAIL FROM command|while sending MAIL FROM|(after|in response to) (pipelined )?MAIL FROM"),
    ("rcpt", r"in reply to RCPT TO command|while sending RCPT TO|(after|in response to) (pipelined )?RCPT TO"),
    ("end-of-data", r"in reply to end of DATA command|while sending end of data|(after|in response to) (pipelined )?end of data"),
    ("data", r"in reply to DATA command|while sending DATA command|(after|in response to) (pipelined )?(sending )?DATA"),
)


class Cell:
    def __init__(self, phase, answer, mode):
        self.phase, self.answer, self.mode = phase, answer, mode
        action = "keep, close" if answer == LOST_REPLY else ANSWERS[answer]
        self.rule = f"{phase}{MODES[mode]}: {action}"
        self.domain = f"{phase}-{answer}-{mode}.test".replace(" ", "-")
        self.recipient = f"b@{self.domain}"

    def start(self):
        rules = ["--rule", self.rule]
        if self.phase == "data":
            rules += ["--rule", "ehlo: hide CHUNKING"]
        self.sink = Sink(*rules, "--hostname", "mx.sink.test", "--loops", "1", http="127.0.0.1:0")

    def stored(self):
        return sum(1 for s in self.sink.records for t in s["transactions"] if t.get("message"))

    def unfair(self, client):
        """What was found, and is not on the list of what may be."""
        return fair.unfair(self.sink, ALLOWED, lambda record: (client, (self.phase, self.answer)))

    def recorded(self):
        """The first session's fault and answer as fakemx tells it."""
        found = [(s, f) for s in self.sink.records for f in s["faults"] if not f["action"].startswith("hide")]
        if not found:
            return "no fault", None
        session, fault = found[0]
        phase = fault["phase"]
        refused = session.get("reply") if session.get("verdict") in ("rejected", "deferred") else None
        if refused is None and fault["action"][:1].isdigit():
            refused = fault["action"]
        if refused:
            word = "rejected" if refused.startswith("5") else "deferred"
            return f"{word} at {phase}", phase
        verdict = "lost" if "lost" in [t.get("verdict") for t in session["transactions"]] else session["ended_by"]
        if verdict == "lost":
            verdict += ", stored" if any(t.get("message") for t in session["transactions"]) else ", not stored"
        return f"{verdict} at {phase}", phase


def cells():
    for phase in PHASES:
        for answer in ANSWERS:
            for mode in MODES:
                yield Cell(phase, answer, mode)
    for mode in MODES:
        yield Cell("end-of-data", LOST_REPLY, mode)


def claimed_phase(text):
    for phase, pattern in CLAIMS:
        if re.search(pattern, text):
            return phase
    return None


def outcome(attempts, stored):
    """One word for what became of the message, from the MTA's log and the sink's store."""
    statuses = [status for status, _ in attempts]
    if "bounced" in statuses:
        return "bounced"
    if "sent" in statuses:
        if stored > 1:
            return "delivered twice"
        return "delivered" if statuses[0] == "sent" else "deferred, then delivered"
    if stored > 1:
        return "deferred, delivered again and again"
    return "deferred"


def plain(text):
    """The log's words without what changes from run to run."""
    if "Connection" not in text and "SMTP" not in text and " C=" in text:
        text = re.sub(r'.* C="(.*?)".*', r"\1", text)
    text = re.sub(r"^.*?(?=SMTP error|defer \(|TLS session|Remote host|remote host|H=)", "", text)
    text = re.sub(r"(127\.0\.0\.1)(\[127\.0\.0\.1\])?(:\d+)?", r"\1", text)
    text = re.sub(r"\b(H=|I=)\S+( \[127\.0\.0\.1\](:\d+)?)?:? ?", "", text)
    text = re.sub(r"X=\S+ CV=\S+ DN=\"[^\"]*\":? ?", "", text)
    text = re.sub(r" (DT|QT|S|T)=\S+", "", text)
    text = re.sub(r"<b@[^>]*>|b@\S+\.test", "<b@any.test>", text)
    text = re.sub(r"queued as \S+", "queued as ID", text)
    text = re.sub(r" SIZE=\d+", " SIZE=N", text)
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def is_settled(cell, attempts):
    statuses = [status for status, _ in attempts]
    if "bounced" in statuses or "sent" in statuses:
        return True
    return cell.mode == "always" and len(statuses) >= 2


def run_mta(kind, unfair):
    """One MTA through all cells at once; returns its rows, and adds to `unfair` what was found against it."""
    every = list(cells())
    try:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            list(pool.map(Cell.start, every))
        server = kind({cell.domain: cell.sink.port for cell in every})
        try:
            for number, cell in enumerate(every):
                server.submit(cell.recipient, MESSAGE % (cell.recipient.encode(), f"{kind.name}-{number}".encode()))
            deadline = time.monotonic() + LIMIT_S
            while True:
                attempts = server.attempts()
                open_cells = [c for c in every if not is_settled(c, attempts.get(c.recipient, []))]
                if not open_cells or time.monotonic() > deadline:
                    break
                time.sleep(0.5)
            attempts = server.attempts()
            log = server.log()
        finally:
            server.stop()
        if open_cells:
            raise AssertionError(
                f"{kind.name}: not settled after {LIMIT_S} s: {[c.domain for c in open_cells]}\n{log[-3000:]}")
        for cell in every:
            unfair += cell.unfair(kind.name)
        return [row(kind.name, cell, attempts[cell.recipient]) for cell in every]
    finally:
        for cell in every:
            if hasattr(cell, "sink"):
                cell.sink.stop()


def row(name, cell, attempts):
    recorded, phase = cell.recorded()
    said = plain(attempts[0][1])
    claim = claimed_phase(said)
    if attempts[0][0] == "sent":
        agrees = "not mentioned"
    else:
        agrees = "yes" if claim == phase else f"no, says {claim}" if claim else "does not say"
    return (cell.phase, cell.answer, cell.mode, name, outcome(attempts, cell.stored()), recorded, agrees,
            f"{attempts[0][0]}: {said}")


def render(rows):
    head = ("phase", "answer", "fires", "MTA", "outcome", "fakemx recorded", "the log names the phase", "first line of the MTA's log")
    lines = [
        "<!-- Written by Tests/Clients/test_mta.py from a real run (FAKEMX_WRITE_TABLE=1 Scripts/test mta); do not edit. -->",
        "# What real MTAs make of a fault",
        "",
        "Postfix and Exim as Debian 12 ships them, one message a row, on loopback. `once`: the fault fires for the first",
        "attempt alone; `always`: for each. `dropped` is a close without a reply; at the final dot the message is not stored,",
        "while `reply lost` stores it and closes before the 250. At `data` the sink hides CHUNKING: Exim prefers BDAT, which",
        "needs no DATA command, and then blames the end of data for what was said to MAIL.",
        "",
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
    ]
    order = {phase: number for number, phase in enumerate(PHASES)}
    answers = {answer: number for number, answer in enumerate([*ANSWERS, LOST_REPLY])}
    for entry in sorted(rows, key=lambda r: (order[r[0]], answers[r[1]], r[2] != "once", r[3] != "Postfix")):
        lines.append("| " + " | ".join(entry) + " |")
    return "\n".join(lines) + "\n"


class MailServers(unittest.TestCase):
    maxDiff = None

    def test_the_table_of_phases_and_answers(self):
        rows, missing, unfair = [], [], []
        for kind in (mta.Postfix, mta.Exim):
            try:
                rows += run_mta(kind, unfair)
            except mta.Missing as reason:
                missing.append(f"{kind.name}: {reason}")
        if not rows:
            self.skipTest("; ".join(missing))
        with self.subTest("no fault of ours is held against an MTA"):
            self.assertEqual(unfair, [])
            self.assertEqual([] if missing else fair.unused(ALLOWED), [])
        with self.subTest("what must hold for any MTA"):
            for entry in rows:
                self.check(entry)
        if os.environ.get("FAKEMX_WRITE_TABLE"):
            if missing:
                self.fail(f"the table needs both MTAs: {missing}")
            with open(TABLE, "w") as file:
                file.write(render(rows))
            return
        names = {entry[3] for entry in rows}
        with open(TABLE) as file:
            known = [line for line in file.read().splitlines() if line.startswith("| ") and line.split(" | ")[3] in names]
        found = [line for line in render(rows).splitlines() if line.startswith("| ") and line.split(" | ")[3] in names]
        self.assertEqual(found, known)
        if missing:
            self.skipTest("; ".join(missing))

    def check(self, entry):
        phase, answer, mode, name, result, recorded, _, said = entry
        self.assertIn(f"at {phase}", recorded, entry)
        if answer == LOST_REPLY:
            self.assertIn(result, ("delivered twice", "deferred, delivered again and again"), entry)
        if answer == "4yz":
            self.assertNotEqual(result, "bounced", entry)
        if answer == "dropped":
            self.assertNotIn(result, ("bounced", "delivered twice"), entry)
        if answer == "5yz" and phase in ("mail", "rcpt", "data", "end-of-data"):
            self.assertEqual(result, "bounced", entry)


if __name__ == "__main__":
    unittest.main()
