// Judges the Date field: its grammar, whether such a date exists, and how far it is from the time of arrival
// (RFC 5322 §3.3, §3.6.1, §4.3).

enum DateChecks {
    /// Haraka's defaults for Date, in seconds.
    private static let secondsAhead = 2 * 86_400
    private static let secondsBehind = 15 * 86_400

    static func check(_ view: HeaderView, _ ledger: inout Ledger) {
        guard let field = view.first(.date) else { return }
        guard let date = DateTime(view.octets, field.value) else {
            return view.message.broken(.hdrDateSyntax, field.whole, &ledger)
        }
        ledger.kept(.hdrDateSyntax)
        switch date.form {
        case .right: ledger.kept(.hdrDateObsolete)
        case .obsolete: view.message.broken(.hdrDateObsolete, field.whole, &ledger)
        }
        if let impossibility = date.impossibility {
            return view.message.broken(
                .hdrDateImpossible, field.whole, &ledger,
                saw: Excerpt.octets(view.octets[field.value]) + ": " + impossibility)
        }
        ledger.kept(.hdrDateImpossible)
        checkSkew(date, field, view, &ledger)
    }

    private static func checkSkew(
        _ date: DateTime, _ field: ScannedField, _ view: HeaderView, _ ledger: inout Ledger
    ) {
        let ahead = date.seconds - Int(view.input.received_us / 1_000_000)
        guard ahead > secondsAhead || -ahead > secondsBehind else { return ledger.kept(.hdrDateSkew) }
        view.message.broken(
            .hdrDateSkew, field.whole, &ledger,
            saw: "\(abs(ahead) / 86_400) days \(ahead > 0 ? "after" : "before") it arrived")
    }
}
