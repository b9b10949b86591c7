// Files of the catalogue are read at each start, and a tree of YAML costs more than all the rest of it. Those that are
// laid out as the shipped ones are read here, line by line; of anything else, and of every mistake, YAML has the word.

import Faults

/// A file as text, without a tree.
struct PlainCatalogue {
    var provider: String
    var replies: [RawReply]
}

enum CatalogueLines {
    /// The file's text; nil when a line is not of the plain layout, whether YAML takes it or not.
    static func read(_ octets: [UInt8]) -> PlainCatalogue? {
        octets.withUnsafeBufferPointer { all in
            var scan = Scan()
            var start = 0
            while start < all.count {
                let end = all[start...].firstIndex(of: 10) ?? all.count
                guard scan.read(all[start..<end]) else { return nil }
                start = end + 1
            }
            return scan.finish()
        }
    }

    private typealias Line = Slice<UnsafeBufferPointer<UInt8>>

    private struct Scan {
        private var provider: String?
        /// nil in front of `replies:`.
        private var replies: [RawReply]?
        private var reply: RawReply?
        /// Behind `reply:` with nothing in its line.
        private var isInList = false

        /// - Returns: false when the line is another one than expected.
        mutating func read(_ line: Line) -> Bool {
            let indent = line.prefix { $0 == UInt8(ascii: " ") }.count
            let rest = line.dropFirst(indent)
            guard let first = rest.first else { return indent == 0 }
            if first == UInt8(ascii: "#") { return rest.allSatisfy(isPrintable) }
            switch indent {
            case 0: return readTop(rest)
            case 2:
                guard rest.starts(with: CatalogueLines.dash), replies != nil, endReply() else { return false }
                reply = RawReply()
                return readField(rest.dropFirst(2))
            case 4: return readField(rest)
            case 6:
                guard isInList, rest.starts(with: CatalogueLines.dash), let text = value(rest.dropFirst(2)) else {
                    return false
                }
                reply?.reply?.append(text)
                return true
            default: return false
            }
        }

        private mutating func readTop(_ line: Line) -> Bool {
            guard let (key, text) = pair(line), endReply() else { return false }
            if key.elementsEqual("provider".utf8) {
                guard provider == nil, let text = value(text) else { return false }
                provider = text
                return true
            }
            guard key.elementsEqual("replies".utf8), text.isEmpty, replies == nil else { return false }
            replies = []
            return true
        }

        private mutating func readField(_ line: Line) -> Bool {
            guard reply != nil, endList(), let (key, text) = pair(line) else { return false }
            if text.isEmpty {
                guard key.elementsEqual("reply".utf8), reply?.reply == nil else { return false }
                reply?.reply = []
                isInList = true
                return true
            }
            guard let text = value(text) else { return false }
            if key.elementsEqual("name".utf8) { return set(\.name, text) }
            if key.elementsEqual("phase".utf8) { return set(\.phase, text) }
            if key.elementsEqual("means".utf8) { return set(\.means, text) }
            if key.elementsEqual("advice".utf8) { return set(\.advice, text) }
            if key.elementsEqual("seen".utf8) { return set(\.seen, text) }
            guard key.elementsEqual("reply".utf8), reply?.reply == nil else { return false }
            reply?.reply = [text]
            return true
        }

        private mutating func set(_ field: WritableKeyPath<RawReply, String?>, _ text: String) -> Bool {
            guard reply?[keyPath: field] == nil else { return false }
            reply?[keyPath: field] = text
            return true
        }

        private mutating func endList() -> Bool {
            defer { isInList = false }
            return !isInList || reply?.reply?.isEmpty == false
        }

        private mutating func endReply() -> Bool {
            guard endList() else { return false }
            if let reply { replies?.append(reply) }
            reply = nil
            return true
        }

        mutating func finish() -> PlainCatalogue? {
            guard endReply(), let provider, let replies, !replies.isEmpty else { return nil }
            return PlainCatalogue(provider: provider, replies: replies)
        }
    }

    private static let dash = Array("- ".utf8)

    private static func isPrintable(_ octet: UInt8) -> Bool { (32...126).contains(octet) }

    /// `key: text`, or `key:` with empty text.
    private static func pair(_ line: Line) -> (key: Line, text: Line)? {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let text = line[(colon + 1)...]
        guard let space = text.first else { return (line[..<colon], text) }
        guard space == UInt8(ascii: " "), text.count > 1 else { return nil }
        return (line[..<colon], text.dropFirst())
    }

    /// A value that is the same text for every reader of YAML: quoted without escapes, or words with no sign in them
    /// that could mean something.
    private static func value(_ text: Line) -> String? {
        guard let first = text.first, let last = text.last else { return nil }
        if first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") {
            guard text.count >= 2, last == first else { return nil }
            return quoted(text.dropFirst().dropLast(), quote: first)
        }
        guard isWord(first), last != UInt8(ascii: " "), text.allSatisfy({ isWord($0) || signs.contains($0) }) else {
            return nil
        }
        let word = String(decoding: text, as: UTF8.self)
        return word.utf8.count == 4 && word.asciiLowercased == "null" ? nil : word
    }

    private static func quoted(_ inner: Line, quote: UInt8) -> String? {
        guard inner.allSatisfy(isPrintable) else { return nil }
        guard inner.contains(quote) || quote == UInt8(ascii: "\"") && inner.contains(UInt8(ascii: "\\")) else {
            return String(decoding: inner, as: UTF8.self)
        }
        guard quote == UInt8(ascii: "'") else { return nil }
        // A single quote inside stands twice.
        var plain: [UInt8] = []
        var index = inner.startIndex
        while index < inner.endIndex {
            if inner[index] == quote {
                index += 1
                guard index < inner.endIndex, inner[index] == quote else { return nil }
            }
            plain.append(inner[index])
            index += 1
        }
        return String(decoding: plain, as: UTF8.self)
    }

    private static func isWord(_ octet: UInt8) -> Bool {
        (97...122).contains(octet) || (65...90).contains(octet) || (48...57).contains(octet)
    }

    private static let signs = Array(" ._/,;()+-&!".utf8)
}
