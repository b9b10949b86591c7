// One session as people and programs read it: the object of DESIGN's session JSON. Always derived from events.

import SMTP

/// A recorded session. The property names are the keys of the JSON.
package struct SessionRecord: Sendable, Hashable, Codable {
    package var id = ""
    package var listener = ""
    /// Address and port of the client.
    package var client = ""
    /// Time of day at the accept, RFC 3339, UTC, with microseconds.
    package var started = ""
    package var duration_us: UInt64 = 0
    /// The argument of the last EHLO or HELO.
    package var helo: String?
    package var tls: TLSSummary?
    /// Why a handshake failed, in words.
    package var tls_failure: String?
    /// nil while the session is open.
    package var ended_by: Ending?
    /// The verdict of the last transaction; without one, that of the last refusal outside a transaction.
    package var verdict: Verdict?
    /// The phase that belongs to `verdict`, when it was not accepted.
    package var rejected_at: String?
    /// The reply that belongs to `verdict`.
    package var reply: String?
    /// The rule that made it.
    package var rule: String?
    package var transactions: [TransactionRecord] = []
    package var faults: [FaultRecord] = []
    package var lines: [LineRecord] = []
    /// Events worth a line of their own: octets thrown away behind STARTTLS, a ClientHello on the clear port, …
    package var notices: [String] = []
    /// Events that were not kept since the session had reached its limit.
    package var events_dropped: Int = 0
}

package struct TransactionRecord: Sendable, Hashable, Codable {
    /// The reverse-path without angle brackets; empty for the null reverse-path.
    package var from: String
    package var recipients: [RecipientRecord] = []
    /// nil while it is open.
    package var verdict: Verdict?
    package var rejected_at: String?
    package var reply: String?
    package var rule: String?
    /// The id of the stored message.
    package var message: String?
}

package struct RecipientRecord: Sendable, Hashable, Codable {
    package var address: String
    package var reply: String
    package var rule: String?
}

package struct FaultRecord: Sendable, Hashable, Codable {
    package var at_us: UInt64
    package var rule: String
    package var phase: String
    package var action: String
    package var why: String
    /// Which decision of the session at this phase it was, from 1; at body: at this octet. 0: before the first.
    package var use: Int
    /// At body: message octets that had come.
    package var octets: Int?
    /// The actions in the grammar of rules, drawn and scaled: what `fakemx replay` does again.
    package var script: [String]
}

package struct LineRecord: Sendable, Hashable, Codable {
    package var at_us: UInt64
    package var who: Party
    /// The line without its CRLF. For message content: empty.
    package var text: String
    /// The read in which the client's line ended, from 1; 0 for the sink's lines.
    package var segment: Int
    package var tls: Bool
    /// For message content: how many octets.
    package var octets: Int?
}
