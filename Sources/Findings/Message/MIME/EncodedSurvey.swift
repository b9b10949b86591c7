// One pass over an encoded part each, for base64 and for quoted-printable: how long its lines are, and the first octet
// that the encoding does not have. A table says of what kind an octet is, so that runs of ordinary ones are passed
// over quickly.

/// Lines that are longer than `TransferEncodingChecks.lineLimit`.
struct LongLines {
    var count = 0
    var longest = 0
    var first: Range<Int>?

    mutating func note(_ line: Range<Int>) {
        guard line.count > TransferEncodingChecks.lineLimit else { return }
        count += 1
        longest = max(longest, line.count)
        if first == nil { first = line }
    }
}

/// Kinds of octets in an encoded part.
private enum Kind {
    static let ordinary: UInt8 = 0
    static let equals: UInt8 = 1
    static let cr: UInt8 = 2
    static let lf: UInt8 = 3
    static let space: UInt8 = 4
    static let foreign: UInt8 = 5

    static func table(_ isOrdinary: (UInt8) -> Bool) -> [UInt8] {
        (UInt8.min...UInt8.max).map { octet -> UInt8 in
            switch octet {
            case UInt8(ascii: "="): equals
            case FieldText.cr: cr
            case FieldText.lf: lf
            case FieldText.space, FieldText.tab: space
            default: isOrdinary(octet) ? ordinary : foreign
            }
        }
    }

    static let base64 = table { octet in
        FieldText.isLetter(octet) || FieldText.isDigit(octet) || octet == UInt8(ascii: "+")
            || octet == UInt8(ascii: "/")
    }
    static let quotedPrintable = table { $0 > 32 && $0 < 127 }
}

/// RFC 2045 §6.8.
struct Base64Survey {
    struct Fault {
        var place: Int
        var words: String
        /// It is about how much there is: nothing to be said of a part whose end is not known.
        var isLength = false
    }

    private(set) var longLines = LongLines()
    /// The first thing that the encoding does not allow.
    private(set) var fault: Fault?

    init(_ octets: MessageOctets, _ body: Range<Int>) {
        Kind.base64.withUnsafeBufferPointer { kinds in survey(octets, body, kinds) }
    }

    private mutating func survey(_ octets: MessageOctets, _ body: Range<Int>, _ kinds: UnsafeBufferPointer<UInt8>) {
        var index = body.lowerBound
        var lineStart = index
        // White space at the end of a line may have been added on the way.
        var lineEnd = index
        var digits = 0
        var padding = 0
        while index < body.upperBound {
            let kind = kinds[Int(octets[index])]
            switch kind {
            case Kind.ordinary:
                if lineEnd < index { note(lineEnd, "white space inside a line") }
                if padding > 0 { note(index, "data behind the padding") }
                let start = index
                repeat { index += 1 } while index < body.upperBound && kinds[Int(octets[index])] == Kind.ordinary
                digits += index - start
                lineEnd = index
                continue
            case Kind.equals:
                padding += 1
                if padding > 2 { note(index, "more than two pads") }
                lineEnd = index + 1
            case Kind.lf:
                longLines.note(lineStart..<lineEnd)
                lineStart = index + 1
                lineEnd = lineStart
            case Kind.cr:
                if index + 1 == body.upperBound || octets[index + 1] != FieldText.lf {
                    note(index, "a CR that ends no line")
                }
            case Kind.space: break
            default:
                note(index, "a character that is not in the alphabet")
                lineEnd = index + 1
            }
            index += 1
        }
        longLines.note(lineStart..<lineEnd)
        if fault == nil, (digits + padding) % 4 != 0 {
            fault = Fault(
                place: body.upperBound, words: "\(digits) characters and \(padding) pads are no multiple of 4",
                isLength: true)
        }
    }

    private mutating func note(_ place: Int, _ words: String) {
        if fault == nil { fault = Fault(place: place, words: words) }
    }
}

/// RFC 2045 §6.7.
struct QuotedPrintableSurvey {
    private(set) var longLines = LongLines()
    private(set) var faults = 0
    private(set) var firstFault: Int?
    private(set) var trailingSpaces = 0
    private(set) var firstTrailingSpace: Int?

    init(_ octets: MessageOctets, _ body: Range<Int>) {
        Kind.quotedPrintable.withUnsafeBufferPointer { kinds in survey(octets, body, kinds) }
    }

    private mutating func survey(_ octets: MessageOctets, _ body: Range<Int>, _ kinds: UnsafeBufferPointer<UInt8>) {
        var index = body.lowerBound
        var lineStart = index
        while index < body.upperBound {
            switch kinds[Int(octets[index])] {
            case Kind.equals: index = behindEquals(octets, index, body.upperBound)
            case Kind.lf:
                endLine(octets, lineStart, index)
                index += 1
                lineStart = index
            case Kind.foreign:
                note(index)
                index += 1
            default:
                repeat { index += 1 } while index < body.upperBound && kinds[Int(octets[index])] == Kind.ordinary
            }
        }
        endLine(octets, lineStart, index)
    }

    /// An escape, or a soft line break, with white space that was added on the way.
    private mutating func behindEquals(_ octets: MessageOctets, _ index: Int, _ end: Int) -> Int {
        if index + 2 < end, isUpperHexadecimal(octets[index + 1]), isUpperHexadecimal(octets[index + 2]) {
            return index + 3
        }
        var next = index + 1
        while next < end, FieldText.isSpace(octets[next]) { next += 1 }
        // RFC 2045 §6.7, note 3: it cannot be the last of all.
        let isSoftBreak =
            next < end
            && (octets[next] == FieldText.lf
                || octets[next] == FieldText.cr && next + 1 < end && octets[next + 1] == FieldText.lf)
        if !isSoftBreak { note(index) }
        return isSoftBreak ? next : index + 1
    }

    private func isUpperHexadecimal(_ octet: UInt8) -> Bool { FieldText.isDigit(octet) || octet &- 65 < 6 }

    private mutating func endLine(_ octets: MessageOctets, _ start: Int, _ feed: Int) {
        var end = feed
        if end > start, octets[end - 1] == FieldText.cr { end -= 1 }
        longLines.note(start..<end)
        guard end > start, FieldText.isSpace(octets[end - 1]) else { return }
        trailingSpaces += 1
        if firstTrailingSpace == nil { firstTrailingSpace = end - 1 }
    }

    private mutating func note(_ place: Int) {
        faults += 1
        if firstFault == nil { firstFault = place }
    }
}
