// Coming back, or not, behind temporary and permanent failures: each rule is broken once by one change, and nearly
// broken.

import Findings
import Journal
import SMTP
import Testing

@Suite struct RetryTests {
    private static let hour = 3600.0
    private static let day = 86400.0
    private static let deferral = "451 4.7.1 Greylisted"

    /// 451 to the end of the message at second 0, and what comes then.
    private func deferred(_ more: (inout Scene) -> Void) -> Scene {
        var scene = Scene()
        scene.call(0) { $0.end = Self.deferral }
        more(&scene)
        return scene
    }

    @Test func aRetryAfterAnHourBreaksNothing() {
        let scene = deferred { $0.call(Self.hour) }
        #expect(scene.broken(30 * Self.day) == [])
        let states = scene.judged(30 * Self.day).states
        for rule: RuleID in [
            .retryMissing, .retryImmediate, .retryTooSoon, .greylistChangedTuple, .duplicateAfterAccept,
        ] {
            #expect(states[rule] == .kept, "\(rule.rawValue)")
        }
    }

    @Test(arguments: [(2.0, RuleID.retryImmediate), (59, .retryImmediate), (61, .retryTooSoon), (1790, .retryTooSoon)])
    func aRetryThatComesTooSoonIsFound(_ pause: Double, _ rule: RuleID) {
        let scene = deferred { $0.call(pause) }
        #expect(scene.broken(2 * Self.hour) == [rule])
        let finding = scene.judged(2 * Self.hour).finding(rule)
        #expect(finding?.session == "s2")
        #expect(finding?.sessions == ["s1"])
        #expect(finding?.evidence.first?.session == "s2")
        #expect(finding?.severity == SenderRules.rule(rule).severity)
    }

    @Test func theTimeScaleMultipliesTheSendersPause() {
        let scene = deferred { $0.call(40) }
        #expect(scene.broken(100) == [.retryImmediate])
        #expect(scene.broken(100) { $0.judging.thresholds.timeScale = 60 } == [])
        #expect(scene.broken(100) { $0.judging.thresholds.timeScale = 30 } == [.retryTooSoon])
    }

    @Test func anotherServerIsAFallbackAndNoRetry() {
        let scene = deferred { $0.call(2) { $0.listener = "mx2" } }
        #expect(scene.broken(30 * Self.day) == [])
    }

    @Test func a421OnAUsedConnectionAsksForANewOne() {
        var scene = Scene()
        var talk = scene.open(0)
        talk.greeting()
        talk.ehlo()
        var first = Call()
        first.letter.id = "<0@sender.example>"
        first.letter.subject = "The one before"
        first.to = [("c@any.test", "250 2.1.5 Ok")]
        _ = Scene.transact(&talk, first)
        var second = Call()
        second.end = "421 4.3.2 Closing"
        _ = Scene.transact(&talk, second)
        talk.append(.ended(.sinkClose))
        scene.note(talk, [first.letter.facts(1), second.letter.facts(2)])
        scene.call(1)
        #expect(scene.broken(Self.day) == [])
    }

    @Test func whoNeverComesBackIsFoundOnlyWhenTheWindowHasPassed() {
        let scene = deferred { _ in }
        #expect(scene.broken(3.9 * Self.hour) == [])
        #expect(scene.judged(3.9 * Self.hour).states[.retryMissing] == .notObserved)
        #expect(scene.broken(4.1 * Self.hour) == [.retryMissing])
        #expect(scene.broken(4.1 * 60) { $0.judging.thresholds.timeScale = 60 } == [.retryMissing])
    }

    @Test func nothingIsMissedThatTheSinkCouldNotSee() {
        let scene = deferred { _ in }
        let late = scene.broken(Self.day) { $0.observedSince_us = Scene.at(10) }
        #expect(late == [])
        // A session whose events were dropped may have held the retry.
        for (dropped, expected) in [(0, [RuleID.retryMissing]), (1, [])] {
            let cut = deferred { scene in
                scene.call(600, dropped: dropped) {
                    $0.letter = SceneLetter(id: "<9@sender.example>", subject: "Other", body: "Other\r\n")
                    $0.to = [("z@any.test", "250 Ok")]
                }
            }
            #expect(cut.broken(Self.day) == expected)
        }
    }

    @Test func aConnectionThatBreaksIsTo451TheSame() {
        var scene = Scene()
        scene.call(0) { $0.end = "" }
        #expect(scene.broken(Self.day) == [.retryMissing])
        scene.call(Self.hour)
        #expect(scene.broken(Self.day) == [])
    }

    @Test func whoIsTurnedAwayAtTheGreetingIsKnownByItsAddress() {
        var scene = Scene()
        scene.refused(0)
        #expect(scene.broken(Self.hour) == [])
        #expect(scene.broken(Self.day) == [.retryMissing])
        #expect(scene.judged(Self.day).finding(.retryMissing)?.saw.hasSuffix("by peer") == true)
        scene.call(Self.hour)
        #expect(scene.broken(Self.day) == [])
        var final = Scene()
        final.refused(0, "554 5.7.1 No")
        #expect(final.broken(Self.day) == [])
    }

    @Test func aRetryAtRcptIsKnownByItsEnvelope() {
        var scene = Scene()
        scene.call(0) { $0.to = [("b@any.test", Self.deferral)] }
        scene.call(3) { $0.to = [("b@any.test", Self.deferral)] }
        let finding = scene.judged(100).finding(.retryImmediate)
        #expect(finding?.saw.contains("by envelope") == true)
        #expect(finding?.severity == .info)
        #expect(finding?.reason != nil)
    }

    @Test func anEnvelopeWithTheSameSizeIsSurer() {
        var scene = Scene()
        scene.call(0) { ($0.to, $0.parameters) = ([("b@any.test", Self.deferral)], "SIZE=1000") }
        scene.call(3) { ($0.to, $0.parameters) = ([("b@any.test", Self.deferral)], "SIZE=1000") }
        #expect(scene.judged(100).finding(.retryImmediate)?.severity == .must)
        // Another size: another message, so neither is a retry of the other, and none is said to be missing for sure.
        var other = Scene()
        other.call(0) { ($0.to, $0.parameters) = ([("b@any.test", Self.deferral)], "SIZE=1000") }
        other.call(3) { ($0.to, $0.parameters) = ([("b@any.test", Self.deferral)], "SIZE=2000") }
        #expect(other.broken(100) == [])
        other.call(Self.hour) { $0.parameters = "SIZE=1000" }
        #expect(other.broken(Self.hour + 100) == [])
        #expect(other.broken(Self.day) == [.retryMissing])
    }

    @Test func aMailThatWasDeferredIsKnownByItsSender() {
        var scene = Scene()
        scene.call(0) { ($0.mailReply, $0.parameters) = ("452 4.3.1 Full", "SIZE=1000") }
        #expect(scene.broken(Self.day) == [.retryMissing])
        scene.call(Self.hour) { $0.parameters = "SIZE=1000" }
        #expect(scene.broken(Self.day) == [])
    }

    @Test func whoStopsTooEarlyIsFound() {
        let scene = deferred { scene in
            scene.call(Self.hour) { $0.end = Self.deferral }
            scene.call(3 * Self.hour) { $0.end = Self.deferral }
        }
        #expect(scene.broken(5 * Self.hour) == [])
        #expect(scene.broken(30 * Self.hour) == [.retryGivesUpEarly])
        let finding = scene.judged(30 * Self.hour).finding(.retryGivesUpEarly)
        #expect(finding?.session == "s3")
        #expect(finding?.sessions.sorted() == ["s1", "s2"])
    }

    @Test func whoStopsAfterFourDaysDoesWell() {
        let scene = deferred { scene in
            var at = 0.0
            for pause in [1, 2, 4, 8, 12, 24, 24, 24] {
                at += Double(pause) * Self.hour
                scene.call(at) { $0.end = Self.deferral }
            }
        }
        let judged = scene.judged(30 * Self.day)
        #expect(judged.states.ids(.broken) == [])
        #expect(judged.states[.retryGivesUpEarly] == .kept)
        #expect(judged.states[.retryNoBackoff] == .kept)
    }

    @Test func intervalsThatNeverGrowAreFound() {
        func scene(_ pauses: [Double]) -> Scene {
            deferred { scene in
                var at = 0.0
                for pause in pauses {
                    at += pause * 60
                    scene.call(at) { $0.end = Self.deferral }
                }
            }
        }
        #expect(scene([35, 35, 36, 35, 35]).broken(2 * Self.hour) == [.retryNoBackoff])
        #expect(scene([35, 35, 60, 120]).broken(5 * Self.hour) == [])
        // Too few, or in too short a time, show nothing.
        #expect(scene([35, 35, 35]).broken(2 * Self.hour) == [])
        #expect(scene([150, 150, 150, 150]).broken(11 * Self.hour) == [])
    }

    @Test(arguments: [("550 5.7.1 No", true), ("554 5.6.0 Content", true), ("451 4.7.1 Later", false)])
    func afterAPermanentRefusalTheMessageStaysAway(_ reply: String, _ isFound: Bool) {
        var scene = Scene()
        scene.call(0) { $0.end = reply }
        scene.call(Self.hour)
        #expect(scene.broken(Self.day) == (isFound ? [.retryAfterPermanent] : []))
    }

    @Test func aNewMessageToARefusedAddressIsNoRetry() {
        var scene = Scene()
        scene.call(0) { $0.to = [("b@any.test", "550 5.7.1 No")] }
        scene.call(60) { $0.to = [("b@any.test", "550 5.7.1 No")] }
        #expect(scene.broken(Self.day) == [])
        var same = Scene()
        for at in [0.0, 60] {
            same.call(at) { ($0.to, $0.parameters) = ([("b@any.test", "550 5.7.1 No")], "SIZE=1 ENVID=q1") }
        }
        #expect(same.broken(Self.day) == [.retryAfterPermanent])
        #expect(same.judged(Self.day).finding(.retryAfterPermanent)?.severity == .should)
    }

    @Test(arguments: ["530 5.7.0 Must issue STARTTLS", "555 5.5.4 Parameter", "503 5.5.1 Order"])
    func aRefusedRequestMayBeMadeInAnotherWay(_ reply: String) {
        var scene = Scene()
        for at in [0.0, 60] { scene.call(at) { ($0.mailReply, $0.parameters) = (reply, "SIZE=1 ENVID=q1") } }
        #expect(scene.broken(Self.day) == [])
    }

    @Test func afterARefusalOfItsSizeTheMessageStaysAway() {
        var scene = Scene()
        scene.call(0) { ($0.mailReply, $0.parameters) = ("552 5.3.4 Too big", "SIZE=99000000") }
        scene.call(Self.hour) { ($0.mailReply, $0.parameters) = ("552 5.3.4 Too big", "SIZE=99000000") }
        #expect(scene.broken(Self.day) == [.sizeRefusalIgnored])
        var smaller = Scene()
        smaller.call(0) { ($0.mailReply, $0.parameters) = ("552 5.3.4 Too big", "SIZE=99000000") }
        smaller.call(Self.hour) { $0.parameters = "SIZE=1000" }
        #expect(smaller.broken(Self.day) == [])
    }

    @Test func aRetryFromAnotherNetworkIsFound() {
        let far = deferred { $0.call(Self.hour) { $0.client = "198.51.100.7" } }
        #expect(far.broken(Self.day) == [.greylistChangedTuple])
        let near = deferred { $0.call(Self.hour) { $0.client = "192.0.2.200" } }
        #expect(near.broken(Self.day) == [])
    }

    @Test func aRetryWithAnotherEnvelopeSenderIsFound() {
        let changed = deferred { $0.call(Self.hour) { $0.from = "bounce-77@sender.example" } }
        #expect(changed.broken(Self.day) == [.greylistChangedTuple])
        #expect(changed.judged(Self.day).finding(.greylistChangedTuple)?.severity == .reputation)
    }

    @Test(arguments: [
        ("2001:db8:1:2::9", "2001:db8:1:2:ffff::1", false), ("2001:db8:1:2::9", "2001:db8:1:3::9", true),
        ("::ffff:192.0.2.9", "192.0.2.7", false),
    ])
    func networksOfIPv6AreSixtyFourBitsLong(_ one: String, _ other: String, _ isFound: Bool) {
        var scene = Scene()
        scene.call(0) { ($0.client, $0.end) = ("[\(one)]", Self.deferral) }
        scene.call(Self.hour) { $0.client = other.contains(":") ? "[\(other)]" : other }
        #expect(scene.broken(Self.day) == (isFound ? [.greylistChangedTuple] : []))
    }

    @Test func recipientsBeyondTheLimitBelongIntoTheNextTransaction() {
        let full = "452 4.5.3 Too many recipients"
        var scene = Scene()
        scene.call(0) { $0.to = [("b@any.test", "250 Ok"), ("c@any.test", full)] }
        #expect(scene.broken(Self.hour) == [])
        #expect(scene.broken(Self.day) == [.rcpt452Lost])
        scene.call(1) { $0.to = [("c@any.test", "250 Ok")] }
        let judged = scene.judged(Self.day)
        #expect(judged.states.ids(.broken) == [])
        #expect(judged.states[.rcpt452Lost] == .kept)
    }

    @Test func aFullMailboxMayBeTriedAgain() {
        for (reply, expected) in [("552 5.2.2 Full", []), ("550 5.2.1 Gone", [RuleID.retryAfterPermanent])] {
            var scene = Scene()
            for at in [0.0, Self.hour] {
                scene.call(at) { ($0.to, $0.parameters) = ([("b@any.test", reply)], "ENVID=q") }
            }
            #expect(scene.broken(Self.day) == expected)
        }
    }

    @Test func underATimeScaleTenSecondsAtAnotherServerAreARetry() {
        func states(_ scale: Double) -> RuleStates {
            deferred { $0.call(10) { ($0.listener, $0.end) = ("mx2", Self.deferral) } }
                .judged(2 * Self.day) { $0.judging.thresholds.timeScale = scale }.states
        }
        #expect(states(1).ids(.broken) == [.retryMissing])
        #expect(states(60).ids(.broken) == [.retryGivesUpEarly])
    }

    @Test func theSameSessionsGiveTheSameFindings() {
        func judged() -> OverTimeJudgement {
            deferred { scene in
                for index in 0..<20 {
                    scene.call(Double(index) * 7) {
                        $0.client = "192.0.2.\(index % 3)"
                        $0.letter = SceneLetter(id: "<\(index % 4)@sender.example>", subject: "Number \(index)")
                        $0.to = [("b\(index)@any.test", "550 5.1.1 Gone"), ("c\(index)@any.test", "250 Ok")]
                    }
                }
            }.judged(Self.day)
        }
        let first = judged()
        #expect(Set(first.findings.map(\.rule)) == [.retryMissing, .unknownUserRatio, .hdrMessageIdReused])
        for _ in 0..<3 { #expect(judged() == first) }
    }

    @Test func whatCannotBeSeenIsNotJudged() {
        guard case .never(let because) = SenderRules.rule(.mail5yzCached).judging else {
            Issue.record("a sender's restraint cannot be seen")
            return
        }
        #expect(because.count > 20)
    }

    @Test func aSubmissionClientNeedsNoQueue() {
        let scene = deferred { _ in }
        #expect(scene.broken(Self.day) { $0.judging.profile = .submission } == [])
        #expect(scene.broken(Self.day) { $0.judging.profile = .mx } == [.retryMissing])
    }
}
