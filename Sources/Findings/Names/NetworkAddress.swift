// The address of a peer, of a literal or of an address record as a number, so that two ways to write it are one
// address. IPv4 lies in ::ffff:0:0/96, so that nobody need know how a listener was bound.

import SMTP

/// An IPv4 or IPv6 address.
package struct NetworkAddress: Sendable, Hashable {
    let high: UInt64
    let low: UInt64

    private static let mappedPrefix: UInt64 = 0xffff_0000_0000

    /// `192.0.2.1` or `2001:db8::1`, a zone (`%eth0`) left aside; nil for all else.
    package init?(_ text: some StringProtocol) {
        let octets = Array(text.utf8.prefix { $0 != UInt8(ascii: "%") })
        guard let address = octets.withUnsafeBytes({ NetworkAddress(octets: $0) }) else { return nil }
        self = address
    }

    /// Address and port: `192.0.2.1:25`, `[2001:db8::1]:25`.
    init?(endpoint: String) {
        if endpoint.hasPrefix("["), let end = endpoint.firstIndex(of: "]") {
            self.init(endpoint[endpoint.index(after: endpoint.startIndex)..<end])
        } else if let colon = endpoint.lastIndex(of: ":"), endpoint.firstIndex(of: ":") == colon {
            self.init(endpoint[..<colon])
        } else {
            self.init(endpoint)
        }
    }

    init?(octets: UnsafeRawBufferPointer) {
        if isIPv4(octets) {
            high = 0
            low = Self.mappedPrefix | Self.number(ofIPv4: octets)
        } else if isIPv6(octets) {
            (high, low) = Self.numbers(ofIPv6: octets)
        } else {
            return nil
        }
    }

    package var isIPv4Address: Bool { high == 0 && low >> 32 == 0xffff }

    /// The octets in network order: four, or sixteen.
    var octets: [UInt8] {
        let words = isIPv4Address ? [] : [high]
        let all = (words + [low]).flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) } }
        return isIPv4Address ? Array(all.suffix(4)) : all
    }

    /// 127.0.0.0/8 and ::1.
    var isLoopback: Bool {
        isIPv4Address ? low >> 24 & 0xff == 127 : high == 0 && low == 1
    }

    /// This machine or a network without public names: loopback, private, link-local and shared addresses (RFC 1918,
    /// RFC 3927, RFC 4193, RFC 4291 §2.5.6, RFC 6598).
    var isLocal: Bool {
        if isLoopback { return true }
        guard isIPv4Address else { return high >> 57 == 0xfc >> 1 || high >> 54 == 0xfe80 >> 6 }
        let address = low & 0xffff_ffff
        return address >> 24 == 10 || address >> 20 == 0xac1 || address >> 16 == 0xc0a8 || address >> 16 == 0xa9fe
            || address >> 22 == 0x6440 >> 6
    }

    // MARK: Reading what the grammar has let pass

    private static func number(ofIPv4 octets: some Sequence<UInt8>) -> UInt64 {
        var (address, part) = (UInt64(0), UInt64(0))
        for octet in octets {
            if octet == UInt8(ascii: ".") {
                address = address << 8 | part
                part = 0
            } else {
                part = part * 10 + UInt64(octet & 0x0f)
            }
        }
        return address << 8 | part
    }

    private static func numbers(ofIPv6 octets: UnsafeRawBufferPointer) -> (high: UInt64, low: UInt64) {
        var groups: [UInt64] = []
        var gap: Int?
        var (start, group) = (0, UInt64(0))
        var index = 0
        while index < octets.count {
            let octet = octets[index]
            if octet == UInt8(ascii: ".") {
                let address = number(ofIPv4: octets[start...])
                groups += [address >> 16, address & 0xffff]
                start = octets.count
                break
            }
            if octet == UInt8(ascii: ":") {
                if index > start { groups.append(group) }
                if index > 0, octets[index - 1] == octet { gap = groups.count }
                (start, group) = (index + 1, 0)
            } else {
                group = group << 4 | UInt64(octet < 58 ? octet & 0x0f : (octet & 0x0f) + 9)
            }
            index += 1
        }
        if start < octets.count { groups.append(group) }
        if let gap { groups.insert(contentsOf: repeatElement(0, count: max(0, 8 - groups.count)), at: gap) }
        let high = groups.prefix(4).reduce(0) { $0 << 16 | $1 }
        return (high, groups.dropFirst(4).prefix(4).reduce(0) { $0 << 16 | $1 })
    }
}
