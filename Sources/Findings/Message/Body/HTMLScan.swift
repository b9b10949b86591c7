// Reads HTML as far as the checks need it: tags with their attributes, text between them, the content of style and
// script. Tolerant like the readers of mail: nothing is an error, what is open at the end ends there. One pass, no
// recursion, nothing is remembered but the tag at hand, so that hostile HTML costs no more than its length.

struct HTMLAttribute {
    var name: Range<Int>
    /// Without quotes; empty where there is none.
    var value: Range<Int>
}

/// What is told of HTML while it is read, in its order.
protocol HTMLVisitor {
    mutating func start(_ name: Range<Int>, _ attributes: [HTMLAttribute], in tag: Range<Int>)
    mutating func end(_ name: Range<Int>, in tag: Range<Int>)
    /// Text that a reader sees, as it stands.
    mutating func text(_ range: Range<Int>)
    /// The content of an element that holds no markup: style, script, title, textarea and their like.
    mutating func raw(_ element: Range<Int>, _ content: Range<Int>)
}

struct HTMLScan {
    /// Attributes of one tag that are kept, at most.
    static let attributeLimit = 100

    private let octets: MessageOctets
    private var index = 0
    private var attributes: [HTMLAttribute] = []

    static func read<Visitor: HTMLVisitor>(_ octets: MessageOctets, _ visitor: inout Visitor) {
        var scan = HTMLScan(octets: octets)
        scan.run(&visitor)
    }

    private init(octets: MessageOctets) { self.octets = octets }

    private mutating func run<Visitor: HTMLVisitor>(_ visitor: inout Visitor) {
        var textStart = 0
        while let open = FieldText.position(octets, of: UInt8(ascii: "<"), in: index..<octets.count) {
            index = open + 1
            guard index < octets.count else { break }
            let octet = octets[index]
            let isTag = FieldText.isLetter(octet)
            let isEnd = octet == UInt8(ascii: "/") && index + 1 < octets.count && FieldText.isLetter(octets[index + 1])
            let isOther = octet == UInt8(ascii: "!") || octet == UInt8(ascii: "?") || octet == UInt8(ascii: "/")
            // A lone angle bracket is text.
            guard isTag || isEnd || isOther else { continue }
            if textStart < open { visitor.text(textStart..<open) }
            if isTag {
                startTag(open, &visitor)
            } else if isEnd {
                endTag(open, &visitor)
            } else {
                passOver()
            }
            textStart = index
        }
        if textStart < octets.count { visitor.text(textStart..<octets.count) }
        index = octets.count
    }

    /// A comment, a declaration, or what looks like one.
    private mutating func passOver() {
        guard OctetSearch.holds(octets, "!--", at: index, before: octets.count) else {
            index = behind(UInt8(ascii: ">"), from: index)
            return
        }
        index += 3
        // `<!-->` and `<!--->` are whole comments.
        if OctetSearch.holds(octets, ">", at: index, before: octets.count) {
            index += 1
            return
        }
        if OctetSearch.holds(octets, "->", at: index, before: octets.count) {
            index += 2
            return
        }
        while let end = FieldText.position(octets, of: UInt8(ascii: ">"), in: index..<octets.count) {
            index = end + 1
            if octets[end - 1] == UInt8(ascii: "-"), octets[end - 2] == UInt8(ascii: "-") { return }
        }
        index = octets.count
    }

    private func behind(_ octet: UInt8, from start: Int) -> Int {
        FieldText.position(octets, of: octet, in: start..<octets.count).map { $0 + 1 } ?? octets.count
    }

    private mutating func startTag<Visitor: HTMLVisitor>(_ open: Int, _ visitor: inout Visitor) {
        let name = tagName()
        readAttributes()
        visitor.start(name, attributes, in: open..<index)
        guard isRaw(name) else { return }
        let start = index
        index = rawEnd(name)
        visitor.raw(name, start..<index)
    }

    private mutating func endTag<Visitor: HTMLVisitor>(_ open: Int, _ visitor: inout Visitor) {
        index += 1
        let name = tagName()
        readAttributes()
        visitor.end(name, in: open..<index)
    }

    private mutating func tagName() -> Range<Int> {
        let start = index
        while index < octets.count, !isSpace(octets[index]), octets[index] != UInt8(ascii: ">"),
            octets[index] != UInt8(ascii: "/")
        {
            index += 1
        }
        return start..<index
    }

    /// Up to and with the closing angle bracket.
    private mutating func readAttributes() {
        attributes.removeAll(keepingCapacity: true)
        while index < octets.count {
            let octet = octets[index]
            if octet == UInt8(ascii: ">") {
                index += 1
                return
            }
            if isSpace(octet) || octet == UInt8(ascii: "/") {
                index += 1
                continue
            }
            readAttribute()
        }
    }

    private mutating func readAttribute() {
        let start = index
        // An equals sign in front belongs to the name.
        index += 1
        while index < octets.count, !isSpace(octets[index]), octets[index] != UInt8(ascii: ">"),
            octets[index] != UInt8(ascii: "/"), octets[index] != UInt8(ascii: "=")
        {
            index += 1
        }
        let name = start..<index
        passSpace()
        var value = index..<index
        if index < octets.count, octets[index] == UInt8(ascii: "=") {
            index += 1
            passSpace()
            value = attributeValue()
        }
        if attributes.count < Self.attributeLimit { attributes.append(HTMLAttribute(name: name, value: value)) }
    }

    private mutating func attributeValue() -> Range<Int> {
        guard index < octets.count else { return index..<index }
        let quote = octets[index]
        if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") {
            let start = index + 1
            index = behind(quote, from: start)
            let isClosed = index > start && octets[index - 1] == quote
            return start..<(isClosed ? index - 1 : index)
        }
        let start = index
        while index < octets.count, !isSpace(octets[index]), octets[index] != UInt8(ascii: ">") { index += 1 }
        return start..<index
    }

    private mutating func passSpace() {
        while index < octets.count, isSpace(octets[index]) { index += 1 }
    }

    private func isSpace(_ octet: UInt8) -> Bool { octet == 32 || octet &- 9 < 5 && octet != 11 }

    private func isRaw(_ name: Range<Int>) -> Bool {
        switch name.count {
        case 5: FieldText.equals(octets, name, "style") || FieldText.equals(octets, name, "title")
        case 6: FieldText.equals(octets, name, "script") || FieldText.equals(octets, name, "iframe")
        case 8: FieldText.equals(octets, name, "textarea") || FieldText.equals(octets, name, "noframes")
        case 7: FieldText.equals(octets, name, "noembed")
        case 3: FieldText.equals(octets, name, "xmp")
        default: false
        }
    }

    /// Where the end tag of that name begins.
    private func rawEnd(_ name: Range<Int>) -> Int {
        var position = index
        while let open = FieldText.position(octets, of: UInt8(ascii: "<"), in: position..<octets.count) {
            position = open + 1
            guard position + 1 + name.count <= octets.count, octets[position] == UInt8(ascii: "/") else { continue }
            let isSame = (0..<name.count).allSatisfy {
                FieldText.small(octets[position + 1 + $0]) == FieldText.small(octets[name.lowerBound + $0])
            }
            if isSame { return open }
        }
        return octets.count
    }
}
