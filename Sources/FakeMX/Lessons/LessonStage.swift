// One run of a lesson: a small sink of its own, so that its rules, those at the greeting included, disturb nobody; the
// rules of the step that is on; the sender; and what was seen.

import EventLoop
import Faults
import Findings
import Journal
import Lessons
import SMTP
import Settings
import Sink
import Store

/// A lesson cannot go on.
package struct LessonTrouble: Error, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}

enum LessonClock {
    /// For a Date field, and a number that does not come again.
    static func now() -> (date: String, stamp: String) {
        let us = WallClock.now_us()
        return (CivilDate(seconds: us / 1_000_000).mailDate, "\(us)")
    }
}

package actor LessonStage {
    package let id: String
    package nonisolated let relay: SenderLog.Relay
    private let launched: Launched
    private var run: LessonRun
    /// What came behind it belongs to the step.
    private var since: Cursor
    /// The sender is at work, or the step changes: neither may meet the other.
    private var isBusy = false

    /// - Parameter host: the address that the sink of the run has; port 0 is free.
    package static func begin(_ lesson: Lesson, id: String, host: String) async throws(LessonTrouble) -> LessonStage {
        let place = host.contains(":") ? "[\(host)]:0" : "\(host):0"
        let flags: [(option: Option, value: String)] = [
            (.smtp, place), (.hostname, "mx.lesson.test"), (.http, "off"), (.transcript, "off"), (.store, "memory"),
            (.loops, "1"), (.seed, "1"),
        ]
        var surroundings = Launched.Surroundings()
        surroundings.isWatched = true
        let sources = SettingsSources(flags: flags, replyFolders: Places.replyFolders)
        do {
            let launched = try await Launched.start(sources, surroundings)
            let stage = LessonStage(lesson, id, launched, try await launched.server.cursor())
            do { try await stage.setRules(of: lesson.steps.first) } catch {
                await launched.stop(grace_ms: 0)
                throw error
            }
            return stage
        } catch { throw LessonTrouble("\(error)") }
    }

    private init(_ lesson: Lesson, _ id: String, _ launched: Launched, _ since: Cursor) {
        self.id = id
        self.launched = launched
        self.since = since
        run = LessonRun(lesson)
        let address = launched.addresses.first ?? ""
        let colon = address.lastIndex(of: ":") ?? address.endIndex
        var host = String(address[..<colon])
        if host.hasPrefix("[") { host = String(host.dropFirst().dropLast()) }
        // A sink that listens everywhere is found here, too.
        if host == "0.0.0.0" { host = "127.0.0.1" }
        if host == "::" { host = "::1" }
        relay = SenderLog.Relay(host: host, port: Int(address[colon...].dropFirst()) ?? 0)
    }

    package func stop() async { await launched.stop(grace_ms: 0) }

    // MARK: What is seen

    /// The run as it is now.
    package func look() async throws(LessonTrouble) -> RunView {
        do {
            try await see()
        } catch { throw LessonTrouble("\(error)") }
        let now = LessonClock.now()
        let live = launched.server.chronicle.openSessions.map(\.record)
        return RunView(id: id, run, relay: relay, live: live, date: now.date, stamp: now.stamp)
    }

    package func handout() async throws(LessonTrouble) -> String {
        do { try await see() } catch { throw LessonTrouble("\(error)") }
        return Handout.render(run, relay: relay, date: LessonClock.now().date, version: Launched.version)
    }

    private func see() async throws {
        guard let step = run.step else { return }
        let (server, index, since) = (launched.server, run.index, since)
        await server.settleJudging()
        var counts: [Int] = []
        for expectation in step.sees {
            var wait = try Self.wait(for: expectation)
            wait.since = since
            wait.count = max(1, expectation.count)
            wait.timeout_ms = 0
            counts.append(try await server.wait(wait).count)
        }
        // Behind the counts: a session that was counted is seen, too.
        var query = StoreQuery(limit: LessonLimit.sessions)
        query.oldestFirst = true
        query.after = server.position(since, .session)
        var sightings: [Sighting] = []
        for session in try await server.sessions(Filter(), query) {
            let findings = try await server.judgement(of: session)?.findings ?? []
            sightings.append(Sighting(session: session.record, findings: findings))
        }
        // Another step may have begun meanwhile.
        guard run.index == index else { return }
        run.receive(sightings)
        run.receive(counts: counts)
    }

    private static func wait(for expectation: Expectation) throws(LessonTrouble) -> Wait {
        switch filter(expectation) {
        case .success(let wait): return wait
        case .failure(let complaint): throw LessonTrouble("\(expectation.text): \(complaint.text)")
        }
    }

    /// In the words of `fakemx wait`.
    private static func filter(_ expectation: Expectation) -> Result<Wait, FilterComplaint> {
        guard let kind = Filter.Kind(rawValue: expectation.kind) else {
            return .failure(FilterComplaint(word: expectation.kind, text: "\"\(expectation.kind)\" is unknown"))
        }
        return Filter.parse(expectation.words.map { ($0.name, $0.value) }, kind).map { Wait(kind, $0) }
    }

    /// What is wrong with what lessons ask the sink to see.
    package static let judge = ExpectationJudge { expectation in
        guard case .failure(let complaint) = filter(expectation) else { return nil }
        return ExpectationJudge.Finding(word: complaint.word, text: complaint.text)
    }

    // MARK: What is done

    /// The built-in sender does this step; what came of it is there when this returns.
    package func send() async throws(LessonTrouble) {
        guard let step = run.step else { return }
        try occupy()
        defer { isBusy = false }
        await LessonSender(host: relay.host, port: relay.port).send(step.sends)
    }

    private func occupy() throws(LessonTrouble) {
        guard !isBusy else { throw LessonTrouble("the step is still being played; wait for its end") }
        isBusy = true
    }

    /// Goes on to the next step, whether or not this one was seen.
    ///
    /// - Returns: whether there is one.
    package func advance() async throws(LessonTrouble) -> Bool {
        try occupy()
        defer { isBusy = false }
        do {
            try await see()
            guard let next = run.nextStep else { return run.advance() }
            try await setRules(of: next)
            // Whoever looks meanwhile sees the step before, and its sessions.
            since = try await launched.server.cursor()
            return run.advance()
        } catch { throw LessonTrouble("\(error)") }
    }

    /// Those of the step stand in front of those of the lesson, and hide what has the same name.
    private func setRules(of step: LessonStep?) async throws {
        guard let step else { return }
        await launched.server.removeRules(where: nil)
        let names = Set(step.rules.map(\.rule.name))
        let rules = step.rules + run.lesson.rules.filter { $0.rule.name.isEmpty || !names.contains($0.rule.name) }
        for rule in rules.reversed() { _ = try await launched.server.addRule(rule.rule) }
    }
}

/// Lessons by name.
package enum LessonLibrary {
    /// The replies that lessons use and ask about.
    package static var catalogue: Catalogue { CatalogueFolder.read(Places.replyFolders).catalogue }

    package static func all(_ catalogue: Catalogue) -> [Lesson] {
        LessonShelf.all(in: Places.lessonFolders, catalogue, LessonStage.judge)
    }

    /// - Returns: no lesson where there is an error.
    package static func find(_ name: String, _ catalogue: Catalogue) -> LessonFile.Read {
        LessonShelf.find(name, in: Places.lessonFolders, catalogue, LessonStage.judge)
    }
}
