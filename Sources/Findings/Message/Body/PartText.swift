// The text of a part, decoded, with the way back: where in the message each of its octets came from. Text that is not
// encoded is looked at where it stands. One buffer serves all parts of a message.

/// The octets that an encoded text part stands for, and the map to the message.
struct TextBuffer {
    /// What a checkpoint stands for: so many octets were decoded when the one at `source` was to be read.
    private struct Checkpoint {
        var decoded: Int
        var source: Int
    }

    /// Source octets between two checkpoints: what is gone through again for one place, about.
    private static let stride = 256

    private(set) var octets: [UInt8] = []
    private(set) var isCut = false
    private var checkpoints: [Checkpoint] = []
    private var isBase64 = false

    /// Decodes the body until the limit, and remembers nothing of what was decoded before.
    mutating func fill(_ source: MessageOctets, _ body: Range<Int>, isBase64: Bool) {
        self.isBase64 = isBase64
        checkpoints.removeAll(keepingCapacity: true)
        // A unit makes three octets at most, and no more than it has itself.
        let room = min(PartText.limit, isBase64 ? body.count / 4 * 3 + 3 : body.count)
        var index = body.lowerBound
        var marks = checkpoints
        octets = [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            var nextCheckpoint = index
            while index < body.upperBound, count + 3 <= room || !isBase64 && count < room {
                if index >= nextCheckpoint {
                    marks.append(Checkpoint(decoded: count, source: index))
                    nextCheckpoint = index + Self.stride
                }
                if !isBase64 {
                    // What is no escape stands for itself, up to the next one.
                    let end = min(body.upperBound, nextCheckpoint, index + room - count)
                    let run = FieldText.position(source, of: UInt8(ascii: "="), in: index..<end) ?? end
                    while index < run {
                        buffer[count] = source[index]
                        count += 1
                        index += 1
                    }
                    if index == end { continue }
                }
                index = step(source, index, body.upperBound) { octet in
                    buffer[count] = octet
                    count += 1
                }
            }
        }
        checkpoints = marks
        isCut = index < body.upperBound
    }

    /// One unit of the encoding: four characters of base64, an escape, a soft line break, or one octet.
    /// - Returns: the place of the next one.
    private func step(_ source: MessageOctets, _ start: Int, _ end: Int, _ emit: (UInt8) -> Void) -> Int {
        isBase64 ? Self.quantum(source, start, end, emit) : Self.escape(source, start, end, emit)
    }

    /// RFC 2045 §6.8: what is not in the alphabet is passed over.
    @inline(__always)
    private static func quantum(
        _ source: MessageOctets, _ start: Int, _ end: Int, _ emit: (UInt8) -> Void
    ) -> Int {
        if start + 4 <= end {
            let (one, two) = (base64Value(source[start]), base64Value(source[start + 1]))
            let (three, four) = (base64Value(source[start + 2]), base64Value(source[start + 3]))
            if one | two | three | four < 64 {
                emit(one << 2 | two >> 4)
                emit(two << 4 | three >> 2)
                emit(three << 6 | four)
                return start + 4
            }
        }
        var index = start
        var bits: UInt32 = 0
        var count = 0
        while index < end, count < 4 {
            let value = base64Value(source[index])
            index += 1
            if value < 64 {
                bits = bits << 6 | UInt32(value)
                count += 1
            }
        }
        if count < 4 { bits <<= UInt32(6 * (4 - count)) }
        if count > 1 { emit(UInt8(truncatingIfNeeded: bits >> 16)) }
        if count > 2 { emit(UInt8(truncatingIfNeeded: bits >> 8)) }
        if count > 3 { emit(UInt8(truncatingIfNeeded: bits)) }
        return index
    }

    /// 64 for what is no digit of base64.
    @inline(__always)
    private static func base64Value(_ octet: UInt8) -> UInt8 {
        let letter = (octet | 0x20) &- 97
        if letter < 26 { return octet & 0x20 == 0 ? letter : letter + 26 }
        if octet &- 48 < 10 { return octet + 4 }
        return octet == 43 ? 62 : octet == 47 ? 63 : 64
    }

    /// RFC 2045 §6.7. What is no escape stands for itself.
    @inline(__always)
    private static func escape(
        _ source: MessageOctets, _ start: Int, _ end: Int, _ emit: (UInt8) -> Void
    ) -> Int {
        let octet = source[start]
        guard octet == UInt8(ascii: "=") else {
            emit(octet)
            return start + 1
        }
        if start + 2 < end, FieldText.isHexadecimal(source[start + 1]), FieldText.isHexadecimal(source[start + 2]) {
            emit(hexadecimal(source[start + 1]) << 4 | hexadecimal(source[start + 2]))
            return start + 3
        }
        var next = start + 1
        while next < end, FieldText.isSpace(source[next]) { next += 1 }
        if next < end, source[next] == FieldText.cr { next += 1 }
        if next < end, source[next] == FieldText.lf { return next + 1 }
        if next == end { return end }
        emit(octet)
        return start + 1
    }

    private static func hexadecimal(_ octet: UInt8) -> UInt8 {
        FieldText.isDigit(octet) ? octet - 48 : (octet | 0x20) &- 87
    }

    /// Behind the escape at that place; of base64 behind the next digit, which the octet shares.
    func sourceEnd(ofUnitAt place: Int, in message: MessageOctets, _ body: Range<Int>) -> Int {
        guard isBase64 else {
            let isEscape = place < body.upperBound && message[place] == UInt8(ascii: "=")
            return min(place + (isEscape ? 3 : 1), body.upperBound)
        }
        var end = place + 1
        // A line break may stand between the two.
        while end < min(place + 4, body.upperBound), Self.base64Value(message[end]) >= 64 { end += 1 }
        return min(end + 1, body.upperBound)
    }

    /// Where in the message the decoded octet began.
    func source(of decoded: Int, in message: MessageOctets, _ body: Range<Int>) -> Int {
        var (low, high) = (0, checkpoints.count)
        while low < high {
            let middle = (low + high) / 2
            if checkpoints[middle].decoded <= decoded { low = middle + 1 } else { high = middle }
        }
        guard low > 0 else { return body.lowerBound }
        var place = checkpoints[low - 1].source
        var count = checkpoints[low - 1].decoded
        while place < body.upperBound {
            var made = 0
            let next = step(message, place, body.upperBound) { _ in made += 1 }
            if count + made > decoded {
                // A soft line break or a line end in front of the octet is not its own.
                guard isBase64 else { return place }
                var digit = place
                var skip = decoded - count
                while digit < next {
                    if Self.base64Value(message[digit]) < 64 {
                        if skip == 0 { return digit }
                        skip -= 1
                    }
                    digit += 1
                }
                return place
            }
            count += made
            place = next
        }
        return body.upperBound
    }
}

/// A text part as the checks look at it.
struct PartText {
    /// Octets of one part that are looked at; nothing is said of what lies beyond.
    static let limit = 4 << 20

    let part: Int
    let charset: TextCharset
    /// Decoded.
    let octets: MessageOctets
    let isCut: Bool
    private let message: MessageOctets
    private let body: Range<Int>
    /// The way back; nil where the text is not encoded.
    private let buffer: TextBuffer?

    /// Decodes a part where that is needed, and hands it on.
    static func read(_ view: MIMEView, _ index: Int, _ buffer: inout TextBuffer, _ use: (PartText) -> Void) {
        let part = view.scan.parts[index]
        let charset = TextCharset(part.type)
        let isBase64 = view.facts[index].encoding == .base64
        guard isBase64 || view.facts[index].encoding == .quotedPrintable else {
            let seen = part.body.lowerBound..<min(part.body.upperBound, part.body.lowerBound + limit)
            return use(
                PartText(
                    part: index, charset: charset, octets: MessageOctets(rebasing: view.octets[seen]),
                    isCut: seen != part.body, message: view.octets, body: part.body, buffer: nil))
        }
        buffer.fill(view.octets, part.body, isBase64: isBase64)
        let filled = buffer
        filled.octets.withUnsafeBufferPointer { octets in
            use(
                PartText(
                    part: index, charset: charset, octets: octets, isCut: filled.isCut, message: view.octets,
                    body: part.body, buffer: filled))
        }
    }

    /// The octets of the message that these decoded ones came from.
    func source(_ range: Range<Int>) -> Range<Int> {
        guard let buffer else {
            return body.lowerBound + range.lowerBound..<body.lowerBound + range.upperBound
        }
        let start = buffer.source(of: range.lowerBound, in: message, body)
        guard !range.isEmpty else { return start..<start }
        let last = buffer.source(of: range.upperBound - 1, in: message, body)
        return start..<max(start, buffer.sourceEnd(ofUnitAt: last, in: message, body))
    }

    /// Decoded octets from there on, a few.
    func excerpt(from start: Int) -> String { Excerpt.octets(octets[start..<min(start + 40, octets.count)]) }
    func excerpt(_ range: Range<Int>) -> String { Excerpt.octets(octets[range]) }
}
