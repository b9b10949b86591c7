// The dice of the rules. A draw depends on (seed, rule name, key, count, salt) and on nothing else: not on the order of
// sessions, not on other rules, not on the clock. The same senders under the same seed meet the same faults.

enum Draw {
    /// 64 bits. The name and the key go through FNV-1a with a separator that neither can hold; the result, the count
    /// and the salt are each mixed in with the finalizer of SplitMix64.
    static func bits(seed: UInt64, rule: String, key: String, count: UInt64, salt: UInt64) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func absorb(_ octet: UInt8) { hash = (hash ^ UInt64(octet)) &* 0x0000_0100_0000_01b3 }
        for octet in rule.utf8 { absorb(octet) }
        absorb(0xFF)
        for octet in key.utf8 { absorb(octet) }
        let perKey = mix(mix(seed &+ gamma) ^ hash)
        return mix(mix(perKey &+ count &* gamma) &+ salt &* gamma)
    }

    /// Below `bound`, which is above 0; evenly.
    static func below(_ bound: UInt64, _ bits: UInt64) -> UInt64 { bits.multipliedFullWidth(by: bound).high }

    private static let gamma: UInt64 = 0x9e37_79b9_7f4a_7c15

    static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// What dice are thrown for: a key, and how often it came.
struct Lot: Sendable {
    var key: String
    var count: Int

    /// - Parameter salt: which of several throws for the same use.
    func bits(seed: UInt64, rule: String, salt: UInt64) -> UInt64 {
        Draw.bits(seed: seed, rule: rule, key: key, count: UInt64(count), salt: salt)
    }
}
