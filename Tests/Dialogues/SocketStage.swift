// A real server in this process, for one dialogue: its own listener on a free port, its own rules and store.

import CLinux
import EventLoop
import Glibc
import Journal
import SMTP
import Sink
import Store
import Synchronization

/// Safe to use from several threads: clients may be many.
final class SocketStage: Stage, Sendable {
    private let server: Server
    private let hostname: String
    private let implicitTLS: Bool
    private let port: UInt16
    private let sessionCount = Mutex(0)

    /// How long the last session may take to end.
    private static let patience_ns: UInt64 = 5_000_000_000

    init(_ dialogue: Dialogue, insideTLS: Bool, identity: TLSIdentity) throws {
        hostname = dialogue.setup.hostname
        implicitTLS = insideTLS
        let listener = ListenerConfiguration(
            name: "smtp", address: try ListenAddress.parse("127.0.0.1:0"), implicitTLS: insideTLS,
            profile: dialogue.profile, identity: dialogue.setup.tls == .off && !insideTLS ? nil : identity)
        let configuration = SinkConfiguration(
            listeners: [listener], tlsMenu: try TLSMenu(), rules: try dialogue.parsedRules(), seed: dialogue.setup.seed,
            timeScale: dialogue.setup.timeScale, magic: dialogue.setup.magic,
            store: dialogue.setup.keepsMessages ? .memory(Retention()) : .none)
        let server = try Server(configuration: configuration, transcriptDescriptor: -1)
        self.server = server
        guard let bound = try Blocking.wait(for: { try await server.start() }).first else {
            throw WireError("the server has no listener")
        }
        port = bound.port
    }

    var now_ns: UInt64 { linux_monotonic_ns() }

    func connect() throws -> any Wire {
        sessionCount.withLock { $0 += 1 }
        return try SocketWire(port: port, hostname: hostname, implicitTLS: implicitTLS)
    }

    /// Waits until every session has ended, then stops the server.
    func conclude() -> Aftermath {
        let expected = sessionCount.withLock { $0 }
        let until = linux_monotonic_ns() + Self.patience_ns
        while server.store.counts.sessionsEver < expected, linux_monotonic_ns() < until { usleep(1000) }
        let server = server
        _ = try? Blocking.wait(for: { await server.stop(grace_ms: 0) })
        var query = StoreQuery(limit: .max)
        query.oldestFirst = true
        let asked = query
        let sessions = (try? Blocking.wait(for: { try await server.store.sessions(asked) { _ in true } })) ?? []
        let messages = (try? Blocking.wait(for: { try await server.store.messages(asked) { _ in true } })) ?? []
        return Aftermath(
            logs: sessions.sorted { $0.number < $1.number }.map(\.log), messages: messages.map(\.message),
            storedCount: server.store.counts.messagesEver, hostname: hostname)
    }
}

/// Waits on a thread of its own for what the concurrency runtime does. Never to be called from the cooperative pool.
enum Blocking {
    static func wait<Value: Sendable>(for body: @escaping @Sendable () async throws -> Value) throws -> Value {
        let gate = Gate()
        let result = Box<Value>()
        Task {
            do { result.set(.success(try await body())) } catch { result.set(.failure(error)) }
            gate.open()
        }
        gate.wait()
        return try result.take()
    }

    private final class Box<Value: Sendable>: Sendable {
        private let result = Mutex<Result<Value, any Error>?>(nil)
        func set(_ value: Result<Value, any Error>) { result.withLock { $0 = value } }
        func take() throws -> Value {
            guard let value = result.withLock({ $0 }) else { throw WireError("no result") }
            return try value.get()
        }
    }
}
