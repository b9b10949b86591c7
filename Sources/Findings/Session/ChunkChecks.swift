// BDAT (RFC 3030): sizes that are right, and one way of sending for each message.

enum ChunkChecks {
    /// chunk-size [ SP "LAST" ].
    static func isLast(_ command: TraceCommand) -> Bool {
        command.argumentOctets.split(separator: 32).dropFirst().first?
            .elementsEqual("LAST".utf8) { $0 & 0xdf == $1 } ?? false
    }

    /// The content at this step came by BDAT.
    static func isChunk(_ content: Int, _ trace: SessionTrace) -> Bool {
        for step in trace.steps[..<content].reversed() {
            if case .command(let command) = step.kind { return command.verb == "BDAT" }
        }
        return false
    }

    static func noSize(_ step: TraceStep, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        guard case .command(let index) = walk.front, let command = walk.command(at: index) else { return }
        ledger.broken(
            .bdatSizeWrong,
            Evidence(line: walk.trace.steps[index].line, range: 0..<command.octets.count, at_us: step.at_us),
            under: step.disturbances, saw: Excerpt.octets(command.octets))
    }

    /// The sink waited for octets that never came.
    static func ranOut(_ index: Int, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        for step in walk.trace.steps[..<index].reversed() {
            guard case .command(let command) = step.kind else { continue }
            guard command.verb == "BDAT", command.isCommand, !answered(command, walk) else { return }
            return ledger.broken(
                .bdatSizeWrong, Evidence(line: step.line, at_us: step.at_us), under: step.disturbances,
                saw: "the octets that \(Excerpt.octets(command.octets)) announced did not come")
        }
    }

    /// Answered before the time-out, whose 421 nobody asked for.
    private static func answered(_ command: TraceCommand, _ walk: EnvelopeWalk) -> Bool {
        guard let reply = walk.reply(to: command) else { return false }
        return reply.code != 421
    }

    /// - Returns: whether DATA and BDAT are mixed (RFC 3030 §2, §3).
    static func isMixed(_ view: CommandView, _ walk: EnvelopeWalk, _ ledger: inout Ledger) -> Bool {
        let sent = walk.sent
        let why: String
        if walk.isBehindLast, sent.mail == nil || sent.hasChunks {
            why = "behind BDAT LAST"
        } else if view.command.verb == "DATA", sent.hasChunks {
            why = "behind BDAT"
        } else if view.command.verb == "DATA", sent.isBinary {
            why = "in a transaction of BODY=BINARYMIME"
        } else {
            ledger.kept(.bdatDataMixed)
            return false
        }
        ledger.broken(.bdatDataMixed, view.evidence(), under: view.under, saw: "\(view.excerpt()) \(why)")
        return true
    }
}
