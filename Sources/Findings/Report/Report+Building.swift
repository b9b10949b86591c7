// Makes a report of judgements: a pure function, linear in what it is given.

import Journal

extension Report {
    /// - Parameter content: the octets of a stored message, for the lines around a place in it; nil where it is gone.
    ///   Asked at most once for each broken rule.
    package init(_ input: ReportInput, content: (_ message: String) -> [UInt8]? = { _ in nil }) {
        var builder = ReportBuilder(input)
        for judgement in input.judgements { builder.add(judgement) }
        builder.add(input.overTime)
        self = builder.report(content)
    }
}

private struct ReportBuilder {
    /// What is known of a rule that was broken.
    struct Group {
        var lead: Finding
        var count = 0
        var sessions: Set<String> = []
        var firstSessions: [String] = []

        mutating func add(_ finding: Finding, _ from: [String]) {
            if finding.severity > lead.severity { lead = finding }
            count += finding.count
            for session in from where sessions.insert(session).inserted {
                if firstSessions.count < BrokenRule.sessionLimit { firstSessions.append(session) }
            }
        }
    }

    struct Sender {
        var address: String
        var helo: [String] = []
        var session_count = 0
        var message_count = 0
        var check = BotCheck()
    }

    struct Excuse {
        var because: [String] = []
        var session_count = 0
    }

    let input: ReportInput
    /// Where the record of a session is.
    private var recordOfSession: [String: Int] = [:]
    var states = RuleStates()
    private var groups: [RuleID: Group] = [:]
    private var senders: [Sender] = []
    private var senderOfAddress: [String: Int] = [:]
    private var excuses: [RuleID: Excuse] = [:]
    private var message_count = 0
    private var since: String?
    private var until: String?

    init(_ input: ReportInput) {
        self.input = input
        for (index, record) in input.records.enumerated() { recordOfSession[record.id] = index }
    }

    private func record(_ session: String) -> SessionRecord? { recordOfSession[session].map { input.records[$0] } }

    // MARK: Collecting

    mutating func add(_ judgement: SessionJudgement) {
        states.formUnion(judgement.states)
        let record = record(judgement.session)
        let sender = senderIndex(record)
        senders[sender].session_count += 1
        if let record { note(record, sender) }
        senders[sender].check.add(judgement)
        for finding in judgement.findings { add(finding) }
        for (word, because) in judgement.excused { excuse(word, because, sessions: 1) }
    }

    mutating func add(_ overTime: OverTimeJudgement) {
        states.formUnion(overTime.states)
        for (word, because) in overTime.excused { excuse(word, because, sessions: 0) }
        for finding in overTime.findings {
            add(finding)
            // It belongs to every sender that has a part in it.
            var met: Set<Int> = []
            for session in Self.sessions(finding) {
                guard let record = record(session) else { continue }
                let sender = senderIndex(record)
                if met.insert(sender).inserted { senders[sender].check.add(finding) }
            }
        }
    }

    private mutating func excuse(_ word: String, _ because: String, sessions: Int) {
        guard let rule = RuleID(rawValue: word) else { return }
        excuses[rule, default: Excuse()].session_count += sessions
        let known = excuses[rule]?.because ?? []
        if known.count < ExcusedRule.becauseLimit, !known.contains(because) { excuses[rule]?.because.append(because) }
    }

    /// The oldest first.
    private static func sessions(_ finding: Finding) -> [String] {
        (finding.sessions + [finding.session]).filter { !$0.isEmpty }
    }

    private mutating func add(_ finding: Finding) {
        states[finding.rule] = .broken
        // In place: a copy of the set of sessions a finding would make this quadratic.
        groups[finding.rule, default: Group(lead: finding)].add(finding, Self.sessions(finding))
    }

    private mutating func senderIndex(_ record: SessionRecord?) -> Int {
        let address = record?.clientHost ?? ""
        if let index = senderOfAddress[address] { return index }
        senderOfAddress[address] = senders.count
        senders.append(Sender(address: address))
        return senders.count - 1
    }

    private mutating func note(_ record: SessionRecord, _ sender: Int) {
        let messages = record.transactions.count { $0.message != nil }
        senders[sender].message_count += messages
        message_count += messages
        let helo = record.helo.map { Excerpt.text($0) } ?? ""
        if !helo.isEmpty, senders[sender].helo.count < ReportedSender.heloLimit, !senders[sender].helo.contains(helo) {
            senders[sender].helo.append(helo)
        }
        guard !record.started.isEmpty else { return }
        // Of one form and one zone, so they compare as text.
        since = min(since ?? record.started, record.started)
        let end = Moment.later(record.started, by: record.duration_us) ?? record.started
        until = max(until ?? end, end)
    }

    // MARK: Writing

    func report(_ content: (String) -> [UInt8]?) -> Report {
        let isLocal = senders.allSatisfy { SessionTrace.isLocal($0.address) }
        let unjudged = SenderRules.all.compactMap { rule in
            states[rule.id] == .notObserved ? input.settings.unjudged(rule, isLocal: isLocal) : nil
        }
        let unjudgedIDs = Set(unjudged.map(\.rule))
        let most = senders.enumerated().sorted { one, other in
            (other.element.session_count, one.offset) < (one.element.session_count, other.offset)
        }.map(\.element)
        return Report(
            version: input.version, generated_us: input.generated_us, profile: input.settings.profile, since: since,
            until: until, session_count: input.judgements.count, message_count: message_count,
            senders: most.prefix(Report.senderLimit).map(reported),
            senders_omitted: max(0, senders.count - Report.senderLimit), broken: brokenRules(content),
            kept: states.ids(.kept), not_observed: states.ids(.notObserved).filter { !unjudgedIDs.contains($0) },
            not_judged: unjudged, excused: excusedRules(), timelines: Array(timelines().prefix(Report.timelineLimit)),
            timelines_omitted: max(0, input.timelines.count - Report.timelineLimit), lag: input.lag,
            open_count: input.openCount)
    }

    private func reported(_ sender: Sender) -> ReportedSender {
        ReportedSender(
            address: sender.address, helo: sender.helo, session_count: sender.session_count,
            message_count: sender.message_count, bot_check: sender.check.points(input.overTime.states))
    }

    private func timelines() -> [Timeline] {
        input.timelines.enumerated().sorted { one, other in
            (one.element.rank, one.offset) < (other.element.rank, other.offset)
        }.map(\.element)
    }

    private func excusedRules() -> [ExcusedRule] {
        RuleID.allCases.compactMap { rule in
            excuses[rule].map {
                ExcusedRule(rule: rule, because: $0.because.sorted(), session_count: $0.session_count)
            }
        }
    }

    private func brokenRules(_ content: (String) -> [UInt8]?) -> [BrokenRule] {
        let broken = RuleID.allCases.compactMap { rule in groups[rule].map { brokenRule($0, content) } }
        // Sorting keeps the order of the table where nothing else decides.
        return broken.enumerated().sorted { one, other in
            let (a, b) = (one.element, other.element)
            if a.severity != b.severity { return a.severity > b.severity }
            if a.session_count != b.session_count { return a.session_count > b.session_count }
            if a.receivers.count != b.receivers.count { return a.receivers.count > b.receivers.count }
            return one.offset < other.offset
        }.map(\.element)
    }

    private func brokenRule(_ group: Group, _ content: (String) -> [UInt8]?) -> BrokenRule {
        let lead = group.lead
        let evidence = lead.evidence.first
        let session = evidence?.session ?? lead.session
        return BrokenRule(
            rule: lead.rule, layer: lead.layer, severity: lead.severity, count: group.count,
            session_count: group.sessions.count, sessions: group.firstSessions,
            receivers: Citation.receivers(lead.citation), session: session, evidence: evidence, saw: lead.saw,
            passage: evidence.flatMap { passage(session, $0, content) }, what: lead.what, why: lead.why,
            fix: lead.fix, citation: lead.citation, reason: lead.reason)
    }

    /// Of the message, where the octets that are meant are in one; else of the transcript. Evidence about a command
    /// names the message of its transaction, too: its octets are those of the line.
    private func passage(_ session: String, _ evidence: Evidence, _ content: (String) -> [UInt8]?) -> Passage? {
        if let message = evidence.message, evidence.range != nil, !isText(session, evidence.line),
            let octets = content(message),
            let passage = Passage.message(octets, session: session, evidence)
        {
            return passage
        }
        return record(session).flatMap { Passage.transcript($0, evidence) }
    }

    /// The line of the transcript is a command or a reply, not a message.
    private func isText(_ session: String, _ line: Int?) -> Bool {
        guard let line, let lines = record(session)?.lines, lines.indices.contains(line - 1) else { return false }
        return lines[line - 1].octets == nil
    }
}

/// Moments as RFC 3339 text of the one form that session records have.
enum Moment {
    /// - Returns: nil where the text has another form.
    static func later(_ started: String, by microseconds: UInt64) -> String? {
        guard let wall_us = wall_us(started), let more = Int64(exactly: microseconds) else { return nil }
        let (sum, overflow) = wall_us.addingReportingOverflow(more)
        return overflow ? nil : Timestamp(wall_us: sum).rfc3339
    }

    /// `2026-11-23T23:20:07.123456Z` as microseconds since 1970-01-01 UTC.
    static func wall_us(_ text: String) -> Int64? {
        let octets = Array(text.utf8)
        guard octets.count == 27, octets[19] == UInt8(ascii: "."), octets[26] == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int64? {
            var value: Int64 = 0
            for octet in octets[range] {
                guard (48...57).contains(octet) else { return nil }
                value = value * 10 + Int64(octet - 48)
            }
            return value
        }
        guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            let micros = number(20..<26), (1...12).contains(month), year >= 1
        else { return nil }
        // Days since 1970-01-01, with years that begin in March.
        let shifted = month > 2 ? year : year - 1
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 719_468
        return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + micros
    }
}
