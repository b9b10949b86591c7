// A thread for work beside the loops. One that gives way gets the processor when nobody else wants it, so that loops
// are as quick beside it as without it.

import CLinux
import Glibc
import Synchronization

package final class WorkThread: Sendable {
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
        let thread: WorkThread
        let givesWay: Bool
        let work: @Sendable () -> Void

        init(_ thread: WorkThread, _ givesWay: Bool, _ work: @escaping @Sendable () -> Void) {
            self.thread = thread
            self.givesWay = givesWay
            self.work = work
        }

        func run() { WorkThread.run(self) }
    }

    /// - Parameters:
    ///   - givesWay: it runs when no other thread wants the processor, for the whole of its life.
    ///   - work: done once for each `wake`, or once for several.
    /// - Throws: what the system says where it has no thread to give.
    package init(givesWay: Bool, _ work: @escaping @Sendable () -> Void) throws(SystemTrouble) {
        let body = Unmanaged.passRetained(Body(self, givesWay, work))
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

    /// Processor time that the calling thread has had so far, in nanoseconds.
    package static var processorTime_ns: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
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
        if body.givesWay { linux_give_way() }
        while true {
            body.thread.isDue.wait()
            if body.thread.isStopped.load(ordering: .sequentiallyConsistent) { break }
            body.work()
        }
        body.thread.hasEnded.post()
    }
}
