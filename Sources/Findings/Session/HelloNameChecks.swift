// What the name in EHLO or HELO is worth: its grammar, whether it can be known outside, whom it belongs to.

struct HelloNameChecks {
    private let circumstances: Circumstances
    /// nil where the address of the peer is none.
    private let peer: NetworkAddress?
    private let own: NetworkAddress?
    private let peerText: String
    /// Names of this machine and of private networks need not be known outside.
    private let softened: (Severity, reason: String)?
    /// nil where nobody asked, or nothing can be concluded.
    private let facts: NameFacts?

    /// Names that stand for every machine, or for those of one network (RFC 6761 §6.3, RFC 6762 §3, RFC 8375 §3).
    private static let localNames = ["localhost", "localdomain"]
    private static let localEndings = [
        ".localhost", ".localdomain", ".local", ".lan", ".internal", ".home.arpa",
    ]

    init(_ trace: SessionTrace, _ circumstances: Circumstances, _ ledger: Ledger) {
        self.circumstances = circumstances
        peer = NetworkAddress(trace.client)
        own = NetworkAddress(endpoint: trace.local)
        peerText = trace.client
        softened =
            ledger.isLocalPeer && ledger.settings.profile != .strict
            ? (.info, reason: "the peer is this machine or in a private network") : nil
        let isAsked = !ledger.isLocalPeer && PeerNameChecks.isJudgedByName(circumstances, ledger)
        facts = isAsked ? circumstances.names : nil
    }

    func check(_ hello: HelloName, _ command: TraceCommand, _ step: TraceStep, _ ledger: inout Ledger) {
        let name = command.octets[hello.name]
        let place = Evidence(line: step.line, range: hello.name, at_us: step.at_us)
        guard hello.form != .missing else {
            return ledger.broken(
                .heloNoArgument, Evidence(line: step.line, at_us: step.at_us), saw: Excerpt.octets(command.octets))
        }
        ledger.kept(.heloNoArgument)
        checkForm(hello.form, name, place, &ledger)
        if hello.trailing.isEmpty {
            ledger.kept(.heloTrailingText)
        } else {
            ledger.broken(
                .heloTrailingText, Evidence(line: step.line, range: hello.trailing, at_us: step.at_us),
                saw: Excerpt.octets(command.octets))
        }
    }

    private func checkForm(
        _ form: HelloName.Form, _ name: ArraySlice<UInt8>, _ place: Evidence, _ ledger: inout Ledger
    ) {
        guard form != .nonASCII else { return ledger.broken(.heloNonAscii, place, saw: Excerpt.octets(name)) }
        ledger.kept(.heloNonAscii)
        switch form {
        case .missing, .nonASCII: return
        case .bareAddress: return ledger.broken(.heloBareIp, place, saw: Excerpt.octets(name))
        case .brokenLiteral: ledger.broken(.heloLiteralSyntax, place, saw: Excerpt.octets(name))
        case .invalid: ledger.broken(.heloInvalidCharacters, place, saw: Excerpt.octets(name))
        case .literal(let address):
            ledger.kept(.heloLiteralSyntax)
            checkLiteral(address, name, place, &ledger)
        case .domain:
            ledger.kept(.heloInvalidCharacters)
            checkDomain(name, place, &ledger)
        }
        ledger.kept(.heloBareIp)
    }

    // MARK: Literals

    private func checkLiteral(
        _ address: NetworkAddress, _ name: ArraySlice<UInt8>, _ place: Evidence, _ ledger: inout Ledger
    ) {
        guard let peer else { return }
        if address == own, address != peer {
            return ledger.broken(.heloReceiverName, place, saw: Excerpt.octets(name))
        }
        if own != nil, own != peer { ledger.kept(.heloReceiverName) }
        guard address != peer else {
            ledger.kept(.heloLiteralMismatch)
            return ledger.broken(.heloLiteralUsed, place, as: softened, saw: Excerpt.octets(name))
        }
        let isNAT = address.isLocal && ledger.settings.profile != .strict
        ledger.broken(
            .heloLiteralMismatch, place,
            as: isNAT ? (.info, reason: "the literal is a private address: the peer may be behind NAT") : softened,
            saw: "\(Excerpt.octets(name)), from \(peerText)")
    }

    // MARK: Domains

    private func checkDomain(_ name: ArraySlice<UInt8>, _ place: Evidence, _ ledger: inout Ledger) {
        ledger.kept(.heloLiteralUsed)
        guard !Self.isLocal(name) else {
            return ledger.broken(.heloLocalhost, place, as: softened, saw: Excerpt.octets(name))
        }
        ledger.kept(.heloLocalhost)
        checkReceiverName(name, place, &ledger)
        let known = facts.map { $0.helloAddresses[OctetWords.lowercased(name)] ?? .unknown } ?? .unknown
        if name.contains(UInt8(ascii: ".")) {
            ledger.kept(.heloNotFqdn)
        } else if case .found(let addresses) = known, !addresses.isEmpty {
            // A top-level domain may be a host (RFC 5321 §2.3.5).
            ledger.kept(.heloNotFqdn)
        } else {
            return ledger.broken(.heloNotFqdn, place, as: softened, saw: Excerpt.octets(name))
        }
        checkAddresses(known, name, place, &ledger)
        checkReverse(name, place, &ledger)
    }

    private static func isLocal(_ name: ArraySlice<UInt8>) -> Bool {
        localNames.contains { OctetWords.equal(name, $0) } || localEndings.contains { OctetWords.hasSuffix(name, $0) }
    }

    /// A client on the sink's own machine has the sink's own name by right.
    private func checkReceiverName(_ name: ArraySlice<UInt8>, _ place: Evidence, _ ledger: inout Ledger) {
        guard let peer, !peer.isLoopback, peer != own, !circumstances.ownNames.isEmpty else { return }
        if circumstances.ownNames.contains(where: { OctetWords.equal(name, $0) }) {
            ledger.broken(.heloReceiverName, place, saw: Excerpt.octets(name))
        } else {
            ledger.kept(.heloReceiverName)
        }
    }

    private func checkAddresses(
        _ known: NameAnswer<[String]>, _ name: ArraySlice<UInt8>, _ place: Evidence, _ ledger: inout Ledger
    ) {
        switch known {
        case .unknown: return
        case .none: ledger.broken(.heloUnresolvable, place, saw: "\(Excerpt.octets(name)) has no address")
        case .found(let addresses):
            guard !addresses.isEmpty else { return }
            ledger.kept(.heloUnresolvable)
            if addresses.contains(where: { NetworkAddress($0) == peer }) { return ledger.kept(.heloNameNotPeer) }
            ledger.broken(
                .heloNameNotPeer, place,
                saw: "\(Excerpt.octets(name)) has \(addresses.prefix(4).joined(separator: ", ")), not \(peerText)")
        }
    }

    private func checkReverse(_ name: ArraySlice<UInt8>, _ place: Evidence, _ ledger: inout Ledger) {
        guard let facts, case .found(let reverseNames) = facts.reverseNames, let first = reverseNames.first else {
            return
        }
        let isOne = reverseNames.contains { OctetWords.equal(name, Self.withoutRoot($0)) }
        if isOne { return ledger.kept(.heloNotMatchingPtr) }
        let shared = Self.parent(Array(name))
        let isRelated = !shared.isEmpty && OctetWords.hasSuffix(Self.withoutRoot(first), shared)
        ledger.broken(
            .heloNotMatchingPtr, place,
            saw: "\(Excerpt.octets(name)), but the reverse name is \(first)"
                + (isRelated ? "; both are names of \(shared)" : ""))
    }

    private static func withoutRoot(_ name: String) -> String.UTF8View.SubSequence {
        name.utf8.last == UInt8(ascii: ".") ? name.utf8.dropLast() : name.utf8[...]
    }

    /// The last two labels; empty where there are fewer.
    private static func parent(_ name: [UInt8]) -> String {
        let labels = name.split(separator: UInt8(ascii: "."))
        guard labels.count >= 2 else { return "" }
        return labels.suffix(2).map { OctetWords.lowercased($0) }.joined(separator: ".")
    }
}
