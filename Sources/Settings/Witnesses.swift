// Whom the sink may ask about senders: nobody, unless a layer of settings names somebody. The words for it, and the
// zone file that stands in for the name system.

import Faults
import Findings

extension Settings {
    /// Who answers questions about names.
    package enum NameSource: Sendable, Hashable {
        case off
        /// The servers of /etc/resolv.conf.
        case system
        /// One server, by its IPv4 address.
        case server(address: String, port: UInt16)
        /// A zone file (RFC 1035 §5) in place of the name system.
        case zone(PlacedPath)
    }

    /// Where rspamd answers.
    package enum MailSource: Sendable, Hashable {
        case off
        /// `http://HOST:PORT`.
        case at(String)
    }
}

extension Configuration {
    /// Who answers questions about names.
    package enum Names: Sendable, Hashable {
        case off, system
        case server(address: String, port: UInt16)
        case records(ZoneRecords)
    }

    /// - Returns: nil where a zone file cannot be read, or is none.
    static func names(_ source: Settings.NameSource?, _ complaints: inout [Complaint]) -> Names? {
        switch source {
        case nil, .off: return .off
        case .system: return .system
        case .server(let address, let port): return .server(address: address, port: port)
        case .zone(let file):
            switch TextFile.read(file.path) {
            case .failure(let complaint):
                complaints.append(Complaint(file.place, "\(file.path.shown): \(complaint.message)"))
            case .success(let octets):
                do { return .records(try ZoneRecords(String(decoding: octets, as: UTF8.self))) } catch {
                    complaints.append(Complaint(Place(source: file.path, line: error.line), error.words))
                }
            }
            return nil
        }
    }
}

extension Value {
    /// `off`, `system`, `ADDRESS`, `ADDRESS:PORT`, or the path of a zone file.
    ///
    /// - Parameter file: the one that says so; paths are relative to it.
    static func names(_ text: String, from file: String?, _ place: Place) -> Result<Settings.NameSource, RuleText> {
        let word = text.trimmed
        switch word.asciiLowercased {
        case "off": return .success(.off)
        case "system": return .success(.system)
        default: break
        }
        if word.contains("/") || word.hasSuffix(".zone") {
            let path = file.map { TextFile.path(word, from: $0) } ?? word
            return .success(.zone(Settings.PlacedPath(path: path, place: place)))
        }
        let colon = word.lastIndex(of: ":")
        let address = colon.map { String(word[..<$0]) } ?? word
        guard NetworkAddress(address)?.isIPv4Address == true, !address.contains(":"),
            let port = colon.map({ UInt16(word[word.index(after: $0)...]) }) ?? 53, port > 0
        else {
            return .failure(
                RuleText(
                    "\"\(text.shown)\" is none of off, system, an IPv4 address of a name server as 192.0.2.53 or "
                        + "127.0.0.1:5353, and a zone file as ./names.zone"))
        }
        return .success(.server(address: address, port: port))
    }

    /// `off` or `http://HOST:PORT`.
    static func rspamd(_ text: String) -> Result<Settings.MailSource, RuleText> {
        let word = text.trimmed
        if word.asciiLowercased == "off" { return .success(.off) }
        let rest = word.asciiLowercased.hasPrefix("http://") ? word.dropFirst(7) : ""
        let host = rest.hasSuffix("/") ? rest.dropLast() : rest
        guard !host.isEmpty, !host.contains(where: { $0 == "/" || $0.isWhitespace || $0 == "@" }) else {
            return .failure("\"\(text.shown)\" is neither off nor the address of an rspamd, as http://127.0.0.1:11333")
        }
        return .success(.at("http://\(host)"))
    }
}
