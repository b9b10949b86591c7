// The grammars of magic addresses by name, and which of them are switched on: fakemx's own, and those of other tools,
// so that their users move without changing tests. Each has a file of its own that says where it is documented.
//
// A pack carries over which words do what, where, and with which code; the texts of the replies are ours. What a tool
// says with a port or a setting is a rule here, and no pack.

import SMTP

/// One grammar, under the name that switches it on. Where several know an address, the first in this order speaks.
package enum MagicPack: String, Sendable, Hashable, CaseIterable {
    case fakemx, badsmtp, mox, ses, mailtrap, kumo

    var grammar: any MagicGrammar.Type {
        switch self {
        case .fakemx: Magic.self
        case .badsmtp: BadSMTPGrammar.self
        case .mox: MoxGrammar.self
        case .ses: SESGrammar.self
        case .mailtrap: MailtrapGrammar.self
        case .kumo: KumoGrammar.self
        }
    }
}

/// How a pack reads.
protocol MagicGrammar {
    /// Where it can speak.
    static var phases: PhaseSet { get }
    /// What it reads at a phase: an address, or the host name at ehlo and the user at auth.
    static func subject(at phase: Phase) -> MagicSubject
    /// nil when the text asks for nothing at this phase.
    static func read(_ text: String, at phase: Phase) -> Magic?
    /// The same for a grammar that can name replies of the catalogue.
    static func read(_ text: String, at phase: Phase, _ catalogue: Catalogue) -> Magic?
    /// A cheap look at an address. It may say yes too often, never too seldom.
    static func mightBeMagic(_ address: [UInt8]) -> Bool
}

extension MagicGrammar {
    static func read(_ text: String, at phase: Phase, _ catalogue: Catalogue) -> Magic? { read(text, at: phase) }
    static func subject(at phase: Phase) -> MagicSubject { phase == .mail ? .sender : .recipients }
}

enum MagicSubject {
    case sender, recipients, helo, user

    func texts(_ facts: Facts) -> [String] {
        switch self {
        case .sender: facts.from.map { [$0] } ?? []
        case .recipients: facts.to
        case .helo: facts.helo.map { [$0] } ?? []
        case .user: facts.user.map { [$0] } ?? []
        }
    }

    /// A user may be shown nowhere: it is half of a secret (RFC 4954 §4).
    var shows: Bool { self != .user }

    var spoken: String {
        switch self {
        case .sender, .recipients: "the address"
        case .helo: "the host name"
        case .user: "the user"
        }
    }
}

/// The packs that are switched on.
package struct MagicPacks: OptionSet, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    private init(_ pack: MagicPack) { rawValue = MagicPack.allCases.firstIndex(of: pack).map { 1 << UInt8($0) } ?? 0 }

    package static let fakemx = MagicPacks(.fakemx)
    package static let badsmtp = MagicPacks(.badsmtp)
    package static let mox = MagicPacks(.mox)
    package static let ses = MagicPacks(.ses)
    package static let mailtrap = MagicPacks(.mailtrap)
    package static let kumo = MagicPacks(.kumo)

    private static let others = MagicPack.allCases.filter { $0 != .fakemx }.map { ($0, MagicPacks($0)) }

    /// What `on` means, and the default.
    package static let usual: MagicPacks = .fakemx
    package static let all = MagicPacks(MagicPack.allCases.map { MagicPacks($0) })

    /// In the order in which they are asked.
    package var packs: [MagicPack] { MagicPack.allCases.filter { contains(MagicPacks($0)) } }

    /// Where one of them can speak.
    package var phases: PhaseSet { packs.reduce([]) { $0.union($1.grammar.phases) } }

    /// `off` or the names with commas between them: the form that `parse` reads.
    package var description: String { isEmpty ? "off" : packs.map(\.rawValue).joined(separator: ",") }

    /// Parses `fakemx,badsmtp`; or `on`, `off` and `all` (with the other words for on and off), each alone.
    package static func parse(_ text: String) -> Result<MagicPacks, RuleText> {
        let words = text.split { $0 == "," || $0.isWhitespace }.map { String($0).asciiLowercased }
        guard !words.isEmpty else { return .failure("no pack is named; write off for none of them") }
        if words.count == 1, let whole = whole(words[0]) { return .success(whole) }
        var packs = MagicPacks()
        for word in words {
            guard let pack = MagicPack(rawValue: word) else {
                if whole(word) != nil { return .failure("\"\(word)\" stands alone, without names of packs beside it") }
                let known = MagicPack.allCases.map(\.rawValue) + ["on", "off", "all"]
                let hint = Suggestion.didYouMean(word, among: known)
                return .failure("\"\(word.shown)\" is none of \(known.joined(separator: ", "))\(hint)")
            }
            packs.formUnion(MagicPacks(pack))
        }
        return .success(packs)
    }

    private static func whole(_ word: String) -> MagicPacks? {
        switch word {
        case "on", "true", "yes", "1": .usual
        case "off", "none", "false", "no", "0": []
        case "all": .all
        default: nil
        }
    }

    /// A cheap look: for fakemx's own grammar a few instructions.
    func mightBeMagic(_ address: [UInt8]) -> Bool {
        if contains(.fakemx), Magic.mightBeMagic(address) { return true }
        guard !isSubset(of: .fakemx) else { return false }
        return Self.others.contains { pack, set in contains(set) && pack.grammar.mightBeMagic(address) }
    }
}

/// What the grammars of other tools share.
extension Magic {
    /// A text that is answered with a reply; nil unless the code is one of 400 to 599.
    ///
    /// - Parameters:
    ///   - before: what is done ahead of the reply.
    ///   - text: of the reply; nil: that fakemx made it, and why.
    init?(
        _ pack: MagicPack, _ asked: String, code: Int, _ enhanced: EnhancedStatus?, before: [RuleAction] = [],
        text: String? = nil
    ) {
        guard (400...599).contains(code), let code = ReplyCode(code) else { return nil }
        self.init(pack, asked, before + [Self.reply(code, enhanced, asked: asked, text: text)])
    }

    init(_ pack: MagicPack, _ asked: String, _ actions: [RuleAction]) {
        self.init(word: "\(pack.rawValue) \(Self.localPart(asked))".shown, actions: actions)
    }

    /// What stands in front of the last `@`; the whole text without one.
    static func localPart(_ address: String) -> Substring {
        address.utf8.lastIndex(of: UInt8(ascii: "@")).map { address[..<$0] } ?? address[...]
    }

    /// A text of three digits.
    static func digits(_ text: some StringProtocol) -> Int? {
        guard text.utf8.count == 3, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int(text)
    }

    /// The octets of an address in front of its last `@`.
    static func localPart(_ address: [UInt8]) -> ArraySlice<UInt8> {
        address.lastIndex(of: UInt8(ascii: "@")).map { address[..<$0] } ?? address[...]
    }

    /// Whether octets are a lower-case word, in either case.
    static func equals(_ octets: ArraySlice<UInt8>, _ word: StaticString) -> Bool {
        word.withUTF8Buffer { word in
            octets.count == word.count
                && zip(octets, word).allSatisfy { $0.0 == $0.1 || ((65...90).contains($0.0) && $0.0 | 0x20 == $0.1) }
        }
    }

    static func begins(_ octets: ArraySlice<UInt8>, _ word: StaticString) -> Bool {
        equals(octets.prefix(word.utf8CodeUnitCount), word)
    }

    static func ends(_ octets: ArraySlice<UInt8>, _ word: StaticString) -> Bool {
        equals(octets.suffix(word.utf8CodeUnitCount), word)
    }
}
