// How the server behaves in TLS: as it should, or wrong in one way that has a name. The names are those of rules, and
// those that a client's server name may begin with.

/// How TLS goes on one connection.
package enum TLSManner: Sendable, Hashable {
    case orderly
    /// With an identity of the menu instead of the server's own.
    case flawed(TLSFlaw)
    /// Nothing is said after the ClientHello; what comes is read and thrown away. The handler's deadline ends it.
    case stall
    /// An alert with this number, and nothing else, answers the ClientHello.
    case alert(UInt8)
    /// Half of the server's first flight is sent, then FIN.
    case closeInHandshake
    /// close_notify and FIN right behind the handshake; nothing of what the handler says is sent.
    case closeAfterHandshake
    /// FIN comes at the end without close_notify (RFC 8446 §6.1).
    case noCloseNotify

    /// By its name in rules; nil: it has none of this room.
    package init?(named name: String) {
        if let flaw = TLSFlaw(rawValue: name) {
            self = .flawed(flaw)
            return
        }
        switch name {
        case "stall": self = .stall
        case "close-in-handshake": self = .closeInHandshake
        case "close-after-handshake": self = .closeAfterHandshake
        case "no-close-notify": self = .noCloseNotify
        default:
            guard name.hasPrefix(Self.alertPrefix),
                let alert = Self.alerts.first(where: { $0.name == name.dropFirst(Self.alertPrefix.count) })
            else { return nil }
            self = .alert(alert.number)
        }
    }

    /// By the first label of the name that a client asks for, as `expired.mx.example`. The dot of `only-tls1.2` divides
    /// labels, so that both `only-tls1-2.mx.example` and `only-tls1.2.mx.example` mean it.
    package init?(serverName: String) {
        let labels = serverName.lowercased().split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
        guard let first = labels.first else { return nil }
        var name = String(first)
        if name == "only-tls1", labels.count > 1 {
            name += ".\(labels[1])"
        } else if name.hasPrefix("only-tls1-") {
            name = "only-tls1.\(name.dropFirst("only-tls1-".count))"
        }
        self.init(named: name)
    }

    /// Its name in rules; nil for `orderly`.
    package var name: String? {
        switch self {
        case .orderly: nil
        case .flawed(let flaw): flaw.rawValue
        case .stall: "stall"
        case .alert(let number): Self.alertPrefix + Self.alertName(number)
        case .closeInHandshake: "close-in-handshake"
        case .closeAfterHandshake: "close-after-handshake"
        case .noCloseNotify: "no-close-notify"
        }
    }

    /// The versions that are served, for reasons in words.
    var versions: String {
        if case .flawed(let flaw) = self { return flaw.versions }
        return TLSFlaw.usualVersions
    }

    // MARK: alerts

    private static let alertPrefix = "alert-"

    static func alertName(_ number: UInt8) -> String {
        alerts.first { $0.number == number }?.name ?? "\(number)"
    }

    /// One record that holds an alert (RFC 8446 §5.1, §6). Those of RFC 5246 §7.2 that are warnings stay warnings.
    static func alertRecord(_ number: UInt8) -> [UInt8] {
        let isWarning = [0, 90, 100].contains(number)
        return [21, 3, 3, 0, 2, isWarning ? 1 : 2, number]
    }

    /// RFC 5246 §7.2, RFC 8446 §6, RFC 6066 §9, RFC 7301 §3.2, RFC 7507 §4.
    package static let alerts: [(number: UInt8, name: String)] = [
        (0, "close-notify"), (10, "unexpected-message"), (20, "bad-record-mac"), (21, "decryption-failed"),
        (22, "record-overflow"), (30, "decompression-failure"), (40, "handshake-failure"), (41, "no-certificate"),
        (42, "bad-certificate"), (43, "unsupported-certificate"), (44, "certificate-revoked"),
        (45, "certificate-expired"), (46, "certificate-unknown"), (47, "illegal-parameter"), (48, "unknown-ca"),
        (49, "access-denied"), (50, "decode-error"), (51, "decrypt-error"), (60, "export-restriction"),
        (70, "protocol-version"), (71, "insufficient-security"), (80, "internal-error"),
        (86, "inappropriate-fallback"), (90, "user-canceled"), (100, "no-renegotiation"), (109, "missing-extension"),
        (110, "unsupported-extension"), (111, "certificate-unobtainable"), (112, "unrecognized-name"),
        (113, "bad-certificate-status-response"), (114, "bad-certificate-hash-value"), (115, "unknown-psk-identity"),
        (116, "certificate-required"), (120, "no-application-protocol"),
    ]
}

/// How TLS is to go wrong on a connection, and where what that takes comes from.
package struct TLSMisconduct: Sendable {
    package var manner: TLSManner
    /// Makes the identities of flaws.
    package var menu: TLSMenu
    /// Identities of the menu are made out to the host that the client asks for, and to this one when it names none.
    package var hostname: String
    /// The first label of the name that the client asks for chooses the manner, when it is the name of one.
    package var obeysServerName: Bool

    package init(manner: TLSManner = .orderly, menu: TLSMenu, hostname: String, obeysServerName: Bool = false) {
        self.manner = manner
        self.menu = menu
        self.hostname = hostname
        self.obeysServerName = obeysServerName
    }

    /// The ClientHello must be seen before anything is decided.
    var needsHello: Bool { obeysServerName || manner != .orderly }

    func manner(for serverName: String?) -> TLSManner {
        guard obeysServerName, let serverName else { return manner }
        return TLSManner(serverName: serverName) ?? manner
    }
}
