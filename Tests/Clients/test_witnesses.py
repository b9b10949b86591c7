# Names and mail of senders with public addresses, asked of a real name server and of a real rspamd. Those addresses are
# put on the loopback interface of a network of this process alone, so nothing leaves the machine.

import ctypes
import json
import os
import shutil
import smtplib
import subprocess
import tempfile
import time
import unittest
import urllib.request

import dkim

import nameserver
from sink import Sink

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
# RFC 5737: of nobody, and of no private network.
GOOD, NAMELESS, MISMATCHED, GENERIC = "192.0.2.9", "192.0.2.10", "192.0.2.11", "192.0.2.12"
NAMES = ("conn-no-ptr", "conn-fcrdns-mismatch", "conn-generic-ptr", "helo-unresolvable", "helo-name-not-peer",
         "helo-not-matching-ptr", "sender-domain-dead")
MAIL = ("spf-fail", "hdr-from-not-aligned", "hdr-dkim-invalid")
ZONE = """\
$ORIGIN sender.example.
@     MX 10 mta1
mta1  A 192.0.2.9
mta2  A 192.0.2.77
9.2.0.192.in-addr.arpa.   PTR mta1.sender.example.
11.2.0.192.in-addr.arpa.  PTR mta2.sender.example.
12.2.0.192.in-addr.arpa.  PTR 192-0-2-12.dyn.isp.example.
192-0-2-12.dyn.isp.example. A 192.0.2.12
null.example. MX 0 .
"""
DNSMASQ = """\
mx-host=sender.example,mta1.sender.example,10
host-record=mta1.sender.example,192.0.2.9
address=/mta2.sender.example/192.0.2.77
ptr-record=11.2.0.192.in-addr.arpa,mta2.sender.example
host-record=192-0-2-12.dyn.isp.example,192.0.2.12
mx-host=null.example,.,0
local=/example/
local=/arpa/
txt-record=sender.example,"v=spf1 ip4:192.0.2.9 -all"
txt-record=_dmarc.sender.example,"v=DMARC1; p=reject"
txt-record=one._domainkey.sender.example,{key}
txt-record=other.example,"v=spf1 ip4:192.0.2.9 -all"
mx-host=other.example,mta1.sender.example,10
"""


def own_network():
    """A network of this thread's own, in which the addresses above are this machine's."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWNET | (CLONE_NEWUSER if user else 0)) != 0:
        raise unittest.SkipTest(f"no network of its own: {os.strerror(ctypes.get_errno())}")
    if user:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    path = {**os.environ, "PATH": nameserver.PATH}
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True, env=path)
    for address in (GOOD, NAMELESS, MISMATCHED, GENERIC):
        subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True, env=path)


def setUpModule():
    own_network()


def send(sink, source, helo, sender, message=b"Subject: x\r\n\r\nhello\r\n"):
    # The listener is reached by an address of its own, so that the sender's is kept.
    with smtplib.SMTP(sink.address, sink.port, local_hostname=helo, source_address=(source, 0), timeout=20) as client:
        client.sendmail(sender, ["b@any.test"], message)


class Listening(Sink):
    def __init__(self, *arguments):
        super().__init__("--smtp", f"{GOOD}:0", "--tls", "off", *arguments, listeners=False, http="127.0.0.1:0")

    address = GOOD

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}/api/fakemx/{path}", timeout=60) as answer:
            return json.load(answer)

    def broken(self, rules):
        """For each session, the oldest first: which of these rules are broken."""
        found = self.get("findings?limit=1000")["findings"]
        ids = sorted((session["id"] for session in self.get("sessions")["sessions"]), key=lambda one: int(one[1:]))
        return [sorted(f["rule"] for f in found if f["session"] == one and f["rule"] in rules) for one in ids]

    def report(self):
        return self.get("report?format=json")


class Names(unittest.TestCase):
    def four_senders(self, *arguments):
        with Listening(*arguments) as sink:
            send(sink, GOOD, "mta1.sender.example", "a@sender.example")
            send(sink, NAMELESS, "nowhere.example", "a@nowhere.example")
            send(sink, MISMATCHED, "mta1.sender.example", "a@null.example")
            send(sink, GENERIC, "192-0-2-12.dyn.isp.example", "")
            return sink.broken(NAMES), sink.report()

    def check(self, broken, report):
        self.assertEqual(broken[0], [])
        self.assertEqual(broken[1], ["conn-no-ptr", "helo-unresolvable", "sender-domain-dead"])
        self.assertEqual(
            broken[2], ["conn-fcrdns-mismatch", "helo-name-not-peer", "helo-not-matching-ptr", "sender-domain-dead"])
        self.assertEqual(broken[3], ["conn-generic-ptr"])
        self.assertFalse([one for one in report["not_judged"] if one["rule"] in NAMES])

    def test_a_name_server(self):
        with nameserver.Dnsmasq(DNSMASQ.format(key='"v=DKIM1; p="')) as server:
            self.check(*self.four_senders("--dns", f"{server.address}:{server.port}"))

    def test_a_zone_file(self):
        with tempfile.NamedTemporaryFile("w", suffix=".zone") as file:
            file.write(ZONE)
            file.flush()
            self.check(*self.four_senders("--dns", file.name))

    def test_a_name_server_that_is_not_there_says_nothing_of_anybody(self):
        broken, report = self.four_senders("--dns", "127.0.0.1:9")
        self.assertEqual(broken, [[], [], [], []])
        self.assertFalse(set(NAMES) & set(report["kept"]))

    def test_nobody_is_asked_unless_somebody_says_so(self):
        broken, report = self.four_senders()
        self.assertEqual(broken, [[], [], [], []])
        self.assertEqual({one["kind"] for one in report["not_judged"] if one["rule"] in NAMES}, {"option"})

    def test_of_this_machine_nobody_is_asked_and_that_is_said(self):
        with Sink("--dns", "127.0.0.1:9", http="127.0.0.1:0") as sink:
            with smtplib.SMTP("127.0.0.1", sink.port, local_hostname="nowhere.example") as client:
                client.sendmail("a@nowhere.example", ["b@any.test"], b"Subject: x\r\n\r\nx\r\n")
            with urllib.request.urlopen(f"{sink.url}/api/fakemx/report?format=json", timeout=30) as answer:
                report = json.load(answer)
        self.assertEqual({one["kind"] for one in report["not_judged"] if one["rule"] in NAMES}, {"local"})


class Rspamd:
    """Debian's rspamd with its own configuration, with files of its own and one name server."""

    def __init__(self, server):
        program = shutil.which("rspamd", path=nameserver.PATH)
        if not program:
            raise unittest.SkipTest("rspamd is not installed (Scripts/setup --tests)")
        self.folder = tempfile.mkdtemp(prefix="fakemx-rspamd-")
        for name in ("run", "log", "db", "conf/local.d", "conf/override.d"):
            os.makedirs(os.path.join(self.folder, name))
        self.port = nameserver.free_port("127.0.0.1")
        self.write("options.inc", f'dns {{ nameserver = ["{server.address}:{server.port}"]; }}\nlocal_addrs = [];\n')
        self.write("worker-normal.inc", f'bind_socket = "127.0.0.1:{self.port}";\ncount = 1;\n')
        for name in ("worker-controller", "worker-proxy", "worker-fuzzy"):
            self.write(f"{name}.inc", f'bind_socket = "{self.folder}/run/{name}.sock";\nenabled = false;\n')
        self.write("logging.inc", 'type = "console";\nlevel = "notice";\n')
        variables = {"LOCAL_CONFDIR": f"{self.folder}/conf", "RUNDIR": f"{self.folder}/run",
                     "LOGDIR": f"{self.folder}/log", "DBDIR": f"{self.folder}/db"}
        self.output = open(os.path.join(self.folder, "output"), "wb")
        command = [program, "-f", "-c", "/etc/rspamd/rspamd.conf", *(f"--var={k}={v}" for k, v in variables.items())]
        if os.getuid() == 0:
            command.append("-i")  # as root, in this network alone
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT, cwd=self.folder)
        self.url = f"http://127.0.0.1:{self.port}"
        deadline = time.monotonic() + 60
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = self.log()
                self.stop()
                raise AssertionError(f"rspamd does not run: {log[-2000:]}")
            time.sleep(0.2)

    def write(self, name, text):
        with open(os.path.join(self.folder, "conf/override.d", name), "w") as file:
            file.write(text)

    def answers(self):
        try:
            with urllib.request.urlopen(f"{self.url}/ping", timeout=2) as answer:
                return answer.read().startswith(b"pong")
        except OSError:
            return False

    def log(self):
        with open(os.path.join(self.folder, "output"), errors="replace") as file:
            return file.read()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def letter(sender, body="hello"):
    return (f"From: a@{sender}\r\nTo: b@any.test\r\nSubject: x\r\nDate: Sat, 28 Nov 2026 10:00:00 +0000\r\n"
            f"Message-ID: <1@{sender}>\r\n\r\n{body}\r\n").encode()


class Mail(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.key = subprocess.run(["openssl", "genrsa", "-traditional", "2048"], check=True, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL).stdout
        public = subprocess.run(["openssl", "rsa", "-pubout", "-outform", "PEM"], input=cls.key, check=True,
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.decode()
        text = "v=DKIM1; k=rsa; p=" + "".join(public.splitlines()[1:-1])
        # A string of a TXT record has 255 octets at most.
        strings = ",".join(f'"{text[i:i + 250]}"' for i in range(0, len(text), 250))
        cls.names = nameserver.Dnsmasq(DNSMASQ.format(key=strings))
        cls.addClassCleanup(cls.names.stop)
        cls.rspamd = Rspamd(cls.names)
        cls.addClassCleanup(cls.rspamd.stop)

    def signed(self, message):
        return dkim.sign(message, b"one", b"sender.example", self.key, include_headers=[b"from", b"to", b"subject"]) + message

    def test_what_rspamd_says_of_spf_dkim_and_dmarc(self):
        plain = letter("sender.example")
        with Listening("--rspamd", self.rspamd.url) as sink:
            send(sink, GOOD, "mta1.sender.example", "a@sender.example", self.signed(plain))
            send(sink, NAMELESS, "mta1.sender.example", "a@sender.example", plain)
            send(sink, GOOD, "mta1.sender.example", "a@other.example", plain)
            send(sink, GOOD, "mta1.sender.example", "a@sender.example", self.signed(plain).replace(b"hello", b"help"))
            broken, report = sink.broken(MAIL), sink.report()
            judging = sink.get("findings")["judging"]
        log = self.rspamd.log()[-3000:]
        self.assertEqual(broken, [[], ["hdr-from-not-aligned", "spf-fail"], ["hdr-from-not-aligned"], ["hdr-dkim-invalid"]],
                         log)
        self.assertEqual(judging["mail_unanswered"], 0)
        saw = {one["rule"]: one["saw"] for one in report["broken"] if one["rule"] in MAIL}
        self.assertEqual(saw["spf-fail"], "SPF of sender.example: fail")
        self.assertEqual(saw["hdr-dkim-invalid"], "the signature of sender.example does not verify")

    def test_one_that_is_not_there_is_said_at_start_and_counted(self):
        with Listening("--rspamd", "http://127.0.0.1:9") as sink:
            send(sink, NAMELESS, "mta1.sender.example", "a@sender.example", letter("sender.example"))
            self.assertEqual(sink.broken(("spf-fail",)), [[]])
            self.assertEqual(sink.get("findings")["judging"]["mail_unanswered"], 1)
            self.assertIn("--rspamd: http://127.0.0.1:9", sink.error_text())


if __name__ == "__main__":
    unittest.main()
