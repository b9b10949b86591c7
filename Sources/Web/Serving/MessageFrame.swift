// The HTML of a message as a page of its own. HTML of strangers runs nothing, sends nothing and fetches nothing: the
// policy says so to the browser, and the images of the message itself stand in the page.

import Findings
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Mail
import NIOCore

enum MessageFrame {
    /// The sandbox takes scripts, forms, pop-ups and reloading away, and gives the page an origin of its own; the rest
    /// leaves it nothing to load. Our own page alone may show it in a frame.
    static let policy = """
        sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; \
        frame-ancestors 'self'
        """

    private static let dnsPrefetch = HTTPField.Name("X-DNS-Prefetch-Control") ?? .xContentTypeOptions

    static func response(_ view: MailView, _ content: [UInt8]) -> Response {
        let page = withoutLinks(EmbeddedImages.embedded(view, content))
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8", .contentSecurityPolicy: policy, dnsPrefetch: "off",
            ], body: ResponseBody(byteBuffer: ByteBuffer(bytes: page)))
    }

    /// No policy keeps `<link rel=preconnect>` from opening a connection, so there is no such tag: what stands in its
    /// place is void as well and does nothing.
    static func withoutLinks(_ html: String) -> [UInt8] {
        var octets = Array(html.utf8)
        let tag = Array("<link".utf8)
        var index = 0
        while index + tag.count <= octets.count {
            let isTag = octets[index] == tag[0] && (1..<tag.count).allSatisfy { octets[index + $0] | 0x20 == tag[$0] }
            if isTag { octets.replaceSubrange(index..<(index + tag.count), with: "<wbr ".utf8) }
            index += 1
        }
        return octets
    }

    /// What the HTML would load of others, were it let: images, frames, style sheets, and addresses in styles.
    static func remoteCount(_ html: String, _ links: [MessageLink]) -> Int {
        let ofStyles = html.lowercased().split(separator: "url(").dropFirst().count { rest in
            let address = rest.drop { " \t\r\n\"'".contains($0) }
            return address.hasPrefix("http:") || address.hasPrefix("https:") || address.hasPrefix("//")
        }
        return ofStyles + links.count { $0.origin == .resource && !$0.host.isEmpty }
    }
}

/// Opens the frame of one message without a token: a frame cannot say one. Whoever may read the message is told it.
struct FrameKey: Sendable {
    /// Of this run.
    private let secret: [UInt8]

    init() {
        var dice = SystemRandomNumberGenerator()
        secret = (0..<32).map { _ in UInt8.random(in: .min ... .max, using: &dice) }
    }

    func key(ofMessage id: String) -> String { Checksums(of: secret + Array(id.utf8) + secret).sha256 }

    static func path(ofMessage id: String) -> String { "\(API.prefix)/messages/\(id)/html" }

    /// - Parameters:
    ///   - path: as it was asked for.
    ///   - key: of the query.
    func opens(_ path: String, _ key: String?) -> Bool {
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard let key, parts.count == 6, Self.path(ofMessage: String(parts[4])) == path else { return false }
        return Gate.isSame(Array(key.utf8), Array(self.key(ofMessage: String(parts[4])).utf8))
    }
}
