// Keeps messages and sessions in a file of SQLite that outlives the process. Who keeps appends to a queue and goes on;
// one writer takes all that waits, writes it in one transaction, and says so to those who wait. The indexes that
// searches use are filled when nobody waits (SQLiteStore+Index.swift).

import Dispatch
import GRDB
import GRDBSQLite
import Journal
import SMTP
import Synchronization

/// How far a commit goes before its messages are answered.
package enum SyncMode: String, Sendable, Hashable, CaseIterable {
    /// What was kept survives the end of this process, however it ends.
    case normal
    /// It survives a power cut too.
    case full
}

package final class SQLiteStore: SessionStore {
    /// What waits for the writer has so many octets at most; what comes then is refused.
    static let queueOctets = 256 << 20
    /// What one of them costs besides its content.
    static let queueEntryOctets = 512
    /// So many failures in a row, and the rest of a group is not tried one by one.
    static let mostFailures = 3
    /// A transaction drops so many at most by age, so that nobody waits for long.
    static let dropSlice = 500

    /// What waits for the writer.
    struct Queue {
        var messages: [(message: Message, ticket: KeepTicket)] = []
        var sessions: [StoredSession] = []
        var settlers: [CheckedContinuation<Void, Never>] = []
        /// The time of the last `expire` that was not done.
        var expire_us: Int64?
        /// Of what waits and of what is being written.
        var octets = 0
        /// The writer will come, or is at work.
        var isScheduled = false
        var isClosed = false

        var isEmpty: Bool { messages.isEmpty && sessions.isEmpty && settlers.isEmpty && expire_us == nil }
    }

    /// What one loop has handed over and not committed yet.
    private final class Turns: Sendable {
        let messages = Mutex<[(message: Message, ticket: KeepTicket)]>([])
    }

    /// What can be read at any time.
    struct Figures {
        var counts = StoreCounts()
        var totals = Totals()
    }

    let file: StoreFile
    let pool: DatabasePool
    let writer: StoreWriter
    let text: @Sendable (Message) -> String
    /// What each loop has handed over and will commit itself; empty where the writer does it all.
    private let turns: [Turns]
    let onKept: @Sendable ([KeepResult]) -> Void
    let queue = Mutex(Queue())
    let figures: Mutex<Figures>
    let indexQueue = DispatchQueue(label: "fakemx.store.index", qos: .utility)
    let filling = Mutex(Filling())
    /// Copies the log, on a connection and a queue of its own.
    let copyQueue = DispatchQueue(label: "fakemx.store.log", qos: .utility)
    let copier = Mutex<DatabaseQueue?>(nil)
    let isCopying = Atomic<Bool>(false)
    let isGivingBack = Atomic<Bool>(false)
    /// When the last group was written, nanoseconds of the uptime.
    let lastGroup_ns = Atomic<UInt64>(0)

    /// Opens a store, or makes one where no file is.
    ///
    /// - Parameters:
    ///   - text: what a message is searched for: subject, addresses, body, all decoded. Called on a queue of the store.
    ///   - loops: so many loops call `commit` themselves, which spares a message two ways between threads; 0: the
    ///     writer commits by itself. Where a commit waits for the disk, no loop may, so `full` is always the writer's.
    ///   - onKept: hears of every message that `keep` answered with `.later`, group by group, on the writer's queue.
    package init(
        path: String, sync: SyncMode, retention: Retention, loops: Int = 0,
        text: @escaping @Sendable (Message) -> String, onKept: @escaping @Sendable ([KeepResult]) -> Void
    ) throws(StoreFailure) {
        let file = try StoreFile(path: path)
        do {
            let pool = try Self.open(file, sync)
            writer = try pool.writeWithoutTransaction { database in
                try StoreWriter(
                    try Connection(database), retention: retention, sync: sync, bodyPath: file.bodyPath)
            }
            self.pool = pool
        } catch {
            file.release()
            throw file.failure(error)
        }
        self.file = file
        self.text = text
        self.onKept = onKept
        turns = sync == .normal ? (0..<loops).map { _ in Turns() } : []
        var figures = Figures()
        figures.totals = writer.totals
        self.figures = Mutex(figures)
        fillLater()
    }

    deinit { if !queue.withLock({ $0.isClosed }) { file.release() } }

    private static func open(_ file: StoreFile, _ sync: SyncMode) throws -> DatabasePool {
        if !file.exists {
            // Made with a rollback journal: the number of the application stands in the file itself from the start.
            let maker = try DatabaseQueue(path: file.pathForSQLite, configuration: Schema.configuration)
            try maker.writeWithoutTransaction { try $0.execute(sql: "PRAGMA application_id = \(Schema.applicationID)") }
            try Schema.migrator.migrate(maker)
            try maker.close()
        }
        let pool = try DatabasePool(path: file.pathForSQLite, configuration: Schema.configuration)
        // What the header of the file said may be older than the log beside it.
        let version = try pool.read { try UInt32.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
        guard version <= Schema.version, try !pool.read({ try Schema.migrator.hasBeenSuperseded($0) }) else {
            throw StoreFile.newer(file.path, version)
        }
        try Schema.migrator.migrate(pool)
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = \(sync.rawValue)") }
        return pool
    }

    // MARK: Figures

    package var keepsMessages: Bool { true }
    package var keepsSessions: Bool { true }
    package var outlivesRuns: Bool { true }
    package var lastSessionNumber: UInt64 { UInt64(bitPattern: figures.withLock { $0.totals.sessionNumber }) }

    package var counts: StoreCounts {
        var (counts, totals) = figures.withLock { ($0.counts, $0.totals) }
        (counts.messages, counts.messageOctets) = (totals.messages.count, totals.messages.octets)
        (counts.sessions, counts.sessionOctets) = (totals.sessions.count, totals.sessions.octets)
        counts.unreadMessages = totals.messages.count - totals.readCount
        counts.fileOctets = file.octetCount
        return counts
    }

    /// After a transaction, on the writer's queue.
    func publish(_ change: (inout StoreCounts) -> Void = { _ in }) {
        let totals = writer.totals
        figures.withLock {
            $0.totals = totals
            $0.counts.trouble = nil
            change(&$0.counts)
        }
    }

    /// Notes what is wrong.
    func report(_ error: any Error) -> StoreFailure {
        let failure = file.failure(error)
        figures.withLock { $0.counts.trouble = failure.reason }
        return failure
    }

    // MARK: Keeping

    package func keep(_ message: Message, _ ticket: KeepTicket) -> Keeping {
        if turns.indices.contains(ticket.loop), !isClosed {
            turns[ticket.loop].messages.withLock { $0.append((message, ticket)) }
            return .later
        }
        return keepByWriter(message, ticket)
    }

    private func keepByWriter(_ message: Message, _ ticket: KeepTicket) -> Keeping {
        let octets = message.content.count + Self.queueEntryOctets
        let (isClosed, hasRoom) = queue.withLock { queue in
            guard !queue.isClosed else { return (true, false) }
            // However large one is, it finds room in an empty queue.
            guard queue.octets == 0 || queue.octets + octets <= Self.queueOctets else { return (false, false) }
            queue.octets += octets
            queue.messages.append((message, ticket))
            schedule(&queue)
            return (false, true)
        }
        if hasRoom { return .later }
        figures.withLock { $0.counts.refusals += 1 }
        let waiting = "\(Self.queueOctets >> 20) MiB wait to be written; send slower, or use a faster disk"
        return .refused(isClosed ? closedFailure : StoreFailure(reason: "\(file.path): \(waiting)"))
    }

    var closedFailure: StoreFailure { StoreFailure(reason: "\(file.path): the store is closed; start it again") }

    package func commit(loop: Int) -> [KeepResult] {
        guard turns.indices.contains(loop) else { return [] }
        let messages = turns[loop].messages.withLock { waiting in
            defer { waiting.removeAll(keepingCapacity: true) }
            return waiting
        }
        guard !messages.isEmpty else { return [] }
        let results: [KeepResult]? = pool.writeWithoutTransaction { _ in
            // A loop waits for nobody: where another program holds the file, the writer waits in its place.
            sqlite3_busy_timeout(writer.connection.handle, 0)
            defer { sqlite3_busy_timeout(writer.connection.handle, Int32(Schema.busy_s * 1000)) }
            do throws(SQLiteFault) {
                try insert(messages[...], [])
            } catch {
                return error.kind == SQLITE_BUSY ? nil : writeOneByOne(messages, [], error)
            }
            keepLogShort()
            lastGroup_ns.store(DispatchTime.now().uptimeNanoseconds, ordering: .relaxed)
            return messages.map { KeepResult(ticket: $0.ticket, failure: nil) }
        }
        if let results { return results }
        var refused: [KeepResult] = []
        for (message, ticket) in messages {
            if case .refused(let failure) = keepByWriter(message, ticket) {
                refused.append(KeepResult(ticket: ticket, failure: failure))
            }
        }
        return refused
    }

    package var isCommittedByLoops: Bool { !turns.isEmpty }

    package func withdraw(_ ticket: KeepTicket) {
        if turns.indices.contains(ticket.loop) {
            turns[ticket.loop].messages.withLock { $0.removeAll { $0.ticket == ticket } }
        }
        queue.withLock { queue in
            queue.messages.removeAll { message, other in
                guard other == ticket else { return false }
                queue.octets -= message.content.count + Self.queueEntryOctets
                return true
            }
        }
    }

    var isClosed: Bool { queue.withLock { $0.isClosed } }

    package func keep(_ session: StoredSession) {
        let octets = session.log.octetCount + Self.queueEntryOctets
        let isKept = queue.withLock { queue in
            guard !queue.isClosed, queue.octets + octets <= Self.queueOctets else { return false }
            queue.octets += octets
            queue.sessions.append(session)
            schedule(&queue)
            return true
        }
        if !isKept { figures.withLock { $0.counts.sessionRefusals += 1 } }
    }

    package func countMessage(octets: Int) {
        figures.withLock {
            $0.counts.messagesEver += 1
            $0.counts.messageOctetsEver += octets
        }
    }

    package func countSession() { figures.withLock { $0.counts.sessionsEver += 1 } }

    package func expire(now_us: Int64) {
        guard retention.messageAge_us != nil || retention.sessionAge_us != nil else { return }
        queue.withLock { queue in
            guard !queue.isClosed else { return }
            queue.expire_us = now_us
            schedule(&queue)
        }
    }

    var retention: Retention { writer.retention }

    package func settle() async {
        await withCheckedContinuation { continuation in
            let isSettled = queue.withLock { queue in
                if !queue.isScheduled { return true }
                queue.settlers.append(continuation)
                return false
            }
            if isSettled { continuation.resume() }
        }
    }

    private func schedule(_ queue: inout Queue) {
        guard !queue.isScheduled else { return }
        queue.isScheduled = true
        pool.asyncWriteWithoutTransaction { _ in self.writeGroup() }
    }

    // MARK: Closing

    package func close() async {
        let isFirst = queue.withLock { queue in
            defer { queue.isClosed = true }
            return !queue.isClosed
        }
        guard isFirst else { return }
        await settle()
        await stopFilling()
        await withCheckedContinuation { continuation in
            copyQueue.async {
                self.copier.withLock { copier in
                    try? copier?.close()
                    copier = nil
                }
                continuation.resume()
            }
        }
        await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { _ in
                self.writer.close()
                continuation.resume()
            }
        }
        await withCheckedContinuation { continuation in
            indexQueue.async {
                // What is still being read ends first; the writer closes last, and the log goes with it.
                self.pool.releaseMemory()
                try? self.pool.close()
                self.file.release()
                continuation.resume()
            }
        }
    }
}
