// The grammar of encoded-words (RFC 2047 §2): `=?charset?encoding?text?=`. Text that was meant to be one is told from
// text that only holds `=?`: what has the marks in their places is taken for an attempt, and judged.

struct EncodedWord {
    /// RFC 2047 §2.
    static let limit = 75

    enum Encoding { case base64, quoted, unknown }

    let whole: Range<Int>
    let charset: Range<Int>
    let encoding: Encoding
    let text: Range<Int>
    /// It breaks the grammar.
    private(set) var isMalformed: Bool

    /// An attempt that begins at `start`, where `=?` stands; nil where it is none.
    /// - Parameter marks: of the field, asked for places that do not go back.
    init?(_ octets: MessageOctets, _ start: Int, _ marks: inout EncodedWordMarks) {
        let line = marks.lineEnd(from: start)
        guard let mark = FieldText.position(octets, of: Self.mark, in: start + 2..<min(line, start + 80)) else {
            return nil
        }
        charset = start + 2..<mark
        // RFC 2047 §2: a token without especials; RFC 2231 §5 puts a language behind a star.
        let isToken = !charset.isEmpty && charset.allSatisfy { FieldText.isToken(octets[$0]) && octets[$0] != 46 }
        let second = FieldText.position(octets, of: Self.mark, in: mark + 1..<min(line, mark + 12))
        guard let second, second + 1 >= line || octets[second + 1] != UInt8(ascii: "=") || second == mark + 2 else {
            // No encoding is named: an attempt only where all the rest is there.
            guard isToken, let close = marks.close(from: mark + 1, before: line) else { return nil }
            (whole, text, encoding, isMalformed) = (start..<close + 2, mark + 1..<close, .unknown, true)
            return
        }
        let letter = second == mark + 2 ? FieldText.small(octets[mark + 1]) : 0
        encoding = letter == UInt8(ascii: "b") ? .base64 : letter == UInt8(ascii: "q") ? .quoted : .unknown
        guard let close = marks.close(from: second + 1, before: line) else {
            guard isToken, encoding != .unknown else { return nil }
            (whole, text, isMalformed) = (start..<line, second + 1..<line, true)
            return
        }
        whole = start..<close + 2
        text = second + 1..<close
        isMalformed = !isToken || encoding == .unknown || !Self.isText(octets, text, encoding)
    }

    private static let mark = UInt8(ascii: "?")

    private static func isText(_ octets: MessageOctets, _ text: Range<Int>, _ encoding: Encoding) -> Bool {
        guard !text.isEmpty else { return false }
        return encoding == .base64 ? isBase64(octets, text) : isQuoted(octets, text)
    }

    /// RFC 2047 §4.1: whole groups of four, filled up by "=".
    static func isBase64(_ octets: MessageOctets, _ text: Range<Int>) -> Bool {
        guard text.count % 4 == 0 else { return false }
        var letters = text.upperBound
        while letters > text.lowerBound, text.upperBound - letters < 2, octets[letters - 1] == UInt8(ascii: "=") {
            letters -= 1
        }
        for index in text.lowerBound..<letters where Base64Letter.value(octets[index]) == nil { return false }
        return true
    }

    /// RFC 2047 §4.2: printable ASCII without "?" and space; "=" and two hexadecimal digits.
    private static func isQuoted(_ octets: MessageOctets, _ text: Range<Int>) -> Bool {
        var index = text.lowerBound
        while index < text.upperBound {
            let octet = octets[index]
            guard (33...126).contains(octet), octet != mark else { return false }
            if octet == UInt8(ascii: "=") {
                guard index + 2 < text.upperBound, FieldText.isHexadecimal(octets[index + 1]),
                    FieldText.isHexadecimal(octets[index + 2])
                else { return false }
                index += 2
            }
            index += 1
        }
        return true
    }

    /// RFC 2047 §5 (3): in a phrase the Q encoding has letters, digits and a few marks only.
    func fitsPhrase(_ octets: MessageOctets) -> Bool {
        guard encoding == .quoted else { return true }
        return text.allSatisfy { index in
            switch octets[index] {
            case UInt8(ascii: "!"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "/"),
                UInt8(ascii: "="), UInt8(ascii: "_"):
                true
            case let octet: FieldText.isDigit(octet) || FieldText.isLetter(octet)
            }
        }
    }

    /// Hands over the octets that it stands for, one by one.
    func decode(_ octets: MessageOctets, _ take: (UInt8) -> Void) {
        switch encoding {
        case .base64:
            var bits: UInt32 = 0
            var count = 0
            for index in text {
                guard let value = Base64Letter.value(octets[index]) else { return }
                bits = bits << 6 | UInt32(value)
                count += 6
                if count >= 8 {
                    count -= 8
                    take(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
                }
            }
        case .quoted:
            var index = text.lowerBound
            while index < text.upperBound {
                let octet = octets[index]
                if octet == UInt8(ascii: "="), index + 2 < text.upperBound {
                    take(Self.digit(octets[index + 1]) << 4 | Self.digit(octets[index + 2]))
                    index += 2
                } else {
                    take(octet == UInt8(ascii: "_") ? FieldText.space : octet)
                }
                index += 1
            }
        case .unknown: break
        }
    }

    private static func digit(_ octet: UInt8) -> UInt8 {
        FieldText.isDigit(octet) ? octet - 48 : (octet | 0x20) &- 87
    }
}

/// Where the next line of a field ends, and where the next `?=` stands. What was found is remembered: a row of things
/// that only look like encoded-words is searched once, and not once for each of them.
struct EncodedWordMarks {
    private let octets: MessageOctets
    private let end: Int
    private var line: Range<Int>
    /// From here on there is no `?=` before `upperBound`.
    private var closing: Range<Int>

    init(_ octets: MessageOctets, _ value: Range<Int>) {
        (self.octets, end) = (octets, value.upperBound)
        line = value.lowerBound..<value.lowerBound
        closing = line
    }

    /// Where the LF of the line stands that `start` is in, or the end of the field.
    mutating func lineEnd(from start: Int) -> Int {
        if start < line.lowerBound || start >= line.upperBound {
            line = start..<(FieldText.position(octets, of: FieldText.lf, in: start..<end) ?? end)
        }
        return line.upperBound
    }

    /// Where `?=` stands next; nil where it does not in this line.
    mutating func close(from start: Int, before line: Int) -> Int? {
        if start < closing.lowerBound || start > closing.upperBound || closing.isEmpty {
            var index = start
            var found = end
            while let mark = FieldText.position(octets, of: UInt8(ascii: "?"), in: index..<max(index, end)) {
                if mark + 1 < end, octets[mark + 1] == UInt8(ascii: "=") {
                    found = mark
                    break
                }
                index = mark + 1
            }
            closing = min(start, found)..<found
        }
        return closing.upperBound + 1 < line && closing.upperBound >= start ? closing.upperBound : nil
    }
}

/// The alphabet of base64 (RFC 4648 §4).
enum Base64Letter {
    static func value(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 65...90: octet - 65
        case 97...122: octet - 71
        case 48...57: octet + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
