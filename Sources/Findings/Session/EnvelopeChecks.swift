// The rules of the envelope: command lines, their order and their grammar, pipelining, replies that are heeded, chunks,
// AUTH, QUIT. One walk over the steps of a session; each theme has a file of its own beside this one.

enum EnvelopeChecks {
    static func check(_ trace: SessionTrace, _ circumstances: Circumstances, _ ledger: inout Ledger) {
        var walk = EnvelopeWalk(trace, circumstances)
        for index in trace.steps.indices { walk.take(index, &ledger) }
        walk.finish(&ledger)
        RecipientChecks.check(trace, circumstances, &ledger)
    }
}
