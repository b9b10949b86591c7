// Durations, sizes and rates as people write them: `200ms`, `10KB`, `1/s`. The only parser of them in fakemx.
// KB counts 1000 octets, KiB 1024.

/// A length of time.
package struct Span: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let ns: UInt64
    package init(ns: UInt64) { self.ns = ns }

    /// The longest that can be written.
    package static let longest = Span(ns: 366 * 86_400 * 1_000_000_000)

    private static let units: [(name: String, ns: UInt64)] = [
        ("ns", 1), ("us", 1_000), ("ms", 1_000_000), ("s", 1_000_000_000), ("m", 60_000_000_000),
        ("h", 3_600_000_000_000), ("d", 86_400_000_000_000),
    ]

    /// Parses `200ms`, `2s`, `1.5s`, `5m`, `1h`, `1h30m`.
    package static func parse(_ text: String) -> Result<Span, RuleText> {
        let trimmed = text.trimmed
        var rest = Substring(trimmed.asciiLowercased.replacing("µ", with: "u"))
        var total: UInt64 = 0
        var smallest = UInt64.max
        repeat {
            guard let (number, after) = Decimal.read(rest) else { return .failure(notASpan(text)) }
            let letters = after.prefix { $0.isLetter }
            guard let unit = units.first(where: { $0.name == letters }) else {
                if letters.isEmpty, after.isEmpty, !number.digits.isEmpty {
                    return .failure("\"\(text.shown)\" has no unit; did you mean \"\(trimmed)s\" or \"\(trimmed)ms\"?")
                }
                return .failure(notASpan(text))
            }
            guard unit.ns < smallest, let ns = number.times(unit.ns), ns <= longest.ns, total + ns <= longest.ns else {
                return .failure(unit.ns < smallest ? "\"\(text.shown)\" is longer than 366 days" : notASpan(text))
            }
            smallest = unit.ns
            total += ns
            rest = after.dropFirst(letters.count)
        } while !rest.isEmpty
        return .success(Span(ns: total))
    }

    private static func notASpan(_ text: String) -> RuleText {
        "\"\(text.shown)\" is not a duration; write a number with ms, s, m or h, as 200ms or 5m"
    }

    /// The shortest exact form with one unit.
    package var description: String {
        guard ns > 0 else { return "0s" }
        let unit = Self.units.last { ns.isMultiple(of: $0.ns) } ?? Self.units[0]
        return "\(ns / unit.ns)\(unit.name)"
    }

    package static func < (a: Self, b: Self) -> Bool { a.ns < b.ns }
}

/// A number of octets.
package struct ByteSize: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let octets: UInt64
    package init(octets: UInt64) { self.octets = octets }

    /// The largest that can be written: 1 EB.
    package static let largest = ByteSize(octets: 1_000_000_000_000_000_000)

    private static let units: [(name: String, octets: UInt64)] = [
        ("B", 1), ("KB", 1000), ("KiB", 1 << 10), ("MB", 1_000_000), ("MiB", 1 << 20), ("GB", 1_000_000_000),
        ("GiB", 1 << 30), ("TB", 1_000_000_000_000), ("TiB", 1 << 40),
    ]

    /// Parses `1000`, `10KB`, `1 MiB`, `1.5MB`.
    package static func parse(_ text: String) -> Result<ByteSize, RuleText> {
        guard let (number, after) = Decimal.read(Substring(text.trimmed)) else { return .failure(notASize(text)) }
        let word = String(after).trimmed.asciiLowercased
        let name = word.isEmpty ? "b" : word
        guard let unit = units.first(where: { $0.name.asciiLowercased == name }) else {
            if let near = units.first(where: { $0.name.asciiLowercased == name + "b" }) {
                return .failure("\"\(text.shown)\" is not a size; did you mean \"\(number)\(near.name)\"?")
            }
            return .failure(notASize(text))
        }
        guard let octets = number.times(unit.octets), octets <= largest.octets else {
            return .failure("\"\(text.shown)\" is too large or not a whole number of octets")
        }
        return .success(ByteSize(octets: octets))
    }

    private static func notASize(_ text: String) -> RuleText {
        "\"\(text.shown)\" is not a size; write a number of octets, or with KB, KiB, MB, MiB, as 10KB"
    }

    /// The shortest exact form.
    package var description: String {
        guard octets > 0 else { return "0" }
        let forms = Self.units.dropFirst().filter { octets.isMultiple(of: $0.octets) }
            .map { "\(octets / $0.octets)\($0.name)" }
        return (forms + [String(octets)]).min { $0.utf8.count < $1.utf8.count } ?? String(octets)
    }

    package static func < (a: Self, b: Self) -> Bool { a.octets < b.octets }
}

/// Octets in a time: `1/s`, `10KB/s`, `6/m`.
package struct Rate: Sendable, Hashable, CustomStringConvertible {
    package let size: ByteSize
    package let per: Span

    package var octetsPerSecond: Double { Double(size.octets) * 1e9 / Double(per.ns) }

    package static func parse(_ text: String) -> Result<Rate, RuleText> {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let units: [String: UInt64] = ["s": 1_000_000_000, "m": 60_000_000_000, "h": 3_600_000_000_000]
        guard parts.count == 2, let per = units[String(parts[1]).trimmed.asciiLowercased] else {
            return .failure("\"\(text.shown)\" is not a rate; write octets a second, as 1/s or 10KB/s")
        }
        switch ByteSize.parse(String(parts[0])) {
        case .failure(let complaint): return .failure(complaint)
        case .success(let size):
            guard size.octets > 0 else { return .failure("a rate of 0 says nothing, ever; use stall") }
            return .success(Rate(size: size, per: Span(ns: per)))
        }
    }

    package var description: String { "\(size)/\(per.description.dropFirst())" }
}

/// A decimal number as written, exact: its digits without the point, and how many of them stand behind it.
struct Decimal: CustomStringConvertible {
    let digits: String
    let fraction: Int
    let description: String

    private static let longestNumber = 18

    static func read(_ text: Substring) -> (Decimal, Substring)? {
        let written = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let parts = written.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }), written.utf8.count <= longestNumber
        else { return nil }
        let number = Decimal(
            digits: parts.joined(), fraction: parts.count == 2 ? parts[1].utf8.count : 0, description: String(written))
        return (number, text.dropFirst(written.count))
    }

    /// nil when the product overflows or is not whole.
    func times(_ factor: UInt64) -> UInt64? {
        guard let value = UInt64(digits) else { return nil }
        let product = value.multipliedFullWidth(by: factor)
        let divisor = (0..<fraction).reduce(UInt64(1)) { power, _ in power * 10 }
        guard product.high < divisor else { return nil }
        let (quotient, remainder) = divisor.dividingFullWidth(product)
        return remainder == 0 ? quotient : nil
    }
}

extension String {
    /// Without spaces and tabs at its ends.
    package var trimmed: String {
        var view = Substring(self).unicodeScalars
        while let first = view.first, first == " " || first == "\t" { view.removeFirst() }
        while let last = view.last, last == " " || last == "\t" { view.removeLast() }
        return String(Substring(view))
    }
}
