// The domains for which the listeners are mail exchangers: what `fakemx dns` prints. Each domain shows one thing a
// sender meets in the DNS: a preference order, equals, a null MX, a dead host. Looks nothing up and writes nothing.

import Faults
import SMTP

/// Addresses and MX records under one base domain.
package struct Zone: Sendable, Hashable {
    /// RFC 6761 §6.2 keeps `test` free for us.
    package static let usualDomain = "test"
    /// On this machine, so that a connection is refused at once. An address of RFC 5737, as 192.0.2.1, is silent.
    package static let usualDeadAddress = "127.255.255.254"

    package struct Record: Sendable, Hashable {
        /// In lower case, without a final dot.
        package var name: String
        package var data: RecordData
    }

    package enum RecordData: Sendable, Hashable {
        case address(IPAddress)
        case mx(preference: Int, host: String)
        /// RFC 7505 §3: preference 0 and the root.
        case nullMX
    }

    /// Records that belong together.
    package struct Part: Sendable, Hashable {
        /// What a sender meets there.
        package var about: String
        package var records: [Record]
    }

    package var domain: String
    package var parts: [Part] = []
    /// What the reader of the printed text should know about some listeners.
    package var notes: [String] = []
    /// Of the listeners, each once, in their order. Port 0 stands for a free one.
    package var ports: [Int] = []

    package var records: [Record] { parts.flatMap(\.records) }

    /// - Parameters:
    ///   - domain: the base; `any.DOMAIN` and the others stand under it.
    ///   - dead: an address at which nobody listens.
    /// - Returns: the zone, nil when there is an error; warnings name the listeners that no MX can lead to.
    package static func make(
        of listeners: [Configuration.Listener], domain: String, dead: String
    ) -> (zone: Zone?, complaints: [Complaint]) {
        var complaints: [Complaint] = []
        let base = domain.trimmed.hasSuffix(".") ? String(domain.trimmed.dropLast()) : domain.trimmed
        if case .failure = Value.hostname(base) {
            complaints.append(
                Complaint(
                    Place(source: "--domain"), "\"\(domain.shown)\" is not a domain; write one as test or lab.test"))
            return (nil, complaints)
        }
        var zone = Zone(domain: base.asciiLowercased)
        let places = zone.places(of: listeners, &complaints)
        guard let deadAddress = zone.deadAddress(dead, places, &complaints) else { return (nil, complaints) }
        if places.isEmpty, !complaints.contains(where: \.isError) {
            complaints.append(
                Complaint(
                    Place(source: "dns"), "no listener is left that an MX can lead to; name one with --smtp HOST:PORT"))
        }
        guard !complaints.contains(where: \.isError) else { return (nil, complaints) }
        zone.fill(zone.hosts(places), dead: deadAddress)
        return (zone, complaints)
    }
}

// MARK: Listeners

extension Zone {
    /// A listener that an MX can lead to.
    private struct ListenerPlace {
        var name: String
        var hostname: String
        var address: IPAddress
        var port: Int
    }

    /// A listener under the name that it has in the DNS.
    private struct Host {
        var listener: String
        var name: String
        var address: IPAddress
    }

    /// What stands before the base domain. A listener of such a name would take a domain away.
    private static let words = ["any", "equal", "null", "dead", "dead-first", "implicit", "missing"]

    private func under(_ labels: String) -> String { "\(labels).\(domain)" }

    private mutating func places(
        of listeners: [Configuration.Listener], _ complaints: inout [Complaint]
    ) -> [ListenerPlace] {
        var places: [ListenerPlace] = []
        var taken: Set<String> = []
        for listener in listeners {
            let source = Place(source: "listener \(listener.name)")
            switch Self.address(of: listener) {
            case .failure(let why):
                complaints.append(Complaint(.warning, source, "left out of the zone: \(why)"))
                notes.append("\(source) is left out: \(why).")
            case .success(let (address, port)):
                let label = listener.name.asciiLowercased
                if Self.words.contains(label) {
                    complaints.append(
                        Complaint(source, "\(under(label)) shows something else already; give the listener a new name"))
                } else if !taken.insert(label).inserted {
                    complaints.append(
                        Complaint(source, "another listener has \(under(label)) already; give it a new name"))
                } else if case .failure = Value.hostname(under("mx.\(label)")) {
                    complaints.append(
                        Complaint(
                            source, "\(under(label)) is not a domain; give the listener a name of letters, digits and -"
                        ))
                }
                places.append(
                    ListenerPlace(
                        name: label, hostname: listener.hostname.asciiLowercased, address: address, port: port))
                if !ports.contains(port) { ports.append(port) }
            }
        }
        noteSharedAddresses(places)
        return places
    }

    /// The address that an MX can lead to, or why there is none.
    private static func address(of listener: Configuration.Listener) -> Result<(IPAddress, Int), RuleText> {
        if listener.implicitTLS { return .failure("an MX leads to SMTP in clear, and this one begins with TLS") }
        if listener.address.hasPrefix("unix:") { return .failure("a Unix socket has no IP address") }
        guard let colon = listener.address.lastIndex(of: ":"),
            let port = Int(listener.address[listener.address.index(after: colon)...])
        else { return .failure("\"\(listener.address.shown)\" is not an address") }
        let host = listener.address[..<colon]
        guard let address = IPAddress(host == "localhost" ? "127.0.0.1" : host) else {
            return .failure("\(host) is a name; write its address, as 127.0.0.11:\(port)")
        }
        if address == IPAddress("0.0.0.0") || address == IPAddress("::") {
            return .failure(
                "\(host) is every address of the machine, the dead one too; write one, as 127.0.0.11:\(port)")
        }
        return .success((address, port))
    }

    private mutating func noteSharedAddresses(_ places: [ListenerPlace]) {
        var seen: Set<IPAddress> = []
        for place in places where seen.insert(place.address).inserted {
            let ports = places.filter { $0.address == place.address }.map { String($0.port) }
            guard ports.count > 1 else { continue }
            notes.append(
                "\(place.address) has ports \(ports.joined(separator: ", ")): an MX names no port, so that a sender "
                    + "meets the one that it is told. Several MXs need several addresses.")
        }
    }

    /// Under its host name, where that is a name in this zone which nobody else has; else under `mx.NAME.DOMAIN`. A
    /// name outside of the zone is left to whom it belongs.
    private mutating func hosts(_ places: [ListenerPlace]) -> [Host] {
        let others = Self.words.map(under) + [under("mx.dead"), under("nowhere.missing")]
        return places.map { place in
            let own = under("mx.\(place.name)")
            let sharing = places.filter { $0.hostname == place.hostname }.count > 1
            let elsewhere = places.contains { $0.name != place.name && under("mx.\($0.name)") == place.hostname }
            let isUsable =
                place.hostname.hasSuffix(".\(domain)") && !sharing && !elsewhere && !others.contains(place.hostname)
            if !isUsable {
                let why = sharing ? "several listeners greet as" : "there is no place in this zone for"
                notes.append("\(own) is listener \(place.name): \(why) \(place.hostname).")
            }
            return Host(listener: place.name, name: isUsable ? place.hostname : own, address: place.address)
        }
    }

    private func deadAddress(
        _ text: String, _ places: [ListenerPlace], _ complaints: inout [Complaint]
    ) -> IPAddress? {
        let source = Place(source: "--dead")
        guard let address = IPAddress(text.trimmed), !text.contains("%") else {
            complaints.append(Complaint(source, "\"\(text.shown)\" is not an IP address; write one, as 192.0.2.1"))
            return nil
        }
        if let alive = places.first(where: { $0.address == address }) {
            complaints.append(Complaint(source, "the listener \(alive.name) is at \(address); name another address"))
            return nil
        }
        return address
    }
}

// MARK: Domains

extension Zone {
    private mutating func fill(_ hosts: [Host], dead: IPAddress) {
        func mx(_ labels: String, _ preference: Int, _ host: String) -> Record {
            Record(name: under(labels), data: .mx(preference: preference, host: host))
        }
        func all(_ labels: String, from first: Int, step: Int) -> [Record] {
            hosts.enumerated().map { mx(labels, first + $0.offset * step, $0.element.name) }
        }
        let deadHost = under("mx.dead")
        let deadRecord = Record(name: deadHost, data: .address(dead))
        add("The hosts.", hosts.map { Record(name: $0.name, data: .address($0.address)) } + [deadRecord])
        add("All listeners, in their order.", all("any", from: 10, step: 10))
        // RFC 5321 §5.1: the sender spreads its mail over equals at random.
        add("All listeners, none before another.", all("equal", from: 10, step: 0))
        add(
            "Null MX (RFC 7505): takes no mail, which is bounced at once.", [Record(name: under("null"), data: .nullMX)]
        )
        add("The only MX is dead: nobody listens there.", [mx("dead", 10, deadHost)])
        add(
            "The first MX is dead, the listeners follow.",
            [mx("dead-first", 10, deadHost)] + all("dead-first", from: 20, step: 10))
        if let last = hosts.last {
            add(
                "No MX: the address is the mail exchanger (RFC 5321 §5.1), here that of \(last.listener).",
                [Record(name: under("implicit"), data: .address(last.address))])
        }
        add("The MX has no address.", [mx("missing", 10, under("nowhere.missing"))])
        add("Each listener by itself.", hosts.map { mx($0.listener, 10, $0.name) })
    }

    private mutating func add(_ about: String, _ records: [Record]) {
        parts.append(Part(about: about, records: records))
    }
}
