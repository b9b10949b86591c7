// Encoded words in header fields (RFC 2047), found, decoded and joined. GMime decodes them as well, but version 3.2
// loses every base64 word that follows one with padding, and mailers write such pairs all day. So here they are
// decoded, and what GMime goes on to read (addresses, parameters) is given to it with one word in place of each run.

struct EncodedWords {
    private enum Piece {
        case plain(Range<Int>)
        /// Octets in the charset, from as many neighbouring words of it as there were: a character may be spread over
        /// two.
        case word(charset: String, octets: [UInt8])
    }

    private let value: [UInt8]
    private var pieces: [Piece] = []
    /// The words of one charset that are being joined.
    private var runCharset: String?
    private var run: [UInt8] = []
    /// Where an encoded word begins that is none, if there is such a place.
    private(set) var firstBroken: Int?

    init(_ value: [UInt8]) {
        self.value = value
        var plainStart = 0
        var position = 0
        while position + 1 < value.count {
            guard value[position] == UInt8(ascii: "="), value[position + 1] == UInt8(ascii: "?") else {
                position += 1
                continue
            }
            guard let word = word(at: position) else {
                if firstBroken == nil { firstBroken = position }
                position += 2
                continue
            }
            add(word.charset, word.octets, afterPlain: plainStart..<position)
            position = word.end
            plainStart = position
        }
        endRun()
        if plainStart < value.count { pieces.append(.plain(plainStart..<value.count)) }
    }

    /// The value with its words decoded. What is 8-bit outside of them is UTF-8 (RFC 6532), else windows-1252.
    var decoded: String {
        var result = ""
        for piece in pieces {
            switch piece {
            case .plain(let range):
                result += Charset.decode(Array(value[range]), charset: "", limit: MailLimit.headerValueOctets)
            case .word(let charset, let octets):
                result += Charset.decode(octets, charset: charset, limit: MailLimit.headerValueOctets)
            }
        }
        return result
    }

    /// The value with one word in UTF-8 in place of each run of words.
    var joined: [UInt8] {
        var result: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .plain(let range):
                result += value[range]
            case .word(let charset, let octets):
                result += "=?utf-8?q?".utf8
                for octet in Charset.decode(octets, charset: charset, limit: MailLimit.headerValueOctets).utf8 {
                    switch octet {
                    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"):
                        result.append(octet)
                    case 0:
                        // It would end the string of C.
                        result += "=20".utf8
                    default:
                        result += [UInt8(ascii: "="), hexDigit(octet >> 4), hexDigit(octet & 15)]
                    }
                }
                result += "?=".utf8
            }
        }
        return result
    }

    // MARK: - Finding

    private mutating func add(_ charset: String, _ octets: [UInt8], afterPlain plain: Range<Int>) {
        // White space between two words is not part of the text (RFC 2047 §6.2).
        let isBlank = value[plain].allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        if isBlank, charset == runCharset {
            run += octets
            return
        }
        let wasInRun = runCharset != nil
        endRun()
        if !plain.isEmpty, !(isBlank && wasInRun) { pieces.append(.plain(plain)) }
        runCharset = charset
        run = octets
    }

    private mutating func endRun() {
        if let runCharset { pieces.append(.word(charset: runCharset, octets: run)) }
        runCharset = nil
        run = []
    }

    /// `=?charset*language?b or q?text?=`; blanks within the text are wrong and frequent.
    private func word(at start: Int) -> (charset: String, octets: [UInt8], end: Int)? {
        var position = start + 2
        while position < value.count, value[position] > 0x20, value[position] != UInt8(ascii: "?"),
            position - start <= 64
        {
            position += 1
        }
        let charset = value[(start + 2)..<position].prefix { $0 != UInt8(ascii: "*") }
        guard !charset.isEmpty, position + 2 < value.count, value[position] == UInt8(ascii: "?"),
            value[position + 2] == UInt8(ascii: "?")
        else { return nil }
        let encoding = value[position + 1] | 0x20
        let textStart = position + 3
        position = textStart
        while position < value.count, value[position] != UInt8(ascii: "?") { position += 1 }
        guard position + 1 < value.count, value[position + 1] == UInt8(ascii: "=") else { return nil }
        let name = String(decoding: charset, as: UTF8.self).lowercased()
        switch encoding {
        case UInt8(ascii: "b"):
            let octets = value.withUnsafeBufferPointer {
                PartContent.decode(textStart..<position, of: $0, encoding: "base64", limit: MailLimit.headerValueOctets)
                    .kept
            }
            return (name, octets, position + 2)
        case UInt8(ascii: "q"):
            return (name, quoted(textStart..<position), position + 2)
        default:
            return nil
        }
    }

    /// The "Q" encoding (RFC 2047 §4.2).
    private func quoted(_ range: Range<Int>) -> [UInt8] {
        var result: [UInt8] = []
        var position = range.lowerBound
        while position < range.upperBound {
            let octet = value[position]
            if octet == UInt8(ascii: "="), position + 2 < range.upperBound, let high = hexValue(value[position + 1]),
                let low = hexValue(value[position + 2])
            {
                result.append(high << 4 | low)
                position += 3
            } else {
                result.append(octet == UInt8(ascii: "_") ? UInt8(ascii: " ") : octet)
                position += 1
            }
        }
        return result
    }
}

private func hexValue(_ octet: UInt8) -> UInt8? {
    switch octet {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): octet - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): octet - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): octet - UInt8(ascii: "A") + 10
    default: nil
    }
}

private func hexDigit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "A") + value - 10
}
