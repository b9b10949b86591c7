// The pack `mox`: the special local parts of mox in its mode for development, as the help of `mox localserve` describes
// them.
//
//     …temperror@anything    451                     …permerror@anything    550
//     …CODE@anything         a code of 400 to 599    …timeout@anything      an hour of silence
//
// The recipient's local part ends so, and the reply comes behind the final dot. `rcptto` in front of the local part
// puts it to RCPT; `mailfrom` in front of the sender's to MAIL. Enhanced codes are those of mox: x.0.0, and behind the
// hour 451 4.3.0. The hour is a duration like any other: the time scale divides it.

import SMTP

enum MoxGrammar: MagicGrammar {
    static let phases: PhaseSet = [PhaseSet(.mail), PhaseSet(.rcpt), PhaseSet(.endOfData)]

    private static let hour = Span(ns: 3_600_000_000_000)

    static func mightBeMagic(_ address: [UInt8]) -> Bool {
        let local = Magic.localPart(address)
        guard let last = local.last else { return false }
        if (48...57).contains(last) { return local.suffix(3).allSatisfy { (48...57).contains($0) } }
        return Magic.ends(local, "error") || Magic.ends(local, "timeout")
    }

    static func read(_ address: String, at phase: Phase) -> Magic? {
        let local = String(Magic.localPart(address)).asciiLowercased
        switch phase {
        case .mail: guard local.hasPrefix("mailfrom") else { return nil }
        case .rcpt: guard local.hasPrefix("rcptto") else { return nil }
        default: break
        }
        if local.hasSuffix("temperror") { return Magic(.mox, address, code: 451, EnhancedStatus(4, 0, 0)) }
        if local.hasSuffix("permerror") { return Magic(.mox, address, code: 550, EnhancedStatus(5, 0, 0)) }
        if local.hasSuffix("timeout") {
            return Magic(.mox, address, code: 451, EnhancedStatus(4, 3, 0), before: [.delay(hour, hour)])
        }
        guard let code = Magic.digits(local.suffix(3)) else { return nil }
        return Magic(.mox, address, code: code, EnhancedStatus(code / 100, 0, 0))
    }
}
