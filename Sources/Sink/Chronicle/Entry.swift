// What is told to those who wait and to those who watch: one line of the chronicle.

import Journal

package struct Entry: Sendable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A connection was accepted.
        case opened
        /// A 4yz or 5yz was said.
        case reject
        /// A message was stored.
        case message
        /// A rule fired.
        case rule
        /// A session ended.
        case session
        /// A session was judged, and a rule of sending was found broken in it.
        case finding
        /// The rules were changed at run time.
        case rules
        /// Messages or sessions were removed, or everything was forgotten.
        case reset
    }

    /// Its place in the chronicle, from 1, without gaps.
    package internal(set) var number: UInt64 = 0
    /// Microseconds since 1970-01-01 UTC.
    package let wall_us: Int64
    package let kind: Kind
    package private(set) var subject: Subject
    /// More about it in words: what a rule did.
    package var detail: String?
    /// Who caused a removal; empty: everybody's things went.
    package var space: String?

    package init(_ kind: Kind, wall_us: Int64, _ subject: Subject, detail: String? = nil, space: String? = nil) {
        self.kind = kind
        self.wall_us = wall_us
        self.subject = subject
        self.detail = detail
        self.space = space
    }

    /// A reset took it away; only its place is left.
    private(set) var isForgotten = false

    mutating func forget() {
        isForgotten = true
        subject = Subject()
        detail = nil
    }

    /// What it takes in memory, about.
    var octetCount: Int {
        func sum(_ texts: [String]) -> Int { texts.reduce(0) { $0 + 16 + $1.utf8.count } }
        let lists = sum(subject.from) + sum(subject.to) + sum(subject.replies) + sum(subject.rules)
        return 600 + lists + (detail?.utf8.count ?? 0) + subject.client.utf8.count + (subject.helo?.utf8.count ?? 0)
    }
}

/// A point in the life of a sink: what came behind it can be asked for, so that nothing is missed between sending and
/// asking. Opaque to those who hold it.
package struct Cursor: Sendable, Hashable, CustomStringConvertible {
    /// Which run of fakemx it is of; positions in a store outlive it, the chronicle does not.
    package let run: UInt64
    /// The last entry before it.
    package let entry: UInt64
    /// The last message and the last session that were kept before it.
    package let message: Int64
    package let session: Int64

    package init(run: UInt64, entry: UInt64, message: Int64, session: Int64) {
        self.run = run
        self.entry = entry
        self.message = message
        self.session = session
    }

    package var description: String {
        String(run, radix: 36) + "-" + [entry, UInt64(message), UInt64(session)].map { "\($0)" }.joined(separator: "-")
    }

    /// nil for anything that `description` did not make.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, text.utf8.count <= 80, let run = UInt64(parts[0], radix: 36),
            let entry = Self.number(parts[1]), let message = Self.number(parts[2]),
            let session = Self.number(parts[3])
        else { return nil }
        self.init(run: run, entry: entry, message: Int64(message), session: Int64(session))
    }

    private static func number(_ text: Substring) -> UInt64? {
        guard text.utf8.allSatisfy({ (48...57).contains($0) }), let number = UInt64(text), number <= Int64.max else {
            return nil
        }
        return number
    }
}
