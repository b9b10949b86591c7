// Accepting: every client that waits, within the limits; those beyond a limit are told so and turned away. Running out
// of descriptors never turns into a busy loop.

import CLinux
import Glibc

/// A listening socket together with what happens to those who come.
final class Listener {
    let socket: ListeningSocket
    let address: SocketAddress
    let tag: Int
    let accept: AcceptHandler
    let refuse: RefusalHandler
    let cookie: UInt64

    /// Cookies of listeners have this bit, those of connections have not.
    static let cookieBit: UInt64 = 1 << 63

    init(
        socket: ListeningSocket, index: Int, accept: @escaping AcceptHandler, refuse: @escaping RefusalHandler
    ) {
        self.socket = socket
        address = socket.address
        tag = socket.tag
        self.accept = accept
        self.refuse = refuse
        cookie = Self.cookieBit | UInt64(index)
    }
}

extension Reactor {
    func listen(
        on socket: ListeningSocket, accept: @escaping AcceptHandler, refuse: @escaping RefusalHandler
    ) throws(SystemError) {
        let listener = Listener(socket: socket, index: listeners.count, accept: accept, refuse: refuse)
        try watch(listener)
        listeners.append(listener)
    }

    private func watch(_ listener: Listener) throws(SystemError) {
        // Of the loops that share a Unix socket only one is to wake up.
        let conditions = listener.address.family == .unix ? LINUX_READABLE | LINUX_EXCLUSIVE : LINUX_READABLE
        let code = linux_epoll_add(epoll, listener.socket.descriptor, conditions, listener.cookie)
        guard code == 0 else { throw SystemError(call: "epoll_ctl", code: -code) }
    }

    /// Closes listening sockets: all, or those with a tag.
    func stopAccepting(tag: Int? = nil) {
        for (index, listener) in listeners.enumerated() {
            guard let listener, tag == nil || listener.tag == tag else { continue }
            // A Unix socket is shared with other loops, so its descriptor must leave the set before it is closed.
            linux_epoll_remove(epoll, listener.socket.descriptor)
            listener.socket.close()
            listeners[index] = nil
        }
    }

    func accept(_ index: Int) {
        guard let listener = listeners[index], !isResting else { return }
        for _ in 0..<settings.acceptBatch {
            var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let descriptor = linux_accept(listener.socket.descriptor, peerStorage, &length)
            if descriptor >= 0 {
                admit(descriptor, listener, length)
                continue
            }
            switch -descriptor {
            case EAGAIN:
                return
            case EMFILE, ENFILE:
                guard acceptWithSpare(listener) else { return }
            case ENOBUFS, ENOMEM, EBADF, EINVAL:
                return rest()
            default:
                continue  // the error of a client that is gone already (accept(2))
            }
        }
    }

    private func admit(_ descriptor: Int32, _ listener: Listener, _ length: socklen_t) {
        guard statistics.open < settings.connectionLimit else {
            statistics.refusedOverLimit &+= 1
            return refuse(descriptor, .tooManyConnections, listener)
        }
        now = .now()
        let cookie = table.reserve()
        let conditions = LINUX_READABLE | LINUX_PEER_FINISHED
        let peer = SocketAddress(peerStorage.pointee, length: length) ?? .unix(nil)
        guard linux_epoll_add(epoll, descriptor, conditions, cookie) == 0 else {
            // The system's limit of watched descriptors (fs.epoll.max_user_watches) or of memory.
            statistics.refusedOutOfDescriptors &+= 1
            return refuse(descriptor, .outOfDescriptors, listener)
        }
        let arrival = Arrival(peer: peer, listener: listener.address, tag: listener.tag, reactor: self, now: now)
        let connection = Connection(
            reactor: self, handler: listener.accept(arrival), peer: peer, listener: listener, descriptor: descriptor,
            cookie: cookie, armed: conditions)
        table.fill(cookie, connection)
        statistics.open += 1
        statistics.accepted &+= 1
        current = connection
        connection.handler.opened(connection, now: now)
        finishTurn(connection)
    }

    /// The spare descriptor is given up for a moment, so that the client gets an answer instead of silence.
    ///
    /// - Returns: whether there may be more clients waiting.
    private func acceptWithSpare(_ listener: Listener) -> Bool {
        guard spareDescriptor >= 0 else {
            rest()
            return false
        }
        Glibc.close(spareDescriptor)
        spareDescriptor = -1
        let descriptor = linux_accept(listener.socket.descriptor, nil, nil)
        if descriptor >= 0 {
            statistics.refusedOutOfDescriptors &+= 1
            refuse(descriptor, .outOfDescriptors, listener)
        }
        spareDescriptor = max(linux_spare_descriptor(), -1)
        if descriptor >= 0 { return true }
        // Somebody else in the process was quicker.
        if descriptor != -EAGAIN { rest() }
        return false
    }

    private func refuse(_ descriptor: Int32, _ reason: RefusalReason, _ listener: Listener) {
        let octets = listener.refuse(reason, listener.tag)
        _ = octets.withUnsafeBytes { linux_send(descriptor, $0.baseAddress, $0.count) }
        linux_finish_sending(descriptor)
        // What is left unread turns the close into a reset, and the answer would be lost.
        _ = linux_receive(descriptor, readBuffer, settings.readBuffer)
        Glibc.close(descriptor)
    }

    // MARK: resting

    /// Nothing can be accepted: the listeners leave the epoll set for a while, or they would be reported for ever.
    private func rest() {
        guard !isResting else { return }
        isResting = true
        statistics.acceptRests &+= 1
        for case let listener? in listeners { linux_epoll_remove(epoll, listener.socket.descriptor) }
        queueEndOfRest(now.adding(ms: settings.acceptRest_ms))
    }

    func endRest() {
        guard isResting else { return }
        isResting = false
        if spareDescriptor < 0 { spareDescriptor = max(linux_spare_descriptor(), -1) }
        for case let listener? in listeners {
            do { try watch(listener) } catch { return rest() }
        }
    }
}
