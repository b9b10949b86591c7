// `session verdict=rejected phase=rcpt`, `message count=2`, `no message`: what the sink must see, read from its text.

import Faults

extension Expectation {
    /// What is wrong with the text of one.
    package struct Complaint: Error, Sendable, Hashable {
        package let text: String
        /// Characters in front of what is wrong.
        package let offset: Int
    }

    /// The words with their values are judged elsewhere.
    package static func parse(_ text: String) -> Result<Expectation, Complaint> {
        var tokens = tokens(of: text)
        func failed(_ what: String, _ offset: Int) -> Result<Expectation, Complaint> {
            .failure(Complaint(text: what, offset: offset))
        }
        guard var first = tokens.first else {
            return failed("is empty; write what the sink must see, as session verdict=rejected phase=rcpt", 0)
        }
        let isAbsent = first.text == "no"
        if isAbsent {
            tokens.removeFirst()
            guard let next = tokens.first else { return failed("\"no\" has nothing behind it", first.offset) }
            first = next
        }
        let kind = first.text
        guard kinds.contains(kind) else {
            let hint = Suggestion.didYouMean(kind, among: kinds)
            return failed("\"\(kind.shown)\" is none of \(kinds.joined(separator: ", "))\(hint)", first.offset)
        }
        var expectation = Expectation(kind: kind, words: [], count: isAbsent ? 0 : 1)
        for token in tokens.dropFirst() {
            guard let equals = token.text.firstIndex(of: "="), equals != token.text.startIndex else {
                return failed("\"\(token.text.shown)\" is no WORD=VALUE, as verdict=rejected", token.offset)
            }
            let name = String(token.text[..<equals])
            let value = String(token.text[token.text.index(after: equals)...])
            guard name == "count" else {
                expectation.words.append(Word(name, value))
                continue
            }
            guard !isAbsent, let count = Int(value), (1...LessonLimit.sessions).contains(count) else {
                let why = isAbsent ? "does not go with \"no\"" : "is a number from 1 to \(LessonLimit.sessions)"
                return failed("count \(why)", token.offset)
            }
            expectation.count = count
        }
        return .success(expectation)
    }

    private struct Token {
        var text: String
        /// From 0, in characters.
        var offset: Int
    }

    /// Between spaces; double quotes hold spaces together.
    private static func tokens(of text: String) -> [Token] {
        var tokens: [Token] = []
        var token: Token?
        var isQuoted = false
        for (offset, character) in text.enumerated() {
            if character == "\"" {
                isQuoted.toggle()
                token = token ?? Token(text: "", offset: offset)
            } else if character == " ", !isQuoted {
                if let token { tokens.append(token) }
                token = nil
            } else {
                token = token ?? Token(text: "", offset: offset)
                token?.text.append(character)
            }
        }
        if let token { tokens.append(token) }
        return tokens
    }
}
