// The layer greeting: who talks into it, reads only its first line, goes on after a refusal, or does not wait for it.

import Findings
import Journal
import Testing

@Suite struct GreetingTests {
    /// A greeting that was delayed by so many seconds, with octets of the client so many milliseconds before it.
    private func delayed(
        _ seconds: UInt64, earlyBy_ms: UInt64? = nil, then command: String = "EHLO mta1.sender.example"
    ) -> Talk {
        var talk = Talk()
        talk.fault(.greeting, "delay \(seconds)s")
        if let earlyBy_ms {
            talk.wait(seconds * 1_000_000 - earlyBy_ms * 1000)
            talk.append(.clientEarly(octetCount: 26, segment: 1))
            talk.wait(earlyBy_ms * 1000)
        } else {
            talk.wait(seconds * 1_000_000)
        }
        talk.greeting()
        talk.client(command)
        talk.sink(.ehlo, "250 mx.test")
        talk.quit()
        return talk
    }

    @Test func whoTalksIntoADelayedGreeting() throws {
        let judgement = delayed(3, earlyBy_ms: 2900).judged()
        #expect(judgement.brokenOnTheWire == [.greetEarlyTalker])
        let finding = try #require(judgement.finding(.greetEarlyTalker))
        #expect(finding.saw == "26 octets, 2900 ms before the greeting was complete")
        #expect(finding.evidence.first?.at_us == 100_000)
        #expect(finding.evidence.first?.line == 2)
        #expect(delayed(3, earlyBy_ms: 1).judged().brokenOnTheWire == [.greetEarlyTalker])
    }

    @Test func whoWaitsIsSaidToOnlyBehindADelay() {
        #expect(delayed(3).judged().states[.greetEarlyTalker] == .kept)
        #expect(delayed(0).judged().states[.greetEarlyTalker] == .notObserved)
        #expect(Talk.clean().judged().states[.greetEarlyTalker] == .notObserved)
    }

    @Test func whoSaysQUITAfterWaitingInVainIsNoEarlyTalker() {
        #expect(delayed(100, earlyBy_ms: 1000, then: "QUIT").judged().brokenOnTheWire == [])
    }

    @Test func aTLSClientIsNoEarlyTalker() {
        var talk = Talk()
        talk.fault(.greeting, "delay 3s")
        talk.append(.clientEarly(octetCount: 300, segment: 1))
        talk.wait(3_000_000)
        talk.greeting()
        talk.append(.noticed("a TLS ClientHello came on a port that speaks in clear first"))
        talk.append(.ended(.sinkClose))
        #expect(talk.judged().brokenOnTheWire == [.connTlsToClearPort])
    }

    @Test func talkingToASinkThatNeverGreets() {
        for (count, broken) in [(26, Set([RuleID.greetEarlyTalker])), (6, [])] {
            var talk = Talk()
            talk.fault(.greeting, "stall")
            talk.wait(400_000_000)
            talk.append(.clientIgnored(octetCount: count))
            talk.append(.ended(.clientClose))
            #expect(talk.judged().brokenOnTheWire == broken)
        }
    }

    // MARK: A greeting of several lines

    /// "220-mx.test\r\n" has 13 octets, "220 ready\r\n" 11: at 10 octets a second 1.1 s lie between the two ends.
    private func dripped(earlyAfter_us: UInt64?, lines: [String] = ["220-mx.test", "220 ready"]) -> Talk {
        var talk = Talk()
        talk.fault(.greeting, "drip 10/s")
        if let earlyAfter_us {
            talk.wait(earlyAfter_us)
            talk.append(.clientEarly(octetCount: 26, segment: 1))
        }
        talk.wait(2_300_000 - (earlyAfter_us ?? 0) - 100)
        talk.append(.noticed("the last octet"))
        if lines.count == 2 { talk.sink(.greeting, lines[0], lines[1]) } else { talk.sink(.greeting, lines[0]) }
        talk.ehlo()
        talk.quit()
        return talk
    }

    @Test func whoTakesTheFirstLineForTheWhole() throws {
        let judgement = dripped(earlyAfter_us: 1_300_000).judged()
        #expect(judgement.brokenOnTheWire == [.greetMultilineIgnored])
        #expect(
            judgement.finding(.greetMultilineIgnored)?.saw
                == "26 octets between the first and the last line of the greeting")
        #expect(dripped(earlyAfter_us: 1_100_000).judged().brokenOnTheWire == [.greetEarlyTalker])
        #expect(dripped(earlyAfter_us: 0).judged().brokenOnTheWire == [.greetEarlyTalker])
        let waits = dripped(earlyAfter_us: nil).judged()
        #expect(waits.brokenOnTheWire == [])
        #expect(waits.states[.greetMultilineIgnored] == .kept)
    }

    @Test func aGreetingOfOneLineOrNoneThatAServerSays() {
        for lines in [
            ["220 mx.test is ready and dripping"], ["220-mx.test", "250 ready"], ["220 mx.test", "220 ready"],
        ] {
            let talk = dripped(earlyAfter_us: 1_300_000, lines: lines)
            #expect(talk.judged().brokenOnTheWire == [.greetEarlyTalker])
        }
    }

    @Test(arguments: [
        (#"raw "220-mx.test\r\n\|220 ready\r\n""#, 3000, RuleID.greetMultilineIgnored),
        (#"raw "220-mx.test\r\n\|220 ready\r\n""#, 1000, .greetEarlyTalker),
        (#"raw "220-mx.test\x0d\n220 re\|ady\r\n""#, 3000, .greetMultilineIgnored),
        (#"raw "220-mx\|.test\r\n220 ready\r\n""#, 3000, .greetEarlyTalker),
        ("raw split-reply", 3000, .greetMultilineIgnored),
    ])
    func aGreetingInPieces(_ script: String, _ earlyAfter_us: UInt64, _ broken: RuleID) {
        var talk = Talk()
        talk.fault(.greeting, script)
        talk.wait(earlyAfter_us)
        talk.append(.clientEarly(octetCount: 26, segment: 1))
        talk.wait(6_500 - 100 - earlyAfter_us)
        talk.sink(.greeting, "220-mx.test", "220 ready")
        talk.ehlo()
        talk.quit()
        #expect(talk.judged().brokenOnTheWire == [broken])
    }

    // MARK: A refusal

    static let refusals: [WireCase] = [
        WireCase("EHLO after 554", [.greetRefusalIgnored]) {
            $0.fault(.greeting, "554 No service")
            $0.sink(.greeting, "554 No service")
            $0.client("EHLO mta1.sender.example")
            $0.sink(nil, "503 5.5.1 Nothing but QUIT")
            $0.quit()
        },
        WireCase("MAIL after 450 at connect", [.greetRefusalIgnored, .heloMissing]) {
            $0.sink(.connect, "450 Later")
            $0.client("MAIL FROM:<a@sender.example>")
            $0.sink(nil, "503 5.5.1 Nothing but QUIT")
            $0.quit()
        },
        WireCase("QUIT after 554", kept: [.greetRefusalIgnored]) {
            $0.sink(.greeting, "554 No service")
            $0.quit()
        },
        WireCase("a close after 521", kept: [.greetRefusalIgnored]) {
            $0.sink(.greeting, "521 No mail here")
            $0.clientCloses()
        },
        WireCase("421, and the sink closes", notObserved: [.greetRefusalIgnored]) {
            $0.sink(.greeting, "421 mx.test Busy")
            $0.append(.ended(.sinkClose))
        },
        WireCase("a refusal that was garbled", notObserved: [.greetRefusalIgnored]) {
            $0.fault(.greeting, #"raw "554-No service\r\n220 or is there\r\n""#)
            $0.sink(.greeting, "554-No service", "220 or is there")
            $0.ehlo()
            $0.quit()
        },
    ]

    @Test(arguments: refusals) func refusedAtTheGreeting(_ wire: WireCase) { wire.verify() }

    @Test func whatWasSentBeforeTheRefusalDoesNotIgnoreIt() {
        var log = Talk().log
        let (refusal, hello) = (Array("554 No service\r\n".utf8), Array("EHLO mta1.sender.example".utf8))
        let fault = Event.fault(
            rule: "r", why: "", phase: .greeting, action: "", use: 1, octets: 0, script: ["delay 2s", "554 No service"])
        log.append(fault, at_us: 0)
        log.append(.clientEarly(octetCount: 26, segment: 1), at_us: 1_000_000)
        log.append(.reply(phase: .greeting, wire: refusal), at_us: 2_000_000)
        // Told behind the refusal, with the time when it came.
        log.append(.clientLine(octets: hello, segment: 1), at_us: 1_000_000)
        log.append(.reply(phase: .ehlo, wire: refusal), at_us: 2_000_000)
        log.append(.clientLine(octets: Array("QUIT".utf8), segment: 2), at_us: 3_000_000)
        log.append(.ended(.quit), at_us: 3_000_000)
        let judgement = Judge.judge(SessionTrace(log), [], Circumstances(), JudgingSettings(profile: .strict))
        #expect(judgement.brokenOnTheWire == [.greetEarlyTalker])
        #expect(judgement.states[.greetRefusalIgnored] == .kept)
    }

    @Test func theEvidenceOfARefusalIgnored() {
        let finding = Self.refusals[0].talk.judged().finding(.greetRefusalIgnored)
        #expect(finding?.saw == #"EHLO mta1.sender.example after 554 No service\r\n"#)
        #expect(finding?.evidence.first?.line == 2)
    }

    // MARK: Patience

    private func left(after_us: UInt64, _ script: String = "stall") -> Talk {
        var talk = Talk()
        talk.fault(.greeting, script)
        talk.wait(after_us)
        talk.append(.clientFinished)
        talk.append(.ended(.clientClose))
        return talk
    }

    @Test func leavingBeforeTheGreeting() throws {
        let judgement = left(after_us: 30_000_000).judged()
        #expect(judgement.brokenOnTheWire == [.greetTimeoutShort])
        #expect(judgement.finding(.greetTimeoutShort)?.saw == "the client left after 30000.000 ms without a greeting")
        #expect(left(after_us: 30_000_000, "delay 10m").judged().brokenOnTheWire == [.greetTimeoutShort])
        #expect(left(after_us: 300_000_000).judged().states[.greetTimeoutShort] == .kept)
        // Somebody who only looks whether the port is open.
        #expect(left(after_us: 20_000).judged().states[.greetTimeoutShort] == .notObserved)
        var settings = JudgingSettings(profile: .strict)
        settings.thresholds.timeScale = 10
        #expect(left(after_us: 31_000_000).judged(Circumstances(), settings).states[.greetTimeoutShort] == .kept)
    }

    @Test func leavingWithoutAFault() {
        var talk = Talk()
        talk.wait(30_000_000)
        talk.clientCloses()
        #expect(talk.judged().brokenOnTheWire == [])
    }
}
