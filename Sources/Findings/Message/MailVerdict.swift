// What SPF, DKIM, DMARC and ARC come to for a message, brought by whoever asked the name system: this room checks no
// signature and asks nobody. Judged by the rules that rest on it.

import SMTP

package struct MailVerdict: Sendable, Hashable {
    /// RFC 7208 §2.6 in small letters; nil where nobody said.
    package var spf: String?
    /// The words for signatures that do not verify, empty where none is known; their domains where they were told.
    package var failedSignatures: [String] = []
    /// The domain of a signature that verifies, for each.
    package var goodSignatures: [String] = []
    /// Whether SPF or DKIM speak for the domain of From (RFC 7489 §3.1); nil where that domain has no record of DMARC,
    /// or it could not be had.
    package var isAligned: Bool?
    /// Whether the chain of ARC holds (RFC 8617 §5.2); nil where there is none.
    package var isChainGood: Bool?
    package init() {}
}

extension MailVerdict {
    /// - Parameter message: the one that it is about.
    package func judge(_ message: MessageInput, helo: [UInt8], _ ledger: inout Ledger) {
        let place = Evidence(message: message.message, transaction: message.transaction)
        let under = message.disturbances
        if let spf { judgeSPF(spf, Self.domain(of: message.reversePath, helo), place, under, &ledger) }
        for domain in failedSignatures {
            ledger.broken(
                .hdrDkimInvalid, place, under: under,
                saw: "the signature\(domain.isEmpty ? "" : " of \(domain)") does not verify")
        }
        if failedSignatures.isEmpty, !goodSignatures.isEmpty { ledger.kept(.hdrDkimInvalid) }
        switch isAligned {
        case true?: ledger.kept(.hdrFromNotAligned)
        case false?:
            ledger.broken(
                .hdrFromNotAligned, place, under: under,
                saw: "DMARC fails: \(spf.map { "SPF \($0)" } ?? "no SPF"), \(signatureWords)")
        case nil: break
        }
        if isChainGood == false {
            ledger.broken(.hdrArcBroken, place, under: under, saw: "the chain of ARC does not verify")
        }
    }

    private var signatureWords: String {
        goodSignatures.isEmpty ? "no good signature" : "signed by \(goodSignatures.joined(separator: ", "))"
    }

    private func judgeSPF(
        _ result: String, _ domain: String, _ place: Evidence, _ under: Disturbances, _ ledger: inout Ledger
    ) {
        switch result {
        case "pass": ledger.kept(.spfFail)
        // Neutral is to be treated as none is (RFC 7208 §8.2).
        case "fail", "softfail", "neutral", "none", "permerror":
            ledger.broken(.spfFail, place, under: under, saw: "SPF of \(domain): \(result)")
        default: break  // temperror says nothing
        }
    }

    /// That of MAIL FROM, or the EHLO name where the reverse-path is null (RFC 7208 §2.4).
    private static func domain(of path: ReversePath, _ helo: [UInt8]) -> String {
        guard let at = path.address.lastIndex(of: UInt8(ascii: "@")) else { return Excerpt.octets(helo) }
        return Excerpt.octets(path.address[(at + 1)...])
    }
}

/// A message of which somebody is asked whether it may come from where it comes.
package struct MailQuestion: Sendable {
    package let message: MessageInput
    /// The address of the client, without a port.
    package let client: String
    package let helo: [UInt8]

    /// Octets of a message beyond which nobody is asked.
    package static let largestMessage = 32 << 20

    /// - Returns: nil for a client on this machine or in a private network: SPF says nothing of these; and for a
    ///   message that is too large.
    package init?(_ message: MessageInput, client: String, helo: [UInt8]) {
        guard !SessionTrace.isLocal(client), message.content.count <= Self.largestMessage else { return nil }
        self.message = message
        self.client = client
        self.helo = helo
    }
}

/// Somebody who checks SPF, DKIM, DMARC and ARC.
package protocol MailChecker: Sendable {
    /// nil where no answer came.
    func verdict(on question: MailQuestion) async -> MailVerdict?
}
