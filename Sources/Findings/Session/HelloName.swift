// The argument of EHLO and HELO, by the grammar of RFC 5321 §4.1.1.1: what kind of name it is and where it stands.

import SMTP

struct HelloName {
    enum Form: Equatable {
        case missing
        /// Octets beyond ASCII (RFC 6531 §3.7.1).
        case nonASCII
        /// An address without brackets.
        case bareAddress
        case literal(NetworkAddress)
        case brokenLiteral
        /// Neither domain nor literal.
        case invalid
        case domain
    }

    let form: Form
    /// Where in the line the name stands; what follows it; empty where nothing does.
    let name: Range<Int>
    let trailing: Range<Int>

    private static let (space, tab) = (UInt8(ascii: " "), UInt8(ascii: "\t"))

    init(_ command: TraceCommand) {
        let octets = command.octets
        var (start, end) = (command.argument.lowerBound, command.argument.upperBound)
        while start < end, Self.isBlank(octets[start]) { start += 1 }
        while end > start, Self.isBlank(octets[end - 1]) { end -= 1 }
        var nameEnd = start
        // A literal ends with its bracket, even where blanks stand inside.
        if start < end, octets[start] == UInt8(ascii: "["),
            let bracket = octets[start..<end].firstIndex(of: UInt8(ascii: "]"))
        {
            nameEnd = bracket
        }
        while nameEnd < end, !Self.isBlank(octets[nameEnd]) { nameEnd += 1 }
        name = start..<nameEnd
        while nameEnd < end, Self.isBlank(octets[nameEnd]) { nameEnd += 1 }
        trailing = nameEnd..<end
        let nonASCII = octets[start..<end].contains { $0 >= 0x80 }
        form = nonASCII ? .nonASCII : octets[name].withUnsafeBytes { Self.form($0) }
    }

    private static func isBlank(_ octet: UInt8) -> Bool { octet == space || octet == tab }

    private static func form(_ name: UnsafeRawBufferPointer) -> Form {
        guard let first = name.first else { return .missing }
        if first == UInt8(ascii: "[") {
            guard isDomainOrLiteral(name) else { return .brokenLiteral }
            let inside = UnsafeRawBufferPointer(rebasing: name[1..<name.count - 1])
            return NetworkAddress(octets: withoutTag(inside)).map { .literal($0) } ?? .brokenLiteral
        }
        if isIPv4(name) || isIPv6(withoutTag(name)) { return .bareAddress }
        return isDomainOrLiteral(name) ? .domain : .invalid
    }

    /// RFC 5321 §4.1.3: `IPv6:` in front of the address, in any case.
    private static func withoutTag(_ octets: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard OctetWords.equal(octets.prefix(5), "ipv6:") else { return octets }
        return UnsafeRawBufferPointer(rebasing: octets[5...])
    }
}

/// Octets compared with words, without making a String.
enum OctetWords {
    /// ASCII letters count as equal in either case (RFC 5321 §2.4).
    static func equal(_ octets: some Collection<UInt8>, _ text: String) -> Bool {
        octets.count == text.utf8.count && zip(octets, text.utf8).allSatisfy { small($0) == small($1) }
    }

    static func equal(_ one: some Collection<UInt8>, _ other: some Collection<UInt8>) -> Bool {
        one.count == other.count && zip(one, other).allSatisfy { small($0) == small($1) }
    }

    static func hasSuffix(_ octets: some BidirectionalCollection<UInt8>, _ text: String) -> Bool {
        equal(octets.suffix(text.utf8.count), text)
    }

    static func lowercased(_ octets: some Collection<UInt8>) -> String {
        String(decoding: octets.map(small), as: UTF8.self)
    }

    private static func small(_ octet: UInt8) -> UInt8 { (65...90).contains(octet) ? octet | 0x20 : octet }
}
