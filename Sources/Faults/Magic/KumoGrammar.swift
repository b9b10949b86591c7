// The pack `kumo`: the user names that the smart sink of KumoMTA obeys, as the README of KumoMTA's example
// `smart-sink-docker` and the chapter "Performance Testing" of its user guide describe them.
//
//     …tempfail…@anything    400          450-…@anything    450
//     …permfail…@anything    500          250-…@anything    taken
//
// The sink decides when the message has arrived, so the reply comes behind the final dot. None of its replies has an
// enhanced code. Its chances per domain are no part of an address: a rule with N% says them.

import SMTP

enum KumoGrammar: MagicGrammar {
    static let phases = PhaseSet(.endOfData)

    static func mightBeMagic(_ address: [UInt8]) -> Bool {
        if Magic.begins(address[...], "450-") { return true }
        let local = Magic.localPart(address)
        return local.indices.contains { start in
            local[start] | 0x20 == UInt8(ascii: "f") && Magic.begins(local[start...], "fail")
        }
    }

    static func read(_ address: String, at phase: Phase) -> Magic? {
        let local = String(Magic.localPart(address)).asciiLowercased
        if local.contains("tempfail") { return Magic(.kumo, address, code: 400, nil) }
        if local.contains("permfail") { return Magic(.kumo, address, code: 500, nil) }
        return local.hasPrefix("450-") ? Magic(.kumo, address, code: 450, nil) : nil
    }
}
