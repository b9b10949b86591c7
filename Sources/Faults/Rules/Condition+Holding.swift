// Whether a condition holds for a value: for rules that are asked, and for filters that look for what has happened.

extension Condition {
    package func holds(text value: String) -> Bool {
        tests.contains { if case .text(let pattern) = $0 { pattern.matches(value) } else { false } }
    }

    package func holds(number: UInt64) -> Bool {
        tests.contains { if case .number(let asked) = $0 { asked.holds(number) } else { false } }
    }

    /// - Parameter version: as OpenSSL names it; nil in clear.
    package func holds(tls version: String?) -> Bool {
        tests.contains { if case .tls(let asked) = $0 { asked.holds(version) } else { false } }
    }

    /// - Parameter address: nil for a Unix socket.
    package func holds(client address: IPAddress?) -> Bool {
        tests.contains { test in
            switch test {
            case .network(let network): address.map(network.contains) ?? false
            case .unixSocket: address == nil
            case .text, .number, .tls, .time: false
            }
        }
    }
}

/// What a pattern asks for, where it is so plain that it can be looked up.
package enum PlainPattern: Sendable, Hashable {
    /// This whole value, in lower case.
    case value([UInt8])
    /// Any address of this domain, in lower case.
    case domain([UInt8])
}

extension TextPattern {
    /// nil: it must be tried on each value.
    package var plain: PlainPattern? {
        guard case .glob(let glob) = matcher else { return nil }
        return glob.literal.map(PlainPattern.value) ?? glob.domain.map(PlainPattern.domain)
    }
}
