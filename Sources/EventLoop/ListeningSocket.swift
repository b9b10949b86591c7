// Sockets that listen: bound at start, one for each loop, so that an address in use is an error in words before
// anything runs. Accepts nothing itself.

import CLinux
import Glibc
import Synchronization

/// A listening socket for one loop. Closed by the loop that listens on it, or when nobody refers to it any more.
package final class ListeningSocket: Sendable {
    /// Where it listens; the port is the real one when 0 was asked for.
    package let address: SocketAddress
    /// A number of the caller's choice, given to the accept handler: which of the configured listeners this is.
    package let tag: Int

    private let held: Mutex<Int32>
    private let file: SocketFile?

    private init(descriptor: Int32, address: SocketAddress, tag: Int, file: SocketFile?) {
        (self.address, self.tag, self.file) = (address, tag, file)
        held = Mutex(descriptor)
    }

    deinit { close() }

    /// -1 when it is closed.
    var descriptor: Int32 { held.withLock { $0 } }

    /// Ends listening for this socket: clients that are not accepted yet are reset. May be called more than once.
    package func close() {
        let descriptor = held.withLock { held in
            defer { held = -1 }
            return held
        }
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        file?.release()
    }

    /// Binds `loops` sockets to one address.
    ///
    /// With several loops each gets its own socket (SO_REUSEPORT); whether the port is free is tried first without
    /// that option, or a second fakemx would silently share the port of the first. A Unix socket is one socket with
    /// a descriptor for each loop.
    package static func bind(
        _ address: ListenAddress, loops: Int, tag: Int = 0, backlog: Int32 = LoopSettings().listenBacklog
    ) throws(ListenError) -> [ListeningSocket] {
        precondition(loops > 0)
        func failure(_ code: Int32) -> ListenError { ListenError(address: address, code: code) }

        switch address {
        case .unix(let path):
            return try bindUnix(path, address, loops, tag, backlog)
        case .name(let host, let port):
            guard let first = SocketAddress.named(host, port: port).first else {
                throw ListenError(address: address, message: "the host name has no address")
            }
            return try bindIP(first, address, loops, tag, backlog)
        case .ip(let wanted):
            return try bindIP(wanted, address, loops, tag, backlog)
        }
    }

    // MARK: IPv4 and IPv6

    private static func bindIP(
        _ wanted: SocketAddress, _ asked: ListenAddress, _ loops: Int, _ tag: Int, _ backlog: Int32
    ) throws(ListenError) -> [ListeningSocket] {
        let alone = try open(wanted, asked, sharesPort: false, tag, backlog)
        if loops == 1 { return [alone] }
        let real = alone.address
        alone.close()
        var sockets: [ListeningSocket] = []
        for _ in 0..<loops { sockets.append(try open(real, asked, sharesPort: true, tag, backlog)) }
        return sockets
    }

    private static func open(
        _ address: SocketAddress, _ asked: ListenAddress, sharesPort: Bool, _ tag: Int, _ backlog: Int32
    ) throws(ListenError) -> ListeningSocket {
        let descriptor = linux_stream_socket(address.systemFamily)
        guard descriptor >= 0 else { throw ListenError(address: asked, code: -descriptor) }
        var code = linux_reuse_address(descriptor)
        if code == 0, sharesPort { code = linux_reuse_port(descriptor) }
        if code == 0, address.family == .ipv6 { code = linux_ipv6_only(descriptor) }
        // Inherited by every connection that is accepted here: a reply never waits for an acknowledgement.
        if code == 0 { code = linux_no_delay(descriptor) }
        // Accepted sockets inherit it: a client that vanished without a word does not keep its session for ever.
        if code == 0 { code = linux_keep_alive(descriptor) }
        if code == 0 { code = address.withSystemAddress { linux_bind(descriptor, $0, $1) } ?? -EINVAL }
        if code == 0 { code = linux_listen(descriptor, backlog) }
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        if code == 0 { code = linux_local_address(descriptor, &storage, &length) }
        guard code == 0, let real = SocketAddress(storage, length: length) else {
            Glibc.close(descriptor)
            throw ListenError(address: asked, code: -code)
        }
        return ListeningSocket(descriptor: descriptor, address: real, tag: tag, file: nil)
    }

    // MARK: Unix sockets

    private static func bindUnix(
        _ path: String, _ asked: ListenAddress, _ loops: Int, _ tag: Int, _ backlog: Int32
    ) throws(ListenError) -> [ListeningSocket] {
        let address = SocketAddress.unix(path)
        try removeStaleFile(address, path, asked)
        let descriptor = linux_stream_socket(AF_UNIX)
        guard descriptor >= 0 else { throw ListenError(address: asked, code: -descriptor) }
        var code = address.withSystemAddress { linux_bind(descriptor, $0, $1) } ?? -ENAMETOOLONG
        let file = SocketFile(path: path, users: loops)
        if code == 0 { code = linux_listen(descriptor, backlog) }
        guard code == 0 else {
            Glibc.close(descriptor)
            throw ListenError(address: asked, code: -code)
        }
        var sockets = [ListeningSocket(descriptor: descriptor, address: address, tag: tag, file: file)]
        for _ in 1..<loops {
            let copy = linux_duplicate(descriptor)
            guard copy >= 0 else { throw ListenError(address: asked, code: -copy) }
            sockets.append(ListeningSocket(descriptor: copy, address: address, tag: tag, file: file))
        }
        return sockets
    }

    /// A socket file on which nobody listens is left over from a process that died; it is removed. One on which
    /// somebody listens, and a file that is no socket, stay.
    private static func removeStaleFile(
        _ address: SocketAddress, _ path: String, _ asked: ListenAddress
    ) throws(ListenError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw ListenError(address: asked, message: "a file that is not a socket is in the way")
        }
        let probe = linux_stream_socket(AF_UNIX)
        guard probe >= 0 else { throw ListenError(address: asked, code: -probe) }
        defer { Glibc.close(probe) }
        let answer = address.withSystemAddress { linux_connect(probe, $0, $1) } ?? -ENAMETOOLONG
        guard answer == -ECONNREFUSED else { throw ListenError(address: asked, code: EADDRINUSE) }
        unlink(path)
    }
}

/// The file of a Unix socket: removed when the last socket on it is closed, unless somebody else put another there.
private final class SocketFile: Sendable {
    private let path: String
    private let device: UInt64
    private let inode: UInt64
    private let users: Mutex<Int>

    init(path: String, users: Int) {
        var status = stat()
        let exists = lstat(path, &status) == 0
        self.path = path
        device = exists ? UInt64(status.st_dev) : 0
        inode = exists ? UInt64(status.st_ino) : 0
        self.users = Mutex(users)
    }

    func release() {
        let left = users.withLock { users in
            users -= 1
            return users
        }
        guard left == 0, inode != 0 else { return }
        var status = stat()
        guard lstat(path, &status) == 0, status.st_dev == device, status.st_ino == inode else { return }
        unlink(path)
    }
}

/// An address on which nobody can listen.
package struct ListenError: Error, Sendable, Hashable, CustomStringConvertible {
    package let address: ListenAddress
    package let message: String
    /// The errno; 0 when the reason is another.
    package let code: Int32

    init(address: ListenAddress, message: String) { (self.address, self.message, code) = (address, message, 0) }

    init(address: ListenAddress, code: Int32) {
        self.address = address
        self.code = code
        let words = SystemError.words(code)
        switch code {
        case EADDRINUSE: message = "\(words); somebody else listens there, choose another port or stop them"
        case EACCES: message = "\(words); ports below 1024 need privileges (CAP_NET_BIND_SERVICE)"
        case EADDRNOTAVAIL: message = "\(words); no interface of this machine has that address"
        default: message = words
        }
    }

    package var description: String { "cannot listen on \(address): \(message)" }
}

/// A system call that failed.
package struct SystemError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The system call.
    package let call: String
    package let code: Int32

    static func words(_ code: Int32) -> String {
        var text = [CChar](repeating: 0, count: 128)
        return text.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return "error \(code)" }
            let result = linux_error_words(code, base, buffer.count)
            return result > 0 ? String(cString: base) : "error \(code)"
        }
    }

    package var description: String { "\(call): \(Self.words(code))" }
}
