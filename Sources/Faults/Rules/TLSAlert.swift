// The alerts of TLS 1.0 to 1.3 with their numbers and names; a fault may send any of them.

/// An alert description (RFC 5246 §7.2, RFC 8446 §6, RFC 6066 §9, RFC 7301 §3.2, RFC 7507 §4). The raw value is its
/// name in rules, with dashes where the RFCs have underscores.
package enum TLSAlert: String, Sendable, Hashable, CaseIterable {
    case closeNotify = "close-notify"
    case unexpectedMessage = "unexpected-message"
    case badRecordMAC = "bad-record-mac"
    case decryptionFailed = "decryption-failed"
    case recordOverflow = "record-overflow"
    case decompressionFailure = "decompression-failure"
    case handshakeFailure = "handshake-failure"
    case noCertificate = "no-certificate"
    case badCertificate = "bad-certificate"
    case unsupportedCertificate = "unsupported-certificate"
    case certificateRevoked = "certificate-revoked"
    case certificateExpired = "certificate-expired"
    case certificateUnknown = "certificate-unknown"
    case illegalParameter = "illegal-parameter"
    case unknownCA = "unknown-ca"
    case accessDenied = "access-denied"
    case decodeError = "decode-error"
    case decryptError = "decrypt-error"
    case exportRestriction = "export-restriction"
    case protocolVersion = "protocol-version"
    case insufficientSecurity = "insufficient-security"
    case internalError = "internal-error"
    case inappropriateFallback = "inappropriate-fallback"
    case userCanceled = "user-canceled"
    case noRenegotiation = "no-renegotiation"
    case missingExtension = "missing-extension"
    case unsupportedExtension = "unsupported-extension"
    case certificateUnobtainable = "certificate-unobtainable"
    case unrecognizedName = "unrecognized-name"
    case badCertificateStatusResponse = "bad-certificate-status-response"
    case badCertificateHashValue = "bad-certificate-hash-value"
    case unknownPSKIdentity = "unknown-psk-identity"
    case certificateRequired = "certificate-required"
    case noApplicationProtocol = "no-application-protocol"

    /// As it goes over the wire.
    package var number: UInt8 {
        switch self {
        case .closeNotify: 0
        case .unexpectedMessage: 10
        case .badRecordMAC: 20
        case .decryptionFailed: 21
        case .recordOverflow: 22
        case .decompressionFailure: 30
        case .handshakeFailure: 40
        case .noCertificate: 41
        case .badCertificate: 42
        case .unsupportedCertificate: 43
        case .certificateRevoked: 44
        case .certificateExpired: 45
        case .certificateUnknown: 46
        case .illegalParameter: 47
        case .unknownCA: 48
        case .accessDenied: 49
        case .decodeError: 50
        case .decryptError: 51
        case .exportRestriction: 60
        case .protocolVersion: 70
        case .insufficientSecurity: 71
        case .internalError: 80
        case .inappropriateFallback: 86
        case .userCanceled: 90
        case .noRenegotiation: 100
        case .missingExtension: 109
        case .unsupportedExtension: 110
        case .certificateUnobtainable: 111
        case .unrecognizedName: 112
        case .badCertificateStatusResponse: 113
        case .badCertificateHashValue: 114
        case .unknownPSKIdentity: 115
        case .certificateRequired: 116
        case .noApplicationProtocol: 120
        }
    }
}
