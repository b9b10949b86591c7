// What the library hands out: sessions, messages, refusals, and errors in words.

import Faults
import Journal
import Sink
import Store

extension FakeMX {
    /// What a session was, from accept to close.
    public typealias Session = SessionRecord

    /// A message that was stored.
    public struct Message: Sendable {
        public let id: String
        /// The session that it came in.
        public let session: String
        /// The reverse-path without angle brackets; empty for the null reverse-path.
        public let from: String
        public let to: [String]
        /// As it came, without stuffed dots.
        public let octets: [UInt8]
        /// When the final dot came, in microseconds since 1970-01-01 UTC.
        public let received_us: Int64

        init(_ stored: StoredMessage) {
            id = stored.message.id
            session = stored.message.session
            from = Text.lossy(stored.message.reversePath.address)
            to = stored.message.recipients.map { Text.lossy($0.address) }
            octets = stored.message.content
            received_us = stored.message.received_us
        }

        /// The octets as text.
        public var text: String { String(decoding: octets, as: UTF8.self) }

        /// The values of the header fields of this name, decoded.
        public func header(_ name: String) -> [String] { MessageFacts(octets).values(of: name.asciiLowercased) }
    }

    /// A reply of 4yz or 5yz.
    public struct Refusal: Sendable {
        /// The session that it was said in.
        public let session: String
        /// `rcpt`, `end-of-data` …; `protocol` where SMTP itself refused.
        public let phase: String
        /// As it was said, with LF between its lines.
        public let reply: String
        /// The rule behind it, if there is one.
        public let rule: String?
        /// The reverse-path, once MAIL was said.
        public let from: String?
        /// The recipient that was refused; behind RCPT, all of the transaction.
        public let to: [String]

        init(_ entry: Entry) {
            session = entry.subject.session
            phase = entry.subject.phases.first ?? ""
            reply = entry.subject.replies.first ?? ""
            rule = entry.subject.rules.first
            from = entry.subject.from.first
            to = entry.subject.to
        }
    }
}

/// Something that was asked of a sink and could not be had: what happened, where, what to do.
public struct FakeMXError: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

extension SessionRecord {
    /// In one line, as the text of a failure has it.
    var spoken: String {
        let mails = transactions.map { mail in
            "<\(mail.from)> to " + mail.recipients.map { "<\($0.address)>" }.joined(separator: ", ")
        }
        var text = "session \(id): " + (mails.isEmpty ? "no transaction" : mails.joined(separator: "; "))
        text += ": " + (verdict?.rawValue ?? "no mail") + (rejected_at.map { " at \($0)" } ?? "")
        return text + (reply.map { ": " + $0.replacing("\n", with: " / ") } ?? "")
            + (rule.map { "  (rule \($0))" } ?? "")
    }
}
