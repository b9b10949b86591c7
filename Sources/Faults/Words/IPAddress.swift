// Addresses and networks of clients, IPv4 and IPv6, parsed without the system's resolver. Mapped addresses
// (::ffff:192.0.2.1) count as IPv4, so that a rule need not know how the listener was bound.

/// An IPv4 or IPv6 address as 128 bits; IPv4 lies in ::ffff:0:0/96.
package struct IPAddress: Sendable, Hashable, CustomStringConvertible {
    let high: UInt64
    let low: UInt64

    private static let mappedPrefix: UInt64 = 0xffff_0000_0000

    init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package var isV4: Bool { high == 0 && low >> 32 == 0xffff }

    /// From octets in network order: 4 or 16 of them, nil otherwise.
    package init?(octets: some Collection<UInt8>) {
        switch octets.count {
        case 4:
            self.init(high: 0, low: octets.reduce(0) { $0 << 8 | UInt64($1) } | Self.mappedPrefix)
        case 16:
            self.init(
                high: octets.prefix(8).reduce(0) { $0 << 8 | UInt64($1) },
                low: octets.dropFirst(8).reduce(0) { $0 << 8 | UInt64($1) })
        default: return nil
        }
    }

    /// Parses `192.0.2.1`, `2001:db8::1`, `::ffff:192.0.2.1`; a zone (`%eth0`) and brackets are ignored.
    package init?(_ text: some StringProtocol) {
        var bare = text[...]
        if bare.first == "[", bare.last == "]" { bare = bare.dropFirst().dropLast() }
        if let zone = bare.firstIndex(of: "%") { bare = bare[..<zone] }
        if bare.contains(":") {
            guard let groups = Self.groups(bare) else { return nil }
            self.init(
                high: groups.prefix(4).reduce(0) { $0 << 16 | UInt64($1) },
                low: groups.dropFirst(4).reduce(0) { $0 << 16 | UInt64($1) })
        } else {
            guard let octets = Self.dottedQuad(bare) else { return nil }
            self.init(octets: octets)
        }
    }

    private static func dottedQuad(_ text: some StringProtocol) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var octets: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (48...57).contains($0) }),
                let octet = UInt8(part)
            else { return nil }
            octets.append(octet)
        }
        return octets
    }

    /// The eight groups of an IPv6 address (RFC 4291 §2.2).
    private static func groups(_ text: some StringProtocol) -> [UInt16]? {
        let halves = splitAtDoubleColon(String(text))
        guard let halves, let left = groupList(halves.left), let right = groupList(halves.right) else { return nil }
        let count = left.count + right.count
        if halves.compressed {
            guard count <= 7 else { return nil }
            return left + Array(repeating: 0, count: 8 - count) + right
        }
        return count == 8 ? left : nil
    }

    private static func splitAtDoubleColon(_ text: String) -> (left: String, right: String, compressed: Bool)? {
        let octets = Array(text.utf8)
        let colon = UInt8(ascii: ":")
        var at: Int?
        for index in octets.indices.dropLast() where octets[index] == colon && octets[index + 1] == colon {
            guard at == nil else { return nil }  // a second `::`, or `:::`
            at = index
        }
        guard let at else { return (text, "", false) }
        return (
            String(decoding: octets[..<at], as: UTF8.self), String(decoding: octets[(at + 2)...], as: UTF8.self), true
        )
    }

    private static func groupList(_ text: String) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains(".") {
                guard let quad = dottedQuad(part) else { return nil }
                groups.append(UInt16(quad[0]) << 8 | UInt16(quad[1]))
                groups.append(UInt16(quad[2]) << 8 | UInt16(quad[3]))
            } else {
                guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(\.isHexDigit),
                    let group = UInt16(part, radix: 16)
                else { return nil }
                groups.append(group)
            }
        }
        return groups
    }

    package var description: String {
        if isV4 { return (0..<4).map { String(low >> (24 - 8 * UInt64($0)) & 0xff) }.joined(separator: ".") }
        let groups = (0..<8).map { index -> UInt64 in
            let half = index < 4 ? high : low
            return half >> (48 - 16 * UInt64(index % 4)) & 0xffff
        }
        // RFC 5952 §4.2: the longest run of zeros becomes `::`, the first of equals, never a single group.
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > best.count, end - start > 1 { best = start..<end }
            start = max(end, start + 1)
        }
        let hex = groups.map { String($0, radix: 16) }
        guard !best.isEmpty else { return hex.joined(separator: ":") }
        return hex[..<best.lowerBound].joined(separator: ":") + "::" + hex[best.upperBound...].joined(separator: ":")
    }
}

/// A network in CIDR notation (RFC 4632 §3.1, RFC 4291 §2.3).
package struct Network: Sendable, Hashable, CustomStringConvertible {
    let address: IPAddress
    /// Of 128; an IPv4 prefix counts 96 more.
    let prefix: Int
    private let maskHigh: UInt64
    private let maskLow: UInt64

    init(address: IPAddress, prefix: Int) {
        self.address = address
        self.prefix = prefix
        maskHigh = prefix == 0 ? 0 : ~0 << UInt64(64 - min(prefix, 64))
        maskLow = prefix <= 64 ? 0 : ~0 << UInt64(128 - prefix)
    }

    package func contains(_ other: IPAddress) -> Bool {
        other.isV4 == address.isV4 && (other.high ^ address.high) & maskHigh == 0
            && (other.low ^ address.low) & maskLow == 0
    }

    /// Parses `10.0.0.0/8`, `2001:db8::/32`, or one address.
    static func parse(_ text: String) -> Result<Network, RuleText> {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else {
            return .failure(
                "\"\(text.shown)\" is not an address or network; write 192.0.2.1, 10.0.0.0/8 or 2001:db8::/32")
        }
        let width = first.contains(":") ? 128 : 32
        guard parts.count == 2 else { return .success(Network(address: address, prefix: 128)) }
        guard (1...3).contains(parts[1].utf8.count), parts[1].utf8.allSatisfy({ (48...57).contains($0) }),
            let bits = Int(parts[1]), bits <= width
        else {
            return .failure(
                "\"\(text.shown)\": the prefix behind the slash is a number from 0 to \(width)")
        }
        let network = Network(address: address, prefix: bits + 128 - width)
        let base = IPAddress(high: address.high & network.maskHigh, low: address.low & network.maskLow)
        // IPv4 keeps its mapped prefix, which the mask always covers.
        guard base == address else {
            return .failure(
                "\"\(text.shown)\" has bits behind its prefix; did you mean \"\(base)/\(bits)\" or \"\(address)\"?")
        }
        return .success(network)
    }

    package var description: String {
        prefix == 128 ? address.description : "\(address)/\(address.isV4 ? prefix - 96 : prefix)"
    }
}

extension UInt8 {
    var isHexDigit: Bool { (48...57).contains(self) || (65...70).contains(self) || (97...102).contains(self) }
}
