// Sessions for the checks of the envelope: one that breaks nothing, changed at one place.

import Findings
import Journal
import SMTP
import Testing

extension Talk {
    /// What the envelope's own rules find.
    func envelopeFindings(
        _ circumstances: Circumstances = Circumstances(),
        _ settings: JudgingSettings = JudgingSettings(profile: .strict)
    ) -> Set<RuleID> {
        Set(judged(circumstances, settings).broken.filter { SenderRules.layer(of: $0) == .envelope })
    }

    /// Greeted, inside TLS, with these keywords on offer.
    static func begun(_ keywords: [String] = usual, client: String = "192.0.2.9:40025") -> Talk {
        var talk = Talk(client: client)
        talk.greeting()
        talk.ehlo()
        talk.startTLS()
        talk.ehlo(offering: keywords)
        return talk
    }

    static let usual = [
        "PIPELINING", "SIZE 10485760", "8BITMIME", "SMTPUTF8", "CHUNKING", "BINARYMIME", "DSN", "AUTH PLAIN LOGIN",
        "ENHANCEDSTATUSCODES",
    ]

    static let withoutPipelining = usual.filter { $0 != "PIPELINING" }

    mutating func ehlo(offering keywords: [String]) {
        client("EHLO mta1.sender.example")
        let lines = ["mx.test"] + keywords
        let wire = lines.enumerated().map { "250\($0 == lines.count - 1 ? " " : "-")\($1)\r\n" }.joined()
        wait(100)
        append(.reply(phase: .ehlo, wire: Array(wire.utf8)))
    }

    /// A line, and the reply of the protocol to it.
    mutating func says(_ line: String, _ phase: Phase?, _ reply: String, together: Bool = false) {
        client(line, together: together)
        sink(phase, reply)
    }

    mutating func says(_ line: [UInt8], _ phase: Phase?, _ reply: String) {
        client(line)
        sink(phase, reply)
    }

    /// A MAIL that is accepted, written out.
    mutating func mailLine(_ line: String, address: String = "a@sender.example") {
        client(line)
        append(.transactionBegan(reversePath: Array(address.utf8)))
        sink(.mail, "250 2.1.0 Ok")
    }

    mutating func rcptLine(_ line: String, address: String = "b@any.test", reply: String = "250 2.1.5 Ok") {
        client(line)
        append(.recipientAnswered(address: Array(address.utf8), wire: Array((reply + "\r\n").utf8)))
        sink(.rcpt, reply)
    }

    /// A MAIL or RCPT that a rule of the sink refuses.
    mutating func refused(_ phase: Phase, _ line: String, _ reply: String, together: Bool = false) {
        client(line, together: together)
        if phase == .mail { append(.transactionBegan(reversePath: [])) }
        fault(phase, reply)
        if phase == .rcpt {
            append(.recipientAnswered(address: Array("b@any.test".utf8), wire: Array((reply + "\r\n").utf8)))
        }
        sink(phase, reply)
        if phase == .mail {
            append(.transactionEnded(verdict: .rejected, at: .mail, reply: Array(reply.utf8), message: nil))
        }
    }

    /// Content in the read of the line in front of it.
    mutating func contentTogether(_ count: Int, segment: Int) {
        append(.clientContent(octetCount: count, segment: segment))
    }

    mutating func chunk(_ count: Int, last: Bool = false, reply: String = "250 2.0.0 Ok", together: Bool = false) {
        client("BDAT \(count)\(last ? " LAST" : "")", together: together)
        if count > 0 { content(count) }
        sink(last ? .endOfData : .data, reply)
    }

    mutating func leaves() {
        wait(1000)
        append(.clientFinished)
        append(.ended(.clientClose))
    }
}

/// One change of a session, and what it breaks.
struct EnvelopeCase: Sendable, CustomTestStringConvertible {
    let name: String
    /// Exactly what is found.
    let breaks: Set<RuleID>
    /// What is seen to be kept.
    let keeps: [RuleID]
    let talk: @Sendable () -> Talk

    init(
        _ name: String, breaks: Set<RuleID> = [], keeps: [RuleID] = [], _ keywords: [String] = Talk.usual,
        _ change: @escaping @Sendable (inout Talk) -> Void
    ) {
        self.name = name
        self.breaks = breaks
        self.keeps = keeps
        talk = {
            var talk = Talk.begun(keywords)
            change(&talk)
            return talk
        }
    }

    var testDescription: String { name }
}
