// Rules that fire for what exceeds an allowance, and greylists: asked, counted, and taken back when something else
// refused the same thing after all.

import SMTP

/// What allowances of one key have counted.
struct Meters: Sendable {
    /// Uses, octets, errors, or answered recipients.
    var total = Meter()
    /// Of the recipients those that got a 5yz.
    var refused = Meter()
}

/// What belongs to an open session.
struct Holding: Sendable {
    /// Of each kind; beyond that the oldest goes, so that a session costs little whatever it says.
    static let most = 256

    /// Its places in `at-once` allowances.
    var places: [CounterKey] = []
    /// Meters that nobody asks for when the session is over.
    var meters: [CounterKey] = []
    /// Those of its last transaction, which go with the next.
    var transactionMeters: [CounterKey] = []
    var transaction = 0
}

/// Something that was counted in the decision at hand.
struct Reservation: Sendable {
    let key: CounterKey
    let amount: UInt64
    /// The session that holds a place; nil for meters.
    let session: UInt64?
}

/// What an allowance says to one use.
enum AllowanceAnswer: Sendable {
    /// The rule has none: something else decides.
    case isNone
    case admits
    case exceeded(why: String)
}

extension CompiledRule {
    var allowance: Allowance? {
        if case .times(.allowance(let allowance), _) = rule.schedule { allowance } else { nil }
    }

    /// An allowance whose keys end with their session.
    var countsForSession: Bool { allowance != nil && rule.per.contains(.session) || countsForTransaction }
    var countsForTransaction: Bool { allowance != nil && rule.per.contains(.transaction) }
}

extension Decision {
    /// What the client hears of it first.
    enum Answer: Sendable {
        /// The protocol's own reply.
        case own
        /// Raw octets may have no code.
        case reply(ReplyCode?)
        case silence
    }

    var answer: Answer {
        for action in actions {
            switch action {
            case .reply(let reply): return .reply(reply.code)
            case .raw(_, let code): return .reply(code)
            case .accept: return .own
            case .close, .reset, .stall, .stopReading: return .silence
            case .delay, .drip, .slowRead, .keep, .lose, .hide, .offer, .bend, .tls: continue
            }
        }
        return .own
    }

    /// What was asked for does not happen.
    var refuses: Bool {
        switch answer {
        case .own: false
        case .reply(let code): code?.isPositive == false
        case .silence: true
        }
    }
}

extension Engine {
    mutating func askAllowance(_ index: Int, _ key: String, _ facts: Facts, _ now_ns: UInt64) -> AllowanceAnswer {
        guard case .times(let frequency, _) = compiled[index].rule.schedule else { return .isNone }
        let place = CounterKey(rule: compiled[index].id, key: key)
        switch frequency {
        case .allowance(let allowance):
            let isNew = allowance.kind == .atOnce ? open[place] == nil : meters[place] == nil
            noteKey(index, key, isNew: isNew)
            if isNew, compiled[index].countsForSession { hold(place, of: compiled[index], facts) }
            let detail = exceeded(allowance, place, facts, now_ns)
            return detail.map { .exceeded(why: compiled[index].why($0, key: key)) } ?? .admits
        case .greylist(let greylist):
            noteKey(index, key, isNew: counters[place] == nil)
            return greylisted(greylist, place, now_ns).map { .exceeded(why: compiled[index].why($0, key: key)) }
                ?? .admits
        default: return .isNone
        }
    }

    /// A meter that ends with its session, or with its transaction.
    private mutating func hold(_ place: CounterKey, of rule: CompiledRule, _ facts: Facts) {
        var holding = holdings[facts.session] ?? Holding()
        if rule.countsForTransaction {
            if holding.transaction != facts.transaction {
                for old in holding.transactionMeters { meters.remove(old) }
                holding.transactionMeters = []
                holding.transaction = facts.transaction
            }
            holding.transactionMeters.append(place)
            if holding.transactionMeters.count > Holding.most { meters.remove(holding.transactionMeters.removeFirst()) }
        } else {
            holding.meters.append(place)
            if holding.meters.count > Holding.most { meters.remove(holding.meters.removeFirst()) }
        }
        holdings[facts.session] = holding
    }

    /// Why it is exceeded; nil when what is asked for was counted.
    private mutating func exceeded(
        _ allowance: Allowance, _ place: CounterKey, _ facts: Facts, _ now_ns: UInt64
    ) -> String? {
        if allowance.kind == .atOnce { return exceededOpen(allowance, place, facts.session) }
        let window_ns = allowance.window.map { scaled($0.ns) }
        let amount: UInt64 = allowance.kind == .octets ? UInt64(max(0, facts.size ?? 0)) : 1
        let state = meters.update(place, initial: Meters()) { meters -> (why: String?, counted: Bool) in
            meters.total.advance(to: now_ns, window_ns: window_ns)
            let sum = meters.total.sum
            switch allowance.kind {
            case .limit, .octets:
                guard sum &+ amount <= allowance.most, sum &+ amount >= sum else {
                    let why = allowance.kind == .limit ? "\(sum) already" : "\(sum) octets already, and \(amount) more"
                    return (why, false)
                }
                meters.total.add(amount, at: now_ns, window_ns: window_ns)
                return (nil, true)
            case .errors: return (sum >= allowance.most ? "\(sum) so far" : nil, false)
            case .unknownShare:
                meters.refused.advance(to: now_ns, window_ns: window_ns)
                let refused = meters.refused.sum
                let exceeds = sum >= allowance.sample && refused * 1_000_000 > allowance.most * sum
                return (exceeds ? "\(refused) of \(sum) recipients were refused" : nil, false)
            case .atOnce: return (nil, false)
            }
        }
        if state.counted { reserved.append(Reservation(key: place, amount: amount, session: nil)) }
        return state.why
    }

    private mutating func exceededOpen(_ allowance: Allowance, _ place: CounterKey, _ session: UInt64) -> String? {
        if holdings[session]?.places.contains(place) == true { return nil }
        let count = open[place] ?? 0
        guard count < allowance.most else { return "\(count) are open" }
        open[place] = count + 1
        holdings[session, default: Holding()].places.append(place)
        if let places = holdings[session]?.places, places.count > Holding.most {
            holdings[session]?.places.removeFirst()
            giveBack(places[0])
        }
        reserved.append(Reservation(key: place, amount: 1, session: session))
        return nil
    }

    /// Why it is deferred; nil when it passes.
    private mutating func greylisted(_ greylist: Greylist, _ place: CounterKey, _ now_ns: UInt64) -> String? {
        let wait_ns = scaled(greylist.wait.ns)
        let window_ns = scaled(greylist.window.ns)
        let memory_ns = scaled(greylist.memory.ns)
        return counters.update(place, initial: Counter(first_ns: now_ns)) { tuple in
            // A count of 0 is new or waits; once it passed, `first_ns` is when it was seen last.
            let elapsed_ns = now_ns >= tuple.first_ns ? now_ns - tuple.first_ns : 0
            if tuple.count > 0 {
                if elapsed_ns < memory_ns {
                    tuple.first_ns = now_ns
                    return nil
                }
                tuple = Counter(first_ns: now_ns)
                return "forgotten, and new again"
            }
            if elapsed_ns == 0 { return "new" }
            if elapsed_ns < wait_ns {
                return "came again after \(CompiledRule.rounded(elapsed_ns)) of \(CompiledRule.rounded(wait_ns))"
            }
            if elapsed_ns >= window_ns {
                tuple = Counter(first_ns: now_ns)
                return "came again too late, and is new again"
            }
            tuple.count = 1
            tuple.first_ns = now_ns
            return nil
        }
    }

    // MARK: What happened

    /// The protocol itself answered. To be called where `countsReplies`; what rules answer is counted when they do.
    package mutating func note(_ code: ReplyCode, _ facts: Facts, now_ns: UInt64) {
        count(code, at: nil, facts, now_ns: now_ns)
    }

    /// What the client will hear of a decision, as far as it is counted; nil: nothing that counts.
    func code(of decision: Decision?, at phase: Phase) -> ReplyCode? {
        switch decision?.answer ?? .own {
        case .own: phase == .rcpt ? ReplyCode.ok : nil
        case .reply(let code): code
        case .silence: nil
        }
    }

    /// - Parameter phase: rcpt for a recipient that is answered, nil where it does not matter.
    mutating func count(_ code: ReplyCode, at phase: Phase?, _ facts: Facts, now_ns: UInt64) {
        let isAnswer = phase == .rcpt && (code.isPositive || code.isPermanent)
        for index in replyCounters {
            guard let allowance = compiled[index].allowance else { continue }
            // Only what comes to the rule is counted: its listener, its clients, its recipients.
            if allowance.kind == .errors {
                guard code.isPermanent, compiled[index].concerns(facts, attempts) else { continue }
            } else {
                guard isAnswer, compiled[index].match(facts, attempts) != nil else { continue }
            }
            let key = compiled[index].key(facts, CompiledRule.Use(recipient: facts.to.first))
            let window_ns = allowance.window.map { scaled($0.ns) }
            meters.update(CounterKey(rule: compiled[index].id, key: key), initial: Meters()) { meters in
                meters.total.advance(to: now_ns, window_ns: window_ns)
                meters.total.add(1, at: now_ns, window_ns: window_ns)
                guard allowance.kind == .unknownShare, code.isPermanent else { return }
                meters.refused.advance(to: now_ns, window_ns: window_ns)
                meters.refused.add(1, at: now_ns, window_ns: window_ns)
            }
        }
    }

    /// A session is over. To be called where `countsSessions`.
    package mutating func sessionEnded(_ session: UInt64) {
        guard let holding = holdings.removeValue(forKey: session) else { return }
        for place in holding.places { giveBack(place) }
        for place in holding.meters + holding.transactionMeters { meters.remove(place) }
    }

    private mutating func giveBack(_ place: CounterKey) {
        guard let count = open[place] else { return }
        open[place] = count > 1 ? count - 1 : nil
    }

    mutating func takeBackReserved() {
        for reservation in reserved {
            if let session = reservation.session {
                holdings[session]?.places.removeAll { $0 == reservation.key }
                giveBack(reservation.key)
            } else if meters[reservation.key] != nil {
                meters.update(reservation.key, initial: Meters()) { $0.total.takeBack(reservation.amount) }
            }
        }
    }

    // MARK: Status

    private static let mostShown = 5

    /// What an allowance has counted now, for its fullest keys.
    mutating func present(_ index: Int, _ now_ns: UInt64) -> [RuleStatus.Present] {
        guard let allowance = compiled[index].allowance else { return [] }
        let window_ns = allowance.window.map { scaled($0.ns) }
        var found: [RuleStatus.Present] = []
        if allowance.kind == .atOnce {
            for (place, count) in open where place.rule == compiled[index].id {
                found.append(RuleStatus.Present(key: place.key, count: count))
            }
        }
        for place in meters.keys where place.rule == compiled[index].id {
            let (count, refused) = meters.update(place, initial: Meters()) { meters in
                meters.total.advance(to: now_ns, window_ns: window_ns)
                meters.refused.advance(to: now_ns, window_ns: window_ns)
                return (meters.total.sum, meters.refused.sum)
            }
            guard count > 0 else { continue }
            let isShare = allowance.kind == .unknownShare
            found.append(RuleStatus.Present(key: place.key, count: count, refused: isShare ? refused : nil))
        }
        return Array(found.sorted { ($1.count, $0.key) < ($0.count, $1.key) }.prefix(Self.mostShown))
    }
}

extension Facts {
    /// What a reply of the catalogue is filled with.
    func fill(_ recipient: String?) -> ReplyFill {
        ReplyFill(ip: client, to: recipient ?? to.first, from: from, helo: helo, id: "s\(session).\(transaction)")
    }
}
