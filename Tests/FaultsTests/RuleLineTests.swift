// Rule lines: what they mean, where their errors stand, and that a rule prints as the line that makes it.

import Faults
import SMTP
import Testing

@Suite struct RuleLineTests {
    @Test func `The line of the manual reads as it says`() throws {
        let rule = try RuleLine.parse("rcpt to=*@full.test first=2 per=to: delay 200ms, 452 4.2.2 Mailbox full")
        #expect(rule.at == .rcpt)
        #expect(rule.per == [.to])
        #expect(rule.when.map(\.key) == [.to])
        guard case .times(.first(2), let actions) = rule.schedule, actions.count == 2,
            case .reply(let reply) = actions[1]
        else {
            Issue.record("not two actions, first 2")
            return
        }
        #expect(actions[0] == .delay(Span(ns: 200_000_000), Span(ns: 200_000_000)))
        #expect(reply.reply.text == "452 4.2.2 Mailbox full")
    }

    @Test func `Steps are separated by semicolons`() throws {
        let rule = try RuleLine.parse(
            "rcpt name=greylist per=client,from,to steps: 451 4.7.1 Greylisted; delay 1s, 451 4.7.1 Still; accept")
        guard case .steps(let steps) = rule.schedule else {
            Issue.record("no steps")
            return
        }
        #expect(steps.map(\.count) == [1, 2, 1])
        #expect(rule.name == "greylist")
        #expect(rule.per == [.client, .from, .to])
    }

    @Test(arguments: [
        ("rcpt: 550 5.1.1 Unknown, sorry", "550 5.1.1 Unknown, sorry", 1),
        ("rcpt: 550 Go away, close the door", "550 Go away, close the door", 1),
        ("rcpt: 550 Go away, close", "550 Go away", 2),
        ("rcpt: 451 wait, 12 minutes, delay it", "451 wait, 12 minutes, delay it", 1),
        ("rcpt: 451 wait, 1234 times", "451 wait, 1234 times", 1),
        ("rcpt: \"550 Go away, close\"", "550 Go away, close", 1),
        ("rcpt: \"550 say \\\"no\\\", close\" , close", "550 say \"no\", close", 2),
        ("rcpt: 550 say \"no\", and: leave; close", "550 say \"no\", and: leave; close", 1),
        ("rcpt: 550-5.1.1 dashed", "550 5.1.1 dashed", 1),
        ("rcpt: 550 5.1.1 a\\nb", "550-5.1.1 a\r\n550 5.1.1 b", 1),
        ("rcpt: 550 5.1.1 a\\n550-5.1.1 b\\n550 5.1.1 c", "550-5.1.1 a\r\n550-5.1.1 b\r\n550 5.1.1 c", 1),
        ("rcpt: 550 c:\\\\new", "550 c:\\new", 1),
    ])
    func `Commas inside a reply belong to its text unless an action follows`(line: String, text: String, count: Int)
        throws
    {
        let rule = try RuleLine.parse(line)
        let actions = rule.schedule.steps[0]
        #expect(actions.count == count)
        guard case .reply(let reply) = actions[0] else {
            Issue.record("no reply")
            return
        }
        #expect(reply.reply.text == text)
    }

    @Test(arguments: [
        ("", 1, "no \": \""),
        ("rcpt", 4, "no \": \""),
        ("rctp: 550 x", 1, "did you mean \"rcpt\"?"),
        ("eod: 550 x", 1, "did you mean \"end-of-data\"?"),
        ("to=a: close", 1, "begins with its phase"),
        ("rcpt form=a@b: close", 6, "did you mean \"from\"?"),
        ("rcpt to=a@b to=c@d: close", 13, "a second to="),
        ("rcpt to=/a: close", 9, "no / at its end"),
        ("rcpt to=\"a: close", 9, "not closed"),
        ("rcpt to=a,: close", 10, "no value behind the comma"),
        ("mail to=a@b: 550 x", 6, "the recipient is not known before RCPT; use at: rcpt"),
        ("connect helo=x: close", 9, "before EHLO"),
        ("greeting user=x: close", 10, "before AUTH"),
        ("ehlo size=>1: 550 x", 6, "declared at MAIL"),
        ("connect tls=any: close", 9, "no handshake"),
        ("rcpt tls=TLSv1.4: 550 x", 10, "did you mean \"TLSv1.1\"?"),
        ("noop attempt=1: 550 x", 6, "belong to the recipients"),
        ("rcpt first=0: close", 6, "0 times is never"),
        ("rcpt frist=2: close", 6, "did you mean \"first\"?"),
        ("rcpt first=2 nth=3: close", 14, "a second times"),
        ("rcpt chance=130%: close", 6, "not between 0 and 100"),
        ("rcpt until=0s: close", 6, "means nothing"),
        ("rcpt per=too first=1: close", 10, "did you mean \"to\"?"),
        ("mail per=to first=1: 450 x", 6, "not known before RCPT"),
        ("rcpt per=to: 550 x", 6, "per counts nothing"),
        ("rcpt: ", 7, "empty action"),
        ("rcpt: 999 x", 7, "not a reply code"),
        ("rcpt: 55 x", 7, "not a reply code"),
        ("rcpt: 1000", 7, "not a reply code"),
        ("rcpt: 250 2.1.5 Ok, clsoe", 0, ""),
        ("rcpt: clsoe", 7, "did you mean \"close\"?"),
        ("rcpt: delay 1s, clsoe", 17, "did you mean \"close\"?"),
        ("rcpt: delay 5s..1s, 450 x", 7, "ends before it begins"),
        ("rcpt: delay soon", 7, "not a duration"),
        ("rcpt: rwa \"x\"", 7, "unknown action \"rwa\"; did you mean \"raw\"?"),
        ("rcpt: use gmail quota", 7, "use takes one name of the catalogue"),
        ("tls: tls expird", 6, "unknown bad TLS \"expird\"; did you mean \"expired\"?"),
        ("ehlo: hide STARTLS", 7, "did you mean \"STARTTLS\"?"),
        ("rcpt header.subject=x: 550 x", 6, "header.subject at rcpt: the message has not come yet"),
        ("rcpt body=x: 550 x", 6, "body at rcpt: the message has not come yet"),
        ("rcpt recipients=many: 452 x", 17, "not a number"),
        ("rcpt size=>10K: 552 x", 11, "did you mean \"10KB\"?"),
        ("rcpt name=a/b: close", 11, "made of letters"),
        ("rcpt: close, 550 x", 14, "nothing can follow"),
        ("rcpt: 550 a, 551 b", 14, "a second reply"),
        ("rcpt: 354 go", 7, "does not fit rcpt"),
        ("data: 250 ok", 7, "does not fit data"),
        ("body: 250 ok", 7, "4yz or 5yz"),
        ("mail: keep, close", 7, "use at: end-of-data"),
        ("rcpt: lose", 7, "use at: end-of-data"),
        ("end-of-data: keep", 14, "add close"),
        ("end-of-data: keep, 250 ok", 14, "leave it out"),
        ("end-of-data: lose, 550 no", 14, "not stored anyway"),
        ("end-of-data: keep, lose, close", 20, "contradict"),
        ("end-of-data: slow-read 1/s", 14, "has been read by then"),
        ("quit: slow-read 1/s", 7, "nothing is read afterwards"),
        ("rcpt: hide SIZE", 7, "has been sent by then"),
        ("ehlo: hide SIZE, 250 x", 7, "takes the EHLO list's place"),
        ("rcpt: drip 1/s, close", 7, "nothing can drip"),
        ("accepted: drip 1/s", 11, "nothing is said at accepted"),
        ("rcpt: 550 x, drip 1/s", 14, "in front of the reply"),
        ("rcpt: 550 x, delay 1s", 14, "delays nothing"),
        ("idle: delay 1s", 7, "delays nothing at idle"),
        ("rcpt: accept, 550 x", 15, "beside accept"),
        ("body size=<10KB: 552 x", 6, "only grows"),
        ("rcpt first=1 steps: 450 x; accept", 6, "exclude each other"),
    ])
    func `An error says where it is and what was meant`(line: String, column: Int, part: String) {
        guard column > 0 else {
            #expect(throws: Never.self) { try RuleLine.parse(line) }
            return
        }
        do {
            _ = try RuleLine.parse(line)
            Issue.record("\(line) was taken")
        } catch {
            #expect(error.message.contains(part), "\(error)")
            #expect(error.column == column, "\(error)")
        }
    }

    @Test func `An enhanced code of another class is a warning only`() throws {
        let notes = RuleLine.examine("rcpt: 421 5.7.32 Message mixed up")
        #expect(notes.rule != nil)
        #expect(notes.warnings.count == 1)
        #expect(notes.warnings.first?.column == 7)
        #expect(notes.warnings.first?.message.contains("another class") == true)
    }

    @Test func `A colon inside a value is not the end of the head`() throws {
        let rule = try RuleLine.parse("connect client=2001:db8::/32,::1: close")
        #expect(rule.when.first?.tests.count == 2)
    }

    @Test func `A rule prints as a line that makes the same rule`() throws {
        var dice = Dice(2026)
        var made = 0
        for _ in 0..<5000 {
            let rule = RuleMaker.rule(&dice)
            guard rule.issues().allSatisfy(\.isWarning) else { continue }
            made += 1
            let line = RuleLine.line(of: rule)
            do {
                let again = try RuleLine.parse(line)
                #expect(again == rule, "\(line)")
                #expect(RuleLine.line(of: again) == line)
            } catch {
                Issue.record("\(line) is refused: \(error)")
            }
        }
        #expect(made > 1000)
    }
}
