// All checks of one message, over one scan of it.

enum MessageChecks {
    static func check(_ input: MessageInput, _ ledger: inout Ledger) {
        input.content.withUnsafeBufferPointer { octets in
            let scan = MessageScan(octets)
            EnvelopeMessageChecks.check(input, scan, octets, &ledger)
            DataChecks.check(input, scan, octets, &ledger)
            HeaderChecks.check(input, scan, octets, &ledger)
            MIMEChecks.check(input, scan, octets, &ledger)
            BodyChecks.check(input, scan, octets, &ledger)
        }
    }
}
