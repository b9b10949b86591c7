// Judges Message-ID, In-Reply-To and References by the grammar of msg-id (RFC 5322 §3.6.4), and the domain of the id.

enum MessageIDChecks {
    static func check(_ view: HeaderView, _ ledger: inout Ledger) {
        if let field = view.first(.messageID) {
            let ids = MessageIDs(view.octets, field.value)
            if ids.isRight, ids.count == 1 {
                ledger.kept(.hdrMessageIdSyntax)
                checkDomain(ids.firstDomain, field, view, &ledger)
            } else {
                view.message.broken(.hdrMessageIdSyntax, field.whole, &ledger)
            }
        }
        for name in [KnownField.inReplyTo, .references] {
            guard let field = view.first(name) else { continue }
            let ids = MessageIDs(view.octets, field.value)
            if ids.isRight, ids.count > 0 {
                ledger.kept(.hdrMessageIdSyntax)
            } else {
                view.message.broken(.hdrMessageIdSyntax, field.whole, &ledger)
            }
        }
    }

    /// Endings of names that are good in one network only (RFC 6762 §3, appendix G, RFC 2606 §2).
    private static let privateEndings: [StaticString] = [
        ".local", ".lan", ".localdomain", ".localhost", ".internal", ".home", ".corp",
    ]

    private static func checkDomain(
        _ domain: Range<Int>, _ field: ScannedField, _ view: HeaderView, _ ledger: inout Ledger
    ) {
        let octets = view.octets
        let labels = octets[domain].split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        let isAddress = labels.allSatisfy { $0.allSatisfy(FieldText.isDigit) }
        let isPrivate = privateEndings.contains { ending in
            let count = ending.utf8CodeUnitCount
            return domain.count > count
                && FieldText.equals(octets, domain.upperBound - count..<domain.upperBound, ending)
        }
        let isLiteral = octets[domain.lowerBound] == UInt8(ascii: "[")
        guard !isLiteral, labels.count < 2 || isAddress || isPrivate else {
            return ledger.kept(.hdrMessageIdNoDomain)
        }
        view.message.broken(
            .hdrMessageIdNoDomain, field.whole, &ledger,
            as: view.message.softened(
                to: .info, if: ledger.isLocalPeer, "the peer is this machine, which may have no better name", ledger))
    }
}

/// A row of msg-ids.
struct MessageIDs {
    private(set) var count = 0
    /// Nothing else stands among them.
    private(set) var isRight = true
    /// The right side of the first.
    private(set) var firstDomain = 0..<0

    init(_ octets: MessageOctets, _ value: Range<Int>) {
        var index = FieldText.behindComments(octets, value.lowerBound, value.upperBound)
        while index < value.upperBound {
            guard let id = Self.readID(octets, index, value.upperBound) else {
                isRight = false
                return
            }
            if count == 0 { firstDomain = id.domain }
            count += 1
            index = FieldText.behindComments(octets, id.end, value.upperBound)
        }
    }

    /// "<" dot-atom-text "@" (dot-atom-text / no-fold-literal) ">".
    private static func readID(_ octets: MessageOctets, _ start: Int, _ end: Int) -> (domain: Range<Int>, end: Int)? {
        guard octets[start] == UInt8(ascii: "<"), let at = dotAtomEnd(octets, start + 1, end),
            at < end, octets[at] == UInt8(ascii: "@"), at + 1 < end
        else { return nil }
        var close: Int
        if octets[at + 1] == UInt8(ascii: "[") {
            close = at + 2
            while close < end, octets[close] > 32, octets[close] < 127, octets[close] != UInt8(ascii: "["),
                octets[close] != UInt8(ascii: "\\"), octets[close] != UInt8(ascii: "]")
            {
                close += 1
            }
            guard close < end, octets[close] == UInt8(ascii: "]") else { return nil }
            close += 1
        } else {
            guard let behind = dotAtomEnd(octets, at + 1, end) else { return nil }
            close = behind
        }
        guard close < end, octets[close] == UInt8(ascii: ">") else { return nil }
        return (at + 1..<close, close + 1)
    }

    /// The end of a dot-atom-text; nil where there is none.
    static func dotAtomEnd(_ octets: MessageOctets, _ start: Int, _ end: Int) -> Int? {
        var index = start
        while true {
            let atom = index
            while index < end, FieldText.isAtomText(octets[index]) { index += 1 }
            guard index > atom else { return nil }
            guard index < end, octets[index] == UInt8(ascii: ".") else { return index }
            index += 1
        }
    }
}
