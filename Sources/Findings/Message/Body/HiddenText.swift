// Text of HTML that its style hides: not shown, too small to see, or in the colour of its ground. What responsive mail
// does is not held against it: an element that a style sheet with media rules may show again, and letters of no size
// around elements that set their own.

struct HiddenText {
    /// Characters that an element may hide: a line for the preview has them.
    static let allowance = 300

    private enum Way {
        case display, size, colour
    }

    /// The element that hides what is inside of it.
    private struct Element {
        var name: Range<Int>
        var tag: Range<Int>
        var way: Way
        /// Elements of the same name that are open inside it, and itself.
        var depth = 1
        var count = 0
        var hasClass: Bool
        /// Something inside may be seen after all.
        var isUncertain = false
    }

    /// A style sheet of the document has media rules.
    var hasMediaRules = false
    private let octets: MessageOctets
    private var element: Element?
    private var all: [(tag: Range<Int>, count: Int, hasClass: Bool)] = []

    init(octets: MessageOctets) { self.octets = octets }

    /// The tags, and how many characters each hides, that are beyond the allowance.
    func found() -> [(tag: Range<Int>, count: Int)] {
        all.filter { !(hasMediaRules && $0.hasClass) }.map { ($0.tag, $0.count) }
    }

    mutating func start(_ name: Range<Int>, _ attributes: [HTMLAttribute], in tag: Range<Int>) {
        if element != nil { return startInside(name, attributes) }
        guard !attributes.isEmpty, !isVoid(name) else { return }
        var way: Way?
        var hasClass = false
        for attribute in attributes {
            if isName(attribute.name, "style") { way = Self.way(octets, attribute.value) }
            if isName(attribute.name, "class") || isName(attribute.name, "id") { hasClass = true }
        }
        if let way { element = Element(name: name, tag: tag, way: way, hasClass: hasClass) }
    }

    private mutating func startInside(_ name: Range<Int>, _ attributes: [HTMLAttribute]) {
        guard let open = element else { return }
        if isSame(name, open.name) {
            // Where the end tag may be left out, the next one of its kind ends it.
            if mayLackEnd(open.name) { return finish() }
            element?.depth += 1
        }
        guard open.way != .display else { return }
        let mayShow = attributes.contains {
            isName($0.name, "style") || isName($0.name, "class") || isName($0.name, "size") || isName($0.name, "color")
        }
        if mayShow { element?.isUncertain = true }
    }

    mutating func end(_ name: Range<Int>) {
        guard let open = element else { return }
        if isSame(name, open.name) {
            element?.depth -= 1
            if open.depth == 1 { finish() }
        } else if mayLackEnd(open.name), isContainer(name) {
            finish()
        }
    }

    mutating func text(_ range: Range<Int>) {
        guard let open = element, !open.isUncertain else { return }
        element?.count += Self.characters(octets, range)
    }

    private mutating func finish() {
        if let element, element.count > Self.allowance, all.count < BodySurvey.markLimit {
            all.append((element.tag, element.count, element.hasClass))
        }
        element = nil
    }

    // MARK: Names

    private func isName(_ range: Range<Int>, _ name: StaticString) -> Bool { FieldText.equals(octets, range, name) }

    private func isSame(_ one: Range<Int>, _ other: Range<Int>) -> Bool {
        one.count == other.count
            && (0..<one.count).allSatisfy {
                FieldText.small(octets[one.lowerBound + $0]) == FieldText.small(octets[other.lowerBound + $0])
            }
    }

    private func isAny(_ name: Range<Int>, _ names: [StaticString]) -> Bool { names.contains { isName(name, $0) } }

    private func isVoid(_ name: Range<Int>) -> Bool {
        isAny(
            name, ["img", "br", "hr", "input", "meta", "link", "area", "base", "col", "wbr", "source", "body", "html"])
    }

    private func mayLackEnd(_ name: Range<Int>) -> Bool {
        isAny(name, ["p", "li", "td", "th", "tr", "dd", "dt", "option", "tbody", "thead", "tfoot"])
    }

    private func isContainer(_ name: Range<Int>) -> Bool {
        isAny(name, ["div", "table", "body", "html", "ul", "ol", "dl", "tr", "section", "center"])
    }

    // MARK: Styles

    private static func way(_ octets: MessageOctets, _ style: Range<Int>) -> Way? {
        var colour: Range<Int>?
        var ground: Range<Int>?
        var way: Way?
        var start = style.lowerBound
        while start < style.upperBound {
            let end =
                FieldText.position(octets, of: UInt8(ascii: ";"), in: start..<style.upperBound) ?? style.upperBound
            if let colon = FieldText.position(octets, of: UInt8(ascii: ":"), in: start..<end) {
                let property = FieldText.trimmed(octets, start..<colon)
                let value = withoutImportance(octets, FieldText.trimmed(octets, colon + 1..<end))
                if FieldText.equals(octets, property, "display") {
                    if FieldText.equals(octets, value, "none") { way = .display }
                } else if FieldText.equals(octets, property, "font-size") {
                    if way == nil, isTiny(octets, value) { way = .size }
                } else if FieldText.equals(octets, property, "color") {
                    colour = value
                } else if FieldText.equals(octets, property, "background-color")
                    || FieldText.equals(octets, property, "background")
                {
                    ground = value
                }
            }
            start = end + 1
        }
        if way == nil, let colour, let ground, !colour.isEmpty, colour.count == ground.count {
            let isSame = zip(colour, ground).allSatisfy {
                FieldText.small(octets[$0]) == FieldText.small(octets[$1])
            }
            // What is inherited or see-through says nothing.
            let isColour = octets[colour.lowerBound] == UInt8(ascii: "#") || isColourWord(octets, colour)
            if isSame, isColour { way = .colour }
        }
        return way
    }

    private static func isColourWord(_ octets: MessageOctets, _ value: Range<Int>) -> Bool {
        FieldText.equals(octets, value, "white") || FieldText.equals(octets, value, "black")
            || FieldText.begins(octets, value, "rgb(")
    }

    /// Without `!important` at its end.
    private static func withoutImportance(_ octets: MessageOctets, _ value: Range<Int>) -> Range<Int> {
        guard let mark = FieldText.position(octets, of: UInt8(ascii: "!"), in: value) else { return value }
        return FieldText.trimmed(octets, value.lowerBound..<mark)
    }

    /// `0`, `0px`, `1px` and the like.
    private static func isTiny(_ octets: MessageOctets, _ value: Range<Int>) -> Bool {
        guard let first = value.first, octets[first] == UInt8(ascii: "0") || octets[first] == UInt8(ascii: "1") else {
            return false
        }
        if octets[first] == UInt8(ascii: "1") { return FieldText.equals(octets, value, "1px") }
        return value.dropFirst().allSatisfy { FieldText.isLetter(octets[$0]) || octets[$0] == UInt8(ascii: "%") }
    }

    /// Letters and digits. Fillers that widen a preview line are none: entities, and characters of no width.
    private static func characters(_ octets: MessageOctets, _ range: Range<Int>) -> Int {
        var count = 0
        var index = range.lowerBound
        while index < range.upperBound {
            let octet = octets[index]
            if octet == UInt8(ascii: "&") {
                index += 1
                while index < range.upperBound, octets[index] != UInt8(ascii: ";"), octets[index] > 32 { index += 1 }
                continue
            }
            if FieldText.isLetter(octet) || FieldText.isDigit(octet) { count += 1 }
            if octet >= 0xc3, !isFiller(octets, index, range.upperBound) { count += 1 }
            index += 1
        }
        return count
    }

    /// General punctuation, joiners and marks of order, of no width each.
    private static func isFiller(_ octets: MessageOctets, _ index: Int, _ end: Int) -> Bool {
        guard index + 1 < end else { return true }
        return switch octets[index] {
        case 0xe2: octets[index + 1] == 0x80 || octets[index + 1] == 0x81
        case 0xcd: octets[index + 1] == 0x8f
        case 0xef: octets[index + 1] == 0xbb
        default: false
        }
    }
}
