// A dictionary with a limit: when it is full, the entry that came first makes room for a new one, and is counted.

struct BoundedTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let limit: Int
    private var values: [Key: Value] = [:]
    /// The keys in the order in which they came; a ring once it is full.
    private var order: [Key] = []
    private var oldest = 0
    private(set) var dropped = 0

    /// - Parameter limit: at least 1.
    init(limit: Int) { self.limit = max(1, limit) }

    var count: Int { values.count }
    var keys: [Key] { Array(values.keys) }

    subscript(key: Key) -> Value? { values[key] }

    /// Changes the value of a key, which begins as `initial`.
    @discardableResult
    mutating func update<Result>(
        _ key: Key, initial: @autoclosure () -> Value, _ change: (inout Value) -> Result
    ) -> Result {
        if values[key] == nil { admit(key) }
        return change(&values[key, default: initial()])
    }

    private mutating func admit(_ key: Key) {
        guard order.count == limit else { return order.append(key) }
        values[order[oldest]] = nil
        dropped += 1
        order[oldest] = key
        oldest = (oldest + 1) % limit
    }
}
