// Scenarios that lie ready: what there are, and their rules set while the sink runs. What else a scenario says (its
// listeners, its seed) needs a start, and is named.

import Faults
import Hummingbird
import NIOPosix
import Settings
import Sink

enum ScenarioCalls {
    struct View: Encodable {
        let name, about: String
        let rules: [String]
        /// Keys of its other settings: these need a start with --scenario.
        let left_out: [String]
        /// Its rules are set.
        let is_set: Bool
        /// It cannot be read, and why.
        var trouble: String?
    }

    private struct List: Encodable { let scenarios: [View] }

    static func list(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let folders = call.face.settings.scenarioFolders
        let set = Set(call.face.server.ruleStatus.compactMap(\.scenario))
        let scenarios = try await NIOThreadPool.singleton.runIfActive {
            Scenarios.names(in: folders).sorted().map { ($0, Scenarios.ready($0, in: folders)) }
        }
        return JSONText.response(
            List(
                scenarios: scenarios.map { name, read in
                    switch read {
                    case .success(let scenario): View(scenario, isSet: set.contains(name))
                    case .failure(let complaint):
                        View(
                            name: name, about: "", rules: [], left_out: [], is_set: set.contains(name),
                            trouble: complaint.description)
                    }
                }))
    }

    private struct SetView: Encodable {
        let rules: [RuleView]
        let left_out: [String]
    }

    /// Sets its rules in front of all others; once more, and they begin anew.
    static func set(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let scenario = try await scenario(call)
        guard !scenario.rules.isEmpty else {
            let rest = scenario.leftOut.joined(separator: ", ")
            throw Problem(
                "no-rules", 409, "The scenario needs a start",
                "the scenario \"\(scenario.name)\" has no rule for all listeners"
                    + (rest.isEmpty ? "" : ", but \(rest): start it with serve --scenario \(scenario.name)"))
        }
        for rule in scenario.rules {
            let complaints = call.face.settings.rules.complaints(rule)
            if complaints.contains(where: \.isError) { throw Rules.problem(complaints) }
        }
        if let complaint = Rule.complaint(aboutName: "\(scenario.name)-\(scenario.rules.count)") {
            throw Problem("bad-rule", 422, "The rule is wrong", complaint.description, parameter: "name")
        }
        let server = call.face.server
        // In force without them first: rules that stay the same would keep their counts.
        _ = await server.removeRules { $0.scenario == scenario.name }
        do { try await server.addRules(scenario.rules, of: scenario.name) } catch { throw Rules.problem(error) }
        let now_ns = server.now_ns
        let set = server.ruleStatus.filter { $0.scenario == scenario.name }
        return JSONText.response(
            SetView(rules: set.map { RuleView($0, now_ns: now_ns, []) }, left_out: scenario.leftOut), status: .created)
    }

    static func remove(_ call: inout Call) async throws -> Response {
        try call.query.finish([])
        let name = call.arguments["name"] ?? ""
        let count = await call.face.server.removeRules { $0.scenario == name }
        // One whose file is gone can still be taken away.
        if count == 0 { _ = try await scenario(call) }
        return JSONText.response(Rules.Removed(removed: count))
    }

    private static func scenario(_ call: Call) async throws -> ReadyScenario {
        let folders = call.face.settings.scenarioFolders
        let name = call.arguments["name"] ?? ""
        let read = try await NIOThreadPool.singleton.runIfActive {
            (Scenarios.names(in: folders).contains(name), Scenarios.ready(name, in: folders))
        }
        switch read {
        case (_, .success(let scenario)): return scenario
        case (false, .failure(let complaint)): throw Problem.notFound(complaint.message)
        case (true, .failure(let complaint)):
            throw Problem("bad-scenario", 409, "The scenario is broken", complaint.description)
        }
    }
}

extension ScenarioCalls.View {
    init(_ scenario: ReadyScenario, isSet: Bool) {
        name = scenario.name
        about = scenario.about
        rules = scenario.rules.map(RuleLine.line)
        left_out = scenario.leftOut
        is_set = isSet
    }
}
