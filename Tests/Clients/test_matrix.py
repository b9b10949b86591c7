# Every phase × {4yz, 5yz, delay, close, reset, stall} over a socket, in clear, behind STARTTLS and in implicit TLS:
# what the client sees at the phase, and what fakemx recorded of it, must both be the fault that was asked for.

import socket
import ssl
import time
import unittest

import wire
from sink import Sink, NotReady
from wire import Wire

DELAY_S = 0.15
LATE_LIMIT_S = 0.1
SILENCE_S = 0.25
TRANSPORTS = ("clear", "starttls", "implicit")
ACTIONS = {
    "4yz": "451 4.3.0 Not now",
    "5yz": "554 5.3.0 Not ever",
    "delay": "delay 150ms",
    "close": "close",
    "reset": "reset",
    "stall": "stall",
}
CODES = {"4yz": 451, "5yz": 554}

# The command of a phase, and the code of its ordinary answer.
COMMANDS = {
    "ehlo": ("EHLO client.test", 250),
    "starttls": ("STARTTLS", 220),
    "auth": ("AUTH PLAIN AHVzZXIAcGFzcw==", 235),
    "mail": ("MAIL FROM:<a@sender.test>", 250),
    "rcpt": ("RCPT TO:<b@any.test>", 250),
    "data": ("DATA", 354),
    "rset": ("RSET", 250),
    "noop": ("NOOP", 250),
    "vrfy": ("VRFY someone", 252),
    "quit": ("QUIT", 221),
}
ENVELOPE = ("mail", "rcpt", "data")

# Cells that cannot be: where nothing is due that could come late, the rule is refused when it is loaded.
IMPOSSIBLE = {("idle", "delay"), ("accepted", "delay")}


def transports_of(phase, action):
    if phase == "connect" and action in CODES:
        return ("clear",)  # before the handshake a reply would be an octet in clear (RFC 8314 §3.3)
    if phase == "starttls":
        return ("clear",)
    if phase == "tls":
        return ("starttls", "implicit")
    if phase == "auth":
        return ("starttls", "implicit")
    if phase in ("connect", "greeting"):
        return ("clear", "implicit")
    return TRANSPORTS


def go_to(client, phase, transport):
    """Talks until the command of `phase` is due; `client` has seen the greeting unless the phase comes before it."""
    greeting = client.reply()
    assert greeting.code == 220, greeting
    if transport == "starttls":
        assert client.ask("EHLO before.test").code == 250
        assert client.upgrade().code == 220
    if phase == "ehlo":
        return
    assert client.ask("EHLO client.test").code == 250
    if phase == "quit":
        return
    reached = ENVELOPE.index(phase) if phase in ENVELOPE else len(ENVELOPE)
    if phase in ("rcpt", "data", "body", "end-of-data", "accepted"):
        for step in ENVELOPE[:reached]:
            command, code = COMMANDS[step]
            seen = client.ask(command)
            assert seen.code == code, (step, seen)


def provoke(client, phase, transport, within_s):
    """Brings the session to `phase`; returns what the client saw there and the code of an untroubled answer."""
    if phase in ("connect", "greeting"):
        return client.reply(within_s), 220
    if phase == "idle":
        greeting = client.reply(within_s)
        return (greeting if greeting.kind != "reply" else client.reply(within_s)), None
    if phase == "starttls":
        assert client.reply().code == 220
        assert client.ask("EHLO client.test").code == 250
        return client.ask("STARTTLS", within_s), 220
    go_to(client, phase, transport)
    if phase in COMMANDS:
        command, code = COMMANDS[phase]
        return client.ask(command, within_s), code
    client.send(wire.MESSAGE + b".\r\n")
    seen = client.reply(within_s)
    if phase == "accepted" and seen.code == 250:
        seen = client.ask("NOOP", within_s)
    return seen, 250


class Matrix(unittest.TestCase):
    maxDiff = None


def expected(phase, action):
    """What the client must see: (kind, code)."""
    if action in CODES:
        return "reply", CODES[action]
    return {"delay": ("reply", None), "close": ("closed", None), "reset": ("reset", None), "stall": ("silence", None)}[action]


def check_cell(test, phase, action):
    rule = f"{phase}: {ACTIONS[action]}"
    if phase == "ehlo":
        rule = f"ehlo helo=client.test: {ACTIONS[action]}"  # so that the EHLO before STARTTLS passes
    if (phase, action) in IMPOSSIBLE:
        with test.assertRaises(NotReady) as caught:
            Sink("--rule", rule).stop()
        test.assertIn("exit 2", str(caught.exception))
        return
    with Sink("--rule", rule, smtps=1) as sink:
        for number, transport in enumerate(transports_of(phase, action), 1):
            with test.subTest(phase=phase, action=action, transport=transport):
                check_transport(test, sink, phase, action, transport, number)


def check_transport(test, sink, phase, action, transport, number):
    within_s = SILENCE_S if action == "stall" else wire.LIMIT_S
    if phase == "tls" or (transport == "implicit" and phase == "connect"):
        seen, code = handshake(sink, phase, action, transport, within_s)
    else:
        implicit = transport == "implicit"
        with Wire(sink.tls_port if implicit else sink.port, tls=implicit) as client:
            seen, code = provoke(client, phase, transport, within_s)
    kind, wanted = expected(phase, action)
    test.assertEqual(seen.kind, kind, seen)
    if wanted:
        test.assertEqual(seen.code, wanted, seen)
    if action == "delay" and code and seen.kind == "reply":
        test.assertEqual(seen.code, code, seen)
        test.assertGreaterEqual(seen.after_s, DELAY_S, seen)
        test.assertLess(seen.after_s, DELAY_S + LATE_LIMIT_S, seen)

    session = sink.sessions(number)[number - 1]
    faults = [f for f in session["faults"] if f["phase"] == phase]
    test.assertTrue(faults, f"no fault recorded at {phase}: {session['faults']}")
    ended = session["ended_by"]
    if action == "close":
        test.assertEqual(ended, "sink-close", session)
    elif action == "reset":
        test.assertEqual(ended, "sink-reset", session)
    elif action == "stall":
        test.assertIn(ended, ("client-close", "client-reset"), session)
    elif action in CODES and phase in ("greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "body", "end-of-data"):
        test.assertEqual(session.get("rejected_at"), phase, session)
        test.assertEqual(session.get("verdict"), "deferred" if action == "4yz" else "rejected", session)
        test.assertTrue(session.get("reply", "").startswith(str(CODES[action])), session)


def handshake(sink, phase, action, transport, within_s):
    """The fault sits before or in the TLS handshake: what a client sees of it, as kind and code."""
    client = Wire(sink.tls_port if transport == "implicit" else sink.port)
    code = 220 if transport == "implicit" else 250
    try:
        if client.ended:
            return wire.Seen(client.ended), code
        if transport == "starttls":
            assert client.reply().code == 220
            assert client.ask("EHLO client.test").code == 250
            assert client.ask("STARTTLS").code == 220
        started = time.monotonic()
        client.sent_at = started
        client.socket.settimeout(within_s)
        try:
            client.socket = client.context.wrap_socket(client.socket, server_hostname="fakemx.test")
        except ConnectionResetError:
            return wire.Seen("reset"), code
        except (socket.timeout, TimeoutError):
            return wire.Seen("silence"), code
        except (ssl.SSLError, OSError):
            return wire.Seen("closed"), code
        client.buffer = b""
        # A reply ruled for the handshake is given to every command behind it (RFC 3207 §4.1).
        client.sent_at = started
        if transport == "implicit":
            seen = client.reply(within_s)
            if action not in CODES or phase != "tls":
                return seen, code
        client.send(b"EHLO client.test\r\n")
        client.sent_at = started
        return client.reply(within_s), code
    finally:
        client.close()


def add_cells():
    phases = ["connect", "greeting", "ehlo", "starttls", "tls", "auth", "mail", "rcpt", "data", "body", "end-of-data",
              "rset", "noop", "vrfy", "quit", "idle", "accepted"]
    for phase in phases:
        for action in ACTIONS:
            def cell(self, phase=phase, action=action):
                check_cell(self, phase, action)
            cell.__doc__ = f"{phase} × {action}"
            setattr(Matrix, f"test_{phases.index(phase):02d}_{phase.replace('-', '_')}_{action}", cell)


add_cells()

if __name__ == "__main__":
    unittest.main()
