// What one recipient of one message lived through: the visits in their order. The one view that checks and timelines
// share.

/// One attempt, seen from one recipient.
struct Visit {
    var attempt: Attempt
    var outcome: Outcome
    var code: Int
}

struct History {
    var address: String
    var visits: [Visit] = []

    /// Of a trail: one for each recipient, in the order in which they were first named.
    static func all(_ trail: Trail) -> [History] {
        var histories: [History] = []
        var places: [String: Int] = [:]
        func add(_ address: String, _ visit: Visit) {
            if let place = places[address] {
                histories[place].visits.append(visit)
            } else {
                places[address] = histories.count
                histories.append(History(address: address, visits: [visit]))
            }
        }
        let hasUnnamed = trail.attempts.contains { $0.recipients.first?.address == "" }
        for attempt in trail.attempts {
            for (index, recipient) in attempt.recipients.enumerated() {
                // Of one named twice in a transaction the last answer counts.
                if attempt.recipients.count > 1,
                    attempt.recipients[(index + 1)...].contains(where: { $0.address == recipient.address })
                {
                    continue
                }
                add(recipient.address, Visit(attempt: attempt, outcome: recipient.outcome, code: recipient.code))
            }
            guard let first = attempt.recipients.first else {
                if attempt.tie == .peer {
                    add("", Visit(attempt: attempt, outcome: bareOutcome(attempt), code: attempt.code))
                }
                continue
            }
            // Where MAIL was refused before anybody was named, every attempt of the trail answers for nobody in
            // particular.
            if hasUnnamed, !first.address.isEmpty {
                add("", Visit(attempt: attempt, outcome: first.outcome, code: first.code))
            }
        }
        return histories
    }

    private static func bareOutcome(_ attempt: Attempt) -> Outcome {
        switch attempt.verdict {
        case .rejected: .failed
        case .deferred: .deferred
        case nil: .delivered
        default: .interrupted
        }
    }

    /// Rounds of attempts: in one round a sender goes from server to server.
    func rounds(_ settings: OverTimeSettings) -> [Visit] {
        var firsts: [Visit] = []
        var servers: Set<String> = []
        var end_us = visits.first?.attempt.start_us ?? 0
        for visit in visits {
            let pause_us = settings.scaled(visit.attempt.start_us.since(end_us))
            let isPause = pause_us >= settings.judging.thresholds.retryImmediate_us
            if firsts.isEmpty || servers.contains(visit.attempt.server) || isPause {
                firsts.append(visit)
                servers = []
            }
            servers.insert(visit.attempt.server)
            end_us = visit.attempt.end_us
        }
        return firsts
    }
}
