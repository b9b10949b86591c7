// The layer connection as far as one session shows it: what was spoken first, how much went over the connection, and
// how long it was held. What the name system says of the peer is beside, and so is the greeting.

import Journal

enum ConnectionChecks {
    static func check(_ trace: SessionTrace, _ circumstances: Circumstances, _ ledger: inout Ledger) {
        PeerNameChecks.check(trace, circumstances, &ledger)
        GreetingChecks.check(trace, circumstances, &ledger)
        checkFirstWords(trace, &ledger)
        checkMessageCount(trace, &ledger)
        checkTransactionLimit(trace, &ledger)
        checkIdleEnd(trace, &ledger)
    }

    // MARK: What was spoken

    private static let foreignVerbs: Set<String> = [
        "GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "DELETE", "PATCH", "TRACE",
    ]
    private static let mailVerbs: Set<String> = [
        "EHLO", "HELO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "QUIT", "VRFY", "EXPN", "HELP", "STARTTLS",
        "AUTH",
    ]

    private static func checkFirstWords(_ trace: SessionTrace, _ ledger: inout Ledger) {
        var first: (step: TraceStep, command: TraceCommand)?
        for step in trace.steps {
            switch step.kind {
            case .command(let command):
                if !step.isTLS, isTLSRecord(command.octets) {
                    ledger.broken(
                        .connTlsToClearPort,
                        Evidence(line: step.line, range: 0..<command.octets.count, at_us: step.at_us),
                        under: step.disturbances, saw: Excerpt.octets(command.octets))
                } else if first == nil {
                    checkFirstCommand(command, step, &ledger)
                }
                if first == nil { first = (step, command) }
            case .notice(NoticeText.clientHelloInClear):
                ledger.broken(
                    .connTlsToClearPort, Evidence(at_us: step.at_us), under: step.disturbances,
                    saw: "a TLS record (0x16 0x03) as the first octets")
            case .notice(NoticeText.httpRequest):
                if let first, !foreignVerbs.contains(first.command.verb) {
                    noteForeign(first.command, first.step, &ledger)
                }
            default: break
            }
        }
    }

    private static func checkFirstCommand(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        if mailVerbs.contains(command.verb) {
            ledger.kept(.connNotSmtp)
            // TLS from the first octet is right where the listener has it.
            if !step.isTLS { ledger.kept(.connTlsToClearPort) }
        } else if foreignVerbs.contains(command.verb) || isSOCKS(command.octets) {
            noteForeign(command, step, &ledger)
        }
    }

    private static func noteForeign(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        ledger.broken(
            .connNotSmtp, Evidence(line: step.line, range: 0..<command.octets.count, at_us: step.at_us),
            under: step.disturbances, saw: Excerpt.octets(command.octets))
    }

    /// The header of a handshake record (RFC 8446 §5.1).
    private static func isTLSRecord(_ octets: [UInt8]) -> Bool {
        octets.count >= 2 && octets[0] == 0x16 && octets[1] == 0x03
    }

    /// A request of SOCKS 4 or 5 (RFC 1928 §3).
    private static func isSOCKS(_ octets: [UInt8]) -> Bool { octets.first == 4 || octets.first == 5 }

    // MARK: How much

    private static func checkMessageCount(_ trace: SessionTrace, _ ledger: inout Ledger) {
        let limit = ledger.settings.thresholds.messagesPerConnection
        var accepted = 0
        for (index, transaction) in trace.transactions.enumerated() where transaction.verdict == .accepted {
            guard let mail = transaction.mail, mail < trace.steps.count else { continue }
            // Where the server says how many it takes, conn-over-mailmax judges.
            guard mailMax(trace.offer(at: trace.steps[mail])) == nil else { return }
            accepted += 1
            guard accepted > limit else { continue }
            let place = Evidence(
                line: trace.steps[mail].line, message: transaction.message, transaction: index + 1,
                at_us: trace.steps[mail].at_us)
            ledger.broken(
                .connMsgsPerConnection, place, under: trace.steps[mail].disturbances,
                saw: "message \(accepted) of the session; \(limit) are allowed")
        }
        if accepted > 0, trace.ending != nil, !trace.isCut { ledger.kept(.connMsgsPerConnection) }
    }

    /// RFC 9422 §4.1: refused MAIL commands count.
    private static func checkTransactionLimit(_ trace: SessionTrace, _ ledger: inout Ledger) {
        // One that announces no limit has no word of it in any list.
        guard trace.offers.contains(where: { $0.has("LIMITS") }) else { return }
        let limits = trace.offers.map { mailMax($0) }
        var mails = 0
        for step in trace.steps {
            guard case .command(let command) = step.kind, command.isCommand, command.verb == "MAIL" else { continue }
            mails += 1
            guard let limit = limits[step.offer] else { continue }
            guard mails > limit else {
                ledger.kept(.connOverMailmax)
                continue
            }
            ledger.broken(
                .connOverMailmax,
                Evidence(line: step.line, transaction: command.transaction.map { $0 + 1 }, at_us: step.at_us),
                under: step.disturbances, saw: "MAIL number \(mails) of the session, after MAILMAX=\(limit)")
        }
    }

    /// MAILMAX of the extension LIMITS (RFC 9422 §4.1): one to six digits, not 0.
    private static func mailMax(_ offer: TraceOffer) -> Int? {
        guard let words = offer.keywords["LIMITS"],
            let name = words.firstIndex(where: { OctetWords.equal($0.utf8, "MAILMAX") }), name + 1 < words.count,
            let limit = Int(words[name + 1]), (1...999_999).contains(limit)
        else { return nil }
        return limit
    }

    // MARK: How long

    /// The longest silence behind the last transaction. Real time, whatever the time scale: a sink in a hurry makes no
    /// sender quicker.
    private static func checkIdleEnd(_ trace: SessionTrace, _ ledger: inout Ledger) {
        // One that ended without a reply was not over when the silence began.
        guard !trace.isCut, let last = trace.transactions.last, !last.reply.isEmpty, let end = last.end, end > 0,
            end <= trace.steps.count
        else { return }
        let limit = ledger.settings.thresholds.heldIdle_us
        var since = trace.steps[end - 1]
        for step in trace.steps[end...] {
            switch step.kind {
            case .fault, .notice, .tlsStarted, .tlsFailed, .early, .ignored, .discarded: since = step
            case .reply(let reply) where reply.command != nil: since = step
            // A reply that nobody asked for ends the silence as well: 421 (RFC 5321 §4.5.3.2.7).
            case .command, .content, .clientFinished, .ended, .reply:
                if step.at_us > since.at_us, step.at_us - since.at_us > limit {
                    return ledger.broken(
                        .connHeldIdle, Evidence(line: since.line > 0 ? since.line : nil, at_us: since.at_us),
                        under: step.disturbances,
                        saw: "\((step.at_us - since.at_us) / 1_000_000) s of silence behind the last transaction")
                }
                since = step
            }
        }
        if trace.ending != nil { ledger.kept(.connHeldIdle) }
    }
}
