// Which sessions, messages or happenings are meant: `to=*@full.test verdict=deferred`. The words are those of rules,
// and a few of what became of a session; they are the same in the API, on the command line and for those who wait.

import Faults
import Findings
import Journal
import SMTP
import Store

package struct Filter: Sendable {
    /// What is looked for.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case session, message, reject, rule, finding
    }

    package enum Word: Sendable, Hashable {
        case condition(ConditionKey)
        case phase, verdict, rule, reply, code, session, message, finding, severity

        package var name: String {
            switch self {
            case .condition(let key): key.rawValue
            case .phase: "phase"
            case .verdict: "verdict"
            case .rule: "rule"
            case .reply: "reply"
            case .code: "code"
            case .session: "session"
            case .message: "message"
            case .finding: "finding"
            case .severity: "severity"
            }
        }
    }

    private struct Term: Sendable {
        let word: Word
        /// For words of our own: what they ask for, as patterns.
        let condition: Condition
    }

    private var terms: [Term] = []

    package init() {}

    package var isEmpty: Bool { terms.isEmpty }
    /// It asks for something that only the octets of a message tell.
    package var looksIntoMessage: Bool {
        terms.contains { if case .condition(let key) = $0.word { key.looksIntoMessage } else { false } }
    }

    /// It asks for what was found, which is known of a session when it is judged.
    package var asksForFindings: Bool { terms.contains { Self.isOfFindings($0.word) } }

    private static func isOfFindings(_ word: Word) -> Bool { word == .finding || word == .severity }

    // MARK: Reading

    /// The words that may be asked for.
    package static func words(_ kind: Kind) -> [Word] {
        let envelope: [Word] = [
            .condition(.from), .condition(.to), .condition(.client), .condition(.helo), .condition(.space), .session,
        ]
        let outcome: [Word] = [.condition(.listener), .condition(.tls), .phase, .rule]
        return switch kind {
        case .session: envelope + outcome + [.verdict, .reply, .code, .finding, .severity]
        case .reject: envelope + outcome + [.verdict, .reply, .code]
        case .rule: envelope + outcome
        case .finding: envelope + [.condition(.listener), .condition(.tls), .message, .finding, .severity]
        case .message:
            envelope + [.message, .condition(.size), .condition(.messageID), .condition(.body), .condition(.links)]
        }
    }

    /// The same as names; what stands for header fields is `header.NAME`, and `subject` for short.
    package static func names(_ kind: Kind) -> [String] {
        words(kind).map(\.name) + (kind == .message ? ["subject", "header.NAME"] : [])
    }

    /// Reads words with their values, as they stand behind the `?` of an address.
    ///
    /// - Parameter pairs: a word that comes again, or has commas in its value, is met by any of its values.
    package static func parse(_ pairs: [(name: String, value: String)], _ kind: Kind) -> Result<Filter, FilterComplaint>
    {
        var values: [(word: Word, values: [String])] = []
        for (name, value) in pairs {
            guard let word = word(name, kind) else {
                let known = names(kind)
                let hint = Suggestion.didYouMean(name, among: known)
                return .failure(
                    FilterComplaint(
                        word: name,
                        text: "a \(kind.spoken) cannot be asked for by \"\(name.shown)\"\(hint); "
                            + "known are \(known.joined(separator: ", "))"))
            }
            let parts = split(value)
            if let index = values.firstIndex(where: { $0.word == word }) {
                values[index].values += parts
            } else {
                values.append((word, parts))
            }
        }
        var filter = Filter()
        for (word, values) in values {
            switch condition(word, values) {
            case .success(let condition): filter.terms.append(Term(word: word, condition: condition))
            case .failure(let text): return .failure(FilterComplaint(word: word.name, text: text.description))
            }
        }
        return .success(filter)
    }

    private static func word(_ name: String, _ kind: Kind) -> Word? {
        if kind == .message {
            if name == "subject" { return .condition(.header("subject")) }
            if let key = ConditionKey(rawValue: name), case .header = key { return .condition(key) }
        }
        return words(kind).first { $0.name == name }
    }

    /// Values stand between commas; a regular expression, or what begins with a quote, is one value.
    private static func split(_ text: String) -> [String] {
        if text.hasPrefix("/") { return [text] }
        if text.hasPrefix("\""), text.hasSuffix("\""), text.utf8.count > 1 {
            return [String(text.dropFirst().dropLast())]
        }
        return text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }

    private static func condition(_ word: Word, _ values: [String]) -> Result<Condition, RuleText> {
        func parse(_ key: ConditionKey, _ values: [String]) -> Result<Condition, RuleText> {
            Condition.parse(key, values).mapError { RuleText("\(word.name): \($0.text)") }
        }
        func known(_ names: [String]) -> RuleText? {
            values.first { !names.contains($0) }.map { value in
                RuleText(
                    "\(word.name): \"\(value.shown)\" is none of \(names.joined(separator: ", "))"
                        + Suggestion.didYouMean(value, among: names))
            }
        }
        switch word {
        case .condition(let key): return parse(key, values)
        case .phase:
            if let complaint = known(Phase.allCases.map(\.rawValue) + ["protocol"]) { return .failure(complaint) }
            return parse(.listener, values)
        case .verdict:
            if let complaint = known(Verdict.allCases.map(\.rawValue)) { return .failure(complaint) }
            return parse(.listener, values)
        case .code:
            if let bad = values.first(where: { !isCode($0) }) {
                return .failure("code: \"\(bad.shown)\" is not a reply code, as 550 or 4xx")
            }
            return parse(.listener, values.map { $0.replacing("x", with: "?") + "*" })
        case .severity:
            if let complaint = known(Severity.allCases.map(\.rawValue)) { return .failure(complaint) }
            return parse(.listener, values)
        case .finding:
            // A rule that is misspelt is never found broken, and "absent" would always hold.
            let plain = values.filter { !$0.contains { "*?/".contains($0) } }
            let known = RuleID.allCases.map(\.rawValue)
            if let value = plain.first(where: { !known.contains($0.trimmed.asciiLowercased) }) {
                return .failure(
                    RuleText(
                        "finding: no rule of sending is called \"\(value.shown)\""
                            + Suggestion.didYouMean(value, among: known)))
            }
            return parse(.listener, values)
        case .rule, .reply, .session, .message: return parse(.listener, values)
        }
    }

    private static func isCode(_ text: String) -> Bool {
        let octets = Array(text.utf8)
        return octets.count == 3 && (50...53).contains(octets[0])
            && octets.dropFirst().allSatisfy { (48...57).contains($0) || $0 == UInt8(ascii: "x") }
    }

    // MARK: Asking

    /// The one space that is asked for; nil where there is none, or several.
    package var space: String? {
        let asked = terms.first { $0.word == .condition(.space) }?.condition.tests ?? []
        guard asked.count == 1, case .text(let pattern) = asked[0] else { return nil }
        return pattern.source.asciiLowercased
    }

    /// Whether everything holds that can be told without the octets of a message.
    package func matches(_ subject: Subject) -> Bool { terms.allSatisfy { Self.holds($0, subject) ?? true } }

    /// Whether it is about what was found, as far as the filter asks for that.
    package func matchesFinding(_ subject: Subject) -> Bool {
        terms.allSatisfy { !Self.isOfFindings($0.word) || Self.holds($0, subject) ?? true }
    }

    /// The same as `matches`, whatever was found.
    func matchesBeforeJudging(_ subject: Subject) -> Bool {
        terms.allSatisfy { Self.isOfFindings($0.word) || Self.holds($0, subject) ?? true }
    }

    /// Whether everything holds.
    ///
    /// - Parameter content: the octets of the message.
    package func matches(_ subject: Subject, _ content: [UInt8]) -> Bool {
        guard matches(subject) else { return false }
        guard looksIntoMessage else { return true }
        let message = MessageFacts(content)
        return terms.allSatisfy { term in
            guard case .condition(let key) = term.word else { return true }
            return switch key {
            case .messageID: term.condition.holds(text: message.messageID ?? "")
            case .header(let name): message.values(of: name).contains { term.condition.holds(text: $0) }
            case .body: message.lines.contains { term.condition.holds(text: $0) }
            case .links:
                message.links.contains { term.condition.holds(text: $0) }
                    || term.condition.holds(number: UInt64(message.links.count))
            default: true
            }
        }
    }

    /// nil where only the message tells.
    private static func holds(_ term: Term, _ subject: Subject) -> Bool? {
        func any(_ values: [String]) -> Bool { values.contains { term.condition.holds(text: $0) } }
        switch term.word {
        case .phase: return any(subject.phases)
        case .verdict: return any(subject.verdicts.map(\.rawValue))
        case .rule: return any(subject.rules)
        case .reply, .code: return any(subject.replies)
        case .session: return any([subject.session])
        case .message: return any([subject.message ?? ""])
        case .finding: return any(subject.findings)
        case .severity: return any(subject.severities)
        case .condition(let key):
            switch key {
            case .from: return any(subject.from)
            case .to: return any(subject.to)
            case .helo: return any([subject.helo ?? ""])
            case .listener: return any([subject.listener])
            case .space: return any(Array(subject.spaces))
            case .tls: return term.condition.holds(tls: subject.tls)
            case .client: return term.condition.holds(client: IPAddress(subject.clientHost))
            case .size: return subject.size.map { term.condition.holds(number: UInt64($0)) }
            default: return nil
            }
        }
    }

    // MARK: Looking up

    /// Hashes of facets that whatever is meant has, as far as that can be told.
    package var facets: [[UInt64]] { terms.compactMap(Self.facets) }

    private static func facets(_ term: Term) -> [UInt64]? {
        switch term.word {
        case .phase: return hashes(term, .phase)
        case .verdict: return hashes(term, .verdict)
        case .rule: return hashes(term, .rule)
        case .session, .message, .reply, .code, .finding, .severity: return nil
        case .condition(let key):
            switch key {
            case .from: return hashes(term, .from, .fromDomain)
            case .to: return hashes(term, .to, .toDomain)
            case .helo: return hashes(term, .helo)
            case .listener: return hashes(term, .listener)
            case .space: return hashes(term, .space)
            default: return nil
            }
        }
    }

    private static func hashes(_ term: Term, _ facet: Facet, _ domain: Facet? = nil) -> [UInt64]? {
        var hashes: [UInt64] = []
        for test in term.condition.tests {
            guard case .text(let pattern) = test else { return nil }
            switch (pattern.plain, domain) {
            // No value at all is no facet.
            case (.value(let value), _) where !value.isEmpty: hashes.append(facet.hash(value))
            case (.domain(let value), let domain?): hashes.append(domain.hash(value))
            default: return nil
            }
        }
        return hashes
    }
}

/// What is wrong with a filter.
package struct FilterComplaint: Error, Sendable, Hashable {
    /// The word at fault.
    package let word: String
    package let text: String

    package init(word: String, text: String) {
        self.word = word
        self.text = text
    }
}

extension Filter.Kind {
    var spoken: String {
        switch self {
        case .session, .message, .reject, .finding: rawValue
        case .rule: "hit of a rule"
        }
    }
}
