// What is true of the stores without a file alone.

import Journal
import SMTP
import Testing

@testable import Store

@Suite("Stores without a file")
struct MemoryStoreTests {
    @Test("the memory store answers at once")
    func atOnce() {
        let store = MemoryStore(retention: Retention())
        guard case .kept = store.keep(message("s1.1"), KeepTicket(loop: 0, connection: 0)) else {
            Issue.record("the message was not kept at once")
            return
        }
        #expect(store.counts.fileOctets == nil && store.lastSessionNumber == 0)
    }

    @Test("a counting store counts and keeps nothing")
    func counting() async throws {
        let store = CountingStore()
        guard case .kept = store.keep(message("s1.1", octets: 5), KeepTicket(loop: 0, connection: 0)) else {
            Issue.record("the message was not counted at once")
            return
        }
        store.countMessage(octets: 7)
        store.countSession()
        #expect(store.counts.messagesEver == 2)
        #expect(store.counts.messageOctetsEver == 12)
        #expect(store.counts.sessionsEver == 1)
        #expect(try await store.messages(StoreQuery(limit: 1)) { _ in true }.isEmpty)
        #expect(!store.keepsMessages && !store.keepsSessions)
    }
}
