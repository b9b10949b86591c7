// Text inside of markup: whatever a peer sent, it stays text. One place for XML, HTML and Markdown.

package enum Markup {
    /// For the content of elements, of XML 1.0 and of HTML. What XML 1.0 §2.2 forbids or HTML calls an error (controls,
    /// noncharacters) becomes U+FFFD.
    package static func escaped(_ text: String) -> String { escaped(text, isAttribute: false) }

    /// For attributes in double quotes.
    package static func attribute(_ text: String) -> String { escaped(text, isAttribute: true) }

    private static func escaped(_ text: String, isAttribute: Bool) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count + 16)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            // In an attribute a parser would make a space of it.
            case "\n", "\t": result += isAttribute ? "&#\(scalar.value);" : String(scalar)
            default: result.unicodeScalars.append(isForbidden(scalar) ? "\u{fffd}" : scalar)
            }
        }
        return result
    }

    private static func isForbidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0xfdd0...0xfdef: true
        default: scalar.value & 0xfffe == 0xfffe
        }
    }

    /// For running text of Markdown (CommonMark, GitHub's tables): every ASCII punctuation that can mean something gets
    /// its backslash, what GitHub would make a link of as well, and text stays on one line.
    static func markdown(_ text: String) -> String {
        var result = ""
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case ":" where rest.first == "/": result += "\\:"
            case "." where result.hasSuffix("www") || result.hasSuffix("WWW"): result += "\\."
            case "\\", "`", "*", "_", "{", "}", "[", "]", "<", ">", "#", "|", "~", "&", "!", "$", "@":
                result += "\\"
                result.unicodeScalars.append(scalar)
            default:
                result.unicodeScalars.append(isForbidden(scalar) ? (scalar.value < 0x20 ? " " : "\u{fffd}") : scalar)
            }
        }
        return result
    }

    /// As code inside of a Markdown line or table cell: fenced by more backticks than it holds.
    static func code(_ text: String) -> String {
        let fence = String(repeating: "`", count: longestRun(of: "`", in: text) + 1)
        var inner = ""
        for scalar in text.unicodeScalars {
            // A bar ends a cell of GitHub's tables even inside of code.
            if scalar == "|" { inner += "\\|" } else { inner.unicodeScalars.append(isForbidden(scalar) ? " " : scalar) }
        }
        let isEdged = inner.hasPrefix("`") || inner.hasSuffix("`")
        return inner.isEmpty ? "" : isEdged ? "\(fence) \(inner) \(fence)" : fence + inner + fence
    }

    /// A fence for a block of code.
    static func fence(_ lines: [String]) -> String {
        String(repeating: "`", count: max(3, (lines.map { longestRun(of: "`", in: $0) }.max() ?? 0) + 1))
    }

    private static func longestRun(of mark: Unicode.Scalar, in text: String) -> Int {
        var longest = 0
        var run = 0
        for scalar in text.unicodeScalars {
            run = scalar == mark ? run + 1 : 0
            longest = max(longest, run)
        }
        return longest
    }
}
