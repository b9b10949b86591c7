// Those outside who are asked about a sender, where the user says so: the name system, and a checker of SPF, DKIM and
// DMARC. Several are asked at once, in front of the judge's work; each answer has its time, and counts as none behind
// it.

import Dispatch
import Findings
import Synchronization

package struct Outsiders: Sendable {
    package var resolver: (any NameResolver)?
    package var checker: (any MailChecker)?
    /// How long an answer may take, from the question.
    package var patience = DispatchTimeInterval.seconds(10)

    package init(resolver: (any NameResolver)? = nil, checker: (any MailChecker)? = nil) {
        self.resolver = resolver
        self.checker = checker
    }

    var isNobody: Bool { resolver == nil && checker == nil }

    /// Whoever left so many questions in a row without an answer is not asked for a while.
    struct Silence {
        private static var most: Int { 3 }
        private static var rest: DispatchTimeInterval { .seconds(60) }
        private var count = 0
        private var until = DispatchTime(uptimeNanoseconds: 0)

        var isOver: Bool { .now() >= until }

        mutating func note(answered: Bool) {
            count = answered ? 0 : count + 1
            if count >= Self.most { (count, until) = (0, .now() + Self.rest) }
        }
    }

    func ask(_ questions: NameQuestions?) -> Inquiry<NameFacts>? {
        guard let questions, let resolver else { return nil }
        return Inquiry(patience) { await NameFacts.asked(questions, of: resolver) }
    }

    func ask(_ question: MailQuestion?) -> Inquiry<MailVerdict>? {
        guard let question, let checker else { return nil }
        return Inquiry(patience) { await checker.verdict(on: question) }
    }
}

/// A question that is on its way.
final class Inquiry<Answer: Sendable>: Sendable {
    private final class Box: Sendable {
        let answer = Mutex<Answer?>(nil)
        let isThere = DispatchSemaphore(value: 0)
    }

    private let box = Box()
    private let task: Task<Void, Never>
    private let deadline: DispatchTime

    init(_ patience: DispatchTimeInterval, _ ask: @escaping @Sendable () async -> Answer?) {
        deadline = .now() + patience
        task = Task { [box] in
            let answer = await ask()
            box.answer.withLock { $0 = answer }
            box.isThere.signal()
        }
    }

    /// Waits for it; asked once. Not on a thread of the loops.
    ///
    /// - Parameter isHurried: asked again and again; nobody waits any longer when it is so.
    func answer(unless isHurried: () -> Bool) -> Answer? {
        while box.isThere.wait(timeout: min(deadline, .now() + Self.look)) != .success {
            if .now() >= deadline || isHurried() {
                task.cancel()
                return nil
            }
        }
        return box.answer.withLock { $0 }
    }

    private static var look: DispatchTimeInterval { .milliseconds(100) }
}
