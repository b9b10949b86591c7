// The rules of one phase, so arranged that a thousand rules for a thousand addresses cost two look-ups. Rules that ask
// for whole addresses (`a@full.test`), whole domains (`*@full.test`), names of clients (`helo=a.test`) or single
// addresses of clients stand under them; the rest is asked always.

import SMTP

struct PhaseIndex: Sendable {
    /// Positions of rules that must be asked each time, ascending.
    private(set) var always: [Int] = []
    private(set) var filter = RuleFilter()
    private var byRecipient = AddressIndex()
    private var bySender = AddressIndex()
    private var byHELO: [String: [Int]] = [:]
    private var byClient: [IPAddress: [Int]] = [:]

    /// Nothing to look up.
    let isPlain: Bool

    init(_ positions: [Int], of rules: [CompiledRule]) {
        var always: [Int] = []
        var isPlain = true
        var hashes = (recipients: [UInt64](), senders: [UInt64](), helos: [UInt64](), clients: [UInt64]())
        for position in positions {
            let rule = rules[position].rule
            func condition(_ key: ConditionKey) -> Condition? { rule.when.first { $0.key == key } }
            if let to = condition(.to), byRecipient.add(position, to, &hashes.recipients) {
                isPlain = false
            } else if let from = condition(.from), bySender.add(position, from, &hashes.senders) {
                isPlain = false
            } else if let helo = condition(.helo), let names = Self.literals(of: helo) {
                for name in names {
                    byHELO[name, default: []].append(position)
                    hashes.helos.append(HashBits.hash(name.utf8))
                }
                isPlain = false
            } else if let client = condition(.client), let addresses = Self.addresses(of: client) {
                for address in addresses {
                    byClient[address, default: []].append(position)
                    hashes.clients.append(address.hash)
                }
                isPlain = false
            } else {
                always.append(position)
            }
        }
        self.always = always
        self.isPlain = isPlain
        filter.isAlways = !always.isEmpty
        filter.recipients = HashBits(hashes.recipients)
        filter.senders = HashBits(hashes.senders)
        filter.helos = HashBits(hashes.helos)
        filter.clients = HashBits(hashes.clients)
    }

    private static func literals(of condition: Condition) -> [String]? {
        var names: [String] = []
        for test in condition.tests {
            guard case .text(let pattern) = test, case .glob(let glob) = pattern.matcher, let literal = glob.literal
            else {
                return nil
            }
            names.append(String(decoding: literal, as: UTF8.self))
        }
        return names
    }

    private static func addresses(of condition: Condition) -> [IPAddress]? {
        var addresses: [IPAddress] = []
        for test in condition.tests {
            guard case .network(let network) = test, network.prefix == 128 else { return nil }
            addresses.append(network.address)
        }
        return addresses
    }

    /// Every rule that could match, in the order of the rules. Each is still asked in full.
    func candidates(_ facts: Facts) -> [Int] {
        var found: [Int] = []
        if !byRecipient.isEmpty { for address in facts.to { byRecipient.find(address, &found) } }
        if !bySender.isEmpty, let from = facts.from { bySender.find(from, &found) }
        if !byHELO.isEmpty, let helo = facts.helo, let positions = byHELO[helo.asciiLowercased] { found += positions }
        if !byClient.isEmpty, let client = facts.clientAddress ?? IPAddress(facts.client),
            let positions = byClient[client]
        {
            found += positions
        }
        guard !found.isEmpty else { return always }
        found += always
        found.sort()
        var last = -1
        return found.filter { position in
            defer { last = position }
            return position != last
        }
    }
}

private struct AddressIndex: Sendable {
    private var addresses: [String: [Int]] = [:]
    private var domains: [String: [Int]] = [:]

    var isEmpty: Bool { addresses.isEmpty && domains.isEmpty }

    /// - Returns: false when the condition is not made of whole addresses and domains alone.
    mutating func add(_ position: Int, _ condition: Condition, _ hashes: inout [UInt64]) -> Bool {
        var keys: [(isDomain: Bool, octets: [UInt8])] = []
        for test in condition.tests {
            guard case .text(let pattern) = test, case .glob(let glob) = pattern.matcher else { return false }
            if let literal = glob.literal {
                keys.append((false, literal))
            } else if let domain = glob.domain {
                keys.append((true, domain))
            } else {
                return false
            }
        }
        for key in keys {
            let text = String(decoding: key.octets, as: UTF8.self)
            hashes.append(HashBits.hash(key.octets))
            if key.isDomain {
                domains[text, default: []].append(position)
            } else {
                addresses[text, default: []].append(position)
            }
        }
        return true
    }

    func find(_ address: String, _ found: inout [Int]) {
        let lower = address.asciiLowercased
        if let positions = addresses[lower] { found += positions }
        if !domains.isEmpty, let at = lower.utf8.lastIndex(of: UInt8(ascii: "@")),
            let positions = domains[String(lower[lower.utf8.index(after: at)...])]
        {
            found += positions
        }
    }
}
