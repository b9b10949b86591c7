// The catalogue: replies that were seen in the field, each with a name under which it is used, what it means, and what
// a sender had better do about it. Pure data and the search in it; the files are read elsewhere.

import SMTP

/// What a reply says about the mail, in one word.
package enum Meaning: String, Sendable, Hashable, CaseIterable {
    case unknownUser = "unknown-user"
    /// The mailbox exists but takes no mail: disabled, frozen, moved away.
    case mailboxInactive = "mailbox-inactive"
    case mailboxFull = "mailbox-full"
    /// The client's address has a bad name, or stands on a list.
    case ipReputation = "ip-reputation"
    case domainReputation = "domain-reputation"
    /// Spam, a virus, an attachment, a link.
    case content
    /// SPF, DKIM, DMARC.
    case authentication
    /// AUTH: credentials, mechanisms, or that there are none.
    case login
    case rateLimit = "rate-limit"
    case connectionLimit = "connection-limit"
    case greylist
    case tls
    /// Of the message, its header, a line, the attachments.
    case size
    /// A name or a PTR record that does not resolve.
    case dns
    /// A decision of the receiver that is none of the others.
    case policy
    /// The server does not take mail for that domain.
    case relaying
    /// A command out of order, bad syntax, a malformed message.
    case `protocol`
    case loop
    /// Trouble at the receiver.
    case serverError = "server-error"
}

/// What a sender had better do.
package enum Advice: String, Sendable, Hashable, CaseIterable {
    /// Try the same message again later (RFC 5321 §4.5.4.1).
    case retry
    /// Try again later, with fewer messages, recipients or connections at a time.
    case slowDown = "slow-down"
    /// Send nothing more to this address.
    case suppress
    /// Change something at the sender first; the address is not to blame.
    case fix
}

/// One reply of the catalogue.
package struct CatalogueEntry: Sendable, Hashable {
    /// Octets of a name; behind `rcpt-use-` it must fit into a local part of 64 (RFC 5321 §4.5.3.1.1).
    package static let longestName = 50

    /// `gmail/over-quota`: the file and the reply in it.
    package let name: String
    /// `Gmail`, as people say it.
    package let provider: String
    /// Where it was seen; nil when the source does not say, or when it was seen at several.
    package let phase: Phase?
    package let meaning: Meaning
    package let advice: Advice
    /// Where and when it was seen.
    package let source: String
    package let template: ReplyTemplate

    package init(
        name: String, provider: String, phase: Phase?, meaning: Meaning, advice: Advice, source: String,
        template: ReplyTemplate
    ) {
        self.name = name
        self.provider = provider
        self.phase = phase
        self.meaning = meaning
        self.advice = advice
        self.source = source
        self.template = template
    }

    package var code: ReplyCode { template.code }
    package var enhanced: EnhancedStatus? { template.enhanced }
    /// The whole reply with its placeholders; inner line ends are LF.
    package var text: String { template.text }

    /// The reply for one session. Without placeholders it is ready and costs a copy.
    package func reply(_ fill: ReplyFill) -> Reply { template.reply(fill) }

    /// The part in front of the slash.
    package var file: Substring { name.prefix { $0 != "/" } }
    /// The part behind the slash.
    package var slug: Substring { name.drop { $0 != "/" }.dropFirst() }

    /// What is wrong with the name of a file or the name of a reply in it.
    package static func complaint(aboutPart part: String) -> RuleText? {
        let isSound =
            !part.isEmpty && part.first != "-" && part.last != "-"
            && part.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") }
        guard !isSound else { return nil }
        return "\"\(part.shown)\" is not a name; it has the letters a to z, digits, and \"-\" between them"
    }
}

/// All replies that are known by name.
package struct Catalogue: Sendable, Hashable {
    package static let empty = Catalogue([])

    /// In the order in which they were given.
    package let entries: [CatalogueEntry]
    private let indices: [String: Int]

    /// - Parameter entries: of two with the same name the first counts; who reads files complains about the second.
    package init(_ entries: [CatalogueEntry]) {
        self.entries = entries
        indices = Dictionary(
            entries.enumerated().map { (Self.key($0.element.name), $0.offset) }, uniquingKeysWith: { first, _ in first }
        )
    }

    /// By name, in any case of its letters. A dot stands for the slash, since some MTAs let none through in an address.
    package subscript(name: String) -> CatalogueEntry? {
        indices[Self.key(name)].map { entries[$0] }
    }

    private static func key(_ name: String) -> String {
        name.utf8.contains(UInt8(ascii: "."))
            ? name.asciiLowercased.replacing(".", with: "/") : name.asciiLowercased
    }

    /// Up to three names that may have been meant: misspelt ones, names of the provider that was named, and other
    /// providers' replies of that name.
    package func nearest(_ name: String) -> [String] {
        let word = Self.key(name)
        var found: [String] = []
        func add(_ names: some Sequence<String>) {
            for name in names where found.count < Self.mostSuggestions && !found.contains(name) { found.append(name) }
        }
        let parts = word.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let slug = parts.count == 2 ? parts[1] : parts[0]
        let files = self.files
        // The provider as it was named, else the nearest one.
        let file = files.contains(parts[0]) ? parts[0] : Suggestion.nearest(parts[0], among: files)
        let ofFile = entries.filter { file != nil && $0.file == file ?? "" }
        add(ofFile.filter { $0.slug == slug }.map(\.name))
        let slugs = ofFile.map { String($0.slug) }
        add(Suggestion.ranked(slug, among: slugs).map { "\(file ?? "")/\($0)" })
        add(entries.filter { $0.slug == slug }.map(\.name))
        add(Suggestion.ranked(word, among: entries.map(\.name)))
        add(ofFile.map(\.name))
        return found
    }

    private static let mostSuggestions = 3

    /// The providers' files, each once, in order.
    package var files: [String] {
        var seen: Set<Substring> = []
        return entries.compactMap { seen.insert($0.file).inserted ? String($0.file) : nil }
    }
}
