// Small questions about octets, asked without making a String: the character classes of RFC 5321 §4.1.2, comparison
// without regard to case, numbers.

import Glibc

extension UInt8 {
    static let cr: UInt8 = 13
    static let lf: UInt8 = 10
    static let space: UInt8 = 32
    static let tab: UInt8 = 9
    static let dot = UInt8(ascii: ".")

    var isDigit: Bool { (48...57).contains(self) }
    var isLetter: Bool { (97...122).contains(self | 0x20) }
    var isLetterOrDigit: Bool { isDigit || isLetter }
    var isNonASCII: Bool { self >= 0x80 }
    /// What a letter of the base64 alphabet stands for (RFC 4648 §4); nil for all else.
    package var base64Value: UInt8? {
        switch self {
        case 65...90: self - 65
        case 97...122: self - 71
        case 48...57: self + 4
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
    /// Visible ASCII, without the space.
    var isVisible: Bool { (33...126).contains(self) }
    /// RFC 5321 §2.4: verbs and keywords are ASCII and their case is of no weight.
    var lowercased: UInt8 { (65...90).contains(self) ? self | 0x20 : self }

    /// atext (RFC 5322 §3.2.3), and what RFC 6531 §3.3 adds to it.
    var isAtomText: Bool {
        switch self {
        case 33, 35...39, 42, 43, 45, 47...57, 61, 63, 65...90, 94...126, 0x80...: true
        default: false
        }
    }
    /// qtextSMTP (RFC 5321 §4.1.2), and what RFC 6531 §3.3 adds to it.
    var isQuotedText: Bool {
        switch self {
        case 32, 33, 35...91, 93...126, 0x80...: true
        default: false
        }
    }
    /// Let-dig (RFC 5321 §4.1.2), and the U-labels of RFC 6531 §3.3.
    var isLetterDigit: Bool { isLetterOrDigit || isNonASCII }
}

extension UnsafeRawBufferPointer {
    /// The position of `octet` at or behind `start`, before `end`.
    func position(of octet: UInt8, from start: Int, before end: Int) -> Int? {
        guard start < end, let base = baseAddress, let hit = memchr(base + start, Int32(octet), end - start) else {
            return nil
        }
        return UnsafeRawPointer(hit) - base
    }

    /// - Parameter text: ASCII in lower case.
    func begins(with text: StaticString) -> Bool {
        guard count >= text.utf8CodeUnitCount else { return false }
        for index in 0..<text.utf8CodeUnitCount where self[index].lowercased != text.utf8Start[index] { return false }
        return true
    }

    /// - Parameter text: ASCII in lower case.
    func equals(_ text: StaticString) -> Bool { count == text.utf8CodeUnitCount && begins(with: text) }

    func slice(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: self[start..<end])
    }

    /// A copy, made in one go.
    var array: [UInt8] { [UInt8](assumingMemoryBound(to: UInt8.self)) }

    /// Controls or non-ASCII octets, which no argument may hold (RFC 5321 §4.1.2).
    var isPrintable: Bool { allSatisfy { (32...126).contains($0) } }
    var hasNonASCII: Bool { contains { $0.isNonASCII } }
    var isUTF8: Bool { String(validating: self, as: UTF8.self) != nil }

    /// The number that these digits say, at most `Int.max`; nil unless all are digits and there is at least one.
    var number: Int? {
        guard !isEmpty else { return nil }
        var sum = 0
        for octet in self {
            guard octet.isDigit else { return nil }
            let (product, overflow) = sum.multipliedReportingOverflow(by: 10)
            let (next, again) = product.addingReportingOverflow(Int(octet - 48))
            sum = overflow || again ? Int.max : next
        }
        return sum
    }
}

extension [UInt8] {
    mutating func append(_ text: StaticString) {
        append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
