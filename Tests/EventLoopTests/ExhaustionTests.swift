// Out of descriptors: in a process of its own, whose limit is lowered.

import CLinux
import Foundation
import Synchronization
import Testing

@testable import EventLoop

/// Lowers the limit to little more than what is open: a child may inherit descriptors of tests that run beside it.
private func leaveFewDescriptors() async {
    // Dispatch makes its timer descriptor with the first timer, and ends the process when it cannot.
    await withCheckedContinuation { done in
        DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { done.resume() }
    }
    let highest = (0..<4096).last { fcntl($0, F_GETFD) != -1 } ?? 2
    _ = linux_set_descriptor_limit(UInt64(highest) + 48)
}

/// Takes every descriptor that the process may still open. A thread that has just begun holds one for a moment (the
/// allocator asks how many processors there are), so it is taken three times with a pause between.
private func takeAllDescriptors() -> [Int32] {
    var taken: [Int32] = []
    for _ in 0..<3 {
        while true {
            let descriptor = linux_spare_descriptor()
            if descriptor < 0 { break }
            taken.append(descriptor)
        }
        poll(nil, 0, 30)
    }
    return taken
}

/// Connects `count` clients while the loop is held up, so that none of them is accepted before `prepare` ran there.
private func connectUnaccepted(
    _ count: Int, _ served: Served, prepare: @escaping @Sendable (isolated EventLoop) -> Void
) async throws -> [TestClient] {
    let release = DispatchSemaphore(value: 0)
    served.loop.perform { loop in
        release.wait()
        prepare(loop)
    }
    let address = served.address
    let clients = try await blocking { try (0..<count).map { _ in try TestClient(address) } }
    release.signal()
    return clients
}

extension EventLoopSuite {
    @Suite struct ExhaustionTests {
        @Test func `without descriptors a client is told, and is served when there are some again`() async {
            await #expect(processExitsWith: .success) {
                await leaveFewDescriptors()
                let refuse: RefusalHandler = { reason, _ in Array("421 \(reason)".utf8) }
                try await served(refuse: refuse) { served in
                    let taken = Mutex<[Int32]>([])
                    let clients = try await connectUnaccepted(3, served) { _ in
                        taken.withLock { $0 = takeAllDescriptors() }
                    }
                    for client in clients {
                        let answer = try await blocking { try client.receiveAll() }
                        #expect(answer == Array("421 outOfDescriptors".utf8))
                    }
                    taken.withLock { for descriptor in $0 { close(descriptor) } }
                    let client = try await served.connect()
                    let echo = try await blocking {
                        try client.send("x")
                        return try client.receiveText(1)
                    }
                    #expect(echo == "x")
                    let statistics = await served.loop.statistics
                    #expect(statistics.refusedOutOfDescriptors == 3)
                    #expect(statistics.acceptRests == 0)
                }
            }
        }

        @Test func `without even the spare descriptor accepting rests, and nobody is forgotten`() async {
            await #expect(processExitsWith: .success) {
                await leaveFewDescriptors()
                var settings = LoopSettings()
                settings.acceptRest_ms = 20
                try await served(settings: settings) { served in
                    let clients = try await connectUnaccepted(1, served) { loop in
                        close(loop.face.spareDescriptor)
                        loop.face.spareDescriptor = -1
                        let taken = takeAllDescriptors()
                        // The loop finds no descriptor when it comes to accept; some rests later there are.
                        DispatchQueue.global().asyncAfter(deadline: .now() + 0.07) {
                            for descriptor in taken { close(descriptor) }
                        }
                    }
                    let echo = try await blocking {
                        try clients[0].send("x")
                        return try clients[0].receiveText(1)
                    }
                    #expect(echo == "x")
                    let statistics = await served.loop.statistics
                    #expect(statistics.acceptRests >= 1)
                    #expect(statistics.wakeUps < 100)
                }
            }
        }
    }
}
