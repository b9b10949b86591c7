// What the corpus as a whole must touch: every point of the receiver checklist and every cell phase × action.

import SMTP

enum Coverage {
    /// R01 to R62 of the receiver checklist. R60 (REQUIRETLS) is not part of the sink.
    static let points: [String] = (1...62).filter { $0 != 60 }.map { $0 < 10 ? "R0\($0)" : "R\($0)" }

    /// What a rule can do at every phase.
    static let actions = ["4yz", "5yz", "delay", "close", "reset", "stall"]
    /// What makes sense at some phases only.
    static let furtherActions = ["drip", "slow-read", "keep", "lose", "accept", "hide", "offer"]

    static let cells: [String] = Phase.allCases.flatMap { phase in actions.map { "\(phase.rawValue)×\($0)" } }

    static func isKnown(_ item: String) -> Bool {
        if points.contains(item) { return true }
        let parts = item.split(separator: "×", omittingEmptySubsequences: false)
        return parts.count == 2 && Phase(rawValue: String(parts[0])) != nil
            && (actions + furtherActions).contains(String(parts[1]))
    }
}
