// The grammar of paths: reverse-path and forward-path (RFC 5321 §4.1.2), with source routes, quoted local parts and
// address literals, and the characters that RFC 6531 §3.3 adds. Decides by grammar; keeps the octets as they came.

/// Where a path stands in the argument of MAIL or RCPT.
package struct Path {
    /// RFC 5321 §4.5.3.1.1, §4.5.3.1.2, §4.5.3.1.3, in octets.
    package static let localPartLimit = 64
    package static let domainLimit = 255
    package static let pathLimit = 256

    /// The mailbox without brackets and source route; empty for `<>`.
    package let mailbox: Range<Int>
    /// Behind the closing bracket.
    package let end: Int
    let hasNonASCII: Bool

    /// - Returns: nil when the octets from `start` on are no path.
    /// - Parameter forward: a forward-path may be `<Postmaster>` and may not be empty (RFC 5321 §4.1.1.3).
    package init?(_ octets: UnsafeRawBufferPointer, from start: Int, forward: Bool) {
        guard start < octets.count, octets[start] == UInt8(ascii: "<") else { return nil }
        var parser = PathParser(octets: octets, index: start + 1)
        if parser.takes(UInt8(ascii: ">")) {
            guard !forward else { return nil }
            mailbox = start + 1..<start + 1
            end = parser.index
            hasNonASCII = false
            return
        }
        guard parser.skipSourceRoute() else { return nil }
        let first = parser.index
        guard parser.skipMailbox(postmaster: forward), parser.takes(UInt8(ascii: ">")) else { return nil }
        mailbox = first..<parser.index - 1
        guard mailbox.count + 2 <= Self.pathLimit else { return nil }
        end = parser.index
        hasNonASCII = parser.hasNonASCII
        if hasNonASCII, !octets.slice(first, parser.index - 1).isUTF8 { return nil }
    }
}

/// The parts of a mailbox by their grammar alone (RFC 5321 §4.1.2, §4.1.3), for whoever has to say which of them is
/// wrong. UTF-8 is not looked at.
package enum MailboxGrammar {
    /// Dot-string or quoted-string, of any length.
    package static func isLocalPart(_ octets: UnsafeRawBufferPointer) -> Bool {
        var parser = PathParser(octets: octets, index: 0)
        return parser.skipLocalPart() && parser.index == octets.count
    }

    /// A domain of at most 255 octets; labels of any length.
    package static func isDomain(_ octets: UnsafeRawBufferPointer) -> Bool {
        var parser = PathParser(octets: octets, index: 0)
        return parser.skipDomain() && parser.index == octets.count
    }

    package static func isAddressLiteral(_ octets: UnsafeRawBufferPointer) -> Bool {
        var parser = PathParser(octets: octets, index: 0)
        return parser.skipAddressLiteral() && parser.index == octets.count
    }

    /// An IPv4 address without brackets.
    package static func isIPv4Address(_ octets: UnsafeRawBufferPointer) -> Bool { isIPv4(octets) }
}

/// A domain or an address literal as it stands in EHLO (RFC 5321 §4.1.1.1).
package func isDomainOrLiteral(_ octets: UnsafeRawBufferPointer) -> Bool {
    var parser = PathParser(octets: octets, index: 0)
    return parser.skipDomainOrLiteral() && parser.index == octets.count
}

/// Moves over the octets as long as they obey the grammar.
struct PathParser {
    let octets: UnsafeRawBufferPointer
    var index: Int
    var hasNonASCII = false

    init(octets: UnsafeRawBufferPointer, index: Int) {
        self.octets = octets
        self.index = index
    }

    var current: UInt8? { index < octets.count ? octets[index] : nil }

    mutating func takes(_ octet: UInt8) -> Bool {
        guard index < octets.count, octets[index] == octet else { return false }
        index += 1
        return true
    }

    /// A-d-l ":" where there is one; it is recognised and thrown away (RFC 5321 §4.1.2, appendix C).
    mutating func skipSourceRoute() -> Bool {
        guard current == UInt8(ascii: "@") else { return true }
        repeat {
            guard takes(UInt8(ascii: "@")), skipDomain() else { return false }
        } while takes(UInt8(ascii: ","))
        return takes(UInt8(ascii: ":"))
    }

    mutating func skipMailbox(postmaster: Bool) -> Bool {
        let start = index
        guard skipLocalPart(), index - start <= Path.localPartLimit else { return false }
        guard takes(UInt8(ascii: "@")) else {
            // RFC 5321 §4.1.1.3: Postmaster alone, in any case.
            return postmaster && octets.slice(start, index).equals("postmaster")
        }
        return skipDomainOrLiteral()
    }

    /// Dot-string or quoted-string.
    fileprivate mutating func skipLocalPart() -> Bool {
        if takes(UInt8(ascii: "\"")) { return skipQuotedRest() }
        repeat {
            let start = index
            while let octet = current, octet.isAtomText {
                if octet.isNonASCII { hasNonASCII = true }
                index += 1
            }
            if index == start { return false }
        } while takes(.dot)
        return true
    }

    private mutating func skipQuotedRest() -> Bool {
        while let octet = current {
            index += 1
            if octet == UInt8(ascii: "\"") { return true }
            if octet == UInt8(ascii: "\\") {
                guard let quoted = current, (32...126).contains(quoted) else { return false }
                index += 1
            } else if !octet.isQuotedText {
                return false
            } else if octet.isNonASCII {
                hasNonASCII = true
            }
        }
        return false
    }

    mutating func skipDomainOrLiteral() -> Bool {
        if current == UInt8(ascii: "[") { return skipAddressLiteral() }
        return skipDomain()
    }

    /// sub-domain *("." sub-domain); a sub-domain begins and ends with a letter or digit.
    fileprivate mutating func skipDomain() -> Bool {
        let start = index
        repeat {
            guard let first = current, first.isLetterDigit else { return false }
            while let octet = current, octet.isLetterDigit || octet == UInt8(ascii: "-") {
                if octet.isNonASCII { hasNonASCII = true }
                index += 1
            }
            if octets[index - 1] == UInt8(ascii: "-") { return false }
        } while takes(.dot)
        return index - start <= Path.domainLimit
    }
}
