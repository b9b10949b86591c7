// The rules of a YAML file: mappings with `name at when times per steps do enabled`, or lines of the command-line
// grammar.

import Faults
import SMTP
import Yams

struct RuleReader {
    var nodes: NodeReader
    /// Keys that somebody else reads.
    var extraKeys: [String] = []

    private static let keys = ["name", "at", "when", "times", "per", "steps", "do", "enabled"]

    mutating func read(_ field: NodeReader.Field?) -> [Settings.PlacedRule] {
        guard let list = nodes.list(field) else { return [] }
        return list.compactMap { node in
            let rule = node.scalar == nil ? mapping(node) : line(node)
            return rule.map { Settings.PlacedRule(rule: $0.rule, place: nodes.place(node), actions: $0.actions) }
        }
    }

    mutating func readMapping(_ node: Node) -> Rule? { mapping(node)?.rule }
    mutating func readLine(_ node: Node) -> Rule? { line(node)?.rule }

    /// A rule, and where its actions stand.
    private typealias Read = (rule: Rule, actions: [RulePart: Place])

    private mutating func line(_ node: Node) -> Read? {
        guard let text = nodes.string(node, of: "a rule") else { return nil }
        let notes = RuleLine.examine(text)
        for error in notes.errors {
            nodes.add(Complaint(nodes.place(node, offset: error.column - 1), error.message))
        }
        for warning in notes.warnings {
            nodes.add(Complaint(.warning, nodes.place(node, offset: warning.column - 1), warning.message))
        }
        return notes.rule.map { ($0, notes.columns.mapValues { nodes.place(node, offset: $0 - 1) }) }
    }

    // MARK: A rule as a mapping

    /// Where each part of the rule stands, for complaints about its sense.
    private struct Places {
        var parts: [RulePart: Node] = [:]
        let rule: Node

        func of(_ part: RulePart) -> Node { parts[part] ?? rule }
    }

    private mutating func mapping(_ node: Node) -> Read? {
        let before = nodes.complaints.count
        if case .mapping(let mapping) = node, mapping.count == 1, let key = mapping.first?.key,
            let word = key.scalar?.string,
            Phase(rawValue: String(word.prefix { $0 != " " })) != nil
        {
            nodes.error(key, "a rule on one line stands in quotes, as - \"rcpt: 550 5.1.1 No such user\"")
            return nil
        }
        let fields = nodes.fields(of: node, known: Self.keys + extraKeys, in: "a rule")
        guard case .mapping = node else { return nil }
        var places = Places(rule: node)
        let name = name(fields["name"], &places)
        let phase = phase(fields["at"], node, &places)
        let when = conditions(fields["when"], in: nil, &places)
        let (schedule, per) = schedule(fields, node, &places)
        let isOn = nodes.parsed(fields["enabled"], Value.switched) ?? true
        // A rule that was not understood in full is not judged.
        guard nodes.complaints.count == before, let phase, let schedule else { return nil }
        let rule = Rule(
            name: name, at: phase, when: when.conditions, groups: when.groups, schedule: schedule, per: per,
            isOn: isOn)
        var isSound = true
        for issue in rule.issues() {
            isSound = isSound && issue.isWarning
            let place = nodes.place(places.of(issue.part))
            nodes.add(Complaint(issue.isWarning ? .warning : .error, place, issue.text.description))
        }
        return isSound ? (rule, places.parts.mapValues { nodes.place($0) }) : nil
    }

    private mutating func name(_ field: NodeReader.Field?, _ places: inout Places) -> String {
        guard let field, let name = nodes.string(field) else { return "" }
        places.parts[.name] = field.value
        if let complaint = Rule.complaint(aboutName: name) { nodes.error(field.value, complaint.description) }
        return name
    }

    private mutating func phase(_ field: NodeReader.Field?, _ rule: Node, _ places: inout Places) -> Phase? {
        guard let field else {
            nodes.error(rule, "a rule needs its phase, as at: rcpt")
            return nil
        }
        guard let word = nodes.string(field) else { return nil }
        places.parts[.at] = field.value
        guard let phase = Phase(rawValue: word.trimmed.asciiLowercased) else {
            nodes.error(field.value, Phase.unknown(word))
            return nil
        }
        return phase
    }

    /// The conditions of a rule, or of a group in it.
    private mutating func conditions(
        _ field: NodeReader.Field?, in group: Int?, depth: Int = 0, _ places: inout Places
    ) -> (conditions: [Condition], groups: [ConditionGroup]) {
        guard let field else { return ([], []) }
        let what = field.key.scalar?.string ?? "when"
        guard case .mapping(let mapping) = field.value else {
            nodes.error(field.value, "\(what) is written as conditions with values, as { to: \"*@full.test\" }")
            return ([], [])
        }
        var conditions: [Condition] = []
        var groups: [ConditionGroup] = []
        for (key, value) in mapping {
            guard let word = key.scalar?.string else {
                nodes.error(key, "a condition is a word")
                continue
            }
            if word.unicodeScalars.first == YAMLText.maskedKey { continue }
            if let kind = ConditionGroup.Kind(rawValue: word) {
                if group == nil { places.parts[.group(groups.count)] = key }
                groups += read(kind, NodeReader.Field(key: key, value: value), group ?? groups.count, depth, &places)
                continue
            }
            guard let known = ConditionKey(rawValue: word) else {
                let all = ConditionKey.all + ConditionGroup.Kind.allCases.map(\.rawValue)
                nodes.error(key, ConditionKey.unknown(word, among: all))
                continue
            }
            if nodes.isNull(value) {
                nodes.error(key, "\(word) has no value\(known == .from ? "; the null sender is \"<>\"" : "")")
                continue
            }
            guard let texts = nodes.strings(NodeReader.Field(key: key, value: value)) else { continue }
            switch Condition.parse(known, texts.map(\.text)) {
            case .success(let condition):
                if group == nil { places.parts[.condition(conditions.count)] = key }
                conditions.append(condition)
            case .failure(let complaint):
                let node = texts.indices.contains(complaint.index) ? texts[complaint.index].node : value
                nodes.error(node, complaint.text.description)
            }
        }
        return (conditions, groups)
    }

    /// `any:`, `all:` or `not:` with one mapping, or with a list of them of which each is a group of its own.
    private mutating func read(
        _ kind: ConditionGroup.Kind, _ field: NodeReader.Field, _ group: Int, _ depth: Int, _ places: inout Places
    ) -> [ConditionGroup] {
        guard depth < ConditionGroup.deepest else {
            nodes.error(field.key, "groups inside groups, \(ConditionGroup.deepest) at most")
            return []
        }
        guard case .sequence(let list) = field.value else {
            let inside = conditions(field, in: group, depth: depth + 1, &places)
            if inside.conditions.isEmpty, inside.groups.isEmpty { nodes.error(field.value, "an empty group") }
            return [ConditionGroup(kind, inside.conditions, inside.groups)]
        }
        var inner: [ConditionGroup] = []
        for node in list {
            let inside = conditions(NodeReader.Field(key: field.key, value: node), in: group, depth: depth + 1, &places)
            guard !inside.conditions.isEmpty || !inside.groups.isEmpty else { continue }
            inner.append(ConditionGroup(.all, inside.conditions, inside.groups))
        }
        if inner.isEmpty { nodes.error(field.value, "an empty group") }
        // Neither of them, not "not both".
        return [
            kind == .not ? ConditionGroup(.not, [], [ConditionGroup(.any, [], inner)]) : ConditionGroup(kind, [], inner)
        ]
    }

    // MARK: Times, steps and what is done

    private mutating func schedule(
        _ fields: [String: NodeReader.Field], _ rule: Node, _ places: inout Places
    ) -> (Schedule?, [CountKey]) {
        let times = nodes.parsed(fields["times"], Times.parse)
        if let field = fields["times"] {
            places.parts[.schedule] = field.value
            places.parts[.per] = field.value
        }
        var per = times?.per ?? []
        if let field = fields["per"], let texts = nodes.strings(field) {
            places.parts[.per] = field.value
            if !per.isEmpty { nodes.error(field.key, "per stands in times already") }
            per = []
            for (node, text) in texts {
                for word in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
                    switch CountKey.parse(String(word)) {
                    case .success(let key): per.append(key)
                    case .failure(let complaint): nodes.error(node, complaint.description)
                    }
                }
            }
        }
        if let field = fields["steps"] {
            places.parts[.schedule] = field.value
            for other in ["times", "do"] {
                if let second = fields[other] {
                    nodes.error(second.key, "\(other) beside steps; a rule has one of the two")
                }
            }
            return (steps(field, &places).map(Schedule.steps), per)
        }
        guard let field = fields["do"] else {
            nodes.error(rule, "a rule needs what it does, as do: [ \"550 5.1.1 No such user\" ]")
            return (nil, per)
        }
        let list: [Node] = if case .sequence(let sequence) = field.value { Array(sequence) } else { [field.value] }
        if list.isEmpty { nodes.error(field.value, "do is empty; write a reply, close, delay 2s …") }
        return (.times(times?.frequency ?? .always, do: actions(list, step: 0, &places)), per)
    }

    private mutating func steps(_ field: NodeReader.Field, _ places: inout Places) -> [[RuleAction]]? {
        guard let list = nodes.list(field) else { return nil }
        return list.enumerated().map { index, node in
            let parts: [Node] = if case .sequence(let sequence) = node { Array(sequence) } else { [node] }
            if parts.isEmpty { nodes.error(node, "an empty step; write accept for none") }
            return actions(parts, step: index, &places)
        }
    }

    private mutating func actions(_ list: [Node], step: Int, _ places: inout Places) -> [RuleAction] {
        var actions: [RuleAction] = []
        for node in list {
            guard let text = nodes.string(node, of: "an action") else { continue }
            switch RuleAction.parse(text) {
            case .success(let action):
                places.parts[.action(step: step, index: actions.count)] = node
                actions.append(action)
            case .failure(let complaint): nodes.error(node, complaint.description)
            }
        }
        return actions
    }
}
