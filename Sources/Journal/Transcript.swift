// A session as a person reads it, line by line while it happens, and at its end the one line that answers "when did the
// reject happen?". Text only: where it goes is not known here.

import SMTP

/// Renders the events of one session as text lines.
package struct Transcript: Sendable {
    private var builder = SessionBuilder(keepsLines: false)
    private let colours: Bool
    private var lastSegment = 0
    private var lastFault: String?
    private var transactionsShown = 0

    /// - Parameter colours: ANSI colours, for a terminal only.
    package init(colours: Bool) { self.colours = colours }

    /// The lines that an event adds, each ended by LF; empty for an event that shows in a later line.
    package mutating func render(_ timed: TimedEvent) -> String {
        builder.apply(timed)
        switch timed.event {
        case .opened(let session, let listener, let client, let local, _):
            return paint("\(session) ── \(client) → \(local) (\(listener))  \(builder.record.started)", .bold) + "\n"
        case .clientLine(let octets, let segment):
            let pipelined = segment == lastSegment
            lastSegment = segment
            return line(timed, pipelined ? "C+" : "C ", Text.shown(Text.lossy(octets)), .plain)
        case .clientContent(let count, let segment):
            lastSegment = segment
            return line(timed, "C ", "[message, \(count) octets]", .dim)
        case .clientIgnored(let count): return line(timed, "!!", "\(count) octets were read and thrown away", .yellow)
        case .clientEarly(let count, _):
            return line(timed, "!!", "the client sent \(count) octets before the answer was given", .yellow)
        case .reply(_, let wire): return reply(timed, wire)
        case .fault(let rule, let why, let phase, let action, _, _, _):
            lastFault = rule
            return line(timed, "**", "\(action) at \(phase.rawValue)  (rule \(rule): \(why))", .magenta)
        case .transactionBegan, .recipientAnswered, .clientHello: return ""
        case .transactionEnded: return verdictLines()
        case .tlsStarted(let tls):
            let names =
                tls.client_names.isEmpty ? "" : ", client certificate " + tls.client_names.joined(separator: " ")
            return line(
                timed, "--", "\(tls.version) \(tls.cipher), server name \(tls.sni ?? "not given")\(Text.shown(names))",
                .cyan)
        case .tlsFailed(let reason): return line(timed, "!!", "TLS handshake failed: \(Text.shown(reason))", .red)
        case .plaintextDiscarded(let count):
            return line(timed, "!!", "\(count) octets in clear behind STARTTLS were thrown away", .yellow)
        case .noticed(let text): return line(timed, "!!", Text.shown(text), .yellow)
        case .clientFinished: return ""
        case .ended(let ending): return endLines(timed, ending)
        }
    }

    private func reply(_ timed: TimedEvent, _ wire: [UInt8]) -> String {
        let colour: Colour =
            switch wire.first {
            case UInt8(ascii: "5"): .red
            case UInt8(ascii: "4"): .yellow
            default: .green
            }
        return Text.lines(wire).map { line(timed, "S ", Text.shown($0), colour) }.joined()
    }

    /// What became of the transaction that ended last, and what each recipient got.
    private func verdictLines() -> String {
        guard let transaction = builder.record.transactions.last, let verdict = transaction.verdict else { return "" }
        var text = "\(builder.record.id)           => \(Self.sentence(transaction))\n"
        let colour: Colour =
            switch verdict {
            case .accepted: .green
            case .rejected: .red
            case .deferred, .lost: .yellow
            case .abandoned: .dim
            }
        text = paint(String(text.dropLast()), colour) + "\n"
        for recipient in transaction.recipients {
            let rule = recipient.rule.map { "  (rule \($0))" } ?? ""
            text += "\(builder.record.id)                <\(Text.shown(recipient.address))>  "
            text += "\(Text.shown(Text.brief(recipient.reply)))\(rule)\n"
        }
        return text
    }

    private func endLines(_ timed: TimedEvent, _ ending: Ending) -> String {
        let record = builder.record
        var text = ""
        if record.transactions.isEmpty {
            text = paint("\(record.id)           => \(Self.sentence(record))", .yellow) + "\n"
        }
        let duration = Self.milliseconds(timed.at_us)
        return text + paint("\(record.id) ── ended by \(ending.rawValue) after \(duration) ms", .dim) + "\n"
    }

    /// "rejected at RCPT: 550 5.1.1 … (rule full-mailbox)".
    package static func sentence(_ transaction: TransactionRecord) -> String {
        let phase = transaction.rejected_at.flatMap { Phase(rawValue: $0) }
        let place = phase.map { " at \($0.spoken)" } ?? ""
        let rule = transaction.rule.map { " (rule \($0))" } ?? ""
        let reply = transaction.reply.map { ": \(Text.shown(Text.brief($0)))" } ?? ""
        switch transaction.verdict {
        case .accepted:
            return "accepted\(transaction.message.map { " as \($0)" } ?? "")\(reply)\(rule)"
        case .rejected: return "rejected\(place)\(reply)\(rule)"
        case .deferred: return "deferred\(place)\(reply)\(rule)"
        case .lost:
            let what =
                transaction.message.map { "stored as \($0), but the client was not told" }
                ?? (transaction.reply == nil
                    ? "no reply was said, nothing was stored" : "a 250 was said, nothing was stored")
            return "lost\(place): \(what)\(rule)"
        case .abandoned: return "abandoned\(place)\(reply.isEmpty ? "" : reply)\(rule)"
        case nil: return "open"
        }
    }

    /// The same for a session without a transaction.
    package static func sentence(_ record: SessionRecord) -> String {
        let phase = record.rejected_at.flatMap { Phase(rawValue: $0) }
        let place = phase.map { " at \($0.spoken)" } ?? ""
        let rule = record.rule.map { " (rule \($0))" } ?? ""
        let reply = record.reply.map { ": \(Text.shown(Text.brief($0)))" } ?? ""
        switch record.verdict {
        case .rejected: return "rejected\(place)\(reply)\(rule)"
        case .deferred: return "deferred\(place)\(reply)\(rule)"
        default:
            if let failure = record.tls_failure { return "no mail: the TLS handshake failed: \(Text.shown(failure))" }
            if phase != nil { return "no mail: dropped\(place)\(rule)" }
            return "no mail was offered"
        }
    }

    /// Microseconds as milliseconds with three places.
    package static func milliseconds(_ us: UInt64) -> String {
        "\(us / 1000)." + String(String(1000 + us % 1000).dropFirst())
    }

    // MARK: Columns: session, milliseconds, tls, who, text

    private func line(_ timed: TimedEvent, _ who: String, _ text: String, _ colour: Colour) -> String {
        let time = Self.milliseconds(timed.at_us)
        let padding = String(repeating: " ", count: max(0, 10 - time.utf8.count))
        let tls = builder.record.tls == nil || who == "--" ? "   " : "tls"
        return "\(builder.record.id) \(padding)\(time) \(tls) \(paint("\(who) \(text)", colour))\n"
    }

    enum Colour: String {
        case plain = ""
        case bold = "1"
        case dim = "2"
        case red = "31"
        case green = "32"
        case yellow = "33"
        case magenta = "35"
        case cyan = "36"
    }

    private func paint(_ text: String, _ colour: Colour) -> String {
        colours && colour != .plain ? "\u{1b}[\(colour.rawValue)m\(text)\u{1b}[0m" : text
    }
}
