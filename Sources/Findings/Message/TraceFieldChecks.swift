// Judges the fields that a message collects on its way: Return-Path, Received (RFC 5321 §4.4, RFC 5322 §3.6.7), blocks
// of Resent- fields (RFC 5322 §3.6.6), and TLS-Required (RFC 8689 §3).

enum TraceFieldChecks {
    static func check(_ view: HeaderView, _ ledger: inout Ledger) {
        if let field = view.first(.returnPath) {
            view.message.broken(.hdrReturnPathPresent, field.whole, &ledger)
        } else if view.isMissing(.returnPath) {
            ledger.kept(.hdrReturnPathPresent)
        }
        // The topmost is the sender's own; those below were written by others.
        if let field = view.first(.received) { checkReceived(field, view, &ledger) }
        checkResent(view, &ledger)
        checkTLSRequired(view, &ledger)
    }

    // MARK: Received

    private static func checkReceived(_ field: ScannedField, _ view: HeaderView, _ ledger: inout Ledger) {
        guard let fault = fault(ofReceived: field.value, view.octets) else { return ledger.kept(.hdrReceivedSyntax) }
        view.message.broken(
            .hdrReceivedSyntax, field.whole, &ledger, saw: fault + ": " + Excerpt.octets(view.octets[field.value]))
    }

    /// Words, a semicolon, a date; among the words is `by`.
    private static func fault(ofReceived value: Range<Int>, _ octets: MessageOctets) -> String? {
        var index = value.lowerBound
        var semicolon: Int?
        var hasBy = false
        while index < value.upperBound {
            index = FieldText.behindComments(octets, index, value.upperBound)
            guard index < value.upperBound else { break }
            switch octets[index] {
            case UInt8(ascii: ";"):
                semicolon = index
                index += 1
            case UInt8(ascii: "\""):
                index += 1
                while index < value.upperBound, octets[index] != UInt8(ascii: "\"") {
                    index += octets[index] == UInt8(ascii: "\\") ? 2 : 1
                }
                index += 1
            default:
                let start = index
                while index < value.upperBound, !FieldText.isFoldingSpace(octets[index]), octets[index] != 0x28,
                    octets[index] != UInt8(ascii: ";"), octets[index] != UInt8(ascii: "\"")
                {
                    index += 1
                }
                if semicolon == nil, FieldText.equals(octets, start..<index, "by") { hasBy = true }
            }
        }
        guard let semicolon else { return "no semicolon and date" }
        guard let date = DateTime(octets, semicolon + 1..<value.upperBound) else {
            return "no date behind the semicolon"
        }
        if case .obsolete = date.form { return "a date in obsolete form" }
        if let impossibility = date.impossibility { return "a date that cannot be (\(impossibility))" }
        return hasBy ? nil : "no by"
    }

    // MARK: Resent

    /// Fields of one block stand together (RFC 5322 §3.6.6); every block has Resent-From and Resent-Date.
    private static func checkResent(_ view: HeaderView, _ ledger: inout Ledger) {
        guard view.count(.resentDate) + view.count(.resentFrom) + view.count(.resentOther) > 0 else { return }
        var places = Places()
        var block: (start: Int, hasDate: Bool, hasFrom: Bool)?
        func close(_ end: Int) {
            if let one = block, !one.hasDate || !one.hasFrom {
                places.note(view.fields[one.start].whole.lowerBound..<view.fields[end - 1].whole.upperBound)
            }
            block = nil
        }
        for (place, name) in view.index.names.enumerated() {
            switch name {
            case .resentDate, .resentFrom, .resentOther:
                var one = block ?? (place, false, false)
                if name == .resentDate { one.hasDate = true }
                if name == .resentFrom { one.hasFrom = true }
                block = one
            default: close(place)
            }
        }
        if !view.message.scan.isCut { close(view.fields.count) }
        view.message.judge(.hdrResentIncomplete, places, &ledger)
    }

    // MARK: TLS-Required

    private static func checkTLSRequired(_ view: HeaderView, _ ledger: inout Ledger) {
        guard let field = view.first(.tlsRequired) else { return }
        if view.count(.tlsRequired) > 1 {
            view.message.broken(
                .hdrTlsRequiredRepeated, field.whole, &ledger, saw: "\(view.count(.tlsRequired)) TLS-Required")
        } else if FieldText.equals(view.octets, FieldText.trimmed(view.octets, field.value), "no") {
            ledger.kept(.hdrTlsRequiredRepeated)
        } else {
            view.message.broken(.hdrTlsRequiredRepeated, field.whole, &ledger)
        }
    }
}

/// Mail that a machine writes on its own says so (RFC 3834 §3.1.7, §5).
enum AutomaticMailChecks {
    static func check(_ view: HeaderView, _ ledger: inout Ledger) {
        if view.count(.autoSubmitted) > 0 { return ledger.kept(.hdrAutoSubmittedMissing) }
        guard view.isMissing(.autoSubmitted), let reason = reason(view) else { return }
        view.message.broken(
            .hdrAutoSubmittedMissing, view.headerPlace, &ledger, saw: "no Auto-Submitted, but " + reason)
    }

    /// What tells that it is automatic; nil where nothing does. Reports say what they are by their type (RFC 6522).
    private static func reason(_ view: HeaderView) -> String? {
        let root = view.message.scan.parts[0]
        if root.isMultipart, root.type.subtype == "report" { return nil }
        if view.input.reversePath.address.isEmpty { return "the sender is <>" }
        if view.count(.autoReply) > 0 { return "a field of automatic replies" }
        if let field = view.first(.precedence),
            FieldText.equals(view.octets, FieldText.trimmed(view.octets, field.value), "auto_reply")
        {
            return "Precedence: auto_reply"
        }
        if let field = view.first(.subject), isReplyOfMachine(view.octets, field.value) {
            return "Subject: " + Excerpt.octets(view.octets[FieldText.trimmed(view.octets, field.value)])
        }
        return nil
    }

    /// People write of being out of office too: the words alone, or with a colon behind them.
    private static func isReplyOfMachine(_ octets: MessageOctets, _ value: Range<Int>) -> Bool {
        let text = FieldText.trimmed(octets, value)
        for words: StaticString in [
            "out of office", "out of office autoreply", "automatic reply", "auto-reply", "autoreply",
        ]
        where FieldText.begins(octets, text, words) {
            let end = text.lowerBound + words.utf8CodeUnitCount
            if end == text.upperBound || octets[end] == UInt8(ascii: ":") { return true }
        }
        return false
    }
}
