// Reads one rule line from left to right and remembers at which column each part stood. The grammar is in
// RuleLine.swift.

import SMTP

struct RuleLineReader {
    let text: [Character]
    var at = 0
    /// Where each part stood, from 1.
    var columns: [RulePart: Int] = [:]

    private var name = ""
    var phase: Phase?
    private var when: [Condition] = []
    var groups: [ConditionGroup] = []
    /// Parentheses of groups that are open.
    var depth = 0
    private var frequency: Frequency?
    private var per: [CountKey] = []
    private var isSteps = false

    /// Every word that may stand in front of `=`.
    private static let keys = ConditionKey.all + ["name", "per"] + Frequency.lineWords

    init(_ line: String) { text = Array(line) }

    mutating func read() throws(RuleError) -> Rule {
        guard text.count <= RuleLine.longestLine else {
            throw RuleError(message: "a rule line has at most \(RuleLine.longestLine) characters", column: 1)
        }
        try readHead()
        guard let phase else { throw missing("a rule begins with its phase, as rcpt: 550 5.1.1 No such user") }
        let steps = try readActions()
        if isSteps, frequency != nil {
            throw RuleError(message: "steps and times exclude each other", column: columns[.schedule] ?? 1)
        }
        let schedule: Schedule = isSteps ? .steps(steps) : .times(frequency ?? .always, do: steps.first ?? [])
        return Rule(name: name, at: phase, when: when, groups: groups, schedule: schedule, per: per)
    }

    private func missing(_ message: String) -> RuleError { RuleError(message: message, column: 1) }

    // MARK: The head

    var isAtSpace: Bool { at < text.count && (text[at] == " " || text[at] == "\t") }

    mutating func skipSpace() { while isAtSpace { at += 1 } }

    /// The colon here ends the head: a space or nothing follows.
    func endsHead(_ index: Int) -> Bool {
        index < text.count && text[index] == ":"
            && (index + 1 == text.count || text[index + 1] == " " || text[index + 1] == "\t")
    }

    private mutating func readHead() throws(RuleError) {
        while true {
            skipSpace()
            let start = at
            guard at < text.count else {
                throw RuleError(
                    message:
                        "no \": \" that ends the head of the rule; write rcpt to=*@full.test: 452 4.2.2 Mailbox full",
                    column: max(1, text.count))
            }
            let word = readWord()
            if at < text.count, text[at] == "(" {
                if try takeGroup(word, column: start + 1) { return }
            } else if at < text.count, text[at] == "=" {
                at += 1
                if try readValues(of: word, column: start + 1) { return }
            } else {
                try takeWord(word, column: start + 1)
                if at < text.count, text[at] == ":" {
                    at += 1
                    return
                }
            }
        }
    }

    mutating func readWord() -> String {
        let start = at
        while at < text.count, !isAtSpace, text[at] != "=", text[at] != ":", text[at] != "(", text[at] != ")" {
            at += 1
        }
        return String(text[start..<at])
    }

    private mutating func takeWord(_ word: String, column: Int) throws(RuleError) {
        let lower = word.asciiLowercased
        if phase == nil {
            guard let known = Phase(rawValue: lower) else {
                throw RuleError(message: Phase.unknown(word), column: column)
            }
            phase = known
            columns[.at] = column
        } else if lower == "steps" {
            isSteps = true
        } else if lower == "always" || lower == "once" || lower.hasSuffix("%") {
            try take(Frequency.parse(lower), column: column)
        } else {
            throw RuleError(
                message:
                    """
                    "\(word.shown)" is no part of a rule's head\(Suggestion.didYouMean(word, among: Self.keys)); \
                    write KEY=VALUE, with a ":" and a space in front of the actions
                    """,
                column: column)
        }
    }

    private mutating func take(_ parsed: Result<Frequency, RuleText>, column: Int) throws(RuleError) {
        guard frequency == nil else {
            throw RuleError(message: "a second times; a rule has one", column: column)
        }
        frequency = try unwrap(parsed, column)
        columns[.schedule] = column
    }

    private func unwrap<Value>(_ result: Result<Value, RuleText>, _ column: Int) throws(RuleError) -> Value {
        switch result {
        case .success(let value): return value
        case .failure(let complaint): throw RuleError(message: complaint.description, column: column)
        }
    }

    /// - Returns: true when the colon that ends the head stood behind the values.
    private mutating func readValues(of word: String, column: Int) throws(RuleError) -> Bool {
        guard phase != nil else {
            throw RuleError(message: "a rule begins with its phase, not with \(word.shown)=", column: column)
        }
        var ended = false
        let (values, starts) = try readList(&ended)
        try take(word, values, starts, column: column)
        return ended
    }

    mutating func readList(_ ended: inout Bool) throws(RuleError) -> (values: [String], starts: [Int]) {
        var values: [String] = []
        var starts: [Int] = []
        repeat {
            starts.append(at + 1)
            values.append(try readValue(&ended))
            guard !ended, at < text.count, text[at] == "," else { break }
            at += 1
            if at == text.count || isAtSpace || endsHead(at) {
                throw RuleError(
                    message: "no value behind the comma; values stand without spaces between them", column: at)
            }
        } while true
        return (values, starts)
    }

    private mutating func readValue(_ ended: inout Bool) throws(RuleError) -> String {
        let start = at
        var value = ""
        if at < text.count, text[at] == "\"" {
            value = try readQuoted()
        } else if at < text.count, text[at] == "/" {
            try skipRegex()
            value = String(text[start..<at])
        } else {
            while at < text.count, !isAtSpace, text[at] != ",", !endsHead(at), !closesGroup { at += 1 }
            value = String(text[start..<at])
        }
        if endsHead(at) {
            at += 1
            ended = true
        } else if at < text.count, !isAtSpace, text[at] != ",", !closesGroup {
            throw RuleError(message: "a space, a comma or \": \" must follow the value", column: at + 1)
        }
        return value
    }

    private var closesGroup: Bool { depth > 0 && at < text.count && text[at] == ")" }

    private mutating func skipRegex() throws(RuleError) {
        let start = at
        at += 1
        while at < text.count, text[at] != "/" { at += text[at] == "\\" ? 2 : 1 }
        guard at < text.count else {
            at = text.count
            throw RuleError(message: "this regular expression has no / at its end", column: start + 1)
        }
        at += 1
        if at < text.count, text[at] == "i" { at += 1 }
    }

    /// Between double quotes `\"` is a quote and `\\` a backslash; every other backslash stays.
    private mutating func readQuoted() throws(RuleError) -> String {
        let start = at
        at += 1
        var value = ""
        while at < text.count, text[at] != "\"" {
            if text[at] == "\\", at + 1 < text.count, text[at + 1] == "\"" || text[at + 1] == "\\" { at += 1 }
            value.append(text[at])
            at += 1
        }
        guard at < text.count else { throw RuleError(message: "this quote is not closed", column: start + 1) }
        at += 1
        return value
    }

    private mutating func take(
        _ word: String, _ values: [String], _ starts: [Int], column: Int
    ) throws(RuleError) {
        let lower = word.asciiLowercased
        if let key = ConditionKey(rawValue: lower) {
            guard !when.contains(where: { $0.key == key }) else {
                throw RuleError(
                    message: "a second \(lower)=; several values stand behind one, with commas", column: column)
            }
            columns[.condition(when.count)] = column
            when.append(try condition(word, values, starts, column: column))
            return
        }
        switch lower {
        case "name":
            let joined = values.joined(separator: ",")
            if let complaint = Rule.complaint(aboutName: joined) {
                throw RuleError(message: complaint.description, column: starts[0])
            }
            guard name.isEmpty else { throw RuleError(message: "a second name=", column: column) }
            name = joined
            columns[.name] = column
        case "per":
            guard per.isEmpty else { throw RuleError(message: "a second per=; write per=client,from", column: column) }
            for (value, start) in zip(values, starts) { per.append(try unwrap(CountKey.parse(value), start)) }
            columns[.per] = column
        case let known where Frequency.lineWords.contains(known):
            try take(Frequency.parse(word: lower, argument: values.joined(separator: ",")), column: column)
        default:
            if let sign = word.last, sign == ">" || sign == "<", ConditionKey(rawValue: String(lower.dropLast())) != nil
            {
                let value = values.joined(separator: ",")
                throw RuleError(
                    message: "a condition is KEY=VALUE; did you mean \"\(lower.dropLast())=\(sign)=\(value.shown)\"?",
                    column: column)
            }
            throw RuleError(message: ConditionKey.unknown(word, among: Self.keys), column: column)
        }
    }

    // MARK: The actions

    private mutating func readActions() throws(RuleError) -> [[RuleAction]] {
        var steps: [[RuleAction]] = []
        var step: [RuleAction] = []
        repeat {
            skipSpace()
            columns[.action(step: steps.count, index: step.count)] = at + 1
            step.append(try readAction())
            skipSpace()
            guard at < text.count else { break }
            if text[at] == ";" {
                steps.append(step)
                step = []
            }
            at += 1
        } while true
        steps.append(step)
        return steps
    }

    private mutating func readAction() throws(RuleError) -> RuleAction {
        let start = at
        if at < text.count, text[at] == "\"" {
            let quoted = try readQuoted()
            skipSpace()
            guard at == text.count || isSeparator(at) else {
                throw RuleError(message: "a comma must follow the quote", column: at + 1)
            }
            return try unwrap(RuleAction.parse(quoted), start + 1)
        }
        try skipRawQuote()
        let isReply = at < text.count && at == start && text[at].isASCII && text[at].isNumber
        while at < text.count, !(isSeparator(at) && (!isReply || Self.beginsAction(text[(at + 1)...]))) { at += 1 }
        return try unwrap(RuleAction.parse(String(text[start..<at]).trimmed), start + 1)
    }

    /// Behind the octets of `raw "…"`, in which commas and semicolons end nothing.
    private mutating func skipRawQuote() throws(RuleError) {
        var index = at
        for letter in ActionWord.raw.rawValue {
            guard index < text.count, text[index].lowercased() == String(letter) else { return }
            index += 1
        }
        let space = index
        while index < text.count, text[index] == " " || text[index] == "\t" { index += 1 }
        guard index > space, index < text.count, text[index] == "\"" else { return }
        let start = index
        index += 1
        while index < text.count, text[index] != "\"" { index += text[index] == "\\" ? 2 : 1 }
        guard index < text.count else { throw RuleError(message: "this quote is not closed", column: start + 1) }
        at = index + 1
    }

    private func isSeparator(_ index: Int) -> Bool {
        text[index] == "," || (isSteps && text[index] == ";")
    }

    /// An action begins here, so the comma or semicolon in front of it ends a reply.
    private static func beginsAction(_ text: ArraySlice<Character>) -> Bool {
        let rest = text.drop { $0 == " " || $0 == "\t" }
        guard let first = rest.first else { return false }
        if first == "\"" { return true }
        let word = rest.prefix { $0 != " " && $0 != "\t" && $0 != "," && $0 != ";" }
        let behind = rest.dropFirst(word.count).drop { $0 == " " || $0 == "\t" }
        if let known = ActionWord(rawValue: String(word).asciiLowercased) {
            if known.takesNothing { return behind.isEmpty || behind.first == "," || behind.first == ";" }
            return known.takes(Substring(String(behind.prefix { $0 != " " && $0 != "," && $0 != ";" })))
        }
        let digits = word.prefix(3)
        guard digits.count == 3, word.count == 3 || word[word.startIndex + 3] == "-", let code = Int(String(digits)),
            digits.allSatisfy({ $0.isASCII && $0.isNumber })
        else { return false }
        return ReplyCode(code) != nil
    }

    // MARK: The way back

    /// An action, in quotes when it would otherwise be read differently.
    static func written(_ action: RuleAction, inSteps: Bool) -> String {
        let plain = action.description
        guard case .reply = action else { return plain }
        let characters = Array(plain)
        let isSplit = characters.indices.contains { index in
            (characters[index] == "," || (inSteps && characters[index] == ";"))
                && beginsAction(characters[(index + 1)...])
        }
        return isSplit || plain.trimmed != plain || plain.hasSuffix(",") || plain.hasSuffix(";") ? quoted(plain) : plain
    }

    static func written(value: String, inGroup: Bool = false) -> String {
        var reader = RuleLineReader(value + " ")
        reader.depth = inGroup ? 1 : 0
        var ended = false
        if !value.hasPrefix("\""), let read = try? reader.readValue(&ended), read == value, !ended,
            reader.at == value.count,
            !value.isEmpty, !value.hasSuffix(":")
        {
            return value
        }
        return quoted(value)
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}

extension Phase {
    static let words = allCases.map(\.rawValue)

    package static func unknown(_ word: String) -> String {
        let spoken = [
            "dot": "end-of-data", "eod": "end-of-data", "helo": "ehlo", "banner": "greeting", "handshake": "tls",
        ]
        let hint =
            spoken[word.asciiLowercased].map { "; did you mean \"\($0)\"?" }
            ?? Suggestion.didYouMean(word, among: words)
        return "unknown phase \"\(word.shown)\"\(hint); known are \(words.joined(separator: ", "))"
    }
}
