// Content-Transfer-Encoding (RFC 2045 §6): whether the word is known, whether it may stand on this type, whether the
// content is what it says. Of an encoded part one pass is made, and each rule is found broken at most once a part,
// with how often.

enum TransferEncodingChecks {
    /// RFC 2045 §6.7 (5), §6.8: characters in an encoded line, its CRLF not among them.
    static let lineLimit = 76

    static func check(_ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        /// Beyond ASCII and labelled so: what encloses it must be labelled so as well.
        var carries8bit = [Bool](repeating: false, count: view.facts.count)
        for index in view.facts.indices where view.facts[index].isOwn {
            let part = view.scan.parts[index]
            checkWord(index, part, input, view, &ledger)
            if isComposite(part.type) { checkComposite(index, input, view, &ledger) }
            if part.isMultipart { continue }
            switch view.facts[index].encoding {
            case .sevenBit: checkSevenBit(index, part.body, input, view, &ledger)
            case .eightBit, .binary: carries8bit[index] = OctetSearch.firstHigh(view.octets, part.body) != nil
            case .base64: checkBase64(part.body, input, view, &ledger)
            case .quotedPrintable: checkQuotedPrintable(part.body, input, view, &ledger)
            case .other: break
            }
        }
        for index in view.facts.indices.reversed() where carries8bit[index] {
            if let parent = view.scan.parts[index].parent { carries8bit[parent] = true }
        }
        for index in view.facts.indices where carries8bit[index] {
            if view.facts[index].encoding == .sevenBit {
                ledger.broken(
                    .mimeCteFalse, view.evidence(view.encodingPlace(index)), under: input.disturbances,
                    saw: "7bit around a part that is 8bit: " + view.excerpt(view.encodingPlace(index)))
            } else {
                ledger.kept(.mimeCteFalse)
            }
        }
    }

    // MARK: The word

    private static func checkWord(
        _ index: Int, _ part: ScannedPart, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        guard let word = part.encoding else { return }
        // RFC 2045 §6.3 leaves x-tokens to those who agree on them.
        if view.facts[index].encoding != .other || word.hasPrefix("x-") { return ledger.kept(.mimeCteUnknown) }
        let place = view.encodingPlace(index)
        ledger.broken(
            .mimeCteUnknown, view.evidence(place), under: input.disturbances, saw: view.excerpt(place))
    }

    /// Types whose body holds fields and parts itself (RFC 2045 §6.4, RFC 2046 §5.2). message/global may be encoded
    /// (RFC 6532 §3.5), and so may what only reports about a message.
    private static func isComposite(_ type: ContentType) -> Bool {
        switch type.type {
        case "multipart": true
        case "message": type.subtype == "rfc822" || type.subtype == "partial" || type.subtype == "external-body"
        default: false
        }
    }

    private static func checkComposite(_ index: Int, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        switch view.facts[index].encoding {
        case .sevenBit, .eightBit, .binary: ledger.kept(.mimeCteOnComposite)
        case .other: break
        case .base64, .quotedPrintable:
            let place = view.encodingPlace(index)
            ledger.broken(
                .mimeCteOnComposite, view.evidence(place), under: input.disturbances, saw: view.excerpt(place))
        }
    }

    private static func checkSevenBit(
        _ index: Int, _ body: Range<Int>, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        guard let high = OctetSearch.firstHigh(view.octets, body) else { return ledger.kept(.mimeCteFalse) }
        ledger.broken(
            .mimeCteFalse, view.evidence(high..<high + 1), under: input.disturbances,
            saw: (view.facts[index].encodingField == nil ? "no label" : "labelled 7bit") + ", but "
                + Excerpt.octets(view.octets[high..<min(high + 20, body.upperBound)]))
    }

    // MARK: Base64

    private static func checkBase64(
        _ body: Range<Int>, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        let found = Base64Survey(view.octets, body)
        report(found.longLines, .mimeBase64LineTooLong, input, view, &ledger)
        if let fault = found.fault, !(fault.isLength && view.scan.isCut) {
            let range = fault.place..<min(fault.place + 1, view.octets.count)
            ledger.broken(
                .mimeBase64Invalid, view.evidence(range), under: input.disturbances,
                saw: fault.words + (range.isEmpty ? "" : ": " + Excerpt.octets(view.octets[range])))
        } else if found.fault == nil {
            ledger.kept(.mimeBase64Invalid)
        }
    }

    private static func report(
        _ lines: LongLines, _ rule: RuleID, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        guard let first = lines.first else { return ledger.kept(rule) }
        ledger.broken(
            rule, view.evidence(first), under: input.disturbances,
            saw: "\(lines.count) lines longer than \(lineLimit), the longest \(lines.longest) characters")
    }

    // MARK: Quoted-printable

    private static func checkQuotedPrintable(
        _ body: Range<Int>, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        let found = QuotedPrintableSurvey(view.octets, body)
        report(found.longLines, .mimeQpLineTooLong, input, view, &ledger)
        if let place = found.firstFault {
            ledger.broken(
                .mimeQpInvalid, view.evidence(place..<min(place + 3, body.upperBound)), under: input.disturbances,
                saw: "\(found.faults) times, first: "
                    + Excerpt.octets(view.octets[place..<min(place + 3, body.upperBound)]))
        } else {
            ledger.kept(.mimeQpInvalid)
        }
        if let place = found.firstTrailingSpace {
            ledger.broken(
                .mimeQpTrailingSpace, view.evidence(place..<place + 1), under: input.disturbances,
                saw: "\(found.trailingSpaces) lines end in white space")
        } else {
            ledger.kept(.mimeQpTrailingSpace)
        }
    }
}
