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
        let page = EmbeddedImages.embedded(withoutLinks(view.html), view, content)
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
        for start in octets.indices where octets[start] == UInt8(ascii: "<") && holds("<link", octets, start) {
            for (offset, octet) in "<wbr ".utf8.enumerated() { octets[start + offset] = octet }
        }
        return octets
    }

    /// What the HTML would load of others, were it let: images, frames, style sheets, and addresses in styles.
    static func remoteCount(_ html: String, _ links: [MessageLink]) -> Int {
        let octets = Array(html.utf8)
        let ofStyles = octets.indices.count { start in
            guard octets[start] == UInt8(ascii: "("), start >= 3, holds("url", octets, start - 3) else { return false }
            let address = octets[(start + 1)...].prefix(20).firstIndex { !" \t\r\n\"'".utf8.contains($0) } ?? start
            return holds("http:", octets, address) || holds("https:", octets, address) || holds("//", octets, address)
        }
        // RFC 3986 §4.2: an address that begins with // names a host, by the scheme of whoever shows it.
        return ofStyles + links.count { $0.origin == .resource && (!$0.host.isEmpty || $0.url.hasPrefix("//")) }
    }

    /// - Parameter word: in small letters.
    private static func holds(_ word: StaticString, _ octets: [UInt8], _ start: Int) -> Bool {
        guard start + word.utf8CodeUnitCount <= octets.count else { return false }
        return (0..<word.utf8CodeUnitCount).allSatisfy { offset in
            let octet = octets[start + offset]
            return ((65...90).contains(octet) ? octet | 0x20 : octet) == word.utf8Start[offset]
        }
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
