// A message of several parts that breaks no rule of MIME or of the body, to be changed in one place by each test.

import Findings
import Journal
import SMTP
import Testing

struct MIMEMail {
    /// Lines end in LF here and in CRLF in the message; `\xHH` stands for an octet.
    var source: String

    static let html = """
        <html><head><title>Offer</title><style>@media print { a { color: red } }</style></head><body>
        <!-- <a href="http://192.0.2.1:99/"> is a comment -->
        <div style="display:none">A short line for the preview&zwnj;&nbsp;&zwnj;&nbsp;</div>
        <p>Gr\\xc3\\xbc\\xc3\\x9fe! <a href="https://www.sender.example/offer?a=1&amp;b=2">Our offer</a>
        <a href="https://sender.example/u/1">www.sender.example</a> <a href="#top">up</a>
        <a href="mailto:leave@sender.example">Unsubscribe</a>
        <img src="cid:logo@sender.example" alt="Logo"><img src="https://img.sender.example/x.png"></p></body></html>

        """

    static let plain = """
        Gr=C3=BC=C3=9Fe! See
        https://www.sender.example/offer?a=3D1, or (if you =
        like) <https://sender.example/u/1> to unsubscribe.
        """

    /// A message with these texts; the HTML is encoded in base64, the plain text stands as it is.
    init(html: String = MIMEMail.html, plain: String = MIMEMail.plain) {
        source = """
            From: Anna <anna@sender.example>
            To: Bob <bob@any.test>
            Subject: Offer
            Date: Fri, 27 Nov 2026 12:00:00 +0000
            Message-ID: <1@sender.example>
            MIME-Version: 1.0 (made by hand)
            Content-Type: multipart/mixed; boundary="outer=_7"

            For readers of 1982.
            --outer=_7
            Content-Type: multipart/related; type="multipart/alternative";
             boundary="middle=_7"

            --middle=_7
            Content-Type: multipart/alternative; boundary="inner=_7"

            --inner=_7
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: quoted-printable

            \(plain)
            --inner=_7
            Content-Type: text/html; charset="utf-8"
            Content-Transfer-Encoding: base64

            \(MIMEMail.base64(MIMEMail.octets(html)))
            --inner=_7--

            --middle=_7\u{20}
            Content-Type: image/png; name="logo.png"
            Content-Transfer-Encoding: base64
            Content-ID: <logo@sender.example>
            Content-Disposition: inline; filename="logo.png"

            iVBORw0KGgo=
            --middle=_7--

            --outer=_7
            Content-Type: application/pdf; name=terms.pdf
            Content-Disposition: attachment; filename*=utf-8''B%C3%BCro.pdf
            Content-Transfer-Encoding: base64

            JVBERi0xLjQ=
            --outer=_7--
            Nothing.

            """
    }

    init(source: String) { self.source = source }

    /// One part, with the fields every message has.
    static func single(_ fields: String, _ body: String) -> MIMEMail {
        MIMEMail(
            source: """
                From: Anna <anna@sender.example>
                To: Bob <bob@any.test>
                Date: Fri, 27 Nov 2026 12:00:00 +0000
                Message-ID: <1@sender.example>
                \(fields)

                \(body)

                """)
    }

    /// The only place of `old` is changed.
    func with(_ old: String, _ new: String) -> MIMEMail? {
        let pieces = source.ranges(of: old)
        guard pieces.count == 1, old != new else { return nil }
        return MIMEMail(source: source.replacing(old, with: new))
    }

    var octets: [UInt8] { Self.octets(source) }

    static func octets(_ source: String) -> [UInt8] {
        var result: [UInt8] = []
        var rest = Array(source.utf8)[...]
        while let octet = rest.popFirst() {
            if octet == 10 {
                result += [13, 10]
            } else if octet == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "x"),
                let value = UInt8(String(decoding: rest.dropFirst().prefix(2), as: UTF8.self), radix: 16)
            {
                result.append(value)
                rest = rest.dropFirst(3)
            } else {
                result.append(octet)
            }
        }
        return result
    }

    static func base64(_ octets: [UInt8], line: Int = 76) -> String {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        var text: [UInt8] = []
        for start in stride(from: 0, to: octets.count, by: 3) {
            let group = octets[start..<min(start + 3, octets.count)]
            var bits: UInt32 = 0
            for offset in 0..<3 { bits = bits << 8 | UInt32(offset < group.count ? group[start + offset] : 0) }
            for digit in 0..<4 {
                let value = Int(bits >> UInt32(18 - 6 * digit)) & 63
                text.append(digit <= group.count ? digits[value] : UInt8(ascii: "="))
            }
        }
        return stride(from: 0, to: text.count, by: line)
            .map { String(decoding: text[$0..<min($0 + line, text.count)], as: UTF8.self) }
            .joined(separator: "\n")
    }

    func input(_ change: (inout MessageInput) -> Void = { _ in }) -> MessageInput {
        var input = MessageInput(
            content: octets, reversePath: ReversePath(address: Array("anna@sender.example".utf8)),
            recipients: [Array("bob@any.test".utf8)], received_us: 1_790_000_000_000_000)
        input.message = "m1"
        change(&input)
        return input
    }

    /// What is said of the message, of rules of MIME and the body alone.
    func judged(
        _ profile: SenderProfile = .strict, client: String = "192.0.2.9:40025",
        _ change: (inout MessageInput) -> Void = { _ in }
    ) -> (broken: [RuleID], kept: [RuleID], findings: [Finding]) {
        let judgement = Judge.judge(
            SessionTrace(Talk(client: client).log), [input(change)], Circumstances(),
            JudgingSettings(profile: profile))
        let isOurs: (RuleID) -> Bool = { [.mime, .body].contains(SenderRules.layer(of: $0)) }
        return (
            judgement.states.ids(.broken).filter(isOurs), judgement.states.ids(.kept).filter(isOurs),
            judgement.findings.filter { isOurs($0.rule) }
        )
    }

    func finding(_ rule: RuleID, _ profile: SenderProfile = .strict) -> Finding? {
        judged(profile).findings.first { $0.rule == rule }
    }

    /// The octets that a finding points at.
    func evidence(_ rule: RuleID, _ profile: SenderProfile = .strict) -> String? {
        guard let range = finding(rule, profile)?.evidence.first?.range else { return nil }
        return String(decoding: octets[range], as: UTF8.self)
    }
}

/// One place of the clean message is changed, and these rules are found broken, no others.
struct MIMEChange: CustomTestStringConvertible, Sendable {
    var rules: [RuleID]
    var old: String
    var new: String

    init(_ rules: RuleID..., change old: String, to new: String) {
        (self.rules, self.old, self.new) = (rules, old, new)
    }

    var testDescription: String {
        "\(rules.map(\.rawValue)): \(Excerpt.octets(old.utf8)) -> \(Excerpt.octets(new.utf8))"
    }
}
