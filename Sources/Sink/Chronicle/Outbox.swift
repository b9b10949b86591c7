// What happened on one loop and was not handed to the chronicle yet. Turns are put one behind the other in one buffer,
// so that telling costs a copy and not a dispatch.

import EventLoop
import Journal

/// The events of several turns, of several sessions.
struct TurnBatch: Sendable {
    struct Turn: Sendable {
        let session: UInt64
        /// Where its events end in `octets`; they begin where those of the turn before end.
        let end: Int
        let eventCount: Int
        /// The session ends with it.
        let isLast: Bool
    }

    var turns: [Turn] = []
    var octets: [UInt8] = []
}

/// One for each loop; not Sendable.
struct Outbox {
    /// What waits is handed over when it is this old, or this large; and whenever the loop has nothing else to do.
    private static let longestWait_ns: UInt64 = 500_000
    private static let most = 48 << 10

    private(set) var batch = TurnBatch()
    private var began: Instant?

    mutating func append(_ events: EventLog, of session: UInt64, isLast: Bool, now: Instant) {
        if batch.turns.isEmpty { began = now }
        batch.octets.append(contentsOf: events.octets)
        batch.turns.append(
            TurnBatch.Turn(session: session, end: batch.octets.count, eventCount: events.eventCount, isLast: isLast))
    }

    func isDue(_ now: Instant) -> Bool {
        guard let began else { return false }
        return batch.octets.count >= Self.most || now.since_ns(began) >= Self.longestWait_ns
    }

    mutating func take() -> TurnBatch? {
        guard !batch.turns.isEmpty else { return nil }
        defer {
            batch = TurnBatch()
            began = nil
        }
        return batch
    }
}
