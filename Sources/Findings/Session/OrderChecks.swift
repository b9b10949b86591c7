// The order of commands (RFC 5321 §4.1.4), and whether the client heeds what it is told. A command that was on its way
// before a refusal could be read is never held against a client.

enum OrderChecks {
    static func check(_ view: CommandView, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        switch view.command.verb {
        case "MAIL": mail(view, walk, &ledger)
        case "RCPT": recipient(view, walk, &ledger)
        case "DATA", "BDAT": message(view, walk, &ledger)
        default: break
        }
        switch view.command.verb {
        case "MAIL", "RSET", "QUIT", "EHLO", "HELO":
            // What a refusal asks for.
            if walk.sent.mailRefusal != nil || walk.sent.dataRefusal != nil { ledger.kept(.replyIgnored) }
            if isAllRefused(walk) { ledger.kept(.dataAfterAllRcptRefused) }
            if walk.sent.chunkRefusal != nil, view.command.verb == "RSET" { ledger.kept(.bdatAfterError) }
        default: break
        }
    }

    private static func isAllRefused(_ walk: EnvelopeWalk) -> Bool {
        walk.sent.isMailAccepted && walk.sent.recipientCount > 0 && walk.sent.acceptedCount == 0
    }

    private static func mail(_ view: CommandView, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        // A transaction whose DATA was refused has failed (RFC 5321 §4.1.1.4), so it may be taken for ended.
        if walk.sent.isMailAccepted, walk.sent.dataRefusal == nil {
            ledger.broken(.mailNested, view.evidence(), under: view.under, saw: view.excerpt())
        } else {
            ledger.kept(.mailNested)
        }
        if let refusal = walk.sent.chunkRefusal, walk.knew(refusal, view) {
            ledger.broken(
                .bdatAfterError, view.evidence(), under: view.under,
                saw: "\(view.excerpt()) without RSET behind a refused chunk")
        }
    }

    private static func recipient(_ view: CommandView, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        guard walk.sent.mail != nil else {
            return ledger.broken(
                .mailRcptOutOfOrder, view.evidence(), under: view.under, saw: "\(view.excerpt()) without MAIL")
        }
        ledger.kept(.mailRcptOutOfOrder)
        if let refusal = walk.sent.mailRefusal, walk.knew(refusal, view) {
            ledger.broken(
                .replyIgnored, view.evidence(), under: view.under,
                saw: "\(view.excerpt()) although MAIL was refused")
        }
    }

    private static func message(_ view: CommandView, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        let sent = walk.sent
        if ChunkChecks.isMixed(view, walk, &ledger) { return }
        if let refusal = sent.chunkRefusal {
            // Chunks that were on their way already are read and thrown away (RFC 3030 §2).
            if walk.knew(refusal, view) {
                ledger.broken(.bdatAfterError, view.evidence(), under: view.under, saw: view.excerpt())
            }
            return
        }
        guard sent.recipientCount > 0 else {
            return ledger.broken(
                .mailRcptOutOfOrder, view.evidence(), under: view.under, saw: "\(view.excerpt()) without RCPT")
        }
        ledger.kept(.mailRcptOutOfOrder)
        guard isAllRefused(walk) else { return ledger.kept(.dataAfterAllRcptRefused) }
        if let refusal = sent.recipientReply, walk.knew(refusal, view) {
            ledger.broken(
                .dataAfterAllRcptRefused, view.evidence(), under: view.under,
                saw: "\(view.excerpt()) after \(sent.recipientCount) refused recipients")
        }
    }

    /// The message came although DATA was refused (RFC 5321 §3.3).
    static func contentAfterRefusal(_ view: CommandView, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        // DATA ends its group, so the client had to wait.
        guard walk.sent.dataRefusal != nil, !view.command.isPipelined else { return }
        ledger.broken(
            .replyIgnored, view.evidence(), under: view.under,
            saw: "\(view.excerpt()) although DATA was refused")
    }
}
