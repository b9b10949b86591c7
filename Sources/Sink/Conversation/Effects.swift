// What a conversation wants done after a turn. Values only: the event loop's side carries them out, a test looks at
// them. One instance serves all connections of a loop, so that a turn allocates nothing.

import Faults
import Journal
import SMTP

package struct Effects {
    package enum Closing: Sendable, Equatable {
        case no
        /// FIN, once the output is written.
        case finish
        /// RST, at once.
        case reset
    }

    /// Octets to send, in order.
    package var output: [UInt8] = []
    /// What happened in this turn.
    package var events = EventLog()
    package var closing = Closing.no
    /// The server's side of the handshake begins behind the output.
    package var startsTLS = false
    /// How it goes wrong, if at all.
    package var tlsFault: TLSFault?
    /// Whether octets of the client are wanted now.
    package var reading = true
    /// The most octets to take in one read; nil for no limit of its own.
    package var readLimit: Int?
    /// When the conversation wants to be called again, on the clock of `now_ns`; nil for never.
    package var deadline_ns: UInt64?
    /// To be stored before anything else happens; then `Conversation.stored` must be called.
    package var message: Message?
    /// Messages that came whole, whatever was said to them: to be judged.
    package var judged: [HandedMessage] = []
    /// A message that was accepted and is only counted, in octets.
    package var countedMessage: Int?

    package init() { output.reserveCapacity(4096) }

    /// Ready for the next turn; buffers stay allocated.
    package mutating func clear() {
        output.removeAll(keepingCapacity: true)
        events.removeAll()
        closing = .no
        startsTLS = false
        tlsFault = nil
        message = nil
        if !judged.isEmpty { judged = [] }
        countedMessage = nil
    }
}
