// The state of every rule in one session or in many: two bits a rule.

/// Which rules were broken, which were seen to be kept; all others were not observed.
package struct RuleStates: Sendable, Hashable {
    private var brokenBits: SIMD4<UInt64> = .zero
    private var keptBits: SIMD4<UInt64> = .zero

    package init() {}

    package subscript(_ id: RuleID) -> RuleState {
        get {
            let (word, bit) = (id.ordinal >> 6, UInt64(1) << UInt64(id.ordinal & 63))
            if brokenBits[word] & bit != 0 { return .broken }
            return keptBits[word] & bit != 0 ? .kept : .notObserved
        }
        set {
            let (word, bit) = (id.ordinal >> 6, UInt64(1) << UInt64(id.ordinal & 63))
            brokenBits[word] &= ~bit
            keptBits[word] &= ~bit
            switch newValue {
            case .broken: brokenBits[word] |= bit
            case .kept: keptBits[word] |= bit
            case .notObserved: break
            }
        }
    }

    /// Of several sessions: broken where it was broken in one, kept where it was kept in one and broken in none.
    package mutating func formUnion(_ other: RuleStates) {
        brokenBits |= other.brokenBits
        keptBits = (keptBits | other.keptBits) & ~brokenBits
    }

    package func ids(_ state: RuleState) -> [RuleID] { RuleID.allCases.filter { self[$0] == state } }
}

extension RuleStates: Codable {
    private enum Key: String, CodingKey { case broken, kept }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        self.init()
        for id in try container.decode([RuleID].self, forKey: .kept) { self[id] = .kept }
        for id in try container.decode([RuleID].self, forKey: .broken) { self[id] = .broken }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(ids(.broken), forKey: .broken)
        try container.encode(ids(.kept), forKey: .kept)
    }
}
