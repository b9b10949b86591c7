// What the fuzz targets of this room do with their octets; Tests/Fuzz/Entry.swift hands them in, the tests replay the
// corpora. A target throws what is wrong; it may not crash, and it may not run long.

#if canImport(Faults)
    @testable import Faults
    import SMTP
#endif

enum FaultsFuzzTarget: String, CaseIterable {
    /// A rule line: what is taken prints and reads back to the same rule.
    case rules
    /// A message that a rule looks into.
    case message

    /// - Parameter mapped: octets stand for words of the grammar instead of themselves.
    func run(_ octets: [UInt8], mapped: Bool) throws {
        switch self {
        case .rules: try fuzzRule(mapped ? Self.words(octets, Self.ruleWords) : String(decoding: octets, as: UTF8.self))
        case .message: try fuzzMessage(mapped ? Array(Self.words(octets, Self.messageWords).utf8) : octets)
        }
    }

    struct Finding: Error, CustomStringConvertible {
        let description: String
    }

    private static func words(_ octets: [UInt8], _ words: [String]) -> String {
        octets.map { words[Int($0) % words.count] }.joined()
    }

    private static let ruleWords =
        Phase.allCases.map(\.rawValue) + ConditionKey.plain.map { " \($0.rawValue)=" }
        + Frequency.lineWords.map { " \($0)=" }
        + ActionWord.all.map { "\($0) " } + OddReply.words + CountKey.all + [
            ": ", ", ", "; ", " ", "(", ")", " any(", " not(", " all(", "*@full.test", "<>", "/a/", "\"", "\\", "\\|",
            "\\x0a",
            "\\r\\n", "550 5.1.1 No", "421 x", "250", "1", "9", "0", "1h", "5m..4h", "10KB", "/", "%", "30%", ">", "<",
            "..",
            " per=", " steps", "gmail/over-quota", "expired", "stall", "10.0.0.0/8", "22:00..06:00", "1/s", "STARTTLS",
            "é",
        ]

    private static let messageWords = [
        "\r\n", "\r\n\r\n", "\n", "\r", "--", "--b", "--b\r\n", "--b--", "Subject: ", "Message-ID: <a@b>",
        "Content-Type: ",
        "multipart/mixed; boundary=b", "multipart/mixed; boundary=\"\"", "text/plain; charset=iso-8859-1", "text/html",
        "Content-Transfer-Encoding: ", "base64", "quoted-printable", "=", "=3D", "=\r\n", "=?utf-8?q?",
        "=?iso-8859-1?b?", "?=",
        "YQ==", "http://", "https://a.test/x", " ", "\t", ":", ";", "a", "é", "\0", "<", ">", "\"",
    ]

    private func fuzzRule(_ line: String) throws {
        let notes = RuleLine.examine(line)
        guard let rule = notes.rule else {
            guard notes.errors.isEmpty else { return }
            throw Finding(description: "refused without a reason: \(line)")
        }
        let written = RuleLine.line(of: rule)
        guard try RuleLine.parse(written) == rule else { throw Finding(description: "\(line) came back as \(written)") }
    }

    private func fuzzMessage(_ octets: [UInt8]) throws {
        let facts = MessageFacts(octets)
        guard facts.links.allSatisfy({ $0.asciiLowercased.hasPrefix("http") }) else {
            throw Finding(description: "a link that is none: \(facts.links)")
        }
        guard facts.fields.allSatisfy({ !$0.name.contains("\n") && !$0.name.contains(":") }) else {
            throw Finding(description: "a field name that is none: \(facts.fields.map(\.name))")
        }
    }
}
