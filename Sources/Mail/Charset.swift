// Octets of any charset to UTF-8, by iconv, never refusing: what has no meaning in the charset becomes U+FFFD, an
// unknown charset is read as UTF-8 if it is that, else as windows-1252, in which every mailer of the West wrote.

import CGMime
import Glibc

enum Charset {
    /// The text, with at most about `limit` octets of UTF-8.
    static func decode(_ octets: [UInt8], charset: String, limit: Int) -> String {
        let name = charset.lowercased()
        switch name {
        case "", "us-ascii", "ascii", "utf-8", "utf8", "unknown-8bit", "x-unknown":
            if let text = String(validating: octets.prefix(limit + 1), as: UTF8.self), octets.count <= limit {
                return text
            }
            let isUTF8 = name.hasPrefix("utf") || octets.isUTF8
            return isUTF8 ? lossy(octets, limit: limit) : convert(octets, from: "windows-1252", limit: limit) ?? ""
        default:
            let known = isSafe(name) ? convert(octets, from: iconvName(name), limit: limit) : nil
            return known ?? decode(octets, charset: "", limit: limit)
        }
    }

    /// The charset that an HTML text says it has, in the first part of it where one may say so; nil when it does not.
    static func stated(inHTML octets: [UInt8]) -> String? {
        let head = String(decoding: octets.prefix(1_024).map { $0 < 0x80 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
            .lowercased()
        guard let tag = head.firstRange(of: "charset=") else { return nil }
        let rest = head[tag.upperBound...].drop { $0 == "\"" || $0 == "'" || $0 == " " }
        let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.:".contains($0)) }
        return name.isEmpty ? nil : String(name)
    }

    private static func lossy(_ octets: [UInt8], limit: Int) -> String {
        String(decoding: octets.prefix(limit).droppingBrokenEnd(isCut: octets.count > limit), as: UTF8.self)
    }

    /// Names with a slash would reach iconv's own options.
    private static func isSafe(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 40
            && name.utf8.allSatisfy { octet in
                switch octet {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
                default: "-_.:+".utf8.contains(octet)
                }
            }
    }

    /// Names that mailers write and iconv does not know, or knows too strictly.
    private static func iconvName(_ name: String) -> String {
        switch name {
        case "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1": "windows-1252"
        case "iso-8859-8-i", "iso-8859-8-e": "iso-8859-8"
        case "x-sjis", "x-shift-jis", "shift-jis": "shift_jis"
        case "x-euc-jp": "euc-jp"
        case "x-gbk": "gbk"
        case "gb2312": "gb18030"
        case "ks_c_5601-1987", "ks_c_5601", "euc-kr": "cp949"
        case "x-mac-roman", "macintosh": "macintosh"
        case "cp-850": "cp850"
        default: name.hasPrefix("x-cp") ? String(name.dropFirst(2)) : name
        }
    }

    private static func convert(_ octets: [UInt8], from name: String, limit: Int) -> String? {
        guard let descriptor = iconv_open("UTF-8", name), Int(bitPattern: descriptor) != -1 else { return nil }
        defer { iconv_close(descriptor) }
        var result: [UInt8] = []
        var input = octets
        var output = [UInt8](repeating: 0, count: 16 << 10)
        input.withUnsafeMutableBytes { input in
            output.withUnsafeMutableBytes { output in
                var from = input.baseAddress?.assumingMemoryBound(to: CChar.self)
                var fromLeft = input.count
                while fromLeft > 0, result.count < limit {
                    var to = output.baseAddress?.assumingMemoryBound(to: CChar.self)
                    var toLeft = output.count
                    let outcome = iconv(descriptor, &from, &fromLeft, &to, &toLeft)
                    let trouble = errno
                    if toLeft < output.count { result.append(contentsOf: output.prefix(output.count - toLeft)) }
                    guard outcome == -1, trouble != E2BIG else { continue }
                    // EILSEQ: this octet means nothing here. EINVAL: the text ends within a character.
                    result.append(contentsOf: "\u{FFFD}".utf8)
                    from = from.map { $0 + 1 }
                    fromLeft = trouble == EILSEQ ? fromLeft - 1 : 0
                }
            }
        }
        return String(
            decoding: result.prefix(limit).droppingBrokenEnd(isCut: result.count > limit), as: UTF8.self)
    }
}

extension Sequence<UInt8> {
    fileprivate var isUTF8: Bool { String(validating: Array(self), as: UTF8.self) != nil }
}

extension ArraySlice<UInt8> {
    /// Without the character that a cut went through.
    fileprivate func droppingBrokenEnd(isCut: Bool) -> ArraySlice<UInt8> {
        guard isCut else { return self }
        var slice = self
        var dropped = 0
        while let last = slice.last, last & 0xC0 == 0x80, dropped < 3 {
            slice.removeLast()
            dropped += 1
        }
        if let last = slice.last, last & 0xC0 == 0xC0 { slice.removeLast() }
        return slice
    }
}
