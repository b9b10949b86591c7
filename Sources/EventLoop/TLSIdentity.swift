// Who the server is in TLS: a certificate chain and its key, as octets. Read from PEM files, or made at start.
// OpenSSL's objects are made from it for each loop.

import COpenSSL
import Glibc

/// A certificate with its key. Loops know it by its identity as an object, so one is made and handed to all of them.
package final class TLSIdentity: Sendable {
    /// Certificates in DER, the server's own first, then those that lead to its issuer.
    let chain: [[UInt8]]
    /// The key in DER.
    let key: [UInt8]
    /// Keys of session tickets, so that a session begun on one loop goes on at another (80 octets, OpenSSL's layout).
    let ticketKeys: [UInt8]
    /// On which terms it is served.
    let terms: TLSTerms

    /// Largest file that is read as a certificate or key.
    package static let largestFile = 1 << 20

    init(chain: [[UInt8]], key: [UInt8], terms: TLSTerms = TLSTerms()) throws(TLSIdentityError) {
        var ticketKeys = [UInt8](repeating: 0, count: 80)
        guard RAND_bytes(&ticketKeys, Int32(ticketKeys.count)) == 1 else {
            throw TLSIdentityError("no random octets: \(OpenSSLErrors.takeWords())")
        }
        (self.chain, self.key, self.ticketKeys, self.terms) = (chain, key, ticketKeys, terms)
    }

    /// Reads a chain and a key from PEM files; both may be the same file.
    package static func load(certificateFile: String, keyFile: String) throws(TLSIdentityError) -> TLSIdentity {
        let chain = try certificates(in: try read(certificateFile, "certificate"), file: certificateFile)
        defer { for certificate in chain { X509_free(certificate) } }
        let key = try privateKey(in: try read(keyFile, "key"), file: keyFile)
        defer { EVP_PKEY_free(key) }
        guard let first = chain.first else {
            throw TLSIdentityError("\(certificateFile): no certificate in this file (PEM, BEGIN CERTIFICATE)")
        }
        guard X509_check_private_key(first, key) == 1 else {
            ERR_clear_error()
            throw TLSIdentityError("the key in \(keyFile) does not belong to the certificate in \(certificateFile)")
        }
        return try TLSIdentity(chain: chain.map(encode(certificate:)), key: encode(key: key))
    }

    /// The server's own certificate as PEM, for clients that are to trust it.
    package var certificatePEM: String { chain.first.map(Self.pem(certificate:)) ?? "" }

    /// The key as PEM (PKCS #8), not encrypted.
    package var keyPEM: String {
        guard let key = Self.decodeKey(key), let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer {
            EVP_PKEY_free(key)
            BIO_free(bio)
        }
        PEM_write_bio_PKCS8PrivateKey(bio, key, nil, nil, 0, nil, nil)
        return Self.text(of: bio)
    }

    /// A certificate in DER as PEM.
    static func pem(certificate der: [UInt8]) -> String {
        guard let certificate = decodeCertificate(der), let bio = BIO_new(BIO_s_mem()) else { return "" }
        defer {
            X509_free(certificate)
            BIO_free(bio)
        }
        PEM_write_bio_X509(bio, certificate)
        return text(of: bio)
    }

    private static func text(of bio: OpaquePointer) -> String {
        var octets = [UInt8](repeating: 0, count: Int(BIO_ctrl_pending(bio)))
        let count = BIO_read(bio, &octets, Int32(octets.count))
        return String(decoding: octets.prefix(max(Int(count), 0)), as: UTF8.self)
    }

    // MARK: files

    private static func read(_ path: String, _ what: String) throws(TLSIdentityError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw TLSIdentityError("\(path): cannot read the \(what) file: \(SystemError.words(errno))")
        }
        defer { close(descriptor) }
        var octets = [UInt8](repeating: 0, count: largestFile + 1)
        var count = 0
        while count < octets.count {
            let more = octets.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress.map { $0 + count }, buffer.count - count)
            }
            guard more >= 0 else {
                throw TLSIdentityError("\(path): cannot read the \(what) file: \(SystemError.words(errno))")
            }
            if more == 0 { break }
            count += more
        }
        guard count <= largestFile else { throw TLSIdentityError("\(path): too large for a \(what) file") }
        return Array(octets[..<count])
    }

    private static func certificates(in pem: [UInt8], file: String) throws(TLSIdentityError) -> [OpaquePointer] {
        var chain: [OpaquePointer] = []
        pem.withUnsafeBytes { octets in
            guard let bio = BIO_new_mem_buf(octets.baseAddress, Int32(octets.count)) else { return }
            defer { BIO_free(bio) }
            while let certificate = PEM_read_bio_X509(bio, nil, nil, nil) { chain.append(certificate) }
        }
        // At the end of the file OpenSSL says that no line begins a certificate.
        let code = ERR_peek_last_error()
        let isEnd = ossl_error_library(code) == ERR_LIB_PEM && ossl_error_reason(code) == PEM_R_NO_START_LINE
        let words = OpenSSLErrors.takeWords()
        guard isEnd else {
            for certificate in chain { X509_free(certificate) }
            throw TLSIdentityError("\(file): a certificate in this file is damaged: \(words)")
        }
        return chain
    }

    private static func privateKey(in pem: [UInt8], file: String) throws(TLSIdentityError) -> OpaquePointer {
        let key = pem.withUnsafeBytes { octets -> OpaquePointer? in
            guard let bio = BIO_new_mem_buf(octets.baseAddress, Int32(octets.count)) else { return nil }
            defer { BIO_free(bio) }
            // Without the closure OpenSSL would ask at the terminal for the pass phrase of an encrypted key.
            return PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
        }
        let words = OpenSSLErrors.takeWords()
        if let key { return key }
        let text = String(decoding: pem, as: UTF8.self)
        if text.contains("ENCRYPTED") {
            throw TLSIdentityError("\(file): the key is protected by a pass phrase; store it without one")
        }
        if !text.contains("PRIVATE KEY-----") {
            throw TLSIdentityError("\(file): no private key in this file (PEM, BEGIN PRIVATE KEY)")
        }
        throw TLSIdentityError("\(file): the private key in this file is damaged: \(words)")
    }

    // MARK: DER

    static func encode(certificate: OpaquePointer) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: max(Int(i2d_X509(certificate, nil)), 0))
        octets.withUnsafeMutableBufferPointer { buffer in
            var next = buffer.baseAddress
            i2d_X509(certificate, &next)
        }
        return octets
    }

    static func encode(key: OpaquePointer) -> [UInt8] {
        var octets = [UInt8](repeating: 0, count: max(Int(i2d_PrivateKey(key, nil)), 0))
        octets.withUnsafeMutableBufferPointer { buffer in
            var next = buffer.baseAddress
            i2d_PrivateKey(key, &next)
        }
        return octets
    }

    static func decodeCertificate(_ der: [UInt8]) -> OpaquePointer? {
        der.withUnsafeBufferPointer { octets in
            var next = octets.baseAddress
            return d2i_X509(nil, &next, octets.count)
        }
    }

    static func decodeKey(_ der: [UInt8]) -> OpaquePointer? {
        der.withUnsafeBufferPointer { octets in
            var next = octets.baseAddress
            return d2i_AutoPrivateKey(nil, &next, octets.count)
        }
    }
}

/// What a context allows and demands; every identity has what is usual, but for those of the menu.
struct TLSTerms: Sendable {
    var lowest = TLS1_2_VERSION
    var highest = TLS1_3_VERSION
    /// OpenSSL's list of cipher suites up to TLS 1.2, the preferred ones first; nil: OpenSSL's own.
    var ciphers: String?
    /// OpenSSL's security level; nil: that of the system.
    var securityLevel: Int32?
    /// A client without a certificate fails. Any certificate will do.
    var demandsClientCertificate = false
}

/// A certificate or key that cannot be used.
package struct TLSIdentityError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) { self.description = description }
}
