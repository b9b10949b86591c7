// A certificate for those who bring none: made at start, in memory, for one host name.

import COpenSSL
import Glibc

extension TLSIdentity {
    /// Seconds for which a certificate made here is valid, beginning an hour before now (clocks differ).
    private static let validity_s = 365 * 86_400
    private static let head_start_s = 3_600
    /// Longest common name (RFC 5280, upper bound of the attribute).
    private static let longestCommonName = 64

    /// An ECDSA P-256 certificate that signs itself, with `hostname` as its subject alternative name: a DNS name, or
    /// an address when it is an IP literal.
    package static func selfSigned(hostname: String) throws(TLSIdentityError) -> TLSIdentity {
        func trouble(_ what: String) -> TLSIdentityError {
            TLSIdentityError("cannot make a certificate for \(hostname): \(what): \(OpenSSLErrors.takeWords())")
        }
        let isAddress = SocketAddress.literal(hostname, port: 0) != nil
        guard isAddress || isHostName(hostname) else {
            throw TLSIdentityError("cannot make a certificate for \"\(hostname)\": it is not a host name")
        }
        ERR_clear_error()
        guard let key = ossl_new_p256_key() else { throw trouble("key") }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw trouble("certificate") }
        defer { X509_free(certificate) }

        X509_set_version(certificate, 2)  // version 3 is counted from 0
        var serial: UInt64 = 0
        withUnsafeMutableBytes(of: &serial) { _ = RAND_bytes($0.baseAddress, Int32($0.count)) }
        ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1 | 1)
        X509_gmtime_adj(X509_getm_notBefore(certificate), -head_start_s)
        X509_gmtime_adj(X509_getm_notAfter(certificate), validity_s - head_start_s)
        X509_set_pubkey(certificate, key)

        let commonName = Array((hostname.utf8.count <= longestCommonName ? hostname : "fakemx").utf8)
        let name = X509_get_subject_name(certificate)
        X509_NAME_add_entry_by_txt(name, "CN", V_ASN1_UTF8STRING, commonName, Int32(commonName.count), -1, 0)
        X509_set_issuer_name(certificate, name)

        var context = X509V3_CTX()
        X509V3_set_ctx(&context, certificate, certificate, nil, nil, 0)
        let extensions: [(Int32, String)] = [
            (NID_subject_alt_name, isAddress ? "IP:\(hostname)" : "DNS:\(hostname)"),
            (NID_basic_constraints, "critical,CA:FALSE"),
            (NID_ext_key_usage, "serverAuth"),
            (NID_subject_key_identifier, "hash"),
        ]
        for (number, value) in extensions {
            guard let item = X509V3_EXT_conf_nid(nil, &context, number, value) else { throw trouble(value) }
            X509_add_ext(certificate, item, -1)
            X509_EXTENSION_free(item)
        }
        guard X509_sign(certificate, key, EVP_sha256()) > 0 else { throw trouble("signature") }
        return try TLSIdentity(chain: [encode(certificate: certificate)], key: encode(key: key))
    }

    /// Keeps commas and the like out of OpenSSL's configuration syntax.
    private static func isHostName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 253
            && text.utf8.allSatisfy { octet in
                switch octet {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }
}
