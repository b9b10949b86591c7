// The client's side of one connection, in clear or inside of TLS, line by line. It blocks its thread, with a limit on
// every wait, so it belongs on a thread of its own: the lessons' sender is the only one that needs it. Any certificate
// will do, since the sink makes its own.

import CLinux
import COpenSSL
import Glibc

package enum ClientTrouble: Error, Sendable, Hashable, CustomStringConvertible {
    /// Nobody listens there.
    case refused(String)
    case closed, reset, timedOut
    case tls(String)

    package var description: String {
        switch self {
        case .refused(let why): "cannot connect: \(why)"
        case .closed: "the server closed the connection"
        case .reset: "the server reset the connection"
        case .timedOut: "the server stayed silent"
        case .tls(let why): "TLS failed: \(why)"
        }
    }
}

package final class ClientConnection {
    private let descriptor: Int32
    private let patience_ns: UInt64
    private var tls: ClientTLS?
    /// In clear, not yet read as lines.
    private var inbox: [UInt8] = []

    private static let readSize = 16 << 10
    /// Octets of a line, at most; what is longer is cut.
    package static let longestLine = 64 << 10

    /// - Parameters:
    ///   - host: an address, not a name.
    ///   - patience_ms: for each wait.
    package init(host: String, port: Int, patience_ms: Int) throws(ClientTrouble) {
        patience_ns = UInt64(max(1, patience_ms)) * 1_000_000
        guard let port = UInt16(exactly: port), let address = SocketAddress.literal(host, port: port) else {
            throw .refused("\"\(host)\" is no address")
        }
        descriptor = linux_stream_socket(address.systemFamily)
        guard descriptor >= 0 else { throw .refused(String(cString: strerror(-descriptor))) }
        let status = address.withSystemAddress { linux_connect(descriptor, $0, $1) } ?? -EINVAL
        var trouble = -status
        if status == 0 || status == -EINPROGRESS {
            trouble = wait(Int16(POLLOUT)) ? linux_take_error(descriptor) : ETIMEDOUT
        }
        // What is thrown from here on ends this connection by its deinit.
        guard trouble == 0 else {
            throw trouble == ECONNRESET ? .reset : .refused(String(cString: strerror(abs(trouble))))
        }
        _ = linux_no_delay(descriptor)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    package var isEncrypted: Bool { tls != nil }

    /// The next line without its end.
    package func readLine() throws(ClientTrouble) -> [UInt8] {
        while true {
            if let end = inbox.firstIndex(of: 10) {
                var line = Array(inbox[..<end])
                inbox.removeSubrange(...end)
                if line.last == 13 { line.removeLast() }
                return line
            }
            if inbox.count >= Self.longestLine {
                defer { inbox = [] }
                return inbox
            }
            try read()
        }
    }

    package func write(_ octets: [UInt8]) throws(ClientTrouble) {
        guard let tls else { return try send(octets) }
        try tls.write(octets)
        try send(tls.takeOutput())
    }

    /// The handshake of TLS; what was said before it in clear, and not read, is thrown away (RFC 3207 §4.2).
    package func startTLS(serverName: String) throws(ClientTrouble) {
        inbox = []
        let tls = try ClientTLS(serverName: serverName)
        while try !tls.shakeHands() {
            try send(tls.takeOutput())
            tls.take(try receive())
        }
        try send(tls.takeOutput())
        self.tls = tls
    }

    /// Says that nothing more comes.
    package func finish() {
        if let tls {
            tls.finish()
            try? send(tls.takeOutput())
        }
        _ = linux_finish_sending(descriptor)
    }

    /// Returns when the server has closed, or has had its time.
    package func awaitEnd() { while (try? receive()) != nil {} }

    // MARK: Octets

    private func read() throws(ClientTrouble) {
        guard let tls else {
            inbox += try receive()
            return
        }
        // What came with the handshake may be there already.
        let waiting = try tls.read()
        guard waiting.isEmpty else {
            inbox += waiting
            return
        }
        tls.take(try receive())
        inbox += try tls.read()
        try send(tls.takeOutput())
    }

    private func receive() throws(ClientTrouble) -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: Self.readSize)
        while true {
            let count = linux_receive(descriptor, &buffer, buffer.count)
            if count > 0 { return Array(buffer[..<count]) }
            if count == 0 { throw .closed }
            guard count == -Int(EAGAIN) || count == -Int(EINTR) else { throw .reset }
            guard wait(Int16(POLLIN)) else { throw .timedOut }
        }
    }

    private func send(_ octets: [UInt8]) throws(ClientTrouble) {
        var rest = octets[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { linux_send(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else {
                guard count == -Int(EAGAIN) || count == -Int(EINTR) else { throw .reset }
                guard wait(Int16(POLLOUT)) else { throw .timedOut }
            }
        }
    }

    private func wait(_ events: Int16) -> Bool {
        let until = linux_monotonic_ns() + patience_ns
        while true {
            let now = linux_monotonic_ns()
            guard now < until else { return false }
            var entry = pollfd(fd: descriptor, events: events, revents: 0)
            let count = poll(&entry, 1, Int32(clamping: (until - now) / 1_000_000 + 1))
            if count > 0 { return true }
            if count < 0, errno != EINTR { return false }
        }
    }
}

/// TLS over memory.
private final class ClientTLS {
    private let context: OpaquePointer
    private let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    init(serverName: String) throws(ClientTrouble) {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw .tls("OpenSSL has no memory") }
        guard let ssl = SSL_new(context), let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem())
        else {
            SSL_CTX_free(context)
            throw .tls("OpenSSL has no memory")
        }
        (self.context, self.ssl, self.incoming, self.outgoing) = (context, ssl, incoming, outgoing)
        SSL_set_verify(ssl, SSL_VERIFY_NONE, nil)
        SSL_set_bio(ssl, incoming, outgoing)
        SSL_set_connect_state(ssl)
        // The macro SSL_set_tlsext_host_name is this call (RFC 6066 §3).
        _ = serverName.withCString {
            SSL_ctrl(
                ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), UnsafeMutablePointer(mutating: $0))
        }
    }

    deinit {
        SSL_free(ssl)
        SSL_CTX_free(context)
    }

    /// - Returns: whether it is done.
    func shakeHands() throws(ClientTrouble) -> Bool {
        ERR_clear_error()
        let status = SSL_do_handshake(ssl)
        if status == 1 { return true }
        guard SSL_get_error(ssl, status) == SSL_ERROR_WANT_READ else { throw .tls(Self.reason) }
        return false
    }

    func take(_ octets: [UInt8]) { _ = BIO_write(incoming, octets, Int32(octets.count)) }

    func read() throws(ClientTrouble) -> [UInt8] {
        var clear: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: Self.recordSize)
        while true {
            ERR_clear_error()
            let count = SSL_read(ssl, &buffer, Int32(buffer.count))
            guard count > 0 else {
                if !clear.isEmpty { return clear }
                switch SSL_get_error(ssl, count) {
                case SSL_ERROR_WANT_READ: return []
                case SSL_ERROR_ZERO_RETURN: throw .closed
                default: throw .tls(Self.reason)
                }
            }
            clear += buffer[..<Int(count)]
        }
    }

    func write(_ octets: [UInt8]) throws(ClientTrouble) {
        guard !octets.isEmpty else { return }
        if SSL_write(ssl, octets, Int32(octets.count)) <= 0 { throw .tls(Self.reason) }
    }

    func finish() { _ = SSL_shutdown(ssl) }

    func takeOutput() -> [UInt8] {
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: Self.recordSize)
        while true {
            let count = BIO_read(outgoing, &buffer, Int32(buffer.count))
            guard count > 0 else { return output }
            output += buffer[..<Int(count)]
        }
    }

    /// The most clear octets in a record (RFC 8446 §5.1).
    private static let recordSize = 16384

    private static var reason: String {
        guard let text = ERR_reason_error_string(ERR_peek_last_error()) else { return "the handshake broke" }
        return String(cString: text)
    }
}
