// What every store that keeps promises, whichever kind it is.

import Journal
import SMTP
import Testing

@testable import Store

@Suite("Every store that keeps", .timeLimit(.minutes(2)))
struct StoreContractTests {
    @Test("gives back messages as they came, newest first", arguments: StoreKind.allCases)
    func order(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        let messages = (1...5).map { message("s1.\($0)", "Subject: \($0)\r\n\r\n", at: Int64($0)) }
        for message in messages { try await fixture.keep(message) }
        let found = try await fixture.store.messages(StoreQuery(limit: 10)) { _ in true }
        #expect(found.map(\.message) == messages.reversed())
        #expect(found.map(\.position) == [5, 4, 3, 2, 1])
        #expect(found.allSatisfy { $0.size == $0.message.content.count && $0.marks == Marks() })
        #expect(try await fixture.store.lastPositions().message == 5)
    }

    @Test("gives back sessions as they were, newest first", arguments: StoreKind.allCases)
    func sessions(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        for number in UInt64(1)...3 { try await fixture.keep(session(number, to: ["ann@x.test"], octets: 9, at: 7)) }
        let found = try await fixture.store.sessions(StoreQuery(limit: 10)) { _ in true }
        #expect(found.map(\.number) == [3, 2, 1])
        #expect(found.map(\.position) == [3, 2, 1])
        let expected = session(3, to: ["ann@x.test"], octets: 9, at: 7)
        #expect(found[0].log == expected.log && found[0].facets == expected.facets)
        #expect(found[0].eventsDropped == 3 && found[0].ended_us == 7)
        #expect(try await fixture.store.session(2)?.position == 2)
        #expect(try await fixture.store.session(9) == nil)
        #expect(try await fixture.store.lastPositions().session == 3)
    }

    @Test("pages by position and stops at the limit", arguments: StoreKind.allCases)
    func paging(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        for number in 1...9 { try await fixture.keep(message("s1.\(number)")) }
        var query = StoreQuery(limit: 2)
        #expect(try await fixture.ids(query) == ["s1.9", "s1.8"])
        query.before = 8
        #expect(try await fixture.ids(query) == ["s1.7", "s1.6"])
        query = StoreQuery(limit: 100)
        query.after = 6
        #expect(try await fixture.ids(query) == ["s1.9", "s1.8", "s1.7"])
        query.before = 9
        #expect(try await fixture.ids(query) == ["s1.8", "s1.7"])
        query.before = 7
        #expect(try await fixture.ids(query).isEmpty)
        #expect(try await fixture.ids(StoreQuery(limit: 0)).isEmpty)
    }

    @Test("gives the oldest first where that is asked for", arguments: StoreKind.allCases)
    func oldestFirst(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        for number in 1...9 {
            try await fixture.keep(message("s1.\(number)", to: [number.isMultiple(of: 2) ? "a@x" : "b@x"]))
        }
        var query = StoreQuery(limit: 3)
        query.oldestFirst = true
        #expect(try await fixture.ids(query) == ["s1.1", "s1.2", "s1.3"])
        (query.after, query.before) = (4, 8)
        #expect(try await fixture.ids(query) == ["s1.5", "s1.6", "s1.7"])
        (query.after, query.before, query.facets) = (2, nil, [[Facet.to.hash("a@x")]])
        #expect(try await fixture.ids(query) == ["s1.4", "s1.6", "s1.8"])
        for number in UInt64(1)...4 { try await fixture.keep(session(number, to: ["ann@x.test"], octets: 9, at: 7)) }
        query = StoreQuery(limit: 2)
        (query.oldestFirst, query.after) = (true, 1)
        #expect(try await fixture.store.sessions(query) { _ in true }.map(\.number) == [2, 3])
    }

    @Test("looks at as many as it takes to find what is wanted", arguments: StoreKind.allCases)
    func wanted(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        for number in 1...1500 {
            _ = fixture.store.keep(message("s\(number).1"), KeepTicket(loop: 0, connection: 0))
            fixture.store.keep(session(UInt64(number)))
        }
        try await fixture.ready()
        let found = try await fixture.store.messages(StoreQuery(limit: 2)) { $0.position % 700 == 0 }
        #expect(found.map(\.position) == [1400, 700])
        let sessions = try await fixture.store.sessions(StoreQuery(limit: 9)) { $0.number % 700 == 0 }
        #expect(sessions.map(\.number) == [1400, 700])
    }

    @Test("finds messages by one of each group of facets", arguments: StoreKind.allCases)
    func messageFacets(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        try await fixture.keep(
            message("s1.1", to: ["ann@x.test"]), message("s1.2", to: ["bob@x.test", "ann@x.test"]),
            message("s1.3", to: ["eve@y.test"]), message("s1.4", to: ["BOB@x.test"]))
        #expect(try await fixture.ids(StoreQuery(to: ["ann@x.test"])) == ["s1.2", "s1.1"])
        #expect(try await fixture.ids(StoreQuery(to: ["ann@x.test", "eve@y.test"])) == ["s1.3", "s1.2", "s1.1"])
        #expect(try await fixture.ids(StoreQuery(to: ["ann@x.test"], ["bob@x.test"])) == ["s1.2"])
        #expect(try await fixture.ids(StoreQuery(to: ["bob@x.test"])) == ["s1.4", "s1.2"])
        #expect(try await fixture.ids(StoreQuery(to: ["nobody@x.test"])).isEmpty)
        #expect(try await fixture.ids(StoreQuery(to: [])).isEmpty)
        var query = StoreQuery(to: ["ann@x.test", "bob@x.test"])
        query.before = 4
        query.after = 1
        #expect(try await fixture.ids(query) == ["s1.2"])
    }

    @Test("finds sessions by one of each group of facets", arguments: StoreKind.allCases)
    func sessionFacets(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        try await fixture.keep(
            session(1, to: ["ann@x.test"]), session(2, to: ["bob@x.test", "ann@x.test"]), session(3))
        #expect(try await fixture.numbers(StoreQuery(to: ["ann@x.test"])) == [2, 1])
        #expect(try await fixture.numbers(StoreQuery(to: ["ann@x.test"], ["bob@x.test"])) == [2])
        #expect(try await fixture.numbers() == [3, 2, 1])
    }

    @Test("never leaves out a message that has the text", arguments: StoreKind.allCases)
    func texts(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        try await fixture.keep(
            message("s1.1", "Subject: Invoice 77\r\n\r\nplease pay"),
            message("s1.2", "Subject: Grüße\r\n\r\nNUL \0 behind"),
            message("s1.3", "say \"it's\" 100% OR NOT"), message("s1.4", "ab"))
        func found(_ texts: String...) async throws -> [String] {
            var query = StoreQuery(limit: 10)
            query.containing = texts
            let wanted = texts.map { $0.lowercased() }
            return try await fixture.store.messages(query) { stored in
                let text = String(decoding: stored.message.content, as: UTF8.self).lowercased()
                return wanted.allSatisfy { text.contains($0) }
            }.map(\.message.id)
        }
        #expect(try await found("invoice") == ["s1.1"])
        #expect(try await found("INVOICE 77", "pay") == ["s1.1"])
        #expect(try await found("grüße") == ["s1.2"])
        #expect(try await found("behind") == ["s1.2"])
        #expect(try await found("l \0 b") == ["s1.2"])
        #expect(try await found("\"it's\"") == ["s1.3"])
        #expect(try await found("% or not") == ["s1.3"])
        #expect(try await found("ab") == ["s1.4"])
        #expect(try await found("invoice", "grüße").isEmpty)
        #expect(try await found() == ["s1.4", "s1.3", "s1.2", "s1.1"])
    }

    @Test("reads the beginning of a content alone, and still knows its size", arguments: StoreKind.allCases)
    func contentLimit(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        let whole = message("s1.1", octets: 100_000)
        try await fixture.keep(whole)
        for limit in [0, 10, 200_000] {
            var query = StoreQuery(limit: 1)
            query.contentLimit = limit
            let stored = try #require(try await fixture.store.messages(query) { _ in true }.first)
            #expect(stored.size == 100_000)
            #expect(stored.message.content.count >= min(limit, 100_000))
            #expect(whole.content.starts(with: stored.message.content))
        }
    }

    @Test("finds a message by its id", arguments: StoreKind.allCases)
    func byID(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        for id in ["s1.1", "s01.1", "s1.2", "other", ""] { try await fixture.keep(message(id)) }
        for id in ["s1.1", "s01.1", "s1.2", "other", ""] {
            #expect(try await fixture.store.message(id)?.message.id == id)
        }
        #expect(try await fixture.store.message("s1.3") == nil)
    }

    @Test("notes who was read and what it was tagged with", arguments: StoreKind.allCases)
    func marks(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        try await fixture.keep(message("s1.1"), message("s1.2"), message("s1.3"))
        #expect(fixture.store.counts.unreadMessages == 3)
        #expect(try await fixture.store.mark([1, 3, 99]) { $0 = Marks(isRead: true, tags: ["a", "b"]) } == 2)
        #expect(try await fixture.store.mark([3, 3]) { $0.tags = ["b"] } == 1)
        #expect(fixture.store.counts.unreadMessages == 1)
        #expect(try await fixture.store.tags() == ["a": 1, "b": 2])
        let found = try await fixture.store.messages(StoreQuery(limit: 9)) { $0.marks.isRead }
        #expect(found.map(\.marks) == [Marks(isRead: true, tags: ["b"]), Marks(isRead: true, tags: ["a", "b"])])
        #expect(try await fixture.store.mark([1]) { $0 = Marks() } == 1)
        #expect(try await fixture.store.removeMessages([3]) == [3])
        #expect(fixture.store.counts.unreadMessages == 2)
        #expect(try await fixture.store.tags().isEmpty)
    }

    @Test("gives each removed message to one caller alone", arguments: StoreKind.allCases)
    func removedOnce(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        for number in 1...200 { _ = fixture.store.keep(message("s1.\(number)"), KeepTicket(loop: 0, connection: 0)) }
        try await fixture.ready()
        let taken = try await withThrowingTaskGroup { group in
            for _ in 0..<8 { group.addTask { try await fixture.store.removeMessages(Array(1...150)) } }
            return try await group.reduce(into: [Int64]()) { $0 += $1 }
        }
        #expect(taken.sorted() == Array(1...150))
        #expect(fixture.store.counts.messages == 50)
        #expect(fixture.store.counts.messagesRemoved == 150)
        #expect(fixture.store.counts.messagesDropped == 0)
        #expect(try await fixture.ids(StoreQuery(limit: 1000)).count == 50)
        #expect(try await fixture.ids(StoreQuery(to: ["ann@example.test"])).count == 50)
    }

    @Test("never gives a position twice, even after everything was removed", arguments: StoreKind.allCases)
    func positions(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        for number in 1...3 {
            try await fixture.keep(message("s1.\(number)"))
            try await fixture.keep(session(UInt64(number)))
        }
        #expect(try await fixture.store.removeAllMessages() == 3)
        #expect(try await fixture.store.removeSessions([1, 77]) == 1)
        #expect(try await fixture.store.removeAllSessions() == 2)
        #expect(fixture.store.counts.messages == 0 && fixture.store.counts.messageOctets == 0)
        #expect(fixture.store.counts.sessions == 0 && fixture.store.counts.sessionOctets == 0)
        #expect(try await fixture.ids().isEmpty)
        #expect(try await fixture.numbers().isEmpty)
        try await fixture.keep(message("s1.4"))
        try await fixture.keep(session(4))
        #expect(try await fixture.positions() == [4])
        #expect(try await fixture.store.lastPositions() == (4, 4))
        #expect(try await fixture.ids(StoreQuery(to: ["ann@example.test"])) == ["s1.4"])
    }

    @Test("can read everything that was handed over before it settled", arguments: StoreKind.allCases)
    func settling(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        await withTaskGroup { group in
            for sender in 1...4 {
                group.addTask {
                    for number in 1...250 {
                        let ticket = KeepTicket(loop: sender, connection: UInt64(number))
                        _ = fixture.store.keep(message("s\(sender).\(number)"), ticket)
                    }
                    await fixture.store.settle()
                    let own = try? await fixture.ids(StoreQuery(limit: 2000)).filter { $0.hasPrefix("s\(sender).") }
                    #expect(own == (1...250).reversed().map { "s\(sender).\($0)" })
                }
            }
        }
        #expect(fixture.store.counts.messagesEver == 1000)
        if kind != .memory { #expect(fixture.answers.kept.count == 1000 && fixture.answers.failures.isEmpty) }
    }

    // MARK: Retention

    @Test("drops the oldest when there are too many, and counts it", arguments: StoreKind.allCases)
    func byNumber(_ kind: StoreKind) async throws {
        var retention = Retention()
        retention.messages = 3
        retention.sessions = 2
        let fixture = try StoreFixture(kind, retention)
        for number in 1...5 {
            try await fixture.keep(message("s1.\(number)", octets: 10))
            try await fixture.keep(session(UInt64(number)))
        }
        #expect(try await fixture.ids() == ["s1.5", "s1.4", "s1.3"])
        #expect(try await fixture.numbers() == [5, 4])
        let counts = fixture.store.counts
        #expect(counts.messages == 3 && counts.messagesEver == 5 && counts.messagesDropped == 2)
        #expect(counts.messageOctets == 30 && counts.messageOctetsEver == 50)
        #expect(counts.sessions == 2 && counts.sessionsEver == 5 && counts.sessionsDropped == 3)
    }

    @Test("drops the oldest when they are too large, but never the newest", arguments: StoreKind.allCases)
    func byOctets(_ kind: StoreKind) async throws {
        var retention = Retention()
        retention.messageOctets = 100
        retention.sessionOctets = 100
        let fixture = try StoreFixture(kind, retention)
        for number in 1...5 {
            try await fixture.keep(message("s1.\(number)", octets: 40))
            try await fixture.keep(session(UInt64(number), octets: 40))
        }
        #expect(try await fixture.ids() == ["s1.5", "s1.4"])
        #expect(try await fixture.numbers() == [5, 4])
        _ = try await fixture.store.mark([4, 5]) { $0.isRead = true }
        try await fixture.keep(message("s1.6", octets: 1000))
        #expect(try await fixture.ids() == ["s1.6"])
        #expect(fixture.store.counts.messageOctets == 1000)
        #expect(fixture.store.counts.unreadMessages == 1)
    }

    @Test("drops what is older than its age when it is told the time", arguments: StoreKind.allCases)
    func byAge(_ kind: StoreKind) async throws {
        var retention = Retention()
        retention.messageAge_us = 100
        retention.sessionAge_us = 50
        let fixture = try StoreFixture(kind, retention)
        for number in 1...700 {
            let message = message("s1.\(number)", at: Int64(number))
            _ = fixture.store.keep(message, KeepTicket(loop: 0, connection: 0))
            fixture.store.keep(session(UInt64(number), at: Int64(number)))
        }
        try await fixture.ready()
        fixture.store.expire(now_us: 799)
        await fixture.store.settle()
        #expect(try await fixture.ids() == ["s1.700", "s1.699"])
        #expect(try await fixture.numbers().isEmpty)
        #expect(fixture.store.counts.messagesDropped == 698)
        #expect(fixture.store.counts.sessionsDropped == 700)
        fixture.store.expire(now_us: 10_000)
        await fixture.store.settle()
        #expect(fixture.store.counts.messages == 0)
    }

    @Test("counts what it does not keep", arguments: StoreKind.allCases)
    func counting(_ kind: StoreKind) async throws {
        let fixture = try StoreFixture(kind)
        fixture.store.countMessage(octets: 7)
        fixture.store.countSession()
        let counts = fixture.store.counts
        #expect(counts.messagesEver == 1 && counts.messageOctetsEver == 7 && counts.sessionsEver == 1)
        #expect(counts.messages == 0 && counts.sessions == 0)
        #expect(fixture.store.keepsMessages && fixture.store.keepsSessions)
    }
}
