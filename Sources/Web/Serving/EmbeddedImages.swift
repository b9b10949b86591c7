// The images that a message brings along, put into its HTML, so that the HTML need not ask for them.

import FoundationEssentials
import Mail

/// Puts images of a message into its HTML in place of `cid:` addresses (RFC 2392).
enum EmbeddedImages {
    /// Octets of images, and of what they make of the page, at most; what does not fit stays an address that shows
    /// nothing.
    private static let mostOctets = 8 << 20
    private static let mostPageOctets = 32 << 20
    /// Octets of a Content-ID in an address.
    private static let longestID = 500

    /// - Parameters:
    ///   - html: that of the view, or what was made of it.
    ///   - content: the octets of the message.
    static func embedded(_ html: [UInt8], _ view: MailView, _ content: [UInt8]) -> [UInt8] {
        var parts: [String: MailPart] = [:]
        for part in view.parts where part.contentType.hasPrefix("image/") && !part.contentID.isEmpty {
            parts[part.contentID.lowercased()] = part
        }
        guard !parts.isEmpty else { return html }
        let references = references(in: html).filter { parts[$0.id] != nil }
        let wanted = Set(references.compactMap { parts[$0.id]?.partID })
        let images = MailView.contents(of: wanted, in: content, limit: mostOctets).mapValues {
            Data($0).base64EncodedString()
        }
        var page: [UInt8] = []
        var position = 0
        for (range, id) in references {
            guard let part = parts[id], let image = images[part.partID],
                page.count + image.utf8.count <= mostPageOctets
            else { continue }
            let kind = Mailpit.PartKind(part.contentType, charset: "")
            // An image of SVG carries out nothing where it is an image.
            let type = part.contentType == "image/svg+xml" ? part.contentType : kind.contentType
            page += html[position..<range.lowerBound]
            page += "data:\(type);base64,\(image)".utf8
            position = range.upperBound
        }
        page += html[position...]
        return page
    }

    /// Where `cid:…` stands as a value: behind a quote, an equals sign or a parenthesis.
    private static func references(in html: [UInt8]) -> [(range: Range<Int>, id: String)] {
        let scheme = Array("cid:".utf8)
        var found: [(range: Range<Int>, id: String)] = []
        var index = 1
        while index + scheme.count < html.count {
            defer { index += 1 }
            guard html[index] | 0x20 == scheme[0], "\"'=(".utf8.contains(html[index - 1]),
                zip(html[index...].prefix(scheme.count), scheme).allSatisfy({ $0 | 0x20 == $1 | 0x20 })
            else { continue }
            let start = index + scheme.count
            let end =
                html[start...].prefix(longestID).firstIndex { "\"'<>() \t\r\n".utf8.contains($0) }
                ?? min(html.count, start + longestID)
            guard let id = PercentCoding.decoded(html[start..<end], plusIsSpace: false) else { continue }
            found.append((index..<end, id.lowercased()))
            index = end - 1
        }
        return found
    }
}
