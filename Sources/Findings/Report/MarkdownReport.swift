// The report as Markdown (CommonMark with GitHub's tables), for a pull request or a job summary. What a peer sent
// stands in code or is escaped.

import Journal

package enum MarkdownReport {
    package static func render(_ report: Report) -> String {
        var text = "# \(Markup.markdown(report.verdict))\n\n\(Markup.markdown(report.scope))\n"
        if let lag = report.lagSentence { text += "\n**\(Markup.markdown(lag))**\n" }
        if !report.broken.isEmpty { text += "\n## What to mend first\n" + overview(report.broken) }
        for rule in report.broken { text += section(rule) }
        for sender in report.senders { text += section(sender) }
        if let omitted = report.omittedSentence { text += "\n\(omitted)\n" }
        return text + timelines(report) + rules(report)
    }

    private static func overview(_ broken: [BrokenRule]) -> String {
        var text = "\n| severity | rule | how often | what |\n|---|---|---|---|\n"
        for rule in broken {
            text +=
                "| \(rule.severity.rawValue) | [`\(rule.rule.rawValue)`](#\(rule.rule.rawValue)) | \(rule.frequency) "
            text += "| \(Markup.markdown(rule.what)) |\n"
        }
        return text
    }

    private static func section(_ rule: BrokenRule) -> String {
        var text = "\n### \(rule.rule.rawValue)\n\n"
        text += "**\(rule.severity.rawValue)**, \(rule.layer.rawValue), \(rule.frequency): "
        text += "\(Markup.markdown(rule.what))\n\n"
        if let passage = rule.passage {
            text += "\(Markup.markdown(rule.place)):\n\n" + block(passage)
        } else {
            text += "\(Markup.markdown(rule.place)).\n\n"
        }
        if rule.needsWords { text += "- Seen: \(Markup.code(Text.shown(rule.saw)))\n" }
        text += "- Fix: \(Markup.markdown(rule.fix))\n- Why: \(Markup.markdown(rule.why))\n"
        if let reason = rule.reason { text += "- Counted as \(rule.severity.rawValue): \(Markup.markdown(reason))\n" }
        if !rule.receivers.isEmpty {
            text += "- Known to care: \(Markup.markdown(rule.receivers.joined(separator: ", ")))\n"
        }
        return text + "- See \(citation(rule.citation))\n"
    }

    private static func block(_ passage: Passage) -> String {
        var page = TextPage(columns: 120, colours: false)
        page.add(passage)
        let lines = page.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let fence = Markup.fence(lines)
        return "\(fence)text\n\(page.text)\(fence)\n\n"
    }

    static func citation(_ citation: String) -> String {
        Citation.pieces(citation).map { piece in
            piece.link.map { "[\(Markup.markdown(piece.text))](<\($0)>)" } ?? Markup.markdown(piece.text)
        }.joined()
    }

    private static func section(_ sender: ReportedSender) -> String {
        var text = "\n## Server or bot: \(Markup.markdown(sender.title))\n\n| point | answer | seen |\n|---|---|---|\n"
        for point in sender.bot_check {
            text += "| \(point.question.title) | \(point.state.rawValue) | \(Markup.code(point.evidence)) |\n"
        }
        return text
    }

    private static func timelines(_ report: Report) -> String {
        guard !report.timelines.isEmpty else { return "" }
        let shown = report.timelines.prefix(TextReport.timelineLimit).map { TimelineText.render($0, columns: 120) }
        let fence = Markup.fence(shown)
        var text = "\n## Messages and their attempts\n\n\(fence)text\n\(shown.joined())\(fence)\n"
        let others = report.timelines.count + report.timelines_omitted - shown.count
        if others > 0 { text += "\n\(Report.counted(others, "more message")).\n" }
        return text
    }

    private static func rules(_ report: Report) -> String {
        var text = "\n## Rules\n\n\(report.counts).\n"
        if !report.excused.isEmpty {
            text += "\n### Excused\n\n"
            for rule in report.excused { text += "- `\(rule.rule.rawValue)` \(Markup.markdown(rule.sentence))\n" }
        }
        for kind in UnjudgedRule.Kind.inOrder {
            let rules = report.not_judged.filter { $0.kind == kind }
            if rules.isEmpty { continue }
            text += "\n### Not judged: \(kind.title)\n\n"
            for rule in rules { text += "- `\(rule.rule.rawValue)`: \(Markup.markdown(rule.because))\n" }
        }
        for (title, ids) in [("Kept", report.kept), ("Not observed", report.not_observed)] where !ids.isEmpty {
            text += "\n### \(title)\n\n" + ids.map { "`\($0.rawValue)`" }.joined(separator: ", ") + "\n"
        }
        return text
    }
}
