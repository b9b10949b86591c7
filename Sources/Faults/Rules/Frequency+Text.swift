// `times` and `per` as text, in both directions: `first 2 per to`, `30%`, `until 5m`.

extension Frequency: CustomStringConvertible {
    /// The words of `times`, for the nearest word to a misspelt one.
    package static let words =
        ["always", "once", "first", "nth", "every", "until", "after", "greylist", "recover"]
        + Allowance.Kind.allCases.map(\.rawValue)

    /// The words that stand in front of `=` on a rule line.
    static let lineWords = words.filter { $0 != "always" && $0 != "once" } + ["chance"]

    /// Parses `always`, `first 2`, `nth 3`, `every 5`, `30%`, `until 5m`, `after 1h`.
    package static func parse(_ text: String) -> Result<Frequency, RuleText> {
        let parts = text.split { $0 == " " || $0 == "\t" }
        guard let head = parts.first else { return .failure("times is empty; write always, first 2, 30% …") }
        let word = String(head).asciiLowercased
        if word.hasSuffix("%") || (parts.count == 2 && parts[1] == "%") {
            guard word.hasSuffix("%") ? parts.count == 1 : true else { return .failure(unknown(text)) }
            return parseChance(word.hasSuffix("%") ? String(word.dropLast()) : word)
        }
        if word == "always" { return parts.count == 1 ? .success(.always) : .failure(unknown(text)) }
        if word == "once" { return parts.count == 1 ? .success(.first(1)) : .failure(unknown(text)) }
        guard words.contains(word) else { return .failure(unknown(text)) }
        let argument = parts.dropFirst().joined(separator: " ")
        guard parts.count == 2 || takesSeveral(word) else {
            return .failure("\(word) needs one number or duration behind it, as first 2 or until 5m")
        }
        return parse(word: word, argument: argument)
    }

    private static func takesSeveral(_ word: String) -> Bool {
        word == "greylist" || Allowance.Kind(rawValue: word) != nil
    }

    /// For `first=2` on a rule line; `chance` is the word for a percentage there.
    static func parse(word: String, argument: String) -> Result<Frequency, RuleText> {
        if let kind = Allowance.Kind(rawValue: word) { return Allowance.parse(kind, argument).map(Frequency.allowance) }
        return switch word {
        case "greylist": Greylist.parse(argument).map(Frequency.greylist)
        case "recover": Recovery.parse(argument).map(Frequency.recover)
        case "first": count(argument).map(Frequency.first)
        case "nth": count(argument).map(Frequency.nth)
        case "every": count(argument).map(Frequency.every)
        case "until": span(argument).map(Frequency.until)
        case "after": span(argument).map(Frequency.after)
        case "chance":
            argument.hasSuffix("%")
                ? parseChance(String(argument.dropLast())) : .failure("chance is a percentage, as chance=30%")
        default: .failure(unknown(word))
        }
    }

    private static func unknown(_ text: String) -> RuleText {
        let word = String(text.prefix { $0 != " " })
        return """
            "\(text.shown)" is no times\(Suggestion.didYouMean(word, among: words)); write always, once, first N, \
            nth N, every N, N%, until DURATION, after DURATION, limit N in DURATION, at-once N, \
            octets SIZE in DURATION, \
            errors N in DURATION, unknown-share N%, greylist WAIT..WINDOW or recover DOWN..RAMP
            """
    }

    private static func count(_ text: String) -> Result<Int, RuleText> {
        NumberTest.count(text).mapError { _ in RuleText("\"\(text.shown)\" is not a whole number") }.flatMap { value in
            value > 0 ? .success(Int(value)) : .failure("0 times is never; leave the rule out")
        }
    }

    private static func span(_ text: String) -> Result<Span, RuleText> {
        Span.parse(text).flatMap { $0.ns > 0 ? .success($0) : .failure("a duration of 0 means nothing here") }
    }

    private static func parseChance(_ text: String) -> Result<Frequency, RuleText> {
        guard let (number, rest) = Decimal.read(Substring(text)), rest.isEmpty, let millionths = number.times(10_000)
        else {
            return .failure(
                "\"\(text.shown)%\" is not a percentage; write a number with at most four decimals, as 30% or 0.5%")
        }
        guard (1...1_000_000).contains(millionths) else {
            return .failure("\"\(text.shown)%\" is not between 0 and 100; for never leave the rule out")
        }
        return .success(.chance(millionths: Int(millionths)))
    }

    /// Parses back to the same value.
    package var description: String {
        switch self {
        case .always: "always"
        case .first(let count): "first \(count)"
        case .nth(let count): "nth \(count)"
        case .every(let count): "every \(count)"
        case .chance(let millionths): Self.percentage(millionths)
        case .until(let span): "until \(span)"
        case .after(let span): "after \(span)"
        case .allowance(let allowance): allowance.description
        case .greylist(let greylist): greylist.description
        case .recover(let recovery): recovery.description
        }
    }

    /// As a rule line says it: `first=2`, `limit=100/1h`; nil for always.
    var lineWord: String? {
        switch self {
        case .always: nil
        case .chance(let millionths): "chance=\(Self.percentage(millionths))"
        case .allowance(let allowance): "\(allowance.kind.rawValue)=" + allowance.words.joined(separator: "/")
        case .greylist(let greylist): "greylist=\(greylist.wait)..\(greylist.window)/\(greylist.memory)"
        case .first, .nth, .every, .until, .after, .recover: description.replacing(" ", with: "=")
        }
    }

    static func percentage(_ millionths: Int) -> String {
        var decimals = String(millionths % 10_000 + 10_000).dropFirst()
        while decimals.last == "0" { decimals.removeLast() }
        return "\(millionths / 10_000)\(decimals.isEmpty ? "" : ".")\(decimals)%"
    }
}

extension CountKey {
    package static let all = allCases.map(\.rawValue)

    package static func parse(_ text: String) -> Result<CountKey, RuleText> {
        if let key = CountKey(rawValue: text.trimmed.asciiLowercased) { return .success(key) }
        return .failure(
            """
            cannot count per "\(text.shown)"\(Suggestion.didYouMean(text, among: all)); \
            known are \(all.joined(separator: ", "))
            """
        )
    }
}

/// `times` as YAML says it: a frequency, and behind `per` what to count by.
package struct Times: Sendable, Hashable {
    package var frequency: Frequency
    package var per: [CountKey]

    /// Parses `first 2`, `first 2 per to`, `30% per client, from`.
    package static func parse(_ text: String) -> Result<Times, RuleText> {
        let words = text.split { $0 == " " || $0 == "\t" || $0 == "," }.map(String.init)
        let split = words.firstIndex { $0.asciiLowercased == "per" } ?? words.count
        var keys: [CountKey] = []
        for word in words.dropFirst(split + 1) {
            switch CountKey.parse(word) {
            case .success(let key): keys.append(key)
            case .failure(let complaint): return .failure(complaint)
            }
        }
        if split < words.count, keys.isEmpty { return .failure("per names nothing; write per to, or per client, from") }
        return Frequency.parse(words[..<split].joined(separator: " ")).map { Times(frequency: $0, per: keys) }
    }
}
