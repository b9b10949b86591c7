// Reads the text of a dialogue file. Every complaint names file and line and says what would be right.

import Faults
import SMTP

extension Dialogue {
    /// - Parameter text: the whole file.
    static func parse(_ text: String, file: String) throws(DialogueError) -> Dialogue {
        var parser = DialogueParser(file: file)
        var number = 0
        // By octets: to Swift, CR LF is one character.
        for raw in text.utf8.split(separator: 10, omittingEmptySubsequences: false) {
            number += 1
            try parser.take(Substring(raw.last == 13 ? raw.dropLast() : raw), line: number)
        }
        return try parser.finish(line: number)
    }
}

private struct DialogueParser {
    private var dialogue = Dialogue()
    private var place: Place
    private var isInScript = false
    /// C lines that wait to go out in one write.
    private var pieces: [Piece] = []
    private var piecesPlace: Place
    private var sawTitle = false

    init(file: String) {
        place = Place(file: file, line: 1)
        piecesPlace = place
        dialogue.file = file
    }

    mutating func take(_ line: Substring, line number: Int) throws(DialogueError) {
        place.line = number
        let isComment = line.first == "#" || line.allSatisfy { $0 == " " || $0 == "\t" }
        if isComment { return }
        if isInScript { return try takeStep(line) }
        if line == "---" {
            guard sawTitle else { throw complaint("the head has no `title:`") }
            isInScript = true
            return
        }
        try takeHead(line)
    }

    mutating func finish(line number: Int) throws(DialogueError) -> Dialogue {
        place.line = number
        guard isInScript else { throw complaint("there is no line `---` between head and script") }
        flush()
        guard !dialogue.steps.isEmpty else { throw complaint("the script is empty") }
        guard !dialogue.ways.isEmpty else { throw complaint("`only:` leaves no way to run") }
        return dialogue
    }

    private func complaint(_ message: String) -> DialogueError { DialogueError(place: place, message: message) }

    // MARK: The head

    private mutating func takeHead(_ line: Substring) throws(DialogueError) {
        guard let colon = line.firstIndex(of: ":") else {
            throw complaint("`\(line)` is no line of the head; expected `key: value` or `---`")
        }
        let key = line[..<colon]
        let value = trimmed(line[line.index(after: colon)...])
        switch key {
        case "title":
            sawTitle = true
            dialogue.title = String(value)
        case "covers":
            for item in value.split(whereSeparator: { $0 == "," || $0 == " " }) {
                guard Coverage.isKnown(String(item)) else {
                    throw complaint("`covers: \(item)`: neither a point R01 to R62 nor phase×action")
                }
                dialogue.covers.append(String(item))
            }
        case "rule": dialogue.rules.append((String(value), place))
        case "only":
            var ways: Set<Way> = []
            for word in value.split(separator: " ") {
                switch word {
                case "pure": ways.formUnion([.pure, .cut])
                case "whole": ways.insert(.pure)
                case "clear": ways.insert(.clear)
                case "tls": ways.insert(.tls)
                default: throw complaint("`only: \(word)`: the ways are `pure`, `whole`, `clear` and `tls`")
                }
            }
            dialogue.ways.formIntersection(ways)
        case "parallel":
            dialogue.parallel = try count(value)
        case "set": try takeSetting(value)
        default: throw complaint("unknown key `\(key)`; the keys are title, covers, rule, set, only, parallel")
        }
    }

    private mutating func takeSetting(_ text: Substring) throws(DialogueError) {
        let words = text.split(separator: " ")
        guard let name = words.first else { throw complaint("`set:` without a setting") }
        let rest = words.dropFirst()
        func single() throws(DialogueError) -> Substring {
            guard rest.count == 1, let only = rest.first else { throw complaint("`set: \(name)` needs one value") }
            return only
        }
        switch name {
        case "hostname": dialogue.setup.hostname = String(try single())
        case "tls":
            guard let mode = Setup.TLSMode(rawValue: String(try single())) else {
                throw complaint("`set: tls` is off, on or implicit")
            }
            dialogue.setup.tls = mode
            if mode == .implicit { dialogue.ways.remove(.clear) }
        case "hide": dialogue.setup.capabilities.subtract(try keywords(rest))
        case "extensions": dialogue.setup.capabilities = try keywords(rest)
        case "auth-in-clear": dialogue.setup.authInClear = true
        case "time-scale":
            guard let scale = Double(try single()), scale > 0 else {
                throw complaint("`set: time-scale` needs a number")
            }
            dialogue.setup.timeScale = scale
        case "seed": dialogue.setup.seed = UInt64(try count(try single()))
        case "magic":
            switch MagicPacks.parse(String(try single())) {
            case .success(let packs): dialogue.setup.magic = packs
            case .failure(let reason): throw complaint("`set: magic`: \(reason)")
            }
        case "store": dialogue.setup.keepsMessages = try single() != "none"
        case "command-line": dialogue.setup.limits.commandLine = try count(try single())
        case "auth-line": dialogue.setup.limits.authLine = try count(try single())
        case "message-size": dialogue.setup.limits.messageSize = try count(try single())
        case "recipients": dialogue.setup.limits.recipients = try count(try single())
        case "transactions": dialogue.setup.limits.transactions = try count(try single())
        case "errors": dialogue.setup.limits.errors = try count(try single())
        case "client-timeout": dialogue.setup.limits.clientTimeout_ms = Int(try interval(try single()).ns / 1_000_000)
        default: throw complaint("unknown setting `\(name)`; see FORMAT.md")
        }
    }

    private func keywords(_ words: ArraySlice<Substring>) throws(DialogueError) -> CapabilitySet {
        var set: CapabilitySet = []
        for word in words {
            guard let capability = Capability(keyword: word) else { throw complaint("unknown EHLO keyword `\(word)`") }
            set.insert(CapabilitySet(capability))
        }
        return set
    }

    // MARK: The script

    private mutating func takeStep(_ line: Substring) throws(DialogueError) {
        if line.hasPrefix("C") { return try takeClient(line) }
        flush()
        guard let step = try parseStep(line) else { return }
        dialogue.steps.append((step, place))
    }

    private mutating func takeClient(_ line: Substring) throws(DialogueError) {
        let kind = line.dropFirst().first
        let text = afterMark(line.dropFirst(2))
        if pieces.isEmpty { piecesPlace = place }
        switch kind {
        case ":": pieces.append(Piece(octets: try octets(text) + [13, 10]))
        case "|": pieces.append(Piece(octets: try octets(text)))
        case "*", "#":
            guard let space = text.firstIndex(of: " ") else { throw complaint("expected a count and a text") }
            let count = try count(text[..<space])
            let octets = try octets(text[text.index(after: space)...])
            pieces.append(
                kind == "*"
                    ? Piece(octets: octets, count: count)
                    : Piece(octets: octets + [13, 10], count: count, isNumbered: true))
        default: throw complaint("`\(line.prefix(2))`: the client's lines begin with `C:`, `C|`, `C*` or `C#`")
        }
    }

    private mutating func flush() {
        guard !pieces.isEmpty else { return }
        dialogue.steps.append((.send(pieces), piecesPlace))
        pieces = []
    }

    private mutating func parseStep(_ line: Substring) throws(DialogueError) -> Step? {
        if line.hasPrefix("S:") { return .line(Glob(String(afterMark(line.dropFirst(2))))) }
        if line.hasPrefix("S=") { return .reply(code: Glob(String(trimmed(line.dropFirst(2))))) }
        if line.hasPrefix("S*") {
            let text = afterMark(line.dropFirst(2))
            guard let space = text.firstIndex(of: " ") else { throw complaint("`S*` needs a count and a pattern") }
            return .lines(try count(text[..<space]), Glob(String(text[text.index(after: space)...])))
        }
        let word = line.prefix { $0 != " " }
        let rest = trimmed(line.dropFirst(word.count))
        switch word {
        case "flush": return nil
        case "has": return .has(Glob(String(rest)))
        case "lacks": return .lacks(Glob(String(rest)))
        case "wait": return .wait(try interval(rest))
        case "silence": return .silence(try interval(rest))
        case "took":
            if rest.hasPrefix(">=") { return .took(atLeast: try interval(trimmed(rest.dropFirst(2)))) }
            if rest.hasPrefix("<=") { return .tookAtMost(try interval(trimmed(rest.dropFirst(2)))) }
            throw complaint("`took` needs `>=` or `<=` and a duration")
        case "starttls":
            guard rest.isEmpty || rest == "fails" else { throw complaint("`starttls` or `starttls fails`") }
            return .startTLS(succeeds: rest.isEmpty)
        case "half-close": return .halfClose
        case "drop": return .drop
        case "abort": return .abort
        case "closed": return .closed
        case "was-reset": return .wasReset
        case "reconnect": return .reconnect
        case "expect":
            try takeExpectation(rest)
            return nil
        default: throw complaint("`\(word)` is no step; see FORMAT.md")
        }
    }

    private mutating func takeExpectation(_ text: Substring) throws(DialogueError) {
        let word = text.prefix { $0 != " " }
        let rest = trimmed(text.dropFirst(word.count))
        guard let subject = Expectation.Subject(rawValue: String(word)) else {
            let known = Expectation.Subject.allCases.map(\.rawValue).joined(separator: ", ")
            throw complaint("`expect \(word)`: the subjects are \(known)")
        }
        guard !rest.isEmpty else { throw complaint("`expect \(word)` needs a value") }
        var expectation = Expectation(subject: subject, pattern: Glob(String(rest)), place: place)
        if subject == .message {
            guard rest.count >= 2, rest.first == "\"", rest.last == "\"" else {
                throw complaint("`expect message` needs the octets in quotation marks")
            }
            expectation.octets = try octets(rest.dropFirst().dropLast())
        }
        dialogue.expectations.append(expectation)
    }

    // MARK: Values

    private func count(_ text: Substring) throws(DialogueError) -> Int {
        guard let value = Int(text), value >= 0 else { throw complaint("`\(text)` is no count") }
        return value
    }

    private func interval(_ text: Substring) throws(DialogueError) -> Interval {
        let digits = text.prefix { $0.isNumber }
        let unit: UInt64
        switch text.dropFirst(digits.count) {
        case "us": unit = 1000
        case "ms": unit = 1_000_000
        case "s": unit = 1_000_000_000
        case "m": unit = 60_000_000_000
        case "h": unit = 3_600_000_000_000
        default: throw complaint("`\(text)` is no duration; write 200ms, 2s, 5m")
        }
        guard let value = UInt64(digits) else { throw complaint("`\(text)` is no duration; write 200ms, 2s, 5m") }
        return Interval(ns: value * unit)
    }

    private func octets(_ text: Substring) throws(DialogueError) -> [UInt8] {
        var octets: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let next = rest.popFirst() {
            guard next == UInt8(ascii: "\\") else {
                octets.append(next)
                continue
            }
            switch rest.popFirst().map({ Character(Unicode.Scalar($0)) }) {
            case "r": octets.append(13)
            case "n": octets.append(10)
            case "t": octets.append(9)
            case "0": octets.append(0)
            case "s": octets.append(32)
            case "\\": octets.append(92)
            case "x":
                guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
                else {
                    throw complaint("`\\x` needs two hexadecimal digits")
                }
                rest = rest.dropFirst(2)
                octets.append(value)
            default: throw complaint("unknown escape in `\(text)`; known are \\r \\n \\t \\0 \\s \\\\ \\xNN")
            }
        }
        return octets
    }

    /// One space behind the mark belongs to the format.
    private func afterMark(_ text: Substring) -> Substring { text.first == " " ? text.dropFirst() : text }

    private func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" { text = text.dropLast() }
        return text
    }
}
