// What was found against senders: the findings one by one, and the report in each of its forms.

import Faults
import Findings
import HTTPTypes
import Hummingbird
import Journal
import NIOCore
import Sink
import Store

enum FindingCalls {
    /// Findings of the newest sessions first; those that show over several sessions stand in front. Only what has ended
    /// is judged, so it is all in the store.
    static func list(_ call: inout Call) async throws -> Response {
        let page = try await API.page(&call, .finding)
        let server = call.face.server
        guard let judging = server.judging else { throw nobodyIsJudged }
        await server.settleJudging()
        var found: [FindingView] = []
        var next: String?
        if page.query.before == nil {
            let (overTime, _) = judging.verdicts.overTime(now_us: server.started_us + server.uptime_us)
            for finding in overTime.findings {
                let subject = await subject(of: finding, server)
                if page.filter.matches(subject) { found.append(FindingView(finding, subject)) }
            }
        }
        for judgement in judging.verdicts.judgements.reversed() {
            guard let number = UInt64(judgement.session.dropFirst()) else { continue }
            if let before = page.query.before, number >= UInt64(before) { continue }
            if found.count >= page.query.limit {
                next = "p\(number + 1)"
                break
            }
            guard !judgement.findings.isEmpty, let stored = try await server.store.session(number) else {
                continue
            }
            if let after = page.query.after, stored.position <= after { break }
            let record = stored.brief
            for finding in judgement.findings {
                let subject = Subject(finding, in: record)
                if page.filter.matches(subject) { found.append(FindingView(finding, subject)) }
            }
        }
        return JSONText.response(
            FindingList(
                findings: found, next: next, judging: JudgingView(judging.status), cursor: page.cursor.description))
    }

    private static func subject(of finding: Finding, _ server: RunningSink) async -> Subject {
        var subject = Subject()
        if let number = UInt64(finding.session.dropFirst()), let stored = try? await server.store.session(number) {
            subject = Subject(stored.brief)
        }
        subject.note(finding)
        return subject
    }

    static let nobodyIsJudged = Problem(
        "nobody-is-judged", 409, "Nobody is judged here", "\(Server.judgesNobody.reason)")

    // MARK: The report

    static func report(_ call: inout Call) async throws -> Response {
        let formats = ReportFormat.allCases.map(\.rawValue)
        let word = try call.query.take("format") ?? ReportFormat.json.rawValue
        guard let format = ReportFormat(rawValue: word) else {
            let hint = Suggestion.didYouMean(word, among: formats)
            throw Problem.badParameter(
                "format", "format is one of \(formats.joined(separator: ", ")), not \"\(word.shown)\"\(hint)")
        }
        let failOn = try severity(&call)
        let page = try await API.page(&call, .session, usual: API.mostLimit)
        let server = call.face.server
        guard server.judging != nil else { throw nobodyIsJudged }
        let report = try await server.report(page.filter, page.query, version: call.face.settings.version)
        guard let text = format.render(report, failOn: failOn) else { return JSONText.response(report) }
        return Response(
            status: .ok, headers: headers(format), body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }

    /// From which severity on a test of JUnit fails.
    private static func severity(_ call: inout Call) throws(Problem) -> Severity {
        guard let word = try call.query.take("fail-on") else { return .must }
        if let severity = Severity(rawValue: word) { return severity }
        let known = Severity.allCases.map(\.rawValue)
        let hint = Suggestion.didYouMean(word, among: known)
        throw .badParameter(
            "fail-on", "fail-on is one of \(known.joined(separator: ", ")), not \"\(word.shown)\"\(hint)")
    }

    private static func headers(_ format: ReportFormat) -> HTTPFields {
        var headers: HTTPFields = [.contentType: format.mediaType]
        // The report has a policy of its own, in itself; this one holds where that is not read.
        if format == .html, let name = HTTPField.Name("Content-Security-Policy") {
            headers[name] = "sandbox; \(HTMLReport.policy)"
        }
        return headers
    }
}

/// A finding with those it is about.
struct FindingView: Encodable {
    let finding: Finding
    let client, helo: String?

    init(_ finding: Finding, _ subject: Subject) {
        self.finding = finding
        client = subject.client.isEmpty ? nil : subject.client
        helo = subject.helo
    }

    private enum Key: String, CodingKey { case client, helo }

    func encode(to encoder: any Encoder) throws {
        try finding.encode(to: encoder)
        var container = encoder.container(keyedBy: Key.self)
        try container.encodeIfPresent(client, forKey: .client)
        try container.encodeIfPresent(helo, forKey: .helo)
    }
}

/// How far the judging has come.
struct JudgingView: Encodable {
    let waiting: Int
    let oldest_us: UInt64
    let sessions_judged, messages_judged, sessions_left_out, messages_left_out: Int
    /// Sessions and messages for which somebody outside was asked and did not answer.
    let names_unanswered, mail_unanswered: Int
    /// Processor time that judging has taken so far, in microseconds.
    let judging_us: UInt64
    let findings: [String: Int]

    init(_ status: Judging.Status) {
        waiting = status.waiting
        oldest_us = status.oldest_us
        sessions_judged = status.sessionsJudged
        messages_judged = status.messagesJudged
        sessions_left_out = status.sessionsLeftOut
        messages_left_out = status.messagesLeftOut
        names_unanswered = status.namesUnanswered
        mail_unanswered = status.mailUnanswered
        judging_us = status.judging_ns / 1000
        findings = status.findingsBySeverity
    }
}

struct FindingList: Encodable {
    let findings: [FindingView]
    let next: String?
    let judging: JudgingView
    let cursor: String
}
