// A bounded sequence: the newest stay, the oldest go, by number and by octets.

import DequeModule

struct Ring<Element> {
    private var elements = Deque<Element>()
    private(set) var octets = 0
    private(set) var everCount = 0
    private(set) var droppedCount = 0

    let countLimit: Int
    let octetLimit: Int
    let size: @Sendable (Element) -> Int

    /// - Parameter size: octets of an element; the same at every call.
    init(countLimit: Int, octetLimit: Int, size: @escaping @Sendable (Element) -> Int) {
        self.countLimit = countLimit
        self.octetLimit = octetLimit
        self.size = size
    }

    var count: Int { elements.count }

    /// Puts an element at the end. The newest always stays, even when it is larger than the limit.
    ///
    /// - Returns: what had to go, so that the caller can free it where nobody waits.
    mutating func append(_ element: Element) -> [Element] {
        everCount += 1
        octets += size(element)
        elements.append(element)
        var dropped: [Element] = []
        while elements.count > 1, elements.count > countLimit || octets > octetLimit {
            let oldest = elements.removeFirst()
            octets -= size(oldest)
            droppedCount += 1
            dropped.append(oldest)
        }
        return dropped
    }

    mutating func countWithoutKeeping() { everCount += 1 }

    /// Oldest first.
    var all: Deque<Element> { elements }

    /// Removes by choice, wherever it stands; this is not counted as dropped.
    mutating func remove(where isWanted: (Element) -> Bool) -> [Element] {
        var removed: [Element] = []
        elements.removeAll { element in
            guard isWanted(element) else { return false }
            octets -= size(element)
            removed.append(element)
            return true
        }
        return removed
    }

    /// Drops from the old end for as long as the condition holds.
    mutating func dropOldest(while isOld: (Element) -> Bool) -> [Element] {
        var dropped: [Element] = []
        while let oldest = elements.first, isOld(oldest) {
            elements.removeFirst()
            octets -= size(oldest)
            droppedCount += 1
            dropped.append(oldest)
        }
        return dropped
    }
}
