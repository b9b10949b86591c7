# A client that records octets: what came, in how many segments, and inside TLS in how many records. It repairs nothing,
# and knows no replies but ordinary ones.

import select
import socket
import ssl
import struct

import wire

LIMIT_S = 10
SILENCE_S = 0.4
TCP_INFO_DATA_SEGMENTS_IN = 152  # linux/tcp.h, tcpi_data_segs_in
TCP_INFO_OCTETS = 160


class Tape:
    """A connection in clear or TLS. `pieces` are the plain texts of the records inside TLS, and what each read of the
    socket gave without it; `segments()` counts for either."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), LIMIT_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.tls = None
        self.cipher_text = b""
        self.buffer = b""
        self.pieces = []
        self.ended = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def segments(self):
        """Segments with data that the kernel received, however many of them a read gave at once."""
        information = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TCP_INFO_OCTETS)
        return struct.unpack_from("I", information, TCP_INFO_DATA_SEGMENTS_IN)[0]

    def send(self, octets):
        if self.tls:
            self.tls.write(octets)
            octets = self.outgoing.read()
        self.socket.sendall(octets)

    def _read(self, within_s):
        """Reads the socket once; returns whether there was anything, an end included."""
        if self.ended or not select.select([self.socket], [], [], within_s)[0]:
            return False
        octets = self.socket.recv(65536)
        if not octets:
            self.ended = True
        elif self.tls:
            self._take_records(octets)
        else:
            self.pieces.append(octets)
            self.buffer += octets
        return True

    def _take_records(self, octets):
        # A record at a time: its header says how long it is (RFC 8446 §5.1).
        self.cipher_text += octets
        while len(self.cipher_text) >= 5:
            length = 5 + int.from_bytes(self.cipher_text[3:5], "big")
            if len(self.cipher_text) < length:
                break
            self.incoming.write(self.cipher_text[:length])
            self.cipher_text = self.cipher_text[length:]
            try:
                plain = self.tls.read(65536)
                self.pieces.append(plain)
                self.buffer += plain
            except ssl.SSLWantReadError:
                pass  # a session ticket
            except ssl.SSLZeroReturnError:
                self.pieces.append(b"")  # close_notify

    def take(self, count):
        """Exactly as many octets, or what came before the end or the limit."""
        while len(self.buffer) < count and self._read(LIMIT_S):
            pass
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def line(self):
        while b"\n" not in self.buffer and self._read(LIMIT_S):
            pass
        line, end, self.buffer = self.buffer.partition(b"\n")
        return line + end

    def reply(self):
        """The octets of an ordinary reply."""
        lines = [self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(self.line())
        return b"".join(lines)

    def is_silent(self):
        return not self.buffer and not self._read(SILENCE_S) and not self.ended

    def is_ended(self):
        """FIN, and nothing before it."""
        while not self.ended and self._read(LIMIT_S):
            pass
        return self.ended and not self.buffer

    def start_tls(self):
        self.send(b"STARTTLS\r\n")
        assert self.reply().startswith(b"220 "), self.pieces
        self.shake_hands()

    def shake_hands(self):
        """The handshake, and EHLO inside it."""
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = wire.TRUSTING.wrap_bio(self.incoming, self.outgoing, server_hostname="mx.octets.test")
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.socket.sendall(self.outgoing.read())
                octets = self.socket.recv(65536)
                assert octets, "the end, inside the handshake"
                self.incoming.write(octets)
        self.socket.sendall(self.outgoing.read())
        self.pieces = []
        self.send(b"EHLO client.test\r\n")
        self.reply()
