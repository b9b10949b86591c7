// A space is a name under which tests that share one sink keep apart. Nobody creates one: an address says to which it
// belongs, by its domain (`anyone@SPACE.test`, `anyone@mx.SPACE.test`) or by its plus-tag (`anyone+SPACE@any.example`).

package enum Space {
    /// Octets of a name, at most: those of a label (RFC 1035 §2.3.4).
    package static let longestName = 63

    /// The spaces that an address without angle brackets belongs to, in lower case: none, one or two.
    package static func names(ofAddress address: some Collection<UInt8>) -> [String] {
        let octets = Array(address)
        guard let at = octets.lastIndex(of: UInt8(ascii: "@")) else { return [] }
        var names: [String] = []
        // A tag that ends in a quoted string is none.
        if octets[..<at].last != UInt8(ascii: "\""), let plus = octets[..<at].lastIndex(of: UInt8(ascii: "+")) {
            if let name = name(octets[(plus + 1)..<at]) { names.append(name) }
        }
        if let name = self.name(ofDomain: octets[(at + 1)...]), !names.contains(name) { names.append(name) }
        return names
    }

    /// The space that a domain belongs to: the label in front of `.test` (RFC 6761 §6.2).
    package static func name(ofDomain domain: some Collection<UInt8>) -> String? {
        let labels = domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count >= 2, let last = labels.last, last.map({ $0 | 0x20 }) == Array("test".utf8) else {
            return nil
        }
        return name(labels[labels.count - 2])
    }

    /// Whether a name may be one: letters, digits, `-` and `_`.
    package static func isName(_ text: String) -> Bool { name(Array(text.utf8)) != nil }

    private static func name(_ octets: some Collection<UInt8>) -> String? {
        guard !octets.isEmpty, octets.count <= longestName,
            octets.allSatisfy({ $0.isLetterOrDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") })
        else { return nil }
        return String(decoding: octets.map { (65...90).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }
}
