// What tests of a sender look like with Swift Testing: one sink for all, a space for each test, so that
// they run in parallel.

import FakeMX
import Testing

/// Starts with the first test that asks, and ends with the process.
private let shared = Task { try await FakeMX.start() }

@Suite("A sender, with Swift Testing")
struct ExampleTests {
    /// A space of this test alone, and a sender for it.
    private func space(_ name: String = #function) async throws -> (FakeMX, Sender) {
        let sink = try await shared.value
        return (try sink.space(String(name.prefix { $0 != "(" })), Sender(port: sink.smtpPort))
    }

    @Test("a refusal for the content is final")
    func refused() async throws {
        let (sink, sender) = try await space()
        try await sink.rule("end-of-data: 554 5.7.1 No, for its content")
        let reply = try await sender.send(to: [sink.address("ann")])
        #expect(reply == "554 5.7.1 No, for its content")
        let session = try await sink.nextSession()
        #expect(session.rejected_at == "end-of-data")
        #expect(session.verdict == .rejected)
        try await sink.noMessage(within: .milliseconds(200))
    }

    @Test("a deferred message comes again")
    func deferred() async throws {
        let (sink, sender) = try await space()
        let rule = try await sink.rule("rcpt first=2 per=to: 452 4.2.2 Mailbox full")
        for _ in 1...3 { try await sender.send(to: [sink.address("full")]) }
        #expect(try await sink.nextSession().verdict == .deferred)
        #expect(try await sink.nextSession().verdict == .deferred)
        #expect(try await sink.nextSession().verdict == .accepted)
        #expect(sink.hits(ofRule: rule) == 2)
    }

    @Test("of three recipients one is refused")
    func partly() async throws {
        let (sink, sender) = try await space()
        try await sink.rule("rcpt to=gone@*: 550 5.1.1 No such user")
        try await sender.send(to: [sink.address("ann"), sink.address("gone"), sink.address("bob")])
        #expect(try await sink.nextReject(["phase": "rcpt"]).to == [sink.address("gone")])
        #expect(try await sink.nextMessage().to == [sink.address("ann"), sink.address("bob")])
    }

    @Test("tests in parallel do not meet", arguments: 1...8)
    func parallel(number: Int) async throws {
        let (sink, sender) = try await space("parallel-\(number)")
        try await sink.rule("end-of-data: 554 5.7.1 No number \(number)")
        try await sender.send(to: [sink.address()])
        #expect(try await sink.nextSession().reply == "554 5.7.1 No number \(number)")
        #expect(try await sink.sessions().count == 1)
    }

    @Test("the story that Tests/Clients/stories tells in other languages")
    func story() async throws {
        let (sink, sender) = try await space()
        try await sink.rule("end-of-data header.subject=*invoice*: 554 5.7.1 No invoices here")
        #expect(try await sender.send(to: [sink.address("ann")], subject: "Your invoice")?.hasPrefix("554 ") == true)
        #expect(try await sender.send(to: [sink.address("ann")], subject: "Hello")?.hasPrefix("250 ") == true)
        let reject = try await sink.nextReject()
        #expect(reject.phase == "end-of-data")
        #expect(reject.reply == "554 5.7.1 No invoices here")
        let message = try await sink.nextMessage()
        #expect(message.to == [sink.address("ann")])
        #expect(message.header("Subject") == ["Hello"])
    }
}
