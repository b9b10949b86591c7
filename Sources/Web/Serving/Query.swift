// The part of an address behind its `?`: names and values, in their order, decoded strictly.

import Faults

struct Query {
    /// Octets of a query, at most.
    static let longest = 16 << 10
    /// Pairs, at most.
    static let most = 200

    private(set) var pairs: [(name: String, value: String)] = []

    init(_ text: Substring?) throws(Problem) {
        guard let text, !text.isEmpty else { return }
        guard text.utf8.count <= Self.longest else {
            throw Problem(
                "query-too-long", 414, "The query is too long",
                "the query has \(text.utf8.count) octets; \(Self.longest) is the limit")
        }
        let parts = text.split(separator: "&")
        guard parts.count <= Self.most else {
            throw Problem("bad-query", 400, "The query is wrong", "the query has more than \(Self.most) parameters")
        }
        for part in parts {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decoded(halves[0])
            pairs.append((name, halves.count > 1 ? try Self.decoded(halves[1]) : ""))
        }
    }

    private static func decoded(_ text: Substring) throws(Problem) -> String {
        guard let decoded = PercentCoding.decoded(text.utf8, plusIsSpace: true) else {
            throw Problem(
                "bad-query", 400, "The query is wrong",
                "\"\(String(text).shown)\" is no percent-encoded UTF-8; write % as %25")
        }
        return decoded
    }

    /// Takes a parameter out that may stand once.
    mutating func take(_ name: String) throws(Problem) -> String? {
        let values = pairs.filter { $0.name == name }.map(\.value)
        guard values.count <= 1 else { throw .badParameter(name, "\(name) stands more than once") }
        pairs.removeAll { $0.name == name }
        return values.first
    }

    mutating func takeAll(_ name: String) -> [String] {
        defer { pairs.removeAll { $0.name == name } }
        return pairs.filter { $0.name == name }.map(\.value)
    }

    mutating func takeNumber(_ name: String, _ range: ClosedRange<Int>) throws(Problem) -> Int? {
        guard let text = try take(name) else { return nil }
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(text),
            range.contains(number)
        else {
            throw .badParameter(
                name, "\(name) is a whole number from \(range.lowerBound) to \(range.upperBound), not \"\(text.shown)\""
            )
        }
        return number
    }

    mutating func takeFlag(_ name: String) throws(Problem) -> Bool? {
        guard let text = try take(name) else { return nil }
        switch text.asciiLowercased {
        case "", "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        default: throw .badParameter(name, "\(name) is true or false, not \"\(text.shown)\"")
        }
    }

    /// Complains about what nobody took.
    func finish(_ known: [String]) throws(Problem) {
        guard let (name, _) = pairs.first else { return }
        let hint = Suggestion.didYouMean(name, among: known)
        let list = known.isEmpty ? "; there are none here" : "; known are \(known.joined(separator: ", "))"
        throw Problem(
            "unknown-parameter", 400, "A parameter is unknown",
            "unknown parameter \"\(name.shown)\"\(hint)\(list)", parameter: name.shown)
    }
}

enum PercentCoding {
    /// nil for a broken escape, or for octets that are no UTF-8.
    static func decoded(_ octets: some Sequence<UInt8>, plusIsSpace: Bool) -> String? {
        var decoded: [UInt8] = []
        var pending: [UInt8] = []
        for octet in octets {
            if !pending.isEmpty {
                pending.append(octet)
                guard pending.count == 3 else { continue }
                guard let high = digit(pending[1]), let low = digit(pending[2]) else { return nil }
                decoded.append(high << 4 | low)
                pending = []
            } else if octet == UInt8(ascii: "%") {
                pending = [octet]
            } else {
                decoded.append(plusIsSpace && octet == UInt8(ascii: "+") ? 32 : octet)
            }
        }
        guard pending.isEmpty else { return nil }
        return String(validating: decoded, as: UTF8.self)
    }

    private static func digit(_ octet: UInt8) -> UInt8? {
        switch octet {
        case 48...57: octet - 48
        case 65...70: octet - 55
        case 97...102: octet - 87
        default: nil
        }
    }
}
