// The positions that a query may mean, newest first. Behind the index every position is one; in it, each group of
// facets and the texts are an ordered stream of positions, and what stands in all of them is found by leaping: the one
// that lags tells the others how far to go. So a facet that only one session has costs one step, however many there
// are.

import GRDBSQLite

struct Candidates {
    /// Everything that is not in the index yet.
    private let scan: PreparedStatement
    private let seek: PreparedStatement
    private let groups: [[Int64]]
    private var texts: TextStream?
    /// Positions at most this one alone; goes down.
    private var atMost: Int64
    /// Positions above this one alone.
    private let after: Int64
    private let indexed: Int64
    private let isNarrow: Bool
    private var isScanning = true

    /// - Parameter indexed: the index knows everything up to this position.
    init(
        _ connection: Connection, _ shelf: Shelf, _ query: StoreQuery, before: Int64, indexed: Int64
    ) throws(SQLiteFault) {
        scan = try connection.prepare(
            "SELECT position FROM \(shelf.table) WHERE position < ? AND position > ? ORDER BY position DESC")
        seek = try connection.prepare(
            """
            SELECT position FROM \(shelf.facetTable) WHERE facet = ? AND position <= ? ORDER BY position DESC LIMIT 1
            """)
        groups = query.facets.map { $0.map { Int64(bitPattern: $0) } }
        let question = shelf == .messages ? SearchText.question(query.containing) : nil
        isNarrow = !groups.isEmpty || question != nil
        after = query.after ?? Int64.min
        self.indexed = indexed
        atMost = min(before == .min ? before : before - 1, indexed)
        scan.bind(1, before)
        scan.bind(2, isNarrow ? max(after, indexed) : after)
        if let question { texts = try TextStream(connection, question, atMost: atMost, after: after) }
    }

    /// Whether the last one stood in the index: its facets fit.
    private(set) var isFromIndex = false

    mutating func next() throws(SQLiteFault) -> Int64? {
        if isScanning {
            if try scan.step() { return scan.number(0) }
            scan.reset()
            isScanning = false
            isFromIndex = true
        }
        guard isNarrow, atMost > after, let position = try leap() else { return nil }
        atMost = position - 1
        return position
    }

    /// The newest position that all streams have.
    private mutating func leap() throws(SQLiteFault) -> Int64? {
        var goal = atMost
        while goal > after {
            let start = goal
            for group in groups {
                guard let position = try newest(of: group, atMost: goal), position > after else { return nil }
                goal = position
            }
            if texts != nil {
                guard let position = try texts?.newest(atMost: goal) else { return nil }
                goal = position
            }
            // All agree when nobody had to go further.
            if goal == start { return goal }
        }
        return nil
    }

    private func newest(of group: [Int64], atMost goal: Int64) throws(SQLiteFault) -> Int64? {
        var newest: Int64?
        for facet in group {
            defer { seek.reset() }
            seek.bind(1, facet)
            seek.bind(2, goal)
            guard try seek.step() else { continue }
            newest = max(newest ?? .min, seek.number(0))
            if newest == goal { return newest }
        }
        return newest
    }
}

/// Messages that may have the texts, newest first: those that the trigram index finds, and those it does not hold.
private struct TextStream {
    private let found: PreparedStatement
    private let others: PreparedStatement
    private var current: Int64?
    private let after: Int64

    init(_ connection: Connection, _ question: String, atMost: Int64, after: Int64) throws(SQLiteFault) {
        self.after = after
        others = try connection.prepare(
            "SELECT position FROM unsearchable WHERE position <= ? AND position > ? ORDER BY position DESC LIMIT 1")
        found = try connection.prepare(
            // The words were made of quoted trigrams, so they can stand in the statement itself.
            """
            SELECT rowid FROM search WHERE search MATCH '\(question.replacing("'", with: "''"))'
            AND rowid <= ? AND rowid > ? ORDER BY rowid DESC
            """)
        found.bind(1, atMost)
        found.bind(2, after)
        current = try found.step() ? found.number(0) : nil
    }

    mutating func newest(atMost goal: Int64) throws(SQLiteFault) -> Int64? {
        while let position = current, position > goal { current = try found.step() ? found.number(0) : nil }
        others.bind(1, goal)
        others.bind(2, after)
        defer { others.reset() }
        guard try others.step() else { return current }
        return max(current ?? .min, others.number(0))
    }
}
