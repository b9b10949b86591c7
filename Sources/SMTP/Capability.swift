// The service extensions that the sink can offer in its EHLO list, and the set of them that is in force.

/// One keyword of the EHLO list (RFC 5321 §4.1.1.1).
package enum Capability: UInt8, Sendable, Hashable, CaseIterable {
    case pipelining, size, eightBitMIME, smtpUTF8, chunking, binaryMIME, dsn, enhancedStatusCodes, startTLS, auth
    case limits, help

    /// The keyword as it stands in the EHLO list.
    package var keyword: String {
        switch self {
        case .pipelining: "PIPELINING"  // RFC 2920
        case .size: "SIZE"  // RFC 1870
        case .eightBitMIME: "8BITMIME"  // RFC 6152
        case .smtpUTF8: "SMTPUTF8"  // RFC 6531
        case .chunking: "CHUNKING"  // RFC 3030
        case .binaryMIME: "BINARYMIME"  // RFC 3030
        case .dsn: "DSN"  // RFC 3461
        case .enhancedStatusCodes: "ENHANCEDSTATUSCODES"  // RFC 2034
        case .startTLS: "STARTTLS"  // RFC 3207
        case .auth: "AUTH"  // RFC 4954
        case .limits: "LIMITS"  // RFC 9422
        case .help: "HELP"  // RFC 5321 §4.1.1.8
        }
    }

    /// Case-insensitive (RFC 5321 §2.4); nil for a keyword that the sink does not speak.
    package init?(keyword: some StringProtocol) {
        let upper = keyword.uppercased()
        guard let match = Self.allCases.first(where: { $0.keyword == upper }) else { return nil }
        self = match
    }
}

/// The service extensions in force.
package struct CapabilitySet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    package init(_ capability: Capability) { self.init(rawValue: 1 << UInt16(capability.rawValue)) }
    package init(_ capabilities: some Sequence<Capability>) {
        self.init(rawValue: capabilities.reduce(0) { $0 | 1 << UInt16($1.rawValue) })
    }

    package static let all = CapabilitySet(Capability.allCases)

    package func contains(_ capability: Capability) -> Bool { contains(CapabilitySet(capability)) }
}
