// The octets of the message that is being received: appended once, in long runs, counted always, stored when asked for
// and only up to the limit (RFC 1870 §6).

struct Content: Sendable {
    /// What is reserved at once when the client announces a size, at most. A promise must not cost much memory.
    static let reserveLimit = 1 << 18

    /// For the messages that begin from now on.
    var keeps: Bool
    private let limit: Int
    private var isStoring = false
    private(set) var octets: [UInt8] = []
    /// Octets of the message so far, stored or not.
    private(set) var count = 0
    /// It comes by BDAT (RFC 3030).
    var isChunked = false
    /// Dots at the start of a line that no client adds (RFC 5321 §4.5.2): how many, and where the first stood.
    private(set) var unstuffedDots = UnstuffedDots()

    /// - Parameter limit: the largest message, in octets.
    init(keeps: Bool, limit: Int) {
        self.keeps = keeps
        self.limit = limit
    }

    var isTooBig: Bool { count > limit }

    /// - Parameter expected: the size that the client announced.
    mutating func begin(expected: Int?) {
        forget()
        unstuffedDots = UnstuffedDots()
        isChunked = false
        isStoring = keeps
        if isStoring, let expected { octets.reserveCapacity(min(expected, Self.reserveLimit)) }
    }

    mutating func append(_ run: UnsafeRawBufferPointer) {
        count += run.count
        guard isStoring else { return }
        if isTooBig { return stopStoring() }
        octets.append(contentsOf: run.assumingMemoryBound(to: UInt8.self))
    }

    mutating func appendCR() {
        count += 1
        guard isStoring else { return }
        if isTooBig { return stopStoring() }
        octets.append(.cr)
    }

    mutating func noteUnstuffedDot() {
        if unstuffedDots.count == 0 { unstuffedDots.first = count }
        unstuffedDots.count += 1
    }

    /// What comes is counted only.
    mutating func stopStoring() {
        isStoring = false
        octets = []
    }

    mutating func forget() {
        count = 0
        stopStoring()
    }

    mutating func take() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &octets)
        return taken
    }
}

/// Dots that were removed although they were not the first of two.
package struct UnstuffedDots: Sendable, Hashable {
    package var count = 0
    /// Octets of content in front of the first.
    package var first = 0
}
