// Places in a message at which one rule is broken: how many there are, and where the first ones stand.

struct Places {
    private(set) var count = 0
    private(set) var first: [Range<Int>] = []

    mutating func note(_ range: Range<Int>) {
        count += 1
        if first.count < Finding.evidenceLimit { first.append(range) }
    }
}

/// Where checks of a message say what they saw: the message, its octets, and the ledger that it goes to.
struct MessageView {
    let input: MessageInput
    let scan: MessageScan
    let octets: MessageOctets

    func evidence(_ range: Range<Int>) -> Evidence {
        Evidence(message: input.message, transaction: input.transaction, range: range)
    }

    func broken(
        _ id: RuleID, _ range: Range<Int>, _ ledger: inout Ledger, as severity: (Severity, reason: String)? = nil
    ) {
        ledger.broken(
            id, evidence(range), under: input.disturbances, as: severity, saw: Excerpt.octets(octets[range]))
    }

    /// With words of what was seen in place of the octets.
    func broken(
        _ id: RuleID, _ range: Range<Int>, _ ledger: inout Ledger, as severity: (Severity, reason: String)? = nil,
        saw: @autoclosure () -> String
    ) {
        ledger.broken(id, evidence(range), under: input.disturbances, as: severity, saw: saw())
    }

    /// Broken at each of these places, kept where there are none.
    func judge(_ id: RuleID, _ places: Places, _ ledger: inout Ledger) {
        guard places.count > 0 else { return ledger.kept(id) }
        for (index, range) in places.first.enumerated() {
            let times = index == 0 ? places.count - places.first.count + 1 : 1
            // A few octets alone tell little: what stands around them is shown with them.
            let shown =
                range.count < 4
                ? max(0, range.lowerBound - 20)..<min(octets.count, range.lowerBound + 40)
                : range.lowerBound..<min(octets.count, range.upperBound)
            ledger.broken(
                id, evidence(range), under: input.disturbances, times: times, saw: Excerpt.octets(octets[shown]))
        }
    }

    /// Of a severity that does not hold here: lighter, with the reason; in the strict profile nothing is softened.
    func softened(
        to severity: Severity, if holds: Bool, _ reason: @autoclosure () -> String, _ ledger: Ledger
    ) -> (Severity, reason: String)? {
        holds && ledger.settings.profile != .strict ? (severity, reason()) : nil
    }
}
