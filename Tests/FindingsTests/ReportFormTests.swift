// The forms of a report: what stands in them, and that nothing a peer sent gets out of its place. With
// FAKEMX_REPORT_SAMPLES set to a folder, a sample of each is written there for the validators.

import Foundation
import Journal
import TestSupport
import Testing

@testable import Findings

@Suite struct ReportFormTests {
    let report = SampleReport.report
    let empty = Report(ReportInput(settings: JudgingSettings(), generated_us: 0, version: "1"))

    // MARK: Text

    @Test func theTerminalSaysTheVerdictAndThenWhatToMendFirst() throws {
        let lines = TextReport.render(report, columns: 100).split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "5 rules broken: 2 must, 1 should, 1 reputation, 1 info. Mend quit-missing first.")
        #expect(lines[1].hasPrefix("3 sessions of 2 senders, 3 messages accepted, profile mx"))
        let first = try #require(lines.firstIndex { $0.hasPrefix("1. MUST  quit-missing  2 times in 2 sessions") })
        #expect(first < 6)
        #expect(lines[first + 1] == "   Does what quit-missing says.")
    }

    @Test func theMarkedLineStandsUnderItsRule() throws {
        let lines = TextReport.render(report).split(separator: "\n").map(String.init)
        let rule = try #require(lines.firstIndex { $0.contains("helo-not-fqdn  once") })
        let marked = try #require(lines[rule...].firstIndex { $0.hasPrefix("   > 2 C EHLO mta1.sender.example") })
        #expect(marked - rule <= 4)
        let column = "   > 2 C EHLO ".count
        #expect(lines[marked + 1] == String(repeating: " ", count: column) + String(repeating: "^", count: 19))
    }

    @Test func noLineIsLongerThanAsked() {
        for columns in [60, 80, 120] {
            for line in TextReport.render(report, columns: columns).split(separator: "\n") {
                #expect(line.count <= columns, "\(columns): \(line)")
            }
        }
    }

    @Test func coloursComeOnlyWhenAsked() {
        #expect(!TextReport.render(report).contains("\u{1b}"))
        let coloured = TextReport.render(report, colours: true)
        #expect(coloured.contains("\u{1b}[31m1. MUST\u{1b}[0m"))
        // Only colours: what the peer sent is no sequence.
        #expect(!coloured.contains("\u{1b}[2J"))
        #expect(coloured.contains("\\x1b[2J"))
    }

    @Test func nothingToJudgeIsSaid() {
        #expect(TextReport.render(empty).hasPrefix("Nothing to judge: no session was looked at.\n"))
        var input = ReportInput(settings: JudgingSettings(), generated_us: 0, version: "1")
        input.judgements = [SampleReport.judgement("s1", kept: [.quitMissing])]
        let clean = Report(input)
        #expect(TextReport.render(clean).hasPrefix("No broken rule was seen: 1 kept, "))
    }

    // MARK: All of them

    @Test(arguments: ["text", "markdown", "html", "junit"]) func nothingOfThePeerIsLeftAsItCame(_ form: String) {
        let text =
            switch form {
            case "text": TextReport.render(report, colours: false)
            case "markdown": MarkdownReport.render(report)
            case "html": HTMLReport.render(report)
            default: JUnitReport.render(report)
            }
        let allowed: Set<UInt32> = [10]
        for scalar in text.unicodeScalars {
            #expect(scalar.value >= 0x20 || allowed.contains(scalar.value))
            #expect(![0x202e, 0xfffe, 0x7f].contains(scalar.value))
        }
        #expect(text.contains("quit-missing") && text.contains("script"))
    }

    // MARK: Markdown

    @Test func markdownKeepsThePeerInCode() {
        let text = MarkdownReport.render(report)
        #expect(text.hasPrefix("# 5 rules broken: "))
        var fence: Substring?
        for line in text.split(separator: "\n") {
            if let open = fence {
                if line == open { fence = nil }
            } else if line.hasPrefix("```"), line.hasSuffix("text") {
                fence = line.dropLast(4)
            } else if line.contains("<script>") {
                // Between fences of more backticks than it holds.
                #expect(line.contains("```` "))
            }
        }
        #expect(fence == nil)
        #expect(text.contains("````text\n"))
        let cells = text.split(separator: "\n").filter { $0.hasPrefix("| ") && $0.contains("alert") }
        #expect(cells.count == 1)
        for cell in cells { #expect(cell.replacing("\\|", with: "").count { $0 == "|" } == 4) }
        #expect(text.contains("[RFC 5321 §2.3.8](<https://www.rfc-editor.org/rfc/rfc5321#section-2.3.8>)"))
    }

    // MARK: HTML

    @Test func htmlHasItsPolicyAndNoScript() throws {
        let text = HTMLReport.render(report)
        for tag in ["<script", "<img", "<link", "<iframe", " style=", " onload="] { #expect(!text.contains(tag)) }
        #expect(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
        #expect(text.contains("default-src 'none'; style-src '\(HTMLReport.styleHash)'"))
        #expect(text.contains("<mark>mta1.sender.example</mark>"))
        #expect(!text.contains("src=") && !text.contains("@import") && !text.contains("url("))
    }

    @Test func thePolicyKnowsTheStyleSheet() {
        let digest = Data(SHA256.digest(Array(HTMLReport.style.utf8))).base64EncodedString()
        #expect(HTMLReport.styleHash == "sha256-\(digest)")
        #expect(
            Data(SHA256.digest(Array("abc".utf8))).base64EncodedString()
                == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")
    }

    // MARK: JUnit

    @Test func junitHasACaseForEachJudgedRule() throws {
        let text = JUnitReport.render(report, failOn: .should)
        let judged = RuleID.allCases.count - report.not_judged.count
        #expect(text.ranges(of: "<testcase ").count == judged)
        #expect(text.contains("<testsuites name=\"fakemx\" tests=\"\(judged)\" failures=\"3\" errors=\"0\""))
        #expect(text.ranges(of: "<failure ").count == 3)
        #expect(text.ranges(of: "<skipped ").count == report.not_observed.count)
        #expect(!text.contains("body-link-http"))
        #expect(text.contains("<skipped message=\"excused in 1 session: a reply was late\"/>"))
        #expect(JUnitReport.render(report, failOn: .info).ranges(of: "<failure ").count == 5)
        #expect(JUnitReport.render(report).ranges(of: "<failure ").count == 2)
    }

    @Test func whatIsTooLightToFailIsToldAllTheSame() {
        let text = JUnitReport.render(report, failOn: .must)
        #expect(text.contains("name=\"helo-not-fqdn\" time=\"0\"><system-out>"))
        #expect(text.contains("name=\"helo-literal-used\" time=\"0\"/>"))
    }

    // MARK: SARIF

    @Test func sarifHasEveryRuleAndAResultForEachBrokenOne() throws {
        let run = try run(SARIFReport.render(report))
        let driver = try #require((run["tool"] as? [String: Any])?["driver"] as? [String: Any])
        let rules = try #require(driver["rules"] as? [[String: Any]])
        #expect(rules.map { $0["id"] as? String } == RuleID.allCases.map(\.rawValue))
        let results = try #require(run["results"] as? [[String: Any]])
        #expect(results.map { $0["ruleId"] as? String } == report.broken.map(\.rule.rawValue))
        #expect(results.map { $0["level"] as? String } == ["error", "error", "warning", "note", "note"])
        for result in results {
            let index = try #require(result["ruleIndex"] as? Int)
            #expect(rules[index]["id"] as? String == result["ruleId"] as? String)
        }
        let none = try self.run(SARIFReport.render(empty))
        #expect((none["results"] as? [Any])?.isEmpty == true)
    }

    @Test func sarifPointsAtTheLine() throws {
        let results = try results(report)
        func place(_ index: Int) throws -> (uri: String?, region: [String: Any]) {
            let location = try #require((results[index]["locations"] as? [[String: Any]])?.first)
            let physical = try #require(location["physicalLocation"] as? [String: Any])
            let region = try #require(physical["region"] as? [String: Any])
            return ((physical["artifactLocation"] as? [String: Any])?["uri"] as? String, region)
        }
        let transcript = try place(1)
        #expect(transcript.uri == "session/s2.txt")
        #expect(transcript.region["startLine"] as? Int == 2)
        let message = try place(2)
        #expect(message.uri == "message/s3.1.eml")
        #expect(message.region["startLine"] as? Int == 1)
        #expect(message.region["byteOffset"] as? Int == 14)
        #expect(message.region["byteLength"] as? Int == 1)
    }

    @Test func sarifMessagesHaveNoPlaceholdersAndNoLinks() throws {
        let results = try results(report)
        let text = try #require((results[1]["message"] as? [String: Any])?["text"] as? String)
        #expect(text.contains("{{0}}") && text.contains("\\[x\\](javascript:y)"))
        #expect(SARIFReport.literal("EHLO [192.0.2.1]") == "EHLO [192.0.2.1]")
    }

    private func results(_ report: Report) throws -> [[String: Any]] {
        let run = try run(SARIFReport.render(report))
        return try #require(run["results"] as? [[String: Any]])
    }

    private func run(_ sarif: String) throws -> [String: Any] {
        let object = try JSONSerialization.jsonObject(with: Data(sarif.utf8))
        let log = try #require(object as? [String: Any])
        #expect(log["version"] as? String == "2.1.0")
        return try #require((log["runs"] as? [[String: Any]])?.first)
    }

    // MARK: The table

    @Test func theTableHasEveryRuleOnce() {
        let article = RuleTable.article
        #expect(article.hasPrefix("# Rules for senders\n"))
        for rule in SenderRules.all { #expect(article.ranges(of: "| `\(rule.id.rawValue)` |").count == 1) }
        let rows = article.split(separator: "\n").filter { $0.hasPrefix("| `") }
        #expect(rows.count == SenderRules.all.count)
        for row in rows { #expect(row.replacing("\\|", with: "").count { $0 == "|" } == 6) }
    }

    @Test func theTableSaysHowARuleIsJudged() {
        func rule(_ profiles: [SenderProfile], _ judging: SenderRule.Judging) -> SenderRule {
            SenderRule(
                .quitMissing, .core, .must, needs: .timing, what: "a", why: "b", fix: "c", citation: "d",
                profiles: profiles,
                judging: judging)
        }
        #expect(RuleTable.judged(rule(SenderProfile.allCases, .always)) == "by when it was sent")
        #expect(RuleTable.judged(rule([.bulk], .always)) == "by when it was sent; profile bulk")
        #expect(RuleTable.judged(rule([.strict], .with(.rspamd))) == "with --rspamd; profile strict")
        #expect(RuleTable.judged(rule([.mx], .never(because: "no"))) == "not: no")
    }

    // MARK: Samples for the validators

    @Test(.enabled(if: ProcessInfo.processInfo.environment["FAKEMX_REPORT_SAMPLES"] != nil)) func samples() throws {
        let folder = URL(fileURLWithPath: ProcessInfo.processInfo.environment["FAKEMX_REPORT_SAMPLES"] ?? ".")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, report) in [("sample", report), ("empty", empty)] {
            for (suffix, text) in [
                ("txt", TextReport.render(report)), ("ansi", TextReport.render(report, columns: 80, colours: true)),
                ("md", MarkdownReport.render(report)), ("html", HTMLReport.render(report)),
                ("xml", JUnitReport.render(report)), ("sarif", SARIFReport.render(report)),
            ] {
                try Data(text.utf8).write(to: folder.appendingPathComponent("\(name).\(suffix)"))
            }
            try JSONEncoder().encode(report).write(to: folder.appendingPathComponent("\(name).json"))
        }
        try Data(RuleTable.article.utf8).write(to: folder.appendingPathComponent("SenderRules.md"))
    }
}

@Suite struct MarkupTests {
    @Test(arguments: [
        ("a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;"), ("]]>", "]]&gt;"),
        ("\u{0}\u{b}\u{1f}\u{7f}\u{9f}", "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}"),
        ("\r", "\u{fffd}"), ("é€😀", "é€😀"),
        ("a\nb\tc", "a\nb\tc"),
    ]) func elements(_ text: String, _ escaped: String) { #expect(Markup.escaped(text) == escaped) }

    @Test func noncharactersAreReplaced() {
        for value: UInt32 in [0xfdd0, 0xfdef, 0xfffe, 0xffff, 0x1_fffe, 0x10_ffff] {
            guard let scalar = Unicode.Scalar(value) else { continue }
            #expect(Markup.escaped("a\(Character(scalar))") == "a\u{fffd}")
        }
        #expect(Markup.escaped("\u{fdcf}\u{fffd}") == "\u{fdcf}\u{fffd}")
    }

    @Test func attributesKeepTheirLineEnds() { #expect(Markup.attribute("a\n\t\"") == "a&#10;&#9;&quot;") }

    @Test(arguments: [
        ("a*b_c", "a\\*b\\_c"), ("[x](y)", "\\[x\\](y)"), ("a|b", "a\\|b"), ("<b>", "\\<b\\>"), ("a\nb", "a b"),
        ("http://x.test", "http\\://x.test"), ("www.x.test", "www\\.x.test"), ("a: b.", "a: b."),
        ("\u{7f}", "\u{fffd}"),
    ]) func markdown(_ text: String, _ escaped: String) { #expect(Markup.markdown(text) == escaped) }

    @Test(arguments: [
        ("a", "`a`"), ("a`b", "``a`b``"), ("`a", "`` `a ``"), ("a|b", "`a\\|b`"), ("", ""), ("a\nb", "`a b`"),
        ("``", "``` `` ```"),
    ]) func code(_ text: String, _ escaped: String) { #expect(Markup.code(text) == escaped) }

    @Test func blocksHaveLongerFencesThanTheirLines() {
        #expect(Markup.fence(["a", "b`"]) == "```")
        #expect(Markup.fence(["a````b", "c"]) == "`````")
    }
}

@Suite struct JSONWriterTests {
    @Test(arguments: [
        "", "a\"b\\c", "\u{0}\u{1}\u{8}\u{c}\n\r\t\u{1f}\u{7f}", "é€😀\u{2028}\u{2029}\u{fffe}", "/</script>",
    ])
    func stringsComeBack(_ text: String) throws {
        var json = JSONWriter()
        json.array { $0.value(text) }
        let object = try JSONSerialization.jsonObject(with: Data(json.text.utf8))
        #expect(object as? [String] == [text])
    }

    @Test func valuesAreSeparated() {
        var json = JSONWriter()
        json.object { json in
            json.field("a", 1)
            json.array("b") { json in
                json.value(true)
                json.value("c")
                json.object { _ in }
                json.array { _ in }
            }
            json.object("d") { $0.field("e", false) }
            json.field("f", "g")
        }
        #expect(json.text == #"{"a":1,"b":[true,"c",{},[]],"d":{"e":false},"f":"g"}"#)
    }
}
