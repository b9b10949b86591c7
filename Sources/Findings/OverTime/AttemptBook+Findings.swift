// Asks the book: which rules over time are broken, kept, not observed; and how each message fared. Nothing is
// remembered of a question, so the same book gives the same answers.

extension AttemptBook {
    /// - Parameter now_us: microseconds since 1970-01-01 UTC.
    package func judgement(now_us: Int64, _ settings: OverTimeSettings) -> OverTimeJudgement {
        var ledger = OverTimeLedger(settings)
        var trailChecks = TrailChecks(settings: settings, now_us: now_us, peers: peers)
        for trail in trails { trailChecks.check(trail, &ledger) }
        PeerChecks.check(peers, &ledger)
        ConnectionsOverTime.check(sessions.elements, now_us, peers, &ledger)
        StreamChecks.check(streams, &ledger)
        return ledger.judgement()
    }

    package func findings(now_us: Int64, _ settings: OverTimeSettings) -> [Finding] {
        judgement(now_us: now_us, settings).findings
    }

    package func states(now_us: Int64, _ settings: OverTimeSettings) -> RuleStates {
        judgement(now_us: now_us, settings).states
    }

    /// One for each message that is followed, the oldest first.
    package func timelines(now_us: Int64, _ settings: OverTimeSettings) -> [Timeline] {
        trails.map { Timeline($0, now_us, settings) }
    }
}
