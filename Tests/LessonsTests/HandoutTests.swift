// The handout: one file whose policy knows its style sheets, the answers last, and no octet of a peer as markup.

import FoundationEssentials
import Journal
import Lessons
import TestSupport
import Testing

@Suite struct HandoutTests {
    private let relay = SenderLog.Relay(host: "127.0.0.1", port: 2525)

    private func run(_ sightings: [Sighting] = []) -> LessonRun {
        var step = LessonStep(title: "One", say: "First, RFC 5321 §4.2.1.\n\nSecond.")
        step.guess = [
            Question(ask: "Which?", choices: ["this", "that"], answer: 1, why: "Since it is.")
        ]
        step.sends = [Send(helo: "a.test", from: "a@a.test", to: ["b@b.test"], message: "x")]
        step.sees = [Expectation(kind: "session", words: [])]
        var run = LessonRun(Lesson(name: "l", title: "A & B", about: "About.", steps: [step]))
        run.receive(sightings)
        return run
    }

    @Test func thePolicyKnowsBothStyleSheets() {
        let digest = Data(SHA256.digest(Array(Handout.style.utf8))).base64EncodedString()
        #expect(Handout.styleHash == "sha256-\(digest)")
        let text = Handout.render(run(), relay: relay, date: "today", version: "0")
        #expect(text.contains(Handout.styleHash) && text.contains("<title>A &amp; B</title>"))
    }

    @Test func standardsAreLinksAndAnswersStandLast() throws {
        let text = Handout.render(run(), relay: relay, date: "today", version: "0")
        #expect(text.contains("href=\"https://www.rfc-editor.org/rfc/rfc5321#section-4.2.1\""))
        let answer = try #require(text.ranges(of: "<strong>b) that</strong>").first)
        let question = try #require(text.ranges(of: "Which?").first)
        #expect(question.lowerBound < answer.lowerBound)
        #expect(!text[..<answer.lowerBound].contains("Since it is."))
    }

    @Test func aHostilePeerIsText() throws {
        let record = try session([
            "S: 220 mx", "C: EHLO <script>alert(1)</script>", "S: 550 \"'><img src=x onerror=y>\u{0}\u{202e}",
        ])
        let text = Handout.render(run([Sighting(session: record)]), relay: relay, date: "today", version: "0")
        #expect(!text.contains("<script") && !text.contains("<img") && !text.contains("\u{202e}"))
        #expect(!text.unicodeScalars.contains("\u{0}"))
        #expect(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(text.contains("class=\"rejected-word\""))
    }
}
