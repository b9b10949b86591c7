// Messages that were stored.

import Faults
import Findings
import Hummingbird
import Journal
import Mail
import NIOCore
import Sink
import Store

enum Messages {
    static func list(_ call: inout Call) async throws -> Response {
        var page = try await API.page(&call, .message)
        page.query.contentLimit = MessageSummary.headerOctets
        let server = call.face.server
        guard server.store.keepsMessages else { throw Server.keepsNone("messages") }
        let found = try await server.messages(page.filter, page.query)
        return JSONText.response(
            MessageList(
                messages: found.map(MessageSummary.init), next: page.next(found.map(\.position)),
                cursor: page.cursor.description))
    }

    /// One message with what can be read in it.
    private struct Whole: Encodable {
        let summary: MessageSummary
        let view: MailView
        let findings: [Finding]
        let links: [MessageLink]
        /// Where the HTML is, for a frame, which can say no token.
        let html_path: String

        struct Part: Encodable {
            let id, file_name, content_type, content_id: String
            let size: Int
            let is_attachment: Bool
        }

        struct Header: Encodable {
            let name, value: String
        }

        private enum Keys: String, CodingKey {
            case headers, text, html, html_path, remote_count, parts, findings, links
        }

        func encode(to encoder: any Encoder) throws {
            try summary.encode(to: encoder)
            var fields = encoder.container(keyedBy: Keys.self)
            try fields.encode(view.headers.map { Header(name: $0.name, value: $0.value) }, forKey: .headers)
            try fields.encode(view.text, forKey: .text)
            try fields.encode(view.html, forKey: .html)
            try fields.encode(
                view.parts.map {
                    Part(
                        id: $0.partID, file_name: $0.fileName, content_type: $0.contentType, content_id: $0.contentID,
                        size: $0.size, is_attachment: $0.isAttachment)
                }, forKey: .parts)
            try fields.encode(findings, forKey: .findings)
            try fields.encode(links, forKey: .links)
            try fields.encode(html_path, forKey: .html_path)
            try fields.encode(MessageFrame.remoteCount(view.html, links), forKey: .remote_count)
        }
    }

    static func one(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let stored = try await message(call)
        let id = stored.message.id
        let key = call.face.settings.token == nil ? "" : "?key=" + call.face.frames.key(ofMessage: id)
        return JSONText.response(
            Whole(
                summary: MessageSummary(stored), view: call.face.views.view(of: stored.message),
                findings: try await FindingViews.findings(of: stored, call.face.server),
                links: FindingViews.links(of: stored), html_path: FrameKey.path(ofMessage: id) + key))
    }

    /// Its HTML, for a frame.
    static func html(_ call: inout Call) async throws -> Response {
        // The gate has looked at it.
        _ = try call.query.take("key")
        try call.query.finish([])
        let stored = try await message(call)
        let view = call.face.views.view(of: stored.message)
        guard !view.html.isEmpty else {
            throw Problem.notFound("the message \(stored.message.id) has no part of HTML")
        }
        return MessageFrame.response(view, stored.message.content)
    }

    /// The octets as they came.
    static func raw(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let stored = try await message(call)
        return Response(
            status: .ok, headers: [.contentType: "message/rfc822"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: stored.message.content)))
    }

    struct Removed: Encodable {
        let removed: Int
        let messages: [MessageSummary]?
    }

    /// Those that the filter means; all without one.
    static func remove(_ call: inout Call) async throws -> Response {
        let filter = try API.filter(&call, .message, [])
        try await call.expectNoBody()
        let server = call.face.server
        await server.settle()
        var query = StoreQuery(limit: .max)
        query.contentLimit = MessageSummary.headerOctets
        let found = try await server.messages(filter, query)
        let gone = Set(try await server.store.removeMessages(found.map(\.position)))
        if !gone.isEmpty { server.tellRemoval(space: filter.space) }
        return JSONText.response(
            Removed(
                removed: gone.count,
                messages: found.filter { gone.contains($0.position) }.prefix(API.mostLimit).map(MessageSummary.init)))
    }

    static func removeOne(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        try await call.expectNoBody()
        let stored = try await message(call)
        let gone = try await call.face.server.store.removeMessages([stored.position])
        guard !gone.isEmpty else { throw Problem.notFound("the message \(stored.message.id) is gone already") }
        call.face.server.tellRemoval()
        return JSONText.response(Removed(removed: 1, messages: [MessageSummary(stored)]))
    }

    static func message(_ call: Call) async throws -> StoredMessage {
        let id = call.arguments["id"] ?? ""
        await call.face.server.settle()
        guard let found = try await call.face.server.store.message(id) else {
            throw Problem.notFound("no message \"\(id.shown)\" is kept; retention may have dropped it")
        }
        return found
    }
}
