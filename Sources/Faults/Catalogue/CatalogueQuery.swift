// Searching the catalogue: by provider, code, enhanced code, meaning, phase, and by bare words that stand for any of
// them.

import SMTP

/// Digits of which some are open: `550`, `4xx`, `45x`.
package struct CodePattern: Sendable, Hashable {
    private let digits: [UInt8]

    /// - Returns: nil unless it is three digits, of which the last ones may be `x`, or the first digit alone.
    package init?(_ text: String) {
        var digits = Array(text.asciiLowercased.utf8)
        if digits.count == 1 { digits += Self.open }
        guard digits.count == 3, (50...53).contains(digits[0]) else { return nil }
        let behind = digits.dropFirst().drop { (48...57).contains($0) }
        guard behind.allSatisfy({ $0 == UInt8(ascii: "x") }) else { return nil }
        self.digits = digits
    }

    private static let open = Array("xx".utf8)

    package func matches(_ code: ReplyCode) -> Bool {
        zip(digits, String(code.value).utf8).allSatisfy { $0 == $1 || $0 == UInt8(ascii: "x") }
    }
}

/// An enhanced code of which parts may be open: `4.2.2`, `4.2.x`, `5.7`.
package struct EnhancedPattern: Sendable, Hashable {
    private let parts: [UInt16?]

    package init?(_ text: String) {
        let words = text.asciiLowercased.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...3).contains(words.count), let first = words.first, ["2", "4", "5"].contains(first) else {
            return nil
        }
        var parts: [UInt16?] = []
        for word in words {
            if word == "x" {
                parts.append(nil)
            } else if (1...3).contains(word.utf8.count), word.utf8.allSatisfy({ (48...57).contains($0) }) {
                parts.append(UInt16(word))
            } else {
                return nil
            }
        }
        self.parts = parts
    }

    package func matches(_ status: EnhancedStatus?) -> Bool {
        guard let status else { return false }
        let numbers = [UInt16(status.statusClass), status.subject, status.detail]
        return zip(parts, numbers).allSatisfy { $0 == nil || $0 == $1 }
    }
}

/// What is looked for; all of it must hold.
package struct CatalogueQuery: Sendable, Hashable {
    /// Phases of entries: a phase, or those that were seen at no certain one.
    package enum PhaseFilter: Sendable, Hashable {
        case any
        case at(Phase)
    }

    /// The file's name or the provider's; a part of it when none has just that name.
    package var provider: String?
    package var code: CodePattern?
    package var enhanced: EnhancedPattern?
    package var meaning: Meaning?
    package var phase: PhaseFilter?
    /// Each is a provider, a code, an enhanced code, a meaning, an advice or a phase when there is one of that name;
    /// any other is looked for in names and texts.
    package var words: [String]

    package init(
        provider: String? = nil, code: CodePattern? = nil, enhanced: EnhancedPattern? = nil, meaning: Meaning? = nil,
        phase: PhaseFilter? = nil, words: [String] = []
    ) {
        self.provider = provider
        self.code = code
        self.enhanced = enhanced
        self.meaning = meaning
        self.phase = phase
        self.words = words
    }
}

extension Catalogue {
    /// What fits, in the order of the catalogue.
    package func search(_ query: CatalogueQuery) -> [CatalogueEntry] {
        let words = query.words.map { sense(of: $0.asciiLowercased) }
        let provider = query.provider?.asciiLowercased
        let isExact = provider.map { has(provider: $0) } ?? false
        return entries.filter { entry in
            (provider.map { isExact ? entry.isOf($0) : entry.isNearlyOf($0) } ?? true)
                && (query.code?.matches(entry.code) ?? true)
                && (query.enhanced?.matches(entry.enhanced) ?? true)
                && (query.meaning.map { $0 == entry.meaning } ?? true)
                && (query.phase.map { entry.isAt($0) } ?? true)
                && words.allSatisfy { $0.holds(for: entry) }
        }
    }

    /// What a bare word stands for.
    private enum Sense {
        case provider(String)
        case code(CodePattern)
        case enhanced(EnhancedPattern)
        /// `tls` is a meaning and a phase at once.
        case keyword(Meaning?, Advice?, Phase?)
        case text(String)

        func holds(for entry: CatalogueEntry) -> Bool {
            switch self {
            case .provider(let word): entry.isOf(word)
            case .code(let pattern): pattern.matches(entry.code)
            case .enhanced(let pattern): pattern.matches(entry.enhanced)
            case .keyword(let meaning, let advice, let phase):
                entry.meaning == meaning || entry.advice == advice || phase != nil && entry.phase == phase
            case .text(let word): entry.mentions(word)
            }
        }
    }

    private func has(provider: String) -> Bool { entries.contains { $0.isOf(provider) } }

    private func sense(of word: String) -> Sense {
        if has(provider: word) { return .provider(word) }
        if word.utf8.count == 3, let code = CodePattern(word) { return .code(code) }
        if word.utf8.contains(UInt8(ascii: ".")), let enhanced = EnhancedPattern(word) { return .enhanced(enhanced) }
        let keyword = (Meaning(rawValue: word), Advice(rawValue: word), Phase(rawValue: word))
        if keyword.0 != nil || keyword.1 != nil || keyword.2 != nil { return .keyword(keyword.0, keyword.1, keyword.2) }
        return .text(word)
    }
}

extension CatalogueEntry {
    /// - Parameter provider: in lower case.
    fileprivate func isOf(_ provider: String) -> Bool { file == provider || self.provider.asciiLowercased == provider }

    fileprivate func isNearlyOf(_ provider: String) -> Bool {
        Self.holds(String(file), provider) || Self.holds(self.provider, provider)
    }

    /// - Parameter word: in lower case.
    fileprivate func mentions(_ word: String) -> Bool {
        Self.holds(name, word) || Self.holds(provider, word) || template.lines.contains { Self.holds($0, word) }
    }

    /// Octet by octet: what the standard library does for all of Unicode takes longer than reading the files.
    private static func holds(_ text: String, _ word: String) -> Bool {
        let text = Array(text.asciiLowercased.utf8)
        let word = Array(word.utf8)
        guard let first = word.first else { return true }
        guard text.count >= word.count else { return false }
        return (0...(text.count - word.count)).contains { start in
            text[start] == first && text[start..<(start + word.count)].elementsEqual(word)
        }
    }

    fileprivate func isAt(_ filter: CatalogueQuery.PhaseFilter) -> Bool {
        switch filter {
        case .any: phase == nil
        case .at(let wanted): phase == wanted
        }
    }
}
