// AUTH (RFC 4954). What the client said behind the mechanism was masked before it was recorded, so whether it was
// base64 is told by the reply.

enum AuthChecks {
    /// What is sent is the secret, or as good as it.
    private static let plaintext: Set<String> = ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"]
    /// One answer of the client is all there is (RFC 4616, RFC 4422 appendix A, RFC 7628).
    private static let oneRound: Set<String> = ["PLAIN", "EXTERNAL", "XOAUTH2", "OAUTHBEARER", "ANONYMOUS"]

    private struct Words {
        var mechanism = ""
        var hasInitial = false
        /// A space stands behind the mechanism, and nothing behind that.
        var isInitialEmpty = false

        init(_ command: TraceCommand) {
            let argument = command.argumentOctets.drop { $0 == 32 }
            let name = argument.prefix { $0 != 32 && $0 != 9 }
            mechanism = String(decoding: name, as: UTF8.self).uppercased()
            let rest = argument[name.endIndex...]
            hasInitial = rest.contains { $0 != 32 && $0 != 9 }
            isInitialEmpty = !name.isEmpty && !rest.isEmpty && !hasInitial
        }
    }

    /// With its initial response this AUTH needs no challenge.
    static func isOneRound(_ command: TraceCommand) -> Bool {
        let words = Words(command)
        return words.hasInitial && oneRound.contains(words.mechanism)
    }

    static func command(_ view: CommandView, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger) {
        let words = Words(view.command)
        if walk.judgesOrder {
            if walk.sent.isMailAccepted || walk.isAuthenticated {
                ledger.broken(
                    .authOutOfPlace, view.evidence(), under: view.under,
                    saw: walk.isAuthenticated
                        ? "AUTH \(words.mechanism) after a successful one"
                        : "AUTH \(words.mechanism) in a mail transaction")
            } else {
                ledger.kept(.authOutOfPlace)
            }
        }
        if view.offer.hasAuth, !words.mechanism.isEmpty {
            let offered = walk.trace.offer(at: view.step).keywords["AUTH"] ?? []
            if offered.contains(where: { $0.uppercased() == words.mechanism }) {
                ledger.kept(.authMechanismNotOffered)
            } else {
                ledger.broken(
                    .authMechanismNotOffered, view.evidence(view.command.argument), under: view.under,
                    saw: "AUTH \(words.mechanism) where \(offered.joined(separator: " ")) is offered")
            }
        }
        inClear(view, words, &walk, &ledger)
        if words.isInitialEmpty {
            ledger.broken(.authBadBase64, view.evidence(), under: view.under, saw: view.excerpt())
        } else if words.hasInitial {
            base64(view, walk, &ledger)
        }
    }

    private static func inClear(
        _ view: CommandView, _ words: Words, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger
    ) {
        walk.authMayShowSecret = false
        guard !view.step.isTLS, plaintext.contains(words.mechanism) else { return ledger.kept(.authInClear) }
        // Nobody listens between a machine and itself.
        guard !walk.trace.isLoopback else { return }
        if words.hasInitial {
            ledger.broken(
                .authInClear, view.evidence(), under: view.under, saw: "AUTH \(words.mechanism) without TLS")
        } else {
            walk.authMayShowSecret = true
        }
    }

    /// A line of an exchange.
    static func response(_ view: CommandView, _ walk: inout EnvelopeWalk, _ ledger: inout Ledger) {
        let isCancelled = view.octets.elementsEqual([UInt8(ascii: "*")])
        if walk.authMayShowSecret, !isCancelled {
            ledger.broken(
                .authInClear, view.evidence(), under: view.under,
                saw: "an answer to a challenge for a password without TLS")
            walk.authMayShowSecret = false
        }
        if !isCancelled { base64(view, walk, &ledger) }
        if walk.reply(to: view.command)?.code == 235 { walk.isAuthenticated = true }
    }

    private static func base64(_ view: CommandView, _ walk: EnvelopeWalk, _ ledger: inout Ledger) {
        guard let reply = walk.reply(to: view.command) else { return }
        if reply.code == 501, EnvelopeWalk.says(reply.wire, "base64") {
            ledger.broken(
                .authBadBase64, view.evidence(), under: view.under,
                saw: "a response that cannot be decoded; it was masked, and answered \(Excerpt.octets(reply.wire))")
        } else if [235, 334, 535].contains(reply.code) {
            ledger.kept(.authBadBase64)
        }
    }
}
