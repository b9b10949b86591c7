// Listens to the scan of HTML and notes what the rules of the body ask about.

struct HTMLSurvey: HTMLVisitor {
    private let octets: MessageOctets
    private let text: TextSurvey
    private var survey = BodySurvey()
    private var hiddenText: HiddenText
    /// The anchor that is open is the link at this index.
    private var anchor: Int?
    private var isInsideAnchor = false

    static func of(_ text: PartText) -> BodySurvey {
        var visitor = HTMLSurvey(octets: text.octets, charset: text.charset)
        HTMLScan.read(text.octets, &visitor)
        visitor.survey.hidden = visitor.hiddenText.found()
        return visitor.survey
    }

    private init(octets: MessageOctets, charset: TextCharset) {
        self.octets = octets
        text = TextSurvey(octets: octets, charset: charset)
        hiddenText = HiddenText(octets: octets)
    }

    // MARK: Tags

    mutating func start(_ name: Range<Int>, _ attributes: [HTMLAttribute], in tag: Range<Int>) {
        hiddenText.start(name, attributes, in: tag)
        let isAnchor = isName(name, "a")
        if isAnchor {
            anchor = nil
            isInsideAnchor = true
        }
        if isActive(name, attributes) { survey.addActive(tag) }
        for attribute in attributes {
            switch attribute.name.count {
            case 3 where isName(attribute.name, "src"): addLink(attribute.value, .resource)
            case 4 where isName(attribute.name, "href"): addReference(attribute.value, name, isAnchor: isAnchor)
            case 6 where isName(attribute.name, "poster"): addLink(attribute.value, .resource)
            case 6 where isName(attribute.name, "srcset"): addCandidates(attribute.value)
            case 10 where isName(attribute.name, "background"): addLink(attribute.value, .resource)
            default: break
            }
        }
    }

    mutating func end(_ name: Range<Int>, in tag: Range<Int>) {
        hiddenText.end(name)
        if isName(name, "a") {
            anchor = nil
            isInsideAnchor = false
        }
    }

    mutating func text(_ range: Range<Int>) {
        hiddenText.text(range)
        if let anchor {
            let room = BodySurvey.anchorTextLimit - survey.links[anchor].text.count
            if room > 0 { survey.links[anchor].text += octets[range.prefix(room)] }
        }
        text.read(range, takesLinks: !isInsideAnchor, &survey)
    }

    mutating func raw(_ element: Range<Int>, _ content: Range<Int>) {
        if isName(element, "style"), OctetSearch.find(octets, "@media", content) != nil {
            hiddenText.hasMediaRules = true
        }
    }

    private func isName(_ range: Range<Int>, _ name: StaticString) -> Bool { FieldText.equals(octets, range, name) }

    // MARK: Links

    private mutating func addReference(_ value: Range<Int>, _ name: Range<Int>, isAnchor: Bool) {
        if isName(name, "base") {
            if OctetSearch.holds(octets, "http", at: trimmed(value).lowerBound, before: value.upperBound) {
                survey.hasBase = true
            }
        } else {
            addLink(value, isAnchor || isName(name, "area") ? .anchor : .resource, opensAnchor: isAnchor)
        }
    }

    /// Addresses with their descriptors, between commas (HTML Living Standard §4.8.4.2.1, srcset).
    private mutating func addCandidates(_ value: Range<Int>) {
        let comma = UInt8(ascii: ",")
        func isBlank(_ at: Int) -> Bool { octets[at] == 32 || (9...13).contains(octets[at]) }
        var at = value.lowerBound
        func skip(while isSkipped: (Int) -> Bool) { while at < value.upperBound, isSkipped(at) { at += 1 } }
        while true {
            skip { isBlank($0) || octets[$0] == comma }
            guard at < value.upperBound else { return }
            let start = at
            skip { !isBlank($0) }
            var address = start..<at
            if octets[at - 1] == comma {
                while octets[address.upperBound - 1] == comma { address = start..<address.upperBound - 1 }
            } else {
                skip { octets[$0] != comma }
            }
            addLink(address, .resource)
        }
    }

    private mutating func addLink(_ value: Range<Int>, _ origin: MessageLink.Origin, opensAnchor: Bool = false) {
        let range = trimmed(value)
        // A place in the same document, or data that stands here.
        guard !range.isEmpty, octets[range.lowerBound] != UInt8(ascii: "#"), !holds("data:", range),
            !holds("about:", range)
        else { return }
        if holds("cid:", range) {
            if survey.contentIDs.count < BodySurvey.markLimit {
                let id = HTMLText.plain(octets, range.lowerBound + 4..<range.upperBound, limit: 500)
                survey.contentIDs.append((id, range))
            }
            return
        }
        if holds("javascript:", range) { return survey.addActive(range) }
        let url = HTMLText.plain(octets, range, limit: WebAddress.limit)
        let index = survey.add(FoundLink(url: url, range: range, origin: origin))
        if opensAnchor { anchor = index }
    }

    private func holds(_ scheme: StaticString, _ range: Range<Int>) -> Bool {
        OctetSearch.holds(octets, scheme, at: range.lowerBound, before: range.upperBound)
    }

    private func trimmed(_ range: Range<Int>) -> Range<Int> { FieldText.trimmed(octets, range) }

    // MARK: Active elements

    private func isActive(_ name: Range<Int>, _ attributes: [HTMLAttribute]) -> Bool {
        switch name.count {
        case 4: isName(name, "form")
        case 5: isName(name, "frame") || isName(name, "embed")
        case 6:
            isName(name, "iframe") || isName(name, "object") || isName(name, "applet")
                || isName(name, "script") && !isStructuredData(attributes)
        default: false
        }
    }

    /// `application/ld+json` is data that mail readers ask senders for, no program.
    private func isStructuredData(_ attributes: [HTMLAttribute]) -> Bool {
        attributes.contains {
            isName($0.name, "type") && isName(trimmed($0.value), "application/ld+json")
        }
    }
}

/// Text of HTML as it is meant.
enum HTMLText {
    private static let entities: [(name: StaticString, octet: UInt8)] = [
        ("amp;", 38), ("lt;", 60), ("gt;", 62), ("quot;", 34), ("apos;", 39), ("nbsp;", 32), ("commat;", 64),
        ("period;", 46), ("sol;", 47), ("colon;", 58),
    ]

    /// Entities replaced that stand for ASCII; all others stay as they are.
    static func plain(_ octets: MessageOctets, _ range: Range<Int>, limit: Int) -> [UInt8] {
        let range = range.prefix(limit)
        guard FieldText.position(octets, of: UInt8(ascii: "&"), in: range) != nil else { return [UInt8](octets[range]) }
        var result: [UInt8] = []
        result.reserveCapacity(range.count)
        var index = range.lowerBound
        while index < range.upperBound {
            if octets[index] == UInt8(ascii: "&"), let (octet, next) = entity(octets, index + 1, range.upperBound) {
                result.append(octet)
                index = next
            } else {
                result.append(octets[index])
                index += 1
            }
        }
        return result
    }

    private static func entity(_ octets: MessageOctets, _ start: Int, _ end: Int) -> (UInt8, next: Int)? {
        guard start < end else { return nil }
        if octets[start] == UInt8(ascii: "#") { return numbered(octets, start + 1, end) }
        for entity in entities where OctetSearch.holds(octets, entity.name, at: start, before: end) {
            return (entity.octet, start + entity.name.utf8CodeUnitCount)
        }
        return nil
    }

    /// `&#38;` and `&#x26;`.
    private static func numbered(_ octets: MessageOctets, _ start: Int, _ end: Int) -> (UInt8, next: Int)? {
        var index = start
        let isHexadecimal = index < end && octets[index] | 0x20 == UInt8(ascii: "x")
        if isHexadecimal { index += 1 }
        var value = 0
        let first = index
        while index < end, index - first < 7,
            isHexadecimal ? FieldText.isHexadecimal(octets[index]) : FieldText.isDigit(octets[index])
        {
            let digit = FieldText.isDigit(octets[index]) ? octets[index] - 48 : (octets[index] | 0x20) - 87
            value = value * (isHexadecimal ? 16 : 10) + Int(digit)
            index += 1
        }
        guard index > first, (1..<128).contains(value) else { return nil }
        if index < end, octets[index] == UInt8(ascii: ";") { index += 1 }
        return (UInt8(value), index)
    }
}
