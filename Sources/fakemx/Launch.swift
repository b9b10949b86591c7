// From settings, which are text and numbers, to what the sink starts with: addresses parsed, certificates loaded.

import EventLoop
import Glibc
import Settings
import Sink
import Store

/// `Option` is also a word of the argument parser; here it is the one of Settings.
typealias ServeOption = Option

enum Launch {
    /// - Throws: an error in words that names the flag or the place in a file.
    ///
    /// - Parameter menu: the authority of this process; a reload keeps it.
    static func sinkConfiguration(
        _ configuration: Configuration, _ menu: TLSMenu
    ) throws(ExitStatus) -> SinkConfiguration {
        for complaint in TLSTrouble.complaints(about: [configuration], menu) { Output.error(complaint.description) }
        var identities: [String: TLSIdentity] = [:]
        var listeners: [ListenerConfiguration] = []
        for listener in configuration.listeners {
            let address: ListenAddress
            do { address = try ListenAddress.parse(listener.address) } catch {
                throw .badUse("\(error)")
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
            transcript: transcript(configuration.transcript),
            loops: configuration.loops == 0 ? processorCount : configuration.loops,
            connectionLimit: configuration.connections)
    }

    static func menu() throws(ExitStatus) -> TLSMenu {
        do { return try TLSMenu() } catch { throw .failure("\(error)") }
    }

    /// One identity for each host name or pair of files, however many listeners have it.
    ///
    /// - Parameter authority: signs what is made; nil: certificates sign themselves.
    private static func identity(
        of listener: Configuration.Listener, _ authority: TLSMenu?, _ made: inout [String: TLSIdentity]
    ) throws(ExitStatus) -> TLSIdentity? {
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
                throw .badUse("\(certificate.place): \(error)")
            }
            throw .failure("\(error)")
        }
        made[key] = identity
        return identity
    }

    /// For clients that are to trust what fakemx makes.
    static func write(_ pem: String, to file: Settings.PlacedPath) throws(ExitStatus) {
        guard let stream = fopen(file.path, "w") else {
            throw .failure("\(file.place): \(file.path): \(String(cString: strerror(errno)))")
        }
        let isWritten = fputs(pem, stream) >= 0
        guard fclose(stream) == 0, isWritten else { throw .failure("\(file.place): \(file.path): cannot be written") }
    }

    private static func store(_ configuration: Configuration) -> StoreKind {
        switch configuration.store {
        case .none: return .none
        case .memory:
            var retention = Retention()
            retention.messages = configuration.retention.messages
            retention.messageOctets = configuration.retention.messageOctets
            retention.sessions = configuration.retention.sessions
            retention.sessionOctets = configuration.retention.sessionOctets
            return .memory(retention)
        }
    }

    private static func transcript(_ stated: Settings.Transcript) -> TranscriptForm? {
        let colours = Output.isTerminal && (getenv("NO_COLOR").map { $0.pointee == 0 } ?? true)
        switch stated {
        case .auto: return Output.isTerminal ? .text(colours: colours) : nil
        case .text: return .text(colours: colours)
        case .json: return .json
        case .off: return nil
        }
    }

    static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
