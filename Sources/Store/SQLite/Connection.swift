// The few calls of SQLite that carry content: statements that stay prepared, octets bound where they lie, and parts of
// a large value read in place. Everything else (connections, queues, WAL, migrations) is GRDB's.

import GRDB
import GRDBSQLite

/// What SQLite could not do.
struct SQLiteFault: Error, Hashable {
    /// The extended result code.
    let code: Int32
    /// What the system said last on this connection; 0 where it said nothing.
    var systemError: Int32 = 0
    let words: String

    /// The result code without its extension.
    var kind: Int32 { code & 0xff }

    static func damaged(_ what: String, _ position: Int64) -> SQLiteFault {
        SQLiteFault(code: SQLITE_CORRUPT, words: "\(what) \(position) cannot be decoded")
    }
}

extension UnsafeRawBufferPointer {
    /// Octets as numbers in the order of this machine, as they were bound.
    func loadNumbers() -> [UInt64] {
        stride(from: 0, to: count - count % 8, by: 8).map { loadUnaligned(fromByteOffset: $0, as: UInt64.self) }
    }
}

/// A connection of the pool, for the time of one access.
struct Connection {
    let handle: OpaquePointer

    init(_ database: Database) throws(SQLiteFault) {
        guard let handle = database.sqliteConnection else {
            throw SQLiteFault(code: SQLITE_MISUSE, words: "the database is closed")
        }
        self.handle = handle
    }

    func prepare(_ sql: String) throws(SQLiteFault) -> PreparedStatement {
        var statement: OpaquePointer?
        guard sqlite3_prepare_v2(handle, sql, -1, &statement, nil) == SQLITE_OK, let statement else { throw fault }
        return PreparedStatement(statement, of: self)
    }

    func execute(_ sql: String) throws(SQLiteFault) {
        guard sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK else { throw fault }
    }

    var fault: SQLiteFault {
        SQLiteFault(
            code: sqlite3_extended_errcode(handle), systemError: sqlite3_system_errno(handle),
            words: String(cString: sqlite3_errmsg(handle)))
    }

    /// False as well where SQLite has rolled back by itself.
    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }
}

/// A statement that is prepared once and run often; it must be gone before its connection is closed.
final class PreparedStatement {
    private var statement: OpaquePointer?
    private let connection: Connection

    fileprivate init(_ statement: OpaquePointer, of connection: Connection) {
        self.statement = statement
        self.connection = connection
    }

    deinit { sqlite3_finalize(statement) }

    /// Ends it before its time; it can do nothing afterwards.
    func finish() {
        sqlite3_finalize(statement)
        statement = nil
    }

    func bind(_ index: Int32, _ value: Int64) { sqlite3_bind_int64(statement, index, value) }

    func bind(_ index: Int32, _ value: Int) { sqlite3_bind_int64(statement, index, Int64(value)) }

    /// The octets are not copied: they must stay where they are until the statement was reset.
    func bind(_ index: Int32, _ octets: UnsafeRawBufferPointer) {
        if let base = octets.baseAddress, !octets.isEmpty {
            sqlite3_bind_blob64(statement, index, base, UInt64(octets.count), nil)
        } else {
            sqlite3_bind_zeroblob(statement, index, 0)
        }
    }

    /// As text; not copied either.
    func bind(_ index: Int32, text: UnsafeRawBufferPointer) {
        if let base = text.baseAddress, !text.isEmpty {
            sqlite3_bind_text64(
                statement, index, base.assumingMemoryBound(to: CChar.self), UInt64(text.count), nil, UInt8(SQLITE_UTF8))
        } else {
            sqlite3_bind_text(statement, index, "", 0, nil)
        }
    }

    /// Runs a statement without rows and says how it went; for use where octets are bound.
    func runForCode() -> Int32 {
        let code = sqlite3_step(statement)
        sqlite3_reset(statement)
        return code
    }

    /// Runs a statement without rows.
    func run() throws(SQLiteFault) { try check(runForCode()) }

    func check(_ code: Int32) throws(SQLiteFault) {
        guard code == SQLITE_DONE || code == SQLITE_ROW || code == SQLITE_OK else { throw connection.fault }
    }

    /// The next row; false behind the last one.
    func step() throws(SQLiteFault) -> Bool {
        switch sqlite3_step(statement) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw connection.fault
        }
    }

    func reset() { sqlite3_reset(statement) }

    func number(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

    /// Valid until the next step.
    func octets(_ column: Int32) -> UnsafeRawBufferPointer {
        // The pointer first, then the count: SQLite's order.
        let base = sqlite3_column_blob(statement, column)
        return UnsafeRawBufferPointer(start: base, count: Int(sqlite3_column_bytes(statement, column)))
    }
}

/// Reads one column row by row without loading whole values.
final class ValueReader {
    private let connection: Connection
    private let table: String
    private let column: String
    private var value: OpaquePointer?

    init(_ connection: Connection, table: String, column: String) {
        self.connection = connection
        self.table = table
        self.column = column
    }

    deinit { sqlite3_blob_close(value) }

    /// The first octets of the value of a row, all where there is no limit.
    func octets(of row: Int64, limit: Int?) throws(SQLiteFault) -> [UInt8] {
        if limit == 0 { return [] }
        let code =
            value == nil
            ? sqlite3_blob_open(connection.handle, "main", table, column, row, 0, &value)
            : sqlite3_blob_reopen(value, row)
        guard code == SQLITE_OK else { throw connection.fault }
        let count = min(Int(sqlite3_blob_bytes(value)), limit ?? .max)
        var readCode = SQLITE_OK
        let octets = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            guard count > 0 else { return }
            readCode = sqlite3_blob_read(value, buffer.baseAddress, Int32(count), 0)
            filled = readCode == SQLITE_OK ? count : 0
        }
        guard readCode == SQLITE_OK else { throw connection.fault }
        return octets
    }
}

/// Reads contents of messages, wherever they stand.
struct ContentReader {
    private let bodies: BodyFile
    private let values: ValueReader

    init(_ connection: Connection, _ bodies: BodyFile) {
        self.bodies = bodies
        values = ValueReader(connection, table: "messages", column: "content")
    }

    /// - Parameter offset: in the file of contents; 0 where the content stands in the table, as in a file of version 1.
    func octets(of position: Int64, at offset: Int64, size: Int, limit: Int?) throws(SQLiteFault) -> [UInt8] {
        guard offset > 0 else { return try values.octets(of: position, limit: limit) }
        return try bodies.octets(BodyPlace(offset: offset, size: size), position: position, limit: limit)
    }
}
