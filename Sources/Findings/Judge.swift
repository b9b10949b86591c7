// The one entry: a recorded session, its messages and what is known besides go in, findings come out. Pure: it asks no
// clock and nobody outside; the same input gives the same findings.

/// What is known of a session beside its events.
package struct Circumstances: Sendable {
    /// What the name system says of the peer and its names; nil where nobody asked.
    package var names: NameFacts?
    /// The sink's own names: what `helo-receiver-name` compares with, in small letters.
    package var ownNames: [String] = []
    /// The listener takes mail of users (RFC 6409).
    package var isSubmission = false
    /// Secrets and names aside, the session came over a listener with implicit TLS (RFC 8314 §3.3).
    package var isImplicitTLS = false
    /// What the sink's faults did to the client in sessions before, as far as it explains what the client does now.
    package var before: Disturbances = []
    package init() {}
}

/// What was found in one session.
package struct SessionJudgement: Sendable, Hashable, Codable {
    package var session: String
    package var findings: [Finding]
    package var states: RuleStates
    /// Rules that were not judged since a fault of the sink explains what was seen, with that fault in words.
    package var excused: [String: String]
}

package enum Judge {
    package static func judge(
        _ trace: SessionTrace, _ messages: [MessageInput], _ circumstances: Circumstances = Circumstances(),
        _ settings: JudgingSettings = JudgingSettings()
    ) -> SessionJudgement {
        var ledger = Ledger(settings: settings, session: trace.id, isLocalPeer: trace.isLoopback)
        judge(trace, circumstances, &ledger)
        for message in messages { judge(message, &ledger) }
        return judgement(trace, ledger)
    }

    /// One message of a session, when it has come: the session may go on for long.
    package static func judge(_ message: MessageInput, _ ledger: inout Ledger) {
        MessageChecks.check(message, &ledger)
    }

    /// A session that has ended.
    package static func judge(_ trace: SessionTrace, _ circumstances: Circumstances, _ ledger: inout Ledger) {
        ConnectionChecks.check(trace, circumstances, &ledger)
        HelloChecks.check(trace, circumstances, &ledger)
        TLSChecks.check(trace, circumstances, &ledger)
        EnvelopeChecks.check(trace, circumstances, &ledger)
        DataSessionChecks.check(trace, circumstances, &ledger)
    }

    /// What the ledger has, the gravest first.
    package static func judgement(_ trace: SessionTrace, _ ledger: Ledger) -> SessionJudgement {
        var excused: [String: String] = [:]
        for (rule, disturbances) in ledger.excused { excused[rule.rawValue] = disturbances.words }
        return SessionJudgement(
            session: trace.id, findings: ledger.findings.sorted { $0.severity > $1.severity },
            states: ledger.states, excused: excused)
    }
}
