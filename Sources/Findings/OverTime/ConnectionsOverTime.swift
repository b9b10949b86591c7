// Judges how a peer connects: how many connections at once and how fast, whether it uses them for more than one
// message, and which exchanger it goes to (RFC 5321 §4.5.4.1, §5.1).

import Journal
import SMTP

enum ConnectionsOverTime {
    static func check(
        _ notes: [SessionNote], _ now_us: Int64, _ peers: BoundedTable<String, PeerNote>,
        _ ledger: inout OverTimeLedger
    ) {
        for (peer, sessions) in Dictionary(grouping: notes, by: \.peer) {
            let sorted = sessions.sorted { ($0.started_us, $0.ended_us) < ($1.started_us, $1.ended_us) }
            checkAtOnce(peer, sorted, &ledger)
            checkRate(peer, sorted, &ledger)
            checkReuse(peer, sorted, &ledger)
            ExchangerChecks.check(peer, sorted, now_us, peers[peer]?.cutUntil_us ?? .min, &ledger)
        }
    }

    private static func softened(_ session: SessionNote) -> (Severity, reason: String)? {
        session.isLoopback ? (.info, PeerChecks.manySenders) : nil
    }

    // MARK: At once

    private static func checkAtOnce(_ peer: String, _ sessions: [SessionNote], _ ledger: inout OverTimeLedger) {
        let limit = ledger.settings.judging.thresholds.connectionsAtOnce
        var over: [SessionNote] = []
        var peak = 0
        let ends = sessions.indices.sorted { sessions[$0].ended_us < sessions[$1].ended_us }
        var ended = 0
        // How many of the open ones are open for our own slowness.
        var slow = 0
        let isSlow = { (session: SessionNote) in
            !session.disturbances.isDisjoint(with: [.stalled, .delayed, .slowRead])
        }
        for (index, session) in sessions.enumerated() {
            while ended < ends.count, sessions[ends[ended]].ended_us <= session.started_us, ended < index {
                if isSlow(sessions[ends[ended]]) { slow -= 1 }
                ended += 1
            }
            if isSlow(session) { slow += 1 }
            let open = index + 1 - ended - slow
            peak = max(peak, open)
            if open > limit { over.append(session) }
        }
        guard !over.isEmpty else {
            if peak > 1 { ledger.kept(.connTooManyConcurrent, peer, isLoopback: sessions[0].isLoopback) }
            return
        }
        for session in over {
            ledger.broken(
                .connTooManyConcurrent, peer, isLoopback: session.isLoopback,
                Evidence(at_us: 0, session: session.session),
                in: [(session.session, session.started_us)], as: softened(session),
                saw: "\(peak) connections at once, where \(limit) are allowed")
        }
    }

    // MARK: Rate

    private static func checkRate(_ peer: String, _ sessions: [SessionNote], _ ledger: inout OverTimeLedger) {
        let settings = ledger.settings
        let limit = settings.judging.thresholds.connectionsPerMinute
        // Whom we threw out comes back sooner; that is not counted.
        let ours: Disturbances = [.cut, .limit, .garbled, .tls, .replyLost]
        let counted = sessions.filter { $0.disturbances.isDisjoint(with: ours) }
        var first = 0
        var most = 0
        var over: [SessionNote] = []
        for (index, session) in counted.enumerated() {
            while settings.scaled(session.started_us.since(counted[first].started_us)) >= 60_000_000 { first += 1 }
            most = max(most, index - first + 1)
            if index - first + 1 > limit { over.append(session) }
        }
        guard !over.isEmpty else {
            if counted.count > 1 { ledger.kept(.connRateBurst, peer, isLoopback: counted[0].isLoopback) }
            return
        }
        for session in over {
            ledger.broken(
                .connRateBurst, peer, isLoopback: session.isLoopback, Evidence(at_us: 0, session: session.session),
                in: [(session.session, session.started_us)], as: softened(session),
                saw: "\(most) connections in a minute, where \(limit) are allowed")
        }
    }

    // MARK: Reuse

    private static func checkReuse(_ peer: String, _ sessions: [SessionNote], _ ledger: inout OverTimeLedger) {
        let settings = ledger.settings
        let needed = settings.judging.thresholds.singleTransactionSessions
        var runs: [String: [SessionNote]] = [:]
        for session in sessions {
            if session.transactionCount > 1 {
                ledger.kept(.connReconnectPerMessage, peer, isLoopback: session.isLoopback)
            }
            let isOurs = !session.disturbances.isDisjoint(with: [.cut, .limit, .garbled, .tls, .replyLost, .stalled])
            guard session.transactionCount == 1, !isOurs else {
                runs[session.server] = nil
                continue
            }
            if let last = runs[session.server]?.last,
                session.started_us < last.ended_us
                    || settings.scaled(session.started_us.since(last.ended_us)) >= settings.reconnectGap_us
            {
                runs[session.server] = nil
            }
            runs[session.server, default: []].append(session)
            guard let run = runs[session.server], run.count >= needed else { continue }
            let newest = run.count == needed ? run[...] : run.suffix(1)
            ledger.broken(
                .connReconnectPerMessage, peer, isLoopback: session.isLoopback,
                Evidence(at_us: 0, session: session.session), in: newest.map { ($0.session, $0.started_us) },
                saw: "\(run.count) connections in a row with one message each")
        }
    }
}
