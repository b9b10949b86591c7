// Lists of tag=value with semicolons between them, as DKIM and ARC write them (RFC 6376 §3.2). Read in place: nothing
// is copied, and a tag is looked for each time it is asked for.

struct TagList {
    /// Tags that are read, at most.
    private static let limit = 100

    struct Tag {
        let name: Range<Int>
        let value: Range<Int>
    }

    let octets: MessageOctets
    private(set) var tags: [Tag] = []
    /// The grammar of tag-list is broken, or a tag stands there twice.
    private(set) var isMalformed = false

    init(_ octets: MessageOctets, _ value: Range<Int>) {
        self.octets = octets
        tags.reserveCapacity(12)
        var index = value.lowerBound
        while index < value.upperBound, tags.count < Self.limit {
            let end =
                FieldText.position(octets, of: UInt8(ascii: ";"), in: index..<value.upperBound) ?? value.upperBound
            add(FieldText.trimmed(octets, index..<end), isLast: end == value.upperBound)
            index = end + 1
        }
    }

    private mutating func add(_ text: Range<Int>, isLast: Bool) {
        // A semicolon may stand at the end.
        if text.isEmpty {
            if !isLast { isMalformed = true }
            return
        }
        guard let equals = FieldText.position(octets, of: UInt8(ascii: "="), in: text) else {
            isMalformed = true
            return
        }
        let name = FieldText.trimmed(octets, text.lowerBound..<equals)
        let isName =
            !name.isEmpty && FieldText.isLetter(octets[name.lowerBound])
            && name.allSatisfy {
                FieldText.isLetter(octets[$0]) || FieldText.isDigit(octets[$0]) || octets[$0] == UInt8(ascii: "_")
            }
        if !isName || tags.contains(where: { octets[$0.name].elementsEqual(octets[name]) }) { isMalformed = true }
        tags.append(Tag(name: name, value: FieldText.trimmed(octets, equals + 1..<text.upperBound)))
    }

    /// - Parameter name: its case counts (RFC 6376 §3.2).
    func value(_ name: StaticString) -> Range<Int>? {
        tags.first { tag in
            tag.name.count == name.utf8CodeUnitCount
                && tag.name.enumerated().allSatisfy { octets[$0.element] == name.utf8Start[$0.offset] }
        }?.value
    }

    /// The decimal number that a tag says; nil where it is there and says none, or more than 18 digits.
    func number(_ name: StaticString) -> Int?? {
        guard let value = value(name) else { return .none }
        guard !value.isEmpty, value.count <= 18 else { return .some(nil) }
        var sum = 0
        for index in value {
            guard FieldText.isDigit(octets[index]) else { return .some(nil) }
            sum = sum * 10 + Int(octets[index] - 48)
        }
        return sum
    }

    /// Whether a list of names with colons between them holds this one.
    static func names(_ octets: MessageOctets, _ list: Range<Int>, _ name: StaticString) -> Bool {
        var index = list.lowerBound
        while index < list.upperBound {
            let end = FieldText.position(octets, of: UInt8(ascii: ":"), in: index..<list.upperBound) ?? list.upperBound
            if FieldText.equals(octets, FieldText.trimmed(octets, index..<end), name) { return true }
            index = end + 1
        }
        return false
    }
}
