// The client's side of TLS over memory: octets of the wire go in and out, the socket is somebody else's. Any
// certificate will do, since the sink makes its own.

import COpenSSL

final class TLSClient {
    enum State {
        case handshaking, open
        /// The peer sent close_notify.
        case finished
        case failed(String)
    }

    private(set) var state = State.handshaking
    private let context: OpaquePointer
    private let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    /// - Parameter serverName: what the client asks for (RFC 6066 §3).
    init(serverName: String) throws(WireError) {
        guard let context = SSL_CTX_new(TLS_client_method()), let ssl = SSL_new(context),
            let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem())
        else { throw WireError("OpenSSL has no memory") }
        self.context = context
        self.ssl = ssl
        self.incoming = incoming
        self.outgoing = outgoing
        SSL_set_verify(ssl, SSL_VERIFY_NONE, nil)
        SSL_set_bio(ssl, incoming, outgoing)
        SSL_set_connect_state(ssl)
        // The macro SSL_set_tlsext_host_name is this call.
        _ = serverName.withCString {
            SSL_ctrl(
                ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name), UnsafeMutablePointer(mutating: $0))
        }
        shakeHands()
    }

    deinit {
        SSL_free(ssl)
        SSL_CTX_free(context)
    }

    /// Octets from the wire.
    ///
    /// - Returns: what they say in clear.
    func receive(_ octets: UnsafeRawBufferPointer) -> [UInt8] {
        _ = BIO_write(incoming, octets.baseAddress, Int32(octets.count))
        if case .handshaking = state { shakeHands() }
        guard case .open = state else { return [] }
        var clear: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: Self.recordSize)
        while true {
            ERR_clear_error()
            let count = SSL_read(ssl, &buffer, Int32(buffer.count))
            guard count > 0 else {
                switch SSL_get_error(ssl, count) {
                case SSL_ERROR_WANT_READ: break
                case SSL_ERROR_ZERO_RETURN: state = .finished
                default: state = .failed(Self.reason)
                }
                return clear
            }
            clear += buffer[..<Int(count)]
        }
    }

    func send(_ octets: UnsafeRawBufferPointer) {
        guard case .open = state, !octets.isEmpty else { return }
        if SSL_write(ssl, octets.baseAddress, Int32(octets.count)) <= 0 { state = .failed(Self.reason) }
    }

    /// close_notify.
    func finish() {
        guard case .open = state else { return }
        _ = SSL_shutdown(ssl)
    }

    /// Octets for the wire.
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
    static let recordSize = 16384

    private func shakeHands() {
        ERR_clear_error()
        let status = SSL_do_handshake(ssl)
        guard status != 1 else {
            state = .open
            return
        }
        if SSL_get_error(ssl, status) != SSL_ERROR_WANT_READ { state = .failed(Self.reason) }
    }

    private static var reason: String {
        guard let text = ERR_reason_error_string(ERR_peek_last_error()) else { return "TLS broke" }
        return String(cString: text)
    }
}
