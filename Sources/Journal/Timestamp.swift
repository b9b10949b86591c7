// A moment of the day as text, without Foundation.

import SMTP

/// Microseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Sendable, Hashable {
    package let wall_us: Int64

    package init(wall_us: Int64) { self.wall_us = wall_us }

    /// `2026-11-23T23:20:07.123456Z` (RFC 3339 §5.6).
    package var rfc3339: String {
        let (seconds, micros) = wall_us.quotientAndRemainder(dividingBy: 1_000_000)
        let date = CivilDate(seconds: seconds)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let fraction = String(String(1_000_000 + micros).dropFirst())
        return "\(date.year)-\(two(date.month))-\(two(date.day))T"
            + "\(two(date.hour)):\(two(date.minute)):\(two(date.second)).\(fraction)Z"
    }
}
