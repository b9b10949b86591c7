// What is remembered of a peer over all its sessions: the names it gave, how many of its recipients exist, which
// envelope senders it uses for whom.

struct PeerNote: Sendable {
    /// Of each list.
    static let nameLimit = 32
    static let authorLimit = 32
    static let domainLimit = 16

    var isLoopback = false
    /// Names of EHLO and HELO with the session that said each first.
    var helloNames: [(name: String, evidence: Evidence)] = []
    var recipientCount = 0
    var unknownCount = 0
    var unknown: [Evidence] = []
    /// By the domain of From: the domains of the envelope sender.
    var returnPaths: [String: [(domain: String, evidence: Evidence)]] = [:]
    /// Until when sessions were longer than what is kept of them: nothing is concluded from an absence before.
    var cutUntil_us = Int64.min
    /// By the name of EHLO: when the first and the last session with TLS ended that a fault of the sink had spoilt.
    var troubledTLS: [String: (first_us: Int64, last_us: Int64)] = [:]
    var lastSession = ""
    var lastEnd_us = Int64.min

    mutating func note(_ session: SessionNote, _ names: [String], isCut: Bool) {
        isLoopback = session.isLoopback
        lastSession = session.session
        lastEnd_us = max(lastEnd_us, session.ended_us)
        if isCut { cutUntil_us = max(cutUntil_us, session.ended_us) }
        if session.isTroubledTLS, troubledTLS.count < Self.nameLimit || troubledTLS[session.hello] != nil {
            let known = troubledTLS[session.hello] ?? (session.ended_us, session.ended_us)
            troubledTLS[session.hello] = (
                min(known.first_us, session.ended_us), max(known.last_us, session.ended_us)
            )
        }
        for name in names where helloNames.count < Self.nameLimit && !helloNames.contains(where: { $0.name == name }) {
            helloNames.append((name, Evidence(session: session.session)))
        }
    }

    mutating func note(_ attempt: Attempt, _ facts: MessageIdentity?) {
        for recipient in attempt.recipients where !recipient.address.isEmpty {
            recipientCount += 1
            guard recipient.isUnknown else { continue }
            unknownCount += 1
            if unknown.count < Finding.evidenceLimit { unknown.append(attempt.evidence) }
        }
        guard let author = facts?.authorDomain, let domain = SenderAddress.domain(attempt.reversePath) else { return }
        guard returnPaths[author] != nil || returnPaths.count < Self.authorLimit else { return }
        let known = returnPaths[author] ?? []
        guard known.count < Self.domainLimit, !known.contains(where: { $0.domain == domain }) else { return }
        returnPaths[author, default: []].append((domain, attempt.evidence))
    }
}
