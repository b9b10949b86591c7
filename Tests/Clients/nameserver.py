# Real name servers on loopback, dnsmasq and unbound, each with the text that `fakemx dns` printed, and dig to ask them.
# Knows nothing of mail; the tests do.

import os
import random
import shutil
import socket
import subprocess
import tempfile
import time

PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
START_LIMIT_S = 10

UNBOUND = """\
server:
  interface: {address}@{port}
  port: {port}
  do-ip6: no
  do-daemonize: no
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: ""
  use-syslog: no
  num-threads: 1
  module-config: "iterator"
remote-control:
  control-enable: no
"""


class Missing(Exception):
    """The name server is not there, or may not run here; the message says which."""


def dig(server, name, kind):
    """What the server answers, as sorted lines; [] for a name or a type that is not there."""
    program = shutil.which("dig", path=PATH)
    if not program:
        raise Missing("dig is not installed (Scripts/setup --tests)")
    done = subprocess.run(
        [program, "+short", "+tries=1", "+time=2", "+noidnout", f"@{server.address}", "-p", str(server.port), name, kind],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=10, env={**os.environ, "HOME": "/nonexistent"})
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    if done.returncode != 0 or any(line.startswith(";;") for line in lines):
        raise AssertionError(f"{name} {kind}: {' '.join(lines)}\n{server.log()}")
    return sorted(lines)


class NameServer:
    """On a loopback address of its own, at a free high port unless one is told."""

    def __init__(self, text, port=None):
        self.program = shutil.which(self.name, path=PATH)
        if not self.program:
            raise Missing(f"{self.name} is not installed (Scripts/setup --tests)")
        self.address = f"127.{random.randint(64, 191)}.{random.randint(1, 254)}.{random.randint(1, 254)}"
        self.port = port or free_port(self.address)
        self.folder = tempfile.mkdtemp(prefix=f"fakemx-{self.name}-")
        self.file = os.path.join(self.folder, "zone")
        self.origin = next((line.split()[1] for line in text.splitlines() if line.startswith("$ORIGIN ")), None)
        with open(self.file, "w") as file:
            file.write(text)
        self.output = open(os.path.join(self.folder, "log"), "wb")
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=self.output, stderr=subprocess.STDOUT, cwd=self.folder)
        deadline = time.monotonic() + START_LIMIT_S
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = self.log()
                self.stop()
                raise Missing(f"{self.name} does not run at {self.address}:{self.port}: {log[-600:]}")
            time.sleep(0.05)

    def answers(self):
        """Whether a question comes back with its number: the address of test, whatever it is."""
        question = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x04test\x00\x00\x01\x00\x01"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.5)
            try:
                client.connect((self.address, self.port))
                client.send(question)
                return client.recv(512).startswith(b"\x12\x34")
            except OSError:
                return False

    def log(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as file:
            return file.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.output.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Dnsmasq(NameServer):
    name = "dnsmasq"

    def command(self):
        # It gives up root for a user who may not read the folder of somebody else.
        os.chmod(self.folder, 0o755)
        return [self.program, "--keep-in-foreground", "--no-resolv", "--no-hosts", "--bind-interfaces", "--pid-file",
                "--log-facility=-", f"--listen-address={self.address}", f"--port={self.port}", f"--conf-file={self.file}"]


class Unbound(NameServer):
    name = "unbound"
    more = 'include: "{file}"\n'

    def command(self):
        configuration = os.path.join(self.folder, "unbound.conf")
        with open(configuration, "w") as file:
            file.write((UNBOUND + self.more).format(
                address=self.address, port=self.port, folder=self.folder, file=self.file, origin=self.origin))
        return [self.program, "-d", "-c", configuration]


class UnboundZone(Unbound):
    """unbound with a zone file; its own empty zone test. has to go."""

    more = ('server:\n  local-zone: "test." nodefault\n'
            'auth-zone:\n  name: "{origin}"\n  zonefile: "{file}"\n  for-upstream: no\n  for-downstream: yes\n')


def free_port(*addresses):
    """A port that is free at each of the addresses."""
    for _ in range(100):
        with socket.socket() as first:
            first.bind((addresses[0], 0))
            port = first.getsockname()[1]
            try:
                for address in addresses[1:]:
                    with socket.socket() as other:
                        other.bind((address, port))
            except OSError:
                continue
            return port
    raise Missing(f"no port is free at {', '.join(addresses)}")
