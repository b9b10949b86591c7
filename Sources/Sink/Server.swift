// The running sink: loops, listeners, the store and the rules in force. The one place where the parts meet.

import Dispatch
import EventLoop
import Faults
import Findings
import Journal
import SMTP
import Store
import Synchronization

package final class Server: Sendable {
    /// What new connections get. A reload puts another one in its place; open sessions keep theirs.
    struct Generation: Sendable {
        var configuration: SinkConfiguration
        var rules: RuleBook
        var contexts: [ListenerContext]
    }

    package let counters: SinkCounters
    package let store: any SessionStore
    package let chronicle: Chronicle
    /// nil where nobody is judged.
    package let judging: Judging?
    private let output: SessionOutput
    let loops: [EventLoop]
    private let workspaces: [LoopWorkspace]
    let generation: Mutex<Generation>
    /// What was changed about the rules at run time.
    let ruleChanges = Mutex(RuleChanges())
    private let sessionNumber: Atomic<UInt64>
    private let sweeper: Alarm
    package let started_us: Int64

    /// - Parameters:
    ///   - descriptor: where transcripts go.
    ///   - progress: called, on a loop, whenever a counter moved; returns at once.
    package init(
        configuration: SinkConfiguration, transcriptDescriptor descriptor: Int32,
        progress: @escaping @Sendable () -> Void = {}
    ) throws {
        counters = SinkCounters(progress: progress)
        started_us = WallClock.now_us()
        var settings = LoopSettings()
        settings.connectionLimit = max(1, configuration.connectionLimit / max(1, configuration.loops))
        let loops = try (0..<max(1, configuration.loops)).map { try EventLoop(index: $0, settings: settings) }
        self.loops = loops
        let store = try Self.store(configuration) { Self.tell($0, to: loops) }
        self.store = store
        sessionNumber = Atomic(store.lastSessionNumber)
        let judging = try store.keepsSessions ? Self.judging(configuration, since_us: started_us) : nil
        self.judging = judging
        chronicle = Chronicle(
            store: store, run: UInt64(started_us), keepsEntries: configuration.isWatched, judging: judging)
        judging?.whenJudged { [chronicle] session, judgement in
            chronicle.tell(Self.entries(of: judgement, session))
        }
        let output = SessionOutput(
            store: store, chronicle: chronicle, judging: judging,
            isWatched: configuration.isWatched || store.keepsSessions,
            transcript: configuration.transcript.map { TranscriptWriter(form: $0, descriptor: descriptor) },
            counters: counters)
        self.output = output
        workspaces = loops.map { _ in LoopWorkspace(output: output) }
        generation = Mutex(Self.generation(of: configuration, output))
        sweeper = Alarm(queue: DispatchQueue(label: "fakemx.sweeper")) { store.expire(now_us: WallClock.now_us()) }
    }

    private static func judging(_ configuration: SinkConfiguration, since_us: Int64) throws -> Judging? {
        guard var settings = configuration.judging else { return nil }
        settings.thresholds.timeScale = configuration.timeScale
        let judging = try Judging(
            settings: settings, outsiders: configuration.outsiders, observedSince_us: since_us)
        var circumstances = Circumstances()
        circumstances.ownNames = configuration.listeners.map { $0.profile.hostname.lowercased() }
        judging.verdicts.setCircumstances(circumstances)
        return judging
    }

    /// One for each finding.
    private static func entries(of judgement: SessionJudgement, _ session: StoredSession) -> [Entry] {
        guard !judgement.findings.isEmpty else { return [] }
        let record = session.brief
        return judgement.findings.map { finding in
            var subject = Subject(finding, in: record)
            subject.message = finding.evidence.first?.message
            return Entry(.finding, wall_us: session.ended_us, subject, detail: finding.saw)
        }
    }

    private static func store(
        _ configuration: SinkConfiguration, onKept: @escaping @Sendable ([KeepResult]) -> Void
    ) throws(StoreFailure) -> any SessionStore {
        switch configuration.store {
        case .memory(let retention): MemoryStore(retention: retention)
        case .none: CountingStore()
        case .file(let path, let sync, let retention):
            try SQLiteStore(
                path: path, sync: sync, retention: retention, loops: max(1, configuration.loops),
                text: configuration.searchText, onKept: onKept)
        }
    }

    /// Brings the answers of the store back to the connections that wait for them.
    private static func tell(_ results: [KeepResult], to loops: [EventLoop]) {
        for (index, results) in Dictionary(grouping: results, by: \.ticket.loop) {
            loops[index].perform { loop in
                let now = loop.face.now
                for result in results {
                    loop.withConnection(result.ticket.connection) { connection in
                        (connection.handler as? SMTPHandler)?.messageStored(connection, result.failure, now: now)
                    }
                }
            }
        }
    }

    // MARK: Start

    /// Binds every listener and accepts.
    ///
    /// - Returns: the addresses in the order of the listeners, with the ports that were free for port 0.
    /// - Throws: an error that names the address and what is wrong with it; then nothing is bound.
    package func start() async throws -> [SocketAddress] {
        let listeners = generation.withLock { $0.configuration.listeners }
        var bound: [[ListeningSocket]] = []
        do {
            for (index, listener) in listeners.enumerated() {
                bound.append(try ListeningSocket.bind(listener.address, loops: loops.count, tag: index))
            }
        } catch {
            for socket in bound.joined() { socket.close() }
            throw error
        }
        for (index, loop) in loops.enumerated() {
            let workspace = workspaces[index]
            await loop.whenWakeUpFinishes { _ in workspace.flush() }
            await loop.whenGroupIsDue { [store] loop in
                workspace.waiting = 0
                let results = store.commit(loop: index)
                // Behind the commit, which may have waited for the disk.
                let now = Instant.now()
                for result in results {
                    loop.face.turn(of: result.ticket.connection) { connection in
                        (connection.handler as? SMTPHandler)?.messageStored(connection, result.failure, now: now)
                    }
                }
            }
            try await loop.listen(
                on: bound.compactMap { $0.indices.contains(index) ? $0[index] : nil },
                accept: { [self] arrival in handler(for: arrival, workspace) },
                refuse: { [self] reason, tag in refusal(reason, tag) })
        }
        sweeper.repeatEvery(Self.sweep)
        return bound.compactMap { $0.first?.address }
    }

    /// How often the store is asked to drop what is too old.
    private static let sweep = DispatchTimeInterval.seconds(1)

    private func handler(for arrival: Arrival, _ workspace: LoopWorkspace) -> any ConnectionHandler {
        let (context, identity, menu) = generation.withLock {
            ($0.contexts[arrival.tag], $0.configuration.listeners[arrival.tag].identity, $0.configuration.tlsMenu)
        }
        let number = sessionNumber.wrappingAdd(1, ordering: .relaxed).newValue
        let conversation = Conversation(
            id: "s\(number)", number: number, context: context, client: arrival.peer.description,
            clientHost: arrival.peer.host, clientAddress: IPAddress(arrival.peer.host))
        return SMTPHandler(conversation: conversation, workspace: workspace, identity: identity, tlsMenu: menu)
    }

    /// What a client is told for whom there is no room (RFC 5321 §3.8).
    private func refusal(_ reason: RefusalReason, _ tag: Int) -> [UInt8] {
        let context = generation.withLock { $0.contexts[tag] }
        guard !context.implicitTLS else { return [] }
        let words =
            switch reason {
            case .tooManyConnections: "too many connections"
            case .outOfDescriptors: "out of descriptors"
            }
        return Array("421 \(context.profile.hostname) Service not available, \(words)\r\n".utf8)
    }

    private static func generation(of configuration: SinkConfiguration, _ output: SessionOutput) -> Generation {
        let rules = RuleBook(
            rules: configuration.rules, seed: configuration.seed, timeScale: configuration.timeScale,
            magic: configuration.magic, catalogue: configuration.catalogue)
        let contexts = configuration.listeners.map {
            ListenerContext(
                name: $0.name, profile: $0.profile, rules: rules, implicitTLS: $0.implicitTLS, tlsFault: $0.tlsFault,
                keepsMessages: output.store.keepsMessages, records: output.records, judges: output.judging != nil,
                isSubmission: $0.implicitTLS || configuration.judging?.profile == .submission)
        }
        return Generation(configuration: configuration, rules: rules, contexts: contexts)
    }

    // MARK: While it runs

    /// The replies that `use` finds.
    package var catalogue: Catalogue { generation.withLock { $0.configuration.catalogue } }
    package var listenerNames: [String] { generation.withLock { $0.configuration.listeners.map(\.name) } }
    /// Since the start, microseconds.
    package var uptime_us: Int64 { WallClock.now_us() - started_us }
    /// Of the clock by which rules expire.
    package var now_ns: UInt64 { Instant.now().nanoseconds }
    package var loopCount: Int { loops.count }

    package var ruleStatus: [RuleStatus] {
        generation.withLock { $0.rules }.status(now_ns: Instant.now().nanoseconds)
    }

    /// Returns when all that clients were told before the call can be read: sessions, messages, the chronicle.
    package func settle() async {
        await withTaskGroup(of: Void.self) { turns in
            for loop in loops { turns.addTask { await loop.awaitTurn() } }
        }
        await chronicle.settle()
        await store.settle()
    }

    /// Returns when every session that clients ended before the call is judged, too.
    package func settleJudging() async {
        await settle()
        await judging?.settle()
    }

    /// Now, as a point from which on things can be asked for.
    package func cursor() async throws(StoreFailure) -> Cursor {
        await settle()
        let last = try await store.lastPositions()
        return Cursor(run: chronicle.run, entry: chronicle.last, message: last.message, session: last.session)
    }

    /// Whether a cursor is not of the future: one of an earlier run is taken by its word.
    ///
    /// - Parameter present: now, where that is known already.
    package func mayHaveGiven(_ cursor: Cursor, by present: Cursor? = nil) async throws(StoreFailure) -> Bool {
        guard cursor.run == chronicle.run else { return true }
        let present = if let present { present } else { try await self.cursor() }
        return cursor.entry <= present.entry && cursor.message <= present.message && cursor.session <= present.session
    }

    /// Puts a new configuration into force for new connections, whole or not at all.
    ///
    /// Rules, names, EHLO lists, limits, certificates, seed and time scale change; what is bound at the start
    /// (addresses, loops, the store, the transcript) does not.
    package func reload(_ configuration: SinkConfiguration) throws(ReloadRefusal) {
        let running = generation.withLock { $0.configuration }
        guard running.listeners.map(\.address) == configuration.listeners.map(\.address),
            running.listeners.map(\.implicitTLS) == configuration.listeners.map(\.implicitTLS)
        else {
            throw ReloadRefusal(description: "the listeners' addresses changed; start fakemx anew for that")
        }
        guard running.store == configuration.store else {
            throw ReloadRefusal(description: "the store changed; start fakemx anew for that")
        }
        guard running.loops == configuration.loops, running.transcript == configuration.transcript,
            running.connectionLimit == configuration.connectionLimit
        else {
            throw ReloadRefusal(
                description: "loops, transcript or the limit of connections changed; start fakemx anew for that")
        }
        let next = Self.generation(of: configuration, output)
        generation.withLock { $0 = next }
        // Behind the swap: a rule that is set at this moment comes to the new book either here or by itself.
        _ = next.rules.adopt(ruleChanges.withLock { $0 }, now_ns: now_ns)
    }

    // MARK: Stop

    /// Stops accepting, answers 421 to the idle, lets running transactions finish, and closes everything.
    ///
    /// - Parameter grace_ms: how long running transactions may take; then they are answered 421, too.
    package func stop(grace_ms: Int) async {
        sweeper.stop()
        for loop in loops { await loop.stopAccepting() }
        await endConversations(atOnce: false)
        let end = Instant.now().adding(ms: grace_ms)
        var isEmpty = true
        for loop in loops {
            let left_ms = Int(end.since_ns(.now()) / 1_000_000)
            isEmpty = await loop.waitUntilEmpty(atMost_ms: left_ms) && isEmpty
        }
        if !isEmpty {
            await endConversations(atOnce: true)
            for loop in loops { _ = await loop.waitUntilEmpty(atMost_ms: Self.lastWords_ms) }
        }
        for loop in loops { await loop.shutdown() }
        for workspace in workspaces { workspace.flush() }
        await chronicle.settle()
        await judging?.close()
        chronicle.close()
        await store.close()
        output.transcript?.flush(atMost_ms: Self.flush_ms)
    }

    /// For writing what is left of the transcript.
    private static let flush_ms = 2000
    /// For writing the last 421 when the time for finishing is over.
    private static let lastWords_ms = 200

    private func endConversations(atOnce: Bool) async {
        for loop in loops {
            await loop.forEachConnection { connection in
                (connection.handler as? SMTPHandler)?.shutDown(connection, atOnce: atOnce, now: .now())
            }
        }
    }

    package func statistics() async -> LoopStatistics {
        var sum = LoopStatistics()
        for loop in loops { sum.add(await loop.statistics) }
        return sum
    }
}
