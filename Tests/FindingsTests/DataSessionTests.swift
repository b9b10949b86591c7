// Whether a client waits for the reply to its message, for how long, and how fast it sends.

import Findings
import Journal
import SMTP
import Testing

@Suite struct DataSessionTests {
    private static let rules: Set<RuleID> = [.dataHangupBeforeReply, .dataFinalTimeoutShort, .dataTrickle]

    private func states(_ talk: Talk, timeScale: Double = 1) -> [RuleID: RuleState] {
        var settings = JudgingSettings(profile: .strict)
        settings.thresholds.timeScale = timeScale
        let states = talk.judged(Circumstances(), settings).states
        return Dictionary(uniqueKeysWithValues: Self.rules.map { ($0, states[$0]) }).filter { $0.value != .notObserved }
    }

    /// Up to the final dot.
    private func upToTheDot(transfer_us: UInt64 = 0, octets: Int = 500, fault: String? = nil) -> Talk {
        var talk = Talk()
        talk.greeting()
        talk.ehlo()
        talk.mail("a@sender.example")
        talk.rcpt("b@any.test")
        talk.client("DATA")
        talk.sink(.data, "354 Go ahead")
        talk.wait(transfer_us)
        talk.content(octets)
        if let fault { talk.fault(.endOfData, fault) }
        return talk
    }

    private func end(_ talk: inout Talk, _ verdict: Verdict, at phase: Phase?, _ ending: Ending) {
        talk.append(.transactionEnded(verdict: verdict, at: phase, reply: nil, message: nil))
        talk.append(.ended(ending))
    }

    @Test func aCleanSession() {
        // A reply that comes at once shows nothing of patience.
        #expect(states(Talk.clean()) == [.dataTrickle: .kept])
    }

    @Test(arguments: [Ending.clientClose, .clientReset]) func leavingAtOnce(_ ending: Ending) {
        var talk = upToTheDot(fault: "delay 30s")
        talk.wait(200_000)
        end(&talk, .abandoned, at: .endOfData, ending)
        #expect(states(talk) == [.dataHangupBeforeReply: .broken, .dataTrickle: .kept])
    }

    @Test func leavingByFINWhileTheReplyIsStillToCome() {
        var talk = upToTheDot(fault: "delay 30s")
        talk.append(.clientFinished)
        talk.wait(30_000_000)
        talk.append(
            .transactionEnded(verdict: .accepted, at: .endOfData, reply: Array("250 Ok\r\n".utf8), message: "m"))
        talk.sink(.endOfData, "250 Ok")
        talk.append(.ended(.clientClose))
        #expect(states(talk)[.dataHangupBeforeReply] == .broken)
    }

    @Test(arguments: [(30, 1.0, false), (599, 1, false), (601, 1, true), (11, 60, true), (9, 60, false)])
    func timeOutsOfTheClient(_ seconds: UInt64, _ scale: Double, _ isLongEnough: Bool) {
        var talk = upToTheDot(fault: "stall")
        talk.wait(seconds * 1_000_000)
        end(&talk, .lost, at: .endOfData, .clientClose)
        let states = states(talk, timeScale: scale)
        #expect(states[.dataFinalTimeoutShort] == (isLongEnough ? nil : .broken))
        #expect(states[.dataHangupBeforeReply] == nil)
    }

    @Test func whoWaitsForALateReplyIsSeenToWait() {
        var talk = upToTheDot(fault: "delay 6s")
        talk.wait(6_000_000)
        talk.append(
            .transactionEnded(verdict: .accepted, at: .endOfData, reply: Array("250 Ok\r\n".utf8), message: "m"))
        talk.sink(.endOfData, "250 Ok")
        talk.quit()
        #expect(states(talk)[.dataHangupBeforeReply] == .kept)
        #expect(states(talk)[.dataFinalTimeoutShort] == nil)
        #expect(states(talk, timeScale: 100)[.dataFinalTimeoutShort] == .kept)
    }

    @Test func aMessageThatWasCutShortWaitsForNoReply() {
        var talk = upToTheDot()
        end(&talk, .abandoned, at: nil, .clientClose)
        #expect(states(talk) == [:])
    }

    @Test func aConnectionThatTheSinkEnds() {
        for ending in [Ending.sinkClose, .sinkReset, .timeout, .shutdown] {
            var talk = upToTheDot(fault: "close")
            end(&talk, .lost, at: .endOfData, ending)
            #expect(states(talk) == [.dataTrickle: .kept])
        }
    }

    @Test func aDelayInAnotherPlaceExcuses() {
        var talk = Talk()
        talk.greeting()
        talk.fault(.ehlo, "delay 300s")
        talk.ehlo()
        talk.mail("a@sender.example")
        talk.rcpt("b@any.test")
        talk.client("DATA")
        talk.sink(.data, "354 Go ahead")
        talk.content(500)
        talk.append(.transactionEnded(verdict: .lost, at: .endOfData, reply: nil, message: nil))
        talk.append(.ended(.clientClose))
        #expect(states(talk)[.dataHangupBeforeReply] == nil)
        #expect(talk.judged().excused["data-hangup-before-reply"] != nil)
    }

    @Test(arguments: [
        (20, 500, RuleState.broken), (20, 9_000, .broken), (20, 11_000, .kept), (9, 500, .kept), (0, 0, .kept),
    ])
    func pace(_ seconds: UInt64, _ octets: Int, _ state: RuleState) {
        var talk = upToTheDot(transfer_us: seconds * 1_000_000, octets: octets)
        talk.append(
            .transactionEnded(verdict: .accepted, at: .endOfData, reply: Array("250 Ok\r\n".utf8), message: "m"))
        talk.sink(.endOfData, "250 Ok")
        talk.quit()
        #expect(states(talk)[.dataTrickle] == state)
    }

    @Test func slowReadingIsOurs() {
        var talk = Talk()
        talk.greeting()
        talk.ehlo()
        talk.mail("a@sender.example")
        talk.rcpt("b@any.test")
        talk.client("DATA")
        talk.sink(.data, "354 Go ahead")
        talk.fault(.body, "slow-read 10B/s")
        talk.wait(60_000_000)
        talk.content(500)
        talk.append(
            .transactionEnded(verdict: .accepted, at: .endOfData, reply: Array("250 Ok\r\n".utf8), message: "m"))
        talk.sink(.endOfData, "250 Ok")
        talk.quit()
        #expect(states(talk)[.dataTrickle] == nil)
    }
}
