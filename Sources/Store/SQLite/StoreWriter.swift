// The one who writes: everything that waits goes into one transaction, so that waiting for the disk is shared. It knows
// rows, totals and retention; who waits for what is the store's affair.

import GRDB
import GRDBSQLite
import SMTP
import Synchronization

/// @unchecked Sendable: everything here is touched on the writer queue of the pool alone.
final class StoreWriter: @unchecked Sendable {
    /// Beyond a limit stands at most this part of it, and never more rows than these.
    static let slackPart = 50
    static let mostSlack = 500

    let connection: Connection
    let retention: Retention
    let bodies: BodyFile
    /// Each commit waits for the disk, and so do the contents that it names.
    private let isFull: Bool
    /// Pages in the log behind the last commit.
    let logPages = Atomic<Int>(0)
    /// As they stand in the file.
    private(set) var totals: Totals
    /// As they will stand there after the transaction that runs.
    var draft = Totals()
    /// What the transaction that runs has removed from the file of contents.
    private var freed: [Range<Int64>] = []

    private let begin: PreparedStatement
    private let commit: PreparedStatement
    private let updateTotals: PreparedStatement
    private let insertMessage: PreparedStatement
    private let insertSession: PreparedStatement
    private var prepared: [String: PreparedStatement] = [:]
    /// Kept, so that encoding allocates nothing.
    private var envelope: [UInt8] = []

    init(_ connection: Connection, retention: Retention, sync: SyncMode, bodyPath: String) throws(SQLiteFault) {
        self.connection = connection
        self.retention = retention
        isFull = sync == .full
        totals = try Totals.read(connection)
        if totals.messages.count == 0 { totals.bodyEnd = 0 }
        bodies = try BodyFile(path: bodyPath, end: totals.bodyEnd)
        begin = try connection.prepare("BEGIN IMMEDIATE")
        commit = try connection.prepare("COMMIT")
        updateTotals = try connection.prepare(Totals.update)
        insertMessage = try connection.prepare(
            """
            INSERT INTO messages (position, session, number, time_us, size, envelope, content, body)
            VALUES (?,?,?,?,?,?,x'',?)
            """
        )
        insertSession = try connection.prepare(
            """
            INSERT INTO sessions (position, number, time_us, size, events, events_dropped, facets, log)
            VALUES (?,?,?,?,?,?,?,?)
            """)
        envelope.reserveCapacity(1024)
        try freeWhatWasLeft()
        watchLog()
    }

    /// Room in front of the oldest content: its rows had gone, and the process ended before it was given back.
    private func freeWhatWasLeft() throws(SQLiteFault) {
        let first = try connection.prepare("SELECT body FROM messages ORDER BY position LIMIT 1")
        guard try first.step(), first.number(0) > 0 else { return }
        bodies.free([0..<BodyPlace(offset: first.number(0), size: 0).whole.lowerBound])
        bodies.giveBack()
    }

    /// Nobody copies the log into the database on the way: `SQLiteStore` does it beside the writer.
    private func watchLog() {
        let pages = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_wal_hook(
            connection.handle,
            { context, _, _, count in
                guard let context else { return SQLITE_OK }
                Unmanaged<StoreWriter>.fromOpaque(context).takeUnretainedValue().logPages
                    .store(Int(count), ordering: .relaxed)
                return SQLITE_OK
            }, pages)
    }

    /// Prepared once.
    func statement(_ sql: String) throws(SQLiteFault) -> PreparedStatement {
        if let statement = prepared[sql] { return statement }
        let statement = try connection.prepare(sql)
        prepared[sql] = statement
        return statement
    }

    // MARK: Transactions

    /// All of it, or nothing.
    func transaction<Result>(_ body: () throws(SQLiteFault) -> Result) throws(SQLiteFault) -> Result {
        try begin.run()
        draft = totals
        do {
            let result = try body()
            if draft != totals {
                draft.bind(to: updateTotals)
                try updateTotals.run()
            }
            try bodies.flush()
            if isFull, draft.bodyEnd != totals.bodyEnd { try bodies.sync() }
            try commit.run()
            totals = draft
            if !freed.isEmpty { bodies.free(freed) }
            freed = []
            return result
        } catch {
            bodies.forget(from: totals.bodyEnd)
            freed = []
            // A full disk has rolled it back already.
            if connection.isInTransaction { try? connection.execute("ROLLBACK") }
            throw error
        }
    }

    // MARK: Keeping; inside a transaction

    func insert(_ message: Message) throws(SQLiteFault) {
        let key = MessageKey(message.id)
        let size = message.content.count
        let place = try bodies.append(message.content, position: draft.messages.last + 1, end: draft.bodyEnd)
        envelope.removeAll(keepingCapacity: true)
        EnvelopeCode.encode(message, into: &envelope)
        insertMessage.bind(1, draft.messages.last + 1)
        insertMessage.bind(2, key.session)
        insertMessage.bind(3, key.number)
        insertMessage.bind(4, message.received_us)
        insertMessage.bind(5, size)
        insertMessage.bind(7, place.offset)
        let code = envelope.withUnsafeBytes { envelope in
            insertMessage.bind(6, envelope)
            return insertMessage.runForCode()
        }
        try insertMessage.check(code)
        draft.bodyEnd = place.whole.upperBound
        draft.messages.last += 1
        draft.messages.count += 1
        draft.messages.octets += size
        draft.sessionNumber = max(draft.sessionNumber, key.session)
    }

    func insert(_ session: StoredSession) throws(SQLiteFault) {
        let size = session.log.octetCount
        let number = Int64(bitPattern: session.number)
        insertSession.bind(1, draft.sessions.last + 1)
        insertSession.bind(2, number)
        insertSession.bind(3, session.ended_us)
        insertSession.bind(4, size)
        insertSession.bind(5, session.log.eventCount)
        insertSession.bind(6, session.eventsDropped)
        let code = session.facets.withUnsafeBytes { facets in
            session.log.octets.withUnsafeBytes { log in
                insertSession.bind(7, facets)
                insertSession.bind(8, log)
                return insertSession.runForCode()
            }
        }
        try insertSession.check(code)
        draft.sessions.last += 1
        draft.sessions.count += 1
        draft.sessions.octets += size
        draft.sessionNumber = max(draft.sessionNumber, number)
    }

    // MARK: Dropping; inside a transaction

    /// Drops what is above the limits of number and octets. The newest stays, even when it is larger than the limit.
    ///
    /// - Returns: how many.
    func dropExcess(_ shelf: Shelf) throws(SQLiteFault) -> Int {
        let countLimit = shelf == .messages ? retention.messages : retention.sessions
        let octetLimit = shelf == .messages ? retention.messageOctets : retention.sessionOctets
        // A little more is let stand, and goes at once: rows that go together cost a fraction of rows that go one by
        // one.
        guard
            draft[shelf].count > countLimit + min(countLimit / Self.slackPart, Self.mostSlack)
                || draft[shelf].octets > octetLimit + octetLimit / Self.slackPart
        else { return 0 }
        return try dropOldest(shelf, atMost: .max) { totals, _, _ in
            totals.count > 1 && (totals.count > countLimit || totals.octets > octetLimit)
        }
    }

    /// Drops from the old end what is older than a time.
    func dropOlder(_ shelf: Shelf, than time_us: Int64, atMost limit: Int) throws(SQLiteFault) -> Int {
        try dropOldest(shelf, atMost: limit) { _, _, rowTime_us in rowTime_us < time_us }
    }

    private func dropOldest(
        _ shelf: Shelf, atMost limit: Int, while mustGo: (ShelfTotals, Int64, Int64) -> Bool
    ) throws(SQLiteFault) -> Int {
        let rows = try statement(
            "SELECT position, size, time_us, \(shelf.bodyColumn) FROM \(shelf.table) ORDER BY position")
        defer { rows.reset() }
        var upTo: Int64?
        var count = 0
        while count < limit, try rows.step(), mustGo(draft[shelf], rows.number(0), rows.number(2)) {
            draft[shelf].remove(rows.number(0), size: Int(rows.number(1)))
            freeBody(at: rows.number(3), size: Int(rows.number(1)))
            upTo = rows.number(0)
            count += 1
        }
        guard let upTo else { return 0 }
        rows.reset()
        try run("DELETE FROM \(shelf.table) WHERE position <= ?", upTo)
        if shelf == .messages {
            let read = try statement("SELECT count(*) FROM marks WHERE position <= ? AND is_read")
            defer { read.reset() }
            read.bind(1, upTo)
            if try read.step() { draft.readCount -= Int(read.number(0)) }
            read.reset()
            try run("DELETE FROM marks WHERE position <= ?", upTo)
        }
        return count
    }

    /// Removes what stands at a position or before it. When nothing is left, the index begins anew.
    func dropUpTo(_ shelf: Shelf, _ last: Int64, atMost limit: Int) throws(SQLiteFault) -> Int {
        let count = try dropOldest(shelf, atMost: limit) { _, position, _ in position <= last }
        if draft[shelf].count == 0, draft[shelf].indexed > 0 { try emptyIndex(shelf) }
        return count
    }

    /// - Parameter offset: 0 where the content stands in the table, or there is none.
    private func freeBody(at offset: Int64, size: Int) {
        guard offset > 0 else { return }
        let range = BodyPlace(offset: offset, size: size).whole
        if let last = freed.last, last.upperBound == range.lowerBound {
            freed[freed.count - 1] = last.lowerBound..<range.upperBound
        } else {
            freed.append(range)
        }
    }

    func run(_ sql: String, _ value: Int64) throws(SQLiteFault) {
        let statement = try statement(sql)
        statement.bind(1, value)
        try statement.run()
    }

    /// Removes one by one.
    ///
    /// - Returns: those that were there.
    func remove(_ shelf: Shelf, _ positions: some Sequence<Int64>) throws(SQLiteFault) -> [Int64] {
        let remove = try statement("DELETE FROM \(shelf.table) WHERE position = ? RETURNING size, \(shelf.bodyColumn)")
        defer { remove.reset() }
        var removed: [Int64] = []
        for position in positions {
            remove.reset()
            remove.bind(1, position)
            guard try remove.step() else { continue }
            draft[shelf].remove(position, size: Int(remove.number(0)))
            freeBody(at: remove.number(1), size: Int(remove.number(0)))
            removed.append(position)
            guard shelf == .messages else { continue }
            let marks = try statement("DELETE FROM marks WHERE position = ? RETURNING is_read")
            defer { marks.reset() }
            marks.bind(1, position)
            if try marks.step() { draft.readCount -= Int(marks.number(0)) }
        }
        return removed
    }

    // MARK: Marks; inside a transaction

    func mark(_ position: Int64, _ change: (inout Marks) -> Void) throws(SQLiteFault) -> Bool {
        let there = try statement("SELECT 1 FROM messages WHERE position = ?")
        defer { there.reset() }
        there.bind(1, position)
        guard try there.step() else { return false }
        let old = try Marks(of: position, try statement(Marks.query))
        var new = old
        change(&new)
        guard new != old else { return true }
        draft.readCount += (new.isRead ? 1 : 0) - (old.isRead ? 1 : 0)
        guard new != Marks() else {
            try run("DELETE FROM marks WHERE position = ?", position)
            return true
        }
        let put = try statement("INSERT OR REPLACE INTO marks (position, is_read, tags) VALUES (?,?,?)")
        put.bind(1, position)
        put.bind(2, new.isRead ? 1 : 0)
        let code = TagsCode.encode(new.tags).withUnsafeBytes { tags in
            put.bind(3, tags)
            return put.runForCode()
        }
        try put.check(code)
        return true
    }

    /// Copies the log into the database and lets the statements go, so that the connection can be closed.
    func close() {
        for statement in [begin, commit, updateTotals, insertMessage, insertSession] { statement.finish() }
        for statement in prepared.values { statement.finish() }
        sqlite3_wal_hook(connection.handle, nil, nil)
        try? connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        if totals.messages.count == 0 { bodies.remove() }
    }
}

extension Marks {
    static let query = "SELECT is_read, tags FROM marks WHERE position = ?"

    /// - Parameter statement: of `query`.
    init(of position: Int64, _ statement: PreparedStatement) throws(SQLiteFault) {
        defer { statement.reset() }
        statement.bind(1, position)
        guard try statement.step() else {
            self.init()
            return
        }
        self.init(isRead: statement.number(0) != 0, tags: TagsCode.decode(statement.octets(1)))
    }
}
