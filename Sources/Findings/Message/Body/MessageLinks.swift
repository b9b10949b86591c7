// The links of a message with what was found on each: what the page and the API show. Nothing is followed.

/// A link of a message.
package struct MessageLink: Sendable, Hashable, Codable {
    /// Octets of a link that are given out, at most.
    package static let urlLimit = 2000

    package enum Origin: String, Sendable, Hashable, Codable {
        /// The target of an anchor in HTML.
        case anchor
        /// What HTML loads: an image, a style sheet.
        case resource
        /// An address in text.
        case text
    }

    /// As it is meant: entities of HTML are replaced, octets that are no UTF-8 too.
    package var url: String
    /// In small letters; empty where there is none, as in mailto.
    package var host: String
    package var origin: Origin
    /// The part of `MessageScan.parts` that it stands in.
    package var part: Int
    /// Octets of the message; of encoded text those that it was encoded to.
    package var range: Range<Int>
    /// What was found on it, whatever the profile.
    package var rules: [RuleID]
}

package enum MessageLinks {
    /// The links of the text parts, in their order.
    /// - Parameter limit: how many are given out, at most.
    package static func list(
        _ octets: UnsafeBufferPointer<UInt8>, _ scan: MessageScan, limit: Int = 1000
    ) -> [MessageLink] {
        let view = MIMEView(octets, scan)
        var buffer = TextBuffer()
        var links: [MessageLink] = []
        for index in scan.parts.indices where links.count < limit && isText(view, index) {
            PartText.read(view, index, &buffer) { text in
                guard text.charset.hasPlainASCII else { return }
                let survey = BodySurvey.of(text, isHTML: scan.parts[index].type.subtype == "html")
                for link in survey.links.prefix(limit - links.count) {
                    links.append(MessageLink(link, text, hasBase: survey.hasBase))
                }
            }
        }
        return links
    }

    private static func isText(_ view: MIMEView, _ index: Int) -> Bool {
        let type = view.scan.parts[index].type
        return view.facts[index].isOwn && !view.facts[index].isAttachment && view.facts[index].encoding != .other
            && (type.isType("text", "plain") || type.isType("text", "html"))
    }
}

extension MessageLink {
    fileprivate init(_ link: FoundLink, _ text: PartText, hasBase: Bool) {
        let verdict = LinkVerdict(link, hasBase: hasBase)
        url = String(decoding: link.url.prefix(Self.urlLimit), as: UTF8.self)
        host = String(decoding: verdict.host, as: UTF8.self)
        origin = link.origin
        part = text.part
        range = text.source(link.range)
        rules = LinkFaults.rules.filter { verdict.faults.contains($0.0) }.map(\.1)
    }
}
