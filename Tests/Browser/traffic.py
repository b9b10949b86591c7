# What tests, pictures and figures of the page look at, sent by real clients: swaks, smtplib, Postfix's smtp-source, the bad
# sender of Config/, and raw sockets for what no client would send. Looks at nothing.

import os
import shutil
import smtplib
import subprocess
import sys
import threading
import time
from email.message import EmailMessage
from email.utils import format_datetime
from datetime import datetime, timezone

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "Clients"))

import wire
from sink import ROOT

BAD_SENDER = os.path.join(ROOT, "Config", "bad-sender.py")
LIMIT_S = 60
PATH = os.environ.get("PATH", "") + ":/usr/sbin"

# Rules that the story needs beside magic addresses.
RULES = (
    "greeting client=127.0.0.9: 554 5.7.1 Access denied, see https://policy.example/listed",
    "ehlo helo=dialup.example: 550 5.7.1 Dynamic address, use your provider's relay",
    "data from=*@loud.example: 451 4.3.0 Try again later",
    "rcpt to=slow@any.test: delay 1500ms",
)


def swaks(sink, to, *arguments, sender="ann@shop.example", helo="mail.shop.example"):
    """One message by swaks; it ends with a status of its own when the sink refuses, which is often the point."""
    return subprocess.run(
        ["swaks", "--server", f"127.0.0.1:{sink.port}", "--to", to, "--from", sender, "--ehlo", helo, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S, text=True).stdout


def mail(subject, sender="ann@shop.example", to="bob@customer.example", text="Please pay.\n", html=None, identity="1"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, to, subject
    message["Date"], message["Message-ID"] = format_datetime(datetime.now(timezone.utc)), f"<{identity}@shop.example>"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def send(sink, message, sender="ann@shop.example", to=("bob@customer.example",), helo="mail.shop.example"):
    """One message by smtplib; the replies of refused recipients, or the exception that stands for a refusal."""
    try:
        with smtplib.SMTP("127.0.0.1", sink.port, local_hostname=helo, timeout=LIMIT_S) as smtp:
            return smtp.send_message(message, sender, list(to))
    except (smtplib.SMTPException, OSError) as refused:
        return refused


def misbehave(sink):
    subprocess.run(["/usr/bin/python3", BAD_SENDER, f"127.0.0.1:{sink.port}"], stdout=subprocess.DEVNULL, check=True,
                   timeout=LIMIT_S)


def raw(sink, *writes, source=None, close=True):
    """Each of `writes` as one write, behind the greeting; waits for a reply after each. The connection, unless it is closed."""
    client = wire.Wire(sink.port, source=source)
    client.reply()
    for octets in writes:
        client.send(octets)
        client.reply()
    if close:
        client.close()
        return None
    return client


def has_postfix():
    return shutil.which("smtp-source", path=PATH) is not None


def crowd(sink, count, to="b@any.test", sessions=20, kept=False, length=1024, sender="a@sender.test"):
    """So many messages by smtp-source, each in a session of its own unless connections are kept."""
    command = [shutil.which("smtp-source", path=PATH), "-s", str(min(sessions, count)), "-m", str(count), "-l", str(length), "-A"]
    command += ["-d"] if kept else []
    subprocess.run([*command, "-f", sender, "-t", to, f"inet:127.0.0.1:{sink.port}"], check=True,
                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class Stream:
    """Sends messages at a steady rate, a session each, from a process of its own, until it is stopped."""

    def __init__(self, sink, rate):
        self.process = subprocess.Popen([sys.executable, os.path.realpath(__file__), str(sink.port), str(rate)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def stop(self):
        """How many were sent, and in how many seconds."""
        out, _ = self.process.communicate("\n", timeout=LIMIT_S)
        count, took_s = out.split()
        return int(count), float(took_s)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()


def pour(port, rate):
    """The process of a Stream: whole sessions, each message by BDAT in one write, at `rate` a second."""
    import socket
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), ended.set()), daemon=True).start()
    body = b"From: a@stream.test\r\nTo: b@any.test\r\nSubject: stream\r\n\r\nhello\r\n"
    began, count = time.monotonic(), 0
    while not ended.is_set():
        ahead_s = began + count / rate - time.monotonic()
        if ahead_s > 0:
            time.sleep(ahead_s)
        with socket.create_connection(("127.0.0.1", port), LIMIT_S) as client:
            client.recv(4096)
            client.sendall(b"EHLO stream.test\r\n")
            client.recv(4096)
            client.sendall(b"MAIL FROM:<stream-%d@stream.test>\r\nRCPT TO:<b@any.test>\r\nBDAT %d LAST\r\n%bQUIT\r\n"
                           % (count, len(body), body))
            while client.recv(4096):
                pass
        count += 1
    print(count, time.monotonic() - began)


NEWSLETTER = """<!doctype html><html><head><style>h1 { color: #936 }</style></head><body>
<h1>Autumn sale</h1><p>Everything must go, <b>today</b>.</p>
<img src="http://pixel.example/open.gif?user=17" alt="" width="1" height="1">
<img src="https://cdn.example/hero.jpg" alt="Three coats on a rack" width="300" height="80">
<p><a href="https://shop.example/sale?utm_source=mail">See the sale</a>, or
<a href="https://shop.example/unsubscribe">unsubscribe</a>.</p></body></html>
"""


def story(sink):
    """A morning at a fake MX: each place where a message can be refused, a sender that comes again, one without manners.
    Always the same, so that pictures can be compared; sessions follow one another."""
    send(sink, mail("Your invoice 1042", identity="1042"))
    swaks(sink, "eod-554@any.test", "--header", "Subject: You have won")
    swaks(sink, "rcpt-550-5.1.1@any.test")
    swaks(sink, "bob@customer.example", "--local-interface", "127.0.0.9")
    swaks(sink, "bob@customer.example", helo="dialup.example")
    swaks(sink, "bob@customer.example", sender="mail-451@shop.example")
    swaks(sink, "bob@customer.example", sender="sale@loud.example")
    swaks(sink, "bob@customer.example", "--tls")
    swaks(sink, "slow@any.test")
    swaks(sink, "eod-close@any.test")
    send(sink, mail("Minutes of Tuesday", to="staff@any.test", identity="minutes"),
         to=("ann@any.test", "rcpt-550@any.test", "rcpt-452@any.test"))
    for pause_s in (0.2, 0.6, 0):
        send(sink, mail("Your parcel", identity="parcel"), to=("rcpt-451-x2@any.test",))
        time.sleep(pause_s)
    send(sink, mail("Autumn sale", "news@shop.example", text="Everything must go.\n", html=NEWSLETTER, identity="sale"),
         sender="bounce+17@shop.example")
    # In one write what should be three, and a client that goes without QUIT.
    raw(sink, b"EHLO bulk.example\r\nMAIL FROM:<x@bulk.example>\r\nRCPT TO:<bob@any.test>\r\nRCPT TO:<ann@any.test>\r\n")
    misbehave(sink)


if __name__ == "__main__":
    pour(int(sys.argv[1]), float(sys.argv[2]))
