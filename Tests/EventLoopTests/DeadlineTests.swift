// Deadlines: their order, setting them anew, their accuracy when thousands are due at once.

import Foundation
import Synchronization
import Testing

@testable import EventLoop

extension EventLoopSuite {
    @Suite struct DeadlineTests {
        @Test func `the heap gives entries in order of time`() {
            var heap = DeadlineHeap()
            var state: UInt64 = 42
            var times: [UInt64] = []
            for cookie in 0..<2000 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                times.append(state >> 40)
                heap.push(DeadlineHeap.Entry(at: state >> 40, cookie: UInt64(cookie)))
            }
            heap.keep { $0.cookie % 3 != 0 }
            let expected = times.enumerated().filter { $0.offset % 3 != 0 }.map(\.element).sorted()
            var got: [UInt64] = []
            while let entry = heap.popDue(.max) { got.append(entry.at) }
            #expect(got == expected)
        }

        @Test func `an entry that is not due stays`() {
            var heap = DeadlineHeap()
            heap.push(DeadlineHeap.Entry(at: 10, cookie: 1))
            #expect(heap.popDue(9) == nil)
            #expect(heap.popDue(10)?.cookie == 1)
            #expect(heap.nearest == .max)
        }

        @Test func `a deadline set anew is the only one that is reached`() async throws {
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                let begin = Instant.now()
                handler.onOpened = { connection in
                    // Later, earlier, later again.
                    for ms in [200, 20, 60] { connection.setDeadline(begin.adding(ms: ms)) }
                }
                handler.onDeadline = { connection, now in
                    recorder.note(now.since_ns(begin) >= 60_000_000 ? "in time" : "too early")
                    connection.close()
                }
                return handler
            }
            try await served(handler: handler) { served in
                let client = try await served.connect()
                _ = try await blocking { try client.receiveAll() }
                #expect(served.recorder.all.filter { $0 != "closed" } == ["opened", "deadline", "in time"])
            }
        }

        @Test func `a deadline taken back is not reached`() async throws {
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler.echo(recorder)
                handler.onOpened = { connection in
                    connection.setDeadline(Instant.now().adding(ms: 5))
                    connection.setDeadline(nil)
                }
                return handler
            }
            try await served(handler: handler) { served in
                let client = try await served.connect()
                try await blocking {
                    let begin = Instant.now()
                    while Instant.now().since_ns(begin) < 20_000_000 {
                        try client.send("x")
                        _ = try client.receive(exactly: 1)
                    }
                }
                #expect(served.recorder.count("deadline") == 0)
            }
        }

        @Test func `setting a time-out anew for each command costs no entry in the heap`() async throws {
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onReceived = { connection, octets in
                    connection.setDeadline(Instant.now().adding(ms: 300_000))
                    connection.send(octets)
                }
                return handler
            }
            try await served(handler: handler) { served in
                let client = try await served.connect()
                try await blocking {
                    for _ in 0..<500 {
                        try client.send("x")
                        _ = try client.receive(exactly: 1)
                    }
                }
                #expect(await served.loop.deadlineEntries == 1)
            }
        }

        @Test func `shorter and shorter deadlines leave a bounded number of entries`() async throws {
            let handler: @Sendable (Recorder) -> TestHandler = { recorder in
                let handler = TestHandler(recorder)
                handler.onOpened = { connection in
                    let far = Instant.now().adding(ms: 300_000)
                    for ns in 0..<20_000 {
                        connection.setDeadline(Instant(nanoseconds: far.nanoseconds - UInt64(ns)))
                    }
                    connection.send([1])
                }
                return handler
            }
            try await served(handler: handler) { served in
                let client = try await served.connect()
                _ = try await blocking { try client.receive(exactly: 1) }
                #expect(await served.loop.deadlineEntries < 5000)
            }
        }

        @Test func `five hundred deadlines at one moment are each reached, none too early`() async throws {
            let early = Atomic<Int>(0)
            let recorder = Recorder()
            let loop = try EventLoop(index: 0, settings: LoopSettings())
            let sockets = try ListeningSocket.bind(.parse("127.0.0.1:0"), loops: 1)
            let address = try #require(sockets.first).address
            let due = Instant.now().adding(ms: 700)
            try await loop.listen(
                on: sockets,
                accept: { _ in
                    let handler = TestHandler(recorder)
                    handler.onOpened = { $0.setDeadline(due) }
                    handler.onDeadline = { connection, _ in
                        if Instant.now() < due { early.add(1, ordering: .relaxed) }
                        connection.send([1])
                    }
                    return handler
                })
            let lateness_ms = try await blocking { () -> UInt64 in
                let clients = try (0..<500).map { _ in try TestClient(address) }
                for client in clients { _ = try client.receive(exactly: 1) }
                return Instant.now().since_ns(due) / 1_000_000
            }
            #expect(early.load(ordering: .relaxed) == 0)
            #expect(recorder.count("deadline") == 500)
            #expect(lateness_ms < 1000)
            await loop.shutdown()
        }
    }
}

extension EventLoop {
    var deadlineEntries: Int { face.deadlineEntries }
}
