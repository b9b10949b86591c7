// Magic addresses in the grammar of fakemx: the local part says what happens, so that a sender is steered without
// configuration. What is not recognised is an ordinary address. Other grammars are packs, see MagicPack.swift.
//
//     PHASE-WORD[-WORD]…[+tag]@anything
//     PHASE-use-NAME[-xN][+tag]@anything
//
// PHASE is mail (the sender's address), rcpt, data or eod (a recipient's). A WORD is a reply code of 400 to 599, with
// an enhanced code behind it or without (550, 550-5.1.1); `delay-` with a duration; close, reset, stall; `drop` at eod;
// or xN, the first N uses of the address only. Each kind stands once, in any order. NAME is a reply of the catalogue,
// as gmail/over-quota, or gmail.over-quota where an MTA lets no slash through. A quoted local part means the same.

import SMTP

/// What a text asks for.
struct Magic: Sendable, MagicGrammar {
    /// As the decision names it: `rcpt-550`, without its tag; for a pack with its name, `badsmtp mail452`.
    let word: String
    let actions: [RuleAction]
    /// Only this many uses of the address; nil: all.
    let attempts: Int?

    /// Longer waits are not for the peer to ask.
    static let longestDelay = Span(ns: 3_600_000_000_000)
    /// A local part has at most 64 octets (RFC 5321 §4.5.3.1.1), so nothing longer is looked at.
    private static let longestLocalPart = 64
    private static let mostAttempts = 1000

    static let phases: PhaseSet = [PhaseSet(.mail), PhaseSet(.rcpt), PhaseSet(.data), PhaseSet(.endOfData)]

    private static let prefixes: [(word: StaticString, phase: Phase)] = [
        ("mail-", .mail), ("rcpt-", .rcpt), ("data-", .data), ("eod-", .endOfData),
    ]

    private static let quote = UInt8(ascii: "\"")

    static func mightBeMagic(_ address: [UInt8]) -> Bool {
        guard address.count > 4 else { return false }
        let dash = UInt8(ascii: "-")
        guard address[3] == dash || address[4] == dash || address[0] == quote else {
            return false
        }
        let local = address[0] == quote ? address.dropFirst() : address[...]
        return prefixes.contains { prefix in
            prefix.word.withUTF8Buffer { word in
                local.count > word.count && zip(local, word).allSatisfy { $0.0 == $0.1 || $0.0 | 0x20 == $0.1 }
            }
        }
    }

    init(word: String, actions: [RuleAction]) {
        self.word = word
        self.actions = actions
        attempts = nil
    }

    static func read(_ address: String, at phase: Phase) -> Magic? { read(address, at: phase, .empty) }

    static func read(_ address: String, at phase: Phase, _ catalogue: Catalogue) -> Magic? {
        Magic(address, at: phase, catalogue)
    }

    /// nil for an ordinary address, and for one that is magic at another phase.
    init?(_ address: String, at phase: Phase, _ catalogue: Catalogue) {
        guard let prefix = Self.prefixes.first(where: { $0.phase == phase })?.word else { return nil }
        let quoted = address.hasPrefix("\"")
        let local = (quoted ? address.dropFirst() : address[...]).prefix { $0 != "@" && $0 != "+" && $0 != "\"" }
        guard local.utf8.count <= Self.longestLocalPart else { return nil }
        let word = String(local).asciiLowercased
        guard word.hasPrefix(prefix.description) else { return nil }
        if let use = Self.use(word.dropFirst(prefix.utf8CodeUnitCount), catalogue) {
            self.word = word
            actions = [.use(use.name)]
            attempts = use.attempts
            return
        }
        var parts = MagicParts(
            word.dropFirst(prefix.utf8CodeUnitCount).split(separator: "-", omittingEmptySubsequences: false))
        guard parts.read(at: phase) else { return nil }
        self.word = word
        attempts = parts.attempts
        actions = parts.actions(at: phase, address: address)
    }

    /// `use-NAME` or `use-NAME-xN`, when the catalogue has the name.
    private static func use(_ text: Substring, _ catalogue: Catalogue) -> (name: String, attempts: Int?)? {
        guard text.hasPrefix("use-") else { return nil }
        let name = text.dropFirst("use-".count)
        if let entry = catalogue[String(name)] { return (entry.name, nil) }
        guard let mark = name.ranges(of: "-x").last, let count = count(name[mark.upperBound...]),
            let entry = catalogue[String(name[..<mark.lowerBound])]
        else { return nil }
        return (entry.name, count)
    }

    static func reply(_ code: ReplyCode, _ enhanced: EnhancedStatus?, asked: String, text: String? = nil) -> RuleAction
    {
        let line = text.map(printable) ?? "Injected by fakemx, as \(printable(asked)) asks"
        return .reply(ReplyText(code, enhanced, lines: [line]))
    }

    /// Reply text is printable ASCII (RFC 5321 §4.2) on a line of 512 octets (§4.5.3.1.5).
    private static func printable(_ text: String) -> String {
        String(
            decoding: text.utf8.prefix(200).map { (32...126).contains($0) ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }

    fileprivate static func count(_ text: Substring) -> Int? {
        guard case .success(let value) = NumberTest.count(String(text)), (1...UInt64(mostAttempts)).contains(value)
        else {
            return nil
        }
        return Int(value)
    }
}

/// The words behind the phase.
private struct MagicParts {
    private var words: ArraySlice<Substring>
    private var code: ReplyCode?
    private var enhanced: EnhancedStatus?
    private var delay: Span?
    private var ending: Substring?
    private(set) var attempts: Int?

    init(_ words: [Substring]) { self.words = words[...] }

    /// - Returns: false when a word is not known, comes twice, or nothing would happen.
    mutating func read(at phase: Phase) -> Bool {
        while let word = words.popFirst() {
            switch word {
            case "delay":
                guard delay == nil, let next = words.popFirst(), case .success(let span) = Span.parse(String(next)),
                    span <= Magic.longestDelay
                else { return false }
                delay = span
            case "close", "reset", "stall", "drop":
                guard ending == nil, word != "drop" || phase == .endOfData else { return false }
                ending = word
            default:
                if word.first == "x" {
                    guard attempts == nil, let count = Magic.count(word.dropFirst()) else { return false }
                    attempts = count
                } else if !readCode(word) {
                    return false
                }
            }
        }
        // A reply behind which the message would have to be dropped says nothing that the reply alone does not.
        if ending == "drop", code != nil { return false }
        return code != nil || delay != nil || ending != nil
    }

    private mutating func readCode(_ word: Substring) -> Bool {
        guard code == nil, word.utf8.count == 3, word.utf8.allSatisfy({ (48...57).contains($0) }),
            let value = Int(word), value >= 400, let known = ReplyCode(value)
        else { return false }
        code = known
        if let next = words.first, let status = EnhancedStatus(next) {
            enhanced = status
            words.removeFirst()
        }
        return true
    }

    func actions(at phase: Phase, address: String) -> [RuleAction] {
        var actions: [RuleAction] = []
        if let delay { actions.append(.delay(delay, delay)) }
        if let code {
            let status = enhanced ?? Self.usualStatus(code, at: phase)
            actions.append(Magic.reply(code, status, asked: address))
        }
        switch ending {
        // Stored, and the reply is lost: the sender cannot know, and sends again.
        case "close": actions += phase == .endOfData && code == nil ? [.keep, .close] : [.close]
        case "reset": actions += phase == .endOfData && code == nil ? [.keep, .reset] : [.reset]
        case "stall": actions.append(.stall)
        case "drop": actions.append(.close)
        default: break
        }
        return actions
    }

    /// The enhanced code that goes with a basic code at a phase (RFC 5248 §2.4, the IANA registry).
    private static func usualStatus(_ code: ReplyCode, at phase: Phase) -> EnhancedStatus? {
        let subject: (Int, Int) =
            switch (code.value, phase) {
            case (421, _): (3, 2)  // not accepting network messages
            case (450, .rcpt): (2, 1)  // mailbox disabled for now
            case (452, .rcpt), (552, .rcpt): (2, 2)  // mailbox full
            case (452, _): (3, 1)  // system full
            case (451, .data): (3, 0)
            case (450, _), (451, _): (7, 1)  // greylisting and its like
            case (454, _): (7, 0)
            case (455, _), (501, _), (504, _), (555, _): (5, 4)
            case (500, _), (502, _), (503, _): (5, 1)
            case (521, _): (3, 2)
            case (530, _): (7, 0)
            case (535, _): (7, 8)
            case (550, .rcpt): (1, 1)  // no such mailbox
            case (551, _): (1, 6)  // has moved
            case (552, _): (3, 4)  // too big
            case (553, .mail): (1, 8)
            case (553, _): (1, 3)
            case (554, .data): (5, 1)  // no valid recipients
            case (550, _), (554, _): (7, 1)  // policy
            case (556, _): (1, 10)  // null MX
            default: (0, 0)
            }
        return EnhancedStatus(code.isTransient ? 4 : 5, subject.0, subject.1)
    }
}
