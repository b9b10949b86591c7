// Recipients and senders of whole transactions: how many, the same twice, the null reverse-path, and senders that
// cannot be answered.

enum RecipientChecks {
    /// The domain in small letters; the local part as it is (RFC 5321 §2.4).
    static func normalised(_ mailbox: [UInt8]) -> [UInt8] {
        guard let at = mailbox.lastIndex(of: UInt8(ascii: "@")) else { return mailbox }
        var result = mailbox
        for index in at..<mailbox.count where (65...90).contains(mailbox[index]) { result[index] |= 0x20 }
        return result
    }

    // MARK: While they are named

    /// RFC 9422 §4.2, RFC 5321 §4.5.3.1.10.
    static func overLimit(_ view: CommandView, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        if let limit = view.offer.recipientLimit {
            guard walk.sent.recipientCount >= limit else { return ledger.kept(.rcptOverLimit) }
            return ledger.broken(
                .rcptOverLimit, view.evidence(), under: view.under,
                saw: "recipient \(walk.sent.recipientCount + 1) where RCPTMAX=\(limit) was announced")
        }
        if let refusal = walk.sent.tooMany, walk.knew(refusal, view) {
            ledger.broken(
                .rcptOverLimit, view.evidence(), under: view.under,
                saw: "\(view.excerpt()) after a 452 that said there are too many recipients")
        }
    }

    // MARK: When the session is over

    static func check(_ trace: SessionTrace, _ circumstances: Circumstances, _ ledger: inout Ledger) {
        for index in trace.transactions.indices {
            let transaction = trace.transactions[index]
            duplicates(transaction, index, trace, &ledger)
            nullSender(transaction, index, trace, &ledger)
            if let names = circumstances.names { senderDomain(transaction, index, names, trace, &ledger) }
        }
    }

    private static func evidence(_ transaction: TraceTransaction, _ index: Int, _ trace: SessionTrace) -> Evidence {
        let mail = transaction.mail.map { trace.steps[$0] }
        return Evidence(
            line: mail?.line, message: transaction.message, transaction: index + 1, at_us: mail?.at_us)
    }

    private static func duplicates(
        _ transaction: TraceTransaction, _ index: Int, _ trace: SessionTrace, _ ledger: inout Ledger
    ) {
        guard !transaction.recipients.isEmpty else { return }
        guard transaction.recipients.count > 1 else { return ledger.kept(.rcptDuplicate) }
        var accepted: Set<[UInt8]> = []
        for recipient in transaction.recipients {
            let address = normalised(recipient.address)
            if accepted.contains(address) {
                ledger.broken(
                    .rcptDuplicate, evidence(transaction, index, trace), under: transaction.disturbances,
                    saw: Excerpt.octets(recipient.address))
            } else if (200..<300).contains(recipient.code) {
                accepted.insert(address)
            }
        }
        ledger.kept(.rcptDuplicate)
    }

    private static func nullSender(
        _ transaction: TraceTransaction, _ index: Int, _ trace: SessionTrace, _ ledger: inout Ledger
    ) {
        guard transaction.reversePath.isEmpty else { return }
        let accepted = transaction.recipients.reduce(0) { $0 + ((200..<300).contains($1.code) ? 1 : 0) }
        if accepted > 1 {
            ledger.broken(
                .nullSenderManyRcpt, evidence(transaction, index, trace), under: transaction.disturbances,
                saw: "MAIL FROM:<> with \(accepted) recipients")
        } else if accepted == 1 {
            ledger.kept(.nullSenderManyRcpt)
        }
    }

    private static func senderDomain(
        _ transaction: TraceTransaction, _ index: Int, _ names: NameFacts, _ trace: SessionTrace,
        _ ledger: inout Ledger
    ) {
        guard let at = transaction.reversePath.lastIndex(of: UInt8(ascii: "@")) else { return }
        let domain = String(decoding: transaction.reversePath[(at + 1)...], as: UTF8.self).lowercased()
        let saw: String
        switch names.exchangers[domain] ?? .unknown {
        case .unknown: return
        case .none: saw = "\(domain) has no MX record and no address"
        case .found(let exchangers):
            guard exchangers == ["."] else { return ledger.kept(.senderDomainDead) }
            saw = "\(domain) has a null MX (RFC 7505)"
        }
        let isSoftened = ledger.isLocalPeer && ledger.settings.profile != .strict
        ledger.broken(
            .senderDomainDead, evidence(transaction, index, trace), under: transaction.disturbances,
            as: isSoftened ? (.info, "the peer is this machine, where made-up domains are usual") : nil, saw: saw)
    }
}
