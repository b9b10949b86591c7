// A YAML file -> one layer of settings. Configuration files and scenarios have the same keys.

import Faults
import SMTP
import Yams

package enum SettingsFile {
    /// Reads a file; settings are nil when there is nothing to read at all.
    package static func read(_ path: String) -> (settings: Settings?, complaints: [Complaint]) {
        switch TextFile.read(path) {
        case .success(let octets): return parse(octets, file: path)
        case .failure(let complaint): return (nil, [complaint])
        }
    }

    /// - Parameter file: named in complaints; paths in the file are relative to its folder.
    package static func parse(_ octets: [UInt8], file: String) -> (settings: Settings?, complaints: [Complaint]) {
        let (root, complaints) = YAMLText.parse(octets, file: file)
        guard let root else { return (nil, complaints) }
        return read(root, file: file, complaints)
    }

    /// The first thing that keeps a scenario which was made from being started.
    package static func error(ofScenario text: String) -> Complaint? {
        let (settings, complaints) = parse(Array(text.utf8), file: "the scenario")
        let more = settings.map { Configuration.complete($0, .empty).complaints } ?? []
        return (complaints + more).first(where: \.isError)
    }

    static func read(
        _ root: Node, file: String, _ earlier: [Complaint]
    ) -> (settings: Settings?, complaints: [Complaint]) {
        var reader = SettingsReader(file: file)
        let settings = reader.read(root)
        return (settings, (earlier + reader.complaints).inOrderOfTheFile)
    }
}

extension [Complaint] {
    /// In the order of the file, whatever the order in which it was read.
    var inOrderOfTheFile: [Complaint] {
        guard count > 1 else { return self }
        return enumerated().sorted { a, b in
            let left = a.element.place
            let right = b.element.place
            return (left.line ?? 0, left.column ?? 0, a.offset) < (right.line ?? 0, right.column ?? 0, b.offset)
        }.map(\.element)
    }
}

/// Reads the keys of a file.
struct SettingsReader {
    private var nodes: NodeReader
    private let file: String

    var complaints: [Complaint] { nodes.complaints }

    init(file: String) {
        self.file = file
        nodes = NodeReader(file: file)
    }

    static let keys = [
        "name", "description", "hostname", "profile", "listeners", "hide", "auth-in-clear", "limits", "tls", "ca-file",
        "replies", "store", "store-sync", "retention", "transcript", "http", "http-token", "http-host", "http-origin",
        "seed", "time-scale", "loops", "magic", "judging", "exit-after", "ready-file", "rules",
    ]

    mutating func read(_ root: Node) -> Settings {
        let fields = nodes.fields(of: root, known: Self.keys, in: "the settings")
        var settings = Settings()
        settings.name = nodes.parsed(fields["name"], Value.listenerName)
        settings.description = nodes.string(fields["description"])
        settings.hostname = nodes.parsed(fields["hostname"], Value.hostname)
        settings.profile = nodes.parsed(fields["profile"], Value.profile)
        settings.hide = nodes.capabilities(fields["hide"])
        settings.authInClear = nodes.parsed(fields["auth-in-clear"], Value.switched)
        settings.limits = limits(fields["limits"], isListener: false)
        settings.tls = tls(fields["tls"])
        settings.caFile = path(fields["ca-file"])
        settings.replyFolders = nodes.strings(fields["replies"])?.map { node, text in
            Settings.PlacedPath(path: TextFile.path(text, from: file), place: nodes.place(node))
        }
        settings.store = nodes.parsed(fields["store"], Value.store)
        if case .file(let path) = settings.store { settings.store = .file(TextFile.path(path, from: file)) }
        settings.storeSync = nodes.parsed(fields["store-sync"]) { Value.choice($0, Settings.StoreSync.self) }
        settings.retention = retention(fields["retention"])
        settings.transcript = nodes.parsed(fields["transcript"]) { Value.choice($0, Settings.Transcript.self) }
        settings.http = nodes.parsed(fields["http"], Value.http)
        settings.httpToken = nodes.parsed(fields["http-token"], Value.token)
        settings.httpHosts = words(fields["http-host"], Value.hostname)
        settings.httpOrigins = words(fields["http-origin"], Value.origin)
        settings.seed = nodes.parsed(fields["seed"], Value.seed)
        settings.timeScale = nodes.parsed(fields["time-scale"], Value.timeScale)
        settings.loops = nodes.parsed(fields["loops"], Value.loops)
        settings.magic = magic(fields["magic"])
        settings.judging = judging(fields["judging"])
        settings.exitAfter = exitAfter(fields["exit-after"])
        settings.readyFile = nodes.string(fields["ready-file"]).map { TextFile.path($0, from: file) }
        settings.listeners = listeners(fields["listeners"])
        settings.rules = rules(fields["rules"])
        return settings
    }

    /// One value or a list of them.
    private mutating func words(
        _ field: NodeReader.Field?, _ parse: (String) -> Result<String, RuleText>
    ) -> [String]? {
        guard let field, let texts = nodes.strings(field) else { return nil }
        return texts.compactMap { node, text in
            switch parse(text) {
            case .success(let value): return value
            case .failure(let complaint):
                nodes.error(node, "\(field.key.scalar?.string ?? "this"): \(complaint)")
                return nil
            }
        }
    }

    private mutating func magic(_ field: NodeReader.Field?) -> MagicPacks? {
        guard let field, case .sequence = field.value else { return nodes.parsed(field, MagicPacks.parse) }
        guard let texts = nodes.strings(field) else { return nil }
        if texts.isEmpty { return [] }
        switch MagicPacks.parse(texts.map(\.text).joined(separator: ",")) {
        case .success(let packs): return packs
        case .failure(let complaint):
            nodes.error(field.value, "magic: \(complaint)")
            return nil
        }
    }

    private mutating func judging(_ field: NodeReader.Field?) -> Settings.JudgingLayer {
        var reader = JudgingReader(nodes: nodes)
        defer { nodes = reader.nodes }
        return reader.read(field)
    }

    private mutating func rules(_ field: NodeReader.Field?) -> [Settings.PlacedRule] {
        var reader = RuleReader(nodes: nodes)
        defer { nodes = reader.nodes }
        return reader.read(field)
    }

    // MARK: Listeners

    static let mostListeners = 1000

    private static let listenerKeys = [
        "smtp", "smtps", "name", "hostname", "profile", "hide", "offer", "auth-in-clear", "limits", "tls", "rules",
    ]

    private mutating func listeners(_ field: NodeReader.Field?) -> [Settings.Listener]? {
        guard let list = nodes.list(field) else { return nil }
        if list.isEmpty, let field {
            nodes.error(
                field.value, "no listener is no server; leave the key out for smtp on \(Configuration.usualAddress)")
            return nil
        }
        if list.count > Self.mostListeners {
            nodes.error(list[Self.mostListeners], "more than \(Self.mostListeners) listeners")
        }
        return list.prefix(Self.mostListeners).compactMap { listener($0) }
    }

    private mutating func listener(_ node: Node) -> Settings.Listener? {
        if let text = node.scalar?.string {
            nodes.error(node, "a listener is written as smtp: \(text.shown), not as an address alone")
            return nil
        }
        let fields = nodes.fields(of: node, known: Self.listenerKeys, in: "a listener")
        let implicitTLS = fields["smtps"] != nil
        if implicitTLS, let second = fields["smtp"] {
            nodes.error(second.key, "a listener has one address, smtp or smtps; write two listeners")
        }
        guard let field = fields["smtps"] ?? fields["smtp"] else {
            if case .mapping = node { nodes.error(node, "a listener needs its address, as smtp: 127.0.0.1:1025") }
            return nil
        }
        let address = nodes.parsed(field, Value.address)
        var listener = Settings.Listener(
            place: nodes.place(field.value), address: address ?? "", implicitTLS: implicitTLS)
        listener.name = nodes.parsed(fields["name"], Value.listenerName)
        listener.hostname = nodes.parsed(fields["hostname"], Value.hostname)
        listener.profile = nodes.parsed(fields["profile"], Value.profile)
        listener.hide = nodes.capabilities(fields["hide"])
        listener.offer = nodes.capabilities(fields["offer"])
        listener.authInClear = nodes.parsed(fields["auth-in-clear"], Value.switched)
        listener.limits = limits(fields["limits"], isListener: true)
        listener.tls = tls(fields["tls"])
        listener.rules = rules(fields["rules"])
        for placed in listener.rules where placed.rule.when.contains(where: { $0.key == .listener }) {
            nodes.add(Complaint(placed.place, "a rule of one listener has no condition on listener"))
        }
        listener.rules.removeAll { $0.rule.when.contains { $0.key == .listener } }
        return address == nil ? nil : listener
    }

    // MARK: Groups

    private static let limitKeys = [
        "command-line", "auth-line", "message-size", "recipients", "transactions", "errors", "client-timeout",
        "connections",
    ]

    private mutating func limits(_ field: NodeReader.Field?, isListener: Bool) -> Settings.LimitSettings {
        var limits = Settings.LimitSettings()
        guard let field else { return limits }
        let known = isListener ? Array(Self.limitKeys.dropLast()) : Self.limitKeys
        let fields = nodes.fields(of: field.value, known: known, in: "limits")
        // RFC 5321 §4.5.3.1.4 asks for 512 octets, RFC 4954 §4 for 12288.
        limits.commandLine = nodes.parsed(fields["command-line"]) { Value.size($0, in: 512...(1 << 20)) }
        limits.authLine = nodes.parsed(fields["auth-line"]) { Value.size($0, in: 512...(1 << 20)) }
        limits.messageSize = nodes.parsed(fields["message-size"]) { Value.size($0, in: 0...(1 << 40)) }
        limits.recipients = nodes.parsed(fields["recipients"]) { Value.number($0, in: 1...1_000_000) }
        limits.transactions = nodes.parsed(fields["transactions"]) { Value.number($0, in: 1...1_000_000_000) }
        limits.errors = nodes.parsed(fields["errors"]) { Value.number($0, in: 1...1_000_000_000) }
        limits.clientTimeout = nodes.parsed(fields["client-timeout"]) {
            Value.span($0, atLeast: Span(ns: 1_000_000))
        }
        limits.connections = nodes.parsed(fields["connections"]) { Value.number($0, in: 1...1_000_000) }
        return limits
    }

    private mutating func retention(_ field: NodeReader.Field?) -> Settings.RetentionSettings {
        var retention = Settings.RetentionSettings()
        guard let field else { return retention }
        let fields = nodes.fields(
            of: field.value,
            known: [
                "messages", "message-octets", "message-age", "sessions", "session-octets", "session-age",
            ], in: "retention")
        retention.messageAge = nodes.parsed(fields["message-age"], Value.age)
        retention.sessionAge = nodes.parsed(fields["session-age"], Value.age)
        retention.messages = nodes.parsed(fields["messages"]) { Value.number($0, in: 1...100_000_000) }
        retention.messageOctets = nodes.parsed(fields["message-octets"]) { Value.size($0, in: 1...(1 << 44)) }
        retention.sessions = nodes.parsed(fields["sessions"]) { Value.number($0, in: 1...100_000_000) }
        retention.sessionOctets = nodes.parsed(fields["session-octets"]) { Value.size($0, in: 1...(1 << 44)) }
        return retention
    }

    private mutating func tls(_ field: NodeReader.Field?) -> Settings.TLSSettings {
        var tls = Settings.TLSSettings()
        guard let field else { return tls }
        if field.value.scalar != nil {
            tls.isOff = nodes.parsed(field) { text in
                Value.switched(text).map { !$0 }.mapError { _ in
                    RuleText("\"\(text.shown)\" is neither on, off, nor cert: FILE and key: FILE, nor fault: NAME")
                }
            }
            return tls
        }
        let fields = nodes.fields(of: field.value, known: ["cert", "key", "fault"], in: "tls")
        tls.certificate = path(fields["cert"])
        tls.key = path(fields["key"])
        if let field = fields["fault"] {
            tls.fault = nodes.parsed(field) { text in
                text.trimmed.asciiLowercased == "none" ? .success(TLSFault?.none) : TLSFault.parse(text).map { $0 }
            }
        }
        return tls
    }

    private mutating func path(_ field: NodeReader.Field?) -> Settings.PlacedPath? {
        guard let field, let text = nodes.string(field) else { return nil }
        return Settings.PlacedPath(path: TextFile.path(text, from: file), place: nodes.place(field.value))
    }

    private mutating func exitAfter(_ field: NodeReader.Field?) -> Settings.ExitAfter? {
        guard let field else { return nil }
        if field.value.scalar != nil { return nodes.parsed(field, Value.exitAfter) }
        var exitAfter = Settings.ExitAfter()
        let fields = nodes.fields(of: field.value, known: Settings.ExitAfter.words, in: "exit-after")
        for word in Settings.ExitAfter.words {
            guard let field = fields[word], let text = nodes.string(field) else { continue }
            if let complaint = exitAfter.set(word, text) { nodes.error(field.value, complaint.description) }
        }
        return exitAfter
    }
}
