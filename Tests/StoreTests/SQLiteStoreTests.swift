// What the file adds: what was kept is there after the end of the process, octet for octet, and the indexes never hide
// anything, whatever was removed.

import Foundation
import Journal
import SMTP
import Testing

@testable import Store

@Suite("A store in a file", .timeLimit(.minutes(2)))
struct SQLiteStoreTests {
    private func ticket(_ connection: UInt64) -> KeepTicket { KeepTicket(loop: 1, connection: connection) }

    @Test("answers each message once, with its ticket, in the order in which they came")
    func answers() async throws {
        let (folder, answers) = (try Folder(), Answers())
        let store = try folder.store(Retention(), answers)
        for number in UInt64(1)...300 {
            guard case .later = store.keep(message("s\(number).1"), ticket(number)) else {
                Issue.record("message \(number) was not taken")
                return
            }
        }
        await store.settle()
        #expect(answers.all == (1...300).map { KeepResult(ticket: ticket($0), failure: nil) })
        await store.close()
    }

    @Test("has everything again when it is opened anew", arguments: SyncMode.allCases)
    func reopening(_ sync: SyncMode) async throws {
        let folder = try Folder()
        let messages = (1...20).map { message("s\($0).1", to: ["user\($0)@x.test"], "text \($0)", at: Int64($0)) }
        var store = try folder.store(sync: sync)
        for message in messages { _ = store.keep(message, ticket(0)) }
        store.keep(session(31, to: ["ann@x.test"], octets: 20, at: 5))
        _ = try await store.mark([2, 3]) { $0 = Marks(isRead: true, tags: ["näh"]) }
        #expect(try await store.removeMessages([1]) == [1])
        try await store.fill()
        let counts = store.counts
        await store.close()
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() == ["mail.db", "mail.db-bodies"])
        for isIndexed in [true, false] {
            store = try folder.store(sync: sync)
            #expect(
                try await store.messages(StoreQuery(limit: 99)) { _ in true }.map(\.message)
                    == messages.dropFirst().reversed())
            #expect(try await store.messages(StoreQuery(to: ["user7@x.test"])) { _ in true }.map(\.position) == [7])
            #expect(try await store.message("s2.1")?.marks == Marks(isRead: true, tags: ["näh"]))
            #expect(try await store.tags() == ["näh": 2])
            #expect(try await store.session(31)?.log == session(31, octets: 20).log)
            #expect(try await store.lastPositions() == (20, 1))
            #expect(store.lastSessionNumber == 31)
            #expect(store.counts.messages == counts.messages && store.counts.messageOctets == counts.messageOctets)
            #expect(store.counts.sessions == 1 && store.counts.sessionOctets == counts.sessionOctets)
            #expect(store.counts.unreadMessages == 17 && store.counts.messagesEver == 0)
            if isIndexed { try await store.change { writer throws(SQLiteFault) in try writer.emptyIndex(.messages) } }
            await store.close()
        }
    }

    @Test("has what was answered even when the process ends without a word")
    func sudden() async throws {
        let (folder, other) = (try Folder(), try Folder())
        let store = try folder.store()
        for number in UInt64(1)...100 { _ = store.keep(message("s\(number).1", octets: 3000), ticket(number)) }
        await store.settle()
        // What a killed process leaves: the file and its log as they are now.
        for suffix in ["", "-wal", "-bodies"] {
            try FileManager.default.copyItem(atPath: folder.file + suffix, toPath: other.file + suffix)
        }
        let left = try other.store()
        let found = try await left.messages(StoreQuery(limit: 1000)) { _ in true }
        #expect(found.map(\.message) == (1...100).reversed().map { message("s\($0).1", octets: 3000) })
        #expect(left.counts.messages == 100 && left.lastSessionNumber == 100)
        await left.close()
        await store.close()
    }

    @Test("numbers go on after everything was removed and the store was opened anew")
    func numbers() async throws {
        let folder = try Folder()
        var store = try folder.store()
        _ = store.keep(message("s12.3"), ticket(0))
        store.keep(session(11))
        #expect(try await store.removeAllMessages() == 1)
        #expect(try await store.removeAllSessions() == 1)
        await store.close()
        store = try folder.store()
        #expect(store.lastSessionNumber == 12)
        #expect(try await store.lastPositions() == (1, 1))
        _ = store.keep(message("s13.1"), ticket(0))
        #expect(try await store.message("s13.1")?.position == 2)
        await store.close()
    }

    @Test("keeps every octet of content and envelope")
    func octets() async throws {
        let folder = try Folder()
        let every = [UInt8](0...255)
        var reverse = ReversePath(
            address: Array("\"a b\\\"@\"@x.test".utf8), size: 123_456, body: .binaryMIME, smtpUTF8: true,
            returnContent: .headers, envelopeID: Array("QQ+3D".utf8), auth: Array("<>".utf8))
        let forward = [
            ForwardPath(address: Array("grüße@bücher.test".utf8), notify: .never, originalRecipient: every),
            ForwardPath(address: every, notify: [.success, .delay]), ForwardPath(address: Array("Postmaster".utf8)),
        ]
        var messages: [Message] = []
        for body in [nil, BodyType.sevenBit, .eightBitMIME, .binaryMIME] {
            reverse.body = body
            for returnContent in [nil, ReturnContent.full, .headers] {
                reverse.returnContent = returnContent
                messages.append(
                    Message(
                        id: "s1.\(messages.count)", reversePath: reverse, recipients: forward, content: every,
                        helo: every, client: "2001:db8::1", withProtocol: "UTF8SMTPSA", received_us: .max))
            }
        }
        messages.append(
            Message(
                id: "", reversePath: ReversePath(address: [], size: -1, envelopeID: [], auth: []), recipients: [],
                content: [], helo: [], client: "", withProtocol: "", received_us: .min))
        let large = Array(repeating: every, count: 4000).flatMap { $0 }
        messages.append(
            Message(
                id: "large", reversePath: ReversePath(address: []),
                recipients: Array(repeating: forward[1], count: 1000), content: large, helo: [], client: "::1",
                withProtocol: "SMTP", received_us: 0))
        let store = try folder.store()
        for message in messages { _ = store.keep(message, ticket(0)) }
        #expect(try await store.messages(StoreQuery(limit: 99)) { _ in true }.map(\.message) == messages.reversed())
        await store.close()
    }

    @Test("an envelope that was cut is found out, wherever it was cut")
    func cutEnvelope() {
        var octets: [UInt8] = []
        var whole = message("s1.1", to: ["a@x.test", "b@x.test"])
        whole.content = []
        EnvelopeCode.encode(whole, into: &octets)
        for count in octets.indices {
            octets[..<count].withUnsafeBytes {
                #expect(EnvelopeCode.decode($0, content: [], received_us: 0) == nil)
            }
        }
        octets.withUnsafeBytes { #expect(EnvelopeCode.decode($0, content: [], received_us: 0) == whole) }
    }

    // MARK: Indexes

    @Test("finds what stands in the index and what stands behind it")
    func halfIndexed() async throws {
        let fixture = try StoreFixture(.sqlite)
        let store = try #require(fixture.store as? SQLiteStore)
        try await fixture.keep(message("s1.1", "apple pie"), message("s1.2", "pear"), message("s1.3", "apple"))
        try await store.fill()
        await store.stopFilling()
        try await fixture.keep(message("s1.4", "apple"), message("s1.5", to: ["bob@x.test"], "apple"))
        var query = StoreQuery(to: ["ann@example.test"])
        query.containing = ["apple"]
        #expect(try await fixture.ids(query) == ["s1.4", "s1.3", "s1.1"])
        query.before = 4
        #expect(try await fixture.ids(query) == ["s1.3", "s1.1"])
        query.after = 1
        #expect(try await fixture.ids(query) == ["s1.3"])
        await store.close()
    }

    @Test("searches look at no more than may have the text")
    func narrowing() async throws {
        let fixture = try StoreFixture(.sqliteIndexed)
        for number in 1...50 {
            _ = fixture.store.keep(message("s\(number).1", "number \(number) of all"), ticket(0))
        }
        try await fixture.ready()
        var query = StoreQuery(limit: 100)
        query.containing = ["NUMBER 17"]
        #expect(try await fixture.ids(query) == ["s17.1"])
        query.facets = [[Facet.session.hash("s16")]]
        #expect(try await fixture.ids(query).isEmpty)
    }

    @Test("what is kept while the index is filled is found as well")
    func fillingMeanwhile() async throws {
        let fixture = try StoreFixture(.sqlite)
        let store = try #require(fixture.store as? SQLiteStore)
        try await withThrowingTaskGroup { group in
            group.addTask {
                for number in 1...2000 {
                    _ = store.keep(message("s\(number).1", "fruit \(number % 7) end"), ticket(0))
                    store.keep(session(UInt64(number), to: ["user\(number % 7)@x.test"]))
                    if number % 50 == 0 { await store.settle() }
                }
            }
            group.addTask { for _ in 0..<20 { try await store.fill() } }
            try await group.waitForAll()
        }
        for isFilled in [false, true] {
            if isFilled { try await store.fill() }
            let expected = stride(from: 1998, to: 0, by: -7).map { Int64($0) }
            var query = StoreQuery(limit: 9999)
            query.containing = ["fruit 3 end"]
            let found = try await store.messages(query) { $0.message.content == Array("fruit 3 end".utf8) }
            #expect(found.map(\.position) == expected)
            #expect(
                try await fixture.numbers(StoreQuery(limit: 9999, to: ["user3@x.test"])).map { Int64($0) } == expected)
        }
        #expect(store.figures.withLock { $0.totals.messages.indexed } == 2000)
        await store.close()
    }

    @Test("a message with too much text for the index is looked at by every search")
    func unsearchable() async throws {
        let fixture = try StoreFixture(.sqliteIndexed)
        try await fixture.keep(
            message("s1.1", octets: 200_000), message("s1.2", "short"), message("s1.3", octets: 5_000_000))
        var query = StoreQuery(limit: 100)
        query.containing = ["no such text"]
        #expect(try await fixture.ids(query) == ["s1.3", "s1.1"])
        query.before = 3
        #expect(try await fixture.ids(query) == ["s1.1"])
    }

    @Test("the index is made anew when most of what it has is gone, and hides nothing")
    func renewal() async throws {
        var retention = Retention()
        retention.messages = 100
        retention.sessions = 100
        let folder = try Folder()
        let store = try folder.store(retention)
        for round in 0..<8 {
            for number in 1...1000 {
                let id = round * 1000 + number
                _ = store.keep(message("s\(id).1", to: ["user\(id % 10)@x.test"], "text \(id) end"), ticket(0))
                store.keep(session(UInt64(id), to: ["user\(id % 10)@x.test"]))
                if number % 100 == 0 { try await store.fill() }
            }
        }
        #expect(store.counts.messages == 100)
        let messages = try await store.messages(StoreQuery(to: ["user3@x.test"])) { _ in true }
        #expect(messages.map(\.position) == stride(from: 7993, to: 7900, by: -10).map { Int64($0) })
        let sessions = try await store.sessions(StoreQuery(to: ["user3@x.test"])) { _ in true }
        #expect(sessions.map(\.position) == messages.map(\.position))
        var query = StoreQuery(limit: 10)
        query.containing = ["text 7950 end"]
        #expect(try await store.messages(query) { _ in true }.map(\.position) == [7950])
        let gone = store.figures.withLock { ($0.totals.messages.gone, $0.totals.sessions.gone) }
        #expect(gone.0 < 6000 && gone.1 < 6000)
        await store.close()
    }

    @Test("space of what was dropped is used again")
    func space() async throws {
        var retention = Retention()
        retention.messages = 20
        let folder = try Folder()
        let store = try folder.store(retention)
        for _ in 0..<40 {
            for _ in 0..<20 { _ = store.keep(message("s1.1", octets: 100_000), ticket(0)) }
            await store.settle()
        }
        await store.close()
        let octets = try #require(FileManager.default.attributesOfItem(atPath: folder.file)[.size] as? Int)
        #expect(octets < 8_000_000)
    }
}
