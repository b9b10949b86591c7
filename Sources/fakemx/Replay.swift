// `fakemx replay`: makes a scenario of a recorded session, so that the same goes wrong again.

import ArgumentParser
import Faults
import FoundationEssentials
import Glibc
import Journal
import Settings
import Sink

struct ReplayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Make a scenario of a recorded session: the same goes wrong again, at the same places.",
        discussion: """
            FILE is what serve --transcript json printed: one session object, or one a line. Without --session just \
            one of them may have faults.

              fakemx serve --transcript json > sessions.json
              fakemx replay sessions.json --session s12 --output again.yaml
              fakemx serve --scenario again.yaml

            What the protocol itself refused (limits, profile) comes from the settings of the listener, which a record \
            does not hold.

            Exit status: 0 done, 1 the output cannot be written, 2 bad arguments or a bad file.
            """)

    @Argument(help: .init("A transcript in JSON, or - for standard input.", valueName: "file|-"))
    var file: String

    @ArgumentParser.Option(help: .init("Which session, by its id.", valueName: "id"))
    var session: String?

    @ArgumentParser.Option(help: .init("Where the scenario goes; standard output without it.", valueName: "file"))
    var output: String?

    func run() async throws {
        let source = file == "-" ? "standard input" : file.shown
        let sessions = try RecordedSessions.read(file, source)
        let record = try RecordedSessions.choose(session, among: sessions, source)
        let replay = Replay(of: record)
        for complaint in replay.leftOut {
            Output.error("\(source): session \(record.id.shown), left out: \(complaint)")
        }
        guard replay.ruleCount > 0 else {
            throw ExitStatus.badUse("\(source): no fault of session \(record.id.shown) can be replayed")
        }
        try Self.prove(replay.scenario, record, source)
        guard let output else { return Output.text(replay.scenario) }
        try Self.write(replay.scenario, to: output)
        let path =
            output.contains("/") || output.hasSuffix(".yaml") || output.hasSuffix(".yml") ? output : "./\(output)"
        let rules = replay.ruleCount == 1 ? "1 rule" : "\(replay.ruleCount) rules"
        Output.line("\(rules); fakemx serve --scenario \(path)")
    }

    /// It must read back: a scenario that does not load would be found out too late.
    private static func prove(_ scenario: String, _ record: SessionRecord, _ source: String) throws(ExitStatus) {
        guard let error = SettingsFile.error(ofScenario: scenario) else { return }
        throw .badUse("\(source): session \(record.id.shown) cannot be replayed: \(error)")
    }

    private static func write(_ text: String, to path: String) throws(ExitStatus) {
        guard let file = fopen(path, "we") else { throw .failure("--output \(path.shown): \(reason())") }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else { throw .failure("--output \(path.shown): \(reason())") }
    }

    static func reason() -> String { String(cString: strerror(errno)) }
}

/// The sessions of a transcript.
private enum RecordedSessions {
    /// Octets of a transcript.
    private static let largest = 64 << 20
    /// Sessions that a complaint names.
    private static let mostNamed = 20

    static func read(_ path: String, _ source: String) throws(ExitStatus) -> [SessionRecord] {
        let octets = try octets(path, source)
        guard String(validating: octets, as: UTF8.self) != nil else {
            throw .badUse("\(source): is not text in UTF-8; replay reads what serve --transcript json prints")
        }
        let decoder = JSONDecoder()
        // One object, over several lines perhaps; or the list that a program made.
        if let record = try? decoder.decode(SessionRecord.self, from: Data(octets)) { return [record] }
        if let records = try? decoder.decode([SessionRecord].self, from: Data(octets)) { return records }
        var records: [SessionRecord] = []
        for (index, line) in octets.split(separator: 10, omittingEmptySubsequences: false).enumerated() {
            let isBlank = line.allSatisfy { $0 == 32 || $0 == 9 || $0 == 13 }
            // serve says these between the sessions.
            if isBlank || line.starts(with: "ready ".utf8) || line.starts(with: "!! ".utf8) { continue }
            do {
                records.append(try decoder.decode(SessionRecord.self, from: Data(line)))
            } catch {
                throw .badUse("\(source):\(index + 1): \(words(error))")
            }
        }
        guard !records.isEmpty else {
            throw .badUse("\(source): holds no session; record some with serve --transcript json")
        }
        return records
    }

    /// The session to replay.
    static func choose(_ id: String?, among records: [SessionRecord], _ source: String) throws(ExitStatus)
        -> SessionRecord
    {
        let faulty = records.filter { !$0.faults.isEmpty }
        guard let id else {
            if faulty.count == 1 { return faulty[0] }
            if faulty.isEmpty {
                throw .badUse(
                    """
                    \(source): no session has a fault, so there is nothing to replay; what the protocol itself refuses \
                    comes from the settings of the listener\(list(records))
                    """)
            }
            throw .badUse("\(source): \(faulty.count) sessions have faults; name one with --session\(list(faulty))")
        }
        let found = records.filter { $0.id == id }
        guard let record = found.first else {
            let hint = Suggestion.didYouMean(id, among: records.map(\.id))
            throw .badUse("\(source): no session \"\(id.shown)\"\(hint)\(list(faulty.isEmpty ? records : faulty))")
        }
        guard found.count == 1 else {
            throw .badUse("\(source): \(found.count) sessions are named \"\(id.shown)\"; keep the one that is meant")
        }
        guard !record.faults.isEmpty else {
            throw .badUse(
                "\(source): session \(id.shown) has no fault, so there is nothing to replay\(list(faulty))")
        }
        return record
    }

    private static func list(_ records: [SessionRecord]) -> String {
        var lines = records.prefix(mostNamed).map { record -> String in
            let verdict = record.verdict?.rawValue ?? record.ended_by?.rawValue ?? "open"
            let phase = record.rejected_at.map { " at \($0)" } ?? ""
            let rule = record.faults.first.map { " (\($0.rule))" } ?? ""
            return "  \(record.id)  \(verdict)\(phase)\(rule)".shown
        }
        if records.count > mostNamed { lines.append("  and \(records.count - mostNamed) more") }
        return lines.isEmpty ? "" : "\n" + lines.joined(separator: "\n")
    }

    // MARK: Reading

    private static func octets(_ path: String, _ source: String) throws(ExitStatus) -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .badUse("\(source): cannot be read: \(ReplayCommand.reason())") }
        defer { if path != "-" { close(descriptor) } }
        var octets: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .badUse("\(source): cannot be read: \(ReplayCommand.reason())") }
            guard count > 0 else { return octets }
            octets += buffer[..<count]
            guard octets.count <= largest else {
                throw .badUse("\(source): is larger than \(largest) octets; cut out the session that is meant")
            }
        }
    }

    private static func words(_ error: any Error) -> String {
        let hint = "replay reads session objects, as serve --transcript json prints them"
        guard let error = error as? DecodingError else { return "is not JSON; \(hint)" }
        switch error {
        case .keyNotFound(let key, let context):
            let place = path(context.codingPath)
            if place.isEmpty { return "is no session: has no \"\(key.stringValue)\"; \(hint)" }
            return "\(place): has no \"\(key.stringValue)\"; was it recorded by an older fakemx?"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            let place = path(context.codingPath)
            return place.isEmpty ? "is no session object; \(hint)" : "\(place): has a value of the wrong kind; \(hint)"
        case .dataCorrupted(let context):
            let place = path(context.codingPath)
            return place.isEmpty ? "is not JSON; \(hint)" : "\(place): has a value that is not known; \(hint)"
        @unknown default: return "is no session; \(hint)"
        }
    }

    /// `faults[0].script`
    private static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce("") { path, key in
            if let index = key.intValue { return "\(path)[\(index)]" }
            return path.isEmpty ? key.stringValue : "\(path).\(key.stringValue)"
        }.shown
    }
}
