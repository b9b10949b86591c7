// Boundaries of multiparts (RFC 2046 §5.1.1): the parameter, the delimiters in the body, and that no boundary can be
// taken for another.

enum BoundaryChecks {
    static func check(_ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        for index in view.scan.parts.indices where view.facts[index].isOwn {
            if view.scan.parts[index].isMultipart {
                checkParameter(index, input, view, &ledger)
                checkDelimiters(index, input, view, &ledger)
                checkCollision(index, input, view, &ledger)
            }
            checkBlankLine(index, input, view, &ledger)
        }
    }

    // MARK: The parameter

    private static func checkParameter(_ index: Int, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        let type = view.scan.parts[index].type
        guard let written = type.writtenParameter("boundary"), let boundary = type.parameters["boundary"] else {
            // RFC 2231 §3 would allow a boundary in sections. Who reads it so is another matter.
            if type.written.contains(where: { $0.name.hasPrefix("boundary*") }) { return }
            return ledger.broken(
                .mimeBoundaryParameter, view.evidence(view.typePlace(index)), under: input.disturbances,
                saw: "no boundary: " + view.excerpt(view.typePlace(index)))
        }
        guard let fault = fault(of: boundary, isQuoted: written.isQuoted) else {
            return ledger.kept(.mimeBoundaryParameter)
        }
        ledger.broken(
            .mimeBoundaryParameter, view.evidence(written.nameRange.lowerBound..<written.valueRange.upperBound),
            under: input.disturbances, saw: "\(fault): " + view.excerpt(written.valueRange))
    }

    /// RFC 2046 §5.1.1: 1 to 70 bchars, the last of them no space.
    private static func fault(of boundary: [UInt8], isQuoted: Bool) -> String? {
        guard let last = boundary.last else { return "empty" }
        if boundary.count > 70 { return "\(boundary.count) characters" }
        if last == FieldText.space { return "ends in a space" }
        if !boundary.allSatisfy(isBoundaryCharacter) { return "a character that may not stand in it" }
        if !isQuoted, !boundary.allSatisfy(FieldText.isToken) { return "needs quotes" }
        return nil
    }

    private static func isBoundaryCharacter(_ octet: UInt8) -> Bool {
        if FieldText.isDigit(octet) || FieldText.isLetter(octet) { return true }
        switch octet {
        case UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "+"), UInt8(ascii: "_"),
            UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "/"), UInt8(ascii: ":"),
            UInt8(ascii: "="), UInt8(ascii: "?"), FieldText.space:
            return true
        default: return false
        }
    }

    // MARK: The delimiters

    private static func checkDelimiters(_ index: Int, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        let part = view.scan.parts[index]
        let boundary = part.type.parameters["boundary"] ?? []
        // Without a boundary there is nothing to be found, with an encoding it is hidden: other rules say so.
        guard !boundary.isEmpty, part.hasBlankLine, view.facts[index].encoding.isIdentity else { return }
        if part.childCount == 0 {
            guard !view.scan.isCut else { return }
            return ledger.broken(
                .mimeBoundaryAbsentInBody, view.evidence(view.typePlace(index)), under: input.disturbances,
                saw: (part.isClosed ? "no part in front of the close-delimiter of " : "no line begins with --")
                    + Excerpt.octets(boundary))
        }
        ledger.kept(.mimeBoundaryAbsentInBody)
        if part.isClosed { return ledger.kept(.mimeClosingBoundaryMissing) }
        guard !view.scan.isCut else { return }
        let end = part.body.upperBound
        ledger.broken(
            .mimeClosingBoundaryMissing, view.evidence(max(part.body.lowerBound, end - 2)..<end),
            under: input.disturbances,
            saw: "the multipart ends without --\(Excerpt.octets(boundary))--")
    }

    // MARK: Collisions

    private static func checkCollision(_ index: Int, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        let part = view.scan.parts[index]
        guard let boundary = part.type.parameters["boundary"], !boundary.isEmpty else { return }
        var isClear = true
        // At most `MessageScan.depthLimit` parts are around it.
        var ancestor = part.parent
        while let outer = ancestor {
            ancestor = view.scan.parts[outer].parent
            guard let other = view.scan.parts[outer].type.parameters["boundary"], !other.isEmpty,
                view.scan.parts[outer].isMultipart, collide(boundary, other)
            else { continue }
            isClear = false
            ledger.broken(
                .mimeBoundaryCollision, view.evidence(view.typePlace(index)), under: input.disturbances,
                saw: "\(Excerpt.octets(boundary)) inside \(Excerpt.octets(other))")
            break
        }
        if part.lookalikes > 0 {
            isClear = false
            let line = OctetSearch.line(view.octets, from: part.firstLookalike, to: view.octets.count)
            let range = part.firstLookalike..<max(part.firstLookalike, line.end)
            ledger.broken(
                .mimeBoundaryCollision, view.evidence(range), under: input.disturbances,
                saw: "a line that begins with the boundary \(Excerpt.octets(boundary)): \(view.excerpt(range))")
        }
        if isClear, part.childCount > 0, !view.scan.isCut { ledger.kept(.mimeBoundaryCollision) }
    }

    /// One is the beginning of the other: RFC 2046 §5.1.1 compares boundaries with the beginning of a line.
    private static func collide(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count < other.count ? other.starts(with: one) : one.starts(with: other)
    }

    // MARK: The header of a part

    private static func checkBlankLine(_ index: Int, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        let part = view.scan.parts[index]
        guard let parent = part.parent, view.scan.parts[parent].isMultipart else { return }
        for field in part.fields where field.isStray {
            return ledger.broken(
                .mimePartBlankLineMissing, view.evidence(field.whole), under: input.disturbances,
                saw: view.excerpt(field.whole))
        }
        if part.hasBlankLine { ledger.kept(.mimePartBlankLineMissing) }
    }
}
