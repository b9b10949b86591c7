// Magic addresses: what the local part says, and what is left ordinary.

import Faults
import SMTP
import Testing

@Suite struct MagicTests {
    private func decide(_ phase: Phase, _ address: String) throws -> Decision? {
        var engine = try engine(magic: .usual)
        let facts = phase == .mail ? Facts(from: address) : Facts(from: "s@a.test", to: [address])
        return engine.decide(phase, facts, now_ns: 0)
    }

    private func words(_ actions: [Action]?) -> String {
        (actions ?? []).map { action in
            switch action {
            case .reply(let reply): "\(reply.code) \(reply.enhanced.map(String.init(describing:)) ?? "")"
            case .delay(let ns): "delay \(Span(ns: ns))"
            default: "\(action)"
            }
        }.joined(separator: ", ")
    }

    @Test(arguments: [
        (Phase.rcpt, "rcpt-550@any.test", "550 5.1.1"), (.rcpt, "rcpt-550-5.7.1@any.test", "550 5.7.1"),
        (.mail, "mail-451@any.test", "451 4.7.1"),
        (.data, "data-421@any.test", "421 4.3.2"), (.endOfData, "eod-554-5.7.1@any.test", "554 5.7.1"),
        (.endOfData, "eod-550@any.test", "550 5.7.1"), (.endOfData, "eod-close@any.test", "keep, close"),
        (.endOfData, "eod-reset@any.test", "keep, reset"), (.endOfData, "eod-drop@any.test", "close"),
        (.endOfData, "eod-delay-30s@any.test", "delay 30s"), (.endOfData, "eod-stall@x", "stall"),
        (.rcpt, "rcpt-delay-2s@x", "delay 2s"),
        (.rcpt, "RCPT-550+tag@x", "550 5.1.1"), (.rcpt, "rcpt-delay-2s-452@x", "delay 2s, 452 4.2.2"),
        (.rcpt, "rcpt-452-delay-2s@x", "delay 2s, 452 4.2.2"), (.mail, "mail-close@x", "close"),
        (.data, "data-reset@x", "reset"),
        (.data, "data-554@x", "554 5.5.1"), (.rcpt, "rcpt-stall", "stall"),
        (.rcpt, "rcpt-550-close@x", "550 5.1.1, close"),
        (.endOfData, "eod-452-close@x", "452 4.3.1, close"), (.mail, "mail-599@x", "599 5.0.0"),
    ])
    func `A magic address does what it says`(phase: Phase, address: String, expected: String) throws {
        #expect(words(try decide(phase, address)?.actions) == expected)
    }

    @Test(arguments: [
        (Phase.rcpt, "rcpt@x"), (.rcpt, "rcpt-@x"), (.rcpt, "rcpt-250@x"), (.rcpt, "rcpt-600@x"), (.rcpt, "rcpt-55@x"),
        (.rcpt, "rcpt-550-@x"),
        (.rcpt, "rcpt-550-5.1@x"), (.rcpt, "rcpt-550-551@x"), (.rcpt, "rcpt-drop@x"), (.rcpt, "mail-550@x"),
        (.rcpt, "rcpt-delay@x"),
        (.rcpt, "rcpt-delay-2h@x"), (.rcpt, "rcpt-delay-soon@x"), (.rcpt, "rcpt-x2@x"), (.rcpt, "rcpt-451-x0@x"),
        (.rcpt, "xrcpt-550@x"),
        (.rcpt, "rcpt-use-gmail@x"), (.rcpt, "\"rcpt-55\"@x"), (.rcpt, "a@rcpt-550"), (.rcpt, ""),
        (.endOfData, "eod-drop-550@x"),
        (.data, "rcpt-550@x"), (.mail, "rcpt-550@x"), (.rcpt, "rcpt-close-reset@x"), (.rcpt, "rcpt-451-x2-x3@x"),
    ])
    func `What is not recognised is an ordinary address`(phase: Phase, address: String) throws {
        #expect(try decide(phase, address) == nil)
    }

    @Test func `The decision names the address without its tag and the reply says who injected it`() throws {
        let decision = try decide(.rcpt, "Rcpt-550+News@any.test")
        #expect(decision?.rule == "magic rcpt-550")
        #expect(decision?.why == "the address Rcpt-550+News@any.test")
        #expect(decision?.replyText == "550 5.1.1 Injected by fakemx, as Rcpt-550+News@any.test asks")
    }

    @Test func `The first attempts are deferred, then the address is ordinary`() throws {
        var engine = try engine(magic: .usual)
        #expect(engine.rcpt("rcpt-451-x2@x")?.hasPrefix("451 4.7.1") == true)
        #expect(engine.rcpt("rcpt-451-x2@x", from: "other@x")?.hasPrefix("451") == true)
        #expect(engine.rcpt("rcpt-451-x2@x") == nil)
        #expect(engine.rcpt("rcpt-451-x2@y")?.hasPrefix("451") == true)
    }

    @Test func `Rules come before magic, and magic can be off`() throws {
        var ruled = try engine("rcpt to=*@quiet.test: accept", magic: .usual)
        #expect(ruled.rcpt("rcpt-550@quiet.test") == "accept")
        #expect(ruled.rcpt("rcpt-550@loud.test")?.hasPrefix("550") == true)
        var off = try engine(magic: [])
        #expect(off.rcpt("rcpt-550@x") == nil)
        #expect(off.phases == [])
        #expect(ruled.magicPhases == [PhaseSet(.mail), PhaseSet(.rcpt), PhaseSet(.data), PhaseSet(.endOfData)])
    }

    @Test func `After RCPT the first magic recipient decides`() throws {
        var engine = try engine(magic: .usual)
        let facts = Facts(from: "", to: ["plain@x", "rcpt-550@x", "eod-552@x", "eod-554@x"])
        #expect(engine.decide(.endOfData, facts, now_ns: 0)?.rule == "magic eod-552")
    }

    @Test func `The cheap look never misses`() throws {
        for address in ["rcpt-550@x", "RCPT-550@x", "eod-close@x", "Mail-451@x", "data-421@x", "EOD-x"] {
            #expect(Engine.mightBeMagic(Array(address.utf8), .usual))
        }
        for address in ["", "a", "rcpt", "rcptx550@x", "alice@x", "eod@x", "news-letter@x", "bounce-1@x"] {
            #expect(!Engine.mightBeMagic(Array(address.utf8), .usual))
        }
        var dice = Dice(5)
        for _ in 0..<3000 {
            let address =
                dice.one(of: ["rcpt", "eod", "mail", "data", "RcPt", "x"]) + "-"
                + dice.one(of: ["550", "close", "delay-1s", "451-x2", ""]) + dice.one(of: ["@x", "", "+t@x"])
            for phase in [Phase.mail, .rcpt, .data, .endOfData] where try decide(phase, address) != nil {
                #expect(Engine.mightBeMagic(Array(address.utf8), .usual), "\(address)")
            }
        }
    }

    @Test func `A reply to a foreign address stays printable and short`() throws {
        let address = "rcpt-550@" + String(repeating: "ü", count: 900)
        let wire = try decide(.rcpt, address)?.replyText ?? ""
        #expect(wire.utf8.count < 500)
        #expect(wire.utf8.allSatisfy { (32...126).contains($0) })
    }
}
