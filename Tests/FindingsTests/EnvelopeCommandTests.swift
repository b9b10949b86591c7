// Command lines: octets, verbs, paths, parameters. Each case changes one line of a session that is in order.

import Findings
import Testing

@Suite struct EnvelopeCommandTests {
    @Test func aCleanSessionBreaksNothing() {
        var talk = Talk.begun()
        talk.mail("a@sender.example", parameters: "SIZE=500")
        talk.rcpt("b@any.test")
        talk.data()
        talk.quit()
        let judgement = talk.judged()
        #expect(judgement.broken.filter { SenderRules.layer(of: $0) == .envelope }.isEmpty)
        for rule: RuleID in [
            .cmdBareLf, .cmdLineTooLong, .cmd8bit, .cmdUnknownVerb, .mailAddressSyntax, .mailRcptOutOfOrder,
            .paramSyntax, .sizeOverLimit, .quitMissing, .rcptDuplicate, .mailNested, .cmdTooManyErrors,
        ] {
            #expect(judgement.states[rule] == .kept, "\(rule.rawValue)")
        }
        // That nothing came early proves nothing.
        for rule: RuleID in [.pipeNotOffered, .pipeAcrossSyncPoint, .pipeContentBefore354, .replyIgnored] {
            #expect(judgement.states[rule] == .notObserved, "\(rule.rawValue)")
        }
    }

    // MARK: Paths

    static let long64 = String(repeating: "a", count: 64)
    static let label63 = String(repeating: "b", count: 63)

    /// The argument of MAIL, and what it breaks.
    static let reversePaths: [(String, Set<RuleID>)] = [
        ("FROM:<a@sender.example>", []),
        ("from:<A.b+c=d/e'f@sender.example>", []),
        ("FROM:<>", []),
        ("FROM:<a@[192.0.2.1]>", []),
        ("FROM:<a@[IPv6:::1]>", []),
        ("FROM:<a@ai>", []),
        ("FROM:<a@x.y>", []),
        ("FROM:<\"a b\"@sender.example>", []),
        ("FROM:<\"a..b\"@sender.example>", []),
        ("FROM:<\"a\\\"b\"@sender.example>", []),
        ("FROM:<\"a@b>c\"@sender.example>", []),
        ("FROM: <a@sender.example>", [.mailSpaceAfterColon]),
        ("FROM :<a@sender.example>", [.mailSpaceAfterColon]),
        ("FROM:a@sender.example", [.mailMissingBrackets]),
        ("FROM:<a@sender.example", [.mailMissingBrackets]),
        ("FROM:<a..b@sender.example>", [.mailAddressSyntax]),
        ("FROM:<a.@sender.example>", [.mailAddressSyntax]),
        ("FROM:<a@sender.example.>", [.mailAddressSyntax]),
        ("FROM:<a@-sender.example>", [.mailAddressSyntax]),
        ("FROM:<a b@sender.example>", [.mailAddressSyntax]),
        ("FROM:<@sender.example>", [.mailAddressSyntax]),
        ("FROM:<a@>", [.mailAddressSyntax]),
        ("FROM:", [.mailAddressSyntax]),
        ("<a@sender.example>", [.mailAddressSyntax]),
        ("FROM:<root@web01>", [.mailDomainNotFqdn]),
        ("FROM:<root>", [.mailDomainNotFqdn]),
        ("FROM:<\(long64)@sender.example>", []),
        ("FROM:<\(long64)a@sender.example>", [.mailLocalPartTooLong]),
        ("FROM:<a@\(label63).example>", []),
        ("FROM:<a@b\(label63).example>", [.mailDomainTooLong]),
        ("FROM:<\(long64)@\(label63).\(label63).\(label63)>", [.mailPathTooLong]),
        ("FROM:<\(long64)@\(label63).\(label63).\(String(repeating: "c", count: 61))>", []),
        ("FROM:<Ann <ann@sender.example>>", [.mailDisplayName]),
        ("FROM:Ann <ann@sender.example>", [.mailDisplayName]),
        ("FROM:<ann@sender.example (Ann)>", [.mailDisplayName]),
        ("FROM:<a@192.0.2.1>", [.mailAddressLiteralSyntax]),
        ("FROM:<a@[192.0.2.256]>", [.mailAddressLiteralSyntax]),
        ("FROM:<a@[2001:db8::1]>", [.mailAddressLiteralSyntax]),
        ("FROM:<a@IPv6:2001:db8::1>", [.mailAddressLiteralSyntax]),
        ("FROM:<@relay.example:a@sender.example>", [.mailSourceRoute]),
        ("FROM:<\"bob\"@sender.example>", [.mailNeedlessQuoting]),
        ("FROM:<\"a\\ b\"@sender.example>", [.mailNeedlessQuoting]),
    ]

    @Test(arguments: reversePaths)
    func reversePath(_ argument: String, _ expected: Set<RuleID>) {
        var talk = Talk.begun()
        talk.mailLine("MAIL \(argument)")
        talk.rcpt("b@any.test")
        talk.data()
        talk.quit()
        #expect(talk.envelopeFindings() == expected)
    }

    @Test(
        arguments: [
            ("TO:<Postmaster>", []), ("TO:<b@any.test>", []), ("TO: <b@any.test>", [.mailSpaceAfterColon]),
            ("TO:<>", [.mailAddressSyntax]), ("TO:<postmasters>", [.mailDomainNotFqdn]),
            ("TO:bob@any.test", [.mailMissingBrackets]),
        ] as [(String, Set<RuleID>)])
    func forwardPath(_ argument: String, _ expected: Set<RuleID>) {
        var talk = Talk.begun()
        talk.mail("a@sender.example")
        talk.rcptLine("RCPT \(argument)")
        talk.data()
        talk.quit()
        #expect(talk.envelopeFindings() == expected)
    }

    @Test func theEvidenceOfAPathIsItsOctets() throws {
        var talk = Talk.begun()
        talk.mailLine("MAIL FROM:<a@192.0.2.1> SIZE=10")
        talk.quit()
        let finding = try #require(talk.judged().findings.first { $0.rule == .mailAddressLiteralSyntax })
        #expect(finding.evidence.first?.range == 13..<22)
        #expect(finding.saw == "192.0.2.1")
        #expect(finding.evidence.first?.transaction == 1)
    }

    @Test func shortNamesOfThisMachineAreSoftened() throws {
        for (client, profile, severity) in [
            ("127.0.0.1:4711", SenderProfile.mx, Severity.info), ("127.0.0.1:4711", .strict, .must),
            ("192.0.2.9:4711", .mx, .must),
        ] {
            var talk = Talk.begun(client: client)
            talk.mail("root@web01")
            talk.quit()
            let judgement = talk.judged(Circumstances(), JudgingSettings(profile: profile))
            let finding = try #require(judgement.findings.first { $0.rule == .mailDomainNotFqdn })
            #expect(finding.severity == severity)
            #expect((finding.reason == nil) == (severity == .must))
        }
    }

    // MARK: Parameters

    static let mailParameters: [(String, Set<RuleID>)] = [
        ("SIZE=12000 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ314159", []),
        ("size=12000 body=7bit", []),
        ("AUTH=<>", []),
        ("BODY=BINARYMIME", []),
        ("SIZE =12000", [.paramSyntax]),
        ("SIZE=12k", [.paramSyntax]),
        ("SIZE", [.paramSyntax]),
        ("SIZE=123456789012345678901", [.paramSyntax]),
        ("SMTPUTF8=yes", [.paramSyntax]),
        ("-X=1", [.paramSyntax]),
        ("AUTH=a=b", [.paramSyntax]),
        ("REQUIRETLS", [.paramNotOffered]),
        ("HOLDFOR=60", [.paramNotOffered]),
        ("NOTIFY=NEVER", [.paramNotOffered]),
        ("SIZE=1 size=2", [.paramRepeated]),
        ("SIZE=10485760", []),
        ("SIZE=10485761", [.sizeOverLimit]),
        ("SIZE=99999999999999999999", [.sizeOverLimit]),
        ("BODY=8BIT", [.bodyValueInvalid]),
        ("BODY", [.bodyValueInvalid]),
        ("RET=ALL", [.dsnRetEnvidSyntax]),
        ("ENVID=a+2Bb", []),
        ("ENVID=a+2bb", [.dsnRetEnvidSyntax]),
        ("ENVID=\(String(repeating: "x", count: 100))", []),
        ("ENVID=\(String(repeating: "x", count: 101))", [.dsnRetEnvidSyntax]),
    ]

    @Test(arguments: mailParameters)
    func parameterOfMail(_ parameters: String, _ expected: Set<RuleID>) {
        var talk = Talk.begun()
        talk.mail("a@sender.example", parameters: parameters)
        talk.quit()
        #expect(talk.envelopeFindings() == expected)
    }

    @Test(
        arguments: [
            ("NOTIFY=SUCCESS,FAILURE,delay", []), ("NOTIFY=NEVER", []), ("NOTIFY=NEVER,FAILURE", [.dsnNotifySyntax]),
            ("NOTIFY=SUCCESS,", [.dsnNotifySyntax]), ("NOTIFY", [.dsnNotifySyntax]),
            ("ORCPT=rfc822;b@any.test", []), ("ORCPT=rfc822;B+40any.test", [.dsnOrcptDiffers]),
            ("ORCPT=rfc822;b+40ANY.test", []), ("ORCPT=b@any.test", [.dsnOrcptSyntax]),
            ("ORCPT=rfc822;b+2btag@any.test", [.dsnOrcptSyntax]), ("ORCPT=fax;b", [.dsnOrcptSyntax]),
            ("ORCPT=rfc822;\(String(repeating: "x", count: 494))", [.dsnOrcptSyntax]),
            ("ORCPT=rfc822;list@any.test", [.dsnOrcptDiffers]), ("SIZE=1", [.paramNotOffered]),
            ("NOTIFY=NEVER NOTIFY=NEVER", [.paramRepeated]),
        ] as [(String, Set<RuleID>)])
    func parameterOfRecipient(_ parameters: String, _ expected: Set<RuleID>) {
        var talk = Talk.begun()
        talk.mail("a@sender.example")
        talk.rcpt("b@any.test", parameters: parameters)
        talk.quit()
        #expect(talk.envelopeFindings() == expected)
    }

    @Test func anotherORCPTIsGraveOnlyAtSubmission() throws {
        var talk = Talk.begun()
        talk.mail("a@sender.example")
        talk.rcpt("b@any.test", parameters: "ORCPT=rfc822;list@any.test")
        talk.quit()
        var circumstances = Circumstances()
        #expect(talk.judged(circumstances).findings.first { $0.rule == .dsnOrcptDiffers }?.severity == .info)
        circumstances.isSubmission = true
        #expect(talk.judged(circumstances).findings.first { $0.rule == .dsnOrcptDiffers }?.severity == .must)
    }

    @Test func noParameterIsOfferedAfterHELO() {
        var talk = Talk()
        talk.greeting()
        talk.says("HELO mta1.sender.example", .ehlo, "250 mx.test")
        talk.mail("a@sender.example", parameters: "SIZE=10")
        talk.quit()
        #expect(talk.envelopeFindings() == [.paramNotOffered])
    }

    @Test func binaryNeedsItsOffer() {
        var talk = Talk.begun(["8BITMIME", "CHUNKING"])
        talk.mail("a@sender.example", parameters: "BODY=BINARYMIME")
        talk.quit()
        #expect(talk.envelopeFindings() == [.bodyValueInvalid])
    }

    // MARK: Lines

    static let lines: [(String, [UInt8], Set<RuleID>)] = [
        ("in order", Array("NOOP".utf8), []),
        ("bare LF", Array("NOOP\nNOOP".utf8), [.cmdBareLf]),
        ("bare CR", Array("NOOP\rQUIT".utf8), [.cmdBareCr]),
        ("CR before CRLF", Array("NOOP\r".utf8), [.cmdBareCr]),
        ("NUL", Array("NOOP \0x".utf8), [.cmdControlCharacters]),
        ("TAB inside", Array("NOOP a\tb".utf8), [.cmdControlCharacters]),
        ("trailing space", Array("NOOP ".utf8), [.cmdTrailingSpace]),
        ("trailing TAB", Array("NOOP\t".utf8), [.cmdTrailingSpace]),
        ("8-bit", Array("NOOP ü".utf8), [.cmd8bit]),
        ("8-bit name in EHLO", Array("EHLO mü.example".utf8), []),
        ("510 octets", Array(("NOOP " + String(repeating: "x", count: 505)).utf8), []),
        ("511 octets", Array(("NOOP " + String(repeating: "x", count: 506)).utf8), [.cmdLineTooLong]),
        ("unknown", Array("FROB x".utf8), [.cmdUnknownVerb]),
        ("private", Array("XCLIENT NAME=x".utf8), []),
        ("verb glued", Array("NOOP;".utf8), [.cmdUnknownVerb]),
        ("HELP", Array("HELP".utf8), []),
        ("not offered", Array("ETRN x.example".utf8), [.cmdUnofferedExtension]),
        ("header", Array("Subject: hello".utf8), [.cmdHeaderAsCommand]),
        ("RSET with argument", Array("RSET now".utf8), [.cmdArgumentNotAllowed]),
        ("VRFY", Array("VRFY anna".utf8), [.cmdVrfyHarvest]),
        ("VRFY in UTF-8", Array("VRFY ünna SMTPUTF8".utf8), [.cmdVrfyHarvest]),
        ("an empty line", [], [.cmdUnknownVerb]),
    ]

    @Test(arguments: lines)
    func line(_ name: String, _ octets: [UInt8], _ expected: Set<RuleID>) {
        var talk = Talk.begun()
        talk.says(octets, nil, "250 2.0.0 Ok")
        talk.mail("a@sender.example")
        talk.rcpt("b@any.test")
        talk.data()
        talk.quit()
        #expect(talk.envelopeFindings() == expected)
    }

    @Test func nonASCIIAddressesNeedSMTPUTF8() {
        let cases: [(String, Set<RuleID>)] = [("SMTPUTF8", []), ("", [.cmd8bit])]
        for (parameter, expected) in cases {
            var talk = Talk.begun()
            talk.mail("a@sender.example", parameters: parameter)
            talk.rcpt("müller@any.test")
            talk.data()
            talk.quit()
            #expect(talk.envelopeFindings() == expected)
        }
    }

    @Test func extensionsRaiseTheLimitOfALine() {
        let pad = String(repeating: "x", count: 480)
        let cases: [([String], Set<RuleID>)] = [
            (Talk.usual, []), (["PIPELINING"], [.cmdLineTooLong, .paramNotOffered]),
        ]
        for (keywords, expected) in cases {
            var talk = Talk.begun(keywords)
            talk.mail("a@sender.example", parameters: "AUTH=\(pad)")
            talk.quit()
            #expect(talk.envelopeFindings() == expected)
        }
    }

    @Test func aLineBeyondTheSinksLimitIsTooLong() {
        var talk = Talk.begun()
        talk.append(.noticed("a line was longer than the limit"))
        talk.sink(.ehlo, "500 5.5.2 Line too long")
        talk.quit()
        #expect(talk.envelopeFindings() == [.cmdLineTooLong])
    }

    @Test func threeErrorsAreBorneAFourthIsNot() {
        let cases: [(Int, Set<RuleID>)] = [(3, [.cmdUnknownVerb]), (4, [.cmdUnknownVerb, .cmdTooManyErrors])]
        for (count, expected) in cases {
            var talk = Talk.begun()
            for _ in 0..<count { talk.says("FROB", nil, "500 5.5.1 Command not recognised") }
            talk.quit()
            #expect(talk.envelopeFindings() == expected)
        }
    }

    @Test func errorsThatARuleMadeAreNotCounted() {
        var talk = Talk.begun()
        for _ in 0..<6 {
            talk.client("NOOP")
            talk.fault(.noop, "500 5.5.1 No")
            talk.sink(.noop, "500 5.5.1 No")
        }
        talk.quit()
        #expect(talk.envelopeFindings() == [])
    }

    @Test func tenCommandsWithoutMailAreBorne() {
        let cases: [(Int, Set<RuleID>)] = [(10, []), (11, [.cmdNoise])]
        for (count, expected) in cases {
            var talk = Talk.begun()
            for _ in 0..<count { talk.says("NOOP", .noop, "250 2.0.0 Ok") }
            talk.quit()
            #expect(talk.envelopeFindings() == expected)
        }
    }

    @Test func manyRefusedTransactionsAreNoNoise() {
        var talk = Talk.begun()
        for _ in 0..<30 {
            talk.mail("a@sender.example")
            talk.refused(.rcpt, "RCPT TO:<b@any.test>", "550 5.1.1 No")
            talk.says("RSET", .rset, "250 2.0.0 Ok")
            talk.append(.transactionEnded(verdict: .rejected, at: .rcpt, reply: nil, message: nil))
        }
        talk.quit()
        #expect(talk.envelopeFindings() == [])
    }

    @Test func askingForManyNamesIsGraver() {
        for (count, severity) in [(3, Severity.info), (4, .reputation)] {
            var talk = Talk.begun()
            for _ in 0..<count { talk.says("VRFY anna", .vrfy, "252 2.0.0 Maybe") }
            talk.quit()
            let finding = talk.judged().findings.first { $0.rule == .cmdVrfyHarvest }
            #expect(finding?.severity == severity)
            #expect(finding?.count == count)
        }
    }
}
