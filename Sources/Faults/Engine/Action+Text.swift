// Actions as they were carried out, in the grammar of rules, so that a recorded fault can be done again.

import SMTP

extension Action {
    /// A text that `RuleAction.parse` takes. Rates that no rule can say exactly come near: an octet an hour.
    package var written: String {
        switch self {
        case .reply(let reply): Self.written(reply)
        case .delay(let ns): "delay \(Span(ns: ns))"
        case .drip(let rate): "drip \(Self.written(rate: rate))"
        case .slowRead(let rate): "slow-read \(Self.written(rate: rate))"
        case .stall: "stall"
        case .close: "close"
        case .reset: "reset"
        case .keep: "keep"
        case .lose: "lose"
        case .accept: "accept"
        case .hide(let set): "hide \(set.words)"
        case .offer(let set): "offer \(set.words)"
        case .stopReading: "stop-reading"
        case .raw(let pieces, _): "raw \(RawText.octets(pieces))"
        case .bend(let preset): "raw \(preset.rawValue)"
        case .tls(let fault): "tls \(fault)"
        }
    }

    /// Exact octets where the reply is none that a rule could say: its text holds more than printable ASCII, say.
    private static func written(_ reply: Reply) -> String {
        let lines = String(decoding: reply.wire, as: UTF8.self).split(separator: "\r\n").map(String.init)
        let text = lines.joined(separator: "\n").replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        if case .success(let parsed) = ReplyText.parse(text), parsed.reply.wire == reply.wire {
            return parsed.description
        }
        return "raw \(RawText.octets([reply.wire]))"
    }

    /// Has as many digits as a number in a rule may.
    private static let highestRate = 1e17

    private static func written(rate: Double) -> String {
        for (unit, seconds) in [("s", 1.0), ("m", 60.0), ("h", 3600.0)] {
            let octets = rate * seconds
            if octets >= 1, octets == octets.rounded() || unit == "h" {
                return "\(UInt64(min(octets, highestRate)))/\(unit)"
            }
        }
        return "1/h"
    }
}
