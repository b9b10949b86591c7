// Tags: words that clients put on messages. Their names are Mailpit's: letters, digits, spaces, `-`, `_`, `.` and `@`,
// the same whatever their case. A tag is there as long as a message has it.

import Faults
import Hummingbird
import Store

extension Mailpit {
    /// Characters of a name.
    private static let longestTag = 100

    /// In alphabetical order.
    static func allTags(_ box: Mailbox) async throws -> [String] {
        sorted(Array(try await box.store.tags().keys))
    }

    @Sendable static func tags(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        JSONText.response(try await allTags(box))
    }

    /// The messages have these tags then, and no others.
    @Sendable static func setTags(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let body = try await Body(call)
        guard !body.isEmpty else { throw refusal("the body is empty; JSON is expected here") }
        let ids = try body.texts("IDs", atMost: Bounds.ids)
        let known = try await allTags(box)
        var tags: [String] = []
        for text in try body.texts("Tags", atMost: Bounds.tags) {
            let tag = cleaned(text)
            guard !tag.isEmpty, !tags.contains(where: { isSame($0, tag) }) else { continue }
            // A tag that is there already keeps its spelling.
            tags.append(known.first { isSame($0, tag) } ?? tag)
        }
        let sorted = sorted(tags)
        _ = try await box.store.mark(box.positions(ids)) { $0.tags = sorted }
        return done
    }

    @Sendable static func renameTag(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let name = call.arguments["tag"] ?? ""
        let text = try await Body(call).text("Name")
        let new = cleaned(text)
        guard !new.isEmpty else { throw refusal("invalid tag name: \(text.shown)") }
        if name == new { return done }
        let known = try await allTags(box)
        guard known.contains(where: { isSame($0, name) }) else { throw refusal("tag not found: \(name.shown)") }
        guard !known.contains(where: { isSame($0, new) && !isSame($0, name) }) else {
            throw refusal("tag already exists: \(new)")
        }
        try await change(name, box) { tags in sorted(tags.map { isSame($0, name) ? new : $0 }) }
        return done
    }

    @Sendable static func deleteTag(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let name = call.arguments["tag"] ?? ""
        let known = try await allTags(box)
        guard known.contains(where: { isSame($0, name) }) else { throw refusal("tag not found: \(name.shown)") }
        try await change(name, box) { tags in tags.filter { !isSame($0, name) } }
        return done
    }

    private static func change(
        _ name: String, _ box: Mailbox, _ change: @escaping @Sendable ([String]) -> [String]
    ) async throws {
        var query = StoreQuery(limit: .max)
        query.contentLimit = 0
        let found = try await box.store.messages(query) { $0.marks.tags.contains { isSame($0, name) } }
        _ = try await box.store.mark(found.map(\.position)) { $0.tags = change($0.tags) }
    }

    // MARK: Names

    /// What may not stand in a name becomes a space, and spaces become one.
    private static func cleaned(_ text: String) -> String {
        let octets = text.unicodeScalars.map { scalar -> UInt8 in
            let octet = UInt8(exactly: scalar.value) ?? 32
            let isPlain =
                (48...57).contains(octet) || (65...90).contains(octet) || (97...122).contains(octet)
                || "-_.@".utf8.contains(octet)
            return isPlain ? octet : 32
        }
        let words = octets.split(separator: 32).map { String(decoding: $0, as: UTF8.self) }
        return String(words.joined(separator: " ").prefix(longestTag)).trimmed
    }

    private static func isSame(_ a: String, _ b: String) -> Bool { a.asciiLowercased == b.asciiLowercased }

    private static func sorted(_ tags: [String]) -> [String] {
        tags.sorted { ($0.asciiLowercased, $0) < ($1.asciiLowercased, $1) }
    }
}
