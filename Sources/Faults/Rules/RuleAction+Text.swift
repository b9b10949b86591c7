// Actions and replies as text, in both directions: `delay 1s..5s`, `hide SIZE DSN`, `452 4.2.2 Mailbox full`.
// Rule lines and YAML share this.

import SMTP

/// The words of actions.
package enum ActionWord: String, Sendable, CaseIterable {
    case delay, drip
    case slowRead = "slow-read"
    case stall, close, reset, keep, lose, accept, hide, offer
    case stopReading = "stop-reading"
    case use, tarpit, raw, tls

    var takesNothing: Bool {
        switch self {
        case .stall, .close, .reset, .keep, .lose, .accept, .stopReading: true
        case .delay, .drip, .slowRead, .hide, .offer, .use, .tarpit, .raw, .tls: false
        }
    }

    /// Whether this can be its argument, so that a comma in front of it ends a reply on a rule line.
    func takes(_ argument: Substring) -> Bool {
        switch self {
        case .delay, .drip, .slowRead, .tarpit: argument.first.map { $0.isASCII && $0.isNumber } ?? false
        case .hide, .offer: Capability(keyword: argument) != nil
        case .use: argument.contains("/")
        case .raw: argument.hasPrefix("\"") || OddReply(rawValue: String(argument).asciiLowercased) != nil
        case .tls: if case .success = TLSFault.parse(String(argument)) { true } else { false }
        case .stall, .close, .reset, .keep, .lose, .accept, .stopReading: argument.isEmpty
        }
    }

    /// For the nearest word to a misspelt one.
    package static let all = allCases.map(\.rawValue)
}

extension RuleAction {
    /// Parses one action. A text that begins with a digit is a reply.
    package static func parse(_ text: String) -> Result<RuleAction, RuleText> {
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard let first = start.utf8.first else { return .failure("an empty action; write a reply, close, delay 2s …") }
        if (48...57).contains(first) { return ReplyText.parse(String(start)).map(RuleAction.reply) }
        let parts = text.trimmed.split(maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" })
        let word = String(parts.first ?? "")
        let argument = parts.count == 2 ? String(parts[1]).trimmed : ""
        guard let known = ActionWord(rawValue: word.asciiLowercased) else {
            return .failure(
                """
                unknown action "\(word.shown)"\(Suggestion.didYouMean(word, among: ActionWord.all)); known are a \
                reply, \(ActionWord.all.joined(separator: ", "))
                """
            )
        }
        if known.takesNothing, !argument.isEmpty {
            return .failure(
                """
                \(known.rawValue) takes nothing behind it, not "\(argument.shown)"; a reply that holds such words \
                stands in quotes
                """
            )
        }
        return parse(known, argument)
    }

    private static func parse(_ word: ActionWord, _ argument: String) -> Result<RuleAction, RuleText> {
        switch word {
        case .delay: parseDelay(argument)
        case .drip: Rate.parse(argument).map(RuleAction.drip)
        case .slowRead: Rate.parse(argument).map(RuleAction.slowRead)
        case .stall: .success(.stall)
        case .close: .success(.close)
        case .reset: .success(.reset)
        case .keep: .success(.keep)
        case .lose: .success(.lose)
        case .accept: .success(.accept)
        case .hide: CapabilitySet.parse(argument).map(RuleAction.hide)
        case .offer: CapabilitySet.parse(argument).map(RuleAction.offer)
        case .stopReading: .success(.stopReading)
        case .use: parseUse(argument)
        case .tarpit: parseTarpit(argument)
        case .raw: RawText.parse(argument).map(RuleAction.raw)
        case .tls: TLSFault.parse(argument).map(RuleAction.tls)
        }
    }

    /// Whether a reply has this name is known where the catalogue is.
    private static func parseUse(_ name: String) -> Result<RuleAction, RuleText> {
        guard !name.isEmpty, !name.contains(where: { $0 == " " || $0 == "\t" || $0 == "," || $0 == ";" }),
            name.utf8.count <= Rule.longestName
        else {
            return .failure("use takes one name of the catalogue, as use gmail/over-quota; fakemx replies lists them")
        }
        return .success(.use(name.asciiLowercased))
    }

    private static func parseTarpit(_ text: String) -> Result<RuleAction, RuleText> {
        guard text.contains("..") else {
            return .failure("tarpit needs the delay for each error and the longest, as tarpit 500ms..30s")
        }
        return parseDelay(text).flatMap { action in
            guard case .delay(let step, let longest) = action, step.ns > 0 else {
                return .failure("a tarpit that grows by 0 does not grow")
            }
            return .success(.tarpit(step, longest))
        }
    }

    private static func parseDelay(_ text: String) -> Result<RuleAction, RuleText> {
        guard let dots = text.firstRange(of: "..") else {
            return Span.parse(text).map { RuleAction.delay($0, $0) }
        }
        return Span.parse(String(text[..<dots.lowerBound])).flatMap { shortest in
            Span.parse(String(text[dots.upperBound...])).flatMap { longest in
                guard shortest <= longest else {
                    return .failure("the delay \"\(text.shown)\" ends before it begins")
                }
                return .success(.delay(shortest, longest))
            }
        }
    }

    /// The word, for complaints.
    package var word: String {
        switch self {
        case .reply(let text): "the reply \(text.code)"
        case .delay: "delay"
        case .drip: "drip"
        case .slowRead: "slow-read"
        case .stall: "stall"
        case .close: "close"
        case .reset: "reset"
        case .keep: "keep"
        case .lose: "lose"
        case .accept: "accept"
        case .hide: "hide"
        case .offer: "offer"
        case .stopReading: "stop-reading"
        case .use: "use"
        case .tarpit: "tarpit"
        case .raw: "raw"
        case .tls: "tls"
        }
    }
}

extension RuleAction: CustomStringConvertible {
    /// Parses back to the same action.
    package var description: String {
        switch self {
        case .reply(let text): text.description
        case .delay(let shortest, let longest):
            shortest == longest ? "delay \(shortest)" : "delay \(shortest)..\(longest)"
        case .drip(let rate): "drip \(rate)"
        case .slowRead(let rate): "slow-read \(rate)"
        case .stall, .close, .reset, .keep, .lose, .accept, .stopReading: word
        case .use(let name): "use \(name)"
        case .tarpit(let step, let longest): "tarpit \(step)..\(longest)"
        case .raw(let text): "raw \(text)"
        case .tls(let fault): "tls \(fault)"
        case .hide(let set): "hide \(set.words)"
        case .offer(let set): "offer \(set.words)"
        }
    }
}

extension CapabilitySet {
    /// The keywords with spaces between them.
    package var words: String {
        Capability.allCases.filter { contains($0) }.map(\.keyword).joined(separator: " ")
    }

    /// Parses keywords with spaces or commas between them.
    package static func parse(_ text: String) -> Result<CapabilitySet, RuleText> {
        let words = text.split { $0 == " " || $0 == "\t" || $0 == "," }
        guard !words.isEmpty else { return .failure("name one keyword or several, as STARTTLS or SIZE DSN") }
        var set = CapabilitySet()
        for word in words {
            guard let capability = Capability(keyword: word) else {
                let known = Capability.allCases.map(\.keyword)
                return .failure(
                    """
                    unknown keyword "\(String(word).shown)"\(Suggestion.didYouMean(String(word), among: known)); \
                    known are \(known.joined(separator: ", "))
                    """
                )
            }
            set.insert(CapabilitySet(capability))
        }
        return .success(set)
    }
}

extension ReplyText: CustomStringConvertible {
    /// Lines of one reply, and octets of one of them.
    package static let mostLines = 100
    package static let longestLine = 2000

    /// Parses `550 5.1.1 text`. Lines end with a line feed or with `\n` in the text; `\\` is one backslash. A line
    /// behind the first may repeat the code (and the enhanced code), as `550-5.1.1 text`.
    package static func parse(_ text: String) -> Result<ReplyText, RuleText> {
        let isBlock = text.unicodeScalars.last == "\n"  // a YAML block ends with a line feed
        let lines = unescapedLines(isBlock ? String(text.unicodeScalars.dropLast()) : text)
        guard lines.count <= mostLines else { return .failure("a reply has at most \(mostLines) lines") }
        guard lines.allSatisfy({ $0.utf8.count <= longestLine }) else {
            return .failure("a line of a reply has at most \(longestLine) octets")
        }
        if text.unicodeScalars.contains(where: { ($0.value < 32 && $0 != "\n" && $0 != "\t") || $0.value == 127 }) {
            return .failure("a reply must not hold control characters")
        }
        let first = Head(lines[0])
        guard let code = first.code else { return .failure(badCode(lines[0])) }
        var texts = [first.text]
        for line in lines.dropFirst() {
            let head = Head(line)
            guard head.code == code else {
                if head.code != nil, head.dash {
                    return .failure("\"\(line.shown)\" has another code than the first line; one reply has one code")
                }
                texts.append(line)
                continue
            }
            texts.append(head.enhanced == first.enhanced ? head.text : head.whole)
        }
        return .success(ReplyText(code, first.enhanced, lines: texts))
    }

    /// A line taken apart: `550-5.1.1 text`.
    private struct Head {
        var code: ReplyCode?
        var dash = false
        var enhanced: EnhancedStatus?
        /// Behind the enhanced code, and behind the code alone.
        var text = ""
        var whole = ""

        init(_ line: String) {
            let digits = line.prefix(3)
            let rest = line.dropFirst(3)
            guard digits.utf8.count == 3, digits.utf8.allSatisfy({ (48...57).contains($0) }),
                rest.isEmpty || rest.first == " " || rest.first == "-", let value = Int(digits)
            else { return }
            code = ReplyCode(value)
            dash = rest.first == "-"
            whole = String(rest.dropFirst())
            text = whole
            let word = whole.prefix { $0 != " " }
            if let status = EnhancedStatus(word) {
                enhanced = status
                text = String(whole.dropFirst(word.count + 1))
            }
        }
    }

    private static func badCode(_ line: String) -> RuleText {
        let word = String(line.prefix { $0 != " " && $0 != "-" })
        return
            """
            "\(word.shown)" is not a reply code; a reply begins with three digits from 200 to 599, as "550 5.1.1 text"
            """
    }

    private static func unescapedLines(_ text: String) -> [String] {
        var lines: [String] = []
        var line = String.UnicodeScalarView()
        var escaped = false
        for scalar in text.unicodeScalars {
            if escaped {
                escaped = false
                if scalar == "n" {
                    lines.append(String(line))
                    line = String.UnicodeScalarView()
                    continue
                }
                if scalar != "\\" { line.append("\\") }
                line.append(scalar)
            } else if scalar == "\\" {
                escaped = true
            } else if scalar == "\n" {
                lines.append(String(line))
                line = String.UnicodeScalarView()
            } else {
                line.append(scalar)
            }
        }
        if escaped { line.append("\\") }
        lines.append(String(line))
        return lines
    }

    /// Parses back to the same reply: `\n` between the lines. A line that would read as its own code repeats it.
    package var description: String {
        var text = "\(code)"
        if let enhanced { text += " \(enhanced)" }
        for (index, line) in lines.enumerated() {
            if index > 0 {
                text += "\\n"
                if Head(line).code != nil {
                    text += "\(code)-"
                    if let enhanced { text += "\(enhanced) " }
                }
            } else if !line.isEmpty || enhanced == nil && lines.count == 1 {
                text += " "
            }
            text += line.replacing("\\", with: "\\\\")
        }
        if enhanced == nil, lines == [""] { text = "\(code)" }
        return text
    }
}
