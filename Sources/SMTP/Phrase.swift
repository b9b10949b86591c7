// The text of a reply with gaps in it, `{host} Hello {client}`, as the tables of ServerStyle have it. It is taken apart
// once, when the table is made; a session fills the gaps (Session+Style.swift).

struct Phrase: Sendable, Hashable, ExpressibleByStringLiteral {
    enum Gap: String, Sendable, Hashable {
        /// Our domain.
        case host
        /// What the client called itself in EHLO or HELO.
        case helo
        /// The client's address in brackets; its name where no address is known.
        case client
        /// A space and the client's address in brackets; nothing where no address is known.
        case peer
        /// The addresses of MAIL and of the last RCPT, without angle brackets.
        case from, to
        /// The name under which the message is stored.
        case id
        /// A number made of `id`: the same for the same message.
        case number
        /// A word like those that Gmail puts behind its replies, made of the domain.
        case token
    }

    enum Piece: Sendable, Hashable {
        case text([UInt8])
        case gap(Gap)
    }

    let pieces: [Piece]
    /// The whole text, where it has no gap.
    let plain: String?

    init(stringLiteral text: String) {
        var pieces: [Piece] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}"),
            let gap = Gap(rawValue: String(rest[rest.index(after: open)..<close]))
        {
            if open > rest.startIndex { pieces.append(.text(Array(rest[..<open].utf8))) }
            pieces.append(.gap(gap))
            rest = rest[rest.index(after: close)...]
        }
        plain = pieces.isEmpty ? text : nil
        if !rest.isEmpty { pieces.append(.text(Array(rest.utf8))) }
        self.pieces = pieces
    }
}

/// A reply of the protocol in a server's own words. A literal changes the text alone.
struct Wording: Sendable, ExpressibleByStringLiteral {
    let code: UInt16?
    let enhanced: StaticString?
    let text: Phrase

    init(stringLiteral text: String) {
        code = nil
        enhanced = nil
        self.text = Phrase(stringLiteral: text)
    }

    /// - Parameter enhanced: nil leaves the usual one, if its class fits the code.
    init(_ code: UInt16, _ enhanced: StaticString? = nil, _ text: Phrase) {
        self.code = code
        self.enhanced = enhanced
        self.text = text
    }
}
