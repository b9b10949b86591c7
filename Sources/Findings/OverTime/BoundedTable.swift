// A dictionary that never grows beyond its limit: what came first makes room, and is counted.

struct BoundedTable<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    let limit: Int
    private var entries: [Key: Value] = [:]
    /// The keys in the order in which they came; full, it is a ring.
    private var order: [Key] = []
    private var next = 0
    private(set) var dropped = 0

    init(limit: Int) { self.limit = limit }

    /// In the order in which the keys came.
    var all: [(key: Key, value: Value)] {
        (order[next...] + order[..<next]).compactMap { key in entries[key].map { (key, $0) } }
    }
    var count: Int { entries.count }
    subscript(_ key: Key) -> Value? { entries[key] }

    /// Changes the entry, which is made where there is none.
    mutating func update(_ key: Key, _ new: @autoclosure () -> Value, _ change: (inout Value) -> Void) {
        if entries[key] == nil { makeRoom(for: key) }
        change(&entries[key, default: new()])
    }

    private mutating func makeRoom(for key: Key) {
        guard order.count == limit else {
            order.append(key)
            return
        }
        entries[order[next]] = nil
        dropped += 1
        order[next] = key
        next = (next + 1) % limit
    }
}

/// The newest of what was added.
struct BoundedRing<Element: Sendable>: Sendable {
    let limit: Int
    private(set) var elements: [Element] = []
    private var next = 0
    private(set) var dropped = 0

    init(limit: Int) { self.limit = limit }

    mutating func append(_ element: Element) {
        guard elements.count == limit else {
            elements.append(element)
            return
        }
        elements[next] = element
        next = (next + 1) % limit
        dropped += 1
    }
}
