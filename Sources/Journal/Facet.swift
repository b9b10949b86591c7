// What sessions and messages are found by: each is known under the hashes of its facets, such as its recipients and
// their domains, so that a store finds the few that may be meant without reading them all. A hash that fits says
// "perhaps": whoever asks looks at the thing itself as well.

import SMTP

package enum Facet: String, Sendable, Hashable, CaseIterable {
    case to
    case toDomain = "to-domain"
    case from
    case fromDomain = "from-domain"
    case client, helo, listener, phase, verdict, rule, space
    /// Of a message: the session it came in.
    case session

    /// Of a value in any case.
    package func hash(_ value: some Collection<UInt8>) -> UInt64 {
        // FNV-1a, and a last mixing so that near values lie far apart.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func take(_ octet: UInt8) { hash = (hash ^ UInt64(octet)) &* 0x0000_0100_0000_01b3 }
        for octet in rawValue.utf8 { take(octet) }
        take(0)
        for octet in value { take((65...90).contains(octet) ? octet | 0x20 : octet) }
        hash = (hash ^ (hash >> 30)) &* 0xbf58_476d_1ce4_e5b9
        hash = (hash ^ (hash >> 27)) &* 0x94d0_49bb_1331_11eb
        return hash ^ (hash >> 31)
    }

    package func hash(_ value: String) -> UInt64 { hash(value.utf8) }
}

extension Facet {
    /// Of one address without angle brackets: itself, its domain, its spaces.
    static func add(_ address: some Collection<UInt8>, as whole: Facet, _ domain: Facet, to facets: inout Set<UInt64>) {
        facets.insert(whole.hash(address))
        let octets = Array(address)
        if let at = octets.lastIndex(of: UInt8(ascii: "@")) { facets.insert(domain.hash(octets[(at + 1)...])) }
        for name in Space.names(ofAddress: octets) { facets.insert(Facet.space.hash(name)) }
    }
}

extension Message {
    /// The session that it came in, by its id.
    package var session: String { String(id.prefix { $0 != "." }) }

    package var facets: Set<UInt64> {
        var facets: Set<UInt64> = [Facet.client.hash(client), Facet.helo.hash(helo), Facet.session.hash(session)]
        if let name = Space.name(ofDomain: helo) { facets.insert(Facet.space.hash(name)) }
        Facet.add(reversePath.address, as: .from, .fromDomain, to: &facets)
        for recipient in recipients { Facet.add(recipient.address, as: .to, .toDomain, to: &facets) }
        return facets
    }
}

extension SessionRecord {
    /// At most this many recipients of a session are facets; of what has more the rest is not found by them alone.
    package static let mostFacets = 10_000

    /// The address of the client without its port.
    package var clientHost: String { Self.host(ofClient: client) }

    /// Of `192.0.2.1:5000` or `[2001:db8::1]:5000`; what has no port stays.
    package static func host(ofClient client: String) -> String {
        guard let colon = client.lastIndex(of: ":") else { return client }
        let host = client[..<colon]
        return host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : String(host)
    }

    package var facets: Set<UInt64> {
        var facets: Set<UInt64> = [Facet.listener.hash(listener), Facet.client.hash(clientHost)]
        if let helo {
            facets.insert(Facet.helo.hash(helo))
            if let name = Space.name(ofDomain: Array(helo.utf8)) { facets.insert(Facet.space.hash(name)) }
        }
        func add(_ verdict: Verdict?, _ phase: String?, _ rule: String?) {
            if let verdict { facets.insert(Facet.verdict.hash(verdict.rawValue)) }
            if let phase { facets.insert(Facet.phase.hash(phase)) }
            if let rule { facets.insert(Facet.rule.hash(rule)) }
        }
        add(verdict, rejected_at, rule)
        for fault in faults { facets.insert(Facet.rule.hash(fault.rule)) }
        for transaction in transactions where facets.count < Self.mostFacets {
            add(transaction.verdict, transaction.rejected_at, transaction.rule)
            Facet.add(transaction.from.utf8, as: .from, .fromDomain, to: &facets)
            for recipient in transaction.recipients where facets.count < Self.mostFacets {
                Facet.add(recipient.address.utf8, as: .to, .toDomain, to: &facets)
                if recipient.reply.first != "2" { facets.insert(Facet.phase.hash(Phase.rcpt.rawValue)) }
            }
        }
        return facets
    }
}
