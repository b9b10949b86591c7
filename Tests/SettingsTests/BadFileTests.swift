// Bad files: every complaint has its place and, where one is near, the word that was meant.

import Faults
import Foundation
import SMTP
import Settings
import Testing

@Suite struct BadFileTests {
    @Test(arguments: [
        ("hostnam: mx.test\n", "f.yaml:1:1: unknown key \"hostnam\" in the settings; did you mean \"hostname\"?"),
        ("time_scale: 5\n", "f.yaml:1:1: unknown key \"time_scale\" in the settings; did you mean \"time-scale\"?"),
        ("seed: many\n", "f.yaml:1:7: seed: \"many\" is not a seed"),
        ("seed: [1]\n", "f.yaml:1:7: seed is one value, not a list"),
        ("seed: -1\n", "f.yaml:1:7: seed: \"-1\" is not a seed"),
        ("limits: 5\n", "f.yaml:1:9: limits is written as keys with values, not as \"5\""),
        (
            "limits: { recipient: 5 }\n",
            "f.yaml:1:11: unknown key \"recipient\" in limits; did you mean \"recipients\"?"
        ),
        ("limits:\n  connections: many\n", "f.yaml:2:16: connections: \"many\" is not a whole number"),
        ("limits: { recipients: 0 }\n", "0 is not between 1 and"),
        ("limits: { command-line: 100 }\n", "100 is not between 512 and"),
        (
            "limits: { client-timeout: 5 }\n",
            "f.yaml:1:27: client-timeout: \"5\" has no unit; did you mean \"5s\" or \"5ms\"?"
        ),
        ("limits: { message-size: 10M }\n", "did you mean \"10MB\"?"),
        (
            "transcript: josn\n",
            "f.yaml:1:13: transcript: \"josn\" is none of auto, text, json, off; did you mean \"json\"?"
        ),
        ("store: nowhere\n", "f.yaml:1:8: store: \"nowhere\" is neither memory, none, nor a file"),
        ("store-sync: fast\n", "f.yaml:1:13: store-sync: \"fast\" is none of normal, full"),
        ("store: memry\n", "did you mean \"memory\"?"),
        ("http: 8025\n", "f.yaml:1:7: http: \"8025\" is not an address to listen on"),
        ("http-token: short\n", "f.yaml:1:13: http-token: a token has 8 to 512 printable ASCII characters"),
        ("http-origin: [ app.example ]\n", "f.yaml:1:16: http-origin: \"app.example\" is no origin"),
        ("retention: { message-age: 5ms }\n", "f.yaml:1:27: message-age: 5ms is shorter than 1s"),
        ("time-scale: 0\n", "is not a time scale"),
        (
            "judging: bluk\n",
            "f.yaml:1:10: judging: \"bluk\" is none of mx, submission, bulk, strict, off; did you mean \"bulk\"?"
        ),
        (
            "judging: { rules: { quit-misssing: { severity: off, reason: x } } }\n",
            "f.yaml:1:21: unknown key \"quit-misssing\" in the rules for senders; did you mean \"quit-missing\"?"
        ),
        (
            "judging: { rules: { zzzzzz: { severity: off, reason: x } } }\n",
            "unknown key \"zzzzzz\" in the rules for senders; fakemx report --rules lists them"
        ),
        ("judging: { rules: { quit-missing: off } }\n", "f.yaml:1:35: a rule for senders is written as keys"),
        ("judging: { rules: { quit-missing: { severity: off } } }\n", "f.yaml:1:21: quit-missing needs a reason"),
        ("judging: { rules: { quit-missing: { reason: x } } }\n", "f.yaml:1:21: quit-missing needs a severity"),
        (
            "judging: { rules: { quit-missing: { severity: msut, reason: x } } }\n",
            "severity: \"msut\" is none of must, should, reputation, info, off; did you mean \"must\"?"
        ),
        ("judging: { profile: off }\n", "f.yaml:1:21: profile: \"off\" is none of mx, submission, bulk, strict"),
        ("judging: { thresholds: { held-idel: 5s } }\n", "did you mean \"held-idle\"?"),
        ("judging: { thresholds: { held-idle: 5 } }\n", "f.yaml:1:37: held-idle: \"5\" has no unit"),
        ("judging: { thresholds: { unknown-share: 10 } }\n", "\"10\" is not a percentage"),
        ("judging: { thresholds: { unknown-share: 101% } }\n", "\"101%\" is not a percentage"),
        ("judging: { thresholds: { hello-names: 0 } }\n", "0 is not between 1 and"),
        ("time-scale: nan\n", "is not a time scale"),
        ("loops: 0\n", "0 is not between 1 and 256"),
        ("magic: perhaps\n", "f.yaml:1:8: magic: \"perhaps\" is none of fakemx, badsmtp, mox, ses, mailtrap, kumo, on"),
        ("magic: [mox, badsmpt]\n", "f.yaml:1:8: magic: \"badsmpt\" is none of"),
        ("magic: off, mox\n", "f.yaml:1:8: magic: \"off\" stands alone"),
        ("magic: \",\"\n", "no pack is named; write off for none of them"),
        ("hostname: two words\n", "is not a host name"),
        ("exit-after: sesions=5\n", "did you mean \"sessions\"?"),
        ("exit-after: { messages: soon }\n", "\"soon\" is not a whole number"),
        ("hide: [STARTLS]\n", "f.yaml:1:8: unknown keyword \"STARTLS\"; did you mean \"STARTTLS\"?"),
        ("tls: { certificate: x }\n", "unknown key \"certificate\" in tls; did you mean \"cert\"?"),
        ("tls: maybe\n", "neither on, off, nor cert"),
        ("tls: { cert: a.pem }\n", "f.yaml:1:14: a certificate without its key"),
        ("listeners: 127.0.0.1:1025\n", "listeners is a list"),
        ("listeners: []\n", "no listener is no server"),
        ("listeners: [ 127.0.0.1:1025 ]\n", "written as smtp: 127.0.0.1:1025"),
        (
            "listeners:\n  - smtp: 1025\n",
            "f.yaml:2:11: smtp: \"1025\" is not an address to listen on: write HOST:PORT, as 127.0.0.1:1025"
        ),
        ("listeners:\n  - smtp: 127.0.0.1:99999\n", "the port is a number from 0 to 65535"),
        ("listeners:\n  - smtp: \"::1:25\"\n", "an IPv6 address stands in brackets: [::1]:25"),
        ("listeners:\n  - smtp: 300.0.0.1:25\n", "300.0.0.1 is no IPv4 address"),
        ("listeners:\n  - smtp: unix:relative\n", "begins with a slash"),
        ("listeners:\n  - name: x\n", "f.yaml:2:5: a listener needs its address"),
        ("listeners:\n  - { smtp: \"a:1\", smtps: \"a:2\" }\n", "a listener has one address"),
        ("listeners:\n  - { smtp: \"a:1\", limits: { connections: 5 } }\n", "unknown key \"connections\" in limits"),
        (
            "listeners:\n  - { smtp: \"a:1\", name: x }\n  - { smtp: \"a:2\", name: x }\n",
            "f.yaml:3:13: a second listener named \"x\""
        ),
        ("# note\r\nseed: &a 1\r\n", "f.yaml:2:7: a value that begins with & stands in quotes"),
        ("tls: off\nlisteners:\n  - smtps: a:1\n", "f.yaml:3:12: TLS is off, but smtps begins with it"),
    ])
    func `A bad value is complained about at its place`(yaml: String, complaint: String) {
        let found = complaints(yaml)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.contains(complaint) == true, "\(found)")
    }

    @Test(arguments: [
        ("at: rctp\n    do: close", "f.yaml:3:9: unknown phase \"rctp\"; did you mean \"rcpt\"?"),
        (
            "at: rcpt\n    tims: always\n    do: close",
            "f.yaml:4:5: unknown key \"tims\" in a rule; did you mean \"times\"?"
        ),
        ("do: close", "f.yaml:2:5: a rule needs its phase"),
        ("rcpt to=a@b: 550 5.1.1 No", "f.yaml:2:5: a rule on one line stands in quotes"),
        ("at: rcpt", "f.yaml:2:5: a rule needs what it does"),
        (
            "at: mail\n    when: { to: \"*@x\" }\n    do: close",
            "f.yaml:4:13: to at mail: the recipient is not known before RCPT; use at: rcpt"
        ),
        (
            "at: rcpt\n    when: { too: \"*@x\" }\n    do: close",
            "f.yaml:4:13: unknown condition \"too\"; did you mean \"to\"?"
        ),
        (
            "at: rcpt\n    when: { header.subject: x }\n    do: close",
            "f.yaml:4:13: header.subject at rcpt: the message has not come yet"
        ),
        (
            "at: rcpt\n    when: { client: 10.0.0.0/99 }\n    do: close",
            "f.yaml:4:21: \"10.0.0.0/99\": the prefix behind the slash"
        ),
        (
            "at: rcpt\n    when: { client: [10.0.0.0/8, x] }\n    do: close",
            "f.yaml:4:34: \"x\" is not an address or network"
        ),
        ("at: mail\n    when: { from: }\n    do: close", "f.yaml:4:13: from has no value; the null sender is \"<>\""),
        ("at: rcpt\n    when: to\n    do: close", "when is written as conditions with values"),
        ("at: rcpt\n    do: [ \"650 nonsense\" ]", "f.yaml:4:11: \"650\" is not a reply code"),
        ("at: rcpt\n    do: [ delay 1s, clsoe ]", "f.yaml:4:21: unknown action \"clsoe\"; did you mean \"close\"?"),
        ("at: rcpt\n    do: [ delay 5 parsecs ]", "parsecs"),
        ("at: rcpt\n    do: [ close, \"550 x\" ]", "f.yaml:4:18: the reply 550 behind close"),
        ("at: rcpt\n    do: [ keep, close ]", "f.yaml:4:11: keep at rcpt"),
        ("at: rcpt\n    do: []", "f.yaml:4:9: do is empty"),
        ("at: rcpt\n    do: { a: b }", "an action is one value, not keys with values"),
        ("at: rcpt\n    times: twice\n    do: close", "f.yaml:4:12: times: \"twice\" is no times"),
        ("at: rcpt\n    times: first 2 per too\n    do: close", "did you mean \"to\"?"),
        (
            "at: rcpt\n    times: first 2 per to\n    per: from\n    do: close",
            "f.yaml:5:5: per stands in times already"
        ),
        (
            "at: rcpt\n    per: [clien]\n    steps: [ accept ]",
            "f.yaml:4:11: cannot count per \"clien\"; did you mean \"client\"?"
        ),
        ("at: rcpt\n    times: first 2\n    steps: [ accept ]", "f.yaml:4:5: times beside steps"),
        ("at: rcpt\n    steps: []", "f.yaml:4:12: steps is empty"),
        ("at: rcpt\n    name: a/b\n    do: close", "f.yaml:4:11: a rule's name is made of"),
        ("at: rcpt\n    do: use gmail", "f.yaml:4:9: no reply of the catalogue is named \"gmail\""),
        ("at: rcpt\n    at: mail\n    do: close", "f.yaml:3:5: the key \"at\" stands twice here"),
        ("at: rcpt\n    when: { to: a, to: b }\n    do: close", "f.yaml:4:13: the key \"to\" stands twice here"),
    ])
    func `A bad rule is complained about at its place`(body: String, complaint: String) {
        let found = complaints(
            "rules:\n  - \(body.hasPrefix("at") || body.hasPrefix("do") ? "name: x\n    " : "")\(body)\n"
        )
        .map { $0 }
        #expect(found.contains { $0.contains(complaint) }, "\(found)")
    }

    @Test func `All complaints are said, in the order of the file`() {
        let found = complaints(
            """
            hostnam: x
            seed: x
            seed: y
            rules:
              - at: rctp
                do: clsoe
              - at: mail
                when: { to: x, size: ">10K" }
                do: [ "999 x", lose ]
              - "rcpt: clsoe"
              - { at: rcpt, name: twice, do: close }
              - { at: rcpt, name: twice, do: close }
            """)
        let places = found.map { $0.split(separator: " ")[0] }
        #expect(
            places == [
                "f.yaml:1:1:", "f.yaml:2:1:", "f.yaml:3:7:", "f.yaml:5:9:", "f.yaml:6:9:", "f.yaml:8:26:",
                "f.yaml:9:11:",
                "f.yaml:10:12:", "f.yaml:12:5:",
            ], "\(found)")
        #expect(found.last == "f.yaml:12:5: a second rule named \"twice\"; the first stands at f.yaml:11:5")
    }

    @Test func `A class that differs is a warning, and the rule works`() throws {
        let (settings, found) = read("rules:\n  - at: rcpt\n    do: \"421 5.7.32 odd\"\n")
        #expect(settings?.rules.count == 1)
        #expect(
            found.map(\.description) == [
                """
                f.yaml:3:9: warning: the enhanced code 5.7.32 has another class than 421 (RFC 2034 §4); said as it \
                stands
                """
            ])
    }

    @Test func `A rule about a listener that is not there is a warning`() {
        let found = complaints("rules: [ \"rcpt listener=smpt: close\" ]\n")
        #expect(
            found == [
                "f.yaml:1:10: warning: no listener is named \"smpt\"; did you mean \"smtp\"?; the rule never fires"
            ])
    }

    @Test func `A file that is no configuration is refused in words`() throws {
        try withFiles([
            "empty.yaml": "", "spaces.yaml": " \n# nothing\n", "text.yaml": "hello world\n",
            "two.yaml": "a: b\n---\nc: d\n",
        ]) { folder in
            func said(_ name: String) -> String {
                SettingsFile.read("\(folder)/\(name)").complaints.map(\.description).joined(separator: "\n")
            }
            #expect(said("missing.yaml").hasSuffix("missing.yaml: cannot be read: no such file"))
            #expect(said("").contains("is a folder, not a file"))
            #expect(said("empty.yaml").contains("holds no settings"))
            #expect(said("spaces.yaml").contains("holds no settings"))
            #expect(said("text.yaml").contains("1:1: the settings is written as keys with values"))
            #expect(said("two.yaml").contains("is not YAML"))
            try Data(repeating: UInt8(ascii: "a"), count: 10 << 20).write(to: URL(filePath: "\(folder)/large.yaml"))
            #expect(said("large.yaml").contains("is larger than 1048576 octets"))
            try Data([0x7F, 0x45, 0x4C, 0x46, 0, 1, 2]).write(to: URL(filePath: "\(folder)/binary"))
            #expect(said("binary").contains("binary:1:1: is not a text file: it holds the octet"))
            try Data([0x61, 0x3A, 0x20, 10, 0xFF, 0xFE]).write(to: URL(filePath: "\(folder)/latin"))
            #expect(said("latin").contains("latin:2:1: is not text in UTF-8"))
            #expect(said("missing\u{0}.yaml").contains("is not a file name"))
        }
    }

    @Test(arguments: [
        "a: &x [1]\nb: *x\n", "when: { to: *@full.test }\n", "- *a", "a: [ *b ]", "a: {b: &c d}", "? *a : b", "&a a: b",
    ])
    func `Anchors and aliases are refused`(yaml: String) {
        let found = complaints(yaml)
        #expect(found.count == 1)
        #expect(found.first?.contains("stands in quotes; anchors and aliases are not taken") == true, "\(found)")
    }

    @Test func `A bomb of aliases costs nothing`() {
        var bomb = "a0: &a0 [x, x]\n"
        for level in 1...60 { bomb += "a\(level): &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        #expect(complaints(bomb + "? *a60\n: x\n").first?.hasPrefix("f.yaml:1:5:") == true)
    }

    @Test(arguments: ["[", "{a: ", "- ", "[{a: ", "{? "])
    func `Deep nesting is refused before it is built`(piece: String) {
        let found = complaints("rules: \n  " + String(repeating: piece, count: 100_000))
        #expect(found.count == 1)
        #expect(
            found.first?.contains("nested too deeply") == true || found.first?.contains("not YAML") == true, "\(found)")
    }

    @Test func `Stars and ampersands inside texts are no traps`() {
        let found = complaints(
            """
            description: |
              *this* & &that
                [[[[
              "open quote
            name: x   # *not an alias
            rules:
              - at: rcpt
                when: { to: "*@full.test", helo: 'a*b' }
                do: "550 5.1.1 Q&A * [[ {"
              - "rcpt to=*@full.test: 550 It's & *this*"
              - at: rcpt
                do: >
                  550 5.1.1 folded
                  *text*
            """)
        #expect(found == [], "\(found)")
    }
}
