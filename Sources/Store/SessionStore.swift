// Where accepted messages and ended sessions are kept. One protocol, so that the sink does not know which kind it has,
// and one suite of tests that each kind passes.

import Journal
import SMTP

/// An ended session: its number, its events, and what it is found by.
package struct StoredSession: Sendable {
    /// Of this session in the store: later ones have greater numbers, and none is given twice. 0 until it is kept.
    package var position: Int64 = 0
    package let number: UInt64
    package let log: EventLog
    /// Events that were not kept since the session had reached its limit.
    package let eventsDropped: Int
    /// Hashes of its facets, ascending.
    package let facets: [UInt64]
    /// When it ended, microseconds since 1970-01-01 UTC.
    package let ended_us: Int64

    package init(number: UInt64, log: EventLog, eventsDropped: Int, facets: some Collection<UInt64>, ended_us: Int64) {
        self.number = number
        self.log = log
        self.eventsDropped = eventsDropped
        self.facets = facets.sorted()
        self.ended_us = ended_us
    }

    package var id: String { "s\(number)" }

    /// Derived when it is read.
    package var record: SessionRecord { SessionBuilder.record(of: log, dropped: eventsDropped) }

    /// The same without lines, which is quicker.
    package var brief: SessionRecord { SessionBuilder.record(of: log, dropped: eventsDropped, keepsLines: false) }
}

/// A message and what readers have noted about it.
package struct StoredMessage: Sendable {
    /// Of this message in the store: later ones have greater numbers, and none is given twice.
    package let position: Int64
    /// Its content may be cut, where the query had a limit.
    package let message: Message
    /// Octets of the whole content.
    package let size: Int
    package var marks: Marks

    package init(position: Int64, message: Message, size: Int, marks: Marks = Marks()) {
        self.position = position
        self.message = message
        self.size = size
        self.marks = marks
    }
}

/// What readers note about a message.
package struct Marks: Sendable, Hashable {
    package var isRead = false
    /// In alphabetical order, each once.
    package var tags: [String] = []

    package init(isRead: Bool = false, tags: [String] = []) {
        self.isRead = isRead
        self.tags = tags
    }
}

/// Which messages or sessions are wanted.
package struct StoreQuery: Sendable {
    /// Each group must be met: one of its hashes is a facet.
    package var facets: [[UInt64]] = []
    /// Positions below this one alone.
    package var before: Int64?
    /// Positions above this one alone.
    package var after: Int64?
    package var limit: Int
    /// The oldest first, in place of the newest.
    package var oldestFirst = false
    /// Of messages: at most so many octets of each content are read; nil for all.
    package var contentLimit: Int?
    /// Of messages: texts that all stand in it somewhere, in any case. A store with an index leaves out what surely has
    /// none of them; others do not look.
    package var containing: [String] = []

    package init(limit: Int) { self.limit = limit }
}

/// What a store holds and what its retention has dropped.
package struct StoreCounts: Sendable, Hashable {
    package var messages = 0
    package var messageOctets = 0
    package var unreadMessages = 0
    package var sessions = 0
    package var sessionOctets = 0
    /// Messages and sessions ever kept since the start of this process, dropped ones too.
    package var messagesEver = 0
    package var messageOctetsEver = 0
    package var sessionsEver = 0
    /// Dropped by retention; what was asked to go is counted as removed.
    package var messagesDropped = 0
    package var sessionsDropped = 0
    package var messagesRemoved = 0
    /// Messages that could not be kept.
    package var refusals = 0
    /// Sessions that could not be kept.
    package var sessionRefusals = 0
    /// Octets of the file, where there is one.
    package var fileOctets: Int?
    /// What is wrong now: a full disk.
    package var trouble: String?

    package init() {}
}

/// How much is kept; the oldest goes first.
package struct Retention: Sendable, Hashable {
    package var messages = 10_000
    package var messageOctets = 256 << 20
    package var sessions = 10_000
    package var sessionOctets = 64 << 20
    /// Microseconds; nil: any age.
    package var messageAge_us: Int64?
    package var sessionAge_us: Int64?

    package init() {}
}

/// Who waits for a message to be kept.
package struct KeepTicket: Sendable, Hashable {
    package let loop: Int
    package let connection: UInt64

    package init(loop: Int, connection: UInt64) {
        self.loop = loop
        self.connection = connection
    }
}

/// What became of a message that was handed over.
package enum Keeping: Sendable {
    case kept
    case refused(StoreFailure)
    /// The store will say so, with the ticket.
    case later
}

/// An answer that came later; nil where the message was kept.
package struct KeepResult: Sendable, Hashable {
    package let ticket: KeepTicket
    package let failure: StoreFailure?

    package init(ticket: KeepTicket, failure: StoreFailure?) {
        self.ticket = ticket
        self.failure = failure
    }
}

/// Keeps messages and sessions. What keeps is called from every loop and never blocks for longer than a short lock;
/// what reads may take its time.
package protocol SessionStore: Sendable {
    /// False where messages are counted only: then their octets need not be collected at all.
    var keepsMessages: Bool { get }
    /// False where sessions are counted only.
    var keepsSessions: Bool { get }
    /// The greatest session number that a session or a message in the store has; 0 where there is none. New sessions
    /// are numbered from there.
    var lastSessionNumber: UInt64 { get }
    var counts: StoreCounts { get }
    /// Positions go on when fakemx is started again.
    var outlivesRuns: Bool { get }

    /// Only when the message is kept may its 250 be written (RFC 5321 §4.2.5).
    func keep(_ message: Message, _ ticket: KeepTicket) -> Keeping
    /// What came from one loop since the last call, answered with `later`, is kept together, and answered. To be called
    /// by that loop, soon; where the store answers by itself there is nothing to do.
    func commit(loop: Int) -> [KeepResult]
    /// Loops are to call `commit`.
    var isCommittedByLoops: Bool { get }
    /// A client has gone before its message was kept: it is not to be kept, if it is not on its way already.
    func withdraw(_ ticket: KeepTicket)
    /// Its position is the store's to give.
    func keep(_ session: StoredSession)
    /// Counts a message or a session that is not kept.
    func countMessage(octets: Int)
    func countSession()

    /// Returns when all that was handed over before the call can be read.
    func settle() async
    /// The position of the newest message and of the newest session ever kept; 0 before the first.
    func lastPositions() async throws(StoreFailure) -> (message: Int64, session: Int64)
    /// Newest first.
    func sessions(
        _ query: StoreQuery, where matches: @escaping @Sendable (StoredSession) -> Bool
    ) async throws(StoreFailure) -> [StoredSession]
    func session(_ number: UInt64) async throws(StoreFailure) -> StoredSession?
    /// Newest first.
    func messages(
        _ query: StoreQuery, where matches: @escaping @Sendable (StoredMessage) -> Bool
    ) async throws(StoreFailure) -> [StoredMessage]
    func message(_ id: String) async throws(StoreFailure) -> StoredMessage?
    /// Changes the marks of messages.
    ///
    /// - Returns: how many of them are there.
    func mark(
        _ positions: [Int64], _ change: @escaping @Sendable (inout Marks) -> Void
    ) async throws(StoreFailure) -> Int
    /// Every tag with the number of its messages.
    func tags() async throws(StoreFailure) -> [String: Int]
    /// Removes those that are there, each for one caller alone.
    ///
    /// - Returns: their positions.
    func removeMessages(_ positions: [Int64]) async throws(StoreFailure) -> [Int64]
    /// - Returns: how many.
    func removeAllMessages() async throws(StoreFailure) -> Int
    func removeSessions(_ positions: [Int64]) async throws(StoreFailure) -> Int
    func removeAllSessions() async throws(StoreFailure) -> Int
    /// Drops what is older than retention allows; to be called now and then.
    func expire(now_us: Int64)
    /// Writes what waits to be written. Nothing is kept afterwards.
    func close() async
}

extension SessionStore {
    package func commit(loop: Int) -> [KeepResult] { [] }
    package var isCommittedByLoops: Bool { false }
    package func withdraw(_ ticket: KeepTicket) {}
}

/// The store could not take a message, or not read what it was asked for. The sender is told 452 4.3.1 and may come
/// again.
package struct StoreFailure: Error, Hashable, CustomStringConvertible {
    /// What happened, where, what to do.
    package let reason: String
    package init(reason: String) { self.reason = reason }
    package var description: String { reason }
}
