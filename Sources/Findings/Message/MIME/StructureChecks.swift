// How the parts of a message fit together: alternatives from plain to rich (RFC 2046 §5.1.4), HTML that has a plain
// text beside it, the type of multipart/related (RFC 2387 §3.1), reports (RFC 6522).

enum StructureChecks {
    static func check(_ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        checkHTML(input, view, &ledger)
        guard view.scan.parts.count > 1 else { return }
        let children = Children(view)
        for index in view.facts.indices where view.facts[index].isOwn && view.scan.parts[index].isMultipart {
            switch view.scan.parts[index].type.subtype {
            case "alternative": checkOrder(children.of(index), input, view, &ledger)
            case "related": checkRelated(index, input, view, &ledger)
            case "report": checkReport(index, children.of(index), input, view, &ledger)
            default: break
            }
        }
    }

    /// The direct parts of each multipart, in their order; all in one array, so that many parts cost no more than few.
    private struct Children {
        private var starts: [Int]
        private var all: [Int]

        init(_ view: MIMEView) {
            let parts = view.scan.parts
            starts = [Int](repeating: 0, count: parts.count + 1)
            for part in parts { if let parent = part.parent { starts[parent + 1] += 1 } }
            for index in 1..<starts.count { starts[index] += starts[index - 1] }
            all = [Int](repeating: 0, count: parts.count)
            var next = starts
            for (index, part) in parts.enumerated() {
                guard let parent = part.parent else { continue }
                all[next[parent]] = index
                next[parent] += 1
            }
        }

        func of(_ index: Int) -> ArraySlice<Int> { all[starts[index]..<starts[index + 1]] }
    }

    // MARK: HTML and its alternative

    private static func checkHTML(_ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        var firstAlone: Int?
        var isSeen = false
        let parts = view.scan.parts
        var hasPlain = [Bool](repeating: false, count: parts.count)
        for index in parts.indices.reversed() where view.facts[index].isOwn && !view.facts[index].isAttachment {
            if parts[index].type.isType("text", "plain") { hasPlain[index] = true }
            if hasPlain[index], let parent = parts[index].parent { hasPlain[parent] = true }
        }
        var isAccompanied = [Bool](repeating: false, count: parts.count)
        for index in parts.indices where view.facts[index].isOwn {
            let type = parts[index].type
            if let parent = parts[index].parent {
                let isAlternative = parts[parent].type.isType("multipart", "alternative")
                isAccompanied[index] = isAccompanied[parent] || isAlternative && hasPlain[parent]
            }
            guard type.isType("text", "html"), !view.facts[index].isAttachment else { continue }
            isSeen = true
            if !isAccompanied[index], firstAlone == nil { firstAlone = index }
        }
        guard isSeen, !view.scan.isCut else { return }
        guard let firstAlone else { return ledger.kept(.mimeHtmlWithoutText) }
        ledger.broken(
            .mimeHtmlWithoutText, view.evidence(view.typePlace(firstAlone)), under: input.disturbances,
            saw: view.excerpt(view.typePlace(firstAlone)))
    }

    private static func checkOrder(
        _ children: ArraySlice<Int>, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        var rich: Int?
        var hasPlain = false
        for child in children {
            let type = view.scan.parts[child].type
            if type.isType("text", "html") || type.isType("multipart", "related") {
                if rich == nil { rich = child }
            } else if type.isType("text", "plain") {
                hasPlain = true
                guard let rich else { continue }
                return ledger.broken(
                    .mimeAlternativeOrder, view.evidence(view.typePlace(child)), under: input.disturbances,
                    saw: "text/plain behind " + view.excerpt(view.typePlace(rich)))
            }
        }
        if rich != nil, hasPlain { ledger.kept(.mimeAlternativeOrder) }
    }

    private static func checkRelated(_ index: Int, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        let type = view.scan.parts[index].type
        if type.written.contains(where: { $0.name == "type" || $0.name.hasPrefix("type*") }) {
            return ledger.kept(.mimeRelatedIncomplete)
        }
        ledger.broken(
            .mimeRelatedIncomplete, view.evidence(view.typePlace(index)), under: input.disturbances,
            saw: "no type: " + view.excerpt(view.typePlace(index)))
    }

    // MARK: Reports

    private static func checkReport(
        _ index: Int, _ children: ArraySlice<Int>, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        let place = view.typePlace(index)
        guard let kind = view.scan.parts[index].type.parameters["report-type"], !kind.isEmpty else {
            return ledger.broken(
                .mimeReportMalformed, view.evidence(place), under: input.disturbances,
                saw: "no report-type: " + view.excerpt(place))
        }
        // What is missing may stand beyond the limit, and parts that could not be found are another rule's.
        guard !view.scan.isCut, !children.isEmpty else { return }
        let second = children.dropFirst().first
        let subtype = second.map { view.scan.parts[$0].type.subtype } ?? ""
        guard fits(subtype, kind) else {
            return ledger.broken(
                .mimeReportMalformed, view.evidence(second.map(view.typePlace) ?? place), under: input.disturbances,
                saw: second.map { "report-type \(Excerpt.octets(kind)), but " + view.excerpt(view.typePlace($0)) }
                    ?? "no second part")
        }
        let word = kind.map(FieldText.small)
        let wantsNull =
            word.elementsEqual("delivery-status".utf8) || word.elementsEqual("disposition-notification".utf8)
        // A user who sends a bounce on is not its maker: only the report as the whole message counts.
        if index == 0, wantsNull, !input.reversePath.address.isEmpty {
            return ledger.broken(
                .mimeReportMalformed, view.evidence(place), under: input.disturbances,
                saw: "sent with MAIL FROM:<\(Excerpt.octets(input.reversePath.address))>")
        }
        ledger.kept(.mimeReportMalformed)
    }

    /// RFC 6522 §3: report-type is the subtype of the second part. RFC 6533 puts `global-` in front of it, and RFC
    /// 8460 §5.3 the way of packing behind a plus sign.
    private static func fits(_ subtype: String, _ kind: [UInt8]) -> Bool {
        let word = String(decoding: kind.prefix(100).map(FieldText.small), as: UTF8.self)
        return subtype == word || subtype == "global-" + word || subtype.hasPrefix(word + "+")
    }
}
