// Which fakemx is asked, and what is made of its answers: what all commands for a running sink share.

import ArgumentParser
import FakeMX
import Faults
import FoundationEssentials
import Outside

struct Running: ParsableArguments {
    static let usualURL = "http://127.0.0.1:8025"

    @Option(help: .init("The running fakemx; FAKEMX_URL, or \(usualURL), without this flag.", valueName: "url"))
    var url: String?

    @Option(help: .init("Its token, where it asks for one; FAKEMX_TOKEN without this flag.", valueName: "text"))
    var token: String?

    @Option(help: .init("How it is shown.", valueName: "table|json"))
    var output = Form.table

    enum Form: String, ExpressibleByArgument, CaseIterable { case table, json }

    func client() throws(ExitStatus) -> HTTPCaller {
        let environment = Places.environment
        func named(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        do {
            return try HTTPCaller(
                url: url ?? named("FAKEMX_URL") ?? Self.usualURL, token: token ?? named("FAKEMX_TOKEN"),
                hint: "; is fakemx running there? --url or FAKEMX_URL says where")
        } catch { throw .badUse(error.description) }
    }

    /// The answer to a question that has one.
    ///
    /// - Parameter expected: statuses beside 200 and 201 that are no trouble.
    func ask(
        _ method: String = "GET", _ path: String, _ query: [(name: String, value: String)] = [],
        body: String? = nil, expected: Set<Int> = []
    ) async throws(ExitStatus) -> HTTPCaller.Answer {
        let client = try client()
        let answer: HTTPCaller.Answer
        do {
            answer = try await client.call(
                method, "/api/fakemx/" + path, query: query, body: body.map { Array($0.utf8) },
                headers: body == nil ? [] : [("content-type", "text/plain")])
        } catch { throw .failure(error.description) }
        if answer.status / 100 == 2 || expected.contains(answer.status) { return answer }
        throw Self.refused(answer, client.url)
    }

    /// What an answer that is none says, and whose fault it is.
    static func refused(_ answer: HTTPCaller.Answer, _ url: String) -> ExitStatus {
        let detail = (try? JSONDecoder().decode(ProblemDetail.self, from: Data(answer.body)))?.detail ?? answer.text
        if answer.status == 401 {
            return .failure("\(url): it asks for a token, and this is not it: --token or FAKEMX_TOKEN says it")
        }
        // What the arguments are to blame for, and what they are not.
        return answer.status / 100 == 4 && answer.status != 401 && answer.status != 404
            ? .badUse(detail) : .failure("\(url): \(detail)")
    }

    private struct ProblemDetail: Decodable { let detail: String }

    func decoded<Value: Decodable>(_: Value.Type, _ answer: HTTPCaller.Answer) throws(ExitStatus) -> Value {
        do { return try JSONDecoder().decode(Value.self, from: Data(answer.body)) } catch {
            throw .failure("the answer is not what this version of fakemx expects: \(error)")
        }
    }
}

/// Words such as `to=*@full.test`, as the API takes them.
enum FilterWords {
    static func pairs(_ words: [String]) throws(ExitStatus) -> [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = []
        for word in words {
            guard let equals = word.firstIndex(of: "=") else {
                throw .badUse("\"\(word.shown)\" is no WORD=VALUE, as to=*@full.test or verdict=deferred")
            }
            pairs.append((String(word[..<equals]), String(word[word.index(after: equals)...])))
        }
        return pairs
    }
}

/// Rows in columns, cut to the width of a terminal.
enum Table {
    static func text(_ rows: [[String]], width: Int?) -> String {
        guard let head = rows.first else { return "" }
        let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = ""
            for (index, cell) in row.enumerated() {
                line +=
                    index == row.count - 1 ? cell : cell + String(repeating: " ", count: widths[index] - cell.count + 2)
            }
            guard let width, line.count > width else { return line + "\n" }
            return line.prefix(max(width - 1, 0)) + "…\n"
        }.joined()
    }
}
