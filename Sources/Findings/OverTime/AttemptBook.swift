// What has been seen of every sender, over sessions: who tried what, when, and with what success. It is fed once a
// session, in the order in which sessions end, and asked at any time; the time of the question comes from outside. It
// is bounded: what makes room is counted, and nothing is concluded from what is no longer known.

import Journal
import SMTP

package struct AttemptBook: Sendable {
    /// Messages that are followed.
    package static let messageLimit = 10_000
    /// Attempts of one message that are kept.
    package static let attemptLimit = Trail.attemptLimit
    package static let peerLimit = 10_000
    /// Sessions whose times are kept.
    package static let sessionLimit = 20_000
    /// Recipients in all attempts together.
    package static let recipientLimit = 1_000_000

    /// What is no longer known, since newer things needed the room.
    package struct Dropped: Sendable, Hashable, Codable {
        package var messages = 0
        package var attempts = 0
        package var peers = 0
        package var sessions = 0
    }

    /// A trail's number; it lives at its remainder in the ring.
    private var ring: [Trail?] = []
    private var oldest = 0
    private var next = 0
    private var byKey: [TrailKey: Int] = [:]
    private var byEnvelope: [TrailKey: [Int]] = [:]
    private var recipientCount = 0
    private var messagesDropped = 0
    private var attemptsDropped = 0

    private(set) var sessions = BoundedRing<SessionNote>(limit: sessionLimit)
    private(set) var peers = BoundedTable<String, PeerNote>(limit: peerLimit)
    private(set) var streams = StreamNotes()

    package init() {}

    package var dropped: Dropped {
        Dropped(
            messages: messagesDropped, attempts: attemptsDropped, peers: peers.dropped, sessions: sessions.dropped)
    }

    /// The trails, the oldest first.
    var trails: some Sequence<Trail> { (oldest..<next).lazy.compactMap { ring[$0 % Self.messageLimit] } }

    /// - Parameter messages: of those that came in this session, accepted or not, as far as their octets are known.
    package mutating func note(_ trace: SessionTrace, _ messages: [MessageIdentity]) {
        var maker = AttemptMaker(trace)
        var byTransaction: [Int: MessageIdentity] = [:]
        for facts in messages { byTransaction[facts.transaction] = facts }
        let peer = PeerName.peer(trace.client)
        for index in trace.transactions.indices {
            let facts = byTransaction[index + 1]
            var attempt = maker.attempt(index, facts)
            follow(&attempt, facts)
            notePeer(peer, attempt, facts)
            streams.note(peer, attempt, facts)
        }
        maker.advance(to: trace.steps.count)
        let note = SessionNote(trace, maker.hello)
        sessions.append(note)
        peers.update(peer, PeerNote()) { $0.note(note, maker.helloNames, isCut: trace.isCut) }
        followPeer(peer, note, maker)
    }

    private mutating func notePeer(_ peer: String, _ attempt: Attempt, _ facts: MessageIdentity?) {
        peers.update(peer, PeerNote()) { $0.note(attempt, facts) }
    }

    /// What faults of the sink in sessions before explain in this one, which need not have been noted yet.
    package func before(_ trace: SessionTrace, _ settings: OverTimeSettings) -> Disturbances {
        guard let troubled = peers[PeerName.peer(trace.client)]?.troubledTLS, !troubled.isEmpty else { return [] }
        var maker = AttemptMaker(trace)
        maker.advance(to: trace.steps.count)
        // Sessions of one name may run at once: the first that was spoilt explains what began behind it.
        guard let spoilt = troubled[maker.hello], trace.started_us >= spoilt.first_us else { return [] }
        let ended_us = trace.started_us >= spoilt.last_us ? spoilt.last_us : spoilt.first_us
        let pause_us = settings.scaled(trace.started_us.since(ended_us))
        return pause_us <= settings.judging.thresholds.retryWindow_us ? .tlsBefore : []
    }

    // MARK: Following a message

    private mutating func follow(_ attempt: inout Attempt, _ facts: MessageIdentity?) {
        let from = SenderAddress.steady(attempt.reversePath)
        let number = known(&attempt, facts, from) ?? begin()
        let place = number % Self.messageLimit
        if let facts { take(facts, from, into: number) }
        for recipient in attempt.recipients { bind(.envelope(from: from, to: recipient.address), to: number) }
        recipientCount += attempt.recipients.count
        add(attempt, to: place)
        while recipientCount > Self.recipientLimit, oldest < number { forgetOldest() }
    }

    private mutating func add(_ attempt: Attempt, to place: Int) {
        guard let gone = ring[place]?.add(attempt) else { return }
        recipientCount -= gone
        attemptsDropped += 1
    }

    /// The trail that this attempt goes on with.
    private mutating func known(_ attempt: inout Attempt, _ facts: MessageIdentity?, _ from: String) -> Int? {
        guard let facts else { return byItsEnvelope(attempt, from, nil) }
        let id = facts.messageID
        if let number = byKey[.message(id ?? "", version: facts.version)] {
            attempt.tie = id == nil ? .content : .messageID
            return number
        }
        if let number = byKey[.content(facts.content, from: from)], owes(number, to: attempt) {
            attempt.tie = .content
            return number
        }
        attempt.tie = id == nil ? .content : .messageID
        return byItsEnvelope(attempt, from, facts)
    }

    private func owes(_ number: Int, to attempt: Attempt) -> Bool {
        guard let trail = ring[number % Self.messageLimit] else { return false }
        return attempt.recipients.prefix(Self.envelopeLookups).contains { recipient in
            trail.outcome(of: recipient.address)?.isOpen ?? false
        }
    }

    /// Recipients of an attempt by which its trail is looked for.
    private static let envelopeLookups = 10
    /// Trails of one pair of sender and recipient that are found by it, the newest.
    private static let envelopeTrails = 8

    /// Trails that wait for this sender and recipient, the newest first. Unless the attempt itself says which one it
    /// goes on with, any of them might be meant, and none is said to have been given up.
    private mutating func byItsEnvelope(_ attempt: Attempt, _ from: String, _ facts: MessageIdentity?) -> Int? {
        var perhaps: [Int] = []
        var found: Int?
        let addresses = attempt.recipients.prefix(Self.envelopeLookups).map(\.address) + [""]
        search: for address in addresses {
            for number in (byEnvelope[.envelope(from: from, to: address)] ?? []).reversed() {
                switch fit(number, address, attempt, facts) {
                case .yes:
                    found = number
                    break search
                case .perhaps: perhaps.append(number)
                case .no: break
                }
            }
        }
        if let found, ring[found % Self.messageLimit]?.attempts.last?.declares(sameAs: attempt) == true { return found }
        for number in perhaps where number != found { ring[number % Self.messageLimit]?.isRevisited = true }
        return found
    }

    private enum Fit { case yes, perhaps, no }

    private func fit(_ number: Int, _ address: String, _ attempt: Attempt, _ facts: MessageIdentity?) -> Fit {
        guard let trail = ring[number % Self.messageLimit], let last = trail.attempts.last,
            let outcome = trail.outcome(of: address)
        else { return .no }
        guard last.network == attempt.network || Self.areKin(last.hello, attempt.hello) else {
            return outcome.isOpen ? .perhaps : .no
        }
        let isSame = last.declares(sameAs: attempt)
        if let facts, trail.hasMessage {
            // It has another id and other content; it may be the old one made anew all the same.
            let isAlike = trail.messageID == facts.messageID || trail.subject == facts.subject || isSame == true
            return outcome.isOpen && isAlike ? .perhaps : .no
        }
        switch outcome {
        case .failed: return isSame == true && facts == nil ? .yes : .no
        case .abandoned: return last.session == attempt.session && isSame != false ? .yes : .no
        case _ where outcome.isOpen: return isSame == false ? .perhaps : .yes
        default: return .no
        }
    }

    /// One name, or two of one domain.
    private static func areKin(_ one: String, _ other: String) -> Bool {
        guard !one.isEmpty, !other.isEmpty else { return false }
        if one == other { return true }
        let domains = [one, other].map { $0.split(separator: ".").dropFirst() }
        return domains[0].count > 1 && domains[0].elementsEqual(domains[1])
    }

    private mutating func take(_ facts: MessageIdentity, _ from: String, into number: Int) {
        let place = number % Self.messageLimit
        for key in [
            TrailKey.message(facts.messageID ?? "", version: facts.version), .content(facts.content, from: from),
        ] where byKey[key] != number {
            // The newest of several alike.
            byKey[key] = number
            ring[place]?.keys.append(key)
        }
        guard ring[place]?.hasMessage == false else { return }
        ring[place]?.hasMessage = true
        ring[place]?.messageID = facts.messageID
        ring[place]?.content = facts.content
        ring[place]?.subject = facts.subject
        ring[place]?.listID = facts.listID
        ring[place]?.isReport = facts.isReport
    }

    private mutating func bind(_ key: TrailKey, to number: Int) {
        let numbers = byEnvelope[key] ?? []
        guard numbers.last != number else { return }
        guard !numbers.contains(number) else { return }
        if numbers.count == Self.envelopeTrails, let first = numbers.first {
            ring[first % Self.messageLimit]?.isRevisited = true
            byEnvelope[key] = numbers.dropFirst() + [number]
        } else {
            byEnvelope[key, default: []].append(number)
        }
        ring[number % Self.messageLimit]?.keys.append(key)
    }

    // MARK: Turned away before MAIL

    private mutating func followPeer(_ peer: String, _ note: SessionNote, _ maker: AttemptMaker) {
        let key = TrailKey.peer(peer)
        let number = byKey[key]
        if note.failed || note.transactionCount == 0 && note.refusal >= 500 {
            let number = number ?? begin()
            let place = number % Self.messageLimit
            if byKey[key] == nil {
                byKey[key] = number
                ring[place]?.keys.append(key)
            }
            add(maker.bare(note), to: place)
        } else if let number, note.transactionCount > 0 {
            // It came back and got further: that story is at its end.
            var attempt = maker.bare(note)
            (attempt.verdict, attempt.transaction) = (nil, 1)
            add(attempt, to: number % Self.messageLimit)
            byKey[key] = nil
        }
    }

    // MARK: Room

    private mutating func begin() -> Int {
        if next - oldest == Self.messageLimit { forgetOldest() }
        let number = next
        next += 1
        if ring.count < Self.messageLimit { ring.append(Trail()) } else { ring[number % Self.messageLimit] = Trail() }
        return number
    }

    private mutating func forgetOldest() {
        let number = oldest
        oldest += 1
        guard let trail = ring[number % Self.messageLimit] else { return }
        ring[number % Self.messageLimit] = nil
        messagesDropped += 1
        for attempt in trail.attempts { recipientCount -= attempt.recipients.count }
        for key in trail.keys {
            if byKey[key] == number { byKey[key] = nil }
            guard let numbers = byEnvelope[key] else { continue }
            let rest = numbers.filter { $0 != number }
            byEnvelope[key] = rest.isEmpty ? nil : rest
        }
    }
}

extension Attempt {
    /// Whether two attempts declare the same message: by its envelope identifier, else by its size; nil where one of
    /// them declares neither.
    func declares(sameAs other: Attempt) -> Bool? {
        if let mine = envelopeID, let theirs = other.envelopeID { return mine == theirs }
        if let mine = size, let theirs = other.size { return mine == theirs }
        return nil
    }
}
