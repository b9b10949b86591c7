// The paths of MAIL and RCPT (RFC 5321 §4.1.2). A path that the grammar of the sink takes, and that is nothing out of
// the ordinary, is done with at once; only what is odd is taken apart to say what is wrong with it.

import SMTP

enum PathChecks {
    /// RFC 1035 §2.3.4, in octets.
    private static let labelLimit = 63

    private static let all: [RuleID] = [
        .mailSpaceAfterColon, .mailMissingBrackets, .mailAddressSyntax, .mailDomainNotFqdn, .mailLocalPartTooLong,
        .mailDomainTooLong, .mailPathTooLong, .mailDisplayName, .mailAddressLiteralSyntax, .mailSourceRoute,
        .mailNeedlessQuoting,
    ]

    /// - Returns: where the parameters begin; nil where that cannot be told.
    static func check(_ view: CommandView, isForward: Bool, _ ledger: inout Ledger) -> Int? {
        if let end = ordinary(view, isForward) {
            for rule in all { ledger.kept(rule) }
            return end
        }
        var diagnosis = PathDiagnosis(view, isForward: isForward)
        return diagnosis.run(&ledger)
    }

    /// Where a path ends that breaks no rule; nil where one has to look closer.
    private static func ordinary(_ view: CommandView, _ isForward: Bool) -> Int? {
        let octets = view.octets
        let start = 5 + (isForward ? 3 : 5)
        guard octets.count > start + 1, octets[start] == UInt8(ascii: "<"), octets[start + 1] != UInt8(ascii: "@"),
            octets[start + 1] != UInt8(ascii: "\""),
            PathDiagnosis.says(octets, 4, isForward ? " to:" : " from:")
        else { return nil }
        let path = octets.withUnsafeBytes { Path($0, from: start, forward: isForward) }
        guard let path, path.end == octets.count || octets[path.end] == 32 else { return nil }
        if path.mailbox.isEmpty { return path.end }
        guard hasOrdinaryDomain(octets, path.mailbox, isForward) else { return nil }
        return path.end
    }

    /// Two labels or more, none too long, the last not of digits; Postmaster needs none.
    private static func hasOrdinaryDomain(_ octets: [UInt8], _ mailbox: Range<Int>, _ isForward: Bool) -> Bool {
        guard let at = octets[mailbox].lastIndex(of: UInt8(ascii: "@")) else { return isForward }
        guard octets[mailbox.upperBound - 1] != UInt8(ascii: "]") else { return true }
        var labels = 1
        var count = 0
        var isNumber = true
        for index in at + 1..<mailbox.upperBound {
            if octets[index] == UInt8(ascii: ".") {
                if count > labelLimit { return false }
                (count, isNumber) = (0, true)
                labels += 1
            } else {
                count += 1
                if !(48...57).contains(octets[index]) { isNumber = false }
            }
        }
        return labels > 1 && count <= labelLimit && !isNumber
    }
}

/// Says what is wrong with the argument of MAIL or RCPT.
struct PathDiagnosis {
    private let view: CommandView
    private let octets: [UInt8]
    private let isForward: Bool

    init(_ view: CommandView, isForward: Bool) {
        self.view = view
        octets = view.octets
        self.isForward = isForward
    }

    /// Whether these octets stand there, whatever their case.
    ///
    /// - Parameter text: ASCII in small letters.
    static func says(_ octets: [UInt8], _ start: Int, _ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard start >= 0, start + count <= octets.count else { return false }
        return (0..<count).allSatisfy { offset in
            let octet = octets[start + offset]
            return ((65...90).contains(octet) ? octet | 0x20 : octet) == text.utf8Start[offset]
        }
    }

    private func broken(
        _ rule: RuleID, _ range: Range<Int>, _ ledger: inout Ledger, as severity: (Severity, reason: String)? = nil
    ) {
        ledger.broken(rule, view.evidence(range), under: view.under, as: severity, saw: view.excerpt(range))
    }

    private func isSpace(_ index: Int) -> Bool { octets[index] == 32 || octets[index] == 9 }

    // MARK: The argument

    mutating func run(_ ledger: inout Ledger) -> Int? {
        var index = view.command.argument.lowerBound
        while index < octets.count, isSpace(index) { index += 1 }
        guard Self.says(octets, index, isForward ? "to" : "from") else {
            broken(.mailAddressSyntax, view.whole, &ledger)
            return nil
        }
        index += isForward ? 2 : 4
        let keywordEnd = index
        while index < octets.count, isSpace(index) { index += 1 }
        guard index < octets.count, octets[index] == UInt8(ascii: ":") else {
            broken(.mailAddressSyntax, view.whole, &ledger)
            return nil
        }
        let hasSpaceBefore = index > keywordEnd
        index += 1
        let colonEnd = index
        while index < octets.count, isSpace(index) { index += 1 }
        guard index < octets.count else {
            broken(.mailAddressSyntax, view.whole, &ledger)
            return nil
        }
        if hasSpaceBefore || index > colonEnd {
            broken(.mailSpaceAfterColon, keywordEnd..<index, &ledger)
        } else {
            ledger.kept(.mailSpaceAfterColon)
        }
        return octets[index] == UInt8(ascii: "<") ? bracketed(index, &ledger) : bare(index, &ledger)
    }

    /// No bracket where the path has to begin.
    private func bare(_ start: Int, _ ledger: inout Ledger) -> Int? {
        let tokenEnd = octets[start...].firstIndex(of: 32) ?? octets.count
        if let open = octets[start...].firstIndex(of: UInt8(ascii: "<")),
            !octets[start..<open].contains(where: { $0 == UInt8(ascii: "@") || $0 == UInt8(ascii: "=") })
        {
            // A name, then the path.
            let end = octets[open...].firstIndex(of: UInt8(ascii: ">")).map { $0 + 1 } ?? octets.count
            broken(.mailDisplayName, start..<end, &ledger)
            return end
        }
        broken(.mailMissingBrackets, start..<tokenEnd, &ledger)
        return tokenEnd
    }

    /// What stands between brackets, quotes heeded.
    private func bracketed(_ open: Int, _ ledger: inout Ledger) -> Int? {
        var index = open + 1
        var isQuoted = false
        var inner: Int?
        var hasComment = false
        while index < octets.count, isQuoted || octets[index] != UInt8(ascii: ">") {
            switch octets[index] {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "\\") where isQuoted: index += 1
            case UInt8(ascii: "<") where !isQuoted: inner = inner ?? index
            case UInt8(ascii: "("), UInt8(ascii: ")"): if !isQuoted { hasComment = true }
            default: break
            }
            index += 1
        }
        guard index < octets.count else {
            let isUnclosed = !octets[open...].contains(UInt8(ascii: ">"))
            broken(isUnclosed ? .mailMissingBrackets : .mailAddressSyntax, open..<octets.count, &ledger)
            return isUnclosed ? octets[open...].firstIndex(of: 32) ?? octets.count : nil
        }
        ledger.kept(.mailMissingBrackets)
        var end = index + 1
        if inner != nil || hasComment {
            while inner != nil, end < octets.count, octets[end] == UInt8(ascii: ">") { end += 1 }
            broken(.mailDisplayName, open..<end, &ledger)
            return end
        }
        ledger.kept(.mailDisplayName)
        path(open..<end, &ledger)
        return end
    }

    // MARK: The path

    /// - Parameter range: with its brackets.
    private func path(_ range: Range<Int>, _ ledger: inout Ledger) {
        if range.count > Path.pathLimit {
            broken(.mailPathTooLong, range, &ledger)
        } else {
            ledger.kept(.mailPathTooLong)
        }
        var start = range.lowerBound + 1
        let end = range.upperBound - 1
        guard start < end else {
            if isForward { broken(.mailAddressSyntax, range, &ledger) }
            return
        }
        if octets[start] == UInt8(ascii: "@") {
            guard let colon = octets[start..<end].firstIndex(of: UInt8(ascii: ":")) else {
                return broken(.mailAddressSyntax, range, &ledger)
            }
            broken(.mailSourceRoute, range, &ledger)
            start = colon + 1
        } else {
            ledger.kept(.mailSourceRoute)
        }
        mailbox(start..<end, &ledger)
    }

    private func mailbox(_ range: Range<Int>, _ ledger: inout Ledger) {
        guard let at = lastAt(range) else {
            if isForward, range.count == 10, Self.says(octets, range.lowerBound, "postmaster") { return }
            broken(.mailDomainNotFqdn, range, &ledger, as: localReason(ledger))
            localPart(range, &ledger)
            return
        }
        localPart(range.lowerBound..<at, &ledger)
        domain(at + 1..<range.upperBound, &ledger)
    }

    private func lastAt(_ range: Range<Int>) -> Int? {
        var isQuoted = false
        var last: Int?
        var index = range.lowerBound
        while index < range.upperBound {
            switch octets[index] {
            case UInt8(ascii: "\""): isQuoted.toggle()
            case UInt8(ascii: "\\") where isQuoted: index += 1
            case UInt8(ascii: "@") where !isQuoted: last = index
            default: break
            }
            index += 1
        }
        return last
    }

    private func localPart(_ range: Range<Int>, _ ledger: inout Ledger) {
        if range.count > Path.localPartLimit {
            broken(.mailLocalPartTooLong, range, &ledger)
        } else {
            ledger.kept(.mailLocalPartTooLong)
        }
        let isGrammar = octets[range].withUnsafeBytes { MailboxGrammar.isLocalPart($0) && Self.isText($0) }
        guard isGrammar else { return broken(.mailAddressSyntax, range, &ledger) }
        ledger.kept(.mailAddressSyntax)
        if octets[range.lowerBound] == UInt8(ascii: "\""), isQuotedNeedlessly(range) {
            broken(.mailNeedlessQuoting, range, &ledger)
        } else {
            ledger.kept(.mailNeedlessQuoting)
        }
    }

    /// UTF-8, where there is anything but ASCII (RFC 6531 §3.3). Whether it may be there is another rule's matter.
    private static func isText(_ octets: UnsafeRawBufferPointer) -> Bool {
        !octets.contains { $0 >= 128 } || String(validating: octets, as: UTF8.self) != nil
    }

    /// Without its quotes and backslashes it would be a Dot-string, or a backslash stands before what needs none.
    private func isQuotedNeedlessly(_ range: Range<Int>) -> Bool {
        var plain: [UInt8] = []
        var index = range.lowerBound + 1
        while index < range.upperBound - 1 {
            if octets[index] == UInt8(ascii: "\\") {
                index += 1
                if octets[index] != UInt8(ascii: "\""), octets[index] != UInt8(ascii: "\\") { return true }
            }
            plain.append(octets[index])
            index += 1
        }
        guard plain.first != UInt8(ascii: "\"") else { return false }
        return plain.withUnsafeBytes { MailboxGrammar.isLocalPart($0) }
    }

    // MARK: The domain

    private func domain(_ range: Range<Int>, _ ledger: inout Ledger) {
        guard !range.isEmpty else {
            return broken(.mailAddressSyntax, range.lowerBound - 1..<range.upperBound, &ledger)
        }
        if octets[range.lowerBound] == UInt8(ascii: "[") {
            let isLiteral = octets[range].withUnsafeBytes { MailboxGrammar.isAddressLiteral($0) }
            if isLiteral {
                ledger.kept(.mailAddressLiteralSyntax)
            } else {
                broken(.mailAddressLiteralSyntax, range, &ledger)
            }
            return
        }
        let isAddress = octets[range].withUnsafeBytes { MailboxGrammar.isIPv4Address($0) }
        if isAddress || octets[range].contains(UInt8(ascii: ":")) {
            return broken(.mailAddressLiteralSyntax, range, &ledger)
        }
        let labels = octets[range].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if range.count > Path.domainLimit || labels.contains(where: { $0.count > 63 }) {
            broken(.mailDomainTooLong, range, &ledger)
        } else {
            ledger.kept(.mailDomainTooLong)
        }
        let isGrammar =
            range.count > Path.domainLimit
            || octets[range].withUnsafeBytes { MailboxGrammar.isDomain($0) && Self.isText($0) }
        guard isGrammar else { return broken(.mailAddressSyntax, range, &ledger) }
        // A country's domain can have an MX record; other single labels are names of hosts.
        if labels.count == 1, !(range.count == 2 && octets[range].allSatisfy { $0 > 57 }) {
            broken(.mailDomainNotFqdn, range, &ledger, as: localReason(ledger))
        } else {
            ledger.kept(.mailDomainNotFqdn)
        }
    }

    /// Programs on this machine write to and from its own short names.
    private func localReason(_ ledger: Ledger) -> (Severity, reason: String)? {
        guard ledger.isLocalPeer, ledger.settings.profile != .strict else { return nil }
        return (.info, "the peer is this machine, whose short names are usual on it")
    }
}
