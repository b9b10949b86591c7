// When the rules are asked, and what they are told: whether anybody can have anything to say at a phase, without making
// anything of it, and the facts of the moment for those who do.

import Faults
import Journal
import SMTP

extension Conversation {
    /// The phases that belong to no command: behind a 250, and between commands.
    func askFloatingPhases(_ now_ns: UInt64, _ effects: inout Effects) {
        askAccepted(now_ns, &effects)
        guard case .open = gate, !idleAsked, rules.phases.contains(PhaseSet(.idle)), session.awaitsCommand,
            pending.isEmpty, !clientFinished
        else { return }
        idleAsked = true
        decide(.idle, now_ns, &effects)
    }

    /// A message was accepted: the rules at `accepted` come before anything that the client sent behind it.
    func askAccepted(_ now_ns: UInt64, _ effects: inout Effects) {
        guard acceptedPending, case .open = gate else { return }
        acceptedPending = false
        if consults(.accepted) { decide(.accepted, now_ns, &effects) }
    }

    /// Whether anybody can have anything to say. For an ordinary session this is a few instructions.
    func consults(_ phase: Phase) -> Bool {
        let isMagic = !rules.magic.isEmpty && mayBeMagic(phase)
        return isMagic || rules.phases.contains(PhaseSet(phase)) && mayConcernRules(phase)
    }

    private func mayBeMagic(_ phase: Phase) -> Bool {
        switch phase {
        case .mail:
            record.mayBeMagic = false
            return noteMagic(session.pendingReversePath?.address)
        case .rcpt: return noteMagic(session.pendingForwardPath?.address)
        // A host name and a user come once; no look is cheaper than asking.
        case .ehlo, .auth: return rules.magicPhases.contains(PhaseSet(phase))
        default: return record.mayBeMagic && rules.magicPhases.contains(PhaseSet(phase))
        }
    }

    /// Whether a rule of this phase may ask for just this client, name or address. Says maybe too often, no never too
    /// soon; spares the making of facts.
    private func mayConcernRules(_ phase: Phase) -> Bool {
        let place = Int(phase.ordinal)
        if rules.filters[place].isAlways { return true }
        if rules.filters[place].asksForClient,
            rules.filters[place].mayConcern(client: clientAddress)
        {
            return true
        }
        if rules.filters[place].asksForHELO, let helo = session.helo,
            rules.filters[place].mayConcern(helo: helo)
        {
            return true
        }
        if rules.filters[place].asksForSender {
            let sender =
                switch phase {
                case .mail: session.pendingReversePath?.address
                case .accepted: record.accepted?.reversePath.address
                default: session.transaction?.reversePath.address
                }
            if let sender, rules.filters[place].mayConcern(sender: sender) { return true }
        }
        guard rules.filters[place].asksForRecipients else { return false }
        if phase == .rcpt {
            guard let address = session.pendingForwardPath?.address else { return false }
            return rules.filters[place].mayConcern(recipient: address)
        }
        let transaction = phase == .accepted ? record.accepted : session.transaction
        return transaction?.recipients.contains { rules.filters[place].mayConcern(recipient: $0.address) }
            ?? false
    }

    private func noteMagic(_ address: [UInt8]?) -> Bool {
        guard let address, Engine.mightBeMagic(address, rules.magic) else { return false }
        record.mayBeMagic = true
        return true
    }

    // MARK: Facts

    /// What is known of the client, whatever it is doing.
    func factsOfClient(_ now_ns: UInt64) -> Facts {
        var facts = Facts(
            listener: context.name, client: clientHost, clientAddress: clientAddress,
            helo: session.helo.map { Text.lossy($0) }, tls: tlsVersion, user: session.user.map { Text.lossy($0) },
            session: number, transaction: record.number)
        facts.hello = session.greetsExtended.map { $0 ? "ehlo" : "helo" }
        facts.errors = errorsSaid
        if rules.needsTime {
            facts.secondOfDay = Int((wallBegan_us + Int64((now_ns - began_ns) / 1000)) / 1_000_000 % 86_400)
        }
        return facts
    }

    func facts(at phase: Phase, _ now_ns: UInt64) -> Facts {
        var facts = factsOfClient(now_ns)
        if rules.messagePhases.contains(PhaseSet(phase)) { facts.message = MessageFacts(session.contentSoFar) }
        switch phase {
        case .mail:
            facts.from = session.pendingReversePath.map { Text.lossy($0.address) }
            facts.size = session.pendingReversePath?.size
            facts.parameters = session.pendingReversePath?.parameters ?? []
            return facts
        case .rcpt:
            facts.parameters = session.pendingForwardPath?.parameters ?? []
            facts.to = session.pendingForwardPath.map { [Text.lossy($0.address)] } ?? []
        case .accepted:
            facts.from = record.accepted.map { Text.lossy($0.reversePath.address) }
            facts.to = record.accepted?.recipients.map { Text.lossy($0.address) } ?? []
            facts.recipients = facts.to.count
            facts.size = record.acceptedOctetCount
            return facts
        default: facts.to = session.transaction?.recipients.map { Text.lossy($0.address) } ?? []
        }
        facts.from = session.transaction.map { Text.lossy($0.reversePath.address) }
        facts.recipients = session.transaction?.recipients.count ?? 0
        facts.size =
            switch phase {
            case .body, .endOfData: session.contentCount
            default: session.transaction?.reversePath.size
            }
        return facts
    }
}
