// Asks rspamd, over HTTP, whether a message passes SPF, DKIM, DMARC and ARC. Of its answer nothing else is used: what
// it thinks of the content is not asked.

import Findings
import FoundationEssentials
import NIOCore

package struct Rspamd: MailChecker {
    /// Recipients that it is told of.
    private static let recipientLimit = 20
    private static let patience = Duration.seconds(8)

    private let caller: HTTPCaller

    /// - Parameter url: `http://HOST:PORT` of its normal worker.
    package init(url: String) throws(HTTPTrouble) { caller = try HTTPCaller(url: url) }

    /// Whether it is there.
    ///
    /// - Throws: what is wrong, in words.
    package func ping() async throws(HTTPTrouble) {
        let answer = try await caller.call("GET", "/ping", patience: .seconds(2))
        guard answer.status == 200, answer.text.hasPrefix("pong") else {
            throw HTTPTrouble("\(caller.url) is no rspamd: GET /ping is answered \(answer.status)")
        }
    }

    package func verdict(on question: MailQuestion) async -> MailVerdict? {
        let answer = try? await caller.call(
            "POST", "/checkv2", body: question.message.content, headers: Self.headers(question),
            patience: Self.patience)
        guard let answer, answer.status == 200,
            let reply = try? JSONDecoder().decode(Reply.self, from: Data(answer.body))
        else { return nil }
        return MailVerdict(reply.symbols.mapValues { $0.options ?? [] })
    }

    private static func headers(_ question: MailQuestion) -> [(String, String)] {
        let message = question.message
        return [
            ("ip", question.client), ("helo", value(question.helo)), ("from", value(message.reversePath.address)),
            ("queue-id", message.session),
            // All checks, whatever the first ones come to.
            ("pass", "all"),
        ] + message.recipients.prefix(recipientLimit).map { ("rcpt", value($0)) }
    }

    /// What may stand in a field of HTTP (RFC 9110 §5.5).
    private static func value(_ octets: [UInt8]) -> String {
        String(decoding: octets.filter { (0x20..<0x7f).contains($0) }, as: UTF8.self)
    }

    private struct Reply: Decodable {
        struct Symbol: Decodable { let options: [String]? }
        let symbols: [String: Symbol]
    }
}

extension MailVerdict {
    /// - Parameter symbols: what rspamd calls its results, with what it says beside them.
    package init(_ symbols: [String: [String]]) {
        self.init()
        let policies = [
            "R_SPF_ALLOW": "pass", "R_SPF_FAIL": "fail", "R_SPF_SOFTFAIL": "softfail", "R_SPF_NEUTRAL": "neutral",
            "R_SPF_NA": "none", "R_SPF_PERMFAIL": "permerror", "R_SPF_DNSFAIL": "temperror",
        ]
        spf = policies.first { symbols[$0.key] != nil }?.value
        for name in ["R_DKIM_REJECT", "R_DKIM_PERMFAIL"] {
            guard let options = symbols[name] else { continue }
            failedSignatures += options.isEmpty ? [""] : options.map(Self.signer)
        }
        goodSignatures = (symbols["R_DKIM_ALLOW"] ?? []).map(Self.signer)
        if symbols["DMARC_POLICY_ALLOW"] != nil || symbols["DMARC_POLICY_ALLOW_WITH_FAILURES"] != nil {
            isAligned = true
        } else if !Self.failures.isDisjoint(with: symbols.keys) {
            isAligned = false
        }
        if symbols["ARC_ALLOW"] != nil { isChainGood = true }
        if symbols["ARC_REJECT"] != nil || symbols["ARC_INVALID"] != nil { isChainGood = false }
    }

    private static let failures: Set<String> = [
        "DMARC_POLICY_REJECT", "DMARC_POLICY_QUARANTINE", "DMARC_POLICY_SOFTFAIL",
    ]

    /// `sender.example:s=selector` is said of a signature.
    private static func signer(_ option: String) -> String { String(option.prefix { $0 != ":" }) }
}
