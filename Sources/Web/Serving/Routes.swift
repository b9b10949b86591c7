// Which path means what. One table, so that an unknown path, a method that a path does not take, and the OpenAPI
// document all speak of the same thing.

import Faults
import Hummingbird
import NIOCore
import Sink

/// A request as handlers see it.
struct Call {
    let method: String
    /// What stood in the place of `{name}` in the path.
    let arguments: [String: String]
    var query: Query
    let request: Request
    let face: Face

    /// In small letters and without its parameters; empty where nothing is said.
    var contentType: String {
        request.headers[.contentType].map { String($0.prefix { $0 != ";" }).asciiLowercased } ?? ""
    }

    /// The body, whole.
    ///
    /// - Throws: a problem when it is too large or comes too slowly.
    func body(atMost limit: Int = Call.largestBody) async throws -> [UInt8] {
        let buffer: ByteBuffer
        do {
            buffer = try await withThrowingTaskGroup(of: ByteBuffer?.self) { group in
                group.addTask { try await request.body.collect(upTo: limit) }
                group.addTask {
                    try await Task.sleep(for: Call.longestBody)
                    return nil
                }
                defer { group.cancelAll() }
                guard let first = try await group.next(), let whole = first else {
                    throw Problem(
                        "body-too-slow", 408, "The body came too slowly",
                        "the body was not there after \(Call.longestBody.components.seconds) seconds")
                }
                return whole
            }
        } catch is NIOTooManyBytesError {
            throw Problem("body-too-large", 413, "The body is too large", "a body here has at most \(limit) octets")
        }
        return Array(buffer.readableBytesView)
    }

    /// Of a call without a body: what it is about stands in the query, and a body that says otherwise would be passed
    /// over.
    func expectNoBody() async throws {
        let body = try await body()
        guard [[], Array("{}".utf8), Array("null".utf8)].contains(body.filter { ![9, 10, 13, 32].contains($0) }) else {
            throw Problem.badBody("this call takes no body; what it is about stands in the query, as ?space=NAME")
        }
    }

    /// Octets of a body, where nothing else is said.
    static let largestBody = 1 << 20
    /// How long a body may take.
    static let longestBody = Duration.seconds(10)
}

/// What the handlers work on.
struct Face: Sendable {
    let server: RunningSink
    let settings: WebSettings
    let views: ViewCache
    let frames: FrameKey
}

struct Route: Sendable {
    typealias Handler = @Sendable (inout Call) async throws -> Response

    let method: String
    /// `/api/fakemx/sessions/{id}`.
    let path: String
    let handler: Handler

    init(_ method: String, _ path: String, _ handler: @escaping Handler) {
        self.method = method
        self.path = path
        self.handler = handler
    }
}

/// The table, arranged for looking up.
struct Routes: Sendable {
    private struct Entry: Sendable {
        let segments: [String]
        var methods: [String: Route.Handler]
    }

    private var entries: [Entry] = []

    init(_ routes: [Route]) {
        for route in routes {
            let segments = Self.segments(route.path)
            if let index = entries.firstIndex(where: { $0.segments == segments }) {
                entries[index].methods[route.method] = route.handler
            } else {
                entries.append(Entry(segments: segments, methods: [route.method: route.handler]))
            }
        }
        // Plain words are meant before places.
        entries.sort { $0.segments.count { $0.hasPrefix("{") } < $1.segments.count { $0.hasPrefix("{") } }
    }

    private static func segments(_ path: String) -> [String] {
        path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
    }

    enum Match {
        case found(Route.Handler, arguments: [String: String])
        case otherMethods([String])
        case none
    }

    func match(_ method: String, _ segments: [String]) -> Match {
        for entry in entries {
            guard let arguments = Self.arguments(entry.segments, segments) else { continue }
            // HEAD is GET without its body (RFC 9110 §9.3.2).
            if let handler = entry.methods[method] ?? (method == "HEAD" ? entry.methods["GET"] : nil) {
                return .found(handler, arguments: arguments)
            }
            let methods = entry.methods.keys + (entry.methods["GET"] == nil ? [] : ["HEAD"])
            return .otherMethods(methods.sorted())
        }
        return .none
    }

    private static func arguments(_ pattern: [String], _ segments: [String]) -> [String: String]? {
        guard pattern.count == segments.count else { return nil }
        var arguments: [String: String] = [:]
        for (part, segment) in zip(pattern, segments) {
            guard let open = part.firstIndex(of: "{"), let close = part.firstIndex(of: "}") else {
                guard part == segment else { return nil }
                continue
            }
            // `{id}.html`: something behind the place.
            let ending = part[part.index(after: close)...]
            guard segment.hasSuffix(ending), segment.count > ending.count else { return nil }
            arguments[String(part[part.index(after: open)..<close])] = String(segment.dropLast(ending.count))
        }
        return arguments
    }
}
