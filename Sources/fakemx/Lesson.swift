// `fakemx lesson`: a lesson, step by step, with a small sender of its own or with the learner's hands. It plays against
// a sink that it starts itself, or against a run of a fakemx that runs already.

import ArgumentParser
import FakeMX
import Faults
import FoundationEssentials
import Glibc
import Lessons
import Outside
import Settings

struct LessonCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lesson",
        abstract: "Take a lesson: see what each refusal looks like, and learn what it means.",
        discussion: """
            Without NAME, or with --list, the lessons there are. Each step says what it is about, sends (or shows how \
            to, with --by-hand), shows what the sink saw with the refusal marked, what a sender's log says of it, what \
            it means and where that inference fails.
              fakemx lesson when-did-the-reject-happen
              fakemx lesson life-of-an-email --by-hand
              fakemx lesson starttls --yes --handout starttls.html
            A file of your own is named with its path: fakemx lesson ./my-lesson.yaml; fakemx check says what is wrong \
            with it. With --url the lesson is one that the running fakemx knows.

            Where standard input is no terminal, nothing is asked and nothing is waited for but the sink.

            Exit status: 0 it ran to its end, 1 it did not, 2 bad arguments or a bad file, 3 with --by-hand: nothing \
            was sent in time.
            """)

    @Argument(help: .init("A lesson, by its name or its file.", valueName: "name|file"))
    var name: String?

    @OptionGroup var running: Running

    @Flag(help: "List the lessons.")
    var list = false

    @Flag(help: "Show the commands and wait until somebody has sent.")
    var byHand = false

    @Flag(name: .shortAndLong, help: "Do not stop between the steps, and answer the questions.")
    var yes = false

    @ArgumentParser.Option(
        help: .init("Where the lesson goes as one HTML file, with its diagrams.", valueName: "file"))
    var handout: String?

    @ArgumentParser.Option(
        help: .init("How long a step waits for hands, up to 24h.", valueName: "duration"))
    var patience = "30m"

    func run() async throws {
        guard let name, !list else { return try await showList() }
        guard case .success(let patience) = Span.parse(patience), patience.ns <= Self.longestPatience_ns else {
            throw ExitStatus.badUse("--patience \(self.patience.shown): is a duration up to 24h, as 10m")
        }
        let place = try await place(name)
        let player = LessonPlayer(
            place: place, isByHand: byHand, asks: !yes && running.output == .table && isatty(STDIN_FILENO) == 1,
            isSilent: running.output == .json, patience_ms: Int(patience.ns / 1_000_000))
        let run: RunView
        do {
            run = try await player.play()
            if let handout { try Self.write(try await place.handout(), to: handout) }
        } catch {
            // What was seen until then is worth keeping.
            if let handout, let text = try? await place.handout() { try? Self.write(text, to: handout) }
            await place.end()
            throw error
        }
        await place.end()
        if running.output == .json { Output.line(try Self.json(run)) }
        if let handout, running.output == .table { Output.line("The handout is \(handout.shown)") }
    }

    private static let longestPatience_ns: UInt64 = 86_400_000_000_000

    private func place(_ name: String) async throws -> any LessonPlace {
        guard running.url == nil else { return try await RunningLesson.begin(name, running) }
        let (lesson, complaints) = LessonLibrary.find(name, LessonLibrary.catalogue)
        for complaint in complaints { Output.error(complaint.description) }
        guard let lesson else { throw ExitStatus.badUse("") }
        do { return OwnLesson(lesson, try await LessonStage.begin(lesson, id: "own", host: "127.0.0.1")) } catch {
            throw ExitStatus.failure(error.description)
        }
    }

    private func showList() async throws {
        let lessons: [LessonSummary]
        if running.url == nil {
            lessons = LessonLibrary.all(LessonLibrary.catalogue).map(LessonSummary.init)
        } else {
            lessons = try running.decoded(LessonList.self, try await running.ask("GET", "lessons")).lessons
        }
        switch running.output {
        case .json: Output.line(try Self.json(LessonList(lessons: lessons)))
        case .table:
            guard !lessons.isEmpty else {
                throw ExitStatus.failure("no lessons in \(Places.lessonFolders.joined(separator: ", "))")
            }
            let rows = lessons.map { [$0.name, $0.minutes.map { "\($0)" } ?? "", "\($0.steps)", $0.title] }
            Output.text(Table.text([["NAME", "MINUTES", "STEPS", "TITLE"]] + rows, width: Output.width))
        }
    }

    private static func json(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    private static func write(_ text: String, to path: String) throws(ExitStatus) {
        guard let file = fopen(path, "we") else {
            throw .failure("--handout \(path.shown): \(String(cString: strerror(errno)))")
        }
        let isWritten = fputs(text, file) >= 0
        guard fclose(file) == 0, isWritten else {
            throw .failure("--handout \(path.shown): \(String(cString: strerror(errno)))")
        }
    }
}

/// `GET /api/fakemx/lessons`
private struct LessonList: Codable { let lessons: [LessonSummary] }

/// Where a lesson takes place.
protocol LessonPlace: Sendable {
    var lesson: Lesson { get }
    func look() async throws -> RunView
    /// The built-in sender does the step that is on.
    func send() async throws
    /// Goes on to the next step.
    func advance() async throws
    func handout() async throws -> String
    func end() async
}

/// In this process.
private struct OwnLesson: LessonPlace {
    let lesson: Lesson
    private let stage: LessonStage

    init(_ lesson: Lesson, _ stage: LessonStage) {
        self.lesson = lesson
        self.stage = stage
    }

    func look() async throws -> RunView { try await said { () throws(LessonTrouble) in try await stage.look() } }
    func send() async throws { try await said { () throws(LessonTrouble) in try await stage.send() } }
    func advance() async throws { _ = try await said { () throws(LessonTrouble) in try await stage.advance() } }
    func handout() async throws -> String { try await said { () throws(LessonTrouble) in try await stage.handout() } }
    func end() async { await stage.stop() }

    private func said<Value: Sendable>(_ body: () async throws(LessonTrouble) -> Value) async throws -> Value {
        do { return try await body() } catch { throw ExitStatus.failure(error.description) }
    }
}

/// In a fakemx that runs.
private struct RunningLesson: LessonPlace {
    let lesson: Lesson
    let running: Running
    let path: String

    static func begin(_ name: String, _ running: Running) async throws -> RunningLesson {
        let path = "lessons/\(HTTPCaller.encoded(name))"
        let lesson = try running.decoded(Lesson.self, try await running.ask("GET", path))
        let run = try running.decoded(RunView.self, try await running.ask("POST", path + "/runs"))
        return RunningLesson(lesson: lesson, running: running, path: path + "/runs/" + run.id)
    }

    func look() async throws -> RunView {
        try running.decoded(RunView.self, try await running.ask("GET", path))
    }

    func send() async throws { _ = try await running.ask("POST", path + "/send") }
    func advance() async throws { _ = try await running.ask("POST", path + "/next") }
    func handout() async throws -> String { try await running.ask("GET", path + "/handout").text }
    func end() async { _ = try? await running.ask("DELETE", path) }
}
