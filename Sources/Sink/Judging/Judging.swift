// Judges senders beside the loops: messages and ended sessions come in and go on at once, a thread that gives way to
// everybody judges them, and what was found is told to those who watch and kept for those who ask. Under load it lags,
// and says by how much; what has no room any more is left out, and counted.

import EventLoop
import Findings
import Journal
import SMTP
import Store
import Synchronization

package final class Judging: Sendable {
    /// What may wait to be judged.
    package enum Bounds {
        /// Octets of messages and of sessions.
        package static let octets = 64 << 20
        package static let count = 50_000
        /// While work comes in more often than this, nothing is judged: hardware threads that share a core would slow
        /// the loops down. Nanoseconds.
        package static let quiet_ns: UInt64 = 5_000_000
        /// It is judged all the same when so much waits, as a part of the bounds, or so long, or somebody asks.
        package static let part = 2
        package static let patience_ns: UInt64 = 10_000_000_000
        /// Sessions with messages that were judged, and no end yet.
        package static let openSessions = 20_000
        /// Pieces of work for which others are asked before it is their turn.
        package static let asked = 32
    }

    private enum Work: Sendable {
        case message(HandedMessage)
        case session(StoredSession)
        /// Everything in front of it is judged.
        case mark(@Sendable () -> Void)
        case forget(@Sendable (String) -> Bool)

        var octetCount: Int {
            switch self {
            case .message(let message): message.octetCount
            case .session(let session): session.log.octetCount + 512
            case .mark, .forget: 0
            }
        }
    }

    private struct Waiting {
        var work: [(work: Work, since: Instant)] = []
        /// The thread is awake and will see what comes.
        var isAwake = false
        var isClosed = false
        /// What had no room.
        var messagesLeftOut = 0
        var sessionsLeftOut = 0
    }

    /// What is known of a session before its end; of the judge's thread alone.
    private struct Open {
        var ledger: Ledger
        var facts: [MessageIdentity] = []
    }

    /// What others are asked about a piece of work.
    private struct Asked {
        var mail: Inquiry<MailVerdict>?
        var names: Inquiry<NameFacts>?
    }

    /// Of the thread that judges, one at a time.
    private struct Bench {
        var open: [UInt64: Open] = [:]
        /// What was taken and is not judged yet, from `position` on.
        var hand: [(work: Work, since: Instant)] = []
        var position = 0
        /// What others were asked about some of it, by its place, and the first place that nobody was asked about.
        var asked: [Int: Asked] = [:]
        var front = 0
        var silenceOfNames = Outsiders.Silence()
        var silenceOfMail = Outsiders.Silence()
    }

    /// How the judging stands.
    package struct Status: Sendable, Hashable {
        /// Messages and sessions that wait.
        package var waiting = 0
        /// For how long the oldest of them has been waiting, in microseconds.
        package var oldest_us: UInt64 = 0
        package var sessionsJudged = 0
        package var messagesJudged = 0
        package var findings = 0
        /// The same by severity.
        package var findingsBySeverity: [String: Int] = [:]
        /// Processor time of the judge's thread for what it judged, in nanoseconds.
        package var judging_ns: UInt64 = 0
        package var messagesLeftOut = 0
        package var sessionsLeftOut = 0
        /// Sessions for which the name system was asked and did not answer in time, and messages for which rspamd did
        /// not.
        package var namesUnanswered = 0
        package var mailUnanswered = 0
    }

    package let settings: JudgingSettings
    private let outsiders: Outsiders
    private let waiting = Mutex(Waiting())
    /// Of what waits, and of what the thread has taken and not judged yet.
    private let octets = Atomic<Int>(0)
    private let count = Atomic<Int>(0)
    /// When work came last, nanoseconds.
    private let lastPut_ns = Atomic<UInt64>(0)
    /// Nobody outside is asked any more, nor waited for.
    private let isClosing = Atomic<Bool>(false)
    /// Those who wait for everything to be judged.
    private let askers = Atomic<Int>(0)
    /// When the work in hand was handed over, nanoseconds; 0: nothing is in hand.
    private let oldest_ns = Atomic<UInt64>(0)
    private let bench = Mutex(Bench())
    private let counts = Mutex(Status())
    package let verdicts: Verdicts
    private let threads = Mutex<Threads?>(nil)

    /// One judges when nobody else wants the processor; where somebody waits for the verdict, the other does, which
    /// does not stand back.
    private struct Threads: Sendable {
        let quiet: WorkThread
        let prompt: WorkThread
    }

    /// Told of every session that was judged, on the judge's thread.
    private let listener = Mutex<Listener?>(nil)

    /// A function in a struct: one that stands in a mutex by itself is wrapped anew each time it is read.
    private struct Listener: Sendable {
        let tell: @Sendable (StoredSession, SessionJudgement) -> Void
    }

    package init(settings: JudgingSettings, outsiders: Outsiders = Outsiders(), observedSince_us: Int64) throws {
        self.settings = settings
        self.outsiders = outsiders
        verdicts = Verdicts(settings: OverTimeSettings(judging: settings, observedSince_us: observedSince_us))
        let threads = try Threads(
            quiet: WorkThread(givesWay: true) { [weak self] in self?.judgeWhenQuiet() },
            prompt: WorkThread(givesWay: false) { [weak self] in self?.judgeWhileAsked() })
        self.threads.withLock { $0 = threads }
    }

    func whenJudged(_ body: @escaping @Sendable (StoredSession, SessionJudgement) -> Void) {
        listener.withLock { $0 = Listener(tell: body) }
    }

    // MARK: In

    func take(_ messages: [HandedMessage]) { for message in messages { put(.message(message)) } }

    func take(_ session: StoredSession) { put(.session(session)) }

    private func put(_ work: Work) {
        let octets = work.octetCount
        let wakes = waiting.withLock { waiting in
            guard !waiting.isClosed, hasRoom(for: work, octets) else {
                switch work {
                case .message: waiting.messagesLeftOut += 1
                case .session: waiting.sessionsLeftOut += 1
                // Nothing is judged any more.
                case .mark(let done): done()
                case .forget: break
                }
                return false
            }
            let now = Instant.now()
            lastPut_ns.store(now.nanoseconds, ordering: .relaxed)
            waiting.work.append((work, now))
            self.octets.wrappingAdd(octets, ordering: .relaxed)
            count.wrappingAdd(1, ordering: .relaxed)
            defer { waiting.isAwake = true }
            return !waiting.isAwake
        }
        if wakes { threads.withLock { $0 }?.quiet.wake() }
    }

    private func hasRoom(for work: Work, _ more: Int) -> Bool {
        let (octets, count) = (octets.load(ordering: .relaxed), count.load(ordering: .relaxed))
        switch work {
        // However large one is, it finds room where nothing waits.
        case .message, .session: return count == 0 || octets + more <= Bounds.octets && count < Bounds.count
        case .mark, .forget: return true
        }
    }

    /// Returns when everything that was handed over before is judged, or when nothing is judged any more.
    package func settle() async {
        askers.wrappingAdd(1, ordering: .relaxed)
        defer { askers.wrappingSubtract(1, ordering: .relaxed) }
        await withCheckedContinuation { done in
            put(.mark { done.resume() })
            threads.withLock { $0 }?.prompt.wake()
        }
    }

    /// - Parameter isMeant: asked with the id of a session; those are forgotten, with all that was found in them.
    package func forget(where isMeant: @escaping @Sendable (String) -> Bool) { put(.forget(isMeant)) }

    package var status: Status {
        var status = counts.withLock { $0 }
        waiting.withLock { waiting in
            status.waiting = count.load(ordering: .relaxed)
            status.messagesLeftOut = waiting.messagesLeftOut
            status.sessionsLeftOut = waiting.sessionsLeftOut
            let oldest_ns = oldest_ns.load(ordering: .relaxed)
            let oldest = oldest_ns > 0 ? Instant(nanoseconds: oldest_ns) : waiting.work.first?.since
            if let oldest { status.oldest_us = Instant.now().since_ns(oldest) / 1000 }
        }
        return status
    }

    /// What waits is judged first.
    package func close() async {
        isClosing.store(true, ordering: .relaxed)
        await settle()
        let rest = waiting.withLock { waiting in
            waiting.isClosed = true
            defer { waiting.work = [] }
            return waiting.work
        }
        for (work, _) in rest { if case .mark(let done) = work { done() } }
        let threads = threads.withLock { $0 }
        threads?.quiet.stop()
        threads?.prompt.stop()
    }

    // MARK: On a thread that judges

    private func judgeWhenQuiet() {
        repeat { giveWay() } while judgeNext()
    }

    private func judgeWhileAsked() {
        while askers.load(ordering: .relaxed) > 0, judgeNext() {}
    }

    /// - Returns: whether there was anything.
    private func judgeNext() -> Bool {
        bench.withLock { bench in
            if bench.position == bench.hand.count { takeAll(&bench) }
            guard bench.position < bench.hand.count else { return false }
            askAhead(&bench)
            let place = bench.position
            let (work, since) = bench.hand[place]
            bench.hand[place].work = .forget { _ in false }
            bench.position += 1
            oldest_ns.store(since.nanoseconds, ordering: .relaxed)
            let began_ns = WorkThread.processorTime_ns
            if case .mark = work {
                // Those who wait for it ask at once how much is left: it is none of it.
                count.wrappingSubtract(1, ordering: .relaxed)
                oldest_ns.store(0, ordering: .relaxed)
            }
            judge(work, bench.asked.removeValue(forKey: place), &bench)
            let took_ns = WorkThread.processorTime_ns - began_ns
            if bench.position == bench.hand.count { oldest_ns.store(0, ordering: .relaxed) }
            if case .mark = work { return true }
            counts.withLock { $0.judging_ns += took_ns }
            octets.wrappingSubtract(work.octetCount, ordering: .relaxed)
            count.wrappingSubtract(1, ordering: .relaxed)
            return true
        }
    }

    /// Everything at once: who hands work over would wait for a lock that this thread holds while others run.
    private func takeAll(_ bench: inout Bench) {
        (bench.position, bench.front, bench.asked) = (0, 0, [:])
        bench.hand = waiting.withLock { waiting in
            defer { waiting.work = [] }
            if waiting.work.isEmpty { waiting.isAwake = false }
            return waiting.work
        }
    }

    private func askAhead(_ bench: inout Bench) {
        guard !outsiders.isNobody else { return }
        while bench.front < min(bench.hand.count, bench.position + Bounds.asked) {
            bench.asked[bench.front] = ask(bench.hand[bench.front].work, bench)
            bench.front += 1
        }
    }

    /// Returns when nothing has come for a moment, or when the work cannot wait.
    private func giveWay() {
        let inHand_ns = oldest_ns.load(ordering: .relaxed)
        let began = inHand_ns > 0 ? Instant(nanoseconds: inHand_ns) : .now()
        while true {
            let now = Instant.now()
            let quietSince = lastPut_ns.load(ordering: .relaxed) + Bounds.quiet_ns
            guard now.nanoseconds < quietSince, askers.load(ordering: .relaxed) == 0,
                count.load(ordering: .relaxed) < Bounds.count / Bounds.part,
                octets.load(ordering: .relaxed) < Bounds.octets / Bounds.part,
                now.since_ns(began) < Bounds.patience_ns
            else { return }
            WorkThread.nap_ns(quietSince - now.nanoseconds)
        }
    }

    private func ask(_ work: Work, _ bench: Bench) -> Asked {
        var asked = Asked()
        guard !isClosing.load(ordering: .relaxed) else { return asked }
        switch work {
        case .message(let message):
            if bench.silenceOfMail.isOver { asked.mail = outsiders.ask(message.question) }
        case .session(let session):
            guard outsiders.resolver != nil, bench.silenceOfNames.isOver else { break }
            asked.names = outsiders.ask(NameQuestions(SessionTrace(session.log)))
        case .mark, .forget: break
        }
        return asked
    }

    private func judge(_ work: Work, _ asked: Asked?, _ bench: inout Bench) {
        switch work {
        case .message(let message): judge(message, asked?.mail, &bench)
        case .session(let session): judge(session, asked?.names, &bench)
        case .mark(let done): done()
        case .forget(let isMeant):
            bench.open = bench.open.filter { !isMeant("s\($0.key)") }
            verdicts.forget(where: isMeant)
        }
    }

    private func judge(_ message: HandedMessage, _ inquiry: Inquiry<MailVerdict>?, _ bench: inout Bench) {
        guard bench.open[message.session] != nil || bench.open.count < Bounds.openSessions else { return }
        let isLocal = SessionTrace.isLocal(message.client)
        var open =
            bench.open.removeValue(forKey: message.session)
            ?? Open(ledger: Ledger(settings: settings, session: message.input.session, isLocalPeer: isLocal))
        var input = message.input
        input.offer = TraceOffer(message)
        Judge.judge(input, &open.ledger)
        if let inquiry {
            let verdict = inquiry.answer { isClosing.load(ordering: .relaxed) }
            bench.silenceOfMail.note(answered: verdict != nil)
            if let verdict {
                verdict.judge(input, helo: message.helo, &open.ledger)
            } else {
                counts.withLock { $0.mailUnanswered += 1 }
            }
        }
        open.facts.append(MessageIdentity(input))
        if open.facts.count > Self.mostFacts { open.facts.removeFirst(Self.mostFacts / 2) }
        bench.open[message.session] = open
        counts.withLock { $0.messagesJudged += 1 }
    }

    /// Messages of one session that the attempts over time are told of.
    private static let mostFacts = 2000

    private func judge(_ session: StoredSession, _ inquiry: Inquiry<NameFacts>?, _ bench: inout Bench) {
        let trace = SessionTrace(session.log, eventsDropped: session.eventsDropped)
        let open = bench.open.removeValue(forKey: session.number)
        var ledger =
            open?.ledger ?? Ledger(settings: settings, session: trace.id, isLocalPeer: trace.isLoopback)
        var circumstances = verdicts.circumstances(of: trace)
        if let inquiry {
            circumstances.names = inquiry.answer { isClosing.load(ordering: .relaxed) }
            bench.silenceOfNames.note(answered: circumstances.names != nil)
            if circumstances.names == nil { counts.withLock { $0.namesUnanswered += 1 } }
        }
        Judge.judge(trace, circumstances, &ledger)
        let judgement = Judge.judgement(trace, ledger)
        verdicts.add(judgement, session.number, trace, open?.facts ?? [])
        counts.withLock {
            $0.sessionsJudged += 1
            $0.findings += judgement.findings.count
            for finding in judgement.findings { $0.findingsBySeverity[finding.severity.rawValue, default: 0] += 1 }
        }
        listener.withLock { $0 }?.tell(session, judgement)
    }
}

extension TraceOffer {
    fileprivate init(_ message: HandedMessage) {
        self.init()
        isExtended = message.isExtended
        for capability in Capability.allCases where message.capabilities.contains(capability) {
            keywords[capability.keyword] = capability == .size ? ["\(message.sizeLimit)"] : []
        }
    }
}
