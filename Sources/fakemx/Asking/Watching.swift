// `fakemx tail`, `wait` and `cursor`: what happens in a running fakemx, as it happens.

import ArgumentParser
import FakeMX
import Faults
import FoundationEssentials
import Outside

struct TailCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Show what happens in a running fakemx: sessions, messages, rejects, hits of rules, findings.",
        discussion: """
            Without -f what happened of late, and no more. With --output json one object a line.
              fakemx tail -f 'to=*@full.test' --kind reject
            """)

    @OptionGroup var running: Running

    @Argument(help: .init("What is meant, in the words of fakemx sessions.", valueName: "word=value"))
    var words: [String] = []

    @Flag(name: .shortAndLong, help: "Go on until it is stopped.")
    var follow = false

    @Option(
        help: .init("Kinds, with commas: opened,reject,message,rule,session,finding,rules,reset.", valueName: "kinds"))
    var kind: String?

    @Option(help: .init("From this point on (fakemx cursor); all that is remembered, without -f.", valueName: "cursor"))
    var since: String?

    func run() async throws {
        var query = try FilterWords.pairs(words)
        if let kind { query.append(("kind", kind)) }
        if let since { query.append(("since", since)) }
        if !follow {
            query.append(("follow", "false"))
            if since == nil { query.append(("since", "all")) }
        }
        let (output, client) = (running.output, try running.client())
        do {
            try await client.lines("/api/fakemx/events", query: query) { line in
                guard line.hasPrefix("data: ") else { return true }
                let data = String(line.dropFirst(6))
                switch output {
                case .json: Output.line(data)
                case .table: Output.line(Self.shown(data))
                }
                return true
            }
        } catch {
            throw error.refusal.map { Running.refused($0, client.url) } ?? ExitStatus.failure(error.description)
        }
        if follow { throw ExitStatus.failure("\(client.url): the stream ended; fakemx was stopped") }
    }

    private static func shown(_ data: String) -> String {
        guard let entry = try? JSONDecoder().decode(EntryRecord.self, from: Data(data.utf8)) else { return data.shown }
        return entry.line
    }
}

struct WaitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Wait until something has happened in a running fakemx, or until it surely did not.",
        discussion: """
            What happened since --since counts as well, and without it everything that is still remembered; so it does \
            not matter which comes first, the mail or the question.
              since=$(fakemx cursor); send-it; fakemx wait message to=a@b.test --since "$since"
              fakemx wait reject phase=end-of-data --count 2 --timeout 30s
              fakemx wait message to=nobody@b.test --absent --timeout 2s
              fakemx wait finding severity=must --absent --timeout 2s
            Words are those of fakemx sessions and fakemx messages.

            Exit status: 0 it happened (with --absent: it did not), 1 it happened though it must not, 2 bad arguments, \
            3 the time was over; then what came in its place is shown on standard error; 4 nobody knows: no fakemx is \
            there, it was stopped meanwhile, or it remembers no more what came behind --since.
            """)

    @OptionGroup var running: Running

    @Argument(help: .init("What is waited for.", valueName: "session|message|reject|rule|finding"))
    var kind: String

    @Argument(help: .init("What is meant.", valueName: "word=value"))
    var words: [String] = []

    @Option(help: .init("How many of them, 1 to 10000.", valueName: "n"))
    var count = 1

    @Option(help: .init("How long, up to 10 minutes: 5s, 500ms, or seconds.", valueName: "duration"))
    var timeout = "10s"

    @Option(help: .init("What came behind this point counts (fakemx cursor).", valueName: "cursor"))
    var since: String?

    @Flag(help: "It must not happen within the time.")
    var absent = false

    @Flag(help: "Messages are removed when they are found, so that nobody else finds them.")
    var take = false

    func run() async throws {
        let meant = try FilterWords.pairs(words)
        if let flag = meant.first(where: { ["count", "timeout", "since", "absent", "take"].contains($0.name) }) {
            throw ExitStatus.badUse("\(flag.name) is no word of a filter; here it is a flag: --\(flag.name)")
        }
        var query = [("for", kind), ("count", "\(count)"), ("timeout", timeout)] + meant
        if let since { query.append(("since", since)) }
        if absent { query.append(("absent", "true")) }
        if take { query.append(("take", "true")) }
        let (answer, wait): (HTTPCaller.Answer, WaitAnswerRecord)
        do throws(ExitStatus) {
            answer = try await running.ask("GET", "wait", query, expected: [408, 409, 410])
            if answer.status == 410 { throw ExitStatus.failure(Running.refused(answer, "").message) }
            wait = try running.decoded(WaitAnswerRecord.self, answer)
        } catch {
            // 1 would say that something happened.
            throw error.code == ExitStatus.failed ? ExitStatus(code: ExitStatus.unasked, message: error.message) : error
        }
        switch running.output {
        case .json: Output.text(answer.text + "\n")
        case .table: Output.text(Self.text(wait))
        }
        guard !wait.fulfilled else { return }
        if absent { throw ExitStatus.failure("it happened: \(wait.count) came") }
        let seen = wait.seen ?? []
        let instead =
            seen.isEmpty
            ? "no other \(kind) came, either"
            : "in its place came:\n" + seen.map { "  " + $0.line }.joined(separator: "\n")
        let forgotten = since == nil ? nil : wait.missed
        throw ExitStatus(
            code: ExitStatus.timedOut,
            message: "\(wait.count) of \(count) came in \(spokenTimeout); " + instead
                + (forgotten.map { "\n\($0) happenings behind --since are remembered no more" } ?? ""))
    }

    /// A number alone is seconds.
    private var spokenTimeout: String { timeout.allSatisfy(\.isNumber) ? timeout + " s" : timeout }

    private static func text(_ wait: WaitAnswerRecord) -> String {
        if let sessions = wait.sessions, !sessions.isEmpty {
            return Table.text([SessionsAnswer.head] + sessions.map(SessionsAnswer.row), width: Output.width)
        }
        if let messages = wait.messages, !messages.isEmpty {
            return Table.text([MessageRecord.head] + messages.map(\.row), width: Output.width)
        }
        return (wait.rejects ?? wait.rules ?? wait.findings ?? []).map { $0.line + "\n" }.joined()
    }
}

struct CursorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cursor", abstract: "Print the present moment of a running fakemx, for --since.")

    @OptionGroup var running: Running

    func run() async throws {
        let answer = try await running.ask("GET", "cursor")
        switch running.output {
        case .json: Output.text(answer.text + "\n")
        case .table: Output.line(try running.decoded(CursorAnswer.self, answer).cursor)
        }
    }
}
