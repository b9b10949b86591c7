// Small questions about the octets of a message, asked without making a String: the character classes of RFC 5322 §3.2
// and RFC 2045 §5.1, names compared without regard to case, white space and comments passed over. Nothing here
// allocates, and nothing calls itself.

import Glibc

/// The octets of a message, seen as the grammars of header fields see them.
typealias MessageOctets = UnsafeBufferPointer<UInt8>

enum FieldText {
    static let cr: UInt8 = 13
    static let lf: UInt8 = 10
    static let space: UInt8 = 32
    static let tab: UInt8 = 9

    static func isDigit(_ octet: UInt8) -> Bool { octet &- 48 < 10 }
    static func isLetter(_ octet: UInt8) -> Bool { (octet | 0x20) &- 97 < 26 }
    static func isHexadecimal(_ octet: UInt8) -> Bool { isDigit(octet) || (octet | 0x20) &- 97 < 6 }
    /// Of a letter A to Z the small one, of everything else itself.
    static func small(_ octet: UInt8) -> UInt8 { octet &- 65 < 26 ? octet | 0x20 : octet }

    /// WSP (RFC 5234).
    static func isSpace(_ octet: UInt8) -> Bool { octet == space || octet == tab }
    /// WSP and the line ends between folded lines.
    static func isFoldingSpace(_ octet: UInt8) -> Bool {
        octet == space || octet == tab || octet == cr || octet == lf
    }

    /// atext (RFC 5322 §3.2.3), and what RFC 6532 §3.2 adds to it.
    static func isAtomText(_ octet: UInt8) -> Bool {
        switch octet {
        case 33, 35...39, 42, 43, 45, 47...57, 61, 63, 65...90, 94...126, 0x80...: true
        default: false
        }
    }

    /// What may stand in a token (RFC 2045 §5.1): printable ASCII without tspecials.
    static func isToken(_ octet: UInt8) -> Bool {
        switch octet {
        case 33, 35...39, 42, 43, 45, 46, 48...57, 65...90, 94...126: true
        default: false
        }
    }

    /// - Parameter name: ASCII in small letters.
    static func equals(_ octets: MessageOctets, _ range: Range<Int>, _ name: StaticString) -> Bool {
        let count = name.utf8CodeUnitCount
        guard range.count == count else { return false }
        let start = range.lowerBound
        for index in 0..<count where small(octets[start + index]) != name.utf8Start[index] { return false }
        return true
    }

    /// - Parameter text: ASCII in small letters.
    static func begins(_ octets: MessageOctets, _ range: Range<Int>, _ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard range.count >= count else { return false }
        return equals(octets, range.lowerBound..<range.lowerBound + count, text)
    }

    /// Where `octet` stands next in the range.
    static func position(_ octets: MessageOctets, of octet: UInt8, in range: Range<Int>) -> Int? {
        guard let base = octets.baseAddress, !range.isEmpty,
            let found = memchr(base + range.lowerBound, Int32(octet), range.count)
        else { return nil }
        return UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
    }

    /// Without white space and line ends at both ends.
    static func trimmed(_ octets: MessageOctets, _ range: Range<Int>) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end, isFoldingSpace(octets[start]) { start += 1 }
        while end > start, isFoldingSpace(octets[end - 1]) { end -= 1 }
        return start..<end
    }

    /// The first place at or behind `start` that is neither white space nor inside a comment (RFC 5322 §3.2.2).
    /// Comments nest; of an open one the end is the end of the field.
    static func behindComments(_ octets: MessageOctets, _ start: Int, _ end: Int) -> Int {
        var index = start
        var depth = 0
        while index < end {
            let octet = octets[index]
            if octet == UInt8(ascii: "(") {
                depth += 1
            } else if depth > 0 {
                if octet == UInt8(ascii: ")") { depth -= 1 }
                if octet == UInt8(ascii: "\\") { index += 1 }
            } else if !isFoldingSpace(octet) {
                return index
            }
            index += 1
        }
        return end
    }

    /// ASCII in small letters as a String.
    static func word(_ octets: MessageOctets, _ range: Range<Int>) -> String {
        String(unsafeUninitializedCapacity: range.count) { buffer in
            for (offset, index) in range.enumerated() {
                // What is not ASCII would make no valid String.
                buffer[offset] = octets[index] < 0x80 ? small(octets[index]) : UInt8(ascii: "?")
            }
            return range.count
        }
    }
}
