// A session as a learner reads it: what was said, in order, with the refusals marked at their phases, and what the sink
// did beside speaking.

import Journal

package struct Talk: Sendable, Hashable {
    package enum Mark: String, Sendable, Hashable, Codable {
        case rejected, deferred

        /// In capitals: it must be seen.
        package var word: String { rawValue.uppercased() }
    }

    package enum Speaker: String, Sendable, Hashable, Codable {
        case client, sink
        /// Nobody: something happened.
        case note
    }

    package struct Line: Sendable, Hashable, Codable {
        package var at_us: UInt64
        package var who: Speaker
        /// As it came.
        package var text: String
        package var tls: Bool
        package var mark: Mark?
        /// Of a reply: what it answered.
        package var phase: String?
    }

    package private(set) var lines: [Line] = []
    /// The first refusal of all.
    package var refusal: Line? { lines.first { $0.mark != nil } }

    /// Replies of more lines are folded to two.
    package static let unfolded = 4

    package init(_ record: SessionRecord) {
        var asked = ["greeting"]
        var reply: [LineRecord] = []
        var isTLS = false
        var notes = Self.notes(record)
        func tell(before at_us: UInt64) {
            while let note = notes.first, note.at_us < at_us { lines.append(notes.removeFirst()) }
        }
        for line in record.lines {
            tell(before: line.at_us)
            if line.tls, !isTLS {
                isTLS = true
                let version = record.tls.map { "\($0.version), \($0.cipher)" } ?? "TLS"
                lines.append(Line(at_us: line.at_us, who: .note, text: "TLS begins: \(version)", tls: true))
            }
            guard line.who == .sink else {
                asked.append(Self.phase(of: line))
                let text = line.octets.map { "(the message, \($0) octets)" } ?? line.text
                lines.append(Line(at_us: line.at_us, who: .client, text: text, tls: line.tls))
                continue
            }
            reply.append(line)
            // RFC 5321 §4.2.1: the last line of a reply has no hyphen behind its code.
            if line.text.dropFirst(3).first == "-" { continue }
            let phase = asked.isEmpty ? nil : asked.removeFirst()
            lines += Self.folded(reply, phase)
            reply = []
        }
        lines += Self.folded(reply, asked.first)
        tell(before: .max)
        // Whoever talks before it is spoken to is answered later than it spoke.
        lines = lines.enumerated().sorted { ($0.element.at_us, $0.offset) < ($1.element.at_us, $1.offset) }
            .map(\.element)
        for notice in record.notices {
            lines.append(Line(at_us: record.duration_us, who: .note, text: notice, tls: false))
        }
        if let failure = record.tls_failure {
            lines.append(Line(at_us: record.duration_us, who: .note, text: "TLS failed: \(failure)", tls: false))
        }
        lines.append(Line(at_us: record.duration_us, who: .note, text: Self.ending(record), tls: false))
    }

    private static func folded(_ reply: [LineRecord], _ phase: String?) -> [Line] {
        guard let first = reply.first else { return [] }
        let mark: Mark? = first.text.hasPrefix("5") ? .rejected : first.text.hasPrefix("4") ? .deferred : nil
        func line(_ text: String, _ mark: Mark? = nil) -> Line {
            Line(at_us: first.at_us, who: .sink, text: text, tls: first.tls, mark: mark, phase: phase)
        }
        guard mark == nil, reply.count > unfolded else {
            return reply.enumerated().map { line($0.element.text, $0.offset == 0 ? mark : nil) }
        }
        let words = reply.dropFirst().map { String($0.text.dropFirst(4)) }
        return [
            line(first.text), line("\(first.text.prefix(3)) (\(words.count) lines) \(words.joined(separator: ", "))"),
        ]
    }

    private static func phase(of line: LineRecord) -> String {
        if line.octets != nil { return "end-of-data" }
        let verb = String(line.text.prefix { $0 != " " && $0 != ":" }).lowercased()
        switch verb {
        case "helo": return "ehlo"
        case "bdat": return "end-of-data"
        default: return verb
        }
    }

    /// What rules did without a word.
    private static func notes(_ record: SessionRecord) -> [Line] {
        record.faults.compactMap { fault in
            let speaks = fault.script.contains { $0.first?.isNumber ?? false || $0.hasPrefix("use ") }
            guard !speaks, fault.script != ["accept"] else { return nil }
            return Line(
                at_us: fault.at_us, who: .note, text: "at \(fault.phase) the sink does: \(fault.action)", tls: false)
        }
    }

    private static func ending(_ record: SessionRecord) -> String {
        switch record.ended_by {
        case .quit: "ended by QUIT"
        case .clientClose: "the client closed the connection without QUIT"
        case .clientReset: "the client reset the connection"
        case .timeout: "the sink waited too long and closed"
        case .sinkClose: "the sink closed the connection"
        case .sinkReset: "the sink reset the connection"
        case .shutdown: "the sink was stopped"
        case nil: "the session is open"
        }
    }
}
