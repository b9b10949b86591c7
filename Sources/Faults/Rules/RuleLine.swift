// The grammar of a rule on the command line, and the way back from a rule to its line.
//
//     PHASE [name=NAME] [KEY=VALUE[,VALUE]…]… [GROUP]… [TIMES] [per=KEY[,KEY]…] [steps]: ACTION[, ACTION]…[; ACTION…]…
//
// - GROUP is `all(…)`, `any(…)` or `not(…)` with KEY=VALUE and groups between the parentheses.
// - TIMES is `first=N`, `nth=N`, `every=N`, `chance=N%`, `until=DURATION`, `after=DURATION`, `limit=N/DURATION`,
//   `at-once=N`, `octets=SIZE/DURATION`, `errors=N/DURATION`, `unknown-share=N%/N/DURATION`,
//   `greylist=WAIT..WINDOW/MEMORY`, `recover=DOWN..RAMP` or `always`.
// - A value ends at a space or comma, unless it stands in double quotes (`\"` and `\\` inside) or is a `/regular
//   expression/`. The colon that ends the head has a space behind it.
// - A comma inside the text of a reply belongs to the text, unless what follows it is an action: `close`, `keep` and
//   their like up to the next comma or the end, `delay`, `drip`, `slow-read`, `tarpit` with a digit behind them, `hide`
//   or `offer` with a keyword, `use`, `raw`, `tls` with a name of theirs, or a reply code. A reply in double quotes
//   ends at its quote.
// - With the word `steps`, a semicolon followed by an action ends a step.

import SMTP

/// A rule as one line: `rcpt to=*@full.test first=2 per=to: delay 200ms, 452 4.2.2 Mailbox full`.
package enum RuleLine {
    /// Longer lines are refused. Characters.
    package static let longestLine = 16_384

    package static func parse(_ line: String) throws(RuleError) -> Rule {
        let notes = examine(line)
        guard let rule = notes.rule else {
            throw notes.errors.first ?? RuleError(message: "not a rule", column: 1)
        }
        return rule
    }

    /// What a line says.
    package struct Notes: Sendable {
        /// nil when there is an error.
        package var rule: Rule?
        /// Everything there is to complain about.
        package var errors: [RuleError] = []
        package var warnings: [RuleError] = []
        /// Where each part stands, from 1, in characters.
        package var columns: [RulePart: Int] = [:]
    }

    package static func examine(_ line: String) -> Notes {
        var reader = RuleLineReader(line)
        let rule: Rule
        do throws(RuleError) {
            rule = try reader.read()
        } catch {
            return Notes(errors: [error])
        }
        var errors: [RuleError] = []
        var warnings: [RuleError] = []
        for issue in rule.issues() {
            let note = RuleError(message: issue.text.description, column: reader.columns[issue.part] ?? 1)
            if issue.isWarning { warnings.append(note) } else { errors.append(note) }
        }
        return Notes(
            rule: errors.isEmpty ? rule : nil, errors: errors, warnings: warnings, columns: reader.columns)
    }

    /// Parses back to the same rule.
    package static func line(of rule: Rule) -> String {
        var words = [rule.at.rawValue]
        if !rule.name.isEmpty { words.append("name=\(rule.name)") }
        words += rule.when.map { written($0, inGroup: false) } + rule.groups.map(written)
        var isSteps = false
        switch rule.schedule {
        case .times(let frequency, _): if let word = frequency.lineWord { words.append(word) }
        case .steps: isSteps = true
        }
        if !rule.per.isEmpty { words.append("per=" + rule.per.map(\.rawValue).joined(separator: ",")) }
        if isSteps { words.append("steps") }
        let steps = rule.schedule.steps.map { step in
            step.map { RuleLineReader.written($0, inSteps: isSteps) }.joined(separator: ", ")
        }
        return words.joined(separator: " ") + ": " + steps.joined(separator: "; ")
    }

    private static func written(_ condition: Condition, inGroup: Bool) -> String {
        let values = condition.tests.map { value(of: $0, inGroup: inGroup) }.joined(separator: ",")
        return "\(condition.key.rawValue)=\(values)"
    }

    private static func written(_ group: ConditionGroup) -> String {
        let parts = group.conditions.map { written($0, inGroup: true) } + group.groups.map(written)
        return "\(group.kind.rawValue)(" + parts.joined(separator: " ") + ")"
    }

    private static func value(of test: Condition.Test, inGroup: Bool) -> String {
        switch test {
        case .text, .network, .time: RuleLineReader.written(value: test.source, inGroup: inGroup)
        case .unixSocket, .number, .tls: test.source
        }
    }
}

/// What is wrong with a rule line.
package struct RuleError: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String
    /// From 1, in characters.
    package let column: Int

    package init(message: String, column: Int) {
        self.message = message
        self.column = column
    }

    package var description: String { "column \(column): \(message)" }
}

extension NumberTest: CustomStringConvertible {
    /// Parses back to the same test; sizes are plain octets here.
    package var description: String {
        switch comparison {
        case .range: "\(value)..\(upper)"
        case .equal: "\(value)"
        case .atLeast, .atMost, .more, .less: "\(comparison.rawValue)\(value)"
        }
    }
}
