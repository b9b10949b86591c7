// The deadlines of a loop: a binary heap of (when, whose). Entries are never moved or removed when a deadline
// changes: the owner keeps the wanted time itself, and an entry that comes up too early is pushed again then.
// So setting a five-minute time-out anew at each command costs a store to memory.

struct DeadlineHeap {
    struct Entry {
        var at: UInt64
        var cookie: UInt64
    }

    private(set) var entries = ContiguousArray<Entry>()

    /// When the nearest entry is due, in nanoseconds; `UInt64.max` when there is none.
    var nearest: UInt64 { entries.isEmpty ? .max : entries[0].at }

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            if entries[parent].at <= entry.at { break }
            entries[child] = entries[parent]
            child = parent
        }
        entries[child] = entry
    }

    /// Takes the nearest entry if it is due at `now`.
    mutating func popDue(_ now: UInt64) -> Entry? {
        guard let top = entries.first, top.at <= now, let last = entries.popLast() else { return nil }
        if !entries.isEmpty { sink(last, from: 0) }
        return top
    }

    /// Throws away entries that nobody needs any more.
    mutating func keep(where isNeeded: (Entry) -> Bool) {
        entries.removeAll { !isNeeded($0) }
        var parent = entries.count / 2
        while parent > 0 {
            parent -= 1
            sink(entries[parent], from: parent)
        }
    }

    private mutating func sink(_ entry: Entry, from start: Int) {
        var parent = start
        let count = entries.count
        while true {
            var child = 2 * parent + 1
            if child >= count { break }
            if child + 1 < count, entries[child + 1].at < entries[child].at { child += 1 }
            if entry.at <= entries[child].at { break }
            entries[parent] = entries[child]
            parent = child
        }
        entries[parent] = entry
    }
}
