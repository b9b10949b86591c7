// Where to listen, as people write it: `127.0.0.1:1025`, `[::1]:25`, `localhost:0`, `unix:/run/fakemx.sock`.
// Reading it asks nobody and opens nothing.

/// A place to listen at.
package enum ListenAddress: Sendable, Hashable, CustomStringConvertible {
    case ip(SocketAddress)
    /// A host name, looked up when the socket is bound.
    case name(String, port: UInt16)
    case unix(path: String)

    /// Longest path of a Unix socket (Linux: `sun_path` with its final 0).
    package static let longestPath = 107

    /// `HOST:PORT`, `[IPv6]:PORT` or `unix:/path`. Port 0 stands for a free port.
    package static func parse(_ text: String) throws(ListenAddressError) -> ListenAddress {
        func complaint(_ message: String) -> ListenAddressError { ListenAddressError(text: text, message: message) }

        if text.hasPrefix("unix:") {
            let path = String(text.dropFirst(5))
            guard path.hasPrefix("/") else { throw complaint("the path behind unix: must begin with a slash") }
            guard path.utf8.count <= longestPath else {
                throw complaint("the path of a Unix socket has at most \(longestPath) octets")
            }
            return .unix(path: path)
        }
        guard let colon = text.lastIndex(of: ":") else {
            throw complaint("expected HOST:PORT, for instance 127.0.0.1:1025, or unix:/path")
        }
        var host = String(text[..<colon])
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(digits) else {
            throw complaint("the port must be a number from 0 to 65535")
        }
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
            guard let address = SocketAddress.literal(host, port: port), address.family == .ipv6 else {
                throw complaint("\(host) between the brackets is not an IPv6 address")
            }
            return .ip(address)
        }
        guard !host.isEmpty else {
            throw complaint("the host is missing; 127.0.0.1 is this machine alone, 0.0.0.0 every IPv4 address of it")
        }
        guard !host.contains(":") else {
            throw complaint("an IPv6 address stands in brackets: [\(host)]:\(port)")
        }
        if host == "localhost" { return .ip(.ipv4(127, 0, 0, 1, port: port)) }
        if host.utf8.allSatisfy({ $0 == 46 || (48...57).contains($0) }) {
            guard host.split(separator: ".", omittingEmptySubsequences: false).count == 4,
                let address = SocketAddress.literal(host, port: port)
            else { throw complaint("\(host) is not an IPv4 address") }
            return .ip(address)
        }
        guard host.utf8.allSatisfy(isHostNameOctet), host.utf8.count <= 253 else {
            throw complaint("\(host) is neither an IP address nor a host name")
        }
        return .name(host, port: port)
    }

    private static func isHostNameOctet(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    package var description: String {
        switch self {
        case .ip(let address): address.description
        case .name(let host, let port): "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// A text that is no listen address.
package struct ListenAddressError: Error, Sendable, Hashable, CustomStringConvertible {
    package let text: String
    /// What is wrong and what was expected.
    package let message: String

    package var description: String { "\"\(text)\" is not an address to listen on: \(message)" }
}
