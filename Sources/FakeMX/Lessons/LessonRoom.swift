// The lessons that are being taken over HTTP: not too many at once, and none that nobody uses any more.

import EventLoop
import Faults
import Lessons
import Web

package actor LessonRoom: LessonDesk {
    package enum Bounds {
        package static let runs = 8
        /// A run that nobody asks for ends after so long.
        package static let idle = Duration.seconds(1800)
        /// Where there is no room, the one that was asked for longest ago makes some, if it was so long ago: a page
        /// that is open asks each second.
        package static let left = Duration.seconds(60)
        static let sweep = Duration.seconds(30)
    }

    private struct Taken {
        let lesson: String
        let stage: LessonStage
        var used = ContinuousClock.now
    }

    private let host: String
    private lazy var catalogue = LessonLibrary.catalogue
    private var runs: [String: Taken] = [:]
    /// Runs that are about to begin have their places.
    private var beginning = 0
    private var number = 0
    private var sweeper: Task<Void, Never>?
    private var isClosed = false

    /// - Parameter host: the address that the sinks of the runs have.
    package init(host: String) { self.host = host }

    package func lessons() -> [Lesson] { LessonLibrary.all(catalogue) }

    package func lesson(_ name: String) -> Lesson? {
        // What is no plain name could be a path.
        guard CatalogueEntry.complaint(aboutPart: name) == nil else { return nil }
        return LessonLibrary.find(name, catalogue).lesson
    }

    package func begin(_ name: String) async throws(LessonRefusal) -> RunView {
        guard let lesson = lesson(name) else { throw .unknownLesson(name, among: lessons().map(\.name)) }
        if runs.count + beginning >= Bounds.runs, let left = longestLeft() {
            await runs.removeValue(forKey: left)?.stage.stop()
        }
        guard !isClosed, runs.count + beginning < Bounds.runs else { throw .tooMany(Bounds.runs) }
        number += 1
        let id = "r\(number)"
        beginning += 1
        defer { beginning -= 1 }
        do {
            let stage = try await LessonStage.begin(lesson, id: id, host: host)
            let view: RunView
            do {
                view = try await stage.look()
                if isClosed { throw LessonTrouble("fakemx is being stopped") }
            } catch {
                await stage.stop()
                throw error
            }
            runs[id] = Taken(lesson: lesson.name, stage: stage)
            keepSweeping()
            return view
        } catch { throw .trouble("\(error)") }
    }

    package func look(_ lesson: String, _ run: String) async throws(LessonRefusal) -> RunView {
        let stage = try stage(lesson, run)
        do { return try await stage.look() } catch { throw .trouble(error.description) }
    }

    package func send(_ lesson: String, _ run: String) async throws(LessonRefusal) -> RunView {
        let stage = try stage(lesson, run)
        do {
            try await stage.send()
            return try await stage.look()
        } catch { throw .trouble(error.description) }
    }

    package func next(_ lesson: String, _ run: String) async throws(LessonRefusal) -> RunView {
        let stage = try stage(lesson, run)
        do {
            _ = try await stage.advance()
            return try await stage.look()
        } catch { throw .trouble(error.description) }
    }

    package func handout(_ lesson: String, _ run: String) async throws(LessonRefusal) -> String {
        let stage = try stage(lesson, run)
        do { return try await stage.handout() } catch { throw .trouble(error.description) }
    }

    package func end(_ lesson: String, _ run: String) async throws(LessonRefusal) -> RunView {
        let stage = try stage(lesson, run)
        runs[run] = nil
        let view: RunView
        do { view = try await stage.look() } catch {
            await stage.stop()
            throw .trouble(error.description)
        }
        await stage.stop()
        return view
    }

    package func close() async {
        isClosed = true
        sweeper?.cancel()
        let all = runs.values
        runs = [:]
        for run in all { await run.stage.stop() }
    }

    private func stage(_ lesson: String, _ run: String) throws(LessonRefusal) -> LessonStage {
        guard let taken = runs[run], taken.lesson == lesson else { throw .unknownRun(run) }
        runs[run]?.used = .now
        return taken.stage
    }

    // MARK: Runs that nobody uses

    private func longestLeft() -> String? {
        let now = ContinuousClock.now
        let left = runs.filter { $0.value.used.duration(to: now) > Bounds.left }
        return left.min { $0.value.used < $1.value.used }?.key
    }

    /// Only while there are runs.
    private func keepSweeping() {
        guard sweeper == nil else { return }
        sweeper = Task { [weak self] in
            while !Task.isCancelled {
                guard (try? await Task.sleep(for: Bounds.sweep)) != nil, await self?.sweep() ?? false else { return }
            }
        }
    }

    /// - Returns: whether runs are left.
    private func sweep() async -> Bool {
        let now = ContinuousClock.now
        let old = runs.filter { $0.value.used.duration(to: now) > Bounds.idle }
        for id in old.keys { runs[id] = nil }
        for taken in old.values { await taken.stage.stop() }
        if runs.isEmpty { sweeper = nil }
        return !runs.isEmpty
    }
}
