// `fakemx serve`: starts the sink, says when it is ready, and runs until a signal or a condition ends it.

import ArgumentParser
import EventLoop
import FakeMX
import Glibc
import Settings
import Sink

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start the sink.",
        discussion: """
            With no flags: SMTP on 127.0.0.1:1025 with STARTTLS, every session on the terminal and on the page at \
            http://127.0.0.1:8025/. Try it with
              swaks --to rcpt-550@any.test --server 127.0.0.1:1025

            Each flag may also come from the environment (--time-scale as FAKEMX_TIME_SCALE) or from the configuration \
            file; flag > environment > scenario > file > default.

            Behind -- stands a command: the sink starts on free ports, the command runs with FAKEMX_SMTP (HOST:PORT) \
            and FAKEMX_URL in its environment, the sink stops, and the command's exit status is the one of fakemx:
              fakemx serve -- pytest tests/
            One loop serves it there, unless --loops says otherwise: sessions are kept in the order in which they came.

            SIGTERM and SIGINT stop it: idle clients get 421, running transactions have 5 seconds. SIGHUP reads the \
            configuration again, whole or not at all. SIGUSR1 says what each rule has done, and how full its limit is.
            """)

    @OptionGroup var options: ServeOptions

    @Argument(
        parsing: .postTerminator,
        help: .init("A command that the sink is for, behind --.", valueName: "command"))
    var command: [String] = []

    /// How long running transactions may take after SIGTERM, in milliseconds.
    static let grace_ms = 5000
    /// The same when the command that the sink was for has ended.
    static let commandGrace_ms = 500

    func validate() throws {
        // As a shell writes `-- $COMMAND` where the variable is empty.
        if command.first?.isEmpty ?? (CommandLine.arguments.last == "--") {
            throw ValidationError("no command stands behind --")
        }
    }

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        SystemLimits.shareHeaps()
        SystemLimits.raiseDescriptors()  // each session needs one
        let sources = SettingsSources(
            flags: options.stated, environment: Places.environment, scenarioFolders: Places.scenarioFolders,
            replyFolders: Places.replyFolders)
        let hasCommand = !command.isEmpty
        var surroundings = Launched.Surroundings()
        surroundings.colours = Output.isTerminal && (getenv("NO_COLOR").map { $0.pointee == 0 } ?? true)
        if hasCommand {
            // Standard output is the command's.
            surroundings.transcriptDescriptor = STDERR_FILENO
            surroundings.usualAddress = "127.0.0.1:0"
            surroundings.usualHTTP = .at("127.0.0.1:0")
            // One loop: what one sender did one after the other is kept in that order.
            surroundings.usualLoops = 1
        } else if Output.isTerminal {
            surroundings.automaticTranscript = .text(colours: surroundings.colours)
        }
        let watch = Watch()
        surroundings.progress = { watch.look() }
        let launched: Launched
        do { launched = try await Launched.start(sources, surroundings) } catch {
            throw error.isBadUse ? ExitStatus.badUse(error.description) : ExitStatus.failure(error.description)
        }
        for warning in launched.warnings { Output.error(warning) }
        let configuration = launched.configuration
        let signals = await watch.begin(launched.server.counters, configuration.exitAfter)
        defer { withExtendedLifetime(signals) {} }
        if !hasCommand {
            Output.error("seed \(configuration.seed): --seed \(configuration.seed) draws the same again")
            if let web = launched.web, !web.address.hasPrefix("unix:") { Output.error("page \(web.url)/") }
        }
        let line = Self.readyLine(launched)
        if let path = configuration.readyFile {
            do { try Self.writeReadyFile(path, line) } catch {
                await launched.stop(grace_ms: 0)
                throw error
            }
        }
        if hasCommand { Output.error(line) } else { Output.line(line) }

        var child: Child?
        if hasCommand {
            do {
                child = try Child.start(command, environment: Self.environment(of: launched)) {
                    watch.tell(.childEnded($0))
                }
            } catch {
                await launched.stop(grace_ms: 0)
                if let path = configuration.readyFile { unlink(path) }
                throw error
            }
        }
        for await occasion in watch.occasions {
            switch occasion {
            case .reload: Self.reload(launched, surroundings)
            case .report: Self.report(launched.server)
            case .stop(let number):
                // The command hears of it first; when it has ended, so does the sink.
                guard let child else { return await end(launched, Self.grace_ms) }
                // While a command runs the sink is there for it: --exit-after does not count.
                guard let number else { continue }
                // Ctrl-C in a terminal has reached it by itself.
                if number != SIGINT || isatty(STDIN_FILENO) == 0 { child.tell(number) }
            case .childEnded(let status):
                await end(launched, Self.commandGrace_ms)
                if status != 0 { throw ExitStatus(code: status, message: "") }
                return
            }
        }
    }

    private func end(_ launched: Launched, _ grace_ms: Int) async {
        let path = launched.configuration.readyFile
        await launched.stop(grace_ms: grace_ms)
        if let path { unlink(path) }
    }

    /// What a command finds the sink by.
    private static func environment(of launched: Launched) -> [String: String] {
        var variables = Places.environment
        variables["FAKEMX_SMTP"] = launched.addresses.first
        // Nor that of another fakemx, where this one has none.
        variables["FAKEMX_URL"] = launched.web?.url
        if let token = launched.configuration.httpToken { variables["FAKEMX_TOKEN"] = token }
        return variables
    }

    /// What each rule has done and what remains of it; of limits, what they have counted now.
    private static func report(_ server: Server) {
        let rules = server.ruleStatus
        if rules.isEmpty { Output.error("no rules") }
        for rule in rules {
            Output.error(
                "rule \(rule.name) at \(rule.at.rawValue): \(rule.hits) of \(rule.matches) fired; \(rule.remains)")
        }
    }

    /// All or nothing: what is broken is said, and the old configuration goes on.
    private static func reload(_ launched: Launched, _ surroundings: Launched.Surroundings) {
        do {
            for warning in try launched.reload(surroundings) { Output.error(warning) }
            Output.error("reloaded; open sessions keep what they started with")
        } catch let trouble as LaunchTrouble {
            Output.error(trouble.description)
            Output.error("reload refused, the old configuration goes on")
        } catch {
            Output.error("reload refused, the old configuration goes on: \(error)")
        }
    }

    /// One line when every listener accepts, to standard output and to the ready file.
    private static func readyLine(_ launched: Launched) -> String {
        var words = zip(launched.addresses, launched.configuration.listeners).map { address, listener in
            "\(listener.implicitTLS ? "smtps" : "smtp")=\(address)"
        }
        if let web = launched.web { words.append("http=\(web.address)") }
        return "ready " + words.joined(separator: " ")
    }

    /// Written beside and renamed, so that whoever sees the file sees all of it.
    private static func writeReadyFile(_ path: String, _ line: String) throws(ExitStatus) {
        let draft = path + ".new"
        guard let file = fopen(draft, "w") else {
            throw .failure("--ready-file \(path): \(String(cString: strerror(errno)))")
        }
        fputs(line + "\n", file)
        fclose(file)
        guard rename(draft, path) == 0 else {
            throw .failure("--ready-file \(path): \(String(cString: strerror(errno)))")
        }
    }
}
