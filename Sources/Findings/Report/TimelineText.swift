// The attempts of a message, drawn: with letters for a terminal, as SVG for a page. The words are the same in both.

import Journal

package enum TimelineText {
    /// Attempts that are told one by one; the last ones.
    package static let attemptLimit = 12

    /// The line of bars where there is more than one attempt, and below it the attempts that are told. Safe to be
    /// shown; each line ended by LF.
    package static func render(_ timeline: Timeline, columns: Int = 100) -> String {
        var page = TextPage(columns: columns, colours: false)
        add(timeline, to: &page)
        return page.text
    }

    static func add(_ timeline: Timeline, to page: inout TextPage) {
        page.paragraph("\(timeline.state.title): \(timeline.title)", indent: 0, colour(timeline))
        // One attempt has nothing to be compared with.
        if timeline.attempts.count > 1 { page.line("   " + bars(timeline, width: page.columns - 3)) }
        if let left = timeline.leftOut(attemptLimit) { page.line("   \(left)") }
        for attempt in timeline.attempts.suffix(attemptLimit) { page.paragraph(attempt.sentence, indent: 3) }
    }

    private static func colour(_ timeline: Timeline) -> TextPage.Colour {
        switch timeline.state {
        case .delivered: timeline.duplicated ? .red : .green
        case .waiting: .yellow
        case .missing, .givenUp, .failed: .red
        case .abandoned: .dim
        }
    }

    /// `DD-----D--//--AAA`: a letter for the verdict of each attempt, as wide as it lasted.
    static func bars(_ timeline: Timeline, width: Int) -> String {
        var text = ""
        for span in TimelineLayout(timeline.attempts, width: max(1, width), bar: 1, fold: 4).spans {
            switch span.kind {
            case .bar(let index): text += String(repeating: timeline.attempts[index].letter, count: span.width)
            case .gap: text += String(repeating: "-", count: span.width)
            case .fold: text += span.width >= 4 ? "-//-" : String(repeating: "/", count: span.width)
            }
        }
        return text
    }
}

/// The same as SVG inside of an HTML page: classes of its style sheet, no style and no script of its own.
enum TimelineSVG {
    private static let width = 960
    private static let left = 10

    static func render(_ timeline: Timeline) -> String {
        let layout = TimelineLayout(timeline.attempts, width: width - 2 * left, bar: 5, fold: 40)
        var text = "<svg viewBox=\"0 0 \(width) 44\" width=\"\(width)\" height=\"44\" role=\"img\" "
        text += "aria-label=\"\(Markup.attribute("\(timeline.state.title): \(timeline.title)"))\">\n"
        for span in layout.spans {
            let x = left + span.start
            switch span.kind {
            case .bar(let index): text += bar(timeline.attempts[index], x, span.width)
            case .gap: text += line(x, x + span.width, "axis")
            case .fold(let gap_us):
                text += line(x, x + span.width / 2 - 4, "axis") + line(x + span.width / 2 + 4, x + span.width, "axis")
                text +=
                    "<text x=\"\(x + span.width / 2)\" y=\"42\" text-anchor=\"middle\">\(Span.words(gap_us))</text>\n"
                text += "<text x=\"\(x + span.width / 2)\" y=\"20\" text-anchor=\"middle\">//</text>\n"
            }
        }
        return text + "</svg>\n"
    }

    private static func bar(_ attempt: Timeline.Attempt, _ x: Int, _ width: Int) -> String {
        let name =
            switch attempt.verdict {
            case .accepted: "accepted"
            case .rejected: "rejected"
            case .deferred, .lost: "deferred"
            case .abandoned, nil: "other"
            }
        return "<rect class=\"\(name)\" x=\"\(x)\" y=\"4\" width=\"\(max(1, width))\" height=\"24\">"
            + "<title>\(Markup.escaped(attempt.sentence))</title></rect>\n"
    }

    private static func line(_ from: Int, _ to: Int, _ name: String) -> String {
        to > from ? "<line class=\"\(name)\" x1=\"\(from)\" y1=\"16\" x2=\"\(to)\" y2=\"16\"/>\n" : ""
    }
}

// MARK: Words

extension Timeline.State {
    package var title: String {
        switch self {
        case .delivered: "delivered"
        case .failed: "refused for good"
        case .waiting: "waiting for another attempt"
        case .missing: "never came back"
        case .givenUp: "given up early"
        case .abandoned: "abandoned by the client"
        }
    }
}

extension Timeline {
    /// What the message is, how often it was tried and in what time, in one line.
    package var title: String {
        var parts: [String] = []
        if !subject.isEmpty { parts.append("\"\(Excerpt.text(subject))\"") }
        if report { parts.append("a report") }
        parts.append(from.isEmpty ? "from <>" : "from <\(from)>")
        if let first = recipients.first {
            parts.append("to <\(first.address)>" + (recipients.count > 1 ? " and \(recipients.count - 1) more" : ""))
        }
        let attempts = Report.counted(attempts.count + attempts_dropped, "attempt")
        parts.append(
            attempts_dropped > 0 || self.attempts.count > 1 ? "\(attempts) in \(Span.words(length_us))" : attempts)
        if duplicated { parts.append("accepted more than once") }
        return Text.shown(parts.joined(separator: ", "))
    }

    /// From the first attempt that is kept to the end of the last, in the sender's own time.
    var length_us: UInt64 {
        attempts.enumerated().reduce(0) { sum, next in
            let gap_us = next.offset > 0 ? next.element.gap_us ?? 0 : 0
            return Self.sum(sum, Self.sum(gap_us, next.element.duration_us))
        }
    }

    private static func sum(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let (sum, overflow) = one.addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    /// Attempts in front of the last ones; nil where there are none.
    func leftOut(_ limit: Int) -> String? {
        let count = max(0, attempts.count - limit) + attempts_dropped
        return count > 0 ? "(\(Report.counted(count, "attempt")) before these)" : nil
    }

    /// What asks for attention first.
    var rank: Int {
        switch state {
        case .missing: 0
        case .givenUp: 1
        case _ where duplicated: 2
        case .waiting: 3
        case .failed: 4
        case .abandoned: 5
        case .delivered: retried ? 6 : 7
        }
    }
}

extension Timeline.Attempt {
    /// The verdict in one letter.
    var letter: String {
        switch verdict {
        case .accepted: "A"
        case .rejected: "R"
        case .deferred: "D"
        case .lost: "L"
        case .abandoned: "x"
        case nil: "?"
        }
    }

    /// `D  5 min later: deferred at rcpt with 451, session s2 from 192.0.2.9 to smtp, (a reply was late)`
    var sentence: String {
        var text = "\(letter)  "
        if let gap_us { text += "\(Span.words(gap_us)) later: " }
        text += verdict?.rawValue ?? "no transaction"
        if let phase, verdict != .accepted { text += " at \(phase)" }
        if code > 0 { text += " with \(code)" }
        text += ", session \(session) from \(client) to \(server)"
        if !disturbances.isEmpty { text += " (\(disturbances))" }
        return Text.shown(text)
    }
}
