// The grammar that every reply obeys, whatever it answers: checked on each line of each dialogue.

import Faults
import SMTP

/// RFC 5321 §4.2 and §4.5.3.1.5, RFC 2034 §4.
struct ReplyGrammar {
    private let hostname: String
    /// Enhanced codes are judged only where no rule speaks: providers mix classes, and so may rules.
    private let judgesEnhanced: Bool
    private var codeOfOpenReply: ArraySlice<UInt8>?
    private var isGreeting = true
    private var isHello = false
    private var hasSaidHello = false

    init(_ dialogue: Dialogue) {
        hostname = dialogue.setup.hostname
        // The packs of other tools say what those say, with an enhanced code or without.
        judgesEnhanced =
            dialogue.rules.isEmpty && dialogue.setup.capabilities.contains(.enhancedStatusCodes)
            && dialogue.setup.magic.isSubset(of: .usual)
    }

    mutating func sessionBegan() {
        codeOfOpenReply = nil
        isGreeting = true
        isHello = false
        hasSaidHello = false
    }

    mutating func clientSaid(_ piece: Piece) {
        let verb = piece.octets.prefix(4).map { $0 & 0xdf }
        if verb == Array("EHLO".utf8) || verb == Array("HELO".utf8) { hasSaidHello = true }
    }

    /// - Parameter line: without CRLF.
    mutating func complaint(about line: some Collection<UInt8>) -> String? {
        let octets = Array(line)
        let bare = octets.count == 3
        guard octets.count >= 3, octets[..<3].allSatisfy({ (48...57).contains($0) }), (50...53).contains(octets[0])
        else {
            return "no reply code of three digits, the first 2 to 5 (RFC 5321 §4.2)"
        }
        guard bare || octets[3] == 32 || octets[3] == 45 else { return "neither space nor hyphen behind the code" }
        if let open = codeOfOpenReply, open != octets[..<3] {
            return "the code changes inside a reply (RFC 5321 §4.2.1)"
        }
        guard octets.count + 2 <= 512 else { return "longer than 512 octets (RFC 5321 §4.5.3.1.5)" }
        if judgesEnhanced, octets.contains(where: { !(32..<127).contains($0) && $0 != 9 }) {
            return "not printable ASCII (RFC 5321 §4.2)"
        }
        let isFirst = codeOfOpenReply == nil
        let text = octets.dropFirst(4)
        if isFirst { isHello = hasSaidHello && text.starts(with: hostname.utf8) && octets[0] == 50 }
        let exempt = isGreeting || isHello || octets[0] == 51
        codeOfOpenReply = !bare && octets[3] == 45 ? octets[..<3] : nil
        if codeOfOpenReply == nil { isGreeting = false }
        guard judgesEnhanced, !exempt else { return nil }
        let enhanced = text.prefix { $0 != 32 }
        guard let status = EnhancedStatus(String(decoding: enhanced, as: UTF8.self)) else {
            return "no enhanced status code (RFC 2034 §4)"
        }
        guard status.statusClass == octets[0] - 48 else {
            return "the class of the enhanced code differs (RFC 2034 §4)"
        }
        return nil
    }
}
