// The report for a terminal. Its first screen holds the verdict and what to mend first, with the line of the transcript
// that shows it. Nothing a peer sent reaches the terminal unescaped.

import Journal

package enum TextReport {
    /// Narrower pages than this are not made.
    package static let leastColumns = 60
    /// Senders that are shown point by point.
    package static let senderLimit = 5
    /// Messages that are drawn.
    package static let timelineLimit = 10

    /// - Parameters:
    ///   - columns: characters of a line, at most; only a long word or a marked place goes beyond.
    ///   - colours: ANSI colours, for a terminal only.
    package static func render(_ report: Report, columns: Int = 100, colours: Bool = false) -> String {
        var page = TextPage(columns: max(leastColumns, columns), colours: colours)
        page.paragraph(report.verdict, indent: 0, report.broken.isEmpty ? .green : .bold)
        page.paragraph(report.scope, indent: 0, .dim)
        if let lag = report.lagSentence { page.paragraph(lag, indent: 0, .yellow) }
        for (index, rule) in report.broken.enumerated() { add(rule, index + 1, to: &page) }
        addSenders(report, to: &page)
        addTimelines(report, to: &page)
        addRules(report, to: &page)
        return page.text
    }

    // MARK: Broken rules

    private static func add(_ rule: BrokenRule, _ number: Int, to page: inout TextPage) {
        page.line("")
        page.line(
            page.painted("\(number). \(rule.severity.rawValue.uppercased())", colour(rule.severity)) + "  "
                + page.painted(rule.rule.rawValue, .bold) + "  \(rule.frequency)")
        page.paragraph(Text.shown(rule.what), indent: 3)
        let seen = rule.needsWords ? ": \(Text.shown(rule.saw))" : ""
        page.paragraph("\(rule.place)\(seen)", indent: 3, .dim)
        if let passage = rule.passage { page.add(passage) }
        page.paragraph("Fix: \(Text.shown(rule.fix))", indent: 3)
        page.paragraph("Why: \(Text.shown(rule.why))", indent: 3)
        if let reason = rule.reason {
            page.paragraph("Counted as \(rule.severity.rawValue): \(Text.shown(reason))", indent: 3)
        }
        page.paragraph("See \(Text.shown(rule.citation))", indent: 3, .dim)
        if rule.session_count > 1 { page.paragraph("Sessions: \(rule.sessionList)", indent: 3, .dim) }
    }

    private static func colour(_ severity: Severity) -> TextPage.Colour {
        switch severity {
        case .must: .red
        case .should: .yellow
        case .reputation: .magenta
        case .info: .cyan
        }
    }

    // MARK: Senders

    private static func addSenders(_ report: Report, to page: inout TextPage) {
        for sender in report.senders.prefix(senderLimit) {
            page.line("")
            page.paragraph("Server or bot: \(sender.title)", indent: 0, .bold)
            for point in sender.bot_check { add(point, to: &page) }
        }
        let others = report.senders.count + report.senders_omitted - senderLimit
        if others > 0 { page.line("\(Report.counted(others, "more sender")): see the JSON form of this report.") }
    }

    private static func add(_ point: BotPoint, to page: inout TextPage) {
        let (word, colour): (String, TextPage.Colour) =
            switch point.state {
            case .broken: ("broken      ", .red)
            case .kept: ("kept        ", .green)
            case .notObserved: ("not observed", .dim)
            }
        page.line("  \(page.painted(word, colour))  \(point.question.title)")
        page.paragraph(point.evidence, indent: 18, point.state == .broken ? .plain : .dim)
    }

    // MARK: Messages

    private static func addTimelines(_ report: Report, to page: inout TextPage) {
        guard !report.timelines.isEmpty else { return }
        page.line("")
        page.line("Messages and their attempts", .bold)
        for timeline in report.timelines.prefix(timelineLimit) { TimelineText.add(timeline, to: &page) }
        let others = report.timelines.count + report.timelines_omitted - timelineLimit
        if others > 0 { page.line("\(Report.counted(others, "more message")).") }
    }

    // MARK: Rules

    private static func addRules(_ report: Report, to page: inout TextPage) {
        page.line("")
        page.line("Rules: \(report.counts)", .bold)
        for rule in report.excused { page.paragraph("\(rule.rule.rawValue) \(rule.sentence)", indent: 2) }
        for kind in UnjudgedRule.Kind.inOrder {
            let rules = report.not_judged.filter { $0.kind == kind }
            guard !rules.isEmpty else { continue }
            page.line("  \(kind.title): \(Report.counted(rules.count, "rule"))")
            guard kind == .off else { continue }
            for rule in rules { page.paragraph("\(rule.rule.rawValue): \(Text.shown(rule.because))", indent: 4) }
        }
    }
}

/// Lines of text for a terminal.
struct TextPage {
    enum Colour: String {
        case plain = ""
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case magenta = "35"
        case cyan = "36"
        case inverse = "7"
    }

    let columns: Int
    let colours: Bool
    private(set) var text = ""

    init(columns: Int, colours: Bool) {
        self.columns = columns
        self.colours = colours
    }

    func painted(_ text: String, _ colour: Colour) -> String {
        colours && colour != .plain && !text.isEmpty ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }

    mutating func line(_ line: String, _ colour: Colour = .plain) { text += painted(line, colour) + "\n" }

    /// Words, broken into lines that begin in one column.
    mutating func paragraph(_ words: String, indent: Int, _ colour: Colour = .plain) {
        let margin = String(repeating: " ", count: indent)
        var current = ""
        var count = 0
        for word in words.split(separator: " ", omittingEmptySubsequences: true) {
            if count > 0, indent + count + 1 + word.count > columns {
                line(margin + painted(current, colour))
                (current, count) = ("", 0)
            }
            current += (count > 0 ? " " : "") + word
            count += (count > 0 ? 1 : 0) + word.count
        }
        if count > 0 { line(margin + painted(current, colour)) }
    }

    /// The lines of a passage, with `>` in front of the one that is meant and `^` under the place in it.
    mutating func add(_ passage: Passage) {
        let digits = String(passage.lines.last?.number ?? 0).count
        for line in passage.lines {
            let number = String(line.number)
            let padding = String(repeating: " ", count: digits - min(digits, number.count))
            let speaker = line.speaker.isEmpty ? "" : line.speaker + " "
            let front = "   \(line.is_marked ? ">" : " ") \(padding)\(number) \(speaker)"
            let (before, marked, after) = fitted(line.parts, columns - front.count)
            guard line.is_marked else {
                self.line(painted(front + before + marked + after, .dim))
                continue
            }
            self.line(front + before + painted(marked, .inverse) + after)
            if !marked.isEmpty, !colours {
                let caret = String(repeating: "^", count: marked.count)
                self.line(String(repeating: " ", count: front.count + before.count) + caret)
            }
        }
    }

    /// Cut so that the marked part stays.
    private func fitted(_ parts: (before: String, marked: String, after: String), _ room: Int) -> (
        String, String, String
    ) {
        guard parts.before.count + parts.marked.count + parts.after.count > room else { return parts }
        guard !parts.marked.isEmpty else { return (Self.head(parts.before, room), "", "") }
        let marked = Self.head(parts.marked, max(1, room - 4))
        let beforeRoom = max(2, min(parts.before.count, (room - marked.count) / 2))
        let before = Self.tail(parts.before, beforeRoom)
        return (before, marked, Self.head(parts.after, max(0, room - marked.count - before.count)))
    }

    private static func head(_ text: String, _ room: Int) -> String {
        text.count <= room ? text : room < 1 ? "" : text.prefix(room - 1) + "…"
    }

    private static func tail(_ text: String, _ room: Int) -> String {
        text.count <= room ? text : room < 1 ? "" : "…" + text.suffix(room - 1)
    }
}
