// Shows a lesson on a terminal: words, what was sent and answered, questions. Knows nothing of where it takes place.

import FakeMX
import Faults
import Glibc
import Journal
import Lessons

struct LessonPlayer {
    let place: any LessonPlace
    let isByHand: Bool
    /// Somebody sits there.
    let asks: Bool
    let isSilent: Bool
    let patience_ms: Int

    /// How often the sink is looked at while hands are waited for, and for how long after the sender has sent.
    private static let pace_ms = 200
    private static let settling_ms = 5_000

    private let width = min(Output.width ?? 100, 100)
    private var lesson: Lesson { place.lesson }

    /// - Returns: the run when it has ended.
    func play() async throws -> RunView {
        var run = try await place.look()
        heading(lesson.title, "=")
        paragraphs(lesson.about)
        say("The sink of this lesson listens on \(Self.address(run)).\n")
        for (index, step) in lesson.steps.enumerated() {
            try await play(index, step)
            if asks, index + 1 < lesson.steps.count { pause("Enter: the next step") }
            try await place.advance()
        }
        run = try await place.look()
        say("The lesson is over.")
        return run
    }

    private func play(_ index: Int, _ step: LessonStep) async throws {
        heading("\(index + 1)/\(lesson.steps.count)  \(step.title)", "-")
        paragraphs(step.say)
        let rules = step.rules.map(\.line) + (index == 0 ? lesson.rules.map(\.line) : [])
        if !rules.isEmpty {
            say(rules.map { "  The sink's rule:  \(shown($0))\n" }.joined())
        }
        for question in step.guess { ask(question) }
        if !step.sends.isEmpty {
            let run = try await place.look()
            show(run, step)
            if isByHand { try await waitForHands(index, step) } else { try await letSenderSend(index, step) }
        }
        if let means = step.means {
            say("What it probably means")
            paragraphs(means, indent: "  ")
        }
        if let fails = step.fails {
            say("Where that fails")
            paragraphs(fails, indent: "  ")
        }
        for question in step.questions { ask(question) }
        if !step.read.isEmpty { say("Read: \(shown(step.read.joined(separator: "; ")))\n") }
    }

    // MARK: Sending

    /// How it is done by hand.
    private func show(_ run: RunView, _ step: LessonStep) {
        guard isByHand else { return }
        if let hands = step.hands {
            paragraphs(hands.replacing("{host}", with: run.host).replacing("{port}", with: "\(run.port)"))
        }
        for (send, commands) in zip(step.sends, run.hands) {
            say("By hand\(send.by.map { ", as \(shown($0))" } ?? ""):")
            for command in commands {
                say("  $ \(shown(command.command))")
                for line in command.type { say("      \(shown(line))") }
            }
            say("")
        }
    }

    private func letSenderSend(_ index: Int, _ step: LessonStep) async throws {
        if asks { pause("Enter: send") }
        try await place.send()
        var run = try await place.look()
        var waited_ms = 0
        while !run.steps[index].checks.allSatisfy(\.met), waited_ms < Self.settling_ms {
            try await Task.sleep(for: .milliseconds(Self.pace_ms))
            waited_ms += Self.pace_ms
            run = try await place.look()
        }
        let sessions = run.steps[index].sessions
        for (number, seen) in sessions.enumerated() {
            show(seen, step.sender(of: seen.session, number: number, of: sessions.count), explained: true)
        }
        show(run.steps[index].checks)
        let missing = run.steps[index].checks.filter { !$0.met }
        guard missing.isEmpty else {
            throw ExitStatus.failure(
                "step \(index + 1): the sink did not see: \(missing.map(\.text).joined(separator: "; "))")
        }
    }

    private func waitForHands(_ index: Int, _ step: LessonStep) async throws {
        say("Waiting for the sink to see it …")
        var known: Set<String> = []
        var live: [String: Int] = [:]
        var waited_ms = 0
        while true {
            let run = try await place.look()
            for session in run.live { follow(session, &live, step) }
            let sessions = run.steps[index].sessions
            for (number, seen) in sessions.enumerated() where known.insert(seen.session.id).inserted {
                let send = step.sender(of: seen.session, number: number, of: sessions.count)
                show(seen, send, explained: live[seen.session.id] == nil)
                let missing = run.steps[index].checks.filter { !$0.met }
                if !missing.isEmpty {
                    say("  Not seen yet: \(shown(missing.map(\.text).joined(separator: "; ")))\n")
                }
                waited_ms = 0
            }
            if run.steps[index].checks.allSatisfy(\.met) { return show(run.steps[index].checks) }
            guard waited_ms < patience_ms else {
                throw ExitStatus(
                    code: ExitStatus.timedOut, message: "step \(index + 1): nobody sent what it asks for in time")
            }
            try await Task.sleep(for: .milliseconds(Self.pace_ms))
            waited_ms += Self.pace_ms
        }
    }

    /// Tells the lines of a session that goes on, each with what it is for.
    private func follow(_ session: SessionRecord, _ told: inout [String: Int], _ step: LessonStep) {
        let from = told[session.id] ?? 0
        let explains = step.sends.contains { $0.lines.contains { $0.why != nil } }
        guard explains, session.lines.count > from else { return }
        for line in session.lines[from...] {
            guard line.octets == nil else { continue }
            say("            \(line.who == .client ? "C" : "S"): \(shown(line.text))")
            if line.who == .client, let why = step.sends.lazy.compactMap({ $0.why(of: line.text) }).first {
                explain(why)
            }
        }
        told[session.id] = session.lines.count
    }

    // MARK: Showing

    private func show(_ seen: StepView.SessionView, _ send: Send?, explained: Bool) {
        say("What the sink saw: session \(shown(seen.session.id))\(seen.by.map { ", \(shown($0))" } ?? "")")
        var last: UInt64?
        for line in seen.talk {
            let time = line.at_us == last ? "" : SequenceChart.time(line.at_us)
            let (text, margin) = (shown(line.text), String(repeating: " ", count: max(0, 9 - time.count)) + time)
            last = line.at_us
            switch line.who {
            case .note: say("\(margin)   -- \(text)")
            case .client:
                say("\(margin)   C: \(text)")
                if explained, let send { explain(line, send) }
            case .sink:
                guard let mark = line.mark else {
                    say("\(margin)   S: \(text)")
                    continue
                }
                say(marked("\(margin) > S: \(text)", mark))
                say(marked("              ^^^ \(mark.word)\(line.phase.map { " at \(shown($0))" } ?? "")", mark))
            }
        }
        if !seen.log.isEmpty {
            say("  In the sender's log:")
            for line in seen.log { wrapped(shown(line), first: "    ", rest: "      ") }
        }
        if let findings = seen.findings {
            say(findings.isEmpty ? "  Found against this sender: nothing" : "  Found against this sender:")
            for finding in findings {
                let text = "\(finding.severity.rawValue) \(finding.rule.rawValue): \(finding.what) \(finding.citation)"
                wrapped(shown(text), first: "    ", rest: "      ")
            }
        }
        say("")
    }

    private func explain(_ line: Talk.Line, _ send: Send) {
        if let why = send.why(of: line.text) { return explain(why) }
        // The lines of a message are one line to the sink.
        guard line.text.hasPrefix("(the message, ") else { return }
        for content in send.contentLines {
            say("               \(shown(content.line))")
            if let why = content.why { explain(why) }
        }
    }

    private func explain(_ why: String) { wrapped(shown(why), first: "               | ", rest: "               | ") }

    private func show(_ checks: [StepProgress.Check]) {
        for check in checks { say("  \(check.met ? "seen" : "NOT SEEN"): \(shown(check.text))") }
        say("")
    }

    // MARK: Questions

    private func ask(_ question: Question) {
        paragraphs(question.ask)
        if let reply = question.reply {
            for line in reply.text.split(separator: "\n") { say("    S: \(shown(String(line)))") }
            say("")
        }
        for (index, choice) in question.choices.enumerated() {
            wrapped(shown("\(Question.letter(index))) \(choice)"), first: "  ", rest: "     ")
        }
        let right = "\(Question.letter(question.answer))) \(question.choices[question.answer])"
        if asks {
            say("")
            Output.text("Your answer: ")
            let answer = readLine()?.lowercased().filter { $0.isLetter }
            let isRight = answer == Question.letter(question.answer)
            say(isRight ? "Right: \(shown(right))" : "It is \(shown(right))")
        } else {
            say("  Answer: \(shown(right))")
        }
        paragraphs(question.why, indent: "  ")
    }

    // MARK: Text

    /// Nothing that a terminal would obey.
    private func shown(_ text: String) -> String { Text.shown(text) }

    private func pause(_ what: String) {
        Output.text("[\(what)] ")
        _ = readLine()
    }

    private func say(_ text: String) { if !isSilent { Output.line(text) } }

    private func heading(_ text: String, _ rule: Character) {
        say("\(shown(text))\n\(String(repeating: rule, count: min(width, text.count)))\n")
    }

    private func paragraphs(_ text: String, indent: String = "") {
        for paragraph in Handout.paragraphs(of: text) {
            wrapped(shown(paragraph), first: indent, rest: indent)
            say("")
        }
    }

    private func wrapped(_ text: String, first: String, rest: String) {
        var line = first
        var isEmpty = true
        for word in text.split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > width {
                say(line)
                line = rest
                isEmpty = true
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        say(line)
    }

    /// Not for who asks for no colours (no-color.org).
    private func marked(_ text: String, _ mark: Talk.Mark) -> String {
        guard Output.isTerminal, (Places.environment["NO_COLOR"] ?? "").isEmpty else { return text }
        return "\u{1b}[1;\(mark == .rejected ? 31 : 33)m\(text)\u{1b}[0m"
    }

    private static func address(_ run: RunView) -> String {
        run.host.contains(":") ? "[\(run.host)]:\(run.port)" : "\(run.host):\(run.port)"
    }
}
