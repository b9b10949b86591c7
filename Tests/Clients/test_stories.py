# One story in every language here: a rule is set, two mails are sent, the refusal is waited for and looked at. All of
# Tests/Clients/stories run at once against one sink, each in a space of its own. A tool that is missing is a failure
# that names its package. The Swift one is `story` of Tests/FakeMXTests, which brings its own sink.

import os
import shutil
import subprocess
import tempfile
import unittest

from sink import ROOT, Sink

FOLDER = os.path.join(ROOT, "Tests", "Clients", "stories")
LIMIT_S = 60
NODE_MODULES = "/usr/share/nodejs"

# name: (command, then what it needs and the Debian packages that bring it)
STORIES = {
    "python": (["/usr/bin/python3", "story.py"], {"/usr/bin/python3": "python3"}),
    "node": (["node", "story.js"], {"node": "nodejs (18 or newer)"}),
    "nodemailer": (
        ["node", "nodemailer.js"], {"node": "nodejs (18 or newer)", NODE_MODULES + "/nodemailer": "node-nodemailer"}),
    "perl": (["perl", "story.pl"], {"perl": "perl"}),
    "shell": (["bash", "story.sh"], {"swaks": "swaks", "curl": "curl", "jq": "jq"}),
    "c": (["./story"], {"cc": "gcc", "pkg-config": "pkg-config"}),
}


def missing(needs):
    return [package for tool, package in needs.items() if not (os.path.exists(tool) if "/" in tool else shutil.which(tool))]


class Stories(unittest.TestCase):
    def test_every_file_is_told(self):
        told = {part for command, _ in STORIES.values() for part in command if part.startswith(("story.", "nodemailer."))}
        self.assertEqual(sorted(told | {"story.c"}), sorted(os.listdir(FOLDER)))

    def test_all_of_them_at_once(self):
        work = tempfile.mkdtemp(prefix="fakemx-stories-")
        self.addCleanup(shutil.rmtree, work)
        running = {}
        with Sink(http="127.0.0.1:0", transcript="off") as sink:
            environment = {
                **os.environ, "FAKEMX_SMTP": f"127.0.0.1:{sink.port}", "FAKEMX_URL": sink.url, "NODE_PATH": NODE_MODULES}
            for name, (command, needs) in STORIES.items():
                with self.subTest(story=name):
                    packages = missing(needs)
                    self.assertEqual(packages, [], f"{name} needs Debian packages that are missing: {', '.join(packages)}")
                    folder = FOLDER
                    if name == "c":
                        self.compile(work)
                        folder = work
                    running[name] = subprocess.Popen(
                        [*command, "story-" + name], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for name, process in running.items():
                with self.subTest(story=name):
                    try:
                        out = process.communicate(timeout=LIMIT_S)[0].decode("utf-8", "replace")
                    except subprocess.TimeoutExpired:
                        process.kill()
                        out = "still running: " + process.communicate()[0].decode("utf-8", "replace")
                    self.assertEqual(process.returncode, 0, out)
                    self.assertIn("story ok: end-of-data, s", out)
        self.assertEqual(sorted(running), sorted(STORIES))

    def compile(self, work):
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "libcurl"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.assertEqual(flags.returncode, 0, "c needs a Debian package that is missing: libcurl4-openssl-dev")
        done = subprocess.run(
            ["cc", "-Wall", "-Wextra", "-Werror", "-O1", "-o", os.path.join(work, "story"), "story.c", *flags.stdout.split()],
            cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)


if __name__ == "__main__":
    unittest.main()
