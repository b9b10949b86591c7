// The files of the catalogue, one a provider or MTA: `provider` and a list of `replies`. Every complaint has its place;
// what is complained about is left out.

import Faults
import Yams

package enum CatalogueFile {
    /// Replies of one file.
    package static let mostReplies = 1000

    /// Reads a file; its name in front of `.yaml` is the first part of its replies' names.
    package static func read(_ path: String) -> (entries: [CatalogueEntry], complaints: [Complaint]) {
        switch TextFile.read(path) {
        case .success(let octets): parse(octets, file: path)
        case .failure(let complaint): ([], [complaint])
        }
    }

    /// - Parameter file: named in complaints; its last part gives the replies their first name.
    package static func parse(
        _ octets: [UInt8], file: String
    ) -> (entries: [CatalogueEntry], complaints: [Complaint]) {
        if let plain = CatalogueLines.read(octets), let entries = sound(plain, file: file) { return (entries, []) }
        return parseTree(octets, file: file)
    }

    /// The entries of a file that has nothing to be complained about.
    private static func sound(_ plain: PlainCatalogue, file: String) -> [CatalogueEntry]? {
        let name = baseName(file)
        guard plain.replies.count <= mostReplies, CatalogueEntry.complaint(aboutPart: name) == nil,
            plain.provider.utf8.contains(where: { $0 != 32 })
        else { return nil }
        var judge = CatalogueJudge(file: name, provider: plain.provider)
        for reply in plain.replies {
            guard judge.judge(reply, line: 0).isEmpty else { return nil }
        }
        return judge.entries
    }

    /// The same with a tree of YAML, which has a place for each complaint.
    static func parseTree(_ octets: [UInt8], file: String) -> (entries: [CatalogueEntry], complaints: [Complaint]) {
        let (root, complaints) = YAMLText.parse(
            octets, file: file, empty: "holds no replies; a file has the keys provider and replies")
        guard let root else { return ([], complaints) }
        return read(root, file: file, complaints)
    }

    static func read(
        _ root: Node, file: String, _ earlier: [Complaint]
    ) -> (entries: [CatalogueEntry], complaints: [Complaint]) {
        var reader = CatalogueReader(file: file)
        reader.read(root)
        return (reader.entries, (earlier + reader.complaints).inOrderOfTheFile)
    }

    /// Whether the tree is one of the catalogue and not of settings.
    static func isRecognised(_ root: Node) -> Bool {
        guard case .mapping(let mapping) = root else { return false }
        // In a configuration `replies` names folders; in a file of the catalogue the provider is never missing.
        if mapping.contains(where: { $0.key.scalar?.string == "provider" }) { return true }
        return mapping.contains { $0.key.scalar?.string == "replies" && $0.value.sequence?.first?.mapping != nil }
    }

    static func baseName(_ file: String) -> String {
        let base = file.split(separator: "/").last.map(String.init) ?? file
        return base.hasSuffix(".yaml") ? String(base.dropLast(5)) : base
    }
}

/// All replies of some folders.
package enum CatalogueFolder {
    /// Files of one folder.
    package static let mostFiles = 1000

    /// - Parameter folders: in order; a file hides one of the same name in a later folder. A folder that is not there
    ///   is an empty one.
    package static func read(_ folders: [String]) -> (catalogue: Catalogue, complaints: [Complaint]) {
        var seen: Set<String> = []
        var entries: [CatalogueEntry] = []
        var complaints: [Complaint] = []
        for folder in folders {
            let names = (TextFile.names(in: folder) ?? []).filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }
            if names.count > mostFiles {
                complaints.append(Complaint(Place(source: folder), "has more than \(mostFiles) files"))
            }
            for name in names.prefix(mostFiles) where seen.insert(name).inserted {
                let (more, found) = CatalogueFile.read("\(folder)/\(name)")
                entries += more
                complaints += found
            }
        }
        return (Catalogue(entries), complaints)
    }
}

extension CatalogueFolder {
    /// For a folder that somebody named: what is wrong when it cannot be read.
    package static func complaint(about folder: String) -> String? {
        guard TextFile.names(in: folder) == nil else { return nil }
        return TextFile.exists(folder) ? "is no folder that can be read" : "no such folder"
    }
}

/// Reads the tree of a file.
private struct CatalogueReader {
    private var nodes: NodeReader
    private let file: String
    private(set) var entries: [CatalogueEntry] = []

    var complaints: [Complaint] { nodes.complaints }

    init(file: String) {
        self.file = file
        nodes = NodeReader(file: file)
    }

    mutating func read(_ root: Node) {
        let before = nodes.complaints.count
        let fields = nodes.fields(of: root, known: ["provider", "replies"], in: "a file of replies")
        let isMisspelt = nodes.complaints.count > before
        guard case .mapping = root else { return }
        let name = CatalogueFile.baseName(file)
        if let complaint = CatalogueEntry.complaint(aboutPart: name) {
            nodes.add(Complaint(Place(source: file), "the file's name begins the names of its replies: \(complaint)"))
        }
        let provider = nodes.string(fields["provider"])
        if fields["provider"] == nil, !isMisspelt {
            nodes.error(root, "a file of replies needs its provider, as provider: Gmail")
        } else if let provider, let field = fields["provider"], provider.trimmed.isEmpty {
            nodes.error(field.value, "provider is empty")
        }
        guard let list = nodes.list(fields["replies"]) else {
            if fields["replies"] == nil, !isMisspelt { nodes.error(root, "a file of replies needs the list replies") }
            return
        }
        if list.count > CatalogueFile.mostReplies {
            nodes.error(list[CatalogueFile.mostReplies], "more than \(CatalogueFile.mostReplies) replies in one file")
        }
        var judge = CatalogueJudge(file: name, provider: provider ?? name)
        for node in list.prefix(CatalogueFile.mostReplies) { read(node, &judge) }
        entries = judge.entries
    }

    private static let keys = CatalogueKey.allCases.map(\.rawValue)

    private mutating func read(_ node: Node, _ judge: inout CatalogueJudge) {
        let before = nodes.complaints.count
        let fields = nodes.fields(of: node, known: Self.keys, in: "a reply")
        guard case .mapping = node else { return }
        var raw = RawReply()
        if nodes.complaints.count > before {
            // What seems to be left out may be what was misspelt.
            raw.broken = Set(CatalogueKey.allCases.filter { fields[$0.rawValue] == nil })
        }
        func text(_ key: CatalogueKey) -> String? {
            guard let field = fields[key.rawValue] else { return nil }
            let text = nodes.string(field)
            if text == nil { raw.broken.insert(key) }
            return text
        }
        raw.name = text(.name)
        raw.phase = text(.phase)
        raw.means = text(.means)
        raw.advice = text(.advice)
        raw.seen = text(.seen)
        var lines: [Line] = []
        if let field = fields["reply"] {
            if let texts = nodes.strings(field) { lines = texts.flatMap(Line.lines) } else { raw.broken.insert(.reply) }
            raw.reply = lines.map(\.text)
        }
        for issue in judge.judge(raw, line: node.mark?.line ?? 0) {
            let at = issue.key.flatMap { fields[$0.rawValue]?.value } ?? node
            let place =
                issue.key == .reply && lines.indices.contains(issue.line)
                ? lines[issue.line].place(issue.offset, nodes) : nodes.place(at)
            nodes.add(Complaint(place, issue.text))
        }
    }

    /// One line of a reply: a value of a list, or a line of a block.
    private struct Line {
        let node: Node
        /// From 0; nil where the value is one line.
        let number: Int?
        let text: String

        static func lines(_ node: Node, _ text: String) -> [Line] {
            guard text.utf8.contains(10) else { return [Line(node: node, number: nil, text: text)] }
            let block = text.utf8.last == 10 ? text.dropLast() : text[...]  // a YAML block ends with a line feed
            return block.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map {
                Line(node: node, number: $0.offset, text: String($0.element))
            }
        }

        /// Of a block the lines are known, but not how far it is indented.
        func place(_ offset: Int, _ nodes: NodeReader) -> Place {
            guard let number else { return nodes.place(node, offset: offset) }
            var place = nodes.place(node)
            if node.scalar?.style == .literal { place.line = place.line.map { $0 + 1 + number } }
            return place
        }
    }
}
