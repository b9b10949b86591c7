// The report as one HTML file that needs nothing else: no script, no image, no font, no request. Its policy (CSP)
// allows the one style sheet by its hash. Everything that a peer sent is text.

import Journal

package enum HTMLReport {
    /// Of content: nothing is loaded, run or sent.
    package static let policy = "default-src 'none'; style-src '\(styleHash)'; base-uri 'none'; form-action 'none'"

    package static func render(_ report: Report) -> String {
        var text = head(report)
        text += "<header>\n<h1>\(escaped(report.verdict))</h1>\n<p>\(escaped(report.scope))</p>\n"
        if let lag = report.lagSentence { text += "<p class=\"lag\">\(escaped(lag))</p>\n" }
        text += "</header>\n<main>\n"
        if !report.broken.isEmpty { text += mendFirst(report) }
        for sender in report.senders { text += section(sender) }
        if let omitted = report.omittedSentence { text += "<p>\(escaped(omitted))</p>\n" }
        text += timelines(report) + rules(report)
        text += "</main>\n<footer><p>fakemx \(escaped(report.version)), "
        text += "\(Timestamp(wall_us: report.generated_us).rfc3339)</p></footer>\n</body>\n</html>\n"
        return text
    }

    static func escaped(_ text: String) -> String { Markup.escaped(Text.shown(text)) }

    private static func head(_ report: Report) -> String {
        head(title: "fakemx: \(report.verdict)", policy: policy, styles: [style])
    }

    /// How a page in one file begins, up to its body.
    ///
    /// - Parameter policy: knows the styles by their hashes, and lets nothing else be.
    package static func head(title: String, policy: String, styles: [String]) -> String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta http-equiv="Content-Security-Policy" content="\(policy)">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="referrer" content="no-referrer">
        <meta name="color-scheme" content="light dark">
        <title>\(escaped(title))</title>
        \(styles.map { "<style>\($0)</style>" }.joined(separator: "\n"))
        </head>
        <body>

        """
    }

    // MARK: Broken rules

    private static func mendFirst(_ report: Report) -> String {
        var text = "<section aria-labelledby=\"mend\">\n<h2 id=\"mend\">What to mend first</h2>\n<ol class=\"rules\">\n"
        for rule in report.broken { text += item(rule) }
        return text + "</ol>\n</section>\n"
    }

    private static func item(_ rule: BrokenRule) -> String {
        var text = "<li id=\"\(rule.rule.rawValue)\">\n<h3><span class=\"severity \(rule.severity.rawValue)\">"
        text += "\(rule.severity.rawValue)</span> <code>\(rule.rule.rawValue)</code></h3>\n"
        text += "<p><strong>\(escaped(rule.what))</strong> \(rule.frequency).</p>\n"
        if let passage = rule.passage {
            text +=
                "<figure>\n<figcaption>\(escaped(rule.place))</figcaption>\n\(block(passage, rule.place))</figure>\n"
        } else {
            text += "<p>\(escaped(rule.place))</p>\n"
        }
        text += "<dl>\n"
        if rule.needsWords { text += row("Seen", "<code>\(escaped(rule.saw))</code>") }
        text += row("Fix", escaped(rule.fix)) + row("Why", escaped(rule.why))
        if let reason = rule.reason { text += row("Counted as \(rule.severity.rawValue)", escaped(reason)) }
        if !rule.receivers.isEmpty { text += row("Known to care", escaped(rule.receivers.joined(separator: ", "))) }
        text += row("Sessions", escaped(rule.sessionList)) + row("See", citation(rule.citation))
        return text + "</dl>\n</li>\n"
    }

    private static func row(_ term: String, _ markup: String) -> String { "<dt>\(term)</dt><dd>\(markup)</dd>\n" }

    private static func block(_ passage: Passage, _ name: String) -> String {
        var text = "<pre role=\"group\" aria-label=\"\(Markup.attribute(name))\">"
        for line in passage.lines {
            let (before, marked, after) = line.parts
            // They are shown already: escaping alone is left to do.
            let inner =
                Markup.escaped(before) + (marked.isEmpty ? "" : "<mark>\(Markup.escaped(marked))</mark>")
                + Markup.escaped(after)
            let front = "\(line.is_marked ? "&gt;" : " ") \(line.number) \(line.speaker) "
            text += line.is_marked ? "<strong>\(front)\(inner)</strong>\n" : "\(front)\(inner)\n"
        }
        return text + "</pre>\n"
    }

    private static func citation(_ citation: String) -> String {
        Citation.pieces(citation).map { piece in
            guard let link = piece.link else { return escaped(piece.text) }
            return "<a rel=\"noopener noreferrer\" href=\"\(Markup.attribute(link))\">\(escaped(piece.text))</a>"
        }.joined()
    }

    // MARK: Senders

    private static func section(_ sender: ReportedSender) -> String {
        var text = "<section>\n<h2>Server or bot: \(escaped(sender.title))</h2>\n<div class=\"wide\">\n<table>\n"
        text += "<caption>\(Report.counted(sender.session_count, "session")), "
        text += "\(Report.counted(sender.message_count, "message"))</caption>\n"
        text +=
            "<thead><tr><th scope=\"col\">Point</th><th scope=\"col\">Answer</th><th scope=\"col\">Seen</th></tr>"
            + "</thead>\n"
        text += "<tbody>\n"
        for point in sender.bot_check {
            let name = point.state == .notObserved ? "unseen" : point.state.rawValue
            text +=
                "<tr><th scope=\"row\">\(point.question.title)</th><td class=\"\(name)\">\(point.state.rawValue)</td>"
            text += "<td>\(escaped(point.evidence))</td></tr>\n"
        }
        return text + "</tbody>\n</table>\n</div>\n</section>\n"
    }

    // MARK: Messages

    private static func timelines(_ report: Report) -> String {
        guard !report.timelines.isEmpty else { return "" }
        var text = "<section>\n<h2>Messages and their attempts</h2>\n"
        for timeline in report.timelines {
            text +=
                "<figure>\n<figcaption><strong>\(timeline.state.title)</strong>: \(escaped(timeline.title))"
                + "</figcaption>\n"
            text += TimelineSVG.render(timeline)
            if let left = timeline.leftOut(TimelineText.attemptLimit) { text += "<p>\(escaped(left))</p>\n" }
            text += "<ul>\n"
            for attempt in timeline.attempts.suffix(TimelineText.attemptLimit) {
                text += "<li>\(escaped(attempt.sentence))</li>\n"
            }
            text += "</ul>\n</figure>\n"
        }
        if report.timelines_omitted > 0 {
            text += "<p>\(Report.counted(report.timelines_omitted, "more message")).</p>\n"
        }
        return text + "</section>\n"
    }

    // MARK: Rules

    private static func rules(_ report: Report) -> String {
        var text = "<section>\n<h2>Rules</h2>\n<p>\(report.counts).</p>\n"
        text += list("Excused", report.excused.map { ($0.rule, $0.sentence) })
        for kind in UnjudgedRule.Kind.inOrder {
            let rules = report.not_judged.filter { $0.kind == kind }
            text += list("Not judged: \(kind.title)", rules.map { ($0.rule, $0.because) })
        }
        text += list("Kept", report.kept.map { ($0, "") }) + list("Not observed", report.not_observed.map { ($0, "") })
        return text + "</section>\n"
    }

    private static func list(_ title: String, _ rules: [(rule: RuleID, because: String)]) -> String {
        guard !rules.isEmpty else { return "" }
        var text = "<h3>\(escaped(title)) (\(rules.count))</h3>\n<ul class=\"ids\">\n"
        for (rule, because) in rules {
            text += "<li><code>\(rule.rawValue)</code>\(because.isEmpty ? "" : ": \(escaped(because))")</li>\n"
        }
        return text + "</ul>\n"
    }
}
