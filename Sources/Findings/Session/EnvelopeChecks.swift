enum EnvelopeChecks {
    static func check(_ trace: SessionTrace, _ circumstances: Circumstances, _ ledger: inout Ledger) {}
}
