// The engine: who wins, how uses are counted, what the dice say, and how little a thousand rules may cost.

import Faults
import SMTP
import Testing

@Suite struct EngineTests {
    @Test func `Without rules every phase proceeds`() throws {
        var engine = try engine()
        #expect(engine.phases == [])
        #expect(engine.bodyCheckpoints.isEmpty)
        for phase in Phase.allCases { #expect(engine.decide(phase, Facts(), now_ns: 0) == nil) }
    }

    @Test func `The phases are those of the rules`() throws {
        let engine = try engine("rcpt: close", "quit: close")
        #expect(engine.phases == [PhaseSet(.rcpt), PhaseSet(.quit)])
        #expect(engine.magicPhases == [])
    }

    @Test func `The first rule that matches and fires wins`() throws {
        var engine = try engine("rcpt to=a@x first=1: 450 one", "rcpt to=*@x: 550 two", "rcpt: 551 three")
        #expect(engine.rcpt("a@x") == "450 one")
        #expect(engine.rcpt("a@x") == "550 two")
        #expect(engine.rcpt("b@x") == "550 two")
        #expect(engine.rcpt("b@y") == "551 three")
    }

    @Test func `A rule behind the winner does not count the use`() throws {
        var engine = try engine("rcpt first=2: 450 one", "rcpt nth=1: 550 two")
        #expect(engine.rcpt("a@x") == "450 one")
        #expect(engine.rcpt("a@x") == "450 one")
        #expect(engine.rcpt("a@x") == "550 two")
        #expect(engine.rcpt("a@x") == nil)
    }

    @Test func `The decision says which rule and why`() throws {
        var engine = try engine("rcpt name=full to=*@full.test first=2 per=to: 452 4.2.2 Mailbox full")
        let facts = Facts(client: "192.0.2.1", from: "", to: ["A@Full.test"])
        let decision = engine.decide(.rcpt, facts, now_ns: 5)
        #expect(decision?.rule == "full")
        #expect(decision?.why == "first 2 per to: 1 of 2 for a@full.test")
    }

    @Test(arguments: [
        ("first=2", "xx------"), ("nth=3", "--x-----"), ("every=3", "--x--x--"), ("chance=100%", "xxxxxxxx"),
        ("always", "xxxxxxxx"),
    ])
    func `Times fire on the uses that they name`(times: String, pattern: String) throws {
        var engine = try engine("rcpt \(times): 450 x")
        let got = (0..<8).map { _ in engine.rcpt("a@x") == nil ? "-" : "x" }.joined()
        #expect(got == pattern)
    }

    @Test func `Per counts each key by itself`() throws {
        var engine = try engine("rcpt first=1 per=client,to: 450 x")
        #expect(engine.rcpt("a@x", client: "192.0.2.1") != nil)
        #expect(engine.rcpt("A@X", client: "192.0.2.1") == nil)
        #expect(engine.rcpt("a@x", client: "192.0.2.2") != nil)
        #expect(engine.rcpt("b@x", client: "192.0.2.1") != nil)
    }

    @Test func `Until and after begin with the first use of the key`() throws {
        var engine = try engine("rcpt until=5m per=to: 451 wait", "rcpt after=10m per=to: 452 late")
        #expect(engine.rcpt("a@x", at: 1000) == "451 wait")
        #expect(engine.rcpt("a@x", at: 1299) == "451 wait")
        #expect(engine.rcpt("a@x", at: 1300) == nil)
        #expect(engine.rcpt("b@x", at: 1300) == "451 wait")
        // `after` saw a@x first at 1300.
        #expect(engine.rcpt("a@x", at: 1899) == nil)
        #expect(engine.rcpt("a@x", at: 1900) == "452 late")
    }

    @Test func `Steps go on and the last stays`() throws {
        var engine = try engine("rcpt per=from,to steps: 451 one; 451 two; accept")
        #expect((0..<4).map { _ in engine.rcpt("a@x") } == ["451 one", "451 two", "accept", "accept"])
        #expect(engine.rcpt("b@x") == "451 one")
        #expect(engine.status(now_ns: 0)[0].remains == "3 steps for each new from,to, 2 seen; the last stays")
    }

    @Test func `The time scale divides durations and multiplies rates`() throws {
        var engine = try engine("rcpt until=1h: delay 60s, drip 1/s, 451 wait", timeScale: 60)
        let decision = engine.decide(.rcpt, Facts(to: ["a@x"]), now_ns: 0)
        #expect(decision?.actions.first == .delay(ns: second_ns))
        #expect(decision?.actions[1] == .drip(octetsPerSecond: 60))
        #expect(engine.rcpt("a@x", at: 59) != nil)
        #expect(engine.rcpt("a@x", at: 60) == nil)
    }

    @Test func `A delay is drawn between its ends`() throws {
        var engine = try engine("rcpt: delay 1s..5s")
        var delays: Set<UInt64> = []
        for _ in 0..<200 {
            guard case .delay(let ns)? = engine.decide(.rcpt, Facts(to: ["a@x"]), now_ns: 0)?.actions.first else {
                Issue.record("no delay")
                return
            }
            #expect((second_ns...5 * second_ns).contains(ns))
            delays.insert(ns)
        }
        #expect(delays.count > 150)
    }

    @Test func `A chance fires about as often as it says`() throws {
        var engine = try engine("rcpt chance=30%: 450 x")
        let hits = (0..<10_000).filter { _ in engine.rcpt("a@x") != nil }.count
        #expect((2800...3200).contains(hits))
    }

    @Test func `Draws depend on seed, rule, key and count alone`() throws {
        let line = "rcpt name=flaky chance=50% per=to: 450 x"
        func run(_ engine: inout Engine, _ order: [String]) -> [String: [Bool]] {
            var got: [String: [Bool]] = [:]
            for address in order { got[address, default: []].append(engine.rcpt(address) != nil) }
            return got
        }
        let addresses = (0..<50).map { "user\($0)@x" }
        let order = Array(repeating: addresses, count: 20).flatMap { $0 }
        var dice = Dice(9)
        var engine42 = try engine(line, seed: 42)
        let expected = run(&engine42, order)
        // Another order of sessions, and other rules beside it.
        var shuffled = try engine("rcpt to=nobody@y: close", "mail: 450 x", line, seed: 42)
        #expect(run(&shuffled, order.shuffled(using: &dice)) == expected)
        var engine43 = try engine(line, seed: 43)
        #expect(run(&engine43, order) != expected)
    }

    @Test func `A draw is what it was in every release`() throws {
        var engine = try engine("rcpt name=pinned chance=50% per=to: 450 x", seed: 1)
        let got = (0..<32).map { _ in engine.rcpt("a@x") == nil ? "-" : "x" }.joined()
        #expect(got == "x--x--xx-x--x---x---x-x--xxx-x--")
    }

    @Test func `Attempts count each pair of sender and recipient`() throws {
        var engine = try engine("rcpt attempt=1..2: 450 again", "end-of-data attempt=3: 451 once more")
        #expect(engine.phases.contains(PhaseSet(.rcpt)))
        #expect(engine.rcpt("a@x", from: "s@t") == "450 again")
        #expect(engine.rcpt("A@X", from: "S@t") == "450 again")
        #expect(engine.rcpt("a@x", from: "other@t") == "450 again")
        #expect(engine.rcpt("a@x", from: "s@t") == nil)
        let facts = Facts(from: "s@t", to: ["b@x", "a@x"], recipients: 2)
        #expect(engine.decide(.endOfData, facts, now_ns: 0)?.replyText == "451 once more")
        let none = Facts(from: "other@t", to: ["a@x"], recipients: 1)
        #expect(engine.decide(.endOfData, none, now_ns: 0) == nil)
    }

    @Test func `After RCPT a condition on to asks all accepted recipients`() throws {
        var engine = try engine("end-of-data to=bad@x per=to first=1: 554 5.7.1 no")
        let both = Facts(from: "", to: ["good@x", "bad@x"], recipients: 2)
        #expect(engine.decide(.endOfData, Facts(from: "", to: ["good@x"]), now_ns: 0) == nil)
        #expect(engine.decide(.endOfData, both, now_ns: 0)?.why == "first 1 per to: 1 of 1 for bad@x")
    }

    @Test func `Recipients at RCPT count the one that is being decided`() throws {
        var engine = try engine("rcpt recipients=>2: 452 4.5.3 Too many")
        #expect(engine.decide(.rcpt, Facts(to: ["b@x"], recipients: 1), now_ns: 0) == nil)
        #expect(engine.decide(.rcpt, Facts(to: ["c@x"], recipients: 2), now_ns: 0) != nil)
    }

    @Test func `What is not known does not hold`() throws {
        var engine = try engine(
            "rset from=*: 450 a", "mail size=<10: 450 b", "ehlo tls=any: 450 c", "rcpt user=*: 450 d")
        #expect(engine.decide(.rset, Facts(), now_ns: 0) == nil)
        #expect(engine.decide(.rset, Facts(from: ""), now_ns: 0) != nil)
        #expect(engine.decide(.mail, Facts(), now_ns: 0) == nil)
        #expect(engine.decide(.mail, Facts(size: 3), now_ns: 0) != nil)
        #expect(engine.decide(.ehlo, Facts(), now_ns: 0) == nil)
        #expect(engine.decide(.ehlo, Facts(tls: "TLSv1.3"), now_ns: 0) != nil)
        #expect(engine.decide(.rcpt, Facts(to: ["a"]), now_ns: 0) == nil)
    }

    @Test func `Rules at body are asked at their own octet only`() throws {
        var engine = try engine("body every=2: 451 a", "body size=>10KB: 552 b", "body size=>=500: slow-read 1KB/s")
        #expect(engine.bodyCheckpoints == [0, 500, 10_001])
        #expect(engine.decide(.body, Facts(size: 0), now_ns: 0) == nil)
        #expect(engine.decide(.body, Facts(size: 500), now_ns: 0)?.actions == [.slowRead(octetsPerSecond: 1000)])
        #expect(engine.decide(.body, Facts(size: 10_001), now_ns: 0)?.replyText == "552 b")
        #expect(engine.decide(.body, Facts(size: 0), now_ns: 0)?.replyText == "451 a")
    }

    @Test func `Nameless rules get the name of their position`() throws {
        var engine = try engine("rcpt: close", "rcpt name=rule-3: close", "rcpt: close")
        #expect(engine.status(now_ns: 0).map(\.name) == ["rule-1", "rule-3", "rule-4"])
    }

    @Test func `Status counts matches and hits and says what remains`() throws {
        var engine = try engine("rcpt first=2: 450 x", "rcpt to=*@x: accept")
        _ = engine.rcpt("a@x")
        #expect(engine.status(now_ns: 0)[0].remains == "1 of 2 left")
        _ = engine.rcpt("a@x")
        _ = engine.rcpt("a@x")
        let status = engine.status(now_ns: 0)
        #expect(status.map(\.matches) == [3, 1])
        #expect(status.map(\.hits) == [2, 1])
        #expect(status.map(\.remaining) == [0, nil])
        #expect(status[0].line == "rcpt name=rule-1 first=2: 450 x")
    }

    @Test func `The look-up by address finds what asking every rule would find`() throws {
        var dice = Dice(11)
        let patterns = ["a@x", "*@x", "b@y", "*@Y", "*", "a@*", "<a@x>", "?@x", "*@sub.x", "a@x,*@y", "/a/"]
        let addresses = ["a@x", "A@X", "b@y", "c@y", "q@sub.x", "", "a@z", "@", "noat"]
        for _ in 0..<300 {
            let lines = (0..<12).map { index in
                """
                rcpt \(dice.chance(50) ? "to" : "from")=\(dice.one(of: patterns)) \
                \(dice.chance(20) ? "first=1" : "always"): 450 r\(index)
                """
            }
            let rules = try lines.map { try RuleLine.parse($0) }
            var indexed = Engine(rules: rules, seed: 1, timeScale: 1, magic: [], catalogue: .empty)
            // One engine a rule has nothing to look up in the wrong order.
            var single = rules.map { Engine(rules: [$0], seed: 1, timeScale: 1, magic: [], catalogue: .empty) }
            for _ in 0..<10 {
                let to = dice.one(of: addresses)
                let from = dice.one(of: addresses)
                var expected: String?
                for index in single.indices where expected == nil { expected = single[index].rcpt(to, from: from) }
                #expect(indexed.rcpt(to, from: from) == expected)
            }
        }
    }

    @Test func `What concerns no rule by its filter is matched by none`() throws {
        var dice = Dice(12)
        let heads = [
            "to=a@x", "to=*@x", "from=*@Y", "from=<>", "helo=one.test", "helo=ONE.test,two.test", "client=192.0.2.1",
            "client=192.0.2.0/24", "client=::1,192.0.2.2", "helo=*.test", "to=a@x helo=two.test", "not(to=a@x)", "",
        ]
        let addresses = ["a@x", "A@X", "q@y", "", "a@z", "noat", "x"]
        var spared = 0
        for _ in 0..<400 {
            let lines = (0...dice.below(4)).map { _ in dice.one(of: heads) }.map {
                $0.isEmpty ? "rcpt: 450 x" : "rcpt \($0): 450 x"
            }
            var engine = Engine(
                rules: try lines.map { try RuleLine.parse($0) }, seed: 1, timeScale: 1, magic: [], catalogue: .empty)
            let filter = engine.filters[Int(Phase.rcpt.ordinal)]
            for _ in 0..<10 {
                let client = dice.one(of: ["192.0.2.1", "192.0.2.2", "::1", "198.51.100.1"])
                let facts = Facts(
                    client: client, clientAddress: IPAddress(client),
                    helo: dice.one(of: ["one.test", "TWO.test", "three"]),
                    from: dice.one(of: addresses), to: [dice.one(of: addresses)])
                let mayConcern =
                    filter.isAlways || filter.mayConcern(client: facts.clientAddress)
                    || filter.mayConcern(helo: Array((facts.helo ?? "").utf8))
                    || filter.mayConcern(sender: Array((facts.from ?? "").utf8))
                    || filter.mayConcern(recipient: Array(facts.to[0].utf8))
                let fires = engine.decide(.rcpt, facts, now_ns: 0) != nil
                #expect(mayConcern || !fires, "\(lines) \(facts)")
                if !mayConcern { spared += 1 }
            }
        }
        #expect(spared > 400)
    }

    @Test func `Keys are bounded and the oldest makes room`() throws {
        var engine = try engine("rcpt first=1 per=to: 450 x")
        let limit = Engine.Bounds.keys
        for index in 0...limit { #expect(engine.rcpt("user\(index)@x") != nil) }
        #expect(engine.droppedKeys == 1)
        #expect(engine.rcpt("user\(limit)@x") == nil)
        // The oldest was forgotten, so it counts as new.
        #expect(engine.rcpt("user0@x") != nil)
        #expect(engine.droppedKeys == 2)
    }

    @Test func `Long keys stay distinct`() throws {
        var engine = try engine("rcpt first=1 per=to: 450 x")
        let long = String(repeating: "a", count: 4000)
        #expect(engine.rcpt(long + "1@x") != nil)
        #expect(engine.rcpt(long + "2@x") != nil)
        #expect(engine.rcpt(long + "1@x") == nil)
    }
}

@Suite struct PhaseTimesActionTests {
    @Test(
        arguments: Phase.allCases, ["451 4.3.0 later", "550 5.7.1 never", "421 4.3.2 bye", "close", "reset", "stall"])
    func `Every phase can be refused, cut and held up`(phase: Phase, action: String) throws {
        for line in ["\(phase.rawValue): \(action)", "\(phase.rawValue): delay 1s, \(action)"] {
            var engine = try engine(line)
            let facts = Facts(from: "", to: ["a@x"], size: 0)
            #expect(engine.phases == PhaseSet(phase))
            let decision = engine.decide(phase, facts, now_ns: 0)
            #expect(decision?.actions.count == (line.contains("delay") ? 2 : 1))
            #expect(decision?.why == "always at \(phase.rawValue)")
            for other in Phase.allCases where other != phase {
                #expect(engine.decide(other, facts, now_ns: 0) == nil)
            }
        }
    }

    @Test func `The code that says yes at a phase may be said with other words`() throws {
        let lines = [
            "connect: 220 hi", "greeting: 220 hi", "ehlo: 250 hi", "starttls: 220 go", "auth: 235 ok", "mail: 250 ok",
            "rcpt: 251 ok", "data: 354 go", "end-of-data: 250 ok", "vrfy: 252 perhaps", "quit: 221 bye", "noop: 250 ok",
        ]
        for line in lines { #expect(throws: Never.self) { try RuleLine.parse(line) } }
        for phase in ["tls", "body", "idle", "accepted"] {
            #expect(throws: RuleError.self) { try RuleLine.parse("\(phase): 250 ok") }
        }
    }
}
