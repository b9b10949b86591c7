// The receiver of an over-long line: reads on to its CRLF and keeps nothing (RFC 5321 §4.5.3.1.4). So a line of any
// length costs no memory.

struct SwallowReceiver: Sendable, Hashable {
    private var lastWasCR = false

    /// - Returns: how many octets were taken, and whether the line ended with them.
    mutating func receive(_ input: UnsafeRawBufferPointer) -> (consumed: Int, ended: Bool) {
        var searched = 0
        while let lf = input.position(of: .lf, from: searched, before: input.count) {
            if lf > 0 ? input[lf - 1] == .cr : lastWasCR { return (lf + 1, true) }
            searched = lf + 1
        }
        if let last = input.last { lastWasCR = last == .cr }
        return (input.count, false)
    }
}
