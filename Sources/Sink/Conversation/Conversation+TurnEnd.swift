// The end of a turn: what it left open is settled, and what is wanted next is said.

import Faults
import SMTP

extension Conversation {
    var timeLimit_ns: UInt64 { lastProgress_ns + UInt64(context.profile.limits.clientTimeout_ms) * 1_000_000 }

    /// Settles what the turn left open, and says what is wanted next.
    func finishTurn(_ now_ns: UInt64, _ effects: inout Effects) {
        if case .open = gate { askFloatingPhases(now_ns, &effects) }
        if clientFinished {
            switch gate {
            case .open, .idling, .stalled, .handshaking: end(.clientClose, closing: .finish, &effects)
            case .unopened, .delayed, .dripping, .storing, .ended: break
            }
        }
        if isDraining, case .idling = gate { callOffIdle("the sink stops", &effects) }
        if isDraining, case .open = gate, session.awaitsCommand, !session.hasTransaction {
            sayShutdown(&effects)
            end(.shutdown, closing: .finish, &effects)
        }
        readSlowly(now_ns)
        effects.reading = pending.count < Self.pendingLimit && readAgain_ns == nil && !waitsForHandshake && !isDeaf
        effects.readLimit = slowStep
        effects.deadline_ns = nextDeadline_ns
    }

    /// A decision stands between here and the handshake: what comes now is for TLS.
    private var waitsForHandshake: Bool {
        guard awaitsHandshake, case .delayed = gate else { return false }
        return true
    }

    private var nextDeadline_ns: UInt64? {
        var next: UInt64?
        switch gate {
        case .delayed(let until), .idling(let until): next = until
        case .dripping(let drip): next = drip.next_ns
        case .open, .handshaking: next = timeLimit_ns
        case .stalled: next = isDeaf ? timeLimit_ns : nil
        case .unopened, .storing, .ended: next = nil
        }
        guard let again = readAgain_ns, !hasEnded else { return next }
        return next.map { min($0, again) } ?? again
    }
}
