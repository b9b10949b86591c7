// Parameters of Content-Type and Content-Disposition: what may not stand in a value as it is (RFC 2047 §5, RFC 2183
// §2.3), and the extended and continued form of RFC 2231.

enum FieldParameterChecks {
    static func check(_ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger) {
        for index in view.facts.indices where view.facts[index].isOwn {
            let written = view.scan.parts[index].type.written
            if !written.isEmpty { check(written, input, view, &ledger) }
            if let disposition = view.facts[index].disposition {
                check(DispositionReader.parameters(view.octets, disposition), input, view, &ledger)
            }
        }
    }

    private static func check(
        _ parameters: [ContentType.Written], _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        var isExtended = false
        for parameter in parameters {
            checkRaw(parameter, input, view, &ledger)
            if parameter.name.utf8.contains(UInt8(ascii: "*")) { isExtended = true }
        }
        guard isExtended else { return }
        if let fault = ExtendedParameters.fault(in: parameters, view.octets) {
            ledger.broken(
                .mimeParameter2231Syntax, view.evidence(fault.place), under: input.disturbances,
                saw: "\(fault.words): \(view.excerpt(fault.place))")
        } else {
            ledger.kept(.mimeParameter2231Syntax)
        }
    }

    // MARK: Raw values

    private static func checkRaw(
        _ parameter: ContentType.Written, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        let isName = parameter.name.hasPrefix("name") || parameter.name.hasPrefix("filename")
        if let high = OctetSearch.firstHigh(view.octets, parameter.valueRange) {
            // RFC 6532 §3.3 lets UTF-8 in where the session agreed on it (RFC 6531).
            let isAllowed =
                input.reversePath.smtpUTF8 && UTF8Survey.firstFault(view.octets, parameter.valueRange) == nil
            if isAllowed {
                ledger.kept(.mimeParameterRaw8bit)
            } else {
                ledger.broken(
                    .mimeParameterRaw8bit, view.evidence(high..<high + 1), under: input.disturbances,
                    saw: "\(parameter.name)=" + view.excerpt(parameter.valueRange))
            }
        } else if isName, holdsEncodedWord(view.octets, parameter.valueRange) {
            ledger.broken(
                .mimeParameterRaw8bit, view.evidence(parameter.valueRange), under: input.disturbances,
                saw: "\(parameter.name)=" + view.excerpt(parameter.valueRange))
        } else if isName {
            ledger.kept(.mimeParameterRaw8bit)
        }
    }

    /// `=?charset?B?…?=` (RFC 2047 §2) stands somewhere in it.
    private static func holdsEncodedWord(_ octets: MessageOctets, _ range: Range<Int>) -> Bool {
        var index = range.lowerBound
        let question = UInt8(ascii: "?")
        while let start = FieldText.position(octets, of: question, in: index..<range.upperBound) {
            index = start + 1
            guard start > range.lowerBound, octets[start - 1] == UInt8(ascii: "=") else { continue }
            var end = index
            while end < range.upperBound, FieldText.isToken(octets[end]) { end += 1 }
            guard end > index, end + 2 < range.upperBound, octets[end] == question, octets[end + 2] == question else {
                continue
            }
            let encoding = octets[end + 1] | 0x20
            if encoding == UInt8(ascii: "b") || encoding == UInt8(ascii: "q") { return true }
        }
        return false
    }
}

/// The parameters of a Content-Disposition (RFC 2183 §2), read as most readers do.
enum DispositionReader {
    static func parameters(_ octets: MessageOctets, _ value: Range<Int>) -> [ContentType.Written] {
        var result: [ContentType.Written] = []
        var index = FieldText.behindComments(octets, value.lowerBound, value.upperBound)
        let end = value.upperBound
        while result.count < ContentType.parameterLimit {
            while index < end, octets[index] != UInt8(ascii: ";") { index += 1 }
            guard index < end else { break }
            index = FieldText.behindComments(octets, index + 1, end)
            let name = index
            while index < end, FieldText.isToken(octets[index]) { index += 1 }
            let nameRange = name..<index
            index = FieldText.behindComments(octets, index, end)
            guard !nameRange.isEmpty, index < end, octets[index] == UInt8(ascii: "=") else { continue }
            index = FieldText.behindComments(octets, index + 1, end)
            let start = index
            let isQuoted = index < end && octets[index] == UInt8(ascii: "\"")
            index = isQuoted ? behindQuoted(octets, index, end) : behindBare(octets, index, end)
            result.append(
                ContentType.Written(
                    name: FieldText.word(octets, nameRange), nameRange: nameRange, valueRange: start..<index,
                    isQuoted: isQuoted))
        }
        return result
    }

    private static func behindQuoted(_ octets: MessageOctets, _ start: Int, _ end: Int) -> Int {
        var index = start + 1
        while index < end {
            if octets[index] == UInt8(ascii: "\"") { return index + 1 }
            index += octets[index] == UInt8(ascii: "\\") ? 2 : 1
        }
        return end
    }

    /// Up to the semicolon: names of files with a space and without quotes are frequent.
    private static func behindBare(_ octets: MessageOctets, _ start: Int, _ end: Int) -> Int {
        var index = start
        while index < end, octets[index] != UInt8(ascii: ";") { index += 1 }
        while index > start, FieldText.isFoldingSpace(octets[index - 1]) { index -= 1 }
        return index
    }
}

/// `name*`, `name*0`, `name*0*` (RFC 2231 §3, §4, §4.1).
private struct ExtendedParameters {
    struct Fault {
        var place: Range<Int>
        var words: String
    }

    /// Names of one field that are compared with their plain form.
    private static let comparisonLimit = 10

    /// What was seen of one name.
    private struct Sections {
        var numbers: Set<Int> = []
        var place = 0..<0
    }

    static func fault(in parameters: [ContentType.Written], _ octets: MessageOctets) -> Fault? {
        var byName: [Substring: Sections] = [:]
        var compared = 0
        for parameter in parameters {
            let pieces = parameter.name.split(separator: "*", omittingEmptySubsequences: false)
            guard pieces.count > 1 else { continue }
            let place = parameter.nameRange.lowerBound..<parameter.valueRange.upperBound
            // "name*", "name*0", "name*0*" make two, two and three pieces; an empty last one is the star of the
            // extended form.
            let isExtended = pieces[pieces.count - 1].isEmpty
            let number = isExtended && pieces.count == 2 ? nil : pieces[1]
            guard !pieces[0].isEmpty, pieces.count <= 3, pieces.count == 2 || isExtended else {
                return Fault(place: place, words: "no such form of a name")
            }
            if let number {
                guard let section = sectionNumber(number) else {
                    return Fault(place: place, words: "a section that is no number from 0, without leading zeros")
                }
                let isNew = byName[pieces[0], default: Sections()].numbers.insert(section).inserted
                byName[pieces[0]]?.place = place
                if !isNew { return Fault(place: place, words: "a section that is there twice") }
            }
            let isFirst = number == nil || number == "0"
            if isExtended, let words = valueFault(parameter, isFirst: isFirst, octets) {
                return Fault(place: place, words: words)
            }
            guard number == nil else { continue }
            compared += 1
            if compared <= comparisonLimit, let other = parameters.first(where: { $0.name == pieces[0] }),
                disagrees(parameter, other, octets)
            {
                return Fault(place: place, words: "it disagrees with \(other.name)=")
            }
        }
        for (name, sections) in byName where sections.numbers.max() != sections.numbers.count - 1 {
            return Fault(place: sections.place, words: "a section of \(name) is missing")
        }
        return nil
    }

    private static func sectionNumber(_ text: Substring) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 4, text.utf8.allSatisfy(FieldText.isDigit),
            text == "0" || text.utf8.first != UInt8(ascii: "0")
        else { return nil }
        return Int(text)
    }

    /// `charset'language'` in the first section, `%XX` in all of them, no quotes around.
    private static func valueFault(_ parameter: ContentType.Written, isFirst: Bool, _ octets: MessageOctets) -> String?
    {
        if parameter.isQuoted { return "an extended value in quotes" }
        var apostrophes = 0
        var index = parameter.valueRange.lowerBound
        let end = parameter.valueRange.upperBound
        while index < end {
            if octets[index] == UInt8(ascii: "'") { apostrophes += 1 }
            if octets[index] == UInt8(ascii: "%") {
                guard index + 2 < end, FieldText.isHexadecimal(octets[index + 1]),
                    FieldText.isHexadecimal(octets[index + 2])
                else { return "% without two hexadecimal digits" }
            }
            index += 1
        }
        return isFirst && apostrophes < 2 ? "no charset'language'" : nil
    }

    /// Both are plain ASCII and yet not the same. Where the extended one has more, the other is its stand-in.
    private static func disagrees(
        _ extended: ContentType.Written, _ plain: ContentType.Written, _ octets: MessageOctets
    ) -> Bool {
        var value: [UInt8] = []
        var apostrophes = 0
        var index = extended.valueRange.lowerBound
        while index < extended.valueRange.upperBound {
            var octet = octets[index]
            if apostrophes < 2 {
                if octet == UInt8(ascii: "'") { apostrophes += 1 }
                index += 1
                continue
            }
            if octet == UInt8(ascii: "%"), index + 2 < extended.valueRange.upperBound {
                octet = hexadecimal(octets[index + 1]) << 4 | hexadecimal(octets[index + 2])
                index += 2
            }
            if octet >= 0x80 { return false }
            value.append(octet)
            index += 1
        }
        var other: [UInt8] = []
        var isEscaped = false
        let inside =
            plain.isQuoted
            ? plain.valueRange.lowerBound + 1..<max(plain.valueRange.lowerBound + 1, plain.valueRange.upperBound - 1)
            : plain.valueRange
        for index in inside {
            let octet = octets[index]
            if octet >= 0x80 { return false }
            if octet == UInt8(ascii: "\\"), !isEscaped {
                isEscaped = true
                continue
            }
            isEscaped = false
            if octet != FieldText.cr, octet != FieldText.lf { other.append(octet) }
        }
        return value != other
    }

    private static func hexadecimal(_ octet: UInt8) -> UInt8 {
        FieldText.isDigit(octet) ? octet - 48 : (octet | 0x20) &- 87
    }
}
