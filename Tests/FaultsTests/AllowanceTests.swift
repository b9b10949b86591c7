// Limits refuse exactly what exceeds them, and greylists and recovering servers keep their times.

import Faults
import SMTP
import Testing

@Suite struct AllowanceTests {
    private func connect(_ session: UInt64, client: String = "192.0.2.1") -> Facts {
        Facts(listener: "smtp", client: client, session: session)
    }

    @Test func `A limit in a window admits its number, then refuses until the first has left the window`() throws {
        var engine = try engine("mail limit=3/1m per=from-domain: 451 4.7.1 Later")
        func mail(_ second: UInt64, _ from: String = "a@x.test") -> Bool {
            engine.decide(.mail, Facts(from: from), now_ns: second * second_ns) == nil
        }
        #expect([mail(0), mail(10), mail(20), mail(30), mail(59)] == [true, true, true, false, false])
        #expect(mail(59, "b@y.test"))
        // The first left at 60; what was refused has taken no place.
        #expect([mail(60), mail(61), mail(70)] == [true, false, true])
        #expect(engine.status(now_ns: 70 * second_ns)[0].present.map(\.count) == [3, 1])
        #expect(engine.status(now_ns: 70 * second_ns)[0].remains == "limit 3 in 1m: 3 now for x.test; 1 now for y.test")
    }

    @Test func `A limit per session and per transaction needs no window`() throws {
        var engine = try engine(
            "mail limit=2 per=session: 421 4.7.0 Enough", "rcpt limit=2 per=transaction: 452 4.5.3 Too many")
        func mail(_ session: UInt64) -> Bool {
            engine.decide(.mail, Facts(from: "a@b", session: session), now_ns: 0) == nil
        }
        #expect([mail(1), mail(1), mail(1), mail(2)] == [true, true, false, true])
        func rcpt(_ transaction: Int) -> Bool {
            let facts = Facts(from: "a@b", to: ["c@d"], session: 1, transaction: transaction)
            return engine.decide(.rcpt, facts, now_ns: 0) == nil
        }
        #expect([rcpt(1), rcpt(1), rcpt(1), rcpt(2)] == [true, true, false, true])
    }

    @Test func `Open sessions give their place back when they end, refused ones have none`() throws {
        var engine = try engine("connect at-once=2 per=client: 421 4.7.0 Too many connections")
        func open(_ session: UInt64, _ client: String = "192.0.2.1") -> Bool {
            engine.decide(.connect, connect(session, client: client), now_ns: 0) == nil
        }
        #expect([open(1), open(2), open(3), open(4, "192.0.2.2")] == [true, true, false, true])
        engine.sessionEnded(3)
        #expect(!open(5))
        engine.sessionEnded(1)
        engine.sessionEnded(1)
        #expect([open(6), open(7)] == [true, false])
        #expect(engine.status(now_ns: 0)[0].present.map(\.count) == [2, 1])
    }

    @Test func `A recipient that is answered before the connection is closed was answered`() throws {
        var engine = try engine(
            "rcpt unknown-share=50%/2/10m per=client: 450 4.7.1 Harvest", "rcpt to=last@b: accept, close",
            "rcpt to=no@b: 550 5.1.1 No")
        #expect(engine.rcpt("no@b") == "550 5.1.1 No")
        _ = engine.rcpt("last@b")
        // Two were answered, one with a 5yz: half, and not more than half.
        #expect(engine.status(now_ns: 0)[0].remains.hasPrefix("unknown-share 50% of 2 in 10m: 1 of 2 now"))
    }

    @Test func `What another rule refuses takes no place of a limit`() throws {
        var engine = try engine(
            "rcpt limit=2/1h per=client: 452 4.5.3 Too many", "rcpt to=bad@x: 550 5.1.1 No such user")
        let first = (0..<5).map { _ in engine.rcpt("bad@x") }
        #expect(first == Array(repeating: "550 5.1.1 No such user", count: 5))
        #expect([engine.rcpt("a@x"), engine.rcpt("b@x"), engine.rcpt("c@x")] == [nil, nil, "452 4.5.3 Too many"])
    }

    @Test func `A refused connection that was counted elsewhere gives its place back`() throws {
        var engine = try engine("connect at-once=1: 421 4.3.2 Full", "connect client=192.0.2.9: 554 5.7.1 No")
        #expect(engine.decide(.connect, connect(1, client: "192.0.2.9"), now_ns: 0)?.replyText == "554 5.7.1 No")
        #expect(engine.decide(.connect, connect(2), now_ns: 0) == nil)
        engine.sessionEnded(1)
        #expect(engine.decide(.connect, connect(3), now_ns: 0)?.replyText == "421 4.3.2 Full")
    }

    @Test func `A data rate counts the octets of messages that were let through`() throws {
        var engine = try engine("end-of-data octets=1000/1m per=from-domain: 452 4.3.1 Too much")
        func end(_ size: Int, at second: UInt64) -> Bool {
            engine.decide(.endOfData, Facts(from: "a@x", to: ["b@y"], size: size), now_ns: second * second_ns) == nil
        }
        #expect([end(600, at: 0), end(500, at: 1), end(400, at: 2), end(1, at: 3)] == [true, false, true, false])
        #expect([end(600, at: 60), end(1, at: 61)] == [true, false])
    }

    @Test func `Errors are counted from what rules and the protocol say, and the share from recipients`() throws {
        var engine = try engine(
            "rcpt unknown-share=50%/4/10m per=client: 450 4.7.1 Directory harvest", "rcpt to=no@b: 550 5.1.1 No",
            "mail errors=4/5m per=client: 421 4.7.0 Too many errors")
        func mail() -> Bool { engine.decide(.mail, Facts(client: "192.0.2.1", from: "a@b"), now_ns: 0) == nil }
        let answers = ["no@b", "yes@b", "no@b", "yes@b"].map { engine.rcpt($0) }
        #expect(answers == ["550 5.1.1 No", nil, "550 5.1.1 No", nil])
        #expect(engine.rcpt("no@b") == "550 5.1.1 No")  // a half is not more than a half
        #expect(mail())
        #expect(engine.rcpt("yes@b") == "450 4.7.1 Directory harvest")  // 3 of 5, and deferrals do not count
        #expect(engine.rcpt("yes@b", client: "192.0.2.2") == nil)
        engine.note(try #require(ReplyCode(501)), Facts(client: "192.0.2.1"), now_ns: 0)
        engine.note(try #require(ReplyCode(452)), Facts(client: "192.0.2.1"), now_ns: 0)
        #expect(!mail())
        #expect(engine.decide(.mail, Facts(client: "192.0.2.1", from: "a@b"), now_ns: 301 * second_ns) == nil)
        #expect(
            engine.status(now_ns: 0)[0].remains.hasPrefix("unknown-share 50% of 4 in 10m: 3 of 5 now for 192.0.2.1"))
    }

    @Test func `What is asked for often is not forgotten for what comes once`() throws {
        var engine = try engine(
            "connect at-once=2 per=client: 421 4.3.2 Full", "mail limit=100000/1h per=client: 450 4.7.1 x",
            "rcpt limit=1/1h per=to: 450 4.7.1 y")
        for session in 1...2 { #expect(engine.decide(.connect, connect(UInt64(session)), now_ns: 0) == nil) }
        for number in 0..<150_000 {
            let fires = engine.decide(.mail, Facts(client: "192.0.2.1", from: "a@b"), now_ns: 0) != nil
            #expect(fires == (number >= 100_000))
            _ = engine.rcpt("user\(number)@x")
        }
        #expect(engine.decide(.connect, connect(3), now_ns: 0) != nil)
        #expect(engine.droppedKeys > 80_000)
    }

    @Test func `Only what comes to a rule is counted by it`() throws {
        var engine = try engine(
            "mail listener=mx1 errors=2/1m per=client: 421 4.7.0 Too many errors",
            "rcpt to=*@a.test unknown-share=50%/4/1m: 450 4.7.1 Harvest", "rcpt to=no*: 550 5.1.1 No")
        let bad = try #require(ReplyCode(503))
        func mail(_ listener: String) -> Bool {
            engine.decide(.mail, Facts(listener: listener, client: "192.0.2.1", from: "a@b"), now_ns: 0) == nil
        }
        for _ in 0..<5 { engine.note(bad, Facts(listener: "mx2", client: "192.0.2.1"), now_ns: 0) }
        #expect(mail("mx1"))
        for _ in 0..<2 { engine.note(bad, Facts(listener: "mx1", client: "192.0.2.1"), now_ns: 0) }
        #expect(!mail("mx1"))
        #expect(mail("mx2"))
        for _ in 0..<9 { _ = engine.rcpt("no@b.test") }
        #expect(engine.rcpt("yes@a.test") == nil)
        let line = "mail from=*@bad.test errors=2/1m per=client: 421 x"
        #expect(RuleLine.examine(line).errors.first?.message.hasPrefix("errors with a condition on from") == true)
    }

    @Test func `One session cannot fill the tables`() throws {
        var engine = try engine(
            "mail at-once=5 per=from: 421 4.3.2 Full", "rcpt limit=100 per=transaction: 452 4.5.3 Too many",
            "rcpt limit=5 per=session,to: 452 4.5.3 Too many")
        for number in 0..<20_000 {
            let facts = Facts(from: "u\(number)@x", to: ["r\(number)@y"], session: 1, transaction: number)
            #expect(engine.decide(.mail, facts, now_ns: 0) == nil)
            #expect(engine.decide(.rcpt, facts, now_ns: 0) == nil)
        }
        #expect(engine.droppedKeys == 0)
        engine.sessionEnded(1)
        #expect(engine.status(now_ns: 0).allSatisfy { $0.present.isEmpty })
    }

    @Test func `What was counted for a session is forgotten with it`() throws {
        var engine = try engine("mail limit=2 per=session: 421 4.7.0 Enough")
        for session in 0..<10 {
            _ = engine.decide(.mail, Facts(from: "a@b", session: UInt64(session)), now_ns: 0)
            engine.sessionEnded(UInt64(session))
        }
        #expect(engine.status(now_ns: 0)[0].present.isEmpty)
    }

    @Test func `A greylist keeps its wait, its window and its memory`() throws {
        var engine = try engine("rcpt greylist=5m..4h/36d per=client-network,from,to: 451 4.7.1 Greylisted")
        func rcpt(_ minute: UInt64, client: String = "192.0.2.1") -> Bool {
            engine.rcpt("a@b", client: client, at: minute * 60) == nil
        }
        #expect([rcpt(0), rcpt(4), rcpt(5), rcpt(6)] == [false, false, true, true])
        #expect(rcpt(7, client: "192.0.2.200"))  // the same network
        #expect(!rcpt(7, client: "192.0.3.1"))
        #expect(!rcpt(7 + 240, client: "192.0.3.1"))  // too late: new again
        #expect(rcpt(7 + 245, client: "192.0.3.1"))
        let days: UInt64 = 24 * 60
        #expect(rcpt(35 * days))  // seen 35 days ago, and remembered from now on
        #expect(rcpt(70 * days))
        #expect(!rcpt(107 * days))
    }

    @Test func `A recovering server refuses everything, then admits a growing share`() throws {
        var engine = try engine("connect recover=10m..1h: 421 4.3.2 Starting up")
        func admitted(at minute: UInt64) -> Int {
            (0..<200).count { number in
                engine.decide(
                    .connect, connect(1, client: "10.0.\(minute % 256).\(number)"), now_ns: minute * 60 * second_ns)
                    == nil
            }
        }
        #expect(admitted(at: 0) == 0)
        #expect(admitted(at: 9) == 0)
        let quarter = admitted(at: 25)
        let most = admitted(at: 64)
        #expect((25...75).contains(quarter), "\(quarter)")
        #expect((160...199).contains(most), "\(most)")
        #expect(admitted(at: 71) == 200)
    }

    @Test func `The time scale divides windows and waits`() throws {
        var engine = try engine(
            "mail limit=1/1h: 451 4.7.1 x", "rcpt greylist=1h..4h/1d per=to: 451 4.7.1 y", timeScale: 60)
        func mail(_ second: UInt64) -> Bool {
            engine.decide(.mail, Facts(from: "a@b"), now_ns: second * second_ns) == nil
        }
        #expect([mail(0), mail(59), mail(60)] == [true, false, true])
        #expect([engine.rcpt("a@b", at: 0), engine.rcpt("a@b", at: 59)].allSatisfy { $0 != nil })
        #expect(engine.rcpt("a@b", at: 60) == nil)
    }

    @Test(arguments: [
        ("mail limit=0/1h: 451 x", "limit 0 admits nothing; leave the limit out to refuse always"),
        (
            "mail limit=5 per=client: 451 x",
            "limit has a window that never ends; add one, as in 1h, or count per session or per transaction"
        ),
        ("mail limit=5/0s per=client: 451 x", "a window of 0 admits everything"),
        ("connect at-once=5/1h: 421 x", "\"5/1h\" is more than at-once takes; write it as at-once 10"),
        (
            "connect at-once=5 per=session: 421 x",
            "at-once counts open sessions, so it cannot be per session or transaction"
        ),
        (
            "mail octets=1MB/1h: 452 x",
            "octets at mail: what a message has is known when it has come; use at: end-of-data"
        ),
        ("mail unknown-share=30%/1h: 450 x", "unknown-share at mail: recipients are answered at rcpt; use at: rcpt"),
        ("rcpt greylist=5m: 451 x", "greylist knows no tuple; add what makes one, as per client-network, from, to"),
        ("rcpt greylist=5m..1m per=to: 451 x", "the window 1m ends before the wait 5m is over"),
        ("rcpt limt=5/1h: 450 x", "unknown condition \"limt\"; did you mean \"limit\"?"),
        (
            "mail recover=10m: 421 x",
            "write recover with both times, as 10m..1h: down for 10m, then an hour of a growing share"
        ),
    ])
    func `A limit that makes no sense is refused with a reason`(_ line: String, _ reason: String) {
        let notes = RuleLine.examine(line)
        #expect(notes.rule == nil)
        #expect(notes.errors.first?.message.hasPrefix(reason) == true, "\(notes.errors)")
    }

    @Test func `A meter of many uses stays small and forgets in time`() throws {
        var engine = try engine("mail limit=1000000/1h per=client: 451 4.7.1 x")
        for number in 0..<100_000 {
            let facts = Facts(client: "192.0.2.1", from: "a@b")
            #expect(engine.decide(.mail, facts, now_ns: UInt64(number) * 10_000_000) == nil)
        }
        let end = 1000 * second_ns
        #expect(engine.status(now_ns: end)[0].present.map(\.count) == [100_000])
        #expect(engine.status(now_ns: end + 3700 * second_ns)[0].present.isEmpty)
    }
}
