// Groups of conditions on a rule line: `any(to=a@b not(client=10.0.0.0/8))`.

extension RuleLineReader {
    /// `any(to=a@b from=<>)`, behind its word.
    ///
    /// - Returns: true when the colon that ends the head stood behind it.
    mutating func takeGroup(_ word: String, column: Int) throws(RuleError) -> Bool {
        guard phase != nil else {
            throw RuleError(message: "a rule begins with its phase, not with \(word.shown)(", column: column)
        }
        columns[.group(groups.count)] = column
        groups.append(try readGroup(word, column: column))
        if endsHead(at) {
            at += 1
            return true
        }
        guard at == text.count || isAtSpace else {
            throw RuleError(message: "a space or \": \" must follow the parenthesis", column: at + 1)
        }
        return false
    }

    /// At the parenthesis that opens; ends behind the one that closes.
    private mutating func readGroup(_ word: String, column: Int) throws(RuleError) -> ConditionGroup {
        guard let kind = ConditionGroup.Kind(rawValue: word.asciiLowercased) else {
            let known = ConditionGroup.Kind.allCases.map(\.rawValue)
            throw RuleError(
                message: "\"\(word.shown)(\" opens no group\(Suggestion.didYouMean(word, among: known)); known are "
                    + known.map { $0 + "(…)" }.joined(separator: ", "),
                column: column)
        }
        guard depth < ConditionGroup.deepest else {
            throw RuleError(message: "groups inside groups, \(ConditionGroup.deepest) at most", column: column)
        }
        at += 1
        depth += 1
        defer { depth -= 1 }
        var conditions: [Condition] = []
        var inner: [ConditionGroup] = []
        while true {
            skipSpace()
            guard at < text.count else { throw RuleError(message: "this group is not closed", column: column) }
            if text[at] == ")" {
                at += 1
                break
            }
            let start = at
            let word = readWord()
            if at < text.count, text[at] == "(" {
                inner.append(try readGroup(word, column: start + 1))
            } else if at < text.count, text[at] == "=", !word.isEmpty {
                at += 1
                var ended = false
                let (values, starts) = try readList(&ended)
                if ended { throw RuleError(message: "this group is not closed", column: column) }
                conditions.append(try condition(word, values, starts, column: start + 1))
            } else {
                throw RuleError(
                    message: "a group holds KEY=VALUE and groups, with spaces between them", column: start + 1)
            }
        }
        guard !conditions.isEmpty || !inner.isEmpty else { throw RuleError(message: "an empty group", column: column) }
        return ConditionGroup(kind, conditions, inner)
    }

    mutating func condition(
        _ word: String, _ values: [String], _ starts: [Int], column: Int
    ) throws(RuleError) -> Condition {
        guard let key = ConditionKey(rawValue: word.asciiLowercased) else {
            throw RuleError(message: ConditionKey.unknown(word), column: column)
        }
        switch Condition.parse(key, values) {
        case .success(let condition): return condition
        case .failure(let complaint):
            throw RuleError(
                message: complaint.text.description,
                column: starts.indices.contains(complaint.index) ? starts[complaint.index] : column)
        }
    }
}
