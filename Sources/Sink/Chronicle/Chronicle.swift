// What has happened, in one order, for those who wait and those who watch. The loops hand their turns over and go on;
// one queue makes entries of them, keeps the last of these in a ring, and wakes whoever waits for one.

import Dispatch
import EventLoop
import Journal
import Store
import Synchronization

package final class Chronicle: Sendable {
    /// How much is remembered and who may wait.
    package enum Bounds {
        /// Notices in the ring.
        package static let entries = 100_000
        /// Octets of memory that they take, about.
        package static let octets = 16 << 20
        /// Those who wait at once, for an entry or for more of a stream.
        package static let waiters = 2_000
        /// Event octets of turns that wait to be folded; what comes beyond is left out, and counted.
        package static let backlog = 64 << 20
    }

    private struct State {
        var ring = EntryRing(countLimit: Bounds.entries, octetLimit: Bounds.octets)
        var waiters: [ObjectIdentifier: Waiter] = [:]
        /// When the alarm rings; nil: it does not.
        var alarm: Instant?
        var isClosed = false
    }

    /// Which run of fakemx this is: microseconds of its start.
    package let run: UInt64
    private let store: any SessionStore
    private let keepsEntries: Bool
    private let judging: Judging?
    private let queue = DispatchQueue(label: "fakemx.chronicle", qos: .userInitiated)
    private let state = Mutex(State())
    private let alarm = Mutex<Alarm?>(nil)
    private let folding = Mutex(Folding())
    private let backlog = Atomic<Int>(0)
    private let leftOut = Atomic<Int>(0)

    /// - Parameter keepsEntries: false where nobody can ever ask for them: then sessions alone are made of what
    ///   happens.
    init(store: any SessionStore, run: UInt64, keepsEntries: Bool, judging: Judging? = nil) {
        self.store = store
        self.keepsEntries = keepsEntries
        self.judging = judging
        self.run = run
        let alarm = Alarm(queue: queue) { [weak self] in self?.alarmRang() }
        self.alarm.withLock { $0 = alarm }
    }

    // MARK: In

    /// Takes what happened on one loop; returns at once.
    func take(_ batch: TurnBatch) {
        let size = batch.octets.count
        backlog.wrappingAdd(size, ordering: .relaxed)
        queue.async { [self] in
            let yield = folding.withLock { $0.fold(batch, keepsSessions: store.keepsSessions) }
            for session in yield.sessions {
                store.keep(session)
                judging?.take(session)
            }
            if keepsEntries { append(yield.entries) }
            backlog.wrappingSubtract(size, ordering: .relaxed)
        }
    }

    /// Whether a turn may be told: its events are left out when the folding lags too far behind.
    func hasRoom(for octets: Int) -> Bool { backlog.load(ordering: .relaxed) + octets <= Bounds.backlog }

    func countLeftOut(_ events: Int) { leftOut.wrappingAdd(events, ordering: .relaxed) }

    /// Something that happened elsewhere, behind everything that was taken so far.
    func tell(_ entry: Entry) { tell([entry]) }

    func tell(_ entries: [Entry]) {
        guard keepsEntries, !entries.isEmpty else { return }
        queue.async { [self] in append(entries) }
    }

    private func append(_ entries: [Entry]) {
        guard !entries.isEmpty else { return }
        let (numbered, waiters, dropped) = state.withLock { state in
            var dropped: [Entry] = []
            var numbered: [Entry] = []
            for entry in entries {
                let entry = state.ring.append(entry, &dropped)
                if !state.waiters.isEmpty { numbered.append(entry) }
            }
            return (numbered, Array(state.waiters.values), dropped)
        }
        // Outside the lock: a pattern may take its time, and so does freeing. Whoever registers meanwhile has looked
        // through these entries itself.
        _ = consume dropped
        let fulfilled = numbered.isEmpty ? [] : waiters.filter { $0.take(numbered) }
        guard !fulfilled.isEmpty else { return }
        state.withLock { state in for waiter in fulfilled { state.waiters[ObjectIdentifier(waiter)] = nil } }
        for waiter in fulfilled { waiter.finish() }
    }

    // MARK: Out

    /// Returns when everything that was taken before is told.
    func settle() async {
        await withCheckedContinuation { done in queue.async { done.resume() } }
    }

    /// The number of the newest entry; 0 before the first.
    package var last: UInt64 { state.withLock { $0.ring.last } }
    /// Notices that the ring has forgotten.
    package var forgotten: UInt64 { state.withLock { $0.ring.first - 1 } }
    package var isClosed: Bool { state.withLock { $0.isClosed } }
    package var waiterCount: Int { state.withLock { $0.waiters.count } }
    /// Events that were left out, since folding lagged behind.
    package var eventsLeftOut: Int { leftOut.load(ordering: .relaxed) }

    /// Notices behind one, the oldest first, and how many of those behind it are forgotten.
    package func entries(after number: UInt64, limit: Int) -> (entries: [Entry], missed: UInt64) {
        state.withLock { state in
            let missed = state.ring.first > number + 1 ? state.ring.first - number - 1 : 0
            return (state.ring.after(number, limit: limit), missed)
        }
    }

    /// These are told to nobody any more.
    package func forget(where isMeant: @Sendable (Entry) -> Bool) { state.withLock { $0.ring.forget(where: isMeant) } }

    /// What came of waiting.
    package struct News: Sendable {
        package internal(set) var entries: [Entry] = []
        /// Entries behind the number asked for that were forgotten before anybody looked at them.
        package internal(set) var missed: UInt64 = 0
        /// The last entry that was looked at in vain before the first of these, or of all; nothing up to it matches
        /// but what was missed.
        package internal(set) var lookedThrough: UInt64
    }

    package func wait(
        after number: UInt64, count: Int, atMost_ms: Int, matches: @escaping @Sendable (Entry) -> Bool
    ) async throws(TooManyWaiters) -> News {
        try await wait(after: number, count: count, until: Instant.now().adding(ms: atMost_ms), matches: matches)
    }

    /// Waits for entries behind one.
    ///
    /// - Returns: the first `count` that match, or fewer when the time is over, the task is cancelled or the sink
    ///   stops.
    package func wait(
        after number: UInt64, count: Int, until deadline: Instant,
        matches: @escaping @Sendable (Entry) -> Bool
    ) async throws(TooManyWaiters) -> News {
        let waiter = Waiter(after: number, count: count, deadline: deadline, matches: matches)
        await withTaskCancellationHandler {
            await withCheckedContinuation { enter(waiter, after: number, $0) }
        } onCancel: {
            leave(waiter)
        }
        return try waiter.result()
    }

    private func enter(_ waiter: Waiter, after number: UInt64, _ continuation: CheckedContinuation<Void, Never>) {
        var position = number
        // What is there already is looked through without the lock: a filter may take its time.
        while true {
            let (batch, missed) = entries(after: position, limit: Self.batch)
            waiter.miss(missed)
            if waiter.take(batch) { return continuation.resume() }
            position = batch.last?.number ?? position + missed
            if batch.isEmpty, let isOver = register(waiter, behind: position, continuation) {
                if isOver { continuation.resume() }
                return
            }
        }
    }

    /// Notices looked through between two looks at the lock.
    private static let batch = 1024

    /// - Returns: whether there is nothing to wait for; nil when more has come in the meantime.
    private func register(
        _ waiter: Waiter, behind number: UInt64, _ continuation: CheckedContinuation<Void, Never>
    ) -> Bool? {
        state.withLock { state in
            guard state.ring.last <= number || state.ring.after(number, limit: 1).isEmpty else { return nil }
            if state.isClosed || waiter.deadline <= .now() { return true }
            guard state.waiters.count < Bounds.waiters else {
                waiter.refuse()
                return true
            }
            guard waiter.begin(continuation) else { return true }
            state.waiters[ObjectIdentifier(waiter)] = waiter
            setAlarm(waiter.deadline, &state)
            return false
        }
    }

    private func leave(_ waiter: Waiter) {
        // First over, then gone: one that registers in between sees that it is over.
        waiter.finish()
        state.withLock { $0.waiters[ObjectIdentifier(waiter)] = nil }
    }

    private func setAlarm(_ deadline: Instant, _ state: inout State) {
        if let alarm = state.alarm, alarm <= deadline { return }
        state.alarm = deadline
        alarm.withLock { $0?.set(deadline) }
    }

    private func alarmRang() {
        let over = state.withLock { state in
            let now = Instant.now()
            let over = state.waiters.filter { $0.value.deadline <= now }
            for key in over.keys { state.waiters[key] = nil }
            state.alarm = nil
            if let next = state.waiters.values.map(\.deadline).min() { setAlarm(next, &state) }
            return over
        }
        for waiter in over.values { waiter.finish() }
    }

    /// Everybody who waits is sent home, and nobody waits from now on.
    func close() {
        let waiters = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.finish() }
    }

    // MARK: Looking in

    /// What was counted since the start.
    package var tallies: ChronicleTallies {
        let open = folding.withLock { ($0.refusals, $0.verdicts, $0.endings, $0.ruleHits) }
        return ChronicleTallies(
            refusals: open.0.mapValues { ChronicleTallies.Refusals(deferred: $0.deferred, rejected: $0.rejected) },
            verdicts: open.1, endings: open.2, ruleHits: open.3)
    }

    package func openSession(_ number: UInt64) -> StoredSession? { folding.withLock { $0.openSession(number) } }
    package var openSessions: [StoredSession] { folding.withLock { $0.openSessions } }
}

/// What the sink has done since it started, by kind.
package struct ChronicleTallies: Sendable {
    package struct Refusals: Sendable {
        package let deferred: Int
        package let rejected: Int
    }

    /// By phase; `protocol` where no phase was being decided.
    package let refusals: [String: Refusals]
    package let verdicts: [Verdict: Int]
    package let endings: [Ending: Int]
    package let ruleHits: Int
}

/// `Chronicle.Bounds.waiters` wait already.
package struct TooManyWaiters: Error {}
