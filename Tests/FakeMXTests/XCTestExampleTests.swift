// The same with XCTest: a sink for each test, started before and stopped behind it.

import FakeMX
import XCTest

final class XCTestExampleTests: XCTestCase {
    /// A test that has none says why.
    private struct NotStarted: Error {}
    private var started: FakeMX?

    override func setUp() async throws { started = try await FakeMX.start() }

    override func tearDown() async throws { await started?.stop(grace_ms: 0) }

    private var sink: FakeMX { get throws { if let started { started } else { throw NotStarted() } } }

    func testARefusalForTheContentIsFinal() async throws {
        let sink = try sink
        try await sink.rule("end-of-data: 554 5.7.1 No, for its content")
        let reply = try await Sender(port: sink.smtpPort).send(to: ["ann@any.test"])
        XCTAssertEqual(reply, "554 5.7.1 No, for its content")
        let session = try await sink.nextSession()
        XCTAssertEqual(session.rejected_at, "end-of-data")
        try await sink.noMessage(within: .milliseconds(200))
    }

    func testALostReplyMakesADuplicate() async throws {
        let sink = try sink
        try await sink.rule("end-of-data first=1: keep, close")
        let sender = Sender(port: sink.smtpPort)
        let first = try await sender.send(to: ["ann@any.test"])
        XCTAssertNil(first)  // so it tries again
        try await sender.send(to: ["ann@any.test"])
        let messages = [try await sink.nextMessage(), try await sink.nextMessage()]
        XCTAssertEqual(messages[0].octets, messages[1].octets)
        let verdicts = [try await sink.nextSession().verdict, try await sink.nextSession().verdict]
        XCTAssertEqual(verdicts, [.lost, .accepted])
    }
}
