// The file of contents beside the database: what was kept is there octet for octet, room comes back, and a file that is
// not what the database says is never taken for mail.

import Foundation
import SMTP
import Testing

@testable import Store

@Suite("The file of contents", .timeLimit(.minutes(2)))
struct BodyFileTests {
    private func keep(_ messages: [Message], in store: SQLiteStore) async {
        for message in messages { _ = store.keep(message, KeepTicket(loop: 0, connection: 0)) }
        await store.settle()
    }

    private func contents(_ store: SQLiteStore) async throws -> [[UInt8]] {
        var query = StoreQuery(limit: 1000)
        query.oldestFirst = true
        return try await store.messages(query) { _ in true }.map(\.message.content)
    }

    /// Each with a content of its own.
    private func messages(_ sizes: [Int], from first: Int = 1) -> [Message] {
        sizes.enumerated().map { index, size in
            let octet = UnicodeScalar(UInt8(97 + (first + index) % 26))
            return message("s\(first + index).1", String(repeating: String(octet), count: size))
        }
    }

    @Test("small and large contents, alone and together, come back octet for octet", arguments: SyncMode.allCases)
    func sizes(_ sync: SyncMode) async throws {
        let folder = try Folder()
        let sizes = [0, 1, 15, 16, 17, 4096, 65_535, 65_536, 65_537, 0, 300_000, 3, 1 << 20, 65_536, 65_536, 65_536, 9]
        let all = messages(sizes)
        var store = try folder.store(sync: sync)
        await keep(all, in: store)
        for message in messages(sizes, from: 100) { await keep([message], in: store) }
        #expect(try await contents(store) == all.map(\.content) + messages(sizes, from: 100).map(\.content))
        await store.close()
        store = try folder.store(sync: sync)
        #expect(try await contents(store) == all.map(\.content) + messages(sizes, from: 100).map(\.content))
        var query = StoreQuery(limit: 1)
        query.contentLimit = 2
        query.oldestFirst = true
        query.after = 2
        #expect(
            try await store.messages(query) { _ in true }.map(\.message.content) == [Array(all[2].content.prefix(2))])
        await store.close()
    }

    @Test("a file of version 1, which has contents in the database, is read on and written on")
    func versionOne() async throws {
        let folder = try Folder()
        var store = try folder.store()
        await keep(messages([5, 70_000]), in: store)
        let old = try await contents(store)
        _ = try await store.change { writer throws(SQLiteFault) in
            let put = try writer.statement("UPDATE messages SET content = ? WHERE position = ?")
            for (index, content) in old.enumerated() {
                put.bind(2, index + 1)
                try put.check(
                    content.withUnsafeBytes { octets in
                        put.bind(1, octets)
                        return put.runForCode()
                    })
            }
        }
        // What the second migration has done, undone.
        _ = try await store.change { writer throws(SQLiteFault) in
            try writer.connection.execute(
                """
                ALTER TABLE messages DROP COLUMN body; ALTER TABLE state DROP COLUMN body_end;
                DELETE FROM grdb_migrations WHERE identifier = '2'; PRAGMA user_version = 1;
                """)
        }
        await store.close()
        try FileManager.default.removeItem(atPath: folder.file + "-bodies")
        store = try folder.store()
        #expect(try await contents(store) == old)
        await keep(messages([7, 80_000], from: 3), in: store)
        #expect(try await contents(store) == old + messages([7, 80_000], from: 3).map(\.content))
        #expect(try await store.removeMessages([1, 3]).sorted() == [1, 3])
        await store.close()
        store = try folder.store()
        #expect(try await contents(store) == [old[1], messages([80_000], from: 4)[0].content])
        await store.close()
    }

    @Test("what is removed, or dropped by retention, gives its room back")
    func room() async throws {
        let folder = try Folder()
        var retention = Retention()
        retention.messages = 50
        let store = try folder.store(retention)
        await keep(messages(Array(repeating: 100_000, count: 40)), in: store)
        #expect(BodyFile.octetCount(path: folder.file + "-bodies") >= 4_000_000)
        _ = try await store.removeMessages(Array(1...39))
        try await eventually { BodyFile.octetCount(path: folder.file + "-bodies") < 250_000 }
        for _ in 0..<10 { await keep(messages(Array(repeating: 100_000, count: 20), from: 100), in: store) }
        try await eventually { BodyFile.octetCount(path: folder.file + "-bodies") < 5_700_000 }
        let kept = try await contents(store)
        #expect(kept.count == 50 && kept.allSatisfy { $0.count == 100_000 })
        _ = try await store.removeAllMessages()
        try await eventually { BodyFile.octetCount(path: folder.file + "-bodies") < 50_000 }
        await store.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["mail.db"])
    }

    private func eventually(_ holds: () -> Bool) async throws {
        for _ in 0..<500 where !holds() { try await Task.sleep(for: .milliseconds(10)) }
        #expect(holds())
    }

    @Test("what a process that ended has left behind the end does no harm")
    func leftOver() async throws {
        let folder = try Folder()
        var store = try folder.store()
        await keep(messages([10, 20]), in: store)
        await store.close()
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: folder.file + "-bodies"))
        try file.seekToEnd()
        try file.write(contentsOf: Data(repeating: 0x5a, count: 10_000))
        try file.close()
        store = try folder.store()
        await keep(messages([30], from: 3), in: store)
        #expect(try await contents(store) == messages([10, 20, 30]).map(\.content))
        await store.close()
    }

    @Test("a file that is missing or too short is said at the start; a content that is not the one is never shown")
    func damage() async throws {
        let folder = try Folder()
        var store = try folder.store()
        await keep(messages([10, 5000, 20]), in: store)
        await store.close()
        let url = URL(fileURLWithPath: folder.file + "-bodies")
        let whole = try Data(contentsOf: url)
        try whole.dropLast(1).write(to: url)
        #expect(throws: StoreFailure.self) { _ = try folder.store() }
        do { _ = try folder.store() } catch {
            #expect(error.reason.contains("mail.db-bodies is missing or too short"))
        }
        var zeroed = whole
        zeroed.replaceSubrange(26..<42, with: Data(count: 16))
        try zeroed.write(to: url)
        store = try folder.store()
        #expect(try await store.message("s1.1")?.message.content == messages([10])[0].content)
        await #expect(throws: StoreFailure.self) { _ = try await store.message("s2.1") }
        #expect(try await store.message("s3.1")?.message.content == messages([20], from: 3)[0].content)
        await store.close()
    }
}
