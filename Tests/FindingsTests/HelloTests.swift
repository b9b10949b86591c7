// The layer helo: the name, and when, how often and by which verb it is said.

import Findings
import Journal
import Testing

@Suite struct HelloTests {
    /// A clean session but for the name that the client gives each time.
    private static func talk(_ name: [UInt8], client: String = "192.0.2.9:40025") -> Talk {
        var talk = Talk(client: client)
        talk.greeting()
        talk.client(Array("EHLO ".utf8) + name)
        talk.append(.reply(phase: .ehlo, wire: Array((Talk.offer.joined(separator: "\r\n") + "\r\n").utf8)))
        talk.startTLS()
        talk.client(Array("EHLO ".utf8) + name)
        talk.append(.reply(phase: .ehlo, wire: Array("250-mx.test\r\n250 SIZE 0\r\n".utf8)))
        talk.oneMessage()
        talk.quit()
        return talk
    }

    private static func talk(_ name: String, client: String = "192.0.2.9:40025") -> Talk {
        talk(Array(name.utf8), client: client)
    }

    @Test(
        arguments: [
            ("mta1.sender.example", nil), ("MTA-1.Sender.Example", nil), ("x.y", nil), ("a.b.c.d.e.example", nil),
            ("3com.example", nil), (" mta1.sender.example \t", nil),
            // As many octets as a domain may have, and one more.
            (String(repeating: "a.", count: 127) + "a", nil),
            (String(repeating: "a.", count: 127) + "aa", .heloInvalidCharacters),
            ("", RuleID.heloNoArgument), ("  ", .heloNoArgument),
            ("my_host.example.com", .heloInvalidCharacters), ("-mta.example.com", .heloInvalidCharacters),
            ("mta-.example.com", .heloInvalidCharacters), ("mta..example.com", .heloInvalidCharacters),
            ("mta.example.com.", .heloInvalidCharacters), ("mta.example.com:25", .heloInvalidCharacters),
            ("http://mta.example.com", .heloInvalidCharacters), ("(mta.example.com)", .heloInvalidCharacters),
            ("WIN-7QK3PL2", .heloNotFqdn), ("mta1", .heloNotFqdn), ("example", .heloNotFqdn),
            ("localhost", .heloLocalhost), ("LOCALHOST.LocalDomain", .heloLocalhost), ("localdomain", .heloLocalhost),
            ("pc.localhost", .heloLocalhost), ("pc.local", .heloLocalhost), ("pc.lan", .heloLocalhost),
            ("pc.internal", .heloLocalhost), ("pc.home.arpa", .heloLocalhost),
            ("localhost.example.com", nil), ("mylocal.example", nil), ("pc.locale", nil),
            ("203.0.113.9", .heloBareIp), ("2001:db8::1", .heloBareIp), ("IPv6:2001:db8::1", .heloBareIp),
            ("203.0.113.256", nil), ("203.0.113.9.example", nil),
            ("[2001:db8::1]", .heloLiteralSyntax), ("[192.0.2.256]", .heloLiteralSyntax),
            ("[192.0.2]", .heloLiteralSyntax),
            ("[192.0.2.9", .heloLiteralSyntax), ("[]", .heloLiteralSyntax), ("[IPv6:192.0.2.9]", .heloLiteralSyntax),
            ("[mta1.example.com]", .heloLiteralSyntax), ("[192.0.2.9]x", .heloLiteralSyntax),
            ("[192.0.2.9]", .heloLiteralUsed), ("[IPv6:::ffff:192.0.2.9]", .heloLiteralUsed),
            ("[192.0.2.77]", .heloLiteralMismatch), ("[IPv6:2001:db8::1]", .heloLiteralMismatch),
            ("[192.0.2.1]", .heloReceiverName),
            ("mta1.sender.example and more", .heloTrailingText), ("müller.example", .heloNonAscii),
            ("xn--mller-kva.example", nil),
        ] as [(String, RuleID?)])
    func oneName(_ name: String, _ broken: RuleID?) {
        #expect(Self.talk(name).judged().brokenOnTheWire == (broken.map { [$0] } ?? []))
    }

    @Test func aLiteralWithFurtherWords() {
        #expect(
            Self.talk("[192.0.2.9] my mailer").judged().brokenOnTheWire == [.heloTrailingText, .heloLiteralUsed])
    }

    @Test func whatIsKeptByAName() {
        let literal = Self.talk("[192.0.2.9]").judged()
        #expect(literal.states[.heloLiteralSyntax] == .kept)
        #expect(literal.states[.heloLiteralMismatch] == .kept)
        #expect(literal.states[.heloNotFqdn] == .notObserved)
        let address = Self.talk("192.0.2.9").judged()
        #expect(address.states[.heloLiteralSyntax] == .notObserved)
        #expect(address.states[.heloInvalidCharacters] == .notObserved)
    }

    @Test func theEvidenceIsTheNameInItsLine() throws {
        let finding = try #require(Self.talk("  my_host.example.com").judged().finding(.heloInvalidCharacters))
        #expect(finding.count == 2)
        #expect(finding.saw == "my_host.example.com")
        #expect(finding.evidence.first?.line == 2)
        #expect(finding.evidence.first?.range == 7..<26)
        let trailing = try #require(Self.talk("mta1.sender.example x").judged().finding(.heloTrailingText))
        #expect(trailing.evidence.first?.range == 25..<26)
    }

    // MARK: Nearby

    @Test(arguments: ["127.0.0.1:5", "[::1]:5", "172.17.0.2:5"])
    func whatLoopbackCausesIsSoftened(_ client: String) throws {
        for (name, rule) in [("localhost", RuleID.heloLocalhost), ("build-7", .heloNotFqdn)] {
            let talk = Self.talk(name, client: client)
            let finding = try #require(talk.judged(Circumstances(), JudgingSettings(profile: .mx)).finding(rule))
            #expect(finding.severity == .info)
            #expect(finding.reason == "the peer is this machine or in a private network")
            #expect(talk.judged().finding(rule)?.severity == .must)
        }
        let far = Self.talk("localhost").judged(Circumstances(), JudgingSettings(profile: .mx))
        #expect(far.finding(.heloLocalhost)?.severity == .must)
        #expect(far.finding(.heloLocalhost)?.reason == nil)
    }

    @Test func aPrivateLiteralMayBeBehindNAT() {
        let talk = Self.talk("[10.0.0.5]")
        let finding = talk.judged(Circumstances(), JudgingSettings(profile: .mx)).finding(.heloLiteralMismatch)
        #expect(finding?.severity == .info)
        #expect(finding?.reason?.contains("NAT") == true)
        #expect(talk.judged().finding(.heloLiteralMismatch)?.severity == .reputation)
        let other = Self.talk("[192.0.2.77]").judged(Circumstances(), JudgingSettings(profile: .mx))
        #expect(other.finding(.heloLiteralMismatch)?.severity == .reputation)
    }

    @Test func literalsAreForClientsOfSubmission() {
        let talk = Self.talk("[192.0.2.9]")
        #expect(talk.judged(Circumstances(), JudgingSettings(profile: .submission)).brokenOnTheWire == [])
        #expect(talk.judged(Circumstances(), JudgingSettings(profile: .mx)).brokenOnTheWire == [.heloLiteralUsed])
    }

    // MARK: The receiver's name

    @Test func theNameOfTheReceiver() {
        var circumstances = Circumstances()
        circumstances.ownNames = ["mx.test", "any.test"]
        let talk = Self.talk("MX.test")
        #expect(talk.judged(circumstances).brokenOnTheWire == [.heloReceiverName])
        #expect(talk.judged().states[.heloReceiverName] == .notObserved)
        #expect(Self.talk("mx2.test").judged(circumstances).states[.heloReceiverName] == .kept)
        // On the sink's own machine it is right.
        for client in ["127.0.0.1:5", "192.0.2.1:5"] {
            #expect(Self.talk("mx.test", client: client).judged(circumstances).brokenOnTheWire == [])
        }
        #expect(Self.talk("[192.0.2.1]", client: "192.0.2.1:5").judged().brokenOnTheWire == [.heloLiteralUsed])
    }

    // MARK: The sequence

    static let sequences: [WireCase] = [
        WireCase("MAIL without EHLO", [.heloMissing]) {
            $0.greeting()
            $0.client("MAIL FROM:<a@sender.example>")
            $0.sink(.mail, "503 5.5.1 EHLO first")
            $0.quit()
        },
        WireCase("MAIL after an EHLO that was refused for its syntax", [.heloMissing, .heloNoArgument]) {
            $0.greeting()
            $0.client("EHLO")
            $0.sink(.ehlo, "501 5.5.4 A name is missing")
            $0.client("MAIL FROM:<a@sender.example>")
            $0.sink(.mail, "503 5.5.1 EHLO first")
            $0.quit()
        },
        WireCase("MAIL after an EHLO that a rule refused", notObserved: [.heloMissing]) {
            $0.greeting()
            $0.fault(.ehlo, "550 5.7.1 No")
            $0.client("EHLO mta1.sender.example")
            $0.sink(.ehlo, "550 5.7.1 No")
            $0.client("MAIL FROM:<a@sender.example>")
            $0.sink(.mail, "503 5.5.1 EHLO first")
            $0.quit()
        },
        WireCase("NOOP, VRFY and RSET need no EHLO", notObserved: [.heloMissing]) {
            $0.greeting()
            for verb in ["NOOP", "VRFY x", "RSET"] {
                $0.client(verb)
                $0.sink(nil, "250 2.0.0 Ok")
            }
            $0.quit()
        },
        WireCase("HELO at first", [.heloOldHelo], kept: [.heloMissing]) {
            $0.greeting()
            $0.client("HELO mta1.sender.example")
            $0.sink(.ehlo, "250 mx.test")
            $0.oneMessage()
            $0.quit()
        },
        WireCase("HELO after EHLO was not known", kept: [.heloOldHelo, .heloNoFallback]) {
            $0.greeting()
            $0.client("EHLO mta1.sender.example")
            $0.sink(.ehlo, "500 Unknown")
            $0.client("HELO mta1.sender.example")
            $0.sink(.ehlo, "250 mx.test")
            $0.oneMessage()
            $0.quit()
        },
        WireCase("HELO after a greeting that was garbled", notObserved: [.heloOldHelo]) {
            $0.fault(.greeting, "raw pix")
            $0.sink(.greeting, "220 ***2******0**")
            $0.client("HELO mta1.sender.example")
            $0.sink(.ehlo, "250 mx.test")
            $0.quit()
        },
        WireCase("a close after EHLO was not known", [.heloNoFallback]) {
            $0.greeting()
            $0.client("EHLO mta1.sender.example")
            $0.sink(.ehlo, "502 Unknown")
            $0.clientCloses()
        },
        WireCase("QUIT after EHLO was not known", notObserved: [.heloNoFallback]) {
            $0.greeting()
            $0.client("EHLO mta1.sender.example")
            $0.sink(.ehlo, "502 Unknown")
            $0.quit()
        },
        WireCase("a close after EHLO was refused for another reason", notObserved: [.heloNoFallback]) {
            $0.greeting()
            $0.client("EHLO mta1.sender.example")
            $0.sink(.ehlo, "550 5.7.1 Not from there")
            $0.clientCloses()
        },
        WireCase("another name in the second EHLO", [.heloChangesInSession, .heloRepeated]) {
            $0.greeting()
            $0.ehlo("a.sender.example", without: "STARTTLS")
            $0.ehlo("b.sender.example", without: "STARTTLS")
            $0.quit()
        },
        WireCase("the same name in other letters", [.heloRepeated], kept: [.heloChangesInSession]) {
            $0.greeting()
            $0.ehlo("a.sender.example", without: "STARTTLS")
            $0.ehlo("A.Sender.Example", without: "STARTTLS")
            $0.quit()
        },
        WireCase("EHLO again after an error", notObserved: [.heloChangesInSession]) {
            $0.greeting()
            $0.client("EHLO a.sender.example")
            $0.sink(.ehlo, "450 4.3.2 Later")
            $0.ehlo("b.sender.example", without: "STARTTLS")
            $0.quit()
        },
        WireCase("EHLO again after AUTH, with another name", kept: [.heloRepeated]) {
            $0.greeting()
            $0.ehlo("a.sender.example", without: "STARTTLS")
            $0.client("AUTH PLAIN ********")
            $0.sink(.auth, "235 2.7.0 Ok")
            $0.ehlo("b.sender.example", without: "STARTTLS")
            $0.quit()
        },
        WireCase("EHLO in place of RSET", [.heloRepeated], kept: [.heloChangesInSession]) {
            $0.greeting()
            $0.ehlo(without: "STARTTLS")
            $0.oneMessage()
            $0.ehlo(without: "STARTTLS")
            $0.oneMessage()
            $0.quit()
        },
    ]

    @Test(arguments: sequences) func oneSequence(_ wire: WireCase) { wire.verify() }

    @Test func whatARuleRefusedIsExcused() {
        let judgement = Self.sequences[2].talk.judged()
        #expect(judgement.excused["helo-missing"] == "a rule of the sink refused what was asked")
    }

    @Test func aSASLLineIsNoCommand() {
        var talk = Talk()
        talk.greeting()
        talk.ehlo(without: "STARTTLS")
        talk.client("AUTH LOGIN")
        talk.sink(.auth, "334 VXNlcm5hbWU6")
        talk.client("HELO")
        talk.sink(.auth, "535 5.7.8 No")
        talk.quit()
        #expect(talk.judged().brokenOnTheWire == [])
    }
}
