// The dialect of Mailpit, under /api/v1 and /view, so that clients made for it work unchanged: which calls there are,
// and how an error is said in it: as text alone. What the calls do stands beside this file.

import Hummingbird
import NIOCore
import Sink
import Store

enum Mailpit {
    enum Bounds {
        /// Messages in one answer, where a client asks for all.
        static let page = 10_000
        /// Octets, about, of what is listed in one answer; a client goes on behind the last one.
        static let pageOctets = 32 << 20
        /// Ids in one request.
        static let ids = 10_000
        /// Tags in one request, and of one message.
        static let tags = 100
        /// Octets of a search.
        static let query = 4 << 10
        /// Terms of a search.
        static let terms = 100
    }

    static let prefix = "/api/v1"

    static var routes: [Route] {
        // One for each HTTP side: what was read out of messages for lists is kept for the next list.
        let digests = Digests()
        func api(_ method: String, _ path: String, _ handler: @escaping Handler) -> Route {
            Route(method, prefix + path, spoken(handler, digests))
        }
        func page(_ path: String, _ handler: @escaping Handler) -> Route {
            Route("GET", path, spoken(handler, digests))
        }
        let routes = [
            api("GET", "/messages", list), api("PUT", "/messages", setReadState), api("DELETE", "/messages", delete),
            api("GET", "/search", search), api("DELETE", "/search", deleteSearch),
            api("GET", "/message/{id}", message), api("GET", "/message/{id}/headers", headers),
            api("GET", "/message/{id}/raw", raw), api("GET", "/message/{id}/part/{part}", part),
            api("GET", "/message/{id}/part/{part}/thumb", Unspoken.thumbnail),
            api("GET", "/message/{id}/html-check", Unspoken.htmlCheck),
            api("GET", "/message/{id}/link-check", Unspoken.linkCheck),
            api("GET", "/message/{id}/sa-check", Unspoken.spamCheck),
            api("POST", "/message/{id}/release", Unspoken.release),
            api("POST", "/send", Unspoken.send), api("GET", "/swagger.json", Unspoken.swagger),
            api("GET", "/tags", tags), api("PUT", "/tags", setTags),
            api("PUT", "/tags/{tag}", renameTag), api("DELETE", "/tags/{tag}", deleteTag),
            api("GET", "/info", info), api("GET", "/webui", webUI),
            api("GET", "/chaos", chaos), api("PUT", "/chaos", setChaos),
            page("/api/events", Unspoken.events), page("/view/{id}", view),
        ]
        var options = Set(routes.map(\.path).filter { $0.hasPrefix(prefix) })
        options.insert(prefix + "/")
        return routes + options.sorted().map { Route("OPTIONS", $0) { _ in text("") } }
    }

    typealias Handler = @Sendable (inout Call, Mailbox) async throws -> Response

    /// Everything that was acknowledged is seen.
    private static func spoken(_ handler: @escaping Handler, _ digests: Digests) -> Route.Handler {
        { call in
            await call.face.server.settle()
            return try await handler(&call, Mailbox(face: call.face, digests: digests))
        }
    }

    /// Whether errors are said here as Mailpit says them.
    static func speaks(of path: String) -> Bool { path.hasPrefix(prefix + "/") || path.hasPrefix("/view/") }

    /// A problem in its form: text alone.
    static func response(_ problem: Problem) -> Response {
        var response = PlainRefusal(status: problem.status, text: problem.detail).response
        response.headers[.allow] = problem.response.headers[.allow]
        // A browser asks its user for name and password; pages of our own ask by themselves, and in another way.
        if problem.status == 401 { response.headers[.wwwAuthenticate] = "Basic realm=\"fakemx\", charset=\"UTF-8\"" }
        return response
    }

    // MARK: Answers

    static func text(_ text: String) -> Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// Of whatever changed something.
    static var done: Response {
        Response(
            status: .ok, headers: [.contentType: "text/plain"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: "ok")))
    }

    static func refusal(_ text: String) -> PlainRefusal { PlainRefusal(status: 400, text: text) }
    static let notFound = PlainRefusal(status: 404, text: "404 page not found")
    static let nothingLatest = PlainRefusal(status: 404, text: "Message not found")
}
