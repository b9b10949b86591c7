// What was found, for those who ask: the newest sessions with their findings, and what shows over several sessions.

import DequeModule
import Findings
import Journal
import Synchronization

package final class Verdicts: Sendable {
    package enum Bounds {
        /// Sessions whose findings are kept.
        package static let sessions = 10_000
        /// Findings of all of them.
        package static let findings = 100_000
        /// Sessions that were asked to be forgotten, while what shows over several sessions still knows of them.
        package static let forgotten = 20_000
    }

    private struct State {
        /// The oldest first.
        var order = Deque<UInt64>()
        var judgements: [UInt64: SessionJudgement] = [:]
        var findingCount = 0
        var book = AttemptBook()
        /// Ids; what shows in these is told to nobody.
        var forgotten: Set<String> = []
    }

    package let settings: OverTimeSettings
    private let state = Mutex(State())
    private let circumstances = Mutex(Circumstances())

    init(settings: OverTimeSettings) { self.settings = settings }

    /// What is known of every session beside its events.
    func setCircumstances(_ new: Circumstances) { circumstances.withLock { $0 = new } }

    func circumstances(of trace: SessionTrace) -> Circumstances {
        var its = circumstances.withLock { $0 }
        its.before = state.withLock { $0.book.before(trace, settings) }
        return its
    }

    func add(_ judgement: SessionJudgement, _ number: UInt64, _ trace: SessionTrace, _ facts: [MessageIdentity]) {
        state.withLock { state in
            if let old = state.judgements.updateValue(judgement, forKey: number) {
                state.findingCount -= old.findings.count
            } else {
                state.order.append(number)
            }
            state.findingCount += judgement.findings.count
            state.book.note(trace, facts)
            while state.order.count > Bounds.sessions || state.findingCount > Bounds.findings, state.order.count > 1 {
                let oldest = state.order.removeFirst()
                state.findingCount -= state.judgements.removeValue(forKey: oldest)?.findings.count ?? 0
            }
        }
    }

    func forget(where isMeant: @Sendable (String) -> Bool) {
        state.withLock { state in
            let gone = Set(state.order.filter { isMeant("s\($0)") })
            guard !gone.isEmpty || state.order.isEmpty else { return }
            state.order.removeAll { gone.contains($0) }
            for number in gone {
                state.findingCount -= state.judgements.removeValue(forKey: number)?.findings.count ?? 0
            }
            // What shows over several sessions is not taken apart: it is hidden, and goes with the last session.
            if state.order.isEmpty || state.forgotten.count + gone.count > Bounds.forgotten {
                (state.book, state.forgotten) = (AttemptBook(), [])
            } else {
                state.forgotten.formUnion(gone.map { "s\($0)" })
            }
        }
    }

    // MARK: Out

    package func judgement(of session: UInt64) -> SessionJudgement? { state.withLock { $0.judgements[session] } }

    /// All that are kept, the oldest first.
    package var judgements: [SessionJudgement] {
        state.withLock { state in state.order.compactMap { state.judgements[$0] } }
    }

    /// What shows over several sessions, as of now.
    package func overTime(now_us: Int64) -> (judgement: OverTimeJudgement, timelines: [Timeline]) {
        let (book, forgotten) = state.withLock { ($0.book, $0.forgotten) }
        var judgement = book.judgement(now_us: now_us, settings)
        var timelines = book.timelines(now_us: now_us, settings)
        guard !forgotten.isEmpty else { return (judgement, timelines) }
        judgement.findings.removeAll { finding in
            forgotten.contains(finding.session) || finding.sessions.contains { forgotten.contains($0) }
        }
        timelines.removeAll { line in line.attempts.contains { forgotten.contains($0.session) } }
        return (judgement, timelines)
    }
}
