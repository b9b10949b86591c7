// Where the attempts of a message stand on a line: bars and gaps to scale, as far as that can be read. A gap that
// dwarfs everything else is folded to a mark, and a bar is never too thin to be seen.

import Journal

struct TimelineLayout: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// The attempt of that index.
        case bar(Int)
        case gap
        /// A gap that is not to scale: how long it is, in microseconds.
        case fold(UInt64)
    }

    struct Span: Sendable, Hashable {
        var kind: Kind
        /// In the units of the width that was asked for.
        var start: Int
        var width: Int
    }

    /// In their order, without holes, from 0 to the width.
    private(set) var spans: [Span] = []
    /// The first attempt that is shown: where not all have room, the last ones are.
    private(set) var first = 0

    /// How much longer than all the rest together a gap has to be to be folded.
    static let foldFactor = 4.0

    /// - Parameters:
    ///   - width: of the whole line, in any unit.
    ///   - bar: the least width of a bar.
    ///   - fold: the width of a folded gap.
    init(_ attempts: [Timeline.Attempt], width: Int, bar: Int, fold: Int) {
        let room = max(1, (width + fold) / max(1, bar + fold))
        first = max(0, attempts.count - room)
        let shown = attempts[first...]
        guard !shown.isEmpty else { return }
        let folded = Self.folded(Array(shown))
        var total = 0.0
        for attempt in shown {
            total += Double(attempt.duration_us)
            if attempt.gap_us != nil, attempt != shown.first { total += Double(attempt.gap_us ?? 0) }
        }
        for index in folded { total -= Double(shown[first + index].gap_us ?? 0) }
        let free = Double(max(0, width - shown.count * bar - folded.count * fold))
        let scale = total > 0 ? free / total : 0
        // Edges are rounded, not widths, so that nothing adds up.
        var edge = 0.0
        var end = 0
        func add(_ kind: Kind, _ length: Double) {
            edge += length
            let next = min(width, Int(edge.rounded()))
            spans.append(Span(kind: kind, start: end, width: max(0, next - end)))
            end = max(end, next)
        }
        for (index, attempt) in shown.enumerated() {
            if index > 0 {
                let gap_us = attempt.gap_us ?? 0
                if folded.contains(index) {
                    add(.fold(gap_us), Double(fold))
                } else {
                    add(.gap, Double(gap_us) * scale)
                }
            }
            add(.bar(first + index), Double(bar) + Double(attempt.duration_us) * scale)
        }
    }

    /// Gaps that are longer than all the rest, the longest first; counted by the attempt behind them.
    private static func folded(_ attempts: [Timeline.Attempt]) -> Set<Int> {
        var gaps: [(index: Int, length: Double)] = []
        var rest = 0.0
        for (index, attempt) in attempts.enumerated() {
            rest += Double(attempt.duration_us)
            guard index > 0 else { continue }
            gaps.append((index, Double(attempt.gap_us ?? 0)))
            rest += Double(attempt.gap_us ?? 0)
        }
        gaps.sort { $0.length > $1.length }
        var folded: Set<Int> = []
        // The last gap has nothing left to dwarf but the bars, and those have their least width.
        for gap in gaps.dropLast() {
            rest -= gap.length
            guard gap.length > foldFactor * rest else { break }
            folded.insert(gap.index)
        }
        return folded
    }
}
