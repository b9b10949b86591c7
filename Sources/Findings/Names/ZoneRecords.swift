// Records from a zone file (RFC 1035 §5), for those who have no name system to ask: a test says what names there are.
// One record a line, of the types that are asked for; $ORIGIN and $TTL, comments, relative names.

package struct ZoneRecords: Sendable, Hashable, NameResolver {
    private struct Key: Hashable {
        let name: String
        let type: RecordType
    }

    private struct Record: Hashable {
        /// 0 where it is no exchanger.
        var preference = 0
        var data: String
    }

    /// What is wrong, and where.
    package struct Trouble: Error, Sendable, Hashable {
        /// From 1.
        package let line: Int
        package let words: String
    }

    /// Lines of one file.
    package static let lineLimit = 100_000

    private var records: [Key: [Record]] = [:]

    package init(_ text: String) throws(Trouble) {
        var origin = ""
        var last: String?
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard index < Self.lineLimit else {
                throw Trouble(line: index + 1, words: "more than \(Self.lineLimit) lines")
            }
            let plain = line.prefix { $0 != ";" }
            let words = plain.split(whereSeparator: \.isWhitespace).map(String.init)
            guard let first = words.first else { continue }
            do throws(Wrong) {
                if first.hasPrefix("$") {
                    try Self.directive(words, &origin)
                } else {
                    // A line that begins with white space goes on with the name of the one before.
                    let hasName = plain.first?.isWhitespace == false
                    if hasName { last = try Self.domain(first, origin) }
                    guard let last else { throw Wrong("the first record needs a name") }
                    try add(last, Array(words.dropFirst(hasName ? 1 : 0)), origin)
                }
            } catch { throw Trouble(line: index + 1, words: error.text) }
        }
        for key in records.keys { records[key]?.sort { $0.preference < $1.preference } }
    }

    package func records(_ name: String, _ type: RecordType) async -> NameAnswer<[String]> {
        records[Key(name: name, type: type)].map { .found($0.map(\.data)) } ?? .none
    }

    private struct Wrong: Error {
        let text: String
        init(_ text: String) { self.text = text }
    }

    private static func directive(_ words: [String], _ origin: inout String) throws(Wrong) {
        switch words[0].uppercased() {
        case "$TTL": return
        case "$ORIGIN":
            guard words.count == 2 else { throw Wrong("$ORIGIN takes one domain") }
            origin = try domain(words[1], "")
        default: throw Wrong("\(words[0]) is not read here; $ORIGIN and $TTL are")
        }
    }

    private static func domain(_ text: String, _ origin: String) throws(Wrong) -> String {
        if text == "@", !origin.isEmpty { return origin }
        let isWhole = text.hasSuffix(".")
        let name = (isWhole ? String(text.dropLast()) : origin.isEmpty ? text : "\(text).\(origin)").lowercased()
        guard NameQuestions.isName(name.utf8) else { throw Wrong("\"\(Excerpt.text(text))\" is not a domain") }
        return name
    }

    private mutating func add(_ name: String, _ words: [String], _ origin: String) throws(Wrong) {
        // In front of the type stand the time to live and the class, in either order.
        let rest = words.drop { $0.uppercased() == "IN" || $0.utf8.allSatisfy { (48...57).contains($0) } }
        guard let word = rest.first?.uppercased() else { throw Wrong("a type is missing: A, AAAA, MX or PTR") }
        guard let type = RecordType.allCases.first(where: { $0.word == word }) else {
            if Self.others.contains(word) { return }
            throw Wrong("\"\(Excerpt.text(word))\" is no type of record; A, AAAA, MX and PTR are read")
        }
        let data = Array(rest.dropFirst())
        let record = try Self.record(type, data, origin)
        records[Key(name: name, type: type), default: []].append(record)
    }

    /// They say nothing of a peer, and zone files have them.
    private static let others: Set<String> = ["SOA", "NS", "TXT", "CNAME", "SRV", "CAA", "TLSA", "SPF"]

    private static func record(
        _ type: RecordType, _ data: [String], _ origin: String
    ) throws(Wrong) -> Record {
        switch type {
        case .address4, .address6:
            guard data.count == 1, let address = NetworkAddress(data[0]),
                address.isIPv4Address == (type == .address4)
            else { throw Wrong("\(type.word) takes one \(type == .address4 ? "IPv4" : "IPv6") address") }
            return Record(data: data[0].lowercased())
        case .pointer:
            guard data.count == 1 else { throw Wrong("PTR takes one domain") }
            return Record(data: try domain(data[0], origin))
        case .exchanger:
            guard data.count == 2, let preference = Int(data[0]), (0...65535).contains(preference) else {
                throw Wrong("MX takes a preference from 0 to 65535 and a domain")
            }
            return Record(preference: preference, data: data[1] == "." ? "." : try domain(data[1], origin))
        }
    }
}
