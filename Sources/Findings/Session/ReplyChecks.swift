// What a client makes of replies that are out of the ordinary: codes that no list has, 421, 552 to a declared size, and
// replies that are late.

enum ReplyChecks {
    /// Codes of RFC 5321 §4.2.3 and of the extensions.
    private static let knownCodes: Set<Int> = [
        211, 214, 220, 221, 235, 250, 251, 252, 334, 354, 421, 422, 432, 442, 446, 447, 449, 450, 451, 452, 454, 455,
        458, 471, 500, 501, 502, 503, 504, 510, 511, 512, 515, 517, 521, 522, 523, 525, 530, 533, 534, 535, 538,
        541, 542, 543, 546, 547, 550, 551, 552, 553, 554, 555, 556, 557,
    ]

    // MARK: Replies

    static func reply(
        _ index: Int, _ step: TraceStep, _ reply: TraceReply, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger
    ) {
        walk.oddReply = isOdd(reply) ? index : nil
        guard let asked = reply.command, let command = walk.command(at: asked) else { return }
        if command.verb == "MAIL", reply.code == 552, EnvelopeWalk.says(command.octets, " size=") {
            walk.sizeRefusal = (asked, index)
        }
        guard walk.faultSinceCommand.contains(.delayed) else { return }
        if command.verb == "QUIT", !walk.hasLeft { ledger.kept(.quitNotAwaited) }
        if let least = patience_us(command.verb), !walk.hasLeft,
            scaled(step.at_us - walk.trace.steps[asked].at_us, ledger) >= least
        {
            ledger.kept(.commandTimeoutShort)
        }
    }

    private static func isOdd(_ reply: TraceReply) -> Bool {
        guard reply.phase == .mail || reply.phase == .rcpt || reply.phase == .endOfData, reply.code >= 200 else {
            return false
        }
        // A code that no list has, or nothing behind it (RFC 5321 §4.2).
        return !knownCodes.contains(reply.code) || reply.wire.count <= 6
    }

    // MARK: Commands behind them

    static func goesOn(_ view: CommandView, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger) {
        if let farewell = walk.farewell { behindFarewell(farewell, view, walk, &ledger) }
        if let refusal = walk.sizeRefusal { behindSizeRefusal(refusal, view, &walk, &ledger) }
        if let odd = walk.oddReply { behindOddReply(odd, view, &walk, &ledger) }
    }

    private static func behindFarewell(
        _ farewell: Int, _ view: CommandView, _ walk: EnvelopeWalk, _ ledger: inout Ledger
    ) {
        if view.command.verb == "QUIT" {
            ledger.kept(.reply421Ignored)
        } else if walk.knew(farewell, view) {
            ledger.broken(
                .reply421Ignored, view.evidence(), under: view.under, saw: "\(view.excerpt()) after 421")
        }
    }

    private static func behindSizeRefusal(
        _ refusal: (mail: Int, reply: Int), _ view: CommandView, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger
    ) {
        switch view.command.verb {
        case "RCPT", "DATA", "BDAT":
            guard walk.sent.mail == refusal.mail, walk.knew(refusal.reply, view) else { return }
        case "MAIL":
            let isSame = walk.command(at: refusal.mail)?.octets == view.octets
            guard isSame, walk.knew(refusal.reply, view) else {
                walk.sizeRefusal = nil
                return ledger.kept(.sizeRefusalIgnored)
            }
        case "QUIT": return ledger.kept(.sizeRefusalIgnored)
        default: return
        }
        ledger.broken(
            .sizeRefusalIgnored, view.evidence(), under: view.under, saw: "\(view.excerpt()) after 552 to MAIL")
    }

    private static func behindOddReply(
        _ index: Int, _ view: CommandView, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger
    ) {
        walk.oddReply = nil
        guard case .reply(let reply) = walk.trace.steps[index].kind, walk.knew(index, view) else { return }
        let givesUp = ["RSET", "QUIT", "MAIL", "EHLO", "HELO"].contains(view.command.verb)
        let goesOn = ["RCPT", "DATA", "BDAT"].contains(view.command.verb)
        let isWrong =
            switch reply.phase {
            case .mail: reply.isPositive ? givesUp : goesOn
            case .rcpt: reply.isPositive && givesUp
            default: false
            }
        guard isWrong else { return ledger.kept(.replyUnknownCode) }
        ledger.broken(
            .replyUnknownCode, view.evidence(), under: view.under,
            saw: "\(view.excerpt()) after \(Excerpt.octets(reply.wire))")
    }

    // MARK: Patience

    /// RFC 5321 §4.5.3.2.2, §4.5.3.2.3, §4.5.3.2.4: how long a client waits at least, in microseconds of its own time.
    static func patience_us(_ verb: String) -> UInt64? {
        switch verb {
        case "EHLO", "HELO", "MAIL", "RCPT": 300_000_000
        case "DATA": 120_000_000
        default: nil
        }
    }

    static func scaled(_ microseconds: UInt64, _ ledger: Ledger) -> UInt64 {
        let scaled = Double(microseconds) * ledger.settings.thresholds.timeScale
        return scaled < 1e18 ? UInt64(max(0, scaled)) : 1_000_000_000_000_000_000
    }
}
