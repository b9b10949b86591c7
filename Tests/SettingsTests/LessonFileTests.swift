// Files of lessons: what is read, and what is complained about at which place.

import Faults
import Lessons
import Settings
import Testing

@Suite struct LessonFileTests {
    private func read(_ text: String, _ judge: ExpectationJudge = .any) -> LessonFile.Read {
        LessonFile.parse(Array(text.utf8), file: "mine.yaml", .empty, judge)
    }

    private let head = "lesson: mine\ntitle: Mine\nabout: A.\n"

    @Test func aLessonIsReadInFull() throws {
        let text =
            head + """
                minutes: 5
                sender: { helo: a.test, from: <>, to: [b@b.test, c@c.test], message: "Subject: x" }
                rules: ["rcpt: 550 5.1.1 No"]
                steps:
                  - title: One
                    say: Look.
                    rules:
                      - { name: mine, at: mail, do: "451 4.7.1 Later" }
                    send:
                      - { by: first, tls: must }
                      - { lines: [EHLO a.test, { line: QUIT, why: Bye., waits: no }], talks-first: on, leaves: on }
                    sees: [session verdict=deferred, no message]
                    read: RFC 5321 §4.2.1

                """
        let (lesson, complaints) = read(text)
        #expect(complaints.map(\.description) == [])
        let found = try #require(lesson)
        #expect(found.minutes == 5 && found.rules.map(\.line) == ["rcpt: 550 5.1.1 No"])
        let step = found.steps[0]
        #expect(step.sends.map(\.by) == ["first", nil] && step.sends[0].tls == .must)
        #expect(step.sends[0].from == "" && step.sends[0].to == ["b@b.test", "c@c.test"])
        #expect(step.sends[1].lines == [SpokenLine("EHLO a.test"), SpokenLine("QUIT", why: "Bye.", waits: false)])
        #expect(step.sends[1].talksFirst && step.sends[1].leaves)
        #expect(step.sees.map(\.text) == ["session verdict=deferred", "no message"])
        #expect(step.rules.map(\.line) == ["mail name=mine: 451 4.7.1 Later"])
    }

    @Test(arguments: [
        ("steps: [{ title: T, say: S., tls: x }]", "mine.yaml:4:30: unknown key \"tls\" in a step"),
        ("steps: [{ title: T, say: S., sees: session }]", "mine.yaml:4:30: sees needs send"),
        ("steps: [{ title: T }]", "mine.yaml:4:9: a step needs say"),
        ("steps: x", "mine.yaml:4:8: steps is a list"),
        ("steps: [{ title: T, say: '' }]", "mine.yaml:4:26: say is empty"),
        (
            "steps: [{ title: T, say: S., send: { to: b, message: m }, sees: session }]",
            "mine.yaml:4:42: \"b\" is no address"
        ),
        (
            "steps: [{ title: T, say: S., send: { to: b@b.test, message: m, tls: yes }, sees: session }]",
            "mine.yaml:4:69: tls: \"yes\" is none of never, may, must"
        ),
        (
            "steps: [{ title: T, say: S., send: { message: m }, sees: session }]",
            "mine.yaml:4:36: send needs to"
        ),
        (
            "steps: [{ title: T, say: S., send: { lines: [\"a\\nb\"] }, sees: session }]",
            "mine.yaml:4:46: a line holds no line end"
        ),
        (
            "steps: [{ title: T, say: S., guess: [{ ask: A, choices: [a], answer: a, why: W }] }]",
            "mine.yaml:4:57: choices are 2 to 10, not 1"
        ),
        (
            "steps: [{ title: T, say: S., guess: [{ ask: A, choices: [yes, no], answer: yse, why: W }] }]",
            "answer is one of the choices, word for word; \"yse\" is none; did you mean \"yes\"?"
        ),
    ])
    func whatIsWrongHasItsPlace(text: String, complaint: String) {
        let (lesson, complaints) = read(head + text + "\n")
        #expect(lesson == nil)
        #expect(complaints.map(\.description).contains { $0.contains(complaint) }, "\(complaints)")
    }

    @Test func whatMustBeSeenIsJudgedWordByWord() {
        let judge = ExpectationJudge { expectation in
            expectation.words.contains { $0.name == "bad" } ? .init(word: "bad", text: "bad is bad") : nil
        }
        let text = head + "steps:\n  - title: T\n    say: S.\n    send: { to: b@b.test, message: m }\n"
        let (_, complaints) = read(text + "    sees: session good=1 bad=2\n", judge)
        #expect(complaints.map(\.description) == ["mine.yaml:8:26: bad is bad"])
    }

    @Test func theNameIsThatOfTheFile() {
        let (_, complaints) = read("lesson: other\ntitle: T\nabout: A.\nsteps: [{ title: T, say: S. }]\n")
        #expect(complaints.first?.description.hasPrefix("mine.yaml:1:9: lesson is \"other\"") == true)
    }
}
