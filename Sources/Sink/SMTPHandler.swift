// Ties one connection of the event loop to one conversation: calls go in, effects are carried out. No decision is made
// here.

import EventLoop
import Faults
import Journal
import SMTP
import Store

/// What the handlers of one loop share: buffers that are empty between turns.
///
/// Unchecked: each loop has one of its own, and only handlers, which live on their loop, touch it.
final class LoopWorkspace: @unchecked Sendable {
    var effects = Effects()
    /// What the chronicle was not told yet.
    private var outbox = Outbox()
    let output: SessionOutput

    init(output: SessionOutput) { self.output = output }

    /// Messages that wait to be stored together.
    var waiting = 0
    /// So many need no more company.
    private static let companyLimit = 16
    /// Nor does one wait longer than this for it, in nanoseconds.
    private static let company_ns: UInt64 = 1_000_000
    /// Connections of this loop in whose transactions a message may still come, or waits.
    var inTransaction = 0

    /// A message was handed to the store: it is to be kept with those that other connections bring in a moment.
    func awaitStore(_ reactor: Reactor, _ now: Instant) {
        waiting += 1
        let isFull = waiting >= inTransaction || waiting >= Self.companyLimit
        reactor.requestGroup(by: isFull ? now : now.adding(ns: Self.company_ns))
    }

    /// The events of the turn that runs.
    func tellChronicle(of session: UInt64, isLast: Bool, now: Instant) {
        guard isLast || output.chronicle.hasRoom(for: effects.events.octetCount) else {
            return output.chronicle.countLeftOut(effects.events.eventCount)
        }
        outbox.append(effects.events, of: session, isLast: isLast, now: now)
        if outbox.isDue(now) { flush() }
    }

    /// Hands over what waits.
    func flush() { if let batch = outbox.take() { output.chronicle.take(batch) } }
}

/// Where finished messages and events go.
final class SessionOutput: Sendable {
    let store: any SessionStore
    let chronicle: Chronicle
    /// nil where nobody is judged.
    let judging: Judging?
    /// Somebody may ask the chronicle: a store that keeps sessions, or whoever waits and watches.
    let isWatched: Bool
    let transcript: TranscriptWriter?
    let counters: SinkCounters

    init(
        store: any SessionStore, chronicle: Chronicle, judging: Judging?, isWatched: Bool,
        transcript: TranscriptWriter?,
        counters: SinkCounters
    ) {
        self.store = store
        self.chronicle = chronicle
        self.judging = judging
        self.isWatched = isWatched
        self.transcript = transcript
        self.counters = counters
    }

    var records: Bool { isWatched || transcript != nil }
}

final class SMTPHandler: ConnectionHandler {
    let conversation: Conversation
    private let workspace: LoopWorkspace
    private let identity: TLSIdentity?
    private let tlsMenu: TLSMenu
    private var isReading = true
    private var hasEnded = false
    private var hasToldEnd = false
    /// What the store has not answered yet.
    private var awaited: KeepTicket?
    private var isInTransaction = false

    init(conversation: Conversation, workspace: LoopWorkspace, identity: TLSIdentity?, tlsMenu: TLSMenu) {
        self.conversation = conversation
        self.workspace = workspace
        self.identity = identity
        self.tlsMenu = tlsMenu
    }

    func opened(_ connection: Connection, now: Instant) {
        workspace.output.counters.sessionOpened()
        conversation.opened(
            local: connection.local.description, wall_us: WallClock.now_us(), now_ns: now.nanoseconds,
            &workspace.effects)
        carryOut(connection, now)
    }

    func received(_ connection: Connection, _ octets: UnsafeRawBufferPointer, now: Instant) {
        conversation.received(octets, now_ns: now.nanoseconds, &workspace.effects)
        carryOut(connection, now)
    }

    func deadlineReached(_ connection: Connection, now: Instant) {
        tellServerName(connection, now)
        conversation.deadlineReached(now_ns: now.nanoseconds, &workspace.effects)
        carryOut(connection, now)
    }

    func peerFinished(_ connection: Connection, now: Instant) {
        tellServerName(connection, now)
        conversation.peerFinished(now_ns: now.nanoseconds, &workspace.effects)
        carryOut(connection, now)
    }

    func peerLeaving(_ connection: Connection, now: Instant) {
        conversation.peerLeft(now_ns: now.nanoseconds, &workspace.effects)
        carryOut(connection, now)
    }

    func peerGone(_ connection: Connection, reason: String, now: Instant) {
        tellServerName(connection, now)
        conversation.peerGone(now_ns: now.nanoseconds, &workspace.effects)
        carryOut(connection, now)
    }

    func handshakeFinished(_ connection: Connection, _ result: Result<TLSFacts, TLSFailure>, now: Instant) {
        tellServerName(connection, now)
        if let hello = connection.clientHello {
            conversation.heard(
                TLSOffer(
                    versions: hello.versions, cipherSuites: hello.cipherSuites, serverName: hello.serverName,
                    hasSupportedVersions: hello.hasSupportedVersions),
                now_ns: now.nanoseconds, &workspace.effects)
        }
        switch result {
        case .success(let facts):
            conversation.handshakeFinished(
                TLSSummary(
                    version: facts.version, cipher: facts.cipher, sni: facts.sni, clientNames: facts.clientNames),
                now_ns: now.nanoseconds, &workspace.effects)
        case .failure(let failure):
            conversation.handshakeFailed(failure.reason, now_ns: now.nanoseconds, &workspace.effects)
        }
        carryOut(connection, now)
    }

    func closed(_ connection: Connection, now: Instant) {
        conversation.peerGone(now_ns: now.nanoseconds, &workspace.effects)
        workspace.effects.closing = .no
        carryOut(connection, now)
    }

    func shutDown(_ connection: Connection, atOnce: Bool, now: Instant) {
        tellServerName(connection, now)
        conversation.shutDown(atOnce: atOnce, now_ns: now.nanoseconds, &workspace.effects)
        carryOut(connection, now)
    }

    /// A handshake that never ends, as its server name asked for, is told of before something else ends it.
    private func tellServerName(_ connection: Connection, _ now: Instant) {
        guard conversation.isHandshaking, let name = connection.tlsManner.name else { return }
        conversation.handshakeSpoiled(name, now_ns: now.nanoseconds, &workspace.effects)
    }

    // MARK: Effects

    private func carryOut(_ connection: Connection, _ now: Instant) {
        if conversation.hasTransaction != isInTransaction {
            isInTransaction.toggle()
            workspace.inTransaction += isInTransaction ? 1 : -1
        }
        storeMessages(connection, now)
        if !workspace.effects.judged.isEmpty { workspace.output.judging?.take(workspace.effects.judged) }
        if workspace.effects.startsTLS, identity == nil {
            // STARTTLS is only listed where there is a certificate; a rule may offer it all the same.
            workspace.effects.startsTLS = false
            conversation.handshakeFailed("no certificate is there", now_ns: now.nanoseconds, &workspace.effects)
        }
        if !workspace.effects.events.isEmpty { tellEvents(now) }
        if !workspace.effects.output.isEmpty {
            workspace.effects.output.withUnsafeBytes { connection.send($0) }
        }
        if workspace.effects.startsTLS, let identity {
            connection.startTLS(identity, misconduct: misconduct(workspace.effects.tlsFault))
        }
        if conversation.hasEnded {
            finish(connection)
        } else {
            connection.setDeadline(workspace.effects.deadline_ns.map { Instant(nanoseconds: $0) })
            connection.readLimit = workspace.effects.readLimit
            if workspace.effects.reading != isReading {
                isReading = workspace.effects.reading
                isReading ? connection.resumeReading() : connection.pauseReading()
            }
        }
        workspace.effects.clear()
    }

    /// nil where nothing can go wrong: no fault, and no server name that could ask for one.
    private func misconduct(_ fault: TLSFault?) -> TLSMisconduct? {
        let context = conversation.context
        let manner = fault.flatMap { TLSManner(named: $0.name) } ?? .orderly
        // Rules and settings come before what a client may ask for, as with addresses.
        let obeysServerName = fault == nil && conversation.rules.magic.contains(.fakemx)
        guard manner != .orderly || obeysServerName else { return nil }
        return TLSMisconduct(
            manner: manner, menu: tlsMenu, hostname: context.profile.hostname,
            obeysServerName: obeysServerName)
    }

    /// A 250 is written after its message is stored. What the answer leads to may be another message.
    private func storeMessages(_ connection: Connection, _ now: Instant) {
        if let octets = workspace.effects.countedMessage {
            workspace.effects.countedMessage = nil
            workspace.output.store.countMessage(octets: octets)
            workspace.output.counters.messageAccepted()
        }
        while let message = workspace.effects.message {
            workspace.effects.message = nil
            let ticket = KeepTicket(loop: connection.reactor.index, connection: connection.id)
            switch workspace.output.store.keep(message, ticket) {
            case .kept: stored(nil, now)
            case .refused(let failure): stored(failure, now)
            case .later:  // the store calls, or the loop does it for several at once; the reply waits for that
                awaited = ticket
                if workspace.output.store.isCommittedByLoops { workspace.awaitStore(connection.reactor, now) }
                return
            }
        }
    }

    private func stored(_ failure: StoreFailure?, _ now: Instant) {
        if failure == nil { workspace.output.counters.messageAccepted() }
        conversation.stored(failure?.reason, now_ns: now.nanoseconds, &workspace.effects)
    }

    /// The store has done what it was asked for, or could not.
    func messageStored(_ connection: Connection, _ failure: StoreFailure?, now: Instant) {
        awaited = nil
        stored(failure, now)
        carryOut(connection, now)
    }

    private func tellEvents(_ now: Instant) {
        let output = workspace.output
        let isLast = conversation.hasEnded && !hasToldEnd
        hasToldEnd = hasToldEnd || isLast
        if output.isWatched { workspace.tellChronicle(of: conversation.number, isLast: isLast, now: now) }
        output.transcript?.write(session: conversation.id, events: workspace.effects.events, isLast: isLast)
    }

    private func finish(_ connection: Connection) {
        switch workspace.effects.closing {
        case .no: break
        case .finish: connection.close()
        case .reset: connection.reset()
        }
        guard !hasEnded else { return }
        hasEnded = true
        if let awaited { workspace.output.store.withdraw(awaited) }
        connection.setDeadline(nil)
        if !workspace.output.store.keepsSessions { workspace.output.store.countSession() }
        workspace.output.counters.sessionEnded()
    }
}
