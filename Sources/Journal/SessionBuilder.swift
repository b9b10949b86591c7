// Folds events into a session record. One event at a time, so that the same piece serves the live transcript, the JSON
// at the end of a session, and the reading of a stored log.

import SMTP

/// Folds events, in their order, into a `SessionRecord`.
package struct SessionBuilder: Sendable {
    package private(set) var record = SessionRecord()
    private let keepsLines: Bool
    /// Lines, faults, transactions, and recipients of one transaction that a record holds, each; what comes beyond is
    /// counted in `events_dropped`. Of transactions the newest stay, of the others the oldest.
    package static let listLimit = 10_000
    /// Octets of texts in all of them together.
    package static let octetLimit = 8 << 20
    private var octetCount = 0

    private var isOpen = false
    /// The rule that made the last reply, if one did.
    package private(set) var ruleBehindLastReply: String?
    /// The rule that acted last, until a reply or an end used it up.
    private var pendingFault: (rule: String, phase: Phase)?
    /// It is about the handshake alone: what comes behind is none of its doing.
    private var endsWithHandshake = false
    /// Which rule said what in the transaction that runs; only the last of each, so that it stays small.
    private var ruleOfReply: [[UInt8]: String] = [:]

    /// - Parameter keepsLines: false where only verdicts are wanted, as in the live transcript: memory stays small.
    package init(keepsLines: Bool) { self.keepsLines = keepsLines }

    /// The record of a whole log.
    package static func record(of log: EventLog, dropped: Int = 0, keepsLines: Bool = true) -> SessionRecord {
        var builder = SessionBuilder(keepsLines: keepsLines)
        for event in log { builder.apply(event) }
        builder.record.events_dropped += dropped
        return builder.record
    }

    package mutating func apply(_ timed: TimedEvent) {
        record.duration_us = max(record.duration_us, timed.at_us)
        switch timed.event {
        case .opened(let session, let listener, let client, _, let wall_us):
            record.id = session
            record.listener = listener
            record.client = client
            record.started = Timestamp(wall_us: wall_us).rfc3339
        case .clientLine(let octets, let segment):
            noteHelo(octets)
            if keepsLines { addLine(timed.at_us, .client, Text.lossy(octets), segment: segment) }
        case .clientContent(let count, let segment):
            guard keepsLines, hasRoom(record.lines.count) else { return }
            record.lines.append(
                LineRecord(
                    at_us: timed.at_us, who: .client, text: "", segment: segment, tls: record.tls != nil, octets: count)
            )
        case .clientIgnored(let count): addNotice("\(count) octets were read and thrown away")
        case .clientEarly(let count, _): addNotice("\(count) octets came before the answer was given")
        case .reply(let phase, let wire): applyReply(timed.at_us, phase, wire)
        case .fault(let rule, let why, let phase, let action, let use, let octets, let script):
            pendingFault = (rule, phase)
            endsWithHandshake =
                phase == .tls && script.allSatisfy { $0.hasPrefix("tls ") && $0 != "tls close-after-handshake" }
            guard hasRoom(record.faults.count, script.reduce(why.utf8.count) { $0 + $1.utf8.count }) else { return }
            record.faults.append(
                FaultRecord(
                    at_us: timed.at_us, rule: rule, phase: phase.rawValue, action: action, why: why, use: use,
                    octets: phase == .body ? octets : nil, script: script))
        case .transactionBegan(let path):
            if record.transactions.count == 2 * Self.listLimit {
                record.transactions.removeFirst(Self.listLimit)
                record.events_dropped += Self.listLimit
            }
            record.transactions.append(TransactionRecord(from: Text.lossy(path)))
            record.verdict = nil
            isOpen = true
        case .recipientAnswered(let address, let wire): applyRecipient(address, wire)
        case .transactionEnded(let verdict, let phase, let reply, let message):
            applyEnd(verdict, phase, reply, message)
        case .tlsStarted(let tls):
            record.tls = tls
            if endsWithHandshake { pendingFault = nil }
        case .tlsFailed(let reason): record.tls_failure = reason
        case .plaintextDiscarded(let count):
            addNotice("\(count) octets in clear behind STARTTLS were thrown away")
        case .noticed(let text):
            if pendingFault?.phase == .idle { pendingFault = nil }
            addNotice(text)
        case .clientHello, .clientFinished: break
        case .ended(let ending):
            record.ended_by = ending
            if let fault = pendingFault, record.verdict == nil {
                record.rejected_at = fault.phase.rawValue
                record.rule = fault.rule
            }
        }
    }

    private mutating func applyReply(_ at_us: UInt64, _ phase: Phase?, _ wire: [UInt8]) {
        if keepsLines { for line in Text.lines(wire) { addLine(at_us, .sink, line, segment: 0) } }
        defer { pendingFault = nil }
        ruleBehindLastReply = pendingFault?.rule
        if let fault = pendingFault, fault.phase == phase || fault.phase == .tls, ruleOfReply.count < 1000 {
            ruleOfReply[wire] = fault.rule
        } else if !ruleOfReply.isEmpty {
            ruleOfReply[wire] = nil
        }
        guard let phase, phase != .rcpt, !isOpen, let first = wire.first else { return }
        // Outside a transaction, the first refusal speaks for the session: the greeting, EHLO, STARTTLS, AUTH. A later
        // success at the same phase takes it back (HELO behind a refused EHLO).
        if first == UInt8(ascii: "4") || first == UInt8(ascii: "5") {
            if record.verdict == nil {
                record.verdict = first == UInt8(ascii: "4") ? .deferred : .rejected
                record.rejected_at = phase.rawValue
                record.reply = Text.reply(wire)
                record.rule = pendingFault?.rule
            }
        } else if record.transactions.isEmpty, record.rejected_at == phase.rawValue {
            record.verdict = nil
            record.rejected_at = nil
            record.reply = nil
            record.rule = nil
        }
    }

    private mutating func applyRecipient(_ address: [UInt8], _ wire: [UInt8]) {
        guard isOpen, !record.transactions.isEmpty else { return }
        let rule = pendingFault?.phase == .rcpt ? pendingFault?.rule : nil
        let last = record.transactions.count - 1
        if hasRoom(record.transactions[last].recipients.count) {
            record.transactions[last].recipients.append(
                RecipientRecord(address: Text.lossy(address), reply: Text.reply(wire), rule: rule))
        }
    }

    private mutating func applyEnd(_ verdict: Verdict, _ phase: Phase?, _ reply: [UInt8]?, _ message: String?) {
        guard isOpen, var transaction = record.transactions.popLast() else { return }
        isOpen = false
        transaction.verdict = verdict
        transaction.rejected_at = verdict == .accepted ? nil : phase?.rawValue
        transaction.reply = reply.map { Text.reply($0) }
        transaction.message = message
        transaction.rule = reply.flatMap { ruleOfReply[$0] } ?? pendingFault?.rule
        if let reply, phase == .rcpt {
            transaction.rule = transaction.recipients.last { $0.reply == Text.reply(reply) }?.rule ?? transaction.rule
        }
        pendingFault = nil
        ruleOfReply = [:]
        record.transactions.append(transaction)
        record.verdict = verdict
        record.rejected_at = transaction.rejected_at
        record.reply = transaction.reply
        record.rule = transaction.rule
    }

    private mutating func noteHelo(_ octets: [UInt8]) {
        guard octets.count > 5, octets[4] == UInt8(ascii: " ") else { return }
        let verb = octets[0..<4].map { $0 | 0x20 }
        guard verb == Array("ehlo".utf8) || verb == Array("helo".utf8) else { return }
        record.helo = Text.lossy(octets[5...]).trimmingSuffix { $0 == " " || $0 == "\t" }
    }

    private mutating func addNotice(_ text: String) {
        if hasRoom(record.notices.count, text.utf8.count) { record.notices.append(text) }
    }

    /// Counts what has no room any more.
    private mutating func hasRoom(_ count: Int, _ octets: Int = 0) -> Bool {
        if count < Self.listLimit, octetCount + octets <= Self.octetLimit {
            octetCount += octets
            return true
        }
        record.events_dropped += 1
        return false
    }

    private mutating func addLine(_ at_us: UInt64, _ who: Party, _ text: String, segment: Int) {
        guard hasRoom(record.lines.count, text.utf8.count) else { return }
        record.lines.append(
            LineRecord(at_us: at_us, who: who, text: text, segment: segment, tls: record.tls != nil, octets: nil))
    }
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> String {
        var end = endIndex
        while end > startIndex, predicate(self[index(before: end)]) { end = index(before: end) }
        return String(self[..<end])
    }
}
