// Waiting, taking, spaces, rules at run time and resets, against a whole server.

import EventLoop
import Faults
import Journal
import Store
import Testing

@testable import Sink

@Suite("Waiting and changing while the sink runs", .timeLimit(.minutes(2)))
struct WaitTests {
    func filter(_ words: [String: String], _ kind: Filter.Kind) throws -> Filter {
        try Filter.parse(words.map { ($0.key, $0.value) }, kind).get()
    }

    func wait(_ kind: Filter.Kind, _ words: [String: String] = [:], ms: Int = 5000) throws -> Wait {
        var wait = Wait(kind, try filter(words, kind))
        wait.timeout_ms = ms
        return wait
    }

    @Test func `What was sent before the question counts, and what comes behind it`() async throws {
        let party = try await Party()
        let since = try await party.server.cursor()
        try await party.send(to: ["a@b.test"])
        var wait = try wait(.message, ["to": "a@b.test"])
        wait.since = since
        #expect(try await party.server.wait(wait).messages.map(\.message.id) == ["s1.1"])
        wait.count = 2
        let both = wait
        let server = party.server
        async let second = server.wait(both)
        try await party.send(to: ["a@b.test"])
        let answer = try await second
        #expect(answer.isFulfilled && answer.messages.map(\.message.id) == ["s1.1", "s2.1"])
        wait.since = answer.cursor
        (wait.count, wait.timeout_ms) = (1, 20)
        #expect(try await party.server.wait(wait).isFulfilled == false)
        await party.stop()
    }

    @Test func `A wait for a reject is answered while the session goes on`() async throws {
        let party = try await Party(rules: ["rcpt to=*@full.test: 452 4.2.2 Full"])
        let server = party.server
        async let answer = server.wait(try wait(.reject, ["phase": "rcpt", "code": "4xx"]))
        let client = try Talk(party.port)
        _ = client.read()
        client.say("EHLO x")
        client.say("MAIL FROM:<>")
        #expect(client.say("RCPT TO:<a@full.test>").hasPrefix("452"))
        let entry = try #require(try await answer.entries.first)
        #expect(entry.subject.to == ["a@full.test"] && entry.subject.rules == ["rule-1"])
        #expect(entry.subject.verdicts == [.deferred] && entry.subject.from == [""])
        client.close()
        await party.stop()
    }

    @Test func `When the time is over it says what came instead`() async throws {
        let party = try await Party()
        try await party.send(to: ["other@b.test"])
        let answer = try await party.server.wait(try wait(.message, ["to": "a@b.test"], ms: 30))
        #expect(!answer.isFulfilled && answer.seen.map(\.subject.to) == [["other@b.test"]])
        await party.stop()
    }

    @Test func `What must be absent fails at once when it comes, and holds when it does not`() async throws {
        let party = try await Party()
        var wait = try wait(.session, ["to": "a@b.test"], ms: 30)
        wait.isAbsent = true
        #expect(try await party.server.wait(wait).isFulfilled)
        wait.timeout_ms = 60_000
        let server = party.server
        let patient = wait
        async let answer = server.wait(patient)
        try await party.send(to: ["a@b.test"])
        let broken = try await answer
        #expect(!broken.isFulfilled && broken.sessions.map(\.id) == ["s1"])
        await party.stop()
    }

    @Test func `What is taken is nobody else's`() async throws {
        let party = try await Party()
        let takers = 10
        let each = 3
        let got = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<takers {
                group.addTask {
                    var wait = try self.wait(.message, ms: 20_000)
                    (wait.takes, wait.count) = (true, each)
                    return try await party.server.wait(wait).messages.map(\.message.id)
                }
            }
            for _ in 0..<takers * each { try await party.send(to: ["a@b.test"]) }
            return try await group.reduce(into: [String]()) { $0 += $1 }
        }
        #expect(got.count == takers * each && Set(got).count == got.count)
        #expect(party.server.store.counts.messages == 0)
        await party.stop()
    }

    @Test func `A rule set at run time decides the next command of an open session, before those of the configuration`()
        async throws
    {
        let party = try await Party(rules: ["rcpt name=file: 450 4.2.0 File"])
        let client = try Talk(party.port)
        _ = client.read()
        client.say("EHLO x")
        client.say("MAIL FROM:<>")
        #expect(client.say("RCPT TO:<a@b.test>").contains("File"))
        let name = try await party.server.addRule(try RuleLine.parse("rcpt once: 550 5.1.1 Run"))
        #expect(client.say("RCPT TO:<a@b.test>").contains("Run"))
        #expect(client.say("RCPT TO:<a@b.test>").contains("File"))
        let status = try #require(party.server.ruleStatus.first)
        #expect(status.name == name && status.hits == 1 && status.remaining == 0 && status.isRunRule)
        // The counts of the others stay.
        #expect(party.server.ruleStatus.last?.hits == 2)
        try await party.server.removeRule(name)
        #expect(party.server.ruleStatus.map(\.name) == ["file"])
        await #expect(throws: RuleChangeRefusal.self) { try await party.server.removeRule("file") }
        await #expect(throws: RuleChangeRefusal.self) {
            _ = try await party.server.addRule(try RuleLine.parse("rcpt name=file: close"))
        }
        client.close()
        await party.stop()
    }

    @Test func `Any rule is switched, and a reset switches those of the configuration back`() async throws {
        let party = try await Party(rules: ["rcpt name=file: 550 5.1.1 File"])
        #expect(try await party.send(to: ["a@b.test"]).hasPrefix("550"))
        try await party.server.switchRule("file", isOn: false)
        #expect(try await party.send(to: ["a@b.test"]).hasPrefix("250"))
        #expect(party.server.ruleStatus.map(\.hits) == [1])
        _ = try await party.server.addRule(try RuleLine.parse("rcpt name=run: 551 5.1.1 Run"))
        try await party.server.switchRule("run", isOn: false)
        #expect(try await party.send(to: ["a@b.test"]).hasPrefix("250"))
        try await party.server.switchRule("run", isOn: true)
        #expect(try await party.send(to: ["a@b.test"]).hasPrefix("551"))
        await #expect(throws: RuleChangeRefusal.self) { try await party.server.switchRule("nobody", isOn: true) }
        #expect(try await party.server.reset(space: nil).rules == 1)
        #expect(party.server.ruleStatus.map(\.isOn) == [true])
        #expect(try await party.send(to: ["a@b.test"]).hasPrefix("550"))
        await party.stop()
    }

    @Test func `A rule that is put again keeps its counts where it is the same, and is off where it says so`()
        async throws
    {
        let party = try await Party()
        var rule = try RuleLine.parse("rcpt name=r: 550 5.1.1 No")
        #expect(try await party.server.putRule(rule))
        #expect(try await party.send(to: ["a@b.test"]).hasPrefix("550"))
        rule.isOn = false
        #expect(try await !party.server.putRule(rule))
        #expect(try await party.send(to: ["a@b.test"]).hasPrefix("250"))
        #expect(party.server.ruleStatus.map(\.hits) == [1] && party.server.ruleStatus.map(\.isOn) == [false])
        rule.isOn = true
        #expect(try await !party.server.putRule(rule, lifetime_ns: 1))
        #expect(try await party.send(to: ["a@b.test"]).hasPrefix("250"))
        #expect(party.server.ruleStatus.isEmpty)
        await party.stop()
    }

    @Test func `Rules, waits and resets of one space leave the others alone`() async throws {
        let party = try await Party()
        let line = try RuleLine.parse("rcpt: 452 4.2.2 Full")
        _ = try await party.server.addRule(try line.bound(toSpace: "t1"))
        #expect(try await party.send(to: ["a@t1.test"]).hasPrefix("452"))
        #expect(try await party.send(to: ["a+T1@any.example"]).hasPrefix("452"))
        #expect(try await party.send(to: ["a@t2.test"]).hasPrefix("250"))
        #expect(try await party.send(to: ["a@t1.example"]).hasPrefix("250"))
        let mine = try await party.server.wait(try wait(.session, ["space": "t1"]))
        #expect(mine.sessions.map(\.id) == ["s1"])
        let reset = try await party.server.reset(space: "t1")
        #expect((reset.sessions, reset.messages, reset.rules) == (2, 0, 1))
        #expect(try await party.send(to: ["a@t1.test"]).hasPrefix("250"))
        await party.server.settle()
        #expect(party.server.store.counts.sessions == 3)
        let rejects = try await party.server.wait(try wait(.reject, ["space": "t1"], ms: 10))
        #expect(!rejects.isFulfilled && rejects.seen.isEmpty)
        await party.stop()
    }

    @Test func `Two hundred wait, each for its own, while messages come on every loop`() async throws {
        let party = try await Party()
        let waiters = 200
        let ids = try await withThrowingTaskGroup(of: [String].self) { group in
            for number in 0..<waiters {
                group.addTask {
                    let wait = try self.wait(.message, ["to": "u\(number)@b.test"], ms: 60_000)
                    return try await party.server.wait(wait).messages.map(\.message.id)
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { senders in
                for lane in 0..<4 {
                    senders.addTask {
                        for number in stride(from: lane, to: waiters, by: 4) {
                            try await party.send(to: ["u\(number)@b.test"])
                        }
                    }
                }
                try await senders.waitForAll()
            }
            return try await group.reduce(into: [String]()) { $0 += $1 }
        }
        #expect(ids.count == waiters && Set(ids).count == waiters)
        #expect(party.server.chronicle.waiterCount == 0)
        await party.stop()
    }

    @Test func `Entries of one session stand in their order, whatever runs beside it`() async throws {
        let party = try await Party()
        try await withThrowingTaskGroup(of: Void.self) { senders in
            for lane in 0..<8 {
                senders.addTask { for _ in 0..<20 { try await party.send(to: ["rcpt-550@l\(lane).test"]) } }
            }
            try await senders.waitForAll()
        }
        await party.server.settle()
        let entries = party.server.chronicle.entries(after: 0, limit: .max).entries
        #expect(entries.map(\.number) == (1...UInt64(entries.count)).map { $0 })
        let bySession = Dictionary(grouping: entries, by: \.subject.session)
        #expect(bySession.count == 160)
        for (_, entries) in bySession { #expect(entries.map(\.kind) == [.opened, .rule, .reject, .session]) }
        await party.stop()
    }

    @Test func `A task that is cancelled waits no more`() async throws {
        let party = try await Party()
        let server = party.server
        let task = Task { try await server.wait(try self.wait(.message, ms: 600_000)) }
        while server.chronicle.waiterCount == 0 { await Task.yield() }
        task.cancel()
        #expect(try await task.value.isFulfilled == false)
        #expect(server.chronicle.waiterCount == 0)
        await party.stop()
    }
}
