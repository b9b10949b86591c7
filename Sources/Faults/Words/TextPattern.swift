// Patterns for addresses and words: globs and regular expressions. Both see bounded input. Globs ignore the case of
// ASCII letters, local parts included: who needs the difference writes a regular expression.

import _StringProcessing

/// A glob (`*@full.test`) or a regular expression (`/^bounce\+/`).
package struct TextPattern: Sendable, Hashable {
    /// As it was written; a regular expression with its slashes.
    package let source: String
    let matcher: Matcher

    enum Matcher: Sendable {
        case glob(Glob)
        case regex(RegexBox)
    }

    /// Longer patterns are refused.
    package static let longestPattern = 1024
    /// Octets of a value that a regular expression gets to see. One that backtracks without end (`(a+)+b`) holds every
    /// loop on far less: the operator's patterns are trusted.
    package static let longestRegexInput = 1024

    package static func == (a: Self, b: Self) -> Bool { a.source == b.source }
    package func hash(into hasher: inout Hasher) { hasher.combine(source) }

    /// `/…/` and `/…/i` are regular expressions, searched for anywhere in the value; the rest are globs, matched whole.
    package static func parse(_ text: String) -> Result<TextPattern, RuleText> {
        guard text.utf8.count <= longestPattern else {
            return .failure("a pattern has at most \(longestPattern) octets")
        }
        guard text.hasPrefix("/") else {
            if text.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 }) {
                return .failure("\"\(text.shown)\" has a control character")
            }
            return .success(TextPattern(source: text, matcher: .glob(Glob(text))))
        }
        let ignoresCase = text.hasSuffix("/i")
        let body = text.dropFirst().dropLast(ignoresCase ? 2 : 1)
        guard text.utf8.count >= (ignoresCase ? 4 : 3), ignoresCase || text.hasSuffix("/") else {
            return .failure("\"\(text.shown)\" begins as a regular expression but has no / at its end")
        }
        do {
            let regex = try Regex(String(body))
            let box = RegexBox(ignoresCase ? regex.ignoresCase() : regex)
            return .success(TextPattern(source: text, matcher: .regex(box)))
        } catch {
            return .failure("\"\(text.shown)\" is not a regular expression: \(String(describing: error).shown)")
        }
    }

    package func matches(_ value: String) -> Bool {
        switch matcher {
        case .glob(let glob): glob.matches(value)
        case .regex(let box): box.matches(value)
        }
    }
}

/// `Regex` is not Sendable because a builder may have put closures into it. Ours is made of text alone, is never
/// changed after it was made, and compiles itself under the library's own atomic store. A class, since the size of a
/// `Regex` is known at run time only, which would slow down every pattern.
final class RegexBox: @unchecked Sendable {
    private let regex: Regex<AnyRegexOutput>

    init(_ regex: Regex<AnyRegexOutput>) { self.regex = regex }

    func matches(_ value: String) -> Bool {
        guard value.utf8.count > TextPattern.longestRegexInput else { return value.firstMatch(of: regex) != nil }
        let head = String(decoding: value.utf8.prefix(TextPattern.longestRegexInput), as: UTF8.self)
        return head.firstMatch(of: regex) != nil
    }
}

/// `*` is any run of octets, `?` one character, `\` makes the next character plain. The null path is `<>` or nothing.
///
/// A class, so that asking a thousand of them copies none.
final class Glob: Sendable {
    private enum Token: Sendable, Equatable {
        case octet(UInt8)
        case one
        case any
    }

    private let tokens: [Token]
    /// The lower-case octets behind the last wildcard: most values differ there, which costs no more than looking.
    private let tail: [UInt8]
    /// The whole pattern when it has no wildcard.
    let literal: [UInt8]?
    /// The domain when the pattern is `*@domain`.
    let domain: [UInt8]?

    init(_ text: String) {
        var tokens: [Token] = []
        var isPlain = true
        var escaped = false
        for octet in (text == "<>" ? "" : text).utf8 {
            if escaped {
                tokens.append(.octet(Self.lower(octet)))
                escaped = false
            } else if octet == UInt8(ascii: "\\") {
                escaped = true
            } else if octet == UInt8(ascii: "*") {
                isPlain = false
                if tokens.last != .any { tokens.append(.any) }
            } else if octet == UInt8(ascii: "?") {
                isPlain = false
                tokens.append(.one)
            } else {
                tokens.append(.octet(Self.lower(octet)))
            }
        }
        if escaped { tokens.append(.octet(UInt8(ascii: "\\"))) }
        var tail: [UInt8] = []
        for token in tokens.reversed() {
            guard case .octet(let octet) = token else { break }
            tail.append(octet)
        }
        tail.reverse()
        literal = isPlain ? tail : nil
        let isSuffix = tokens.first == .any && tokens.count == tail.count + 1
        if isSuffix, tail.first == UInt8(ascii: "@"), !tail.dropFirst().contains(UInt8(ascii: "@")) {
            domain = Array(tail.dropFirst())
        } else {
            domain = nil
        }
        self.tokens = tokens
        self.tail = tail
    }

    private static func lower(_ octet: UInt8) -> UInt8 { (65...90).contains(octet) ? octet + 32 : octet }

    func matches(_ value: String) -> Bool {
        if let found = value.utf8.withContiguousStorageIfAvailable({ matches($0) }) { return found }
        var value = value
        return value.withUTF8 { matches($0) }
    }

    func matches(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        guard value.count >= tail.count else { return false }
        let start = value.count - tail.count
        for index in tail.indices.reversed() where Self.lower(value[start + index]) != tail[index] { return false }
        if literal != nil { return value.count == tail.count }
        return matchesTokens(value)
    }

    /// Goes back to the last `*` only, so the work is at most pattern times value.
    private func matchesTokens(_ value: UnsafeBufferPointer<UInt8>) -> Bool {
        var token = 0
        var at = 0
        var star = -1
        var resume = 0
        while at < value.count {
            if token < tokens.count, case .any = tokens[token] {
                star = token
                resume = at
                token += 1
            } else if token < tokens.count, let next = step(tokens[token], value, at) {
                at = next
                token += 1
            } else if star >= 0 {
                resume += 1
                at = resume
                token = star + 1
            } else {
                return false
            }
        }
        return tokens[token...].allSatisfy { $0 == .any }
    }

    private func step(_ token: Token, _ value: UnsafeBufferPointer<UInt8>, _ at: Int) -> Int? {
        switch token {
        case .octet(let octet): return Self.lower(value[at]) == octet ? at + 1 : nil
        case .one:
            // One character of UTF-8: its first octet and the continuations behind it.
            var next = at + 1
            while next < value.count, value[next] & 0xC0 == 0x80 { next += 1 }
            return next
        case .any: return nil
        }
    }
}
