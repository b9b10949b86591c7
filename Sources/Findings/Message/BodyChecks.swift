enum BodyChecks {
    static func check(
        _ input: MessageInput, _ scan: MessageScan, _ octets: UnsafeBufferPointer<UInt8>, _ ledger: inout Ledger
    ) {}
}
