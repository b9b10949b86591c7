// One layer of settings, as a file, the environment or the command line states it: every value may be missing. Layers
// are put over each other with `merge`; what nobody stated gets its default in Configuration.swift.

import Faults
import SMTP

/// One layer of settings; nil is "not stated here".
package struct Settings: Sendable, Hashable {
    /// Of a scenario.
    package var name: String?
    package var description: String?
    package var hostname: String?
    package var listeners: [Listener]?
    /// Which server every listener looks like, unless it says so itself.
    package var profile: ServerStyle?
    /// Keywords that no listener offers, unless it says so itself.
    package var hide: CapabilitySet?
    package var authInClear: Bool?
    package var limits = LimitSettings()
    package var tls = TLSSettings()
    /// Where the certificate of the authority is written that signs what fakemx makes.
    package var caFile: PlacedPath?
    /// Folders with files of the catalogue.
    package var replyFolders: [PlacedPath]?
    package var store: Store?
    package var storeSync: StoreSync?
    package var http: HTTP?
    package var httpToken: String?
    /// Names that the Host of a request may have, beside those that cannot be somebody else's.
    package var httpHosts: [String]?
    /// Origins whose pages may use the API.
    package var httpOrigins: [String]?
    package var retention = RetentionSettings()
    package var transcript: Transcript?
    package var seed: UInt64?
    package var timeScale: Double?
    /// 0 stands for one a core.
    package var loops: Int?
    package var magic: MagicPacks?
    /// How senders are judged.
    package var judging = JudgingLayer()
    package var exitAfter: ExitAfter?
    package var readyFile: String?
    package var rules: [PlacedRule] = []

    package init() {}

    package enum Store: Sendable, Hashable {
        case memory, none
        /// A file of SQLite, its path relative to the current folder.
        case file(String)
    }

    package enum StoreSync: String, Sendable, Hashable, CaseIterable {
        /// Survives the end of the process.
        case normal
        /// Survives a power cut.
        case full
    }

    package enum HTTP: Sendable, Hashable {
        case off
        /// The usual address, and where that is taken a free port.
        case auto
        /// `HOST:PORT`, `[IPv6]:PORT` or `unix:/path`; its form is checked.
        case at(String)
    }

    package enum Transcript: String, Sendable, Hashable, CaseIterable {
        /// Text on a terminal, off elsewhere.
        case auto
        case text, json, off
    }

    /// A rule and where it stands.
    package struct PlacedRule: Sendable, Hashable {
        package var rule: Rule
        package var place: Place
        /// Where its actions stand, as far as they are named in complaints that come later.
        package var actions: [RulePart: Place]

        package init(rule: Rule, place: Place, actions: [RulePart: Place] = [:]) {
            self.rule = rule
            self.place = place
            self.actions = actions
        }
    }

    /// A listener; what it does not state it takes from the settings around it.
    package struct Listener: Sendable, Hashable {
        package var place: Place
        /// `HOST:PORT`, `[IPv6]:PORT` or `unix:/path`; its form is checked.
        package var address: String
        /// TLS begins with the first octet (RFC 8314 §3.3).
        package var implicitTLS: Bool
        package var name: String?
        package var hostname: String?
        package var profile: ServerStyle?
        package var hide: CapabilitySet?
        package var offer: CapabilitySet?
        package var authInClear: Bool?
        package var limits = LimitSettings()
        package var tls = TLSSettings()
        /// For this listener alone.
        package var rules: [PlacedRule] = []

        package init(place: Place, address: String, implicitTLS: Bool) {
            self.place = place
            self.address = address
            self.implicitTLS = implicitTLS
        }
    }

    /// The limits of a session (`SMTP.Limits`), and how many sessions there may be.
    package struct LimitSettings: Sendable, Hashable {
        package var commandLine: Int?
        package var authLine: Int?
        package var messageSize: Int?
        package var recipients: Int?
        package var transactions: Int?
        package var errors: Int?
        package var clientTimeout: Span?
        /// Open at once, over all listeners; not for one listener.
        package var connections: Int?

        package init() {}

        package mutating func merge(_ over: LimitSettings) {
            commandLine = over.commandLine ?? commandLine
            authLine = over.authLine ?? authLine
            messageSize = over.messageSize ?? messageSize
            recipients = over.recipients ?? recipients
            transactions = over.transactions ?? transactions
            errors = over.errors ?? errors
            clientTimeout = over.clientTimeout ?? clientTimeout
            connections = over.connections ?? connections
        }

        /// Puts what is stated here over `limits`.
        func apply(to limits: inout Limits) {
            if let commandLine { limits.commandLine = commandLine }
            if let authLine { limits.authLine = authLine }
            if let messageSize { limits.messageSize = messageSize }
            if let recipients { limits.recipients = recipients }
            if let transactions { limits.transactions = transactions }
            if let errors { limits.errors = errors }
            if let clientTimeout { limits.clientTimeout_ms = Int(clientTimeout.ns / 1_000_000) }
        }
    }

    /// What is kept of the past, oldest first to go.
    package struct RetentionSettings: Sendable, Hashable {
        package var messages: Int?
        package var messageOctets: Int?
        package var sessions: Int?
        package var sessionOctets: Int?
        /// No time at all stands for any age.
        package var messageAge: Span?
        package var sessionAge: Span?

        package init() {}

        package mutating func merge(_ over: RetentionSettings) {
            messageAge = over.messageAge ?? messageAge
            sessionAge = over.sessionAge ?? sessionAge
            messages = over.messages ?? messages
            messageOctets = over.messageOctets ?? messageOctets
            sessions = over.sessions ?? sessions
            sessionOctets = over.sessionOctets ?? sessionOctets
        }
    }

    /// Certificate and key; without them one is made at start.
    package struct TLSSettings: Sendable, Hashable {
        /// Switched off, or on again over a layer that switched it off.
        package var isOff: Bool?
        package var certificate: PlacedPath?
        package var key: PlacedPath?
        /// How TLS goes wrong; nil within `.some` takes a fault of an outer layer away.
        package var fault: TLSFault??

        package init() {}

        package mutating func merge(_ over: TLSSettings) {
            isOff = over.isOff ?? (over.certificate != nil ? false : isOff)
            fault = over.fault ?? fault
            // The two belong together: a layer that names one of them speaks for both.
            if over.certificate != nil || over.key != nil {
                certificate = over.certificate
                key = over.key
            }
        }
    }

    /// A path, already relative to the current folder, and where it was named.
    package struct PlacedPath: Sendable, Hashable {
        package var path: String
        package var place: Place

        package init(path: String, place: Place) {
            self.path = path
            self.place = place
        }
    }

    /// The sink ends when one of these is reached.
    package struct ExitAfter: Sendable, Hashable {
        package var sessions: Int?
        package var messages: Int?
        package var idle: Span?

        package init(sessions: Int? = nil, messages: Int? = nil, idle: Span? = nil) {
            self.sessions = sessions
            self.messages = messages
            self.idle = idle
        }
    }

    /// Puts another layer over this one. Its rules come first, since the first rule that fires wins; its listeners, if
    /// it states any, take the place of all listeners here.
    package mutating func merge(_ over: Settings) {
        name = over.name ?? name
        description = over.description ?? description
        hostname = over.hostname ?? hostname
        listeners = over.listeners ?? listeners
        profile = over.profile ?? profile
        hide = over.hide ?? hide
        authInClear = over.authInClear ?? authInClear
        limits.merge(over.limits)
        tls.merge(over.tls)
        caFile = over.caFile ?? caFile
        replyFolders = over.replyFolders ?? replyFolders
        store = over.store ?? store
        storeSync = over.storeSync ?? storeSync
        http = over.http ?? http
        httpToken = over.httpToken ?? httpToken
        httpHosts = over.httpHosts ?? httpHosts
        httpOrigins = over.httpOrigins ?? httpOrigins
        retention.merge(over.retention)
        transcript = over.transcript ?? transcript
        seed = over.seed ?? seed
        timeScale = over.timeScale ?? timeScale
        loops = over.loops ?? loops
        magic = over.magic ?? magic
        judging.merge(over.judging)
        exitAfter = over.exitAfter ?? exitAfter
        readyFile = over.readyFile ?? readyFile
        rules = over.rules + rules
    }
}
