// Looks at a ClientHello before it is known which context answers it. OpenSSL reads it in a session of its own that
// goes no further; the octets are kept and given to the session that answers, so that this one is as any other:
// versions, cipher suites and security level are those of its context from the first octet on.

import COpenSSL

final class TLSHello {
    enum Outcome {
        case wanting
        case heard(serverName: String?)
        case failed(String)
    }

    /// The server's own, for the orderly manner.
    let identity: TLSIdentity
    let misconduct: TLSMisconduct
    /// All that came.
    private(set) var octets: [UInt8] = []
    private let ssl: OpaquePointer?
    private var isHeard = false
    private var serverName: String?

    /// Octets of a ClientHello, cut into records, at most. OpenSSL's own limit for the message is 128 KiB.
    private static let limit = 256 << 10

    init(engine: TLSEngine, identity: TLSIdentity, misconduct: TLSMisconduct) {
        self.identity = identity
        self.misconduct = misconduct
        ssl = engine.helloContext.flatMap { SSL_new($0) }
        guard let ssl, let bio = engine.makeBIO() else { return }
        SSL_set_bio(ssl, bio, bio)
        SSL_set_accept_state(ssl)
    }

    deinit { SSL_free(ssl) }

    static func makeContext() -> OpaquePointer? {
        guard let context = SSL_CTX_new(TLS_server_method()) else { return nil }
        // Whether a version is served is for the context that answers to say.
        SSL_CTX_set_security_level(context, 0)
        _ = ossl_set_protocol_range(context, 0, 0)
        SSL_CTX_set_client_hello_cb(
            context,
            { ssl, _, _ in
                guard let owner = SSL_get_ex_data(ssl, 0) else { return SSL_CLIENT_HELLO_ERROR }
                Unmanaged<TLSHello>.fromOpaque(owner).takeUnretainedValue().hear(ssl)
                return SSL_CLIENT_HELLO_RETRY
            }, nil)
        return context
    }

    /// Takes the records that the engine was supplied with.
    func listen(_ records: UnsafeRawBufferPointer) -> Outcome {
        guard let ssl, octets.count + records.count <= Self.limit else {
            return .failed(ssl == nil ? OpenSSLErrors.takeWords() : "the ClientHello is too long")
        }
        octets += records
        ERR_clear_error()
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        let result = SSL_do_handshake(ssl)
        if isHeard { return .heard(serverName: serverName) }
        return SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ ? .wanting : .failed(OpenSSLErrors.takeWords())
    }

    /// RFC 6066 §3: the length of the list, then of each name its type, its length and itself. There is one type.
    private func hear(_ ssl: OpaquePointer?) {
        isHeard = true
        var start: UnsafePointer<UInt8>?
        var count = 0
        guard SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_server_name), &start, &count) == 1 else { return }
        let list = UnsafeBufferPointer(start: start, count: count)
        guard list.count > 5, list[2] == TLSEXT_NAMETYPE_host_name else { return }
        let name = list[5...].prefix(Int(list[3]) << 8 | Int(list[4]))
        serverName = String(decoding: name, as: UTF8.self)
    }
}
