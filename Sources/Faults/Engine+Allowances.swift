// Rules that fire for what exceeds an allowance, and greylists: asked, counted, and taken back when something else
// refused the same thing after all.

import SMTP

/// What allowances of one key have counted.
struct Meters: Sendable {
    /// Uses, octets, errors, or answered recipients.
    var total = Meter()
    /// Of the recipients those that got a 5yz.
    var refused = Meter()
    /// Sessions that are open.
    var held: UInt64 = 0
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
}

extension Decision {
    /// What was asked for does not happen.
    var refuses: Bool {
        for action in actions {
            switch action {
            case .reply(let reply): return !reply.code.isPositive
            case .raw(_, let code): return code?.isPositive == false
            case .accept: return false
            case .close, .reset, .stall, .stopReading: return true
            case .delay, .drip, .slowRead, .keep, .lose, .hide, .offer, .bend, .tls: continue
            }
        }
        return false
    }
}

extension Engine {
    mutating func askAllowance(_ index: Int, _ key: String, _ facts: Facts, _ now_ns: UInt64) -> AllowanceAnswer {
        guard case .times(let frequency, _) = compiled[index].rule.schedule else { return .isNone }
        let place = CounterKey(rule: index, key: key)
        switch frequency {
        case .allowance(let allowance):
            noteKey(index, key, isNew: meters[place] == nil)
            let detail = exceeded(allowance, place, facts, now_ns)
            return detail.map { .exceeded(why: compiled[index].why($0, key: key)) } ?? .admits
        case .greylist(let greylist):
            noteKey(index, key, isNew: counters[place] == nil)
            return greylisted(greylist, place, now_ns).map { .exceeded(why: compiled[index].why($0, key: key)) }
                ?? .admits
        default: return .isNone
        }
    }

    /// Why it is exceeded; nil when what is asked for was counted.
    private mutating func exceeded(
        _ allowance: Allowance, _ place: CounterKey, _ facts: Facts, _ now_ns: UInt64
    ) -> String? {
        let window_ns = allowance.window.map { Engine.scaled($0.ns, by: timeScale) }
        let amount: UInt64 = allowance.kind == .octets ? UInt64(max(0, facts.size ?? 0)) : 1
        let alreadyHolds = holdings[facts.session]?.contains(place) == true
        let state = meters.update(place, initial: Meters()) { meters -> (why: String?, counted: Bool) in
            meters.total.advance(to: now_ns, window_ns: window_ns)
            switch allowance.kind {
            case .limit, .octets:
                let sum = meters.total.sum
                guard sum &+ amount <= allowance.most, sum &+ amount >= sum else {
                    return (
                        allowance.kind == .limit ? "\(sum) already" : "\(sum) octets already, and \(amount) more", false
                    )
                }
                meters.total.add(amount, at: now_ns, window_ns: window_ns)
                return (nil, true)
            case .atOnce:
                if alreadyHolds { return (nil, false) }
                guard meters.held < allowance.most else { return ("\(meters.held) are open", false) }
                meters.held += 1
                return (nil, true)
            case .errors:
                let sum = meters.total.sum
                return (sum >= allowance.most ? "\(sum) so far" : nil, false)
            case .unknownShare:
                meters.refused.advance(to: now_ns, window_ns: window_ns)
                let (all, refused) = (meters.total.sum, meters.refused.sum)
                let exceeds = all >= allowance.sample && refused * 1_000_000 > allowance.most * all
                return (exceeds ? "\(refused) of \(all) recipients were refused" : nil, false)
            }
        }
        if state.counted {
            let session = allowance.kind == .atOnce ? facts.session : nil
            reserved.append(Reservation(key: place, amount: amount, session: session))
            if let session { holdings[session, default: []].append(place) }
        }
        return state.why
    }

    /// Why it is deferred; nil when it passes.
    private mutating func greylisted(_ greylist: Greylist, _ place: CounterKey, _ now_ns: UInt64) -> String? {
        let wait_ns = Engine.scaled(greylist.wait.ns, by: timeScale)
        let window_ns = Engine.scaled(greylist.window.ns, by: timeScale)
        let memory_ns = Engine.scaled(greylist.memory.ns, by: timeScale)
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

    /// A reply was said to the client. To be called where `countsReplies`.
    ///
    /// - Parameters:
    ///   - phase: of the reply; rcpt for a recipient that was answered.
    ///   - facts: with the recipient, at rcpt.
    package mutating func note(_ code: ReplyCode, at phase: Phase?, _ facts: Facts, now_ns: UInt64) {
        for index in compiled.indices {
            guard let allowance = compiled[index].allowance else { continue }
            let isAnswer = phase == .rcpt && (code.isPositive || code.isPermanent)
            guard allowance.kind == .errors ? code.isPermanent : allowance.kind == .unknownShare && isAnswer else {
                continue
            }
            let key = compiled[index].key(facts, CompiledRule.Use(recipient: facts.to.first))
            let window_ns = allowance.window.map { Engine.scaled($0.ns, by: timeScale) }
            meters.update(CounterKey(rule: index, key: key), initial: Meters()) { meters in
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
        for place in holdings.removeValue(forKey: session) ?? [] { giveBack(place) }
    }

    private mutating func giveBack(_ place: CounterKey) {
        guard meters[place] != nil else { return }  // forgotten since the table was full
        meters.update(place, initial: Meters()) { $0.held -= min($0.held, 1) }
    }

    mutating func takeBackReserved() {
        for reservation in reserved {
            if let session = reservation.session {
                holdings[session]?.removeAll { $0 == reservation.key }
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
        let window_ns = allowance.window.map { Engine.scaled($0.ns, by: timeScale) }
        var found: [RuleStatus.Present] = []
        for place in meters.keys where place.rule == index {
            let count = meters.update(place, initial: Meters()) { meters in
                meters.total.advance(to: now_ns, window_ns: window_ns)
                return allowance.kind == .atOnce ? meters.held : meters.total.sum
            }
            if count > 0 { found.append(RuleStatus.Present(key: place.key, count: count)) }
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
