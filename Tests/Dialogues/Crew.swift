// Threads for work that blocks, outside the cooperative pool.

import Glibc
import Synchronization

enum Crew {
    /// Runs `body` on each dialogue, `threads` at a time, and says at the end what failed, in the order of the files.
    static func work(
        on dialogues: [Dialogue], threads: Int, _ body: @escaping @Sendable (Dialogue) throws -> Void,
        done: @escaping @Sendable ([String]) -> Void
    ) {
        let board = Board(count: dialogues.count, threads: max(1, threads))
        for _ in 0..<board.threads {
            start {
                while let next = board.take() {
                    do {
                        try body(dialogues[next])
                    } catch {
                        board.failed(next, "\(error)")
                    }
                }
                if board.leave() { done(board.failures) }
            }
        }
    }

    /// Runs `body` on all of `count` threads at once and returns when the last is done.
    static func together(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) -> [String] {
        let board = Board(count: count, threads: count)
        let gate = Gate()
        for number in 0..<count {
            start {
                do {
                    try body(number)
                } catch {
                    board.failed(number, "\(error)")
                }
                if board.leave() { gate.open() }
            }
        }
        gate.wait()
        return board.failures
    }

    private static let stackSize = 1 << 20

    static func start(_ body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, stackSize)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(Box(body)).toOpaque()
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box)
        pthread_attr_destroy(&attributes)
        if status != 0 {
            // No thread to be had: the work is done here instead.
            Unmanaged<Box>.fromOpaque(box).takeRetainedValue().body()
        }
    }

    private final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Who works on what, and what went wrong.
    private final class Board: Sendable {
        let threads: Int
        private let count: Int
        private let state: Mutex<(next: Int, running: Int, failures: [Int: String])>

        init(count: Int, threads: Int) {
            self.count = count
            self.threads = threads
            state = Mutex((0, threads, [:]))
        }

        func take() -> Int? {
            state.withLock {
                guard $0.next < count else { return nil }
                $0.next += 1
                return $0.next - 1
            }
        }

        func failed(_ index: Int, _ message: String) { state.withLock { $0.failures[index] = message } }

        /// - Returns: true for the last one.
        func leave() -> Bool {
            state.withLock {
                $0.running -= 1
                return $0.running == 0
            }
        }

        var failures: [String] { state.withLock { $0.failures.sorted { $0.key < $1.key }.map(\.value) } }
    }
}

/// Opens once; whoever waits goes on then.
final class Gate: @unchecked Sendable {
    // Safe: the semaphore is its own lock.
    private let semaphore = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

    init() { sem_init(semaphore, 0, 0) }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }

    func open() { sem_post(semaphore) }
    func wait() { while sem_wait(semaphore) != 0 {} }
}
