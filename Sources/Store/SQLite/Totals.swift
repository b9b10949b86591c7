// What a store holds, in figures: kept beside the rows in one row of their own and changed with them, so that nobody
// ever has to count.

import GRDBSQLite

/// The two kinds of things that a store holds. Their tables have the columns that retention asks for in common.
enum Shelf {
    case messages, sessions

    /// What stands in the file of contents, of a row; NULL where there is no such thing.
    var bodyColumn: String { self == .messages ? "body" : "NULL" }
    var table: String { self == .messages ? "messages" : "sessions" }
    var facetTable: String { self == .messages ? "message_facets" : "session_facets" }
    var indexedColumn: String { self == .messages ? "message_indexed" : "session_indexed" }
}

/// Of one shelf.
struct ShelfTotals: Hashable {
    var count = 0
    var octets = 0
    /// The last position that was given.
    var last: Int64 = 0
    /// Everything up to this position is in the index.
    var indexed: Int64 = 0
    /// How many things the index has that are no longer there.
    var gone = 0

    mutating func remove(_ position: Int64, size: Int) {
        count -= 1
        octets -= size
        if position <= indexed { gone += 1 }
    }
}

struct Totals: Hashable {
    var messages = ShelfTotals()
    var sessions = ShelfTotals()
    /// Messages that are marked as read.
    var readCount = 0
    /// The greatest number of a session, of its own or in the id of a message.
    var sessionNumber: Int64 = 0
    /// Where the next content goes in the file of contents.
    var bodyEnd: Int64 = 0

    subscript(shelf: Shelf) -> ShelfTotals {
        get { shelf == .messages ? messages : sessions }
        set { if shelf == .messages { messages = newValue } else { sessions = newValue } }
    }

    static let update = """
        UPDATE state SET session_number = ?, messages_read = ?, body_end = ?,
            messages = ?, message_octets = ?, message_last = ?, message_indexed = ?, message_gone = ?,
            sessions = ?, session_octets = ?, session_last = ?, session_indexed = ?, session_gone = ?
        """

    func bind(to statement: PreparedStatement) {
        statement.bind(1, sessionNumber)
        statement.bind(2, readCount)
        statement.bind(3, bodyEnd)
        for (offset, shelf) in [(Int32(4), messages), (9, sessions)] {
            statement.bind(offset, shelf.count)
            statement.bind(offset + 1, shelf.octets)
            statement.bind(offset + 2, shelf.last)
            statement.bind(offset + 3, shelf.indexed)
            statement.bind(offset + 4, shelf.gone)
        }
    }

    static func read(_ connection: Connection) throws(SQLiteFault) -> Totals {
        let statement = try connection.prepare(
            """
            SELECT session_number, messages_read, body_end,
                messages, message_octets, message_last, message_indexed, message_gone,
                sessions, session_octets, session_last, session_indexed, session_gone FROM state
            """)
        guard try statement.step() else { throw SQLiteFault(code: SQLITE_CORRUPT, words: "the totals are missing") }
        var totals = Totals()
        totals.sessionNumber = statement.number(0)
        totals.readCount = Int(statement.number(1))
        totals.bodyEnd = statement.number(2)
        totals.messages = shelf(statement, 3)
        totals.sessions = shelf(statement, 8)
        return totals
    }

    private static func shelf(_ statement: PreparedStatement, _ column: Int32) -> ShelfTotals {
        ShelfTotals(
            count: Int(statement.number(column)), octets: Int(statement.number(column + 1)),
            last: statement.number(column + 2), indexed: statement.number(column + 3),
            gone: Int(statement.number(column + 4)))
    }
}

/// The numbers in the id of a message, s12.3, that it is looked up by. Another kind of id has session 0 and a hash: who
/// looks up compares the id as well.
struct MessageKey: Hashable {
    var session: Int64 = 0
    var number: Int64 = 0

    init(_ id: String) {
        let octets = id.utf8
        if octets.first == UInt8(ascii: "s"), let dot = octets.firstIndex(of: UInt8(ascii: ".")),
            let session = Self.number(octets[octets.index(after: octets.startIndex)..<dot]),
            let number = Self.number(octets[octets.index(after: dot)...])
        {
            (self.session, self.number) = (session, number)
        } else {
            var hash: UInt64 = 0xcbf2_9ce4_8422_2325
            for octet in octets { hash = (hash ^ UInt64(octet)) &* 0x0000_0100_0000_01b3 }
            number = Int64(bitPattern: hash)
        }
    }

    private static func number(_ digits: Substring.UTF8View) -> Int64? {
        guard !digits.isEmpty, digits.count <= 18 else { return nil }
        var number: Int64 = 0
        for digit in digits {
            guard (48...57).contains(digit) else { return nil }
            number = number * 10 + Int64(digit - 48)
        }
        return number
    }
}
