// The rules of one phase, so arranged that a thousand rules for a thousand addresses cost two look-ups. Rules that ask
// for whole addresses (`a@full.test`) or whole domains (`*@full.test`) stand under them; the rest is asked always.

import SMTP

struct PhaseIndex: Sendable {
    /// Positions of rules that must be asked each time, ascending.
    private(set) var always: [Int] = []
    private var byRecipient = AddressIndex()
    private var bySender = AddressIndex()

    /// Nothing to look up.
    var isPlain: Bool { byRecipient.isEmpty && bySender.isEmpty }

    init(_ positions: [Int], of rules: [CompiledRule]) {
        for position in positions {
            let rule = rules[position].rule
            if let to = rule.when.first(where: { $0.key == .to }), byRecipient.add(position, to) { continue }
            if let from = rule.when.first(where: { $0.key == .from }), bySender.add(position, from) { continue }
            always.append(position)
        }
    }

    /// Every rule that could match, in the order of the rules. Each is still asked in full.
    func candidates(_ facts: Facts) -> [Int] {
        var found: [Int] = []
        if !byRecipient.isEmpty { for address in facts.to { byRecipient.find(address, &found) } }
        if !bySender.isEmpty, let from = facts.from { bySender.find(from, &found) }
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
    mutating func add(_ position: Int, _ condition: Condition) -> Bool {
        var keys: [(isDomain: Bool, text: String)] = []
        for test in condition.tests {
            guard case .text(let pattern) = test, case .glob(let glob) = pattern.matcher else { return false }
            if let literal = glob.literal {
                keys.append((false, String(decoding: literal, as: UTF8.self)))
            } else if let domain = glob.domain {
                keys.append((true, String(decoding: domain, as: UTF8.self)))
            } else {
                return false
            }
        }
        for key in keys {
            if key.isDomain {
                domains[key.text, default: []].append(position)
            } else {
                addresses[key.text, default: []].append(position)
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
