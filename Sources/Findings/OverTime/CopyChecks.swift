// Judges copies of one message to several recipients of one server: where nothing tells them apart, one transaction
// with several recipients would do (RFC 5321 §4.5.4.1).

enum CopyChecks {
    static func check(_ trail: Trail, _ settings: OverTimeSettings, _ ledger: inout OverTimeLedger) {
        if let several = trail.attempts.first(where: { $0.hasContent && $0.recipients.count > 1 }) {
            ledger.kept(.rcptSplitCopies, PeerName.peer(several.client), isLoopback: several.isLoopback)
        }
        guard trail.attempts.count > 1, trail.messageID != nil else { return }
        var first: [Destination: Attempt] = [:]
        for attempt in trail.attempts where attempt.hasContent && attempt.recipients.count == 1 {
            let address = attempt.recipients[0].address
            let place = Destination(
                server: attempt.server, from: attempt.reversePath, domain: SenderAddress.domain(address) ?? "")
            guard let copy = first[place] else {
                first[place] = attempt
                continue
            }
            guard copy.recipient(address) == nil,
                settings.scaled(attempt.start_us.since(copy.start_us)) <= settings.copiesWindow_us
            else { continue }
            ledger.broken(
                .rcptSplitCopies, PeerName.peer(attempt.client), isLoopback: attempt.isLoopback, attempt.evidence,
                in: [(copy.session, copy.sessionStarted_us), (attempt.session, attempt.sessionStarted_us)],
                under: copy.disturbances.intersection(.refused),
                saw: "\(trail.messageID ?? "") for \(copy.recipients[0].address), then by itself for \(address)")
        }
    }

    private struct Destination: Hashable {
        var server: String
        var from: String
        var domain: String
    }
}
