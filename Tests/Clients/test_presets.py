# smtplib, curl, msmtp, swaks, Postfix and Exim meet each odd reply and each bad TLS. The table is kept in ClientTable.md
# of the documentation: a run that comes to other results fails, and writes what it found with FAKEMX_WRITE_TABLE=1.

import os
import re
import shutil
import tempfile
import unittest

import clienttable
import fair
import presets
from fair import May
from presets import NOTHING, OPPORTUNISTIC, PLAIN, VERIFYING

# What may be found against a client that meets an odd reply or bad TLS; (phase, name) is the row.
NOT_TRUSTED = ("expired", "not-yet-valid", "wrong-host", "self-signed", "untrusted-root")
ALLOWED = [
    May("hdr-missing-date", "the message has no Date, and they carry it as it is", ["smtplib", "curl"]),
    May("hdr-message-id-missing", "the message has none, and they carry it as it is", ["smtplib", "curl"]),
    May("hdr-message-id-no-domain", "swaks puts the name of the machine there", ["swaks"], severities=["info"]),
    May("hdr-dkim-missing", "nobody signs", severities=["reputation"]),
    May("tls-no-sni", "it is said on loopback for the sake of those who wonder", severities=["info"]),
    May("tls-weak-ciphers", "anonymous suites are in order where nobody is authenticated", ["Postfix"],
        severities=["info"]),
    May("reply-unknown-code", "a code alone is a reply (RFC 5321 §4.2), and they give up at it",
        where=lambda row: row[1] == "no-text"),
    May("tls-clear-after-failure", "told to take TLS if there is any, they go on in clear in the session that refused it",
        where=lambda row: row[1] == "refused", severities=["reputation"]),
    May("tls-bad-cert-accepted-relay", "told to take TLS if there is any, they look at no certificate; swaks looks at no name",
        where=lambda row: row[1] in NOT_TRUSTED, severities=["info"]),
]
# Whether these are found depends on the pace of the machine.
BY_CHANCE = [May(rule, "all clients have the address of this machine", severities=["info"])
             for rule in ("conn-reconnect-per-message", "conn-too-many-concurrent", "conn-rate-burst")]


class Presets(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="fakemx-ca-")
        os.chmod(self.folder, 0o755)  # Exim reads the authority as another user
        self.addCleanup(shutil.rmtree, self.folder)
        self.absent = presets.missing()
        self.names = [name for name in presets.NAMES if name not in self.absent]

    def run_odd_replies(self, rows):
        ground = presets.preset_ground(rows)
        return presets.run(rows, self.names, ground, ALLOWED + BY_CHANCE), ground

    def run_bad_tls(self, rows):
        ca = os.path.join(self.folder, "root.pem")
        ground = presets.tls_ground(rows, ca)
        os.chmod(ca, 0o644)
        return presets.run(rows, self.names, ground, ALLOWED + BY_CHANCE, ca), ground

    def once_more(self, cells, known):
        """What differs from what is known is tried again: a machine under load makes clients time out."""
        for is_plain, runs in ((True, self.run_odd_replies), (False, self.run_bad_tls)):
            rows = [c.row for c in cells if (c.policy == PLAIN) == is_plain and known.get(c.key) != c.word]
            if rows:
                again, _ = runs(list(dict.fromkeys(rows)))
                second = {cell.key: cell for cell in again}
                cells = [second.get(c.key, c) if known.get(c.key) != c.word else c for c in cells]
        return cells

    def test_the_table_of_clients(self):
        odd, odd_ground = self.run_odd_replies(list(presets.PRESETS))
        bad, bad_ground = self.run_bad_tls(list(presets.tls_rows()))
        cells = odd + bad
        with self.subTest("each fault met each client"):
            for ground in (odd_ground, bad_ground):
                for row, policy in ground.listeners:
                    if row[0] != NOTHING:
                        met = len({c.client for c in cells if c.row == row and c.policy == policy})
                        self.assertGreaterEqual(ground.fired(row, policy), met, (row, policy))
        with self.subTest("no fault of ours is held against a client"):
            self.assertEqual(odd_ground.unfair_found + bad_ground.unfair_found, [])
            self.assertEqual([] if self.absent else fair.unused(ALLOWED), [])
        with self.subTest("what must hold for any client"):
            for cell in cells:
                self.check(cell)
        if os.environ.get("FAKEMX_WRITE_TABLE"):
            self.assertEqual(self.absent, {}, "the table needs every client")
            with open(clienttable.ARTICLE, "w") as file:
                file.write(clienttable.article(cells))
            return
        with open(clienttable.ARTICLE) as file:
            known = clienttable.outcomes(file.read())
        cells = self.once_more(cells, known)
        found = {cell.key: cell.word for cell in cells}
        self.assertEqual(
            [f"{key}: {found[key]}, was {known.get(key)}" for key in found if known.get(key) != found[key]], [])
        self.assertEqual({key for key in known if key[2] in self.names}, set(found), "rows were added or taken away")
        if self.absent:
            self.skipTest("; ".join(f"{name}: {why}" for name, why in self.absent.items()))

    def check(self, cell):
        if cell.row[0] == NOTHING:
            self.assertEqual(cell.word, "delivered", cell.key)
        if cell.policy == VERIFYING:
            self.assertNotIn("in clear", cell.word, cell.key)
        self.assertNotEqual(cell.word, "lost", cell.key)
        # Presets that break no rule of RFC 5321.
        if cell.row[1] in ("multiline-greeting", "lowercase-ehlo", "greeting-without-esmtp", "split-reply"):
            self.assertEqual(cell.word, "delivered", cell.key)


class Article(unittest.TestCase):
    def test_the_article_names_every_preset_and_every_entry_of_the_menu(self):
        with open(clienttable.ARTICLE) as file:
            named = {(policy, name) for _, name, _, policy in clienttable.outcomes(file.read())}
        folder = os.path.join(presets.mta.ROOT, "Sources", "Faults", "Rules")
        for name in names_of(os.path.join(folder, "OddReply.swift"), r'case \w+ = "([a-z0-9-]+)"|^    case (pix)$'):
            self.assertIn((PLAIN, name), named)
        for name in names_of(os.path.join(folder, "TLSFault.swift"), r'case \.\w+: "([a-z0-9.-]+)"$'):
            self.assertIn((VERIFYING, name), named)
            self.assertIn((OPPORTUNISTIC, name), named)


def names_of(path, pattern):
    with open(path) as file:
        names = ["".join(groups) for groups in re.findall(pattern, file.read(), re.MULTILINE)]
    assert len(names) > 10, path
    return names


if __name__ == "__main__":
    unittest.main()
