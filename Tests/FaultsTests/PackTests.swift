// The address grammars of other tools: each by the examples of that tool's own documentation, and what stays ordinary.

import Faults
import SMTP
import Testing

@Suite struct PackTests {
    /// What an engine with these packs decides about a text that stands where it is read at this phase.
    private func decide(_ packs: MagicPacks, _ phase: Phase, from: String = "s@a.test", _ to: String...) -> Decision? {
        var engine = Engine(rules: [], seed: 1, timeScale: 1, magic: packs, catalogue: .empty)
        return engine.decide(phase, Facts(from: from, to: to), now_ns: 0)
    }

    private func words(_ decision: Decision?) -> String {
        (decision?.actions ?? []).map { action in
            switch action {
            case .reply(let reply): reply.enhanced.map { "\(reply.code) \($0)" } ?? "\(reply.code)"
            case .delay(let ns): "delay \(Span(ns: ns))"
            case .hide(let hidden):
                "hide "
                    + Capability.allCases.filter { hidden.contains($0) }.map(\.keyword).joined(separator: " ")
            default: "\(action)"
            }
        }.joined(separator: ", ")
    }

    // MARK: BadSMTP

    /// README and docs/error_codes.md of BadSMTP.
    @Test(arguments: [
        (Phase.mail, "mail452@example.net", "452"), (.mail, "mail421@example.com", "421"),
        (.mail, "mail550_5.1.1@example.com", "550 5.1.1"), (.mail, "mail550_5.7.1@example.com", "550 5.7.1"),
        (.mail, "mail550_5.7.509@example.net", "550 5.7.509"), (.mail, "mail452@example.com", "452"),
        (.mail, "550@example.com", "550"), (.mail, "421@error.example.com", "421"),
        (.data, "data552@example.net", "552"), (.rset, "rset421@example.net", "421"),
        (.rset, "rset421_4.5.1@example.com", "421 4.5.1"), (.quit, "quit421@example.net", "421"),
        (.starttls, "starttls454@example.net", "454"), (.starttls, "starttls454_4.7.1@example.com", "454 4.7.1"),
        (.noop, "noop421@example.net", "421"), (.mail, "MAIL452@Example.NET", "452"),
        (.mail, "mail571@x", "571"),
    ])
    func `BadSMTP: the sender's address speaks at the phase of its verb`(
        phase: Phase, from: String, expected: String
    ) {
        #expect(words(decide(.badsmtp, phase, from: from, "b@x")) == expected)
        for other in Phase.allCases where other != phase {
            #expect(decide(.badsmtp, other, from: from, "b@x") == nil)
        }
        #expect(Engine.mightBeMagic(Array(from.utf8), .badsmtp))
    }

    @Test(arguments: [
        ("rcpt550_5.1.1@example.net", "550 5.1.1"), ("rcpt551_5.7.1@example.net", "551 5.7.1"),
        ("rcpt452@example.com", "452"),
    ])
    func `BadSMTP: each recipient asks for itself`(to: String, expected: String) {
        #expect(words(decide(.badsmtp, .rcpt, to)) == expected)
        #expect(decide(.badsmtp, .rcpt, from: to, "nobody@example.net") == nil)
        #expect(Engine.mightBeMagic(Array(to.utf8), .badsmtp))
    }

    @Test(arguments: [
        ("helo500.example.com", "500"), ("EHLO421.example.com", "421"), ("reject.example.com", "502"),
        ("noehl.example.com", "502"), ("no8bit.example.com", "hide 8BITMIME"),
        ("size10000-no8bit-authplain.example.com", "hide 8BITMIME"),
        ("nosize-nopipelining-authlogin.example.com", "hide PIPELINING SIZE"),
        ("size50000-authcram-nopipelining.example.com", "hide PIPELINING"),
        (
            "nostarttls-nochunking-nosmtputf8-noenhancedstatuscodes-noauth.x",
            "hide SMTPUTF8 CHUNKING ENHANCEDSTATUSCODES STARTTLS AUTH"
        ),
        ("authplain-authoauth.example.com", ""), ("helo500", ""), ("helo.example.com", ""), ("helo50.x", ""),
        ("mail.helo500.example.com", ""), ("rejected.example.com", ""), ("client.test", ""), ("[192.0.2.1]", ""),
        ("", ""), ("helo250.example.com", ""),
    ])
    func `BadSMTP: the host name speaks at EHLO`(name: String, expected: String) {
        var engine = Engine(rules: [], seed: 1, timeScale: 1, magic: .badsmtp, catalogue: .empty)
        let decision = engine.decide(.ehlo, Facts(helo: name), now_ns: 0)
        #expect(words(decision) == expected)
        if let decision { #expect(decision.why == "the host name \(name)") }
    }

    @Test func `BadSMTP: a user named badauth fails, another does not`() {
        var engine = Engine(rules: [], seed: 1, timeScale: 1, magic: .badsmtp, catalogue: .empty)
        #expect(words(engine.decide(.auth, Facts(user: "badauth@example.com"), now_ns: 0)) == "535")
        #expect(engine.decide(.auth, Facts(user: "goodauth@example.com"), now_ns: 0) == nil)
    }

    @Test(arguments: [
        "user@example.com", "mail@example.com", "mail45@example.com", "mail4521@example.com", "mail452", "mail250@x",
        "mail452+tag@x", "mail452_5@x", "mail452_@x", "mail452_9.1.1@x", "xmail452@x", "\"mail452\"@x", "a@mail452.x",
        "auth535@x", "bdat552@x", "vrfy550@x", "", "@", "600@x", "mail-451@x",
    ])
    func `BadSMTP: what its grammar does not know is ordinary`(address: String) {
        for phase in Phase.allCases { #expect(decide(.badsmtp, phase, from: address, address) == nil) }
    }

    // MARK: mox

    /// The help of `mox localserve`: the four endings, at end of data, or in front with the command's name.
    @Test(arguments: [
        (Phase.endOfData, "temperror@localhost", "451 4.0.0"), (.endOfData, "permerror@localhost", "550 5.0.0"),
        (.endOfData, "any452@localhost", "452 4.0.0"), (.endOfData, "554@localhost", "554 5.0.0"),
        (.endOfData, "my.timeout@localhost", "delay 1h, 451 4.3.0"), (.rcpt, "rcpttotemperror@x", "451 4.0.0"),
        (.rcpt, "rcptto-550@x", "550 5.0.0"), (.rcpt, "rcptto.timeout@x", "delay 1h, 451 4.3.0"),
        (.rcpt, "RcptTo-PermError@x", "550 5.0.0"), (.endOfData, "mailfrom452@x", "452 4.0.0"),
    ])
    func `mox: the end of the recipient's local part says what, its beginning where`(
        phase: Phase, to: String, expected: String
    ) {
        #expect(words(decide(.mox, phase, to)) == expected)
        #expect(Engine.mightBeMagic(Array(to.utf8), .mox))
    }

    @Test(arguments: [
        ("mailfromtemperror@x", "451 4.0.0"), ("mailfrompermerror@x", "550 5.0.0"), ("mailfrom-452@x", "452 4.0.0"),
        ("mailfromtimeout@x", "delay 1h, 451 4.3.0"), ("temperror@x", ""), ("rcptto550@x", ""), ("mailfrom@x", ""),
    ])
    func `mox: the sender speaks at MAIL with mailfrom in front, and nowhere else`(from: String, expected: String) {
        #expect(words(decide(.mox, .mail, from: from, "b@x")) == expected)
        #expect(decide(.mox, .rcpt, from: from, "b@x") == nil)
        #expect(decide(.mox, .endOfData, from: from, "b@x") == nil)
        if !expected.isEmpty { #expect(Engine.mightBeMagic(Array(from.utf8), .mox)) }
    }

    @Test(arguments: [
        "mox@localhost", "temperrors@x", "user+550x@x", "user12@x", "user350@x", "user650@x", "a@temperror", "", "5@x",
        "timeouts@x", "user-5.1@x",
    ])
    func `mox: what its grammar does not know is ordinary`(address: String) {
        for phase in Phase.allCases { #expect(decide(.mox, phase, from: address, address) == nil) }
    }

    @Test func `mox: the hour of silence obeys the time scale`() {
        var engine = Engine(rules: [], seed: 1, timeScale: 3600, magic: .mox, catalogue: .empty)
        let decision = engine.decide(.endOfData, Facts(from: "", to: ["timeout@x"]), now_ns: 0)
        #expect(words(decision) == "delay 1s, 451 4.3.0")
    }

    // MARK: SES

    /// The table of the SES Developer Guide and its paragraph on labels.
    @Test(arguments: [
        ("bounce@simulator.amazonses.com", "550 5.1.1"), ("suppressionlist@simulator.amazonses.com", "550 5.1.1"),
        ("bounce+label1@simulator.amazonses.com", "550 5.1.1"), ("bounce+label2@simulator.amazonses.com", "550 5.1.1"),
        ("Bounce@Simulator.AmazonSES.com", "550 5.1.1"), ("success@simulator.amazonses.com", ""),
        ("complaint@simulator.amazonses.com", ""), ("ooto@simulator.amazonses.com", ""),
        ("ooto+label@simulator.amazonses.com", ""), ("bounces@simulator.amazonses.com", ""), ("bounce@example.com", ""),
        ("bounce@simulator.amazonses.com.test", ""), ("bounce@x.simulator.amazonses.com", ""), ("bounce", ""),
    ])
    func `SES: the simulator's bounces are refused at RCPT, the rest is taken`(to: String, expected: String) {
        #expect(words(decide(.ses, .rcpt, to)) == expected)
        if !expected.isEmpty { #expect(Engine.mightBeMagic(Array(to.utf8), .ses)) }
        for phase in Phase.allCases where phase != .rcpt { #expect(decide(.ses, phase, from: to, to) == nil) }
    }

    // MARK: Mailtrap

    /// The page "Bounce Emulator" of Mailtrap's documentation.
    @Test(arguments: [
        ("bounce+550+no+such+user+here@inbox.mailtrap.io", "550 no such user here"),
        ("bounce+550+%4Eo+such+user+here@inbox.mailtrap.io", "550 No such user here"),
        ("bounce+451+server+unavailable@inbox.mailtrap.io", "451 server unavailable"),
        ("bounce+454+authentication+required@anydomain.com", "454 authentication required"),
        ("BOUNCE+550+5.1.1+gone@x", "550 5.1.1 gone"), ("bounce+550+4.1.1+gone@x", "550 4.1.1 gone"),
        ("bounce+550@x", "550 Injected by fakemx, as bounce+550@x asks"),
        ("bounce+550+50%25+full%21@x", "550 50% full!"), ("bounce+550+100%+a%zz@x", "550 100% a%zz"),
        ("bounce+550+a%0d%0a250+b@x", "550 a??250 b"), ("bounce+550+caf%C3%A9@x", "550 caf??"),
    ])
    func `Mailtrap: the address is the reply`(to: String, expected: String) {
        #expect(decide(.mailtrap, .rcpt, to)?.replyText == expected)
        #expect(Engine.mightBeMagic(Array(to.utf8), .mailtrap))
        for phase in Phase.allCases where phase != .rcpt { #expect(decide(.mailtrap, phase, from: to, to) == nil) }
    }

    @Test(arguments: [
        "bounce@x", "bounce+@x", "bounce+label1@x", "bounce+250+ok@x", "bounce+55+x@x", "bounce-550-x@x",
        "xbounce+550@x", "bounce+5500@x", "a@bounce+550+x", "",
    ])
    func `Mailtrap: what its grammar does not know is ordinary`(address: String) {
        for phase in Phase.allCases { #expect(decide(.mailtrap, phase, from: address, address) == nil) }
    }

    // MARK: KumoMTA

    /// The README of KumoMTA's smart-sink-docker, and the chapter on performance testing.
    @Test(arguments: [
        ("tempfail@example.com", "400"), ("permfail@example.com", "500"), ("my-tempfail.7@example.com", "400"),
        ("user.permfail@example.com", "500"), ("450-busy@example.com", "450"), ("250-user@example.com", ""),
        ("250-tempfail@example.com", "400"), ("user@example.com", ""), ("451-user@example.com", ""),
        ("user-450-@example.com", ""), ("user@tempfail.test", ""), ("450@example.com", ""), ("fail@example.com", ""),
    ])
    func `KumoMTA: the user name decides behind the final dot`(to: String, expected: String) {
        #expect(words(decide(.kumo, .endOfData, to)) == expected)
        if !expected.isEmpty { #expect(Engine.mightBeMagic(Array(to.utf8), .kumo)) }
        for phase in Phase.allCases where phase != .endOfData { #expect(decide(.kumo, phase, from: to, to) == nil) }
    }

    // MARK: Which are on

    @Test func `Only the packs that are on speak, the first in their order`() {
        #expect(decide(.usual, .rcpt, "rcpt550@x") == nil)
        #expect(decide([], .rcpt, "rcpt-550@x") == nil)
        #expect(decide(.badsmtp, .rcpt, "rcpt-550@x") == nil)
        #expect(decide(.all, .rcpt, "rcpt-550@x")?.rule == "magic rcpt-550")
        #expect(decide(.all, .rcpt, "rcpt550@x")?.rule == "magic badsmtp rcpt550")
        #expect(decide(.all, .rcpt, "bounce+550+x@simulator.amazonses.com")?.rule == "magic ses bounce+550+x")
        // The first of fakemx's own comes before an earlier recipient of another tool.
        #expect(decide(.all, .endOfData, "temperror@x", "eod-552@x")?.rule == "magic eod-552")
        #expect(decide([.mox, .kumo], .endOfData, "permfail@x", "temperror@x")?.rule == "magic mox temperror")
        #expect(
            decide(.all, .rcpt, "bounce@simulator.amazonses.com")?.why == "the address bounce@simulator.amazonses.com")
    }

    @Test func `The phases are those of the packs that are on`() {
        func phases(_ packs: MagicPacks) -> PhaseSet {
            Engine(rules: [], seed: 1, timeScale: 1, magic: packs, catalogue: .empty).magicPhases
        }
        #expect(phases([]) == [])
        #expect(phases(.ses) == PhaseSet(.rcpt))
        #expect(phases([.ses, .kumo]) == [PhaseSet(.rcpt), PhaseSet(.endOfData)])
        #expect(phases(.all).isSuperset(of: phases(.usual)))
        #expect(phases(.all).contains(PhaseSet(.quit)) && !phases(.all).contains(PhaseSet(.body)))
    }

    @Test(arguments: [
        ("fakemx", "fakemx"), ("on", "fakemx"), ("off", "off"), ("none", "off"), ("TRUE", "fakemx"), (" ses ", "ses"),
        ("all", "fakemx,badsmtp,mox,ses,mailtrap,kumo"), ("kumo, mox", "mox,kumo"), ("mailtrap kumo", "mailtrap,kumo"),
        ("badsmtp,fakemx,badsmtp", "fakemx,badsmtp"),
    ])
    func `A list of packs reads and prints`(text: String, printed: String) throws {
        let packs = try MagicPacks.parse(text).get()
        #expect(packs.description == printed)
        #expect(try MagicPacks.parse(packs.description).get() == packs)
    }

    @Test(arguments: [
        ("badsmpt", "\"badsmpt\" is none of fakemx, badsmtp, mox, ses, mailtrap, kumo, on, off, all; did you mean"),
        ("fakemx,mailtrp", "did you mean \"mailtrap\"?"), ("off,mox", "\"off\" stands alone"), ("", "no pack is named"),
        (",", "no pack is named"), ("mox,all", "\"all\" stands alone"), ("perhaps", "\"perhaps\" is none of"),
    ])
    func `A bad list is complained about`(text: String, complaint: String) {
        guard case .failure(let said) = MagicPacks.parse(text) else {
            Issue.record("\"\(text)\" was taken")
            return
        }
        #expect(said.description.contains(complaint), "\(said)")
    }

    // MARK: Garbage

    @Test func `Mutated addresses never crash a pack, and the cheap look never misses`() {
        let seeds = [
            "mail550_5.1.1@example.net", "helo500.example.com", "rcpttotemperror@x", "any452@x", "my.timeout@x",
            "bounce+label@simulator.amazonses.com", "bounce+550+%4Eo+such+user@x", "450-x@y", "a-permfail.b@c",
            "no8bit-nosize.x", "421@error.example.com", "eod-552@x",
        ]
        let alphabet = Array("@+-_.%0459afEFtTmM\"é\u{301}\u{1F600}\u{0}\r\n ".unicodeScalars)
        var dice = Dice(79)
        var engine = Engine(rules: [], seed: 1, timeScale: 1, magic: .all, catalogue: .empty)
        var spoke = 0
        for _ in 0..<30_000 {
            var scalars = Array(dice.one(of: seeds).unicodeScalars)
            for _ in 0..<dice.below(4) {
                let at = dice.below(scalars.count + 1)
                switch dice.below(3) {
                case 0 where at < scalars.count: scalars.remove(at: at)
                case 1 where at < scalars.count: scalars[at] = dice.one(of: alphabet)
                default: scalars.insert(dice.one(of: alphabet), at: at)
                }
            }
            let text = String(String.UnicodeScalarView(scalars))
            let phase = dice.one(of: Phase.allCases)
            let facts = Facts(helo: text, user: text, from: text, to: [text, text])
            guard let decision = engine.decide(phase, facts, now_ns: 0) else { continue }
            spoke += 1
            #expect(!decision.actions.isEmpty)
            if let reply = decision.replyText {
                #expect(reply.utf8.count < 500 && reply.utf8.allSatisfy { (32...126).contains($0) }, "\(reply)")
            }
            guard phase != .ehlo, phase != .auth else { continue }
            #expect(Engine.mightBeMagic(Array(text.utf8), .all), "\(text) at \(phase)")
        }
        #expect(spoke > 1000)
        for pack in [MagicPacks.badsmtp, .mox, .ses, .mailtrap, .kumo] {
            let long = "bounce+550+" + String(repeating: "%C3%BC5temperror", count: 50_000) + "@simulator.amazonses.com"
            for phase in Phase.allCases { _ = decide(pack, phase, from: long, long) }
            #expect(!Engine.mightBeMagic(Array("alice.smith@example.com".utf8), pack))
        }
    }
}
