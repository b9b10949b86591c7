// What the name system says about a peer, asked by somebody else: this room asks nobody.

/// An answer of the name system.
package enum NameAnswer<Value: Sendable & Hashable>: Sendable, Hashable {
    case found(Value)
    /// The name is not there, or has no such record (RFC 8020, RFC 2308 §2).
    case none
    /// No answer, or one that says nothing (SERVFAIL): nothing is concluded.
    case unknown
}

package struct NameFacts: Sendable, Hashable {
    /// The reverse names of the peer.
    package var reverseNames: NameAnswer<[String]> = .unknown
    /// The addresses of each of the first reverse names (10 at most).
    package var reverseAddresses: [String: NameAnswer<[String]>] = [:]
    /// The addresses of each EHLO name, by that name in small letters.
    package var helloAddresses: [String: NameAnswer<[String]>] = [:]
    /// Whether each domain of an envelope sender can receive mail: its exchangers by preference, `.` for the null MX
    /// (RFC 7505).
    package var exchangers: [String: NameAnswer<[String]>] = [:]
    package init() {}
}
