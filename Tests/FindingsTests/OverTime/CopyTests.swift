// Copies: of what was accepted, behind lost replies, behind mixed replies, to several recipients.

import Findings
import Journal
import SMTP
import Testing

@Suite struct CopyTests {
    private static let hour = 3600.0
    private static let day = 86400.0

    private func twice(_ first: (inout Call) -> Void = { _ in }, _ second: (inout Call) -> Void = { _ in }) -> Scene {
        var scene = Scene()
        scene.call(0, first)
        scene.call(Self.hour, second)
        return scene
    }

    @Test func whatWasAcceptedIsNotSentAgain() {
        let scene = twice()
        #expect(scene.broken(Self.day) == [.duplicateAfterAccept])
        let finding = scene.judged(Self.day).finding(.duplicateAfterAccept)
        #expect(finding?.session == "s2")
        #expect(finding?.sessions == ["s1"])
        #expect(finding?.evidence.first?.transaction == 1)
    }

    @Test func nearDuplicatesAreNone() {
        // To somebody else, with another id, behind a 250 that was perhaps not heard, through a list.
        #expect(twice({ _ in }, { $0.to = [("c@other.test", "250 Ok")] }).broken(Self.day) == [])
        #expect(twice({ _ in }, { $0.letter.id = "<2@sender.example>" }).broken(Self.day) == [])
        #expect(twice({ $0.isHasty = true }, { _ in }).broken(Self.day) == [])
        #expect(twice({ _ in }, { $0.from = "list-bounces@lists.example" }).broken(Self.day) == [])
    }

    @Test func withoutAnIDTheDateTellsMessagesApart() {
        #expect(twice({ $0.letter.id = nil }, { $0.letter.id = nil }).broken(Self.day) == [.duplicateAfterAccept])
        let other = twice(
            { $0.letter.id = nil }, { ($0.letter.id, $0.letter.date) = (nil, "Fri, 27 Nov 2026 11:00:00 +0000") })
        #expect(other.broken(Self.day) == [])
        let heartbeat = twice(
            { ($0.letter.id, $0.letter.date) = (nil, "") }, { ($0.letter.id, $0.letter.date) = (nil, "") })
        #expect(heartbeat.broken(Self.day) == [])
    }

    @Test func aDuplicateBehindALostReplyIsExpectedAndItsIDMustStay() {
        let same = twice({ $0.end = "" }, { _ in }).judged(Self.day)
        #expect(same.states.ids(.broken) == [])
        #expect(same.states[.duplicateAfterLostReply] == .kept)
        let later = SceneLetter(id: "<2@sender.example>", date: "Fri, 27 Nov 2026 11:00:00 +0000")
        let anew = twice({ $0.end = "" }, { $0.letter = later })
        #expect(anew.broken(Self.day) == [.duplicateAfterLostReply])
        // Another message: but one with the same subject may be the old one, written anew.
        for (subject, expected) in [("Other", [RuleID.retryMissing]), ("Hello", [])] {
            let another = twice(
                { $0.end = "" },
                { $0.letter = SceneLetter(id: "<2@sender.example>", subject: subject, body: "Something else.\r\n") })
            #expect(another.broken(Self.day) == expected)
        }
    }

    private static let mixed = [("b@any.test", "250 Ok"), ("c@any.test", "451 4.2.1 Later")]

    @Test func onlyTheRefusedRecipientsAreTriedAgain() {
        let all = twice({ $0.to = Self.mixed }, { $0.to = [("b@any.test", "250 Ok"), ("c@any.test", "250 Ok")] })
        #expect(all.broken(Self.day) == [.partialAcceptResendAll])
        let rest = twice({ $0.to = Self.mixed }, { $0.to = [("c@any.test", "250 Ok")] }).judged(Self.day)
        #expect(rest.states.ids(.broken) == [])
        #expect(rest.states[.partialAcceptResendAll] == .kept)
        #expect(rest.states[.partialAcceptAbandoned] == .kept)
    }

    @Test func oneRefusedRecipientIsNoReasonToDropTheOthers() {
        let to = [("b@any.test", "250 Ok"), ("c@any.test", "550 5.7.1 No")]
        var scene = Scene()
        scene.call(0) { ($0.to, $0.end) = (to, nil) }
        #expect(scene.broken(Self.day) == [.partialAcceptAbandoned])
        var going = Scene()
        going.call(0) { $0.to = to }
        #expect(going.broken(Self.day) == [])
        // It may begin anew with those that were accepted.
        var anew = Scene()
        var talk = anew.open(0)
        talk.greeting()
        talk.ehlo()
        _ = Scene.transact(&talk, Call(to: to, end: nil))
        _ = Scene.transact(&talk, Call())
        talk.quit()
        anew.note(talk, [SceneLetter().facts(2)])
        #expect(anew.broken(Self.day) == [])
        // Nobody stays where the sink is slow.
        var slow = Scene()
        slow.call(0) { ($0.to, $0.end, $0.fault) = (to, nil, (.rcpt, "delay 2s")) }
        #expect(slow.broken(Self.day) == [])
        #expect(slow.judged(Self.day).excused["partial-accept-abandoned"] != nil)
    }

    @Test func oneTransactionWouldDoForSeveralRecipients() {
        func scene(_ change: (inout Call) -> Void) -> [RuleID] {
            var scene = Scene()
            scene.call(0)
            scene.call(2) {
                $0.to = [("c@any.test", "250 Ok")]
                change(&$0)
            }
            return scene.broken(Self.day)
        }
        #expect(scene { _ in } == [.rcptSplitCopies])
        #expect(scene { $0.to = [("c@other.test", "250 Ok")] } == [])
        #expect(scene { $0.from = "bounce+c=any.test@sender.example" } == [])
        #expect(scene { $0.listener = "mx2" } == [])
        #expect(scene { $0.letter.id = "<2@sender.example>" } == [])
    }

    @Test func aMessageIDStandsForOneMessage() {
        func scene(_ change: (inout Call) -> Void) -> OverTimeJudgement {
            twice(
                { _ in },
                {
                    $0.to = [("c@other.test", "250 Ok")]
                    change(&$0)
                }
            ).judged(Self.day)
        }
        #expect(scene { $0.letter.subject = "Other" }.states.ids(.broken) == [.hdrMessageIdReused])
        #expect(scene { $0.letter.subject = "Other" }.finding(.hdrMessageIdReused)?.severity == .must)
        #expect(scene { $0.letter.body = "Dear C" }.finding(.hdrMessageIdReused)?.severity == .info)
        #expect(scene { $0.letter.extra = "X-Hop: 2\r\n" }.states.ids(.broken) == [])
        #expect(
            scene { ($0.letter.extra, $0.letter.subject) = ("List-Id: <l.example>\r\n", "[l] Hello") }.states.ids(
                .broken) == [])
        #expect(scene { _ in }.states[.hdrMessageIdReused] == .kept)
    }
}
