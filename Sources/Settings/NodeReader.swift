// Takes a YAML tree apart and collects every complaint on the way: unknown keys, wrong types, values out of range. What
// is complained about is left out; reading goes on.

import Faults
import SMTP
import Yams

struct NodeReader {
    let file: String
    private(set) var complaints: [Complaint] = []

    init(file: String) { self.file = file }

    mutating func add(_ complaint: Complaint) { complaints.append(complaint) }

    mutating func error(_ node: Node, _ message: String) { complaints.append(Complaint(place(node), message)) }

    func place(_ node: Node) -> Place {
        Place(source: file, line: node.mark?.line, column: node.mark?.column)
    }

    /// Where a character of a scalar stands, as well as can be told: exact for one-line scalars without escapes.
    func place(_ node: Node, offset: Int) -> Place {
        var place = place(node)
        switch node.scalar?.style {
        case .plain: place.column = place.column.map { $0 + offset }
        case .singleQuoted, .doubleQuoted: place.column = place.column.map { $0 + offset + 1 }
        default: break
        }
        return place
    }

    /// What a node is, in words.
    private func kind(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): Self.isNull(scalar) ? "nothing" : "\"\(scalar.string.shown)\""
        case .sequence: "a list"
        case .mapping: "keys with values"
        case .alias: "an alias"
        }
    }

    static func isNull(_ scalar: Node.Scalar) -> Bool {
        scalar.style == .plain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    func isNull(_ node: Node) -> Bool { node.scalar.map(Self.isNull) ?? false }

    // MARK: Keys

    /// One key of a mapping with its value.
    struct Field {
        let key: Node
        let value: Node
    }

    /// The fields of a mapping; those without a value (`key:` or `key: null`) mean the default and are left out.
    ///
    /// - Parameter list: where the known ones are listed, when they are too many for a complaint.
    mutating func fields(
        of node: Node, known: [String], in what: String, list: String? = nil
    ) -> [String: Field] {
        guard case .mapping(let mapping) = node else {
            error(node, "\(what) is written as keys with values, not as \(kind(node))")
            return [:]
        }
        var fields: [String: Field] = [:]
        for (key, value) in mapping {
            guard let word = key.scalar?.string else {
                error(key, "a key is a word, not \(kind(key))")
                continue
            }
            if word.unicodeScalars.first == YAMLText.maskedKey { continue }
            guard known.contains(word) else {
                error(key, unknown(word, known, what, list))
                continue
            }
            if !isNull(value) { fields[word] = Field(key: key, value: value) }
        }
        return fields
    }

    private func unknown(_ word: String, _ known: [String], _ what: String, _ list: String?) -> String {
        let hint = Suggestion.didYouMean(word, among: known)
        let all = list ?? "known are \(known.joined(separator: ", "))"
        return "unknown key \"\(word.shown)\" in \(what)\(hint.isEmpty ? "; \(all)" : hint)"
    }

    // MARK: Values

    /// nil after a complaint.
    mutating func string(_ field: Field?) -> String? {
        guard let field else { return nil }
        return string(field.value, of: field.key.scalar?.string ?? "this")
    }

    mutating func string(_ node: Node, of what: String) -> String? {
        guard case .scalar(let scalar) = node, !Self.isNull(scalar) else {
            error(node, "\(what) is one value, not \(kind(node))")
            return nil
        }
        return scalar.string
    }

    /// A scalar, or a list of scalars.
    mutating func strings(_ field: Field?) -> [(node: Node, text: String)]? {
        guard let field else { return nil }
        let what = field.key.scalar?.string ?? "this"
        guard case .sequence(let sequence) = field.value else {
            return string(field.value, of: what).map { [(field.value, $0)] }
        }
        var texts: [(node: Node, text: String)] = []
        for node in sequence {
            guard let text = string(node, of: "an entry of \(what)") else { return nil }
            texts.append((node, text))
        }
        return texts
    }

    mutating func list(_ field: Field?) -> [Node]? {
        guard let field else { return nil }
        guard case .sequence(let sequence) = field.value else {
            error(field.value, "\(field.key.scalar?.string ?? "this") is a list, not \(kind(field.value))")
            return nil
        }
        return Array(sequence)
    }

    mutating func parsed<Value>(_ field: Field?, _ parse: (String) -> Result<Value, RuleText>) -> Value? {
        guard let field, let text = string(field) else { return nil }
        switch parse(text) {
        case .success(let value): return value
        case .failure(let complaint):
            error(field.value, "\(field.key.scalar?.string ?? "this"): \(complaint)")
            return nil
        }
    }

    /// Keywords of the EHLO list, as a list or with spaces between them.
    mutating func capabilities(_ field: Field?) -> CapabilitySet? {
        guard let texts = strings(field) else { return nil }
        var set = CapabilitySet()
        for (node, text) in texts {
            switch CapabilitySet.parse(text) {
            case .success(let part): set.formUnion(part)
            case .failure(let complaint): error(node, complaint.description)
            }
        }
        return set
    }
}
