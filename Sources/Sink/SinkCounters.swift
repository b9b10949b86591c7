// What the sink has done since it started, counted across loops.

import Synchronization

package final class SinkCounters: Sendable {
    private let opened = Atomic<Int>(0)
    private let ended = Atomic<Int>(0)
    private let messages = Atomic<Int>(0)
    private let progress: @Sendable () -> Void

    /// - Parameter progress: called, on a loop, after each session opened or ended and each message accepted; returns
    ///   at once.
    package init(progress: @escaping @Sendable () -> Void) { self.progress = progress }

    package var sessionsOpened: Int { opened.load(ordering: .relaxed) }
    package var sessionsEnded: Int { ended.load(ordering: .relaxed) }
    package var sessionsOpen: Int { sessionsOpened - sessionsEnded }
    package var messagesAccepted: Int { messages.load(ordering: .relaxed) }

    func sessionOpened() {
        opened.wrappingAdd(1, ordering: .relaxed)
        progress()
    }

    func sessionEnded() {
        ended.wrappingAdd(1, ordering: .relaxed)
        progress()
    }

    func messageAccepted() {
        messages.wrappingAdd(1, ordering: .relaxed)
        progress()
    }
}
