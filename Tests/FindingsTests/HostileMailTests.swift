// Whatever a peer sends is judged without a crash, and in time that grows as its length does: mutated mail from a
// seeded generator, the corpus of the fuzzer, and shapes that make careless code slow.

import Findings
import Foundation
import SMTP
import Testing

/// SplitMix64: the same seed, the same mail.
private struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
        return value ^ (value >> 31)
    }
}

/// Optimised code is given what the field may bring, the other a part of it.
#if DEBUG
    private let isOptimised = false
#else
    private let isOptimised = true
#endif

@Suite(.serialized) struct HostileMailTests {
    // MARK: Mutations

    private static func mutated(_ mail: [UInt8], _ generator: inout Generator) -> [UInt8] {
        var mail = mail
        for _ in 0..<Int.random(in: 1...8, using: &generator) {
            let place = Int.random(in: 0...mail.count, using: &generator)
            let end = min(mail.count, place + Int.random(in: 0...40, using: &generator))
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: mail.removeSubrange(place..<end)
            case 1: mail.insert(contentsOf: mail[place..<end], at: Int.random(in: 0...mail.count, using: &generator))
            case 2: mail.insert(UInt8.random(in: 0...255, using: &generator), at: place)
            case 3: if place < mail.count { mail[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator) }
            case 4: mail.removeSubrange(place...)
            default:
                let words = FindingsFuzzTarget.words
                mail.insert(contentsOf: words[Int.random(in: 0..<words.count, using: &generator)].utf8, at: place)
            }
        }
        return mail
    }

    @Test func mutatedMailIsJudgedWithoutACrash() throws {
        var generator = Generator(state: 5)
        let seeds = [
            MIMEMail().octets,
            MIMEMail.single(
                "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\nList-Id: <a.example>", MIMEMail.html
            )
            .octets,
            MIMEMail.single(
                "MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status; boundary=b",
                "--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\nAction: failed\n\n--b\n"
                    + "Content-Type: message/rfc822\n\nSubject: yours\n\nHello\n--b--"
            ).octets,
        ]
        let start = ContinuousClock.now
        for round in 0..<(isOptimised ? 20_000 : 1500) {
            let flags = UInt8.random(in: 0...255, using: &generator)
            let content: [UInt8]
            if round % 4 == 3 {
                let octets = (0..<Int.random(in: 0...200, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                content = round % 8 == 3 ? FindingsFuzzTarget.mapped(octets) : octets
            } else {
                content = Self.mutated(seeds[round % 4], &generator)
            }
            try FindingsFuzzTarget.judge(content, flags: flags)
        }
        // Far more than it takes: a message that hangs is what this finds.
        #expect(ContinuousClock.now - start < .seconds(120))
    }

    @Test func theCorpusOfTheFuzzerIsJudged() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Fuzz/corpus/findings")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        #expect(files.count >= 3)
        for file in files {
            let octets = Array(try Data(contentsOf: file))
            try FindingsFuzzTarget.findings.run(octets, mapped: false)
            try FindingsFuzzTarget.findings.run(octets, mapped: true)
        }
    }

    // MARK: Linear time

    /// A shape of mail that is as long as one wishes.
    struct Shape: CustomTestStringConvertible, Sendable {
        var name: String
        var head = ""
        var unit: String
        var tail = ""
        /// Of the longer of the two messages, in octets; unoptimised code takes a sixteenth.
        var octets = 4 << 20
        var testDescription: String { name }

        func mail(_ count: Int) -> [UInt8] {
            var mail = MIMEMail.octets(head)
            let unit = MIMEMail.octets(unit)
            mail.reserveCapacity(count + unit.count + tail.utf8.count)
            while mail.count < count { mail += unit }
            return mail + MIMEMail.octets(tail)
        }
    }

    private static func shape(_ name: String, _ type: String, _ unit: String, encoding: String = "7bit") -> Shape {
        let head =
            "MIME-Version: 1.0\nContent-Type: \(type)\nContent-Transfer-Encoding: \(encoding)\nList-Id: <a.example>\n\n"
        return Shape(name: name, head: head, unit: unit)
    }

    static let shapes: [Shape] = [
        Shape(name: "header fields", unit: "A: b\n", octets: 64 << 20),
        Shape(name: "one folded field", head: "Subject:", unit: " a\n", octets: 64 << 20),
        Shape(name: "a header without colons", unit: "aaaaaaaa\n", octets: 16 << 20),
        Shape(name: "comments in Content-Type", head: "Content-Type: text/plain ", unit: "("),
        Shape(name: "parameters", head: "Content-Type: text/plain", unit: "; a=b"),
        Shape(name: "extended parameters", head: "Content-Disposition: inline", unit: "; a*0*=b"),
        Shape(name: "recipients", head: "To: ", unit: "a@b.example, ", octets: 13_000_000),
        Shape(name: "encoded words", head: "Subject: ", unit: "=?utf-8?q?a?= "),
        Shape(name: "open encoded words in a name", head: "Content-Type: text/plain; name=\"", unit: "=?a"),
        Shape(name: "content fields", unit: "Content-Type: text/html; charset=a; a=\"b\"\n"),
        Shape(
            name: "parts", head: "Content-Type: multipart/mixed; boundary=b\n\n",
            unit: "--b\nContent-Type: text/html\n\na\n",
            octets: 640_000),
        Shape(
            name: "parts in parts", unit: "Content-Type: multipart/mixed; boundary=b\n\n--b\n", octets: 480_000),
        Shape(
            name: "reports in parts", unit: "Content-Type: message/rfc822\n\n", octets: 480_000),
        Shape(
            name: "dashed lines", head: "Content-Type: multipart/mixed; boundary=b\n\n--b\n\n", unit: "--bb\n"),
        Shape(
            name: "parts with links", head: "Content-Type: multipart/mixed; boundary=b\n\n",
            unit: "--b\nContent-Type: text/html\n\n<a href=x>\n", octets: 800_000),
        shape("angle brackets", "text/html", "<"),
        shape("open tags", "text/html", "<a "),
        shape("links", "text/html", "<a href=x>"),
        shape("links with entities", "text/html", "<a href='http://1.2.3.4:5/&amp;%'>www.a.com"),
        shape("comments", "text/html", "<!--"),
        shape("ends of comments", "text/html", "<!-- ->"),
        shape("scripts", "text/html", "<script></"),
        shape("hidden elements", "text/html", "<div style=display:none>a"),
        shape("styles", "text/html", "<div style='color:red;font-size:0;;:'>a</div>"),
        shape("entities", "text/html", "&#x"),
        shape("quotes", "text/html", "<a href=\""),
        shape("references", "text/html", "<img src=cid:a>"),
        shape("addresses", "text/plain", "http://"),
        shape("addresses of punctuation", "text/plain", "http://....(((("),
        shape("colons", "text/plain", "http:"),
        shape("braces", "text/plain", "{{a"),
        shape("percents", "text/plain", "%%a"),
        shape("greetings", "text/plain", "Dear nul Hello "),
        shape("words", "text/plain", "unsu"),
        shape("equals", "text/plain", "=", encoding: "quoted-printable"),
        shape("equals and spaces", "text/plain", "=    ", encoding: "quoted-printable"),
        shape("escapes", "text/plain", "=68=74=74=70://a.example=\n/ ", encoding: "quoted-printable"),
        shape("links in base64", "text/plain", "aHR0cDovL2EuZXhhbXBsZS8g\n", encoding: "base64"),
        shape("spaces in base64", "text/plain", "a   ", encoding: "base64"),
        shape("pads", "text/plain", "====\n", encoding: "base64"),
        shape("line feeds in base64", "text/plain", "Cg0K", encoding: "base64"),
        shape("half characters", "text/plain; charset=utf-8", "\\xe2\\x82", encoding: "8bit"),
    ]

    /// Of the processor on this thread: other tests run beside it.
    private static func time(_ content: [UInt8]) throws -> Duration {
        func now() -> Duration {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
        }
        var best = Duration.seconds(1000)
        for _ in 0..<3 {
            let start = now()
            try FindingsFuzzTarget.judge(content, flags: 3)
            best = min(best, now() - start)
            if best > .seconds(1) { break }
        }
        return best
    }

    @Test(arguments: shapes) func theTimeGrowsAsTheMailDoes(_ shape: Shape) throws {
        let octets = isOptimised ? shape.octets : shape.octets / 32
        let short = try Self.time(shape.mail(octets / 4))
        let long = try Self.time(shape.mail(octets))
        // Four times the octets, four times the time; what is squared would take sixteen.
        #expect(long < max(short, .milliseconds(5)) * 10, "\(short) and \(long) of \(octets) octets")
    }

    /// 64 MiB of headers, 10,000 parts inside parts, a million recipients, and what is said of each.
    @Test func theLargestMailIsStillJudged() throws {
        let nested = String(repeating: "Content-Type: multipart/mixed; boundary=b\n\n--b\n", count: 10_000)
        try FindingsFuzzTarget.judge(MIMEMail.octets(nested), flags: 3)
        let recipients = Shape(name: "", head: "To: ", unit: "a@b.example, ").mail(isOptimised ? 13_000_000 : 400_000)
        try FindingsFuzzTarget.judge(recipients, flags: 3)
    }
}
