// The layer tls as the session shows it: STARTTLS and what is said around it.

import Findings
import Journal
import Testing

@Suite struct TLSSessionTests {
    static let cases: [WireCase] = [
        WireCase("MAIL in clear although STARTTLS was offered", [.tlsNotUsed]) {
            $0.greeting()
            $0.ehlo()
            $0.oneMessage()
            $0.quit()
        },
        WireCase("MAIL in clear where STARTTLS was not offered", notObserved: [.tlsNotUsed]) {
            $0.greeting()
            $0.ehlo(without: "STARTTLS")
            $0.oneMessage()
            $0.quit()
        },
        WireCase("STARTTLS that was not offered", [.tlsStarttlsNotOffered]) {
            $0.greeting()
            $0.ehlo(without: "STARTTLS")
            $0.client("STARTTLS")
            $0.sink(nil, "502 5.5.1 Not here")
            $0.oneMessage()
            $0.quit()
        },
        WireCase("STARTTLS after HELO", [.tlsStarttlsNotOffered, .heloOldHelo]) {
            $0.greeting()
            $0.client("HELO mta1.sender.example")
            $0.sink(.ehlo, "250 mx.test")
            $0.client("STARTTLS")
            $0.sink(nil, "503 5.5.1 EHLO first")
            $0.quit()
        },
        WireCase("octets behind STARTTLS that were thrown away", [.tlsDataAfterStarttls]) {
            $0.greeting()
            $0.ehlo()
            $0.client("STARTTLS")
            $0.sink(.starttls, "220 2.0.0 Ready")
            $0.append(.plaintextDiscarded(octetCount: 30))
            $0.append(.tlsStarted(TLSSummary(version: "TLSv1.3", cipher: "X", sni: "mx.test", clientNames: [])))
            $0.ehlo(without: "STARTTLS")
            $0.quit()
        },
        WireCase("a command in one read with STARTTLS", [.tlsDataAfterStarttls, .tlsClearAfterFailure]) {
            $0.greeting()
            $0.ehlo()
            $0.client("STARTTLS")
            $0.sink(.starttls, "454 4.7.0 Not now")
            $0.mail("a@sender.example", together: true)
            $0.quit()
        },
        WireCase("MAIL inside TLS without EHLO", [.tlsNoEhloAfter]) {
            $0.greeting()
            $0.ehlo()
            $0.startTLS()
            $0.client("MAIL FROM:<a@sender.example>")
            $0.sink(.mail, "503 5.5.1 EHLO first")
            $0.client("RCPT TO:<b@any.test>")
            $0.sink(.rcpt, "503 5.5.1 EHLO first")
            $0.quit()
        },
        WireCase("AUTH inside TLS without EHLO, then EHLO", [.tlsNoEhloAfter]) {
            $0.greeting()
            $0.ehlo()
            $0.startTLS()
            $0.client("AUTH PLAIN ********")
            $0.sink(.auth, "503 5.5.1 EHLO first")
            $0.ehlo(without: "STARTTLS")
            $0.quit()
        },
        WireCase("NOOP and RSET inside TLS before EHLO", kept: [.tlsNoEhloAfter]) {
            $0.greeting()
            $0.ehlo()
            $0.startTLS()
            $0.client("NOOP")
            $0.sink(.noop, "250 2.0.0 Ok")
            $0.client("RSET")
            $0.sink(.rset, "250 2.0.0 Ok")
            $0.ehlo(without: "STARTTLS")
            $0.oneMessage()
            $0.quit()
        },
        WireCase("QUIT inside TLS", notObserved: [.tlsNoEhloAfter]) {
            $0.greeting()
            $0.ehlo()
            $0.startTLS()
            $0.quit()
        },
        WireCase("another name inside TLS", [.tlsEhloNameDiffers], notObserved: [.heloChangesInSession]) {
            $0.greeting()
            $0.ehlo("mta1.sender.example")
            $0.startTLS()
            $0.ehlo("mta2.sender.example", without: "STARTTLS")
            $0.quit()
        },
        WireCase("the same name inside TLS, in capitals", kept: [.tlsEhloNameDiffers]) {
            $0.greeting()
            $0.ehlo("mta1.sender.example")
            $0.startTLS()
            $0.ehlo("MTA1.SENDER.EXAMPLE", without: "STARTTLS")
            $0.quit()
        },
        WireCase("STARTTLS inside TLS", [.tlsStarttlsTwice]) {
            $0.beginInTLS()
            $0.client("STARTTLS")
            $0.sink(nil, "503 5.5.1 TLS is active")
            $0.quit()
        },
        WireCase("STARTTLS that is offered again inside TLS", [.tlsStarttlsTwice]) {
            $0.greeting()
            $0.ehlo()
            $0.fault(.tls, "tls offered-again")
            $0.startTLS()
            $0.ehlo()
            $0.client("STARTTLS")
            $0.sink(nil, "503 5.5.1 TLS is active")
            $0.quit()
        },
        WireCase("STARTTLS with an argument", [.tlsStarttlsArgument]) {
            $0.greeting()
            $0.ehlo()
            $0.client("STARTTLS now")
            $0.sink(nil, "501 5.5.4 No argument")
            $0.quit()
        },
        WireCase("MAIL in clear after STARTTLS with an argument", [.tlsStarttlsArgument, .tlsNotUsed]) {
            $0.greeting()
            $0.ehlo()
            $0.client("STARTTLS now")
            $0.sink(nil, "501 5.5.4 No argument")
            $0.oneMessage()
            $0.quit()
        },
        WireCase("SIZE inside TLS without EHLO", [.tlsNoEhloAfter]) {
            $0.greeting()
            $0.ehlo()
            $0.startTLS()
            $0.client("MAIL FROM:<a@sender.example> SIZE=5")
            $0.sink(.mail, "503 5.5.1 EHLO first")
            $0.quit()
        },
        WireCase("a third name inside TLS", [.heloChangesInSession, .heloRepeated], kept: [.tlsEhloNameDiffers]) {
            $0.beginInTLS()
            $0.ehlo("mta2.sender.example", without: "STARTTLS")
            $0.quit()
        },
        WireCase("STARTTLS with a blank behind it", kept: [.tlsStarttlsArgument]) {
            $0.greeting()
            $0.ehlo()
            $0.client("STARTTLS  ")
            $0.sink(.starttls, "454 4.7.0 Not now")
            $0.quit()
        },
        WireCase("MAIL in clear after 454", [.tlsClearAfterFailure], notObserved: [.tlsNotUsed]) {
            $0.greeting()
            $0.ehlo()
            $0.fault(.starttls, "tls refused")
            $0.client("STARTTLS")
            $0.sink(.starttls, "454 4.7.0 Not now")
            $0.oneMessage()
            $0.quit()
        },
        WireCase("QUIT after 454", kept: [.tlsClearAfterFailure]) {
            $0.greeting()
            $0.ehlo()
            $0.fault(.starttls, "tls refused")
            $0.client("STARTTLS")
            $0.sink(.starttls, "454 4.7.0 Not now")
            $0.quit()
        },
        WireCase("MAIL inside TLS after a second try", kept: [.tlsNotUsed], notObserved: [.tlsClearAfterFailure]) {
            $0.greeting()
            $0.ehlo()
            $0.client("STARTTLS")
            $0.sink(.starttls, "454 4.7.0 Not now")
            $0.startTLS()
            $0.ehlo(without: "STARTTLS")
            $0.oneMessage()
            $0.quit()
        },
        WireCase("a command in place of the handshake", [.tlsNoHandshakeAfter220]) {
            $0.greeting()
            $0.ehlo()
            $0.client("STARTTLS")
            $0.sink(.starttls, "220 2.0.0 Ready")
            $0.append(.tlsFailed(reason: "wrong version number: what the client sent is not TLS"))
            $0.append(.ended(.clientClose))
        },
        WireCase("something else than TLS behind a ClientHello", notObserved: [.tlsNoHandshakeAfter220]) {
            $0.greeting()
            $0.ehlo()
            $0.client("STARTTLS")
            $0.sink(.starttls, "220 2.0.0 Ready")
            $0.append(
                .clientHello(
                    TLSOffer(
                        versions: [0x0304], cipherSuites: [0x1301], serverName: "mx.test", hasSupportedVersions: true)))
            $0.append(.tlsFailed(reason: "wrong version number: what the client sent is not TLS"))
            $0.append(.ended(.clientClose))
        },
        WireCase("a handshake that fails for another reason", notObserved: [.tlsNoHandshakeAfter220]) {
            $0.greeting()
            $0.ehlo()
            $0.client("STARTTLS")
            $0.sink(.starttls, "220 2.0.0 Ready")
            $0.append(.tlsFailed(reason: "the client sent the alert \"unknown CA\""))
            $0.append(.ended(.clientClose))
        },
        WireCase("noise from the sink in place of the handshake", notObserved: [.tlsNoHandshakeAfter220]) {
            $0.greeting()
            $0.ehlo()
            $0.fault(.starttls, "tls garbage")
            $0.client("STARTTLS")
            $0.sink(.starttls, "220 2.0.0 Ready")
            $0.append(.tlsFailed(reason: "wrong version number: what the client sent is not TLS"))
            $0.append(.ended(.clientClose))
        },
        WireCase("no TLS on a port that begins with it", notObserved: [.tlsNoHandshakeAfter220]) {
            $0.append(.tlsFailed(reason: "wrong version number: what the client sent is not TLS"))
            $0.append(.ended(.clientClose))
        },
        WireCase("REQUIRETLS in clear", [.tlsRequiretlsMisuse]) {
            $0.greeting()
            $0.ehloListing("REQUIRETLS")
            $0.mail("a@sender.example", parameters: "REQUIRETLS")
            $0.quit()
        },
        WireCase("REQUIRETLS that was not offered", [.tlsRequiretlsMisuse]) {
            $0.beginInTLS()
            $0.mail("a@sender.example", parameters: "SIZE=5 requiretls")
            $0.quit()
        },
        WireCase("REQUIRETLS with a value", [.tlsRequiretlsMisuse]) {
            $0.greeting()
            $0.ehlo()
            $0.startTLS()
            $0.ehloListing("REQUIRETLS")
            $0.mail("a@sender.example", parameters: "REQUIRETLS=yes")
            $0.quit()
        },
        WireCase("REQUIRETLS as it is to be", kept: [.tlsRequiretlsMisuse]) {
            $0.greeting()
            $0.ehlo()
            $0.startTLS()
            $0.ehloListing("REQUIRETLS")
            $0.mail("a@sender.example", parameters: "REQUIRETLS")
            $0.quit()
        },
        WireCase("the word in a quoted local part", notObserved: [.tlsRequiretlsMisuse]) {
            $0.beginInTLS()
            $0.mail(#""x> REQUIRETLS \"y"@sender.example"#)
            $0.quit()
        },
    ]

    @Test(arguments: cases) func oneChange(_ wire: WireCase) { wire.verify() }

    @Test func theEvidenceIsWhatWasSaid() throws {
        let misuse = Self.cases.first { $0.testDescription == "REQUIRETLS that was not offered" }
        let finding = try #require(misuse?.talk.judged().finding(.tlsRequiretlsMisuse))
        #expect(finding.evidence.first?.range == 36..<46)
        #expect(finding.evidence.first?.transaction == 1)
        let notUsed = try #require(Self.cases[0].talk.judged().finding(.tlsNotUsed))
        #expect(notUsed.saw == "MAIL FROM:<a@sender.example>, in clear")
        // The greeting, EHLO and the eleven lines of its reply stand in front.
        #expect(notUsed.evidence.first?.line == 14)
    }

    @Test func whatTheSinkSpoiledIsExcused() {
        let noise = Self.cases.first { $0.testDescription == "noise from the sink in place of the handshake" }
        #expect(noise?.talk.judged().excused["tls-no-handshake-after-220"] == "TLS was refused or broken")
    }

    @Test func implicitTLSNeedsNoSecondEHLO() {
        var talk = Talk()
        talk.append(.tlsStarted(TLSSummary(version: "TLSv1.3", cipher: "X", sni: "mx.test", clientNames: [])))
        talk.greeting()
        talk.ehlo(without: "STARTTLS")
        talk.oneMessage()
        talk.client("STARTTLS")
        talk.sink(nil, "503 5.5.1 TLS is active")
        talk.quit()
        var circumstances = Circumstances()
        circumstances.isImplicitTLS = true
        let judgement = talk.judged(circumstances)
        #expect(judgement.brokenOnTheWire == [.tlsStarttlsTwice])
        #expect(judgement.states[.tlsNoEhloAfter] == .notObserved)
        #expect(judgement.states[.tlsNotUsed] == .notObserved)
    }

    // MARK: What was offered in clear alone

    private func stale(_ use: (inout Talk) -> Void) -> SessionJudgement {
        var talk = Talk()
        talk.greeting()
        talk.ehloListing("SIZE 1000", "CHUNKING", "DSN", "8BITMIME", "SMTPUTF8", "AUTH PLAIN", "STARTTLS")
        talk.startTLS()
        talk.ehloListing("PIPELINING")
        use(&talk)
        talk.quit()
        return talk.judged()
    }

    @Test(arguments: [
        "SIZE=5", "BODY=8BITMIME", "SMTPUTF8", "RET=HDRS", "ENVID=x", "AUTH=<>", "X=1 size=5",
    ])
    func aParameterOfMailThatWasOfferedInClearAlone(_ parameters: String) {
        #expect(stale { $0.mail("a@b.example", parameters: parameters) }.brokenOnTheWire == [.tlsStaleCapability])
    }

    @Test func aVerbOrAParameterOfRcptThatWasOfferedInClearAlone() {
        #expect(
            stale {
                $0.mail("a@b.example")
                $0.rcpt("c@any.test", parameters: "NOTIFY=NEVER")
            }.brokenOnTheWire == [.tlsStaleCapability])
        #expect(
            stale {
                $0.client("BDAT 0 LAST")
                $0.sink(nil, "502 5.5.1 No")
            }.brokenOnTheWire == [.tlsStaleCapability])
    }

    @Test func whoForgetsWhatWasOfferedInClear() {
        let plain = stale { $0.oneMessage() }
        #expect(plain.brokenOnTheWire == [])
        #expect(plain.states[.tlsStaleCapability] == .kept)
        // Never offered at all: a matter of the envelope.
        #expect(stale { $0.mail("a@b.example", parameters: "BY=5") }.brokenOnTheWire == [])
        var same = Talk()
        same.beginInTLS()
        same.mail("a@b.example", parameters: "SIZE=5")
        same.quit()
        #expect(same.judged().brokenOnTheWire == [])
        #expect(same.judged().states[.tlsStaleCapability] == .notObserved)
    }

    // MARK: Certificates

    private func certificate(_ name: String, _ goOn: (inout Talk) -> Void) -> Talk {
        var talk = Talk()
        talk.greeting()
        talk.ehlo()
        talk.fault(.tls, "tls \(name)")
        goOn(&talk)
        return talk
    }

    @Test(arguments: ["expired", "not-yet-valid", "wrong-host", "self-signed", "untrusted-root"])
    func goingOnOverABadCertificate(_ name: String) throws {
        let talk = certificate(name) {
            $0.startTLS()
            $0.ehlo(without: "STARTTLS")
            $0.oneMessage()
            $0.oneMessage()
            $0.quit()
        }
        let relay = talk.judged()
        #expect(relay.brokenOnTheWire == [.tlsBadCertAcceptedRelay])
        #expect(relay.finding(.tlsBadCertAcceptedRelay)?.severity == .info)
        #expect(relay.finding(.tlsBadCertAcceptedRelay)?.saw == "MAIL after the certificate \(name)")
        #expect(relay.finding(.tlsBadCertAcceptedRelay)?.count == 1)
        var circumstances = Circumstances()
        circumstances.isSubmission = true
        #expect(talk.judged(circumstances).brokenOnTheWire == [.tlsBadCertAcceptedSubmission])
        let submission = talk.judged(Circumstances(), JudgingSettings(profile: .submission))
        #expect(submission.brokenOnTheWire == [.tlsBadCertAcceptedSubmission])
        #expect(submission.finding(.tlsBadCertAcceptedSubmission)?.severity == .must)
    }

    @Test func refusingABadCertificate() {
        let alert = certificate("expired") {
            $0.client("STARTTLS")
            $0.sink(.starttls, "220 2.0.0 Ready")
            $0.append(.tlsFailed(reason: "the client sent the alert \"certificate expired\""))
            $0.append(.ended(.clientClose))
        }.judged()
        #expect(alert.brokenOnTheWire == [])
        #expect(alert.states[.tlsBadCertAcceptedRelay] == .kept)
        let quit = certificate("expired") {
            $0.startTLS()
            $0.quit()
        }.judged()
        #expect(quit.states[.tlsBadCertAcceptedRelay] == .kept)
    }

    @Test(arguments: ["only-tls1.2", "huge-chain", "incomplete-chain", "no-close-notify"])
    func goingOnOverATolerableOne(_ name: String) {
        let judgement = certificate(name) {
            $0.startTLS()
            $0.ehlo(without: "STARTTLS")
            $0.oneMessage()
            $0.quit()
        }.judged()
        #expect(judgement.brokenOnTheWire == [])
        #expect(judgement.states[.tlsBadCertAcceptedRelay] == .notObserved)
    }
}
