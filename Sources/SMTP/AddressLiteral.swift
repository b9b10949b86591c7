// The grammar of address literals: [192.0.2.1] and [IPv6:2001:db8::1] (RFC 5321 §4.1.3). IPv6 is the only tag that was
// ever registered, so `[2001:db8::1]`, which the general form would admit, is an error.

extension PathParser {
    mutating func skipAddressLiteral() -> Bool {
        let start = index
        guard takes(UInt8(ascii: "[")) else { return false }
        let first = index
        while let octet = current, octet != UInt8(ascii: "]") {
            // dcontent: visible ASCII without [ \ ].
            guard octet.isVisible, octet != UInt8(ascii: "["), octet != UInt8(ascii: "\\") else { return false }
            index += 1
        }
        let inside = octets.slice(first, index)
        guard takes(UInt8(ascii: "]")), index - start <= Path.domainLimit else { return false }
        if inside.begins(with: "ipv6:") { return isIPv6(inside.slice(5, inside.count)) }
        return isIPv4(inside)
    }
}

/// Four numbers of one to three digits, none above 255.
package func isIPv4(_ octets: UnsafeRawBufferPointer) -> Bool {
    let parts = octets.split(separator: .dot, omittingEmptySubsequences: false)
    return parts.count == 4
        && parts.allSatisfy { part in
            guard part.count <= 3, let number = UnsafeRawBufferPointer(rebasing: part).number else { return false }
            return number <= 255
        }
}

/// IPv6-full, IPv6-comp, IPv6v4-full and IPv6v4-comp: eight groups of one to four hexadecimal digits, of which the
/// last two may be an IPv4 address, and one row of at least two may be left out as `::`.
package func isIPv6(_ octets: UnsafeRawBufferPointer) -> Bool {
    var groups = 0
    var compressed = false
    var index = 0
    let colon = UInt8(ascii: ":")
    if octets.count >= 2, octets[0] == colon, octets[1] == colon {
        compressed = true
        index = 2
        if index == octets.count { return true }
    }
    while true {
        let start = index
        while index < octets.count, isHexadecimal(octets[index]) { index += 1 }
        if index < octets.count, octets[index] == .dot {
            guard isIPv4(octets.slice(start, octets.count)) else { return false }
            groups += 2
            break
        }
        guard (1...4).contains(index - start) else { return false }
        groups += 1
        if index == octets.count { break }
        guard octets[index] == colon, index + 1 < octets.count else { return false }
        index += 1
        if octets[index] == colon {
            guard !compressed else { return false }
            compressed = true
            index += 1
            if index == octets.count { break }
        }
    }
    return compressed ? groups <= 6 : groups == 8
}

private func isHexadecimal(_ octet: UInt8) -> Bool {
    octet.isDigit || (97...102).contains(octet.lowercased)
}
