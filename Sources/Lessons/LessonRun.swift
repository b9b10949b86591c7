// A lesson while somebody takes it: which step is on, what the sink saw of it, and what of that was asked for. Fed by
// session records and answers about expectations; does nothing by itself and knows no time.

import Findings
import Journal

package struct LessonRun: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, Codable {
        /// The step is on; something that the sink must see is missing.
        case open
        /// Everything was seen; the next step may begin.
        case seen
        /// The last step is over.
        case ended
    }

    package let lesson: Lesson
    package private(set) var state = State.open
    /// Of the step that is on; the number of steps at the end.
    package private(set) var index = 0
    /// One for each step.
    package private(set) var steps: [StepProgress]

    package init(_ lesson: Lesson) {
        self.lesson = lesson
        steps = lesson.steps.map { step in
            StepProgress(checks: step.sees.map { StepProgress.Check(text: $0.text, met: false) })
        }
        settle()
    }

    package var step: LessonStep? { lesson.steps.indices.contains(index) ? lesson.steps[index] : nil }

    /// The one behind it; nil where it is the last.
    package var nextStep: LessonStep? {
        state != .ended && lesson.steps.indices.contains(index + 1) ? lesson.steps[index + 1] : nil
    }

    /// Sessions that ended since the step began; those that are known already change nothing.
    package mutating func receive(_ sightings: [Sighting]) {
        guard state != .ended else { return }
        let known = Set(steps[index].sightings.map(\.session.id))
        let room = max(0, LessonLimit.sessions - known.count)
        steps[index].sightings += sightings.filter { !known.contains($0.session.id) }.prefix(room)
    }

    /// How many came of what each expectation of the step asks for. What must not happen counts as kept only when
    /// everything else was seen.
    package mutating func receive(counts: [Int]) {
        guard state != .ended, let step, counts.count == step.sees.count else { return }
        for (index, (expectation, count)) in zip(step.sees, counts).enumerated() where expectation.count > 0 {
            steps[self.index].checks[index].met = count >= expectation.count
        }
        let isPresent = zip(step.sees, steps[index].checks).allSatisfy { $0.count == 0 || $1.met }
        for (index, (expectation, count)) in zip(step.sees, counts).enumerated() where expectation.count == 0 {
            steps[self.index].checks[index].met = isPresent && count == 0
        }
        settle()
    }

    /// Goes on.
    ///
    /// - Returns: whether another step is on now.
    @discardableResult
    package mutating func advance() -> Bool {
        guard state != .ended else { return false }
        index += 1
        state = index < lesson.steps.count ? .open : .ended
        settle()
        return state != .ended
    }

    private mutating func settle() {
        guard index < steps.count else {
            state = .ended
            return
        }
        state = steps[index].checks.allSatisfy(\.met) ? .seen : .open
    }
}

/// What became of one step.
package struct StepProgress: Sendable, Hashable, Codable {
    package struct Check: Sendable, Hashable, Codable {
        /// As the lesson has it: `session verdict=rejected`.
        package var text: String
        package var met: Bool

        package init(text: String, met: Bool) {
            self.text = text
            self.met = met
        }
    }

    package var checks: [Check]
    /// In the order in which the sessions ended.
    package var sightings: [Sighting] = []

    package init(checks: [Check]) { self.checks = checks }
}

/// A session that the sink saw.
package struct Sighting: Sendable, Hashable, Codable {
    package var session: SessionRecord
    /// What was found against its sender, the gravest first.
    package var findings: [Finding]

    package init(session: SessionRecord, findings: [Finding] = []) {
        self.session = session
        self.findings = findings
    }
}

extension LessonStep {
    /// Whose session it was: the one with the EHLO name, or the one whose turn it was.
    ///
    /// - Parameters:
    ///   - number: of the session in the step, from 0.
    ///   - count: how many sessions the step had.
    package func sender(of session: SessionRecord, number: Int, of count: Int) -> Send? {
        let named = sends.filter { $0.helo == session.helo }
        if named.count == 1 { return named[0] }
        return sends.count == count && sends.indices.contains(number) ? sends[number] : sends.first
    }

    /// It teaches what is found against senders.
    package var showsFindings: Bool { sees.contains { $0.kind == "finding" } }
}
