// A session as a drawing: the client's line left, the sink's right, time running down, an arrow for each line that was
// said, the refusal as the eye's first stop. SVG inside of an HTML page: classes of its style sheet, none of its own.

import Findings
import Journal

package enum SequenceChart {
    private static let width = 960
    private static let left = 90
    private static let right = 850
    private static let row = 26
    private static let top = 40
    /// Letters that have room between the two lines.
    private static let letters = 100

    /// - Parameter title: what a screen reader calls it.
    package static func svg(_ record: SessionRecord, title: String) -> String {
        let lines = Talk(record).lines
        let height = top + lines.count * row + 16
        var text = "<svg viewBox=\"0 0 \(width) \(height)\" width=\"\(width)\" height=\"\(height)\" role=\"img\" "
        text += "aria-label=\"\(Markup.attribute(Text.shown(summary(record, title))))\">\n"
        text += shade(lines)
        text += "<text x=\"\(left)\" y=\"18\" text-anchor=\"middle\">client</text>"
        text += "<text x=\"\(right)\" y=\"18\" text-anchor=\"middle\">sink</text>\n"
        for x in [left, right] {
            text += "<line class=\"life\" x1=\"\(x)\" y1=\"26\" x2=\"\(x)\" y2=\"\(height - 8)\"/>\n"
        }
        var last: UInt64?
        for (index, line) in lines.enumerated() {
            text += drawn(line, y: top + index * row, isNewTime: line.at_us != last)
            last = line.at_us
        }
        return text + "</svg>\n"
    }

    private static func summary(_ record: SessionRecord, _ title: String) -> String {
        let verdict = record.verdict?.rawValue ?? "no transaction"
        let phase = record.rejected_at.map { " at \($0)" } ?? ""
        return "\(title): session \(record.id), \(verdict)\(phase)"
    }

    /// Behind everything that was said inside TLS.
    private static func shade(_ lines: [Talk.Line]) -> String {
        guard let first = lines.firstIndex(where: \.tls), let last = lines.lastIndex(where: \.tls) else { return "" }
        let (y, height) = (top + first * row - 4, (last - first + 1) * row)
        return "<rect class=\"secret\" x=\"\(left)\" y=\"\(y)\" width=\"\(right - left)\" height=\"\(height)\"/>\n"
    }

    private static func drawn(_ line: Talk.Line, y: Int, isNewTime: Bool) -> String {
        let isCut = line.text.count > letters
        let words = Markup.escaped(Text.shown(isCut ? line.text.prefix(letters - 1) + "…" : line.text))
        var text = ""
        if isNewTime {
            text +=
                "<text class=\"time\" x=\"\(left - 8)\" y=\"\(y + 14)\" text-anchor=\"end\">\(time(line.at_us))</text>"
        }
        guard line.who != .note else {
            return text + "<text class=\"note\" x=\"\((left + right) / 2)\" y=\"\(y + 14)\" text-anchor=\"middle\">"
                + "\(words)</text>\n"
        }
        let kind = line.mark.map(\.rawValue) ?? "said"
        if line.mark != nil {
            text +=
                "<rect class=\"\(kind)-row\" x=\"\(left)\" y=\"\(y)\" width=\"\(right - left)\" height=\"\(row - 4)\"/>"
        }
        let (from, to, tip) = line.who == .client ? (left, right, right - 9) : (right, left, left + 9)
        let at = y + row - 6
        text += "<line class=\"\(kind)-line\" x1=\"\(from)\" y1=\"\(at)\" x2=\"\(to)\" y2=\"\(at)\"/>"
        text += "<path class=\"\(kind)-tip\" d=\"M\(to) \(at)L\(tip) \(at - 4)V\(at + 4)Z\"/>"
        let isClient = line.who == .client
        text += "<text x=\"\(isClient ? left + 10 : right - 10)\" y=\"\(y + 14)\""
        text += isClient ? ">\(words)</text>" : " text-anchor=\"end\">\(words)</text>"
        if let mark = line.mark {
            text += "<text class=\"\(kind)-word\" x=\"\(right + 8)\" y=\"\(y + 10)\">\(mark.word)</text>"
            text += "<text class=\"\(kind)-word\" x=\"\(right + 8)\" y=\"\(y + 22)\">"
            text += "\(Markup.escaped(Text.shown(String((line.phase ?? "").prefix(14)))))</text>"
        }
        return text + "\n"
    }

    package static func time(_ us: UInt64) -> String {
        if us < 1_000_000 { return "\(us / 1000).\(us % 1000 / 100) ms" }
        return "\(us / 1_000_000).\(us % 1_000_000 / 100_000) s"
    }
}
