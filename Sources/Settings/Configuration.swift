// The settings as the sink uses them: every value stated or defaulted, every listener complete, the rules of listeners
// bound to them. This file is where every default stands.

import Faults
import Findings
import SMTP

/// Everything fakemx starts with. `Configuration()` is what it does when nobody states anything.
package struct Configuration: Sendable, Hashable {
    /// RFC 6761 §6.2 keeps `.test` free for us.
    package var hostname = "mx.fakemx.test"
    package var listeners: [Listener] = []
    package var store: Settings.Store = .memory
    package var storeSync: Settings.StoreSync = .normal
    package var http: Settings.HTTP = .auto
    package var httpToken: String?
    package var httpHosts: [String] = []
    package var httpOrigins: [String] = []
    package var retention = Retention()
    package var transcript: Settings.Transcript = .auto
    package var seed: UInt64 = 1
    package var timeScale: Double = 1
    /// How senders are judged; nil: they are not.
    package var judging: JudgingSettings? = JudgingSettings()
    /// Those who are asked about senders.
    package var names = Names.off
    package var rspamd = Settings.MailSource.off
    /// Event loops; 0 stands for one a core, or one alone where the store is a file and its commits do not wait for the
    /// disk.
    package var loops = 0
    package var magic = MagicPacks.usual
    package var exitAfter = Settings.ExitAfter()
    package var readyFile: String?
    /// Sessions open at once.
    package var connections = 20_000
    package var rules: [Rule] = []
    /// Where the certificate of fakemx's own authority goes; nil: there is none, and certificates sign themselves.
    package var caFile: Settings.PlacedPath?
    package var catalogue = Catalogue.empty

    package init() { listeners = [Listener(name: "smtp", address: Self.usualAddress, hostname: hostname)] }

    package static let usualAddress = "127.0.0.1:1025"
    package static let usualHTTPAddress = "127.0.0.1:8025"

    /// A listener with everything it needs.
    package struct Listener: Sendable, Hashable {
        package var name: String
        /// `HOST:PORT`, `[IPv6]:PORT` or `unix:/path`.
        package var address: String
        package var implicitTLS = false
        package var hostname: String
        /// Which server it looks like. `capabilities` and `limits` have its list and its size already.
        package var style: ServerStyle = .modern
        package var capabilities: CapabilitySet = .all
        package var authInClear = false
        package var limits = Limits()
        package var tls: TLS = .selfSigned
        /// How TLS goes wrong here, where no rule says otherwise.
        package var tlsFault: TLSFault?

        package init(name: String, address: String, hostname: String) {
            self.name = name
            self.address = address
            self.hostname = hostname
        }

        /// For the session. `tlsAvailable` is for STARTTLS, so false on an implicit listener only when TLS is off.
        package var profile: Profile {
            Profile(
                hostname: hostname, capabilities: capabilities, limits: limits, tlsAvailable: tls != .off,
                authInClear: authInClear, style: style)
        }
    }

    package enum TLS: Sendable, Hashable {
        case off
        /// Made at start for the listener's host name.
        case selfSigned
        case files(certificate: Settings.PlacedPath, key: Settings.PlacedPath)
    }

    package struct Retention: Sendable, Hashable {
        package var messages = 10_000
        package var messageOctets = 256 << 20
        package var sessions = 10_000
        package var sessionOctets = 64 << 20
        /// nil: any age.
        package var messageAge: Span?
        package var sessionAge: Span?

        package init() {}
    }
}

extension Configuration {
    /// Completes one layer, usually the sum of all.
    ///
    /// - Parameter catalogue: what `use` must find its replies in.
    package static func complete(
        _ settings: Settings, _ catalogue: Catalogue
    ) -> (configuration: Configuration, complaints: [Complaint]) {
        var configuration = Configuration()
        configuration.hostname = settings.hostname ?? configuration.hostname
        configuration.store = settings.store ?? configuration.store
        configuration.storeSync = settings.storeSync ?? configuration.storeSync
        configuration.http = settings.http ?? configuration.http
        configuration.httpToken = settings.httpToken
        configuration.httpHosts = settings.httpHosts ?? []
        configuration.httpOrigins = settings.httpOrigins ?? []
        configuration.retention.messageAge = settings.retention.messageAge.flatMap { $0.ns > 0 ? $0 : nil }
        configuration.retention.sessionAge = settings.retention.sessionAge.flatMap { $0.ns > 0 ? $0 : nil }
        configuration.transcript = settings.transcript ?? configuration.transcript
        configuration.seed = settings.seed ?? configuration.seed
        configuration.timeScale = settings.timeScale ?? configuration.timeScale
        configuration.loops = settings.loops ?? configuration.loops
        configuration.magic = settings.magic ?? configuration.magic
        configuration.judging = settings.judging.complete
        configuration.exitAfter = settings.exitAfter ?? configuration.exitAfter
        configuration.readyFile = settings.readyFile
        configuration.caFile = settings.caFile
        configuration.connections = settings.limits.connections ?? configuration.connections
        configuration.retention.messages = settings.retention.messages ?? configuration.retention.messages
        configuration.retention.messageOctets =
            settings.retention.messageOctets ?? configuration.retention.messageOctets
        configuration.retention.sessions = settings.retention.sessions ?? configuration.retention.sessions
        configuration.retention.sessionOctets =
            settings.retention.sessionOctets ?? configuration.retention.sessionOctets

        var complaints: [Complaint] = []
        configuration.names = names(settings.judging.names, &complaints) ?? .off
        configuration.rspamd = settings.judging.rspamd ?? .off
        var placed: [Settings.PlacedRule] = []
        let usual = Settings.Listener(
            place: Place(source: "default"), address: usualAddress, implicitTLS: false)
        let stated = settings.listeners ?? [usual]
        configuration.listeners = []
        for listener in stated {
            let complete = completed(listener, settings, configuration.listeners.map(\.name), &complaints)
            configuration.listeners.append(complete)
            placed += listener.rules.map { bound($0, to: complete.name) }
        }
        // A rule of a listener knows more than one for all, so it is asked first.
        placed += settings.rules
        complaints += RuleSet.complaints(about: placed, configuration.listeners, catalogue)
        configuration.rules = placed.map(\.rule)
        configuration.catalogue = catalogue
        return (configuration, complaints)
    }

    private static func completed(
        _ listener: Settings.Listener, _ settings: Settings, _ taken: [String], _ complaints: inout [Complaint]
    ) -> Listener {
        let kind = listener.implicitTLS ? "smtps" : "smtp"
        var name = listener.name ?? kind
        if taken.contains(name) {
            if listener.name != nil {
                complaints.append(Complaint(listener.place, "a second listener named \"\(name.shown)\""))
            }
            var number = 2
            while taken.contains("\(kind)-\(number)") { number += 1 }
            name = "\(kind)-\(number)"
        }
        var complete = Listener(
            name: name, address: listener.address,
            hostname: listener.hostname ?? settings.hostname ?? Configuration().hostname)
        complete.implicitTLS = listener.implicitTLS
        complete.style = listener.profile ?? settings.profile ?? .modern
        complete.capabilities = complete.style.capabilities
            .subtracting(settings.hide ?? []).subtracting(listener.hide ?? []).union(listener.offer ?? [])
        complete.authInClear = listener.authInClear ?? settings.authInClear ?? false
        var limits = settings.limits
        limits.merge(listener.limits)
        complete.limits.messageSize = complete.style.messageSize ?? complete.limits.messageSize
        limits.apply(to: &complete.limits)
        var tls = settings.tls
        tls.merge(listener.tls)
        complete.tls = choice(tls, listener, &complaints)
        complete.tlsFault = tls.fault ?? nil
        if let fault = complete.tlsFault, complete.tls == .off, fault != .hidden {
            complaints.append(
                Complaint(listener.place, "tls fault \(fault), but TLS is off; switch it on, or leave the fault out"))
        }
        if let fault = complete.tlsFault, listener.implicitTLS, fault.needsSTARTTLS {
            complaints.append(
                Complaint(listener.place, "tls fault \(fault) is about STARTTLS, which smtps does not have; use smtp"))
        }
        return complete
    }

    private static func choice(
        _ tls: Settings.TLSSettings, _ listener: Settings.Listener, _ complaints: inout [Complaint]
    ) -> TLS {
        if tls.isOff == true {
            if listener.implicitTLS {
                complaints.append(
                    Complaint(listener.place, "TLS is off, but smtps begins with it; use smtp, or switch TLS on here"))
            }
            return .off
        }
        switch (tls.certificate, tls.key) {
        case (let certificate?, let key?): return .files(certificate: certificate, key: key)
        case (let certificate?, nil):
            complaints.append(
                Complaint(certificate.place, "a certificate without its key; name it with --tls-key, or key: in a file")
            )
        case (nil, let key?):
            complaints.append(
                Complaint(key.place, "a key without its certificate; name it with --tls-cert, or cert: in a file"))
        case (nil, nil): break
        }
        return .selfSigned
    }

    /// The rule, for one listener only. Names of listeners hold no character that a glob knows.
    private static func bound(_ placed: Settings.PlacedRule, to listener: String) -> Settings.PlacedRule {
        var placed = placed
        if case .success(let condition) = Condition.parse(.listener, [listener]) {
            placed.rule.when.append(condition)
        }
        return placed
    }
}

extension TLSFault {
    /// It needs the command, and so a listener that speaks in clear first.
    fileprivate var needsSTARTTLS: Bool { kind == .smtp && self != .ehloChanged && self != .offeredAgain }
}

/// What can be said about rules only where everything else is known.
enum RuleSet {
    static func complaints(
        about rules: [Settings.PlacedRule], _ listeners: [Configuration.Listener], _ catalogue: Catalogue
    ) -> [Complaint] {
        var complaints = namingComplaints(about: rules, listeners: listeners.map(\.name))
        for placed in rules {
            for (step, actions) in placed.rule.schedule.steps.enumerated() {
                for (index, action) in actions.enumerated() {
                    let place = placed.actions[.action(step: step, index: index)] ?? placed.place
                    complaints += self.complaints(about: action, of: placed.rule, at: place, listeners, catalogue)
                }
            }
        }
        // The same file may be named twice; its complaints are said once.
        var seen: Set<Complaint> = []
        return complaints.filter { seen.insert($0).inserted }
    }

    private static func complaints(
        about action: RuleAction, of rule: Rule, at place: Place, _ listeners: [Configuration.Listener],
        _ catalogue: Catalogue
    ) -> [Complaint] {
        switch action {
        case .use(let name):
            guard let entry = catalogue[name] else {
                let nearest = catalogue.nearest(name).map { "\"\($0)\"" }
                let hint = nearest.isEmpty ? "" : "; did you mean \(nearest.joined(separator: " or "))?"
                let none = catalogue.entries.isEmpty ? "; no reply at all was found, see --replies" : ""
                return [Complaint(place, "no reply of the catalogue is named \"\(name.shown)\"\(hint)\(none)")]
            }
            guard let phase = entry.phase, phase != rule.at else { return [] }
            return [
                Complaint(
                    .warning, place,
                    "\(entry.name) was seen at \(phase.rawValue), not at \(rule.at.rawValue); said as it stands")
            ]
        case .tls(let fault):
            let served = listeners.filter { rule.mayServe($0.name) }
            guard !served.isEmpty else { return [] }
            if served.allSatisfy({ $0.tls == .off }) {
                return [
                    Complaint(place, "tls \(fault), but TLS is off on every listener of this rule; switch it on there")
                ]
            }
            if fault.needsSTARTTLS, served.allSatisfy(\.implicitTLS) {
                return [
                    Complaint(place, "tls \(fault) is about STARTTLS, which smtps does not have; the rule never fires")
                ]
            }
            return []
        default: return []
        }
    }

    private static func namingComplaints(about rules: [Settings.PlacedRule], listeners: [String]) -> [Complaint] {
        var complaints: [Complaint] = []
        var names: [String: Place] = [:]
        for (index, placed) in rules.enumerated() {
            if index == Engine.Bounds.rules {
                complaints.append(Complaint(placed.place, "more than \(Engine.Bounds.rules) rules"))
            }
            let name = placed.rule.name
            guard !name.isEmpty else { continue }
            if let first = names[name] {
                complaints.append(
                    Complaint(placed.place, "a second rule named \"\(name)\"; the first stands at \(first)"))
            } else {
                names[name] = placed.place
            }
        }
        for placed in rules {
            for condition in placed.rule.when where condition.key == .listener {
                for case .text(let pattern) in condition.tests where !listeners.contains(where: pattern.matches) {
                    let hint = Suggestion.didYouMean(pattern.source, among: listeners)
                    complaints.append(
                        Complaint(
                            .warning, placed.place,
                            "no listener is named \"\(pattern.source.shown)\"\(hint); the rule never fires"))
                }
            }
        }
        return complaints
    }
}

extension Rule {
    /// The conditions on its listener, if any, let this one through.
    fileprivate func mayServe(_ listener: String) -> Bool {
        when.filter { $0.key == .listener }.allSatisfy { condition in
            condition.tests.contains { if case .text(let pattern) = $0 { pattern.matches(listener) } else { false } }
        }
    }
}
