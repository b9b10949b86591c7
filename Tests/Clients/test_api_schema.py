# The OpenAPI document against the API: a validator of other people's reads it, a fuzzer of other people's asks whatever it
# allows and whatever it forbids, its examples are asked as they stand. Prometheus reads /metrics.

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
import unittest

import wire
from api import API, Events, letter, mail
from sink import ROOT, Sink
from wire import Wire

FULL = "rcpt name=full-mailbox to=*@full.test: 452 4.2.2 Mailbox full"
VENV = os.path.join(ROOT, ".build", "python", "api")
REQUIREMENTS = os.path.join(ROOT, "Tests", "Clients", "requirements-api.txt")
# Of each call and kind. Taken out of the environment, since fakemx refuses variables of its own that it does not know.
EXAMPLES = os.environ.pop("FAKEMX_FUZZ_EXAMPLES", "40")
SEED = os.environ.pop("FAKEMX_FUZZ_SEED", "1")
LIMIT_S = 90


def tool(name):
    """A program of the packages in requirements-api.txt."""
    path = os.path.join(VENV, "bin", name)
    if not os.path.exists(path):
        raise AssertionError(
            f"{name} is missing: python3 -m venv .build/python/api && .build/python/api/bin/pip install -r {os.path.relpath(REQUIREMENTS, ROOT)}")
    return path


def promtool():
    for path in (shutil.which("promtool"), os.path.join(ROOT, ".build", "mta", "prometheus", "usr", "bin", "promtool")):
        if path and os.path.exists(path):
            return path
    raise AssertionError("promtool is missing: install Debian's prometheus without its service, or unpack it into .build/mta/prometheus")


def start():
    """A sink in which everything is there that the document's examples speak of: s12, s12.1 with HTML, s13 with a fault,
    full-mailbox, and a run r1 of a lesson."""
    sink = Sink("--loops", "1", transcript="off", http="127.0.0.1:0")
    api = API(sink.url, patience_s=30)
    api.rule(FULL)
    for number in range(12):
        assert mail(sink.port, f"u{number}@any.test", content=letter(text="<p>hello</p>", more="MIME-Version: 1.0\r\nContent-Type: text/html\r\n")) == 250
    assert mail(sink.port, "x@full.test") == 452
    api.until(lambda info: info["sessions"]["ever"] == 13)
    assert api.call("POST", "lessons/when-did-the-reject-happen/runs").status == 201
    return sink, api


def resolved(document, node):
    while isinstance(node, dict) and "$ref" in node:
        at = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        node = at
    return node


class Document(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sink, cls.api = start()
        cls.document = cls.api.found("openapi.json")

    @classmethod
    def tearDownClass(cls):
        cls.sink.stop()

    def test_it_is_valid_openapi_3_1(self):
        self.assertEqual(self.document["openapi"], "3.1.0")
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(self.document, file)
            file.flush()
            done = subprocess.run([tool("openapi-spec-validator"), file.name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
        self.assertEqual(done.returncode, 0, done.stdout.decode())

    def test_it_has_every_call_that_is_served_and_no_other(self):
        # What a path takes is told by the Allow of a method that it does not.
        for path, item in self.document["paths"].items():
            with self.subTest(path=path):
                answer = self.api.call("PROPFIND", path.replace("{id}", "s12.1").replace("{name}", "full-mailbox"))
                self.assertEqual(answer.status, 405, answer)
                served = {method for method in answer.headers["Allow"].split(", ")} - {"HEAD"}
                self.assertEqual({method.upper() for method in item}, served)

    def test_each_operation_is_told_whole(self):
        names = set()
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                with self.subTest(path=path, method=method):
                    self.assertTrue(operation["summary"])
                    self.assertNotIn(operation["operationId"], names)
                    names.add(operation["operationId"])
                    self.assertEqual(set(re.findall(r"{(\w+)}", path)), {p["name"] for p in operation["parameters"] if p["in"] == "path"})
                    seen = [p["name"] for p in operation["parameters"]]
                    self.assertEqual(len(seen), len(set(seen)), "a parameter stands twice")

    def test_every_example_works(self):
        asked = 0
        # What removes comes last.
        order = sorted(((path, method) for path, item in self.document["paths"].items() for method in item),
                       key=lambda pair: (pair[0].endswith("/reset"), pair[1] == "delete", pair[1] != "get", "{" not in pair[0]))
        for path, method in order:
            operation = self.document["paths"][path][method]
            target, query = path, {}
            for parameter in operation["parameters"]:
                if parameter["in"] == "path":
                    example = parameter["example"]
                    if path.startswith("/api/fakemx/rules/") and method == "put":
                        example = "new-rule"
                    target = target.replace("{%s}" % parameter["name"], example)
                elif parameter["required"]:
                    query[parameter["name"]] = parameter["schema"]["enum"][0]
                elif parameter["name"] == "follow":
                    query["follow"] = "false"
            bodies = [(kind, content["example"]) for kind, content in operation.get("requestBody", {}).get("content", {}).items()]
            for kind, body in bodies or [(None, None)]:
                with self.subTest(path=path, method=method, kind=kind):
                    text = body if body is None or isinstance(body, str) else json.dumps(body)
                    answer = self.api.call(method.upper(), target, query, text, kind)
                    self.assertIn(answer.status, (200, 201), answer)
                    self.assertIn(str(answer.status), operation["responses"])
                    answers = operation["responses"][str(answer.status)]["content"]
                    self.assertIn(answer.headers["Content-Type"].split(";")[0], answers)
                    asked += 1
        self.assertGreaterEqual(asked, 25)

    def test_what_a_summary_has_stands_in_its_schema(self):
        # additionalProperties are allowed by omission, so a validator alone would not find a field that nobody described.
        for path, name in (("sessions?limit=1", "SessionList"), ("messages?limit=1", "MessageList"), ("rules", "RuleList"), ("info", "Info"),
                           ("cursor", "CursorObject"), ("scenarios", "ScenarioList"), ("attempts", "AttemptList"), ("messages/s11.1", "Message"),
                           ("sessions/s12", "Session"), ("wait?for=reject", "Waited"), ("lessons", "LessonList"),
                           ("lessons/starttls", "Lesson")):
            with self.subTest(path=path):
                answer = self.api.get("/api/fakemx/" + path)
                if answer.status == 404:
                    continue  # an example has removed it
                self.described(answer.json, {"$ref": f"#/components/schemas/{name}"}, name)

    def described(self, value, schema, place):
        schema = resolved(self.document, schema)
        if isinstance(value, dict) and "properties" in schema:
            self.assertLessEqual(set(value), set(schema["properties"]), f"{place}: not described")
            for key, inside in value.items():
                self.described(inside, schema["properties"][key], f"{place}.{key}")
        elif isinstance(value, list) and "items" in schema:
            for inside in value[:3]:
                self.described(inside, schema["items"], place + "[]")


class Fuzzing(unittest.TestCase):
    def test_schemathesis_finds_nothing(self):
        program = tool("schemathesis")
        sink, api = start()
        with tempfile.TemporaryDirectory() as folder:
            try:
                began = time.monotonic()
                done = subprocess.run(
                    [program, "--config-file", os.path.join(ROOT, "Tests", "Clients", "schemathesis.toml"), "run",
                     sink.url + "/api/fakemx/openapi.json", "--url", sink.url, "--checks", "all", "--max-examples", EXAMPLES,
                     "--continue-on-failure", "--seed", SEED, "--no-color", "--request-timeout", "20",
                     "--output-truncate", "false"],
                    cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=max(LIMIT_S, int(EXAMPLES) * 3),
                    env={**os.environ, "HOME": folder, "SCHEMATHESIS_HOOKS": ""})
                text = done.stdout.decode("utf-8", "replace")
                found = re.search(r"(\d+) generated", text)
                print(f"\n      {found.group(1) if found else 'no'} cases in {time.monotonic() - began:.0f} s; {sink.resident_kib() >> 10} MiB")
                self.assertIsNone(sink.process.poll(), "fakemx ended: " + sink.error_text()[-2000:])
                self.assertEqual(done.returncode, 0, text[-20_000:])
                self.assertGreater(int(found.group(1)), 500)
                self.assertEqual(api.get("/livez").status, 200)
                api.until(lambda info: info["waiting"] == 0)
            finally:
                sink.stop()


class Metrics(unittest.TestCase):
    def test_promtool_reads_the_metrics(self):
        program = promtool()
        with Sink("--rule", FULL, transcript="off", http="127.0.0.1:0") as sink:
            api = API(sink.url)
            for to in ("b@any.test", "x@full.test", "eod-554-5.7.1@any.test"):
                mail(sink.port, to)
            with Wire(sink.port) as client:
                wire.hello(client)
                client.ask("NONSENSE")
                client.abort()
            api.until(lambda info: info["sessions"]["ever"] == 4)
            answer = api.get("/metrics")
        self.assertEqual(answer.headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        done = subprocess.run([program, "check", "metrics"], input=answer.body, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30)
        self.assertEqual((done.returncode, done.stdout.decode()), (0, ""), answer.text)


if __name__ == "__main__":
    unittest.main()
