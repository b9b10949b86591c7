// What can be wrong with who the server says it is and with what it agrees to, by the names of badssl.com. Each is an
// identity of the menu: certificates, their key, and the terms on which they are served.

import COpenSSL

/// A flaw of the certificate, of the protocol versions or of the cipher suites. The raw value is its name in rules.
package enum TLSFlaw: String, Sendable, Hashable, CaseIterable {
    case expired
    case notYetValid = "not-yet-valid"
    case wrongHost = "wrong-host"
    case selfSigned = "self-signed"
    case untrustedRoot = "untrusted-root"
    case incompleteChain = "incomplete-chain"
    case reversedChain = "reversed-chain"
    case noCommonName = "no-common-name"
    case noSAN = "no-san"
    case sha1
    case rsa1024 = "rsa-1024"
    case hugeChain = "huge-chain"
    case clientCertificateRequired = "client-certificate-required"
    case onlyTLS1_0 = "only-tls1.0"
    case onlyTLS1_1 = "only-tls1.1"
    case onlyTLS1_2 = "only-tls1.2"
    case onlyTLS1_3 = "only-tls1.3"
    case weakCiphers = "weak-ciphers"

    /// The weakest that OpenSSL still has, the weakest first: no encryption; no certificate; broken or old ciphers
    /// where they are built in; and last, because every client has them, CBC suites with SHA-1 whose keys are sent
    /// under the RSA key of the server (no forward secrecy). No suite of TLS 1.3 is weak, so TLS 1.2 is the highest.
    static let weakList = "eNULL:aNULL:RC4:3DES:SEED:IDEA:kRSA+SHA1:!PSK:!SRP"

    /// Where the security level of OpenSSL forbids a flaw, it is lowered for that context alone.
    var terms: TLSTerms {
        switch self {
        case .sha1, .rsa1024: TLSTerms(securityLevel: 0)
        case .clientCertificateRequired: TLSTerms(demandsClientCertificate: true)
        // Their signatures are made over MD5 and SHA-1.
        case .onlyTLS1_0: TLSTerms(lowest: TLS1_VERSION, highest: TLS1_VERSION, securityLevel: 0)
        case .onlyTLS1_1: TLSTerms(lowest: TLS1_1_VERSION, highest: TLS1_1_VERSION, securityLevel: 0)
        case .onlyTLS1_2: TLSTerms(highest: TLS1_2_VERSION)
        case .onlyTLS1_3: TLSTerms(lowest: TLS1_3_VERSION)
        case .weakCiphers:
            TLSTerms(lowest: TLS1_VERSION, highest: TLS1_2_VERSION, ciphers: Self.weakList, securityLevel: 0)
        default: TLSTerms()
        }
    }

    /// What kind of key the server's certificate has.
    enum KeyKind: Sendable, Hashable {
        case p256
        case rsa(bits: UInt32)
    }

    var keyKind: KeyKind {
        switch self {
        case .rsa1024: .rsa(bits: 1024)
        // Clients that know nothing newer know RSA; and weak suites send their keys under one.
        case .onlyTLS1_0, .onlyTLS1_1, .weakCiphers: .rsa(bits: 2048)
        default: .p256
        }
    }

    /// The versions that are served, for reasons in words.
    var versions: String {
        switch self {
        case .onlyTLS1_0: "TLS 1.0 alone"
        case .onlyTLS1_1: "TLS 1.1 alone"
        case .onlyTLS1_2: "TLS 1.2 alone"
        case .onlyTLS1_3: "TLS 1.3 alone"
        case .weakCiphers: "TLS 1.0 to TLS 1.2"
        default: Self.usualVersions
        }
    }

    static let usualVersions = "TLS 1.2 to TLS 1.3"
}
