// Rules that come while the sink runs: their JSON, their lines, and what is said of wrong ones.

import Faults
import SMTP
import Testing

@testable import Settings

@Suite("Rules at run time")
struct RuntimeRuleTests {
    func read(_ text: String) -> RuntimeRule.Read { RuntimeRule.mapping(Array(text.utf8)) }

    @Test func `JSON says what a line says`() throws {
        let json = """
            {"name": "full", "at": "rcpt", "when": {"to": ["*@full.test", "x@y.test"]}, "times": "first 2 per to",
             "do": ["delay 200ms", "452 4.2.2 Full"], "space": "T1", "expires": "30s", "enabled": false}
            """
        let rule = try #require(read(json).rule)
        let line = "rcpt name=full to=*@full.test,x@y.test first=2 per=to: delay 200ms, 452 4.2.2 Full"
        var parsed = try RuleLine.parse(line).bound(toSpace: "T1")
        #expect(RuntimeRule.line(line, space: "T1").rule?.rule == parsed)
        #expect(read("{\"line\": \"\(line)\", \"space\": \"T1\"}").rule?.rule == parsed)
        parsed.isOn = false
        #expect(rule.rule == parsed)
        #expect(rule.lifetime?.ns == 30_000_000_000 && !rule.rule.isOn)
        #expect(read("{\"line\": \"rcpt once: close\", \"name\": \"n\"}").rule?.rule.name == "n")
    }

    @Test func `A character beyond the plane that JSON writes in two halves is one`() throws {
        let rule = try #require(read(#"{"at": "ehlo", "when": {"helo": "\ud83d\ude00"}, "do": "close"}"#).rule)
        guard case .text(let pattern) = rule.rule.when.first?.tests.first else {
            Issue.record("no pattern")
            return
        }
        #expect(pattern.matches("😀"))
    }

    @Test(arguments: [
        ("[]", "a rule is written as keys with values"), ("\"rcpt: close\"", "a rule is written as keys with values"),
        ("{\"at\": \"rctp\", \"do\": \"close\"}", "rcpt"), ("{\"at\": \"rcpt\"}", "a rule needs what it does"),
        ("{\"at\": \"rcpt\", \"do\": \"close\", \"wen\": {}}", "did you mean \"when\"?"),
        ("{\"line\": \"rcpt: close\", \"at\": \"rcpt\"}", "beside line"),
        ("{\"line\": \"rcpt: clos\"}", "did you mean \"close\"?"),
        ("{\"line\": \"rcpt: close\", \"name\": \"a b\"}", "a rule's name is made of"),
        ("{\"line\": \"greeting: close\", \"space\": \"t\"}", "a space is known by addresses"),
        ("{\"line\": \"rcpt: close\", \"space\": \"a b\"}", "a space is a name"),
        ("{\"line\": \"rcpt: close\", \"expires\": \"5\"}", "has no unit"), ("{", ":"),
    ])
    func `What is wrong is said, and there is no rule`(text: String, complaint: String) {
        let (rule, complaints) = read(text)
        #expect(rule == nil)
        #expect(complaints.contains { $0.isError && $0.description.contains(complaint) }, "\(complaints)")
    }

    @Test(arguments: [
        "rcpt: 550 5.1.1 No",
        "rcpt name=n to=*@full.test,/^x\"\\d/ from=<> first=2 per=to,client: delay 200ms, 452 4.2.2 Full",
        "end-of-data header.subject=*Win* size=>10KB: \"554 5.7.1 a: b, # c {d} \\\"e\\\"\", close",
        "rcpt per=to steps: 451 4.7.1 Later; delay 1s..5s, 451 4.7.1 Still; accept",
        "rcpt any(from=a@b.test not(client=10.0.0.0/8)) all(helo=x user=y) tls=none: use gmail/over-quota",
        "connect at-once=3 per=client-network: 421 4.3.2 Full", "mail chance=2.5%: 451 4.7.1 ünï 😀",
        "rcpt limit=100/1h per=from-domain time=22:00..06:00: 451 4.7.1 Later", "ehlo: hide SIZE DSN, offer AUTH",
        "end-of-data greylist=5m..4h/35d per=client-network,from: raw \"250 a\\x00\\r\\n\"",
        "rcpt recover=5m..10m: 451 x",
        "connect client=unix: close",
    ])
    func `A rule reads back from its YAML`(line: String) throws {
        var rule = try RuleLine.parse(line)
        #expect(read(rule.yaml).rule?.rule == rule, "\(rule.yaml)\(read(rule.yaml).complaints)")
        rule.isOn = false
        rule.name = "12"
        #expect(read(rule.yaml).rule?.rule == rule, "\(rule.yaml)")
    }

    @Test func `Conditions of the same kind do not get lost in YAML`() throws {
        let rule = try RuleLine.parse("rcpt space=a any(from=a helo=b) any(from=c to=d) all(from=e): close").bound(
            toSpace: "b")
        let yaml = rule.yaml
        #expect(
            yaml.contains(
                """
                when: { space: "a", any: { from: "a", helo: "b" }, all: [{ all: { from: "e" } }, { space: "b" }, \
                { any: { from: "c", to: "d" } }] }
                """), "\(yaml)")
        #expect(read(yaml).rule != nil, "\(read(yaml).complaints)")
    }

    @Test func `A rule of a file may be off`() throws {
        let file = "rules:\n  - { name: a, at: rcpt, do: close, enabled: no }\n  - 'rcpt name=b: close'\n"
        let (settings, complaints) = SettingsFile.parse(Array(file.utf8), file: "f")
        #expect(complaints.isEmpty && settings?.rules.map(\.rule.isOn) == [false, true])
    }

    @Test func `A wrong line is told with its column`() {
        #expect(RuntimeRule.line("rcpt: clos").complaints.first?.place.column == 7)
    }
}
