// A session as a drawing: the client's line left, the sink's right, time running down, an arrow for each line that was
// said, the refusal as the eye's first stop. SVG inside of an HTML page: classes of its style sheet, none of its own.

import Findings
import Journal

package enum SequenceChart {
    private static let width = 960
    private static let left = 90
    private static let right = 850
    /// Of a line of text.
    private static let row = 16
    /// Of an arrow, below its text.
    private static let arrow = 10
    private static let top = 40
    /// Letters that have room between the two lines.
    private static let letters = 100
    /// Rows of one line that was said; the rest is counted.
    private static let mostRows = 8

    /// What one arrow carries: a line of the client, a reply with all of its lines, or a note.
    private struct Step {
        var line: Talk.Line
        var rows: [String]
        var y = 0

        var height: Int { rows.count * row + arrow }
    }

    /// - Parameter title: what a screen reader calls it.
    package static func svg(_ record: SessionRecord, title: String) -> String {
        let steps = steps(Talk(record).lines)
        let height = (steps.last.map { $0.y + $0.height } ?? top) + 16
        var text = "<svg viewBox=\"0 0 \(width) \(height)\" width=\"\(width)\" height=\"\(height)\" role=\"img\" "
        text += "aria-label=\"\(Markup.attribute(Text.shown(summary(record, title))))\">\n"
        text += shade(steps)
        text += "<text x=\"\(left)\" y=\"18\" text-anchor=\"middle\">client</text>"
        text += "<text x=\"\(right)\" y=\"18\" text-anchor=\"middle\">sink</text>\n"
        for x in [left, right] {
            text += "<line class=\"life\" x1=\"\(x)\" y1=\"26\" x2=\"\(x)\" y2=\"\(height - 8)\"/>\n"
        }
        var last: UInt64?
        for step in steps {
            text += drawn(step, isNewTime: step.line.at_us != last)
            last = step.line.at_us
        }
        return text + "</svg>\n"
    }

    /// The lines of a reply stand above one arrow: RFC 5321 §4.2.1 has a hyphen behind the code of all but the last.
    private static func steps(_ lines: [Talk.Line]) -> [Step] {
        var steps: [Step] = []
        var goesOn = false
        for line in lines {
            let rows = wrapped(Text.shown(line.text))
            if goesOn, line.who == .sink, let last = steps.indices.last {
                steps[last].rows += rows
            } else {
                steps.append(Step(line: line, rows: rows))
            }
            goesOn = line.who == .sink && line.text.dropFirst(3).first == "-"
        }
        var y = top
        for index in steps.indices {
            steps[index].y = y
            y += steps[index].height
        }
        return steps
    }

    /// Breaks at a space where there is one in the second half of a row.
    private static func wrapped(_ text: String) -> [String] {
        var rows: [String] = []
        var rest = text[...]
        while rest.count > letters {
            guard rows.count < mostRows - 1 else { return rows + ["… (+\(rest.count) characters)"] }
            let room = rest.prefix(letters)
            let end = room.dropFirst(letters / 2).lastIndex(of: " ").map(room.index(after:)) ?? room.endIndex
            rows.append(String(rest[..<end]))
            rest = rest[end...]
        }
        return rows + [String(rest)]
    }

    private static func summary(_ record: SessionRecord, _ title: String) -> String {
        let verdict = record.verdict?.rawValue ?? "no transaction"
        let phase = record.rejected_at.map { " at \($0)" } ?? ""
        return "\(title): session \(record.id), \(verdict)\(phase)"
    }

    /// Behind everything that was said inside TLS.
    private static func shade(_ steps: [Step]) -> String {
        guard let first = steps.first(where: \.line.tls), let last = steps.last(where: \.line.tls) else { return "" }
        let height = last.y + last.height - first.y
        return "<rect class=\"secret\" x=\"\(left)\" y=\"\(first.y - 4)\" width=\"\(right - left)\" "
            + "height=\"\(height)\"/>\n"
    }

    private static func drawn(_ step: Step, isNewTime: Bool) -> String {
        let (line, y) = (step.line, step.y)
        var text = ""
        if isNewTime {
            text +=
                "<text class=\"time\" x=\"\(left - 8)\" y=\"\(y + 14)\" text-anchor=\"end\">\(time(line.at_us))</text>"
        }
        guard line.who != .note else {
            return text + written(step, x: (left + right) / 2, anchor: "middle", class: "note") + "\n"
        }
        let kind = line.mark.map(\.rawValue) ?? "said"
        if line.mark != nil {
            text +=
                "<rect class=\"\(kind)-row\" x=\"\(left)\" y=\"\(y)\" width=\"\(right - left)\" "
                + "height=\"\(step.height - 4)\"/>"
        }
        let (from, to, tip) = line.who == .client ? (left, right, right - 9) : (right, left, left + 9)
        let at = y + step.height - 6
        text += "<line class=\"\(kind)-line\" x1=\"\(from)\" y1=\"\(at)\" x2=\"\(to)\" y2=\"\(at)\"/>"
        text += "<path class=\"\(kind)-tip\" d=\"M\(to) \(at)L\(tip) \(at - 4)V\(at + 4)Z\"/>"
        text +=
            line.who == .client
            ? written(step, x: left + 10, anchor: "start") : written(step, x: right - 10, anchor: "end")
        if let mark = line.mark {
            text += "<text class=\"\(kind)-word\" x=\"\(right + 8)\" y=\"\(y + 10)\">\(mark.word)</text>"
            text += "<text class=\"\(kind)-word\" x=\"\(right + 8)\" y=\"\(y + 22)\">"
            text += "\(Markup.escaped(Text.shown(String((line.phase ?? "").prefix(14)))))</text>"
        }
        return text + "\n"
    }

    private static func written(_ step: Step, x: Int, anchor: String, class name: String? = nil) -> String {
        let attribute = name.map { " class=\"\($0)\"" } ?? ""
        return step.rows.enumerated().map { index, words in
            "<text\(attribute) x=\"\(x)\" y=\"\(step.y + 14 + index * row)\" text-anchor=\"\(anchor)\">"
                + "\(Markup.escaped(words))</text>"
        }.joined()
    }

    package static func time(_ us: UInt64) -> String {
        if us < 1_000_000 { return "\(us / 1000).\(us % 1000 / 100) ms" }
        return "\(us / 1_000_000).\(us % 1_000_000 / 100_000) s"
    }
}
