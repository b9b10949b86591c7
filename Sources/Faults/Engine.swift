// Rules at work: (phase, facts, now) -> decision. A value with counters; it reads no clock, throws no dice of its own
// and does nothing but say what is to be done.
//
// The rules of a phase are asked in their order. A rule whose conditions hold counts the use for its key and then fires
// or not; the first that fires wins, and those behind it neither see nor count the use. Magic addresses come last.

import SMTP

/// The rules of one configuration with their counters; who shares it puts it behind a lock.
package struct Engine: Sendable {
    /// Phases at which a rule stands, or at which attempts must be counted.
    package let rulePhases: PhaseSet
    /// Phases at which a magic address could speak (a host name at ehlo, a user at auth); ask `mightBeMagic` about
    /// addresses first.
    package let magicPhases: PhaseSet
    /// Octet counts at which phase body must be asked, ascending; empty when no rule stands there.
    package let bodyCheckpoints: [Int]
    /// The rules as they are used, in their order; nameless ones have got names.
    package var rules: [Rule] { compiled.map(\.rule) }
    /// Keys of `per`, and attempts, that were forgotten because a table was full.
    package var droppedKeys: Int { counters.dropped + attempts.dropped }

    /// Limits of the engine.
    package enum Bounds {
        /// Rules of one engine.
        package static let rules = 10_000
        /// Keys of `per` over all rules; and as many (sender, recipient) pairs for `attempt`.
        package static let keys = 65_536
        /// Octets of one key. A longer one keeps its beginning and a hash of the rest.
        static let keyLength = 320
    }

    private let compiled: [CompiledRule]
    private var tallies: [Tally]
    private let byPhase: [PhaseIndex]
    private let seed: UInt64
    private let timeScale: Double
    private let countsAttempts: Bool
    private let packs: [MagicPack]
    private var counters = BoundedTable<CounterKey, Counter>(limit: Bounds.keys)
    private var attempts = BoundedTable<String, Int>(limit: Bounds.keys)

    /// Both kinds of phases.
    package var phases: PhaseSet { rulePhases.union(magicPhases) }

    /// - Parameters:
    ///   - rules: without issues (`Rule.issues()`); at most `Bounds.rules`, the rest is left out.
    ///   - timeScale: above 0; every duration is divided by it, every rate multiplied.
    ///   - magic: the grammars of addresses that are recognised.
    package init(rules: [Rule], seed: UInt64, timeScale: Double, magic: MagicPacks) {
        let named = Self.named(Array(rules.prefix(Bounds.rules)))
        let compiled = named.map(CompiledRule.init)
        self.compiled = compiled
        tallies = Array(repeating: Tally(), count: compiled.count)
        self.seed = seed
        self.timeScale = timeScale.isFinite && timeScale > 0 ? timeScale : 1
        countsAttempts = compiled.contains { $0.attempt != nil }
        var phases = PhaseSet(named.map { PhaseSet($0.at) })
        if countsAttempts { phases.insert(PhaseSet(.rcpt)) }
        rulePhases = phases
        packs = magic.packs
        magicPhases = magic.phases
        let checkpoints = compiled.filter { $0.rule.at == .body }.map(\.checkpoint)
        bodyCheckpoints = Set(checkpoints).sorted()
        byPhase = Phase.allCases.map { phase in
            PhaseIndex(compiled.indices.filter { compiled[$0].rule.at == phase }, of: compiled)
        }
    }

    /// Gives nameless rules the name of their position, `rule-3`, or the next that is free.
    private static func named(_ rules: [Rule]) -> [Rule] {
        var taken = Set(rules.map(\.name))
        return rules.enumerated().map { index, rule in
            guard rule.name.isEmpty else { return rule }
            var number = index + 1
            while !taken.insert("rule-\(number)").inserted { number += 1 }
            var rule = rule
            rule.name = "rule-\(number)"
            return rule
        }
    }

    /// - Parameter now_ns: of any clock that does not go back.
    /// - Returns: nil when nobody has anything to say: proceed.
    package mutating func decide(_ phase: Phase, _ facts: Facts, now_ns: UInt64) -> Decision? {
        let here = PhaseSet(phase)
        if rulePhases.contains(here) {
            if phase == .rcpt, countsAttempts { countAttempt(facts) }
            let index = byPhase[Int(phase.ordinal)]
            if index.isPlain {
                for rule in index.always {
                    if let decision = ask(rule, facts, now_ns) { return decision }
                }
            } else {
                for rule in index.candidates(facts) {
                    if let decision = ask(rule, facts, now_ns) { return decision }
                }
            }
        }
        return magicPhases.contains(here) ? askMagic(phase, facts) : nil
    }

    /// A cheap look at an address, so that ordinary ones cost nothing.
    package static func mightBeMagic(_ address: [UInt8], _ packs: MagicPacks) -> Bool { packs.mightBeMagic(address) }

    package func status() -> [RuleStatus] { zip(compiled, tallies).map { $0.status($1) } }

    // MARK: One rule

    private mutating func ask(_ index: Int, _ facts: Facts, _ now_ns: UInt64) -> Decision? {
        let rule = compiled[index]
        guard let use = rule.match(facts, attempts: attempts) else { return nil }
        tallies[index].matches += 1
        // Nothing needs counting: the common rule stays cheap.
        if case .times(.always, let actions) = rule.rule.schedule {
            tallies[index].hits += 1
            let count = UInt64(tallies[index].matches)
            return Decision(
                rule: rule.rule.name, why: rule.plainWhy, actions: drawn(actions, rule.rule.name, "", count))
        }
        let key = rule.key(facts, use)
        var counter = Counter(first_ns: now_ns)
        if rule.rule.per.isEmpty {
            if tallies[index].matches > 1 { counter = tallies[index].counter }
            counter.count += 1
            tallies[index].counter = counter
        } else {
            if counters[CounterKey(rule: index, key: key)] == nil { tallies[index].keysSeen += 1 }
            counter = counters.update(CounterKey(rule: index, key: key), initial: counter) { stored in
                stored.count += 1
                return stored
            }
        }
        guard let verdict = rule.verdict(counter, key: key, now_ns: now_ns, seed: seed, timeScale: timeScale) else {
            return nil
        }
        tallies[index].hits += 1
        return Decision(
            rule: rule.rule.name, why: verdict.why,
            actions: drawn(verdict.actions, rule.rule.name, key, UInt64(counter.count)))
    }

    // MARK: Attempts

    private mutating func countAttempt(_ facts: Facts) {
        guard let to = facts.to.first else { return }
        attempts.update(Self.attemptKey(facts.from, to), initial: 0) { $0 += 1 }
    }

    static func attemptKey(_ from: String?, _ to: String) -> String {
        bounded("\(from ?? "")\n\(to)".asciiLowercased)
    }

    /// A key of bounded length that stays distinct.
    static func bounded(_ key: String) -> String {
        guard key.utf8.count > Bounds.keyLength else { return key }
        let hash = Draw.bits(seed: 0, rule: "", key: key, count: 0, salt: 0)
        return String(decoding: key.utf8.prefix(Bounds.keyLength - 20), as: UTF8.self) + "…" + String(hash, radix: 16)
    }

    // MARK: Drawing

    private func drawn(_ actions: [RuleAction], _ rule: String, _ key: String, _ count: UInt64) -> [Action] {
        actions.enumerated().map { index, action in
            switch action {
            case .reply(let text): return .reply(text.reply)
            case .delay(let shortest, let longest):
                guard shortest < longest else { return .delay(ns: scaled(shortest.ns)) }
                let bits = Draw.bits(seed: seed, rule: rule, key: key, count: count, salt: UInt64(index) + 1)
                return .delay(ns: scaled(shortest.ns + Draw.below(longest.ns - shortest.ns + 1, bits)))
            case .drip(let rate): return .drip(octetsPerSecond: rate.octetsPerSecond * timeScale)
            case .slowRead(let rate): return .slowRead(octetsPerSecond: rate.octetsPerSecond * timeScale)
            case .stall: return .stall
            case .close: return .close
            case .reset: return .reset
            case .keep: return .keep
            case .lose: return .lose
            case .accept: return .accept
            case .hide(let set): return .hide(set)
            case .offer(let set): return .offer(set)
            }
        }
    }

    private func scaled(_ ns: UInt64) -> UInt64 { Engine.scaled(ns, by: timeScale) }

    static func scaled(_ ns: UInt64, by timeScale: Double) -> UInt64 {
        timeScale == 1 ? ns : UInt64(min(Double(ns) / timeScale, Double(Span.longest.ns)))
    }

    // MARK: Magic

    private mutating func askMagic(_ phase: Phase, _ facts: Facts) -> Decision? {
        for pack in packs where pack.grammar.phases.contains(PhaseSet(phase)) {
            if let decision = ask(pack.grammar, phase, facts) { return decision }
        }
        return nil
    }

    private mutating func ask(_ grammar: any MagicGrammar.Type, _ phase: Phase, _ facts: Facts) -> Decision? {
        let subject = grammar.subject(at: phase)
        for address in subject.texts(facts) {
            guard let magic = grammar.read(address, at: phase) else { continue }
            var why = "\(subject.spoken) \(address.shown)"
            if let limit = magic.attempts {
                let key = CounterKey(rule: CounterKey.magic, key: Self.bounded(address.asciiLowercased))
                let count = counters.update(key, initial: Counter(first_ns: 0)) { counter in
                    counter.count += 1
                    return counter.count
                }
                guard count <= limit else { continue }
                why += ": \(count) of \(limit)"
            }
            return Decision(rule: "magic \(magic.word)", why: why, actions: drawn(magic.actions, "", "", 0))
        }
        return nil
    }
}
