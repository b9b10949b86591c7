// What a loop owns on its queue: the epoll set, the connections, the deadlines, the buffers that all connections
// share. Everything here runs on that queue; the actor EventLoop is the only way in.

import CLinux
import Dispatch
import Glibc

/// The part of a loop that its connections and handlers see. Not Sendable.
package final class Reactor {
    /// Number of the loop in its process.
    package let index: Int
    package let settings: LoopSettings
    package internal(set) var statistics = LoopStatistics()
    /// The time at which the running turn began.
    package internal(set) var now: Instant
    /// Whatever the owner of the handlers wants to have at hand on this loop.
    package var attachment: AnyObject?
    /// Called at the end of each wake-up, when every connection that was ready had its turn: the place for batches.
    package var wakeUpFinished: ((Instant) -> Void)?
    /// Something that several connections wait for together is to be done at this moment, and `groupDone` does it: the
    /// loop goes on with its sockets until then, so that there is company. nil: nothing is.
    package private(set) var groupDue: Instant?
    package var groupDone: (() -> Void)?

    let epoll: Int32
    let readBuffer: UnsafeMutableRawPointer
    lazy var tlsEngine = TLSEngine(readBuffer: settings.readBuffer, contextRoom: 32)

    /// The connection whose turn it is. Kept alive by its slot.
    unowned(unsafe) var current: Connection?
    /// Connections that need a turn though their socket did not say so.
    private var queued = ContiguousArray<Connection>()
    private var inHand = ContiguousArray<Connection>()

    /// Output of one connection, collected until the end of its turn.
    private let output: UnsafeMutableRawPointer
    private var outputCount = 0
    private unowned(unsafe) var outputOwner: Connection?

    var table = ConnectionTable()
    private var heap = DeadlineHeap()
    private let entries: UnsafeMutablePointer<epoll_event>
    private static let entryCount = 256
    /// The way back to Dispatch and through its manager thread costs more than all the rest of a turn, so a loop that
    /// has traffic stays a little: it offers the processor to others once or twice,
    private static let patience_ns: UInt64 = 1_000
    /// and then waits in epoll itself, unless a deadline is nearer than that; what else is on the queue of the loop
    /// waits so long at most. CPU a message with 20 clients, as a share of smtp-sink's on a quiet machine: 0.94 with
    /// the second alone, 0.88 with both, 0.91 with ten times the patience; 1.6 with neither, on a busy one.
    private static let lingering_ms: Int32 = 1
    /// After so long the loop lets others on its queue run, though sockets are ready.
    private static let longestWakeUp_ns: UInt64 = 10_000_000
    /// Deadlines handled before ready sockets have their turn again.
    private static let deadlineBatch = 1024

    var listeners: [Listener?] = []
    var spareDescriptor: Int32
    var isResting = false
    let peerStorage: UnsafeMutablePointer<sockaddr_storage>

    /// Wakes the loop at the nearest deadline; set by the loop when it begins.
    var alarm: (any DispatchSourceTimer)?
    private var alarmAt: UInt64 = .max
    /// Called at the first alarm: Dispatch has all that it needs for timers.
    var alarmRangFirst: (() -> Void)?
    /// Asks the loop for another wake-up.
    var kick: (() -> Void)?
    /// Called once when the last connection is gone.
    var emptied: (() -> Void)?

    init(index: Int, settings: LoopSettings) throws(SystemError) {
        epoll = linux_epoll_create()
        guard epoll >= 0 else { throw SystemError(call: "epoll_create1", code: -epoll) }
        self.index = index
        self.settings = settings
        now = .now()
        readBuffer = .allocate(byteCount: settings.readBuffer, alignment: 64)
        output = .allocate(byteCount: settings.outputBuffer, alignment: 64)
        entries = .allocate(capacity: Self.entryCount)
        peerStorage = .allocate(capacity: 1)
        spareDescriptor = linux_spare_descriptor()
    }

    deinit {
        readBuffer.deallocate()
        output.deallocate()
        entries.deallocate()
        peerStorage.deallocate()
        if spareDescriptor >= 0 { Glibc.close(spareDescriptor) }
    }

    // MARK: a wake-up

    /// Handles every socket that is ready and every deadline that is due, until there is nothing left.
    func wake() {
        statistics.wakeUps &+= 1
        now = .now()
        let begin = now
        var quietSince: Instant?
        var lingers = false
        while true {
            let count: Int32
            if let groupDue, !queuedNow {
                count = linux_epoll_wait_ns(epoll, entries, Int32(Self.entryCount), Int(groupDue.since_ns(.now())))
            } else {
                count = linux_epoll_poll(epoll, entries, Int32(Self.entryCount), lingers ? Self.lingering_ms : 0)
            }
            if count > 0 {
                quietSince = nil
                for index in 0..<Int(count) { serve(entries[index]) }
            }
            // Each entry read the clock; without entries it is to be read here.
            if count <= 0 { now = .now() }
            let isLate = serveDeadlines()
            serveQueued()
            if let groupDue, groupDue <= now { finishGroup() }
            if count > 0 || isLate || !queued.isEmpty || groupDue != nil {
                lingers = false
            } else if lingers {
                break
            } else if now.since_ns(quietSince ?? now) < Self.patience_ns {
                quietSince = quietSince ?? now
                sched_yield()
            } else {
                guard heap.nearest > now.adding(ms: Int(Self.lingering_ms)).nanoseconds else { break }
                lingers = true
            }
            if now.since_ns(begin) > Self.longestWakeUp_ns {
                kick?()
                break
            }
        }
        finishGroup()
        wakeUpFinished?(now)
        setAlarm()
    }

    private var queuedNow: Bool { !queued.isEmpty }

    /// Something is to be done for several connections together, at this moment at the latest.
    package func requestGroup(by due: Instant) { groupDue = groupDue.map { min($0, due) } ?? due }

    private func finishGroup() {
        guard groupDue != nil else { return }
        groupDue = nil
        groupDone?()
        serveQueued()
    }

    /// Gives a connection a turn, if it is still there: what it is told, it may answer.
    package func turn(of id: UInt64, _ body: (Connection) -> Void) {
        guard let connection = table.find(id), connection.isOpen else { return }
        current = connection
        body(connection)
        finishTurn(connection)
    }

    /// Ends an entry from outside: what was sent is written, what was closed is told.
    func finishEntry() {
        settleAll()
        serveQueued()
        finishGroup()
        if !queued.isEmpty || groupDue != nil { kick?() }
        wakeUpFinished?(now)
        setAlarm()
    }

    private func serve(_ entry: epoll_event) {
        now = .now()
        let cookie = entry.data.u64
        if cookie & Listener.cookieBit != 0 { return accept(Int(cookie & ~Listener.cookieBit)) }
        // A connection that ended in this very batch, or whose slot another has by now, is not found.
        guard let connection = table.find(cookie) else { return }
        current = connection
        connection.ready(entry.events, now: now)
        finishTurn(connection)
    }

    /// Writes what the turn collected and lets the connection draw its conclusions.
    func finishTurn(_ connection: Connection) {
        if outputOwner != nil { settleAll() }
        connection.progress(now: now)
        current = nil
    }

    // MARK: connections that need a turn

    func enqueue(_ connection: Connection) {
        if connection.isQueued { return }
        connection.isQueued = true
        queued.append(connection)
    }

    private func serveQueued() {
        if queued.isEmpty { return }
        swap(&queued, &inHand)
        for connection in inHand {
            connection.isQueued = false
            if connection.state == .closed { continue }
            current = connection
            connection.receiveHeldRecords(now: now)
            finishTurn(connection)
        }
        inHand.removeAll(keepingCapacity: true)
    }

    // MARK: output

    @inline(__always)
    func collect(_ octets: UnsafeRawBufferPointer, for connection: Connection) {
        if outputOwner !== connection {
            if outputOwner != nil { settleAll() }
            outputOwner = connection
        }
        if outputCount + octets.count > settings.outputBuffer {
            settleAll()
            if octets.count > settings.outputBuffer { return connection.emit(octets) }
            if connection.state.rawValue >= Connection.State.gone.rawValue { return }
            outputOwner = connection
        }
        guard let base = octets.baseAddress else { return }
        memcpy(output + outputCount, base, octets.count)
        outputCount += octets.count
    }

    func collected(for connection: Connection) -> Int { outputOwner === connection ? outputCount : 0 }

    /// Writes what is collected, whoever sent it.
    func settleAll() {
        guard let owner = outputOwner else { return }
        let count = outputCount
        outputOwner = nil
        outputCount = 0
        if count > 0 { owner.emit(UnsafeRawBufferPointer(start: output, count: count)) }
    }

    func settle(_ connection: Connection) {
        if outputOwner === connection { settleAll() }
    }

    /// Forgets what is collected for a connection that ends.
    func drop(_ connection: Connection) {
        if outputOwner === connection {
            outputOwner = nil
            outputCount = 0
        }
    }

    // MARK: deadlines

    func queueDeadline(_ connection: Connection, _ at: UInt64) {
        connection.queuedDeadline = at
        heap.push(DeadlineHeap.Entry(at: at, cookie: connection.cookie))
        // Shorter and shorter deadlines leave entries behind that nobody needs.
        if heap.entries.count > 4 * statistics.open + 4096 {
            heap.keep { [table] entry in
                entry.cookie & Listener.cookieBit != 0 || table.find(entry.cookie)?.queuedDeadline == entry.at
            }
        }
    }

    /// Entries in the heap, needed or not.
    var deadlineEntries: Int { heap.entries.count }

    /// Wakes the listeners after their rest.
    func queueEndOfRest(_ at: Instant) {
        heap.push(DeadlineHeap.Entry(at: at.nanoseconds, cookie: Listener.cookieBit))
    }

    /// - Returns: whether more are due.
    private func serveDeadlines() -> Bool {
        guard heap.nearest <= now.nanoseconds else { return false }
        for _ in 0..<Self.deadlineBatch {
            guard let entry = heap.popDue(now.nanoseconds) else { return false }
            if entry.cookie & Listener.cookieBit != 0 {
                endRest()
                continue
            }
            guard let connection = table.find(entry.cookie), connection.queuedDeadline == entry.at else { continue }
            connection.queuedDeadline = .max
            if connection.deadline > now.nanoseconds {
                // It was set anew in the meantime.
                if connection.deadline != .max { queueDeadline(connection, connection.deadline) }
                continue
            }
            current = connection
            connection.expire(now: now)
            finishTurn(connection)
            now = .now()
        }
        return true
    }

    private func setAlarm() {
        let nearest = heap.nearest
        guard nearest < alarmAt, let alarm else { return }
        alarmAt = nearest
        alarm.schedule(deadline: DispatchTime(uptimeNanoseconds: nearest), leeway: .nanoseconds(0))
    }

    func alarmRang() {
        alarmAt = .max
        if let alarmRangFirst {
            self.alarmRangFirst = nil
            alarmRangFirst()
        }
        wake()
    }

    // MARK: the end

    func forget(_ connection: Connection) {
        table.remove(connection.cookie)
        statistics.open -= 1
        if statistics.open == 0, let emptied {
            self.emptied = nil
            emptied()
        }
    }

    /// Ends every connection at once and closes what the loop holds, but for the epoll set.
    func shutDown() {
        stopAccepting()
        for connection in table.all() {
            current = connection
            connection.abandon()
            finishTurn(connection)
        }
        queued.removeAll()
        if spareDescriptor >= 0 { Glibc.close(spareDescriptor) }
        spareDescriptor = -1
        alarm = nil
        alarmRangFirst?()
        alarmRangFirst = nil
        kick = nil
        wakeUpFinished = nil
        groupDone = nil
        attachment = nil
    }
}
