// How senders are judged, as one layer of settings states it: off, a profile, rules with another severity and a reason,
// and the numbers that rules compare with. What the rules mean stands in Findings; here are the words for them.

import Faults
import Findings

extension Settings {
    /// One layer; nil is "not stated here".
    package struct JudgingLayer: Sendable, Hashable {
        /// Switched off, or on again over a layer that switched it off.
        package var isOff: Bool?
        package var profile: SenderProfile?
        package var rules: [RuleID: JudgingSettings.Override] = [:]
        package var thresholds: [Threshold: Threshold.Value] = [:]
        /// Who is asked about names, and about SPF, DKIM and DMARC.
        package var names: NameSource?
        package var rspamd: MailSource?

        package init() {}

        /// States something other than `off`.
        private var speaks: Bool { profile != nil || !rules.isEmpty || !thresholds.isEmpty }

        /// Rules and thresholds are put over each other one by one; a layer that says how to judge switches it on.
        package mutating func merge(_ over: JudgingLayer) {
            isOff = over.isOff ?? (over.speaks ? false : isOff)
            profile = over.profile ?? profile
            rules.merge(over.rules) { _, over in over }
            thresholds.merge(over.thresholds) { _, over in over }
            names = over.names ?? names
            rspamd = over.rspamd ?? rspamd
        }

        /// nil: nobody is judged.
        var complete: JudgingSettings? {
            if isOff == true { return nil }
            var settings = JudgingSettings()
            settings.profile = profile ?? settings.profile
            settings.overrides = rules
            for (threshold, value) in thresholds { threshold.set(value, in: &settings.thresholds) }
            if names ?? .off != .off { settings.witnesses.insert(.names) }
            if rspamd ?? .off != .off { settings.witnesses.insert(.rspamd) }
            return settings
        }
    }
}

/// The numbers of `Findings.Thresholds` by the names that a file gives them. The time scale is none of them: it is the
/// one of the rules.
package enum Threshold: String, Sendable, Hashable, CaseIterable {
    case connectionsAtOnce = "connections-at-once"
    case connectionsPerMinute = "connections-per-minute"
    case messagesPerConnection = "messages-per-connection"
    case heldIdle = "held-idle"
    case singleTransactionSessions = "single-transaction-sessions"
    case errorsPerSession = "errors-per-session"
    case nonMailCommands = "non-mail-commands"
    case vrfyNames = "vrfy-names"
    case helloNames = "hello-names"
    case recipientCopies = "recipient-copies"
    case unknownShare = "unknown-share"
    case unknownLeast = "unknown-least"
    case retryImmediate = "retry-immediate"
    case retrySoon = "retry-soon"
    case retryWindow = "retry-window"
    case giveUp = "give-up"
    case dataFloor = "data-floor"

    package enum Value: Sendable, Hashable {
        case count(Int)
        case span(Span)
        /// From 0 to 1.
        case share(Double)
    }

    /// What a value of it looks like, in the file.
    func parse(_ text: String) -> Result<Value, RuleText> {
        switch self {
        case .heldIdle, .retryImmediate, .retrySoon, .retryWindow, .giveUp:
            SettingsValue.span(text, atLeast: Span(ns: 1_000_000)).map(Value.span)
        case .unknownShare: Self.share(text).map(Value.share)
        case .dataFloor: Self.rate(text).map(Value.count)
        default: SettingsValue.number(text, in: 1...1_000_000_000).map(Value.count)
        }
    }

    /// `10%`.
    private static func share(_ text: String) -> Result<Double, RuleText> {
        let digits = text.trimmed.hasSuffix("%") ? String(text.trimmed.dropLast()).trimmed : ""
        let isPlain = !digits.isEmpty && digits.utf8.allSatisfy { (48...57).contains($0) || $0 == 46 }
        guard isPlain, let percent = Double(digits), percent > 0, percent <= 100 else {
            return .failure("\"\(text.shown)\" is not a percentage from above 0% to 100%, as 10%")
        }
        return .success(percent / 100)
    }

    /// `500B/s`, in octets a second.
    private static func rate(_ text: String) -> Result<Int, RuleText> {
        Rate.parse(text).flatMap { rate in
            let octets = rate.octetsPerSecond
            guard (1...1e9).contains(octets) else {
                return .failure("\(rate) is not between 1 octet and 1 GB a second")
            }
            return .success(Int(octets))
        }
    }

    func set(_ value: Value, in thresholds: inout Thresholds) {
        switch value {
        case .count(let count): counts.map { thresholds[keyPath: $0] = count }
        case .span(let span): spans.map { thresholds[keyPath: $0] = span.ns / 1000 }
        case .share(let share): thresholds.unknownShare = share
        }
    }

    private var counts: WritableKeyPath<Thresholds, Int>? {
        switch self {
        case .connectionsAtOnce: \.connectionsAtOnce
        case .connectionsPerMinute: \.connectionsPerMinute
        case .messagesPerConnection: \.messagesPerConnection
        case .singleTransactionSessions: \.singleTransactionSessions
        case .errorsPerSession: \.errorsPerSession
        case .nonMailCommands: \.nonMailCommands
        case .vrfyNames: \.vrfyNames
        case .helloNames: \.helloNames
        case .recipientCopies: \.recipientCopies
        case .unknownLeast: \.unknownLeast
        case .dataFloor: \.dataFloor_octetsPerSecond
        case .heldIdle, .unknownShare, .retryImmediate, .retrySoon, .retryWindow, .giveUp: nil
        }
    }

    private var spans: WritableKeyPath<Thresholds, UInt64>? {
        switch self {
        case .heldIdle: \.heldIdle_us
        case .retryImmediate: \.retryImmediate_us
        case .retrySoon: \.retrySoon_us
        case .retryWindow: \.retryWindow_us
        case .giveUp: \.giveUp_us
        default: nil
        }
    }
}

/// `Value` is also what a threshold has; here it is the file of all values.
private typealias SettingsValue = Value

extension Value {
    /// A profile, or off: what `--judge` and a one-word `judging:` take.
    static func judging(_ text: String) -> Result<Settings.JudgingLayer, RuleText> {
        var layer = Settings.JudgingLayer()
        let word = text.trimmed.asciiLowercased
        if let profile = SenderProfile(rawValue: word) {
            layer.profile = profile
            layer.isOff = false
            return .success(layer)
        }
        switch switched(word) {
        case .success(let isOn):
            layer.isOff = !isOn
            return .success(layer)
        case .failure:
            let known = SenderProfile.allCases.map(\.rawValue) + ["off"]
            let hint = Suggestion.didYouMean(text, among: known)
            return .failure("\"\(text.shown)\" is none of \(known.joined(separator: ", "))\(hint)")
        }
    }
}

/// Reads the key `judging`.
struct JudgingReader {
    private(set) var nodes: NodeReader

    static let keys = ["profile", "rules", "thresholds", "dns", "rspamd"]
    private static let severities = Severity.allCases.map(\.rawValue) + ["off"]

    mutating func read(_ field: NodeReader.Field?) -> Settings.JudgingLayer {
        guard let field else { return Settings.JudgingLayer() }
        if field.value.scalar != nil { return nodes.parsed(field, Value.judging) ?? Settings.JudgingLayer() }
        var layer = Settings.JudgingLayer()
        let fields = nodes.fields(of: field.value, known: Self.keys, in: "judging")
        // Whoever says how senders are judged has them judged.
        layer.isOff = false
        layer.profile = nodes.parsed(fields["profile"]) { Value.choice($0, SenderProfile.self) }
        layer.rules = rules(fields["rules"])
        layer.thresholds = thresholds(fields["thresholds"])
        let file = nodes.file
        if let field = fields["dns"] {
            let place = nodes.place(field.value)
            layer.names = nodes.parsed(field) { Value.names($0, from: file, place) }
        }
        layer.rspamd = nodes.parsed(fields["rspamd"], Value.rspamd)
        return layer
    }

    private mutating func rules(_ field: NodeReader.Field?) -> [RuleID: JudgingSettings.Override] {
        guard let field else { return [:] }
        let fields = nodes.fields(
            of: field.value, known: RuleID.allCases.map(\.rawValue), in: "the rules for senders",
            list: "fakemx report --rules lists them")
        var rules: [RuleID: JudgingSettings.Override] = [:]
        for (word, field) in fields {
            guard let id = RuleID(rawValue: word) else { continue }
            if let override = override(field, of: word) { rules[id] = override }
        }
        return rules
    }

    private mutating func override(_ field: NodeReader.Field, of word: String) -> JudgingSettings.Override? {
        let fields = nodes.fields(of: field.value, known: ["severity", "reason"], in: "a rule for senders")
        guard case .mapping = field.value else { return nil }
        guard fields["severity"] != nil else {
            nodes.error(
                field.key, "\(word) needs a severity, one of \(Self.severities.joined(separator: ", "))")
            return nil
        }
        let severity = nodes.parsed(fields["severity"], Self.severity)
        let reason = nodes.string(fields["reason"])?.trimmed
        guard let reason, !reason.isEmpty else {
            if fields["reason"]?.value.scalar != nil || fields["reason"] == nil {
                nodes.error(field.key, "\(word) needs a reason, which the report repeats; write reason: \"…\"")
            }
            return nil
        }
        guard reason.utf8.count <= Self.longestReason else {
            nodes.error(field.key, "the reason of \(word) is longer than \(Self.longestReason) octets")
            return nil
        }
        guard let severity else { return nil }
        return JudgingSettings.Override(severity: severity, reason: reason)
    }

    /// It stands in one line of the report.
    static let longestReason = 500

    /// nil within success: the rule is switched off.
    private static func severity(_ text: String) -> Result<Severity?, RuleText> {
        let word = text.trimmed.asciiLowercased
        if word == "off" || word == "false" { return .success(nil) }
        if let severity = Severity(rawValue: word) { return .success(severity) }
        let hint = Suggestion.didYouMean(text, among: severities)
        return .failure(RuleText("\"\(text.shown)\" is none of \(severities.joined(separator: ", "))\(hint)"))
    }

    private mutating func thresholds(_ field: NodeReader.Field?) -> [Threshold: Threshold.Value] {
        guard let field else { return [:] }
        let fields = nodes.fields(
            of: field.value, known: Threshold.allCases.map(\.rawValue), in: "the thresholds of judging")
        var values: [Threshold: Threshold.Value] = [:]
        for threshold in Threshold.allCases {
            values[threshold] = nodes.parsed(fields[threshold.rawValue]) { threshold.parse($0) }
        }
        return values
    }
}
