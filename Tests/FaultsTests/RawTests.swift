// Raw octets, presets that bend a reply, catalogue replies and tarpits.

import Faults
import SMTP
import Testing

@Suite struct RawTests {
    private func text(_ bent: BentReply) -> String { String(decoding: bent.pieces.joined(), as: UTF8.self) }

    @Test func `Raw octets say what they are to mean, and where they are split`() throws {
        var engine = try engine(#"rcpt: raw "250-a, close\r\n\|250 \x00b; \"c\"\\\n""#)
        let decision = engine.decide(.rcpt, Facts(to: ["a@b"]), now_ns: 0)
        let pieces = [Array("250-a, close\r\n".utf8), Array("250 \0b; \"c\"\\\n".utf8)]
        #expect(decision?.actions == [.raw(pieces: pieces, code: ReplyCode(250))])
        #expect(
            try RuleLine.line(of: RuleLine.parse(#"rcpt: raw "550 x\|\r\n", reset"#))
                == #"rcpt: raw "550 x\|\r\n", reset"#)
    }

    @Test(arguments: OddReply.allCases) func `Each preset breaks what its name says`(_ preset: OddReply) throws {
        let plain = Reply(.ok, EnhancedStatus("2.1.5"), lines: ["mx.test ESMTP Ok", "SIZE 1000"])
        let bent = preset.bend(plain)
        let said = text(bent)
        let lines = said.split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        switch preset {
        case .multilineGreeting: #expect(lines.count == 4 && lines[0].hasPrefix("250-") && lines[2].hasPrefix("250 "))
        case .bareLFReply: #expect(!said.utf8.contains(13) && said.hasSuffix("\n"))
        case .noText: #expect(said == "250\r\n")
        case .noCode: #expect(said == "2.1.5 mx.test ESMTP Ok\r\n2.1.5 SIZE 1000\r\n")
        case .mixedCodes: #expect(lines[0].hasPrefix("250-") && lines[1].hasPrefix("550 "))
        case .missingLastLine: #expect(lines.dropLast().allSatisfy { $0.hasPrefix("250-") })
        case .longLine: #expect(lines[1].utf8.count + 2 == 600)
        case .longLine4K: #expect(lines[1].utf8.count + 2 == 4096)
        case .eightBitText: #expect(bent.pieces.joined().contains { $0 > 127 })
        case .nulInReply: #expect(bent.pieces.joined().contains(0))
        case .twoReplies: #expect(Array(bent.pieces.joined()) == plain.wire + plain.wire)
        case .unsolicited421: #expect(said.contains("\r\n421 ") && bent.closes)
        case .earlyReply: #expect(lines.count == 4 && bent.saysNext)
        case .splitReply: #expect(bent.pieces.allSatisfy { $0.count == 1 } && Array(bent.pieces.joined()) == plain.wire)
        case .lowercaseEHLO: #expect(said == "250-2.1.5 mx.test esmtp ok\r\n250 2.1.5 size 1000\r\n")
        case .greetingWithoutESMTP: #expect(!said.contains("ESMTP") && said.hasPrefix("250 "))
        case .pix: #expect(said.hasPrefix("250-2****") && !said.contains("ESMTP"))
        }
        #expect(bent.closes == (preset == .unsolicited421))
        #expect(bent.saysNext == (preset == .earlyReply))
    }

    @Test(arguments: [
        ("rcpt: raw pix", "raw pix at rcpt means nothing; use at: connect or greeting"),
        ("rcpt: raw bare-lf", "did you mean \"bare-lf-reply\"?"), ("rcpt: raw \"250 x", "this quote is not closed"),
        ("rcpt: raw \"\\q\"", "\\q is no escape of raw"), ("rcpt: raw \"\\x1\"", "\\x needs two hexadecimal digits"),
        ("rcpt: 550 x, raw no-text", "raw no-text stands in front of the reply that it bends"),
        ("rcpt: raw no-text, close", "nothing is said here, so nothing can be bent"),
        ("idle: raw no-text", "nothing is said at idle by itself"),
        ("tls: raw \"x\"", "octets in clear would end the handshake"),
        ("rcpt: raw \"250 x\", 550 y", "a second reply"), ("rcpt: use nothing here", "use takes one name"),
        ("rcpt: tarpit 1s", "tarpit needs the delay for each error and the longest"),
        ("rcpt: tls expired", "it comes too late"), ("tls: tls silent", "STARTTLS has been answered by then"),
        ("starttls: tls hidden", "the list has been sent by then"),
        ("starttls: tls expird", "did you mean \"expired\"?"),
        ("starttls: tls expired, tls stall", "a second tls"),
        ("data: slow-read 1/s, stop-reading", "nothing is read from a connection that closes"),
    ])
    func `What makes no sense is refused with a reason`(_ line: String, _ reason: String) {
        let notes = RuleLine.examine(line)
        #expect(notes.rule == nil)
        #expect(notes.errors.contains { $0.message.contains(reason) }, "\(notes.errors)")
    }

    private static func full() throws -> CatalogueEntry {
        CatalogueEntry(
            name: "gmail/over-quota", provider: "Gmail", phase: .rcpt, meaning: .mailboxFull, advice: .retry,
            source: "a test", template: try ReplyTemplate.parse(["452 4.2.2 <{to}> is full, {ip} {id}"]).get())
    }

    @Test func `A reply of the catalogue is filled from the session, in rules and in magic addresses`() throws {
        let rules = [try RuleLine.parse("rcpt to=a@b: use gmail/over-quota, reset")]
        var engine = Engine(rules: rules, seed: 1, timeScale: 1, magic: .usual, catalogue: Catalogue([try Self.full()]))
        #expect(engine.rcpt("a@b") == "452 4.2.2 <a@b> is full, 192.0.2.1 s1.0")
        for address in [
            "rcpt-use-gmail/over-quota@any.test", "RCPT-use-gmail.over-quota+tag@any.test",
            "\"rcpt-use-gmail/over-quota\"@any.test",
        ] {
            #expect(Engine.mightBeMagic(Array(address.utf8), .usual), "\(address)")
            #expect(engine.rcpt(address)?.hasPrefix("452 4.2.2 <\(address)> is full") == true, "\(address)")
        }
        let twice = "rcpt-use-gmail/over-quota-x2@any.test"
        #expect(
            [engine.rcpt(twice), engine.rcpt(twice), engine.rcpt(twice)].map { $0 == nil } == [false, false, true])
        #expect(engine.rcpt("rcpt-use-gmail/nothing@any.test") == nil)
    }

    @Test func `A tarpit grows with the errors of the session, up to its limit`() throws {
        var engine = try engine("rcpt: tarpit 500ms..2s, accept")
        func wait(_ errors: Int) -> Action? {
            var facts = Facts(to: ["a@b"])
            facts.errors = errors
            return engine.decide(.rcpt, facts, now_ns: 0)?.actions.first
        }
        #expect(
            [0, 1, 3, 4, 9, .max].map(wait) == [0, 500, 1500, 2000, 2000, 2000].map { .delay(ns: $0 * 1_000_000) })
    }

    @Test(arguments: [
        "550 5.1.1 No such user", "delay 1500ms", "drip 10/s", "raw \"a\\r\\n\\|b\"", "tls expired", "stop-reading",
        "250 one\\ntwo\\nthree", "raw split-reply", "hide SIZE DSN", "slow-read 1/h",
    ])
    func `What was done is written so that it can be done again`(_ text: String) throws {
        var engine = Engine(
            rules: [Rule(at: .starttls, schedule: .times(.always, do: [try RuleAction.parse(text).get()]))], seed: 1,
            timeScale: 1, magic: [], catalogue: .empty)
        let action = try #require(engine.decide(.starttls, Facts(), now_ns: 0)?.actions.first)
        #expect(try RuleAction.parse(action.written).get() == RuleAction.parse(text).get(), "\(action.written)")
    }
}
