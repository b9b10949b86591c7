// How long something took, in words; the one place for every report and finding.

/// Lengths of time as people say them.
enum Span {
    /// `250 ms`, `12 s`, `5 min 3 s`, `2 h 10 min`, `3 d 4 h`.
    static func words(_ microseconds: UInt64) -> String {
        let seconds = microseconds / 1_000_000
        switch seconds {
        case 0: return "\(microseconds / 1000) ms"
        case ..<60: return "\(seconds) s"
        case ..<3600: return two(seconds / 60, "min", seconds % 60, "s")
        case ..<86_400: return two(seconds / 3600, "h", seconds / 60 % 60, "min")
        default: return two(seconds / 86_400, "d", seconds / 3600 % 24, "h")
        }
    }

    private static func two(_ large: UInt64, _ unit: String, _ small: UInt64, _ lesser: String) -> String {
        small == 0 ? "\(large) \(unit)" : "\(large) \(unit) \(small) \(lesser)"
    }
}
