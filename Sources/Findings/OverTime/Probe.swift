// What the scenario `probe` makes visible: rules that an ordinary session cannot show, and the fault that asks for
// each. Data for the report, which says beside a rule that was not observed how it would be.

/// One question of the scenario `probe`.
package struct Probe: Sendable, Hashable, Codable {
    /// The rule of the scenario.
    package var name: String
    /// What is done to the sender.
    package var does: String
    /// Rules that can be seen to be broken or kept by it.
    package var shows: [RuleID]

    package static let scenario = "probe"

    /// In the order of a session.
    package static let all: [Probe] = [
        Probe(
            name: "probe-greeting", does: "the greeting comes late, then in three lines, drop by drop",
            shows: [.greetEarlyTalker, .greetMultilineIgnored, .greetTimeoutShort]),
        Probe(
            name: "probe-ehlo", does: "the reply to EHLO comes late",
            shows: [.pipeAcrossSyncPoint, .pipeNotOffered, .commandTimeoutShort]),
        Probe(
            name: "probe-starttls", does: "the reply to STARTTLS comes late",
            shows: [.tlsDataAfterStarttls, .pipeAcrossSyncPoint]),
        Probe(
            name: "probe-list", does: "the list behind EHLO is shorter under TLS than before",
            shows: [.tlsNoEhloAfter, .tlsStaleCapability, .paramNotOffered]),
        Probe(
            name: "probe-mixed", does: "of two recipients the second is deferred",
            shows: [.partialAcceptAbandoned, .partialAcceptResendAll, .replyIgnored, .retryMissing]),
        Probe(
            name: "probe-data", does: "the 354 comes late",
            shows: [.pipeContentBefore354, .pipeAcrossSyncPoint, .commandTimeoutShort]),
        Probe(
            name: "probe-end",
            does: "the 250 to the message comes late, then never; then the message is deferred, and another is refused",
            shows: [
                .dataFinalTimeoutShort, .dataHangupBeforeReply, .duplicateAfterLostReply, .retryMissing,
                .retryImmediate,
                .retryTooSoon, .greylistChangedTuple, .retryAfterPermanent, .duplicateAfterAccept,
            ]),
    ]

    /// The questions that could show this rule.
    package static func showing(_ rule: RuleID) -> [Probe] { all.filter { $0.shows.contains(rule) } }
}
