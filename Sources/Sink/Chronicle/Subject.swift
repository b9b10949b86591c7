// What an entry, a session or a message is about, in the words that filters ask for.

import Findings
import Journal
import SMTP
import Store

package struct Subject: Sendable {
    /// Its id, `s12`; empty where it is about no session.
    package var session = ""
    package var message: String?
    package var listener = ""
    /// Address and port.
    package var client = ""
    package var helo: String?
    package var tls: String?
    /// Reverse-paths without angle brackets; several where a session had several transactions.
    package var from: [String] = []
    package var to: [String] = []
    /// Where something was refused or dropped.
    package var phases: [String] = []
    package var verdicts: [Verdict] = []
    package var rules: [String] = []
    /// Refusals, each in one string with LF between its lines.
    package var replies: [String] = []
    /// Rules of sending that were broken, and how gravely, where it is about them.
    package var findings: [String] = []
    package var severities: [String] = []
    /// Octets of the message.
    package var size: Int?

    /// Addresses, rules and replies of one subject, each, at most: a hostile session has a hundred thousand.
    package static let mostTexts = 10_000

    package init() {}

    /// What was said of another transaction of the session goes.
    mutating func beginTransaction(from address: String) {
        (from, to, phases, verdicts, rules, replies) = ([address], [], [], [], [], [])
        message = nil
    }

    /// The address of the client without its port.
    package var clientHost: String { SessionRecord.host(ofClient: client) }

    /// The spaces it belongs to, by its addresses and its EHLO name.
    package var spaces: Set<String> {
        var names = Set((from + to).flatMap { Space.names(ofAddress: $0.utf8) })
        if let helo, let name = Space.name(ofDomain: helo.utf8) { names.insert(name) }
        return names
    }
}

extension Subject {
    /// What a finding in a session is about: where it was found in messages alone, the envelopes of these.
    package init(_ finding: Finding, in record: SessionRecord) {
        self.init(record)
        note(finding)
        let numbers = Set(finding.evidence.map { $0.transaction ?? 0 })
        // Of a session whose events were left out nobody knows which transaction has which number.
        guard !finding.evidence.isEmpty, !finding.isElsewhere, record.events_dropped == 0,
            finding.evidence.allSatisfy({ $0.line == nil }),
            numbers.allSatisfy({ $0 >= 1 && $0 <= record.transactions.count })
        else { return }
        let meant = numbers.sorted().map { record.transactions[$0 - 1] }
        from = meant.map(\.from)
        to = meant.flatMap { $0.recipients.map(\.address) }.prefix(Self.mostTexts).map { $0 }
    }

    /// It is about this finding.
    package mutating func note(_ finding: Finding) {
        findings = [finding.rule.rawValue]
        severities = [finding.severity.rawValue]
        message = finding.evidence.first?.message ?? message
    }

    /// A session as far as it has come.
    package init(_ record: SessionRecord) {
        session = record.id
        listener = record.listener
        client = record.client
        helo = record.helo
        tls = record.tls?.version
        var (seenRules, seenReplies) = (Set<String>(), Set<String>())
        func add(_ verdict: Verdict?, _ phase: String?, _ rule: String?, _ reply: String?) {
            if let verdict, !verdicts.contains(verdict) { verdicts.append(verdict) }
            if let phase, !phases.contains(phase) { phases.append(phase) }
            if let rule, rules.count < Self.mostTexts, seenRules.insert(rule).inserted { rules.append(rule) }
            guard let reply, verdict != .accepted, replies.count < Self.mostTexts else { return }
            if seenReplies.insert(reply).inserted { replies.append(reply) }
        }
        for transaction in record.transactions {
            from.append(transaction.from)
            add(transaction.verdict, transaction.rejected_at, transaction.rule, transaction.reply)
            for recipient in transaction.recipients {
                if to.count < Self.mostTexts { to.append(recipient.address) }
                guard recipient.reply.first != "2" else { continue }
                add(nil, Phase.rcpt.rawValue, recipient.rule, recipient.reply)
            }
        }
        add(record.verdict, record.rejected_at, record.rule, record.reply)
        for fault in record.faults { add(nil, nil, fault.rule, nil) }
        message = record.transactions.last?.message
    }

    /// A message that is kept.
    package init(_ stored: StoredMessage) {
        let message = stored.message
        session = message.session
        self.message = message.id
        client = message.client
        helo = message.helo.isEmpty ? nil : Text.lossy(message.helo)
        from = [Text.lossy(message.reversePath.address)]
        to = message.recipients.map { Text.lossy($0.address) }
        size = stored.size
    }
}
