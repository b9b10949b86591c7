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
        #expect(rule.rule == (try RuleLine.parse(line).bound(toSpace: "T1")))
        #expect(rule.lifetime?.ns == 30_000_000_000 && !rule.isOn)
        #expect(RuntimeRule.line(line, space: "T1").rule?.rule == rule.rule)
        #expect(read("{\"line\": \"\(line)\", \"space\": \"T1\"}").rule?.rule == rule.rule)
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

    @Test func `A wrong line is told with its column`() {
        #expect(RuntimeRule.line("rcpt: clos").complaints.first?.place.column == 7)
    }
}
