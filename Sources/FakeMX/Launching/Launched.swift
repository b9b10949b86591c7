// A sink that runs in this process, with its HTTP side where it has one: started from settings, reloaded, stopped.

import EventLoop
import Faults
import Glibc
import Outside
import Settings
import Sink
import Store
import Synchronization
import Web

package final class Launched: Sendable {
    package static let version = "0.1.0"

    package let server: Server
    package let web: WebServer?
    /// In the order of the listeners.
    package let addresses: [String]
    /// What was said on the way and is no error.
    package let warnings: [String]
    private let sources: SettingsSources
    private let menu: TLSMenu
    private let transcript: TranscriptForm?
    /// nil where the name system is not asked.
    private let resolver: SystemResolver?

    package struct Surroundings: Sendable {
        /// Where transcripts go.
        package var transcriptDescriptor: Int32 = STDOUT_FILENO
        /// What `auto` means here.
        package var automaticTranscript: TranscriptForm?
        package var colours = false
        /// Called, on a loop, whenever a counter moved; returns at once.
        package var progress: @Sendable () -> Void = {}
        /// Somebody will wait or watch though HTTP is off.
        package var isWatched = false
        /// What stands in the place of listeners that nobody stated; and of the HTTP address.
        package var usualAddress: String?
        package var usualHTTP: Settings.HTTP?
        /// Loops where nobody said how many; nil: one a core.
        package var usualLoops: Int?

        package init() {}
    }

    /// Reads settings; warnings come with them.
    package static func load(
        _ sources: SettingsSources, _ surroundings: Surroundings
    ) throws(LaunchTrouble) -> (configuration: Configuration, warnings: [String]) {
        let loaded = Loading.load(sources)
        guard var configuration = loaded.configuration else {
            throw LaunchTrouble(loaded.complaints.map(\.description).joined(separator: "\n"), isBadUse: true)
        }
        if let usual = surroundings.usualAddress, !loaded.statesListeners { configuration.listeners[0].address = usual }
        if configuration.loops == 0, let usual = surroundings.usualLoops { configuration.loops = usual }
        if configuration.http == .auto, let usual = surroundings.usualHTTP { configuration.http = usual }
        return (configuration, loaded.complaints.map(\.description))
    }

    package static func start(
        _ sources: SettingsSources, _ surroundings: Surroundings
    ) async throws(LaunchTrouble) -> Launched {
        let (configuration, loadWarnings) = try load(sources, surroundings)
        // One of an earlier run would say that this one is ready.
        if let path = configuration.readyFile { unlink(path) }
        var warnings = loadWarnings
        let menu = try Launch.menu()
        warnings += TLSTrouble.complaints(about: [configuration], menu).map(\.description)
        if let file = configuration.caFile { try Launch.write(menu.rootPEM, to: file) }
        let transcript: TranscriptForm? =
            switch configuration.transcript {
            case .auto: surroundings.automaticTranscript
            case .text: .text(colours: surroundings.colours)
            case .json: .json
            case .off: nil
            }
        let isWatched = configuration.http != .off || surroundings.isWatched
        var sink = try Launch.sinkConfiguration(configuration, menu, transcript: transcript, isWatched: isWatched)
        if case .records(let records) = configuration.names { sink.outsiders.resolver = records }
        let resolver = Launch.resolver(configuration)
        if let resolver { sink.outsiders.resolver = CachingResolver(resolver) }
        if let rspamd = try Launch.rspamd(configuration) {
            sink.outsiders.checker = rspamd
            do { try await rspamd.ping() } catch {
                warnings.append("--rspamd: \(error); until it answers, nothing is said of SPF, DKIM and DMARC")
            }
        }
        let server: Server
        let addresses: [String]
        do {
            server = try Server(
                configuration: sink, transcriptDescriptor: surroundings.transcriptDescriptor,
                progress: surroundings.progress)
        } catch let failure as StoreFailure {
            throw LaunchTrouble("--store: \(failure.reason)", isBadUse: true)
        } catch { throw LaunchTrouble("\(error)", isBadUse: false) }
        do {
            addresses = try await server.start().map(\.description)
        } catch let error as ListenError {
            await server.stop(grace_ms: 0)
            throw LaunchTrouble("\(error)", isBadUse: true)
        } catch {
            await server.stop(grace_ms: 0)
            throw LaunchTrouble("\(error)", isBadUse: false)
        }
        let current = Current(configuration)
        let web: WebServer?
        do {
            web = try await startWeb(server, configuration, current, sources, &warnings)
        } catch {
            await server.stop(grace_ms: 0)
            throw error
        }
        return Launched(server, web, resolver, addresses, warnings, sources, menu, current, transcript, isWatched)
    }

    /// The configuration in force, as the HTTP side asks for it.
    private final class Current: Sendable {
        let configuration: Mutex<Configuration>
        init(_ configuration: Configuration) { self.configuration = Mutex(configuration) }
    }

    private static func startWeb(
        _ server: Server, _ configuration: Configuration, _ current: Current, _ sources: SettingsSources,
        _ warnings: inout [String]
    ) async throws(LaunchTrouble) -> WebServer? {
        let stated: String
        switch configuration.http {
        case .off: return nil
        case .at(let address): stated = address
        case .auto: stated = Configuration.usualHTTPAddress
        }
        var settings = webSettings(stated, configuration, current)
        settings.scenarioFolders = sources.scenarioFolders
        do {
            return try await WebServer.start(server, settings)
        } catch {
            let trouble = error as? WebTrouble
            guard configuration.http == .auto, trouble?.isTaken == true else {
                throw LaunchTrouble("\(error)", isBadUse: trouble?.isTaken == true)
            }
            // Nobody asked for this port, so another will do.
            settings.port = 0
            do {
                let web = try await WebServer.start(server, settings)
                warnings.append(
                    "http: \(stated) is in use by another program, so \(web.address) was taken; --http chooses")
                return web
            } catch { throw LaunchTrouble("\(error)", isBadUse: false) }
        }
    }

    private static func webSettings(
        _ address: String, _ configuration: Configuration, _ current: Current
    ) -> WebSettings {
        let colon = address.lastIndex(of: ":") ?? address.endIndex
        let host = address[..<colon]
        var settings = WebSettings(
            host: host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host),
            port: Int(address[colon...].dropFirst()) ?? 0, version: version,
            rules: RuleSurroundings { rule in
                let configuration = current.configuration.withLock { $0 }
                return RuntimeRule.complaints(about: rule, configuration.listeners, configuration.catalogue)
            })
        if address.hasPrefix("unix:") { settings.unixPath = String(address.dropFirst(5)) }
        settings.token = configuration.httpToken
        settings.hosts = configuration.httpHosts + [String(host)]
        settings.origins = configuration.httpOrigins
        settings.storeName =
            switch configuration.store {
            case .memory: "memory"
            case .none: "none"
            case .file(let path): path
            }
        settings.lessons = lessonRoom(configuration)
        return settings
    }

    /// Lessons are given where SMTP listens, at ports of their own.
    private static func lessonRoom(_ configuration: Configuration) -> LessonRoom {
        guard let address = configuration.listeners.first?.address, !address.hasPrefix("unix:"),
            let colon = address.lastIndex(of: ":")
        else { return LessonRoom(host: "127.0.0.1") }
        let host = address[..<colon]
        return LessonRoom(host: host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host))
    }

    private let inForce: Current
    private let isWatched: Bool

    private init(
        _ server: Server, _ web: WebServer?, _ resolver: SystemResolver?, _ addresses: [String], _ warnings: [String],
        _ sources: SettingsSources,
        _ menu: TLSMenu, _ inForce: Current, _ transcript: TranscriptForm?, _ isWatched: Bool
    ) {
        self.server = server
        self.web = web
        self.resolver = resolver
        self.addresses = addresses
        self.warnings = warnings
        self.sources = sources
        self.menu = menu
        self.inForce = inForce
        self.transcript = transcript
        self.isWatched = isWatched
    }

    package var configuration: Configuration { inForce.configuration.withLock { $0 } }

    /// Reads the settings again, whole or not at all. What is bound at the start stays as it is.
    ///
    /// - Returns: warnings.
    package func reload(_ surroundings: Surroundings) throws -> [String] {
        let (configuration, warnings) = try Self.load(sources, surroundings)
        let trouble = TLSTrouble.complaints(about: [configuration], menu).map(\.description)
        let before = self.configuration
        guard before.http == configuration.http, before.httpToken == configuration.httpToken,
            before.httpHosts == configuration.httpHosts, before.httpOrigins == configuration.httpOrigins
        else {
            throw ReloadRefusal(description: "what HTTP listens on or asks for changed; start fakemx anew for that")
        }
        guard before.judging == configuration.judging, before.names == configuration.names,
            before.rspamd == configuration.rspamd
        else {
            throw ReloadRefusal(description: "how senders are judged changed; start fakemx anew for that")
        }
        try server.reload(
            Launch.sinkConfiguration(configuration, menu, transcript: transcript, isWatched: isWatched))
        inForce.configuration.withLock { $0 = configuration }
        return warnings + trouble
    }

    /// Idle clients get 421; running transactions have so long. Then the HTTP side ends.
    package func stop(grace_ms: Int) async {
        await server.stop(grace_ms: grace_ms)
        await web?.stop()
        await resolver?.stop()
    }
}
