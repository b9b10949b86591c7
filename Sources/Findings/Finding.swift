// What was found against a sender: one broken rule with the evidence for it. Codable, so that the same value is the
// JSON of the API and what every form of the report is made of.

/// Where in a session or a message the evidence is.
package struct Evidence: Sendable, Hashable, Codable {
    /// The line of the transcript, from 1: every line of the client and the sink counts, and so does a message's
    /// content, as one; the `lines` of a session record have the same order. nil where it is about a message or a whole
    /// session.
    package var line: Int?
    /// The id of the message, where it was stored.
    package var message: String?
    /// The transaction of the session, from 1.
    package var transaction: Int?
    /// Octets of that line, or of the message: the first one, and the one behind the last. Of a message without the
    /// dots that RFC 5321 §4.5.2 adds.
    package var range: Range<Int>?
    /// Microseconds since the start of the session.
    package var at_us: UInt64?
    /// The session, where the finding took several.
    package var session: String?

    package init(
        line: Int? = nil, message: String? = nil, transaction: Int? = nil, range: Range<Int>? = nil,
        at_us: UInt64? = nil, session: String? = nil
    ) {
        self.session = session
        self.line = line
        self.message = message
        self.transaction = transaction
        self.range = range
        self.at_us = at_us
    }
}

/// A rule that was broken.
package struct Finding: Sendable, Hashable, Codable {
    /// Places that one finding names at most; `count` says how many there were.
    package static let evidenceLimit = 10

    package var rule: RuleID
    package var layer: Layer
    package var severity: Severity
    /// The id of the session; the last of them where it took several.
    package var session: String
    /// Other sessions that are part of the evidence, the oldest first; 10 at most.
    package var sessions: [String] = []
    package var evidence: [Evidence]
    /// How often the rule was broken here.
    package var count = 1
    /// What was seen at the first place: printable, 200 characters at most.
    package var saw: String
    package var what: String
    package var why: String
    package var fix: String
    package var citation: String
    /// Why the severity is not the rule's own: a profile, a configuration, or that the peer is this machine.
    package var reason: String?
    /// It was found in another transaction, too, which none of the places names. Told to nobody outside.
    package var isElsewhere = false

    private enum CodingKeys: String, CodingKey {
        case rule, layer, severity, session, sessions, evidence, count, saw, what, why, fix, citation, reason
    }
}

/// What is known of a rule in a session.
package enum RuleState: String, Sendable, Hashable, Codable {
    case broken, kept
    /// It could not be seen: never said to be kept.
    case notObserved = "not observed"
}
