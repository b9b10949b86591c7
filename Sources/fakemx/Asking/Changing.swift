// `fakemx rules` and `reset`: changes a running fakemx.

import ArgumentParser
import FakeMX
import Faults
import Outside

struct RulesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rules",
        abstract: "List, set and remove rules of a running fakemx.",
        discussion: """
            Rules set here come before those of the configuration, and are in force when the command returns.
              fakemx rules add 'rcpt to=*@full.test once: 452 4.2.2 Mailbox full'
              fakemx rules remove run-1
            """,
        subcommands: [ListRules.self, AddRule.self, PutRule.self, RemoveRules.self], defaultSubcommand: ListRules.self)
}

struct ListRules: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List rules with what each has done and what remains of it.")

    @OptionGroup var running: Running

    func run() async throws {
        let answer = try await running.ask("GET", "rules")
        switch running.output {
        case .json: Output.text(answer.text + "\n")
        case .table:
            let rules = try running.decoded(RulesAnswer.self, answer).rules
            if rules.isEmpty { return Output.error("no rules") }
            Output.text(Table.text([RuleRecord.head] + rules.map(\.row), width: Output.width))
        }
    }
}

struct RuleOptions: ParsableArguments {
    @Option(
        help: .init(
            "For the addresses of this space alone (anyone@NAME.test, anyone+NAME@any.example).", valueName: "name"))
    var space: String?

    func query() -> [(name: String, value: String)] { space.map { [("space", $0)] } ?? [] }
}

struct NewRuleOptions: ParsableArguments {
    @OptionGroup var rule: RuleOptions

    @Option(help: .init("It goes by itself after so long: 30s, 5m.", valueName: "duration"))
    var expires: String?

    func query() -> [(name: String, value: String)] { rule.query() + (expires.map { [("expires", $0)] } ?? []) }
}

struct AddRule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Set a rule in front of all others; prints its name.")

    @OptionGroup var running: Running
    @OptionGroup var rule: NewRuleOptions

    @Argument(help: .init("The rule: PHASE [name=NAME] [KEY=VALUE]… [TIMES]: ACTION…", valueName: "line"))
    var line: String

    func run() async throws {
        let answer = try await running.ask("POST", "rules", rule.query(), body: line)
        switch running.output {
        case .json: Output.text(answer.text + "\n")
        case .table: Output.line(try running.decoded(RuleRecord.self, answer).name)
        }
    }
}

struct PutRule: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "put", abstract: "Put a rule in the place of the one of its name, or in front of all others.")

    @OptionGroup var running: Running
    @OptionGroup var rule: NewRuleOptions

    @Argument(help: "Its name.")
    var name: String

    @Argument(help: .init("The rule, without name=.", valueName: "line"))
    var line: String

    func run() async throws {
        let answer = try await running.ask(
            "PUT", "rules/" + HTTPCaller.encoded(name), rule.query(), body: line)
        if running.output == .json { Output.text(answer.text + "\n") }
    }
}

struct RemoveRules: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove rules that were set at run time: by name, of one space, or all.")

    @OptionGroup var running: Running
    @OptionGroup var rule: RuleOptions

    @Argument(help: .init("Names.", valueName: "name"))
    var names: [String] = []

    @Flag(help: "All that were set at run time.")
    var all = false

    func validate() throws {
        let ways = [!names.isEmpty, all, rule.space != nil].count { $0 }
        guard ways == 1 else {
            throw ValidationError(
                ways == 0
                    ? "name the rules, or say --space NAME or --all"
                    : "names, --space and --all do not go together: each says by itself what is removed")
        }
    }

    func run() async throws {
        for name in names { _ = try await running.ask("DELETE", "rules/" + HTTPCaller.encoded(name)) }
        if all || rule.space != nil { _ = try await running.ask("DELETE", "rules", all ? [] : rule.query()) }
    }
}

struct ResetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reset",
        abstract: "Make a running fakemx forget messages, sessions, counts of rules and rules set at run time.",
        discussion: "With --space what belongs to that space, and no counts: those of other rules are everybody's.")

    @OptionGroup var running: Running
    @OptionGroup var rule: RuleOptions

    func run() async throws {
        let answer = try await running.ask("POST", "reset", rule.query())
        switch running.output {
        case .json: Output.text(answer.text + "\n")
        case .table:
            let reset = try running.decoded(ResetAnswer.self, answer)
            Output.line("forgot \(reset.messages) messages, \(reset.sessions) sessions, \(reset.rules) rules")
        }
    }
}
