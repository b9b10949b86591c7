// What can be read from the citation of a rule: where its standards are found, and which receivers it names.

package enum Citation {
    /// A piece of a citation, and where it leads.
    package struct Piece: Sendable, Hashable {
        package var text: String
        package var link: String?
    }

    /// The citation in pieces that give it back when they are joined: standards and addresses with a link, the rest
    /// without.
    package static func pieces(_ citation: String) -> [Piece] {
        let scalars = Array(citation.unicodeScalars)
        var pieces: [Piece] = []
        var plain = String.UnicodeScalarView()
        var index = 0
        while index < scalars.count {
            guard let (end, link) = standard(scalars, index) ?? address(scalars, index) else {
                plain.append(scalars[index])
                index += 1
                continue
            }
            if !plain.isEmpty { pieces.append(Piece(text: String(plain), link: nil)) }
            plain = String.UnicodeScalarView()
            pieces.append(Piece(text: text(scalars[index..<end]), link: link))
            index = end
        }
        if !plain.isEmpty { pieces.append(Piece(text: String(plain), link: nil)) }
        return pieces
    }

    /// The first of its links, standards before others.
    package static func link(_ citation: String) -> String? {
        let links = pieces(citation).compactMap(\.link)
        return links.first { $0.hasPrefix(editor) } ?? links.first
    }

    /// Receivers and their software that it names, in the order of this list.
    package static func receivers(_ citation: String) -> [String] {
        let names: [(name: String, words: [String])] = [
            ("Gmail", ["Gmail"]), ("Yahoo", ["Yahoo"]), ("Microsoft", ["Outlook", "Microsoft"]),
            ("Apple iCloud", ["Apple"]), ("WEB.DE and GMX", ["WEB.DE", "GMX"]), ("Orange", ["Orange"]),
            ("Proximus", ["Proximus"]), ("Postfix", ["Postfix"]), ("Exim", ["Exim"]), ("rspamd", ["rspamd"]),
            ("SpamAssassin", ["SpamAssassin"]), ("Haraka", ["haraka", "Haraka"]),
        ]
        return names.filter { entry in entry.words.contains { contains(citation, $0) } }.map(\.name)
    }

    private static let editor = "https://www.rfc-editor.org/rfc/rfc"

    /// `RFC 5321 §4.5.2` or `RFC 5321 Appendix C`.
    private static func standard(_ scalars: [Unicode.Scalar], _ start: Int) -> (end: Int, link: String)? {
        guard let number = after(scalars, start, "RFC ") else { return nil }
        let numberEnd = run(scalars, number, isDigit)
        guard numberEnd > number, numberEnd - number <= 5 else { return nil }
        let link = editor + text(scalars[number..<numberEnd])
        if let section = after(scalars, numberEnd, " §") {
            let end = withoutDots(scalars, section, run(scalars, section) { isDigit($0) || $0 == "." })
            if end > section { return (end, link + "#section-" + text(scalars[section..<end])) }
        }
        if let letter = after(scalars, numberEnd, " Appendix "), letter < scalars.count,
            ("A"..."Z").contains(scalars[letter])
        {
            return (letter + 1, link + "#appendix-" + text(scalars[letter...letter]))
        }
        return (numberEnd, link)
    }

    private static func address(_ scalars: [Unicode.Scalar], _ start: Int) -> (end: Int, link: String)? {
        guard let rest = after(scalars, start, "https://") ?? after(scalars, start, "http://") else { return nil }
        let end = run(scalars, rest) { ("!"..."~").contains($0) && !"<>\"\\^`{|};,)".unicodeScalars.contains($0) }
        return end > rest ? (end, text(scalars[start..<end])) : nil
    }

    private static func after(_ scalars: [Unicode.Scalar], _ start: Int, _ word: String) -> Int? {
        let word = Array(word.unicodeScalars)
        guard start + word.count <= scalars.count, scalars[start..<start + word.count].elementsEqual(word) else {
            return nil
        }
        return start + word.count
    }

    private static func run(_ scalars: [Unicode.Scalar], _ start: Int, _ fits: (Unicode.Scalar) -> Bool) -> Int {
        var end = start
        while end < scalars.count, fits(scalars[end]) { end += 1 }
        return end
    }

    private static func withoutDots(_ scalars: [Unicode.Scalar], _ start: Int, _ end: Int) -> Int {
        var end = end
        while end > start, scalars[end - 1] == "." { end -= 1 }
        return end
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

    private static func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// As a word of its own, not inside the address of a page.
    private static func contains(_ citation: String, _ word: String) -> Bool {
        pieces(citation).contains { piece in
            guard piece.link == nil else { return false }
            let scalars = Array(piece.text.unicodeScalars)
            return scalars.indices.contains { start in
                guard let end = after(scalars, start, word) else { return false }
                let isStart = start == 0 || !scalars[start - 1].properties.isAlphabetic
                return isStart && (end == scalars.count || !scalars[end].properties.isAlphabetic)
            }
        }
    }
}
