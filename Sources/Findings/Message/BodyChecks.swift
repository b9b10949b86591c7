// The rules that need the text of a message: charsets, links, HTML, marks of templates, the way to unsubscribe. Each
// text part is decoded once, and 4 MiB of it are looked at.

enum BodyChecks {
    static func check(
        _ input: MessageInput, _ scan: MessageScan, _ octets: UnsafeBufferPointer<UInt8>, _ ledger: inout Ledger
    ) {
        let view = MIMEView(octets, scan, message: input.message, transaction: input.transaction)
        var buffer = TextBuffer()
        var unsubscribing = Unsubscribing(isBulk: BulkMark.isBulk(view, input, ledger.settings.profile))
        var references = References()
        for index in scan.parts.indices where view.facts[index].isOwn && scan.parts[index].type.type == "text" {
            guard view.facts[index].encoding != .other else {
                unsubscribing.isUnread = true
                continue
            }
            PartText.read(view, index, &buffer) { text in
                CharsetChecks.check(text, input, view, &ledger)
                checkLineEnds(text, input, view, &ledger)
                checkContent(text, input, view, &ledger, &unsubscribing, &references)
            }
        }
        references.check(input, view, &ledger)
        unsubscribing.check(input, view, &ledger)
    }

    // MARK: Line ends inside base64

    private static func checkLineEnds(
        _ text: PartText, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        guard view.facts[text.part].encoding == .base64, text.charset != .wide else { return }
        let octets = text.octets
        var isSeen = false
        var index = 0
        while let feed = FieldText.position(octets, of: FieldText.lf, in: index..<octets.count) {
            isSeen = true
            index = feed + 1
            if feed > 0, octets[feed - 1] == FieldText.cr { continue }
            return reportLineEnd(text, feed, input, view, &ledger)
        }
        index = 0
        while let end = FieldText.position(octets, of: FieldText.cr, in: index..<octets.count) {
            index = end + 1
            if index < octets.count ? octets[index] == FieldText.lf : text.isCut { continue }
            return reportLineEnd(text, end, input, view, &ledger)
        }
        if isSeen, !text.isCut { ledger.kept(.mimeBase64TextBareLf) }
    }

    private static func reportLineEnd(
        _ text: PartText, _ place: Int, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        ledger.broken(
            .mimeBase64TextBareLf, view.evidence(text.source(place..<place + 1)), under: input.disturbances,
            saw: text.excerpt(max(0, place - 20)..<min(place + 10, text.octets.count)))
    }

    // MARK: What the text holds

    private static func checkContent(
        _ text: PartText, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger,
        _ unsubscribing: inout Unsubscribing, _ references: inout References
    ) {
        let subtype = view.scan.parts[text.part].type.subtype
        let isHTML = subtype == "html"
        guard isHTML || subtype == "plain", !view.facts[text.part].isAttachment else { return }
        guard text.charset.hasPlainASCII else {
            unsubscribing.isUnread = true
            return
        }
        let survey = BodySurvey.of(text, isHTML: isHTML)
        LinkChecks.check(survey, text, input, view, &ledger)
        let isWhole = !text.isCut
        report(survey.residues, .bodyTemplateResidue, text, isWhole, input, view, &ledger)
        if isHTML {
            report(survey.active, .bodyActiveContent, text, isWhole, input, view, &ledger)
            for hidden in survey.hidden {
                ledger.broken(
                    .bodyHiddenText, view.evidence(text.source(hidden.tag)), under: input.disturbances,
                    saw: "\(hidden.count) characters inside \(text.excerpt(hidden.tag))")
            }
            if survey.hidden.isEmpty, isWhole { ledger.kept(.bodyHiddenText) }
            references.add(survey, text)
        }
        unsubscribing.look(at: text, survey)
    }

    private static func report(
        _ places: [Range<Int>], _ rule: RuleID, _ text: PartText, _ isWhole: Bool, _ input: MessageInput,
        _ view: MIMEView, _ ledger: inout Ledger
    ) {
        for place in places {
            ledger.broken(
                rule, view.evidence(text.source(place)), under: input.disturbances, saw: text.excerpt(place))
        }
        if places.isEmpty, isWhole { ledger.kept(rule) }
    }
}

/// Whether a message is bulk mail: by the user's word, or by its own (List-Id, Precedence, Feedback-ID). Replies of
/// machines say so too, to be left in peace, and are none.
enum BulkMark {
    static func isBulk(_ view: MIMEView, _ input: MessageInput, _ profile: SenderProfile) -> Bool {
        var isMarked = profile == .bulk
        for field in view.scan.fields {
            switch field.name.count {
            case 7:
                if FieldText.equals(view.octets, field.name, "list-id") { isMarked = true }
            case 10:
                if FieldText.equals(view.octets, field.name, "precedence"), isBulkWord(view.octets, field.value) {
                    isMarked = true
                }
            case 11:
                if FieldText.equals(view.octets, field.name, "feedback-id") { isMarked = true }
            case 14:
                // RFC 3834 §5.
                if FieldText.equals(view.octets, field.name, "auto-submitted"),
                    !FieldText.begins(view.octets, FieldText.trimmed(view.octets, field.value), "no")
                {
                    return false
                }
            default: break
            }
        }
        return isMarked && !input.reversePath.address.isEmpty
    }

    private static func isBulkWord(_ octets: MessageOctets, _ value: Range<Int>) -> Bool {
        let word = FieldText.trimmed(octets, value)
        return FieldText.equals(octets, word, "bulk") || FieldText.equals(octets, word, "list")
    }
}

/// Whether bulk mail says how to unsubscribe (body-unsubscribe-link-missing).
private struct Unsubscribing {
    let isBulk: Bool
    /// Text that could not be read, or not to its end.
    var isUnread = false
    private var isRead = false
    private var hasLink = false
    private var hasWord = false

    init(isBulk: Bool) { self.isBulk = isBulk }

    mutating func look(at text: PartText, _ survey: BodySurvey) {
        guard isBulk else { return }
        isRead = true
        if text.isCut || survey.isCut { isUnread = true }
        if !survey.links.isEmpty { hasLink = true }
        if hasWord { return }
        hasWord = UnsubscribeWords.stand(in: text.octets)
        // The words of the list are UTF-8, and it does not have every language.
        if !hasWord, isForeign(text.octets) { isUnread = true }
    }

    /// One octet in ten is beyond ASCII: a script of its own.
    private func isForeign(_ octets: MessageOctets) -> Bool {
        var count = 0
        for octet in octets where octet >= 0x80 { count += 1 }
        return count * 10 > octets.count
    }

    func check(_ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        guard isBulk, isRead else { return }
        if hasWord, hasLink { return ledger.kept(.bodyUnsubscribeLinkMissing) }
        guard !isUnread, !view.scan.isCut else { return }
        ledger.broken(
            .bodyUnsubscribeLinkMissing, view.evidence(view.scan.parts[0].body), under: input.disturbances,
            saw: hasWord ? "a word for it, but no link" : "no word for it in text or links")
    }
}

/// References from HTML to other parts (RFC 2392), which must be there.
private struct References {
    private var all: [(id: [UInt8], place: Range<Int>)] = []

    mutating func add(_ survey: BodySurvey, _ text: PartText) {
        for reference in survey.contentIDs where all.count < BodySurvey.markLimit {
            all.append((Self.unescaped(reference.id), text.source(reference.range)))
        }
    }

    func check(_ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        guard !all.isEmpty, !view.scan.isCut else { return }
        var known: Set<[UInt8]> = []
        for facts in view.facts {
            guard let value = facts.contentID else { continue }
            var range = FieldText.trimmed(view.octets, value)
            if range.count > 1, view.octets[range.lowerBound] == UInt8(ascii: "<"),
                view.octets[range.upperBound - 1] == UInt8(ascii: ">")
            {
                range = range.lowerBound + 1..<range.upperBound - 1
            }
            known.insert([UInt8](view.octets[range]))
        }
        for reference in all {
            if known.contains(reference.id) {
                ledger.kept(.mimeRelatedIncomplete)
            } else {
                ledger.broken(
                    .mimeRelatedIncomplete, view.evidence(reference.place), under: input.disturbances,
                    as: (
                        .should, "that the part is there is advice (RFC 2392 §2); the type is required (RFC 2387)"
                    ),
                    saw: "cid:\(Excerpt.octets(reference.id)), and no part has that Content-ID")
            }
        }
    }

    /// RFC 2392 §2: what a URL cannot hold is escaped.
    private static func unescaped(_ id: [UInt8]) -> [UInt8] {
        guard id.contains(UInt8(ascii: "%")) else { return id }
        var result: [UInt8] = []
        var index = 0
        while index < id.count {
            if id[index] == UInt8(ascii: "%"), index + 2 < id.count, FieldText.isHexadecimal(id[index + 1]),
                FieldText.isHexadecimal(id[index + 2])
            {
                result.append(digit(id[index + 1]) << 4 | digit(id[index + 2]))
                index += 3
            } else {
                result.append(id[index])
                index += 1
            }
        }
        return result
    }

    private static func digit(_ octet: UInt8) -> UInt8 {
        FieldText.isDigit(octet) ? octet - 48 : (octet | 0x20) &- 87
    }
}
