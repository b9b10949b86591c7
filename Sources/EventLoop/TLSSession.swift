// TLS of one connection: the server's side of OpenSSL between records and octets in clear. Knows no socket.

import COpenSSL

final class TLSSession {
    private enum Stage {
        /// The ClientHello decides how it goes on.
        case hello
        case handshake
        /// Nothing is ever said; a handshake to those who ask.
        case stalled
        case established, failed
    }

    /// Held because OpenSSL reads and writes through its buffers.
    private let engine: TLSEngine
    private var ssl: OpaquePointer?
    private var stage = Stage.handshake
    private var hello: TLSHello?
    /// As the ClientHello decided.
    private(set) var manner = TLSManner.orderly
    private var isShutDown = false
    /// What the client offers; nil before its ClientHello is whole, and where it cannot be read.
    private(set) var clientHello: TLSClientHello?
    /// Records until then; nil afterwards.
    private var helloOctets: [UInt8]? = []
    /// The handler knows of the failure.
    var toldFailure = false
    /// The client said that it sends no more (RFC 8446 §6.1).
    private(set) var sawCloseNotify = false
    /// Why it failed; empty before.
    private(set) var reason = ""
    /// Records that came behind the handshake while reading was paused.
    var heldInput: [UInt8] = []
    /// Octets in clear sent before the handshake was done.
    var heldOutput: [UInt8] = []

    init(engine: TLSEngine, identity: TLSIdentity, misconduct: TLSMisconduct?) {
        self.engine = engine
        if let misconduct, misconduct.needsHello {
            hello = TLSHello(engine: engine, identity: identity, misconduct: misconduct)
            stage = .hello
        } else {
            begin(identity)
        }
    }

    private func begin(_ identity: TLSIdentity) {
        let context = engine.context(for: identity)
        ERR_clear_error()
        ssl = context.pointer.flatMap { SSL_new($0) }
        guard let ssl, let bio = engine.makeBIO() else {
            fail(context.pointer == nil ? context.trouble : OpenSSLErrors.takeWords())
            return
        }
        SSL_set_bio(ssl, bio, bio)
        SSL_set_accept_state(ssl)
    }

    deinit { SSL_free(ssl) }

    /// Records go to `listen` first.
    var isListening: Bool { stage == .hello || stage == .stalled }
    var isShakingHands: Bool { stage == .handshake || isListening }
    var isEstablished: Bool { stage == .established }
    var hasFailed: Bool { stage == .failed }

    /// The first reason stays.
    func fail(_ reason: String) {
        if stage == .failed { return }
        stage = .failed
        self.reason = reason
    }

    /// Reads along until the ClientHello is whole.
    func overhear(_ records: UnsafeRawBufferPointer) {
        guard var octets = helloOctets else { return }
        octets += records
        helloOctets = nil
        switch TLSClientHello.read(octets) {
        case .wanting: if octets.count < TLSClientHello.limit { helloOctets = octets }
        case .heard(let hello): clientHello = hello
        case .unreadable: break
        }
    }

    /// Takes records until the ClientHello is whole, and decides then how it goes on.
    ///
    /// - Returns: the records with which the handshake begins; nil when it does not, or not yet.
    func listen(_ records: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let hello else { return nil }
        let serverName: String?
        switch hello.listen(records) {
        case .wanting: return nil
        case .failed(let reason):
            fail(reason)
            return nil
        case .heard(let name): serverName = name
        }
        self.hello = nil
        let misconduct = hello.misconduct
        manner = misconduct.manner(for: serverName)
        switch manner {
        case .stall:
            stage = .stalled
            return nil
        case .alert(let number):
            engine.write(TLSManner.alertRecord(number))
            fail("the alert \(TLSManner.alertName(number)) was sent, as asked")
            return nil
        case .flawed(let flaw):
            switch misconduct.menu.identity(flaw, for: serverName, else: misconduct.hostname) {
            case .success(let identity): prepare(identity)
            case .failure(let error): fail(error.description)
            }
        case .orderly, .closeInHandshake, .closeAfterHandshake, .noCloseNotify:
            prepare(hello.identity)
        }
        return hasFailed ? nil : hello.octets
    }

    private func prepare(_ identity: TLSIdentity) {
        stage = .handshake
        begin(identity)
    }

    /// Goes on with the handshake as far as the records at hand allow.
    ///
    /// - Returns: whether it is done.
    func shakeHands() -> Bool {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 {
            stage = .established
            return true
        }
        if SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ {
            fail(OpenSSLErrors.takeWords(served: manner.versions, isTLS: manner != .orderly))
        } else if manner == .closeInHandshake {
            engine.halveRecords()
            fail("the connection was closed in the handshake, as asked")
        }
        return false
    }

    func takeHeldOutput() -> [UInt8] {
        defer { heldOutput = [] }
        return heldOutput
    }

    /// Opens all records at hand.
    ///
    /// - Returns: how many octets in clear are in `plaintext`.
    func decrypt(into plaintext: UnsafeMutableRawBufferPointer) -> Int {
        var total = 0
        ERR_clear_error()
        while total < plaintext.count {
            var count = 0
            let result = SSL_read_ex(ssl, plaintext.baseAddress.map { $0 + total }, plaintext.count - total, &count)
            if result == 1 {
                total += count
                continue
            }
            switch SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_READ: break
            case SSL_ERROR_ZERO_RETURN: sawCloseNotify = true
            default: fail("TLS failed: \(OpenSSLErrors.takeWords())")
            }
            break
        }
        return total
    }

    /// Seals octets; the records are with the engine then.
    func encrypt(_ octets: UnsafeRawBufferPointer) -> Bool {
        ERR_clear_error()
        var count = 0
        if SSL_write_ex(ssl, octets.baseAddress, octets.count, &count) == 1 { return true }
        fail("TLS failed: \(OpenSSLErrors.takeWords())")
        return false
    }

    /// close_notify (RFC 8446 §6.1); once.
    func finish() {
        guard stage == .established, !isShutDown, manner != .noCloseNotify else { return }
        isShutDown = true
        ERR_clear_error()
        SSL_shutdown(ssl)
    }

    // MARK: what the handshake told

    func facts() -> TLSFacts {
        TLSFacts(
            version: SSL_get_version(ssl).map { String(cString: $0) } ?? "",
            cipher: SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { String(cString: $0) } ?? "",
            sni: SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name).map { String(cString: $0) },
            clientNames: clientNames(), isResumed: SSL_session_reused(ssl) == 1)
    }

    /// Names recorded of one certificate at most.
    private static let nameLimit: Int32 = 64

    private func clientNames() -> [String] {
        guard let certificate = SSL_get1_peer_certificate(ssl) else { return [] }
        defer { X509_free(certificate) }
        var names: [String] = []
        let subject = X509_get_subject_name(certificate)
        let place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1)
        if place >= 0, let value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)) {
            var octets: UnsafeMutablePointer<UInt8>?
            let count = ASN1_STRING_to_UTF8(&octets, value)
            if count > 0 {
                names.append(
                    String(decoding: UnsafeBufferPointer(start: octets, count: Int(count)), as: UTF8.self))
            }
            if count >= 0 { ossl_free(octets) }
        }
        guard let list = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return names }
        let alternatives = OpaquePointer(list)
        defer { GENERAL_NAMES_free(alternatives) }
        for index in 0..<min(ossl_name_count(alternatives), Self.nameLimit) {
            guard let name = ossl_name_at(alternatives, index),
                name.pointee.type == GEN_DNS || name.pointee.type == GEN_EMAIL,
                let text = ossl_name_text(name), let data = ASN1_STRING_get0_data(text)
            else { continue }
            let octets = UnsafeBufferPointer(start: data, count: Int(ASN1_STRING_length(text)))
            let word = String(decoding: octets, as: UTF8.self)
            if !names.contains(word) { names.append(word) }
        }
        return names
    }
}
