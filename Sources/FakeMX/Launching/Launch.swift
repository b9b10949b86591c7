// From settings, which are text and numbers, to what the sink starts with: addresses parsed, certificates loaded.

import EventLoop
import Glibc
import Mail
import Outside
import Settings
import Sink
import Store

/// fakemx could not start.
package struct LaunchTrouble: Error, CustomStringConvertible {
    /// What happened, where, what to do.
    package let description: String
    /// The configuration or the arguments are bad; false: something went wrong while starting.
    package let isBadUse: Bool

    package init(_ description: String, isBadUse: Bool) {
        self.description = description
        self.isBadUse = isBadUse
    }
}

package enum Launch {
    /// - Throws: an error in words that names the flag or the place in a file.
    ///
    /// - Parameter menu: the authority of this process; a reload keeps it.
    static func sinkConfiguration(
        _ configuration: Configuration, _ menu: TLSMenu, transcript: TranscriptForm?, isWatched: Bool
    ) throws(LaunchTrouble) -> SinkConfiguration {
        var identities: [String: TLSIdentity] = [:]
        var listeners: [ListenerConfiguration] = []
        for listener in configuration.listeners {
            let address: ListenAddress
            do { address = try ListenAddress.parse(listener.address) } catch {
                throw LaunchTrouble("\(error)", isBadUse: true)
            }
            listeners.append(
                ListenerConfiguration(
                    name: listener.name, address: address, implicitTLS: listener.implicitTLS, profile: listener.profile,
                    identity: try identity(of: listener, configuration.caFile == nil ? nil : menu, &identities),
                    tlsFault: listener.tlsFault))
        }
        return SinkConfiguration(
            listeners: listeners, tlsMenu: menu, rules: configuration.rules, seed: configuration.seed,
            timeScale: configuration.timeScale, magic: configuration.magic, catalogue: configuration.catalogue,
            store: store(configuration),
            transcript: transcript, isWatched: isWatched,
            searchText: { MailView($0.content).searchText(maxOctets: searchedOctets) },
            judging: configuration.judging,
            loops: configuration.loops == 0 ? usualLoops(configuration) : configuration.loops,
            connectionLimit: configuration.connections)
    }

    /// nil where the name system is not asked.
    static func resolver(_ configuration: Configuration) -> SystemResolver? {
        switch configuration.names {
        case .off, .records: nil
        case .system: SystemResolver()
        case .server(let address, let port): SystemResolver(SystemResolver.NameServer(address: address, port: port))
        }
    }

    /// nil where none is named.
    static func rspamd(_ configuration: Configuration) throws(LaunchTrouble) -> Rspamd? {
        guard case .at(let url) = configuration.rspamd else { return nil }
        do { return try Rspamd(url: url) } catch { throw LaunchTrouble("--rspamd: \(error)", isBadUse: true) }
    }

    /// One a core. Loops that commit to a file themselves share a commit among what each has at hand: one loop makes
    /// larger groups, and was the quicker by a tenth.
    private static func usualLoops(_ configuration: Configuration) -> Int {
        if case .file = configuration.store, configuration.storeSync == .normal { return 1 }
        return processorCount
    }

    package static func menu() throws(LaunchTrouble) -> TLSMenu {
        do { return try TLSMenu() } catch { throw LaunchTrouble("\(error)", isBadUse: false) }
    }

    /// One identity for each host name or pair of files, however many listeners have it.
    ///
    /// - Parameter authority: signs what is made; nil: certificates sign themselves.
    private static func identity(
        of listener: Configuration.Listener, _ authority: TLSMenu?, _ made: inout [String: TLSIdentity]
    ) throws(LaunchTrouble) -> TLSIdentity? {
        let key: String
        switch listener.tls {
        case .off: return nil
        case .selfSigned: key = "self-signed \(listener.hostname)"
        case .files(let certificate, let file): key = "files \(certificate.path) \(file.path)"
        }
        if let known = made[key] { return known }
        let identity: TLSIdentity
        do {
            switch listener.tls {
            case .files(let certificate, let file):
                identity = try TLSIdentity.load(certificateFile: certificate.path, keyFile: file.path)
            case .off, .selfSigned:
                identity =
                    try authority?.sound(listener.hostname) ?? TLSIdentity.selfSigned(hostname: listener.hostname)
            }
        } catch {
            if case .files(let certificate, _) = listener.tls {
                throw LaunchTrouble("\(certificate.place): \(error)", isBadUse: true)
            }
            throw LaunchTrouble("\(error)", isBadUse: false)
        }
        made[key] = identity
        return identity
    }

    /// For clients that are to trust what fakemx makes.
    static func write(_ pem: String, to file: Settings.PlacedPath) throws(LaunchTrouble) {
        guard let stream = fopen(file.path, "w") else {
            throw LaunchTrouble("\(file.place): \(file.path): \(String(cString: strerror(errno)))", isBadUse: false)
        }
        let isWritten = fputs(pem, stream) >= 0
        guard fclose(stream) == 0, isWritten else {
            throw LaunchTrouble("\(file.place): \(file.path): cannot be written", isBadUse: false)
        }
    }

    /// Octets of decoded text that a search finds something in, of each message.
    private static let searchedOctets = 1 << 20

    private static func store(_ configuration: Configuration) -> StoreKind {
        var retention = Retention()
        retention.messages = configuration.retention.messages
        retention.messageOctets = configuration.retention.messageOctets
        retention.sessions = configuration.retention.sessions
        retention.sessionOctets = configuration.retention.sessionOctets
        retention.messageAge_us = configuration.retention.messageAge.map { Int64($0.ns / 1000) }
        retention.sessionAge_us = configuration.retention.sessionAge.map { Int64($0.ns / 1000) }
        return switch configuration.store {
        case .none: .none
        case .memory: .memory(retention)
        case .file(let path): .file(path: path, sync: configuration.storeSync == .full ? .full : .normal, retention)
        }
    }

    static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
