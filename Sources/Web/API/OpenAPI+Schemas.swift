// What stands in bodies: the schemas of the OpenAPI document.

import Faults
import Findings
import Journal
import SMTP
import Sink

enum OpenAPISchemas {
    typealias Node = OpenAPI.Node

    static var all: [String: Node] {
        [
            "Problem": problem, "CursorObject": object(["cursor": text], required: ["cursor"]),
            "Reset": object(
                ["messages": integer, "sessions": integer, "rules": integer, "cursor": text],
                required: ["messages", "sessions", "rules", "cursor"]),
            "Info": info, "SessionSummary": .object(session(withLines: false)),
            "Session": .object(session(withLines: true)),
            "SessionList": list("sessions", "SessionSummary"), "MessageSummary": .object(message([:])),
            "MessageList": list("messages", "MessageSummary"), "Message": .object(message(insides)),
            "Removed": object(
                ["removed": integer, "messages": array(OpenAPI.ref("MessageSummary"))], required: ["removed"]),
            "Rule": rule, "RuleList": object(["rules": array(OpenAPI.ref("Rule"))], required: ["rules"]),
            "AttemptList": object(
                ["timelines": array(timeline), "omitted": integer, "judging": OpenAPI.ref("Judging")],
                required: ["timelines", "omitted", "judging"]),
            "RemovedCount": object(["removed": integer], required: ["removed"]),
            "ScenarioList": object(["scenarios": array(scenario)], required: ["scenarios"]),
            "ScenarioRules": object(
                ["rules": array(OpenAPI.ref("Rule")), "left_out": array(text)], required: ["rules", "left_out"]),
            "NewRule": newRule,
            "RuleChange": [
                "type": "object", "properties": ["enabled": flag], "required": ["enabled"],
                "additionalProperties": false,
            ], "ReplyList": object(["replies": array(["type": "object"])], required: ["replies"]),
            "Finding": finding(named: [:]), "Judging": judging, "FindingList": findingList, "Entry": entry,
            "Event": event, "Waited": waited,
        ]
    }

    private static let text: Node = ["type": "string"]
    private static let integer: Node = ["type": "integer"]
    private static let flag: Node = ["type": "boolean"]
    private static let number: Node = ["type": "number"]

    private static func array(_ items: Node) -> Node { .object(["type": "array", "items": items]) }

    private static func object(_ properties: [String: Node], required: [String]) -> Node {
        .object([
            "type": "object", "properties": .object(properties), "required": .list(required.map(Node.text)),
        ])
    }

    private static func list(_ name: String, _ item: String) -> Node {
        object([name: array(OpenAPI.ref(item)), "next": text, "cursor": text], required: [name, "cursor"])
    }

    private static var problem: Node {
        object(
            [
                "type": text, "status": integer, "title": text, "detail": text, "parameter": text,
                "complaints": array(
                    object(
                        ["message": text, "line": integer, "column": integer, "is_warning": flag], required: ["message"]
                    )),
            ], required: ["type", "status", "title", "detail"])
    }

    private static var info: Node {
        let kept = object(
            ["kept": integer, "octets": integer, "ever": integer, "dropped": integer, "open": integer],
            required: ["kept", "octets", "ever", "dropped"])
        return object(
            [
                "version": text, "run": text, "started": text, "store": text, "uptime_s": number,
                "listeners": array(text),
                "loops": integer, "sessions": kept, "messages": kept, "cursor": text, "waiting": integer,
                "chronicle": object(
                    ["last": integer, "forgotten": integer, "events_left_out": integer],
                    required: ["last", "forgotten", "events_left_out"]), "trouble": text,
                "judging": OpenAPI.ref("Judging"),
            ], required: ["version", "run", "started", "store", "listeners", "sessions", "messages", "cursor"])
    }

    private static func session(withLines: Bool) -> [String: Node] {
        let recipient = object(["address": text, "reply": text, "rule": text], required: ["address", "reply"])
        let transaction = object(
            [
                "from": text, "recipients": array(recipient),
                "verdict": OpenAPI.words(Verdict.allCases.map(\.rawValue)),
                "rejected_at": text, "reply": text, "rule": text, "message": text,
            ], required: ["from", "recipients"])
        let fault = object(
            [
                "at_us": integer, "rule": text, "phase": text, "action": text, "why": text, "use": integer,
                "octets": integer,
                "script": array(text),
            ], required: ["at_us", "rule", "phase", "action", "why"])
        let line = object(
            [
                "at_us": integer, "who": OpenAPI.words(["client", "sink"]), "text": text, "segment": integer,
                "tls": flag,
                "octets": integer,
            ], required: ["at_us", "who", "text", "segment", "tls"])
        var properties: [String: Node] = [
            "id": text, "listener": text, "client": text, "started": text, "duration_us": integer, "helo": text,
            "tls": object(
                ["version": text, "cipher": text, "sni": text, "client_names": array(text)],
                required: ["version", "cipher"]),
            "tls_failure": text, "ended_by": OpenAPI.words(Ending.allCases.map(\.rawValue)),
            "verdict": OpenAPI.words(Verdict.allCases.map(\.rawValue)), "rejected_at": text, "reply": text,
            "rule": text,
            "transactions": array(transaction), "faults": array(fault), "notices": array(text),
            "events_dropped": integer, "is_judged": flag,
        ]
        let brief = object(["rule": text, "severity": severity], required: ["rule", "severity"])
        properties["findings"] = array(withLines ? OpenAPI.ref("Finding") : brief)
        if !withLines {
            for name in ["transaction_count", "recipient_count", "fault_count"] { properties[name] = integer }
        }
        properties[withLines ? "lines" : "spaces"] = array(withLines ? line : text)
        return [
            "type": "object", "properties": .object(properties),
            "required": ["id", "listener", "client", "started", "duration_us", "transactions", "faults", "notices"],
        ]
    }

    private static var severity: Node { OpenAPI.words(Severity.allCases.map(\.rawValue)) }

    private static func finding(named more: [String: Node]) -> Node {
        let evidence = object(
            [
                "line": integer, "message": text, "transaction": integer, "range": array(integer), "at_us": integer,
                "session": text,
            ], required: [])
        let properties: [String: Node] = [
            "rule": text, "layer": text, "severity": severity, "session": text, "sessions": array(text),
            "evidence": array(evidence), "count": integer, "saw": text, "what": text, "why": text, "fix": text,
            "citation": text, "reason": text,
        ]
        return object(
            properties.merging(more) { a, _ in a },
            required: [
                "rule", "layer", "severity", "session", "sessions", "evidence", "count", "saw", "what", "why", "fix",
                "citation",
            ])
    }

    private static var judging: Node {
        object(
            [
                "waiting": integer, "oldest_us": integer, "sessions_judged": integer, "messages_judged": integer,
                "sessions_left_out": integer, "messages_left_out": integer, "names_unanswered": integer,
                "mail_unanswered": integer, "judging_us": integer,
                "findings": .object(["type": "object", "additionalProperties": integer]),
            ],
            required: [
                "waiting", "oldest_us", "sessions_judged", "messages_judged", "sessions_left_out", "messages_left_out",
                "names_unanswered", "mail_unanswered", "judging_us", "findings",
            ])
    }

    private static var findingList: Node {
        object(
            [
                "findings": array(finding(named: ["client": text, "helo": text])), "next": text,
                "judging": OpenAPI.ref("Judging"), "cursor": text,
            ], required: ["findings", "judging", "cursor"])
    }

    private static var link: Node {
        object(
            [
                "url": text, "host": text, "origin": OpenAPI.words(["anchor", "resource", "text"]), "part": integer,
                "range": array(integer), "rules": array(text),
            ], required: ["url", "host", "origin", "part", "range", "rules"])
    }

    private static let insides: [String: Node] = [
        "findings": array(OpenAPI.ref("Finding")), "links": array(link),
        "headers": array(object(["name": text, "value": text], required: ["name", "value"])), "text": text,
        "html": text, "html_path": text, "remote_count": integer,
        "parts": array(
            object(
                [
                    "id": text, "file_name": text, "content_type": text, "content_id": text, "size": integer,
                    "is_attachment": flag,
                ], required: ["id", "content_type", "size"])),
    ]

    private static func message(_ insides: [String: Node]) -> [String: Node] {
        let properties: [String: Node] = [
            "id": text, "session": text, "received": text, "from": text, "to": array(text), "size": integer,
            "helo": text,
            "client": text, "with": text, "subject": text, "message_id": text, "spaces": array(text),
            "tags": array(text),
            "is_read": flag,
        ]
        return [
            "type": "object", "properties": .object(properties.merging(insides) { a, _ in a }),
            "required": .list(
                (["id", "session", "received", "from", "to", "size"] + insides.keys.sorted()).map(Node.text)),
        ]
    }

    private static var rule: Node {
        object(
            [
                "name": text, "at": OpenAPI.words(Phase.allCases.map(\.rawValue)), "line": text, "yaml": text,
                "scenario": text, "warnings": array(text), "origin": OpenAPI.words(["run", "configuration"]),
                "enabled": flag, "matches": integer, "hits": integer,
                "remaining": integer, "remains": text,
                "present": array(
                    object(["key": text, "count": integer, "refused": integer], required: ["key", "count"])),
                "expires_in_s": number, "spaces": array(text),
            ],
            required: [
                "name", "at", "line", "yaml", "origin", "enabled", "matches", "hits", "remains", "present", "spaces",
            ])
    }

    private static var timeline: Node {
        let recipients = array(
            object(["address": text, "code": integer, "outcome": text], required: ["address", "code", "outcome"]))
        let attempt = object(
            [
                "session": text, "transaction": integer, "started_us": integer, "duration_us": integer, "client": text,
                "helo": text, "server": text, "from": text, "recipients": recipients, "recipients_dropped": integer,
                "phase": text, "code": integer, "verdict": OpenAPI.words(Verdict.allCases.map(\.rawValue)),
                "message": text, "tie": text, "disturbances": text, "gap_us": integer,
            ], required: ["session", "transaction", "started_us", "duration_us", "client", "from", "recipients"])
        return object(
            [
                "key": text, "tie": text, "from": text, "subject": text, "list": text, "report": flag,
                "state": text, "attempts": array(attempt), "attempts_dropped": integer, "retried": flag,
                "duplicated": flag, "recipients": recipients,
            ], required: ["key", "tie", "from", "subject", "state", "attempts", "recipients"])
    }

    private static var scenario: Node {
        object(
            [
                "name": text, "about": text, "rules": array(text), "left_out": array(text), "is_set": flag,
                "trouble": text,
            ], required: ["name", "about", "rules", "left_out", "is_set"])
    }

    /// As in a file, or as one line; the sense of it all is told by what is answered. Null is as good as nothing, but
    /// for what each rule has.
    private static var newRule: Node {
        let texts: Node = ["anyOf": [["type": "array", "items": ["type": "string"]], ["type": "string"]]]
        func optional(_ schema: Node) -> Node { .object(["anyOf": [schema, ["type": "null"]]]) }
        // A word may look like a number or a flag, and YAML does not ask for quotes then.
        let scalar: Node = ["type": ["string", "number", "boolean", "null"]]
        let switched: Node = ["enum": [true, false, 1, 0, "true", "false", "on", "off", "yes", "no", "1", "0"]]
        return .object([
            "type": "object",
            "properties": .object([
                "name": ["type": ["string", "number", "boolean", "null"], "pattern": "^[A-Za-z0-9._-]{1,64}$"],
                "at": OpenAPI.words(Phase.allCases.map(\.rawValue)), "when": optional(["type": "object"]),
                "times": optional(text), "per": optional(texts), "steps": optional(["type": "array"]), "do": texts,
                "line": optional(text), "space": scalar, "expires": scalar, "enabled": optional(switched),
            ]),
        ])
    }

    private static var entry: Node {
        object(
            [
                "number": integer, "kind": OpenAPI.words(Entry.Kind.allCases.map(\.rawValue)), "at": text,
                "session": text,
                "message": text, "listener": text, "client": text, "helo": text, "from": text, "to": array(text),
                "phase": text, "rule": text, "reply": text, "detail": text, "space": text, "finding": text,
                "severity": severity,
                "verdict": OpenAPI.words(Verdict.allCases.map(\.rawValue)),
            ], required: ["number", "kind", "at"])
    }

    private static var event: Node {
        let missed = object(["missed": integer], required: ["missed"])
        let data: Node = .object([
            "type": "string", "contentMediaType": "application/json",
            "contentSchema": .object(["anyOf": [OpenAPI.ref("Entry"), missed]]),
        ])
        let kinds = OpenAPI.words(Entry.Kind.allCases.map(\.rawValue) + ["missed"])
        return object(["id": text, "event": kinds, "data": data], required: ["id", "event", "data"])
    }

    private static var waited: Node {
        let entries = array(OpenAPI.ref("Entry"))
        return object(
            [
                "fulfilled": flag, "count": integer, "sessions": array(OpenAPI.ref("Session")),
                "messages": array(OpenAPI.ref("MessageSummary")), "rejects": entries, "rules": entries,
                "findings": entries,
                "seen": entries, "missed": integer,
                "cursor": text,
            ], required: ["fulfilled", "count", "cursor"])
    }
}
