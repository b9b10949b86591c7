// Octets there and back, over every kind of socket, and the ways in which a connection ends.

import Foundation
import Testing

@testable import EventLoop

extension EventLoopSuite {
    @Suite struct EchoTests {
        @Test(arguments: ["127.0.0.1:0", "[::1]:0"])
        func `what is sent comes back`(at text: String) async throws {
            try await served(at: text) { served in
                let client = try await served.connect()
                let answer = try await blocking {
                    try client.send("hello")
                    return try client.receiveText(5)
                }
                #expect(answer == "hello")
                client.close()
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.all == ["opened", "finished", "closed"])
            }
        }

        @Test func `a Unix socket echoes, and its file is gone after the end`() async throws {
            try await withTemporaryFolder { folder in
                let path = folder + "/echo"
                try await served(at: "unix:" + path) { served in
                    let client = try await served.connect()
                    let answer = try await blocking {
                        try client.send("hello")
                        return try client.receiveText(5)
                    }
                    #expect(answer == "hello")
                    client.close()
                    #expect(try await served.recorder.wait(for: "closed"))
                }
                #expect(!FileManager.default.fileExists(atPath: path))
            }
        }

        @Test func `after the client's FIN it still gets its answer`() async throws {
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onFinished = {
                    $0.send(Array("late".utf8))
                    $0.close()
                }
                return handler
            }
            try await served(handler: handler) { served in
                let client = try await served.connect()
                let answer = try await blocking {
                    client.finish()
                    return try client.receiveAll()
                }
                #expect(answer == Array("late".utf8))
                #expect(try await served.recorder.wait(for: "closed"))
            }
        }

        @Test func `a reset by the client is told, then the end`() async throws {
            try await served { served in
                let client = try await served.connect()
                try await blocking {
                    try client.send("x")
                    _ = try client.receive(exactly: 1)
                    client.abort()
                }
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.all == ["opened", "gone: the client reset the connection", "closed"])
            }
        }

        @Test func `a reset of a paused connection is told too`() async throws {
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = {
                    $0.pauseReading()
                    $0.send(Array("x".utf8))
                }
                return handler
            }
            try await served(handler: handler) { served in
                let client = try await served.connect()
                try await blocking {
                    _ = try client.receive(exactly: 1)
                    client.abort()
                }
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.all == ["opened", "gone: the client reset the connection", "closed"])
            }
        }

        @Test(arguments: [false, true])
        func `a client that leaves a paused connection is noticed once`(overUnix: Bool) async throws {
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = { $0.pauseReading() }
                handler.onReceived = { _, octets in recorder.note("received \(octets.count)") }
                return handler
            }
            try await withTemporaryFolder { folder in
                try await served(at: overUnix ? "unix:\(folder)/s" : "127.0.0.1:0", handler: handler) { served in
                    let client = try await served.connect()
                    try await blocking {
                        try client.send("unread")
                        client.finish()
                        if overUnix { client.close() }
                    }
                    #expect(try await served.recorder.wait(for: "leaving"))
                    let before = await served.loop.statistics.wakeUps
                    // Each entry runs behind the wake-ups that a busy loop would have.
                    for _ in 0..<200 { _ = await served.loop.statistics }
                    let after = await served.loop.statistics.wakeUps
                    #expect(after - before < 10)
                    await served.loop.forEachConnection { $0.resumeReading() }
                    #expect(try await served.recorder.wait(for: "closed"))
                    #expect(served.recorder.all == ["opened", "leaving", "received 6", "finished", "closed"])
                }
            }
        }

        @Test func `reset() offers what was sent, then sends RST`() async throws {
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onReceived = { connection, _ in
                    connection.send(Array("bye".utf8))
                    connection.reset()
                    connection.send(Array("never".utf8))
                }
                return handler
            }
            try await served(handler: handler) { served in
                let client = try await served.connect()
                let (octets, code) = try await blocking { () -> ([UInt8], Int32) in
                    try client.send("x")
                    var octets: [UInt8] = []
                    do {
                        while true {
                            let more = try client.receive()
                            if more.isEmpty { return (octets, 0) }
                            octets += more
                        }
                    } catch let error as ClientError { return (octets, error.code) }
                }
                #expect(octets == Array("bye".utf8))
                #expect(code == ECONNRESET)
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.all == ["opened", "closed"])
            }
        }

        @Test func `the last reply survives although the client goes on sending`() async throws {
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onReceived = { connection, _ in
                    connection.send(Array("554 no".utf8))
                    connection.close()
                }
                return handler
            }
            try await served(handler: handler) { served in
                for _ in 0..<20 {
                    let client = try await served.connect()
                    let answer = try await blocking {
                        for _ in 0..<8 { try client.send([UInt8](repeating: 0x61, count: 32_768)) }
                        return try client.receiveAll()
                    }
                    #expect(answer == Array("554 no".utf8))
                    client.close()
                }
                #expect(try await served.recorder.wait(for: "closed", count: 20))
            }
        }

        @Test func `a client that never says FIN is given up after the linger time`() async throws {
            var settings = LoopSettings()
            settings.lingerTime_ms = 50
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = { $0.close() }
                return handler
            }
            try await served(settings: settings, handler: handler) { served in
                let client = try await served.connect()
                #expect(try await blocking { try client.receiveAll() }.isEmpty)
                #expect(try await served.recorder.wait(for: "closed"))
                client.close()
            }
        }

        @Test func `two hundred clients at once each get their own octets`() async throws {
            try await served { served in
                let address = served.address
                let right = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for number in 0..<200 {
                        group.addTask {
                            try await blocking {
                                let client = try TestClient(address)
                                let text = "client \(1000 + number) "
                                for _ in 0..<20 {
                                    try client.send(text)
                                    guard try client.receiveText(text.utf8.count) == text else { return false }
                                }
                                return true
                            }
                        }
                    }
                    return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(right == 200)
                #expect(try await served.recorder.wait(for: "closed", count: 200))
                let statistics = await served.loop.statistics
                #expect(statistics.accepted == 200)
                #expect(statistics.open == 0)
            }
        }
    }
}
