// What was found, beside what it is about: in sessions, in lists of them, and in messages.

import Findings
import Journal
import Sink
import Store

/// A finding in a list of sessions.
struct FindingBrief: Encodable {
    let rule: String
    let severity: String

    init(_ finding: Finding) {
        rule = finding.rule.rawValue
        severity = finding.severity.rawValue
    }
}

/// A session with all its lines and all that was found in it.
struct JudgedSession: Encodable {
    let record: SessionRecord
    /// nil: it is not judged (yet).
    let judgement: SessionJudgement?

    private enum Key: String, CodingKey { case findings, is_judged }

    func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        var fields = encoder.container(keyedBy: Key.self)
        try fields.encode(judgement?.findings ?? [], forKey: .findings)
        try fields.encode(judgement != nil, forKey: .is_judged)
    }
}

enum FindingViews {
    /// What is known of a session, judged again where it is remembered no more. Waits for the judge, who may lag.
    static func judgement(of session: StoredSession, _ server: RunningSink) async throws -> SessionJudgement? {
        guard let judging = server.judging else { return nil }
        if let known = judging.verdicts.judgement(of: session.number) { return known }
        // One that is open has none, however long one waits.
        if server.chronicle.openSession(session.number) != nil { return nil }
        await server.settleJudging()
        return try await server.judgement(of: session)
    }

    /// Those of its session whose evidence names the message.
    static func findings(of message: StoredMessage, _ server: RunningSink) async throws -> [Finding] {
        guard let number = UInt64(message.message.session.dropFirst()), server.judging != nil,
            let session = try await server.session(number),
            let judgement = try await judgement(of: session, server)
        else { return [] }
        let id = message.message.id
        return judgement.findings.filter { finding in finding.evidence.contains { $0.message == id } }
    }

    static func links(of message: StoredMessage) -> [MessageLink] {
        message.message.content.withUnsafeBufferPointer { MessageLinks.list($0, MessageScan($0)) }
    }
}
