// Octets of a YAML file -> a tree, with everything that could be a trap refused before the parser sees it: binary
// data, anchors and aliases (a small file can stand for a huge tree), and nesting that no configuration needs.

import Faults
import Yams

enum YAMLText {
    private static let deepest = 32
    private static let widestIndent = 256
    /// Keys that stand twice, of which each is complained about; beyond that the rest is not looked at.
    private static let mostDuplicates = 20

    /// In place of a key that stands twice, so that the rest of the file can be read; of the private use area.
    static let maskedKey: Unicode.Scalar = "\u{E000}"

    /// - Parameter empty: said about a file with nothing in it.
    static func parse(
        _ octets: [UInt8], file: String, empty: String = "holds no settings; the smallest file is: rules: []"
    ) -> (root: Node?, complaints: [Complaint]) {
        func failed(_ message: String, _ line: Int? = nil, _ column: Int? = nil) -> (Node?, [Complaint]) {
            (nil, [Complaint(Place(source: file, line: line, column: column), message)])
        }
        guard octets.count <= TextFile.largest else {
            return failed("is larger than \(TextFile.largest) octets, which no configuration is")
        }
        guard let text = String(validating: octets, as: UTF8.self) else {
            return failed("is not text in UTF-8", line(of: firstInvalid(octets), in: octets), 1)
        }
        if let bad = octets.firstIndex(where: { $0 < 32 && $0 != 9 && $0 != 10 && $0 != 13 || $0 == 127 }) {
            return failed("is not a text file: it holds the octet \(octets[bad])", line(of: bad, in: octets), 1)
        }
        if let trap = YAMLTraps(deepest: deepest, widestIndent: widestIndent).first(in: octets) {
            return failed(trap.message, trap.line, trap.column)
        }
        return compose(text, file, empty)
    }

    private static func compose(
        _ original: String, _ file: String, _ empty: String
    ) -> (root: Node?, complaints: [Complaint]) {
        var complaints: [Complaint] = []
        var text = original
        while true {
            do {
                let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
                if let root = try parser.singleRoot() {
                    if root.scalar?.string.isEmpty == true { break }
                    return (root, complaints)
                }
                break
            } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
                let mark = context.mark
                let place = Place(source: file, line: mark.line, column: mark.column)
                complaints.append(Complaint(place, "the key \"\((keys.first ?? "").shown)\" stands twice here"))
                guard complaints.count < mostDuplicates, let masked = mask(text, mark) else { return (nil, complaints) }
                text = masked
            } catch let error as YamlError {
                complaints.append(complaint(error, file))
                return (nil, complaints)
            } catch {
                complaints.append(Complaint(Place(source: file), "is not YAML: \(error)"))
                return (nil, complaints)
            }
        }
        complaints.append(Complaint(Place(source: file), empty))
        return (nil, complaints)
    }

    /// Replaces the first character of a key, behind its quote if it has one.
    private static func mask(_ text: String, _ mark: Mark) -> String? {
        var scalars = Array(text.unicodeScalars)
        var line = 1
        var index = 0
        while index < scalars.count, line < mark.line {
            if scalars[index] == "\n" { line += 1 }
            index += 1
        }
        index += mark.column - 1
        if index < scalars.count, scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        guard index < scalars.count, scalars[index] != maskedKey, scalars[index] != "\n" else { return nil }
        scalars[index] = maskedKey
        return String(String.UnicodeScalarView(scalars))
    }

    private static func complaint(_ error: YamlError, _ file: String) -> Complaint {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
            .composer(let context, let problem, let mark, _):
            let place = Place(source: file, line: mark.line, column: mark.column)
            let about = context.map { "\($0.text) " } ?? ""
            return Complaint(place, "is not YAML: \(about)\(problem)".shown)
        case .reader(let problem, _, _, _):
            return Complaint(Place(source: file), "is not YAML: \(problem.shown)")
        default:
            return Complaint(Place(source: file), "is not YAML")
        }
    }

    private static func line(of index: Int, in octets: [UInt8]) -> Int {
        octets[..<min(index, octets.count)].count { $0 == 10 } + 1
    }

    private static func firstInvalid(_ octets: [UInt8]) -> Int {
        var low = 0
        // The longest valid beginning, line by line: a line that is not UTF-8 is where it breaks.
        for line in octets.split(separator: 10, omittingEmptySubsequences: false) {
            guard String(validating: line, as: UTF8.self) != nil else { return low }
            low += line.count + 1
        }
        return low
    }
}

/// Looks through the text as a reader of YAML would, without building anything. What matters is ASCII, so octets do.
private struct YAMLTraps {
    typealias Trap = (message: String, line: Int, column: Int)

    private let deepest: Int
    private let widestIndent: Int

    /// The quote that is open; it may go on over several lines.
    private var quote: UInt8?
    /// Brackets and braces that are open.
    private var depth = 0
    /// The indent of the line that opened a block scalar (`|` or `>`); the lines of the scalar are deeper.
    private var blockIndent: Int?

    init(deepest: Int, widestIndent: Int) {
        self.deepest = deepest
        self.widestIndent = widestIndent
    }

    private static let space = UInt8(ascii: " ")
    private static let tab = UInt8(ascii: "\t")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// - Parameter octets: text in UTF-8.
    func first(in octets: [UInt8]) -> Trap? {
        var scan = self
        var number = 0
        var rest = octets[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: 10) ?? rest.endIndex
            number += 1
            let line = rest[..<end]
            if let trap = scan.read(line) {
                // A column is a character, not an octet.
                let column = line[..<trap.index].count { $0 & 0xC0 != 0x80 } + 1
                return (trap.message, number, column)
            }
            rest = rest[min(end + 1, rest.endIndex)...]
        }
        return nil
    }

    private mutating func read(_ line: ArraySlice<UInt8>) -> (message: String, index: Int)? {
        var index = line.firstIndex { $0 != Self.space } ?? line.endIndex
        let indent = index - line.startIndex
        if let open = blockIndent, quote == nil {
            if indent > open || line[index...].allSatisfy({ $0 == Self.carriageReturn }) { return nil }
            blockIndent = nil
        }
        guard indent <= widestIndent else { return ("is nested too deeply", index) }
        var startsToken = true
        var dashes = 0
        while index < line.endIndex {
            defer { index += 1 }
            let octet = line[index]
            if let open = quote {
                if open == UInt8(ascii: "\""), octet == UInt8(ascii: "\\") {
                    index += 1
                } else if octet == open {
                    quote = nil
                    startsToken = false
                }
                continue
            }
            let isSpace = octet == Self.space || octet == Self.tab
            if octet == UInt8(ascii: "#") {
                let behindSpace =
                    index == line.startIndex || line[index - 1] == Self.space || line[index - 1] == Self.tab
                if behindSpace { return nil }
            }
            let next = index + 1 < line.endIndex ? line[index + 1] : Self.space
            let spaceFollows = next == Self.space || next == Self.tab || next == Self.carriageReturn
            if startsToken, !isSpace {
                if octet == UInt8(ascii: "-"), spaceFollows {
                    dashes += 1
                    guard dashes <= deepest else { return ("is nested too deeply", index) }
                    continue
                }
                if let message = token(octet, spaceFollows, indent, line[(index + 1)...]) { return (message, index) }
            }
            switch octet {
            case Self.space, Self.tab: break
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
            case UInt8(ascii: "["), UInt8(ascii: "{"): break
            case UInt8(ascii: ","): startsToken = depth > 0
            case UInt8(ascii: ":"), UInt8(ascii: "?"): startsToken = spaceFollows
            default: startsToken = false
            }
        }
        return nil
    }

    /// A token begins here.
    private mutating func token(
        _ octet: UInt8, _ spaceFollows: Bool, _ indent: Int, _ rest: ArraySlice<UInt8>
    ) -> String? {
        switch octet {
        case UInt8(ascii: "&"), UInt8(ascii: "*"):
            guard !spaceFollows else { return nil }
            let sign = Unicode.Scalar(octet)
            return "a value that begins with \(sign) stands in quotes; anchors and aliases are not taken"
        case UInt8(ascii: "\""), UInt8(ascii: "'"): quote = octet
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            depth += 1
            return depth > deepest ? "is nested too deeply" : nil
        case UInt8(ascii: "|"), UInt8(ascii: ">"):
            if rest.prefix(while: { $0 != UInt8(ascii: "#") }).allSatisfy({ Self.behindBlock.contains($0) }) {
                blockIndent = indent
            }
        default: break
        }
        return nil
    }

    /// What may stand behind `|` and `>`.
    private static let behindBlock = Set("+-0123456789 \t\r".utf8)
}
