// What a dialogue is played on: one client connection to the sink, and the sink behind it, with and without a socket.
// Calls block; a player lives on a thread of its own.

import Journal
import SMTP

/// What came from the sink.
enum Arrival: Sendable {
    case octets([UInt8])
    /// FIN, or TLS close_notify.
    case finished
    /// RST.
    case reset
    /// Nothing, for as long as was waited.
    case nothing
}

/// The client's end of one connection.
protocol Wire: AnyObject {
    /// Never goes back; virtual without a socket.
    var now_ns: UInt64 { get }
    /// Time is virtual, so upper bounds can be looked at.
    var isVirtual: Bool { get }
    /// How long a reply may take before it counts as missing.
    var patience_ns: UInt64 { get }
    func send(_ octets: [UInt8]) throws
    func receive(within patience_ns: UInt64) -> Arrival
    func wait(_ ns: UInt64)
    /// - Returns: nil when the handshake came to its end, otherwise why not.
    func startTLS(within patience_ns: UInt64) -> String?
    /// FIN; reading goes on.
    func finishSending()
    func close()
    func abort()
}

/// The sink behind the wires of one dialogue.
protocol Stage: AnyObject {
    /// The clock of its wires.
    var now_ns: UInt64 { get }
    func connect() throws -> any Wire
    /// What was recorded, once all sessions have ended.
    func conclude() -> Aftermath
}

/// What is left when all sessions have ended.
struct Aftermath: Sendable {
    /// The events of each session, in the order in which they began.
    var logs: [EventLog] = []
    /// In the order in which they were stored.
    var messages: [Message] = []
    /// How many messages were stored, or counted where the store only counts.
    var storedCount = 0
    var hostname = ""

    var records: [SessionRecord] { logs.map { SessionBuilder.record(of: $0) } }

    /// The text transcript of the last session, a line each.
    var transcript: [String] {
        var transcript = Transcript(colours: false)
        return (logs.last ?? EventLog()).flatMap { transcript.render($0).split(separator: "\n").map(String.init) }
    }
}

/// Something that a wire could not do.
struct WireError: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}
