// What a client offers in its ClientHello (RFC 8446 §4.1.2), read from the records themselves: OpenSSL tells what was
// agreed upon, not what else the client could have done.

/// Versions and cipher suites as numbers of the protocol, in the client's order.
package struct TLSClientHello: Sendable, Hashable {
    /// Those of supported_versions (RFC 8446 §4.2.1); without that extension legacy_version alone.
    package var versions: [UInt16] = []
    package var cipherSuites: [UInt16] = []
    /// RFC 6066 §3.
    package var serverName: String?
    package var hasSupportedVersions = false

    /// Octets of records that are looked at: what is longer says nothing.
    static let limit = 32 << 10

    enum Outcome {
        case wanting
        case heard(TLSClientHello)
        /// These are no ClientHello, or none that can be read.
        case unreadable
    }

    /// - Parameter records: from the first octet of the connection inside TLS on.
    static func read(_ records: [UInt8]) -> Outcome {
        var message: [UInt8] = []
        var rest = records[...]
        // A message may be cut into records (RFC 8446 §5.1).
        while message.count < 4 || message.count < 4 + length(message) {
            guard rest.count >= 5 else { return .wanting }
            let head = Array(rest.prefix(5))
            guard head[0] == 22, head[1] == 3 else { return .unreadable }
            let count = Int(head[3]) << 8 | Int(head[4])
            guard count > 0 else { return .unreadable }
            guard rest.count >= 5 + count else { return .wanting }
            message += rest.dropFirst(5).prefix(count)
            rest = rest.dropFirst(5 + count)
            guard message[0] == 1, message.count < 4 || length(message) <= limit else { return .unreadable }
        }
        var fields = Fields(Array(message[4..<4 + length(message)]))
        return TLSClientHello(&fields).map(Outcome.heard) ?? .unreadable
    }

    private static func length(_ message: [UInt8]) -> Int {
        Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
    }

    private init?(_ fields: inout Fields) {
        guard let legacy = fields.number(), fields.skip(32), fields.vector(sizeOctets: 1) != nil,
            let suites = fields.vector(sizeOctets: 2), fields.vector(sizeOctets: 1) != nil
        else { return nil }
        versions = [legacy]
        cipherSuites = Self.numbers(suites)
        // Without extensions the message ends here.
        guard var extensions = fields.vector(sizeOctets: 2).map(Fields.init) else { return }
        while let type = extensions.number(), let content = extensions.vector(sizeOctets: 2) {
            var inner = Fields(content)
            switch type {
            case 0: readServerName(&inner)
            case 43:
                guard let list = inner.vector(sizeOctets: 1) else { return nil }
                versions = Self.numbers(list)
                hasSupportedVersions = true
            default: break
            }
        }
    }

    private mutating func readServerName(_ fields: inout Fields) {
        guard var list = fields.vector(sizeOctets: 2).map(Fields.init) else { return }
        while let kind = list.octet(), let name = list.vector(sizeOctets: 2) {
            if kind == 0 { serverName = String(decoding: name, as: UTF8.self) }
        }
    }

    private static func numbers(_ octets: [UInt8]) -> [UInt16] {
        stride(from: 0, to: octets.count - 1, by: 2).map { UInt16(octets[$0]) << 8 | UInt16(octets[$0 + 1]) }
    }

    /// Fields of the presentation language (RFC 8446 §3), one behind the other.
    private struct Fields {
        private let octets: [UInt8]
        private var position = 0

        init(_ octets: [UInt8]) { self.octets = octets }

        mutating func skip(_ count: Int) -> Bool {
            guard octets.count - position >= count else { return false }
            position += count
            return true
        }

        mutating func octet() -> UInt8? {
            guard position < octets.count else { return nil }
            defer { position += 1 }
            return octets[position]
        }

        mutating func number() -> UInt16? {
            guard octets.count - position >= 2 else { return nil }
            defer { position += 2 }
            return UInt16(octets[position]) << 8 | UInt16(octets[position + 1])
        }

        /// A vector whose length stands in front of it.
        mutating func vector(sizeOctets: Int) -> [UInt8]? {
            guard let count = sizeOctets == 1 ? octet().map(Int.init) : number().map(Int.init),
                octets.count - position >= count
            else { return nil }
            defer { position += count }
            return Array(octets[position..<position + count])
        }
    }
}
