// Rules at run time: set, looked at, changed, taken away. When a call returns, its change is in force everywhere.

import Faults
import Hummingbird
import Settings
import Sink

/// What a rule must fit: the listeners and the catalogue that are in force.
package struct RuleSurroundings: Sendable {
    let complaints: @Sendable (Rule) -> [Complaint]

    package init(complaints: @escaping @Sendable (Rule) -> [Complaint]) { self.complaints = complaints }
}

enum Rules {
    static func list(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        return JSONText.response(RuleList(rules: views(call)))
    }

    static func one(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let name = call.arguments["name"] ?? ""
        return JSONText.response(try view(name, call))
    }

    static func add(_ call: inout Call) async throws -> Response {
        let isCheck = try call.query.takeFlag("check") ?? false
        let (rule, warnings) = try await read(&call)
        let server = call.face.server
        let name: String
        do {
            if isCheck {
                let status = try server.rehearse(rule.rule, lifetime_ns: rule.lifetime?.ns, isPut: false)
                return JSONText.response(RuleView(status, now_ns: server.now_ns, warnings))
            }
            name = try await server.addRule(rule.rule, lifetime_ns: rule.lifetime?.ns)
        } catch { throw problem(error) }
        var response = JSONText.response(justSet(name, rule, warnings, call), status: .created)
        response.headers[.location] = "\(API.prefix)/rules/\(name)"
        return response
    }

    static func put(_ call: inout Call) async throws -> Response {
        let name = call.arguments["name"] ?? ""
        if let complaint = Rule.complaint(aboutName: name) {
            throw Problem("bad-rule", 422, "The rule is wrong", complaint.description, parameter: "name")
        }
        let isCheck = try call.query.takeFlag("check") ?? false
        var (rule, warnings) = try await read(&call)
        guard rule.rule.name.isEmpty || rule.rule.name == name else {
            throw Problem(
                "bad-rule", 422, "The rule is wrong", "the path says \"\(name)\" and the rule \"\(rule.rule.name)\"",
                parameter: "name")
        }
        rule.rule.name = name
        let server = call.face.server
        let isNew: Bool
        do {
            if isCheck {
                let status = try server.rehearse(rule.rule, lifetime_ns: rule.lifetime?.ns, isPut: true)
                return JSONText.response(RuleView(status, now_ns: server.now_ns, warnings))
            }
            isNew = try await server.putRule(rule.rule, lifetime_ns: rule.lifetime?.ns)
        } catch { throw problem(error) }
        return JSONText.response(justSet(name, rule, warnings, call), status: isNew ? .created : .ok)
    }

    private struct Change: Decodable {
        let enabled: Bool

        private struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let fields = try decoder.container(keyedBy: Key.self)
            if let other = fields.allKeys.first(where: { $0.stringValue != "enabled" }) {
                throw DecodingError.dataCorruptedError(
                    forKey: other, in: fields, debugDescription: "only enabled can be changed")
            }
            enabled = try fields.decode(Bool.self, forKey: Key(stringValue: "enabled"))
        }
    }

    /// Switches any rule on or off.
    static func change(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let name = call.arguments["name"] ?? ""
        guard call.contentType.isEmpty || call.contentType == "application/json" else {
            throw Problem(
                "bad-content-type", 415, "The type of the body is unknown",
                "\"\(call.contentType.shown)\" is not application/json, as {\"enabled\": false}",
                parameter: "Content-Type")
        }
        let change = try JSONText.decode(Change.self, try await call.body())
        let view = try view(name, call)
        do { try await call.face.server.switchRule(view.name, isOn: change.enabled) } catch { throw problem(error) }
        return JSONText.response(try self.view(name, call))
    }

    static func remove(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        try await call.expectNoBody()
        let view = try view(call.arguments["name"] ?? "", call)
        do { try await call.face.server.removeRule(view.name) } catch { throw problem(error) }
        return JSONText.response(view)
    }

    struct Removed: Encodable { let removed: Int }

    /// Those that were set at run time, or of them those of one space.
    static func removeAll(_ call: inout Call) async throws -> Response {
        let space = try Health.space(&call)
        try call.query.finish(["space"])
        try await call.expectNoBody()
        let server = call.face.server
        let count: Int
        if let space {
            count = await server.removeRules { $0.rule.spaces.contains(space) }
        } else {
            count = await server.removeRules(where: nil)
        }
        return JSONText.response(Removed(removed: count))
    }

    // MARK: Reading

    private static func read(_ call: inout Call) async throws -> (
        rule: RuntimeRule, warnings: [String]
    ) {
        let space = try Health.space(&call)
        let lifetime = try call.query.take("expires").map(lifetime)
        try call.query.finish(["check", "expires", "space"])
        let type = call.contentType
        let body = try await call.body()
        let read: RuntimeRule.Read
        switch type {
        case "application/json", "application/yaml", "text/yaml", "application/x-yaml":
            read = RuntimeRule.mapping(body)
        case "text/plain", "", "application/x-www-form-urlencoded":
            // What curl says of its -d when nothing else is said.
            guard let text = String(validating: body, as: UTF8.self) else {
                throw Problem.badBody("a rule line is UTF-8")
            }
            // A rule line begins with its phase; what begins with a brace is JSON that was not called so.
            read = text.trimmed.hasPrefix("{") ? RuntimeRule.mapping(body) : RuntimeRule.line(text.trimmed)
        default:
            throw Problem(
                "bad-content-type", 415, "The type of the body is unknown",
                "\"\(type.shown)\" is neither application/json, application/yaml nor text/plain (a rule line)",
                parameter: "Content-Type")
        }
        var complaints = read.complaints
        guard var rule = read.rule else { throw problem(complaints) }
        complaints += call.face.settings.rules.complaints(rule.rule)
        if complaints.contains(where: \.isError) { throw problem(complaints) }
        if let space {
            do { rule.rule = try rule.rule.bound(toSpace: space) } catch {
                throw Problem("bad-rule", 422, "The rule is wrong", "space: \(error)", parameter: "space")
            }
        }
        if let lifetime {
            guard rule.lifetime == nil else {
                throw Problem.badParameter("expires", "expires stands in the body, too; say it once")
            }
            rule.lifetime = lifetime
        }
        return (rule, complaints.map(\.message))
    }

    private static func lifetime(_ text: String) throws(Problem) -> Span {
        switch Span.parse(text) {
        case .success(let span) where span.ns >= 1_000_000: return span
        case .success: throw .badParameter("expires", "expires is 1ms at least, not \"\(text.shown)\"")
        case .failure(let complaint): throw .badParameter("expires", "expires: \(complaint)")
        }
    }

    static func problem(_ complaints: [Complaint]) -> Problem {
        let errors = complaints.filter(\.isError)
        let words = errors.map { complaint in
            let place = complaint.place
            let at = [place.line.map { "line \($0)" }, place.column.map { "column \($0)" }].compactMap(\.self)
            return (at.isEmpty ? "" : at.joined(separator: ", ") + ": ") + complaint.message
        }
        var problem = Problem(
            "bad-rule", 422, "The rule is wrong", words.isEmpty ? "no rule" : words.joined(separator: "; "))
        problem.complaints = complaints.map {
            Problem.RuleComplaint(
                message: $0.message, line: $0.place.line, column: $0.place.column, is_warning: !$0.isError)
        }
        return problem
    }

    static func problem(_ refusal: RuleChangeRefusal) -> Problem {
        switch refusal {
        case .unknown: .notFound(refusal.description)
        case .nameTaken: Problem("name-taken", 409, "The name is taken", refusal.description, parameter: "name")
        case .fixed: Problem("configured-rule", 409, "The rule stands in the configuration", refusal.description)
        case .tooMany: Problem("too-many-rules", 409, "There are too many rules", refusal.description)
        }
    }

    // MARK: Showing

    /// A rule that was set a moment ago; it may have expired since.
    private static func justSet(
        _ name: String, _ rule: RuntimeRule, _ warnings: [String], _ call: Call
    ) -> RuleView {
        if let view = try? view(name, call, warnings) { return view }
        var its = rule.rule
        its.name = name
        return RuleView(RuleStatus(new: RunRule(rule: its, expires_ns: 0)), now_ns: 0, warnings)
    }

    private static func views(_ call: Call) -> [RuleView] {
        let now_ns = call.face.server.now_ns
        return call.face.server.ruleStatus.map { RuleView($0, now_ns: now_ns, []) }
    }

    private static func view(
        _ name: String, _ call: Call, _ warnings: [String] = []
    ) throws(Problem) -> RuleView {
        let server = call.face.server
        let all = server.ruleStatus
        guard let status = all.first(where: { $0.name == name }) else {
            let hint = Suggestion.didYouMean(name, among: all.map(\.name))
            throw .notFound("no rule is named \"\(name.shown)\"\(hint)")
        }
        return RuleView(status, now_ns: server.now_ns, warnings)
    }
}
