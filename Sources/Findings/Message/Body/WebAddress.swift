// A link taken apart (RFC 3986 §3), and what can be held against it by its form alone.

struct WebAddress {
    /// Why a link is no valid absolute URI.
    enum Fault: String {
        case noScheme = "no scheme"
        case noHost = "no host"
        case space = "white space or a control character"
        case notASCII = "an octet that is not ASCII"
        case character = "a character that must be escaped"
        case percent = "% without two hexadecimal digits"
    }

    /// Octets of a link that are looked at.
    static let limit = 8192

    let octets: [UInt8]
    private(set) var scheme = 0..<0
    private(set) var userinfo: Range<Int>?
    /// In brackets where it is an IPv6 address.
    private(set) var host = 0..<0
    private(set) var port: Range<Int>?
    private(set) var fault: Fault?
    /// http or https.
    private(set) var isWeb = false
    private(set) var isClear = false

    /// - Parameters:
    ///   - octets: without white space at its ends, entities replaced.
    ///   - hasBase: the document says what relative links are relative to.
    init(_ octets: [UInt8], hasBase: Bool = false) {
        self.octets = octets
        octets.withUnsafeBufferPointer { read($0, hasBase) }
    }

    private mutating func read(_ octets: MessageOctets, _ hasBase: Bool) {
        var index = 0
        while index < octets.count, isSchemeOctet(octets[index], isFirst: index == 0) { index += 1 }
        let hasScheme = index > 0 && index < octets.count && octets[index] == UInt8(ascii: ":")
        if hasScheme {
            scheme = 0..<index
            isClear = FieldText.equals(octets, scheme, "http")
            isWeb = isClear || FieldText.equals(octets, scheme, "https")
        }
        if isWeb { readAuthority(octets, index + 1) }
        fault = characterFault(octets)
        if fault != nil { return }
        if !hasScheme, !hasBase { fault = .noScheme }
        if isWeb, host.isEmpty { fault = .noHost }
    }

    private func isSchemeOctet(_ octet: UInt8, isFirst: Bool) -> Bool {
        if FieldText.isLetter(octet) { return true }
        let isMark = octet == UInt8(ascii: "+") || octet == UInt8(ascii: "-") || octet == UInt8(ascii: ".")
        return !isFirst && (FieldText.isDigit(octet) || isMark)
    }

    private mutating func readAuthority(_ octets: MessageOctets, _ start: Int) {
        guard OctetSearch.holds(octets, "//", at: start, before: octets.count) else { return }
        var (begin, end) = (start + 2, start + 2)
        while end < octets.count, !isAuthorityEnd(octets[end]) {
            if octets[end] == UInt8(ascii: "@") {
                userinfo = start + 2..<end
                begin = end + 1
            }
            end += 1
        }
        var hostEnd = end
        var colon = end
        while colon > begin, FieldText.isDigit(octets[colon - 1]) { colon -= 1 }
        if colon > begin, octets[colon - 1] == UInt8(ascii: ":") {
            hostEnd = colon - 1
            port = colon..<end
        }
        host = begin..<max(begin, hostEnd)
    }

    private func isAuthorityEnd(_ octet: UInt8) -> Bool {
        octet == UInt8(ascii: "/") || octet == UInt8(ascii: "?") || octet == UInt8(ascii: "#")
            || octet == UInt8(ascii: "\\")
    }

    /// RFC 3986 §2. Brackets outside the host are let through: they are wrong and harmless, and half of the world uses
    /// them.
    private func characterFault(_ octets: MessageOctets) -> Fault? {
        var index = 0
        while index < octets.count {
            let octet = octets[index]
            switch octet {
            case 0...32, 127: return .space
            case 0x80...: return .notASCII
            case UInt8(ascii: "\""), UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\\"), UInt8(ascii: "^"),
                UInt8(ascii: "`"), UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
                return .character
            case UInt8(ascii: "%"):
                guard index + 2 < octets.count, FieldText.isHexadecimal(octets[index + 1]),
                    FieldText.isHexadecimal(octets[index + 2])
                else { return .percent }
            default: break
            }
            index += 1
        }
        return nil
    }

    // MARK: The host

    /// In small letters, without the dot at its end, 255 octets at most.
    var hostName: [UInt8] {
        var name = octets[host].prefix(255).map(FieldText.small)
        if name.last == UInt8(ascii: ".") { name.removeLast() }
        return name
    }

    /// RFC 3986 §3.2.2, and the forms that readers understand beside it: decimal, octal, hexadecimal, in one number or
    /// four.
    static func isIPAddress(_ host: [UInt8]) -> Bool {
        if host.first == UInt8(ascii: "[") { return true }
        let last = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).last ?? []
        guard let first = last.first else { return false }
        if last.allSatisfy(FieldText.isDigit) { return true }
        guard first == UInt8(ascii: "0"), last.count > 2, last[last.startIndex + 1] | 0x20 == UInt8(ascii: "x") else {
            return false
        }
        return last.dropFirst(2).allSatisfy(FieldText.isHexadecimal)
    }

    /// This machine or a private network (RFC 1918, RFC 6761 §6.3): where a staging system leads.
    static func isLocal(_ host: [UInt8]) -> Bool {
        let name = String(decoding: host, as: UTF8.self)
        if name == "localhost" || name.hasSuffix(".localhost") || name == "[::1]" { return true }
        guard isIPAddress(host) else { return false }
        if name.hasPrefix("127.") || name.hasPrefix("10.") || name.hasPrefix("192.168.") { return true }
        let labels = name.split(separator: ".")
        return labels.count == 4 && labels[0] == "172" && (16...31).contains(Int(labels[1]) ?? 0)
    }

    /// Whether two hosts are likely to be of one owner: the last two labels are the same. A list of public suffixes
    /// would know better; without it `a.co.uk` and `b.co.uk` pass for one, and nobody is accused wrongly.
    static func areRelated(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        if isIPAddress(one) || isIPAddress(other) { return one == other }
        return domain(one) == domain(other)
    }

    private static func domain(_ host: [UInt8]) -> ArraySlice<UInt8> {
        var dots = 0
        for index in host.indices.reversed() where host[index] == UInt8(ascii: ".") {
            dots += 1
            if dots == 2 { return host[(index + 1)...] }
        }
        return host[...]
    }
}
