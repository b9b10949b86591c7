// One session from accept to close: here the SMTP session, the rules and the journal meet. It does no I/O and reads no
// clock: octets and time are arguments, what is to be done comes back in `Effects`, and the next deadline with it.
//
//     octets -> Session.receive -> phase -> RuleBook.decide -> Session.resolve -> effects
//
// The gate says whether the client's octets are looked at now. While a decision waits (a delay, a slow reply, a message
// being stored), they are kept, in a bounded buffer, and looked at afterwards in their order.

import Faults
import Findings
import Journal
import SMTP

package final class Conversation {
    /// Why the client's octets are, or are not, looked at now.
    enum Gate {
        case open
        /// The peer has been accepted and nothing has begun.
        case unopened
        /// A plan waits.
        case delayed(until_ns: UInt64)
        /// A rule at `idle` waits; the client's next octet calls it off.
        case idling(until_ns: UInt64)
        case dripping(Drip)
        /// A message is being stored; the ruling goes on afterwards.
        case storing(Ruling)
        case handshaking
        /// Nothing will ever be said again.
        case stalled
        case ended
    }

    /// A reply that leaves piece by piece, and what comes behind it.
    struct Drip {
        let reply: Reply?
        let bent: BentReply
        /// Pieces that are on their way.
        var sent = 0
        let began_ns: UInt64
        let pace_ns: Double
        /// Each piece is to be a segment of its own.
        var isSegmented = false
        let phase: Phase
        let next: Next
    }

    /// A decision that is being carried out.
    struct Plan {
        let phase: Phase
        let actions: [Action]
        var position = 0
        /// The session was told the ruling.
        var isSettled = false
        var drip: Double?
        /// What is said in place of the reply.
        var raw: BentReply?
        /// What becomes of the reply.
        var bend: OddReply?
        var keeps = false
        var loses = false
    }

    /// Octets of the client that wait behind a closed gate, at most; then reading pauses.
    static let pendingLimit = 64 << 10
    /// Message octets that count as progress against the client's time limit, so that one octet now and then does not.
    static let progressOctets = 512
    /// Between the pieces of a reply that are to be segments of their own: long enough for each to have left.
    static let pieceGap_ns = 5e6

    package let id: String
    package let number: UInt64
    let context: ListenerContext
    /// What the rules are now.
    private(set) var rules: RuleEdition
    let client: String
    let clientAddress: IPAddress?

    var session: Session
    var gate = Gate.unopened
    var plan: Plan?
    var pending: [UInt8] = []
    /// How many octets of `pending` were used already.
    var pendingStart = 0
    /// Where, in `pending`, each read ended, with its number and time: a line is told by the read in which it ended.
    var pendingReads: [(end: Int, segment: Int, at_us: UInt64)] = []

    var began_ns: UInt64 = 0
    var wallBegan_us: Int64 = 0
    /// Microseconds since the start, of the turn that runs.
    var now_us: UInt64 = 0
    var segment = 0
    var lastProgress_ns: UInt64 = 0
    var progressOctetCount = 0
    /// Octets a second at which the client is read; nil for as fast as they come.
    var readRate: Double?
    /// The next octets, a ClientHello, are answered with noise.
    var answersWithNoise = false
    /// Nothing is read any more, ever.
    var isDeaf = false
    /// When more may be read at that rate.
    var readAgain_ns: UInt64?
    /// Of what waits, how much has been read as far as the rate goes: a TLS record, or a read that came before the
    /// rule, brings more at once than the rate allows.
    var slowlyRead = 0
    var clientFinished = false
    var ignoredOctetCount = 0
    var isDraining = false
    var idleAsked = false
    var acceptedPending = false
    /// TLS is to begin, so the client's next octets are none of SMTP's: reading waits.
    var awaitsHandshake = false
    /// The octets behind STARTTLS in the read at hand are to be thrown away.
    var discardsRest = false
    /// The phase of the command that came last, where the protocol itself answers.
    var protocolPhase: Phase?
    /// The recipient of that command, if it was one.
    var protocolAddress: [UInt8] = []

    var record = TransactionTracking()
    /// What faults have done to this session, for the judging of its messages.
    var disturbances: Disturbances = []
    var tlsVersion: String?
    var tlsReply: Reply?
    /// How TLS goes wrong in this session.
    var tlsFault: TLSFault?
    /// The fault that is a setting has been told of.
    var toldSetting = false
    /// What a rule at `connect` says in the greeting's place.
    var connectReply: (ruling: Ruling, plan: Plan?)?
    /// The next reply went out with the one before.
    var saidEarly = false
    /// 5yz replies so far.
    var errorsSaid = 0
    /// Decisions so far, by phase.
    var uses = InlineArray<17, UInt32>(repeating: 0)
    /// At body: by the octet, of those at which a rule is asked.
    var bodyUses: [Int: UInt32] = [:]

    /// - Parameters:
    ///   - id: what records call this session.
    ///   - client: address and port, as text.
    package init(
        id: String, number: UInt64, context: ListenerContext, client: String, clientHost: String,
        clientAddress: IPAddress?
    ) {
        self.id = id
        self.number = number
        self.context = context
        let rules = context.rules.edition
        self.rules = rules
        self.client = client
        self.clientHost = clientHost
        self.clientAddress = clientAddress
        session = Session(
            profile: context.profile, insideTLS: false,
            keepsContent: context.keepsMessages || !rules.messagePhases.isEmpty,
            bodyCheckpoints: rules.bodyCheckpoints)
        if let fault = context.tlsFault { spoilTLS(fault) }
        if context.profile.style != nil, clientAddress != nil { session.client = clientHost }
    }

    let clientHost: String

    /// The rules changed. Holds from the next decision on; checkpoints inside a body from the next message on.
    package func adopt(_ edition: RuleEdition) {
        rules = edition
        session.bodyCheckpoints = edition.bodyCheckpoints
        session.keepsContent = context.keepsMessages || !edition.messagePhases.isEmpty
    }

    /// A transaction is open, and so is the session.
    package var hasTransaction: Bool { !hasEnded && session.hasTransaction }

    /// The last turn has run: nothing will be done any more.
    package var hasEnded: Bool { if case .ended = gate { true } else { false } }

    // MARK: What comes in

    /// The connection was accepted.
    package func opened(local: String, wall_us: Int64, now_ns: UInt64, _ effects: inout Effects) {
        began_ns = now_ns
        wallBegan_us = wall_us
        lastProgress_ns = now_ns
        now_us = 0
        awaitsHandshake = context.implicitTLS
        gate = .open
        if context.records {
            effects.events.append(
                .opened(session: id, listener: context.name, client: client, local: local, wall_us: wall_us), at_us: 0)
        }
        if context.tlsFault == .hidden { noteSetting(at: .ehlo, &effects) }
        decide(.connect, now_ns, &effects)
        finishTurn(now_ns, &effects)
    }

    /// The client's octets, in clear; one call a read.
    package func received(_ octets: UnsafeRawBufferPointer, now_ns: UInt64, _ effects: inout Effects) {
        now_us = (now_ns - began_ns) / 1000
        segment += 1
        switch gate {
        case .ended, .stalled:
            noteIgnored(octets.count)
            answerWithNoise(&effects)
        case .open, .idling:
            if case .idling = gate { callOffIdle("the client spoke first", &effects) }
            if pending.isEmpty, readRate == nil {
                let consumed = consume(octets, now_ns, &effects)
                keep(UnsafeRawBufferPointer(rebasing: octets[consumed...]), &effects)
            } else {
                hold(octets)
                readSlowly(now_ns)
                consumePending(now_ns, &effects)
            }
        case .unopened, .delayed, .dripping, .storing, .handshaking:
            hold(octets)
            if context.records, !isStoring {
                effects.events.append(.clientEarly(octetCount: octets.count, segment: segment), at_us: now_us)
            }
        }
        finishTurn(now_ns, &effects)
    }

    /// The deadline of the last effects has come.
    package func deadlineReached(now_ns: UInt64, _ effects: inout Effects) {
        now_us = (now_ns - began_ns) / 1000
        if let again = readAgain_ns, again <= now_ns {
            readAgain_ns = nil
            readSlowly(now_ns)
        }
        switch gate {
        case .delayed(let until) where until <= now_ns, .idling(let until) where until <= now_ns:
            gate = .open
            carryOut(now_ns, &effects)
        case .dripping(let drip):
            goOn(drip, now_ns, &effects)
        case .open where timeLimit_ns <= now_ns:
            say(session.farewell(.badConnection, "Time-out: the client was silent for too long"), nil, &effects)
            end(.timeout, closing: .finish, &effects)
        case .stalled where isDeaf && timeLimit_ns <= now_ns:
            // Behind a closed window nobody hears a client go.
            end(.timeout, closing: .reset, &effects)
        case .handshaking where timeLimit_ns <= now_ns:
            if context.records {
                effects.events.append(
                    .tlsFailed(reason: "the client was silent for too long during the handshake"), at_us: now_us)
            }
            end(.timeout, closing: .finish, &effects)
        default: break
        }
        consumePending(now_ns, &effects)
        finishTurn(now_ns, &effects)
    }

    /// The message of the last effects was stored, or why not.
    package func stored(_ failure: String?, now_ns: UInt64, _ effects: inout Effects) {
        guard case .storing(let ruling) = gate else { return }
        now_us = (now_ns - began_ns) / 1000
        gate = .open
        if failure != nil {
            record.messageID = nil
            complete(.endOfData, .reply(Replies.storageFailed), now_ns, &effects)
        } else {
            complete(.endOfData, ruling, now_ns, &effects)
        }
        carryOut(now_ns, &effects)
        consumePending(now_ns, &effects)
        finishTurn(now_ns, &effects)
    }

    /// The handshake is done.
    /// What the client offered in its ClientHello.
    package func heard(_ offer: TLSOffer, now_ns: UInt64, _ effects: inout Effects) {
        guard case .handshaking = gate, context.records else { return }
        effects.events.append(.clientHello(offer), at_us: (now_ns - began_ns) / 1000)
    }

    package func handshakeFinished(_ tls: TLSSummary, now_ns: UInt64, _ effects: inout Effects) {
        guard case .handshaking = gate else { return }
        now_us = (now_ns - began_ns) / 1000
        lastProgress_ns = now_ns
        gate = .open
        tlsVersion = tls.version
        session.handshakeDone()
        changeListAfterTLS()
        saidEarly = false  // what was said in clear is forgotten (RFC 3207 §4.2)
        if context.records { effects.events.append(.tlsStarted(tls), at_us: now_us) }
        if tlsFault == .closeAfterHandshake {
            end(.sinkClose, closing: .finish, &effects)
            return finishTurn(now_ns, &effects)
        }
        if let reply = tlsReply {
            session.begin(.tls)
            _ = session.resolve(.reply(reply))
        }
        if context.implicitTLS {
            greet(now_ns, &effects)
            carryOut(now_ns, &effects)
        }
        consumePending(now_ns, &effects)
        finishTurn(now_ns, &effects)
    }

    /// The handshake failed: there is nobody left to talk to.
    package func handshakeFailed(_ reason: String, now_ns: UInt64, _ effects: inout Effects) {
        guard case .handshaking = gate else { return }
        now_us = (now_ns - began_ns) / 1000
        if context.records { effects.events.append(.tlsFailed(reason: reason), at_us: now_us) }
        // A handshake that fails as it was asked to is the sink's doing.
        end(tlsFault?.endsHandshake == true ? .sinkClose : .clientClose, closing: .finish, &effects)
        finishTurn(now_ns, &effects)
    }

    /// The client sent FIN. What waits behind the gate is still answered.
    package func peerFinished(now_ns: UInt64, _ effects: inout Effects) {
        guard !clientFinished, !hasEnded else { return }
        now_us = (now_ns - began_ns) / 1000
        clientFinished = true
        // Whatever is still to be said, the client has left; its place in a limit is free.
        if rules.countsSessions { context.rules.sessionEnded(number) }
        if context.records { effects.events.append(.clientFinished, at_us: now_us) }
        finishTurn(now_ns, &effects)
    }

    /// Nobody reads, and behind what waits unread the client has closed already.
    package func peerLeft(now_ns: UInt64, _ effects: inout Effects) {
        guard isDeaf, !hasEnded else { return }
        now_us = (now_ns - began_ns) / 1000
        end(.clientClose, closing: .finish, &effects)
        finishTurn(now_ns, &effects)
    }

    /// The connection is gone: reset, or nothing can be written to it.
    package func peerGone(now_ns: UInt64, _ effects: inout Effects) {
        guard !hasEnded else { return }
        now_us = (now_ns - began_ns) / 1000
        end(.clientReset, closing: .reset, &effects)
        finishTurn(now_ns, &effects)
    }

    /// The sink stops: an idle client gets a 421 now, a running transaction may finish.
    ///
    /// - Parameter atOnce: the time for finishing is over.
    package func shutDown(atOnce: Bool, now_ns: UInt64, _ effects: inout Effects) {
        guard !hasEnded else { return }
        now_us = (now_ns - began_ns) / 1000
        isDraining = true
        if atOnce {
            if case .handshaking = gate {} else if case .stalled = gate {} else { sayShutdown(&effects) }
            end(.shutdown, closing: .finish, &effects)
        }
        finishTurn(now_ns, &effects)
    }

    func sayShutdown(_ effects: inout Effects) {
        say(session.farewell(.notAcceptingMessages, "The server is shutting down"), nil, &effects)
    }

    /// A fault that waited between two commands does not happen.
    func callOffIdle(_ why: String, _ effects: inout Effects) {
        gate = .open
        plan = nil
        if context.records {
            effects.events.append(.noticed("the fault at idle was called off: \(why)"), at_us: now_us)
        }
    }

    private var isStoring: Bool { if case .storing = gate { true } else { false } }
}

extension Conversation.Drip {
    /// When the next piece is due.
    var next_ns: UInt64 { began_ns + UInt64(Double(sent) * pace_ns) }
}
