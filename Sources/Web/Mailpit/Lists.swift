// Calls for many messages: lists, searches, read and unread, gone.

import Hummingbird
import Store

extension Mailpit {
    // MARK: Asking

    @Sendable static func list(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let range = try range(&call)
        let found = try await box.page(start: range.start, limit: range.limit, before_ms: range.before_ms)
        let counts = box.store.counts
        return try await page(found, range, counts.messages, counts.unreadMessages, box)
    }

    @Sendable static func search(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let search = try query(&call)
        let range = try range(&call)
        let found = try await box.find(search, before_ms: range.before_ms)
        let unread = found.count { !$0.marks.isRead }
        let shown = Array(found.dropFirst(range.start).prefix(range.limit))
        return try await page(shown, range, found.count, unread, box)
    }

    private static func page(
        _ found: [StoredMessage], _ range: Range, _ count: Int, _ unread: Int, _ box: Mailbox
    ) async throws -> Response {
        var summaries: [Summary] = []
        summaries.reserveCapacity(found.count)
        var octets = 0
        for stored in found where octets < Bounds.pageOctets {
            if summaries.count % 64 == 63 { await Task.yield() }
            // What went while the list was made is no longer in it.
            guard let digest = try await box.digest(of: stored) else { continue }
            summaries.append(Summary(stored, digest))
            octets += digest.size
        }
        let counts = box.store.counts
        return JSONText.response(
            Page(
                total: counts.messages, unread: counts.unreadMessages, count: summaries.count, messages_count: count,
                messages_unread: unread, start: range.start, tags: try await allTags(box), messages: summaries))
    }

    struct Range {
        var start = 0
        var limit = 50
        var before_ms: Int64?
    }

    /// A number that cannot be read is the usual one, as in Mailpit; a date that cannot is an error.
    private static func range(_ call: inout Call) throws -> Range {
        var range = Range()
        if let start = Int(first("start", &call)), start > 0 { range.start = min(start, 1 << 40) }
        if let limit = Int(first("limit", &call)), limit >= 0 {
            range.limit = limit == 0 ? Bounds.page : min(limit, Bounds.page)
        }
        let before = first("before", &call)
        if !before.isEmpty { range.before_ms = try Moment.milliseconds(before, "before", first("tz", &call)) }
        return range
    }

    private static func query(_ call: inout Call) throws -> Search {
        let text = first("query", &call).trimmed
        guard !text.isEmpty else { throw refusal("Error: no search query") }
        return try Search(text, timeZone: call.query.pairs.first { $0.name == "tz" }?.value)
    }

    // MARK: Changing

    @Sendable static func setReadState(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let body = try await Body(call)
        guard !body.isEmpty else { throw refusal("the body is empty; JSON is expected here") }
        let isRead = try body.flag("Read")
        let ids = try body.texts("IDs", atMost: Bounds.ids)
        let search = try body.text("Search")
        guard ids.isEmpty || search.isEmpty else {
            throw refusal("You may specify either IDs or a search query, not both")
        }
        let positions: [Int64]
        if !search.isEmpty {
            positions = try await box.find(Search(search, timeZone: first("tz", &call))).map(\.position)
        } else if !ids.isEmpty {
            positions = try await box.positions(ids)
        } else {
            positions = try await box.page(start: 0, limit: .max, before_ms: nil).map(\.position)
        }
        _ = try await box.store.mark(positions) { $0.isRead = isRead }
        return done
    }

    /// Without ids everything goes.
    @Sendable static func delete(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let body = try await Body(call)
        guard !body.isOther(than: ["IDs"]) else {
            throw refusal("the body names no IDs; an empty one deletes every message")
        }
        let ids = try body.texts("IDs", atMost: Bounds.ids)
        let count =
            ids.isEmpty
            ? try await box.store.removeAllMessages()
            : try await box.store.removeMessages(box.positions(ids)).count
        if count > 0 { call.face.server.tellRemoval() }
        return done
    }

    @Sendable static func deleteSearch(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let found = try await box.find(query(&call))
        let gone = try await box.store.removeMessages(found.map(\.position))
        if !gone.isEmpty { call.face.server.tellRemoval() }
        return done
    }
}
