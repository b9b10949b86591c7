// Waiting for something to happen, or for it not to happen. What happened since the cursor counts as well, so that it
// does not matter which came first, the mail or the question.

import EventLoop
import Journal
import Store

package struct Wait: Sendable {
    package enum Bounds {
        /// Milliseconds.
        package static let usualTimeout_ms = 10_000
        package static let longestTimeout_ms = 600_000
        package static let mostCount = 10_000
        /// Of what came and was not meant, the last so many are told when the time is over.
        package static let seen = 10
    }

    package var kind: Filter.Kind
    package var filter: Filter
    package var count = 1
    package var timeout_ms = Bounds.usualTimeout_ms
    /// What came behind it counts; nil: everything that is not forgotten.
    package var since: Cursor?
    /// It must not happen.
    package var isAbsent = false
    /// Of messages: octets of each content that are wanted; nil for all.
    package var contentLimit: Int?
    /// What is found is removed, and so found by nobody else. Of messages alone.
    package var takes = false

    package init(_ kind: Filter.Kind, _ filter: Filter = Filter()) {
        self.kind = kind
        self.filter = filter
    }
}

package struct WaitAnswer: Sendable {
    /// It came in time; or, for what must be absent, it did not come.
    package var isFulfilled = false
    package var sessions: [StoredSession] = []
    package var messages: [StoredMessage] = []
    /// Of rejects and hits of rules.
    package var entries: [Entry] = []
    /// Of the same kind, but not meant; the newest last.
    package var seen: [Entry] = []
    /// Rejects, hits and findings: what came behind the cursor and was forgotten before anybody looked at it. Any of it
    /// might have been meant.
    package var missed: UInt64 = 0
    /// Where to go on.
    package var cursor: Cursor

    package var count: Int { sessions.count + messages.count + entries.count }
}

/// The chronicle no longer holds what came behind a cursor.
package struct Forgotten: Error, CustomStringConvertible {
    /// Entries.
    package let count: UInt64

    package var description: String { "\(count) happenings behind the cursor are no longer remembered" }
}

/// The sink was stopped while somebody waited.
package struct SinkStops: Error, CustomStringConvertible {
    package var description: String { "the sink is being stopped" }
}

extension Filter.Kind {
    /// What the chronicle tells of it.
    fileprivate var entryKind: Entry.Kind {
        switch self {
        case .session: .session
        case .message: .message
        case .reject: .reject
        case .rule: .rule
        case .finding: .finding
        }
    }
}

extension Cursor {
    /// Just behind what was found, so that what came with it is not passed over by who goes on from here.
    func behind(_ answer: WaitAnswer, _ kind: Filter.Kind) -> Cursor {
        Cursor(
            run: run, entry: answer.entries.last?.number ?? entry,
            message: kind == .message ? answer.messages.last?.position ?? message : message,
            session: kind == .session ? answer.sessions.last?.position ?? session : session)
    }
}

extension Server {
    /// An ended session, or one that is open, as far as it has come.
    package func session(_ number: UInt64) async throws(StoreFailure) -> StoredSession? {
        await settle()
        // One that ends meanwhile is in the store when everything that was told has settled.
        if let open = chronicle.openSession(number) { return open }
        await chronicle.settle()
        await store.settle()
        return try await store.session(number)
    }

    /// - Throws: `StoreFailure`, `TooManyWaiters`, `SinkStops`, and `Forgotten` where the chronicle no longer knows
    ///   whether what must be absent came.
    package func wait(_ wait: Wait) async throws -> WaitAnswer {
        let deadline = Instant.now().adding(ms: wait.timeout_ms)
        let start = try await cursor()
        let entry = wait.since.map { $0.run == chronicle.run ? $0.entry : 0 } ?? 0
        var answer = WaitAnswer(cursor: start)
        let count = wait.isAbsent ? 1 : wait.count
        switch wait.kind {
        case .finding where judging == nil: throw Self.judgesNobody
        case .reject, .rule, .finding:
            let kind = wait.kind.entryKind
            let mustBeKnown = wait.isAbsent && wait.since != nil
            let isMeant: @Sendable (Entry) -> Bool = { $0.kind == kind && wait.filter.matches($0.subject) }
            // Where nothing can be proven any more, one look tells whether it came.
            let isInVain = mustBeKnown && chronicle.forgotten > entry
            var news = try await chronicle.wait(
                after: entry, count: count, until: isInVain ? .now() : deadline, matches: isMeant)
            if kind == .finding, wait.isAbsent, news.entries.isEmpty, !chronicle.isClosed {
                // What ended in time is judged before it is said that nothing was found in it.
                await settleJudging()
                await chronicle.settle()
                let missed = news.missed
                news = try await chronicle.wait(after: news.lookedThrough, count: 1, until: .now(), matches: isMeant)
                news.missed += missed
            }
            (answer.entries, answer.missed) = (news.entries, news.missed)
            if mustBeKnown, news.missed > 0, news.entries.isEmpty { throw Forgotten(count: news.missed) }
        case .message: answer.messages = try await messages(wait, count, deadline)
        case .session: answer.sessions = try await sessions(wait, count, deadline)
        }
        // Nothing is known of what would have come.
        if answer.count < count, chronicle.isClosed { throw SinkStops() }
        answer.isFulfilled = (answer.count >= count) != wait.isAbsent
        if !answer.isFulfilled, !wait.isAbsent { answer.seen = seen(wait, behind: entry, answer) }
        answer.cursor = try await cursor().behind(answer, wait.kind)
        return answer
    }

    /// What is there, and what comes, until there are enough or the time is over.
    private func messages(_ wait: Wait, _ count: Int, _ deadline: Instant) async throws -> [StoredMessage] {
        guard store.keepsMessages else { throw Self.keepsNone("messages") }
        // Taken already, where somebody else was quicker with the rest.
        var taken: [StoredMessage] = []
        var query = StoreQuery(limit: count)
        (query.oldestFirst, query.contentLimit) = (true, wait.contentLimit)
        query.after = wait.since.flatMap { position($0, .message) }
        var found: [StoredMessage] = []
        while true {
            let known = chronicle.last
            query.limit = count - taken.count - found.count
            found += try await messages(wait.filter, query)
            query.after = found.last?.position ?? query.after
            if taken.count + found.count >= count {
                guard wait.takes else { return found }
                // Whoever has gone gets nothing, so nothing is taken for them.
                try Task.checkCancellation()
                let mine = Set(try await store.removeMessages(found.map(\.position)))
                taken += found.filter { mine.contains($0.position) }
                found = []
                if taken.count >= count { return taken }
                continue
            }
            let news = try await chronicle.wait(
                after: known, count: count - taken.count - found.count, until: deadline
            ) { $0.kind == .message && wait.filter.matches($0.subject) }
            if news.entries.isEmpty { return wait.takes ? taken : found }
        }
    }

    private func sessions(_ wait: Wait, _ count: Int, _ deadline: Instant) async throws -> [StoredSession] {
        guard store.keepsSessions else { throw Self.keepsNone("sessions") }
        // What was found in a session is told behind its end, one by one.
        let kind: Entry.Kind = wait.filter.asksForFindings ? .finding : .session
        let atOnce = kind == .finding ? 1 : count
        var query = StoreQuery(limit: count)
        query.oldestFirst = true
        query.after = wait.since.flatMap { position($0, .session) }
        var found: [StoredSession] = []
        while true {
            let known = chronicle.last
            await store.settle()
            query.limit = count - found.count
            found += try await sessions(wait.filter, query)
            query.after = found.last?.position ?? query.after
            if found.count >= count { return found }
            let news = try await chronicle.wait(
                after: known, count: min(atOnce, count - found.count), until: deadline
            ) {
                // A finding is about its own envelopes; the session as a whole is asked in the store.
                $0.kind == kind && (kind == .finding || wait.filter.matches($0.subject))
                    && wait.filter.matchesFinding($0.subject)
            }
            guard news.entries.isEmpty else { continue }
            guard kind == .finding, !chronicle.isClosed else { return found }
            // What ended in time is judged before it is said that nothing was found in it.
            query.limit = count - found.count
            return found + (try await sessions(wait.filter, query))
        }
    }

    package static let judgesNobody = StoreFailure(
        reason: "nobody is judged here; start fakemx without --judge off, and with a store that keeps sessions")

    package static func keepsNone(_ what: String) -> StoreFailure {
        StoreFailure(
            reason:
                "the store keeps no \(what), so none can be listed or waited for; start fakemx with --store memory "
                + "or a path, or wait for rejects or rules")
    }

    /// Behind which position of the store things came after a cursor; nil: all did.
    package func position(_ cursor: Cursor, _ kind: Filter.Kind) -> Int64? {
        // A memory store begins anew with each run; positions in a file go on.
        guard cursor.run == chronicle.run || store.outlivesRuns else { return nil }
        return kind == .message ? cursor.message : cursor.session
    }

    private func seen(_ wait: Wait, behind entry: UInt64, _ answer: WaitAnswer) -> [Entry] {
        let kind = wait.kind.entryKind
        let messages = Set(answer.messages.map(\.message.id))
        let sessions = Set(answer.sessions.map(\.id))
        let entries = Set(answer.entries.map(\.number))
        let others = chronicle.entries(after: entry, limit: .max).entries.filter { entry in
            guard entry.kind == kind, !entries.contains(entry.number) else { return false }
            return switch wait.kind {
            case .message: entry.subject.message.map { !messages.contains($0) } ?? false
            case .session: !sessions.contains(entry.subject.session)
            case .reject, .rule, .finding: true
            }
        }
        return Array(others.suffix(Wait.Bounds.seen))
    }

    // MARK: Looking

    /// In the order of the query, whose facets are those of the filter.
    package func sessions(_ filter: Filter, _ query: StoreQuery) async throws(StoreFailure) -> [StoredSession] {
        var query = query
        query.facets = filter.facets
        if filter.isEmpty { return try await store.sessions(query) { _ in true } }
        if filter.asksForFindings { return try await sessionsWithFindings(filter, query) }
        return try await store.sessions(query) { filter.matches(Subject($0.brief)) }
    }

    package func messages(_ filter: Filter, _ query: StoreQuery) async throws(StoreFailure) -> [StoredMessage] {
        var query = query
        query.facets = filter.facets
        // What stands in a body may stand anywhere in it.
        if filter.looksIntoMessage { query.contentLimit = nil }
        if filter.isEmpty { return try await store.messages(query) { _ in true } }
        return try await store.messages(query) { filter.matches(Subject($0), $0.message.content) }
    }

    // MARK: Forgetting

    /// Tells those who watch that messages or sessions were removed.
    package func tellRemoval(space: String? = nil) {
        chronicle.tell(Entry(.reset, wall_us: WallClock.now_us(), Subject(), space: space))
    }

    /// What was forgotten.
    package struct Reset: Sendable {
        package var messages = 0
        package var sessions = 0
        package var rules = 0
    }

    /// Forgets messages, sessions, what the chronicle holds, counts of rules and rules set at run time; or of all these
    /// what belongs to one space. Counts of rules that stay are everybody's, so they begin anew only with everything.
    package func reset(space: String?) async throws -> Reset {
        // What waits to be judged would be told behind the reset.
        await settleJudging()
        var reset = Reset()
        if let space {
            let filter: Filter
            switch Filter.parse([("space", space)], .session) {
            case .success(let parsed): filter = parsed
            case .failure(let complaint): throw complaint
            }
            let sessions = try await sessions(filter, StoreQuery(limit: .max))
            let messages = try await messages(filter, StoreQuery(limit: .max))
            reset.sessions = try await store.removeSessions(sessions.map(\.position))
            let gone = Set(sessions.map(\.id))
            judging?.forget { gone.contains($0) }
            reset.messages = try await store.removeMessages(messages.map(\.position)).count
            chronicle.forget { $0.subject.spaces.contains(space) }
            reset.rules = await removeRules { $0.rule.spaces.contains(space) }
        } else {
            reset.sessions = try await store.removeAllSessions()
            judging?.forget { _ in true }
            reset.messages = try await store.removeAllMessages()
            chronicle.forget { _ in true }
            reset.rules = await removeRuleChanges()
            await resetRuleCounts()
        }
        tellRemoval(space: space)
        await chronicle.settle()
        return reset
    }
}
