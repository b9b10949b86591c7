// What happens, as it happens: server-sent events. A reader that falls behind costs nobody anything: it reads from the
// chronicle at its own pace, and what the chronicle has forgotten by then it is told as a number.

import Faults
import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore
import Sink

enum Events {
    /// A comment is sent after so long without an event, so that a reader that has gone is noticed.
    static let heartbeat_ms = 15_000
    private static let lastEventID = HTTPField.Name("Last-Event-ID") ?? .ifNoneMatch
    /// Events read from the chronicle at once.
    static let batch = 256

    static func stream(_ call: inout Call) async throws -> Response {
        let server = call.face.server
        var position: UInt64?
        // A browser says where it was by a header, whoever asks anew by a cursor.
        if let last = call.request.headers[lastEventID] {
            guard let cursor = Cursor(last), try await server.mayHaveGiven(cursor) else {
                throw Problem.badParameter(
                    "Last-Event-ID", "\"\(last.shown)\" is not the id of an event of this stream")
            }
            position = cursor.run == server.chronicle.run ? cursor.entry : 0
            // It comes again with the address it began with.
            _ = try call.query.take("since")
        } else if call.query.pairs.contains(where: { $0 == ("since", "all") }) {
            _ = try call.query.take("since")
            position = 0
        } else if let cursor = try await API.cursor(&call) {
            position = cursor.run == server.chronicle.run ? cursor.entry : 0
        }
        let follows = try call.query.takeFlag("follow") ?? true
        let kinds = try kinds(&call)
        let filter = try API.filter(&call, .session, ["since", "kind", "follow"])
        await server.settle()
        // What ends at the present is about the past.
        let start = position ?? (follows ? server.chronicle.last : 0)
        let reader = Reader(server: server, kinds: kinds, filter: filter, follows: follows)
        let request = call.request
        return Response(
            status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody { writer in
                var output = writer
                try await output.write(ByteBuffer(string: "retry: 1000\n: fakemx\n\n"))
                try? await request.body.consumeWithCancellationOnInboundClose { _ in
                    try await reader.run(from: start, &output)
                }
                try await output.finish(nil)
            })
    }

    private static func kinds(_ call: inout Call) throws(Problem) -> Set<Entry.Kind> {
        guard let text = try call.query.take("kind") else { return Set(Entry.Kind.allCases) }
        let known = Entry.Kind.allCases.map(\.rawValue)
        var kinds: Set<Entry.Kind> = []
        for word in text.split(separator: ",") {
            guard let kind = Entry.Kind(rawValue: String(word)) else {
                let hint = Suggestion.didYouMean(String(word), among: known)
                throw .badParameter(
                    "kind", "\"\(String(word).shown)\" is none of \(known.joined(separator: ", "))\(hint)")
            }
            kinds.insert(kind)
        }
        return kinds
    }

    private struct Reader {
        let server: RunningSink
        let kinds: Set<Entry.Kind>
        let filter: Filter
        /// False: it ends where the chronicle does.
        let follows: Bool

        func run(from start: UInt64, _ output: inout any ResponseBodyWriter) async throws {
            var position = start
            let chronicle = server.chronicle
            while !Task.isCancelled {
                let (entries, missed) = chronicle.entries(after: position, limit: Events.batch)
                var text = ""
                // Whoever asks for all that there is has missed nothing.
                if missed > 0, position == 0, !follows {
                    position = missed
                } else if missed > 0 {
                    position += missed
                    text += "id: \(id(position))\nevent: missed\ndata: {\"missed\":\(missed)}\n\n"
                }
                for entry in entries {
                    position = entry.number
                    if isMeant(entry) { text += event(entry) }
                }
                if !text.isEmpty { try await output.write(ByteBuffer(string: text)) }
                if entries.count == Events.batch || !follows && !entries.isEmpty { continue }
                guard follows else { return }
                // What is not meant passes by without being read here.
                let news = try await chronicle.wait(after: position, count: 1, atMost_ms: Events.heartbeat_ms) {
                    isMeant($0)
                }
                // What was missed is told in the next round.
                if news.missed == 0 { position = news.lookedThrough }
                if news.entries.isEmpty {
                    if chronicle.isClosed { return }
                    try await output.write(ByteBuffer(string: ": still here\n\n"))
                }
            }
        }

        private func isMeant(_ entry: Entry) -> Bool {
            guard kinds.contains(entry.kind) else { return false }
            // What concerns everybody has no subject.
            if entry.kind == .rules { return true }
            // Another space's things went: that is nobody else's.
            if entry.kind == .reset { return entry.space == nil || filter.space == nil || entry.space == filter.space }
            return filter.matches(entry.subject)
        }

        private func event(_ entry: Entry) -> String {
            let data = String(buffer: JSONText.buffer(EntryView(entry)))
            return "id: \(id(entry.number))\nevent: \(entry.kind.rawValue)\ndata: \(data)\n\n"
        }

        private func id(_ number: UInt64) -> String {
            Cursor(run: server.chronicle.run, entry: number, message: 0, session: 0).description
        }
    }
}
