// Lessons, and those who take one. What a run does (a sink of its own, the sender) is somebody else's.

import Faults
import Hummingbird
import Lessons

/// Where lessons are found and taken.
package protocol LessonDesk: Sendable {
    func lessons() async -> [Lesson]
    /// By its name alone, never by a path.
    func lesson(_ name: String) async -> Lesson?
    func begin(_ name: String) async throws(LessonRefusal) -> RunView
    func look(_ lesson: String, _ run: String) async throws(LessonRefusal) -> RunView
    /// The built-in sender does the step that is on.
    func send(_ lesson: String, _ run: String) async throws(LessonRefusal) -> RunView
    func next(_ lesson: String, _ run: String) async throws(LessonRefusal) -> RunView
    func handout(_ lesson: String, _ run: String) async throws(LessonRefusal) -> String
    /// - Returns: the run as it was.
    func end(_ lesson: String, _ run: String) async throws(LessonRefusal) -> RunView
    func close() async
}

package enum LessonRefusal: Error {
    case unknownLesson(String, among: [String])
    case unknownRun(String)
    /// So many runs there are at most.
    case tooMany(Int)
    case trouble(String)
}

enum LessonCalls {
    static var routes: [Route] {
        let lessons = API.prefix + "/lessons"
        let run = lessons + "/{name}/runs/{id}"
        return [
            Route("GET", lessons, list), Route("GET", lessons + "/{name}", one),
            Route("POST", lessons + "/{name}/runs", begin), Route("GET", run, look), Route("DELETE", run, end),
            Route("POST", run + "/send", send), Route("POST", run + "/next", next),
            Route("GET", run + "/handout", handout),
        ]
    }

    private struct LessonList: Encodable { let lessons: [LessonSummary] }

    static func list(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        return JSONText.response(LessonList(lessons: try await desk(call).lessons().map(LessonSummary.init)))
    }

    static func one(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let (desk, name) = (try desk(call), call.arguments["name"] ?? "")
        guard let lesson = await desk.lesson(name) else {
            throw problem(.unknownLesson(name, among: await desk.lessons().map(\.name)))
        }
        return JSONText.response(lesson)
    }

    static func begin(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let (desk, name) = (try desk(call), call.arguments["name"] ?? "")
        let view: RunView
        do { view = try await desk.begin(name) } catch { throw problem(error) }
        var response = JSONText.response(view, status: .created)
        response.headers[.location] = "\(API.prefix)/lessons/\(view.lesson)/runs/\(view.id)"
        return response
    }

    static func look(_ call: inout Call) async throws -> Response {
        try await shown(&call) { (desk, name, id) throws(LessonRefusal) in try await desk.look(name, id) }
    }

    static func send(_ call: inout Call) async throws -> Response {
        try await shown(&call) { (desk, name, id) throws(LessonRefusal) in try await desk.send(name, id) }
    }

    static func next(_ call: inout Call) async throws -> Response {
        try await shown(&call) { (desk, name, id) throws(LessonRefusal) in try await desk.next(name, id) }
    }

    static func end(_ call: inout Call) async throws -> Response {
        try await shown(&call) { (desk, name, id) throws(LessonRefusal) in try await desk.end(name, id) }
    }

    static func handout(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let text: String
        do {
            text = try await desk(call).handout(call.arguments["name"] ?? "", call.arguments["id"] ?? "")
        } catch let refusal as LessonRefusal { throw problem(refusal) }
        var response = Response(
            status: .ok, headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
        response.headers[.contentSecurityPolicy] = Handout.policy + "; frame-ancestors 'none'; sandbox"
        return response
    }

    private static func shown(
        _ call: inout Call, _ act: (any LessonDesk, String, String) async throws(LessonRefusal) -> RunView
    ) async throws -> Response {
        try call.query.finish([])
        let desk = try desk(call)
        do {
            return JSONText.response(try await act(desk, call.arguments["name"] ?? "", call.arguments["id"] ?? ""))
        } catch { throw problem(error) }
    }

    private static func desk(_ call: Call) throws(Problem) -> any LessonDesk {
        guard let desk = call.face.settings.lessons else { throw .notFound("no lessons are given here") }
        return desk
    }

    private static func problem(_ refusal: LessonRefusal) -> Problem {
        switch refusal {
        case .unknownLesson(let name, let known):
            .notFound("no lesson is named \"\(name.shown)\"\(Suggestion.didYouMean(name, among: known))")
        case .unknownRun(let id):
            .notFound("no run \"\(id.shown)\" of this lesson; runs that nobody uses end by themselves")
        case .tooMany(let most):
            Problem(
                "too-many-runs", 409, "Too many lessons are being taken",
                "\(most) runs at once are all there is; end one with DELETE, or come again later")
        case .trouble(let words): Problem("lesson-trouble", 503, "The lesson cannot go on", words)
        }
    }
}
