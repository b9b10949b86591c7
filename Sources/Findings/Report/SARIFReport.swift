// The report as SARIF 2.1.0 (OASIS), which code hosts and editors read: one result a broken rule, with the line of the
// transcript (`session/ID.txt`) or of the message (`message/ID.eml`) that shows it.

import Journal

package enum SARIFReport {
    package static func render(_ report: Report) -> String {
        var json = JSONWriter()
        json.object { log in
            log.field(
                "$schema", "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json")
            log.field("version", "2.1.0")
            log.array("runs") { runs in
                runs.object { run in
                    run.object("tool") { tool in tool.object("driver") { driver(report, &$0) } }
                    run.array("invocations") { invocations in
                        invocations.object { invocation in
                            invocation.field("executionSuccessful", true)
                            let time = Timestamp(wall_us: report.generated_us).rfc3339
                            invocation.field("endTimeUtc", time.prefix(19) + "Z")
                        }
                    }
                    run.field("columnKind", "unicodeCodePoints")
                    run.array("results") { results in
                        for rule in report.broken { result(rule, report, &results) }
                    }
                    run.object("properties") { properties in
                        properties.field("profile", report.profile.rawValue)
                        properties.field("verdict", report.verdict)
                        properties.field("sessions", report.session_count)
                        properties.field("messages", report.message_count)
                    }
                }
            }
        }
        return json.text + "\n"
    }

    static func level(_ severity: Severity) -> String {
        switch severity {
        case .must: "error"
        case .should: "warning"
        case .reputation, .info: "note"
        }
    }

    // MARK: The rules

    private static func driver(_ report: Report, _ driver: inout JSONWriter) {
        driver.field("name", "fakemx")
        driver.field("version", report.version)
        driver.field("informationUri", "https://www.rfc-editor.org/rfc/rfc5321")
        driver.array("rules") { rules in for rule in SenderRules.all { describe(rule, &rules) } }
    }

    private static func describe(_ rule: SenderRule, _ rules: inout JSONWriter) {
        rules.object { entry in
            entry.field("id", rule.id.rawValue)
            message("shortDescription", rule.what, &entry)
            message("fullDescription", rule.why, &entry)
            entry.object("help") { help in
                help.field("text", "\(rule.fix) \(rule.why) See \(rule.citation).")
                help.field(
                    "markdown",
                    "\(Markup.markdown(rule.fix))\n\n\(Markup.markdown(rule.why))\n\n"
                        + "See \(MarkdownReport.citation(rule.citation)).")
            }
            if let link = Citation.link(rule.citation) { entry.field("helpUri", link) }
            entry.object("defaultConfiguration") { $0.field("level", level(rule.severity)) }
            entry.object("properties") { properties in
                properties.field("severity", rule.severity.rawValue)
                properties.array("tags") { tags in
                    tags.value("smtp")
                    tags.value(SenderRules.layer(of: rule.id).rawValue)
                }
            }
        }
    }

    private static func message(_ name: String, _ text: String, _ json: inout JSONWriter) {
        json.object(name) { $0.field("text", literal(text)) }
    }

    /// A message string that says what `text` says: no placeholder (SARIF 2.1.0 §3.11.5) and no link (§3.11.6) of a
    /// peer's.
    static func literal(_ text: String) -> String {
        let hasLink = text.contains("](")
        guard hasLink || text.contains(where: { $0 == "{" || $0 == "}" }) else { return text }
        var result = ""
        for character in text {
            switch character {
            case "{": result += "{{"
            case "}": result += "}}"
            case "[", "]": result += hasLink ? "\\\(character)" : String(character)
            default: result.append(character)
            }
        }
        return result
    }

    // MARK: The results

    private static func result(_ rule: BrokenRule, _ report: Report, _ results: inout JSONWriter) {
        results.object { entry in
            entry.field("ruleId", rule.rule.rawValue)
            entry.field("ruleIndex", rule.rule.ordinal)
            entry.field("level", level(rule.severity))
            let reason = rule.reason.map { " Counted as \(rule.severity.rawValue): \($0)." } ?? ""
            message(
                "message",
                Text.shown("\(rule.what) \(rule.frequency). \(rule.place): \(rule.saw).\(reason) \(rule.fix)"),
                &entry)
            entry.field("occurrenceCount", max(1, rule.count))
            entry.array("locations") { locations in locations.object { location(rule, report, &$0) } }
            // What stays the same from run to run: not the ids of sessions, not the addresses of containers.
            entry.object("partialFingerprints") { $0.field("fakemxRule/v1", rule.rule.rawValue) }
            entry.object("properties") { properties in
                properties.field("severity", rule.severity.rawValue)
                properties.field("sessionCount", rule.session_count)
                properties.array("sessions") { sessions in for session in rule.sessions { sessions.value(session) } }
            }
        }
    }

    private static func location(_ rule: BrokenRule, _ report: Report, _ location: inout JSONWriter) {
        location.object("physicalLocation") { physical in
            let isMessage = rule.passage.map { $0.message != nil } ?? (rule.evidence?.message != nil)
            let id = isMessage ? rule.evidence?.message ?? "" : rule.session
            physical.object("artifactLocation") {
                $0.field("uri", isMessage ? "message/\(uri(id)).eml" : "session/\(uri(id)).txt")
            }
            region(rule, isMessage, &physical)
        }
        location.array("logicalLocations") { logical in
            logical.object { entry in
                entry.field("name", rule.session)
                entry.field("fullyQualifiedName", rule.place)
                entry.field("kind", "session")
            }
        }
    }

    /// The marked line; without one the octets of a message, or the first line.
    private static func region(_ rule: BrokenRule, _ isMessage: Bool, _ physical: inout JSONWriter) {
        physical.object("region") { region in
            if let line = rule.passage?.lines.first(where: \.is_marked) {
                region.field("startLine", line.number)
                let parts = line.parts
                region.object("snippet") { $0.field("text", parts.before + parts.marked + parts.after) }
            } else if !isMessage || rule.evidence?.range == nil {
                region.field("startLine", max(1, isMessage ? 1 : rule.evidence?.line ?? 1))
            }
            if isMessage, let range = rule.evidence?.range {
                region.field("byteOffset", max(0, range.lowerBound))
                region.field("byteLength", range.count)
            }
        }
    }

    /// Of an id, what may stand in a path (RFC 3986 §3.3); everything else in percents.
    private static func uri(_ id: String) -> String {
        var text = ""
        for octet in id.utf8 {
            switch octet {
            case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(octet))
            default:
                let hex = String(octet, radix: 16, uppercase: true)
                text += octet < 16 ? "%0" + hex : "%" + hex
            }
        }
        return text
    }
}
