// What a running fakemx answers with, as far as it is shown in tables.

import Faults
import Journal

struct SessionsAnswer: Decodable {
    let sessions: [SessionRecord]
    let next: String?

    static let head = ["SESSION", "STARTED", "CLIENT", "FROM", "TO", "VERDICT", "AT", "REPLY"]

    static func row(_ session: SessionRecord) -> [String] {
        let last = session.transactions.last
        let recipients = last?.recipients.map(\.address) ?? []
        let to = recipients.count > 1 ? "\(recipients[0]) +\(recipients.count - 1)" : recipients.first ?? "-"
        var verdict = session.verdict?.rawValue ?? (session.ended_by == nil ? "open" : "no mail")
        // The message went through, and not to everybody.
        let refused = last?.recipients.count { $0.reply.first != "2" } ?? 0
        if session.verdict == .accepted, refused > 0 { verdict += ", \(refused) of \(recipients.count) refused" }
        var reply = Text.brief(session.reply ?? session.tls_failure ?? "-")
        if session.verdict == .lost, session.reply == nil {
            reply = last?.message.map { "none; stored as \($0)" } ?? "none; not stored"
        }
        return [
            session.id, String(session.started.dropFirst(11).prefix(12)), session.client,
            (last?.from).map { $0.isEmpty ? "<>" : $0 } ?? "-", to, verdict, session.rejected_at ?? "-",
            reply + (session.rule.map { "  (rule \($0))" } ?? ""),
        ].map(Text.shown)
    }
}

struct MessageRecord: Decodable {
    let id, received, from: String
    let to: [String]
    let size: Int
    let subject: String

    static let head = ["MESSAGE", "RECEIVED", "FROM", "TO", "SIZE", "SUBJECT"]

    var row: [String] {
        let to = self.to.count > 1 ? "\(self.to[0]) +\(self.to.count - 1)" : self.to.first ?? "-"
        return [id, String(received.dropFirst(11).prefix(12)), from.isEmpty ? "<>" : from, to, "\(size)", subject].map(
            Text.shown)
    }
}

struct MessagesAnswer: Decodable { let messages: [MessageRecord] }

struct RuleRecord: Decodable {
    let name, line, origin, remains: String
    let enabled: Bool
    let matches, hits: Int
    let expires_in_s: Double?

    static let head = ["RULE", "FROM", "FIRED", "OF", "REMAINS", "LINE"]

    var row: [String] {
        [name, enabled ? origin : "\(origin), off", "\(hits)", "\(matches)", remains + leaves, line].map(Text.shown)
    }
}

extension RuleRecord {
    private var leaves: String {
        guard let expires_in_s else { return "" }
        let tenths = Int(expires_in_s * 10)
        return tenths < 100 ? "; goes in \(tenths / 10).\(tenths % 10) s" : "; goes in \(tenths / 10) s"
    }
}

struct RulesAnswer: Decodable { let rules: [RuleRecord] }

/// Something that happened.
struct EntryRecord: Decodable {
    let kind, at: String
    let session, message, from, phase, rule, reply, detail, verdict, finding, severity: String?
    let to: [String]?

    /// `12:00:01.123456 s12 reject  rcpt 550 5.1.1 No such user  <a@b.test>  (rule x)`
    var line: String {
        var words = [String(at.dropFirst(11).dropLast()), session ?? "-", kind]
        if let message { words.append(message) }
        if let verdict, kind == "session" { words.append(verdict) }
        if let severity, let finding { words.append("\(severity) \(finding)") }
        // Of a finding these are those of its session, which it need not be about.
        let isFinding = kind == "finding"
        if let phase, !isFinding { words.append("at \(phase)") }
        if let detail { words.append(detail) }
        if let reply, !isFinding { words.append(Text.brief(reply)) }
        if let to, let first = to.first { words.append(to.count > 1 ? "<\(first)> +\(to.count - 1)" : "<\(first)>") }
        if let rule { words.append("(rule \(rule))") }
        return words.map(Text.shown).joined(separator: "  ")
    }
}

struct WaitAnswerRecord: Decodable {
    let fulfilled: Bool
    let count: Int
    let sessions: [SessionRecord]?
    let messages: [MessageRecord]?
    let rejects, rules, findings, seen: [EntryRecord]?
    let missed: Int?
    let cursor: String
}

struct CursorAnswer: Decodable { let cursor: String }

struct ResetAnswer: Decodable { let messages, sessions, rules: Int }
