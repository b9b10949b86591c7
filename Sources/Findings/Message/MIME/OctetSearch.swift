// Looks for octets eight at a time: most of a message is ordinary, and the checks pass over that quickly. Nothing here
// allocates, and no call looks at an octet twice.

enum OctetSearch {
    /// The first octet beyond ASCII, from 0x80.
    static func firstHigh(_ octets: MessageOctets, _ range: Range<Int>) -> Int? {
        guard let base = octets.baseAddress else { return nil }
        var index = range.lowerBound
        while index + 8 <= range.upperBound {
            let eight = UnsafeRawPointer(base + index).loadUnaligned(as: UInt64.self)
            if eight & 0x8080_8080_8080_8080 != 0 { break }
            index += 8
        }
        while index < range.upperBound {
            if octets[index] >= 0x80 { return index }
            index += 1
        }
        return nil
    }

    /// Whether `word` stands at `index` and ends within `end`, without regard to case.
    /// - Parameter word: ASCII in small letters.
    static func holds(_ octets: MessageOctets, _ word: StaticString, at index: Int, before end: Int) -> Bool {
        let count = word.utf8CodeUnitCount
        guard index >= 0, index + count <= end else { return false }
        return FieldText.equals(octets, index..<index + count, word)
    }

    /// Where `word` stands first in the range, without regard to case.
    /// - Parameter word: ASCII in small letters, a few octets long.
    static func find(_ octets: MessageOctets, _ word: StaticString, _ range: Range<Int>) -> Int? {
        let first = word.utf8Start[0]
        let last = range.upperBound - word.utf8CodeUnitCount
        var index = range.lowerBound
        while index <= last {
            if FieldText.small(octets[index]) == first, holds(octets, word, at: index, before: range.upperBound) {
                return index
            }
            index += 1
        }
        return nil
    }

    /// Where the line that begins at `start` ends, its CRLF or LF not among it, and where the next one begins.
    static func line(_ octets: MessageOctets, from start: Int, to end: Int) -> (end: Int, next: Int) {
        guard let feed = FieldText.position(octets, of: FieldText.lf, in: start..<end) else { return (end, end) }
        return (feed > start && octets[feed - 1] == FieldText.cr ? feed - 1 : feed, feed + 1)
    }
}
