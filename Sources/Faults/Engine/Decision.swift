// What the rules said at a phase: the actions to be carried out, and which rule said so. Everything random is drawn
// and every duration is divided by the time scale before it stands here; the Sink only performs.

import SMTP

/// What the rules said at a phase.
package struct Decision: Sendable, Equatable {
    /// The rule's name; `magic rcpt-550` for a magic address.
    package var rule: String
    /// Why it fired, as a short sentence: `first 2 per to: 1 of 2 for a@full.test`.
    package var why: String
    /// In the order in which they run; never empty.
    package var actions: [Action]

    package init(rule: String, why: String, actions: [Action]) {
        self.rule = rule
        self.why = why
        self.actions = actions
    }
}

/// One thing to do. They run in order.
package enum Action: Sendable, Equatable {
    /// Said in place of the protocol's own reply.
    ///
    /// connect: takes the greeting's place. tls: after the handshake it answers every
    /// command but QUIT (RFC 3207 §4.1). idle: unsolicited, called off when the client speaks first. accepted:
    /// unsolicited behind the 250.
    case reply(Reply)
    /// Wait before what follows; when nothing follows, before the protocol's own reply.
    case delay(ns: UInt64)
    /// The reply of this decision (its own or the protocol's) leaves at this rate.
    case drip(octetsPerSecond: Double)
    /// From now on the session reads at this rate.
    case slowRead(octetsPerSecond: Double)
    /// Say nothing, ever.
    case stall
    /// FIN. With no reply in front of it, nothing is answered.
    case close
    /// RST.
    case reset
    /// Store the message although no 250 follows.
    case keep
    /// Answer 250 (or the reply that stands beside it) but do not store.
    case lose
    /// The protocol's own reply. In front of close, reset or stall: that reply first.
    case accept
    case hide(CapabilitySet)
    case offer(CapabilitySet)
    /// Say nothing and read nothing, ever: the client's window closes.
    case stopReading
    /// Exact octets in the reply's place. What the session makes of them says the code: a 4yz or 5yz refuses, all else
    /// accepts.
    case raw(pieces: [[UInt8]], code: ReplyCode?)
    /// The reply of this decision is bent.
    case bend(OddReply)
    case tls(TLSFault)
}

/// How far a rule has come.
package struct RuleStatus: Sendable, Equatable {
    /// With its name; whether it is on says what holds now.
    package var rule: Rule
    /// The rule as a line of the command-line grammar.
    package var line: String
    /// How often its conditions held.
    package var matches: Int
    /// How often it fired.
    package var hits: Int
    /// How often it can still fire; nil when there is no end, or when each key has its own count.
    package var remaining: Int?
    /// The same in words: `1 of 2 left`, `2 for each new to`, `no end`.
    package var remains: String
    /// What a limit has counted for its fullest keys; empty for other rules.
    package var present: [Present]
    /// Set at run time.
    package var isRunRule: Bool
    /// On the clock of `now_ns`; nil: it stays.
    package var expires_ns: UInt64?
    /// The scenario that it was set with at run time.
    package var scenario: String?

    package var name: String { rule.name }
    package var at: Phase { rule.at }
    package var isOn: Bool { rule.isOn }

    /// The count of one key; the key is empty where the rule has no `per`.
    package struct Present: Sendable, Equatable {
        package var key: String
        package var count: UInt64
        /// Of a share: how many of them were refused.
        package var refused: UInt64?
    }
}
