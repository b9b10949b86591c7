// What a known server looks like from outside: its greeting, its EHLO list and the words of its replies. Rules and the
// order of the protocol stay ours. The tables are in ServerStyle+Software, +Providers and +Restricted.

/// A named look. Made once and shared; everything that does not depend on the session is rendered when it is made.
package final class ServerStyle: Sendable {
    package let name: String
    /// What is offered, before `hide` and `offer`.
    package let capabilities: CapabilitySet
    /// What the server announces with SIZE, in octets, where nobody states a limit; nil: our own default.
    package let messageSize: Int?
    /// False: EHLO is an unknown command, as it was before RFC 1425.
    package let speaksEHLO: Bool
    /// Behind 220, without an enhanced code (RFC 2034 §4).
    let greeting: Phrase
    /// Behind 250 to HELO, and on the first line to EHLO. RFC 5321 §4.1.1.1 wants our domain first.
    let helo: Phrase
    let ehlo: Phrase
    /// Behind 250 to the final dot.
    let queued: Phrase
    let queuedStatus: EnhancedStatus?
    /// The first line of HELP.
    let helpTitle: String
    let list: [ListLine]
    private let words: [Words]
    /// Something is said in another way than usually. False: only the list is another, and sessions need no style.
    let hasOwnWords: Bool

    /// A line of the EHLO list.
    enum ListLine: Sendable, ExpressibleByStringLiteral {
        /// Only while it is in force.
        case capability(Capability)
        /// A keyword that promises nothing which is not kept anyway.
        case word(StaticString)

        init(stringLiteral word: StaticString) { self = .word(word) }
    }

    /// One reply of the protocol.
    enum Words: Sendable {
        case usual
        /// Without a gap: with and without its enhanced code.
        case fixed(Reply, Reply)
        case phrase(ReplyCode, EnhancedStatus?, Phrase)
    }

    /// A server with its own words.
    ///
    /// - Parameters:
    ///   - list: in the order in which the server has it. Capabilities that are offered beyond it follow.
    ///   - offered: nil offers what the list names.
    init(
        _ name: String, greeting: Phrase, helo: Phrase = "{host}", ehlo: Phrase = "{host}", list: [ListLine],
        offered: CapabilitySet? = nil, messageSize: Int? = nil, speaksEHLO: Bool = true,
        queued: Phrase = "Ok: queued as {id}", queuedStatus: StaticString = "2.0.0",
        helpTitle: String = "fakemx, a fake MX, understands:",
        _ wordings: [StandardReply: Wording]
    ) {
        self.name = name
        self.greeting = greeting
        self.helo = helo
        self.ehlo = ehlo
        self.list = list
        self.messageSize = messageSize
        self.speaksEHLO = speaksEHLO
        self.queued = queued
        self.queuedStatus = EnhancedStatus(queuedStatus.description)
        self.helpTitle = helpTitle
        capabilities =
            offered
            ?? CapabilitySet(
                list.compactMap { if case .capability(let capability) = $0 { capability } else { nil } })
        words = StandardReply.allCases.map { usual in wordings[usual].map { Self.words($0, usual) } ?? .usual }
        hasOwnWords = true
    }

    /// Our own words and a shorter list.
    init(_ name: String, offering capabilities: CapabilitySet) {
        self.name = name
        self.capabilities = capabilities
        greeting = "{host} ESMTP fakemx"
        helo = "{host}"
        ehlo = "{host}"
        list = []
        messageSize = nil
        speaksEHLO = true
        queued = "Ok: queued as {id}"
        queuedStatus = EnhancedStatus(2, 0, 0)
        helpTitle = ""
        words = []
        hasOwnWords = false
    }

    private static func words(_ wording: Wording, _ usual: StandardReply) -> Words {
        let reply = usual.reply(status: true)
        let code = wording.code.map { ReplyCode(known: $0) } ?? reply.code
        let stated = wording.enhanced.flatMap { EnhancedStatus($0.description) } ?? reply.enhanced
        // RFC 2034 §4: the class of the code is the first digit of the reply.
        let enhanced = stated.flatMap { UInt16($0.statusClass) == code.value / 100 ? $0 : nil }
        guard let text = wording.text.plain else { return .phrase(code, enhanced, wording.text) }
        return .fixed(Reply(code, enhanced, text), Reply(code, nil, text))
    }

    func words(_ reply: StandardReply) -> Words { words.isEmpty ? .usual : words[reply.rawValue] }
}

extension ServerStyle: Hashable {
    package static func == (a: ServerStyle, b: ServerStyle) -> Bool { a === b }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension ServerStyle {
    /// Every profile, in the order in which help names them.
    package static let all: [ServerStyle] = [modern] + restricted + software + providers

    package static let names: [String] = all.map(\.name)

    /// nil for an unknown name.
    package static func named(_ name: String) -> ServerStyle? { all.first { $0.name == name } }
}
