// Judges what only many messages show: one Message-ID for several, one text from many addresses, one return path for
// all copies, addresses that are long gone.

enum StreamChecks {
    static func check(_ notes: StreamNotes, _ ledger: inout OverTimeLedger) {
        let canCompare = notes.identifiers.count > 1
        for (key, known) in notes.identifiers.all { checkIdentifier(key.id, known, canCompare, &ledger) }
        for (_, body) in notes.bodies.all { checkBody(body, &ledger) }
        for (address, dead) in notes.deadAddresses.all { checkDead(address, dead, &ledger) }
        for (name, stream) in notes.streams.all { checkStream(name, stream, &ledger) }
    }

    private static func checkIdentifier(
        _ id: String, _ known: StreamNotes.Identifier, _ canCompare: Bool, _ ledger: inout OverTimeLedger
    ) {
        guard !known.others.isEmpty else {
            if canCompare || known.count > 1 { ledger.kept(.hdrMessageIdReused, known.peer) }
            return
        }
        for other in known.others {
            ledger.broken(
                .hdrMessageIdReused, other.peer, other.evidence, in: places([known.first, other.evidence]),
                under: other.disturbances,
                as: other.isBodyAlone
                    ? (.info, "From, Subject and Date are the same: it may be one message, made personal or converted")
                    : nil,
                saw: "\(id) on \(known.others.count + 1) different messages")
        }
    }

    private static func checkBody(_ body: StreamNotes.Body, _ ledger: inout OverTimeLedger) {
        let limit = ledger.settings.addressesPerText
        guard body.places.count > limit, let last = body.places.last else {
            if body.copies > 1, let first = body.places.first { ledger.kept(.sameContentManyIps, first.peer) }
            return
        }
        for place in body.places[limit...] {
            ledger.broken(
                .sameContentManyIps, last.peer, place.evidence, in: places(body.places.map(\.evidence)),
                saw: "one text from \(body.places.count) addresses: "
                    + body.places.prefix(5).map(\.peer).joined(separator: ", ") + " …")
        }
    }

    private static func checkDead(_ address: String, _ dead: StreamNotes.DeadAddress, _ ledger: inout OverTimeLedger) {
        let settings = ledger.settings
        let span_us = settings.scaled(dead.last_us.since(dead.first_us))
        guard dead.count >= settings.deadAddressTries, span_us >= settings.deadAddress_us,
            let evidence = dead.evidence.last
        else { return }
        ledger.broken(
            .deadAddressKept, dead.peer, evidence, in: places(dead.evidence),
            saw: "\(address) was refused with 5.1.1 \(dead.count) times in \(Span.words(span_us))")
    }

    private static func checkStream(_ name: String, _ stream: StreamNotes.Stream, _ ledger: inout OverTimeLedger) {
        guard stream.isBulk || ledger.settings.judging.profile == .bulk,
            stream.recipients.count > ledger.settings.judging.thresholds.recipientCopies
        else { return }
        guard stream.isOneSender else {
            ledger.kept(.verpMissing, stream.peer)
            return
        }
        guard let evidence = stream.evidence.last else { return }
        ledger.broken(
            .verpMissing, stream.peer, evidence, in: places(stream.evidence),
            saw: "\(name): MAIL FROM:<\(stream.reversePath)> for \(stream.recipients.count) recipients"
                + (stream.recipients.count == StreamNotes.listLimit ? " and more" : ""))
    }

    /// The sessions of evidence, in its order.
    private static func places(_ evidence: [Evidence]) -> [(session: String, started_us: Int64)] {
        evidence.enumerated().compactMap { index, evidence in
            evidence.session.map { (session: $0, started_us: Int64(index)) }
        }
    }
}
