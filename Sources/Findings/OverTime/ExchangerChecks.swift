// Judges how a sender uses the exchangers of a domain (RFC 5321 §5.1). Only where the user says which listeners stand
// for them: a sender that was pointed at one listener knows of no other.

enum ExchangerChecks {
    static func check(
        _ peer: String, _ sessions: [SessionNote], _ now_us: Int64, _ cutUntil_us: Int64, _ ledger: inout OverTimeLedger
    ) {
        let settings = ledger.settings
        guard settings.exchangers.count > 1 || (settings.exchangers.first?.count ?? 0) > 1 else { return }
        var rank: [String: Int] = [:]
        for (index, equals) in settings.exchangers.enumerated() { for name in equals { rank[name] = index } }
        let ours = sessions.filter { rank[$0.listener] != nil }
        checkOrder(peer, ours, rank, &ledger)
        checkFallback(peer, ours, now_us, cutUntil_us, &ledger)
    }

    /// The better ones were tried, and failed, not long before.
    private static func checkOrder(
        _ peer: String, _ sessions: [SessionNote], _ rank: [String: Int], _ ledger: inout OverTimeLedger
    ) {
        let settings = ledger.settings
        let window_us = settings.judging.thresholds.retryWindow_us
        // The last time a peer was at an exchanger of each rank without success for all; sessions that only deferred a
        // recipient count as well: for it the next exchanger may be tried.
        var triedAt_us = [Int64?](repeating: nil, count: settings.exchangers.count)
        for session in sessions {
            guard let place = rank[session.listener] else { continue }
            defer { triedAt_us[place] = session.started_us }
            guard place > 0 else {
                ledger.kept(.mxWrongOrder, peer, isLoopback: session.isLoopback)
                continue
            }
            guard session.started_us > settings.observedSince_us else { continue }
            // Before the sink watched, the better one may have been tried.
            let watched_us = settings.scaled(session.started_us.since(settings.observedSince_us))
            judgeOrder(peer, session, place, triedAt_us, window_us, isYoung: watched_us < window_us, &ledger)
        }
    }

    private static func judgeOrder(
        _ peer: String, _ session: SessionNote, _ place: Int, _ triedAt_us: [Int64?], _ window_us: UInt64,
        isYoung: Bool,
        _ ledger: inout OverTimeLedger
    ) {
        let settings = ledger.settings
        let missed = (0..<place).first { better in
            guard let tried_us = triedAt_us[better] else { return true }
            return settings.scaled(session.started_us.since(tried_us)) > window_us
        }
        guard let missed else {
            ledger.kept(.mxWrongOrder, peer, isLoopback: session.isLoopback)
            return
        }
        ledger.broken(
            .mxWrongOrder, peer, isLoopback: session.isLoopback, Evidence(at_us: 0, session: session.session),
            in: [(session.session, session.started_us)],
            as: isYoung ? (.info, "the sink has not watched long enough to know of earlier attempts") : nil,
            saw: "came to \(session.listener) without a try at \(settings.exchangers[missed].joined(separator: " or "))"
        )
    }

    /// Who was turned away at one exchanger tries another.
    private static func checkFallback(
        _ peer: String, _ sessions: [SessionNote], _ now_us: Int64, _ cutUntil_us: Int64, _ ledger: inout OverTimeLedger
    ) {
        let settings = ledger.settings
        let window_us = settings.judging.thresholds.retryWindow_us
        let isServed = servedBeside(sessions)
        // From the newest to the oldest: the next visit at each other listener.
        var nextAt_us: [String: Int64] = [:]
        for (index, session) in sessions.enumerated().reversed() {
            defer { nextAt_us[session.listener] = session.started_us }
            guard session.failed, !isServed[index], settings.observedSince_us <= session.started_us else { continue }
            let next_us = nextAt_us.filter { $0.key != session.listener }.values.min()
            if let next_us, settings.scaled(next_us.since(session.started_us)) <= window_us {
                ledger.kept(.mxNoFallback, peer, isLoopback: session.isLoopback)
                continue
            }
            guard cutUntil_us < session.ended_us,
                settings.scaled(now_us.since(session.ended_us)) >= window_us
            else { continue }
            ledger.broken(
                .mxNoFallback, peer, isLoopback: session.isLoopback, Evidence(at_us: 0, session: session.session),
                in: [(session.session, session.started_us)],
                saw: "\(session.refusal == 0 ? "no service" : "\(session.refusal)") at \(session.listener), "
                    + "and no try at another exchanger")
        }
    }

    /// Whether the same listener served the peer in another session at that time: then only one connection was too
    /// many.
    private static func servedBeside(_ sessions: [SessionNote]) -> [Bool] {
        var servedUntil_us: [String: Int64] = [:]
        return sessions.map { session in
            let isServed = servedUntil_us[session.listener].map { $0 > session.started_us } ?? false
            if session.transactionCount > 0 {
                servedUntil_us[session.listener] = max(servedUntil_us[session.listener] ?? .min, session.ended_us)
            }
            return isServed
        }
    }
}
