// Octets of a peer as text: what a record keeps (lossy UTF-8) and what a terminal may be shown (nothing that moves the
// cursor, hides text or turns its direction).

package enum Text {
    /// UTF-8, with U+FFFD where it is none.
    package static func lossy(_ octets: some Collection<UInt8>) -> String { String(decoding: octets, as: UTF8.self) }

    /// The lines of a reply as it went out, without line ends.
    package static func lines(_ wire: [UInt8]) -> [String] {
        var lines: [String] = []
        var rest = wire[...]
        while let end = rest.firstIndex(of: 10) {
            let line = rest[..<end]
            lines.append(lossy(line.last == 13 ? line.dropLast() : line))
            rest = rest[(end + 1)...]
        }
        if !rest.isEmpty { lines.append(lossy(rest)) }
        return lines
    }

    /// A reply in one string: its lines joined by LF.
    package static func reply(_ wire: [UInt8]) -> String { lines(wire).joined(separator: "\n") }

    /// A reply in a few words: its only line, or its first with `…` for the others.
    package static func brief(_ reply: String) -> String {
        let lines = reply.split(separator: "\n", omittingEmptySubsequences: true)
        guard let first = lines.first else { return "" }
        guard lines.count > 1 else { return String(first) }
        // The hyphen behind the code says that more lines come, and so do we.
        let text = first.dropFirst(3).first == "-" ? "\(first.prefix(3)) \(first.dropFirst(4))" : String(first)
        return text + " …"
    }

    /// Safe to show on a terminal: control and format characters are escaped.
    package static func shown(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var shown = ""
        for scalar in text.unicodeScalars {
            if isUnsafe(scalar) {
                shown += scalar.value < 0x100 ? "\\x" + hex(scalar.value, 2) : "\\u{" + hex(scalar.value, 1) + "}"
            } else {
                shown.unicodeScalars.append(scalar)
            }
        }
        return shown
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        if (0x20..<0x7f).contains(scalar.value) { return false }
        return switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: true
        default: false
        }
    }

    private static func hex(_ value: UInt32, _ width: Int) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
