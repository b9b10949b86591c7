// TLS against openssl s_client: octets both ways, what the handshake tells, and why it failed, in words.

import Foundation
import Testing

@testable import EventLoop

/// The openssl program as a client.
struct OpenSSLClient {
    /// Runs `openssl ARGUMENTS`, feeds `input`, and waits for what `isDone` accepts; then hangs up.
    static func run(
        _ arguments: [String], input: String = "", until isDone: @escaping @Sendable (String) -> Bool
    ) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        let (toClient, fromClient) = (Pipe(), Pipe())
        process.standardInput = toClient
        process.standardOutput = fromClient
        process.standardError = fromClient
        try process.run()
        // SIGTERM is blocked in the children of a thread that blocks it.
        let number = process.processIdentifier
        let watchdog = DispatchWorkItem { kill(number, SIGKILL) }
        DispatchQueue.global().asyncAfter(deadline: .now() + patience_s, execute: watchdog)
        toClient.fileHandleForWriting.write(Data(input.utf8))
        var text = ""
        while !isDone(text) {
            let more = fromClient.fileHandleForReading.availableData
            if more.isEmpty { break }
            text += String(decoding: more, as: UTF8.self)
        }
        try toClient.fileHandleForWriting.close()
        watchdog.cancel()
        kill(number, SIGKILL)
        process.waitUntilExit()
        return text
    }

    /// Makes a client's certificate and key.
    static func makeCertificate(in folder: String, name: String, address: String) throws {
        _ = try run(
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                "\(folder)/client.key", "-out", "\(folder)/client.pem", "-subj", "/CN=\(name)", "-addext",
                "subjectAltName=email:\(address),DNS:\(name)",
            ], until: { _ in false })
    }
}

/// A handler that begins TLS at once and echoes inside it.
private func implicit(_ identity: TLSIdentity) -> @Sendable (Recorder) -> TestHandler {
    { recorder in
        let handler = TestHandler.echo(recorder)
        handler.onOpened = { $0.startTLS(identity) }
        handler.onHandshake = { connection, result in
            if case .success(let facts) = result {
                recorder.note("sni: \(facts.sni ?? "none")")
                recorder.note("names: \(facts.clientNames.joined(separator: " "))")
                connection.send(Array("220 inside\n".utf8))
            }
        }
        return handler
    }
}

extension EventLoopSuite {
    @Suite struct TLSTests {
        let identity: TLSIdentity

        init() throws { identity = try TLSIdentity.selfSigned(hostname: "mx.example") }

        @Test(arguments: [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
        func `octets go both ways inside TLS`(flag: String, version: String) async throws {
            try await served(handler: implicit(identity)) { served in
                let port = served.address.port
                let text = try await blocking {
                    try OpenSSLClient.run(
                        ["s_client", "-connect", "127.0.0.1:\(port)", flag, "-quiet", "-servername", "mx.example"],
                        input: "there and back\n", until: { $0.contains("there and back\n") })
                }
                #expect(text.contains("220 inside\n"))
                #expect(text.contains("there and back\n"))
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.count("handshake: \(version)") == 1)
                #expect(served.recorder.count("sni: mx.example") == 1)
                let statistics = await served.loop.statistics
                #expect(statistics.handshakes == 1)
            }
        }

        @Test func `a clear connection turns into TLS, what was sent before goes in clear`() async throws {
            let identity = identity
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = { $0.send(Array("220 clear\r\n".utf8)) }
                handler.onReceived = { connection, octets in
                    let line = String(decoding: octets, as: UTF8.self)
                    if connection.isTLS {
                        connection.send(octets)
                    } else if line.hasPrefix("EHLO") {
                        connection.send(Array("250-x\r\n250 STARTTLS\r\n".utf8))
                    } else {
                        connection.send(Array("220 go\r\n".utf8))
                        connection.startTLS(identity)
                        connection.startTLS(identity)
                    }
                }
                return handler
            }
            try await served(handler: handler) { served in
                let port = served.address.port
                let text = try await blocking {
                    try OpenSSLClient.run(
                        ["s_client", "-connect", "127.0.0.1:\(port)", "-starttls", "smtp", "-quiet"],
                        input: "NOOP inside\n", until: { $0.contains("NOOP inside") })
                }
                #expect(text.contains("NOOP inside"))
                #expect(try await served.recorder.wait(for: "closed"))
            }
        }

        @Test func `a megabyte inside TLS arrives whole, and close() ends it properly`() async throws {
            let identity = identity
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = { $0.startTLS(identity) }
                handler.onHandshake = { connection, _ in
                    connection.send(Array(repeating: UInt8(ascii: "a"), count: 1 << 20))
                    connection.close()
                }
                return handler
            }
            try await served(handler: handler) { served in
                let port = served.address.port
                let text = try await blocking {
                    try OpenSSLClient.run(
                        ["s_client", "-connect", "127.0.0.1:\(port)", "-quiet", "-verify_quiet"], until: { _ in false })
                }
                #expect(text.utf8.count { $0 == UInt8(ascii: "a") } >= 1 << 20)
                // OpenSSL says so when FIN comes without close_notify.
                #expect(!text.contains("unexpected eof"))
                #expect(try await served.recorder.wait(for: "closed"))
            }
        }

        @Test func `the names of a client's certificate are recorded`() async throws {
            try await withTemporaryFolder { folder in
                try await blocking {
                    try OpenSSLClient.makeCertificate(in: folder, name: "sender.example", address: "ops@sender.example")
                }
                try await served(handler: implicit(identity)) { served in
                    let port = served.address.port
                    _ = try await blocking {
                        try OpenSSLClient.run(
                            [
                                "s_client", "-connect", "127.0.0.1:\(port)", "-quiet", "-cert",
                                "\(folder)/client.pem", "-key", "\(folder)/client.key",
                            ], until: { $0.contains("220 inside") })
                    }
                    #expect(try await served.recorder.wait(for: "closed"))
                    #expect(served.recorder.count("names: sender.example ops@sender.example") == 1)
                }
            }
        }

        @Test func `octets right behind the client's handshake wait while reading is paused`() async throws {
            let identity = identity
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = { $0.startTLS(identity) }
                handler.onHandshake = { connection, _ in
                    connection.pauseReading()
                    connection.setDeadline(Instant.now().adding(ms: 100))
                }
                handler.onDeadline = { connection, _ in connection.resumeReading() }
                handler.onReceived = { connection, octets in
                    recorder.note("received")
                    connection.send(octets)
                }
                return handler
            }
            try await served(handler: handler) { served in
                let port = served.address.port
                let text = try await blocking {
                    try OpenSSLClient.run(
                        ["s_client", "-connect", "127.0.0.1:\(port)", "-quiet"], input: "early bird\n",
                        until: { $0.contains("early bird") })
                }
                #expect(text.contains("early bird"))
                #expect(try await served.recorder.wait(for: "closed"))
                let order = served.recorder.all.filter { ["deadline", "received"].contains($0) }
                #expect(order == ["deadline", "received"])
            }
        }

        // MARK: failures

        private func failure(of arguments: [String]) async throws -> String {
            let reasons = Recorder()
            try await served(handler: implicit(identity)) { served in
                let port = served.address.port
                _ = try await blocking {
                    try OpenSSLClient.run(
                        ["s_client", "-connect", "127.0.0.1:\(port)"] + arguments, until: { _ in false })
                }
                #expect(try await served.recorder.wait(for: "closed"))
                for entry in served.recorder.all { reasons.note(entry) }
                let statistics = await served.loop.statistics
                #expect(statistics.handshakeFailures == 1)
            }
            return reasons.all.first { $0.hasPrefix("handshake failed: ") } ?? ""
        }

        @Test func `an old version of TLS is named as the reason`() async throws {
            let reason = try await failure(of: ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
            #expect(reason.contains("TLS 1.2"), "\(reason)")
        }

        @Test func `a client that does not trust us says so by its alert`() async throws {
            let reason = try await failure(of: ["-verify_return_error", "-verify", "3"])
            #expect(reason.contains("the client sent the alert"), "\(reason)")
        }

        @Test func `no cipher suite in common is named as the reason`() async throws {
            let reason = try await failure(of: ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"])
            #expect(reason.contains("cipher suite"), "\(reason)")
        }

        @Test(arguments: [
            ("GET / HTTP/1.1\r\n\r\n", "handshake failed: http request: the client speaks HTTP in clear"),
            ("EHLO in.clear\r\n", "what the client sent is not TLS"),
            ("", "handshake failed: the client closed the connection during the handshake"),
            ("\u{16}\u{3}\u{1}", "handshake failed: the client closed the connection during the handshake"),
        ])
        func `what is no handshake is named`(text: String, reason: String) async throws {
            try await served(handler: implicit(identity)) { served in
                let client = try await served.connect()
                try await blocking {
                    try client.send(text)
                    client.finish()
                    _ = try? client.receiveAll()
                }
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.all.contains { $0.contains(reason) }, "\(served.recorder.all)")
            }
        }

        @Test func `a reset during the handshake fails it first`() async throws {
            try await served(handler: implicit(identity)) { served in
                let client = try await served.connect()
                try await blocking {
                    _ = served.recorder.wait { $0.contains("opened") }
                    client.abort()
                }
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(
                    served.recorder.all == [
                        "opened", "handshake failed: the client reset the connection during the handshake",
                        "gone: the client reset the connection", "closed",
                    ])
            }
        }

        @Test(arguments: [false, true])
        func `a handshake can be broken off`(byReset: Bool) async throws {
            let identity = identity
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = {
                    $0.startTLS(identity)
                    $0.setDeadline(Instant.now().adding(ms: 5))
                }
                handler.onDeadline = { connection, _ in byReset ? connection.reset() : connection.close() }
                return handler
            }
            try await served(handler: handler) { served in
                let client = try await served.connect()
                try await blocking { _ = try? client.receiveAll() }
                client.close()
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.all == ["opened", "deadline", "closed"])
            }
        }

        @Test func `garbled records after the handshake are a fault of TLS, told in words`() async throws {
            try await served(handler: implicit(identity)) { served in
                let relay = try await blocking { try GarblingRelay(to: served.address) }
                let port = relay.port
                _ = try await blocking {
                    try OpenSSLClient.run(
                        ["s_client", "-connect", "127.0.0.1:\(port)", "-tls1_2", "-quiet"], input: "to be garbled\n",
                        until: { _ in false })
                }
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.all.contains { $0.hasPrefix("gone: TLS failed: ") }, "\(served.recorder.all)")
            }
        }
    }
}
