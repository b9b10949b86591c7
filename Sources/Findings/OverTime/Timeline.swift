// A message's attempts on a time line, for people: what the report, the API and the page show. Made from the same view
// as the findings.

import Journal

package struct Timeline: Sendable, Hashable, Codable {
    /// How the message stands.
    package enum State: String, Sendable, Hashable, Codable {
        case delivered, failed
        /// The sender owes another attempt, and its time has not run out.
        case waiting
        /// It was to come back and never did.
        case missing
        /// It came back and then stopped before every recipient was served.
        case givenUp = "given-up"
        /// The client left of its own accord.
        case abandoned
    }

    package struct Recipient: Sendable, Hashable, Codable {
        package var address: String
        /// Of the reply that decided; 0 where none was said.
        package var code: Int
        package var outcome: Outcome

        package init(address: String, code: Int, outcome: Outcome) {
            self.address = address
            self.code = code
            self.outcome = outcome
        }
    }

    package struct Attempt: Sendable, Hashable, Codable {
        package var session: String
        /// From 1; 0 where the session never got that far.
        package var transaction: Int
        /// Microseconds since 1970-01-01 UTC: the MAIL, or the session where there was none.
        package var started_us: Int64
        package var duration_us: UInt64
        package var client: String
        package var helo: String
        /// The listener and the address there.
        package var server: String
        package var from: String
        package var recipients: [Recipient]
        /// Recipients beyond what is kept.
        package var recipients_dropped: Int
        package var phase: String?
        package var code: Int
        package var verdict: Verdict?
        /// The stored message.
        package var message: String?
        /// By what it is known to belong here.
        package var tie: Tie
        /// What the sink's faults had done, in words; empty without one.
        package var disturbances: String
        /// Microseconds of the sender's own time since the end of the attempt before; nil for the first.
        package var gap_us: UInt64?
    }

    /// The Message-ID, else a digest of the content, else the envelope, else the peer.
    package var key: String
    package var tie: Tie
    package var from: String
    package var subject: String
    package var list: String?
    /// multipart/report (RFC 6522): a DSN, or a receipt.
    package var report: Bool
    package var state: State
    package var attempts: [Attempt]
    package var attempts_dropped: Int
    /// Some recipient was tried again behind a temporary failure.
    package var retried: Bool
    /// It was accepted twice or more for one recipient.
    package var duplicated: Bool
    /// Recipients, each with what became of it in the end.
    package var recipients: [Recipient]
}

extension Timeline {
    init(_ trail: Trail, _ now_us: Int64, _ settings: OverTimeSettings) {
        let histories = History.all(trail)
        let first = trail.attempts.first
        tie =
            trail.messageID != nil ? .messageID : trail.hasMessage ? .content : first?.tie == .peer ? .peer : .envelope
        from = first?.reversePath ?? ""
        switch tie {
        case .messageID: key = trail.messageID ?? ""
        case .content: key = "content \(String(trail.content, radix: 16))"
        case .envelope:
            key = "<\(from)> to \(histories.first { !$0.address.isEmpty }.map { "<\($0.address)>" } ?? "nobody")"
        case .peer: key = first?.client ?? ""
        }
        subject = trail.subject
        list = trail.listID
        report = trail.isReport
        attempts = []
        var end_us: Int64?
        for attempt in trail.attempts {
            attempts.append(Attempt(attempt, gap_us: end_us.map { settings.scaled(attempt.start_us.since($0)) }))
            end_us = attempt.end_us
        }
        attempts_dropped = trail.attemptsDropped
        retried = histories.contains { $0.rounds(settings).count > 1 && ($0.visits.first?.outcome.isOpen ?? false) }
        duplicated = histories.contains { history in
            history.visits.filter { [.delivered, .unheard, .lost].contains($0.outcome) }.count > 1
        }
        recipients = histories.compactMap { history in
            guard !history.address.isEmpty, let last = history.visits.last else { return nil }
            return Recipient(address: history.address, code: last.code, outcome: last.outcome)
        }
        state = Self.state(histories, trail, now_us, settings)
    }

    /// What is still open counts most.
    private static func state(
        _ histories: [History], _ trail: Trail, _ now_us: Int64, _ settings: OverTimeSettings
    ) -> State {
        let ends = histories.compactMap { history in history.visits.last.map { (history, $0.outcome) } }
        let open = ends.filter { $0.1.isOpen }
        let gone = open.filter { Waiting.isGone($0.0, trail, now_us, settings) }
        if open.count > gone.count { return .waiting }
        if let first = gone.first { return first.0.rounds(settings).count > 1 ? .givenUp : .missing }
        if ends.contains(where: { $0.1 == .failed }) { return .failed }
        return ends.contains { $0.1 == .abandoned } || ends.isEmpty ? .abandoned : .delivered
    }
}

extension Timeline.Attempt {
    fileprivate init(_ attempt: Attempt, gap_us: UInt64?) {
        session = attempt.session
        transaction = attempt.transaction
        started_us = attempt.start_us
        duration_us = attempt.ended_us - min(attempt.began_us, attempt.ended_us)
        client = attempt.client
        helo = attempt.hello
        server = attempt.server
        from = attempt.reversePath
        recipients = attempt.recipients.filter { !$0.address.isEmpty }.map {
            Timeline.Recipient(address: $0.address, code: $0.code, outcome: $0.outcome)
        }
        recipients_dropped = attempt.recipientsDropped
        phase = attempt.phase?.rawValue
        code = attempt.code
        verdict = attempt.verdict
        message = attempt.message
        tie = attempt.tie
        disturbances = attempt.disturbances.words
        self.gap_us = gap_us
    }
}
