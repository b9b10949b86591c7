// The running sink: loops, listeners, the store and the rules in force. The one place where the parts meet.

import Dispatch
import EventLoop
import Faults
import Journal
import SMTP
import Store
import Synchronization

package final class Server: Sendable {
    /// What new connections get. A reload puts another one in its place; open sessions keep theirs.
    private struct Generation: Sendable {
        var configuration: SinkConfiguration
        var rules: RuleBook
        var contexts: [ListenerContext]
    }

    package let counters: SinkCounters
    package let store: any SessionStore
    private let output: SessionOutput
    private let loops: [EventLoop]
    private let generation: Mutex<Generation>
    private let sessionNumber = Atomic<UInt64>(0)

    /// - Parameters:
    ///   - descriptor: where transcripts go.
    ///   - progress: called, on a loop, whenever a counter moved; returns at once.
    package init(
        configuration: SinkConfiguration, transcriptDescriptor descriptor: Int32,
        progress: @escaping @Sendable () -> Void = {}
    ) throws {
        counters = SinkCounters(progress: progress)
        switch configuration.store {
        case .memory(let retention): store = MemoryStore(retention: retention)
        case .none: store = CountingStore()
        }
        output = SessionOutput(
            store: store,
            transcript: configuration.transcript.map { TranscriptWriter(form: $0, descriptor: descriptor) },
            counters: counters)
        var settings = LoopSettings()
        settings.connectionLimit = max(1, configuration.connectionLimit / max(1, configuration.loops))
        loops = try (0..<max(1, configuration.loops)).map { try EventLoop(index: $0, settings: settings) }
        generation = Mutex(Self.generation(of: configuration, output))
    }

    // MARK: Start

    /// Binds every listener and accepts.
    ///
    /// - Returns: the addresses in the order of the listeners, with the ports that were free for port 0.
    /// - Throws: an error that names the address and what is wrong with it; then nothing is bound.
    package func start() throws -> [SocketAddress] {
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
            let workspace = LoopWorkspace(output: output)
            try loop.listen(
                on: bound.compactMap { $0.indices.contains(index) ? $0[index] : nil },
                accept: { [self] arrival in handler(for: arrival, workspace) },
                refusal: { [self] reason, tag in refusal(reason, tag) })
        }
        return bound.compactMap { $0.first?.address }
    }

    private func handler(for arrival: Arrival, _ workspace: LoopWorkspace) -> any ConnectionHandler {
        let (context, identity) = generation.withLock {
            ($0.contexts[arrival.tag], $0.configuration.listeners[arrival.tag].identity)
        }
        let number = sessionNumber.wrappingAdd(1, ordering: .relaxed).newValue
        let conversation = Conversation(
            id: "s\(number)", number: number, context: context, client: arrival.peer.description,
            clientHost: arrival.peer.host, clientAddress: IPAddress(arrival.peer.host))
        return SMTPHandler(
            conversation: conversation, workspace: workspace,
            tls: identity.flatMap { try? arrival.reactor.tlsContext(for: $0) })
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
            magic: configuration.magic)
        let contexts = configuration.listeners.map {
            ListenerContext(
                name: $0.name, profile: $0.profile, rules: rules, implicitTLS: $0.implicitTLS,
                keepsMessages: output.store.keepsMessages, records: output.records)
        }
        return Generation(configuration: configuration, rules: rules, contexts: contexts)
    }

    // MARK: While it runs

    package var ruleStatus: [RuleStatus] { generation.withLock { $0.rules }.status }

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
        let next = Self.generation(of: configuration, output)
        generation.withLock { $0 = next }
    }

    // MARK: Stop

    /// Stops accepting, answers 421 to the idle, and lets running transactions finish.
    ///
    /// - Parameters:
    ///   - grace_ms: how long they may take.
    ///   - done: called once, on `queue`, when every connection is closed or the time is over.
    package func stop(grace_ms: Int, queue: DispatchQueue, done: @escaping @Sendable () -> Void) {
        for loop in loops { loop.stopAccepting() }
        endConversations(atOnce: false)
        let deadline = DispatchTime.now() + .milliseconds(grace_ms)
        awaitEnd(deadline: deadline, isForced: false, queue: queue, done: done)
    }

    /// Looks every few milliseconds whether all have left; when the time is over, ends what is left.
    private func awaitEnd(
        deadline: DispatchTime, isForced: Bool, queue: DispatchQueue, done: @escaping @Sendable () -> Void
    ) {
        let everybodyLeft = counters.sessionsOpen == 0
        if everybodyLeft || (isForced && DispatchTime.now() >= deadline) {
            for loop in loops { loop.shutdown() }
            output.transcript?.flush()
            return done()
        }
        if !isForced, DispatchTime.now() >= deadline {
            endConversations(atOnce: true)
            let last = DispatchTime.now() + .milliseconds(Self.lastWords_ms)
            return awaitEnd(deadline: last, isForced: true, queue: queue, done: done)
        }
        queue.asyncAfter(deadline: .now() + .milliseconds(Self.stopPace_ms)) { [self] in
            awaitEnd(deadline: deadline, isForced: isForced, queue: queue, done: done)
        }
    }

    private static let stopPace_ms = 5
    /// For writing the last 421 when the time for finishing is over.
    private static let lastWords_ms = 200

    private func endConversations(atOnce: Bool) {
        for loop in loops {
            loop.forEachConnection { connection, now in
                (connection.handler as? SMTPHandler)?.shutDown(connection, atOnce: atOnce, now: now)
            }
        }
    }

    package func statistics() -> LoopStatistics {
        loops.reduce(into: LoopStatistics()) { $0.add($1.statistics) }
    }
}
