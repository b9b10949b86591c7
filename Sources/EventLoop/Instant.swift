// Time as the loop sees it: a point on the monotonic clock, and the wall clock for what people read.
// Nothing here waits.

import CLinux

/// A point in time: nanoseconds of CLOCK_MONOTONIC, the clock of deadlines and of durations.
package struct Instant: Sendable, Hashable, Comparable {
    package var nanoseconds: UInt64

    @inlinable
    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static func now() -> Instant { Instant(nanoseconds: linux_monotonic_ns()) }

    /// Later than every deadline.
    package static var distantFuture: Instant { Instant(nanoseconds: .max) }

    @inlinable
    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// `ns` later; stays at the distant future when it would go beyond.
    @inlinable
    package func adding(ns: UInt64) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(ns)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    @inlinable
    package func adding(ms: Int) -> Instant { adding(ns: UInt64(max(ms, 0)) &* 1_000_000) }

    /// How long after `earlier` this is, in nanoseconds; 0 when it is not after it.
    @inlinable
    package func since_ns(_ earlier: Instant) -> UInt64 {
        nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0
    }
}

/// The time of day, for what people read. Never for deadlines: it jumps.
package enum WallClock {
    /// Microseconds since 1970.
    package static func now_us() -> Int64 { linux_wall_us() }
}
