// One attempt to hand a message over, as it is remembered: who came, when, to which server, for whom, and what became
// of each recipient. Made from a transaction of a session; sessions that never got that far leave an attempt without an
// envelope.

import Journal
import SMTP

/// What became of one recipient in one attempt.
package enum Outcome: String, Sendable, Hashable, Codable {
    /// 250 was said to the end of the message, and the client went on or took its leave: it heard it.
    case delivered
    /// 250 was said, but the client was gone before anything showed that it had heard it.
    case unheard
    /// A 5yz, to RCPT or to what followed.
    case failed
    /// A 4yz, to RCPT or to what followed.
    case deferred
    /// 452 or 552 behind recipients that were accepted: the rest belongs into the next transaction (RFC 5321
    /// §4.5.3.1.10).
    case overLimit = "over-limit"
    /// The message came whole, and no reply was said: to the client a 451 (RFC 5321 §3.8).
    case lost
    /// The sink cut the transaction short without a reply: to the client a 451 (RFC 5321 §3.8).
    case interrupted
    /// The client itself left it.
    case abandoned

    /// The sender still owes a delivery.
    package var isOpen: Bool { self == .deferred || self == .overLimit || self == .lost || self == .interrupted }
}

/// By what an attempt is known to be for the same message as the ones before.
package enum Tie: String, Sendable, Hashable, Codable {
    case messageID = "message-id"
    /// The message has no Message-ID, or another one than before.
    case content
    /// The message never came: by its sender and recipient alone, so with less certainty.
    case envelope
    /// Not even those were said.
    case peer
}

struct AttemptedRecipient: Sendable {
    /// As it was said, its domain in small letters.
    var address: String
    /// The reply that decided: to RCPT, or to what ended the transaction; 0 where none was said.
    var code: Int
    /// X.1.1 was said (RFC 3463 §3.2): no such mailbox.
    var isUnknown: Bool
    var outcome: Outcome

    /// MAIL was refused before anybody was named.
    static func unnamed(_ code: Int, _ outcome: Outcome) -> AttemptedRecipient {
        AttemptedRecipient(address: "", code: code, isUnknown: false, outcome: outcome)
    }
}

struct Attempt: Sendable {
    /// Octets kept of an address or a name.
    static let nameLimit = 320
    /// Recipients kept of one attempt.
    static let recipientLimit = 100

    var session: String
    /// From 1; 0 where the session never got that far.
    var transaction: Int
    /// Of the session, in microseconds since 1970-01-01 UTC.
    var sessionStarted_us: Int64
    /// Since the start of the session: the MAIL, and the end.
    var began_us: UInt64
    var ended_us: UInt64
    /// The transcript's line of the MAIL; 0 where there is none.
    var line: Int
    var client: String
    var network: String
    /// The name behind the last EHLO or HELO; empty without one.
    var hello: String
    /// Where it went: a listener and the address there.
    var server: String
    var reversePath: String
    var recipients: [AttemptedRecipient] = []
    /// Recipients beyond the limit.
    var recipientsDropped = 0
    var verdict: Verdict?
    var phase: Phase?
    var code = 0
    var disturbances: Disturbances = []
    /// As declared in MAIL (RFC 1870 §6), and the envelope identifier (RFC 3461 §4.4).
    var size: Int?
    var envelopeID: String?
    /// The stored message.
    var message: String?
    var messageID: String?
    var hasContent = false
    /// There is a Message-ID or a Date: two messages that look alike are the same.
    var isTellable = false
    var tie = Tie.envelope
    var isTLS = false
    /// Transactions came before it in the session.
    var isReused = false
    var isLoopback = false

    var start_us: Int64 { sessionStarted_us.adding(began_us) }
    var end_us: Int64 { sessionStarted_us.adding(ended_us) }

    func recipient(_ address: String) -> AttemptedRecipient? { recipients.first { $0.address == address } }
    var hasRefused: Bool { recipients.contains { $0.outcome == .failed || $0.outcome == .deferred } }
    var hasDelivered: Bool { recipients.contains { $0.outcome == .delivered } }

    var evidence: Evidence {
        Evidence(
            line: line > 0 ? line : nil, message: message, transaction: transaction > 0 ? transaction : nil,
            at_us: began_us, session: session)
    }
}

extension Int64 {
    /// Stays at the largest number where the sum would be larger.
    func adding(_ microseconds: UInt64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(Int64(clamping: microseconds))
        return overflow ? .max : sum
    }

    /// The difference, in microseconds; 0 where the other is later.
    func since(_ other: Int64) -> UInt64 { self > other ? UInt64(bitPattern: self &- other) : 0 }
}

/// Addresses of peers as receivers group them.
enum PeerName {
    /// The /24 of IPv4, the /64 of IPv6; anything else stays as it is.
    static func network(_ client: String) -> String {
        if let octets = ipv4(client) { return "\(octets[0]).\(octets[1]).\(octets[2]).0/24" }
        guard let groups = ipv6(client) else { return client }
        return groups[..<4].map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
    }

    /// What one peer is counted by: the address of IPv4, the /64 of IPv6.
    static func peer(_ client: String) -> String { client.utf8.contains(UInt8(ascii: ":")) ? network(client) : client }

    private static func ipv4(_ text: String) -> [UInt8]? {
        // ::ffff:192.0.2.1 (RFC 4291 §2.5.5.2).
        let plain = text.hasPrefix("::ffff:") && text.utf8.contains(UInt8(ascii: ".")) ? text.dropFirst(7) : text[...]
        let parts = plain.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        let octets = parts.compactMap { UInt8($0) }
        return octets.count == 4 ? octets : nil
    }

    private static func ipv6(_ text: String) -> [UInt16]? {
        let address = text.prefix { $0 != "%" }
        guard address.utf8.contains(UInt8(ascii: ":")) else { return nil }
        var head: [UInt16] = []
        var tail: [UInt16]?
        for part in address.split(separator: ":", maxSplits: 16, omittingEmptySubsequences: false) {
            if part.isEmpty {
                // The gap; a colon at either end gives one more empty part.
                if tail == nil, !head.isEmpty || address.hasPrefix("::") { tail = [] }
            } else if let group = UInt16(part, radix: 16) {
                if tail == nil { head.append(group) } else { tail?.append(group) }
            } else {
                return nil
            }
        }
        let gap = 8 - head.count - (tail?.count ?? 0)
        guard gap == 0 || gap > 0 && tail != nil else { return nil }
        return head + [UInt16](repeating: 0, count: gap) + (tail ?? [])
    }
}
