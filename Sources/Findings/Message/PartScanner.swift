// The pass over the octets that `MessageScan` is made of (RFC 2046 §5.1). A stack holds the parts that are open, with
// the boundaries that may end them; a line that begins with two hyphens is compared with those. A line ends at LF here,
// with or without a CR: whether the CR is there is judged elsewhere.

import Glibc

struct PartScanner {
    /// A part whose end was not found yet, and the boundary that it listens to.
    private struct Open {
        let part: Int
        /// The boundary in `boundaries`; empty where the part listens to none.
        let start: Int
        var count = 0
        /// Its first eight octets, and which of them count.
        var key: UInt64 = 0
        var mask: UInt64 = 0
    }

    /// RFC 2046 §5.1.1 allows 70 octets. Longer ones are wrong and understood.
    private static let boundaryLimit = 500

    private let octets: UnsafeBufferPointer<UInt8>
    private(set) var parts: [ScannedPart] = []
    private(set) var isCut = false
    private var open: [Open] = []
    /// The octets of the boundaries of all open parts, one behind the other.
    private var boundaries: [UInt8] = []
    /// Open parts that listen to a boundary.
    private var listeners = 0
    /// How many listened-to boundaries begin with this octet: most lines are dismissed by it.
    private var listenersByOctet: [UInt16] = []
    private var fieldCount = 0

    init(_ octets: UnsafeBufferPointer<UInt8>) { self.octets = octets }

    mutating func scan() {
        var position = begin(in: nil, at: 0)
        while listeners > 0, let line = nextDashedLine(from: position) {
            let end = lineEnd(from: line)
            guard let (level, isClosing) = delimiter(in: line..<end) else {
                position = end
                continue
            }
            finish(above: level, at: line)
            let part = open[level].part
            if parts[part].firstDelimiter == nil { parts[part].firstDelimiter = line..<end }
            if isClosing {
                parts[part].isClosed = true
                parts[part].closeDelimiter = line..<end
                // What follows is its epilogue.
                silence(level)
                position = end
            } else if parts.count < MessageScan.partLimit {
                position = begin(in: part, at: end)
            } else {
                parts[part].childCount += 1
                isCut = true
                position = end
            }
        }
    }

    // MARK: Parts

    /// Reads a header and opens its part, and the messages inside it.
    /// - Returns: where the body begins; always the beginning of a line.
    private mutating func begin(in parent: Int?, at start: Int) -> Int {
        var (parent, position) = (parent, start)
        while true {
            let index = parts.count
            let depth = parent.map { parts[$0].depth + 1 } ?? 0
            var part = header(from: position, depth: depth)
            part.parent = parent
            position = part.body.lowerBound
            readType(&part)
            if let parent { parts[parent].childCount += 1 }
            let isNesting = part.isMultipart || part.isMessage
            if isNesting, depth >= MessageScan.depthLimit { isCut = true }
            let opens = isNesting && depth < MessageScan.depthLimit && part.hasBlankLine
            let opensMessage = opens && part.isMessage && isIdentity(part.encoding)
            parts.append(part)
            open.append(Open(part: index, start: boundaries.count))
            if opens, part.isMultipart { listen(part.type.parameters["boundary"] ?? []) }
            guard opensMessage else { return position }
            guard parts.count < MessageScan.partLimit else {
                isCut = true
                return position
            }
            parent = index
        }
    }

    private mutating func readType(_ part: inout ScannedPart) {
        var isTypeMissing = true
        for field in part.fields where field.name.count == 12 || field.name.count == 25 {
            if isTypeMissing, FieldText.equals(octets, field.name, "content-type") {
                part.type = ContentType(octets, field.value)
                isTypeMissing = false
            } else if part.encoding == nil, FieldText.equals(octets, field.name, "content-transfer-encoding") {
                part.encoding = encoding(field.value)
            }
        }
        // RFC 2046 §5.1.5.
        if isTypeMissing, let parent = part.parent, parts[parent].isMultipart, parts[parent].type.subtype == "digest" {
            (part.type.type, part.type.subtype) = ("message", "rfc822")
        }
    }

    private func encoding(_ value: Range<Int>) -> String {
        let start = FieldText.behindComments(octets, value.lowerBound, value.upperBound)
        var end = start
        while end < value.upperBound, !FieldText.isFoldingSpace(octets[end]), octets[end] != UInt8(ascii: "(") {
            end += 1
        }
        return FieldText.word(octets, start..<min(end, start + 100))
    }

    /// RFC 2046 §5.2.1: a message inside a message is not encoded.
    private func isIdentity(_ encoding: String?) -> Bool {
        encoding == nil || encoding == "7bit" || encoding == "8bit" || encoding == "binary"
    }

    /// All parts inside the open part at `level` end in front of the delimiter that begins at `line`. The line break in
    /// front of it is its own (RFC 2046 §5.1.1).
    private mutating func finish(above level: Int, at line: Int) {
        var end = line
        if end > 0, octets[end - 1] == FieldText.lf { end -= 1 }
        if end > 0, end < line, octets[end - 1] == FieldText.cr { end -= 1 }
        while open.count > level + 1 {
            silence(open.count - 1)
            let part = open.removeLast().part
            parts[part].body = parts[part].body.lowerBound..<max(parts[part].body.lowerBound, end)
        }
    }

    // MARK: Boundaries

    /// The part that was opened last listens from now on.
    private mutating func listen(_ boundary: [UInt8]) {
        var count = boundary.count
        // RFC 2046 §5.1.1: it does not end in white space; that would be transport padding.
        while count > 0, FieldText.isFoldingSpace(boundary[count - 1]) { count -= 1 }
        guard count > 0, count <= Self.boundaryLimit else { return }
        if listenersByOctet.isEmpty { listenersByOctet = [UInt16](repeating: 0, count: 256) }
        let last = open.count - 1
        boundaries.append(contentsOf: boundary[..<count])
        open[last].count = count
        for index in 0..<min(count, 8) {
            open[last].key |= UInt64(boundary[index]) << UInt64(8 * index)
            open[last].mask |= 0xff << UInt64(8 * index)
        }
        listeners += 1
        listenersByOctet[Int(boundary[0])] += 1
    }

    private mutating func silence(_ level: Int) {
        guard open[level].count > 0 else { return }
        listeners -= 1
        listenersByOctet[Int(boundaries[open[level].start])] -= 1
        boundaries.removeSubrange(open[level].start...)
        open[level].count = 0
    }

    /// The open part whose delimiter the line is, and whether it is the close-delimiter. The innermost is asked first.
    private mutating func delimiter(in line: Range<Int>) -> (level: Int, isClosing: Bool)? {
        let start = line.lowerBound + 2
        guard start < line.upperBound, listenersByOctet[Int(octets[start])] > 0 else { return nil }
        // RFC 2046 §5.1.1: transport padding.
        var end = line.upperBound
        while end > start, FieldText.isFoldingSpace(octets[end - 1]) { end -= 1 }
        let key = firstEight(from: start)
        var lookalike: Int?
        for level in stride(from: open.count - 1, through: 0, by: -1) {
            let one = open[level]
            guard one.count > 0, key & one.mask == one.key, end - start >= one.count, holds(one, start) else {
                continue
            }
            let rest = end - start - one.count
            if rest == 0 { return (level, false) }
            if rest == 2, octets[end - 1] == UInt8(ascii: "-"), octets[end - 2] == UInt8(ascii: "-") {
                return (level, true)
            }
            if lookalike == nil { lookalike = one.part }
        }
        if let lookalike {
            if parts[lookalike].lookalikes == 0 { parts[lookalike].firstLookalike = line.lowerBound }
            parts[lookalike].lookalikes += 1
        }
        return nil
    }

    /// The first eight octets are known to be the same.
    private func holds(_ one: Open, _ start: Int) -> Bool {
        guard one.count > 8 else { return true }
        return boundaries.withUnsafeBufferPointer { all in
            guard let boundary = all.baseAddress, let base = octets.baseAddress else { return false }
            return memcmp(boundary + one.start + 8, base + start + 8, one.count - 8) == 0
        }
    }

    private func firstEight(from start: Int) -> UInt64 {
        if start + 8 <= octets.count, let base = octets.baseAddress {
            return UInt64(littleEndian: UnsafeRawPointer(base + start).loadUnaligned(as: UInt64.self))
        }
        var key: UInt64 = 0
        for index in start..<octets.count { key |= UInt64(octets[index]) << UInt64(8 * (index - start)) }
        return key
    }

    // MARK: Header fields

    /// A part with its header; its body begins behind that and ends with the message until its end is found.
    private mutating func header(from start: Int, depth: Int) -> ScannedPart {
        var fields: [ScannedField] = []
        var position = start
        var bodyStart = octets.count
        var hasBlankLine = false
        while position < octets.count {
            let end = lineEnd(from: position)
            let first = octets[position]
            if first == FieldText.lf || (first == FieldText.cr && end == position + 2) {
                hasBlankLine = true
                bodyStart = end
                break
            }
            if first == UInt8(ascii: "-"), listeners > 0, isDashed(position), delimiter(in: position..<end) != nil {
                bodyStart = position
                break
            }
            let next = behindFoldedLines(from: end)
            if fields.count < MessageScan.fieldLimit, fieldCount < MessageScan.allFieldsLimit {
                if fields.isEmpty { fields.reserveCapacity(depth == 0 ? 16 : 4) }
                fields.append(field(position, firstEnd: end, next))
                fieldCount += 1
            } else {
                isCut = true
            }
            position = next
        }
        return ScannedPart(
            depth: depth, parent: nil, fields: fields, header: start..<position, body: bodyStart..<octets.count,
            hasBlankLine: hasBlankLine)
    }

    /// White space at the beginning of a line makes it go on with the field in front of it (RFC 5322 §2.2.3).
    private func behindFoldedLines(from start: Int) -> Int {
        var position = start
        while position < octets.count, FieldText.isSpace(octets[position]) { position = lineEnd(from: position) }
        return position
    }

    /// - Parameters:
    ///   - firstEnd: the end of its first line.
    ///   - end: behind its last line.
    private func field(_ start: Int, firstEnd: Int, _ end: Int) -> ScannedField {
        var valueEnd = end
        if valueEnd > start, octets[valueEnd - 1] == FieldText.lf {
            valueEnd -= 1
            if valueEnd > start, octets[valueEnd - 1] == FieldText.cr { valueEnd -= 1 }
        }
        guard let colon = FieldText.position(octets, of: UInt8(ascii: ":"), in: start..<firstEnd) else {
            return stray(start..<end, valueEnd)
        }
        var nameEnd = colon
        while nameEnd > start, FieldText.isSpace(octets[nameEnd - 1]) { nameEnd -= 1 }
        for index in start..<nameEnd where FieldText.isSpace(octets[index]) { return stray(start..<end, valueEnd) }
        guard nameEnd > start else { return stray(start..<end, valueEnd) }
        return ScannedField(
            name: start..<nameEnd, value: colon + 1..<max(colon + 1, valueEnd), whole: start..<end,
            hasSpaceBeforeColon: nameEnd < colon)
    }

    private func stray(_ whole: Range<Int>, _ valueEnd: Int) -> ScannedField {
        ScannedField(
            name: whole.lowerBound..<whole.lowerBound, value: whole.lowerBound..<valueEnd, whole: whole, isStray: true)
    }

    // MARK: Lines

    private func isDashed(_ position: Int) -> Bool {
        position + 2 < octets.count && octets[position] == UInt8(ascii: "-")
            && octets[position + 1] == UInt8(ascii: "-")
    }

    /// The position behind the line feed, or the end of the message.
    private func lineEnd(from start: Int) -> Int {
        FieldText.position(octets, of: FieldText.lf, in: start..<octets.count).map { $0 + 1 } ?? octets.count
    }

    /// The start of the next line that begins with two hyphens; `start` is the start of a line.
    private func nextDashedLine(from start: Int) -> Int? {
        var position = start
        while position + 2 < octets.count {
            if isDashed(position) { return position }
            position = lineEnd(from: position)
        }
        return nil
    }
}
