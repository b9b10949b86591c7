// The catalogue of replies seen in the field.

import Faults
import Hummingbird
import SMTP
import Sink

enum Replies {
    private struct List: Encodable { let replies: [CatalogueEntry] }

    private static let known = ["q", "provider", "code", "enhanced", "meaning", "phase"]

    static func list(_ call: inout Call) async throws -> Response {
        func bad(_ name: String, _ text: String, _ form: String) -> Problem {
            .badParameter(name, "\(name): \"\(text.shown)\" is not \(form)")
        }
        var query = CatalogueQuery(provider: try call.query.take("provider"))
        if let text = try call.query.take("q") {
            query.words = text.split(whereSeparator: \.isWhitespace).map(String.init)
        }
        if let text = try call.query.take("code") {
            guard let code = CodePattern(text) else { throw bad("code", text, "a reply code, as 550 or 4xx") }
            query.code = code
        }
        if let text = try call.query.take("enhanced") {
            guard let enhanced = EnhancedPattern(text) else {
                throw bad("enhanced", text, "an enhanced code, as 4.2.2")
            }
            query.enhanced = enhanced
        }
        if let text = try call.query.take("meaning") {
            guard let meaning = Meaning(rawValue: text) else {
                throw bad("meaning", text, "one of " + Meaning.allCases.map(\.rawValue).joined(separator: ", "))
            }
            query.meaning = meaning
        }
        if let text = try call.query.take("phase") {
            guard text == "any" || Phase(rawValue: text) != nil else {
                throw bad("phase", text, "any, or one of " + Phase.allCases.map(\.rawValue).joined(separator: ", "))
            }
            query.phase = Phase(rawValue: text).map { .at($0) } ?? .any
        }
        try call.query.finish(known)
        return JSONText.response(List(replies: call.face.server.catalogue.search(query)))
    }
}
