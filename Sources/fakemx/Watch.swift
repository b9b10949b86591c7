// Waits for what ends or changes a running sink: signals, and the conditions of --exit-after.

import Dispatch
import Glibc
import Settings
import Sink
import Synchronization

final class Watch: Sendable {
    enum Occasion: Sendable { case reload, stop }

    let occasions: AsyncStream<Occasion>
    private let found: AsyncStream<Occasion>.Continuation
    private let exitAfter: Settings.ExitAfter
    private let queue = DispatchQueue(label: "fakemx.watch")
    private let state = Mutex(State())

    private struct State {
        var counters: SinkCounters?
        var progressSeen = 0
    }

    init(exitAfter: Settings.ExitAfter) {
        self.exitAfter = exitAfter
        (occasions, found) = AsyncStream.makeStream()
    }

    /// From now on signals and conditions are seen, for as long as the caller holds what is returned.
    func begin(_ counters: SinkCounters) async -> [any DispatchSourceProtocol] {
        state.withLock { $0.counters = counters }
        var sources: [any DispatchSourceProtocol] = []
        for (number, occasion) in [(SIGTERM, Occasion.stop), (SIGINT, .stop), (SIGHUP, .reload)] {
            let source = source(number, occasion)
            // Whoever reads the ready line may send a signal at once: Dispatch must be listening by then.
            await withCheckedContinuation { registered in
                source.setRegistrationHandler { registered.resume() }
                source.activate()
            }
            signal(number, SIG_IGN)
            sources.append(source)
        }
        if let idle = exitAfter.idle {
            let timer = DispatchSource.makeTimerSource(queue: queue)
            timer.schedule(deadline: .now() + .nanoseconds(Int(idle.ns)), repeating: .nanoseconds(Int(idle.ns)))
            timer.setEventHandler { [weak self] in self?.lookAtIdleness() }
            timer.activate()
            sources.append(timer)
        }
        look()
        return sources
    }

    /// A counter moved. Called on the loops, so it is quick where no condition was stated.
    func look() {
        guard exitAfter.sessions != nil || exitAfter.messages != nil else { return }
        guard let counters = state.withLock({ $0.counters }) else { return }
        if let sessions = exitAfter.sessions, counters.sessionsEnded >= sessions { found.yield(.stop) }
        // The session that brought the last message may end first.
        if let messages = exitAfter.messages, counters.messagesAccepted >= messages, counters.sessionsOpen == 0 {
            found.yield(.stop)
        }
    }

    /// Idle: no session open, and none came since the last look.
    private func lookAtIdleness() {
        let isIdle = state.withLock { state in
            guard let counters = state.counters else { return false }
            defer { state.progressSeen = counters.sessionsOpened }
            return counters.sessionsOpen == 0 && counters.sessionsOpened == state.progressSeen
        }
        if isIdle { found.yield(.stop) }
    }

    private func source(_ number: Int32, _ occasion: Occasion) -> any DispatchSourceProtocol {
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler { [found] in found.yield(occasion) }
        return source
    }
}
