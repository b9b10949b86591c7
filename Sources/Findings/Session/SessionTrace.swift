// A recorded session as the checks want it: commands with the replies that belong to them, what was offered when, what
// the sink had done by then. Made from the events of the session alone, in one pass; nothing else is known here.

import Journal
import SMTP

/// One thing in a session, in the order in which the sink dealt with it.
package struct TraceStep: Sendable {
    package enum Kind: Sendable {
        case command(TraceCommand)
        case reply(TraceReply)
        /// Message octets: how many, and the transaction they belong to (an index; nil outside one).
        case content(octetCount: Int, transaction: Int?)
        /// Octets that came while the sink was still holding back its answer.
        case early(octetCount: Int)
        /// Octets that nobody read as SMTP.
        case ignored(octetCount: Int)
        /// Octets in clear behind STARTTLS.
        case discarded(octetCount: Int)
        case fault(phase: Phase, disturbances: Disturbances)
        case tlsStarted(TLSSummary)
        case tlsFailed(reason: String)
        case notice(String)
        case clientFinished
        case ended(Ending)
    }

    package var kind: Kind
    /// Microseconds since the start of the session; of the client's octets, when they came.
    package var at_us: UInt64
    /// The read in which the client's octets came, from 1; 0 for everything else.
    package var segment: Int
    /// The line of the transcript, from 1, as in `Evidence`; of a reply the first of its lines. 0 where it has none.
    package var line: Int
    /// TLS was active.
    package var isTLS: Bool
    /// What the sink's faults had done by then.
    package var disturbances: Disturbances
    /// What the last EHLO reply offered: an index into `SessionTrace.offers`.
    package var offer: Int
}

package struct TraceCommand: Sendable {
    /// Without its CRLF; secrets are masked.
    package var octets: [UInt8]
    /// The verb in capitals: the letters and digits in front of the first octet that is neither; empty where there are
    /// none.
    package var verb: String
    /// What stands behind the verb and one space; empty where nothing does.
    package var argument: Range<Int>
    /// A command line, not a line of a SASL dialogue.
    package var isCommand: Bool
    /// The step of the reply to it; nil where none was said.
    package var reply: Int?
    /// It came before the reply to the command in front of it was written (RFC 2920 §3.1 allows that for some).
    package var isPipelined: Bool
    /// The transaction that was open when it came, or that it opened: an index into `SessionTrace.transactions`.
    package var transaction: Int?

    package var argumentOctets: ArraySlice<UInt8> { octets[argument] }
}

package struct TraceReply: Sendable {
    package var wire: [UInt8]
    package var phase: Phase?
    /// 0 where the octets are no reply.
    package var code: Int
    /// The step of the command it answers; nil for the greeting, and for the reply to a message.
    package var command: Int?
    package var isPositive: Bool { (200..<400).contains(code) }
    package var isTransient: Bool { (400..<500).contains(code) }
    package var isPermanent: Bool { (500..<600).contains(code) }
}

/// What an EHLO reply listed; `isExtended` is false before the first one and after HELO.
package struct TraceOffer: Sendable, Hashable {
    package var isExtended = false
    /// By keyword in capitals, the parameters as they stood.
    package var keywords: [String: [String]] = [:]

    package init() {}

    package func has(_ keyword: String) -> Bool { keywords[keyword] != nil }
}

package struct TraceTransaction: Sendable {
    /// Without angle brackets; empty for the null reverse-path.
    package var reversePath: [UInt8]
    package var recipients: [(address: [UInt8], code: Int)] = []
    /// The replies to them as they went out, in the same order.
    package var recipientReplies: [[UInt8]] = []
    /// Recipients, by their place, whose address told the sink what to answer.
    package var steeringRecipients: Set<Int> = []
    package var verdict: Verdict?
    package var phase: Phase?
    /// The code of the reply that ended it; 0 where none was said.
    package var code = 0
    /// The reply as it went out.
    package var reply: [UInt8] = []
    /// The id of the stored message.
    package var message: String?
    /// Message octets that came.
    package var octetCount = 0
    /// They came by BDAT.
    package var isChunked = false
    /// The MAIL that opened it, and where it ended: steps.
    package var mail: Int?
    package var end: Int?
    /// What the sink's faults had done to the session when it ended.
    package var disturbances: Disturbances = []
    /// What the sink's faults did while it ran.
    package var ownDisturbances: Disturbances = []
}

/// A fault that made a reply leave piece by piece.
package struct TracePace: Sendable, Hashable {
    /// The step of the fault.
    package var fault: Int
    package var octetsPerSecond: Double
}

package struct SessionTrace: Sendable {
    package private(set) var id = ""
    package private(set) var listener = ""
    /// The address of the client, without its port.
    package private(set) var client = ""
    package private(set) var local = ""
    /// Microseconds since 1970-01-01 UTC.
    package private(set) var started_us: Int64 = 0
    package private(set) var duration_us: UInt64 = 0
    package private(set) var steps: [TraceStep] = []
    package private(set) var offers: [TraceOffer] = [TraceOffer()]
    package private(set) var transactions: [TraceTransaction] = []
    package private(set) var tls: TLSSummary?
    /// What the ClientHello offered, and when it came; nil where no ClientHello was recorded.
    package private(set) var tlsOffer: TLSOffer?
    package private(set) var tlsOfferAt_us: UInt64 = 0
    /// The bad TLS that the sink showed last, by its name in rules.
    package private(set) var badTLS: String?
    /// What a rule did at `connect` and `greeting`, in the grammar of rules.
    package private(set) var greetingScript: [String] = []
    package private(set) var ending: Ending?
    /// Everything that the sink's faults did to the session.
    package private(set) var disturbances: Disturbances = []
    /// Replies that left piece by piece from the moment of the fault on.
    package private(set) var paces: [TracePace] = []
    /// Events are missing, since the session was longer than what is kept: nothing is concluded from an absence.
    package private(set) var isCut: Bool

    /// Lines of the transcript.
    package private(set) var lines = 0
    private var offer = 0
    private var openTransaction: Int?
    /// Commands whose reply is still to come, the oldest first.
    private var unanswered: [Int] = []
    private var lastClientStep: Int?
    private var lastReplyAt_us: UInt64?
    private var lastReplySegment = 0
    private var isSASL = false
    /// The recipient at hand is a magic address, which asks for its reply.
    private var isSteered = false
    private var lastSegment = 0

    /// Steps of one session that are looked at, at most.
    package static let stepLimit = 100_000

    package init(_ log: EventLog, eventsDropped: Int = 0) {
        isCut = eventsDropped > 0
        steps.reserveCapacity(min(log.eventCount, Self.stepLimit))
        for timed in log {
            guard steps.count < Self.stepLimit else {
                isCut = true
                break
            }
            apply(timed)
        }
    }

    /// The peer is this machine, or a private network.
    package var isLoopback: Bool { Self.isLocal(client) }

    /// Whether a client, by its address without a port, is this machine, or of a private network.
    package static func isLocal(_ client: String) -> Bool { NetworkAddress(client)?.isLocal ?? true }

    package func offer(at step: TraceStep) -> TraceOffer { offers[step.offer] }

    // MARK: Folding

    private mutating func add(_ kind: TraceStep.Kind, _ at_us: UInt64, segment: Int = 0, lines count: Int = 0) {
        steps.append(
            TraceStep(
                kind: kind, at_us: at_us, segment: segment, line: count > 0 ? lines + 1 : 0, isTLS: tls != nil,
                disturbances: disturbances, offer: offer))
        lines += count
        duration_us = max(duration_us, at_us)
    }

    private mutating func apply(_ timed: TimedEvent) {
        let at_us = timed.at_us
        switch timed.event {
        case .opened(let session, let listener, let client, let local, let wall_us):
            (id, self.listener, self.local, started_us) = (session, listener, local, wall_us)
            self.client = Self.address(client)
        case .clientLine(let octets, let segment): addCommand(octets, segment, at_us)
        case .clientContent(let count, let segment):
            if let openTransaction { transactions[openTransaction].octetCount += count }
            add(.content(octetCount: count, transaction: openTransaction), at_us, segment: segment, lines: 1)
            lastSegment = segment
        case .clientIgnored(let count): add(.ignored(octetCount: count), at_us)
        case .clientEarly(let count, let segment): add(.early(octetCount: count), at_us, segment: segment)
        case .reply(let phase, let wire): addReply(wire, phase, at_us)
        case .fault(let rule, _, let phase, _, _, _, let script):
            if phase == .rcpt { isSteered = rule.hasPrefix("magic ") }
            let new = Disturbances(script: script, at: phase)
            if phase == .connect || phase == .greeting { greetingScript = script }
            if let bad = script.last(where: { $0.hasPrefix("tls ") }) { badTLS = String(bad.dropFirst(4)) }
            disturbances.formUnion(new)
            if let openTransaction { transactions[openTransaction].ownDisturbances.formUnion(new) }
            if let rate = TracePace.octetsPerSecond(script) {
                paces.append(TracePace(fault: steps.count, octetsPerSecond: rate))
            }
            add(.fault(phase: phase, disturbances: new), at_us)
        case .transactionBegan(let path):
            openTransaction = transactions.count
            transactions.append(TraceTransaction(reversePath: path, mail: lastClientStep))
            if let step = lastClientStep, case .command(var command) = steps[step].kind {
                command.transaction = openTransaction
                steps[step].kind = .command(command)
            }
        case .recipientAnswered(let address, let wire):
            defer { isSteered = false }
            guard let openTransaction else { return }
            if isSteered {
                transactions[openTransaction].steeringRecipients.insert(transactions[openTransaction].recipients.count)
            }
            transactions[openTransaction].recipients.append((address, Self.code(wire)))
            transactions[openTransaction].recipientReplies.append(wire)
        case .transactionEnded(let verdict, let phase, let reply, let message):
            endTransaction(verdict, phase, reply, message)
        case .clientHello(let offer): (tlsOffer, tlsOfferAt_us) = (offer, at_us)
        case .tlsStarted(let summary):
            tls = summary
            offer = 0
            add(.tlsStarted(summary), at_us)
        case .tlsFailed(let reason): add(.tlsFailed(reason: reason), at_us)
        case .plaintextDiscarded(let count): add(.discarded(octetCount: count), at_us)
        case .noticed(let text):
            // The odd reply `early-reply`: the reply to this command went out with the one before.
            if text.hasPrefix("a reply went out with the one before"), !unanswered.isEmpty { unanswered.removeFirst() }
            add(.notice(text), at_us)
        case .clientFinished: add(.clientFinished, at_us)
        case .ended(let ending):
            self.ending = ending
            switch ending {
            case .timeout, .shutdown: disturbances.formUnion(.limit)
            case .sinkClose, .sinkReset: disturbances.formUnion(.cut)
            case .quit, .clientClose, .clientReset: break
            }
            add(.ended(ending), at_us)
        }
    }

    private mutating func addCommand(_ octets: [UInt8], _ segment: Int, _ at_us: UInt64) {
        let letters = octets.prefix { (65...90).contains($0) || (97...122).contains($0) || (48...57).contains($0) }
        var start = letters.count
        if start < octets.count, octets[start] == 32 { start += 1 }
        let verb = String(decoding: letters.map { (97...122).contains($0) ? $0 & 0xdf : $0 }, as: UTF8.self)
        // In one read with what stands in front of it, or read before the reply to that was written.
        let isPipelined = !unanswered.isEmpty || segment == lastSegment || lastReplyAt_us.map { at_us < $0 } ?? false
        unanswered.append(steps.count)
        lastClientStep = steps.count
        if verb == "BDAT", let openTransaction { transactions[openTransaction].isChunked = true }
        add(
            .command(
                TraceCommand(
                    octets: octets, verb: verb, argument: start..<octets.count, isCommand: !isSASL, reply: nil,
                    isPipelined: isPipelined, transaction: openTransaction)),
            at_us, segment: segment, lines: 1)
        lastSegment = segment
    }

    private mutating func addReply(_ wire: [UInt8], _ phase: Phase?, _ at_us: UInt64) {
        let code = Self.code(wire)
        var command: Int?
        // The greeting and the reply to a message answer no command line.
        if phase != .greeting, phase != .connect, phase != .endOfData || isAnsweringChunk, !unanswered.isEmpty {
            command = unanswered.removeFirst()
        }
        var verb = ""
        if let command, case .command(var asked) = steps[command].kind {
            asked.reply = steps.count
            steps[command].kind = .command(asked)
            verb = asked.verb
        }
        add(
            .reply(TraceReply(wire: wire, phase: phase, code: code, command: command)), at_us,
            lines: Self.lineCount(wire))
        lastReplyAt_us = at_us
        isSASL = code == 334
        if code == 421 { disturbances.formUnion(.cut) }
        if phase == .ehlo, (200..<300).contains(code) { noteOffer(wire, verb) }
        if phase == .ehlo, code >= 500 { disturbances.formUnion(.ehloRefused) }
    }

    private var isAnsweringChunk: Bool {
        guard let first = unanswered.first, case .command(let command) = steps[first].kind else { return false }
        return command.verb == "BDAT"
    }

    private mutating func noteOffer(_ wire: [UInt8], _ verb: String) {
        var offer = TraceOffer()
        offer.isExtended = verb == "EHLO"
        if offer.isExtended {
            for line in Text.lines(wire).dropFirst() {
                var words = line.dropFirst(4).split(whereSeparator: { $0 == " " || $0 == "=" }).map(String.init)
                guard !words.isEmpty else { continue }
                let keyword = words.removeFirst().uppercased()
                offer.keywords[keyword, default: []] += words
            }
        }
        if let known = offers.firstIndex(of: offer) {
            self.offer = known
        } else if offers.count < 100 {
            self.offer = offers.count
            offers.append(offer)
        }
    }

    private mutating func endTransaction(_ verdict: Verdict, _ phase: Phase?, _ reply: [UInt8]?, _ message: String?) {
        guard let index = openTransaction else { return }
        openTransaction = nil
        transactions[index].verdict = verdict
        transactions[index].phase = phase
        transactions[index].reply = reply ?? []
        transactions[index].code = Self.code(reply ?? [])
        transactions[index].message = message
        transactions[index].end = steps.count
        if verdict == .lost { disturbances.formUnion(.replyLost) }
        transactions[index].disturbances = disturbances
    }

    /// As many as `Text.lines` gives.
    private static func lineCount(_ wire: [UInt8]) -> Int {
        guard let last = wire.last else { return 0 }
        return wire.reduce(last == 10 ? 0 : 1) { $0 + ($1 == 10 ? 1 : 0) }
    }

    package static func code(_ wire: [UInt8]) -> Int {
        guard wire.count >= 3, wire[0...2].allSatisfy({ (48...57).contains($0) }) else { return 0 }
        return wire[0...2].reduce(0) { $0 * 10 + Int($1 - 48) }
    }

    /// `127.0.0.1:4711` and `[::1]:4711` without the port.
    private static func address(_ client: String) -> String {
        if client.hasPrefix("["), let end = client.firstIndex(of: "]") {
            return String(client[client.index(after: client.startIndex)..<end])
        }
        guard let colon = client.lastIndex(of: ":"), client.firstIndex(of: ":") == colon else { return client }
        return String(client[..<colon])
    }
}

extension TracePace {
    /// `split-reply`: an octet every 5 ms.
    private static let splitRate = 200.0

    /// Of a script that says nothing but a slow reply; nil where a delay in front of it makes its beginning unknown.
    fileprivate static func octetsPerSecond(_ script: [String]) -> Double? {
        guard script.count == 1, let action = script.first else { return nil }
        if action == "raw split-reply" { return splitRate }
        guard action.hasPrefix("drip "), let slash = action.lastIndex(of: "/"),
            let octets = Double(action[action.index(action.startIndex, offsetBy: 5)..<slash]), octets > 0
        else { return nil }
        switch action[action.index(after: slash)...] {
        case "s": return octets
        case "m": return octets / 60
        case "h": return octets / 3600
        default: return nil
        }
    }
}

extension Disturbances {
    /// Of the actions of a rule, in the grammar of rules.
    package init(script: [String], at phase: Phase) {
        self = []
        for action in script {
            let word = action.prefix { $0 != " " }
            switch word {
            case "delay", "drip", "tarpit": formUnion(.delayed)
            case "stall": formUnion(.stalled)
            case "close", "reset": formUnion(phase == .endOfData || phase == .accepted ? [.cut, .replyLost] : .cut)
            case "slow-read", "stop-reading": formUnion(.slowRead)
            case "keep", "lose": formUnion(.replyLost)
            case "hide", "offer": formUnion(.listChanged)
            case "tls": formUnion(.tls)
            case "raw": formUnion(.garbled)
            case "use", "421", "accept": formUnion(word == "421" ? [.cut, .refused] : word == "use" ? .refused : [])
            default:
                if word.first == "4" || word.first == "5" { formUnion(.refused) }
                // A yes that is not the protocol's own.
                if word.first == "2" || word.first == "3" { formUnion(.garbled) }
            }
        }
        if phase == .starttls, contains(.refused) { formUnion(.tls) }
    }
}
