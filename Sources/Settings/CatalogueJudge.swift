// Judges the replies of one file of the catalogue, once their fields are text: names, words, the reply itself, and what
// stands twice. Knows no YAML; who read the text knows where each field stands.

import Faults
import SMTP

/// The keys of a reply.
enum CatalogueKey: String, Hashable, CaseIterable {
    case name, phase, means, advice, seen, reply

    /// As it is written, for who left it out.
    var example: String {
        switch self {
        case .name: "over-quota"
        case .phase: "rcpt, or any"
        case .means: "mailbox-full"
        case .advice: "retry"
        case .seen: "a mail log of 2025"
        case .reply: "\"452 4.2.2 Mailbox full\""
        }
    }
}

/// A reply as it stands in the file; nil is left out.
struct RawReply {
    var name: String?
    var phase: String?
    var means: String?
    var advice: String?
    var seen: String?
    var reply: [String]?
    /// Fields of which something was said already.
    var broken: Set<CatalogueKey> = []
}

struct CatalogueJudge {
    /// What is wrong with a reply; without a key, with the whole of it.
    struct Issue {
        var key: CatalogueKey?
        /// Of the reply's lines, from 0, and the character in it.
        var line = 0
        var offset = 0
        var text: String
    }

    /// The first part of all names.
    let file: String
    let provider: String
    private(set) var entries: [CatalogueEntry] = []
    /// Where each name stood first, and each text.
    private var lines: [String: Int] = [:]
    private var texts: [ReplyTemplate: (name: String, phase: Phase?)] = [:]

    init(file: String, provider: String) {
        self.file = file
        self.provider = provider
    }

    /// Keeps a reply that is sound.
    /// - Parameter line: where it stands.
    mutating func judge(_ raw: RawReply, line: Int) -> [Issue] {
        var issues: [Issue] = []
        let name = text(raw.name, .name, raw, &issues)
        let phase = choice(raw.phase, .phase, raw, &issues, Self.phaseWords, Self.phase)
        let meaning = choice(
            raw.means, .means, raw, &issues, Meaning.allCases.map(\.rawValue), Meaning.init(rawValue:))
        let advice = choice(
            raw.advice, .advice, raw, &issues, Advice.allCases.map(\.rawValue), Advice.init(rawValue:))
        let source = text(raw.seen, .seen, raw, &issues)
        let template = template(raw, &issues)
        if let name { judge(name, line: line, &issues) }
        guard issues.isEmpty, let name, let phase, let meaning, let advice, let source, let template else {
            return issues
        }
        let entry = CatalogueEntry(
            name: "\(file)/\(name)", provider: provider, phase: phase, meaning: meaning, advice: advice,
            source: source, template: template)
        if let complaint = repetition(entry) { return [Issue(key: .reply, text: complaint)] }
        entries.append(entry)
        return []
    }

    // MARK: Fields

    private func text(_ text: String?, _ key: CatalogueKey, _ raw: RawReply, _ issues: inout [Issue]) -> String? {
        if raw.broken.contains(key) { return nil }
        guard let text else {
            issues.append(Issue(text: "a reply needs its \(key.rawValue), as \(key.rawValue): \(key.example)"))
            return nil
        }
        guard text.utf8.contains(where: { $0 != 32 && $0 != 9 }) else {
            issues.append(Issue(key: key, text: "\(key.rawValue) is empty"))
            return nil
        }
        return text
    }

    private func choice<Choice>(
        _ word: String?, _ key: CatalogueKey, _ raw: RawReply, _ issues: inout [Issue],
        _ known: @autoclosure () -> [String], _ read: (String) -> Choice?
    ) -> Choice? {
        guard let word = text(word, key, raw, &issues) else { return nil }
        if let choice = read(word) { return choice }
        let known = known()
        let hint = Suggestion.didYouMean(word, among: known)
        let list = known.joined(separator: ", ")
        issues.append(Issue(key: key, text: "\(key.rawValue): \"\(word.shown)\" is none of \(list)\(hint)"))
        return nil
    }

    /// A phase, or `any` where the source does not say.
    private static let phaseWords = Phase.allCases.map(\.rawValue) + ["any"]

    private static func phase(_ word: String) -> Phase?? {
        if word == "any" { return .some(nil) }
        return Phase(rawValue: word).map { .some($0) }
    }

    private func template(_ raw: RawReply, _ issues: inout [Issue]) -> ReplyTemplate? {
        if raw.broken.contains(.reply) { return nil }
        guard let lines = raw.reply else {
            issues.append(Issue(text: "a reply needs its text, as reply: \(CatalogueKey.reply.example)"))
            return nil
        }
        switch ReplyTemplate.parse(lines) {
        case .success(let template): return template
        case .failure(let error):
            issues.append(
                Issue(key: .reply, line: error.line, offset: error.offset, text: error.text.description))
            return nil
        }
    }

    // MARK: Names and repetitions

    private mutating func judge(_ name: String, line: Int, _ issues: inout [Issue]) {
        if let complaint = CatalogueEntry.complaint(aboutPart: name) {
            return issues.append(Issue(key: .name, text: complaint.description))
        }
        let count = file.utf8.count + 1 + name.utf8.count
        if count > CatalogueEntry.longestName {
            let text = """
                the name \(file)/\(name) has \(count) octets; with more than \(CatalogueEntry.longestName) it does not \
                fit into a magic address
                """
            issues.append(Issue(key: .name, text: text))
        }
        if let first = lines[name] {
            issues.append(
                Issue(key: .name, text: "a second reply named \"\(name)\"; the first stands in line \(first)"))
        } else {
            lines[name] = line
        }
    }

    /// The same text twice in one file: a duplicate, or a contradiction about where it was seen.
    private mutating func repetition(_ entry: CatalogueEntry) -> String? {
        guard let first = texts[entry.template] else {
            texts[entry.template] = (entry.name, entry.phase)
            return nil
        }
        if first.phase == entry.phase { return "says the same as \(first.name)" }
        let (before, now) = (first.phase?.rawValue ?? "any", entry.phase?.rawValue ?? "any")
        return """
            says the same as \(first.name), but at \(now) and not at \(before); what was seen at several phases is one \
            reply with phase: any
            """
    }
}
