// Runs an actor on a serial Dispatch queue. DispatchSerialQueue, which would be its own executor, does not exist on
// Linux.

import Dispatch

final class LoopExecutor: SerialExecutor {
    let queue: DispatchQueue

    init(label: String) { queue = DispatchQueue(label: label, qos: .userInitiated) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    /// Lets `assumeIsolated` hold in the event handlers of Dispatch sources on the queue.
    func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
