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
    /// The id of the rule.
    var rule: Int
    var key: String

    /// In place of a rule's id.
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
    /// Of this rule in its engine, and never of another: what its counts are kept under.
    let id: Int
    /// It is asked before this moment alone.
    let expires_ns: UInt64
    /// Set at run time.
    let isRunRule: Bool
    /// The scenario that it was set with at run time.
    let scenario: String?
    /// Switched off, by itself or at run time: it stands in the list and is not asked.
    let isOff: Bool
    /// Those that ask for one of the recipients, and the rest.
    private let to: Condition?
    private let attempt: Condition?
    private let plain: [Condition]
    private let isAboutRecipient: Bool
    /// A draw decides something, so a use needs a key that does not depend on the order of sessions.
    let draws: Bool
    /// The octet of the body at which the rule is asked.
    let checkpoint: Int
    /// Why a rule without times fires.
    let plainWhy: String
    private let countedWhy: String
    let line: String

    init(
        _ rule: Rule, id: Int, expires_ns: UInt64 = .max, isRunRule: Bool = false, isOff: Bool = false,
        scenario: String? = nil
    ) {
        self.scenario = scenario
        self.rule = rule
        self.id = id
        self.expires_ns = expires_ns
        self.isRunRule = isRunRule
        self.isOff = isOff
        to = rule.when.first { $0.key == .to }
        attempt = rule.when.first { $0.key == .attempt }
        plain = rule.when.filter { !$0.key.isAboutRecipient }
        isAboutRecipient = rule.allConditions.contains { $0.key.isAboutRecipient }
        draws = rule.schedule.draws
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
        plainWhy =
            rule.when.isEmpty && rule.groups.isEmpty ? "always at \(head)" : "always when " + Self.conditions(rule)
    }

    convenience init(_ rule: RunRule, id: Int) {
        self.init(
            rule.rule, id: id, expires_ns: rule.expires_ns ?? .max, isRunRule: true, isOff: !rule.rule.isOn,
            scenario: rule.scenario)
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

    func match(_ facts: Facts, _ attempts: Attempts) -> Use? {
        if rule.at == .body, (facts.size ?? 0) != checkpoint { return nil }
        guard plain.allSatisfy({ holds($0, facts, nil, attempts) }) else { return nil }
        guard isAboutRecipient else {
            let recipient = facts.to.first
            guard rule.groups.allSatisfy({ holds($0, facts, recipient, attempts) }) else { return nil }
            return Use(recipient: recipient)
        }
        for recipient in facts.to {
            if let to, !Self.holds(to, recipient) { continue }
            if let attempt, !holds(attempt, facts, recipient, attempts) { continue }
            guard rule.groups.allSatisfy({ holds($0, facts, recipient, attempts) }) else { continue }
            return Use(recipient: recipient)
        }
        return nil
    }

    /// Whether the conditions hold that are about the client and not about what it is saying.
    func concerns(_ facts: Facts, _ attempts: Attempts) -> Bool {
        plain.allSatisfy { holds($0, facts, nil, attempts) }
            && rule.groups.allSatisfy { holds($0, facts, nil, attempts) }
    }

    private func holds(
        _ group: ConditionGroup, _ facts: Facts, _ recipient: String?, _ attempts: Attempts
    ) -> Bool {
        func all() -> Bool {
            group.conditions.allSatisfy { holds($0, facts, recipient, attempts) }
                && group.groups.allSatisfy { holds($0, facts, recipient, attempts) }
        }
        switch group.kind {
        case .all: return all()
        case .not: return !all()
        case .any:
            return group.conditions.contains { holds($0, facts, recipient, attempts) }
                || group.groups.contains { holds($0, facts, recipient, attempts) }
        }
    }

    private func holds(
        _ condition: Condition, _ facts: Facts, _ recipient: String?, _ attempts: Attempts
    ) -> Bool {
        switch condition.key {
        case .from: return Self.holds(condition, facts.from)
        case .to: return Self.holds(condition, recipient)
        case .helo: return Self.holds(condition, facts.helo)
        case .hello: return Self.holds(condition, facts.hello)
        case .user: return Self.holds(condition, facts.user)
        case .listener: return Self.holds(condition, facts.listener)
        case .space: return facts.spaces.contains { Self.holds(condition, $0) }
        case .parameter: return facts.parameters.contains { Self.holds(condition, $0) }
        case .tls:
            return condition.holds(tls: facts.tls)
        case .client: return condition.holds(client: facts.clientAddress ?? IPAddress(facts.client))
        case .size:
            guard let size = facts.size, size >= 0 else { return false }
            return Self.holds(condition, UInt64(size))
        case .recipients:
            // At rcpt the one that is being decided counts.
            return Self.holds(condition, UInt64(max(0, facts.recipients)) + (rule.at == .rcpt ? 1 : 0))
        case .attempt:
            guard let recipient else { return false }
            return Self.holds(condition, UInt64(attempts.ofEnvelope[Attempts.key(facts.from, recipient)] ?? 0))
        case .messageAttempt:
            return Self.holds(condition, UInt64(attempts.ofMessage[Attempts.messageKey(facts)] ?? 0))
        case .time:
            return condition.tests.contains { test in
                if case .time(let time) = test { time.holds(facts.secondOfDay) } else { false }
            }
        case .messageID, .body, .links, .header: return facts.message.map { Self.holds(condition, $0) } ?? false
        }
    }

    private static func holds(_ condition: Condition, _ message: MessageFacts) -> Bool {
        switch condition.key {
        case .messageID: holds(condition, message.messageID)
        case .header(let name): message.values(of: name).contains { holds(condition, $0) }
        case .body: message.lines.contains { holds(condition, $0) }
        case .links:
            message.links.contains { holds(condition, $0) } || holds(condition, UInt64(message.links.count))
        default: false
        }
    }

    private static func holds(_ condition: Condition, _ value: String?) -> Bool {
        value.map(condition.holds(text:)) ?? false
    }

    private static func holds(_ condition: Condition, _ number: UInt64) -> Bool { condition.holds(number: number) }

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
            case .clientNetwork: facts.clientNetwork
            }
        }
        return Engine.bounded(parts.joined(separator: ", ").asciiLowercased)
    }

    /// What a draw is keyed by where no `per` says it: the envelope, as far as it is known, else who is there. So the
    /// same mail meets the same fate, whatever else runs beside it.
    static func identity(_ facts: Facts) -> String {
        var parts: [String] = []
        if let from = facts.from {
            parts = [from.isEmpty ? "<>" : from] + facts.to
        } else {
            parts = [facts.listener, facts.helo ?? facts.client]
        }
        return Engine.bounded(parts.joined(separator: ", ").asciiLowercased)
    }

    static func domain(_ address: String) -> String {
        address.lastIndex(of: "@").map { String(address[address.index(after: $0)...]) } ?? address
    }

    /// Fires or not, and why.
    ///
    /// - Parameter lot: what dice are thrown for.
    func verdict(
        _ counter: Counter, key: String, lot: Lot, now_ns: UInt64, seed: UInt64, timeScale: Double
    ) -> (actions: [RuleAction], why: String)? {
        let forKey = key.isEmpty ? "" : " for \(key.shown)"
        let elapsed_ns = now_ns >= counter.first_ns ? now_ns - counter.first_ns : 0
        func scaled(_ span: Span) -> UInt64 { Engine.scaled(span.ns, by: timeScale) }
        func draw() -> Int {
            Int(Draw.below(1_000_000, lot.bits(seed: seed, rule: rule.name, salt: 0)))
        }
        switch rule.schedule {
        case .steps(let steps):
            guard !steps.isEmpty else { return nil }
            let step = min(counter.count, steps.count)
            return (steps[step - 1], "step \(step) of \(steps.count)\(countedWhy)\(forKey)")
        case .times(let frequency, let actions):
            let detail: String
            switch frequency {
            case .always: return (actions, plainWhy)
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
                let drawn = draw()
                guard drawn < millionths else { return nil }
                detail = "drew \(Frequency.percentage(drawn)) at use \(lot.count), seed \(seed)"
            case .until(let span):
                guard elapsed_ns < scaled(span) else { return nil }
                detail = "\(Self.rounded(elapsed_ns)) since the first use"
            case .after(let span):
                guard elapsed_ns >= scaled(span) else { return nil }
                detail = "\(Self.rounded(elapsed_ns)) since the first use"
            case .recover(let recovery):
                let down_ns = scaled(recovery.down)
                if elapsed_ns < down_ns {
                    detail = "down, \(Self.rounded(elapsed_ns)) since the first use"
                } else {
                    let admitted = Self.share(elapsed_ns - down_ns, of: scaled(recovery.ramp))
                    let drawn = draw()
                    guard drawn >= admitted else { return nil }
                    let (share, lot) = (Frequency.percentage(admitted), Frequency.percentage(drawn))
                    detail = "\(share) are admitted, drew \(lot), seed \(seed)"
                }
            case .allowance, .greylist: return nil  // counted in Engine+Allowances.swift
            }
            return (actions, "\(countedWhy): \(detail)\(forKey)")
        }
    }

    /// In millionths.
    private static func share(_ part_ns: UInt64, of whole_ns: UInt64) -> Int {
        guard part_ns < whole_ns else { return 1_000_000 }
        return Int(Double(part_ns) / Double(whole_ns) * 1_000_000)
    }

    /// Why an allowance or a greylist fires.
    func why(_ detail: String, key: String) -> String {
        "\(countedWhy): \(detail)" + (key.isEmpty ? "" : " for \(key.shown)")
    }

    static func rounded(_ ns: UInt64) -> Span {
        let unit: UInt64 = ns < 10_000_000_000 ? 1_000_000 : 1_000_000_000
        return Span(ns: ns / unit * unit)
    }
}
