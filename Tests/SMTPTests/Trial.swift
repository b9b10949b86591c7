// Drives a session as the sink does, without a socket: keeps what was not consumed, asks for rulings, collects what is
// said. Checks on the way what must hold for any octets. Shared by the tests and the fuzz targets, so no Testing here.

#if canImport(SMTP)
    @testable import SMTP
#endif

/// What happened, in order; the same for the same octets however they were cut.
enum Happening: Equatable, CustomStringConvertible {
    case line([UInt8])
    case secret
    case notice(Notice)
    case decision(Phase)
    case reply([UInt8])
    case message(Transaction, [UInt8])
    case startTLS
    case close

    var description: String {
        switch self {
        case .line(let octets): "C: \(String(decoding: octets, as: UTF8.self))"
        case .secret: "C: (secret)"
        case .notice(let notice): "! \(notice)"
        case .decision(let phase): "? \(phase.rawValue)"
        case .reply(let octets): "S: \(String(decoding: octets, as: UTF8.self))"
        case .message(let transaction, let octets): "= \(transaction.recipients.count) \(octets.count)"
        case .startTLS: "starttls"
        case .close: "close"
        }
    }
}

/// A broken promise of the session, in words.
struct Broken: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

struct Trial: ~Copyable {
    var session: Session
    /// What is ruled at each phase; anything that was said before is at hand.
    var rule: (Phase) -> Ruling
    private(set) var happenings: [Happening] = []
    private(set) var isOver = false
    private var buffer: [UInt8] = []

    init(_ session: consuming Session, rule: @escaping (Phase) -> Ruling = { _ in .proceed }) {
        self.session = session
        self.rule = rule
    }

    /// The greeting, or another phase that begins outside `receive`.
    mutating func begin(_ phase: Phase) throws {
        session.begin(phase)
        try settle(phase)
    }

    mutating func feed(_ octets: some Collection<UInt8>) throws {
        buffer += octets
        while !isOver {
            let (consumed, goesOn) = try buffer.withUnsafeBytes { try take($0) }
            buffer.removeFirst(consumed)
            if !goesOn { break }
        }
    }

    /// One call of `receive` and what it leads to.
    private mutating func take(_ input: UnsafeRawBufferPointer) throws -> (Int, Bool) {
        let step = session.receive(input)
        guard (0...input.count).contains(step.consumed) else { throw Broken("consumed \(step.consumed)") }
        guard (0...step.consumed).contains(step.secretFrom) else { throw Broken("secret from \(step.secretFrom)") }
        guard (step.unit == .none) == (step.consumed == 0) else { throw Broken("unit \(step.unit)") }
        if let notice = step.notice { happenings.append(.notice(notice)) }
        switch step.unit {
        case .none, .content, .swallowed: break
        case .line: happenings.append(.line(Array(input[..<step.consumed])))
        case .secretLine: happenings.append(.secret)
        }
        switch step.demand {
        case .input:
            let limits = session.profile.limits
            if step.consumed == 0, input.count >= max(limits.commandLine, limits.authLine, 16) {
                throw Broken("asks to keep \(input.count) octets")
            }
            return (step.consumed, step.consumed > 0 && step.consumed < input.count)
        case .decision(let phase):
            try settle(phase)
        case .reply(let reply, let closes):
            try say(reply)
            if closes { close() }
        }
        return (step.consumed, true)
    }

    private mutating func settle(_ phase: Phase) throws {
        guard session.pendingPhase == phase, !session.awaitsCommand else { throw Broken("pending is not \(phase)") }
        happenings.append(.decision(phase))
        try checkPending(phase)
        let ruling = rule(phase)
        let outcome = session.resolve(ruling)
        guard session.pendingPhase == nil, session.pendingForwardPath == nil, session.pendingReversePath == nil else {
            throw Broken("something is pending after \(phase)")
        }
        if let reply = outcome.reply { try say(reply) }
        switch outcome.next {
        case .read: break
        case .startTLS:
            happenings.append(.startTLS)
            session.handshakeDone()
        case .close: close()
        }
    }

    private mutating func checkPending(_ phase: Phase) throws {
        switch phase {
        case .mail where session.pendingReversePath == nil: throw Broken("no reverse-path")
        case .rcpt where session.pendingForwardPath == nil: throw Broken("no forward-path")
        case .ehlo where session.helo == nil: throw Broken("no name")
        case .endOfData:
            guard let transaction = session.transaction, !transaction.recipients.isEmpty else {
                throw Broken("no envelope at the end of data")
            }
            let content = session.takeContent()
            guard !session.keepsContent || content.count == session.contentCount else {
                throw Broken("\(content.count) octets stored of \(session.contentCount)")
            }
            happenings.append(.message(transaction, content))
        default: break
        }
    }

    private mutating func say(_ reply: Reply) throws {
        if let fault = replyFault(reply) { throw Broken("\(fault): \(reply.text)") }
        happenings.append(.reply(reply.wire))
    }

    private mutating func close() {
        happenings.append(.close)
        isOver = true
    }

    var replies: [String] {
        happenings.compactMap {
            if case .reply(let wire) = $0 { String(decoding: wire.dropLast(2), as: UTF8.self) } else { nil }
        }
    }
    var codes: [String] { replies.map { String($0.prefix(3)) } }
    var messages: [[UInt8]] { happenings.compactMap { if case .message(_, let octets) = $0 { octets } else { nil } } }
    var envelopes: [Transaction] { happenings.compactMap { if case .message(let it, _) = $0 { it } else { nil } } }
    var phases: [Phase] { happenings.compactMap { if case .decision(let phase) = $0 { phase } else { nil } } }
    var notices: [Notice] { happenings.compactMap { if case .notice(let notice) = $0 { notice } else { nil } } }
}

/// What is wrong with a reply, by RFC 5321 §4.2 and §4.5.3.1.5 and RFC 2034 §4; nil when nothing is.
func replyFault(_ reply: Reply) -> String? {
    let wire = reply.wire
    guard wire.count >= 6, wire.suffix(2) == [13, 10] else { return "no line end" }
    var lines: [[UInt8]] = []
    var line: [UInt8] = []
    for octet in wire {
        line.append(octet)
        if octet == 10 {
            lines.append(line)
            line = []
        }
    }
    guard line.isEmpty else { return "octets behind the last line" }
    let digits = Array(String(reply.code.value).utf8)
    for (index, line) in lines.enumerated() {
        guard line.count <= 512 else { return "line of \(line.count) octets" }
        guard line.suffix(2) == [13, 10], line.dropLast(2).allSatisfy({ (32...126).contains($0) || $0 == 9 }) else {
            return "octets that are not printable"
        }
        guard line.prefix(3) == digits[...], line[3] == UInt8(ascii: index == lines.count - 1 ? " " : "-") else {
            return "line \(index) begins wrongly"
        }
        if let enhanced = reply.enhanced {
            guard line.dropFirst(4).starts(with: Array("\(enhanced) ".utf8)) else { return "no enhanced code" }
        }
    }
    guard (200...599).contains(reply.code.value) else { return "code" }
    if let enhanced = reply.enhanced {
        guard enhanced.statusClass == UInt8(reply.code.value / 100) else { return "classes differ" }
    }
    return nil
}
