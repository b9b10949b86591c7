// How often an envelope, and a message, has come: what the conditions `attempt` and `message-attempt` ask for.

struct Attempts: Sendable {
    /// By sender and recipient.
    private(set) var ofEnvelope: BoundedTable<String, Int>
    /// By Message-ID, or by the envelope where there is none.
    private(set) var ofMessage: BoundedTable<String, Int>

    init(limit: Int) {
        ofEnvelope = BoundedTable(limit: limit)
        ofMessage = BoundedTable(limit: limit)
    }

    /// At rcpt.
    mutating func count(_ facts: Facts) {
        guard let to = facts.to.first else { return }
        ofEnvelope.update(Self.key(facts.from, to), initial: 0) { $0 += 1 }
    }

    /// At end-of-data.
    mutating func countMessage(_ facts: Facts) { ofMessage.update(Self.messageKey(facts), initial: 0) { $0 += 1 } }

    static func key(_ from: String?, _ to: String) -> String { Engine.bounded("\(from ?? "")\n\(to)".asciiLowercased) }

    static func messageKey(_ facts: Facts) -> String {
        if let id = facts.message?.messageID, !id.isEmpty { return Engine.bounded("id \(id)") }
        let envelope = [facts.from ?? ""] + facts.to.sorted()
        return Engine.bounded("envelope " + envelope.joined(separator: "\n").asciiLowercased)
    }
}
