// Findings for those who ask: of one session, of many, and over time. What was judged while the sink ran is remembered;
// sessions of earlier runs, and those that are remembered no more, are judged again from what the store has of them.

import EventLoop
import Findings
import Journal
import SMTP
import Store

/// What a report is about.
package struct JudgedSessions: Sendable {
    /// The newest first.
    package var sessions: [StoredSession]
    package var judgements: [SessionJudgement]
    package var overTime: OverTimeJudgement
    package var timelines: [Timeline]
}

extension Server {
    /// nil for a session that is open, that waits to be judged, or where nobody is judged.
    package func judgement(of session: StoredSession) async throws(StoreFailure) -> SessionJudgement? {
        guard let judging else { return nil }
        if let known = judging.verdicts.judgement(of: session.number) { return known }
        let trace = SessionTrace(session.log, eventsDropped: session.eventsDropped)
        guard trace.ending != nil, session.ended_us < started_us || judging.status.waiting == 0 else { return nil }
        var ledger = Ledger(settings: judging.settings, session: trace.id, isLocalPeer: trace.isLoopback)
        for (index, transaction) in trace.transactions.prefix(Self.mostMessages).enumerated() {
            guard let id = transaction.message, let stored = try await store.message(id) else { continue }
            Judge.judge(MessageInput(stored.message, trace, index), &ledger)
        }
        Judge.judge(trace, judging.verdicts.circumstances(of: trace), &ledger)
        return Judge.judgement(trace, ledger)
    }

    /// Messages of one session that are read again to judge it.
    private static let mostMessages = 1000

    /// The report on the newest sessions that are meant.
    ///
    /// - Parameter version: of fakemx, for the foot of the report.
    /// - Throws: where nobody is judged, or where the store cannot be read.
    package func report(
        _ filter: Filter, _ query: StoreQuery, version: String
    ) async throws(StoreFailure) -> Report {
        guard let judging else { throw Self.judgesNobody }
        let judged = try await judged(filter, query)
        var input = ReportInput(
            settings: judging.settings, generated_us: started_us + uptime_us, version: version)
        input.judgements = judged.judgements.reversed()
        input.records = judged.sessions.reversed().map(\.record)
        input.overTime = judged.overTime
        input.timelines = judged.timelines
        let status = judging.status
        if status.waiting > 0 { input.lag = JudgingLag(waiting: status.waiting, oldest_us: status.oldest_us) }
        input.openCount = counters.sessionsOpen
        let draft = Report(input)
        // The octets around a place in a message: of those alone that the report names.
        var contents: [String: [UInt8]] = [:]
        for rule in draft.broken {
            if let id = rule.evidence?.message, contents[id] == nil {
                contents[id] = try await store.message(id)?.message.content
            }
        }
        return contents.isEmpty ? draft : Report(input) { contents[$0] }
    }

    /// Sessions of which one finding has all that the filter asks for; they are judged first.
    func sessionsWithFindings(
        _ filter: Filter, _ query: StoreQuery
    ) async throws(StoreFailure) -> [StoredSession] {
        guard judging != nil else { throw Self.judgesNobody }
        await settleJudging()
        let wanted = query.limit
        var query = query
        query.limit = Self.batch
        var found: [StoredSession] = []
        while found.count < wanted {
            let batch = try await store.sessions(query) { filter.matchesBeforeJudging(Subject($0.brief)) }
            for session in batch where found.count < wanted {
                guard let findings = try await judgement(of: session)?.findings, !findings.isEmpty else { continue }
                var subject = Subject(session.brief)
                let isMeant = findings.contains { finding in
                    subject.note(finding)
                    return filter.matches(subject)
                }
                if isMeant { found.append(session) }
            }
            guard batch.count == query.limit, let last = batch.last else { break }
            if query.oldestFirst { query.after = last.position } else { query.before = last.position }
        }
        return found
    }

    /// Sessions read at once to look through their findings.
    private static let batch = 200

    /// The newest sessions that are meant, with what was found in them and over them.
    package func judged(
        _ filter: Filter, _ query: StoreQuery
    ) async throws(StoreFailure) -> JudgedSessions {
        guard let judging else { throw Self.judgesNobody }
        await settleJudging()
        let sessions = try await sessions(filter, query)
        var judgements: [SessionJudgement] = []
        for session in sessions { if let one = try await judgement(of: session) { judgements.append(one) } }
        var (overTime, timelines) = judging.verdicts.overTime(now_us: WallClock.now_us())
        if !filter.isEmpty || query.after != nil {
            let meant = Set(sessions.map(\.id))
            overTime.findings.removeAll { finding in
                !meant.contains(finding.session) && !finding.sessions.contains { meant.contains($0) }
            }
            timelines.removeAll { line in !line.attempts.contains { meant.contains($0.session) } }
            overTime.states = RuleStates()
            for finding in overTime.findings { overTime.states[finding.rule] = .broken }
        }
        return JudgedSessions(
            sessions: sessions, judgements: judgements, overTime: overTime, timelines: timelines)
    }
}

extension MessageInput {
    /// As it stands in the store: what the wire alone shows (dots that were not doubled) is no longer known.
    fileprivate init(_ message: Message, _ trace: SessionTrace, _ index: Int) {
        self.init(
            content: message.content, reversePath: message.reversePath, recipients: message.recipients.map(\.address),
            received_us: message.received_us)
        session = trace.id
        transaction = index + 1
        self.message = message.id
        let its = trace.transactions[index]
        isChunked = its.isChunked
        disturbances = its.disturbances
        if let mail = its.mail { offer = trace.offer(at: trace.steps[mail]) }
    }
}
