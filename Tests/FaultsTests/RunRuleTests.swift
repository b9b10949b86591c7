// Rules that are set, changed and taken away while the engine runs.

import Faults
import SMTP
import Testing

@Suite("Rules set at run time")
struct RunRuleTests {
    func rule(_ line: String) throws -> RunRule { RunRule(rule: try RuleLine.parse(line)) }

    @Test func `They come first, and what the others have counted stays`() throws {
        var engine = try engine("rcpt name=file first=2: 450 file")
        #expect(engine.rcpt("a@x") == "450 file")
        engine.change(RuleChanges(rules: [try rule("rcpt name=run once: 550 run")]), now_ns: 0)
        #expect([engine.rcpt("a@x"), engine.rcpt("a@x"), engine.rcpt("a@x")] == ["550 run", "450 file", nil])
        engine.change(RuleChanges(rules: []), now_ns: 0)
        #expect(engine.status(now_ns: 0).map(\.name) == ["file"])
        #expect(engine.status(now_ns: 0).map(\.hits) == [2])
    }

    @Test func `The phases, filters and needs are those of the rules that are there and on`() throws {
        var engine = try engine("mail: 450 x")
        var body = try rule("body name=b size=>1KB: close")
        engine.change(RuleChanges(rules: [body, try rule("end-of-data name=e header.subject=x: close")]), now_ns: 0)
        #expect(engine.rulePhases == [PhaseSet(.mail), PhaseSet(.body), PhaseSet(.endOfData)])
        #expect(engine.bodyCheckpoints == [1001] && engine.messagePhases == [PhaseSet(.endOfData)])
        body.rule.isOn = false
        engine.change(RuleChanges(rules: [body]), now_ns: 0)
        #expect(engine.rulePhases == [PhaseSet(.mail)] && engine.bodyCheckpoints.isEmpty && engine.messagePhases == [])
        #expect(engine.status(now_ns: 0).map(\.isOn) == [false, true])
    }

    @Test func `A rule of the configuration is switched, keeps its counts, and comes back to what it says itself`()
        throws
    {
        var engine = try engine("rcpt name=two first=2: 450 two", "rcpt name=rest: 550 rest")
        #expect([engine.rcpt("a@x"), engine.rcpt("a@x"), engine.rcpt("a@x")] == ["450 two", "450 two", "550 rest"])
        engine.change(RuleChanges(switched: ["two": false, "rest": false, "nobody": false]), now_ns: 0)
        #expect(engine.rcpt("a@x") == nil && engine.rulePhases == [])
        #expect(engine.status(now_ns: 0).map(\.hits) == [2, 1] && engine.status(now_ns: 0).allSatisfy { !$0.isOn })
        engine.change(RuleChanges(switched: ["rest": false, "two": true]), now_ns: 0)
        #expect(engine.rcpt("a@x") == nil && engine.status(now_ns: 0).map(\.matches) == [4, 1])
        engine.change(RuleChanges(), now_ns: 0)
        #expect(engine.rcpt("a@x") == "550 rest" && engine.status(now_ns: 0).map(\.hits) == [2, 2])
    }

    @Test func `A rule set at run time is switched and keeps its counts`() throws {
        var engine = try engine()
        var two = try rule("rcpt name=two first=2: 450 two")
        engine.change(RuleChanges(rules: [two]), now_ns: 0)
        #expect(engine.rcpt("a@x") == "450 two")
        two.rule.isOn = false
        engine.change(RuleChanges(rules: [two]), now_ns: 0)
        #expect(engine.rcpt("a@x") == nil)
        two.rule.isOn = true
        engine.change(RuleChanges(rules: [two]), now_ns: 0)
        #expect([engine.rcpt("a@x"), engine.rcpt("a@x")] == ["450 two", nil])
    }

    @Test func `A rule that is taken away gives back what open sessions hold of it`() throws {
        var engine = try engine("connect name=file at-once=1 per=client: 421 4.3.2 File")
        func connect(_ session: UInt64, _ client: String) -> Bool {
            engine.decide(.connect, Facts(client: client, session: session), now_ns: 0) == nil
        }
        let limit = try rule("connect name=run at-once=1 per=client: 421 4.3.2 Run")
        engine.change(RuleChanges(rules: [limit]), now_ns: 0)
        #expect(connect(1, "192.0.2.1") && !connect(2, "192.0.2.1"))
        engine.change(RuleChanges(rules: []), now_ns: 0)
        // The place of the rule of the configuration is still held.
        #expect(!connect(3, "192.0.2.1") && engine.countsSessions)
        engine.sessionEnded(1)
        #expect(connect(4, "192.0.2.1"))
        engine.change(RuleChanges(rules: [limit]), now_ns: 0)
        engine.sessionEnded(4)
        #expect(connect(5, "192.0.2.1"))
    }

    @Test func `A rule expires by the clock it is asked with`() throws {
        var engine = try engine()
        var brief = try rule("rcpt name=brief: 550 brief")
        brief.expires_ns = 10
        engine.change(RuleChanges(rules: [brief]), now_ns: 0)
        #expect(engine.decide(.rcpt, Facts(to: ["a@x"]), now_ns: 9) != nil)
        #expect(engine.decide(.rcpt, Facts(to: ["a@x"]), now_ns: 10) == nil)
        #expect(engine.status(now_ns: 10).isEmpty)
    }

    @Test func `Counts begin anew, places stay held`() throws {
        var engine = try engine("rcpt first=1: 450 one", "connect at-once=1: 421 4.3.2 Full")
        #expect(engine.rcpt("a@x") == "450 one" && engine.rcpt("a@x") == nil)
        #expect(engine.decide(.connect, Facts(session: 1), now_ns: 0) == nil)
        engine.resetCounts()
        #expect(engine.rcpt("a@x") == "450 one")
        #expect(engine.decide(.connect, Facts(session: 2), now_ns: 0) != nil)
    }

    @Test func `A space is known by any of its addresses`() throws {
        var engine = try engine("rcpt space=t1: 550 mine")
        #expect(
            [engine.rcpt("a@t1.test"), engine.rcpt("a+T1@x.example"), engine.rcpt("a@t2.test")] == [
                "550 mine", "550 mine", nil,
            ])
        #expect(engine.rcpt("a@x", from: "s@t1.test") == "550 mine")
    }
}
