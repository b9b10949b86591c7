# A raw-socket SMTP client that says exactly what it saw: a reply, silence, a FIN or an RST, and when.
# It never repairs, retries or interprets; that is what makes it fit to judge a sink that goes wrong on purpose.

import select
import socket
import ssl
import struct
import time

LIMIT_S = 10
TCP_CLOSE = 7
CRLF = b"\r\n"
MESSAGE = b"From: a@sender.test\r\nTo: b@any.test\r\nSubject: wire\r\n\r\nhello\r\n"


def trusting_context():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


TRUSTING = trusting_context()


class Seen:
    """What came back: kind is reply, silence, closed or reset."""

    def __init__(self, kind, code=None, lines=(), after_s=0.0, partial=b""):
        self.kind, self.code, self.lines, self.after_s, self.partial = kind, code, list(lines), after_s, partial

    @property
    def text(self):
        return "\n".join(self.lines)

    def __repr__(self):
        return f"<{self.kind} {self.code or ''} {self.lines[:1]} after {self.after_s:.3f} s {self.partial[:60]!r}>"


class Wire:
    def __init__(self, port, tls=False, host="127.0.0.1", context=None, source=None):
        self.context = context or TRUSTING
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        self.socket.settimeout(LIMIT_S)
        self.buffer = b""
        self.ended = None
        self.was_reset = False
        self.sent_at = time.monotonic()
        if source:
            self.socket.bind((source, 0))
        try:
            self.socket.connect((host, port))
        except ConnectionResetError:
            self.ended = "reset"  # accepted, and reset before connect() returned
            return
        except OSError:
            self.socket.close()
            raise
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.start_tls()

    def start_tls(self):
        self.socket.settimeout(LIMIT_S)
        self.socket = self.context.wrap_socket(self.socket, server_hostname="fakemx.test")
        self.buffer = b""

    @property
    def is_tls(self):
        return isinstance(self.socket, ssl.SSLSocket)

    def send(self, octets):
        self.sent_at = time.monotonic()
        self.socket.settimeout(LIMIT_S)
        try:
            self.socket.sendall(octets)
        except ConnectionResetError:
            self.was_reset = True  # the socket says so only once
        except (BrokenPipeError, ssl.SSLError):
            pass  # what the peer did shows on the next read
        return self

    def say(self, line):
        return self.send(line.encode() + CRLF if isinstance(line, str) else line + CRLF)

    def _more(self, deadline):
        """Reads once; returns False when nothing came until the deadline."""
        left = deadline - time.monotonic()
        pending = self.is_tls and self.socket.pending()
        if not pending and (left <= 0 or not select.select([self.socket], [], [], max(left, 0))[0]):
            return False
        self.socket.settimeout(max(left, 0.05))
        try:
            octets = self.socket.recv(65536)
            self.buffer += octets
            if not octets:
                self._note_end()
        except ConnectionResetError:
            self.ended = "reset"
        except (ssl.SSLWantReadError, TimeoutError):
            pass
        except (ssl.SSLError, OSError):
            self._note_end()
        return True

    def _note_end(self):
        # Python's ssl makes a plain end of a reset; the kernel knows: after an RST the socket's state is CLOSE.
        state = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] if self.is_tls else None
        self.ended = "reset" if self.was_reset or state == TCP_CLOSE else "closed"

    def reply(self, within_s=LIMIT_S):
        """The next whole reply, or what happened instead."""
        start = self.sent_at
        deadline = time.monotonic() + within_s
        lines = []
        while True:
            while CRLF in self.buffer:
                line, self.buffer = self.buffer.split(CRLF, 1)
                lines.append(line.decode("utf-8", "replace"))
                if len(line) < 4 or line[3:4] != b"-":
                    code = int(line[:3]) if line[:3].isdigit() else None
                    return Seen("reply", code, lines, time.monotonic() - start)
            if self.ended:
                return Seen(self.ended, None, lines, time.monotonic() - start, self.buffer)
            if not self._more(deadline):
                return Seen("silence", None, lines, time.monotonic() - start, self.buffer)

    def ask(self, line, within_s=LIMIT_S):
        return self.say(line).reply(within_s)

    def end(self, within_s=LIMIT_S):
        """Reads to the end; returns closed, reset or silence, and the octets in `self.buffer`."""
        deadline = time.monotonic() + within_s
        while not self.ended:
            if not self._more(deadline):
                return "silence"
        return self.ended

    def upgrade(self):
        seen = self.ask("STARTTLS")
        if seen.code == 220:
            self.start_tls()
        return seen

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def abort(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def close(self):
        try:
            self.socket.close()
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def hello(wire, name="client.test"):
    """Greeting and EHLO, both expected to be fine."""
    greeting = wire.reply()
    assert greeting.code == 220, greeting
    seen = wire.ask(f"EHLO {name}")
    assert seen.code == 250, seen
    return seen


def deliver(wire, to=("b@any.test",), sender="a@sender.test", message=MESSAGE):
    """One transaction; returns every reply in order. Stops at the first that is not positive."""
    seen = [wire.ask(f"MAIL FROM:<{sender}>")]
    for address in to:
        if seen[-1].code and seen[-1].code < 400:
            seen.append(wire.ask(f"RCPT TO:<{address}>"))
    if seen[-1].code and seen[-1].code < 400:
        seen.append(wire.ask("DATA"))
    if seen[-1].code == 354:
        seen.append(wire.send(message + b".\r\n").reply())
    return seen
