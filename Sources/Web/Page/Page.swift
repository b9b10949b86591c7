// The page: HTML, CSS and ES modules that stand in the binary (CPage), served as they are. They hold nothing of what
// the sink has seen: whatever the page shows it asks of the API like everybody else, with a token where one is needed.

import CPage
import HTTPTypes
import Hummingbird
import Mail
import NIOCore

enum Page {
    static let prefix = "/page"

    static let routes = [Route("GET", "/", index), Route("GET", prefix + "/{name}", named)]

    /// What is served without a token, so that the page can ask for it.
    static func isOpen(_ path: String) -> Bool { path == "/" || path.hasPrefix(prefix + "/") }

    /// A file of the page.
    struct Asset: Sendable {
        let body: ByteBuffer
        let contentType: String
        /// Of the octets: the same file is the same in every run (RFC 9110 §8.8.3).
        let tag: String

        init(name: String, octets: [UInt8]) {
            body = ByteBuffer(bytes: octets)
            tag = "\"\(Checksums(of: octets).sha256.prefix(32))\""
            contentType =
                switch name.split(separator: ".").last {
                case "html": "text/html; charset=utf-8"
                case "css": "text/css; charset=utf-8"
                case "js": "text/javascript; charset=utf-8"
                case "svg": "image/svg+xml"
                default: "application/octet-stream"
                }
        }
    }

    /// By their names.
    static let assets: [String: Asset] = {
        var assets: [String: Asset] = [:]
        var next = page_assets()
        while next.pointee.name.pointee != 0 {
            let name = String(cString: next.pointee.name)
            assets[name] = Asset(name: name, octets: Array(String(cString: next.pointee.text).utf8))
            next += 1
        }
        return assets
    }()

    /// Nothing but the page's own files is loaded, run or sent to; no text becomes markup (Trusted Types). Frames show
    /// messages, which have a policy of their own; pictures are those that the page draws itself.
    static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
        frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
        require-trusted-types-for 'script'
        """

    @Sendable private static func index(_ call: inout Call) async throws -> Response { try asset("index.html", call) }

    @Sendable private static func named(_ call: inout Call) async throws -> Response {
        try asset(call.arguments["name"] ?? "", call)
    }

    private static func asset(_ name: String, _ call: Call) throws(Problem) -> Response {
        guard let asset = assets[name] else { throw .notFound("the page has no file \"\(name.shown)\"") }
        // A browser asks each time, and is answered in few octets: another version of fakemx has other files.
        var headers: HTTPFields = [.eTag: asset.tag, .cacheControl: "no-cache", .contentSecurityPolicy: policy]
        if knows(call.request.headers[values: .ifNoneMatch], asset.tag) {
            return Response(status: .notModified, headers: headers)
        }
        headers[.contentType] = asset.contentType
        return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: asset.body))
    }

    /// Compares weakly (RFC 9110 §13.1.2).
    static func knows(_ values: [String], _ tag: String) -> Bool {
        let known = values.flatMap { value in value.split(separator: ",").map { String($0).trimmed } }
        return known.contains("*") || known.contains(tag) || known.contains("W/" + tag)
    }
}
