// The HTTP side of a running sink: starts, answers, stops. What is answered stands in API/, Mailpit/ and Page/.

import Faults
import Glibc
import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Sink
import Store
import Synchronization

/// How the HTTP side behaves.
package struct WebSettings: Sendable {
    package var host: String
    package var port: Int
    /// A Unix socket in place of host and port.
    package var unixPath: String?
    package var token: String?
    /// Names that a Host may have, beside addresses and names that nobody can register.
    package var hosts: [String] = []
    /// Origins whose pages may use the API; `*` for all.
    package var origins: [String] = []
    /// What the version fields say.
    package var version: String
    /// Named in `info`: `memory`, `none` or a path.
    package var storeName = "memory"
    /// Checks a rule against listeners and catalogue; complaints in the words of Settings.
    package var rules: RuleSurroundings
    /// Gives lessons; nil: nobody does.
    package var lessons: (any LessonDesk)?
    /// Where the scenarios lie that are ready.
    package var scenarioFolders: [String] = []

    package init(host: String, port: Int, version: String, rules: RuleSurroundings) {
        self.host = host
        self.port = port
        self.version = version
        self.rules = rules
    }
}

/// The HTTP server.
package final class WebServer: Sendable {
    package enum Bounds {
        /// Connections at once.
        package static let connections = 2_500
        /// Seconds after which a connection is closed on which nobody asks for anything.
        package static let idle_s: Int64 = 120
        /// Seconds that the head of a request may take from its first octet on.
        package static let head_s: Int64 = 20
        /// Seconds in which answers that are due are written when the server stops.
        package static let lastWords_s: Int64 = 1
        /// Octets of a header, at most, and of all headers together.
        package static let header = 32 << 10
    }

    private let running: Mutex<(group: ServiceGroup, task: Task<Void, any Error>)?>
    private let lessons: (any LessonDesk)?
    /// `127.0.0.1:8025`, with the port that was free for port 0.
    package let address: String

    /// `http://127.0.0.1:8025`, or `unix:/path`.
    package var url: String { address.hasPrefix("unix:") ? address : "http://" + address }

    /// Binds and serves.
    ///
    /// - Throws: `WebTrouble` in words that name the address.
    package static func start(_ server: RunningSink, _ settings: WebSettings) async throws -> WebServer {
        let responder = WebResponder(server, settings)
        let where_ =
            settings.unixPath.map { BindAddress.unixDomainSocket(path: $0) }
            ?? .hostname(settings.host, port: settings.port)
        let configuration = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestGuard(head_s: Bounds.head_s)],
            idleTimeout: .seconds(Bounds.idle_s),
            httpDecoderConfiguration: .init(maxHeaderFieldSize: Bounds.header, maxHeaderListSize: Bounds.header))
        let (bound, tell) = AsyncStream<String>.makeStream()
        let logger = Logger(label: "fakemx.http") { _ in SwiftLogNoOpLogHandler() }
        let application = Application(
            responder: responder, server: .http1(configuration: configuration),
            configuration: ApplicationConfiguration(
                address: where_, serverName: "fakemx/\(settings.version)",
                availableConnectionsDelegate: MaximumAvailableConnections(Bounds.connections)),
            onServerRunning: { channel in
                tell.yield(channel.localAddress.map(Self.text) ?? "")
                tell.finish()
            },
            // That of the process: one of our own could end while a connection still has something to do.
            eventLoopGroupProvider: .singleton,
            logger: logger)
        var service = ServiceGroupConfiguration(services: [application], logger: logger)
        service.maximumGracefulShutdownDuration = .seconds(Bounds.lastWords_s)
        let group = ServiceGroup(configuration: service)
        let task = Task {
            defer { tell.finish() }
            try await group.run()
        }
        for await address in bound {
            let address = settings.unixPath.map { "unix:" + $0 } ?? address
            return WebServer((group, task), address, settings.lessons)
        }
        // It ended before it was bound.
        do { try await task.value } catch {
            throw WebTrouble(
                description: "http \(settings.host):\(settings.port): \(Self.words(error))",
                isTaken: Self.isTaken(error))
        }
        throw WebTrouble(description: "http \(settings.host):\(settings.port): did not start", isTaken: false)
    }

    private init(
        _ running: (ServiceGroup, Task<Void, any Error>), _ address: String, _ lessons: (any LessonDesk)?
    ) {
        self.running = Mutex(running)
        self.lessons = lessons
        self.address = address
    }

    /// Stops listening, writes the answers that are due, and closes every connection.
    package func stop() async {
        let last = running.withLock { running in
            defer { running = nil }
            return running
        }
        guard let (group, task) = last else { return }
        await lessons?.close()
        await group.triggerGracefulShutdown()
        _ = try? await task.value
    }

    private static func text(_ address: SocketAddress) -> String {
        guard let ip = address.ipAddress, let port = address.port else { return "" }
        return ip.contains(":") ? "[\(ip)]:\(port)" : "\(ip):\(port)"
    }

    private static func isTaken(_ error: any Error) -> Bool { (error as? IOError)?.errnoCode == EADDRINUSE }

    private static func words(_ error: any Error) -> String {
        guard let error = error as? IOError else { return "\(error)" }
        if error.errnoCode == EADDRINUSE {
            return
                "the address is in use by another program; choose another with --http, or switch it off: --http off"
        }
        return String(cString: strerror(error.errnoCode))
    }
}

/// The HTTP server could not start.
package struct WebTrouble: Error, CustomStringConvertible {
    package let description: String
    /// Another program listens there.
    package let isTaken: Bool
}

/// Finds the handler of a request and makes an answer of whatever comes of it.
struct WebResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    private let face: Face
    private let gate: Gate
    private let routes: Routes

    init(_ server: RunningSink, _ settings: WebSettings) {
        face = Face(server: server, settings: settings, views: ViewCache(), frames: FrameKey())
        gate = Gate(settings, face.frames)
        routes = Routes(Page.routes + API.routes + Mailpit.routes)
    }

    func respond(to request: Request, context: BasicRequestContext) async throws -> Response {
        var response: Response
        do {
            response = try await answer(request)
        } catch let plain as PlainRefusal {
            response = plain.response
        } catch {
            guard let problem = problem(of: error) else { throw error }
            let path = request.head.path ?? ""
            response = Mailpit.speaks(of: path) ? Mailpit.response(problem) : problem.response
        }
        harden(&response, request)
        // HEAD is GET without its body, problems included (RFC 9110 §9.3.2).
        return request.method == .head ? response.createHeadResponse() : response
    }

    /// nil of what nobody expects.
    private func problem(of error: any Error) -> Problem? {
        switch error {
        case let problem as Problem: problem
        case let failure as StoreFailure: Problem("store-trouble", 503, "The store cannot answer", failure.reason)
        case is TooManyWaiters:
            Problem(
                "too-many-waiters", 503, "Too many wait already",
                "\(Chronicle.Bounds.waiters) waits and streams are open; end some, or come again")
        case let forgotten as Forgotten:
            Problem(
                "forgotten", 410, "What came is forgotten",
                "\(forgotten), and what must be absent may be one of them; "
                    + "take the cursor later, or ask what is kept: GET \(API.prefix)/sessions",
                parameter: "since")
        case is SinkStops: Self.stopping
        case is CancellationError where face.server.chronicle.isClosed: Self.stopping
        case is CancellationError:
            Problem(
                "closed-early", 400, "The request was closed",
                "the client sends no more before it has its answer; keep the connection open while waiting")
        default: nil
        }
    }

    private static let stopping = Problem("stopping", 503, "The sink stops", "fakemx is being stopped")

    private func answer(_ request: Request) async throws -> Response {
        let target = request.head.path ?? ""
        let cut = target.firstIndex(of: "?")
        let path = String(cut.map { target[..<$0] } ?? target[...])
        try gate.admitCaller(request)
        // A browser asks without credentials (Fetch standard, CORS-preflight fetch).
        let method = request.method.rawValue
        if method == "OPTIONS", let response = preflight(request) { return response }
        let queryText = cut.map { target[target.index(after: $0)...] }
        try gate.admitToken(request, path: path, query: queryText)
        let segments = try Self.segments(path)
        switch routes.match(method, segments) {
        case .found(let handler, let arguments):
            let query = try Query(queryText)
            var call = Call(method: method, arguments: arguments, query: query, request: request, face: face)
            return try await handler(&call)
        case .otherMethods(let methods):
            var problem = Problem(
                "method-not-allowed", 405, "The method is not allowed here",
                "\(method.shown) \(path.shown) is not served; the path takes \(methods.joined(separator: ", "))")
            problem.allow = methods
            throw problem
        case .none where path.hasPrefix(Mailpit.prefix + "/"): throw Mailpit.notFound
        case .none: throw Problem.notFound("nothing is at \(path.shown); /api/fakemx/openapi.json lists what is")
        }
    }

    /// The decoded parts of a path. What could mean another path to somebody else is refused.
    private static func segments(_ path: String) throws(Problem) -> [String] {
        guard path.hasPrefix("/"), path.utf8.count <= 2048 else {
            throw Problem(
                "bad-path", 400, "The path is wrong", "a path begins with a slash and has at most 2048 octets")
        }
        var segments: [String] = []
        for part in path.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            guard let segment = PercentCoding.decoded(part.utf8, plusIsSpace: false), !segment.utf8.contains(0) else {
                throw Problem(
                    "bad-path", 400, "The path is wrong", "\"\(path.shown)\" is no percent-encoded UTF-8 without NUL")
            }
            guard segment != "..", segment != "." else {
                throw Problem("bad-path", 400, "The path is wrong", "\".\" and \"..\" mean nothing here")
            }
            segments.append(segment)
        }
        return segments
    }

    /// A page of a named origin asks what it may do.
    private func preflight(_ request: Request) -> Response? {
        guard let origin = request.headers[.origin], gate.isNamed(origin),
            request.headers[.accessControlRequestMethod] != nil
        else { return nil }
        return Response(
            status: .noContent,
            headers: [
                .accessControlAllowMethods: "GET, HEAD, POST, PUT, PATCH, DELETE",
                .accessControlAllowHeaders: "authorization, content-type, last-event-id",
                .accessControlMaxAge: "600",
            ])
    }

    private static let referrerPolicy = HTTPField.Name("Referrer-Policy") ?? .xContentTypeOptions

    private func harden(_ response: inout Response, _ request: Request) {
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[Self.referrerPolicy] = "no-referrer"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        if response.headers[.contentSecurityPolicy] == nil {
            response.headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'; sandbox"
        }
        if let origin = request.headers[.origin], gate.isNamed(origin) {
            response.headers[.accessControlAllowOrigin] = origin
            response.headers[.vary] = "Origin"
        }
    }
}

/// An error as Mailpit says it: text alone.
struct PlainRefusal: Error {
    let status: Int
    let text: String

    var response: Response {
        Response(
            status: HTTPResponse.Status(code: status), headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
