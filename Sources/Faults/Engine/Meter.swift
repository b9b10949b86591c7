// What an allowance has counted for one key: amounts with their times, as far as the window reaches. Exact for a
// thousand uses in a window; beyond that neighbours are joined, so that a key never costs more than some kilobytes.

struct Meter: Sendable {
    /// Entries that are kept apart.
    static let mostEntries = 1024
    /// Beyond that, uses within this part of the window are one entry.
    private static let slices: UInt64 = 256

    private struct Entry: Sendable {
        let at_ns: UInt64
        var amount: UInt64
    }

    private var entries: [Entry] = []
    /// Entries before this one are over.
    private var first = 0
    private(set) var sum: UInt64 = 0

    /// Forgets what is out of the window.
    ///
    /// - Parameter window_ns: nil keeps all, as one sum.
    mutating func advance(to now_ns: UInt64, window_ns: UInt64?) {
        guard let window_ns else { return }
        while first < entries.count, now_ns >= entries[first].at_ns, now_ns - entries[first].at_ns >= window_ns {
            sum -= entries[first].amount
            first += 1
        }
        if first > entries.count / 2 {
            entries.removeFirst(first)
            first = 0
        }
    }

    mutating func add(_ amount: UInt64, at now_ns: UInt64, window_ns: UInt64?) {
        sum &+= amount
        guard let window_ns else { return }
        if entries.count - first >= Self.mostEntries, let last = entries.last,
            now_ns < last.at_ns || now_ns - last.at_ns < window_ns / Self.slices
        {
            entries[entries.count - 1].amount &+= amount
        } else {
            entries.append(Entry(at_ns: now_ns, amount: amount))
        }
    }

    /// Takes the last addition back.
    mutating func takeBack(_ amount: UInt64) {
        sum -= min(sum, amount)
        guard let last = entries.indices.last else { return }
        entries[last].amount -= min(entries[last].amount, amount)
        if entries[last].amount == 0 { entries.removeLast() }
    }
}
