// The lines around a place that evidence points at, with the place marked: of a session's transcript, or of a message.
// Bounded, whatever a peer sent: few lines, each cut around its mark.

import Journal

package struct Passage: Sendable, Hashable, Codable {
    package struct Line: Sendable, Hashable, Codable {
        /// From 1: of the transcript, or of the message.
        package var number: Int
        /// nil in a message, and where the client left: nothing was said there.
        package var who: Party?
        package var at_us: UInt64?
        /// As it came, UTF-8 with U+FFFD where it was none; cut with `…`. Empty for message content in a transcript.
        package var text: String
        /// Message content in a transcript: how many octets.
        package var octets: Int?
        package var is_marked: Bool
        /// Octets of `text` that are meant; nil for all of them.
        package var mark: Range<Int>?
    }

    /// The transcript of this session, or the message of that id.
    package var session: String
    package var message: String?
    package var lines: [Line]

    package static let linesBefore = 2
    package static let linesAfter = 1
    /// Octets of a line that are shown.
    package static let octetLimit = 160

    /// - Returns: nil where the evidence names no line of the transcript, or the record may have another line there.
    package static func transcript(_ record: SessionRecord, _ evidence: Evidence) -> Passage? {
        guard let line = evidence.line, line >= 1, line <= record.lines.count else { return nil }
        // Lines that were not kept may stand in front of it: then only the time can say that it is the same line.
        if record.events_dropped > 0, evidence.at_us != record.lines[line - 1].at_us { return nil }
        let from = max(0, line - 1 - linesBefore)
        let to = min(record.lines.count, line + linesAfter)
        let departure = departure(record, evidence)
        var lines = (from..<to).map { index -> Line in
            let isMarked = index == line - 1 && departure == nil
            let isContent = record.lines[index].octets != nil
            let range = isMarked && !isContent ? evidence.range : nil
            let window = Window(Array(record.lines[index].text.utf8)[...], range)
            return Line(
                number: index + 1, who: record.lines[index].who, at_us: record.lines[index].at_us, text: window.text,
                octets: record.lines[index].octets, is_marked: isMarked, mark: window.mark)
        }
        if let departure { lines.append(departure) }
        return Passage(session: record.id, message: nil, lines: lines)
    }

    /// A line of its own for evidence that lies behind all that was said: the client left. What it left unfinished is
    /// said in the moment in which it leaves, and is evidence itself.
    private static func departure(_ record: SessionRecord, _ evidence: Evidence) -> Line? {
        guard evidence.line == record.lines.count, evidence.at_us == record.duration_us,
            let last = record.lines.last, last.at_us < record.duration_us,
            record.ended_by == .clientClose || record.ended_by == .clientReset
        else { return nil }
        return Line(
            number: record.lines.count + 1, who: nil, at_us: record.duration_us,
            text: record.ended_by == .clientReset ? "(the client reset the connection)" : "(the client closed)",
            is_marked: true)
    }

    /// - Returns: nil where the evidence names no octets of the message, or they are not in it.
    package static func message(_ content: [UInt8], session: String, _ evidence: Evidence) -> Passage? {
        guard let range = evidence.range, range.lowerBound <= content.count else { return nil }
        let starts = lineStarts(content, around: range.lowerBound)
        let lines = starts.offsets.enumerated().map { index, start -> Line in
            let end = lineEnd(content, start)
            let isMarked = range.lowerBound >= start && (range.lowerBound < end || end == content.count)
            // The line end is shown only where it is what is meant.
            var shown = end
            if !(isMarked && range.upperBound > start && range.upperBound <= end && touchesEnd(content, range, end)) {
                while shown > start, content[shown - 1] == 10 || content[shown - 1] == 13 { shown -= 1 }
            }
            let clamped = range.clamped(to: start..<shown)
            let mark = isMarked && !clamped.isEmpty ? clamped.lowerBound - start..<clamped.upperBound - start : nil
            let window = Window(content[start..<shown], mark)
            return Line(
                number: starts.first + index, who: nil, at_us: nil, text: window.text, octets: nil, is_marked: isMarked,
                mark: window.mark)
        }
        return Passage(session: session, message: evidence.message, lines: lines)
    }

    /// The octets that are meant belong to the end of the line.
    private static func touchesEnd(_ content: [UInt8], _ range: Range<Int>, _ end: Int) -> Bool {
        guard range.upperBound > 0, range.upperBound <= content.count else { return false }
        return content[range.upperBound - 1] == 10 || content[range.upperBound - 1] == 13
    }

    /// Where the lines around an octet begin, and the number of the first of them.
    private static func lineStarts(_ content: [UInt8], around offset: Int) -> (first: Int, offsets: [Int]) {
        // The starts of the last lines in front of the octet, in a ring that holds one more than is shown.
        var ring = [Int](repeating: 0, count: linesBefore + 2)
        var count = 1
        content.withUnsafeBufferPointer { octets in
            for index in 0..<min(offset, octets.count) where octets[index] == 10 {
                ring[count % ring.count] = index + 1
                count += 1
            }
        }
        // A line feed that ends the content begins no line.
        if count > 1, ring[(count - 1) % ring.count] == content.count { count -= 1 }
        let kept = min(count, linesBefore + 1)
        var offsets = (count - kept..<count).map { ring[$0 % ring.count] }
        for _ in 0..<linesAfter {
            let next = lineEnd(content, offsets.last ?? 0)
            if next < content.count { offsets.append(next) }
        }
        return (count - kept + 1, offsets)
    }

    /// Behind the LF that ends the line; lines are cut where they are longer than anybody reads.
    private static func lineEnd(_ content: [UInt8], _ start: Int) -> Int {
        content.withUnsafeBufferPointer { octets in
            var index = start
            while index < octets.count {
                index += 1
                if octets[index - 1] == 10 { return index }
            }
            return index
        }
    }
}

extension Passage.Line {
    /// In front of what is meant, what is meant, and behind it: fit to be shown. Without a mark, all of it is in front.
    var parts: (before: String, marked: String, after: String) {
        if let octets { return ("[message, \(octets) octets]", "", "") }
        guard let mark else { return (Text.shown(text), "", "") }
        let octets = Array(text.utf8)
        let mine = mark.clamped(to: 0..<octets.count)
        return (
            Text.shown(Text.lossy(octets[..<mine.lowerBound])), Text.shown(Text.lossy(octets[mine])),
            Text.shown(Text.lossy(octets[mine.upperBound...]))
        )
    }

    /// `C`, `S`, or nothing in a message.
    var speaker: String {
        switch who {
        case .client: "C"
        case .sink: "S"
        case nil: ""
        }
    }
}

/// A line as text, cut around its mark.
private struct Window {
    var text: String
    var mark: Range<Int>?

    private static let before = 60

    /// - Parameter range: counted from the first octet of the line.
    init(_ line: ArraySlice<UInt8>, _ range: Range<Int>?) {
        let whole = 0..<line.count
        let meant = (range ?? 0..<0).clamped(to: whole)
        var from = 0
        if line.count > Passage.octetLimit { from = max(0, min(meant.lowerBound - Self.before, line.count - 1)) }
        from = Self.boundary(line, from)
        let to = Self.boundary(line, min(line.count, from + Passage.octetLimit))
        let shown = meant.clamped(to: from..<to)
        func decoded(_ part: Range<Int>) -> String {
            Text.lossy(line[line.startIndex + part.lowerBound..<line.startIndex + part.upperBound])
        }
        let front = (from > 0 ? "…" : "") + decoded(from..<shown.lowerBound)
        let middle = decoded(shown)
        text = front + middle + decoded(shown.upperBound..<to) + (to < line.count ? "…" : "")
        mark = middle.isEmpty ? nil : front.utf8.count..<front.utf8.count + middle.utf8.count
    }

    /// The start of the UTF-8 character that an octet belongs to.
    private static func boundary(_ line: ArraySlice<UInt8>, _ offset: Int) -> Int {
        var offset = offset
        var steps = 0
        while offset > 0, offset < line.count, steps < 3, line[line.startIndex + offset] & 0xc0 == 0x80 {
            offset -= 1
            steps += 1
        }
        return offset
    }
}
