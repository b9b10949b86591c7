// Where accepted messages and ended sessions are kept. One protocol, so that the sink does not know which kind it has.

import Journal
import SMTP

/// An ended session: its id and its events.
package struct StoredSession: Sendable {
    package let id: String
    package let log: EventLog
    /// Events that were not kept since the session had reached its limit.
    package let eventsDropped: Int

    package init(id: String, log: EventLog, eventsDropped: Int) {
        self.id = id
        self.log = log
        self.eventsDropped = eventsDropped
    }

    /// Derived when it is read.
    package var record: SessionRecord { SessionBuilder.record(of: log, dropped: eventsDropped) }
}

/// What a store holds and what its retention has dropped.
package struct StoreCounts: Sendable, Hashable {
    package var messages = 0
    package var messageOctets = 0
    package var sessions = 0
    package var sessionOctets = 0
    /// Messages and sessions ever kept, dropped ones too.
    package var messagesEver = 0
    package var sessionsEver = 0
    package var messagesDropped = 0
    package var sessionsDropped = 0

    package init() {}
}

/// Keeps messages and sessions. Called from every loop; never blocks for longer than a short lock.
package protocol SessionStore: Sendable {
    /// False where messages are counted only: then their octets need not be collected at all.
    var keepsMessages: Bool { get }
    /// False where sessions are counted only.
    var keepsSessions: Bool { get }
    /// Returns when the message is kept: only then may its 250 be written (RFC 5321 §4.2.5).
    func keep(_ message: Message) throws(StoreFailure)
    func keep(_ session: StoredSession)
    /// Counts a message or a session that is not kept.
    func countMessage(octets: Int)
    func countSession()
    var counts: StoreCounts { get }
    /// Newest first.
    func newestSessions(_ limit: Int) -> [StoredSession]
    /// Newest first.
    func newestMessages(_ limit: Int) -> [Message]
}

/// The store could not take a message. The sender is told 452 4.3.1 and may come again.
package struct StoreFailure: Error {
    package let reason: String
    package init(reason: String) { self.reason = reason }
}
