// What happened is appended to the turn's events, once, here. Transcripts, records and counts are their readers.

import Faults
import Journal
import SMTP

/// What the conversation remembers of the transaction that runs, or ran last, to say what became of it.
struct TransactionTracking {
    /// Counts the MAIL commands that got as far as a ruling.
    var number = 0
    var isOpen = false
    /// An address of it might be a magic one.
    var mayBeMagic = false
    var acceptedCount = 0
    var refusedCount = 0
    var deferredCount = 0
    /// The last 4yz or 5yz that stood in the way, and where.
    var refusal: (phase: Phase, wire: [UInt8])?
    /// A fault said nothing here.
    var silentAt: Phase?
    /// A 421 ended the session.
    var isCutShort = false
    /// The envelope at the end of data, for the phase `accepted`.
    var accepted: Transaction?
    var acceptedOctetCount = 0
    var messageID: String?
    var loses = false
    /// Content octets that no event has told yet.
    var contentOctetCount = 0
    var contentSegment = 0

    /// Ready for the next MAIL.
    mutating func beginAnew() {
        number += 1
        isOpen = true
        acceptedCount = 0
        refusedCount = 0
        deferredCount = 0
        refusal = nil
        silentAt = nil
        isCutShort = false
        accepted = nil
        messageID = nil
        loses = false
    }
}

extension Conversation {
    // MARK: The client

    /// One unit of the client's octets. `at_us` is when it came, which may be before it was looked at.
    func noteUnit(
        _ step: Step, _ unit: UnsafeRawBufferPointer, _ segment: Int, _ at_us: UInt64, _ effects: inout Effects
    ) {
        switch step.unit {
        case .none: return
        case .swallowed where !record.isOpen: noteIgnored(unit.count)
        case .content, .swallowed:
            record.contentOctetCount += unit.count
            record.contentSegment = segment
        case .line, .secretLine:
            noteContentEnd(&effects)
            protocolPhase = VerbWord(unit).phase
            var secretFrom = step.secretFrom
            if case .reply(let reply, _) = step.demand {
                if protocolPhase == .rcpt { protocolAddress = unit.argumentBehindColon }
                // Not quite AUTH, and so no command; what stands behind it may be credentials all the same.
                if reply.code.value == 500, let end = unit.endOfAUTH { secretFrom = min(secretFrom, end) }
            }
            guard context.records else { return }
            if secretFrom < unit.withoutLineEnd.count {
                let shown = Array(unit[..<secretFrom]) + Array("********".utf8)
                shown.withUnsafeBytes { effects.events.clientLine($0, segment: segment, at_us: at_us) }
            } else {
                effects.events.clientLine(unit.withoutLineEnd, segment: segment, at_us: at_us)
            }
        }
    }

    /// Message octets are told once, when they are over.
    func noteContentEnd(_ effects: inout Effects) {
        guard record.contentOctetCount > 0 else { return }
        if context.records {
            effects.events.clientContent(
                octetCount: record.contentOctetCount, segment: record.contentSegment, at_us: now_us)
        }
        record.contentOctetCount = 0
        protocolPhase = .endOfData
    }

    /// Octets that nobody read as SMTP; told once, at the end.
    func noteIgnored(_ count: Int) { ignoredOctetCount += count }

    /// Octets in clear behind STARTTLS (RFC 3207 §4.2).
    func noteDiscarded(_ count: Int, _ effects: inout Effects) {
        guard context.records, count > 0 else { return }
        effects.events.append(.plaintextDiscarded(octetCount: count), at_us: now_us)
    }

    func note(_ notice: Notice, _ effects: inout Effects) {
        guard context.records else { return }
        effects.events.append(.noticed(notice.spoken), at_us: now_us)
    }

    // MARK: The sink

    /// Puts a reply into the output, and tells of it.
    func say(_ reply: Reply?, _ phase: Phase?, _ effects: inout Effects) {
        guard let reply else { return }
        effects.output.append(contentsOf: reply.wire)
        noteReply(reply, phase, &effects)
    }

    /// Whether the reply to this command went out with the one before. Once; a farewell is said in any case.
    func wasSaidEarly(_ effects: inout Effects) -> Bool {
        guard saidEarly else { return false }
        saidEarly = false
        if context.records {
            effects.events.append(.noticed("a reply went out with the one before, before its command"), at_us: now_us)
        }
        return true
    }

    func noteReply(_ reply: Reply, _ phase: Phase?, _ effects: inout Effects) {
        guard context.records else { return }
        effects.events.reply(reply.wire, phase: phase, at_us: now_us)
    }

    /// Counts a reply that the protocol itself gives, for the rules that ask how many there were.
    func countProtocolReply(_ reply: Reply, _ now_ns: UInt64) {
        guard reply.code.isPermanent else { return }
        errorsSaid += 1
        if rules.countsReplies { context.rules.note(reply.code, factsOfClient(now_ns), now_ns: now_ns) }
    }

    /// Which decision at this phase runs, from 1. At body a rule is asked, and counts, at its own octet alone.
    func use(of phase: Phase) -> Int {
        Int(phase == .body ? bodyUses[session.contentCount] ?? 0 : uses[Int(phase.ordinal)])
    }

    // MARK: Transactions

    func noteMail(_ reversePath: [UInt8], _ effects: inout Effects) {
        record.beginAnew()
        if context.records { effects.events.transactionBegan(reversePath, at_us: now_us) }
    }

    func noteRecipient(_ address: [UInt8], _ reply: Reply?, _ effects: inout Effects) {
        if context.records { effects.events.recipientAnswered(address, wire: reply?.wire ?? [], at_us: now_us) }
        guard let reply else {
            record.silentAt = .rcpt
            return
        }
        if reply.code.isPositive { record.acceptedCount += 1 } else { noteRefusedRecipient(reply) }
    }

    private func noteRefusedRecipient(_ reply: Reply) {
        if reply.code.isTransient { record.deferredCount += 1 } else { record.refusedCount += 1 }
        // A deferral among rejects decides the verdict: the client is to come again.
        if record.refusal == nil || reply.code.isTransient || record.deferredCount == 0 {
            record.refusal = (.rcpt, reply.wire)
        }
    }

    /// What a ruling at this phase means for the transaction.
    func noteOutcome(_ phase: Phase, _ reply: Reply?, _ effects: inout Effects) {
        switch phase {
        case .mail:
            if let reply {
                if !reply.code.isPositive { endTransaction(reply.verdict, at: .mail, reply.wire, &effects) }
            } else {
                record.silentAt = .mail
            }
        case .data:
            if let reply {
                // A DATA that is accepted at last takes the refusal of an earlier one back.
                record.refusal = reply.code.isPositive ? nil : (.data, reply.wire)
            } else {
                record.silentAt = .data
            }
        case .body where !session.hasTransaction:
            endTransaction(reply?.verdict ?? .abandoned, at: .body, reply?.wire, &effects)
        case .endOfData:
            if let reply, reply.code.isPositive {
                acceptedPending = true
                endTransaction(record.loses ? .lost : .accepted, at: .endOfData, reply.wire, &effects)
            } else {
                endTransaction(reply?.verdict ?? .lost, at: .endOfData, reply?.wire, &effects)
            }
        default: if let reply { noteFarewell(reply, phase) }
        }
        noteTransactionGone(&effects)
    }

    /// A 421 defers the transaction that it ends, at whatever command it comes (RFC 5321 §3.8).
    func noteFarewell(_ reply: Reply, _ phase: Phase) {
        guard record.isOpen, reply.code.value == 421 else { return }
        record.refusal = (phase, reply.wire)
        record.isCutShort = true
    }

    /// What the protocol itself answered.
    func noteProtocolReply(_ step: Step, _ reply: Reply, _ effects: inout Effects) {
        if record.isOpen, !reply.code.isPositive {
            switch (step.unit, protocolPhase) {
            case (.line, .rcpt):
                if context.records {
                    effects.events.recipientAnswered(protocolAddress, wire: reply.wire, at_us: now_us)
                }
                noteRefusedRecipient(reply)
            case (.content, _), (.swallowed, _):
                if !session.hasTransaction { endTransaction(reply.verdict, at: .endOfData, reply.wire, &effects) }
            default: break
            }
        }
        noteTransactionGone(&effects)
    }

    /// RSET, a second EHLO, or the end took the transaction away.
    private func noteTransactionGone(_ effects: inout Effects) {
        if record.isOpen, !session.hasTransaction, record.silentAt == nil { closeTransaction(&effects) }
    }

    /// Says what became of a transaction that ends without a verdict of its own.
    func closeTransaction(_ effects: inout Effects) {
        guard record.isOpen else { return }
        if let silentAt = record.silentAt {
            endTransaction(.abandoned, at: silentAt, nil, &effects)
        } else if let refusal = record.refusal, record.acceptedCount == 0 || refusal.phase == .data || record.isCutShort
        {
            let isTransient = refusal.wire.first == UInt8(ascii: "4")
            endTransaction(isTransient ? .deferred : .rejected, at: refusal.phase, refusal.wire, &effects)
        } else {
            endTransaction(.abandoned, at: plan?.phase, nil, &effects)
        }
    }

    private func endTransaction(_ verdict: Verdict, at phase: Phase?, _ reply: [UInt8]?, _ effects: inout Effects) {
        guard record.isOpen else { return }
        record.isOpen = false
        if readRate != nil {
            // Slow reading is for the message; what waits is looked at as fast as ever.
            readRate = nil
            readAgain_ns = nil
            slowlyRead = 0
        }
        guard context.records else { return }
        effects.events.transactionEnded(verdict, at: phase, reply: reply, message: record.messageID, at_us: now_us)
    }

    // MARK: The end

    /// Octets of a line that never ended and yet holds ends of line, as far as they are told.
    private static let unfinishedLimit = 512

    /// A client that ends every line with a bare LF never ends one (RFC 5321 §2.3.8); what it said shows all the same.
    private func noteUnfinishedLine(_ effects: inout Effects) {
        guard context.records, case .open = gate, readRate == nil, session.isReadingCommand,
            pendingStart < pending.count
        else { return }
        let octets = pending[pendingStart...].prefix(Self.unfinishedLimit)
        guard octets.contains(10), !zip(octets, octets.dropFirst()).contains(where: { $0 == (13, 10) }) else { return }
        var shown = Array(octets)
        // Whatever line it stands in: credentials may follow.
        if let end = shown.withUnsafeBytes({ $0.endOfAUTH(within: $0.count) }) {
            shown = Array(shown[..<end]) + Array("********".utf8)
        }
        shown.withUnsafeBytes { effects.events.clientLine($0, segment: segment, at_us: now_us) }
    }

    func end(_ ending: Ending, closing: Effects.Closing, _ effects: inout Effects) {
        guard !hasEnded else { return }
        noteContentEnd(&effects)
        if [.clientClose, .clientReset, .timeout, .shutdown].contains(ending) { noteUnfinishedLine(&effects) }
        // A reply that did not go out whole was not said.
        if case .dripping(let drip) = gate { noteOutcome(drip.phase, nil, &effects) }
        // A message whose reply was never said is not kept (RFC 5321 §4.2.5).
        if case .storing = gate { record.messageID = nil }
        closeTransaction(&effects)
        if rules.countsSessions { context.rules.sessionEnded(number) }
        if context.records {
            if ignoredOctetCount > 0 {
                effects.events.append(.clientIgnored(octetCount: ignoredOctetCount), at_us: now_us)
            }
            effects.events.append(.ended(ending), at_us: now_us)
        }
        gate = .ended
        plan = nil
        effects.closing = closing
    }
}

/// The verb of a command line, as far as records care.
struct VerbWord {
    let phase: Phase?

    init(_ line: UnsafeRawBufferPointer) {
        guard line.count >= 4 else {
            phase = nil
            return
        }
        // ASCII letters differ from their capitals in one bit.
        let word = UInt32(bigEndian: line.loadUnaligned(as: UInt32.self)) | 0x2020_2020
        phase =
            switch word {
            case 0x6d61_696c: .mail  // mail
            case 0x7263_7074: .rcpt  // rcpt
            case 0x6461_7461, 0x6264_6174: .data  // data, bdat
            case 0x6568_6c6f, 0x6865_6c6f: .ehlo  // ehlo, helo
            case 0x6175_7468: .auth  // auth
            case 0x7374_6172: .starttls  // star(ttls)
            default: nil
            }
    }
}

extension UnsafeRawBufferPointer {
    /// The address of a RCPT that was refused before it was understood, as far as it can be told.
    fileprivate var argumentBehindColon: [UInt8] {
        guard let colon = firstIndex(of: UInt8(ascii: ":")) else { return [] }
        var argument = withoutLineEnd.dropFirst(colon + 1).drop { $0 == 32 || $0 == UInt8(ascii: "<") }
        if let end = argument.firstIndex(of: UInt8(ascii: ">")) { argument = argument[..<end] }
        return Array(argument)
    }

    /// Where the word AUTH ends, wherever it stands in the first octets of a line; nil without it.
    fileprivate var endOfAUTH: Int? { endOfAUTH(within: 32) }

    fileprivate func endOfAUTH(within count: Int) -> Int? {
        let head = prefix(count).map { $0 | 0x20 }
        guard head.count >= 4 else { return nil }
        let word = Array("auth".utf8)
        return (0...head.count - 4).first { Array(head[$0..<$0 + 4]) == word }.map { $0 + 4 }
    }

    /// Without the CRLF at its end.
    fileprivate var withoutLineEnd: UnsafeRawBufferPointer {
        var end = count
        if end > 0, self[end - 1] == 10 { end -= 1 }
        if end > 0, self[end - 1] == 13 { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: self[..<end])
    }
}

extension Reply {
    /// What this reply makes of a transaction.
    var verdict: Verdict {
        if code.isTransient { return .deferred }
        return code.isPermanent ? .rejected : .abandoned
    }
}

extension Notice {
    /// In words, for a transcript.
    fileprivate var spoken: String {
        switch self {
        case .clientHelloInClear: NoticeText.clientHelloInClear
        case .httpRequest: NoticeText.httpRequest
        case .lineTooLong: "a line was longer than the limit"
        case .tooManyErrors: "more commands broke the protocol than the limit allows"
        case .messageTooBig: "the message is larger than the limit"
        case .malformedChunkSize: "a BDAT had a size that is none"
        }
    }
}
