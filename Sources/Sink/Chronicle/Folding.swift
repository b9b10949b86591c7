// Turns -> open sessions -> entries and ended sessions. The one reader of the events of all loops: it keeps what open
// sessions have said so far, sees what is worth an entry, and hands ended sessions on.

import Journal
import SMTP
import Store

/// The sessions that are open, as far as their events have come.
struct Folding {
    /// Event octets kept of one session, at most; what comes behind is counted, and its end is kept all the same.
    static let sessionLogLimit = 1 << 20
    /// The same of all open sessions together.
    static let openLogLimit = 256 << 20

    /// One of them; a class, so that a turn of it copies nothing.
    private final class Open {
        var log = EventLog()
        var dropped = 0
        var builder = SessionBuilder(keepsLines: false)
        var began_us: Int64 = 0
        /// The recipient that was answered last, for the refusal that follows.
        var lastRecipient: (address: String, wire: [UInt8])?
        /// What the client said last: a rule at MAIL or RCPT acts before the journal knows of the path.
        var lastLine: [UInt8] = []
    }

    private var open: [UInt64: Open] = [:]
    /// Octets of their logs.
    private var openOctets = 0
    /// Refusals said, by phase: how many were 4yz, how many 5yz. Without a phase where the protocol itself refused.
    private(set) var refusals: [String: (deferred: Int, rejected: Int)] = [:]
    private(set) var verdicts: [Verdict: Int] = [:]
    private(set) var endings: [Ending: Int] = [:]
    private(set) var ruleHits = 0

    /// What one batch gave.
    struct Yield {
        var entries: [Entry] = []
        var sessions: [StoredSession] = []
    }

    mutating func fold(_ batch: TurnBatch, keepsSessions: Bool) -> Yield {
        var yield = Yield()
        var start = 0
        for turn in batch.turns {
            let events = EventLog(octets: Array(batch.octets[start..<turn.end]), eventCount: turn.eventCount)
            start = turn.end
            fold(events, turn, keepsSessions, &yield)
        }
        return yield
    }

    private mutating func fold(
        _ events: EventLog, _ turn: TurnBatch.Turn, _ keepsSessions: Bool, _ yield: inout Yield
    ) {
        let session = open[turn.session] ?? Open()
        if keepsSessions {
            let hasRoom =
                session.log.octetCount + events.octetCount <= Self.sessionLogLimit
                && openOctets + events.octetCount <= Self.openLogLimit
            if hasRoom || turn.isLast {
                session.log.append(events)
                openOctets += events.octetCount
            } else {
                session.dropped += events.eventCount
            }
        }
        for event in events { see(event, session, &yield) }
        guard turn.isLast else {
            open[turn.session] = session
            return
        }
        open[turn.session] = nil
        openOctets -= session.log.octetCount
        guard keepsSessions else { return }
        let record = session.builder.record
        yield.sessions.append(
            StoredSession(
                number: turn.session, log: session.log, eventsDropped: session.dropped, facets: record.facets,
                ended_us: session.began_us + Int64(record.duration_us)))
    }

    /// Applies one event, and says what it is worth.
    private mutating func see(_ timed: TimedEvent, _ session: Open, _ yield: inout Yield) {
        session.builder.apply(timed)
        let wall_us = session.began_us + Int64(timed.at_us)
        switch timed.event {
        case .opened(_, _, _, _, let began_us):
            session.began_us = began_us
            yield.entries.append(Entry(.opened, wall_us: began_us, subject(of: session)))
        case .clientLine(let octets, _): session.lastLine = octets
        case .recipientAnswered(let address, let wire): session.lastRecipient = (Text.lossy(address), wire)
        case .reply(let phase, let wire):
            guard let first = wire.first, first == UInt8(ascii: "4") || first == UInt8(ascii: "5") else { return }
            yield.entries.append(refusal(phase, wire, first == UInt8(ascii: "4"), wall_us, session))
        case .fault(let rule, _, let phase, let action, _, _, _):
            ruleHits += 1
            var subject = subject(of: session, withRecipients: phase != .rcpt)
            if phase == .mail { subject.beginTransaction(from: Self.path(in: session.lastLine)) }
            if phase == .rcpt { subject.to = [Self.path(in: session.lastLine)] }
            subject.rules = [rule]
            subject.phases = [phase.rawValue]
            yield.entries.append(Entry(.rule, wall_us: wall_us, subject, detail: action))
        case .transactionEnded(let verdict, _, _, let message):
            verdicts[verdict, default: 0] += 1
            guard message != nil else { return }
            yield.entries.append(Entry(.message, wall_us: wall_us, subject(of: session)))
        case .ended(let ending):
            endings[ending, default: 0] += 1
            yield.entries.append(Entry(.session, wall_us: wall_us, Subject(session.builder.record)))
        default: return
        }
    }

    private mutating func refusal(
        _ phase: Phase?, _ wire: [UInt8], _ isDeferral: Bool, _ wall_us: Int64, _ session: Open
    ) -> Entry {
        let isAboutRecipient = phase == .rcpt || phase == nil
        var subject = subject(of: session, withRecipients: !isAboutRecipient)
        let reply = Text.reply(wire)
        subject.replies = [reply]
        subject.verdicts = [isDeferral ? .deferred : .rejected]
        let place = phase?.rawValue ?? "protocol"
        subject.phases = [place]
        var count = refusals[place] ?? (0, 0)
        if isDeferral { count.deferred += 1 } else { count.rejected += 1 }
        refusals[place] = count
        let transaction = session.builder.record.transactions.last
        if let recipient = session.lastRecipient, recipient.wire == wire, isAboutRecipient {
            subject.to = [recipient.address]
            subject.rules =
                transaction?.recipients.last.flatMap { $0.address == recipient.address ? $0.rule : nil }
                .map { [$0] } ?? []
        } else {
            subject.rules = session.builder.ruleBehindLastReply.map { [$0] } ?? []
        }
        subject.message = nil
        return Entry(.reject, wall_us: wall_us, subject)
    }

    /// The mailbox of a MAIL or RCPT whose grammar is known to be right, without its source route.
    private static func path(in line: [UInt8]) -> String {
        guard let open = line.firstIndex(of: UInt8(ascii: "<")) else { return "" }
        var (isQuoted, isEscaped) = (false, false)
        let inside = line[(open + 1)...].prefix { octet in
            if isEscaped {
                isEscaped = false
            } else if isQuoted {
                isEscaped = octet == UInt8(ascii: "\\")
                isQuoted = octet != UInt8(ascii: "\"")
            } else {
                isQuoted = octet == UInt8(ascii: "\"")
                return octet != UInt8(ascii: ">")
            }
            return true
        }
        guard inside.first == UInt8(ascii: "@"), let colon = inside.firstIndex(of: UInt8(ascii: ":")) else {
            return Text.lossy(Array(inside))
        }
        return Text.lossy(Array(inside[(colon + 1)...]))
    }

    /// The session and the transaction that runs, or ran last.
    ///
    /// - Parameter withRecipients: false where one of them is meant: each of very many would copy all.
    private func subject(of session: Open, withRecipients: Bool = true) -> Subject {
        let record = session.builder.record
        var subject = Subject()
        subject.session = record.id
        subject.listener = record.listener
        subject.client = record.client
        subject.helo = record.helo
        subject.tls = record.tls?.version
        if let transaction = record.transactions.last {
            subject.from = [transaction.from]
            if withRecipients { subject.to = transaction.recipients.prefix(Subject.mostTexts).map(\.address) }
            subject.message = transaction.message
            if let verdict = transaction.verdict { subject.verdicts = [verdict] }
            if let phase = transaction.rejected_at { subject.phases = [phase] }
            if let rule = transaction.rule { subject.rules = [rule] }
            if let reply = transaction.reply, transaction.verdict != .accepted { subject.replies = [reply] }
        }
        return subject
    }

    /// An open session as far as it has come.
    func openSession(_ number: UInt64) -> StoredSession? { open[number].map { Self.stored(number, $0) } }

    /// All open sessions, the oldest first.
    var openSessions: [StoredSession] {
        open.sorted { $0.key < $1.key }.map { Self.stored($0.key, $0.value) }
    }

    private static func stored(_ number: UInt64, _ session: Open) -> StoredSession {
        StoredSession(
            number: number, log: session.log, eventsDropped: session.dropped, facets: session.builder.record.facets,
            ended_us: session.began_us + Int64(session.builder.record.duration_us))
    }
}
