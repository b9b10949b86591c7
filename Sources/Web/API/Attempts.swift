// The attempts of each message over sessions, as time lines: those of the report, for whoever looks for one message.

import Faults
import Findings
import Hummingbird
import Sink

enum Attempts {
    private struct List: Encodable {
        let timelines: [Timeline]
        /// That are meant and did not fit.
        let omitted: Int
        let judging: JudgingView
    }

    /// An attempt is found by these words of sessions, a message by its Message-ID.
    static let words = ["from", "to", "client", "helo", "session", "message", "space"]

    /// The newest attempt first.
    static func list(_ call: inout Call) async throws -> Response {
        let limit = try call.query.takeNumber("limit", 1...API.mostLimit) ?? API.usualLimit
        let messageID = try call.query.take("message-id")
        var others = call.query
        for word in words { _ = others.takeAll(word) }
        try others.finish(words + ["message-id", "limit"])
        let filter = try API.filter(&call, .message, [])
        let server = call.face.server
        guard let judging = server.judging else { throw FindingCalls.nobodyIsJudged }
        await server.settleJudging()
        let (_, all) = judging.verdicts.overTime(now_us: server.started_us + server.uptime_us)
        let meant = all.filter { timeline in
            (messageID.map { timeline.tie == .messageID && timeline.key == $0 } ?? true)
                && timeline.attempts.contains { filter.matches(Subject($0)) }
        }
        func last(_ timeline: Timeline) -> Int64 { timeline.attempts.last?.started_us ?? 0 }
        let newest = meant.sorted { last($0) > last($1) }
        return JSONText.response(
            List(
                timelines: Array(newest.prefix(limit)), omitted: max(0, newest.count - limit),
                judging: JudgingView(judging.status)))
    }
}

extension Subject {
    fileprivate init(_ attempt: Timeline.Attempt) {
        self.init()
        session = attempt.session
        message = attempt.message
        client = attempt.client
        helo = attempt.helo.isEmpty ? nil : attempt.helo
        from = [attempt.from]
        to = attempt.recipients.map(\.address)
    }
}
