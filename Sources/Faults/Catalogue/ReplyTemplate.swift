// A reply with places to be filled in from the session: `550 5.1.1 <{to}>: user does not exist`. What can be rendered
// in advance is; what a client sent can never end a line or leave ASCII.

import SMTP

/// What a reply may name of a session.
package enum Placeholder: String, Sendable, Hashable, CaseIterable {
    /// The client's address.
    case ip
    /// The recipient being decided, or the first one.
    case to
    /// The reverse path.
    case from
    /// The argument of EHLO or HELO.
    case helo
    /// The session's or transaction's id, as providers name one for their support.
    case id
}

/// The values for one session; what is not known stays nil.
package struct ReplyFill: Sendable, Hashable {
    package var ip: String?
    package var to: String?
    package var from: String?
    package var helo: String?
    package var id: String?

    package init(
        ip: String? = nil, to: String? = nil, from: String? = nil, helo: String? = nil, id: String? = nil
    ) {
        self.ip = ip
        self.to = to
        self.from = from
        self.helo = helo
        self.id = id
    }

    /// Of nobody, from the addresses and names that are kept for examples (RFC 5737, RFC 6761).
    package static let example = ReplyFill(
        ip: "192.0.2.25", to: "reader@receiver.test", from: "news@sender.test", helo: "mail.sender.test", id: "s1.1")

    package subscript(placeholder: Placeholder) -> String? {
        switch placeholder {
        case .ip: ip
        case .to: to
        case .from: from
        case .helo: helo
        case .id: id
        }
    }
}

/// What is wrong with the text of a reply, and in which of its lines.
package struct ReplyTemplateError: Error, Sendable, Hashable {
    /// From 0.
    package var line: Int
    /// From 0, in characters of that line.
    package var offset: Int
    package var text: RuleText
}

/// A reply as it is written in the catalogue: lines with their codes, exactly as they go over the wire but for the
/// placeholders and the line ends.
package struct ReplyTemplate: Sendable, Hashable {
    /// RFC 5321 §4.5.3.1.5: a reply line has at most 512 octets with its CRLF.
    package static let longestLine = 510
    package static let mostLines = 100
    /// Octets of one value that is filled in; RFC 5321 §4.5.3.1.3 gives a path 256.
    package static let longestValue = 256

    package let code: ReplyCode
    /// As it stands behind the first code, whether it fits the code or not; a malformed one is part of the text.
    package let enhanced: EnhancedStatus?
    /// The lines with code and placeholders; `-` behind the code of all but the last.
    package let lines: [String]

    private enum Piece: Sendable {
        case octets([UInt8])
        case value(Placeholder)
    }

    private enum Form: Sendable {
        /// Nothing is to be filled in.
        case ready(Reply)
        /// A line each.
        case pieces([[Piece]])
    }

    private let form: Form

    /// The whole reply with its placeholders; inner line ends are LF.
    package var text: String { lines.joined(separator: "\n") }

    /// The lines are all there is; what is made of them follows.
    package static func == (a: Self, b: Self) -> Bool { a.lines == b.lines }
    package func hash(into hasher: inout Hasher) { hasher.combine(lines) }

    package func reply(_ fill: ReplyFill) -> Reply {
        switch form {
        case .ready(let reply): reply
        case .pieces(let pieces): Reply(code: code, enhanced: enhanced, wire: Self.render(pieces, fill))
        }
    }

    // MARK: Reading

    /// - Parameter lines: a line of the reply each, every one with its code. Between code and text stands `-`, in the
    ///   last line a space. `{{` is one brace.
    package static func parse(_ lines: [String]) -> Result<ReplyTemplate, ReplyTemplateError> {
        func failed(_ line: Int, _ offset: Int, _ text: RuleText) -> Result<ReplyTemplate, ReplyTemplateError> {
            .failure(ReplyTemplateError(line: line, offset: offset, text: text))
        }
        guard let first = lines.first else { return failed(0, 0, "an empty reply") }
        guard lines.count <= mostLines else { return failed(mostLines, 0, "a reply has at most \(mostLines) lines") }
        guard let code = self.code(of: first) else {
            return failed(
                0, 0,
                """
                "\(first.prefix { $0 != " " && $0 != "-" }.description.shown)" is not a reply code; a reply begins \
                with three digits from 200 to 599, as "550 5.1.1 text"
                """
            )
        }
        var pieces: [[Piece]] = []
        for (number, line) in lines.enumerated() {
            guard line.utf8.count <= longestLine else {
                return failed(
                    number, 0,
                    "a reply line has at most \(longestLine) octets (RFC 5321 §4.5.3.1.5), not \(line.utf8.count)")
            }
            if !line.utf8.allSatisfy(isText), let bad = firstForeign(in: line) {
                return failed(number, bad.offset, "a reply is printable ASCII (RFC 5321 §4.2), not \(bad.name)")
            }
            guard self.code(of: line) == code else {
                return failed(
                    number, 0, "each line begins with the code of the first, \(code), and \"-\" or a space behind it")
            }
            let isLast = number == lines.count - 1
            let separator = line.utf8.dropFirst(3).first ?? UInt8(ascii: " ")
            guard separator == UInt8(ascii: isLast ? " " : "-") else {
                return failed(
                    number, 3,
                    isLast
                        ? "the last line of a reply has a space behind its code, not \"-\""
                        : "a line that another follows has \"-\" behind its code (RFC 5321 §4.2.1)")
            }
            switch self.pieces(of: line) {
            case .success(let found): pieces.append(found)
            case .failure(let error): return failed(number, error.offset, error.text)
            }
        }
        let word = first.utf8.dropFirst(4).prefix { $0 != UInt8(ascii: " ") }
        let enhanced = word.first.map { (48...57).contains($0) } == true ? EnhancedStatus(Substring(word)) : nil
        return .success(ReplyTemplate(code: code, enhanced: enhanced, lines: lines, pieces: pieces))
    }

    private init(code: ReplyCode, enhanced: EnhancedStatus?, lines: [String], pieces: [[Piece]]) {
        self.code = code
        self.enhanced = enhanced
        self.lines = lines
        let isFixed = pieces.allSatisfy { line in
            line.allSatisfy { if case .octets = $0 { true } else { false } }
        }
        form =
            isFixed
            ? .ready(Reply(code: code, enhanced: enhanced, wire: Self.render(pieces, ReplyFill()))) : .pieces(pieces)
    }

    private static func code(of line: String) -> ReplyCode? {
        var value = 0
        var count = 0
        for octet in line.utf8.prefix(4) {
            if count == 3 {
                guard octet == UInt8(ascii: " ") || octet == UInt8(ascii: "-") else { return nil }
            } else {
                guard (48...57).contains(octet) else { return nil }
                value = value * 10 + Int(octet - 48)
            }
            count += 1
        }
        return count < 3 ? nil : ReplyCode(value)
    }

    private static func isText(_ octet: UInt8) -> Bool { (32...126).contains(octet) || octet == 9 }

    private static func firstForeign(in line: String) -> (offset: Int, name: String)? {
        for (offset, scalar) in line.unicodeScalars.enumerated() {
            if scalar.isASCII, isText(UInt8(scalar.value)) { continue }
            let isControl = scalar.value < 32 || (127...159).contains(scalar.value)
            return (offset, isControl ? "the control character \(scalar.value)" : "\"\(scalar)\"")
        }
        return nil
    }

    private static func pieces(of line: String) -> Result<[Piece], ReplyTemplateError> {
        var pieces: [Piece] = []
        var plain: [UInt8] = []
        let octets = Array(line.utf8)
        var index = 0
        while index < octets.count {
            guard octets[index] == UInt8(ascii: "{") else {
                plain.append(octets[index])
                index += 1
                continue
            }
            if index + 1 < octets.count, octets[index + 1] == UInt8(ascii: "{") {
                plain.append(UInt8(ascii: "{"))
                index += 2
                continue
            }
            guard let end = octets[index...].firstIndex(of: UInt8(ascii: "}")) else {
                let text: RuleText = "a placeholder without its \"}\"; a brace that is meant is written {{"
                return .failure(ReplyTemplateError(line: 0, offset: index, text: text))
            }
            let word = String(decoding: octets[(index + 1)..<end], as: UTF8.self)
            guard let placeholder = Placeholder(rawValue: word) else {
                return .failure(ReplyTemplateError(line: 0, offset: index, text: unknown(word)))
            }
            if !plain.isEmpty { pieces.append(.octets(plain)) }
            plain = []
            pieces.append(.value(placeholder))
            index = end + 1
        }
        if !plain.isEmpty { pieces.append(.octets(plain)) }
        return .success(pieces)
    }

    private static func unknown(_ word: String) -> RuleText {
        let known = Placeholder.allCases.map(\.rawValue)
        let list = known.map { "{\($0)}" }.joined(separator: ", ")
        let hint = Suggestion.didYouMean(word, among: known)
        return "unknown placeholder {\(word.shown)}\(hint); known are \(list), and {{ is a brace"
    }

    // MARK: Rendering

    private static func render(_ lines: [[Piece]], _ fill: ReplyFill) -> [UInt8] {
        var wire: [UInt8] = []
        for line in lines {
            let start = wire.count
            for piece in line {
                switch piece {
                case .octets(let octets): wire += octets
                case .value(let placeholder): append(fill[placeholder], to: &wire)
                }
            }
            // What a client sent must not make the line longer than a line may be.
            if wire.count - start > longestLine { wire.removeLast(wire.count - start - longestLine) }
            // RFC 5321 §4.2: a code without text; many clients want the space behind it.
            if wire.count - start == 3 { wire.append(32) }
            wire += [13, 10]
        }
        return wire
    }

    private static func append(_ value: String?, to wire: inout [UInt8]) {
        for octet in (value ?? unknownValue).utf8.prefix(longestValue) {
            wire.append((32...126).contains(octet) ? octet : UInt8(ascii: "?"))
        }
    }

    /// In place of what the session has not said.
    private static let unknownValue = "unknown"
}
