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
            session: number, client: "192.0.2.1", helo: Array("mail.b.test".utf8), input: input, capabilities: [],
            isExtended: true, sizeLimit: 0)
    }

    private func session(_ number: UInt64, client: String = "127.0.0.1") throws -> StoredSession {
        var rehearsal = Rehearsal(
            sharing: RuleBook(rules: [], seed: 1, timeScale: 1, magic: .usual, catalogue: .empty), number: number,
            clientHost: client)
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

    /// Answers after a while, the first question last.
    private final class Slow: NameResolver, MailChecker {
        let asked = Atomic<Int>(0)
        let most = Atomic<Int>(0)
        let isDumb: Bool

        init(isDumb: Bool = false) { self.isDumb = isDumb }

        private func wait() async {
            let before = asked.wrappingAdd(1, ordering: .relaxed).newValue
            most.max(before, ordering: .relaxed)
            try? await Task.sleep(for: .milliseconds(isDumb ? 60_000 : before == 1 ? 200 : 50))
            asked.wrappingSubtract(1, ordering: .relaxed)
        }

        func records(_ name: String, _ type: RecordType) async -> NameAnswer<[String]> {
            await wait()
            return .none
        }

        func verdict(on question: MailQuestion) async -> MailVerdict? {
            await wait()
            var verdict = MailVerdict()
            verdict.spf = "fail"
            return verdict
        }
    }

    @Test func `Others are asked of many at once, and the order of the sessions stays`() async throws {
        let slow = Slow()
        var outsiders = Outsiders(resolver: slow, checker: slow)
        // Beside all other tests nobody runs for long.
        outsiders.patience = .seconds(100)
        let judging = try Judging(settings: JudgingSettings(), outsiders: outsiders, observedSince_us: 0)
        let told = Told()
        judging.whenJudged { session, _ in told.ids.withLock { $0.append(session.id) } }
        for number in UInt64(1)...20 {
            judging.take([message(number, Self.broken)])
            judging.take(try session(number, client: "192.0.2.1"))
        }
        await judging.settle()
        #expect(told.ids.withLock { $0 } == (1...20).map { "s\($0)" })
        #expect(slow.most.load(ordering: .relaxed) > 4)
        let rules = try #require(judging.verdicts.judgement(of: 7)).findings.map(\.rule)
        #expect(rules.contains(.spfFail) && rules.contains(.connNoPtr) && rules.contains(.senderDomainDead))
        await judging.close()
    }

    @Test func `Of this machine nobody is asked`() async throws {
        let slow = Slow(isDumb: true)
        let judging = try Judging(
            settings: JudgingSettings(), outsiders: Outsiders(resolver: slow, checker: slow), observedSince_us: 0)
        judging.take(try session(1, client: "127.0.0.1"))
        await judging.settle()
        let states = try #require(judging.verdicts.judgement(of: 1)).states
        #expect(states[.connNoPtr] == .notObserved && states[.spfFail] == .notObserved)
        #expect(slow.most.load(ordering: .relaxed) == 0)
        await judging.close()
    }

    @Test func `Without an answer in time it is judged all the same, and that is counted`() async throws {
        var outsiders = Outsiders(resolver: Slow(isDumb: true))
        outsiders.patience = .seconds(1)
        let judging = try Judging(settings: JudgingSettings(), outsiders: outsiders, observedSince_us: 0)
        judging.take(try session(1, client: "192.0.2.1"))
        await judging.settle()
        #expect(try #require(judging.verdicts.judgement(of: 1)).states[.connNoPtr] == .notObserved)
        #expect(judging.status.namesUnanswered == 1)
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
