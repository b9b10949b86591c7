// What a ClientHello offers: versions, cipher suites, the name of the server. Where none was recorded, what the
// handshake came to shows some of it.

import Journal

enum TLSOfferChecks {
    private static let (ssl3, tls12, tls13): (UInt16, UInt16, UInt16) = (0x0300, 0x0303, 0x0304)

    static func check(_ trace: SessionTrace, _ ledger: inout Ledger) {
        if let offer = trace.tlsOffer {
            let place = Evidence(at_us: trace.tlsOfferAt_us)
            checkVersions(offer, place, &ledger)
            checkSuites(offer, place, &ledger)
            checkServerName(offer.serverName, place, &ledger)
        } else if let summary = trace.tls {
            checkOutcome(summary, trace, &ledger)
        }
    }

    // MARK: The offer

    private static func checkVersions(_ offer: TLSOffer, _ place: Evidence, _ ledger: inout Ledger) {
        let versions = offer.versions.filter { !CipherSuites.isNone($0) }
        guard let highest = versions.max() else { return }
        if highest < tls12 || versions.contains(ssl3) {
            ledger.broken(.tlsVersionTooOld, place, saw: "versions \(words(versions))")
        } else {
            ledger.kept(.tlsVersionTooOld)
        }
        if offersTLS13(offer) {
            ledger.kept(.tlsNoTls13)
        } else {
            ledger.broken(.tlsNoTls13, place, saw: "versions \(words(versions))")
        }
    }

    /// RFC 8446 §4.2.1: by the extension alone. Drafts had other numbers.
    private static func offersTLS13(_ offer: TLSOffer) -> Bool {
        offer.hasSupportedVersions && offer.versions.contains(tls13)
    }

    private static func checkSuites(_ offer: TLSOffer, _ place: Evidence, _ ledger: inout Ledger) {
        let suites = offer.cipherSuites.filter { !CipherSuites.isNone($0) }
        guard !suites.isEmpty else { return }
        if suites.contains(where: { CipherSuites.weakness($0) != nil }) {
            ledger.broken(.tlsWeakCiphers, place, saw: weak(suites))
        } else if suites.contains(where: CipherSuites.isAnonymous) {
            ledger.broken(
                .tlsWeakCiphers, place,
                as: (.info, reason: "suites without a certificate are in order where TLS is opportunistic (RFC 7435)"),
                saw: "anonymous suites \(words(suites.filter(CipherSuites.isAnonymous)))")
        } else if suites.count < TLSOffer.suiteLimit {
            ledger.kept(.tlsWeakCiphers)
        }
        if offersTLS13(offer) || suites.contains(where: CipherSuites.isEphemeral) {
            ledger.kept(.tlsNoForwardSecrecy)
        } else if suites.count < TLSOffer.suiteLimit, suites.allSatisfy(CipherSuites.isStatic) {
            ledger.broken(.tlsNoForwardSecrecy, place, saw: "suites \(words(suites))")
        }
    }

    private static func weak(_ suites: [UInt16]) -> String {
        suites.compactMap { suite in CipherSuites.weakness(suite).map { "\(word(suite)) (\($0))" } }
            .joined(separator: ", ")
    }

    private static func checkServerName(_ name: String?, _ place: Evidence, _ ledger: inout Ledger) {
        // RFC 6066 §3: a literal address is no name.
        if let name, NetworkAddress(name) == nil { return ledger.kept(.tlsNoSni) }
        let isSoftened = ledger.isLocalPeer && ledger.settings.profile != .strict
        ledger.broken(
            .tlsNoSni, place,
            as: isSoftened
                ? (.info, reason: "a sink nearby is often reached by its address, which is no server name") : nil,
            saw: name.map { "the address \($0) in place of a name" } ?? "no server name")
    }

    // MARK: The outcome

    /// Of versions and suites the outcome shows only that something good was offered.
    private static func checkOutcome(_ summary: TLSSummary, _ trace: SessionTrace, _ ledger: inout Ledger) {
        let isTLS13 = summary.version == "TLSv1.3"
        if isTLS13 { ledger.kept(.tlsNoTls13) }
        if isTLS13 || summary.cipher.hasPrefix("ECDHE-") || summary.cipher.hasPrefix("DHE-") {
            ledger.kept(.tlsNoForwardSecrecy)
        }
        let at_us = trace.steps.first { if case .tlsStarted = $0.kind { true } else { false } }?.at_us
        checkServerName(summary.sni, Evidence(at_us: at_us), &ledger)
    }

    private static func words(_ numbers: [UInt16]) -> String { numbers.prefix(24).map(word).joined(separator: " ") }

    private static func word(_ number: UInt16) -> String {
        let digits = String(number, radix: 16)
        return "0x" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
    }
}
