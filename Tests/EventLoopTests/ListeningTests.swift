// Addresses as people write them, binding, and turning clients away at the limits.

import CLinux
import Foundation
import Testing

@testable import EventLoop

extension EventLoopSuite {
    @Suite struct ListeningTests {
        @Test(arguments: [
            ("127.0.0.1:1025", "127.0.0.1:1025"), ("localhost:0", "127.0.0.1:0"), ("[::1]:25", "[::1]:25"),
            ("[::]:25", "[::]:25"), ("0.0.0.0:25", "0.0.0.0:25"), ("unix:/run/x.sock", "unix:/run/x.sock"),
            ("mx.example:25", "mx.example:25"), ("[2001:DB8:0:0::1]:25", "[2001:db8::1]:25"),
        ])
        func `an address is read`(text: String, shown: String) throws {
            #expect(try ListenAddress.parse(text).description == shown)
        }

        @Test(arguments: [
            ("127.0.0.1", "expected HOST:PORT"), ("", "expected HOST:PORT"), (":25", "the host is missing"),
            ("127.0.0.1:", "port must be"), ("127.0.0.1:65536", "port must be"), ("127.0.0.1:+5", "port must be"),
            ("::1:25", "in brackets: [::1]:25"), ("[127.0.0.1]:25", "not an IPv6 address"),
            ("[zz]:25", "not an IPv6 address"), ("127.0.1:25", "not an IPv4 address"),
            ("1.2.3.400:25", "not an IPv4 address"), ("a b:25", "neither"), ("unix:x", "begin with a slash"),
            ("unix:/" + String(repeating: "x", count: 200), "at most 107"),
        ])
        func `what is no address is explained`(text: String, words: String) {
            let error = #expect(throws: ListenAddressError.self) { try ListenAddress.parse(text) }
            #expect(error?.description.contains(words) == true, "\(error?.description ?? "")")
        }

        @Test(arguments: [1, 3])
        func `a port in use is an error that names it`(loops: Int) throws {
            let first = try ListeningSocket.bind(.parse("127.0.0.1:0"), loops: 3)
            let address = try #require(first.first).address
            #expect(Set(first.map(\.address)).count == 1)
            let error = #expect(throws: ListenError.self) {
                try ListeningSocket.bind(.parse(address.description), loops: loops)
            }
            #expect(error?.code == EADDRINUSE)
            #expect(error?.description.hasPrefix("cannot listen on \(address): Address already in use") == true)
            for socket in first { socket.close() }
            let again = try ListeningSocket.bind(.parse(address.description), loops: loops)
            #expect(again.count == loops)
        }

        @Test func `IPv4 and IPv6 take the same port side by side`() throws {
            let v6 = try ListeningSocket.bind(.parse("[::]:0"), loops: 1)
            let port = try #require(v6.first).address.port
            #expect(try ListeningSocket.bind(.parse("0.0.0.0:\(port)"), loops: 1).count == 1)
        }

        @Test func `a left-over socket file is replaced, a live one and another file are not`() async throws {
            try await withTemporaryFolder { folder in
                let path = folder + "/s"
                let address = try ListenAddress.parse("unix:" + path)
                let stale = linux_stream_socket(AF_UNIX)
                _ = SocketAddress.unix(path).withSystemAddress { linux_bind(stale, $0, $1) }
                close(stale)
                let live = try ListeningSocket.bind(address, loops: 2)
                let error = #expect(throws: ListenError.self) { try ListeningSocket.bind(address, loops: 1) }
                #expect(error?.code == EADDRINUSE)
                live[0].close()
                #expect(FileManager.default.fileExists(atPath: path))
                live[1].close()
                #expect(!FileManager.default.fileExists(atPath: path))
                try "precious".write(toFile: path, atomically: true, encoding: .utf8)
                let other = #expect(throws: ListenError.self) { try ListeningSocket.bind(address, loops: 1) }
                #expect(other?.description.contains("not a socket") == true)
                #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
            }
        }

        @Test func `beyond the limit a client is told and turned away`() async throws {
            var settings = LoopSettings()
            settings.connectionLimit = 2
            let refuse: RefusalHandler = { reason, _ in Array("421 \(reason)".utf8) }
            try await served(settings: settings, refuse: refuse) { served in
                let inside = [try await served.connect(), try await served.connect()]
                #expect(try await served.recorder.wait(for: "opened", count: 2))
                let refused = try await served.connect()
                let answer = try await blocking { try refused.receiveAll() }
                #expect(String(decoding: answer, as: UTF8.self) == "421 tooManyConnections")
                inside[0].close()
                #expect(try await served.recorder.wait(for: "closed"))
                let next = try await served.connect()
                let echo = try await blocking {
                    try next.send("in")
                    return try next.receiveText(2)
                }
                #expect(echo == "in")
                #expect(await served.loop.statistics.refusedOverLimit == 1)
                for client in inside { client.close() }
            }
        }

        @Test func `three loops share one address, and shutting them down frees every descriptor`() async throws {
            // Dispatch opens descriptors of its own at the first use.
            try await served { _ in }
            let before = openDescriptors()
            for text in ["127.0.0.1:0", "unix:" + NSTemporaryDirectory() + "fakemx-\(getpid()).s"] {
                let recorder = Recorder()
                let sockets = try ListeningSocket.bind(.parse(text), loops: 3)
                let address = try #require(sockets.first).address
                var loops: [EventLoop] = []
                for (index, socket) in sockets.enumerated() {
                    let loop = try EventLoop(index: index, settings: LoopSettings())
                    try await loop.listen(on: [socket], accept: { _ in TestHandler.echo(recorder) })
                    loops.append(loop)
                }
                let clients = try await blocking { () -> [TestClient] in
                    let clients = try (0..<30).map { _ in try TestClient(address) }
                    for client in clients {
                        try client.send("x")
                        _ = try client.receive(exactly: 1)
                    }
                    return clients
                }
                #expect(recorder.count("opened") == 30)
                for loop in loops { await loop.stopAccepting() }
                #expect(throws: ClientError.self) { try TestClient(address) }
                for loop in loops { await loop.forEachConnection { $0.close() } }
                try await blocking {
                    for client in clients {
                        _ = try client.receiveAll()
                        client.close()
                    }
                }
                for loop in loops { #expect(await loop.waitUntilEmpty(atMost_ms: 5000)) }
                for loop in loops { await loop.shutdown() }
                #expect(recorder.count("closed") == 30)
            }
            #expect(openDescriptors() <= before)
        }

        @Test func `shutting down ends open connections`() async throws {
            let recorder = Recorder()
            let loop = try EventLoop(index: 0, settings: LoopSettings())
            let sockets = try ListeningSocket.bind(.parse("127.0.0.1:0"), loops: 1)
            let address = try #require(sockets.first).address
            try await loop.listen(on: sockets, accept: { _ in TestHandler.echo(recorder) })
            let client = try await blocking { try TestClient(address) }
            #expect(try await recorder.wait(for: "opened"))
            await loop.shutdown()
            #expect(recorder.all == ["opened", "closed"])
            #expect(try await blocking { try client.receiveAll() }.isEmpty)
            await loop.shutdown()
        }

        @Test func `other threads reach a connection by its number`() async throws {
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = { recorder.note("\($0.id)") }
                return handler
            }
            try await served(handler: handler) { served in
                let client = try await served.connect()
                #expect(try await blocking { served.recorder.wait { $0.count == 2 } })
                let number = try #require(UInt64(served.recorder.all.last ?? ""))
                served.loop.perform { loop in
                    loop.withConnection(number) { $0.send(Array("from afar".utf8)) }
                }
                #expect(try await blocking { try client.receiveText(9) } == "from afar")
                client.close()
                #expect(try await served.recorder.wait(for: "closed"))
                await served.loop.withConnection(number) { _ in served.recorder.note("found") }
                #expect(served.recorder.count("found") == 0)
            }
        }
    }
}
