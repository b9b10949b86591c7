// A recorded session -> a scenario that makes the same faults happen again. Pure: text comes back.
//
// A record tells of each fault at which decision of the session it came, and what was done, drawn and scaled. So a rule
// for each, `nth N per session`, says all of it. Of the rules of one phase the later use stands first: a rule behind
// one that fires does not count that use.

import Faults
import Journal
import SMTP

package struct Replay: Sendable {
    /// The scenario, in YAML.
    package let scenario: String
    /// How many rules it has; without one there is nothing to replay.
    package let ruleCount: Int
    /// What could not be put into a rule, and why.
    package let leftOut: [String]

    /// The scenario of one session.
    package static func scenario(of record: SessionRecord) -> String { Replay(of: record).scenario }

    package init(of record: SessionRecord) {
        var plan = ReplayPlan()
        for (index, fault) in record.faults.enumerated() { plan.add(fault, number: index + 1) }
        let rules = plan.rules()
        leftOut = plan.leftOut
        ruleCount = rules.count
        let prefix = Self.word(record.id, most: 16)
        var text = ReplayHead.text(record, prefix, plan.leftOut)
        text += rules.isEmpty ? "rules: []\n" : "rules:\n"
        var taken: Set<String> = []
        var counts: [String: Int] = [:]
        for rule in rules {
            // No rule of a configuration beside it has such a name.
            let name = "\(prefix).\(Self.word(rule.name, most: 36))"
            var distinct = name
            while !taken.insert(distinct).inserted {
                counts[name, default: 1] += 1
                distinct = "\(name)-\(counts[name] ?? 1)"
            }
            text += rule.yaml(name: distinct)
        }
        scenario = text
    }

    /// Made of what a name may hold.
    static func word(_ text: String, most: Int) -> String {
        let word = text.unicodeScalars.prefix(most).map { scalar -> String in
            let isFine = Rule.complaint(aboutName: String(scalar)) == nil
            return isFine ? String(scalar) : "-"
        }
        return word.isEmpty ? "x" : word.joined()
    }
}

/// The rules of a replay while they are put together.
private struct ReplayPlan {
    /// Rules that are asked, and so count, together.
    struct Place: Hashable {
        let phase: Phase
        /// At body: the octet.
        let octet: Int
    }

    struct Entry {
        let rule: String
        let why: String
        var script: [String]
    }

    /// In the order in which they came up in the session.
    private var places: [Place] = []
    private var entries: [Place: [Int: Entry]] = [:]
    private(set) var leftOut: [String] = []

    mutating func add(_ fault: FaultRecord, number: Int) {
        func leaveOut(_ why: String) {
            leftOut.append("fault \(number) (\(Text.shown(fault.rule)) at \(Text.shown(fault.phase))): \(why)")
        }
        guard var phase = Phase(rawValue: fault.phase) else {
            return leaveOut("no such phase\(Suggestion.didYouMean(fault.phase, among: Phase.allCases.map(\.rawValue)))")
        }
        guard !fault.script.isEmpty else { return leaveOut("it has no script") }
        var use = fault.use
        // STARTTLS was hidden by a setting, before anything was said.
        if use == 0, fault.isNoRule { (phase, use) = (.connect, 1) }
        guard use > 0 else { return leaveOut("its use is \(use), and uses count from 1") }
        let place = Place(phase: phase, octet: phase == .body ? max(0, fault.octets ?? 0) : 0)
        var entry = Entry(rule: fault.rule, why: fault.why, script: fault.script)
        if let there = entries[place]?[use] {
            // Beside what a rule did, a setting or a server name spoilt TLS: one rule does both.
            guard fault.isNoRule || there.isNoRule else { return leaveOut("another fault has the same place") }
            let (tls, other) = fault.isNoRule ? (fault.script, there) : (there.script, entry)
            entry = Entry(rule: other.rule, why: other.why, script: tls + other.script)
        }
        switch RuleOfReplay.judged(entry.script, at: phase) {
        case .failure(let complaint): return leaveOut(complaint.description)
        case .success(let script): entry.script = script
        }
        if entries[place] == nil { places.append(place) }
        entries[place, default: [:]][use] = entry
    }

    func rules() -> [RuleOfReplay] {
        places.flatMap { place -> [RuleOfReplay] in
            let uses = entries[place] ?? [:]
            var rules: [RuleOfReplay] = []
            var first: (count: Int, entry: Entry)?
            for (use, entry) in uses.sorted(by: { $0.key < $1.key }) {
                if use == 1 {
                    first = (1, entry)
                } else if let (count, one) = first, count == use - 1, one.script == entry.script, one.rule == entry.rule
                {
                    first = (use, one)
                } else {
                    rules.append(rule(place, "nth \(use)", entry))
                }
            }
            rules.reverse()
            // It would fire at each of its uses; what stands before it does so at later ones.
            if let (count, entry) = first { rules.append(rule(place, "first \(count)", entry)) }
            return rules
        }
    }

    private func rule(_ place: Place, _ times: String, _ entry: Entry) -> RuleOfReplay {
        RuleOfReplay(
            name: entry.rule, why: entry.why, at: place.phase, octet: place.octet, times: times, script: entry.script)
    }
}

extension FaultRecord {
    /// A setting of the listener, or the server name that the client asked for: names of rules hold no space.
    fileprivate var isNoRule: Bool { ReplayPlan.isNoRule(rule) }
}

extension ReplayPlan.Entry { fileprivate var isNoRule: Bool { ReplayPlan.isNoRule(rule) } }

extension ReplayPlan {
    fileprivate static func isNoRule(_ name: String) -> Bool { name == "server name" || name.hasPrefix("listener ") }
}

/// One rule of a replay.
private struct RuleOfReplay {
    /// Of the rule that made the fault.
    let name: String
    let why: String
    let at: Phase
    let octet: Int
    let times: String
    let script: [String]

    func yaml(name: String) -> String {
        var text = "  # \(ReplayHead.comment("\(self.name): \(why)"))\n"
        text += "  - name: \(name)\n    at: \(at.rawValue)\n"
        if octet > 0 { text += "    when: { size: \">=\(octet)\" }\n" }
        text += "    times: \(times) per session\n    do:\n"
        for action in script { text += "      - \(YAMLScalar.quoted(action))\n" }
        return text
    }

    /// The script as a rule at this phase may have it.
    static func judged(_ script: [String], at phase: Phase) -> Result<[String], RuleText> {
        var actions: [RuleAction] = []
        for text in script {
            switch RuleAction.parse(text) {
            case .success(let action): actions.append(action)
            case .failure(let complaint): return .failure(complaint)
            }
        }
        guard let complaint = complaint(about: actions, at: phase) else { return .success(script) }
        // A reply of the catalogue may say yes in words that no rule may use here; its octets may be said all the same.
        let raw = actions.map { action -> RuleAction in
            guard case .reply(let text) = action, text.code.isPositive else { return action }
            return .raw(.octets([text.reply.wire]))
        }
        return raw != actions && self.complaint(about: raw, at: phase) == nil
            ? .success(raw.map(\.description)) : .failure(complaint)
    }

    private static func complaint(about actions: [RuleAction], at phase: Phase) -> RuleText? {
        Rule(at: phase, schedule: .times(.nth(1), do: actions), per: [.session]).issues().first { !$0.isWarning }?.text
    }
}

/// What stands above the rules.
private enum ReplayHead {
    private static let longestLine = 300

    static func text(_ record: SessionRecord, _ name: String, _ leftOut: [String]) -> String {
        var remarks = [
            "Made by fakemx replay: the faults of one session, each at the same command of every session that comes.",
            "Nothing is drawn, durations are as they were, and no address is magic.",
            "",
            "A record does not hold the settings of its listener\(listener(record)): host name, profile, limits, TLS,",
            "offered keywords. Where they are not the usual ones, serve with the same, but without the rules of then:",
            "those would fire at uses where nothing happened.",
        ]
        remarks += facts(record)
        if !leftOut.isEmpty { remarks += ["", "Left out:"] + leftOut.map { "  \($0)" } }
        var text = remarks.map { $0.isEmpty ? "#\n" : "# \(comment($0))\n" }.joined()
        text += "name: replay-\(name)\n"
        text += "description: \(YAMLScalar.quoted(description(record)))\n"
        text += "time-scale: 1\nmagic: off\n"
        return text
    }

    private static func listener(_ record: SessionRecord) -> String {
        record.listener.isEmpty ? "" : " (\(record.listener))"
    }

    /// What the same rules need beside, to end in the same way.
    private static func facts(_ record: SessionRecord) -> [String] {
        var facts: [String] = []
        let spokeTLS = record.tls != nil || record.tls_failure != nil
        let saysSTARTTLS = record.lines.contains { $0.who == .client && $0.text.lowercased().hasPrefix("starttls") }
        if spokeTLS, !saysSTARTTLS, !record.lines.isEmpty {
            facts.append("TLS began with the first octet: serve with --smtps.")
        }
        switch record.ended_by {
        case .timeout: facts.append("The session ended since the client was silent for longer than client-timeout.")
        case .shutdown: facts.append("The session ended since the sink was stopped.")
        default: break
        }
        if record.events_dropped > 0 {
            facts.append(
                "The session was too long to be kept whole; \(record.events_dropped) of its events are missing.")
        }
        return facts.isEmpty ? [] : [""] + facts
    }

    private static func description(_ record: SessionRecord) -> String {
        var text = "Session \(record.id)"
        if !record.client.isEmpty { text += " of \(record.client)" }
        if !record.started.isEmpty { text += " at \(record.started)" }
        if let verdict = record.verdict { text += ": \(verdict.rawValue)" }
        if let phase = record.rejected_at { text += "\(record.verdict == nil ? ": cut off" : "") at \(phase)" }
        if let reply = record.reply?.split(separator: "\n").first { text += ", \(reply)" }
        if let ending = record.ended_by { text += "; ended by \(ending.rawValue)" }
        return comment(text)
    }

    /// On one line, with nothing that a terminal would obey.
    static func comment(_ text: String) -> String {
        let shown = Text.shown(text)
        return shown.count > longestLine ? shown.prefix(longestLine) + "…" : shown
    }
}
