// Dates of searches: `2026-11-23`, `2026-11-23T10:00:00+01:00`, seconds or milliseconds since 1970. Without an offset
// they are UTC: this sink has no time zones, and says so where a client names one.

import Faults
import Journal
import SMTP

extension Mailpit {
    enum Moment {
        /// Milliseconds since 1970.
        ///
        /// - Parameter timeZone: the name that the client gave; only UTC is known.
        /// - Throws: a complaint that names the word.
        static func milliseconds(_ text: String, _ word: String, _ timeZone: String?) throws -> Int64 {
            guard let (local, offset) = read(text) else {
                throw refusal(
                    "\(word): is a date, as 2026-11-23, 2026-11-23T10:00:00Z or 2026-11-23T10:00:00+01:00, "
                        + "not \"\(text.shown)\""
                )
            }
            if let offset { return local - Int64(offset) * 1000 }
            if let timeZone, !isUTC(timeZone) {
                throw refusal(
                    "\(word): the time zone \"\(timeZone.shown)\" is not known here; give the date with its offset, "
                        + "as 2026-11-23T10:00:00+01:00"
                )
            }
            return local
        }

        private static func isUTC(_ name: String) -> Bool {
            ["", "utc", "gmt", "z", "local", "etc/utc", "etc/gmt", "zulu", "universal", "etc/uct"].contains(
                name.asciiLowercased)
        }

        /// As Go writes a time of whole milliseconds: no zeros at the end of the fraction.
        static func text(_ wall_us: Int64) -> String {
            var text = Timestamp(wall_us: wall_us / 1000 * 1000).rfc3339.dropLast()
            while text.last == "0" { text = text.dropLast() }
            if text.last == "." { text = text.dropLast() }
            return text + "Z"
        }

        /// Milliseconds as if it were UTC, and the offset in seconds where there is one.
        private static func read(_ text: String) -> (Int64, Int?)? {
            var rest = Substring(text.trimmed)
            if rest.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int64(rest) {
                switch rest.utf8.count {
                case 10: return (number * 1000, 0)
                case 13: return (number, 0)
                default: return nil
                }
            }
            guard let year = number(&rest, 4), separator(&rest, "-/") != nil, let month = number(&rest, 2),
                separator(&rest, "-/") != nil, let day = number(&rest, 2), (1...12).contains(month), year >= 1970,
                (1...daysOf(month, year)).contains(day)
            else { return nil }
            let days = days(year, month, day)
            guard !rest.isEmpty else { return (days * 86_400_000, nil) }
            guard separator(&rest, "Tt ") != nil, let hour = number(&rest, 2), separator(&rest, ":") != nil,
                let minute = number(&rest, 2), hour < 24, minute < 60
            else { return nil }
            var milliseconds = days * 86_400_000 + Int64(hour * 3600 + minute * 60) * 1000
            if separator(&rest, ":") != nil {
                guard let second = number(&rest, 2), second <= 60 else { return nil }
                milliseconds += Int64(second) * 1000
                if separator(&rest, ".,") != nil {
                    let digits = rest.prefix { $0.isASCII && $0.isNumber }
                    guard !digits.isEmpty, let fraction = Int64((digits + "00").prefix(3)) else { return nil }
                    milliseconds += fraction
                    rest = rest.dropFirst(digits.count)
                }
            }
            if rest.isEmpty { return (milliseconds, nil) }
            guard let offset = offset(&rest), rest.isEmpty else { return nil }
            return (milliseconds, offset)
        }

        private static func offset(_ rest: inout Substring) -> Int? {
            // A plus of an address that nobody escaped has become a space.
            if separator(&rest, "Zz") != nil { return 0 }
            guard let sign = separator(&rest, "+- "), let hour = number(&rest, 2) else { return nil }
            _ = separator(&rest, ":")
            let minute = rest.isEmpty ? 0 : number(&rest, 2)
            guard let minute, hour <= 14, minute < 60 else { return nil }
            return (hour * 3600 + minute * 60) * (sign == "-" ? -1 : 1)
        }

        private static func number(_ rest: inout Substring, _ digits: Int) -> Int? {
            let text = rest.prefix(digits)
            guard text.utf8.count == digits, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
            rest = rest.dropFirst(digits)
            return Int(text)
        }

        private static func separator(_ rest: inout Substring, _ any: String) -> Character? {
            guard let first = rest.first, any.contains(first) else { return nil }
            rest = rest.dropFirst()
            return first
        }

        private static func daysOf(_ month: Int, _ year: Int) -> Int {
            if month == 2 { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28 }
            return [4, 6, 9, 11].contains(month) ? 30 : 31
        }

        /// Since 1970-01-01: the year begins in March here, so that the leap day is its last.
        private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int64 {
            let shifted = month <= 2 ? year - 1 : year
            let era = shifted / 400
            let yearOfEra = shifted - era * 400
            let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
            let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
            return Int64(era * 146_097 + dayOfEra - 719_468)
        }
    }
}
