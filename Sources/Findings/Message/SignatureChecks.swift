// Judges DKIM-Signature by what its octets alone show (RFC 6376 §3.5, RFC 8301): which tags there are, and whether
// their values can be. Nothing is computed and no key is asked for; whether a signature verifies is told by others.

enum SignatureChecks {
    static func check(_ view: HeaderView, _ ledger: inout Ledger) {
        guard view.count(.dkimSignature) > 0 else {
            // A client that hands in the mail of its user leaves signing to the server.
            if view.isMissing(.dkimSignature), !view.input.isSubmission {
                view.message.broken(.hdrDkimMissing, view.headerPlace, &ledger, saw: "no DKIM-Signature")
            }
            return
        }
        ledger.kept(.hdrDkimMissing)
        var wrong: [(Range<Int>, String)] = []
        var short = Places()
        view.each(.dkimSignature) { field in
            let tags = TagList(view.octets, field.value)
            if let fault = fault(of: tags, received_s: Int(view.input.received_us / 1_000_000)) {
                if wrong.count < Finding.evidenceLimit { wrong.append((field.whole, fault)) }
            }
            if tags.value("l") != nil { short.note(field.whole) }
        }
        for (place, fault) in wrong { view.message.broken(.hdrDkimInvalid, place, &ledger, saw: fault) }
        ledger.kept(.hdrDkimInvalid)
        view.message.judge(.hdrDkimBodyLength, short, &ledger)
    }

    /// - Parameter received_s: seconds since 1970.
    /// - Returns: in words; nil where nothing is wrong.
    static func fault(of tags: TagList, received_s: Int) -> String? {
        let octets = tags.octets
        if tags.isMalformed { return "the list of tags is malformed" }
        for name: StaticString in ["v", "a", "b", "bh", "d", "h", "s"] where tags.value(name) == nil {
            return "the tag \(name)= is missing"
        }
        guard let version = tags.value("v"), let algorithm = tags.value("a"), let signature = tags.value("b"),
            let bodyHash = tags.value("bh"), let domain = tags.value("d"), let covered = tags.value("h"),
            let selector = tags.value("s")
        else { return nil }
        if !FieldText.equals(octets, version, "1") { return "v= is not 1" }
        // RFC 8301 §3.1, RFC 8463 §3.
        if FieldText.equals(octets, algorithm, "rsa-sha1") { return "a=rsa-sha1, which RFC 8301 §3.1 forbids" }
        guard FieldText.equals(octets, algorithm, "rsa-sha256") || FieldText.equals(octets, algorithm, "ed25519-sha256")
        else { return "a= names no known algorithm" }
        if !TagList.names(octets, covered, "from") { return "From is not in h=" }
        guard let signatureCount = base64Count(octets, signature), signatureCount > 0 else { return "b= is no base64" }
        // A SHA-256 hash has 32 octets.
        guard base64Count(octets, bodyHash) == 32 else { return "bh= is no SHA-256 hash in base64" }
        guard isDomain(octets, domain), isDomain(octets, selector) else { return "d= or s= is no domain name" }
        if let identity = tags.value("i"), !isWithin(octets, identity, domain) { return "i= is not of the domain d=" }
        return timeFault(of: tags, received_s)
    }

    private static func timeFault(of tags: TagList, _ received_s: Int) -> String? {
        var start: Int?
        if let given = tags.number("t") {
            guard let number = given else { return "t= is no number" }
            start = number
        }
        if let given = tags.number("x") {
            guard let number = given else { return "x= is no number" }
            // RFC 6376 §3.5: x= is greater than t=.
            if let start, number <= start { return "x= is not later than t=" }
            if number < received_s { return "x= had passed \(received_s - number) s before the message came" }
        }
        if let given = tags.number("l"), given == nil { return "l= is no number" }
        return nil
    }

    /// How many octets it stands for; nil where it is no base64. Folding white space inside is right (RFC 6376 §3.5).
    private static func base64Count(_ octets: MessageOctets, _ value: Range<Int>) -> Int? {
        var letters = 0
        var padding = 0
        for index in value {
            let octet = octets[index]
            if FieldText.isFoldingSpace(octet) { continue }
            if octet == UInt8(ascii: "=") {
                padding += 1
            } else {
                guard padding == 0, Base64Letter.value(octet) != nil else { return nil }
                letters += 1
            }
        }
        guard (letters + padding) % 4 == 0, padding <= 2 else { return nil }
        return letters * 6 / 8
    }

    /// Labels with dots between them; U-labels may stand there (RFC 8616 §5).
    private static func isDomain(_ octets: MessageOctets, _ value: Range<Int>) -> Bool {
        guard let end = MessageIDs.dotAtomEnd(octets, value.lowerBound, value.upperBound) else { return false }
        return end == value.upperBound
    }

    /// RFC 6376 §3.5: the domain of i= is that of d= or below it.
    private static func isWithin(_ octets: MessageOctets, _ identity: Range<Int>, _ domain: Range<Int>) -> Bool {
        guard let at = octets[identity].lastIndex(of: UInt8(ascii: "@")) else { return false }
        let host = at + 1..<identity.upperBound
        guard host.count >= domain.count else { return false }
        let tail = host.upperBound - domain.count..<host.upperBound
        guard octets[tail].elementsEqual(octets[domain], by: { FieldText.small($0) == FieldText.small($1) }) else {
            return false
        }
        return tail.lowerBound == host.lowerBound || octets[tail.lowerBound - 1] == UInt8(ascii: ".")
    }
}

/// Judges ARC sets by their numbers (RFC 8617 §4.2, §5.2): one of each field for every instance, no gap, and a chain
/// that begins with `cv=none`.
enum ARCChecks {
    /// RFC 8617 §4.2.1.
    private static let instanceLimit = 50

    static func check(_ view: HeaderView, _ ledger: inout Ledger) {
        let kinds: [KnownField] = [.arcSeal, .arcMessageSignature, .arcAuthenticationResults]
        guard let first = kinds.compactMap({ view.index.first($0) }).min() else { return }
        let place = view.fields[first].whole
        var counts = [[Int]](repeating: [Int](repeating: 0, count: instanceLimit + 1), count: kinds.count)
        var fault: (Range<Int>, String)?
        for (kind, name) in kinds.enumerated() {
            view.each(name) { field in
                let tags = TagList(view.octets, field.value)
                guard case .some(.some(let instance)) = tags.number("i"), (1...instanceLimit).contains(instance) else {
                    fault = fault ?? (field.whole, "an instance i= that is none of 1 to \(instanceLimit)")
                    return
                }
                counts[kind][instance] += 1
                if name == .arcSeal, let words = sealFault(tags, instance) { fault = fault ?? (field.whole, words) }
            }
        }
        if fault == nil, let words = setFault(counts), !view.message.scan.isCut { fault = (place, words) }
        if let (range, words) = fault {
            view.message.broken(.hdrArcBroken, range, &ledger, saw: words)
        } else {
            ledger.kept(.hdrArcBroken)
        }
    }

    /// RFC 8617 §4.1.3, §4.4.
    private static func sealFault(_ tags: TagList, _ instance: Int) -> String? {
        guard let value = tags.value("cv") else { return "ARC-Seal i=\(instance) without cv=" }
        if tags.value("h") != nil { return "ARC-Seal i=\(instance) with h=" }
        let isNone = FieldText.equals(tags.octets, value, "none")
        let isPass = FieldText.equals(tags.octets, value, "pass")
        let isFail = FieldText.equals(tags.octets, value, "fail")
        guard isNone || isPass || isFail else { return "ARC-Seal i=\(instance) with another cv= than none, pass, fail" }
        if instance == 1, !isNone { return "ARC-Seal i=1 without cv=none" }
        if instance > 1, isNone { return "ARC-Seal i=\(instance) with cv=none" }
        return nil
    }

    private static func setFault(_ counts: [[Int]]) -> String? {
        let highest = (1...instanceLimit).last { instance in counts.contains { $0[instance] > 0 } } ?? 0
        guard highest > 0 else { return nil }
        for instance in 1...highest where counts.contains(where: { $0[instance] != 1 }) {
            let each = counts.map { String($0[instance]) }.joined(separator: ", ")
            return "i=\(instance) has \(each) of ARC-Seal, ARC-Message-Signature, ARC-Authentication-Results"
        }
        return nil
    }
}
