// Order, pipelining, replies, chunks, AUTH and QUIT: what a client does in which order, and what it had been told.

import Findings
import Journal
import SMTP
import Testing

@Suite struct EnvelopeDialogueTests {
    static let cases: [EnvelopeCase] = order + pipelining + replies + chunks + auth + endings

    @Test(arguments: cases)
    func session(_ one: EnvelopeCase) {
        let judgement = one.talk().judged()
        let broken = Set(judgement.broken.filter { SenderRules.layer(of: $0) == .envelope })
        #expect(broken == one.breaks)
        for rule in one.keeps { #expect(judgement.states[rule] == .kept, "\(rule.rawValue)") }
    }

    // MARK: Order

    static let order: [EnvelopeCase] = [
        EnvelopeCase("RCPT before MAIL", breaks: [.mailRcptOutOfOrder]) {
            $0.says("RCPT TO:<b@any.test>", .rcpt, "503 5.5.1 Send MAIL first")
            $0.quit()
        },
        EnvelopeCase("DATA before RCPT", breaks: [.mailRcptOutOfOrder]) {
            $0.mail("a@sender.example")
            $0.says("DATA", .data, "503 5.5.1 No valid recipients")
            $0.quit()
        },
        EnvelopeCase("DATA after RSET", breaks: [.mailRcptOutOfOrder]) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.says("RSET", .rset, "250 2.0.0 Ok")
            $0.says("DATA", .data, "503 5.5.1 Send MAIL first")
            $0.quit()
        },
        EnvelopeCase("a second message", keeps: [.mailRcptOutOfOrder, .mailNested]) {
            for _ in 0..<2 {
                $0.mail("a@sender.example")
                $0.rcpt("b@any.test")
                $0.data()
            }
            $0.quit()
        },
        EnvelopeCase("nested MAIL", breaks: [.mailNested]) {
            $0.mail("a@sender.example")
            $0.says("MAIL FROM:<c@sender.example>", .mail, "503 5.5.1 Nested MAIL command")
            $0.quit()
        },
        EnvelopeCase("MAIL, RSET, MAIL", keeps: [.mailNested]) {
            $0.mail("a@sender.example")
            $0.says("RSET", .rset, "250 2.0.0 Ok")
            $0.mail("c@sender.example")
            $0.quit()
        },
        EnvelopeCase("MAIL after a message that a rule refused half-way", keeps: [.mailNested]) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.client("DATA")
            $0.sink(.data, "354 Go ahead")
            $0.fault(.body, "552 5.3.4 Too much")
            $0.sink(.body, "552 5.3.4 Too much")
            $0.content(500)
            $0.append(.transactionEnded(verdict: .rejected, at: .body, reply: nil, message: nil))
            $0.mail("c@sender.example")
            $0.quit()
        },
        EnvelopeCase("MAIL after a refused DATA", keeps: [.replyIgnored]) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.refused(.data, "DATA", "554 5.3.0 No")
            $0.says("MAIL FROM:<c@sender.example>", .mail, "503 5.5.1 Nested MAIL command")
            $0.quit()
        },
        EnvelopeCase("RCPT after a refused MAIL, in a read of its own, too soon to tell") {
            $0.refused(.mail, "MAIL FROM:<a@sender.example>", "451 4.3.0 Not now")
            $0.client("RCPT TO:<b@any.test>", after_us: 5000)
            $0.sink(nil, "503 5.5.1 MAIL first")
            $0.client("DATA", after_us: 5000)
            $0.sink(nil, "503 5.5.1 MAIL first")
            $0.quit()
        },
        EnvelopeCase("RCPT after a refused MAIL", breaks: [.replyIgnored]) {
            $0.refused(.mail, "MAIL FROM:<a@sender.example>", "550 5.7.1 No")
            $0.says("RCPT TO:<b@any.test>", .rcpt, "503 5.5.1 Send MAIL first")
            $0.quit()
        },
        EnvelopeCase("RCPT in one group with a refused MAIL") {
            $0.refused(.mail, "MAIL FROM:<a@sender.example>", "550 5.7.1 No")
            $0.says("RCPT TO:<b@any.test>", .rcpt, "503 5.5.1 Send MAIL first", together: true)
            $0.says("DATA", .data, "503 5.5.1 Send MAIL first", together: true)
            $0.quit()
        },
        EnvelopeCase("RCPT on its way while MAIL was refused, held up by the network") {
            $0.refused(.mail, "MAIL FROM:<a@sender.example>", "550 5.7.1 No")
            $0.says("RCPT TO:<b@any.test>", .rcpt, "503 5.5.1 Send MAIL first")
            $0.says("DATA", .data, "503 5.5.1 Send MAIL first", together: true)
            $0.quit()
        },
        EnvelopeCase("RSET after a refused MAIL", keeps: [.replyIgnored]) {
            $0.refused(.mail, "MAIL FROM:<a@sender.example>", "550 5.7.1 No")
            $0.says("RSET", .rset, "250 2.0.0 Ok")
            $0.quit()
        },
        EnvelopeCase("DATA after all recipients were refused", breaks: [.dataAfterAllRcptRefused]) {
            $0.mail("a@sender.example")
            $0.refused(.rcpt, "RCPT TO:<b@any.test>", "550 5.1.1 No")
            $0.says("DATA", .data, "503 5.5.1 No valid recipients")
            $0.quit()
        },
        EnvelopeCase("the same in one group") {
            $0.mail("a@sender.example")
            $0.refused(.rcpt, "RCPT TO:<b@any.test>", "550 5.1.1 No", together: true)
            $0.says("DATA", .data, "503 5.5.1 No valid recipients", together: true)
            $0.quit()
        },
        EnvelopeCase("one recipient of two refused", keeps: [.dataAfterAllRcptRefused]) {
            $0.mail("a@sender.example")
            $0.refused(.rcpt, "RCPT TO:<c@any.test>", "550 5.1.1 No")
            $0.rcpt("b@any.test")
            $0.data()
            $0.quit()
        },
        EnvelopeCase("content after a refused DATA", breaks: [.cmdHeaderAsCommand, .replyIgnored]) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.refused(.data, "DATA", "451 4.3.0 Later")
            $0.says("Subject: hello", nil, "500 5.5.1 What")
            for line in ["", "Help me, please", "mail", "."] {
                $0.says(line, nil, "500 5.5.1 What", together: true)
            }
            $0.quit()
        },
        EnvelopeCase("RSET after a refused DATA", keeps: [.replyIgnored]) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.refused(.data, "DATA", "451 4.3.0 Later")
            $0.says("RSET", .rset, "250 2.0.0 Ok")
            $0.quit()
        },
        EnvelopeCase(
            "more recipients than announced", breaks: [.rcptOverLimit], Talk.usual + ["LIMITS MAILMAX=5 RCPTMAX=2"]
        ) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.rcpt("c@any.test")
            $0.rcptLine("RCPT TO:<d@any.test>", address: "d@any.test", reply: "452 4.5.3 Too many recipients")
            $0.data()
            $0.quit()
        },
        EnvelopeCase(
            "as many recipients as announced", keeps: [.rcptOverLimit], Talk.usual + ["LIMITS RCPTMAX=2"]
        ) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.rcpt("c@any.test")
            $0.data()
            $0.quit()
        },
        EnvelopeCase("on and on after 452", breaks: [.rcptOverLimit]) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.rcptLine("RCPT TO:<c@any.test>", address: "c@any.test", reply: "452 4.5.3 Too many recipients")
            $0.rcptLine("RCPT TO:<d@any.test>", address: "d@any.test", reply: "452 4.5.3 Too many recipients")
            $0.data()
            $0.quit()
        },
        EnvelopeCase("DATA after 452") {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.rcptLine("RCPT TO:<c@any.test>", address: "c@any.test", reply: "452 4.5.3 Too many recipients")
            $0.data()
            $0.quit()
        },
        EnvelopeCase("a full mailbox is no limit") {
            $0.mail("a@sender.example")
            $0.rcptLine("RCPT TO:<c@any.test>", address: "c@any.test", reply: "452 4.2.2 Mailbox full")
            $0.rcpt("b@any.test")
            $0.data()
            $0.quit()
        },
        EnvelopeCase("the same recipient twice", breaks: [.rcptDuplicate]) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.rcpt("b@ANY.test")
            $0.data()
            $0.quit()
        },
        EnvelopeCase("recipients that differ in case", keeps: [.rcptDuplicate]) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.rcpt("B@any.test")
            $0.data()
            $0.quit()
        },
        EnvelopeCase("a notification to two", breaks: [.nullSenderManyRcpt]) {
            $0.mail("")
            $0.rcpt("b@any.test")
            $0.rcpt("c@any.test")
            $0.data()
            $0.quit()
        },
        EnvelopeCase("a notification", keeps: [.nullSenderManyRcpt]) {
            $0.mail("")
            $0.rcpt("b@any.test")
            $0.data()
            $0.quit()
        },
    ]

    // MARK: Pipelining

    static let pipelining: [EnvelopeCase] = [
        EnvelopeCase("MAIL and RCPT in one read without PIPELINING", breaks: [.pipeNotOffered], Talk.withoutPipelining)
        {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test", together: true)
            $0.data()
            $0.quit()
        },
        EnvelopeCase("MAIL, RCPT and DATA in one read with PIPELINING") {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test", together: true)
            $0.client("DATA", together: true)
            $0.sink(.data, "354 Go ahead")
            $0.content(500)
            $0.sink(.endOfData, "250 2.0.0 Ok")
            $0.quit()
        },
        EnvelopeCase("the dot, QUIT behind it, without PIPELINING", breaks: [.pipeNotOffered], Talk.withoutPipelining) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.data()
            $0.client("QUIT", together: true)
            $0.sink(.quit, "221 2.0.0 Bye")
            $0.append(.ended(.quit))
        },
        EnvelopeCase("the dot, MAIL, RSET and QUIT behind it, with PIPELINING") {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.data()
            $0.mail("c@sender.example", together: true)
            $0.says("RSET", .rset, "250 2.0.0 Ok", together: true)
            $0.client("QUIT", together: true)
            $0.sink(.quit, "221 2.0.0 Bye")
            $0.append(.ended(.quit))
        },
        EnvelopeCase("NOOP and MAIL in one read", breaks: [.pipeAcrossSyncPoint]) {
            $0.says("NOOP", .noop, "250 2.0.0 Ok")
            $0.mail("a@sender.example", together: true)
            $0.quit()
        },
        EnvelopeCase("RSET and MAIL in one read") {
            $0.says("RSET", .rset, "250 2.0.0 Ok")
            $0.mail("a@sender.example", together: true)
            $0.quit()
        },
        EnvelopeCase("MAIL behind EHLO in one read", breaks: [.pipeAcrossSyncPoint]) {
            $0.ehlo(offering: Talk.usual)
            $0.mail("a@sender.example", together: true)
            $0.quit()
        },
        EnvelopeCase("a command while the reply to NOOP was held back", breaks: [.pipeAcrossSyncPoint]) {
            $0.client("NOOP")
            $0.fault(.noop, "delay 200ms")
            $0.wait(1000)
            $0.append(.clientEarly(octetCount: 6, segment: 90))
            var late = $0
            late.wait(199_000)
            late.sink(.noop, "250 2.0.0 Ok")
            $0 = late.behind(line: "RSET", segment: 90, cameAfter_us: 1000, reply: "250 2.0.0 Ok")
            $0.quit()
        },
        EnvelopeCase("the client waits for the late reply to NOOP", keeps: [.pipeAcrossSyncPoint]) {
            $0.client("NOOP")
            $0.fault(.noop, "delay 200ms")
            $0.wait(200_000)
            $0.sink(.noop, "250 2.0.0 Ok")
            $0.says("RSET", .rset, "250 2.0.0 Ok")
            $0.quit()
        },
        EnvelopeCase("the client waits for a late reply to MAIL", keeps: [.pipeNotOffered], Talk.withoutPipelining) {
            $0.client("MAIL FROM:<a@sender.example>")
            $0.append(.transactionBegan(reversePath: Array("a@sender.example".utf8)))
            $0.fault(.mail, "delay 200ms")
            $0.wait(200_000)
            $0.sink(.mail, "250 2.1.0 Ok")
            $0.rcpt("b@any.test")
            $0.data()
            $0.quit()
        },
        EnvelopeCase("content in the read of DATA", breaks: [.pipeContentBefore354]) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.client("DATA")
            $0.sink(.data, "354 Go ahead")
            $0.contentTogether(300, segment: 6)
            $0.sink(.endOfData, "250 2.0.0 Ok")
            $0.quit()
        },
        EnvelopeCase("content while the 354 was held back", breaks: [.pipeContentBefore354]) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.client("DATA")
            $0.fault(.data, "delay 200ms")
            $0.append(.clientEarly(octetCount: 300, segment: 8))
            $0.wait(200_000)
            $0.sink(.data, "354 Go ahead")
            $0.contentTogether(300, segment: 8)
            $0.sink(.endOfData, "250 2.0.0 Ok")
            $0.quit()
        },
        EnvelopeCase("content after a late 354", keeps: [.pipeContentBefore354]) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.client("DATA")
            $0.fault(.data, "delay 200ms")
            $0.wait(200_000)
            $0.sink(.data, "354 Go ahead")
            $0.content(300)
            $0.sink(.endOfData, "250 2.0.0 Ok")
            $0.quit()
        },
        EnvelopeCase("content in the read of a DATA that is refused", breaks: [.pipeContentBefore354]) {
            $0.mail("a@sender.example")
            $0.rcpt("b@any.test")
            $0.refused(.data, "DATA", "451 4.3.0 Later")
            for line in ["Subject: hello", "", "Hello", "."] { $0.says(line, nil, "500 5.5.1 What", together: true) }
            $0.quit()
        },
        EnvelopeCase("speaks behind the first line", breaks: [.replyMultilineMisread]) { talk in
            talk.dripped { $0.append(.clientEarly(octetCount: 30, segment: 90)) }
            talk = talk.behind(
                line: "NOOP", segment: 90, cameAfter_us: 2_000_000, reply: "250 2.0.0 Ok")
            talk.quit()
        },
        EnvelopeCase("waits for the last line", keeps: [.replyMultilineMisread]) { talk in
            talk.dripped { _ in }
            talk.says("NOOP", .noop, "250 2.0.0 Ok")
            talk.quit()
        },
        EnvelopeCase("MAIL behind AUTH LOGIN", breaks: [.pipeAuthNotLast]) {
            $0.says("AUTH LOGIN", .auth, "334 VXNlcm5hbWU6")
            $0.says("********", .auth, "501 5.5.2 Cannot decode this", together: true)
            $0.quit()
        },
        EnvelopeCase("MAIL behind AUTH PLAIN with its response") {
            $0.says("AUTH PLAIN ********", .auth, "235 2.7.0 Ok")
            $0.mail("a@sender.example", together: true)
            $0.quit()
        },
    ]

    // MARK: Replies

    static let replies: [EnvelopeCase] = [
        EnvelopeCase("goes on after 421", breaks: [.reply421Ignored]) {
            $0.client("NOOP")
            $0.fault(.noop, "raw \"421 4.3.2 Closing\"")
            $0.sink(.noop, "421 4.3.2 Closing")
            $0.says("NOOP", .noop, "250 2.0.0 Ok")
            $0.append(.ended(.clientClose))
        },
        EnvelopeCase("QUIT after 421", keeps: [.reply421Ignored]) {
            $0.client("NOOP")
            $0.fault(.noop, "raw \"421 4.3.2 Closing\"")
            $0.sink(.noop, "421 4.3.2 Closing")
            $0.quit()
        },
        EnvelopeCase("RCPT after 552 to MAIL SIZE", breaks: [.sizeRefusalIgnored, .replyIgnored]) {
            $0.refused(.mail, "MAIL FROM:<a@sender.example> SIZE=1000", "552 5.3.4 Too big")
            $0.says("RCPT TO:<b@any.test>", .rcpt, "503 5.5.1 Send MAIL first")
            $0.quit()
        },
        EnvelopeCase("the same MAIL after 552", breaks: [.sizeRefusalIgnored]) {
            for _ in 0..<2 { $0.refused(.mail, "MAIL FROM:<a@sender.example> SIZE=1000", "552 5.3.4 Too big") }
            $0.quit()
        },
        EnvelopeCase("QUIT after 552", keeps: [.sizeRefusalIgnored]) {
            $0.refused(.mail, "MAIL FROM:<a@sender.example> SIZE=1000", "552 5.3.4 Too big")
            $0.quit()
        },
        EnvelopeCase("gives up after 259 to MAIL", breaks: [.replyUnknownCode]) {
            $0.client("MAIL FROM:<a@sender.example>")
            $0.fault(.mail, "259 fine")
            $0.sink(.mail, "259 fine")
            $0.quit()
        },
        EnvelopeCase("leaves after a bare 250 to RCPT", breaks: [.replyUnknownCode]) {
            $0.mail("a@sender.example")
            $0.client("RCPT TO:<b@any.test>")
            $0.fault(.rcpt, "raw no-text")
            $0.sink(.rcpt, "250")
            $0.leaves()
        },
        EnvelopeCase("goes on after 259 to MAIL", keeps: [.replyUnknownCode]) {
            $0.client("MAIL FROM:<a@sender.example>")
            $0.fault(.mail, "259 fine")
            $0.sink(.mail, "259 fine")
            $0.rcpt("b@any.test")
            $0.data()
            $0.quit()
        },
        EnvelopeCase("leaves 20 s after RCPT", breaks: [.commandTimeoutShort]) {
            $0.mail("a@sender.example")
            $0.client("RCPT TO:<b@any.test>")
            $0.fault(.rcpt, "stall")
            $0.wait(20_000_000)
            $0.leaves()
        },
        EnvelopeCase("leaves 301 s after RCPT", keeps: [.commandTimeoutShort]) {
            $0.mail("a@sender.example")
            $0.client("RCPT TO:<b@any.test>")
            $0.fault(.rcpt, "stall")
            $0.wait(301_000_000)
            $0.leaves()
        },
        EnvelopeCase("waits 300 s for the reply to RCPT", keeps: [.commandTimeoutShort]) {
            $0.mail("a@sender.example")
            $0.client("RCPT TO:<b@any.test>")
            $0.fault(.rcpt, "delay 300s")
            $0.wait(300_000_000)
            $0.sink(.rcpt, "250 2.1.5 Ok")
            $0.data()
            $0.quit()
        },
    ]

    // MARK: Chunks

    static let chunks: [EnvelopeCase] = [
        EnvelopeCase("chunks in order", keeps: [.bdatSizeWrong, .bdatDataMixed]) {
            $0.envelope()
            $0.chunk(100)
            $0.chunk(50, last: true)
            $0.quit()
        },
        EnvelopeCase("an empty last chunk", keeps: [.bdatDataMixed]) {
            $0.envelope()
            $0.chunk(100)
            $0.chunk(0, last: true)
            $0.quit()
        },
        EnvelopeCase("more octets than announced", breaks: [.bdatSizeWrong]) {
            $0.envelope()
            $0.chunk(100, last: true)
            $0.says("rest of it", nil, "500 5.5.2 What", together: true)
            $0.says("and more", nil, "500 5.5.2 What", together: true)
            $0.says("QUIT", .quit, "221 2.0.0 Bye", together: true)
            $0.append(.ended(.quit))
        },
        EnvelopeCase("fewer octets than announced", breaks: [.bdatSizeWrong]) {
            $0.envelope()
            $0.client("BDAT 100 LAST")
            $0.wait(300_000_000)
            $0.sink(nil, "421 4.4.2 Time-out")
            $0.append(.ended(.timeout))
        },
        EnvelopeCase("a size that is none", breaks: [.bdatSizeWrong]) {
            $0.envelope()
            $0.client("BDAT ten LAST")
            $0.append(.noticed("a BDAT had a size that is none"))
            $0.sink(.data, "501 5.5.4 Syntax")
            $0.says("RSET", .rset, "250 2.0.0 Ok")
            $0.quit()
        },
        EnvelopeCase("DATA behind BDAT", breaks: [.bdatDataMixed]) {
            $0.envelope()
            $0.chunk(100)
            $0.says("DATA", .data, "503 5.5.1 DATA cannot follow BDAT")
            $0.quit()
        },
        EnvelopeCase("BDAT behind LAST", breaks: [.bdatDataMixed]) {
            $0.envelope()
            $0.chunk(100, last: true)
            $0.chunk(100, reply: "503 5.5.1 Send MAIL first")
            $0.quit()
        },
        EnvelopeCase("DATA for binary", breaks: [.bdatDataMixed]) {
            $0.envelope("BODY=BINARYMIME")
            $0.says("DATA", .data, "503 5.5.1 BINARYMIME needs BDAT")
            $0.quit()
        },
        EnvelopeCase("DATA in a session after BDAT", keeps: [.bdatDataMixed]) {
            $0.envelope()
            $0.chunk(100, last: true)
            $0.envelope()
            $0.data()
            $0.quit()
        },
        EnvelopeCase("BDAT without CHUNKING", breaks: [.cmdUnofferedExtension], ["PIPELINING"]) {
            $0.envelope()
            $0.chunk(100, last: true, reply: "502 5.5.1 Not implemented")
            $0.quit()
        },
        EnvelopeCase("a chunk after a refused one", breaks: [.bdatAfterError]) {
            $0.envelope()
            $0.chunk(100, reply: "552 5.3.4 Too big")
            $0.chunk(100, reply: "503 5.5.1 No")
            $0.quit()
        },
        EnvelopeCase("MAIL without RSET after a refused chunk", breaks: [.bdatAfterError]) {
            $0.envelope()
            $0.chunk(100, reply: "552 5.3.4 Too big")
            $0.envelope()
            $0.data()
            $0.quit()
        },
        EnvelopeCase("chunks that were on their way") {
            $0.envelope()
            $0.chunk(100, reply: "552 5.3.4 Too big")
            $0.chunk(100, reply: "503 5.5.1 No", together: true)
            $0.chunk(100, last: true, reply: "503 5.5.1 No", together: true)
            $0.says("RSET", .rset, "250 2.0.0 Ok")
            $0.quit()
        },
        EnvelopeCase("RSET after a refused chunk", keeps: [.bdatAfterError]) {
            $0.envelope()
            $0.chunk(100, reply: "552 5.3.4 Too big")
            $0.says("RSET", .rset, "250 2.0.0 Ok")
            $0.envelope()
            $0.data()
            $0.quit()
        },
    ]

    // MARK: AUTH

    static let auth: [EnvelopeCase] = [
        EnvelopeCase(
            "AUTH PLAIN inside TLS", keeps: [.authInClear, .authMechanismNotOffered, .authBadBase64, .authOutOfPlace]
        ) {
            $0.says("AUTH PLAIN ********", .auth, "235 2.7.0 Ok")
            $0.quit()
        },
        EnvelopeCase("AUTH that is not listed", breaks: [.authMechanismNotOffered]) {
            $0.says("AUTH CRAM-MD5", .auth, "504 5.5.4 Mechanism not supported")
            $0.quit()
        },
        EnvelopeCase("AUTH without the extension", breaks: [.cmdUnofferedExtension], ["PIPELINING"]) {
            $0.says("AUTH PLAIN ********", .auth, "502 5.5.1 Not implemented")
            $0.quit()
        },
        EnvelopeCase("AUTH in a transaction", breaks: [.authOutOfPlace]) {
            $0.mail("a@sender.example")
            $0.says("AUTH PLAIN ********", .auth, "503 5.5.1 Not inside a transaction")
            $0.quit()
        },
        EnvelopeCase("AUTH twice", breaks: [.authOutOfPlace]) {
            $0.says("AUTH PLAIN ********", .auth, "235 2.7.0 Ok")
            $0.says("AUTH PLAIN ********", .auth, "503 5.5.1 Already authenticated")
            $0.quit()
        },
        EnvelopeCase("AUTH again after a failure", keeps: [.authOutOfPlace]) {
            $0.says("AUTH PLAIN ********", .auth, "535 5.7.8 No")
            $0.says("AUTH PLAIN ********", .auth, "235 2.7.0 Ok")
            $0.quit()
        },
        EnvelopeCase("no base64", breaks: [.authBadBase64]) {
            $0.says("AUTH PLAIN ********", .auth, "501 5.5.2 Cannot decode this as base64")
            $0.quit()
        },
        EnvelopeCase("no base64 in a dialogue", breaks: [.authBadBase64]) {
            $0.says("AUTH LOGIN", .auth, "334 VXNlcm5hbWU6")
            $0.says("********", .auth, "501 5.5.2 Cannot decode this as base64")
            $0.quit()
        },
        EnvelopeCase("base64 of wrong credentials") {
            $0.says("AUTH PLAIN ********", .auth, "501 5.5.2 Credentials are malformed")
            $0.quit()
        },
        EnvelopeCase("an initial response of nothing", breaks: [.authBadBase64, .cmdTrailingSpace]) {
            $0.says("AUTH PLAIN ", .auth, "334 ")
            $0.says("********", .auth, "235 2.7.0 Ok")
            $0.quit()
        },
    ]

    @Test(arguments: [
        ("192.0.2.9:1", "AUTH PLAIN ********", "235 2.7.0 Ok", true),
        ("127.0.0.1:1", "AUTH PLAIN ********", "235 2.7.0 Ok", false),
        ("192.0.2.9:1", "AUTH LOGIN", "334 VXNlcm5hbWU6", true),
        ("192.0.2.9:1", "AUTH LOGIN", "504 5.5.4 Not supported", false),
    ])
    func passwordsInClear(_ client: String, _ line: String, _ reply: String, _ isBroken: Bool) {
        var talk = Talk(client: client)
        talk.greeting()
        talk.ehlo(offering: Talk.usual)
        talk.says(line, .auth, reply)
        if reply.hasPrefix("334") { talk.says("********", .auth, "235 2.7.0 Ok") }
        talk.quit()
        #expect(talk.envelopeFindings() == (isBroken ? [.authInClear] : []))
    }

    // MARK: The end

    static let endings: [EnvelopeCase] = [
        EnvelopeCase("no QUIT", breaks: [.quitMissing]) {
            $0.envelope()
            $0.data()
            $0.leaves()
        },
        EnvelopeCase("reset without QUIT", breaks: [.quitMissing]) {
            $0.envelope()
            $0.data()
            $0.append(.ended(.clientReset))
        },
        EnvelopeCase("left after 421") {
            $0.client("NOOP")
            $0.fault(.noop, "421 4.3.2 Closing")
            $0.sink(.noop, "421 4.3.2 Closing")
            $0.append(.ended(.sinkClose))
        },
        EnvelopeCase("left after we lost the reply") {
            $0.envelope()
            $0.client("DATA")
            $0.sink(.data, "354 Go ahead")
            $0.content(100)
            $0.fault(.endOfData, "keep", "close")
            $0.append(.ended(.clientClose))
        },
        EnvelopeCase("left behind a handshake it does not trust") {
            $0.startTLS()
            $0.leaves()
        },
        EnvelopeCase("closes before 221", breaks: [.quitNotAwaited]) {
            $0.client("QUIT")
            $0.fault(.quit, "delay 500ms")
            $0.wait(1000)
            $0.append(.clientFinished)
            $0.wait(499_000)
            $0.sink(.quit, "221 2.0.0 Bye")
            $0.append(.ended(.quit))
        },
        EnvelopeCase("waits for 221", keeps: [.quitNotAwaited, .quitMissing]) {
            $0.client("QUIT")
            $0.fault(.quit, "delay 500ms")
            $0.wait(500_000)
            $0.sink(.quit, "221 2.0.0 Bye")
            $0.append(.ended(.quit))
        },
    ]

    @Test func anHTTPRequestIsNotAnUnknownCommand() {
        var talk = Talk()
        talk.greeting()
        talk.client("GET / HTTP/1.1")
        talk.append(.noticed("an HTTP request came on an SMTP port"))
        talk.sink(nil, "554 5.5.1 This is an SMTP server")
        talk.append(.ended(.sinkClose))
        #expect(talk.envelopeFindings() == [])
    }

    @Test func aReplyThatIsHeldBackLongerThanPatienceIsScaled() {
        // Five minutes in five seconds: whoever leaves after four of them left too early.
        for (seconds, expected) in [(4, RuleState.broken), (6, .kept)] as [(UInt64, RuleState)] {
            var talk = Talk.begun()
            talk.client("MAIL FROM:<a@sender.example>")
            talk.fault(.mail, "stall")
            talk.wait(seconds * 1_000_000)
            talk.leaves()
            var settings = JudgingSettings(profile: .strict)
            settings.thresholds.timeScale = 60
            #expect(talk.judged(Circumstances(), settings).states[.commandTimeoutShort] == expected)
        }
    }

    @Test func aListThatWasGarbledExcuses() {
        var talk = Talk()
        talk.greeting()
        talk.client("EHLO mta1.sender.example")
        talk.fault(.ehlo, "raw no-code")
        talk.sink(.ehlo, "mx.test", "SIZE 1000", "PIPELINING")
        talk.mail("a@sender.example", parameters: "SIZE=10")
        talk.rcpt("b@any.test", together: true)
        talk.data()
        talk.quit()
        let judgement = talk.judged()
        #expect(judgement.broken.filter { SenderRules.layer(of: $0) == .envelope }.isEmpty)
        #expect(judgement.excused["param-not-offered"] == "a reply was garbled")
        #expect(judgement.excused["pipe-not-offered"] == "a reply was garbled")
    }

    @Test func aFaultExcusesAndIsNamed() {
        var talk = Talk.begun()
        talk.client("NOOP")
        talk.fault(.noop, "stall")
        talk.wait(10_000)
        talk.leaves()
        let judgement = talk.judged()
        #expect(judgement.states[.quitMissing] == .notObserved)
        #expect(judgement.excused["quit-missing"] == "the sink said nothing")
    }

    @Test func nothingIsConcludedFromASessionWithAHole() {
        var talk = Talk.begun()
        talk.says("RCPT TO:<b@any.test>", .rcpt, "250 2.1.5 Ok")
        talk.mail("a@sender.example")
        talk.mail("a@sender.example", together: true)
        talk.says("NOOP", nil, "250 2.0.0 Ok", together: true)
        talk.leaves()
        let judgement = Judge.judge(
            SessionTrace(talk.log, eventsDropped: 3), [], Circumstances(), JudgingSettings(profile: .strict))
        #expect(judgement.broken.filter { SenderRules.layer(of: $0) == .envelope }.isEmpty)
    }

    @Test func theReplyThatWentOutEarlyIsNotMissed() {
        var talk = Talk.begun()
        talk.client("NOOP")
        talk.fault(.noop, "raw early-reply")
        talk.sink(.noop, "250 2.0.0 Ok")
        talk.client("RSET")
        talk.append(.noticed("a reply went out with the one before, before its command"))
        talk.says("NOOP", .noop, "250 2.0.0 Ok")
        talk.quit()
        let commands = SessionTrace(talk.log).steps.compactMap {
            if case .command(let command) = $0.kind { command } else { nil }
        }
        #expect(commands.last?.isPipelined == false)
        #expect(commands.last?.reply != nil)
    }

    /// Rules that are told from more than one session, or not at all.
    private static let elsewhere: Set<RuleID> = [
        .verpMissing, .rcptSplitCopies, .rcpt452Lost, .replyTextDependent,
    ]

    @Test func everyRuleHasACaseThatBreaksIt() {
        var broken = Self.elsewhere
        for one in Self.cases { broken.formUnion(one.breaks) }
        for one in EnvelopeCommandTests.reversePaths { broken.formUnion(one.1) }
        for one in EnvelopeCommandTests.mailParameters { broken.formUnion(one.1) }
        for one in EnvelopeCommandTests.lines { broken.formUnion(one.2) }
        // Tests of their own.
        broken.formUnion([
            .dsnNotifySyntax, .dsnOrcptSyntax, .dsnOrcptDiffers, .cmdTooManyErrors, .cmdNoise, .authInClear, .spfFail,
            .senderDomainDead, .sizeUnderstated, .sizeNotDeclared, .body8bitmimeWithoutMime, .smtputf8Needless,
            .nullSenderOrdinaryMail,
        ])
        for rule in SenderRules.all where SenderRules.layer(of: rule.id) == .envelope {
            #expect(broken.contains(rule.id), "\(rule.id.rawValue)")
        }
    }

    // MARK: Names

    @Test func sendersThatCannotBeAnswered() {
        var names = NameFacts()
        names.exchangers = [
            "dead.example": .none, "null.example": .found(["."]), "good.example": .found(["mx.good.example"]),
        ]
        var circumstances = Circumstances()
        circumstances.names = names
        for (domain, state) in [
            ("DEAD.example", RuleState.broken), ("null.example", .broken), ("good.example", .kept),
            ("other.example", .notObserved),
        ] {
            var talk = Talk.begun()
            talk.mail("a@\(domain)")
            talk.quit()
            #expect(talk.judged(circumstances).states[.senderDomainDead] == state, "\(domain)")
        }
    }
}

extension Talk {
    fileprivate mutating func envelope(_ parameters: String = "") {
        mail("a@sender.example", parameters: parameters)
        rcpt("b@any.test")
    }

    /// An EHLO reply that leaves at ten octets a second, and what happens two seconds after the question: its first
    /// line has eleven.
    fileprivate mutating func dripped(_ meanwhile: (inout Talk) -> Void) {
        client("EHLO mta1.sender.example")
        fault(.ehlo, "drip 10/s")
        wait(2_000_000)
        meanwhile(&self)
        wait(4_000_000)
        sink(.ehlo, "250-mx.test", "250 PIPELINING")
    }

    /// A line that came before the last reply was written: in that read, and `cameAfter_us` behind the last line.
    fileprivate func behind(line: String, segment: Int, cameAfter_us: UInt64, reply: String) -> Talk {
        var talk = self
        let asked = SessionTrace(log).steps.last { if case .command = $0.kind { true } else { false } }
        talk.append(
            .clientLine(octets: Array(line.utf8), segment: segment), at_us: (asked?.at_us ?? 0) + cameAfter_us)
        talk.sink(.noop, reply)
        return talk
    }
}
