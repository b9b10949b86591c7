// A rule that comes while the sink runs: the JSON or YAML of a rule, or a line of the command-line grammar. The same
// words, and the same complaints, as in a file.

import Faults
import SMTP
import Yams

/// A rule to be set at run time.
package struct RuntimeRule: Sendable {
    /// Bound to its space, if it has one.
    package var rule: Rule
    /// After so long it goes.
    package var lifetime: Span?

    /// nil when there is an error.
    package typealias Read = (rule: RuntimeRule?, complaints: [Complaint])

    static let source = "rule"

    /// - Parameters:
    ///   - text: `rcpt: 452 4.2.2 Mailbox full`.
    ///   - space: the rule is for this space alone.
    package static func line(_ text: String, space: String? = nil) -> Read {
        let notes = RuleLine.examine(text)
        func complaint(_ severity: Complaint.Severity, _ note: RuleError) -> Complaint {
            Complaint(severity, Place(source: source, column: note.column), note.message)
        }
        var complaints = notes.errors.map { complaint(.error, $0) } + notes.warnings.map { complaint(.warning, $0) }
        var rule = notes.rule
        bind(&rule, to: space, &complaints)
        return (rule.map { RuntimeRule(rule: $0) }, complaints)
    }

    /// - Parameter octets: one mapping, as JSON (which is YAML) or as YAML: that of a rule, or one with `line`
    ///   and perhaps `name` and `enabled`; beside either `space` and `expires` may stand.
    package static func mapping(_ octets: [UInt8]) -> Read {
        let (root, broken) = YAMLText.parse(JSONText.withoutSurrogates(octets), file: source)
        guard let root else { return (nil, broken) }
        var reader = RuleReader(nodes: NodeReader(file: source))
        var (rule, extra) = reader.readAlone(root)
        var complaints = (broken + reader.nodes.complaints).inOrderOfTheFile
        if complaints.contains(where: \.isError) { rule = nil }
        bind(&rule, to: extra.space, &complaints)
        return (rule.map { RuntimeRule(rule: $0, lifetime: extra.lifetime) }, complaints)
    }

    private static func bind(_ rule: inout Rule?, to space: String?, _ complaints: inout [Complaint]) {
        guard let space, let whole = rule else { return }
        do { rule = try whole.bound(toSpace: space) } catch {
            complaints.append(Complaint(Place(source: source), "space: \(error)"))
            rule = nil
        }
    }

    /// What is wrong with a rule where it is to be used: a reply of the catalogue that is not there, TLS where none is.
    package static func complaints(
        about rule: Rule, _ listeners: [Configuration.Listener], _ catalogue: Catalogue
    ) -> [Complaint] {
        RuleSet.complaints(
            about: [Settings.PlacedRule(rule: rule, place: Place(source: source))], listeners, catalogue)
    }
}

extension RuleReader {
    /// What may stand beside a rule that is set at run time.
    struct Extra {
        var space: String?
        var lifetime: Span?

        static let keys = ["line", "space", "expires"]
    }

    /// A rule that stands alone.
    mutating func readAlone(_ node: Node) -> (rule: Rule?, extra: Extra) {
        extraKeys = Extra.keys
        var extra = Extra()
        guard case .mapping(let mapping) = node else {
            nodes.error(
                node, "a rule is written as keys with values, as { \"at\": \"rcpt\", \"do\": [ \"550 5.1.1 No\" ] }")
            return (nil, extra)
        }
        func field(_ name: String) -> NodeReader.Field? {
            mapping.first { $0.key.scalar?.string == name }.flatMap { pair in
                nodes.isNull(pair.value) ? nil : NodeReader.Field(key: pair.key, value: pair.value)
            }
        }
        extra.space = nodes.string(field("space"))
        extra.lifetime = nodes.parsed(field("expires")) { Value.span($0, atLeast: Span(ns: 1_000_000)) }
        guard let line = field("line") else { return (readMapping(node), extra) }
        for (key, _) in mapping {
            let known = Extra.keys + ["name", "enabled"]
            guard let word = key.scalar?.string, !known.contains(word) else { continue }
            let hint = Suggestion.didYouMean(word, among: known)
            nodes.error(key, "\"\(word.shown)\" beside line; the line says it all\(hint)")
        }
        guard var rule = readLine(line.value) else { return (nil, extra) }
        if let name = field("name"), let text = nodes.string(name) {
            if let complaint = Rule.complaint(aboutName: text) { nodes.error(name.value, complaint.description) }
            rule.name = text
        }
        rule.isOn = nodes.parsed(field("enabled"), Value.switched) ?? true
        return (rule, extra)
    }
}

/// JSON as a reader of YAML takes it.
private enum JSONText {
    /// What JSON writes as two escapes of a surrogate pair (RFC 8259 §7), which YAML does not know, as the character.
    static func withoutSurrogates(_ octets: [UInt8]) -> [UInt8] {
        guard octets.count >= 12, octets.contains(UInt8(ascii: "\\")) else { return octets }
        var output: [UInt8] = []
        var at = 0
        while at < octets.count {
            if let high = escape(octets, at), (0xd800...0xdbff).contains(high), let low = escape(octets, at + 6),
                (0xdc00...0xdfff).contains(low),
                let scalar = Unicode.Scalar(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
            {
                output += Array(String(Character(scalar)).utf8)
                at += 12
            } else if octets[at] == UInt8(ascii: "\\"), at + 1 < octets.count {
                output += octets[at...at + 1]
                at += 2
            } else {
                output.append(octets[at])
                at += 1
            }
        }
        return output
    }

    /// `\uXXXX`
    private static func escape(_ octets: [UInt8], _ at: Int) -> UInt32? {
        guard at + 6 <= octets.count, octets[at] == UInt8(ascii: "\\"), octets[at + 1] == UInt8(ascii: "u") else {
            return nil
        }
        return UInt32(String(decoding: octets[(at + 2)..<(at + 6)], as: UTF8.self), radix: 16)
    }
}
