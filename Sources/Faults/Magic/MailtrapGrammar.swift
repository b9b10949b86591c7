// The pack `mailtrap`: the Bounce Emulator of Mailtrap's sandbox, as Mailtrap's documentation describes it ("Bounce
// Emulator").
//
//     bounce+CODE[+text]@anything      bounce+550+no+such+user+here@inbox.mailtrap.io
//
// What stands behind `bounce+` is the reply in URL encoding: `+` is a space, %4E an N. The documentation does not say
// where the reply comes; a recipient's address is answered at RCPT. An enhanced code is a part of the text. A local
// part has at most 64 octets (RFC 5321 §4.5.3.1.1), and so has the reply.

import SMTP

enum MailtrapGrammar: MagicGrammar {
    static let phases = PhaseSet(.rcpt)

    static func mightBeMagic(_ address: [UInt8]) -> Bool { Magic.begins(address[...], "bounce+") }

    static func read(_ address: String, at phase: Phase) -> Magic? {
        let local = Magic.localPart(address)
        guard Magic.equals(Array(local.utf8.prefix(7))[...], "bounce+") else { return nil }
        let said = decoded(local.utf8.dropFirst(7))
        let words = said.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard let code = Magic.digits(words[0]) else { return nil }
        guard words.count == 2, !words[1].isEmpty else { return Magic(.mailtrap, address, code: code, nil) }
        let parts = words[1].split(separator: " ", maxSplits: 1)
        if parts.count == 2, let enhanced = EnhancedStatus(parts[0]), Int(enhanced.statusClass) == code / 100 {
            return Magic(.mailtrap, address, code: code, enhanced, text: String(parts[1]))
        }
        return Magic(.mailtrap, address, code: code, nil, text: String(words[1]))
    }

    /// An escape that is none stays as it is written.
    private static func decoded(_ octets: Substring.UTF8View.SubSequence) -> String {
        var said: [UInt8] = []
        var rest = octets[...]
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "%"), rest.count >= 2, let high = hex(rest.first),
                let low = hex(rest.dropFirst().first)
            {
                said.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                said.append(octet == UInt8(ascii: "+") ? UInt8(ascii: " ") : octet)
            }
        }
        return String(decoding: said, as: UTF8.self)
    }

    private static func hex(_ octet: UInt8?) -> UInt8? {
        switch octet {
        case .some(let digit) where (48...57).contains(digit): digit - 48
        case .some(let letter) where (97...102).contains(letter | 0x20): (letter | 0x20) - 87
        default: nil
        }
    }
}
