// The verdict on senders, as one value: what was looked at, which rules were broken and what to mend first, which were
// kept, which could not be seen and why. Every form of the report (text, Markdown, HTML, JUnit, SARIF) reads this value
// and nothing else. The property names are the keys of its JSON.

/// What was found in many sessions.
package struct Report: Sendable, Hashable, Codable {
    /// The version of fakemx that judged.
    package var version: String
    /// Microseconds since 1970-01-01 UTC.
    package var generated_us: Int64
    package var profile: SenderProfile
    /// When the first session was accepted and when the last one ended: RFC 3339, UTC. nil without sessions.
    package var since: String?
    package var until: String?
    package var session_count: Int
    /// Messages that were stored.
    package var message_count: Int
    /// Those with most sessions first; `senderLimit` at most.
    package var senders: [ReportedSender]
    /// Senders that have no place in the list.
    package var senders_omitted: Int
    /// Broken rules. What to mend first stands first: by severity, then by how many sessions, then by how many
    /// receivers are known to care.
    package var broken: [BrokenRule]
    package var kept: [RuleID]
    /// Judged, but never to be seen.
    package var not_observed: [RuleID]
    package var not_judged: [UnjudgedRule]
    /// Rules that were not judged in some sessions, since a fault of the sink explains what was seen there.
    package var excused: [ExcusedRule]
    /// Messages on their time lines, those that ask for attention first; `timelineLimit` at most.
    package var timelines: [Timeline]
    package var timelines_omitted: Int
    /// nil where everything that ended is judged.
    package var lag: JudgingLag?
    /// Sessions that are open, of all senders: they are judged when they end.
    package var open_count = 0

    package static let senderLimit = 50
    package static let timelineLimit = 50

    /// How many rules are broken with at least this severity.
    package func brokenCount(atLeast severity: Severity) -> Int { broken.count { $0.severity >= severity } }

    package func brokenCount(_ severity: Severity) -> Int { broken.count { $0.severity == severity } }
}

/// A rule that was broken, with all its findings as one.
package struct BrokenRule: Sendable, Hashable, Codable {
    package var rule: RuleID
    package var layer: Layer
    /// The gravest of its findings.
    package var severity: Severity
    /// How often it was broken.
    package var count: Int
    package var session_count: Int
    /// Ids of sessions in which it was broken, the oldest first; `sessionLimit` at most.
    package var sessions: [String]
    /// Receivers that are known to care, as the citation names them.
    package var receivers: [String]
    /// The session of the evidence.
    package var session: String
    /// The first place of the gravest finding.
    package var evidence: Evidence?
    package var saw: String
    /// The lines around that place.
    package var passage: Passage?
    package var what: String
    package var why: String
    package var fix: String
    package var citation: String
    /// Why the severity is not the rule's own.
    package var reason: String?

    package static let sessionLimit = 100
}

/// A rule that was not judged in any session, and why.
package struct UnjudgedRule: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// The configuration switches it off.
        case off
        /// The profile does not hold senders to it.
        case profile
        /// An option has to be given first.
        case option
        /// Nobody is asked about peers on this machine and in private networks.
        case local
        /// It is never judged.
        case never
    }

    package var rule: RuleID
    package var kind: Kind
    package var because: String
}

package struct ExcusedRule: Sendable, Hashable, Codable {
    package var rule: RuleID
    /// The faults, in words.
    package var because: [String]
    /// 0 where it takes several sessions to judge it.
    package var session_count: Int

    /// Different faults that are named at most.
    package static let becauseLimit = 5
}

/// One client address, with what is known of it.
package struct ReportedSender: Sendable, Hashable, Codable {
    /// Without its port; empty where the session is not kept any more.
    package var address: String
    /// Names it gave in EHLO or HELO, the first ones first; `heloLimit` at most.
    package var helo: [String]
    package var session_count: Int
    package var message_count: Int
    package var bot_check: [BotPoint]

    package static let heloLimit = 10
}

/// Sessions that ended and are still to be judged.
package struct JudgingLag: Sendable, Hashable, Codable {
    package var waiting: Int
    /// How long the oldest of them has been waiting, in microseconds.
    package var oldest_us: UInt64

    package init(waiting: Int, oldest_us: UInt64) {
        self.waiting = waiting
        self.oldest_us = oldest_us
    }
}
