// A report to look at and to test with: three sessions of two senders, one of them hostile to whatever shows it.

import Journal

@testable import Findings

enum SampleReport {
    /// Everything that could end an element, a string, a table cell, a block of code or the patience of a terminal.
    static let hostile =
        "<script>alert(1)</script> ]]> & \"q\" 'a' `code` ```f``` | {0} [x](javascript:y) \\ "
        + "\u{1b}[2J \u{202e}\u{0}\u{fffe}"

    static func finding(
        _ rule: RuleID, _ severity: Severity, session: String, _ evidence: Evidence = Evidence(), saw: String = "seen",
        sessions: [String] = [], citation: String = "RFC 5321 §4.5.2", reason: String? = nil
    ) -> Finding {
        var finding = Finding(
            rule: rule, layer: SenderRules.layer(of: rule), severity: severity, session: session, evidence: [evidence],
            saw: saw, what: "Does what \(rule.rawValue) says.", why: "Receivers care.", fix: "Mend it.",
            citation: citation, reason: reason)
        finding.sessions = sessions
        return finding
    }

    static func judgement(
        _ session: String, _ findings: [Finding] = [], kept: [RuleID] = [], excused: [RuleID: String] = [:]
    ) -> SessionJudgement {
        var states = RuleStates()
        for rule in kept { states[rule] = .kept }
        for finding in findings { states[finding.rule] = .broken }
        return SessionJudgement(
            session: session, findings: findings, states: states,
            excused: Dictionary(uniqueKeysWithValues: excused.map { ($0.key.rawValue, $0.value) }))
    }

    static func record(_ talk: Talk) -> SessionRecord { SessionBuilder.record(of: talk.log) }

    /// A clean session of that name.
    static func talk(_ session: String, client: String = "192.0.2.9:40025", helo: String = "mta1.sender.example")
        -> Talk
    {
        var talk = Talk(client: client, session: session)
        talk.greeting()
        talk.ehlo(helo)
        talk.mail("a@sender.example")
        talk.rcpt("b@any.test")
        talk.data(message: "\(session).1")
        talk.quit()
        return talk
    }

    /// The EHLO line of `talk`.
    static let ehloLine = 2

    static var input: ReportInput {
        var settings = JudgingSettings(profile: .mx)
        settings.overrides[.bodyLinkHttp] = .init(severity: nil, reason: "the staging links are plain on purpose")
        var input = ReportInput(settings: settings, generated_us: 1_790_000_100_000_000, version: "0.1.0")
        input.records = [
            record(talk("s1")), record(talk("s2", helo: hostile)), record(talk("s3", client: "[2001:db8::7]:2525")),
        ]
        input.judgements = [
            judgement(
                "s1",
                [
                    finding(.quitMissing, .must, session: "s1", citation: "RFC 5321 §4.1.1.10"),
                    finding(
                        .heloNotFqdn, .info, session: "s1", Evidence(line: ehloLine, range: 5..<24), saw: "mta1",
                        reason: "the peer is this machine"),
                ],
                kept: [.connHeldIdle, .heloLiteralUsed]),
            judgement(
                "s2",
                [
                    finding(.quitMissing, .must, session: "s2"),
                    finding(
                        .heloInvalidCharacters, .must, session: "s2",
                        Evidence(line: ehloLine, range: 5..<13, at_us: 1100),
                        saw: hostile, citation: "RFC 5321 §4.1.2; Gmail https://support.google.com/a/answer/81126, Exim"
                    ),
                ],
                kept: [.connHeldIdle], excused: [.greetEarlyTalker: "a reply was late"]),
            judgement(
                "s3",
                [
                    finding(
                        .dataBareLf, .should, session: "s3",
                        Evidence(message: "s3.1", transaction: 1, range: 14..<15), citation: "RFC 5321 §2.3.8")
                ],
                kept: [.heloNotFqdn, .quitMissing]),
        ]
        input.overTime.findings = [
            finding(.heloChangesOverTime, .reputation, session: "s2", sessions: ["s1"], citation: "WttW, haraka")
        ]
        input.overTime.states[.connTooManyConcurrent] = .kept
        let minute: UInt64 = 60_000_000
        var timeline = TimelineDrawingTests.timeline(
            [
                TimelineDrawingTests.attempt(.deferred), TimelineDrawingTests.attempt(.deferred, gap_us: 5 * minute),
                TimelineDrawingTests.attempt(.accepted, gap_us: 3000 * minute, session: "s2"),
            ])
        timeline.subject = hostile
        input.timelines = [timeline]
        input.lag = JudgingLag(waiting: 1, oldest_us: 250_000)
        return input
    }

    static let content = Array("From: a@b.test\nTo: c\r\n\r\nBody\r\n".utf8)

    static var report: Report { Report(input) { $0 == "s3.1" ? content : nil } }
}
