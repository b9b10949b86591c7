# ClientTable.md of the documentation: the cells of a run as an article. Knows no client but by name.

import os
import re
import subprocess
import sys

import clients
import mta
import presets
from presets import NAMES, NOTHING, OPPORTUNISTIC, PLAIN, VERIFYING, WITHOUT_OPPORTUNISM

ARTICLE = os.path.join(mta.ROOT, "Sources", "fakemx", "fakemx.docc", "ClientTable.md")
LONGEST_WORDS = 200

HEAD = """\
# What clients make of odd replies and bad TLS

Six real clients, each preset of `raw` and each entry of the menu of bad TLS, one message a cell.

<!-- Written by Tests/Clients/test_presets.py from a real run; do not edit. -->

## How it was made, and how to make it again

```sh
Scripts/test release presets
```

compares a new run with this article, and

```sh
FAKEMX_WRITE_TABLE=1 Scripts/test release presets
```

writes it anew. It takes a minute or two, and root, since Postfix and Exim run as their own users. The clients are those
of Debian 12:

"""

READING = """\

## How to read it

Each row is one rule for every session, as `--rule 'rcpt: raw two-replies'` or `--rule 'starttls: tls expired'`. A client
waits {limit} seconds for a reply. What a cell says comes from two witnesses: fakemx tells whether the message was
stored, and through TLS or not; the client's exit status, exception or log tells what it thinks.

| word | the message | the client |
|---|---|---|
| `delivered` | stored once | says so |
| `delivered in clear` | stored once, not through TLS | says so |
| `delivered twice` | stored more than once | |
| `delivered, called failed`, `… deferred`, `… bounced` | stored | says that it failed: whoever sends it again makes a duplicate |
| `lost` | not stored | says that it was sent |
| `refused` | not stored | reports a 5yz |
| `deferred` | not stored | reports a 4yz; an MTA keeps the message and tries again |
| `deferred, timed out` | not stored | an MTA that waited until its limit |
| `deferred, then delivered …` | stored once | an MTA whose next attempt ended in another way |
| `bounced` | not stored | an MTA gives the message up and tells the sender |
| `times out` | not stored | waits until its limit |
| `failed` | not stored | fails with words of its own, without a reply code |

"""

ODD_REPLIES = """\
## Odd replies

In clear. The sink offers PIPELINING, and hides CHUNKING in the rows at `data`. Postfix and Exim send several commands,
Exim the message as well, before they read the reply to the first: a reply that they do not understand then comes too
late to stop the message.

"""

VERIFYING_TLS = """\

## Bad TLS, when TLS and a good certificate are required

All trust the test authority of `--ca-file`, and reach the sink as `localhost`. smtplib with
`ssl.create_default_context(cafile=…)`, curl with `--ssl-reqd --cacert`, msmtp with `--tls-trust-file`, swaks with `--tls
--tls-verify --tls-ca-path`, Postfix at the level `secure`, Exim with `hosts_require_tls` and `tls_verify_hosts`.

"""

OPPORTUNISTIC_TLS = """\

## Bad TLS, when TLS is used if there is any

No certificate is verified. curl with `--ssl --insecure`, swaks with `--tls-optional`, Postfix at the level `may`, Exim as
it comes. smtplib and msmtp have no such mode: with them TLS is required, or not used at all.

"""

WORDS = """\

## In their own words

What each client said first where it did not simply deliver, and where.
"""


def first_line(command, pattern=r"(.*)"):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                              env={**os.environ, "PATH": clients.PATH})
    except OSError:
        return "not here"
    match = re.search(pattern, done.stdout.decode("utf-8", "replace"))
    return match.group(1).strip() if match else "unknown"


def library(package, name):
    version = first_line(["dpkg-query", "-W", "-f", "${Version}", package], r"^(\d[\d.]*)")
    return f"{name} {version}"


def versions():
    gnutls, openssl = library("libgnutls30", "GnuTLS"), library("libssl3", "OpenSSL")
    curl = first_line(["curl", "--version"], r"curl (\S+)")
    msmtp = first_line(["msmtp", "--version"], r"msmtp version (\S+)")
    swaks = first_line(["swaks", "--version"], r"swaks version (\S+)")
    postfix = first_line(["/usr/sbin/postconf", "-d", "-h", "mail_version"])
    exim = first_line([mta.EXIM, "-bV"], r"Exim version (\S+)")
    return {"smtplib": f"Python {sys.version.split()[0]}, {openssl}", "curl": f"{curl}, {openssl}",
            "msmtp": f"{msmtp}, {gnutls}", "swaks": f"{swaks}, {openssl}", "Postfix": f"{postfix}, {openssl}",
            "Exim": f"{exim}, {gnutls}"}


def table(cells, policy, names):
    words = {(cell.row, cell.client): cell.word for cell in cells if cell.policy == policy}
    rows = list(dict.fromkeys(cell.row for cell in cells if cell.policy == policy))
    out = ["| at | rule | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]
    for row in rows:
        place = ["", f"({NOTHING})"] if row[0] == NOTHING else [f"`{row[0]}`", f"`{row[1]}`"]
        out.append("| " + " | ".join(place + [words[row, name] for name in names]) + " |")
    return "\n".join(out) + "\n"


def plain(text):
    """A client's words without what changes from run to run."""
    text = re.sub(r"R=told T=remote ", "", text)
    text = re.sub(r"H=localhost \[127\.0\.0\.1\](:\d+)? |I=\[127\.0\.0\.1\]:\d+ |(DT|QT)=\S+?s:? ", "", text)
    text = re.sub(r"localhost(\[127\.0\.0\.1\])?:\d+|localhost\[127\.0\.0\.1\]", "localhost", text)
    text = re.sub(r"b@r\d+-\S+?\.test", "b@any.test", text)
    text = re.sub(r"after \d+ milliseconds", "after N milliseconds", text)
    text = re.sub(r"\bs\d+\.\d+\b", "ID", text)
    text = re.sub(r" \(_ssl\.c:\d+\)|_ssl\.c:\d+: ", "", text)
    text = re.sub(r"(.{5,40}?)\1{3,}.*", r"\1…", re.sub(r"\s+", " ", text.replace("\\n", " ")))
    text = re.sub(r"[^\x20-\x7e…]", "?", text).replace("`", "'").strip()
    return text if len(text) <= LONGEST_WORDS else text[:LONGEST_WORDS] + "…"


def sayings(cells):
    out = []
    for name in NAMES:
        said = {}
        for cell in cells:
            if cell.client == name and cell.says and not cell.word.endswith(("delivered", "in clear")):
                place = f"`{cell.row[1]}`" + (f" at `{cell.row[0]}`" if cell.policy == PLAIN else "")
                place += ", opportunistic" if cell.policy == OPPORTUNISTIC else ""
                said.setdefault(plain(cell.says), []).append(place)
        out.append(f"\n### {name}\n")
        for words, places in said.items():
            words = words if words == presets.SILENCE else f"`{words}`"
            out.append(f"- {words}: {'; '.join(dict.fromkeys(places))}")
    return "\n".join(out) + "\n"


def article(cells):
    both = [name for name in NAMES if name not in WITHOUT_OPPORTUNISM]
    found = versions()
    return (HEAD + "| client | version |\n|---|---|\n"
            + "".join(f"| {name} | {found[name]} |\n" for name in NAMES)
            + READING.format(limit=presets.LIMIT_S)
            + ODD_REPLIES + table(cells, PLAIN, NAMES)
            + VERIFYING_TLS + table(cells, VERIFYING, NAMES)
            + OPPORTUNISTIC_TLS + table(cells, OPPORTUNISTIC, both)
            + WORDS + sayings(cells))


def outcomes(text):
    """(policy, phase, name, client) -> word, from an article."""
    found, policy, names = {}, None, []
    for line in text.splitlines():
        for title, kind in ((ODD_REPLIES, PLAIN), (VERIFYING_TLS, VERIFYING), (OPPORTUNISTIC_TLS, OPPORTUNISTIC)):
            if line and line == title.strip().splitlines()[0]:
                policy = kind
        if line == WORDS.strip().splitlines()[0]:
            break
        entries = [entry.strip() for entry in line.strip("|").split("|")]
        if policy is None or not line.startswith("|") or line.startswith("|-"):
            continue
        if entries[:2] == ["at", "rule"]:
            names = entries[2:]
            continue
        row = (NOTHING, None) if entries[1] == f"({NOTHING})" else (entries[0].strip("`"), entries[1].strip("`"))
        found.update({(*row, name, policy): word for name, word in zip(names, entries[2:])})
    return found
