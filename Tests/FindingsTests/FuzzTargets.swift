// What the fuzz target of this room does with its octets; Tests/Fuzz/Entry.swift hands them in, the tests replay the
// corpus and mutate mail of their own. A target throws what is wrong; it may not crash, and it may not run long.

#if canImport(Findings)
    import Findings
    import Journal
    import SMTP
#endif

enum FindingsFuzzTarget: String, CaseIterable {
    /// A message, judged as a part of a session. The first octet says how.
    case findings

    /// - Parameter mapped: octets stand for words of a message instead of themselves.
    func run(_ octets: [UInt8], mapped: Bool) throws {
        guard let first = octets.first else { return }
        let content = mapped ? Self.mapped(octets.dropFirst()) : Array(octets.dropFirst())
        try Self.judge(content, flags: first)
    }

    struct Finding: Error, CustomStringConvertible {
        let description: String
    }

    static func mapped(_ octets: some Sequence<UInt8>) -> [UInt8] {
        octets.flatMap { Array(words[Int($0) % words.count].utf8) }
    }

    static let words = [
        "\r\n", "\r\n\r\n", "\n", "\r", "\r\n ", "--", "--b", "--b\r\n", "--b--\r\n", "--b2\r\n", "Subject: ", "From: ",
        "To: ", "Date: ", "Received: ", "Message-ID: <a@b.example>", "MIME-Version: 1.0", "Content-Type: ",
        "multipart/mixed; boundary=b", "multipart/alternative; boundary=\"b2\"",
        "multipart/related; type=\"text/html\"; ",
        "multipart/report; report-type=delivery-status; boundary=b", "message/rfc822", "message/delivery-status",
        "text/plain; charset=iso-8859-1", "text/html; charset=utf-8", "charset=utf-16", "charset=us-ascii", "boundary=",
        "name=", "filename*0*=utf-8'en'%41", "filename*1=b", "filename*=''%4", ";", "=", "\"", "(", ")", "\\",
        "Content-Disposition: attachment; ", "Content-Transfer-Encoding: ", "base64", "quoted-printable", "8bit",
        "binary",
        "Content-ID: <c@d.example>", "=3D", "=3d", "=\r\n", "=?utf-8?q?", "=?iso-8859-1?b?", "?=", "YQ==", "PGEgaHJl",
        "http://", "https://a.example/x", "http://1.2.3.4:99/%", "<a href=\"", "<a href='x'>", "</a>",
        "<img src=cid:c@d.example>",
        "<style>@media", "</style>", "<div style=\"display:none\">", "<p style=font-size:0>", "</div>", "<!--", "-->",
        "<",
        ">", "&amp;", "&#x41;", "{{", "}}", "${a}", "%%", "*|", "|*", "Dear null", "[object Object]",
        "List-Id: <l.example>",
        "Precedence: bulk", "unsubscribe", " ", "\t", ":", ",", "@", "a", "é", "\u{1f600}", "\0", "\u{7f}",
    ]

    /// - Parameter flags: two bits of the profile, one each for SMTPUTF8, BDAT, a local peer and a null reverse-path.
    static func judge(_ content: [UInt8], flags: UInt8) throws {
        var log = EventLog()
        let client = flags & 16 == 0 ? "192.0.2.9:40025" : "127.0.0.1:40025"
        log.append(
            .opened(
                session: "s", listener: "smtp", client: client, local: "192.0.2.1:25", wall_us: 1_790_000_000_000_000),
            at_us: 0)
        let from = flags & 32 == 0 ? Array("a@b.example".utf8) : []
        var input = MessageInput(
            content: content, reversePath: ReversePath(address: from, smtpUTF8: flags & 4 != 0),
            recipients: [Array("b@any.test".utf8)], received_us: 1_790_000_000_000_000)
        input.isChunked = flags & 8 != 0
        let settings = JudgingSettings(profile: SenderProfile.allCases[Int(flags & 3)])
        try check(Judge.judge(SessionTrace(log), [input], Circumstances(), settings), content)
        try checkLinks(content)
    }

    private static func check(_ judgement: SessionJudgement, _ content: [UInt8]) throws {
        for finding in judgement.findings {
            guard !finding.evidence.isEmpty, finding.evidence.count <= Findings.Finding.evidenceLimit,
                finding.count >= finding.evidence.count
            else {
                throw Finding(description: "\(finding.rule.rawValue): \(finding.evidence.count) of \(finding.count)")
            }
            for evidence in finding.evidence {
                guard let range = evidence.range else { continue }
                guard range.lowerBound >= 0, range.upperBound <= content.count else {
                    throw Finding(description: "\(finding.rule.rawValue) at \(range) of \(content.count)")
                }
            }
            guard finding.saw.count <= Excerpt.limit else {
                throw Finding(description: "\(finding.rule.rawValue) saw too much: \(finding.saw)")
            }
            guard judgement.states[finding.rule] == .broken else {
                throw Finding(description: "\(finding.rule.rawValue) is found and not broken")
            }
        }
        // A rule has as many findings as there are severities, at most.
        guard Set(judgement.findings.map { "\($0.rule.rawValue) \($0.severity)" }).count == judgement.findings.count
        else {
            throw Finding(description: "one rule twice")
        }
    }

    private static func checkLinks(_ content: [UInt8]) throws {
        let links = content.withUnsafeBufferPointer { MessageLinks.list($0, MessageScan($0)) }
        for link in links {
            guard link.range.lowerBound >= 0, link.range.upperBound <= content.count else {
                throw Finding(description: "a link at \(link.range) of \(content.count)")
            }
        }
        guard links.count <= 1000 else { throw Finding(description: "\(links.count) links") }
    }
}
