// Collects what the checks over time see, one ledger for each peer, and says in the end which sessions it took.

/// What was found over several sessions.
package struct OverTimeJudgement: Sendable, Hashable, Codable {
    package var findings: [Finding]
    package var states: RuleStates
    /// Rules that were not judged since a fault of the sink explains what was seen, with that fault in words.
    package var excused: [String: String]
}

struct OverTimeLedger {
    private struct Place: Hashable {
        var peer: String
        var rule: RuleID
    }

    /// Sessions of a finding: the last, and some before it.
    private struct Sessions {
        var last = ""
        var lastStart_us = Int64.min
        var others: [String] = []
    }

    let settings: OverTimeSettings
    private var ledgers: [String: Ledger] = [:]
    private var sessions: [Place: Sessions] = [:]

    init(_ settings: OverTimeSettings) { self.settings = settings }

    mutating func kept(_ rule: RuleID, _ peer: String, isLoopback: Bool = false) {
        open(peer, isLoopback)
        ledgers[peer]?.kept(rule)
    }

    /// - Parameter places: the sessions that show it with their starts, the one that decides at the end.
    mutating func broken(
        _ rule: RuleID, _ peer: String, isLoopback: Bool = false, _ evidence: Evidence,
        in places: [(session: String, started_us: Int64)], under disturbances: Disturbances = [],
        as severity: (Severity, reason: String)? = nil, saw: @autoclosure () -> String
    ) {
        open(peer, isLoopback)
        ledgers[peer]?.broken(
            rule, evidence, under: disturbances, as: severity, saw: saw())
        guard ledgers[peer]?.states[rule] == .broken else { return }
        for (session, start_us) in places { take(session, start_us, Place(peer: peer, rule: rule)) }
    }

    private mutating func open(_ peer: String, _ isLoopback: Bool) {
        if ledgers[peer] == nil {
            ledgers[peer] = Ledger(settings: settings.judging, session: "", isLocalPeer: isLoopback)
        }
    }

    private mutating func take(_ session: String, _ start_us: Int64, _ place: Place) {
        var known = sessions[place] ?? Sessions()
        defer { sessions[place] = known }
        guard session != known.last, !known.others.contains(session) else { return }
        var other = session
        if start_us >= known.lastStart_us {
            (other, known.last, known.lastStart_us) = (known.last, session, start_us)
        }
        if !other.isEmpty, known.others.count < Finding.evidenceLimit { known.others.append(other) }
    }

    /// The gravest first.
    func judgement() -> OverTimeJudgement {
        var result = OverTimeJudgement(findings: [], states: RuleStates(), excused: [:])
        for (peer, ledger) in ledgers.sorted(by: { $0.key < $1.key }) {
            result.states.formUnion(ledger.states)
            for (rule, disturbances) in ledger.excused { result.excused[rule.rawValue] = disturbances.words }
            for var finding in ledger.findings {
                let place = sessions[Place(peer: peer, rule: finding.rule)]
                finding.session = place?.last ?? ""
                finding.sessions = place?.others ?? []
                result.findings.append(finding)
            }
        }
        result.findings.sort { ($1.severity, $0.rule.ordinal) < ($0.severity, $1.rule.ordinal) }
        return result
    }
}
