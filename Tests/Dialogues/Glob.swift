// The pattern of dialogues: `*` stands for any octets, everything else for itself. Matched whole, case kept.

struct Glob: Sendable, Hashable, CustomStringConvertible {
    let text: String
    private let pattern: [UInt8]

    init(_ text: String) {
        self.text = text
        pattern = Array(text.utf8)
    }

    var description: String { text }

    func matches(_ subject: some StringProtocol) -> Bool { matches(Array(subject.utf8)) }

    /// Linear in practice: on a mismatch only the last star is tried again.
    func matches(_ subject: [UInt8]) -> Bool {
        var patternAt = 0
        var subjectAt = 0
        var starAt: Int?
        var resumeAt = 0
        while subjectAt < subject.count {
            if patternAt < pattern.count, pattern[patternAt] == UInt8(ascii: "*") {
                starAt = patternAt
                resumeAt = subjectAt
                patternAt += 1
            } else if patternAt < pattern.count, pattern[patternAt] == subject[subjectAt] {
                patternAt += 1
                subjectAt += 1
            } else if let star = starAt {
                patternAt = star + 1
                resumeAt += 1
                subjectAt = resumeAt
            } else {
                return false
            }
        }
        return pattern[patternAt...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
