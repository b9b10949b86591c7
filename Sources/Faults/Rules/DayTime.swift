// A stretch of the day on the sink's clock: `22:00..06:00`. UTC, so that a rule means the same on every machine.

/// From one time of day to another, the end not included; over midnight when it ends before it begins.
package struct DayTime: Sendable, Hashable, CustomStringConvertible {
    /// Minutes since midnight.
    package let from_min: Int
    package let until_min: Int

    private static let minutesPerDay = 1440

    /// Parses `22:00..06:00`.
    static func parse(_ text: String) -> Result<DayTime, RuleText> {
        let trimmed = text.trimmed
        guard let dots = trimmed.firstRange(of: ".."), let from = minutes(trimmed[..<dots.lowerBound]),
            let until = minutes(trimmed[dots.upperBound...])
        else { return .failure("\"\(text.shown)\" is no time of day; write from..until in UTC, as 22:00..06:00") }
        guard from != until else {
            return .failure("\"\(text.shown)\" ends where it begins; leave time out for always")
        }
        return .success(DayTime(from_min: from, until_min: until))
    }

    /// `24:00` is the end of the day.
    private static func minutes(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy { (48...57).contains($0) } }),
            let hour = Int(parts[0]), let minute = Int(parts[1]), minute < 60, hour * 60 + minute <= minutesPerDay
        else { return nil }
        return hour * 60 + minute
    }

    /// - Parameter second: of the day, in UTC.
    func holds(_ second: Int) -> Bool {
        let minute = second / 60
        return from_min < until_min
            ? (from_min..<until_min).contains(minute) : minute >= from_min || minute < until_min
    }

    package var description: String { "\(Self.text(from_min))..\(Self.text(until_min))" }

    private static func text(_ minutes: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minutes / 60)):\(two(minutes % 60))"
    }
}
