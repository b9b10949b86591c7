// What all TLS connections of a loop share: OpenSSL's contexts, and a pair of octet streams in memory between OpenSSL
// and the sockets. Only one connection has its turn at a time, so one pair serves all, and an idle connection owns
// no buffers. Records stay octets in memory on both sides, where they can be held, cut and garbled.

import COpenSSL
import Glibc

final class TLSEngine {
    /// The octets between OpenSSL and the socket of the connection whose turn it is.
    private struct Wire {
        var unread = UnsafeRawBufferPointer(start: nil, count: 0)
        var written: UnsafeMutableRawPointer
        var writtenCount = 0
        var writtenCapacity: Int
    }

    /// Octets in clear that came out of the records of one read.
    let plaintext: UnsafeMutableRawBufferPointer
    private let wire: UnsafeMutablePointer<Wire>
    private let method: OpaquePointer?
    private var contexts: [ObjectIdentifier: TLSContext] = [:]
    private let contextRoom: Int
    /// For connections whose ClientHello is looked at before anything is decided.
    private(set) lazy var helloContext = TLSHello.makeContext()

    /// Records that OpenSSL may hold back unfinished, in octets (RFC 8446 §5.2: 16 KiB and a little).
    private static let recordRoom = 32 << 10

    init(readBuffer: Int, contextRoom: Int) {
        // All records of a read, and one that was begun in the read before, fit when opened.
        plaintext = .allocate(byteCount: readBuffer + Self.recordRoom, alignment: 64)
        wire = .allocate(capacity: 1)
        let room = 64 << 10
        wire.initialize(to: Wire(written: .allocate(byteCount: room, alignment: 64), writtenCapacity: room))
        self.contextRoom = contextRoom
        method = Self.makeMethod()
    }

    deinit {
        contexts.removeAll()
        SSL_CTX_free(helloContext)
        BIO_meth_free(method)
        wire.pointee.written.deallocate()
        wire.deallocate()
        plaintext.deallocate()
    }

    /// The context of an identity; made at the first use. A reload of the configuration brings new identities, so
    /// only some are kept.
    func context(for identity: TLSIdentity) -> TLSContext {
        if let known = contexts[ObjectIdentifier(identity)] { return known }
        if contexts.count >= contextRoom { contexts.removeAll() }
        let made = TLSContext(identity)
        contexts[ObjectIdentifier(identity)] = made
        return made
    }

    // MARK: the wire

    /// The records that OpenSSL is to read next. They must stay where they are until they are taken back.
    func supply(_ records: UnsafeRawBufferPointer) { wire.pointee.unread = records }

    /// What of them it has not taken.
    var unread: UnsafeRawBufferPointer { wire.pointee.unread }

    /// Octets that OpenSSL would not write.
    func write(_ octets: [UInt8]) {
        octets.withUnsafeBytes { Self.append($0.baseAddress, $0.count, to: wire) }
    }

    /// Loses the second half of the records that OpenSSL wrote.
    func halveRecords() { wire.pointee.writtenCount /= 2 }

    /// The records that OpenSSL wrote since the last call; valid until it writes again.
    func takeRecords() -> UnsafeRawBufferPointer {
        let records = UnsafeRawBufferPointer(start: wire.pointee.written, count: wire.pointee.writtenCount)
        wire.pointee.writtenCount = 0
        return records
    }

    func makeBIO() -> OpaquePointer? {
        guard let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, wire)
        BIO_set_init(bio, 1)
        return bio
    }

    private static func append(_ octets: UnsafeRawPointer?, _ size: Int, to wire: UnsafeMutablePointer<Wire>) {
        guard let octets else { return }
        let needed = wire.pointee.writtenCount + size
        if needed > wire.pointee.writtenCapacity {
            let capacity = max(needed, 2 * wire.pointee.writtenCapacity)
            let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
            memcpy(larger, wire.pointee.written, wire.pointee.writtenCount)
            wire.pointee.written.deallocate()
            wire.pointee.written = larger
            wire.pointee.writtenCapacity = capacity
        }
        memcpy(wire.pointee.written + wire.pointee.writtenCount, octets, size)
        wire.pointee.writtenCount = needed
    }

    private static func makeMethod() -> OpaquePointer? {
        let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "fakemx wire")
        BIO_meth_set_read_ex(method) { bio, octets, capacity, count in
            guard let wire = BIO_get_data(bio)?.assumingMemoryBound(to: Wire.self), let octets else { return 0 }
            ossl_bio_clear_retry(bio)
            let unread = wire.pointee.unread
            guard let base = unread.baseAddress, !unread.isEmpty else {
                count?.pointee = 0
                ossl_bio_retry_read(bio)
                return 0
            }
            let taken = min(capacity, unread.count)
            memcpy(octets, base, taken)
            wire.pointee.unread = UnsafeRawBufferPointer(rebasing: unread[taken...])
            count?.pointee = taken
            return 1
        }
        BIO_meth_set_write_ex(method) { bio, octets, size, count in
            guard let wire = BIO_get_data(bio)?.assumingMemoryBound(to: Wire.self), let octets else { return 0 }
            ossl_bio_clear_retry(bio)
            TLSEngine.append(octets, size, to: wire)
            count?.pointee = size
            return 1
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in
            // Everything written is at its place at once; nothing else is supported.
            command == BIO_CTRL_FLUSH ? 1 : 0
        }
        return method
    }
}

/// OpenSSL's SSL_CTX for one identity on one loop.
final class TLSContext {
    /// Held so that no other identity can have the same address while this context is known by it.
    private let identity: TLSIdentity
    let pointer: OpaquePointer?
    /// Why there is no context; empty when there is one.
    let trouble: String

    init(_ identity: TLSIdentity) {
        self.identity = identity
        ERR_clear_error()
        let context = SSL_CTX_new(TLS_server_method())
        if Self.configure(context, identity) {
            pointer = context
            trouble = ""
        } else {
            SSL_CTX_free(context)
            pointer = nil
            trouble = OpenSSLErrors.takeWords()
        }
    }

    deinit { SSL_CTX_free(pointer) }

    private static func configure(_ context: OpaquePointer?, _ identity: TLSIdentity) -> Bool {
        guard let context, let key = TLSIdentity.decodeKey(identity.key) else { return false }
        defer { EVP_PKEY_free(key) }
        let terms = identity.terms
        // First, because certificates are judged by it when they are added.
        if let level = terms.securityLevel { SSL_CTX_set_security_level(context, level) }
        if let ciphers = terms.ciphers {
            guard SSL_CTX_set_cipher_list(context, ciphers) == 1 else { return false }
            ossl_prefer_own_ciphers(context)
        }
        for (index, der) in identity.chain.enumerated() {
            guard let certificate = TLSIdentity.decodeCertificate(der) else { return false }
            defer { X509_free(certificate) }
            let isTaken =
                index == 0
                ? SSL_CTX_use_certificate(context, certificate) : ossl_add_chain_certificate(context, certificate)
            guard isTaken == 1 else { return false }
        }
        guard SSL_CTX_use_PrivateKey(context, key) == 1,
            ossl_set_protocol_range(context, terms.lowest, terms.highest) == 1
        else { return false }
        ossl_set_mode(context)
        ossl_set_options(context)
        // Resumption is by tickets alone: a cache in the server would grow with its clients.
        ossl_session_cache_off(context)
        let keys = identity.ticketKeys
        guard ossl_set_ticket_keys(context, keys, Int32(keys.count)) == 1 else { return false }
        let name: [UInt8] = Array("fakemx".utf8)
        guard SSL_CTX_set_session_id_context(context, name, UInt32(name.count)) == 1 else { return false }
        SSL_CTX_set_num_tickets(context, 1)
        ossl_accept_any_server_name(context)
        // A client's certificate is asked for and recorded; whatever comes is accepted.
        let demand = terms.demandsClientCertificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | demand) { _, _ in 1 }
        return true
    }
}
