// The attempts for one message, in the order in which their sessions ended. Attempts whose message never came are
// followed by their envelope until it does.

struct Trail: Sendable {
    /// Attempts that are kept: the first and the newest.
    static let attemptLimit = 100

    var messageID: String?
    var content: UInt64 = 0
    var subject = ""
    var listID: String?
    var isReport = false
    /// The message came at least once.
    var hasMessage = false
    var attempts: [Attempt] = []
    var attemptsDropped = 0
    /// Something came that may have been this message again, though nothing proves it: its absence is not held against
    /// anybody.
    var isRevisited = false
    /// By what it is found.
    var keys: [TrailKey] = []

    /// What became of this recipient in the end; nil where it was never named.
    func outcome(of address: String) -> Outcome? {
        for attempt in attempts.reversed() {
            if let recipient = attempt.recipient(address) { return recipient.outcome }
        }
        return nil
    }

    /// - Returns: where an older attempt had to make room, how many recipients it had.
    mutating func add(_ attempt: Attempt) -> Int? {
        attempts.append(attempt)
        guard attempts.count > Self.attemptLimit else { return nil }
        attemptsDropped += 1
        return attempts.remove(at: 1).recipients.count
    }
}

/// By what a trail is found.
enum TrailKey: Hashable, Sendable {
    /// The Message-ID, empty without one, and the digest of what it stands for.
    case message(String, version: UInt64)
    /// What does not change where a sender makes a new message of an old one, and from whom.
    case content(UInt64, from: String)
    /// Sender and recipient; the recipient is empty where nobody was named.
    case envelope(from: String, to: String)
    /// A peer that was turned away before it had an envelope.
    case peer(String)
}

/// Envelope senders, compared without what changes from message to message.
enum SenderAddress {
    /// Without digits, so that the tags of VERP, BATV and SRS that count or tell the time make no difference.
    static func steady(_ address: String) -> String {
        guard address.utf8.contains(where: { (48...57).contains($0) }) else { return address }
        return String(address.unicodeScalars.filter { !("0"..."9").contains($0) }.map(Character.init))
    }

    /// Behind the last `@`; nil where there is none.
    static func domain(_ address: String) -> String? {
        guard let at = address.utf8.lastIndex(of: UInt8(ascii: "@")) else { return nil }
        let domain = address[address.utf8.index(after: at)...]
        return domain.isEmpty ? nil : String(domain)
    }
}
