// Replies bent out of shape, by name: what a preset of `raw` makes of the reply that would have been said. Each breaks
// one rule of RFC 5321 §4.2, or keeps to all of them in a way that clients trip over.

import SMTP

/// A preset of `raw`.
package enum OddReply: String, Sendable, Hashable, CaseIterable {
    /// Three lines where clients expect one (RFC 5321 §4.2.1 allows it).
    case multilineGreeting = "multiline-greeting"
    /// Lines that end in LF alone (against RFC 5321 §2.3.8).
    case bareLFReply = "bare-lf-reply"
    /// The code and nothing behind it (RFC 5321 §4.2 asks clients to bear it).
    case noText = "no-text"
    /// The text without its code.
    case noCode = "no-code"
    /// Two lines with different codes (against RFC 5321 §4.2.1).
    case mixedCodes = "mixed-codes"
    /// Every line says that more come.
    case missingLastLine = "missing-last-line"
    /// More than 512 octets (RFC 5321 §4.5.3.1.5).
    case longLine = "long-line"
    /// 4096 octets.
    case longLine4K = "long-line-4k"
    /// Latin-1 and broken UTF-8 (against RFC 5321 §4.2).
    case eightBitText = "eight-bit-text"
    case nulInReply = "nul-in-reply"
    /// The same reply twice for one command.
    case twoReplies = "two-replies"
    /// The reply, and a 421 that nobody asked for behind it; then the end (RFC 5321 §3.8).
    case unsolicited421 = "unsolicited-421"
    /// The reply, and with it the 250 to the command that has not come yet.
    case earlyReply = "early-reply"
    /// Each octet in a segment of its own.
    case splitReply = "split-reply"
    /// Keywords in lower case (RFC 5321 §2.4 says that case does not matter).
    case lowercaseEHLO = "lowercase-ehlo"
    /// A 220 from which nobody could tell that EHLO will work (RFC 5321 §2.2.1: try it all the same).
    case greetingWithoutESMTP = "greeting-without-esmtp"
    /// The greeting as a firewall's SMTP inspection masks it: all but 2 and 0 are asterisks.
    case pix

    package static let words = allCases.map(\.rawValue)

    /// The phases at which it means something; nil: wherever a reply is said.
    package var phases: PhaseSet? {
        switch self {
        case .multilineGreeting, .greetingWithoutESMTP, .pix: [PhaseSet(.connect), PhaseSet(.greeting)]
        case .lowercaseEHLO: PhaseSet(.ehlo)
        default: nil
        }
    }
}

/// A reply as octets, and what its sender does beside.
package struct BentReply: Sendable, Equatable {
    /// Each is a segment of its own.
    package var pieces: [[UInt8]]
    /// The session ends behind it.
    package var closes = false
    /// The next reply was said with this one, so it is not said again.
    package var saysNext = false

    package init(pieces: [[UInt8]]) { self.pieces = pieces }
}

extension OddReply {
    private static let lineLimit = 600
    private static let longLimit = 4096

    /// - Parameter reply: as it would have gone out.
    package func bend(_ reply: Reply) -> BentReply {
        let lines = Self.lines(reply.wire)
        let code = Array(String(reply.code.value).utf8)
        switch self {
        case .multilineGreeting:
            let text = lines.last.map { $0.dropFirst(4) } ?? []
            return whole([
                code + dash + text, code + dash + Self.text("This greeting has three lines"),
                code + space + Self.text("and this is the last of them"),
            ])
        case .bareLFReply: return BentReply(pieces: [Array(reply.wire.filter { $0 != 13 })])
        case .noText: return whole([code])
        case .noCode: return whole(lines.map { Array($0.dropFirst(4)) })
        case .mixedCodes:
            let other = Self.text(reply.code.isPositive ? "550" : "250")
            return whole([
                code + dash + (lines.first?.dropFirst(4) ?? []), other + space + Self.text("The last line differs"),
            ])
        case .missingLastLine: return whole(lines.map { code + dash + $0.dropFirst(4) })
        case .longLine: return padded(lines, to: Self.lineLimit)
        case .longLine4K: return padded(lines, to: Self.longLimit)
        case .eightBitText: return withTail(lines, [32, 0x67, 0x72, 0xfc, 0xdf, 0x65, 32, 0xc3, 0x28])
        case .nulInReply: return withTail(lines, [0] + Self.text("behind a NUL"))
        case .twoReplies: return BentReply(pieces: [reply.wire + reply.wire])
        case .unsolicited421:
            var bent = BentReply(pieces: [reply.wire + Self.text("421 4.3.2 Service closes, unasked\r\n")])
            bent.closes = true
            return bent
        case .earlyReply:
            var bent = BentReply(pieces: [reply.wire + Self.text("250 2.0.0 Ok, said too early\r\n")])
            bent.saysNext = true
            return bent
        case .splitReply: return BentReply(pieces: reply.wire.map { [$0] })
        case .lowercaseEHLO:
            return BentReply(pieces: [reply.wire.map { (65...90).contains($0) ? $0 + 32 : $0 }])
        case .greetingWithoutESMTP:
            let host = lines.last.map { $0.dropFirst(4).prefix { $0 != 32 } } ?? []
            return whole([code + space + host])
        case .pix:
            let keeps: Set<UInt8> = [13, 10, 32, UInt8(ascii: "2"), UInt8(ascii: "0")]
            return BentReply(pieces: [
                reply.wire.prefix(4) + reply.wire.dropFirst(4).map { keeps.contains($0) && $0 != 32 ? $0 : 42 }
            ])
        }
    }

    private var dash: [UInt8] { [45] }
    private var space: [UInt8] { [32] }

    private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// The lines without their ends.
    private static func lines(_ wire: [UInt8]) -> [[UInt8]] {
        wire.split(separator: 10).map { Array($0.last == 13 ? $0.dropLast() : $0) }
    }

    private func whole(_ lines: [[UInt8]]) -> BentReply {
        BentReply(pieces: [lines.flatMap { $0 + [13, 10] }])
    }

    private func withTail(_ lines: [[UInt8]], _ tail: [UInt8]) -> BentReply {
        whole(lines.dropLast() + (lines.last.map { [$0 + tail] } ?? []))
    }

    /// The last line, long enough that with its CRLF it has `limit` octets.
    private func padded(_ lines: [[UInt8]], to limit: Int) -> BentReply {
        let last = lines.last?.count ?? 0
        let more = Self.text(" and more of it").cycled(max(0, limit - 2 - last))
        return withTail(lines, more)
    }
}

extension [UInt8] {
    /// Its octets over and over, `count` in all.
    fileprivate func cycled(_ count: Int) -> [UInt8] { (0..<count).map { self[$0 % self.count] } }
}
