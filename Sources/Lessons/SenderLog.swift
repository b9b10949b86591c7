// What stands in a sender's log about a session, in the form of Postfix, which many know: all that most people ever see
// of a refusal. Made of what the sink saw, so it is there for senders without a log, too.

import Journal

package enum SenderLog {
    /// Where the sender thinks it was.
    package struct Relay: Sendable, Hashable {
        package var host: String
        package var port: Int

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    /// One line for each recipient.
    ///
    /// - Parameter send: what was meant to be sent, for sessions that ended before they had a recipient.
    package static func lines(_ record: SessionRecord, _ send: Send?, _ relay: Relay) -> [String] {
        let name = name(record)
        let place = "\(name)[\(relay.host)]"
        func line(_ address: String, _ dsn: String, _ status: String, _ words: String) -> String {
            Text.shown("to=<\(address)>, relay=\(place):\(relay.port), dsn=\(dsn), status=\(status) (\(words))")
        }
        let transactions = record.transactions.filter { !$0.recipients.isEmpty || $0.rejected_at != nil }
        guard transactions.isEmpty else {
            return transactions.flatMap { transaction in
                outcomes(transaction, place, send).map { line($0.address, $0.dsn, $0.status, $0.words) }
            }
        }
        guard let outcome = early(record, place, send) else { return [] }
        return (send?.to ?? ["?"]).map { line($0, outcome.dsn, outcome.status, outcome.words) }
    }

    private struct Outcome {
        var address = ""
        var dsn: String
        var status: String
        var words: String
    }

    private static func name(_ record: SessionRecord) -> String {
        let greeting = record.lines.first { $0.who == .sink && !$0.text.isEmpty }?.text ?? ""
        let word = greeting.dropFirst(4).prefix { $0 != " " }
        return greeting.hasPrefix("220") && !word.isEmpty ? String(word) : "mx.lesson.test"
    }

    private static func outcomes(_ transaction: TransactionRecord, _ place: String, _ send: Send?) -> [Outcome] {
        guard !transaction.recipients.isEmpty else {
            return (send?.to ?? ["?"]).map { address in
                var outcome = refused(transaction.reply ?? "", command(transaction.rejected_at), place)
                outcome.address = address
                return outcome
            }
        }
        return transaction.recipients.map { recipient in
            var outcome: Outcome
            if recipient.reply.first != "2" {
                outcome = refused(recipient.reply, command("rcpt"), place)
            } else {
                outcome = whole(transaction, place)
            }
            outcome.address = recipient.address
            return outcome
        }
    }

    /// Of a recipient that was accepted at RCPT.
    private static func whole(_ transaction: TransactionRecord, _ place: String) -> Outcome {
        let reply = transaction.reply ?? ""
        switch transaction.verdict {
        case .accepted: return Outcome(dsn: dsn(reply, "2.0.0"), status: "sent", words: flat(reply))
        case .rejected, .deferred:
            if !reply.isEmpty { return refused(reply, command(transaction.rejected_at), place) }
        case .lost where reply.hasPrefix("2"):
            return Outcome(dsn: dsn(reply, "2.0.0"), status: "sent", words: flat(reply))
        case .lost, .abandoned, nil: break
        }
        let isDot = transaction.verdict == .lost || transaction.rejected_at == "end-of-data"
        let doing =
            isDot ? "while sending end of data -- message may be sent more than once" : "while \(spoken(transaction))"
        return Outcome(dsn: "4.4.2", status: "deferred", words: "lost connection with \(place) \(doing)")
    }

    private static func spoken(_ transaction: TransactionRecord) -> String {
        switch transaction.rejected_at {
        case "data": "sending DATA command"
        case "body": "sending message body"
        default: "sending RCPT TO"
        }
    }

    private static func refused(_ reply: String, _ command: String, _ place: String) -> Outcome {
        let isHard = reply.hasPrefix("5")
        return Outcome(
            dsn: dsn(reply, isHard ? "5.0.0" : "4.0.0"), status: isHard ? "bounced" : "deferred",
            words: "host \(place) said: \(flat(reply)) (in reply to \(command))")
    }

    /// Of a session that never came to MAIL.
    private static func early(_ record: SessionRecord, _ place: String, _ send: Send?) -> Outcome? {
        if record.tls_failure != nil {
            return Outcome(dsn: "4.7.5", status: "deferred", words: "Cannot start TLS: handshake failure")
        }
        let refusal = Talk(record).refusal
        let reply = flat(refusal?.text ?? record.reply ?? "")
        switch refusal?.phase {
        case "greeting":
            // Postfix takes a 5yz here for the host's alone and goes on to the next MX (smtp_skip_5xx_greeting).
            let code = dsn(reply, reply.hasPrefix("5") ? "5.0.0" : "4.0.0")
            return Outcome(
                dsn: "4" + code.dropFirst(), status: "deferred", words: "host \(place) refused to talk to me: \(reply)")
        case "ehlo":
            let isHard = reply.hasPrefix("5")
            return Outcome(
                dsn: dsn(reply, isHard ? "5.0.0" : "4.0.0"), status: isHard ? "bounced" : "deferred",
                words: "host \(place) refused to talk to me: \(reply)")
        case "starttls":
            return Outcome(
                dsn: "4.7.4", status: "deferred",
                words: "TLS is required, but host \(place) refused to start TLS: \(reply)")
        default: break
        }
        if send?.tls == .must, record.tls == nil {
            return Outcome(
                dsn: "4.7.4", status: "deferred", words: "TLS is required, but was not offered by host \(place)")
        }
        let isBroken = record.ended_by == .sinkClose || record.ended_by == .sinkReset
        guard isBroken else { return nil }
        return Outcome(
            dsn: "4.4.2", status: "deferred", words: "lost connection with \(place) while performing the EHLO handshake"
        )
    }

    private static func command(_ phase: String?) -> String {
        switch phase {
        case "mail": "MAIL FROM command"
        case "rcpt": "RCPT TO command"
        case "data": "DATA command"
        case "body", "end-of-data": "end of DATA command"
        case "auth": "AUTH command"
        case let other?: "\(other.uppercased()) command"
        case nil: "a command"
        }
    }

    private static func flat(_ reply: String) -> String { reply.replacing("\n", with: " ") }

    /// The enhanced code of a reply (RFC 3463 §2).
    private static func dsn(_ reply: String, _ other: String) -> String {
        let word = reply.dropFirst(4).prefix { $0 != " " && $0 != "\n" }
        let parts = word.split(separator: ".", omittingEmptySubsequences: false)
        let isCode =
            parts.count == 3 && ["2", "4", "5"].contains(parts[0])
            && parts.allSatisfy { !$0.isEmpty && $0.count <= 3 && $0.allSatisfy { $0.isASCII && $0.isNumber } }
        return isCode ? String(word) : other
    }
}
