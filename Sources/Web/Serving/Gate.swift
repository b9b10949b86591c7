// Who may ask at all: the Host of the request, its Origin, its token. Asked before anything else.
//
// A page on some web site can make a browser talk to 127.0.0.1. Its Origin gives it away; and when its own name was
// pointed to 127.0.0.1 (DNS rebinding), the Host does.

import Faults
import FoundationEssentials
import HTTPTypes
import Hummingbird

struct Gate: Sendable {
    /// Endings of names that nobody can register (RFC 6761, RFC 6762, and `internal`).
    private static let privateEndings = [".localhost", ".test", ".local", ".internal", ".invalid", ".example"]

    private let token: [UInt8]?
    private let hosts: Set<String>
    private let origins: Set<String>
    private let frames: FrameKey

    init(_ settings: WebSettings, _ frames: FrameKey) {
        self.frames = frames
        token = settings.token.map { Array($0.utf8) }
        hosts = Set(settings.hosts.map(\.asciiLowercased))
        origins = Set(settings.origins)
    }

    /// The second Host of a request stands among its fields; the first is its authority.
    private static let host = HTTPField.Name("Host") ?? .expect

    /// Where the request says it goes, and from where.
    ///
    /// - Throws: why it is not heard.
    func admitCaller(_ request: Request) throws(Problem) {
        // RFC 9112 §3.2
        if request.headers[values: Self.host].first != nil {
            throw Problem(
                "bad-host", 400, "The Host is there twice", "a request has one Host header", parameter: "Host")
        }
        try admitHost(request.head.authority)
        if let origin = request.headers[.origin], !isAllowed(origin, request.head.authority) {
            throw Problem(
                "foreign-origin", 403, "The origin is foreign",
                "a page of \"\(origin.shown)\" may not use this API; --http-origin allows it", parameter: "Origin")
        }
        try admitFetch(request)
    }

    /// What a browser says of where a request comes from (Fetch Metadata): an image or a link of another site has no
    /// Origin, and would take messages or hold waits all the same. To go to a page is everybody's right.
    private func admitFetch(_ request: Request) throws(Problem) {
        guard let site = request.headers[values: Self.fetchSite].first, site == "cross-site" || site == "same-site",
            !origins.contains("*"), request.headers[.origin] == nil
        else { return }
        let isVisit = request.headers[values: Self.fetchMode].first == "navigate" && request.method == .get
        guard isVisit, !(request.head.path ?? "").hasPrefix("/api/") else {
            throw Problem(
                "foreign-origin", 403, "The origin is foreign",
                "a page of another site may not use this API; --http-origin allows it", parameter: "Sec-Fetch-Site")
        }
    }

    private static let fetchSite = HTTPField.Name("Sec-Fetch-Site") ?? .origin
    private static let fetchMode = HTTPField.Name("Sec-Fetch-Mode") ?? .origin

    /// - Throws: a problem where a token is needed and not said.
    ///
    /// - Parameter query: what stands behind the `?`.
    func admitToken(_ request: Request, path: String, query: Substring?) throws(Problem) {
        // A monitor needs no token to see that somebody is there.
        guard path != "/livez", path != "/readyz", !Page.isOpen(path) else { return }
        if token != nil, let query, frames.opens(path, Self.key(query)) { return }
        try admitToken(request.headers[.authorization])
    }

    private static func key(_ query: Substring) -> String? {
        query.split(separator: "&").first { $0.hasPrefix("key=") }.map { String($0.dropFirst(4)) }
    }

    private func admitHost(_ authority: String?) throws(Problem) {
        guard let authority, !authority.isEmpty else {
            throw Problem("bad-host", 400, "The Host is missing", "HTTP/1.1 asks for a Host header", parameter: "Host")
        }
        var host = Self.host(authority).asciiLowercased
        if host.hasSuffix("."), host != "." { host.removeLast() }  // the root that every name ends in
        let isName = host.utf8.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0)
        }
        let isPlain = isName && !host.contains(".") || isName && Self.privateEndings.contains { host.hasSuffix($0) }
        guard isPlain || IPAddress(host) != nil || hosts.contains(host) else {
            throw Problem(
                "foreign-host", 421, "The Host is foreign",
                "\"\(host.shown)\" is not a name of this server (DNS rebinding would look like that); "
                    + "--http-host \(host.shown) allows it", parameter: "Host")
        }
    }

    /// Without its port. What stands behind the name and is no port is left there, so that it is no known name.
    private static func host(_ authority: String) -> String {
        let ending = authority.reversed().prefix { $0.isASCII && $0.isNumber }.count
        let rest = authority.dropLast(ending)
        return String(rest.hasSuffix(":") ? rest.dropLast() : authority[...])
    }

    /// The origin itself, or one that is named.
    func isAllowed(_ origin: String, _ authority: String?) -> Bool {
        let lower = origin.asciiLowercased
        if let authority,
            lower == "http://" + authority.asciiLowercased || lower == "https://" + authority.asciiLowercased
        {
            return true
        }
        return isNamed(origin)
    }

    /// It may read answers across origins.
    func isNamed(_ origin: String) -> Bool { origins.contains("*") || origins.contains(origin.asciiLowercased) }

    private func admitToken(_ authorization: String?) throws(Problem) {
        guard let token else { return }
        let problem = Problem(
            "unauthorized", 401, "A token is needed",
            "say it as Authorization: Bearer TOKEN, or as the password of Basic",
            parameter: "Authorization")
        guard let authorization else { throw problem }
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2 else { throw problem }
        switch String(parts[0]).asciiLowercased {
        case "bearer": guard Self.isSame(Array(parts[1].utf8), token) else { throw problem }
        case "basic":
            // RFC 7617 §2: a user name has no colon, a password may.
            guard let decoded = Data(base64Encoded: String(parts[1])),
                let colon = decoded.firstIndex(of: UInt8(ascii: ":")),
                Self.isSame(Array(decoded[(colon + 1)...]), token)
            else { throw problem }
        default: throw problem
        }
    }

    /// In a time that does not tell how far they are the same.
    static func isSame(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for (x, y) in zip(a, b) { difference |= x ^ y }
        return difference == 0
    }
}
