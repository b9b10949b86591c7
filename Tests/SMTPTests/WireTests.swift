// Lines, verbs, syntax, order (R01 to R26, R62).

import Testing

@testable import SMTP

@Suite("Wire and order")
struct WireTests {
    @Test("R01: a bare LF or CR never ends a line")
    func bareLineEnds() {
        #expect(converse("NOOP\nNOOP\r\n").codes == "500")
        #expect(converse("NOOP\rNOOP\r\n").codes == "500")
        #expect(converse("NOOP \nNOOP\r\n").codes == "501")
        #expect(converse("NOOP\n\r\nNOOP\r\n").codes == "500 250")
        #expect(converse("NOOP\n").codes == "")
        #expect(converse("NOOP\r\r\nNOOP\r\n").codes == "500 250")
    }

    @Test("R03: verbs and keywords have no case, local parts keep theirs")
    func letterCase() {
        let heard = converse(
            ehlo + "mAiL fRoM:<Ab@x.example> sIzE=10 bOdY=8bitmime\r\nrCpT tO:<Cd@y.example>\r\ndata\r\n.\r\n")
        #expect(heard.codes == "250 250 250 354 250")
        #expect(heard.envelopes.first?.reversePath.address == Array("Ab@x.example".utf8))
        #expect(heard.envelopes.first?.recipients.first?.address == Array("Cd@y.example".utf8))
        #expect(heard.envelopes.first?.reversePath.size == 10)
        #expect(heard.envelopes.first?.reversePath.body == .eightBitMIME)
    }

    @Test("R07: a line may have 512 octets and more; one beyond the limit is answered once and the session goes on")
    func longLines() {
        #expect(converse("NOOP " + String(repeating: "x", count: 505) + "\r\n").codes == "250")
        let long = converse(envelope + "NOOP " + String(repeating: "x", count: 5000) + "\r\nDATA\r\n.\r\n")
        #expect(long.codes == "250 250 250 500 354 250")
        #expect(long.replies[3] == "500 5.5.2 Line too long")
        #expect(long.notices == [.lineTooLong])
    }

    @Test("The longest line is the limit itself, with its CRLF")
    func lineLimit() {
        let limited = profile { $0.limits.commandLine = 600 }
        #expect(converse("NOOP " + String(repeating: "x", count: 593) + "\r\nNOOP\r\n", limited).codes == "250 250")
        #expect(converse("NOOP " + String(repeating: "x", count: 594) + "\r\nNOOP\r\n", limited).codes == "500 250")
        #expect(converse("NOOP " + String(repeating: "x", count: 594) + "\n\r\nNOOP\r\n", limited).codes == "500 250")
    }

    @Test("64 MiB without a line end are swallowed, and nothing is asked to be kept")
    func endlessLine() throws {
        var trial = Trial(
            Session(profile: Profile(hostname: "mx.test"), insideTLS: false, keepsContent: true, bodyCheckpoints: []))
        let stretch = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 16)
        for _ in 0..<1024 { try trial.feed(stretch) }
        try trial.feed(Array("\r\nNOOP\r\n".utf8))
        #expect(trial.codes == ["500", "250"])
        #expect(trial.notices == [.lineTooLong])
    }

    @Test("R08: an unknown verb is 500, a switched-off one 502, and neither closes")
    func unknown() {
        let heard = converse("FROB\r\nFROB x\r\n\r\n ?!\r\nEXPN list\r\nNOOP\r\n")
        #expect(heard.codes == "500 500 500 500 502 250")
        #expect(heard.replies[0].hasPrefix("500 5.5.1 "))
        #expect(heard.replies[2].hasPrefix("500 5.5.2 "))
        #expect(!heard.isOver)
    }

    @Test("R10: DATA, RSET, QUIT and STARTTLS take no argument; white space behind them does not matter")
    func arguments() {
        #expect(converse(envelope + "RSET x\r\nRSET \r\n").codes == "250 250 250 501 250")
        #expect(converse(envelope + "DATA x\r\nDATA \t\r\n.\r\n").codes == "250 250 250 501 354 250")
        #expect(converse("QUIT now\r\nQUIT  \r\n").codes == "501 221")
        #expect(converse(ehlo + "STARTTLS now\r\n").codes == "250 501")
        #expect(converse("EHLO\r\nEHLO  \r\nHELO\r\nVRFY\r\nMAIL\r\n").codes == "501 501 501 501 503")
        #expect(
            converse(ehlo + "MAIL\r\nMAIL TO:<a@b>\r\nMAIL FROM <a@b>\r\nMAIL FROM :<a@b>\r\nMAIL FROM:a@b\r\n").codes
                == "250 501 501 501 501 501")
    }

    @Test("A space behind the colon of MAIL and RCPT is tolerated")
    func spaceBehindColon() {
        #expect(converse(ehlo + "MAIL FROM: <a@b>\r\nRCPT TO:  <a@b>\r\n").codes == "250 250 250")
    }

    @Test("R11: octets above 127 without SMTPUTF8 are refused")
    func eightBit() {
        #expect(converse(ehlo + "MAIL FROM:<\u{fc}@x>\r\n").codes == "250 553")
        #expect(converse("HELO x\r\nMAIL FROM:<\u{fc}@x>\r\n").codes == "250 501")
        #expect(
            converse("EHLO \u{fc}.test\r\nNOOP \u{fc}\r\nHELP \u{fc}\r\nVRFY \u{fc}\r\n\u{fc}\u{fc}\r\n").codes
                == "501 501 501 501 500")
        #expect(converse(octets: Array("NOOP a\0b\r\nMAIL\0FROM\r\n".utf8)).codes == "501 500")
    }

    @Test("R12: the greeting has our domain first")
    func greeting() {
        #expect(converse("", rulings: [.greeting: [.proceed]]).replies == ["220 mx.test ESMTP fakemx"])
    }

    @Test("R12: after a refused greeting, 503 to all but QUIT")
    func refusedGreeting() {
        let heard = converse(
            ehlo + "NOOP\r\nMAIL FROM:<>\r\nBDAT 6\r\nQUIT\r\nFROB\r\nQUIT\r\n",
            rulings: [.greeting: [ruling(554, "5.3.2")]])
        #expect(heard.codes == "554 503 503 503 503 503 221")
        #expect(heard.isOver)
    }

    @Test("R61: after a 521 greeting, 521 to all but QUIT")
    func greeting521() {
        let heard = converse(
            ehlo + "NOOP\r\nFROB\r\nQUIT\r\n", rulings: [.greeting: [ruling(521, nil, "mx.test takes no mail")]])
        #expect(heard.codes == "521 521 521 521 221")
        #expect(heard.replies[1] == "521 mx.test takes no mail")
    }

    @Test("R13, R17: what is allowed before EHLO")
    func beforeEHLO() {
        #expect(converse("NOOP\r\nHELP\r\nEXPN x\r\nVRFY x\r\nRSET\r\n").codes == "250 214 502 252 250")
        #expect(converse("MAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\nSTARTTLS\r\n").codes == "503 503 503 503")
        #expect(converse("RSET\r\nMAIL FROM:<>\r\n").codes == "250 503")
    }

    @Test("R14: HELO is answered by one line and brings no extensions")
    func helo() {
        let heard = converse(
            "HELO x\r\nMAIL FROM:<a@b> SIZE=5\r\nMAIL FROM:<a@b>\r\nRCPT TO:<a@b> NOTIFY=NEVER\r\n"
                + "RCPT TO:<a@b>\r\nBDAT 2 LAST\r\nxySTARTTLS\r\n"
        )
        #expect(heard.replies.first == "250 mx.test")
        #expect(heard.codes == "250 555 250 555 250 503 503")
    }

    @Test("R15: a second EHLO is a RSET; a refused one leaves the state")
    func secondEHLO() {
        #expect(converse(ehlo + mail + ehlo + rcpt).codes == "250 250 250 503")
        #expect(converse(ehlo + mail + "EHLO\r\n" + rcpt).codes == "250 250 501 250")
        let refused = converse(
            ehlo + mail + "EHLO other\r\n" + rcpt, rulings: [.ehlo: [.proceed, ruling(550, "5.7.1")]])
        #expect(refused.codes == "250 250 550 250")
        let first = converse(ehlo + mail, rulings: [.ehlo: [ruling(450)]])
        #expect(first.codes == "450 503")
    }

    @Test("R16: any EHLO name is taken, as it came")
    func anyName() {
        for name in ["wrong.example", "under_score", "[192.0.2.1] my mailer", "[IPv6:::1]", "192.0.2.1", "a:b/c"] {
            #expect(converse("EHLO \(name)\r\n").codes == "250")
        }
        #expect(converse("EHLO \(String(repeating: "a", count: 255))\r\n").codes == "250")
        #expect(converse("EHLO \(String(repeating: "a", count: 256))\r\n").codes == "501")
    }

    @Test("R18, R19, R34: out of order is 503 and the state stays")
    func order() {
        #expect(
            converse(ehlo + rcpt + "DATA\r\n" + mail + "DATA\r\n" + mail + rcpt + "DATA\r\n.\r\n").codes
                == "250 503 503 250 503 503 250 354 250")
    }

    @Test("R20: RSET ends the transaction and nothing else")
    func reset() {
        #expect(converse(envelope + "RSET\r\nDATA\r\n" + mail).codes == "250 250 250 250 503 250")
        let refused = converse(envelope + "RSET\r\nDATA\r\n", rulings: [.rset: [ruling(450)]])
        #expect(refused.codes == "250 250 250 450 354")
    }

    @Test("R21: NOOP, HELP, VRFY and EXPN touch nothing")
    func noEffect() {
        #expect(
            converse(ehlo + mail + "NOOP\r\n" + rcpt + "HELP\r\nVRFY x\r\nEXPN x\r\nNOOP x y\r\nDATA\r\n.\r\n").codes
                == "250 250 250 250 214 252 502 250 354 250")
    }

    @Test("R22: QUIT is answered and closes; a refused QUIT does not")
    func quits() {
        let heard = converse("QUIT\r\nNOOP\r\n")
        #expect(heard.replies == ["221 2.0.0 Bye"])
        #expect(heard.isOver)
        #expect(converse("QUIT\r\nNOOP\r\n", rulings: [.quit: [ruling(450)]]).codes == "450 250")
        #expect(converse("QUIT\r\nNOOP\r\n", rulings: [.quit: [.silence]]).codes == "250")
    }

    @Test("R26: too many errors end in 421")
    func tooManyErrors() {
        let heard = converse("FROB\r\nFROB\r\nNOOP\r\nFROB\r\nFROB\r\n", profile { $0.limits.errors = 2 })
        #expect(heard.codes == "500 500 250 421")
        #expect(heard.last == "421 4.7.0 mx.test Too many errors")
        #expect(heard.notices == [.tooManyErrors])
        #expect(heard.isOver)
    }

    @Test("A 421 closes at every phase")
    func closing() {
        let bye = ruling(421, "4.3.2")
        let phases: [(Phase, String)] = [
            (.greeting, ""), (.ehlo, ehlo), (.starttls, ehlo + "STARTTLS\r\n"), (.mail, ehlo + mail), (.rcpt, envelope),
            (.data, envelope + "DATA\r\n"), (.endOfData, envelope + "DATA\r\n.\r\n"), (.rset, "RSET\r\n"),
            (.noop, "NOOP\r\n"), (.vrfy, "VRFY x\r\n"), (.quit, quit), (.body, envelope + "DATA\r\nx"),
        ]
        for (phase, text) in phases {
            let heard = converse(text + "NOOP\r\n", checkpoints: [0], rulings: [phase: [bye]])
            #expect(heard.isOver, "\(phase)")
            #expect(heard.last.hasPrefix("421 4.3.2 "), "\(phase)")
        }
    }

    @Test("R36, R62: VRFY verifies nothing, HELP says no users and lists what would be obeyed")
    func helpAndVerify() {
        #expect(converse("VRFY postmaster\r\n").replies.first?.hasPrefix("252 2.0.0 ") == true)
        let help = converse("HELP MAIL\r\n").replies.first ?? ""
        #expect(help.hasPrefix("214-2.0.0 "))
        #expect(help.contains("STARTTLS") && !help.contains("AUTH"))
    }

    @Test("A TLS ClientHello on a clear connection is told so, and the line is closed")
    func clientHello() {
        let heard = converse(octets: [0x16, 3, 1, 2, 0, 1])
        #expect(heard.codes == "554")
        #expect(heard.notices == [.clientHelloInClear])
        #expect(heard.isOver)
        #expect(converse(octets: [0x16, 3, 13, 10], insideTLS: true).codes == "500")
        #expect(converse(octets: Array("NOOP\r\n".utf8) + [0x16, 3, 13, 10]).codes == "250 500")
    }

    @Test("An HTTP request as the first line is told so, and the line is closed")
    func http() {
        for line in ["GET / HTTP/1.1", "POST /x?y HTTP/1.0", "PRI * HTTP/2.0"] {
            let heard = converse("\(line)\r\nHost: x\r\n\r\n")
            #expect(heard.codes == "554")
            #expect(heard.notices == [.httpRequest])
            #expect(heard.isOver)
        }
        #expect(converse("NOOP\r\nGET / HTTP/1.1\r\n").codes == "250 500")
    }

    @Test("idle and accepted say what a ruling says and change nothing")
    func outside() throws {
        var trial = Trial(
            Session(profile: Profile(hostname: "mx.test"), insideTLS: false, keepsContent: true, bodyCheckpoints: []))
        try trial.begin(.connect)
        try trial.begin(.greeting)
        try trial.feed(Array(ehlo.utf8))
        trial.rule = { $0 == .idle ? ruling(250, "2.0.0", "still here") : .proceed }
        try trial.begin(.idle)
        try trial.begin(.accepted)
        try trial.feed(Array(mail.utf8))
        #expect(trial.codes == ["220", "250", "250", "250"])
        let awaitsCommand = trial.session.awaitsCommand
        #expect(awaitsCommand)
    }

    @Test("A refused connect is a refused greeting")
    func refusedConnect() throws {
        var trial = Trial(
            Session(profile: Profile(hostname: "mx.test"), insideTLS: false, keepsContent: true, bodyCheckpoints: []),
            rule: { $0 == .connect ? ruling(554, "5.7.1") : .proceed })
        try trial.begin(.connect)
        try trial.feed(Array((ehlo + quit).utf8))
        #expect(trial.codes == ["554", "503", "221"])
    }
}
