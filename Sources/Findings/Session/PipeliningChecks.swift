// Pipelining (RFC 2920 §3.1): what was sent before the reply in front of it had been written. That something was seen
// early proves that it was early; that nothing was seen proves nothing, unless the reply was held back on purpose.

enum PipeliningChecks {
    /// RFC 2920 §3.1: these can only be the last of a group.
    private static func endsGroup(_ verb: String) -> Bool {
        switch verb {
        case "EHLO", "HELO", "DATA", "VRFY", "EXPN", "TURN", "QUIT", "NOOP", "STARTTLS": true
        default: false
        }
    }

    /// The capabilities are not known before the reply, so no list can allow to send on.
    private static func asksForList(_ verb: String) -> Bool { verb == "EHLO" || verb == "HELO" || verb == "STARTTLS" }

    static func check(_ view: CommandView, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger) {
        guard view.command.isPipelined else { return waited(view, walk, &ledger) }
        switch walk.front {
        case .nothing, .longLine: return  // before the greeting: that is the greeting's matter
        case .content(let index):
            // With PIPELINING the content may be the first of a group (RFC 2920 §3.1).
            if !walk.offers[walk.trace.steps[index].offer].hasPipelining, !walk.hearsContent {
                ledger.broken(
                    .pipeNotOffered, view.evidence(), under: view.under,
                    saw: "\(view.excerpt()) came before the reply to the message")
            }
        case .command(let index):
            guard let front = walk.command(at: index), index != walk.misreadReplyTo, !walk.hearsContent else { return }
            behind(front, walk.offers[walk.trace.steps[index].offer], view, walk, &ledger)
        }
    }

    private static func behind(
        _ front: TraceCommand, _ offer: OfferFacts, _ view: CommandView, _ walk: EnvelopeWalk,
        _ ledger: inout Ledger
    ) {
        func saw() -> String { "\(view.excerpt()) came before the reply to \(Excerpt.octets(front.octets.prefix(60)))" }
        if !front.isCommand || front.verb == "AUTH" {
            guard !front.isCommand || !AuthChecks.isOneRound(front) else {
                if !offer.hasPipelining {
                    ledger.broken(.pipeNotOffered, view.evidence(), under: view.under, saw: saw())
                }
                return
            }
            ledger.broken(.pipeAuthNotLast, view.evidence(), under: view.under, saw: saw())
        } else if front.verb == "DATA", isNoCommand(view) {
            ledger.broken(.pipeContentBefore354, view.evidence(view.whole), under: view.under, saw: saw())
        } else if endsGroup(front.verb), offer.hasPipelining || asksForList(front.verb) {
            ledger.broken(.pipeAcrossSyncPoint, view.evidence(), under: view.under, saw: saw())
        } else if !offer.hasPipelining {
            ledger.broken(.pipeNotOffered, view.evidence(), under: view.under, saw: saw())
        }
    }

    /// What stands behind DATA in one read is content, unless it reads as one of the commands.
    private static func isNoCommand(_ view: CommandView) -> Bool {
        switch view.command.verb {
        case "EHLO", "HELO", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "QUIT", "VRFY", "EXPN", "HELP", "STARTTLS",
            "AUTH":
            let count = view.command.verb.utf8.count
            return count < view.octets.count && view.octets[count] != 32
        default: return true
        }
    }

    static func isBehindData(_ view: CommandView, _ walk: EnvelopeWalk) -> Bool {
        guard view.command.isPipelined, case .command(let index) = walk.front else { return false }
        return walk.command(at: index)?.verb == "DATA"
    }

    /// The client waited, and had to: the reply was late.
    private static func waited(_ view: CommandView, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        guard case .command(let index) = walk.front, index == walk.delayedReplyTo, let front = walk.command(at: index)
        else { return }
        let offer = walk.offers[walk.trace.steps[index].offer]
        if front.verb == "AUTH" || !front.isCommand {
            ledger.kept(.pipeAuthNotLast)
        } else if endsGroup(front.verb), offer.hasPipelining || asksForList(front.verb) {
            ledger.kept(.pipeAcrossSyncPoint)
        } else if !offer.hasPipelining {
            ledger.kept(.pipeNotOffered)
        }
    }

    // MARK: Content

    static func content(_ index: Int, _ step: TraceStep, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        guard let data = walk.dataStep, let command = walk.command(at: data), let reply = walk.reply(to: command),
            (300..<400).contains(reply.code)
        else { return }
        let segment = walk.trace.steps[data].segment
        // The read that brought DATA brought content too, or another one came before the 354 was written.
        if step.segment == segment || walk.earlySegment > segment {
            ledger.broken(
                .pipeContentBefore354,
                Evidence(line: step.line, transaction: command.transaction.map { $0 + 1 }, at_us: step.at_us),
                under: step.disturbances, saw: "octets of the message came before the 354 was said")
        } else if walk.delayedReplyTo == data {
            ledger.kept(.pipeContentBefore354)
        }
    }

    // MARK: Replies

    static func reply(
        _ index: Int, _ step: TraceStep, _ reply: TraceReply, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger
    ) {
        guard let asked = reply.command else { return }
        if walk.faultSinceCommand.contains(.delayed) { walk.delayedReplyTo = asked }
        if let pace = walk.pace { multiline(index, reply, asked, pace, &walk, &ledger) }
    }

    /// A reply of several lines that left octet by octet: whoever spoke behind its first line took that for the whole.
    private static func multiline(
        _ index: Int, _ reply: TraceReply, _ asked: Int, _ pace: TracePace, _ walk: inout EnvelopeWalk,
        _ ledger: inout Ledger
    ) {
        let trace = walk.trace
        guard pace.fault > asked, let command = walk.command(at: asked),
            let lineEnd = reply.wire.firstIndex(of: 10), lineEnd + 1 < reply.wire.count
        else { return }
        let offer = walk.offers[trace.steps[asked].offer]
        let mayGoOn = offer.hasPipelining && ["MAIL", "RCPT", "RSET"].contains(command.verb)
        let firstLine_us = trace.steps[pace.fault].at_us + UInt64(Double(lineEnd) / pace.octetsPerSecond * 1e6)
        for step in trace.steps[asked..<index] {
            guard case .early = step.kind, step.segment > trace.steps[asked].segment else { continue }
            // Before the first line was out it was something else: commands sent without waiting.
            guard step.at_us >= firstLine_us, !mayGoOn else { return }
            walk.misreadReplyTo = asked
            return ledger.broken(
                .replyMultilineMisread, Evidence(line: trace.steps[index].line, at_us: step.at_us),
                under: step.disturbances, saw: "octets came while the reply was still on its way")
        }
        if !mayGoOn { ledger.kept(.replyMultilineMisread) }
    }
}
