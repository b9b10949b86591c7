// Attempts drawn on a line: to scale, folded where that could not be read, within the width that was asked for.

import Journal
import Testing

@testable import Findings

@Suite struct TimelineDrawingTests {
    static func attempt(
        _ verdict: Verdict?, gap_us: UInt64? = nil, duration_us: UInt64 = 1_000_000, session: String = "s1"
    ) -> Timeline.Attempt {
        Timeline.Attempt(
            session: session, transaction: 1, started_us: 0, duration_us: duration_us, client: "192.0.2.9",
            helo: "mta1.sender.example", server: "smtp", from: "a@sender.example", recipients: [],
            recipients_dropped: 0, phase: verdict == .accepted ? nil : "rcpt", code: verdict == .accepted ? 250 : 451,
            verdict: verdict, message: nil, tie: .messageID, disturbances: "", gap_us: gap_us)
    }

    static func timeline(_ attempts: [Timeline.Attempt], _ state: Timeline.State = .delivered) -> Timeline {
        Timeline(
            key: "<1@sender.example>", tie: .messageID, from: "a@sender.example", subject: "Hello", list: nil,
            report: false,
            state: state,
            attempts: attempts, attempts_dropped: 0, retried: false, duplicated: false,
            recipients: [Timeline.Recipient(address: "b@any.test", code: 250, outcome: .delivered)])
    }

    static let second: UInt64 = 1_000_000
    static let minute: UInt64 = 60 * second

    func bars(_ attempts: [Timeline.Attempt], _ width: Int) -> String {
        TimelineText.bars(Self.timeline(attempts), width: width)
    }

    @Test func gapsAreToScale() {
        let attempts = [
            Self.attempt(.deferred, duration_us: 0), Self.attempt(.deferred, gap_us: 10 * Self.minute, duration_us: 0),
            Self.attempt(.accepted, gap_us: 20 * Self.minute, duration_us: 0),
        ]
        // Three bars of one column; of the other thirty the gaps have one and two thirds.
        #expect(bars(attempts, 33) == "D----------D--------------------A")
    }

    @Test func barsAreToScale() {
        let attempts = [
            Self.attempt(.lost, duration_us: 6 * Self.minute),
            Self.attempt(.rejected, gap_us: 2 * Self.minute, duration_us: 2 * Self.minute),
        ]
        #expect(bars(attempts, 12) == "LLLLLLL--RRR")
    }

    @Test func aGapThatDwarfsTheRestIsFolded() {
        let attempts = [
            Self.attempt(.deferred), Self.attempt(.deferred, gap_us: 5 * Self.minute),
            Self.attempt(.accepted, gap_us: 86_400 * Self.second),
        ]
        let text = bars(attempts, 40)
        #expect(text.count == 40)
        #expect(text.hasPrefix("D-------------") && text.hasSuffix("D-//-A"))
        // Not where it is just longer.
        let near = [
            Self.attempt(.deferred), Self.attempt(.deferred, gap_us: 5 * Self.minute),
            Self.attempt(.accepted, gap_us: 15 * Self.minute),
        ]
        #expect(!bars(near, 40).contains("/"))
    }

    @Test func theOnlyGapIsNotFolded() {
        let attempts = [Self.attempt(.deferred), Self.attempt(.accepted, gap_us: 4 * 3600 * Self.second)]
        #expect(bars(attempts, 20) == "D------------------A")
    }

    @Test func theWidthIsKeptWhateverHappened() {
        var attempts: [Timeline.Attempt] = []
        for count in 1...60 {
            let gap_us: UInt64? = count == 1 ? nil : [0, 1, 1000, UInt64.max / 2, Self.minute][count % 5]
            attempts.append(Self.attempt([.deferred, .accepted, nil, .abandoned][count % 4], gap_us: gap_us))
            for width in [1, 5, 17, 80] {
                let layout = TimelineLayout(attempts, width: width, bar: 1, fold: 4)
                var end = 0
                for span in layout.spans {
                    #expect(span.start == end && span.width >= 0)
                    end = span.start + span.width
                }
                #expect(end <= width)
                #expect(layout.spans.count { if case .bar = $0.kind { true } else { false } } == count - layout.first)
                if case .bar(let index) = layout.spans.last?.kind { #expect(index == count - 1) }
            }
            #expect(TimelineText.bars(Self.timeline(attempts), width: 80).count == 80)
        }
    }

    @Test func withoutAttemptsNothingIsDrawn() {
        #expect(bars([], 20).isEmpty)
        #expect(TimelineSVG.render(Self.timeline([])).hasPrefix("<svg"))
    }

    @Test func theWordsSayWhatHappened() {
        let attempts = [
            Self.attempt(.deferred), Self.attempt(.accepted, gap_us: 5 * Self.minute + 3 * Self.second, session: "s2"),
        ]
        let lines = TimelineText.render(Self.timeline(attempts), columns: 90).split(separator: "\n").map(String.init)
        #expect(
            lines == [
                "delivered: \"Hello\", from <a@sender.example>, to <b@any.test>, 2 attempts in 5 min 5 s",
                "   D" + String(repeating: "-", count: 85) + "A",
                "   D deferred at rcpt with 451, session s1 from 192.0.2.9 to smtp",
                "   A 5 min 3 s later: accepted with 250, session s2 from 192.0.2.9 to smtp",
            ])
    }

    @Test func aReportIsSaidToBeOne() {
        var timeline = Self.timeline([Self.attempt(.accepted)])
        #expect(!timeline.title.contains("report"))
        timeline.report = true
        #expect(timeline.title == "\"Hello\", a report, from <a@sender.example>, to <b@any.test>, 1 attempt")
    }

    @Test func onlyTheLastAttemptsAreTold() {
        let attempts = (1...20).map { Self.attempt(.deferred, gap_us: $0 == 1 ? nil : Self.minute, session: "s\($0)") }
        let text = TimelineText.render(Self.timeline(attempts, .missing))
        #expect(
            text.contains("(8 attempts before these)") && text.contains("session s20 ") && !text.contains("session s8 ")
        )
        #expect(text.hasPrefix("never came back"))
    }

    @Test func theDrawingEscapesWhatThePeerSaid() {
        var timeline = Self.timeline([Self.attempt(.accepted)])
        timeline.subject = SampleReport.hostile
        timeline.attempts[0].client = "\"><script>"
        let svg = TimelineSVG.render(timeline)
        #expect(!svg.contains("<script") && svg.contains("&lt;script&gt;") && !svg.contains("style="))
        #expect(svg.contains("class=\"accepted\""))
    }

    @Test func whatAsksForAttentionStandsFirst() {
        var input = ReportInput(settings: JudgingSettings(), generated_us: 0, version: "1")
        var duplicated = Self.timeline([Self.attempt(.accepted)])
        duplicated.duplicated = true
        var retried = Self.timeline([Self.attempt(.accepted)])
        retried.retried = true
        input.timelines = [
            Self.timeline([]), retried, Self.timeline([], .waiting), duplicated, Self.timeline([], .missing),
        ]
        let report = Report(input)
        #expect(report.timelines.map(\.state) == [.missing, .delivered, .waiting, .delivered, .delivered])
        #expect(report.timelines[1].duplicated && report.timelines[3].retried)
        input.timelines = [Timeline](repeating: retried, count: Report.timelineLimit + 7)
        #expect(Report(input).timelines.count == Report.timelineLimit)
        #expect(Report(input).timelines_omitted == 7)
        #expect(TextReport.render(Report(input)).contains("47 more messages."))
    }
}
