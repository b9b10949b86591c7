// A lesson that was taken, as one HTML file that needs nothing else: no script, no image, no font, no request. Its
// policy (CSP) allows the two style sheets by their hashes. Everything that a peer sent is text. The answers stand
// last, on a page of their own, so that a class can have the rest.

import Findings
import Journal

package struct Handout: Sendable {
    /// Of content: nothing is loaded, run or sent.
    package static let policy =
        "default-src 'none'; style-src '\(HTMLReport.styleHash)' '\(styleHash)'; base-uri 'none'; form-action 'none'"

    private let lesson: Lesson
    private let steps: [StepProgress]
    private let relay: SenderLog.Relay
    private let date: String
    private let version: String
    /// Of all steps, numbered from 1.
    private var questions: [Question] = []
    /// What was to be typed, and in which step that was shown.
    private var typed: [[String]: Int] = [:]

    /// - Parameters:
    ///   - run: as far as it came.
    ///   - relay: where the sink was.
    ///   - date: as in a Date field.
    package static func render(_ run: LessonRun, relay: SenderLog.Relay, date: String, version: String) -> String {
        var handout = Handout(
            lesson: run.lesson, steps: run.steps, relay: relay, date: date, version: version)
        return handout.text()
    }

    private init(lesson: Lesson, steps: [StepProgress], relay: SenderLog.Relay, date: String, version: String) {
        self.lesson = lesson
        self.steps = steps
        self.relay = relay
        self.date = date
        self.version = version
    }

    private mutating func text() -> String {
        var text = head()
        text += "<header>\n<h1>\(escaped(lesson.title))</h1>\n\(paragraphs(lesson.about))"
        if let minutes = lesson.minutes { text += "<p>About \(minutes) minutes.</p>\n" }
        text += "</header>\n<main>\n"
        if !lesson.rules.isEmpty {
            text += "<p>The sink's rules in all steps:</p>\n\(block(lesson.rules.map(\.line), "rules of the lesson"))"
        }
        for (index, step) in lesson.steps.enumerated() { text += section(index, step) }
        text += answers()
        text += "</main>\n<footer><p>fakemx \(escaped(version)), \(escaped(date))</p></footer>\n</body>\n</html>\n"
        return text
    }

    private func head() -> String {
        HTMLReport.head(title: lesson.title, policy: Self.policy, styles: [HTMLReport.style, Self.style])
    }

    // MARK: Steps

    private mutating func section(_ index: Int, _ step: LessonStep) -> String {
        var text = "<section class=\"step\" aria-labelledby=\"step-\(index + 1)\">\n"
        text += "<h2 id=\"step-\(index + 1)\">\(index + 1). \(escaped(step.title))</h2>\n\(paragraphs(step.say))"
        if !step.rules.isEmpty {
            text +=
                "<p>The sink's rules in this step:</p>\n\(block(step.rules.map(\.line), "rules of step \(index + 1)"))"
        }
        text += asked(step.guess)
        for send in step.sends { text += byHand(send, index, step) }
        text += seen(index, step)
        if let means = step.means {
            text += "<div class=\"means\">\n<h3>What it probably means</h3>\n\(paragraphs(means))</div>\n"
        }
        if let fails = step.fails {
            text += "<div class=\"fails\">\n<h3>Where that fails</h3>\n\(paragraphs(fails))</div>\n"
        }
        text += asked(step.questions)
        if !step.read.isEmpty {
            text += "<p class=\"read\">Read: \(step.read.map(citation).joined(separator: "; "))</p>\n"
        }
        return text + "</section>\n"
    }

    /// The lines as they are explained, and the commands.
    private mutating func byHand(_ send: Send, _ index: Int, _ step: LessonStep) -> String {
        let title = send.by.map { "By hand, as \($0)" } ?? "By hand"
        var text = "<h3>\(escaped(title))</h3>\n"
        if let hands = step.hands {
            let filled = hands.replacing("{host}", with: relay.host).replacing("{port}", with: "\(relay.port)")
            text += paragraphs(filled)
        }
        let commands = Hands.commands(send, host: relay.host, port: relay.port, date: date, id: "id@\(send.helo)")
        for command in commands {
            let explained = send.lines.contains { $0.why != nil }
            let earlier = typed[command.type]
            let isRepeated = earlier != nil || explained && command.tool == "nc"
            text += block(["$ " + command.command] + (isRepeated ? [] : command.type), "with \(command.tool)")
            if !command.type.isEmpty { typed[command.type] = earlier ?? index }
            if let earlier, !command.type.isEmpty {
                text += "<p>Then the lines of step \(earlier + 1).</p>\n"
                continue
            }
            guard explained, command.tool == "nc" else { continue }
            text += "<div class=\"wide\">\n<table>\n<caption>Then type</caption>\n<tbody>\n"
            for line in send.filled(date: date, id: "id@\(send.helo)").lines {
                let code = line.line.isEmpty ? "(an empty line)" : "<code>\(escaped(line.line))</code>"
                text += "<tr><th scope=\"row\">\(code)</th><td class=\"why\">\(escaped(line.why ?? ""))</td></tr>\n"
            }
            text += "</tbody>\n</table>\n</div>\n"
        }
        return text
    }

    private func seen(_ index: Int, _ step: LessonStep) -> String {
        guard steps.indices.contains(index) else { return "" }
        let progress = steps[index]
        var text = ""
        for (number, sighting) in progress.sightings.enumerated() {
            let session = sighting.session
            let send = step.sender(of: session, number: number, of: progress.sightings.count)
            let who = send?.by.map { " (\($0))" } ?? ""
            text +=
                "<figure>\n<figcaption>What the sink saw: session \(escaped(session.id))\(escaped(who))</figcaption>\n"
            text += "<div class=\"wide\">\(SequenceChart.svg(session, title: step.title))</div>\n</figure>\n"
            let log = SenderLog.lines(session, send, relay)
            if !log.isEmpty {
                text +=
                    "<h4>What a sender's log says</h4>\n<div class=\"log\">\(block(log, "log of the sender"))</div>\n"
            }
            if step.showsFindings { text += found(sighting.findings) }
        }
        guard !progress.checks.isEmpty else { return text }
        text += "<h4>What the sink had to see</h4>\n<ul>\n"
        for check in progress.checks {
            let word = check.met ? "<span class=\"yes\">seen</span>" : "<span class=\"no\">not seen</span>"
            text += "<li>\(word): <code>\(escaped(check.text))</code></li>\n"
        }
        return text + "</ul>\n"
    }

    private func found(_ findings: [Finding]) -> String {
        guard !findings.isEmpty else { return "<p>Nothing is found against this sender.</p>\n" }
        var text = "<h4>What is found against this sender</h4>\n<ul>\n"
        for finding in findings {
            text += "<li><span class=\"severity \(finding.severity.rawValue)\">\(finding.severity.rawValue)</span> "
            text +=
                "<code>\(finding.rule.rawValue)</code>: \(escaped(finding.what)) \(citation(finding.citation))</li>\n"
        }
        return text + "</ul>\n"
    }

    // MARK: Questions

    private mutating func asked(_ questions: [Question]) -> String {
        questions.map { question in
            self.questions.append(question)
            let number = self.questions.count
            var text = "<h3 id=\"question-\(number)\">Question \(number)</h3>\n\(paragraphs(question.ask))"
            if let reply = question.reply {
                text += block(reply.text.split(separator: "\n").map(String.init), "a reply of \(reply.provider)")
            }
            text += "<ol class=\"letters\">\n"
            for choice in question.choices { text += "<li>\(escaped(choice))</li>\n" }
            return text + "</ol>\n"
        }.joined()
    }

    private func answers() -> String {
        guard !questions.isEmpty else { return "" }
        var text = "<section class=\"answers\" aria-labelledby=\"answers\">\n<h2 id=\"answers\">Answers</h2>\n"
        text += "<ol class=\"plain\">\n"
        for question in questions {
            let letter = Question.letter(question.answer)
            let choice = question.choices.indices.contains(question.answer) ? question.choices[question.answer] : ""
            text += "<li><strong>\(letter)) \(escaped(choice))</strong>\n\(paragraphs(question.why))"
            if let reply = question.reply {
                text += "<p class=\"read\">\(escaped(reply.provider)): <code>\(escaped(reply.name))</code></p>\n"
            }
            text += "</li>\n"
        }
        return text + "</ol>\n</section>\n"
    }

    // MARK: Markup

    private func escaped(_ text: String) -> String { Markup.escaped(Text.shown(text)) }

    /// Empty lines stand between them.
    private func paragraphs(_ text: String) -> String {
        Self.paragraphs(of: text).map { "<p>\(citation($0))</p>\n" }.joined()
    }

    package static func paragraphs(of text: String) -> [String] {
        var paragraphs: [[Substring]] = [[]]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.allSatisfy({ $0 == " " }) {
                paragraphs.append([])
            } else {
                paragraphs[paragraphs.count - 1].append(line)
            }
        }
        return paragraphs.filter { !$0.isEmpty }.map { $0.joined(separator: " ") }
    }

    /// Text with its standards as links.
    private func citation(_ text: String) -> String {
        Citation.pieces(text).map { piece in
            guard let link = piece.link else { return escaped(piece.text) }
            return "<a rel=\"noopener noreferrer\" href=\"\(Markup.attribute(link))\">\(escaped(piece.text))</a>"
        }.joined()
    }

    private func block(_ lines: [String], _ name: String) -> String {
        let text = lines.map(escaped).joined(separator: "\n")
        return
            "<pre tabindex=\"0\" role=\"group\" aria-label=\"\(Markup.attribute(Text.shown(name)))\">\(text)\n</pre>\n"
    }
}
