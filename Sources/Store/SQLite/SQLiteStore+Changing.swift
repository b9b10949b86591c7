// What readers change: marks, and what is removed. Each change is a transaction of the writer, or several where it is
// long, so that messages that wait to be kept get in between.

import GRDB

extension SQLiteStore {
    /// A transaction removes or marks so many at most.
    private static let changeSlice = 1000

    /// Runs a transaction on the writer's queue.
    func change<Result: Sendable>(
        _ body: @escaping @Sendable (StoreWriter) throws(SQLiteFault) -> Result,
        counting: @escaping @Sendable (Result, inout StoreCounts) -> Void = { _, _ in }
    ) async throws(StoreFailure) -> Result {
        // The writer's connection is gone with the close: it cannot be asked what is wrong.
        guard !isClosed else { throw closedFailure }
        let result: Swift.Result<Result, StoreFailure> = await withCheckedContinuation { continuation in
            pool.asyncWriteWithoutTransaction { _ in
                do {
                    let result = try self.writer.transaction { () throws(SQLiteFault) in try body(self.writer) }
                    self.publish { counting(result, &$0) }
                    continuation.resume(returning: .success(result))
                } catch {
                    continuation.resume(returning: .failure(self.report(error)))
                }
            }
        }
        fillLater()
        giveRoomBack()
        return try result.get()
    }

    package func mark(
        _ positions: [Int64], _ change: @escaping @Sendable (inout Marks) -> Void
    ) async throws(StoreFailure) -> Int {
        await settle()
        var count = 0
        for slice in Set(positions).slices(Self.changeSlice) {
            count += try await self.change { writer throws(SQLiteFault) in
                var count = 0
                for position in slice where try writer.mark(position, change) { count += 1 }
                return count
            }
        }
        return count
    }

    package func removeMessages(_ positions: [Int64]) async throws(StoreFailure) -> [Int64] {
        await settle()
        var removed: [Int64] = []
        for slice in Set(positions).slices(Self.changeSlice) {
            do {
                removed += try await change { writer throws(SQLiteFault) in
                    try writer.remove(.messages, slice)
                } counting: {
                    $1.messagesRemoved += $0.count
                }
            } catch {
                // Who has taken some must hear of them: nobody else ever will.
                if removed.isEmpty { throw error }
                break
            }
        }
        return removed
    }

    package func removeSessions(_ positions: [Int64]) async throws(StoreFailure) -> Int {
        await settle()
        var count = 0
        for slice in Set(positions).slices(Self.changeSlice) {
            count += try await change { writer throws(SQLiteFault) in try writer.remove(.sessions, slice).count }
        }
        return count
    }

    package func removeAllMessages() async throws(StoreFailure) -> Int { try await removeAll(.messages) }

    package func removeAllSessions() async throws(StoreFailure) -> Int { try await removeAll(.sessions) }

    /// Everything that was handed over before the call.
    private func removeAll(_ shelf: Shelf) async throws(StoreFailure) -> Int {
        await settle()
        let last = figures.withLock { $0.totals[shelf].last }
        var count = 0
        while true {
            let removed = try await change { writer throws(SQLiteFault) in
                try writer.dropUpTo(shelf, last, atMost: Self.changeSlice)
            } counting: {
                if shelf == .messages { $1.messagesRemoved += $0 }
            }
            count += removed
            if removed < Self.changeSlice { return count }
        }
    }
}

extension Set<Int64> {
    /// In ascending order.
    fileprivate func slices(_ count: Int) -> [[Int64]] {
        let ordered = sorted()
        return stride(from: 0, to: ordered.count, by: count).map { start in
            Array(ordered[start..<Swift.min(start + count, ordered.count)])
        }
    }
}
