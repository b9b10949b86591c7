#!/usr/bin/env python3
"""A sender that breaks the rules of SMTP and of message format on purpose, to see what `fakemx report` says of it.

    Config/bad-sender.py [HOST:PORT]      127.0.0.1:1025 without it

Standard library only, no configuration. Each mistake has its comment below. A sink on this machine softens what this
machine causes (`fakemx serve --judge strict` does not). Prints the last reply to each mail, 0 for none. Sends to nobody
but HOST:PORT.
"""

import socket
import sys
import time

LIMIT_S = 10  # for each reply, where RFC 5321 4.5.3.2 asks for minutes; then it leaves
# Before each connection: the sink is to see the one before go, so that they come one after the other, not side by side.
PAUSE_S = 0.05

# No Date, no Message-ID (RFC 5322 3.6); a Subject with octets beyond ASCII and no encoding (RFC 2047); a field name with a
# space in it; a multipart that is never closed, of which a part has no charset (RFC 2046 5.1.1).
NEWSLETTER = (
    b"From: Shop Newsletter <news@shop.example>\r\n"
    b"To: undisclosed\r\n"
    b"Subject: Gro\xdfe Rabatte!!!\r\n"
    b"X Mailer: bulk 0.1\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: multipart/alternative; boundary=cut\r\n"
    b"\r\n"
    b"--cut\r\n"
    b"Content-Type: text/html\r\n"
    b"\r\n"
    b"<p>" + b"buy now " * 140 + b"</p>\r\n"  # a line of more than 998 octets (RFC 5322 2.1.1)
)

# Lines that end with LF alone (RFC 5321 2.3.8), From twice, a Date that is none.
INVOICE = (
    b"From: shop@shop.example\n"
    b"From: billing@shop.example\n"
    b"To: ann@customer.test\n"
    b"Date: yesterday\n"
    b"Subject: Your invoice\n"
    b"\n"
    b"Please pay.\n"
)


class Gone(Exception):
    """The server is silent, or has closed."""


class Sender:
    """A connection, and as few manners as will do."""

    def __init__(self, host, port):
        time.sleep(PAUSE_S)
        self.socket = socket.create_connection((host, port), timeout=LIMIT_S)
        self.rest = b""

    def reply(self):
        """The code of the next reply; 0 when it has none."""
        while True:
            line, found, rest = self.rest.partition(b"\n")
            if found:
                self.rest = rest
                if line[3:4] != b"-":
                    return int(line[:3]) if line[:3].isdigit() else 0
                continue
            try:
                more = self.socket.recv(4096)
            except OSError:
                raise Gone from None
            if not more:
                raise Gone
            self.rest += more

    def say(self, text):
        try:
            self.socket.sendall(text)
        except OSError:
            raise Gone from None
        return self.reply()

    def send(self, *mail):
        """The code of the last reply; 0 when the server was gone before."""
        try:
            return self.deliver(*mail)
        except Gone:
            return 0
        finally:
            self.socket.close()  # no QUIT (RFC 5321 4.1.1.10)

    def deliver(self, sender, recipients, message, helo=b"HELO localhost\r\n"):
        self.reply()
        self.say(helo)
        self.say(b"MAIL FROM: <" + sender + b">\r\n")  # a space behind the colon (RFC 5321 3.3)
        code = 0
        for recipient in recipients:
            code = self.say(b"RCPT TO:" + recipient + b"\r\n")  # no angle brackets (RFC 5321 4.1.1.3)
            if code == 501:  # a strict server refuses that
                code = self.say(b"RCPT TO:<" + recipient + b">\r\n")
        if code // 100 == 2 and self.say(b"DATA\r\n") == 354:
            code = self.say(message + b"\r\n.\r\n")
        return code


def main():
    host, _, port = (sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:1025").rpartition(":")
    if not host or not port.isdigit():
        sys.exit(f"usage: {sys.argv[0]} [HOST:PORT]")

    def sender():
        return Sender(host.strip("[]"), int(port))

    try:
        print("a newsletter:", sender().send(b"news@shop.example", [b"ann@customer.test"], NEWSLETTER))
        print("an invoice:", sender().send(b"shop@shop.example", [b"ann@customer.test"], INVOICE))
        # 451 asks to wait; it comes again at once, three times (RFC 5321 4.5.4.1). The address makes fakemx say 451 to the
        # final dot.
        for _ in range(3):
            code = sender().send(b"shop@shop.example", [b"eod-451@customer.test"], INVOICE)
            print("again at once:", code)
        # 550 says never; it comes again all the same.
        for _ in range(2):
            code = sender().send(b"shop@shop.example", [b"eod-550@customer.test"], INVOICE)
            print("again behind a 550:", code)
        # Talks before the greeting (RFC 5321 3.1), which shows where the greeting is late: with `fakemx serve --scenario
        # probe`, or --rule 'greeting: delay 1s'. With a name that is an address without brackets (RFC 5321 4.1.3).
        talker = sender()
        try:
            print("talking first:", talker.say(b"EHLO 192.0.2.7\r\nMAIL FROM:<spam@shop.example>\r\n"))
        except Gone:
            print("talking first:", 0)
        talker.socket.close()
    except OSError as error:
        sys.exit(f"{host}:{port}: {error}; is `fakemx serve` running there?")


if __name__ == "__main__":
    main()
