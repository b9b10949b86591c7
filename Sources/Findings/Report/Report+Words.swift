// The sentences that all forms of the report share: plain text, not escaped for any of them, without control
// characters.

import Journal

extension Report {
    /// The verdict in one line.
    package var verdict: String {
        guard session_count > 0 || !broken.isEmpty else { return "Nothing to judge: no session was looked at." }
        guard let first = broken.first else {
            return "No broken rule was seen: \(kept.count) kept, \(not_observed.count) not observed."
        }
        let parts = Severity.allCases.compactMap { severity -> String? in
            let count = brokenCount(severity)
            return count == 0 ? nil : "\(count) \(severity.rawValue)"
        }
        let rules = Self.counted(broken.count, "rule")
        return "\(rules) broken: \(parts.joined(separator: ", ")). Mend \(first.rule.rawValue) first."
    }

    /// What was looked at, in one line.
    package var scope: String {
        var text = Self.counted(session_count, "session")
        if let sender = senders.first, senders.count == 1, senders_omitted == 0 {
            text += " of \(sender.title)"
        } else if senders.count > 1 {
            text += " of \(senders.count + senders_omitted) senders"
        }
        text += ", \(Self.counted(message_count, "message")) accepted"
        text += ", profile \(profile.rawValue)"
        if let since, let until { text += ", \(Self.seconds(since)) to \(Self.seconds(until))" }
        return Text.shown(text)
    }

    /// How many rules were found in which state.
    package var counts: String {
        "\(broken.count) broken, \(kept.count) kept, \(not_observed.count) not observed, "
            + "\(not_judged.count) not judged"
    }

    package var lagSentence: String? {
        var sentences: [String] = []
        if let lag {
            sentences.append(
                "\(Self.counted(lag.waiting, "session")) ended and \(lag.waiting == 1 ? "is" : "are") not judged yet; "
                    + "the oldest has been waiting for \(Self.seconds(lag.oldest_us)).")
        }
        if open_count > 0 {
            let verb = open_count == 1 ? "is" : "are"
            sentences.append("\(Self.counted(open_count, "session")) \(verb) open still, and judged at the end.")
        }
        return sentences.isEmpty ? nil : sentences.joined(separator: " ")
    }

    package var omittedSentence: String? {
        senders_omitted > 0 ? "\(Self.counted(senders_omitted, "more sender")) with fewer sessions." : nil
    }

    static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    /// `0.250 s`
    static func seconds(_ microseconds: UInt64) -> String { Transcript.milliseconds(microseconds / 1000) + " s" }
}

extension Report {
    /// A moment without its fraction.
    private static func seconds(_ moment: String) -> String { moment.prefix(19) + "Z" }
}

extension ReportedSender {
    /// Address and names, in one line.
    package var title: String {
        let name = helo.first.map { helo.count == 1 ? " (\($0))" : " (\($0) and other names)" } ?? ""
        return Text.shown((address.isEmpty ? "a sender whose sessions are gone" : address) + name)
    }
}

extension BrokenRule {
    /// `23 times in 8 sessions`
    package var frequency: String {
        let times = count == 1 ? "once" : "\(count) times"
        return "\(times) in \(Report.counted(session_count, "session"))"
    }

    /// Where the evidence is.
    package var place: String {
        var parts = session.isEmpty ? [] : ["session \(session)"]
        if evidence?.line == nil, let message = evidence?.message { parts.append("message \(message)") }
        if evidence?.message == nil || evidence?.line != nil, let transaction = evidence?.transaction {
            parts.append("transaction \(transaction)")
        }
        if let line = evidence?.line { parts.append("line \(line)") }
        if let range = evidence?.range {
            parts.append("offset \(range.lowerBound)" + (range.count > 1 ? ", \(range.count) octets" : ""))
        }
        if let at_us = evidence?.at_us { parts.append("after \(Report.seconds(at_us))") }
        return Text.shown(parts.joined(separator: ", "))
    }

    /// What was seen says more than the marked line.
    var needsWords: Bool {
        guard let line = passage?.lines.first(where: \.is_marked) else { return !saw.isEmpty }
        // The line end belongs to the line, which is shown without it.
        let words = saw.hasSuffix("\\r\\n") ? String(saw.dropLast(4)) : saw
        return !words.isEmpty && !line.text.contains(words)
    }

    /// Sessions in which it was broken, as far as they are named.
    package var sessionList: String {
        let shown = sessions.prefix(10).joined(separator: ", ")
        return Text.shown(session_count > 10 ? "\(shown) and \(session_count - 10) more" : shown)
    }
}

extension UnjudgedRule.Kind {
    package var title: String {
        switch self {
        case .off: "switched off"
        case .profile: "not asked of this profile"
        case .option: "waiting for an option"
        case .local: "not asked about peers on this machine and in private networks"
        case .never: "never judged"
        }
    }

    /// In the order in which they are shown.
    static let inOrder: [UnjudgedRule.Kind] = [.off, .option, .local, .profile, .never]
}

extension ExcusedRule {
    package var sentence: String {
        let place = session_count > 0 ? " in \(Report.counted(session_count, "session"))" : ""
        return "excused\(place): \(because.joined(separator: "; "))"
    }
}

extension BotPoint {
    /// Why the answer is what it is, in one line.
    package var evidence: String {
        switch state {
        case .broken:
            return answers.filter { $0.state == .broken }.map(\.sentence).joined(separator: "; ")
        case .kept:
            return answers.prefix(question.deciding.count).map(\.sentence).joined(separator: "; ")
        case .notObserved:
            let missing = answers.prefix(question.deciding.count).filter { $0.state != .kept }
            return "not seen: " + missing.map(\.rule.rawValue).joined(separator: ", ")
        }
    }
}

extension BotPoint.Answer {
    var sentence: String {
        switch state {
        case .broken:
            let place = line.map { ", line \($0)" } ?? ""
            let softened = reason.map { ", \(severity?.rawValue ?? "") since \($0)" } ?? ""
            let seen = (saw ?? "").isEmpty ? "" : ": \(saw ?? "")"
            return Text.shown("\(rule.rawValue)\(seen) (session \(session ?? "")\(place)\(softened))")
        case .kept: return count > 0 ? "\(rule.rawValue) in \(Report.counted(count, "session"))" : rule.rawValue
        case .notObserved: return "\(rule.rawValue) not seen"
        }
    }
}
