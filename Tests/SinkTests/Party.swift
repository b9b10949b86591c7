// A whole server in the test's process, with clients that speak line by line over real sockets.

import Dispatch
import EventLoop
import Faults
import Glibc
import SMTP
import Store

@testable import Sink

/// A running server on loopback.
final class Party: Sendable {
    let server: Server
    let port: UInt16

    init(rules: [String] = [], retention: Retention = Retention(), loops: Int = 2) async throws {
        let listener = ListenerConfiguration(
            name: "smtp", address: try ListenAddress.parse("127.0.0.1:0"), profile: Profile(hostname: "mx.test"),
            identity: nil)
        let configuration = SinkConfiguration(
            listeners: [listener], tlsMenu: try TLSMenu(), rules: try rules.map { try RuleLine.parse($0) },
            store: .memory(retention), loops: loops)
        server = try Server(configuration: configuration, transcriptDescriptor: -1)
        port = try await server.start().first?.port ?? 0
    }

    func stop() async { await server.stop(grace_ms: 0) }

    /// Sends one message, or as much of it as is taken; returns the last reply.
    @discardableResult
    func send(from: String = "me@client.example", to: [String], helo: String = "client.example") async throws -> String
    {
        let port = port
        return try await Off.pool {
            let client = try Talk(port)
            defer { client.close() }
            _ = client.read()
            client.say("EHLO \(helo)")
            var last = client.say("MAIL FROM:<\(from)>")
            for address in to where last.hasPrefix("2") { last = client.say("RCPT TO:<\(address)>") }
            if last.hasPrefix("2") { last = client.say("DATA") }
            if last.hasPrefix("3") { last = client.say("Subject: to \(to[0])\r\n\r\nHello\r\n.") }
            client.say("QUIT")
            return last
        }
    }
}

struct NoConnection: Error { let code: Int32 }

/// A blocking client, for threads of its own.
final class Talk {
    private let socket: Int32

    init(_ port: UInt16) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let status = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw NoConnection(code: errno) }
    }

    @discardableResult
    func say(_ line: String) -> String {
        let octets = Array((line + "\r\n").utf8)
        _ = Glibc.send(socket, octets, octets.count, Int32(MSG_NOSIGNAL))
        return read()
    }

    /// One whole reply; what came before the end of the connection otherwise.
    func read() -> String {
        var reply: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            reply += buffer[..<count]
            let lines = reply.split(separator: 10)
            if reply.last == 10, let last = lines.last, last.count > 3, last[last.startIndex + 3] != UInt8(ascii: "-") {
                break
            }
        }
        return String(decoding: reply, as: UTF8.self)
    }

    func close() { Glibc.close(socket) }
}

/// Runs what blocks on a thread that nobody else needs.
enum Off {
    static func pool<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { done in
            DispatchQueue(label: "test").async { done.resume(with: Result { try body() }) }
        }
    }
}
