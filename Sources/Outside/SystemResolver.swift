// Asks the name system through the C library: its servers, or one that the user names. Calls there wait, so they have
// threads of their own.

import CLinux
import Findings
import Glibc
import NIOPosix

package struct SystemResolver: NameResolver {
    /// An IPv4 address and a port that answer in place of the servers of /etc/resolv.conf.
    package struct NameServer: Sendable, Hashable {
        let address: in_addr_t
        package let port: UInt16

        /// - Parameter address: as `127.0.0.1`; nil for all else.
        package init?(address: String, port: UInt16) {
            var octets = in_addr()
            guard port > 0, inet_pton(AF_INET, address, &octets) == 1 else { return nil }
            (self.address, self.port) = (octets.s_addr, port)
        }
    }

    /// Questions on their way at once.
    private static let threadCount = 8
    /// How long one question is tried, in seconds, about: less than a judge waits for all of them.
    private static let patience_s: Int32 = 4
    /// For a thread.
    private static let longestWait = Duration.seconds(5)
    private static let largestAnswer = 64 << 10

    private let server: NameServer?
    private let threads: NIOThreadPool

    package init(_ server: NameServer? = nil) {
        self.server = server
        threads = NIOThreadPool(numberOfThreads: Self.threadCount)
        threads.start()
    }

    /// Ends its threads; nothing is known from then on.
    package func stop() async { try? await threads.shutdownGracefully() }

    package func records(_ name: String, _ type: RecordType) async -> NameAnswer<[String]> {
        let asked = ContinuousClock.now
        do {
            return try await threads.runIfActive {
                // Whoever asked has gone on without it.
                guard asked.duration(to: .now) < Self.longestWait else { return .unknown }
                return Self.ask(name, type, server)
            }
        } catch {
            return .unknown  // called off
        }
    }

    private static func ask(_ name: String, _ type: RecordType, _ server: NameServer?) -> NameAnswer<[String]> {
        var lines = [CChar](repeating: 0, count: largestAnswer)
        let count = linux_resolve(
            name, type.rawValue, server?.address ?? 0, server?.port ?? 0, patience_s, &lines, lines.count)
        guard count >= 0 else { return .unknown }
        let text = String(decoding: lines.prefix(Int(count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let records = text.split(separator: "\n").map { String($0).lowercased() }
        guard !records.isEmpty else { return .none }
        guard type == .exchanger else { return .found(records) }
        let sorted = records.compactMap(exchanger).sorted { $0.preference < $1.preference }
        return .found(sorted.map(\.host))
    }

    /// `10 mx.example`; the root, which is the null MX, has no letters here.
    private static func exchanger(_ line: String) -> (preference: Int, host: String)? {
        let parts = line.split(separator: " ", maxSplits: 1)
        guard let first = parts.first, let preference = Int(first) else { return nil }
        return (preference, parts.count > 1 ? String(parts[1]) : ".")
    }
}
