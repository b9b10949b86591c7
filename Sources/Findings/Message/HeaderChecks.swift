// Judges the header of a message (RFC 5322 §2.2, §3.6): which fields there are, how often, under what names. What
// fields of one kind hold is judged beside this: addresses, dates, message ids, encoded words, lists, signatures,
// traces.

enum HeaderChecks {
    static func check(
        _ input: MessageInput, _ scan: MessageScan, _ octets: UnsafeBufferPointer<UInt8>, _ ledger: inout Ledger
    ) {
        // An empty message has its own rule; everything would be missing from it.
        guard !DataChecks.isBlank(octets) else { return }
        let view = HeaderView(MessageView(input: input, scan: scan, octets: octets))
        checkPresence(view, &ledger)
        checkSingle(view, &ledger)
        checkNames(view, &ledger)
        checkSize(view, &ledger)
        checkEntityFields(view, &ledger)
        AddressChecks.check(view, &ledger)
        DateChecks.check(view, &ledger)
        MessageIDChecks.check(view, &ledger)
        EncodedWordChecks.check(view, &ledger)
        ListChecks.check(view, &ledger)
        SignatureChecks.check(view, &ledger)
        ARCChecks.check(view, &ledger)
        TraceFieldChecks.check(view, &ledger)
        AutomaticMailChecks.check(view, &ledger)
    }

    // MARK: Presence

    private static func checkPresence(_ view: HeaderView, _ ledger: inout Ledger) {
        let isSubmission = view.input.isSubmission || ledger.settings.profile == .submission
        require(
            .date, .hdrMissingDate, view, &ledger,
            as: view.message.softened(
                to: .should, if: isSubmission, "RFC 6409 §8.2: a submission server may add it", ledger))
        require(.from, .hdrMissingFrom, view, &ledger)
        require(
            .messageID, .hdrMessageIdMissing, view, &ledger,
            as: view.message.softened(
                to: .info, if: isSubmission, "RFC 6409 §8.3: a submission server may add it", ledger))
        checkSubject(view, &ledger)
        if view.count(.to) + view.count(.cc) + view.count(.bcc) > 0 {
            ledger.kept(.hdrNoDestination)
        } else if view.isMissing(.to) {
            view.message.broken(.hdrNoDestination, view.headerPlace, &ledger, saw: "no To, Cc or Bcc")
        }
    }

    private static func require(
        _ field: KnownField, _ rule: RuleID, _ view: HeaderView, _ ledger: inout Ledger,
        as severity: (Severity, reason: String)? = nil
    ) {
        if view.count(field) > 0 { return ledger.kept(rule) }
        guard view.isMissing(field) else { return }
        view.message.broken(
            rule, view.headerPlace, &ledger, as: severity, saw: "none among \(view.fields.count) lines of the header")
    }

    private static func checkSubject(_ view: HeaderView, _ ledger: inout Ledger) {
        guard let subject = view.first(.subject) else {
            if view.isMissing(.subject) {
                view.message.broken(.hdrSubjectMissing, view.headerPlace, &ledger, saw: "no Subject")
            }
            return
        }
        if FieldText.trimmed(view.octets, subject.value).isEmpty {
            view.message.broken(.hdrSubjectMissing, subject.whole, &ledger)
        } else {
            ledger.kept(.hdrSubjectMissing)
        }
    }

    // MARK: Number

    /// The fields that RFC 5322 §3.6 allows once. Trace fields, Comments, Keywords and all others may be repeated.
    private static let single: [KnownField] = [
        .date, .from, .sender, .replyTo, .to, .cc, .bcc, .messageID, .inReplyTo, .references, .subject,
    ]

    private static func checkSingle(_ view: HeaderView, _ ledger: inout Ledger) {
        var isKept = false
        for name in single where view.count(name) > 0 {
            guard view.count(name) > 1 else {
                isKept = true
                continue
            }
            var places = Places()
            var isFirst = true
            view.each(name) { field in
                if !isFirst { places.note(field.whole) }
                isFirst = false
            }
            view.message.judge(.hdrDuplicateField, places, &ledger)
        }
        if isKept { ledger.kept(.hdrDuplicateField) }
    }

    /// RFC 2045 §3: each of these once in a header, be it of the message or of a part.
    private static func checkEntityFields(_ view: HeaderView, _ ledger: inout Ledger) {
        var places = Places()
        var isSeen = false
        for part in view.message.scan.parts {
            var counts = (version: 0, type: 0, encoding: 0)
            for field in part.fields {
                var count = 0
                switch field.name.count {
                case 12 where FieldText.equals(view.octets, field.name, "mime-version"):
                    counts.version += 1
                    count = counts.version
                case 12 where FieldText.equals(view.octets, field.name, "content-type"):
                    counts.type += 1
                    count = counts.type
                case 25 where FieldText.equals(view.octets, field.name, "content-transfer-encoding"):
                    counts.encoding += 1
                    count = counts.encoding
                default: continue
                }
                isSeen = true
                if count > 1 { places.note(field.whole) }
            }
        }
        if isSeen { view.message.judge(.hdrMimeFieldDuplicate, places, &ledger) }
    }

    // MARK: Names

    /// RFC 5322 §2.2: a name is printable ASCII, and the colon follows it at once.
    private static func checkNames(_ view: HeaderView, _ ledger: inout Ledger) {
        let octets = view.octets
        var invalid = Places()
        var strays = Places()
        for (place, field) in view.fields.enumerated() {
            if place == 0, startsWithSpace(view, &ledger) || MboxLine.range(octets, view.message.scan) != nil {
                continue
            }
            if field.isStray {
                if looksLikeName(field, octets) { invalid.note(field.whole) } else { strays.note(field.whole) }
                continue
            }
            let name = HeaderIndex.name(of: field, octets)
            let isPrintable = name.allSatisfy { (33...126).contains(octets[$0]) }
            if field.hasSpaceBeforeColon || name.isEmpty || !isPrintable { invalid.note(field.whole) }
        }
        guard !view.fields.isEmpty else { return }
        view.message.judge(.hdrFieldNameInvalid, invalid, &ledger)
        view.message.judge(.hdrLineWithoutColon, strays, &ledger)
    }

    /// A folded line with nothing to belong to.
    private static func startsWithSpace(_ view: HeaderView, _ ledger: inout Ledger) -> Bool {
        guard let first = view.octets.first, FieldText.isSpace(first) else {
            ledger.kept(.hdrStartsWithSpace)
            return false
        }
        view.message.broken(.hdrStartsWithSpace, view.fields[0].whole, &ledger)
        return true
    }

    /// `Reply To: …` is meant as a field, `and so: …` is text that was meant to be folded. A name has few words, each
    /// with a capital at its beginning.
    private static func looksLikeName(_ field: ScannedField, _ octets: MessageOctets) -> Bool {
        guard let colon = FieldText.position(octets, of: UInt8(ascii: ":"), in: field.value) else { return false }
        guard colon - field.value.lowerBound <= 40 else { return false }
        var words = 0
        var isWordStart = true
        for index in field.value.lowerBound..<colon {
            let octet = octets[index]
            if FieldText.isFoldingSpace(octet) {
                if octet == FieldText.lf { return false }
                isWordStart = true
            } else if isWordStart {
                guard octet &- 65 < 26 else { return false }
                words += 1
                isWordStart = false
            }
        }
        return words <= 3
    }

    // MARK: Size

    /// Gmail's limits for headers, in octets and fields.
    private enum GmailLimit {
        static let header = 500 * 1024
        static let fields = 5000
        static let field = 32 * 1024
        static let messageID = 500
    }

    private static func checkSize(_ view: HeaderView, _ ledger: inout Ledger) {
        let header = view.message.scan.parts[0].header
        func tooLarge(_ range: Range<Int>, _ saw: String) {
            view.message.broken(.hdrBlockTooLarge, range, &ledger, saw: saw)
        }
        if header.count > GmailLimit.header { tooLarge(header, "a header of \(header.count) octets") }
        if view.fields.count > GmailLimit.fields { tooLarge(header, "at least \(view.fields.count) fields") }
        if header.count > GmailLimit.messageID {
            for (place, field) in view.fields.enumerated() {
                switch view.index.names[place] {
                case .to, .cc, .references: continue
                case .messageID where FieldText.trimmed(view.octets, field.value).count > GmailLimit.messageID:
                    tooLarge(field.whole, "a Message-ID of \(field.value.count) octets")
                default:
                    if field.whole.count > GmailLimit.field {
                        tooLarge(field.whole, "a field of \(field.whole.count) octets")
                    }
                }
            }
        }
        if !view.message.scan.isCut { ledger.kept(.hdrBlockTooLarge) }
    }
}
