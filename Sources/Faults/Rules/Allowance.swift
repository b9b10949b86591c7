// Limits as a kind of `times`: the rule fires for what exceeds them, and for nothing else. What an allowance admits is
// counted at the moment of the decision, under the engine's lock, so that parallel clients cannot share the last place.
// As text: `limit 100 in 1h`, `limit 10`, `at-once 5`, `octets 10MB in 1m`, `errors 10 in 5m`, `unknown-share 30% of 20
// in 10m`; on a rule line `limit=100/1h`, `unknown-share=30%/20/10m`.

/// How much is admitted before a rule fires.
package struct Allowance: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// Uses of the rule: connections at connect, messages at mail or end-of-data, recipients at rcpt.
        case limit
        /// Sessions that came past the rule and are still open.
        case atOnce = "at-once"
        /// Octets of the messages at end-of-data.
        case octets
        /// 5yz replies that the client got, from whomever.
        case errors
        /// Of all recipients that were answered, those that got a 5yz.
        case unknownShare = "unknown-share"
    }

    package let kind: Kind
    /// Uses, sessions, octets, errors; millionths of a share.
    package let most: UInt64
    /// nil: for as long as the key lives, which must then be a session or a transaction.
    package let window: Span?
    /// Recipients that must have been answered before a share says anything.
    package let sample: UInt64

    package init(kind: Kind, most: UInt64, window: Span?, sample: UInt64 = 0) {
        self.kind = kind
        self.most = most
        self.window = window
        self.sample = sample
    }

    static let usualSample: UInt64 = 10

    /// Words between the parts that say nothing.
    private static let fillers: Set<String> = ["in", "of"]

    /// The parts behind the word, separated by spaces or slashes.
    static func parts(_ text: String) -> [String] {
        text.split { $0 == " " || $0 == "\t" || $0 == "/" }.map { String($0).asciiLowercased }
            .filter { !fillers.contains($0) }
    }

    static func parse(_ kind: Kind, _ text: String) -> Result<Allowance, RuleText> {
        let parts = parts(text)
        let name = kind.rawValue
        guard let first = parts.first else { return .failure("\(name) needs a number behind it, as \(example(kind))") }
        guard parts.count <= (kind == .unknownShare ? 3 : kind == .atOnce ? 1 : 2) else {
            return .failure("\"\(text.shown)\" is more than \(name) takes; write it as \(example(kind))")
        }
        return number(kind, first).flatMap { most in
            guard most > 0 else { return .failure("\(name) 0 admits nothing; leave the limit out to refuse always") }
            if kind == .unknownShare { return share(most, parts) }
            guard parts.count == 2 else { return .success(Allowance(kind: kind, most: most, window: nil)) }
            return window(parts[1]).map { Allowance(kind: kind, most: most, window: $0) }
        }
    }

    private static func share(_ most: UInt64, _ parts: [String]) -> Result<Allowance, RuleText> {
        // `30%/10m` has no sample: what has a unit is the window.
        let hasSample = parts.count > 1 && parts[1].utf8.allSatisfy { (48...57).contains($0) }
        let sample = hasSample ? NumberTest.count(parts[1]) : .success(usualSample)
        let rest = parts.dropFirst(hasSample ? 2 : 1)
        guard rest.count <= 1 else { return .failure("write unknown-share as \(example(.unknownShare))") }
        return sample.flatMap { sample in
            guard sample > 0 else { return .failure("a share of 0 recipients says nothing") }
            guard let last = rest.first else {
                return .success(Allowance(kind: .unknownShare, most: most, window: nil, sample: sample))
            }
            return window(last).map { Allowance(kind: .unknownShare, most: most, window: $0, sample: sample) }
        }
    }

    private static func number(_ kind: Kind, _ text: String) -> Result<UInt64, RuleText> {
        switch kind {
        case .limit, .atOnce, .errors: return NumberTest.count(text)
        case .octets: return ByteSize.parse(text).map(\.octets)
        case .unknownShare:
            guard text.hasSuffix("%") else {
                return .failure("\"\(text.shown)\" is not a share; write a percentage, as 30%")
            }
            return Frequency.parse(text).flatMap { frequency in
                guard case .chance(let millionths) = frequency else { return .failure("a share is a percentage") }
                guard millionths < 1_000_000 else { return .failure("a share cannot exceed 100%") }
                return .success(UInt64(millionths))
            }
        }
    }

    private static func window(_ text: String) -> Result<Span, RuleText> {
        Span.parse(text).flatMap { $0.ns > 0 ? .success($0) : .failure("a window of 0 admits everything") }
    }

    private static func example(_ kind: Kind) -> String {
        switch kind {
        case .limit: "limit 100 in 1h"
        case .atOnce: "at-once 10"
        case .octets: "octets 10MB in 1m"
        case .errors: "errors 10 in 5m"
        case .unknownShare: "unknown-share 30% of 20 in 10m"
        }
    }

    /// The parts that parse back, in their order.
    var words: [String] {
        var words: [String] = []
        switch kind {
        case .limit, .atOnce, .errors: words.append(String(most))
        case .octets: words.append(ByteSize(octets: most).description)
        case .unknownShare: words += [Frequency.percentage(Int(most)), String(sample)]
        }
        if let window { words.append(window.description) }
        return words
    }
}

extension Allowance: CustomStringConvertible {
    /// `limit 100 in 1h`.
    package var description: String {
        var words = self.words
        if let window { words[words.count - 1] = "in \(window)" }
        if kind == .unknownShare { words[1] = "of \(sample)" }
        return "\(kind.rawValue) " + words.joined(separator: " ")
    }
}

/// Greylisting as a kind of `times`: a tuple fires until it comes again after `wait` and within `window`; then it is
/// known, and passes for `memory` since it was last seen.
package struct Greylist: Sendable, Hashable, CustomStringConvertible {
    package let wait: Span
    package let window: Span
    package let memory: Span

    package init(wait: Span, window: Span, memory: Span) {
        self.wait = wait
        self.window = window
        self.memory = memory
    }

    /// Four hours and 36 days are what the first greylisting servers took.
    private static let usualWindow = Span(ns: 4 * 3_600_000_000_000)
    private static let usualMemory = Span(ns: 36 * 86_400_000_000_000)

    /// Parses `5m`, `5m..4h`, `5m..4h keep 36d`; `5m..4h/36d` on a rule line.
    static func parse(_ text: String) -> Result<Greylist, RuleText> {
        let parts = Allowance.parts(text).filter { $0 != "keep" }
        guard let first = parts.first, parts.count <= 2 else {
            return .failure("write greylist with its wait, window and memory, as 5m..4h keep 36d")
        }
        let dots = first.firstRange(of: "..")
        let wait = Span.parse(dots.map { String(first[..<$0.lowerBound]) } ?? first)
        let window = dots.map { Span.parse(String(first[$0.upperBound...])) }
        return wait.flatMap { wait in
            (window ?? .success(max(usualWindow, wait))).flatMap { window in
                (parts.count == 2 ? Span.parse(parts[1]) : .success(max(usualMemory, window))).flatMap { memory in
                    guard wait.ns > 0 else { return .failure("a wait of 0 greylists nobody") }
                    guard window > wait else {
                        return .failure("the window \(window) ends before the wait \(wait) is over")
                    }
                    guard memory.ns > 0 else { return .failure("a memory of 0 forgets at once; use steps") }
                    return .success(Greylist(wait: wait, window: window, memory: memory))
                }
            }
        }
    }

    package var description: String { "greylist \(wait)..\(window) keep \(memory)" }
}

/// A server that comes back: refuses everything for a time, then admits a share that grows to all.
package struct Recovery: Sendable, Hashable, CustomStringConvertible {
    package let down: Span
    package let ramp: Span

    package init(down: Span, ramp: Span) {
        self.down = down
        self.ramp = ramp
    }

    /// Parses `10m..1h`: down for ten minutes, and an hour until all is admitted again.
    static func parse(_ text: String) -> Result<Recovery, RuleText> {
        guard let dots = text.firstRange(of: "..") else {
            return .failure("write recover with both times, as 10m..1h: down for 10m, then an hour of a growing share")
        }
        return Span.parse(String(text[..<dots.lowerBound])).flatMap { down in
            Span.parse(String(text[dots.upperBound...])).flatMap { ramp in
                ramp.ns > 0
                    ? .success(Recovery(down: down, ramp: ramp)) : .failure("a ramp of 0 is no ramp; use until \(down)")
            }
        }
    }

    package var description: String { "recover \(down)..\(ramp)" }
}
