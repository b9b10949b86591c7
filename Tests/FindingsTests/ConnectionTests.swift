// The layer connection: first words, how much goes over a connection, how long it is held, and what the name system
// says.

import Findings
import Journal
import Testing

@Suite struct ConnectionTests {
    @Test func aCleanSessionBreaksNothingAndKeepsWhatItShows() {
        let judgement = Talk.clean().judged()
        #expect(judgement.brokenOnTheWire == [])
        #expect(judgement.excused.isEmpty)
        for rule: RuleID in [
            .connNotSmtp, .connTlsToClearPort, .connMsgsPerConnection, .connHeldIdle, .heloMissing, .heloNoArgument,
            .heloInvalidCharacters, .heloNotFqdn, .heloLocalhost, .heloBareIp, .heloOldHelo, .heloTrailingText,
            .heloNonAscii, .heloRepeated, .heloLiteralUsed, .tlsNotUsed, .tlsStarttlsNotOffered, .tlsDataAfterStarttls,
            .tlsNoEhloAfter, .tlsEhloNameDiffers, .tlsStarttlsTwice, .tlsStarttlsArgument, .tlsNoHandshakeAfter220,
            .tlsNoSni, .tlsNoTls13, .tlsNoForwardSecrecy,
        ] { #expect(judgement.states[rule] == .kept, "\(rule.rawValue)") }
        for rule: RuleID in [
            .connNoPtr, .connFcrdnsMismatch, .connGenericPtr, .connOverMailmax, .greetEarlyTalker,
            .greetMultilineIgnored, .greetRefusalIgnored, .greetTimeoutShort, .heloUnresolvable, .heloNameNotPeer,
            .heloNotMatchingPtr, .heloLiteralSyntax, .heloLiteralMismatch, .heloReceiverName, .heloNoFallback,
            .heloChangesInSession, .tlsVersionTooOld, .tlsWeakCiphers, .tlsClearAfterFailure, .tlsStaleCapability,
            .tlsBadCertAcceptedRelay, .tlsBadCertAcceptedSubmission, .tlsRequiretlsMisuse, .tlsNoCloseNotify,
        ] { #expect(judgement.states[rule] == .notObserved, "\(rule.rawValue)") }
    }

    static let firstWords: [WireCase] = [
        WireCase("a ClientHello on the clear port", [.connTlsToClearPort]) {
            $0.greeting()
            $0.append(.noticed("a TLS ClientHello came on a port that speaks in clear first"))
            $0.sink(nil, "554 5.5.1 TLS begins with STARTTLS here")
            $0.append(.clientIgnored(octetCount: 300))
            $0.append(.ended(.sinkClose))
        },
        WireCase("a TLS record after STARTTLS was refused", [.connTlsToClearPort]) {
            $0.greeting()
            $0.ehlo()
            $0.client("STARTTLS")
            $0.sink(.starttls, "454 4.7.0 Not now")
            $0.client([0x16, 0x03, 0x01, 0x02, 0x00])
            $0.sink(nil, "500 5.5.2 What?")
            $0.quit()
        },
        WireCase("a line that begins with another octet", kept: [.connTlsToClearPort]) {
            $0.greeting()
            $0.ehlo()
            $0.client([0x15, 0x03, 0x01])
            $0.sink(nil, "500 5.5.2 What?")
            $0.quit()
        },
        WireCase("another notice", kept: [.connTlsToClearPort, .connNotSmtp]) {
            $0.greeting()
            $0.ehlo()
            $0.append(.noticed("a line was longer than the limit"))
            $0.quit()
        },
        WireCase("a request of HTTP", [.connNotSmtp], notObserved: [.connTlsToClearPort]) {
            $0.greeting()
            $0.client("PROPFIND / HTTP/1.1")
            $0.append(.noticed("an HTTP request came on an SMTP port"))
            $0.sink(nil, "554 5.5.1 This is no web server")
            $0.append(.ended(.sinkClose))
        },
        WireCase("CONNECT, as to a proxy", [.connNotSmtp]) {
            $0.greeting()
            $0.client("CONNECT 192.0.2.1:25 HTTP/1.0")
            $0.append(.noticed("an HTTP request came on an SMTP port"))
            $0.append(.ended(.sinkClose))
        },
        WireCase("SOCKS 5", [.connNotSmtp]) {
            $0.greeting()
            $0.client([5, 1, 0])
            $0.append(.ended(.clientClose))
        },
        WireCase("POST as a later command is only a wrong command", kept: [.connNotSmtp]) {
            $0.greeting()
            $0.ehlo()
            $0.client("POST / HTTP/1.1")
            $0.sink(nil, "500 5.5.1 Unknown")
            $0.quit()
        },
        WireCase("an unknown verb says nothing of another protocol", notObserved: [.connNotSmtp]) {
            $0.greeting()
            $0.client("XYZZY")
            $0.sink(nil, "500 5.5.1 Unknown")
            $0.quit()
        },
    ]

    @Test(arguments: firstWords) func whatIsSpokenFirst(_ wire: WireCase) { wire.verify() }

    @Test func theFirstWordsAreTheEvidence() throws {
        let finding = try #require(Self.firstWords[4].talk.judged().finding(.connNotSmtp))
        #expect(finding.saw == "PROPFIND / HTTP/1.1")
        #expect(finding.count == 1)
        #expect(finding.evidence.first?.line == 2)
        #expect(finding.evidence.first?.range == 0..<19)
    }

    // MARK: How much

    private func talk(messages: Int, limits: String? = nil) -> Talk {
        var talk = Talk()
        talk.beginInTLS()
        if let limits { talk.ehloListing(limits) }
        for _ in 0..<messages { talk.oneMessage() }
        talk.quit()
        return talk
    }

    @Test func moreMessagesThanAreAllowed() throws {
        var settings = JudgingSettings(profile: .strict)
        settings.thresholds.messagesPerConnection = 3
        #expect(talk(messages: 3).judged(Circumstances(), settings).brokenOnTheWire == [])
        let judgement = talk(messages: 5).judged(Circumstances(), settings)
        #expect(judgement.brokenOnTheWire == [.connMsgsPerConnection])
        let finding = try #require(judgement.finding(.connMsgsPerConnection))
        #expect(finding.count == 2)
        #expect(finding.evidence.map(\.transaction) == [4, 5])
        #expect(finding.evidence.first?.line.map { $0 > 0 } == true)
        // A client that hands in mail is no bulk sender.
        settings.profile = .submission
        #expect(talk(messages: 5).judged(Circumstances(), settings).brokenOnTheWire == [])
    }

    @Test func theAnnouncedLimitComesFirst() throws {
        var settings = JudgingSettings(profile: .strict)
        settings.thresholds.messagesPerConnection = 3
        let limits = "LIMITS RCPTMAX=100 MAILMAX=5"
        let kept = talk(messages: 5, limits: limits).judged(Circumstances(), settings)
        // The repeated EHLO is what brings the list.
        #expect(kept.brokenOnTheWire == [.heloRepeated])
        #expect(kept.states[.connOverMailmax] == .kept)
        #expect(kept.states[.connMsgsPerConnection] == .notObserved)
        let broken = talk(messages: 7, limits: limits).judged(Circumstances(), settings)
        #expect(broken.brokenOnTheWire == [.heloRepeated, .connOverMailmax])
        let finding = try #require(broken.finding(.connOverMailmax))
        #expect(finding.saw == "MAIL number 6 of the session, after MAILMAX=5")
        #expect(finding.count == 2)
        for strange in ["LIMITS MAILMAX=0", "LIMITS MAILMAX", "LIMITS MAILMAX=x", "LIMITS RCPTMAX=1"] {
            #expect(talk(messages: 2, limits: strange).judged().states[.connOverMailmax] == .notObserved)
        }
    }

    // MARK: How long

    @Test(arguments: [(59_900_000, false), (60_100_000, true)])
    func silenceBehindTheLastTransaction(_ wait_us: UInt64, _ isBroken: Bool) {
        var talk = Talk()
        talk.beginInTLS()
        talk.oneMessage()
        talk.wait(wait_us)
        talk.quit()
        #expect(talk.judged().brokenOnTheWire == (isBroken ? [.connHeldIdle] : []))
    }

    @Test func silenceUntilTheSinkGivesUp() {
        var talk = Talk()
        talk.beginInTLS()
        talk.oneMessage()
        talk.wait(300_000_000)
        talk.sink(nil, "421 4.4.2 mx.test Time-out")
        talk.append(.ended(.timeout))
        #expect(talk.judged().brokenOnTheWire == [.connHeldIdle])
        #expect(talk.judged().finding(.connHeldIdle)?.saw == "300 s of silence behind the last transaction")
    }

    @Test func silenceThatHasOtherReasons() {
        var talk = Talk()
        talk.beginInTLS()
        talk.wait(100_000_000)
        talk.oneMessage()
        talk.wait(50_000_000)
        talk.client("NOOP")
        talk.sink(.noop, "250 2.0.0 Ok")
        talk.wait(50_000_000)
        talk.quit()
        #expect(talk.judged().brokenOnTheWire == [])
        var stalled = Talk()
        stalled.beginInTLS()
        stalled.fault(.mail, "stall")
        stalled.oneMessage()
        stalled.wait(100_000_000)
        stalled.clientCloses()
        #expect(stalled.judged().brokenOnTheWire == [])
        #expect(stalled.judged().excused["conn-held-idle"] == "the sink said nothing")
        var inside = Talk()
        inside.beginInTLS()
        inside.mail("a@sender.example")
        inside.wait(100_000_000)
        inside.append(.transactionEnded(verdict: .abandoned, at: nil, reply: nil, message: nil))
        inside.append(.ended(.clientClose))
        #expect(inside.judged().brokenOnTheWire == [])
        #expect(inside.judged().states[.connHeldIdle] == .notObserved)
        var open = Talk()
        open.beginInTLS()
        open.oneMessage()
        #expect(open.judged().states[.connHeldIdle] == .notObserved)
    }

    @Test func nothingIsConcludedFromWhatIsMissing() {
        var talk = Talk()
        talk.mail("a@sender.example")
        talk.client("STARTTLS")
        talk.sink(.starttls, "220 2.0.0 Ready")
        talk.wait(200_000_000)
        talk.append(.ended(.clientClose))
        let cut = Judge.judge(
            SessionTrace(talk.log, eventsDropped: 1), [], Circumstances(), JudgingSettings(profile: .strict))
        #expect(cut.brokenOnTheWire == [])
        for rule: RuleID in [.connHeldIdle, .heloMissing, .tlsStarttlsNotOffered, .heloRepeated] {
            #expect(cut.states[rule] == .notObserved, "\(rule.rawValue)")
        }
        // The same with all events: a near miss, so that the case above can fail.
        #expect(talk.judged().brokenOnTheWire.isSuperset(of: [.heloMissing, .tlsStarttlsNotOffered]))
    }
}
