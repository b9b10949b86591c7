// Keeps the last sessions and messages in memory, bounded by number and by octets. What retention drops is counted.

import Journal
import SMTP
import Synchronization

/// How much is kept; the oldest goes first.
package struct Retention: Sendable, Hashable {
    package var messages = 10_000
    package var messageOctets = 256 << 20
    package var sessions = 10_000
    package var sessionOctets = 64 << 20

    package init() {}
}

package final class MemoryStore: SessionStore {
    private let messages: Mutex<Ring<Message>>
    private let sessions: Mutex<Ring<StoredSession>>

    package init(retention: Retention) {
        messages = Mutex(
            Ring(countLimit: retention.messages, octetLimit: retention.messageOctets) { $0.content.count })
        sessions = Mutex(
            Ring(countLimit: retention.sessions, octetLimit: retention.sessionOctets) { $0.log.octetCount })
    }

    package var keepsMessages: Bool { true }
    package var keepsSessions: Bool { true }

    package func keep(_ message: Message) throws(StoreFailure) {
        let dropped = messages.withLock { $0.append(message) }
        // Freed here, outside the lock: other loops need not wait for it.
        _ = consume dropped
    }

    package func keep(_ session: StoredSession) {
        let dropped = sessions.withLock { $0.append(session) }
        _ = consume dropped
    }

    package func countMessage(octets: Int) { messages.withLock { $0.countWithoutKeeping() } }
    package func countSession() { sessions.withLock { $0.countWithoutKeeping() } }

    package var counts: StoreCounts {
        var counts = StoreCounts()
        messages.withLock {
            (counts.messages, counts.messageOctets) = ($0.count, $0.octets)
            (counts.messagesEver, counts.messagesDropped) = ($0.everCount, $0.droppedCount)
        }
        sessions.withLock {
            (counts.sessions, counts.sessionOctets) = ($0.count, $0.octets)
            (counts.sessionsEver, counts.sessionsDropped) = ($0.everCount, $0.droppedCount)
        }
        return counts
    }

    package func newestSessions(_ limit: Int) -> [StoredSession] { sessions.withLock { $0.newest(limit) } }
    package func newestMessages(_ limit: Int) -> [Message] { messages.withLock { $0.newest(limit) } }
}
