// What can be held against a link without following it.

/// Rules that a link breaks.
struct LinkFaults: OptionSet {
    let rawValue: UInt8
    static let http = LinkFaults(rawValue: 1 << 0)
    static let ipHost = LinkFaults(rawValue: 1 << 1)
    static let shortener = LinkFaults(rawValue: 1 << 2)
    static let textMismatch = LinkFaults(rawValue: 1 << 3)
    static let oddPort = LinkFaults(rawValue: 1 << 4)
    static let userinfo = LinkFaults(rawValue: 1 << 5)
    static let malformed = LinkFaults(rawValue: 1 << 6)

    static let rules: [(LinkFaults, RuleID)] = [
        (.http, .bodyLinkHttp), (.ipHost, .bodyLinkIpHost), (.shortener, .bodyLinkShortener),
        (.textMismatch, .bodyLinkTextMismatch), (.oddPort, .bodyLinkOddPort), (.userinfo, .bodyLinkUserinfo),
        (.malformed, .bodyLinkMalformed),
    ]
}

/// What was made out of one link.
struct LinkVerdict {
    var faults: LinkFaults = []
    /// Rules that could be seen; those among `faults` are broken, the others kept.
    var seen: LinkFaults = []
    /// In small letters; empty where there is none.
    var host: [UInt8] = []
    /// It leads to this machine or a private network.
    var isLocal = false
    var malformation: WebAddress.Fault?

    init(_ link: FoundLink, hasBase: Bool) {
        let address = WebAddress(link.url, hasBase: hasBase)
        malformation = address.fault
        seen = .malformed
        if address.fault != nil { faults.insert(.malformed) }
        guard address.isWeb else { return }
        host = address.hostName
        guard !host.isEmpty else { return }
        isLocal = WebAddress.isLocal(host)
        seen.formUnion([.http, .ipHost, .shortener, .oddPort, .userinfo])
        if address.isClear { faults.insert(.http) }
        if WebAddress.isIPAddress(host) { faults.insert(.ipHost) }
        if Shorteners.contains(host) { faults.insert(.shortener) }
        if address.userinfo != nil { faults.insert(.userinfo) }
        if let port = address.port, !port.isEmpty {
            let isUsual = link.url[port].elementsEqual("80".utf8) || link.url[port].elementsEqual("443".utf8)
            if !isUsual { faults.insert(.oddPort) }
        }
        guard let shown = ShownAddress.host(of: link.text) else { return }
        seen.insert(.textMismatch)
        if !WebAddress.areRelated(shown, host) { faults.insert(.textMismatch) }
    }
}

/// The text of an anchor, where it reads as an address.
enum ShownAddress {
    /// Bare names with these ends are read as hosts; `node.js` and `readme.md` are not.
    private static let suffixes: Set<String> = [
        "com", "org", "net", "edu", "gov", "info", "biz", "de", "uk", "fr", "nl", "it", "es", "eu", "us", "ca", "au",
        "ch", "at",
        "pl", "se", "dk", "fi", "jp", "cn", "br", "ru", "in", "example", "bank", "shop", "online",
    ]

    /// The host it names, in small letters; nil where it is no address.
    static func host(of text: [UInt8]) -> [UInt8]? {
        // A whole address has neither.
        guard text.count > 3, text.count < BodySurvey.anchorTextLimit else { return nil }
        let plain = text.withUnsafeBufferPointer { octets in
            HTMLText.plain(octets, FieldText.trimmed(octets, 0..<octets.count), limit: octets.count)
        }
        guard !plain.isEmpty, !plain.contains(where: { $0 <= 32 || $0 == UInt8(ascii: "@") || $0 >= 0x80 }) else {
            return nil
        }
        let address = WebAddress(plain)
        if address.isWeb {
            let host = address.hostName
            return isHost(host) || WebAddress.isIPAddress(host) ? host : nil
        }
        let name = plain.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: ":") }
        let small = name.map(FieldText.small)
        guard isHost(small) else { return nil }
        if small.starts(with: "www.".utf8) { return small }
        let suffix = String(decoding: small.split(separator: UInt8(ascii: ".")).last ?? [], as: UTF8.self)
        // With capitals it is a name of something rather than an address.
        return suffixes.contains(suffix) && small.elementsEqual(name) ? small : nil
    }

    /// Two labels or more of letters, digits and hyphens, the last one of letters.
    private static func isHost(_ host: [UInt8]) -> Bool {
        let labels = host.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard labels.count > 1, let last = labels.last, last.count > 1, last.allSatisfy(FieldText.isLetter) else {
            return false
        }
        return labels.allSatisfy { label in
            !label.isEmpty
                && label.allSatisfy { FieldText.isLetter($0) || FieldText.isDigit($0) || $0 == UInt8(ascii: "-") }
        }
    }
}

enum LinkChecks {
    static let localReason = "the peer is this machine, and the link leads to it or to a private network"

    static func check(
        _ survey: BodySurvey, _ text: PartText, _ input: MessageInput, _ view: MIMEView, _ ledger: inout Ledger
    ) {
        let isSoft = ledger.isLocalPeer && ledger.settings.profile != .strict
        for link in survey.links {
            let verdict = LinkVerdict(link, hasBase: survey.hasBase)
            for (fault, rule) in LinkFaults.rules where verdict.seen.contains(fault) {
                guard verdict.faults.contains(fault) else {
                    ledger.kept(rule)
                    continue
                }
                if verdict.malformation == .noScheme, fault == .malformed, view.hasContentLocation { continue }
                let isSoftened = isSoft && verdict.isLocal && (fault == .ipHost || fault == .oddPort)
                ledger.broken(
                    rule, view.evidence(text.source(link.range)), under: input.disturbances,
                    as: isSoftened ? (.info, localReason) : nil, saw: words(link, verdict, fault))
            }
        }
    }

    private static func words(_ link: FoundLink, _ verdict: LinkVerdict, _ fault: LinkFaults) -> String {
        let url = Excerpt.octets(link.url)
        switch fault {
        case .malformed: return "\(verdict.malformation?.rawValue ?? ""): \(url)"
        case .textMismatch: return "\(Excerpt.octets(link.text)) leads to \(url)"
        default: return url
        }
    }
}
