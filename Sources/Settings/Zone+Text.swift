// A zone as text that a name server reads: dnsmasq, unbound, or a zone file (RFC 1035 §5). On top stands how to use it.

import Faults

extension Zone {
    package enum Format: String, Sendable, Hashable, CaseIterable {
        case dnsmasq, unbound, zone

        /// By its word, or a complaint with the nearest.
        package static func parse(_ word: String) -> Result<Format, Complaint> {
            if let format = Format(rawValue: word.trimmed.asciiLowercased) { return .success(format) }
            let words = allCases.map(\.rawValue)
            let hint = Suggestion.nearest(word, among: words).map { "did you mean \"\($0)\"?" }
            return .failure(
                Complaint(
                    Place(source: "--format"),
                    "unknown format \"\(word.shown)\"; \(hint ?? "there are \(words.joined(separator: ", "))")"))
        }
    }

    /// How long a resolver may keep a record, in seconds: not at all, so that a changed zone counts at once. It is what
    /// dnsmasq does by itself.
    private static let timeToLive_s = 0

    /// With a line end at the end.
    package func text(_ format: Format) -> String {
        let mark = format == .zone ? ";" : "#"
        var lines = (usage(format) + portUsage + notes).map { "\(mark) \($0)" }
        lines += [""] + opening(format)
        for part in parts {
            lines += ["", "\(mark) \(part.about)"] + part.records.map { line($0, format) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func usage(_ format: Format) -> [String] {
        switch format {
        case .dnsmasq:
            [
                "MX records for fakemx. Use: dnsmasq --keep-in-foreground --no-resolv --no-hosts --bind-interfaces",
                "--listen-address=127.0.0.54 --conf-file=THIS, and 127.0.0.54 as nameserver in /etc/resolv.conf.",
            ]
        case .unbound:
            [
                "MX records for fakemx. Use: include: \"/path/of/THIS\" in unbound.conf, or a file in unbound.conf.d,",
                "and the address of unbound as nameserver in /etc/resolv.conf.",
            ]
        case .zone:
            [
                "MX records for fakemx. Use: as the file of the zone \(domain). of any name server, for instance",
                "auth-zone: of unbound, with its address as nameserver in /etc/resolv.conf.",
            ]
        }
    }

    /// An MX stands for port 25 (RFC 5321 §4.5.4.2), and fakemx usually listens elsewhere.
    private var portUsage: [String] {
        let told = ports.filter { $0 != 25 && $0 != 0 }
        if ports == [25] { return [] }
        guard let port = told.first else {
            return [
                "An MX means port 25, and port 0 is whichever is free: start the listeners at a port that is known."
            ]
        }
        let which = ports.count == 1 ? "port \(port)" : "ports \(port) and others"
        return [
            "An MX means port 25, the listeners are at \(which). Tell the MTA: Postfix smtp_tcp_port = \(port)",
            "or the transport smtp:any.\(domain):\(port), Exim port = \(port) in its smtp transport. Or listen at 25.",
        ]
    }

    private func opening(_ format: Format) -> [String] {
        switch format {
        // Never asked elsewhere, so that a missing name is missing.
        case .dnsmasq: ["local=/\(domain)/"]
        case .unbound: ["server:", "  local-zone: \"\(domain).\" static"]
        case .zone:
            [
                "$ORIGIN \(domain).", "$TTL \(Self.timeToLive_s)",
                "@ IN SOA localhost. root.localhost. 1 3600 600 86400 \(Self.timeToLive_s)", "@ IN NS localhost.",
            ]
        }
    }

    private func line(_ record: Record, _ format: Format) -> String {
        switch (format, record.data) {
        case (.dnsmasq, .address(let address)): "host-record=\(record.name),\(address)"
        case (.dnsmasq, .mx(let preference, let host)): "mx-host=\(record.name),\(host),\(preference)"
        // mx-host wants the name of a host. This is type 15, preference 0, the root.
        case (.dnsmasq, .nullMX): "dns-rr=\(record.name),15,0000:00"
        case (.unbound, let data):
            "  local-data: \"\(record.name). \(Self.timeToLive_s) IN \(Self.presentation(data))\""
        case (.zone, let data): "\(record.name). IN \(Self.presentation(data))"
        }
    }

    private static func presentation(_ data: RecordData) -> String {
        switch data {
        case .address(let address): "\(address.isV4 ? "A" : "AAAA") \(address)"
        case .mx(let preference, let host): "MX \(preference) \(host)."
        case .nullMX: "MX 0 ."
        }
    }
}
