// What the sink itself did to a session, as far as it can explain what the sender did next. Nothing is held against a
// sender that one of our own faults caused: each rule names the disturbances under which it is not judged.

/// Kinds of faults that were in force.
package struct Disturbances: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    /// A reply of ours was a refusal that a rule had made: 4yz or 5yz, at any phase.
    package static let refused = Disturbances(rawValue: 1 << 0)
    /// A reply came later than it would have, or in drops.
    package static let delayed = Disturbances(rawValue: 1 << 1)
    /// Nothing was answered any more.
    package static let stalled = Disturbances(rawValue: 1 << 2)
    /// The connection was closed or reset by a rule, or a 421 said so.
    package static let cut = Disturbances(rawValue: 1 << 3)
    /// The octets of a reply were not what a server says: raw octets, two replies, odd codes.
    package static let garbled = Disturbances(rawValue: 1 << 4)
    /// The list behind EHLO was changed: a keyword hidden or offered.
    package static let listChanged = Disturbances(rawValue: 1 << 5)
    /// TLS was refused or broken.
    package static let tls = Disturbances(rawValue: 1 << 6)
    /// The reply to the end of a message was not said, or the message was thrown away behind it.
    package static let replyLost = Disturbances(rawValue: 1 << 7)
    /// Octets were read slowly, or not at all.
    package static let slowRead = Disturbances(rawValue: 1 << 8)
    /// A limit of the sink's own ended the session: time, errors, shutdown.
    package static let limit = Disturbances(rawValue: 1 << 9)
    /// EHLO was refused, so HELO is right.
    package static let ehloRefused = Disturbances(rawValue: 1 << 10)

    /// TLS with this client was refused, broken or cut off in a session before: many servers come again in clear.
    package static let tlsBefore = Disturbances(rawValue: 1 << 11)

    /// What makes a client with TLS believe that TLS is at fault.
    package static let troublesTLS: Disturbances = [.tls, .cut, .stalled, .garbled, .replyLost, .slowRead, .limit]
    /// Whatever can make a client leave before its time.
    package static let leaving: Disturbances = [
        .cut, .stalled, .garbled, .tls, .replyLost, .slowRead, .limit, .delayed,
    ]
    /// Whatever can bring client and server out of step.
    package static let outOfStep: Disturbances = [.garbled, .stalled, .cut]
}

extension Disturbances {
    /// In words, for the reason why something was not judged.
    package var words: String {
        let names: [(Disturbances, String)] = [
            (.refused, "a rule of the sink refused what was asked"), (.delayed, "a reply was late"),
            (.stalled, "the sink said nothing"),
            (.cut, "the sink ended the connection"), (.garbled, "a reply was garbled"),
            (.listChanged, "the list behind EHLO was changed"), (.tls, "TLS was refused or broken"),
            (.replyLost, "the last reply was lost"), (.slowRead, "the sink read slowly"),
            (.limit, "a limit of the sink ended the session"), (.ehloRefused, "EHLO was refused"),
            (.tlsBefore, "TLS failed in a session before"),
        ]
        return names.filter { !isDisjoint(with: $0.0) }.map(\.1).joined(separator: ", ")
    }
}
