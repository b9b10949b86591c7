// A lesson as a state machine: steps begin, are seen, and end; what must not happen counts when all else was seen.

import Lessons
import Testing

@Suite struct RunTests {
    private func lesson(_ sees: [[String]]) throws -> Lesson {
        let steps = try sees.map { texts in
            var step = LessonStep(title: "t", say: "s")
            step.sees = try texts.map { try Expectation.parse($0).get() }
            return step
        }
        return Lesson(name: "l", title: "L", about: "a", steps: steps)
    }

    @Test func aStepThatAsksForNothingIsSeenAtOnce() throws {
        var run = LessonRun(try lesson([[], ["session"]]))
        #expect(run.state == .seen && run.index == 0)
        let goesOn = run.advance()
        #expect(goesOn && run.state == .open && run.index == 1)
    }

    @Test func aStepIsSeenWhenEverythingCame() throws {
        var run = LessonRun(try lesson([["session verdict=rejected", "message count=2"]]))
        run.receive(counts: [1, 1])
        #expect(run.state == .open && run.steps[0].checks.map(\.met) == [true, false])
        run.receive(counts: [1, 2])
        #expect(run.state == .seen)
        let goesOn = run.advance()
        #expect(!goesOn && run.state == .ended && run.step == nil)
    }

    @Test func whatMustNotHappenCountsWhenAllElseWasSeen() throws {
        var run = LessonRun(try lesson([["session", "no message"]]))
        run.receive(counts: [0, 0])
        #expect(run.steps[0].checks.map(\.met) == [false, false])
        run.receive(counts: [1, 1])
        #expect(run.state == .open)
        run.receive(counts: [1, 0])
        #expect(run.state == .seen)
    }

    @Test func aRunThatEndedTakesNothingMore() throws {
        var run = LessonRun(try lesson([[]]))
        run.advance()
        run.receive(counts: [])
        run.receive([])
        let goesOn = run.advance()
        #expect(!goesOn && run.state == .ended)
    }
}
