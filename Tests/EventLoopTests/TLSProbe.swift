// OpenSSL's client in this process, on a blocking socket. It goes on after each verify error and keeps all of them, so
// that a test sees every flaw of a chain and not the first alone.

import COpenSSL
import Foundation

@testable import EventLoop

/// @unchecked: used by one thread at a time.
final class TLSProbe: @unchecked Sendable {
    struct Options: Sendable {
        var rootPEM = ""
        /// Asked for (RFC 6066 §3); nil: no name is asked for.
        var serverName: String?
        /// Verified; nil: `serverName`.
        var host: String?
        /// Names in the subject do not count (RFC 6125 §6.4.4).
        var ignoresCommonName = false
        var lowest = TLS1_2_VERSION
        var highest = TLS1_3_VERSION
        var ciphers: String?
        var level: Int32 = 2
        /// Shown when the server asks.
        var identity: TLSIdentity?
        /// Octets of one write.
        var pieces = Int.max
    }

    /// The errors that verification found, in order, without repetition.
    private(set) var verifyErrors: [Int32] = []
    /// Why the handshake failed; empty when it did not.
    private(set) var failure = ""
    private(set) var sawCloseNotify = false
    private let client: TestClient
    private let options: Options
    private let ssl: OpaquePointer
    private let context: OpaquePointer

    init(_ address: SocketAddress, _ options: Options) throws {
        client = try TestClient(address)
        self.options = options
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw ClientError(call: "SSL_CTX_new", code: 0) }
        SSL_CTX_set_security_level(context, options.level)
        _ = ossl_set_protocol_range(context, options.lowest, options.highest)
        if let ciphers = options.ciphers { SSL_CTX_set_cipher_list(context, ciphers) }
        let root = options.rootPEM.withCString { text -> OpaquePointer? in
            let bio = BIO_new_mem_buf(text, -1)
            defer { BIO_free(bio) }
            return PEM_read_bio_X509(bio, nil, nil, nil)
        }
        if let root { X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root) }
        X509_free(root)
        if let identity = options.identity, let leaf = identity.chain.first.flatMap(TLSIdentity.decodeCertificate),
            let key = TLSIdentity.decodeKey(identity.key)
        {
            SSL_CTX_use_certificate(context, leaf)
            SSL_CTX_use_PrivateKey(context, key)
            X509_free(leaf)
            EVP_PKEY_free(key)
        }
        guard let ssl = SSL_new(context) else { throw ClientError(call: "SSL_new", code: 0) }
        self.context = context
        self.ssl = ssl
        ERR_clear_error()
        SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()))
        SSL_set_connect_state(ssl)
        if let name = options.serverName {
            _ = name.withCString {
                SSL_ctrl(
                    ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, Int(TLSEXT_NAMETYPE_host_name),
                    UnsafeMutablePointer(mutating: $0))
            }
        }
        if let host = options.host ?? options.serverName { SSL_set1_host(ssl, host) }
        if options.ignoresCommonName { SSL_set_hostflags(ssl, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)) }
        SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        SSL_set_verify(ssl, SSL_VERIFY_PEER) { isFine, store in
            let ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
            if isFine == 0, let owner = ssl.flatMap({ SSL_get_ex_data(OpaquePointer($0), 0) }) {
                let probe = Unmanaged<TLSProbe>.fromOpaque(owner).takeUnretainedValue()
                let error = X509_STORE_CTX_get_error(store)
                if !probe.verifyErrors.contains(error) { probe.verifyErrors.append(error) }
            }
            return 1
        }
    }

    deinit {
        SSL_free(ssl)
        SSL_CTX_free(context)
    }

    /// Begins the handshake only: the ClientHello is sent.
    func sayHello() throws {
        _ = SSL_do_handshake(ssl)
        try flush()
    }

    /// - Returns: whether it succeeded.
    @discardableResult
    func shakeHands() throws -> Bool {
        while true {
            ERR_clear_error()
            let result = SSL_do_handshake(ssl)
            let error = SSL_get_error(ssl, result)
            let words = result == 1 ? "" : OpenSSLErrors.takeWords()
            try flush()
            if result == 1 { return true }
            guard error == SSL_ERROR_WANT_READ else {
                failure = words
                return false
            }
            guard try fill() else {
                failure = "the server closed the connection"
                return false
            }
        }
    }

    func send(_ text: String) throws {
        _ = SSL_write(ssl, text, Int32(text.utf8.count))
        try flush()
    }

    /// What comes until the end, or until `text` did.
    func receive(until text: String? = nil) throws -> String {
        var octets = [UInt8](repeating: 0, count: 16_384)
        var received = ""
        while true {
            ERR_clear_error()
            let count = SSL_read(ssl, &octets, Int32(octets.count))
            if count > 0 {
                received += String(decoding: octets[..<Int(count)], as: UTF8.self)
                if let text, received.contains(text) { return received }
                continue
            }
            switch SSL_get_error(ssl, count) {
            case SSL_ERROR_WANT_READ: if try !fill() { return received }
            case SSL_ERROR_ZERO_RETURN:
                sawCloseNotify = true
                return received
            default:
                failure = OpenSSLErrors.takeWords()
                return received
            }
        }
    }

    /// Octets as they come, not of TLS.
    func receiveRaw() throws -> [UInt8] { try client.receiveAll() }
    func sendRaw(_ octets: [UInt8]) throws { try client.send(octets) }

    func close() { client.close() }

    private func flush() throws {
        var octets = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = BIO_read(SSL_get_wbio(ssl), &octets, Int32(octets.count))
            guard count > 0 else { return }
            var rest = octets[..<Int(count)]
            while !rest.isEmpty {
                try client.send(Array(rest.prefix(options.pieces)))
                rest = rest.dropFirst(options.pieces)
            }
        }
    }

    private func fill() throws -> Bool {
        let octets = try client.receive()
        if octets.isEmpty { return false }
        BIO_write(SSL_get_rbio(ssl), octets, Int32(octets.count))
        return true
    }

    // MARK: what was agreed

    var version: String { SSL_get_version(ssl).map { String(cString: $0) } ?? "" }
    var cipher: String { SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? "" }

    /// The chain as it was sent, in DER.
    var chain: [[UInt8]] {
        guard let list = SSL_get_peer_cert_chain(ssl) else { return [] }
        return (0..<OPENSSL_sk_num(list)).compactMap { index in
            OPENSSL_sk_value(list, index).map { TLSIdentity.encode(certificate: OpaquePointer($0)) }
        }
    }

    /// Subjects of the chain as it was sent.
    var subjects: [String] {
        chain.map { der in
            guard let certificate = TLSIdentity.decodeCertificate(der) else { return "" }
            defer { X509_free(certificate) }
            guard let text = X509_NAME_oneline(X509_get_subject_name(certificate), nil, 0) else { return "" }
            defer { ossl_free(text) }
            return String(cString: text)
        }
    }
}
