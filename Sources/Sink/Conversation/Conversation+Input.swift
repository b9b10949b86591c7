// The client's octets on their way into the session: at once, after a wait behind a closed gate, or at a slow pace. A
// read is looked at where it lies; only what has to wait is copied.

import Journal
import SMTP

extension Conversation {
    /// Takes units from `octets` for as long as the gate is open and nothing slows the reading.
    ///
    /// - Returns: how many octets were used.
    func consume(_ octets: UnsafeRawBufferPointer, _ now_ns: UInt64, _ effects: inout Effects) -> Int {
        var offset = 0
        discardsRest = false
        while offset < octets.count, case .open = gate, readRate == nil {
            if acceptedPending {
                askAccepted(now_ns, &effects)
                continue
            }
            let step = session.receive(UnsafeRawBufferPointer(rebasing: octets[offset...]))
            let unit = UnsafeRawBufferPointer(rebasing: octets[offset..<offset + step.consumed])
            offset += step.consumed
            noteUnit(step, unit, segment, now_us, &effects)
            if !perform(step, now_ns, &effects) { break }
        }
        return offset
    }

    /// The same for octets that had to wait.
    func consumePending(_ now_ns: UInt64, _ effects: inout Effects) {
        while pendingStart < readablePending, case .open = gate {
            askAccepted(now_ns, &effects)
            guard case .open = gate else { break }
            let step = pending.withUnsafeBytes { octets in
                let readable = octets[pendingStart..<readablePending]
                let step = session.receive(UnsafeRawBufferPointer(rebasing: readable))
                let end = pendingStart + step.consumed
                let read = readOf(end)
                noteUnit(
                    step, UnsafeRawBufferPointer(rebasing: octets[pendingStart..<end]), read.segment, read.at_us,
                    &effects)
                return step
            }
            pendingStart += step.consumed
            if !perform(step, now_ns, &effects) { break }
        }
        if pendingStart == pending.count {
            _ = dropPending()  // an idle connection owns no buffer
        } else if pendingStart > 0 {
            pending.removeFirst(pendingStart)
            slowlyRead = max(0, slowlyRead - pendingStart)
            pendingReads = pendingReads.compactMap {
                $0.end > pendingStart ? (end: $0.end - pendingStart, segment: $0.segment, at_us: $0.at_us) : nil
            }
            pendingStart = 0
        }
        if case .ended = gate { pending = [] }
    }

    /// How much of `pending` may be looked at.
    private var readablePending: Int { readRate == nil ? pending.count : min(pending.count, slowlyRead) }

    /// Octets that a slow reader takes at once: twenty times a second, or one by one below that.
    var slowStep: Int? { readRate.map { max(1, Int(min(4096, $0 / 20))) } }

    /// Takes the next few octets, unless it is too early for them.
    func readSlowly(_ now_ns: UInt64) {
        guard let rate = readRate, let step = slowStep, readAgain_ns == nil, slowlyRead < pending.count else { return }
        let taken = min(step, pending.count - slowlyRead)
        slowlyRead += taken
        lastProgress_ns = now_ns  // it is the sink that is slow
        readAgain_ns = now_ns + UInt64(Double(taken) / rate * 1e9)
    }

    /// The rest of a read that was not used: it waits, or it is thrown away.
    func keep(_ rest: UnsafeRawBufferPointer, _ effects: inout Effects) {
        guard !rest.isEmpty else { return }
        if discardsRest {
            noteDiscarded(rest.count, &effects)
        } else {
            switch gate {
            case .ended, .stalled: noteIgnored(rest.count)
            default: hold(rest)
            }
        }
    }

    /// - Returns: false when the session needs octets that have not come yet.
    private func perform(_ step: Step, _ now_ns: UInt64, _ effects: inout Effects) -> Bool {
        if step.consumed > 0 { noteProgress(step, now_ns) }
        if let notice = step.notice { note(notice, &effects) }
        switch step.demand {
        case .input: return step.consumed > 0
        case .decision(let phase):
            noteContentEnd(&effects)
            decide(phase, now_ns, &effects)
        case .reply(let reply, let closes):
            noteContentEnd(&effects)
            // A reply given at `tls` answers every command behind the handshake (RFC 3207 §4.1).
            let phase = tlsReply == reply ? .tls : protocolPhase
            countProtocolReply(reply, now_ns)
            if closes || !wasSaidEarly(&effects) { say(reply, reply.code.isPositive ? nil : phase, &effects) }
            noteProtocolReply(step, reply, &effects)
            if closes { end(.sinkClose, closing: .finish, &effects) }
        }
        return true
    }

    private func noteProgress(_ step: Step, _ now_ns: UInt64) {
        idleAsked = false
        if case .content = step.unit {
            progressOctetCount += step.consumed
            guard progressOctetCount >= Self.progressOctets else { return }
        }
        progressOctetCount = 0
        lastProgress_ns = now_ns
    }

    func hold(_ octets: UnsafeRawBufferPointer) {
        pending.append(contentsOf: octets)
        pendingReads.append((end: pending.count, segment: segment, at_us: now_us))
    }

    /// The read in which the octet before `end` came.
    private func readOf(_ end: Int) -> (segment: Int, at_us: UInt64) {
        guard let read = pendingReads.first(where: { $0.end >= end }) else { return (segment, now_us) }
        return (read.segment, read.at_us)
    }

    /// - Returns: how many octets were thrown away.
    func dropPending() -> Int {
        defer {
            pending = []
            pendingReads = []
            pendingStart = 0
            slowlyRead = 0
        }
        return pending.count - pendingStart
    }
}
