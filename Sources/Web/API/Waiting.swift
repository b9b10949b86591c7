// A request that is answered when something has happened: `wait?for=message&to=a@b.test&timeout=5`.

import Faults
import Hummingbird
import Sink

enum Waiting {
    static func wait(_ call: inout Call) async throws -> Response {
        let wait = try await read(&call)
        let server = call.face.server
        let request = call.request
        // A client that has gone is not waited for.
        let answer = try await request.body.consumeWithCancellationOnInboundClose { _ in try await server.wait(wait) }
        let status: HTTPResponse.Status = answer.isFulfilled ? .ok : wait.isAbsent ? .conflict : .requestTimeout
        return JSONText.response(WaitView(wait, answer), status: status)
    }

    private static let words = ["for", "count", "timeout", "since", "absent", "take"]

    private static func read(_ call: inout Call) async throws -> Wait {
        let kinds = Filter.Kind.allCases.map(\.rawValue)
        guard let word = try call.query.take("for") else {
            throw Problem.badParameter("for", "for is missing; write for= and one of \(kinds.joined(separator: ", "))")
        }
        guard let kind = Filter.Kind(rawValue: word) else {
            let hint = Suggestion.didYouMean(word, among: kinds)
            throw Problem.badParameter(
                "for", "for is one of \(kinds.joined(separator: ", ")), not \"\(word.shown)\"\(hint)")
        }
        var wait = Wait(kind)
        wait.count = try call.query.takeNumber("count", 1...Wait.Bounds.mostCount) ?? 1
        if let text = try call.query.take("timeout") { wait.timeout_ms = try timeout(text) }
        wait.since = try await API.cursor(&call)
        wait.isAbsent = try call.query.takeFlag("absent") ?? false
        wait.takes = try call.query.takeFlag("take") ?? false
        if wait.takes, kind != .message || wait.isAbsent {
            throw Problem.badParameter("take", "take goes with for=message, and not with absent")
        }
        // A safe method (RFC 9110 §9.2.1), and its answer would be lost.
        if wait.takes, call.method == "HEAD" { throw Problem.badParameter("take", "take goes with GET, not with HEAD") }
        if wait.isAbsent, wait.count > 1 {
            throw Problem.badParameter("count", "absent asks that there be none; count does not go with it")
        }
        wait.filter = try API.filter(&call, kind, words)
        wait.contentLimit = MessageSummary.headerOctets
        return wait
    }

    /// Seconds, or a duration with its unit.
    static func timeout(_ text: String) throws(Problem) -> Int {
        let longest_s = Wait.Bounds.longestTimeout_ms / 1000
        let isNumber = !text.isEmpty && text.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 }
        let ms: Int?
        if isNumber {
            ms = Double(text).flatMap { Int(exactly: ($0 * 1000).rounded()) }
        } else if case .success(let span) = Span.parse(text) {
            ms = Int(span.ns / 1_000_000)
        } else {
            ms = nil
        }
        guard let ms, (0...Wait.Bounds.longestTimeout_ms).contains(ms) else {
            throw .badParameter(
                "timeout",
                "timeout is a number of seconds from 0 to \(longest_s), or a duration as 500ms, not \"\(text.shown)\"")
        }
        return ms
    }
}
