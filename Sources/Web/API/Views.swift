// Sessions, messages, rules and entries as JSON: plain values whose property names are the keys.

import Faults
import Journal
import SMTP
import Sink
import Store

/// A session in a list: without its lines and what they need.
struct SessionSummary: Encodable {
    let id, listener, client, started: String
    let duration_us: UInt64
    let helo: String?
    let tls: TLSSummary?
    let tls_failure: String?
    let ended_by: Ending?
    let verdict: Verdict?
    let rejected_at, reply, rule: String?
    let transactions: [TransactionRecord]
    let faults: [FaultRecord]
    /// All that are kept of it, those of `recipient_count` in all of its transactions.
    let transaction_count, recipient_count, fault_count: Int
    let notices: [String]
    let events_dropped: Int
    let spaces: [String]
    let findings: [FindingBrief]
    /// False, too, where its judgement is not at hand: the session alone is judged again.
    let is_judged: Bool

    /// - Parameter nested: transactions, faults, and recipients of one transaction at most, the first ones.
    init(_ stored: StoredSession, _ verdicts: Verdicts?, nested: Int = .max) {
        let judgement = verdicts?.judgement(of: stored.number)
        findings = judgement?.findings.map(FindingBrief.init) ?? []
        is_judged = judgement != nil
        let record = stored.brief
        id = record.id.isEmpty ? stored.id : record.id
        listener = record.listener
        client = record.client
        started = record.started
        duration_us = record.duration_us
        helo = record.helo
        tls = record.tls
        tls_failure = record.tls_failure
        ended_by = record.ended_by
        verdict = record.verdict
        rejected_at = record.rejected_at
        reply = record.reply
        rule = record.rule
        transaction_count = record.transactions.count
        recipient_count = record.transactions.reduce(0) { $0 + $1.recipients.count }
        fault_count = record.faults.count
        transactions = record.transactions.prefix(nested).map { transaction in
            var transaction = transaction
            if transaction.recipients.count > nested {
                transaction.recipients.removeSubrange(nested...)
            }
            return transaction
        }
        faults = Array(record.faults.prefix(nested))
        notices = record.notices
        events_dropped = record.events_dropped
        spaces = Subject(record).spaces.sorted()
    }
}

struct SessionList: Encodable {
    let sessions: [SessionSummary]
    /// Behind `before=`: where the next page begins; missing on the last one.
    let next: String?
    let cursor: String
}

/// A message in a list.
struct MessageSummary: Encodable {
    let id, session, received: String
    let from: String
    let to: [String]
    let size: Int
    let helo, client, protocol_: String
    let subject, message_id: String
    let spaces, tags: [String]
    let is_read: Bool

    enum CodingKeys: String, CodingKey {
        case id, session, received, from, to, size, helo, client, subject, message_id, spaces, tags, is_read
        case protocol_ = "with"
    }

    init(_ stored: StoredMessage) {
        let message = stored.message
        let facts = MessageFacts(message.content.prefix(MessageSummary.headerOctets))
        id = message.id
        session = message.session
        received = Timestamp(wall_us: message.received_us).rfc3339
        from = Text.lossy(message.reversePath.address)
        to = message.recipients.map { Text.lossy($0.address) }
        size = stored.size
        helo = Text.lossy(message.helo)
        client = message.client
        protocol_ = message.withProtocol
        subject = facts.values(of: "subject").first ?? ""
        message_id = facts.messageID ?? ""
        spaces = Subject(stored).spaces.sorted()
        tags = stored.marks.tags
        is_read = stored.marks.isRead
    }

    /// Octets of a message that are read for its header fields in a list.
    static let headerOctets = 64 << 10
}

struct MessageList: Encodable {
    let messages: [MessageSummary]
    let next: String?
    let cursor: String
}

/// A rule and how far it has come.
struct RuleView: Encodable {
    let name, at, line, yaml: String
    /// `run`: set at run time; `configuration`: it stands in a file, a scenario or a flag.
    let origin: String
    let enabled: Bool
    let matches, hits: Int
    let remaining: Int?
    let remains: String
    let present: [Present]
    /// Seconds until it goes, where it does.
    let expires_in_s: Double?
    let spaces: [String]
    /// The scenario that it was set with at run time.
    let scenario: String?
    /// What was said of it when it was read, and is no error; missing where nothing was.
    let warnings: [String]?

    struct Present: Encodable {
        let key: String
        let count: UInt64
        let refused: UInt64?
    }

    init(_ status: RuleStatus, now_ns: UInt64, _ warnings: [String]) {
        name = status.name
        at = status.at.rawValue
        line = status.line
        yaml = status.rule.yaml
        origin = status.isRunRule ? "run" : "configuration"
        enabled = status.isOn
        matches = status.matches
        hits = status.hits
        remaining = status.remaining
        remains = status.remains
        present = status.present.map { Present(key: $0.key, count: $0.count, refused: $0.refused) }
        expires_in_s = status.expires_ns.map { $0 > now_ns ? Double(($0 - now_ns) / 1_000_000) / 1000 : 0 }
        spaces = status.rule.spaces.sorted()
        scenario = status.scenario
        self.warnings = warnings.isEmpty ? nil : warnings
    }
}

struct RuleList: Encodable { let rules: [RuleView] }

/// Something that happened.
struct EntryView: Encodable {
    let number: UInt64
    let kind, at: String
    let session, message, listener, client, helo: String?
    let from: String?
    let to: [String]?
    let phase, rule, reply, detail, space: String?
    let verdict: Verdict?
    /// Of a finding: the rule of sending that was broken, and how gravely.
    let finding, severity: String?

    init(_ entry: Entry) {
        let subject = entry.subject
        number = entry.number
        kind = entry.kind.rawValue
        at = Timestamp(wall_us: entry.wall_us).rfc3339
        session = subject.session.isEmpty ? nil : subject.session
        message = subject.message
        listener = subject.listener.isEmpty ? nil : subject.listener
        client = subject.client.isEmpty ? nil : subject.client
        helo = subject.helo
        from = subject.from.first
        to = subject.to.isEmpty ? nil : Array(subject.to.prefix(Self.mostRecipients))
        phase = subject.phases.first
        rule = subject.rules.first
        reply = subject.replies.first
        verdict = subject.verdicts.last
        finding = subject.findings.first
        severity = subject.severities.first
        detail = entry.detail
        space = entry.space
    }

    /// Recipients shown of one happening; the session has all.
    static let mostRecipients = 100
}

struct WaitView: Encodable {
    let fulfilled: Bool
    let count: Int
    let sessions: [SessionRecord]?
    let messages: [MessageSummary]?
    let rejects, rules, findings: [EntryView]?
    /// When it was not fulfilled: what came of the same kind in its place.
    let seen: [EntryView]?
    /// Of rejects, rules and findings: what came behind the cursor and is remembered no more.
    let missed: UInt64?
    let cursor: String

    init(_ wait: Wait, _ answer: WaitAnswer) {
        fulfilled = answer.isFulfilled
        count = answer.count
        sessions = wait.kind == .session ? answer.sessions.map(\.record) : nil
        messages = wait.kind == .message ? answer.messages.map(MessageSummary.init) : nil
        rejects = wait.kind == .reject ? answer.entries.map(EntryView.init) : nil
        rules = wait.kind == .rule ? answer.entries.map(EntryView.init) : nil
        findings = wait.kind == .finding ? answer.entries.map(EntryView.init) : nil
        seen = answer.isFulfilled ? nil : answer.seen.map(EntryView.init)
        missed = answer.missed > 0 ? answer.missed : nil
        cursor = answer.cursor.description
    }
}
