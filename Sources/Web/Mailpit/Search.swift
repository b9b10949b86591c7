// The words of a search, as Mailpit has them: `from:a@b.test subject:"two words" -is:read plain "plain words"`. Mailpit
// takes a word that it does not know for text, and a date that it cannot read for none; a test would then find the
// wrong messages, so both are refused here.

import Faults
import Mail
import Store

extension Mailpit {
    struct Search: Sendable {
        enum Field: String, CaseIterable {
            case to, from, cc, bcc, addressed
            case replyTo = "reply-to"
        }

        enum Test: Sendable {
            case address(Field, [UInt8])
            case subject([UInt8])
            case messageID([UInt8])
            case text([UInt8])
            /// In lower case.
            case tag(String)
            case isRead, isUnread, isTagged, hasAttachment, hasInline
            /// Milliseconds since 1970.
            case after(Int64)
            case before(Int64)
            /// Octets.
            case larger(Int)
            case smaller(Int)
        }

        struct Term: Sendable {
            let test: Test
            let isExcluded: Bool
        }

        private(set) var terms: [Term] = []

        /// - Throws: a complaint that names the term.
        init(_ text: String, timeZone: String?) throws {
            guard text.utf8.count <= Bounds.query else {
                throw refusal("the search has \(text.utf8.count) octets; \(Bounds.query) is the limit")
            }
            for part in Self.split(text) {
                guard let term = try Self.term(part, timeZone) else { continue }
                guard terms.count < Bounds.terms else {
                    throw refusal("the search has more than \(Bounds.terms) terms")
                }
                terms.append(term)
            }
            guard !terms.isEmpty else { throw refusal("the search asks for nothing") }
        }

        // MARK: Reading

        private struct Part {
            var text = ""
            /// It begins with a quote.
            var isQuoted = false
        }

        /// Spaces outside quotes separate; then every quote is gone.
        private static func split(_ text: String) -> [Part] {
            var parts: [Part] = []
            var part = Part()
            var isInside = false
            for character in text {
                if character == "\"" {
                    isInside.toggle()
                    if part.text.isEmpty || part.text == "-" || part.text == "!" { part.isQuoted = true }
                } else if character.isWhitespace, !isInside {
                    parts.append(part)
                    part = Part()
                } else {
                    part.text.append(character)
                }
            }
            return parts + [part]
        }

        private static func term(_ part: Part, _ timeZone: String?) throws -> Term? {
            var text = Substring(part.text)
            let isExcluded = text.count > 1 && (text.hasPrefix("-") || text.hasPrefix("!"))
            if isExcluded { text = text.dropFirst() }
            // Between two spaces, or between two quotes.
            guard !text.isEmpty else { return nil }
            return Term(test: try test(text, isQuoted: part.isQuoted, timeZone), isExcluded: isExcluded)
        }

        private static let words =
            Field.allCases.map(\.rawValue)
            + ["subject", "message-id", "tag", "is", "has", "before", "after", "larger", "smaller"]

        private static func test(_ text: Substring, isQuoted: Bool, _ timeZone: String?) throws -> Test {
            guard let colon = text.firstIndex(of: ":") else { return .text(Folded.octets(String(text))) }
            let word = String(text[..<colon]).asciiLowercased
            let value = String(text[text.index(after: colon)...])
            guard words.contains(word) else {
                // A word begins with a letter: 12:30 is a time, and two slashes make an address of the web.
                let isWord = word.utf8.first.map { (97...122).contains($0) } ?? false
                guard isWord, !isQuoted, !value.hasPrefix("//") else { return .text(Folded.octets(String(text))) }
                let hint = Suggestion.didYouMean(word, among: words)
                let known = words.map { $0 + ":" }.joined(separator: " ")
                throw refusal(
                    "unknown search word \"\(word.shown):\"\(hint); known are \(known); "
                        + "write \"\(String(text).shown)\" in double quotes to search for that text")
            }
            let folded = Folded.octets(value)
            guard !folded.isEmpty else {
                throw refusal("\"\(word):\" asks for nothing; write what is looked for right behind the colon")
            }
            if let field = Field(rawValue: word) { return .address(field, folded) }
            switch word {
            case "subject": return .subject(Array(value.lowercased().utf8))
            case "message-id": return .messageID(folded)
            case "tag": return .tag(String(decoding: folded, as: UTF8.self))
            case "after": return .after(try Moment.milliseconds(value, word, timeZone))
            case "before": return .before(try Moment.milliseconds(value, word, timeZone))
            case "larger": return .larger(try size(value, word))
            case "smaller": return .smaller(try size(value, word))
            default: return try state(word, value.asciiLowercased)
            }
        }

        private static let states: [String: Test] = [
            "is:read": .isRead, "is:unread": .isUnread, "is:tagged": .isTagged, "has:attachment": .hasAttachment,
            "has:attachments": .hasAttachment, "has:inline": .hasInline, "has:inlines": .hasInline,
        ]

        private static func state(_ word: String, _ value: String) throws -> Test {
            if let test = states["\(word):\(value)"] { return test }
            let known = states.keys.filter { $0.hasPrefix(word + ":") }.sorted()
            throw refusal("unknown search word \"\(word):\(value.shown)\"; known are \(known.joined(separator: " "))")
        }

        /// `2kb`, `4M`, `1.5m`, `300`.
        private static func size(_ text: String, _ word: String) throws -> Int {
            let lower = text.asciiLowercased
            let number = lower.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            let unit = lower.dropFirst(number.count).drop { $0 == " " }
            let factors: [Substring: Double] = ["": 1, "k": 1024, "kb": 1024, "m": 1_048_576, "mb": 1_048_576]
            guard let value = Double(number), let factor = factors[unit], value > 0, value * factor < 1e15 else {
                throw refusal("\(word): is a size, as 300, 2kb or 1.5mb, not \"\(text.shown)\"")
            }
            return Int(value * factor)
        }

        // MARK: Asking

        /// Words that an index of texts may look for.
        var words: [String] {
            terms.flatMap { term -> [String] in
                guard case .text(let text) = term.test, !term.isExcluded else { return [] }
                return text.split(separator: 32).map { String(decoding: $0, as: UTF8.self) }
            }
        }

        var asksForText: Bool { terms.contains { if case .text = $0.test { true } else { false } } }

        /// Whether everything holds that can be told without the octets of the message.
        func mayMatch(_ stored: StoredMessage) -> Bool {
            terms.allSatisfy { term in Self.holds(term.test, stored).map { $0 != term.isExcluded } ?? true }
        }

        /// Whether the rest holds.
        ///
        /// - Parameter text: asked for once, where a term needs it.
        func matches(_ digest: Digest, _ text: [UInt8]) -> Bool {
            terms.allSatisfy { term in Self.holds(term.test, digest, text).map { $0 != term.isExcluded } ?? true }
        }

        private static func holds(_ test: Test, _ stored: StoredMessage) -> Bool? {
            let received_ms = stored.message.received_us / 1000
            return switch test {
            case .isRead: stored.marks.isRead
            case .isUnread: !stored.marks.isRead
            case .isTagged: !stored.marks.tags.isEmpty
            case .tag(let tag): stored.marks.tags.contains { $0.lowercased() == tag }
            case .after(let moment): received_ms >= moment
            case .before(let moment): received_ms <= moment
            case .larger(let size): stored.size > size
            case .smaller(let size): stored.size < size
            case .address, .subject, .messageID, .text, .hasAttachment, .hasInline: nil
            }
        }

        private static func holds(_ test: Test, _ digest: Digest, _ text: [UInt8]) -> Bool? {
            switch test {
            case .address(let field, let part):
                return addresses(field, digest).contains { address in
                    Folded.contains(Folded.octets("\(address.name) \(address.address)"), part)
                }
            case .subject(let part): return Folded.contains(Array(digest.subject.lowercased().utf8), part)
            case .messageID(let part): return Folded.contains(Folded.octets(digest.messageID), part)
            case .text(let part): return Folded.contains(text, part)
            case .hasAttachment: return digest.attachments > 0
            case .hasInline: return digest.inlines > 0
            default: return nil
            }
        }

        private static func addresses(_ field: Field, _ digest: Digest) -> [MailAddress] {
            switch field {
            case .to: digest.to
            case .from: [digest.from]
            case .cc: digest.cc
            case .bcc: digest.bcc
            case .replyTo: digest.replyTo
            case .addressed: [digest.from] + digest.to + digest.cc + digest.bcc + digest.replyTo
            }
        }
    }
}
