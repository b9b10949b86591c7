// Keeps nothing and counts: `--store none`.

import Journal
import SMTP
import Synchronization

package final class CountingStore: SessionStore {
    private let messages = Atomic<Int>(0)
    private let octets = Atomic<Int>(0)
    private let sessions = Atomic<Int>(0)

    package init() {}

    package var keepsMessages: Bool { false }
    package var keepsSessions: Bool { false }
    package var lastSessionNumber: UInt64 { 0 }
    package var outlivesRuns: Bool { false }

    package var counts: StoreCounts {
        var counts = StoreCounts()
        counts.messagesEver = messages.load(ordering: .relaxed)
        counts.messageOctetsEver = octets.load(ordering: .relaxed)
        counts.sessionsEver = sessions.load(ordering: .relaxed)
        return counts
    }

    package func keep(_ message: Message, _ ticket: KeepTicket) -> Keeping {
        countMessage(octets: message.content.count)
        return .kept
    }

    package func keep(_ session: StoredSession) { countSession() }

    package func countMessage(octets count: Int) {
        messages.wrappingAdd(1, ordering: .relaxed)
        octets.wrappingAdd(count, ordering: .relaxed)
    }

    package func countSession() { sessions.wrappingAdd(1, ordering: .relaxed) }

    // Nothing is there to be read or changed.
    package func settle() async {}
    package func lastPositions() async throws(StoreFailure) -> (message: Int64, session: Int64) { (0, 0) }
    package func sessions(
        _ query: StoreQuery, where matches: @escaping @Sendable (StoredSession) -> Bool
    ) async throws(StoreFailure) -> [StoredSession] { [] }
    package func session(_ number: UInt64) async throws(StoreFailure) -> StoredSession? { nil }
    package func messages(
        _ query: StoreQuery, where matches: @escaping @Sendable (StoredMessage) -> Bool
    ) async throws(StoreFailure) -> [StoredMessage] { [] }
    package func message(_ id: String) async throws(StoreFailure) -> StoredMessage? { nil }
    package func mark(
        _ positions: [Int64], _ change: @escaping @Sendable (inout Marks) -> Void
    ) async throws(StoreFailure) -> Int { 0 }
    package func tags() async throws(StoreFailure) -> [String: Int] { [:] }
    package func removeMessages(_ positions: [Int64]) async throws(StoreFailure) -> [Int64] { [] }
    package func removeAllMessages() async throws(StoreFailure) -> Int { 0 }
    package func removeSessions(_ positions: [Int64]) async throws(StoreFailure) -> Int { 0 }
    package func removeAllSessions() async throws(StoreFailure) -> Int { 0 }
    package func expire(now_us: Int64) {}
    package func close() async {}
}
