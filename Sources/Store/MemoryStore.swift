// Keeps the last sessions and messages in memory, bounded by number and by octets. What retention drops is counted.

import DequeModule
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
    private struct State {
        var messages = Deque<Message>()
        var sessions = Deque<StoredSession>()
        var counts = StoreCounts()
    }

    private let retention: Retention
    private let state = Mutex(State())

    package init(retention: Retention) { self.retention = retention }

    package var keepsMessages: Bool { true }
    package var keepsSessions: Bool { true }

    package func keep(_ message: Message) throws(StoreFailure) {
        let dropped = state.withLock { state in
            state.counts.messagesEver += 1
            state.counts.messages += 1
            state.counts.messageOctets += message.content.count
            state.messages.append(message)
            var dropped: [Message] = []
            // The newest always stays, even when it is larger than all that retention allows.
            while state.messages.count > 1,
                state.counts.messages > retention.messages || state.counts.messageOctets > retention.messageOctets
            {
                let oldest = state.messages.removeFirst()
                state.counts.messages -= 1
                state.counts.messageOctets -= oldest.content.count
                state.counts.messagesDropped += 1
                dropped.append(oldest)
            }
            return dropped
        }
        // Freed here, outside the lock: other loops need not wait for it.
        _ = consume dropped
    }

    package func keep(_ session: StoredSession) {
        let dropped = state.withLock { state in
            state.counts.sessionsEver += 1
            state.counts.sessions += 1
            state.counts.sessionOctets += session.log.octetCount
            state.sessions.append(session)
            var dropped: [StoredSession] = []
            while state.sessions.count > 1,
                state.counts.sessions > retention.sessions || state.counts.sessionOctets > retention.sessionOctets
            {
                let oldest = state.sessions.removeFirst()
                state.counts.sessions -= 1
                state.counts.sessionOctets -= oldest.log.octetCount
                state.counts.sessionsDropped += 1
                dropped.append(oldest)
            }
            return dropped
        }
        _ = consume dropped
    }

    package func countMessage(octets: Int) { state.withLock { $0.counts.messagesEver += 1 } }
    package func countSession() { state.withLock { $0.counts.sessionsEver += 1 } }
    package var counts: StoreCounts { state.withLock { $0.counts } }

    package func newestSessions(_ limit: Int) -> [StoredSession] {
        state.withLock { Array($0.sessions.suffix(limit).reversed()) }
    }

    package func newestMessages(_ limit: Int) -> [Message] {
        state.withLock { Array($0.messages.suffix(limit).reversed()) }
    }
}
