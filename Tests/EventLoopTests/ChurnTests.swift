// Clients that come and go in every way at once: whatever they do, each session has one beginning and one end.

import Foundation
import Testing

@testable import EventLoop

/// Dice that fall the same way for the same seed.
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return (state ^ state >> 33) &* 0x9e37_79b9_7f4a_7c15
    }
}

extension EventLoopSuite {
    @Suite struct ChurnTests {
        @Test(arguments: [false, true])
        func `clients that vanish at random points leave nothing behind`(overUnix: Bool) async throws {
            let identity = try TLSIdentity.selfSigned(hostname: "mx.example")
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = { connection in
                    connection.setDeadline(Instant.now().adding(ms: 20))
                    switch connection.id % 7 {
                    case 0: connection.startTLS(identity)
                    case 1: connection.pauseReading()
                    case 2: connection.send([UInt8](repeating: 0x61, count: 1 << 20))
                    default: break
                    }
                }
                handler.onReceived = { connection, octets in
                    connection.send(octets)
                    switch octets.first.map({ $0 % 8 }) {
                    case 0: connection.close()
                    case 1: connection.reset()
                    case 2: connection.pauseReading()
                    case 3: connection.startTLS(identity)
                    default: break
                    }
                }
                handler.onDrained = { connection in
                    if connection.id % 5 == 0, connection.isOpen { connection.setDeadline(nil) }
                }
                handler.onDeadline = { connection, _ in
                    connection.resumeReading()
                    connection.send([1, 2, 3])
                    connection.close()
                }
                return handler
            }
            try await withTemporaryFolder { folder in
                var settings = LoopSettings()
                settings.lingerTime_ms = 50
                settings.flushTime_ms = 100
                let place = overUnix ? "unix:\(folder)/s" : "127.0.0.1:0"
                try await served(at: place, settings: settings, handler: handler) { served in
                    let address = served.address
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for thread in 0..<4 {
                            group.addTask {
                                try await blocking {
                                    var dice = Dice(state: UInt64(thread + 1))
                                    for _ in 0..<300 {
                                        guard let client = try? TestClient(address) else { continue }
                                        for _ in 0..<Int.random(in: 0...3, using: &dice) {
                                            let octet = UInt8.random(in: 0...255, using: &dice)
                                            let count = Int.random(in: 1...20_000, using: &dice)
                                            _ = try? client.send([UInt8](repeating: octet, count: count))
                                        }
                                        switch Int.random(in: 0...3, using: &dice) {
                                        case 0: client.abort()
                                        case 1: client.finish()
                                        default: client.close()
                                        }
                                    }
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                    #expect(await served.loop.waitUntilEmpty(atMost_ms: 10_000))
                    let opened = served.recorder.count("opened")
                    #expect(opened > 1000)
                    #expect(served.recorder.count("closed") == opened)
                }
            }
        }
    }
}
