// The format itself: what a file says, how it complains, and that a dialogue that is wrong is told so with its place.

import SMTP
import Testing

@Suite struct FormatTests {
    private func parse(_ text: String) throws(DialogueError) -> Dialogue {
        try Dialogue.parse(text, file: "x.dialogue")
    }

    @Test func `a file becomes head, steps and expectations`() throws {
        let dialogue = try parse(
            """
            title: A title
            covers: R19, mail×5yz
            rule: rcpt: 550 5.1.1 No
            set: hostname a.test
            set: recipients 7
            set: hide SIZE DSN
            # a comment
            ---
            S: 220 *
            C: EHLO a
            C| half\\r\\n\\x00
            flush
            C# 3 RCPT TO:<r#@b>
            wait 2s
            expect verdict rejected
            expect message "a\\tb"
            """)
        #expect(dialogue.title == "A title")
        #expect(dialogue.covers == ["R19", "mail×5yz"])
        #expect(dialogue.rules.map(\.text) == ["rcpt: 550 5.1.1 No"])
        #expect(dialogue.setup.hostname == "a.test")
        #expect(dialogue.setup.limits.recipients == 7)
        #expect(!dialogue.setup.capabilities.contains(.size))
        #expect(dialogue.setup.capabilities.contains(.chunking))
        #expect(dialogue.steps.count == 4)
        #expect(dialogue.steps.map(\.place.line) == [9, 10, 13, 14])
        #expect(dialogue.expectations.map(\.subject) == [.verdict, .message])
        #expect(dialogue.expectations.last?.octets == [97, 9, 98])
    }

    @Test func `client lines that follow each other are one write`() throws {
        let dialogue = try parse("title: t\n---\nC: A\nC| B\nflush\nC# 2 N#\nC* 3 xy\n")
        let writes: [String] = dialogue.steps.map { step in
            guard case .send(let pieces) = step.step else { return "?" }
            var octets: [UInt8] = []
            for piece in pieces { piece.append(to: &octets) }
            return String(decoding: octets, as: UTF8.self)
        }
        #expect(writes == ["A\r\nB", "N1\r\nN2\r\nxyxyxy"])
    }

    @Test func `line ends of the file itself make no difference`() throws {
        let dialogue = try parse("title: t\r\n---\r\nC: A\r\nS: 250 *\r\n")
        #expect(dialogue.steps.count == 2)
        guard case .line(let glob) = dialogue.steps[1].step else {
            Issue.record("no line step")
            return
        }
        #expect(glob.text == "250 *")
    }

    @Test(arguments: [
        ("titel: t\n---\nC: A", "x.dialogue:1: unknown key `titel`"),
        ("---\nC: A", "x.dialogue:1: the head has no `title:`"),
        ("title: t\nC: A", "x.dialogue:2: unknown key `C`"),
        ("title: t\nrule", "x.dialogue:2: `rule` is no line of the head"),
        ("title: t\ncovers: R60\n---\nC: A", "x.dialogue:2: `covers: R60`"),
        ("title: t\ncovers: mail×6yz\n---\nC: A", "x.dialogue:2: `covers: mail×6yz`"),
        ("title: t\nset: recipient 3\n---\nC: A", "x.dialogue:2: unknown setting `recipient`"),
        ("title: t\nset: hide CHUNK\n---\nC: A", "x.dialogue:2: unknown EHLO keyword `CHUNK`"),
        ("title: t\nonly: sometimes\n---\nC: A", "x.dialogue:2: `only: sometimes`"),
        ("title: t\n---\nD: A", "x.dialogue:3: `D:` is no step"),
        ("title: t\n---\nC: \\q", "x.dialogue:3: unknown escape"),
        ("title: t\n---\nC: \\xZZ", "x.dialogue:3: `\\x` needs two hexadecimal digits"),
        ("title: t\n---\nwait long", "x.dialogue:3: `long` is no duration"),
        ("title: t\n---\nexpect verdit x", "x.dialogue:3: `expect verdit`: the subjects are verdict"),
        ("title: t\n---\nexpect message x", "x.dialogue:3: `expect message` needs the octets in quotation marks"),
        ("title: t\n---\n", "x.dialogue:3: the script is empty"),
        ("title: t\n", "x.dialogue:2: there is no line `---`"),
    ])
    func `a wrong file is told its line and what is wrong`(text: String, complaint: String) {
        let error = #expect(throws: DialogueError.self) { try parse(text) }
        #expect(error?.description.hasPrefix(complaint) == true, "\(error?.description ?? "no complaint")")
    }

    @Test func `a wrong rule is told with the line of the file`() throws {
        let dialogue = try parse("title: t\nrule: rcpt to=*: 650 No\n---\nS: 220 *")
        let error = #expect(throws: DialogueError.self) { try dialogue.parsedRules() }
        #expect(error?.description.hasPrefix("x.dialogue:2: in the rule: column") == true)
    }

    @Test(arguments: [
        ("S: 221 *", "x.dialogue:3 (pure): expected `221 *`, came `220 mx.test"),
        ("S: 220 *\nS: 250 *", "x.dialogue:4 (pure): expected `250 *`, nothing came in 10000ms"),
        ("S: 220 *\nC: NOOP\nS= 500", "x.dialogue:5 (pure): expected a reply 500, came `250 2.0.0"),
        ("S: 220 *\nC: EHLO a\nS= 250\nhas NOTHING", "x.dialogue:6 (pure): expected a line `NOTHING`"),
        ("S: 220 *\nC: EHLO a\nS= 250\nlacks SIZE*", "x.dialogue:6 (pure): the last reply must not have `250-SIZE"),
        ("S: 220 *\nC: NOOP\nsilence 10ms", "x.dialogue:5 (pure): expected silence, came 250"),
        ("S: 220 *\nclosed", "x.dialogue:4 (pure): expected the sink to close, nothing happened"),
        ("S: 220 *\nC: QUIT\nS: 221 *\nwas-reset", "x.dialogue:6 (pure): expected a reset, the sink closed"),
        ("S: 220 *\nC: NOOP", "x.dialogue:4 (pure): unread at the end: 250 2.0.0"),
        ("S: 220 *\nC: NOOP\nS: 250 *\ntook >= 1s", "x.dialogue:6 (pure): expected at least 1000ms, took 0ms"),
        ("S: 220 *\nC: STARTTLS\nS: 503 *\nstarttls", "x.dialogue:6 (pure): the handshake failed"),
        ("S: 220 *\ndrop\nexpect ended-by quit", "x.dialogue:5 (pure): expected ended-by `quit`: it is `client-close`"),
        ("S: 220 *\ndrop\nexpect stored 1", "x.dialogue:5 (pure): expected stored `1`: it is `0`"),
        ("S: 220 *\ndrop\nexpect message \"\"", "x.dialogue:5 (pure): expected message `\"\"`: no message was stored"),
        ("S: 220 *\ndrop\nexpect event *nothing of the kind*", "x.dialogue:5 (pure): expected event"),
    ])
    func `a dialogue that does not hold fails at its line`(script: String, complaint: String) throws {
        let dialogue = try parse("title: t\n---\n" + script)
        let error = #expect(throws: DialogueFailure.self) { try Rehearsal.pure(dialogue) }
        #expect(error?.description.hasPrefix(complaint) == true, "\(error?.description ?? "no complaint")")
    }

    @Test(arguments: [
        ("250 2.1.0*", "250 2.1.0 Ok", true), ("250 2.1.0*", "250 2.1.0", true), ("250 2.1.0*", "250 2.1.5 Ok", false),
        ("*", "", true), ("", "", true), ("", "x", false), ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false),
        ("***", "abc", true), ("abc", "abcd", false), ("*d", "abcd", true),
    ])
    func `a star stands for anything`(pattern: String, subject: String, matches: Bool) {
        #expect(Glob(pattern).matches(subject) == matches)
    }

    @Test(
        arguments: [
            ("250 2.0.0 Ok", nil), ("25 Ok", "no reply code"), ("650 x", "no reply code"),
            ("250 Ok", "no enhanced status"),
            ("550 2.1.1 No", "the class of the enhanced code differs"), ("250+2.0.0 x", "neither space nor hyphen"),
            ("250 2.0.0 \u{1}", "not printable ASCII"),
        ] as [(String, String?)])
    func `the grammar of replies is checked`(line: String, complaint: String?) {
        var grammar = ReplyGrammar(Dialogue())
        #expect(grammar.complaint(about: Array("220 mx.test hello".utf8)) == nil)
        let found = grammar.complaint(about: Array(line.utf8))
        #expect((found == nil) == (complaint == nil))
        if let complaint { #expect(found?.hasPrefix(complaint) == true, "\(found ?? "nothing")") }
    }

    @Test func `a reply keeps its code and stays short`() {
        var grammar = ReplyGrammar(Dialogue())
        #expect(grammar.complaint(about: Array("220-mx.test".utf8)) == nil)
        #expect(grammar.complaint(about: Array("221 x".utf8))?.hasPrefix("the code changes") == true)
        var other = ReplyGrammar(Dialogue())
        #expect(other.complaint(about: Array("220 ".utf8) + [UInt8](repeating: 65, count: 506)) == nil)
        #expect(
            other.complaint(about: Array("250 2.0.0 ".utf8) + [UInt8](repeating: 65, count: 501))?.hasPrefix("longer")
                == true)
    }
}
