// Questions to the store, answered by the readers of the pool, newest first and slice by slice: no snapshot is held for
// long, and no more than what is asked for is in memory.

import GRDB
import Journal
import SMTP

extension SQLiteStore {
    /// A reader looks at so many candidates before it gives its snapshot back.
    private static let readSlice = 512

    private struct Slice<Element: Sendable>: Sendable {
        var found: [Element] = []
        /// Where the next slice begins; nil where there is nothing more.
        var before: Int64?
    }

    func read<Result: Sendable>(
        _ body: @escaping @Sendable (Connection) throws -> Result
    ) async throws(StoreFailure) -> Result {
        let number = writer.bodies.beginRead()
        defer { writer.bodies.endRead(number) }
        do {
            return try await pool.read { try body(Connection($0)) }
        } catch {
            throw file.failure(error)
        }
    }

    package func lastPositions() async throws(StoreFailure) -> (message: Int64, session: Int64) {
        await settle()
        return figures.withLock { ($0.totals.messages.last, $0.totals.sessions.last) }
    }

    // MARK: Messages

    package func messages(
        _ query: StoreQuery, where matches: @escaping @Sendable (StoredMessage) -> Bool
    ) async throws(StoreFailure) -> [StoredMessage] {
        await settle()
        if query.oldestFirst {
            return try await oldest(.messages, query) { connection in
                let reader = try MessageReader(connection, self.writer.bodies)
                return { position in
                    try reader.message(position, contentLimit: query.contentLimit) { message in
                        query.facets.isEmpty || query.admits(message.facets.sorted())
                    }
                    .flatMap { matches($0) ? $0 : nil }
                }
            }
        }
        return try await slices(query) { connection, before, most in
            let indexed = try Totals.read(connection).messages.indexed
            var candidates = try Candidates(connection, .messages, query, before: before, indexed: indexed)
            let reader = try MessageReader(connection, self.writer.bodies)
            var slice = Slice<StoredMessage>()
            for _ in 0..<Self.readSlice {
                guard slice.found.count < most, let position = try candidates.next() else { return slice }
                slice.before = position
                let isFromIndex = candidates.isFromIndex
                let stored = try reader.message(position, contentLimit: query.contentLimit) { message in
                    isFromIndex || query.facets.isEmpty || query.admits(message.facets.sorted())
                }
                if let stored, matches(stored) { slice.found.append(stored) }
            }
            return slice
        }
    }

    package func message(_ id: String) async throws(StoreFailure) -> StoredMessage? {
        await settle()
        return try await read { connection in
            let key = MessageKey(id)
            let positions = try connection.prepare(
                "SELECT position FROM messages WHERE session = ? AND number = ? ORDER BY position DESC")
            positions.bind(1, key.session)
            positions.bind(2, key.number)
            let reader = try MessageReader(connection, self.writer.bodies)
            while try positions.step() {
                let stored = try reader.message(positions.number(0), contentLimit: nil) { $0.id == id }
                if let stored { return stored }
            }
            return nil
        }
    }

    package func tags() async throws(StoreFailure) -> [String: Int] {
        await settle()
        return try await read { connection in
            let marks = try connection.prepare("SELECT tags FROM marks")
            var counts: [String: Int] = [:]
            while try marks.step() { for tag in TagsCode.decode(marks.octets(0)) { counts[tag, default: 0] += 1 } }
            return counts
        }
    }

    // MARK: Sessions

    package func sessions(
        _ query: StoreQuery, where matches: @escaping @Sendable (StoredSession) -> Bool
    ) async throws(StoreFailure) -> [StoredSession] {
        await settle()
        if query.oldestFirst {
            return try await oldest(.sessions, query) { connection in
                let reader = try SessionReader(connection)
                return { position in
                    try reader.session(position) { query.admits($0) }.flatMap { matches($0) ? $0 : nil }
                }
            }
        }
        return try await slices(query) { connection, before, most in
            let indexed = try Totals.read(connection).sessions.indexed
            var candidates = try Candidates(connection, .sessions, query, before: before, indexed: indexed)
            let reader = try SessionReader(connection)
            var slice = Slice<StoredSession>()
            for _ in 0..<Self.readSlice {
                guard slice.found.count < most, let position = try candidates.next() else { return slice }
                slice.before = position
                let isFromIndex = candidates.isFromIndex
                let session = try reader.session(position) { isFromIndex || query.admits($0) }
                if let session, matches(session) { slice.found.append(session) }
            }
            return slice
        }
    }

    package func session(_ number: UInt64) async throws(StoreFailure) -> StoredSession? {
        await settle()
        return try await read { connection in
            let positions = try connection.prepare(
                "SELECT position FROM sessions WHERE number = ? ORDER BY position DESC LIMIT 1")
            positions.bind(1, Int64(bitPattern: number))
            guard try positions.step() else { return nil }
            return try SessionReader(connection).session(positions.number(0)) { _ in true }
        }
    }

    // MARK: Slices

    /// - Parameter read: gets the position to stay below and how many are wanted still.
    private func slices<Element>(
        _ query: StoreQuery, _ read: @escaping @Sendable (Connection, Int64, Int) throws -> Slice<Element>
    ) async throws(StoreFailure) -> [Element] {
        var found: [Element] = []
        var before = query.before ?? Int64.max
        while found.count < query.limit {
            let (start, most) = (before, query.limit - found.count)
            let slice = try await self.read { try read($0, start, most) }
            found += slice.found
            // A slice that ended early has the last of all, or all that was wanted.
            guard let next = slice.before else { break }
            before = next
        }
        return found
    }

    /// The oldest first: the index is followed from its new end, so the positions are gathered before anything is read.
    ///
    /// - Parameter look: makes what reads one position; nil for what is not meant, or gone.
    private func oldest<Element: Sendable>(
        _ shelf: Shelf, _ query: StoreQuery,
        _ look: @escaping @Sendable (Connection) throws -> (Int64) throws -> Element?
    ) async throws(StoreFailure) -> [Element] {
        let positions = try await read { connection in
            let totals = try Totals.read(connection)
            let indexed = shelf == .messages ? totals.messages.indexed : totals.sessions.indexed
            var candidates = try Candidates(
                connection, shelf, query, before: query.before ?? Int64.max, indexed: indexed)
            var positions: [Int64] = []
            while let position = try candidates.next() { positions.append(position) }
            return positions
        }
        var found: [Element] = []
        var rest = positions.reversed()[...]
        while !rest.isEmpty, found.count < query.limit {
            let (slice, most) = (Array(rest.prefix(Self.readSlice)), query.limit - found.count)
            rest = rest.dropFirst(slice.count)
            found += try await read { connection in
                let reader = try look(connection)
                var found: [Element] = []
                for position in slice where found.count < most {
                    if let element = try reader(position) { found.append(element) }
                }
                return found
            }
        }
        return found
    }
}

/// Reads rows of messages.
private struct MessageReader {
    private let row: PreparedStatement
    private let marks: PreparedStatement
    private let contents: ContentReader

    init(_ connection: Connection, _ bodies: BodyFile) throws(SQLiteFault) {
        row = try connection.prepare("SELECT time_us, size, envelope, body FROM messages WHERE position = ?")
        marks = try connection.prepare(Marks.query)
        contents = ContentReader(connection, bodies)
    }

    /// - Parameter isWanted: decides by the envelope, before the content is read.
    /// - Returns: nil where it is not wanted or no longer there.
    func message(
        _ position: Int64, contentLimit: Int?, where isWanted: (Message) -> Bool
    ) throws(SQLiteFault) -> StoredMessage? {
        defer { row.reset() }
        row.bind(1, position)
        guard try row.step() else { return nil }
        guard var message = EnvelopeCode.decode(row.octets(2), content: [], received_us: row.number(0)) else {
            throw SQLiteFault.damaged("message", position)
        }
        guard isWanted(message) else { return nil }
        message.content = try contents.octets(
            of: position, at: row.number(3), size: Int(row.number(1)), limit: contentLimit)
        return StoredMessage(
            position: position, message: message, size: Int(row.number(1)), marks: try Marks(of: position, marks))
    }
}

/// Reads rows of sessions.
private struct SessionReader {
    private let row: PreparedStatement

    init(_ connection: Connection) throws(SQLiteFault) {
        row = try connection.prepare(
            "SELECT number, time_us, events, events_dropped, facets, log FROM sessions WHERE position = ?")
    }

    /// - Parameter isWanted: decides by the facets, before the log is read.
    func session(_ position: Int64, where isWanted: ([UInt64]) -> Bool) throws(SQLiteFault) -> StoredSession? {
        defer { row.reset() }
        row.bind(1, position)
        guard try row.step() else { return nil }
        let facets = row.octets(4).loadNumbers()
        guard isWanted(facets) else { return nil }
        var session = StoredSession(
            number: UInt64(bitPattern: row.number(0)),
            log: EventLog(octets: Array(row.octets(5)), eventCount: Int(row.number(2))),
            eventsDropped: Int(row.number(3)), facets: facets, ended_us: row.number(1))
        session.position = position
        return session
    }
}
