// What judging over time is told beside the profile and the thresholds of a session.

package struct OverTimeSettings: Sendable, Hashable {
    package var judging: JudgingSettings
    /// Since when the sink has been there without a gap, and everything that came was noted: microseconds since
    /// 1970-01-01 UTC. What did not happen before is not missed.
    package var observedSince_us: Int64
    /// The listeners that stand for the exchangers of one domain, the most preferred first; those of equal preference
    /// together. Empty where senders are not led here by MX records: then nothing is said of their order.
    package var exchangers: [[String]] = []
    /// Intervals of which the last must be longer than the first: fewer show nothing.
    package var intervalsToGrow = 4
    /// The time in which they have to lie, at least; and intervals that need not grow any more (RFC 5321 §4.5.4.1 has
    /// two or three hours).
    package var backoffSpan_us: UInt64 = 2 * 3600_000_000
    /// Connections in a row with one message each, and the gaps between them at most.
    package var reconnectGap_us: UInt64 = 5_000_000
    /// Copies of one message within this time might have been one.
    package var copiesWindow_us: UInt64 = 300_000_000
    /// An address that is gone may be tried so often, or for so long.
    package var deadAddressTries = 5
    package var deadAddress_us: UInt64 = 86400_000_000
    package var addressesPerText = 10
    package var returnPathDomains = 3

    package init(judging: JudgingSettings = JudgingSettings(), observedSince_us: Int64) {
        self.judging = judging
        self.observedSince_us = observedSince_us
    }

    /// Time of the sink as time of the sender: the sink may run faster.
    func scaled(_ microseconds: UInt64) -> UInt64 {
        let scaled = Double(microseconds) * judging.thresholds.timeScale
        return scaled < Double(UInt64.max / 2) ? UInt64(scaled) : UInt64.max / 2
    }
}
