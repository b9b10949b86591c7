// The List-Unsubscribe field (RFC 2369 §3.2, RFC 8058) as Mailpit shows it: its links, and what is wrong with it in
// words that a test can print. No link is followed.

package struct ListUnsubscribe: Sendable, Hashable {
    /// The field as it is; empty when there is none.
    package var header = ""
    package var links: [String] = []
    /// What is wrong, joined by commas; empty when nothing is.
    package var errors = ""
    /// List-Unsubscribe-Post.
    package var headerPost = ""

    package init() {}

    package init(header: String, headerPost: String) {
        self.header = header
        self.headerPost = headerPost
        guard !header.isEmpty else { return }
        let text = ListUnsubscribe.withoutComments(header).trimmed
        let pieces = ListUnsubscribe.bracketed(text)
        guard !pieces.isEmpty else {
            errors = "\"\(text)\" no valid unsubscribe links found"
            return
        }
        guard text.hasPrefix("<"), text.hasSuffix(">") else {
            errors = "\"\(text)\" should be enclosed in <>"
            return
        }
        guard pieces.count <= 2 else {
            errors = "\"\(text)\" should include a maximum of one email and one HTTP link"
            return
        }
        guard pieces.dropFirst().allSatisfy({ $0.before.trimmed == "," }) else {
            errors = "\"\(text)\" <> should be split with a comma and optional spaces"
            return
        }
        var findings: [String] = []
        for piece in pieces {
            if let finding = add(piece.link) { findings.append("\"\(piece.link)\" \(finding)") }
        }
        errors = findings.joined(separator: ", ")
    }

    /// Takes the link, or says what is wrong with it.
    private mutating func add(_ link: String) -> String? {
        if link.contains(where: \.isWhitespace) { return "should not contain spaces" }
        guard let scheme = ListUnsubscribe.scheme(of: link) else {
            return "should start with either http(s):// or mailto:"
        }
        let isMail = scheme == .mail
        if links.contains(where: { (ListUnsubscribe.scheme(of: $0) == .mail) == isMail }) {
            return isMail ? "should only contain one mailto:" : "should only contain one HTTP link"
        }
        links.append(link)
        return nil
    }

    private enum Scheme {
        case mail
        case web
    }

    private static func scheme(of link: String) -> Scheme? {
        let rest: Substring
        let lower = link.lowercased()
        let scheme: Scheme
        if link.hasPrefix("mailto:") {
            (scheme, rest) = (.mail, link.dropFirst(7))
        } else if lower.hasPrefix("https://") {
            (scheme, rest) = (.web, link.dropFirst(8))
        } else if lower.hasPrefix("http://") {
            (scheme, rest) = (.web, link.dropFirst(7))
        } else {
            return nil
        }
        guard let first = rest.unicodeScalars.first, first.isASCII,
            first.properties.isAlphabetic || first.properties.numericType != nil
        else { return nil }
        return scheme
    }

    /// What stands in angle brackets, each with what stands between it and the one before.
    private static func bracketed(_ text: String) -> [(before: String, link: String)] {
        var result: [(before: String, link: String)] = []
        var rest = text[...]
        while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
            result.append((String(rest[..<open]), String(rest[rest.index(after: open)..<close])))
            rest = rest[rest.index(after: close)...]
            // Three are too many already.
            if result.count > 2 { break }
        }
        return result
    }

    private static func withoutComments(_ text: String) -> String {
        var result = ""
        var rest = text[...]
        while let open = rest.firstIndex(of: "("), let close = rest[open...].firstIndex(of: ")") {
            result += rest[..<open]
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }
}

extension StringProtocol {
    fileprivate var trimmed: String {
        var slice = self[...]
        while let first = slice.first, first.isWhitespace { slice = slice.dropFirst() }
        while let last = slice.last, last.isWhitespace { slice = slice.dropLast() }
        return String(slice)
    }
}
