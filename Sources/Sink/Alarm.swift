// A timer of Dispatch that several threads may set.

import Dispatch
import EventLoop

/// Unchecked: Dispatch sources may be used from any thread, and nothing else is held.
final class Alarm: @unchecked Sendable {
    private let timer: any DispatchSourceTimer

    /// - Parameter body: called on the queue whenever the alarm rings.
    init(queue: DispatchQueue, _ body: @escaping @Sendable () -> Void) {
        timer = DispatchSource.makeTimerSource(flags: .strict, queue: queue)
        timer.setEventHandler(handler: body)
        timer.activate()
    }

    deinit { timer.cancel() }

    /// Once, at this moment, and no more at an earlier one.
    func set(_ at: Instant) {
        timer.schedule(deadline: DispatchTime(uptimeNanoseconds: at.nanoseconds), leeway: .nanoseconds(0))
    }

    func repeatEvery(_ interval: DispatchTimeInterval) {
        timer.schedule(deadline: .now() + interval, repeating: interval)
    }

    func stop() { timer.schedule(deadline: .distantFuture) }
}
