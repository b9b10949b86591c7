// One HTTP request and its answer, whole or line by line: what the command line asks a running fakemx with, and the
// sink those outside.

import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix

/// Somebody could not be asked.
package struct HTTPTrouble: Error, CustomStringConvertible {
    /// What happened, where, what to do.
    package let description: String
    /// What it said in place of what was asked for.
    package let refusal: HTTPCaller.Answer?

    package init(_ description: String, refusal: HTTPCaller.Answer? = nil) {
        self.description = description
        self.refusal = refusal
    }
}

package struct HTTPCaller: Sendable {
    /// Octets of an answer, at most.
    package static let largestAnswer = 256 << 20
    static let connectTimeout_s: Int64 = 5

    package struct Answer: Sendable {
        package let status: Int
        package let body: [UInt8]
        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    private typealias Channel = NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>

    package let url: String
    private let host: String
    private let port: Int
    private let unixPath: String?
    private let token: String?
    /// What somebody is told who finds nobody there.
    private let hint: String

    /// - Parameters:
    ///   - url: `http://127.0.0.1:8025`, or `unix:/path`.
    ///   - hint: behind what is wrong, where nobody is there.
    package init(url: String, token: String? = nil, hint: String = "") throws(HTTPTrouble) {
        self.url = url
        self.token = token
        self.hint = hint
        if url.hasPrefix("unix:") {
            (host, port, unixPath) = ("localhost", 0, String(url.dropFirst(5)))
            return
        }
        guard url.hasPrefix("http://") else {
            throw HTTPTrouble("\"\(url)\" is no address here; write http://HOST:PORT")
        }
        let rest = url.dropFirst(7).prefix { $0 != "/" }
        let colon = rest.hasSuffix("]") ? nil : rest.lastIndex(of: ":")
        let name = colon.map { rest[..<$0] } ?? rest
        guard !name.isEmpty, let port = colon.map({ Int(rest[rest.index(after: $0)...]) }) ?? 80,
            (1...65535).contains(port)
        else { throw HTTPTrouble("\"\(url)\" is no address here; write http://HOST:PORT") }
        host = name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : String(name)
        self.port = port
        unixPath = nil
    }

    /// One request and its whole answer.
    ///
    /// - Parameter patience: how long all of it may take; nil: for ever.
    package func call(
        _ method: String, _ path: String, query: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        headers: [(String, String)] = [], patience: Duration? = nil
    ) async throws(HTTPTrouble) -> Answer {
        guard let patience else { return try await answer(method, path, query, body, headers) }
        let result = await withTaskGroup(of: Result<Answer, HTTPTrouble>?.self) { group in
            group.addTask {
                do throws(HTTPTrouble) {
                    return .success(try await answer(method, path, query, body, headers))
                } catch { return .failure(error) }
            }
            group.addTask {
                try? await Task.sleep(for: patience)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        guard let result else { throw HTTPTrouble("\(url): no answer within \(patience)") }
        return try result.get()
    }

    private func answer(
        _ method: String, _ path: String, _ query: [(name: String, value: String)], _ body: [UInt8]?,
        _ headers: [(String, String)]
    ) async throws(HTTPTrouble) -> Answer {
        var status = 0
        var octets: [UInt8] = []
        try await exchange(method, path, query, body: body, headers: headers) { part in
            switch part {
            case .head(let head): status = Int(head.status.code)
            case .body(let buffer):
                guard octets.count + buffer.readableBytes <= Self.largestAnswer else {
                    throw HTTPTrouble("\(url): the answer has more than \(Self.largestAnswer) octets")
                }
                octets += buffer.readableBytesView
            case .end: return false
            }
            return true
        }
        guard status > 0 else { throw HTTPTrouble("\(url): the connection was closed before an answer came") }
        return Answer(status: status, body: octets)
    }

    /// A stream of lines, until it ends or nobody wants more.
    ///
    /// - Parameter take: returns whether it wants more.
    package func lines(
        _ path: String, query: [(name: String, value: String)] = [], headers: [(String, String)] = [],
        _ take: (String) throws -> Bool
    ) async throws(HTTPTrouble) {
        var status = 0
        var rest: [UInt8] = []
        try await exchange("GET", path, query, body: nil, headers: headers) { part in
            switch part {
            case .head(let head):
                status = Int(head.status.code)
                return true
            case .body(let buffer):
                rest += buffer.readableBytesView
                guard status == 200 else { return true }
                while let end = rest.firstIndex(of: 10) {
                    let line = String(decoding: rest[..<end], as: UTF8.self)
                    rest.removeSubrange(...end)
                    guard try take(line) else { return false }
                }
                return true
            case .end: return false
            }
        }
        guard status == 200 else {
            throw HTTPTrouble(
                "\(url): \(String(decoding: rest, as: UTF8.self))", refusal: Answer(status: status, body: rest))
        }
    }

    private func exchange(
        _ method: String, _ path: String, _ query: [(name: String, value: String)], body: [UInt8]?,
        headers: [(String, String)], _ take: (HTTPClientResponsePart) throws -> Bool
    ) async throws(HTTPTrouble) {
        let channel: Channel
        do { channel = try await connect() } catch {
            throw HTTPTrouble("\(url): \(Self.words(error))\(hint)")
        }
        var isDone = false
        do {
            try await channel.executeThenClose { inbound, outbound in
                // In one go: what is whole to the server may be answered, and the connection closed, before an end of
                // its own were written, and writing that would fail.
                var parts: [HTTPClientRequestPart] = [.head(head(method, path, query, body, headers))]
                if let body { parts.append(.body(.byteBuffer(ByteBuffer(bytes: body)))) }
                try await outbound.write(contentsOf: parts + [.end(nil)])
                for try await part in inbound {
                    guard try take(part) else {
                        isDone = true
                        return
                    }
                }
            }
        } catch let trouble as HTTPTrouble {
            throw trouble
        } catch {
            // Behind a whole answer it does not matter who closes first.
            if isDone { return }
            throw HTTPTrouble("\(url): the connection broke: \(Self.words(error))")
        }
    }

    private func connect() async throws -> Channel {
        let bootstrap = ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connectTimeout(.seconds(Self.connectTimeout_s))
        @Sendable func prepare(_ channel: any NIOCore.Channel) -> EventLoopFuture<Channel> {
            channel.eventLoop.makeCompletedFuture {
                try channel.pipeline.syncOperations.addHTTPClientHandlers()
                return try Channel(wrappingChannelSynchronously: channel)
            }
        }
        if let unixPath {
            return try await bootstrap.connect(unixDomainSocketPath: unixPath, channelInitializer: prepare)
        }
        return try await bootstrap.connect(host: host, port: port, channelInitializer: prepare)
    }

    private func head(
        _ method: String, _ path: String, _ query: [(name: String, value: String)], _ body: [UInt8]?,
        _ headers: [(String, String)]
    ) -> HTTPRequestHead {
        let pairs = query.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }.joined(separator: "&")
        var head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: method), uri: path + (pairs.isEmpty ? "" : "?" + pairs))
        head.headers.add(name: "host", value: host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
        head.headers.add(name: "connection", value: "close")
        if let token { head.headers.add(name: "authorization", value: "Bearer \(token)") }
        if let body { head.headers.add(name: "content-length", value: "\(body.count)") }
        for (name, value) in headers { head.headers.add(name: name, value: value) }
        return head
    }

    /// All but unreserved characters (RFC 3986 §2.3) as percent escapes.
    package static func encoded(_ text: String) -> String {
        var encoded = ""
        for octet in text.utf8 {
            let isPlain =
                (48...57).contains(octet) || (65...90).contains(octet) || (97...122).contains(octet)
                || [45, 46, 95, 126].contains(octet)
            if isPlain {
                encoded.unicodeScalars.append(Unicode.Scalar(octet))
            } else {
                let digits = Array("0123456789ABCDEF")
                encoded += "%\(digits[Int(octet >> 4)])\(digits[Int(octet & 15)])"
            }
        }
        return encoded
    }

    private static func words(_ error: any Error) -> String {
        if let error = error as? IOError { return String(cString: strerror(error.errnoCode)) }
        if let error = error as? NIOConnectionError {
            return error.connectionErrors.first.map { words($0.error) } ?? "no address is known for \(error.host)"
        }
        return "\(error)"
    }
}
