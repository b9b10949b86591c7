// Mailpit's chaos as what it is here: three rules set at run time, which anybody can see, change and take away under
// /api/fakemx/rules. What this call shows is read out of the rules in force, wherever they came from.

import Faults
import Hummingbird
import SMTP
import Settings
import Sink

extension Mailpit {
    struct Triggers: Encodable {
        let Sender: Trigger
        let Recipient: Trigger
        let Authentication: Trigger
    }

    struct Trigger: Encodable, Equatable {
        var ErrorCode: Int
        /// Of a hundred.
        var Probability: Int
    }

    private struct Place {
        let key: String
        let name: String
        let phase: Phase
        let usualCode: Int
        let words: String

        var usual: Trigger { Trigger(ErrorCode: usualCode, Probability: 0) }
    }

    private static let sender = Place(
        key: "Sender", name: "chaos-sender", phase: .mail, usualCode: 451, words: "Chaos sender error")
    private static let recipient = Place(
        key: "Recipient", name: "chaos-recipient", phase: .rcpt, usualCode: 451, words: "Chaos recipient error")
    private static let authentication = Place(
        key: "Authentication", name: "chaos-authentication", phase: .auth, usualCode: 535,
        words: "Chaos authentication error")

    // MARK: Calls

    @Sendable static func chaos(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        JSONText.response(triggers(call.face.server))
    }

    /// All three are set: one that is not named is off.
    @Sendable static func setChaos(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let body = try await Body(call)
        guard !body.isEmpty else { throw refusal("the body is empty; JSON is expected here") }
        let places = [sender, recipient, authentication]
        guard !body.isOther(than: places.map(\.key)) else {
            throw refusal("the body names no trigger; known are \(places.map(\.key).joined(separator: ", "))")
        }
        let server = call.face.server
        var wanted: [(Place, Trigger)] = []
        for place in places { wanted.append((place, try read(body, place))) }
        let status = server.ruleStatus
        for (place, trigger) in wanted where trigger != shown(place, status) {
            if let fixed = status.first(where: { $0.name == place.name && !$0.isRunRule }) {
                throw refusal("the rule \"\(fixed.name)\" stands in the configuration; chaos cannot change it")
            }
        }
        for (place, trigger) in wanted where trigger != shown(place, status) {
            try await set(place, trigger, call.face)
        }
        return JSONText.response(triggers(server))
    }

    private static func read(_ body: Body, _ place: Place) throws -> Trigger {
        guard let object = try body.object(place.key) else { return place.usual }
        let code = try object.number("ErrorCode")
        let trigger = Trigger(
            ErrorCode: code == 0 ? place.usualCode : code, Probability: try object.number("Probability"))
        guard (400...599).contains(trigger.ErrorCode) else { throw refusal("error code must be between 400 and 599") }
        guard (0...100).contains(trigger.Probability) else { throw refusal("probability must be between 0 and 100") }
        return trigger
    }

    // MARK: Rules

    private static func set(_ place: Place, _ trigger: Trigger, _ face: Face) async throws {
        guard trigger != place.usual else {
            // It may have gone meanwhile, which is what is wanted.
            try? await face.server.removeRule(place.name)
            return
        }
        // With a probability of 0 the rule stands there switched off, and keeps the code.
        let line =
            "\(place.phase.rawValue) name=\(place.name) chance=\(max(1, trigger.Probability))%: "
            + "\(trigger.ErrorCode) \(place.words)"
        do {
            var rule = try RuleLine.parse(line)
            rule.isOn = trigger.Probability > 0
            if let complaint = face.settings.rules.complaints(rule).first(where: \.isError) {
                throw refusal(complaint.message)
            }
            _ = try await face.server.putRule(rule)
        } catch let error as RuleError {
            throw refusal(error.message)
        } catch let error as RuleChangeRefusal {
            throw refusal(error.description)
        }
    }

    private static func triggers(_ server: RunningSink) -> Triggers {
        let status = server.ruleStatus
        return Triggers(
            Sender: shown(sender, status), Recipient: shown(recipient, status),
            Authentication: shown(authentication, status))
    }

    /// What the rule of a name does, as far as this dialect can say it.
    private static func shown(_ place: Place, _ status: [RuleStatus]) -> Trigger {
        guard let found = status.first(where: { $0.name == place.name }),
            case .times(let frequency, let actions) = found.rule.schedule
        else { return place.usual }
        var trigger = place.usual
        for case .reply(let reply) in actions { trigger.ErrorCode = Int(reply.code.value) }
        switch frequency {
        case _ where !found.isOn: trigger.Probability = 0
        case .chance(let millionths): trigger.Probability = max(1, min(100, (millionths + 5_000) / 10_000))
        default: trigger.Probability = 100
        }
        return trigger
    }
}
