// Where the parts of a message are (RFC 2046 §5.1): one pass over the octets, without calling itself and without
// copies. GMime's own parser keeps an object of its heap for every header line and every part that a stranger cares to
// write, and reads all address fields again for each new one; this scan keeps what the limits allow and nothing else.
// It knows lines, fields and boundaries; what a field means is read by `MIMEWords`, what a body holds by
// `PartContent`.

import Glibc

struct MIMEScan {
    struct Part {
        /// The place in the tree as enmime counts it: "0" the root, "1", "2" its parts, "2.0" a multipart and
        /// "2.1" inside it.
        var id: String
        var depth: Int
        var fields: [HeaderField]
        var contentType: MediaType
        var disposition: MediaType
        var isMultipart = false
        var hasParts = false
        var body: Range<Int>
    }

    private struct Level {
        var part: Int
        var prefix: String
        var partsBegun = 0
        var boundary: [UInt8]
        /// False when a multipart around it has the same boundary: then the outer one hears it.
        var isHeard: Bool
    }

    private let octets: UnsafeBufferPointer<UInt8>
    private let words: MIMEWords
    private(set) var parts: [Part] = []
    private var levels: [Level] = []
    private var levelByBoundary: [[UInt8]: Int] = [:]
    /// How many heard boundaries have this length: most lines that begin with "--" are dismissed by it.
    private var boundariesByLength = [Int](repeating: 0, count: MailLimit.boundaryOctets + 1)
    private var openLeaf: Int?

    init(_ octets: UnsafeBufferPointer<UInt8>, words: MIMEWords) {
        self.octets = octets
        self.words = words
        var position = 0
        // The separator line of mbox is no header field, though it stands before them.
        if startsWithMboxLine { position = lineEnd(from: 0) }
        position = beginPart(id: "0", prefix: "", depth: 0, at: position)
        scanBodies(from: position)
        finish()
    }

    // MARK: - Bodies

    private mutating func scanBodies(from start: Int) {
        var position = start
        var isLineStart = true
        while !levels.isEmpty {
            if !isLineStart {
                guard let next = nextDashedLine(from: position) else { return }
                position = next
            }
            isLineStart = false
            let end = lineEnd(from: position)
            guard let (level, isClosing) = boundary(in: position..<end) else {
                // The line feed is looked at again: the next line may begin with dashes as well.
                position = max(position, end - 1)
                if end == octets.count { return }
                continue
            }
            closeLeaf(at: position)
            leaveLevels(above: level)
            if isClosing {
                leaveLevel()
                position = end
            } else {
                guard parts.count < MailLimit.parts else {
                    words.warn("more than \(MailLimit.parts) parts: the rest is not shown")
                    return
                }
                position = beginNextPart(at: end)
            }
            isLineStart = true
        }
    }

    private mutating func beginNextPart(at position: Int) -> Int {
        let last = levels.count - 1
        levels[last].partsBegun += 1
        parts[levels[last].part].hasParts = true
        let id = levels[last].prefix + String(levels[last].partsBegun)
        return beginPart(id: id, prefix: id + ".", depth: levels.count, at: position)
    }

    private mutating func beginPart(id: String, prefix: String, depth: Int, at start: Int) -> Int {
        let (fields, bodyStart) = fields(from: start, isRoot: depth == 0)
        var part = Part(
            id: id, depth: depth, fields: fields, contentType: MediaType(), disposition: MediaType(),
            body: bodyStart..<bodyStart)
        if let field = fields.first(where: { $0.isNamed("content-type", in: octets) }) {
            part.contentType = words.contentType(field.unfolded(in: octets))
        }
        if let field = fields.first(where: { $0.isNamed("content-disposition", in: octets) }) {
            part.disposition = words.disposition(field.unfolded(in: octets))
        }
        let boundary = usableBoundary(of: part)
        if let boundary, depth < MailLimit.nestingDepth {
            part.isMultipart = true
            if depth > 0 { part.id += ".0" }
            enterLevel(part: parts.count, prefix: prefix, boundary: boundary)
        } else {
            if boundary != nil { words.warn("multiparts nested deeper than \(MailLimit.nestingDepth)") }
            openLeaf = parts.count
        }
        parts.append(part)
        return bodyStart
    }

    private func usableBoundary(of part: Part) -> [UInt8]? {
        guard part.contentType.isMultipart else { return nil }
        var boundary = Array((part.contentType.parameters["boundary"] ?? "").utf8)
        while boundary.last == UInt8(ascii: " ") { boundary.removeLast() }
        guard !boundary.isEmpty, boundary.count <= MailLimit.boundaryOctets else {
            words.warn("multipart without a usable boundary")
            return nil
        }
        return boundary
    }

    /// The level whose boundary the line is, and whether it is the last one of that level.
    private func boundary(in line: Range<Int>) -> (level: Int, isClosing: Bool)? {
        guard line.count > 2, octets[line.lowerBound] == UInt8(ascii: "-"),
            octets[line.lowerBound + 1] == UInt8(ascii: "-")
        else { return nil }
        let start = line.lowerBound + 2
        var end = line.upperBound
        while end > start, isLineSpace(octets[end - 1]) { end -= 1 }
        if let level = heardLevel(start..<end) { return (level, false) }
        guard end - start > 2, octets[end - 1] == UInt8(ascii: "-"), octets[end - 2] == UInt8(ascii: "-") else {
            return nil
        }
        return heardLevel(start..<(end - 2)).map { ($0, true) }
    }

    private func heardLevel(_ range: Range<Int>) -> Int? {
        guard range.count <= MailLimit.boundaryOctets, boundariesByLength[range.count] > 0 else { return nil }
        return levelByBoundary[Array(octets[range])]
    }

    private mutating func enterLevel(part: Int, prefix: String, boundary: [UInt8]) {
        let isHeard = levelByBoundary[boundary] == nil
        if isHeard {
            levelByBoundary[boundary] = levels.count
            boundariesByLength[boundary.count] += 1
        }
        levels.append(Level(part: part, prefix: prefix, boundary: boundary, isHeard: isHeard))
    }

    private mutating func leaveLevel() {
        guard let level = levels.popLast(), level.isHeard else { return }
        levelByBoundary[level.boundary] = nil
        boundariesByLength[level.boundary.count] -= 1
    }

    private mutating func leaveLevels(above level: Int) {
        while levels.count > level + 1 {
            words.warn("multipart \(parts[levels[levels.count - 1].part].id) is not closed")
            leaveLevel()
        }
    }

    /// The line break before a boundary belongs to the boundary (RFC 2046 §5.1.1).
    private mutating func closeLeaf(at lineStart: Int) {
        guard let leaf = openLeaf else { return }
        let start = parts[leaf].body.lowerBound
        var end = lineStart
        if end > start, octets[end - 1] == UInt8(ascii: "\n") { end -= 1 }
        if end > start, octets[end - 1] == UInt8(ascii: "\r") { end -= 1 }
        parts[leaf].body = start..<max(start, end)
        openLeaf = nil
    }

    private mutating func finish() {
        if let leaf = openLeaf {
            parts[leaf].body = parts[leaf].body.lowerBound..<octets.count
            openLeaf = nil
        }
        leaveLevels(above: -1)
        // A multipart in which no boundary was found is text after all: better shown than lost.
        if parts[0].isMultipart, !parts[0].hasParts {
            parts[0].body = parts[0].body.lowerBound..<octets.count
        }
    }

    // MARK: - Header fields

    /// The fields from `start` and where the body begins. A line that is neither field nor folded ends the header
    /// without a blank line: it is the first line of the body.
    private func fields(from start: Int, isRoot: Bool) -> ([HeaderField], bodyStart: Int) {
        var fields: [HeaderField] = []
        var octetsKept = 0
        var position = start
        var isDropped = false
        while position < octets.count {
            let end = lineEnd(from: position)
            let first = octets[position]
            if first == UInt8(ascii: "\n") || (first == UInt8(ascii: "\r") && end == position + 2) {
                return (fields, end)
            }
            guard !levels.isEmpty, boundary(in: position..<end) != nil else {
                guard let name = fieldName(in: position..<end) else {
                    words.warn("header ends without a blank line")
                    return (fields, position)
                }
                let next = endOfFoldedLines(from: end)
                let valueEnd = min(next, name.colon + 1 + MailLimit.headerValueOctets)
                let field = HeaderField(name: position..<name.end, value: (name.colon + 1)..<valueEnd)
                octetsKept += valueEnd - position
                if isRoot
                    ? fields.count < MailLimit.headers && octetsKept <= MailLimit.headerOctets : isKept(field, fields)
                {
                    fields.append(field)
                } else if isRoot, !isDropped {
                    isDropped = true
                    words.warn(
                        "more than \(MailLimit.headers) header fields or \(MailLimit.headerOctets) octets of them")
                }
                position = next
                continue
            }
            return (fields, position)
        }
        return (fields, octets.count)
    }

    /// Of a part's fields four are read, and of each the first.
    private func isKept(_ field: HeaderField, _ fields: [HeaderField]) -> Bool {
        for name: StaticString in MIMEScan.partFields where field.isNamed(name, in: octets) {
            return !fields.contains { $0.isNamed(name, in: octets) }
        }
        return false
    }

    private static let partFields: [StaticString] = [
        "content-type", "content-disposition", "content-transfer-encoding", "content-id",
    ]

    private func endOfFoldedLines(from start: Int) -> Int {
        var position = start
        while position < octets.count, octets[position] == UInt8(ascii: " ") || octets[position] == UInt8(ascii: "\t") {
            position = lineEnd(from: position)
        }
        return position
    }

    /// RFC 5322 §3.6.8: printable ASCII without the colon. White space before the colon is obsolete and read (§4.5.8).
    private func fieldName(in line: Range<Int>) -> (end: Int, colon: Int)? {
        var end = line.lowerBound
        while end < line.upperBound, octets[end] > 0x20, octets[end] != UInt8(ascii: ":"), octets[end] < 0x7F {
            end += 1
        }
        var colon = end
        while colon < line.upperBound, octets[colon] == UInt8(ascii: " ") || octets[colon] == UInt8(ascii: "\t") {
            colon += 1
        }
        guard end > line.lowerBound, colon < line.upperBound, octets[colon] == UInt8(ascii: ":") else { return nil }
        return (end, colon)
    }

    // MARK: - Lines

    private var startsWithMboxLine: Bool {
        octets.starts(with: "From ".utf8) || octets.starts(with: ">From ".utf8)
    }

    private func isLineSpace(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: " ") || octet == UInt8(ascii: "\t") || octet == UInt8(ascii: "\r")
            || octet == UInt8(ascii: "\n")
    }

    /// The position behind the line feed, or the end of the message.
    private func lineEnd(from start: Int) -> Int {
        guard start < octets.count, let base = octets.baseAddress,
            let found = memchr(base + start, Int32(UInt8(ascii: "\n")), octets.count - start)
        else { return octets.count }
        return UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found)) + 1
    }

    /// The start of the next line that begins with "--", behind a line feed at or after `start`.
    private func nextDashedLine(from start: Int) -> Int? {
        var position = start
        while position + 2 < octets.count, let base = octets.baseAddress,
            let found = memchr(base + position, Int32(UInt8(ascii: "\n")), octets.count - position)
        {
            position = UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found)) + 1
            guard position + 1 < octets.count else { return nil }
            if octets[position] == UInt8(ascii: "-"), octets[position + 1] == UInt8(ascii: "-") { return position }
        }
        return nil
    }
}
