// A message as a page of its own: /view/ID.html and /view/ID.txt, ID or `latest`. HTML of strangers runs nothing and
// fetches nothing: the policy says so to the browser, and the images of the message itself stand in the page.

import FoundationEssentials
import HTTPTypes
import Hummingbird
import Mail
import NIOCore
import Store

extension Mailpit {
    private static let policy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    private static let noMessage = PlainRefusal(status: 404, text: "Message not found")

    @Sendable static func view(_ call: inout Call, _ box: Mailbox) async throws -> Response {
        let name = call.arguments["id"] ?? ""
        for ending in [".html", ".txt"] where name.hasSuffix(ending) {
            let stored = try await shown(String(name.dropLast(ending.count)), &call, box)
            let view = call.face.views.view(of: stored.message)
            if ending == ".txt" {
                try await box.markRead(stored)
                return text(view.text)
            }
            guard !view.html.isEmpty else {
                throw PlainRefusal(status: 404, text: "This message does not contain a HTML part")
            }
            try await box.markRead(stored)
            return Response(
                status: .ok, headers: [.contentType: "text/html; charset=utf-8", .contentSecurityPolicy: policy],
                body: ResponseBody(byteBuffer: ByteBuffer(string: Images.embedded(view, stored.message.content))))
        }
        return try await forwarded(name, &call, box)
    }

    private static func shown(_ id: String, _ call: inout Call, _ box: Mailbox) async throws -> StoredMessage {
        do {
            return try await box.message(id, &call)
        } catch let refusal as PlainRefusal where refusal.status == 404 {
            throw noMessage
        }
    }

    /// To the page of the message; where there is none, to the page that one lands on.
    private static func forwarded(_ id: String, _ call: inout Call, _ box: Mailbox) async throws -> Response {
        var target = "/"
        do {
            let stored = try await box.message(id, &call)
            let view = call.face.views.view(of: stored.message)
            target = "/view/\(stored.message.id).\(view.html.isEmpty ? "txt" : "html")"
        } catch let refusal as PlainRefusal where refusal.status == 404 {
            if id != "latest" { throw noMessage }
        }
        return Response(status: .found, headers: [.location: target])
    }
}

/// Puts images of a message into its HTML in place of `cid:` addresses (RFC 2392).
private enum Images {
    /// Octets of images, and of what they make of the page, at most; what does not fit stays an address that shows
    /// nothing.
    private static let mostOctets = 8 << 20
    private static let mostPageOctets = 32 << 20
    /// Octets of a Content-ID in an address.
    private static let longestID = 500

    static func embedded(_ view: MailView, _ content: [UInt8]) -> String {
        var parts: [String: MailPart] = [:]
        for part in view.parts where part.contentType.hasPrefix("image/") && !part.contentID.isEmpty {
            parts[part.contentID.lowercased()] = part
        }
        guard !parts.isEmpty else { return view.html }
        let html = Array(view.html.utf8)
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
        return String(decoding: page, as: UTF8.self)
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
