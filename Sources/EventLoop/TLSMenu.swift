// The identities behind the menu of bad TLS. A test authority (root and intermediate) signs them, so that a client that
// trusts its root sees exactly the one flaw. They are made at the first use and kept; all loops share one menu.

import COpenSSL
import Synchronization

/// Makes and keeps faulty identities. Made once for a configuration and passed in.
package final class TLSMenu: Sendable {
    /// Identities kept; a client that asks for ever new names makes the menu forget, not grow.
    static let identityRoom = 256

    private struct Dish: Hashable {
        var flaw: TLSFlaw?
        var hostname: String
    }

    private struct State {
        var identities: [Dish: Result<TLSIdentity, TLSIdentityError>] = [:]
        var keys: [TLSFlaw.KeyKind: [UInt8]] = [:]
        /// Root and intermediate that nobody has.
        var strangers: [CertificateDraft.Signer] = []
        /// Authorities that fill a chain, from the one below the root on.
        var crowd: [CertificateDraft.Signer] = []
    }

    private let root: CertificateDraft.Signer
    private let intermediate: CertificateDraft.Signer
    private let state = Mutex(State())

    /// Makes the authority.
    package init() throws(TLSIdentityError) {
        root = try Self.authority("fakemx test root", by: nil)
        intermediate = try Self.authority(
            "fakemx test intermediate", by: root, constraints: "critical,CA:TRUE,pathlen:0")
    }

    /// The certificate of the root as PEM. A client that trusts it finds nothing wrong with `sound`.
    package var rootPEM: String { TLSIdentity.pem(certificate: root.certificate) }

    /// An identity for `hostname` with nothing wrong: signed by the intermediate, which is sent along.
    package func sound(_ hostname: String) throws(TLSIdentityError) -> TLSIdentity {
        try identity(Dish(flaw: nil, hostname: hostname.lowercased())).get()
    }

    /// Why there is no such identity, or no handshake with it, on this machine; nil when there is one. Makes what it
    /// takes, so that the first client need not wait for it.
    package func trouble(of flaw: TLSFlaw, hostname: String) -> String? {
        let identity: TLSIdentity
        switch self.identity(Dish(flaw: flaw, hostname: hostname.lowercased())) {
        case .success(let made): identity = made
        case .failure(let error): return error.description
        }
        let context = TLSContext(identity)
        guard context.pointer != nil else { return "\(flaw.rawValue) cannot be served: \(context.trouble)" }
        return TLSRehearsal.trouble(context, client: identity).map { "\(flaw.rawValue) cannot be served: \($0)" }
    }

    /// The identity for the host that a client asks for, or for `hostname` when it asks for none, or for no host.
    func identity(
        _ flaw: TLSFlaw, for serverName: String?, else hostname: String
    ) -> Result<TLSIdentity, TLSIdentityError> {
        let asked = serverName.flatMap { TLSIdentity.isHostName($0) ? $0 : nil }
        return identity(Dish(flaw: flaw, hostname: (asked ?? hostname).lowercased()))
    }

    private func identity(_ dish: Dish) -> Result<TLSIdentity, TLSIdentityError> {
        state.withLock { state in
            if let known = state.identities[dish] { return known }
            if state.identities.count >= Self.identityRoom { state.identities.removeAll() }
            let made = Result { () throws(TLSIdentityError) in try make(dish, &state) }
            state.identities[dish] = made
            return made
        }
    }

    // MARK: making

    private func make(_ dish: Dish, _ state: inout State) throws(TLSIdentityError) -> TLSIdentity {
        let flaw = dish.flaw
        let kind = flaw?.keyKind ?? .p256
        let key: [UInt8]
        if let known = state.keys[kind] { key = known } else { key = try kind.makeKey() }
        state.keys[kind] = key
        let draft = try Self.leaf(dish.hostname, flaw, kind)
        let chain: [[UInt8]]
        switch flaw {
        case .selfSigned:
            chain = [try draft.signed(by: nil, for: key)]
        case .untrustedRoot:
            if state.strangers.isEmpty { state.strangers = try Self.makeStrangers() }
            chain = try Self.chain(draft, key, state.strangers.reversed())
        case .incompleteChain:
            chain = [try draft.signed(by: intermediate, for: key)]
        case .reversedChain:
            // The server's own must be the first, or no client gets further. Of the rest each is to certify the one
            // before it (RFC 5246 §7.4.2); here the root comes first. Clients that search for issuers, as OpenSSL does,
            // do not mind; those that walk the list in the order of that section fail. RFC 8446 §4.4.2 forgives it.
            chain = [try draft.signed(by: intermediate, for: key), root.certificate, intermediate.certificate]
        case .hugeChain:
            if state.crowd.isEmpty { state.crowd = try makeCrowd() }
            chain = try Self.chain(draft, key, state.crowd.reversed())
        default:
            chain = try Self.chain(draft, key, [intermediate])
        }
        return try TLSIdentity(chain: chain, key: key, terms: flaw?.terms ?? TLSTerms())
    }

    /// - Parameter issuers: the nearest first.
    private static func chain(
        _ draft: CertificateDraft, _ key: [UInt8], _ issuers: [CertificateDraft.Signer]
    ) throws(TLSIdentityError) -> [[UInt8]] {
        [try draft.signed(by: issuers.first, for: key)] + issuers.map(\.certificate)
    }

    private static let day_s = 86_400
    /// Longer than anything that the authorities sign.
    private static let authorityValidity = -3 * 365 * day_s..<10 * 365 * day_s
    /// Who has a certificate that names somebody else.
    static let otherHost = "wrong-host.invalid"

    private static func leaf(
        _ hostname: String, _ flaw: TLSFlaw?, _ kind: TLSFlaw.KeyKind
    ) throws(TLSIdentityError) -> CertificateDraft {
        let host = flaw == .wrongHost ? otherHost : hostname
        var names = [try TLSIdentity.alternativeName(of: host)]
        if flaw != .wrongHost {
            // Clients of tests reach their server by these, and shall see the one flaw alone.
            for name in ["DNS:localhost", "IP:127.0.0.1", "IP:::1"] where !names.contains(name) { names.append(name) }
        }
        // The issuer's key is named only where there is another issuer (RFC 5280 §4.2.1.1).
        var extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"),
            (NID_key_usage, kind == .p256 ? "critical,digitalSignature" : "critical,digitalSignature,keyEncipherment"),
            (NID_ext_key_usage, "serverAuth,clientAuth"),
            (NID_subject_key_identifier, "hash"),
        ]
        if flaw != .selfSigned { extensions.append((NID_authority_key_identifier, "keyid")) }
        if flaw != .noSAN { extensions.append((NID_subject_alt_name, names.joined(separator: ","))) }
        var draft = CertificateDraft(
            organization: "fakemx", commonName: TLSIdentity.commonName(for: host), validity: TLSIdentity.usualValidity,
            extensions: extensions)
        switch flaw {
        case .expired: draft.validity = -91 * day_s..<(-day_s)
        case .notYetValid: draft.validity = 30 * day_s..<120 * day_s
        case .noCommonName: draft.commonName = nil
        case .noSAN:
            guard host.utf8.count <= CertificateDraft.longestCommonName else {
                throw TLSIdentityError(
                    """
                    no-san needs a host name of \(CertificateDraft.longestCommonName) letters at most; \
                    \(host) has \(host.utf8.count)
                    """)
            }
        case .sha1: draft.digest = .sha1
        default: break
        }
        return draft
    }

    private static func authority(
        _ name: String, by signer: CertificateDraft.Signer?, constraints: String = "critical,CA:TRUE",
        comment: String? = nil
    ) throws(TLSIdentityError) -> CertificateDraft.Signer {
        let key = try TLSFlaw.KeyKind.p256.makeKey()
        var draft = CertificateDraft(
            organization: "fakemx", commonName: name, validity: authorityValidity,
            extensions: [
                (NID_basic_constraints, constraints),
                (NID_key_usage, "critical,keyCertSign,cRLSign"),
                (NID_subject_key_identifier, "hash"),
            ])
        if signer != nil { draft.extensions.append((NID_authority_key_identifier, "keyid")) }
        if let comment { draft.extensions.append((NID_netscape_comment, comment)) }
        return CertificateDraft.Signer(certificate: try draft.signed(by: signer, for: key), key: key)
    }

    private static func makeStrangers() throws(TLSIdentityError) -> [CertificateDraft.Signer] {
        let root = try authority("fakemx unknown root", by: nil)
        return [root, try authority("fakemx unknown intermediate", by: root)]
    }

    /// A chain that a client can verify, of authorities with much to say: about 20 kB in few certificates, because
    /// clients limit the length of a chain, too (GnuTLS to 16), and the size is to be the flaw. Behind 16 KiB a
    /// Certificate message needs more than one record (RFC 8446 §5.1).
    private func makeCrowd() throws(TLSIdentityError) -> [CertificateDraft.Signer] {
        var crowd: [CertificateDraft.Signer] = []
        for number in 1...6 {
            crowd.append(
                try Self.authority(
                    "fakemx test authority \(number)", by: crowd.last ?? root,
                    comment: String(repeating: "a certificate may hold much. ", count: 100)))
        }
        return crowd
    }
}
