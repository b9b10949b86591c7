// The layer helo: whether, when and how often a client introduces itself. What its names are worth is beside.

import Journal

struct HelloChecks {
    private let trace: SessionTrace
    private let names: HelloNameChecks
    /// The name of the last EHLO or HELO that was answered 250, since the connection, TLS or AUTH began.
    private var name: ArraySlice<UInt8>?
    private var hasSaidHello = false
    private var hasSucceeded = false
    private var isRepeated = false
    /// Something since the last one is a reason for another.
    private var hasReason = true
    /// An EHLO that was not recognized and has not been answered with HELO yet.
    private var refusedEHLO: TraceStep?

    static func check(_ trace: SessionTrace, _ circumstances: Circumstances, _ ledger: inout Ledger) {
        var checks = HelloChecks(trace, HelloNameChecks(trace, circumstances, ledger))
        for step in trace.steps { checks.visit(step, &ledger) }
        checks.finish(&ledger)
    }

    private init(_ trace: SessionTrace, _ names: HelloNameChecks) {
        self.trace = trace
        self.names = names
    }

    private mutating func visit(_ step: TraceStep, _ ledger: inout Ledger) {
        switch step.kind {
        case .command(let command) where command.isCommand:
            switch command.verb {
            case "EHLO", "HELO": visitHello(command, step, &ledger)
            case "MAIL": visitMail(command, step, &ledger)
            default: break
            }
            if command.verb != "EHLO" { refusedEHLO = nil }
        case .reply(let reply):
            if reply.code >= 400 { hasReason = true }
            // RFC 4954 §4: a security layer makes EHLO new.
            if reply.code == 235 { beginAnew() }
        case .tlsStarted: beginAnew()
        default: break
        }
    }

    private mutating func beginAnew() {
        hasReason = true
        name = nil
    }

    private mutating func visitHello(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        let hello = HelloName(command)
        names.check(hello, command, step, &ledger)
        let place = Evidence(line: step.line, range: 0..<command.octets.count, at_us: step.at_us)
        if !hasSaidHello { checkFirst(command, place, step, &ledger) }
        hasSaidHello = true
        if command.verb == "HELO", refusedEHLO != nil { ledger.kept(.heloNoFallback) }
        let code = replyCode(command)
        // RFC 5321 §3.2, §4.2.4: these two alone say that EHLO is not known.
        if command.verb == "EHLO" { refusedEHLO = code == 500 || code == 502 ? step : nil }
        guard (200..<300).contains(code) else { return }
        hasSucceeded = true
        if !hasReason {
            isRepeated = true
            ledger.broken(
                .heloRepeated, place, under: step.disturbances, saw: Excerpt.octets(command.octets))
        }
        hasReason = false
        checkSameName(hello, command, step, &ledger)
    }

    private func replyCode(_ command: TraceCommand) -> Int {
        guard let index = command.reply, index < trace.steps.count, case .reply(let reply) = trace.steps[index].kind
        else { return 0 }
        return reply.code
    }

    /// Which verb a session begins with.
    private func checkFirst(_ command: TraceCommand, _ place: Evidence, _ step: TraceStep, _ ledger: inout Ledger) {
        guard !trace.isCut else { return }
        if command.verb == "EHLO" { return ledger.kept(.heloOldHelo) }
        ledger.broken(.heloOldHelo, place, under: step.disturbances, saw: Excerpt.octets(command.octets))
    }

    private mutating func checkSameName(
        _ hello: HelloName, _ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger
    ) {
        let octets = command.octets[hello.name]
        if let name {
            if OctetWords.equal(name, octets) {
                ledger.kept(.heloChangesInSession)
            } else {
                ledger.broken(
                    .heloChangesInSession, Evidence(line: step.line, range: hello.name, at_us: step.at_us),
                    under: step.disturbances, saw: "\(Excerpt.octets(name)), then \(Excerpt.octets(octets))")
            }
        }
        name = octets
    }

    /// Behind STARTTLS the missing EHLO is a matter of the layer tls.
    private func visitMail(_ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        guard !trace.isCut else { return }
        if hasSucceeded { return ledger.kept(.heloMissing) }
        ledger.broken(
            .heloMissing, Evidence(line: step.line, range: 0..<command.octets.count, at_us: step.at_us),
            under: step.disturbances, saw: Excerpt.octets(command.octets))
    }

    private func finish(_ ledger: inout Ledger) {
        guard !trace.isCut, let ending = trace.ending else { return }
        if hasSucceeded, !isRepeated { ledger.kept(.heloRepeated) }
        // Whoever says QUIT may come again with HELO; that is for several sessions to show.
        guard let refusedEHLO, ending == .clientClose || ending == .clientReset else { return }
        ledger.broken(
            .heloNoFallback, Evidence(line: refusedEHLO.line, at_us: refusedEHLO.at_us), under: trace.disturbances,
            saw: "the client left after EHLO was not recognized")
    }
}
