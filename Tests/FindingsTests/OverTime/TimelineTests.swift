// The time lines that people are shown, and the bounds of the book.

import Findings
import Journal
import SMTP
import Testing

@Suite struct TimelineTests {
    private static let hour = 3600.0
    private static let day = 86400.0
    private static let deferral = "451 4.7.1 Later"

    private func line(_ seconds: Double, _ make: (inout Scene) -> Void) -> Timeline? {
        var scene = Scene()
        make(&scene)
        return scene.book.timelines(now_us: Scene.at(seconds), scene.settings()).first
    }

    @Test func aTimelineTellsWhatHappened() throws {
        let line = try #require(
            line(Self.day) { scene in
                scene.call(0) { ($0.to, $0.end) = ([("b@any.test", Self.deferral)], nil) }
                scene.call(Self.hour) { $0.client = "192.0.2.10" }
            })
        #expect(line.key == "<1@sender.example>")
        #expect(line.tie == .messageID)
        #expect(line.from == "a@sender.example")
        #expect(line.subject == "Hello")
        #expect(line.state == .delivered)
        #expect(line.retried && !line.duplicated)
        #expect(line.recipients == [Timeline.Recipient(address: "b@any.test", code: 250, outcome: .delivered)])
        #expect(line.attempts.map(\.session) == ["s1", "s2"])
        #expect(line.attempts.map(\.client) == ["192.0.2.9", "192.0.2.10"])
        #expect(
            line.attempts[0].recipients == [Timeline.Recipient(address: "b@any.test", code: 451, outcome: .deferred)])
        #expect(line.attempts[0].gap_us == nil)
        #expect(line.attempts[0].phase == "rcpt")
        #expect(line.attempts[0].code == 451)
        #expect(line.attempts[0].verdict == .deferred)
        #expect(line.attempts[0].tie == .envelope)
        #expect(line.attempts[1].helo == "mta1.sender.example")
        #expect(line.attempts[1].server == "mx1 192.0.2.1:25")
        #expect(line.attempts[1].message == "s1.1")
        let gap_us = try #require(line.attempts[1].gap_us)
        #expect((3_590_000_000...3_600_000_000).contains(gap_us))
    }

    @Test(arguments: [
        (3.0, nil, Timeline.State.waiting), (5.0, nil, .missing), (5.0, "550 5.7.1 No", .failed),
        (30.0, "451 4.7.1 Later", .givenUp),
        (5.0, "451 4.7.1 Later", .waiting),
    ])
    func theStateSaysHowItStands(_ hours: Double, _ second: String?, _ state: Timeline.State) {
        let line = line(hours * Self.hour) { scene in
            scene.call(0) { $0.end = Self.deferral }
            if let second { scene.call(2 * Self.hour) { $0.end = second } }
        }
        #expect(line?.state == state)
    }

    @Test func copiesAreSaid() {
        let line = line(Self.day) { scene in
            scene.call(0) { $0.end = "" }
            scene.call(Self.hour)
        }
        #expect(line?.duplicated == true)
        #expect(line?.state == .delivered)
        #expect(line?.attempts.first?.disturbances == "the sink ended the connection, the last reply was lost")
    }

    @Test func withoutAMessageTheEnvelopeOrThePeerIsTheKey() {
        #expect(line(1) { $0.call(0) { $0.to[0].1 = Self.deferral } }?.key == "<a@sender.example> to <b@any.test>")
        #expect(line(1) { $0.call(0) { $0.mailReply = Self.deferral } }?.key == "<a@sender.example> to nobody")
        #expect(line(1) { $0.refused(0) }?.key == "192.0.2.9")
        #expect(line(1) { $0.refused(0) }?.tie == .peer)
        #expect(line(1) { $0.call(0) { $0.letter.id = nil } }?.tie == .content)
    }

    @Test func theTimeScaleIsInTheGaps() throws {
        var scene = Scene()
        scene.call(0) { $0.end = Self.deferral }
        scene.call(10)
        let line = try #require(
            scene.book.timelines(now_us: Scene.at(20), scene.settings { $0.judging.thresholds.timeScale = 60 }).first)
        let gap_us = try #require(line.attempts.last?.gap_us)
        #expect((590_000_000...600_000_000).contains(gap_us))
    }

    // MARK: Bounds

    @Test func attemptsBeyondTheLimitAreCounted() throws {
        var scene = Scene()
        for index in 0..<(AttemptBook.attemptLimit + 5) { scene.call(Double(index) * 10) { $0.end = Self.deferral } }
        let line = try #require(scene.book.timelines(now_us: Scene.at(2000), scene.settings()).first)
        #expect(line.attempts.count == AttemptBook.attemptLimit)
        #expect(line.attempts_dropped == 5)
        #expect(scene.book.dropped.attempts == 5)
        #expect(line.attempts.first?.session == "s1")
        #expect(line.attempts.last?.session == "s\(AttemptBook.attemptLimit + 5)")
    }

    @Test func messagesBeyondTheLimitAreCountedAndForgotten() {
        var book = AttemptBook()
        let settings = OverTimeSettings(observedSince_us: Scene.start_us)
        // One session with many transactions is quicker to write than many sessions.
        var talk = Talk()
        talk.greeting()
        talk.ehlo()
        for index in 0..<(AttemptBook.messageLimit + 3) {
            talk.append(.transactionBegan(reversePath: Array("a@sender.example".utf8)))
            let wire = Array("250 Ok\r\n".utf8)
            talk.append(.recipientAnswered(address: Array("r\(index)@any.test".utf8), wire: wire))
            talk.append(.transactionEnded(verdict: .accepted, at: .endOfData, reply: wire, message: nil))
        }
        talk.quit()
        book.note(SessionTrace(talk.log), [])
        #expect(book.dropped.messages == 3)
        let lines = book.timelines(now_us: Scene.at(1), settings)
        #expect(lines.count == AttemptBook.messageLimit)
        #expect(lines.first?.recipients.first?.address == "r3@any.test")
    }

    @Test func peersBeyondTheLimitAreCounted() {
        var scene = Scene()
        for index in 0..<(AttemptBook.peerLimit + 2) {
            var call = Call()
            call.client = "10.\(index >> 16).\(index >> 8 & 255).\(index & 255)"
            var talk = scene.open(0, call)
            talk.append(.ended(.clientClose))
            scene.note(talk)
        }
        #expect(scene.book.dropped.peers == 2)
        #expect(scene.broken(10) == [])
    }

    @Test func recipientsBeyondTheLimitAreNotMissed() throws {
        var scene = Scene()
        scene.call(0) { call in
            call.to = (0..<150).map { ("r\($0)@any.test", Self.deferral) }
            call.end = nil
        }
        #expect(scene.broken(Self.day) == [])
        let line = try #require(scene.book.timelines(now_us: Scene.at(1), scene.settings()).first)
        #expect(line.attempts.first?.recipients.count == 100)
        #expect(line.attempts.first?.recipients_dropped == 50)
    }

    @Test func theProbeNamesEachOfItsRulesOnce() {
        #expect(Set(Probe.all.map(\.name)).count == Probe.all.count)
        for probe in Probe.all { #expect(!probe.shows.isEmpty && Set(probe.shows).count == probe.shows.count) }
        #expect(Probe.showing(.duplicateAfterLostReply).map(\.name) == ["probe-end"])
        #expect(Probe.showing(.hdrMissingDate).isEmpty)
    }
}
