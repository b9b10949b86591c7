// The indexes of facets and of texts are filled when nobody waits to be kept, a few rows at a time; they are complete
// up to a position that stands in the file, and searches look at everything behind it. What is removed stays in the
// indexes, where it does no harm since no position is given twice; when more is gone than there, they are made anew.

import CLinux
import Dispatch
import GRDB
import SMTP

/// What is known of the filling.
struct Filling {
    /// Somebody will come, or is at work.
    var isScheduled = false
    var isStopped = false
    /// When the last slice was written, nanoseconds of the uptime.
    var lastSlice_ns: UInt64 = 0
}

extension SQLiteStore {
    /// Nobody has kept anything for so long: the store is idle.
    private static let quiet_ns: UInt64 = 1_000_000_000
    /// However busy it is, a slice is written once in so long a time.
    private static let patience_ns: UInt64 = 5_000_000_000
    /// A slice ends after so long a time: who comes then waits no longer.
    private static let slice_ns: UInt64 = 3_000_000
    /// Of one read: messages, their octets, and sessions.
    private static let mostMessages = 64
    private static let mostOctets = 4 << 20
    private static let mostSessions = 128
    /// Messages with longer content or text are looked at by every search instead.
    private static let longestContent = 4 << 20
    private static let longestText = 128 << 10
    /// So many removed things in the index are not worth making it anew.
    private static let leastGone = 5_000

    /// A thing and what it is found by.
    struct Entry: Sendable {
        let position: Int64
        let facets: [UInt64]
        /// nil for a message that is not searched by the index, and for a session.
        var text: String?
    }

    /// Comes back when the store is idle.
    func fillLater() {
        let (totals, isClosed) = (figures.withLock { $0.totals }, queue.withLock { $0.isClosed })
        guard !isClosed, Shelf.all.contains(where: { totals[$0].isBehind }) else { return }
        let isFirst = filling.withLock { filling in
            guard !filling.isScheduled, !filling.isStopped else { return false }
            filling.isScheduled = true
            return true
        }
        if isFirst { waitForQuiet() }
    }

    private func waitForQuiet() {
        indexQueue.asyncAfter(deadline: .now() + .nanoseconds(Int(Self.quiet_ns))) { [weak self] in self?.fillStep() }
    }

    private func fillStep() {
        let now_ns = DispatchTime.now().uptimeNanoseconds
        let (last_ns, isStopped) = filling.withLock { ($0.lastSlice_ns, $0.isStopped) }
        guard !isStopped else { return }
        let group_ns = lastGroup_ns.load(ordering: .relaxed)
        guard now_ns > group_ns + Self.quiet_ns || now_ns > last_ns + Self.patience_ns else { return waitForQuiet() }
        do {
            if try fillSlice() {
                indexQueue.async { [weak self] in self?.fillStep() }
            } else {
                filling.withLock { $0.isScheduled = false }
                fillLater()
                giveMemoryBack()
            }
        } catch {
            // A full disk: the next thing that is kept comes by here again.
            _ = report(error)
            filling.withLock { $0.isScheduled = false }
        }
    }

    /// What a burst took: pages that SQLite holds, and what the allocator keeps for later. Takes milliseconds.
    private func giveMemoryBack() {
        pool.releaseMemory()
        linux_trim_memory()
    }

    /// Nothing is filled after this.
    func stopFilling() async {
        filling.withLock { $0.isStopped = true }
        await withCheckedContinuation { continuation in indexQueue.async { continuation.resume() } }
    }

    /// Returns when everything that was kept before is in the index. For tests and measurements.
    func fill() async throws(StoreFailure) {
        await settle()
        let failure: StoreFailure? = await withCheckedContinuation { continuation in
            indexQueue.async {
                do {
                    while try self.fillSlice() {}
                    continuation.resume(returning: nil)
                } catch {
                    continuation.resume(returning: self.report(error))
                }
            }
        }
        if let failure { throw failure }
    }

    // MARK: A slice, on the index queue

    /// False where there is nothing to do.
    private func fillSlice() throws -> Bool {
        let totals = figures.withLock { $0.totals }
        for shelf in Shelf.all where totals[shelf].isMostlyGone(Self.leastGone) {
            try pool.writeWithoutTransaction { _ in
                try writer.transaction { () throws(SQLiteFault) in try writer.emptyIndex(shelf) }
                publish()
            }
            return true
        }
        for shelf in Shelf.all where totals[shelf].indexed < totals[shelf].last {
            let (entries, reached) = try shelf == .sessions ? nextSessions(totals) : nextMessages(totals)
            try put(entries[...], of: shelf, reached: reached)
            return true
        }
        return false
    }

    /// Writes entries into the index, as many at a time as nobody notices.
    private func put(_ entries: ArraySlice<Entry>, of shelf: Shelf, reached: Int64) throws {
        var rest = entries
        repeat {
            let start_ns = DispatchTime.now().uptimeNanoseconds
            let count = try pool.writeWithoutTransaction { _ in
                let count = try writer.transaction { () throws(SQLiteFault) in
                    try writer.index(shelf, rest, reached: reached) {
                        DispatchTime.now().uptimeNanoseconds > start_ns + Self.slice_ns
                            || queue.withLock { $0.isScheduled }
                    }
                }
                publish()
                return count
            }
            filling.withLock { $0.lastSlice_ns = DispatchTime.now().uptimeNanoseconds }
            rest = rest.dropFirst(count)
        } while !rest.isEmpty
    }

    /// The next ones that are not in the index, and the position up to which they reach.
    private func nextSessions(_ totals: Totals) throws -> ([Entry], Int64) {
        try pool.read { database in
            let rows = try Connection(database).prepare(
                "SELECT position, facets FROM sessions WHERE position > ? ORDER BY position LIMIT ?")
            rows.bind(1, totals.sessions.indexed)
            rows.bind(2, Self.mostSessions)
            var entries: [Entry] = []
            while try rows.step() {
                entries.append(Entry(position: rows.number(0), facets: rows.octets(1).loadNumbers()))
            }
            let isLast = entries.count < Self.mostSessions
            return (entries, isLast ? totals.sessions.last : entries.last?.position ?? totals.sessions.last)
        }
    }

    private func nextMessages(_ totals: Totals) throws -> ([Entry], Int64) {
        var (messages, reached) = ([(position: Int64, message: Message, isWhole: Bool)](), totals.messages.last)
        let number = writer.bodies.beginRead()
        defer { writer.bodies.endRead(number) }
        try pool.read { database in
            let connection = try Connection(database)
            let rows = try connection.prepare(
                """
                SELECT position, time_us, size, envelope, body FROM messages
                WHERE position > ? ORDER BY position LIMIT ?
                """
            )
            rows.bind(1, totals.messages.indexed)
            rows.bind(2, Self.mostMessages)
            let contents = ContentReader(connection, writer.bodies)
            var octets = 0
            while try rows.step() {
                let position = rows.number(0)
                let size = Int(rows.number(2))
                let isWhole = size <= Self.longestContent
                let content =
                    try isWhole ? contents.octets(of: position, at: rows.number(4), size: size, limit: nil) : []
                guard
                    let message = EnvelopeCode.decode(rows.octets(3), content: content, received_us: rows.number(1))
                else { throw SQLiteFault.damaged("message", position) }
                messages.append((position, message, isWhole))
                octets += content.count
                if octets > Self.mostOctets { break }
            }
            if octets > Self.mostOctets || messages.count == Self.mostMessages {
                reached = messages.last?.position ?? reached
            }
        }
        let entries = messages.map { position, message, isWhole in
            let text = isWhole ? SearchText.folded(self.text(message)) : nil
            return Entry(
                position: position, facets: Array(message.facets),
                text: text.flatMap { $0.utf8.count <= Self.longestText ? $0 : nil })
        }
        return (entries, reached)
    }
}

extension ShelfTotals {
    fileprivate func isMostlyGone(_ least: Int) -> Bool { indexed > 0 && gone > least && gone > count }

    fileprivate var isBehind: Bool { indexed < last }
}

extension Shelf {
    fileprivate static let all: [Shelf] = [.sessions, .messages]
}

extension StoreWriter {
    /// Puts entries into the index until it is time to stop; one at least. Inside a transaction.
    ///
    /// - Parameter reached: the position up to which the index is complete when all of them are in it.
    /// - Returns: how many are in it.
    func index(
        _ shelf: Shelf, _ entries: ArraySlice<SQLiteStore.Entry>, reached: Int64, until isTime: () -> Bool
    ) throws(SQLiteFault) -> Int {
        let there = try statement("SELECT 1 FROM \(shelf.table) WHERE position = ?")
        var facets: [(facet: Int64, position: Int64)] = []
        var count = 0
        for entry in entries {
            if count > 0, isTime() { break }
            count += 1
            // An entry that is in it already would stand in it twice.
            guard entry.position > draft[shelf].indexed else { continue }
            draft[shelf].indexed = entry.position
            there.bind(1, entry.position)
            let isThere = try there.step()
            there.reset()
            guard isThere else { continue }
            for facet in entry.facets { facets.append((Int64(bitPattern: facet), entry.position)) }
            if shelf == .messages { try index(entry.text, of: entry.position) }
        }
        // In the order of the table: neighbours share a page.
        facets.sort { $0 < $1 }
        let put = try statement("INSERT OR IGNORE INTO \(shelf.facetTable) (facet, position) VALUES (?,?)")
        for (facet, position) in facets {
            put.bind(1, facet)
            put.bind(2, position)
            try put.run()
        }
        // The rows may have been read later than the position up to which they were to reach.
        if count == entries.count { draft[shelf].indexed = max(draft[shelf].indexed, reached) }
        return count
    }

    private func index(_ text: String?, of position: Int64) throws(SQLiteFault) {
        guard var text else { return try run("INSERT OR IGNORE INTO unsearchable (position) VALUES (?)", position) }
        let put = try statement("INSERT INTO search (rowid, text) VALUES (?,?)")
        put.bind(1, position)
        let code = text.withUTF8 { octets in
            put.bind(2, text: UnsafeRawBufferPointer(octets))
            return put.runForCode()
        }
        try put.check(code)
    }

    /// Begins anew. Inside a transaction.
    func emptyIndex(_ shelf: Shelf) throws(SQLiteFault) {
        try statement("DELETE FROM \(shelf.facetTable)").run()
        draft[shelf].indexed = 0
        draft[shelf].gone = 0
        guard shelf == .messages else { return }
        try statement("INSERT INTO search (search) VALUES ('delete-all')").run()
        try statement("DELETE FROM unsearchable").run()
    }
}
