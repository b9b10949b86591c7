// A quick digest of octets, eight at a time, to tell whether two messages are the same. It is no protection against
// somebody who wants two messages to look alike: they would only deceive themselves.

import Glibc

package struct ContentDigest: Sendable {
    private static let factor: UInt64 = 0x9e37_79b9_7f4a_7c15

    private(set) package var value: UInt64 = 0x243f_6a88_85a3_08d3

    package init() {}

    /// Everything at once; the order of calls counts, and so do the borders between them.
    package mutating func add(_ octets: UnsafeRawBufferPointer) {
        var lanes = (value, value &+ 1, value &+ 2, value &+ 3)
        var at = 0
        let count = octets.count
        while at + 32 <= count {
            lanes.0 = Self.mix(lanes.0, octets.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            lanes.1 = Self.mix(lanes.1, octets.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self))
            lanes.2 = Self.mix(lanes.2, octets.loadUnaligned(fromByteOffset: at + 16, as: UInt64.self))
            lanes.3 = Self.mix(lanes.3, octets.loadUnaligned(fromByteOffset: at + 24, as: UInt64.self))
            at += 32
        }
        while at + 8 <= count {
            lanes.0 = Self.mix(lanes.0, octets.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            at += 8
        }
        var rest: UInt64 = 0
        while at < count {
            rest = rest << 8 | UInt64(octets[at])
            at += 1
        }
        var sum = Self.mix(lanes.0, rest)
        sum = Self.mix(sum, lanes.1)
        sum = Self.mix(sum, lanes.2)
        sum = Self.mix(sum, lanes.3)
        value = Self.mix(sum, UInt64(count))
        value ^= value >> 29
    }

    package mutating func add(_ number: UInt64) { value = Self.mix(value, number) }

    @inline(__always)
    private static func mix(_ sum: UInt64, _ word: UInt64) -> UInt64 {
        ((sum << 5 | sum >> 59) ^ word) &* factor
    }
}

extension UnsafeRawBufferPointer {
    /// The place of the first such octet at or behind `start`.
    func firstPlace(of octet: UInt8, from start: Int) -> Int? {
        guard start < count, let base = baseAddress, let hit = memchr(base + start, Int32(octet), count - start) else {
            return nil
        }
        return UnsafeRawPointer(hit) - base
    }
}
