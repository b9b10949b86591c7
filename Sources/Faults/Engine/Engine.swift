// Rules at work: (phase, facts, now) -> decision. A value with counters; it reads no clock, throws no dice of its own
// and does nothing but say what is to be done.
//
// The rules of a phase are asked in their order. A rule whose conditions hold counts the use for its key and then fires
// or not; the first that fires wins, and those behind it neither see nor count the use. Magic addresses come last.

import SMTP

/// The rules of one configuration with their counters; who shares it puts it behind a lock.
package struct Engine: Sendable {
    /// Phases at which a rule stands, or at which attempts must be counted.
    package private(set) var rulePhases: PhaseSet = []
    /// Phases at which a magic address could speak (a host name at ehlo, a user at auth); ask `mightBeMagic` about
    /// addresses first.
    package let magicPhases: PhaseSet
    /// Octet counts at which phase body must be asked, ascending; empty when no rule stands there.
    package private(set) var bodyCheckpoints: [Int] = []
    /// The rules as they are used, in their order; nameless ones have got names.
    package var rules: [Rule] { compiled.map(\.rule) }
    /// Those of the configuration.
    package var configuredRules: [Rule] { compiled.filter { !$0.isRunRule }.map(\.rule) }
    /// Keys of `per`, and attempts, that were forgotten because a table was full.
    package var droppedKeys: Int {
        counters.dropped + attempts.ofEnvelope.dropped + attempts.ofMessage.dropped + meters.dropped
    }
    /// For each phase, by its ordinal: what its rules ask for by name. Who finds that a use concerns none of them need
    /// not ask for a decision.
    package var filters: [RuleFilter] {
        Phase.allCases.map { phase in
            var filter = byPhase[Int(phase.ordinal)].filter
            // Attempts are counted whoever is concerned.
            if phase == .rcpt, countsAttempts || countsRecipients { filter.isAlways = true }
            if phase == .endOfData, countsMessages { filter.isAlways = true }
            return filter
        }
    }
    /// Phases at which a rule looks into the message.
    package private(set) var messagePhases: PhaseSet = []
    /// A rule asks for the time of day.
    package private(set) var needsTime = false
    /// A rule counts replies: those that the protocol itself gives are to be told with `note`.
    package private(set) var countsReplies = false
    /// A rule counts open sessions: `sessionEnded` is to be called.
    package private(set) var countsSessions = false

    /// Limits of the engine.
    package enum Bounds {
        /// Rules of one engine.
        package static let rules = 10_000
        /// Keys of `per` over all rules; and as many (sender, recipient) pairs for `attempt`.
        package static let keys = 65_536
        /// Octets of one key. A longer one keeps its beginning and a hash of the rest.
        static let keyLength = 320
    }

    /// In the order in which they are asked: those set at run time, then those of the configuration.
    private(set) var compiled: [CompiledRule] = []
    private var tallies: [Tally] = []
    private var byPhase: [PhaseIndex] = []
    private var nextID = 0
    private let seed: UInt64
    private let timeScale: Double
    private let catalogue: Catalogue
    private var countsAttempts = false
    private var countsMessages = false
    /// A rule asks how many recipients were refused.
    private(set) var countsRecipients = false
    private let packs: [MagicPack]
    var counters = BoundedTable<CounterKey, Counter>(limit: Bounds.keys)
    var attempts = Attempts(limit: Bounds.keys)
    /// Rules that count replies.
    private(set) var replyCounters: [Int] = []
    var meters = BoundedTable<CounterKey, Meters>(limit: Bounds.keys)
    /// What the decision at hand has counted against allowances; taken back when it refuses all the same.
    var reserved: [Reservation] = []
    /// Open sessions by the key of an `at-once` allowance; never forgotten before they end.
    var open: [CounterKey: UInt64] = [:]
    /// What each open session holds of `at-once` allowances, and what was counted for it alone.
    var holdings: [UInt64: Holding] = [:]

    /// Both kinds of phases.
    package var phases: PhaseSet { rulePhases.union(magicPhases) }

    /// - Parameters:
    ///   - rules: without issues (`Rule.issues()`); at most `Bounds.rules`, the rest is left out.
    ///   - timeScale: above 0; every duration is divided by it, every rate multiplied.
    ///   - magic: the grammars of addresses that are recognised.
    ///   - catalogue: what `use` finds its replies in; an unknown name fires and says nothing of its own.
    package init(rules: [Rule], seed: UInt64, timeScale: Double, magic: MagicPacks, catalogue: Catalogue) {
        self.seed = seed
        self.timeScale = timeScale.isFinite && timeScale > 0 ? timeScale : 1
        self.catalogue = catalogue
        packs = magic.packs
        magicPhases = magic.phases
        let named = Self.named(Array(rules.prefix(Bounds.rules)), taken: [])
        arrange(named.map { CompiledRule($0, id: freshID(), isOff: !$0.isOn) })
    }

    // MARK: Changing

    /// What is changed at run time: rules of its own, which are asked in front of all others, and those of the
    /// configuration that are switched on or off.
    ///
    /// A rule that was there before keeps what it has counted, and so do all rules of the configuration.
    ///
    /// - Parameters:
    ///   - changes: rules without issues; at most `Bounds.rules`.
    ///   - now_ns: what has expired by then is gone, and is not what is set anew under its name.
    package mutating func change(_ changes: RuleChanges, now_ns: UInt64) {
        let known = Dictionary(
            compiled.filter { $0.isRunRule && $0.expires_ns > now_ns }.map { ($0.rule.name, $0) },
            uniquingKeysWith: { a, _ in a })
        let runRules = changes.rules.prefix(Bounds.rules).map { rule -> CompiledRule in
            guard let before = known[rule.rule.name] else { return CompiledRule(rule, id: freshID()) }
            var same = before.rule
            same.isOn = rule.rule.isOn
            guard same == rule.rule else { return CompiledRule(rule, id: freshID()) }
            let isSame =
                before.rule == rule.rule && before.expires_ns == rule.expires_ns ?? .max
                && before.scenario == rule.scenario
            return isSame ? before : CompiledRule(rule, id: before.id)
        }
        let configured = compiled.filter { !$0.isRunRule }.map { rule -> CompiledRule in
            let isOn = changes.switched[rule.rule.name] ?? rule.rule.isOn
            return rule.isOff == !isOn ? rule : CompiledRule(rule.rule, id: rule.id, isOff: !isOn)
        }
        let before = Set(compiled.map(\.id))
        arrange(runRules + configured)
        let gone = before.subtracting(compiled.map(\.id))
        if !gone.isEmpty {
            for key in counters.keys where gone.contains(key.rule) { counters.remove(key) }
            for key in meters.keys where gone.contains(key.rule) { meters.remove(key) }
        }
        // Nobody tells the end of a session to a rule that is off.
        let silent = gone.union(compiled.filter(\.isOff).map(\.id))
        if !silent.isEmpty { giveBackPlaces(of: silent) }
    }

    /// Open sessions hold nothing of these rules any more.
    private mutating func giveBackPlaces(of gone: Set<Int>) {
        open = open.filter { !gone.contains($0.key.rule) }
        holdings = holdings.compactMapValues { holding in
            var holding = holding
            holding.places.removeAll { gone.contains($0.rule) }
            holding.meters.removeAll { gone.contains($0.rule) }
            holding.transactionMeters.removeAll { gone.contains($0.rule) }
            return holding.places.isEmpty && holding.meters.isEmpty && holding.transactionMeters.isEmpty ? nil : holding
        }
    }

    /// Every count begins anew, and so does every key; places of open sessions stay held.
    package mutating func resetCounts() {
        tallies = Array(repeating: Tally(), count: compiled.count)
        counters = BoundedTable(limit: Bounds.keys)
        attempts = Attempts(limit: Bounds.keys)
        meters = BoundedTable(limit: Bounds.keys)
        for session in holdings.keys {
            holdings[session]?.meters = []
            holdings[session]?.transactionMeters = []
        }
    }

    private mutating func freshID() -> Int {
        nextID += 1
        return nextID
    }

    /// Puts rules into force, and works out what follows from them; tallies go with their rules.
    private mutating func arrange(_ rules: [CompiledRule]) {
        let tallyOfID = Dictionary(zip(compiled.map(\.id), tallies), uniquingKeysWith: { a, _ in a })
        tallies = rules.map { tallyOfID[$0.id] ?? Tally() }
        compiled = rules
        let asked = rules.filter { !$0.isOff }
        func asks(_ key: ConditionKey) -> Bool { asked.contains { $0.rule.allConditions.contains { $0.key == key } } }
        func allows(_ kinds: Allowance.Kind...) -> Bool {
            asked.contains { $0.allowance.map { kinds.contains($0.kind) } ?? false }
        }
        countsAttempts = asks(.attempt)
        countsMessages = asks(.messageAttempt)
        needsTime = asks(.time)
        replyCounters = compiled.indices.filter { index in
            !compiled[index].isOff
                && compiled[index].allowance.map { $0.kind == .errors || $0.kind == .unknownShare } ?? false
        }
        countsReplies = allows(.errors)
        countsRecipients = allows(.unknownShare)
        countsSessions = asked.contains { $0.allowance?.kind == .atOnce || $0.countsForSession }
        messagePhases = PhaseSet(
            asked.filter { $0.rule.allConditions.contains { $0.key.looksIntoMessage } }.map { PhaseSet($0.rule.at) })
        rulePhases = PhaseSet(asked.map { PhaseSet($0.rule.at) })
        if countsAttempts { rulePhases.insert(PhaseSet(.rcpt)) }
        bodyCheckpoints = Set(asked.filter { $0.rule.at == .body }.map(\.checkpoint)).sorted()
        byPhase = Phase.allCases.map { phase in
            PhaseIndex(compiled.indices.filter { compiled[$0].rule.at == phase && !compiled[$0].isOff }, of: compiled)
        }
    }

    /// Gives nameless rules the name of their position, `rule-3`, or the next that is free.
    package static func named(_ rules: [Rule], taken: Set<String>) -> [Rule] {
        var taken = taken.union(rules.map(\.name))
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
        var decision: Decision?
        if rulePhases.contains(here) {
            if phase == .rcpt, countsAttempts { attempts.count(facts) }
            if phase == .endOfData, countsMessages { attempts.countMessage(facts) }
            decision = askRules(phase, facts, now_ns)
        }
        if decision == nil, magicPhases.contains(here) { decision = askMagic(phase, facts) }
        // Under the same lock as the question, so that no two clients get the last place.
        if countsReplies || countsRecipients, let code = code(of: decision, at: phase) {
            count(code, at: phase, facts, now_ns: now_ns)
        }
        if !reserved.isEmpty {
            if let decision, decision.refuses { takeBackReserved() }
            reserved.removeAll(keepingCapacity: true)
        }
        return decision
    }

    private mutating func askRules(_ phase: Phase, _ facts: Facts, _ now_ns: UInt64) -> Decision? {
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
        return nil
    }

    /// A cheap look at an address, so that ordinary ones cost nothing.
    package static func mightBeMagic(_ address: [UInt8], _ packs: MagicPacks) -> Bool { packs.mightBeMagic(address) }

    /// - Parameter now_ns: what has left its window by then is not shown.
    package mutating func status(now_ns: UInt64) -> [RuleStatus] {
        compiled.indices.filter { now_ns < compiled[$0].expires_ns }
            .map { compiled[$0].status(tallies[$0], present: present($0, now_ns)) }
    }

    // MARK: One rule

    private mutating func ask(_ index: Int, _ facts: Facts, _ now_ns: UInt64) -> Decision? {
        let rule = compiled[index]
        guard now_ns < rule.expires_ns, let use = rule.match(facts, attempts) else { return nil }
        tallies[index].matches += 1
        // Nothing needs counting: the common rule stays cheap.
        if case .times(.always, let actions) = rule.rule.schedule, !rule.draws {
            return fires(index, actions, rule.plainWhy, facts, use, Lot(key: "", count: tallies[index].matches))
        }
        let key = rule.key(facts, use)
        switch askAllowance(index, key, facts, now_ns) {
        case .isNone: break
        case .admits: return nil
        case .exceeded(let why):
            let lot = rule.draws ? self.lot(of: index, key, facts) : Lot(key: key, count: 0)
            return fires(index, rule.rule.schedule.steps[0], why, facts, use, lot)
        }
        var counter = Counter(first_ns: now_ns)
        if rule.rule.per.isEmpty {
            if tallies[index].matches > 1 { counter = tallies[index].counter }
            counter.count += 1
            tallies[index].counter = counter
        } else {
            counter = count(index, key, counter)
        }
        var lot = Lot(key: key, count: counter.count)
        if rule.draws, rule.rule.per.isEmpty { lot = self.lot(of: index, "", facts) }
        guard
            let verdict = rule.verdict(counter, key: key, lot: lot, now_ns: now_ns, seed: seed, timeScale: timeScale)
        else { return nil }
        return fires(index, verdict.actions, verdict.why, facts, use, lot)
    }

    /// What dice are thrown for where no count of a key says it: the key, or who is there, and how often that came.
    private mutating func lot(of index: Int, _ key: String, _ facts: Facts) -> Lot {
        let key = key.isEmpty ? CompiledRule.identity(facts) : key
        let place = CounterKey(rule: compiled[index].id, key: "lot \(key)")
        let count = counters.update(place, initial: Counter(first_ns: 0)) { stored in
            stored.count += 1
            return stored.count
        }
        return Lot(key: key, count: count)
    }

    /// Counts one use of a key.
    private mutating func count(_ index: Int, _ key: String, _ initial: Counter) -> Counter {
        let place = CounterKey(rule: compiled[index].id, key: key)
        noteKey(index, key, isNew: counters[place] == nil)
        return counters.update(place, initial: initial) { stored in
            stored.count += 1
            return stored
        }
    }

    mutating func noteKey(_ index: Int, _ key: String, isNew: Bool) { if isNew { tallies[index].keysSeen += 1 } }

    private mutating func fires(
        _ index: Int, _ actions: [RuleAction], _ why: String, _ facts: Facts, _ use: CompiledRule.Use, _ lot: Lot
    ) -> Decision {
        tallies[index].hits += 1
        let name = compiled[index].rule.name
        var why = why
        if actions.contains(where: \.draws) { why += "; drawn for use \(lot.count), seed \(seed)" }
        return Decision(rule: name, why: why, actions: drawn(actions, name, lot, facts, use.recipient))
    }

    // MARK: Keys

    /// A key of bounded length that stays distinct.
    static func bounded(_ key: String) -> String {
        guard key.utf8.count > Bounds.keyLength else { return key }
        let hash = Draw.bits(seed: 0, rule: "", key: key, count: 0, salt: 0)
        return String(decoding: key.utf8.prefix(Bounds.keyLength - 20), as: UTF8.self) + "…" + String(hash, radix: 16)
    }

    // MARK: Drawing

    private func drawn(
        _ actions: [RuleAction], _ rule: String, _ lot: Lot, _ facts: Facts, _ recipient: String?
    ) -> [Action] {
        actions.enumerated().map { index, action in
            switch action {
            case .reply(let text): return .reply(text.reply)
            case .delay(let shortest, let longest):
                guard shortest < longest else { return .delay(ns: scaled(shortest.ns)) }
                let bits = lot.bits(seed: seed, rule: rule, salt: UInt64(index) + 1)
                return .delay(ns: scaled(shortest.ns + Draw.below(longest.ns - shortest.ns + 1, bits)))
            case .tarpit(let step, let longest):
                let wait = step.ns.multipliedReportingOverflow(by: UInt64(max(0, facts.errors)))
                return .delay(ns: scaled(wait.overflow ? longest.ns : min(wait.partialValue, longest.ns)))
            case .use(let name):
                guard let entry = catalogue[name] else { return .accept }
                return .reply(entry.reply(facts.fill(recipient)))
            case .raw(.octets(let pieces)): return .raw(pieces: pieces, code: RawText.octets(pieces).code)
            case .raw(.preset(let preset)): return .bend(preset)
            case .tls(let fault): return .tls(fault)
            case .drip(let rate): return .drip(octetsPerSecond: rate.octetsPerSecond * timeScale)
            case .slowRead(let rate): return .slowRead(octetsPerSecond: rate.octetsPerSecond * timeScale)
            case .stall: return .stall
            case .stopReading: return .stopReading
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

    func scaled(_ ns: UInt64) -> UInt64 { Engine.scaled(ns, by: timeScale) }

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
            guard let magic = grammar.read(address, at: phase, catalogue) else { continue }
            var why = subject.shows ? "\(subject.spoken) \(address.shown)" : subject.spoken
            if let limit = magic.attempts {
                let key = CounterKey(rule: CounterKey.magic, key: Self.bounded(address.asciiLowercased))
                let count = counters.update(key, initial: Counter(first_ns: 0)) { counter in
                    counter.count += 1
                    return counter.count
                }
                guard count <= limit else { continue }
                why += ": \(count) of \(limit)"
            }
            return Decision(
                rule: "magic \(magic.word)", why: why,
                actions: drawn(magic.actions, "", Lot(key: "", count: 0), facts, address))
        }
        return nil
    }
}
