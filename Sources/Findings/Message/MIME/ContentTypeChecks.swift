// MIME-Version and the grammar of Content-Type (RFC 2045 §4, §5.1). A boundary that needs quotes and has none is left
// to the rule about boundaries: one slip, one finding.

enum ContentTypeChecks {
    static func check(_ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        checkVersion(input, view, &ledger)
        for index in view.scan.parts.indices where view.facts[index].isOwn && view.scan.parts[index].type.isGiven {
            checkSyntax(index, input, view, &ledger)
        }
    }

    private static func checkVersion(_ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        var isGiven = false
        for field in view.scan.fields where FieldText.equals(view.octets, field.name, "mime-version") {
            isGiven = true
            if isVersionOne(view.octets, field.value) {
                ledger.kept(.mimeVersionMissing)
            } else {
                ledger.broken(
                    .mimeVersionMissing, view.evidence(field.whole), under: input.disturbances,
                    saw: view.excerpt(field.whole))
            }
        }
        guard !isGiven, !view.scan.isCut, let field = view.facts[0].typeField ?? view.facts[0].encodingField else {
            return
        }
        ledger.broken(
            .mimeVersionMissing, view.evidence(field), under: input.disturbances,
            saw: "no MIME-Version beside " + view.excerpt(field))
    }

    /// `1.0`, with comments and white space wherever they like to be (RFC 2045 §4).
    private static func isVersionOne(_ octets: MessageOctets, _ value: Range<Int>) -> Bool {
        var found = 0
        var index = value.lowerBound
        let wanted: StaticString = "1.0"
        while true {
            index = FieldText.behindComments(octets, index, value.upperBound)
            guard index < value.upperBound else { return found == 3 }
            guard found < 3, octets[index] == wanted.utf8Start[found] else { return false }
            found += 1
            index += 1
        }
    }

    private static func checkSyntax(_ index: Int, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        let type = view.scan.parts[index].type
        let isBoundary = type.fault.map { fault in
            type.writtenParameter("boundary")?.valueRange.contains(fault) ?? false
        }
        if isBoundary == false || type.endsInSemicolon {
            ledger.broken(
                .mimeContentTypeSyntax, view.evidence(view.typePlace(index)), under: input.disturbances,
                saw: view.excerpt(view.typePlace(index)))
        } else if isBoundary == nil {
            ledger.kept(.mimeContentTypeSyntax)
        }
    }
}
