// How a session ends: by QUIT and its reply, or by a client that left; and whether that one had waited long enough.

enum QuitChecks {
    /// A client that closes sooner was not waiting for anything, in microseconds.
    private static let leastWait_us: UInt64 = 500_000
    /// Longer than this nobody has to wait for 221, in microseconds of the client's own time.
    private static let farewell_us: UInt64 = 60_000_000

    /// The client sent FIN, or the session ended.
    static func left(_ index: Int, _ step: TraceStep, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger) {
        switch step.kind {
        case .clientFinished: leaves(index, step, &walk, &ledger)
        case .ended(.clientClose), .ended(.clientReset): leaves(index, step, &walk, &ledger)
        case .ended(.timeout): ChunkChecks.ranOut(index, walk, &ledger)
        default: break
        }
    }

    private static func leaves(_ index: Int, _ step: TraceStep, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger) {
        guard !walk.hasLeft, walk.judgesOrder else { return }
        walk.hasLeft = true
        if let quit = walk.quit, let command = walk.command(at: quit), command.reply.map({ $0 > index }) ?? true,
            ReplyChecks.scaled(step.at_us - walk.trace.steps[quit].at_us, ledger) < farewell_us
        {
            ledger.broken(
                .quitNotAwaited, Evidence(line: walk.trace.steps[quit].line, at_us: step.at_us),
                under: step.disturbances, saw: "the client closed before its QUIT was answered")
        }
        if let odd = walk.oddReply, walk.quit == nil, case .reply(let reply) = walk.trace.steps[odd].kind {
            ledger.broken(
                .replyUnknownCode, Evidence(line: walk.trace.steps[odd].line, at_us: step.at_us),
                under: step.disturbances, saw: "the client left after \(Excerpt.octets(reply.wire))")
        }
        patience(index, step, walk, &ledger)
    }

    /// The client left while a reply was owed (RFC 5321 §4.5.3.2).
    private static func patience(
        _ index: Int, _ step: TraceStep, _ walk: EnvelopeWalk, _ ledger: inout Ledger
    ) {
        guard case .command(let front) = walk.front, let command = walk.command(at: front), command.isCommand,
            command.reply.map({ $0 > index }) ?? true, let least = ReplyChecks.patience_us(command.verb),
            step.at_us >= walk.trace.steps[front].at_us + leastWait_us
        else { return }
        let waited = ReplyChecks.scaled(step.at_us - walk.trace.steps[front].at_us, ledger)
        guard waited < least else { return ledger.kept(.commandTimeoutShort) }
        ledger.broken(
            .commandTimeoutShort, Evidence(line: walk.trace.steps[front].line, at_us: step.at_us),
            under: step.disturbances,
            saw: "left \(waited / 1_000_000) s after \(command.verb), which may take \(least / 1_000_000) s")
    }

    static func finish(_ walk: inout EnvelopeWalk, _ ledger: inout Ledger) {
        guard walk.quit == nil else { return ledger.kept(.quitMissing) }
        guard let ending = walk.trace.ending, ending == .clientClose || ending == .clientReset else { return }
        // RFC 5321 §3.8, §3.1: behind 421 and behind a refused greeting a client may close. Behind a handshake that it
        // does not trust it cannot say QUIT.
        guard walk.hasCommands, walk.judgesOrder, walk.farewell == nil, !walk.isGreetingRefused,
            !walk.isBehindHandshake
        else { return }
        let last = walk.trace.lines > 0 ? walk.trace.lines : nil
        ledger.broken(
            .quitMissing, Evidence(line: last, at_us: walk.trace.duration_us), under: walk.trace.disturbances,
            saw: ending == .clientReset ? "the connection was reset without QUIT" : "the client closed without QUIT")
    }
}
