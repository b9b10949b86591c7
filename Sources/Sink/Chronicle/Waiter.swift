// Somebody who waits for entries, from asking to being answered; and the ring in which entries are remembered.

import DequeModule
import EventLoop
import Synchronization

/// Answered once: by enough entries, by its deadline, by a cancelled task.
final class Waiter: Sendable {
    private struct State {
        var news: Chronicle.News
        var continuation: CheckedContinuation<Void, Never>?
        var isOver = false
        var isRefused = false
    }

    let deadline: Instant
    private let count: Int
    private let matches: @Sendable (Entry) -> Bool
    private let state: Mutex<State>

    init(after number: UInt64, count: Int, deadline: Instant, matches: @escaping @Sendable (Entry) -> Bool) {
        self.count = count
        self.deadline = deadline
        self.matches = matches
        state = Mutex(State(news: Chronicle.News(lookedThrough: number)))
    }

    /// - Parameter entries: those that follow what it has seen so far.
    /// - Returns: whether the last one that it waits for was among them.
    func take(_ entries: [Entry]) -> Bool {
        guard let last = entries.last?.number else { return false }
        let matching = entries.filter(matches)
        return state.withLock { state in
            if state.news.entries.isEmpty {
                state.news.lookedThrough = matching.first.map { $0.number - 1 } ?? last
            }
            state.news.entries += matching.prefix(count - state.news.entries.count)
            return state.news.entries.count >= count
        }
    }

    /// So many entries are gone that nobody looked at.
    func miss(_ count: UInt64) {
        guard count > 0 else { return }
        state.withLock { state in
            state.news.missed += count
            if state.news.entries.isEmpty { state.news.lookedThrough += count }
        }
    }

    /// - Returns: false when it is over already.
    func begin(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
        state.withLock { state in
            guard !state.isOver else { return false }
            state.continuation = continuation
            return true
        }
    }

    func refuse() { state.withLock { $0.isRefused = true } }

    func finish() {
        let continuation = state.withLock { state in
            state.isOver = true
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume()
    }

    func result() throws(TooManyWaiters) -> Chronicle.News {
        let (news, isRefused) = state.withLock { ($0.news, $0.isRefused) }
        if isRefused { throw TooManyWaiters() }
        return news
    }
}

/// The last entries, bounded by number and octets, numbered without gaps.
struct EntryRing {
    private var entries = Deque<Entry>()
    private var octets = 0
    private let countLimit: Int
    private let octetLimit: Int
    /// The number of the newest entry; 0 before the first.
    private(set) var last: UInt64 = 0

    init(countLimit: Int, octetLimit: Int) {
        self.countLimit = countLimit
        self.octetLimit = octetLimit
    }

    /// The number of the oldest entry that is here; one behind the last where there is none.
    var first: UInt64 { last + 1 - UInt64(entries.count) }

    /// - Returns: the entry with its number.
    mutating func append(_ entry: Entry, _ dropped: inout [Entry]) -> Entry {
        last += 1
        var entry = entry
        entry.number = last
        octets += entry.octetCount
        entries.append(entry)
        while entries.count > 1, entries.count > countLimit || octets > octetLimit {
            let oldest = entries.removeFirst()
            octets -= oldest.octetCount
            dropped.append(oldest)
        }
        return entry
    }

    /// Those behind a number, the oldest first.
    func after(_ number: UInt64, limit: Int) -> [Entry] {
        let skipped = number + 1 > first ? number + 1 - first : 0
        guard skipped < UInt64(entries.count) else { return [] }
        return Array(entries.dropFirst(Int(skipped)).lazy.filter { !$0.isForgotten }.prefix(limit))
    }

    /// Their places stay, so that numbers have no gaps.
    mutating func forget(where isMeant: (Entry) -> Bool) {
        for index in entries.indices where !entries[index].isForgotten && isMeant(entries[index]) {
            octets -= entries[index].octetCount
            entries[index].forget()
            octets += entries[index].octetCount
        }
    }
}
