// The limits of a loop, by name, and the counts that it keeps.

/// Every limit of a loop. Times in milliseconds, sizes in octets.
package struct LoopSettings: Sendable, Hashable {
    /// Connections open at once on this loop. Beyond it a client is refused.
    package var connectionLimit = 20_000
    /// The read buffer of the loop: at most so much is read from one connection before the others have their turn.
    package var readBuffer = 256 << 10
    /// Output that waits for a slow reader; above it nothing more is read from that client until all is written.
    package var pendingOutputLimit = 64 << 10
    /// Output is collected up to this size before it is written.
    package var outputBuffer = 64 << 10
    /// After `close()`: how long the client may take to read what is still to be written.
    package var flushTime_ms = 30_000
    /// After FIN was sent: how long the client's own FIN is waited for.
    package var lingerTime_ms = 2_000
    /// After `close()`: how much of what the client still sends is read and thrown away.
    package var lingerOctets = 1 << 20
    /// Connections accepted from one listening socket before others have their turn.
    package var acceptBatch = 128
    /// How long accepting rests when there is no descriptor, not even the spare one.
    package var acceptRest_ms = 100
    /// Queue of connections that the kernel keeps for each listening socket.
    package var listenBacklog: Int32 = 4096

    package init() {}
}

/// What a loop counted since it began.
package struct LoopStatistics: Sendable, Hashable {
    /// Connections open now.
    package var open = 0
    package var accepted: UInt64 = 0
    /// Refused over `connectionLimit`.
    package var refusedOverLimit: UInt64 = 0
    /// Refused because descriptors were used up.
    package var refusedOutOfDescriptors: UInt64 = 0
    /// How often accepting rested because not even the spare descriptor was there.
    package var acceptRests: UInt64 = 0
    package var octetsReceived: UInt64 = 0
    package var octetsSent: UInt64 = 0
    package var handshakes: UInt64 = 0
    package var handshakeFailures: UInt64 = 0
    /// Connections that ended by the client's reset or by a failed write.
    package var peersGone: UInt64 = 0
    package var wakeUps: UInt64 = 0

    package init() {}

    /// Adds the counts of another loop.
    package mutating func add(_ other: LoopStatistics) {
        open += other.open
        accepted += other.accepted
        refusedOverLimit += other.refusedOverLimit
        refusedOutOfDescriptors += other.refusedOutOfDescriptors
        acceptRests += other.acceptRests
        octetsReceived += other.octetsReceived
        octetsSent += other.octetsSent
        handshakes += other.handshakes
        handshakeFailures += other.handshakeFailures
        peersGone += other.peersGone
        wakeUps += other.wakeUps
    }
}
