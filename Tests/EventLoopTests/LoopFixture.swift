// What the tests of the event loop share: a loop with a listener, a handler made of closures, a record of what was
// told, and threads for what blocks. The cooperative pool must never wait for a socket.

import Foundation
import Testing

@testable import EventLoop

/// Seconds after which anything that waits gives up.
let patience_s = 20.0

/// The tests of this room run one after another: they count descriptors and load the machine.
@Suite(.serialized) enum EventLoopSuite {}

/// Runs what blocks on a thread of its own.
func blocking<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    try await withCheckedThrowingContinuation { continuation in
        let thread = Thread { continuation.resume(with: Result(catching: body)) }
        thread.stackSize = 1 << 19
        thread.start()
    }
}

/// What happened, in order. @unchecked: every access is under the condition's lock.
final class Recorder: @unchecked Sendable {
    private let condition = NSCondition()
    private var entries: [String] = []

    func note(_ entry: String) {
        condition.withLock {
            entries.append(entry)
            condition.broadcast()
        }
    }

    var all: [String] { condition.withLock { entries } }

    func count(_ entry: String) -> Int { all.count { $0 == entry } }

    /// Waits until `isEnough` holds of the entries.
    func wait(until isEnough: ([String]) -> Bool) -> Bool {
        let end = Date(timeIntervalSinceNow: patience_s)
        condition.lock()
        defer { condition.unlock() }
        while !isEnough(entries) {
            if !condition.wait(until: end) { return isEnough(entries) }
        }
        return true
    }

    func wait(for entry: String, count: Int = 1) async throws -> Bool {
        try await blocking { self.wait { entries in entries.count { $0 == entry } >= count } }
    }
}

/// A handler made of closures; notes every call.
final class TestHandler: ConnectionHandler {
    let recorder: Recorder
    var onOpened: ((Connection) -> Void)?
    var onReceived: ((Connection, UnsafeRawBufferPointer) -> Void)?
    var onDeadline: ((Connection, Instant) -> Void)?
    var onFinished: ((Connection) -> Void)? = { $0.close() }
    var onHandshake: ((Connection, Result<TLSFacts, TLSFailure>) -> Void)?
    var onDrained: ((Connection) -> Void)?

    init(_ recorder: Recorder) { self.recorder = recorder }

    /// Sends back what it gets.
    static func echo(_ recorder: Recorder) -> TestHandler {
        let handler = TestHandler(recorder)
        handler.onReceived = { $0.send($1) }
        return handler
    }

    func opened(_ connection: Connection, now: Instant) {
        recorder.note("opened")
        onOpened?(connection)
    }

    func received(_ connection: Connection, _ octets: UnsafeRawBufferPointer, now: Instant) {
        onReceived?(connection, octets)
    }

    func deadlineReached(_ connection: Connection, now: Instant) {
        recorder.note("deadline")
        onDeadline?(connection, now)
    }

    func peerFinished(_ connection: Connection, now: Instant) {
        recorder.note("finished")
        onFinished?(connection)
    }

    func peerLeaving(_ connection: Connection, now: Instant) { recorder.note("leaving") }

    func peerGone(_ connection: Connection, reason: String, now: Instant) { recorder.note("gone: \(reason)") }

    func handshakeFinished(_ connection: Connection, _ result: Result<TLSFacts, TLSFailure>, now: Instant) {
        switch result {
        case .success(let facts): recorder.note("handshake: \(facts.version)")
        case .failure(let failure):
            recorder.note("handshake failed: \(failure)")
            connection.close()
        }
        onHandshake?(connection, result)
    }

    func drained(_ connection: Connection, now: Instant) { onDrained?(connection) }

    func closed(_ connection: Connection, now: Instant) { recorder.note("closed") }
}

/// A loop that listens on one address, and what it recorded.
struct Served: Sendable {
    let loop: EventLoop
    let address: SocketAddress
    let recorder: Recorder

    func connect(receiveBuffer: Int32? = nil) async throws -> TestClient {
        let address = address
        return try await blocking { try TestClient(address, receiveBuffer: receiveBuffer) }
    }
}

func served(
    at text: String = "127.0.0.1:0", settings: LoopSettings = LoopSettings(),
    refuse: @escaping RefusalHandler = { _, _ in [] },
    handler: @escaping @Sendable (Recorder) -> TestHandler = { .echo($0) },
    _ body: @Sendable (Served) async throws -> Void
) async throws {
    let recorder = Recorder()
    let loop = try EventLoop(index: 0, settings: settings)
    let sockets = try ListeningSocket.bind(.parse(text), loops: 1)
    let address = try #require(sockets.first).address
    try await loop.listen(on: sockets, accept: { _ in handler(recorder) }, refuse: refuse)
    do {
        try await body(Served(loop: loop, address: address, recorder: recorder))
    } catch {
        await loop.shutdown()
        throw error
    }
    await loop.shutdown()
}

/// A folder of its own for one test.
func withTemporaryFolder<R>(_ body: (String) async throws -> R) async throws -> R {
    let folder = NSTemporaryDirectory() + "fakemx-loop-" + UUID().uuidString.prefix(8)
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    return try await body(folder)
}

func openDescriptors() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count) ?? -1
}
