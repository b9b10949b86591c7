// OpenSSL's queue of errors, turned into words.

import COpenSSL

enum OpenSSLErrors {
    /// Alerts arrive as reasons above this number (SSL_AD_REASON_OFFSET).
    private static let alertOffset: Int32 = 1000

    /// Empties the queue of this thread; its first error in words, never empty.
    ///
    /// - Parameters:
    ///   - served: the versions of TLS that the server has, in words.
    ///   - isTLS: a ClientHello came before, so that the client speaks TLS.
    static func takeWords(served: String = TLSFlaw.usualVersions, isTLS: Bool = false) -> String {
        let code = ERR_get_error()
        defer { ERR_clear_error() }
        guard code != 0 else { return "OpenSSL gave no reason" }
        let reason = ossl_error_reason(code)
        if ossl_error_library(code) == ERR_LIB_SSL {
            if reason >= alertOffset, let alert = SSL_alert_desc_string_long(reason - alertOffset) {
                return "the client sent the alert \"\(String(cString: alert))\""
            }
            let words = ERR_reason_error_string(code).map { String(cString: $0) } ?? "error \(reason)"
            if let explanation = explanation(reason, served, isTLS) { return "\(words): \(explanation)" }
            return words
        }
        return ERR_reason_error_string(code).map { String(cString: $0) } ?? "OpenSSL error \(code)"
    }

    private static func explanation(_ reason: Int32, _ served: String, _ isTLS: Bool) -> String? {
        switch reason {
        case SSL_R_HTTP_REQUEST: "the client speaks HTTP in clear"
        // Until TLS 1.2 a client cannot say what its lowest version is; it breaks off when it hears the server's.
        case SSL_R_WRONG_VERSION_NUMBER where isTLS: "the client accepts none of the versions served here, \(served)"
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_BAD_RECORD_TYPE:
            "what the client sent is not TLS"
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_VERSION_TOO_LOW:
            "the client offers none of the versions served here, \(served)"
        case SSL_R_NO_SHARED_CIPHER: "client and server have no cipher suite in common"
        default: nil
        }
    }
}
