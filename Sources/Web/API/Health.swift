// Whether the sink lives, what it is, where it stands, and how it begins anew.

import Faults
import Hummingbird
import Journal
import NIOCore
import SMTP
import Sink
import Store

enum Health {
    static func live(_ call: inout Call) async throws -> Response { text("ok\n") }

    /// Listening by the time that anybody can ask; not ready when the store is in trouble.
    static func ready(_ call: inout Call) async throws -> Response {
        if let trouble = call.face.server.store.counts.trouble {
            throw Problem("store-trouble", 503, "The store is in trouble", trouble)
        }
        return text("ok\n")
    }

    static func text(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    private struct Info: Encodable {
        let version, run, started, store: String
        let uptime_s: Double
        let listeners: [String]
        let loops: Int
        let sessions, messages: Kept
        let cursor: String
        let waiting: Int
        let chronicle: Ring
        let trouble: String?
        /// Missing where nobody is judged.
        let judging: JudgingView?

        struct Kept: Encodable {
            let kept, octets, ever, dropped: Int
            let open: Int?
        }

        struct Ring: Encodable {
            let last, forgotten: UInt64
            let events_left_out: Int
        }
    }

    static func info(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let server = call.face.server
        let cursor = try await server.cursor()
        let counts = server.store.counts
        return JSONText.response(
            Info(
                version: call.face.settings.version, run: String(server.chronicle.run, radix: 36),
                started: Timestamp(wall_us: server.started_us).rfc3339, store: call.face.settings.storeName,
                uptime_s: Double(server.uptime_us / 1000) / 1000,
                listeners: server.listenerNames, loops: server.loopCount,
                sessions: Info.Kept(
                    kept: counts.sessions, octets: counts.sessionOctets, ever: server.counters.sessionsEnded,
                    dropped: counts.sessionsDropped, open: server.counters.sessionsOpen),
                messages: Info.Kept(
                    kept: counts.messages, octets: counts.messageOctets, ever: server.counters.messagesAccepted,
                    dropped: counts.messagesDropped, open: nil),
                cursor: cursor.description, waiting: server.chronicle.waiterCount,
                chronicle: Info.Ring(
                    last: server.chronicle.last, forgotten: server.chronicle.forgotten,
                    events_left_out: server.chronicle.eventsLeftOut),
                trouble: counts.trouble, judging: server.judging.map { JudgingView($0.status) }))
    }

    private struct CursorView: Encodable { let cursor: String }

    static func cursor(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        return JSONText.response(CursorView(cursor: try await call.face.server.cursor().description))
    }

    private struct ResetView: Encodable {
        let messages, sessions, rules: Int
        let cursor: String
    }

    static func reset(_ call: inout Call) async throws -> Response {
        let space = try space(&call)
        try call.query.finish(["space"])
        try await call.expectNoBody()
        let reset = try await call.face.server.reset(space: space)
        return JSONText.response(
            ResetView(
                messages: reset.messages, sessions: reset.sessions, rules: reset.rules,
                cursor: try await call.face.server.cursor().description))
    }

    static func space(_ call: inout Call) throws(Problem) -> String? {
        guard let space = try call.query.take("space") else { return nil }
        guard Space.isName(space) else {
            throw .badParameter("space", "a space is a name of letters, digits, - and _, not \"\(space.shown)\"")
        }
        return space.asciiLowercased
    }
}
