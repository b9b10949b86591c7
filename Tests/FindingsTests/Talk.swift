// Writes the events of a session as the sink would have recorded them, line by line, for the checks of sessions.

import Findings
import Journal
import SMTP

struct Talk {
    private(set) var log = EventLog()
    private var now_us: UInt64 = 0
    private var segment = 0

    init(
        client: String = "192.0.2.9:40025", session: String = "s1", started_us: Int64 = 1_790_000_000_000_000,
        listener: String = "smtp", local: String = "192.0.2.1:25"
    ) {
        append(.opened(session: session, listener: listener, client: client, local: local, wall_us: started_us))
    }

    mutating func append(_ event: Event) { log.append(event, at_us: now_us) }

    /// What came at another time than it is told.
    mutating func append(_ event: Event, at_us: UInt64) { log.append(event, at_us: at_us) }

    mutating func wait(_ microseconds: UInt64) { now_us += microseconds }

    /// A reply: its lines, without line ends.
    mutating func sink(_ phase: Phase?, _ lines: String...) {
        now_us += 100
        append(.reply(phase: phase, wire: Array(lines.map { $0 + "\r\n" }.joined().utf8)))
    }

    /// A line of the client, without its CRLF, in a read of its own, or in one read with the line before.
    mutating func client(_ line: String, together: Bool = false, after_us: UInt64 = pace_us) {
        client(Array(line.utf8), together: together, after_us: after_us)
    }

    /// How long the client takes to read a reply and to answer, as over a network.
    static let pace_us: UInt64 = 25_000

    mutating func client(_ line: [UInt8], together: Bool = false, after_us: UInt64 = pace_us) {
        if !together {
            segment += 1
            now_us += after_us
        }
        append(.clientLine(octets: line, segment: segment))
    }

    mutating func content(_ count: Int) {
        segment += 1
        now_us += 1000
        append(.clientContent(octetCount: count, segment: segment))
    }

    mutating func fault(_ phase: Phase, _ script: String..., rule: String = "test") {
        append(
            .fault(
                rule: rule, why: "test", phase: phase, action: script.joined(separator: ", "), use: 1, octets: 0,
                script: script))
    }

    mutating func mail(_ from: String, parameters: String = "", together: Bool = false) {
        client("MAIL FROM:<\(from)>\(parameters.isEmpty ? "" : " " + parameters)", together: together)
        append(.transactionBegan(reversePath: Array(from.utf8)))
        sink(.mail, "250 2.1.0 Ok")
    }

    mutating func rcpt(_ to: String, parameters: String = "", reply: String = "250 2.1.5 Ok", together: Bool = false) {
        client("RCPT TO:<\(to)>\(parameters.isEmpty ? "" : " " + parameters)", together: together)
        append(.recipientAnswered(address: Array(to.utf8), wire: Array((reply + "\r\n").utf8)))
        sink(.rcpt, reply)
    }

    mutating func data(_ count: Int = 500, reply: String = "250 2.0.0 Ok", message: String? = "s1.1") {
        client("DATA")
        sink(.data, "354 Go ahead")
        content(count)
        let verdict: Verdict = reply.hasPrefix("2") ? .accepted : reply.hasPrefix("4") ? .deferred : .rejected
        append(
            .transactionEnded(
                verdict: verdict, at: .endOfData, reply: Array((reply + "\r\n").utf8),
                message: verdict == .accepted ? message : nil))
        sink(.endOfData, reply)
    }

    static let offer = [
        "250-mx.test", "250-PIPELINING", "250-SIZE 10485760", "250-8BITMIME", "250-SMTPUTF8", "250-CHUNKING",
        "250-BINARYMIME", "250-DSN", "250-ENHANCEDSTATUSCODES", "250-STARTTLS", "250 HELP",
    ]

    mutating func greeting() { sink(.greeting, "220 mx.test ESMTP") }

    mutating func ehlo(_ name: String = "mta1.sender.example", without: String? = nil) {
        client("EHLO \(name)")
        let lines = Talk.offer.filter { line in without.map { !line.contains($0) } ?? true }
        now_us += 100
        append(.reply(phase: .ehlo, wire: Array(lines.map { $0 + "\r\n" }.joined().utf8)))
    }

    mutating func startTLS() {
        client("STARTTLS")
        sink(.starttls, "220 2.0.0 Ready")
        now_us += 5000
        append(
            .tlsStarted(
                TLSSummary(version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", sni: "mx.test", clientNames: [])))
    }

    mutating func quit() {
        client("QUIT")
        sink(.quit, "221 2.0.0 Bye")
        append(.ended(.quit))
    }

    /// A session that breaks nothing.
    static func clean() -> Talk {
        var talk = Talk()
        talk.greeting()
        talk.ehlo()
        talk.startTLS()
        talk.ehlo(without: "STARTTLS")
        talk.mail("a@sender.example")
        talk.rcpt("b@any.test")
        talk.data()
        talk.quit()
        return talk
    }

    /// What is found in it.
    func judged(
        _ circumstances: Circumstances = Circumstances(),
        _ settings: JudgingSettings = JudgingSettings(profile: .strict)
    ) -> SessionJudgement {
        Judge.judge(SessionTrace(log), [], circumstances, settings)
    }
}

extension SessionJudgement {
    var broken: [RuleID] { states.ids(.broken) }
}
