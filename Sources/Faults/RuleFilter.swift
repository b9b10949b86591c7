// Says no for most uses of most rules, before anything is made of them: a rule that asks for whole addresses, domains,
// names or clients is found by a hash of those, and where no hash fits, nobody has anything to say. A few instructions
// for each address; now and then it says maybe where it is no, never no where it is maybe.

import SMTP

/// A set of hashes as bits: small, quick, and sometimes too generous.
struct HashBits: Sendable {
    /// 8 KiB; with a thousand keys one look in sixty says maybe for nothing.
    private static let bitCount = 1 << 16
    private var words: [UInt64] = []

    var isEmpty: Bool { words.isEmpty }

    mutating func insert(_ hash: UInt64) {
        if words.isEmpty { words = Array(repeating: 0, count: Self.bitCount / 64) }
        let bit = Int(hash & UInt64(Self.bitCount - 1))
        words[bit / 64] |= 1 << UInt64(bit % 64)
    }

    func mayContain(_ hash: UInt64) -> Bool {
        if words.isEmpty { return false }
        let bit = Int(hash & UInt64(Self.bitCount - 1))
        return words[bit / 64] & (1 << UInt64(bit % 64)) != 0
    }

    /// Of octets in lower case.
    static func hash(_ octets: some Collection<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for octet in octets {
            let lower = (65...90).contains(octet) ? octet | 0x20 : octet
            hash = (hash ^ UInt64(lower)) &* 0x0000_0100_0000_01b3
        }
        // The low bits of FNV-1a alone are worse than these.
        return hash ^ hash >> 29
    }
}

/// What one phase's rules ask for by name.
package struct RuleFilter: Sendable {
    /// Some rule must be asked each time.
    package var isAlways = false
    var senders = HashBits()
    var recipients = HashBits()
    var helos = HashBits()
    var clients = HashBits()

    package var asksForClient: Bool { !clients.isEmpty }
    package var asksForHELO: Bool { !helos.isEmpty }
    package var asksForSender: Bool { !senders.isEmpty }
    package var asksForRecipients: Bool { !recipients.isEmpty }

    package func mayConcern(client: IPAddress?) -> Bool { client.map { clients.mayContain($0.hash) } ?? false }
    package func mayConcern(helo: [UInt8]) -> Bool { helos.mayContain(HashBits.hash(helo)) }
    package func mayConcern(sender: [UInt8]) -> Bool { Self.mayContain(senders, sender) }
    package func mayConcern(recipient: [UInt8]) -> Bool { Self.mayContain(recipients, recipient) }

    private static func mayContain(_ bits: HashBits, _ address: [UInt8]) -> Bool {
        guard !bits.isEmpty else { return false }
        if let at = address.lastIndex(of: UInt8(ascii: "@")), bits.mayContain(HashBits.hash(address[(at + 1)...])) {
            return true
        }
        return bits.mayContain(HashBits.hash(address))
    }
}

extension IPAddress {
    var hash: UInt64 { (high ^ low) &* 0x9e37_79b9_7f4a_7c15 >> 32 }
}
