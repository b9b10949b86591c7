// Keeps the last sessions and messages in memory, bounded by number, octets and age. What retention drops is counted.

import DequeModule
import Journal
import SMTP
import Synchronization

package final class MemoryStore: SessionStore {
    /// One message; a class, so that removing from the middle moves references alone.
    private final class Entry: Sendable {
        let position: Int64
        let message: Message
        /// Made when somebody looks for it: most messages are never looked for.
        private let made = Mutex<[UInt64]?>(nil)

        init(_ position: Int64, _ message: Message) {
            self.position = position
            self.message = message
        }

        /// With what readers have noted about it.
        func stored(_ marks: [Int64: Marks]) -> StoredMessage {
            StoredMessage(
                position: position, message: message, size: message.content.count, marks: marks[position] ?? Marks())
        }

        var facets: [UInt64] {
            made.withLock { made in
                if let made { return made }
                let facets = message.facets.sorted()
                made = facets
                return facets
            }
        }
    }

    /// One session, with a signature that stands in the ring itself: most sessions that are not meant are passed over
    /// without being looked at.
    private struct SessionEntry: Sendable {
        private final class Box: Sendable {
            let session: StoredSession
            init(_ session: StoredSession) { self.session = session }
        }

        private let signature: UInt64
        private let box: Box
        var session: StoredSession { box.session }

        init(_ session: StoredSession) {
            box = Box(session)
            signature = session.facets.reduce(0) { $0 | FacetSignature.bits(of: $1) }
        }

        func mayBeMeant(_ wanted: [[UInt64]]) -> Bool {
            wanted.allSatisfy { group in group.contains { signature & $0 == $0 } }
        }

        func admits(_ query: StoreQuery) -> Bool { query.admits(box.session.position, box.session.facets) }
    }

    private struct Messages {
        var ring: Ring<Entry>
        /// Of those that have any.
        var marks: [Int64: Marks] = [:]
        var readCount = 0
        var removed = 0
        var octetsEver = 0

        mutating func forget(_ entries: [Entry]) {
            guard !marks.isEmpty else { return }
            for entry in entries {
                if let mark = marks.removeValue(forKey: entry.position), mark.isRead { readCount -= 1 }
            }
        }

    }

    private let messages: Mutex<Messages>
    private let sessions: Mutex<Ring<SessionEntry>>
    private let retention: Retention

    package init(retention: Retention) {
        self.retention = retention
        messages = Mutex(
            Messages(
                ring: Ring(countLimit: retention.messages, octetLimit: retention.messageOctets) {
                    $0.message.content.count
                }))
        sessions = Mutex(
            Ring(countLimit: retention.sessions, octetLimit: retention.sessionOctets) { $0.session.log.octetCount })
    }

    package var keepsMessages: Bool { true }
    package var keepsSessions: Bool { true }
    package var lastSessionNumber: UInt64 { 0 }
    package var outlivesRuns: Bool { false }

    package var counts: StoreCounts {
        var counts = StoreCounts()
        messages.withLock {
            (counts.messages, counts.messageOctets) = ($0.ring.count, $0.ring.octets)
            (counts.messagesEver, counts.messagesDropped) = ($0.ring.everCount, $0.ring.droppedCount)
            counts.unreadMessages = $0.ring.count - $0.readCount
            counts.messageOctetsEver = $0.octetsEver
            counts.messagesRemoved = $0.removed
        }
        sessions.withLock {
            (counts.sessions, counts.sessionOctets) = ($0.count, $0.octets)
            (counts.sessionsEver, counts.sessionsDropped) = ($0.everCount, $0.droppedCount)
        }
        return counts
    }

    // MARK: Keeping

    package func keep(_ message: Message, _ ticket: KeepTicket) -> Keeping {
        let dropped = messages.withLock { messages in
            messages.octetsEver += message.content.count
            let dropped = messages.ring.append(Entry(Int64(messages.ring.everCount + 1), message))
            messages.forget(dropped)
            return dropped
        }
        // Freed here, outside the lock: other loops need not wait for it.
        _ = consume dropped
        return .kept
    }

    package func keep(_ session: StoredSession) {
        let dropped = sessions.withLock { sessions in
            var session = session
            session.position = Int64(sessions.everCount + 1)
            return sessions.append(SessionEntry(session))
        }
        _ = consume dropped
    }

    package func countMessage(octets: Int) {
        messages.withLock {
            $0.ring.countWithoutKeeping()
            $0.octetsEver += octets
        }
    }

    package func countSession() { sessions.withLock { $0.countWithoutKeeping() } }

    // MARK: Reading

    package func settle() async {}

    package func lastPositions() async throws(StoreFailure) -> (message: Int64, session: Int64) {
        (Int64(messages.withLock { $0.ring.everCount }), Int64(sessions.withLock { $0.everCount }))
    }

    package func sessions(
        _ query: StoreQuery, where matches: @escaping @Sendable (StoredSession) -> Bool
    ) async throws(StoreFailure) -> [StoredSession] {
        // A copy of references; what is asked of each one holds no lock.
        let all = sessions.withLock { $0.all }
        var found: [StoredSession] = []
        let wanted = query.facets.map { $0.map(FacetSignature.bits) }
        query.walk(all) { entry in
            guard entry.mayBeMeant(wanted), entry.admits(query) else { return true }
            let session = entry.session
            if matches(session) { found.append(session) }
            return found.count < query.limit
        }
        return found
    }

    package func session(_ number: UInt64) async throws(StoreFailure) -> StoredSession? {
        sessions.withLock { $0.all }.last { $0.session.number == number }?.session
    }

    package func messages(
        _ query: StoreQuery, where matches: @escaping @Sendable (StoredMessage) -> Bool
    ) async throws(StoreFailure) -> [StoredMessage] {
        let (all, marks) = messages.withLock { ($0.ring.all, $0.marks) }
        var found: [StoredMessage] = []
        query.walk(all) { entry in
            guard query.admits(entry.position, query.facets.isEmpty ? [] : entry.facets) else { return true }
            let stored = entry.stored(marks)
            if matches(stored) { found.append(stored) }
            return found.count < query.limit
        }
        return found
    }

    package func message(_ id: String) async throws(StoreFailure) -> StoredMessage? {
        messages.withLock { messages in
            messages.ring.all.last { $0.message.id == id }.map { $0.stored(messages.marks) }
        }
    }

    // MARK: Changing

    package func mark(
        _ positions: [Int64], _ change: @escaping @Sendable (inout Marks) -> Void
    ) async throws(StoreFailure) -> Int {
        let wanted = Set(positions)
        return messages.withLock { messages in
            var count = 0
            for entry in messages.ring.all where wanted.contains(entry.position) {
                var mark = messages.marks[entry.position] ?? Marks()
                let wasRead = mark.isRead
                change(&mark)
                messages.readCount += (mark.isRead ? 1 : 0) - (wasRead ? 1 : 0)
                messages.marks[entry.position] = mark == Marks() ? nil : mark
                count += 1
            }
            return count
        }
    }

    package func tags() async throws(StoreFailure) -> [String: Int] {
        messages.withLock { messages in
            var counts: [String: Int] = [:]
            for mark in messages.marks.values { for tag in mark.tags { counts[tag, default: 0] += 1 } }
            return counts
        }
    }

    package func removeMessages(_ positions: [Int64]) async throws(StoreFailure) -> [Int64] {
        let wanted = Set(positions)
        let removed = messages.withLock { messages in
            let removed = messages.ring.remove { wanted.contains($0.position) }
            messages.forget(removed)
            messages.removed += removed.count
            return removed
        }
        return removed.map(\.position)
    }

    package func removeAllMessages() async throws(StoreFailure) -> Int {
        let removed = messages.withLock { messages in
            let removed = messages.ring.remove { _ in true }
            messages.forget(removed)
            messages.removed += removed.count
            return removed
        }
        return removed.count
    }

    package func removeSessions(_ positions: [Int64]) async throws(StoreFailure) -> Int {
        let wanted = Set(positions)
        return sessions.withLock { $0.remove { wanted.contains($0.session.position) } }.count
    }

    package func removeAllSessions() async throws(StoreFailure) -> Int {
        sessions.withLock { $0.remove { _ in true } }.count
    }

    package func expire(now_us: Int64) {
        if let age = retention.messageAge_us {
            let dropped = messages.withLock { messages in
                let dropped = messages.ring.dropOldest { $0.message.received_us < now_us - age }
                messages.forget(dropped)
                return dropped
            }
            _ = consume dropped
        }
        if let age = retention.sessionAge_us {
            let dropped = sessions.withLock { $0.dropOldest { $0.session.ended_us < now_us - age } }
            _ = consume dropped
        }
    }

    package func close() async {}
}

/// A few bits that stand for a facet (a Bloom filter of one word): where they are missing, so is the facet.
private enum FacetSignature {
    static func bits(of facet: UInt64) -> UInt64 { 1 << (facet & 63) | 1 << (facet >> 6 & 63) }
}

extension StoreQuery {
    /// Every element from the end at which to begin, until the body says false.
    func walk<Element>(_ elements: Deque<Element>, _ body: (Element) -> Bool) {
        guard limit > 0 else { return }
        if oldestFirst {
            for index in elements.indices where !body(elements[index]) { return }
        } else {
            for index in elements.indices.reversed() where !body(elements[index]) { return }
        }
    }

    /// Whether a thing at a position, with facets in ascending order, may be meant.
    func admits(_ position: Int64, _ facets: [UInt64]) -> Bool {
        if let before, position >= before { return false }
        if let after, position <= after { return false }
        return admits(facets)
    }

    /// Whether facets in ascending order meet each group.
    func admits(_ facets: [UInt64]) -> Bool {
        self.facets.allSatisfy { group in group.contains { facets.sortedContains($0) } }
    }
}

extension [UInt64] {
    /// In ascending order.
    fileprivate func sortedContains(_ value: UInt64) -> Bool {
        if count <= 16 { return contains(value) }
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low < count && self[low] == value
    }
}
