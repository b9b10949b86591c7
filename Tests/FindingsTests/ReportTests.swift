// What a report makes of judgements: groups, order, counts, reasons, and the check of bots.

import Foundation
import Journal
import Testing

@testable import Findings

@Suite struct ReportTests {
    let report = SampleReport.report

    func input(_ judgements: [SessionJudgement], _ settings: JudgingSettings = JudgingSettings(profile: .strict))
        -> ReportInput
    {
        var input = ReportInput(settings: settings, generated_us: 0, version: "1")
        input.judgements = judgements
        return input
    }

    @Test func whatWasLookedAtIsCounted() {
        #expect(report.session_count == 3)
        #expect(report.message_count == 3)
        #expect(report.since == "2026-09-21T14:13:20.000000Z")
        let ends = report.until ?? ""
        #expect(ends > report.since ?? "" && ends.hasPrefix("2026-09-21T14:13:2"))
        #expect(report.profile == .mx)
        #expect(report.lag == JudgingLag(waiting: 1, oldest_us: 250_000))
    }

    @Test func findingsOfOneRuleAreOneEntry() throws {
        let quit = try #require(report.broken.first { $0.rule == .quitMissing })
        #expect(quit.count == 2)
        #expect(quit.session_count == 2)
        #expect(quit.sessions == ["s1", "s2"])
        #expect(quit.session == "s1")
        #expect(quit.layer == .envelope)
        let helo = try #require(report.broken.first { $0.rule == .heloChangesOverTime })
        #expect(helo.sessions == ["s1", "s2"])
        #expect(helo.count == 1)
    }

    @Test func theGravestStandsFirstThenTheMostSessionsThenTheMostReceivers() {
        #expect(
            report.broken.map(\.rule) == [
                .quitMissing, .heloInvalidCharacters, .dataBareLf, .heloChangesOverTime, .heloNotFqdn,
            ])
        let judged = input([
            SampleReport.judgement(
                "s1",
                [
                    SampleReport.finding(.heloMissing, .should, session: "s1"),
                    SampleReport.finding(.connNoPtr, .should, session: "s1", citation: "Gmail sender guidelines"),
                    SampleReport.finding(.dataNul, .should, session: "s1", citation: "Gmail; Yahoo; Exim"),
                ]), SampleReport.judgement("s2", [SampleReport.finding(.mimeCteFalse, .should, session: "s2")]),
            SampleReport.judgement("s3", [SampleReport.finding(.mimeCteFalse, .should, session: "s3")]),
        ])
        #expect(Report(judged).broken.map(\.rule) == [.mimeCteFalse, .dataNul, .connNoPtr, .heloMissing])
    }

    @Test func theEvidenceSaysWhichOfSeveralSessionsItIs() throws {
        var input = SampleReport.input
        input.overTime.findings = [
            SampleReport.finding(
                .heloChangesOverTime, .must, session: "s2", Evidence(line: 2, session: "s1"), sessions: ["s1"])
        ]
        let rule = try #require(Report(input).broken.first { $0.rule == .heloChangesOverTime })
        #expect(rule.session == "s1" && rule.passage?.session == "s1")
        #expect(rule.passage?.lines[1].text == "EHLO mta1.sender.example")
    }

    @Test func theGravestFindingSpeaksForItsRule() throws {
        let grave = SampleReport.finding(.heloLocalhost, .must, session: "s2", saw: "grave")
        let light = SampleReport.finding(.heloLocalhost, .info, session: "s1", saw: "light", reason: "loopback")
        let report = Report(input([SampleReport.judgement("s1", [light]), SampleReport.judgement("s2", [grave])]))
        let rule = try #require(report.broken.first)
        #expect(report.broken.count == 1)
        #expect(rule.severity == .must && rule.saw == "grave" && rule.session == "s2" && rule.reason == nil)
        #expect(rule.session_count == 2)
    }

    @Test func everyRuleIsInExactlyOneState() {
        for report in [report, Report(input([]))] {
            let all = report.broken.map(\.rule) + report.kept + report.not_observed + report.not_judged.map(\.rule)
            #expect(all.count == RuleID.allCases.count)
            #expect(Set(all).count == all.count)
        }
    }

    @Test func aRuleBrokenInOneSessionIsNotKept() {
        #expect(!report.kept.contains(.heloNotFqdn) && !report.kept.contains(.quitMissing))
        #expect(report.kept == [.connTooManyConcurrent, .connHeldIdle, .heloLiteralUsed])
    }

    @Test func aRuleThatIsSwitchedOffGivesItsReason() throws {
        let off = report.not_judged.filter { $0.kind == .off }
        #expect(
            off == [UnjudgedRule(rule: .bodyLinkHttp, kind: .off, because: "the staging links are plain on purpose")])
        #expect(!report.not_observed.contains(.bodyLinkHttp))
        // Another severity is not "off".
        var settings = JudgingSettings(profile: .strict)
        settings.overrides[.dataNul] = .init(severity: .info, reason: "known")
        #expect(Report(input([], settings)).not_observed.contains(.dataNul))
    }

    @Test func aRuleOfAnotherProfileIsNotSaidToBeUnseen() {
        let bulkOnly = SenderRules.all.filter { !$0.profiles.contains(.mx) && $0.judging == .always }.map(\.id)
        let judged = Report(input([], JudgingSettings(profile: .mx)))
        #expect(judged.not_judged.filter { $0.kind == .profile }.map(\.rule) == bulkOnly)
        #expect(Report(input([])).not_judged.allSatisfy { $0.kind != .profile })
    }

    @Test func whomNobodyMayAskIsSaid() throws {
        func reasons(_ settings: JudgingSettings, client: String) -> [UnjudgedRule.Kind?] {
            var input = input([SampleReport.judgement("s1", [])], settings)
            input.records = [SampleReport.record(SampleReport.talk("s1", client: client))]
            let report = Report(input)
            return [.connNoPtr, .spfFail].map { id in report.not_judged.first { $0.rule == id }?.kind }
        }
        #expect(reasons(JudgingSettings(), client: "192.0.2.9:1") == [.option, .option])
        #expect(reasons(JudgingSettings(witnesses: [.names]), client: "192.0.2.9:1") == [nil, .option])
        #expect(reasons(JudgingSettings(witnesses: [.names, .rspamd]), client: "127.0.0.1:1") == [.local, .local])
    }

    @Test func excusesNameTheirFaults() {
        #expect(
            report.excused == [ExcusedRule(rule: .greetEarlyTalker, because: ["a reply was late"], session_count: 1)])
        var input = input([])
        input.overTime.excused = ["retry-missing": "the sink ended the connection", "no-rule": "x"]
        #expect(Report(input).excused.map(\.sentence) == ["excused: the sink ended the connection"])
        let many = (1...8).map { SampleReport.judgement("s\($0)", excused: [.quitMissing: "fault \($0)"]) }
        let excused = Report(self.input(many)).excused
        #expect(excused.map(\.session_count) == [8])
        #expect(excused.first?.because.count == ExcusedRule.becauseLimit)
    }

    @Test func sendersAreTheClientAddresses() {
        #expect(report.senders.map(\.address) == ["192.0.2.9", "2001:db8::7"])
        #expect(report.senders.map(\.session_count) == [2, 1])
        #expect(report.senders.first?.helo.count == 2)
        #expect(report.senders.first?.helo.first == "mta1.sender.example")
        #expect(report.senders_omitted == 0)
    }

    @Test func sendersAndSessionsAreBounded() {
        var many = input([])
        for index in 1...(Report.senderLimit + 3) {
            let session = "s\(index)"
            let talk = SampleReport.talk(session, client: "192.0.2.\(index):25")
            many.records.append(SampleReport.record(talk))
            many.judgements.append(
                SampleReport.judgement(session, [SampleReport.finding(.quitMissing, .must, session: session)]))
        }
        // One more session: it has to stay though it came late.
        many.records.append(SampleReport.record(SampleReport.talk("t", client: "192.0.2.53:25")))
        many.judgements.append(SampleReport.judgement("t"))
        let report = Report(many)
        #expect(report.senders.count == Report.senderLimit)
        #expect(report.senders_omitted == 3)
        #expect(report.senders.first?.address == "192.0.2.53")
        many.judgements = (0..<300).map {
            SampleReport.judgement("x\($0)", [SampleReport.finding(.quitMissing, .must, session: "x\($0)")])
        }
        let broken = Report(many).broken.first
        #expect(broken?.sessions.count == BrokenRule.sessionLimit)
        #expect(broken?.session_count == 300)
    }

    @Test func itIsTheSameBehindItsJSON() throws {
        let json = try JSONEncoder().encode(report)
        #expect(try JSONDecoder().decode(Report.self, from: json) == report)
        let object = try JSONSerialization.jsonObject(with: json)
        let keys = try #require(object as? [String: Any]).keys
        #expect(keys.contains("not_observed") && keys.contains("generated_us") && keys.contains("broken"))
    }

    @Test(arguments: [
        ("2026-11-23T23:20:07.123456Z", 1_795_476_007_123_456 as Int64?), ("1970-01-01T00:00:00.000001Z", 1),
        ("2000-02-29T12:00:00.000000Z", 951_825_600_000_000), ("2026-11-23T23:20:07Z", nil), ("", nil),
        ("2026-13-23T23:20:07.123456Z", nil), ("2026-1x-23T23:20:07.123456Z", nil),
    ]) func momentsAreRead(_ text: String, _ wall_us: Int64?) {
        #expect(Moment.wall_us(text) == wall_us)
        if let wall_us { #expect(Timestamp(wall_us: wall_us).rfc3339 == text) }
    }
}

@Suite struct BotCheckTests {
    let report = SampleReport.report

    func point(_ question: BotPoint.Question, sender: Int = 0) throws -> BotPoint {
        try #require(report.senders[sender].bot_check.first { $0.question == question })
    }

    @Test func everySenderIsAskedEverything() {
        for sender in report.senders { #expect(sender.bot_check.map(\.question) == BotPoint.Question.allCases) }
        for question in BotPoint.Question.allCases { #expect(!question.deciding.isEmpty) }
    }

    @Test func aPointIsBrokenWhereOneOfItsRulesIs() throws {
        let quits = try point(.quits)
        #expect(quits.state == .broken)
        let answer = try #require(quits.answers.first)
        #expect(answer.rule == .quitMissing && answer.count == 2 && answer.severity == .must && answer.session == "s1")
        // By a rule that breaks it though it does not decide it, and not by what another sender did.
        #expect(try point(.heloQualified).state == .broken)
        #expect(try point(.quits, sender: 1).state == .kept)
    }

    @Test func aPointIsKeptWhereItsDecidingRulesAre() throws {
        let point = try point(.letsGo)
        #expect(point.state == .kept)
        #expect(point.answers.first?.count == 2)
        #expect(point.evidence == "conn-held-idle in 2 sessions")
        #expect(try self.point(.letsGo, sender: 1).state == .notObserved)
        #expect(try self.point(.heloQualified, sender: 1).state == .kept)
    }

    @Test func whatIsKnownOfAllSendersHoldsForEach() throws {
        #expect(try point(.fewAtOnce).state == .kept)
        #expect(try point(.fewAtOnce, sender: 1).state == .kept)
    }

    @Test func whatTookSeveralSessionsMeetsTheirSendersOnly() throws {
        let constant = try point(.heloConstant)
        #expect(constant.state == .broken)
        #expect(constant.answers.first?.count == 1)
        #expect(try point(.heloConstant, sender: 1).state == .notObserved)
    }

    @Test func evidenceSaysWhereAndWhyItIsSoftened() throws {
        let evidence = try point(.heloQualified).evidence
        #expect(evidence.contains("helo-not-fqdn: mta1 (session s1, line 2, info since the peer is this machine)"))
        #expect(evidence.contains("helo-invalid-characters"))
        #expect(evidence.unicodeScalars.allSatisfy { $0.value >= 0x20 })
        #expect(try point(.waitsForGreeting).evidence == "not seen: greet-early-talker")
    }

    @Test func onlyTheDecidingRulesBeingKeptKeepsAPoint() {
        var input = ReportInput(settings: JudgingSettings(profile: .strict), generated_us: 0, version: "1")
        input.judgements = [SampleReport.judgement("s1", kept: [.connNoPtr, .quitNotAwaited, .heloBareIp])]
        let points = Report(input).senders.first?.bot_check ?? []
        #expect(points.count == BotPoint.Question.allCases.count)
        #expect(points.allSatisfy { $0.state == .notObserved })
    }
}
