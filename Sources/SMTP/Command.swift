// A command line, taken apart as far as every command is the same: verb and argument (RFC 5321 §4.1.1). Works on the
// octets; the case of verbs is of no weight (RFC 5321 §2.4).

enum Verb: Sendable, Hashable, CaseIterable {
    case ehlo, helo, mail, rcpt, data, bdat, rset, noop, quit, vrfy, expn, help, starttls, auth, unknown
}

/// Verb and argument of one command line. Points into the input and must not outlive it.
struct Command {
    let verb: Verb
    /// What stands behind the verb, without white space at either end (RFC 5321 §4.1.1 asks to tolerate it).
    let argument: UnsafeRawBufferPointer
    /// The whole line without its CRLF.
    let line: UnsafeRawBufferPointer

    /// - Parameter line: without its CRLF.
    init(_ line: UnsafeRawBufferPointer) {
        var end = line.count
        while end > 0, line[end - 1] == .space || line[end - 1] == .tab { end -= 1 }
        let (verb, length) = Self.verb(line, end)
        var start = length
        while start < end, line[start] == .space { start += 1 }
        self.verb = verb
        argument = line.slice(start, end)
        self.line = line
    }

    private static func verb(_ line: UnsafeRawBufferPointer, _ end: Int) -> (Verb, Int) {
        guard end >= 4 else { return (.unknown, end) }
        if end == 4 || line[4] == .space { return (fourLetters(line), 4) }
        if end == 8 || end > 8 && line[8] == .space, line.begins(with: "starttls") { return (.starttls, 8) }
        return (.unknown, end)
    }

    /// Four octets compared as one word. `| 0x20` makes letters small and maps nothing else onto a letter.
    private static func fourLetters(_ line: UnsafeRawBufferPointer) -> Verb {
        switch UInt32(littleEndian: line.loadUnaligned(as: UInt32.self)) | 0x2020_2020 {
        case word("m", "a", "i", "l"): .mail
        case word("r", "c", "p", "t"): .rcpt
        case word("d", "a", "t", "a"): .data
        case word("b", "d", "a", "t"): .bdat
        case word("r", "s", "e", "t"): .rset
        case word("n", "o", "o", "p"): .noop
        case word("q", "u", "i", "t"): .quit
        case word("e", "h", "l", "o"): .ehlo
        case word("h", "e", "l", "o"): .helo
        case word("v", "r", "f", "y"): .vrfy
        case word("e", "x", "p", "n"): .expn
        case word("h", "e", "l", "p"): .help
        case word("a", "u", "t", "h"): .auth
        default: .unknown
        }
    }

    @inline(__always)
    private static func word(_ a: Unicode.Scalar, _ b: Unicode.Scalar, _ c: Unicode.Scalar, _ d: Unicode.Scalar)
        -> UInt32
    {
        a.value | b.value << 8 | c.value << 16 | d.value << 24
    }
}

extension Command {
    /// An unknown verb made of letters is an unknown command, anything else is no command at all.
    var unknownReply: StandardReply {
        let word = line.prefix { $0 != .space }
        return !word.isEmpty && word.allSatisfy(\.isLetterOrDigit) ? .unknownCommand : .badSyntax
    }

    /// A request line of HTTP (RFC 9112 §3), which ends in `HTTP/` and a version.
    var isHTTP: Bool {
        guard line.count >= 14 else { return false }
        let version = line.slice(line.count - 9, line.count)
        return version[0] == .space && version.slice(1, 6).equals("http/") && line[0].isLetter
    }

    /// Where in the line the secret of an AUTH command begins: behind the mechanism (RFC 4954 §4); nil without one.
    var secretStart: Int? {
        guard line.count > 4, line.begins(with: "auth"), !line[4].isLetterOrDigit else { return nil }
        var index = 4
        while index < line.count, line[index] == .space || line[index] == .tab { index += 1 }
        while index < line.count, line[index] != .space && line[index] != .tab { index += 1 }
        while index < line.count, line[index] == .space || line[index] == .tab { index += 1 }
        return index < line.count ? index : nil
    }
}
