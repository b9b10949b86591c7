// Words for complaints: the nearest known word to a misspelt one, and foreign text made safe to print.

/// A complaint about a piece of text, without its place.
package struct RuleText: Error, Sendable, Hashable, ExpressibleByStringInterpolation, CustomStringConvertible {
    package let description: String
    package init(stringLiteral value: String) { description = value }
    package init(_ text: String) { description = text }
}

/// Finds what somebody may have meant.
package enum Suggestion {
    /// Beyond this a word is not a misspelling of anything.
    private static let longestWord = 64

    /// `; did you mean "x"?` for the nearest of `known`, or an empty string when none is near.
    package static func didYouMean(_ word: String, among known: [String]) -> String {
        nearest(word, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
    }

    /// The nearest of `known`; nil when none is near: a third of the letters may differ, at least one, at most three.
    package static func nearest(_ word: String, among known: [String]) -> String? {
        ranked(word, among: known).first
    }

    /// All that are near, the nearest first.
    package static func ranked(_ word: String, among known: [String]) -> [String] {
        let letters = Array(word.lowercased().replacing("_", with: "-").unicodeScalars)
        guard !letters.isEmpty, letters.count <= longestWord else { return [] }
        var found: [(distance: Int, index: Int, word: String)] = []
        for (index, candidate) in known.enumerated() {
            let other = Array(candidate.lowercased().unicodeScalars)
            let allowed = max(1, min(3, max(letters.count, other.count) / 3))
            let distance = editDistance(letters, other)
            if distance <= allowed, distance < max(letters.count, other.count) {
                found.append((distance, index, candidate))
            } else if min(letters.count, other.count) >= 3, other.starts(with: letters) || letters.starts(with: other) {
                found.append((allowed + 1, index, candidate))  // the beginning of a word, or more than the word
            }
        }
        return found.sorted { ($0.distance, $0.index) < ($1.distance, $1.index) }.map(\.word)
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
    private static func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
        guard !a.isEmpty, !b.isEmpty else { return max(a.count, b.count) }
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in 1...a.count {
            var row = [i] + Array(repeating: 0, count: b.count)
            for j in 1...b.count {
                row[j] = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    row[j] = min(row[j], beforeLast[j - 2] + 1)
                }
            }
            beforeLast = last
            last = row
        }
        return last[b.count]
    }
}

extension String {
    /// Safe to print inside a complaint: no control characters, at most 80 characters.
    package var shown: String {
        var text = ""
        var count = 0
        for scalar in unicodeScalars {
            guard count < 80 else { return text + "…" }
            let isControl = scalar.value < 32 || (127...159).contains(scalar.value)
            text.unicodeScalars.append(isControl ? "\u{FFFD}" : scalar)
            count += 1
        }
        return text
    }

    /// Upper-case ASCII letters become lower-case; other characters stay (RFC 5321 §2.4 knows ASCII only).
    package var asciiLowercased: String {
        guard utf8.contains(where: { (65...90).contains($0) }) else { return self }
        return String(decoding: utf8.map { (65...90).contains($0) ? $0 + 32 : $0 }, as: UTF8.self)
    }
}
