# GoodSenders.md of the documentation: what was found against real senders, as an article. Knows no sender but by name.

import os
import sys
import textwrap

import mta
import senders
from clienttable import first_line, library

ARTICLE = os.path.join(mta.ROOT, "Sources", "fakemx", "fakemx.docc", "GoodSenders.md")
NOTHING = "—"
GRAVE = ("must", "should")
OTHER = ("reputation", "info")
# Sender and mail of what shows in several sessions alone.
OVER_TIME = "over the six sessions"

HEAD = """\
# What is found against good senders

Real senders, six good mails each, and every finding: a judge that complains of everybody is no judge.

<!-- Written by Tests/Clients/test_senders.py from a real run; do not edit. -->

## How it was made, and how to make it again

```sh
Scripts/test release senders
```

sends everything again and compares the rules that were found with this article, and

```sh
FAKEMX_WRITE_TABLE=1 Scripts/test release senders
```

writes it anew. The sink runs as it comes, on loopback, with no rule and in the profile `mx`; each sender has a sink of
its own. The six mails: *plain text*; *HTML, attachment* with an alternative in plain text where the sender can make one;
a *non-ASCII subject*; a *long line* of more than 998 octets in the text; *dots* at the beginning of lines, one of them
alone; and *three recipients*.

Some senders compose and encode what they are given: curl with `-F`, swaks, Python's email, s-nail, nodemailer,
Email::MIME, and PHP with its functions for encoding. The others carry a message that is well encoded already, and
Postfix, Exim, nullmailer, dma and msmtp behind PHP complete its header.

"""

GRAVE_HEAD = """\

## What the standards say: must and should

Rules of the severity `must` stand in bold type. **Every one of them is proved below.**

"""

OTHER_HEAD = """\

## Reputation and info

What no standard asks for. No sender here signs with DKIM: that is the work of the server behind it. A sink on this
machine is reached by its address, so there is no server name in TLS, and six sessions in a row with one message each are
the way of this test.

"""

PROOF_HEAD = """\

## The proof of each must

"""

# Rule -> the sentence of the standard, in short.
SENTENCES = {
    "data-line-too-long": "RFC 5321 §4.5.3.1.6 and RFC 5322 §2.1.1: a line of text has at most 1000 octets, its CRLF "
    "among them; each line MUST be no longer than 998 characters without it.",
    "mime-qp-line-too-long": "RFC 2045 §6.7 (5): quoted-printable REQUIRES that an encoded line has at most 76 "
    "characters; its CRLF does not count, everything else does, the equals sign at its end among it.",
    "quit-missing": "RFC 5321 §4.1.1.10: the sender MUST NOT intentionally close the channel until it sends QUIT, and "
    "SHOULD wait until the reply comes.",
}


def versions():
    """Sender -> what was run."""
    openssl, gnutls = library("libssl3", "OpenSSL"), library("libgnutls30", "GnuTLS")
    perl = first_line(["perl", "-e", "print $^V"], r"v(\S+)")
    return {
        "curl": first_line(["curl", "--version"], r"curl (\S+)"),
        "swaks": first_line(["swaks", "--version"], r"swaks version (\S+)"),
        "msmtp": ", ".join([first_line(["msmtp", "--version"], r"msmtp version (\S+)"), gnutls]),
        "smtplib and email": f"Python {sys.version.split()[0]}, {openssl}",
        "Postfix": first_line(["/usr/sbin/postconf", "-d", "-h", "mail_version"]),
        "Exim": first_line([mta.EXIM, "-bV"], r"Exim version (\S+)"),
        "nullmailer": unpacked("nullmailer"), "dma": unpacked("dma"),
        "s-nail": first_line(["s-nail", "-V"], r"v(\d[\d.]*)"),
        "nodemailer": library("node-nodemailer", "").strip(),
        "Net::SMTP": f"{first_line(['perl', '-MNet::SMTP', '-e', 'print $Net::SMTP::VERSION'])}, Perl {perl}",
        "Email::MIME": f"{first_line(['perl', '-MEmail::MIME', '-e', 'print $Email::MIME::VERSION'])}, Perl {perl}",
        "PHP mail()": f"PHP {first_line(['php', '-r', 'echo PHP_VERSION;'])}, msmtp",
    }


def unpacked(package):
    return first_line(["apt-cache", "show", "--no-all-versions", package], r"Version: (?:\d+:)?(\S+)")


def rules(found, sender, mail, severities):
    """The rules of one cell, in bold type where they are a must."""
    cell = sorted({(severities.index(severity), rule) for severity, rule in found.get((sender, mail), ())
                   if severity in severities})
    return [f"**{rule}**" if severities[rank] == "must" else rule for rank, rule in cell]


def grave_table(found, names):
    mails = [mail.name for mail in senders.MAILS] + [OVER_TIME]
    out = ["| sender | " + " | ".join(mails) + " |", "|---" * (len(mails) + 1) + "|"]
    for name in names:
        cells = [", ".join(rules(found, name, mail, GRAVE)) or NOTHING for mail in mails]
        out.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(out) + "\n"


def other_table(found, names):
    mails = [mail.name for mail in senders.MAILS]
    out = ["| sender | with every mail | with some | over the six sessions |", "|---|---|---|---|"]
    for name in names:
        cells = {mail: set(marked(found, name, mail)) for mail in mails}
        always = set.intersection(*cells.values())
        some = {}
        for mail in mails:
            for rule in sorted(cells[mail] - always):
                some.setdefault(rule, []).append(mail)
        words = ["; ".join(f"{rule}: {', '.join(where)}" for rule, where in sorted(some.items()))]
        parts = [", ".join(sorted(always)), *words, ", ".join(marked(found, name, OVER_TIME))]
        out.append(f"| {name} | " + " | ".join(part or NOTHING for part in parts) + " |")
    return "\n".join(out) + "\n"


def marked(found, name, mail):
    """Rules that are of reputation alone are named with it."""
    return [f"{rule} (reputation)" if (("reputation", rule) in found[name, mail]) else rule
            for rule in rules(found, name, mail, OTHER)] if (name, mail) in found else []


def proof(name, rule, evidence):
    """evidence: [(mail, octets or words)]"""
    mails = ", ".join(dict.fromkeys(mail for mail, _ in evidence))
    words = textwrap.fill(f"In: {mails}. {SENTENCES[rule]}", 120)
    return f"### {name}: {rule}\n\n{words}\n\n```\n{evidence[0][1]}\n```\n\n"


def article(found, names, proofs):
    run = versions()
    return (HEAD + "| sender | version |\n|---|---|\n" + "".join(f"| {name} | {run[name]} |\n" for name in names)
            + GRAVE_HEAD + grave_table(found, names) + OTHER_HEAD + other_table(found, names)
            + PROOF_HEAD + ("".join(proofs) or "There is none.\n")).rstrip("\n") + "\n"


def tables(text):
    """What a run is compared by: the rows of the two tables, without the versions."""
    kept, is_table = [], False
    for line in text.splitlines():
        if line.startswith("## "):
            is_table = line in (GRAVE_HEAD.strip().splitlines()[0], OTHER_HEAD.strip().splitlines()[0])
        if is_table and line.startswith("| "):
            kept.append(line)
    return kept
