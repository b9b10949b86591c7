// Content-Type as RFC 2045 §5.1 writes it, read by its grammar: tokens, quoted strings, comments between them. What
// breaks the grammar is remembered with its place and then read as most readers do, so that a message with one slip
// still has its parts.

/// The Content-Type of a part, as far as it could be read.
package struct ContentType: Sendable, Hashable {
    /// Parameters that are read, at most.
    package static let parameterLimit = 100

    /// A parameter as it stands.
    package struct Written: Sendable, Hashable {
        /// In small letters.
        package var name: String
        package var nameRange: Range<Int>
        /// With its quotes, where it has some.
        package var valueRange: Range<Int>
        package var isQuoted: Bool
    }

    /// In small letters; text/plain where there is no field (RFC 2045 §5.2), and where it cannot be read.
    package var type = "text"
    package var subtype = "plain"
    /// By name in small letters, as they stand, quotes removed; of several the first.
    package var parameters: [String: [UInt8]] = [:]
    /// All of them in their order, those that are repeated too.
    package var written: [Written] = []
    /// The field is there.
    package var isGiven = false
    /// Where the value of the field stands; empty where there is no field.
    package var value = 0..<0
    /// The first octet at which the grammar of RFC 2045 §5.1 is broken; nil where it is not. A semicolon at the end,
    /// and octets that are not ASCII, do not count here.
    package var fault: Int?
    /// Nothing follows the last semicolon.
    package var endsInSemicolon = false
    package init() {}

    /// - Parameter value: of the field, from behind the colon.
    init(_ octets: UnsafeBufferPointer<UInt8>, _ value: Range<Int>) {
        isGiven = true
        self.value = value
        var reader = ContentTypeReader(octets: octets, end: value.upperBound, index: value.lowerBound)
        reader.read(&self)
        fault = reader.fault
    }
}

private struct ContentTypeReader {
    let octets: UnsafeBufferPointer<UInt8>
    let end: Int
    var index: Int
    var fault: Int?

    mutating func read(_ result: inout ContentType) {
        skip()
        let type = token()
        skip()
        guard !type.isEmpty, takes(UInt8(ascii: "/")) else { return wrong() }
        skip()
        let subtype = token()
        guard !subtype.isEmpty else { return wrong() }
        result.type = FieldText.word(octets, type)
        result.subtype = FieldText.word(octets, subtype)
        while result.written.count < ContentType.parameterLimit {
            skip()
            if index == end { return }
            if octets[index] != UInt8(ascii: ";") {
                wrong()
                toSemicolon()
            }
            guard takes(UInt8(ascii: ";")) else { return }
            skip()
            if index == end {
                result.endsInSemicolon = true
                return
            }
            readParameter(&result)
        }
    }

    private mutating func readParameter(_ result: inout ContentType) {
        let name = token()
        skip()
        guard !name.isEmpty, takes(UInt8(ascii: "=")) else { return wrong() }
        skip()
        let start = index
        let isQuoted = index < end && octets[index] == UInt8(ascii: "\"")
        let text = isQuoted ? quoted() : bare()
        let word = FieldText.word(octets, name)
        if text.isEmpty, !isQuoted { wrong() }
        if result.parameters[word] == nil { result.parameters[word] = text }
        result.written.append(
            ContentType.Written(name: word, nameRange: name, valueRange: start..<index, isQuoted: isQuoted))
    }

    /// The first fault counts.
    private mutating func wrong() { if fault == nil { fault = index } }

    private mutating func skip() { index = FieldText.behindComments(octets, index, end) }

    private mutating func takes(_ octet: UInt8) -> Bool {
        guard index < end, octets[index] == octet else { return false }
        index += 1
        return true
    }

    private mutating func token() -> Range<Int> {
        let start = index
        while index < end, FieldText.isToken(octets[index]) { index += 1 }
        return start..<index
    }

    /// A value without quotes. What is no token is wrong, and read up to white space or a semicolon all the same.
    private mutating func bare() -> [UInt8] {
        let start = index
        while index < end, octets[index] != UInt8(ascii: ";"), !FieldText.isFoldingSpace(octets[index]) {
            if octets[index] == UInt8(ascii: "("), index > start { break }
            if !FieldText.isToken(octets[index]), octets[index] < 0x80 { wrong() }
            index += 1
        }
        return [UInt8](octets[start..<index])
    }

    /// A quoted string (RFC 5322 §3.2.4), its backslashes and line ends removed.
    private mutating func quoted() -> [UInt8] {
        index += 1
        var text: [UInt8] = []
        while index < end {
            let octet = octets[index]
            index += 1
            switch octet {
            case UInt8(ascii: "\""): return text
            case UInt8(ascii: "\\") where index < end:
                text.append(octets[index])
                index += 1
            case FieldText.cr, FieldText.lf: break
            default: text.append(octet)
            }
        }
        wrong()
        return text
    }

    private mutating func toSemicolon() {
        while index < end, octets[index] != UInt8(ascii: ";") {
            if octets[index] == UInt8(ascii: "\"") {
                _ = quoted()
            } else {
                index += 1
            }
        }
    }
}
