// The event loop: a serial Dispatch queue, an epoll set, one read source on that set, one timer source for the nearest
// deadline. The actor is the compiler's proof that nothing of a loop is touched from elsewhere; it is entered once
// for each wake-up. What happens then is in Reactor.

import CLinux
import Dispatch
import Glibc

package actor EventLoop {
    package nonisolated let index: Int
    private nonisolated let executor: LoopExecutor
    private let reactor: Reactor
    private var readiness: (any DispatchSourceRead)?
    private var alarm: (any DispatchSourceTimer)?
    private var isShutDown = false
    private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    private var nextWaiter = 0

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package init(index: Int, settings: LoopSettings) throws(SystemError) {
        self.index = index
        executor = LoopExecutor(label: "fakemx.loop.\(index)")
        reactor = try Reactor(index: index, settings: settings)
    }

    // MARK: listening

    /// Begins to accept on sockets. The loop closes them.
    package func listen(
        on sockets: [ListeningSocket], accept: @escaping AcceptHandler,
        refuse: @escaping RefusalHandler = { _, _ in [] }
    ) async throws(SystemError) {
        await start()
        guard !isShutDown else { throw SystemError(call: "listening on a loop that is shut down", code: EBADF) }
        for socket in sockets { try reactor.listen(on: socket, accept: accept, refuse: refuse) }
        reactor.finishEntry()
    }

    /// Closes all listening sockets, or those with a tag. Connections stay.
    package func stopAccepting(tag: Int? = nil) { reactor.stopAccepting(tag: tag) }

    /// Calls `body` on the loop at the end of each wake-up, when every connection that was ready had its turn.
    package func whenWakeUpFinishes(_ body: @escaping @Sendable (Instant) -> Void) { reactor.wakeUpFinished = body }

    /// Calls `body` on the loop when a group is due (`Reactor.requestGroup`).
    package func whenGroupIsDue(_ body: @escaping @Sendable (isolated EventLoop) -> Void) {
        reactor.groupDone = { [unowned self] in self.assumeIsolated { body($0) } }
    }

    /// Returns when the turn that runs, if one does, is finished.
    package func awaitTurn() {}

    // MARK: looking in

    package var statistics: LoopStatistics { reactor.statistics }

    /// What connections and handlers see of the loop; for code that is already on it.
    package var face: Reactor { reactor }

    /// Calls `body` on the loop for each open connection; it may send and close.
    package func forEachConnection(_ body: @Sendable (Connection) -> Void) {
        reactor.now = .now()
        for connection in reactor.table.all() where connection.isOpen { body(connection) }
        reactor.finishEntry()
    }

    /// Runs `body` on the loop, soon, from any thread. What it sends is written when it returns.
    package nonisolated func perform(_ body: @escaping @Sendable (isolated EventLoop) -> Void) {
        executor.queue.async {
            self.assumeIsolated { loop in
                loop.reactor.now = .now()
                body(loop)
                loop.reactor.finishEntry()
            }
        }
    }

    /// Runs `body` with a connection, if it is still there.
    package func withConnection(_ id: UInt64, _ body: @Sendable (Connection) -> Void) {
        guard let connection = reactor.table.find(id), connection.isOpen else { return }
        reactor.now = .now()
        body(connection)
        reactor.finishEntry()
    }

    // MARK: the end

    /// Waits until no connection is left, `atMost_ms` at most.
    ///
    /// - Returns: whether none is left.
    package func waitUntilEmpty(atMost_ms: Int) async -> Bool {
        if reactor.statistics.open == 0 { return true }
        nextWaiter += 1
        let number = nextWaiter
        reactor.emptied = { [weak self] in self?.assumeIsolated { $0.resumeAll() } }
        executor.queue.asyncAfter(deadline: .now() + .milliseconds(atMost_ms)) { [weak self] in
            self?.assumeIsolated { $0.resume(number) }
        }
        await withCheckedContinuation { waiters[number] = $0 }
        return reactor.statistics.open == 0
    }

    private func resume(_ number: Int) { waiters.removeValue(forKey: number)?.resume() }

    private func resumeAll() {
        for number in waiters.keys { resume(number) }
    }

    /// Ends the loop: listening sockets and connections are closed at once, and when this returns every descriptor of
    /// the loop is closed. A loop that listened lives until it is shut down.
    package func shutdown() async {
        guard !isShutDown else { return }
        isShutDown = true
        reactor.shutDown()
        resumeAll()
        if let alarm { await cancel(alarm) }
        // Dispatch must have let go of the epoll descriptor before it is closed, or sources made later stall.
        if let readiness { await cancel(readiness) }
        (alarm, readiness) = (nil, nil)
        Glibc.close(reactor.epoll)
    }

    private func cancel(_ source: any DispatchSourceProtocol) async {
        await withCheckedContinuation { done in
            source.setCancelHandler { done.resume() }
            source.cancel()
        }
    }

    // MARK: sources

    private func start() async {
        guard readiness == nil, !isShutDown else { return }
        let readiness = makeReadiness(reactor.epoll)
        let alarm = makeAlarm()
        self.readiness = readiness
        self.alarm = alarm
        reactor.alarm = alarm
        reactor.kick = { [weak self] in self?.wakeSoon() }
        readiness.activate()
        // Dispatch opens its timer descriptor at the first use, and stalls when there is none left by then.
        await withCheckedContinuation { rang in
            reactor.alarmRangFirst = { rang.resume() }
            alarm.schedule(deadline: .now(), leeway: .nanoseconds(0))
            alarm.activate()
        }
    }

    private nonisolated func makeReadiness(_ epoll: Int32) -> any DispatchSourceRead {
        let source = DispatchSource.makeReadSource(fileDescriptor: epoll, queue: executor.queue)
        source.setEventHandler { self.assumeIsolated { $0.wake() } }
        return source
    }

    private nonisolated func makeAlarm() -> any DispatchSourceTimer {
        let source = DispatchSource.makeTimerSource(flags: .strict, queue: executor.queue)
        source.setEventHandler { self.assumeIsolated { $0.reactor.alarmRang() } }
        return source
    }

    private nonisolated func wakeSoon() {
        executor.queue.async { self.assumeIsolated { $0.wake() } }
    }

    private func wake() {
        if !isShutDown { reactor.wake() }
    }
}
