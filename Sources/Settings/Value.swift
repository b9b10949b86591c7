// The values of settings as text: the same words and the same complaints in a file, in the environment and on the
// command line.

import Faults
import SMTP

enum Value {
    static func number(_ text: String, in range: ClosedRange<Int>) -> Result<Int, RuleText> {
        let digits = text.trimmed.replacing("_", with: "")
        guard let value = Int(digits), digits.utf8.allSatisfy({ (48...57).contains($0) || $0 == 45 }) else {
            return .failure("\"\(text.shown)\" is not a whole number")
        }
        guard range.contains(value) else {
            return .failure("\(value) is not between \(range.lowerBound) and \(range.upperBound)")
        }
        return .success(value)
    }

    static func size(_ text: String, in range: ClosedRange<Int>) -> Result<Int, RuleText> {
        ByteSize.parse(text).flatMap { size in
            guard range.contains(Int(size.octets)) else {
                let low = ByteSize(octets: UInt64(range.lowerBound))
                let high = ByteSize(octets: UInt64(range.upperBound))
                return .failure("\(size) is not between \(low) and \(high)")
            }
            return .success(Int(size.octets))
        }
    }

    static func span(_ text: String, atLeast: Span) -> Result<Span, RuleText> {
        Span.parse(text).flatMap { $0 >= atLeast ? .success($0) : .failure("\($0) is shorter than \(atLeast)") }
    }

    /// A duration, or `any`.
    static func age(_ text: String) -> Result<Span, RuleText> {
        // Ages are looked at once a second.
        text.trimmed.asciiLowercased == "any" ? .success(Span(ns: 0)) : span(text, atLeast: Span(ns: 1_000_000_000))
    }

    static func switched(_ text: String) -> Result<Bool, RuleText> {
        switch text.trimmed.asciiLowercased {
        case "on", "true", "yes", "1": .success(true)
        case "off", "false", "no", "0": .success(false)
        default: .failure("\"\(text.shown)\" is neither on nor off")
        }
    }

    static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ text: String, _: Choice.Type
    ) -> Result<Choice, RuleText> {
        if let choice = Choice(rawValue: text.trimmed.asciiLowercased) { return .success(choice) }
        let known = Choice.allCases.map(\.rawValue)
        let hint = Suggestion.didYouMean(text, among: known)
        return .failure("\"\(text.shown)\" is none of \(known.joined(separator: ", "))\(hint)")
    }

    static func profile(_ text: String) -> Result<ServerStyle, RuleText> {
        if let style = ServerStyle.named(text.trimmed.asciiLowercased) { return .success(style) }
        let hint = Suggestion.didYouMean(text, among: ServerStyle.names)
        let known = ServerStyle.names.joined(separator: ", ")
        return .failure(RuleText("\"\(text.shown)\" is no profile\(hint.isEmpty ? "; there are \(known)" : hint)"))
    }

    static func store(_ text: String) -> Result<Settings.Store, RuleText> {
        switch text.trimmed.asciiLowercased {
        case "memory": return .success(.memory)
        case "none": return .success(.none)
        default: break
        }
        if text.contains("/") || [".db", ".sqlite", ".sqlite3"].contains(where: text.hasSuffix) {
            return .success(.file(text))
        }
        let hint = Suggestion.didYouMean(text, among: ["memory", "none"])
        return .failure(
            """
            "\(text.shown)" is neither memory, none, nor a file\(hint.isEmpty
                ? "; a file has a slash in its path, or ends in .db or .sqlite" : hint)
            """)
    }

    static func http(_ text: String) -> Result<Settings.HTTP, RuleText> {
        switch text.trimmed.asciiLowercased {
        case "off": return .success(.off)
        case "auto": return .success(.auto)
        default: break
        }
        return address(text).map(Settings.HTTP.at)
    }

    /// What a client must say behind `Bearer` (RFC 6750 §2.1).
    static func token(_ text: String) -> Result<String, RuleText> {
        let isFine = text.utf8.allSatisfy { (33...126).contains($0) }
        guard isFine, (8...512).contains(text.utf8.count) else {
            return .failure("a token has 8 to 512 printable ASCII characters and no space")
        }
        return .success(text)
    }

    /// `https://app.example` or `*`.
    static func origin(_ text: String) -> Result<String, RuleText> {
        let origin = text.trimmed.asciiLowercased
        let rest = origin.hasPrefix("http://") ? origin.dropFirst(7) : origin.dropFirst(8)
        let isOrigin = origin.hasPrefix("http://") || origin.hasPrefix("https://")
        guard origin == "*" || isOrigin && !rest.isEmpty && !rest.contains("/") && !rest.contains(" ") else {
            return .failure("\"\(text.shown)\" is no origin; write https://HOST or https://HOST:PORT, or * for any")
        }
        return .success(origin)
    }

    static func seed(_ text: String) -> Result<UInt64, RuleText> {
        let digits = text.trimmed
        guard digits.utf8.allSatisfy({ (48...57).contains($0) }), let seed = UInt64(digits) else {
            return .failure("\"\(text.shown)\" is not a seed; write a whole number from 0 to \(UInt64.max)")
        }
        return .success(seed)
    }

    static func timeScale(_ text: String) -> Result<Double, RuleText> {
        let digits = text.trimmed
        let isPlain = digits.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 }
        guard isPlain, let scale = Double(digits), (0.001...1_000_000).contains(scale) else {
            return .failure("\"\(text.shown)\" is not a time scale; write a number from 0.001 to 1000000, as 60")
        }
        return .success(scale)
    }

    static func loops(_ text: String) -> Result<Int, RuleText> {
        text.trimmed.asciiLowercased == "auto" ? .success(0) : number(text, in: 1...256)
    }

    /// A domain or an address literal, as it stands behind 220 (RFC 5321 §4.1.2, §4.1.3).
    static func hostname(_ text: String) -> Result<String, RuleText> {
        let name = text.trimmed
        let isLiteral =
            name.hasPrefix("[") && name.hasSuffix("]") && IPAddress(name.replacing("IPv6:", with: "")) != nil
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        let isDomain =
            name.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy {
                        (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0) || $0 == 45
                            || $0 == 95
                    }
            }
        guard isLiteral || isDomain else {
            return .failure("\"\(text.shown)\" is not a host name; write a domain as mx.example.test, or [192.0.2.1]")
        }
        return .success(name)
    }

    static func listenerName(_ text: String) -> Result<String, RuleText> {
        guard Rule.complaint(aboutName: text) == nil else {
            return .failure(
                """
                "\(text.shown)" is not a name; it has 1 to \(Rule.longestName) letters, digits, ".", "_" or "-"
                """
            )
        }
        return .success(text)
    }

    /// The form of an address to listen on: `HOST:PORT`, `[IPv6]:PORT`, `unix:/path`.
    static func address(_ text: String) -> Result<String, RuleText> {
        let address = text.trimmed
        func failed(_ message: String) -> Result<String, RuleText> {
            .failure(RuleText("\"\(text.shown)\" is not an address to listen on: \(message)"))
        }
        if address.hasPrefix("unix:") {
            let path = address.dropFirst(5)
            guard path.hasPrefix("/") else { return failed("the path behind unix: begins with a slash") }
            // The size of sun_path on Linux, with its final 0.
            guard path.utf8.count <= 107 else { return failed("the path of a Unix socket has at most 107 octets") }
            return .success(address)
        }
        guard let colon = address.lastIndex(of: ":") else {
            let port = UInt16(address) == nil ? "127.0.0.1:1025" : "127.0.0.1:\(address)"
            return failed("write HOST:PORT, as \(port), or unix:/path")
        }
        let host = address[..<colon]
        let digits = address[address.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), UInt16(digits) != nil else {
            return failed("the port is a number from 0 to 65535")
        }
        guard !host.isEmpty else { return failed("the host is missing; 127.0.0.1 is this machine alone") }
        if host.hasPrefix("["), host.hasSuffix("]") {
            guard host.contains(":"), IPAddress(host) != nil else {
                return failed("no IPv6 address stands in the brackets")
            }
            return .success(address)
        }
        guard !host.contains(":") else { return failed("an IPv6 address stands in brackets: [\(host)]:\(digits)") }
        let isNumeric = host.utf8.allSatisfy { $0 == 46 || (48...57).contains($0) }
        if isNumeric { return IPAddress(host) == nil ? failed("\(host) is no IPv4 address") : .success(address) }
        guard case .success = hostname(String(host)) else { return failed("\(host) is no host name") }
        return .success(address)
    }

    /// `never`, or `sessions=10`, `messages=5`, `idle=30s`, several with commas.
    static func exitAfter(_ text: String) -> Result<Settings.ExitAfter, RuleText> {
        var exitAfter = Settings.ExitAfter()
        if text.trimmed.asciiLowercased == "never" { return .success(exitAfter) }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map {
                String($0).trimmed
            }
            guard pair.count == 2 else {
                return .failure("\"\(text.shown)\" is no end; write sessions=N, messages=N, idle=DURATION or never")
            }
            let complaint = exitAfter.set(pair[0], pair[1])
            if let complaint { return .failure(complaint) }
        }
        return .success(exitAfter)
    }
}

extension Settings.ExitAfter {
    static let words = ["sessions", "messages", "idle"]

    /// - Returns: what is wrong, if anything.
    mutating func set(_ word: String, _ text: String) -> RuleText? {
        switch word.asciiLowercased {
        case "sessions", "messages":
            switch Value.number(text, in: 1...Int.max) {
            case .success(let count):
                if word.asciiLowercased == "sessions" { sessions = count } else { messages = count }
                return nil
            case .failure(let complaint): return complaint
            }
        case "idle":
            switch Value.span(text, atLeast: Span(ns: 1_000_000)) {
            case .success(let span):
                idle = span
                return nil
            case .failure(let complaint): return complaint
            }
        default:
            let hint = Suggestion.didYouMean(word, among: Self.words)
            return RuleText("\"\(word.shown)\" is none of \(Self.words.joined(separator: ", "))\(hint)")
        }
    }
}
