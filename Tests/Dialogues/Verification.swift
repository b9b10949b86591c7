// Holds what was recorded against what a dialogue expects at its end.

import Journal
import SMTP

extension Expectation {
    /// - Returns: nil when it holds, otherwise what is there instead.
    func complaint(about aftermath: Aftermath, _ records: [SessionRecord]) -> String? {
        let record = records.last ?? SessionBuilder.record(of: EventLog())
        let transaction = record.transactions.last
        switch subject {
        case .verdict: return single(record.verdict?.rawValue)
        case .verdicts: return single(record.transactions.map { $0.verdict?.rawValue ?? "open" }.joined(separator: " "))
        case .rejectedAt: return single(record.rejected_at)
        case .reply: return single(record.reply)
        case .rule: return single(record.rule)
        case .endedBy: return single(record.ended_by?.rawValue)
        case .helo: return single(record.helo)
        case .from: return single(transaction?.from)
        case .recipients: return single(transaction?.recipients.map(\.address).joined(separator: " "))
        case .transactions: return single(String(record.transactions.count))
        case .faults: return single(String(record.faults.count))
        case .fault: return oneOf(record.faults.map { "\($0.phase) \($0.action) by \($0.rule)" })
        case .stored: return single(String(aftermath.storedCount))
        case .message:
            guard let message = aftermath.messages.last else { return "no message was stored" }
            guard message.content != octets else { return nil }
            return "the message is \"\(Player.shown(message.content))\""
        case .messageSize: return single(aftermath.messages.last.map { String($0.content.count) })
        case .delivered:
            guard let message = aftermath.messages.last else { return "no message was stored" }
            return oneOf(Self.lines(message.deliveredView(hostname: aftermath.hostname)))
        case .event: return oneOf(aftermath.transcript)
        case .noEvent: return aftermath.transcript.first(where: pattern.matches).map { "there is `\($0)`" }
        }
    }

    private func single(_ value: String?) -> String? {
        let value = value ?? "none"
        return pattern.matches(value) ? nil : "it is `\(value)`"
    }

    private func oneOf(_ values: [String]) -> String? {
        guard !values.contains(where: pattern.matches) else { return nil }
        return values.isEmpty ? "there is none" : "there are\n    " + values.joined(separator: "\n    ")
    }

    /// Header lines unfolded, so that a pattern sees a field as a whole.
    private static func lines(_ octets: [UInt8]) -> [String] {
        var lines: [String] = []
        for line in String(decoding: octets, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false) {
            if let first = line.first, first == " " || first == "\t", let last = lines.popLast() {
                lines.append(last + " " + line.drop { $0 == " " || $0 == "\t" })
            } else {
                lines.append(String(line))
            }
        }
        return lines
    }
}

extension SessionRecord {
    /// What must be the same however the octets were cut: who said what in which order, and what became of it. Times,
    /// read numbers and notices about octet counts are left out; stretches of content are added up.
    var skeleton: [String] {
        var skeleton: [String] = []
        var contentCount = 0
        for line in lines {
            if let octets = line.octets {
                contentCount += octets
                continue
            }
            if contentCount > 0 { skeleton.append("client [\(contentCount) octets]") }
            contentCount = 0
            skeleton.append("\(line.who.rawValue) \(line.tls ? "tls " : "")\(line.text)")
        }
        if contentCount > 0 { skeleton.append("client [\(contentCount) octets]") }
        for transaction in transactions {
            skeleton.append(
                "transaction <\(transaction.from)> \(transaction.verdict?.rawValue ?? "open") at "
                    + "\(transaction.rejected_at ?? "-"): \(transaction.reply ?? "-") rule \(transaction.rule ?? "-") "
                    + "message \(transaction.message ?? "-")")
            for recipient in transaction.recipients {
                skeleton.append("recipient <\(recipient.address)> \(recipient.reply) rule \(recipient.rule ?? "-")")
            }
        }
        for fault in faults { skeleton.append("fault \(fault.phase) \(fault.action) by \(fault.rule)") }
        skeleton.append(
            "session \(verdict?.rawValue ?? "-") at \(rejected_at ?? "-") rule \(rule ?? "-") ended by "
                + "\(ended_by?.rawValue ?? "-")")
        return skeleton
    }
}
