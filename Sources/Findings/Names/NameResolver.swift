// The one way in which names are asked for. Who answers is somebody else's: the name system, or the lines of a file.

/// The records that are asked for, by their numbers (RFC 1035 §3.2.2, RFC 3596 §2.1).
package enum RecordType: Int32, Sendable, Hashable, CaseIterable {
    case address4 = 1
    case pointer = 12
    case exchanger = 15
    case address6 = 28

    /// As zone files write it.
    package var word: String {
        switch self {
        case .address4: "A"
        case .pointer: "PTR"
        case .exchanger: "MX"
        case .address6: "AAAA"
        }
    }
}

package protocol NameResolver: Sendable {
    /// - Parameter name: a domain in small letters, without a dot at its end.
    /// - Returns: addresses as text, names in small letters without a dot at their end, and exchangers by preference,
    ///   the null MX (RFC 7505 §3) as `.`.
    func records(_ name: String, _ type: RecordType) async -> NameAnswer<[String]>
}

extension NameResolver {
    /// IPv4 and IPv6; half an answer is none, since the half that is missing may hold the peer.
    func addresses(_ name: String) async -> NameAnswer<[String]> {
        async let four = records(name, .address4)
        async let six = records(name, .address6)
        switch await (four, six) {
        case (.found(let four), .found(let six)): return .found(four + six)
        case (.found(let one), .none), (.none, .found(let one)): return .found(one)
        case (.none, .none): return .none
        default: return .unknown
        }
    }

    /// RFC 5321 §5.1: a domain without MX is its own exchanger, if it has an address.
    func exchangers(_ domain: String) async -> NameAnswer<[String]> {
        switch await records(domain, .exchanger) {
        case .found(let names): return .found(names)
        case .unknown: return .unknown
        case .none:
            switch await addresses(domain) {
            case .found: return .found([domain])
            case .none: return .none
            case .unknown: return .unknown
            }
        }
    }
}
