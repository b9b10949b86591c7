// One accepted connection as its handler sees it. Small, because ten thousand idle ones must cost little: it owns
// no buffer unless a slow reader leaves output behind. Lives on its loop and is not Sendable.

import CLinux
import Glibc

package final class Connection {
    enum State: UInt8 {
        case open
        /// `close()` was called, output is still to be written.
        case finishing
        /// FIN was sent; what the client still says is thrown away until its own FIN.
        case lingering
        /// The descriptor is closed, the handler does not know yet.
        case gone
        case closed
    }

    /// The part of the loop that its connections see.
    package let reactor: Reactor
    package var handler: any ConnectionHandler
    package let peer: SocketAddress
    let listener: Listener
    var tls: TLSSession?
    /// Octets for the socket that it did not take yet, from `backlogHead` on. In TLS these are records.
    var backlog: [UInt8] = []
    var backlogHead = 0
    /// When the handler (or `close()`) wants to be woken; `UInt64.max`: never.
    var deadline: UInt64 = .max
    /// Time of the heap entry that will look at `deadline`; `UInt64.max`: there is none.
    var queuedDeadline: UInt64 = .max
    let cookie: UInt64
    var discarded = 0
    var descriptor: Int32
    private var longestRead: Int32 = .max
    /// Conditions that epoll watches for this connection.
    var armed: UInt32
    /// Why the connection broke: an errno, or `Connection.brokenTLS`; 0 when it did not.
    var ruin: Int32 = 0
    var state = State.open
    package private(set) var isPaused = false
    /// Too much output waits; nothing is read until it is gone.
    var isStifled = false
    /// The handler knows that the client sends no more.
    var isFinished = false
    /// The socket itself said so.
    var sawFIN = false
    var toldLeaving = false
    /// Output was given to the socket since `drained` was last called.
    var hasWritten = false
    /// In the loop's list of connections that need a turn.
    var isQueued = false
    /// In the epoll set.
    var isWatched = true

    static let brokenTLS: Int32 = -1

    init(
        reactor: Reactor, handler: any ConnectionHandler, peer: SocketAddress, listener: Listener, descriptor: Int32,
        cookie: UInt64, armed: UInt32
    ) {
        self.reactor = reactor
        self.handler = handler
        self.peer = peer
        self.listener = listener
        self.descriptor = descriptor
        self.cookie = cookie
        self.armed = armed
    }

    // MARK: facts

    /// A number that no other connection of this loop has, ever.
    package var id: UInt64 { cookie }

    /// `ListeningSocket.tag` of the socket it came in on.
    package var tag: Int { listener.tag }

    /// Our own address. Asks the system when the listener accepts on every address.
    package var local: SocketAddress {
        guard listener.address.isWildcard, descriptor >= 0 else { return listener.address }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard linux_local_address(descriptor, &storage, &length) == 0 else { return listener.address }
        return SocketAddress(storage, length: length) ?? listener.address
    }

    /// Neither closed nor closing: what is sent now will be written.
    package var isOpen: Bool { state == .open }

    /// TLS is in force: the handshake is done.
    package var isTLS: Bool { tls?.isEstablished ?? false }

    /// How TLS goes on this connection, as the ClientHello decided; `orderly` before it came.
    package var tlsManner: TLSManner { tls?.manner ?? .orderly }

    /// Octets given to `send` that the kernel has not taken yet.
    package var pendingOutput: Int {
        backlog.count - backlogHead + reactor.collected(for: self) + (tls?.heldOutput.count ?? 0)
    }

    /// The client does not read what it is told. A handler that produces much from little input stops consuming
    /// then and goes on at `drained`.
    package var isCongested: Bool { pendingOutput > reactor.settings.pendingOutputLimit }

    // MARK: output

    /// Collects octets; they are written at the end of the turn. Nothing happens on a connection that is not open.
    package func send(_ octets: UnsafeRawBufferPointer) {
        guard state == .open, !octets.isEmpty else { return }
        reactor.collect(octets, for: self)
        requestTurn()
    }

    package func send(_ octets: [UInt8]) {
        octets.withUnsafeBytes { send($0) }
    }

    /// Writes what was sent, then FIN; reads and throws away what the client still sends until its FIN, for
    /// `lingerTime_ms` and `lingerOctets` at most, so that the last reply is not lost to an RST; then closes.
    /// In TLS close_notify goes before FIN. Safe at any moment, also during a handshake.
    package func close() {
        guard state == .open else { return }
        state = .finishing
        reschedule(reactor.now.adding(ms: reactor.settings.flushTime_ms).nanoseconds)
        requestTurn()
    }

    /// What was sent is offered to the kernel once, then RST. What the socket does not take is lost.
    package func reset() {
        if state == .open { reactor.settle(self) }
        guard state.rawValue < State.gone.rawValue else { return }
        linux_reset_on_close(descriptor)
        abandon()
    }

    // MARK: input

    /// Octets of one read at most; nil: as many as the loop's buffer holds. In TLS it bounds the records read, of
    /// which one may open to 16 KiB at once.
    package var readLimit: Int? {
        get { longestRead == .max ? nil : Int(longestRead) }
        set { longestRead = Int32(clamping: max(newValue ?? Int(Int32.max), 1)) }
    }

    var readSize: Int { min(Int(longestRead), reactor.settings.readBuffer) }

    /// Nothing is read any more; a reset by the client is still noticed.
    package func pauseReading() { isPaused = true }

    package func resumeReading() {
        guard isPaused else { return }
        isPaused = false
        if tls?.heldInput.isEmpty == false { reactor.enqueue(self) }
        requestTurn()
    }

    // MARK: time

    /// One deadline a connection: it replaces the one set before. nil: none. Has no effect once closing.
    @inline(__always)
    package func setDeadline(_ at: Instant?) {
        guard state == .open else { return }
        reschedule(at?.nanoseconds ?? .max)
    }

    package var nextDeadline: Instant? { deadline == .max ? nil : Instant(nanoseconds: deadline) }

    func reschedule(_ at: UInt64) {
        deadline = at
        if at < queuedDeadline { reactor.queueDeadline(self, at) }
    }

    // MARK: TLS

    /// Begins the server's side of a handshake: what was sent before goes out in clear first, every octet that comes
    /// from now on belongs to TLS, and `handshakeFinished` tells the end. What is sent before that end waits for it.
    /// Does nothing when TLS was begun already.
    ///
    /// With `misconduct` it goes wrong as that says; `tlsManner` tells how, once the ClientHello came.
    package func startTLS(_ identity: TLSIdentity, misconduct: TLSMisconduct? = nil) {
        guard state == .open, tls == nil else { return }
        reactor.settle(self)
        guard state == .open else { return }
        tls = TLSSession(engine: reactor.tlsEngine, identity: identity, misconduct: misconduct)
        if tls?.hasFailed == true { reactor.enqueue(self) }
    }

    // MARK: helpers

    /// When something happens to a connection outside its own turn, it gets one.
    @inline(__always)
    private func requestTurn() {
        if reactor.current !== self { reactor.enqueue(self) }
    }

    /// Closes the descriptor. The handler is told at the end of the turn.
    func abandon() {
        reactor.drop(self)
        state = .gone
        Glibc.close(descriptor)
        descriptor = -1
        backlog = []
        backlogHead = 0
        requestTurn()
    }

    /// The connection broke.
    func fail(_ code: Int32) {
        guard state.rawValue < State.gone.rawValue else { return }
        if state == .open { ruin = code }
        abandon()
    }
}
