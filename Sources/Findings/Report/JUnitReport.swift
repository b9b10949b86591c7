// The report for CI servers: JUnit XML, one test case a judged rule. It keeps to what the schema of Jenkins' xUnit
// plugin and the other readers have in common.

import Journal

package enum JUnitReport {
    /// - Parameter failOn: rules broken with at least this severity fail; lighter ones pass and say so.
    package static func render(_ report: Report, failOn: Severity = .must) -> String {
        let cases = testCases(report, failOn)
        let failures = cases.count { $0.outcome == .failed }
        var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        text +=
            "<testsuites name=\"fakemx\" tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"0\" time=\"0\">\n"
        for layer in Layer.allCases { text += suite(layer, cases.filter { $0.layer == layer }, report) }
        return text + "</testsuites>\n"
    }

    private enum Outcome { case passed, failed, skipped }

    private struct TestCase {
        var rule: RuleID
        var layer: Layer
        var outcome: Outcome
        /// What stands inside of it.
        var inner: String
    }

    private static func testCases(_ report: Report, _ failOn: Severity) -> [TestCase] {
        var broken: [RuleID: BrokenRule] = [:]
        for rule in report.broken { broken[rule.rule] = rule }
        let unjudged = Set(report.not_judged.map(\.rule))
        let unseen = Set(report.not_observed)
        var excused: [RuleID: ExcusedRule] = [:]
        for rule in report.excused { excused[rule.rule] = rule }
        return RuleID.allCases.compactMap { id in
            if unjudged.contains(id) { return nil }
            let layer = SenderRules.layer(of: id)
            if let rule = broken[id] {
                let fails = rule.severity >= failOn
                return TestCase(
                    rule: id, layer: layer, outcome: fails ? .failed : .passed,
                    inner: fails ? failure(rule) : "<system-out>\(escaped(details(rule)))</system-out>")
            }
            guard unseen.contains(id) else { return TestCase(rule: id, layer: layer, outcome: .passed, inner: "") }
            let why = excused[id]?.sentence ?? "not observed"
            return TestCase(
                rule: id, layer: layer, outcome: .skipped, inner: "<skipped message=\"\(Markup.attribute(why))\"/>")
        }
    }

    private static func suite(_ layer: Layer, _ cases: [TestCase], _ report: Report) -> String {
        guard !cases.isEmpty else { return "" }
        let failures = cases.count { $0.outcome == .failed }
        let skipped = cases.count { $0.outcome == .skipped }
        var text =
            "<testsuite name=\"\(layer.rawValue)\" tests=\"\(cases.count)\" failures=\"\(failures)\" errors=\"0\" "
        let moment = Timestamp(wall_us: report.generated_us).rfc3339
        // xs:dateTime of most schemas has neither fraction nor zone here.
        text +=
            "skipped=\"\(skipped)\" time=\"0\" timestamp=\"\(moment.prefix(19))\">\n"
        for test in cases {
            text += "<testcase classname=\"fakemx.\(layer.rawValue)\" name=\"\(test.rule.rawValue)\" time=\"0\""
            text += test.inner.isEmpty ? "/>\n" : ">\(test.inner)</testcase>\n"
        }
        return text + "</testsuite>\n"
    }

    private static func failure(_ rule: BrokenRule) -> String {
        let message = "\(rule.severity.rawValue): \(rule.what) \(rule.frequency)."
        return
            "<failure type=\"\(rule.severity.rawValue)\" message=\"\(Markup.attribute(message))\">"
            + "\(escaped(details(rule)))</failure>"
    }

    /// The same lines as on a terminal.
    private static func details(_ rule: BrokenRule) -> String {
        var page = TextPage(columns: 120, colours: false)
        page.line("\(rule.severity.rawValue): \(Text.shown(rule.what))")
        page.line("\(rule.frequency); \(rule.place): \(Text.shown(rule.saw))")
        if let passage = rule.passage { page.add(passage) }
        page.line("Fix: \(Text.shown(rule.fix))")
        page.line("Why: \(Text.shown(rule.why))")
        if let reason = rule.reason { page.line("Counted as \(rule.severity.rawValue): \(Text.shown(reason))") }
        page.line("See \(Text.shown(rule.citation))")
        return "\n" + page.text
    }

    private static func escaped(_ text: String) -> String { Markup.escaped(text) }
}
