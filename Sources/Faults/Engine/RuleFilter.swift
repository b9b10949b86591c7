// Says no for most uses of most rules, before anything is made of them: a rule that asks for whole addresses, domains,
// names or clients is found by a hash of those, and where no hash fits, nobody has anything to say. A few instructions
// for each address; now and then it says maybe where it is no, never no where it is maybe.

import SMTP

/// A set of hashes as bits: small, quick, and now and then too generous.
struct HashBits: Sendable {
    /// With two bits for each hash one look in three hundred says maybe for nothing.
    private static let bitsPerHash = 32
    private var words: [UInt64] = []
    private var mask: UInt64 = 0

    init(_ hashes: [UInt64]) {
        guard !hashes.isEmpty else { return }
        var bitCount = 64
        while bitCount < hashes.count * Self.bitsPerHash { bitCount *= 2 }
        words = Array(repeating: 0, count: bitCount / 64)
        mask = UInt64(bitCount - 1)
        for hash in hashes {
            for bit in [hash & mask, hash >> 32 & mask] { words[Int(bit / 64)] |= 1 << (bit % 64) }
        }
    }

    var isEmpty: Bool { words.isEmpty }

    func mayContain(_ hash: UInt64) -> Bool {
        if words.isEmpty { return false }
        return has(hash & mask) && has(hash >> 32 & mask)
    }

    private func has(_ bit: UInt64) -> Bool { words[Int(bit / 64)] & (1 << (bit % 64)) != 0 }

    /// Of octets in lower case.
    static func hash(_ octets: some Collection<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for octet in octets {
            let lower = (65...90).contains(octet) ? octet | 0x20 : octet
            hash = (hash ^ UInt64(lower)) &* 0x0000_0100_0000_01b3
        }
        return Draw.mix(hash)
    }
}

/// What one phase's rules ask for by name.
package struct RuleFilter: Sendable {
    /// Some rule must be asked each time.
    package var isAlways = false
    var senders = HashBits([])
    var recipients = HashBits([])
    var helos = HashBits([])
    var clients = HashBits([])

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
    var hash: UInt64 { Draw.mix(high ^ low) }
}
