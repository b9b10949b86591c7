// The address of one end of a connection: a small value without text. Text is made when somebody reads it.

import CLinux
import Glibc

package struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    package enum Family: UInt8, Sendable { case ipv4, ipv6, unix }

    package let family: Family
    /// 0 for Unix sockets.
    package let port: UInt16
    /// The zone of a link-local IPv6 address.
    private let scope: UInt32
    /// The address in network order: 16 octets, an IPv4 address in the first four.
    private let high: UInt64
    private let low: UInt64
    /// The path of a Unix socket; nil for a client that has no name.
    package let path: String?

    package static func ipv4(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8, port: UInt16) -> SocketAddress {
        let high = [a, b, c, d].reduce(UInt64(0)) { $0 << 8 | UInt64($1) } << 32
        return SocketAddress(family: .ipv4, port: port, scope: 0, high: high, low: 0, path: nil)
    }

    package static func unix(_ path: String?) -> SocketAddress {
        SocketAddress(family: .unix, port: 0, scope: 0, high: 0, low: 0, path: path)
    }

    /// - Returns: nil when `host` is no IPv4 or IPv6 literal. No brackets; a zone (`%eth0`) is allowed.
    package static func literal(_ host: String, port: UInt16) -> SocketAddress? {
        var hints = addrinfo()
        hints.ai_flags = AI_NUMERICHOST
        return resolve(host, port: port, hints: hints).first
    }

    /// The addresses that a name has. Asks the resolver, hence waits: only at start.
    static func named(_ host: String, port: UInt16) -> [SocketAddress] { resolve(host, port: port, hints: addrinfo()) }

    private static func resolve(_ host: String, port: UInt16, hints: addrinfo) -> [SocketAddress] {
        var hints = hints
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [SocketAddress] = []
        var next = list
        while let entry = next {
            next = entry.pointee.ai_next
            var storage = sockaddr_storage()
            memcpy(&storage, entry.pointee.ai_addr, Int(entry.pointee.ai_addrlen))
            if let address = SocketAddress(storage, length: entry.pointee.ai_addrlen) {
                found.append(address.withPort(port))
            }
        }
        return found
    }

    package func withPort(_ port: UInt16) -> SocketAddress {
        SocketAddress(family: family, port: port, scope: scope, high: high, low: low, path: path)
    }

    private init(family: Family, port: UInt16, scope: UInt32, high: UInt64, low: UInt64, path: String?) {
        (self.family, self.port, self.scope, self.high, self.low, self.path) = (family, port, scope, high, low, path)
    }

    /// - Returns: nil for a family that is none of ours.
    init?(_ storage: sockaddr_storage, length: socklen_t) {
        let address: SocketAddress? = withUnsafeBytes(of: storage) { bytes in
            switch Int32(storage.ss_family) {
            case AF_INET:
                let v4 = bytes.loadUnaligned(as: sockaddr_in.self)
                let high = UInt64(UInt32(bigEndian: v4.sin_addr.s_addr)) << 32
                return SocketAddress(
                    family: .ipv4, port: UInt16(bigEndian: v4.sin_port), scope: 0, high: high, low: 0, path: nil)
            case AF_INET6:
                let v6 = bytes.loadUnaligned(as: sockaddr_in6.self)
                let (high, low) = withUnsafeBytes(of: v6.sin6_addr) { octets in
                    (
                        UInt64(bigEndian: octets.loadUnaligned(as: UInt64.self)),
                        UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
                    )
                }
                return SocketAddress(
                    family: .ipv6, port: UInt16(bigEndian: v6.sin6_port), scope: v6.sin6_scope_id, high: high,
                    low: low, path: nil)
            case AF_UNIX:
                let name = bytes.prefix(Int(length)).dropFirst(MemoryLayout<sa_family_t>.size)
                let path = name.prefix { $0 != 0 }
                return .unix(path.isEmpty ? nil : String(decoding: path, as: UTF8.self))
            default:
                return nil
            }
        }
        guard let address else { return nil }
        self = address
    }

    /// - Returns: nil when the path is too long for a Unix socket (107 octets).
    func withSystemAddress<R>(_ body: (UnsafeRawPointer, socklen_t) -> R) -> R? {
        switch family {
        case .ipv4:
            var v4 = sockaddr_in()
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            v4.sin_addr.s_addr = UInt32(truncatingIfNeeded: high >> 32).bigEndian
            return body(&v4, socklen_t(MemoryLayout<sockaddr_in>.size))
        case .ipv6:
            var v6 = sockaddr_in6()
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port.bigEndian
            v6.sin6_scope_id = scope
            withUnsafeMutableBytes(of: &v6.sin6_addr) { octets in
                octets.storeBytes(of: high.bigEndian, as: UInt64.self)
                octets.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
            }
            return body(&v6, socklen_t(MemoryLayout<sockaddr_in6>.size))
        case .unix:
            var name = sockaddr_un()
            name.sun_family = sa_family_t(AF_UNIX)
            let octets = Array((path ?? "").utf8)
            let room = MemoryLayout.size(ofValue: name.sun_path)
            guard octets.count < room else { return nil }
            withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: octets) }
            return body(&name, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }

    var systemFamily: Int32 {
        switch family {
        case .ipv4: AF_INET
        case .ipv6: AF_INET6
        case .unix: AF_UNIX
        }
    }

    /// Every address of the machine (0.0.0.0 or ::).
    var isWildcard: Bool { family != .unix && high == 0 && low == 0 }

    /// The octets of an IP address in network order: 4, 16, or none for Unix sockets.
    package var octets: [UInt8] {
        let all = [high, low].flatMap { half in (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * $0)) } }
        switch family {
        case .ipv4: return Array(all.prefix(4))
        case .ipv6: return all
        case .unix: return []
        }
    }

    /// The IP address alone, without brackets or port; for Unix sockets `unix:` and the path.
    package var host: String {
        switch family {
        case .ipv4:
            return octets.map(String.init).joined(separator: ".")
        case .ipv6:
            var address = in6_addr()
            withUnsafeMutableBytes(of: &address) { $0.copyBytes(from: octets) }
            var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            inet_ntop(AF_INET6, &address, &text, socklen_t(text.count))
            let plain = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            return scope == 0 ? plain : "\(plain)%\(scope)"
        case .unix:
            return "unix:\(path ?? "")"
        }
    }

    /// `127.0.0.1:1025`, `[::1]:1025` or `unix:/path`: a text that `ListenAddress` reads.
    package var description: String {
        switch family {
        case .ipv4: "\(host):\(port)"
        case .ipv6: "[\(host)]:\(port)"
        case .unix: host
        }
    }
}
