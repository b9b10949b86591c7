// What the tests of the layers connection, greeting, helo and tls share.

import Findings
import Journal
import Testing

extension SessionJudgement {
    private static let wire: Set<Layer> = [.connection, .greeting, .helo, .tls]

    /// Broken rules of these four layers.
    var brokenOnTheWire: Set<RuleID> { Set(broken.filter { Self.wire.contains(SenderRules.layer(of: $0)) }) }

    func finding(_ rule: RuleID) -> Finding? { findings.first { $0.rule == rule } }
}

/// One change to a session, and what is found then.
struct WireCase: CustomTestStringConvertible {
    let testDescription: String
    let broken: Set<RuleID>
    let kept: Set<RuleID>
    let notObserved: Set<RuleID>
    let talk: Talk

    init(
        _ description: String, _ broken: Set<RuleID> = [], kept: Set<RuleID> = [], notObserved: Set<RuleID> = [],
        client: String = "192.0.2.9:40025", _ make: (inout Talk) -> Void
    ) {
        testDescription = description
        self.broken = broken
        self.kept = kept
        self.notObserved = notObserved
        var talk = Talk(client: client)
        make(&talk)
        self.talk = talk
    }

    func verify(
        _ circumstances: Circumstances = Circumstances(),
        _ settings: JudgingSettings = JudgingSettings(profile: .strict)
    ) {
        let judgement = talk.judged(circumstances, settings)
        #expect(judgement.brokenOnTheWire == broken)
        for rule in kept { #expect(judgement.states[rule] == .kept, "\(rule.rawValue)") }
        for rule in notObserved { #expect(judgement.states[rule] == .notObserved, "\(rule.rawValue)") }
    }
}

extension Talk {
    /// From the greeting to the EHLO inside TLS.
    mutating func beginInTLS() {
        greeting()
        ehlo()
        startTLS()
        ehlo(without: "STARTTLS")
    }

    mutating func oneMessage() {
        mail("a@sender.example")
        rcpt("b@any.test")
        data()
    }

    /// EHLO, and a reply that lists these keywords.
    mutating func ehloListing(_ keywords: String...) {
        client("EHLO mta1.sender.example")
        let lines = ["mx.test"] + keywords
        let text = lines.enumerated().map { "250\($0.offset + 1 == lines.count ? " " : "-")\($0.element)\r\n" }
        append(.reply(phase: .ehlo, wire: Array(text.joined().utf8)))
    }

    mutating func clientCloses() {
        append(.clientFinished)
        append(.ended(.clientClose))
    }
}
