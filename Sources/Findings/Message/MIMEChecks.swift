// The rules of MIME that need no decoded text: version, types, boundaries, encodings, parameters, and how parts fit
// together.

enum MIMEChecks {
    static func check(
        _ input: MessageInput, _ scan: MessageScan, _ octets: UnsafeBufferPointer<UInt8>, _ ledger: inout Ledger
    ) {
        let view = MIMEView(octets, scan, message: input.message, transaction: input.transaction)
        ContentTypeChecks.check(input, view, &ledger)
        BoundaryChecks.check(input, view, &ledger)
        TransferEncodingChecks.check(input, view, &ledger)
        FieldParameterChecks.check(input, view, &ledger)
        StructureChecks.check(input, view, &ledger)
    }
}
