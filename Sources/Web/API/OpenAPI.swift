// The OpenAPI 3.1 document of our own face: what each call takes, what it answers, and how it says no. A test asks
// every call that stands here, and a fuzzer of other people's asks them with whatever the document allows.

import Faults
import Findings
import Hummingbird
import Journal
import NIOCore
import SMTP
import Sink

enum OpenAPI {
    /// JSON as a value; objects keep the order in which they are written.
    indirect enum Node: Encodable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
        ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
    {
        case text(String), number(Int), flag(Bool), list([Node]), object([String: Node])

        init(stringLiteral value: String) { self = .text(value) }
        init(integerLiteral value: Int) { self = .number(value) }
        init(booleanLiteral value: Bool) { self = .flag(value) }
        init(arrayLiteral elements: Node...) { self = .list(elements) }
        init(dictionaryLiteral elements: (String, Node)...) {
            self = .object(Dictionary(elements, uniquingKeysWith: { _, last in last }))
        }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let value): try container.encode(value)
            case .number(let value): try container.encode(value)
            case .flag(let value): try container.encode(value)
            case .list(let value): try container.encode(value)
            case .object(let value): try container.encode(value)
            }
        }
    }

    static func document(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        var info: [String: Node] = [
            "title": "fakemx", "summary": "Sessions, messages, rules and waits of a fake MX.",
            "license": ["name": "Apache-2.0", "identifier": "Apache-2.0"],
        ]
        info["version"] = .text(call.face.settings.version)
        var document: [String: Node] = [
            "openapi": "3.1.0", "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        ]
        document["info"] = .object(info)
        document["paths"] = .object(paths.merging(lessonPaths) { first, _ in first })
        let schemas = OpenAPISchemas.all.merging(lessonSchemas) { first, _ in first }
        var components: [String: Node] = ["schemas": .object(schemas)]
        if call.face.settings.token != nil {
            components["securitySchemes"] = ["bearer": ["type": "http", "scheme": "bearer"]]
            document["security"] = [["bearer": []]]
        }
        document["components"] = .object(components)
        return JSONText.response(Node.object(document))
    }

    // MARK: Paths

    private static var paths: [String: Node] {
        let p = API.prefix
        return [
            "/livez": [
                "get": operation(
                    "Whether fakemx lives.", "live", answers: ["200": plain("ok")], problems: [400, 403, 421])
            ],
            "/readyz": [
                "get": operation(
                    "Whether it is ready: the store is not in trouble.", "ready", answers: ["200": plain("ok")],
                    problems: [400, 403, 421, 503])
            ],
            "/metrics": [
                "get": operation(
                    "What is counted, for Prometheus.", "metrics", answers: ["200": plain("Text format 0.0.4")])
            ],
            p + "/openapi.json": [
                "get": operation(
                    "This document.", "openapi", answers: ["200": json("The document", ["type": "object"])])
            ],
            p + "/info": [
                "get": operation("What this fakemx is and holds.", "info", answers: ["200": json("Facts", ref("Info"))])
            ],
            p + "/cursor": [
                "get": operation(
                    "The present moment, for since=.", "cursor", answers: ["200": json("A cursor", ref("CursorObject"))]
                )
            ],
            p + "/reset": [
                "post": operation(
                    "Forget messages, sessions, counts and rules set at run time; of one space, or all.", "reset",
                    [spaceParameter], answers: ["200": json("What was forgotten", ref("Reset"))])
            ],
            p + "/sessions": [
                "get": operation(
                    "Sessions, the newest first.", "listSessions",
                    page + [
                        parameter(
                            "open", "Those that are open now, in place of those that ended.", ["type": "boolean"]),
                        parameter(
                            "nested",
                            "Of each session so many transactions and faults at most, and so many recipients of each "
                                + "transaction: the first ones. Without it all of them.",
                            ["type": "integer", "minimum": 0, "maximum": .number(API.mostLimit)]),
                    ]
                        + filter(.session),
                    answers: ["200": json("A page", ref("SessionList"))])
            ],
            p + "/sessions/{id}": [
                "get": operation(
                    "One session with all its lines.", "getSession", [path("id", "s12")],
                    answers: ["200": json("The session", ref("Session"))], problems: [404])
            ],
            p + "/sessions/{id}/transcript": [
                "get": operation(
                    "One session as text.", "getTranscript", [path("id", "s12")],
                    answers: ["200": plain("The transcript")],
                    problems: [404])
            ],
            p + "/sessions/{id}/scenario": [
                "get": operation(
                    "Its faults as a scenario that makes them happen again.", "getScenario", [path("id", "s13")],
                    answers: [
                        "200": [
                            "description": "A scenario", "content": ["text/yaml": ["schema": ["type": "object"]]],
                        ]
                    ], problems: [404, 409])
            ],
            p + "/attempts": [
                "get": operation(
                    "The attempts of each message over sessions, the newest first.", "listAttempts",
                    [
                        parameter(
                            "limit", "Messages, at most.",
                            ["type": "integer", "minimum": 1, "maximum": .number(API.mostLimit)]),
                        parameter("message-id", "The Message-ID, without angle brackets.", ["type": "string"]),
                    ] + filter(.message).filter(isWordOfAttempts),
                    answers: ["200": json("Time lines", ref("AttemptList"))], problems: [409])
            ],
            p + "/messages": [
                "get": operation(
                    "Messages that were stored, the newest first.", "listMessages", page + filter(.message),
                    answers: ["200": json("A page", ref("MessageList"))]),
                "delete": operation(
                    "Remove the messages that are meant, all without a filter.", "removeMessages", filter(.message),
                    answers: ["200": json("What was removed", ref("Removed"))]),
            ],
            p + "/messages/{id}": [
                "get": operation(
                    "One message with what can be read in it.", "getMessage", [path("id", "s12.1")],
                    answers: ["200": json("The message", ref("Message"))], problems: [404]),
                "delete": operation(
                    "Remove one message.", "removeMessage", [path("id", "s12.1")],
                    answers: ["200": json("What was removed", ref("Removed"))], problems: [404]),
            ],
            p + "/messages/{id}/raw": [
                "get": operation(
                    "Its octets as they came.", "getRaw", [path("id", "s12.1")],
                    answers: [
                        "200": [
                            "description": "The message", "content": ["message/rfc822": ["schema": ["type": "string"]]],
                        ]
                    ],
                    problems: [404])
            ],
            p + "/messages/{id}/html": [
                "get": operation(
                    "Its HTML for a frame that runs and loads nothing; without HTML there is none.", "getHTML",
                    [
                        path("id", "s12.1"),
                        parameter("key", "In place of a token, from html_path of the message.", ["type": "string"]),
                    ],
                    answers: [
                        "200": [
                            "description": "The HTML", "content": ["text/html": ["schema": ["type": "string"]]],
                        ]
                    ], problems: [404])
            ],
            p + "/rules": [
                "get": operation(
                    "Rules in force, in the order in which they are asked.", "listRules",
                    answers: ["200": json("Rules", ref("RuleList"))]),
                "post": operation(
                    "Set a rule in front of all others; in force everywhere when this is answered.", "addRule",
                    [spaceParameter, expiresParameter, checkParameter], body: ruleBody,
                    answers: [
                        "200": json("The rule as it would be set", ref("Rule")), "201": json("The rule", ref("Rule")),
                    ],
                    problems: [408, 409, 413, 415, 422]),
                "delete": operation(
                    "Remove rules that were set at run time, all or those of one space.", "removeRules",
                    [spaceParameter], answers: ["200": json("How many", ref("RemovedCount"))]),
            ],
            p + "/rules/{name}": [
                "get": operation(
                    "One rule.", "getRule", [path("name", "full-mailbox")],
                    answers: ["200": json("The rule", ref("Rule"))],
                    problems: [404]),
                "put": operation(
                    "Put a rule in the place of the one of its name, or in front of all others.", "putRule",
                    [path("name", "full-mailbox"), spaceParameter, expiresParameter, checkParameter], body: ruleBody,
                    answers: [
                        "200": json("The rule", ref("Rule")), "201": json("The rule, which is new", ref("Rule")),
                    ],
                    problems: [408, 409, 413, 415, 422]),
                "patch": operation(
                    "Switch any rule on or off; its counts stay.", "changeRule", [path("name", "full-mailbox")],
                    body: [
                        "required": true,
                        "content": ["application/json": ["schema": ref("RuleChange"), "example": ["enabled": true]]],
                    ], answers: ["200": json("The rule", ref("Rule"))], problems: [404, 408, 413, 415]),
                "delete": operation(
                    "Remove a rule that was set at run time.", "removeRule", [path("name", "full-mailbox")],
                    answers: ["200": json("The rule that is gone", ref("Rule"))], problems: [404, 409]),
            ],
            p + "/scenarios": [
                "get": operation(
                    "Scenarios that lie ready, by name.", "listScenarios",
                    answers: ["200": json("Scenarios", ref("ScenarioList"))])
            ],
            p + "/scenarios/{name}": [
                "post": operation(
                    "Set the rules of a scenario in front of all others, as NAME-1 and so on.", "setScenario",
                    [path("name", "greylisting")], answers: ["201": json("Its rules", ref("ScenarioRules"))],
                    problems: [404, 409, 422]),
                "delete": operation(
                    "Remove the rules that were set with a scenario.", "removeScenario", [path("name", "greylisting")],
                    answers: ["200": json("How many", ref("RemovedCount"))], problems: [404, 409]),
            ],
            p + "/replies": [
                "get": operation(
                    "The catalogue of replies seen in the field.", "listReplies",
                    [
                        parameter("q", "Words, as of fakemx replies.", ["type": "string"]),
                        parameter("provider", "The file's name or the provider's.", ["type": "string"]),
                        parameter(
                            "code", "550 or 4xx.",
                            ["type": "string", "pattern": "^[2-5]([0-9]{2}|[0-9][xX]|[xX]{2})?$"]),
                        parameter(
                            "enhanced", "4.2.2, or its beginning.",
                            ["type": "string", "pattern": "^[245](\\.([0-9]{1,3}|[xX])){0,2}$"]),
                        parameter("meaning", "What it means.", words(Meaning.allCases.map(\.rawValue))),
                        parameter("phase", "Where it was seen.", words(Phase.allCases.map(\.rawValue) + ["any"])),
                    ],
                    answers: ["200": json("Replies", ref("ReplyList"))])
            ],
            p + "/findings": [
                "get": operation(
                    "What was found against senders, the newest session first.", "listFindings",
                    page + filter(.finding), answers: ["200": json("A page", ref("FindingList"))], problems: [409])
            ],
            p + "/report": [
                "get": operation(
                    "The verdict on the newest sessions that are meant.", "report",
                    [
                        parameter("format", "Its form.", words(ReportFormat.allCases.map(\.rawValue))),
                        parameter(
                            "fail-on", "Of JUnit: from which severity on a test fails; must without it.",
                            words(Severity.allCases.map(\.rawValue))),
                    ] + page + filter(.session), answers: ["200": reportForms], problems: [409])
            ],
            p + "/wait": [
                "get": operation(
                    "Answered when it has happened; what happened since the cursor counts, too.", "wait",
                    [
                        parameter(
                            "for", "What is waited for.", words(Filter.Kind.allCases.map(\.rawValue)), required: true),
                        parameter(
                            "count", "How many.",
                            ["type": "integer", "minimum": 1, "maximum": .number(Wait.Bounds.mostCount)]),
                        parameter(
                            "timeout", "Seconds, or a duration as 500ms; 10 without it, 600 at most.",
                            ["type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?(ms|s|m)?$"]),
                        sinceParameter,
                        parameter("absent", "It must not happen.", ["type": "boolean"]),
                        parameter("take", "Messages are removed when they are found.", ["type": "boolean"]),
                    ] + waitFilter,
                    answers: [
                        "200": json("It happened, or what must be absent was", ref("Waited")),
                        "408": json(
                            "The time was over", .object(["anyOf": [ref("Waited"), ref("Problem")]]), problem: true),
                        "409": json("It happened though it must not", ref("Waited")),
                    ], problems: [410, 503])
            ],
            p + "/events": [
                "get": operation(
                    "What happens, as it happens (server-sent events); Last-Event-ID resumes.", "events",
                    [
                        list("kind", "Kinds, with commas.", words(Entry.Kind.allCases.map(\.rawValue))),
                        parameter(
                            "since", "A cursor, or all.",
                            ["anyOf": [cursorSchema, ["type": "string", "const": "all"]]]),
                        parameter("follow", "False: it ends where the present is.", ["type": "boolean"]),
                    ] + filter(.session),
                    // Of a stream the schema is that of one event.
                    answers: [
                        "200": ["description": "Events", "content": ["text/event-stream": ["schema": ref("Event")]]]
                    ],
                    problems: [503])
            ],
        ]
    }
}
