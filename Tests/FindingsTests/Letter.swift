// Writes messages for the checks of messages: one that breaks nothing, of which a test changes one thing.

import SMTP

@testable import Findings

struct Letter: Sendable {
    /// Field lines without their line ends; folded ones hold CRLF.
    var fields: [String] = [
        #"DKIM-Signature: v=1; a=rsa-sha256; d=sender.example; "# + "\r\n"
            + " s=k1; t=1790000000;\r\n h=from:to:subject:date:message-id:\r\n"
            + " list-unsubscribe:list-unsubscribe-post;\r\n"
            + " bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=;\r\n b=QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=",
        "Date: Mon, 21 Sep 2026 14:13:20 +0000",
        "From: Ann Author <ann@sender.example>",
        "To: Bob <bob@any.test>",
        "Subject: Your invoice 4711",
        "Message-ID: <4711.1@mta1.sender.example>",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
    ]
    var body = "Good day,\r\n\r\nthe invoice is attached.\r\n"
    /// In place of the fields and the body.
    var octets: [UInt8]?
    /// 2026-09-21T14:13:20Z.
    var received_us: Int64 = 1_790_000_000_000_000
    var reversePath = ReversePath(address: Array("ann@sender.example".utf8))
    var recipients = ["bob@any.test"]
    var isChunked = false
    var isSubmission = false
    var offersEightBit = true
    var unstuffedDots = 0
    var firstUnstuffedDot = 0
    var disturbances: Disturbances = []
    var profile = SenderProfile.strict
    var isLocalPeer = false

    /// In place of the first field of that name; behind all others where there is none.
    mutating func set(_ name: String, _ value: String?) {
        let place = fields.firstIndex { $0.hasPrefix(name + ":") }
        switch (place, value) {
        case (let place?, let value?): fields[place] = "\(name): \(value)"
        case (let place?, nil): fields.remove(at: place)
        case (nil, let value?): fields.append("\(name): \(value)")
        case (nil, nil): break
        }
    }

    var content: [UInt8] { octets ?? Array((fields.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8) }

    var input: MessageInput {
        var input = MessageInput(
            content: content, reversePath: reversePath, recipients: recipients.map { Array($0.utf8) },
            received_us: received_us)
        input.isChunked = isChunked
        input.isSubmission = isSubmission
        input.offer.isExtended = true
        if offersEightBit { input.offer.keywords["8BITMIME"] = [] }
        input.unstuffedDots = unstuffedDots
        input.firstUnstuffedDot = firstUnstuffedDot
        input.disturbances = disturbances
        input.message = "s1.1"
        return input
    }

    var judged: Ledger {
        var ledger = Ledger(settings: JudgingSettings(profile: profile), session: "s1", isLocalPeer: isLocalPeer)
        MessageChecks.check(input, &ledger)
        return ledger
    }

    /// Rules of octets and headers that it breaks; those of parts and texts have their own tests.
    var broken: [RuleID] { judged.states.ids(.broken).filter { [.data, .header].contains(SenderRules.layer(of: $0)) } }
}

/// One change to a clean letter, and every rule that it breaks.
struct LetterCase: Sendable, CustomStringConvertible {
    let description: String
    let rules: [RuleID]
    let change: @Sendable (inout Letter) -> Void

    init(_ description: String, _ rules: RuleID..., change: @escaping @Sendable (inout Letter) -> Void) {
        self.description = description
        self.rules = rules
        self.change = change
    }

    /// A field that is set, or taken away.
    init(_ name: String, _ value: String?, _ rules: RuleID...) {
        description = value.map { "\(name): \($0)" } ?? "no \(name)"
        self.rules = rules
        change = { $0.set(name, value) }
    }

    var letter: Letter {
        var letter = Letter()
        change(&letter)
        return letter
    }
}
