// Waits for what ends or changes a running sink: signals, and the conditions of --exit-after.

import Dispatch
import Glibc
import Settings
import Sink
import Synchronization

final class Watch: Sendable {
    enum Occasion: Sendable {
        case reload, report
        /// By this signal, or by a condition.
        case stop(signal: Int32?)
        /// With this exit status.
        case childEnded(Int32)
    }

    let occasions: AsyncStream<Occasion>
    private let found: AsyncStream<Occasion>.Continuation
    private let queue = DispatchQueue(label: "fakemx.watch")
    private let state = Mutex(State())

    private struct State {
        var counters: SinkCounters?
        var exitAfter = Settings.ExitAfter()
        /// When a session last began or ended, or a message came.
        var lastProgress = DispatchTime.now()
    }

    init() { (occasions, found) = AsyncStream.makeStream() }

    /// Something else that ends or changes the sink.
    func tell(_ occasion: Occasion) { found.yield(occasion) }

    /// From now on signals and conditions are seen, for as long as the caller holds what is returned.
    func begin(
        _ counters: SinkCounters, _ exitAfter: Settings.ExitAfter
    ) async -> [any DispatchSourceProtocol] {
        state.withLock { ($0.counters, $0.exitAfter) = (counters, exitAfter) }
        var sources: [any DispatchSourceProtocol] = []
        for (number, occasion) in [
            (SIGTERM, Occasion.stop(signal: SIGTERM)), (SIGINT, .stop(signal: SIGINT)), (SIGHUP, .reload),
            (SIGUSR1, .report),
        ] {
            let source = source(number, occasion)
            // Whoever reads the ready line may send a signal at once: Dispatch must be listening by then.
            await withCheckedContinuation { registered in
                source.setRegistrationHandler { registered.resume() }
                source.activate()
            }
            sources.append(source)
        }
        if let idle = exitAfter.idle {
            let timer = DispatchSource.makeTimerSource(queue: queue)
            let pace = DispatchTimeInterval.nanoseconds(max(Int(idle.ns) / 20, 1_000_000))
            timer.schedule(deadline: .now() + pace, repeating: pace)
            timer.setEventHandler { [weak self] in self?.lookAtIdleness(idle.ns) }
            timer.activate()
            sources.append(timer)
        }
        look()
        return sources
    }

    /// A counter moved. Called on the loops, so it is quick where no condition was stated.
    func look() {
        let (counters, exitAfter) = state.withLock { state in
            if state.exitAfter.idle != nil { state.lastProgress = .now() }
            return (state.counters, state.exitAfter)
        }
        guard let counters, exitAfter != Settings.ExitAfter() else { return }
        if let sessions = exitAfter.sessions, counters.sessionsEnded >= sessions { found.yield(.stop(signal: nil)) }
        if let messages = exitAfter.messages, counters.messagesAccepted >= messages {
            // The session that brought the last message may say QUIT first; one that is kept open does not hold us.
            if counters.sessionsOpen == 0 { found.yield(.stop(signal: nil)) }
            queue.asyncAfter(deadline: .now() + .milliseconds(Self.lastQuit_ms)) { [found] in
                found.yield(.stop(signal: nil))
            }
        }
    }

    /// How long a client may take for its QUIT behind the last message that was waited for.
    private static let lastQuit_ms = 1000

    /// Idle: no session open, and nothing happened for so long.
    private func lookAtIdleness(_ idle_ns: UInt64) {
        let isIdle = state.withLock { state in
            guard let counters = state.counters, counters.sessionsOpen == 0 else { return false }
            return DispatchTime.now().uptimeNanoseconds - state.lastProgress.uptimeNanoseconds >= idle_ns
        }
        if isIdle { found.yield(.stop(signal: nil)) }
    }

    private func source(_ number: Int32, _ occasion: Occasion) -> any DispatchSourceProtocol {
        // Before the source takes the signal over, not behind it: that would take it away again.
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
        source.setEventHandler { [found] in found.yield(occasion) }
        return source
    }
}
