// What can go wrong with a file: each has its words, leaves what is not ours alone, and the store goes on by itself
// when the trouble is over. The full disk is a limit of pages inside SQLite, and, where the tests may mount one, a real
// small file system.

import Foundation
import Glibc
import SMTP
import Synchronization
import Testing

@testable import Store

@Suite("Trouble with the file of a store", .timeLimit(.minutes(2)))
struct SQLiteTroubleTests {
    private func keep(_ message: Message, in store: SQLiteStore, _ connection: UInt64 = 0) {
        _ = store.keep(message, KeepTicket(loop: 0, connection: connection))
    }

    /// What opening says.
    private func reason(_ path: String) throws -> String {
        do {
            _ = try SQLiteStore(
                path: path, sync: .normal, retention: Retention(), text: { _ in "" }, onKept: { _ in })
            return "opened"
        } catch {
            return error.reason
        }
    }

    private func files(_ folder: Folder) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    // MARK: At the start

    @Test("a second fakemx on the same file is refused at once, and the first goes on")
    func twice() async throws {
        let folder = try Folder()
        let store = try folder.store()
        keep(message("s1.1"), in: store)
        #expect(
            try reason(folder.file).hasSuffix(
                "mail.db: another fakemx has this store open; stop that one, or give this one a file of its own"))
        keep(message("s1.2"), in: store)
        #expect(try await store.messages(StoreQuery(limit: 9)) { _ in true }.count == 2)
        await store.close()
        let again = try folder.store()
        #expect(again.counts.messages == 2)
        await again.close()
    }

    @Test(
        "a file that is no database is refused and not touched",
        arguments: ["not a database\n", String(repeating: "x", count: 9000)])
    func noDatabase(_ text: String) throws {
        let folder = try Folder()
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file))
        #expect(
            try reason(folder.file).hasSuffix("mail.db: is no fakemx store, nor any SQLite database; name another file")
        )
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file)) == Data(text.utf8))
        #expect(try files(folder) == ["mail.db"])
    }

    @Test("a database of another program or of a newer version is refused and not touched")
    func foreign() async throws {
        let folder = try Folder()
        await (try folder.store()).close()
        let url = URL(fileURLWithPath: folder.file)
        let ours = try Data(contentsOf: url)
        // SQLite file format §1.3: user_version at 60, application_id at 68, big end first.
        for (offset, value, words) in [
            (68, UInt8(1), "is a database of another program; name another file"),
            (60, 1, "was written by a newer fakemx (store version 16777218, this one reads up to 2)"),
        ] {
            var patched = ours
            patched[offset] = value
            try patched.write(to: url)
            #expect(try reason(folder.file).contains("mail.db: \(words)"))
            #expect(try Data(contentsOf: url) == patched)
            #expect(try files(folder) == ["mail.db"])
        }
        try ours.write(to: url)
        #expect(try reason(folder.file) == "opened")
    }

    @Test("a store whose log says that it is newer is refused")
    func newerLog() async throws {
        let (folder, other) = (try Folder(), try Folder())
        let store = try folder.store()
        try await store.change { writer throws(SQLiteFault) in try writer.connection.execute("PRAGMA user_version = 7")
        }
        for suffix in ["", "-wal", "-bodies"] {
            try FileManager.default.copyItem(atPath: folder.file + suffix, toPath: other.file + suffix)
        }
        #expect(try reason(other.file).contains("newer fakemx (store version 7"))
        await store.close()
    }

    @Test("a folder, a missing folder, no name and no permission have their words")
    func places() throws {
        let folder = try Folder()
        #expect(try reason(folder.path) == "\(folder.path): cannot keep a store in a folder; name a file in it")
        #expect(
            try reason(folder.path + "/no/mail.db")
                == "\(folder.path)/no/mail.db: the folder \(folder.path)/no does not exist; "
                + "create it, or name another file"
        )
        #expect(try reason("") == "the store has no file name; name one")
        // Not even root may make files there.
        #expect(try reason("/proc/mail.db").hasPrefix("/proc/mail.db: cannot write beside it ("))
        #expect(try files(folder).isEmpty)
    }

    @Test("a damaged database is an answer, not a crash")
    func damaged() async throws {
        let folder = try Folder()
        let store = try folder.store()
        for number in 1...50 { keep(message("s1.\(number)", octets: 5000), in: store) }
        await store.close()
        var octets = try Data(contentsOf: URL(fileURLWithPath: folder.file))
        for index in stride(from: 16_384, to: octets.count, by: 1) { octets[index] = 0xa5 }
        try octets.write(to: URL(fileURLWithPath: folder.file))
        #expect(try reason(folder.file).contains("the database is damaged ("))
    }

    // MARK: While it runs

    @Test("when the disk is full, what does not fit is refused, and it goes on when there is room")
    func fullDisk() async throws {
        let (folder, answers) = (try Folder(), Answers())
        let store = try folder.store(Retention(), answers)
        keep(message("s1.1"), in: store, 1)
        await store.settle()
        await store.stopFilling()
        try await store.change { writer throws(SQLiteFault) in
            try writer.connection.execute("PRAGMA max_page_count = 1")
        }
        let gate = await Gate(store)
        keep(message("s1.2"), in: store, 2)
        // What is written first, its content, must not stay where the row finds no room.
        let many = (0..<20_000).map { "user\($0)@example.test" }
        keep(message("s1.3", to: many), in: store, 3)
        keep(message("s1.4"), in: store, 4)
        store.keep(session(9, octets: 500_000))
        gate.open()
        await store.settle()
        #expect(answers.all.map(\.ticket.connection) == [1, 2, 3, 4])
        #expect(answers.kept == [1, 2, 4])
        let words = "\(folder.file): the disk is full; make room, and keeping goes on by itself"
        #expect(answers.failures.map(\.reason) == [words])
        #expect(store.counts.trouble == words)
        #expect(store.counts.refusals == 1 && store.counts.sessionRefusals == 1)
        #expect(
            try await store.messages(StoreQuery(limit: 9)) { _ in true }.map(\.message.id) == ["s1.4", "s1.2", "s1.1"])
        // Room again.
        try await store.change { writer throws(SQLiteFault) in
            try writer.connection.execute("PRAGMA max_page_count = 1000000")
        }
        keep(message("s1.5", to: many), in: store, 5)
        await store.settle()
        #expect(answers.kept == [1, 2, 4, 5])
        #expect(store.counts.trouble == nil && store.counts.refusals == 1 && store.counts.messages == 4)
        #expect(try await store.lastPositions().message == 4)
        await store.close()
    }

    @Test("a file system that is full is told, and what was kept is whole", .enabled(if: SmallDisk.canMount))
    func realFullDisk() async throws {
        let disk = try SmallDisk(octets: 4 << 20)
        let answers = Answers()
        let store = try SQLiteStore(
            path: disk.folder.file, sync: .full, retention: Retention(),
            text: { String(decoding: $0.content, as: UTF8.self) }, onKept: { answers.add($0) })
        for number in UInt64(1)...60 {
            keep(message("s\(number).1", octets: 100_000), in: store, number)
            await store.settle()
        }
        let kept = answers.kept
        #expect(!kept.isEmpty && kept.count < 60 && answers.all.count == 60)
        #expect(answers.failures.allSatisfy { $0.reason.contains("the disk is full") })
        #expect(store.counts.refusals == 60 - kept.count)
        #expect(
            try await store.messages(StoreQuery(limit: 99)) { _ in true }.map(\.message)
                == kept.reversed().map { message("s\($0).1", octets: 100_000) })
        #expect(disk.grow(to: 64 << 20))
        keep(message("s61.1", octets: 100_000), in: store, 61)
        await store.settle()
        #expect(answers.kept.last == 61 && store.counts.trouble == nil)
        await store.close()
    }

    @Test("more than the queue holds is refused with its reason")
    func fullQueue() async throws {
        let (folder, answers) = (try Folder(), Answers())
        let store = try folder.store(Retention(), answers)
        let gate = await Gate(store)
        // One array for all: the test needs no more memory than the first.
        let large = message("s1.1", octets: 100 << 20)
        var refused: [String] = []
        for number in UInt64(1)...4 {
            if case .refused(let failure) = store.keep(large, KeepTicket(loop: 0, connection: number)) {
                refused.append(failure.reason)
            }
        }
        #expect(
            refused
                == Array(
                    repeating: "\(folder.file): 256 MiB wait to be written; send slower, or use a faster disk", count: 2
                ))
        #expect(store.counts.refusals == 2)
        gate.open()
        await store.settle()
        #expect(answers.kept == [1, 2])
        keep(message("s1.2"), in: store, 5)
        await store.settle()
        #expect(answers.kept == [1, 2, 5])
        await store.close()
    }

    @Test("a closed store keeps nothing, answers questions with a failure, and may be closed again")
    func closed() async throws {
        let folder = try Folder()
        let store = try folder.store()
        keep(message("s1.1"), in: store)
        await store.close()
        await store.close()
        guard case .refused(let failure) = store.keep(message("s1.2"), KeepTicket(loop: 0, connection: 0)) else {
            Issue.record("a closed store has taken a message")
            return
        }
        #expect(failure.reason == "\(folder.file): the store is closed; start it again")
        await store.settle()
        let asked = await #expect(throws: StoreFailure.self) {
            try await store.messages(StoreQuery(limit: 1)) { _ in true }
        }
        #expect(asked?.reason.hasPrefix("\(folder.file): the store is closed (") == true)
        let removing = await #expect(throws: StoreFailure.self) { try await store.removeMessages([1]) }
        #expect(removing?.reason == "\(folder.file): the store is closed; start it again")
        #expect(store.counts.messages == 1)
    }
}

/// Holds the writer of a store until it is opened, so that what is kept meanwhile comes in one group.
private final class Gate: Sendable {
    private let isOpen = DispatchSemaphore(value: 0)

    init(_ store: SQLiteStore) async {
        let isOpen = isOpen
        await withCheckedContinuation { entered in
            Task {
                try? await store.change { _ throws(SQLiteFault) in
                    entered.resume()
                    isOpen.wait()
                }
            }
        }
    }

    func open() { isOpen.signal() }
}

/// A file system of its own, in memory.
private final class SmallDisk: Sendable {
    let folder: Folder

    init(octets: Int) throws {
        folder = try Folder()
        guard mount("fakemx", folder.path, "tmpfs", 0, "size=\(octets)") == 0 else {
            throw StoreFailure(reason: "cannot mount: \(String(cString: strerror(errno)))")
        }
    }

    deinit { umount2(folder.path, Int32(MNT_DETACH)) }

    func grow(to octets: Int) -> Bool {
        mount("fakemx", folder.path, "tmpfs", UInt(MS_REMOUNT), "size=\(octets)") == 0
    }

    static var canMount: Bool { (try? SmallDisk(octets: 1 << 20)) != nil }
}
