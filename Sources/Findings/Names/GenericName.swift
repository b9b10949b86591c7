// Whether a reverse name looks like one that a provider of access gives to all its addresses: made from the address, or
// with a word for such lines. A guess, so what made it look like that is said.

/// The sign by which a reverse name looks generic.
enum GenericName {
    /// Words of access lines; each stands alone between dots, hyphens and digits. "pool" and "static" are not among
    /// them: senders of much mail use both.
    private static let words: Set<String> = [
        "dyn", "dynamic", "dynip", "dhcp", "dsl", "adsl", "sdsl", "vdsl", "xdsl", "ppp", "pppoe", "cable", "dialup",
        "dialin", "broadband",
    ]

    /// - Returns: what in the name looks generic, in words; nil where nothing does.
    static func sign(in name: String, of address: NetworkAddress) -> String? {
        let octets = name.utf8.prefix(255).map { (65...90).contains($0) ? $0 | 0x20 : $0 }
        let addressOctets = address.octets
        if address.isIPv4Address {
            if holds(addressOctets.map { String($0) }, numbers(octets)) { return "the address" }
        }
        let digits = octets.filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ".") }
        // Of IPv6 the interface identifier tells the host (RFC 4291 §2.5.1).
        let hexadecimal = Array(addressOctets.suffix(8).map(hex).joined().utf8)
        if contains(digits, hexadecimal) || contains(digits, hexadecimal.reversed()) {
            return "the address in hexadecimal digits"
        }
        return word(octets).map { "the word \($0)" }
    }

    /// The four numbers in a row, in either order; or written as twelve digits.
    private static func holds(_ address: [String], _ numbers: [String]) -> Bool {
        let padded = address.map { String(repeating: "0", count: 3 - $0.utf8.count) + $0 }
        for wanted in [address, address.reversed(), padded, padded.reversed()] {
            if numbers.contains(wanted.joined()), wanted.joined().utf8.count >= 8 { return true }
            guard numbers.count >= 4 else { continue }
            for start in 0...numbers.count - 4 where Array(numbers[start..<start + 4]) == wanted { return true }
        }
        return false
    }

    private static func numbers(_ octets: [UInt8]) -> [String] {
        octets.split { !(48...57).contains($0) }.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func word(_ octets: [UInt8]) -> String? {
        octets.split { !(97...122).contains($0) }.lazy.map { String(decoding: $0, as: UTF8.self) }
            .first { words.contains($0) }
    }

    private static func hex(_ octet: UInt8) -> String { (octet < 16 ? "0" : "") + String(octet, radix: 16) }

    private static func contains(_ octets: [UInt8], _ part: [UInt8]) -> Bool {
        guard octets.count >= part.count else { return false }
        return (0...octets.count - part.count).contains { octets[$0..<$0 + part.count].elementsEqual(part) }
    }
}
