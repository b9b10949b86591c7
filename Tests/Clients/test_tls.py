# Bad TLS against those who know TLS: each name of the menu, asked for by a setting of the listener and by a rule, is
# what it says for openssl s_client; testssl, swaks, Python's ssl and a raw socket judge what s_client does not look at.

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

import clients
import wire
from sink import Sink, run
from wire import Wire

HOST = "mx.test"
LIMIT_S = 30
SILENCE_S = 1.5

# What s_client reports when it trusts the CA file and verifies the name; 0: it finds nothing wrong.
VERIFY = {
    "expired": 10, "not-yet-valid": 9, "wrong-host": 62, "self-signed": 18, "untrusted-root": 19,
    "incomplete-chain": 20, "sha1": 68, "rsa-1024": 66,
    # OpenSSL searches for issuers, and takes the common name for want of others: seen by the tests of their own below.
    "reversed-chain": 0, "no-common-name": 0, "no-san": 0, "huge-chain": 0,
}
ONLY = {"only-tls1.0": "-tls1", "only-tls1.1": "-tls1_1", "only-tls1.2": "-tls1_2", "only-tls1.3": "-tls1_3"}
VERSIONS = {"-tls1": "TLSv1", "-tls1_1": "TLSv1.1", "-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"}
ALERTS = {"alert-handshake-failure": 40, "alert-internal-error": 80, "alert-unrecognized-name": 112,
          "alert-protocol-version": 70, "alert-inappropriate-fallback": 86, "alert-certificate-required": 116}
# RFC 8446 §6, RFC 5246 §7.2 and RFC 4346 §7.2, with RFC 6066, 7301 and 7507: every alert there is.
EVERY_ALERT = {
    "close-notify": 0, "unexpected-message": 10, "bad-record-mac": 20, "decryption-failed": 21,
    "record-overflow": 22, "decompression-failure": 30, "handshake-failure": 40, "no-certificate": 41,
    "bad-certificate": 42, "unsupported-certificate": 43, "certificate-revoked": 44, "certificate-expired": 45,
    "certificate-unknown": 46, "illegal-parameter": 47, "unknown-ca": 48, "access-denied": 49, "decode-error": 50,
    "decrypt-error": 51, "export-restriction": 60, "protocol-version": 70, "insufficient-security": 71,
    "internal-error": 80, "inappropriate-fallback": 86, "user-canceled": 90, "no-renegotiation": 100,
    "missing-extension": 109, "unsupported-extension": 110, "certificate-unobtainable": 111,
    "unrecognized-name": 112, "bad-certificate-status-response": 113, "bad-certificate-hash-value": 114,
    "unknown-psk-identity": 115, "certificate-required": 116, "no-application-protocol": 120,
}
HANDSHAKE = ["stall", "close-in-handshake", "close-after-handshake", "no-close-notify"]
SMTP = ["hidden", "refused", "silent", "garbage", "close", "ehlo-changed", "offered-again", "injected-reply"]
NAMES = [*VERIFY, *ONLY, "weak-ciphers", "client-certificate-required", *HANDSHAKE, *ALERTS, *SMTP]

# What testssl says of certificates, by the identifiers of its JSON: (identifier, words of the finding).
TESTSSL = {
    "expired": [("cert_chain_of_trust", "expired"), ("cert_expirationStatus", "expired")],
    "not-yet-valid": [("cert_chain_of_trust", "not yet valid")],
    "wrong-host": [("cert_trust", "does not match"), ("cert_chain_of_trust", "passed")],
    "self-signed": [("cert_chain_of_trust", "self signed")],
    "untrusted-root": [("cert_chain_of_trust", "self signed CA in chain"), ("certs_countServer", "3")],
    "incomplete-chain": [("cert_chain_of_trust", "chain incomplete"), ("certs_countServer", "1")],
    "reversed-chain": [("certs_list_ordering_problem", "yes"), ("certs_countServer", "3")],
    "no-common-name": [("cert_commonName", "no CN"), ("cert_chain_of_trust", "passed")],
    "no-san": [("cert_subjectAltName", "no SAN"), ("cert_trust", "does not match"), ("cert_chain_of_trust", "passed")],
    "sha1": [("cert_signatureAlgorithm", "SHA1"), ("cert_chain_of_trust", "passed")],
    "rsa-1024": [("cert_keySize", "1024"), ("cert_chain_of_trust", "passed")],
    "huge-chain": [("certs_countServer", "7"), ("cert_chain_of_trust", "passed")],
}
# ... of versions: those offered; all others are not.
TESTSSL_VERSIONS = {"only-tls1.0": "TLS1", "only-tls1.1": "TLS1_1", "only-tls1.2": "TLS1_2", "only-tls1.3": "TLS1_3"}


class BadTLS:
    """A fakemx whose TLS goes wrong as `name` says; `way` is how that is asked for: setting or rule."""

    def __init__(self, name=None, way="setting", arguments=()):
        self.folder = tempfile.mkdtemp(prefix="fakemx-tls-")
        self.ca = os.path.join(self.folder, "ca.pem")
        tls = f"{{ fault: {name} }}" if name and way == "setting" else "on"
        self.file = os.path.join(self.folder, "tls.yaml")
        with open(self.file, "w") as file:
            file.write(f"hostname: {HOST}\nca-file: {self.ca}\nlisteners:\n  - smtp: 127.0.0.1:0\n    tls: {tls}\n")
        at = "ehlo" if name == "hidden" else "starttls"
        rule = ["--rule", f"{at}: tls {name}"] if name and way == "rule" else []
        self.sink = Sink("--config", self.file, *rule, *arguments, listeners=False)
        self.port = self.sink.port

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sink.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def s_client(self, *more, name=HOST, say="QUIT\r\n", limit_s=LIMIT_S):
        """(exit status, what it printed). Status None: it was still waiting at the limit."""
        command = ["openssl", "s_client", "-starttls", "smtp", "-connect", f"127.0.0.1:{self.port}", "-servername", name,
                   "-verify_hostname", name, "-CAfile", self.ca, "-verify_return_error", "-ign_eof", *more]
        try:
            done = subprocess.run(command, input=say.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit_s)
        except subprocess.TimeoutExpired as late:
            return None, (late.stdout or b"").decode("utf-8", "replace")
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def testssl(self, *checks):
        """What testssl found: {identifier: finding}."""
        path = os.path.join(self.folder, "testssl.json")
        subprocess.run(
            ["testssl", "--starttls", "smtp", "--quiet", "--color", "0", "--warnings", "off", "--nodns", "none", "--ip",
             "127.0.0.1", "--add-ca", self.ca, "--jsonfile", path, *checks, f"{HOST}:{self.port}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=240)
        with open(path) as file:
            return {entry["id"]: entry["finding"] for entry in json.load(file)}

    def context(self):
        """Python's client, told that names in the subject do not count (RFC 6125 §6.4.4 allows them, RFC 9525 not)."""
        context = ssl.create_default_context(cafile=self.ca)
        context.hostname_checks_common_name = False
        return context


def verify_code(text):
    codes = re.findall(r"Verify return code: (\d+)", text)
    return int(codes[-1]) if codes else None


def cipher(text):
    found = re.search(r"Cipher is (\S+)", text)
    return found.group(1) if found and found.group(1) != "(NONE)" else None


class Menu(unittest.TestCase):
    """What every name has in common."""

    def test_the_sound_certificate_verifies_with_the_ca_file(self):
        with BadTLS() as bad:
            status, text = bad.s_client()
            self.assertEqual((status, verify_code(text)), (0, 0), text)
            self.assertIn("221 ", text)
            self.assertNotIn("unexpected eof", text)

    def test_each_name_passes_check(self):
        for name in NAMES:
            with self.subTest(name=name), tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "tls.yaml")
                at = "ehlo" if name == "hidden" else "starttls"
                with open(path, "w") as file:
                    file.write(f"rules:\n  - {{ name: bad, at: {at}, do: [ tls {name} ] }}\n"
                               f"listeners:\n  - smtp: 127.0.0.1:0\n    tls: {{ fault: {name} }}\n")
                status, out, err = run("check", path)
                self.assertEqual(status, 0, out + err)

    def test_a_misspelt_name_is_told_what_is_near(self):
        status, out, err = run("serve", "--smtp", "127.0.0.1:0", "--rule", "starttls: tls expird")
        self.assertEqual(status, 2, out + err)
        self.assertIn('did you mean "expired"?', out + err)

    def test_the_record_of_a_session_names_what_a_rule_did(self):
        with BadTLS("expired", "rule") as bad:
            bad.s_client()
            self.assertIn("expired", json.dumps(bad.sink.session()["faults"]))


def both(names):
    """Each name as a setting of the listener and as a rule."""
    return [(name, way) for name in names for way in ("setting", "rule")]


class Certificates(unittest.TestCase):
    def test_openssl_finds_the_one_flaw(self):
        for name, way in both(VERIFY):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                status, text = bad.s_client()
                self.assertEqual(verify_code(text), VERIFY[name], text)
                self.assertEqual(status == 0, VERIFY[name] == 0, text)

    def test_the_order_of_a_reversed_chain(self):
        for name, way in both(["reversed-chain"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                _, text = bad.s_client("-showcerts")
                subjects = re.findall(r"^ *\d+ s:.*CN ?= ?(.*)$", text, re.MULTILINE)
                self.assertEqual(subjects, [HOST, "fakemx test root", "fakemx test intermediate"], text)

    def test_a_huge_chain_has_more_than_16_kb(self):
        for name, way in both(["huge-chain"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                for flag in ("-tls1_2", "-tls1_3"):
                    status, text = bad.s_client(flag, "-showcerts")
                    self.assertEqual(status, 0, text)
                    blocks = re.findall(r"-----BEGIN CERTIFICATE-----\n(.*?)-----END", text, re.DOTALL)
                    size = sum(len(block.replace("\n", "")) * 3 // 4 for block in blocks)
                    self.assertGreater(size, 16384)

    def test_a_client_that_wants_alternative_names_misses_them(self):
        for name, way in both(["no-san", "no-common-name"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                with Wire(bad.port, context=bad.context()) as client:
                    wire.hello(client)
                    self.assertEqual(client.ask("STARTTLS").code, 220)
                    client.socket.settimeout(LIMIT_S)
                    if name == "no-san":
                        with self.assertRaisesRegex(ssl.SSLCertVerificationError, "[Hh]ostname mismatch"):
                            bad.context().wrap_socket(client.socket, server_hostname=HOST)
                    else:
                        bad.context().wrap_socket(client.socket, server_hostname=HOST).close()

    def test_a_client_certificate_is_required(self):
        for name, way in both(["client-certificate-required"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                for flag, alert in (("-tls1_2", 40), ("-tls1_3", 116)):
                    _, text = bad.s_client(flag)
                    self.assertIn(f"SSL alert number {alert}", text)
                    self.assertNotIn("221 ", text)
                key, certificate = (os.path.join(bad.folder, end) for end in ("client.key", "client.pem"))
                subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                                "-keyout", key, "-out", certificate, "-subj", "/CN=sender.test"], check=True, stderr=subprocess.DEVNULL)
                status, text = bad.s_client("-cert", certificate, "-key", key)
                self.assertEqual(status, 0, text)
                self.assertIn("221 ", text)

    @unittest.skipUnless(shutil.which("testssl"), "testssl is not installed")
    def test_testssl_finds_the_one_flaw(self):
        def look(name):
            with BadTLS(name) as bad:
                return name, bad.testssl("-S")
        with ThreadPoolExecutor(3) as pool:
            for name, found in pool.map(look, TESTSSL):
                with self.subTest(name=name):
                    for identifier, words in TESTSSL[name]:
                        self.assertIn(words, found.get(identifier, ""), f"{identifier} of {found}")


class Protocols(unittest.TestCase):
    def test_one_version_and_no_other(self):
        for name, way in both(ONLY):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                for flag, version in VERSIONS.items():
                    status, text = bad.s_client(flag, "-cipher", "DEFAULT@SECLEVEL=0")
                    if flag == ONLY[name]:
                        self.assertEqual((status, verify_code(text)), (0, 0), text)
                        self.assertRegex(text, rf"(Protocol *: |New, ){version}\b")
                        self.assertIn("221 ", text)
                    else:
                        self.assertNotEqual(status, 0, text)

    def test_weak_suites_are_the_only_ones(self):
        for name, way in both(["weak-ciphers"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                _, text = bad.s_client("-cipher", "ALL:COMPLEMENTOFALL:@SECLEVEL=0")
                self.assertIn("NULL", cipher(text) or "", text)
                self.assertIn("221 ", text)
                _, text = bad.s_client("-tls1_2", "-cipher", "aNULL:@SECLEVEL=0")
                self.assertRegex(cipher(text) or "", "^AE?C?DH-")
                _, text = bad.s_client()
                self.assertEqual(cipher(text), "AES256-SHA")
                status, text = bad.s_client("-tls1_2", "-cipher", "ECDHE+AESGCM")
                self.assertEqual((status, cipher(text)), (1, None), text)

    @unittest.skipUnless(shutil.which("testssl"), "testssl is not installed")
    def test_testssl_finds_the_one_version(self):
        for name, offered in TESTSSL_VERSIONS.items():
            with self.subTest(name=name), BadTLS(name) as bad:
                found = bad.testssl("-p")
                for version in ("SSLv2", "SSLv3", *TESTSSL_VERSIONS.values()):
                    self.assertEqual(found[version].startswith("offered"), version == offered, found)

    @unittest.skipUnless(shutil.which("testssl"), "testssl is not installed")
    def test_testssl_finds_weak_suites(self):
        with BadTLS("weak-ciphers") as bad:
            found = bad.testssl("-s")
            for identifier in ("cipherlist_NULL", "cipherlist_aNULL"):
                self.assertEqual(found[identifier], "offered", found)
            strong = {words for identifier, words in found.items() if identifier.startswith("cipherlist_STRONG")}
            self.assertEqual(strong, {"not offered"}, found)


class Handshakes(unittest.TestCase):
    def begin(self, bad):
        client = Wire(bad.port)
        wire.hello(client)
        self.assertEqual(client.ask("STARTTLS").code, 220)
        return client

    def test_each_alert_has_its_number(self):
        for name, way in both(ALERTS):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                status, text = bad.s_client()
                self.assertEqual((status, cipher(text)), (1, None), text)
                self.assertIn(f"SSL alert number {ALERTS[name]}", text)

    def test_silence_follows_the_client_hello(self):
        for name, way in both(["stall"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                with self.begin(bad) as client:
                    client.socket.settimeout(SILENCE_S)
                    with self.assertRaises(TimeoutError):
                        bad.context().wrap_socket(client.socket, server_hostname=HOST)
                status, text = bad.s_client(limit_s=SILENCE_S)
                self.assertIsNone(status, text)

    def test_part_of_the_flight_then_fin(self):
        for name, way in both(["close-in-handshake"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                status, text = bad.s_client("-tls1_2", "-msg")
                self.assertIn("ServerHello", text)
                self.assertIn("unexpected eof", text)
                self.assertEqual(status, 1, text)

    def test_nothing_but_close_notify_follows_the_handshake(self):
        for name, way in both(["close-after-handshake"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                _, text = bad.s_client("-msg")
                self.assertEqual(verify_code(text), 0, text)
                self.assertIn("warning close_notify", text)
                self.assertNotIn("221 ", text)
                self.assertNotIn("unexpected eof", text)

    def test_the_end_comes_without_close_notify(self):
        for name, way in both(["no-close-notify"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                status, text = bad.s_client()
                self.assertIn("221 ", text)
                self.assertIn("unexpected eof", text)


class StartTLS(unittest.TestCase):
    """What only SMTP has."""

    def test_not_offered(self):
        for name, way in both(["hidden"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                with Wire(bad.port) as client:
                    self.assertNotIn("STARTTLS", wire.hello(client).text)
                _, text = bad.s_client()
                self.assertIn("didn't find starttls in server response", text.lower())
                said = clients.swaks(bad.port, "b@any.test", "starttls")
                self.assertEqual((said.sent, said.phase), (False, "starttls"), said)

    def test_offered_and_refused(self):
        for name, way in both(["refused"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                with Wire(bad.port) as client:
                    self.assertIn("STARTTLS", wire.hello(client).text)
                    self.assertEqual(client.ask("STARTTLS").code, 454)
                    self.assertEqual(wire.deliver(client)[-1].code, 250)
                said = clients.swaks(bad.port, "b@any.test", "starttls")
                self.assertEqual((said.sent, said.phase, said.code), (False, "starttls", 454), said)

    def after_220(self, bad):
        client = Wire(bad.port)
        self.assertIn("STARTTLS", wire.hello(client).text)
        self.assertEqual(client.ask("STARTTLS").code, 220)
        return client

    def test_220_then_nothing(self):
        for name, way in both(["silent"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                with self.after_220(bad) as client:
                    client.socket.settimeout(SILENCE_S)
                    with self.assertRaises(TimeoutError):
                        bad.context().wrap_socket(client.socket, server_hostname=HOST)
                self.assertIsNone(bad.s_client(limit_s=SILENCE_S)[0])

    def test_220_then_noise(self):
        for name, way in both(["garbage"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                with self.after_220(bad) as client:
                    client.socket.settimeout(LIMIT_S)
                    with self.assertRaises(ssl.SSLError):
                        bad.context().wrap_socket(client.socket, server_hostname=HOST)
                status, text = bad.s_client()
                self.assertEqual((status, cipher(text)), (1, None), text)
                self.assertIn("SSL routines", text)
                self.assertNotIn("unexpected eof", text)

    def test_220_then_fin(self):
        for name, way in both(["close"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                with self.after_220(bad) as client:
                    self.assertEqual((client.end(), client.buffer), ("closed", b""))
                status, text = bad.s_client()
                self.assertEqual((status, cipher(text)), (1, None), text)

    def inside(self, bad):
        """The two EHLO lists, before and inside TLS."""
        with Wire(bad.port, context=bad.context()) as client:
            before = wire.hello(client).lines[1:]
            self.assertEqual(client.ask("STARTTLS").code, 220)
            client.socket.settimeout(LIMIT_S)
            client.socket = bad.context().wrap_socket(client.socket, server_hostname=HOST)
            client.buffer = b""
            return [{line[4:] for line in lines} for lines in (before, client.ask("EHLO client.test").lines[1:])]

    def test_another_list_inside_tls(self):
        for name, way in both(["ehlo-changed"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                before, inside = self.inside(bad)
                self.assertNotEqual(before - {"STARTTLS"}, inside)
        with BadTLS() as sound:
            before, inside = self.inside(sound)
            self.assertEqual({l for l in before - {"STARTTLS"} if not l.startswith("AUTH")},
                             {l for l in inside if not l.startswith("AUTH")})

    def test_offered_again_inside_tls(self):
        for name, way in both(["offered-again"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                self.assertIn("STARTTLS", self.inside(bad)[1])

    def test_a_reply_in_clear_behind_the_220(self):
        for name, way in both(["injected-reply"]):
            with self.subTest(name=name, way=way), BadTLS(name, way) as bad:
                with Wire(bad.port) as client:
                    wire.hello(client)
                    self.assertEqual(client.ask("STARTTLS").code, 220)
                    seen = client.reply(SILENCE_S)
                    self.assertEqual(seen.kind, "reply", seen)
                # What s_client makes of it depends on its buffers; it must not hang.
                self.assertIsNotNone(bad.s_client()[0])


class ServerNames(unittest.TestCase):
    """The first label of the name that a client asks for."""

    def test_the_first_label_chooses(self):
        with BadTLS() as bad:
            for name, code in VERIFY.items():
                with self.subTest(name=name):
                    _, text = bad.s_client(name=f"{name}.{HOST}")
                    self.assertEqual(verify_code(text), code, text)
            for name in (f"only-tls1-2.{HOST}", f"only-tls1.2.{HOST}"):
                _, text = bad.s_client(name=name)
                self.assertRegex(text, r"New, TLSv1\.2")
            self.assertIn("SSL alert number 80", bad.s_client(name=f"alert-internal-error.{HOST}")[1])
            self.assertIsNone(bad.s_client(name=f"stall.{HOST}", limit_s=SILENCE_S)[0])
            status, text = bad.s_client()
            self.assertEqual((status, verify_code(text)), (0, 0), text)

    def test_every_alert_is_the_one_that_its_name_says(self):
        with BadTLS() as bad:
            for name, number in EVERY_ALERT.items():
                with self.subTest(name=name):
                    _, text = bad.s_client("-msg", name=f"alert-{name}.{HOST}")
                    heard = re.findall(r"<<<.*Alert.*\n\s+[0-9a-f]{2} ([0-9a-f]{2})", text)
                    self.assertIn(f"{number:02x}", heard, text)

    def test_no_magic_switches_it_off(self):
        with BadTLS(arguments=["--no-magic"]) as bad:
            self.assertEqual(verify_code(bad.s_client(name=f"expired.{HOST}")[1]), 62)


if __name__ == "__main__":
    unittest.main()
