// Errors as programs read them: problem details (RFC 9457). Every error of our own face has this form.

import FoundationEssentials
import HTTPTypes
import Hummingbird
import NIOCore

/// A problem: what is wrong with a request, or why it cannot be answered.
struct Problem: Error, Encodable {
    /// A word that programs may test for, behind `https://fakemx.test/problems/`.
    let kind: String
    let status: Int
    let title: String
    /// What happened, where, and what to do.
    let detail: String
    /// The parameter, header or field at fault.
    var parameter: String?
    /// Everything that is wrong with a rule, with line and column.
    var complaints: [RuleComplaint]?
    /// Methods that the path does take.
    var allow: [String] = []

    struct RuleComplaint: Encodable {
        let message: String
        let line: Int?
        let column: Int?
        let is_warning: Bool
    }

    init(_ kind: String, _ status: Int, _ title: String, _ detail: String, parameter: String? = nil) {
        self.kind = kind
        self.status = status
        self.title = title
        self.detail = detail
        self.parameter = parameter
    }

    private enum Keys: String, CodingKey { case type, status, title, detail, parameter, complaints }

    func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: Keys.self)
        try fields.encode("https://fakemx.test/problems/\(kind)", forKey: .type)
        try fields.encode(status, forKey: .status)
        try fields.encode(title, forKey: .title)
        try fields.encode(detail, forKey: .detail)
        try fields.encodeIfPresent(parameter, forKey: .parameter)
        try fields.encodeIfPresent(complaints, forKey: .complaints)
    }

    // MARK: Those that occur in several places

    static func badParameter(_ name: String, _ detail: String) -> Problem {
        Problem("bad-parameter", 400, "A parameter is wrong", detail, parameter: name)
    }

    static func notFound(_ what: String) -> Problem { Problem("not-found", 404, "Not found", what) }

    static func badBody(_ detail: String) -> Problem { Problem("bad-body", 400, "The body is wrong", detail) }

    var response: Response {
        var headers: HTTPFields = [.contentType: "application/problem+json"]
        if !allow.isEmpty { headers[.allow] = allow.joined(separator: ", ") }
        if status == 401 { headers[.wwwAuthenticate] = "Bearer realm=\"fakemx\"" }
        return Response(
            status: HTTPResponse.Status(code: status), headers: headers,
            body: ResponseBody(byteBuffer: JSONText.buffer(self)))
    }
}

/// Values as JSON, with sorted keys, so that the same value gives the same octets.
enum JSONText {
    static func buffer(_ value: some Encodable) -> ByteBuffer {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Only a number that is none (NaN) could not be encoded, and there is no floating point in what is shown.
        guard let data = try? encoder.encode(value) else { return ByteBuffer(string: "{}") }
        return ByteBuffer(bytes: data)
    }

    static func response(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: buffer(value)))
    }

    static func decode<Value: Decodable>(_: Value.Type, _ octets: [UInt8]) throws(Problem) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: Data(octets))
        } catch let error as DecodingError {
            throw .badBody("the body is not the JSON that is expected here: \(words(error))")
        } catch {
            throw .badBody("the body is no JSON")
        }
    }

    private static func words(_ error: DecodingError) -> String {
        func path(_ context: DecodingError.Context) -> String {
            let keys = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
            return keys.isEmpty ? "at its top" : "at " + keys.joined(separator: ".")
        }
        return switch error {
        case .keyNotFound(let key, let context): "\(path(context)) the key \"\(key.stringValue)\" is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "\(path(context)) stands a value of another type"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty ? "it is no JSON" : "\(path(context)) stands something else"
        @unknown default: "it is no JSON"
        }
    }
}
