// A moment of the day as text, without Foundation.

/// Microseconds since 1970-01-01T00:00:00Z.
package struct Timestamp: Sendable, Hashable {
    package let wall_us: Int64

    package init(wall_us: Int64) { self.wall_us = wall_us }

    /// `2026-11-23T23:20:07.123456Z` (RFC 3339 §5.6).
    package var rfc3339: String {
        let (seconds, micros) = wall_us.quotientAndRemainder(dividingBy: 1_000_000)
        let date = CivilDate(secondsSince1970: seconds)
        func two(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let fraction = String(String(1_000_000 + micros).dropFirst())
        return "\(date.year)-\(two(date.month))-\(two(date.day))T"
            + "\(two(date.hour)):\(two(date.minute)):\(two(date.second)).\(fraction)Z"
    }
}

/// A day and time of the Gregorian calendar, UTC.
struct CivilDate {
    let year: Int
    let month: Int
    let day: Int
    let hour: Int
    let minute: Int
    let second: Int

    /// Days are counted from 0000-03-01, so that the leap day is the last of its year.
    init(secondsSince1970: Int64) {
        let days = secondsSince1970 / 86400
        let ofDay = Int(secondsSince1970 % 86400)
        let shifted = Int(days) + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        hour = ofDay / 3600
        minute = ofDay % 3600 / 60
        second = ofDay % 60
    }
}
