// `fakemx report`: the verdict on senders, as a running fakemx has it, in the form that is wanted; and a gate for CI.

import ArgumentParser
import FakeMX
import Faults
import Findings
import Glibc
import Journal

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Say which rules senders broke, what to mend first, and how; with --fail-on a gate for CI.",
        discussion: """
            Without words about the last 1000 sessions. Words narrow them, as those of fakemx sessions do.
              fakemx report
              fakemx report 'from=*@shop.example' --format html --out report.html
              fakemx report --fail-on must --format junit --out report.xml
            must and should are the words of the standards, reputation is what large receivers hold against a sender, \
            info is worth knowing. fakemx report --rules lists every rule.

            Exit status: 0 done, 1 with --fail-on when something at least as grave was found, or fakemx did not \
            answer, 2 bad arguments.
            """)

    @OptionGroup var running: Running

    @Argument(help: .init("What is meant.", valueName: "word=value"))
    var words: [String] = []

    @Option(help: .init("One session alone.", valueName: "id"))
    var session: String?

    @Option(help: .init("The client's address or network; the word client=.", valueName: "address"))
    var sender: String?

    @Option(help: .init("Only what ended behind this point (fakemx cursor).", valueName: "cursor"))
    var since: String?

    @Option(help: .init("Sessions at most, 1 to 1000, the newest.", valueName: "n"))
    var limit = 1000

    @Option(help: .init("The form; text without this flag.", valueName: "text|markdown|html|json|junit|sarif"))
    var format: String?

    @Option(help: .init("Write it to this file, in place of standard output.", valueName: "file"))
    var out: String?

    @Option(
        help: .init(
            "Exit status 1 when something at least as grave was found.", valueName: "must|should|reputation|info"))
    var failOn: String?

    @Option(help: .init("How wide text is; the terminal's width, or 100, without this flag.", valueName: "n"))
    var columns: Int?

    @Flag(help: "List all rules for senders, in place of a verdict; asks nobody. Text or markdown.")
    var rules = false

    func run() async throws {
        let form = try chosenForm()
        if rules { return try write(Self.rules(form), form) }
        let gate = try failOn.map { try Self.choice($0, Severity.self, "--fail-on") }
        if gate != nil { try await letSessionsEnd() }
        let answer = try await running.ask("GET", "report", try query())
        let report = try running.decoded(Report.self, answer)
        let text = form.render(
            report, failOn: gate ?? .must, columns: try width(), colours: out == nil && Self.isColoured)
        try write(text ?? answer.text + "\n", form)
        if let gate { try Self.judge(report, gate) }
    }

    // MARK: What is asked

    private func query() throws -> [(name: String, value: String)] {
        var query = try FilterWords.pairs(words) + [("limit", "\(limit)")]
        if let session { query.append(("session", session)) }
        if let sender { query.append(("client", sender)) }
        if let since { query.append(("since", since)) }
        return query
    }

    /// `--output json` of all commands is `--format json` of this one.
    private func chosenForm() throws -> ReportFormat {
        guard let format else { return running.output == .json ? .json : .text }
        let form = try Self.choice(format, ReportFormat.self, "--format")
        if rules, form != .text, form != .markdown {
            throw ExitStatus.badUse("--rules: the list of rules is text or markdown, not \(form.rawValue)")
        }
        if running.output == .json, form != .json {
            throw ExitStatus.badUse("--output json and --format \(form.rawValue) contradict each other; leave one out")
        }
        return form
    }

    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ text: String, _: Choice.Type, _ flag: String
    ) throws -> Choice {
        if let choice = Choice(rawValue: text) { return choice }
        let known = Choice.allCases.map(\.rawValue)
        let hint = Suggestion.didYouMean(text, among: known)
        throw ExitStatus.badUse("\(flag): \"\(text.shown)\" is none of \(known.joined(separator: ", "))\(hint)")
    }

    // MARK: How it is shown

    private static let leastColumns = 60
    private static let mostColumns = 1000

    /// Characters of a line.
    private func width() throws -> Int {
        guard let columns else { return (out == nil ? Output.width : nil) ?? 100 }
        guard (Self.leastColumns...Self.mostColumns).contains(columns) else {
            throw ExitStatus.badUse("--columns: \(columns) is not between \(Self.leastColumns) and \(Self.mostColumns)")
        }
        return columns
    }

    /// A terminal, and nobody who asks for none (no-color.org).
    private static var isColoured: Bool {
        Output.isTerminal && (Places.environment["NO_COLOR"] ?? "").isEmpty
    }

    private static func rules(_ form: ReportFormat) throws -> String {
        if form == .markdown { return RuleTable.article }
        guard form == .text else {
            throw ExitStatus.badUse("--rules: the list of rules is text or markdown, not \(form.rawValue)")
        }
        let rows = SenderRules.all.map {
            [$0.id.rawValue, $0.severity.rawValue, SenderRules.layer(of: $0.id).rawValue, $0.what, $0.citation]
        }
        return Table.text([["RULE", "SEVERITY", "LAYER", "WHAT BREAKS IT", "CITATION"]] + rows, width: Output.width)
    }

    private func write(_ text: String, _ form: ReportFormat) throws {
        guard let out else { return Output.text(text.hasSuffix("\n") ? text : text + "\n") }
        guard let file = fopen(out, "w") else {
            throw ExitStatus.failure("--out \(out.shown): \(String(cString: strerror(errno)))")
        }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else {
            throw ExitStatus.failure("--out \(out.shown): \(String(cString: strerror(errno)))")
        }
    }

    // MARK: The gate

    /// How often, and with which pauses, open sessions are looked for: a second in all.
    private static let looks = 20
    private static let pause_ms = 50

    /// What a sender closed a moment ago may still be open here; a gate must not miss it.
    private func letSessionsEnd() async throws {
        var query = try query()
        query.removeAll { $0.name == "limit" || $0.name == "since" }
        query.append(("open", "true"))
        var count = 0
        for _ in 0..<Self.looks {
            let answer = try await running.ask("GET", "sessions", query)
            count = try running.decoded(SessionsAnswer.self, answer).sessions.count
            if count == 0 { return }
            try await Task.sleep(for: .milliseconds(Self.pause_ms))
        }
        Output.error("--fail-on: \(count) sessions are still open, and are judged when they have ended")
    }

    /// - Throws: exit status 1 with one line when something at least as grave as `gate` was found.
    private static func judge(_ report: Report, _ gate: Severity) throws {
        if report.session_count == 0 {
            Output.error("--fail-on: no session was looked at, so nothing was found; are the words right?")
        }
        let grave = report.broken.filter { $0.severity >= gate }
        guard let first = grave.first else { return }
        let others = grave.count > 1 ? " and \(grave.count - 1) more" : ""
        let named = "\(first.rule.rawValue)\(others) (\(first.severity.rawValue))"
        throw ExitStatus.failure("--fail-on \(gate.rawValue): \(named): \(Text.shown(first.what))")
    }
}
