// What one text part holds that the rules of the body ask about: links, marks of templates, active elements, hidden
// text. It is gathered in one pass; what it means is said by the checks. Places are of the decoded text.

/// A link as it was found.
struct FoundLink {
    /// Without white space at its ends, entities replaced; `WebAddress.limit` octets at most.
    var url: [UInt8]
    var range: Range<Int>
    var origin: MessageLink.Origin
    /// The text of the anchor as it stands, `BodySurvey.anchorTextLimit` octets at most.
    var text: [UInt8] = []
}

struct BodySurvey {
    /// Links that are looked at in a part, and marks of each other kind.
    static let linkLimit = 10_000
    static let markLimit = 1000
    static let anchorTextLimit = 300

    var links: [FoundLink] = []
    /// There were more links than the limit.
    var isCut = false
    var residues: [Range<Int>] = []
    /// Tags of elements that do something.
    var active: [Range<Int>] = []
    /// Tags of elements that hide text, and how many characters.
    var hidden: [(tag: Range<Int>, count: Int)] = []
    /// `cid:` references (RFC 2392), without the scheme.
    var contentIDs: [(id: [UInt8], range: Range<Int>)] = []
    /// HTML says what relative links are relative to.
    var hasBase = false

    /// - Returns: the index of the link; nil beyond the limit.
    @discardableResult
    mutating func add(_ link: FoundLink) -> Int? {
        guard links.count < Self.linkLimit else {
            isCut = true
            return nil
        }
        links.append(link)
        return links.count - 1
    }

    mutating func addResidue(_ range: Range<Int>) {
        if residues.count < Self.markLimit { residues.append(range) }
    }

    mutating func addActive(_ tag: Range<Int>) {
        if active.count < Self.markLimit { active.append(tag) }
    }

    /// Of a part of plain text or HTML.
    static func of(_ text: PartText, isHTML: Bool) -> BodySurvey {
        if isHTML { return HTMLSurvey.of(text) }
        var survey = BodySurvey()
        TextSurvey(octets: text.octets, charset: text.charset).read(0..<text.octets.count, takesLinks: true, &survey)
        return survey
    }
}
