// Who is told what: the boundary between the loop, which moves octets, and those who understand them.
// The loop calls; a handler never waits and answers by methods of Connection. No call of a Connection method calls
// a handler back before the running call has returned.

/// Understands the octets of one connection. Not Sendable: it is made on its loop and stays there.
package protocol ConnectionHandler: AnyObject {
    /// The first call. May send, set a deadline, start TLS, close.
    func opened(_ connection: Connection, now: Instant)
    /// Octets in clear; one call for one read from the socket. They are gone when the call returns.
    func received(_ connection: Connection, _ octets: UnsafeRawBufferPointer, now: Instant)
    /// The deadline is reached; none is set any more.
    func deadlineReached(_ connection: Connection, now: Instant)
    /// The client sends no more (FIN, or close_notify), all it sent was received. Writing may still work.
    func peerFinished(_ connection: Connection, now: Instant)
    /// Reading is paused, octets wait unread, and behind them the client already said that no more will come.
    /// Told once; `peerFinished` follows when those octets were read.
    func peerLeaving(_ connection: Connection, now: Instant)
    /// Reset by the client, or writing failed, or the TLS layer broke. Nothing can be sent; `closed` follows.
    func peerGone(_ connection: Connection, reason: String, now: Instant)
    /// The handshake that `startTLS` began has an end. After a failure nothing can be sent; close the connection.
    /// In the manner `closeAfterHandshake` the connection is closing already when this tells of its success.
    func handshakeFinished(_ connection: Connection, _ result: Result<TLSFacts, TLSFailure>, now: Instant)
    /// All output is with the kernel. Called at the end of each turn in which that became so.
    func drained(_ connection: Connection, now: Instant)
    /// The last call: the descriptor is gone. After `close()` and `reset()` this is the only one.
    func closed(_ connection: Connection, now: Instant)
}

extension ConnectionHandler {
    package func peerLeaving(_ connection: Connection, now: Instant) {}
    package func drained(_ connection: Connection, now: Instant) {}
}

/// What is known of a connection at the moment it is accepted.
package struct Arrival {
    package let peer: SocketAddress
    /// The address on which it was accepted; that of the listening socket.
    package let listener: SocketAddress
    /// `ListeningSocket.tag`.
    package let tag: Int
    /// The part of the loop that its connections see.
    package let reactor: Reactor
    package let now: Instant
}

/// Why a connection is turned away before it has a handler.
package enum RefusalReason: Sendable {
    /// `LoopSettings.connectionLimit` is reached.
    case tooManyConnections
    /// The process or the system has no descriptor left.
    case outOfDescriptors
}

/// Makes the handler of a new connection; runs on the loop.
package typealias AcceptHandler = @Sendable (Arrival) -> any ConnectionHandler

/// The octets to be said to somebody who is turned away (may be empty); runs on the loop. The number is the tag of
/// the listening socket.
package typealias RefusalHandler = @Sendable (RefusalReason, Int) -> [UInt8]

/// What a finished handshake told.
package struct TLSFacts: Sendable, Hashable {
    /// `TLSv1.2` or `TLSv1.3`.
    package var version: String
    /// OpenSSL's name of the cipher suite.
    package var cipher: String
    /// The host name that the client asked for (RFC 6066 §3).
    package var sni: String?
    /// Common name, DNS names and mail addresses of the client's certificate; empty without one. Nothing is verified.
    package var clientNames: [String]
    /// An earlier TLS session went on (ticket).
    package var isResumed: Bool
}

/// Why a handshake failed.
package struct TLSFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// In words, never empty.
    package let reason: String

    package var description: String { reason }
}
