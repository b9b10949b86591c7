// One session as people and programs read it: the object of DESIGN's session JSON. Always derived from events.

import SMTP

/// A recorded session. The property names are the keys of the JSON.
public struct SessionRecord: Sendable, Hashable, Codable {
    public var id = ""
    public var listener = ""
    /// Address and port of the client.
    public var client = ""
    /// Time of day at the accept, RFC 3339, UTC, with microseconds.
    public var started = ""
    public var duration_us: UInt64 = 0
    /// The argument of the last EHLO or HELO.
    public var helo: String?
    public var tls: TLSSummary?
    /// Why a handshake failed, in words.
    public var tls_failure: String?
    /// nil while the session is open.
    public var ended_by: Ending?
    /// The verdict of the last transaction; without one, that of the last refusal outside a transaction.
    public var verdict: Verdict?
    /// The phase that belongs to `verdict`, when it was not accepted.
    public var rejected_at: String?
    /// The reply that belongs to `verdict`.
    public var reply: String?
    /// The rule that made it.
    public var rule: String?
    public var transactions: [TransactionRecord] = []
    public var faults: [FaultRecord] = []
    public var lines: [LineRecord] = []
    /// Events worth a line of their own: octets thrown away behind STARTTLS, a ClientHello on the clear port, …
    public var notices: [String] = []
    /// Events that were not kept since the session had reached its limit.
    public var events_dropped: Int = 0
}

public struct TransactionRecord: Sendable, Hashable, Codable {
    /// The reverse-path without angle brackets; empty for the null reverse-path.
    public var from: String
    public var recipients: [RecipientRecord] = []
    /// nil while it is open.
    public var verdict: Verdict?
    public var rejected_at: String?
    public var reply: String?
    public var rule: String?
    /// The id of the stored message.
    public var message: String?
}

public struct RecipientRecord: Sendable, Hashable, Codable {
    public var address: String
    public var reply: String
    public var rule: String?
}

public struct FaultRecord: Sendable, Hashable, Codable {
    public var at_us: UInt64
    public var rule: String
    public var phase: String
    public var action: String
    public var why: String
    /// Which decision of the session at this phase it was, from 1; at body: at this octet. 0: before the first.
    public var use: Int
    /// At body: message octets that had come.
    public var octets: Int?
    /// The actions in the grammar of rules, drawn and scaled: what `fakemx replay` does again.
    public var script: [String]
}

public struct LineRecord: Sendable, Hashable, Codable {
    public var at_us: UInt64
    public var who: Party
    /// The line without its CRLF. For message content: empty.
    public var text: String
    /// The read in which the client's line ended, from 1; 0 for the sink's lines.
    public var segment: Int
    public var tls: Bool
    /// For message content: how many octets.
    public var octets: Int?
}
