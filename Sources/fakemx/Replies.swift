// `fakemx replies`: searches the catalogue of replies seen in the field.

import ArgumentParser
import FakeMX
import Faults
import SMTP
import Settings
import Sink

struct Replies: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Search the catalogue of replies seen in the field.",
        discussion: """
            A word is a provider (gmail), a code (452, 4xx), an enhanced code (4.2.2), a meaning (mailbox-full), an \
            advice (retry) or a phase (rcpt); any other is looked for in names and texts. All words must hold:
              fakemx replies gmail mailbox-full
              fakemx replies 4xx greylist
              fakemx replies tss04
            The phase is where the reply was seen, any where the source does not say.

            Exit status: 0 found, 1 nothing found, 2 bad arguments or a bad file.
            """)

    @Argument(help: .init("What to look for; everything without it.", valueName: "query"))
    var query: [String] = []

    @ArgumentParser.Option(
        help: .init("The file's name or the provider's; a part of it when none has just that name.", valueName: "name"))
    var provider: String?

    @ArgumentParser.Option(help: .init("A reply code.", valueName: "550|4xx"))
    var code: String?

    @ArgumentParser.Option(help: .init("An enhanced code, or its beginning.", valueName: "4.2.2|5.7"))
    var enhanced: String?

    @ArgumentParser.Option(
        help: .init("One of \(Meaning.allCases.map(\.rawValue).joined(separator: ", ")).", valueName: "word"))
    var meaning: String?

    @ArgumentParser.Option(help: .init("Where it was seen.", valueName: "phase|any"))
    var phase: String?

    @ArgumentParser.Option(help: .init("How it is shown.", valueName: "table|json"))
    var output = "table"

    @ArgumentParser.Option(
        help: .init("A folder of files in place of those that come with fakemx; may be repeated.", valueName: "dir"))
    var replies: [String] = []

    private enum Form: String, CaseIterable { case table, json }

    func run() async throws {
        guard let form = try Self.word("--output", output, { Form(rawValue: $0) }, Form.allCases.map(\.rawValue)) else {
            return
        }
        let query = try stated()
        for folder in replies {
            if let complaint = CatalogueFolder.complaint(about: folder) {
                throw ExitStatus.badUse("--replies \(folder.shown): \(complaint)")
            }
        }
        let folders = replies.isEmpty ? Places.replyFolders : replies
        let (catalogue, complaints) = CatalogueFolder.read(folders)
        for complaint in complaints { Output.error(complaint.description) }
        let found = catalogue.search(query)
        switch form {
        case .json: Output.text(JSON.array(found))
        case .table where !found.isEmpty: Output.text(ReplyTable.text(found, width: Output.width))
        case .table: break
        }
        if complaints.contains(where: \.isError) { throw ExitStatus.badUse("") }
        if found.isEmpty { throw ExitStatus.failure(Self.nothing(query, catalogue, folders)) }
    }

    // MARK: Arguments

    private func stated() throws(ExitStatus) -> CatalogueQuery {
        var query = CatalogueQuery(provider: provider, words: self.query.flatMap(Self.words))
        query.code = try Self.pattern("--code", code, CodePattern.init, "a reply code, as 550 or 4xx")
        query.enhanced = try Self.pattern("--enhanced", enhanced, EnhancedPattern.init, "an enhanced code, as 4.2.2")
        query.meaning = try Self.word("--meaning", meaning, Meaning.init, Meaning.allCases.map(\.rawValue))
        query.phase = try Self.word(
            "--phase", phase, { $0 == "any" ? .any : Phase(rawValue: $0).map { .at($0) } },
            Phase.allCases.map(\.rawValue) + ["any"])
        return query
    }

    /// `'gmail mailbox-full'` in quotes is two words.
    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    private static func pattern<Pattern>(
        _ flag: String, _ text: String?, _ read: (String) -> Pattern?, _ form: String
    ) throws(ExitStatus) -> Pattern? {
        guard let text else { return nil }
        guard let pattern = read(text) else { throw .badUse("\(flag): \"\(text.shown)\" is not \(form)") }
        return pattern
    }

    private static func word<Word>(
        _ flag: String, _ text: String?, _ read: (String) -> Word?, _ known: [String]
    ) throws(ExitStatus) -> Word? {
        guard let text else { return nil }
        if let word = read(text.asciiLowercased) { return word }
        let hint = Suggestion.didYouMean(text, among: known)
        throw .badUse("\(flag): \"\(text.shown)\" is none of \(known.joined(separator: ", "))\(hint)")
    }

    // MARK: Nothing found

    private static func nothing(_ query: CatalogueQuery, _ catalogue: Catalogue, _ folders: [String]) -> String {
        guard !catalogue.entries.isEmpty else { return "no replies at all in \(folders.joined(separator: ", "))" }
        if let provider = query.provider, catalogue.search(CatalogueQuery(provider: provider)).isEmpty {
            let hint = Suggestion.didYouMean(provider, among: catalogue.files)
            let list = hint.isEmpty ? "; there are \(catalogue.files.joined(separator: ", "))" : ""
            return "no reply found: unknown provider \"\(provider.shown)\"\(hint)\(list)"
        }
        // The words that find nothing even alone are those that were misspelt.
        for word in query.words where catalogue.search(CatalogueQuery(words: [word])).isEmpty {
            return "no reply found: nothing has \"\(word.shown)\"\(hint(word, catalogue))"
        }
        return "no reply found: each part finds some, but none has all of them; leave one out"
    }

    private static func hint(_ word: String, _ catalogue: Catalogue) -> String {
        let known = catalogue.files + Meaning.allCases.map(\.rawValue) + Phase.allCases.map(\.rawValue)
        let near = Suggestion.ranked(word, among: known) + catalogue.nearest(word)
        guard !near.isEmpty else { return "; fakemx replies shows everything" }
        return "; did you mean \(near.prefix(3).map { "\"\($0)\"" }.joined(separator: " or "))?"
    }
}

/// Replies as a table: whole where a program reads; on a terminal cut to its width, and with the text in a line of its
/// own where the columns leave no room for it.
enum ReplyTable {
    /// Columns for the text, at least, beside the others.
    private static let leastText = 30

    static func text(_ entries: [CatalogueEntry], width: Int?) -> String {
        var rows = [["NAME", "PHASE", "REPLY", "MEANS", "ADVICE", "TEXT"]]
        for entry in entries {
            let code = entry.enhanced.map { "\(entry.code) \($0)" } ?? "\(entry.code)"
            rows.append([
                entry.name, entry.phaseWord, code, entry.meaning.rawValue, entry.advice.rawValue, entry.words,
            ])
        }
        let widths = rows[0].indices.map { column in rows.map { $0[column].utf8.count }.max() ?? 0 }
        let before = widths.dropLast().reduce(0) { $0 + $1 + 2 }
        if let width, width - before < leastText { return rows.map { narrow($0, width) }.joined() }
        return rows.map { row in
            var line = ""
            for (cell, width) in zip(row, widths).dropLast() {
                line += cell + String(repeating: " ", count: width - cell.utf8.count + 2)
            }
            return cut(line + row[row.count - 1], width) + "\n"
        }.joined()
    }

    private static func narrow(_ row: [String], _ width: Int) -> String {
        let text = row[row.count - 1]
        return cut(row.dropLast().joined(separator: "  "), width) + "\n" + cut("    " + text, width) + "\n"
    }

    /// Everything here is ASCII, so octets are columns.
    private static func cut(_ text: String, _ width: Int?) -> String {
        guard let width, text.utf8.count > width else { return text }
        return text.prefix(max(width - 1, 0)) + "…"
    }
}
