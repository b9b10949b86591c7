// One header field as it stands in the octets: where its name and its value are, unfolded on demand (RFC 5322 §2.2.3).
// Nothing is decoded here, and a field never holds a copy of its octets.

struct HeaderField: Sendable {
    /// Where the name stands, without the white space before the colon.
    let name: Range<Int>
    /// Where the value stands, from behind the colon to the end of the last folded line.
    let value: Range<Int>
}

extension HeaderField {
    func name(in octets: UnsafeBufferPointer<UInt8>) -> String {
        String(decoding: octets[name], as: UTF8.self)
    }

    func isNamed(_ other: StaticString, in octets: UnsafeBufferPointer<UInt8>) -> Bool {
        guard name.count == other.utf8CodeUnitCount else { return false }
        for (offset, position) in name.enumerated() {
            // ASCII letters differ from their other case in one bit; the names asked for hold letters and hyphens.
            if octets[position] | 0x20 != other.utf8Start[offset] | 0x20 { return false }
        }
        return true
    }

    /// The value with each line trimmed and the lines joined by one space, as Go's textproto reads it. A NUL becomes a
    /// space: the value goes to functions of C.
    func unfolded(in octets: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(value.count)
        var isLineStart = true
        for position in value {
            let octet = octets[position]
            switch octet {
            case UInt8(ascii: "\n"):
                result.trimTrailingSpace()
                isLineStart = true
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), 0:
                if !isLineStart { result.append(octet == UInt8(ascii: "\t") ? octet : UInt8(ascii: " ")) }
            default:
                if isLineStart, !result.isEmpty { result.append(UInt8(ascii: " ")) }
                isLineStart = false
                result.append(octet)
            }
        }
        result.trimTrailingSpace()
        return result
    }

    /// `message-id` becomes `Message-Id`: the canonical form of Go's textproto, and so the keys of Mailpit's /headers.
    /// A name that is no token (RFC 9110 §5.6.2) stays as it is.
    static func canonicalName(_ name: String) -> String {
        guard name.utf8.allSatisfy(isTokenOctet) else { return name }
        var isUpper = true
        let octets = name.utf8.map { octet -> UInt8 in
            defer { isUpper = octet == UInt8(ascii: "-") }
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): return isUpper ? octet - 0x20 : octet
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): return isUpper ? octet : octet + 0x20
            default: return octet
            }
        }
        return String(decoding: octets, as: UTF8.self)
    }

    private static func isTokenOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            return true
        default:
            return "!#$%&'*+-.^_`|~".utf8.contains(octet)
        }
    }
}

extension [UInt8] {
    fileprivate mutating func trimTrailingSpace() {
        while let last, last == UInt8(ascii: " ") || last == UInt8(ascii: "\t") { removeLast() }
    }
}
