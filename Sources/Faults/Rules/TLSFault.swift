// The menu of bad TLS: what can be wrong with a certificate, a protocol, a handshake and with STARTTLS itself, by name.
// Names are those of badssl.com where it has them. What each does to octets is the business of others.

/// One entry of the menu, as `tls NAME` in a rule, as a setting of a listener, as the first label of a server name.
package enum TLSFault: Sendable, Hashable {
    // Certificates.
    case expired, notYetValid, wrongHost, selfSigned, untrustedRoot, incompleteChain, reversedChain, noCommonName, noSAN
    case sha1, rsa1024, hugeChain, clientCertificateRequired
    // Protocols.
    case onlyTLS1_0, onlyTLS1_1, onlyTLS1_2, onlyTLS1_3, weakCiphers
    // The handshake, from the ClientHello to the end of the connection.
    case stall, closeInHandshake, closeAfterHandshake, noCloseNotify
    case alert(TLSAlert)
    // What only SMTP has.
    case hidden, refused, silent, garbage, close, ehloChanged, offeredAgain, injectedReply

    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case certificate, protocols, handshake, smtp
    }

    private static let alertPrefix = "alert-"

    /// All of the menu.
    package static let all: [TLSFault] =
        [
            .expired, .notYetValid, .wrongHost, .selfSigned, .untrustedRoot, .incompleteChain, .reversedChain,
            .noCommonName, .noSAN, .sha1, .rsa1024, .hugeChain, .clientCertificateRequired,
            .onlyTLS1_0, .onlyTLS1_1, .onlyTLS1_2, .onlyTLS1_3, .weakCiphers,
            .hidden, .refused, .silent, .garbage, .close, .stall, .closeInHandshake, .closeAfterHandshake,
            .noCloseNotify, .ehloChanged, .offeredAgain, .injectedReply,
        ] + TLSAlert.allCases.map(TLSFault.alert)

    /// Their names, in the same order.
    package static let names = all.map(\.name)

    private static let byName = Dictionary(uniqueKeysWithValues: zip(names, all))

    /// Parses a name of the menu, in any case.
    package static func parse(_ text: String) -> Result<TLSFault, RuleText> {
        let word = text.trimmed.asciiLowercased
        if let known = byName[word] { return .success(known) }
        guard !word.isEmpty else { return .failure("name the bad TLS, as expired, stall or alert-handshake-failure") }
        if word.hasPrefix(alertPrefix) {
            let alerts = TLSAlert.allCases.map { alertPrefix + $0.rawValue }
            return .failure(
                """
                unknown alert "\(text.trimmed.shown)"\(Suggestion.didYouMean(word, among: alerts)); known are \
                \(alerts.joined(separator: ", "))
                """)
        }
        let plain = names.filter { !$0.hasPrefix(alertPrefix) }
        return .failure(
            """
            unknown bad TLS "\(text.trimmed.shown)"\(Suggestion.didYouMean(word, among: names)); known are \
            \(plain.joined(separator: ", ")), alert-NAME
            """)
    }

    /// Parses back to the same fault.
    package var name: String {
        switch self {
        case .expired: "expired"
        case .notYetValid: "not-yet-valid"
        case .wrongHost: "wrong-host"
        case .selfSigned: "self-signed"
        case .untrustedRoot: "untrusted-root"
        case .incompleteChain: "incomplete-chain"
        case .reversedChain: "reversed-chain"
        case .noCommonName: "no-common-name"
        case .noSAN: "no-san"
        case .sha1: "sha1"
        case .rsa1024: "rsa-1024"
        case .hugeChain: "huge-chain"
        case .clientCertificateRequired: "client-certificate-required"
        case .onlyTLS1_0: "only-tls1.0"
        case .onlyTLS1_1: "only-tls1.1"
        case .onlyTLS1_2: "only-tls1.2"
        case .onlyTLS1_3: "only-tls1.3"
        case .weakCiphers: "weak-ciphers"
        case .stall: "stall"
        case .closeInHandshake: "close-in-handshake"
        case .closeAfterHandshake: "close-after-handshake"
        case .noCloseNotify: "no-close-notify"
        case .alert(let alert): Self.alertPrefix + alert.rawValue
        case .hidden: "hidden"
        case .refused: "refused"
        case .silent: "silent"
        case .garbage: "garbage"
        case .close: "close"
        case .ehloChanged: "ehlo-changed"
        case .offeredAgain: "offered-again"
        case .injectedReply: "injected-reply"
        }
    }

    package var kind: Kind {
        switch self {
        case .expired, .notYetValid, .wrongHost, .selfSigned, .untrustedRoot, .incompleteChain, .reversedChain,
            .noCommonName, .noSAN, .sha1, .rsa1024, .hugeChain, .clientCertificateRequired:
            .certificate
        case .onlyTLS1_0, .onlyTLS1_1, .onlyTLS1_2, .onlyTLS1_3, .weakCiphers: .protocols
        case .stall, .closeInHandshake, .closeAfterHandshake, .noCloseNotify, .alert: .handshake
        case .hidden, .refused, .silent, .garbage, .close, .ehloChanged, .offeredAgain, .injectedReply: .smtp
        }
    }

    /// What it does, in one line.
    package var summary: String {
        switch self {
        case .expired: "the certificate expired yesterday"
        case .notYetValid: "the certificate becomes valid in a month"
        case .wrongHost: "the certificate names another host"
        case .selfSigned: "the certificate signs itself"
        case .untrustedRoot: "the chain is complete, and ends at a root that nobody trusts"
        case .incompleteChain: "the intermediate certificate is missing"
        case .reversedChain: "the issuers are sent root first"
        case .noCommonName: "the certificate has its names as alternative names alone"
        case .noSAN: "the certificate has its name as common name alone"
        case .sha1: "the certificate is signed with SHA-1"
        case .rsa1024: "the certificate has an RSA key of 1024 bits"
        case .hugeChain: "more than 16 kB of certificates are sent"
        case .clientCertificateRequired: "a client without a certificate fails"
        case .onlyTLS1_0: "TLS 1.0 and nothing else"
        case .onlyTLS1_1: "TLS 1.1 and nothing else"
        case .onlyTLS1_2: "TLS 1.2 and nothing else"
        case .onlyTLS1_3: "TLS 1.3 and nothing else"
        case .weakCiphers: "the weakest cipher suites alone: no encryption, no certificate or no forward secrecy"
        case .stall: "silence after the ClientHello"
        case .closeInHandshake: "part of the server's flight, then FIN"
        case .closeAfterHandshake: "close_notify and FIN right behind the handshake"
        case .noCloseNotify: "the connection ends without close_notify"
        case .alert(let alert): "the alert \(alert.rawValue) (\(alert.number)) instead of a ServerHello"
        case .hidden: "STARTTLS is not offered"
        case .refused: "STARTTLS is offered, then answered with 454"
        case .silent: "220, then nothing"
        case .garbage: "220, then noise instead of TLS"
        case .close: "220, then FIN"
        case .ehloChanged: "another EHLO list inside TLS"
        case .offeredAgain: "STARTTLS is offered again inside TLS"
        case .injectedReply: "a reply in clear behind the 220"
        }
    }
}

extension TLSFault: CustomStringConvertible {
    package var description: String { name }
}
