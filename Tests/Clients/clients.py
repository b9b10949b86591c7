# The real clients, each as one function: it sends one message and tells, from the client's own exit status and words,
# whether the client thinks it was sent, at which phase it was refused, and with which code.

import os
import re
import shutil
import smtplib
import ssl
import subprocess
import tempfile

from sink import ROOT

LIMIT_S = 20
SENDER = "a@sender.test"
MESSAGE = f"From: {SENDER}\r\nTo: b@any.test\r\nSubject: client\r\n\r\nhello\r\n"
NULLMAILER = os.path.join(ROOT, ".build", "mta", "nullmailer", "usr", "lib", "nullmailer", "smtp")
PATH = os.environ.get("PATH", "") + ":/usr/sbin"


class Said:
    """What the client says. `phase` and `code` are None where it names none."""

    def __init__(self, sent, output, phase=None, code=None):
        self.sent, self.output, self.phase, self.code = sent, output, phase, code

    def __repr__(self):
        return f"<{'sent' if self.sent else 'failed'} phase={self.phase} code={self.code}: {self.output[-600:]!r}>"


def call(command, stdin="", limit_s=LIMIT_S, **more):
    environment = {**os.environ, "PATH": PATH, "HELOHOST": "client.test", "LC_ALL": "C", "HOME": "/nonexistent"}
    done = subprocess.run(command, input=stdin.encode(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=limit_s, env=environment, **more)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def phase_in(output, table):
    return next((phase for words, phase in table if re.search(words, output)), None)


def code_in(output, pattern):
    match = re.search(pattern, output, re.MULTILINE)
    return int(match.group(1)) if match else None


def swaks(port, to, tls=None):
    flags = {None: [], "starttls": ["-tls"], "implicit": ["-tlsc"]}[tls]
    status, output = call(["swaks", "--server", f"127.0.0.1:{port}", "--ehlo", "client.test", "--from", SENDER,
                           "--to", to, "--body", "hello", "--timeout", "10", *flags])
    phases = {21: "greeting", 22: "ehlo", 23: "mail", 24: "rcpt", 25: "data", 26: "end-of-data", 29: "starttls"}
    return Said(status == 0, output, phases.get(status), code_in(output, r"^<(?:\*\*|~\*) +([45]\d\d)"))


def curl(port, to, tls=None):
    flags = {None: [], "starttls": ["--ssl-reqd", "--insecure"], "implicit": ["--insecure"]}[tls]
    scheme = "smtps" if tls == "implicit" else "smtp"
    status, output = call(["curl", "-sS", "--url", f"{scheme}://127.0.0.1:{port}/client.test", "--mail-from", SENDER,
                           "--mail-rcpt", to, "-T", "-", "--max-time", "10", *flags], MESSAGE)
    table = [("MAIL failed", "mail"), ("RCPT failed", "rcpt"), ("DATA failed", "data"), ("Weird server reply", "end-of-data"),
             ("Got unexpected smtp-server response", "greeting"), ("Remote access denied", "ehlo"),
             ("STARTTLS denied", "starttls")]
    return Said(status == 0, output, phase_in(output, table), code_in(output, r"(?:failed|response|denied): ([45]\d\d)"))


def msmtp(port, to, tls=None):
    flags = {None: ["--tls=off"], "starttls": ["--tls=on", "--tls-starttls=on"],
             "implicit": ["--tls=on", "--tls-starttls=off"]}[tls]
    status, output = call(["msmtp", "-C", "/dev/null", "--host=127.0.0.1", f"--port={port}", f"--from={SENDER}",
                           "--domain=client.test", "--tls-certcheck=off", "--timeout=10", *flags, to], MESSAGE)
    table = [("initial OK message", "greeting"), ("does not accept EHLO", "ehlo"), ("STARTTLS", "starttls"),
             ("from address", "mail"), ("recipient address", "rcpt"), ("does not accept mail data", "data"),
             ("did not accept the mail", "end-of-data")]
    return Said(status == 0, output, phase_in(output, table), code_in(output, r"server message: ([45]\d\d)"))


def nullmailer(port, to, tls=None):
    options = {None: "", "starttls": "starttls\ninsecure\n", "implicit": "ssl\ninsecure\n"}[tls]
    with tempfile.TemporaryFile() as mail:
        mail.write(f"{SENDER}\n{to}\n\n{MESSAGE}".replace("\r\n", "\n").encode())
        mail.seek(0)
        # Its protocol module reads the message on descriptor 3 and the options on standard input.
        status, output = call(["/bin/sh", "-c", f'exec "$0" 3<&{mail.fileno()}', NULLMAILER],
                              f"host=127.0.0.1\nport={port}\n{options}\n", pass_fds=[mail.fileno()])
    return Said(status == 0, output, None, code_in(output, r"^(?:smtp: Failed: )?([45]\d\d) "))


def smtp_source(port, to, tls=None):
    assert tls is None
    status, output = call(["smtp-source", "-M", "client.test", "-f", SENDER, "-t", to, f"inet:127.0.0.1:{port}"])
    table = [("server (banner|greeting)", "greeting"), ("HELO", "ehlo"), ("sender", "mail"), ("recipient", "rcpt"),
             ("end of data|sending message", "end-of-data"), ("data rejected|DATA command", "data")]
    return Said(status == 0, output, phase_in(output, table), code_in(output, r"rejected[^:]*: ([45]\d\d)"))


def python_smtplib(port, to, tls=None):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        if tls == "implicit":
            client = smtplib.SMTP_SSL("127.0.0.1", port, local_hostname="client.test", timeout=10, context=context)
        else:
            client = smtplib.SMTP("127.0.0.1", port, local_hostname="client.test", timeout=10)
        try:
            if tls == "starttls":
                client.starttls(context=context)
            client.sendmail(SENDER, [to], MESSAGE)
            client.quit()
        finally:
            client.close()
        return Said(True, "")
    except smtplib.SMTPRecipientsRefused as error:
        code, text = error.recipients[to]
        return Said(False, str(error), "rcpt", code)
    except smtplib.SMTPResponseException as error:
        phase = {smtplib.SMTPSenderRefused: "mail", smtplib.SMTPHeloError: "ehlo", smtplib.SMTPConnectError: "greeting"}
        return Said(False, str(error), phase.get(type(error)), error.smtp_code if error.smtp_code > 0 else None)
    except (smtplib.SMTPException, OSError) as error:
        return Said(False, repr(error))


CLIENTS = {"swaks": swaks, "curl": curl, "msmtp": msmtp, "nullmailer": nullmailer, "smtp-source": smtp_source,
           "smtplib": python_smtplib}


def missing():
    absent = {name for name in ("swaks", "curl", "msmtp", "smtp-source") if not shutil.which(name, path=PATH)}
    return absent | (set() if os.path.exists(NULLMAILER) else {"nullmailer"})
