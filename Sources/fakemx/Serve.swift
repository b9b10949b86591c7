// `fakemx serve`: starts the sink, says when it is ready, and runs until a signal or a condition ends it.

import ArgumentParser
import EventLoop
import Glibc
import Settings
import Sink

struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Start the sink.",
        discussion: """
            With no flags: SMTP on 127.0.0.1:1025 with STARTTLS, every session on the terminal. Try it with
              swaks --to rcpt-550@any.test --server 127.0.0.1:1025

            Each flag may also come from the environment (--time-scale as FAKEMX_TIME_SCALE) or from the configuration \
            file; flag > environment > scenario > file > default.

            SIGTERM and SIGINT stop it: idle clients get 421, running transactions have 5 seconds. SIGHUP reads the \
            configuration again, whole or not at all. SIGUSR1 says what each rule has done, and how full its limit is.
            """)

    @OptionGroup var options: ServeOptions

    /// How long running transactions may take after SIGTERM, in milliseconds.
    static let grace_ms = 5000

    func run() async throws {
        signal(SIGPIPE, SIG_IGN)
        SystemLimits.raiseDescriptors()  // each session needs one
        let sources = SettingsSources(
            flags: options.stated, environment: Places.environment, scenarioFolders: Places.scenarioFolders,
            replyFolders: Places.replyFolders)
        let configuration = try Self.load(sources)
        let menu = try Launch.menu()
        let sinkConfiguration = try Launch.sinkConfiguration(configuration, menu)
        if let file = configuration.caFile { try Launch.write(menu.rootPEM, to: file) }

        let watch = Watch(exitAfter: configuration.exitAfter)
        let server: Server
        let addresses: [SocketAddress]
        do {
            server = try Server(
                configuration: sinkConfiguration, transcriptDescriptor: STDOUT_FILENO, progress: { watch.look() })
            addresses = try await server.start()
        } catch let error as ListenError {
            throw ExitStatus.badUse("\(error)")
        } catch {
            throw ExitStatus.failure("\(error)")
        }
        let signals = await watch.begin(server.counters)
        defer { withExtendedLifetime(signals) {} }
        Output.error("seed \(configuration.seed): --seed \(configuration.seed) draws the same again")
        try Self.tellReady(addresses, configuration)

        for await occasion in watch.occasions {
            switch occasion {
            case .reload: Self.reload(server, sources, menu)
            case .report: Self.report(server)
            case .stop:
                await server.stop(grace_ms: Self.grace_ms)
                if let path = configuration.readyFile { unlink(path) }
                return
            }
        }
    }

    private static func load(_ sources: SettingsSources) throws(ExitStatus) -> Configuration {
        let loaded = Loading.load(sources)
        for complaint in loaded.complaints { Output.error(complaint.description) }
        guard let configuration = loaded.configuration else { throw .badUse("") }
        return configuration
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
    private static func reload(_ server: Server, _ sources: SettingsSources, _ menu: TLSMenu) {
        do {
            try server.reload(Launch.sinkConfiguration(load(sources), menu))
            Output.error("reloaded; open sessions keep what they started with")
        } catch let status as ExitStatus {
            if !status.message.isEmpty { Output.error(status.message) }
            Output.error("reload refused, the old configuration goes on")
        } catch {
            Output.error("reload refused, the old configuration goes on: \(error)")
        }
    }

    /// One line when every listener accepts, to standard output and to the ready file.
    private static func tellReady(_ addresses: [SocketAddress], _ configuration: Configuration) throws(ExitStatus) {
        let words = zip(addresses, configuration.listeners).map { address, listener in
            "\(listener.implicitTLS ? "smtps" : "smtp")=\(address)"
        }
        let line = "ready " + words.joined(separator: " ")
        if let path = configuration.readyFile { try writeReadyFile(path, line) }
        Output.line(line)
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
