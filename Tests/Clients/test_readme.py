# README's examples are run: every ```sh block, in order, in one shell, against the release binary with `fakemx` on PATH,
# unless the line before it is `<!-- not run: REASON -->`. A block that fails, or a process that it leaves behind, fails.

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import digest
from sink import BINARY, ROOT

README = os.path.join(ROOT, "README.md")
LIMIT_S = 180


def blocks(text):
    """(line, code, reason not to run it) of each ```sh block."""
    found, lines, number = [], text.splitlines(), 0
    while number < len(lines):
        if re.fullmatch(r"\s*```sh\s*", lines[number]):
            before = next((line.strip() for line in reversed(lines[:number]) if line.strip()), "")
            reason = re.fullmatch(r"<!-- not run: (.+) -->", before)
            start = number + 1
            while number + 1 < len(lines) and lines[number + 1].strip() != "```":
                number += 1
            found.append((start + 1, "\n".join(lines[start:number + 1]), reason.group(1) if reason else None))
        number += 1
    return found


class Readme(unittest.TestCase):
    def test_the_extraction_itself(self):
        text = "x\n```sh\none\ntwo\n```\n<!-- not run: it waits -->\n```sh\nthree\n```\n```\nfour\n```\n"
        self.assertEqual(blocks(text), [(3, "one\ntwo", None), (8, "three", "it waits")])

    def test_the_examples_run_as_they_stand(self):
        if not os.path.exists(README):
            self.skipTest("there is no README.md")
        with open(README) as file:
            found = blocks(file.read())
        to_run = [(line, code) for line, code, reason in found if reason is None]
        if not to_run:
            self.skipTest("README.md has no sh block to run")
        folder = tempfile.mkdtemp(prefix="fakemx-readme-")
        try:
            os.symlink(BINARY, os.path.join(folder, "fakemx"))
            script = ["set -e", "cd " + ROOT]
            for line, code in to_run:
                script += [f"echo '--- README.md:{line}' >&2", code]
            environment = {**os.environ, "PATH": folder + ":" + os.environ["PATH"] + ":/usr/sbin", "TMPDIR": folder}
            process = subprocess.Popen(["bash", "-c", "\n".join(script)], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                out, _ = process.communicate(timeout=LIMIT_S)
                status = process.returncode
            except subprocess.TimeoutExpired:
                status, out = "still running", b""
            finally:
                self.end_group(process.pid)
                if process.returncode is None:
                    out = process.communicate()[0]
            self.assertEqual(status, 0, out.decode("utf-8", "replace")[-4000:])
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def test_the_mta_digest_is_that_of_the_table(self):
        with open(README) as file, open(digest.TABLE) as table:
            self.assertEqual(digest.shown(file.read()), digest.digest(table.read()), "run Tests/Clients/digest.py")

    def end_group(self, group):
        """Ends what the blocks left in the background: `fakemx serve &` is a fair example."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(group, number)
            except ProcessLookupError:
                return
            time.sleep(0.5)


if __name__ == "__main__":
    unittest.main()
