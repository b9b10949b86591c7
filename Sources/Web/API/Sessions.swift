// Sessions, the refused and broken ones, too.

import Faults
import Hummingbird
import Journal
import NIOCore
import Settings
import Sink
import Store

enum Sessions {
    static func list(_ call: inout Call) async throws -> Response {
        let open = try call.query.takeFlag("open") ?? false
        let nested = try call.query.takeNumber("nested", 0...API.mostLimit) ?? .max
        let page = try await API.page(&call, .session)
        let server = call.face.server
        if open {
            let all = server.chronicle.openSessions.reversed().filter { page.filter.matches(Subject($0.brief)) }
            return JSONText.response(
                SessionList(
                    sessions: all.prefix(page.query.limit).map { SessionSummary($0, nil, nested: nested) }, next: nil,
                    cursor: page.cursor.description))
        }
        guard server.store.keepsSessions else { throw Server.keepsNone("sessions") }
        let found = try await server.sessions(page.filter, page.query)
        return JSONText.response(
            SessionList(
                sessions: found.map { SessionSummary($0, server.judging?.verdicts, nested: nested) },
                next: page.next(found.map(\.position)),
                cursor: page.cursor.description))
    }

    static func one(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let session = try await session(call)
        let judgement = try await FindingViews.judgement(of: session, call.face.server)
        return JSONText.response(JudgedSession(record: session.record, judgement: judgement))
    }

    static func transcript(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let session = try await session(call)
        var transcript = Transcript(colours: false)
        var text = ""
        for event in session.log { text += transcript.render(event) }
        return Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// The faults of the session as a scenario that makes them happen again.
    static func scenario(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let session = try await session(call)
        let replay = Replay(of: session.record)
        let error = SettingsFile.error(ofScenario: replay.scenario)?.description
        guard replay.ruleCount > 0, error == nil else {
            let why = error ?? replay.leftOut.first ?? "nothing went wrong in it by a rule"
            throw Problem("no-replay", 409, "It cannot be replayed", "session \(session.id): \(why)")
        }
        return Response(
            status: .ok, headers: [.contentType: "text/yaml; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: replay.scenario)))
    }

    private static func session(_ call: Call) async throws -> StoredSession {
        let id = call.arguments["id"] ?? ""
        guard id.first == "s", let number = UInt64(id.dropFirst()), id == "s\(number)" else {
            throw Problem.notFound("a session's id is s and a number, not \"\(id.shown)\"")
        }
        if let session = try await call.face.server.session(number) { return session }
        throw Problem.notFound("no session \(id.shown) is kept; retention may have dropped it")
    }
}
