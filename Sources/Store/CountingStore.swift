// Keeps nothing and counts: `--store none`.

import Journal
import SMTP
import Synchronization

package final class CountingStore: SessionStore {
    private let messages = Atomic<Int>(0)
    private let sessions = Atomic<Int>(0)

    package init() {}

    package var keepsMessages: Bool { false }
    package var keepsSessions: Bool { false }

    package func keep(_ message: Message) throws(StoreFailure) { countMessage(octets: message.content.count) }
    package func keep(_ session: StoredSession) { countSession() }
    package func countMessage(octets: Int) { messages.wrappingAdd(1, ordering: .relaxed) }
    package func countSession() { sessions.wrappingAdd(1, ordering: .relaxed) }

    package var counts: StoreCounts {
        var counts = StoreCounts()
        counts.messagesEver = messages.load(ordering: .relaxed)
        counts.sessionsEver = sessions.load(ordering: .relaxed)
        return counts
    }

    package func newestSessions(_ limit: Int) -> [StoredSession] { [] }
    package func newestMessages(_ limit: Int) -> [Message] { [] }
}
