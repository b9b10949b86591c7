// The receiver of a BDAT chunk: counts octets, looks at none of them (RFC 3030 §2). A chunk that was refused is read
// all the same, and thrown away before the answer, so that its octets are never taken for commands.

struct ChunkReceiver: Sendable, Hashable {
    /// What becomes of the octets, and what is answered behind the last of them.
    enum Fate: Sendable, Hashable {
        /// Part of the message.
        case content
        /// Thrown away, then answered.
        case refused(StandardReply)
        /// Thrown away; a ruling at the phase `body` has answered already.
        case answered
    }

    var remaining: Int
    let isLast: Bool
    var fate: Fate
    /// The octet in front of the input was given to the content already, but not reported as consumed: a checkpoint
    /// fell on the last octet of the chunk, and the caller must have a reason to call again.
    var owesOctet = false
}

/// The argument of BDAT (RFC 3030 §2): chunk-size [ SP "LAST" ].
struct ChunkSize {
    /// nil when it is not a number.
    let octets: Int?
    let isLast: Bool
    /// Something else stands behind the size.
    let isMalformed: Bool

    init(_ argument: UnsafeRawBufferPointer) {
        let digits = argument.prefix { $0 != .space }
        octets = UnsafeRawBufferPointer(rebasing: digits).number
        var rest = digits.endIndex
        while rest < argument.count, argument[rest] == .space { rest += 1 }
        let marker = argument.slice(rest, argument.count)
        isLast = marker.equals("last")
        isMalformed = octets == nil || !marker.isEmpty && !isLast
    }
}
