// What the name system says of the connecting address, where somebody asked. Never of this machine and of private
// networks, which have no public names, and never of clients that hand in mail (RFC 6409), which need none.

enum PeerNameChecks {
    /// Reverse names that are followed (RFC 8601 §3 asks for a limit).
    private static let nameLimit = 10

    static func check(_ trace: SessionTrace, _ circumstances: Circumstances, _ ledger: inout Ledger) {
        guard let facts = circumstances.names, isJudgedByName(circumstances, ledger),
            let peer = NetworkAddress(trace.client), !peer.isLocal
        else { return }
        switch facts.reverseNames {
        case .unknown: return
        case .none:
            ledger.broken(.connNoPtr, Evidence(at_us: 0), saw: "\(trace.client) has no reverse name")
        case .found(let names):
            guard !names.isEmpty else { return }
            ledger.kept(.connNoPtr)
            checkForward(names.prefix(nameLimit), peer, facts, isAll: names.count <= nameLimit, &ledger)
            checkGeneric(names.prefix(nameLimit), peer, &ledger)
        }
    }

    /// A server that sends mail is to have names; a client that hands it in need not.
    static func isJudgedByName(_ circumstances: Circumstances, _ ledger: Ledger) -> Bool {
        !circumstances.isSubmission || ledger.settings.profile == .strict
    }

    /// One name that leads back is enough; one that could not be asked about may be it.
    private static func checkForward(
        _ names: ArraySlice<String>, _ peer: NetworkAddress, _ facts: NameFacts, isAll: Bool, _ ledger: inout Ledger
    ) {
        var isKnown = isAll
        for name in names {
            switch facts.reverseAddresses[name] {
            case .found(let addresses) where addresses.contains(where: { NetworkAddress($0) == peer }):
                return ledger.kept(.connFcrdnsMismatch)
            case .found, .some(.none): break
            case .unknown, nil: isKnown = false
            }
        }
        guard isKnown else { return }
        ledger.broken(
            .connFcrdnsMismatch, Evidence(at_us: 0),
            saw: "\(names.joined(separator: ", ")): no address of these is the peer's")
    }

    /// One name that looks like a server's is enough.
    private static func checkGeneric(_ names: ArraySlice<String>, _ peer: NetworkAddress, _ ledger: inout Ledger) {
        var first: (name: String, sign: String)?
        for name in names {
            guard let sign = GenericName.sign(in: name, of: peer) else { return ledger.kept(.connGenericPtr) }
            if first == nil { first = (name, sign) }
        }
        guard let first else { return }
        ledger.broken(.connGenericPtr, Evidence(at_us: 0), saw: "\(first.name) holds \(first.sign)")
    }
}
