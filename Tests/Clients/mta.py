# Real sending MTAs on loopback: Postfix (installed, run with its own folder) and Exim (unpacked). Each routes a domain
# to the port it is told, or by the MX records of a name server, and writes the log from which the tests read what the
# MTA itself thinks happened.

import glob
import grp
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import threading
import time

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
EXIM = os.path.join(ROOT, ".build", "mta", "exim4-daemon-light", "usr", "sbin", "exim4")
SENDER = "sender@origin.test"
RETRY_S = 2
DRAIN_S = 30  # more than any session with a fault takes

POSTFIX_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
myhostname = postfix.origin.test
mydestination =
mynetworks_style = host
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
local_transport = error:no local delivery
default_transport = discard
transport_maps = texthash:{folder}/transport
relayhost =
disable_dns_lookups = yes
smtp_tls_security_level = may
smtp_tls_loglevel = 1
smtp_tls_session_cache_database =
smtp_connection_cache_on_demand = no
smtp_helo_timeout = 10s
smtp_data_done_timeout = 10s
minimal_backoff_time = {retry}s
maximal_backoff_time = {retry}s
queue_run_delay = {retry}s
default_destination_concurrency_limit = 20
initial_destination_concurrency = 20
bounce_queue_lifetime = 0
notify_classes =
"""

# Later lines of main.cf count. Without TLS, since Postfix keeps a connection with TLS in another way.
POSTFIX_BY_MX = """\
disable_dns_lookups = no
smtp_host_lookup = dns
smtp_tcp_port = {port}
smtp_tls_security_level = none
smtp_connection_cache_destinations = {kept}
smtp_connection_cache_time_limit = 20s
smtp_destination_concurrency_limit = 1
"""

POSTFIX_MASTER = """\
pickup    unix  n  -  n  1  1  pickup
cleanup   unix  n  -  n  -  0  cleanup
qmgr      unix  n  -  n  1  1  qmgr
tlsmgr    unix  -  -  n  1000?  1  tlsmgr
rewrite   unix  -  -  n  -  -  trivial-rewrite
bounce    unix  -  -  n  -  0  bounce
defer     unix  -  -  n  -  0  bounce
trace     unix  -  -  n  -  0  bounce
flush     unix  n  -  n  1000?  0  flush
smtp      unix  -  -  n  -  100  smtp
error     unix  -  -  n  -  -  error
retry     unix  -  -  n  -  -  error
discard   unix  -  -  n  -  -  discard
scache    unix  -  -  n  -  1  scache
postlog   unix-dgram n - n - 1 postlogd
"""

EXIM_CONFIGURATION = """\
exim_path = {exim}
spool_directory = {folder}/spool
log_file_path = {folder}/%slog
pid_file_path = {folder}/pid
primary_hostname = exim.origin.test
exim_user = Debian-exim
exim_group = Debian-exim
never_users =
trusted_users = root
daemon_smtp_ports =
keep_environment =
disable_ipv6 = true
log_selector = +all -arguments -pid
timeout_frozen_after = 1m
message_size_limit = 10M
queue_run_max = 50
remote_max_parallel = 20
{main}
begin routers
{router}rest:
  driver = redirect
  data = :blackhole:
  allow_fail

begin transports
remote:
  driver = smtp
  port = ${{lookup{{$domain}}lsearch{{{folder}/ports}}}}
  hosts_try_fastopen =
  allow_localhost
  # Every cell is the same host on another port: a kept connection would carry a message to the wrong sink.
  connection_max_messages = 1
  command_timeout = {timeout}s
  data_timeout = {timeout}s
  final_timeout = {timeout}s
  connect_timeout = 5s
{transport}
begin retry
*  *  F,1h,{retry}s
"""


EXIM_TOLD = """\
told:
  driver = manualroute
  domains = lsearch;{folder}/routes
  transport = remote
  route_data = ${{lookup{{$domain}}lsearch{{{folder}/routes}}}}
  self = send
"""

EXIM_BY_MX = """\
by_mx:
  driver = dnslookup
  domains = lsearch;{folder}/ports
  transport = remote
  self = send
  no_more
"""


class Missing(Exception):
    """The MTA is not there, or may not be run; the message says which."""


def need_root():
    if os.geteuid() != 0:
        raise Missing("a private MTA needs root, for its queue belongs to another user")


class ByMX:
    """Routes by MX: the domains, the port in place of 25, and the address of the name server, which is asked at port 53.
    Connections to the domains of `kept` are kept for the next message."""

    def __init__(self, domains, port, resolver, kept=()):
        self.domains, self.port, self.resolver, self.kept = domains, port, resolver, kept

    def within(self, folder):
        """What stands before a command that is to ask the name server: a mount namespace of its own, in which
        /etc/resolv.conf is another file."""
        path = os.path.join(folder, "resolv.conf")
        with open(path, "w") as file:
            file.write(f"nameserver {self.resolver}\noptions timeout:2 attempts:2\n")
        os.chmod(path, 0o644)
        words = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"', path]
        try:
            tried = subprocess.run([*words, "cat", "/etc/resolv.conf"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   timeout=10)
        except FileNotFoundError:
            raise Missing("unshare (util-linux) is not installed") from None
        if self.resolver.encode() not in tried.stdout:
            raise Missing("no mount namespace with another /etc/resolv.conf is allowed here: "
                          + tried.stdout.decode("utf-8", "replace")[-300:])
        return words


class Postfix:
    name = "Postfix"

    def __init__(self, routes, host="127.0.0.1", main=""):
        """routes: domain -> port of `host`, or ByMX; main: lines for main.cf."""
        need_root()
        if not shutil.which("postfix", path=os.environ.get("PATH", "") + ":/usr/sbin"):
            raise Missing("Postfix is not installed (Scripts/setup --tests)")
        self.folder = tempfile.mkdtemp(prefix="fakemx-postfix-")
        os.chmod(self.folder, 0o755)
        for name in ("queue", "data"):
            os.mkdir(os.path.join(self.folder, name))
        os.chown(os.path.join(self.folder, "data"), pwd.getpwnam("postfix").pw_uid, grp.getgrnam("postfix").gr_gid)
        settings = POSTFIX_MAIN.format(folder=self.folder, retry=RETRY_S)
        self.within = []
        if isinstance(routes, ByMX):
            transport = {domain: "smtp:" for domain in routes.domains}
            settings += POSTFIX_BY_MX.format(port=routes.port, kept=" ".join(routes.kept))
            self.within = routes.within(self.folder)
        else:
            transport = {domain: f"smtp:[{host}]:{port}" for domain, port in routes.items()}
        self._write("main.cf", settings + main)
        self._write("master.cf", POSTFIX_MASTER)
        self._write("transport", "".join(f"{domain} {nexthop}\n" for domain, nexthop in transport.items()))
        self._postfix("start")

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def _postfix(self, command):
        # The daemons of "start" stay in its namespace.
        within = self.within if command == "start" else []
        done = subprocess.run([*within, "/usr/sbin/postfix", "-c", self.folder, command], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=30)
        if done.returncode != 0 and command == "start":
            raise Missing(f"postfix {command}: {done.stdout.decode('utf-8', 'replace')[-600:]}")

    def forget(self):
        """Postfix tries each host again for each message."""

    def submit(self, recipient, message, sender=SENDER):
        subprocess.run(["/usr/sbin/sendmail", "-C", self.folder, "-oi", "-f", sender, recipient], input=message,
                       check=True, timeout=30, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def attempts(self):
        """Recipient -> [(status, what the log says)], an entry a delivery attempt, in order."""
        found = {}
        for line in self.log().splitlines():
            match = re.search(r"postfix/(?:smtp|error|discard)\[\d+\]: \w+: to=<([^>]*)>,.* status=(\w+) \((.*)\)$", line)
            if match:
                found.setdefault(match.group(1), []).append((match.group(2), match.group(3)))
        return found

    def log(self):
        try:
            with open(os.path.join(self.folder, "log"), errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def drain(self):
        """Takes what waits out of the queue, so that no attempt begins any more; returns when those under way have come to
        their end."""
        subprocess.run(["/usr/sbin/postsuper", "-c", self.folder, "-d", "ALL"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=30)
        # Who delivers has the message open until the session is over.
        messages = os.path.join(self.folder, "queue", "active", "")
        deadline = time.monotonic() + DRAIN_S
        while any(path.startswith(messages) for path in open_files()):
            if time.monotonic() > deadline:
                raise AssertionError(f"Postfix is still delivering after {DRAIN_S} s: {self.log()[-1500:]}")
            time.sleep(0.05)

    def stop(self):
        """One that is killed in a session leaves without QUIT, which would be held against it."""
        try:
            self.drain()
        finally:
            self._postfix("stop")
            shutil.rmtree(self.folder, ignore_errors=True)


def open_files():
    """The paths of all files that any process has open."""
    for link in glob.iglob("/proc/[0-9]*/fd/*"):
        try:
            yield os.readlink(link)
        except OSError:  # closed meanwhile
            pass


class Exim:
    name = "Exim"

    def __init__(self, routes, host="127.0.0.1", main="", transport="", timeout_s=10, retry_s=RETRY_S):
        """routes: as for Postfix; main, transport: lines for these parts of the configuration."""
        need_root()
        if not os.path.exists(EXIM):
            raise Missing("Exim is not unpacked (Scripts/setup --tests)")
        try:
            user = pwd.getpwnam("Debian-exim")
        except KeyError:
            raise Missing("there is no user Debian-exim (Scripts/setup --tests)") from None
        self.folder = tempfile.mkdtemp(prefix="fakemx-exim-")
        os.chmod(self.folder, 0o755)
        # Exim reads its binary and its lists as another user too: both stand where that user may read.
        self.binary = os.path.join(self.folder, "exim4")
        shutil.copy(EXIM, self.binary)
        os.chown(self.binary, 0, 0)
        os.chmod(self.binary, 0o4755)
        os.mkdir(os.path.join(self.folder, "spool"))
        os.chown(os.path.join(self.folder, "spool"), user.pw_uid, user.pw_gid)
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        self.configuration = os.path.join(self.folder, "configuration")
        self.within = []
        router = EXIM_TOLD
        if isinstance(routes, ByMX):
            self.within = routes.within(self.folder)
            router = EXIM_BY_MX
            routes = {domain: routes.port for domain in routes.domains}
        self._write("configuration", EXIM_CONFIGURATION.format(
            folder=self.folder, exim=self.binary, retry=retry_s, router=router.format(folder=self.folder), main=main,
            transport=transport, timeout=timeout_s))
        self._write("routes", "".join(f"{domain}: {host}\n" for domain in routes))
        self._write("ports", "".join(f"{domain}: {port}\n" for domain, port in routes.items()))
        self.ending = threading.Event()
        self._run(["-bV"], b"")
        self.runner = threading.Thread(target=self._run_queue, daemon=True)
        self.runner.start()

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def _run(self, arguments, stdin):
        done = subprocess.run([*self.within, self.binary, "-C", self.configuration, *arguments], input=stdin,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        if done.returncode != 0:
            raise Missing(f"exim {' '.join(arguments)}: {done.stdout.decode('utf-8', 'replace')[-600:]}")

    def _run_queue(self):
        while not self.ending.wait(1):
            self._run(["-q"], b"")

    def drain(self):
        """As with Postfix."""
        deadline = time.monotonic() + DRAIN_S
        while True:
            # Who delivers holds a lock on the message, and writes down what it learnt before it lets go.
            waiting = [os.path.basename(path)[:-2] for path in glob.glob(os.path.join(self.folder, "spool", "input", "*-H"))]
            if not waiting:
                break
            if time.monotonic() > deadline:
                raise AssertionError(f"Exim does not let go of {waiting}")
            subprocess.run([self.binary, "-C", self.configuration, "-Mrm", *waiting], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=20)
            time.sleep(0.02)

    def forget(self):
        """Drains, and forgets which hosts refused: Exim would pass them over for a while."""
        self.drain()
        for path in glob.glob(os.path.join(self.folder, "spool", "db", "retry*")):
            os.unlink(path)

    def submit(self, recipient, message, sender=SENDER):
        # -odb: the first attempt is made at once, in the background.
        self._run(["-odb", "-oi", "-f", sender, recipient], message)

    def attempts(self):
        found = {}
        status = {"=>": "sent", "->": "sent", "==": "deferred", "**": "bounced"}
        for line in self.log().splitlines():
            match = re.search(r" (=>|->|==|\*\*) (\S+@\S+) (.*)$", line)
            # "retry time not reached" is no attempt: nothing was sent.
            if match and "R=rest" not in match.group(3) and "retry time not reached" not in match.group(3):
                found.setdefault(match.group(2), []).append((status[match.group(1)], match.group(3)))
        return found

    def log(self):
        try:
            with open(os.path.join(self.folder, "mainlog"), errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def stop(self):
        """As with Postfix."""
        self.ending.set()
        self.runner.join(60)
        try:
            self.drain()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)
