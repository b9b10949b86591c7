// The grammar of date-time (RFC 5322 §3.3) with its obsolete forms (§4.3), which are told from the right ones; then
// what the date means: whether it can be, and how many seconds it is since 1970.

struct DateTime {
    /// How it was written.
    enum Form { case right, obsolete }

    private(set) var form = Form.right
    private(set) var weekday: Int?
    private(set) var day = 0
    /// 1 to 12.
    private(set) var month = 0
    private(set) var year = 0
    private(set) var hour = 0
    private(set) var minute = 0
    private(set) var second = 0
    /// Minutes east of UTC.
    private(set) var zone_min = 0
    private var zoneMinutes = 0

    /// nil where the octets are no date at all.
    init?(_ octets: MessageOctets, _ range: Range<Int>) {
        var reader = DateReader(octets: octets, index: range.lowerBound, end: range.upperBound)
        guard read(&reader) else { return nil }
        reader.skipTail()
        guard reader.index == reader.end else { return nil }
        if reader.sawObsolete { form = .obsolete }
    }

    private mutating func read(_ reader: inout DateReader) -> Bool {
        reader.skip()
        if let name = reader.name(), !name.isEmpty {
            guard let place = Self.weekdays.firstIndex(of: name) else { return false }
            weekday = place
            reader.skip()
            guard reader.takes(UInt8(ascii: ",")) else { return false }
            reader.skip()
        }
        guard let day = reader.number(1...2), reader.needsSpace(), let name = reader.name(),
            let month = Self.months.firstIndex(of: name), reader.needsSpace(), let year = readYear(&reader),
            reader.needsSpace(), let hour = reader.number(2...2), reader.takesColon(), let minute = reader.number(2...2)
        else { return false }
        (self.day, self.month, self.year, self.hour, self.minute) = (day, month + 1, year, hour, minute)
        if reader.takesColon() {
            guard let second = reader.number(2...2) else { return false }
            self.second = second
        }
        guard reader.needsSpace() else { return false }
        return readZone(&reader)
    }

    /// RFC 5322 §4.3: two and three digits.
    private mutating func readYear(_ reader: inout DateReader) -> Int? {
        let start = reader.index
        guard let year = reader.number(2...9) else { return nil }
        switch reader.index - start {
        case 2:
            form = .obsolete
            return year < 50 ? 2000 + year : 1900 + year
        case 3:
            form = .obsolete
            return 1900 + year
        default: return year
        }
    }

    private mutating func readZone(_ reader: inout DateReader) -> Bool {
        let isEast = reader.takes(UInt8(ascii: "+"))
        if isEast || reader.takes(UInt8(ascii: "-")) {
            guard let zone = reader.number(4...4) else { return false }
            zoneMinutes = zone % 100
            zone_min = (zone / 100 * 60 + zoneMinutes) * (isEast ? 1 : -1)
            return true
        }
        guard let name = reader.name(limit: 3), !name.isEmpty else { return false }
        form = .obsolete
        // RFC 5322 §4.3: the letters of the military zones are to be read as -0000.
        if name.utf8.count == 1 { return name != "j" }
        guard let zone = Self.zones.first(where: { $0.0 == name }) else { return false }
        zone_min = zone.1 * 60
        return true
    }

    private static let weekdays = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let zones = [
        ("ut", 0), ("gmt", 0), ("est", -5), ("edt", -4), ("cst", -6), ("cdt", -5), ("mst", -7), ("mdt", -6),
        ("pst", -8), ("pdt", -7),
    ]

    // MARK: Meaning

    /// What makes it a date that cannot be; nil where nothing does (RFC 5322 §3.3).
    var impossibility: String? {
        if year < 1900 { return "the year \(year)" }
        if day < 1 || day > daysInMonth { return "day \(day) of a month with \(daysInMonth) days" }
        if let weekday, weekday != trueWeekday { return "that day is a \(Self.weekdays[trueWeekday].capitalizedASCII)" }
        if hour > 23 { return "hour \(hour)" }
        if minute > 59 { return "minute \(minute)" }
        if second > 60 { return "second \(second)" }
        if zoneMinutes > 59 { return "\(zoneMinutes) minutes in the zone" }
        return nil
    }

    private var daysInMonth: Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// 0 is Sunday; 1970-01-01 was a Thursday.
    private var trueWeekday: Int { (((days + 4) % 7) + 7) % 7 }

    /// Days since 1970-01-01 in the Gregorian calendar, counted in eras of 400 years that begin on 1 March.
    private var days: Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Since 1970-01-01T00:00:00Z.
    var seconds: Int { days * 86_400 + hour * 3600 + minute * 60 + second - zone_min * 60 }
}

extension String {
    fileprivate var capitalizedASCII: String { prefix(1).uppercased() + dropFirst() }
}

private struct DateReader {
    let octets: MessageOctets
    var index: Int
    let end: Int
    /// A comment, or white space, where only the obsolete grammar has some.
    private(set) var sawObsolete = false

    init(octets: MessageOctets, index: Int, end: Int) {
        (self.octets, self.index, self.end) = (octets, index, end)
    }

    /// Over white space; over comments too, which the obsolete grammar has everywhere.
    mutating func skip() {
        while index < end {
            if FieldText.isFoldingSpace(octets[index]) {
                index += 1
            } else if octets[index] == UInt8(ascii: "(") {
                sawObsolete = true
                index = FieldText.behindComments(octets, index, end)
            } else {
                return
            }
        }
    }

    /// White space and comments at the end are right (RFC 5322 §3.3: [CFWS]).
    mutating func skipTail() { index = FieldText.behindComments(octets, index, end) }

    mutating func needsSpace() -> Bool {
        let start = index
        skip()
        return index > start
    }

    mutating func takes(_ octet: UInt8) -> Bool {
        guard index < end, octets[index] == octet else { return false }
        index += 1
        return true
    }

    mutating func takesColon() -> Bool {
        let start = index
        skip()
        guard takes(UInt8(ascii: ":")) else {
            index = start
            return false
        }
        let colon = index - 1
        skip()
        if colon > start || index > colon + 1 { sawObsolete = true }
        return true
    }

    /// Digits, as many as the range says; nil where there are fewer or more.
    mutating func number(_ count: ClosedRange<Int>) -> Int? {
        let start = index
        var sum = 0
        while index < end, FieldText.isDigit(octets[index]), index - start < count.upperBound {
            sum = sum * 10 + Int(octets[index] - 48)
            index += 1
        }
        guard index - start >= count.lowerBound, index == end || !FieldText.isDigit(octets[index]) else { return nil }
        return sum
    }

    /// Letters in small; nil where there are more than a name has. No name is an empty one.
    mutating func name(limit: Int = 3) -> String? {
        let start = index
        while index < end, FieldText.isLetter(octets[index]) {
            index += 1
            if index - start > limit { return nil }
        }
        return FieldText.word(octets, start..<index)
    }
}
