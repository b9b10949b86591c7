// From the texts that a search is for to a question for the trigram index. The index holds which three characters in a
// row a message has, not where: what it finds has all of them, and whoever asked looks whether it has the text.

enum SearchText {
    /// A question has at most so many trigrams; more of them narrow little.
    private static let mostTrigrams = 24

    /// As it stands in the index. SQLite's tokenizer ends at the first NUL.
    static func folded(_ text: String) -> String {
        let lower = text.lowercased()
        guard lower.utf8.contains(0) else { return lower }
        var octets = Array(lower.utf8)
        for index in octets.indices where octets[index] == 0 { octets[index] = UInt8(ascii: " ") }
        return String(decoding: octets, as: UTF8.self)
    }

    /// nil where the index cannot help: all texts are shorter than three characters.
    static func question(_ texts: [String]) -> String? {
        var trigrams: [String] = []
        for text in texts {
            let scalars = Array(text.lowercased().unicodeScalars)
            guard scalars.count >= 3 else { continue }
            for start in 0...(scalars.count - 3) {
                let three = scalars[start..<start + 3]
                guard !three.contains("\0") else { continue }
                var trigram = "\""
                for scalar in three {
                    trigram.unicodeScalars.append(scalar)
                    // A quote is doubled (FTS5 §3.1).
                    if scalar == "\"" { trigram.unicodeScalars.append(scalar) }
                }
                trigram += "\""
                if !trigrams.contains(trigram) { trigrams.append(trigram) }
                // What is longer than any word anybody searches for is looked at no further.
                if trigrams.count >= 40 * mostTrigrams { break }
            }
        }
        guard !trigrams.isEmpty else { return nil }
        let step = (trigrams.count + mostTrigrams - 1) / mostTrigrams
        return stride(from: 0, to: trigrams.count, by: step).map { trigrams[$0] }.joined(separator: " AND ")
    }
}
