# The articles of Sources/fakemx/fakemx.docc stay true: every rule and configuration in them passes `fakemx check`, every
# block that is marked so runs as it stands, no name that the binary knows is left out, and links lead somewhere.
#
# Fences: ```rules (a rule line each), ```yaml (a configuration), ```replies (a file of the catalogue), ```sh behind
# <!-- run --> or <!-- not run: REASON -->. Articles that a test wrote are left to that test.

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

import test_readme
from sink import BINARY, ROOT, run

FOLDER = os.path.join(ROOT, "Sources", "fakemx", "fakemx.docc")
CONFIGURATION = os.path.join(ROOT, "Config", "fakemx.yaml")
TOOLS = os.path.join(ROOT, ".build", "python", "ci", "bin")  # pytest; Scripts/setup --tests makes it
LANDING = "fakemx"
WRITTEN = "<!-- Written by Tests/"
LIMIT_S = 120


def articles():
    found = {}
    for name in sorted(os.listdir(FOLDER)):
        if name.endswith(".md"):
            with open(os.path.join(FOLDER, name)) as file:
                found[name[:-3]] = file.read()
    return found


def by_hand():
    return {name: text for name, text in articles().items() if WRITTEN not in text}


def fences(text):
    """(language, line of the first line inside, text, the line before the fence) of each block."""
    found, lines, number = [], text.splitlines(), 0
    while number < len(lines):
        opening = re.fullmatch(r"```(\w*)", lines[number])
        if opening:
            end = next((n for n in range(number + 1, len(lines)) if lines[n] == "```"), len(lines))
            found.append((opening.group(1), number + 2, "\n".join(lines[number + 1:end]), lines[number - 1] if number else ""))
            number = end
        number += 1
    return found


def checked(text, name="example.yaml"):
    """(exit status, what `fakemx check` said) of a file with this text."""
    with tempfile.TemporaryDirectory(prefix="fakemx-docs-") as folder:
        path = os.path.join(folder, name)
        with open(path, "w") as file:
            file.write(text)
        status, out, err = run("check", path)
        return status, (out + err).replace(path, name)


def known(text, after=r"known are ", until=r"\n"):
    """The names that the complaint about `text` lists."""
    status, said = checked(text)
    found = re.search(f"{after}(.+?){until}", said + "\n")
    if status != 2 or not found:
        raise AssertionError(f"no list of names in: {said}")
    return [name.strip() for name in re.split(r", | and | or ", found.group(1))]


class Examples(unittest.TestCase):
    def test_every_rule_line_passes_check(self):
        count = 0
        for name, text in by_hand().items():
            for language, line, block, _ in fences(text):
                if language != "rules":
                    continue
                for offset, rule in enumerate(block.splitlines()):
                    with self.subTest(article=name, line=line + offset):
                        status, said = checked(json.dumps({"rules": [rule]}, ensure_ascii=False))
                        self.assertEqual(status, 0, f"{rule}\n{said}")
                        self.assertNotIn("warning", said, rule)
                        count += 1
        self.assertGreater(count, 50)

    def test_every_configuration_and_file_of_replies_passes_check(self):
        count = 0
        for name, text in by_hand().items():
            for language, line, block, _ in fences(text):
                if language in ("yaml", "replies"):
                    with self.subTest(article=name, line=line):
                        status, said = checked(block + "\n", "acme.yaml")
                        self.assertEqual(status, 0, said)
                        self.assertNotIn("warning", said)
                        count += 1
        self.assertGreater(count, 5)

    def test_the_example_in_the_annotated_configuration_passes_check(self):
        with open(CONFIGURATION) as file:
            example = re.search(r"\n# Rules: .*?\n#\n((?:#   .*\n)+)", file.read()).group(1)
        status, said = checked("".join(line[4:] + "\n" for line in example.splitlines()))
        self.assertEqual(status, 0, said)

    def test_every_shell_block_says_whether_it_runs(self):
        for name, text in by_hand().items():
            for language, line, _, before in fences(text):
                if language == "sh":
                    self.assertRegex(before, r"^<!-- (run|not run: .+) -->$", f"{name}.md:{line}")

    def test_what_is_marked_so_runs(self):
        for name, text in by_hand().items():
            for language, line, block, before in fences(text):
                if language == "sh" and before == "<!-- run -->":
                    with self.subTest(article=name, line=line):
                        self.execute(block)

    def execute(self, block):
        """In a folder of its own with `fakemx` on PATH; what it leaves behind is a failure, as a process or as a file."""
        bin_folder, work = tempfile.mkdtemp(prefix="fakemx-docs-"), tempfile.mkdtemp(prefix="fakemx-docs-")
        try:
            os.symlink(BINARY, os.path.join(bin_folder, "fakemx"))
            os.symlink(os.path.join(ROOT, "Config"), os.path.join(work, "Config"))
            environment = {**os.environ, "PATH": ":".join([bin_folder, TOOLS, os.environ["PATH"], "/usr/sbin"])}
            process = subprocess.Popen(
                ["bash", "-c", "set -e\n" + block], cwd=work, env=environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                out, status = process.communicate(timeout=LIMIT_S)[0], process.returncode
            except subprocess.TimeoutExpired:
                out, status = b"", "still running"
            finally:
                test_readme.Readme.end_group(self, process.pid)
            self.assertEqual(status, 0, out.decode("utf-8", "replace")[-3000:])
            self.assertEqual(os.listdir(work), ["Config"])
        finally:
            shutil.rmtree(bin_folder, ignore_errors=True)
            shutil.rmtree(work, ignore_errors=True)


class Names(unittest.TestCase):
    def mentions(self, article, names, pattern=r"(?<![\w.-]){}(?![\w-])"):
        """Each name stands in the article, in what is set as code."""
        text = articles()[article]
        code = "\n".join(re.findall(r"`([^`\n]+)`", text) + [block for _, _, block, _ in fences(text)])
        missing = [name for name in names if not re.search(pattern.format(re.escape(name)), code)]
        self.assertEqual(missing, [], f"{article}.md names them nowhere")

    def annotated(self, names):
        with open(CONFIGURATION) as file:
            text = file.read()
        missing = [name for name in names if not re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text)]
        self.assertEqual(missing, [], "Config/fakemx.yaml names them nowhere")

    def both(self, article, names):
        self.assertGreater(len(names), 3)
        self.mentions(article, names)
        self.annotated(names)

    def test_phases(self):
        self.both("Rules", known('rules: ["frob: close"]'))

    def test_conditions(self):
        self.both("Rules", known('rules: ["rcpt frob=1: close"]'))

    def test_keys_of_per(self):
        self.both("Rules", known('rules: ["rcpt first=1 per=frob: close"]'))

    def test_actions(self):
        actions = known('rules: ["rcpt: frob"]')
        self.assertEqual(actions.pop(0), "a reply")
        self.both("Rules", actions)

    def test_times(self):
        times = {words.split()[0] for words in known("rules: [{at: rcpt, times: frob, do: close}]", after="; write ")}
        self.both("Rules", sorted(times - {"N%"}))
        self.mentions("Rules", ["N%", "steps"], r"{}")
        allowances = sorted(times & {"limit", "at-once", "octets", "errors", "unknown-share", "greylist", "recover"})
        self.assertEqual(len(allowances), 7)
        self.mentions("Limits", allowances)

    def test_groups(self):
        groups = [name.split("(")[0] for name in known('rules: ["rcpt frob(to=a): close"]')]
        self.assertEqual(len(groups), 3)
        self.mentions("Rules", groups)
        self.annotated(groups)

    def test_presets_of_raw(self):
        self.both("OddReplies", known('rules: ["rcpt: raw frob"]', after="or one of ", until=", not "))

    def test_the_menu_of_bad_tls(self):
        menu = known("tls: { fault: frob }")
        self.both("BadTLS", menu)
        self.mentions("BadTLS", known("tls: { fault: alert-frob }"))

    def test_packs(self):
        packs = known("magic: zzzzzz", after="is none of ")
        self.both("Packs", [name for name in packs if name != "on"])
        text = articles()["Packs"]
        for name in packs[:packs.index("on")]:
            self.assertIn(f"\n## {name}\n", text)

    def test_profiles(self):
        profiles = known("profile: zzzzzz", after="there are ")
        self.both("Profiles", profiles)
        table = re.findall(r"^\| `([\w-]+)` \|", articles()["Profiles"].split("## Examples")[0], re.MULTILINE)
        self.assertEqual(table, profiles)

    def test_how_senders_are_judged(self):
        self.both("Findings", known("judging: zzzzzz", after="is none of "))
        rule = "judging: { rules: { quit-missing: { severity: zzzzzz, reason: x } } }"
        self.both("Findings", known(rule, after="is none of "))
        thresholds = known("judging: { thresholds: { zzzzzz: 1 } }")
        self.assertGreater(len(thresholds), 10)
        self.annotated(thresholds)

    def test_words_of_the_catalogue(self):
        reply = 'replies:\n  - {{ name: a, phase: rcpt, means: {}, advice: {}, seen: x, reply: "{}" }}\n'
        for text in (reply.format("zzzzzz", "fix", "550 x"), reply.format("tls", "zzzzzz", "550 x")):
            self.mentions("Replies", known("provider: A\n" + text, after="is none of "))
        self.mentions("Replies", known("provider: A\n" + reply.format("tls", "fix", "550 {zzzzzz}"), until=", and "), r"{}")

    def test_the_numbers_of_the_catalogue(self):
        status, out, err = run("replies", "--output", "json")
        self.assertEqual(status, 0, err)
        replies = json.loads(out)
        text = articles()["Replies"]
        providers = len({reply["provider"] for reply in replies})
        permanent = sum(reply["code"] >= 500 for reply in replies)
        self.assertIn(f"has {len(replies)} replies of {providers} providers", text)
        self.assertIn(f"{permanent} with 5yz, {len(replies) - permanent} with 4yz", text)
        for advice in ("fix", "suppress", "slow-down", "retry"):
            self.assertRegex(text, rf"\b{sum(reply['advice'] == advice for reply in replies)} (say )?`{advice}`")
        for words, file in re.findall(r"([A-Z][\w. ]+?) \((\d+)\)", text[:1000]):
            count = sum(reply["provider"] == words.removeprefix("Most are of ") for reply in replies)
            self.assertEqual(str(count), file, words)


class Links(unittest.TestCase):
    def test_they_lead_somewhere(self):
        found = articles()
        for name, text in found.items():
            for target in re.findall(r"<doc:([\w/-]+)(?:#[^>]*)?>", text):
                self.assertTrue(target in found, f"{name}.md links to {target}, which is no article")
            for path in re.findall(r"`((?:Config|Tests|Scripts)/[\w./-]+)`", text):
                self.assertTrue(os.path.exists(os.path.join(ROOT, path)) or "NAME" in path, f"{name}.md names {path}")

    def test_the_landing_page_lists_every_article(self):
        found = articles()
        listed = re.findall(r"^- <doc:(\w+)>$", found[LANDING], re.MULTILINE)
        self.assertEqual(sorted(set(listed)), sorted(set(found) - {LANDING}))
        self.assertEqual(len(listed), len(set(listed)))

    def test_each_article_begins_with_its_title_and_what_it_is_for(self):
        for name, text in articles().items():
            with self.subTest(article=name):
                self.assertRegex(text, r"\A# \S[^\n]*\n\n[A-Z][^\n#|`]{20,}")


if __name__ == "__main__":
    unittest.main()
