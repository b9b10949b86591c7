// The rules as a page of the documentation: made of the tables, so that it cannot say anything else than they do.

package enum RuleTable {
    /// An article for DocC: one table a layer.
    package static var article: String {
        var text = """
            # Rules for senders

            What a sender is held to: \(SenderRules.all.count) rules, each with what breaks it and its source.

            ## Overview

            must and should are the words of the standards; reputation is what large receivers hold against a sender
            though no standard is broken; info is worth knowing. A rule is never said to be kept where it could not be
            seen.

            """
        for layer in Layer.allCases { text += table(layer) }
        return text
    }

    private static func table(_ layer: Layer) -> String {
        var text =
            "\n## \(layer.rawValue)\n\n| rule | what breaks it | severity | citation | judged |\n"
            + "|---|---|---|---|---|\n"
        for rule in SenderRules.all where SenderRules.layer(of: rule.id) == layer {
            text += "| `\(rule.id.rawValue)` | \(Markup.markdown(rule.what)) | \(rule.severity.rawValue) "
            text += "| \(MarkdownReport.citation(rule.citation)) | \(Markup.markdown(judged(rule))) |\n"
        }
        return text
    }

    /// How a rule is judged, in a few words.
    static func judged(_ rule: SenderRule) -> String {
        switch rule.judging {
        case .never(let because): return "not: \(because)"
        case .with(let witness): return "with \(witness.rawValue)\(profiles(rule))"
        case .always: return "\(needs(rule.needs))\(profiles(rule))"
        }
    }

    private static func needs(_ need: SenderRule.Need) -> String {
        switch need {
        case .wire: "by what was sent"
        case .timing: "by when it was sent"
        case .tlsHello: "by the ClientHello"
        case .probe: "by a fault that makes it visible"
        case .crossSession: "by several sessions"
        case .dns: "by the name system"
        case .http: "by a request to the outside"
        }
    }

    private static func profiles(_ rule: SenderRule) -> String {
        let names = rule.profiles.filter { $0 != .strict }
        if names.count == SenderProfile.allCases.count - 1 { return "" }
        let words = names.isEmpty ? "strict" : names.map(\.rawValue).joined(separator: ", ")
        return "; profile \(words)"
    }
}
