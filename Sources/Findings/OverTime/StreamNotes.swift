// What is remembered of messages across senders and sessions, beside their attempts: which Message-ID stands for what,
// which text came from how many addresses, who mails addresses that do not exist, which bulk mail has one return path
// for all.

struct StreamNotes: Sendable {
    static let limit = 10_000
    static let listLimit = 32

    struct Identifier: Sendable {
        var head: UInt64
        var body: UInt64
        var offersEightBit: Bool
        var first: Evidence
        /// Messages that differ from the first; those whose head is the same apart.
        var others: [(evidence: Evidence, isBodyAlone: Bool, peer: String, disturbances: Disturbances)] = []
        var count = 0
        var peer = ""
    }

    struct Body: Sendable {
        var places: [(peer: String, evidence: Evidence)] = []
        var copies = 0
    }

    struct DeadAddress: Sendable {
        var evidence: [Evidence] = []
        var count = 0
        var first_us = Int64.max
        var last_us = Int64.min
        var peer = ""
    }

    struct Stream: Sendable {
        /// Distinct recipients, as long as there are few.
        var recipients: Set<String> = []
        var reversePath = ""
        var isOneSender = true
        var isBulk = false
        var evidence: [Evidence] = []
        var peer = ""
    }

    struct IdentifierKey: Hashable, Sendable {
        var id: String
        /// A list keeps the Message-ID of what it distributes, and may change the message.
        var list: String?
    }

    private(set) var identifiers = BoundedTable<IdentifierKey, Identifier>(limit: limit)
    private(set) var bodies = BoundedTable<UInt64, Body>(limit: limit)
    private(set) var deadAddresses = BoundedTable<String, DeadAddress>(limit: limit)
    private(set) var streams = BoundedTable<String, Stream>(limit: limit)

    mutating func note(_ peer: String, _ attempt: Attempt, _ facts: MessageIdentity?) {
        for recipient in attempt.recipients where recipient.isUnknown { noteDead(recipient.address, peer, attempt) }
        guard let facts else { return }
        noteIdentifier(peer, attempt, facts)
        guard attempt.hasDelivered || attempt.verdict == .accepted else { return }
        noteBody(peer, attempt, facts)
        noteStream(peer, attempt, facts)
    }

    private mutating func noteIdentifier(_ peer: String, _ attempt: Attempt, _ facts: MessageIdentity) {
        guard let id = facts.messageID else { return }
        let key = IdentifierKey(id: id, list: facts.listID)
        identifiers.update(
            key,
            Identifier(
                head: facts.head, body: facts.body, offersEightBit: facts.offersEightBit, first: attempt.evidence)
        ) { known in
            defer { (known.count, known.peer) = (known.count + 1, peer) }
            guard known.count > 0 else { return }
            guard known.head != facts.head || known.body != facts.body else { return }
            let isBodyAlone = known.head == facts.head
            // One of them may have been converted for a server without 8BITMIME (RFC 6152 §3).
            if isBodyAlone, known.offersEightBit != facts.offersEightBit { return }
            guard known.others.count < Self.listLimit else { return }
            known.others.append((attempt.evidence, isBodyAlone, peer, attempt.disturbances))
        }
    }

    /// Octets below which a body says nothing about its origin.
    private static let bodyFloor = 64

    private mutating func noteBody(_ peer: String, _ attempt: Attempt, _ facts: MessageIdentity) {
        guard facts.bodyOctetCount >= Self.bodyFloor else { return }
        bodies.update(facts.body, Body()) { body in
            body.copies += 1
            guard body.places.count < Self.listLimit, !body.places.contains(where: { $0.peer == peer }) else { return }
            body.places.append((peer, attempt.evidence))
        }
    }

    private mutating func noteDead(_ address: String, _ peer: String, _ attempt: Attempt) {
        deadAddresses.update(address, DeadAddress()) { dead in
            dead.count += 1
            dead.first_us = min(dead.first_us, attempt.start_us)
            dead.last_us = max(dead.last_us, attempt.start_us)
            dead.peer = peer
            if dead.evidence.count < Finding.evidenceLimit { dead.evidence.append(attempt.evidence) }
        }
    }

    private mutating func noteStream(_ peer: String, _ attempt: Attempt, _ facts: MessageIdentity) {
        guard !facts.isReport, !attempt.reversePath.isEmpty, let author = facts.authorDomain else { return }
        let name = facts.listID.map { "list " + $0 } ?? (facts.isBulk ? "bulk " : "mail ") + author
        streams.update(name, Stream()) { stream in
            if stream.recipients.isEmpty { stream.reversePath = attempt.reversePath }
            if stream.reversePath != attempt.reversePath { stream.isOneSender = false }
            (stream.isBulk, stream.peer) = (facts.isBulk, peer)
            for recipient in attempt.recipients where stream.recipients.count < Self.listLimit {
                if stream.recipients.insert(recipient.address).inserted, stream.evidence.count < Finding.evidenceLimit {
                    stream.evidence.append(attempt.evidence)
                }
            }
        }
    }
}
