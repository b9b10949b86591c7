// A rule prepared for use: its conditions sorted by cost, its sentences written in advance. Its counters stand apart,
// so that a thousand rules can be asked without copying any.

import SMTP

/// What is counted for a key.
struct Counter: Sendable {
    var count = 0
    /// The time of the first matching use.
    var first_ns: UInt64
}

struct CounterKey: Sendable, Hashable {
    /// The position of the rule.
    var rule: Int
    var key: String

    /// In place of a rule's position.
    static let magic = -1
}

/// How often a rule matched and fired.
struct Tally: Sendable {
    var matches = 0
    var hits = 0
    var keysSeen = 0
    /// For a rule without `per`.
    var counter = Counter(first_ns: 0)
}

final class CompiledRule: Sendable {
    let rule: Rule
    /// Those that ask for one of the recipients, and the rest.
    let to: Condition?
    let attempt: Condition?
    private let plain: [Condition]
    /// The octet of the body at which the rule is asked.
    let checkpoint: Int
    /// Why a rule without times fires.
    let plainWhy: String
    private let countedWhy: String
    private let line: String

    init(_ rule: Rule) {
        self.rule = rule
        to = rule.when.first { $0.key == .to }
        attempt = rule.when.first { $0.key == .attempt }
        plain = rule.when.filter { $0.key != .to && $0.key != .attempt }
        checkpoint = rule.when.first { $0.key == .size }.map(Self.firstOctet) ?? 0
        line = RuleLine.line(of: rule)
        let per = rule.per.isEmpty ? "" : " per " + rule.per.map(\.rawValue).joined(separator: ",")
        switch rule.schedule {
        case .times(let frequency, _):
            countedWhy = frequency.description + per
        case .steps:
            countedWhy = per
        }
        let head = line.prefix { $0 != " " && $0 != ":" }
        plainWhy = rule.when.isEmpty ? "always at \(head)" : "always when " + Self.conditions(rule)
    }

    /// The longest sentence about conditions.
    private static let longestWhy = 160

    private static func conditions(_ rule: Rule) -> String {
        var only = rule
        only.name = ""
        only.per = []
        only.schedule = .times(.always, do: [.accept])
        let words = RuleLine.line(of: only).dropFirst(rule.at.rawValue.count + 1).dropLast(": accept".count)
        return words.count <= longestWhy ? String(words) : words.prefix(longestWhy) + "…"
    }

    private static func firstOctet(_ condition: Condition) -> Int {
        let octets = condition.tests.map { test -> UInt64 in
            guard case .number(let number) = test else { return 0 }
            switch number.comparison {
            case .more: return number.value + 1
            case .atLeast, .equal, .range: return number.value
            case .less, .atMost: return 0
            }
        }
        return Int(octets.min() ?? 0)
    }

    // MARK: Matching

    /// The use that matched: the recipient it is about.
    struct Use { var recipient: String? }

    func match(_ facts: Facts, attempts: BoundedTable<String, Int>) -> Use? {
        if rule.at == .body, (facts.size ?? 0) != checkpoint { return nil }
        guard plain.allSatisfy({ holds($0, facts) }) else { return nil }
        guard to != nil || attempt != nil else { return Use(recipient: facts.to.first) }
        for recipient in facts.to {
            if let to, !Self.holds(to, recipient) { continue }
            if let attempt {
                let count = attempts[Engine.attemptKey(facts.from, recipient)] ?? 0
                guard Self.holds(attempt, UInt64(count)) else { continue }
            }
            return Use(recipient: recipient)
        }
        return nil
    }

    private func holds(_ condition: Condition, _ facts: Facts) -> Bool {
        switch condition.key {
        case .from: return Self.holds(condition, facts.from)
        case .helo: return Self.holds(condition, facts.helo)
        case .user: return Self.holds(condition, facts.user)
        case .listener: return Self.holds(condition, facts.listener)
        case .tls:
            return condition.tests.contains { test in
                if case .tls(let asked) = test { asked.holds(facts.tls) } else { false }
            }
        case .client:
            let address = facts.clientAddress ?? IPAddress(facts.client)
            return condition.tests.contains { test in
                switch test {
                case .network(let network): address.map(network.contains) ?? false
                case .unixSocket: address == nil
                case .text, .number, .tls: false
                }
            }
        case .size:
            guard let size = facts.size, size >= 0 else { return false }
            return Self.holds(condition, UInt64(size))
        case .recipients:
            // At rcpt the one that is being decided counts.
            return Self.holds(condition, UInt64(max(0, facts.recipients)) + (rule.at == .rcpt ? 1 : 0))
        case .to, .attempt: return true  // asked for each recipient in `match`
        }
    }

    private static func holds(_ condition: Condition, _ value: String?) -> Bool {
        guard let value else { return false }
        return condition.tests.contains { test in
            if case .text(let pattern) = test { pattern.matches(value) } else { false }
        }
    }

    private static func holds(_ condition: Condition, _ number: UInt64) -> Bool {
        condition.tests.contains { test in
            if case .number(let asked) = test { asked.holds(number) } else { false }
        }
    }

    // MARK: Counting

    /// The values of `per`, lower-case, one behind the other. `to` is the recipient that made the rule match.
    func key(_ facts: Facts, _ use: Use) -> String {
        guard !rule.per.isEmpty else { return "" }
        let parts = rule.per.map { key -> String in
            switch key {
            case .client: facts.client
            case .from: facts.from.map { $0.isEmpty ? "<>" : $0 } ?? "-"
            case .to: use.recipient ?? "-"
            case .helo: facts.helo ?? "-"
            case .user: facts.user ?? "-"
            case .listener: facts.listener
            case .session: "session \(facts.session)"
            case .transaction: "transaction \(facts.session).\(facts.transaction)"
            case .fromDomain: facts.from.map(Self.domain) ?? "-"
            case .toDomain: use.recipient.map(Self.domain) ?? "-"
            }
        }
        return Engine.bounded(parts.joined(separator: ", ").asciiLowercased)
    }

    static func domain(_ address: String) -> String {
        address.lastIndex(of: "@").map { String(address[address.index(after: $0)...]) } ?? address
    }

    /// Fires or not, and why.
    func verdict(
        _ counter: Counter, key: String, now_ns: UInt64, seed: UInt64, timeScale: Double
    ) -> (actions: [RuleAction], why: String)? {
        let forKey = key.isEmpty ? "" : " for \(key.shown)"
        let elapsed_ns = now_ns >= counter.first_ns ? now_ns - counter.first_ns : 0
        switch rule.schedule {
        case .steps(let steps):
            guard !steps.isEmpty else { return nil }
            let step = min(counter.count, steps.count)
            return (steps[step - 1], "step \(step) of \(steps.count)\(countedWhy)\(forKey)")
        case .times(let frequency, let actions):
            let detail: String
            switch frequency {
            case .always: detail = ""
            case .first(let limit):
                guard counter.count <= limit else { return nil }
                detail = "\(counter.count) of \(limit)"
            case .nth(let number):
                guard counter.count == number else { return nil }
                detail = "use \(counter.count)"
            case .every(let number):
                guard counter.count.isMultiple(of: number) else { return nil }
                detail = "use \(counter.count)"
            case .chance(let millionths):
                let bits = Draw.bits(seed: seed, rule: rule.name, key: key, count: UInt64(counter.count), salt: 0)
                let drawn = Int(Draw.below(1_000_000, bits))
                guard drawn < millionths else { return nil }
                detail = "drew \(Frequency.percentage(drawn)) at use \(counter.count)"
            case .until(let span):
                guard elapsed_ns < Engine.scaled(span.ns, by: timeScale) else { return nil }
                detail = "\(Self.rounded(elapsed_ns)) since the first use"
            case .after(let span):
                guard elapsed_ns >= Engine.scaled(span.ns, by: timeScale) else { return nil }
                detail = "\(Self.rounded(elapsed_ns)) since the first use"
            }
            return (actions, "\(countedWhy): \(detail)\(forKey)")
        }
    }

    private static func rounded(_ ns: UInt64) -> Span {
        let unit: UInt64 = ns < 10_000_000_000 ? 1_000_000 : 1_000_000_000
        return Span(ns: ns / unit * unit)
    }

    // MARK: Status

    func status(_ tally: Tally) -> RuleStatus {
        let (remaining, remains) = whatRemains(tally)
        return RuleStatus(
            name: rule.name, at: rule.at, line: line, matches: tally.matches, hits: tally.hits, remaining: remaining,
            remains: remains)
    }

    private func whatRemains(_ tally: Tally) -> (Int?, String) {
        let matches = tally.matches
        let isPerKey = !rule.per.isEmpty
        let keys = rule.per.map(\.rawValue).joined(separator: ",")
        let seen = isPerKey ? " for each new \(keys), \(tally.keysSeen) seen" : ""
        switch rule.schedule {
        case .steps(let steps):
            if isPerKey { return (nil, "\(steps.count) steps\(seen); the last stays") }
            return (nil, "step \(min(matches + 1, steps.count)) of \(steps.count) comes next")
        case .times(let frequency, _):
            switch frequency {
            case .first(let limit):
                if isPerKey { return (nil, "\(limit)\(seen)") }
                let left = max(0, limit - matches)
                return (left, "\(left) of \(limit) left")
            case .nth(let number):
                if isPerKey { return (nil, "use \(number)\(seen)") }
                return (matches < number ? 1 : 0, matches < number ? "use \(number) of \(matches) so far" : "none left")
            case .every(let number): return (nil, "each \(number)\(isPerKey ? seen : ", \(matches) so far")")
            case .until(let span): return (nil, "until \(span) after the first use\(seen)")
            case .after(let span): return (nil, "from \(span) after the first use on\(seen)")
            case .always, .chance: return (nil, "no end")
            }
        }
    }
}
