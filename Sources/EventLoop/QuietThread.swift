// A thread for work that can wait: it gets the processor when nobody else wants it, so that loops are as quick beside
// it as without it.

import CLinux
import Glibc
import Synchronization

package final class QuietThread: Sendable {
    private let isDue = Semaphore()
    private let isStopped = Atomic<Bool>(false)
    private let hasEnded = Semaphore()

    /// What wakes the thread up; a class, since it must not move.
    private final class Semaphore: @unchecked Sendable {
        private let pointer = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)

        init() { sem_init(pointer, 0, 0) }

        deinit {
            sem_destroy(pointer)
            pointer.deallocate()
        }

        func post() { sem_post(pointer) }
        func wait() { while sem_wait(pointer) != 0, errno == EINTR {} }
    }

    private final class Body: Sendable {
        let thread: QuietThread
        let work: @Sendable () -> Void

        init(_ thread: QuietThread, _ work: @escaping @Sendable () -> Void) {
            self.thread = thread
            self.work = work
        }

        func run() { QuietThread.run(self) }
    }

    /// - Parameter work: done once for each `wake`, or once for several.
    /// - Throws: what the system says where it has no thread to give.
    package init(_ work: @escaping @Sendable () -> Void) throws(SystemTrouble) {
        let body = Unmanaged.passRetained(Body(self, work))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, body.toOpaque())
        guard code == 0 else {
            body.release()
            throw SystemTrouble(words: String(cString: strerror(code)))
        }
        pthread_detach(thread)
    }

    package struct SystemTrouble: Error, CustomStringConvertible {
        package let words: String
        package var description: String { "no thread can be started: \(words)" }
    }

    /// Of the thread itself.
    package static func nap_ns(_ nanoseconds: UInt64) { usleep(UInt32(clamping: nanoseconds / 1000 + 1)) }

    package func wake() { isDue.post() }

    /// Returns when the thread is done with what it does.
    package func stop() {
        guard !isStopped.exchange(true, ordering: .sequentiallyConsistent) else { return }
        isDue.post()
        hasEnded.wait()
    }

    private static func run(_ body: Body) {
        linux_give_way()
        while true {
            body.thread.isDue.wait()
            if body.thread.isStopped.load(ordering: .sequentiallyConsistent) { break }
            body.work()
        }
        body.thread.hasEnded.post()
    }
}
