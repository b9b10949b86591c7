// Certificates made here: what is to stand in one, and the signature under it. Knows no flaws; others draft them.

import COpenSSL
import Glibc

/// A certificate that nobody signed yet.
struct CertificateDraft {
    /// Longest common name (RFC 5280, appendix A.1).
    static let longestCommonName = 64

    enum Digest { case sha256, sha1 }

    /// The subject; at least one of both.
    var organization: String?
    var commonName: String?
    /// Seconds from now.
    var validity: Range<Int>
    /// In OpenSSL's notation, in the order in which they stand.
    var extensions: [(number: Int32, value: String)]
    var digest = Digest.sha256

    /// Who signs: a certificate with its key.
    struct Signer: Sendable {
        /// In DER, both.
        var certificate: [UInt8]
        var key: [UInt8]
    }

    /// Signs it, by itself when there is no signer.
    ///
    /// - Parameter key: the key that it is for, in DER.
    /// - Returns: the certificate in DER.
    func signed(by signer: Signer?, for key: [UInt8]) throws(TLSIdentityError) -> [UInt8] {
        let shown = commonName ?? organization ?? ""
        func trouble(_ what: String) -> TLSIdentityError {
            TLSIdentityError("cannot make a certificate for \(shown): \(what): \(OpenSSLErrors.takeWords())")
        }
        ERR_clear_error()
        guard let key = TLSIdentity.decodeKey(key) else { throw trouble("key") }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw trouble("certificate") }
        defer { X509_free(certificate) }
        let issuer = signer.flatMap { TLSIdentity.decodeCertificate($0.certificate) }
        defer { X509_free(issuer) }
        let issuerKey = signer.flatMap { TLSIdentity.decodeKey($0.key) }
        defer { EVP_PKEY_free(issuerKey) }
        guard signer == nil || issuer != nil && issuerKey != nil else { throw trouble("issuer") }

        X509_set_version(certificate, 2)  // version 3 is counted from 0
        var serial: UInt64 = 0
        withUnsafeMutableBytes(of: &serial) { _ = RAND_bytes($0.baseAddress, Int32($0.count)) }
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1)
        X509_gmtime_adj(X509_getm_notBefore(certificate), validity.lowerBound)
        X509_gmtime_adj(X509_getm_notAfter(certificate), validity.upperBound)
        X509_set_pubkey(certificate, key)
        let name = X509_get_subject_name(certificate)
        for (field, text) in [("O", organization), ("CN", commonName)] {
            guard let text else { continue }
            let octets = Array(text.utf8)
            guard X509_NAME_add_entry_by_txt(name, field, V_ASN1_UTF8STRING, octets, Int32(octets.count), -1, 0) == 1
            else { throw trouble("\(field)=\(text)") }
        }
        X509_set_issuer_name(certificate, issuer.flatMap { X509_get_subject_name($0) } ?? name)

        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer ?? certificate, certificate, nil, nil, 0)
        for (number, value) in extensions {
            guard let item = X509V3_EXT_conf_nid(nil, &context, number, value) else {
                throw trouble(String(value.prefix(80)))
            }
            X509_add_ext(certificate, item, -1)
            X509_EXTENSION_free(item)
        }
        let digest = digest == .sha1 ? EVP_sha1() : EVP_sha256()
        guard X509_sign(certificate, issuerKey ?? key, digest) > 0 else { throw trouble("signature") }
        return TLSIdentity.encode(certificate: certificate)
    }
}

extension TLSFlaw.KeyKind {
    /// A new key in DER. RSA of 2048 bits takes a tenth of a second or two.
    func makeKey() throws(TLSIdentityError) -> [UInt8] {
        ERR_clear_error()
        let key =
            switch self {
            case .p256: ossl_new_p256_key()
            case .rsa(let bits): ossl_new_rsa_key(bits)
            }
        guard let key else { throw TLSIdentityError("cannot make a key: \(OpenSSLErrors.takeWords())") }
        defer { EVP_PKEY_free(key) }
        return TLSIdentity.encode(key: key)
    }
}
