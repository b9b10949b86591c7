// A certificate for those who bring none: made at start, in memory, for one host name.

import COpenSSL
import Glibc

extension TLSIdentity {
    /// Seconds for which a certificate made here is valid, beginning an hour before now (clocks differ).
    static let usualValidity = -3_600..<365 * 86_400 - 3_600

    /// An ECDSA P-256 certificate that signs itself, with `hostname` as its subject alternative name: a DNS name, or
    /// an address when it is an IP literal.
    package static func selfSigned(hostname: String) throws(TLSIdentityError) -> TLSIdentity {
        let key = try TLSFlaw.KeyKind.p256.makeKey()
        let draft = CertificateDraft(
            commonName: commonName(for: hostname), validity: usualValidity,
            extensions: [
                (NID_subject_alt_name, try alternativeName(of: hostname)),
                (NID_basic_constraints, "critical,CA:FALSE"),
                (NID_ext_key_usage, "serverAuth"),
                (NID_subject_key_identifier, "hash"),
            ])
        return try TLSIdentity(chain: [draft.signed(by: nil, for: key)], key: key)
    }

    static func commonName(for hostname: String) -> String {
        hostname.utf8.count <= CertificateDraft.longestCommonName ? hostname : "fakemx"
    }

    /// In OpenSSL's notation.
    static func alternativeName(of hostname: String) throws(TLSIdentityError) -> String {
        if SocketAddress.literal(hostname, port: 0) != nil { return "IP:\(hostname)" }
        guard isHostName(hostname) else {
            throw TLSIdentityError("cannot make a certificate for \"\(hostname)\": it is not a host name")
        }
        return "DNS:\(hostname)"
    }

    /// Keeps commas and the like out of OpenSSL's configuration syntax.
    static func isHostName(_ text: String) -> Bool {
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
