// Judges what one peer does over all its sessions: the names it gives, the recipients it asks for, its envelope
// senders.

enum PeerChecks {
    static func check(_ peers: BoundedTable<String, PeerNote>, _ ledger: inout OverTimeLedger) {
        for (peer, note) in peers.all {
            checkNames(peer, note, &ledger)
            checkUnknown(peer, note, &ledger)
            checkReturnPaths(peer, note, &ledger)
        }
    }

    /// Why a rule about one address says less of this machine's own.
    static let manySenders = "the peer is this machine, where several senders have one address"

    private static func softened(_ note: PeerNote) -> (Severity, reason: String)? {
        note.isLoopback ? (.info, manySenders) : nil
    }

    private static func checkNames(_ peer: String, _ note: PeerNote, _ ledger: inout OverTimeLedger) {
        guard !note.helloNames.isEmpty else { return }
        let limit = ledger.settings.judging.thresholds.helloNames
        guard note.helloNames.count > limit else {
            ledger.kept(.heloChangesOverTime, peer, isLoopback: note.isLoopback)
            return
        }
        for place in note.helloNames[limit...] {
            ledger.broken(
                .heloChangesOverTime, peer, isLoopback: note.isLoopback, place.evidence,
                in: places(place.evidence, note), as: softened(note),
                saw: "\(note.helloNames.count) names: "
                    + note.helloNames.prefix(5).map(\.name).joined(separator: ", "))
        }
    }

    private static func checkUnknown(_ peer: String, _ note: PeerNote, _ ledger: inout OverTimeLedger) {
        let thresholds = ledger.settings.judging.thresholds
        guard note.recipientCount >= thresholds.unknownLeast else { return }
        guard Double(note.unknownCount) > thresholds.unknownShare * Double(note.recipientCount) else {
            ledger.kept(.unknownUserRatio, peer, isLoopback: note.isLoopback)
            return
        }
        for evidence in note.unknown {
            ledger.broken(
                .unknownUserRatio, peer, isLoopback: note.isLoopback, evidence, in: places(evidence, note),
                saw: "\(note.unknownCount) of \(note.recipientCount) recipients are unknown (5.1.1)")
        }
    }

    private static func checkReturnPaths(_ peer: String, _ note: PeerNote, _ ledger: inout OverTimeLedger) {
        let limit = ledger.settings.returnPathDomains
        for author in note.returnPaths.keys.sorted() {
            let domains = note.returnPaths[author] ?? []
            guard domains.count > limit else {
                ledger.kept(.returnPathInconsistent, peer, isLoopback: note.isLoopback)
                continue
            }
            for place in domains[limit...] {
                ledger.broken(
                    .returnPathInconsistent, peer, isLoopback: note.isLoopback, place.evidence,
                    in: places(place.evidence, note),
                    saw: "\(domains.count) envelope domains for From at \(author): "
                        + domains.prefix(5).map(\.domain).joined(separator: ", "))
            }
        }
    }

    private static func places(_ evidence: Evidence, _ note: PeerNote) -> [(session: String, started_us: Int64)] {
        guard let session = evidence.session, session != note.lastSession else { return [(note.lastSession, 0)] }
        return [(session, -1), (note.lastSession, 0)]
    }
}
