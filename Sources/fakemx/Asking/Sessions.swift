// `fakemx sessions`, `messages` and `show`: what a running fakemx has seen.

import ArgumentParser
import FakeMX
import Faults
import Journal
import Outside

struct SessionsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List sessions of a running fakemx, the refused and broken ones, too.",
        discussion: """
            The newest first. Words narrow the list, and all must hold: from to client helo space session listener tls \
            phase rule verdict reply code. Values are those of rules: globs, /regular expressions/, networks; several \
            stand between commas.
              fakemx sessions 'to=*@full.test' verdict=deferred,rejected
            """)

    @OptionGroup var running: Running

    @Argument(help: .init("What is meant.", valueName: "word=value"))
    var words: [String] = []

    @Option(help: .init("Sessions shown at most, 1 to 1000.", valueName: "n"))
    var limit = 50

    @Option(help: .init("Only what ended behind this point (fakemx cursor).", valueName: "cursor"))
    var since: String?

    @Flag(help: "Those that are open now.")
    var open = false

    func run() async throws {
        var query = try FilterWords.pairs(words) + [("limit", "\(limit)")]
        if let since { query.append(("since", since)) }
        if open { query.append(("open", "true")) }
        let answer = try await running.ask("GET", "sessions", query)
        switch running.output {
        case .json: Output.text(answer.text + "\n")
        case .table:
            let list = try running.decoded(SessionsAnswer.self, answer)
            if list.sessions.isEmpty { return Output.error("no such session") }
            Output.text(Table.text([SessionsAnswer.head] + list.sessions.map(SessionsAnswer.row), width: Output.width))
        }
    }
}

struct MessagesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "messages",
        abstract: "List messages that a running fakemx has stored.",
        discussion: """
            The newest first. Words narrow the list: from to client helo space session message size subject \
            header.NAME message-id body links.
              fakemx messages 'subject=*invoice*' 'size=>10KB'
            """)

    @OptionGroup var running: Running

    @Argument(help: .init("What is meant.", valueName: "word=value"))
    var words: [String] = []

    @Option(help: .init("Messages shown at most, 1 to 1000.", valueName: "n"))
    var limit = 50

    @Option(help: .init("Only what came behind this point (fakemx cursor).", valueName: "cursor"))
    var since: String?

    func run() async throws {
        var query = try FilterWords.pairs(words) + [("limit", "\(limit)")]
        if let since { query.append(("since", since)) }
        let answer = try await running.ask("GET", "messages", query)
        switch running.output {
        case .json: Output.text(answer.text + "\n")
        case .table:
            let list = try running.decoded(MessagesAnswer.self, answer)
            if list.messages.isEmpty { return Output.error("no such message") }
            Output.text(Table.text([MessageRecord.head] + list.messages.map(\.row), width: Output.width))
        }
    }
}

struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one session (s12) as a transcript, or one message (s12.1) as it came.",
        discussion: "With --output json the object of the API: a session with all its lines, a message with its parts.")

    @OptionGroup var running: Running

    @Argument(help: .init("A session or a message.", valueName: "id"))
    var id: String

    func run() async throws {
        let isMessage = id.contains(".")
        let path = (isMessage ? "messages/" : "sessions/") + HTTPCaller.encoded(id)
        switch running.output {
        case .json: Output.text(try await running.ask("GET", path).text + "\n")
        case .table:
            let answer = try await running.ask("GET", path + (isMessage ? "/raw" : "/transcript"))
            // The transcript is made for terminals; a message is not, and may hold anything.
            if !isMessage || !Output.isTerminal { return Output.octets(answer.body) }
            for line in answer.text.split(separator: "\n", omittingEmptySubsequences: false) {
                Output.line(Text.shown(line.hasSuffix("\r") ? String(line.dropLast()) : String(line)))
            }
        }
    }
}
