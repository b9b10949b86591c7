// Stores of each kind for the tests, with a folder that goes when the test ends, and messages and sessions to keep.

import Foundation
import Journal
import SMTP
import Synchronization
import Testing

@testable import Store

/// What the contract is run against. SQLite twice: where everything is behind its index, and where everything is in it.
enum StoreKind: String, CaseIterable, CustomTestStringConvertible {
    case memory, sqlite, sqliteIndexed

    var testDescription: String { rawValue }
}

/// A store, and what it answered.
final class StoreFixture: Sendable {
    let store: any SessionStore
    let kind: StoreKind
    let folder: Folder
    let answers: Answers

    init(_ kind: StoreKind, _ retention: Retention = Retention()) throws {
        self.kind = kind
        folder = try Folder()
        answers = Answers()
        store = try kind == .memory ? MemoryStore(retention: retention) : folder.store(retention, answers)
    }

    /// Everything that was kept can be read, and is in the index where there is one to be tested.
    func ready() async throws {
        await store.settle()
        if kind == .sqliteIndexed, let store = store as? SQLiteStore { try await store.fill() }
    }

    func keep(_ messages: Message...) async throws {
        for message in messages { _ = store.keep(message, KeepTicket(loop: 0, connection: 0)) }
        try await ready()
    }

    func keep(_ sessions: StoredSession...) async throws {
        for session in sessions { store.keep(session) }
        try await ready()
    }

    func ids(_ query: StoreQuery = StoreQuery(limit: 100)) async throws -> [String] {
        try await store.messages(query) { _ in true }.map(\.message.id)
    }

    func numbers(_ query: StoreQuery = StoreQuery(limit: 100)) async throws -> [UInt64] {
        try await store.sessions(query) { _ in true }.map(\.number)
    }

    func positions() async throws -> [Int64] {
        try await store.messages(StoreQuery(limit: 1000)) { _ in true }.map(\.position)
    }
}

/// A folder that is removed at the end.
final class Folder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/fakemx-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var file: String { path + "/mail.db" }

    func store(
        _ retention: Retention = Retention(), _ answers: Answers = Answers(), sync: SyncMode = .normal,
        text: @escaping @Sendable (Message) -> String = { String(decoding: $0.content, as: UTF8.self) }
    ) throws(StoreFailure) -> SQLiteStore {
        try SQLiteStore(path: file, sync: sync, retention: retention, text: text, onKept: { answers.add($0) })
    }
}

/// Late answers, as they came.
final class Answers: Sendable {
    private let results = Mutex<[KeepResult]>([])

    func add(_ more: [KeepResult]) { results.withLock { $0 += more } }
    var all: [KeepResult] { results.withLock { $0 } }
    var kept: [UInt64] { all.filter { $0.failure == nil }.map(\.ticket.connection) }
    var failures: [StoreFailure] { all.compactMap(\.failure) }
}

/// Reads like mail: s1.1 from a sender to its recipients.
func message(
    _ id: String, to recipients: [String] = ["ann@example.test"], _ text: String = "Subject: hello\r\n\r\nhello\r\n",
    at received_us: Int64 = 0
) -> Message {
    Message(
        id: id, reversePath: ReversePath(address: Array("sender@example.test".utf8)),
        recipients: recipients.map { ForwardPath(address: Array($0.utf8)) }, content: Array(text.utf8),
        helo: Array("client.test".utf8), client: "127.0.0.1", withProtocol: "ESMTP", received_us: received_us)
}

func message(_ id: String, octets: Int, at received_us: Int64 = 0) -> Message {
    message(id, String(repeating: "x", count: octets), at: received_us)
}

func session(_ number: UInt64, to recipients: [String] = [], octets: Int = 0, at ended_us: Int64 = 0) -> StoredSession {
    var log = EventLog()
    if octets > 0 { log.append(.noticed(String(repeating: "n", count: octets)), at_us: 1) }
    return StoredSession(
        number: number, log: log, eventsDropped: 3, facets: Set(recipients.map { Facet.to.hash($0) }),
        ended_us: ended_us)
}

extension StoreQuery {
    init(limit: Int = 100, to groups: [String]...) {
        self.init(limit: limit)
        facets = groups.map { $0.map { Facet.to.hash($0) } }
    }
}
