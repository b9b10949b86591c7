// The conditions of a rule: a key, and one or several tests of which one must hold; and groups of them, for what all of
// one level cannot say.

import SMTP

/// One condition: it holds when one of its tests does.
package struct Condition: Sendable, Hashable {
    package let key: ConditionKey
    package let tests: [Test]

    package init(key: ConditionKey, tests: [Test]) {
        self.key = key
        self.tests = tests
    }

    package enum Test: Sendable, Hashable {
        case text(TextPattern)
        case network(Network)
        /// A client on a Unix socket.
        case unixSocket
        case number(NumberTest)
        case tls(TLSTest)
        case time(DayTime)
    }
}

/// Conditions that hold together as the kind says. A rule's own conditions must all hold; a group stands among them.
package struct ConditionGroup: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case all, any
        /// Not all of them.
        case not
    }

    package let kind: Kind
    package let conditions: [Condition]
    package let groups: [ConditionGroup]

    package init(_ kind: Kind, _ conditions: [Condition], _ groups: [ConditionGroup] = []) {
        self.kind = kind
        self.conditions = conditions
        self.groups = groups
    }

    /// Groups inside groups, at most.
    package static let deepest = 8

    /// Its conditions and those of all groups inside.
    package var allConditions: [Condition] { conditions + groups.flatMap(\.allConditions) }

    package var depth: Int { 1 + (groups.map(\.depth).max() ?? 0) }
}

/// What a condition on `tls` asks for.
package enum TLSTest: String, Sendable, Hashable, CaseIterable {
    case none, any
    case version1_0 = "TLSv1"
    case version1_1 = "TLSv1.1"
    case version1_2 = "TLSv1.2"
    case version1_3 = "TLSv1.3"

    func holds(_ version: String?) -> Bool {
        switch self {
        case .none: version == nil
        case .any: version != nil
        case .version1_0, .version1_1, .version1_2, .version1_3: version == rawValue
        }
    }
}

/// A comparison with a number.
package struct NumberTest: Sendable, Hashable {
    package enum Operator: String, Sendable, Hashable, CaseIterable {
        case atLeast = ">="
        case atMost = "<="
        case more = ">"
        case less = "<"
        case equal = "="
        case range = ".."
    }

    package let comparison: Operator
    package let value: UInt64
    /// The upper end of a range, part of it.
    package let upper: UInt64

    func holds(_ number: UInt64) -> Bool {
        switch comparison {
        case .atLeast: number >= value
        case .atMost: number <= value
        case .more: number > value
        case .less: number < value
        case .equal: number == value
        case .range: (value...max(value, upper)).contains(number)
        }
    }
}

extension Condition {
    /// At most this many tests in one condition.
    package static let mostTests = 1000

    /// Parses the values of a condition.
    /// - Returns: the index of the value at fault beside the complaint.
    package static func parse(_ key: ConditionKey, _ values: [String]) -> Result<Condition, ValueComplaint> {
        guard !values.isEmpty else { return .failure(ValueComplaint(index: 0, text: "\(key.rawValue) has no value")) }
        guard values.count <= mostTests else {
            return .failure(ValueComplaint(index: mostTests, text: "more than \(mostTests) values"))
        }
        var tests: [Test] = []
        for (index, value) in values.enumerated() {
            switch parse(key, value) {
            case .success(let test): tests.append(test)
            case .failure(let complaint): return .failure(ValueComplaint(index: index, text: complaint))
            }
        }
        return .success(Condition(key: key, tests: tests))
    }

    package struct ValueComplaint: Error, Sendable {
        package let index: Int
        package let text: RuleText
    }

    private static func parse(_ key: ConditionKey, _ value: String) -> Result<Test, RuleText> {
        switch key {
        case .from, .to:
            // As it stands in a command and in a transcript: <bob@b.test>; <> is the null sender.
            let word = value.trimmed
            if key == .to, word.isEmpty || word == "<>" { return .failure("to has no value; no recipient is empty") }
            let isBracketed = word != "<>" && word.hasPrefix("<") && word.hasSuffix(">")
            return TextPattern.parse(isBracketed ? String(word.dropFirst().dropLast()) : value).map(Test.text)
        case .helo, .user, .listener, .header, .body, .messageID, .parameter:
            return TextPattern.parse(value).map(Test.text)
        case .space:
            guard Space.isName(value) else {
                return .failure("a space is a name of letters, digits, - and _, not \"\(value.shown)\"")
            }
            return TextPattern.parse(value).map(Test.text)
        case .hello:
            let word = value.trimmed.asciiLowercased
            guard word == "ehlo" || word == "helo" else {
                return .failure(
                    "hello is ehlo or helo, not \"\(value.shown)\"; the name behind it is the condition helo")
            }
            return TextPattern.parse(word).map(Test.text)
        case .time:
            return DayTime.parse(value).map(Test.time)
        case .links:
            // How many, or what one of them looks like.
            guard let first = value.trimmed.unicodeScalars.first, "<>=0123456789".unicodeScalars.contains(first) else {
                return TextPattern.parse(value).map(Test.text)
            }
            return NumberTest.parse(value, number: NumberTest.count).map(Test.number)
        case .client:
            if value.trimmed.asciiLowercased == "unix" { return .success(.unixSocket) }
            return Network.parse(value.trimmed).map(Test.network)
        case .tls:
            let word = value.trimmed.asciiLowercased
            if let test = TLSTest.allCases.first(where: { $0.rawValue.asciiLowercased == word }) {
                return .success(.tls(test))
            }
            let known = TLSTest.allCases.map(\.rawValue)
            return .failure(
                """
                tls is \(known.joined(separator: ", ")), not \
                "\(value.shown)"\(Suggestion.didYouMean(value, among: known))
                """
            )
        case .size:
            return NumberTest.parse(value) { ByteSize.parse($0).map(\.octets) }.map(Test.number)
        case .recipients, .attempt, .messageAttempt:
            return NumberTest.parse(value, number: NumberTest.count).map(Test.number)
        }
    }
}

extension NumberTest {
    /// Parses `>10KB`, `>= 3`, `5`, `2..4`.
    static func parse(
        _ text: String, number: (String) -> Result<UInt64, RuleText>
    ) -> Result<NumberTest, RuleText> {
        let trimmed = text.trimmed
        if let dots = trimmed.firstRange(of: "..") {
            let ends = number(String(trimmed[..<dots.lowerBound])).flatMap { low in
                number(String(trimmed[dots.upperBound...])).map { (low, $0) }
            }
            return ends.flatMap { low, high in
                guard low <= high else { return .failure("the range \"\(text.shown)\" ends before it begins") }
                return .success(NumberTest(comparison: .range, value: low, upper: high))
            }
        }
        let sign = Operator.allCases.first { $0 != .range && trimmed.hasPrefix($0.rawValue) }
        let rest = sign.map { trimmed.dropFirst($0.rawValue.count) } ?? Substring(trimmed)
        return number(String(rest).trimmed).flatMap { value in
            if sign == .less, value == 0 { return .failure("nothing is less than 0") }
            return .success(NumberTest(comparison: sign ?? .equal, value: value, upper: value))
        }
    }

    static func count(_ text: String) -> Result<UInt64, RuleText> {
        let digits = text.trimmed
        guard (1...9).contains(digits.utf8.count), digits.utf8.allSatisfy({ (48...57).contains($0) }),
            let value = UInt64(digits)
        else { return .failure("\"\(text.shown)\" is not a number; write 3, >3, >=3, <3 or 2..4") }
        return .success(value)
    }
}
