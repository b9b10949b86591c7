// Looks through text, plain or between tags, for addresses that readers turn into links and for marks that a template
// left behind. A table says which octets can begin something; everything else is passed over.

struct TextSurvey {
    let octets: MessageOctets
    let charset: TextCharset

    /// Octets of a mark between its braces, at most.
    private static let markLimit = 100

    /// 1 where something can begin.
    private static let triggers: [UInt8] = {
        var table = [UInt8](repeating: 0, count: 256)
        for octet in ":{$%*[DHLB".utf8 { table[Int(octet)] = 1 }
        return table
    }()

    func read(_ range: Range<Int>, takesLinks: Bool, _ survey: inout BodySurvey) {
        Self.triggers.withUnsafeBufferPointer { triggers in
            var index = range.lowerBound
            while index < range.upperBound {
                if triggers[Int(octets[index])] == 0 {
                    index += 1
                    continue
                }
                if octets[index] == UInt8(ascii: ":") {
                    if takesLinks, let link = address(at: index, in: range) {
                        survey.add(FoundLink(url: [UInt8](octets[link]), range: link, origin: .text))
                        index = link.upperBound
                        continue
                    }
                } else if charset != .mixed, let mark = residue(at: index, in: range) {
                    survey.addResidue(mark)
                    index = mark.upperBound
                    continue
                }
                index += 1
            }
        }
    }

    // MARK: Addresses

    /// The http or https address whose colon stands there.
    private func address(at colon: Int, in range: Range<Int>) -> Range<Int>? {
        guard OctetSearch.holds(octets, "://", at: colon, before: range.upperBound) else { return nil }
        var start = colon - 4
        if OctetSearch.holds(octets, "https", at: colon - 5, before: colon) {
            start = colon - 5
        } else if !OctetSearch.holds(octets, "http", at: start, before: colon) {
            return nil
        }
        guard start >= range.lowerBound,
            start == range.lowerBound || !FieldText.isLetter(octets[start - 1]) && !FieldText.isDigit(octets[start - 1])
        else { return nil }
        var end = colon + 3
        let last = min(range.upperBound, start + WebAddress.limit)
        while end < last, isAddressOctet(octets[end]) { end += 1 }
        end = withoutPunctuation(colon + 3, end)
        return end > colon + 3 ? start..<end : nil
    }

    private func isAddressOctet(_ octet: UInt8) -> Bool {
        guard octet > 32, octet < 127 else { return false }
        switch octet {
        case UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "}"),
            UInt8(ascii: "|"), UInt8(ascii: "\\"), UInt8(ascii: "^"), UInt8(ascii: "`"):
            return false
        default: return true
        }
    }

    /// What ends a sentence does not belong to the address, nor does a bracket that opens in front of it.
    private func withoutPunctuation(_ start: Int, _ end: Int) -> Int {
        var end = end
        var isOpen = false
        for index in start..<end where octets[index] == UInt8(ascii: "(") { isOpen = true }
        while end > start {
            switch octets[end - 1] {
            case UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: ":"), UInt8(ascii: "!"),
                UInt8(ascii: "?"), UInt8(ascii: "'"), UInt8(ascii: "]"), UInt8(ascii: "*"), UInt8(ascii: "_"):
                end -= 1
            case UInt8(ascii: ")") where !isOpen: end -= 1
            default: return end
            }
        }
        return end
    }

    // MARK: Marks of templates

    private func residue(at index: Int, in range: Range<Int>) -> Range<Int>? {
        let end = range.upperBound
        switch octets[index] {
        case UInt8(ascii: "{"): return mark("{{", "}}", at: index, before: end) { $0 != 123 && $0 != 125 && $0 > 31 }
        case UInt8(ascii: "$"): return mark("${", "}", at: index, before: end, isNameOctet)
        case UInt8(ascii: "%"): return mark("%%", "%%", at: index, before: end, isNameOctet)
        case UInt8(ascii: "*"): return mark("*|", "|*", at: index, before: end, isNameOctet)
        case UInt8(ascii: "["):
            guard OctetSearch.holds(octets, "[object ", at: index, before: end) else { return nil }
            return mark("[object ", "]", at: index, before: end, isNameOctet)
        default: return greeting(at: index, in: range)
        }
    }

    private func isNameOctet(_ octet: UInt8) -> Bool {
        FieldText.isLetter(octet) || FieldText.isDigit(octet) || octet == UInt8(ascii: "_")
            || octet == UInt8(ascii: ".")
            || octet == UInt8(ascii: "-") || octet == UInt8(ascii: ":")
    }

    /// `open`, up to a hundred octets that may stand inside, `close`.
    private func mark(
        _ open: StaticString, _ close: StaticString, at index: Int, before end: Int, _ mayStand: (UInt8) -> Bool
    ) -> Range<Int>? {
        guard OctetSearch.holds(octets, open, at: index, before: end) else { return nil }
        let start = index + open.utf8CodeUnitCount
        let last = min(end, start + Self.markLimit)
        var position = start
        while position < last, mayStand(octets[position]) { position += 1 }
        guard position > start, OctetSearch.holds(octets, close, at: position, before: end) else { return nil }
        return index..<position + close.utf8CodeUnitCount
    }

    /// "Dear null": a greeting, and a word in place of the name that only a program says.
    private func greeting(at index: Int, in range: Range<Int>) -> Range<Int>? {
        if index > range.lowerBound, FieldText.isLetter(octets[index - 1]) { return nil }
        let greetings: [StaticString] = [
            "dear ", "hello ", "hi ", "hey ", "hallo ", "liebe ", "lieber ", "bonjour ", "hola ",
        ]
        let names: [StaticString] = ["null", "undefined", "(null)"]
        for greeting in greetings where OctetSearch.holds(octets, greeting, at: index, before: range.upperBound) {
            let name = index + greeting.utf8CodeUnitCount
            for word in names where OctetSearch.holds(octets, word, at: name, before: range.upperBound) {
                let end = name + word.utf8CodeUnitCount
                // A Null is a person, too.
                let isSmall = octets[name] >= UInt8(ascii: "a") || !FieldText.isLetter(octets[name])
                let isWhole = end == range.upperBound || !FieldText.isLetter(octets[end])
                if isWhole, isSmall { return index..<end }
            }
            return nil
        }
        return nil
    }
}
