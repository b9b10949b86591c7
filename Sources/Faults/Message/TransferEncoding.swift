// The encodings of message text, read leniently: what is damaged gives what can be had of it. And the links in a text.

import SMTP

enum QuotedPrintable {
    /// RFC 2045 §6.7. A `=` that begins nothing stays.
    static func decoded(_ octets: some Collection<UInt8>) -> [UInt8] {
        let octets = Array(octets)
        var decoded: [UInt8] = []
        decoded.reserveCapacity(octets.count)
        var index = 0
        while index < octets.count {
            guard octets[index] == UInt8(ascii: "=") else {
                decoded.append(octets[index])
                index += 1
                continue
            }
            if index + 1 < octets.count, octets[index + 1] == 10 {
                index += 2
            } else if index + 2 < octets.count, octets[index + 1] == 13, octets[index + 2] == 10 {
                index += 3  // a soft line break
            } else if index + 2 < octets.count, let high = hexValue(octets[index + 1]),
                let low = hexValue(octets[index + 2])
            {
                decoded.append(high << 4 | low)
                index += 3
            } else {
                decoded.append(octets[index])
                index += 1
            }
        }
        return decoded
    }

    private static func hexValue(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 48...57: octet - 48
        case 65...70: octet - 55
        case 97...102: octet - 87
        default: nil
        }
    }
}

enum Base64 {
    /// RFC 2045 §6.8: octets outside the alphabet are passed over, padding ends it.
    static func decoded(_ octets: some Collection<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(octets.count / 4 * 3)
        var bits: UInt32 = 0
        var held = 0
        for octet in octets {
            if octet == UInt8(ascii: "=") { return decoded }
            guard let value = octet.base64Value else { continue }
            bits = bits << 6 | UInt32(value)
            held += 6
            if held >= 8 {
                held -= 8
                decoded.append(UInt8(truncatingIfNeeded: bits >> UInt32(held)))
            }
        }
        return decoded
    }
}

enum EncodedWords {
    /// RFC 2047 §2: `=?charset?B|Q?text?=`; UTF-8 and ASCII are decoded, ISO-8859-1 octet by octet, others stay.
    static func decoded(_ value: String) -> String {
        guard value.utf8.contains(UInt8(ascii: "=")), value.contains("=?") else { return value }
        var text = ""
        var rest = Substring(value)
        var lastWasWord = false
        while let begin = rest.firstRange(of: "=?") {
            let before = rest[..<begin.lowerBound]
            guard let (word, end) = word(rest[begin.upperBound...]) else {
                text += rest[..<begin.upperBound]
                rest = rest[begin.upperBound...]
                lastWasWord = false
                continue
            }
            // RFC 2047 §6.2: white space between two encoded words is none of the text.
            if !(lastWasWord && before.allSatisfy { $0 == " " || $0 == "\t" }) { text += before }
            text += word
            rest = rest[end...]
            lastWasWord = true
        }
        return text + rest
    }

    /// RFC 2047 §2: an encoded word has 75 octets at most, so no more is looked at.
    private static let longestWord = 75

    private static func word(_ text: Substring) -> (String, String.Index)? {
        let text = text.prefix(longestWord)
        let parts = text.split(separator: "?", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let end = parts[2].firstRange(of: "?=") else { return nil }
        let encoded = Array(parts[2][..<end.lowerBound].utf8)
        let octets: [UInt8]
        switch String(parts[1]).asciiLowercased {
        case "b": octets = Base64.decoded(encoded)
        case "q": octets = QuotedPrintable.decoded(encoded.map { $0 == UInt8(ascii: "_") ? 32 : $0 })
        default: return nil
        }
        // RFC 2231 §5: a language may stand behind the charset.
        return Charset.text(octets, in: String(parts[0].prefix { $0 != "*" })).map { ($0, end.upperBound) }
    }
}

enum Charset {
    /// The charsets that most mail is in: UTF-8, ASCII and Latin-1 (read as the Windows code page that it usually is);
    /// nil for others.
    static func text(_ octets: [UInt8], in charset: String) -> String? {
        switch charset.trimmed.asciiLowercased {
        case "utf-8", "utf8", "us-ascii", "ascii": String(decoding: octets, as: UTF8.self)
        case "iso-8859-1", "latin1", "iso-8859-15", "windows-1252":
            String(String.UnicodeScalarView(octets.map(scalar)))
        default: nil
        }
    }

    /// 0x80 to 0x9f are letters and signs in windows-1252, and controls that nobody means in Latin-1.
    private static let windows: [Unicode.Scalar] = [
        "€", "\u{81}", "‚", "ƒ", "„", "…", "†", "‡", "ˆ", "‰", "Š", "‹", "Œ", "\u{8d}", "Ž", "\u{8f}", "\u{90}", "‘",
        "’",
        "“", "”", "•", "–", "—", "˜", "™", "š", "›", "œ", "\u{9d}", "ž", "Ÿ",
    ]

    private static func scalar(_ octet: UInt8) -> Unicode.Scalar {
        (0x80...0x9f).contains(octet) ? windows[Int(octet) - 0x80] : Unicode.Scalar(octet)
    }
}

enum Links {
    private static let longest = 2048
    private static let schemes = ["http://", "https://"].map { Array($0.utf8) }
    private static let ends = Set(" \t\r\n\"'<>`{}|\\^".utf8)
    private static let tails = Set(".,;:!?)]".utf8)

    /// Every `http` and `https` address, in order, repeated ones repeated.
    static func found(in text: String) -> [String] {
        let octets = Array(text.utf8)
        var links: [String] = []
        var index = 0
        while index < octets.count, links.count < MessageFacts.mostLinks {
            guard octets[index] | 0x20 == UInt8(ascii: "h"),
                let scheme = schemes.first(where: { begins($0, octets, index) })
            else {
                index += 1
                continue
            }
            var end = index + scheme.count
            while end < octets.count, end - index < longest, !ends.contains(octets[end]), octets[end] > 32 { end += 1 }
            var trimmed = end
            while trimmed > index + scheme.count, tails.contains(octets[trimmed - 1]) { trimmed -= 1 }
            if trimmed > index + scheme.count { links.append(String(decoding: octets[index..<trimmed], as: UTF8.self)) }
            index = end
        }
        return links
    }

    private static func begins(_ scheme: [UInt8], _ octets: [UInt8], _ index: Int) -> Bool {
        index + scheme.count <= octets.count
            && zip(scheme, octets[index...]).allSatisfy { $0 == $1 || $0 == $1 | 0x20 }
    }
}
