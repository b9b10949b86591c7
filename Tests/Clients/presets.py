# Six real clients meet each preset of `raw` and each entry of the menu of bad TLS, one message each. What became of the
# message is one word, from what fakemx stored and what the client itself says. Writes no file and compares nothing.

import concurrent.futures
import json
import os
import re
import smtplib
import ssl
import subprocess
import threading
import time
import urllib.request

import clients
import fair
import mta
from sink import Sink

HOST = "localhost"  # so called by every client, and so named by the certificate
LIMIT_S = 5  # how long a client waits for a reply
PATIENCE_S = 10  # how long one is waited for that does not keep to its limit
SETTLE_S = 90
AT_ONCE = 6
SILENCE = "nothing at all: it kept on waiting, and was ended"
MESSAGE = b"From: sender@origin.test\nTo: %s\nSubject: cell\nMessage-ID: <%s@origin.test>\n\nhello\n"

NOTHING = "nothing wrong"
PRESETS = (
    (NOTHING, None),
    *(("greeting", name) for name in ("multiline-greeting", "greeting-without-esmtp", "pix", "bare-lf-reply", "no-text",
                                      "no-code", "mixed-codes", "missing-last-line", "long-line", "long-line-4k",
                                      "eight-bit-text", "nul-in-reply", "two-replies", "split-reply",
                                      "unsolicited-421")),
    *(("ehlo", name) for name in ("lowercase-ehlo", "bare-lf-reply", "no-text", "no-code", "mixed-codes",
                                  "missing-last-line", "long-line-4k", "nul-in-reply", "two-replies", "split-reply",
                                  "early-reply")),
    *(("mail", name) for name in ("early-reply", "unsolicited-421")),
    *(("rcpt", name) for name in ("bare-lf-reply", "no-text", "no-code", "mixed-codes", "missing-last-line",
                                  "long-line", "long-line-4k", "eight-bit-text", "nul-in-reply", "two-replies",
                                  "split-reply", "early-reply", "unsolicited-421")),
    *(("data", name) for name in ("early-reply", "two-replies")),
    *(("end-of-data", name) for name in ("no-code", "missing-last-line", "two-replies", "unsolicited-421")),
)
MENU = (
    NOTHING, "expired", "not-yet-valid", "wrong-host", "self-signed", "untrusted-root", "incomplete-chain",
    "reversed-chain", "no-common-name", "no-san", "sha1", "rsa-1024", "huge-chain", "client-certificate-required",
    "only-tls1.0", "only-tls1.1", "only-tls1.2", "only-tls1.3", "weak-ciphers", "stall", "close-in-handshake",
    "close-after-handshake", "no-close-notify", "alert-handshake-failure", "alert-internal-error", "hidden", "refused",
    "silent", "garbage", "close", "ehlo-changed", "offered-again", "injected-reply",
)
# Those that are decided before STARTTLS is said.
MENU_AT_EHLO = ("hidden",)
PLAIN, OPPORTUNISTIC, VERIFYING = "plain", "opportunistic", "verifying"
NAMES = ("smtplib", "curl", "msmtp", "swaks", "Postfix", "Exim")
# They know no "with TLS if there is any".
WITHOUT_OPPORTUNISM = ("smtplib", "msmtp")

POSTFIX_MAIN = """\
smtp_connect_timeout = {limit}s
smtp_helo_timeout = {limit}s
smtp_mail_timeout = {limit}s
smtp_rcpt_timeout = {limit}s
smtp_data_init_timeout = {limit}s
smtp_data_xfer_timeout = {limit}s
smtp_data_done_timeout = {limit}s
smtp_quit_timeout = {limit}s
smtp_starttls_timeout = {limit}s
"""
POSTFIX_VERIFIES = """\
smtp_tls_security_level = secure
smtp_tls_CAfile = {ca}
"""
EXIM_VERIFIES = """\
  hosts_require_tls = *
  tls_verify_certificates = {ca}
  tls_verify_hosts = *
"""


class Cell:
    """One client at one row under one policy."""

    def __init__(self, row, client, policy, number):
        self.row, self.client, self.policy = row, client, policy
        self.domain = f"r{number}-{client.lower()}-{policy}.test"
        self.recipient = f"b@{self.domain}"
        self.word = self.says = ""

    @property
    def key(self):
        return (*self.row, self.client, self.policy)


# --- clients that send one message and end --------------------------------------------------------------------------


class Said:
    """`sent`, `timed_out`, a refusal's `code` where the client tells one, and its words."""

    def __init__(self, sent, words, code=None, timed_out=False):
        self.sent, self.words, self.code, self.timed_out = sent, words, code, timed_out


def command(words, stdin, code, told, timed_out):
    try:
        status, output = clients.call(words, stdin, PATIENCE_S)
    except subprocess.TimeoutExpired:
        return Said(False, SILENCE, timed_out=True)
    lines = [line.strip() for line in output.splitlines() if re.search(told, line)]
    return Said(status == 0, lines[0] if lines else "", clients.code_in(output, code),
                re.search(timed_out, output) is not None)


def swaks(port, to, policy, ca):
    flags = {PLAIN: [], OPPORTUNISTIC: ["--tls-optional"],
             VERIFYING: ["--tls", "--tls-verify", "--tls-ca-path", ca]}[policy]
    return command(["swaks", "-4", "--server", HOST, "--port", str(port), "--ehlo", "client.test", "--from",
                    clients.SENDER, "--to", to, "--body", "hello", "--timeout", str(LIMIT_S), *flags], "",
                   r"^<(?:\*\*|~\*) +([45]\d\d)", r"^(\*\*\*|<\*\*|<~\*) ", r"[Tt]imeout|timed out")


def curl(port, to, policy, ca):
    # Without --insecure, --ssl checks the certificate too.
    flags = {PLAIN: [], OPPORTUNISTIC: ["--ssl", "--insecure"], VERIFYING: ["--ssl-reqd", "--cacert", ca]}[policy]
    return command(["curl", "-4sS", "--url", f"smtp://{HOST}:{port}/client.test", "--mail-from", clients.SENDER,
                    "--mail-rcpt", to, "-T", "-", "--max-time", str(LIMIT_S), *flags], clients.MESSAGE,
                   r"(?:failed|response|denied|reply): ([45]\d\d)", r"^curl: ", r"curl: \(28\)")


def msmtp(port, to, policy, ca):
    flags = {PLAIN: ["--tls=off"], VERIFYING: ["--tls=on", "--tls-starttls=on", f"--tls-trust-file={ca}"]}[policy]
    return command(["msmtp", "-C", "/dev/null", f"--host={HOST}", f"--port={port}", f"--from={clients.SENDER}",
                    "--domain=client.test", f"--timeout={LIMIT_S}", *flags, to], clients.MESSAGE,
                   r"server message: ([45]\d\d)", r"^msmtp: (?!could not send)", r"timed out|Resource temporarily")


def python_smtplib(port, to, policy, ca):
    try:
        client = smtplib.SMTP(HOST, port, local_hostname="client.test", timeout=LIMIT_S)
        try:
            if policy == VERIFYING:
                client.starttls(context=ssl.create_default_context(cafile=ca))
            client.sendmail(clients.SENDER, [to], clients.MESSAGE)
            client.quit()
        finally:
            client.close()
        return Said(True, "")
    except smtplib.SMTPRecipientsRefused as error:
        return Said(False, repr(error), error.recipients[to][0])
    except smtplib.SMTPResponseException as error:
        return Said(False, repr(error), error.smtp_code)
    except TimeoutError as error:
        return Said(False, repr(error), timed_out=True)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        return Said(False, repr(error), timed_out="timed out" in repr(error))


ONE_SHOT = {"smtplib": python_smtplib, "curl": curl, "msmtp": msmtp, "swaks": swaks}
MAIL_SERVERS = {"Postfix": mta.Postfix, "Exim": mta.Exim}


# --- a run --------------------------------------------------------------------------------------------------------------


def client_of(record):
    """The client whose session it is, by a recipient's domain or by the name it gave; None where it said neither."""
    for transaction in record["transactions"]:
        for recipient in transaction["recipients"]:
            for name in NAMES:
                if f"-{name.lower()}-" in recipient["address"]:
                    return name
    return {"postfix.origin.test": "Postfix", "exim.origin.test": "Exim"}.get(record.get("helo"))


class Ground:
    """A sink with a listener for each row and policy: what failed at one must not be remembered at another."""

    def __init__(self, rows, policies, action, *arguments):
        self.policies = policies
        self.listeners = [(row, policy) for row in rows for policy in policies]
        rules = []
        for phase, name in {row for row in rows if row[0] != NOTHING}:
            at = ",".join(self.name((phase, name), policy) for policy in policies)
            rules += ["--rule", f"{phase} listener={at}: {action} {name}"]
            if phase == "data":  # Exim prefers BDAT, which needs no DATA
                rules += ["--rule", f"ehlo listener={at}: hide CHUNKING"]
        self.sink = Sink(*rules, "--hostname", HOST, "--loops", "1", *arguments, smtp=len(self.listeners),
                         http="127.0.0.1:0")

    def name(self, row, policy):
        number = self.listeners.index((row, policy)) + 1
        return "smtp" if number == 1 else f"smtp-{number}"

    def port(self, row, policy):
        return self.sink.ports[self.listeners.index((row, policy))]

    def fired(self, row, policy):
        """The sessions on a row's listener in which its fault fired."""
        name = self.name(row, policy)
        return sum(1 for s in self.sink.records
                   if s["listener"] == name and any(f["action"].endswith(f" {row[1]}") for f in s["faults"]))

    def unfair(self, allowed):
        """What was found against the clients and no entry of `allowed` covers; a row is one of the table."""
        rows = {self.name(row, policy): row for row, policy in self.listeners}
        return fair.unfair(self.sink, allowed, lambda record: (client_of(record), rows[record["listener"]]))

    def stored(self, recipient):
        """For each copy of the recipient's message that was stored: whether it came through TLS."""
        return [bool(s.get("tls")) for s in self.sink.records for t in s["transactions"]
                if t.get("message") and any(r["address"] == recipient for r in t["recipients"])]


def preset_ground(rows):
    return Ground(rows, (PLAIN,), "raw", "--tls", "off")


def tls_ground(rows, ca):
    return Ground(rows, (OPPORTUNISTIC, VERIFYING), "tls", "--ca-file", ca)


def tls_rows():
    for name in MENU:
        yield (NOTHING, None) if name == NOTHING else ("ehlo" if name in MENU_AT_EHLO else "starttls", name)


def one_shot_word(said, copies, is_tls):
    if len(copies) > 1:
        return "delivered twice"
    if said.sent:
        return delivered(copies, is_tls) if copies else "lost"
    if copies:
        return "delivered, called failed"
    if said.timed_out:
        return "times out"
    if said.code and 400 <= said.code <= 599:
        return "refused" if said.code >= 500 else "deferred"
    return "failed"


def delivered(copies, is_tls):
    return "delivered" if copies[-1] or not is_tls else "delivered in clear"


def mail_server_word(attempts, copies, is_tls):
    statuses = [status for status, _ in attempts]
    if len(copies) > 1:
        return "delivered twice"
    if "sent" in statuses:
        if not copies:
            return "lost"
        return ("" if statuses[0] == "sent" else "deferred, then ") + delivered(copies, is_tls)
    word = "bounced" if "bounced" in statuses else "deferred"
    if copies:
        return f"delivered, called {word}"
    return word + (", timed out" if word == "deferred" and re.search(r"time(d |-)?out", attempts[0][1]) else "")


def run_one_shot(cells, ground, ca):
    def one(cell):
        cell.said = ONE_SHOT[cell.client](ground.port(cell.row, cell.policy), cell.recipient, cell.policy, ca)

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, cells))


def run_mail_server(name, cells, ground, ca):
    """One MTA, all cells of one policy."""
    policy = cells[0].policy
    routes = {cell.domain: ground.port(cell.row, policy) for cell in cells}
    verifies = policy == VERIFYING
    if name == "Postfix":
        main = POSTFIX_MAIN + (POSTFIX_VERIFIES if verifies else "")
        server = mta.Postfix(routes, HOST, main.format(limit=LIMIT_S, ca=ca))
    else:
        transport = EXIM_VERIFIES.format(ca=ca) if verifies else ""
        server = mta.Exim(routes, HOST, transport=transport, timeout_s=LIMIT_S, retry_s=3600)
    # Postfix gives up TLS, where it may, when the message has waited; Exim does at once or never.
    enough = 3 if name == "Postfix" and policy == OPPORTUNISTIC else 1

    def open_cells(attempts):
        for cell in cells:
            statuses = [status for status, _ in attempts.get(cell.recipient, [])]
            if len(statuses) < enough and "sent" not in statuses and "bounced" not in statuses:
                yield cell

    try:
        for cell in cells:
            server.submit(cell.recipient, MESSAGE % (cell.recipient.encode(), cell.domain.encode()))
        deadline = time.monotonic() + SETTLE_S
        while list(open_cells(server.attempts())) and time.monotonic() < deadline:
            time.sleep(0.3)
        attempts = server.attempts()
        open_still = [cell.domain for cell in open_cells(attempts)]
        if open_still:
            raise AssertionError(f"{name}: not settled after {SETTLE_S} s: {open_still}\n{server.log()[-3000:]}")
        for cell in cells:
            cell.attempts = attempts[cell.recipient]
    finally:
        server.stop()


def run(rows, names, ground, allowed, ca=None):
    """The cells of these rows and clients; what was found and is not `allowed` is then in the ground. Ends the sink."""
    cells = [Cell(row, name, policy, number) for number, row in enumerate(rows) for name in names
             for policy in ground.policies if policy != OPPORTUNISTIC or name not in WITHOUT_OPPORTUNISM]
    troubles = []

    def guarded(function, *arguments):
        try:
            function(*arguments)
        except Exception as trouble:  # a thread must not lose it
            troubles.append(trouble)

    of_clients = [cell for cell in cells if cell.client in ONE_SHOT]
    jobs = [threading.Thread(target=guarded, args=(run_one_shot, of_clients, ground, ca))]
    for name in MAIL_SERVERS:
        for policy in ground.policies:
            of_server = [cell for cell in cells if cell.client == name and cell.policy == policy]
            if of_server:
                jobs.append(threading.Thread(target=guarded, args=(run_mail_server, name, of_server, ground, ca)))
    for job in jobs:
        job.start()
    for job in jobs:
        job.join()
    ground.unfair_found = ground.unfair(allowed)
    ground.sink.stop()
    if troubles:
        raise troubles[0]
    for cell in cells:
        copies = ground.stored(cell.recipient)
        is_tls = cell.policy != PLAIN
        if cell.client in ONE_SHOT:
            cell.word = one_shot_word(cell.said, copies, is_tls)
            cell.says = cell.said.words
        else:
            cell.word = mail_server_word(cell.attempts, copies, is_tls)
            cell.says = cell.attempts[0][1]
    return cells


def missing():
    """Clients that are not here, and why."""
    absent = {name: "not installed (Scripts/setup --tests)" for name in clients.missing() if name in NAMES}
    for name, kind in MAIL_SERVERS.items():
        try:
            kind({}).stop()
        except mta.Missing as reason:
            absent[name] = str(reason)
    return absent
