// What has to be asked of the name system to judge a session: the peer's reverse names, the names it gave, the domains
// of its envelope senders. Of this machine and of private networks nothing is asked: they have no public names.

package struct NameQuestions: Sendable, Hashable {
    /// Names of one kind that are asked for; a peer could give thousands.
    package static let limit = 10

    package let peer: NetworkAddress
    /// In small letters.
    package private(set) var helloNames: [String] = []
    package private(set) var senderDomains: [String] = []

    /// - Returns: nil where there is nobody to ask about.
    package init?(_ trace: SessionTrace) {
        guard let peer = NetworkAddress(trace.client), !peer.isLocal else { return nil }
        self.peer = peer
        for step in trace.steps {
            guard case .command(let command) = step.kind, command.isCommand,
                command.verb == "EHLO" || command.verb == "HELO"
            else { continue }
            Self.add(command.argumentOctets.prefix { $0 != UInt8(ascii: " ") }, to: &helloNames)
        }
        for transaction in trace.transactions {
            guard let at = transaction.reversePath.lastIndex(of: UInt8(ascii: "@")) else { continue }
            Self.add(transaction.reversePath[(at + 1)...], to: &senderDomains)
        }
    }

    private static func add(_ octets: ArraySlice<UInt8>, to names: inout [String]) {
        let name = OctetWords.lowercased(octets)
        if names.count < limit, isName(name.utf8), !names.contains(name) { names.append(name) }
    }

    /// Letters, digits, hyphens and underscores between dots, no longer than the name system can hold (RFC 1035
    /// §2.3.4): all else is judged by its form, and nobody is asked.
    package static func isName(_ octets: some Collection<UInt8>) -> Bool {
        guard (1...253).contains(octets.count) else { return false }
        let labels = octets.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return labels.allSatisfy { label in
            (1...63).contains(label.count)
                && label.allSatisfy {
                    (48...57).contains($0) || (97...122).contains($0) || (65...90).contains($0) || $0 == 45 || $0 == 95
                }
        }
    }
}

extension NameFacts {
    /// Asks for all of it at once.
    package static func asked(_ questions: NameQuestions, of resolver: some NameResolver) async -> NameFacts {
        async let reverse = reverse(questions.peer, resolver)
        async let hello = each(questions.helloNames) { await resolver.addresses($0) }
        async let senders = each(questions.senderDomains) { await resolver.exchangers($0) }
        var facts = await reverse
        facts.helloAddresses = await hello
        facts.exchangers = await senders
        return facts
    }

    private static func reverse(_ peer: NetworkAddress, _ resolver: some NameResolver) async -> NameFacts {
        var facts = NameFacts()
        facts.reverseNames = await resolver.records(peer.reverseDomain, .pointer)
        guard case .found(let names) = facts.reverseNames else { return facts }
        facts.reverseAddresses = await each(Array(names.prefix(NameQuestions.limit))) { await resolver.addresses($0) }
        return facts
    }

    private static func each(
        _ names: [String], _ ask: @escaping @Sendable (String) async -> NameAnswer<[String]>
    ) async -> [String: NameAnswer<[String]>] {
        await withTaskGroup(of: (String, NameAnswer<[String]>).self) { group in
            for name in names { group.addTask { (name, await ask(name)) } }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }
}

extension NetworkAddress {
    /// Where its PTR records stand (RFC 1035 §3.5, RFC 3596 §2.5).
    package var reverseDomain: String {
        guard !isIPv4Address else {
            return octets.reversed().map { String($0) }.joined(separator: ".") + ".in-addr.arpa"
        }
        let digits = octets.reversed().map { "\(String($0 & 15, radix: 16)).\(String($0 >> 4, radix: 16))" }
        return digits.joined(separator: ".") + ".ip6.arpa"
    }
}
