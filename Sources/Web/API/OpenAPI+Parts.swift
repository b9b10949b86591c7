// What the paths of the OpenAPI document are put together of: parameters, bodies, answers.

import Faults
import Findings
import Journal
import SMTP
import Sink

extension OpenAPI {
    static let checkParameter = parameter(
        "check", "Set nothing: answer what would be set.", ["type": "boolean"])

    static func isWordOfAttempts(_ parameter: Node) -> Bool {
        guard case .object(let fields) = parameter, case .text(let name) = fields["name"] else { return false }
        return Attempts.words.contains(name)
    }

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

    static func parameter(_ name: String, _ description: String, _ schema: Node, required: Bool = false) -> Node {
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
    static func list(_ name: String, _ description: String, _ item: Node) -> Node {
        .object([
            "name": .text(name), "in": "query", "required": false, "description": .text(description), "style": "form",
            "explode": false, "schema": .object(["type": "array", "minItems": 1, "items": item]),
        ])
    }

    static let cursorSchema: Node = [
        "type": "string", "pattern": "^[0-9A-Za-z]{1,12}-[0-9]{1,18}-[0-9]{1,18}-[0-9]{1,18}$",
    ]
    static let sinceParameter = parameter("since", "Only what came behind this cursor.", cursorSchema)
    static let spaceParameter = parameter(
        "space", "A space: anyone@SPACE.test, anyone+SPACE@any.example.",
        ["type": "string", "pattern": "^[A-Za-z0-9_-]{1,63}$"])
    static let expiresParameter = parameter(
        "expires", "It goes by itself after so long.",
        ["type": "string", "pattern": "^[1-9][0-9]{0,4}(ms|s|m)$"])
    static let page: [Node] = [
        parameter("limit", "Items on a page.", ["type": "integer", "minimum": 1, "maximum": .number(API.mostLimit)]),
        parameter(
            "before", "Where the page begins: next of the page before.",
            ["type": "string", "pattern": "^p[1-9][0-9]{0,17}$"]),
        sinceParameter,
    ]

    static func filter(_ kind: Filter.Kind) -> [Node] {
        Filter.names(kind).filter { !$0.contains(".") }.map {
            word($0, "Of the filter: globs, /regular expressions/, several with commas.")
        }
    }

    static var waitFilter: [Node] {
        var names: [String] = []
        for name in Filter.Kind.allCases.flatMap(Filter.names) where !name.contains(".") && !names.contains(name) {
            names.append(name)
        }
        return names.map { word($0, "Of the filter, where what is waited for has it.") }
    }

    /// A word of a filter; the values of some can be told.
    static func word(_ name: String, _ description: String) -> Node {
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
    static var reportForms: Node {
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

    static func plain(_ description: String) -> Node {
        .object(["description": .text(description), "content": ["text/plain": ["schema": ["type": "string"]]]])
    }

    static let ruleBody: Node = [
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
