// A handshake without a network, to find out beforehand whether this OpenSSL can do what a context asks for: builds and
// system policies forbid versions, suites and signatures in ways that only a handshake shows.

import COpenSSL

enum TLSRehearsal {
    /// Octets on their way in each direction; a whole flight fits.
    private static let room = 128 << 10
    /// Turns that a handshake needs at most, with some to spare.
    private static let mostTurns = 20

    /// Why a client that accepts everything does not come to an agreement with the context; nil when it does.
    ///
    /// - Parameter client: the identity that the client shows when it is asked.
    static func trouble(_ context: TLSContext, client: TLSIdentity) -> String? {
        ERR_clear_error()
        let clientContext = SSL_CTX_new(TLS_client_method())
        defer { SSL_CTX_free(clientContext) }
        guard let clientContext, configure(clientContext, client), let clientSide = SSL_new(clientContext) else {
            return OpenSSLErrors.takeWords()
        }
        defer { SSL_free(clientSide) }
        guard let serverSide = SSL_new(context.pointer) else { return OpenSSLErrors.takeWords() }
        defer { SSL_free(serverSide) }
        var (one, other): (OpaquePointer?, OpaquePointer?)
        guard BIO_new_bio_pair(&one, room, &other, room) == 1 else { return OpenSSLErrors.takeWords() }
        SSL_set_bio(clientSide, one, one)
        SSL_set_bio(serverSide, other, other)
        SSL_set_connect_state(clientSide)
        SSL_set_accept_state(serverSide)
        for _ in 0..<mostTurns {
            var isDone = true
            // The server's reason comes first: the client only knows of an alert.
            for side in [serverSide, clientSide] {
                ERR_clear_error()
                let result = SSL_do_handshake(side)
                if result == 1 { continue }
                isDone = false
                let error = SSL_get_error(side, result)
                guard error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE else {
                    return OpenSSLErrors.takeWords()
                }
            }
            if isDone { return nil }
        }
        return "the handshake does not come to an end"
    }

    private static func configure(_ context: OpaquePointer, _ identity: TLSIdentity) -> Bool {
        SSL_CTX_set_security_level(context, 0)
        guard ossl_set_protocol_range(context, TLS1_VERSION, TLS1_3_VERSION) == 1,
            SSL_CTX_set_cipher_list(context, "ALL:COMPLEMENTOFALL") == 1,
            let key = TLSIdentity.decodeKey(identity.key)
        else { return false }
        defer { EVP_PKEY_free(key) }
        guard let certificate = identity.chain.first.flatMap(TLSIdentity.decodeCertificate) else { return false }
        defer { X509_free(certificate) }
        SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        return SSL_CTX_use_certificate(context, certificate) == 1 && SSL_CTX_use_PrivateKey(context, key) == 1
    }
}
