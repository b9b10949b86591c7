// Slow readers, floods, paused and limited reading: memory stays bounded and others are served.

import Foundation
import Testing

@testable import EventLoop

extension EventLoopSuite {
    @Suite struct FlowTests {
        @Test func `a slow reader gets every octet`() async throws {
            let total = 8 << 20
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onReceived = { connection, _ in
                    let block = (0..<65_536).map { UInt8(truncatingIfNeeded: $0) }
                    for _ in 0..<(total / block.count) { connection.send(block) }
                    recorder.note(connection.isCongested ? "congested" : "not congested")
                }
                handler.onDrained = { connection in recorder.note("drained, \(connection.pendingOutput) left") }
                return handler
            }
            try await served(handler: handler) { served in
                let client = try await served.connect(receiveBuffer: 4096)
                let octets = try await blocking {
                    try client.send("x")
                    return try client.receive(exactly: total)
                }
                #expect(octets.enumerated().allSatisfy { $1 == UInt8(truncatingIfNeeded: $0) })
                #expect(try await served.recorder.wait(for: "drained, 0 left"))
                #expect(served.recorder.count("congested") == 1)
            }
        }

        @Test func `a client that floods and never reads is not read from any more`() async throws {
            let flood = 64 << 20
            try await served { served in
                let client = try await served.connect(receiveBuffer: 4096)
                var limit = timeval(tv_sec: 0, tv_usec: 300_000)
                setsockopt(client.descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
                let sent = try await blocking {
                    let block = [UInt8](repeating: 0x61, count: 1 << 16)
                    var sent = 0
                    while sent < flood {
                        do { try client.send(block) } catch { break }
                        sent += block.count
                    }
                    return sent
                }
                #expect(sent < flood)
                let pending = Recorder()
                await served.loop.forEachConnection { pending.note("\($0.pendingOutput)") }
                let kept = try #require(Int(pending.all.first ?? ""))
                let settings = LoopSettings()
                #expect(kept > settings.pendingOutputLimit)
                #expect(kept <= settings.pendingOutputLimit + settings.readBuffer)
                // Others are served meanwhile.
                let other = try await served.connect()
                let answer = try await blocking {
                    try other.send("still here")
                    return try other.receiveText(10)
                }
                #expect(answer == "still here")
                // The flooder vanishes, noticed though nothing is read from it.
                client.abort()
                #expect(try await served.recorder.wait(for: "closed"))
            }
        }

        @Test func `one turn never takes more than the read limit`() async throws {
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = { $0.readLimit = 3 }
                handler.onReceived = { _, octets in recorder.note("\(octets.count)") }
                return handler
            }
            try await served(handler: handler) { served in
                let client = try await served.connect()
                try await blocking {
                    try client.send("12345678")
                    client.finish()
                }
                #expect(try await served.recorder.wait(for: "closed"))
                #expect(served.recorder.all == ["opened", "3", "3", "2", "finished", "closed"])
            }
        }

        @Test func `a flooding client does not starve the others`() async throws {
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onReceived = { if $1.count < 100 { $0.send($1) } }
                return handler
            }
            try await served(handler: handler) { served in
                let flooder = try await served.connect()
                let quiet = try await served.connect()
                let flooding = Task {
                    try await blocking {
                        let block = [UInt8](repeating: 0x61, count: 1 << 16)
                        while true { try flooder.send(block) }
                    }
                }
                let slowest_ms = try await blocking {
                    var slowest: UInt64 = 0
                    for _ in 0..<200 {
                        let begin = Instant.now()
                        try quiet.send("ping")
                        _ = try quiet.receive(exactly: 4)
                        slowest = max(slowest, Instant.now().since_ns(begin))
                    }
                    return slowest / 1_000_000
                }
                #expect(slowest_ms < 2000)
                await served.loop.forEachConnection { $0.reset() }
                _ = await flooding.result
            }
        }

        @Test func `output to a client that takes nothing ends with a reset after the flush time`() async throws {
            var settings = LoopSettings()
            settings.flushTime_ms = 50
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = {
                    $0.send([UInt8](repeating: 0x61, count: 16 << 20))
                    $0.close()
                }
                return handler
            }
            try await served(settings: settings, handler: handler) { served in
                let client = try await served.connect(receiveBuffer: 4096)
                #expect(try await served.recorder.wait(for: "closed"))
                let code = try await blocking { () -> Int32 in
                    do {
                        _ = try client.receiveAll()
                        return 0
                    } catch let error as ClientError { return error.code }
                }
                #expect(code == ECONNRESET)
            }
        }
    }
}
