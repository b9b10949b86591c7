// The identities of the menu against OpenSSL's client that trusts the menu's root: each has its one flaw and no other.

import COpenSSL
import Foundation
import Testing

@testable import EventLoop

/// A handler that begins TLS at once as `misconduct` says, and says a word when the handshake is done.
func misbehaving(_ identity: TLSIdentity, _ misconduct: TLSMisconduct?) -> @Sendable (Recorder) -> TestHandler {
    { recorder in
        let handler = TestHandler.echo(recorder)
        handler.onOpened = { $0.startTLS(identity, misconduct: misconduct) }
        handler.onHandshake = { connection, result in
            recorder.note("manner: \(connection.tlsManner.name ?? "orderly")")
            if case .success(let facts) = result {
                recorder.note("sni: \(facts.sni ?? "none")")
                connection.send(Array("220 inside\n".utf8))
            }
        }
        return handler
    }
}

extension EventLoopSuite {
    @Suite struct TLSMenuTests {
        static let host = "mx.example"
        let menu: TLSMenu
        let own: TLSIdentity

        init() throws {
            menu = try TLSMenu()
            own = try TLSIdentity.selfSigned(hostname: Self.host)
        }

        private func with(_ change: (inout TLSProbe.Options) -> Void) -> TLSProbe.Options {
            var options = TLSProbe.Options(rootPEM: menu.rootPEM, serverName: Self.host)
            change(&options)
            return options
        }

        /// Does one handshake with a server that has this flaw (or none), and gives the probe to `body`.
        private func probe<R: Sendable>(
            _ flaw: TLSFlaw?, _ chosen: TLSProbe.Options? = nil,
            _ body: @escaping @Sendable (TLSProbe) throws -> R
        ) async throws -> (R, [String]) {
            let identity = try menu.sound(Self.host)
            let misconduct = flaw.map { TLSMisconduct(manner: .flawed($0), menu: menu, hostname: Self.host) }
            let options = chosen ?? with { _ in }
            let results = Results<R>()
            try await served(handler: misbehaving(identity, misconduct)) { served in
                let result = try await blocking {
                    let probe = try TLSProbe(served.address, options)
                    defer { probe.close() }
                    try probe.shakeHands()
                    return try body(probe)
                }
                #expect(try await served.recorder.wait(for: "closed"))
                await results.put(result, served.recorder.all)
            }
            return try #require(await results.value)
        }

        private actor Results<R: Sendable> {
            private(set) var value: (R, [String])?
            func put(_ result: R, _ entries: [String]) { value = (result, entries) }
        }

        @Test(
            arguments: [
                (nil, []),
                (.expired, [X509_V_ERR_CERT_HAS_EXPIRED]),
                (.notYetValid, [X509_V_ERR_CERT_NOT_YET_VALID]),
                (.wrongHost, [X509_V_ERR_HOSTNAME_MISMATCH]),
                (.selfSigned, [X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT]),
                (.untrustedRoot, [X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN]),
                // The second is what the first leads to, for a client that goes on.
                (
                    .incompleteChain,
                    [X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE]
                ),
                // OpenSSL searches for issuers and looks into the common name; others do neither.
                (.reversedChain, []), (.noCommonName, []), (.noSAN, []), (.hugeChain, []),
                (.sha1, [X509_V_ERR_CA_MD_TOO_WEAK]),
                (.rsa1024, [X509_V_ERR_EE_KEY_TOO_SMALL]),
                (.onlyTLS1_2, []), (.onlyTLS1_3, []), (.weakCiphers, []),
            ] as [(TLSFlaw?, [Int32])])
        func `a client that trusts the root sees the one flaw`(flaw: TLSFlaw?, errors: [Int32]) async throws {
            let (found, entries) = try await probe(flaw) { probe in
                let text = try probe.receive(until: "220 inside")
                return (text, probe.verifyErrors)
            }
            #expect(found.0 == "220 inside\n")
            #expect(found.1 == errors)
            #expect(entries.contains("manner: \(flaw?.rawValue ?? "orderly")"))
        }

        @Test func `a client that looks for alternative names alone does not find one`() async throws {
            let (found, _) = try await probe(.noSAN, with { $0.ignoresCommonName = true }) { $0.verifyErrors }
            #expect(found == [X509_V_ERR_HOSTNAME_MISMATCH])
            let (none, _) = try await probe(.noCommonName, with { $0.ignoresCommonName = true }) { $0.verifyErrors }
            #expect(none == [])
        }

        @Test func `the certificate is made out to whom the client asks for, and to local names`() async throws {
            for name in ["other.example", "localhost"] {
                let (found, _) = try await probe(.expired, with { $0.serverName = name }) { $0.verifyErrors }
                #expect(found == [X509_V_ERR_CERT_HAS_EXPIRED])
            }
            let (found, _) = try await probe(.expired, with { ($0.serverName, $0.host) = (nil, Self.host) }) {
                $0.verifyErrors
            }
            #expect(found == [X509_V_ERR_CERT_HAS_EXPIRED])
        }

        @Test func `the chain is sent as its name says`() async throws {
            let leaf = "/O=fakemx/CN=mx.example"
            let (root, intermediate) = ("/O=fakemx/CN=fakemx test root", "/O=fakemx/CN=fakemx test intermediate")
            let expected: [(TLSFlaw?, [String])] = [
                (nil, [leaf, intermediate]), (.incompleteChain, [leaf]), (.reversedChain, [leaf, root, intermediate]),
                (
                    .untrustedRoot,
                    [leaf, "/O=fakemx/CN=fakemx unknown intermediate", "/O=fakemx/CN=fakemx unknown root"]
                ),
                (.noCommonName, ["/O=fakemx", intermediate]), (.selfSigned, [leaf]),
                (.wrongHost, ["/O=fakemx/CN=wrong-host.invalid", intermediate]),
            ]
            for (flaw, subjects) in expected {
                let (found, _) = try await probe(flaw) { $0.subjects }
                #expect(found == subjects)
            }
        }

        @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
        func `a huge chain has more than 16 kB and arrives`(version: Int32) async throws {
            let (size, _) = try await probe(.hugeChain, with { ($0.lowest, $0.highest) = (version, version) }) {
                probe in
                _ = try probe.receive(until: "220 inside")
                return probe.chain.reduce(0) { $0 + $1.count }
            }
            #expect(size > 16_384)
        }

        @Test(
            arguments: [
                (.onlyTLS1_0, TLS1_VERSION, "TLSv1"), (.onlyTLS1_1, TLS1_1_VERSION, "TLSv1.1"),
                (.onlyTLS1_2, TLS1_2_VERSION, "TLSv1.2"), (.onlyTLS1_3, TLS1_3_VERSION, "TLSv1.3"),
            ] as [(TLSFlaw, Int32, String)])
        func `one version of TLS is spoken and no other`(flaw: TLSFlaw, version: Int32, name: String) async throws {
            for offered in [TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION] {
                let (found, entries) = try await probe(
                    flaw, with { ($0.lowest, $0.highest, $0.level) = (offered, offered, 0) }
                ) { probe in
                    _ = try probe.receive(until: "220 inside")
                    return (probe.failure, probe.version, probe.verifyErrors)
                }
                if offered == version {
                    #expect(found.1 == name)
                    #expect(found.0 == "")
                    #expect(found.2 == [])
                } else {
                    #expect(found.0 != "")
                    let reason = entries.first { $0.hasPrefix("handshake failed: ") } ?? ""
                    #expect(reason.contains("\(flaw.versions)"), "\(reason)")
                }
            }
            // A client that has them all takes this one.
            let (version, _) = try await probe(flaw, with { ($0.lowest, $0.level) = (TLS1_VERSION, 0) }) { $0.version }
            #expect(version == name)
        }

        @Test func `weak cipher suites are the only ones`() async throws {
            let (all, _) = try await probe(.weakCiphers, with { ($0.level, $0.ciphers) = (0, "ALL:COMPLEMENTOFALL") }) {
                $0.cipher
            }
            #expect(all.contains("NULL"))
            let (usual, _) = try await probe(.weakCiphers) { ($0.cipher, $0.version) }
            #expect(usual.0 == "AES256-SHA" && usual.1 == "TLSv1.2")
            let (anonymous, _) = try await probe(
                .weakCiphers, with { ($0.level, $0.ciphers, $0.highest) = (0, "ADH-AES128-SHA", TLS1_2_VERSION) }
            ) { $0.cipher }
            #expect(anonymous == "ADH-AES128-SHA")
            let (strong, entries) = try await probe(.weakCiphers, with { $0.ciphers = "ECDHE+AESGCM" }) { $0.failure }
            #expect(strong != "")
            #expect(entries.contains { $0.contains("no cipher suite") || $0.contains("cipher suite in common") })
        }

        @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
        func `a client without a certificate fails, one with any goes on`(version: Int32) async throws {
            let (failure, entries) = try await probe(
                .clientCertificateRequired, with { ($0.lowest, $0.highest) = (version, version) }
            ) { probe in
                if probe.failure.isEmpty { _ = try probe.receive() }
                return probe.failure
            }
            #expect(failure.contains("alert"), "\(failure)")
            #expect(entries.contains { $0.hasPrefix("handshake failed: ") && $0.contains("certificate") }, "\(entries)")
            let identity = try menu.sound("client.example")
            let (text, _) = try await probe(
                .clientCertificateRequired, with { ($0.lowest, $0.highest, $0.identity) = (version, version, identity) }
            ) { try $0.receive(until: "220 inside") }
            #expect(text.contains("220 inside"))
        }

        // MARK: the menu itself

        @Test(arguments: TLSFlaw.allCases)
        func `this OpenSSL can serve every flaw`(flaw: TLSFlaw) {
            #expect(menu.trouble(of: flaw, hostname: Self.host) == nil)
            #expect(menu.trouble(of: flaw, hostname: "192.0.2.1") == nil)
        }

        @Test func `what cannot be made is said beforehand, in words`() {
            let long = Array(repeating: "a", count: 40).joined(separator: ".")
            #expect(menu.trouble(of: .noSAN, hostname: long)?.contains("64 letters at most") == true)
            #expect(menu.trouble(of: .expired, hostname: long) == nil)
            #expect(menu.trouble(of: .expired, hostname: "a,DNS:b")?.contains("not a host name") == true)
        }

        @Test func `a rehearsal finds what the security level forbids`() throws {
            let small = try TLSFlaw.KeyKind.rsa(bits: 1024).makeKey()
            let draft = CertificateDraft(commonName: "x", validity: TLSIdentity.usualValidity, extensions: [])
            let chain = [try draft.signed(by: nil, for: small)]
            let forbidden = TLSContext(try TLSIdentity(chain: chain, key: small, terms: TLSTerms(securityLevel: 2)))
            #expect(forbidden.pointer == nil)
            #expect(forbidden.trouble.contains("key too small"))
            let old = TLSContext(
                try TLSIdentity(
                    chain: own.chain, key: own.key,
                    terms: TLSTerms(lowest: TLS1_VERSION, highest: TLS1_VERSION, securityLevel: 2)))
            #expect(TLSRehearsal.trouble(old, client: own) != nil)
        }

        @Test func `identities are kept, and not without bound`() throws {
            func made(_ name: String?) throws -> TLSIdentity {
                try menu.identity(.expired, for: name, else: Self.host).get()
            }
            #expect(try made("a.example") === made("A.example"))
            #expect(try made(nil) === made("mx.example"))
            #expect(try made("no host name") === made(nil))
            let first = try made("a.example")
            for number in 0..<TLSMenu.identityRoom { _ = try made("h\(number).example") }
            #expect(try made("a.example") !== first)
        }
    }
}
