// What can be stated on the command line, and in the environment under the same name: `--time-scale 60` and
// `FAKEMX_TIME_SCALE=60` are one option.

import Faults
import Findings
import SMTP

/// One option of `fakemx serve`. The raw value is its flag without the dashes.
package enum Option: String, Sendable, Hashable, CaseIterable {
    case config, scenario, replies, rule, smtp, smtps, http, hostname, profile
    case tlsCert = "tls-cert"
    case tlsKey = "tls-key"
    case tlsFault = "tls-fault"
    case caFile = "ca-file"
    case httpToken = "http-token"
    case httpHost = "http-host"
    case httpOrigin = "http-origin"
    case tls, store
    case storeSync = "store-sync"
    case transcript, seed
    case timeScale = "time-scale"
    case loops
    case magic
    case noMagic = "no-magic"
    case judge, dns, rspamd
    case exitAfter = "exit-after"
    case readyFile = "ready-file"

    package var flag: String { "--\(rawValue)" }
    package var variable: String { "FAKEMX_" + rawValue.uppercased().replacing("-", with: "_") }

    /// What --profile takes, for help.
    package static let profileNames = ServerStyle.names.joined(separator: ", ")

    /// What --judge takes, for help.
    package static let judgeNames = (SenderProfile.allCases.map(\.rawValue) + ["off"]).joined(separator: "|")

    package init?(variable: String) {
        guard let option = Self.allCases.first(where: { $0.variable == variable }) else { return nil }
        self = option
    }

    /// What stands between several values of one variable: a new line for rules, which hold commas and spaces.
    fileprivate func values(of text: String) -> [String] {
        switch self {
        case .rule: text.split(whereSeparator: \.isNewline).map(String.init).filter { !$0.trimmed.isEmpty }
        case .scenario, .replies, .smtp, .smtps, .httpHost, .httpOrigin:
            text.split { $0 == "," || $0 == " " }.map(String.init)
        default: [text]
        }
    }
}

/// What the command line or the environment states: a layer of settings, and which files to read.
package struct Stated: Sendable, Hashable {
    package var settings = Settings()
    package var config: String?
    package var scenarios: [String] = []
    /// Folders with files of the catalogue.
    package var replyFolders: [Settings.PlacedPath] = []
    /// Where the scenarios were named.
    package var scenarioPlace = Place(source: "--scenario")
    package var configPlace = Place(source: "--config")

    package init() {}
}

extension Stated {
    /// Flags in the order in which they came.
    package static func flags(_ flags: [(option: Option, value: String)]) -> (stated: Stated, complaints: [Complaint]) {
        var stated = Stated()
        var complaints: [Complaint] = []
        for (option, value) in flags {
            complaints += stated.take(option, value, Place(source: option.flag))
        }
        return (stated, complaints)
    }

    /// Variables that begin with `FAKEMX_` and are no option of `serve`: the address of a running fakemx, for other
    /// commands, what Config/ci/conftest.py knows, and what Scripts/ and Tests/Clients hand to themselves.
    private static let otherVariables = [
        "FAKEMX_URL", "FAKEMX_TOKEN", "FAKEMX_BIN", "FAKEMX_TIMEOUT_S", "FAKEMX_REPLACE_MTA", "FAKEMX_WRITE_TABLE",
    ]

    package static func environment(_ variables: [String: String]) -> (stated: Stated, complaints: [Complaint]) {
        var stated = Stated()
        var complaints: [Complaint] = []
        stated.scenarioPlace = Place(source: Option.scenario.variable)
        stated.configPlace = Place(source: Option.config.variable)
        for (name, text) in variables.sorted(by: { $0.key < $1.key }) where name.hasPrefix("FAKEMX_") {
            let place = Place(source: name.shown)
            guard let option = Option(variable: name) else {
                guard !otherVariables.contains(name) else { continue }
                let known = Option.allCases.map(\.variable) + otherVariables
                complaints.append(Complaint(place, "unknown variable\(Self.nearest(name, known))"))
                continue
            }
            // `FAKEMX_SEED= fakemx serve` takes the variable away for one run.
            guard !text.isEmpty else { continue }
            for value in option.values(of: text) { complaints += stated.take(option, value, place) }
        }
        return (stated, complaints)
    }

    private static func nearest(_ name: String, _ known: [String]) -> String {
        // The common beginning would make any two of them look alike.
        let words = known.map { String($0.dropFirst("FAKEMX_".count)) }
        let hint = Suggestion.nearest(
            String(name.dropFirst("FAKEMX_".count)).replacing("_", with: "-"),
            among: words.map { $0.replacing("_", with: "-") })
        return hint.map { "; did you mean \"FAKEMX_\($0.replacing("-", with: "_"))\"?" } ?? ""
    }

    /// Takes one value.
    private mutating func take(_ option: Option, _ text: String, _ place: Place) -> [Complaint] {
        func set<Value>(_ result: Result<Value, RuleText>, _ take: (Value) -> Void) -> [Complaint] {
            switch result {
            case .success(let value):
                take(value)
                return []
            case .failure(let complaint): return [Complaint(place, complaint.description)]
            }
        }
        switch option {
        case .config: config = text
        case .scenario: scenarios.append(text)
        case .replies: replyFolders.append(Settings.PlacedPath(path: text, place: place))
        case .rule: return takeRule(text, place)
        case .smtp, .smtps:
            return set(Value.address(text)) {
                let listener = Settings.Listener(place: place, address: $0, implicitTLS: option == .smtps)
                settings.listeners = (settings.listeners ?? []) + [listener]
            }
        case .http: return set(Value.http(text)) { settings.http = $0 }
        case .httpToken: return set(Value.token(text)) { settings.httpToken = $0 }
        case .httpHost: return set(Value.hostname(text)) { settings.httpHosts = (settings.httpHosts ?? []) + [$0] }
        case .httpOrigin: return set(Value.origin(text)) { settings.httpOrigins = (settings.httpOrigins ?? []) + [$0] }
        case .storeSync:
            return set(Value.choice(text, Settings.StoreSync.self)) { settings.storeSync = $0 }
        case .hostname: return set(Value.hostname(text)) { settings.hostname = $0 }
        case .profile: return set(Value.profile(text)) { settings.profile = $0 }
        case .tlsCert: settings.tls.certificate = Settings.PlacedPath(path: text, place: place)
        case .tlsKey: settings.tls.key = Settings.PlacedPath(path: text, place: place)
        case .tlsFault: return set(TLSFault.parse(text)) { settings.tls.fault = .some($0) }
        case .caFile: settings.caFile = Settings.PlacedPath(path: text, place: place)
        case .tls: return set(Value.switched(text)) { settings.tls.isOff = !$0 }
        case .store: return set(Value.store(text)) { settings.store = $0 }
        case .transcript: return set(Value.choice(text, Settings.Transcript.self)) { settings.transcript = $0 }
        case .seed: return set(Value.seed(text)) { settings.seed = $0 }
        case .timeScale: return set(Value.timeScale(text)) { settings.timeScale = $0 }
        case .loops: return set(Value.loops(text)) { settings.loops = $0 }
        case .magic: return set(MagicPacks.parse(text)) { settings.magic = $0 }
        case .noMagic: return set(Value.switched(text)) { settings.magic = $0 ? [] : .usual }
        case .judge: return set(Value.judging(text)) { settings.judging.merge($0) }
        case .dns: return set(Value.names(text, from: nil, place)) { settings.judging.names = $0 }
        case .rspamd: return set(Value.rspamd(text)) { settings.judging.rspamd = $0 }
        case .exitAfter:
            return set(Value.exitAfter(text)) { stated in
                var exitAfter = settings.exitAfter ?? Settings.ExitAfter()
                exitAfter.sessions = stated.sessions ?? exitAfter.sessions
                exitAfter.messages = stated.messages ?? exitAfter.messages
                exitAfter.idle = stated.idle ?? exitAfter.idle
                settings.exitAfter = exitAfter
            }
        case .readyFile: settings.readyFile = text
        }
        return []
    }

    private mutating func takeRule(_ line: String, _ place: Place) -> [Complaint] {
        let notes = RuleLine.examine(line)
        func complaint(_ severity: Complaint.Severity, _ note: RuleError) -> Complaint {
            Complaint(severity, Place(source: place.source, column: note.column), "\(note.message) in '\(line.shown)'")
        }
        if let rule = notes.rule {
            let actions = notes.columns.mapValues { Place(source: place.source, column: $0) }
            settings.rules.append(Settings.PlacedRule(rule: rule, place: place, actions: actions))
        }
        return notes.errors.map { complaint(.error, $0) } + notes.warnings.map { complaint(.warning, $0) }
    }
}
