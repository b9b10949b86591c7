// The judge beside the loops: what comes in is judged behind its end, within bounds, and can be forgotten.

import EventLoop
import Findings
import Journal
import SMTP
import Store
import Synchronization
import Testing

@testable import Sink

@Suite("Judging", .timeLimit(.minutes(2)))
struct JudgingTests {
    private func judge() throws -> Judging { try Judging(settings: JudgingSettings(), observedSince_us: 0) }

    private func message(_ number: UInt64, _ content: [UInt8]) -> HandedMessage {
        var input = MessageInput(
            content: content, reversePath: ReversePath(address: Array("a@b.test".utf8)),
            recipients: [Array("c@d.test".utf8)], received_us: 0)
        input.session = "s\(number)"
        input.message = "s\(number).1"
        return HandedMessage(
            session: number, client: "192.0.2.1", input: input, capabilities: [], isExtended: true, sizeLimit: 0)
    }

    private func session(_ number: UInt64) throws -> StoredSession {
        var rehearsal = Rehearsal(
            sharing: RuleBook(rules: [], seed: 1, timeScale: 1, magic: .usual, catalogue: .empty), number: number)
        rehearsal.send("EHLO mail.b.test\r\nMAIL FROM:<a@b.test>\r\n")
        rehearsal.send("RCPT TO:<c@d.test>\r\n")
        rehearsal.send("QUIT\r\n")
        return StoredSession(number: number, log: rehearsal.log, eventsDropped: 0, facets: [], ended_us: 1)
    }

    private final class Told: Sendable {
        let ids = Mutex<[String]>([])
    }

    private static let broken = Array("Subject: x\r\n\r\nbare\nline\r\n".utf8)

    @Test func `A message and then its session make one judgement, which is told once`() async throws {
        let judging = try judge()
        let told = Told()
        judging.whenJudged { session, judgement in
            told.ids.withLock { $0.append(session.id) }
            #expect(judgement.session == session.id)
        }
        judging.take([message(1, Self.broken)])
        await judging.settle()
        #expect(judging.verdicts.judgement(of: 1) == nil, "it has not ended")
        judging.take(try session(1))
        judging.take(try session(2))
        await judging.settle()
        let first = try #require(judging.verdicts.judgement(of: 1)).findings.map(\.rule)
        let second = try #require(judging.verdicts.judgement(of: 2)).findings.map(\.rule)
        #expect(first.contains(.dataBareLf) && !second.contains(.dataBareLf))
        #expect(told.ids.withLock { $0 } == ["s1", "s2"])
        let status = judging.status
        #expect(status.sessionsJudged == 2 && status.messagesJudged == 1)
        #expect(status.waiting == 0 && status.oldest_us == 0 && status.judging_ns > 0)
        #expect(status.findingsBySeverity.values.reduce(0, +) == status.findings && status.findings > 0)
        await judging.close()
    }

    @Test func `What has no room is left out, and counted; what was taken is judged`() async throws {
        let judging = try judge()
        let large = [UInt8](repeating: UInt8(ascii: "x"), count: Judging.Bounds.octets / 2 + 1)
        judging.take([message(1, large), message(2, large), message(3, large)])
        let waiting = judging.status
        #expect(waiting.messagesLeftOut == 2 && waiting.waiting == 1)
        await judging.settle()
        #expect(judging.status.messagesJudged == 1 && judging.status.waiting == 0)
        judging.take([message(4, Self.broken)])
        await judging.settle()
        #expect(judging.status.messagesJudged == 2 && judging.status.messagesLeftOut == 2, "there is room again")
        await judging.close()
    }

    @Test func `One that is larger than the bound finds room where nothing waits`() async throws {
        let judging = try judge()
        judging.take([message(1, [UInt8](repeating: 10, count: Judging.Bounds.octets + 1))])
        #expect(judging.status.messagesLeftOut == 0)
        await judging.settle()
        #expect(judging.status.messagesJudged == 1)
        await judging.close()
    }

    @Test func `Forgetting takes the sessions that are meant, and the open ones with them`() async throws {
        let judging = try judge()
        judging.take(try session(1))
        judging.take(try session(2))
        judging.take([message(3, Self.broken)])
        judging.forget { $0 == "s1" || $0 == "s3" }
        judging.take(try session(3))
        await judging.settle()
        #expect(judging.verdicts.judgement(of: 1) == nil && judging.verdicts.judgement(of: 2) != nil)
        let third = try #require(judging.verdicts.judgement(of: 3)).findings.map(\.rule)
        #expect(!third.contains(.dataBareLf), "its message was forgotten")
        await judging.close()
    }

    @Test func `After the close nobody waits for anything`() async throws {
        let judging = try judge()
        judging.take(try session(1))
        await judging.close()
        #expect(judging.status.sessionsJudged == 1, "what waits is judged first")
        judging.take(try session(2))
        await judging.settle()
        #expect(judging.status.sessionsJudged == 1 && judging.status.sessionsLeftOut == 1)
    }

    @Test func `A line that never ends shows where it holds ends of line, and credentials do not`() throws {
        var rehearsal = try Rehearsal()
        rehearsal.send("EHLO a.test\nAUTH PLAIN c2VjcmV0\n")
        rehearsal.clientCloses()
        let said = rehearsal.record.lines.filter { $0.who == .client }.map(\.text)
        #expect(said.count == 1 && said[0].contains("EHLO a.test") && !said[0].contains("c2VjcmV0"))
        var other = try Rehearsal()
        other.send("EHLO a.te")
        other.clientCloses()
        #expect(other.record.lines.allSatisfy { $0.who == .sink }, "an unfinished line without an end says nothing")
    }
}
