// Our own face, under /api/fakemx/: which calls there are. What they do stands beside this file, one noun a file.

import Faults
import Hummingbird
import Sink
import Store

enum API {
    static let prefix = "/api/fakemx"

    static var routes: [Route] {
        [
            Route("GET", "/livez", Health.live), Route("GET", "/readyz", Health.ready),
            Route("GET", "/metrics", Metrics.text),
            Route("GET", prefix + "/openapi.json", OpenAPI.document), Route("GET", prefix + "/info", Health.info),
            Route("GET", prefix + "/cursor", Health.cursor), Route("POST", prefix + "/reset", Health.reset),
            Route("GET", prefix + "/sessions", Sessions.list), Route("GET", prefix + "/sessions/{id}", Sessions.one),
            Route("GET", prefix + "/sessions/{id}/transcript", Sessions.transcript),
            Route("GET", prefix + "/sessions/{id}/scenario", Sessions.scenario),
            Route("GET", prefix + "/attempts", Attempts.list),
            Route("GET", prefix + "/messages", Messages.list), Route("DELETE", prefix + "/messages", Messages.remove),
            Route("GET", prefix + "/messages/{id}", Messages.one),
            Route("DELETE", prefix + "/messages/{id}", Messages.removeOne),
            Route("GET", prefix + "/messages/{id}/raw", Messages.raw),
            Route("GET", prefix + "/messages/{id}/html", Messages.html),
            Route("GET", prefix + "/rules", Rules.list), Route("POST", prefix + "/rules", Rules.add),
            Route("DELETE", prefix + "/rules", Rules.removeAll),
            Route("GET", prefix + "/rules/{name}", Rules.one), Route("PUT", prefix + "/rules/{name}", Rules.put),
            Route("PATCH", prefix + "/rules/{name}", Rules.change),
            Route("DELETE", prefix + "/rules/{name}", Rules.remove),
            Route("GET", prefix + "/scenarios", ScenarioCalls.list),
            Route("POST", prefix + "/scenarios/{name}", ScenarioCalls.set),
            Route("DELETE", prefix + "/scenarios/{name}", ScenarioCalls.remove),
            Route("GET", prefix + "/replies", Replies.list),
            Route("GET", prefix + "/findings", FindingCalls.list),
            Route("GET", prefix + "/report", FindingCalls.report),
            Route("GET", prefix + "/wait", Waiting.wait), Route("GET", prefix + "/events", Events.stream),
        ] + LessonCalls.routes
    }

    /// Items on a page, where nothing else is said, and at most.
    static let usualLimit = 50
    static let mostLimit = 1000

    /// What of a list is wanted.
    struct Page {
        var query: StoreQuery
        let filter: Filter
        /// The moment before the list was read.
        let cursor: Cursor

        /// Where the next page begins.
        func next(_ positions: [Int64]) -> String? {
            positions.count == query.limit ? positions.last.map { "p\($0)" } : nil
        }
    }

    /// Takes `limit`, `before`, `since` and the words of a filter; anything else is a complaint.
    ///
    /// - Parameter usual: the limit where none is said.
    static func page(
        _ call: inout Call, _ kind: Filter.Kind, usual: Int = usualLimit
    ) async throws -> Page {
        let limit = try call.query.takeNumber("limit", 1...mostLimit) ?? usual
        let before = try call.query.take("before")
        let present = try await call.face.server.cursor()
        let since = try await cursor(&call, present)
        var query = StoreQuery(limit: limit)
        if let before {
            guard before.first == "p", let position = Int64(before.dropFirst()), position > 0 else {
                throw Problem.badParameter(
                    "before", "before is what stands behind \"next\" in a list, not \"\(before.shown)\"")
            }
            query.before = position
        }
        if let since, let position = call.face.server.position(since, kind) { query.after = position }
        return Page(query: query, filter: try filter(&call, kind, ["limit", "before", "since"]), cursor: present)
    }

    /// - Parameter present: now, where that is known already.
    static func cursor(_ call: inout Call, _ present: Cursor? = nil) async throws -> Cursor? {
        guard let text = try call.query.take("since") else { return nil }
        guard let cursor = Cursor(text), try await call.face.server.mayHaveGiven(cursor, by: present) else {
            throw Problem.badParameter(
                "since", "since is a cursor, as GET \(prefix)/cursor gives it, not \"\(text.shown)\"")
        }
        guard cursor.run == call.face.server.chronicle.run || call.face.server.store.outlivesRuns else {
            throw Problem(
                "stale-cursor", 400, "The cursor is of another run",
                "\"\(text.shown)\" is a cursor of another run of fakemx, and nothing is known of that; take a new one: "
                    + "GET \(prefix)/cursor", parameter: "since")
        }
        return cursor
    }

    /// Reads what is left of the query as a filter.
    static func filter(_ call: inout Call, _ kind: Filter.Kind, _ others: [String]) throws(Problem) -> Filter {
        switch Filter.parse(call.query.pairs, kind) {
        case .success(let filter): return filter
        case .failure(let complaint):
            let isUnknown = !Filter.names(kind).contains(complaint.word) && !complaint.word.hasPrefix("header.")
            guard isUnknown else { throw .badParameter(complaint.word, complaint.text) }
            let hint = Suggestion.didYouMean(complaint.word, among: Filter.names(kind) + others)
            let known = (Filter.names(kind) + others).joined(separator: ", ")
            throw Problem(
                "unknown-parameter", 400, "A parameter is unknown",
                "unknown parameter \"\(complaint.word.shown)\"\(hint); known are \(known)",
                parameter: complaint.word.shown)
        }
    }
}
