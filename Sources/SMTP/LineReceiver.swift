// The receiver of command lines and AUTH lines: finds the CRLF that ends a line. A bare LF or CR never does
// (RFC 5321 §2.3.8). The octets stay with the caller until the line is whole.

struct LineReceiver: Sendable, Hashable {
    enum Result: Sendable, Hashable {
        case incomplete
        /// A line of so many octets, its CRLF among them.
        case line(Int)
        /// Longer than the limit, with its end in sight or not.
        case tooLong
    }

    /// No CRLF ends within so many octets of the line.
    private(set) var searched = 0

    /// - Parameters:
    ///   - input: the line from its first octet on.
    ///   - limit: of the line with its CRLF, in octets.
    mutating func receive(_ input: UnsafeRawBufferPointer, limit: Int) -> Result {
        let end = min(input.count, limit)
        while let lf = input.position(of: .lf, from: searched, before: end) {
            searched = lf + 1
            if lf > 0, input[lf - 1] == .cr {
                searched = 0
                return .line(lf + 1)
            }
        }
        searched = end
        return end == limit ? .tooLong : .incomplete
    }
}
