// What rules can ask about a message: header fields, its Message-ID, its text, its links. Made from the octets as they
// came, broken ones included; bounded, and only where a rule asks. Not a MIME parser: it reads as much as a filter at
// the border would.

import SMTP

/// A message as conditions see it.
package struct MessageFacts: Sendable {
    /// Octets of a message that are looked at.
    package static let longestLook = 1 << 20
    /// Header fields, and links, that are looked at.
    static let mostFields = 1000
    /// Octets of a field's value, unfolded; what stands behind is not looked at.
    static let longestField = 8192
    static let mostLinks = 1000

    /// In their order; names in lower case, values unfolded.
    let fields: [(name: String, value: String)]
    /// The text of the body, decoded (RFC 2045 §6), a line each.
    package let lines: [String]
    package let links: [String]

    /// - Parameter content: the message so far, without stuffed dots.
    package init(_ content: some Collection<UInt8>) {
        var part = MessagePart(Array(content.prefix(Self.longestLook))[...])
        fields = part.readHeader()
        let text = part.readText(header: fields)
        lines = text.split(whereSeparator: { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }).map(String.init)
        links = Links.found(in: text)
    }

    /// The values of all fields of this name, encoded words decoded (RFC 2047).
    package func values(of name: String) -> [String] {
        fields.filter { $0.name == name }.map { EncodedWords.decoded($0.value) }
    }

    /// Without its angle brackets (RFC 5322 §3.6.4).
    package var messageID: String? {
        values(of: "message-id").first.map { value in
            let bare = value.trimmed
            return bare.hasPrefix("<") && bare.hasSuffix(">") ? String(bare.dropFirst().dropLast()) : bare
        }
    }
}

/// A header and what belongs to it, taken apart line by line.
struct MessagePart {
    private let octets: ArraySlice<UInt8>
    /// What was not read yet; by the same indices.
    private var rest: ArraySlice<UInt8>

    init(_ octets: ArraySlice<UInt8>) {
        self.octets = octets
        rest = octets
    }

    private mutating func nextLine() -> ArraySlice<UInt8>? {
        guard !rest.isEmpty else { return nil }
        let end = rest.firstIndex(of: 10) ?? rest.endIndex
        var line = rest[..<end]
        rest = rest[min(end + 1, rest.endIndex)...]
        if line.last == 13 { line = line.dropLast() }
        return line
    }

    /// Fields up to the empty line (RFC 5322 §2.2); what is no field is passed over.
    mutating func readHeader() -> [(name: String, value: String)] {
        var fields: [(name: String, value: String)] = []
        while let line = nextLine(), !line.isEmpty {
            let text = String(decoding: line, as: UTF8.self)
            if let first = line.first, first == 32 || first == 9 {
                // RFC 5322 §2.2.3: a folded line goes on.
                guard let last = fields.indices.last else { continue }
                let room = MessageFacts.longestField - fields[last].value.utf8.count
                if room > 1 { fields[last].value += " " + Self.cut(text, room - 1).trimmed }
            } else if let colon = text.firstIndex(of: ":"), fields.count < MessageFacts.mostFields {
                fields.append(
                    (
                        String(text[..<colon]).trimmed.asciiLowercased,
                        Self.cut(String(text[text.index(after: colon)...]), MessageFacts.longestField).trimmed
                    ))
            }
        }
        return fields
    }

    private static func cut(_ text: String, _ octetCount: Int) -> String {
        text.utf8.count <= octetCount ? text : String(decoding: text.utf8.prefix(octetCount), as: UTF8.self)
    }

    /// Parts inside parts, at most.
    private static let deepest = 8

    /// Every text part, decoded.
    mutating func readText(header: [(name: String, value: String)], depth: Int = 0) -> String {
        let type = header.first { $0.name == "content-type" }?.value ?? "text/plain"
        let lower = type.asciiLowercased
        if lower.hasPrefix("multipart/"), depth < Self.deepest, let boundary = Self.boundary(type) {
            return readParts(boundary, depth)
        }
        // A multipart without a boundary is broken, and read as what it is: lines (RFC 2045 §5.2).
        guard lower.hasPrefix("text/") || lower.hasPrefix("multipart/") || !lower.contains("/") else { return "" }
        let encoding = header.first { $0.name == "content-transfer-encoding" }?.value.trimmed.asciiLowercased
        let decoded =
            switch encoding {
            case "quoted-printable": QuotedPrintable.decoded(rest)
            case "base64": Base64.decoded(rest)
            default: Array(rest)
            }
        let charset = Self.parameter("charset", of: type) ?? "utf-8"
        return Charset.text(decoded, in: charset) ?? String(decoding: decoded, as: UTF8.self)
    }

    private mutating func readParts(_ boundary: [UInt8], _ depth: Int) -> String {
        let delimiter = Array("--".utf8) + boundary
        var text = ""
        var start: Int?
        while true {
            let lineStart = rest.startIndex
            guard let line = nextLine() else {
                if let start { text += Self.text(of: octets[start..<lineStart], depth) }
                return text
            }
            guard line.starts(with: delimiter) else { continue }
            // RFC 2046 §5.1.1: behind the boundary white space, at the end two hyphens.
            let behind = line.dropFirst(delimiter.count)
            let isLast = behind.starts(with: Array("--".utf8))
            guard isLast || behind.allSatisfy({ $0 == 32 || $0 == 9 }) else { continue }
            if let start { text += Self.text(of: octets[start..<lineStart], depth) + "\n" }
            start = rest.startIndex
            if isLast { return text }
        }
    }

    private static func text(of octets: ArraySlice<UInt8>, _ depth: Int) -> String {
        var part = MessagePart(octets)
        let header = part.readHeader()
        return part.readText(header: header, depth: depth + 1)
    }

    /// RFC 2046 §5.1.1.
    private static func boundary(_ type: String) -> [UInt8]? {
        parameter("boundary", of: type).map { Array($0.utf8) }
    }

    /// RFC 2045 §5.1; nil where it is missing or empty.
    private static func parameter(_ name: String, of type: String) -> String? {
        for parameter in type.split(separator: ";").dropFirst() {
            let pair = parameter.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            guard pair.count == 2, pair[0].asciiLowercased == name else { continue }
            let bare = pair[1].hasPrefix("\"") ? String(pair[1].dropFirst().prefix { $0 != "\"" }) : pair[1]
            return bare.isEmpty ? nil : bare
        }
        return nil
    }
}
