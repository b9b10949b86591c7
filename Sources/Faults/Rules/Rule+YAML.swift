// A rule as YAML, as a file says it: for those who build one and want to keep it, and for scenarios that are made.

extension Rule {
    /// A mapping of its own. It reads back to a rule that does the same.
    package var yaml: String {
        var text = name.isEmpty ? "" : "name: \(YAMLScalar.quoted(name))\n"
        text += "at: \(at.rawValue)\n"
        if !when.isEmpty || !groups.isEmpty { text += "when: \(Self.flow(when, groups))\n" }
        let per = per.map(\.rawValue).joined(separator: ", ")
        switch schedule {
        case .times(let frequency, let actions):
            if frequency != .always || !per.isEmpty {
                text += "times: \(frequency)\(per.isEmpty ? "" : " per " + per)\n"
            }
            text += "do:\n" + Self.list(actions, indent: "  ")
        case .steps(let steps):
            if !per.isEmpty { text += "per: \(YAMLScalar.quoted(per))\n" }
            text += "steps:\n"
            for step in steps { text += step.isEmpty ? "  - []\n" : "  -\n" + Self.list(step, indent: "    ") }
        }
        if !isOn { text += "enabled: false\n" }
        return text
    }

    private static func list(_ actions: [RuleAction], indent: String) -> String {
        actions.map { "\(indent)- \(YAMLScalar.quoted($0.description))\n" }.joined()
    }

    /// Conditions in braces. A key stands once in a mapping: what has the same key stands in `all`.
    private static func flow(_ conditions: [Condition], _ groups: [ConditionGroup]) -> String {
        var entries: [(key: String, value: String)] = []
        var again: [(key: String, value: String)] = []
        func add(_ key: String, _ value: String) {
            if entries.contains(where: { $0.key == key }) {
                again.append((key, value))
            } else {
                entries.append((key, value))
            }
        }
        for condition in conditions {
            let values = condition.tests.map { YAMLScalar.quoted($0.source) }
            add(condition.key.rawValue, values.count == 1 ? values[0] : "[" + values.joined(separator: ", ") + "]")
        }
        for group in groups { add(group.kind.rawValue, flow(group.conditions, group.groups)) }
        if !again.isEmpty {
            let all = ConditionGroup.Kind.all.rawValue
            let own = entries.filter { $0.key == all }
            entries.removeAll { $0.key == all }
            entries.append((all, "[" + (own + again).map { flow([$0]) }.joined(separator: ", ") + "]"))
        }
        return flow(entries)
    }

    private static func flow(_ entries: [(key: String, value: String)]) -> String {
        entries.isEmpty
            ? "{}"
            : "{ " + entries.map { "\(YAMLScalar.key($0.key)): \($0.value)" }.joined(separator: ", ") + " }"
    }
}

extension Condition.Test {
    /// As it is written as a value of its own.
    package var source: String {
        switch self {
        case .text(let pattern): pattern.source
        case .network(let network): network.description
        case .time(let time): time.description
        case .unixSocket: "unix"
        case .number(let number): number.description
        case .tls(let test): test.rawValue
        }
    }
}

package enum YAMLScalar {
    /// Plain where that reads back.
    static func key(_ word: String) -> String {
        let isPlain = word.utf8.allSatisfy { (97...122).contains($0) || $0 == 45 || $0 == 46 }
        return isPlain ? word : quoted(word)
    }

    /// A double-quoted scalar on one line (YAML 1.2 §7.3.1).
    package static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case _ where isPlain(scalar): quoted.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                let (mark, width) = scalar.value < 0x100 ? ("x", 2) : scalar.value < 0x10000 ? ("u", 4) : ("U", 8)
                quoted += "\\\(mark)" + String(repeating: "0", count: width - digits.count) + digits
            }
        }
        return quoted + "\""
    }

    /// Shows as itself, and is no line end to YAML.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x20..<0x7f).contains(scalar.value) }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}
