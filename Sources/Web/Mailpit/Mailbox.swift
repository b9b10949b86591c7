// The store as Mailpit's calls see it: pages by number, messages by id, messages that a search means. Contents are
// left out of what the store reads wherever only envelopes and marks are needed; what lists show of a content is in
// `Digests`.

import Journal
import Mail
import SMTP
import Sink
import Store

extension Mailpit {
    struct Mailbox: Sendable {
        let face: Face
        let digests: Digests

        var store: any SessionStore { face.server.store }

        /// Messages looked at before others get a turn.
        private static let turn = 64

        // MARK: Several

        /// Newest first, without their contents where the store can leave them out.
        ///
        /// - Parameter before_ms: received before; nil: at any time.
        func page(start: Int, limit: Int, before_ms: Int64?) async throws -> [StoredMessage] {
            var query = StoreQuery(limit: start + limit)
            query.contentLimit = 0
            let found = try await store.messages(query) { stored in
                before_ms.map { stored.message.received_us / 1000 < $0 } ?? true
            }
            return Array(found.dropFirst(start))
        }

        /// Those that a search means, newest first, at most `limit`.
        func find(_ search: Search, before_ms: Int64? = nil, limit: Int = .max) async throws -> [StoredMessage] {
            var found: [StoredMessage] = []
            var count = 0
            for stored in try await candidates(search, before_ms) {
                count += 1
                if count % Self.turn == 0 { await Task.yield() }
                guard let digest = try await digest(of: stored) else { continue }
                let text = search.asksForText ? try await text(of: stored, digest) : []
                guard search.matches(digest, text) else { continue }
                found.append(stored)
                if found.count == limit { break }
            }
            return found
        }

        /// What may be meant, as far as marks, envelopes and an index tell.
        private func candidates(_ search: Search, _ before_ms: Int64?) async throws -> [StoredMessage] {
            @Sendable func mayMatch(_ stored: StoredMessage) -> Bool {
                (before_ms.map { stored.message.received_us / 1000 < $0 } ?? true) && search.mayMatch(stored)
            }
            let words = search.words
            var query = StoreQuery(limit: .max)
            query.contentLimit = 0
            query.containing = words
            let found = try await store.messages(query, where: mayMatch)
            guard !words.isEmpty, store.outlivesRuns else { return found }
            // The index knows contents alone; a word may stand in an envelope.
            let known = Set(found.map(\.position))
            query.containing = []
            let wanted = words.map { Array($0.utf8) }
            let others = try await store.messages(query) { stored in
                guard !known.contains(stored.position), mayMatch(stored) else { return false }
                let addresses = [stored.message.reversePath.address] + stored.message.recipients.map(\.address)
                let text = Folded.octets(addresses.map { Text.lossy($0) }.joined(separator: " "))
                return wanted.contains { Folded.contains(text, $0) }
            }
            return (found + others).sorted { $0.position > $1.position }
        }

        /// The positions of those that are there.
        func positions(_ ids: [String]) async throws -> [Int64] {
            let wanted = Set(ids)
            guard !wanted.isEmpty else { return [] }
            var query = StoreQuery(limit: wanted.count)
            query.contentLimit = 0
            return try await store.messages(query) { wanted.contains($0.message.id) }.map(\.position)
        }

        // MARK: One

        /// By its id, or the latest; then of those that `query` means, where the call has one.
        func message(_ call: inout Call) async throws -> StoredMessage {
            let id = call.arguments["id"] ?? ""
            return try await message(id, &call)
        }

        func message(_ id: String, _ call: inout Call) async throws -> StoredMessage {
            if id == "latest" { return try await latest(&call) }
            guard let found = try await store.message(id) else { throw notFound }
            return found
        }

        private func latest(_ call: inout Call) async throws -> StoredMessage {
            let query = first("query", &call).trimmed
            let found: [StoredMessage]
            if query.isEmpty {
                found = try await page(start: 0, limit: 1, before_ms: nil)
            } else {
                found = try await find(Search(query, timeZone: first("tz", &call)), limit: 1)
            }
            guard let latest = found.first, let whole = try await store.message(latest.message.id) else {
                throw nothingLatest
            }
            return whole
        }

        func markRead(_ stored: StoredMessage) async throws {
            if stored.marks.isRead { return }
            _ = try await store.mark([stored.position]) { $0.isRead = true }
        }

        // MARK: What lists show

        /// nil where the message has gone meanwhile.
        func digest(of stored: StoredMessage) async throws -> Digest? {
            if let known = digests.digest(at: stored.position) { return known }
            guard let message = try await whole(stored) else { return nil }
            let digest = Digest(message, face.views.view(of: message))
            digests.keep(digest, at: stored.position)
            return digest
        }

        private func text(of stored: StoredMessage, _ digest: Digest) async throws -> [UInt8] {
            if let text = digest.text { return text }
            guard let message = try await whole(stored) else { return [] }
            return Digest.searched(message, face.views.view(of: message))
        }

        private func whole(_ stored: StoredMessage) async throws -> Message? {
            if stored.message.content.count == stored.size { return stored.message }
            return try await store.message(stored.message.id)?.message
        }
    }

    /// A parameter of the query; the first where there are several, as in Mailpit.
    static func first(_ name: String, _ call: inout Call) -> String { call.query.takeAll(name).first ?? "" }
}
