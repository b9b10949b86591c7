# Real senders, each as one function that sends one mail as its users would, and the good mails that each of them sends.
# Those that compose get text, HTML and attachment; those that only carry get a whole message. Knows no findings.

import base64
import email.message
import email.policy
import email.utils
import html
import json
import os
import shlex
import shutil
import smtplib
import ssl
import subprocess
import tempfile
import time

import clients
import mta
from sink import ROOT

FOLDER = os.path.join(ROOT, "Tests", "Clients", "senders")
UNPACKED = os.path.join(ROOT, ".build", "mta")
INJECT = os.path.join(UNPACKED, "nullmailer", "usr", "bin", "nullmailer-inject")
DMA = os.path.join(UNPACKED, "dma", "usr", "sbin", "dma")
HELO = "client.sender.test"
FROM = "amy@sender.test"
DOMAIN = "any.test"
# Of quoted-printable, without the line end: RFC 2045 §6.7. What Python's email does by itself is tried with smtplib.
ENCODED_LINE = 76
LIMIT_S = 20
DELIVERY_S = 20


class Mail:
    """A good mail: what a person wrote, before anybody encoded it."""

    def __init__(self, name, subject, text, page=None, attachment=None, recipients=("ben@any.test",)):
        self.name, self.subject, self.text, self.html = name, subject, text, page
        self.attachment, self.filename, self.recipients = attachment, "figures.bin", list(recipients)

    def composed(self, is_complete, policy=email.policy.SMTP.clone(max_line_length=ENCODED_LINE)):
        """The whole message, well encoded, lines ending in CRLF; without Date and Message-ID unless `is_complete`."""
        message = email.message.EmailMessage(policy=policy)
        message["From"], message["To"], message["Subject"] = FROM, ", ".join(self.recipients), self.subject
        if is_complete:
            message["Date"] = email.utils.localtime()
            message["Message-ID"] = email.utils.make_msgid(domain="sender.test")
        message.set_content(self.text)
        if self.html:
            message.add_alternative(self.html, subtype="html")
            message.add_attachment(self.attachment, maintype="application", subtype="octet-stream",
                                   filename=self.filename)
        return message.as_bytes()

    def described(self, port):
        """As the scripts of `senders` read it."""
        return json.dumps({
            "port": port, "helo": HELO, "from": FROM, "to": self.recipients, "subject": self.subject, "text": self.text,
            "html": self.html, "filename": self.filename, "message": self.composed(True).decode("ascii"),
            "attachment": base64.b64encode(self.attachment).decode() if self.attachment else None}).encode()


LONG_LINE = " ".join(["A paragraph that nobody broke into lines, as people write it in a window."] * 16)
PAGE = ("<!DOCTYPE html>\n<html><body><h1>Figures</h1>\n"
        f"<p>{html.escape('Here they are, Ben & all.')}</p></body></html>\n")
MAILS = [
    Mail("plain text", "Lunch on Thursday", "Hello Ben,\n\nshall we meet at noon?\n\nAmy\n"),
    Mail("HTML, attachment", "The figures", "Here they are, Ben & all.\n", PAGE, bytes(range(256)) * 12),
    Mail("non-ASCII subject", "Grüße aus Köln, 東京 und Łódź", "Hello Ben,\n\na subject from far away.\n\nAmy\n"),
    Mail("long line", "A long line", f"Hello Ben,\n\n{LONG_LINE}\n\nAmy\n"),
    Mail("dots", "Dots", "Hello Ben,\n\n.profile is a file\n.\n..\n\nAmy\n"),
    Mail("three recipients", "To the three of you", "Hello all,\n\nsee you at noon.\n\nAmy\n", None, None,
         ["ben@any.test", "cat@any.test", "dan@any.test"]),
]


class Failed(Exception):
    """The sender says that it did not send; the message is what it said."""


def call(command, stdin=b"", folder=None, environment=None, **more):
    done = subprocess.run(
        command, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S, cwd=folder,
        env={**os.environ, "PATH": clients.PATH, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", **(environment or {})},
        **more)
    if done.returncode != 0:
        raise Failed(f"{command[0]}: exit {done.returncode}: {done.stdout.decode('utf-8', 'replace')[-800:]}")
    return done.stdout


def unix(octets):
    return octets.replace(b"\r\n", b"\n")


# --- those that send one message and end ------------------------------------------------------------------------------

def curl(port, mail, folder):
    """Composes with -F; the header is the user's."""
    header = {"From": FROM, "To": ", ".join(mail.recipients), "Date": email.utils.formatdate(localtime=True),
              "Message-ID": email.utils.make_msgid(domain="sender.test"), "Subject": encoded(mail.subject)}
    command = ["curl", "-sS", "--url", f"smtp://127.0.0.1:{port}/{HELO}", "--ssl-reqd", "--insecure",
               "--mail-from", FROM]
    for recipient in mail.recipients:
        command += ["--mail-rcpt", recipient]
    for name, value in header.items():
        command += ["-H", f"{name}: {value}"]
    written(folder, "text", mail.text)
    command += ["-F", "=<text;type=text/plain;encoder=quoted-printable"]
    if mail.html:
        written(folder, "page", mail.html)
        with open(os.path.join(folder, mail.filename), "wb") as file:
            file.write(mail.attachment)
        command[-2:] = ["-F", "=(;type=multipart/alternative", *command[-2:],
                        "-F", "=<page;type=text/html;encoder=quoted-printable", "-F", "=)",
                        "-F", f"=@{mail.filename};type=application/octet-stream;encoder=base64"]
    call(command, folder=folder)


def encoded(subject):
    """A subject for those that leave its encoding to their user."""
    message = email.message.EmailMessage(policy=email.policy.SMTP.clone(max_line_length=998))
    message["Subject"] = subject
    return message.as_bytes().split(b"\r\n")[0].decode("ascii").removeprefix("Subject: ")


def written(folder, name, text):
    with open(os.path.join(folder, name), "w", newline="") as file:
        file.write(text.replace("\n", "\r\n"))


def swaks(port, mail, folder):
    command = ["swaks", "--server", f"127.0.0.1:{port}", "--ehlo", HELO, "--from", FROM,
               "--to", ",".join(mail.recipients), "--tls", "--timeout", "10", "--header", f"Subject: {encoded(mail.subject)}"]
    if mail.html:
        written(folder, "page", mail.html)
        with open(os.path.join(folder, mail.filename), "wb") as file:
            file.write(mail.attachment)
        written(folder, "text", mail.text)
        command += ["--attach-type", "text/plain", "--attach-body", "@text", "--attach-type", "text/html",
                    "--attach-body", "@page", "--attach-type", "application/octet-stream",
                    "--attach-name", mail.filename, "--attach", f"@{mail.filename}"]
    else:
        written(folder, "text", mail.text)
        command += ["--body", "@text"]
    call(command, folder=folder)


MSMTP = ["msmtp", "-C", "/dev/null", "--host=127.0.0.1", f"--from={FROM}", f"--domain={HELO}", "--tls=on",
         "--tls-starttls=on", "--tls-certcheck=off", "--timeout=10"]


def msmtp(port, mail, folder):
    call([*MSMTP, f"--port={port}", *mail.recipients], unix(mail.composed(True)))


def smtplib_email(port, mail, folder):
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    message = email.message_from_bytes(mail.composed(True, email.policy.SMTP), policy=email.policy.SMTP)
    with smtplib.SMTP("127.0.0.1", port, local_hostname=HELO, timeout=10) as client:
        client.starttls(context=context)
        client.send_message(message)


def nullmailer(port, mail, folder):
    """nullmailer-inject completes the header; the protocol module, as its queue runs it, sends."""
    names = {"HELOHOST": HELO}
    message = call([INJECT, "-n", "-f", FROM], unix(mail.composed(False)), environment=names)
    with tempfile.TemporaryFile() as file:
        file.write("\n".join([FROM, *mail.recipients, "", ""]).encode() + message)
        file.seek(0)
        call(["/bin/sh", "-c", f'exec "$0" 3<&{file.fileno()}', clients.NULLMAILER],
             f"host=127.0.0.1\nport={port}\nstarttls\ninsecure\n\n".encode(), environment=names,
             pass_fds=[file.fileno()])


def dma(port, mail, folder):
    """Its configuration and its queue stand where they were compiled to stand: in a mount namespace of its own."""
    etc = os.path.join(folder, "etc")
    shutil.copytree("/etc", etc, symlinks=True, ignore_dangling_symlinks=True, ignore=shutil.ignore_patterns("dma"))
    os.mkdir(os.path.join(etc, "dma"))
    with open(os.path.join(etc, "dma", "dma.conf"), "w") as file:
        file.write(f"SMARTHOST 127.0.0.1\nPORT {port}\nMAILNAME {HELO}\nSECURETRANSFER\nSTARTTLS\n")
    for path in (folder, etc, os.path.join(etc, "dma")):
        os.chmod(path, 0o755)
    spool = os.path.join(folder, "spool")
    os.makedirs(os.path.join(spool, "dma"))
    shutil.chown(os.path.join(spool, "dma"), "root", "mail")
    os.chmod(os.path.join(spool, "dma"), 0o2775)
    words = 'mount --bind "$0/etc" /etc && mount --bind "$0/spool" /var/spool && exec "$@"'
    call(["unshare", "--mount", "sh", "-c", words, folder, DMA, "-D", "-i", "-f", FROM, *mail.recipients],
         unix(mail.composed(False)))


def s_nail(port, mail, folder):
    settings = [f"mta=smtp://127.0.0.1:{port}", "v15-compat=yes", "smtp-use-starttls", "tls-verify=ignore",
                "smtp-auth=none", "smtp-config=-all,starttls", f"hostname={HELO}", f"from={FROM}", "sendcharsets=utf-8",
                "ttycharset=utf-8", "sendwait"]
    command = ["s-nail", "-:/"]
    for setting in settings:
        command += ["-S", setting]
    command += ["-s", mail.subject]
    if mail.html:
        with open(os.path.join(folder, mail.filename), "wb") as file:
            file.write(mail.attachment)
        command += ["-M", "text/html", "-a", mail.filename]
    call([*command, *mail.recipients], (mail.html or mail.text).encode(), folder=folder)


def script(*command, **environment):
    def send(port, mail, folder):
        call(command, mail.described(port), folder=FOLDER, environment=environment)
    return send


def php_mail(port, mail, folder):
    sendmail = shlex.join([*MSMTP, f"--port={port}", "--set-msgid-header=auto", "-t", "-i"])
    call(["php", "-d", f'sendmail_path="{sendmail}"', "mail.php"], mail.described(port), folder=FOLDER)


# --- those that queue -------------------------------------------------------------------------------------------------

class Postfix:
    def __init__(self, port):
        self.server = mta.Postfix({DOMAIN: port}, main=f"smtp_helo_name = {HELO}\n")
        self.count = 0

    def __call__(self, port, mail, folder):
        call(["/usr/sbin/sendmail", "-C", self.server.folder, "-oi", "-f", FROM, *mail.recipients],
             unix(mail.composed(False)))
        self.count += len(mail.recipients)
        settle(self.server, self.count)

    def stop(self):
        self.server.stop()


class Exim:
    def __init__(self, port):
        self.server = mta.Exim({DOMAIN: port}, transport=f"  helo_data = {HELO}\n")
        self.count = 0

    def __call__(self, port, mail, folder):
        self.server._run(["-odb", "-oi", "-f", FROM, *mail.recipients], unix(mail.composed(False)))
        self.count += len(mail.recipients)
        settle(self.server, self.count)

    def stop(self):
        self.server.stop()


def settle(server, count):
    """Returns when `count` deliveries stand in the log of the mail server."""
    deadline = time.monotonic() + DELIVERY_S
    while True:
        tried = [status for attempts in server.attempts().values() for status, _ in attempts]
        if "bounced" in tried or "deferred" in tried:
            raise Failed(server.log()[-1500:])
        if len(tried) >= count:
            return
        if time.monotonic() > deadline:
            raise Failed(f"{len(tried)} of {count} delivered after {DELIVERY_S} s: {server.log()[-1500:]}")
        time.sleep(0.05)


SENDERS = {
    "curl": curl, "swaks": swaks, "msmtp": msmtp, "smtplib and email": smtplib_email, "Postfix": Postfix, "Exim": Exim,
    "nullmailer": nullmailer, "dma": dma, "s-nail": s_nail,
    "nodemailer": script("node", "nodemailer.js", NODE_PATH="/usr/share/nodejs"),
    "Net::SMTP": script("perl", "net_smtp.pl"), "Email::MIME": script("perl", "email_mime.pl"), "PHP mail()": php_mail,
}


def missing():
    """Sender -> the Debian package that is not there."""
    paths = {"nullmailer": (INJECT, "nullmailer"), "dma": (DMA, "dma"), "Exim": (mta.EXIM, "exim4-daemon-light"),
             "Email::MIME": ("/usr/share/perl5/Email/MIME.pm", "libemail-mime-perl"),
             "Net::SMTP": ("/usr/share/perl5/IO/Socket/SSL.pm", "libio-socket-ssl-perl"),
             "nodemailer": ("/usr/share/nodejs/nodemailer", "node-nodemailer")}
    tools = {"curl": "curl", "swaks": "swaks", "msmtp": "msmtp", "Postfix": "postfix", "s-nail": "s-nail",
             "PHP mail()": "php"}
    absent = {sender: package for sender, (path, package) in paths.items() if not os.path.exists(path)}
    absent.update({sender: tool for sender, tool in tools.items() if not shutil.which(tool, path=clients.PATH)})
    return absent
