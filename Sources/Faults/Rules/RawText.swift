// `raw`: exact octets in place of a reply, or an ordinary reply bent by a preset. As text: `raw "250 Ok\n"` with the
// escapes \r \n \t \0 \xHH \\ \" and \| for a point at which the octets are split into segments; `raw bare-lf-reply`.

import SMTP

/// What a `raw` action says.
package enum RawText: Sendable, Hashable {
    /// The pieces, each a segment of its own.
    case octets([[UInt8]])
    case preset(OddReply)

    /// Octets of one raw reply.
    package static let mostOctets = 65_536
    /// Each costs a segment and a few milliseconds.
    package static let mostPieces = 1000

    static func parse(_ text: String) -> Result<RawText, RuleText> {
        let trimmed = text.trimmed
        guard trimmed.hasPrefix("\"") else {
            if let preset = OddReply(rawValue: trimmed.asciiLowercased) { return .success(.preset(preset)) }
            return .failure(
                """
                raw takes octets in quotes, as raw "250 Ok\\n", or one of \
                \(OddReply.words.joined(separator: ", ")), not "\(trimmed.shown)"\
                \(Suggestion.didYouMean(trimmed, among: OddReply.words))
                """)
        }
        let inside = trimmed.unicodeScalars.dropFirst()
        guard let end = closingQuote(inside) else { return .failure("the quote behind raw is not closed") }
        guard inside.index(after: end) == inside.endIndex else {
            return .failure("nothing follows the octets of raw; a quote inside is written \\\"")
        }
        return octets(inside[..<end])
    }

    /// Where the quote ends that was open in front of `text`.
    static func closingQuote(_ text: Substring.UnicodeScalarView) -> String.Index? {
        var escaped = false
        for index in text.indices {
            if escaped {
                escaped = false
            } else if text[index] == "\\" {
                escaped = true
            } else if text[index] == "\"" {
                return index
            }
        }
        return nil
    }

    private static func octets(_ text: Substring.UnicodeScalarView) -> Result<RawText, RuleText> {
        var pieces: [[UInt8]] = [[]]
        func add(_ octets: some Sequence<UInt8>) { pieces[pieces.count - 1] += octets }
        var scalars = text.makeIterator()
        while let scalar = scalars.next() {
            guard scalar == "\\" else {
                add(String(scalar).utf8)
                continue
            }
            switch scalars.next() {
            case "r": add([13])
            case "n": add([10])
            case "t": add([9])
            case "0": add([0])
            case "\\": add([UInt8(ascii: "\\")])
            case "\"": add([UInt8(ascii: "\"")])
            case "|": if pieces.last?.isEmpty == false { pieces.append([]) }
            case "x":
                let digits = String([scalars.next(), scalars.next()].compactMap { $0 }.map(Character.init))
                guard digits.utf8.count == 2, let octet = UInt8(digits, radix: 16), digits.first != "+" else {
                    return .failure("\\x needs two hexadecimal digits, as \\x0d")
                }
                add([octet])
            case let other:
                let written = other.map { "\\\($0)" } ?? "\\"
                return .failure(
                    "\(written.shown) is no escape of raw; there are \\r \\n \\t \\0 \\xHH \\\\ \\\" and \\|")
            }
        }
        if pieces.count > 1, pieces.last?.isEmpty == true { pieces.removeLast() }
        guard pieces.reduce(0, { $0 + $1.count }) <= mostOctets else {
            return .failure("raw has at most \(mostOctets) octets")
        }
        guard pieces.count <= mostPieces else { return .failure("raw has at most \(mostPieces) pieces") }
        return .success(.octets(pieces))
    }

    /// The first octets, when they are three digits: what the session is to make of it.
    var code: ReplyCode? {
        guard case .octets(let pieces) = self else { return nil }
        let digits = pieces.joined().prefix(3)
        guard digits.count == 3, digits.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return ReplyCode(digits.reduce(0) { $0 * 10 + Int($1) - 48 })
    }
}

extension RawText: CustomStringConvertible {
    /// Parses back to the same octets.
    package var description: String {
        switch self {
        case .preset(let preset): preset.rawValue
        case .octets(let pieces): "\"" + pieces.map(Self.written).joined(separator: "\\|") + "\""
        }
    }

    private static func written(_ octets: [UInt8]) -> String {
        octets.map { octet -> String in
            switch octet {
            case 13: "\\r"
            case 10: "\\n"
            case 9: "\\t"
            case 0: "\\0"
            case UInt8(ascii: "\\"): "\\\\"
            case UInt8(ascii: "\""): "\\\""
            case 32...126: String(UnicodeScalar(octet))
            default: "\\x" + (octet < 16 ? "0" : "") + String(octet, radix: 16)
            }
        }.joined()
    }
}
