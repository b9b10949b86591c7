// A phase is decided: the rules are asked, their actions are carried out in order, and the session is told the ruling.
// Control flow of faults lives here and nowhere else.

import Faults
import Findings
import Journal
import SMTP

/// What the sink says on its own behalf, outside the protocol's replies.
enum Replies {
    /// Bad TLS by the name of `refused` (RFC 3207 §4).
    static let tlsRefused = Reply(.tlsNotAvailable, .otherSecurity, "TLS not available due to temporary reason")
    /// The store had no room.
    static let storageFailed = Reply(.insufficientStorage, .mailSystemFull, "Insufficient system storage")
}

extension Conversation {
    // MARK: Deciding

    func decide(_ phase: Phase, _ now_ns: UInt64, _ effects: inout Effects) {
        uses[Int(phase.ordinal)] &+= 1
        if phase == .body { bodyUses[session.contentCount, default: 0] &+= 1 }
        guard consults(phase), let decision = context.rules.decide(phase, facts(at: phase, now_ns), now_ns: now_ns)
        else {
            settle(phase, .proceed, now_ns, &effects)
            return
        }
        if context.records {
            disturbances.formUnion(Disturbances(script: decision.actions.map(\.written), at: phase))
            effects.events.append(
                .fault(
                    rule: decision.rule, why: decision.why, phase: phase,
                    action: decision.actions.map(\.spoken).joined(separator: ", "),
                    use: use(of: phase), octets: phase == .body ? session.contentCount : 0,
                    script: decision.actions.map(\.written)), at_us: now_us)
        }
        var plan = Plan(phase: phase, actions: decision.actions)
        for action in decision.actions {
            switch action {
            case .drip(let rate): plan.drip = rate
            case .keep: plan.keeps = true
            case .lose: plan.loses = true
            case .hide(let capabilities): session.hide(capabilities)
            case .offer(let capabilities): session.offer(capabilities)
            case .slowRead(let rate): readRate = rate
            case .bend(let preset): plan.bend = preset
            case .tls(let fault): spoilTLS(fault)
            case .reply, .raw, .delay, .stall, .stopReading, .close, .reset, .accept: break
            }
        }
        self.plan = plan
        carryOut(now_ns, &effects)
    }

    // MARK: Carrying out

    /// Goes on with the plan until it waits or is done.
    func carryOut(_ now_ns: UInt64, _ effects: inout Effects) {
        while case .open = gate, let plan {
            guard plan.position < plan.actions.count else {
                if plan.isSettled {
                    self.plan = nil
                    return
                }
                self.plan?.isSettled = true
                settle(plan.phase, .proceed, now_ns, &effects)
                continue
            }
            self.plan?.position += 1
            perform(plan.actions[plan.position], of: plan, now_ns, &effects)
        }
    }

    private func perform(_ action: Action, of plan: Plan, _ now_ns: UInt64, _ effects: inout Effects) {
        switch action {
        case .delay(let duration_ns):
            guard duration_ns > 0 else { return }
            gate =
                plan.phase == .idle ? .idling(until_ns: now_ns + duration_ns) : .delayed(until_ns: now_ns + duration_ns)
        case .reply(let reply):
            self.plan?.isSettled = true
            settle(plan.phase, .reply(reply), now_ns, &effects)
        case .raw(let pieces, let code):
            self.plan?.isSettled = true
            self.plan?.raw = BentReply(pieces: pieces)
            let refusal = code.flatMap {
                $0.isPositive ? nil : Reply(code: $0, enhanced: nil, wire: pieces.flatMap(\.self))
            }
            settle(plan.phase, refusal.map(Ruling.reply) ?? .proceed, now_ns, &effects)
        case .accept:
            self.plan?.isSettled = true
            settle(plan.phase, .proceed, now_ns, &effects)
        case .close, .reset, .stall, .stopReading:
            if !plan.isSettled {
                // The session hears of the silence first; storing (`keep`) may make this plan wait, so the action
                // itself is run again behind it.
                self.plan?.isSettled = true
                self.plan?.position -= 1
                settle(plan.phase, .silence, now_ns, &effects)
                return
            }
            switch action {
            case .close: end(.sinkClose, closing: .finish, &effects)
            case .reset: end(.sinkReset, closing: .reset, &effects)
            default: stall(isDeaf: action == .stopReading)
            }
        case .drip, .keep, .lose, .hide, .offer, .slowRead, .bend, .tls: break
        }
    }

    /// - Parameter isDeaf: nothing is read either.
    func stall(isDeaf: Bool) {
        gate = .stalled
        self.isDeaf = isDeaf
        plan = nil
        noteIgnored(dropPending())
    }

    // MARK: The ruling

    /// Tells the session; for phases that are no command's, does what they ask for.
    private func settle(_ phase: Phase, _ ruling: Ruling, _ now_ns: UInt64, _ effects: inout Effects) {
        switch phase {
        case .connect:
            switch ruling {
            case .proceed where plan?.raw == nil:
                context.implicitTLS ? decide(.tls, now_ns, &effects) : greet(now_ns, &effects)
            case .reply, .proceed, .stored:
                // No octet goes in clear where TLS begins with the first one (RFC 8314 §3.3): it waits.
                connectReply = (ruling, plan)
                context.implicitTLS ? decide(.tls, now_ns, &effects) : greet(now_ns, &effects)
            case .silence: break
            }
        case .tls:
            switch ruling {
            case .proceed, .stored: startTLS(&effects)
            case .reply(let reply):
                tlsReply = reply
                startTLS(&effects)
            case .silence: break
            }
        case .idle, .accepted:
            session.begin(phase)
            complete(phase, ruling, now_ns, &effects)
        case .starttls: settleSTARTTLS(ruling, now_ns, &effects)
        case .endOfData: settleMessage(ruling, now_ns, &effects)
        default: complete(phase, ruling, now_ns, &effects)
        }
    }

    func greet(_ now_ns: UInt64, _ effects: inout Effects) {
        session.begin(.greeting)
        if let connectReply {
            // Behind a handshake the plan is to be taken up again where it was.
            plan = connectReply.plan
            complete(.connect, connectReply.ruling, now_ns, &effects)
        } else {
            decide(.greeting, now_ns, &effects)
        }
    }

    private func startTLS(_ effects: inout Effects) {
        plan = nil
        awaitsHandshake = false
        noteSetting(at: .tls, &effects)
        gate = .handshaking
        effects.startsTLS = true
        effects.tlsFault = tlsFault
    }

    /// The message is complete: store it first where it is to be stored, and only then rule (RFC 5321 §4.2.5).
    private func settleMessage(_ ruling: Ruling, _ now_ns: UInt64, _ effects: inout Effects) {
        let accepts =
            switch ruling {
            case .proceed, .stored: true
            case .reply(let reply): reply.code.isPositive
            case .silence: false
            }
        record.loses = accepts && plan?.loses == true
        let keeps = accepts ? !record.loses : plan?.keeps == true
        record.accepted = session.transaction
        record.acceptedOctetCount = session.contentCount
        if context.judges { handToJudge(isStored: keeps, &effects) }
        guard keeps, let transaction = session.transaction else {
            return complete(.endOfData, accepts ? named(ruling) : ruling, now_ns, &effects)
        }
        let named = accepts ? named(ruling) : ruling
        record.messageID = messageID
        guard context.keepsMessages else {
            effects.countedMessage = session.contentCount
            return complete(.endOfData, named, now_ns, &effects)
        }
        effects.message = Message(
            id: messageID, reversePath: transaction.reversePath, recipients: transaction.recipients,
            content: session.takeContent(), helo: session.helo ?? [], client: clientHost,
            withProtocol: session.withProtocol, received_us: wallBegan_us + Int64(now_us))
        gate = .storing(named)
    }

    var messageID: String { "\(id).\(record.number)" }

    private func named(_ ruling: Ruling) -> Ruling {
        if case .proceed = ruling { return .stored(id: messageID) }
        return ruling
    }

    /// What a reply is bent into, if this decision bends it.
    private func bent(_ reply: Reply) -> BentReply? { plan?.raw ?? plan?.bend?.bend(reply) }

    /// The session is told the ruling; its reply goes out, at once or piece by piece.
    func complete(_ phase: Phase, _ ruling: Ruling, _ now_ns: UInt64, _ effects: inout Effects) {
        let address = phase == .rcpt ? session.pendingForwardPath?.address : nil
        let reversePath = phase == .mail ? session.pendingReversePath?.address : nil
        let outcome = session.resolve(ruling)
        if let reversePath { noteMail(reversePath, &effects) }
        if let address { noteRecipient(address, outcome.reply, &effects) }
        if outcome.reply?.code.isPermanent == true { errorsSaid += 1 }
        if let reply = outcome.reply, wasSaidEarly(&effects) {
            noteOutcome(phase, reply, &effects)
            return goOn(outcome.next, phase, reply, now_ns, &effects)
        }
        if let bent = outcome.reply.flatMap({ self.bent($0) }) ?? plan?.raw {
            return send(
                Drip(
                    reply: outcome.reply, bent: bent, began_ns: now_ns, pace_ns: Self.pieceGap_ns, isSegmented: true,
                    phase: phase, next: outcome.next), now_ns, &effects)
        }
        if let reply = outcome.reply, let rate = plan?.drip {
            let octets = BentReply(pieces: reply.wire.map { [$0] })
            let drip = Drip(
                reply: reply, bent: octets, began_ns: now_ns, pace_ns: 1e9 / rate, phase: phase, next: outcome.next)
            gate = .dripping(drip)
            return
        }
        if let reply = outcome.reply { say(reply, phase, &effects) }
        noteOutcome(phase, outcome.reply, &effects)
        goOn(outcome.next, phase, outcome.reply, now_ns, &effects)
    }

    /// Sends what is due of a reply in pieces, from its beginning. What comes behind it is the plan's.
    private func send(_ drip: Drip, _ now_ns: UInt64, _ effects: inout Effects) {
        guard drip.bent.pieces.count > 1 else { return finish(drip, drip.bent.pieces.first ?? [], now_ns, &effects) }
        gate = .dripping(drip)
    }

    /// Sends what is due of a reply in pieces: one piece a turn, so that each is a segment.
    func goOn(_ drip: Drip, _ now_ns: UInt64, _ effects: inout Effects) {
        var drip = drip
        let pieces = drip.bent.pieces
        while drip.sent < pieces.count - 1, drip.next_ns <= now_ns {
            effects.output.append(contentsOf: pieces[drip.sent])
            drip.sent += 1
            if drip.isSegmented { break }
        }
        guard drip.sent == pieces.count - 1, drip.next_ns <= now_ns,
            effects.output.isEmpty || !drip.isSegmented
        else {
            gate = .dripping(drip)
            return
        }
        finish(drip, pieces.last ?? [], now_ns, &effects)
        carryOut(now_ns, &effects)
    }

    /// The last piece of a reply.
    private func finish(_ drip: Drip, _ last: [UInt8], _ now_ns: UInt64, _ effects: inout Effects) {
        gate = .open
        lastProgress_ns = now_ns
        effects.output.append(contentsOf: last)
        if context.records {
            effects.events.reply(drip.bent.pieces.flatMap(\.self), phase: drip.phase, at_us: now_us)
        }
        noteOutcome(drip.phase, drip.reply, &effects)
        saidEarly = drip.bent.saysNext
        if drip.bent.closes { return end(.sinkClose, closing: .finish, &effects) }
        goOn(drip.next, drip.phase, drip.reply, now_ns, &effects)
    }

    private func goOn(
        _ next: Next, _ phase: Phase, _ reply: Reply?, _ now_ns: UInt64, _ effects: inout Effects
    ) {
        switch next {
        case .read: break
        case .startTLS:
            if spoilsSTARTTLS(&effects) { return }
            closeTransaction(&effects)  // forgotten with the handshake (RFC 3207 §4.2)
            discardsRest = true
            awaitsHandshake = true
            noteDiscarded(dropPending(), &effects)
            plan = nil
            decide(.tls, now_ns, &effects)
        case .close:
            // A plan may hold a reset behind its reply; the session is over all the same.
            let ending: Ending = phase == .quit && reply?.code.isPositive == true ? .quit : .sinkClose
            end(ending, closing: plan?.actions.contains(.reset) == true ? .reset : .finish, &effects)
        }
    }
}

extension Action {
    /// The action in the words of a rule.
    var spoken: String {
        switch self {
        case .reply(let reply): Text.brief(Text.reply(reply.wire))
        case .delay(let duration_ns): "delay \(Transcript.milliseconds(duration_ns / 1000)) ms"
        case .drip(let rate): "drip \(rate)/s"
        case .slowRead(let rate): "slow-read \(rate) octets/s"
        case .stall, .stopReading, .close, .reset, .keep, .lose, .accept, .hide, .offer, .bend, .tls: written
        case .raw(let pieces, _): "raw " + (Text.lines(pieces.flatMap(\.self)).first ?? "nothing")
        }
    }
}
