// Reads a record back from its JSON. Only what makes it a session, and what makes its faults happen again, must be
// there: so records that somebody shortened are read as well.

extension SessionRecord {
    private enum Keys: String, CodingKey {
        case id, listener, client, started, duration_us, helo, tls, tls_failure, ended_by, verdict, rejected_at, reply
        case rule, transactions, faults, lines, notices, events_dropped
    }

    /// - Throws: `DecodingError` without an `id` or `faults`, and for values of a wrong kind.
    public init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: Keys.self)
        id = try fields.decode(String.self, forKey: .id)
        faults = try fields.decode([FaultRecord].self, forKey: .faults)
        listener = try fields.decodeIfPresent(String.self, forKey: .listener) ?? ""
        client = try fields.decodeIfPresent(String.self, forKey: .client) ?? ""
        started = try fields.decodeIfPresent(String.self, forKey: .started) ?? ""
        duration_us = try fields.decodeIfPresent(UInt64.self, forKey: .duration_us) ?? 0
        helo = try fields.decodeIfPresent(String.self, forKey: .helo)
        tls = try fields.decodeIfPresent(TLSSummary.self, forKey: .tls)
        tls_failure = try fields.decodeIfPresent(String.self, forKey: .tls_failure)
        ended_by = try fields.decodeIfPresent(Ending.self, forKey: .ended_by)
        verdict = try fields.decodeIfPresent(Verdict.self, forKey: .verdict)
        rejected_at = try fields.decodeIfPresent(String.self, forKey: .rejected_at)
        reply = try fields.decodeIfPresent(String.self, forKey: .reply)
        rule = try fields.decodeIfPresent(String.self, forKey: .rule)
        transactions = try fields.decodeIfPresent([TransactionRecord].self, forKey: .transactions) ?? []
        lines = try fields.decodeIfPresent([LineRecord].self, forKey: .lines) ?? []
        notices = try fields.decodeIfPresent([String].self, forKey: .notices) ?? []
        events_dropped = try fields.decodeIfPresent(Int.self, forKey: .events_dropped) ?? 0
    }
}
