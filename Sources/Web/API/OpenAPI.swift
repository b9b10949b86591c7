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
                        parameter("open", "Those that are open now, in place of those that ended.", ["type": "boolean"])
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
            p + "/rules": [
                "get": operation(
                    "Rules in force, in the order in which they are asked.", "listRules",
                    answers: ["200": json("Rules", ref("RuleList"))]),
                "post": operation(
                    "Set a rule in front of all others; in force everywhere when this is answered.", "addRule",
                    [spaceParameter], body: ruleBody, answers: ["201": json("The rule", ref("Rule"))],
                    problems: [408, 409, 413, 415, 422]),
                "delete": operation(
                    "Remove rules that were set at run time, all or those of one space.", "removeRules",
                    [spaceParameter],
                    answers: [
                        "200": json(
                            "How many",
                            ["type": "object", "required": ["removed"], "properties": ["removed": ["type": "integer"]]])
                    ]),
            ],
            p + "/rules/{name}": [
                "get": operation(
                    "One rule.", "getRule", [path("name", "full-mailbox")],
                    answers: ["200": json("The rule", ref("Rule"))],
                    problems: [404]),
                "put": operation(
                    "Put a rule in the place of the one of its name, or in front of all others.", "putRule",
                    [path("name", "full-mailbox"), spaceParameter], body: ruleBody,
                    answers: [
                        "200": json("The rule", ref("Rule")), "201": json("The rule, which is new", ref("Rule")),
                    ],
                    problems: [408, 409, 413, 415, 422]),
                "delete": operation(
                    "Remove a rule that was set at run time.", "removeRule", [path("name", "full-mailbox")],
                    answers: ["200": json("The rule that is gone", ref("Rule"))], problems: [404, 409]),
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
                    ], problems: [503])
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

    // MARK: Parts

    static func ref(_ name: String) -> Node { .object(["$ref": .text("#/components/schemas/\(name)")]) }

    static func words(_ words: [String]) -> Node { .object(["type": "string", "enum": .list(words.map(Node.text))]) }

    static func operation(
        _ summary: String, _ id: String, _ parameters: [Node] = [], body: Node? = nil, answers: [String: Node],
        problems: [Int] = []
    ) -> Node {
        var all = answers
        for status in Set(problems + [400, 401, 403, 414, 421, 503]) where all["\(status)"] == nil {
            all["\(status)"] = [
                "description": "A problem", "content": ["application/problem+json": ["schema": ref("Problem")]],
            ]
        }
        var operation: [String: Node] = [
            "summary": .text(summary), "operationId": .text(id), "parameters": .list(parameters),
            "responses": .object(all),
        ]
        operation["requestBody"] = body
        return .object(operation)
    }

    private static func parameter(_ name: String, _ description: String, _ schema: Node, required: Bool = false) -> Node
    {
        .object([
            "name": .text(name), "in": "query", "required": .flag(required), "description": .text(description),
            "schema": schema,
        ])
    }

    static func path(_ name: String, _ example: String) -> Node {
        .object([
            "name": .text(name), "in": "path", "required": true, "schema": ["type": "string", "minLength": 1],
            "example": .text(example),
        ])
    }

    /// Values that stand between commas.
    private static func list(_ name: String, _ description: String, _ item: Node) -> Node {
        .object([
            "name": .text(name), "in": "query", "required": false, "description": .text(description), "style": "form",
            "explode": false, "schema": .object(["type": "array", "minItems": 1, "items": item]),
        ])
    }

    private static let cursorSchema: Node = [
        "type": "string", "pattern": "^[0-9A-Za-z]{1,12}-[0-9]{1,18}-[0-9]{1,18}-[0-9]{1,18}$",
    ]
    private static let sinceParameter = parameter("since", "Only what came behind this cursor.", cursorSchema)
    private static let spaceParameter = parameter(
        "space", "A space: anyone@SPACE.test, anyone+SPACE@any.example.",
        ["type": "string", "pattern": "^[A-Za-z0-9_-]{1,63}$"])
    private static let page: [Node] = [
        parameter("limit", "Items on a page.", ["type": "integer", "minimum": 1, "maximum": .number(API.mostLimit)]),
        parameter(
            "before", "Where the page begins: next of the page before.",
            ["type": "string", "pattern": "^p[1-9][0-9]{0,17}$"]),
        sinceParameter,
    ]

    private static func filter(_ kind: Filter.Kind) -> [Node] {
        Filter.names(kind).filter { !$0.contains(".") }.map {
            word($0, "Of the filter: globs, /regular expressions/, several with commas.")
        }
    }

    private static var waitFilter: [Node] {
        var names: [String] = []
        for name in Filter.Kind.allCases.flatMap(Filter.names) where !name.contains(".") && !names.contains(name) {
            names.append(name)
        }
        return names.map { word($0, "Of the filter, where what is waited for has it.") }
    }

    /// A word of a filter; the values of some can be told.
    private static func word(_ name: String, _ description: String) -> Node {
        switch name {
        case "verdict": list(name, "Verdicts, with commas.", words(Verdict.allCases.map(\.rawValue)))
        case "phase": list(name, "Phases, with commas.", words(Phase.allCases.map(\.rawValue) + ["protocol"]))
        case "severity": list(name, "Severities, with commas.", words(Severity.allCases.map(\.rawValue)))
        case "code":
            list(name, "Codes, as 550 or 4xx, with commas.", ["type": "string", "pattern": "^[2-5][0-9x]{2}$"])
        default: parameter(name, description, ["type": "string"])
        }
    }

    static func json(_ description: String, _ schema: Node, problem: Bool = false) -> Node {
        var content: [String: Node] = ["application/json": .object(["schema": schema])]
        if problem { content["application/problem+json"] = .object(["schema": ref("Problem")]) }
        return .object(["description": .text(description), "content": .object(content)])
    }

    /// The report in each of its forms.
    private static var reportForms: Node {
        var content: [String: Node] = [:]
        for format in ReportFormat.allCases {
            let type = format.mediaType.split(separator: ";").first.map(String.init) ?? ""
            let isObject = format == .json || format == .sarif
            content[type] = ["schema": .object(["type": .text(isObject ? "object" : "string")])]
        }
        // What an XML document has for its root is no matter of JSON Schema.
        content["application/xml"] = ["schema": [:]]
        return .object(["description": "The report", "content": .object(content)])
    }

    private static func plain(_ description: String) -> Node {
        .object(["description": .text(description), "content": ["text/plain": ["schema": ["type": "string"]]]])
    }

    private static let ruleBody: Node = [
        "required": true,
        "content": [
            "text/plain": [
                "schema": ["type": "string"], "example": "rcpt to=*@full.test first=2 per=to: 452 4.2.2 Mailbox full",
            ],
            "application/json": [
                "schema": ref("NewRule"),
                "example": [
                    "at": "rcpt", "when": ["to": "*@full.test"], "times": "first 2 per to",
                    "do": ["452 4.2.2 Mailbox full"],
                ],
            ],
        ],
    ]
}
