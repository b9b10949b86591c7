// A lesson and a run of it as programs see them: objects of the API, and what the command line shows.

import Findings
import Journal

/// One lesson of a list.
package struct LessonSummary: Sendable, Hashable, Codable {
    package var name: String
    package var title: String
    package var about: String
    package var minutes: Int?
    package var steps: Int

    package init(_ lesson: Lesson) {
        (name, title, about, minutes) = (lesson.name, lesson.title, lesson.about, lesson.minutes)
        steps = lesson.steps.count
    }
}

/// A run as far as it has come.
package struct RunView: Sendable, Codable {
    package var id: String
    package var lesson: String
    package var state: LessonRun.State
    /// The step that is on, from 0; the number of steps at the end.
    package var step: Int
    /// Where the sink of this run listens.
    package var host: String
    package var port: Int
    package var steps: [StepView]
    /// What the learner does by hand in this step, a list for each connection.
    package var hands: [[HandCommand]]
    /// A session that goes on at this moment, as far as it has come.
    package var live: [SessionRecord]

    /// - Parameters:
    ///   - relay: where the sink of the run is.
    ///   - date: as of a Date field.
    package init(
        id: String, _ run: LessonRun, relay: SenderLog.Relay, live: [SessionRecord], date: String, stamp: String
    ) {
        self.id = id
        lesson = run.lesson.name
        state = run.state
        step = run.index
        (host, port) = (relay.host, relay.port)
        steps = zip(run.lesson.steps, run.steps).map { StepView($0, $1, relay) }
        hands = (run.step?.sends ?? []).enumerated().map { index, send in
            Hands.commands(
                send, host: relay.host, port: relay.port, date: date, id: "\(stamp).\(index)@\(send.helo)")
        }
        self.live = live
    }
}

package struct StepView: Sendable, Codable {
    package var checks: [StepProgress.Check]
    package var sessions: [SessionView]

    init(_ step: LessonStep, _ progress: StepProgress, _ relay: SenderLog.Relay) {
        checks = progress.checks
        sessions = progress.sightings.enumerated().map { number, sighting in
            let send = step.sender(of: sighting.session, number: number, of: progress.sightings.count)
            return SessionView(sighting, send, relay, showsFindings: step.showsFindings)
        }
    }

    package struct SessionView: Sendable, Codable {
        /// Who it was, where the lesson has a name for it.
        package var by: String?
        package var session: SessionRecord
        /// The session as a learner reads it.
        package var talk: [Talk.Line]
        /// What a sender's log says.
        package var log: [String]
        /// nil where the step is not about them.
        package var findings: [Finding]?

        init(_ sighting: Sighting, _ send: Send?, _ relay: SenderLog.Relay, showsFindings: Bool) {
            by = send?.by
            session = sighting.session
            talk = Talk(sighting.session).lines
            log = SenderLog.lines(sighting.session, send, relay)
            findings = showsFindings ? sighting.findings : nil
        }
    }
}
