// What one peer does over many sessions: connections, names, recipients, return paths, exchangers.

import Findings
import Journal
import SMTP
import Testing

@Suite struct PeerTests {
    private static let hour = 3600.0
    private static let day = 86400.0

    /// Sessions with one message each, all different.
    private func calls(_ count: Int, every seconds: Double, _ change: (Int, inout Call) -> Void = { _, _ in }) -> Scene
    {
        var scene = Scene()
        for index in 0..<count {
            scene.call(Double(index) * seconds) {
                $0.letter.id = "<\(index)@sender.example>"
                $0.letter.body = "This is message \(index), and it is long enough to be told from all the others.\r\n"
                $0.to = [("r\(index)@any.test", "250 2.1.5 Ok")]
                change(index, &$0)
            }
        }
        return scene
    }

    @Test func connectionsAtOnceAreCounted() {
        let many = calls(21, every: 10) { $1.lasts_s = 1000 }
        #expect(many.broken(Self.day) == [.connTooManyConcurrent])
        #expect(many.judged(Self.day).finding(.connTooManyConcurrent)?.count == 1)
        let few = calls(20, every: 10) { $1.lasts_s = 1000 }
        #expect(few.broken(Self.day) == [])
        #expect(few.judged(Self.day).states[.connTooManyConcurrent] == .kept)
        let inTurn = calls(21, every: 50) { $1.lasts_s = 40 }
        #expect(inTurn.broken(Self.day) == [])
        let slow = calls(21, every: 10) { ($1.lasts_s, $1.fault) = (1000, (.mail, "delay 5m")) }
        #expect(slow.broken(Self.day) == [])
    }

    @Test func connectionsOfThisMachineAreManySenders() {
        let scene = calls(21, every: 10) { ($1.lasts_s, $1.client) = (1000, "127.0.0.1") }
        let finding = scene.judged(Self.day).finding(.connTooManyConcurrent)
        #expect(finding?.severity == .info)
        #expect(finding?.reason != nil)
    }

    @Test func connectionsAMinuteAreCounted() {
        let fast = calls(61, every: 0.9) { $1.lasts_s = 1 }
        #expect(fast.broken(Self.day) == [.connRateBurst])
        #expect(calls(60, every: 0.9) { $1.lasts_s = 1 }.broken(Self.day) == [])
        #expect(calls(200, every: 7).broken(Self.day) == [])
    }

    @Test func aConnectionIsThereForMoreThanOneMessage() {
        #expect(calls(5, every: 3).broken(Self.day) == [.connReconnectPerMessage])
        let finding = calls(5, every: 3).judged(Self.day).finding(.connReconnectPerMessage)
        #expect(finding?.session == "s5")
        #expect(finding?.sessions.count == 4)
        #expect(calls(4, every: 3).broken(Self.day) == [])
        #expect(calls(8, every: 6).broken(Self.day) == [])
        #expect(calls(8, every: 3) { $1.listener = $0 % 2 == 0 ? "mx1" : "mx2" }.broken(Self.day) == [])
    }

    @Test func aPeerHasOneName() {
        let four = calls(4, every: 60) { $1.hello = "mta\($0).sender.example" }
        #expect(four.broken(Self.day) == [.heloChangesOverTime])
        let three = calls(4, every: 60) { $1.hello = "mta\($0 % 3).sender.example" }
        #expect(three.broken(Self.day) == [])
        #expect(three.judged(Self.day).states[.heloChangesOverTime] == .kept)
        let capitals = calls(4, every: 60) { $1.hello = $0 % 2 == 0 ? "MTA1.sender.example" : "mta1.SENDER.example" }
        #expect(capitals.broken(Self.day) == [])
    }

    @Test func mostRecipientsExist() {
        func scene(_ unknown: Int, of count: Int, _ reply: String = "550 5.1.1 No such user") -> Scene {
            calls(count, every: 60) { if $0 < unknown { $1.to[0].1 = reply } }
        }
        #expect(scene(2, of: 10).broken(Self.day) == [.unknownUserRatio])
        #expect(scene(1, of: 10).broken(Self.day) == [])
        #expect(scene(1, of: 10).judged(Self.day).states[.unknownUserRatio] == .kept)
        #expect(scene(5, of: 9).judged(Self.day).states[.unknownUserRatio] == .notObserved)
        #expect(scene(5, of: 10, "550 5.7.1 Not for you").broken(Self.day) == [])
    }

    @Test func aMagicAddressAsksForItsReply() {
        let steering = calls(10, every: 60) { _, call in
            (call.to[0].1, call.isSteering) = ("550 5.1.1 No such user", true)
        }
        #expect(steering.broken(Self.day) == [])
        #expect(steering.judged(Self.day).states[.unknownUserRatio] == .kept)
    }

    // MARK: What faults before explain

    /// A session with TLS that ends in this way, and one in clear so many seconds later.
    private func clearBehindTLS(
        _ script: String?, at phase: Phase = .mail, after seconds: Double = 2, hello: String = "mta1.sender.example",
        isUpgraded: Bool = true
    ) -> SessionJudgement {
        var scene = Scene()
        var first = scene.open(0)
        first.greeting()
        first.ehlo()
        if isUpgraded {
            first.startTLS()
            first.ehlo(without: "STARTTLS")
        }
        first.client("MAIL FROM:<a@sender.example>")
        if let script { first.fault(phase, script) }
        first.append(.ended(script == "close" ? .sinkClose : .clientClose))
        scene.note(first)
        var second = scene.open(seconds)
        second.greeting()
        second.ehlo(hello)
        second.mail("a@sender.example")
        second.rcpt("b@any.test")
        second.data()
        second.quit()
        var circumstances = Circumstances()
        circumstances.before = scene.book.before(SessionTrace(second.log), scene.settings())
        return second.judged(circumstances)
    }

    @Test func whoComesInClearSinceTLSBrokeDownIsExcused() {
        let excused = clearBehindTLS("close")
        #expect(!excused.broken.contains(.tlsNotUsed))
        #expect(excused.excused["tls-not-used"] == "TLS failed in a session before")
    }

    @Test func whoComesInClearByItselfIsNot() {
        for (index, judgement) in [
            clearBehindTLS(nil), clearBehindTLS("451 4.3.0 Not now"), clearBehindTLS("close", after: 5 * Self.hour),
            clearBehindTLS("close", hello: "mta2.sender.example"), clearBehindTLS("close", isUpgraded: false),
        ].enumerated() { #expect(judgement.broken.contains(.tlsNotUsed), "\(index)") }
    }

    @Test func anAddressThatIsGoneIsLeftAlone() {
        func scene(_ count: Int, every hours: Double) -> [RuleID] {
            var scene = Scene()
            for index in 0..<count {
                scene.call(Double(index) * hours * Self.hour) {
                    $0.to = [("gone@any.test", "550 5.1.1 No such user")]
                    $0.parameters = "SIZE=\(1000 + index)"
                }
            }
            return scene.broken(90 * Self.day)
        }
        #expect(scene(5, every: 6) == [.deadAddressKept])
        #expect(scene(4, every: 24) == [])
        #expect(scene(5, every: 5) == [])
    }

    @Test func oneTextComesFromAFewAddresses() {
        func scene(_ count: Int) -> [RuleID] {
            calls(count, every: 60) {
                $1.client = "192.0.2.\($0 + 1)"
                $1.letter.body = SceneLetter().body
            }.broken(Self.day)
        }
        #expect(scene(11) == [.sameContentManyIps])
        #expect(scene(10) == [])
        let short = calls(11, every: 60) { ($1.client, $1.letter.body) = ("192.0.2.\($0 + 1)", "Hi\r\n") }
        #expect(short.broken(Self.day) == [])
    }

    @Test func oneReturnPathServesADomainOfFrom() {
        func scene(_ domains: Int) -> Scene {
            calls(8, every: 60) { $1.from = "bounce@b\($0 % domains).example" }
        }
        #expect(scene(4).broken(Self.day) == [.returnPathInconsistent])
        #expect(scene(3).broken(Self.day) == [])
        #expect(scene(3).judged(Self.day).states[.returnPathInconsistent] == .kept)
        // A relay has customers, each with a domain of its own.
        let relay = calls(8, every: 60) { ($1.from, $1.letter.from) = ("b@c\($0).example", "a@c\($0).example") }
        #expect(relay.broken(Self.day) == [])
    }

    @Test func copiesOfBulkMailHaveReturnPathsOfTheirOwn() {
        func scene(_ count: Int, verp: Bool = false, list: Bool = true) -> Scene {
            calls(count, every: 60) {
                if list { $1.letter.extra = "List-Id: <news.sender.example>\r\n" }
                $1.from = verp ? "bounce+r\($0)=any.test@sender.example" : "bounce@sender.example"
            }
        }
        #expect(scene(11).broken(Self.day) == [.verpMissing])
        #expect(scene(10).broken(Self.day) == [])
        #expect(scene(11, verp: true).broken(Self.day) == [])
        #expect(scene(11, verp: true).judged(Self.day).states[.verpMissing] == .kept)
        #expect(scene(11, list: false).broken(Self.day) == [])
        #expect(scene(11, list: false).broken(Self.day) { $0.judging.profile = .bulk } == [.verpMissing])
    }

    private func exchangers(_ settings: inout OverTimeSettings) { settings.exchangers = [["mx1"], ["mx2"]] }

    @Test func whoIsTurnedAwayTriesTheNextExchanger() {
        var scene = Scene()
        scene.refused(0)
        scene.call(Self.hour)
        // Back at the same one: a retry, and no fall-back.
        #expect(scene.broken(Self.day, exchangers) == [.mxNoFallback])
        #expect(scene.broken(2 * Self.hour, exchangers) == [])
        #expect(scene.broken(Self.day) == [])
        var good = Scene()
        good.refused(0)
        good.call(2) { $0.listener = "mx2" }
        let judged = good.judged(Self.day, exchangers)
        #expect(judged.states.ids(.broken) == [])
        #expect(judged.states[.mxNoFallback] == .kept)
        #expect(judged.states[.mxWrongOrder] == .kept)
        // One connection too many, while another one is served there.
        var busy = Scene()
        busy.refused(50)
        busy.call(0) { $0.lasts_s = 100 }
        #expect(busy.broken(Self.day, exchangers) == [])
        // A 554 at the greeting leaves it open (RFC 5321 §3.1).
        var final = Scene()
        final.refused(0, "554 5.7.1 No")
        #expect(final.broken(Self.day, exchangers) == [])
    }

    @Test func theBetterExchangerComesFirst() {
        var scene = Scene()
        scene.call(5 * Self.hour) { $0.listener = "mx2" }
        #expect(scene.broken(Self.day, exchangers) == [.mxWrongOrder])
        #expect(scene.judged(Self.day, exchangers).finding(.mxWrongOrder)?.severity == .must)
        #expect(scene.broken(Self.day) { $0.exchangers = [["mx1", "mx2"]] } == [])
        #expect(scene.broken(Self.day) == [])
        // Before the sink had watched for long, it may have been tried.
        let young = scene.judged(Self.day) {
            exchangers(&$0)
            $0.observedSince_us = Scene.at(4 * Self.hour)
        }
        #expect(young.finding(.mxWrongOrder)?.severity == .info)
    }
}
