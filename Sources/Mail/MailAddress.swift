// One mailbox of an address field and the date of a message, as plain values. Reading them is `MIMEWords`' business.

package struct MailAddress: Sendable, Hashable {
    /// The display name, decoded; empty when there is none.
    package var name: String
    /// `local@domain` as written; empty when the field holds no more than a name.
    package var address: String

    package init(name: String, address: String) {
        self.name = name
        self.address = address
    }
}

/// A point in time and the offset from UTC in which it was written (RFC 5322 §3.3).
package struct MailDate: Sendable, Hashable {
    package var secondsSince1970: Int
    package var offsetSeconds: Int

    package init(secondsSince1970: Int, offsetSeconds: Int) {
        self.secondsSince1970 = secondsSince1970
        self.offsetSeconds = offsetSeconds
    }

    /// `2024-02-29T23:59:58+01:00`, with `Z` for UTC (RFC 3339 §5.6).
    package var rfc3339: String {
        let local = secondsSince1970 + offsetSeconds
        let day = local.flooredQuotient(by: 86_400)
        let second = local - day * 86_400
        let (year, month, monthDay) = MailDate.civil(day)
        let date = "\(pad(year, 4))-\(pad(month, 2))-\(pad(monthDay, 2))"
        let time = "\(pad(second / 3_600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2))"
        guard offsetSeconds != 0 else { return "\(date)T\(time)Z" }
        let minutes = abs(offsetSeconds) / 60
        return "\(date)T\(time)\(offsetSeconds < 0 ? "-" : "+")\(pad(minutes / 60, 2)):\(pad(minutes % 60, 2))"
    }

    /// Year, month and day of a count of days since 1970-01-01 in the Gregorian calendar. The year begins in March, so
    /// that the day that comes and goes is the last one.
    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = shifted.flooredQuotient(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }
}

private func pad(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

extension Int {
    fileprivate func flooredQuotient(by divisor: Int) -> Int {
        self >= 0 ? self / divisor : -((divisor - 1 - self) / divisor)
    }
}
