// A dictionary with a limit: when it is full, an entry that was not used of late makes room for a new one, and is
// counted. Which one, the second-chance rule says: a hand goes round, passes over what was used since it came by, and
// takes the first that was not. So a flood of keys that come once does not push out those that come again and again.

struct BoundedTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private struct Entry: Sendable {
        var value: Value
        /// In `places`.
        let place: Int
        /// Since the hand came by.
        var isUsed = false
    }

    private let limit: Int
    private var entries: [Key: Entry] = [:]
    /// What the hand goes round; nil where a key was removed.
    private var places: [Key?] = []
    private var free: [Int] = []
    private var hand = 0
    private(set) var dropped = 0

    /// - Parameter limit: at least 1.
    init(limit: Int) { self.limit = max(1, limit) }

    var count: Int { entries.count }
    var keys: [Key] { Array(entries.keys) }

    subscript(key: Key) -> Value? { entries[key]?.value }

    /// Changes the value of a key, which begins as `initial`.
    @discardableResult
    mutating func update<Result>(
        _ key: Key, initial: @autoclosure () -> Value, _ change: (inout Value) -> Result
    ) -> Result {
        if let index = entries.index(forKey: key) {
            entries.values[index].isUsed = true
            return change(&entries.values[index].value)
        }
        var entry = Entry(value: initial(), place: makePlace(for: key))
        let result = change(&entry.value)
        entries[key] = entry
        return result
    }

    /// Forgets a key; it is not counted.
    mutating func remove(_ key: Key) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        places[entry.place] = nil
        free.append(entry.place)
    }

    private mutating func makePlace(for key: Key) -> Int {
        if let place = free.popLast() {
            places[place] = key
            return place
        }
        guard places.count == limit else {
            places.append(key)
            return places.count - 1
        }
        // Every place is taken here. After one round nothing is used any more, so this ends.
        while let other = places[hand], let index = entries.index(forKey: other), entries.values[index].isUsed {
            entries.values[index].isUsed = false
            hand = (hand + 1) % limit
        }
        let place = hand
        hand = (hand + 1) % limit
        if let other = places[place] {
            entries[other] = nil
            dropped += 1
        }
        places[place] = key
        return place
    }
}
