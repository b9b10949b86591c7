// The pack `ses`: the mailbox simulator of Amazon SES, as the Developer Guide of SES describes it ("Using the mailbox
// simulator"). A label may stand behind the name: bounce+order7@simulator.amazonses.com.
//
//     bounce            550 5.1.1            success, complaint, ooto    taken
//     suppressionlist   550 5.1.1
//
// SES itself takes every message and tells of a bounce afterwards, in a mail or a notification. A sink can only speak
// inside the session, so it says what the guide has the provider behind SES say, at RCPT, where an unknown user is
// refused (RFC 5321 §3.3). For an address on the suppression list SES reports status 5.1.1 and there is no provider;
// it gets the same reply. What follows a taken message (complaint, out of office) is no business of a session.

import SMTP

enum SESGrammar: MagicGrammar {
    static let phases = PhaseSet(.rcpt)

    static func mightBeMagic(_ address: [UInt8]) -> Bool { Magic.ends(address[...], "@simulator.amazonses.com") }

    static func read(_ address: String, at phase: Phase) -> Magic? {
        guard address.asciiLowercased.hasSuffix("@simulator.amazonses.com") else { return nil }
        switch String(Magic.localPart(address).prefix { $0 != "+" }).asciiLowercased {
        case "bounce", "suppressionlist": return Magic(.ses, address, code: 550, EnhancedStatus(5, 1, 1))
        default: return nil
        }
    }
}
