// Retention of the memory store, and the store that only counts.

import Journal
import SMTP
import Testing

@testable import Store

@Suite("Memory store")
struct MemoryStoreTests {
    func message(_ id: Int, octets: Int) -> Message {
        Message(
            id: "s1.\(id)", reversePath: ReversePath(address: []), recipients: [],
            content: [UInt8](repeating: 120, count: octets), helo: [], client: "127.0.0.1", withProtocol: "ESMTP",
            received_s: 0)
    }

    @Test("the oldest goes first when there are too many, and is counted")
    func byNumber() throws {
        var retention = Retention()
        retention.messages = 3
        let store = MemoryStore(retention: retention)
        for id in 1...5 { try store.keep(message(id, octets: 10)) }
        #expect(store.newestMessages(10).map(\.id) == ["s1.5", "s1.4", "s1.3"])
        #expect(store.counts.messages == 3)
        #expect(store.counts.messagesEver == 5)
        #expect(store.counts.messagesDropped == 2)
        #expect(store.counts.messageOctets == 30)
    }

    @Test("octets bound the store too, but the newest always stays")
    func byOctets() throws {
        var retention = Retention()
        retention.messageOctets = 100
        let store = MemoryStore(retention: retention)
        for id in 1...5 { try store.keep(message(id, octets: 40)) }
        #expect(store.newestMessages(10).map(\.id) == ["s1.5", "s1.4"])
        try store.keep(message(6, octets: 1000))
        #expect(store.newestMessages(10).map(\.id) == ["s1.6"])
        #expect(store.counts.messageOctets == 1000)
    }

    @Test("sessions have a retention of their own")
    func sessions() {
        var retention = Retention()
        retention.sessions = 2
        let store = MemoryStore(retention: retention)
        for id in 1...4 { store.keep(StoredSession(id: "s\(id)", log: EventLog(), eventsDropped: 0)) }
        #expect(store.newestSessions(10).map(\.id) == ["s4", "s3"])
        #expect(store.counts.sessionsDropped == 2)
    }

    @Test("a counting store counts and keeps nothing")
    func counting() throws {
        let store = CountingStore()
        try store.keep(message(1, octets: 5))
        store.countMessage(octets: 7)
        store.countSession()
        #expect(store.counts.messagesEver == 2)
        #expect(store.counts.sessionsEver == 1)
        #expect(store.newestMessages(1).isEmpty && !store.keepsMessages)
    }
}
