// Makes the attempts of a session out of its trace.

import Journal
import SMTP

/// What a session leaves behind beside its attempts.
struct SessionNote: Sendable {
    var session: String
    var client: String
    var peer: String
    var server: String
    var listener: String
    var isLoopback: Bool
    var started_us: Int64
    var ended_us: Int64
    /// The name behind the last EHLO or HELO.
    var hello: String
    var transactionCount: Int
    /// The session ended without a transaction, and a reply says why: its phase and code.
    var refusedAt: Phase?
    var refusal: Int
    var disturbances: Disturbances
    /// TLS was tried, and a fault of the sink spoilt the session.
    var isTroubledTLS: Bool

    /// The sink turned the peer away for now, or was not to be talked to: the next exchanger is to be tried (RFC 5321
    /// §5.1).
    var failed: Bool {
        guard transactionCount == 0 else { return false }
        return (400..<500).contains(refusal) || refusal == 0 && !disturbances.isDisjoint(with: [.cut, .stalled])
    }
}

extension SessionNote {
    init(_ trace: SessionTrace, _ hello: String) {
        session = trace.id
        client = trace.client
        peer = PeerName.peer(trace.client)
        listener = trace.listener
        server = Self.server(trace)
        isLoopback = trace.isLoopback
        started_us = trace.started_us
        ended_us = trace.started_us.adding(trace.duration_us)
        self.hello = hello
        transactionCount = trace.transactions.count
        disturbances = trace.disturbances
        isTroubledTLS = Self.isTroubledTLS(trace)
        (refusedAt, refusal) = (nil, 0)
        guard transactionCount == 0 else { return }
        for step in trace.steps {
            guard case .reply(let reply) = step.kind else { continue }
            switch reply.phase {
            case .connect, .greeting, .ehlo:
                // A yes takes an earlier no back: HELO behind a refused EHLO.
                (refusedAt, refusal) = reply.isPositive ? (nil, 0) : (reply.phase, reply.code)
            case .none where reply.code == 421, .idle where reply.code == 421:
                (refusedAt, refusal) = (reply.phase, 421)
            default: break
            }
        }
    }

    private static func isTroubledTLS(_ trace: SessionTrace) -> Bool {
        guard !trace.disturbances.isDisjoint(with: .troublesTLS) else { return false }
        if trace.tls != nil || trace.tlsOffer != nil || trace.disturbances.contains(.tls) { return true }
        return trace.steps.contains { step in
            if case .tlsFailed = step.kind { return true }
            return false
        }
    }

    static func server(_ trace: SessionTrace) -> String {
        trace.local.isEmpty ? trace.listener : trace.listener.isEmpty ? trace.local : "\(trace.listener) \(trace.local)"
    }
}

/// Reads a trace once, from its beginning.
struct AttemptMaker {
    private let trace: SessionTrace
    private let network: String
    private let server: String
    private(set) var hello = ""
    private(set) var helloNames: [String] = []
    private var step = 0
    /// The last command that was sent behind a reply: the client had heard everything before it.
    private var lastCommand = -1

    init(_ trace: SessionTrace) {
        self.trace = trace
        network = PeerName.network(trace.client)
        server = SessionNote.server(trace)
        for index in trace.steps.indices.reversed() {
            if case .command(let command) = trace.steps[index].kind, !command.isPipelined {
                lastCommand = index
                break
            }
        }
    }

    /// Names that a session is asked for, at most.
    private static let helloLimit = 16

    /// Moves on to this step and takes the names of EHLO and HELO on the way.
    mutating func advance(to end: Int) {
        while step < min(end, trace.steps.count) {
            defer { step += 1 }
            guard case .command(let command) = trace.steps[step].kind, command.isCommand,
                command.verb == "EHLO" || command.verb == "HELO"
            else { continue }
            let name = Text.lossy(command.argumentOctets.prefix { $0 != 32 }.prefix(Attempt.nameLimit)).lowercased()
            guard !name.isEmpty, name != hello else { continue }
            hello = name
            if helloNames.count < Self.helloLimit, !helloNames.contains(name) { helloNames.append(name) }
        }
    }

    mutating func attempt(_ index: Int, _ facts: MessageIdentity?) -> Attempt {
        let transaction = trace.transactions[index]
        let mail = transaction.mail.map { trace.steps[$0] }
        advance(to: transaction.mail ?? 0)
        let end = transaction.end ?? trace.steps.count
        let ended_us = end < trace.steps.count ? trace.steps[end].at_us : trace.duration_us
        var attempt = Attempt(
            session: trace.id, transaction: index + 1, sessionStarted_us: trace.started_us,
            began_us: mail?.at_us ?? 0, ended_us: ended_us, line: mail?.line ?? 0, client: trace.client,
            network: network, hello: hello, server: server,
            reversePath: Self.address(transaction.reversePath))
        attempt.verdict = transaction.verdict
        attempt.phase = transaction.phase
        attempt.code = transaction.code
        attempt.disturbances = transaction.disturbances.union(transaction.ownDisturbances)
        attempt.message = transaction.message
        attempt.messageID = facts?.messageID
        attempt.hasContent = facts != nil
        attempt.isTellable = facts.map { $0.messageID != nil || $0.hasDate } ?? false
        attempt.isTLS = mail?.isTLS ?? false
        attempt.isReused = index > 0
        attempt.isLoopback = trace.isLoopback
        if let mail, case .command(let command) = mail.kind {
            attempt.size = Self.parameter("SIZE=", command.octets).flatMap { Int(Text.lossy($0)) }
            attempt.envelopeID = Self.parameter("ENVID=", command.octets).map { Text.lossy($0) }
        }
        let isHeard = lastCommand > end || trace.ending == .quit
        takeRecipients(transaction, isHeard: isHeard, &attempt)
        if transaction.recipients.isEmpty, transaction.phase == .mail { takeNamed(end, &attempt) }
        return attempt
    }

    private func takeRecipients(_ transaction: TraceTransaction, isHeard: Bool, _ attempt: inout Attempt) {
        let whole = whole(transaction, isHeard: isHeard)
        attempt.recipientsDropped = max(0, transaction.recipients.count - Attempt.recipientLimit)
        attempt.recipients.reserveCapacity(min(transaction.recipients.count, Attempt.recipientLimit))
        var accepted = 0
        // Who writes to a magic address asks for its reply.
        let steering = transaction.steeringRecipients
        for (index, recipient) in transaction.recipients.prefix(Attempt.recipientLimit).enumerated() {
            let wire = index < transaction.recipientReplies.count ? transaction.recipientReplies[index] : []
            var (outcome, code) = (whole, transaction.code)
            switch recipient.code {
            case 452 where accepted > 0 && Self.isCountLimit(wire), 552 where accepted > 0 && Self.isCountLimit(wire):
                (outcome, code) = (.overLimit, recipient.code)
            case 400..<500: (outcome, code) = (.deferred, recipient.code)
            case 500..<600: (outcome, code) = (.failed, recipient.code)
            case 200..<300: accepted += 1
            default: (outcome, code) = (transaction.verdict == .abandoned ? whole : .abandoned, recipient.code)
            }
            attempt.recipients.append(
                AttemptedRecipient(
                    address: Self.address(recipient.address), code: code,
                    isUnknown: recipient.code / 100 == 5 && !steering.contains(index)
                        && Self.enhanced(wire) == "5.1.1",
                    outcome: outcome))
        }
    }

    /// What became of those whom RCPT accepted.
    private func whole(_ transaction: TraceTransaction, isHeard: Bool) -> Outcome {
        switch transaction.verdict {
        case .accepted: return isHeard ? .delivered : .unheard
        case .rejected: return .failed
        case .deferred: return .deferred
        case .lost:
            // A 250 that was said for a message that was thrown away is a 250 to the client.
            return transaction.code == 0 ? .lost : isHeard ? .delivered : .unheard
        case .abandoned, nil:
            let ours: Disturbances = [.cut, .stalled, .limit]
            return transaction.disturbances.isDisjoint(with: ours) || transaction.disturbances.contains(.garbled)
                ? .abandoned : .interrupted
        }
    }

    /// Recipients that were sent in one go behind a MAIL that was refused (RFC 2920): no event names them.
    private func takeNamed(_ end: Int, _ attempt: inout Attempt) {
        guard attempt.verdict == .deferred || attempt.verdict == .rejected else { return }
        let outcome: Outcome = attempt.verdict == .deferred ? .deferred : .failed
        defer {
            if attempt.recipients.isEmpty { attempt.recipients.append(.unnamed(attempt.code, outcome)) }
        }
        for step in trace.steps[min(end, trace.steps.count)...].prefix(2 * Attempt.recipientLimit) {
            guard case .command(let command) = step.kind else { continue }
            guard command.verb == "RCPT", command.isPipelined else { break }
            guard attempt.recipients.count < Attempt.recipientLimit,
                let start = command.octets.firstIndex(of: UInt8(ascii: "<")),
                let stop = command.octets[start...].firstIndex(of: UInt8(ascii: ">"))
            else { continue }
            attempt.recipients.append(
                AttemptedRecipient(
                    address: Self.address(command.octets[(start + 1)..<stop]), code: attempt.code, isUnknown: false,
                    outcome: outcome))
        }
    }

    /// The session was turned away before it had an envelope.
    func bare(_ note: SessionNote) -> Attempt {
        var attempt = Attempt(
            session: note.session, transaction: 0, sessionStarted_us: note.started_us, began_us: 0,
            ended_us: trace.duration_us, line: 0, client: note.client, network: network, hello: note.hello,
            server: server, reversePath: "")
        attempt.phase = note.refusedAt
        attempt.code = note.refusal
        attempt.verdict = note.refusal / 100 == 5 ? .rejected : note.refusal / 100 == 4 ? .deferred : .abandoned
        attempt.disturbances = note.disturbances
        attempt.tie = .peer
        attempt.isLoopback = note.isLoopback
        return attempt
    }

    // MARK: Octets

    /// The domain in small letters (RFC 5321 §2.4), the local part as it stands.
    static func address(_ octets: some BidirectionalCollection<UInt8>) -> String {
        var bytes = Array(octets.prefix(Attempt.nameLimit))
        if let at = bytes.lastIndex(of: UInt8(ascii: "@")) {
            for index in at..<bytes.count where (65...90).contains(bytes[index]) { bytes[index] |= 0x20 }
        }
        return Text.lossy(bytes)
    }

    /// The value of a parameter of MAIL, in sight.
    private static func parameter(_ name: StaticString, _ octets: [UInt8]) -> ArraySlice<UInt8>? {
        let length = name.utf8CodeUnitCount
        guard octets.count > length else { return nil }
        for start in 1..<max(1, octets.count - length) where octets[start - 1] == 32 {
            guard (0..<length).allSatisfy({ Self.capital(octets[start + $0]) == name.utf8Start[$0] }) else { continue }
            return octets[(start + length)...].prefix { $0 != 32 }.prefix(100)
        }
        return nil
    }

    private static func capital(_ octet: UInt8) -> UInt8 { (97...122).contains(octet) ? octet & 0xdf : octet }

    /// The enhanced status behind the code (RFC 2034 §4); empty without one.
    static func enhanced(_ wire: [UInt8]) -> String {
        guard wire.count > 4 else { return "" }
        let word = wire[4...].prefix { (48...57).contains($0) || $0 == 46 }.prefix(11)
        return word.filter { $0 == 46 }.count == 2 ? Text.lossy(word) : ""
    }

    /// Whether a 452 or 552 to RCPT is about the number of recipients: X.5.3 says so, and no status at all leaves it
    /// open.
    private static func isCountLimit(_ wire: [UInt8]) -> Bool {
        let status = enhanced(wire)
        return status.isEmpty || status.hasSuffix(".5.3")
    }
}
